# SPDX-License-Identifier: Apache-2.0
"""What the tests of bad input share: tools run in a folder of their own, counted
checks, and WARC records made here, sound and broken."""
import array
import gzip
import json
import os
import struct
import subprocess
import time
from pathlib import Path

from counted import Count  # noqa: F401

HTML_200 = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
HTML_UTF8 = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"


class Place:
    """A folder for one case: files, outputs, and a temporary folder that must stay
    empty."""

    def __init__(self, build, folder, count):
        self.bin, self.folder, self.count = build / "bin", Path(folder), count
        self.tmp = self.folder / "tmp"
        self.tmp.mkdir()
        self.env = {**os.environ, "TMPDIR": str(self.tmp), "LC_ALL": "C.UTF-8"}
        self.report_path = self.folder / "report.json"
        self.rejects_path = self.folder / "rejects.arrows"

    def argv(self, tool, *args):
        return [str(self.bin / tool), *map(str, args)]

    def run(self, tool, *args, stdin=b"", **more):
        begun = time.monotonic()
        p = subprocess.run(self.argv(tool, *args), input=stdin, env=self.env, timeout=300,
                           stdout=more.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
                           **more)
        p.seconds = time.monotonic() - begun
        p.said = p.stderr.decode(errors="replace")
        self.count.check(f"{tool} does not crash", "Sanitizer" not in p.said and
                         "runtime error" not in p.said and p.returncode in (0, 1, 2, 3, -13),
                         p.returncode, p.said)
        return p

    def out(self, tool, *args, stdin=b""):
        p = self.run(tool, *args, stdin=stdin)
        self.count.check(f"{tool} {' '.join(map(str, args))} ends well", p.returncode == 0, p.said)
        return p.stdout

    def fails(self, name, code, words, tool, *args, stdin=b"", **more):
        """The tool ends with this code and one message line that has all the words
        and begins with its name; nothing is left."""
        p = self.run(tool, *args, stdin=stdin, **more)
        self.count.check(f"{name}: exit {code}", p.returncode == code, p.returncode, p.said)
        for word in words:
            self.count.check(f"{name}: says {word!r}", word in p.said, p.said)
        lines = [s for s in p.said.splitlines() if not s.endswith("--help'")]
        self.count.check(f"{name}: one line", len(lines) == 1 and
                         lines[0].startswith(f"{tool}: "), p.said)
        self.nothing_left(name)
        return p

    def nothing_left(self, name, *outputs):
        """No output, nothing half-written beside it, nothing in the temporary folder."""
        left = [str(p) for p in self.tmp.iterdir()]
        left += [str(p) for p in self.folder.iterdir() if ".tmp" in p.name or p.name[0] == "."]
        left += [str(o) for o in outputs if o.exists()]
        self.count.check(f"{name}: nothing is left", not left, left)

    def warc(self, data, *args, code=0):
        """sluice-warc with report and rejects: (rows, tally, rejects, process)."""
        source = ("--source", "t") if data else ()
        p = self.run("sluice-warc", *source, "-f", "--report", self.report_path,
                     "--rejects", self.rejects_path, *args, stdin=data)
        if not self.count.check(f"sluice-warc ends with {code}", p.returncode == code,
                                p.returncode, p.said) or code:
            return [], {}, [], p
        tally = json.loads(self.report_path.read_text())["tally"]
        rejects = self.rows(self.rejects_path.read_bytes())
        self.nothing_left("sluice-warc")
        (self.folder / "kept.arrows").write_bytes(p.stdout)
        v = self.run("sluice-verify", self.folder / "kept.arrows", self.rejects_path)
        self.count.check("rows and rejects are sound", v.returncode == 0, v.said)
        self.count.check("in is out and rejected", tally["in"]["rows"] ==
                         tally["out"]["rows"] + tally["rejected"]["rows"], tally)
        return self.rows(p.stdout), tally, rejects, p

    def rows(self, stream, *args):
        text = self.out("sluice-export", *args, stdin=stream).decode()
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def docs(self, warc, *args):
        return self.out("sluice-extract", *args,
                        stdin=self.out("sluice-warc", "--source", "t", stdin=warc))

    def chain(self, warc, folder):
        """The whole way to shards, verified; gives the documents."""
        docs = self.docs(warc)
        packed = self.out("sluice-pack", "--length", 64,
                          stdin=self.out("sluice-tokenize", stdin=docs))
        self.out("sluice-shard", "--sequences", 100, "-o", folder, stdin=packed)
        self.out("sluice-verify", folder)
        return self.rows(docs)


def given(counts):
    """Of counts those that are not 0."""
    return {k: v for k, v in counts.items() if v}


def record(i, block, kind="response", extra=b"", length=None, type_="application/http"):
    n = len(block) if length is None else length
    return (f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Date: 2024-05-19T00:00:00Z\r\n"
            f"WARC-Record-ID: <urn:test:{i}>\r\nWARC-Target-URI: https://example.org/{i}\r\n"
            f"Content-Type: {type_}\r\n").encode() + extra + (
                b"Content-Length: %d\r\n\r\n" % n) + block + b"\r\n\r\n"


def page(i, body=None, http=HTML_200, **more):
    body = b"<title>Page %d</title><p>text of page %d" % (i, i) if body is None else body
    return record(i, http + b"\r\n" + body, **more)


def wet(i, text):
    return record(i, text, "conversion", b"WARC-Refers-To: <urn:page:%d>\r\n" % i,
                  type_="text/plain")


def gz(data, level=6):
    return gzip.compress(data, level, mtime=0)


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1:]


def end_of_batches(stream):
    """Where the trailer's message begins: all full batches stand before it."""
    return stream.rfind(b"\xff\xff\xff\xff", 0, len(stream) - 8)


# ---- a schema with very many columns ----


def wide_schema(n):
    """An Arrow stream of n int64 columns and no batch: the flatbuffers of its one
    message written by hand, every column referring to the same field."""
    f = (76 + 4 * n + 7) // 8 * 8
    message = struct.pack("<I4x6H4xiIqhB5x", 24, 12, 20, 16, 18, 4, 8, 16, 28, 0, 4, 1)
    schema = struct.pack("<4HiIh6xI", 8, 10, 8, 4, 8, 12, 0, n)
    column = f + 16
    refs = array.array("I", range(column - 76, column - 76 - 4 * n, -4)).tobytes()
    field = struct.pack("<8HiIIBB2xI4x", 16, 20, 4, 12, 13, 8, 0, 16, 16,
                        f + 64 - (column + 4), f + 48 - (column + 8), 0, 2,
                        f + 60 - (column + 16))
    int64 = struct.pack("<4HiiB3x", 8, 9, 4, 8, 8, 64, 1)
    meta = message + schema + refs + bytes(f - 76 - 4 * n) + field + int64
    meta += struct.pack("<II2s2x", 0, 1, b"a\0")
    return b"\xff\xff\xff\xff" + struct.pack("<i", len(meta)) + meta + (
        b"\xff\xff\xff\xff\0\0\0\0")
