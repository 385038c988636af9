/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_LINEAGE_H
#define SL_ORDER_PLAN_LINEAGE_H

/* The member "order" of a curriculum's lineage entry (docs/stream.md, section 6), by which
 * a loader knows the stages of what it reads. Rows by source are left out where stages
 * times sources are more than 4,096.
 *
 * Errors    SL_E_SYSTEM. Threads: pure. */

#include "base/json.h"
#include "order/curriculum.h"

/* *out is for the caller to free. The order was made. */
SL_MUST_USE enum sl_status sl_plan_lineage(const struct sl_plan *plan,
                                           const struct sl_curriculum *c, struct sl_json **out,
                                           struct sl_err *err);

#endif
