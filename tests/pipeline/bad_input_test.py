#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""Bad input, from the crawl to the loader, through the real tools: each case asks
for a clear message, the right exit code, the loss of one record at most and an
account of it, and nothing left under a final name or in the temporary folder.

usage: bad_input_test.py BUILD_DIR [WORD...]    (cases whose name has a WORD)
"""
import base64
import ctypes.util
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bad_input import (HTML_200, HTML_UTF8, Count, Place, end_of_batches, flip, given,  # noqa: E402
                       gz, page, record, wet, wide_schema)

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(sys.argv[1]).resolve()
SANITIZED = b"-fsanitize" in (BUILD / "CMakeCache.txt").read_bytes()
count = Count()
READERS = {  # a tool, its arguments, the kind of stream that it reads
    "sluice-extract": ((), "pages"), "sluice-tokenize": ((), "docs"),
    "sluice-pack": (("--length", 64), "tokens"), "sluice-shard": ((), "sequences"),
    "sluice-cat": ((), "docs"), "sluice-export": ((), "docs"), "sluice-verify": ((), "docs"),
}


class Streams:
    """One small crawl at every stage of the way."""

    def __init__(self, p, n=20):
        self.warc = b"".join(gz(page(i)) for i in range(n))
        self.pages = p.out("sluice-warc", "--source", "t", stdin=self.warc)
        self.docs = p.out("sluice-extract", stdin=self.pages)
        self.tokens = p.out("sluice-tokenize", stdin=self.docs)
        self.sequences = p.out("sluice-pack", "--length", 64, stdin=self.tokens)


def each_reader(p, make, words, code=1, tools=READERS):
    """Every reading tool refuses make(its own stream), with -o as without."""
    s = Streams(p)
    for tool in tools:
        args, kind = READERS[tool]
        data = make(getattr(s, kind))
        out = p.folder / "out"
        to = () if tool == "sluice-verify" else ("-o", out)
        p.fails(tool, code, words, tool, *args, *to, stdin=data)
        p.count.check(f"{tool}: no output", not (out / "manifest.json").exists() and
                      not out.is_file(), "it stands")
        shutil.rmtree(out, ignore_errors=True)


# ---- streams ----

def case_empty_input(p):
    each_reader(p, lambda s: b"", ["(standard input)", "empty input"])
    p.fails("sluice-warc", 1, ["(standard input)", "the input is empty"], "sluice-warc")
    p.fails("sluice-warc -o", 1, ["is empty"], "sluice-warc", "-o", p.folder / "o")
    p.nothing_left("sluice-warc -o", p.folder / "o")


def case_no_input(p):
    p.fails("absent file", 3, ["absent", "No such file"], "sluice-warc", p.folder / "absent")
    for tool in READERS:
        args = READERS[tool][0] + (("-o", p.folder / "out") if tool == "sluice-shard" else ())
        p.fails(f"{tool}: absent file", 3, ["absent", "No such file"], tool, *args,
                p.folder / "absent")
    p.fails("--files-from of nothing", 2, ["names no file"], "sluice-warc", "--files-from", "-")


def case_foreign_bytes(p):
    for name, data in (("text", b"hello world\n" * 999), ("zeros", bytes(9999)),
                       ("one byte", b"\xff"),
                       ("noise", bytes(i * i * 7 % 251 for i in range(9999))),
                       ("png", b"\x89PNG\r\n\x1a\n" + bytes(99)),
                       ("gzip of text", gz(b"text" * 99)),
                       ("gzip of nothing", gz(b"")), ("blank lines", b"\r\n" * 99),
                       ("PK", b"PK\3\4" + bytes(60)),
                       ("HTTP alone", HTML_200 + b"\r\n<p>x")):
        count.case = f"foreign bytes, {name}"
        p.fails("sluice-warc", 1, ["(standard input)"], "sluice-warc", stdin=data)
        each_reader(p, lambda s, d=data: d, ["(standard input)"],
                    tools=["sluice-tokenize", "sluice-shard", "sluice-verify"])
    for name, data in (("gzip", b"\x1f\x8b"), ("zstd", b"\x28\xb5\x2f\xfd")):
        rows, tally, _, r = p.warc(data)
        count.check(f"a cut {name} magic is a cut record", not rows and
                    tally["reasons"]["lost_cut"] == 1 and "byte 0" in r.said, r.said)


def case_stream_of_another_kind(p):
    s = Streams(p)
    p.fails("tokens to extract", 1, ["tokens", "docs"], "sluice-extract", stdin=s.tokens)
    p.fails("docs to pack", 1, ["docs", "tokens"], "sluice-pack", "--length", 9, stdin=s.docs)
    p.fails("docs to shard", 1, ["docs", "sequences"], "sluice-shard", "-o", p.folder / "o",
            stdin=s.docs)
    p.nothing_left("docs to shard", p.folder / "o" / "manifest.json")
    p.fails("sequences to tokenize", 1, ["sequences", "docs"], "sluice-tokenize",
            stdin=s.sequences)
    p.fails("a stream to warc", 1, ["Arrow stream", "WARC"], "sluice-warc", stdin=s.docs)
    p.fails("WARC to tokenize", 1, ["not a Sluice stream"], "sluice-tokenize", stdin=page(1))


def case_missing_column(p):
    s = Streams(p)
    p.fails("no html", 1, ["html", "sluice-warc"], "sluice-extract", stdin=s.docs)
    p.fails("no text", 1, ["text", "sluice-extract"], "sluice-tokenize", stdin=s.pages)
    p.fails("no column to export", 1, ["'nosuch'"], "sluice-export", "--columns", "nosuch",
            stdin=s.docs)
    p.fails("no column to carry", 1, ["nosuch"], "sluice-pack", "--length", 64, "--carry",
            "nosuch", stdin=s.tokens)


def case_truncated(p):
    for cut in (lambda n: 5, lambda n: n // 2, lambda n: n - 8, lambda n: n - 1):
        each_reader(p, lambda s, cut=cut: s[:cut(len(s))], ["truncated", "byte"])
    # of whole batches, so that it only lacks its trailer and end
    each_reader(p, lambda s: s[:end_of_batches(s)], ["truncated", "byte"])


def case_bit_flipped(p):
    def flipped(stream):
        return flip(stream, len(stream) // 2)
    each_reader(p, flipped, ["(standard input)"])
    s = Streams(p)
    for at in range(8, len(s.docs), len(s.docs) // 40):
        p.fails(f"bit at {at}", 1, ["(standard input)"], "sluice-tokenize", stdin=flip(s.docs, at))


def case_two_streams_glued(p):
    each_reader(p, lambda s: s + s, ["sluice-cat"])
    rows, tally, _, _ = p.warc(gz(page(1)) + gz(page(2)))
    count.check("glued WARC files are one", len(rows) == 2, rows)


def case_million_columns(p):
    for n in (1000000, 100000):
        for tool in READERS:
            args = READERS[tool][0] + (("-o", p.folder / "o") if tool == "sluice-shard" else ())
            r = p.fails(f"{tool}, {n}", 1, ["(standard input)"], tool, *args, stdin=wide_schema(n))
            count.check(f"{tool}: soon", r.seconds < 5, r.seconds)


# ---- documents ----

def case_over_max_doc(p):
    big = page(2, b"<p>" + b"many words " * 20000)
    for size, name in (("100K", "a body over --max-doc"), ("1K", "a smaller --max-doc")):
        rows, tally, rejects, r = p.warc(page(1, b"<p>x") + big + page(3, b"<p>y"), "--max-doc",
                                         size, "-v")
        count.check(name, [x["url"][-1] for x in rows] == ["1", "3"], rows)
        count.check(f"{name}: counted", given(tally["reasons"]) == {"too_large": 1}, tally)
        count.check(f"{name}: kept", [(x["reject_reason"], x["offset"]) for x in rejects] ==
                    [("too_large", len(page(1, b"<p>x")))], rejects)
        count.check(f"{name}: said", "too_large 1" in r.said and "lost" not in r.said, r.said)
    # far over it, so that the record is never held: no loss either
    huge = page(2, b"<p>" + b"many words " * 400000)
    for form, data in (("plain", page(1) + huge + page(3)),
                       ("gzip", gz(page(1)) + gz(huge, 0) + gz(page(3)))):
        rows, tally, rejects, r = p.warc(data, "--max-doc", "1M", "--strict")
        count.check(f"{form}, far over", len(rows) == 2 and tally["counts"]["lost"] == 0 and
                    given(tally["reasons"]) == {"too_large": 1}, tally, r.said)
    rows, tally, rejects, r = p.warc(page(1) + record(2, bytes(4 << 20), "metadata") + page(3),
                                     "--max-doc", "1M")
    count.check("a large record of another type is passed over", len(rows) == 2 and not rejects and
                tally["counts"]["skipped_type"] == 1, tally)
    pages = p.out("sluice-warc", "--source", "t", stdin=page(1) + big + page(3))
    docs = p.out("sluice-extract", "--max-doc", "100K", "--rejects", p.folder / "r",
                 "--report", p.folder / "j", stdin=pages)
    lost = p.rows((p.folder / "r").read_bytes())
    count.check("extract rejects the one", len(p.rows(docs)) == 2 and
                [x["reject_reason"] for x in lost] == ["too_large"], lost)
    p.fails("--max-doc of 0", 2, ["--max-doc"], "sluice-warc", "--max-doc", 0, stdin=page(1))


def case_nul_and_control_bytes(p):
    every = "".join(map(chr, [*range(32), *range(127, 160), 0x2028, 0x2029, 0xfeff, 0xfffe,
                              0xffff, 0x10ffff])) + "\"\\/</script>"
    rows, _, _, _ = p.warc(wet(1, every.encode()))
    count.check("every control character through export and back", rows[0]["text"] == every, rows)
    stream = p.out("sluice-warc", "--source", "t", stdin=wet(1, every.encode()))
    lines = p.out("sluice-export", stdin=stream)
    count.check("a line a document", lines.count(b"\n") == 1, lines)
    packed = p.out("sluice-pack", "--length", 256, stdin=p.out("sluice-tokenize", stdin=stream))
    tokens = p.rows(packed)[0]["tokens"]
    data = every.encode()
    count.check("and to tokens", bytes(t for t in tokens[:len(data)]) == data)
    html = b"<title>a\0b</title><p>c\0d\x01\x1f\x7f<b\0>e</b\0>&#0;&#1;f"
    docs = p.chain(page(1, html, HTML_UTF8), p.folder / "s")
    text = docs[0]["text"]
    count.check("NUL in HTML", "c" in text and "d" in text and "e" in text and "f" in text and
                "\0" not in text, repr(text))
    rows, _, _, _ = p.warc(record(1, HTML_200 + b"X-Robots-Tag: no\0ne\r\n\r\n<p>x\0y"))
    count.check("NUL in a header", rows[0]["x_robots_tag"] in ("no ne", "no\0ne") and
                base64.b64decode(rows[0]["html"]) == b"<p>x\0y", rows)


def case_invalid_utf8(p):
    bad = b"caf\xe9 \xff\xfe \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 end \xe2\x82"
    rows, tally, _, _ = p.warc(wet(1, bad))
    count.check("WET text is repaired", rows[0]["text"] == bad.decode("utf-8", "replace"), rows)
    count.check("and counted", tally["counts"]["replaced_characters"] > 5, tally)
    odd = page(1).replace(b"https://example.org/1", b"https://example.org/\xff\xe9?a=\xf0\x9f")
    odd = odd.replace(b"urn:test:1", b"urn:\xff:1").replace(
        b"text/html", b"text/html; charset=\xff\xfe\r\nContent-Language: d\xe9")
    head = odd[:odd.index(b"HTTP/")]
    block = odd[len(head):-4]
    odd = odd.replace(head, head[:head.rindex(b"Content-Length")] +
                      b"Content-Length: %d\r\n\r\n" % len(block))
    rows, tally, rejects, _ = p.warc(odd)
    count.check("header values are repaired", len(rows) == 1 and not rejects and
                "\ufffd" in rows[0]["url"] and "\ufffd" in rows[0]["content_language"] and
                "\ufffd" in rows[0]["source_id"], rows)
    docs = p.chain(page(1, b"<p>" + bad, HTML_UTF8), p.folder / "s")
    count.check("an invalid page gives valid text", "end" in docs[0]["text"], docs)


def case_charset_lies(p):
    word = "\u0433\u043e\u0440\u043e\u0434 Z\u00fcrich \u6771\u4eac"
    for label in (b"utf-16", b"koi8-r", b"shift_jis", b"iso-8859-1", b"no-such-charset", b"x" * 999,
                  b"utf-7", b"\"", b"windows-1252\0"):
        http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=" + label + b"\r\n"
        meta = b"" if label == b'"' else b"<meta charset=" + label + b">"
        docs = p.chain(page(1, meta + b"<p>" + word.encode(), http),
                       p.folder / f"s{label[:9].hex()}")
        count.check(f"UTF-8 said to be {label[:20]}", docs[0]["text"].strip() == word and
                    docs[0]["charset_source"] == "utf8", docs)
    cyrillic = "\u0433\u043e\u0440\u043e\u0434"
    docs = p.chain(page(1, b"<p>" + cyrillic.encode("koi8-r"), HTML_200.replace(
        b"html", b"html; charset=koi8-r")), p.folder / "koi")
    count.check("a true label counts", docs[0]["text"].strip() == cyrillic, docs)
    docs = p.chain(page(1, b"<p>" + cyrillic.encode("koi8-r"), HTML_UTF8), p.folder / "lossy")
    count.check("not UTF-8 though it says so", docs[0]["charset_used"] is not None, docs)
    docs = p.chain(page(1, b"\xff\xfe" + ("<p>" + word).encode("utf-16-le"), HTML_UTF8),
                   p.folder / "bom")
    count.check("a byte order mark wins", docs[0]["text"].strip() == word, docs)


def case_million_open_tags(p):
    begun = time.monotonic()
    for name, body in (("div", b"<div>" * 1000000), 
                       ("nested in tables", b"<table><tr><td>" * 333333),
                       ("never closed", b"<a <b " * 500000),
                       ("attributes", b"<p " + b"a=b " * 999999),
                       ("comment", b"<!--" * 1000000), ("formatting", b"<b><i><a>" * 333333),
                       ("entities", b"&amp" * 1000000), ("select", b"<select><option>" * 250000)):
        docs = p.chain(page(1, body + b"<p>the end") + page(2), p.folder / name)
        count.check(name, len(docs) == 2 and docs[1]["title"] == "Page 2", docs)
    seconds = time.monotonic() - begun
    count.check("all of them soon", seconds < (240 if SANITIZED else 40), seconds)


# ---- WARC records ----

def one_lost(p, name, bad, reason, word, *args, wrap=lambda r: r):
    """Of three records the middle one is lost, counted, kept, and told with its place."""
    first, last = wrap(page(1)), wrap(page(3))
    rows, tally, rejects, r = p.warc(first + bad + last, *args)
    count.check(f"{name}: two are left", [x["url"][-1] for x in rows] == ["1", "3"], rows, r.said)
    if not tally:
        return
    count.check(f"{name}: counted", given(tally["reasons"]) == {reason: 1}, tally["reasons"])
    count.check(f"{name}: kept", [(x["reject_reason"], x["offset"]) for x in rejects] ==
                [(reason, len(first))], rejects)
    count.check(f"{name}: why", word in (rejects or [{"reject_detail": ""}])[0]["reject_detail"],
                rejects)
    if tally["counts"]["lost"]:
        count.check(f"{name}: told", f"'(standard input)': lost a record at byte {len(first)}: " in
                    r.said and r.said.count("\n") == 1, r.said)
    p.warc(first + bad + last, *args, "--strict", code=1 if reason != "too_large" else 0)
    p.warc(first + bad + last, *args, "--max-bad", 1)


def case_gzip_member_cut(p):
    whole = gz(page(2))
    for n in (1, 9, 20, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        one_lost(p, f"cut at {n}", whole[:n], "lost_damaged", "gzip", wrap=gz)
        rows, tally, rejects, r = p.warc(gz(page(1)) + whole[:n])
        count.check(f"the last one cut at {n}", len(rows) == 1 and tally["counts"]["lost"] == 1 and
                    len(rejects) == 1 and f"byte {len(gz(page(1)))}" in r.said, tally, r.said)
    for at in (0, 3, 12, len(whole) // 2, len(whole) - 5, len(whole) - 1):
        one_lost(p, f"bit at {at}", flip(whole, at), "lost_damaged", "gzip", wrap=gz)
    one_lost(p, "a foreign stretch", b"\0garbage" * 5000, "lost_damaged", "gzip", wrap=gz)
    rows, tally, _, _ = p.warc(b"".join(map(gz, map(page, range(9))))[:-3], "-T4")
    count.check("the last of nine", len(rows) == 8 and tally["counts"]["lost"] == 1, tally)


def case_many_losses(p):
    broken = b"".join(gz(page(i)) + flip(gz(page(i)), 60) for i in range(100))
    rows, tally, rejects, r = p.warc(broken)
    count.check("all are counted and kept", len(rows) == tally["counts"]["lost"] == 100 ==
                len(rejects), tally)
    count.check("but not all are told", r.said.count("lost a record at byte") == 20 and
                "counted" in r.said.splitlines()[20] and r.said.count("\n") == 21, r.said)
    p.warc(broken, "--max-bad", 99, code=1)


def case_lengths_lie(p):
    body = b"<p>" + b"many words " * 50
    true = len(HTML_200 + b"\r\n" + body)
    for lie in (0, 1, true - 40, true - 2, true + 5, true + 5000, 1 << 30, 1 << 62):
        plain = page(2, body, length=lie)
        reason = "lost_length"
        one_lost(p, f"plain, {lie} for {true}", plain, reason, "Content-Length")
        rows, tally, rejects, r = p.warc(gz(page(1)) + gz(plain) + gz(page(3)))
        count.check(f"gzip, {lie} for {true}: the member's end is the truth", not rejects and
                    [base64.b64decode(x["html"]) for x in rows][1] == body, r.said)
        count.check(f"gzip, {lie}: counted", tally and tally["counts"]["lengths_wrong"] == 1,
                    tally)
    absent = page(2, body).replace(b"Content-Length", b"X-Length")
    one_lost(p, "plain, no length", absent, "lost_length", "Content-Length")
    one_lost(p, "plain, length of letters", page(2, body).replace(
        b"Length: %d" % true, b"Length: ten"), "lost_length", "Content-Length")
    rows, tally, _, _ = p.warc(page(1) + page(2, body, length=1 << 30))
    count.check("the last one claims more", len(rows) == 1 and tally["reasons"]["lost_cut"] == 1,
                tally)


def case_headers_of_a_megabyte(p):
    junk = b"X-Junk: " + b"j" * (1 << 20) + b"\r\n"
    many = b"X-Junk: jjjj\r\n" * 80000
    for name, extra in (("one line", junk), ("many lines", many)):
        one_lost(p, f"WARC head, {name}", page(2, extra=extra), "lost_head", "64 KiB")
    one_lost(p, "HTTP head, many lines", page(2, http=HTML_200 + many), "lost_head", "1 MiB")
    for header in (b"X-Robots-Tag", b"Content-Language", b"Content-Encoding", b"TDM-Reservation"):
        one_lost(p, f"HTTP head, {header.decode()}", page(2, http=HTML_200 + junk.replace(
            b"X-Junk", header)), "lost_head", "1 MiB")
    half = b"Content-Type: text/html; charset=" + b"c" * 500000 + b"\r\nX-Robots-Tag: " + (
        b"r" * 500000) + b"\r\n"
    docs = p.chain(page(1, http=b"HTTP/1.1 200 OK\r\n" + half), p.folder / "s")
    count.check("just under the limit", docs[0]["x_robots_tag"] == "r" * 500000 and
                docs[0]["title"] == "Page 1", docs)


def case_zip_bombs(p):
    zeros = bytes(80 << 20)
    bomb = gz(zeros, 9)
    begun = time.monotonic()
    one_lost(p, "a member", gz(page(2, zeros), 9), "bomb", "512", wrap=gz)
    for name, http, data in (("gzip body", b"gzip", bomb), ("deflate body", b"deflate",
                                                             zlib.compress(zeros, 9)),
                             ("gzip twice", b"gzip, gzip", gz(bomb, 9))):
        one_lost(p, name, page(2, data, HTML_200 + b"Content-Encoding: " + http + b"\r\n"),
                 "bomb", "inflates", "--max-doc", "256M")
    # within the ratio by chance of its size, yet over what one document may be
    one_lost(p, "over --max-doc", page(2, bomb, HTML_200 + b"Content-Encoding: gzip\r\n"),
             "too_large", "--max-doc", "--max-doc", "8M")
    r = p.run("sluice-warc", "--source", "t", "--report", p.report_path,
              stdin=gz(page(2, zeros), 9) + gz(page(1)))
    peak = json.loads(p.report_path.read_text())["peak_memory_bytes"]
    count.check("memory", r.returncode == 0 and (SANITIZED or peak < 160 << 20), peak)
    count.check("all of them soon", time.monotonic() - begun < (300 if SANITIZED else 60),
                time.monotonic() - begun)


def case_chunked_body_without_end(p):
    chunked = HTML_200 + b"Transfer-Encoding: chunked\r\n"
    chunk = b"5\r\nhello\r\n"
    for name, body, want, cut in (
            ("no last chunk", chunk * 3, b"hello" * 3, True),
            ("a chunk without end", chunk + b"fffffff\r\nworld", b"helloworld", True),
            ("a size of 2^64", chunk + b"ffffffffffffffff\r\nworld", b"helloworld", True),
            ("a size line without end", chunk + b"5", b"hello", True),
            ("a size that is none", chunk + b"zz\r\nhello", b"hello", True),
            ("whole", chunk * 2 + b"0\r\n\r\n", b"hello" * 2, False),
            ("not chunked at all", b"<p>plain", b"<p>plain", False),
            ("a million chunks", b"1\r\na\r\n" * 1000000, b"a" * 1000000, True)):
        rows, tally, rejects, _ = p.warc(page(1) + page(2, body, chunked) + page(3))
        got = base64.b64decode(rows[1]["html"]) if len(rows) == 3 else None
        count.check(name, got == want and not rejects, got if got is None else got[:99])
        count.check(f"{name}: told in the row", rows[1]["truncated"] ==
                    ("unspecified" if cut else None) and
                    tally["counts"]["bodies_cut"] == int(cut), rows[1]["truncated"], tally)


def encoded(tool, data):
    exe = shutil.which(tool)
    return exe and subprocess.run([exe, "-c"], input=data, capture_output=True, check=True).stdout


def case_bodies_really_encoded(p):
    text = b"<title>t</title><p>" + b"some words of a page, " * 40
    forms = {"gzip": gz(text), "x-gzip": gz(text), "deflate": zlib.compress(text),
             "br": encoded("brotli", text), "zstd": encoded("zstd", text)}
    for name, data in forms.items():
        if not data:
            count.skip(f"{name}: no program to make it")
            continue
        http = HTML_200 + b"Content-Encoding: " + name.encode() + b"\r\n"
        for sort, body, whole in (("encoded", data, True), ("decoded already", text, True),
                                  ("cut", data[:len(data) * 2 // 3], False)):
            rows, tally, rejects, _ = p.warc(page(1, body, http))
            got = base64.b64decode(rows[0]["html"]) if rows else b""
            fine = got == text if whole else text.startswith(got) or got == body
            count.check(f"{name}, {sort}", fine and not rejects, got[:99])
            count.check(f"{name}, {sort}: counted", whole is False or
                        tally["counts"]["bodies_decoded"] == int(sort == "encoded"), tally)
    http = HTML_200 + b"Content-Encoding: compress\r\n"
    rows, tally, _, _ = p.warc(page(1, b"\x1f\x9d\x90zz", http))
    count.check("a coding that we cannot undo is counted", len(rows) == 1 and
                tally["counts"]["bodies_unknown"] == 1, tally)


def zstd_with_dictionary(parts):
    """A frame a part, by the system's libzstd, with a trained dictionary in front."""
    name = ctypes.util.find_library("zstd")
    if not name:
        return None
    lib = ctypes.CDLL(name)
    lib.ZSTD_createCCtx.restype = ctypes.c_void_p
    lib.ZSTD_compress_usingDict.restype = ctypes.c_size_t
    lib.ZSTD_compress_usingDict.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t,
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
    lib.ZDICT_trainFromBuffer.restype = ctypes.c_size_t
    samples = [page(i * i, b"<title>Page</title><p>some words %d of page" % i) for i in range(999)]
    room = ctypes.create_string_buffer(4096)
    n = lib.ZDICT_trainFromBuffer(room, ctypes.c_size_t(len(room)), b"".join(samples),
                                  (ctypes.c_size_t * 999)(*map(len, samples)), 999)
    dictionary = room.raw[:n]
    ctx, frames = lib.ZSTD_createCCtx(), []
    for part in parts:
        room = ctypes.create_string_buffer(len(part) + 1000)
        n = lib.ZSTD_compress_usingDict(ctx, room, len(room), part, len(part), dictionary,
                                        len(dictionary), 3)
        frames.append(room.raw[:n])
    head = (0x184D2A5D).to_bytes(4, "little") + len(dictionary).to_bytes(4, "little") + dictionary
    return head, frames


def case_zstd_with_dictionary(p):
    made = zstd_with_dictionary([page(i) for i in range(9)])
    if not made:
        return count.skip("no libzstd")
    head, frames = made
    rows, _, rejects, _ = p.warc(head + b"".join(frames))
    count.check("all are read", len(rows) == 9 and not rejects, rows)
    at = len(head) + sum(map(len, frames[:4]))
    for name, bad in (("cut", frames[4][:-9]), ("left out", b"junk"),
                      ("flipped", flip(frames[4], 0))):
        rows, tally, rejects, r = p.warc(head + b"".join(frames[:4]) + bad + b"".join(frames[5:]))
        count.check(f"{name}: one is lost", len(rows) == 8 and tally["counts"]["lost"] == 1 and
                    rejects[0]["offset"] == at and f"byte {at}" in r.said, len(rows), r.said)
    p.fails("the dictionary cut", 1, ["dictionary"], "sluice-warc", stdin=head[:99])
    p.fails("a dictionary of 4 GB", 1, ["dictionary"], "sluice-warc",
            stdin=head[:4] + b"\xff\xff\xff\xff" + head[8:])
    rows, _, _, _ = p.warc(head[:-9] + bytes(9) + b"".join(frames))
    p.fails("a dictionary of junk", 1, ["not a zstd dictionary"], "sluice-warc",
            stdin=head[:8] + bytes(len(head) - 8) + b"".join(frames))
    count.check("a damaged dictionary loses records and makes none up", all(
        base64.b64decode(x["html"]).startswith(b"<title>Page") for x in rows), rows)


def case_two_inputs_with_one_name(p):
    for d in "xy":
        (p.folder / d).mkdir()
        (p.folder / d / "same.warc").write_bytes(page(ord(d)))
    same = [p.folder / "x/same.warc", p.folder / "y/same.warc"]
    p.fails("refused", 2, ["'same.warc'", "--source-depth 2"], "sluice-warc", *same)
    p.fails("--source for two", 2, ["--source-depth"], "sluice-warc", "--source", "z", *same)
    names = [r["source"] for r in p.rows(p.out("sluice-warc", "--source-depth", 2, *same))]
    count.check("told apart", names == ["x/same.warc", "y/same.warc"], names)
    nameless = page(1).replace(b"WARC-Record-ID", b"X-Record-ID")
    r = p.run("sluice-warc", "--report", p.report_path, stdin=nameless + page(2))
    tally = json.loads(p.report_path.read_text())["tally"]
    count.check("no id and no name: rejected", tally["reasons"]["no_id"] == 1 and
                tally["out"]["rows"] == 1 and r.returncode == 0, tally)


def case_choices_that_choose_nothing(p):
    p.fails("--type", 2, ["'respose'"], "sluice-warc", "--type", "respose", stdin=page(1))
    p.fails("--status", 2, ["'2oo'"], "sluice-warc", "--status", "200,2oo", stdin=page(1))
    p.fails("--mime", 2, ["'html'"], "sluice-warc", "--mime", "html", stdin=page(1))
    mixed = page(1) + wet(2, b"text") + record(3, b"<p>r", "resource", type_="text/html") + (
        record(4, b"", "revisit"))
    for name, args, want in (
            ("default", (),
             {"records": 4, "skipped_type": 1, "skipped_sort": 1, "skipped_revisit": 1}),
            ("WET of a mixture", ("--type", "conversion"),
             {"records": 4, "skipped_sort": 2, "skipped_revisit": 1}),
            ("resources", ("--type", "response,resource"),
             {"records": 4, "skipped_sort": 1, "skipped_revisit": 1})):
        rows, tally, _, _ = p.warc(mixed, *args)
        count.check(name, given(tally["counts"]) == want, tally["counts"])
        count.check(f"{name}: columns", ("text" in rows[0]) == (name[:3] == "WET"), rows)


# ---- the machine ----

def case_full_disk(p):
    """Any write may be the one that finds no room: a limit on the size of files."""
    s = Streams(p)

    def limit(n):
        def set_limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (n, n))
        return set_limit
    for tool, (args, kind) in {"sluice-warc": ((), "warc"), **READERS}.items():
        if tool == "sluice-verify":
            continue
        data, out = getattr(s, kind), p.folder / "out"
        for n in (0, 1, 700, 2000, 4000):
            r = p.run(tool, *args, "-o", out, stdin=data, preexec_fn=limit(n))
            whole = out / "manifest.json" if tool == "sluice-shard" else out
            count.check(f"{tool}, {n} bytes", r.returncode == 3 and "File too large" in r.said and
                        not whole.exists(), r.returncode, r.said)
            shutil.rmtree(out, ignore_errors=True)
            p.nothing_left(f"{tool}, {n} bytes", out)
        if tool != "sluice-shard":
            with open("/dev/full", "wb") as full:
                p.fails(f"{tool} > /dev/full", 3, ["No space left"], tool, *args, stdin=data,
                        stdout=full)
        for other in ("--report", "--depfile"):
            p.fails(f"{tool} {other}", 3, ["No space left"], tool, *args, "-o", out, other,
                    "/dev/full", stdin=data)
            p.nothing_left(f"{tool} {other}", out / "manifest.json" if out.is_dir() else out)
            shutil.rmtree(out, ignore_errors=True)


def case_no_memory(p):
    """Too little address space, in steps, until it is enough."""
    if SANITIZED:
        return count.skip("the sanitizers need their address space")
    s = Streams(p)
    for tool, (args, kind) in {"sluice-warc": ((), "warc"), **READERS}.items():
        out, codes = p.folder / "out", []
        to = () if tool == "sluice-verify" else ("-o", out)
        for n in range(3 << 20, 64 << 20, 1 << 17):
            r = subprocess.run(p.argv(tool, *args, *to), input=getattr(s, kind), env=p.env,
                               capture_output=True, preexec_fn=lambda n=n: resource.setrlimit(
                                   resource.RLIMIT_AS, (n, n)))
            said = r.stderr.decode()
            if r.returncode == 127 and "shared" in said:
                continue  # not even the program could be loaded
            codes.append(r.returncode)
            if r.returncode == 0:
                break
            whole = out / "manifest.json" if tool == "sluice-shard" else out
            count.check(f"{tool} with {n} bytes", r.returncode == 3 and "out of memory" in said and
                        said.count("\n") == 1 and not whole.exists(), r.returncode, said)
            shutil.rmtree(out, ignore_errors=True)
            p.nothing_left(f"{tool} with {n} bytes")
        count.check(f"{tool}: it did fail before", 3 in codes, codes)
        count.check(f"{tool}: ends well at last", codes[-1] == 0, codes)
        shutil.rmtree(out) if out.is_dir() else out.unlink(missing_ok=True)


class Chain:
    """warc | extract | tokenize | pack | shard, each stage a process of ours."""
    STAGES = (("sluice-warc", "--source", "t"), ("sluice-extract",), ("sluice-tokenize",),
              ("sluice-pack", "--length", 256), ("sluice-shard", "--sequences", 5000, "-o"))

    def __init__(self, p, folder, first=0, last=5):
        self.stages, before = [], subprocess.PIPE
        for i in range(first, last):
            args = [*self.STAGES[i], folder] if i == 4 else self.STAGES[i]
            # no stage may hold another's pipe open
            q = subprocess.Popen(p.argv(*args), stdin=before, env=p.env, stderr=subprocess.PIPE,
                                 stdout=subprocess.DEVNULL if i == 4 else subprocess.PIPE)
            if i > first:
                before.close()
            before = q.stdout
            self.stages.append(q)

    def feed(self, data):
        try:
            self.stages[0].stdin.write(data)
            self.stages[0].stdin.flush()
        except BrokenPipeError:
            pass

    def close(self):
        try:
            self.stages[0].stdin.close()
        except BrokenPipeError:
            pass

    def end(self):
        self.close()
        codes = [q.wait() for q in self.stages]
        return codes, "".join(q.stderr.read().decode() for q in self.stages)


def case_killed_stages(p):
    """SIGKILL of any stage, as in a shell without pipefail: no manifest."""
    parts = [gz(page(i, b"<p>" + b"words %d " % i * 2000), 0) for i in range(300)]
    warc = b"".join(parts)
    docs = p.docs(warc)
    tokens = p.out("sluice-tokenize", stdin=docs)
    feeds = [b"".join(parts[:200]), p.out("sluice-warc", "--source", "t", stdin=warc), docs, tokens,
             p.out("sluice-pack", "--length", 256, stdin=tokens)]
    for victim in range(5):
        tool = Chain.STAGES[victim][0]
        # in the midst of the crawl; and a stage that has had its last full batch
        for first, feed in ((0, feeds[0]), (victim, feeds[victim][:end_of_batches(feeds[victim])])):
            if first == 0 and victim == 0 and feed is not feeds[0]:
                continue
            name = f"{tool} {'after its last batch' if first else 'in the midst'}"
            folder = p.folder / "shards"
            chain = Chain(p, folder, first)
            chain.feed(feed)
            time.sleep(0.25)
            chain.stages[victim - first].send_signal(signal.SIGKILL)
            codes, said = chain.end()
            behind = codes[victim - first + 1:]
            count.check(f"{name}: the stages behind fail", all(c == 1 for c in behind), codes, said)
            told = [s for s in said.splitlines() if "upstream" not in s]
            count.check(f"{name}: it is told by the next stage", len(told) == bool(behind) and all(
                ("truncated" in s or "empty input" in s) for s in told) and
                said.count("upstream") == (len(behind) > 1), said)
            count.check(f"{name}: no manifest", not (folder / "manifest.json").exists())
            if folder.exists():
                r = p.run("sluice-verify", folder)
                count.check(f"{name}: refused", r.returncode == 1 and "manifest.json" in r.said,
                            r.said)
            p.nothing_left(name)
            whole = Chain(p, folder)
            whole.feed(warc)
            codes, said = whole.end()
            count.check(f"{name}: begun again", codes == [0] * 5, codes, said)
            count.check(f"{name}: whole", p.run("sluice-verify", folder).returncode == 0)
            shutil.rmtree(folder)


def case_damaged_crawl_in_a_shell(p):
    """A crawl that is no WARC, and pipefail off: the last stage fails all the same,
    and the error is told once with what went wrong first."""
    (p.folder / "x.warc").write_bytes(b"not a crawl\n" * 99)
    b, out = p.bin, p.folder / "shards"
    line = (f"{b}/sluice-warc {p.folder}/x.warc | {b}/sluice-extract | {b}/sluice-tokenize | "
            f"{b}/sluice-pack --length 64 | {b}/sluice-shard -o {out}")
    r = subprocess.run(["sh", "-c", line], capture_output=True, env=p.env, text=True)
    count.check("exit 1 of the last stage", r.returncode == 1, r)
    count.check("told by the first", r.stderr.startswith("sluice-warc: '") and
                "not a WARC file" in r.stderr, r.stderr)
    count.check("and once by its neighbour", r.stderr.count("\n") == 2 and
                "sluice-extract: upstream sluice-warc failed" in r.stderr, r.stderr)
    count.check("no shards", not (out / "manifest.json").exists())
    p.nothing_left("shell")


def case_closed_pipe(p):
    warc = b"".join(gz(page(i, b"<p>" + b"words %d " % i * 2000)) for i in range(600))
    (p.folder / "x.warc.gz").write_bytes(warc)
    chain = Chain(p, None, 0, 4)
    feeder = threading.Thread(target=lambda: (chain.feed(warc), chain.close()), daemon=True)
    feeder.start()
    chain.stages[-1].stdout.read(100)
    chain.stages[-1].stdout.close()
    feeder.join(60)
    codes, said = chain.end()
    count.check("all die of SIGPIPE", codes == [-signal.SIGPIPE] * 4, codes)
    count.check("without a word", said == "", said)
    p.nothing_left("closed pipe")
    line = f"{p.bin}/sluice-warc {p.folder}/x.warc.gz | head -c 9"
    r = subprocess.run(["sh", "-c", line], capture_output=True, env=p.env)
    count.check("head", r.returncode == 0 and not r.stderr and len(r.stdout) == 9, r)
    r = p.run("sluice-export", stdin=Streams(p).docs, stdout=os.open(os.devnull, os.O_RDONLY))
    count.check("standard output that cannot be written", r.returncode == 3, r.returncode, r.said)


# ---- shards ----

def loader_python():
    for exe in (sys.executable, ROOT / "build/venv/bin/python"):
        if subprocess.run([exe, "-c", "import numpy"], capture_output=True).returncode == 0:
            return exe
    return None


def case_shard_folders(p):
    whole = p.folder / "whole"
    p.out("sluice-shard", "--sequences", 5, "-o", whole, stdin=Streams(p, 60).sequences)
    python, script = loader_python(), ROOT / "examples/pytorch/sluice_shards.py"
    if not python:
        count.skip("the loader: no Python with numpy")

    def load(folder, *args):
        return subprocess.run([python, script, folder, *args], capture_output=True, text=True)
    shards = sorted(f.name for f in whole.glob("shard-*"))
    a, b = shards[:2]

    def swap(f):
        os.rename(f / a, f / "x")
        os.rename(f / b, f / a)
        os.rename(f / "x", f / b)
    for name, damage, word in (
            ("missing", lambda f: (f / b).unlink(), b), ("swapped", swap, a),
            ("cut", lambda f: os.truncate(f / b, 100), b),
            ("empty", lambda f: os.truncate(f / b, 0), b),
            ("no manifest", lambda f: (f / "manifest.json").unlink(), "manifest.json"),
            ("cut manifest", lambda f: os.truncate(f / "manifest.json", 300), "manifest.json"),
            ("a manifest of another", lambda f: (f / "manifest.json").write_text("{}"), "manifest"),
            ("no folder", shutil.rmtree, "damaged")):
        folder = p.folder / "damaged"
        shutil.copytree(whole, folder)
        damage(folder)
        code = 3 if name == "no folder" else 1
        p.fails(name, code, [word], "sluice-verify", folder)
        if python:
            r = load(folder)
            count.check(f"{name}: the loader refuses", r.returncode == 1 and word in r.stderr and
                        "Traceback" not in r.stderr, r.returncode, r.stderr)
        shutil.rmtree(folder, ignore_errors=True)
    if python:
        r = load(whole, "--vocab-size", "258")
        count.check("the loader takes the whole", r.returncode == 0, r.stderr)
        for args in (("--vocab-size", "50257"), ("--tokenizer", "0" * 32)):
            r = load(whole, *args)
            count.check(f"the loader refuses another vocabulary {args[0]}", r.returncode == 1 and
                        "another vocabulary" in r.stderr and "'bytes'" in r.stderr, r.stderr)


def main():
    words = sys.argv[2:]
    for name, case in list(globals().items()):
        if not name.startswith("case_") or (words and not any(w in name for w in words)):
            continue
        count.case = name[5:].replace("_", " ")
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="bad-input-") as folder:
            try:
                case(Place(BUILD, folder, count))
            except Exception as e:  # one broken case must not hide the others
                line = e.__traceback__.tb_next.tb_lineno if e.__traceback__.tb_next else 0
                count.check("the case itself", False, repr(e), "line", line)
        print(f"{name[5:]}: {time.monotonic() - begun:.1f} s", flush=True)
    print(f"{count.passed} passed, {count.failed} failed, {count.skipped} skipped")
    return 1 if count.failed or not count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
