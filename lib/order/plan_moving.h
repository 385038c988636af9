/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_MOVING_H
#define SL_ORDER_PLAN_MOVING_H

/* The easiest rows by a score whose parameters move, as they stand at one moment.
 *
 * Memory    8 bytes for each of n.
 * Time      linear in n, and the sort of what is taken.
 * Source    docs/curriculum.md, "Expressions". */

#include "order/plan_expr.h"

struct sl_moving {
    const struct sl_expr *expr;
    uint64_t n;           /* rows */
    const double *values; /* n of each column of the expression, column by column */
    uint64_t *bits;       /* room for n scores */
    double progress;      /* for the parameters */
    uint64_t n_null;      /* out: how many of the rows listed have no score */
};

/* Of the rows listed, put the `take` easiest in front, in order; equal ones as they are
 * listed.
 *
 * rows     n_rows of them, ascending. Those without a score are the hardest.

 * Errors   SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_moving_take(struct sl_moving *m, uint32_t *rows, uint64_t n_rows,
                                          uint64_t take, struct sl_err *err);

#endif
