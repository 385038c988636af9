# SPDX-License-Identifier: Apache-2.0
"""Sorting and shuffling: against a sort in Python, in little memory, interrupted.

    python3 tests/pipeline/sort_test.py BUILD_DIR

sort_sample makes the rows; pyarrow reads them before and after. The order is
computed here a second time, column after column with Python's stable sort, and
whole rows are compared, so a row that was torn apart is seen too.
"""

import io
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
build = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path("build/release").resolve()
SORT, SHUFFLE, CAT, VERIFY = (
    str(build / "bin" / f"sluice-{n}") for n in ("sort", "shuffle", "cat", "verify")
)
SAMPLE = str(build / "test" / "sort_sample")
DOCS = str(build / "test" / "docs_sample")
work = Path(tempfile.mkdtemp(prefix="sluice-sort-"))
scratch = work / "scratch"
scratch.mkdir()
sanitized = b"__asan_init" in Path(SORT).read_bytes()
passed = failed = skipped = 0


def check(name, fine, why=""):
    global passed, failed
    if fine:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name}: {str(why)[:600]}", flush=True)


def skip(name, why):
    global skipped
    skipped += 1
    print(f"skipped: {name}: {why}", flush=True)


def run(*args, data=b"", **more):
    return subprocess.run([str(a) for a in args], input=data, capture_output=True, **more)


def good(*args, data=b"", **more):
    done = run(*args, data=data, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{args}: exit {done.returncode}: {done.stderr.decode()}")
    return done.stdout


def expect(name, done, code, *words):
    text = done.stderr.decode(errors="replace")
    fine = done.returncode == code and all(w in text for w in words)
    check(name, fine, f"exit {done.returncode}, not {code}, or none of {words}: {text!r}")


def report_of(*args, data=b""):
    path = work / "report.json"
    out = good(*args, "--report", path, data=data)
    return out, json.loads(path.read_text())


# ---- the order, once more ----


def rows_of(stream):
    """Rows as dicts of plain values; floats and timestamps by what they are made of."""
    table = pa.ipc.open_stream(io.BytesIO(stream)).read_all()
    rows = [{} for _ in range(table.num_rows)]
    for name in table.column_names:
        column = table[name]
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.int64())
        for row, value in zip(rows, column.to_pylist()):
            row[name] = value
    return rows


def exact(row):
    """For comparing whole rows: -0 is not 0."""
    return {k: struct.pack("<d", v) if isinstance(v, float) else v for k, v in row.items()}


def comparable(value):
    return value.encode() if isinstance(value, str) else value


def reference(rows, by):
    """Stable sorts, from the last column to the first."""
    parts = [p.split() for p in by.split(",") if p.strip()]
    named = {p[0] for p in parts}
    parts += [[c] for c in ("id", "copy") if c not in named]
    for part in reversed(parts):
        nulls = [r for r in rows if r[part[0]] is None]
        rows = [r for r in rows if r[part[0]] is not None]
        rows.sort(key=lambda r: comparable(r[part[0]]), reverse=part[1:] == ["desc"])
        rows += nulls
    return rows


ORDERS = [
    "score", "score desc", "level", "level desc, name", "name desc", "name, raw desc",
    "raw desc, key", "key, at desc", "at, far", "far desc, big", "big desc, small desc",
    "big", "small, good", "good desc, weight", "weight desc, name desc", "text",
    "text desc", "id desc", "copy desc, id", "good, level, score, name, raw, key, weight",
    "level desc, good desc, at desc, raw desc, name desc, score desc", "id",
]


def test_orders():
    for i, by in enumerate(ORDERS):
        data = good(SAMPLE, i, 900 + 7 * i, 61 + i, 40)
        before = rows_of(data)
        want = reference(before, by)
        out, report = report_of(SORT, "--by", by, "--mem", "32M", data=data)
        got = rows_of(out)
        check(f"order by '{by}'", list(map(exact, got)) == list(map(exact, want)),
              next(((g, w) for g, w in zip(got, want) if exact(g) != exact(w)), len(got)))
        named = [p.split()[0] for p in by.split(",") if p.strip()]
        nulls = sum(any(r[c] is None for c in named) for r in before)
        counts = report["tally"]["counts"]
        check(f"nulls of '{by}'", counts["nulls"] == nulls, (counts, nulls))
        check(f"same keys of '{by}'", counts["same_key"] <= len(before) // 40, counts)
    check("same keys of all", counts["same_key"] == len(before) // 40, counts)
    lineage = json.loads(pa.ipc.open_stream(io.BytesIO(out)).schema.metadata[b"sl:lineage"])
    check("lineage", lineage[-1]["tool"] == "sluice-sort" and
          lineage[-1]["options"] == {"by": "id"}, lineage)


# ---- little memory ----


def sort_of(args, path, mem, *more):
    return good(*args, "--mem", mem, "--tmpdir", scratch, *more, path)


def batches_of(stream):
    return list(pa.ipc.open_stream(io.BytesIO(stream)))


def test_memory():
    """The same bytes for every budget; runs on disk, merged more than once."""
    path = work / "many.arrows"
    megabytes = 15 if sanitized else 60
    with open(path, "wb") as f:
        subprocess.run([SAMPLE, "3", str(megabytes * 3000), "4000", "400"], stdout=f, check=True)
    for args in ([SORT, "--by", "level desc, text"], [SHUFFLE, "--seed", "4"]):
        name = Path(args[0]).name
        want = sort_of(args, path, "4G")
        check(f"{name}: whole", run(VERIFY, "-q", data=want).returncode == 0, "verify")
        for mem in ("16M", "32M", "64M"):
            report = work / "r.json"
            out = sort_of(args, path, mem, "--report", report)
            told = json.loads(report.read_text())
            check(f"{name} {mem}: same bytes", out == want, "other bytes")
            if mem == "16M" or not sanitized:
                check(f"{name} {mem}: runs", "runs" in told["notes"], told["notes"])
            if not sanitized:
                peak, most = told["peak_memory_bytes"], int(mem[:-1]) << 20
                check(f"{name} {mem}: memory", peak <= most, peak)
        check(f"{name}: batches are cut as always", batches_of(good(CAT, "--rebatch", data=want)) ==
              batches_of(want), "other batches")
        check(f"{name} -T4", sort_of(args, path, "32M", "-T", "4") == want, "other bytes")
        packed = sort_of(args, path, "32M", "--no-compress-tmp")
        check(f"{name} --no-compress-tmp", packed == want, "other bytes")
        cut = work / "cut.arrows"  # the same rows in other batches
        cut.write_bytes(good(CAT, "--rebatch", path))
        check(f"{name}: batches in", batches_of(sort_of(args, cut, "32M")) == batches_of(want),
              "other rows or batches")
    check("scratch is empty", not os.listdir(scratch), os.listdir(scratch))


def test_passes():
    """Keys so large that few runs are merged at once: several passes."""
    path = work / "passes.arrows"
    with open(path, "wb") as f:
        subprocess.run([SAMPLE, "5", "120" if sanitized else "200", "1", "700000", "EXACT"],
                       stdout=f, check=True)
    report = work / "r.json"
    for by in ("text", "text desc, name"):
        want = sort_of([SORT, "--by", by], path, "4G")
        out = sort_of([SORT, "--by", by], path, "20M", "--report", report)
        told = json.loads(report.read_text())
        check(f"passes, by {by}: same bytes", out == want, "other bytes")
        check(f"passes, by {by}: merges", " 0 merges" not in told["notes"], told["notes"])
        if not sanitized:
            check(f"passes, by {by}: memory", told["peak_memory_bytes"] <= 20 << 20,
                  told["peak_memory_bytes"])


def test_large():
    """Keys and rows of 10 MB; a row that does not fit is said."""
    data = good(SAMPLE, 8, 12, 2, 10_000_000, "EXACT")
    want = [r["text"] for r in reference(rows_of(data), "text desc")]
    for mem in ("128M", "1G"):
        out, report = report_of(SORT, "--by", "text desc", "--mem", mem, data=data)
        check(f"10 MB keys, {mem}", [r["text"] for r in rows_of(out)] == want, "another order")
        if not sanitized:
            check(f"10 MB keys, {mem}: memory", report["peak_memory_bytes"] <= int(mem[:-1]) <<
                  (30 if mem == "1G" else 20), report["peak_memory_bytes"])
    done = run(SORT, "--by", "text", "--mem", "32M", data=data)
    expect("10 MB keys in 32M", done, 3, "needs --mem", "M or more")
    need = done.stderr.decode().split("--mem ")[1].split()[0]
    out = good(SORT, "--by", "text", "--mem", need, data=data)
    check("the size that is named works", len(rows_of(out)) == 12, need)


def test_sudden():
    """Small batches fill the memory, then comes one of a sixteenth of it."""
    small, large = work / "small.arrows", work / "large.arrows"
    small.write_bytes(good(SAMPLE, 1, 400000, 4000, 400))
    large.write_bytes(good(SAMPLE, 2, 3, 1, 8_000_000, "EXACT"))
    for inputs in ([small, large], [large, small]):
        out, report = report_of(SORT, "--by", "score", "--mem", "128M", "--tmpdir", scratch,
                                *inputs)
        check("sudden batch: memory", report["peak_memory_bytes"] <= 128 << 20, report)
        check("sudden batch: runs", "runs" in report["notes"], report["notes"])


# ---- shuffle ----


def test_shuffle():
    data = good(SAMPLE, 9, 2000, 100, 30)
    seed = xxhash.xxh3_64_intdigest(b"sluice-shuffle/order", 7)

    def key(r):
        h = xxhash.xxh3_64_intdigest(r["id"] + struct.pack("<H", r["copy"]), seed)
        return h, r["id"], r["copy"]

    want = list(map(exact, sorted(rows_of(data), key=key)))
    out, report = report_of(SHUFFLE, "--seed", 7, data=data)
    check("shuffle: the order of the hashes", list(map(exact, rows_of(out))) == want, "another")
    check("shuffle: same keys", report["tally"]["counts"] == {"same_key": 50}, report["tally"])
    check("shuffle: another seed", good(SHUFFLE, "--seed", 8, data=data) != out, "same bytes")
    turned = good(SORT, "--by", "text desc", data=data)
    again = list(map(exact, rows_of(good(SHUFFLE, "--seed", 7, data=turned))))
    check("shuffle: whatever the order before",
          sorted(map(str, again)) == sorted(map(str, want)) and
          [r["id"] for r in again] == [r["id"] for r in want], "another order")


# ---- errors and edges ----


def test_edges():
    empty = good(SAMPLE, 1, 0, 10, 10)
    check("no rows", rows_of(good(SORT, "--by", "score", data=empty)) == [], "rows")
    one = good(SAMPLE, 1, 1, 10, 10)
    check("one row", list(map(exact, rows_of(good(SORT, "--by", "score", data=one)))) ==
          list(map(exact, rows_of(one))), "another")
    for by, code, words in [
        ("scor", 1, "nearest is 'score'"), ("tokens", 1, "lists"), ("pair", 1, "structs"),
        ("score up", 2, "'up'"), ("score,,id", 2, "empty"), ("score,score desc", 2, "twice"),
    ]:
        expect(f"--by {by}", run(SORT, "--by", by, data=one), code, words)
    expect("--mem 15M", run(SORT, "--mem", "15M", data=one), 2, "16M")
    expect("no folder", run(SORT, "--mem", "16M", "--tmpdir", work / "none",
                            data=good(DOCS, 40000)), 3, "--tmpdir")


def test_full_disk():
    cc = shutil.which("cc") or shutil.which("gcc")
    if sanitized or not cc:
        return skip("full disk", "no compiler, or a build with sanitizers")
    shim = work / "shim.so"
    subprocess.run([cc, "-O1", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", shim,
                    HERE.parent / "fault" / "fault_shim.c", "-ldl"], check=True)
    path = work / "full.arrows"
    path.write_bytes(good(DOCS, 40000))
    for n in (1, 2, 50, 300):
        done = run(SORT, "--mem", "16M", "--tmpdir", scratch, "-o", work / "never", path,
                   env=dict(os.environ, LD_PRELOAD=str(shim), FAULT_WRITE=str(n)))
        expect(f"full disk at write {n}", done, 3, "No space left", "--tmpdir")
    check("nothing is left", not os.listdir(scratch) and not (work / "never").exists(),
          os.listdir(scratch))
    codes = {}
    for n in range(20, 700, 17):  # allocations of runs and merges too
        done = run(SORT, "--mem", "16M", "--tmpdir", scratch, path,
                   env=dict(os.environ, LD_PRELOAD=str(shim), FAULT_ALLOC=str(n)))
        codes[n] = done.returncode
        if done.returncode:
            expect(f"allocation {n} fails", done, 3, "out of memory")
    check("allocations fail and do not", set(codes.values()) == {0, 3}, codes)
    want = good(SORT, "--mem", "16M", "--tmpdir", scratch, path)
    out = good(SORT, "--mem", "16M", "--tmpdir", scratch, path,
               env=dict(os.environ, LD_PRELOAD=str(shim), FAULT_SHORT="3"))
    check("short reads and writes", out == want, "other bytes")


def test_killed():
    """Killed while it merges: nothing stays in the folder."""
    data = work / "killed.arrows"
    data.write_bytes(good(DOCS, 40000))
    p = subprocess.Popen([SORT, "--mem", "16M", "--tmpdir", str(scratch), str(data)],
                         stdout=subprocess.PIPE)
    begun = p.stdout.read(100000)  # rows come out: it merges, and then waits for us
    time.sleep(0.05)
    p.send_signal(signal.SIGKILL)
    p.wait()
    check("killed in a merge", len(begun) == 100000 and not os.listdir(scratch),
          os.listdir(scratch))
    check("a killed sort is no short stream",
          run(VERIFY, "-q", data=begun + p.stdout.read()).returncode == 1, "verify is content")
    p.stdout.close()


try:
    import pyarrow as pa
    import xxhash
except ImportError as e:
    skip("sort_test", f"{e}")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

for name, test in list(globals().items()):
    if name.startswith("test_") and (name != "test_sudden" or not sanitized):
        try:
            begin = time.monotonic()
            test()
            if os.environ.get("SLUICE_TIMES"):
                print(f"{name}: {time.monotonic() - begin:.1f} s")
        except Exception as e:  # one broken test must not hide the others
            check(name, False, repr(e))
shutil.rmtree(work, ignore_errors=True)
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed else 0)
