/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_RUN_CONSERVE_H
#define SL_RUN_CONSERVE_H

/* The conservation law, checked along a lineage from its first stage to its
 * last: every stage by its own law, every stage's in against the out of the one
 * before (or the sum of the branches' out, where streams were joined).
 *
 * Errors    SL_E_DATA names the stage, the law and the numbers.
 * Threads   pure functions.
 * Source    docs/stream.md section 6. */

#include "base/hash.h"
#include "base/json.h"

/* What left the last stage by the stream's port. known: false where the lineage
 * has no stage. */
struct sl_conserved {
    bool known;
    int64_t rows;
    struct sl_hash128 ids;
};

/* lineage: a JSON array of stages with tallies. */
SL_MUST_USE enum sl_status sl_conserve_check(const struct sl_json *lineage,
                                             struct sl_conserved *out, struct sl_err *err);

/* The same of a text, and the rows and ids found behind it are what left the
 * last stage. */
SL_MUST_USE enum sl_status sl_conserve_check_end(struct sl_str lineage, int64_t rows,
                                                 struct sl_hash128 ids, struct sl_err *err);

#endif
