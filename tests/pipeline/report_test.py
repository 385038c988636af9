#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""sluice-report: a page that parses, whose figures are those of the trailers and
reports, that hostile text cannot break, and that is not written where an input is
wrong.

usage: report_test.py BUILD_DIR
"""
import gzip
import json
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

BUILD = Path(sys.argv[1]).resolve()
BIN = BUILD / "bin"
SAMPLE = BUILD / "test" / "sequences_sample"
counts = {"passed": 0, "failed": 0, "skipped": 0}
VOID = {"meta", "br"}
HOSTILE = [
    '</script><script>alert(1)</script>', '</style></div></article></section>', '"><img src=x>',
    "<!--", "--><![CDATA[", "&lt;&#0;&amp", "\u202eevil\u2066\u2069\u2069\u2069 text",
    "' onload='x", "\u0001\u007f\u0085\ufeff\ufdd0", "</title></head></html>", "e" + "\u0301" * 300,
    "\u05e9\u05dc\u05d5\u05dd", "x" * 2000,
]


def check(name, ok, *what):
    counts["passed" if ok else "failed"] += 1
    if not ok:
        print("FAIL", name, *(str(w)[:600] for w in what))


def run(*args, stdin=b"", code=0):
    p = subprocess.run([BIN / args[0], *map(str, args[1:])], input=stdin, capture_output=True)
    check(f"exit code of {args}", p.returncode == code, p.returncode, p.stderr.decode())
    return p


class Page(HTMLParser):
    """A page that is read strictly: every element is closed by its own end tag, but
    for cells of a table, whose end may be left out."""

    def __init__(self, data):
        super().__init__(convert_charrefs=True)
        self.open, self.wrong, self.tags, self.figures = [], [], {}, {}
        self.text, self.tables, self.sections, self.titles = "", {}, [], 0
        self.row = self.figure = None
        self.source = data.decode()
        self.feed(self.source)
        self.close()
        if self.open:
            self.wrong.append(f"never closed: {self.open}")

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        a = dict(attrs)
        names = [n for n, _ in attrs]
        if len(names) != len(set(names)) or any(n.startswith("on") for n in names):
            self.wrong.append(f"attributes {names}")
        for n in ("src", "href", "srcset", "action", "data"):
            if n in a and not a[n].startswith("#"):
                self.wrong.append(f"{n}={a[n]}")
        if tag in ("td", "th") and self.open and self.open[-1][0] in ("td", "th"):
            self.open.pop()
        if tag in VOID:
            return
        self.open.append((tag, a))
        if tag == "table":
            self.tables.setdefault(a.get("data-name", ""), []).append([])
        elif tag == "tr":
            self.row = []
        elif tag in ("td", "th"):
            self.row.append("")
        elif tag == "dd":
            self.figure = a["data-name"]
            self.figures[self.figure] = ""
        elif tag == "h2" and "id" in a:
            self.sections.append(a["id"])
        elif tag == "svg" and a.get("role") == "img":
            self.titles -= 1
        elif tag == "title" and any(t == "svg" for t, _ in self.open):
            self.titles += 1
        elif tag == "p" and "data-law" in a:
            self.figures["law"] = a["data-law"]

    def handle_startendtag(self, tag, attrs):
        if not any(t == "svg" for t, _ in self.open):
            self.wrong.append(f"<{tag}/> outside of SVG")

    def handle_endtag(self, tag):
        if tag == "tr" and self.open[-1][0] in ("td", "th"):
            self.open.pop()
        if not self.open or self.open[-1][0] != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}, open are {self.open[-3:]}")
            return
        _, a = self.open.pop()
        if tag == "tr":
            name = next((x.get("data-name", "") for t, x in reversed(self.open) if t == "table"),
                        "")
            self.tables[name][-1].append([c.strip() for c in self.row])
            self.row = None
        if tag == "dd":
            self.figure = None

    def handle_comment(self, data):
        self.wrong.append("a comment: " + data)

    def unknown_decl(self, data):
        self.wrong.append("a declaration: " + data)

    def handle_data(self, data):
        self.text += data
        if self.row is not None and self.row:
            self.row[-1] += data
        if self.figure and not any(t == "small" for t, _ in self.open):
            self.figures[self.figure] += data


def page_of(*args, stdin=b""):
    out = run("sluice-report", *args, stdin=stdin).stdout
    page = Page(out)
    check(f"well-formed: {args[:3]}", not page.wrong, page.wrong[:3])
    check("no script, image or link", not {"script", "img", "link", "iframe", "object", "base",
                                           "form", "input"} & set(page.tags), page.tags)
    check("nothing from elsewhere in the style", "url(" not in page.source.split("</style>")[0]
          and "@import" not in page.source.split("</style>")[0])
    check("every chart has a title", page.titles == 0, page.titles)
    check("no machine path", str(Path.home()) not in page.source and "/tmp" not in page.text)
    return page


def number(text):
    return int(text.replace(",", "").split()[0])


def warc(pages):
    """A crawl; its first record is of a type that is passed over."""
    parts = [gzip.compress(b"WARC/1.0\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: <urn:test:w>\r\n"
                           b"WARC-Date: 2024-05-19T00:00:00Z\r\nContent-Length: 0\r\n\r\n\r\n"
                           b"\r\n", 1, mtime=0)]
    for i, (host, title, text) in enumerate(pages):
        def quoted(s):
            return s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        body = (f"<!doctype html><meta charset=utf-8><title>{quoted(title)}</title>"
                f"<p>{quoted(text)}</p>").encode()
        block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + body
        head = (f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Date: 2024-05-19T00:00:00Z\r\n"
                f"WARC-Record-ID: <urn:test:{i}>\r\nWARC-Target-URI: https://{host}/{i}\r\n"
                f"Content-Type: application/http; msgtype=response\r\n"
                f"Content-Length: {len(block)}\r\n\r\n").encode()
        parts.append(gzip.compress(head + block + b"\r\n\r\n", 1, mtime=0))
    return b"".join(parts)


def make(folder, pages, scored=False):
    """A small way, each stage with its report; scored: with sluice-difficulty in it."""
    folder.mkdir()
    made = run("sluice-warc", "--source", "t", "--report", folder / "1-warc.json", "--rejects",
               folder / "1-rejects.arrows", stdin=warc(pages)).stdout
    run("sluice-extract", "--max-doc", 4000, "--report", folder / "2-extract.json", "--rejects",
        folder / "2-rejects.arrows", "-o", folder / "docs.arrows", stdin=made)
    docs = folder / "docs.arrows"
    if scored:
        docs = folder / "scored.arrows"
        run("sluice-difficulty", "--report", folder / "2-difficulty.json", "-o", docs,
            folder / "docs.arrows")
    made = run("sluice-tokenize", "--report", folder / "3-tokenize.json", docs).stdout
    made = run("sluice-pack", "--length", 64, "--report", folder / "9-pack.json",
               stdin=made).stdout
    run("sluice-shard", "--sequences", 50, "--report", folder / "10-shard.json", "-o",
        folder / "shards", stdin=made)


def all_of(folder):
    """Reports in the order of a shell, where 10 comes before 2."""
    return [*sorted(folder.glob("*.json"), key=lambda p: p.name),
            *sorted(folder.glob("*-rejects.arrows")), folder / "docs.arrows", folder / "shards"]


def test_figures(tmp):
    pages = [(f"h{i % 5}.example", f"Page {i}", f"word {i} " * (i * 3 + 1)) for i in range(200)]
    folder = tmp / "way"
    make(folder, pages)
    page = page_of(*all_of(folder), "--kept", folder / "docs.arrows", "--order", folder / "shards")
    manifest = json.loads((folder / "shards" / "manifest.json").read_text())
    stages = manifest["lineage"]
    extract, pack = stages[1]["tally"], stages[3]["tally"]
    check("some documents are rejected", extract["rejected"]["rows"] > 0)
    want = {"docs-in": 200, "kept": pack["begun"]["rows"], "dropped": extract["rejected"]["rows"],
            "tokens": pack["counts"]["tokens_out"] - pack["counts"]["padding"],
            "sequences": manifest["sequences"], "shards": len(manifest["shards"])}
    got = {k: number(v) for k, v in page.figures.items() if k != "law"}
    check("the headline is that of the trailers", got == want, got, want)
    check("the law holds", page.figures["law"] == "holds")
    rows = page.tables["stages"][0][1:]
    want = [[s["tool"].removeprefix("sluice-"), s["tally"]["in"]["rows"], s["tally"]["out"]["rows"],
             s["tally"]["rejected"]["rows"]] for s in stages]
    got = [[r[0], *map(number, r[1:4])] for r in rows]
    check("one funnel of all stages", len(page.tables["stages"]) == 1 and got == want, got, want)
    cost = page.tables["cost"][0]
    check("every report is matched, in order", [r[0] for r in cost[1:]] ==
          ["warc", "extract", "tokenize", "pack", "shard", "Together"], cost)
    for row, name in zip(cost[1:], ("1-warc", "2-extract", "3-tokenize", "9-pack", "10-shard")):
        report = json.loads((folder / f"{name}.json").read_text())
        check(f"seconds of {name}", row[1] == f"{report['cpu_seconds']:.2f}"
              and row[5] == f"{report['seconds']:.2f}", row, report)
    bins = extract["hist"]["text_bytes"]
    got = [number(r[1]) for r in page.tables["sizes"][0][1:]]
    filled = [i for i, n in enumerate(bins) if n]
    check("sizes of texts", got == bins[filled[0]:filled[-1] + 1], got)
    check("the reasons and their share", "too_large" in page.text)
    test_keys(page, folder)
    again = run("sluice-report", *all_of(folder), "--kept", folder / "docs.arrows", "--order",
                folder / "shards").stdout
    check("the same page for the same inputs", again.decode() == page.source)
    return folder


def test_keys(page, folder):
    docs = [json.loads(x) for x in run("sluice-export", folder / "docs.arrows").stdout.splitlines()]
    want = {}
    for d in docs:
        host = d["url"].split("/")[2]
        n, size = want.get(host, (0, 0))
        want[host] = n + 1, size + len(d["text"].encode())
    got = {r[0]: (number(r[2]), number(r[3])) for r in page.tables["keys"][0][1:]}
    check("bytes by domain", got == want, got, want)
    sizes = [v[1] for v in got.values()]
    check("the largest first", sizes == sorted(sizes, reverse=True), sizes)
    shown = page.source.split('id=kept')[1].split('id=dropped')[0].count("<article>")
    check("four documents are shown", shown == 4, shown)


def test_parts(folder):
    """Less than all: a manifest, a stream on stdin, reports alone."""
    a = page_of(folder / "shards" / "manifest.json")
    b = page_of(folder / "shards")
    check("a manifest is its folder", a.figures == b.figures and "cost" not in b.tables)
    docs = page_of(stdin=(folder / "docs.arrows").read_bytes())
    check("a stream on stdin", "sequences" not in docs.figures and number(docs.figures["docs-in"])
          == 200, docs.figures)
    report = page_of(stdin=(folder / "2-extract.json").read_bytes())
    check("a report alone", [r[0] for r in report.tables["stages"][0][1:]] == ["extract"])
    packed = gzip.compress((folder / "docs.arrows").read_bytes())
    check("a compressed stream", page_of("-", stdin=packed).figures == docs.figures)
    no_order = page_of(folder / "shards", "--order", folder / "shards")
    check("shards without a score say so", "no order is drawn" in no_order.text)
    check("--title", "A &lt;b&gt; &amp; c" in page_of("--title", "A <b> & c", folder / "shards")
          .source)


def test_joined(tmp, folder):
    """Two ways joined by sluice-cat are two branches, and the rows add up."""
    other = tmp / "other"
    make(other, [("o.example", "Other", "some words here " * 5)] * 3 + [("p.example", "", "")])
    docs = run("sluice-extract", "--max-doc", 5000, stdin=run(
        "sluice-warc", "--source", "u", stdin=warc([("q.example", "Q", "q " * 9)])).stdout).stdout
    (tmp / "q.arrows").write_bytes(docs)
    joined = run("sluice-cat", other / "docs.arrows", tmp / "q.arrows").stdout
    page = page_of(stdin=joined)
    check("joined: documents of both", number(page.figures["docs-in"]) == 5, page.figures)
    check("joined: branches are named", "branch 1 of 2" in page.text and "branch 2 of 2" in
          page.text)
    two = page_of(folder / "docs.arrows", other / "docs.arrows")
    check("two ways that are not one", len(two.tables["stages"]) == 2, len(two.tables["stages"]))


def test_rejects_option(tmp):
    folder = tmp / "rejects"
    make(folder, [("a.example", "A", "One and two and three."), ("b.example", "B", "x" * 5000)])
    dropped = folder / "2-rejects.arrows"
    by_option = page_of(folder / "shards", "--rejects", dropped)
    check("--rejects is the last operand", by_option.source ==
          page_of(folder / "shards", dropped).source)
    check("--rejects shows reasons", "too_large" in by_option.text, by_option.text[-500:])
    done = subprocess.run([BIN / "sluice-report", "--rejects", folder / "nosuch",
                           folder / "shards"], capture_output=True)
    check("--rejects that is not there", done.returncode == 3 and b"nosuch" in done.stderr,
          done.stderr)


def test_hostile(tmp):
    pages = [("h.example", t, f"{t} and {t}") for t in HOSTILE]
    folder = tmp / "hostile"
    make(folder, pages + [(f"big{i}.example", t, t * 4000) for i, t in enumerate(HOSTILE)])
    name = folder / '"><script>x.arrows'
    name.write_bytes((folder / "docs.arrows").read_bytes())
    page = page_of(*all_of(folder), name, "--kept", name, "--samples", 100, "--title", HOSTILE[0])
    check("no control that turns text around", not any(c in page.source for c in
                                                       "\u202a\u202b\u202d\u202e\u2066\u2069"))
    check("no control at all", not any(ord(c) < 32 and c not in "\n\t" for c in page.source))
    check("it is shown instead", "U+202E" in page.text)
    check("text is shown as it is", "</script><script>alert(1)</script>" in page.text)
    check("long text is cut", "x" * 601 not in page.source and "x" * 500 in page.source)
    page_of(folder / "shards", "--kept", folder / "1-rejects.arrows", "--samples", 0)


def test_order(tmp):
    if not SAMPLE.exists():
        counts["skipped"] += 1
        print("skipped: the order of a score: no sequences_sample in the build")
        return
    rows = 20000
    data = subprocess.run([SAMPLE, str(rows), "16", "uint16", "512"], capture_output=True,
                          check=True).stdout
    (tmp / "s.arrows").write_bytes(data)
    run("sluice-shard", "--sequences", 6000, "-o", tmp / "s", tmp / "s.arrows")
    one = page_of(tmp / "s", "--order", tmp / "s", "--score", "difficulty")
    two = page_of(tmp / "s", "--order", tmp / "s.arrows", "--score", "difficulty")
    check("shards are drawn as the stream", one.tables["order"] == two.tables["order"])
    table = one.tables["order"][0][1:]
    width = number(table[1][0]) - number(table[0][0])
    # difficulty is row / 8, null for each seventh row: the median is in the middle
    for r in table[:-1]:
        middle = (number(r[0]) + rows / len(table) / 40) / 8
        check("the median follows the rows", abs(float(r[2].replace("k", "e3")) - middle)
              <= max(width / 8, 20), r)
        check("low, median, high", float(r[1].replace("k", "e3")) <= float(r[2].replace("k", "e3"))
              <= float(r[3].replace("k", "e3")), r)
    p = run("sluice-report", tmp / "s", "--order", tmp / "s", "--score", "absent", code=1)
    check("a score that is not there is named", b"absent" in p.stderr, p.stderr)


def test_scores(tmp):
    """Histograms are the trailer's, and the order is drawn without a word more."""
    folder = tmp / "scored"
    pages = [("s.example", f"P {i}", " ".join(f"w{i * k % 97}" for k in range(50 + 7 * i)))
             for i in range(60)]
    make(folder, pages, scored=True)
    page = page_of(*all_of(folder), folder / "scored.arrows", "--order", folder / "shards")
    stage = json.loads((folder / "shards" / "manifest.json").read_text())["lineage"][2]
    hists = {k: v for k, v in stage["tally"]["hist"].items() if k != "text_bytes"}
    check("scores are counted", len(hists) > 1 and set(stage["bins"]) == set(hists), stage["bins"])
    drawn = [[number(r[2]) for r in t[1:]] for t in page.tables["scores"]]
    want = [[n for n in bins if n] for bins in hists.values() if any(bins)]
    check("every histogram of scores", drawn == want, drawn, want)
    check("the order of difficulty_compression", "difficulty_compression against position" in
          page.text and len(page.tables["order"]) == 1)
    check("all six stages, once", len(page.tables["stages"]) == 1
          and len(page.tables["stages"][0]) == 7, page.tables["stages"])


def test_broken_law(tmp, folder):
    m = json.loads((folder / "shards" / "manifest.json").read_text())
    m["lineage"][1]["tally"]["reasons"]["too_large"] -= 1
    m["lineage"][1]["tally"]["rejected"]["rows"] -= 1
    bad = tmp / "bad-manifest.json"
    bad.write_text(json.dumps(m))
    page = page_of(bad)
    check("a broken law is shown", page.figures["law"] == "broken" and "1 of 5 stages" in page.text,
          page.figures)
    row = [r for r in page.tables["stages"][0] if r[0] == "extract"][0]
    check("at its stage", row[5] == "\u2717", row)


def test_wrong(tmp, folder):
    data = (folder / "docs.arrows").read_bytes()
    bad, out = tmp / "bad.arrows", tmp / "never.html"
    at = data.rindex(b"sl:trailer")
    for what, changed in (("a changed trailer", data[:at + 40] + b"!" + data[at + 41:]),
                          ("no end", data[:-8]), ("cut in a batch", data[:len(data) // 2]),
                          ("more behind it", data + b"\0"), ("empty", b""),
                          ("other bytes", b"\x89PNG\r\n\x1a\n" * 20)):
        bad.write_bytes(changed)
        p = run("sluice-report", "-o", out, folder / "shards", bad, code=1)
        check(f"{what}: named, with its place", b"bad.arrows" in p.stderr and
              (b"byte" in p.stderr or not changed), p.stderr)
        check(f"{what}: one line", p.stderr.count(b"\n") == 1, p.stderr)
        check(f"{what}: no page", not out.exists())
        p = run("sluice-report", "--kept", bad, folder / "shards", code=1)
        check(f"{what}: as --kept too", b"bad.arrows" in p.stderr, p.stderr)
    for what, text in (("other JSON", '{"a": 1}'), ("no JSON", '{"tool": '),
                       ("half a manifest", '{"format": "sluice-shards"}'),
                       ("a report without counts", '{"tool": "x"}')):
        bad.write_text(text)
        p = run("sluice-report", bad, code=1)
        check(f"{what}: named", b"bad.arrows" in p.stderr, p.stderr)
    p = run("sluice-report", tmp / "absent", code=3)
    check("a missing file", b"absent" in p.stderr, p.stderr)
    (tmp / "folder").mkdir()
    p = run("sluice-report", tmp / "folder", code=1)
    check("a folder without a manifest", b"manifest.json" in p.stderr, p.stderr)
    p = run("sluice-report", folder / "shards", "--kept", folder / "1-warc.json", code=1)
    check("a report has no rows", b"rows" in p.stderr, p.stderr)
    (folder / "shards" / "shard-00000.arrows").rename(tmp / "away")
    p = run("sluice-report", folder / "shards", "--order", folder / "shards", code=3)
    check("a missing shard", b"shard-00000" in p.stderr, p.stderr)
    (tmp / "away").rename(folder / "shards" / "shard-00000.arrows")


def test_empty(tmp):
    """No documents at all: every tool and the page still say so."""
    folder = tmp / "empty"
    make(folder, [])
    page = page_of(*all_of(folder), "--kept", folder / "docs.arrows", "--order", folder / "shards")
    check("nothing in", number(page.figures["docs-in"]) == 0, page.figures)
    check("no rows to draw", "No rows." in page.text)


def main():
    with tempfile.TemporaryDirectory(prefix="sluice-report-") as name:
        tmp = Path(name)
        folder = test_figures(tmp)
        test_parts(folder)
        test_joined(tmp, folder)
        test_rejects_option(tmp)
        test_hostile(tmp)
        test_order(tmp)
        test_scores(tmp)
        test_broken_law(tmp, folder)
        test_wrong(tmp, folder)
        test_empty(tmp)
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    sys.exit(1 if counts["failed"] or not counts["passed"] else 0)


if __name__ == "__main__":
    main()
