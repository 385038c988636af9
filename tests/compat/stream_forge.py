# SPDX-License-Identifier: Apache-2.0
"""Streams made by hand, right in every hash and wrong wherever a test wants it.

Its own FlatBuffers writer, hash and digests, from docs/stream.md and Arrow's format
page alone. A stream is made of values that may be changed before they are written:

    s = Stream(); s.batch().nulls[2] = 5; s.bytes()
"""
import json
import struct

from xxh3 import xxh3_64, xxh3_128

END = b'\xff\xff\xff\xff\0\0\0\0'
DIGITS = b'\1\2\3\4HASHHASH\4\3\2\1'  # where the hash's own digits will stand
SCHEMA, BATCH = 1, 3


# ---- FlatBuffers ----

class Tab(dict):
    """slot: (struct form, number), Tab, bytes (a string), Vec, Raw, or None: absent"""


class Vec(list):
    """of tables"""


class Shared(Vec):
    """of tables, each of which is written once"""


class Raw:
    """a vector of n elements of 8 or 16 bytes, as bytes; n may lie"""

    def __init__(self, data, n):
        self.data, self.n = data, n


def pad(b, to, ahead=0):
    b += bytes(-(len(b) + ahead) % to)


def put_table(b, t):
    t = {slot: v for slot, v in t.items() if v is not None}
    size, places = 4, {}
    for slot in sorted(t):
        form = t[slot][0] if isinstance(t[slot], tuple) else 'I'
        width = struct.calcsize(form)
        size += -size % width
        places[slot] = size
        size += width
    slots = max(t, default=-1) + 1
    pad(b, 2)
    vtable = len(b)
    b += struct.pack(f'<HH{slots}H', 4 + 2 * slots, size, *(places.get(i, 0) for i in range(slots)))
    pad(b, 8)
    at = len(b)
    b += struct.pack('<i', at - vtable) + bytes(size - 4)
    for slot, v in t.items():
        if isinstance(v, tuple):
            struct.pack_into('<' + v[0], b, at + places[slot], v[1])
        else:
            struct.pack_into('<I', b, at + places[slot], put(b, v) - at - places[slot])
    return at


def put(b, v):
    if isinstance(v, Tab):
        return put_table(b, v)
    if isinstance(v, Raw):
        pad(b, 8, 4)
        at = len(b)
        b += struct.pack('<I', v.n) + v.data
        return at
    if isinstance(v, Vec):
        pad(b, 4)
        at = len(b)
        b += struct.pack('<I', len(v)) + bytes(4 * len(v))
        done = {}
        for i, t in enumerate(v):
            where = done.get(id(t)) if isinstance(v, Shared) else None
            done[id(t)] = where = where or put(b, t)
            struct.pack_into('<I', b, at + 4 + 4 * i, where - at - 4 - 4 * i)
        return at
    pad(b, 4)
    b += struct.pack('<I', len(v)) + v + b'\0'
    return len(b) - len(v) - 5


def flat(root):
    b = bytearray(4)
    struct.pack_into('<I', b, 0, put_table(b, root))
    return bytes(b)


def pairs_of(pairs):
    return Vec(Tab({0: k, 1: v}) for k, v in pairs)


def rehash(front, body):
    """Set the digits, wherever they stand; more than once where they do."""
    whole = front.replace(DIGITS, b'0' * 16) + body
    return front.replace(DIGITS, b'%016x' % xxh3_64(whole)), body


def frame(metadata, body=b'', unit=64):
    front = bytearray(8) + metadata
    pad(front, unit)
    front += bytes(max(0, 256 - len(front)))
    struct.pack_into('<II', front, 0, 0xFFFFFFFF, len(front) - 8)
    return b''.join(rehash(bytes(front), body))


# ---- schema ----

class Field:
    def __init__(self, name, text, code, table, nullable=False, children=(), buffers=2):
        self.name, self.text, self.code, self.table = name, text, code, Tab(table)
        self.nullable, self.children, self.buffers = nullable, list(children), buffers
        self.more = {}

    def tab(self):
        t = Tab({0: self.name.encode() if isinstance(self.name, str) else self.name,
                 1: ('B', self.nullable), 2: ('B', self.code), 3: self.table,
                 5: Vec(c.tab() for c in self.children)})
        t.update(self.more)
        return t

    def nodes(self):
        return [self] + [n for c in self.children for n in c.nodes()]


def type_text(f):
    q = '?' if f.nullable else ''
    if f.code == 12:
        return f'list<{full_text(f.children[0])}>'
    if f.code == 16:
        return f'fixed_size_list<{full_text(f.children[0])}>[{f.table[0][1]}]'
    if f.code == 13:
        return 'struct<' + ','.join(f'{c.name}:{full_text(c)}' for c in f.children) + '>'
    return f.text


def full_text(f):
    return type_text(f) + ('?' if f.nullable else '')


def number(name, bits, signed=False, nullable=False):
    text = ('' if signed else 'u') + f'int{bits}'
    return Field(name, text, 2, {0: ('i', bits), 1: ('B', signed)}, nullable)


def fields():
    """One of every way in which a column can be laid out, as FIELD_*."""
    return [
        Field('id', 'fixed_size_binary[16]', 15, {0: ('i', 16)}),
        Field('text', 'large_utf8', 20, {}, False, (), 3),
        Field('url', 'utf8', 5, {}, True, (), 3),
        number('n', 32, True, True),
        Field('b', 'bool', 6, {}, True),
        Field('l', '', 12, {}, True, [number('item', 16, False, True)], 2),
        Field('s', '', 13, {}, True,
              [Field('a', 'utf8', 5, {}, True, (), 3), Field('f', 'float32', 3, {0: ('h', 1)})], 1),
        Field('f', '', 16, {0: ('i', 3)}, True, [Field('item', 'bool', 6, {}, True)], 1),
        Field('t', 'timestamp[us,UTC]', 10, {0: ('h', 2), 1: b'UTC'}),
    ]


# Places of nodes and buffers of these fields, in pre-order.
N_ID, N_TEXT, N_URL, N_N, N_B, N_L, N_ITEM, N_S, N_A, N_F, N_FL, N_BIT, N_T = range(13)
(B_ID_V, B_ID, B_TEXT_V, B_TEXT_O, B_TEXT, B_URL_V, B_URL_O, B_URL, B_N_V, B_N, B_B_V, B_B, B_L_V,
 B_L_O, B_ITEM_V, B_ITEM, B_S_V, B_A_V, B_A_O, B_A, B_F_V, B_F, B_FL_V, B_BIT_V, B_BIT, B_T_V,
 B_T) = range(27)


def ints(form, *v):
    return struct.pack(f'<{len(v)}{form}', *v)


class Batch:
    """Eight rows of fields(): every second is null in most columns."""

    def __init__(self, first=0):
        text = 'héllo w'.encode()
        self.rows = 8
        self.n = [8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 24, 8]
        self.nulls = [0, 0, 4, 4, 4, 4, 2, 4, 4, 0, 4, 6, 0]
        self.buffers = [
            b'', b''.join(struct.pack('>QQ', 0, first + i + 1) for i in range(8)),
            b'', ints('q', 0, 8, 8, 16, 16, 24, 24, 32, 32), text * 4,
            b'\x55', ints('i', 0, 1, 1, 2, 2, 4, 4, 6, 6), b'xy\xc3\xa9zz',
            b'\x55', ints('i', 7, 0, -7, 0, 9, 0, 1, 0),
            b'\x55', b'\x11',
            b'\x55', ints('i', 0, 2, 2, 4, 4, 8, 8, 8, 8),
            b'\x5f', ints('H', 1, 2, 3, 4, 5, 0, 7, 0),
            b'\x55', b'', ints('i', 0, 1, 1, 1, 1, 2, 2, 2, 2), b'ab',
            b'', ints('f', 1, 0, 2, 0, 3, 0, 4, 0),
            b'\x55', b'', b'', b'', ints('q', *range(8)),
        ]
        self.buffers[B_A_V], self.nulls[N_A] = b'', 0  # valid and empty below nulls
        valid = [1 if (i // 3) % 2 else (i % 3 != 2) for i in range(24)]
        bits = [1 if (i // 3) % 2 == 0 and i % 3 == 0 else 0 for i in range(24)]
        self.buffers[B_BIT_V] = pack_bits(valid)
        self.buffers[B_BIT] = pack_bits(bits)
        self.nulls[N_BIT] = 24 - sum(valid)
        self.pairs = [[b'sl:xxh3', DIGITS]]
        self.compression = None  # or (codec, method)
        self.off = self.length = None  # or lists, of what the spans say
        self.header, self.message = {}, {}
        self.body = self.body_bytes = None
        self.nodes_n = self.spans_n = None  # the vectors' counts, where they lie
        self.gap = b'\0'

    def layout(self):
        body, spans = bytearray(), []
        for i, b in enumerate(self.buffers):
            off = self.off[i] if self.off else len(body)
            spans.append((off, self.length[i] if self.length else len(b)))
            body += b
            body += self.gap * (-len(body) % 64)
        return bytes(body) if self.body is None else self.body, spans

    def bytes(self):
        body, spans = self.layout()
        nodes = b''.join(ints('q', n, k) for n, k in zip(self.n, self.nulls))
        header = Tab({0: ('q', self.rows),
                      1: Raw(nodes, len(self.n) if self.nodes_n is None else self.nodes_n),
                      2: Raw(b''.join(ints('q', *s) for s in spans),
                             len(spans) if self.spans_n is None else self.spans_n)})
        if self.compression:
            header[3] = Tab({0: ('b', self.compression[0]), 1: ('b', self.compression[1])})
        header.update(self.header)
        said = len(body) if self.body_bytes is None else self.body_bytes
        m = Tab({0: ('h', 4), 1: ('B', BATCH), 2: header, 3: ('q', said), 4: pairs_of(self.pairs)})
        m.update(self.message)
        return frame(flat(m), body)


def pack_bits(bits):
    out = bytearray((len(bits) + 7) // 8)
    for i, b in enumerate(bits):
        out[i >> 3] |= b << (i & 7)
    return bytes(out)


def spread(bits, n):
    return bytes(bits[i >> 3] >> (i & 7) & 1 for i in range(n))


class Digest:
    """Of one column; docs/stream.md section 7."""

    def __init__(self, field):
        self.field, self.parts = field, [[b'', b'', b''] for _ in field.nodes()]

    def add(self, batch, node, buffer):
        for f, p in zip(self.field.nodes(), self.parts):
            n, own = batch.n[node], batch.buffers[buffer:buffer + f.buffers]
            if f.nullable:
                p[0] += spread(own[0], n) if own[0] else b'\1' * n
            if f.code in (5, 12, 20):
                o = struct.unpack(f"<{n + 1}{'q' if f.code == 20 else 'i'}", own[1])
                p[1] += ints('Q', *(b - a for a, b in zip(o, o[1:])))
            if not f.children:
                p[2] += spread(own[-1], n) if f.code == 6 else own[-1]
            node, buffer = node + 1, buffer + f.buffers
        return node, buffer

    def value(self):
        head = f'{self.field.name}\0{type_text(self.field)}\0'.encode()
        return xxh3_128(head + b''.join(xxh3_128(p) for three in self.parts for p in three))


def port(rows, ids):
    return {'rows': rows, 'ids': '%032x' % ids}


def tally(rows, ids, rejected=0, rejected_ids=0):
    return {'in': port(rows + rejected, ids + rejected_ids), 'out': port(rows, ids),
            'rejected': port(rejected, rejected_ids)}


def stage(tool, number, **more):
    out = {'tool': tool, 'version': '1', 'options': {}}
    out.update(more)
    out['tally'] = number
    return out


def dump(v):
    return json.dumps(v, separators=(',', ':'), ensure_ascii=False).encode()


class Stream:
    def __init__(self, batches=2, own=None):
        self.fields = own if own is not None else fields()
        self.kind, self.profile, self.tokenizer = b'docs', b'1', None
        self.schema_pairs = [[b'sl:profile', b'1'], [b'sl:kind', b'docs'], [b'sl:lineage', b'[]']]
        self.schema_message, self.schema_header = {}, {}
        self.hash_pairs = [[b'sl:xxh3', DIGITS]]
        self.batches = [Batch(8 * i) for i in range(batches)]
        rows = 8 * batches
        self.trailer = {'rows': rows, 'batches': batches, 'schema': None, 'digest': None,
                        'columns': None,
                        'lineage': [stage('sluice-made', tally(rows, rows * (rows + 1) // 2))]}
        self.trailer_text = None  # a function of the right text
        self.last = None          # a function of the trailer as a Batch
        self.after = END

    def batch(self, i=0):
        return self.batches[i]

    def schema(self):
        header = Tab({0: ('h', 0), 1: Vec(f.tab() for f in self.fields),
                      2: pairs_of(self.schema_pairs)})
        header.update(self.schema_header)
        m = Tab({0: ('h', 4), 1: ('B', SCHEMA), 2: header, 3: ('q', 0),
                 4: pairs_of(self.hash_pairs)})
        m.update(self.schema_message)
        return frame(flat(m))

    def digests(self):
        try:
            out = [Digest(f) for f in self.fields]
            for b in self.batches:
                node = buffer = 0
                for d in out:
                    node, buffer = d.add(b, node, buffer)
            return [d.value() for d in out]
        except (IndexError, struct.error):
            return [bytes(16)] * len(self.fields)  # wrong on purpose: the trailer is not reached

    def trailer_batch(self, schema):
        t = dict(self.trailer)
        hashes = self.digests()
        where = schema.rfind(b'sl:xxh3')
        digits = schema[where + 12:where + 28] if where > 0 else b'0' * 16
        t['schema'] = t['schema'] or digits.decode('latin-1')
        t['columns'] = t['columns'] or [[str(f.name), h.hex()] for f, h in zip(self.fields, hashes)]
        t['digest'] = t['digest'] or xxh3_128(b''.join(hashes)).hex()
        text = dump(t)
        b = Batch()
        nodes = [n for f in self.fields for n in f.nodes()]
        b.rows, b.n, b.nulls, b.buffers = 0, [0] * len(nodes), [0] * len(nodes), []
        for f in nodes:
            b.buffers += [b''] * f.buffers
            if f.code in (5, 12, 20):
                b.buffers[-1 if f.code == 12 else -2] = bytes(8 if f.code == 20 else 4)
        b.pairs = [[b'sl:trailer', self.trailer_text(text) if self.trailer_text else text],
                   [b'sl:xxh3', DIGITS]]
        if self.last:
            self.last(b)
        return b

    def parts(self):
        schema = self.schema()
        return [schema] + [b.bytes() for b in self.batches] + [self.trailer_batch(schema).bytes()]

    def bytes(self):
        return b''.join(self.parts()) + self.after
