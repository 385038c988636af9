/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of pieces.
 *
 * In text almost every piece was there before, and is short; so most of encoding is this
 * look-up. A slot is half a cache line: one line answers for the two places of a key, without a
 * pointer to follow. The newer of the two stands first; a third pushes the second out. Counting
 * how often a slot was used was rejected: it would make every hit a write.
 *
 * Longer pieces are rarer and of any length. They have entries {hash, place, lengths} and one
 * store for bytes and ids, which grows by appending only and is wiped when it is full: what is
 * frequent comes back at once. */
#include "token/token_cache.h"

#include <stdlib.h>

enum { PAIR_BITS = 17, LONG_BITS = 17, STORE_BYTES = 1 << 23, MAX_LONG_IDS = 255 };

const unsigned sl_token_cache_bits = PAIR_BITS;

struct entry {
    uint64_t hash;
    uint32_t off; /* of the bytes in the store; the ids are behind them, 4-byte aligned */
    uint16_t n_bytes, n_ids;
};

struct sl_token_cache {
    struct sl_token_slot *slots;
    struct entry *entries;
    uint8_t *store;
    size_t used;
};

enum sl_status sl_token_cache_new(struct sl_token_cache **out, struct sl_err *err)
{
    struct sl_token_cache *c = calloc(1, sizeof *c);
    if (!c)
        return sl_err_nomem(err, sizeof *c);
    size_t slots = (2 * sizeof *c->slots) << PAIR_BITS, entries = sizeof *c->entries << LONG_BITS;
    size_t store = STORE_BYTES, n_slots = slots, n_entries = entries;
    c->slots = sl_big_alloc(&n_slots);
    c->entries = sl_big_alloc(&n_entries);
    c->store = sl_big_alloc(&store);
    if (!c->slots || !c->entries || !c->store) {
        sl_token_cache_free(c);
        return sl_err_nomem(err, slots);
    }
    memset(c->slots, 0, slots);
    memset(c->entries, 0, entries);
    *out = c;
    return SL_OK;
}

void sl_token_cache_free(struct sl_token_cache *c)
{
    if (!c)
        return;
    free(c->slots);
    free(c->entries);
    free(c->store);
    free(c);
}

struct sl_token_slot *sl_token_cache_slots(struct sl_token_cache *c)
{
    return c->slots;
}

void sl_token_cache_put(struct sl_token_slot *pair, struct sl_token_key k, const uint32_t *ids,
                        size_t n)
{
    if (n > SL_TOKEN_CACHE_IDS)
        return;
    pair[1] = pair[0];
    pair[0] = (struct sl_token_slot){ .lo = k.lo, .hi = k.hi | (uint64_t)n << 60 };
    for (size_t i = 0; i < n; i++)
        pair[0].ids[i] = ids[i];
}

static struct entry *entry_of(const struct sl_token_cache *c, uint64_t hash)
{
    return &c->entries[hash >> (64 - LONG_BITS)];
}

static size_t aligned(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

const uint32_t *sl_token_cache_find_long(const struct sl_token_cache *c, struct sl_str piece,
                                         uint64_t hash, size_t *n)
{
    const struct entry *e = entry_of(c, hash);
    if (e->hash != hash || e->n_bytes != piece.n ||
        memcmp(c->store + e->off, piece.p, piece.n) != 0)
        return NULL;
    *n = e->n_ids;
    return (const uint32_t *)(const void *)(c->store + e->off + aligned(piece.n));
}

void sl_token_cache_put_long(struct sl_token_cache *c, struct sl_str piece, uint64_t hash,
                             const uint32_t *ids, size_t n)
{
    size_t bytes = aligned(piece.n) + n * sizeof *ids;
    if (n > MAX_LONG_IDS || piece.n > SL_TOKEN_CACHE_LONG)
        return;
    if (c->used + bytes > STORE_BYTES) {
        memset(c->entries, 0, sizeof *c->entries << LONG_BITS);
        c->used = 0;
    }
    *entry_of(c, hash) = (struct entry){ hash, (uint32_t)c->used, (uint16_t)piece.n, (uint16_t)n };
    memcpy(c->store + c->used, piece.p, piece.n);
    memcpy(c->store + c->used + aligned(piece.n), ids, n * sizeof *ids);
    c->used += bytes;
}
