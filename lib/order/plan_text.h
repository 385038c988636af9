/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_TEXT_H
#define SL_ORDER_PLAN_TEXT_H

/* A plan in words: for the lineage, for people, and what is to be warned of.
 *
 * Errors    SL_E_SYSTEM. Threads: pure. */

#include "base/buf.h"
#include "base/json.h"
#include "order/curriculum.h"
#include "order/plan_achieved.h"

/* "shuffle", "given", the kind of an order or the pacing of its pool. */
const char *sl_plan_way_name(const struct sl_plan_way *w);

/* Set seed, sources and stages in object. */
SL_MUST_USE enum sl_status sl_plan_rules(const struct sl_plan *plan, struct sl_json *object,
                                         struct sl_err *err);

/* What is only known where the rows were made. */
struct sl_plan_made {
    const char *digest; /* of the order's stream, 32 digits */
    const struct sl_plan_achieved *achieved;
};

/* What the plan comes to, as JSON of several lines: docs/curriculum.md has the keys.
 * made: NULL: not there. tokenizer: sl:tokenizer of the rows; NULL: none. */
SL_MUST_USE enum sl_status sl_plan_text(const struct sl_plan *plan, const struct sl_curriculum *c,
                                        const char *tokenizer, const struct sl_plan_made *made,
                                        struct sl_buf *out, struct sl_err *err);

/* NULL, or what speaks against the plan: a sorted order while the learning rate falls. It
 * lives as long as the plan. */
const char *sl_plan_warning(struct sl_plan *plan);

#endif
