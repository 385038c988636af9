# SPDX-License-Identifier: Apache-2.0
"""usage: export_bench.py BUILD_DIR [SEQUENCES]

MB/s of tokens for shards and every export, beside a copy of the same bytes by cat;
writing them to disk (with its fsync) is in it. Then reading them by sluice-verify.
"""
import os
import subprocess
import sys
import tempfile
import time

LENGTH, RUNS = 2048, 3


def seconds(*command, before=None):
    best = float('inf')
    for _ in range(RUNS):
        if before:
            subprocess.run(['rm', '-rf', before])
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        best = min(best, time.perf_counter() - begin)
    return best


def main():
    build = os.path.abspath(sys.argv[1])
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    size = rows * LENGTH * 2 / 1e6
    shard, verify = f'{build}/bin/sluice-shard', f'{build}/bin/sluice-verify'
    with tempfile.TemporaryDirectory() as folder:
        source, out = f'{folder}/packed.arrows', f'{folder}/out'
        with open(source, 'wb') as f:
            subprocess.run([f'{build}/test/sequences_sample', str(rows), str(LENGTH), 'uint16',
                            '256'], stdout=f, check=True)
        print(f'{rows} sequences of {LENGTH} tokens, {size:.0f} MB of tokens '
              f'in a stream of {os.path.getsize(source) / 1e6:.0f} MB')
        copy = seconds('sh', '-c', f'cat {source} > {out}; sync {out}', before=out)
        print(f'{"cat and sync":14} {size / copy:7.0f} MB/s')
        for form in ('', 'megatron', 'npy', 'bin', 'mds'):
            more = ['--export', form] if form else []
            write = seconds(shard, '-q', *more, source, '-o', out, before=out)
            read = seconds(verify, '-q', out)
            print(f'{form or "shards":14} {size / write:7.0f} MB/s, verified '
                  f'{size / read:7.0f} MB/s')


main()
