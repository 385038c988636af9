#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sluice-mix beside its twin (mix_twin.py) over random mixes: which rows, in which order;
every prefix and window within the bound, by rows and by weight; each row once in a pass; the
same bytes for any -T and --mem, by pipe and file, one file or many; what is refused.

usage: mix_test.py BUILD_DIR [MIXES [SEED]]
"""
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mix_twin as twin  # noqa: E402
from bad_input import Count, Place  # noqa: E402
from counted import read_stream  # noqa: E402

count = Count()
WORDS = ("error", "stop", "redistribute", "repeat")


def make(p, name, lengths, types=(), **columns):
    """A file of documents whose texts have these lengths."""
    lines = "".join(json.dumps({"id": f"{name} {i}", "text": "x" * n,
                                **{k: v[i] for k, v in columns.items()}}) + "\n"
                    for i, n in enumerate(lengths))
    path = p.folder / f"{name}.arrows"
    path.write_bytes(p.out("sluice-import", "--source", "s", *types, stdin=lines.encode()))
    return path


def begun(out):
    """Rows or the schema for them were written: a tool that fails before says so in a stream
    without columns, of the kind none."""
    return bool(out) and b"none" not in out[:1000]


def mix(p, *args, stdin=b"", **more):
    r = p.run("sluice-mix", *args, stdin=stdin, **more)
    return r.returncode, r.stdout, r.said


class Pool:
    """Files of documents of many sizes, and which row each id is."""

    def __init__(self, p, rng):
        self.sources, self.rows = [], {}
        for k, n in enumerate([0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 7, 7, 20, 20, 60]):
            lengths = [rng.choice((0, 1, 5, rng.randrange(40), 300)) for _ in range(n)]
            path = make(p, f"p{k}", lengths)
            halves = [p.folder / f"p{k}-{h}.arrows" for h in "ab"]
            cut = rng.randrange(n + 1)
            for half, rows in zip(halves, (range(cut), range(cut, n))):
                lines = "".join(json.dumps({"id": f"p{k} {i}", "text": "x" * lengths[i]}) + "\n"
                                for i in rows)
                half.write_bytes(p.out("sluice-import", "--source", "s", stdin=lines.encode()))
            self.sources.append((path, lengths, halves))
            table, _ = read_stream(path.read_bytes())
            for i, id_ in enumerate(table["id"].to_pylist() if n else []):
                self.rows[id_] = k, i


def random_parts(rng, k, sizes, n, by_weight):
    """(words of the command line by number of the source, what twin.shares_of takes)."""
    kind = rng.choice(("weights", "weights", "shares", "equal", "alpha", "unimax"))
    if kind in ("alpha", "unimax") and by_weight:
        kind = "weights"
    if kind == "alpha":
        given = {i: rng.choice((0.05, 0.125)) for i in range(k) if rng.random() < 0.3}
        a = rng.choice(("0", "0.3", "1", "0.5"))
        if any(s and i not in given for i, s in enumerate(sizes)):
            return ["--alpha", a] + (["--shares", {i: repr(v) for i, v in given.items()}]
                                     if given else []), ("alpha", (float(a), given))
    if kind == "unimax" and n:
        epochs = rng.choice(("1", "2", "4.5"))
        if sum(twin.base.unimax(sizes, n, float(epochs))) == n:
            return ["--unimax", epochs], ("unimax", float(epochs))
    if kind == "equal":
        return [], ("equal", [1] * k)
    weights = [rng.choice((0, 1, 2, 3, 5, 34, 144, rng.randint(1, 999))) for _ in range(k)]
    weights[rng.randrange(k)] += 1
    if kind == "shares":
        parts = [Fraction(w, sum(weights)) for w in weights]
        return ["--shares", {i: repr(float(s)) for i, s in enumerate(parts)}], \
            ("shares", [float(s) for s in parts])
    return ["--weights", {i: str(w) for i, w in enumerate(weights)}], ("weights", weights)


def with_names(rng, words, k, names):
    """Lists of parts as the command line has them, by place or by name in any order."""
    out = []
    for word in words:
        if isinstance(word, dict):
            items = list(word.items())
            if names and (rng.random() < 0.5 or len(items) < k):
                rng.shuffle(items)
                word = ",".join(f"{names[i]}={v}" for i, v in items)
            else:
                word = ",".join(v for _, v in items)
        out.append(word)
    return out


def when_empty(rng, k, names, unimax):
    """(options, the word of each source)."""
    others = rng.choice(WORDS)
    ends = [others] * k
    if unimax and rng.random() < 0.5:
        return [], ["repeat"] * k
    items = [others]
    if names:
        for i in rng.sample(range(k), rng.randrange(k + 1)):
            ends[i] = rng.choice(WORDS)
            items.append(f"{names[i]}={ends[i]}")
        rng.shuffle(items)
    return ["--when-empty", ",".join(items)], ends


def expect(sources, shares, ends, n, by_weight):
    try:
        return twin.mix(sources, shares, ends, n, by_weight), None
    except twin.Refused as e:
        return None, e


def check_bounds(name, rows, shares, by_weight, sources):
    """Of every prefix, and so of every window, where shares stood still."""
    k = len(shares)
    given, whole, off, fine = [0] * k, 0, 0, True
    least, most = [0] * k, [0] * k  # of how far each is ahead: a window is a difference
    own = [max(s, default=0) if by_weight else 1 for s in sources]
    largest = max(w for w, s in zip(own, shares) if s)
    for source, row, _ in rows:
        weight = sources[source][row] if by_weight else 1
        given[source] += weight
        whole += weight
        for i, (g, s) in enumerate(zip(given, shares)):
            ahead = g * twin.ONE - s * whole
            fine &= -largest * twin.ONE <= ahead <= (twin.ONE - s) * own[i]
            off = max(off, abs(ahead))
            least[i], most[i] = min(least[i], ahead), max(most[i], ahead)
    if by_weight:
        count.check(f"{name}: within the largest row", fine)
    else:
        bound = 1 - Fraction(1, 2 * k - 2) if k > 1 else 0
        count.check(f"{name}: {off / twin.ONE} rows off", Fraction(off, twin.ONE) <= bound)
        window = max(b - a for a, b in zip(least, most))
        count.check(f"{name}: windows", Fraction(window, twin.ONE) <= 2 * bound)


def operands(rng, pool, picked, names):
    out = []
    for j, i in enumerate(picked):
        path, _, halves = pool.sources[i]
        if names and rng.random() < 0.4:
            out.append(f"{names[j]}={halves[0]},{halves[1]}" + rng.choice(("", ",")))
        else:
            out.append(f"{names[j]}={path}" if names else str(path))
    return out


def random_case(p, rng, pool):
    k = rng.choice((1, 2, 2, 3, 4, 6, 9, 16))
    picked = rng.sample(range(len(pool.sources)), k)
    lengths = [pool.sources[i][1] for i in picked]
    by = rng.choice(("rows", "rows", "rows", "bytes"))
    n = rng.choice((0, 0, rng.randrange(1, 200)))
    names = rng.sample(["web", "books", "old", "b", "a-1", "x.y", "_", "q"] +
                       [f"s{i}" for i in range(9)], k) if rng.random() < 0.7 else None
    words, how = random_parts(rng, k, [len(v) for v in lengths], n, by != "rows")
    if any(isinstance(w, dict) and len(w) < k for w in words) and not names:
        names = [f"n{i}" for i in range(k)]
    ended, ends = when_empty(rng, k, names, how[0] == "unimax")
    shares = twin.shares_of(how, [len(v) for v in lengths], n)
    if not n and all(e == "repeat" for e, s in zip(ends, shares) if s):
        n = 50
    args = [*with_names(rng, words, k, names), *ended, *(["-n", n] if n else []),
            *(["--by", by] if by != "rows" else [])]
    return picked, names, args, (lengths, shares, ends, n, by != "rows")


def check_random(p, rng, pool, rejects):
    picked, names, args, case = random_case(p, rng, pool)
    lengths, shares, ends, n, by_weight = case
    files = operands(rng, pool, picked, names)
    name = " ".join(map(str, args)) + " of " + " ".join(os.path.basename(f) for f in files)
    rows, refused = expect(*case)
    code, out, said = mix(p, *args, "-T", rng.randint(1, 8), "-f", "--rejects", rejects, *files)
    if refused:
        count.check(f"{name}: refused", code == 1 and
                    f"row {refused.row} of the output" in said, refused, code, said)
        shown = f"'{names[refused.source]}'" if names else files[refused.source]
        count.check(f"{name}: says which", shown in said, said)
        p.nothing_left(name)
        return 1
    if not count.check(f"{name}: ends well", code == 0, code, said):
        return 0
    table, lineage = read_stream(out)
    repeats = any(e == "repeat" and s for e, s in zip(ends, shares))
    count.check(f"{name}: copy", ("copy" in table.column_names) == repeats)
    copies = table["copy"].to_pylist() if repeats else [0] * table.num_rows
    where = {i: j for j, i in enumerate(picked)}
    got = [(where[pool.rows[d][0]], pool.rows[d][1], c)
           for d, c in zip(table["id"].to_pylist(), copies)]
    same = count.check(f"{name}: the rows", got == rows, next(
        ((t, a, b) for t, (a, b) in enumerate(zip(got, rows)) if a != b), (len(got), len(rows))))
    count.check(f"{name}: each once in a pass", len(set(got)) == len(got))
    added = sum(c > 0 for _, _, c in got)
    tally = lineage[-1]["tally"]
    count.check(f"{name}: the tally", tally["counts"]["rows_added"] == added and
                tally["rejected"]["rows"] == sum(map(len, lengths)) - len(got) + added, tally)
    if same and "redistribute" not in ends:
        check_bounds(name, rows, shares, by_weight, lengths)
    (p.folder / "out.arrows").write_bytes(out)
    p.out("sluice-verify", p.folder / "out.arrows", rejects)
    check_pipe(p, rng, pool, picked, (args, files), out, name)
    return 0


def check_pipe(p, rng, pool, picked, command, out, name):
    """One source comes by a pipe, where sizes are not needed; one of two files as one, which
    the lineage tells."""
    args, files = command
    if "--alpha" in args or "--unimax" in args or rng.random() < 0.5:
        return
    j = rng.randrange(len(picked))
    source = files[j].partition("=")[0] + "=" if "=" in files[j] else ""
    code, again, said = mix(p, *args, *files[:j], source + "-", *files[j + 1:],
                            stdin=pool.sources[picked[j]][0].read_bytes())
    same = again == out
    if code == 0 and "," in files[j]:  # "offset" is that in the file
        a, b = (read_stream(v)[0].drop_columns(["offset"]) for v in (again, out))
        same = a == b
    count.check(f"{name}: a pipe and a file", code == 0 and same, said)


def check_ends(p):
    a, b, none = (make(p, n, [4] * k) for n, k in (("a", 10), ("b", 30), ("none", 0)))
    for stdin, first in ((b"", a), (a.read_bytes(), "-")):
        code, out, err = mix(p, "--weights", "1,1", first, b, stdin=stdin)
        count.check("an end is an error: " + err, code == 1 and "ended after 10 rows" in err and
                    "row 21 of the output" in err)
        count.check("of files it is told before anything is written", begun(out) == (first == "-"),
                    len(out))
    code, out, _ = mix(p, "--weights", "1,3", a, b)
    count.check("all end together", code == 0 and read_stream(out)[0].num_rows == 40)
    code, _, err = mix(p, "--weights", "1,1", none, b)
    count.check("an empty source: " + err, code == 1 and "none.arrows' has no rows" in err)
    code, _, err = mix(p, "--weights", "1,1", "--when-empty", "repeat", "-n", 9, none, b)
    count.check("nothing to repeat: " + err, code == 1 and "none.arrows' has no rows" in err)
    code, _, err = mix(p, "--weights", "1,1", "-n", "50", "--when-empty", "redistribute", a, b)
    count.check("too small in all: " + err, code == 1 and "no source has any left" in err)
    cut = p.folder / "cut.arrows"
    cut.write_bytes(b.read_bytes()[:-40])
    count.check("a cut input", mix(p, "--weights", "1,3", "-n", "4", a, cut)[0] == 1)
    target = p.folder / "target.arrows"
    mix(p, "-o", target, "--weights", "1,1", a, "-", stdin=cut.read_bytes())
    p.nothing_left("a failed mix", target)


def check_refused(p, build):
    a, b, c = (make(p, n, [4] * 5) for n in ("ra", "rb", "rc"))
    wa, ob = f"web={a}", f"old={b}"
    for args, words in (
            (("--shares", "0.5,0.4", a, b), ["sum to 0.9"]),
            (("--shares", "1", a, b), ["1 parts for 2 inputs"]),
            (("--shares", "0.5,0.25,0.25", a, b), ["3 parts for 2 inputs"]),
            (("--weights", "1,x", a, b), ["'x' is no part"]), (("--weights", "0,0", a, b), ["0"]),
            (("--weights", "1,-1", a, b), ["-1"]), (("--weights", "1,", a, b), ["''"]),
            (("--shares", "0.5,0.5", "--weights", "1,1", a, b), ["exclude"]),
            (("--shares", "web=0.5,odl=0.5", wa, ob), ["'odl'", "did you mean 'old'"]),
            (("--shares", "web=0.5,web=0.5", wa, ob), ["'web' has two parts"]),
            (("--shares", "web=1", wa, ob), ["'old' has no part"]),
            (("--shares", "web=0.5,0.5", wa, ob), ["'0.5' has no name"]),
            (("--shares", "web=0.5,old=0.5", a, b), ["no source 'web'", "NAME=FILE"]),
            (("--shares", "web=0.5,old=0.5", wa, b), ["no source 'old'"]),
            ((wa, f"web={b}"), ["'web' stands there twice"]),
            (("web=", ob), ["'web' has no file"]), ((f"web={a},,{c}", ob), ["empty file name"]),
            (("--when-empty", "eror", wa, ob), ["did you mean 'error'"]),
            (("--when-empty", "error,stop", wa, ob), ["two words"]),
            (("--when-empty", "wbe=stop", wa, ob), ["'wbe'", "did you mean 'web'"]),
            (("--when-empty", "web=stop,web=stop", wa, ob), ["twice"]),
            (("--when-empty", "repeat", wa, ob), ["no end", "-n"]),
            (("--unimax", "2", wa, ob), ["-n"]), (("--unimax", "0", "-n", 4, wa, ob), ["epochs"]),
            (("--unimax", "1", "--alpha", "1", wa, ob), ["exclude"]),
            (("--alpha", "9", wa, ob), ["9"]), (("--alpha", "x", wa, ob), ["'x'"]),
            (("--of", "web", wa, ob), ["--alpha"]),
            (("--alpha", "1", "--of", "web", wa, ob), ["'old' has no part"]),
            (("--alpha", "1", "--of", "web,old", "--shares", "old=0.1", wa, ob),
             ["'old' has a share"]),
            (("--alpha", "1", "--shares", "web=0.5,old=0.5", wa, ob), ["every source"]),
            (("--alpha", "1", "--shares", "web=1.5", wa, ob), ["sum to 1.5"]),
            (("--alpha", "1", "--shares", "0.5", wa, ob), ["by name"]),
            (("--alpha", "1", "--by", "bytes", wa, ob), ["--by"]),
            (("--alpha", "1", wa, "old=-"), ["'old' is no regular file"])):
        code, out, err = mix(p, *args)
        name = " ".join(os.path.basename(str(x)) for x in args)
        count.check(f"{name} is refused: {err}", code == 2 and not out and
                    all(w in err for w in words), words)
    code, out, err = mix(p, "--unimax", "2", "-n", 21, a, b)
    count.check("too few epochs: " + err, code == 1 and not begun(out) and
                "20 rows at most" in err)
    check_kinds(p, build, a)


def check_kinds(p, build, docs):
    """Columns, lengths and tokenizers differ: both names, before anything is written; also in
    a file that is opened later."""
    def sequences(name, *args):
        path = p.folder / name
        path.write_bytes(subprocess.run([build / "test/sequences_sample", *map(str, args)],
                                        capture_output=True, check=True).stdout)
        return path
    eight = sequences("eight.arrows", 5, 8, "uint16", 5)
    nine = sequences("nine.arrows", 5, 9, "uint16", 5)
    wide = sequences("wide.arrows", 5, 8, "uint32", 5)
    for first, second in ((eight, nine), (eight, wide), (eight, docs)):
        for files in ((first, second), (f"a={first}", f"b={first},{second}"),
                      (f"a={first},{second}", f"b={first}")):
            code, out, err = mix(p, *files)
            count.check(f"{files[0]} and {files[1]}: {err}", code == 1 and
                        first.name in err and second.name in err)
            count.check("and nothing is written", not begun(out))
    code, out, err = mix(p, "--weights", "1,1", "--by", "tokens", docs, docs)
    count.check("no tokens to count: " + err, code == 1 and "'tokens'" in err)
    same = mix(p, "--weights", "2,3", "-n", 5, eight, eight)[1]
    count.check("sequences by tokens are by rows", read_stream(same)[0] == read_stream(
        mix(p, "--weights", "2,3", "-n", 5, "--by", "tokens", eight, eight)[1])[0])


def check_tokens(p, rng):
    """Rows of unequal size by tokens: as by the twin."""
    sources, paths = [], []
    for k in range(3):
        lengths = [rng.choice((0, 3, 50, 200)) for _ in range(40)]
        path = p.folder / f"t{k}.arrows"
        path.write_bytes(p.out("sluice-tokenize", stdin=make(p, f"tt{k}", lengths).read_bytes()))
        sources.append(read_stream(path.read_bytes())[0])
        paths.append(path)
    ids = {r: (k, i) for k, t in enumerate(sources) for i, r in enumerate(t["id"].to_pylist())}
    lengths = [[len(v) for v in t["tokens"].to_pylist()] for t in sources]
    rows, _ = expect(lengths, twin.shares_of(("weights", [5, 3, 2]), None, 0), ["stop"] * 3, 0,
                     True)
    code, out, err = mix(p, "--weights", "5,3,2", "--by", "tokens", "--when-empty", "stop", *paths)
    got = [ids[r] for r in read_stream(out)[0]["id"].to_pylist()] if code == 0 else []
    count.check("parts of tokens: " + err, got == [r[:2] for r in rows] and got)


def check_copies(p):
    """The column that is there is counted on, with the source's own span."""
    a = make(p, "ca", [1] * 4, ("--columns", "copy uint16"), copy=[3, 4, 3, 4])
    code, out, err = mix(p, "--when-empty", "repeat", "-n", 10, a)
    copies = read_stream(out)[0]["copy"].to_pylist() if code == 0 else []
    count.check("copies of their own: " + err, copies == [3, 4, 3, 4, 5, 6, 5, 6, 7, 8], copies)
    a = make(p, "cn", [1] * 3, ("--columns", "copy uint16?"), copy=[1, None, 0])
    code, out, err = mix(p, "--when-empty", "repeat", "-n", 6, a)
    copies = read_stream(out)[0]["copy"].to_pylist() if code == 0 else []
    count.check("null is 0: " + err, copies == [1, None, 0, 3, 2, 2], copies)
    a = make(p, "ci", [1], ("--columns", "copy uint32"), copy=[1])
    code, out, err = mix(p, "--when-empty", "repeat", "-n", 9, a)
    count.check("copies of another type: " + err, code == 1 and "uint16" in err and not begun(out))
    b = make(p, "cb", [1] * 4)
    twice = p.folder / "twice.arrows"
    twice.write_bytes(mix(p, "--when-empty", "repeat", "-n", 8, b)[1])
    code, out, err = mix(p, "--when-empty", "repeat", "-n", 20, twice)
    copies = read_stream(out)[0]["copy"].to_pylist()
    count.check("copies are counted on: " + err,
                copies == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4, copies)
    (p.folder / "many.arrows").write_bytes(out)
    p.out("sluice-verify", p.folder / "many.arrows")
    one = make(p, "one", [1])
    code, out, err = mix(p, "--when-empty", "repeat", "-n", 65537, one)
    count.check("more copies than fit: " + err, code == 1 and "'copy'" in err)
    code, out, err = mix(p, "--when-empty", "repeat", "-n", 65536, one)
    count.check("as many copies as fit: " + err, code == 0)


def check_replay(p):
    """Old data is even: in every window of 100 rows its share, within two rows."""
    new, old = make(p, "new", [3] * 1900), make(p, "oldr", [3] * 37)
    ids = set(read_stream(old.read_bytes())[0]["id"].to_pylist())
    for args, rows in ((("-n", 1000), 1000), ((), 2000)):
        code, out, err = mix(p, "--shares", "new=95%,old=5%", "--when-empty", "old=repeat", *args,
                             f"new={new}", f"old={old}")
        is_old = [r in ids for r in read_stream(out)[0]["id"].to_pylist()]
        count.check(f"replay {args}: {len(is_old)} rows {err}", code == 0 and
                    abs(len(is_old) - rows) <= 1)
        count.check(f"replay {args}: new rows", is_old.count(False) == rows * 95 // 100)
        sums = [sum(is_old[i:i + 100]) for i in range(len(is_old) - 99)]
        count.check(f"replay {args}: every window", all(3 <= s <= 7 for s in sums),
                    min(sums), max(sums))


def check_batches(p, build):
    """Where the batches of the inputs end changes nothing, also where inputs run out."""
    for end in ("redistribute", "repeat"):
        outs = []
        for per_batch in (1, 2, 3, 5, 60):
            paths = []
            for k, rows in enumerate((4, 6, 9, 60)):
                path = p.folder / f"cut-{k}.arrows"
                path.write_bytes(subprocess.run(
                    [build / "test/sequences_sample", str(rows), "8", "uint16", str(per_batch),
                     str(1000 * k)], capture_output=True, check=True).stdout)
                paths.append(path)
            code, out, err = mix(p, "--weights", "3,3,3,1", "--when-empty", end, "-n",
                                 0 if end == "redistribute" else 200, *paths)
            count.check(f"batches of {per_batch}: {err}", code == 0)
            outs.append(out)
        count.check("batches of inputs change nothing", outs.count(outs[0]) == len(outs))


def check_memory(p, build):
    """Batches that do not fit go to a file, and the bytes are the same; so by a pipe."""
    paths = []
    for k in range(3):
        paths.append(p.folder / f"large-{k}.arrows")
        paths[-1].write_bytes(subprocess.run(
            [build / "test/sequences_sample", "2500", "512", "uint16", "1000", str(10000 * k)],
            capture_output=True, check=True).stdout)
    for end, n in (("redistribute", 0), ("stop", 0), ("stop", 700), ("repeat", 9000)):
        args = ["--weights", "5,2,1", "--when-empty", end, "-n", n]
        rejects = [p.folder / f"r{i}.arrows" for i in range(2)]
        want = p.out("sluice-mix", *args, "-f", "--rejects", rejects[0], *paths)
        for mem in ("14M", "16M"):
            got = p.out("sluice-mix", *args, "--mem", mem, "-f", "--rejects", rejects[1], *paths)
            count.check(f"{args} in {mem}", got == want and
                        rejects[0].read_bytes() == rejects[1].read_bytes())
        got = p.out("sluice-mix", *args, "--mem", "14M", *paths[:2], "-",
                    stdin=paths[2].read_bytes())
        count.check(f"{args} in 14M by a pipe", got == want)
    code, _, err = mix(p, "--mem", "13M", *paths)
    count.check("too little memory: " + err, code == 2 and "14M at least" in err)


def check_changed(p, build):
    """A file that is another when its source begins again is an error, not other rows."""
    def sequences(name, first, length=512):
        path = p.folder / name
        path.write_bytes(subprocess.run(
            [build / "test/sequences_sample", "6000", str(length), "uint16", "1000", str(first)],
            capture_output=True, check=True).stdout)
        return path
    for first, length, words in ((90000, 512, "digest is another"), (0, 511, "tokens")):
        path, other = sequences("first.arrows", 0), sequences("other.arrows", first, length)
        with subprocess.Popen(p.argv("sluice-mix", "--when-empty", "repeat", "-n", 18000, path),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=p.env) as run:
            run.stdout.read(100000)  # it waits for us, in its first pass
            os.replace(other, path)
            said = run.communicate()[1].decode()
        count.check("a file that changes between two passes: " + said, run.returncode == 1 and
                    "changed between two passes" in said and words in said)
        p.nothing_left("a file that changes")


def check_files_from(p):
    a, b = make(p, "fa", [4] * 10), make(p, "fb", [4] * 30)
    names = f"x={a}\0y={b}".encode()
    want = p.out("sluice-mix", "--weights", "x=1,y=3", f"x={a}", f"y={b}")
    got = p.out("sluice-mix", "--weights", "x=1,y=3", "--files-from", "-", "-0", stdin=names)
    count.check("sources by --files-from", got == want)
    depfile = p.folder / "deps"
    p.out("sluice-mix", "--weights", "x=1,y=3", f"x={a}", f"y={b}", "-o", p.folder / "m.arrows",
          "--depfile", depfile)
    count.check("the files of sources are dependencies", str(b) in depfile.read_text() and
                "y=" not in depfile.read_text(), depfile.read_text())


def check_many(p, build):
    """More inputs than a process may have files open at first."""
    def limit(soft, hard):
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    paths = []
    for k in range(3):
        paths.append(p.folder / f"many-{k}.arrows")
        paths[-1].write_bytes(subprocess.run(
            [build / "test/sequences_sample", "6", "8", "uint16", "3", str(100 * k)],
            capture_output=True, check=True).stdout)
    paths *= 50
    want = p.out("sluice-mix", *paths)
    code, out, err = mix(p, *paths, preexec_fn=limit(60, 300))
    count.check("150 inputs and 60 files: " + err, code == 0 and out == want)
    code, out, err = mix(p, *paths, preexec_fn=limit(60, 100))
    count.check("150 inputs and never more than 100 files: " + err, code == 3 and
                "no more than 100" in err and not out.startswith(want[:1000]))
    sources = [",".join(map(str, paths[k::3])) for k in range(3)]
    code, out, err = mix(p, *(f"s{k}={s}" for k, s in enumerate(sources)),
                         preexec_fn=limit(60, 100))
    count.check("150 files of 3 sources: " + err, code == 0 and
                read_stream(out)[0].num_rows == 900)


def main():
    build = Path(sys.argv[1]).resolve()
    mixes = int(sys.argv[2]) if len(sys.argv) > 2 else 150
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    with tempfile.TemporaryDirectory() as folder:
        p = Place(build, folder, count)
        check_ends(p)
        check_refused(p, build)
        check_tokens(p, rng)
        check_copies(p)
        check_replay(p)
        check_batches(p, build)
        check_memory(p, build)
        check_many(p, build)
        check_changed(p, build)
        check_files_from(p)
        pool = Pool(p, rng)
        refused = sum(check_random(p, rng, pool, p.folder / "rejects.arrows")
                      for _ in range(mixes))
        count.check(f"{refused} of {mixes} mixes are refused", mixes < 100 or
                    mixes / 20 < refused < mixes / 2)
    return count.finish()


if __name__ == "__main__":
    sys.exit(main())
