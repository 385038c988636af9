# SPDX-License-Identifier: Apache-2.0
"""sluice-filter, looked at through pyarrow, against an independent twin of its
documented rules.

    python3 tests/pipeline/filter_test.py BUILD_DIR

The texts are those of data/filters/vectors (688 documents in many scripts, with
the verdicts of datatrove's rules of the same names) and some made here. They go
in as WET records.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

try:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.ipc as ipc
    import zstandard
except ImportError as e:
    print(f"skipped: {e.name} is not installed")
    sys.exit(77)

import gopher_twin as twin

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SLUICE_SHARED", ROOT.parent / "shared"))
VECTORS = SHARED / "data/filters/vectors"
build = Path(sys.argv[1]).resolve()
passed = failed = 0


def check(name, fine, why=""):
    global passed, failed
    if fine:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name}: {why}")


def run(tool, *args, stdin=b"", code=0):
    p = subprocess.run([build / "bin" / tool, *map(str, args)], input=stdin, capture_output=True)
    check(f"{tool} {' '.join(map(str, args))} ends with {code}", p.returncode == code,
          f"{p.returncode}: {p.stderr.decode(errors='replace')[:500]}")
    return p


def read(stream):
    """The table, and the trailer."""
    batches, trailer = [], None
    reader = ipc.open_stream(io.BytesIO(stream))
    while True:
        try:
            batch, meta = reader.read_next_batch_with_custom_metadata()
        except StopIteration:
            break
        batches.append(batch)
        if meta and b"sl:trailer" in meta:
            trailer = json.loads(meta[b"sl:trailer"])
    table = pa.Table.from_batches(batches, reader.schema)
    table.validate(full=True)
    return table, trailer


def docs_of(texts):
    """A docs stream of {name: text}, by way of WET records."""
    parts = []
    for name, text in texts.items():
        body = text if isinstance(text, bytes) else text.encode()
        parts.append(b"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Date: 2024-05-19T00:00:00Z\r\n"
                     b"WARC-Record-ID: <%s>\r\nContent-Type: text/plain\r\n"
                     b"WARC-Target-URI: https://example.org/\r\n"
                     b"Content-Length: %d\r\n\r\n%s\r\n\r\n" % (name.encode(), len(body), body))
    return run("sluice-warc", "--source", "test", stdin=b"".join(parts)).stdout


def jsonl(name):
    with open(VECTORS / f"{name}.jsonl.zst", "rb") as f:
        text = zstandard.ZstdDecompressor().stream_reader(f).read()
    return [json.loads(line) for line in text.splitlines()]


def values_of(row):
    return {n: row[f"gopher_{n}"] for n in twin.VALUES}


MADE = {
    "made-empty": "", "made-blank": " \t\u3000", "made-break": "\n",
    "made-crlf": "- a\r\n\r\n- b\r",
    "made-nul": "a\0b \0 \0\0c...", "made-breaks": "a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i",
    "made-blanks": "a\x1fb\u1680c\u2003d\u202fe\u205ff\u3000g\u00a0h\u200bi\ufeffj",
    "made-marks": "\u0301 e\u0301 \u20ac \u2026 ... .... ..... ...... # ## a#b 1 \u0661 \u216b",
    "made-alone": "\u4e00" * 500, "made-lines": "- x...\n" * 10 + "\n" * 3 + "\u2022 y\u2026 \n",
    "made-hashes": ("# " + "word " * 9) * 10, "made-hashes+1": ("# " + "word " * 9) * 10 + "#",
    "made-border": "x" * 63 + "\u2026" + "y" * 62 + "\u2028- z" + "." * 64 + " the\r\nbe",
}


# ---- values and verdicts against the twin ----

def test_twin(docs, table):
    rows = {r["source_id"]: r for r in table.to_pylist()}
    n_unassigned = 0
    for name, text in docs.items():
        row = rows[name]
        check(f"{name}: the text came through", row["text"] == text)
        if not twin.assigned(text):
            n_unassigned += 1
            continue
        expected = twin.measure(text)
        check(f"{name}: values", values_of(row) == expected, f"{values_of(row)} for {expected}")
        reason = twin.judge(expected)
        check(f"{name}: reason", row["filter_reason"] == reason,
              f"{row['filter_reason']} for {reason}")
    check("nearly all texts are comparable", n_unassigned * 20 < len(docs), n_unassigned)
    check("no row is lost", len(rows) == len(docs) == table.num_rows)
    reasons = {r["filter_reason"] for r in rows.values()}
    missing = {r for r, *_ in twin.RULES} - reasons - {"gopher_long_doc"}
    check("nearly every rule is met", len(missing) <= 1 or not VECTORS.exists(), missing)


def verdicts_by_columns(table):
    """What somebody does later who has the annotated columns alone."""
    reason = pa.nulls(table.num_rows, pa.string())
    for name, value, side, limit in reversed(twin.RULES):
        column = table[f"gopher_{value}"]
        bound = pa.scalar(twin.DEFAULTS[limit]).cast(column.type)
        hit = (pc.less if side == "<" else pc.greater)(column, bound)
        reason = pc.if_else(pc.fill_null(hit, False), name, reason)
    return reason.to_pylist()


def test_drop(stream, annotated, folder):
    rejects = folder / "rejects.arrows"
    kept, trailer = read(run("sluice-filter", "--rejects", rejects, stdin=stream).stdout)
    dropped, _ = read(rejects.read_bytes())
    by_id = {r["id"]: r["filter_reason"] for r in annotated.to_pylist()}
    check("what stays has no reason",
          kept["id"].to_pylist() == [i for i, r in by_id.items() if r is None])
    check("what goes has the reason that --annotate says",
          dict(zip(dropped["id"].to_pylist(), dropped["reject_reason"].to_pylist())) ==
          {i: r for i, r in by_id.items() if r})
    check("thresholds on columns give the same verdicts",
          verdicts_by_columns(annotated) == annotated["filter_reason"].to_pylist())
    test_details(dropped, {r["id"]: r for r in annotated.to_pylist()})
    tally = trailer["lineage"][-1]["tally"]
    counted = {}
    for r in dropped["reject_reason"].to_pylist():
        counted[r] = counted.get(r, 0) + 1
    check("the tally counts the reasons",
          {k: v for k, v in tally["reasons"].items() if v} == counted, tally["reasons"])
    for name in twin.VALUES:
        n = sum(tally["hist"][f"gopher_{name}"])
        defined = annotated.num_rows - annotated[f"gopher_{name}"].null_count
        check(f"the histogram of {name} counts every defined value", n == defined, (n, defined))


def test_details(dropped, rows):
    rules = {r: (v, side, limit) for r, v, side, limit in twin.RULES}
    for d in dropped.to_pylist():
        name, value, side, limit = d["reject_detail"].split()
        v, s, p = rules[d["reject_reason"]]
        fine = (name == f"gopher_{v}" and side == s and float(limit) == twin.DEFAULTS[p] and
                twin.float32(float(value)) == rows[d["id"]][name])
        check("the detail is the value beside its threshold", fine, d["reject_detail"])


def test_other_words(docs):
    """datatrove's words are a tokenizer's, so verdicts near a threshold differ."""
    theirs = {r["id"]: r["reason"] for r in jsonl("gopher_quality")}
    same = {"gopher_enough_stop_words": "gopher_few_stop_words"}
    ours = {i: twin.judge(twin.measure(docs[i])) for i in theirs}
    keep = sum((ours[i] is None) == (theirs[i] is None) for i in theirs)
    reason = sum(ours[i] == same.get(theirs[i], theirs[i]) for i in theirs)
    # The alphabetic share has punctuation tokens below the line in theirs.
    other = [i for i in theirs if theirs[i] != "gopher_below_alpha_threshold"]
    alike = sum(ours[i] == same.get(theirs[i], theirs[i]) for i in other)
    print(f"datatrove's verdicts: {len(theirs)} documents, kept or dropped alike "
          f"{keep / len(theirs):.3f}, with the same reason {reason / len(theirs):.3f}; without "
          f"its alphabetic drops {alike / len(other):.3f}")
    check("the same reason but for the alphabetic rule", alike / len(other) > 0.95)
    check("kept or dropped alike", keep / len(theirs) > 0.75)


# ---- the tool ----

def test_threads(stream):
    for args in ([], ["--annotate"]):
        one = run("sluice-filter", *args, "-T1", stdin=stream).stdout
        four = run("sluice-filter", *args, "-T4", stdin=stream).stdout
        check(f"-T1 and -T4 give the same bytes {args}", one == four)


def test_columns(stream, annotated_stream):
    again = run("sluice-filter", stdin=annotated_stream).stdout
    table, _ = read(again)
    plain, _ = read(run("sluice-filter", stdin=stream).stdout)
    check("annotated columns go through a run that drops",
          table.drop_columns([c for c in table.column_names if c not in plain.column_names])
          .equals(plain) and "gopher_alpha_ratio" in table.column_names)
    annotated, _ = read(annotated_stream)
    check("with their values", table.equals(
        annotated.filter(pc.is_null(annotated["filter_reason"]))))
    p = run("sluice-filter", "--annotate", stdin=annotated_stream, code=1)
    check("annotating twice is an error that names --replace",
          b"gopher_n_words" in p.stderr and b"--replace" in p.stderr, p.stderr)
    p = run("sluice-filter", "--annotate", "--replace", stdin=annotated_stream)
    check("with --replace the columns are made anew", read(p.stdout)[0].equals(annotated))
    small = run("sluice-verify", "-", stdin=annotated_stream)
    check("the stream verifies", b"ok" in small.stdout)


def test_lineage(stream, folder):
    profile = folder / "mine.yaml"
    profile.write_text("name: mine\nfilters:\n  gopher_quality: {min_words: 3, max_bullet_ratio: "
                       "false, stop_words: [de, 'no', e]}\n")
    p = run("sluice-filter", "--profile", profile, stdin=stream)
    entry = read(p.stdout)[1]["lineage"][-1]
    rules = entry["rules"]
    params = rules["filters"]["gopher_quality"]["params"]
    check("the lineage has the profile's name and the filter's version",
          rules["profile"] == "mine" and rules["filters"]["gopher_quality"]["version"] == "1")
    check("and every effective parameter",
          params == {**twin.DEFAULTS, "min_words": 3, "max_bullet_ratio": False,
                     "stop_words": ["de", "no", "e"]}, params)
    check("and the file's name and digest", entry["options"]["profile"]["name"] == "mine.yaml")
    test_schema({"name": rules["profile"],
                 "filters": {k: f["params"] for k, f in rules["filters"].items()}})
    printed = run("sluice-filter", "--profile", profile, "--print-profile").stdout
    (folder / "printed.yaml").write_bytes(printed)
    again = run("sluice-filter", "--profile", folder / "printed.yaml", stdin=stream)
    entry = read(again.stdout)[1]["lineage"][-1]
    check("a printed profile is the same profile", entry["rules"] == rules)
    built = read(run("sluice-filter", stdin=stream).stdout)[1]["lineage"][-1]
    check("a built-in profile is named", built["options"]["profile"] == "gopher-sluice",
          built["options"])


def test_schema(profile):
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        print("skipped: no jsonschema, so no profile was held against its schema")
        return
    schema = json.loads((ROOT / "schemas/filter-profile.schema.json").read_text())
    valid = Draft202012Validator(schema).is_valid
    check("the profile is what its schema says", valid(profile))
    params = profile["filters"]["gopher_quality"]
    known = schema["$defs"]["gopher_quality"]["properties"]
    check("the schema has every parameter", sorted(known) == sorted(params), known)
    for key, value in (("min_words", True), ("min_word", 1), ("stop_words", ["a b"]),
                       ("max_hash_ratio", "0.1"), ("min_words", -1)):
        wrong = {**profile, "filters": {"gopher_quality": {**params, key: value}}}
        check(f"the schema refuses {key}: {value}", not valid(wrong))


def test_parameters(folder):
    """Other stop words and thresholds, with the twin."""
    docs = {"a": "de wereld - is een dorp", "b": "no, de e de", "c": "e no \u2022 \u2022"}
    stream = docs_of(docs)
    params = {"min_words": 1, "min_stop_words": 2, "min_mean_word_length": False,
              "min_alpha_ratio": 0.5, "stop_words": ["de", "no", "e"]}
    profile = folder / "params.yaml"
    profile.write_text("name: p\nfilters: {gopher_quality: %s}\n" % json.dumps(params))
    scored = run("sluice-filter", "--annotate", "--profile", profile, stdin=stream).stdout
    rows = read(scored)[0].to_pylist()
    for row in rows:
        expected = twin.measure(docs[row["source_id"]], params["stop_words"])
        check("other stop words: values", values_of(row) == expected, (values_of(row), expected))
        check("other parameters: reason", row["filter_reason"] == twin.judge(expected, params))
    off = {k: False for k in twin.DEFAULTS if k != "stop_words"}
    profile.write_text("name: p\nfilters: {gopher_quality: %s}\n" % json.dumps(off))
    kept = read(run("sluice-filter", "--profile", profile, stdin=docs_of(MADE)).stdout)[0]
    check("with every rule off everything stays", kept.num_rows == len(MADE))


def test_bad(stream, folder):
    profile = folder / "bad.yaml"

    def bad(text, message, code=1):
        profile.write_text(text)
        out = folder / "never.arrows"
        p = run("sluice-filter", "--profile", profile, "-o", out, stdin=stream, code=code)
        check(f"the message says {message!r}", message in p.stderr.decode(), p.stderr)
        check("one line", p.stderr.count(b"\n") == 1, p.stderr)
        check("and there is no output", not out.exists())

    bad("name: x\nfilters:\n  gopher_quality:\n    min_word: 3\n",
        "bad.yaml:4:5: unknown key 'min_word' (did you mean 'min_words'?)")
    bad("name: x\nfilters:\n  gopher_quality:\n    min_words: many\n",
        "bad.yaml:4:16: min_words: expected a whole number or false, not 'many'")
    bad("a: &a [x, x]\nb: &b [*a, *a]\nname: *b\n",
        "bad.yaml:1:4: anchors (&), aliases (*) and tags (!) are not allowed")
    bad("", "bad.yaml:1:1: there is nothing in it")
    bad("[" * 5000, "nested too deeply")
    bad("name: x\nfilters: {}\n", "the profile has no filter")
    bad("name: x\n" + "k" * 10_000_000 + ": 1\n", "bad.yaml: larger than 1048576 bytes")
    bad("name: x\na" + "\u00e9" * 200 + ": 1\n", "unknown key 'a" + "\u00e9" * 29 + "'")
    profile.write_text("nam: x\n")
    failed_stream = run("sluice-filter", "--profile", profile, stdin=stream, code=1).stdout
    p = run("sluice-verify", stdin=failed_stream, code=1)
    check("the next stage is told of a bad profile", b"did you mean 'name'" in p.stderr, p.stderr)
    one = folder / "one.arrows"
    p = run("sluice-filter", "-o", one, "--rejects", one, stdin=stream, code=2)
    check("two outputs of one name are refused", b"two outputs" in p.stderr and
          not one.exists(), p.stderr)
    for what, message, code in ((folder / "none.yaml", "none.yaml", 3),
                                ("gofer-sluice", "did you mean 'gopher-sluice'?", 2),
                                ("/dev/null", "is no regular file", 2), (folder, "", 2)):
        p = run("sluice-filter", "--profile", what, stdin=stream, code=code)
        check(f"--profile {what}: {message}", message in p.stderr.decode(), p.stderr)
    if os.geteuid():
        profile.chmod(0)
        p = run("sluice-filter", "--profile", profile, stdin=stream, code=3)
        check("an unreadable profile is named", b"bad.yaml" in p.stderr, p.stderr)
        profile.chmod(0o600)


def test_changing_profile(stream, folder):
    """A profile that is edited, or disappears, while the run goes on: the rules that are
    applied, and stand in the lineage, are those of its beginning."""
    profile = folder / "changing.yaml"
    old, new = ("name: %s\nfilters: {gopher_quality: {min_words: %d}}\n" % x
                for x in (("old", 7), ("new", 100000)))
    profile.write_text(old)
    want = run("sluice-filter", "--profile", profile, stdin=stream).stdout
    for name, change in (("edited", lambda: profile.write_text(new)), ("gone", profile.unlink)):
        profile.write_text(old)
        p = subprocess.Popen([build / "bin/sluice-filter", "--profile", profile, "--flush"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        half = []
        writer = threading.Thread(target=lambda: half.append((p.stdin.write(stream[:-64]),
                                                             p.stdin.flush())))
        writer.start()
        begin = p.stdout.read(64)  # its schema is written: it has begun
        change()
        out = []
        reader = threading.Thread(target=lambda: out.append(p.stdout.read()))
        reader.start()
        writer.join()
        p.stdin.write(stream[-64:])
        p.stdin.close()
        reader.join()
        check(f"a profile that is {name} in a run", p.wait() == 0, p.stderr.read())
        check(f"{name}: the lineage has the rules that were applied",
              read(begin + out[0])[1] == read(want)[1], out[0][-9000:])


def test_large():
    """Documents of 50 MB: what could be quadratic takes seconds, not hours."""
    n = 50_000_000
    large = {"no space": b"x" * n, "spaces": b" " * n, "breaks": b"\n" * n, "dots": b"." * n,
             "bullets": b"-\r\n" * (n // 3), "wide": "\u3000".encode() * (n // 3),
             "symbols": b"$ " * (n // 2), "stops": b"the " * (n // 4)}
    expected = {"no space": {"n_words": 1, "mean_word_length": twin.float32(n), "alpha_ratio": 1},
                "spaces": {"n_words": 0, "alpha_ratio": None, "bullet_ratio": 0},
                "breaks": {"n_words": 0, "end_ellipsis_ratio": 0},
                "dots": {"n_words": 0, "ellipsis_ratio": twin.float32(n // 3)},
                "bullets": {"bullet_ratio": 1, "alpha_ratio": 0},
                "wide": {"n_words": 0, "bullet_ratio": 0},
                "symbols": {"n_words": 0, "mean_word_length": None, "alpha_ratio": 0},
                "stops": {"n_words": n // 4, "n_stop_words": 1}}
    for name, text in large.items():
        stream = docs_of({name: text})
        begun = time.monotonic()
        row = read(run("sluice-filter", "--annotate", stdin=stream).stdout)[0].to_pylist()[0]
        seconds = time.monotonic() - begun
        for key, value in expected[name].items():
            check(f"50 MB of {name}: {key}", row[f"gopher_{key}"] == value, row[f"gopher_{key}"])
        check(f"50 MB of {name} take seconds", seconds < 60, seconds)


def main():
    docs = dict(MADE)
    if VECTORS.exists():
        docs.update((d["id"], d["text"]) for d in jsonl("docs"))
        test_other_words(docs)
    else:
        print(f"skipped: the documents of {VECTORS} are not there")
    stream = docs_of(docs)
    annotated_stream = run("sluice-filter", "--annotate", stdin=stream).stdout
    annotated, _ = read(annotated_stream)
    test_twin(docs, annotated)
    with tempfile.TemporaryDirectory() as folder:
        test_drop(stream, annotated, Path(folder))
        test_lineage(stream, Path(folder))
        test_parameters(Path(folder))
        test_bad(stream, Path(folder))
        test_changing_profile(stream, Path(folder))
    test_threads(stream)
    test_columns(stream, annotated_stream)
    test_large()
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
