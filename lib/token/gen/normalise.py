#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write normalise_table.h: what NFC needs of Unicode 9.0.

Source   UnicodeData.txt, DerivedAge.txt and CompositionExclusions.txt of the Unicode Character
         Database 15.0 (Debian package unicode-data), less all that is younger than 9.0: the
         stability policy of Unicode promises that decompositions and combining classes of a
         character never change once it is there.
Usage    python3 normalise.py [FOLDER of the files] > ../normalise_table.h
"""
import re
import sys
from pathlib import Path

NEWEST = (9, 0)
BLOCK = 128


def read(folder):
    age = [None] * 0x110000
    text = (folder / "DerivedAge.txt").read_text()
    for a, b, v in re.findall(r"^([0-9A-F]+)(?:\.\.([0-9A-F]+))? *; *([0-9.]+)", text, re.M):
        for c in range(int(a, 16), int(b or a, 16) + 1):
            age[c] = tuple(map(int, v.split(".")))
    ccc, decomposition = {}, {}
    for line in (folder / "UnicodeData.txt").read_text().splitlines():
        f = line.split(";")
        cp = int(f[0], 16)
        if not age[cp] or age[cp] > NEWEST:
            continue
        if f[3] != "0":
            ccc[cp] = int(f[3])
        if f[5] and not f[5].startswith("<"):
            decomposition[cp] = [int(x, 16) for x in f[5].split()]
    text = (folder / "CompositionExclusions.txt").read_text()
    excluded = {int(x, 16) for x in re.findall(r"^([0-9A-F]{4,6})", text, re.M)}
    return ccc, decomposition, excluded


def rows(values, per_line):
    return "".join("    " + ",".join(map(str, values[i:i + per_line])) + ",\n"
                   for i in range(0, len(values), per_line))


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode")
    ccc, decomposition, excluded = read(folder)
    pairs = {}
    for cp, d in decomposition.items():
        if len(d) == 2 and cp not in excluded and cp not in ccc and d[0] not in ccc:
            pairs[tuple(d)] = cp
    composed = set(pairs.values())
    # A bit: not settled by a look at this character alone.
    maybe = {b for _, b in pairs} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    no = set(decomposition) - composed
    kinds, table = {(0, 0): 0}, [0] * 0x110000
    for cp in set(ccc) | maybe | no:
        kind = (ccc.get(cp, 0), int(cp in maybe or cp in no))
        table[cp] = kinds.setdefault(kind, len(kinds))
    end = (max(c for c in range(0x110000) if table[c]) // BLOCK + 1) * BLOCK
    blocks, index = {}, []
    for b in range(0, end, BLOCK):
        index.append(blocks.setdefault(tuple(table[b:b + BLOCK]), len(blocks)))
    assert len(blocks) < 256 and len(kinds) < 256
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Made by gen/normalise.py: canonical classes, decompositions and compositions of "
          "Unicode\n * 9.0. */")
    print("/* clang-format off */")
    print("#ifndef SL_TOKEN_NORMALISE_TABLE_H\n#define SL_TOKEN_NORMALISE_TABLE_H\n")
    print("#include <stdint.h>\n")
    print(f"enum {{ NFC_END = {end:#x}, NFC_BLOCK = {BLOCK}, N_NFC_SPLITS = {len(decomposition)},"
          f" N_NFC_PAIRS = {len(pairs)} }};\n")
    print("/* Of a kind: its combining class; whether NFC may change what has it. */")
    print(f"static const uint8_t nfc_ccc[{len(kinds)}] = {{")
    print(rows([k[0] for k in kinds], 24) + "};")
    print(f"static const uint8_t nfc_open[{len(kinds)}] = {{")
    print(rows([k[1] for k in kinds], 24) + "};")
    print(f"static const uint8_t nfc_index[{len(index)}] = {{\n{rows(index, 24)}}};")
    print(f"static const uint8_t nfc_kind[{len(blocks) * BLOCK}] = {{")
    print("".join(rows(block, 32) for block in blocks) + "};\n")
    print("/* Character, and what it is made of (0: of one alone); by character. */")
    print("static const uint32_t nfc_splits[N_NFC_SPLITS][3] = {")
    print(rows([f"{{{c},{d[0]},{d[1] if len(d) > 1 else 0}}}"
                for c, d in sorted(decomposition.items())], 4) + "};\n")
    print("/* Two characters and the one that they make; by the two. */")
    print("static const uint32_t nfc_pairs[N_NFC_PAIRS][3] = {")
    print(rows([f"{{{a},{b},{c}}}" for (a, b), c in sorted(pairs.items())], 4) + "};\n\n#endif")


main()
