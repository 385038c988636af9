#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""usage: contract_test.py BUILD [WORD...]

Every line of the command-line contract on every tool of BUILD/bin, and on the
test tools BUILD/test/flow_*, once with -T1 and once with -T4. A tool says itself
what it reads and how to try it (--describe), so a new one is tested at once.
A case is a function named case_*; its docstring is the line that it checks. With
WORDs only cases or tools whose name contains one of them run. Prints failures,
and "N passed, N failed, N skipped".
"""
import os
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cases_ends  # noqa: E402
import cases_options  # noqa: E402
import cases_streams  # noqa: E402
from harness import Bench, Failed, Inputs, Skipped, Tool, check, find_tools  # noqa: E402

MODULES = (cases_streams, cases_options, cases_ends)
LETTERS = {'h': 'help-short', 'V': 'version', 'v': 'verbose', 'q': 'quiet', 'f': 'force',
           'o': 'output', 'T': 'threads'}


def cases():
    for module in MODULES:
        for name, function in list(vars(module).items()):
            if name.startswith('case_'):
                yield name[5:], function


def run_case(function, bench):
    try:
        function(bench)
        return 'passed', ''
    except Skipped as s:
        return 'skipped', str(s)
    except Failed as f:
        return 'failed', str(f)
    except Exception:
        return 'failed', traceback.format_exc(limit=-3)


def run_tool(tool, threads, inputs, build, words):
    results = []
    bench = Bench(tool, inputs, build, threads)
    for name, function in cases():
        if getattr(function, 'once', False) and threads not in (None, 1):
            continue
        label = f'{tool.file} {name}' + (f' -T{threads}' if threads else '')
        if words and not any(w in label for w in words):
            continue
        begin = time.monotonic()
        outcome, why = run_case(function, bench)
        results.append((outcome, label, why, time.monotonic() - begin))
    bench.close()
    return results


def check_letters(tools):
    """The same letter means the same long name in every tool, and -h -V -v -q
    -f -o -T mean what they always mean."""
    seen = dict(LETTERS)
    for tool in tools:
        for option in tool.options.values():
            letter, name = option['letter'], option['name']
            check(name, tool.name, 'has an option without a long name')
            if letter:
                check(seen.setdefault(letter, name) == name,
                      f'-{letter} is --{name} in {tool.name}, --{seen[letter]} elsewhere')
        for letter, name in LETTERS.items():
            owner = tool.options.get(name)
            check(owner is None or owner['letter'] == letter, tool.name, f'has no -{letter}')
        for name in ('help', 'help-short', 'version', 'verbose', 'quiet'):
            check(tool.has(name), tool.name, f'has no --{name}')


def main():
    build, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    tools, results = [], []
    for path in find_tools(build):
        try:
            tools.append(Tool(path))
        except (Failed, ValueError, KeyError) as f:
            results.append(('failed', f'{os.path.basename(path)} describe', str(f), 0))
    if not tools:
        print(f'no tool in {build}/bin')
    try:
        check_letters(tools)
        results.append(('passed', 'all letters', '', 0))
    except Failed as f:
        results.append(('failed', 'all letters', str(f), 0))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(4) as pool:
        inputs = Inputs(build, folder)
        futures = [pool.submit(run_tool, tool, t, inputs, build, words)
                   for tool in tools for t in tool.threads()]
        for f in futures:
            results += f.result()
    for outcome, label, why, _ in results:
        counts[outcome] += 1
        if outcome == 'failed':
            print(f'FAIL {label}: {why}')
    if os.environ.get('SLUICE_CONTRACT_VERBOSE'):
        for outcome, label, why, seconds in sorted(results, key=lambda r: -r[3]):
            print(f'{outcome} {label} {seconds:.2f} s {why}')
    print('{passed} passed, {failed} failed, {skipped} skipped'.format(**counts))
    sys.exit(1 if counts['failed'] or not counts['passed'] else 0)


if __name__ == '__main__':
    main()
