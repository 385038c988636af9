/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_QUANTILE_H
#define SL_ORDER_PLAN_QUANTILE_H

/* Drawing from quantiles of a score ("strata" in a plan): an assignment over their shares
 * says which one gives the next row, a shuffle which row of it that is. A quantile that is
 * used up hands its share on.
 *
 * Source    docs/curriculum.md, "Strata". */

#include "order/plan.h"

struct sl_quantiles {
    const struct sl_plan_strata *strata;
    uint64_t steps;       /* in which moving shares move */
    const uint64_t *held; /* rows of each; they lie behind one another in what is drawn from */
    uint64_t n;           /* rows to draw, at most the sum of held */
    uint64_t seed;
};

/* give     gets the place of each row.
 * Errors   SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_quantiles_draw(const struct sl_quantiles *q,
                                             void (*give)(void *ctx, uint64_t place), void *ctx,
                                             struct sl_err *err);

/* Quantile i of s->n begins at this rank of n; that of i = s->n is n. */
uint64_t sl_quantile_begin(const struct sl_plan_strata *s, uint64_t n, size_t i);

#endif
