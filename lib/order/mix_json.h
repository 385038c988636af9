/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_MIX_JSON_H
#define SL_ORDER_MIX_JSON_H

/* A mix in the lineage. Threads: pure. */

#include "base/json.h"
#include "order/mix_parts.h"

/* Add to an object: `sources`, their names, "" without one; `when_empty` of each (both where any
 * has a name); `shares_per_2_36`, where they are not simply equal. SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_mix_rules_json(const struct sl_mix_parts *parts,
                                             const uint64_t *shares, struct sl_json *out,
                                             struct sl_err *err);

#endif
