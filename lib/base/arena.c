/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: blocks in a list, the newest one in use. Blocks double, so a batch
 * costs few allocations; a reset keeps one block as large as all were
 * together, so that a recycled arena costs none. Rejected: keeping every
 * block, which holds the peak of each past batch at once. */
#include "base/arena.h"

#include <stdlib.h>

struct sl_arena_block {
    struct sl_arena_block *next;
    size_t bytes; /* of data */
    uint8_t pad[48];
    uint8_t data[];
};

enum { ARENA_ALIGN = 64, ARENA_FIRST = 4096 };

void sl_arena_init(struct sl_arena *a, size_t keep_max)
{
    *a = (struct sl_arena){ .keep_max = keep_max };
}

static void free_blocks(struct sl_arena *a)
{
    while (a->head) {
        struct sl_arena_block *next = a->head->next;
        free(a->head);
        a->head = next;
    }
    a->at = a->end = NULL;
    a->held_bytes = 0;
}

void sl_arena_release(struct sl_arena *a)
{
    free_blocks(a);
    a->used_bytes = 0;
}

static bool add_block(struct sl_arena *a, size_t bytes)
{
    bytes = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    struct sl_arena_block *b = aligned_alloc(ARENA_ALIGN, sizeof *b + bytes);
    if (!b)
        return false;
    b->next = a->head;
    b->bytes = bytes;
    a->head = b;
    a->at = b->data;
    a->end = b->data + bytes;
    a->held_bytes += bytes;
    return true;
}

void sl_arena_reset(struct sl_arena *a)
{
    size_t want = a->used_bytes;
    bool single = a->head && !a->head->next && a->head->bytes <= a->keep_max;
    a->used_bytes = 0;
    if (single) {
        a->at = a->head->data;
        return;
    }
    free_blocks(a);
    /* Failing to keep memory is no error: the next use asks again. */
    if (want && want <= a->keep_max)
        (void)add_block(a, want);
}

void *sl_arena_get(struct sl_arena *a, size_t n)
{
    if (n > SL_ARENA_MAX)
        return NULL;
    n = (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if ((size_t)(a->end - a->at) < n || !a->at) {
        size_t bytes = a->held_bytes > ARENA_FIRST ? a->held_bytes : ARENA_FIRST;
        if (!add_block(a, bytes > n ? bytes : n))
            return NULL;
    }
    void *p = a->at;
    a->at += n;
    a->used_bytes += n;
    return p;
}

void *sl_arena_zeros(struct sl_arena *a, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n))
        return NULL;
    void *p = sl_arena_get(a, n);
    if (p && n)
        memset(p, 0, n);
    return p;
}

char *sl_arena_str(struct sl_arena *a, struct sl_str s)
{
    if (s.n == SIZE_MAX)
        return NULL;
    char *p = sl_arena_get(a, s.n + 1);
    if (!p)
        return NULL;
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return p;
}
