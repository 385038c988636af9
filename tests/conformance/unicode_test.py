#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# python: system
"""lib/text/chars_table.h is what gen/chars.py makes of the Unicode Character
Database, and agrees with Python's own copy of it.

usage: unicode_test.py BUILD_DIR
"""
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

TEXT = Path(__file__).resolve().parents[2] / "lib/text"
UCD = Path("/usr/share/unicode")
LETTER, DIGIT, NUMBER, MARK, PUNCT, SYMBOL, UPPER, SPACE = (1 << i for i in range(8))
FIRST = {"L": LETTER, "N": NUMBER, "M": MARK, "P": PUNCT, "S": SYMBOL}
counts = {"passed": 0, "failed": 0, "skipped": 0}


def check(name, ok, what=""):
    counts["passed" if ok else "failed"] += 1
    if not ok:
        print(f"FAIL {name} {what}")


def numbers(table, name):
    body = re.search(r"%s\[\d+\] = \{(.*?)\};" % name, table, re.S).group(1)
    return [int(x) for x in re.findall(r"\d+", body)]


def flags_of(c):
    category = unicodedata.category(c)
    blank = c.isspace() and not "\x1c" <= c <= "\x1f"
    return (FIRST.get(category[0], 0) | {"Nd": DIGIT, "Lu": UPPER}.get(category, 0) |
            (SPACE if blank else 0))


def test_python(table):
    """Characters that Python's version has not assigned are left out."""
    index, flags = numbers(table, "sl_char_index"), numbers(table, "sl_char_flags")
    ascii_flags, wrong, n = numbers(table, "sl_char_ascii"), [], 0
    for cp in range(0x110000):
        if unicodedata.category(chr(cp)) in ("Cn", "Cs"):
            continue
        n += 1
        ours = flags[index[cp >> 7] * 128 + (cp & 127)] if cp >> 7 < len(index) else 0
        if ours != flags_of(chr(cp)) or (cp < 128 and ascii_flags[cp] != ours):
            wrong.append(hex(cp))
    check(f"{n} characters have the classes of Unicode {unicodedata.unidata_version}",
          not wrong, wrong[:10])


def main():
    table = (TEXT / "chars_table.h").read_text()
    test_python(table)
    if not (UCD / "UnicodeData.txt").exists():
        counts["skipped"] += 1
        print("skipped: unicode-data is not installed, so the table was not made anew")
    elif "15.0.0" not in (UCD / "PropList.txt").read_text()[:100]:
        counts["skipped"] += 1
        print("skipped: unicode-data is not version 15.0")
    else:
        made = subprocess.run([sys.executable, TEXT / "gen/chars.py"], capture_output=True,
                              text=True, check=True).stdout
        check("the table is what its script makes", made == table)
    print(", ".join(f"{n} {name}" for name, n in counts.items()))
    sys.exit(counts["failed"] > 0)


main()
