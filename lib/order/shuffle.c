/* SPDX-License-Identifier: Apache-2.0 */
/* A balanced Feistel network on the least number of bits that holds n - 1; what falls
 * outside of 0 .. n-1 goes round again, less than twice on average.
 *
 * Why       an order over 10^12 sequences needs no table, and any part of it can be
 *           computed alone. It is the permutation of the loader, number for number.
 * Rejected  sorting by a hash: 16 bytes an item, and a sort; sluice-sort does that
 *           where the row's key, and not its place, is to decide. */
#include "order/shuffle.h"

void sl_shuffle_init(struct sl_shuffle *s, uint64_t n, uint64_t seed, uint64_t stream)
{
    unsigned bits = n > 1 ? 64 - (unsigned)__builtin_clzll(n - 1) : 0;
    uint64_t state =
        sl_mix64(sl_mix64(seed + SL_SHUFFLE_GOLDEN) + (stream + 1) * SL_SHUFFLE_GOLDEN);
    s->n = n;
    s->high_bits = bits / 2;
    s->low_bits = bits - bits / 2;
    for (unsigned r = 0; r < SL_SHUFFLE_ROUNDS; r++)
        s->key[r] = sl_mix64(state + (r + 1) * SL_SHUFFLE_GOLDEN);
}

uint64_t sl_shuffle_at(const struct sl_shuffle *s, uint64_t p)
{
    uint64_t high_mask = ((uint64_t)1 << s->high_bits) - 1;
    uint64_t low_mask = ((uint64_t)1 << s->low_bits) - 1;
    if (s->n < 2)
        return p;
    do {
        uint64_t high = p >> s->low_bits, low = p & low_mask;
        for (unsigned r = 0; r < SL_SHUFFLE_ROUNDS; r += 2) {
            high ^= sl_mix64(low ^ s->key[r]) & high_mask;
            low ^= sl_mix64(high ^ s->key[r + 1]) & low_mask;
        }
        p = high << s->low_bits | low;
    } while (p >= s->n);
    return p;
}

uint64_t sl_shuffle_place(const struct sl_shuffle *s, uint64_t v)
{
    uint64_t high_mask = ((uint64_t)1 << s->high_bits) - 1;
    uint64_t low_mask = ((uint64_t)1 << s->low_bits) - 1;
    if (s->n < 2)
        return v;
    do {
        uint64_t high = v >> s->low_bits, low = v & low_mask;
        for (unsigned r = SL_SHUFFLE_ROUNDS; r > 0; r -= 2) {
            low ^= sl_mix64(high ^ s->key[r - 1]) & low_mask;
            high ^= sl_mix64(low ^ s->key[r - 2]) & high_mask;
        }
        v = high << s->low_bits | low;
    } while (v >= s->n);
    return v;
}
