#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ids against Hugging Face's tokenizers and tiktoken.

    python3 tests/conformance/encode_test.py BUILD_DIR

Every vector of SLUICE_SHARED (default ../shared beside the checkout), with and without special
tokens; then, against the libraries in this process, the Debian handbook as far as it is
installed, random strings, long runs, NFC of every code point, and small tokenizers with options
that real ones seldom have. Each difference is told with its text and place.
"""
import base64
import glob
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get('SLUICE_SHARED', ROOT.parent / 'shared')) / 'data/tokenizers'
DUMP = Path(sys.argv[1] if len(sys.argv) > 1 else 'build/release') / 'test/encode_dump'
STRINGS = int(os.environ.get('SLUICE_ENCODE_STRINGS', 3000))
HANDBOOK_MB = int(os.environ.get('SLUICE_ENCODE_MB', 2))
try:
    import tiktoken
    import tokenizers
    import zstandard
except ImportError as error:
    print(f'skipped: {error}')
    sys.exit(77)

rng = random.Random(7)
counts = {'passed': 0, 'failed': 0, 'skipped': 0}
HF = ['gpt2', 'llama3', 'qwen3', 'deepseek_v3', 'gemma3']
RANKS = ['cl100k_base', 'o200k_base']
ALPHABET = list("aaeetoinsrhldcumfpgwybvkxjqzATSR    \t\n\n\r'\"-.,!?/#(){}[]<>|_0123456789éßñÅøœ"
                'ΣςσждяЖ中文日本語のカナ한국어ไทยहिन्दीअعربية\u0301\u0323\u0308\u200d\ufeff▁\u00a0\u3000'
                '😀👍🏽🇩🇪\x00\x7f\ue000\U0001d400') + [
    "'s", "'LL", ' the', ' and', '\r\n', '   ', 'ing', '<|endoftext|>', '<think>', '<s>',
    '<|im_start|>', 'e\u0301', '\u1112\u1161\u11ab', '한', 'Å', '\n\n\n', '<eos>', '1234']


def read(name):
    path = SHARED / name
    return zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())


def rows(name):
    return [json.loads(line) for line in read(name).splitlines()]


def ours(arguments, texts):
    data = b''.join(struct.pack('<I', len(t)) + t for t in (t.encode() for t in texts))
    r = subprocess.run([DUMP, *arguments], input=data, capture_output=True)
    if r.returncode:
        return r.stderr.decode()
    out, at = [], 0
    while at < len(r.stdout):
        n, = struct.unpack_from('<I', r.stdout, at)
        out.append(list(struct.unpack_from(f'<{n}I', r.stdout, at + 4)))
        at += 4 + 4 * n
    return out


def check(name, texts, got, want):
    if isinstance(got, str) or len(got) != len(want):
        counts['failed'] += 1
        print(f'FAILED {name}: {got if isinstance(got, str) else len(got)}')
        return
    bad = [i for i in range(len(texts)) if got[i] != want[i]]
    counts['failed' if bad else 'passed'] += 1
    total = sum(map(len, want))
    print(f'{name}: {len(texts)} texts, {total} ids, {len(bad)} texts differ')
    for i in bad[:5]:
        a, b = got[i], want[i]
        at = next((k for k in range(min(len(a), len(b))) if a[k] != b[k]), min(len(a), len(b)))
        print(f'FAILED {name}: text {i} {texts[i][:80]!r}: id {at}: {a[max(0, at - 2):at + 4]}, '
              f'not {b[max(0, at - 2):at + 4]}')


def hf_ids(library, texts, special):
    library.encode_special_tokens = not special
    return [e.ids for e in library.encode_batch(texts, add_special_tokens=False)]


# ---- texts ----

def random_texts():
    return [''.join(rng.choice(ALPHABET) for _ in range(rng.choice((3, 12, 60, 300))))
            for _ in range(STRINGS)]


def run_texts():
    return [c * n for c in ('a', ' ', '\n', '中', '😀', 'ab', '\u0301', '=', '1') for n in
            (39, 40, 41, 42, 255, 256, 3001)] + ['', 'a']


def handbook_texts():
    out, size = [], 0
    names = glob.glob('/usr/share/doc/debian-handbook/html/*/*.html')
    rng.shuffle(names)
    for name in names:
        if size > HANDBOOK_MB << 20:
            break
        text = re.sub(r'<[^>]*>', '', Path(name).read_text('utf-8', 'replace'))
        out.append(text)
        size += len(text.encode())
    if not out:
        counts['skipped'] += 1
        print('skipped: no debian-handbook')
    return out


# ---- the tests ----

def vectors(name, arguments, special_first, texts):
    ids = {r['id']: r['ids'] for r in rows(f'{name}.ids.jsonl.zst')}
    other = dict(ids)
    if (SHARED / f'{name}.special.ids.jsonl.zst').exists():
        other.update({r['id']: r['ids'] for r in rows(f'{name}.special.ids.jsonl.zst')})
    plain = [t['text'] for t in texts]
    for special in (False, True):
        want = ids if special == special_first else other
        check(f'vectors {name}{" special" if special else ""}', plain,
              ours((['-s'] if special else []) + arguments, plain),
              [want[t['id']] for t in texts])


def shared_tokenizers(folder, texts):
    if not SHARED.is_dir():
        counts['skipped'] += 1
        print('skipped: no tokenizers in SLUICE_SHARED')
        return
    dev = rows('dev-texts.jsonl.zst')
    for name in HF:
        file = folder / f'{name}.tokenizer.json'
        file.write_bytes(read(file.name + '.zst'))
        vectors(name, [file], True, dev)
        library = tokenizers.Tokenizer.from_file(str(file))
        for special in (False, True):
            check(f'{name}{" special" if special else ""}', texts,
                  ours((['-s'] if special else []) + [file], texts),
                  hf_ids(library, texts, special))
    for name in RANKS:
        file, beside = folder / f'{name}.tiktoken', SHARED / f'{name}.tiktoken.json'
        file.write_bytes(read(file.name + '.zst'))
        vectors(name, ['-b', beside, file], False, dev)
        spec = json.loads(beside.read_text())
        pairs = (line.split() for line in file.read_bytes().splitlines())
        library = tiktoken.Encoding(name, pat_str=spec['pat_str'],
                                    mergeable_ranks={base64.b64decode(a): int(b)
                                                     for a, b in pairs},
                                    special_tokens=spec['special_tokens'])
        check(name, texts, ours(['-b', beside, file], texts),
              [library.encode_ordinary(t) for t in texts])
        check(name + ' special', texts, ours(['-s', '-b', beside, file], texts),
              [library.encode(t, allowed_special='all') for t in texts])
    file = folder / 'tekken_240718.json'
    file.write_bytes(read(file.name + '.zst'))
    vectors('tekken_240718', [file], False, dev)


def small(folder, name, parts, texts, special=True):
    file = folder / f'{name}.json'
    whole = {'version': '1.0', 'truncation': None, 'padding': None, 'added_tokens': [],
             'normalizer': None, 'pre_tokenizer': None, 'post_processor': None, 'decoder': None,
             'model': {'type': 'BPE', 'vocab': {}, 'merges': []}}
    whole.update(parts)
    file.write_text(json.dumps(whole))
    library = tokenizers.Tokenizer.from_file(str(file))
    check(name, texts, ours((['-s'] if special else []) + [file], texts),
          hf_ids(library, texts, special))


def byte_vocabulary():
    prints = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in prints]
    names = {b: chr(b) for b in prints} | {b: chr(256 + i) for i, b in enumerate(rest)}
    return {names[b]: b for b in range(256)}


def added(content, **flags):
    return {'id': 0, 'content': content, 'single_word': False, 'lstrip': False, 'rstrip': False,
            'normalized': False, 'special': False} | flags


BYTE_LEVEL = {'type': 'ByteLevel', 'add_prefix_space': False, 'trim_offsets': True,
              'use_regex': False}


def nfc(folder):
    points = [c for c in range(0x110000) if not 0xd800 <= c < 0xe000]
    texts = [' '.join(map(chr, points[i:i + 512])) for i in range(0, len(points), 512)]
    texts += [''.join('a' + chr(c) + '\u0301\u0323' for c in points[i:i + 512])
              for i in range(0, len(points), 512)]
    marks = [*range(0x300, 0x370), 0x1100, 0x1161, 0x11a8, 0xac00, 0x61, 0x41, 0x4f, 0x1b0, 0x3099,
             0x304b, 0x93c, 0x915, 0xfb1d, 0x5b4, 0x11930, 0x1e8d0, 0x591, 0x345, 0x10a0f]
    texts += [''.join(chr(rng.choice(marks)) for _ in range(rng.choice((4, 20, 90))))
              for _ in range(STRINGS)]
    small(folder, 'NFC', {'normalizer': {'type': 'NFC'}, 'pre_tokenizer': BYTE_LEVEL, 'model': {
        'type': 'BPE', 'vocab': byte_vocabulary(), 'merges': []}}, texts)


def options(folder):
    texts = [''.join(rng.choice(['a', 'b', 'c', 'x', 'é', ' ', '▁', '<u>', 'ab', '<m>', '\n', 'ü'])
                     for _ in range(rng.choice((1, 4, 9, 30, 80)))) for _ in range(STRINGS)]
    texts = [t for t in texts if t]
    vocab = ['a', 'b', 'c', '▁', '<u>', 'ab', 'abc', 'ca', '▁a', '▁ab', 'bc', '<0xC3>', '<0xA9>']
    model = {'type': 'BPE', 'vocab': {w: i for i, w in enumerate(vocab)},
             'merges': ['b c', 'a b', 'ab c', 'c a', '▁ a', '▁ ab', 'b c'], 'unk_token': '<u>'}
    blanks = {'type': 'Replace', 'pattern': {'String': ' '}, 'content': '▁'}
    for fuse in (False, True):
        for fallback in (False, True):
            for ignore in (False, True):
                small(folder, f'options fuse {fuse} fallback {fallback} ignore {ignore}', {
                    'normalizer': blanks,
                    'model': model | {'fuse_unk': fuse, 'byte_fallback': fallback,
                                      'ignore_merges': ignore}}, texts)
    small(folder, 'no unk', {'model': model | {'unk_token': None}}, texts)
    small(folder, 'prepend', {'normalizer': {'type': 'Sequence', 'normalizers': [
        {'type': 'Prepend', 'prepend': '▁'}, blanks]}, 'model': model,
        'added_tokens': [added('<m>', special=True)]}, texts)
    for scheme in ('always', 'first', 'never'):
        for split in (False, True):
            small(folder, f'metaspace {scheme} {split}', {'pre_tokenizer': {
                'type': 'Metaspace', 'replacement': '▁', 'prepend_scheme': scheme,
                'split': split}, 'model': model, 'added_tokens': [added('<m>')]}, texts)
    for flags in ({'lstrip': True}, {'rstrip': True}, {'lstrip': True, 'rstrip': True},
                  {'normalized': True}, {'special': True}):
        for special in (False, True):
            small(folder, f'added {flags} {special}', {
                'normalizer': blanks, 'model': model,
                'added_tokens': [added('<m>', **flags), added('\n'), added('ab', special=True),
                                 added(' x', normalized=True)]}, texts, special)
    ends = {'a': 0, 'b': 1, 'a</w>': 2, 'b</w>': 3, 'ab</w>': 4, 'ab': 5, '<u>': 6}
    small(folder, 'suffix', {'pre_tokenizer': {'type': 'WhitespaceSplit'}, 'model': {
        'type': 'BPE', 'vocab': ends, 'merges': ['a b</w>', 'a b'], 'unk_token': '<u>',
        'end_of_word_suffix': '</w>'}}, texts)
    inner = {'a': 0, '##b': 1, 'ab': 2, '##a': 3, '##ba': 4, 'b': 5, '<u>': 6}
    small(folder, 'prefix', {'model': {
        'type': 'BPE', 'vocab': inner, 'merges': ['a ##b', '##b ##a'], 'unk_token': '<u>',
        'continuing_subword_prefix': '##'}}, texts)
    level = byte_vocabulary()
    level = {w: i for w, i in level.items()} | {'Ġa': 256, 'a</w>': 257, 'ba</w>': 258}
    small(folder, 'byte level with a suffix', {
        'pre_tokenizer': BYTE_LEVEL | {'use_regex': True},
        'model': {'type': 'BPE', 'vocab': level, 'merges': ['b a</w>', 'Ġ a'],
                  'end_of_word_suffix': '</w>'}}, texts)
    small(folder, 'prefix space', {
        'pre_tokenizer': BYTE_LEVEL | {'use_regex': True, 'add_prefix_space': True},
        'added_tokens': [added('<m>')],
        'model': {'type': 'BPE', 'vocab': level, 'merges': ['Ġ a']}}, texts)
    small(folder, 'digits', {
        'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': [
            {'type': 'Digits', 'individual_digits': True}, BYTE_LEVEL | {'use_regex': True}]},
        'model': {'type': 'BPE', 'vocab': level | {'11': 259}, 'merges': ['1 1']}},
        ['a11 11', '٣٤11', '²1①'])


def main():
    with tempfile.TemporaryDirectory() as tmp:
        texts = random_texts() + run_texts() + handbook_texts()
        nfc(Path(tmp))
        options(Path(tmp))
        shared_tokenizers(Path(tmp), texts)
    print(f'{counts["passed"]} passed, {counts["failed"]} failed, {counts["skipped"]} skipped')
    sys.exit(counts['failed'] > 0)


main()
