/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_REPORT_PAGE_PARTS_H
#define SL_REPORT_PAGE_PARTS_H

/* The sections of a page, each a function that writes one; for page.c and
 * plan_page.c alone.
 * A section of which there is nothing to say writes nothing. */

#include "report/page.h"

extern const char sl_page_style[];

/* The page up to its heading, and its end. */
void sl_page_begin(struct sl_html *h, const char *title, const char *maker);
void sl_page_end(struct sl_html *h);
void sl_section_open(struct sl_html *h, const char *id, const char *title);
void sl_section_close(struct sl_html *h);
/* The name of a tool without "sluice-". */
struct sl_str sl_tool_short(struct sl_str tool);
/* Is one of the inputs a stream of rejects? */
bool sl_page_has_rejects(const struct sl_page *page);

/* page_flow.c */
void sl_page_funnel(struct sl_html *h, const struct sl_stages *s);
void sl_page_lineage(struct sl_html *h, const struct sl_stages *s);

/* page_figures.c */
void sl_page_cost(struct sl_html *h, const struct sl_page *page, const struct sl_stages *s);
void sl_page_sizes(struct sl_html *h, const struct sl_stages *s);
void sl_page_scores(struct sl_html *h, const struct sl_stages *s);

/* page_rows.c */
void sl_page_order(struct sl_html *h, const struct sl_page *page);
void sl_page_keys(struct sl_html *h, const struct sl_page *page);
void sl_page_samples(struct sl_html *h, const struct sl_page *page);

#endif
