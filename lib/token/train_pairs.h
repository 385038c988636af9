/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_TRAIN_PAIRS_H
#define SL_TOKEN_TRAIN_PAIRS_H

/* What the training of BPE keeps: pairs with counts, lists of their places, and the queue
 * of pairs by count. Private to train_bpe.c, and for its tests.
 *
 * Memory    all of it is counted in used_bytes and refused over max_bytes.
 * Threads   one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct sl_train_budget {
    size_t used_bytes, peak_bytes, max_bytes;
};

/* realloc with the budget in view. SL_E_SYSTEM over it. */
SL_MUST_USE enum sl_status sl_train_resize(struct sl_train_budget *b, void **p, size_t old_bytes,
                                           size_t new_bytes, struct sl_err *err);

/* ---- pairs ---- */

struct sl_pair_slot {
    uint32_t left, right;
    int64_t count2; /* twice the count, plus one where the pair was queued more than once */
};

struct sl_pairs {
    struct sl_pair_slot *slots; /* left is UINT32_MAX where empty */
    unsigned bits;              /* 2^bits slots */
    size_t n;
    struct sl_train_budget *budget;
};

SL_MUST_USE enum sl_status sl_pairs_init(struct sl_pairs *t, struct sl_train_budget *budget,
                                         struct sl_err *err);
void sl_pairs_release(struct sl_pairs *t);
/* Room for n more pairs without a slot moving. Pairs whose count is 0 may go. */
SL_MUST_USE enum sl_status sl_pairs_reserve(struct sl_pairs *t, size_t n, struct sl_err *err);
/* NULL: it is not there. */
struct sl_pair_slot *sl_pairs_find(const struct sl_pairs *t, uint32_t left, uint32_t right);
/* Find or make it; room was reserved. was: it was there. */
struct sl_pair_slot *sl_pairs_get(struct sl_pairs *t, uint32_t left, uint32_t right, bool *was);

/* ---- queue ---- */

struct sl_queued {
    int64_t count; /* when it was queued: never below what it is now */
    uint32_t left, right;
    uint64_t list; /* of its places */
};

/* The most frequent first, then the smaller left, then the smaller right id. Pairs below a
 * threshold lie unsorted until the others are used up: most never come to it. */
struct sl_pair_queue {
    struct sl_queued *heap, *cold;
    size_t n_heap, cap_heap, n_cold, cap_cold;
    int64_t threshold;
    const struct sl_pairs *pairs;
    struct sl_train_budget *budget;
};

void sl_pair_queue_init(struct sl_pair_queue *q, const struct sl_pairs *pairs,
                        struct sl_train_budget *budget);
void sl_pair_queue_release(struct sl_pair_queue *q);
SL_MUST_USE enum sl_status sl_pair_queue_add(struct sl_pair_queue *q, const struct sl_queued *x,
                                             struct sl_err *err);
/* Take the first pair, with its count as it is now. SL_END: none has a count of at least
 * 1. */
SL_MUST_USE enum sl_status sl_pair_queue_next(struct sl_pair_queue *q, struct sl_queued *out,
                                              struct sl_err *err);

#endif
