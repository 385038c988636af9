#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stage that only filters, between two pipes: GB/s of wall and of CPU time.

usage: pipe_bench.py [BUILD_DIR [RUNS]]

A stream of documents (about 600 MB) goes `cat | STAGE | cat > /dev/null` through
pipes as the system makes them. The stages take turns in each of RUNS [7] rounds,
and the medians count. Beside them stand the pipe's own limit (cat as the stage)
and filters over the same documents as JSON lines. The share of hashing is what
the two hash passes over as many bytes take alone. Nothing passes or fails here.

Aims: 1.5 GB/s or more; hashing at most 20 % of the stage's CPU time.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIES = 8
DOCS = 60000
FILTER = '''
import json, sys
for line in sys.stdin.buffer:
    if len(json.loads(line)["text"]) >= 10:
        sys.stdout.buffer.write(line)
'''


def pipe(path, stages):
    """Run the stages from a file to nowhere: wall seconds, CPU seconds of each."""
    pids, source = [], os.open(path, os.O_RDONLY)
    begin = time.monotonic()
    for i, stage in enumerate(stages):
        last = i == len(stages) - 1
        read, write = (None, os.open(os.devnull, os.O_WRONLY)) if last else os.pipe()
        pids.append(os.posix_spawnp(stage[0], stage, os.environ, file_actions=[
            (os.POSIX_SPAWN_DUP2, source, 0), (os.POSIX_SPAWN_DUP2, write, 1)]))
        os.close(source)
        os.close(write)
        source = read
    used = []
    for pid in pids:
        _, status, usage = os.wait4(pid, 0)
        if status:
            sys.exit(f"a stage failed: {stages}")
        used.append(usage.ru_utime + usage.ru_stime)
    return time.monotonic() - begin, used


def measure(rows, runs):
    """Median wall and CPU seconds of the middle stage, by name."""
    taken = {name: [] for name, _, _ in rows}
    for _ in range(runs):
        for name, path, stage in rows:
            wall, used = pipe(path, [["cat"], stage, ["cat"]])
            taken[name].append((wall, used[1]))
    return {name: [statistics.median(t[i] for t in all_) for i in (0, 1)]
            for name, all_ in taken.items()}


def make_input(build, work):
    small, big, lines = work / "small.arrows", work / "big.arrows", work / "small.jsonl"
    with open(small, "wb") as f:
        subprocess.run([build / "test/docs_sample", str(DOCS)], check=True, stdout=f)
    subprocess.run([build / "bin/sluice-cat", *[small] * COPIES, "-o", big], check=True)
    with open(lines, "wb") as f:
        subprocess.run([build / "bin/sluice-export", small], check=True, stdout=f)
    return big, lines


def show(rows, taken):
    print(f"{'':34} {'wall GB/s':>10} {'CPU GB/s':>10}")
    for name, path, _ in rows:
        size = os.path.getsize(path) / 1e9
        wall, cpu = taken[name]
        print(f"{name:34} {size / wall:10.2f} {size / cpu:10.2f}")


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release").resolve()
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    with tempfile.TemporaryDirectory() as tmp:
        big, lines = make_input(build, Path(tmp))
        drop = [str(build / "test/flow_map_drop"), "-m", "256"]
        rows = [("cat: the pipe's limit", big, ["cat"]),
                ("filter, drops 1 row in 256", big, drop),
                ("sluice-cat: checks and passes on", big, [str(build / "bin/sluice-cat")])]
        taken = measure(rows, runs)
        text = [("JSON lines, Python's json", lines, [sys.executable, "-c", FILTER])]
        if shutil.which("jq"):
            text.append(("JSON lines, jq -c select", lines,
                         ["jq", "-c", 'select((.text | length) >= 10)']))
        taken |= measure(text, 1)
        show(rows + text, taken)
        size = os.path.getsize(big)
    hashing = json.loads(subprocess.run([build / "bench/bench_hash"], check=True,
                                        stdout=subprocess.PIPE).stdout)
    both = (hashing["message_s_per_gb"] + hashing["digest_s_per_gb"]) * size / 1e9
    print(f"two hash passes: {1 / hashing['message_s_per_gb']:.0f} and "
          f"{1 / hashing['digest_s_per_gb']:.0f} GB/s, "
          f"{100 * both / taken[rows[1][0]][1]:.0f} % of the filter's CPU time (aim: 20 %)")


main()
