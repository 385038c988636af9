#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speed of encoding beside tiktoken and Hugging Face's tokenizers.

    python3 tests/bench/encode_bench.py BUILD_DIR

One thread, first pass over text that the process has not seen, CPU seconds; MB of UTF-8 a
second. English is the Debian handbook, mixed is its translations, as far as they are installed;
without them, and in front of them, the texts of SLUICE_SHARED (default ../shared beside the
checkout). Others get the same texts, 10 kB each.
"""
import glob
import json
import os
import re
import struct
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get('SLUICE_SHARED', ROOT.parent / 'shared')) / 'data/tokenizers'
DUMP = Path(sys.argv[1] if len(sys.argv) > 1 else 'build/release') / 'test/encode_dump'
MAX_MB = int(os.environ.get('SLUICE_ENCODE_MB', 24))
try:
    import tiktoken
    import tokenizers
    import zstandard
except ImportError as error:
    print(f'skipped: {error}')
    sys.exit(0)


def handbook(languages):
    out, size = [], 0
    for language in languages:
        for name in sorted(glob.glob(f'/usr/share/doc/debian-handbook/html/{language}/*.html')):
            text = re.sub(r'<[^>]*>', '', Path(name).read_text('utf-8', 'replace'))
            out.append(text)
            size += len(text.encode())
            if size > MAX_MB << 20:
                return out
    return out


def cut(texts):
    return [t[i:i + 10000] for t in texts for i in range(0, len(t), 10000)]


def unpack(name, folder):
    out = folder / name.removesuffix('.zst')
    if not out.exists():
        data = zstandard.ZstdDecompressor().decompressobj().decompress((SHARED / name).read_bytes())
        out.write_bytes(data)
    return out


def ours(arguments, texts):
    data = b''.join(struct.pack('<I', len(t)) + t for t in (t.encode() for t in texts))
    return float(subprocess.run([DUMP, '-t', *arguments], input=data, capture_output=True,
                                check=True).stdout)


def theirs(encode, texts):
    begin = time.process_time()
    for t in texts:
        encode(t)
    return time.process_time() - begin


def rank_encoding(ranks, beside):
    import base64
    spec = json.loads(beside.read_text())
    pairs = (line.split() for line in ranks.read_bytes().splitlines())
    return tiktoken.Encoding('x', pat_str=spec['pat_str'],
                             mergeable_ranks={base64.b64decode(a): int(b) for a, b in pairs},
                             special_tokens=spec['special_tokens'])


def main():
    if not SHARED.is_dir():
        print('skipped: no shared tokenizers')
        return
    import tempfile
    with tempfile.TemporaryDirectory() as tmp:
        folder = Path(tmp)
        corpora = {'english': cut(handbook(['en-US'])),
                   'mixed': cut(handbook(['de-DE', 'ru-RU', 'ja-JP', 'zh-CN', 'ar-MA', 'fr-FR',
                                          'fa-IR', 'es-ES']))}
        texts = [json.loads(x)['text'] for x in open(unpack('dev-texts.jsonl.zst', folder),
                                                      encoding='utf-8')]
        corpora['dev-texts'] = texts
        for what, name in (('cl100k', 'cl100k_base.tiktoken'), ('o200k', 'o200k_base.tiktoken'),
                           ('gpt2', 'gpt2.tokenizer.json'), ('llama3', 'llama3.tokenizer.json'),
                           ('qwen3', 'qwen3.tokenizer.json'),
                           ('deepseek', 'deepseek_v3.tokenizer.json'),
                           ('gemma3', 'gemma3.tokenizer.json')):
            file = unpack(name + '.zst', folder)
            ranks = name.endswith('.tiktoken')
            beside = SHARED / (name + '.json')
            arguments = ['-b', beside, file] if ranks else [file]
            if ranks:
                encoding = rank_encoding(file, beside)
                encode = encoding.encode_ordinary
            else:
                hf = tokenizers.Tokenizer.from_file(str(file))
                encode = lambda t: hf.encode(t, add_special_tokens=False)
            for corpus, texts in corpora.items():
                size = sum(len(t.encode()) for t in texts) / 1e6
                if not size:
                    continue
                a, b = ours(arguments, texts), theirs(encode, texts)
                print(f'encode {what:9} {corpus:10} {size:6.1f} MB: {size / a:7.1f} MB/s, '
                      f'{"tiktoken" if ranks else "tokenizers"} {size / b:6.1f} MB/s, '
                      f'{b / a:6.1f} times', flush=True)


main()
