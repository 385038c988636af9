/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_ARRANGE_H
#define SL_ORDER_PLAN_ARRANGE_H

/* What a plan asks of the rows' columns, apart from scores: that lengths and tokenizers
 * of stages fit what the rows hold.
 *
 * Errors    SL_E_DATA with "plan:line:column: ..."; SL_E_SYSTEM.
 * Threads   one thread at a time.
 * Source    docs/curriculum.md. */

#include "arrow/batch.h"
#include "order/plan.h"

/* Lengths, tokenizers and budgets in bytes, against the schema of the rows. */
SL_MUST_USE enum sl_status sl_plan_check_rows(const struct sl_plan *plan,
                                              const struct sl_schema *in, struct sl_err *err);

#endif
