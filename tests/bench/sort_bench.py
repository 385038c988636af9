#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sorting beside GNU sort: the same keys and texts, the same memory.

usage: sort_bench.py [BUILD_DIR [MEGABYTES [TMPDIR]]]

MEGABYTES [1000] of rows with texts of about 200 bytes, as a stream and as lines
"score TAB id TAB text". sort compares bytes (LC_ALL=C) with one thread; both have
256 MB of memory, read a file and write to a pipe that is thrown away. Then a
shuffle of as many bytes of sequences of 2,048 tokens. Nothing passes or fails.

Aims: less time than sort, the memory below the budget.
"""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT, LENGTH = 200, 2048


def timed(args, **env):
    """Wall seconds, CPU seconds, peak memory of a command."""
    begin = time.monotonic()
    pid = os.posix_spawnp(args[0], args, {**os.environ, **env}, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"failed: {args}")
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def show(name, path, result):
    wall, cpu, peak = result
    size = os.path.getsize(path) / 1e6
    print(f"{name:40} {wall:7.2f} s {cpu:7.2f} s CPU {size / wall:6.0f} MB/s "
          f"{size / cpu:6.0f} MB/s of CPU {peak / 1e6:5.0f} MB", flush=True)


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release").resolve()
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    maker = str(build / "bench/bench_sort")
    with tempfile.TemporaryDirectory(dir=sys.argv[3] if len(sys.argv) > 3 else None) as tmp:
        work = Path(tmp)
        stream, lines, packed = work / "rows.arrows", work / "rows.txt", work / "packed.arrows"
        rows = str(megabytes * 10**6 // (TEXT + 30))
        for path, args in ((stream, ["stream", rows, str(TEXT)]),
                           (lines, ["lines", rows, str(TEXT)]),
                           (packed, ["sequences", str(megabytes * 10**6 // (LENGTH * 3 + 60)),
                                     str(LENGTH)])):
            with open(path, "wb") as f:
                subprocess.run([maker, *args], stdout=f, check=True)
        ours = ["--mem", "256M", "--tmpdir", tmp, "-q"]
        sort, shuffle = (str(build / "bin" / f"sluice-{n}") for n in ("sort", "shuffle"))
        gnu = ["sort", "-S", "256M", "--parallel=1", "-T", tmp]
        tab = ["-t", "\t", "-k1,1", "-k2,2"]
        a = timed([*gnu, *tab, str(lines)], LC_ALL="C")
        show("GNU sort, by score, then id", lines, a)
        show("GNU sort, whole lines", lines, timed([*gnu, str(lines)], LC_ALL="C"))
        b = timed([sort, "--by", "score", *ours, str(stream)])
        show("sluice-sort --by score", stream, b)
        show("sluice-sort --by score --no-compress-tmp", stream,
             timed([sort, "--by", "score", "--no-compress-tmp", *ours, str(stream)]))
        show("sluice-sort --by text", stream, timed([sort, "--by", "text", *ours, str(stream)]))
        show("sluice-shuffle, sequences", packed, timed([shuffle, *ours, str(packed)]))
        print(f"GNU sort / sluice-sort by the same keys: {a[0] / b[0]:.1f} x the time, "
              f"{a[1] / b[1]:.1f} x the CPU time")


main()
