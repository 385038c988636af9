#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sluice-reweight beside reweight_twin.py, on random losses in the files that trainers
write; bad files; the same bytes for any memory, threads and order of lines.

usage: reweight_test.py BUILD_DIR

SLUICE_LONG_TESTS=1  5 million losses instead of 300,000 in the test of memory
"""
import gzip
import io
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import reweight_twin as twin  # noqa: E402
from bad_input import Count, Place  # noqa: E402
from counted import read_stream  # noqa: E402

TOOL = "sluice-reweight"
KINDS = ("linupper", "quadratic", "extremes", "upper")
count = Count()


def sequences(build, n, first=0, per_batch=60, length=8):
    return subprocess.run([build / "test/sequences_sample", str(n), str(length), "uint16",
                           str(per_batch), str(first)], capture_output=True, check=True).stdout


def keys_of(table):
    copies = table["copy"].to_pylist() if "copy" in table.column_names else [0] * len(table)
    return list(zip(table["id"].to_pylist(), copies))


def row_seed(seed):
    try:
        import xxhash
    except ImportError:
        return None
    return xxhash.xxh3_64_intdigest(b"sluice-reweight/resample", seed=seed)


# ---- files of losses ----

def jsonl(losses, rng):
    lines = []
    for i, copy, loss, step in losses:
        row = [("id", i.hex()), ("loss", loss)]
        if copy or rng.random() < .5:
            row.append(("copy", copy))
        elif rng.random() < .1:
            row.append(("copy", None))
        if step is not None or rng.random() < .1:
            row.append(("step", step))
        if rng.random() < .1:
            row.append(("more", {"id": [1, "\u00e9", None], "loss": "x"}))
        rng.shuffle(row)
        lines.append(json.dumps(dict(row)) + ("\r\n" if rng.random() < .1 else "\n"))
        if rng.random() < .03:
            lines.append(" \n")
    text = "".join(lines)
    if lines and rng.random() < .3:
        text = text.rstrip("\r\n ")
    return text.encode()


def arrow(losses, rng):
    import pyarrow as pa
    import pyarrow.ipc as ipc
    ids, copies, values, steps = ([x[k] for x in losses] for k in range(4))
    hexes = [i.hex() for i in ids]
    columns = {
        "id": rng.choice((lambda: pa.array(ids, pa.binary(16)), lambda: pa.array(ids, pa.binary()),
                          lambda: pa.array(hexes, pa.string()),
                          lambda: pa.array(hexes, pa.large_string())))(),
        "loss": pa.array(values, pa.float64())}
    if any(copies) or rng.random() < .5:
        columns["copy"] = pa.array([c or rng.choice((0, None)) for c in copies],
                                   rng.choice((pa.uint16(), pa.int64(), pa.uint32())))
    if any(s is not None for s in steps):
        columns["step"] = pa.array(steps, pa.int64())
    columns["note"] = pa.array([None] * len(ids), pa.string())
    names = list(columns)
    rng.shuffle(names)
    table, out = pa.table({n: columns[n] for n in names}), io.BytesIO()
    with ipc.new_stream(out, table.schema) as w:
        w.write_table(table, max_chunksize=rng.choice((1, 7, 1000)))
    return out.getvalue()


def polars(losses, rng):
    import polars as pl
    out = io.BytesIO()
    frame = pl.DataFrame({"id": [x[0].hex() for x in losses], "copy": [x[1] for x in losses],
                          "loss": [x[2] for x in losses], "step": [x[3] for x in losses]},
                         schema={"id": pl.String, "copy": pl.UInt16, "loss": pl.Float64,
                                 "step": pl.Int64})
    frame.write_ipc_stream(out, compat_level=pl.CompatLevel.oldest())
    return out.getvalue()


def packed(data, rng):
    how = rng.randint(0, 3)
    if how == 0:
        return gzip.compress(data, 1, mtime=0)
    if how == 1:
        import zstandard
        return zstandard.compress(data)
    return data


def write_losses(folder, name, losses, rng):
    """As one file or several; the option's value."""
    cuts = sorted(rng.choices(range(len(losses) + 1), k=rng.choice((0, 0, 1, 2))))
    names = []
    for k, (a, b) in enumerate(zip([0, *cuts], [*cuts, len(losses)])):
        path = folder / f"{name}{k}"
        write = rng.choice((jsonl, jsonl, arrow, polars))
        path.write_bytes(packed(write(losses[a:b], rng), rng))
        names.append(str(path))
    return ",".join(names)


def random_loss(rng):
    return rng.choice((rng.uniform(0, 12), rng.uniform(2, 3), 0.0, -0.0, 2.5, rng.expovariate(1),
                       float(struct.unpack("<f", struct.pack("<f", rng.uniform(1, 9)))[0]),
                       1e-300, 3.0e38 * rng.random()))


def measure(keys, rng, missing):
    """Random losses of the keys and of others."""
    same = rng.random() < .1
    losses = []
    for i, copy in dict.fromkeys(keys):
        if missing and rng.random() < .2:
            continue
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            losses.append((i, copy, 1.5 if same else random_loss(rng),
                           rng.choice((None, rng.randint(-3, 3), rng.randint(0, 10**12)))))
    for _ in range(rng.choice((0, 0, 3))):
        losses.append((rng.randbytes(16), rng.randint(0, 65535), random_loss(rng), None))
    rng.shuffle(losses)
    return losses


# ---- random cases ----

def check_rows(name, table, keys, want, places):
    """want: column name to values of every sequence; places: those that are there."""
    got = {c: table[c].to_pylist() for c in want}
    count.check(f"{name}: rows", len(table) == len(places), len(table), len(places))
    count.check(f"{name}: the order of the data",
                table["id"].to_pylist() == [keys[k][0] for k, _ in places])
    for column, values in want.items():
        wanted = [values[k] for k, _ in places]
        wrong = [(at, a, b) for at, (a, b) in enumerate(zip(got[column], wanted)) if a != b]
        count.check(f"{name}: {column}", not wrong, wrong[:3])


def check_tally(name, lineage, n, losses, keys, missing):
    counts = lineage[-1]["tally"]["counts"]
    measured = {(i, c) for i, c, _, _ in losses}
    want = {"losses": len(losses), "losses_repeated": len(losses) - len(measured),
            "unmatched": len(measured - set(keys)), "missing": missing}
    got = {k: counts.get(k, 0) for k in want}
    count.check(f"{name}: counts", got == want, got, want)


def check_domains(name, path, want):
    got = [json.loads(line) for line in path.read_text().splitlines()]
    close = len(got) == len(want) and all(
        (g.get("source"), g["rows"], g["measured"], g["excess"]) == w[:4] and
        abs(g["weight"] - w[4]) <= 1e-12 for g, w in zip(got, want))
    count.check(f"{name}: domains", close, got[:3], want[:3])
    count.check(f"{name}: weights of domains", abs(sum(g["weight"] for g in got) - 1) < 1e-9)


def random_case(p, number, streams):
    rng = random.Random(number)
    stream = rng.choice(streams)
    table, _ = read_stream(stream)
    keys = keys_of(table)
    missing = rng.random() < .4
    losses = measure(keys, rng, missing)
    how, kind = rng.choice(("mean", "first", "last")), rng.choice(KINDS)
    d, r = rng.choice((1.0, 1.0, 0.5, 3.0)), rng.choice((0.4, 0.4, 0.05, 0.0001, 10.0))
    batch = rng.choice((0, 0, 1, 7, 64, 10**6))
    folder = p.folder / f"case-{number}"
    folder.mkdir()
    args = ["--losses", write_losses(folder, "now", losses, rng), "--reduce", how,
            "--weights", kind, "--d", d, "--r", r, "--batch", batch, "--replace"]
    reduced = twin.reduce(losses, how)
    now = [reduced.get(k) for k in keys]
    w = twin.weights(now, kind, d, r, batch)
    want = {"loss": [None if x is None else twin.float32(x) for x in now]}
    if missing:
        args += ["--missing", "keep"]
    if rng.random() < .4:
        earlier = measure(keys, rng, True)
        args += ["--recovery", write_losses(folder, "before", earlier, rng)]
        before = twin.reduce(earlier, how)
        want["loss_recovery"] = [twin.recovery(a, before.get(k)) for a, k in zip(now, keys)]
    reference = None
    if keys and losses and any(k in reduced for k in keys) and rng.random() < .3:
        eta = rng.choice((1.0, 0.3))
        measured = [x for x in measure(keys, rng, True) if x[2] < 1e30] or losses
        args += ["--reference", write_losses(folder, "reference", measured, rng), "--eta", eta,
                 "--domains", folder / "domains.jsonl", "-f"]
        reference = twin.reduce(measured, how)
    places = [(k, 0) for k in range(len(keys))]
    seed = rng.randint(0, 2**64 - 1)
    again = keys and row_seed(seed) is not None and rng.random() < .5
    if again:
        n = rng.choice((0, 1, len(keys), 3 * len(keys), rng.randint(0, 1000)))
        text = rng.choice((str(n), "50%", "1.5", "100.0%"))
        n = {"50%": (len(keys) + 1) // 2, "1.5": (3 * len(keys) + 1) // 2,
             "100.0%": len(keys)}.get(text, n)
        args += ["--resample", text, "--seed", seed]
        places = twin.sample([k[0] for k in keys], w, n, row_seed(seed))
        count.check("the twin's sample", len(places) == n)
        if not batch and not missing:
            times = Counter(k for k, _ in places)
            count.check("counts within one of the expectation", all(
                abs(times[k] - n * w[k] / len(keys)) < 1 + 1e-4 for k in range(len(keys))))
    else:
        want["weight"] = w
    name = f"case {number}: {' '.join(map(str, args[2:]))}"
    if reference is not None and not any(k in reduced and k in reference for k in keys):
        p.fails(name, 1, ["both a loss and a reference"], TOOL, *args, stdin=stream)
        return
    out = p.out(TOOL, *args, stdin=stream)
    if not out:
        return
    if reference is not None:
        check_domains(name, folder / "domains.jsonl", twin.domains(
            table["source"].to_pylist(), now, [reference.get(k) for k in keys], eta))
    have, lineage = read_stream(out)
    check_rows(name, have, keys, want, places)
    check_tally(name, lineage, len(keys), losses, keys, now.count(None))
    if again:
        count.check(f"{name}: copy", have["copy"].to_pylist() == [c for _, c in places])
        count.check(f"{name}: keys differ", len(set(keys_of(have))) == len(have))
    path = folder / "out.arrows"
    path.write_bytes(out)
    if number % 5 == 0:
        p.out("sluice-verify", path)
        more = ["-T", rng.choice((2, 8)), "--mem", "16M"]
        count.check(f"{name}: {more}", p.out(TOOL, *args, *more, stdin=stream) == out)


def make_streams(p, build):
    """Ids in one place; in several with one key; with copies."""
    one = sequences(build, 211)
    streams = [one, sequences(build, 1), sequences(build, 0), sequences(build, 60, 5, 7)]
    for name, data in (("a", one), ("b", sequences(build, 90, 150))):
        (p.folder / f"{name}.arrows").write_bytes(data)
    streams.append(p.out("sluice-cat", p.folder / "a.arrows", p.folder / "b.arrows"))
    (p.folder / "plan.yaml").write_text(
        "sources: {a: {path: a.arrows, epochs: 3}}\nstages: [{name: all, order: shuffle}]\n")
    streams.append(p.out("sluice-curriculum", p.folder / "plan.yaml"))
    return streams


# ---- bad input ----

ID = "00112233445566778899aabbccddeeff"
BAD_LINES = (
    ('{"id": "%s", "loss": NaN}', "NaN or infinite"),
    ('{"id": "%s", "loss": -Infinity}', "NaN or infinite"),
    ('{"id": "%s", "loss": Infinity}', "NaN or infinite"),
    ('{"id": "%s", "loss": -0.5}', "below 0"),
    ('{"id": "%s", "loss": 1e39}', "too large"),
    ('{"id": "%s", "loss": 1e999}', "too large"),
    ('{"id": "%s", "loss": null}', "loss is no number"),
    ('{"id": "%s", "loss": "1.5"}', "loss is no number"),
    ('{"id": "%s"}', "there is no loss"),
    ('{"loss": 1.5}', "there is no id"),
    ('{"id": "%sff", "loss": 1.5}', "no 32 hex digits"),
    ('{"id": "0%.31s", "loss": 1.5, "copy": 65536}', "copy is no number from 0 to 65535"),
    ('{"id": "%s", "loss": 1.5, "copy": -1}', "copy is no number"),
    ('{"id": "%s", "loss": 1.5, "copy": 1.0}', "copy is no whole number"),
    ('{"id": "%s", "loss": 1.5, "step": 1e3}', "step is no whole number"),
    ('{"id": "%s", "loss": 1.5, "loss": 1.5}', "loss stands twice"),
    ('{"id": "%s", "loss": 1.5, "\\u0069d": "x"}', "id stands twice"),
    ('["%s", 1.5]', "no JSON object"),
    ('{"id": "%s", "loss": 1.5} {}', "at byte"),
    ('{"id": "%s", "loss": 1.', "at byte"),
    ('{"id": "%s", "loss": 01.5}', "at byte"),
    ('{"id": "%s", "loss": 1.5, "x": "\xff"}', "not UTF-8"),
    ('{"id": "%s", "loss": 1.5, "x": "' + 70000 * "y" + '"}', "longer than"),
)


def check_bad_lines(p, stream):
    path = p.folder / "bad.jsonl"
    fine = '{"id": "%s", "loss": 1.5}\n\n' % ID
    for line, says in BAD_LINES:
        line = line % ID if "%" in line else line
        path.write_bytes((fine + line + "\n" + fine).encode("latin-1"))
        p.fails(line[:60], 1, ["bad.jsonl', line 3: ", says], TOOL, "--losses", path,
                stdin=stream, )
    for data, says in ((b"id,loss\n", "neither lines of JSON"), (b"ARROW1\0\0", "Arrow file"),
                       (b"PAR1", "Parquet"), (b"[{}]", "neither lines"), (b"\xff" * 4, "bad.jsonl"),
                       (b"\xff\xff\xff\xff\x10", "bad.jsonl"), (b"\0" * 100, "neither lines")):
        path.write_bytes(data)
        p.fails(f"{data[:8]}", 1, [says], TOOL, "--losses", path, stdin=stream)


def check_bad_arrow(p, stream):
    import pyarrow as pa
    import pyarrow.ipc as ipc
    i = bytes.fromhex(ID)
    cases = (
        ({"id": [i, i], "loss": pa.array([1.0, float("nan")])}, "row 2: the loss is NaN"),
        ({"id": [i, i], "loss": pa.array([1.0, float("inf")], pa.float32())},
         "row 2: the loss is inf"),
        ({"id": [i, i], "loss": pa.array([1.0, None])}, "row 2: the loss is null"),
        ({"id": [i, None], "loss": pa.array([1.0, 1.0])}, "row 2: the id is null"),
        ({"id": [i, i[1:]], "loss": pa.array([1.0, 1.0])}, "row 2: the id has not 16"),
        ({"id": [ID, ID[1:]], "loss": pa.array([1.0, 1.0])}, "row 2: the id is no 32"),
        ({"id": [i, i], "loss": pa.array([1, 1])}, "'loss' is not float"),
        ({"id": [1, 2], "loss": pa.array([1.0, 1.0])}, "'id' is not 16 bytes"),
        ({"loss": pa.array([1.0, 1.0])}, "no column 'id'"),
        ({"id": [i, i]}, "no column 'loss'"),
        ({"id": [i], "loss": pa.array([1.0]), "copy": pa.array([2**64 - 1], pa.uint64())},
         "row 1: copy is no number"),
        ({"id": [i], "loss": pa.array([1.0]), "step": pa.array([2**63], pa.uint64())},
         "row 1: the step"),
        ({"id": [i], "loss": pa.array([1.0]), "copy": pa.array([1.0])}, "'copy' is not an integer"),
        ({"id": [i], "loss": pa.array([-2.0])}, "row 1: the loss -2 is below 0"),
    )
    path = p.folder / "bad.arrow"
    for columns, says in cases:
        table = pa.table(columns)
        with ipc.new_stream(path, table.schema) as w:
            w.write_table(table)
        p.fails(says, 1, ["bad.arrow", says], TOOL, "--losses", path, stdin=stream)
    table = pa.table({"id": [i], "loss": [1.0]})
    with ipc.new_stream(path, table.schema) as w:
        w.write_table(table)
    with open(path, "r+b") as f:
        f.truncate(path.stat().st_size - 8)
    p.fails("no end", 1, ["no end marker"], TOOL, "--losses", path, stdin=stream)


def check_cuts(p, stream, build):
    """A cut file of losses is never taken for a short one."""
    rng = random.Random(1)
    table, _ = read_stream(sequences(build, 20))
    losses = [(i, 0, rng.uniform(1, 9), None) for i in table["id"].to_pylist()]
    path = p.folder / "cut"
    for write in (jsonl, arrow):
        whole = write(losses, rng).rstrip(b"\r\n ")
        for data in (whole, gzip.compress(whole, mtime=0)):
            for at in sorted(rng.sample(range(1, len(data)), 25)):
                path.write_bytes(data[:at])
                r = p.run(TOOL, "--losses", path, stdin=stream)
                count.check(f"{write.__name__} cut at {at} of {len(data)}", r.returncode == 1,
                            r.said)
    for at in range(60):
        data = bytearray(gzip.compress(arrow(losses, rng), mtime=0))
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        p.run(TOOL, "--losses", path, stdin=stream)


def check_policies(p, build):
    stream = sequences(build, 20)
    table, _ = read_stream(stream)
    ids = table["id"].to_pylist()
    path, other = p.folder / "few.jsonl", p.folder / "more.jsonl"
    path.write_text("".join(json.dumps({"id": i.hex(), "loss": 1.0}) + "\n" for i in ids[:5]))
    other.write_text(path.read_text().replace("1.0", "2.0") + json.dumps({"id": ID, "loss": 1}))
    p.fails("missing", 1, ["15 of 20 sequences have no loss", "row 6", ids[5].hex()], TOOL,
            "--losses", path, stdin=stream)
    p.fails("unmatched", 1, ["1 of 6 losses have no sequence", ID], TOOL, "--losses",
            f"{path},{other}", "--missing", "keep", "--unmatched", "error", stdin=stream)
    weighted = p.out(TOOL, "--losses", f"{path},{other}", "--missing", "keep", stdin=stream)
    count.check("equal losses, equal weights",
                read_stream(weighted)[0]["weight"].to_pylist() == [1.0] * 20)
    p.fails("a column that is there", 1, ["'weight' already", "--replace"], TOOL, "--losses", path,
            "--missing", "keep", stdin=weighted)
    scores = p.out(TOOL, "--losses", path, "--missing", "keep", "--weights", "none",
                   "--replace", stdin=weighted)
    count.check("without weights", read_stream(scores)[0]["weight"].to_pylist() == [1.0] * 20)
    for args in (("--losses", path, "--d", 0), ("--losses", path, "--r", -1), (),
                 ("--losses", f"{path},"), ("--losses", ""), ("--losses", "/dev/stdin"),
                 ("--losses", path, "--resample", "x"), ("--losses", path, "--resample", "-1"),
                 ("--losses", path, "--resample", "-1%"), ("--losses", path, "--resample", ""),
                 ("--losses", path, "--resample", 2**40), ("--losses", path, "--mem", "8M"),
                 ("--losses", path, "--resample", "5", "--weights", "none"),
                 ("--losses", path, "--reference", path), ("--losses", path, "--eta", "0"),
                 ("--losses", path, "--domains", p.folder / "x.jsonl")):
        p.fails(f"{args}", 2, [], TOOL, *args, stdin=stream)
    p.fails("absent", 3, ["absent"], TOOL, "--losses", p.folder / "absent", stdin=stream)
    p.fails("nothing to take from", 1, ["no sequences"], TOOL, "--losses", path, "--resample", 5,
            stdin=sequences(build, 0))
    p.fails("one sequence too often", 1, ["65536"], TOOL, "--losses", path, "--missing", "keep",
            "--resample", 20 * 70000, stdin=stream)
    lineage = read_stream(weighted)[1][-1]
    count.check("the lineage has digests and no names", "few.jsonl" not in json.dumps(lineage) and
                len(lineage["rules"]["losses_xxh3"]) == 2, lineage)


def check_order_of_lines(p, build):
    rng = random.Random(5)
    stream = sequences(build, 300)
    keys = keys_of(read_stream(stream)[0])
    losses = [(i, c, rng.uniform(0, 9), rng.randint(0, 10**6)) for i, c in keys for _ in range(3)]
    path, outs = p.folder / "lines.jsonl", {}
    for turn in range(4):
        path.write_bytes(jsonl(losses, rng))
        for how in ("mean", "last"):
            outs.setdefault(how, set()).add(
                str(read_stream(p.out(TOOL, "--losses", path, "--reduce", how, stdin=stream))[0]))
        rng.shuffle(losses)
    count.check("the order of lines changes nothing", all(len(v) == 1 for v in outs.values()))
    piped = subprocess.run(f"cat {p.folder}/s.arrows | {p.bin}/{TOOL} --losses {path}", shell=True,
                           capture_output=True).stdout
    for option in ("--losses", "--recovery"):
        more = () if option == "--losses" else ("--losses", path)
        done = subprocess.run([str(p.bin / TOOL), *map(str, more), option, "-", "--missing", "keep",
                               str(p.folder / "s.arrows")], stdin=open(path, "rb"),
                              capture_output=True)
        count.check(f"{option} -: refused, as it is read twice", done.returncode == 2 and
                    b"no regular file" in done.stderr, done.returncode, done.stderr)
    count.check("a pipe and a file", piped == p.out(TOOL, "--losses", path,
                                                    p.folder / "s.arrows"))


def check_next_epoch(p, build):
    """Scores order the next epoch, by sort and by plan."""
    rng = random.Random(6)
    stream = sequences(build, 200)
    ids = [i for i, _ in keys_of(read_stream(stream)[0])]
    for name in ("e1", "e2"):
        (p.folder / name).write_bytes(jsonl([(i, 0, rng.uniform(1, 9), None) for i in ids], rng))
    scored = p.out(TOOL, "--losses", p.folder / "e2", "--recovery", p.folder / "e1", "--weights",
                   "none", stdin=stream)
    for by in ("loss", "loss_recovery"):
        order = read_stream(p.out("sluice-sort", "--by", by, stdin=scored))[0][by].to_pylist()
        count.check(f"sorted by {by}", order == sorted(order) and len(set(order)) > 150)
    (p.folder / "scored.arrows").write_bytes(scored)
    (p.folder / "next.yaml").write_text(
        "sources: {all: {path: scored.arrows}}\n"
        "stages: [{name: all, order: {by: loss, pacing: root, start: 10%}}]\n")
    planned = read_stream(p.out("sluice-curriculum", p.folder / "next.yaml"))[0]
    count.check("a plan by loss", sorted(planned["id"].to_pylist()) == sorted(ids))


def check_memory(p, build):
    import numpy as np
    import pyarrow as pa
    import pyarrow.ipc as ipc
    n, mem = (5_000_000, 64) if os.environ.get("SLUICE_LONG_TESTS") else (300_000, 16)
    data, losses = p.folder / "many.arrows", p.folder / "many.arrow"
    with open(data, "wb") as f:
        subprocess.run([build / "test/sequences_sample", str(n), "1", "uint16", "16000"], stdout=f,
                       check=True)
    rng = np.random.default_rng(1)
    with ipc.open_stream(data) as r:
        ids = r.read_all()["id"].combine_chunks()
    table = pa.table({"id": ids.take(pa.array(rng.permutation(n))),
                      "loss": pa.array(rng.uniform(1, 9, n).astype("float32"))})
    with ipc.new_stream(losses, table.schema) as w:
        w.write_table(table, max_chunksize=16000)
    del table, ids
    report = p.folder / "many.json"
    for more in ([], ["--resample", "100%"]):
        p.out(TOOL, "--losses", losses, "--mem", f"{mem}M", *more, "-f", "--report", report, "-o",
              p.folder / "many-out.arrows", data)
        peak = json.loads(report.read_text())["peak_memory_bytes"]
        count.check(f"{n} losses in {mem}M {more}", peak < mem << 20, peak / 2**20)
        p.out("sluice-verify", p.folder / "many-out.arrows")
        print(f"{n} losses, --mem {mem}M {' '.join(more)}: {peak / 2**20:.0f} MiB")


def main():
    build = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        p = Place(build, folder, count)
        (p.folder / "s.arrows").write_bytes(sequences(build, 300))
        streams = make_streams(p, build)
        if row_seed(0) is None:
            count.skip("xxhash cannot be imported: samples were not compared")
        for number in range(200):
            random_case(p, number, streams)
        check_bad_lines(p, streams[0])
        check_bad_arrow(p, streams[0])
        check_cuts(p, streams[0], build)
        check_policies(p, build)
        check_order_of_lines(p, build)
        check_next_epoch(p, build)
        check_memory(p, build)
    return count.finish()


if __name__ == "__main__":
    sys.exit(main())
