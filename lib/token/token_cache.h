/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_CACHE_H
#define SL_TOKEN_CACHE_H

/* A cache of pieces of text and their tokens, of one thread. Whether it has a piece never
 * changes what comes out, only when.
 *
 * Short pieces, of up to 15 bytes and 4 tokens, stand in slots of 32 bytes: the bytes with
 * their length as two words, then the ids. Longer ones, of up to SL_TOKEN_CACHE_LONG bytes,
 * are found by their hash and compared.
 *
 * Memory    bounded: a new piece takes the slot of an older one; the store of the longer ones
 *           is wiped as a whole when it is full.
 * Threads   one. */

#include "base/buf.h"

enum { SL_TOKEN_CACHE_SHORT = 15, SL_TOKEN_CACHE_LONG = 255, SL_TOKEN_CACHE_IDS = 4 };

/* The top byte of hi: how many bytes (low half) and how many ids (high half). */
struct sl_token_slot {
    uint64_t lo, hi;
    uint32_t ids[SL_TOKEN_CACHE_IDS];
};

struct sl_token_key {
    uint64_t lo, hi;
};

struct sl_token_cache;

SL_MUST_USE enum sl_status sl_token_cache_new(struct sl_token_cache **out, struct sl_err *err);
void sl_token_cache_free(struct sl_token_cache *c); /* NULL allowed */

/* The key of a piece of 1 to 15 bytes. n_readable: bytes that may be read from p. */
static inline struct sl_token_key sl_token_key_of(const char *p, size_t n, size_t n_readable)
{
    struct sl_token_key k = { 0, 0 };
    if (__builtin_expect(n_readable >= 16, 1)) {
        __builtin_memcpy(&k, p, 16);
        uint64_t mask = n >= 8 ? UINT64_MAX : ((uint64_t)1 << 8 * n) - 1;
        k.lo &= mask;
        k.hi &= n > 8 ? ((uint64_t)1 << 8 * (n - 8)) - 1 : 0;
    } else {
        __builtin_memcpy(&k, p, n);
    }
    k.hi |= (uint64_t)n << 56;
    return k;
}

/* The two slots where a key may stand, 64-byte aligned: look into both. */
struct sl_token_slot *sl_token_cache_slots(struct sl_token_cache *c);
extern const unsigned sl_token_cache_bits; /* there are 1 << bits pairs of slots */

static inline size_t sl_token_cache_place(struct sl_token_key k)
{
    uint64_t h = (k.lo ^ (k.hi << 29 | k.hi >> 35)) * 0x9e3779b97f4a7c15u;
    h ^= k.hi * 0xc2b2ae3d27d4eb4fu;
    return (size_t)((h ^ h >> 32) * 0x9fb21c651e98df25u >> 47) * 2;
}

/* True where the slot holds the key; hi's top half byte is no part of it. */
static inline bool sl_token_slot_has(const struct sl_token_slot *s, struct sl_token_key k)
{
    return s->lo == k.lo && ((s->hi ^ k.hi) << 4) == 0;
}

static inline unsigned sl_token_slot_count(const struct sl_token_slot *s)
{
    return (unsigned)(s->hi >> 60);
}

/* Remember up to 4 ids; more are not kept. pair: the first of its two slots. */
void sl_token_cache_put(struct sl_token_slot *pair, struct sl_token_key k, const uint32_t *ids,
                        size_t n);

/* Pieces of up to SL_TOKEN_CACHE_LONG bytes. find: NULL where it is not there. */
const uint32_t *sl_token_cache_find_long(const struct sl_token_cache *c, struct sl_str piece,
                                         uint64_t hash, size_t *n);
void sl_token_cache_put_long(struct sl_token_cache *c, struct sl_str piece, uint64_t hash,
                             const uint32_t *ids, size_t n);

#endif
