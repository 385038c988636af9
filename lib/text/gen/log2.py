#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write log2_table.h: floor(256 log2(n)) of n = 1 to 4096, by integers alone.

2^k <= n^256 < 2^(k+1) exactly where k = floor(256 log2(n)).

Usage    python3 log2.py > ../log2_table.h
"""

LARGEST = 4096


def main():
    values = [0] + [(n ** 256).bit_length() - 1 for n in range(1, LARGEST + 1)]
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Made by gen/log2.py: floor(256 log2(n)); 0 has 0. */")
    print("/* clang-format off */")
    print("#ifndef SL_TEXT_LOG2_TABLE_H\n#define SL_TEXT_LOG2_TABLE_H\n\n#include <stdint.h>\n")
    print(f"static const uint16_t log2_256[{LARGEST + 1}] = {{")
    for i in range(0, len(values), 20):
        print("    " + ",".join(map(str, values[i:i + 20])) + ",")
    print("};\n\n#endif")


main()
