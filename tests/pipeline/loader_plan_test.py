# SPDX-License-Identifier: Apache-2.0
"""A plan carried out by the tools, and read by examples/pytorch as it stands.

    python3 tests/pipeline/loader_plan_test.py BUILD

Three stages of several lengths, sources read twice and replay go through
sluice-curriculum | sluice-shard to the loader. What pyarrow finds in the record's
order.arrows and in the shards is cut here, row by row, by the text of docs/loader.md; the
samples of every step must be those, for 1, 2 and 5 ranks, any number of workers, and after
a resume at every step. Prints "N passed, N failed, N skipped"."""
import itertools
import json
import math
import random
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from counted import Count

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples" / "pytorch"))
sys.dont_write_bytecode = True
try:
    import pyarrow as pa
    from sluice_losses import LossLog
    from sluice_shards import FILLER, Shards, StepSampler
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

build = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path("build/release").resolve()
BIN = build / "bin"
WALK = ROOT / "tests" / "pipeline" / "loader_walk.py"
LENGTH, BATCH, RANKS = 48, 10, (1, 2, 5)
LENGTHS = {"warm-up": 12, "main": 16, "anneal": 48}
PAD = 257
count = Count()
check = count.check
work = Path(tempfile.mkdtemp(prefix="sluice-loader-plan-"))
rng = random.Random(8)

PLAN = """seed: 11
budget: {amount: 173, in: sequences}
sources:
  web:   {path: web.arrows, epochs: 2}
  books: {path: books.arrows, epochs: 2, when_empty: repeat}
stages:
  - {name: warm-up, until: 27%, length: 12, order: {by: difficulty_compression},
     mixture: {web: 70%, books: 30%}}
  - {name: main, until: 61%, length: 16, order: shuffle, mixture: {web: 50%, books: 50%}}
  - {name: anneal, until: 100%, order: shuffle, mixture: {books: 60%, web: 40%},
     replay: {of: seen, share: 20%}}
"""


def run(*args, data=b""):
    done = subprocess.run([str(a) for a in args], input=data, capture_output=True, timeout=120,
                          cwd=work)
    if done.returncode:
        raise RuntimeError(f"{args}: exit {done.returncode}: {done.stderr.decode()}")
    return done.stdout


def make_source(name, n_docs, *options):
    """Documents of many lengths, packed."""
    words = ("river", "stone", "a", "the", "mill", "of", "grinding")
    lines = [json.dumps({"id": f"{name}-{i}", "text": " ".join(
        rng.choice(words) for _ in range(rng.choice([1, 2, 3, 9, 30])))}) for i in range(n_docs)]
    docs = run(BIN / "sluice-import", "--format", "jsonl", "--source", name, "-",
               data="\n".join(lines).encode())
    packed = run(BIN / "sluice-pack", "--length", LENGTH, *options, data=run(
        BIN / "sluice-tokenize", data=run(BIN / "sluice-difficulty", data=docs)))
    (work / f"{name}.arrows").write_bytes(packed)


def make(*options):
    """The folder of shards, and its record."""
    for name, n_docs in (("web", 80), ("books", 60)):
        make_source(name, n_docs, *options)
    (work / "plan.yaml").write_text(PLAN)
    for old in ("record", "shards"):
        shutil.rmtree(work / old, ignore_errors=True)
    rows = run(BIN / "sluice-curriculum", "--record", "record", "plan.yaml")
    run(BIN / "sluice-shard", "--sequences", 37, "-o", "shards", data=rows)
    return rows


# ---- the same by pyarrow ----


def table_of(path):
    with pa.OSFile(str(path)) as f:
        return pa.ipc.open_stream(f).read_all()


def rows_of(folder):
    tables = [table_of(p) for p in sorted(folder.glob("shard-*.arrows"))]
    return pa.concat_tables(tables).to_pylist()


def cut(row, begin, end):
    """A sample: tokens, mask, weight, positions and segments, one token after another."""
    mask = row["loss_mask"]
    positions, segments = [], []
    for k in range(begin, end):
        new = k == begin or k in row["doc_offsets"] or (mask[k] == 0 and mask[k - 1] == 1)
        positions.append(0 if new else positions[-1] + 1)
        segments.append(segments[-1] + new if segments else 0)
    return (row["tokens"][begin:end], [v == 1 for v in mask[begin:end]], row.get("weight", 1.0),
            positions, segments)


def filler(n):
    return [PAD] * n, [False] * n, 0.0, list(range(n)), [0] * n


def steps_of(rows, names, extra):
    """[samples of a step: (index, ...)] by the text, and the length of each step."""
    steps, lengths = [], []
    for at in range(0, len(rows), BATCH):
        batch = list(range(at, min(at + BATCH, len(rows))))
        length = math.gcd(*(LENGTHS[names[rows[i]["stage"]]] for i in batch))
        spans = [(k, k + length + extra) for k in range(0, LENGTH, length)]
        steps.append([(i, *cut(rows[i], *span)) for i in batch for span in spans] +
                     [(FILLER, *filler(length + extra))] * (BATCH - len(batch)) * len(spans))
        lengths.append(length)
    return steps, lengths


# ---- the loader ----


def sample_of(shards, key):
    """A sample by numpy alone."""
    index, *part = key if isinstance(key, tuple) else (key,)
    begin, end = shards.span(*part)
    if index == FILLER:
        sample = filler(end - begin)[:3]
    else:
        sample = (shards.tokens(index)[begin:end].tolist(),
                  (shards.loss_mask(index)[begin:end] == 1).tolist(), shards.weight(index))
    return (index, *sample, *(v.tolist() for v in shards.boundaries(index, *part)))


def keys_of(shards, ranks, state=None):
    """Keys of each step's samples, by rank."""
    samplers = [StepSampler(shards, BATCH, ranks, rank) for rank in range(ranks)]
    for sampler in samplers:
        if state:
            sampler.load_state_dict(state)
    return list(itertools.zip_longest(*samplers, fillvalue=()))


def read(shards, ranks):
    """Samples of each step over all ranks, and whether the ranks' shapes agree."""
    steps, agree = [], True
    for parts in keys_of(shards, ranks):
        samples = [[sample_of(shards, key) for key in part] for part in parts]
        agree = agree and len({tuple(len(sample[1]) for sample in s) for s in samples}) == 1
        steps.append(sum(samples, []))
    return steps, agree


def test_order(rows):
    """The rows of the shards are those of the record, and all that was asked for is there."""
    order = table_of(work / "record" / "order.arrows").to_pylist()
    keys = [(r["id"], r["copy"], r["stage"]) for r in rows]
    check("rows in the record's order", keys == [(r["id"], r["copy"], r["stage"]) for r in order])
    shards = Shards(work / "shards")
    mine = [(bytes.fromhex(shards.id(i)), shards.copy(i), shards.stage(i))
            for i in range(len(shards))]
    check("id, copy and stage of a row", mine == keys)
    told = json.loads((work / "record" / "manifest.json").read_text())["stages"]
    check("stages are the record's", [tuple(s) for s in shards.stages] ==
          [(s["name"], s["begin"], s["end"], LENGTHS[s["name"]]) for s in told], shards.stages)
    check("the plan repeats and replays", max(r["copy"] for r in rows) > 0 and
          "(replay)" in told[2]["shares"])
    return shards


def test_steps(shards, rows, extra):
    names = [s.name for s in shards.stages]
    want, lengths = steps_of(rows, names, extra)
    check("steps of one length and of two", {4, 12, 16, 48} == set(lengths), lengths)
    sampler = StepSampler(shards, BATCH)
    check("length_of", [sampler.length_of(s) for s in range(sampler.steps)] == lengths)
    check("stage_of", [sampler.stage_of(s).name for s in range(sampler.steps)] ==
          [names[rows[s * BATCH]["stage"]] for s in range(sampler.steps)])
    for ranks in RANKS:
        steps, agree = read(shards, ranks)
        check(f"samples of every step, {ranks} ranks", steps == want)
        check(f"shapes agree, {ranks} ranks", agree)
    tokens = {sum(len(s[1]) - extra for s in step) for step in want}
    check("every step has the tokens of its rows", tokens == {BATCH * LENGTH})
    whole = [sum(parts, []) for parts in keys_of(shards, 1)]
    for stop, (before, after) in itertools.product(range(len(want)), ((1, 5), (5, 2), (2, 1))):
        state = StepSampler(shards, BATCH, before, before - 1).state_dict(stop)
        steps = keys_of(shards, after, json.loads(json.dumps(state)))
        check(f"resume at {stop} with {after} ranks, not {before}",
              [sum(parts, []) for parts in steps] == whole[stop:])
    return want


def test_torch(want):
    python = next((p for p in ("/usr/bin/python3", "python3") if shutil.which(p) and
                   subprocess.run([p, "-c", "import torch"], capture_output=True).returncode == 0),
                  None)
    if not python:
        count.skip("no Python with torch: the DataLoader's workers")
        return
    for ranks, workers, step in ((1, 0, 0), (2, 3, 0), (5, 1, 0), (2, 0, 4), (5, 2, 9)):
        out = run(python, WALK, work / "shards", BATCH, ranks, workers, step).splitlines()
        steps = [[tuple(sample) for sample in json.loads(line)] for line in out]
        check(f"DataLoader: {ranks} ranks, {workers} workers, from step {step}",
              steps == want[step:])


def expect_no_stages(name, moved):
    """What a tool behind the curriculum does to the order is noticed."""
    shutil.rmtree(work / name, ignore_errors=True)
    run(BIN / "sluice-shard", "-o", name, data=moved)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        stages = Shards(work / name).stages
    check(f"{name}: no stages", stages == [], stages)
    said = [str(w.message) for w in caught]
    check(f"{name}: it is said", len(said) == 1 and f"sluice-{name}" in said[0], said)


def test_moved(rows):
    (work / "rows.arrows").write_bytes(rows)
    for name, *options in (("sort", "--by", "difficulty_length"), ("shuffle", "--seed", 3),
                           ("cat", "rows.arrows", "-"), ("sample", "--share", "0.5")):
        expect_no_stages(name, run(BIN / f"sluice-{name}", *options, data=rows))
    (work / "again.yaml").write_text("sources:\n  all: {path: rows.arrows}\n"
                                     "stages:\n  - {name: only, until: 100%, order: given}\n")
    run(BIN / "sluice-shard", "-o", "again", data=run(
        BIN / "sluice-curriculum", "--replace", "again.yaml"))
    check("the last curriculum counts", [s.name for s in Shards(work / "again").stages] == ["only"])


def test_other_plans(shards):
    state = StepSampler(shards, BATCH).state_dict(3)
    for name, old, new in (("seed", "seed: 11", "seed: 12"), ("length", "gth: 16", "gth: 24")):
        (work / "other.yaml").write_text(PLAN.replace(old, new))
        shutil.rmtree(work / "other", ignore_errors=True)
        run(BIN / "sluice-shard", "-o", "other", data=run(BIN / "sluice-curriculum", "other.yaml"))
        try:
            StepSampler(Shards(work / "other"), BATCH).load_state_dict(state)
            check(f"another plan ({name}) is refused", False)
        except ValueError as e:
            check(f"another plan ({name}) is refused", "cannot resume" in str(e), e)


def test_losses(shards, rows):
    """Losses of five ranks, as JSON lines and as an Arrow stream."""
    for rank in range(5):
        sampler = StepSampler(shards, BATCH, 5, rank)
        with LossLog(work / "losses", shards, 5, rank) as log:
            for step, keys in enumerate(sampler):
                keys = [k if isinstance(k, tuple) else (k,) for k in keys]
                log.add([k[0] for k in keys], [k[0] / 2 for k in keys], [2] * len(keys))
                log.write(step)
    out = run(sys.executable, ROOT / "examples" / "pytorch" / "sluice_losses.py", "losses", "-o",
              "losses.arrows")
    got = table_of(work / "losses.arrows")
    check("types of the stream", [str(t) for t in got.schema.types] ==
          ["string", "uint16", "int64", "double"] and not out, got.schema)
    want = [{"id": r["id"].hex(), "copy": r["copy"], "step": i // BATCH, "loss": i / 4}
            for i, r in enumerate(rows)]
    by_key = sorted(got.to_pylist(), key=lambda r: r["loss"])
    check("a loss of every row", by_key == want)
    lines = [json.loads(line) for f in sorted((work / "losses").glob("*"))
             for line in f.read_text().splitlines()]
    check("lines and stream are the same", lines == got.to_pylist())


def test_weights(stream):
    """The losses become weights in the shards, of whichever form they are."""
    if not (BIN / "sluice-reweight").exists():
        count.skip("there is no sluice-reweight")
        return
    lines = ",".join(f"losses/{f.name}" for f in sorted((work / "losses").glob("*.jsonl")))
    weighed = [run(BIN / "sluice-reweight", "--losses", f, data=stream)
               for f in (lines, "losses.arrows")]
    tables = [pa.ipc.open_stream(w).read_all() for w in weighed]
    check("weights by lines and by the Arrow stream", tables[0].equals(tables[1]))
    run(BIN / "sluice-shard", "-o", "weighed", "--sequences", 50, data=weighed[0])
    shards, weights = Shards(work / "weighed"), tables[0]["weight"].to_pylist()
    check("weights differ", len(set(weights)) > 2, weights[:20])
    check("weights of the shards", [shards.weight(i) for i in range(len(shards))] == weights)
    check("weights keep the stages", [s.name for s in shards.stages] == list(LENGTHS))
    moved = run(BIN / "sluice-reweight", "--losses", lines, "--resample", len(shards), "--replace",
                data=stream)
    expect_no_stages("reweight", moved)


def main():
    if not (BIN / "sluice-curriculum").exists():
        print(f"skipped: there is no {BIN}/sluice-curriculum")
        return 77
    for options in ([], ["--extra-token"]):
        count.case = " ".join(options)
        stream = make(*options)
        rows = rows_of(work / "shards")
        shards = test_order(rows)
        want = test_steps(shards, rows, bool(options))
        test_torch(want)
    test_moved(stream)
    test_other_plans(shards)
    test_losses(shards, rows)
    test_weights(stream)
    shutil.rmtree(work, ignore_errors=True)
    return count.finish()


sys.exit(main())
