#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write html_tag_table.h (the numbers of the elements that text extraction
knows) or html_tag_index_table.h (how to find them).

Source   WHATWG HTML standard: sections 13.1.2 (kinds of elements), 13.2.4.2
         (scopes), 13.2.6 (tree construction), 15.3 (rendering).
Usage    python3 html_tag.py numbers > ../html_tag_table.h
         python3 html_tag.py index > ../html_tag_index_table.h

A name is found by a perfect hash: a 64-bit key of its bytes times a constant
that the script searches, the top 11 bits.
"""
import random
import sys

# flag -> elements
FLAGS = {
    # starts and ends a line of its own; closes an open p
    "BLOCK": "address article aside blockquote body caption center dd details dialog dir "
             "div dl dt fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 "
             "header hgroup hr html legend li listing main menu nav ol optgroup option p "
             "plaintext pre search section summary table tbody td tfoot th thead tr ul xmp",
    "HEADING": "h1 h2 h3 h4 h5 h6",
    "VOID": "area base basefont bgsound br col embed frame hr img image input keygen link "
            "meta param source track wbr",
    # nothing in it is ever text of the page
    "DROP": "script style iframe textarea template svg select object audio video canvas "
            "datalist noembed noframes frameset rp rt rtc map meter progress annotation "
            "annotation-xml title",
    "RCDATA": "title textarea",
    "RAWTEXT": "style xmp iframe noembed noframes",
    # may stand in head without ending it
    "HEAD": "base basefont bgsound head html link meta noframes noscript script style "
            "template title",
    # start tags that leave foreign content
    "BREAKOUT": "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 "
                "head hr i img li listing menu meta nobr ol p pre ruby s small span strong "
                "strike sub sup table tt u ul var",
    # an end tag does not reach through it
    "BARRIER": "html table td th caption template object applet marquee foreignobject",
    "PRE": "pre listing xmp plaintext",
    # MathML and SVG elements whose content is HTML again
    "INTEGRATION": "foreignobject desc title mi mo mn ms mtext annotation-xml",
}
OTHERS = ("a abbr applet b bdi bdo big button cite code colgroup data del dfn em font head i ins "
          "kbd label mark math nobr output picture q ruby rb s samp slot small span strike strong "
          "sub sup time tt u var malignmark mglyph")


def key_of(name):
    b = name.encode()
    n = len(b)
    if n >= 8:
        k = int.from_bytes(b[:8], "little") ^ (int.from_bytes(b[-8:], "little") << 1)
    elif n >= 4:
        k = int.from_bytes(b[:4], "little") | int.from_bytes(b[-4:], "little") << 32
    else:
        k = b[0] | b[n // 2] << 8 | b[-1] << 16
    return (k + n) & (1 << 64) - 1


def search(names):
    rng = random.Random(1)
    while True:
        magic = rng.getrandbits(64) | 1
        slots = {(key_of(n) * magic & (1 << 64) - 1) >> 53 for n in names}
        if len(slots) == len(names):
            return magic


def symbol(name):
    return "SL_TAG_" + name.upper().replace("-", "_")


def guard(name):
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Made by gen/html_tag.py. */\n/* clang-format off */")
    print("#ifndef SL_WEB_%s\n#define SL_WEB_%s\n" % (name, name))


def write_numbers(names):
    guard("HTML_TAG_TABLE_H")
    print("enum sl_tag {\n    SL_TAG_OTHER,")
    for n in names:
        print("    %s," % symbol(n))
    print("    SL_TAG_N\n};\n\nenum sl_tag_flag {")
    for i, f in enumerate(FLAGS):
        print("    SL_TAG_IS_%s = %d," % (f, 1 << i))
    print("};\n\n#endif")


def write_index(names):
    magic = search(names)
    table = [0] * 2048
    for i, n in enumerate(names):
        table[(key_of(n) * magic & (1 << 64) - 1) >> 53] = i + 1
    guard("HTML_TAG_INDEX_TABLE_H")
    print("#include <stdint.h>\n\n#include \"web/html_tag_table.h\"\n")
    print("#define TAG_MAGIC 0x%016Xu\n" % magic)
    print("static const struct {\n    const char *name;\n    uint16_t n, flags;\n"
          "} tags[SL_TAG_N] = {\n    { \"\", 0, 0 },")
    for n in names:
        flags = sum(1 << i for i, f in enumerate(FLAGS) if n in FLAGS[f].split())
        print("    { \"%s\", %d, 0x%X }," % (n, len(n), flags))
    print("};\n\nstatic const uint8_t tag_slots[2048] = {")
    for i in range(0, 2048, 32):
        print("    " + ",".join(map(str, table[i:i + 32])) + ",")
    print("};\n\n#endif")


def main():
    names = sorted(set(" ".join(list(FLAGS.values()) + [OTHERS]).split()))
    if sys.argv[1:] == ["numbers"]:
        write_numbers(names)
    elif sys.argv[1:] == ["index"]:
        write_index(names)
    else:
        sys.exit(__doc__)


main()
