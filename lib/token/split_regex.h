/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_SPLIT_REGEX_H
#define SL_TOKEN_SPLIT_REGEX_H

/* Regular expressions of tokenizers: those of Oniguruma and of Rust, rewritten for PCRE2
 * with the classes of Unicode 16.0 spelt out. Private to lib/token.
 *
 * Exact     what these engines read in another way than PCRE2 is rewritten or refused.
 * Time      bounded by the text's length times a constant; an expression that would take
 *           longer on a text is an error there.
 * Threads   an expression is const once it is made; a matcher belongs to one thread. */

#include "token/split.h"

/* Append to out what PCRE2 makes the same of. SL_E_DATA: it is refused, with the place. */
SL_MUST_USE enum sl_status sl_regex_rewrite(struct sl_str pattern, enum sl_regex_engine engine,
                                            struct sl_buf *out, struct sl_err *err);

struct sl_regex;
SL_MUST_USE enum sl_status sl_regex_new(struct sl_regex **out, struct sl_str pattern,
                                        enum sl_regex_engine engine, struct sl_err *err);
void sl_regex_free(struct sl_regex *r); /* NULL allowed */

struct sl_matcher;
SL_MUST_USE enum sl_status sl_matcher_new(struct sl_matcher **out, struct sl_err *err);
void sl_matcher_free(struct sl_matcher *m); /* NULL allowed */
/* Before a text of that many bytes: what its matches may cost in all. */
void sl_matcher_budget(struct sl_matcher *m, size_t text_bytes);

/* The leftmost match at or behind from: [found[0], found[1]), never empty.
 *
 * text      valid UTF-8; from stands between two code points of it.
 * Returns   SL_OK; SL_END: there is none; SL_E_DATA: it would take too long. */
SL_MUST_USE enum sl_status sl_regex_find(const struct sl_regex *r, struct sl_matcher *m,
                                         struct sl_str text, size_t from, size_t found[2],
                                         struct sl_err *err);

#endif
