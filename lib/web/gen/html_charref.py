#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write html_charref_table.h: the WHATWG named character references.

Source   html.entities.html5 of Python 3.11, which is the WHATWG list
         (2,231 names, 106 of them also without a semicolon).
Usage    python3 html_charref.py > ../html_charref_table.h

The names form a trie in breadth-first order: a node has its byte, the index
of its first child (children stand side by side, sorted; the last is marked)
and the index of its value. Node 0 is the root.
"""
import sys
from html.entities import html5


def main():
    if len(html5) != 2231 or sum(not n.endswith(";") for n in html5) != 106:
        sys.exit("html.entities.html5 is not the list of 2,231 names")
    values = sorted({v.encode() for v in html5.values()})
    index = {v: i + 1 for i, v in enumerate(values)}
    root = {}
    for name, value in html5.items():
        node = root
        for c in name:
            node = node.setdefault(c, {})
        node[""] = index[value.encode()]
    nodes = [[0, 0, 0, 1]]
    level = [(0, root)]
    while level:
        deeper = []
        for at, node in level:
            chars = sorted(c for c in node if c)
            if chars:
                nodes[at][1] = len(nodes)
            for c in chars:
                deeper.append((len(nodes), node[c]))
                nodes.append([ord(c), 0, node[c].get("", 0), int(c == chars[-1])])
        level = deeper
    first = [0] * 128
    for c in root:
        first[ord(c)] = next(i for i in range(1, len(nodes)) if nodes[i][0] == ord(c))
    put = sys.stdout.write
    put("/* SPDX-License-Identifier: Apache-2.0 */\n")
    put("/* Made by gen/html_charref.py from Python 3.11's html.entities.html5"
        " (2,231 names). */\n")
    put("/* clang-format off */\n")
    put("#ifndef SL_WEB_HTML_CHARREF_TABLE_H\n#define SL_WEB_HTML_CHARREF_TABLE_H\n\n"
        "#include <stdint.h>\n\n")
    put("struct charref_node {\n    uint16_t child, value;\n    uint8_t byte, last;\n};\n"
        "struct charref_value {\n    uint8_t n;\n    uint8_t utf8[7];\n};\n\n")
    put("static const uint16_t charref_first[128] = {\n")
    for i in range(0, 128, 16):
        put("    " + ", ".join(map(str, first[i:i + 16])) + ",\n")
    put("};\n\nstatic const struct charref_node charref_nodes[%d] = {\n" % len(nodes))
    cells = ["{%d,%d,%d,%d}" % (n[1], n[2], n[0], n[3]) for n in nodes]
    for i in range(0, len(cells), 6):
        put("    " + ", ".join(cells[i:i + 6]) + ",\n")
    put("};\n\nstatic const struct charref_value charref_values[%d] = {\n    {0,{0}},\n"
        % (len(values) + 1))
    cells = ["{%d,{%s}}" % (len(v), ",".join(map(str, v))) for v in values]
    for i in range(0, len(cells), 4):
        put("    " + ", ".join(cells[i:i + 4]) + ",\n")
    put("};\n\n#endif\n")


main()
