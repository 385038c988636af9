/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs live in a table of open addressing, 16 bytes a slot: a count in it is all that a
 * merge changes. A pair in the queue carries the count that it had, which only falls but
 * for pairs that are queued anew, and is put right when it comes to the top.
 *
 * The heap holds only pairs above a threshold. Of the pairs of a large corpus nine in ten
 * stand once or twice and are never looked at again: to put each through a heap would cost
 * more than all the merges. When the heap's first falls below the threshold, that is halved
 * and the cold pairs are looked through, each at most once a halving. */
#include "token/train_pairs.h"

#include <stdlib.h>
#include <string.h>

#define NO_PAIR UINT32_MAX
enum { FIRST_BITS = 16, FIRST_QUEUE = 1024 };

enum sl_status sl_train_resize(struct sl_train_budget *b, void **p, size_t old_bytes,
                               size_t new_bytes, struct sl_err *err)
{
    size_t used = b->used_bytes - old_bytes + new_bytes;
    if (new_bytes > old_bytes && (used < new_bytes || used > b->max_bytes))
        return sl_err_set(err, SL_E_SYSTEM,
                          "training needs more than the %zu bytes of memory it has: give it more "
                          "(--mem), or leave rare words out (--min-word-count)",
                          b->max_bytes);
    void *q = realloc(*p, new_bytes);
    if (!q)
        return sl_err_nomem(err, new_bytes);
    *p = q;
    b->used_bytes = used;
    if (used > b->peak_bytes)
        b->peak_bytes = used;
    return SL_OK;
}

/* ---- pairs ---- */

static size_t home(const struct sl_pairs *t, uint32_t left, uint32_t right)
{
    uint64_t key = (uint64_t)left << 32 | right;
    key ^= key >> 29;
    return (size_t)(key * 0x9e3779b97f4a7c15u >> (64 - t->bits));
}

static enum sl_status take_table(struct sl_pairs *t, unsigned bits, struct sl_err *err)
{
    void *p = NULL;
    size_t bytes = sizeof *t->slots << bits;
    SL_TRY(sl_train_resize(t->budget, &p, 0, bytes, err));
    memset(p, 0xff, bytes);
    t->slots = p;
    t->bits = bits;
    t->n = 0;
    return SL_OK;
}

enum sl_status sl_pairs_init(struct sl_pairs *t, struct sl_train_budget *budget, struct sl_err *err)
{
    *t = (struct sl_pairs){ .budget = budget };
    return take_table(t, FIRST_BITS, err);
}

void sl_pairs_release(struct sl_pairs *t)
{
    free(t->slots);
    t->slots = NULL;
}

static struct sl_pair_slot *probe(const struct sl_pairs *t, uint32_t left, uint32_t right)
{
    size_t mask = ((size_t)1 << t->bits) - 1, at = home(t, left, right);
    for (;; at = (at + 1) & mask) {
        struct sl_pair_slot *s = &t->slots[at];
        if (s->left == NO_PAIR || (s->left == left && s->right == right))
            return s;
    }
}

/* A pair without a count is as one that was never there. */
static bool keeps(const struct sl_pair_slot *s)
{
    return s->left != NO_PAIR && s->count2 >> 1 != 0;
}

static size_t count_live(const struct sl_pairs *t)
{
    size_t n = 0;
    for (size_t i = 0; i < (size_t)1 << t->bits; i++)
        n += keeps(&t->slots[i]);
    return n;
}

static bool crowded(size_t n, unsigned bits)
{
    return n > ((size_t)1 << bits) / 4 * 3;
}

enum sl_status sl_pairs_reserve(struct sl_pairs *t, size_t n, struct sl_err *err)
{
    if (!crowded(t->n + n, t->bits))
        return SL_OK;
    unsigned bits = t->bits;
    struct sl_pair_slot *old = t->slots;
    size_t n_old = (size_t)1 << t->bits, live = count_live(t);
    while (crowded(live + live / 4 + n, bits))
        bits++;
    SL_TRY(take_table(t, bits, err));
    for (size_t i = 0; i < n_old; i++)
        if (keeps(&old[i])) {
            *probe(t, old[i].left, old[i].right) = old[i];
            t->n++;
        }
    free(old);
    t->budget->used_bytes -= n_old * sizeof *old;
    return SL_OK;
}

struct sl_pair_slot *sl_pairs_find(const struct sl_pairs *t, uint32_t left, uint32_t right)
{
    struct sl_pair_slot *s = probe(t, left, right);
    return s->left == NO_PAIR ? NULL : s;
}

struct sl_pair_slot *sl_pairs_get(struct sl_pairs *t, uint32_t left, uint32_t right, bool *was)
{
    struct sl_pair_slot *s = probe(t, left, right);
    *was = s->left != NO_PAIR;
    if (!*was) {
        *s = (struct sl_pair_slot){ left, right, 0 };
        t->n++;
    }
    return s;
}

/* ---- queue ---- */

void sl_pair_queue_init(struct sl_pair_queue *q, const struct sl_pairs *pairs,
                        struct sl_train_budget *budget)
{
    *q = (struct sl_pair_queue){ .threshold = INT64_MAX, .pairs = pairs, .budget = budget };
}

void sl_pair_queue_release(struct sl_pair_queue *q)
{
    free(q->heap);
    free(q->cold);
    q->heap = q->cold = NULL;
}

static enum sl_status grow(struct sl_pair_queue *q, struct sl_queued **p, size_t *cap,
                           struct sl_err *err)
{
    size_t more = *cap ? *cap + *cap / 2 : FIRST_QUEUE;
    void *v = *p;
    SL_TRY(sl_train_resize(q->budget, &v, *cap * sizeof **p, more * sizeof **p, err));
    *p = v;
    *cap = more;
    return SL_OK;
}

static bool before(const struct sl_queued *a, const struct sl_queued *b)
{
    if (a->count != b->count)
        return a->count > b->count;
    return a->left != b->left ? a->left < b->left : a->right < b->right;
}

static void sink_down(struct sl_pair_queue *q, size_t at, struct sl_queued x)
{
    for (;;) {
        size_t first = 4 * at + 1, best = first;
        if (first >= q->n_heap)
            break;
        size_t end = first + 4 < q->n_heap ? first + 4 : q->n_heap;
        for (size_t c = first + 1; c < end; c++)
            if (before(&q->heap[c], &q->heap[best]))
                best = c;
        if (!before(&q->heap[best], &x))
            break;
        q->heap[at] = q->heap[best];
        at = best;
    }
    q->heap[at] = x;
}

static enum sl_status add_hot(struct sl_pair_queue *q, const struct sl_queued *x,
                              struct sl_err *err)
{
    if (q->n_heap == q->cap_heap)
        SL_TRY(grow(q, &q->heap, &q->cap_heap, err));
    size_t at = q->n_heap++;
    while (at > 0 && before(x, &q->heap[(at - 1) / 4])) {
        q->heap[at] = q->heap[(at - 1) / 4];
        at = (at - 1) / 4;
    }
    q->heap[at] = *x;
    return SL_OK;
}

static enum sl_status add_cold(struct sl_pair_queue *q, const struct sl_queued *x,
                               struct sl_err *err)
{
    if (q->n_cold == q->cap_cold)
        SL_TRY(grow(q, &q->cold, &q->cap_cold, err));
    q->cold[q->n_cold++] = *x;
    return SL_OK;
}

enum sl_status sl_pair_queue_add(struct sl_pair_queue *q, const struct sl_queued *x,
                                 struct sl_err *err)
{
    return x->count >= q->threshold ? add_hot(q, x, err) : add_cold(q, x, err);
}

static int64_t count_now(const struct sl_pair_queue *q, const struct sl_queued *x)
{
    const struct sl_pair_slot *s = sl_pairs_find(q->pairs, x->left, x->right);
    return s ? s->count2 >> 1 : 0;
}

/* Halve the threshold, at first to the largest count there is. */
static enum sl_status warm_up(struct sl_pair_queue *q, struct sl_err *err)
{
    int64_t largest = 0;
    size_t kept = 0;
    for (size_t i = 0; i < q->n_cold; i++)
        if (q->cold[i].count > largest)
            largest = q->cold[i].count;
    q->threshold = (largest < q->threshold ? largest : q->threshold) / 2;
    if (q->threshold < 1)
        q->threshold = 1;
    for (size_t i = 0; i < q->n_cold; i++) {
        struct sl_queued x = q->cold[i];
        if (x.count >= q->threshold)
            x.count = count_now(q, &x);
        if (x.count >= q->threshold)
            SL_TRY(add_hot(q, &x, err));
        else if (x.count > 0)
            q->cold[kept++] = x;
    }
    q->n_cold = kept;
    return SL_OK;
}

enum sl_status sl_pair_queue_next(struct sl_pair_queue *q, struct sl_queued *out,
                                  struct sl_err *err)
{
    for (;;) {
        if (!q->n_heap) {
            if (!q->n_cold)
                return SL_END;
            SL_TRY(warm_up(q, err));
            continue;
        }
        struct sl_queued x = q->heap[0];
        int64_t count = count_now(q, &x);
        bool fresh = count == x.count;
        x.count = count;
        if (!fresh && count >= q->threshold) {
            sink_down(q, 0, x);
            continue;
        }
        struct sl_queued last = q->heap[--q->n_heap];
        if (q->n_heap)
            sink_down(q, 0, last);
        if (fresh) {
            *out = x;
            return SL_OK;
        }
        if (count > 0)
            SL_TRY(add_cold(q, &x, err));
    }
}
