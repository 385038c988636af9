# SPDX-License-Identifier: Apache-2.0
"""sluice-tokenize and sluice-pack, looked at through pyarrow.

    python3 tests/pipeline/pack_test.py BUILD_DIR

docs_sample writes documents; what comes out of the two tools must rebuild every
text byte for byte, in every form of packing, and the tallies of the trailers
must be what is counted here from the rows alone.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from counted import Count
from counted import read_stream as read

try:
    import pyarrow as pa
except ImportError:
    print("skipped: pyarrow is not installed")
    sys.exit(77)

EOS, PAD = 256, 257
N_DOCS = 400
count = Count()
check = count.check
build = Path(sys.argv[1])


def run(tool, *args, stdin=b"", code=0):
    folder = "test" if tool == "docs_sample" else "bin"
    p = subprocess.run([build / folder / tool, *map(str, args)], input=stdin, capture_output=True)
    check(f"{tool} {' '.join(map(str, args))} ends with {code}", p.returncode == code,
          f"{p.returncode}: {p.stderr.decode(errors='replace')}")
    return p


def id_sum(ids):
    return f"{sum(int.from_bytes(i, 'big') for i in ids) % (1 << 128):032x}"


def rows_of(table):
    return table.to_pylist()


# ---- tokenize ----

docs_stream = run("docs_sample", N_DOCS).stdout
docs = rows_of(read(docs_stream)[0])
check("some texts are empty", 10 < sum(not d["text"] for d in docs) < N_DOCS / 4)
check("some texts are not ASCII", any(not d["text"].isascii() for d in docs))

one = run("sluice-tokenize", "-T1", stdin=docs_stream).stdout
four = run("sluice-tokenize", "-T4", stdin=docs_stream).stdout
check("tokenize: -T1 and -T4 give the same bytes", one == four)
tokens_table, lineage = read(one)
check("tokenize: type of tokens",
      tokens_table.schema.field("tokens").type == pa.list_(pa.field("item", pa.uint16(), False)),
      tokens_table.schema.field("tokens").type)
check("tokenize: text does not go on", "text" not in tokens_table.column_names)
check("tokenize: kind", tokens_table.schema.metadata[b"sl:kind"] == b"tokens")
about = json.loads(tokens_table.schema.metadata[b"sl:tokenizer"])
check("tokenize: sl:tokenizer", list(about) == ["name", "vocab_size", "max_id", "eos", "bos", "pad",
                                                "digest"], about)
check("tokenize: sl:tokenizer's values",
      (about["name"], about["vocab_size"], about["max_id"], about["eos"], about["bos"],
       about["pad"]) == ("bytes", 258, 257, EOS, None, PAD), about)
tokens = rows_of(tokens_table)
check("tokenize: the ids are the bytes of the texts",
      all(bytes(t["tokens"]) == d["text"].encode() for t, d in zip(tokens, docs, strict=True)))
check("tokenize: other columns are untouched",
      all(t[c] == d[c] for t, d in zip(tokens, docs)
          for c in ("id", "url", "source", "difficulty_len")))
check("tokenize: counts",
      lineage[-1]["tally"]["counts"] == {"tokens": sum(len(d["text"].encode()) for d in docs)},
      lineage[-1]["tally"])
check("tokenize: options in the lineage",
      lineage[-1]["options"] == {"tokenizer": "bytes", "allow-special": False, "keep-text": False,
                                  "replace": False},
      lineage[-1]["options"])
kept = read(run("sluice-tokenize", "--keep-text", stdin=docs_stream).stdout)[0]
check("tokenize --keep-text", kept.column("text").to_pylist() == [d["text"] for d in docs])
p = run("sluice-tokenize", "--tokenizer", "nosuch", stdin=docs_stream, code=2)
check("tokenize: an unknown name is told with those there are",
      b"'nosuch'" in p.stderr and b"'bytes'" in p.stderr, p.stderr)
p = run("sluice-pack", "--length", 16, stdin=docs_stream, code=1)
check("pack: documents without tokens are refused", b"docs" in p.stderr, p.stderr)
run("sluice-pack", stdin=one, code=2)
run("sluice-pack", "--length", 0, stdin=one, code=2)
run("sluice-pack", "--length", (1 << 24) + 1, stdin=one, code=2)
run("sluice-pack", "--length", 1 << 24, "--extra-token", stdin=one, code=2)
run("sluice-pack", "--length", 16, "--carry", "nosuch", stdin=one, code=1)
run("sluice-pack", "--length", 16, "--carry", "url", stdin=one, code=1)
run("sluice-pack", "--length", 16, "--carry", "id", stdin=one, code=2)
run("sluice-pack", "--length", 16, "--carry", "difficulty_len,difficulty_len", stdin=one, code=2)

# ---- pack ----


def pieces(row, n_real):
    """(doc id, start, tokens) of a row's pieces."""
    ends = row["doc_offsets"][1:] + [n_real]
    for doc, start, at, end in zip(row["doc_ids"], row["doc_starts"], row["doc_offsets"], ends,
                                   strict=True):
        yield doc, start, row["tokens"][at:end]


def check_pack(length, *options):
    name = f"pack --length {length} {' '.join(options)}"
    extra, drop = "--extra-token" in options, "--drop-last" in options
    by_source = "--by" in options
    with tempfile.TemporaryDirectory() as folder:
        rejects = Path(folder) / "rejects.arrows"
        stream = run("sluice-pack", "--length", length, *options, "--rejects", rejects,
                     stdin=one).stdout
        rejected = rows_of(read(rejects.read_bytes())[0])
    check(f"{name}: the same bytes again",
          stream == run("sluice-pack", "--length", length, *options, "-T4", stdin=one).stdout)
    run("sluice-verify", "-", stdin=stream)
    table, lineage = read(stream)
    stored = length + extra
    for column, item in (("tokens", pa.uint16()), ("loss_mask", pa.uint8())):
        check(f"{name}: type of {column}", table.schema.field(column).type ==
              pa.list_(pa.field("item", item, False), stored), table.schema.field(column).type)
    rows = rows_of(table)
    check(f"{name}: ids differ", len({r["id"] for r in rows}) == len(rows))
    by_id = {d["id"]: d for d in docs}
    built = {}
    overlap = padding = 0
    ordered = aligned = sources = means = True
    for row in rows:
        n_real = sum(row["loss_mask"])
        padding += stored - n_real
        aligned &= row["loss_mask"] == [1] * n_real + [0] * (stored - n_real)
        aligned &= row["tokens"][n_real:] == [PAD] * (stored - n_real)
        aligned &= row["doc_offsets"][0] == 0
        seen, sums, weight = set(), 0.0, 0
        for doc, start, part in pieces(row, n_real):
            have = built.setdefault(doc, [])
            if start == len(have) - 1 and extra and part[0] == have[-1]:
                overlap += 1
                have.pop()
            ordered &= start == len(have)
            have += part
            seen.add(by_id[doc]["source"])
            if by_id[doc]["difficulty_len"] is not None:
                sums += by_id[doc]["difficulty_len"] * len(part)
                weight += len(part)
        sources &= row["source"] == (seen.pop() if len(seen) == 1 else None)
        sources &= row["source"] is not None or not by_source
        mean, want = row["difficulty_len"], sums / weight if weight else None
        means &= (mean is None) == (want is None)
        means &= want is None or abs(mean - want) <= 1e-6 * max(1, abs(want))
    check(f"{name}: pieces go on where they ended", ordered)
    check(f"{name}: mask, padding and offsets agree", aligned)
    check(f"{name}: source", sources)
    check(f"{name}: means", means)
    tally = lineage[-1]["tally"]
    counts = tally["counts"]
    full = [d for d in docs if d["text"]]
    begun = [d for d in full if d["id"] in built]
    lost = [d for d in full if d["id"] not in built]
    want = {d["id"]: [*d["text"].encode(), EOS] for d in full}
    if drop:
        check(f"{name}: documents are rebuilt as far as they were placed",
              all(want[i][:len(t)] == t for i, t in built.items()))
        check(f"{name}: at most the last sequences are cut",
              counts["cut"] < (3 if by_source else 1) * length)
    else:
        check(f"{name}: every document is rebuilt", built == want)
        check(f"{name}: nothing is cut", counts["cut"] == 0 and not lost)
    n_in = sum(len(d["text"].encode()) for d in docs)
    placed = sum(map(len, built.values()))
    check(f"{name}: counts", counts == {
        "tokens_in": n_in, "specials": len(full), "tokens_out": len(rows) * stored,
        "padding": padding, "cut": n_in + len(full) - placed, "overlap": overlap}, counts)
    check(f"{name}: conservation", counts["tokens_in"] + counts["specials"] + counts["overlap"] ==
          counts["tokens_out"] - counts["padding"] + counts["cut"], counts)
    check(f"{name}: law", tally["law"] == "tokens")
    for port, group in (("in", docs), ("begun", begun), ("rejected", lost), ("out", rows),
                        ("empty", [d for d in docs if not d["text"]])):
        check(f"{name}: {port}", tally[port] == {"rows": len(group),
                                                 "ids": id_sum(d["id"] for d in group)},
              tally[port])
    check(f"{name}: rejects", sorted(r["id"] for r in rejected) == sorted(d["id"] for d in lost))
    check(f"{name}: reasons", all(r["reject_reason"] == "cut" for r in rejected))
    return lost


for options in ([], ["--extra-token"], ["--drop-last"], ["--by", "source"],
                ["--extra-token", "--drop-last", "--by", "source"]):
    for length in (64, 2048):
        check_pack(length, *options)
# One sequence that does not fill: everything waits, and with --drop-last goes.
check_pack(1 << 22)
check("everything is cut where one sequence does not fill",
      len(check_pack(1 << 22, "--drop-last")) == sum(bool(d["text"]) for d in docs))
check_pack(1 << 20, "--drop-last", "--by", "source")

bare = read(run("sluice-pack", "--length", 64, "--carry", "none", stdin=one).stdout)[0]
check("pack --carry none carries nothing", "difficulty_len" not in bare.column_names)
none = run("sluice-tokenize", stdin=run("docs_sample", 0).stdout).stdout
check("pack: nothing in, nothing out",
      read(run("sluice-pack", "--length", 64, stdin=none).stdout)[0].num_rows == 0)
run("sluice-pack", "--length", 64, stdin=one[:len(one) // 2], code=1)

# ---- tokenizers of others ----


def wide(**keys):
    """Documents with tokens from 70,000 on, of a tokenizer with these keys."""
    info = {"name": "wide", "vocab_size": 100000, "max_id": 99999, "eos": 1, "bos": None, "pad": 2,
            "digest": "0" * 32} | keys
    return run("docs_sample", 30, 0, json.dumps(info, separators=(",", ":"))).stdout


table, lineage = read(run("sluice-pack", "--length", 300, stdin=wide()).stdout)
check("pack: uint32 stays", table.schema.field("tokens").type.value_type == pa.uint32())
rows = rows_of(table)
flat = [t for r in rows for t in r["tokens"]]
want = [t for d in docs[:30] if d["text"] for t in [*(70000 + b for b in d["text"].encode()), 1]]
check("pack: uint32 tokens", flat[:len(want)] == want and set(flat[len(want):]) <= {2})
check("pack: the tokenizer goes on",
      json.loads(table.schema.metadata[b"sl:tokenizer"])["name"] == "wide")
other = rows_of(read(run("sluice-pack", "--length", 300, stdin=wide(digest="1" * 32)).stdout)[0])
check("pack: ids depend on the tokenizer", not {r["id"] for r in rows} & {r["id"] for r in other})
last = rows_of(read(run("sluice-pack", "--length", 100000, stdin=wide(pad=None)).stdout)[0])[-1]
check("pack: without a padding id the end id pads",
      set(last["tokens"][sum(last["loss_mask"]):]) == {1} and not last["loss_mask"][-1])
for name, stream, words in (
        ("no tokenizer", run("docs_sample", 30, 0, "").stdout, b"sluice-tokenize"),
        ("no end id", wide(eos=None), b"eos"), ("no digest", wide(digest="12"), b"digest"),
        ("an end id over max_id", wide(eos=100000), b"eos")):
    p = run("sluice-pack", "--length", 300, stdin=stream, code=1)
    check(f"pack: {name} is refused", words in p.stderr, p.stderr)

sys.exit(count.finish())
