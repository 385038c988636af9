/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_DIFF_H
#define SL_ORDER_PLAN_DIFF_H

/* Two orders compared by their keys: records, or folders of shards.
 *
 * Memory    mem_bytes; what does not fit is sorted in tmpdir.
 * Errors    those of order/plan_keys.h; SL_E_SYSTEM.
 * Threads   one thread a call. Blocks on input.
 * Source    docs/curriculum.md, "Comparing", has the keys of what is written. */

#include "base/buf.h"

/* Append the comparison, as JSON of several lines. */
SL_MUST_USE enum sl_status sl_plan_diff(const char *a, const char *b, uint64_t mem_bytes,
                                        const char *tmpdir, struct sl_buf *out, struct sl_err *err);

#endif
