/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_FILES_H
#define SL_ORDER_PLAN_FILES_H

/* The files that a plan's sources are: patterns become names, relative paths begin at
 * the plan's folder, a folder of shards becomes its shards, "-" stays. */

#include "base/buf.h"
#include "order/plan.h"

/* Read the plan of that name: a file, which is regular and whose name has a '.' or a '/', or
 * a built-in one, "random". As sl_plan_read; SL_E_USAGE: no such one is built in. */
SL_MUST_USE enum sl_status sl_plan_open(struct sl_plan *plan, const char *name, struct sl_err *err);

struct sl_plan_files {
    int n;
    const char **paths;
    uint32_t *sources; /* of each path, ascending */
    struct sl_arena arena;
};

/* files is initialised by the call and needs a release in any case. Relative paths begin at
 * the folder of plan->file.
 *
 * dash     n_dash names to read in place of "-"; without any, "-" stays.
 * Errors   SL_E_DATA with the plan's line: no file matches, or two sources read "-";
 *          SL_E_USAGE: names for "-", and no source reads it; SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_plan_files(struct sl_plan_files *files, const struct sl_plan *plan,
                                         const char *const *dash, int n_dash, struct sl_err *err);
void sl_plan_files_release(struct sl_plan_files *files);

/* Add to a message about that file whose it is, and where the plan names it. */
void sl_plan_files_blame(const struct sl_plan_files *files, const struct sl_plan *plan, int file,
                         struct sl_err *err);

#endif
