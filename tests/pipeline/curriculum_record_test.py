# SPDX-License-Identifier: Apache-2.0
"""What is told of an order, and what is made of it: records, controls, comparisons, and
going on behind another order, against docs/curriculum.md in Python (curriculum_twin.py).

    python3 tests/pipeline/curriculum_record_test.py BUILD_DIR"""

import json
import math
import os
import shutil
import sys
from collections import Counter
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import curriculum_test as ct  # noqa: E402
from curriculum_test import (BIN, LENGTH, TOOL, check, expect, good, rng, run,  # noqa: E402
                             twin, work)

try:
    import jsonschema
except ImportError:
    jsonschema = None
    print("skipped: no jsonschema in this Python, so no record was held against its schema")

SCHEMA = json.loads((ct.ROOT / "schemas" / "record.schema.json").read_text())
N_PAIRS = 80 if b"__asan_init" in TOOL.read_bytes() else 240


def manifest_of(folder):
    return json.loads((work / folder / "manifest.json").read_text())


def check_schema(name, value):
    if jsonschema:
        found = list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(value))
        check(name + ": its schema", not found, found[:3])


def recorded(name, *args):
    """The rows that a run writes, and the record that it makes."""
    rows, manifest = good(TOOL, *args, "-f", "--record", work / name), manifest_of(name)
    check_schema(name, manifest)
    return rows, manifest


def order_of(folder):
    return ct.table((work / folder / "order.arrows").read_bytes())


# ---- the record ----


def test_record(files):
    plan, want = ct.PLAN, None
    (work / "whole.yaml").write_text(plan)
    rows, m = recorded("whole", work / "whole.yaml")
    check("format", (m["format"], m["version"], m["seed"]) == ("sluice-curriculum", 1, "7"), m)
    schema = ct.table(rows).schema.metadata
    check("tokenizer", m["tokenizer"] == json.loads(schema[b"sl:tokenizer"])["digest"])
    names = [s["name"] for s in m["sources"]]
    owner = {r["id"]: n for n in names for r in files[n]}
    order = order_of("whole")
    got = [names[i] for i in order["plan_source"].to_pylist()]
    check("sources of the rows", got == [owner[i] for i in order["id"].to_pylist()])
    want, shares = twin.places(TWIN_PLAN, files, LENGTH)
    windows = m["achieved"]["windows"]
    n = len(want)
    borders = [w["begin"] for w in windows] + [windows[-1]["end"]]
    check("windows: borders", borders == [n * i // 100 for i in range(101)], borders)
    check("windows: all rows", sum(sum(w["sequences"].values()) for w in windows) == n)
    for w in windows:
        seen = Counter(p[0] for p in want[w["begin"]:w["end"]])
        replayed = w["sequences"].get("(replay)", 0)
        told = {k: v for k, v in w["sequences"].items() if k != "(replay)"}
        check("windows: counts", sum((seen - Counter(told)).values()) == replayed,
              (seen, w["sequences"]))
    (work / "plain.yaml").write_text(plan.replace("    replay: {of: seen, share: 5%}\n", ""))
    _, m = recorded("plain", work / "plain.yaml")
    twin_plan = json.loads(json.dumps(TWIN_PLAN))
    del twin_plan["stages"][2]["replay"]
    want, shares = twin.places(twin_plan, files, LENGTH)
    prefix, window = twin.worst_errors(twin_plan, want, shares)
    errors = m["achieved"]["errors"]
    check("worst prefix", abs(max(e["prefix"] for e in errors.values()) - prefix) < 1e-6, errors)
    check("worst window", abs(max(e["window"] for e in errors.values()) - window) < 1e-6, errors)


TWIN_PLAN = {
    "seed": 7, "budget": {"amount": 9600, "in": "tokens"},
    "sources": {"web": {"path": "web.arrows"},
                "books": {"path": "books.arrows", "epochs": 4,
                          "order": {"by": "difficulty_length"}},
                "old": {"path": "old.arrows", "when_empty": "repeat"}},
    "stages": [
        {"name": "warm-up", "until": "20%",
         "order": {"by": "difficulty_compression", "pacing": "root", "start": "10%",
                   "background": "20%"}, "mixture": {"web": 0.70, "books": 0.25, "old": 0.05}},
        {"name": "main", "until": "71%", "order": "shuffle",
         "mixture": {"alpha": 0.3, "of": ["web", "books"], "old": 0.05}},
        {"name": "anneal", "until": "100%",
         "mixture": {"from": {"books": 0.4, "web": 0.6}, "to": {"books": 0.8, "web": 0.2},
                     "pacing": "linear"},
         "replay": {"of": "seen", "share": "5%"}}]}


# ---- the page ----


class Page(HTMLParser):
    """The tables of a page by their names, as rows of texts, and all tags with attributes."""

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.tables, self.figures, self.tags, self.texts = {}, {}, [], []
        self.row = self.figure = None
        self.open = []
        self.feed(path.read_text())
        self.close()

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.tags.append((tag, a))
        if tag in ("td", "th") and self.open and self.open[-1] in ("td", "th"):
            self.open.pop()
        if tag not in ("meta", "br", "path"):
            self.open.append(tag)
        if tag == "table":
            self.table = self.tables.setdefault(a["data-name"], [])
        elif tag == "tr":
            self.row = []
            self.table.append(self.row)
        elif tag in ("td", "th"):
            self.row.append("")
        elif tag == "dd":
            self.figure = a["data-name"]

    def handle_endtag(self, tag):
        while self.open and self.open[-1] != tag and self.open[-1] in ("td", "th", "p"):
            self.open.pop()
        if self.open and self.open[-1] == tag:
            self.open.pop()
        elif tag != "path":
            self.tags.append(("unbalanced", {"tag": tag}))

    def handle_data(self, data):
        self.texts.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.row[-1] += data
        if self.open and self.open[-1] == "dd":
            self.figures[self.figure] = int(data.replace(",", ""))


def quantile(values, q):
    v, at = sorted(values), q * (len(values) - 1)
    low = math.floor(at)
    return v[low] + (at - low) * (v[min(low + 1, len(v) - 1)] - v[low])


def check_scores(name, table, values):
    """A table of a score against its values in order, all of which were kept."""
    rows = [[float(x.replace(",", "")) for x in r] for r in table[1:]]
    width = next(w for w in (2 ** k for k in range(20)) if len(values) / w <= 50 or w >= 32)
    for begin, low, mean, high, nulls in rows:
        part = [v for v in values[int(begin):int(begin) + width]]
        some = [v for v in part if v is not None]
        want = [quantile(some, 0.05), sum(some) / len(some), quantile(some, 0.95)]
        fine = all(abs(a - b) <= 6e-4 * abs(b) for a, b in zip((low, mean, high), want))
        check(f"{name}: row {begin:.0f}", fine and nulls == len(part) - len(some),
              (low, mean, high, nulls, want))


def test_page(files):
    path = work / "page.html"
    plain = good(TOOL, work / "whole.yaml")
    rows, m = recorded("paged", work / "whole.yaml", "--explain", path)
    check("page: the rows are the same", rows == plain)
    page, t = Page(path), ct.table(rows)
    bad = [(tag, a) for tag, a in page.tags if tag in ("script", "img", "link", "unbalanced") or
           any(k in ("src", "href") and not v.startswith("#") for k, v in a.items())]
    check("page: nothing from elsewhere", not bad, bad)
    check("page: figures", page.figures == {"sequences": 300, "tokens": 9600, "length": 32,
                                            "stages": 3, "sources": 3}, page.figures)
    stages = [[r[0], *(int(x.replace(",", "")) for x in r[1:4])] for r in page.tables["stages"][1:]]
    check("page: stages", stages == [[s["name"], s["begin_tokens"], s["end_tokens"],
                                      s["end"] - s["begin"]] for s in m["stages"]], stages)
    sources = page.tables["sources"][1:]
    want = [[s["name"], *(str(s[k]) for k in ("sequences", "placed", "unused")),
             *(f"{m['achieved']['errors'][s['name']][k]:.3f}" for k in ("prefix", "window"))]
            for s in m["sources"]]
    check("page: sources", sources == want, (sources, want))
    names, windows = page.tables["shares"][0][1:], page.tables["shares"][1:]
    check("page: sources of the shares", names == ["web", "books", "old", "(replay)"], names)
    got = [[int(x) for x in r] for r in windows]
    want = [[w["begin"], *(w["sequences"].get(n, 0) for n in names)]
            for w in m["achieved"]["windows"]]
    check("page: shares", got == want, got[:5])
    for column in ("difficulty_length", "difficulty_compression"):
        check_scores(f"page: {column}", page.tables[f"score {column}"], t[column].to_pylist())
    check("page: pools", page.tables["pools"][1:] == [["warm-up", "root", "10 %", "100 %", "20 %"]],
          page.tables["pools"])
    first = path.read_bytes()
    for more in (["-T4"], ["--mem", "40M"]):
        good(TOOL, *more, work / "whole.yaml", "-f", "--explain", path)
        check(f"page: the same bytes with {more}", path.read_bytes() == first)
    expect("page: not over another file", run(TOOL, work / "whole.yaml", "--explain", path), 2,
           "page.html")
    (work / "large.yaml").write_text(ct.PLAN.replace("9600", "96000"))
    left = set(os.listdir(work))
    expect("page: of a plan that fails", run(TOOL, work / "large.yaml", "--explain",
                                             work / "none.html"), 1, "too small")
    check("page: nothing is left", set(os.listdir(work)) == left)
    (work / "random.yaml").write_text("sources: {odd: {path: odd.arrows}}\n"
                                      "stages: [{name: \"<b>&'x\", order: shuffle}]\n")
    good(TOOL, work / "random.yaml", "--explain", path, "-f")
    page = Page(path)
    check("page: names are text", page.tables["stages"][1][0] == "<b>&'x" and
          not any(tag == "script" for tag, _ in page.tags), page.tables["stages"])
    check("page: scores of a shuffle", sum(k.startswith("score difficulty_") for k in page.tables)
          == 3, page.tables.keys())
    (work / "none.yaml").write_text("sources: {none: {path: none.arrows}}\n"
                                    "stages: [{name: x, order: shuffle}]\n")
    good(TOOL, work / "none.yaml", "--explain", path, "-f", "--record", work / "empty")
    check("page: no rows", Page(path).figures["sequences"] == 0)
    check("record: no rows", manifest_of("empty")["achieved"]["windows"] == [])
    good(TOOL, "--control", "random", work / "whole.yaml", "--explain", path, "-f")
    page = Page(path)
    check("page: a control", [r[0] for r in page.tables["stages"][1:]] == ["random"] and
          "pools" not in page.tables, page.tables.keys())
    good(TOOL, "--continue", work / "paged" / "manifest.json", "--at", 3200, work / "whole.yaml",
         "--explain", path, "-f")
    page = Page(path)
    check("page: going on", [r[0] for r in page.tables["stages"][1:]] ==
          ["warm-up", "main", "anneal"], page.tables["stages"])


# ---- controls ----


def full_keys(files, places):
    return [(files[s][u]["id"], copy, stage) for s, u, copy, stage in places]


def test_controls(files):
    rows = good(TOOL, work / "whole.yaml")
    first = ct.keys_of(rows)
    places, _ = twin.places(TWIN_PLAN, files, LENGTH)
    for kind, window in (("random", 64), ("locality", 64), ("locality", 7), ("locality", 1000)):
        name = f"control {kind} {window}"
        args = ["--control", kind, "--window", window, work / "whole.yaml"]
        got, m = recorded("control", *args)
        keys = ct.keys_of(got)
        check(name, keys == full_keys(files, twin.control(TWIN_PLAN, files, places, kind, window)))
        check(name + ": the same rows and copies",
              Counter(k[:2] for k in keys) == Counter(k[:2] for k in first))
        check(name + ": one stage", [(s["name"], s["end"]) for s in m["stages"]] ==
              [(kind, len(first))], m["stages"])
        check(name + ": without errors", "errors" not in m["achieved"])
        check(name + ": memory", good(TOOL, "--mem", "24M", *args) == got)
        names = [s["name"] for s in m["sources"]]
        owner = {r["id"]: n for n in names for r in files[n]}
        order = order_of("control")
        check(name + ": sources", [names[i] for i in order["plan_source"].to_pylist()] ==
              [owner[i] for i in order["id"].to_pylist()])
        if kind == "locality":
            ids = [k[0] for k in keys]
            cut = [k[0] for k in first]
            pieces = Counter(tuple(cut[i:i + window]) for i in range(0, len(cut), window))
            for piece in pieces:
                found = any(tuple(ids[i:i + len(piece)]) == piece for i in range(len(ids)))
                check(name + ": windows stay whole", found)
    expect("control: not with --continue",
           run(TOOL, "--control", "random", "--continue", work / "whole" / "manifest.json",
               work / "whole.yaml"), 2, "--continue")
    expect("control: an unknown one", run(TOOL, "--control", "rnd", work / "whole.yaml"), 2, "rnd")
    uneven = ct.PLAN.replace("    order: shuffle", "    order: shuffle\n    length: 16")
    (work / "uneven.yaml").write_text(uneven)
    expect("control: lengths", run(TOOL, "--control", "random", work / "uneven.yaml"), 1,
           "uneven.yaml:12:5", "'main' has another length")


def test_twins(files):
    """One sequence from two sources: its copies are counted together, wherever they go."""
    plan = {"seed": 4, "sources": {"web": {"path": "web.arrows", "epochs": 2},
                                   "again": {"path": ct.PATHS["again"]}},
            "stages": [{"name": "all"}]}
    path = ct.write_plan(plan, "twins.yaml")
    places, _ = twin.places(plan, files, LENGTH)
    for kind in ("random", "locality"):
        keys = ct.keys_of(good(TOOL, path, "--control", kind))
        check(f"twins: {kind}", keys == full_keys(files, twin.control(plan, files, places, kind,
                                                                      64)))
        check(f"twins: {kind}: no key twice", len(set(keys)) == len(keys))


# ---- comparing ----


def brute_diff(a, b):
    """a, b: lists of keys, none twice."""
    at_a, at_b = {k: i for i, k in enumerate(a)}, {k: i for i, k in enumerate(b)}
    common = [k for k in a if k in at_b]
    rank_b = {k: i for i, k in enumerate(sorted(common, key=at_b.get))}
    n = len(common)
    d2 = sum((i - rank_b[k]) ** 2 for i, k in enumerate(common))
    rho = 1 - Fraction(6 * d2, n ** 3 - n) if n > 1 else None
    first = next((i for i in range(max(len(a), len(b))) if a[i:i + 1] != b[i:i + 1]), None)
    return {"common": n, "only_a": len(at_a) - n, "only_b": len(at_b) - n}, rho, first


def test_diff(files):
    plans = [(ct.PLAN, "a"), (ct.PLAN.replace("seed: 7", "seed: 8"), "b"),
             (ct.PLAN.replace("9600", "3200").replace("web: 0.70, books: 0.25",
                                                     "web: 0.25, books: 0.70"), "c"),
             (ct.PLAN.replace("by: difficulty_length", "by: difficulty_compression"), "d")]
    orders = {}
    for text, name in plans:
        (work / "plan.yaml").write_text(text)
        rows, m = recorded(name, work / "plan.yaml")
        orders[name] = [k[:2] for k in ct.keys_of(rows)], m
        (work / f"{name}.arrows").write_bytes(rows)
    for a in orders:
        for b in orders:
            told = json.loads(good(TOOL, "--diff", work / a, work / b / "manifest.json"))
            counts, rho, first = brute_diff(orders[a][0], orders[b][0])
            name = f"diff {a} {b}: "
            got = {k: told["sequences"][k] for k in counts}
            check(name + "rows", got == counts, told)
            fine = abs(told["rank_correlation"] - rho) < 1e-8
            check(name + "correlation", fine, (told, float(rho)))
            check(name + "same", told["same"] == (first is None), told)
            if first is not None:
                d = told["first_difference"]
                check(name + "position", d["position"] == first, (d, first))
                for side, keys in (("a", orders[a][0]), ("b", orders[b][0])):
                    key = keys[first] if first < len(keys) else None
                    fine = key == (d[side] and (bytes.fromhex(d[side]["id"]), d[side]["copy"]))
                    check(name + "keys", fine, (d, key))
            check(name + "shares", abs(told["shares"]["moved"] - moved(
                totals(orders[a][1]), totals(orders[b][1]))) < 1e-6, told)
            for stage in told["shares"]["stages"]:
                x, y = (stage_counts(orders[o][1], stage["name"]) for o in (a, b))
                check(name + "a stage's shares", abs(stage["moved"] - moved(x, y)) < 1e-6, told)
    for name in "ac":
        good(BIN / "sluice-shard", "--sequences", 64, "-o", work / f"shards-{name}",
             work / f"{name}.arrows")
    told = json.loads(good(TOOL, "--diff", work / "a", work / "shards-a"))
    check("diff: a record and its shards", told["same"] and told["shares"]["moved"] == 0 and
          len(told["shares"]["stages"]) == 3, told)
    more = json.loads(good(TOOL, "--diff", "--mem", "24M", work / "shards-a", work / "shards-c"))
    want = json.loads(good(TOOL, "--diff", work / "a", work / "c"))
    check("diff: of shards as of records", more == want, (more, want))
    expect("diff: one operand", run(TOOL, "--diff", work / "a"), 2, "two orders")
    expect("diff: with a plan", run(TOOL, "--diff", "--record", work / "x", work / "a", work / "b"),
           2, "makes none")
    expect("diff: no record", run(TOOL, "--diff", work / "a", work / "a.arrows"), 1, "a.arrows")
    expect("diff: nothing there", run(TOOL, "--diff", work / "a", work / "none"), 3, "none")


def stage_counts(manifest, name):
    stage = next(s for s in manifest["stages"] if s["name"] == name)
    return Counter({k: v["sequences"] for k, v in stage["shares"].items()})


def totals(manifest):
    return sum((stage_counts(manifest, s["name"]) for s in manifest["stages"]), Counter())


def moved(a, b):
    na, nb = sum(a.values()), sum(b.values())
    return sum(abs(a[k] / na - b[k] / nb) for k in {*a, *b}) / 2


# ---- going on ----


def two_plans(files):
    """A plan, and an amended one that has its sources and perhaps others."""
    some = [n for n in files if len(files[n]) > 9]
    first = ct.some_plan(ct.Files({n: files[n] for n in rng.sample(some, rng.randrange(1, 3))}))
    second = ct.some_plan(ct.Files({n: files[n] for n in some}))
    for name, source in first["sources"].items():
        if rng.random() < 0.97:
            second["sources"].setdefault(name, source)
    if rng.random() < 0.3:
        second["seed"] = first["seed"]
    return first, second


def check_law(name, plan, files, past, places):
    """No row is given more often than its source's epochs, those of the past counted."""
    replays = any("replay" in s for s in plan["stages"])
    before, after = Counter(p[:2] for p in past), Counter(p[:2] for p in places[len(past):])
    for (source, unit), n in after.items():
        s = plan["sources"][source]
        if s.get("when_empty") != "repeat" and not replays and not twin.file_of(plan, source):
            most = max(0, s.get("epochs", 1) - before[source, unit])
            check(name + ": never repeated unless told", n <= most, (source, unit, n, most))
    copies = Counter()
    for source, unit, copy, _ in places:
        key = files[source][unit]["id"]
        check(name + ": copies count on", copy == copies[key], (source, unit, copy))
        copies[key] += 1


def go_on(i, files):
    first, second = two_plans(files)
    path = ct.write_plan(first, "first.yaml")
    try:
        want, _ = twin.places(first, files, LENGTH, files.orders)
    except twin.Refused:
        return 0
    rows, _ = recorded("first", path)
    taken = rng.choice([0, 1, len(want), rng.randrange(len(want) + 1),
                        rng.randrange(len(want) + 1)]) if want else 0
    manifest, named = work / "first" / "manifest.json", True
    if i % 3 == 0 and want:
        (work / "first.arrows").write_bytes(rows)
        good(BIN / "sluice-shard", "-f", "--sequences", 50, "-o", work / "shards",
             work / "first.arrows")
        manifest, named = work / "shards" / "manifest.json", False
    name = f"going on {i} at {taken}"
    path = ct.write_plan(second, "second.yaml")
    args = [TOOL, "--continue", manifest, "--at", taken * LENGTH + rng.randrange(1, LENGTH), path]
    keys = [(files[s][u]["id"], copy, stage, s if named else None)
            for s, u, copy, stage in want[:taken]]
    second["(keys)"] = keys
    try:
        whole, shares = twin.places(second, files, LENGTH, files.orders)
    except twin.Refused as why:
        expect(name + ": refused", run(*args), 1, str(why))
        return 0
    done = run(*args, "-f", "--record", work / "second")
    if done.returncode:
        check(name, False, done.stderr.decode(), path.read_text())
        return 0
    got, full = ct.table(done.stdout), full_keys(files, whole)
    keys = ct.keys_of(done.stdout)
    at = next((k for k, (a, b) in enumerate(zip(keys, full)) if a != b), None)
    check(name, keys == full, f"{len(keys)} of {len(full)}, first {at}: {path.read_text()}")
    check(name + ": the prefix is the same rows",
          got.slice(0, taken).to_pylist() == ct.table(rows).slice(0, taken).to_pylist())
    check_law(name, second, files, whole[:taken], whole)
    check_record(name, second, whole, taken, shares, twin.bound_of(second, files, whole))
    if not any("group" in s for s in second["sources"].values()):
        told, m = json.loads(good(*args, "--dry-run")), manifest_of("second")
        del m["order"], m["achieved"]
        check(name + ": a dry run tells the same", told == m, (told, m))
    return 1


def check_record(name, plan, whole, taken, shares, most):
    m = manifest_of("second")
    check_schema(name, m)
    stages = m["stages"]
    ends = [s["end"] for s in stages]
    check(name + ": stages join", [s["begin"] for s in stages] == [0, *ends[:-1]] and
          ends[-1] == len(whole), stages)
    fine = all(p[3] == s["stage"] for s in stages for p in whole[s["begin"]:s["end"]])
    check(name + ": stages are those of the rows", fine, stages)
    replays = any("replay" in s for s in plan["stages"])
    for s in stages:
        told = {k: v["sequences"] for k, v in s["shares"].items()}
        seen = Counter(p[0] for p in whole[s["begin"]:s["end"]])
        check(name + ": counts of a stage", sum(told.values()) == sum(seen.values()) and
              (replays or told == dict(seen)), (told, seen))
    if "errors" in m["achieved"] and not replays:
        prefix, _ = twin.worst_errors(plan, whole[taken:], shares)
        errors = [e["prefix"] for e in m["achieved"]["errors"].values()]
        check(name + ": bound", max(errors) < most and abs(max(errors) - prefix) < 1e-6, errors)


def test_going_on(files):
    carried = sum(go_on(i, files) for i in range(N_PAIRS))
    check("most pairs can be carried out", carried > N_PAIRS / 5, carried)
    print(f"{carried} of {N_PAIRS} random pairs of plans carried out")


def amended(**changes):
    text = ct.PLAN.replace("seed: 7", "seed: 9")
    for old, new in changes.items():
        text = text.replace(old, new)
    (work / "amended.yaml").write_text(text)
    return work / "amended.yaml"


def spoilt(name, change):
    """A copy of the record with another manifest."""
    shutil.copytree(work / "whole", work / name, dirs_exist_ok=True)
    m = manifest_of("whole")
    change(m)
    (work / name / "manifest.json").write_text(json.dumps(m))
    return work / name / "manifest.json"


def test_going_on_told(files):
    recorded("whole", work / "whole.yaml")
    manifest = work / "whole" / "manifest.json"
    plan = amended()
    rows = good(TOOL, "--continue", manifest, "--at", "3.2e3", plan)
    (work / "on.arrows").write_bytes(rows)
    check("verified", b"ok" in good(BIN / "sluice-verify", work / "on.arrows"))
    check("100 sequences of the first order", ct.keys_of(rows)[:100] == ct.keys_of(
        good(TOOL, work / "whole.yaml"))[:100])
    for more in (["--mem", "24M"], ["-T4"]):
        check(f"the same bytes with {more}",
              good(TOOL, *more, "--continue", manifest, "--at", 3200, plan) == rows)
    lineage = ct.lineage_of(rows) if hasattr(ct, "lineage_of") else None
    entry = (lineage or json.loads(ct.table(rows).schema.metadata[b"sl:lineage"]))[-1]
    check("the lineage names the manifest",
          entry["options"]["continue"]["name"] == "manifest.json" and
          len(entry["options"]["continue"]["xxh3"]) == 32, entry["options"])
    dry = json.loads(good(TOOL, "--dry-run", "--continue", manifest, "--at", 3200, plan))
    _, m = recorded("on", "--continue", manifest, "--at", 3200, plan)
    check_schema("dry run", dry)
    check("a dry run tells the same stages", dry["stages"] == m["stages"], dry)
    names = [(s["name"], s["begin"], s["end"]) for s in m["stages"]]
    check("stages of both", names == [("warm-up", 0, 60), ("main", 60, 213),
                                      ("anneal", 213, 300)], names)
    again, m = recorded("third", "--continue", work / "on" / "manifest.json", "--at", 6400, plan)
    check("going on once more", ct.keys_of(again)[:200] == ct.keys_of(rows)[:200])
    expect("behind the end", run(TOOL, "--continue", manifest, "--at", 9632, plan), 2,
           "behind the end")
    expect("before the beginning", run(TOOL, "--continue", manifest, "--at", -1, plan), 2,
           "counted from 0")
    check("up to the end", ct.keys_of(good(TOOL, "--continue", manifest, "--at", 9600, plan)) ==
          ct.keys_of(good(TOOL, work / "whole.yaml")))
    expect("--at alone", run(TOOL, "--at", 5, plan), 2, "--continue")
    expect("--continue alone", run(TOOL, "--continue", manifest, plan), 2, "--at")
    expect("a budget that ends before",
           run(TOOL, "--continue", manifest, "--at", 3200,
               amended(**{"amount: 9600": "amount: 1600"})), 1, "position 50", "100")
    lost = run(TOOL, "--continue", manifest, "--at", 3200, amended(**{"web.arrows": "odd.arrows"}))
    expect("a source that is missing", lost, 1, "in none of its sources", "position 0")
    check("which sequence", ct.keys_of(rows)[0][0].hex().encode() in lost.stderr, lost.stderr)
    (work / "twice.yaml").write_text(ct.PLAN.replace("path: web.arrows",
                                                     "path: [web.arrows, web.arrows]"))
    expect("two rows with one id", run(TOOL, "--continue", manifest, "--at", 3200,
                                       work / "twice.yaml"), 1, "two sequences with the id")
    for name, change, *words in [
            ("length", lambda m: m.update(length=16), "16 tokens", "32"),
            ("tokenizer", lambda m: m.update(tokenizer="0" * 32), "another tokenizer"),
            ("version", lambda m: m.update(version=2), "version 2"),
            ("format", lambda m: m.update(format="other"), "neither"),
            ("digest", lambda m: m["order"].update(digest="0" * 32), "digest"),
            ("rows", lambda m: m.update(sequences=301), "digest"),
            ("sequences", lambda m: m.update(sequences=-1), "sequences"),
            ("stages", lambda m: m["stages"].reverse(), "not in order"),
            ("names", lambda m: m.update(sources=[]), "does not name")]:
        done = run(TOOL, "--continue", spoilt("spoilt", change), "--at", 3200, amended(), "-o",
                   work / "never.arrows")
        expect(f"a manifest of another {name}", done, 1, "manifest", *words)
        check(f"{name}: nothing is written", not (work / "never.arrows").exists())
    data = bytearray((work / "whole" / "order.arrows").read_bytes())
    data[len(data) // 2] ^= 1
    shutil.copytree(work / "whole", work / "bent", dirs_exist_ok=True)
    (work / "bent" / "order.arrows").write_bytes(data)
    expect("bent keys", run(TOOL, "--continue", work / "bent" / "manifest.json", "--at", 3200,
                            amended()), 1, "order.arrows")
    os.remove(work / "bent" / "order.arrows")
    expect("no keys", run(TOOL, "--continue", work / "bent" / "manifest.json", "--at", 3200,
                          amended()), 3, "order.arrows")


def main():
    files = ct.make_files()
    test_record(files)
    test_page(files)
    test_controls(files)
    test_twins(files)
    test_diff(files)
    test_going_on_told(files)
    test_going_on(files)
    shutil.rmtree(work, ignore_errors=True)
    print(f"{ct.passed} passed, {ct.failed} failed")
    sys.exit(1 if ct.failed else 0)


if __name__ == "__main__":
    main()
