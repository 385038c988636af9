# SPDX-License-Identifier: Apache-2.0
"""XXH3 with seed 0 in plain Python, from its specification: the 128-bit form of any
length, the 64-bit form of more than 240 bytes. Slow, and shares nothing with the
library that the C code uses."""
import struct

P32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
P64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
       0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
SECRET = bytes.fromhex(
    'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578'
    '825ad07dccff7221b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea3'
    '71644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931'
    'c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e'
    '2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e')
M64 = (1 << 64) - 1
STRIPE, BLOCK = 64, 1024


def r32(b, at=0):
    return struct.unpack_from('<I', b, at)[0]


def r64(b, at=0):
    return struct.unpack_from('<Q', b, at)[0]


def fold(a, b):
    p = a * b
    return (p & M64) ^ (p >> 64)


def avalanche(h):
    h = (h ^ h >> 37) * 0x165667919E3779F9 & M64
    return h ^ h >> 32


def avalanche64(h):
    h = (h ^ h >> 33) * P64[1] & M64
    h = (h ^ h >> 29) * P64[2] & M64
    return h ^ h >> 32


KEYS = [struct.unpack_from('<8Q', SECRET, 8 * i) for i in range(17)]
LAST_KEYS = struct.unpack_from('<8Q', SECRET, 192 - 64 - 7)


def accumulate(acc, data, at, keys):
    for i, v in enumerate(struct.unpack_from('<8Q', data, at)):
        k = v ^ keys[i]
        acc[i ^ 1] += v
        acc[i] += (k & 0xFFFFFFFF) * (k >> 32)


def long_hash(data):
    acc = [P32[2], P64[0], P64[1], P64[2], P64[3], P32[1], P64[4], P32[0]]
    blocks = (len(data) - 1) // BLOCK
    for b in range(blocks):
        for s in range(16):
            accumulate(acc, data, b * BLOCK + s * STRIPE, KEYS[s])
        for i in range(8):
            a = acc[i] & M64
            acc[i] = (a ^ a >> 47 ^ KEYS[16][i]) * P32[0] & M64
    for s in range((len(data) - 1 - blocks * BLOCK) // STRIPE):
        accumulate(acc, data, blocks * BLOCK + s * STRIPE, KEYS[s])
    accumulate(acc, data, len(data) - STRIPE, LAST_KEYS)
    return [a & M64 for a in acc]


def merge(acc, secret_at, start):
    h = start
    for i in range(4):
        h += fold(acc[2 * i] ^ r64(SECRET, secret_at + 16 * i),
                  acc[2 * i + 1] ^ r64(SECRET, secret_at + 16 * i + 8))
    return avalanche(h & M64)


def xxh3_64(data):
    assert len(data) > 240
    return merge(long_hash(data), 11, len(data) * P64[0] & M64)


def mix16(b, at, s):
    return fold(r64(b, at) ^ r64(SECRET, s), r64(b, at + 8) ^ r64(SECRET, s + 8))


def mix32(acc, b, first, second, s):
    lo = (acc[0] + mix16(b, first, s) & M64) ^ (r64(b, second) + r64(b, second + 8) & M64)
    hi = (acc[1] + mix16(b, second, s + 16) & M64) ^ (r64(b, first) + r64(b, first + 8) & M64)
    return lo, hi


def close(acc, n):
    lo = acc[0] + acc[1] & M64
    hi = acc[0] * P64[0] + acc[1] * P64[3] + n * P64[1] & M64
    return avalanche(lo), -avalanche(hi) & M64


def middle(b):
    n = len(b)
    acc = n * P64[0] & M64, 0
    if n <= 128:
        for i in range((n - 1) // 32, -1, -1):
            acc = mix32(acc, b, 16 * i, n - 16 * i - 16, 32 * i)
        return close(acc, n)
    for i in range(0, 128, 32):
        acc = mix32(acc, b, i, i + 16, i)
    acc = avalanche(acc[0]), avalanche(acc[1])
    for i in range(128, n - 31, 32):
        acc = mix32(acc, b, i, i + 16, i - 125)
    return close(mix32(acc, b, n - 16, n - 32, 103), n)


def short(b):
    n = len(b)
    if n == 0:
        return (avalanche64(r64(SECRET, 64) ^ r64(SECRET, 72)),
                avalanche64(r64(SECRET, 80) ^ r64(SECRET, 88)))
    if n <= 3:
        lo = b[0] << 16 | b[n >> 1] << 24 | b[-1] | n << 8
        hi = int.from_bytes(lo.to_bytes(4, 'little'), 'big')
        hi = (hi << 13 | hi >> 19) & 0xFFFFFFFF
        return (avalanche64(lo ^ r32(SECRET) ^ r32(SECRET, 4)),
                avalanche64(hi ^ r32(SECRET, 8) ^ r32(SECRET, 12)))
    if n <= 8:
        keyed = (r32(b) | r32(b, n - 4) << 32) ^ r64(SECRET, 16) ^ r64(SECRET, 24)
        p = keyed * (P64[0] + (n << 2))
        lo, hi = p & M64, p >> 64
        hi = hi + (lo << 1) & M64
        lo ^= hi >> 3
        lo = (lo ^ lo >> 35) * 0x9FB21C651E98DF25 & M64
        return lo ^ lo >> 28, avalanche(hi)
    low, high = r64(b), r64(b, n - 8)
    p = (low ^ high ^ r64(SECRET, 32) ^ r64(SECRET, 40)) * P64[0]
    lo, hi = (p & M64) + (n - 1 << 54) & M64, p >> 64
    high ^= r64(SECRET, 48) ^ r64(SECRET, 56)
    hi = hi + high + (high & 0xFFFFFFFF) * (P32[1] - 1) & M64
    lo ^= int.from_bytes(hi.to_bytes(8, 'little'), 'big')
    p = lo * P64[1]
    return avalanche(p & M64), avalanche((p >> 64) + hi * P64[1] & M64)


def xxh3_128(data):
    """The canonical form: 16 bytes, big-endian."""
    n = len(data)
    if n > 240:
        acc = long_hash(data)
        lo = merge(acc, 11, n * P64[0] & M64)
        hi = merge(acc, 117, ~(n * P64[1]) & M64)
    else:
        lo, hi = short(data) if n <= 16 else middle(data)
    return struct.pack('>QQ', hi, lo)
