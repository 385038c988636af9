#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The HTML tokenizer and text extraction on the pages of WCXB, beside others.

usage: html_bench.py [BUILD_DIR [SECONDS]]

The pages of the shared data are unpacked and read first; each program then works
through all of them for about SECONDS [3], on one core, and its best round counts.
Others, where they are installed: lexbor (selectolax) parses to a tree, Resiliparse
parses with lexbor too and extracts its plain text; both take decoded text, since
that is their interface, so decoding is outside their time. They do more than a
tokenizer and less than ours: the figures show scale, not rank. Nothing passes or
fails here.

Aim: 700 MB/s for the tokenizer.
"""
import gzip
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SLUICE_SHARED", ROOT.parent / "shared"))
PAGES = SHARED / "data/extract/wcxb-dev.tar.zst"


def pages():
    tar = subprocess.run(["zstd", "-dcq", PAGES], check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as t:
        return [gzip.decompress(t.extractfile(m).read()) for m in t
                if m.name.endswith(".html.gz")]


def others():
    """Name, function of a page's text."""
    try:
        from selectolax.lexbor import LexborHTMLParser
        yield "lexbor (selectolax): tree", LexborHTMLParser
    except ImportError:
        print("lexbor (selectolax): not installed")
    try:
        from resiliparse.extract.html2text import extract_plain_text
        from resiliparse.parse.html import HTMLTree
        yield "Resiliparse: tree", HTMLTree.parse
        yield ("Resiliparse: tree and main text",
               lambda text: extract_plain_text(HTMLTree.parse(text), main_content=True))
    except ImportError:
        print("Resiliparse: not installed")


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release")
    seconds = sys.argv[2] if len(sys.argv) > 2 else "3"
    if not PAGES.exists():
        print(f"skipped: no {PAGES.name} (SLUICE_SHARED says where the shared data is)")
        return
    all_ = pages()
    with tempfile.TemporaryDirectory() as tmp:
        for i, page in enumerate(all_):
            (Path(tmp) / f"{i:05}.html").write_bytes(page)
        subprocess.run([build / "bench/bench_html", tmp, seconds], check=True)
    size = sum(map(len, all_)) / 1e6
    texts = [page.decode("utf-8", "replace") for page in all_]
    for name, work in others():
        begin = time.process_time()
        for text in texts:
            work(text)
        print(f"{name:34} {size / (time.process_time() - begin):6.0f} MB/s")


main()
