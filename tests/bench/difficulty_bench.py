#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scores of sluice-difficulty, each alone and all together, beside others.

usage: difficulty_bench.py [BUILD_DIR [MEGABYTES]]

The texts of the shared data (filter vectors, main texts of WCXB) are repeated to
MEGABYTES [100] of text. MB/s is text by CPU time of the whole process, which reads,
checks and writes the stream too: sluice-cat, which does nothing else, is the limit. The
best of three runs counts, of each. Beside it, in the same run and on a part of the same texts:
zstd -3 on every 4 KiB (python-zstandard, whose time is the library's), and means of words
and sentences by regular expressions, as readability packages for Python have them.
Nothing passes or fails here.

Aim: 100 MB/s for all four metrics together.
"""
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SLUICE_SHARED", ROOT.parent / "shared")) / "data"
ALL = "compression,length,word_length,sentence_length"
WINDOW = 4096


def unpack(path):
    return subprocess.run(["zstd", "-dcq", SHARED / path], check=True,
                          stdout=subprocess.PIPE).stdout


def texts():
    for line in unpack("filters/vectors/docs.jsonl.zst").splitlines():
        yield json.loads(line)["text"]
    with tarfile.open(fileobj=io.BytesIO(unpack("extract/wcxb-dev.tar.zst"))) as tar:
        for member in tar:
            if member.name.endswith(".json"):
                yield json.load(tar.extractfile(member))["ground_truth"].get("main_content", "")


def write_wet(path, blocks, total):
    """WET records of the blocks, over and over; returns the bytes of text."""
    n = done = 0
    with path.open("wb") as f:
        while done < total:
            for block in blocks:
                f.write(b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Type: text/plain\r\n"
                        b"WARC-Date: 2026-01-01T00:00:00Z\r\nWARC-Record-ID: <urn:bench:%d>\r\n"
                        b"Content-Length: %d\r\n\r\n%b\r\n\r\n" % (n, len(block), block))
                n += 1
                done += len(block)
    return done


def cpu_seconds(command):
    best = float("inf")
    for _ in range(3):
        with open(os.devnull, "wb") as null:
            p = subprocess.Popen(command, stdout=null)
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
        if status:
            sys.exit(f"failed: {command}")
        best = min(best, usage.ru_utime + usage.ru_stime)
    return best


def zstd_windows():
    import zstandard
    squeeze = zstandard.ZstdCompressor(level=3).compress

    def work(text):
        data = text.encode()
        return sum(len(squeeze(data[i:i + WINDOW])) for i in range(0, len(data), WINDOW))
    return work


def python_means(text):
    words = [w for w in text.split() if any(map(str.isalnum, w))]
    ends = len(re.findall(r"[.!?…。！？]+[\"')\]}»”’]*(?:\s|$)", text)) or 1
    return sum(map(len, words)) / (len(words) or 1), len(words) / ends


def say(name, megabytes, seconds):
    print(f"{name:52} {megabytes / seconds:6.0f} MB/s")


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release")
    total = float(sys.argv[2] if len(sys.argv) > 2 else 100) * 1e6
    if not (SHARED / "filters").is_dir():
        print("skipped: no shared data (SLUICE_SHARED says where it is)")
        return
    some = list(texts())
    with tempfile.TemporaryDirectory() as tmp:
        wet, docs = Path(tmp) / "texts.wet", Path(tmp) / "docs.arrows"
        size = write_wet(wet, [t.encode() for t in some], total) / 1e6
        subprocess.run([build / "bin/sluice-warc", "--type", "conversion", wet, "-o", docs],
                       check=True)
        wet.unlink()
        say("sluice-cat, which scores nothing", size,
            cpu_seconds([build / "bin/sluice-cat", docs]))
        for metrics in (*ALL.split(","), ALL):
            say(f"sluice-difficulty --metric {metrics}".replace(ALL, "(all)"), size,
                cpu_seconds([build / "bin/sluice-difficulty", "--metric", metrics, docs]))
    others = [("words and sentences in Python (re)", python_means)]
    try:
        others.insert(0, ("zstd -3, each 4 KiB (python-zstandard)", zstd_windows()))
    except ImportError:
        print("zstandard: not installed")
    part = [t for t in some if t]
    size = sum(len(t.encode()) for t in part) / 1e6
    for name, work in others:
        best = float("inf")
        for _ in range(3):
            begin = time.process_time()
            for text in part:
                work(text)
            best = min(best, time.process_time() - begin)
        say(name, size, best)


main()
