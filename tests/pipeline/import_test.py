#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sluice-import: round trips, every reason of a bad line, formats, options.

usage: import_test.py BUILD_DIR

What a line must come to is said here, in Python; the JSON test suite of the shared
data says what JSON is.
"""
import base64
import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bad_input import Count, Place, given  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SUITE = Path(os.environ.get("SLUICE_SHARED", ROOT.parent / "shared")) / \
    "data/json/json-test-suite.tar.zst"
TYPES = ("http_status uint16?, content_type utf8?, score float32?, big uint64, small int8?, "
         "ok bool?, raw binary?, key fixed_size_binary[3]?, at timestamp[ns,UTC]?, "
         "day timestamp[s]?, "
         "tags list<utf8>, pair fixed_size_list<int32>[2]?, part struct<a:utf8?,b:list<float64>>?, "
         "offset uint64, wide float64")
# Of the JSON suite's cases that may be either, those that we refuse.
EITHER_REFUSED = ("i_string_UTF-16LE_with_BOM.json", "i_string_utf16BE_no_BOM.json",
                  "i_string_utf16LE_no_BOM.json", "i_structure_UTF-8_BOM_empty_object.json")
count = Count()


def lines(*objects):
    return b"".join(o if isinstance(o, bytes) else
                    (json.dumps(o, ensure_ascii=False) + "\n").encode() for o in objects)


def imported(p, data, *args, code=0, name=("--source", "s")):
    """(rows, tally, rejects, process)"""
    r = p.run("sluice-import", *name, "-f", "--report", p.report_path, "--rejects",
              p.rejects_path, *args, stdin=data)
    if not count.check(f"ends with {code}", r.returncode == code, r.returncode, r.said) or code:
        return [], {}, [], r
    tally = json.loads(p.report_path.read_text())["tally"]
    (p.folder / "kept.arrows").write_bytes(r.stdout)
    v = p.run("sluice-verify", p.folder / "kept.arrows", p.rejects_path)
    count.check("rows and rejects are sound", v.returncode == 0, v.said)
    count.check("in is out and rejected", tally["in"]["rows"] ==
                tally["out"]["rows"] + tally["rejected"]["rows"], tally)
    return p.rows(r.stdout), tally, p.rows(p.rejects_path.read_bytes()), r


def trailer(stream):
    at = [m.start() for m in re.finditer(rb'\{"rows":\d+,"batches"', stream)][-1]
    return json.JSONDecoder().raw_decode(stream[at:].decode("utf-8", "replace"))[0]


# ---- cases ----

def case_fields(p):
    rows, tally, rejects, _ = imported(p, lines(
        {"id": "a", "url": "http://x/", "date": "2024-01-02T03:04:05.25+01:00", "text": "é\n\"\\\0",
         "source": "web", "n": 1, "x": {"y": [1, None]}},
        {"id": 17, "date": 86400, "text": ""},
        {"text": "no id", "url": None, "date": "never", "json": 1}))
    count.check("rows", [(r["source_id"], r["url"], r["date"], r["text"], r["source"], r["json"])
                         for r in rows] == [
        ("a", "http://x/", "2024-01-02T02:04:05.250000Z", "é\n\"\\\0", "web",
         '{"n":1,"x":{"y": [1, null]}}'),
        ("17", None, "1970-01-02T00:00:00Z", "", "s", None),
        (None, None, None, "no id", "s", '{"json":1}')], rows)
    count.check("counts", given(tally["counts"]) == {"lines": 3, "bad_dates": 1}, tally)
    count.check("the offset is that of the line", rows[1]["offset"] == 146, rows[1])
    try:
        import xxhash
    except ImportError:
        count.skip("xxhash cannot be imported: ids were not compared")
        return
    ids = [xxhash.xxh3_128_hexdigest(b) for b in
           (b"s\0a", b"s\x0017", b"s\0%d" % rows[2]["offset"])]
    count.check("ids are as concepts.md says", [r["id"] for r in rows] == ids, rows)
    path = p.folder / "in.jsonl"
    path.write_bytes(lines({"id": "a", "text": "t"}, {"text": "u"}))
    rows = imported(p, b"", path, name=())[0]
    count.check("alone without --source", [r["id"] for r in rows] == [
        xxhash.xxh3_128_hexdigest(b"a"),
        xxhash.xxh3_128_hexdigest(b"in.jsonl\0%d" % rows[1]["offset"])], rows)


def case_bad_lines(p):
    kinds = [
        ("not_json", b"{\"text\":\"a\"", b"nonsense", b"{'text':1}", b"{\"text\":\"a\"}}",
         b"{\"text\":\"a\\x\"}", b"{\"text\":\"tab\there\"}", b"{\"text\":NaN}",
         b"{\"text\":\"a\",}"),
        ("not_object", b"[1]", b"\"text\"", b"7", b"null"),
        ("duplicate_field", b'{"text":"a","text":"b"}', b'{"text":"a","x":1,"\\u0078":2}',
         b'{"text":"a","x\\n":1,"x\\u000a":2}',
         b'{"text":"a",' + b",".join(b'"k%d":%d' % (i % 50, i) for i in range(51)) + b"}"),
        ("missing", b"{}", b'{"text":null}', b'{"body":"a"}'),
        ("wrong_type", b'{"text":5}', b'{"text":["a"]}', b'{"text":"a","url":3}',
         b'{"text":"a","id":true}', b'{"text":"a","source":{}}', b'{"text":"a","n":"1"}'),
        ("bad_value", b'{"text":"a","n":256}', b'{"text":"a","n":-1}', b'{"text":"a","n":1.5}',
         b'{"text":"a","f":1e39}', b'{"text":"a","n":1e2}'),
        ("too_large", b'{"text":"' + b"x" * 1001 + b'"}', b'{"x":"' + b"x" * 1100000 + b'"}'),
    ]
    good = b'{"text":"good","n":255,"f":1e38}\n'
    data, want, line, off = good, [], 1, len(good)
    for reason, *bad in kinds:
        for b in bad:
            line += 1
            want.append((reason, line, off, b))
            data += b + b"\n" + good
            off += len(b) + 1 + len(good)
            line += 1
    rows, tally, rejects, r = imported(p, data, "--columns", "n uint8?, f float32?",
                                       "--max-doc", "1000")
    count.check("reason, number, offset and the line itself", [
        (x["reject_reason"], x["line"], x["offset"], base64.b64decode(x["raw"])) for x in rejects]
        == [(a, n, o, b[:65536]) for a, n, o, b in want],
        [(x["reject_reason"], x["line"], x["offset"]) for x in rejects])
    count.check("each has a detail", all(x["reject_detail"] for x in rejects), rejects)
    count.check("the others are rows", len(rows) == len(want) + 1 and
                all(x["text"] == "good" and x["n"] == 255 for x in rows), len(rows))
    count.check("the first are told", r.said.count("is no row") == 10 and "line 2 at" in r.said,
                r.said)
    count.check("reasons", tally["reasons"]["missing"] == 3 and tally["reasons"]["no_id"] == 0)
    p.fails("--strict", 1, ["--strict", "missing", "record 2", "byte 13"], "sluice-import", "-q",
            "--source", "s", "--strict", stdin=b'{"text":"a"}\n{}\n')
    p.fails("--max-bad", 1, ["--max-bad", "not_json"], "sluice-import", "-q",
            "--source", "s", "--max-bad", 1, stdin=b'{}\n{"text":"a"}\n{"\n')
    imported(p, b'{}\n{"text":"a"}\n{"\n', "--max-bad", 2)


def case_no_id(p):
    rows, tally, rejects, r = imported(p, lines({"text": "a"}, {"text": "b", "id": "x"}), name=())
    count.check("a line without id and name", len(rows) == 1 and
                rejects[0]["reject_reason"] == "no_id" and "--source" in r.said, rejects, r.said)


def case_utf8(p):
    rows, tally, _, _ = imported(p, b'{"text":"a\xffb\xe2\x82c","k\xc3":1}\n'
                                 b'{"text":"\\ud800 \\udc00\\ud83d\\ude00 \\u0000"}\n')
    count.check("replaced", [r["text"] for r in rows] ==
                ["a\ufffdb\ufffdc", "\ufffd \ufffd\U0001f600 \0"] and
                rows[0]["json"] == '{"k\ufffd":1}', rows)
    count.check("counted", tally["counts"]["replaced_characters"] == 5, tally)


def case_line_ends(p):
    data = b'\xef\xbb\xbf{"text":"a"}\r\n\r\n  \n\n{"text":"b"}\n{"text":"c"}'
    rows, tally, _, _ = imported(p, data)
    count.check("rows", [(r["text"], r["offset"]) for r in rows] ==
                [("a", 3), ("b", 23), ("c", 36)], rows)
    count.check("blank lines", given(tally["counts"]) == {"lines": 6, "skipped_blank": 3}, tally)
    for empty in (b"", b"\n", b"\xef\xbb\xbf", b" \r\n\t\n"):
        rows, tally, _, _ = imported(p, empty)
        count.check("nothing is no row", rows == [] and tally["in"]["rows"] == 0, tally)
    # a line ends wherever the window does
    texts = [("x" * n) for n in list(range(262100, 262160)) + [1, 0]]
    rows = imported(p, lines(*({"text": t} for t in texts)))[0]
    count.check("long lines", [r["text"] for r in rows] == texts)


def case_compressed(p):
    data = lines(*({"id": str(i), "text": "text %d\n" % i * 30} for i in range(3000)))
    plain = imported(p, data)[0]
    for name, packed in (("gz", gzip.compress(data)), ("members", gzip.compress(data[:100000]) +
                                                       gzip.compress(data[100000:]))):
        count.check(name, imported(p, packed)[0] == plain)
    zstd = subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE).stdout
    count.check("zst", imported(p, zstd)[0] == plain)
    packed = gzip.compress(data)
    p.fails("a cut gz", 1, ["byte"], "sluice-import", "-q", "--source", "s", stdin=packed[:-9])
    p.fails("a cut zst", 1, ["byte"], "sluice-import", "-q", "--source", "s", stdin=zstd[:-9])


def case_text(p):
    one, two = p.folder / "one.txt", p.folder / "two.txt.gz"
    one.write_bytes(b"\xef\xbb\xbffirst\r\n{line}\n")
    two.write_bytes(gzip.compress("zweiter Text".encode()))
    rows = imported(p, b"", one, two, name=())[0]
    count.check("a file a document", [(r["text"], r["source"], r["offset"], r["source_id"])
                                      for r in rows] ==
                [("first\r\n{line}\n", "one.txt", 0, None),
                 ("zweiter Text", "two.txt.gz", 0, None)], rows)
    one.write_bytes(b'{"text":"a"}\n')
    rows = imported(p, b"", "--format", "text", one, name=())[0]
    count.check("--format text", [r["text"] for r in rows] == ['{"text":"a"}\n'], rows)
    rows = imported(p, b"", "--format", "text", name=("--source", "s"))[0]
    count.check("an empty file is an empty document", [r["text"] for r in rows] == [""], rows)
    rows, tally, rejects, _ = imported(p, b"x" * 1001, "--max-doc", "1000")
    count.check("too large", tally["reasons"]["too_large"] == 1 and
                base64.b64decode(rejects[0]["raw"]) == b"x" * 1001, tally)
    rows = imported(p, b"<p>a", "--map", "html=html")[0]
    count.check("as html", rows[0]["html"] == base64.b64encode(b"<p>a").decode() and
                "text" not in rows[0], rows)
    for data, word in ((b"PAR1" + b"\0" * 40, "Parquet"), (b"ARROW1\0\0", "Arrow file"),
                       (p.out("sluice-import", "--source", "s"), "Arrow stream"),
                       (b"WARC/1.0\r\n", "sluice-warc"), (b"\x00\x01binary" * 9, "no text"),
                       (b"[\n {\"text\":1}]", "JSON array"), ("ä".encode("utf-16"), "UTF-16"),
                       (b"PK\x03\x04", "zip"), (b"%PDF-1.4", "PDF")):
        p.fails(word, 1, [word], "sluice-import", "--source", "s", stdin=data)


def case_options(p):
    data = lines({"key": "k", "content": "t", "text": 5, "link": "u", "score": 1})
    rows = imported(p, data, "--map", "text=content,url=link,id=key,n=score", "--columns",
                    "n float32")[0]
    count.check("--map", [(r["text"], r["url"], r["source_id"], r["n"], r["json"]) for r in rows] ==
                [("t", "u", "k", 1, '{"text":5}')], rows)
    rows, tally, _, _ = imported(p, lines({"text": "t", "a": 1, "b": 2}), "--no-json")
    count.check("--no-json", "json" not in rows[0] and tally["counts"]["dropped_fields"] == 2, rows)
    rows = imported(p, lines({"html": "<p>\u00e9\n", "text": "x"}), "--map", "html=html")[0]
    count.check("html", base64.b64decode(rows[0]["html"]).decode() == "<p>\u00e9\n" and
                "text" not in rows[0] and rows[0]["json"] == '{"text":"x"}', rows)
    rows = imported(p, lines({"html": "<p>", "text": "x"}), "--map", "html=html,text=text")[0]
    count.check("both", rows[0]["text"] == "x" and "html" in rows[0], rows)
    for args, word in ((("--map", "text"), "COLUMN=FIELD"), (("--map", "nothing=x"), "nothing"),
                       (("--map", "text=a,text=b"), "twice"), (("--map", "text=a,url=a"), "two"),
                       (("--columns", "n"), "NAME TYPE"), (("--columns", "n floot"), "floot"),
                       (("--columns", "text utf8"), "text"),
                       (("--columns", "json utf8"), "--no-json"),
                       (("--columns", "n int8, n int8"), "n"), (("--format", "csv"), "format"),
                       (("--map", "offset=o"), "offset"), (("--columns", "n int8,"), "NAME TYPE")):
        p.fails(" ".join(args), 2, [word], "sluice-import", "--source", "s", *args)
    want = imported(p, lines({"text": "x"}))[3].stdout
    none = imported(p, b"", "--format", "jsonl")[3].stdout
    count.check("the columns do not depend on the data", [c[0] for c in trailer(want)["columns"]] ==
                [c[0] for c in trailer(none)["columns"]])


def case_round_trip(p):
    first = lines(*({
        "id": f"d{i}", "url": f"http://x/{i}" if i % 3 else None, "date": 1e9 + i / 4,
        "text": "".join(chr(32 + (i * k) % 0x500) for k in range(i % 90)) +
        "\n\t\"\\\x01\0é\U0001f600",
        "http_status": 200 + i if i % 4 else None, "content_type": "text/html",
        "score": i / 7, "big": 2 ** 64 - 1 - i, "small": i % 256 - 128, "ok": i % 2 == 0,
        "raw": base64.b64encode(bytes(range(i % 7))).decode(), "key": "00ff%02x" % (i % 256),
        "at": f"2001-02-03T04:05:06.{i:09d}Z", "day": i * 86400, "tags": ["a"] * (i % 3),
        "pair": [i, -i] if i % 5 else None, "part": {"a": str(i), "b": [i / 3]} if i % 2 else None,
        "offset": i, "wide": i / 3, "further": {"x": [i]},
    } for i in range(5000)))
    one = p.out("sluice-import", "--source", "s", "--columns", TYPES, stdin=first)
    text = p.out("sluice-export", stdin=one)
    two = p.out("sluice-import", "--source", "t", "--id", "hex", "--no-json", "--columns",
                TYPES + ", json utf8?", stdin=text)
    a, b = dict(trailer(one)["columns"]), dict(trailer(two)["columns"])
    count.check("5000 rows", trailer(one)["rows"] == trailer(two)["rows"] == 5000)
    count.check("every column has its digest again", a == b and len(a) == 22,
                {k: (a.get(k), b.get(k)) for k in a.keys() | b.keys() if a.get(k) != b.get(k)})
    count.check("and the same text", p.out("sluice-export", "--columns", ",".join(a), stdin=two) ==
                p.out("sluice-export", "--columns", ",".join(a), stdin=one))
    p.fails("an id that is no hex", 1, ["bad_value"], "sluice-import", "-q", "--source", "s",
            "--id", "hex", "--strict", stdin=lines({"id": "xyz", "text": "a"}))


def case_pages(p):
    """Real pages, extracted, exported, imported: the same columns."""
    path = SUITE.parents[1] / "warc/whirlwind.warc.gz"
    if not path.exists():
        count.skip("the shared WARC files are absent (SLUICE_SHARED)")
        return
    pages = p.out("sluice-warc", path)
    for one in (pages, p.out("sluice-extract", stdin=pages)):
        two = p.out("sluice-import", "--source", "t", "--id", "hex", "--no-json", "--columns",
                    ", ".join(columns_of(one)), stdin=p.out("sluice-export", stdin=one))
        a, b = dict(trailer(one)["columns"]), dict(trailer(two)["columns"])
        count.check("every column has its digest again", a == {k: b.get(k) for k in a}, a, b)


def columns_of(stream):
    """For --columns: all that sluice-import does not make of itself, from the stream's
    schema as pyarrow reads it."""
    import pyarrow
    import pyarrow.ipc
    names = {pyarrow.string(): "utf8", pyarrow.uint16(): "uint16", pyarrow.uint64(): "uint64",
             pyarrow.uint32(): "uint32", pyarrow.large_binary(): "large_binary",
             pyarrow.float32(): "float32", pyarrow.bool_(): "bool"}
    for f in pyarrow.ipc.open_stream(stream).schema:
        if f.name not in ("id", "source_id", "url", "date", "text", "source"):
            yield f"{f.name} {names[f.type]}{'?' if f.nullable else ''}"


def case_python_agrees(p):
    """Random documents, written by Python's json in both of its ways."""
    import random
    r = random.Random(3)
    letters = [chr(c) for c in (*range(0, 0x250), 0x20ac, 0x4e00, 0xfffd, 0x1f600, 0x10ffff)]
    docs = [{"id": str(i), "text": "".join(r.choices(letters, k=r.randrange(300))),
             "u": "".join(r.choices(letters, k=r.randrange(9)))} for i in range(3000)]
    for ascii_only in (True, False):
        data = "\n".join(json.dumps(d, ensure_ascii=ascii_only) for d in docs).encode()
        rows = imported(p, data)[0]
        count.check(f"ensure_ascii={ascii_only}", [r["text"] for r in rows] ==
                    [d["text"] for d in docs] and [json.loads(r["json"])["u"] for r in rows] ==
                    [d["u"] for d in docs])


def case_large_line(p):
    """A line of 70 MiB: over --max-doc, and a row where that allows it."""
    big = b'{"id":"big","text":"' + b"0123456789\\n" * (6 << 20) + b'"}'
    data = b'{"text":"before"}\n' + big + b'\n{"text":"behind"}\n'
    rows, tally, rejects, _ = imported(p, data)
    count.check("rejected", [r["text"] for r in rows] == ["before", "behind"] and
                tally["reasons"]["too_large"] == 1 and rejects[0]["line"] == 2, tally)
    p.run("sluice-import", "-q", "--source", "s", "--max-doc", "128M", "-fo",
          p.folder / "big.arrows", stdin=data)
    out = p.out("sluice-export", "--columns", "text", p.folder / "big.arrows")
    digest = hashlib.md5(json.loads(out.split(b"\n")[1])["text"].encode()).hexdigest()
    count.check("taken", digest == hashlib.md5(b"0123456789\n" * (6 << 20)).hexdigest())


def suite_members():
    tar = subprocess.run(["zstd", "-dc", SUITE], stdout=subprocess.PIPE, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as t:
        members = {m.name.split("/")[-1]: t.extractfile(m).read() for m in t
                   if m.name.endswith(".json")}
    return {n: d for n, d in sorted(members.items()) if n[:2] in ("y_", "n_", "i_")}


def case_json_suite(p):
    if not SUITE.exists():
        count.skip("the JSON test suite is absent (SLUICE_SHARED)")
        return
    members = suite_members()
    count.check("318 cases", len(members) == 318, len(members))
    for name, data in members.items():
        (p.folder / name).write_bytes(data)
    check = p.bin.parent / "test" / "json_check"
    said = subprocess.run([check, *(p.folder / n for n in members)], stdout=subprocess.PIPE,
                          check=True).stdout.decode().split()
    accepted = {n for n, s in zip(members, said) if s == "yes"}
    count.check("as a text: y_ accepted, n_ refused",
                {n for n in members if n[0] == "y"} <= accepted and
                not {n for n in accepted if n[0] == "n"}, sorted(accepted))
    count.check("as a text: i_ as ever", {n for n in members if n[0] == "i"} - accepted ==
                set(EITHER_REFUSED), sorted({n for n in members if n[0] == "i"} - accepted))
    # and each that has one line as the value of a field
    seen = {}
    for name, data in members.items():
        value = data.strip(b" \t\r\n")
        if b"\n" not in value:
            seen.setdefault(b'{"text":"t","v":' + value + b"}", []).append(name)
    rejects = imported(p, b"\n".join(seen), "--format", "jsonl")[2]
    bad = {base64.b64decode(r["raw"]) for r in rejects}
    wrong = [n for line, names in seen.items() for n in names
             if n[0] != "i" and (line[:65536] in bad) != (n[0] == "n")]
    count.check("as a field: y_ accepted, n_ refused", wrong == [], wrong)
    count.check("most cases were run", len(seen) > 280, len(seen))


def main():
    build = Path(sys.argv[1]).resolve()
    cases = [f for n, f in globals().items() if n.startswith("case_")]
    for case in cases:
        count.case = case.__name__[5:]
        if sys.argv[2:] and count.case not in sys.argv[2:]:
            continue
        with tempfile.TemporaryDirectory(prefix="import-") as folder:
            case(Place(build, folder, count))
    print(f"{count.passed} passed, {count.failed} failed, {count.skipped} skipped")
    return 1 if count.failed or not count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
