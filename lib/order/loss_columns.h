/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_LOSS_COLUMNS_H
#define SL_ORDER_LOSS_COLUMNS_H

/* The columns weight, loss, loss_recovery and copy, put to rows of a batch.
 *
 * Errors    as arrow/rows.h.
 * Threads   one thread at a time. */

#include "arrow/rows.h"

enum sl_loss_column {
    SL_LOSS_COLUMN_WEIGHT,
    SL_LOSS_COLUMN_LOSS,
    SL_LOSS_COLUMN_RECOVERY,
    SL_LOSS_COLUMN_COPY,
    SL_LOSS_COLUMNS
};

/* Which one it is; -1: none of them. */
int sl_loss_column_find(const char *name);

/* What stands in them, and the reference loss beside it; NaN where there is none. */
struct sl_loss_values {
    float weight;
    double loss, before, reference;
    int64_t copy;
};

/* From the losses of a join: set 0, and 1 and 2 where there are such. copy becomes 0,
 * weight stays. */
void sl_loss_values_set(struct sl_loss_values *v, const double *losses, int n_sets);

/* (before - loss) / before; NaN where one of them is absent, before is 0, or it is no
 * float32. */
double sl_loss_recovery(double loss, double before);

struct sl_loss_columns {
    const struct sl_schema *out;
    int *from; /* of every column of out: the input's, or -1 - enum sl_loss_column */
    bool made[SL_LOSS_COLUMNS];
    struct sl_colbuf cols[SL_LOSS_COLUMNS];
    struct sl_batch view;
};

/* in     of the batches.
 * out    of the rows with their new columns; it must outlive c.
 * made   which columns come from here and not from the batch; out has them. */
SL_MUST_USE enum sl_status sl_loss_columns_init(struct sl_loss_columns *c,
                                                const struct sl_schema *in,
                                                const struct sl_schema *out,
                                                const bool made[SL_LOSS_COLUMNS],
                                                struct sl_err *err);
void sl_loss_columns_release(struct sl_loss_columns *c); /* a zeroed one too */

/* A whole batch: reset, add for each of its rows, then view, which borrows its columns
 * and is valid until the next reset. */
void sl_loss_columns_reset(struct sl_loss_columns *c);
SL_MUST_USE enum sl_status sl_loss_columns_add(struct sl_loss_columns *c,
                                               const struct sl_loss_values *v, struct sl_err *err);
SL_MUST_USE enum sl_status sl_loss_columns_view(struct sl_loss_columns *c,
                                                const struct sl_batch *batch,
                                                const struct sl_batch **view, struct sl_err *err);

/* One row of the batch to a builder of the schema; the caller closes it. */
SL_MUST_USE enum sl_status sl_loss_columns_row(const struct sl_loss_columns *c,
                                               struct sl_rows *rows, const struct sl_batch *batch,
                                               int64_t row, const struct sl_loss_values *v,
                                               struct sl_err *err);

#endif
