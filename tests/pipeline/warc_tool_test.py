#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sluice-warc on every WARC file of the shared data, beside FastWARC and warcio.

usage: warc_tool_test.py BUILD_DIR

EXPECTED says for every file what comes out; what the two other readers give as
pages (responses of status 200 that are HTML, XHTML or plain text) must be our
rows, byte for byte, except where DIFFERENCES says and explains otherwise. The
pages then go on through sluice-extract and sluice-verify.
"""
import base64
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bad_input import Count, Place, given  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
WARCS = Path(os.environ.get("SLUICE_SHARED", ROOT.parent / "shared")) / "data/warc"
MIMES = ("text/html", "application/xhtml+xml", "text/plain")
ARC = "an ARC file"
count = Count()

# file: rows, counts that are not 0; or the words of the refusal
EXPECTED = {
    "resiliparse-block-sized-records.warc.gz": (0, {"records": 3, "skipped_type": 3}),
    "resiliparse-clipped.warc.gz": (0, {"lost": 1, "lost_bytes": 18184}),
    # its dates have days like 65
    "resiliparse-clueweb-quirk.warc.gz": (
        29, {"records": 30, "skipped_type": 1, "headers_lied": 29, "bad_dates": 29}),
    "resiliparse-warcfile.warc.gz": (16, {"records": 50, "skipped_type": 34}),
    "warcio-bad.arc": ARC,
    "warcio-example-bad-non-chunked.warc.gz": (
        1, {"records": 6, "skipped_type": 4, "skipped_revisit": 1, "bodies_decoded": 1}),
    "warcio-example-bad.warc.gz.bad": (
        1, {"records": 6, "skipped_type": 3, "skipped_revisit": 1, "skipped_status": 1}),
    "warcio-example-digest.warc": (0, {"records": 4, "skipped_type": 4}),
    "warcio-example-iana.org-chunked.warc": (
        1, {"records": 3, "skipped_type": 2, "bodies_decoded": 1}),
    "warcio-example-resource.warc.gz": (0, {"records": 3, "skipped_type": 3}),
    "warcio-example-space-in-target-uri.warc.gz": (0, {"records": 2, "skipped_type": 2}),
    "warcio-example-space-in-url.arc": ARC,
    "warcio-example-trunc.warc": (
        0, {"records": 3, "skipped_type": 3, "lost": 1, "lost_bytes": 1369}),
    "warcio-example-wget-bad-target-uri.warc.gz": (1, {"records": 6, "skipped_type": 5}),
    "warcio-example-wrong-chunks.warc.gz": (1, {"records": 2, "skipped_type": 1}),
    "warcio-example.arc": ARC,
    "warcio-example.arc.gz": ARC,
    "warcio-example.warc": (
        1, {"records": 6, "skipped_type": 4, "skipped_revisit": 1, "bodies_decoded": 1}),
    "warcio-example.warc.gz": (
        1, {"records": 6, "skipped_type": 4, "skipped_revisit": 1, "bodies_decoded": 1}),
    "warcio-post-test.warc.gz": (0, {"records": 6, "skipped_type": 3, "skipped_mime": 3}),
    "whirlwind.warc.gz": (1, {"records": 4, "skipped_type": 3}),
    "whirlwind.warc.wat.gz": (0, {"records": 2, "skipped_type": 2}),
    "whirlwind.warc.wet.gz": (1, {"records": 2, "skipped_type": 1}),
}
# (reader, file): why its pages are not our rows
CLIPPED = "the only member is cut: it gives the bytes before the cut as a whole page"
ONE_MEMBER = "one gzip member for the whole file, which it refuses by design"
DIFFERENCES = {
    ("fastwarc", "resiliparse-clipped.warc.gz"): CLIPPED,
    ("warcio", "resiliparse-clipped.warc.gz"): CLIPPED,
    ("fastwarc", "resiliparse-clueweb-quirk.warc.gz"):
        "HTTP heads end in LF LF: it looks for CRLF CRLF and takes 10 KB of page for the head",
    ("warcio", "warcio-example-bad-non-chunked.warc.gz"): ONE_MEMBER,
    ("warcio", "warcio-example-bad.warc.gz.bad"): ONE_MEMBER,
    ("fastwarc", "warcio-example-trunc.warc"): "Content-Length is 2 short: it fails, we lose one",
    ("warcio", "warcio-example-trunc.warc"):
        "Content-Length is 2 short in a plain file: it gives the page and warns, we lose one",
    ("warcio", "warcio-example-wrong-chunks.warc.gz"):
        "a record split over three members: it fails, we and FastWARC put it together",
}


def strip(value):
    return (value or "").strip().strip("<>").strip()


def is_page(status, content_type):
    return status == 200 and content_type.split(";")[0].strip().lower() in MIMES


def fastwarc_pages(path):
    from fastwarc.warc import ArchiveIterator, WarcRecordType
    pages = []
    with open(path, "rb") as f:
        for r in ArchiveIterator(f, record_types=WarcRecordType.response, parse_http=True,
                                 auto_decode="all"):
            body = r.reader.read()
            head = r.http_headers
            if head is not None and is_page(head.status_code, head.get("Content-Type") or ""):
                pages.append((strip(r.record_id), body))
    return pages


def warcio_pages(path):
    from warcio.archiveiterator import ArchiveIterator
    pages, keep = [], sys.stderr
    sys.stderr = io.StringIO()  # its warnings are long
    try:
        with open(path, "rb") as f:
            for r in ArchiveIterator(f):
                body = r.content_stream().read()
                head = r.http_headers
                if r.rec_type == "response" and head and is_page(
                        int(head.get_statuscode() or 0), head.get_header("Content-Type") or ""):
                    pages.append((strip(r.rec_headers.get_header("WARC-Record-ID")), body))
    finally:
        sys.stderr = keep
    return pages


def compare(name, path, rows):
    ours = [(r["source_id"], base64.b64decode(r["html"])) for r in rows if "html" in r]
    for reader, read in (("fastwarc", fastwarc_pages), ("warcio", warcio_pages)):
        try:
            __import__(reader)
        except ImportError:
            count.skip(f"{reader} cannot be imported: its comparison was not made")
            continue
        try:
            theirs = read(path)
        except Exception as e:  # what it cannot read is its result
            theirs = type(e).__name__
        why = DIFFERENCES.get((reader, name))
        count.check(f"{reader} gives the same pages" if not why else f"{reader} differs: {why}",
                    (theirs == ours) == (why is None), [(i, len(b)) for i, b in ours],
                    theirs if isinstance(theirs, str) else [(i, len(b)) for i, b in theirs])


def check_file(p, path):
    expected = EXPECTED.get(path.name)
    if not count.check("is in the table", expected is not None):
        return
    if isinstance(expected, str):
        p.fails("refused", 1, [f"'{path}'", expected], "sluice-warc", path)
        return
    rows, tally, rejects, r = p.warc(b"", path)
    n_lost = expected[1].get("lost", 0)
    count.check("rows", len(rows) == expected[0], len(rows))
    count.check("counts", given(tally["counts"]) == expected[1], given(tally["counts"]))
    count.check("losses are kept and told", len(rejects) == n_lost ==
                r.said.count("lost a record at byte"), rejects, r.said)
    p.warc(b"", path, "--strict", code=1 if n_lost else 0)
    compare(path.name, path, rows)
    (p.folder / "docs.arrows").unlink(missing_ok=True)
    if rows and "text" in rows[0]:
        tokens = p.out("sluice-tokenize", stdin=p.out("sluice-warc", path))
        count.check("WET goes straight on", len(p.rows(tokens)) == len(rows))
        return
    p.out("sluice-extract", "-o", p.folder / "docs.arrows", stdin=p.out("sluice-warc", path))
    p.out("sluice-verify", p.folder / "docs.arrows")
    texts = [d["text"] for d in p.rows((p.folder / "docs.arrows").read_bytes())]
    count.check("every page has text", len(texts) == len(rows) and all(t.strip() for t in texts),
                texts)


def check_resources(p):
    count.case = "resources"
    path = WARCS / "warcio-example-resource.warc.gz"
    rows, tally, _, _ = p.warc(b"", path, "--type", "resource", "--mime", "any")
    count.check("a row", len(rows) == 1 and b"<html" in base64.b64decode(rows[0]["html"]), rows)
    count.check("without a status", rows[0]["http_status"] is None and
                rows[0]["content_type"] == "text/html", rows)
    count.check("the same by default types", p.warc(b"", path, "--type", "resource")[0] == rows)


def main():
    build = Path(sys.argv[1]).resolve()
    if not WARCS.exists():
        print("skipped: the shared WARC files are absent (SLUICE_SHARED)")
        return 77
    for path in sorted(WARCS.iterdir()):
        count.case = path.name
        with tempfile.TemporaryDirectory(prefix="warc-tool-") as folder:
            check_file(Place(build, folder, count), path)
    with tempfile.TemporaryDirectory(prefix="warc-tool-") as folder:
        check_resources(Place(build, folder, count))
    absent = set(EXPECTED) - {f.name for f in WARCS.iterdir()}
    count.case = "shared data"
    count.check("every file of the table is there", not absent, absent)
    print(f"{count.passed} passed, {count.failed} failed, {count.skipped} skipped")
    return 1 if count.failed or not count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
