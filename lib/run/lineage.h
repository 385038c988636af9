/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_RUN_LINEAGE_H
#define SL_RUN_LINEAGE_H

/* Lineage: the stages that made a stream, and how several are joined.
 *
 * Threads   one thread.
 * Source    docs/stream.md section 6. */

#include "base/json.h"
#include "run/opt.h"

/* The lineages of the inputs read so far: equal ones are one branch. */
struct sl_lineage {
    struct sl_json **branches;
    int n, cap;
};

void sl_lineage_release(struct sl_lineage *l);

/* Add one input's lineage (a JSON array with tallies, of its trailer): summed
 * into the branch with the same stages, or a new branch. SL_E_DATA: no lineage, or
 * numbers that are too large to add. */
SL_MUST_USE enum sl_status sl_lineage_add(struct sl_lineage *l, struct sl_str text,
                                          struct sl_err *err);

/* Parse a lineage and check its form: an array of stages as docs/stream.md section 6
 * describes them, with no tally or one that holds integers from 0 to 2^60 alone.
 * Whether they add up is for run/conserve.h. SL_E_DATA where a rule is broken. */
SL_MUST_USE enum sl_status sl_lineage_parse(struct sl_json **out, struct sl_str text,
                                            struct sl_err *err);
SL_MUST_USE enum sl_status sl_lineage_check_stage(const struct sl_json *stage, struct sl_err *err);

/* Move all branches of from into l, in order; from is empty after that. */
SL_MUST_USE enum sl_status sl_lineage_join(struct sl_lineage *l, struct sl_lineage *from,
                                           struct sl_err *err);

/* The whole lineage, appended to out: the branches so far, then the entry. One
 * branch: its stages and the entry; several: the entry with "inputs". The
 * entry's ownership goes to the call. */
SL_MUST_USE enum sl_status sl_lineage_dump(const struct sl_lineage *l, struct sl_json *entry,
                                           struct sl_buf *out, struct sl_err *err);

/* The "tool" of the last stage of a lineage text, copied to name ("" if none). */
void sl_lineage_last_tool(struct sl_str text, char name[64]);

/* The entry of a tool: tool, version, and the options that change results, with
 * their effective values; files by base name and XXH3-128 (they are read).
 * NULL with err set on failure. */
struct sl_json *sl_lineage_entry(const char *tool, const struct sl_opt_group *groups, int n_groups,
                                 struct sl_err *err);

/* XXH3-128 of a file's bytes. */
SL_MUST_USE enum sl_status sl_file_digest(const char *path, char hex[32], struct sl_err *err);

#endif
