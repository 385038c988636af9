#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sluice-sample beside a reference of a few lines: which rows, whatever the order,
the parts and the memory; sample and rest are the input.

usage: sample_test.py BUILD_DIR
"""
import json
import os
import random
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bad_input import Count, Place  # noqa: E402

count = Count()
N = 6000
LANGS = ("en", "de", "pt", None, "")


def doc(i):
    return {"id": f"doc {i}", "text": f"text {i} " * (i % 40), "lang": LANGS[i % 7 % 5],
            "n": i % 11, "even": i % 2 == 0}


COLUMNS = "lang utf8?, n uint8, even bool"


def docs(p, numbers, *args):
    text = "".join(json.dumps(doc(i)) + "\n" for i in numbers).encode()
    return p.out("sluice-import", "--source", "s", "--columns", COLUMNS, *args, stdin=text)


def ids(p, stream):
    text = p.out("sluice-export", "--columns", "id", stdin=stream).decode()
    return [json.loads(line)["id"] for line in text.splitlines()]


def hashes(p, stream, seed=0):
    """{id: hash} as concepts.md says; None without xxhash."""
    try:
        import xxhash
    except ImportError:
        count.skip("xxhash cannot be imported: the hashes were not compared")
        return None
    row_seed = xxhash.xxh3_64_intdigest(b"sluice-sample/share", seed=seed)
    return {i: xxhash.xxh3_64_intdigest(bytes.fromhex(i) + b"\0\0", seed=row_seed)
            for i in ids(p, stream)}


def sample(p, stream, *args, code=0, by_file=False):
    """The sample's ids, with the rest's; both verified, and together the input."""
    rest, path, out = (p.folder / n for n in ("rest.arrows", "in.arrows", "out.arrows"))
    rejects = p.folder / "rejects.arrows"
    path.write_bytes(stream)
    p.out("sluice-sample", *args, "-f", "--rest", rest, "--rejects", rejects, "-o", out,
          "--report", p.report_path, *([path] if by_file else []), stdin=b"" if by_file else stream)
    p.out("sluice-verify", out, rest, rejects)
    one, two = ids(p, out.read_bytes()), ids(p, rest.read_bytes())
    everything = ids(p, stream)
    chosen = set(one)
    count.check(f"{args}: sample and rest are the input, in its order",
                one == [i for i in everything if i in chosen] and
                two == [i for i in everything if i not in chosen], len(one), len(two))
    tally = json.loads(p.report_path.read_text())["tally"]
    count.check(f"{args}: the tally", tally["out"]["rows"] == len(one) and
                tally["reasons"] == {"not_sampled": len(two)}, tally)
    for port, rows in (("out", one), ("rejected", two), ("in", everything)):
        total = sum(int(i, 16) for i in rows) % 2 ** 128
        count.check(f"{args}: ids {port}", int(tally[port]["ids"], 16) == total, tally)
    return one


# ---- cases ----

def case_share(p):
    stream = docs(p, range(N))
    want = hashes(p, stream)
    for share, part in (("0.15", 0.15), ("15%", 0.15), ("0", 0), ("1", 1), ("100%", 1),
                        ("0.0001", 0.0001)):
        got = sample(p, stream, "--share", share)
        count.check(f"near {share}", abs(len(got) - part * N) <= 0.02 * N, len(got))
        if want:
            count.check(f"--share {share}: the hashes below it", set(got) ==
                        {i for i, h in want.items() if h < part * 2 ** 64}, len(got))
    small, large = (set(sample(p, stream, "--share", s)) for s in ("0.05", "0.2"))
    count.check("a smaller one is a part of a larger one", small < large)
    other = set(sample(p, stream, "--share", "0.05", "--seed", 1))
    count.check("another seed, other rows", other != small and len(other & small) < len(small) / 2)
    if want:
        count.check("--seed", other == {i for i, h in hashes(p, stream, 1).items()
                                        if h < 0.05 * 2 ** 64})


def case_any_order(p):
    numbers = list(range(N))
    stream = docs(p, numbers)
    share, n = (set(sample(p, stream, *a)) for a in (("--share", "0.1"), ("-n", 333)))
    random.Random(5).shuffle(numbers)
    mixed = docs(p, numbers)
    count.check("--share, shuffled", set(sample(p, mixed, "--share", "0.1")) == share)
    count.check("-n, shuffled", set(sample(p, mixed, "-n", 333)) == n)
    parts = [docs(p, numbers[k::3]) for k in range(3)]
    count.check("--share, in parts", set().union(
        *(sample(p, part, "--share", "0.1") for part in parts)) == share)
    files = []
    for k, part in enumerate(parts):
        files.append(p.folder / f"part-{k}.arrows")
        files[-1].write_bytes(part)
    got = ids(p, p.out("sluice-sample", "-n", 333, *files))
    count.check("-n, of several files", set(got) == n and len(got) == 333, len(got))
    got = p.out("sluice-sample", "-n", 333, stdin=p.out("sluice-cat", *files))
    count.check("and by a pipe", set(ids(p, got)) == n)


def case_number(p):
    stream = docs(p, range(N))
    want = hashes(p, stream)
    for n in (1, 2, 999, N - 1, N, N + 1, 10 ** 12):
        got = sample(p, stream, "-n", n, by_file=n % 2 == 0)
        count.check(f"-n {n} is exact", len(got) == min(n, N), len(got))
        if want:
            count.check(f"-n {n}: the smallest hashes", set(got) ==
                        set(sorted(want, key=want.get)[:n]))
    count.check("-n is a part of --share", set(sample(p, stream, "-n", 100)) <
                set(sample(p, stream, "--share", "0.1")))


def strata(p, stream, column):
    rows = defaultdict(list)
    for line in p.out("sluice-export", "--columns", f"id,{column}", stdin=stream).splitlines():
        r = json.loads(line)
        rows[r[column]].append(r["id"])
    return rows


def case_strata(p):
    stream = docs(p, range(N))
    want = hashes(p, stream)
    for column, values in (("lang", 5), ("n", 11), ("even", 2), ("source", 1)):
        rows = strata(p, stream, column)
        count.check(f"{column} has values", len(rows) == values, rows.keys())
        for args, wanted in (
                (("-n", 40), lambda n: 40), (("--share", "0.1"), lambda n: int(n * 0.1 + 0.5)),
                (("-n", 1000), lambda n: 1000)):
            got = set(sample(p, stream, *args, "--by", column))
            for value, members in rows.items():
                k = min(len(members), wanted(len(members)))
                count.check(f"{args} --by {column}: {value}", len(got & set(members)) == k)
                if want:
                    count.check(f"{args} --by {column}: {value}: the smallest",
                                got & set(members) == set(sorted(members, key=want.get)[:k]))
        for args, wanted in ((("--first", 7), lambda n: 7),
                             (("--first", "5%"), lambda n: int(n * 0.05 + 0.5))):
            got = set(sample(p, stream, *args, "--by", column))
            count.check(f"{args} --by {column}", got == {
                i for members in rows.values() for i in members[:wanted(len(members))]})
    p.fails("too many values", 1, ["--mem", "'id'"], "sluice-sample", "-n", 1, "--by", "id",
            "--mem", "1M", stdin=stream)
    p.fails("no such column", 1, ["no column 'x'"], "sluice-sample", "-n", 1, "--by", "x",
            stdin=stream)
    p.fails("a float", 1, ["'f'"], "sluice-sample", "-n", 1, "--by", "f",
            stdin=p.out("sluice-import", "--source", "s", "--columns", "f float32?",
                        stdin=b'{"text":""}'))


def case_first(p):
    stream = docs(p, range(N))
    everything = ids(p, stream)
    for first, n in ((1, 1), ("1", 1), ("100%", N), ("15%", 900), ("0.15", 900), ("1.0", N),
                     (N - 1, N - 1), (N + 5, N), ("0.00001", 0), ("50%", N // 2), ("0", 0)):
        got = sample(p, stream, "--first", first)
        count.check(f"--first {first}", got == everything[:n], len(got))
    odd = docs(p, range(20))
    count.check("15% of 20", len(sample(p, odd, "--first", "15%")) == 3)


def case_rows_untouched(p):
    """What is taken has all columns as they were; equal rows and copies count."""
    stream = docs(p, range(300))
    whole = p.out("sluice-sample", "--share", 1, stdin=stream)

    def columns(s):
        at = [m.start() for m in re.finditer(rb'\{"rows":\d+,"batches"', s)][-1]
        return json.JSONDecoder().raw_decode(s[at:].decode("utf-8", "replace"))[0]["columns"]
    count.check("all of it has its digests", columns(whole) == columns(stream))
    twice = p.folder / "twice.arrows"
    twice.write_bytes(stream)
    got = ids(p, p.out("sluice-sample", "-n", 5, twice, twice))
    count.check("rows of one key: exactly so many", len(got) == 5 and len(set(got)) == 3, got)
    empty = docs(p, ())
    for args in (("-n", 3), ("--share", "0.5"), ("--first", "50%"), ("--first", 2),
                 ("-n", 3, "--by", "lang")):
        count.check("of nothing", sample(p, empty, *args) == [])
    one = docs(p, (1,))
    for args in (("-n", 1), ("--share", 1), ("--first", "50%"), ("--first", 1)):
        count.check("of one row", len(sample(p, one, *args)) == 1, args)


def case_copies(p):
    """A row's key is id and copy: repeated rows are drawn each for itself."""
    text = "".join(json.dumps({"id": f"d{i // 3}", "text": "", "copy": i % 3}) + "\n"
                   for i in range(3000)).encode()
    stream = p.out("sluice-import", "--source", "s", "--columns", "copy uint16", stdin=text)
    try:
        import xxhash
    except ImportError:
        count.skip("xxhash cannot be imported: the hashes were not compared")
        return
    row_seed = xxhash.xxh3_64_intdigest(b"sluice-sample/share", seed=9)
    text = p.out("sluice-sample", "-n", 500, "--seed", 9, stdin=stream)
    keys = [(r["id"], r["copy"]) for r in p.rows(text)]
    want = {(r["id"], r["copy"]): xxhash.xxh3_64_intdigest(
        bytes.fromhex(r["id"]) + r["copy"].to_bytes(2, "little"), seed=row_seed)
        for r in p.rows(stream)}
    count.check("the smallest hashes of id and copy", len(want) == 3000 and
                set(keys) == set(sorted(want, key=want.get)[:500]), len(keys))


def case_usage(p):
    for args in ((), ("--share", "0.1", "-n", 1), ("-n", 0), ("-n", 1, "--first", 1),
                 ("--share", "1.5"), ("--share", "-0.1"), ("--share", "101%"), ("--share", "x"),
                 ("--first", "-1"), ("--first", "1x"), ("--first", "200%"), ("--first", "")):
        p.fails(" ".join(map(str, args)), 2, ["sluice-sample: "], "sluice-sample", *args,
                stdin=b"")


def main():
    build = Path(sys.argv[1]).resolve()
    for case in [f for n, f in globals().items() if n.startswith("case_")]:
        count.case = case.__name__[5:]
        if sys.argv[2:] and count.case not in sys.argv[2:]:
            continue
        with tempfile.TemporaryDirectory(prefix="sample-") as folder:
            case(Place(build, folder, count))
    print(f"{count.passed} passed, {count.failed} failed, {count.skipped} skipped")
    return 1 if count.failed or not count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
