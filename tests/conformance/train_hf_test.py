#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sluice-train-tokenizer against the trainer of Hugging Face tokenizers: the files must be
the same, byte for byte, and tiktoken must read the ranks.

    python3 tests/conformance/train_hf_test.py BUILD_DIR

Corpora: the files of SLUICE_SHARED (default ../shared beside the checkout), made ones of
English, six languages and code from what is installed, and random words of few letters.

SLUICE_TRAIN_WORDS  sets of random words [400]
"""
import html
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ['TIKTOKEN_CACHE_DIR'] = ''  # it would read an old file of the same name
ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get('SLUICE_SHARED', ROOT.parent / 'shared')) / 'data/tokenizers'
BUILD = Path(sys.argv[1] if len(sys.argv) > 1 else 'build/release').resolve()
RANDOM = int(os.environ.get('SLUICE_TRAIN_WORDS', 400))
HANDBOOK = Path('/usr/share/doc/debian-handbook/html')
try:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
except ImportError:
    print('skipped: no tokenizers for this Python')
    sys.exit(77)

PATTERNS = ('gpt2', 'cl100k', 'o200k', 'llama3', 'qwen2', 'qwen35', 'tekken', 'deepseek3', 'none')
ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())
counts = {'passed': 0, 'failed': 0, 'skipped': 0}
folder = Path(tempfile.mkdtemp())


def check(name, fine, why=''):
    counts['passed' if fine else 'failed'] += 1
    if not fine:
        print(f'FAILED {name}: {str(why)[:600]}', flush=True)


def skip(why):
    counts['skipped'] += 1
    print(f'skipped: {why}', flush=True)


def run(*argv, **more):
    p = subprocess.run([str(a) for a in argv], capture_output=True, **more)
    if p.returncode:
        check(' '.join(map(str, argv))[:200], False, p.stderr.decode()[:500])
    return p.stdout


def docs(name, texts):
    path = folder / f'{name}.jsonl'
    with open(path, 'w', encoding='utf8', newline='') as f:
        for t in texts:
            f.write(json.dumps({'text': t}, ensure_ascii=False) + '\n')
    run(BUILD / 'bin/sluice-import', '-q', '-f', '-o', folder / f'{name}.arrows', path)
    return folder / f'{name}.arrows'


def ours(stream, vocab, *args):
    return run(BUILD / 'bin/sluice-train-tokenizer', '-q', '--vocab', vocab, *args, stream).decode()


def theirs(texts, vocab, min_frequency=0, special=(), pre=None):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre or pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=vocab, min_frequency=min_frequency, special_tokens=list(special),
        initial_alphabet=ALPHABET, show_progress=False))
    return t.to_str(pretty=False)


def merges(text):
    return json.loads(text)['model']['merges'] if text else []


def same(name, a, b):
    if a == b:
        return check(name, True)
    x, y = merges(a), merges(b)
    at = next((i for i, (p, q) in enumerate(zip(x, y)) if p != q), min(len(x), len(y)))
    check(name, False, f'{len(x)} and {len(y)} merges, the first other one is {at}: '
          f'{x[at:at + 2]} {y[at:at + 2]}; else {a[:300]} {b[:300]}')


# ---- corpora ----

def page(path):
    t = path.read_text(encoding='utf8', errors='replace')
    t = re.sub(r'(?s)<(script|style|head).*?</\1>', '', t)
    return html.unescape(re.sub(r'<[^>]+>', '', t))


def handbook(*languages):
    return [page(p) for lang in languages for p in sorted((HANDBOOK / lang).glob('*.html'))]


def code(most_bytes):
    size, out = 0, []
    for p in sorted(Path(os.__file__).parent.rglob('*.py')):
        t = p.read_bytes()
        try:
            out.append(t.decode())
        except UnicodeDecodeError:
            continue
        size += len(t)
        if size > most_bytes:
            break
    return out


def made_text(seed):
    """Words of many scripts in a Zipf order, white space of every kind, long runs."""
    rng = random.Random(seed)
    letters = ['abcdefghijklmnopqrstuvwxyz', 'абвгдежзиклмнопрст', 'אבגדהוזחטי', '中文字符测试语言模型',
               'ก็ขคงจฉชซ', 'éèàüößñ', '0123456789', '😀👍🏽‍❤️']
    words = [''.join(rng.choice(s) for _ in range(rng.randint(1, 9)))
             for s in letters for _ in range(150)]
    words += ["don't", "we'll", "I'M", '\u017f', '==', '//', '...', 'a' * 300, ' ' * 50, '\r\n']
    space = [' ', ' ', ' ', '  ', '\n', '\n\n', '\t', '\r\n', ' \n ', '\u3000', '\xa0']
    texts = []
    for _ in range(60):
        text = ''
        for _ in range(rng.randint(0, 400)):
            text += words[int(len(words) * rng.random() ** 3)] + rng.choice(space)
        texts.append(text)
    return texts


# ---- tests ----

def shared_files():
    if not (SHARED / 'train-corpus.txt.zst').exists():
        return skip('no data/tokenizers in SLUICE_SHARED')
    import zstandard

    def unpack(name):
        with open(SHARED / name, 'rb') as f:
            return zstandard.ZstdDecompressor().stream_reader(f).read().decode()
    stream = docs('shared', [unpack('train-corpus.txt.zst')])
    for name, args in (
            ('train-2000', ('2000', '--unit', 'line')),
            ('train-8000', ('8000', '--unit', 'line')),
            ('train-8000-whole', ('8000',)),
            ('train-4000-cl100k', ('4000', '--pattern', 'llama3', '--min-frequency', 2, '--special',
                                   '<|endoftext|>,<|pad|>'))):
        same(name, ours(stream, *args), unpack(name + '.tokenizer.json.zst'))


def installed():
    corpora = {'code': code(6e6)}
    if HANDBOOK.exists():
        corpora['English'] = handbook('en-US')
        corpora['six languages'] = handbook('de-DE', 'fr-FR', 'ja-JP', 'zh-CN', 'ru-RU', 'ar-MA')
    else:
        skip('no debian-handbook')
    for name, texts in corpora.items():
        stream = docs(name.replace(' ', '-'), texts)
        for vocab in (8000, 32000):
            a = ours(stream, vocab, '-T2')
            same(f'{name} to {vocab}', a, theirs(texts, vocab))
        encode(name, a, texts[:20])


def encode(name, text, texts):
    """The file loads, and its ids give the texts back."""
    t = Tokenizer.from_str(text)
    check(f'{name}: ids give the text back',
          all(t.decode(t.encode(x).ids, skip_special_tokens=False) == x for x in texts))
    try:
        import tiktoken.load
    except ImportError:
        return skip('no tiktoken for this Python')
    stream = folder / f'{name.replace(" ", "-")}.arrows'
    ranks = folder / 'ranks.tiktoken'
    ours(stream, 32000, '--tiktoken', ranks, '-f')
    rank = tiktoken.load.load_tiktoken_bpe(str(ranks))
    info = json.loads((folder / 'ranks.tiktoken.json').read_text())
    e = tiktoken.Encoding('ours', pat_str=info['pat_str'], mergeable_ranks=rank,
                          special_tokens=info['special_tokens'])
    pairs = [(e.encode_ordinary(x), t.encode(x).ids) for x in texts]
    other = sum(a != b for a, b in pairs)
    # Ranks also join neighbours that no merge joins: in a vocabulary that has learnt a small
    # corpus by heart a few ids may be others.
    check(f'{name}: tiktoken gives the same ids', other * 10 <= len(pairs), f'{other} texts differ')
    check(f'{name}: tiktoken gives the text back',
          all(e.decode(a) == x for (a, _), x in zip(pairs, texts)))


def patterns():
    """Hugging Face trains with the pre-tokenizer that our file has."""
    texts = made_text(1)
    stream = docs('made', texts)
    for name in PATTERNS:
        a = ours(stream, 1500, '--pattern', name, '--special', '<a>,<"\\\n>')
        t = Tokenizer.from_str(a)
        same(f'pattern {name}', a, theirs(texts, 1500, 0, ['<a>', '<"\\\n>'], t.pre_tokenizer))
        check(f'pattern {name}: special tokens', t.token_to_id('<"\\\n>') == 1)
    own = r'\p{L}{1,4}|\d'
    a = ours(stream, 1500, '--regex', own)
    same('an expression of its own', a, theirs(texts, 1500, 0, (),
                                               Tokenizer.from_str(a).pre_tokenizer))
    lines = [x for t in texts for x in re.findall('[^\n]*\n|[^\n]+$', t)]
    for least in (0, 2, 7):
        same(f'lines, at least {least}',
             ours(stream, 900, '--unit', 'line', '--min-frequency', least),
             theirs(lines, 900, least))


def cl100k_in_tiktoken():
    """The pieces of our spelling of cl100k are those of tiktoken's own."""
    try:
        import tiktoken.load
    except ImportError:
        return skip('no tiktoken for this Python')
    pattern = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+|"
               r" ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s")
    texts = made_text(2)
    stream = docs('made2', texts)
    ours(stream, 2000, '--pattern', 'cl100k', '--tiktoken', folder / 'c.tiktoken', '-f', '-o',
         folder / 'c.json')
    rank = tiktoken.load.load_tiktoken_bpe(str(folder / 'c.tiktoken'))
    e = tiktoken.Encoding('c', pat_str=pattern, mergeable_ranks=rank, special_tokens={})
    t = Tokenizer.from_file(str(folder / 'c.json'))
    wrong = [x for x in texts if e.encode_ordinary(x) != t.encode(x).ids]
    check('cl100k by tiktoken', not wrong, repr(wrong[:1])[:300])


def random_words():
    wrong = 0
    for seed in range(RANDOM):
        r = random.Random(seed)
        letters = 'abcdefgh'[:r.randint(1, 4)]
        words = [(''.join(r.choice(letters) * r.choice([1, 1, 2, 3, 5, 9])
                          for _ in range(r.randint(1, r.choice([1, 3, 8, 30])))),
                  r.randint(1, r.choice([1, 2, 9])))
                 for _ in range(r.randint(1, r.choice([4, 40])))]
        special = r.choice([[], [], ['<|x|>'], ['ab', '<p>']])
        vocab, least = 256 + len(special) + r.choice([2, 10, 50, 300]), r.choice([0, 0, 2, 5])
        data = b''.join(struct.pack('<Iq', len(w), n) + w.encode() for w, n in words)
        got = [tuple(map(int, x.split()[:3])) for x in
               run(BUILD / 'test/train_dump', vocab, least, *special, input=data).splitlines()]
        model = json.loads(theirs([w for w, n in words for _ in range(n)], vocab, least, special,
                                  pre_tokenizers.ByteLevel(False, use_regex=False)))['model']
        v = model['vocab']
        wrong += got != [(v[a], v[b], v[a + b]) for a, b in model['merges']]
    check(f'random words: {wrong} of {RANDOM} differ', not wrong)


shared_files()
installed()
patterns()
cl100k_in_tiktoken()
random_words()
subprocess.run(['rm', '-r', folder])
print(f'{counts["passed"]} passed, {counts["failed"]} failed, {counts["skipped"]} skipped')
sys.exit(1 if counts['failed'] or not counts['passed'] else 0)
