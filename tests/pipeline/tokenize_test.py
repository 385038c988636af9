# SPDX-License-Identifier: Apache-2.0
"""sluice-tokenize with files of tokenizers.

    python3 tests/pipeline/tokenize_test.py BUILD_DIR

Small tokenizers are made here. Ids are compared with those worked out by hand, files of other
families and damaged ones must be refused by name, and the bytes must not depend on threads.
"""

import base64
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

count = Count()
check = count.check
build = Path(sys.argv[1])
tmp = tempfile.TemporaryDirectory()
folder = Path(tmp.name)


def run(tool, *args, stdin=b"", code=0):
    where = "test" if tool == "docs_sample" else "bin"
    p = subprocess.run([build / where / tool, *map(str, args)], input=stdin, capture_output=True)
    check(f"{tool} {' '.join(map(str, args))[-60:]} ends with {code}", p.returncode == code,
          f"{p.returncode}: {p.stderr.decode(errors='replace')}")
    return p


def docs_of(texts):
    lines = "".join(json.dumps({"id": str(i), "text": t}) + "\n" for i, t in enumerate(texts))
    return run("sluice-import", "--format", "jsonl", "--source", "s", stdin=lines.encode()).stdout


def ids_of(stream):
    table = read(stream)[0]
    return table.column("tokens").to_pylist(), table.schema


def info_of(schema):
    return json.loads(schema.metadata[b"sl:tokenizer"])


def added(content, special):
    return {"id": 0, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": special}


def tokenizer(**parts):
    return {"version": "1.0", "added_tokens": [added("<s>", True), added("<t>", False)],
            "normalizer": None, "pre_tokenizer": None,
            "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "<": 3, "s": 4, ">": 5},
                      "merges": ["a b"]}} | parts


def file(name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


texts = ["abab", "a<s>b<t>", "", "b" * 100 + "a"]
docs = docs_of(texts)

# ---- what is carried out ----

hf = file("small.tokenizer.json", tokenizer())
out = run("sluice-tokenize", "--tokenizer", hf, stdin=docs).stdout
ids, schema = ids_of(out)
check("ids of a tokenizer.json", ids == [[2, 2], [0, 3, 4, 5, 1, 7], [], [1] * 100 + [0]], ids)
check("uint16 where ids fit", schema.field("tokens").type == pa.list_(pa.uint16()) or
      schema.field("tokens").type.value_type == pa.uint16(), schema)
info = info_of(schema)
check("sl:tokenizer", (info["name"], info["vocab_size"], info["max_id"], info["bos"],
                       info["eos"]) == ("small", 8, 7, 6, None), info)
special = run("sluice-tokenize", "--tokenizer", hf, "--allow-special", stdin=docs).stdout
check("special tokens on request", ids_of(special)[0][1] == [0, 6, 1, 7], ids_of(special)[0][1])

ranks = b"".join(base64.b64encode(bytes([i])) + b" %d\n" % i for i in range(256))
ranks += base64.b64encode(b"ab") + b" 256\n"
plain = file("r.tiktoken", ranks)
p = run("sluice-tokenize", "--tokenizer", plain, stdin=docs, code=2)
check("ranks without a pattern say so", b"--pattern" in p.stderr, p.stderr)
ids, schema = ids_of(run("sluice-tokenize", "--tokenizer", plain, "--pattern", "gpt2",
                         stdin=docs).stdout)
check("ranks", ids[0] == [256, 256], ids[0])
file("r.tiktoken.json", {"pat_str": r"\S+|\s+", "special_tokens": {"<s>": 70000}})
ids, schema = ids_of(run("sluice-tokenize", "--tokenizer", plain, "--allow-special",
                         stdin=docs).stdout)
check("ranks with their JSON", ids[1] == [97, 70000, 98, 60, 116, 62], ids[1])
check("uint32 where ids do not fit into uint16",
      schema.field("tokens").type.value_type == pa.uint32(), schema)

# ---- threads ----

many = docs_of([f"abab {i} " + "ab<t>" * (i % 37) + "a" * (i % 500) for i in range(3000)])
outs = [run("sluice-tokenize", "--tokenizer", hf, f"-T{n}", stdin=many).stdout for n in (1, 4, 8)]
check("the same bytes with 1, 4 and 8 threads", outs[0] == outs[1] == outs[2])
letter = docs_of(["a" * (1 << 20)])
ids, _ = ids_of(run("sluice-tokenize", "--tokenizer", plain, stdin=letter).stdout)
check("a megabyte of one letter", ids[0] == [97] * (1 << 20), len(ids[0]))

# ---- what is refused ----

BAD = {
    "Unigram": (tokenizer(model={"type": "Unigram", "vocab": []}), "Unigram"),
    "WordPiece": (tokenizer(model={"type": "WordPiece", "vocab": {}}), "WordPiece"),
    "no merges": (tokenizer(model={"type": "BPE", "vocab": {"a": 0}}), "merges"),
    "no model": ({"version": "1.0"}, "model"),
    "a strange merge": (tokenizer(model={"type": "BPE", "vocab": {"a": 0}, "merges": ["a q"]}),
                        "'q'"),
    "Lowercase": (tokenizer(normalizer={"type": "Lowercase"}), "Lowercase"),
    "BertPreTokenizer": (tokenizer(pre_tokenizer={"type": "BertPreTokenizer"}), "Bert"),
    "cut JSON": (json.dumps(tokenizer()).encode()[:-5], "JSON"),
    "no tokenizer": (b"\x0a\x05<unk>\x00\x01", "neither"),
    "nothing": (b"", "neither"),
    "broken UTF-8": (b'{"model":"\xff"}', "UTF-8"),
}
for name, (content, why) in BAD.items():
    p = run("sluice-tokenize", "--tokenizer", file("bad.json", content), stdin=docs, code=1)
    check(f"{name} is refused by name", why.encode() in p.stderr and b"bad.json" in p.stderr,
          p.stderr)
twice = tokenizer()
twice["model"]["merges"] = ["a b", "a b"]
ids, _ = ids_of(run("sluice-tokenize", "--tokenizer", file("twice.json", twice),
                    stdin=docs).stdout)
check("a merge that stands twice is no error", ids[0] == [2, 2], ids[0])
run("sluice-tokenize", "--tokenizer", folder / "nothere.json", stdin=docs, code=3)
run("sluice-tokenize", "--tokenizer", "bytes", "--allow-special", stdin=docs, code=2)
run("sluice-tokenize", "--tokenizer", hf, "--pattern", "gpt2", stdin=docs, code=2)

tmp.cleanup()
sys.exit(count.finish())
