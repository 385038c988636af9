# SPDX-License-Identifier: Apache-2.0
"""Plans carried out, against docs/curriculum.md in Python (curriculum_twin.py).

    python3 tests/pipeline/curriculum_test.py BUILD_DIR

Packed sequences of several sources are made by the tools; hundreds of random plans then
give, key by key, what the twin gives, or are refused where it refuses them."""

import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "pipeline"))
import curriculum_twin as twin  # noqa: E402
from counted import read_stream  # noqa: E402

try:
    import pyarrow as pa
except ImportError:
    print("skipped: curriculum: pyarrow is not here")
    sys.exit(0)

build = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path("build/release").resolve()
BIN = build / "bin"
TOOL = BIN / "sluice-curriculum"
work = Path(tempfile.mkdtemp(prefix="sluice-curriculum-"))
N_PLANS = 100 if b"__asan_init" in TOOL.read_bytes() else 600
if os.environ.get("SLUICE_LONG_TESTS"):
    N_PLANS *= 10
LENGTH = 32
COLUMNS = ("difficulty_length", "difficulty_compression", "difficulty_word_length")
rng = random.Random(6)
passed = failed = 0


def check(name, fine, why=""):
    global passed, failed
    if fine:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name}: {str(why)[:900]}", flush=True)


def run(*args, data=b"", **more):
    return subprocess.run([str(a) for a in args], input=data, capture_output=True, timeout=120,
                          **more)


def good(*args, data=b"", **more):
    done = run(*args, data=data, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{args}: exit {done.returncode}: {done.stderr.decode()}")
    return done.stdout


def expect(name, done, code, *words):
    text = done.stderr.decode(errors="replace")
    fine = done.returncode == code and all(w in text for w in words)
    check(name, fine, f"exit {done.returncode}, not {code}, or none of {words}: {text!r}")


def table(stream):
    return pa.ipc.open_stream(io.BytesIO(stream)).read_all()


def make(name, n_docs, wordless=0):
    """A file of packed sequences, and its rows."""
    words = ("river", "stone", "a", "the", "mill", "of", "grinding")
    lines = []
    for i in range(n_docs):
        text = " ".join(rng.choice(words) for _ in range(rng.randrange(3, 25)))
        text = "... " * 40 if i < wordless else text
        lines.append(json.dumps({"id": f"{name}-{i}", "text": text}))
    data = "\n".join(lines).encode() + b"\n" if lines else b""
    docs = good(BIN / "sluice-import", "--format", "jsonl", "--source", name, "-", data=data)
    packed = good(BIN / "sluice-pack", "--length", LENGTH, data=good(
        BIN / "sluice-tokenize", data=good(BIN / "sluice-difficulty", data=docs)))
    (work / f"{name}.arrows").write_bytes(packed)
    return table(packed).select(["id", *COLUMNS]).to_pylist()


def yaml_of(value):
    """Flow style, which is JSON but for words that need no quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {yaml_of(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(yaml_of, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) and not value.endswith("%") else str(value)


def write_plan(plan, name="plan.yaml"):
    text = "\n".join(f"{k}: {yaml_of(v)}" for k, v in plan.items()) + "\n"
    (work / name).write_text(text)
    return work / name


# ---- random plans ----


def some_shares(names):
    w = [rng.choice([0, 1, rng.randrange(1, 30)]) for _ in names]
    w[rng.randrange(len(w))] += 1
    cut = [round(100 * v / sum(w)) for v in w]
    cut[cut.index(max(cut))] += 100 - sum(cut)
    some = [(n, v) for n, v in zip(names, cut) if v or rng.random() < 0.3]
    return {n: rng.choice([f"{v}%", v / 100]) for n, v in some}


def some_mixture(names):
    kind = rng.randrange(6)
    if kind == 0:
        return None
    if kind == 1:
        of = rng.sample(names, rng.randrange(1, len(names) + 1))
        rest = [n for n in names if n not in of]
        out = {"alpha": rng.choice([0, 0.3, 1, 0.7]), "of": of}
        if rest and rng.random() < 0.7:
            out[rng.choice(rest)] = "10%"
        return out
    if kind == 2:
        return {"from": some_shares(names), "to": some_shares(names),
                "pacing": rng.choice(twin.base.PACINGS)}
    return some_shares(names)


# Scores as expressions; the parameters are drawn anew each time.
EXPRESSIONS = ("lam*difficulty_length + (1-lam)*difficulty_compression",
               "-difficulty_length / max(difficulty_compression, lam) desc",
               "log(difficulty_length - 20*lam) + mu", "min(difficulty_length, 30) + lam",
               "abs(difficulty_compression - lam) - -.5e-1*mu asc",
               "sqrt(difficulty_word_length) * exp(lam) desc", "1/(difficulty_length - 32) + lam")


def some_expression():
    out = {"by": rng.choice(EXPRESSIONS), "nulls": rng.choice(["last", "last", "error"])}
    for name in ("lam", "mu"):
        if name in out["by"]:
            out[name] = rng.choice([0.25, 1, {"pacing": rng.choice(twin.base.PACINGS)},
                                    {"pacing": "root", "start": "10%", "max": 0.75, "to": 0.5}])
    if twin.moves(out):
        if rng.random() < 0.7:
            out["steps"] = rng.choice([1, 2, 7, 4096])
    elif rng.random() < 0.3:
        out["kind"] = rng.choice(["folding", "zigzag", "shuffle"])
    return out


def some_strata():
    out = {"by": rng.choice(COLUMNS[:2]) + rng.choice(["", " desc"])}
    if rng.random() < 0.3:
        out = {"by": "difficulty_length * lam", "lam": 0.5}
    k = rng.randrange(1, 7)

    def shares():
        w = [rng.choice([0, 1, rng.randrange(9)]) for _ in range(k)]
        w[rng.randrange(k)] += 1
        cut = [100 * v // sum(w) for v in w]
        cut[cut.index(max(cut))] += 100 - sum(cut)
        return [rng.choice([f"{v}%", v / 100]) for v in cut]
    out["strata"] = shares()
    if rng.random() < 0.5:
        out["strata"] = {"from": shares(), "to": shares(),
                         "pacing": rng.choice(twin.base.PACINGS)}
        if rng.random() < 0.5:
            out["steps"] = rng.choice([1, 3, 4096])
    return out


def some_order():
    kind = rng.randrange(8)
    if kind > 4:
        return some_strata() if kind == 5 else some_expression()
    by = rng.choice(COLUMNS[:2]) + rng.choice(["", "", " desc"])
    if kind == 0:
        return rng.choice(["shuffle", "given"])
    if kind == 1:
        return {"by": by}
    if kind == 2:
        out = {"by": by, "kind": rng.choice(["folding", "zigzag", "stair", "saw", "segments",
                                             "jitter", "shuffle", "sort"])}
        if out["kind"] in ("folding", "jitter"):
            out["layers" if out["kind"] == "folding" else "window"] = rng.randrange(1, 9)
        return out
    out = {"by": by, "pacing": rng.choice(twin.base.PACINGS),
           "start": rng.choice([0, 0.1, "25%"])}
    if rng.random() < 0.6:
        out["background"] = rng.choice(["20%", 0.5, 0.03])
    if kind == 4:
        out["by"], out["nulls"] = COLUMNS[2], rng.choice(["last", "last", "error"])
    return out


def some_plan(files):
    names = sorted(files) if rng.random() < 0.2 else [n for n in files if len(files[n]) > 9]
    names = rng.sample(names, rng.randrange(1, min(5, len(names)) + 1))
    sources = {}
    for n in names:
        s = sources[n] = {"path": PATHS.get(n, f"{n}.arrows")}
        if rng.random() < 0.4:
            s["epochs"] = rng.randrange(1, 5)
        if rng.random() < 0.8:
            s["when_empty"] = rng.choice(["repeat", "repeat", "stop", "redistribute"])
        if rng.random() < 0.2:
            s["order"] = some_order()
    plan = {"seed": rng.getrandbits(rng.choice([3, 64])), "sources": sources, "stages": []}
    if rng.random() < 0.85:
        plan["budget"] = rng.choice([{"amount": rng.randrange(1, 300), "in": "sequences"},
                                     {"amount": rng.randrange(40, 9000), "in": "tokens"},
                                     {"amount": rng.randrange(40, 9000), "in": "bytes"}])
    if rng.random() < 0.3:
        plan["lr"] = {"shape": rng.choice(["linear", "sqrt", "cosine"]), "warmup": 0.05,
                      "decay": rng.choice([0.3, 0.95])}
    percent = 0
    for i in range(last := rng.randrange(1, 5)):
        stage = {"name": f"s{i}", "order": some_order()}
        percent = min(99, percent + rng.randrange(1, 50)) if i + 1 < last else 100
        stage["until"] = f"{percent}%" if percent < 99 or i + 1 == last else {"sequences": 290}
        if rng.random() < 0.2:
            stage["length"], stage["tokenizer"] = rng.choice([1, 8, 16, LENGTH]), "bytes"
        if "lr" in plan and i + 2 == last and rng.random() < 0.7:
            stage["until"] = {"lr": 0.4}
        mixture = some_mixture(names)
        if mixture:
            stage["mixture"] = mixture
        if i and rng.random() < 0.3:
            stage["replay"] = {"of": "seen", "share": rng.choice(["5%", 0.4])}
        plan["stages"].append(stage)
    if rng.random() < 0.15:
        use_files(plan, files)
    return plan


def use_files(plan, files):
    """Some or all sources in the order of a file."""
    if not files.orders:
        return
    sources, have = plan["sources"], {r["id"] for s in plan["sources"] for r in files[s]}
    fitting = [n for n, ids in files.orders.items() if have.issuperset(ids)]
    if not fitting or rng.random() < 0.1:
        fitting = [*files.orders]
    if rng.random() < 0.4:
        name = rng.choice(fitting)
        for stage in plan["stages"]:
            stage["order"] = {"file": name}
        for s in sources.values():
            s.pop("order", None)
        return
    for n in rng.sample([*sources], rng.randrange(1, len(sources) + 1)):
        sources[n]["order"] = {"file": rng.choice(fitting)}


def keys_of(stream):
    """(id, copy, stage) of every row."""
    t = table(stream)
    return list(zip(t["id"].to_pylist(), t["copy"].to_pylist(), t["stage"].to_pylist()))


def check_counts(name, plan, files, out):
    report = json.loads((work / "report.json").read_text())["tally"]
    rows = sum(len(files[s]) for s in plan["sources"])
    placed = len({p[:2] for p in out})
    counts = report["counts"]
    fine = counts == {"rows_added": len(out) - placed, "unused": rows - placed}
    fine = fine and rows - counts["unused"] + counts["rows_added"] == report["out"]["rows"]
    check(name + ": counts", fine, report)


def compare(name, plan, files):
    path = write_plan(plan)
    try:
        want, shares = twin.places(plan, files, LENGTH, files.orders)
    except twin.Refused as why:
        expect(name + ": refused", run(TOOL, path), 1, str(why), "plan.yaml:")
        return 0
    done = run(TOOL, path, "--report", work / "report.json", "-f")
    if done.returncode:
        check(name, False, f"{done.stderr.decode()} {path.read_text()}")
        return 0
    got = keys_of(done.stdout)
    full = [(files[s][u]["id"], copy, stage) for s, u, copy, stage in want]
    first = next((i for i, (a, b) in enumerate(zip(got, full)) if a != b), None)
    check(name + ": keys", len({g[:2] for g in got}) == len(got))
    check(name, got == full, f"{len(got)} of {len(full)}, first {first}: {path.read_text()}")
    check_counts(name, plan, files, want)
    if not any("replay" in s for s in plan["stages"]):
        prefix, window = twin.worst_errors(plan, want, shares)
        most = twin.bound_of(plan, files, want)
        check(name + ": bounds", prefix < most and window < 2 * most,
              (float(prefix), float(window), most))
    return 1


def kinds_of(plan, files):
    orders = [v["order"] for v in [*plan["stages"], *plan["sources"].values()]
              if isinstance(v.get("order"), dict)]
    ids = [r["id"] for s in plan["sources"] for r in files[s]]
    return ({"strata" for o in orders if "strata" in o} | {"moving" for o in orders if
            twin.moves(o)} | {"file" for o in orders if "file" in o} |
            {"expression" for o in orders if twin.is_expression(o.get("by", ""))} |
            {"twice" for _ in range(len(set(ids)) < len(ids))})


def test_random(files):
    carried, kinds = 0, dict.fromkeys(("strata", "expression", "moving", "file", "twice"), 0)
    for i in range(N_PLANS):
        plan = some_plan(files)
        done = compare(f"random plan {i}", plan, files)
        carried += done
        for kind in kinds_of(plan, files) if done else ():
            kinds[kind] += 1
    check("all kinds of orders were carried out", min(kinds.values()) > N_PLANS / 40, kinds)
    check("most plans can be carried out", carried > N_PLANS / 2.5, carried)
    print(f"{carried} of {N_PLANS} random plans carried out, the others refused as they should be: "
          f"{kinds}")


# ---- the rest ----

PLAN = """seed: 7
budget: {amount: 9600, in: tokens}
sources:
  web:   {path: web.arrows}
  books: {path: "boo*.arrows", epochs: 4, order: {by: difficulty_length}}
  old:   {path: old.arrows, when_empty: repeat}
stages:
  - name: warm-up
    until: 20%
    order: {by: difficulty_compression, pacing: root, start: 10%, background: 20%}
    mixture: {web: 0.70, books: 0.25, old: 0.05}
  - name: main
    until: 71%
    order: shuffle
    mixture: {alpha: 0.3, of: [web, books], old: 0.05}
  - name: anneal
    until: 100%
    mixture: {from: {books: 0.4, web: 0.6}, to: {books: 0.8, web: 0.2}, pacing: linear}
    replay: {of: seen, share: 5%}
"""


def test_same_bytes():
    path = work / "whole.yaml"
    path.write_text(PLAN)
    want = good(TOOL, path)
    for more in (*([f"-T{n}"] for n in range(1, 9)), ["--mem", "24M"], ["--mem", "32M"],
                 ["--mem", "4G", "-T2"]):
        check(f"same bytes with {more}", good(TOOL, path, *more) == want)
    check("as --plan", good(TOOL, "--plan", path) == want)
    check("from another folder", good(TOOL, "whole.yaml", cwd=work) == want)
    piped = PLAN.replace("web.arrows", "'-'")
    (work / "piped.yaml").write_text(piped)
    rows = keys_of(want)
    data = (work / "web.arrows").read_bytes()
    check("a pipe", keys_of(good(TOOL, work / "piped.yaml", data=data)) == rows)
    named = good(TOOL, "--plan", work / "piped.yaml", work / "web.arrows")
    check("operands", named == good(TOOL, work / "piped.yaml", data=data))
    (work / "out.arrows").write_bytes(want)
    good(BIN / "sluice-shard", "--sequences", "40", "-o", work / "web-shards",
         data=(work / "web.arrows").read_bytes())
    (work / "shards.yaml").write_text(PLAN.replace("web.arrows", "web-shards"))
    check("shards as a source", keys_of(good(TOOL, work / "shards.yaml")) == rows)
    check("verified", b"ok" in good(BIN / "sluice-verify", work / "out.arrows"))
    text = json.loads(good(TOOL, "--dry-run", path))
    stages = [sum(1 for k in rows if k[2] == j) for j in range(3)]
    check("dry run: stages", [s["end"] - s["begin"] for s in text["stages"]] == stages, text)
    check("dry run: sums", all(sum(v["sequences"] for v in s["shares"].values()) ==
                               s["end"] - s["begin"] for s in text["stages"]), text)


BAD = [
    ("budget:", "budgte:", "2:1", "did you mean 'budget'?"),
    ("epochs: 4", "epoch: 4", "5:32", "did you mean 'epochs'?"),
    ("pacing: root", "pacing: rooot", "did you mean 'root'?", "10:"),
    ("web: 0.70", "web: 0.60", "11:14", "sum to 0.9"),
    ("web: 0.70", "wbe: 0.70", "11:15", "unknown source 'wbe' (did you mean 'web'?)"),
    ("until: 71%", "until: 17%", "12:5", "ends at 17%"),
    ("until: 71%", "until: {tokens: 100}", "12:5", "'main' ends before it begins"),
    ("until: 71%", "until: {lr: 0.2}", "12:5", "needs an 'lr'"),
    ("until: 100%", "until: 99%", "16:5", "not at 100%"),
    ("order: shuffle", "order: shufle", "14:12", "did you mean 'shuffle'?"),
    ("by: difficulty_length", "by: difficulty_lenght", ":5:", "difficulty_length"),
    ("    order: shuffle", "    order: shuffle\n    length: 12", ":15:13:", "'main'",
     "a length of 12 does not divide the 32 tokens"),
    ("    order: shuffle", "    order: shuffle\n    length: 0", ":15:13:", "1 or more"),
    ("    order: shuffle", "    order: shuffle\n    tokenizer: gpt2", ":15:16:", "'main'",
     "of the tokenizer 'bytes'", "not there yet"),
    ("epochs: 4,", "group: difficulty_lenght,", "5:39", "no column 'difficulty_lenght'",
     "did you mean 'difficulty_length'?"),
    ("epochs: 4,", "group: tokens,", "5:39", "a column of lists has no order"),
    ("    order: shuffle", "    order: shuffle\n    batch: {by: source}", "15:12", "'size'"),
    ("    order: shuffle", "    order: shuffle\n    batch: {by: sourc, size: 4}", "15:12",
     "no column 'sourc' (did you mean 'source'?)"),
    ("    order: shuffle", "    order: shuffle\n    batch: {by: id, size: 2000000}", "15:12",
     "at most 1048576"),
    ("by: difficulty_length", "by: 2*difficulty_lenght", ":5:50: ",
     "did you mean 'difficulty_length'"),
    ("by: difficulty_length", "by: 2*difficulty_length, lan: 3", "5:76", "unknown key 'lan'"),
    ("by: difficulty_length", "by: (2*lam, lam: 3", "5:55: ", "character 7", "expected ')'"),
    ("by: difficulty_length", "by: 2*lam, lam: {from: 3%}", "5:67: ", "a mapping with a 'pacing'"),
    ("by: difficulty_length", "by: 2*lam, lam: x", "5:67: ", "expected a number"),
    ("by: difficulty_length", "by: 2*lam, lam: {pacing: root}, kind: saw", "5:50: ",
     "without another kind"),
    ("by: difficulty_length", "by: 2*lam, lam: {pacing: root}, window: 3", "parameters of a kind"),
    ("by: difficulty_length", "by: 2*lam, lam: {pacing: root}, strata: [1]", "without strata"),
    ("by: difficulty_length", "by: 2*id", ":5:50: ", "column 'id' in '2*id' is no number"),
    ("by: difficulty_length", "by: foo(2)", "5:55: ", "character 1: no such function"),
    ("by: difficulty_length", "by: difficulty_length, strata: [0.5]", "5:82: ", "sum to 0.5"),
    ("by: difficulty_length", "by: difficulty_length, strata: {from: [1], to: [0.5, 0.5]}",
     "2 strata, and 1 in 'from'"),
    ("by: difficulty_length", "by: difficulty_length, strata: [1], kind: saw", "not both"),
    ("by: difficulty_length", "by: difficulty_length, steps: 3", "that move"),
    ("by: difficulty_length", "file: web.arrows, kind: saw", "5:50: ", "no other key"),
    ("by: difficulty_length", "file: small.arrows", "5:50: ", "row 0", "no source has"),
    ("    order: shuffle", "    order: {file: web.arrows}", "14:12: ",
     "source 'web' is in the order of 'web.arrows' in one stage, and not in all"),
    ("epochs: 4, order: {by: difficulty_length}",
     "group: source, order: {by: difficulty_length, strata: [1]}", "5:54",
     "source 'books' has groups"),
    ("{path: old.arrows, when_empty: repeat}", "{path: old.arrows}", "4:3",
     "source 'web' is too small"),
    ("old.arrows", "odl*.arrows", "6:3", "no file matches"),
    ("in: tokens", "in: words", "2:9", "'in' is tokens, bytes, sequences or documents"),
    ("in: tokens", "in: documents", "2:9", "with 'unit: document' alone"),
    ("until: 71%", "until: {documents: 200}", "13:12", "with 'unit: document' alone"),
    ("replay: {of: seen, share: 5%}", "replay: {of: all, share: 5%}", "19:13", "of: seen"),
    ("amount: 9600", "amount: 20", "the budget is less than a sequence"),
    ("amount: 9600", "amount: 1e16", "2:9", "1 to 2^52"),
    ("    until: 20%", "    until: {tokens: 31}", "8:5", "'warm-up' ends where it begins"),
    ("    until: 71%", "    until: {sequences: 300}", "16:5", "'anneal' ends where it begins"),
    ("by: difficulty_length", "by: difficulty_length, layers: 3", "5:50",
     "the kind 'sort' has no 'layers'"),
    ("by: difficulty_length", "by: difficulty_length, kind: folding, radius: 0.1", "5:50",
     "the kind 'folding' has no 'radius'"),
    ("  books: {", "  (replay): {", "5:3", "cannot be called '(replay)'"),
    ("seed: 7", "unit: document", "2:9", "in tokens or bytes"),
]


def test_bad():
    for old, new, *words in BAD:
        if old not in PLAN:
            raise RuntimeError(old)
        text = PLAN.replace("{amount: 9600", "{amount: 40000") if "too small" in words[-1] else PLAN
        (work / "bad.yaml").write_text(text.replace(old, new, 1))
        expect(f"bad plan: {new}", run(TOOL, work / "bad.yaml"), 1, "bad.yaml", *words)
    check("a dry run of a bad plan writes nothing",
          not run(TOOL, "--dry-run", work / "bad.yaml").stdout)
    (work / "bad.yaml").write_text(PLAN.replace("by: difficulty_length", "file: absent.arrows"))
    expect("no such order", run(TOOL, work / "bad.yaml"), 3, "bad.yaml:5:50: ", "absent.arrows")
    expect("no plan", run(TOOL), 2, "no plan")
    expect("no such plan", run(TOOL, work / "none.yaml"), 3, "none.yaml")
    expect("little memory", run(TOOL, "--mem", "8M", work / "whole.yaml"), 2, "24M")
    other = good(BIN / "sluice-pack", "--length", 16, data=good(
        BIN / "sluice-tokenize", data=good(BIN / "sluice-import", "--format", "jsonl", "--source",
                                           "x", "-", data=b'{"id":"a","text":"some words"}\n')))
    (work / "other.arrows").write_bytes(other)
    (work / "bad.yaml").write_text(PLAN.replace("old.arrows", "other.arrows"))
    expect("another length", run(TOOL, work / "bad.yaml"), 1, "other.arrows", "columns differ",
           "source 'old', ", "bad.yaml:6:3")
    (work / "bad.yaml").write_text(PLAN.replace("web.arrows", "docs.arrows"))
    (work / "docs.arrows").write_bytes(good(
        BIN / "sluice-import", "--format", "jsonl", "--source", "x", "-", data=b'{"text":"t"}\n'))
    expect("another kind", run(TOOL, work / "bad.yaml"), 1, "a stream of docs", "source 'web'",
           "bad.yaml:4:3")
    (work / "cut.arrows").write_bytes((work / "old.arrows").read_bytes()[:-40])
    (work / "bad.yaml").write_text(PLAN.replace("old.arrows", "cut.arrows"))
    expect("a source cut short", run(TOOL, work / "bad.yaml", "-o", work / "no.arrows"), 1, "cut")
    check("nothing is written", not (work / "no.arrows").exists())


def test_all_hand_on():
    """Without a budget, sources that all hand their shares on give all but a row or two."""
    names = ("web", "books", "old")
    plan = {"sources": {n: {"path": f"{n}.arrows", "when_empty": "redistribute"} for n in names},
            "stages": [{"name": "a", "mixture": {"web": 0.2, "books": 0.5, "old": 0.3}}]}
    path = write_plan(plan, "hand-on.yaml")
    told = json.loads(good(TOOL, "--dry-run", path))
    check("all hand on: few are left", sum(s["unused"] for s in told["sources"]) <= 2 * len(names),
          told["sources"])
    plan["stages"] = [{"name": "a", "until": "99%", "mixture": {"old": 1}}, {"name": "b"}]
    expect("none is left before the last stage", run(TOOL, write_plan(plan, "hand-on.yaml")), 1,
           "hand-on.yaml:", "'a' has no source left")


def test_rate_never_comes():
    text = PLAN.replace("seed: 7", "lr: {shape: linear, end: 0.5}").replace(
        "until: 71%", "until: {lr: 0.2}")
    (work / "never.yaml").write_text(text)
    expect("a rate that never comes", run(TOOL, work / "never.yaml"), 1, "never.yaml:16:5: ",
           "'anneal' ends where it begins")


def test_warning():
    text = PLAN.replace("seed: 7", "lr: {shape: linear}").replace(
        "order: shuffle", "order: {by: difficulty_length}")
    (work / "falling.yaml").write_text(text)
    done = run(TOOL, work / "falling.yaml")
    check("a sorted stage while the rate falls", done.returncode == 0 and
          b"the learning rate falls" in done.stderr, done.stderr)
    check("no warning otherwise", not run(TOOL, work / "whole.yaml").stderr)


def test_record():
    folder = work / "record"
    rows = good(TOOL, "--record", folder, work / "whole.yaml")
    check("record: the rows are the same", rows == good(TOOL, work / "whole.yaml"))
    check("record: files", sorted(os.listdir(folder)) == ["manifest.json", "order.arrows"])
    check("record: the keys in order",
          keys_of((folder / "order.arrows").read_bytes()) == keys_of(rows))
    told = good(BIN / "sluice-verify", folder / "order.arrows")
    manifest = json.loads((folder / "manifest.json").read_text())
    digest = manifest.pop("order")["digest"]
    check("record: windows", len(manifest.pop("achieved")["windows"]) == 100)
    check("record: digest", digest.encode() in told and b"ok" in told, (digest, told))
    dry = json.loads(good(TOOL, "--dry-run", work / "whole.yaml"))
    check("record: manifest", manifest == dry, manifest)
    for args in (["--explain", "-"], ["--record", "-"], ["-o", "x", "--explain", "x"],
                 ["--record", "x", "--explain", "x"]):
        expect(f"one output for each name: {args}", run(TOOL, *args, "-f", work / "whole.yaml",
                                                        cwd=work), 2, "outputs would be")
    good(BIN / "sluice-shard", "-o", work / "taken", data=rows)
    before = (work / "taken" / "manifest.json").read_bytes()
    expect("record: never over shards", run(TOOL, "-f", "--record", work / "taken",
                                            work / "whole.yaml"), 2, "of no record")
    check("record: the shards are whole", (work / "taken/manifest.json").read_bytes() == before)
    for more in (["--record", "y"], ["--explain", "y"]):
        expect(f"{more[0]} with --dry-run", run(TOOL, "--dry-run", *more, work / "whole.yaml"), 2,
               more[0])
    expect("little memory for a page", run(TOOL, "--mem", "24M", "--explain", "y",
                                           work / "whole.yaml", cwd=work), 2, "33M")
    expect("record: not over another", run(TOOL, "--record", folder, work / "whole.yaml"), 2, "-f")
    check("record: with -f", good(TOOL, "-f", "--record", folder, work / "whole.yaml") == rows)


def test_lineage():
    """Stages and sources stand in the lineage: of the stream, and of shards made of it."""
    rows = good(TOOL, work / "whole.yaml")
    dry = json.loads(good(TOOL, "--dry-run", work / "whole.yaml"))
    order = read_stream(rows)[1][-1]["order"]
    check("lineage: stages are the plan's", [(s["name"], s["begin"], s["end"]) for s in
          order["stages"]] == [(s["name"], s["begin"], s["end"]) for s in dry["stages"]], order)
    check("lineage: rows by source", [s["placed"] for s in order["stages"]] ==
          [{k: v["sequences"] for k, v in s["shares"].items()} for s in dry["stages"]], order)
    check("lineage: sources", order["sources"] == [s["name"] for s in dry["sources"]])
    check("lineage: sizes", (order["sequences"], order["length"]) ==
          (dry["sequences"], dry["length"]))
    good(BIN / "sluice-shard", "-o", work / "ordered", data=rows)
    manifest = json.loads((work / "ordered" / "manifest.json").read_text())
    check("lineage: in the shards too", manifest["lineage"][-2]["order"] == order)


def test_length():
    """Rows with an extra token are L + 1 long, and a length divides L; it is recorded."""
    tokens = good(BIN / "sluice-tokenize", data=good(
        BIN / "sluice-import", "--format", "jsonl", "--source", "x", "-",
        data=b'{"id":"a","text":"some words and some more"}\n'))
    rows = good(BIN / "sluice-pack", "--length", 16, "--extra-token", data=tokens)
    (work / "extra.arrows").write_bytes(rows)
    plan = {"sources": {"x": {"path": "extra.arrows"}},
            "stages": [{"name": "a", "length": 8, "until": "50%"}, {"name": "b"}]}
    out = read_stream(good(TOOL, write_plan(plan)))[1][-1]
    check("length: in the lineage", [s.get("length") for s in out["order"]["stages"]] == [8, None])
    check("length: in the rules", [s.get("length") for s in out["rules"]["stages"]] == [8, None])
    text = json.loads(good(TOOL, "--dry-run", write_plan(plan)))
    check("length: in the dry run", [s.get("length") for s in text["stages"]] == [8, None], text)
    plan["stages"][0]["length"] = 17
    expect("length: not of the extra token", run(TOOL, write_plan(plan)), 1, "plan.yaml:2:",
           "a length of 17 does not divide the 16 tokens", "extra token")


def test_damage():
    """The first pass does not look at tokens; what is wrong there is found in the second."""
    name = "damaged.arrows"
    data = bytearray((work / "web.arrows").read_bytes())
    tokens = table(bytes(data))["tokens"].combine_chunks().flatten().to_numpy().tobytes()
    at = bytes(data).find(tokens[:64])
    check("damage: tokens are found", at > 0)
    data[at + 5] ^= 1
    (work / name).write_bytes(data)
    write_plan({"sources": {"a": {"path": name}}, "stages": [{"name": "s", "order": "given"}]},
               "damaged.yaml")
    expect("damage: found", run(TOOL, "-o", work / "out-damaged.arrows", work / "damaged.yaml"), 1,
           name, "checksum", "source 'a'", "damaged.yaml:1:")
    for missing in ("absent.arrows", ["web.arrows", "absent.arrows"]):
        write_plan({"sources": {"a": {"path": missing}}, "stages": [{"name": "s"}]}, "absent.yaml")
        expect("a file that is not there", run(TOOL, work / "absent.yaml"), 3, "absent.arrows",
               "cannot open", "source 'a'", "absent.yaml:1:")
    check("damage: no output", not (work / "out-damaged.arrows").exists())
    check("damage: sizes can still be told",
          run(TOOL, "--dry-run", work / "damaged.yaml").returncode == 0)


def test_example():
    """The plan of examples/curriculum, to shards that are verified."""
    shutil.copy(ROOT / "examples" / "curriculum" / "plan.yaml", work / "example.yaml")
    rows = good(TOOL, "example.yaml", cwd=work)
    stages = table(rows)["stage"].to_pylist()
    check("example: two stages", sorted(set(stages)) == [0, 1] and stages == sorted(stages))
    good(BIN / "sluice-shard", "-o", work / "shards", data=rows)
    check("example: shards", b"ok" in good(BIN / "sluice-verify", work / "shards"))


# ---- orders by files, and sequences that stand twice


class Files(dict):
    """Rows by source; orders: the ids of files of orders."""
    orders = {}


PATHS = {"again": "web.arrows", "twice": ["one.arrows", "one.arrows", "old.arrows"]}


def make_files():
    files = Files(web=make("web", 90), books=make("books", 30), old=make("old", 12),
                  odd=make("odd", 20, 3), one=make("one", 1), none=make("none", 0))
    files["again"] = files["web"]
    files["twice"] = files["one"] + files["one"] + files["old"]
    orders = {"all.arrows": (["web", "books", "old", "odd", "one"], 300),
              "web2.arrows": (["web"], 150), "few.arrows": (["web", "books"], 25),
              "small.arrows": (["one", "odd"], 9)}
    for name, (sources, n) in orders.items():
        plan = {"seed": 3, "budget": {"amount": n, "in": "sequences"},
                "sources": {s: {"path": f"{s}.arrows", "epochs": 9} for s in sources},
                "stages": [{"name": "all"}]}
        good(TOOL, "-f", "--record", work / "record", write_plan(plan))
        shutil.copy(work / "record" / "order.arrows", work / name)
        files.orders[name] = [k[0] for k in keys_of((work / name).read_bytes())]
    make("gone", 2)
    files.orders["gone.arrows"] = table((work / "gone.arrows").read_bytes())["id"].to_pylist()
    shutil.rmtree(work / "record")
    return files


def ids_of(stream):
    return [k[:2] for k in keys_of(stream)]


def test_files():
    """The order of a plan's record, and others, given to another plan."""
    folder = work / "to-give"
    want = good(TOOL, "-f", "--record", folder, work / "whole.yaml")
    text = ("sources: {all: {path: [web.arrows, 'boo*.arrows', old.arrows], "
            "order: {file: to-give/NAME}}}\nstages: [{name: all}]\n")

    def plan(name):
        (work / "given.yaml").write_text(text.replace("NAME", name))
        return work / "given.yaml"
    rows = good(TOOL, plan("order.arrows"))
    check("a record gives its order again", ids_of(rows) == ids_of(want))
    check("from another folder", good(TOOL, "given.yaml", cwd=work) == rows)
    rule = read_stream(rows)[1][-1]["rules"]["sources"][0]
    check("the file is in the lineage", rule["order"] == "file" and len(rule["xxh3"]) == 32 and
          rule["file"] == "to-give/order.arrows", rule)
    other = good(BIN / "sluice-shuffle", "--seed", 5, folder / "order.arrows")
    (folder / "other.arrows").write_bytes(other)
    again = good(TOOL, "-f", "--record", work / "given", plan("other.arrows"))
    check("a permuted file gives its order",
          [k[0] for k in ids_of(again)] == [k[0] for k in ids_of(other)])
    check("the same bytes in less memory", good(TOOL, "--mem", "24M", "-T4",
                                                work / "given.yaml") == again)
    dry = json.loads(good(TOOL, "--dry-run", work / "given.yaml"))
    manifest = json.loads((work / "given" / "manifest.json").read_text())
    manifest.pop("order")
    manifest.pop("achieved")
    check("a dry run knows the file", dry == manifest, (dry, manifest))
    source = dry["sources"][0]
    check("rows of no entry are unused", source["unused"] > 0 and source["unused"] ==
          source["sequences"] - len({k[0] for k in ids_of(again)}), source)
    (work / "given.yaml").write_text((work / "given.yaml").read_text().replace(
        "{path", "{epochs: 2, path"))
    twice = [k[0] for k in ids_of(good(TOOL, work / "given.yaml"))]
    check("two epochs of a file", twice == 2 * [k[0] for k in ids_of(other)])
    (folder / "cut.arrows").write_bytes(other[:-60])
    expect("a file cut short", run(TOOL, plan("cut.arrows")), 1, "cut.arrows")
    twice = text.replace("to-give/NAME", "one.arrows").replace("old.arrows", "one.arrows")
    (work / "given.yaml").write_text(twice.replace("web.arrows", "one.arrows"))
    expect("an entry that stands twice", run(TOOL, work / "given.yaml"), 1, "given.yaml:1:",
           "'one.arrows' names in row 0", "stands twice in a source")
    text = text.replace("to-give/NAME", "-")
    expect("a file from standard input", run(TOOL, plan("")), 1, "cannot be read from '-'")


def test_twice(files):
    """No key comes twice, and rows that would have one are told."""
    plan = write_plan({"sources": {"a": {"path": "web.arrows"}, "b": {"path": "web.arrows"}},
                       "stages": [{"name": "all"}]}, "twice.yaml")
    done = run(TOOL, plan, "--report", work / "report.json", "-f")
    ids = {r["id"].hex() for r in files["web"]}
    text = done.stderr.decode()
    check("rows that stand twice are told", done.returncode == 0 and f" {len(ids)} rows " in text
          and any(i in text for i in ids), text)
    keys = ids_of(done.stdout)
    check("no key comes twice", len(keys) == 2 * len(ids) == len(set(keys)))
    tally = json.loads((work / "report.json").read_text())["tally"]["counts"]
    check("every row is used once", tally == {"rows_added": 0, "unused": 0}, tally)
    (work / "repeats.arrows").write_bytes(done.stdout)
    check("verified", b"ok" in good(BIN / "sluice-verify", work / "repeats.arrows"))
    plan = write_plan({"seed": 4, "sources": {"a": {"path": "repeats.arrows", "epochs": 2}},
                       "stages": [{"name": "all"}]}, "twice.yaml")
    done = run(TOOL, "--replace", plan)
    check("declared repeats are not told", done.returncode == 0 and not done.stderr, done.stderr)
    again = ids_of(done.stdout)
    want = {(i, c) for i, _ in keys for c in range(4)}
    check("copies are counted by id", set(again) == want and len(again) == len(want))
    check("nobody looks in a dry run", not run(TOOL, "--dry-run", work / "twice.yaml").stderr)


ORDERS = """seed: 3
budget: {amount: 260, in: sequences}
sources:
  web: {path: web.arrows, epochs: 2}
  books: {path: books.arrows, when_empty: repeat, order: {file: few.arrows}}
  again: {path: web.arrows}
stages:
  - name: one
    until: 40%
    order: {by: "lam*difficulty_length - (1-lam)/difficulty_compression", lam: {pacing: root}}
    mixture: {web: 40%, again: 40%, books: 20%}
  - name: two
    order: {by: difficulty_compression desc, strata: {from: [80%, 20%], to: [0.1, 0.9]}}
    mixture: {web: 40%, again: 40%, books: 20%}
"""


def test_orders():
    (work / "orders.yaml").write_text(ORDERS)
    want = good(TOOL, work / "orders.yaml")
    for more in (["-T4"], ["--mem", "24M"], ["--mem", "4G", "-T2"]):
        check(f"orders: same bytes with {more}", good(TOOL, work / "orders.yaml", *more) == want)


def main():
    files = make_files()
    check("there are nulls", any(r[COLUMNS[2]] is None for r in files["odd"]))
    test_same_bytes()
    test_bad()
    test_all_hand_on()
    test_rate_never_comes()
    test_warning()
    test_record()
    test_lineage()
    test_length()
    test_damage()
    test_example()
    test_files()
    test_twice(files)
    test_orders()
    test_random(files)
    shutil.rmtree(work, ignore_errors=True)
    total = passed + twin.base.passed
    bad = failed + twin.base.failed
    print(f"{total} passed, {bad} failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
