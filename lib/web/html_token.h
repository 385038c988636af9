/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_WEB_HTML_TOKEN_H
#define SL_WEB_HTML_TOKEN_H

/* HTML tokenizer: the states of the WHATWG standard over a whole page.
 *
 * What      One page of decoded UTF-8 in, one token a call out. Line ends are
 *           normalised and NULs treated as the standard says. Parse errors are
 *           not reported: every input is a page.
 * Tree      The tokenizer builds no tree. Who reads the tokens must tell it,
 *           after a start tag, what a tree builder would: the state for the
 *           element's content (sl_html_set_state) and whether the current
 *           element is foreign (sl_html_set_foreign).
 * Text      may come in several tokens one after the other; a character
 *           reference is a token of its own.
 * Input     should be valid UTF-8; bytes that are not pass through unchanged.
 * Lifetime  a token and all that it points to dies at the next sl_html_next;
 *           the input must stay until the last one.
 * Memory    a copy of the page where it has CRs, and scratch of at most 1.2
 *           times the page plus two bytes for each NUL.
 * Time      linear in the input, whatever it holds.
 * Threads   one thread a tokenizer.
 * Source    WHATWG HTML standard, section 13.2.5. */

#include <stddef.h>

#include "base/status.h"
#include "base/str.h"

/* Attributes of one tag beyond this number are read and forgotten. */
enum { SL_HTML_ATTRS_MAX = 256 };

enum sl_html_kind {
    SL_HTML_EOF,
    SL_HTML_TEXT,
    SL_HTML_START,
    SL_HTML_END,
    SL_HTML_COMMENT,
    SL_HTML_DOCTYPE
};

/* The states that may be set from outside. An end tag that fits leads back to
 * SL_HTML_DATA by itself; SL_HTML_CDATA ends at its "]]>". */
enum sl_html_state {
    SL_HTML_DATA,
    SL_HTML_RCDATA,
    SL_HTML_RAWTEXT,
    SL_HTML_SCRIPT,
    SL_HTML_PLAINTEXT,
    SL_HTML_CDATA
};

struct sl_html_attr {
    struct sl_str name;  /* lower case */
    struct sl_str value; /* read it by sl_html_attr_value */
    bool raw;            /* value has references or NULs that are not decoded yet */
};

struct sl_html_token {
    enum sl_html_kind kind;
    bool self_closing;          /* START, END */
    bool quirks;                /* DOCTYPE: force-quirks flag */
    bool has_public;            /* DOCTYPE: public_id stands (it may be empty) */
    bool has_system;            /* DOCTYPE: system_id stands */
    struct sl_str name;         /* START, END: lower case; DOCTYPE: may be empty, p NULL if none */
    struct sl_str text;         /* TEXT: never empty; COMMENT */
    struct sl_html_attr *attrs; /* START: names are unique */
    size_t n_attrs;
    struct sl_str public_id, system_id;
};

struct sl_html;

/* NULL where memory is out. free takes NULL. */
struct sl_html *sl_html_new(void);
void sl_html_free(struct sl_html *t);

/* Begin a page in the data state; memory of the last page is used again.
 *
 * Returns  SL_OK; SL_E_DATA where the page is over 1 GiB; SL_E_SYSTEM where
 *          memory is out (then no token may be asked for). */
SL_MUST_USE enum sl_status sl_html_start(struct sl_html *t, struct sl_str page, struct sl_err *err);

/* The next token; after the end SL_HTML_EOF for ever. Never NULL. */
const struct sl_html_token *sl_html_next(struct sl_html *t);

/* The value of an attribute of the current token, with its references decoded. */
struct sl_str sl_html_attr_value(struct sl_html *t, struct sl_html_attr *attr);

/* The value of the attribute called name; p is NULL where the tag has none. */
struct sl_str sl_html_attr_find(struct sl_html *t, struct sl_str name);

void sl_html_set_state(struct sl_html *t, enum sl_html_state state);
/* Whether the current element is in the SVG or MathML name space: only there
 * "<![CDATA[" opens a section. */
void sl_html_set_foreign(struct sl_html *t, bool foreign);
/* The name that ends RCDATA, RAWTEXT and script text; start tags set it by
 * themselves. name must stay as long as the page. */
void sl_html_set_last_start(struct sl_html *t, struct sl_str name);

#endif
