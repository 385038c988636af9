/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_ARRANGE_H
#define SL_ORDER_PLAN_ARRANGE_H

/* What a plan asks of the rows' columns, apart from scores: that lengths and tokenizers
 * of stages fit what the rows hold; which rows are groups; the values of which blocks are made.
 *
 *     sl_arrange_see      every batch of every source
 *     sl_arrange_end      no row comes any more
 *     sl_arrange_groups   for each source, in turn
 *     sl_arrange_batch    for each stage
 *
 * Memory    groups are sorted in the memory given, and spill; 4 bytes a row of the source whose
 *           groups are asked for. For each column that blocks are made by 2 bytes a row (while
 *           rows come up to a quarter more), and at most 4 MiB of values.
 * Errors    SL_E_DATA with "plan:line:column: ..."; SL_E_SYSTEM.
 * Threads   one thread at a time.
 * Source    docs/curriculum.md. */

#include "arrow/batch.h"
#include "order/plan_order.h"

/* Lengths, tokenizers and budgets in bytes, against the schema of the rows. */
SL_MUST_USE enum sl_status sl_plan_check_rows(const struct sl_plan *plan,
                                              const struct sl_schema *in, struct sl_err *err);

struct sl_arrange;

/* *out is NULL where the plan has neither groups nor blocks; the calls below take that.
 *
 * in         the schema of the rows. Borrowed, as are plan and tmpdir.
 * mem_bytes  to sort groups in: at least SL_RECORD_SORT_MIN_BYTES (io/record_sort.h). */
SL_MUST_USE enum sl_status sl_arrange_new(struct sl_arrange **out, const struct sl_plan *plan,
                                          const struct sl_schema *in, uint64_t mem_bytes,
                                          const char *tmpdir, struct sl_err *err);
void sl_arrange_free(struct sl_arrange *a); /* NULL allowed */

/* Mark in wanted, one a field of the schema, the columns that are looked at. */
void sl_arrange_mark(const struct sl_arrange *a, bool *wanted);

/* Rows of a source; the first of them is its unit number first. Sources come in turn. */
SL_MUST_USE enum sl_status sl_arrange_see(struct sl_arrange *a, const struct sl_batch *b,
                                          size_t source, uint64_t first, struct sl_err *err);
/* What groups and blocks add to the memory of an order, of which only sl_arrange_see was done:
 * links of the largest source, values, and the places that wait. */
uint64_t sl_arrange_bytes(const struct sl_arrange *a, const struct sl_plan_order *order,
                          uint64_t largest);
SL_MUST_USE enum sl_status sl_arrange_end(struct sl_arrange *a, struct sl_err *err);

/* The groups of a source of n rows as sl_plan_order_set_groups wants them; the caller frees
 * *next. NULL where it has none. Sources in turn. */
SL_MUST_USE enum sl_status sl_arrange_groups(struct sl_arrange *a, size_t source, uint64_t n,
                                             uint32_t **next, struct sl_err *err);

/* What a stage needs, valid until the free; without codes where it has no blocks. */
struct sl_plan_batch sl_arrange_batch(const struct sl_arrange *a, size_t stage);

#endif
