#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write charset_table.h: labels and single-byte indexes of the WHATWG Encoding
standard (as of 2024).

Source   The labels are those of the standard's table. The single-byte indexes
         come from the codecs of Python 3.11, corrected where the standard
         differs: bytes 0x80 to 0x9F without a meaning are C1 controls; KOI8-U
         has U+045E and U+040E at 0xAE and 0xBE; windows-1255 has U+05BA at 0xCA.
Usage    python3 charset.py > ../charset_table.h
"""
import sys

# name, labels, Python codec of a single-byte encoding
ENCODINGS = [
    ("utf-8", "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8", None),
    ("ibm866", "866 cp866 csibm866 ibm866", "cp866"),
    ("iso-8859-2", "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 "
     "iso_8859-2:1987 l2 latin2", "iso8859-2"),
    ("iso-8859-3", "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 "
     "iso_8859-3:1988 l3 latin3", "iso8859-3"),
    ("iso-8859-4", "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 "
     "iso_8859-4:1988 l4 latin4", "iso8859-4"),
    ("iso-8859-5", "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 "
     "iso_8859-5 iso_8859-5:1988", "iso8859-5"),
    ("iso-8859-6", "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 "
     "iso-8859-6 iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 "
     "iso_8859-6:1987", "iso8859-6"),
    ("iso-8859-7", "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 "
     "iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 sun_eu_greek", "iso8859-7"),
    ("iso-8859-8", "csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 "
     "iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 visual", "iso8859-8"),
    ("iso-8859-8-i", "csiso88598i iso-8859-8-i logical", "iso8859-8"),
    ("iso-8859-10", "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6",
     "iso8859-10"),
    ("iso-8859-13", "iso-8859-13 iso8859-13 iso885913", "iso8859-13"),
    ("iso-8859-14", "iso-8859-14 iso8859-14 iso885914", "iso8859-14"),
    ("iso-8859-15", "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9", "iso8859-15"),
    ("iso-8859-16", "iso-8859-16", "iso8859-16"),
    ("koi8-r", "cskoi8r koi koi8 koi8-r koi8_r", "koi8-r"),
    ("koi8-u", "koi8-ru koi8-u", "koi8-u"),
    ("macintosh", "csmacintosh mac macintosh x-mac-roman", "mac-roman"),
    ("windows-874", "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874", "cp874"),
    ("windows-1250", "cp1250 windows-1250 x-cp1250", "cp1250"),
    ("windows-1251", "cp1251 windows-1251 x-cp1251", "cp1251"),
    ("windows-1252", "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 "
     "iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252",
     "cp1252"),
    ("windows-1253", "cp1253 windows-1253 x-cp1253", "cp1253"),
    ("windows-1254", "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 "
     "iso_8859-9:1989 l5 latin5 windows-1254 x-cp1254", "cp1254"),
    ("windows-1255", "cp1255 windows-1255 x-cp1255", "cp1255"),
    ("windows-1256", "cp1256 windows-1256 x-cp1256", "cp1256"),
    ("windows-1257", "cp1257 windows-1257 x-cp1257", "cp1257"),
    ("windows-1258", "cp1258 windows-1258 x-cp1258", "cp1258"),
    ("x-mac-cyrillic", "x-mac-cyrillic x-mac-ukrainian", "mac-cyrillic"),
    ("gbk", "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk", None),
    ("gb18030", "gb18030", None),
    ("big5", "big5 big5-hkscs cn-big5 csbig5 x-x-big5", None),
    ("euc-jp", "cseucpkdfmtjapanese euc-jp x-euc-jp", None),
    ("iso-2022-jp", "csiso2022jp iso-2022-jp", None),
    ("shift_jis", "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis", None),
    ("euc-kr", "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 "
     "ksc5601 ksc_5601 windows-949", None),
    ("replacement", "csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr replacement",
     None),
    ("utf-16be", "unicodefffe utf-16be", None),
    ("utf-16le", "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le", None),
    ("x-user-defined", "x-user-defined", None),
]
CORRECTIONS = {"koi8-u": {0xAE: 0x045E, 0xBE: 0x040E}, "windows-1255": {0xCA: 0x05BA},
               "x-mac-cyrillic": {0xA2: 0x0490, 0xB6: 0x0491, 0xFF: 0x20AC}}


def index_of(name, codec):
    out = []
    for b in range(128, 256):
        try:
            cp = ord(bytes([b]).decode(codec))
        except UnicodeDecodeError:
            cp = b if b < 0xA0 else 0xFFFD
        out.append(CORRECTIONS.get(name, {}).get(b, cp))
    return out


def symbol(name):
    return "SL_CHARSET_" + name.upper().replace("-", "_")


def main():
    labels = sorted((label, name) for name, all_, _ in ENCODINGS for label in all_.split())
    if len(labels) != 228 or len({l for l, _ in labels}) != 228:
        sys.exit("%d labels, not the 228 of the standard" % len(labels))
    put = sys.stdout.write
    put("/* SPDX-License-Identifier: Apache-2.0 */\n")
    put("/* Made by gen/charset.py from the WHATWG Encoding standard's labels and Python 3.11's"
        " codecs. */\n/* clang-format off */\n")
    put("#ifndef SL_WEB_CHARSET_TABLE_H\n#define SL_WEB_CHARSET_TABLE_H\n\n"
        "#include <stdint.h>\n\n#include \"web/charset.h\"\n\n")
    put("static const char *const charset_names[SL_CHARSET_N] = {\n    [SL_CHARSET_NONE] = \"\",\n")
    for name, _, _ in ENCODINGS:
        put("    [%s] = \"%s\",\n" % (symbol(name), name))
    put("};\n\n/* Sorted by label. */\nstatic const struct {\n    const char *label;\n"
        "    uint8_t charset;\n} charset_labels[%d] = {\n" % len(labels))
    for label, name in labels:
        put("    { \"%s\", %s },\n" % (label, symbol(name)))
    put("};\n\n/* Code points of bytes 0x80 to 0xFF; 0xFFFD where the byte has none. */\n")
    put("static const uint16_t charset_single[][128] = {\n")
    single = [(n, c) for n, _, c in ENCODINGS if c]
    for name, codec in single:
        put("    { /* %s */\n" % name)
        row = index_of(name, codec)
        for i in range(0, 128, 16):
            put("        " + ",".join("0x%04X" % v for v in row[i:i + 16]) + ",\n")
        put("    },\n")
    put("};\n\n_Static_assert(SL_CHARSET_%s - SL_CHARSET_IBM866 + 1 == %d, \"order of enum\");\n\n"
        "#endif\n" % ("X_MAC_CYRILLIC", len(single)))
    if len(sys.argv) > 1:  # the enum, to be pasted when the list changes
        for name, _, _ in ENCODINGS:
            sys.stderr.write("    %s,\n" % symbol(name))


main()
