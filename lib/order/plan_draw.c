/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing: one source at a time, all its stages, since what a stage draws from is what
 * the stages before it left. */
#include <stdlib.h>
#include <string.h>

#include "order/plan_parts.h"
#include "order/pool.h"

/* One source while it is drawn. */
struct drawer {
    uint64_t n, n_left;
    uint8_t *gone;  /* bits: drawn in this epoch */
    uint32_t *list; /* what is left, by rank or as it came */
    uint32_t *out;
    uint64_t n_out;
};

static void list_left(struct drawer *d, const uint32_t *ranks)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < d->n; i++) {
        uint32_t unit = ranks ? ranks[i] : (uint32_t)i;
        if (!(d->gone[unit >> 3] >> (unit & 7) & 1))
            d->list[n++] = unit;
    }
}

static void give(struct drawer *d, uint64_t place)
{
    uint32_t unit = d->list[place];
    d->gone[unit >> 3] |= (uint8_t)(1 << (unit & 7));
    d->out[d->n_out++] = unit;
}

static enum sl_status draw_pool(struct drawer *d, const struct sl_plan_way *w, uint64_t n,
                                uint64_t seed, struct sl_err *err)
{
    struct sl_pool_conf conf = { d->n_left, n, w->pacing, w->background, seed };
    struct sl_pool *pool;
    uint64_t rank;
    SL_TRY(sl_pool_new(&pool, &conf, err));
    while (sl_pool_next(pool, &rank, NULL))
        give(d, rank);
    sl_pool_free(pool);
    return SL_OK;
}

static enum sl_status draw_permute(struct drawer *d, const struct sl_plan_way *w, uint64_t n,
                                   uint64_t seed, struct sl_err *err)
{
    struct sl_permute_conf conf = w->permute;
    struct sl_permute order;
    conf.n = d->n_left;
    conf.seed = seed;
    SL_TRY(sl_permute_init(&order, &conf, err));
    for (uint64_t p = 0; p < n; p++)
        give(d, sl_permute_rank(&order, p));
    return SL_OK;
}

static enum sl_status draw_some(struct drawer *d, const struct sl_plan_way *w, uint64_t n,
                                uint64_t seed, struct sl_err *err)
{
    struct sl_shuffle shuffle;
    switch (w->draw) {
    case SL_DRAW_POOL:
        return draw_pool(d, w, n, seed, err);
    case SL_DRAW_PERMUTE:
        return draw_permute(d, w, n, seed, err);
    case SL_DRAW_SHUFFLE:
        sl_shuffle_init(&shuffle, d->n_left, seed, 0);
        for (uint64_t p = 0; p < n; p++)
            give(d, sl_shuffle_at(&shuffle, p));
        return SL_OK;
    default:
        for (uint64_t p = 0; p < n; p++)
            give(d, p);
        return SL_OK;
    }
}

/* docs/curriculum.md, "Seeds". */
uint64_t sl_plan_seed(const struct sl_plan_order *o, uint64_t source, uint64_t stage,
                      uint64_t round)
{
    uint64_t h = sl_mix64(o->plan->seed + SL_SHUFFLE_GOLDEN);
    h = sl_mix64(h + (source + 1) * SL_SHUFFLE_GOLDEN);
    h = sl_mix64(h + (stage + 1) * SL_SHUFFLE_GOLDEN);
    return sl_mix64(h + (round + 1) * SL_SHUFFLE_GOLDEN);
}

static enum sl_status draw_stages(const struct sl_plan_order *o, size_t source, struct drawer *d,
                                  const uint32_t *const *ranks, struct sl_err *err)
{
    uint64_t epoch = 0;
    for (size_t stage = 0; stage < o->plan->n_stages; stage++) {
        const struct sl_plan_way *w = sl_plan_way(o->plan, source, stage);
        uint64_t need = o->counts[stage * (o->n_sources + 1) + source];
        while (need) {
            if (!d->n_left) {
                memset(d->gone, 0, (d->n + 7) / 8);
                d->n_left = d->n;
                epoch++;
            }
            uint64_t n = need < d->n_left ? need : d->n_left;
            list_left(d, w->score < 0 ? NULL : ranks[w->score]);
            SL_TRY(draw_some(d, w, n, sl_plan_seed(o, source, stage, epoch), err));
            d->n_left -= n;
            need -= n;
        }
    }
    return SL_OK;
}

enum sl_status sl_plan_order_draw(struct sl_plan_order *o, size_t source,
                                  const uint32_t *const *ranks, struct sl_err *err)
{
    uint64_t total = 0, n = o->units[source];
    for (size_t i = 0; i < o->plan->n_stages; i++)
        total += o->counts[i * (o->n_sources + 1) + source];
    struct drawer d = { .n = n, .n_left = n };
    d.gone = calloc(n / 8 + 1, 1);
    d.list = malloc((n + 1) * sizeof *d.list);
    d.out = o->draws[source] = malloc((total + 1) * sizeof *d.out);
    o->copies[source] = calloc(n + 1, sizeof **o->copies);
    enum sl_status st = SL_OK;
    if (!d.gone || !d.list || !d.out || !o->copies[source])
        st = sl_err_nomem(err, (n + total) * sizeof *d.list);
    if (st == SL_OK)
        st = draw_stages(o, source, &d, ranks, err);
    o->unused[source] = n;
    free(d.gone);
    free(d.list);
    return st;
}
