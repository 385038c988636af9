/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_FILES_H
#define SL_ORDER_PLAN_FILES_H

/* The files that a plan's sources are: patterns become names, relative paths begin at
 * the plan's folder, a folder of shards becomes its shards, "-" stays. */

#include "base/buf.h"
#include "order/plan.h"

struct sl_plan_files {
    int n;
    const char **paths;
    uint32_t *sources; /* of each path, ascending */
    struct sl_arena arena;
};

/* files is initialised by the call and needs a release in any case.
 *
 * folder   the plan's, "" for the current one.
 * dash     n_dash names to read in place of "-"; without any, "-" stays.
 * Errors   SL_E_DATA with the plan's line: no file matches, or two sources read "-";
 *          SL_E_USAGE: names for "-", and no source reads it; SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_plan_files(struct sl_plan_files *files, const struct sl_plan *plan,
                                         const char *folder, const char *const *dash, int n_dash,
                                         struct sl_err *err);
void sl_plan_files_release(struct sl_plan_files *files);

#endif
