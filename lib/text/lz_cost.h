/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TEXT_LZ_COST_H
#define SL_TEXT_LZ_COST_H

/* How far a text compresses: the bits that a small LZ compressor with entropy
 * coding would need, counted and never written.
 *
 * The text is cut into windows of SL_LZ_WINDOW_BYTES bytes, the last one shorter,
 * and each is compressed on its own, so that the figure of a long text does not
 * fall with its length. The cost of a text is the sum over its windows. Costs are
 * integers, in units of 1/256 bit: the same on every machine, and no compressor
 * library is asked. Any bytes are fine; they need not be UTF-8.
 *
 * docs/difficulty.md has the parse and the prices to the last rule.
 *
 * Threads   one struct sl_lz a thread; no other state.
 * Time      linear in the bytes, whatever they are. */

#include <stddef.h>
#include <stdint.h>

#define SL_LZ_WINDOW_BYTES 4096
#define SL_LZ_HEAD_BITS 96        /* what every window costs beside its content */
#define SL_LZ_BIT ((uint64_t)256) /* a bit, in units of cost */

/* Scratch, all zero at first; what it holds never changes a result. */
struct sl_lz {
    uint16_t places[SL_LZ_WINDOW_BYTES];
    uint32_t base;
};

void sl_lz_init(struct sl_lz *lz);

/* The cost of n bytes, n below 2^48; 0 for none. At most 8 n + SL_LZ_HEAD_BITS bits
 * a window. */
uint64_t sl_lz_cost(struct sl_lz *lz, const void *p, size_t n);

/* Cost in bits by raw bits: compressed by raw size. n is at least 1. The quotient
 * of the two integers as a double. */
double sl_lz_ratio(struct sl_lz *lz, const void *p, size_t n);

#endif
