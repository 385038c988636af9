/* SPDX-License-Identifier: Apache-2.0 */
/* Two heaps: sources that are ahead of their share, by the weight W at which they are so no
 * more; and the others, by (W_i + w_i) / s_i, compared by cross-multiplication.
 *
 * Why       the source that is furthest behind, the plain rule, can fall behind by many rows
 *           with many sources. Here a source that is behind is never overtaken by one that is
 *           ahead, and of those behind the one whose row is due first goes.
 * Rejected  the chairman assignment: it needs to know the whole future, of unit weights.
 *           Virtual times as doubles: they drift.
 * Relies    on the shares summing to one: then over all sources s_i W - W_i sums to 0, and one
 *           of them is not ahead. */
#include "order/mix_queue.h"

#include <stdlib.h>

#include "order/mixture.h"

#define WEIGHT_MAX ((uint64_t)1 << 60)
#define ROW_MAX ((uint64_t)1 << 40)

struct item {
    uint64_t given, weight;
    uint64_t due; /* the least W with W_i <= s_i W */
};

struct sl_mix_queue {
    const uint64_t *shares;
    uint64_t all; /* W */
    struct item *items;
    uint32_t *ahead, *behind; /* heaps */
    size_t n_ahead, n_behind;
};

enum sl_status sl_mix_queue_new(struct sl_mix_queue **out, const uint64_t *shares, size_t n,
                                struct sl_err *err)
{
    *out = NULL;
    struct sl_mix_queue *q = calloc(1, sizeof *q);
    if (!q)
        return sl_err_nomem(err, sizeof *q);
    q->shares = shares;
    q->items = calloc(n, sizeof *q->items);
    q->ahead = malloc(2 * n * sizeof *q->ahead);
    if (!q->items || !q->ahead) {
        sl_mix_queue_free(q);
        return sl_err_nomem(err, n * sizeof *q->items);
    }
    q->behind = q->ahead + n;
    *out = q;
    return SL_OK;
}

void sl_mix_queue_free(struct sl_mix_queue *q)
{
    if (!q)
        return;
    free(q->items);
    free(q->ahead);
    free(q);
}

static bool due_before(const struct sl_mix_queue *q, uint32_t a, uint32_t b)
{
    uint64_t x = q->items[a].due, y = q->items[b].due;
    return x != y ? x < y : a < b;
}

/* Weights are below 2^61 (2^16 rows of 2^40 may come behind 2^60), shares at most 2^36. */
static bool done_before(const struct sl_mix_queue *q, uint32_t a, uint32_t b)
{
    const struct item *x = &q->items[a], *y = &q->items[b];
    unsigned __int128 l = (unsigned __int128)(x->given + x->weight) * q->shares[b];
    unsigned __int128 r = (unsigned __int128)(y->given + y->weight) * q->shares[a];
    return l != r ? l < r : a < b;
}

typedef bool (*before_fn)(const struct sl_mix_queue *q, uint32_t a, uint32_t b);

static void heap_push(const struct sl_mix_queue *q, uint32_t *heap, size_t n, uint32_t v,
                      before_fn before)
{
    size_t i = n;
    for (; i > 0 && before(q, v, heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = v;
}

/* Take the first out; n is what is left. */
static uint32_t heap_pop(const struct sl_mix_queue *q, uint32_t *heap, size_t n, before_fn before)
{
    uint32_t first = heap[0], v = heap[n];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < n) {
        child += child + 1 < n && before(q, heap[child + 1], heap[child]);
        if (before(q, v, heap[child]))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = v;
    return first;
}

/* The least W with W_i 2^36 <= s_i W; WEIGHT_MAX and above never comes. */
static uint64_t due(const struct sl_mix_queue *q, size_t i)
{
    unsigned __int128 x = (unsigned __int128)q->items[i].given * SL_SHARE_ONE;
    unsigned __int128 w = (x + q->shares[i] - 1) / q->shares[i];
    return w < WEIGHT_MAX ? (uint64_t)w : WEIGHT_MAX;
}

enum sl_status sl_mix_queue_push(struct sl_mix_queue *q, size_t i, uint64_t weight,
                                 struct sl_err *err)
{
    if (weight > ROW_MAX || q->all >= WEIGHT_MAX)
        return sl_err_set(err, SL_E_DATA, "the rows are larger than 2^60 in all");
    q->items[i].weight = weight;
    q->items[i].due = due(q, i);
    heap_push(q, q->ahead, q->n_ahead++, (uint32_t)i, due_before);
    return SL_OK;
}

uint32_t sl_mix_queue_pop(struct sl_mix_queue *q)
{
    while (q->n_ahead && q->items[q->ahead[0]].due <= q->all) {
        uint32_t i = heap_pop(q, q->ahead, --q->n_ahead, due_before);
        heap_push(q, q->behind, q->n_behind++, i, done_before);
    }
    uint32_t i = heap_pop(q, q->behind, --q->n_behind, done_before);
    q->items[i].given += q->items[i].weight;
    q->all += q->items[i].weight;
    return i;
}
