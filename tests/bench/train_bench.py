#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training of byte-level BPE to 32,000 tokens beside Hugging Face tokenizers: megabytes of
text a CPU second, peak memory, and whether the files are equal.

usage: train_bench.py [BUILD_DIR [TEXT_FILE...]]

A TEXT_FILE is text in UTF-8, cut into documents at empty lines behind every 64 KiB. Without
any, the pages of debian-handbook are taken: English, six languages, Chinese and Japanese.
Nothing passes or fails.
"""
import html
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HANDBOOK = Path("/usr/share/doc/debian-handbook/html")
VOCAB = 32000
SETS = {"English": ["en-US"], "six languages": ["de-DE", "fr-FR", "es-ES", "ru-RU", "ar-MA",
                                                 "ja-JP"],
        "Chinese and Japanese": ["zh-CN", "zh-TW", "ja-JP"]}
THEIRS = """
import json, sys
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
t = Tokenizer(models.BPE())
t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
t.decoder = decoders.ByteLevel()
texts = (json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf8"))
t.train_from_iterator(texts, trainers.BpeTrainer(
    vocab_size=int(sys.argv[2]), min_frequency=0, show_progress=False,
    initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
open(sys.argv[3], "w", encoding="utf8").write(t.to_str(pretty=False))
"""


def pages(languages):
    for lang in languages:
        for path in sorted((HANDBOOK / lang).glob("*.html")):
            t = path.read_text(encoding="utf8", errors="replace")
            t = re.sub(r"(?s)<(script|style|head).*?</\1>", "", t)
            yield html.unescape(re.sub(r"<[^>]+>", "", t))


def parts(path):
    doc = []
    size = 0
    with open(path, encoding="utf8", errors="replace") as f:
        for line in f:
            doc.append(line)
            size += len(line)
            if size > 65536 and not line.strip():
                yield "".join(doc)
                doc, size = [], 0
    yield "".join(doc)


def measure(name, args, megabytes):
    pid = os.posix_spawnp(args[0], [str(a) for a in args], os.environ)
    _, status, usage = os.wait4(pid, 0)
    cpu = usage.ru_utime + usage.ru_stime
    if status:
        print(f"{name:40} failed: {status}", flush=True)
        return
    print(f"{name:40} {cpu:7.2f} s CPU {megabytes / cpu:6.1f} MB/s of CPU "
          f"{usage.ru_maxrss * 1024 / 1e6:6.0f} MB", flush=True)


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release").resolve()
    tool, importer = build / "bin/sluice-train-tokenizer", build / "bin/sluice-import"
    sets = {Path(p).name: parts(p) for p in sys.argv[2:]} or \
        {name: pages(languages) for name, languages in SETS.items()}
    if len(sys.argv) < 3 and not HANDBOOK.exists():
        return print("left out: no debian-handbook")
    with tempfile.TemporaryDirectory() as tmp:
        jsonl, stream, a, b = (f"{tmp}/{n}" for n in ("t.jsonl", "t.arrows", "a.json", "b.json"))
        for name, texts in sets.items():
            size = 0
            with open(jsonl, "w", encoding="utf8") as f:
                for t in texts:
                    size += len(t.encode())
                    f.write(json.dumps({"text": t}, ensure_ascii=False) + "\n")
            subprocess.run([importer, "-q", "-f", "-o", stream, jsonl], check=True)
            mb = size / 1e6
            print(f"{name}: {mb:.1f} MB", flush=True)
            measure("  sluice-train-tokenizer", [tool, "-q", "-f", "--vocab", VOCAB, "-o", a,
                                                 stream], mb)
            measure("  the words alone", [tool, "-q", "-f", "--vocab", 256, "-o", f"{tmp}/c",
                                          stream], mb)
            try:
                import tokenizers
            except ImportError:
                print("  no tokenizers for this Python")
                continue
            measure(f"  Hugging Face tokenizers {tokenizers.__version__}",
                    [sys.executable, "-c", THEIRS, jsonl, VOCAB, b], mb)
            same = Path(a).read_bytes() == Path(b).read_bytes()
            print(f"  the files are {'equal' if same else 'NOT EQUAL'}", flush=True)


main()
