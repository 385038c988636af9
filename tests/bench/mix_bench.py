#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mixing beside sluice-cat, which passes the batches of the same files on as they are.

usage: mix_bench.py [BUILD_DIR [MEGABYTES [TMPDIR]]]

MEGABYTES [600] of sequences of 2,048 tokens in three files, and as much of documents; then the
sequences in a thousand sources, with all the memory and with 400 MB. Output is thrown away.
Nothing passes or fails.
"""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LENGTH, TEXT, MANY = 2048, 2000, 1000


def show(name, args, megabytes):
    """Wall and CPU seconds, rates and peak memory of a command; gives the CPU seconds."""
    begin = time.monotonic()
    pid = os.posix_spawnp(args[0], args, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"failed: {args}")
    wall, cpu = time.monotonic() - begin, usage.ru_utime + usage.ru_stime
    print(f"{name:44} {wall:6.2f} s {cpu:6.2f} s CPU {megabytes / wall:6.0f} MB/s "
          f"{megabytes / cpu:6.0f} MB/s of CPU {usage.ru_maxrss * 1024 / 1e6:5.0f} MB", flush=True)
    return cpu


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release").resolve()
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else 600
    maker, tool, cat = (str(build / n) for n in ("bench/bench_sort", "bin/sluice-mix",
                                                 "bin/sluice-cat"))
    with tempfile.TemporaryDirectory(dir=sys.argv[3] if len(sys.argv) > 3 else None) as tmp:
        def make(name, kind, rows, size):
            path = Path(tmp) / name
            with open(path, "wb") as f:
                subprocess.run([maker, kind, str(rows), str(size)], stdout=f, check=True)
            return str(path)
        for what, kind, size, row in (("sequences", "sequences", LENGTH, LENGTH * 3 + 60),
                                      ("documents", "stream", TEXT, TEXT + 30)):
            files = [make(f"{kind}-{k}", kind, megabytes * 10**6 // row // 3, size)
                     for k in range(3)]
            mb = sum(map(os.path.getsize, files)) / 1e6
            a = show(f"{what}: sluice-cat", [cat, "-q", *files], mb)
            ours = [tool, "-q", "--weights", "7,2,1", "--when-empty", "redistribute"]
            b = show(f"{what}: sluice-mix", [*ours, *files], mb)
            show(f"{what}: sluice-mix, the last repeated",
                 [*ours[:-1], "stop,c=repeat"] + [f"{n}={f}" for n, f in zip("abc", files)], mb)
            if kind == "stream":
                show(f"{what}: sluice-mix --by bytes", [*ours, "--by", "bytes", *files], mb)
            print(f"{what}: {b / a:.1f} x the CPU time of sluice-cat")
            for f in files:
                os.unlink(f)
        rows = megabytes * 10**6 // (LENGTH * 3 + 60) // MANY
        path = make("part", "sequences", max(rows, 1), LENGTH)
        mb = os.path.getsize(path) * MANY / 1e6
        for mem in ("2G", "400M"):
            show(f"{MANY} sources, --mem {mem}", [tool, "-q", "--mem", mem, "--tmpdir", tmp] +
                 [path] * MANY, mb)


main()
