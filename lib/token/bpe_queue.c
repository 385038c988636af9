/* SPDX-License-Identifier: Apache-2.0 */
/* Merges of long pieces: symbols as a linked list, pairs in the order (rank, place).
 *
 * Three stores feed the order. `now` is a sorted run that is read from its head. A merge makes
 * new pairs: one that sorts behind the end of `now` goes to `fresh`, unsorted; one that sorts
 * before it goes to a heap. The next pair is the smaller head of `now` and the heap; when both
 * are empty, `fresh` is sorted by its bytes and becomes `now`. A million equal letters so go
 * through some twenty runs that are in order as they come, where one heap would take a
 * logarithm for each; text, whose pairs are mixed, mostly uses the heap.
 *
 * A pair that was queued may have changed before its turn: it merges then only if the two that
 * stand at its place now become the same token (ids are compared, not ranks). */
#include <string.h>

#include "token/bpe_parts.h"

#define END UINT32_MAX

/* Symbols: next and prev of the live ones; a dead one has the id SL_BPE_NONE. */
struct merger {
    const struct sl_bpe *bpe;
    struct sl_bpe_worker *w;
    uint32_t *ids;
    uint32_t *next, *prev;
    size_t at;     /* head of now */
    uint64_t last; /* the end of now */
};

static uint64_t *keys(struct sl_buf *b)
{
    return (uint64_t *)(void *)b->p;
}

static size_t count(const struct sl_buf *b)
{
    return b->n / sizeof(uint64_t);
}

/* ---- the heap: four children a node ---- */

static enum sl_status heap_push(struct sl_buf *heap, uint64_t key, struct sl_err *err)
{
    SL_TRY(sl_buf_add(heap, &key, sizeof key, err));
    uint64_t *h = keys(heap);
    size_t i = count(heap) - 1;
    for (; i && h[(i - 1) / 4] > key; i = (i - 1) / 4)
        h[i] = h[(i - 1) / 4];
    h[i] = key;
    return SL_OK;
}

static uint64_t heap_pop(struct sl_buf *heap)
{
    uint64_t *h = keys(heap), top = h[0];
    heap->n -= sizeof *h;
    size_t n = count(heap), i = 0;
    if (!n)
        return top;
    uint64_t key = h[n];
    for (;;) {
        size_t child = 4 * i + 1, best = child;
        if (child >= n)
            break;
        size_t end = child + 4 < n ? child + 4 : n;
        for (size_t c = child + 1; c < end; c++)
            best = h[c] < h[best] ? c : best;
        if (h[best] >= key)
            break;
        h[i] = h[best];
        i = best;
    }
    h[i] = key;
    return top;
}

/* ---- runs ---- */

static bool in_order(const uint64_t *k, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (k[i - 1] > k[i])
            return false;
    return true;
}

/* Sort by bytes, the lowest first, leaving out those that all have in common. */
static enum sl_status sort_keys(struct sl_buf *b, struct sl_buf *spare, struct sl_err *err)
{
    size_t n = count(b);
    if (in_order(keys(b), n))
        return SL_OK;
    sl_buf_reset(spare);
    SL_TRY(sl_buf_reserve(spare, b->n, err));
    spare->n = b->n;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t starts[257] = { 0 };
        uint64_t *from = keys(b), *to = keys(spare);
        for (size_t i = 0; i < n; i++)
            starts[(from[i] >> shift & 255) + 1]++;
        if (starts[(from[0] >> shift & 255) + 1] == n)
            continue;
        for (int i = 0; i < 256; i++)
            starts[i + 1] += starts[i];
        for (size_t i = 0; i < n; i++)
            to[starts[from[i] >> shift & 255]++] = from[i];
        struct sl_buf swap = *b;
        *b = *spare;
        *spare = swap;
    }
    return SL_OK;
}

static enum sl_status turn(struct merger *m, struct sl_err *err)
{
    struct sl_buf swap = m->w->now;
    m->w->now = m->w->fresh;
    m->w->fresh = swap;
    sl_buf_reset(&m->w->fresh);
    SL_TRY(sort_keys(&m->w->now, &m->w->spare, err));
    size_t n = count(&m->w->now);
    m->at = 0;
    m->last = n ? keys(&m->w->now)[n - 1] : 0;
    return SL_OK;
}

/* ---- pairs ---- */

static enum sl_status offer(struct merger *m, uint32_t place, struct sl_err *err)
{
    uint32_t behind = m->next[place];
    if (behind == END)
        return SL_OK;
    uint32_t rank = sl_bpe_rank(m->bpe, m->ids[place], m->ids[behind]);
    if (rank == SL_BPE_NONE)
        return SL_OK;
    uint64_t key = (uint64_t)rank << 32 | place;
    if (key > m->last)
        return sl_buf_add(&m->w->fresh, &key, sizeof key, err);
    return heap_push(&m->w->heap, key, err);
}

static enum sl_status merge_at(struct merger *m, uint64_t key, struct sl_err *err)
{
    uint32_t place = (uint32_t)key, id = m->bpe->rank_id[key >> 32];
    if (m->ids[place] == SL_BPE_NONE || m->next[place] == END)
        return SL_OK;
    uint32_t right = m->next[place];
    const struct sl_bpe_pair *pair = sl_bpe_pair_find(m->bpe, m->ids[place], m->ids[right]);
    if (pair->rank == SL_BPE_NONE || pair->id != id)
        return SL_OK;
    m->ids[place] = id;
    m->ids[right] = SL_BPE_NONE;
    m->next[place] = m->next[right];
    if (m->next[place] != END)
        m->prev[m->next[place]] = place;
    if (m->prev[place] != END)
        SL_TRY(offer(m, m->prev[place], err));
    return offer(m, place, err);
}

static enum sl_status run(struct merger *m, struct sl_err *err)
{
    struct sl_bpe_worker *w = m->w;
    for (;;) {
        bool any = m->at < count(&w->now);
        if (w->heap.n && (!any || keys(&w->heap)[0] < keys(&w->now)[m->at])) {
            SL_TRY(merge_at(m, heap_pop(&w->heap), err));
        } else if (any) {
            SL_TRY(merge_at(m, keys(&w->now)[m->at++], err));
        } else if (w->fresh.n) {
            SL_TRY(turn(m, err));
        } else {
            return SL_OK;
        }
    }
}

enum sl_status sl_bpe_merge_long(const struct sl_bpe *b, struct sl_bpe_worker *w, size_t *n,
                                 struct sl_err *err)
{
    sl_buf_reset(&w->links);
    sl_buf_reset(&w->now);
    sl_buf_reset(&w->fresh);
    sl_buf_reset(&w->heap);
    SL_TRY(sl_buf_reserve(&w->links, 2 * *n * sizeof(uint32_t), err));
    SL_TRY(sl_buf_reserve(&w->fresh, *n * sizeof(uint64_t), err));
    uint32_t *links = (uint32_t *)(void *)w->links.p;
    struct merger m = {
        .bpe = b, .w = w, .ids = (uint32_t *)(void *)w->ids.p, .next = links, .prev = links + *n
    };
    for (size_t i = 0; i < *n; i++) {
        m.next[i] = i + 1 < *n ? (uint32_t)i + 1 : END;
        m.prev[i] = i ? (uint32_t)i - 1 : END;
    }
    /* With last at its lowest all of them go to fresh, but for rank 0 at place 0. */
    for (size_t i = 0; i < *n; i++)
        SL_TRY(offer(&m, (uint32_t)i, err));
    SL_TRY(run(&m, err));
    size_t kept = 0;
    for (uint32_t i = 0; i != END; i = m.next[i])
        m.ids[kept++] = m.ids[i];
    *n = kept;
    return SL_OK;
}
