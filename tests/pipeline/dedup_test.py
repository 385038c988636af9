#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sluice-dedup against a reference of a few lines.

usage: dedup_test.py BUILD_DIR

Streams with many duplicates, made as WET files; what stays, what goes, in which
order, what it lost to, the added columns and the counts must be the reference's.
The bytes of output and rejects must be the same for every --mem (also where the
table of texts is full in the middle), for -T1 and -T4, from a file and from a pipe,
in batches large and small.
"""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from counted import Count, read_stream

try:
    import pyarrow.ipc as ipc
except ImportError:
    print("skipped: pyarrow is not installed")
    sys.exit(77)

count = Count()
check = count.check
build = Path(sys.argv[1]).resolve()
folder = tempfile.TemporaryDirectory()
work = Path(folder.name)
SMALL_MEM, LARGE_MEM = "4M", "512M"


def run(tool, *args, stdin=b"", code=0, **more):
    p = subprocess.run([build / "bin" / tool, *map(str, args)], input=stdin, capture_output=True,
                       **more)
    check(f"{tool} {' '.join(map(str, args))} ends with {code}", p.returncode == code,
          f"{p.returncode}: {p.stderr.decode(errors='replace')}")
    return p


def wet(n, text, url="http://example.org/", day=1):
    body = text.encode()
    return (f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <urn:x:{n}>\r\n"
            f"WARC-Target-URI: {url}\r\nWARC-Date: 2025-03-{day:02d}T12:00:00Z\r\n"
            f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n").encode() + \
        body + b"\r\n\r\n"


# So that a stream without documents can be made too.
HEAD = b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n"


def docs(records, name):
    """A docs stream of the records, as a file."""
    path = work / name
    run("sluice-warc", "--source", "x", "--type", "conversion", "-f", "-o", path,
        stdin=HEAD + b"".join(records))
    return path


def read(stream):
    """The rows, and the last stage of the lineage."""
    table, lineage = read_stream(stream)
    return table.to_pylist(), lineage[-1]


def dedup(path, *options, mem=LARGE_MEM, pipe=False, **more):
    """Bytes of the output and of the rejects."""
    rejects = work / "rejects.arrows"
    data = path.read_bytes() if pipe else b""
    out = run("sluice-dedup", "--exact", "--mem", mem, "--rejects", rejects, "-f", *options,
              *([] if pipe else [path]), stdin=data, **more).stdout
    return out, rejects.read_bytes()


BLANKS = {chr(c) for c in [*range(9, 14), 0x20, 0x85, 0xa0, 0x1680, *range(0x2000, 0x200b),
                           0x2028, 0x2029, 0x202f, 0x205f, 0x3000]}


def simple(text):
    words = "".join(" " if c in BLANKS else c for c in text).split(" ")
    joined = " ".join(w for w in words if w)
    return "".join(c.lower() if "A" <= c <= "Z" else c for c in joined)


def clusters(rows, form=lambda t: t, order=None):
    """Rows of each text, the kept one first."""
    found = {}
    for i, r in enumerate(rows):
        found.setdefault(form(r["text"]), []).append(i)
    if order:
        for members in found.values():
            members.sort(key=lambda i: (*order(rows[i]), rows[i]["id"], i))
    return found


def check_removed(name, rows, found, out, rejects):
    """Output and rejects are those that the clusters say."""
    lost_to = {i: m[0] for m in found.values() for i in m[1:]}
    have, stage = read(out)
    check(f"{name}: rows kept", have == [r for i, r in enumerate(rows) if i not in lost_to],
          len(have))
    gone, reject_stage = read(rejects)
    want = [dict(r, reject_reason="duplicate", reject_detail=rows[lost_to[i]]["id"].hex())
            for i, r in enumerate(rows) if i in lost_to]
    check(f"{name}: rows rejected", gone == want, len(gone))
    counts = {"clusters": sum(len(m) > 1 for m in found.values()), "duplicates": len(lost_to),
              "duplicate_bytes": sum(len(rows[i]["text"].encode()) for i in lost_to)}
    check(f"{name}: counts", stage["tally"]["counts"] == counts, (stage["tally"], counts))
    check(f"{name}: reasons", stage["tally"]["reasons"] == {"duplicate": len(lost_to)},
          stage["tally"])
    check(f"{name}: port", reject_stage["port"] == "rejects")
    for stream in (out, rejects):
        run("sluice-verify", stdin=stream)


def check_annotated(name, rows, found, out):
    have, stage = read(out)
    want = [None] * len(rows)
    for members in found.values():
        for rank, i in enumerate(members):
            want[i] = dict(rows[i], dup_cluster=rows[members[0]]["id"],
                           dup_cluster_size=len(members), dup_rank=rank)
    check(f"{name}: rows", have == want)
    check(f"{name}: clusters", stage["tally"]["counts"]["clusters"] ==
          sum(len(m) > 1 for m in found.values()), stage["tally"])
    check(f"{name}: nothing is rejected", stage["tally"]["rejected"]["rows"] == 0)
    run("sluice-verify", stdin=out)


def same_everywhere(name, path, *options):
    """One result, by every way; the bytes of output and rejects."""
    want = dedup(path, *options)
    ways = {
        "--mem small": dedup(path, *options, mem=SMALL_MEM),
        "-T4": dedup(path, *options, "-T4"),
        "a pipe": dedup(path, *options, pipe=True),
        "a pipe, --mem small": dedup(path, *options, mem=SMALL_MEM, pipe=True),
    }
    for way, have in ways.items():
        for port in (0, 1):
            check(f"{name}: {way}: the same {('output', 'rejects')[port]}",
                  want[port] == have[port], (len(want[port]), len(have[port])))
    return want


def report(path, *options, mem):
    where = work / "report.json"
    run("sluice-dedup", "--exact", "--mem", mem, *options, "--report", where, "-f", "-o",
        work / "out.arrows", path)
    return json.loads(where.read_text())


# ---- small streams: every row is looked at ----

draw = random.Random(5)
PIECES = ["", "a", "A", "Word", "word", " ", "  ", "\t", "\n", "\u00a0", "\u3000", "\u2028", "é",
          "É", "日本", "x" * 50, "x" * 20000, "\u200b", "\U0001f600"]


def random_text():
    return "".join(draw.choice(PIECES) for _ in range(draw.randrange(5))).strip("\r\n")


for n in (0, 1, 2, 100, 3000):
    records = [wet(i, random_text(), f"http://{draw.randrange(40)}.example.org/",
                   draw.randrange(1, 29)) for i in range(n)]
    path = docs(records, f"small-{n}.arrows")
    rows = read(path.read_bytes())[0]
    check(f"{n} documents are there", len(rows) == n, len(rows))
    for rule, form in (("none", lambda t: t), ("simple", simple)):
        name = f"{n} documents, --normalize {rule}"
        found = clusters(rows, form)
        check_removed(name, rows, found, *same_everywhere(name, path, "--normalize", rule))
        out, rejects = same_everywhere(name, path, "--normalize", rule, "--annotate")
        check_annotated(name, rows, found, out)
        order = lambda r: (-r["date"].timestamp(), r["url"])  # noqa: E731
        found = clusters(rows, form, order)
        options = ["--normalize", rule, "--prefer", "date desc, url"]
        check_removed(f"{name}, --prefer", rows, found, *same_everywhere(name, path, *options))
        out, rejects = same_everywhere(name, path, *options, "--annotate")
        check_annotated(f"{name}, --prefer", rows, found, out)
some = Counter(r["text"] for r in rows)
check("many are duplicates, some are empty", some[""] > 100 and 100 < len(some) < 2000, len(some))

# Small batches are joined the same way, whether or not they come by a second pass.
parts = []
for k in range(30):
    records = [wet(1000 * k + i, draw.choice("abcdefgh") * draw.randrange(3000))
               for i in range(draw.randrange(60))]
    parts.append(docs(records, f"part-{k}.arrows"))
joined = run("sluice-cat", "--flush", *parts).stdout
several = work / "several.arrows"
several.write_bytes(joined)
rows = read(joined)[0]
check_removed("small batches", rows, clusters(rows), *same_everywhere("small batches", several))
same_everywhere("small batches, --flush", several, "--flush")
one = dedup(several)
rejects = work / "rejects.arrows"
out = run("sluice-dedup", "--exact", "--rejects", rejects, "-f", *parts).stdout
check("several inputs are as one", [read(s)[0] for s in (out, rejects.read_bytes())] ==
      [read(s)[0] for s in one])

# ---- a table that is full in the middle ----

N = 150000
records = [wet(i, f"text number {min(draw.randrange(N), draw.randrange(N))}",
               f"http://{draw.randrange(1000)}.example.org/") for i in range(N)]
path = docs(records, "many.arrows")
del records
rows = read(path.read_bytes())[0]
small, large = report(path, mem=SMALL_MEM), report(path, mem=LARGE_MEM)
check("the small table is full in the middle, the large one is not",
      "temporary" in str(small["notes"]) and "temporary" not in str(large["notes"]),
      (small["notes"], large["notes"]))
check_removed("a full table", rows, clusters(rows), *same_everywhere("a full table", path))
out, _ = same_everywhere("a full table, --prefer", path, "--prefer", "url")
check("a full table, --prefer", [r["id"] for r in read(out)[0]] ==
      [rows[i]["id"] for i in sorted(m[0] for m in clusters(
          rows, order=lambda r: (r["url"],)).values())])
same_everywhere("a full table, --annotate", path, "--annotate")
check("--mem is kept", small["peak_memory_bytes"] < (4 + 20) << 20 or "dev" in build.name,
      small["peak_memory_bytes"])

# ---- a million equal documents, all of one id ----

N = 1000000
equal = work / "equal.arrows"
with equal.open("wb") as f:
    p = subprocess.Popen([build / "bin/sluice-warc", "--source", "x"], stdin=subprocess.PIPE,
                         stdout=f)
    for _ in range(100):
        p.stdin.write(wet(7, "the same text") * (N // 100))
    p.stdin.close()
    check("a million records are read", p.wait() == 0)
for options in ([], ["--prefer", "url"], ["--annotate"]):
    begin = time.monotonic()
    result = report(equal, *options, mem=SMALL_MEM)
    seconds = time.monotonic() - begin
    name = f"a million equal documents {' '.join(options)}"
    counts = result["tally"]["counts"]
    check(f"{name}: counts", (counts["clusters"], counts["duplicates"]) == (1, N - 1), counts)
    check(f"{name}: in time", seconds < 60, seconds)
with (work / "out.arrows").open("rb") as f:
    table = ipc.open_stream(f).read_all()
check("a million equal documents: ranks are the places in the input",
      table.column("dup_rank").to_pylist() == list(range(N)))
check("a million equal documents: sizes",
      table.column("dup_cluster_size").unique().to_pylist() == [N])
del table

# ---- two rows of one id ----

path = docs([wet(1, "a"), wet(2, "b"), wet(1, "a"), wet(1, "b"), wet(2, "c")], "twice.arrows")
rows = read(path.read_bytes())[0]
for options in ([], ["--prefer", "id"]):
    out, rejects = dedup(path, *options)
    check_removed(f"equal ids {options}", rows,
                  clusters(rows, order=(lambda r: ()) if options else None), out, rejects)

# ---- what is refused ----

p = run("sluice-dedup", path, code=2)
check("--exact is asked for", b"--exact" in p.stderr, p.stderr)
p = run("sluice-dedup", "--exact", "--mem", "1M", path, code=2)
check("a tiny --mem is refused", b"4M" in p.stderr, p.stderr)
p = run("sluice-dedup", "--exact", "--prefer", "nosuch", path, code=1)
check("--prefer: no such column", b"nosuch" in p.stderr, p.stderr)
run("sluice-dedup", "--exact", "--normalize", "nosuch", path, code=2)
annotated = run("sluice-dedup", "--exact", "--annotate", path).stdout
p = run("sluice-dedup", "--exact", "--annotate", stdin=annotated, code=1)
check("columns that are there already", b"--replace" in p.stderr, p.stderr)
check("--replace makes them anew", read(run("sluice-dedup", "--exact", "--annotate", "--replace",
                                            stdin=annotated).stdout)[0] == read(annotated)[0])
check("without --annotate they go on",
      "dup_rank" in read(run("sluice-dedup", "--exact", stdin=annotated).stdout)[0][0])

# ---- temporary files ----

many = (work / "many.arrows").read_bytes()
tmp = work / "tmp"
tmp.mkdir()


def limit_files():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200000, 200000))


read_end, write_end = os.pipe()
p = subprocess.Popen([build / "bin/sluice-dedup", "--exact", "--mem", SMALL_MEM, "--tmpdir", tmp],
                     stdin=subprocess.PIPE, stdout=write_end, stderr=subprocess.PIPE,
                     preexec_fn=limit_files)
os.close(write_end)
reader = subprocess.Popen(["cat"], stdin=read_end, stdout=subprocess.DEVNULL)
os.close(read_end)
_, message = p.communicate(many)
reader.wait()
check("a full --tmpdir is an error that names it",
      p.returncode == 3 and str(tmp).encode() in message, (p.returncode, message))
p = run("sluice-dedup", "--exact", "--prefer", "url", "--tmpdir", work / "nosuch", stdin=many,
        code=3)
check("a --tmpdir that is not there is named", b"nosuch" in p.stderr, p.stderr)

for options in ([], ["--annotate"]):
    p = subprocess.Popen([build / "bin/sluice-dedup", "--exact", "--mem", SMALL_MEM, "--tmpdir",
                          tmp, *options, "-o", work / "killed.arrows"], stdin=subprocess.PIPE)
    p.stdin.write(many[:len(many) * 9 // 10])
    p.stdin.flush()
    time.sleep(0.2)
    held = [os.readlink(f"/proc/{p.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{p.pid}/fd")]
    check(f"{options}: temporary files are in --tmpdir", any(str(tmp) in h for h in held), held)
    p.kill()
    p.wait()
    check(f"{options}: a killed run leaves nothing in --tmpdir", not list(tmp.iterdir()))
    check(f"{options}: and no output", not (work / "killed.arrows").exists())

# ---- an input that is another at the second pass: --mem is full in the middle ----

days = [docs([wet(n, f"the text of row {n}", day=day) for n in range(150_000)],
             f"day-{day}.arrows").read_bytes() for day in (1, 2)]
check("two days differ in values alone", len(days[0]) == len(days[1]) and days[0] != days[1])
for name, many, other in (
        ("with other values", *days),
        ("in another order", many, run("sluice-shuffle", stdin=many).stdout),
        ("with other columns", many, run("sluice-difficulty", "--metric", "length",
                                         stdin=many).stdout)):
    path = work / "changing.arrows"
    path.write_bytes(many)
    (work / "other.arrows").write_bytes(other)
    p = subprocess.Popen([build / "bin/sluice-dedup", "--exact", "--mem", SMALL_MEM, path],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.read(64)  # it has opened its input, and waits for us to read on
    os.replace(work / "other.arrows", path)
    out, message = p.communicate()
    check(f"an input {name} at the second pass",
          p.returncode == 1 and b"changed between two passes" in message, (p.returncode, message))

# A file and a pipe in one run: all of it is kept.
path = work / "small-3000.arrows"
both = run("sluice-dedup", "--exact", "--annotate", path, "-", stdin=path.read_bytes()).stdout
twice = run("sluice-dedup", "--exact", "--annotate", path, path).stdout
check("a file and a pipe are read as two files", read(both)[0] == read(twice)[0])

# ---- a key of 10 MB ----

path = docs([wet(n, text) for n, text in enumerate(("b" * 10_000_000, "b" * 10_000_000, "a"))],
            "wide")
p = run("sluice-dedup", "--exact", "--prefer", "text", "--mem", "64M", path, code=3)
check("a key of 10 MB in too little memory names --mem", b"raise --mem" in p.stderr, p.stderr)
p = run("sluice-dedup", "--exact", "--prefer", "text desc", "--mem", "1G", path)
check("a key of 10 MB", len(read(p.stdout)[0]) == 2)

folder.cleanup()
sys.exit(count.finish())
