#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rule filters: megabytes of text a second of CPU time.

usage: filter_bench.py [BUILD_DIR [RUNS]]

The texts are those of data/filters/vectors, repeated to about 100 MB: English main
texts and whole pages, and 271 texts in 28 languages. sluice-filter annotates with
its default profile, from a file to /dev/null; reading and writing the stream are
part of it. sluice-cat beside it is what the stream alone costs. The median of RUNS
[5] counts.

datatrove's GopherQualityFilter runs over the English texts where it is installed;
else the figure that was measured with version 0.10.1 on another machine stands
there. Its words are spaCy's. Nothing passes or fails here; the aim is 150 MB/s.
"""
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SLUICE_SHARED", ROOT.parent / "shared"))
DOCS = SHARED / "data/filters/vectors/docs.jsonl.zst"
BYTES = 100_000_000
MEASURED = 0.58  # MB/s, datatrove 0.10.1, 700 English documents of 10 kB


def read_docs():
    try:
        import zstandard
    except ImportError:
        sys.exit("left out: no zstandard in this Python")
    if not DOCS.exists():
        sys.exit(f"left out: {DOCS} is not there")
    with open(DOCS, "rb") as f:
        text = zstandard.ZstdDecompressor().stream_reader(f).read()
    docs = [json.loads(line) for line in text.splitlines()]
    return {"English web": [d["text"] for d in docs if d["id"][:2] in ("w-", "p-")],
            "28 languages": [d["text"] for d in docs if d["id"].startswith("m-d-")]}


def make_stream(build, texts, path):
    """WET records of the texts, again and again; returns the bytes of text."""
    out, n, i = io.BytesIO(), 0, 0
    bodies = [t.encode() for t in texts]
    while n < BYTES:
        body = bodies[i % len(bodies)]
        out.write(b"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Date: 2024-05-19T00:00:00Z\r\n"
                  b"WARC-Record-ID: <urn:%d>\r\nContent-Type: text/plain\r\n"
                  b"Content-Length: %d\r\n\r\n%s\r\n\r\n" % (i, len(body), body))
        n, i = n + len(body), i + 1
    subprocess.run([build / "bin/sluice-warc", "--source", "bench", "-o", path],
                   input=out.getvalue(), check=True)
    return n


def cpu_seconds(command):
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"failed: {command}")
    return usage.ru_utime + usage.ru_stime


def datatrove(texts):
    """MB/s of its filter alone, over the texts once; None where it is not installed."""
    try:
        from datatrove.data import Document
        from datatrove.pipeline.filters import GopherQualityFilter
        rule = GopherQualityFilter()
        rule.filter(Document(text="Warm up the tokenizer.", id="0"))
    except Exception:  # its own imports fail in many ways
        return None
    docs = [Document(text=t, id=str(i)) for i, t in enumerate(texts)]
    begun = time.process_time()
    for d in docs:
        rule.filter(d)
    return sum(len(t.encode()) for t in texts) / 1e6 / (time.process_time() - begun)


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else "build/release").resolve()
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    docs = read_docs()
    ours = {}
    print(f"{'text':14} {'sluice-filter':>14} {'sluice-cat':>11}   (MB/s of CPU time)")
    with tempfile.TemporaryDirectory() as work:
        for name, texts in docs.items():
            path = Path(work) / "docs.arrows"
            path.unlink(missing_ok=True)
            n = make_stream(build, texts, path) / 1e6
            taken = {"filter": [], "cat": []}
            command = [build / "bin/sluice-filter", "--annotate", path]
            for _ in range(runs):
                taken["filter"].append(cpu_seconds(command))
                taken["cat"].append(cpu_seconds([build / "bin/sluice-cat", path]))
            ours[name] = n / statistics.median(taken["filter"])
            print(f"{name:14} {ours[name]:14.0f} {n / statistics.median(taken['cat']):11.0f}")
    theirs = datatrove(docs["English web"])
    label = "here" if theirs else "not installed; measured elsewhere"
    theirs = theirs or MEASURED
    print(f"datatrove GopherQualityFilter, English: {theirs:.2f} MB/s ({label}); "
          f"ours is {ours['English web'] / theirs:.0f} times that")


main()
