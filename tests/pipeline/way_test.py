#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""The whole way, WARC to shards, on real records: equal bytes for any number of
threads, equal digests for any partition, and what happens when a stage dies.

usage: way_test.py BUILD_DIR
"""
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SLUICE_SHARED", ROOT.parent / "shared"))
WARCS = SHARED / "data/warc"
BIN = Path(sys.argv[1]).resolve() / "bin"

counts = {"passed": 0, "failed": 0, "skipped": 0}


def check(name, ok, what=""):
    counts["passed" if ok else "failed"] += 1
    if not ok:
        print(f"FAIL {name} {what}")


def run(*args, stdin=b"", code=0):
    p = subprocess.run([BIN / args[0], *map(str, args[1:])], input=stdin, capture_output=True)
    if p.returncode != code:
        check(" ".join(map(str, args)), False, f"exit {p.returncode}: {p.stderr.decode()}")
    return p


def out(*args, stdin=b""):
    return run(*args, stdin=stdin).stdout


def rows(stream, *args):
    text = out("sluice-export", *args, stdin=stream).decode()
    return [json.loads(line) for line in text.splitlines()]


def made_warc(n, size=20000, first=0):
    """A crawl of n pages, a gzip member a record."""
    parts = []
    for i in range(first, first + n):
        body = f"<html><title>Page {i}</title><p>{'word %d ' % i * (size // 10)}</p>".encode()
        block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + body
        head = (f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Date: 2024-05-19T00:00:00Z\r\n"
                f"WARC-Record-ID: <urn:test:{i}>\r\nWARC-Target-URI: https://example.org/{i}\r\n"
                f"Content-Type: application/http; msgtype=response\r\n"
                f"Content-Length: {len(block)}\r\n\r\n").encode()
        parts.append(gzip.compress(head + block + b"\r\n\r\n", 1, mtime=0))
    return parts


def docs_of(warc, *args):
    return out("sluice-extract", *args, stdin=out("sluice-warc", "--source", "t", stdin=warc))


def sequences_of(docs, length=256):
    return out("sluice-pack", "--length", length, stdin=out("sluice-tokenize", stdin=docs))


def test_way(tmp):
    warc = b"".join(made_warc(50))
    docs = docs_of(warc)
    check("the text is there", rows(docs)[7]["title"] == "Page 7")
    check("-T4 gives the same bytes", docs == docs_of(warc, "-T4"))
    check("-T8 gives the same bytes", docs == docs_of(warc, "-T8"))
    seqs = sequences_of(docs)
    run("sluice-shard", "--sequences", 100, "-o", tmp / "s", stdin=seqs)
    run("sluice-verify", tmp / "s")
    text = b"".join(r["text"].encode() + b"\0" for r in rows(docs))
    tokens = [t for r in rows(seqs) for t, m in zip(r["tokens"], r["loss_mask"]) if m]
    check("tokens rebuild the text", bytes(0 if t == 256 else t for t in tokens) == text)


def test_real(tmp):
    if not WARCS.exists():
        counts["skipped"] += 1
        print(f"SKIPPED: real WARC files: no {WARCS.name} (SLUICE_SHARED)")
        return
    docs = docs_of((WARCS / "whirlwind.warc.gz").read_bytes())
    check("a real page", rows(docs)[0]["title"].startswith("Escopete"), rows(docs)[0]["title"])
    wet = rows(out("sluice-warc", WARCS / "whirlwind.warc.wet.gz"))[0]
    page = rows(out("sluice-warc", WARCS / "whirlwind.warc.gz"), "--columns", "id,source_id")[0]
    check("WET names its page", wet["refers_to"] == page["source_id"])
    joined = rows(out("sluice-warc", "--id", "refers-to", WARCS / "whirlwind.warc.wet.gz"))[0]
    check("WET joins WARC by id", joined["id"] == page["id"])
    both = [WARCS / "whirlwind.warc.gz", WARCS / "whirlwind.warc.wet.gz"]
    p = run("sluice-warc", "-v", *both)
    check("records of the other sort are counted", b"skipped_sort 1" in p.stderr, p.stderr)


def test_partitions(tmp):
    parts = made_warc(40)
    (tmp / "all.warc.gz").write_bytes(b"".join(parts))
    (tmp / "a.warc.gz").write_bytes(b"".join(parts[:13]))
    (tmp / "b.warc.gz").write_bytes(b"".join(parts[13:]))
    # source and offset differ by partition, so compare what the pages say
    columns = "id,url,text,title"
    whole = rows(out("sluice-extract", stdin=out("sluice-warc", tmp / "all.warc.gz")),
                 "--columns", columns)
    for name in "ab":
        pages = out("sluice-warc", tmp / f"{name}.warc.gz")
        run("sluice-extract", "-o", tmp / f"{name}.arrows", stdin=pages)
    joined = out("sluice-cat", tmp / "a.arrows", tmp / "b.arrows")
    check("partitions joined are the whole", rows(joined, "--columns", columns) == whole)
    one = out("sluice-warc", tmp / "a.warc.gz", tmp / "b.warc.gz")
    (tmp / "one.arrows").write_bytes(out("sluice-extract", stdin=one))
    (tmp / "joined.arrows").write_bytes(joined)
    (tmp / "packed.arrows").write_bytes(out("sluice-cat", "--compress=5", tmp / "one.arrows"))
    run("sluice-verify", "--same", tmp / "one.arrows", tmp / "joined.arrows")
    run("sluice-verify", "--same", tmp / "one.arrows", tmp / "packed.arrows")
    run("sluice-verify", "--same", tmp / "a.arrows", tmp / "b.arrows", code=1)
    data = (tmp / "one.arrows").read_bytes()
    check("a gzipped stream is read", out("sluice-cat", stdin=gzip.compress(data)) == out(
        "sluice-cat", stdin=data))


def test_rejects(tmp):
    warc = b"".join(made_warc(5, 200) + made_warc(1, 100000, 77) + made_warc(3, 200, 10))
    p = run("sluice-warc", "--source", "t", "--max-doc", "4K", "--rejects", tmp / "r.arrows",
            "--report", tmp / "r.json", stdin=warc)
    tally = json.loads((tmp / "r.json").read_text())["tally"]
    check("one document is over --max-doc", tally["reasons"]["too_large"] == 1, tally)
    lost = rows((tmp / "r.arrows").read_bytes())
    check("it is in the rejects", [r["reject_reason"] for r in lost] == ["too_large"], lost)
    check("the others are not", len(rows(p.stdout)) == 8)
    (tmp / "kept.arrows").write_bytes(p.stdout)
    run("sluice-verify", tmp / "kept.arrows", tmp / "r.arrows")
    parts = made_warc(9, 200)
    parts[4] = parts[4][:60] + bytes([parts[4][60] ^ 0xFF]) + parts[4][61:]
    p = run("sluice-warc", "--source", "t", "-v", stdin=b"".join(parts))
    check("a damaged member loses one record", len(rows(p.stdout)) == 8, p.stderr)
    check("its place is told", b"byte %d" % sum(map(len, parts[:4])) in p.stderr, p.stderr)
    run("sluice-warc", "--source", "t", "--strict", stdin=b"".join(parts), code=1)
    run("sluice-warc", "--source", "t", "--max-bad", "1", stdin=b"".join(parts))


def test_names(tmp):
    for d in "xy":
        (tmp / d).mkdir()
        (tmp / d / "same.warc.gz").write_bytes(b"".join(made_warc(2, 200, ord(d))))
    same = [tmp / "x/same.warc.gz", tmp / "y/same.warc.gz"]
    p = run("sluice-warc", *same, code=2)
    check("two inputs with one name", b"same.warc.gz" in p.stderr and not p.stdout, p.stderr)
    names = {r["source"] for r in rows(out("sluice-warc", "--source-depth", 2, *same))}
    check("--source-depth tells them apart", names == {"x/same.warc.gz", "y/same.warc.gz"})


def test_killed_stage(tmp):
    """A middle stage dies after its last full batch, the shell looks away."""
    docs = docs_of(b"".join(made_warc(200, 40000)))
    feed = out("sluice-cat", "--rebatch", stdin=docs)
    tokenize = subprocess.Popen([BIN / "sluice-tokenize"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE)
    pack = subprocess.Popen([BIN / "sluice-pack", "--length", "256"], stdin=tokenize.stdout,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    shard = subprocess.Popen([BIN / "sluice-shard", "--sequences", "1000", "-o", tmp / "k"],
                             stdin=pack.stdout, stderr=subprocess.PIPE)
    tokenize.stdout.close()
    pack.stdout.close()
    # all but the trailer and the end: every full batch has gone through
    tail = feed.rfind(b"\xff\xff\xff\xff", 0, len(feed) - 8)
    tokenize.stdin.write(feed[:tail])
    tokenize.stdin.flush()
    for _ in range(100):
        if (tmp / "k/shard-00000.arrows").exists():
            break
        time.sleep(0.05)
    time.sleep(0.3)
    tokenize.send_signal(signal.SIGKILL)
    codes = tokenize.wait(), pack.wait(), shard.wait()
    said = pack.stderr.read() + shard.stderr.read()
    check("later stages fail", codes[1:] == (1, 1), f"{codes} {said}")
    check("the end is missed", b"truncated" in said, said)
    check("no manifest", not (tmp / "k/manifest.json").exists())
    run("sluice-verify", tmp / "k", code=1)
    run("sluice-shard", "--sequences", 1000, "-o", tmp / "k", "-f", stdin=sequences_of(docs))
    run("sluice-verify", tmp / "k")


def main():
    for test in (test_way, test_real, test_partitions, test_rejects, test_names,
                 test_killed_stage):
        with tempfile.TemporaryDirectory() as tmp:
            try:
                test(Path(tmp))
            except Exception as e:  # one broken test must not hide the others
                check(test.__name__, False, repr(e))
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    sys.exit(1 if counts["failed"] or not counts["passed"] else 0)


main()
