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
};

/* Of the rows listed, put the `take` easiest in front, in order; equal ones as they are
 * listed.
 *
 * rows     n_rows of them, ascending.
 * x        progress, for the parameters.
 * n_null   how many of the rows listed have no score: they are the hardest.
 * Errors   SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_moving_take(const struct sl_moving *m, double x, uint32_t *rows,
                                          uint64_t n_rows, uint64_t take, uint64_t *n_null,
                                          struct sl_err *err);

#endif
