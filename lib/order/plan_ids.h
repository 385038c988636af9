/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_IDS_H
#define SL_ORDER_PLAN_IDS_H

/* The ids of a plan's rows, sorted out of core: which sequences stand in several places of
 * the sources, and which rows the files of explicit orders name.
 *
 *     sl_plan_ids_see     every batch of every source
 *     sl_plan_ids_end     sorts, reads the files of orders, joins
 *     then the rest; sl_plan_ids_list source by source, ascending
 *
 * Memory    sorters of mem_bytes in all; 16 bytes for each row whose sequence stands twice.
 * Threads   one thread at a time. Blocks on files.
 * Source    docs/curriculum.md, "A file" and "copy". */

#include "arrow/batch.h"
#include "order/plan_order.h"

struct sl_plan_ids;

/* plan and tmpdir are borrowed. SL_E_DATA where the schema has no id of 16 bytes. */
SL_MUST_USE enum sl_status sl_plan_ids_new(struct sl_plan_ids **out, const struct sl_plan *plan,
                                           const struct sl_schema *in, uint64_t mem_bytes,
                                           const char *tmpdir, struct sl_err *err);
void sl_plan_ids_free(struct sl_plan_ids *p); /* NULL allowed */

/* Mark in wanted, one a field of the schema, the columns that are looked at. */
void sl_plan_ids_mark(const struct sl_plan_ids *p, bool *wanted);

/* first: the number of the batch's first row in its source. */
SL_MUST_USE enum sl_status sl_plan_ids_see(struct sl_plan_ids *p, const struct sl_batch *b,
                                           size_t source, uint64_t first, struct sl_err *err);

/* Errors   SL_E_DATA with the plan's line: a file of an order is no stream with ids, names
 *          an id that no source has, or one that stands twice in a source that it orders. */
SL_MUST_USE enum sl_status sl_plan_ids_end(struct sl_plan_ids *p, struct sl_err *err);

/* Rows whose sequence stands elsewhere too. */
struct sl_plan_twins {
    const struct sl_plan_twin *rows; /* ascending */
    uint64_t n, n_groups;
    uint64_t n_twice; /* rows whose id and copy were seen before */
    char example[33]; /* the id of one */
};
const struct sl_plan_twins *sl_plan_ids_twins(const struct sl_plan_ids *p);

/* How many entries a source's file has for it. */
uint64_t sl_plan_ids_entries(const struct sl_plan_ids *p, size_t source);
/* Read the next n entries of the file of a source; those left of others are passed over. */
SL_MUST_USE enum sl_status sl_plan_ids_list(struct sl_plan_ids *p, size_t source, uint32_t *list,
                                            uint64_t n, struct sl_err *err);
/* Begin again with the first source. */
SL_MUST_USE enum sl_status sl_plan_ids_rewind(struct sl_plan_ids *p, struct sl_err *err);

/* The lists were all read: give back what they took. */
void sl_plan_ids_trim(struct sl_plan_ids *p);

/* XXH3-128 of a file of orders as it lies there, for the lineage. SL_E_SYSTEM with the
 * plan's line where it cannot be read. */
SL_MUST_USE enum sl_status sl_plan_order_digest(const struct sl_plan *plan, size_t file,
                                                char hex[32], struct sl_err *err);

#endif
