#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sluice-train-tokenizer as a program: the same bytes for any threads, memory and order of
documents; words through files; what it refuses.

usage: train_test.py BUILD_DIR
"""
import json
import os
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bad_input import Count, Place  # noqa: E402

TOOL = "sluice-train-tokenizer"
count = Count()


def made(seed, n_docs, rare=60):
    rng = random.Random(seed)
    heads = ["".join(rng.choice("abcdefghijklmnoprstuvwxyz") for _ in range(rng.randint(2, 9)))
             for _ in range(3000)]
    docs = []
    for i in range(n_docs):
        words = [heads[int(3000 * rng.random() ** 2)] for _ in range(rng.randint(0, 120))]
        if i % 10 == 0:     # words that stand once: they fill the memory
            words += ["".join(rng.choice("абвгдежз") for _ in range(12))
                      for _ in range(rare)]
        docs.append(" ".join(words) + rng.choice(["", "\n", " \n\n"]))
    return docs


def stream(p, docs, *args):
    lines = "".join(json.dumps({"text": d}, ensure_ascii=False) + "\n" for d in docs)
    return p.out("sluice-import", "-q", "--format", "jsonl", "--strict", "--source", "made", *args,
                 stdin=lines.encode())


def words_of(docs):
    """GPT-2's pattern, of texts of letters, spaces and line ends alone."""
    import re
    found = Counter()
    for d in docs:
        found.update(re.findall(r" ?[^\W\d_]+|\s+(?!\S)|\s+", d))
    return found


def characters():
    hidden = [b for b in range(256) if not (33 <= b <= 126 or 161 <= b <= 172 or 174 <= b)]
    return {b: chr(256 + hidden.index(b)) if b in hidden else chr(b) for b in range(256)}


def same_bytes(p):
    count.case = "threads and memory"
    docs = made(1, 3000)
    s = stream(p, docs)
    want = p.out(TOOL, "--vocab", 900, stdin=s)
    for args in (["-T2"], ["-T4"], ["--mem", "16M"], ["-T3", "--mem", "16M"]):
        count.check(" ".join(args), p.out(TOOL, "--vocab", 900, *args, stdin=s) == want)
    many = stream(p, made(4, 3000, 600))
    want_many = p.out(TOOL, "--vocab", 900, "--min-word-count", 3, stdin=many)
    for args in ("-T1", "-T3"):
        count.check(f"words through files, {args}",
                    p.out(TOOL, "--vocab", 900, "--min-word-count", 3, args, "--mem", "16M",
                          stdin=many) == want_many)
    random.Random(2).shuffle(docs)
    count.check("another order", p.out(TOOL, "--vocab", 900, stdin=stream(p, docs)) == want)
    half = len(docs) // 2
    files = []
    for i, part in enumerate((docs[:half], docs[half:])):
        files.append(p.folder / f"part{i}.arrows")
        files[-1].write_bytes(stream(p, part))
    count.check("two files", p.out(TOOL, "--vocab", 900, *files) == want)
    count.check("nothing is left", not list(p.tmp.iterdir()))


def word_files(p):
    count.case = "words"
    docs = made(3, 3000, 600)
    s = stream(p, docs)
    char = characters()
    found = {"".join(char[b] for b in w.encode()): n for w, n in words_of(docs).items()}
    for args in ([], ["--mem", "16M", "-T2"]):
        path = p.folder / "words.tsv"
        p.out(TOOL, "--vocab", 256, "--words", path, "-f", *args, stdin=s)
        lines = [line.split("\t") for line in path.read_text(encoding="utf8").splitlines()]
        got = {w: int(n) for w, n in lines}
        count.check("counts", got == found and len(lines) == len(found),
                    list(set(got.items()) ^ set(found.items()))[:5])
        count.check("order", [int(n) for _, n in lines] == sorted(found.values(), reverse=True))


def report(p):
    count.case = "report"
    p.out(TOOL, "--vocab", 300, "--report", p.report_path, stdin=stream(p, ["ab ab abc", ""]))
    r = json.loads(p.report_path.read_text())
    text = json.dumps(r)
    count.check("counts", all(x in text for x in ('"words": 3', '"unique_words": 3')), text[:600])


def small_inputs(p):
    count.case = "small inputs"
    for docs in ([], [""], ["a"], ["\n"], ["a" * 100000], ["ab" * 50000 + "\n"]):
        for unit in ("document", "line"):
            q = p.run(TOOL, "-v", "--vocab", 2000, "--unit", unit, stdin=stream(p, docs))
            model = json.loads(q.stdout)["model"]
            count.check("vocabulary", len(model["vocab"]) == 256 + len(model["merges"]),
                        len(model["vocab"]))
            count.check("says that it ends early", "no more pairs" in q.said, q.said)
    rare = p.run(TOOL, "--vocab", 2000, "--min-word-count", 2, stdin=stream(p, ["ab ab cd", "q"]))
    count.check("rare words are left out",
                json.loads(rare.stdout)["model"]["merges"] == [["a", "b"]] or
                len(json.loads(rare.stdout)["model"]["merges"]) == 0, rare.stdout[-200:])


def refused(p):
    count.case = "refused"
    s = stream(p, ["some text"])
    for args, says in (
            ([], "--vocab"), (["--vocab", 255], "256"),
            (["--vocab", 256, "--special", "<a>"], "vocabulary"),
            (["--vocab", 300, "--special", "<a>,<a>"], "twice"),
            (["--vocab", 300, "--special", "<a>,"], "empty"),
            (["--vocab", 300, "--special", "a"], "stands for a byte"),
            (["--vocab", 300, "--pattern", "gpt9"], "gpt9"),
            (["--vocab", 300, "--regex", "(a"], "(a"),
            (["--vocab", 300, "--pattern", "deepseek3", "--tiktoken", p.folder / "x"], "deepseek3"),
            (["--vocab", 300, "--unit", "page"], "page")):
        q = p.run(TOOL, *args, stdin=s)
        count.check(f"{args}: exit 2", q.returncode == 2, q.returncode, q.said)
        count.check(f"{args}: says why", says in q.said, q.said)
        count.check(f"{args}: writes nothing", not q.stdout)
    q = p.run(TOOL, "--vocab", 300, stdin=s[:len(s) - 40])
    count.check("a cut stream is an error", q.returncode == 1 and not q.stdout, q.said)
    big = stream(p, ["".join(chr(0x4e00 + (i * 7919 + k) % 20000) for k in range(3000))
                     for i in range(400)])
    q = p.run(TOOL, "--vocab", 30000, "--mem", "8M", stdin=big)
    count.check("memory that does not do", q.returncode == 3 and "--mem" in q.said, q.said)
    count.check("nothing is left", not list(p.tmp.iterdir()))


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else "build/release").resolve()
    for case in (same_bytes, word_files, report, small_inputs, refused):
        with tempfile.TemporaryDirectory() as folder:
            case(Place(build, folder, count))
    return count.finish()


sys.exit(main())
