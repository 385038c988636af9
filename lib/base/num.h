/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_BASE_NUM_H
#define SL_BASE_NUM_H

/* Checked numbers: arithmetic on sizes from input, and strict parsing.
 *
 * Threads   pure functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* *out = a + b or a * b; false where it overflows (out is then not written). */
static inline bool sl_add_ok(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}
static inline bool sl_mul_ok(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

/* v rounded up to a multiple of 64; v is below 2^63. */
static inline uint64_t sl_round64(uint64_t v)
{
    return (v + 63) & ~(uint64_t)63;
}

/* The whole of s must be a decimal number without sign or blank; false where
 * it is not or does not fit. */
bool sl_parse_u64(struct sl_str s, uint64_t *out);
bool sl_parse_i64(struct sl_str s, int64_t *out); /* '-' allowed */

/* A size: a number with K, M, G or T (powers of 1024), as "64M". */
bool sl_parse_size(struct sl_str s, uint64_t *out);

/* A finite decimal number; the C locale's form, the whole of s. */
bool sl_parse_f64(struct sl_str s, double *out);

/* The shortest decimal that reads back as the same finite double, and of those the
 * nearest; always with a point or an exponent, as 0.1, 3.0, 1e-7, 1.5e300. It is
 * JSON, the same on every machine, and ends with NUL. */
#define SL_REAL_CHARS 32
void sl_format_f64(double v, char out[SL_REAL_CHARS]);

/* Little-endian loads and stores at any alignment. */
static inline uint16_t sl_load16(const void *p)
{
    uint16_t v;
    __builtin_memcpy(&v, p, 2);
    return v;
}
static inline uint32_t sl_load32(const void *p)
{
    uint32_t v;
    __builtin_memcpy(&v, p, 4);
    return v;
}
static inline uint64_t sl_load64(const void *p)
{
    uint64_t v;
    __builtin_memcpy(&v, p, 8);
    return v;
}
static inline void sl_store16(void *p, uint16_t v)
{
    __builtin_memcpy(p, &v, 2);
}
static inline void sl_store32(void *p, uint32_t v)
{
    __builtin_memcpy(p, &v, 4);
}
static inline void sl_store64(void *p, uint64_t v)
{
    __builtin_memcpy(p, &v, 8);
}

/* Big-endian ones of n bytes, 1 to 8: numbers whose bytes memcmp orders. */
static inline void sl_store_big(void *p, uint64_t v, unsigned n)
{
    v = __builtin_bswap64(v << (64 - 8 * n));
    __builtin_memcpy(p, &v, n);
}
static inline uint64_t sl_load_big(const void *p, unsigned n)
{
    uint64_t v = 0;
    __builtin_memcpy(&v, p, n);
    return __builtin_bswap64(v) >> (64 - 8 * n);
}

#endif
