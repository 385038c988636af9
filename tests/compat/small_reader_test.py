#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/stream.md is enough to write a reader: small_reader.py, of some sixty lines,
was, and sees the rows that sluice-export sees and every damage that it should.

usage: small_reader_test.py BUILD_DIR
"""
import json
import subprocess
import sys
from pathlib import Path

READER = Path(__file__).with_name("small_reader.py")
BUILD = Path(sys.argv[1]).resolve()
failed = []


def read(stream):
    return subprocess.run([sys.executable, READER], input=stream, capture_output=True)


def check(name, ok, what=""):
    print(("ok " if ok else "FAIL ") + name, what if not ok else "")
    failed.extend([] if ok else [name])
    return 1


def main():
    try:
        import xxhash  # noqa: F401
    except ImportError as e:
        print(f"skipped: the small reader: {e}")
        sys.exit(77)
    docs = subprocess.run([BUILD / "test/docs_sample", "300"], capture_output=True).stdout
    said = read(docs)
    rows = [json.loads(line) for line in said.stdout.splitlines()]
    names = list(rows[0]) if rows else []
    export = subprocess.run([BUILD / "bin/sluice-export", "--columns", ",".join(names)],
                            input=docs, capture_output=True).stdout
    n = check("the rows of sluice-export", rows == [json.loads(r) for r in export.splitlines()]
              and len(rows) == 300 and "text" in names, said.stderr)
    for at in (100, len(docs) // 2, len(docs) - 20):
        bad = docs[:at] + bytes([docs[at] ^ 1]) + docs[at + 1:]
        n += check(f"a flipped bit at {at}", read(bad).returncode != 0)
        n += check(f"cut at {at}", read(docs[:at]).returncode != 0)
    n += check("two streams glued", read(docs + docs).returncode != 0)
    n += check("no end", read(docs[:-8]).returncode != 0)
    failing = subprocess.run([BUILD / "bin/sluice-cat"], input=docs[:-8], capture_output=True)
    n += check("a failed stage", b"sluice-cat" in read(failing.stdout).stderr)
    print(f"{n - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)


main()
