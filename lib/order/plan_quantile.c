/* SPDX-License-Identifier: Apache-2.0 */
/* A quantile that is used up is found when the assignment asks for it; the rest of the
 * drawing gets a new schedule then. Rejected: ends known ahead, as those of sources are. A
 * source that ends leaves a fraction of a row, which is of no weight there; here all rows of
 * all quantiles may have to be drawn. */
#include "order/plan_quantile.h"

#include <math.h>

#include "order/assign.h"

struct walk {
    const struct sl_plan_strata *s;
    uint64_t n, n_steps;
    const uint64_t *held;
    uint64_t given[SL_PLAN_MAX_STRATA], begin[SL_PLAN_MAX_STRATA];
    struct sl_shuffle shuffle[SL_PLAN_MAX_STRATA];
    struct sl_schedule *schedule;
    struct sl_assign *assign;
};

uint64_t sl_quantile_begin(const struct sl_plan_strata *s, uint64_t n, size_t i)
{
    return (uint64_t)((unsigned __int128)n * i / s->n);
}

static void walk_release(struct walk *w)
{
    sl_assign_free(w->assign);
    sl_schedule_free(w->schedule);
    w->assign = NULL;
    w->schedule = NULL;
}

static uint64_t step_begin(const struct walk *w, uint64_t step)
{
    return (uint64_t)((unsigned __int128)w->n * step / w->n_steps);
}

/* The shares of a step, of those quantiles that have rows left. */
static enum sl_status step_shares(const struct walk *w, uint64_t step, uint64_t *shares,
                                  struct sl_err *err)
{
    const struct sl_plan_strata *s = w->s;
    uint64_t g = 0, any = 0, one = UINT64_C(1) << 24;
    if (s->to) {
        double middle = (double)(step_begin(w, step) + step_begin(w, step + 1));
        g = (uint64_t)floor(sl_pacing_at(&s->pacing, middle / (double)(2 * w->n)) * (double)one +
                            0.5);
    }
    for (size_t i = 0; i < s->n; i++) {
        bool has = w->given[i] < w->held[i];
        any |= shares[i] = has ? s->from[i] * (one - g) + (s->to ? s->to[i] * g : 0) : 0;
    }
    for (size_t i = 0; i < s->n && !any; i++)
        shares[i] = w->held[i] - w->given[i];
    return sl_shares_divide_units(shares, s->n, SL_SHARE_ONE, shares, err);
}

/* Go on from position t with what is left. */
static enum sl_status reschedule(struct walk *w, uint64_t t, struct sl_err *err)
{
    uint64_t shares[SL_PLAN_MAX_STRATA];
    walk_release(w);
    SL_TRY(sl_schedule_new(&w->schedule, w->s->n, err));
    for (uint64_t step = 0; step < w->n_steps; step++) {
        uint64_t begin = step_begin(w, step), end = step_begin(w, step + 1);
        begin = begin < t ? t : begin;
        if (end <= begin)
            continue;
        SL_TRY(step_shares(w, step, shares, err));
        SL_TRY(sl_schedule_add(w->schedule, end - begin, shares, NULL, NULL, err));
    }
    return sl_assign_new(&w->assign, w->schedule, err);
}

static enum sl_status draw(struct walk *w, void (*give)(void *ctx, uint64_t place), void *ctx,
                           struct sl_err *err)
{
    uint32_t i;
    SL_TRY(reschedule(w, 0, err));
    for (uint64_t t = 0; t < w->n;) {
        if (!sl_assign_next(w->assign, &i))
            return sl_err_set(err, SL_E_BUG, "the schedule of strata ends early");
        if (w->given[i] == w->held[i]) {
            SL_TRY(reschedule(w, t, err));
            continue;
        }
        give(ctx, w->begin[i] + sl_shuffle_at(&w->shuffle[i], w->given[i]++));
        t++;
    }
    return SL_OK;
}

enum sl_status sl_quantiles_draw(const struct sl_quantiles *q,
                                 void (*give)(void *ctx, uint64_t place), void *ctx,
                                 struct sl_err *err)
{
    const struct sl_plan_strata *s = q->strata;
    struct walk w = { .s = s, .n = q->n, .held = q->held };
    uint64_t at = 0;
    if (!q->n)
        return SL_OK;
    w.n_steps = !s->to ? 1 : q->steps < q->n ? q->steps : q->n;
    for (size_t i = 0; i < s->n; i++) {
        w.begin[i] = at;
        at += q->held[i];
        if (q->held[i])
            sl_shuffle_init(&w.shuffle[i], q->held[i],
                            sl_mix64(q->seed + (i + 1) * SL_SHUFFLE_GOLDEN), 0);
    }
    if (q->n > at)
        return sl_err_set(err, SL_E_BUG, "more rows are drawn than the strata hold");
    enum sl_status st = draw(&w, give, ctx, err);
    walk_release(&w);
    return st;
}
