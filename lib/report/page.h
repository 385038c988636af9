/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_REPORT_PAGE_H
#define SL_REPORT_PAGE_H

/* One self-contained page about what a pipeline did: no script, no font, no image
 * from elsewhere; light or dark as the reader's system is, from 360 pixels of width
 * on.
 *
 * Pure      the page is a function of its parts: no clock, no host, no path.
 * Text      all of it is escaped (html.h).
 * Errors    those of html.h; SL_E_DATA for a lineage of absurd size.
 * Threads   one thread. */

#include "report/html.h"
#include "report/key_counts.h"
#include "report/row_samples.h"
#include "report/score_curve.h"
#include "report/stages.h"
#include "report/walk.h"

/* An input, by the last part of its path. */
struct sl_page_input {
    const char *name;
    struct sl_walked w;
    struct sl_samples dropped; /* where it is a stream of rejects */
};

/* One way of dividing the kept rows. */
struct sl_page_keys {
    const char *title;            /* "Domain" */
    const char *column;           /* where the keys come from: "host of url" */
    struct sl_key_counts *counts; /* sorted */
};

enum { SL_PAGE_KEYS = 3 };

struct sl_page {
    const char *title;
    const struct sl_page_input *inputs; /* streams and shards, then reports in stage order */
    int n_inputs;
    sl_law_check *law;
    const struct sl_samples *kept; /* NULL: not asked for; keys and amount are of these too */
    struct sl_page_keys keys[SL_PAGE_KEYS];
    int n_keys;
    const char *amount;           /* "tokens" or "bytes of text" */
    const struct sl_curve *order; /* after sl_curve_end; NULL: not asked for */
    const char *order_name;
    const struct sl_json *order_lineage; /* of the same rows: names stages; may be NULL */
};

/* Write the whole page. */
SL_MUST_USE enum sl_status sl_page_write(struct sl_html *h, const struct sl_page *page,
                                         struct sl_err *err);

#endif
