/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_CURRICULUM_H
#define SL_ORDER_CURRICULUM_H

/* A plan carried out on rows, in bounded memory.
 *
 *     sl_curriculum_see      every batch of every source: keys and scores
 *     sl_curriculum_plan     the order is made
 *     sl_curriculum_place    every batch again, in the same order
 *     sl_curriculum_emit     the rows, in the order of the plan
 *
 * Memory    mem_bytes for the whole process: scores, places and rows are sorted in it and
 *           spill to tmpdir. The order itself must fit (order/plan_order.h says what it
 *           takes); where it does not, SL_E_SYSTEM says how much is needed.
 * Errors    SL_E_DATA with the plan's line, as order/plan_order.h; SL_E_SYSTEM.
 * Threads   one thread at a time. */

#include "order/plan_continue.h"
#include "order/plan_order.h"
#include "order/plan_stretch.h"
#include "order/plan_weight.h"
#include "order/row_sort.h"

struct sl_curriculum;

enum { SL_CURRICULUM_LEAST_BYTES = 24 << 20 };

/* in  the schema of what is read. It is borrowed, as are plan and tmpdir. */
SL_MUST_USE enum sl_status sl_curriculum_new(struct sl_curriculum **out, const struct sl_plan *plan,
                                             const struct sl_schema *in, uint64_t mem_bytes,
                                             const char *tmpdir, struct sl_err *err);
void sl_curriculum_free(struct sl_curriculum *c); /* NULL allowed */

/* Before anything is seen: put the rows where a control does (order/plan_control.h), or go
 * on behind another order, whose keys were read (order/plan_continue.h); it is borrowed. */
void sl_curriculum_set_control(struct sl_curriculum *c, enum sl_plan_control_kind kind,
                               uint64_t window);
void sl_curriculum_go_on(struct sl_curriculum *c, struct sl_plan_continue *past);
/* No rows will be asked for: ids are only looked at where the plan needs them. Before the
 * first row. */
void sl_curriculum_dry(struct sl_curriculum *c);

/* The sources come one after another, in the order of the plan. */
SL_MUST_USE enum sl_status sl_curriculum_see(struct sl_curriculum *c, const struct sl_batch *b,
                                             size_t source, struct sl_err *err);
/* Instead of sl_curriculum_see, where no order is to be made: sizes and nulls alone. */
SL_MUST_USE enum sl_status sl_curriculum_count(struct sl_curriculum *c, const struct sl_batch *b,
                                               size_t source, struct sl_err *err);
/* Mark in wanted, one a field of what is read, the columns that these two look at. */
void sl_curriculum_looks_at(const struct sl_curriculum *c, bool *wanted);
/* Stages and shares alone: sl_curriculum_order and sl_curriculum_stretches are valid
 * afterwards. */
SL_MUST_USE enum sl_status sl_curriculum_measure(struct sl_curriculum *c, struct sl_err *err);
/* What sees every place, with its position, in order. */
struct sl_curriculum_each {
    enum sl_status (*call)(void *ctx, const struct sl_plan_place *p, uint64_t at,
                           struct sl_err *err);
    void *ctx;
};
/* Which units each source gives; then positions are final, with groups too. After
 * sl_curriculum_measure. */
SL_MUST_USE enum sl_status sl_curriculum_draw(struct sl_curriculum *c, struct sl_err *err);
/* All of the order; after sl_curriculum_draw.
 *
 * made   borrowed: the schema of the rows that are made, the columns of what is read and
 *        uint16 copy, stage.
 * each   may be NULL. */
SL_MUST_USE enum sl_status sl_curriculum_plan(struct sl_curriculum *c, const struct sl_schema *made,
                                              const struct sl_curriculum_each *each,
                                              struct sl_err *err);
/* The batch has the seq with which it was seen, by which its source is known. */
SL_MUST_USE enum sl_status sl_curriculum_place(struct sl_curriculum *c, const struct sl_batch *b,
                                               struct sl_err *err);
/* As sl_row_sort_end. */
SL_MUST_USE enum sl_status sl_curriculum_emit(struct sl_curriculum *c,
                                              enum sl_status (*emit)(void *ctx, struct sl_str *rows,
                                                                     size_t n, struct sl_err *err),
                                              void *ctx, struct sl_err *err);

/* Of the rows' sorter; after sl_curriculum_emit. */
struct sl_row_sort_counts sl_curriculum_counts(const struct sl_curriculum *c);

const struct sl_plan_order *sl_curriculum_order(const struct sl_curriculum *c);
const struct sl_plan_stretches *sl_curriculum_stretches(const struct sl_curriculum *c);
/* After sl_curriculum_plan: rows that are never placed, and places of rows that are placed
 * again. */
void sl_curriculum_tally(const struct sl_curriculum *c, uint64_t *unused, uint64_t *added);
uint64_t sl_curriculum_units(const struct sl_curriculum *c, size_t source);
uint64_t sl_curriculum_unit_tokens(const struct sl_curriculum *c);
/* Of documents: tokens or bytes of each stage, guessed after sl_curriculum_measure, and as they
 * are after sl_curriculum_plan; NULL for sequences. */
const struct sl_plan_weights *sl_curriculum_weights(const struct sl_curriculum *c);

/* After sl_curriculum_measure: rows of a source that the order will not place. */
uint64_t sl_curriculum_unused(const struct sl_curriculum *c, size_t source);
/* What may be to be told of stages, sources, or all; number i of it: false where it is nothing.
 * After sl_curriculum_draw, or where nothing is drawn sl_curriculum_measure. */
size_t sl_curriculum_n_warnings(const struct sl_curriculum *c);
bool sl_curriculum_warning(const struct sl_curriculum *c, size_t i, char *text, size_t n);
/* Rows whose id and copy stood in a row before; NULL where nobody looked. */
struct sl_plan_twins;
const struct sl_plan_twins *sl_curriculum_twins(const struct sl_curriculum *c);

#endif
