# SPDX-License-Identifier: Apache-2.0
"""Exports: every form read back by a few lines of numpy, interrupted, damaged, checked.

    python3 tests/pipeline/export_test.py BUILD_DIR [WORD...]

The readers here are written from docs/exports.md alone; what they read must be the
rows of the input, in their order. tests/pipeline/trainers_test.py holds the trainers'
own classes against the same files.
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

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "compat"))
sys.dont_write_bytecode = True

try:
    import numpy as np
    import pyarrow.ipc as ipc
    import xxhash
except ImportError as e:
    print(f"skipped: {e}")
    sys.exit(77)
from stream_forge import Batch, Field, Stream, dump, ints, number  # noqa: E402

passed = failed = skipped = 0
build = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path("build/release").resolve()
SHARD, VERIFY, TOKENIZE, CAT = (str(build / "bin" / f"sluice-{n}")
                                for n in ("shard", "verify", "tokenize", "cat"))
SEQUENCES, DOCS = (str(build / "test" / n) for n in ("sequences_sample", "docs_sample"))
FORMS = ("megatron", "npy", "bin", "mds")
EOS = 256  # of the tokenizer "bytes"
work = Path(tempfile.mkdtemp(prefix="sluice-exports-"))


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


def expect(name, done, code, *words):
    text = done.stderr.decode(errors="replace")
    fine = done.returncode == code and all(w in text for w in words)
    check(name, fine, f"exit {done.returncode}, not {code}, or none of {words}: {text!r}")


def fresh(name):
    folder = work / name
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def contents(folder):
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def differs(a, b):
    x, y = contents(a), contents(b)
    return [n for n in sorted(x.keys() | y.keys()) if x.get(n) != y.get(n)]


def sequences(rows, length=64, dtype="uint16", per_batch=37, first=0):
    done = run(SEQUENCES, rows, length, dtype, per_batch, first)
    assert done.returncode == 0, done.stderr
    return done.stdout


def expected(rows, length=64, first=0):
    row = np.arange(first, first + rows)[:, None]
    return (row * 31 + np.arange(length)[None, :] * 7) % 60000


def documents(n):
    """A stream of documents with tokens, and what must come out."""
    stream = run(TOKENIZE, data=run(DOCS, n).stdout).stdout
    rows = ipc.open_stream(io.BytesIO(stream)).read_all()["tokens"].to_pylist()
    return stream, [r + [EOS] for r in rows if r], sum(not r for r in rows)


def forged(docs, bits, info):
    """Documents with tokens of any tokenizer."""
    s = Stream(0, own=[Field("id", "fixed_size_binary[16]", 15, {0: ("i", 16)}),
                       Field("tokens", "", 12, {}, False, [number("item", bits)], 2)])
    s.schema_pairs[1] = [b"sl:kind", b"tokens"]
    if info:
        s.schema_pairs.append([b"sl:tokenizer", dump(info)])
    flat = [t for d in docs for t in d]
    ends = [sum(map(len, docs[:i])) for i in range(len(docs) + 1)]
    b = Batch()
    b.rows, b.n, b.nulls = len(docs), [len(docs), len(docs), len(flat)], [0, 0, 0]
    b.buffers = [b"", b"".join(struct.pack(">QQ", 0, i + 1) for i in range(len(docs))),
                 b"", ints("i", *ends), b"", ints("H" if bits == 16 else "I", *flat)]
    s.batches = [b]
    n = len(docs)
    port = {"rows": n, "ids": "%032x" % (n * (n + 1) // 2)}
    s.trailer.update(rows=n, batches=1, lineage=[
        {"tool": "made", "version": "1", "options": {}, "tally": {
            "in": port, "out": port, "rejected": {"rows": 0, "ids": "0" * 32}}}])
    return s.bytes()


def tokenizer(max_id, eos=0, vocab=None):
    return {"name": "forged", "vocab_size": vocab or max_id + 1, "max_id": max_id, "eos": eos,
            "bos": None, "pad": None, "digest": "0" * 31 + "1"}


# ---- readers of a few lines ----


def read_megatron(folder, m):
    index = (folder / "text_document.idx").read_bytes()
    magic, version, code, n, n_docs = struct.unpack("<9sQBQQ", index[:34])
    assert magic == b"MMIDIDX\0\0" and version == 1 and n_docs == n + 1
    dtype = {8: np.uint16, 4: np.int32}[code]
    assert m["export"]["dtype"] == np.dtype(dtype).name
    lengths = np.frombuffer(index, np.int32, n, 34)
    offs = np.frombuffer(index, np.int64, n, 34 + 4 * n)
    docs = np.frombuffer(index, np.int64, n + 1, 34 + 12 * n)
    assert len(index) == 34 + 20 * n + 8 and docs.tolist() == list(range(n + 1))
    data = (folder / "text_document.bin").read_bytes()
    assert len(data) == int(lengths.sum()) * np.dtype(dtype).itemsize
    return [np.frombuffer(data, dtype, k, o) for k, o in zip(lengths, offs)]


def split(m, flat):
    """Rows of a form that forgets them: by the length, or by the end token."""
    if m["length"]:
        return list(flat.reshape(-1, m["length"]))
    ends = np.flatnonzero(flat == m["export"]["eos"]) + 1
    return np.split(flat, ends[:-1])


def read_npy(folder, m):
    parts = [np.load(folder / f["file"]) for f in m["export"]["files"]]
    for f, part in zip(m["export"]["files"], parts):
        again = io.BytesIO()
        np.save(again, part)
        assert again.getvalue() == (folder / f["file"]).read_bytes(), "not what np.save writes"
        assert m["length"] is None or part.shape == (f["rows"], m["length"])
    return split(m, np.concatenate([p.reshape(-1) for p in parts]))


def read_bin(folder, m):
    return split(m, np.concatenate([np.fromfile(folder / f["file"], m["export"]["dtype"])
                                    for f in m["export"]["files"]]))


def read_mds(folder, m):
    index = json.loads((folder / "index.json").read_text())
    assert index["version"] == 2
    rows = []
    for shard in index["shards"]:
        data = (folder / shard["raw_data"]["basename"]).read_bytes()
        assert shard["raw_data"]["bytes"] == len(data)
        assert shard["raw_data"]["hashes"] == {"xxh128": xxhash.xxh3_128(data).hexdigest()}
        (n,) = struct.unpack("<I", data[:4])
        offs = struct.unpack(f"<{n + 1}I", data[4:8 + 4 * n])
        own = json.loads(data[8 + 4 * n:offs[0]])
        assert n == shard["samples"] and offs[n] == len(data)
        assert all(shard[k] == v for k, v in own.items()) and list(own) == sorted(own)
        kind, dtype, *shape = own["column_encodings"][0].split(":")
        assert kind == "ndarray" and own["column_names"] == ["tokens"]
        for a, b in zip(offs, offs[1:]):
            sample = data[a:b]
            if shape:
                assert len(sample) == own["column_sizes"][0]
            else:
                (size,) = struct.unpack("<I", sample[:4])
                assert size == len(sample) - 4 and sample[4] >> 2 == 1
                width = 1 << (sample[4] & 3)
                (k,) = struct.unpack("<" + "BHI"[sample[4] & 3], sample[5:5 + width])
                sample = sample[5 + width:]
                assert len(sample) == k * np.dtype(dtype).itemsize
            rows.append(np.frombuffer(sample, dtype))
    return rows


READ = {"megatron": read_megatron, "npy": read_npy, "bin": read_bin, "mds": read_mds}


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def read(folder):
    m = manifest(folder)
    return READ[m["export"]["form"]](folder, m)


def same_rows(rows, due):
    if len(rows) != len(due):
        return f"{len(rows)} rows, not {len(due)}"
    for i, (a, b) in enumerate(zip(rows, due)):
        if not np.array_equal(a, b):
            return f"row {i}: {a[:8]} is not {b[:8]}"
    return ""


def compare(name, folder, due):
    try:
        why = same_rows(read(folder), due)
    except (AssertionError, KeyError, ValueError, OSError, struct.error) as e:
        why = repr(e)
    check(name, not why, why)


# ---- what comes out ----


def check_manifest(name, m, form, rows, tokens):
    schema = json.loads((ROOT / "schemas/export.schema.json").read_text())
    check(f"{name}: keys", list(m) == schema["required"], list(m))
    check(f"{name}: counts", (m["rows"], m["tokens"]) == (rows, tokens), m)
    kept = (form, m["kind"]) != ("megatron", "tokens")
    check(f"{name}: form", m["export"]["form"] == form and m["order_kept"] is kept, m)
    check(f"{name}: lost", {"id", "tokens"} & set(m["lost"]) == {"id"}, m["lost"])
    check(f"{name}: files", sum(f["rows"] for f in m["export"]["files"]) == rows)
    check(f"{name}: last stage", m["lineage"][-1]["options"]["export"] == form)
    try:
        import jsonschema
    except ImportError:
        return skip(f"{name} against the JSON Schema", "no jsonschema")
    try:
        jsonschema.validate(m, schema)
        check(f"{name}: schema", True)
    except jsonschema.ValidationError as e:
        check(f"{name}: schema", False, e.message)


def test_sequences():
    for form in FORMS:
        for dtype, length, rows, per_file in (("uint16", 64, 1000, 300), ("uint32", 64, 600, 200),
                                              ("uint32", 1, 40000, 33000), ("uint16", 3000, 7, 9),
                                              ("uint16", 7, 1, 1)):
            name = f"{form} {dtype}-{length}"
            folder = fresh("sequences")
            stream = sequences(rows, length, dtype, 777)
            expect(name, run(SHARD, "--export", form, "--sequences", per_file, "-o", folder,
                             data=stream), 0)
            compare(f"{name}: rows", folder, expected(rows, length))
            m = manifest(folder)
            check_manifest(name, m, form, rows, rows * length)
            n = 1 if form == "megatron" else -(-rows // per_file)
            check(f"{name}: {n} files", len(m["export"]["files"]) == n)
            width = "uint16" if form == "megatron" else dtype
            check(f"{name}: dtype", m["export"]["dtype"] == width, m["export"]["dtype"])
            expect(f"{name}: verify", run(VERIFY, folder), 0)
            shards = fresh("shards")
            expect(f"{name}: shards", run(SHARD, "-o", shards, data=stream), 0)
            expect(f"{name}: same as the shards", run(VERIFY, "--same", shards, folder), 0)
            column = dict(manifest(shards)["columns"])["tokens"]
            check(f"{name}: digest of the shards", m["columns"] == [["tokens", column]], column)
            targets = manifest(shards)["targets"]
            check(f"{name}: targets", m["targets"] == targets, targets)
    other = fresh("other")
    expect("other rows", run(SHARD, "-o", other, data=sequences(7, 3000, first=1)), 0)
    folder = fresh("mine")
    expect("rows", run(SHARD, "--export", "bin", "-o", folder, data=sequences(7, 3000)), 0)
    expect("not the same", run(VERIFY, "--same", folder, other), 1, "column 'tokens' differs")
    expect("fewer", run(SHARD, "-f", "-o", other, data=sequences(6, 3000)), 0)
    expect("not as many", run(VERIFY, "--same", other, folder), 1, "7 rows")


def test_documents():
    stream, due, n_empty = documents(700)
    check("some documents are empty", n_empty > 5, n_empty)
    for form in FORMS:
        folder = fresh("documents")
        rejects = work / "rejects.arrows"
        done = run(SHARD, "-f", "--export", form, "--sequences", 100, "-o", folder, "--rejects",
                   rejects, data=stream)
        expect(f"{form} documents", done, 0)
        compare(f"{form} documents: rows", folder, due)
        m = manifest(folder)
        check_manifest(f"{form} documents", m, form, len(due), sum(map(len, due)))
        tally = m["lineage"][-1]["tally"]
        check(f"{form} documents: tally", tally["reasons"] == {"empty": n_empty}
              and tally["counts"]["specials"] == len(due), tally)
        check(f"{form} documents: eos", m["export"]["eos"] == EOS)
        expect(f"{form} documents: verify", run(VERIFY, folder), 0)
        table = ipc.open_stream(rejects).read_all()
        check(f"{form} documents: rejects", len(table) == n_empty, len(table))
    expect("no shards of documents", run(SHARD, "-o", fresh("documents"), data=stream), 1,
           "sluice-pack")
    long = [[7] * n for n in (1, 253, 254, 255, 256, 65533, 65534, 65535, 65536)]
    folder = fresh("long")
    data = forged(long, 32, tokenizer(90000, 1))
    for form in FORMS:
        expect(f"{form} long", run(SHARD, "-f", "--export", form, "-o", folder, data=data), 0)
        compare(f"{form} long: rows", folder, [d + [1] for d in long])
        expect(f"{form} long: verify", run(VERIFY, folder), 0)


def test_border():
    """uint16 below 65,500 ids, int32 from there on, for Megatron; never a wrapped id."""
    docs = [[0, 1, 65498], [5]]
    for max_id, vocab, bits, dtype in ((65498, None, 16, "uint16"), (65499, None, 16, "int32"),
                                       (65498, 65500, 16, "int32"), (65535, None, 16, "int32"),
                                       (65498, None, 32, "uint16"), (100000, None, 32, "int32")):
        for form in FORMS:
            folder = fresh("border")
            data = forged(docs, bits, tokenizer(max_id, 3, vocab))
            name = f"{form}, {max_id}, {vocab}, {bits}"
            expect(name, run(SHARD, "--export", form, "-o", folder, data=data), 0)
            due = dtype if form == "megatron" else f"uint{bits}"
            check(f"{name}: dtype", manifest(folder)["export"]["dtype"] == due)
            compare(f"{name}: rows", folder, [d + [3] for d in docs])
            expect(f"{name}: verify", run(VERIFY, folder), 0)
    golden = fresh("golden")
    expect("golden", run(SHARD, "--export", "megatron", "-o", golden,
                         data=forged([[1, 2], [4]], 16, tokenizer(9, 3))), 0)
    check("golden index", (golden / "text_document.idx").read_bytes().hex() == (
        "4d4d494449445800000100000000000000080200000000000000030000000000000003000000020000000000"
        "00000000000006000000000000000000000000000000010000000000000002000000" "00000000"))
    for name, data, words in (
        ("an id over 65535", forged([[70000]], 32, tokenizer(65000, 3)), "token 70000"),
        ("an id over 2^31", forged([[1 << 31]], 32, tokenizer(2**32 - 1, 3, 2**32 - 1)),
         "2147483648"),
        ("no end token", forged(docs, 16, tokenizer(65498, None)), "end-of-document"),
        ("no tokenizer", forged(docs, 16, None), "end-of-document"),
    ):
        folder = fresh("refused")
        expect(name, run(SHARD, "--export", "megatron", "-o", folder, data=data), 1, words)
        check(f"{name}: no manifest", not (folder / "manifest.json").exists())


def test_cut_at_64_mib():
    rows, length = 9000, 4096
    folder = fresh("large")
    expect("large", run(SHARD, "--export", "mds", "-o", folder,
                        data=sequences(rows, length, "uint16", 500)), 0)
    sizes = [f["bytes"] for f in manifest(folder)["export"]["files"]]
    check("large: sizes", len(sizes) == 2 and 63 << 20 < sizes[0] <= (64 << 20) + 400, sizes)
    compare("large: rows", folder, expected(rows, length))
    shutil.rmtree(folder)


def test_same_bytes():
    for form in FORMS:
        args = (SHARD, "--export", form, "--sequences", 300)
        whole = fresh("whole")
        expect("whole", run(*args, "-o", whole, data=sequences(1000)), 0)
        for per_batch in (1, 300, 1000):
            folder = fresh("batches")
            stream = sequences(1000, per_batch=per_batch)
            expect("batches", run(*args, "-o", folder, data=stream), 0)
            check(f"{form}: batches of {per_batch}", not differs(folder, whole))
        folder = fresh("threads")
        expect("threads", run(*args, "-T4", "-o", folder, data=sequences(1000)), 0)
        check(f"{form}: four threads", not differs(folder, whole), differs(folder, whole))
        parts = []
        for i, (first, n) in enumerate(((0, 400), (400, 1), (401, 599))):
            parts.append(work / f"part-{i}.arrows")
            parts[-1].write_bytes(sequences(n, first=first))
        folder = fresh("parts")
        expect("three inputs", run(*args, *parts, "-o", folder), 0)
        check(f"{form}: three inputs", differs(folder, whole) == ["manifest.json"],
              differs(folder, whole))


# ---- interruptions and refusals ----


def feed_and_kill(folder, args, data, n_bytes, wait):
    p = subprocess.Popen([*map(str, args), "-o", str(folder)], stdin=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    try:
        p.stdin.write(data[:n_bytes])
        p.stdin.flush()
        until = time.monotonic() + 10
        while time.monotonic() < until and p.poll() is None and not wait(folder):
            time.sleep(0.002)
    finally:
        p.send_signal(signal.SIGKILL)
        p.stdin.close()
        p.wait()
        p.stderr.close()
    return sorted(os.listdir(folder)) if folder.exists() else []


def test_killed():
    data = sequences(1000, per_batch=10)
    docs, _, _ = documents(700)
    for form in FORMS:
        for kind, stream in (("sequences", data), ("documents", docs)):
            args = (SHARD, "--export", form, "--sequences", 150)
            whole = fresh("whole")
            expect("whole", run(*args, "-o", whole, data=stream), 0)
            two = 0 if form == "megatron" else 2
            first = next(iter(sorted(n for n in os.listdir(whole) if n[0] not in "mi.")), "")
            folder = fresh("killed")
            names = feed_and_kill(folder, args, stream, len(stream) * 7 // 10,
                                  lambda f: (f / ".begun.json").exists() and (
                                      not two or (f / first).exists()))
            name = f"{form} {kind} killed"
            check(f"{name}: no manifest", "manifest.json" not in names, names)
            check(f"{name}: begun", ".begun.json" in names, names)
            expect(f"{name}: refused", run(VERIFY, folder), 1, "no manifest.json")
            expect(f"{name}: other options", run(SHARD, "--export", form, "--sequences", 10, "-o",
                                                 folder, data=stream), 2, ".begun.json")
            done = run(*args, "-v", "-o", folder, data=stream)
            keeps = "stood already" if two and not (form == "npy" and kind == "documents") else ""
            expect(f"{name}: again", done, 0, keeps)
            check(f"{name}: bytes", not differs(folder, whole), differs(folder, whole))
            # The last moment: all files, and no manifest. Then all again.
            (folder / "manifest.json").unlink()
            (folder / ".begun.json").write_bytes(begun_of(args, stream))
            expect(f"{name}: late", run(*args, "-o", folder, data=stream), 0)
            check(f"{name}: late bytes", not differs(folder, whole), differs(folder, whole))


def begun_of(args, stream):
    folder = fresh("begun")
    feed_and_kill(folder, args, stream, 8192, lambda f: (f / ".begun.json").exists())
    return (folder / ".begun.json").read_bytes()


def test_force():
    for form in FORMS:
        folder = fresh("force")
        args = (SHARD, "--export", form, "--sequences", 100, "-o", folder)
        expect("first", run(*args, data=sequences(1000)), 0)
        expect(f"{form} finished", run(*args, data=sequences(1000)), 2, "finished", "-f")
        (folder / "notes.txt").write_text("mine")
        expect(f"{form} forced", run(*args, "-f", data=sequences(250, first=3)), 0)
        check(f"{form} forced: names", (folder / "notes.txt").exists() and
              len(os.listdir(folder)) == len(manifest(folder)["export"]["files"]) + 2
              + bool(manifest(folder)["export"]["index"]), os.listdir(folder))
        compare(f"{form} forced: rows", folder, expected(250, first=3))
        expect(f"{form} forced: verify", run(VERIFY, folder), 0)
        expect(f"{form} notes", run(*args, data=sequences(9)), 2, "notes.txt")
        (folder / "notes.txt").unlink()
        expect(f"{form} shards over it", run(SHARD, "-o", folder, data=sequences(9)), 2, "-f")
    expect("no folder", run(SHARD, "--export", "bin", data=sequences(9)), 2, "-o DIR is required")
    expect("no such form", run(SHARD, "--export", "npz", "-o", work / "x", data=sequences(9)), 2,
           "megatron|npy|bin|mds")


def test_bad_input():
    data, none = sequences(500), sequences(0)
    all_empty = forged([[], []], 16, tokenizer(9, 3))
    for form in FORMS:
        for name, stream, word in (("no rows", none, "no rows"),
                                   ("all empty", all_empty, "no rows"),
                                   ("cut", data[:30000], ""), ("cut late", data[:-8], "")):
            folder = fresh("bad")
            expect(f"{form} {name}", run(SHARD, "--export", form, "-o", folder, data=stream), 1,
                   word)
            check(f"{form} {name}: no manifest", not (folder / "manifest.json").exists())
        folder = fresh("bad")
        done = run("bash", "-c", f"head -c 60000 | {CAT} | {SHARD} --export {form} -o {folder}",
                   data=data)
        expect(f"{form} failed upstream", done, 1, "upstream sluice-cat failed")


def test_full_disk():
    folder = fresh("disk")
    folder.mkdir()
    if os.geteuid() != 0 or run("mount", "-t", "tmpfs", "-o", "size=100k", "none",
                                folder).returncode != 0:
        return skip("full disk", "cannot mount a small file system here")
    try:
        for form in FORMS:
            out = folder / form
            args = (SHARD, "--export", form, "--sequences", 300, "-o", out)
            run("mount", "-o", "remount,size=100k", folder)
            expect(f"{form} full disk", run(*args, data=sequences(1000)), 3, "No space left")
            check(f"{form} full disk: no manifest", not (out / "manifest.json").exists())
            run("mount", "-o", "remount,size=4m", folder)
            expect(f"{form} room again", run(*args, data=sequences(1000)), 0)
            expect(f"{form} room again: verify", run(VERIFY, out), 0)
            shutil.rmtree(out)
    finally:
        run("umount", folder)


def test_faults():
    """Each call that can fail, in turn: exit 3 without a manifest, or a whole export."""
    cc = shutil.which("cc") or shutil.which("gcc")
    if not cc:
        return skip("faults", "no C compiler")
    shim, counts, source = work / "shim.so", work / "counts", work / "some.arrows"
    run(cc, "-O1", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", shim,
        ROOT / "tests/fault/fault_shim.c", "-ldl", check=True)
    source.write_bytes(documents(40)[0])
    kinds = ("FAULT_ALLOC", "FAULT_WRITE", "FAULT_READ", "FAULT_SYNC")
    for form in FORMS:
        args = (SHARD, "--export", form, "--sequences", 15, source, "-o")
        env = {**os.environ, "LD_PRELOAD": str(shim)}
        done = run(*args, fresh("faults"), env={**env, "FAULT_COUNTS": str(counts)})
        expect(f"{form} without a fault", done, 0)
        for kind, n in zip(kinds, map(int, counts.read_text().split())):
            told, wrong = 0, []
            for i in range(1, n + 1, 1 + n // 60):
                folder = fresh("faults")
                done = run(*args, folder, env={**env, kind: str(i)})
                told += done.returncode == 3
                whole = (folder / "manifest.json").exists()
                fine = done.returncode == 3 and (not whole or kind == "FAULT_SYNC")
                if not (fine or (done.returncode == 0 and whole and kind == "FAULT_ALLOC")):
                    wrong.append((i, done.returncode, whole, done.stderr))
            check(f"{form} {kind}: {n} calls", told and not wrong, wrong)


# ---- damage ----


def flip(path, off):
    data = bytearray(path.read_bytes())
    data[off] ^= 1
    path.write_bytes(data)


def set_at(folder, *keys_and_value):
    *keys, last, value = keys_and_value
    path = folder / "manifest.json"
    m = at = json.loads(path.read_text())
    for k in keys:
        at = at[k]
    at[last] = value(at[last]) if callable(value) else value
    path.write_text(json.dumps(m))


def damages(whole):
    for path in sorted(whole.iterdir()):
        n, size = path.name, path.stat().st_size
        if n == "manifest.json":
            continue
        yield f"{n} missing", lambda f, n=n: (f / n).unlink()
        yield f"{n} truncated", lambda f, n=n, s=size: os.truncate(f / n, s - 1)
        yield f"{n} longer", lambda f, n=n, s=size: os.truncate(f / n, s + 1)
        yield f"{n} empty", lambda f, n=n: os.truncate(f / n, 0)
        for off in {*range(0, size, size // 25 + 1), *range(min(size, 40)), size - 1}:
            yield f"{n} flipped at {off}", lambda f, n=n, off=off: flip(f / n, off)
    plus, zeros = (lambda v: v + 1), "0" * 32
    for name, *keys in (
        ("rows", "rows", plus), ("tokens", "tokens", plus), ("targets", "targets", 1 << 40),
        ("fewer targets", "targets", lambda v: v - 1),
        ("kind", "kind", "docs"), ("digest", "digest", zeros), ("version", "version", 2),
        ("column", "columns", 0, 1, zeros), ("type", "column_type", "list<uint8>"),
        ("form", "export", "form", "npz"), ("dtype", "export", "dtype", "int8"),
        ("hash", "export", "tokens_xxh3", zeros), ("files", "export", "files", []),
        ("file", "export", "files", 0, "file", "../x"),
        ("bytes", "export", "files", 0, "bytes", plus),
        ("rows of a file", "export", "files", 0, "rows", plus),
        ("lineage", "lineage", 0, "tally", "out", "rows", 5), ("no lineage", "lineage", None),
        ("format", "format", "sluice-shards"),
    ):
        yield f"manifest: {name}", lambda f, keys=keys: set_at(f, *keys)


def test_damage():
    docs, _, _ = documents(60)
    for form in FORMS:
        for kind, stream in (("sequences", sequences(90, 16)), ("documents", docs)):
            whole = fresh("whole")
            expect("whole", run(SHARD, "--export", form, "--sequences", 40, "-o", whole,
                                data=stream), 0)
            for name, damage in damages(whole):
                folder = fresh("damaged")
                shutil.copytree(whole, folder)
                damage(folder)
                done = run(VERIFY, folder)
                check(f"{form} {kind}, {name}",
                      done.returncode == 1 and done.stderr.count(b"\n") == 1 and not done.stdout,
                      f"exit {done.returncode}: {done.stdout} {done.stderr}")
            names = manifest(whole)["export"]["files"]
            if form != "megatron":
                folder = fresh("damaged")
                shutil.copytree(whole, folder)
                last = names[-1]["file"]
                stray = last.replace(f"{len(names) - 1:05}", f"{len(names):05}")
                shutil.copy(folder / last, folder / stray)
                expect(f"{form} {kind} stray", run(VERIFY, folder), 1, stray)


def main():
    missing = [t for t in (SHARD, VERIFY, CAT, TOKENIZE, SEQUENCES, DOCS) if not os.path.exists(t)]
    if missing:
        print(f"skipped: not built: {missing}")
        return 77
    words = sys.argv[2:]
    for name, test in list(globals().items()):
        if name.startswith("test_") and (not words or any(w in name for w in words)):
            begin = time.monotonic()
            test()
            if os.environ.get("SLUICE_TIMES"):
                print(f"{name} {time.monotonic() - begin:.1f} s")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


try:
    sys.exit(main())
finally:
    shutil.rmtree(work, ignore_errors=True)
