#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pre-tokenizers against Hugging Face's tokenizers, and Python's regex module beside it.

    python3 tests/conformance/split_test.py BUILD_DIR

Pieces must be equal over the texts of SLUICE_SHARED (default ../shared beside the checkout),
every code point in contexts, and random strings of an alphabet that meets every branch.
"""
import json
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get('SLUICE_SHARED', ROOT.parent / 'shared')) / 'data/tokenizers'
DUMP = Path(sys.argv[1] if len(sys.argv) > 1 else 'build/release') / 'test/split_dump'
RANDOM = int(os.environ.get('SLUICE_SPLIT_STRINGS', 100000))
try:
    from tokenizers import Regex, pre_tokenizers
except ImportError:
    print('skipped: no tokenizers for this Python')
    sys.exit(77)
try:
    import regex
except ImportError:
    regex = None
try:
    import tiktoken
except ImportError:
    tiktoken = None

rng = random.Random(7)
counts = {'passed': 0, 'failed': 0, 'skipped': 0}

ENDS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
BEFORE = r'[^\r\n\p{L}\p{N}]?'
UPPER, LOWER = r'[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]', r'[\p{Ll}\p{Lm}\p{Lo}\p{M}]'
SPACES = r'|\s*[\r\n]+|\s+(?!\S)|\s+'
PATTERNS = {
    'gpt2': [r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"],
    'llama3': [ENDS + '|' + BEFORE + r'\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*' + SPACES],
    'qwen2': [ENDS + '|' + BEFORE + r'\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*' + SPACES],
    'qwen35': [ENDS + '|' + BEFORE + r'[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*' +
               SPACES],
    'o200k': [f'{BEFORE}{UPPER}*{LOWER}+{ENDS}?|{BEFORE}{UPPER}+{LOWER}*{ENDS}?' +
              r'|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*' + SPACES],
    'tekken': [f'{BEFORE}{UPPER}*{LOWER}+|{BEFORE}{UPPER}+{LOWER}*' +
               r'|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*' + SPACES],
    'deepseek3': [r'\p{N}{1,3}', '[一-龥\u3040-ゟ゠-ヿ]+',
                  r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|"""
                  '[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|'
                  '\\s*[\r\n]+|\\s+(?!\\S)|\\s+'],
}
# What tiktoken reads with another engine; regex reads it in the same way.
RUST = {
    'cl100k': r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+|"
              r" ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    'gpt2': r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    'llama3': r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}|"
              r" ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    'o200k': PATTERNS['o200k'][0],
    'tekken': PATTERNS['tekken'][0],
}
BEHAVIOURS = ['isolated', 'removed', 'merged_with_previous', 'merged_with_next', 'contiguous']
ALPHABET = ("'''sStTdDmMlLvVeErRſaAbzZ   \t\n\n\r\v\f\x85\u00a0\u2028\u3000 123.,!?/-_#(\x00\x1f"
            '\x7f\u00ad\u200b\u200d\ufeff\ue000\u0378éÉǅʰªßΣσςж́҈ः०²ⅧⅷⒶ中日々〇ぁンー・゛\u3099\u3097'
            '\u3040゠龥龦한ㅎ😀👍🏽🇩\U000e0001\U00010400\U00010428\U0001d400\U000110bd$€+<=>^`|~«»“”’')


def check(name, fine, why=''):
    counts['passed' if fine else 'failed'] += 1
    if not fine:
        print(f'FAILED {name}: {why}')


def skip(why):
    counts['skipped'] += 1
    print(f'skipped: {why}')


# ---- Our side

def kind(name):
    return f'kind {name}\n'.encode()


def steps(*parts):
    """parts: (pattern, behaviour, invert, literal, engine), all but the first optional."""
    out = b''
    for part in parts:
        pattern, behaviour, invert, literal, engine = \
            part + ('isolated', False, False, 'oniguruma')[len(part) - 1:]
        p = pattern.encode()
        out += b'step %s %d %d %d %d\n%s' % (engine.encode(), BEHAVIOURS.index(behaviour), invert,
                                             literal, len(p), p)
    return out + b'make\n'


def ours(spec, texts, most=64):
    """What split_dump says of the pre-tokenizer, and its lines for the texts."""
    parts = [spec]
    for t in texts:
        b = t.encode()
        parts.append(b'text %d %d\n%s' % (most, len(b), b))
    p = subprocess.run([DUMP], input=b''.join(parts), capture_output=True)
    if p.returncode not in (0, 2):
        sys.exit(f'split_dump: {p.stderr.decode()[-3000:]}')
    lines = p.stdout.decode().split('\n')[:-1]
    return lines[0], lines[1:]


def line_of(pieces):
    """Pieces as they lie in the text, as split_dump prints them."""
    at = 0
    out = []
    for piece in pieces:
        at += len(piece.encode())
        out.append(f'{at} ')
    return ''.join(out)


def kept(line, text):
    """The strings of the pieces of a line that were not removed."""
    raw = text.encode()
    out, at = [], 0
    for word in line.split():
        end = int(word.rstrip('-'))
        if not word.endswith('-'):
            out.append(raw[at:end].decode())
        at = end
    return out


# ---- The referees

def split_of(patterns):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(p), 'isolated') for p in patterns])


def pieces(pre, text):
    return [p for p, _ in pre.pre_tokenize_str(text)]


def compare(name, spec, texts, referee):
    """referee: text to its pieces."""
    said, lines = ours(spec, texts)
    wrong, why = 0, ''
    for text, line in zip(texts, lines):
        want = line_of(referee(text))
        if line != want:
            wrong += 1
            why = why or f'{text[:200]!r}: {kept(line, text)[:40]}, not {referee(text)[:40]}'
    check(f'{name}: {wrong} of {len(texts)} differ', len(lines) == len(texts) and not wrong,
          why or said)


def dev_texts():
    path = SHARED / 'dev-texts.jsonl.zst'
    if not path.exists():
        skip(f'no {path.name} in the shared data')
        return []
    try:
        import zstandard
    except ImportError:
        skip('no zstandard for this Python')
        return []
    raw = zstandard.ZstdDecompressor().stream_reader(path.open('rb')).read()
    return [json.loads(line)['text'] for line in raw.decode().split('\n') if line]


def categories():
    text = (ROOT / 'lib/token/classes_table.h').read_text()

    def numbers(name):
        body = text.split(name + '[', 1)[1].split('{', 1)[1].split('}', 1)[0]
        return [int(w) for w in body.split(',') if w.strip()]

    index, flat = numbers('sl_class_index'), numbers('sl_class_bytes')
    return [flat[index[cp >> 7] * 128 + (cp & 127)] for cp in range(0x110000)]


def contexts(table):
    """Every code point that is assigned (of the many that are alike, every 16th) between others."""
    cps = [cp for cp, b in enumerate(table)
           if (b & 31) not in (24, 25, 26) or (cp % 512 == 0 and (b & 31) != 24)]
    cps = [cp for cp in cps if (table[cp] & 31) != 4 or cp % 16 == 0 or cp < 0x3400]
    out = []
    for i in range(0, len(cps), 500):
        some = [chr(c) for c in cps[i:i + 500]]
        for form in ('a{0}b', ' {0}', '1{0}\n', "'{0}x", "{0}'s", '.{0}{0}A', '\u0301{0}\u0301',
                     '中{0}ア', '  {0}1'):
            out.append(''.join(form.format(c) for c in some))
    return out


def strings(n):
    return [''.join(rng.choices(ALPHABET, k=rng.randrange(1, 20))) for _ in range(n)]


def long_strings(n):
    """Mostly ASCII, longer than the blocks that are cut at once."""
    words = ["don't", "I'LL", 'Hello', 'HELLO', 'helloWorld', 'a', 'x1', '12', '12345', ' ', '  ',
             '\n', '\n\n', '\n    ', ' \n \n', '\t', '\r\n', '.', ',', '...', '//', '/\n/', "'s",
             "''", "'s's", '(x)', '_y', '#', '\x01', ' x', ' y', ' The', ' of', ' and', ' .', ' 7',
             'é', '中', ' да']
    return [''.join(rng.choices(words, k=rng.randrange(20, 200))) for _ in range(n)]


def test_classes(table):
    """Each class over all code points, in Oniguruma and, for white space and words, Rust."""
    cps = [cp for cp in range(0x110000) if not 0xd800 <= cp < 0xe000]
    groups = {'L': range(5), 'M': range(5, 8), 'N': range(8, 11), 'P': range(11, 18),
              'S': range(18, 22), 'Lu': [0], 'Ll': [1], 'Lt': [2], 'Lm': [3], 'Lo': [4], 'Mn': [5],
              'Nd': [8], 'Nl': [9], 'Po': [17], 'Sk': [20], 'Cf': [23], 'Zs': [27],
              'Z': [27, 28, 29]}
    wanted = {name: {cp for cp in cps if table[cp] & 31 in group} for name, group in groups.items()}
    wanted['Han'] = {cp for cp in cps if table[cp] & 32}
    for name, size in (('L', 141028), ('N', 1911), ('M', 2501), ('P', 855), ('S', 8514)):
        check(f'{name} has {size}', len(wanted[name]) == size, len(wanted[name]))

    def members(pre):
        out = set()
        for i in range(0, len(cps), 10000):
            for piece in pieces(pre, ''.join(map(chr, cps[i:i + 10000]))):
                out.update(map(ord, piece))
        return out

    for name, want in wanted.items():
        got = members(pre_tokenizers.Split(Regex(rf'\p{{{name}}}'), 'removed', invert=True))
        check(f'\\p{{{name}}}', got == want, sorted(map(hex, got ^ want))[:10])
    space = {cp for cp in cps if table[cp] & 31 >= 27}
    for name, pre in (('\\s', pre_tokenizers.Split(Regex(r'\s'), 'removed')),
                      ('\\s of Rust', pre_tokenizers.WhitespaceSplit())):
        check(name, set(cps) - members(pre) == space and len(space) == 25)


def test_classes_by_pcre2():
    """Classes of expressions over all code points."""
    cps = [cp for cp in range(0x110000) if not 0xd800 <= cp < 0xe000]
    texts = [''.join(map(chr, cps[i:i + 10000])) for i in range(0, len(cps), 10000)]
    for pattern in (r'\w', r'[^\w\s]', r'[\W]', r'\D', r'[\s]', r'[^\S]', r'\P{L}', '.',
                    r'[^\p{^L}\p{Nd}]', r'[a\w&&[^b]]', '(?i:s)', '(?i:[k-s])', r'[^\h]',
                    '[一-龥\u3040-ゟ゠-ヿ]'):
        pre = pre_tokenizers.Split(Regex(pattern), 'removed', invert=True)
        said, lines = ours(steps((pattern, 'removed', True)), texts)
        want = {c for t in texts for p in pieces(pre, t) for c in p}
        got = {c for t, line in zip(texts, lines) for p in kept(line, t) for c in p}
        check(f'{pattern} over all code points', want == got and want, said)


def test_kinds(texts, random_strings):
    long_texts = long_strings(len(random_strings) // 20)
    for name, patterns in PATTERNS.items():
        pre = split_of(patterns)
        compare(f'{name}, {len(texts)} texts', kind(name), texts, lambda t: pieces(pre, t))
        compare(f'{name}, random strings', kind(name), random_strings, lambda t: pieces(pre, t))
        compare(f'{name}, long strings', kind(name), long_texts, lambda t: pieces(pre, t))
        said, _ = ours(steps(*[(p,) for p in patterns]), [])
        check(f'the pattern of {name} is its scanner', said == f'ok {name}', said)
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    ends = [[end for _, (_, end) in byte_level.pre_tokenize_str(t)] for t in texts]
    _, lines = ours(kind('gpt2'), texts)
    wrong = sum([len(t[:e].encode()) for e in end] != [int(w) for w in line.split()]
                for t, end, line in zip(texts, ends, lines))
    check(f'gpt2 against ByteLevel: {wrong} differ', not wrong)


def test_regex(texts, random_strings, table):
    if not regex:
        return skip('no regex for this Python')
    texts = texts + long_strings(2000)
    texts = [t for t in texts if not any(table[ord(c)] & 31 == 26 for c in t)]
    for name, pattern in RUST.items():
        # In regex, $ is before a last newline too, and it knows newer characters.
        compiled = regex.compile(pattern.replace('$', r'\Z'))
        compare(f'{name} against regex', kind(name), texts + random_strings, compiled.findall)
        said, _ = ours(steps((pattern, 'isolated', False, False, 'rust')), [])
        check(f'the pattern of {name} for tiktoken is its scanner', said == f'ok {name}', said)


def test_tiktoken(texts, random_strings):
    """tiktoken tells no pieces, but a piece that is in its ranks is one id: with all of our
    pieces there, and all pairs of neighbours, its tokens are our pieces only if its are too."""
    if not tiktoken:
        return skip('no tiktoken for this Python')
    texts = texts + random_strings + long_strings(500)
    for name, pattern in RUST.items():
        _, lines = ours(kind(name), texts)
        cut = [kept(line, t) for t, line in zip(texts, lines)]
        known = {p for c in cut for p in c} | {a + b for c in cut for a, b in zip(c, c[1:])}
        ranks = {bytes([i]): i for i in range(256)}
        for p in sorted(k.encode() for k in known):
            ranks.setdefault(p, len(ranks))
        enc = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
        wrong = [(t, c) for t, c in zip(texts, cut)
                 if enc.decode_tokens_bytes(enc.encode_ordinary(t)) != [p.encode() for p in c]]
        check(f'{name} against tiktoken: {len(wrong)} of {len(texts)} differ', not wrong, wrong[:1])


def test_pcre2(texts, random_strings):
    """The general way gives what the scanners give, where it is forced upon a pattern."""
    jobs = [(name, [(f'(?:{p})',) for p in patterns]) for name, patterns in PATTERNS.items()]
    jobs += [(name, [(f'(?:{p})', 'isolated', False, False, 'rust')]) for name, p in RUST.items()]
    for name, parts in jobs:
        said, general = ours(steps(*parts), texts + random_strings)
        _, scanned = ours(kind(name), texts + random_strings, most=1)
        wrong = sum(a != b for a, b in zip(general, scanned))
        check(f'{name} by PCRE2: {wrong} differ', said == 'ok steps' and not wrong, said)


def test_behaviours(random_strings):
    patterns = [r'\p{N}', r'\s+', r'[^\s\p{L}]+', r"(?i:'s|'t)", r'\p{N}{1,3}+', r'\w+|[^\w\s]+',
                r'\d+(?=[a-z])|[[#\p{Lu}]&&[^B]]', r'(?<=[a-z])[A-Z]', r'a$', r'^[a-z\n]', r'\bs\b',
                r'[^\n]', r'.', r'\p{Han}+', r'[\p{P}$+<=>^`|~]', r'(?<!a)b|(?>\s*)[.,]', r'\W',
                r'\Bt',
                r'(?:\p{L}\p{M}*){2,4}?', r'\h|[^\P{N}]', PATTERNS['gpt2'][0], PATTERNS['o200k'][0]]
    texts = random_strings[:3000] + ['a\nb\n', '\na\n\n', 'a', 'a\n', '11', '']
    for pattern in patterns:
        for behaviour in BEHAVIOURS:
            for invert in (False, True):
                pre = pre_tokenizers.Split(Regex(pattern), behaviour, invert)
                some = rng.sample(texts, 600)
                said, lines = ours(steps((pattern, behaviour, invert)), some)
                wrong = [(t, kept(line, t), pieces(pre, t)) for t, line in zip(some, lines)
                         if kept(line, t) != pieces(pre, t)]
                check(f'{pattern} {behaviour} {invert}: {len(wrong)} of {len(some)} differ',
                      len(lines) == len(some) and not wrong, f'{said} {wrong[:1]}')
    for literal in ("'s", ' ', 'a', '.', '中'):
        for behaviour in BEHAVIOURS:
            pre = pre_tokenizers.Split(literal, behaviour)
            _, lines = ours(steps((literal, behaviour, False, True)), texts)
            wrong = [t for t, line in zip(texts, lines) if kept(line, t) != pieces(pre, t)]
            check(f'literal {literal} {behaviour}', not wrong, wrong[:1])


def pattern_of(name):
    """The string of a macro in split_patterns.h."""
    text = (ROOT / 'lib/token/split_patterns.h').read_text()
    body = re.split(r'\n\n|\n#', text.split(f'#define SL_PATTERN_{name}', 1)[1])[0]
    return ''.join(re.findall(r'"(.*)"', body)).replace('\\\\', '\\')


def test_sequences(random_strings):
    """What files of models hold, and Hugging Face's own pre-tokenizers as steps."""
    P = pre_tokenizers
    digit, signs, words = pattern_of('DIGIT'), pattern_of('PUNCTUATION'), pattern_of('WORDS')
    everything = [''.join(chr(c) + 'a1 '[c % 3] for c in range(i, i + 1024))
                  for i in range(0, 0x110000, 1024) if not 0xd800 <= i < 0xe000]
    jobs = [
        ('Whitespace', P.Whitespace(), [(words, 'removed', True, False, 'rust')]),
        ('WhitespaceSplit', P.WhitespaceSplit(), [(r'\s', 'removed')]),
        ('Digits', P.Digits(False), [(digit, 'contiguous')]),
        ('Digits, each', P.Digits(True), [(digit, 'isolated')]),
        ('Punctuation', P.Punctuation('isolated'), [(signs, 'isolated')]),
        ('Punctuation, contiguous', P.Punctuation('contiguous'), [(signs, 'contiguous')]),
        ('StarCoder', P.Sequence([P.Digits(True), P.Split(Regex(PATTERNS['gpt2'][0]), 'isolated')]),
         [(digit, 'isolated'), (PATTERNS['gpt2'][0],)]),
        ('spaces, then numbers',
         P.Sequence([P.Split(' ', 'merged_with_next'), P.Split(Regex(r'\p{N}'), 'removed'),
                     P.Split(Regex(r'[A-Z]+'), 'contiguous', True)]),
         [(' ', 'merged_with_next', False, True), (r'\p{N}', 'removed'),
          (r'[A-Z]+', 'contiguous', True)]),
        ('DeepSeek, then more', P.Sequence([split_of(PATTERNS['deepseek3']),
                                            P.Split(Regex('[aeiou]'), 'merged_with_previous')]),
         [(p,) for p in PATTERNS['deepseek3']] + [('[aeiou]', 'merged_with_previous')]),
        ('Bloom', P.Split(Regex(r' ?[^(\s|[.,!?…。，、।۔،])]+'), 'isolated'),
         [(r' ?[^(\s|[.,!?…。，、।۔،])]+',)]),
    ]
    for name, pre, parts in jobs:
        texts = random_strings[:5000] + everything
        said, lines = ours(steps(*parts), texts, most=3)
        wrong = [(t, kept(line, t), pieces(pre, t)) for t, line in zip(texts, lines)
                 if kept(line, t) != pieces(pre, t)]
        check(f'{name}: {len(wrong)} differ', len(lines) == len(texts) and not wrong,
              f'{said} {wrong[:1]}')


def test_refused():
    for pattern in ['', '(', ')', 'a)', '[', '[]', '[]a]', '[a', 'a**', '*a', 'a{', 'a{2', 'a{,3}',
                    'a{3,2}', 'a{2}?', '(?<n>a)', '(?m:a)', '(?x)a', 'a(?i)b', r'(a)\1', r'\X',
                    r'\R', r'\K', r'\G', r'\Z', r'\p{Greek}', r'\p{L', r'\pL', '[[:alpha:]]',
                    '[a&&]', r'[\w-z]', '[a--b]', '(?i:é)', '(?i:ss)', r'(?i:\p{Lu})', 'a*', 'a|',
                    '(?=a)', '^', r'\b', '(?<=a+)b',
                    r'\x{d800}', r'\x{110000}', '\\', r'\c', '(' * 40 + 'a' + ')' * 40, '(*UTF)a',
                    '[' * 9 + 'a' + ']' * 9, '(?#a)b', r'(?(1)a|b)', r'\Qa\E', '[z-a]', 'a{5000}']:
        said, _ = ours(steps((pattern,)), [])
        check(f'{pattern[:40]} is refused', said.startswith('error'), said)
    said, _ = ours(steps(('\\Ga', 'isolated', False, False, 'rust')), [])
    check('a refusal tells the place and the expression',
          "byte 0 of the expression '\\Ga'" in said, said)


def test_time():
    """No text makes an expression hang: it is cut, or refused, within seconds."""
    n = 1 << 20
    hard = [r'\s+$|x', r'(?:a+)+b', r'\p{N}{1,3}(?=(?:\p{N}{3})*\b)', r'[^x]*x|.', r'(?:a|aa)+$|.',
            r'\s+(?!\S)|\s+']
    for text in (' ' * n + 'a', 'a' * n, '1' * n, 'é' * n, ('a' * 900 + ' ') * (n // 901)):
        for pattern in hard:
            start = time.time()
            said, lines = ours(steps((pattern,)), [text], most=4096)
            took = time.time() - start
            check(f'{pattern} on {text[:3]!r} times {len(text)} took {took:.1f} s',
                  took < 20 and lines, f'{said} {lines[:1]}'[:200])
        for name in PATTERNS:
            start = time.time()
            ours(kind(name), [text], most=4096)
            took = time.time() - start
            check(f'{name} on {text[:3]!r} took {took:.1f} s', took < 5)


def main():
    table = categories()
    test_classes(table)
    test_classes_by_pcre2()
    random_strings = strings(RANDOM)
    texts = dev_texts()
    test_kinds(texts + contexts(table), random_strings)
    test_regex(texts, random_strings[:RANDOM // 2], table)
    test_tiktoken(texts, random_strings[:RANDOM // 5])
    test_pcre2(texts + contexts(table)[::7], random_strings[:RANDOM // 10])
    test_behaviours(random_strings)
    test_sequences(random_strings)
    test_refused()
    test_time()
    print(', '.join(f'{n} {name}' for name, n in counts.items()))
    sys.exit(counts['failed'] > 0)


main()
