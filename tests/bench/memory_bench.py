#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peak memory of every streaming tool on a little and on much input.

usage: memory_bench.py [BUILD_DIR [SMALL_MB LARGE_MB]]

Each tool reads about SMALL_MB [100] and then LARGE_MB [2000] of its own kind of
input through a pipe; the same documents again and again, so that the largest one
is equally large. The peak is what the tool itself reports (--report). Prints a
table; nothing passes or fails here. tests/pipeline/way_memory_test.py is the short
form that does.

Aims: flat; five stages of a pipe under 500 MB.
"""
import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = b"<p>" + b"A paragraph with <b>some</b> words of a page &amp; more. " * 12 + b"</p>\n"


class Feed:
    """Input of about `size` bytes, written to a pipe piece by piece."""

    def __init__(self, build, work, size):
        self.build, self.work, self.size = build, work, size

    def commands(self, kind):
        """Commands whose pipe writes the input."""
        bin_, test = self.build / "bin", self.build / "test"
        if kind == "warc":
            return [[sys.executable, __file__, "warc", str(self.size)]]
        if kind == "pages":
            return self.commands("warc") + [[bin_ / "sluice-warc"]]
        docs = [test / "docs_sample", str(max(1, self.size // 1270))]
        if kind == "docs":
            return [docs]
        if kind == "tokens":
            return [[test / "docs_sample", str(max(1, self.size // 3000))],
                    [bin_ / "sluice-tokenize"]]
        return self.commands("tokens") + [[bin_ / "sluice-pack", "--length", "2048"]]


def warc(size):
    """A crawl of pages of 2 to 60 KB, of `size` compressed bytes. Its gzip members
    repeat; most are stored, since so much deflated content would take long."""
    members = []
    for i in range(64):
        html = b"<html><title>Page</title><body>" + PAGE * (3 + i * i % 80) + b"</body></html>"
        block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + html
        head = (f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Date: 2024-05-19T00:00:00Z\r\n"
                f"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{i:012d}>\r\n"
                f"WARC-Target-URI: https://example.org/{i}\r\n"
                f"Content-Type: application/http; msgtype=response\r\n"
                f"Content-Length: {len(block)}\r\n\r\n").encode()
        members.append(gzip.compress(head + block + b"\r\n\r\n", i % 8 == 0, mtime=0))
    done = 0
    while done < size:
        for member in members:
            sys.stdout.buffer.write(member)
            done += len(member)


def peak(feed, kind, command):
    """Peak memory of a command in bytes, at the end of the feed's pipe."""
    report = feed.work / "report.json"
    procs, last = [], None
    for args in feed.commands(kind):
        procs.append(subprocess.Popen(list(map(str, args)), stdin=last, stdout=subprocess.PIPE))
        if last:
            last.close()
        last = procs[-1].stdout
    procs.append(subprocess.Popen([*map(str, command), "--report", report], stdin=last,
                                  stdout=subprocess.DEVNULL))
    last.close()
    codes = [p.wait() for p in procs]
    if any(codes):
        raise RuntimeError(f"{command}: exit codes {codes}")
    told = json.loads(report.read_text())
    return told["peak_memory_bytes"], told["bytes_in"]


def tools(build, work):
    """Name, kind of input, command of every tool that streams."""
    b = build / "bin"
    yield "sluice-warc", "warc", [b / "sluice-warc"]
    yield "sluice-extract", "pages", [b / "sluice-extract"]
    yield "sluice-cat", "docs", [b / "sluice-cat"]
    yield "sluice-cat --rebatch", "docs", [b / "sluice-cat", "--rebatch"]
    yield "sluice-export", "docs", [b / "sluice-export"]
    yield "sluice-tokenize", "docs", [b / "sluice-tokenize"]
    yield "sluice-tokenize -T4", "docs", [b / "sluice-tokenize", "-T", "4"]
    yield "sluice-pack", "tokens", [b / "sluice-pack", "--length", "2048"]
    yield "sluice-shard", "sequences", [b / "sluice-shard", "--sequences", "16384", "-f", "-o",
                                        work / "shards"]


def main():
    if sys.argv[1:2] == ["warc"]:
        return warc(int(sys.argv[2]))
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release").resolve()
    small, large = (int(a) * 10**6 for a in (sys.argv[2:4] or (100, 2000)))
    chain = 0
    with tempfile.TemporaryDirectory() as tmp:
        work = Path(tmp)
        print(f"{'':22} {'input':>14} {'peak':>8} {'input':>14} {'peak':>8}")
        for name, kind, command in tools(build, work):
            row = [peak(Feed(build, work, size), kind, command) for size in (small, large)]
            print(f"{name:22} " + " ".join(f"{n / 1e6:11.0f} MB {p / 1e6:5.1f} MB"
                                           for p, n in row), flush=True)
            if name.split()[-1] in ("sluice-warc", "sluice-extract", "sluice-tokenize",
                                    "sluice-pack", "sluice-shard"):
                chain += row[1][0]
    print(f"the five stages of the chain: {chain / 1e6:.0f} MB (aim: 500 MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
