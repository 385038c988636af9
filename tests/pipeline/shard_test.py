# SPDX-License-Identifier: Apache-2.0
"""Shards: written, read by others, interrupted, damaged, checked.

    python3 tests/pipeline/shard_test.py BUILD_DIR

sequences_sample makes the sequences; their values are functions of the row's
number, computed here a second time and compared with what pyarrow reads from
the shards and with what plain numpy reads by the manifest's offsets alone.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from counted import Count

count = Count()
check = count.check
skip = count.skip
build = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path("build/release").resolve()
SHARD, VERIFY, CAT = (str(build / "bin" / f"sluice-{n}") for n in ("shard", "verify", "cat"))
SAMPLE = str(build / "test" / "sequences_sample")
ROWS, LENGTH, PER_SHARD = 1000, 64, 300
work = Path(tempfile.mkdtemp(prefix="sluice-shards-"))


def run(*args, data=b"", **more):
    return subprocess.run([str(a) for a in args], input=data, capture_output=True, **more)


def expect(name, done, code, *words):
    """Exit code, words on stderr, and one line of it at most but for usage."""
    text = done.stderr.decode(errors="replace")
    fine = done.returncode == code and all(w in text for w in words)
    check(name, fine, f"exit {done.returncode}, not {code}, or none of {words}: {text!r}")


def sample(rows=ROWS, length=LENGTH, dtype="uint16", per_batch=37, first=0):
    done = run(SAMPLE, rows, length, dtype, per_batch, first)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fresh(name):
    folder = work / name
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def contents(folder):
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def copy_of(folder, name):
    shutil.copytree(folder, fresh(name))
    return work / name


def differs(a, b):
    x, y = contents(a), contents(b)
    return [n for n in sorted(x.keys() | y.keys()) if x.get(n) != y.get(n)]


# ---- what the rows are ----


def expected(row, length):
    value = {
        "id": (row + 1).to_bytes(8, "big")
        + (row * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8, "big"),
        "tokens": [(row * 31 + i * 7) % 60000 for i in range(length)],
        "loss_mask": [int(i > 0 and row % 10 != 9) for i in range(length)],
        "source": None if row % 5 == 4 else f"s{row % 5}",
        "difficulty": None if row % 7 == 0 else row / 8,
        "even": row % 2 == 0,
    }
    n = row % 3 + 1
    value["doc_ids"] = [value["id"]] * n
    value["doc_starts"] = [0] * n
    value["doc_offsets"] = list(range(n))
    return value


def read_by_offsets(np, folder):
    """All rows, by numpy and the manifest alone."""
    m = json.loads((folder / "manifest.json").read_text())
    names = m["buffers"]
    rows = []
    for shard in m["shards"]:
        data = np.fromfile(folder / shard["file"], dtype=np.uint8)
        for b in shard["batches"]:
            rows += read_batch(np, m, names, data, b)
    return m, rows


def read_batch(np, m, names, data, b):
    n, length = b["rows"], m["length"]

    def buffer(name, dtype, count):
        off = b["buffers"][names.index(name)]
        if off < 0:
            return np.zeros(0, dtype)
        return data[off : off + count * np.dtype(dtype).itemsize].view(dtype)

    def valid(name):
        bits = buffer(name + ".validity", "u1", (n + 7) // 8)
        return np.unpackbits(bits, bitorder="little")[:n] if len(bits) else np.ones(n, int)

    assert b["tokens"] == b["buffers"][names.index("tokens.item.values")]
    tokens = buffer("tokens.item.values", m["dtype"], n * length).reshape(n, length)
    mask = buffer("loss_mask.item.values", "u1", n * length).reshape(n, length)
    ids = buffer("id.values", "V16", n)
    hard, hard_valid = buffer("difficulty.values", "f4", n), valid("difficulty")
    even = np.unpackbits(buffer("even.values", "u1", (n + 7) // 8), bitorder="little")
    texts = buffer("source.offsets", "i4", n + 1)
    text = buffer("source.values", "u1", int(texts[-1])).tobytes().decode()
    source_valid = valid("source")
    lists = {
        c: (buffer(c + ".offsets", "i4", n + 1), buffer(c + ".item.values", kind, 4 * n))
        for c, kind in (("doc_ids", "V16"), ("doc_starts", "u4"), ("doc_offsets", "u4"))
    }
    out = []
    for i in range(n):
        row = {
            "id": ids[i].tobytes(),
            "tokens": tokens[i].tolist(),
            "loss_mask": mask[i].tolist(),
            "source": text[texts[i] : texts[i + 1]] if source_valid[i] else None,
            "difficulty": float(hard[i]) if hard_valid[i] else None,
            "even": bool(even[i]),
        }
        for c, (offs, values) in lists.items():
            items = values[offs[i] : offs[i + 1]]
            row[c] = [v.tobytes() for v in items] if c == "doc_ids" else items.tolist()
        out.append(row)
    return out


def first_wrong(rows, count, length):
    if len(rows) != count:
        return f"{len(rows)} rows"
    for i, row in enumerate(rows):
        due = expected(i, length)
        for key, value in due.items():
            if row[key] != value:
                return f"row {i}, {key}: {row[key]!r:.80} is not {value!r:.80}"
    return ""


def test_values():
    try:
        import numpy as np
        import pyarrow as pa
    except ImportError as e:
        return skip("values", str(e))
    for dtype, length, rows, per_shard in (
        ("uint16", LENGTH, ROWS, PER_SHARD),
        ("uint32", 1, 40000, 33000),
        ("uint32", 3000, 200, 150),
        ("uint16", 7, 1, 1),
    ):
        name = f"{dtype}-{length}"
        folder = fresh(name)
        done = run(SHARD, "--sequences", per_shard, "-o", folder,
                   data=sample(rows, length, dtype, 777))
        expect(f"shard {name}", done, 0)
        m, by_offsets = read_by_offsets(np, folder)
        why = first_wrong(by_offsets, rows, length)
        check(f"{name} by numpy", not why, why)
        by_arrow = []
        for k, shard in enumerate(m["shards"]):
            table = pa.ipc.open_stream(str(folder / shard["file"])).read_all()
            check(f"{name} shard {k} rows", table.num_rows == shard["sequences"])
            by_arrow += table.to_pylist()
        why = first_wrong(by_arrow, rows, length)
        check(f"{name} by pyarrow", not why, why)
        targets = sum(sum(r["loss_mask"]) for r in by_arrow)
        check(f"{name} counts", m["tokens"] == rows * length and m["targets"] == targets, targets)
        check(f"{name} sizes", all(os.path.getsize(folder / s["file"]) == s["bytes"]
                                   for s in m["shards"]))
        check(f"{name} batches", all(b["rows"] <= 16384 for s in m["shards"] for b in s["batches"]))
        done = run(VERIFY, folder)
        expect(f"verify {name}", done, 0)
        line = rf"^{re.escape(str(folder))}: ok, {rows} rows in {len(m['shards'])} shards, digest "
        check(f"line {name}", re.match(line + "[0-9a-f]{32}\n$", done.stdout.decode()), done.stdout)
        schema_check(name, m)


def schema_check(name, m):
    schema = json.loads((Path(__file__).parents[2] / "schemas/manifest.schema.json").read_text())
    check(f"{name} keys", list(m) == schema["required"], list(m))
    check(f"{name} last stage", m["lineage"][-1]["tool"] == "sluice-shard")
    try:
        import jsonschema
    except ImportError:
        return skip(f"{name} against the JSON Schema", "no jsonschema")
    try:
        jsonschema.validate(m, schema)
        check(f"{name} schema", True)
    except jsonschema.ValidationError as e:
        check(f"{name} schema", False, e.message)


def test_same_bytes(whole):
    for per_batch in (1, 300, 1000):
        folder = fresh("batches")
        expect("shard", run(SHARD, "--sequences", PER_SHARD, "-o", folder,
                            data=sample(per_batch=per_batch)), 0)
        check(f"batches of {per_batch}", not differs(folder, whole), differs(folder, whole))
    parts = []
    for i, (first, n) in enumerate(((0, 400), (400, 1), (401, 599))):
        parts.append(work / f"part-{i}.arrows")
        parts[-1].write_bytes(sample(n, first=first))
    folder = fresh("parts")
    expect("three inputs", run(SHARD, "--sequences", PER_SHARD, *parts, "-o", folder), 0)
    wrong = differs(folder, whole)
    check("three inputs are one", wrong == ["manifest.json"], wrong)
    expect("the same", run(VERIFY, "--same", folder, whole), 0)
    done = run(VERIFY, "--same", whole, parts[0])
    expect("400 rows", done, 1, "1000 rows and 400")


# ---- interruptions ----


def feed_and_kill(folder, data, n_bytes, n_shards, *options):
    """Feed n_bytes, wait until n_shards are there, kill. Returns what was there."""
    p = subprocess.Popen([SHARD, "--sequences", str(PER_SHARD), "-o", str(folder), *options],
                         stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        p.stdin.write(data[:n_bytes])
        p.stdin.flush()
        until = time.monotonic() + 10
        while time.monotonic() < until and p.poll() is None:
            names = os.listdir(folder) if folder.exists() else []
            if sum(n.startswith("shard-") for n in names) >= n_shards and ".begun.json" in names:
                break
            time.sleep(0.002)
    finally:
        p.send_signal(signal.SIGKILL)
        p.stdin.close()
        p.wait()
        p.stderr.close()
    return sorted(os.listdir(folder)) if folder.exists() else []


def test_killed(whole):
    data = sample(per_batch=10)
    row_bytes = (len(data) - 4096) / ROWS
    for n_shards in range(4):
        rows = n_shards * PER_SHARD + 25 if n_shards < 3 else ROWS
        for per_mille in (0, 500, 900):
            name = f"killed with {n_shards} shards, {per_mille}"
            folder = fresh("killed")
            n_bytes = min(len(data) - 8, int(row_bytes * (rows + per_mille / 100)) + 4096)
            names = feed_and_kill(folder, data, n_bytes, n_shards)
            check(f"{name}: no manifest", "manifest.json" not in names, names)
            check(f"{name}: shards", sum(n.startswith("shard-") for n in names) >= n_shards, names)
            expect(f"{name}: refused", run(VERIFY, folder), 1, "no manifest.json")
            if per_mille == 500:  # a second kill on the way back
                feed_and_kill(folder, data, n_bytes // 2, 0)
            done = run(SHARD, "-v", "--sequences", PER_SHARD, "-o", folder, data=data)
            stood = f"{n_shards} shards stood already" if n_shards else ""
            expect(f"{name}: again", done, 0, stood)
            check(f"{name}: bytes", not differs(folder, whole), differs(folder, whole))


def test_killed_at_the_end(whole):
    """The last moments: shards without manifest, or both marks at once."""
    data = sample()
    begun = fresh("begun")
    feed_and_kill(begun, data, 8192, 0)
    mark = (begun / ".begun.json").read_bytes()
    for manifest in (False, True):
        folder = copy_of(whole, "late")
        (folder / ".begun.json").write_bytes(mark)
        if not manifest:
            (folder / "manifest.json").unlink()
        expect(f"late, manifest {manifest}",
               run(SHARD, "-v", "--sequences", PER_SHARD, "-o", folder, data=data), 0,
               "4 shards stood already")
        check("late bytes", not differs(folder, whole), differs(folder, whole))


def test_killed_with_force(whole):
    """-f over other shards, killed, then the same again without -f."""
    folder = fresh("forced")
    expect("other shards", run(SHARD, "--sequences", 50, "-o", folder, data=sample(first=5)), 0)
    names = feed_and_kill(folder, sample(), 60000, 1, "-f")
    check("forced: manifest goes first", "manifest.json" not in names, names)
    expect("forced: again", run(SHARD, "--sequences", PER_SHARD, "-o", folder, data=sample()), 0)
    check("forced: bytes", not differs(folder, whole), differs(folder, whole))


def test_force(whole):
    folder = copy_of(whole, "force")
    args = (SHARD, "--sequences", 500, "-o", folder)
    expect("finished", run(*args, data=sample()), 2, "finished shards", "-f")
    check("nothing changed", not differs(folder, whole))
    (folder / "notes.txt").write_text("mine")
    expect("forced", run(*args, "-f", data=sample()), 0)
    names = sorted(os.listdir(folder))
    check("forced names", names == ["manifest.json", "notes.txt", "shard-00000.arrows",
                                    "shard-00001.arrows"], names)
    expect("forced verify", run(VERIFY, folder), 0)
    expect("same rows", run(VERIFY, "--same", folder, whole), 0)
    expect("notes are named", run(*args, data=sample()), 2, "notes.txt")
    (folder / "notes.txt").unlink()
    (folder / "manifest.json").unlink()
    expect("shards alone", run(*args, data=sample()), 2, "no known run")
    other = fresh("unfinished")
    feed_and_kill(other, sample(), 60000, 1)
    expect("other options", run(*args[:-1], other, data=sample()), 2, ".begun.json")
    expect("no folder", run(SHARD, data=sample()), 2, "-o DIR is required")
    expect("no parent", run(SHARD, "-o", work / "a" / "b", data=sample()), 3)


def test_bad_input():
    data = sample()
    for n in (0, 7, 2000, 30000, len(data) - 8, len(data) - 1):
        folder = fresh("cut")
        done = run(SHARD, "--sequences", PER_SHARD, "-o", folder, data=data[:n])
        expect(f"cut at {n}", done, 1)
        check(f"cut at {n}: no manifest", not (folder / "manifest.json").exists())
    folder = fresh("cut")
    command = f"head -c 60000 | {CAT} | {SHARD} --sequences 100 -o {folder}"
    done = run("bash", "-c", command, data=data)
    expect("failed upstream", done, 1, "upstream sluice-cat failed")
    check("failed upstream: no manifest", not (folder / "manifest.json").exists())


def test_no_rows():
    folder = fresh("none")
    expect("no rows", run(SHARD, "-o", folder, data=sample(0)), 0)
    check("no rows: names", os.listdir(folder) == ["manifest.json"], os.listdir(folder))
    m = json.loads((folder / "manifest.json").read_text())
    check("no rows: manifest", (m["sequences"], m["shards"], m["length"]) == (0, [], LENGTH), m)
    expect("no rows: verify", run(VERIFY, folder), 0)


def test_full_disk():
    folder = fresh("disk")
    folder.mkdir()
    if os.geteuid() != 0 or run("mount", "-t", "tmpfs", "-o", "size=200k", "none",
                                folder).returncode != 0:
        return skip("full disk", "cannot mount a small file system here")
    try:
        out = folder / "shards"
        args = (SHARD, "--sequences", PER_SHARD, "-o", out)
        expect("full disk", run(*args, data=sample()), 3, "No space left")
        check("full disk: no manifest", not (out / "manifest.json").exists())
        run("mount", "-o", "remount,size=4m", folder)
        expect("room again", run(*args, data=sample()), 0)
        expect("room again: verify", run(VERIFY, out), 0)
    finally:
        run("umount", folder)


# ---- damage ----


def flip(path, off):
    data = bytearray(path.read_bytes())
    data[off] ^= 1
    path.write_bytes(data)


def swap(folder):
    a, b = folder / "shard-00000.arrows", folder / "shard-00001.arrows"
    a.rename(folder / "x")
    b.rename(a)
    (folder / "x").rename(b)


def edit(folder, change):
    path = folder / "manifest.json"
    m = json.loads(path.read_text())
    change(m)
    path.write_text(json.dumps(m))


def set_at(*keys_and_value):
    *keys, last, value = keys_and_value

    def change(m):
        for k in keys:
            m = m[k]
        m[last] = value(m[last]) if callable(value) else value

    return change


def test_damage(whole):
    s1 = "shard-00001.arrows"
    size = (whole / s1).stat().st_size
    damages = [
        ("missing", lambda f: (f / s1).unlink(), (s1, "missing")),
        ("swapped", swap, ("shard-00000.arrows", "digest")),
        ("truncated", lambda f: os.truncate(f / s1, size - 64), (s1, "bytes")),
        ("longer", lambda f: os.truncate(f / s1, size + 64), (s1, "bytes")),
        ("no manifest", lambda f: (f / "manifest.json").unlink(), ("no manifest.json",)),
        ("stray", lambda f: shutil.copy(f / s1, f / "shard-00004.arrows"), ("shard-00004.arrows",)),
        ("odd stray", lambda f: shutil.copy(f / s1, f / "shard-x.arrows"), ("shard-x.arrows",)),
    ]
    damages += [(f"flipped at {off}", lambda f, off=off: flip(f / s1, off), (s1,))
                for off in [*range(0, size, size // 40), size - 1]]
    swap_two = lambda v: [v[1], v[0], *v[2:]]
    for name, change, word in (
        ("targets", set_at("targets", lambda v: v - 1), "targets"),
        ("digest", set_at("digest", "0" * 32), "digest"),
        ("column", set_at("columns", 1, 1, "0" * 32), "column 'tokens'"),
        ("column name", set_at("columns", 1, 0, "token"), "columns"),
        ("shard digest", set_at("shards", 2, "digest", "0" * 32), "shard-00002.arrows"),
        ("offset", set_at("shards", 2, "batches", 0, "buffers", 1, 64), "shard-00002.arrows"),
        ("buffers", set_at("buffers", swap_two), "buffers"),
        ("dtype", set_at("dtype", "uint32"), "uint32"),
        ("tokenizer", set_at("tokenizer", "name", "other"), "tokenizer"),
        ("order", set_at("shards", swap_two), "shard-00000.arrows"),
        ("shard left out", set_at("shards", lambda v: v[:-1]), "shards"),
        ("rows of a stage", set_at("lineage", 0, "tally", "out", "rows", 999), "lineage"),
        ("ids of a stage", set_at("lineage", 1, "tally", "in", "ids", "0" * 32), "lineage"),
        ("stages all wrong", lambda m: [s["tally"][p].update(ids="1" * 32)
                                        for s in m["lineage"] for p in ("in", "out")], "ids"),
        ("version", set_at("version", 2), "version 2"),
    ):
        damages.append((f"manifest: {name}", lambda f, c=change: edit(f, c), (word,)))
    for name, damage, words in damages:
        folder = copy_of(whole, "damaged")
        damage(folder)
        done = run(VERIFY, folder)
        expect(name, done, 1, *words)
        check(f"{name}: one line", done.stderr.count(b"\n") == 1 and not done.stdout, done.stderr)
    shutil.copytree(whole, fresh("moved"), dirs_exist_ok=True)
    expect("another place", run(VERIFY, work / "moved"), 0)


def test_verify_streams():
    good, other, tail = work / "good.arrows", work / "other.arrows", work / "tail.arrows"
    data = sample(100)
    good.write_bytes(data)
    other.write_bytes(sample(100, per_batch=9))
    tail.write_bytes(sample(100, first=1))
    done = run(VERIFY, good)
    expect("stream", done, 0)
    line = rf"^{re.escape(str(good))}: ok, 100 rows, digest [0-9a-f]{{32}}\n$"
    check("stream: line", re.match(line, done.stdout.decode()), done.stdout)
    check("quiet", run(VERIFY, "-q", good).stdout == b"")
    done = run(VERIFY, data=data)
    expect("stdin", done, 0)
    check("stdin: line", done.stdout.startswith(b"(standard input): ok, 100 rows"), done.stdout)
    expect("same", run(VERIFY, "--same", good, other), 0)
    expect("not same", run(VERIFY, "--same", good, tail), 1, "column 'id' differs")
    expect("same of one", run(VERIFY, "--same", good), 2, "two inputs")
    wide = work / "wide.arrows"
    wide.write_bytes(sample(100, dtype="uint32"))
    expect("other type", run(VERIFY, "--same", good, wide), 1, "tokens")
    for off in [*range(0, len(data), len(data) // 60), len(data) - 1]:
        bad = bytearray(data)
        bad[off] ^= 4
        done = run(VERIFY, data=bytes(bad))
        expect(f"flipped at {off}", done, 1)
    for n in [0, 1, 8, *range(64, len(data), len(data) // 30), len(data) - 8, len(data) - 1]:
        expect(f"cut at {n}", run(VERIFY, data=data[:n]), 1)
    expect("two streams", run(VERIFY, data=data + data), 1, "another stream follows")
    tail.write_bytes(data[:5000])
    done = run(VERIFY, tail, good, work / "absent.arrows", other)
    expect("all are checked", done, 1, "tail.arrows", "absent.arrows", "2 of 4")
    check("all are checked: lines", done.stdout.count(b": ok, ") == 2, done.stdout)
    expect("absent", run(VERIFY, work / "absent.arrows"), 3)
    lying = data.replace(b'"in":{"rows":100', b'"in":{"rows":101')
    check("a changed lineage", lying != data)
    expect("a changed lineage", run(VERIFY, data=lying), 1)


def main():
    missing = [t for t in (SHARD, VERIFY, CAT, SAMPLE) if not os.path.exists(t)]
    if missing:
        print(f"skipped: not built: {missing}")
        return 77
    whole = work / "whole"
    expect("whole", run(SHARD, "--sequences", PER_SHARD, "-o", whole, data=sample()), 0)
    test_values()
    test_same_bytes(whole)
    test_killed(whole)
    test_killed_at_the_end(whole)
    test_killed_with_force(whole)
    test_force(whole)
    test_bad_input()
    test_no_rows()
    test_full_disk()
    test_damage(whole)
    test_verify_streams()
    return count.finish()


try:
    sys.exit(main())
finally:
    shutil.rmtree(work, ignore_errors=True)
