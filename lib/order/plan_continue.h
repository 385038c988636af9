/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_CONTINUE_H
#define SL_ORDER_PLAN_CONTINUE_H

/* Where another plan takes over: the keys of an order that was made before, up to a
 * position, found again among the sources of the new plan.
 *
 *     sl_plan_continue_open     the manifest, and where the plan takes over
 *     sl_plan_continue_start    the keys; once the sources' schema is known
 *     sl_plan_continue_see      every row of every source
 *     sl_plan_continue_join     what the sources have given, for order/plan_order.h
 *     sl_plan_continue_next     the places before, position by position
 *
 * Memory    mem_bytes for sorters, which spill; 2 bytes a row of the sources.
 * Errors    SL_E_DATA where the order ends before, has other lengths or tokens, or where a
 *           key of it is in no source, or twice in one; those of order/plan_keys.h;
 *           SL_E_SYSTEM.
 * Threads   one thread at a time. Blocks on input.
 * Source    docs/curriculum.md, "Going on". */

#include "arrow/batch.h"
#include "order/plan_order.h"
#include "order/plan_stretch.h"

struct sl_plan_continue;

/* path: a manifest, or its folder. at_tokens: of the order before. plan and tmpdir are
 * borrowed. */
SL_MUST_USE enum sl_status sl_plan_continue_open(struct sl_plan_continue **out, const char *path,
                                                 double at_tokens, const struct sl_plan *plan,
                                                 struct sl_err *err);
void sl_plan_continue_free(struct sl_plan_continue *k); /* NULL allowed */

SL_MUST_USE enum sl_status sl_plan_continue_start(struct sl_plan_continue *k,
                                                  const struct sl_schema *in, uint64_t mem_bytes,
                                                  const char *tmpdir, struct sl_err *err);
/* The batch's first row is unit `first` of the source. */
SL_MUST_USE enum sl_status sl_plan_continue_see(struct sl_plan_continue *k,
                                                const struct sl_batch *b, uint32_t source,
                                                uint64_t first, struct sl_err *err);
/* units: of each source. *past lives as long as k. */
SL_MUST_USE enum sl_status sl_plan_continue_join(struct sl_plan_continue *k, const uint64_t *units,
                                                 const struct sl_plan_past **past,
                                                 struct sl_err *err);
/* A source that a file orders: how often it lists each of the n_rows rows; after join. */
void sl_plan_continue_listed(struct sl_plan_continue *k, size_t source, const uint32_t *times,
                             uint64_t n_rows);
/* Add the stages before; after join. */
SL_MUST_USE enum sl_status sl_plan_continue_stretches(const struct sl_plan_continue *k,
                                                      struct sl_plan_stretches *to,
                                                      struct sl_err *err);
SL_MUST_USE enum sl_status sl_plan_continue_next(struct sl_plan_continue *k,
                                                 struct sl_plan_place *out, struct sl_err *err);

/* The position at which the plan takes over. */
uint64_t sl_plan_continue_begin(const struct sl_plan_continue *k);

#endif
