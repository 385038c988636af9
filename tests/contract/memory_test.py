#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
# alone: yes
"""usage: memory_test.py BUILD [WORD...]

Memory does not grow with the input: the peak of a streaming tool on 800 MB is
that on 100 MB, within 10 % or 8 MB. Maps run with -T4 too, where tasks in flight
count. Tools that may collect their input (collect, shards) are skipped.
Prints "N passed, N failed, N skipped".

SLUICE_LONG_TESTS=1  2 GB instead of 800 MB
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Failed, Tool, check, clean_env, find_tools, records  # noqa: E402

SMALL_MB = 100
LARGE_MB = 2000 if os.environ.get('SLUICE_LONG_TESTS') else 800


def feed_stream(build, tool, megabytes):
    """A process that writes so much of the tool's kind."""
    rows, text = (100, 9600) if tool.kind == 'docs' else (2000, 800)
    maker = [os.path.join(build, 'test', 'contract_streams'), tool.kind]
    one = len(subprocess.run(maker + ['1', str(rows), str(text), tool.without()],
                             capture_output=True, check=True).stdout)
    n = megabytes * 1000000 // one
    return subprocess.Popen(maker + [str(n), str(rows), str(text), tool.without(), 'same'],
                            stdout=subprocess.PIPE)


def feed_records(tool, megabytes):
    """The same for a source: one block of records again and again."""
    block = records(tool, 100, 4000)
    n = megabytes * 1000000 // len(block)
    code = ('import sys\nb = sys.stdin.buffer.read()\n'
            f'for _ in range({n}): sys.stdout.buffer.write(b)')
    p = subprocess.Popen([sys.executable, '-c', code], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
    p.stdin.write(block)
    p.stdin.close()
    return p


def peak(build, tool, threads, megabytes, folder):
    report = os.path.join(folder, 'report')
    source = feed_records(tool, megabytes) if tool.flow == 'source' else \
        feed_stream(build, tool, megabytes)
    p = subprocess.run([tool.path, *tool.args(threads), '--report', report], stdin=source.stdout,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=clean_env(),
                       timeout=300)
    source.stdout.close()
    source.wait()
    check(p.returncode == 0, 'exit', p.returncode, p.stderr.decode())
    with open(report) as f:
        r = json.load(f)
    check(r['bytes_in'] > megabytes * 900000, 'only', r['bytes_in'], 'bytes in')
    return r['peak_memory_bytes']


def main():
    build, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    passed = failed = skipped = 0
    for path in find_tools(build):
        tool = Tool(path)
        if tool.flow not in ('source', 'map', 'scan', 'sink') or tool.folder_out:
            skipped += 1
            continue
        for threads in (1, 4) if tool.flow == 'map' else (1,):
            label = f'{tool.file} -T{threads}'
            if words and not any(w in label for w in words):
                continue
            try:
                with tempfile.TemporaryDirectory() as folder:
                    a = peak(build, tool, threads, SMALL_MB, folder)
                    z = peak(build, tool, threads, LARGE_MB, folder)
                print(f'{label}: {a / 1e6:.0f} MB of memory for {SMALL_MB} MB, '
                      f'{z / 1e6:.0f} for {LARGE_MB}')
                check(z <= max(a * 1.1, a + 8e6), 'it grows')
                passed += 1
            except (Failed, subprocess.TimeoutExpired) as f:
                failed += 1
                print(f'FAIL {label}: {f}')
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    sys.exit(1 if failed or not passed else 0)


if __name__ == '__main__':
    main()
