/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_DEDUP_SEEN_TABLE_H
#define SL_DEDUP_SEEN_TABLE_H

/* What was seen before: a table from keys to ids, in a bounded piece of memory.
 *
 * Keys      126 bits: a, and b without its two lowest bits. a must be spread
 *           evenly, also for texts made to collide (the caller mixes in what
 *           nobody can know beforehand).
 * Order     the entries lie in the order of their keys (a, then b), and can be
 *           read so: a table that is full is a sorted run already.
 * Memory    32 bytes a slot, at most four of five in use; it grows where it
 *           lies, so that no second copy is ever there.
 * Threads   one thread an object. */

#include "base/hash.h"
#include "base/status.h"

struct sl_seen_slot {
    uint64_t a;
    uint64_t b; /* lowest bit: the slot is in use; the next: the key was met again */
    uint8_t id[16];
};

enum { SL_SEEN_USED = 1, SL_SEEN_AGAIN = 2 };

struct sl_seen_table;

/* max_bytes: at least 1 MiB. */
SL_MUST_USE enum sl_status sl_seen_table_new(struct sl_seen_table **out, size_t max_bytes,
                                             struct sl_err *err);
void sl_seen_table_free(struct sl_seen_table *t); /* NULL allowed */

/* Make room for n more keys; *fits is false where max_bytes would be passed. */
SL_MUST_USE enum sl_status sl_seen_table_reserve(struct sl_seen_table *t, uint64_t n, bool *fits,
                                                 struct sl_err *err);

/* The memory where a key will be looked for, on its way into the cache. */
void sl_seen_table_prefetch(const struct sl_seen_table *t, uint64_t a);

/* The slot of a key, with SL_SEEN_AGAIN set in it where the key was there; else
 * it is put in with that id, if there was room reserved (NULL: there was not).
 * *before: the slot's flags before. Valid until the next call. */
const struct sl_seen_slot *sl_seen_table_meet(struct sl_seen_table *t, uint64_t a, uint64_t b,
                                              const uint8_t id[16], unsigned *before);

/* The next slot in use from *at on (0 to begin); NULL at the end. */
const struct sl_seen_slot *sl_seen_table_next(const struct sl_seen_table *t, uint64_t *at);

#endif
