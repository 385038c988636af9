# SPDX-License-Identifier: Apache-2.0
"""Plans with groups and blocks, against docs/curriculum.md in Python (curriculum_twin.py).

    python3 tests/pipeline/arrange_test.py BUILD_DIR

SLUICE_LONG_TESTS=1  ten times as many.

Random plans give, key by key, what the twin gives; groups stay together, blocks have
one value, and the bounds of the page hold."""

import json
import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import curriculum_record_test as record  # noqa: E402
import curriculum_test as base  # noqa: E402
from curriculum_test import BIN, LENGTH, TOOL, check, expect, good, rng, run, twin, work  # noqa

N_PLANS = base.N_PLANS // 2 * (10 if os.environ.get("SLUICE_LONG_TESTS") else 1)
COLUMNS = ("difficulty_length", "difficulty_compression", "difficulty_word_length", "source")


def make(name, docs):
    """docs: (source, text). Sequences within one document share its numbers, and are groups by
    these; sequences of documents with different sources have none."""
    parts = []
    for source in sorted({s for s, _ in docs}):
        data = "".join(json.dumps({"id": f"{name}-{i}", "text": t}) + "\n"
                       for i, (s, t) in enumerate(docs) if s == source).encode()
        parts.append(work / f"{name}-{source}.docs")
        parts[-1].write_bytes(good(BIN / "sluice-import", "--format", "jsonl", "--source", source,
                                   "-", data=data))
    rows = good(BIN / "sluice-shuffle", *parts)
    packed = good(BIN / "sluice-pack", "--length", LENGTH, data=good(
        BIN / "sluice-tokenize", data=good(BIN / "sluice-difficulty", data=rows)))
    (work / f"{name}.arrows").write_bytes(packed)
    return base.table(packed).select(["id", *COLUMNS]).to_pylist()


def text(most):
    return " ".join(rng.choice(("river", "stone", "a", "the", "mill", "of", "grinding"))
                    for _ in range(rng.randrange(1, most)))


def files():
    docs = {"pairs": [("p", text(60)) for _ in range(25)],
            "odd": [("o", "... " * rng.randrange(9, 50) if i < 5 else text(30))
                    for i in range(20)],
            "lang": [(rng.choice(["de", "en", "fr", "Éo"]), text(40)) for _ in range(40)],
            "big": [("b", text(400)) for _ in range(4)],
            "web": [("w", text(25)) for _ in range(60)]}
    return base.Files({name: make(name, d) for name, d in docs.items()})


plain_plan = base.some_plan


def listed(order):
    """An order that groups can be drawn in."""
    return not isinstance(order, dict) or not ("strata" in order or twin.moves(order))


def some_plan(data):
    plan = plain_plan(data)
    for v in [*plan["stages"], *plan["sources"].values()]:
        while not listed(v.get("order")) and rng.random() < 0.9:
            v["order"] = base.some_order()
    for name, source in plan["sources"].items():
        if rng.random() < 0.6:
            source["group"] = rng.choice(["difficulty_length", "difficulty_length",
                                          "difficulty_word_length", "source", "id"])
    for stage in plan["stages"]:
        if rng.random() < 0.3:
            stage["batch"] = {"by": rng.choice(["source", "source", "difficulty_length"]),
                              "size": rng.randrange(1, 20)}
    if rng.random() < 0.5:  # blocks and groups exclude each other
        for source in plan["sources"].values():
            source.pop("group", None)
    return plan


def test_random(data):
    carried = {"groups": 0, "blocks": 0, "neither": 0}
    for i in range(N_PLANS):
        plan = some_plan(data)
        kind = ("groups" if any("group" in s for s in plan["sources"].values()) else
                "blocks" if any("batch" in s for s in plan["stages"]) else "neither")
        carried[kind] += base.compare(f"random plan {i}", plan, data)
    check("many plans can be carried out", min(carried.values()) > N_PLANS / 20, carried)
    print(f"of {N_PLANS} random plans these were carried out, the others refused: {carried}")


# ---- documents ----


def make_documents(name, n, tokens):
    lines = "".join(json.dumps({"id": f"{name}-{i}", "text": text(40)}) + "\n" for i in range(n))
    rows = good(BIN / "sluice-difficulty", data=good(
        BIN / "sluice-import", "--format", "jsonl", "--source", name, "-", data=lines.encode()))
    if tokens:
        rows = good(BIN / "sluice-tokenize", data=rows)
    (work / f"{name}.arrows").write_bytes(rows)
    return base.table(rows).to_pylist()


def some_document_plan(data):
    plan = plain_plan(data)
    plan["unit"] = "document"
    if plan.get("budget", {}).get("in", "sequences") != "sequences":
        plan["budget"]["amount"] //= 40
    if "budget" in plan:
        plan["budget"] = {"amount": max(1, plan["budget"]["amount"]), "in": "documents"}
    for stage in plan["stages"]:
        stage.pop("length", None)
        stage.pop("tokenizer", None)
        if stage["until"] == {"sequences": 290}:
            stage["until"] = {"documents": 290}
        if rng.random() < 0.2:
            stage["batch"] = {"by": "source", "size": rng.randrange(1, 9)}
    for source in plan["sources"].values():
        if rng.random() < 0.2 and not any("batch" in s for s in plan["stages"]):
            source["group"] = "difficulty_length"
    return plan


def size_of(row):
    return len(row["tokens"]) if "tokens" in row else len(row["text"].encode())


def check_sums(name, told, rows, sources, unit):
    for s in told["stages"]:
        part = rows[s["begin"]:s["end"]]
        sums = {k: sum(size_of(r) for r in part if sources[r["id"]] == k) for k in s[unit]}
        check(f"{name}: sums", sums == {k: v["sum"] for k, v in s[unit].items()}, (s, sums))
        for k, v in s[unit].items():
            share = sums[k] / max(1, sum(sums.values()))
            check(f"{name}: shares", abs(v["share"] - share) < 1e-6 and abs(
                v["error"] - (share - s["shares"][k]["documents"] / len(part))) < 2e-6, v)
    check(f"{name}: of all", told[unit] == sum(map(size_of, rows)) and not told["estimated"])
    check(f"{name}: of sources", [s[unit] for s in told["sources"]] ==
          [sum(size_of(r) for r in rows if sources[r["id"]] == s["name"])
           for s in told["sources"]], told["sources"])


def test_documents():
    for kind, unit in ((True, "tokens"), (False, "bytes")):
        data = base.Files({n: make_documents(n, k, kind) for n, k in (
            ("dweb", 70), ("dbooks", 25), ("dold", 12))})
        sources = {r["id"]: n for n in data for r in data[n]}
        carried = sum(base.compare(f"documents with {unit} {i}", some_document_plan(data), data)
                      for i in range(N_PLANS // 8))
        check("many plans of documents can be carried out",
              carried > max(0, N_PLANS // 32 - 1), carried)
        plan = {"unit": "document", "budget": {"amount": 80, "in": "documents"},
                "sources": {"dweb": {"path": "dweb.arrows"},
                            "dbooks": {"path": "dbooks.arrows", "epochs": 2}},
                "stages": [{"name": "a", "until": {"documents": 33}}, {"name": "b"}]}
        path = base.write_plan(plan)
        out = good(TOOL, path, "-f", "--record", work / "documents")
        rows = base.table(out).to_pylist()
        told = json.loads((work / "documents" / "manifest.json").read_text())
        check(f"documents: head {unit}", (told["unit"], told["documents"], "length" in told) ==
              ("document", 80, False), told)
        check_sums(f"documents with {unit}", told, rows, sources, unit)
        order = base.read_stream(out)[1][-1]["order"]
        check("documents: lineage", (order["documents"], "length" in order, "sequences" in order) ==
              (80, False, False), order)
        check("documents: verified", b"ok" in good(BIN / "sluice-verify", "-", data=out))
        guess = json.loads(good(TOOL, "--dry-run", path))
        for s in guess["stages"]:
            for k, v in s[unit].items():
                whole, n = sum(map(size_of, data[k])), s["shares"][k]["documents"]
                check("documents: guessed", v["sum"] == n * whole // len(data[k]), (k, v))
        check("documents: estimated", guess["estimated"] is True)
        diff = json.loads(good(TOOL, "--diff", work / "documents", work / "documents"))
        check("documents: compared", diff["same"] is True, diff)
        for more in (["-T4"], ["--mem", "24M"]):
            check("documents: same bytes", good(TOOL, path, *more) == out)
        if kind:
            packed = good(BIN / "sluice-pack", "--length", LENGTH, data=out)
            check("documents: packed", base.table(packed).num_rows > 10)
    expect("documents: not of sequences", run(TOOL, base.write_plan(
        {**plan, "sources": {"web": {"path": "web.arrows"}}})), 1, "web.arrows")
    for old, new, *words in (
            ({"budget": {"amount": 9, "in": "tokens"}}, {}, "2:9", "in tokens or bytes"),
            ({}, {"until": {"tokens": 9}}, "4:", "in tokens or bytes"),
            ({}, {"until": {"sequences": 9}}, "4:", "no sequences"),
            ({"unit": "words"}, {}, "1:7", "unknown unit 'words'"),
            ({}, {"length": 8}, "4:", "stage 'a'", "of sequences")):
        bad = {**plan, **old, "stages": [{**plan["stages"][0], **new}, plan["stages"][1]]}
        expect(f"documents: {old} {new}", run(TOOL, base.write_plan(bad)), 1, "plan.yaml:", *words)
    expect("documents: not behind another order", run(
        TOOL, "--continue", work / "documents" / "manifest.json", "--at", 3,
        base.write_plan(plan)), 2, "'document'")


# ---- all together ----


def test_going_on(data):
    """Plans with groups and blocks behind others, and behind a part of a group."""
    base.some_plan = some_plan
    n = N_PLANS // 4
    carried = sum(record.go_on(i, data) for i in range(n))
    check("many pairs can be carried out", carried > max(0, n // 5 - 2), carried)
    print(f"{carried} of {n} pairs of plans carried out")


def rows_of(plan):
    t = base.table(good(TOOL, base.write_plan(plan), "-f"))
    return t.select(["id", "copy", "stage", *COLUMNS]).to_pylist()


def runs(values):
    """Lengths of the runs of one value."""
    out, last = [], object()
    for v in values:
        if v != last:
            out.append([v, 0])
            last = v
        out[-1][1] += 1
    return out


def test_groups(data):
    """Whatever else the plan says, rows of a group are neighbours, in the order that they had."""
    plan = {"seed": 5, "sources": {"pairs": {"path": "pairs.arrows", "group": "difficulty_length"},
                                   "web": {"path": "web.arrows"}},
            "stages": [{"name": "a", "until": "40%", "order": {"by": "difficulty_compression"}},
                       {"name": "b", "order": "shuffle"}]}
    out = rows_of(plan)
    place = {r["id"]: u for u, r in enumerate(data["pairs"])}
    got = [place[r["id"]] for r in out if r["id"] in place]
    groups = twin.groups_of(data["pairs"], "difficulty_length")
    check("groups: there are some", max(map(len, groups)) > 2)
    where = {u: i for i, u in enumerate(got)}
    check("groups: all rows", sorted(got) == list(range(len(place))))
    check("groups: whole and in order", all(
        [where[u] for u in g] == list(range(where[g[0]], where[g[0]] + len(g))) for g in groups))
    neighbours = [i for i, r in enumerate(out) if r["id"] in place]
    at = dict(zip(got, neighbours))
    check("groups: nothing between", all(at[g[-1]] - at[g[0]] == len(g) - 1 for g in groups))


def test_too_large(data):
    """A group that does not fit any more is not begun, and the record says so."""
    n = len(data["big"])
    plan = {"sources": {"big": {"path": "big.arrows", "group": "source"}},
            "budget": {"amount": n - 1, "in": "sequences"},
            "stages": [{"name": "a", "order": "given"}]}
    record = work / "big-record"
    done = run(TOOL, base.write_plan(plan), "--record", record)
    text = json.loads((record / "manifest.json").read_text())
    check("too large: no rows", done.returncode == 0 and
          base.table(done.stdout).num_rows == text["sequences"] == 0, done.stderr)
    expect("too large: warned", done, 0, f"the order is {n - 1} sequences shorter")
    check("too large: told", text["sources"][0]["unfilled"] == n - 1, text)
    check("too large: the stage", text["stages"][0]["end"] == 0, text)


def test_blocks(data):
    plan = {"seed": 1, "sources": {"lang": {"path": "lang.arrows", "epochs": 2},
                                   "web": {"path": "web.arrows"}},
            "budget": {"amount": 90, "in": "sequences"},
            "stages": [{"name": "a", "until": {"sequences": 42}, "batch": {"by": "source",
                                                                          "size": 7}},
                       {"name": "b"}]}
    out = rows_of(plan)[:42]
    blocks = [{r["source"] for r in out[i:i + 7]} for i in range(0, 42, 7)]
    check("blocks: of one value", sum(len(b) == 1 for b in blocks) > 1, blocks)
    full = 0
    while full < 6 and len(blocks[full]) == 1:
        full += 1
    rest = runs([r["source"] for r in out[7 * full:]])
    check("blocks: what is left, by value", all(n < 7 for _, n in rest) and [v for v, _ in rest] ==
          sorted((v for v, _ in rest), key=lambda v: (v is None, (v or "").encode())), rest)
    plan["stages"][0].pop("batch")
    plan["stages"][1]["batch"] = {"by": "source", "size": 8}
    for more in ([], ["--dry-run"]):
        done = run(TOOL, base.write_plan(plan), *more)
        check(f"blocks: a stage within a block {more}", done.returncode == 0 and
              b"stage 'b' begins at position 42, 2 behind a multiple of its blocks of 8" in
              done.stderr, done.stderr)
    plan["stages"][1]["batch"]["size"] = 6
    check("blocks: at a border", not run(TOOL, base.write_plan(plan)).stderr)
    plan["sources"]["lang"]["group"] = "source"
    expect("blocks: not with groups", run(TOOL, base.write_plan(plan)), 1, "plan.yaml:4:",
           "stage 'b' has blocks of one 'source'", "groups of source 'lang'")


def test_controls():
    plan = {"sources": {"a": {"path": "pairs.arrows", "group": "source"}},
            "stages": [{"name": "s"}]}
    for control in ("random", "locality"):
        expect(f"--control {control}: groups", run(TOOL, "--control", control,
                                                   base.write_plan(plan)), 1, "plan.yaml:1:",
               "source 'a' has groups")
    plan["sources"]["a"].pop("group")
    plan["stages"][0]["batch"] = {"by": "source", "size": 8}
    expect("--control: blocks", run(TOOL, "--control", "random", base.write_plan(plan)), 1,
           "plan.yaml:2:", "stage 's' has blocks")


def test_same_bytes(data):
    plan = {"seed": 9, "sources": {"pairs": {"path": "pairs.arrows", "group": "difficulty_length",
                                             "when_empty": "repeat"},
                                   "lang": {"path": "lang.arrows", "when_empty": "repeat"}},
            "budget": {"amount": 400, "in": "sequences"},
            "stages": [{"name": "a", "until": "30%", "order": {"by": "difficulty_length"}},
                       {"name": "b", "until": "80%", "mixture": {"lang": 1},
                        "batch": {"by": "source", "size": 5}},
                       {"name": "c", "replay": {"of": "seen", "share": "20%"}}]}
    path = base.write_plan(plan)
    want = good(TOOL, path)
    stages = base.table(want)["stage"].to_pylist()
    told = base.read_stream(want)[1][-1]["order"]["stages"]
    check("stages end where the rows say", [(s["begin"], s["end"]) for s in told] ==
          [(stages.index(i), stages.index(i) + stages.count(i)) for i in range(3)], told)
    check("placed is what is there", [sum(s["placed"].values()) for s in told] ==
          [stages.count(i) for i in range(3)], told)
    for more in (["-T2"], ["-T8"], ["--mem", "24M"], ["--mem", "1G", "-T4"]):
        check(f"same bytes with {more}", good(TOOL, path, *more) == want)


def main():
    data = files()
    check("rows without a source", any(r["source"] is None for r in data["lang"]))
    check("rows without a number", any(r["difficulty_word_length"] is None for r in data["odd"]))
    test_groups(data)
    test_too_large(data)
    test_blocks(data)
    test_controls()
    test_same_bytes(data)
    test_documents()
    test_random(data)
    test_going_on(data)
    shutil.rmtree(work, ignore_errors=True)
    print(f"{base.passed} passed, {base.failed} failed")
    sys.exit(1 if base.failed else 0)


if __name__ == "__main__":
    main()
