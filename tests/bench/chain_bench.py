#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole chain, WARC.gz to shards, on the WCXB pages: pages and megabytes for
each second of processor time, stage by stage, and each stage's peak memory.
Prints a table and is never a pass or fail.

usage: chain_bench.py [BUILD_DIR]
"""
import gzip
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SLUICE_SHARED", ROOT.parent / "shared"))
PAGES = SHARED / "data/extract/wcxb-dev.tar.zst"


def pages():
    """The pages of the archive, in the order of their names."""
    out = subprocess.run(["zstd", "-dcq", PAGES], check=True, stdout=subprocess.PIPE).stdout
    with tempfile.TemporaryFile() as f:
        f.write(out)
        f.seek(0)
        with tarfile.open(fileobj=f) as tar:
            members = sorted((m for m in tar if m.name.endswith(".html.gz")), key=lambda m: m.name)
            for m in members:
                yield m.name, gzip.decompress(tar.extractfile(m).read())


def record(kind, number, uri, block, content_type):
    head = (f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Date: 2024-05-19T00:00:00Z\r\n"
            f"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012d}>\r\n"
            f"WARC-Target-URI: {uri}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(block)}\r\n\r\n")
    return gzip.compress(head.encode() + block + b"\r\n\r\n", 6, mtime=0)


def make_warc(path):
    """A crawl in the shape of Common Crawl's: request, response, metadata."""
    n, content = 0, 0
    with open(path, "wb") as f:
        for name, html in pages():
            uri = f"https://example.org/{name}"
            http = (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: "
                    + str(len(html)).encode() + b"\r\n\r\n" + html)
            request = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"
            f.write(record("request", 3 * n, uri, request, "application/http; msgtype=request"))
            f.write(record("response", 3 * n + 1, uri, http, "application/http; msgtype=response"))
            f.write(record("metadata", 3 * n + 2, uri, b"fetchTimeMs: 1\r\n",
                           "application/warc-fields"))
            n += 1
            content += len(html)
    return n, content


def run_chain(bin_dir, warc, work):
    stages = [
        ["sluice-warc", warc],
        ["sluice-extract"],
        ["sluice-tokenize"],
        ["sluice-pack", "--length", "2048"],
        ["sluice-shard", "--sequences", "16384", "-f", "-o", work / "shards"],
    ]
    procs, last = [], subprocess.DEVNULL
    for i, args in enumerate(stages):
        out = None if i == len(stages) - 1 else subprocess.PIPE
        command = [bin_dir / args[0], *args[1:], "--report", work / f"{i}.json"]
        procs.append(subprocess.Popen(command, stdin=last, stdout=out))
        last = procs[-1].stdout
    codes = [p.wait() for p in procs]
    if any(codes):
        sys.exit(f"a stage failed: {codes}")
    return [json.loads((work / f"{i}.json").read_text()) for i in range(len(stages))]


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release")
    if not PAGES.exists():
        sys.exit(f"skipped: no {PAGES.name} (SLUICE_SHARED says where the shared data is)")
    with tempfile.TemporaryDirectory() as tmp:
        work = Path(tmp)
        n, content = make_warc(work / "crawl.warc.gz")
        print(f"{n} pages, {content / 1e6:.0f} MB of HTML, {content / n / 1e3:.0f} kB a page")
        reports = run_chain(build / "bin", work / "crawl.warc.gz", work)
    cpu = sum(r["cpu_seconds"] for r in reports)
    for r in reports:
        rate = content / 1e6 / r["cpu_seconds"]
        print(f"{r['tool']:16} {r['cpu_seconds']:6.2f} CPU s  {rate:7.0f} MB of HTML a CPU s  "
              f"{r['peak_memory_bytes'] / 1e6:5.0f} MB of memory")
    memory = sum(r["peak_memory_bytes"] for r in reports) / 1e6
    print(f"chain            {cpu:6.2f} CPU s  {n / cpu:.0f} pages a CPU second (trafilatura "
          f"alone: 31), {memory:.0f} MB of memory in all")


main()
