/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_SHUFFLE_H
#define SL_ORDER_SHUFFLE_H

/* A permutation of 0 .. n-1 by a key, without a table: what is at position p, and
 * where v is, each in constant time on average.
 *
 * Threads   pure functions of the struct, which is not changed after init.
 * Source    docs/loader.md, "The permutation": a Feistel network over the
 *           finaliser of SplitMix64 with cycle walking. The loader's epoch is `stream`. */

#include <stdint.h>

#define SL_SHUFFLE_ROUNDS 12
#define SL_SHUFFLE_GOLDEN 0x9e3779b97f4a7c15 /* the step of SplitMix64 */
#define SL_SHUFFLE_MAX ((uint64_t)1 << 62)

struct sl_shuffle {
    uint64_t n;
    unsigned low_bits; /* the upper half has as many or one less */
    unsigned high_bits;
    uint64_t key[SL_SHUFFLE_ROUNDS];
};

/* The finaliser of SplitMix64, a bijection of 64-bit numbers. */
static inline uint64_t sl_mix64(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* n is at most SL_SHUFFLE_MAX. Streams of one seed are independent. */
void sl_shuffle_init(struct sl_shuffle *s, uint64_t n, uint64_t seed, uint64_t stream);

/* Both below n, and each the other's inverse; p and v are below n. */
uint64_t sl_shuffle_at(const struct sl_shuffle *s, uint64_t p);
uint64_t sl_shuffle_place(const struct sl_shuffle *s, uint64_t v);

#endif
