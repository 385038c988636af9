# SPDX-License-Identifier: Apache-2.0
"""The rules of docs/filtering.md once more, in Python, by code points: an
independent twin of filters/gopher_quality.c that shares nothing with it."""

import struct
import unicodedata

# str.isspace, str.split and str.splitlines of Python know the blanks and line
# breaks of the documented rules: White_Space and U+001C to U+001F.

DEFAULTS = {
    "min_words": 50, "max_words": 100000, "min_mean_word_length": 3.0,
    "max_mean_word_length": 10.0, "max_hash_ratio": 0.1, "max_ellipsis_ratio": 0.1,
    "max_bullet_ratio": 0.9, "max_end_ellipsis_ratio": 0.3, "min_alpha_ratio": 0.8,
    "min_stop_words": 2,
    "stop_words": ["the", "be", "to", "of", "and", "that", "have", "with"],
}

VALUES = ["n_words", "mean_word_length", "hash_ratio", "ellipsis_ratio", "bullet_ratio",
          "end_ellipsis_ratio", "alpha_ratio", "n_stop_words"]
COUNTS = {"n_words", "n_stop_words"}

RULES = [
    ("gopher_short_doc", "n_words", "<", "min_words"),
    ("gopher_long_doc", "n_words", ">", "max_words"),
    ("gopher_below_avg_threshold", "mean_word_length", "<", "min_mean_word_length"),
    ("gopher_above_avg_threshold", "mean_word_length", ">", "max_mean_word_length"),
    ("gopher_too_many_hashes", "hash_ratio", ">", "max_hash_ratio"),
    ("gopher_too_many_ellipsis", "ellipsis_ratio", ">", "max_ellipsis_ratio"),
    ("gopher_too_many_bullets", "bullet_ratio", ">", "max_bullet_ratio"),
    ("gopher_too_many_end_ellipsis", "end_ellipsis_ratio", ">", "max_end_ellipsis_ratio"),
    ("gopher_below_alpha_threshold", "alpha_ratio", "<", "min_alpha_ratio"),
    ("gopher_few_stop_words", "n_stop_words", "<", "min_stop_words"),
]


def float32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def ratio(a, b):
    return float32(a / b) if b else None


def is_solid(c):
    return unicodedata.category(c)[0] not in "PS"


def is_letter(c):
    return unicodedata.category(c)[0] == "L"


def measure(text, stop_words=tuple(DEFAULTS["stop_words"])):
    words = text.split()
    solid = [w for w in words if any(map(is_solid, w))]
    lines = text.splitlines()
    bullets = sum(line.lstrip().startswith(("-", "\u2022")) for line in lines)
    ends = sum(line.rstrip().endswith(("...", "\u2026")) for line in lines)
    return {
        "n_words": len(solid),
        "mean_word_length": ratio(sum(map(len, solid)), len(solid)),
        "hash_ratio": ratio(text.count("#"), len(words)),
        "ellipsis_ratio": ratio(text.count("...") + text.count("\u2026"), len(words)),
        "bullet_ratio": ratio(bullets, len(lines)),
        "end_ellipsis_ratio": ratio(ends, len(lines)),
        "alpha_ratio": ratio(sum(any(map(is_letter, w)) for w in words), len(words)),
        "n_stop_words": len(set(words) & set(stop_words)),
    }


def judge(values, params=None):
    """The first reason, None where the document stays; and its detail's beginning."""
    params = {**DEFAULTS, **(params or {})}
    for reason, name, side, limit in RULES:
        value, bound = values[name], params[limit]
        if value is None or bound is False:
            continue
        bound = bound if name in COUNTS else float32(bound)
        if value < bound if side == "<" else value > bound:
            return reason
    return None


def assigned(text):
    """Only characters that every Unicode version in question agrees on."""
    return all(unicodedata.category(c) != "Cn" for c in text)
