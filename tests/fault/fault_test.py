#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""usage: fault_test.py BUILD [WORD...]

Every tool with a call that fails: each allocation in turn, each write (a full
disk), each read, each fsync; and with reads and writes that fall short. A tool
must end with exit 3 and say so, or be whole; it never crashes, and nothing
stands under the final name. Prints "N passed, N failed, N skipped".

SLUICE_LONG_TESTS=1  every allocation of every tool; else about 150 of each
"""
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'contract'))
from harness import Bench, Failed, Inputs, Skipped, Tool, check, clean_env, find_tools  # noqa: E402

KINDS = ('FAULT_ALLOC', 'FAULT_WRITE', 'FAULT_READ', 'FAULT_SYNC')
WORDS = {'FAULT_ALLOC': 'out of memory', 'FAULT_WRITE': 'No space left',
         'FAULT_READ': 'Input/output error', 'FAULT_SYNC': 'Input/output error'}
LONG = os.environ.get('SLUICE_LONG_TESTS')


def build_shim(folder):
    cc = shutil.which('cc') or shutil.which('gcc')
    if not cc:
        return None
    shim = os.path.join(folder, 'fault_shim.so')
    subprocess.run([cc, '-O1', '-shared', '-fPIC', '-D_GNU_SOURCE', '-o', shim,
                    os.path.join(HERE, 'fault_shim.c'), '-ldl'], check=True)
    return shim


def arguments(b):
    """All outputs that the tool has, so that each of them can fail; a file as the
    input, since the number of reads from a pipe is chance."""
    out, args = b.path(), [b.file(b.small, 'in')] if b.tool.reads else []
    if b.tool.has('output'):
        args += ['-o', out]
    if b.tool.has('report'):
        args += ['--report', b.path()]
    if b.tool.writes('rejects'):
        args += ['--rejects', b.path()]
    return out, args


def whole(b, out):
    return os.path.exists(os.path.join(out, 'manifest.json') if b.tool.folder_out else out)


def run_with(b, shim, args, **faults):
    return b.run(*args, env=clean_env(LD_PRELOAD=shim, **{k: str(v) for k, v in faults.items()}))


def counts(b, shim):
    """How many calls of each sort a good run makes."""
    path = b.path()
    _, args = arguments(b)
    r = run_with(b, shim, args, FAULT_COUNTS=path)
    check(r.rc == 0, 'without a fault: exit', r.rc, r.err)
    with open(path) as f:
        return dict(zip(KINDS, map(int, f.read().split())))


def chosen(n):
    """All of 1 to n, or the first and last 50 and some between."""
    if LONG or n <= 150:
        return range(1, n + 1)
    step = (n - 100) // 50 + 1
    return sorted({*range(1, 51), *range(51, n - 49, step), *range(n - 49, n + 1)})


def check_kind(b, shim, kind, n):
    b.need(n, 'no such call')
    told = 0
    for i in chosen(n):
        out, args = arguments(b)
        r = run_with(b, shim, args, **{kind: i})
        where = f'{kind}={i} of {n}:'
        check(r.rc in (0, 3), where, 'exit', r.rc, r.err)
        if r.rc == 3:
            told += 1
            check(WORDS[kind] in r.err, where, 'says', r.err)
            # A folder is synced after the rename: what stands then is whole, yet the
            # run has not promised it.
            stands = b.tool.has('output') and whole(b, out)
            check(not stands or kind == 'FAULT_SYNC', where, 'the output stands')
        else:
            # Only a write that nobody needs may be missed: none of the outputs is one.
            check(kind == 'FAULT_ALLOC', where, 'was not noticed')
        if os.path.isdir(out):
            shutil.rmtree(out)
    check(told, f'{kind}: never noticed')


def case_allocations(b, shim, n):
    check_kind(b, shim, 'FAULT_ALLOC', n['FAULT_ALLOC'])


def case_writes(b, shim, n):
    check_kind(b, shim, 'FAULT_WRITE', n['FAULT_WRITE'])


def case_reads(b, shim, n):
    b.need(b.tool.reads, 'reads nothing')
    check_kind(b, shim, 'FAULT_READ', n['FAULT_READ'])


def case_syncs(b, shim, n):
    check_kind(b, shim, 'FAULT_SYNC', n['FAULT_SYNC'])


def case_stdout(b, shim, n):
    """The same allocations while the stream goes to a pipe: what was written is
    no whole stream."""
    b.need(b.tool.stream_out, 'writes no stream')
    for i in chosen(n['FAULT_ALLOC'])[::5]:
        r = run_with(b, shim, (), FAULT_ALLOC=i)
        check(r.rc in (0, 3), i, 'exit', r.rc, r.err)
        if r.rc == 3:
            check(b.other('sluice-verify', '-q', stdin=r.out).rc == 1, i, 'a whole stream')


def case_short(b, shim, n):
    """Short reads and writes give the same bytes."""
    want = b.good()
    for seed in range(1, 7):
        r = run_with(b, shim, (), FAULT_SHORT=seed)
        check(r.rc == 0 and r.out == want, f'seed {seed}: exit', r.rc, r.err, 'or other bytes')


CASES = [(k[5:], f) for k, f in list(globals().items()) if k.startswith('case_')]


def run_tool(path, inputs, build, shim, words):
    results = []
    try:
        b = Bench(Tool(path), inputs, build, 1 if Tool(path).has('threads') else None)
        n = counts(b, shim)
    except Failed as f:
        return [('failed', os.path.basename(path), str(f))]
    for name, function in CASES:
        label = f'{b.tool.file} {name}'
        if words and not any(w in label for w in words):
            continue
        try:
            function(b, shim, n)
            results.append(('passed', label, ''))
        except Skipped as s:
            results.append(('skipped', label, str(s)))
        except Failed as f:
            results.append(('failed', label, str(f)))
    b.close()
    return results


def main():
    build, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    total = {'passed': 0, 'failed': 0, 'skipped': 0}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(3) as pool:
        shim = build_shim(folder)
        if not shim:
            print('skipped: no C compiler\n0 passed, 0 failed, 1 skipped')
            sys.exit(77)
        inputs = Inputs(build, folder)
        futures = [pool.submit(run_tool, p, inputs, build, shim, words) for p in find_tools(build)]
        for outcome, label, why in (r for f in futures for r in f.result()):
            total[outcome] += 1
            if outcome == 'failed':
                print(f'FAIL {label}: {why}')
    print('{passed} passed, {failed} failed, {skipped} skipped'.format(**total))
    sys.exit(1 if total['failed'] or not total['passed'] else 0)


if __name__ == '__main__':
    main()
