# SPDX-License-Identifier: Apache-2.0
"""The scores of sluice-difficulty once more, slowly, from docs/difficulty.md alone."""
import unicodedata
from collections import Counter
from itertools import pairwise

import numpy as np

WINDOW = 4096
LG = [0] + [(n ** 256).bit_length() - 1 for n in range(1, WINDOW + 1)]


# ---- compression ----

def code(v):
    """Code and extra bits of a run or length."""
    if v < 16:
        return v, 0
    bits = v.bit_length() - 1
    return 12 + bits, bits


def parse(w):
    """Literals, and (run, length, offset) of the matches."""
    n = len(w)
    table, literals, matches = {}, bytearray(), []
    at = done = 0
    while at + 4 <= n:
        four = w[at:at + 4]
        h = (int.from_bytes(four, "little") * 2654435761 & 0xffffffff) >> 20
        b = table.get(h)
        table[h] = at
        if b is None or w[b:b + 4] != four:
            at += 1
            continue
        end = at + 4
        while end < n and w[b + end - at] == w[end]:
            end += 1
        offset = at - b
        while at > done and b > 0 and w[at - 1] == w[b - 1]:
            at, b = at - 1, b - 1
        literals += w[done:at]
        matches.append((at - done, end - at, offset))
        at = done = end
    return literals + w[done:], matches


def price(symbols, told):
    counts = Counter(symbols)
    n = sum(counts.values())
    return sum(c * (LG[n] - LG[c]) for c in counts.values()) + 256 * told * len(counts)


def window_cost(w):
    literals, matches = parse(w)
    runs = [code(r) for r, _, _ in matches]
    lengths = [code(length - 4) for _, length, _ in matches]
    offsets = [o.bit_length() - 1 for _, _, o in matches]
    cost = min(price(literals, 8), 2048 * len(literals))
    for codes in ([c for c, _ in runs], [c for c, _ in lengths], offsets):
        cost += price(codes, 6)
    cost += 256 * (sum(x for _, x in runs) + sum(x for _, x in lengths) + sum(offsets))
    return min(cost, 2048 * len(w)) + 24576


def compression(data):
    if not data:
        return None
    cost = sum(window_cost(data[i:i + WINDOW]) for i in range(0, len(data), WINDOW))
    return np.float32(cost / (2048 * len(data)))


# ---- words and sentences ----

def chars(*spans):
    return {chr(c) for a, *b in spans for c in range(a, (b[0] if b else a) + 1)}


BLANKS = chars((9, 0xd), (0x1c, 0x20), (0x85,), (0xa0,), (0x1680,), (0x2000, 0x200a),
               (0x2028, 0x2029), (0x202f,), (0x205f,), (0x3000,))
WIDE = set("。！？｡")
MARKS = WIDE | set(".!?") | chars(
    (0x589,), (0x61d, 0x61f), (0x6d4,), (0x700, 0x702), (0x7f9,), (0x964, 0x965),
    (0xf0d, 0xf0e), (0x104a, 0x104b), (0x1362,), (0x1367, 0x1368), (0x166e,), (0x17d4, 0x17d5),
    (0x1803,), (0x1809,), (0x1c7e, 0x1c7f), (0x2026,), (0x203c, 0x203d), (0x2047, 0x2049),
    (0xa4ff,), (0xa60e, 0xa60f), (0xabeb,), (0xff0e,))
CLOSERS = set("\"')]}") | chars(
    (0xbb,), (0x2019,), (0x201c, 0x201d), (0x203a,), (0x3009,), (0x300b,), (0x300d,), (0x300f,),
    (0x3011,), (0x3015,), (0x3017,), (0xff09,), (0xff3d,), (0xff5d,), (0xff63,))


def marks_at_end(run):
    """The marks with which a run ends, closing signs between and behind left out."""
    i = len(run)
    while i and run[i - 1] in MARKS | CLOSERS:
        i -= 1
    tail = run[i:].lstrip("".join(CLOSERS))
    return [c for c in tail if c in MARKS]


def split_wide(run):
    """A run without blanks cut behind wide marks."""
    cuts = [0]
    for i in range(1, len(run)):
        if run[i] not in MARKS | CLOSERS and run[i - 1] in MARKS | CLOSERS and \
                WIDE & set(marks_at_end(run[cuts[-1]:i])):
            cuts.append(i)
    return [run[a:b] for a, b in pairwise([*cuts, len(run)])]


def runs_and_gaps(text):
    run = gap = ""
    for c in text:
        if c in BLANKS:
            gap += c
            continue
        if gap:
            yield run, gap
            run = gap = ""
        run += c
    yield run, gap


def prose(text):
    """Code points of words, words, sentences."""
    word_chars = words = sentences = here = 0
    for run, gap in runs_and_gaps(text):
        for part in split_wide(run):
            if any(unicodedata.category(c)[0] == "L" or unicodedata.category(c) == "Nd"
                   for c in part):
                words += 1
                here += 1
                word_chars += len(part)
            if marks_at_end(part):
                sentences += here > 0
                here = 0
        if gap.count("\n") > 1:
            sentences += here > 0
            here = 0
    return word_chars, words, sentences + (here > 0)


def scores(text):
    """compression, length, word_length, sentence_length; None where undefined."""
    word_chars, words, sentences = prose(text)
    return (compression(text.encode()), np.float32(len(text)) if text else None,
            np.float32(word_chars / words) if words else None,
            np.float32(words / sentences) if sentences else None)
