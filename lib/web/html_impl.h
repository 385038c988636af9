/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_WEB_HTML_IMPL_H
#define SL_WEB_HTML_IMPL_H

/* What the tokenizer's own files share; no one else includes this.
 *
 * A state function takes the tokenizer and a position and returns the position
 * behind what it consumed, or NULL at the end of the input. p and end delimit
 * the normalised page. Scratch is reserved for the whole page at its start, so
 * nothing below can fail. */

#include <stdint.h>

#include "base/buf.h"
#include "web/html_token.h"

struct sl_html {
    const uint8_t *p, *end;   /* what is not read yet */
    enum sl_html_state state; /* of the content */
    bool foreign;             /* the current element is foreign */
    bool has_nul;             /* the page holds a NUL somewhere */
    unsigned n_ref;           /* bytes of a reference that is the next token, 0: none */
    uint8_t ref[8];
    struct sl_str last_start; /* as written in the page, any case */
    uint64_t seen;            /* Bloom bits of the tag's attribute names */
    struct sl_html_token tok;
    struct sl_buf scratch; /* of the current token */
    struct sl_buf page;    /* copy of the page with line ends normalised */
    struct sl_html_attr attrs[SL_HTML_ATTRS_MAX];
};

enum {
    HTML_WS = 1,    /* tab, LF, FF, space */
    HTML_SLASH = 2, /* '/' or '>' */
    HTML_EQUALS = 4,
    HTML_COPY = 8, /* upper case or NUL: a name with it must be copied */
    HTML_ALPHA = 16,
    HTML_ALNUM = 32,
    HTML_LEAD = 64 /* after '<' something other than text begins: letter ! / ? */
};
extern const uint8_t sl_html_class[256];

static inline bool html_is(uint8_t c, unsigned mask)
{
    return (sl_html_class[c] & mask) != 0;
}

static inline struct sl_str html_between(const uint8_t *p, const uint8_t *end)
{
    return (struct sl_str){ (const char *)p, (size_t)(end - p) };
}

static inline const uint8_t *html_skip_blanks(const uint8_t *p, const uint8_t *end)
{
    while (p < end && html_is(*p, HTML_WS))
        p++;
    return p;
}

/* Bytes from p to end, every NUL as U+FFFD: the input itself where there is
 * none. sl_html_lower makes ASCII letters lower case too and always copies. */
struct sl_str sl_html_slice(struct sl_html *t, const uint8_t *p, const uint8_t *end);
struct sl_str sl_html_lower(struct sl_html *t, const uint8_t *p, const uint8_t *end);

/* Decode the character reference at p ('&').
 *
 * out      at least 8 bytes; *n_out is set to the bytes of UTF-8 written.
 * in_attr  the rule for attribute values: "&copy=1" is text.
 * Returns  bytes consumed, 0 where the '&' is text. */
size_t sl_html_charref(const uint8_t *p, const uint8_t *end, bool in_attr, uint8_t *out,
                       unsigned *n_out);

/* Fill the token; each returns true, since a token was made. */
bool sl_html_emit_text(struct sl_html *t, const uint8_t *from, const uint8_t *to);
bool sl_html_emit_ref(struct sl_html *t);

/* The content states. Each makes the next token and returns true, or returns
 * false at the end of the input or where only the state changed. */
bool sl_html_rcdata(struct sl_html *t);
bool sl_html_rawtext(struct sl_html *t);
bool sl_html_script(struct sl_html *t);
bool sl_html_plaintext(struct sl_html *t);
bool sl_html_cdata(struct sl_html *t);

/* Tag name state and on: p is at the first letter. Makes a START or END token;
 * NULL where the page ends inside the tag, which is then no token. */
const uint8_t *sl_html_tag_name(struct sl_html *t, const uint8_t *p, enum sl_html_kind kind);

/* Markup declaration open state: p is behind "<!". A declaration that the page's
 * end cuts is still a token. A "<![CDATA[" that opens a section makes no token:
 * *none is then set, and the state changed. */
const uint8_t *sl_html_markup_declaration(struct sl_html *t, const uint8_t *p, bool *none);
/* Bogus comment state: p is at the first byte of the comment. */
const uint8_t *sl_html_bogus_comment(struct sl_html *t, const uint8_t *p);

#endif
