/* SPDX-License-Identifier: Apache-2.0 */
/* A FlatBuffers builder as small as the profile allows: strings, vectors of
 * references and of structs, tables of at most eight slots. It grows downward
 * from the end, so alignment is counted from the end; the whole is a multiple
 * of 8, which makes that the same as alignment from the start. Tables do not
 * share their vtables: that saves a few bytes in a schema and costs a search. */
#include "arrow/flatbuf_build.h"

#include <stdlib.h>

#include "base/num.h"

void sl_fbb_init(struct sl_fbb *b, size_t max)
{
    *b = (struct sl_fbb){ .max = max, .status = SL_OK };
}

void sl_fbb_release(struct sl_fbb *b)
{
    free(b->mem);
    sl_fbb_init(b, b->max);
}

void sl_fbb_reset(struct sl_fbb *b)
{
    b->len = 0;
    b->status = SL_OK;
}

/* The place of n more bytes in front; NULL after an error. */
static uint8_t *push(struct sl_fbb *b, size_t n)
{
    if (b->status != SL_OK)
        return NULL;
    if (n > b->max || b->len > b->max - n) {
        b->status = SL_E_DATA;
        return NULL;
    }
    if (b->len + n > b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 1024;
        if (cap < b->len + n)
            cap = b->len + n;
        cap = (cap + 7) & ~(size_t)7; /* keeps the end, and so all, aligned */
        uint8_t *mem = malloc(cap);
        if (!mem) {
            b->status = SL_E_SYSTEM;
            return NULL;
        }
        if (b->len)
            memcpy(mem + cap - b->len, b->mem + b->cap - b->len, b->len);
        free(b->mem);
        b->mem = mem;
        b->cap = cap;
    }
    b->len += n;
    return b->mem + b->cap - b->len;
}

/* Zeros until extra more bytes end at a multiple of align. */
static void prep(struct sl_fbb *b, size_t align, size_t extra)
{
    size_t n = (align - (b->len + extra) % align) % align;
    uint8_t *p = push(b, n);
    if (p)
        memset(p, 0, n);
}

static uint32_t here(const struct sl_fbb *b)
{
    return b->status == SL_OK ? (uint32_t)b->len : 0;
}

static void push32(struct sl_fbb *b, uint32_t v)
{
    uint8_t *p = push(b, 4);
    if (p)
        sl_store32(p, v);
}

/* A reference points forward from its own place. */
static void push_ref(struct sl_fbb *b, uint32_t position)
{
    push32(b, (uint32_t)(b->len + 4) - position);
}

uint32_t sl_fbb_string(struct sl_fbb *b, struct sl_str s)
{
    if (s.n > b->max) {
        b->status = b->status == SL_OK ? SL_E_DATA : b->status;
        return 0;
    }
    prep(b, 4, s.n + 1);
    uint8_t *p = push(b, s.n + 1);
    if (p) {
        if (s.n)
            memcpy(p, s.p, s.n);
        p[s.n] = 0;
    }
    push32(b, (uint32_t)s.n);
    return here(b);
}

uint32_t sl_fbb_refs(struct sl_fbb *b, const uint32_t *positions, size_t count)
{
    prep(b, 4, 0);
    for (size_t i = count; i-- > 0;)
        push_ref(b, positions[i]);
    push32(b, (uint32_t)count);
    return here(b);
}

uint32_t sl_fbb_structs(struct sl_fbb *b, const void *p, size_t count, size_t bytes)
{
    prep(b, 8, count * bytes);
    uint8_t *dst = push(b, count * bytes);
    if (dst && count)
        memcpy(dst, p, count * bytes);
    push32(b, (uint32_t)count);
    return here(b);
}

void sl_fbb_begin(struct sl_fbb *b)
{
    memset(b->slots, 0, sizeof b->slots);
    b->table_start = b->len;
}

void sl_fbb_scalar(struct sl_fbb *b, unsigned slot, uint64_t v, unsigned bytes)
{
    prep(b, bytes, bytes);
    uint8_t *p = push(b, bytes);
    if (p)
        memcpy(p, &v, bytes); /* little-endian: the low bytes come first */
    b->slots[slot] = (uint32_t)b->len;
}

void sl_fbb_ref(struct sl_fbb *b, unsigned slot, uint32_t position)
{
    prep(b, 4, 4);
    push_ref(b, position);
    b->slots[slot] = (uint32_t)b->len;
}

uint32_t sl_fbb_end(struct sl_fbb *b)
{
    prep(b, 4, 4);
    push32(b, 0);
    uint32_t table = here(b);
    unsigned n = SL_FBB_SLOTS;
    while (n > 0 && b->slots[n - 1] == 0)
        n--;
    size_t vtable_bytes = 4 + 2 * (size_t)n;
    prep(b, 2, vtable_bytes);
    uint8_t *p = push(b, vtable_bytes);
    if (!p)
        return 0;
    sl_store16(p, (uint16_t)vtable_bytes);
    sl_store16(p + 2, (uint16_t)(table - b->table_start));
    for (unsigned i = 0; i < n; i++)
        sl_store16(p + 4 + 2 * i, b->slots[i] ? (uint16_t)(table - b->slots[i]) : 0);
    sl_store32(b->mem + b->cap - table, (uint32_t)b->len - table);
    return table;
}

enum sl_status sl_fbb_finish(struct sl_fbb *b, uint32_t root, struct sl_str *out,
                             struct sl_err *err)
{
    prep(b, 8, 4);
    push_ref(b, root);
    if (b->status == SL_E_DATA)
        return sl_err_set(err, SL_E_DATA, "metadata of more than %zu bytes", b->max);
    if (b->status != SL_OK)
        return sl_err_nomem(err, b->max);
    *out = (struct sl_str){ (const char *)b->mem + b->cap - b->len, b->len };
    return SL_OK;
}
