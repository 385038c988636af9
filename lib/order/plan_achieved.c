/* SPDX-License-Identifier: Apache-2.0 */
/* Between two of its places the error of a source only falls, since its target only
 * grows; so it is looked at right before and right behind each of its places, and at the
 * end, and nowhere else. */
#include "order/plan_achieved.h"

#include <math.h>
#include <stdlib.h>

#include "order/schedule.h"

enum sl_status sl_plan_achieved_new(struct sl_plan_achieved **out,
                                    const struct sl_plan_order *order, size_t n_sources,
                                    uint64_t begin, bool errors, struct sl_err *err)
{
    struct sl_plan_achieved *a = *out = calloc(1, sizeof *a);
    if (!a)
        return sl_err_nomem(err, sizeof *a);
    a->order = order;
    a->n = sl_plan_order_positions(order);
    a->begin = begin;
    a->n_windows = a->n < SL_ACHIEVED_WINDOWS ? (size_t)a->n : SL_ACHIEVED_WINDOWS;
    a->n_all = n_sources + 1;
    a->counts = calloc((a->n_windows + 1) * a->n_all, sizeof *a->counts);
    a->given = calloc(a->n_all, sizeof *a->given);
    if (!a->counts || !a->given)
        return sl_err_nomem(err, a->n_windows * a->n_all * sizeof *a->counts);
    if (!errors)
        return SL_OK;
    a->low = calloc(a->n_all, sizeof *a->low);
    a->high = calloc(a->n_all, sizeof *a->high);
    return a->low && a->high ? SL_OK : sl_err_nomem(err, a->n_all * sizeof *a->low);
}

void sl_plan_achieved_free(struct sl_plan_achieved *a)
{
    if (!a)
        return;
    free(a->counts);
    free(a->given);
    free(a->low);
    free(a->high);
    free(a);
}

static void look(struct sl_plan_achieved *a, size_t source, uint64_t at)
{
    __int128 error = ((__int128)a->given[source] << SL_TARGET_BITS) -
                     (__int128)sl_plan_order_target(a->order, source, at);
    a->low[source] = error < a->low[source] ? error : a->low[source];
    a->high[source] = error > a->high[source] ? error : a->high[source];
}

void sl_plan_achieved_add(struct sl_plan_achieved *a, const struct sl_plan_place *p, uint64_t at)
{
    size_t source = p->replayed ? a->n_all - 1 : p->source;
    size_t window = (size_t)((((unsigned __int128)at + 1) * a->n_windows - 1) / a->n);
    a->counts[window * a->n_all + source]++;
    if (!a->low || at < a->begin)
        return;
    look(a, source, at);
    a->given[source]++;
    look(a, source, at + 1);
}

void sl_plan_achieved_end(struct sl_plan_achieved *a)
{
    for (size_t i = 0; a->low && i < a->n_all; i++)
        look(a, i, a->n);
}

uint64_t sl_plan_achieved_begin(const struct sl_plan_achieved *a, size_t window)
{
    return a->n_windows ? (uint64_t)((unsigned __int128)a->n * window / a->n_windows) : 0;
}

double sl_plan_achieved_prefix(const struct sl_plan_achieved *a, size_t source)
{
    __int128 worst = a->high[source] > -a->low[source] ? a->high[source] : -a->low[source];
    return ldexp((double)worst, -SL_TARGET_BITS);
}

double sl_plan_achieved_window(const struct sl_plan_achieved *a, size_t source)
{
    return ldexp((double)(a->high[source] - a->low[source]), -SL_TARGET_BITS);
}
