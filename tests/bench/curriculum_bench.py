#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A curriculum beside a plain shuffle of the same sequences, in the same memory.

usage: curriculum_bench.py [BUILD_DIR [MEGABYTES [TMPDIR [MEM]]]]

MEGABYTES [1000] of sequences of 2,048 tokens, MEM [256M] of memory; output is thrown away.
The plan draws a fifth from a growing pool, then shuffles what is left. GNU sort orders as
many lines "score TAB id TAB text" of as many bytes, in the same memory, with one thread.
Then the planning of ten million short sequences without rows. Nothing passes or fails.

Aims: less time than sort; temporary files under 1.2 times the rows; 5 million sequences a
second planned.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LENGTH, N_SHORT = 2048, 10**7
PLAN = """sources: {all: {path: packed.arrows}}
stages:
  - name: warm-up
    until: 20%
    order: {by: id, pacing: root, start: 10%, background: 20%}
  - {name: main, order: shuffle}
"""


def show(name, args, path):
    """Wall and CPU seconds, rate and peak memory of a command; the wall seconds."""
    begin = time.monotonic()
    pid = os.posix_spawnp(args[0], args, {**os.environ, "LC_ALL": "C"}, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"failed: {args}")
    wall, cpu = time.monotonic() - begin, usage.ru_utime + usage.ru_stime
    print(f"{name:32} {wall:7.2f} s {cpu:7.2f} s CPU {os.path.getsize(path) / 1e6 / wall:6.0f} "
          f"MB/s {usage.ru_maxrss * 1024 / 1e6:5.0f} MB", flush=True)
    return wall


def make(maker, path, *args):
    with open(path, "wb") as f:
        subprocess.run([maker, *map(str, args)], stdout=f, check=True)


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release").resolve()
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    mem = sys.argv[4] if len(sys.argv) > 4 else "256M"
    tool, maker = str(build / "bin/sluice-curriculum"), build / "bench/bench_sort"
    with tempfile.TemporaryDirectory(dir=sys.argv[3] if len(sys.argv) > 3 else None) as tmp:
        work = Path(tmp)
        packed, plan, report = work / "packed.arrows", work / "plan.yaml", work / "report.json"
        rows = megabytes * 10**6 // (LENGTH * 3 + 60)
        ours = ["--mem", mem, "--tmpdir", tmp, "-q"]
        plan.write_text(PLAN)
        make(maker, packed, "sequences", rows, LENGTH)
        show("sluice-shuffle", [str(build / "bin/sluice-shuffle"), *ours, str(packed)], packed)
        wall = show("sluice-curriculum", [tool, *ours, "--report", str(report), str(plan)], packed)
        print(f"  {json.loads(report.read_text())['notes'] or 'nothing on the disk'}")
        show("sluice-curriculum --dry-run", [tool, "--dry-run", *ours, str(plan)], packed)
        packed.unlink()
        lines = work / "rows.txt"
        make(maker, lines, "lines", rows, LENGTH * 3)
        gnu = show("GNU sort, by score, then id",
                   ["sort", "-S", mem, "--parallel=1", "-T", tmp, "-t", "\t", "-k1,1", "-k2,2",
                    str(lines)], lines)
        print(f"  GNU sort / sluice-curriculum: {gnu / wall:.1f} x the time")
        lines.unlink()
        make(maker, packed, "sequences", N_SHORT, 8)
        wall = show(f"--dry-run, {N_SHORT} sequences", [tool, "--dry-run", *ours, str(plan)],
                    packed)
        print(f"  {N_SHORT / wall / 1e6:.1f} million sequences a second")


main()
