/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_BPE_PARTS_H
#define SL_TOKEN_BPE_PARTS_H

/* What is inside a struct sl_bpe. Private to bpe.c, bpe_build.c and bpe_queue.c. */

#include "token/bpe.h"

struct sl_bpe_pair {
    uint32_t a, b; /* a is SL_BPE_NONE: the slot is empty */
    uint32_t rank;
    uint32_t id; /* what they become */
};

struct sl_bpe {
    struct sl_bpe_conf conf;
    struct sl_bpe_vocab vocab;
    struct sl_buf strings;     /* of the conf */
    struct sl_buf list;        /* struct sl_bpe_pair as they came; gone when done */
    struct sl_bpe_pair *pairs; /* the table, 1 << pair_bits */
    uint64_t *filter;          /* bit: some pair has that hash; 4 bits a slot */
    uint32_t *rank_id;         /* what the pair of that rank becomes */
    uint32_t n_ranks;
    unsigned pair_bits;
    uint32_t unk_id;
    uint32_t first_id[256]; /* byte_level: of the byte; else of the ASCII character */
    uint32_t fallback[256]; /* <0xNN>, or SL_BPE_NONE */
    uint32_t *byte_ranks;   /* byte_level: rank of two bytes, 65536 of them */
};

static inline uint64_t sl_bpe_pair_hash(uint32_t x, uint32_t y)
{
    return ((uint64_t)x << 32 | y) * 0x9e3779b97f4a7c15u;
}

static inline const struct sl_bpe_pair *sl_bpe_pair_find(const struct sl_bpe *b, uint32_t x,
                                                         uint32_t y)
{
    uint64_t key = sl_bpe_pair_hash(x, y);
    uint32_t mask = ((uint32_t)1 << b->pair_bits) - 1;
    uint32_t at = (uint32_t)(key >> (64 - b->pair_bits));
    while (b->pairs[at].a != SL_BPE_NONE && (b->pairs[at].a != x || b->pairs[at].b != y))
        at = (at + 1) & mask;
    return &b->pairs[at];
}

/* SL_BPE_NONE where the two do not merge: most of those the filter knows, which is small enough
 * to stay near. */
static inline uint32_t sl_bpe_rank(const struct sl_bpe *b, uint32_t x, uint32_t y)
{
    uint64_t bit = sl_bpe_pair_hash(x, y) >> (62 - b->pair_bits);
    if (!(b->filter[bit / 64] >> bit % 64 & 1))
        return SL_BPE_NONE;
    return sl_bpe_pair_find(b, x, y)->rank;
}

/* Scratch of a thread. */
struct sl_bpe_worker {
    struct sl_buf ids;   /* uint32_t: the symbols, then the tokens */
    struct sl_buf ranks; /* uint32_t: of the short way */
    struct sl_buf links; /* of the long way */
    struct sl_buf chars; /* byte_chars: the piece as the file writes it */
    struct sl_buf now, fresh, heap, spare;
};

/* The merges of the n symbols in w->ids, however many; *n becomes what is left. */
SL_MUST_USE enum sl_status sl_bpe_merge_long(const struct sl_bpe *b, struct sl_bpe_worker *w,
                                             size_t *n, struct sl_err *err);

#endif
