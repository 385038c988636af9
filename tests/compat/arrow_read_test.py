# SPDX-License-Identifier: Apache-2.0
# build: dev
"""What our reader reads of others' streams, row by row; and stream_reader.py.

    python3 tests/compat/arrow_read_test.py BUILD_DIR

arrow_dump (sanitizers on) prints rows as JSON lines, pyarrow says what they are.
The archive of Apache Arrow's test files in SLUICE_SHARED/data/arrow (default:
../shared beside the checkout) gives gold files and the inputs that once broke
other readers. Skipped, loudly, where one of these is not there.
"""
import io
import json
import math
import os
import random
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
ROOT = Path(__file__).resolve().parents[2]
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


class Dump:
    """arrow_dump on bytes: exit code, lines, what it says on standard error."""

    def __init__(self, build, folder):
        self.program = str(Path(build) / "test" / "arrow_dump")
        self.sample = str(Path(build) / "test" / "arrow_sample")
        self.folder = Path(folder)

    def __call__(self, data, *options):
        with tempfile.NamedTemporaryFile(dir=self.folder) as f:
            f.write(data)
            f.flush()
            try:
                r = subprocess.run([self.program, *options, f.name], capture_output=True,
                                   timeout=120)
            except subprocess.TimeoutExpired:
                return -1, [], "no end after 120 s"
        lines = r.stdout.decode("utf-8", "surrogateescape").split("\n")[:-1]
        return r.returncode, lines, r.stderr.decode("utf-8", "replace")


# ---- what pyarrow says ----

def same_type(pa, kind):
    """The type with every timestamp as int64, whose values Python can hold."""
    t = pa.types
    if t.is_timestamp(kind):
        return pa.int64()
    if t.is_struct(kind):
        return pa.struct([same_field(pa, kind.field(i)) for i in range(kind.num_fields)])
    if t.is_fixed_size_list(kind):
        return pa.list_(same_field(pa, kind.value_field), kind.list_size)
    if t.is_large_list(kind):
        return pa.large_list(same_field(pa, kind.value_field))
    if t.is_list(kind):
        return pa.list_(same_field(pa, kind.value_field))
    return kind


def same_field(pa, field):
    return field.with_type(same_type(pa, field.type))


def plain(v):
    """As arrow_dump prints it."""
    if isinstance(v, bytes):
        return v.hex()
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, list):
        return [plain(x) for x in v]
    if isinstance(v, float) and not math.isfinite(v):
        return "NaN" if v != v else "Infinity" if v > 0 else "-Infinity"
    return v


def rows_of(pa, data):
    rows = []
    for batch in pa.ipc.open_stream(io.BytesIO(data)):
        batch.validate(full=True)
        table = pa.Table.from_batches([batch])
        if any(same_type(pa, f.type) != f.type for f in table.schema):
            table = table.cast(pa.schema([same_field(pa, f) for f in table.schema]))
        rows += table.to_pylist()
    return plain(rows)


def compare(pa, dump, name, data):
    code, lines, why = dump(data, "--foreign")
    if code:
        return check(name, False, why)
    got, want = [json.loads(x) for x in lines], rows_of(pa, data)
    for i, (g, w) in enumerate(zip(got, want)):
        for k in w:
            if g[k] != w[k]:
                return check(name, False, f"row {i} column {k}: {g[k]!r} instead of {w[k]!r}")
    return check(name, len(got) == len(want), f"{len(got)} rows instead of {len(want)}")


# ---- streams of pyarrow's ----

def all_types(pa):
    item = lambda kind, nullable=True: pa.field("item", kind, nullable)
    ab = pa.struct([pa.field("a", pa.string()), pa.field("b", pa.int32(), False)])
    return [
        pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(),
        pa.uint64(), pa.float32(), pa.float64(), pa.bool_(), pa.string(), pa.large_string(),
        pa.binary(), pa.large_binary(), pa.binary(5), pa.timestamp("s"), pa.timestamp("ms"),
        pa.timestamp("us", "UTC"), pa.timestamp("ns", "Europe/Paris"),
        pa.list_(item(pa.uint16(), False)), pa.list_(item(pa.string())),
        pa.large_list(item(pa.float64())), pa.list_(item(pa.float32()), 3),
        pa.list_(item(pa.bool_()), 2), ab, pa.list_(item(ab)),
        pa.struct([pa.field("l", pa.list_(item(pa.list_(item(pa.bool_()))))),
                   pa.field("f", pa.list_(item(pa.large_binary()), 2))]),
    ]


LETTERS = "a\n\"\\\u00e9\u65e5\U0001f600\0"


def value(pa, kind, rng, nulls, nullable=True):
    t = pa.types
    if nullable and rng.random() < nulls:
        return None
    if t.is_integer(kind):
        bits = rng.getrandbits(kind.bit_width)
        return bits - (1 << kind.bit_width - 1) if t.is_signed_integer(kind) else bits
    if t.is_timestamp(kind):
        return rng.getrandbits(31)
    if t.is_floating(kind):
        return rng.choice([0.0, -0.0, 1.5, -3e38, math.inf, math.nan, rng.randint(-999, 999) / 8])
    if t.is_boolean(kind):
        return rng.random() < 0.5
    if t.is_string(kind) or t.is_large_string(kind):
        return "".join(rng.choice(LETTERS) for _ in range(rng.randint(0, 9)))
    if t.is_fixed_size_binary(kind):
        return rng.randbytes(kind.byte_width)
    if t.is_binary(kind) or t.is_large_binary(kind):
        return rng.randbytes(rng.randint(0, 9))
    if t.is_struct(kind):
        return {f.name: value(pa, f.type, rng, nulls, f.nullable) for f in kind}
    n = kind.list_size if t.is_fixed_size_list(kind) else rng.randint(0, 4)
    return [value(pa, kind.value_type, rng, nulls, kind.value_field.nullable) for _ in range(n)]


def make_batch(pa, rng, rows, nulls, non_null=False):
    fields, arrays = [], []
    for i, kind in enumerate(all_types(pa)):
        fields.append(pa.field(f"c{i}", kind, not non_null))
        cells = [value(pa, kind, rng, 0 if non_null else nulls, not non_null) for _ in range(rows)]
        arrays.append(pa.array(cells, type=kind))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def written(pa, schema, batches, end=True, **options):
    out = io.BytesIO()
    writer = pa.ipc.new_stream(out, schema, options=pa.ipc.IpcWriteOptions(**options))
    for b in batches:
        writer.write_batch(b)
    writer.close()
    data = out.getvalue()
    return data if end else data[:-8]


def streams(pa):
    """name, bytes: everything that pyarrow writes within the profile's types."""
    rng = random.Random(1)
    for nulls in (0, 0.1, 0.6, 1):
        for rows in (1, 7, 64, 200):
            b = make_batch(pa, rng, rows, nulls)
            for option in ({}, {"compression": "zstd"},
                           {"metadata_version": pa.ipc.MetadataVersion.V4}):
                yield f"{rows} rows, nulls {nulls}, {option}", written(pa, b.schema, [b], **option)
            yield f"{rows} rows, no end", written(pa, b.schema, [b, b], end=False)
            places = ((0, 0), (1, rows), (rows // 2, 3), (rows, 0), (3, 1))
            cuts = [b.slice(i, n) for i, n in places]
            for option in ({}, {"compression": "zstd"}):
                yield f"slices of {rows} rows, nulls {nulls}, {option}", written(
                    pa, b.schema, cuts, **option)
    b = make_batch(pa, rng, 50, 0, non_null=True)
    yield "no nulls allowed", written(pa, b.schema, [b, b.slice(7, 9)])
    yield "no batch", written(pa, b.schema, [])
    yield "no column", written(pa, pa.schema([]), [])
    yield from odd_arrays(pa)


def odd_arrays(pa):
    """Arrays that no pyarrow call makes, but that are allowed."""
    buf = lambda form, *v: pa.py_buffer(__import__("struct").pack("<" + form, *v))
    some = buf("B", 0b01001)  # rows 0 and 3 of four
    ints = pa.array([1, 2, 3, 4, 5, 6, 7, 8, 9], pa.int16())
    odd = {
        "values under nulls": pa.Array.from_buffers(
            pa.int32(), 4, [some, buf("4i", 1, 2, 3, 4)], 2),
        "bools under nulls": pa.Array.from_buffers(pa.bool_(), 4, [some, buf("B", 0xff)], 2),
        "text under nulls": pa.Array.from_buffers(
            pa.string(), 4, [some, buf("5i", 0, 1, 3, 4, 6), pa.py_buffer(b"a\xff\xfebcd")], 2),
        "first offset not 0": pa.Array.from_buffers(
            pa.string(), 2, [None, buf("3i", 2, 3, 5), pa.py_buffer(b"xxabcyy")]),
        "first offset not 0, large": pa.Array.from_buffers(
            pa.large_binary(), 2, [None, buf("3q", 2, 3, 5), pa.py_buffer(b"xxabcyy")]),
        "list from the middle": pa.Array.from_buffers(
            pa.list_(pa.int16()), 2, [None, buf("3i", 3, 4, 7)], children=[ints]),
        "items of nulls": pa.Array.from_buffers(
            pa.list_(pa.int16()), 4, [some, buf("5i", 0, 2, 4, 6, 8)], 2, children=[ints]),
        "validity without nulls": pa.Array.from_buffers(
            pa.int16(), 4, [buf("B", 0xff), buf("4h", 1, 2, 3, 4)]),
        "members under a null struct": pa.Array.from_buffers(
            pa.struct([("a", pa.int16())]), 4, [some], 2, children=[ints.slice(0, 4)]),
        "items under a null": pa.Array.from_buffers(
            pa.list_(pa.int16(), 2), 4, [some], 2, children=[ints.slice(0, 8)]),
    }
    for name, array in odd.items():
        b = pa.RecordBatch.from_arrays([array], names=["x"])
        for option in ({}, {"compression": "zstd"}):
            yield f"{name}, {option}", written(pa, b.schema, [b, b.slice(1, 1)], **option)


def refusals(pa, dump):
    """Types outside the profile are named, with the tool that converts them."""
    one = {
        "null": pa.nulls(2), "decimal": pa.array([None, None], pa.decimal128(9, 2)),
        "date": pa.array([1, 2], pa.date32()), "time": pa.array([1, 2], pa.time32("s")),
        "duration": pa.array([1, 2], pa.duration("s")),
        "interval": pa.array([None], pa.month_day_nano_interval()),
        "dictionary": pa.array(["a", "b"]).dictionary_encode(),
        "utf8_view": pa.array(["a"], pa.string_view()),
        "binary_view": pa.array([b"a"], pa.binary_view()),
        "list_view": pa.array([[1]], pa.list_view(pa.int8())),
        "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8())),
        "float16": pa.array([None], pa.float16()),
        "run_end_encoded": pa.RunEndEncodedArray.from_arrays([2], [7]),
        "union": pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])]),
    }
    for name, array in one.items():
        b = pa.RecordBatch.from_arrays([array], names=["x"])
        code, _, why = dump(written(pa, b.schema, [b]), "--foreign")
        said = f"the type {name}: sluice-import converts"
        check(f"refuses {name}", code == 1 and said in why, why)
    b = pa.RecordBatch.from_arrays([pa.array(["abc"] * 99)], names=["x"])
    code, _, why = dump(written(pa, b.schema, [b], compression="lz4"), "--foreign")
    check("refuses lz4", code == 1 and "LZ4" in why, why)
    code, _, why = dump(written(pa, b.schema, [b]))
    check("the strict reader refuses all of these", code == 1 and "without sl:profile" in why, why)
    file = io.BytesIO()
    with pa.ipc.new_file(file, b.schema) as w:
        w.write_batch(b)
    code, _, why = dump(file.getvalue(), "--foreign")
    check("a file is named", code == 1 and "Arrow file, not a stream" in why, why)
    twice = pa.schema([("x", pa.int8()), ("x", pa.int8())])
    code, _, why = dump(written(pa, twice, []), "--foreign")
    check("refuses two columns of one name", code == 1 and "already" in why, why)


# ---- Apache Arrow's files ----

def in_profile(pa, fields, depth=1):
    known = [pa.types.is_integer, pa.types.is_float32, pa.types.is_float64, pa.types.is_boolean,
             pa.types.is_string, pa.types.is_large_string, pa.types.is_binary,
             pa.types.is_large_binary, pa.types.is_timestamp]
    names = [f.name for f in fields]
    if depth > 8 or len(set(names)) != len(names) or "" in names:
        return False
    for f in fields:
        kind = f.type.storage_type if isinstance(f.type, pa.BaseExtensionType) else f.type
        if pa.types.is_fixed_size_binary(kind):
            fine = kind.byte_width > 0
        elif pa.types.is_struct(kind):
            fine = kind.num_fields > 0 and in_profile(pa, list(kind), depth + 1)
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            fine = in_profile(pa, [kind.value_field], depth + 1)
        elif pa.types.is_fixed_size_list(kind):
            fine = kind.list_size > 0 and in_profile(pa, [kind.value_field], depth + 1)
        else:
            fine = any(k(kind) for k in known)
        if not fine:
            return False
    return True


def gold_file(pa, dump, name, data):
    try:
        reader = pa.ipc.open_stream(io.BytesIO(data))
        fits = in_profile(pa, list(reader.schema)) and "_lz4" not in name
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as e:
        return check(name, dump(data, "--foreign")[0] == 1, f"pyarrow: {e}")
    if fits:
        return compare(pa, dump, name, data)
    code, _, why = dump(data, "--foreign")
    return check(name, code == 1 and why.startswith("arrow_dump: "), f"exit {code}: {why}")


def archive(pa, dump, path):
    gold, hostile, files = {}, {}, {}
    with pa.input_stream(str(path), compression="zstd") as plain_tar:
        tar = tarfile.open(fileobj=io.BytesIO(plain_tar.read()))
    for m in tar:
        into = (None if not m.isfile() else gold if m.name.endswith(".stream") else
                files if m.name.endswith(".arrow_file") else
                hostile if "/integration/" not in m.name else None)
        if into is not None:
            into["/".join(m.name.split("/")[-2:])] = tar.extractfile(m).read()
    check("there are gold files and hostile ones", len(gold) > 60 and len(hostile) > 100,
          f"{len(gold)} and {len(hostile)}")
    for name, data in sorted(gold.items()):
        gold_file(pa, dump, name, data)
    with ThreadPoolExecutor(2) as pool:
        tries = [(n, d, o) for n, d in sorted(hostile.items()) for o in ([], ["--foreign"])]
        results = pool.map(lambda t: dump(t[1], "--count", *t[2]), tries)
        for (name, _, options), (code, _, why) in zip(tries, results):
            fine = code == 1 or (code == 0 and options)
            fine = fine and "Sanitizer" not in why
            check(f"{name} {options}", fine, f"exit {code}: {why[:2000]}")
        results = pool.map(lambda d: dump(d, "--foreign", "--count"), files.values())
        for name, (code, _, why) in zip(files, results):
            check(name, code == 1 and "Arrow file" in why, f"exit {code}: {why}")


# ---- the reader that was written from the page ----

def from_the_page(dump):
    try:
        import stream_reader
    except ImportError as e:
        return skip("stream_reader.py", e)
    sample = lambda *a: subprocess.run([dump.sample, *a], check=True, stdout=subprocess.PIPE).stdout
    for batches, rows in ((0, 1), (1, 1), (3, 100), (2, 1000)):
        data = sample("--batches", str(batches), "--rows", str(rows))
        code, lines, why = dump(data)
        got = stream_reader.read(data)
        want = [json.loads(x) for x in lines]
        keys = list(got[0]) if got else []
        check(f"stream_reader, {batches} x {rows}",
              code == 0 and len(want) == batches * rows and len(keys) in (0, 30)
              and got == [{k: w[k] for k in keys} for w in want], why)
    data = sample("--batches", "2", "--rows", "9")
    rng = random.Random(2)
    bad = [data[:n] for n in range(0, len(data), 97)] + [data + data, sample("--poison")]
    for _ in range(400):
        i = rng.randrange(len(data) * 8)
        bad.append(data[:i // 8] + bytes([data[i // 8] ^ 1 << i % 8]) + data[i // 8 + 1:])
    unseen = 0
    for b in bad:
        try:
            stream_reader.read(b)
            unseen += 1
        except Exception:  # whatever a wrong byte leads to
            pass
    check(f"stream_reader sees damage ({len(bad)} streams)", unseen == 0, f"not in {unseen}")
    return None


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: arrow_read_test.py BUILD_DIR")
    with tempfile.TemporaryDirectory() as folder:
        dump = Dump(sys.argv[1], folder)
        from_the_page(dump)
        try:
            import pyarrow as pa
            import pyarrow.ipc
        except ImportError as e:
            skip("all that pyarrow writes", e)
        else:
            for name, data in streams(pa):
                compare(pa, dump, name, data)
            refusals(pa, dump)
            shared = Path(os.environ.get("SLUICE_SHARED", ROOT.parent / "shared"))
            path = shared / "data" / "arrow" / "arrow-testing-ipc.tar.zst"
            if path.exists():
                archive(pa, dump, path)
            else:
                skip("Apache Arrow's files", f"no {path.name} in SLUICE_SHARED")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed or not passed else 0)


main()
