/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing: one source at a time, all its stages, since what a stage draws from is what
 * the stages before it left. */
#include <stdlib.h>
#include <string.h>

#include "order/plan_moving.h"
#include "order/plan_parts.h"
#include "order/plan_quantile.h"
#include "order/pool.h"

/* One source while it is drawn. */
struct drawer {
    uint64_t n, n_left;
    uint8_t *gone;  /* bits: drawn in this epoch */
    uint32_t *list; /* what is left, by rank or as it came */
    uint32_t *out;
    uint64_t n_out;
    const uint16_t *given; /* by a past; NULL without */
    uint16_t *skip;        /* of each row, entries of the file that it has given */
    uint64_t n_entries;
    const struct sl_plan_rows *rows;
    uint64_t *bits;  /* scores, where parameters move */
    double progress; /* of these */
    uint64_t epoch;
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

static void give_unit(struct drawer *d, uint32_t unit)
{
    d->gone[unit >> 3] |= (uint8_t)(1 << (unit & 7));
    d->out[d->n_out++] = unit;
}

static void give(struct drawer *d, uint64_t place)
{
    give_unit(d, d->list[place]);
}

static void give_place(void *d, uint64_t place)
{
    give(d, place);
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

/* The list is in the order of ranks, so that what is left of a quantile lies together. */
static enum sl_status draw_strata(struct drawer *d, const struct sl_plan_way *w, uint64_t n,
                                  uint64_t seed, struct sl_err *err)
{
    const uint32_t *ranks = d->rows->ranks[w->score];
    uint64_t held[SL_PLAN_MAX_STRATA] = { 0 };
    for (size_t i = 0; i < w->strata->n; i++) {
        uint64_t end = sl_quantile_begin(w->strata, d->n, i + 1);
        for (uint64_t r = sl_quantile_begin(w->strata, d->n, i); r < end; r++)
            held[i] += !(d->gone[ranks[r] >> 3] >> (ranks[r] & 7) & 1);
    }
    struct sl_quantiles q = { w->strata, w->steps, held, n, seed };
    return sl_quantiles_draw(&q, give_place, d, err);
}

static enum sl_status draw_moving(struct drawer *d, const struct sl_plan *plan,
                                  const struct sl_plan_way *w, uint64_t n, struct sl_err *err)
{
    const uint32_t *ranks = d->rows->ranks[w->score];
    struct sl_moving m = { plan->exprs[w->score], d->n, d->rows->values[w->score], d->bits,
                           d->progress,           0 };
    uint64_t n_left = 0;
    for (uint64_t r = 0; r < d->n; r++)
        if (!(d->gone[ranks[r] >> 3] >> (ranks[r] & 7) & 1))
            d->list[n_left++] = (uint32_t)r;
    SL_TRY(sl_moving_take(&m, d->list, n_left, n, err));
    if (m.n_null && !w->nulls_last)
        return sl_err_set(err, SL_E_DATA,
                          "%s:%d:%d: '%s' is null in %llu sequences, at one moment at least "
                          "('nulls: last' puts these behind)",
                          plan->file, w->line, w->column, plan->scores[w->score],
                          (unsigned long long)m.n_null);
    for (uint64_t i = 0; i < n; i++)
        give_unit(d, ranks[d->list[i]]);
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
    case SL_DRAW_STRATA:
        return draw_strata(d, w, n, seed, err);
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
uint64_t sl_plan_seed_of(const struct sl_plan *plan, uint64_t source, uint64_t stage,
                         uint64_t round)
{
    uint64_t h = sl_mix64(plan->seed + SL_SHUFFLE_GOLDEN);
    h = sl_mix64(h + (source + 1) * SL_SHUFFLE_GOLDEN);
    h = sl_mix64(h + (stage + 1) * SL_SHUFFLE_GOLDEN);
    return sl_mix64(h + (round + 1) * SL_SHUFFLE_GOLDEN);
}

uint64_t sl_plan_seed(const struct sl_plan_order *o, uint64_t source, uint64_t stage,
                      uint64_t round)
{
    return sl_plan_seed_of(o->plan, source, stage, round);
}

/* All are there again, but for those that a past has given more often. */
static void begin_epoch(struct drawer *d, uint64_t epoch)
{
    memset(d->gone, 0, (d->n + 7) / 8);
    d->n_left = d->n;
    d->epoch = epoch;
    for (uint64_t u = 0; d->given && u < d->n; u++)
        if (d->given[u] > epoch) {
            d->gone[u >> 3] |= (uint8_t)(1 << (u & 7));
            d->n_left--;
        }
}

/* Draw so many, in as many epochs as it takes. */
static enum sl_status draw_need(const struct sl_plan_order *o, size_t source, size_t stage,
                                struct drawer *d, uint64_t need, struct sl_err *err)
{
    const struct sl_plan_way *w = sl_plan_way(o->plan, source, stage);
    while (need) {
        while (!d->n_left)
            begin_epoch(d, d->epoch + 1);
        uint64_t n = need < d->n_left ? need : d->n_left;
        if (w->draw == SL_DRAW_MOVING) {
            SL_TRY(draw_moving(d, o->plan, w, n, err));
        } else {
            list_left(d, w->score < 0 ? NULL : d->rows->ranks[w->score]);
            SL_TRY(draw_some(d, w, n, sl_plan_seed(o, source, stage, d->epoch), err));
        }
        d->n_left -= n;
        need -= n;
    }
    return SL_OK;
}

/* The next entry of the file; a past has given the first entries of each row. */
static void give_listed(struct drawer *d)
{
    for (;;) {
        uint32_t unit = d->rows->list[d->n_entries++ % d->rows->n_list];
        if (!d->skip || !d->skip[unit]) {
            d->out[d->n_out++] = unit;
            return;
        }
        d->skip[unit]--;
    }
}

static enum sl_status draw_stage(const struct sl_plan_order *o, size_t source, size_t stage,
                                 struct drawer *d, struct sl_err *err)
{
    const struct sl_plan_way *w = sl_plan_way(o->plan, source, stage);
    uint64_t need = o->counts[stage * (o->n_sources + 1) + source];
    if (w->draw == SL_DRAW_FILE) {
        while (need--)
            give_listed(d);
        return SL_OK;
    }
    if (w->draw != SL_DRAW_MOVING)
        return draw_need(o, source, stage, d, need, err);
    uint64_t steps = w->steps < need ? w->steps : need;
    for (uint64_t i = 0; i < steps; i++) {
        uint64_t begin = (uint64_t)((unsigned __int128)need * i / steps);
        uint64_t end = (uint64_t)((unsigned __int128)need * (i + 1) / steps);
        d->progress = (double)(begin + end) / (double)(2 * need);
        SL_TRY(draw_need(o, source, stage, d, end - begin, err));
    }
    return SL_OK;
}

static bool any_moves(const struct sl_plan_order *o, size_t source)
{
    for (size_t i = 0; i < o->plan->n_stages; i++)
        if (sl_plan_way(o->plan, source, i)->draw == SL_DRAW_MOVING)
            return true;
    return false;
}

enum sl_status sl_plan_order_draw(struct sl_plan_order *o, size_t source,
                                  const struct sl_plan_rows *rows, struct sl_err *err)
{
    uint64_t total = 0, n = rows->n;
    o->n_rows[source] = n;
    if (o->groups[source])
        return sl_plan_draw_groups(o, source, rows->ranks, err);
    for (size_t i = 0; i < o->plan->n_stages; i++)
        total += o->counts[i * (o->n_sources + 1) + source];
    struct drawer d = { .n = n, .rows = rows };
    d.given = o->past ? o->past->given[source] : NULL;
    bool moves = any_moves(o, source);
    d.gone = calloc(n / 8 + 1, 1);
    d.list = malloc((n + 1) * sizeof *d.list);
    d.bits = malloc(((moves ? n : 0) + 1) * sizeof *d.bits);
    d.out = o->draws[source] = malloc((total + 1) * sizeof *d.out);
    o->copies[source] = calloc(n + 1, sizeof **o->copies);
    enum sl_status st = SL_OK;
    if (d.given && rows->list)
        d.skip = calloc(n + 1, sizeof *d.skip);
    if (!d.gone || !d.list || !d.bits || !d.out || !o->copies[source] ||
        (d.given && rows->list && !d.skip))
        st = sl_err_nomem(err, (n + total) * sizeof *d.list);
    if (d.skip)
        memcpy(d.skip, d.given, n * sizeof *d.skip);
    if (st == SL_OK)
        begin_epoch(&d, 0);
    for (size_t i = 0; st == SL_OK && i < o->plan->n_stages; i++)
        st = draw_stage(o, source, i, &d, err);
    o->unused[source] = n;
    for (uint64_t u = 0; d.given && st == SL_OK && u < n; u++) {
        o->copies[source][u] = d.given[u];
        o->unused[source] -= d.given[u] > 0;
    }
    free(d.skip);
    free(d.gone);
    free(d.list);
    free(d.bits);
    return st;
}
