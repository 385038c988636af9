# SPDX-License-Identifier: Apache-2.0
"""A reader of Sluice streams, written from docs/stream.md alone.

    python3 tests/compat/stream_reader.py FILE

Checks every message's hash, the trailer, the end, and the digests of simple
columns (numbers, bool, utf8, binary), whose rows it prints as JSON lines.
Compressed bodies are not read. Section numbers are those of the page.
"""
import json
import struct
import sys

import xxhash

NUMBERS = {(2, 8): "bB", (2, 16): "hH", (2, 32): "iI", (2, 64): "qQ", (3, 1): "ff", (3, 2): "dd"}


class Table:
    """A FlatBuffers table: .get(slot, form) for scalars, .at(slot) for what is referred to."""

    def __init__(self, b, at):
        self.b, self.pos = b, at
        vtable = at - struct.unpack_from("<i", b, at)[0]
        count = struct.unpack_from("<H", b, vtable)[0] // 2 - 2
        self.slots = struct.unpack_from(f"<{count}H", b, vtable + 4)

    def get(self, slot, form, default=0):
        off = self.slots[slot] if slot < len(self.slots) else 0
        return struct.unpack_from("<" + form, self.b, self.pos + off)[0] if off else default

    def at(self, slot):
        off = self.slots[slot] if slot < len(self.slots) else 0
        return self.pos + off + self.get(slot, "I") if off else None

    def table(self, slot):
        return Table(self.b, self.at(slot))

    def items(self, slot, size):  # positions of a vector's elements
        at = self.at(slot)
        n = struct.unpack_from("<I", self.b, at)[0] if at else 0
        return [at + 4 + i * size for i in range(n)]

    def tables(self, slot):
        return [Table(self.b, i + struct.unpack_from("<I", self.b, i)[0])
                for i in self.items(slot, 4)]

    def text(self, slot):
        at = self.at(slot)
        return self.b[at + 4:at + 4 + struct.unpack_from("<I", self.b, at)[0]].decode()

    def pairs(self, slot):
        return {p.text(0): p.text(1) for p in self.tables(slot)}


def messages(data):
    """Table, pairs, hash and body of each message; sections 1, 4 and 5."""
    at = 0
    while data[at:at + 8] != b"\xff\xff\xff\xff\0\0\0\0":
        marker, size = struct.unpack_from("<II", data, at)
        assert marker == 0xFFFFFFFF and (8 + size) % 64 == 0, "no message"
        meta = data[at + 8:at + 8 + size]
        m = Table(meta, struct.unpack_from("<I", meta)[0])
        pairs, length = m.pairs(4), m.get(3, "q")
        assert "sl:error" not in pairs, "upstream failed: " + pairs.get("sl:error", "")
        whole = data[at:at + 8 + size + length]
        assert len(whole) == 8 + size + length, "truncated"
        said = pairs["sl:xxh3"].encode()
        zeroed = whole[:8 + size].replace(said, b"0" * 16) + whole[8 + size:]
        assert xxhash.xxh3_64_hexdigest(zeroed).encode() == said, "wrong hash"
        yield m, pairs, said.decode(), whole[8 + size:]
        at += len(whole)
    assert at + 8 == len(data), "bytes behind the end"


def simple(field):
    """name, nullable, type as text, type number, struct form; None for other types. Section 2."""
    kind, t = field.get(2, "B"), field.table(3)
    form = text = None
    if kind == 2:
        bits, signed = t.get(0, "i"), t.get(1, "B")
        form, text = NUMBERS[2, bits][not signed], ("" if signed else "u") + f"int{bits}"
    elif kind == 3 and (3, t.get(0, "h")) in NUMBERS:
        form, text = NUMBERS[3, t.get(0, "h")][0], f"float{t.get(0, 'h') * 32}"
    elif kind in (4, 5, 6, 19, 20):
        text = {4: "binary", 5: "utf8", 6: "bool", 19: "large_binary", 20: "large_utf8"}[kind]
    return (field.text(0), field.get(1, "B"), text, kind, form) if text else None


def parts(field):
    """Nodes and buffers of a field with its children; section 2."""
    kind = field.get(2, "B")
    own = 1 if kind in (13, 16) else 3 if kind in (4, 5, 19, 20) else 2
    below = [parts(c) for c in field.tables(5)]
    return 1 + sum(n for n, _ in below), own + sum(b for _, b in below)


def values(column, rows, buffers):
    """Python values of a column, and what is hashed for its digest (section 7)."""
    name, nullable, text, kind, form = column
    bit = lambda bits, i: bits[i >> 3] >> (i & 7) & 1
    valid = [bit(buffers[0], i) if buffers[0] else 1 for i in range(rows)]
    lengths, raw = b"", buffers[-1]
    if form:
        out = list(struct.unpack(f"<{rows}{form}", raw))
    elif kind == 6:
        out = [bool(bit(raw, i)) for i in range(rows)]
        raw = bytes(out)
    else:
        off = struct.unpack(f"<{rows + 1}{'q' if kind > 6 else 'i'}", buffers[1])
        cells = [raw[a:b] for a, b in zip(off, off[1:])]
        out = [c.decode() if kind in (5, 20) else c.hex() for c in cells]
        lengths = struct.pack(f"<{rows}Q", *map(len, cells))
    return [v if ok else None for v, ok in zip(out, valid)], (
        bytes(valid) if nullable else b"", lengths, raw)


def read(data):
    """The rows of the simple columns, as dicts; raises where a rule is broken."""
    stream = messages(data)
    first, _, schema_hash, _ = next(stream)
    assert first.get(1, "B") == 1 and first.table(2).pairs(2)["sl:profile"] == "1", "no profile 1"
    fields = first.table(2).tables(1)
    columns = [simple(f) for f in fields]
    hashes = [[xxhash.xxh3_128() for _ in range(3)] for _ in fields]
    rows, batches, trailer = [], 0, None
    for m, pairs, _, body in stream:
        assert trailer is None and m.get(1, "B") == 3, "a message behind the trailer"
        batch = m.table(2)
        assert batch.at(3) is None, "compressed"
        if "sl:trailer" in pairs:
            trailer = json.loads(pairs["sl:trailer"])
            continue
        n, at, new = batch.get(0, "q"), 0, [{} for _ in range(batch.get(0, "q"))]
        spans = [struct.unpack_from("<qq", m.b, p) for p in batch.items(2, 16)]
        buffers = [body[off:off + size] for off, size in spans]
        for field, column, three in zip(fields, columns, hashes):
            count = parts(field)[1]
            if column:
                got, hashed = values(column, n, buffers[at:at + count])
                for row, v in zip(new, got):
                    row[column[0]] = v
                for h, b in zip(three, hashed):
                    h.update(b)
            at += count
        rows, batches = rows + new, batches + 1
    assert trailer is not None, "no trailer"
    assert (trailer["rows"], trailer["batches"]) == (len(rows), batches), "wrong counts"
    assert trailer["schema"] == schema_hash, "another schema"
    digests = [bytes.fromhex(d) for _, d in trailer["columns"]]
    assert xxhash.xxh3_128(b"".join(digests)).hexdigest() == trailer["digest"], "wrong digest"
    for column, three, said in zip(columns, hashes, digests):
        if column:
            h = xxhash.xxh3_128(f"{column[0]}\0{column[2]}\0".encode())
            h.update(b"".join(x.digest() for x in three))
            assert h.digest() == said, "wrong digest of " + column[0]
    return rows


if __name__ == "__main__":
    for line in read(open(sys.argv[1], "rb").read()):
        print(json.dumps(line, ensure_ascii=False))
