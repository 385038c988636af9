/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_BASE_ARENA_H
#define SL_BASE_ARENA_H

/* Arenas: many allocations, one end.
 *
 * Every pointer that an arena gave dies at its reset or release. After a
 * reset the memory is kept in one piece as large as the last use needed, up to
 * keep_max, so that a recycled arena allocates nothing.
 *
 * Errors    NULL where memory is out or the size is absurd (over SL_ARENA_MAX).
 * Threads   one thread at a time. */

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define SL_ARENA_MAX ((size_t)1 << 34)

struct sl_arena_block;

struct sl_arena {
    struct sl_arena_block *head; /* newest block */
    uint8_t *at, *end;           /* free part of the newest block */
    size_t used_bytes;           /* given since the last reset, with alignment */
    size_t held_bytes;           /* taken from malloc */
    size_t keep_max;             /* most bytes kept over a reset */
};

void sl_arena_init(struct sl_arena *a, size_t keep_max);
void sl_arena_release(struct sl_arena *a);
void sl_arena_reset(struct sl_arena *a);

/* n bytes, aligned to 64, not zeroed. n may be 0. */
void *sl_arena_get(struct sl_arena *a, size_t n);

/* count things of size bytes, zeroed, aligned to 16; NULL too where count * size overflows. */
void *sl_arena_zeros(struct sl_arena *a, size_t count, size_t size);

/* A copy of s with a NUL behind it. */
char *sl_arena_str(struct sl_arena *a, struct sl_str s);

#endif
