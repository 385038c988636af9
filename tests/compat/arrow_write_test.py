# SPDX-License-Identifier: Apache-2.0
"""What our writer writes, as pyarrow and polars read it.

    python3 tests/compat/arrow_write_test.py BUILD_DIR

arrow_sample writes every type, with and without nulls; the values are a plain
function of column, row and place, computed here a second time. Skipped, loudly,
where a reader is not installed.
"""

import datetime
import io
import json
import subprocess
import sys
from pathlib import Path

passed = failed = skipped = 0


def check(name, fine, why=""):
    global passed, failed
    if fine:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name}: {why}")


def skip(name, why):
    global skipped
    skipped += 1
    print(f"skipped: {name}: {why}")


M64 = (1 << 64) - 1
LETTERS = ["a", "\u00e9", "\u65e5", "\U0001f600"]


def mix(x):
    x = ((x + 0x9E3779B97F4A7C15) & M64) * 0xBF58476D1CE4E5B9 & M64
    return x ^ x >> 29


def columns(pa):
    """name, type, nullable: what arrow_sample's table says, in pyarrow's words."""
    f = pa.field
    pairs = [
        ("i8", pa.int8()), ("i16", pa.int16()), ("i32", pa.int32()), ("i64", pa.int64()),
        ("u8", pa.uint8()), ("u16", pa.uint16()), ("u32", pa.uint32()), ("u64", pa.uint64()),
        ("f32", pa.float32()), ("f64", pa.float64()), ("b", pa.bool_()),
        ("s", pa.string()), ("ls", pa.large_string()),
        ("y", pa.binary()), ("ly", pa.large_binary()),
    ]
    out = []
    for name, kind in pairs:
        out += [f(name, kind, False), f(name + "n", kind, True)]

    def item(kind, nullable):
        return f("item", kind, nullable)

    ab = pa.struct([f("a", pa.string(), True), f("b", pa.int32(), False)])
    pair = pa.list_(item(pa.int16(), False), 2)
    triple = pa.struct([f("a", pa.string(), True), f("b", pair, True), f("c", pa.bool_(), True)])
    bools = pa.list_(item(pa.bool_(), True))
    return out + [
        f("fb", pa.binary(16), False), f("fbn", pa.binary(3), True),
        f("ts", pa.timestamp("s"), False), f("tm", pa.timestamp("ms"), True),
        f("tu", pa.timestamp("us", "UTC"), False), f("tn", pa.timestamp("ns"), True),
        f("l", pa.list_(item(pa.uint16(), False)), False),
        f("ln", pa.list_(item(pa.uint32(), True)), True),
        f("ll", pa.large_list(item(pa.string(), False)), False),
        f("lln", pa.large_list(item(pa.int64(), True)), True),
        f("fl", pa.list_(item(pa.float32(), False), 4), False),
        f("fln", pa.list_(item(pa.uint8(), True), 3), True),
        f("st", pa.struct([f("a", pa.string(), False), f("b", pa.int32(), False)]), False),
        f("stn", triple, True),
        f("lst", pa.list_(item(ab, False)), True),
        f("lll", pa.list_(item(pa.list_(item(bools, True)), False)), True),
    ]


UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def when(kind, v):
    """A timestamp as Python sees it, to the microsecond."""
    zone = datetime.timezone.utc if kind.tz else None
    start = datetime.datetime(1970, 1, 1, tzinfo=zone)
    return start + datetime.timedelta(microseconds=v * 10**6 // UNITS[kind.unit])


def value(pa, field, seed):
    seed &= M64
    kind, t = field.type, pa.types
    if field.nullable and mix(seed) % 5 == 0:
        return None
    v = mix((seed + 1) & M64)
    if t.is_integer(kind):
        v &= (1 << kind.bit_width) - 1
        signed = t.is_signed_integer(kind) and v >> (kind.bit_width - 1)
        return v - (1 << kind.bit_width) if signed else v
    if t.is_timestamp(kind):
        return when(kind, v & ((1 << 30) - 1))
    if t.is_floating(kind):
        return (v % 2001) / 8 - 100
    if t.is_boolean(kind):
        return bool(v & 1)
    if t.is_string(kind) or t.is_large_string(kind):
        return "".join(LETTERS[mix((seed + 10 + i) & M64) % 4] for i in range(v % 12))
    if t.is_binary(kind) or t.is_large_binary(kind) or t.is_fixed_size_binary(kind):
        n = kind.byte_width if t.is_fixed_size_binary(kind) else v % 12
        return bytes(mix((seed + 10 + i) & M64) & 255 for i in range(n))
    child = (seed * 31 + 7) & M64
    if t.is_struct(kind):
        return {kind.field(i).name: value(pa, kind.field(i), child + i)
                for i in range(kind.num_fields)}
    n = kind.list_size if t.is_fixed_size_list(kind) else v % 4
    return [value(pa, kind.value_field, child + i) for i in range(n)]


def plain(v):
    """Values as polars and pyarrow agree on them."""
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if hasattr(v, "to_pydatetime"):
        return v.to_pydatetime(warn=False)
    return v


def expected(pa, n):
    fields = columns(pa)
    return [{f.name: value(pa, f, row * 1000 + k) for k, f in enumerate(fields)}
            for row in range(n)]


def first_difference(got, want):
    for i, (g, w) in enumerate(zip(got, want)):
        for k in w:
            if plain(g[k]) != plain(w[k]):
                return f"row {i} column {k}: {g[k]!r} instead of {w[k]!r}"
    return f"{len(got)} rows instead of {len(want)}" if len(got) != len(want) else ""


def by_microseconds(pa, batch):
    """Nanoseconds become microseconds, so that no extra package is needed."""
    arrays = []
    for a in batch.columns:
        if pa.types.is_timestamp(a.type) and a.type.unit == "ns":
            a = a.cast(pa.timestamp("us"), safe=False)
        arrays.append(a)
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def pyarrow_reads(pa, name, data, batches, rows):
    import pyarrow.ipc

    reader = pa.ipc.open_stream(io.BytesIO(data))
    fields = columns(pa)
    check(f"{name}: pyarrow's schema", reader.schema.equals(pa.schema(fields)), reader.schema)
    meta = reader.schema.metadata
    want = [(b"sl:profile", b"1"), (b"sl:kind", b"docs"), (b"sl:lineage", b"[]")]
    check(f"{name}: schema metadata", list(meta.items()) == want, meta)
    got, keys, sizes = [], [], []
    trailer = None
    while True:
        try:
            batch, custom = reader.read_next_batch_with_custom_metadata()
        except StopIteration:
            break
        batch.validate(full=True)
        keys.append(list(custom))
        sizes.append(batch.num_rows)
        trailer = custom
        got += by_microseconds(pa, batch).to_pylist()
    check(f"{name}: pyarrow's rows", first_difference(got, expected(pa, batches * rows)) == "",
          first_difference(got, expected(pa, batches * rows)))
    check(f"{name}: batches and trailer", sizes == [rows] * batches + [0], sizes)
    check(f"{name}: batch metadata",
          keys == [[b"sl:xxh3"]] * batches + [[b"sl:trailer", b"sl:xxh3"]], keys)
    said = json.loads(trailer[b"sl:trailer"])
    check(f"{name}: trailer",
          list(said) == ["rows", "batches", "schema", "digest", "columns", "lineage"]
          and said["rows"] == batches * rows and said["batches"] == batches
          and [c[0] for c in said["columns"]] == [f.name for f in fields], said)
    return said


def message_metadata(pa, name, data):
    """The schema message's own pairs are not part of pyarrow's schema; they harm nobody."""
    message = next(iter(pa.ipc.MessageReader.open_stream(io.BytesIO(data))))
    check(f"{name}: the first message is the schema", message.type == "schema", message.type)
    check(f"{name}: hash in the schema message", b"sl:xxh3" in message.metadata.to_pybytes())


def polars_reads(pa, pl, name, data, batches, rows):
    got = pl.read_ipc_stream(io.BytesIO(data)).to_dicts()
    why = first_difference(got, expected(pa, batches * rows))
    check(f"{name}: polars' rows", why == "", why)


def attempt(name, call, *args):
    """A reader that gives up is a failed check, not the end of the script."""
    try:
        return call(*args)
    except Exception as e:
        check(name, False, repr(e))
        return {"digest": None}


def refuses(name, call):
    try:
        call()
    except Exception:  # each reader has errors of its own
        check(name, True)
    else:
        check(name, False, "read without an error")


def run(sample, *args):
    return subprocess.run([sample, *args], check=True, stdout=subprocess.PIPE).stdout


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: arrow_write_test.py BUILD_DIR")
    sample = str(Path(sys.argv[1]) / "test" / "arrow_sample")
    tiny = bytes.fromhex((Path(__file__).parent / "tiny-1.hex").read_text())
    check("the tiny stream is the frozen one", run(sample, "--tiny") == tiny)
    try:
        import pyarrow as pa
        import pyarrow.ipc
    except ImportError as e:
        skip("all of pyarrow and polars", e)
        pa = None
    try:
        import polars as pl
    except ImportError as e:
        skip("polars", e)
        pl = None
    if pa:
        table = pa.ipc.open_stream(io.BytesIO(tiny)).read_all()
        table.validate(full=True)
        check("pyarrow reads the frozen stream",
              table.to_pylist() == [{"c0": "hi", "c1": [258, None]}, {"c0": "", "c1": None},
                                    {"c0": "abc", "c1": [260, None]}], table)
        digests = []
        for level in (0, 3, 19):
            name, args = f"level {level}", ["--compress", str(level)]
            for batches, rows in ((1, 1), (3, 100), (2, 1000)):
                data = run(sample, *args, "--batches", str(batches), "--rows", str(rows))
                title = f"{name}, {batches} x {rows}"
                said = attempt(title, pyarrow_reads, pa, title, data, batches, rows)
                digests.append((batches * rows, said["digest"]))
                attempt(title, message_metadata, pa, title, data)
                if pl:
                    attempt(title, polars_reads, pa, pl, title, data, batches, rows)
        check("digests do not know compression", len(set(digests)) == 3, digests)
        whole = run(sample, "--batches", "1", "--rows", "300")
        digest = attempt("one batch", pyarrow_reads, pa, "one batch", whole, 1, 300)["digest"]
        check("digests do not know borders", (300, digest) in digests, digest)
        none = run(sample, "--batches", "0")
        attempt("no batch", pyarrow_reads, pa, "no batch", none, 0, 0)
        poison = run(sample, "--poison")
        refuses("pyarrow fails at a poison tail",
                lambda: pa.ipc.open_stream(io.BytesIO(poison)).read_all())
        if pl:
            refuses("polars fails at a poison tail",
                    lambda: pl.read_ipc_stream(io.BytesIO(poison)))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed else 0)


main()
