/* SPDX-License-Identifier: Apache-2.0 */
/* Positions and stages. */
#include <math.h>

#include "order/plan_parts.h"
#include "order/schedule.h"

/* ---- complaints ---- */

enum sl_status sl_plan_bad_stage(const struct sl_plan_order *o, size_t i, const char *what,
                                 struct sl_err *err)
{
    const struct sl_plan_stage *s = &o->plan->stages[i];
    return sl_err_set(err, SL_E_DATA, "%s:%d:%d: stage '%s' %s", o->plan->file, s->line, s->column,
                      s->name, what);
}

/* ---- where stages end ---- */

uint64_t sl_plan_floor(double v, uint64_t most)
{
    v = floor(v);
    return !(v > 0) ? 0 : v >= (double)most ? most : (uint64_t)v;
}

/* (1 - cos(pi y)) / 2 for 0 <= y <= 1, by Taylor's series of sin: the libm's cos has other
 * bits on other machines. */
static double half_wave(double y)
{
    double z = 3.141592653589793 * (y - 0.5), term = z, sum = z;
    for (int k = 1; k <= 11; k++) {
        term *= -z * z / (2 * k * (2 * k + 1));
        sum += term;
    }
    return (1 + sum) / 2;
}

/* The learning rate at progress x, as a part of its peak, once the warm-up is over. */
static double rate(const struct sl_plan_lr *lr, double x)
{
    double y = lr->decay > 0 ? (x - (1 - lr->decay)) / lr->decay : 0;
    if (!(y > 0) || lr->shape == SL_LR_CONSTANT)
        return 1;
    double down = lr->shape == SL_LR_LINEAR ? y : lr->shape == SL_LR_SQRT ? sqrt(y) : half_wave(y);
    return 1 - (1 - lr->end) * down;
}

/* The first position at which the rate is no more than this; n where there is none. */
static uint64_t until_rate(const struct sl_plan_lr *lr, double most, uint64_t n)
{
    uint64_t low = sl_plan_floor(lr->warmup * (double)n, n), high = n;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (rate(lr, (double)middle / (double)n) <= most)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static uint64_t stage_end(const struct sl_plan_order *o, const struct sl_plan_stage *s)
{
    uint64_t n = o->n_positions;
    switch (s->unit) {
    case SL_UNTIL_PERCENT:
        return sl_plan_floor(s->until * (double)n / 100, n);
    case SL_UNTIL_TOKENS:
    case SL_UNTIL_BYTES:
        return sl_plan_floor(s->until / (double)o->unit_tokens, SL_SCHEDULE_MAX);
    case SL_UNTIL_SEQUENCES:
    case SL_UNTIL_DOCUMENTS:
        return sl_plan_floor(s->until, SL_SCHEDULE_MAX);
    case SL_UNTIL_LR:
        return until_rate(&o->plan->lr, s->until, n);
    default:
        return n;
    }
}

enum sl_status sl_plan_set_stages(struct sl_plan_order *o, struct sl_err *err)
{
    const struct sl_plan *p = o->plan;
    uint64_t begin = 0;
    for (size_t i = 0; i < p->n_stages; begin = o->ends[i++]) {
        o->ends[i] = stage_end(o, &p->stages[i]);
        if (o->ends[i] < begin)
            return sl_plan_bad_stage(o, i, "ends before it begins", err);
        if (o->ends[i] > o->n_positions)
            return sl_plan_bad_stage(o, i, "ends behind the budget", err);
        if (o->ends[i] == begin && o->n_positions && (!o->begin || begin > o->begin))
            return sl_plan_bad_stage(o, i, "ends where it begins: it has no position", err);
    }
    if (o->ends[p->n_stages - 1] != o->n_positions)
        return sl_plan_bad_stage(o, p->n_stages - 1, "is the last and does not end with the budget",
                                 err);
    return SL_OK;
}

enum sl_status sl_plan_set_positions(struct sl_plan_order *o, struct sl_err *err)
{
    const struct sl_plan *p = o->plan;
    bool in_tokens = p->budget_in == SL_UNTIL_TOKENS || p->budget_in == SL_UNTIL_BYTES;
    double amount = in_tokens ? p->budget / (double)o->unit_tokens : p->budget;
    unsigned __int128 all = 0;
    for (size_t i = 0; i < o->n_sources; i++)
        all += (unsigned __int128)o->units[i] * p->sources[i].epochs;
    if (p->budget > 0)
        o->n_positions = sl_plan_floor(amount, UINT64_MAX);
    else
        o->n_positions = all < SL_SCHEDULE_MAX ? (uint64_t)all : SL_SCHEDULE_MAX;
    if (o->n_positions >= SL_SCHEDULE_MAX)
        return sl_err_set(err, SL_E_DATA, "%s: more than 2^40 %s", p->file, sl_plan_units(p));
    if (p->budget > 0 && !o->n_positions)
        return sl_err_set(err, SL_E_DATA, "%s: the budget is less than a sequence of %llu tokens",
                          p->file, (unsigned long long)o->unit_tokens);
    return SL_OK;
}
