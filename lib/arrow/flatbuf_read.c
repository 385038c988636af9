/* SPDX-License-Identifier: Apache-2.0 */
/* A cursor instead of a verifier that goes first: each step checks what it is
 * about to read, so that nothing depends on an earlier pass having seen the
 * same bytes, and only what is asked for is looked at. No pointer into the
 * buffer is ever cast; positions are 32-bit offsets, sums are made in 64 bits.
 *
 * Position 0 holds the root's reference, so it is free to mean "absent". */
#include "arrow/flatbuf_read.h"

#include "base/num.h"

enum { REF_BYTES = 4, VTABLE_HEAD = 4 };

static const struct sl_fbr_table no_table;
static const struct sl_fbr_vector no_vector;

static bool inside(const struct sl_fbr *r, uint64_t at, uint64_t bytes)
{
    return at <= r->n && bytes <= r->n - at;
}

void sl_fbr_init(struct sl_fbr *r, struct sl_str bytes)
{
    bool fits = bytes.n <= INT32_MAX;
    *r = (struct sl_fbr){ (const uint8_t *)bytes.p, fits ? (uint32_t)bytes.n : 0, !fits };
}

/* Follow the reference at a position; 0 where that is not possible. */
static uint32_t follow(struct sl_fbr *r, uint64_t at)
{
    if (!inside(r, at, REF_BYTES)) {
        r->bad = true;
        return 0;
    }
    uint64_t to = at + sl_load32(r->p + at);
    if (to < at + REF_BYTES || !inside(r, to, REF_BYTES)) {
        r->bad = true;
        return 0;
    }
    return (uint32_t)to;
}

static struct sl_fbr_table open_table(struct sl_fbr *r, uint32_t at)
{
    if (at == 0)
        return no_table;
    int64_t vtable = (int64_t)at - (int32_t)sl_load32(r->p + at);
    if (vtable < 0 || !inside(r, (uint64_t)vtable, VTABLE_HEAD)) {
        r->bad = true;
        return no_table;
    }
    struct sl_fbr_table t = { .at = at, .vtable = (uint32_t)vtable };
    t.vtable_bytes = sl_load16(r->p + vtable);
    t.bytes = sl_load16(r->p + vtable + 2);
    if (t.vtable_bytes < VTABLE_HEAD || (t.vtable_bytes & 1) || t.bytes < REF_BYTES ||
        !inside(r, t.vtable, t.vtable_bytes) || !inside(r, t.at, t.bytes)) {
        r->bad = true;
        return no_table;
    }
    return t;
}

struct sl_fbr_table sl_fbr_root(struct sl_fbr *r)
{
    return open_table(r, follow(r, 0));
}

/* Where a field of so many bytes stands; 0 where it is absent. */
static uint32_t field(struct sl_fbr *r, struct sl_fbr_table t, unsigned slot, unsigned bytes)
{
    uint32_t entry = VTABLE_HEAD + 2 * slot;
    if (t.at == 0 || entry + 2 > t.vtable_bytes)
        return 0;
    uint32_t off = sl_load16(r->p + t.vtable + entry);
    if (off == 0)
        return 0;
    if (off < REF_BYTES || off + bytes > t.bytes) {
        r->bad = true;
        return 0;
    }
    return t.at + off;
}

uint64_t sl_fbr_scalar(struct sl_fbr *r, struct sl_fbr_table t, unsigned slot, unsigned bytes,
                       uint64_t otherwise)
{
    uint32_t at = field(r, t, slot, bytes);
    if (at == 0)
        return otherwise;
    switch (bytes) {
    case 1:
        return r->p[at];
    case 2:
        return sl_load16(r->p + at);
    case 4:
        return sl_load32(r->p + at);
    default:
        return sl_load64(r->p + at);
    }
}

bool sl_fbr_has(const struct sl_fbr *r, struct sl_fbr_table t, unsigned slot)
{
    uint32_t entry = VTABLE_HEAD + 2 * slot;
    return t.at && entry + 2 <= t.vtable_bytes && sl_load16(r->p + t.vtable + entry) != 0;
}

struct sl_fbr_table sl_fbr_table(struct sl_fbr *r, struct sl_fbr_table t, unsigned slot)
{
    uint32_t at = field(r, t, slot, REF_BYTES);
    return at ? open_table(r, follow(r, at)) : no_table;
}

struct sl_fbr_vector sl_fbr_vector(struct sl_fbr *r, struct sl_fbr_table t, unsigned slot,
                                   unsigned element_bytes)
{
    uint32_t at = field(r, t, slot, REF_BYTES);
    uint32_t to = at ? follow(r, at) : 0;
    if (to == 0)
        return no_vector;
    uint32_t n = sl_load32(r->p + to);
    if (!inside(r, (uint64_t)to + REF_BYTES, (uint64_t)n * element_bytes)) {
        r->bad = true;
        return no_vector;
    }
    return (struct sl_fbr_vector){ to + REF_BYTES, n };
}

struct sl_str sl_fbr_string(struct sl_fbr *r, struct sl_fbr_table t, unsigned slot)
{
    struct sl_fbr_vector v = sl_fbr_vector(r, t, slot, 1);
    return v.at ? (struct sl_str){ (const char *)r->p + v.at, v.n } : (struct sl_str){ NULL, 0 };
}

struct sl_fbr_table sl_fbr_table_at(struct sl_fbr *r, struct sl_fbr_vector v, uint32_t i)
{
    return open_table(r, follow(r, (uint64_t)v.at + (uint64_t)i * REF_BYTES));
}

int64_t sl_fbr_i64_at(const struct sl_fbr *r, struct sl_fbr_vector v, uint32_t i, unsigned bytes,
                      unsigned off)
{
    return (int64_t)sl_load64(r->p + v.at + (size_t)i * bytes + off);
}
