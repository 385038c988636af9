/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_REPORT_PLAN_TELL_H
#define SL_REPORT_PLAN_TELL_H

/* What is told of an order while its rows are written: a record (order/plan_record.h), a
 * page (report/plan_page.h), or both.
 *
 * Errors    those of the two.
 * Threads   one thread at a time. Blocks on files. */

#include "order/curriculum.h"

struct sl_plan_tell;

struct sl_plan_tell_conf {
    const char *record, *page; /* a folder; a file; NULL: not asked for */
    bool force, control;       /* control: the plan does not say what stands where */
    const char *tmpdir;
    uint64_t begin; /* position from which on the plan says what stands there */
};

/* After sl_curriculum_measure. All but conf is borrowed; made is the schema of the rows. */
SL_MUST_USE enum sl_status sl_plan_tell_new(struct sl_plan_tell **out,
                                            const struct sl_plan_tell_conf *conf,
                                            const struct sl_plan *plan,
                                            const struct sl_curriculum *c,
                                            const struct sl_schema *made, struct sl_err *err);
void sl_plan_tell_free(struct sl_plan_tell *t); /* NULL allowed */

/* For sl_curriculum_plan: ctx is the struct. */
SL_MUST_USE enum sl_status sl_plan_tell_place(void *t, const struct sl_plan_place *p, uint64_t at,
                                              struct sl_err *err);
/* The next rows, as strings of arrow/row_bytes.h, of which at most 256 come at once. They
 * are not used up. */
SL_MUST_USE enum sl_status sl_plan_tell_rows(struct sl_plan_tell *t, const struct sl_str *rows,
                                             size_t n, struct sl_err *err);
/* All rows were written; lineage: with tallies, of the record. */
SL_MUST_USE enum sl_status sl_plan_tell_end(struct sl_plan_tell *t, struct sl_str lineage,
                                            struct sl_err *err);

#endif
