# SPDX-License-Identifier: Apache-2.0
# build: dev
"""Streams whose hashes are right and whose contents are not.

    python3 tests/compat/hostile_test.py BUILD_DIR [NAME]

Every one must be refused with exit code 1 and one line that tells what is wrong,
by each tool that reads streams, without a crash, a hang or much memory; what the
sanitizers of the build find ends a tool with another code.
"""
import os
import re
import struct
import subprocess
import sys
import tempfile
import time

from stream_forge import (
    B_A_O, B_B, B_BIT, B_BIT_V, B_FL_V, B_F_V, B_ID, B_ID_V, B_ITEM, B_ITEM_V, B_L_O, B_L_V, B_N,
    B_N_V, B_T, B_TEXT, B_TEXT_O, B_URL, B_URL_O, DIGITS, END, N_A, N_BIT, N_FL, N_ID,
    N_ITEM, N_N, N_TEXT, Batch, Field, Raw, Shared, Stream, Tab, Vec, dump, fields, flat, frame,
    ints, number, pairs_of, port, stage, tally)

TOOLS = ('sluice-export', 'sluice-cat', 'sluice-verify')
SECONDS, MEMORY = 15, 1400 << 20  # of a sanitized tool; a body may be of a gigabyte
cases = []


def case(what, tools=TOOLS):
    """The function's stream is refused, with words that match."""
    def add(f):
        cases.append((f.__name__, f, what, tools))
        return f
    return add


def batch_case(name, what, change, tools=TOOLS):
    def make():
        s = Stream()
        change(s.batch(1))
        return s.bytes()
    cases.append((name, make, what, tools))


def stream_case(name, what, change, tools=TOOLS):
    def make():
        s = Stream()
        out = change(s)
        return s.bytes() if out is None else out
    cases.append((name, make, what, tools))


def put(values, i, v):
    values[i] = v


# ---- nodes and buffers ----

BIG = 1 << 31
batch_case('rows_negative', 'rows', lambda b: setattr(b, 'rows', -1))
batch_case('rows_min', 'rows', lambda b: setattr(b, 'rows', -(1 << 63)))
batch_case('rows_max', 'rows', lambda b: setattr(b, 'rows', (1 << 63) - 1))
batch_case('rows_other', 'rows of', lambda b: setattr(b, 'rows', 9))
batch_case('rows_none', 'no rows', lambda b: setattr(b, 'rows', 0))
batch_case('node_rows_31', 'bytes of', lambda b: put(b.n, N_ID, BIG + 8))
batch_case('node_rows_60', 'rows with', lambda b: put(b.n, N_ID, 1 << 60))
batch_case('node_rows_overflow', 'rows with', lambda b: put(b.n, N_ID, (1 << 60) + 8))
batch_case('node_rows_negative', 'rows with', lambda b: put(b.n, N_TEXT, -8))
batch_case('nulls_negative', 'nulls', lambda b: put(b.nulls, N_N, -1))
batch_case('nulls_many', 'nulls', lambda b: put(b.nulls, N_N, 9))
batch_case('nulls_lie', 'number of nulls', lambda b: put(b.nulls, N_N, 3))
batch_case('nulls_none_said', 'bytes of validity', lambda b: put(b.nulls, N_N, 0))
batch_case('nulls_no_validity', 'bytes of validity', lambda b: put(b.buffers, B_N_V, b''))
batch_case('nulls_not_nullable', 'nulls in a column',
           lambda b: (put(b.nulls, N_ID, 4), put(b.buffers, B_ID_V, b'\x55')))
batch_case('validity_needless', 'bytes of validity', lambda b: put(b.buffers, B_ID_V, b'\xff'))
batch_case('nodes_fewer', 'columns and', lambda b: (b.n.pop(), b.nulls.pop()))
batch_case('nodes_more', 'columns and', lambda b: (b.n.append(8), b.nulls.append(0)))
batch_case('buffers_fewer', 'columns and', lambda b: b.buffers.pop())
batch_case('buffers_more', 'columns and', lambda b: b.buffers.append(b'abc'))
batch_case('nodes_count_lies', 'damaged', lambda b: setattr(b, 'nodes_n', 0xFFFFFFFF))
batch_case('nodes_count_28', 'damaged', lambda b: setattr(b, 'nodes_n', 1 << 28))
batch_case('buffers_count_lies', 'damaged', lambda b: setattr(b, 'spans_n', 0x10000001))


def spans(change):
    def apply(b):
        at, b.off, b.length = 0, [], []
        for x in b.buffers:
            b.off.append(at)
            b.length.append(len(x))
            at += len(x) + -len(x) % 64
        change(b)
    return apply


def swap(b):
    b.off[B_N], b.off[B_B] = b.off[B_B], b.off[B_N]


def overlap(b):
    b.off[B_N] = b.off[B_N_V]


batch_case('buffer_order', 'starts at', spans(swap))
batch_case('buffer_overlap', 'starts at', spans(overlap))
batch_case('buffer_negative', 'a buffer of', spans(lambda b: put(b.off, B_N, -64)))
batch_case('buffer_length_negative', 'a buffer of', spans(lambda b: put(b.length, B_N, -32)))
batch_case('buffer_length_max', 'a buffer of', spans(lambda b: put(b.length, B_N, (1 << 63) - 1)))
batch_case('buffer_off_max', 'a buffer of', spans(lambda b: put(b.off, B_N, (1 << 63) - 64)))
batch_case('buffer_outside', 'a buffer of', spans(lambda b: put(b.off, B_T, 1 << 40)))
batch_case('buffer_behind', 'a buffer of', spans(lambda b: put(b.length, B_T, 4096)))
batch_case('buffer_unaligned', 'starts at', spans(lambda b: put(b.off, B_N, b.off[B_N] + 8)))
batch_case('buffer_short', 'bytes of values', spans(lambda b: put(b.length, B_N, 28)))
batch_case('buffer_long', 'bytes of values|padding', spans(lambda b: put(b.length, B_N, 36)))
batch_case('buffer_empty_elsewhere', 'starts at', spans(lambda b: put(b.off, B_ID_V, 64)))
batch_case('padding', 'padding', lambda b: setattr(b, 'gap', b'\1'))
batch_case('body_longer', 'buffers end', lambda b: setattr(b, 'body', b.layout()[0] + bytes(64)))
batch_case('body_odd', 'multiple of 64', lambda b: setattr(b, 'body', b.layout()[0] + bytes(8)))
batch_case('body_negative', 'a body of', lambda b: setattr(b, 'body_bytes', -64))
batch_case('body_max', 'a body of', lambda b: setattr(b, 'body_bytes', (1 << 63) - 64))
batch_case('body_gigabyte', 'truncated', lambda b: setattr(b, 'body_bytes', 1 << 30))
batch_case('body_over_gigabyte', 'a body of', lambda b: setattr(b, 'body_bytes', (1 << 30) + 64))
batch_case('variadic', 'variadic', lambda b: b.header.update({4: Raw(ints('q', 1), 1)}))
batch_case('dictionary_message', 'dictionary', lambda b: b.message.update({1: ('B', 2)}))
batch_case('tensor_message', 'neither schema', lambda b: b.message.update({1: ('B', 4)}))
batch_case('schema_message_inside', 'second schema', lambda b: b.message.update({1: ('B', 1)}))
batch_case('no_header', 'damaged', lambda b: b.message.update({2: None}))
batch_case('version_4', 'V4', lambda b: b.message.update({0: ('h', 3)}))

# ---- the canonical form ----

def either(a, b):
    return bytes(x | y for x, y in zip(a, b))


def both(a, b):
    return bytes(x & y for x, y in zip(a, b))


batch_case('offsets_fall', 'offsets that fall',
           lambda b: put(b.buffers, B_TEXT_O, ints('q', 0, 8, 8, 4, 16, 24, 24, 32, 32)))
batch_case('offsets_negative', 'begin at 0',
           lambda b: put(b.buffers, B_TEXT_O, ints('q', -8, 8, 8, 16, 16, 24, 24, 32, 32)))
batch_case('offsets_start', 'begin at 0',
           lambda b: put(b.buffers, B_TEXT_O, ints('q', 8, 8, 8, 16, 16, 24, 24, 32, 32)))
batch_case('offsets_end_short', 'do not end',
           lambda b: put(b.buffers, B_TEXT_O, ints('q', 0, 8, 8, 16, 16, 24, 24, 24, 24)))
batch_case('offsets_end_far', 'do not end',
           lambda b: put(b.buffers, B_TEXT_O, ints('q', 0, 8, 8, 16, 16, 24, 24, 32, 1 << 62)))
batch_case('offsets_middle_far', 'fall',
           lambda b: put(b.buffers, B_TEXT_O, ints('q', 0, 8, 8, 1 << 62, 16, 24, 24, 32, 32)))
batch_case('offsets_int32', 'fall|do not end',
           lambda b: put(b.buffers, B_URL_O, ints('i', 0, 1, 1, 2, 2, 4, 4, 6, 0x7FFFFFFF)))
batch_case('offsets_one_short', 'bytes of offsets',
           lambda b: put(b.buffers, B_URL_O, ints('i', 0, 1, 1, 2, 2, 4, 4, 6)))
batch_case('list_end', 'do not end',
           lambda b: put(b.buffers, B_L_O, ints('i', 0, 2, 2, 4, 4, 9, 9, 9, 9)))
batch_case('list_child_rows', 'do not end|bytes of',
           lambda b: (put(b.n, N_ITEM, 7), put(b.buffers, B_ITEM, ints('H', 1, 2, 3, 4, 5, 0, 7))))
batch_case('list_child_nulls', 'nulls', lambda b: put(b.nulls, N_ITEM, 9))
batch_case('struct_child_rows', 'another number of rows|bytes of', lambda b: put(b.n, N_A, 7))
batch_case('fixed_child_rows', 'another number of rows',
           lambda b: (put(b.n, N_BIT, 23), put(b.nulls, N_BIT, 6)))
batch_case('null_with_length', 'a null with a length',
           lambda b: put(b.buffers, B_URL_O, ints('i', 0, 1, 2, 2, 2, 4, 4, 6, 6)))
batch_case('null_not_zero', 'not zero',
           lambda b: put(b.buffers, B_N, ints('i', 7, 1, -7, 0, 9, 0, 1, 0)))
batch_case('null_bool_set', 'not zero', lambda b: put(b.buffers, B_B, b'\x13'))
batch_case('below_null_value', 'below a null',
           lambda b: put(b.buffers, B_BIT, either(b.buffers[B_BIT], b'\x08\0\0')))
batch_case('below_null_null', 'below a null',
           lambda b: (put(b.buffers, B_BIT_V, both(b.buffers[B_BIT_V], b'\xf7\xff\xff')),
                      put(b.nulls, N_BIT, b.nulls[N_BIT] + 1)))
batch_case('below_null_length', 'below a null',
           lambda b: put(b.buffers, B_A_O, ints('i', 0, 1, 2, 2, 2, 2, 2, 2, 2)))
batch_case('utf8_text', 'not UTF-8', lambda b: put(b.buffers, B_TEXT, b'\xff' * 32))
batch_case('utf8_surrogate', 'not UTF-8', lambda b: put(b.buffers, B_URL, b'\xed\xa0\x80abc'))
batch_case('utf8_overlong', 'not UTF-8', lambda b: put(b.buffers, B_URL, b'\xc0\xafabcd'))
batch_case('utf8_split', 'inside a character', lambda b: put(b.buffers, B_URL, b'a\xc3\xa9bcd'))
batch_case('utf8_cut', 'not UTF-8', lambda b: put(b.buffers, B_URL, b'abcde\xc3'))


def odd_rows(b):
    """Seven rows of eight: bits behind the end, in turn of validity and of values."""
    b.rows = 7
    one = Stream(own=[f for f in fields() if f.name in 'nb'])
    b.n, b.nulls = [7, 7], [3, 3]
    b.buffers = [b'\x55', ints('i', 7, 0, -7, 0, 9, 0, 1), b'\x55', b'\x11']
    return one


def bits_behind(at, value):
    def make():
        b = Batch()
        s = odd_rows(b)
        b.buffers[at] = value
        s.batches = [b]
        s.trailer.update(rows=7, batches=1, lineage=[])
        s.schema_pairs[1][1] = b'free'
        return s.bytes()
    return make


cases.append(('bits_behind_good', bits_behind(0, b'\x55'), None, TOOLS))
cases.append(('bits_behind_validity', bits_behind(0, b'\xd5'), 'behind the end', TOOLS))
cases.append(('bits_behind_bool', bits_behind(3, b'\x91'), 'behind the end', TOOLS))

# ---- compression ----


def packed(change=None, level=3):
    def make():
        import zstandard
        s = Stream()
        for b in s.batches:
            z = zstandard.ZstdCompressor(level)
            b.buffers = [ints('q', len(x)) + z.compress(x) if x else b'' for x in b.buffers]
            b.compression = (1, 0)
        # the digests are of what was packed
        plain = Stream()
        s.digests = plain.digests
        if change:
            change(s.batch(1))
        return s.bytes()
    return make


def bomb(n, said=None):
    """n zero bytes in one frame of run-length blocks."""
    block = 128 << 10
    out = b'\x28\xb5\x2f\xfd' + b'\xa0' + struct.pack('<I', n)
    while n:
        size = min(n, block)
        n -= size
        out += struct.pack('<I', size << 3 | 2 | (n == 0))[:3] + b'\0'
    return ints('q', struct.unpack('<I', out[5:9])[0] if said is None else said) + out


def packed_case(name, what, change):
    cases.append((name, packed(change), what, TOOLS))


packed_case('zstd_good', None, lambda b: None)
packed_case('zstd_length_more', 'buffer',
            lambda b: put(b.buffers, B_N, ints('q', 33) + b.buffers[B_N][8:]))
packed_case('zstd_length_less', 'buffer',
            lambda b: put(b.buffers, B_N, ints('q', 31) + b.buffers[B_N][8:]))
packed_case('zstd_length_max', 'claims',
            lambda b: put(b.buffers, B_N, ints('q', (1 << 63) - 1) + b.buffers[B_N][8:]))
packed_case('zstd_length_negative', 'claims',
            lambda b: put(b.buffers, B_N, ints('q', -2) + b.buffers[B_N][8:]))
packed_case('zstd_length_gigabyte', 'buffer',
            lambda b: put(b.buffers, B_N, ints('q', 1 << 30) + b.buffers[B_N][8:]))
packed_case('zstd_length_zero', 'buffer',
            lambda b: put(b.buffers, B_N, ints('q', 0) + b.buffers[B_N][8:]))
packed_case('zstd_short', 'compressed buffer of', lambda b: put(b.buffers, B_N, b'1234567'))
packed_case('zstd_no_frame', 'buffer', lambda b: put(b.buffers, B_N, ints('q', 32)))
packed_case('zstd_two_frames', 'buffer',
            lambda b: put(b.buffers, B_N, b.buffers[B_N] + b.buffers[B_N][8:]))
packed_case('zstd_behind', 'buffer', lambda b: put(b.buffers, B_N, b.buffers[B_N] + b'x'))
packed_case('zstd_cut', 'buffer', lambda b: put(b.buffers, B_N, b.buffers[B_N][:-1]))
packed_case('zstd_empty', 'compressed and empty', lambda b: put(b.buffers, B_ID_V, ints('q', -1)))
packed_case('zstd_bomb', 'bytes of|buffer', lambda b: put(b.buffers, B_N, bomb(1 << 30)))
packed_case('zstd_bomb_small_claim', 'buffer', lambda b: put(b.buffers, B_N, bomb(1 << 30, 32)))
packed_case('zstd_bombs', 'buffer',
            lambda b: [put(b.buffers, i, bomb(1 << 30)) for i in (B_ID, B_N, B_T)])
packed_case('zstd_window', 'buffer',
            lambda b: put(b.buffers, B_N, ints('q', 32) + b'\x28\xb5\x2f\xfd\x00\xff\x01\0\0'))
packed_case('zstd_raw_good', None,
            lambda b: put(b.buffers, B_N, ints('q', -1) + ints('i', 7, 0, -7, 0, 9, 0, 1, 0)))
packed_case('zstd_raw_short', 'bytes of values',
            lambda b: put(b.buffers, B_N, ints('q', -1) + ints('i', 7, 0, -7, 0, 9, 0, 1)))
packed_case('zstd_lz4', 'LZ4', lambda b: setattr(b, 'compression', (0, 0)))
packed_case('zstd_codec', 'unknown way', lambda b: setattr(b, 'compression', (7, 0)))
packed_case('zstd_method', 'unknown way', lambda b: setattr(b, 'compression', (1, 1)))

# ---- the schema ----


def schema_case(name, what, change):
    stream_case(name, what, lambda s: (change(s.fields), None)[1])


def nest(depth):
    f = number('item', 8)
    for i in range(depth - 1):
        f = Field('item' if i < depth - 2 else 'deep', '', 12, {}, False, [f], 2)
    return f


schema_case('name_twice', 'there already', lambda f: setattr(f[3], 'name', 'url'))
schema_case('name_empty', 'without a name', lambda f: setattr(f[3], 'name', ''))
schema_case('name_long', 'column name', lambda f: setattr(f[3], 'name', 'x' * 256))
schema_case('name_not_utf8', 'not UTF-8', lambda f: setattr(f[3], 'name', b'\xff\xfe'))
schema_case('name_nul', 'zero byte', lambda f: setattr(f[3], 'name', b'a\0b'))
schema_case('name_none', 'name', lambda f: f[3].more.update({0: None}))
schema_case('member_twice', 'two members', lambda f: setattr(f[6].children[1], 'name', 'a'))
schema_case('child_name', "not named 'item'", lambda f: setattr(f[5].children[0], 'name', 'x'))
schema_case('list_childless', 'children', lambda f: setattr(f[5], 'children', []))
schema_case('list_two_children', 'children', lambda f: f[5].children.append(number('more', 8)))
schema_case('struct_childless', 'without members', lambda f: setattr(f[6], 'children', []))
schema_case('number_with_child', 'children', lambda f: f[3].children.append(number('x', 8)))
schema_case('fixed_zero', 'items', lambda f: f[7].table.update({0: ('i', 0)}))
schema_case('fixed_negative', 'items', lambda f: f[7].table.update({0: ('i', -3)}))
schema_case('fixed_huge', 'items', lambda f: f[7].table.update({0: ('i', 0x7FFFFFFF)}))
schema_case('fixed_large', 'rows', lambda f: f[7].table.update({0: ('i', 1 << 24)}))
schema_case('width_zero', 'values of 0', lambda f: f[0].table.update({0: ('i', 0)}))
schema_case('width_huge', 'values of', lambda f: f[0].table.update({0: ('i', 0x7FFFFFFF)}))
schema_case('int_bits', 'bits', lambda f: f[3].table.update({0: ('i', 128)}))
schema_case('time_unit', 'time unit', lambda f: f[8].table.update({0: ('h', 9)}))
schema_case('time_zone', 'time zone', lambda f: f[8].table.update({1: b'U,T>'}))
schema_case('time_zone_empty', 'time zone', lambda f: f[8].table.update({1: b''}))
schema_case('type_unknown', 'unknown type', lambda f: setattr(f[3], 'code', 99))
schema_case('type_none', 'unknown type', lambda f: setattr(f[3], 'code', 0))
schema_case('type_union', 'union', lambda f: setattr(f[3], 'code', 14))
schema_case('type_view', 'view', lambda f: setattr(f[2], 'code', 24))
schema_case('type_map', 'map', lambda f: setattr(f[6], 'code', 17))
schema_case('type_absent', 'damaged', lambda f: f[3].more.update({3: None}))
schema_case('dictionary', 'dictionary', lambda f: f[2].more.update({4: Tab({0: ('q', 0)})}))
schema_case('field_metadata', 'metadata', lambda f: f[2].more.update({6: pairs_of([(b'a', b'b')])}))
schema_case('deep', 'nested', lambda f: f.append(nest(9)))
schema_case('deeper', 'nested|columns', lambda f: f.append(nest(200)))
schema_case('wide', 'columns', lambda f: f.extend(number(f'x{i}', 8) for i in range(1100)))
stream_case('big_endian', 'big-endian', lambda s: s.schema_header.update({0: ('h', 1)}))
stream_case('features', 'features', lambda s: s.schema_header.update({3: Raw(ints('q', 1), 1)}))
stream_case('schema_with_body', 'body', lambda s: s.schema_message.update({3: ('q', 64)}))
stream_case('fields_count', 'damaged|columns',
            lambda s: s.schema_header.update({1: Raw(b'', 1 << 29)}))
stream_case('no_fields_vector', 'columns', lambda s: s.schema_header.update({1: None}))
stream_case('no_columns', 'without columns', lambda s: (
    s.fields.clear(), s.batches.clear(), s.trailer.update(rows=0, batches=0, lineage=[]), None)[-1])


@case('two members')
def shared_children():
    """A struct both of whose children are one table."""
    s = Stream(0, [Field('s', '', 13, {}, False, [number('a', 8), number('b', 8)], 1)])
    s.trailer.update(lineage=[])
    return share(s.bytes())


@case('columns|damaged')
def tree_without_end():
    """Every level holds one child many times: 30^6 fields in two kilobytes."""
    f = number('x', 8).tab()
    for _ in range(6):
        f = Tab({0: b's', 1: ('B', 0), 2: ('B', 13), 3: Tab(), 5: Shared([f] * 30)})
    s = Stream(0, [])
    s.trailer.update(rows=0, batches=0, lineage=[])
    s.schema_header[1] = Vec([f])
    return s.bytes()


def share(stream):
    """Patch the reference to the second child so that it leads to the first's table."""
    size = struct.unpack_from('<I', stream, 4)[0]
    meta = bytearray(stream[8:8 + size])
    root = struct.unpack_from('<I', meta)[0]

    def field_at(table, slot):
        vt = table - struct.unpack_from('<i', meta, table)[0]
        return table + struct.unpack_from('<H', meta, vt + 4 + 2 * slot)[0]

    def follow(at):
        return at + struct.unpack_from('<I', meta, at)[0]
    schema = follow(field_at(root, 2))
    field = follow(follow(field_at(schema, 1)) + 4)
    children = follow(field_at(field, 5))
    first = follow(children + 4)
    struct.pack_into('<I', meta, children + 8, first - children - 8)
    at = meta.rfind(b'sl:xxh3') + 12
    meta[at:at + 16] = DIGITS
    front = frame(bytes(meta))
    return front + stream[8 + size:]


# ---- the schema's metadata ----


def meta_case(name, what, pairs, tools=TOOLS):
    stream_case(name, what, lambda s: setattr(s, 'schema_pairs', pairs), tools)


PROFILE, KIND, LINEAGE = [b'sl:profile', b'1'], [b'sl:kind', b'docs'], [b'sl:lineage', b'[]']
meta_case('profile_none', 'sl:profile', [KIND, LINEAGE])
meta_case('profile_2', 'profile version', [[b'sl:profile', b'2'], KIND, LINEAGE])
meta_case('profile_long', 'profile version', [[b'sl:profile', b'\xff' * 3000], KIND, LINEAGE])
meta_case('profile_twice', 'twice', [PROFILE, PROFILE, KIND, LINEAGE])
meta_case('keys_order', 'twice or too late', [PROFILE, LINEAGE, KIND])
meta_case('kind_none', 'kind', [PROFILE, LINEAGE])
meta_case('kind_twice', 'twice', [PROFILE, KIND, KIND, LINEAGE])
meta_case('kind_not_utf8', 'not UTF-8', [PROFILE, [b'sl:kind', b'\xff'], LINEAGE])
meta_case('kind_nul', 'not UTF-8', [PROFILE, [b'sl:kind', b'docs\0'], LINEAGE])
meta_case('kind_lies', "tokens", [PROFILE, [b'sl:kind', b'tokens'], LINEAGE])
meta_case('lineage_none_good', None, [PROFILE, KIND])  # as in shards
meta_case('lineage_garbage', 'JSON|lineage', [PROFILE, KIND, [b'sl:lineage', b'{[']])
meta_case('lineage_no_array', 'lineage', [PROFILE, KIND, [b'sl:lineage', b'{}']])
meta_case('lineage_numbers', 'lineage', [PROFILE, KIND, [b'sl:lineage', b'[1,2]']])
meta_case('tokenizer_garbage', 'tokenizer',
          [PROFILE, KIND, LINEAGE, [b'sl:tokenizer', b'nonsense']],
          ('sluice-verify',))
meta_case('tokenizer_empty', 'tokenizer',
          [PROFILE, KIND, LINEAGE, [b'sl:tokenizer', b'']], ('sluice-verify',))
meta_case('pairs_many', 'metadata pairs',
          [PROFILE, KIND, LINEAGE] + [[b'x%d' % i, b''] for i in range(70)])
meta_case('foreign_keys_good', None, [PROFILE, [b'x', b'\xff'], KIND, LINEAGE, [b'y', b'']])


def without_id(s):
    s.fields = [number('x', 8)]
    s.batches = []
    s.trailer.update(rows=0, batches=0, lineage=[])


stream_case('kind_without_id', "'id'", without_id)


def id_of_text(s):
    s.fields = [Field('id', 'utf8', 5, {}, False, (), 3)]
    s.batches = []
    s.trailer.update(rows=0, batches=0, lineage=[])


stream_case('kind_with_other_id', "'id'", id_of_text)

# ---- hashes ----

stream_case('hash_none', 'without sl:xxh3', lambda s: setattr(s, 'hash_pairs', []))
stream_case('hash_twice', 'twice|last', lambda s: s.hash_pairs.append([b'sl:xxh3', DIGITS]))
stream_case('hash_not_last', 'last', lambda s: s.hash_pairs.append([b'x', b'']))
stream_case('hash_short', 'digits', lambda s: setattr(s, 'hash_pairs', [[b'sl:xxh3', b'0' * 15]]))
stream_case('hash_upper', 'digits|checksum',
            lambda s: setattr(s, 'hash_pairs', [[b'sl:xxh3', b'ABCDEF0123456789']]))
batch_case('batch_hash_none', 'without sl:xxh3', lambda b: setattr(b, 'pairs', []))
batch_case('batch_hash_wrong', 'checksum', lambda b: setattr(b, 'pairs', [[b'sl:xxh3', b'0' * 16]]))
batch_case('batch_pairs_many', 'metadata pairs',
           lambda b: setattr(b, 'pairs', [[b'x', b'']] * 70 + b.pairs))


@case('multiple of 64')
def front_multiple_of_8():
    s = Stream()
    b = s.batch()
    body, spans_ = b.layout()
    nodes = b''.join(ints('q', n, k) for n, k in zip(b.n, b.nulls))
    places = b''.join(ints('q', *x) for x in spans_)
    header = Tab({0: ('q', b.rows), 1: Raw(nodes, 13), 2: Raw(places, 27)})
    m = flat(Tab({0: ('h', 4), 1: ('B', 3), 2: header, 3: ('q', len(body)), 4: pairs_of(b.pairs)}))
    size = len(m) + -len(m) % 64 + 16
    return s.schema() + frame(m + bytes(size - len(m)), body, 8) + END


# ---- the trailer ----


def trailer_case(name, what, change, tools=TOOLS):
    stream_case(name, what, lambda s: (change(s.trailer), None)[1], tools)


def text_case(name, what, change, tools=TOOLS):
    stream_case(name, what, lambda s: setattr(s, 'trailer_text', change), tools)


trailer_case('rows_lie', 'trailer says 15 rows', lambda t: t.update(rows=15))
trailer_case('rows_huge', 'rows', lambda t: t.update(rows=(1 << 63) - 1))
trailer_case('rows_negative_said', "'rows'", lambda t: t.update(rows=-16))
trailer_case('rows_real', "'rows'", lambda t: t.update(rows=16.0))
trailer_case('rows_text', "'rows'", lambda t: t.update(rows='16'))
trailer_case('batches_lie', 'batches', lambda t: t.update(batches=3))
trailer_case('schema_lies', 'another schema', lambda t: t.update(schema='0' * 16))
trailer_case('schema_short', "'schema'", lambda t: t.update(schema='00'))
trailer_case('digest_lies', 'digest', lambda t: t.update(digest='0' * 32))
trailer_case('digest_upper', "'digest'|digest", lambda t: t.update(digest='ABCDEF' + '0' * 26))
trailer_case('columns_missing', "'columns'", lambda t: t.update(columns=[['id', '0' * 32]]))
trailer_case('columns_object', "'columns'", lambda t: t.update(columns={'id': 1}))
trailer_case('columns_numbers', "'columns'", lambda t: t.update(columns=[1] * 9))
trailer_case('lineage_said_object', "'lineage'", lambda t: t.update(lineage={}))
trailer_case('lineage_said_text', "'lineage'", lambda t: t.update(lineage='[]'))
trailer_case('lineage_said_null', "'lineage'", lambda t: t.update(lineage=None))
trailer_case('trailer_more_keys', 'unknown keys', lambda t: t.update(x=1))
text_case('trailer_blank', 'blank|lineage|wrong',
          lambda t: t.replace(b',"lineage":', b', "lineage":'))
text_case('trailer_blanks_ahead', 'blank|wrong', lambda t: t.replace(b'"rows":', b'"rows": '))
text_case('trailer_not_json', 'trailer', lambda t: t[:-1])
text_case('trailer_empty', 'trailer', lambda t: b'')
text_case('trailer_null', 'trailer', lambda t: b'null')
text_case('trailer_array', 'trailer', lambda t: b'[]')
text_case('trailer_not_utf8', 'trailer',
          lambda t: t.replace(b'sluice-made', b'sluice-\xff\xfe\xfd'))
text_case('trailer_key_twice', 'trailer',
          lambda t: t.replace(b'{"rows":16', b'{"rows":16,"rows":16'))
text_case('trailer_order', "'rows'",
          lambda t: t.replace(b'{"rows":16,"batches":2', b'{"batches":2,"rows":16'))
text_case('trailer_deep', 'trailer',
          lambda t: t.replace(b'"options":{}', b'"options":' + b'[' * 5000 + b']' * 5000))
text_case('trailer_blank_last', 'blank|wrong', lambda t: t + b' ')
stream_case('trailer_none', 'without a trailer', lambda s: b''.join(s.parts()[:-1]) + END)
stream_case('trailer_and_end_none', 'before the trailer', lambda s: b''.join(s.parts()[:-1]))
stream_case('end_none', 'end', lambda s: setattr(s, 'after', b''))
stream_case('end_cut', 'end', lambda s: setattr(s, 'after', END[:5]))
stream_case('end_other', 'end', lambda s: setattr(s, 'after', b'\xff\xff\xff\xff\1\0\0\0'))
stream_case('end_followed', 'behind the end', lambda s: setattr(s, 'after', END + b'\0'))
stream_case('another_stream', 'another stream',
            lambda s: setattr(s, 'after', END + Stream().bytes()))
stream_case('trailer_twice', 'no end', lambda s: b''.join(s.parts() + s.parts()[-1:]) + END)
stream_case('batch_behind', 'no end', lambda s: b''.join(s.parts() + s.parts()[1:2]) + END)
stream_case('trailer_first', 'no end|rows',
            lambda s: b''.join(s.parts()[:1] + s.parts()[3:] + s.parts()[1:3]) + END)
stream_case('batch_lost', 'trailer says', lambda s: b''.join(s.parts()[:1] + s.parts()[2:]) + END)
stream_case('batch_doubled', 'trailer says',
            lambda s: b''.join(s.parts()[:2] + s.parts()[1:]) + END)
stream_case('batches_swapped', 'digest',
            lambda s: b''.join(s.parts()[i] for i in (0, 2, 1, 3)) + END,
            ('sluice-cat', 'sluice-verify'))


def with_rows(b):
    good = Batch()
    b.rows, b.n, b.nulls, b.buffers = 8, good.n, good.nulls, good.buffers


def trailer_node(b):
    b.n[0] = 1
    b.buffers[1] = bytes(16)


stream_case('trailer_with_rows', 'with rows', lambda s: setattr(s, 'last', with_rows))
stream_case('trailer_packed', 'compression',
            lambda s: setattr(s, 'last', lambda b: setattr(b, 'compression', (1, 0))))
stream_case('trailer_with_node', 'rows of', lambda s: setattr(s, 'last', trailer_node))
stream_case('trailer_pair_twice', 'twice',
            lambda s: setattr(s, 'last', lambda b: b.pairs.insert(0, list(b.pairs[0]))))
stream_case('column_digest_lies', 'digest of column',
            lambda s: setattr(s, 'digests', lambda: [bytes(16)] * 9),
            ('sluice-cat', 'sluice-verify'))

# ---- the failed stream ----


def poison(error, with_body=False, more=(), rows=1):
    def make(s):
        b = Batch()
        _, spans_ = b.layout()
        b.pairs = [[b'sl:error', error]] + list(more) + [[b'sl:xxh3', DIGITS]]
        if not with_body:
            b.body, b.body_bytes = b'', 4096
            b.off, b.length = [0] * 27, [0] * 27
        b.rows = rows
        return b''.join(s.parts()[:2]) + b.bytes() + (END if with_body else b'')
    return make


GOOD_ERROR = b'{"tool":"sluice-x","message":"no"}'
stream_case('error', 'sluice-x failed|error of sluice-x', poison(GOOD_ERROR))
stream_case('error_with_body', 'checksum|sluice-x', poison(GOOD_ERROR, True))
stream_case('error_garbage', 'sl:error', poison(b'\xff\0{'))
stream_case('error_empty', 'sl:error', poison(b''))
stream_case('error_array', 'sl:error', poison(b'[]'))
stream_case('error_numbers', 'sl:error', poison(b'{"tool":1,"message":2}'))
stream_case('error_no_tool', 'sl:error', poison(b'{"tool":"","message":"x"}'))
stream_case('error_long', 'sl:error|sluice-x',
            poison(dump({'tool': 'sluice-x', 'message': 'm' * 100000})))
stream_case('error_long_tool', 't failed: m|error of t+: m',
            poison(dump({'tool': 't' * 5000, 'message': 'm'})))
stream_case('error_lines', 'a.b..31m',
            poison(b'{"tool":"sluice-x","message":"a\\nb\\u001b[31m\\u0000c"}'))
stream_case('error_format', '%n%s', poison(b'{"tool":"sluice-x","message":"%n%s%s%s"}'))
stream_case('error_and_trailer', 'trailer', poison(GOOD_ERROR, False, [[b'sl:trailer', b'{}']]))
stream_case('error_in_schema', 'an error',
            lambda s: s.hash_pairs.insert(0, [b'sl:error', GOOD_ERROR]))

# ---- lineage and tallies ----

JOINS = ('sluice-cat', 'sluice-verify')


def lineage_case(name, what, lineage, tools=('sluice-verify',)):
    trailer_case('lineage_' + name, what, lambda t: t.update(lineage=lineage), tools)


def made(**more):
    return stage('sluice-made', dict(tally(16, 136), **more))


lineage_case('good', None, [made()], TOOLS)
lineage_case('of_numbers', 'lineage', [1, 2, 3], JOINS)
lineage_case('of_arrays', 'lineage', [[], []], JOINS)
lineage_case('of_nulls', 'lineage', [None], JOINS)
lineage_case('without_tally', 'tally', [{'tool': 'x', 'version': '1', 'options': {}}])
lineage_case('without_tool', "'tool'", [{'version': '1', 'tally': tally(16, 136)}])
lineage_case('tally_array', 'tally', [stage('x', [])])
lineage_case('rows_lie', 'rows', [stage('x', tally(15, 136))])
lineage_case('ids_lie', 'ids', [stage('x', tally(16, 137))])
lineage_case('ids_short', "'in'",
             [stage('x', dict(tally(16, 136), **{'in': {'rows': 16, 'ids': '0'}}))])
lineage_case('law_broken', 'rows in',
             [stage('x', dict(tally(16, 136), rejected={'rows': 1, 'ids': '0' * 32}))])
lineage_case('law_ids', 'ids',
             [stage('x', dict(tally(16, 136), **{'in': {'rows': 16, 'ids': '0' * 32}}))])
lineage_case('law_unknown', 'law', [made(law='mine')])
lineage_case('law_number', 'law', [made(law=7)])
lineage_case('rows_huge', "'in'", [made(**{'in': {'rows': (1 << 63) - 1, 'ids': '0' * 32}})])
lineage_case('rows_negative', "'in'|rows", [made(**{'in': {'rows': -1, 'ids': '0' * 32}})])
lineage_case('reasons_lie', 'reasons', [made(reasons={'short': 3})])
lineage_case('reasons_array', 'reasons|number', [made(reasons=[1])])
lineage_case('hist_short', 'bins', [made(hist={'text_bytes': [0] * 64})])
lineage_case('hist_text', 'number', [made(hist={'text_bytes': ['a'] * 65})])
lineage_case('chain', 'came in', [stage('a', tally(17, 153)), made()])
lineage_case('inputs_late', 'inputs', [made(), dict(made(), inputs=[[made()]])])
lineage_case('inputs_number', 'inputs', [dict(made(), inputs=7)])
lineage_case('inputs_empty', 'inputs', [dict(made(), inputs=[])])
lineage_case('inputs_sum', 'came in', [dict(made(), inputs=[[made()], [made()]])])
lineage_case('port_unknown', 'port', [dict(made(), port='x')])
lineage_case('port_rejects', 'rows', [dict(made(), port='rejects')])
lineage_case('reasons_many', None, [made(reasons={'%05d' % i: 0 for i in range(90000)})])
lineage_case('branches_sum', 'too many|many', [dict(made(), inputs=[
    [stage('x', tally((1 << 60) - 1, 0))] for _ in range(20)])])
lineage_case('tokens_max', 'documents|tokens|law|ids', [made(law='tokens', counts=dict.fromkeys(
    ('tokens_in', 'specials', 'tokens_out', 'padding', 'cut', 'overlap'), (1 << 60) - 1),
    begun=port((1 << 60) - 1, 0), empty=port((1 << 60) - 1, 0))])
lineage_case('count_zero', 'count', [dict(made(), count=0)])
lineage_case('count_text', 'count', [dict(made(), count='2')])
lineage_case('count_negative', 'count', [dict(made(), count=-5)])
lineage_case('megabyte_good', None,
             [dict(made(), options={'x': 'y' * 900000})], ('sluice-export', 'sluice-verify'))
lineage_case('megabyte_cat', '1 MiB|metadata|bytes',
             [dict(made(), options={'x': 'y' * 1047300})], ('sluice-cat',))
trailer_case('lineage_over_megabyte', 'metadata of', lambda t: t.update(
    lineage=[dict(made(), options={'x': 'y' * (1 << 20)})]))

# Two inputs of one lineage: their numbers are added.


def pair_case(name, what, lineage):
    cases.append(('twice_' + name, lambda: make_with(lineage), what, ('sluice-cat twice',)))


def make_with(lineage):
    s = Stream()
    s.trailer['lineage'] = lineage
    return s.bytes()


def deep_inputs(n):
    one = made()
    for _ in range(n):
        one = {'tool': 'sluice-cat', 'version': '1', 'options': {}, 'inputs': [[one]],
               'tally': tally(16, 136)}
    return one


TOP = (1 << 63) - 1
pair_case('good', None, [made()])
pair_case('rows_max', 'lineage', [stage('x', tally(TOP, 136))])
pair_case('rows_min', 'lineage', [stage('x', tally(-TOP - 1, 136))])
pair_case('count_max', 'lineage', [dict(made(), count=TOP)])
pair_case('counts_max', 'lineage', [made(counts={'a': TOP})])
pair_case('hist_max', 'lineage', [made(hist={'text_bytes': [TOP] * 65})])
pair_case('no_tally', 'lineage', [{'tool': 'x'}])
pair_case('tally_number', 'lineage', [stage('x', 5)])
pair_case('of_numbers', 'lineage', [1])
pair_case('of_arrays', 'lineage', [[[1]], [[2]]])
pair_case('inputs_numbers', 'lineage', [dict(made(), inputs=[1, [2]])])
pair_case('inputs_object', 'lineage', [dict(made(), inputs={'a': 1})])
pair_case('reasons_many_good', None, [made(reasons={'%05d' % i: 0 for i in range(90000)})])
pair_case('keys_many_good', None, [dict(made(), **{'%05d' % i: 0 for i in range(90000)})])
pair_case('inputs_deep', 'lineage|deep|JSON', [deep_inputs(30)])
pair_case('inputs_deep_good', None, [deep_inputs(8)])
pair_case('empty_good', None, [])

# ---- running them ----


def environment():
    env = {k: v for k, v in os.environ.items() if k != 'LD_PRELOAD'}
    env['ASAN_OPTIONS'] = ('detect_leaks=1:exitcode=99:allocator_may_return_null=1:'
                           'quarantine_size_mb=16')
    env['UBSAN_OPTIONS'] = 'print_stacktrace=1:halt_on_error=1:exitcode=99'
    return env


def run(args, env):
    """Exit code, standard error and the most memory of one tool."""
    with tempfile.TemporaryFile() as err:
        begun = time.monotonic()
        p = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=err, env=env)
        while True:
            pid, status, usage = os.wait4(p.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - begun > SECONDS:
                p.kill()
                os.wait4(p.pid, 0)
                p.returncode = -9
                return 'hangs', '', 0
            time.sleep(0.002)
        p.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        return p.returncode, err.read().decode('utf-8', 'replace'), usage.ru_maxrss << 10


def fault(rc, err, memory, what):
    """What is wrong with how a stream was taken; nothing where it is right."""
    if memory > MEMORY:
        return f'took {memory >> 20} MiB'
    if what is None:
        return '' if rc == 0 and not err else f'a good stream: exit {rc}, {err[:300]!r}'
    if rc != 1:
        return f'exit {rc}, {err[:1500]!r}'
    if err.count('\n') != 1:
        return f'{err.count(chr(10))} lines: {err[:600]!r}'
    return '' if re.search(what, err) else f'other words: {err[:400]!r}'


def main():
    folder, only = os.path.join(sys.argv[1], 'bin'), sys.argv[2:]
    env, passed, failed = environment(), 0, 0
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, 'hostile.arrows')
        for name, make, what, tools in cases:
            if only and not any(o in name for o in only):
                continue
            with open(path, 'wb') as f:
                f.write(make())
            wrong = []
            for tool in tools:
                word, _, twice = tool.partition(' ')
                args = [os.path.join(folder, word), path] + ([path] if twice else [])
                rc, err, memory = run(args, env)
                why = fault(rc, err, memory, what)
                if why:
                    wrong.append(f'{tool}: {why}')
            passed, failed = passed + (not wrong), failed + bool(wrong)
            for w in wrong:
                print(f'FAILED {name}: {w}')
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
