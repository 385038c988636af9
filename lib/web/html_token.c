/* SPDX-License-Identifier: Apache-2.0 */
/* HTML tokenizer: the frame, the data state and the tag open states.
 *
 * Shape. The standard describes a machine that eats one character a step. Here
 * the whole page lies in memory, so a state is a function that jumps to the
 * next byte which can end it: '<' or '&' in text, the closing quote in a value,
 * "--" in a comment. States that differ only in what they remember of the last
 * one or two bytes (comment end dash, script data escaped dash dash, ...) are
 * folded into the function of their main state, which looks at those bytes in
 * the page. What a state yields is a slice of the page; bytes are copied to
 * scratch only where the standard changes them (upper case in names, NULs,
 * references in values).
 *
 * Files. html_token.c: data, tag open, end tag open. html_attr.c: tag name and
 * attributes. html_markup.c: comments and DOCTYPE. html_raw.c: RCDATA, RAWTEXT,
 * script data, PLAINTEXT, CDATA. html_charref.c: character references.
 *
 * Rejected: a table-driven machine with one step a byte, which could not skip;
 * decoding attribute values at once, since few are ever looked at.
 *
 * Invariants. Scratch is reserved for the page at its start and each byte of
 * the page is copied there at most once a token, so no state can fail. Every
 * byte is looked at a bounded number of times. */
#include <stdlib.h>
#include <string.h>

#include "web/html_impl.h"
#include "web/html_scan.h"

#define PAGE_MAX ((size_t)1 << 30)
#define KEEP_MAX ((size_t)16 << 20) /* memory that the next page may use again */

const uint8_t sl_html_class[256] = {
    [0] = HTML_COPY,
    ['\t'] = HTML_WS,
    ['\n'] = HTML_WS,
    ['\f'] = HTML_WS,
    [' '] = HTML_WS,
    ['!'] = HTML_LEAD,
    ['/'] = HTML_SLASH | HTML_LEAD,
    ['0' ... '9'] = HTML_ALNUM,
    ['='] = HTML_EQUALS,
    ['>'] = HTML_SLASH,
    ['?'] = HTML_LEAD,
    ['A' ... 'Z'] = HTML_ALPHA | HTML_ALNUM | HTML_COPY | HTML_LEAD,
    ['a' ... 'z'] = HTML_ALPHA | HTML_ALNUM | HTML_LEAD,
};

struct sl_html *sl_html_new(void)
{
    struct sl_html *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    sl_buf_init(&t->scratch, 4 * PAGE_MAX);
    sl_buf_init(&t->page, PAGE_MAX);
    return t;
}

void sl_html_free(struct sl_html *t)
{
    if (!t)
        return;
    sl_buf_release(&t->scratch);
    sl_buf_release(&t->page);
    free(t);
}

/* CR LF and CR become LF. from is at the first CR. */
static enum sl_status copy_lines(struct sl_buf *out, struct sl_str page, const char *cr,
                                 struct sl_err *err)
{
    sl_buf_reset(out);
    SL_TRY(sl_buf_reserve(out, page.n, err));
    const char *p = page.p, *end = page.p + page.n;
    while (cr) {
        size_t n = (size_t)(cr - p);
        memcpy(out->p + out->n, p, n);
        out->n += n;
        out->p[out->n++] = '\n';
        p = cr + 1;
        if (p < end && *p == '\n')
            p++;
        cr = p < end ? memchr(p, '\r', (size_t)(end - p)) : NULL;
    }
    if (p < end)
        memcpy(out->p + out->n, p, (size_t)(end - p));
    out->n += (size_t)(end - p);
    return SL_OK;
}

static size_t count_nuls(const uint8_t *p, const uint8_t *end)
{
    size_t n = 0;
    while (p < end && (p = memchr(p, 0, (size_t)(end - p))) != NULL) {
        n++;
        p++;
    }
    return n;
}

enum sl_status sl_html_start(struct sl_html *t, struct sl_str page, struct sl_err *err)
{
    t->p = t->end = NULL;
    if (t->scratch.cap > KEEP_MAX)
        sl_buf_release(&t->scratch);
    if (t->page.cap > KEEP_MAX)
        sl_buf_release(&t->page);
    if (page.n > PAGE_MAX)
        return sl_err_set(err, SL_E_DATA, "page of %zu bytes, more than %zu", page.n, PAGE_MAX);
    const char *cr = page.n ? memchr(page.p, '\r', page.n) : NULL;
    if (cr) {
        SL_TRY(copy_lines(&t->page, page, cr, err));
        page = sl_buf_str(&t->page);
    }
    const uint8_t *p = (const uint8_t *)page.p;
    size_t n_nul = page.n ? count_nuls(p, p + page.n) : 0;
    sl_buf_reset(&t->scratch);
    SL_TRY(sl_buf_reserve(&t->scratch, page.n + page.n / 5 + 2 * n_nul + 64, err));
    t->has_nul = n_nul > 0;
    t->p = p;
    t->end = page.n ? p + page.n : p;
    t->state = SL_HTML_DATA;
    t->foreign = false;
    t->n_ref = 0;
    t->last_start = (struct sl_str){ NULL, 0 };
    return SL_OK;
}

void sl_html_set_state(struct sl_html *t, enum sl_html_state state)
{
    t->state = state;
}

void sl_html_set_foreign(struct sl_html *t, bool foreign)
{
    t->foreign = foreign;
}

void sl_html_set_last_start(struct sl_html *t, struct sl_str name)
{
    t->last_start = name;
}

/* Copy to scratch; a NUL becomes U+FFFD. */
static struct sl_str copy_changed(struct sl_html *t, const uint8_t *p, const uint8_t *end,
                                  bool lower)
{
    uint8_t *out = t->scratch.p + t->scratch.n, *o = out;
    for (; p < end; p++) {
        if (*p == 0) {
            memcpy(o, "\xEF\xBF\xBD", 3);
            o += 3;
        } else {
            *o++ = lower && *p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p;
        }
    }
    t->scratch.n += (size_t)(o - out);
    return html_between(out, o);
}

struct sl_str sl_html_slice(struct sl_html *t, const uint8_t *p, const uint8_t *end)
{
    if (t->has_nul && p < end && memchr(p, 0, (size_t)(end - p)))
        return copy_changed(t, p, end, false);
    return html_between(p, end);
}

struct sl_str sl_html_lower(struct sl_html *t, const uint8_t *p, const uint8_t *end)
{
    return copy_changed(t, p, end, true);
}

bool sl_html_emit_text(struct sl_html *t, const uint8_t *from, const uint8_t *to)
{
    t->tok.kind = SL_HTML_TEXT;
    t->tok.text = html_between(from, to);
    return true;
}

bool sl_html_emit_ref(struct sl_html *t)
{
    t->tok.kind = SL_HTML_TEXT;
    t->tok.text = html_between(t->ref, t->ref + t->n_ref);
    t->n_ref = 0;
    return true;
}

/* Tag open and end tag open states: p is at a '<' that markup may follow.
 * Returns the position behind the token, NULL where the page ends in it; *none
 * is set where the bytes make no token. */
static const uint8_t *tag_open(struct sl_html *t, const uint8_t *p, bool *none)
{
    *none = false;
    uint8_t c = p[1];
    if (html_is(c, HTML_ALPHA))
        return sl_html_tag_name(t, p + 1, SL_HTML_START);
    if (c == '!')
        return sl_html_markup_declaration(t, p + 2, none);
    if (c == '?')
        return sl_html_bogus_comment(t, p + 1);
    if (html_is(p[2], HTML_ALPHA))
        return sl_html_tag_name(t, p + 2, SL_HTML_END);
    if (p[2] == '>') {
        *none = true;
        return p + 3;
    }
    return sl_html_bogus_comment(t, p + 2);
}

/* Whether the '<' at p begins markup rather than being text. */
static bool opens_markup(const uint8_t *p, const uint8_t *end)
{
    if (end - p < 2 || !html_is(p[1], HTML_LEAD))
        return false;
    return p[1] != '/' || end - p >= 3;
}

static bool data_state(struct sl_html *t)
{
    const uint8_t *from = t->p, *p = from, *end = t->end;
    for (;;) {
        p = html_find2(p, end, '<', '&');
        if (p == end) {
            t->p = end;
            return p > from && sl_html_emit_text(t, from, p);
        }
        if (*p == '&') {
            size_t used = sl_html_charref(p, end, false, t->ref, &t->n_ref);
            if (!used) {
                p++;
                continue;
            }
            t->p = p + used;
            return p > from ? sl_html_emit_text(t, from, p) : sl_html_emit_ref(t);
        }
        if (!opens_markup(p, end)) {
            p++;
            continue;
        }
        if (p > from) {
            t->p = p;
            return sl_html_emit_text(t, from, p);
        }
        bool none;
        t->tok.kind = SL_HTML_EOF;
        p = tag_open(t, p, &none);
        t->p = p ? p : end;
        if (!none)
            return t->tok.kind != SL_HTML_EOF;
        if (t->state == SL_HTML_CDATA)
            return false;
        from = p;
    }
}

static bool step(struct sl_html *t)
{
    switch (t->state) {
    case SL_HTML_RCDATA:
        return sl_html_rcdata(t);
    case SL_HTML_RAWTEXT:
        return sl_html_rawtext(t);
    case SL_HTML_SCRIPT:
        return sl_html_script(t);
    case SL_HTML_PLAINTEXT:
        return sl_html_plaintext(t);
    case SL_HTML_CDATA:
        return sl_html_cdata(t);
    case SL_HTML_DATA:
        break;
    }
    return data_state(t);
}

const struct sl_html_token *sl_html_next(struct sl_html *t)
{
    t->scratch.n = 0;
    if (t->n_ref) {
        sl_html_emit_ref(t);
        return &t->tok;
    }
    /* A step without a token before the end only changed the state (CDATA). */
    bool made = false;
    while (!made && t->p < t->end)
        made = step(t);
    if (!made)
        t->tok.kind = SL_HTML_EOF;
    return &t->tok;
}
