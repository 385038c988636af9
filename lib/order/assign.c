/* SPDX-License-Identifier: Apache-2.0 */
/* Tijdeman's rule: of the sources that may be taken, the one that must be taken first.
 *
 * What      with d = 1/(2k-2), a source that has given x items may give the next one from
 *           the least t with T(t) - x >= d on (its release), and must give it no later than at
 *           the least t with T(t) - x > 1 - d (its deadline). At every position the
 *           released source of the earliest deadline is taken, of equal ones the first. Tijdeman
 *           shows that then no deadline is missed, for any targets that grow by shares which
 *           sum to one at each position, constant or not.
 * How       release and deadline are found again after each item by adding one to what is to
 *           be reached: by whole steps and a remainder (as in Bresenham's line) while the
 *           share stands still, by a search of the schedule where it does not. Keys hold the
 *           time above and the source's number below, so one comparison decides.
 * Rejected  taking the source that is furthest behind: with ten sources some fall more than
 *           one item behind. Floating-point credits: they drift.
 * Relies    on whole numbers: d is rounded up to 2^-60 units, which changes no comparison,
 *           since what is compared with it is a whole number of them. */
#include "order/assign.h"

#include <stdlib.h>

#define ONE ((uint64_t)1 << SL_TARGET_BITS)
#define KEY_BITS 16
#define KEY_NEVER                                                                  \
    ((uint64_t)1 << 62) /* a time that does not come; with its source still unique \
                         */

/* When a target is reached: `at` positions, with `over` more than was to be reached. Up to
 * `end` the share stands still; then one more item takes quot positions, and rem units less than
 * one item are gained in them. */
struct mark {
    uint64_t at, over, end;
    uint64_t share, quot, rem;
};

struct source {
    uint64_t count;
    struct mark release, deadline;
};

struct sl_assign {
    const struct sl_schedule *schedule;
    size_t n;
    uint64_t position, n_positions;
    uint64_t slack; /* d in units of 2^-60 */
    struct source *sources;
    /* Of each source where there are few; else two heaps of keys, least first. */
    uint64_t *releases, *deadlines;
    size_t n_releases, n_deadlines;
};

_Static_assert(SL_SHARE_MAX_SOURCES <= 1 << KEY_BITS, "a source's number must fit into a key");

/* Find where a target is reached, anew. */
static void mark_find(const struct sl_assign *a, size_t source, unsigned __int128 target,
                      struct mark *m)
{
    m->at = sl_schedule_reach(a->schedule, source, target);
    if (m->at == SL_SCHEDULE_NEVER)
        return;
    struct sl_schedule_block b = sl_schedule_block(a->schedule, m->at - 1);
    m->over = (uint64_t)(sl_schedule_target(a->schedule, source, m->at) - target);
    m->end = b.end;
    m->share = sl_schedule_share(a->schedule, &b, source);
    m->quot = ONE / m->share;
    m->rem = ONE % m->share;
}

/* One more item: false where that is not before the end of the block. */
static inline bool mark_step(struct mark *m)
{
    bool more = m->over < m->rem;
    uint64_t at = m->at + m->quot + more;
    if (at > m->end)
        return false; /* also where it was never: the sum does not wrap below end */
    m->at = at;
    m->over += (more ? m->share : 0) - m->rem;
    return true;
}

static inline unsigned __int128 release_target(const struct sl_assign *a, uint64_t count)
{
    return ((unsigned __int128)count << SL_TARGET_BITS) + a->slack;
}

static inline unsigned __int128 deadline_target(const struct sl_assign *a, uint64_t count)
{
    return ((unsigned __int128)(count + 1) << SL_TARGET_BITS) - a->slack + 1;
}

static inline uint64_t key(uint64_t at, size_t source)
{
    return (at == SL_SCHEDULE_NEVER ? KEY_NEVER : at << KEY_BITS) | source;
}

static void heap_push(uint64_t *heap, size_t *n, uint64_t k)
{
    size_t i = (*n)++;
    for (; i > 0 && heap[(i - 1) / 2] > k; i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = k;
}

/* Take the least key out. */
static uint64_t heap_pop(uint64_t *heap, size_t *n)
{
    uint64_t least = heap[0], k = heap[--*n];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < *n) {
        child += child + 1 < *n && heap[child + 1] < heap[child];
        if (heap[child] >= k)
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = k;
    return least;
}

static void source_step(struct sl_assign *a, size_t i)
{
    struct source *s = &a->sources[i];
    s->count++;
    if (s->release.at != SL_SCHEDULE_NEVER && !mark_step(&s->release))
        mark_find(a, i, release_target(a, s->count), &s->release);
    if (s->deadline.at != SL_SCHEDULE_NEVER && !mark_step(&s->deadline))
        mark_find(a, i, deadline_target(a, s->count), &s->deadline);
}

/* counts: of each source; NULL: none. */
static void begin(struct sl_assign *a, const struct sl_schedule *s, uint64_t position,
                  const uint64_t *counts)
{
    a->schedule = s;
    a->position = position;
    a->n_positions = sl_schedule_n_positions(s);
    a->n_releases = a->n_deadlines = 0;
    for (size_t i = 0; i < a->n; i++) {
        struct source *of = &a->sources[i];
        of->count = counts ? counts[i] : 0;
        if (a->n == 1)
            continue;
        mark_find(a, i, release_target(a, of->count), &of->release);
        mark_find(a, i, deadline_target(a, of->count), &of->deadline);
        if (a->n <= SL_ASSIGN_SCAN) {
            a->releases[i] = of->release.at;
            a->deadlines[i] = key(of->deadline.at, i);
        } else {
            heap_push(a->releases, &a->n_releases, key(of->release.at, i));
        }
    }
}

enum sl_status sl_assign_new(struct sl_assign **out, const struct sl_schedule *s,
                             struct sl_err *err)
{
    size_t n = sl_schedule_n_sources(s);
    struct sl_assign *a = calloc(1, sizeof *a);
    struct source *sources = malloc(n * sizeof *sources);
    uint64_t *keys = malloc(2 * n * sizeof *keys);
    if (!a || !sources || !keys) {
        free(a);
        free(sources);
        free(keys);
        return sl_err_nomem(err, n * (sizeof *sources + 2 * sizeof *keys));
    }
    a->n = n;
    a->slack = n > 1 ? (ONE - 1) / (2 * n - 2) + 1 : 0;
    a->sources = sources;
    a->releases = keys;
    a->deadlines = keys + n;
    begin(a, s, 0, NULL);
    *out = a;
    return SL_OK;
}

void sl_assign_free(struct sl_assign *a)
{
    if (!a)
        return;
    free(a->sources);
    free(a->releases);
    free(a);
}

static size_t next_of_few(struct sl_assign *a)
{
    uint64_t now = a->position + 1, best = UINT64_MAX;
    for (size_t i = 0; i < a->n; i++) {
        uint64_t k = a->releases[i] <= now ? a->deadlines[i] : UINT64_MAX;
        best = k < best ? k : best;
    }
    size_t i = best & ((1U << KEY_BITS) - 1);
    source_step(a, i);
    a->releases[i] = a->sources[i].release.at;
    a->deadlines[i] = key(a->sources[i].deadline.at, i);
    return i;
}

static size_t next_of_many(struct sl_assign *a)
{
    uint64_t now = a->position + 1, mask = (1U << KEY_BITS) - 1;
    while (a->n_releases && a->releases[0] >> KEY_BITS <= now) {
        size_t i = heap_pop(a->releases, &a->n_releases) & mask;
        heap_push(a->deadlines, &a->n_deadlines, key(a->sources[i].deadline.at, i));
    }
    size_t i = heap_pop(a->deadlines, &a->n_deadlines) & mask;
    source_step(a, i);
    heap_push(a->releases, &a->n_releases, key(a->sources[i].release.at, i));
    return i;
}

bool sl_assign_next(struct sl_assign *a, uint32_t *source)
{
    if (a->position >= a->n_positions)
        return false;
    size_t i = 0;
    if (a->n == 1)
        a->sources[0].count++;
    else
        i = a->n <= SL_ASSIGN_SCAN ? next_of_few(a) : next_of_many(a);
    a->position++;
    *source = (uint32_t)i;
    return true;
}

uint64_t sl_assign_position(const struct sl_assign *a)
{
    return a->position;
}

uint64_t sl_assign_count(const struct sl_assign *a, size_t source)
{
    return a->sources[source].count;
}

enum sl_status sl_assign_resume(struct sl_assign *a, uint64_t position, const uint64_t *counts,
                                struct sl_err *err)
{
    uint64_t left = position;
    if (position > a->n_positions)
        return sl_err_set(err, SL_E_DATA, "position %llu is behind the schedule's end",
                          (unsigned long long)position);
    for (size_t i = 0; i < a->n; i++) {
        if (counts[i] > left)
            return sl_err_set(err, SL_E_DATA, "the sources gave more than all positions together");
        left -= counts[i];
        /* Below a target of 2^100, both sides are far from the ends of their type. */
        __int128 error = (__int128)sl_schedule_target(a->schedule, i, position) -
                         ((__int128)counts[i] << SL_TARGET_BITS);
        __int128 most = (__int128)ONE - a->slack;
        if (a->n > 1 && (error > most || error < -most))
            return sl_err_set(err, SL_E_DATA,
                              "source %zu gave %llu items, which this schedule never does", i + 1,
                              (unsigned long long)counts[i]);
    }
    if (left)
        return sl_err_set(err, SL_E_DATA, "the sources gave less than all positions together");
    begin(a, a->schedule, position, counts);
    return SL_OK;
}

enum sl_status sl_assign_switch(struct sl_assign *a, const struct sl_schedule *s,
                                struct sl_err *err)
{
    if (sl_schedule_n_sources(s) != a->n)
        return sl_err_set(err, SL_E_USAGE, "the new schedule has %zu sources, not %zu",
                          sl_schedule_n_sources(s), a->n);
    begin(a, s, 0, NULL);
    return SL_OK;
}
