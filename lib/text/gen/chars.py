#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write chars_table.h: character classes of Unicode 15.0 in two stages.

Source   UnicodeData.txt (general categories) and PropList.txt (White_Space) of
         the Unicode Character Database 15.0 (Debian package unicode-data).
Usage    python3 chars.py [FOLDER of the two files] > ../chars_table.h

Blocks of 128 code points that are equal are stored once. Behind the last code
point with a class the table ends.
"""
import re
import sys
from pathlib import Path

VERSION = "15.0.0"
BLOCK = 128
LETTER, DIGIT, NUMBER, MARK, PUNCT, SYMBOL, UPPER, SPACE = (1 << i for i in range(8))


def flags_of(category):
    flags = {"L": LETTER, "N": NUMBER, "M": MARK, "P": PUNCT, "S": SYMBOL}.get(category[0], 0)
    return flags | {"Nd": DIGIT, "Lu": UPPER}.get(category, 0)


def classes(folder):
    table = [0] * 0x110000
    first = None
    for line in (folder / "UnicodeData.txt").read_text().splitlines():
        cp, name, category = line.split(";")[:3]
        cp = int(cp, 16)
        begin = cp
        if name.endswith(", First>"):
            first = cp
            continue
        if name.endswith(", Last>"):
            begin = first
        for c in range(begin, cp + 1):
            table[c] = flags_of(category)
    props = (folder / "PropList.txt").read_text()
    if not props.startswith(f"# PropList-{VERSION}.txt"):
        sys.exit(f"{folder} is not Unicode {VERSION}")
    for a, b in re.findall(r"^([0-9A-F]+)(?:\.\.([0-9A-F]+))? +; White_Space", props, re.M):
        for c in range(int(a, 16), int(b or a, 16) + 1):
            table[c] |= SPACE
    return table


def rows(values, per_line):
    return "".join("    " + ",".join(map(str, values[i:i + per_line])) + ",\n"
                   for i in range(0, len(values), per_line))


def main():
    table = classes(Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode"))
    last = max(c for c in range(0x110000) if table[c])
    n_blocks = last // BLOCK + 1
    blocks, index = {}, []
    for b in range(n_blocks):
        block = tuple(table[b * BLOCK:(b + 1) * BLOCK])
        index.append(blocks.setdefault(block, len(blocks)))
    if len(blocks) > 256:
        sys.exit("more than 256 blocks differ")
    put = sys.stdout.write
    put("/* SPDX-License-Identifier: Apache-2.0 */\n"
        f"/* Made by gen/chars.py from the Unicode Character Database {VERSION}. */\n"
        "/* clang-format off */\n"
        "#ifndef SL_TEXT_CHARS_TABLE_H\n#define SL_TEXT_CHARS_TABLE_H\n\n#include <stdint.h>\n\n"
        f"enum {{ CHARS_END = {n_blocks * BLOCK}, CHARS_BLOCK = {BLOCK} }};\n\n")
    put(f"const uint8_t sl_char_index[{len(index)}] = {{\n{rows(index, 24)}}};\n\n")
    put(f"const uint8_t sl_char_ascii[128] = {{\n{rows(table[:128], 24)}}};\n\n")
    flat = [v for block in blocks for v in block]
    put(f"const uint8_t sl_char_flags[{len(flat)}] = {{\n{rows(flat, 24)}}};\n\n#endif\n")


main()
