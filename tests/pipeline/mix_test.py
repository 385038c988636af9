#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sluice-mix: every input's share after every row, each row at most once, the same bytes
by pipe and file and for any -T, and what happens where an input ends.

usage: mix_test.py BUILD_DIR
"""
import json
import os
import random
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bad_input import Count, Place  # noqa: E402

count = Count()


def make(p, name, n):
    text = "".join(json.dumps({"id": f"{name} {i}", "text": f"{name} {i}"}) + "\n"
                   for i in range(n)).encode()
    path = p.folder / f"{name}.arrows"
    path.write_bytes(p.out("sluice-import", "--source", "s", stdin=text))
    return path


def texts(p, stream):
    lines = p.out("sluice-export", "--columns", "text", stdin=stream).decode().splitlines()
    return [json.loads(line)["text"].split() for line in lines]


def check_shares(p, rng):
    k = rng.randint(1, 12)
    weights = [rng.choice((1, 2, 3, 5, 34, 144, rng.randint(1, 999))) for _ in range(k)]
    n = rng.randint(1, 300)
    paths = [make(p, f"s{i}", n + 2) for i in range(k)]
    args = ["--weights", ",".join(map(str, weights)), "-n", n, *paths]
    out = p.out("sluice-mix", *args)
    count.check(f"bytes, -T4, {weights}", p.out("sluice-mix", "-T4", *args) == out)
    (p.folder / "out.arrows").write_bytes(out)
    p.out("sluice-verify", p.folder / "out.arrows")
    rows = texts(p, out)
    given, off = [0] * k, Fraction(0)
    for t, (name, i) in enumerate(rows, 1):
        s = int(name[1:])
        count.check("the order within an input", int(i) == given[s])
        given[s] += 1
        for j in range(k):
            off = max(off, abs(Fraction(weights[j] * t, sum(weights)) - given[j]))
    bound = 1 - Fraction(1, 2 * k - 2) if k > 1 else 0
    count.check(f"{weights}: rows", len(rows) == n)
    count.check(f"{weights}: {float(off)} rows off", off <= bound + Fraction(n, 2**36))


def mix(p, *args):
    r = subprocess.run([p.bin / "sluice-mix", *map(str, args)], capture_output=True)
    return r.returncode, r.stdout, r.stderr.decode()


def check_ends(p):
    a, b, none = make(p, "a", 10), make(p, "b", 30), make(p, "none", 0)
    code, _, err = mix(p, "--weights", "1,1", a, b)
    count.check("an end is an error: " + err, code == 1 and "ended after 10 rows" in err)
    code, out, _ = mix(p, "--weights", "1,3", a, b)
    count.check("all end together", code == 0 and len(texts(p, out)) == 40)
    code, out, _ = mix(p, "--weights", "1,1", "--when-empty", "stop", a, b)
    names = [n for n, _ in texts(p, out)]
    count.check("stop", code == 0 and names.count("a") == 10 and 9 <= names.count("b") <= 11)
    code, out, _ = mix(p, "--weights", "1,1", "--when-empty", "redistribute", a, b)
    count.check("redistribute", code == 0 and sorted(map(tuple, texts(p, out))) ==
                sorted([("a", str(i)) for i in range(10)] + [("b", str(i)) for i in range(30)]))
    code, out, _ = mix(p, "--weights", "1,1", "--when-empty", "redistribute", none, b)
    count.check("an empty input", code == 0 and len(texts(p, out)) == 30)
    code, _, err = mix(p, "--weights", "1,1", "-n", "50", "--when-empty", "redistribute", a, b)
    count.check("too small in all: " + err, code == 1)
    rejects = p.folder / "rejects.arrows"
    code, out, _ = mix(p, "--shares", "50%,0.5", "-n", "8", "--rejects", rejects, a, b)
    count.check("unused rows are rejects", code == 0 and len(texts(p, rejects.read_bytes())) == 32)
    for args in (("--shares", "0.5,0.4", a, b), ("--shares", "1", a, b),
                 ("--weights", "1,x", a, b), ("--weights", "0,0", a, b),
                 ("--weights", "1,-1", a, b), ("--weights", "1,", a, b),
                 ("--shares", "0.5,0.5", "--weights", "1,1", a, b)):
        code, out, err = mix(p, *args)
        count.check(f"{args} is refused: {err}", code == 2 and not out)
    piped = subprocess.run(f"cat {b} | {p.bin}/sluice-mix --weights 1,3 {a} -", shell=True,
                           capture_output=True).stdout
    count.check("a pipe and a file", piped == mix(p, "--weights", "1,3", a, b)[1])
    cut = p.folder / "cut.arrows"
    cut.write_bytes(b.read_bytes()[:-40])
    count.check("a cut input", mix(p, "--weights", "1,3", "-n", "4", a, cut)[0] == 1)


def check_batches(p, build):
    """Where the batches of the inputs end changes nothing, also where inputs run out."""
    outs = []
    for per_batch in (1, 2, 3, 5, 60):
        paths = []
        for k, rows in enumerate((4, 6, 9, 60)):
            path = p.folder / f"cut-{k}.arrows"
            path.write_bytes(subprocess.run([build / "test/sequences_sample", str(rows), "8",
                                             "uint16", str(per_batch), str(1000 * k)],
                                            capture_output=True, check=True).stdout)
            paths.append(path)
        code, out, err = mix(p, "--weights", "3,3,3,1", "--when-empty", "redistribute", *paths)
        count.check(f"batches of {per_batch}: {err}", code == 0)
        outs.append(out)
    count.check("batches of inputs change nothing", outs.count(outs[0]) == len(outs))


def main():
    build = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        p = Place(build, folder, count)
        rng = random.Random(1)
        for _ in range(12):
            check_shares(p, rng)
        check_ends(p)
        check_batches(p, build)
    return count.finish()


if __name__ == "__main__":
    sys.exit(main())
