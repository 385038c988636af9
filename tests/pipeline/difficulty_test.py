# SPDX-License-Identifier: Apache-2.0
"""sluice-difficulty against a twin written from its page, and against zstd.

    python3 tests/pipeline/difficulty_test.py BUILD_DIR

Texts go in as WET records. Every score must be the twin's to the bit; ranks must be
those of zstd -3. Without the shared data only made-up texts are scored.
"""
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
from pathlib import Path

from counted import Count

try:
    import numpy as np
    import pyarrow as pa
    import pyarrow.ipc as ipc
except ImportError:
    print("skipped: numpy or pyarrow is not installed")
    sys.exit(77)
try:
    import zstandard
except ImportError:
    zstandard = None

import difficulty_twin as twin
from bad_input import wet

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SLUICE_SHARED", ROOT.parent / "shared")) / "data"
BIN = Path(sys.argv[1]) / "bin"
METRICS = ["compression", "length", "word_length", "sentence_length"]
COLUMNS = ["difficulty_" + m for m in METRICS]
count = Count()
check = count.check
skip = count.skip


def run(tool, *args, stdin=b"", code=0):
    p = subprocess.run([BIN / tool, *map(str, args)], input=stdin, capture_output=True)
    check(f"{tool} {' '.join(map(str, args))} ends with {code}", p.returncode == code,
          f"{p.returncode}: {p.stderr.decode(errors='replace')}")
    return p.stdout if code == 0 else p.stderr.decode()


def docs_of(texts):
    """A stream with these texts, in order."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.wet"
        with path.open("wb") as f:
            for i, text in enumerate(texts):
                f.write(wet(i, text.encode()))
        stream = run("sluice-warc", "--type", "conversion", path)
    got = ipc.open_stream(io.BytesIO(stream)).read_all().column("text").to_pylist()
    check("the texts are what was written", got == texts, f"{len(got)} of {len(texts)} rows")
    return stream


def read(stream):
    """The table, and the lineage of the trailer."""
    reader = ipc.open_stream(io.BytesIO(stream))
    lineage, batches = None, []
    while True:
        try:
            batch, meta = reader.read_next_batch_with_custom_metadata()
        except StopIteration:
            break
        batches.append(batch)
        if meta and b"sl:trailer" in meta:
            lineage = json.loads(meta[b"sl:trailer"])["lineage"]
    return pa.Table.from_batches(batches, reader.schema), lineage


def columns(stream):
    table = read(stream)[0]
    return [table.column(c).to_pylist() for c in COLUMNS]


def unpack(path):
    return subprocess.run(["zstd", "-dcq", SHARED / path], check=True,
                          stdout=subprocess.PIPE).stdout


# ---- texts made here ----

def made_up():
    rng = random.Random(5)
    words = ["so", "etwas", "naïve", "слово", "文字", "word", "3.14", "—", "x", "e.g."]
    marks = [". ", "! ", "?\n", "…\n\n", "。", "！」", "؟ ", "।\n", ", ", " ", "\n \n", ".) ",
             '."', "\r\n\r\n", "\u2028", " \u3000", "?!", "．", "\0", "𝒳", "\u0301"]
    yield from ("", " ", "\n\n", "a", "...", ". . .", "?", "\0", "。", "aaa")
    yield from ("abcdabcd", "abcabcabc", "1234-12345678-z345678", "“Wide。”Next", "a.\n\n.b")
    for n in (4095, 4096, 4097, 8192, 8195):
        yield "z" * n
        yield "".join(chr(rng.randrange(32, 127)) for _ in range(n))
        yield ("é" * n)[:n // 2 + 1]
        yield ("One two three. " * n)[:n]
    for n in (1, 2, 3, 10, 60, 300, 1500):
        for _ in range(12):
            yield "".join(rng.choice(words) + rng.choice(marks) for _ in range(n))
            yield "".join(rng.choice(words + marks) for _ in range(n))
    for sign in sorted(twin.MARKS | twin.CLOSERS):
        yield f"a{sign} b.{sign} c{sign}{sign}d{sign}" * 3
    yield "noblankatall" * 40000
    yield "".join(map(chr, [*range(1, 0xd800), *range(0xe000, 0x11000)]))


def check_twin(name, texts):
    stream = docs_of(texts)
    got = columns(run("sluice-difficulty", stdin=stream))
    want = list(zip(*map(twin.scores, texts), strict=True))
    # Python's table may be of an older Unicode: it must know all characters of a text.
    known = [i for i, t in enumerate(texts) if "Cn" not in map(unicodedata.category, set(t))]
    for metric, g, w in zip(METRICS, got, want, strict=True):
        of = known if metric.startswith(("word", "sentence")) else range(len(texts))
        bad = [i for i in of if (g[i] is None) != (w[i] is None) or
               g[i] is not None and np.float32(g[i]) != w[i]]
        check(f"{name}: {metric} of {len(of)} texts is the twin's", not bad,
              [(texts[i][:80], g[i], w[i]) for i in bad[:3]])
    check(f"{name}: most texts are compared", len(known) > 0.95 * len(texts), len(known))
    return stream


# ---- what the tool does ----

def check_tool(stream):
    all_ = run("sluice-difficulty", "-T1", stdin=stream)
    check("-T4 gives the same bytes", all_ == run("sluice-difficulty", "-T4", stdin=stream))
    table, lineage = read(all_)
    before = read(stream)[0]
    check("the other columns stay", table.drop_columns(COLUMNS) == before)
    check("types", all(table.schema.field(c).type == "float" for c in COLUMNS), table.schema)
    hist = lineage[-1]["tally"]["hist"]
    for c in COLUMNS:
        n = len(before) - table.column(c).null_count
        check(f"the histogram of {c} has every score", sum(hist[c]) == n, hist[c])
    check("the lineage names the metrics",
          lineage[-1]["options"]["metric"] == ",".join(METRICS), lineage[-1])
    check("the lineage has the versions of the metrics",
          lineage[-1]["rules"] == dict.fromkeys(METRICS, 1), lineage[-1])

    some = run("sluice-difficulty", "--metric", "word_length,compression", stdin=stream)
    check("--metric makes what it names", read(some)[0].column_names ==
          [*before.column_names, COLUMNS[0], COLUMNS[2]], read(some)[0].column_names)
    rest = run("sluice-difficulty", "--metric", "sentence_length,length", stdin=some)
    check("in two steps the scores are the same", columns(rest) == columns(all_))
    words = run("sluice-difficulty", "--metric", "length", stdin=all_, code=1)
    check("a column that is there is an error", "difficulty_length" in words and
          "--replace" in words, words)
    again = run("sluice-difficulty", "--metric", "length", "--replace", stdin=all_)
    check("--replace makes it anew", columns(again) == columns(all_))
    for value, near in (("wordlength", "'word_length'"), ("xyzzy", "compression"), ("length,", ""),
                        ("", "")):
        words = run("sluice-difficulty", "--metric", value, stdin=stream, code=2)
        check(f"--metric '{value}' is told", "--metric" in words and near in words, words)


def check_pack(stream):
    """difficulty_* in a sequence: the mean over its pieces, by tokens."""
    scored = run("sluice-difficulty", stdin=stream)
    by_id = {r["id"]: r for r in read(scored)[0].to_pylist()}
    packed = run("sluice-pack", "--length", 4096, stdin=run("sluice-tokenize", stdin=scored))
    rows = read(packed)[0].to_pylist()
    worst = 0.0
    for row in rows:
        ends = [*row["doc_offsets"][1:], sum(row["loss_mask"])]
        pieces = [(by_id[i], e - b) for i, b, e in
                  zip(row["doc_ids"], row["doc_offsets"], ends, strict=True)]
        for c in COLUMNS:
            have = [(d[c], n) for d, n in pieces if d[c] is not None]
            want = sum(v * n for v, n in have) / sum(n for _, n in have) if have else None
            if want is None or row[c] is None:
                check(f"pack: null {c}", want is row[c], (want, row[c]))
            else:
                worst = max(worst, abs(row[c] - want) / want)
    check("pack carries the scores as means by tokens", worst < 1e-6 and len(rows) > 10, worst)


def check_large():
    """50 MB in one document without a blank: time, memory and values."""
    rng = random.Random(9)
    block = bytes(rng.choice(b"abcdefghijklmnop") for _ in range(64 * twin.WINDOW)).decode()
    texts = ["x" * 50_000_003, block * 192]
    stream = docs_of(texts)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        got = columns(run("sluice-difficulty", "--report", report, stdin=stream))
        report = json.loads(report.read_text())
    seconds, peak = report["cpu_seconds"], report["peak_memory_bytes"]
    full, rest = divmod(len(texts[0]), twin.WINDOW)
    cost = full * twin.window_cost(b"x" * twin.WINDOW) + twin.window_cost(b"x" * rest)
    want = [np.float32(cost / (2048 * len(texts[0]))), twin.compression(block.encode())]
    check("50 MB without a blank: compression", [np.float32(v) for v in got[0]] == want,
          (got[0], want))
    sizes = [float(np.float32(len(t))) for t in texts]
    check("50 MB without a blank: words", got[1:] == [sizes, sizes, [1.0, 1.0]], got[1:])
    print(f"two documents of 50 MB: {seconds:.2f} s of CPU time, {peak / 1e6:.0f} MB of memory")
    check("50 MB without a blank: time", seconds < 30, seconds)
    check("50 MB without a blank: memory", peak < 3 * len(texts[0]), peak)


# ---- ranks beside zstd ----

def ranks(values):
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def spearman(a, b):
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def grouped(path, sizes=None):
    """Lines of a TSV, joined by label: all of a label, or by turns as many as sizes say."""
    labels = {}
    for line in unpack(path).decode().splitlines():
        label, text = line.split("\t", 1)
        labels.setdefault(label, []).append(text)
    rng = random.Random(1)
    for lines in labels.values():
        while lines:
            n = rng.choice(sizes) if sizes else len(lines)
            yield "\n".join(lines[:n])
            lines = lines[n:]


def wcxb():
    with tarfile.open(fileobj=io.BytesIO(unpack("extract/wcxb-dev.tar.zst"))) as tar:
        for member in tar:
            if member.name.endswith(".json"):
                yield json.load(tar.extractfile(member))["ground_truth"].get("main_content", "")


def jsonl(path):
    return [json.loads(line)["text"] for line in unpack(path).splitlines()]


def check_ranks(sets):
    squeeze = zstandard.ZstdCompressor(level=3).compress
    totals = [[], [], []]
    print(f"Spearman with zstd {'.'.join(map(str, zstandard.ZSTD_VERSION))} -3: "
          "windows, whole, zstd's windows and whole, first windows")
    for name, texts in sets.items():
        texts = [t for t in texts if t]
        data = [t.encode() for t in texts]
        heads = [d[:4096].decode("utf-8", "ignore") for d in data]
        ours = columns(run("sluice-difficulty", stdin=docs_of(texts)))[0]
        whole = [len(squeeze(d)) / len(d) for d in data]
        windows = [sum(len(squeeze(d[i:i + 4096])) for i in range(0, len(d), 4096)) / len(d)
                   for d in data]
        head = spearman(columns(run("sluice-difficulty", stdin=docs_of(heads)))[0],
                        [len(squeeze(h.encode())) / len(h.encode()) for h in heads])
        for total, part in zip(totals, (ours, whole, windows), strict=True):
            total += part
        here = spearman(ours, windows)
        print(f"  {name}, {len(texts)}: {here:.4f}, {spearman(ours, whole):.4f}, "
              f"{spearman(windows, whole):.4f}, {head:.4f}")
        check(f"{name}: ranks are those of zstd's windows", here >= 0.99, here)
        check(f"{name}: ranks of first windows are zstd's", head >= 0.985, head)
    ours, whole, windows = totals
    print(f"  all, {len(ours)}: {spearman(ours, windows):.4f}, {spearman(ours, whole):.4f}, "
          f"{spearman(windows, whole):.4f}")
    check("all: ranks are those of whole documents", spearman(ours, whole) >= 0.97)
    check("all: ranks are those of zstd's windows", spearman(ours, windows) >= 0.99)


stream = check_twin("made up", list(made_up()))
check_tool(stream)
check_large()
if (SHARED / "filters").is_dir():
    docs = jsonl("filters/vectors/docs.jsonl.zst")
    texts = jsonl("tokenizers/dev-texts.jsonl.zst")
    check_pack(check_twin("filter vectors", docs))
    check_twin("tokenizer texts", texts)
    if zstandard:
        check_ranks({"filter vectors": docs, "tokenizer texts": texts, "WCXB": list(wcxb()),
                     "UDHR": list(grouped("langid/udhr.tsv.zst")),
                     "NTREX": list(grouped("langid/ntrex-dev.tsv.zst", (1, 2, 5, 10, 30, 100)))})
    else:
        skip("zstandard is not installed")
else:
    skip(f"no {SHARED.parent.name} data (SLUICE_SHARED): real texts and ranks")
sys.exit(count.finish())
