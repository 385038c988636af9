#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exact deduplication: MB/s of text in CPU time, peak memory, beside others.

usage: dedup_bench.py [BUILD_DIR [MEGABYTES [RUNS]]]

A file of MEGABYTES [400] of documents of about 1.6 KB, one of five a duplicate of
one before, goes through every form of sluice-dedup --exact to /dev/null; so do the
same documents through others that do as much: polars (unique on the text column, one
thread, everything in memory), a Python loop over XXH3, and awk on lines. The rivals
read the stream or lines from memory or file and write nothing, or as awk, lines. They
take turns in each of RUNS [3] rounds, and the medians count. Then memory on many short
texts, where the table counts. Nothing passes or fails here.

Aims: 800 MB/s on one core; memory by --mem.
"""
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

POLARS = '''
import io, sys, time
import polars, pyarrow.ipc
table = pyarrow.ipc.open_stream(open(sys.argv[1], "rb")).read_all()
polars.from_arrow(table).unique(subset="text", keep="first", maintain_order=True)
'''
PYTHON = '''
import sys
import pyarrow.ipc, xxhash
seen = {}
for batch in pyarrow.ipc.open_stream(open(sys.argv[1], "rb")):
    for text, name in zip(batch.column("text"), batch.column("id")):
        seen.setdefault(xxhash.xxh3_128_digest(text.as_buffer()), name)
'''


def wet(n, text):
    return (b"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <urn:x:%d>\r\n"
            b"WARC-Target-URI: http://example.org/%d\r\nWARC-Date: 2025-03-%02dT12:00:00Z\r\n"
            b"Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n"
            % (n, n % 977, 1 + n % 28, len(text), text))


def make(build, path, n_docs, size):
    """Documents of about `size` bytes; every fifth repeats one of the last 50,000."""
    draw = random.Random(1)
    words = b" ".join(b"%x" % draw.randrange(1 << draw.randrange(4, 40)) for _ in range(200000))
    starts, total = [], 0
    with path.open("wb") as f:
        p = subprocess.Popen([build / "bin/sluice-warc", "--source", "x"], stdin=subprocess.PIPE,
                             stdout=f)
        for i in range(n_docs):
            if i % 5 == 4:
                at, k = starts[-draw.randrange(1, min(len(starts), 50000) + 1)]
            else:
                at, k = draw.randrange(len(words) - 2 * size), i
                starts.append((at, k))
            text = b"%d " % k + words[at:at + size + at % size - size // 2]
            total += len(text)
            p.stdin.write(wet(i, text))
        p.stdin.close()
        if p.wait():
            sys.exit("sluice-warc failed")
    return total


def run(command, out=subprocess.DEVNULL):
    """CPU seconds, wall seconds, peak bytes: what our tools say themselves, since what the
    system says of a process counts what this one had before that began."""
    report = None
    if "sluice" in str(command[0]):
        report = tempfile.NamedTemporaryFile("r")
        command = [*command, "-f", "--report", report.name]
    begin = time.monotonic()
    p = subprocess.Popen(list(map(str, command)), stdout=out,
                         env=dict(os.environ, POLARS_MAX_THREADS="1"))
    _, status, usage = os.wait4(p.pid, 0)
    if status:
        sys.exit(f"failed: {command}")
    wall = time.monotonic() - begin
    peak = usage.ru_maxrss * 1024
    if report:
        peak = json.loads(Path(report.name).read_text())["peak_memory_bytes"]
    return usage.ru_utime + usage.ru_stime, wall, peak


def forms(build, path, lines, small):
    tool = [build / "bin/sluice-dedup", "--exact"]
    yield "sluice-cat, for comparison", [build / "bin/sluice-cat", path]
    yield "--exact", [*tool, path]
    yield "--exact --rejects", [*tool, path, "--rejects", "/dev/null"]
    yield "--normalize simple", [*tool, path, "--normalize", "simple"]
    yield f"--mem {small}, full in the middle", [*tool, path, "--mem", small]
    yield "--prefer 'date desc, url'", [*tool, path, "--prefer", "date desc, url"]
    yield "--annotate", [*tool, path, "--annotate"]
    yield "polars unique, one thread", [sys.executable, "-c", POLARS, path]
    yield "Python, xxhash and a dict", [sys.executable, "-c", PYTHON, path]
    yield "awk '!seen[$0]++'", ["awk", "!seen[$0]++", lines]


def write_lines(build, path, lines):
    with lines.open("wb") as f:
        run([build / "bin/sluice-export", "--columns", "text", path], f)


def memory(build, work):
    """The table at work: short texts, all different."""
    path, n = work / "short.arrows", 1000000
    make(build, path, n, 30)
    print(f"\nmemory on {n} short documents, --mem and peak in MiB:", end="")
    for mem in (8, 16, 64, 1024):
        for more in ([], ["--annotate"]):
            peak = run([build / "bin/sluice-dedup", "--exact", "--mem", f"{mem}M", *more, path])[2]
            print(f"  {mem}M {' '.join(more)} {peak / 2**20:.0f}", end=";")
    print()


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release").resolve()
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else 400
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        path, lines = work / "docs.arrows", work / "docs.jsonl"
        n_docs = megabytes * 1000000 // 1600
        total = make(build, path, n_docs, 1600)
        write_lines(build, path, lines)
        small = f"{max(4, n_docs * 40 // 2 >> 20)}M"
        print(f"{n_docs} documents, {total / 1e6:.0f} MB of text; medians of {rounds}")
        taken = {}
        for _ in range(rounds):
            for name, command in forms(build, path, lines, small):
                taken.setdefault(name, []).append(run(command))
        base = None
        for name, runs in taken.items():
            cpu, wall, peak = (statistics.median(r[i] for r in runs) for i in range(3))
            base = cpu if name == "--exact" else base
            ratio = f"{cpu / base:6.2f} x the CPU time" if base else ""
            print(f"{name:38} {total / cpu / 1e6:6.0f} MB/s of CPU time, {total / wall / 1e6:6.0f} "
                  f"of wall, {peak / 2**20:5.0f} MiB {ratio}")
        memory(build, work)


main()
