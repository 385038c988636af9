/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_WEIGHT_H
#define SL_ORDER_PLAN_WEIGHT_H

/* What an order of documents comes to in tokens, or where there are none in bytes of text:
 * its shares are of documents, which differ in length. By stage as it is written, and source.
 *
 * Memory    4 bytes a document (while they come up to a quarter more); 8 a stage and source.
 * Threads   one thread at a time.
 * Source    docs/curriculum.md, "Documents". */

#include "arrow/batch.h"
#include "order/plan_stretch.h"

struct sl_plan_weights;

/* *out is NULL for a plan of sequences, or rows with neither tokens nor text; what follows
 * takes that. The schema is borrowed. */
SL_MUST_USE enum sl_status sl_plan_weights_new(struct sl_plan_weights **out,
                                               const struct sl_plan *plan,
                                               const struct sl_schema *in, struct sl_err *err);
void sl_plan_weights_free(struct sl_plan_weights *w); /* NULL allowed */

/* "tokens" or "bytes"; NULL where nothing is weighed. */
const char *sl_plan_weights_name(const struct sl_plan_weights *w);
/* Mark in wanted, one a field of the schema, the column that is looked at. */
void sl_plan_weights_mark(const struct sl_plan_weights *w, bool *wanted);

/* Rows of a source, of which the first is its number `first`. keep: of each, not the sum alone;
 * sl_plan_weights_add needs that. */
SL_MUST_USE enum sl_status sl_plan_weights_see(struct sl_plan_weights *w, const struct sl_batch *b,
                                               size_t source, uint64_t first, bool keep,
                                               struct sl_err *err);
/* Bytes that are kept of documents. */
uint64_t sl_plan_weights_bytes(const struct sl_plan_weights *w);

/* The sums of all stages by the mean document of each source; what is replayed by the mean of
 * what stands before. */
SL_MUST_USE enum sl_status sl_plan_weights_guess(struct sl_plan_weights *w,
                                                 const struct sl_plan_stretches *all,
                                                 struct sl_err *err);
/* The sums are of what is added from here on. The stages are borrowed. */
SL_MUST_USE enum sl_status sl_plan_weights_begin(struct sl_plan_weights *w,
                                                 const struct sl_plan_stretches *all,
                                                 struct sl_err *err);
void sl_plan_weights_add(struct sl_plan_weights *w, const struct sl_plan_place *p, uint64_t at);

/* Of a source (behind the last: what is replayed) in a stage. */
uint64_t sl_plan_weights_sum(const struct sl_plan_weights *w, size_t stretch, size_t source);

#endif
