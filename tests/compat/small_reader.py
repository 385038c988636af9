# SPDX-License-Identifier: Apache-2.0
"""The smallest honest reader, from docs/stream.md: hashes, trailer, end, and the
rows of the text and binary columns as JSON lines. usage: small_reader.py < FILE"""
import json
import struct
import sys

import xxhash

END = b"\xff\xff\xff\xff\0\0\0\0"


def num(b, form, at):
    return struct.unpack_from("<" + form, b, at)[0]


class Table:  # of FlatBuffers: the vtable has an offset for each slot
    def __init__(self, b, at):
        self.b, self.pos = b, at
        vtable = at - num(b, "i", at)
        self.slots = struct.unpack_from(f"<{num(b, 'H', vtable) // 2 - 2}H", b, vtable + 4)

    def at(self, slot):  # where a slot's value stands; None: absent
        return self.pos + self.slots[slot] if self.slots[slot:slot + 1] not in ((), (0,)) else None

    def value(self, slot, form):
        return num(self.b, form, self.at(slot)) if self.at(slot) else 0

    def to(self, slot):  # where a slot refers to
        return self.at(slot) + num(self.b, "I", self.at(slot))

    def text(self, slot):
        return self.b[self.to(slot) + 4:][:num(self.b, "I", self.to(slot))].decode()

    def list(self, slot):  # tables of a vector
        first, n = self.to(slot) + 4, num(self.b, "I", self.to(slot))
        return [Table(self.b, i + num(self.b, "I", i)) for i in range(first, first + 4 * n, 4)]


def messages(data):
    at = 0
    while data[at:at + 8] != END:
        size = 8 + num(data, "I", at + 4)
        m = Table(data[at + 8:at + size], num(data, "I", at + 8))
        keys = {p.text(0): p.text(1) for p in m.list(4)}
        assert "sl:error" not in keys, keys["sl:error"]
        body = data[at + size:at + size + m.value(3, "q")]
        front = data[at:at + size].replace(keys["sl:xxh3"].encode(), b"0" * 16)
        assert xxhash.xxh3_64_hexdigest(front + body) == keys["sl:xxh3"], f"damaged at {at}"
        yield Table(m.b, m.to(2)), keys, body
        at += size + len(body)
    assert at + 8 == len(data), "bytes behind the end"


def main(stream):
    schema, keys, _ = next(stream)
    fields, said, n_rows, more = schema.list(1), keys["sl:xxh3"], 0, None
    for batch, keys, body in stream:
        assert not more, "a batch behind the trailer"
        more = json.loads(keys.get("sl:trailer", "null"))
        if not more:
            n_rows += batch.value(0, "q")
            for row in rows(fields, batch, body):
                print(json.dumps(row, ensure_ascii=False))
    assert more and (more["rows"], more["schema"]) == (n_rows, said), "another trailer"


def rows(fields, batch, body):
    """Flat columns alone have three buffers (bytes with offsets) or two (others)."""
    n, k, at, columns = batch.value(0, "q"), 0, batch.to(2) + 4, {}
    for f in fields:
        size = {4: "i", 5: "i", 19: "q", 20: "q"}.get(f.value(2, "B"))
        assert not f.list(5), f"column {f.text(0)} has children: beyond this reader"
        part = [struct.unpack_from("<qq", batch.b, at + 16 * (k + i)) for i in range(3)][:3]
        if size:
            ends = struct.unpack_from(f"<{n + 1}{size}", body, part[1][0])
            bits = body[part[0][0]:sum(part[0])]
            values = [body[part[2][0] + a:part[2][0] + b] for a, b in zip(ends, ends[1:])]
            columns[f.text(0)] = [None if bits and not bits[i >> 3] >> (i & 7) & 1 else
                                  v.decode(errors="replace") for i, v in enumerate(values)]
        k += 3 if size else 2
    return [dict(zip(columns, r)) for r in zip(*columns.values())]


main(messages(sys.stdin.buffer.read()))
