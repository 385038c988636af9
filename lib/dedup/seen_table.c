/* SPDX-License-Identifier: Apache-2.0 */
/* Linear probing in the order of the keys. The home of a key is its share of the
 * slots (a * n / 2^64), so homes ascend with keys, and a key stands behind all
 * that are below it: an insertion moves the rest of its cluster up by one.
 * There is no way round from the last slot to the first; TAIL slots behind the
 * last take what is pushed over the end.
 *
 * Growing needs no second table: the memory is made longer, the entries are
 * packed together at its new end, and from there laid out again from the front.
 * Entry i of c never comes to lie behind its packed place, because c - i entries
 * must still fit behind it.
 *
 * Rejected: a table of a power of two with a copy at each doubling, which holds
 * half as much in the same budget, and one that must be sorted when it is full. */
#include "dedup/seen_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { TAIL = 4096, FIRST_SLOTS = 16384, HUGE_PAGE = 2 << 20 };

struct sl_seen_table {
    struct sl_seen_slot *slots; /* n_slots + TAIL */
    uint64_t n_slots, max_slots, n_used;
};

static size_t bytes_of(uint64_t n_slots)
{
    return (n_slots + TAIL) * sizeof(struct sl_seen_slot);
}

static uint64_t home(const struct sl_seen_table *t, uint64_t a)
{
    return (uint64_t)((unsigned __int128)a * t->n_slots >> 64);
}

enum sl_status sl_seen_table_new(struct sl_seen_table **out, size_t max_bytes, struct sl_err *err)
{
    *out = NULL;
    if (max_bytes < bytes_of(FIRST_SLOTS))
        return sl_err_set(err, SL_E_BUG, "a table of %zu bytes", max_bytes);
    struct sl_seen_table *t = calloc(1, sizeof *t);
    if (!t)
        return sl_err_nomem(err, sizeof *t);
    t->n_slots = FIRST_SLOTS;
    t->max_slots = max_bytes / sizeof(struct sl_seen_slot) - TAIL;
    t->slots = mmap(NULL, bytes_of(t->n_slots), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                    -1, 0);
    if (t->slots == MAP_FAILED) {
        free(t);
        return sl_err_nomem(err, bytes_of(FIRST_SLOTS));
    }
    *out = t;
    return SL_OK;
}

void sl_seen_table_free(struct sl_seen_table *t)
{
    if (t)
        munmap(t->slots, bytes_of(t->n_slots));
    free(t);
}

/* Lay the entries out, which stand packed from slot `from` up to the end. */
static enum sl_status lay_out(struct sl_seen_table *t, uint64_t from, struct sl_err *err)
{
    uint64_t next = 0, end = t->n_slots + TAIL;
    for (uint64_t i = from; i < end; i++) {
        struct sl_seen_slot e = t->slots[i];
        uint64_t to = home(t, e.a);
        if (to < next)
            to = next;
        if (to > i)
            return sl_err_set(err, SL_E_BUG, "the tail of a table of keys is full");
        memset(&t->slots[next], 0, (to - next) * sizeof e);
        t->slots[to] = e;
        next = to + 1;
    }
    memset(&t->slots[next], 0, (end - next) * sizeof *t->slots);
    return SL_OK;
}

static enum sl_status grow(struct sl_seen_table *t, uint64_t n_slots, struct sl_err *err)
{
    uint64_t at = t->n_slots + TAIL, to = n_slots + TAIL;
    void *p = mremap(t->slots, bytes_of(t->n_slots), bytes_of(n_slots), MREMAP_MAYMOVE);
    if (p == MAP_FAILED)
        return sl_err_nomem(err, bytes_of(n_slots));
    t->slots = p;
    t->n_slots = n_slots;
    if (bytes_of(n_slots) >= 2 * (size_t)HUGE_PAGE)
        (void)madvise(p, bytes_of(n_slots), MADV_HUGEPAGE);
    while (at--)
        if (t->slots[at].b)
            t->slots[--to] = t->slots[at];
    return lay_out(t, to, err);
}

enum sl_status sl_seen_table_reserve(struct sl_seen_table *t, uint64_t n, bool *fits,
                                     struct sl_err *err)
{
    for (;;) {
        *fits = n <= t->n_slots / 5 * 4 && t->n_used <= t->n_slots / 5 * 4 - n;
        if (*fits || t->n_slots == t->max_slots)
            return SL_OK;
        uint64_t more = 2 * t->n_slots;
        SL_TRY(grow(t, more < t->max_slots ? more : t->max_slots, err));
    }
}

void sl_seen_table_prefetch(const struct sl_seen_table *t, uint64_t a)
{
    __builtin_prefetch(&t->slots[home(t, a)], 1);
}

const struct sl_seen_slot *sl_seen_table_meet(struct sl_seen_table *t, uint64_t a, uint64_t b,
                                              const uint8_t id[16], unsigned *before)
{
    const uint64_t flags = SL_SEEN_USED | SL_SEEN_AGAIN;
    uint64_t end = t->n_slots + TAIL;
    struct sl_seen_slot *s = &t->slots[home(t, a)], *hole, *last = &t->slots[end];
    b |= flags;
    while (s < last && s->b && (s->a < a || (s->a == a && (s->b | flags) < b)))
        s++;
    if (s < last && s->b && s->a == a && (s->b | flags) == b) {
        *before = s->b & flags;
        s->b |= SL_SEEN_AGAIN;
        return s;
    }
    for (hole = s; hole < last && hole->b; hole++)
        ;
    if (hole == last)
        return NULL;
    memmove(s + 1, s, (size_t)(hole - s) * sizeof *s);
    *before = 0;
    s->a = a;
    s->b = (b & ~flags) | SL_SEEN_USED;
    memcpy(s->id, id, sizeof s->id);
    t->n_used++;
    return s;
}

const struct sl_seen_slot *sl_seen_table_next(const struct sl_seen_table *t, uint64_t *at)
{
    for (; *at < t->n_slots + TAIL; ++*at)
        if (t->slots[*at].b)
            return &t->slots[(*at)++];
    return NULL;
}
