/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_SCORE_H
#define SL_ORDER_PLAN_SCORE_H

/* What a plan sorts rows by, as records for a sorter: a list of columns, an expression, or
 * an expression with parameters that move, whose values are only known later.
 *
 * Record    the key, and the unit in 4 bytes, big-endian. For what moves the key is that of
 *           id and copy, and behind the unit stand the values of its columns, each 8 bytes
 *           of a double; a null is NaN.
 * Lifetime  plan and schema are borrowed.
 * Threads   const after it was made. */

#include "order/plan.h"
#include "order/row_key.h"

struct sl_plan_score;

/* k        which of the plan's scores.
 * Errors   SL_E_DATA with the plan's line: no such column (the nearest is named), or one
 *          that is no number; SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_plan_score_new(struct sl_plan_score **out, const struct sl_plan *plan,
                                             size_t k, const struct sl_schema *schema,
                                             struct sl_err *err);
void sl_plan_score_free(struct sl_plan_score *s); /* NULL allowed */

/* How many values stand behind the unit. */
size_t sl_plan_score_n_values(const struct sl_plan_score *s);

/* Mark in wanted, one a field of the schema, the columns that records are made of. */
void sl_plan_score_mark(const struct sl_plan_score *s, bool *wanted);

struct sl_scored_row {
    uint32_t unit;      /* set by the caller */
    struct sl_buf *out; /* the record is appended */
    bool null;          /* has the row no score, or, of what moves, a null column? */
};

/* The record of a row of a batch. */
SL_MUST_USE enum sl_status sl_plan_score_add(const struct sl_plan_score *s,
                                             const struct sl_batch *b, int64_t row,
                                             struct sl_scored_row *to, struct sl_err *err);

#endif
