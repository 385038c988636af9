/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_REPORT_HTML_H
#define SL_REPORT_HTML_H

/* HTML in the making: markup as it is given, text escaped, numbers for people.
 *
 * Text      from outside only ever passes sl_html_text (in elements and in quoted
 *           attributes alike): & < > " ' become references; controls other than
 *           tab and line feed, the bidirectional embeddings, overrides and
 *           isolates, and noncharacters become visible marks, <i class=c>U+202E</i>
 *           (in attributes: U+FFFD), so that no text can change the order or the
 *           structure of what is around it.
 * Errors    the first one is kept and later calls do nothing; sl_html_end tells.
 *           SL_E_DATA where the page passes its maximum, SL_E_SYSTEM without memory.
 * Threads   one thread at a time. */

#include "base/buf.h"

struct sl_html {
    struct sl_buf out;
    struct sl_err err;
};

void sl_html_init(struct sl_html *h, size_t max_bytes);
void sl_html_release(struct sl_html *h);

/* Markup of our own, as it is. */
void sl_html_put(struct sl_html *h, const char *markup);
void sl_html_putf(struct sl_html *h, const char *fmt, ...) SL_PRINTF(2, 3);

/* Text from outside; ill-formed UTF-8 becomes U+FFFD. */
void sl_html_text(struct sl_html *h, struct sl_str text);
void sl_html_cstr(struct sl_html *h, const char *text);
void sl_html_attr(struct sl_html *h, struct sl_str text);

/* 1234567 as 1,234,567. */
void sl_html_int(struct sl_html *h, int64_t v);
/* Bytes as "12.3 MB" (powers of 1000), no number finer than a tenth. */
void sl_html_bytes(struct sl_html *h, int64_t n);
/* part of whole as "12.3 %"; "–" where whole is 0. */
void sl_html_share(struct sl_html *h, int64_t part, int64_t whole);

/* v with thousands separators, to out. Returns out. */
const char *sl_int_text(int64_t v, char out[32]);
/* A short form for axes: 0, 250, 1.5k, 20M. Returns out. */
const char *sl_short_text(double v, char out[32]);

/* What went wrong, if anything did. */
SL_MUST_USE enum sl_status sl_html_end(const struct sl_html *h, struct sl_err *err);

#endif
