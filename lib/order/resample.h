/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_RESAMPLE_H
#define SL_ORDER_RESAMPLE_H

/* The next sample: how often every row of a join is there, by its weight, and the
 * numbers that its repetitions have as `copy`.
 *
 *     sl_resample_new     the weights are summed
 *     sl_resample_number  every batch, in order, where sl_resample_numbers says so
 *     sl_resample_next    every row, in order
 *
 * Memory    mem_bytes, where rows are numbered; else next to nothing.
 * Errors    SL_E_DATA: a row or an id would be there more than 65,536 times; SL_E_SYSTEM;
 *           SL_E_BUG for other rows than the join's.
 * Threads   one thread at a time.
 * Source    docs/reweighting.md, "The next sample". */

#include "arrow/batch.h"
#include "order/loss_columns.h"
#include "order/reweight.h"

struct sl_resample;

struct sl_resample_options {
    uint64_t rows;   /* to be made; at most 2^39 */
    uint64_t random; /* uniform */
    size_t mem_bytes;
    const char *tmpdir; /* borrowed */
};

/* "1000", "50%", "1.5": how many rows that is of n_rows. SL_E_USAGE: it is no such thing. */
SL_MUST_USE enum sl_status sl_resample_parse(const char *text, int64_t n_rows, uint64_t *rows,
                                             struct sl_err *err);

/* weigher  at its first row; borrowed, and not for others to use meanwhile.
 * SL_E_DATA where rows are wanted and there are none. */
SL_MUST_USE enum sl_status sl_resample_new(struct sl_resample **out, struct sl_weigher *weigher,
                                           const struct sl_resample_options *o, struct sl_err *err);
void sl_resample_free(struct sl_resample *r); /* NULL allowed */

/* Rows of one id stand in several places: they must be numbered. */
bool sl_resample_numbers(const struct sl_resample *r);
SL_MUST_USE enum sl_status sl_resample_number(struct sl_resample *r, const struct sl_batch *b,
                                              struct sl_err *err);

/* The next row: what stands in its columns (copy: of the first repetition), and how
 * often it is there. */
SL_MUST_USE enum sl_status sl_resample_next(struct sl_resample *r, struct sl_loss_values *v,
                                            uint64_t *n, struct sl_err *err);

#endif
