/* SPDX-License-Identifier: Apache-2.0 */
/* Bitmaps. Whole bytes are moved where the target is at a byte's border, with
 * a shift where the source is not; the few bits before and after go one by
 * one. Bits are only ever set, since every appended byte was zeroed. */
#include "arrow/bits.h"

#include "base/num.h"

int64_t sl_bits_count(const uint8_t *bits, int64_t first, int64_t n)
{
    int64_t count = 0, i = first, end = first + n;
    for (; i < end && (i & 7); i++)
        count += sl_bit(bits, i);
    for (; i + 64 <= end; i += 64)
        count += __builtin_popcountll(sl_load64(bits + (i >> 3)));
    for (; i < end; i++)
        count += sl_bit(bits, i);
    return count;
}

static enum sl_status grow(struct sl_buf *b, int64_t bits, struct sl_err *err)
{
    size_t need = ((uint64_t)bits + 7) / 8;
    return need > b->n ? sl_buf_add_zeros(b, need - b->n, err) : SL_OK;
}

static inline void set(uint8_t *p, int64_t i, bool v)
{
    p[i >> 3] |= (uint8_t)((unsigned)v << (i & 7));
}

enum sl_status sl_bits_fill(struct sl_buf *b, int64_t have, bool v, int64_t n, struct sl_err *err)
{
    SL_TRY(grow(b, have + n, err));
    if (!v)
        return SL_OK;
    int64_t i = have, end = have + n;
    for (; i < end && (i & 7); i++)
        set(b->p, i, true);
    if (end - i >= 8)
        memset(b->p + (i >> 3), 0xff, (size_t)(end - i) / 8);
    for (i += (end - i) & ~(int64_t)7; i < end; i++)
        set(b->p, i, true);
    return SL_OK;
}

enum sl_status sl_bits_add(struct sl_buf *b, int64_t have, const uint8_t *bits, int64_t first,
                           int64_t n, struct sl_err *err)
{
    SL_TRY(grow(b, have + n, err));
    int64_t i = 0;
    for (; i < n && ((have + i) & 7); i++)
        set(b->p, have + i, sl_bit(bits, first + i));
    int64_t bytes = (n - i) / 8;
    if (bytes > 0) {
        uint8_t *dst = b->p + ((have + i) >> 3);
        const uint8_t *src = bits + ((first + i) >> 3);
        int shift = (int)((first + i) & 7);
        if (shift == 0)
            memcpy(dst, src, (size_t)bytes);
        for (int64_t k = 0; shift && k < bytes; k++)
            dst[k] = (uint8_t)(src[k] >> shift | src[k + 1] << (8 - shift));
        i += bytes * 8;
    }
    for (; i < n; i++)
        set(b->p, have + i, sl_bit(bits, first + i));
    return SL_OK;
}

enum sl_status sl_bits_take(struct sl_buf *b, int64_t have, const uint8_t *bits,
                            const uint32_t *rows, size_t n, struct sl_err *err)
{
    SL_TRY(grow(b, have + (int64_t)n, err));
    for (size_t i = 0; i < n; i++)
        set(b->p, have + (int64_t)i, sl_bit(bits, rows[i]));
    return SL_OK;
}

void sl_bits_spread(const uint8_t *bits, int64_t first, int64_t n, uint8_t *out)
{
    const uint8_t *p = bits + first / 8;
    for (int64_t i = 0; i < n; i += 8) {
        /* byte k of v keeps bit k alone, and becomes 1 where that bit is set */
        uint64_t v = *p++ * UINT64_C(0x0101010101010101) & UINT64_C(0x8040201008040201);
        v = (v + UINT64_C(0x7f7f7f7f7f7f7f7f)) >> 7 & UINT64_C(0x0101010101010101);
        sl_store64(out + i, v);
    }
}
