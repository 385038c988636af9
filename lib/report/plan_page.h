/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_REPORT_PLAN_PAGE_H
#define SL_REPORT_PLAN_PAGE_H

/* One page about an order: scores, shares and pools against the position, in the form and
 * with the promises of report/page.h.
 *
 * Scores    the numeric columns by which a stage or a source sorts, at most
 *           SL_PLAN_PAGE_SCORES; where none does, those that begin with "difficulty_".
 * Memory    2.5 MB a score, and a few rows.
 * Errors    those of report/html.h; SL_E_USAGE where the file exists and force is not set;
 *           SL_E_SYSTEM. What is not committed leaves nothing.
 * Threads   one thread at a time. Blocks on the file. */

#include "order/curriculum.h"
#include "order/plan_achieved.h"

enum { SL_PLAN_PAGE_SCORES = 3, SL_PLAN_PAGE_BYTES = 9 << 20 };

struct sl_plan_page;

/* made: the schema of the rows. plan and made are borrowed. */
SL_MUST_USE enum sl_status sl_plan_page_new(struct sl_plan_page **out, const char *path, bool force,
                                            const struct sl_plan *plan,
                                            const struct sl_schema *made, struct sl_err *err);
void sl_plan_page_free(struct sl_plan_page *p); /* NULL allowed */

/* The next rows, in order. */
SL_MUST_USE enum sl_status sl_plan_page_add(struct sl_plan_page *p, const struct sl_batch *rows,
                                            struct sl_err *err);

/* All rows were added: write the page. */
SL_MUST_USE enum sl_status sl_plan_page_commit(struct sl_plan_page *p,
                                               const struct sl_curriculum *c,
                                               const struct sl_plan_achieved *achieved,
                                               struct sl_err *err);

#endif
