#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A curriculum beside a plain shuffle of the same sequences, in the same memory.

usage: curriculum_bench.py [BUILD_DIR [MEGABYTES [TMPDIR]]]

MEGABYTES [1000] of sequences of 2,048 tokens, 256 MB of memory; output is thrown away. The
plan draws a fifth from a growing pool, then shuffles what is left. Nothing passes or fails.
"""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LENGTH = 2048
PLAN = """sources: {all: {path: packed.arrows}}
stages:
  - name: warm-up
    until: 20%
    order: {by: id, pacing: root, start: 10%, background: 20%}
  - {name: main, order: shuffle}
"""


def show(name, args, path):
    """Wall and CPU seconds, rate and peak memory of a command."""
    begin = time.monotonic()
    pid = os.posix_spawnp(args[0], args, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"failed: {args}")
    wall, cpu = time.monotonic() - begin, usage.ru_utime + usage.ru_stime
    print(f"{name:32} {wall:7.2f} s {cpu:7.2f} s CPU {os.path.getsize(path) / 1e6 / wall:6.0f} "
          f"MB/s {usage.ru_maxrss * 1024 / 1e6:5.0f} MB", flush=True)


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release").resolve()
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    with tempfile.TemporaryDirectory(dir=sys.argv[3] if len(sys.argv) > 3 else None) as tmp:
        packed, plan = Path(tmp) / "packed.arrows", Path(tmp) / "plan.yaml"
        rows = megabytes * 10**6 // (LENGTH * 3 + 60)
        with open(packed, "wb") as f:
            subprocess.run([build / "bench/bench_sort", "sequences", str(rows), str(LENGTH)],
                           stdout=f, check=True)
        plan.write_text(PLAN)
        tool = str(build / "bin/sluice-curriculum")
        ours = ["--mem", "256M", "--tmpdir", tmp, "-q"]
        show("sluice-shuffle", [str(build / "bin/sluice-shuffle"), *ours, str(packed)], packed)
        show("sluice-curriculum", [tool, *ours, str(plan)], packed)
        show("sluice-curriculum --dry-run", [tool, "--dry-run", *ours, str(plan)], packed)


main()
