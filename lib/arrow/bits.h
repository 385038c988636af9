/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_BITS_H
#define SL_ARROW_BITS_H

/* Bitmaps: bit j & 7 of byte j >> 3; the bits behind the last are 0.
 *
 * Internal to lib/arrow. The caller answers for all ranges. */

#include <stdint.h>

#include "base/buf.h"

static inline bool sl_bit(const uint8_t *bits, int64_t i)
{
    return bits[i >> 3] >> (i & 7) & 1;
}

/* How many of n bits from first on are set. */
int64_t sl_bits_count(const uint8_t *bits, int64_t first, int64_t n);

/* Append to a bitmap of have bits: n equal bits; n bits of another bitmap; the
 * bits of n rows of another bitmap. */
SL_MUST_USE enum sl_status sl_bits_fill(struct sl_buf *b, int64_t have, bool v, int64_t n,
                                        struct sl_err *err);
SL_MUST_USE enum sl_status sl_bits_add(struct sl_buf *b, int64_t have, const uint8_t *bits,
                                       int64_t first, int64_t n, struct sl_err *err);
SL_MUST_USE enum sl_status sl_bits_take(struct sl_buf *b, int64_t have, const uint8_t *bits,
                                        const uint32_t *rows, size_t n, struct sl_err *err);

/* n bits from first on as bytes of 0 and 1; first is a multiple of 8, out has
 * room for n rounded up to a multiple of 8. */
void sl_bits_spread(const uint8_t *bits, int64_t first, int64_t n, uint8_t *out);

#endif
