/* SPDX-License-Identifier: Apache-2.0 */
/* HTML tokenizer: comments and DOCTYPE.
 *
 * The data of a comment is one slice of the page: from "<!--" to the first
 * "-->" or "--!>" whose dashes stand in the data. What the comment end states
 * drop when the page ends there is a suffix "-", "--" or "--!". DOCTYPE is rare
 * and is read byte by byte, a function a group of states. */
#include "web/html_impl.h"
#include "web/html_scan.h"

static const uint8_t *emit_comment(struct sl_html *t, const uint8_t *from, const uint8_t *to,
                                   const uint8_t *next)
{
    t->tok.kind = SL_HTML_COMMENT;
    t->tok.text = sl_html_slice(t, from, to);
    return next;
}

const uint8_t *sl_html_bogus_comment(struct sl_html *t, const uint8_t *p)
{
    const uint8_t *close = memchr(p, '>', (size_t)(t->end - p));
    if (!close)
        return emit_comment(t, p, t->end, t->end);
    return emit_comment(t, p, close, close + 1);
}

/* Where the data ends of a comment that the page's end cuts. */
static const uint8_t *without_end_marks(const uint8_t *from, const uint8_t *end)
{
    size_t n = (size_t)(end - from);
    if (n >= 3 && end[-1] == '!' && end[-2] == '-' && end[-3] == '-')
        return end - 3;
    if (n >= 2 && end[-1] == '-' && end[-2] == '-')
        return end - 2;
    return n >= 1 && end[-1] == '-' ? end - 1 : end;
}

/* Comment start state and on: p is behind "<!--". */
static const uint8_t *comment_start(struct sl_html *t, const uint8_t *p)
{
    const uint8_t *from = p, *end = t->end;
    if (p < end && *p == '>')
        return emit_comment(t, p, p, p + 1);
    if (end - p >= 2 && p[0] == '-' && p[1] == '>')
        return emit_comment(t, p, p, p + 2);
    for (; (p = html_find_pair(p, end, '-', '-', '-')) < end; p++) {
        const uint8_t *close = p + 2;
        if (close < end && *close == '!')
            close++;
        if (close < end && *close == '>')
            return emit_comment(t, from, p, close + 1);
    }
    return emit_comment(t, from, without_end_marks(from, end), end);
}

/* Bogus DOCTYPE state. */
static const uint8_t *bogus_doctype(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *close = p < end ? memchr(p, '>', (size_t)(end - p)) : NULL;
    return close ? close + 1 : end;
}

static const uint8_t *bad_doctype(struct sl_html *t, const uint8_t *p)
{
    t->tok.quirks = true;
    return bogus_doctype(p, t->end);
}

/* DOCTYPE identifier (quoted) states: p is at the opening quote. Returns the
 * position behind the closing one; where a '>' or the page's end comes before
 * it, *cut is set and the position is behind that. */
static const uint8_t *doctype_id(struct sl_html *t, const uint8_t *p, struct sl_str *id, bool *cut)
{
    const uint8_t *end = t->end, *from = p + 1, *close = html_find2(from, end, *p, '>');
    *id = sl_html_slice(t, from, close);
    *cut = close == end || *close == '>';
    if (*cut)
        t->tok.quirks = true;
    return close < end ? close + 1 : end;
}

static bool at_quote(const uint8_t *p, const uint8_t *end)
{
    return p < end && (*p == '"' || *p == '\'');
}

/* After DOCTYPE system keyword, before and after system identifier states. */
static const uint8_t *doctype_system(struct sl_html *t, const uint8_t *p)
{
    p = html_skip_blanks(p, t->end);
    if (!at_quote(p, t->end))
        return bad_doctype(t, p);
    bool cut;
    t->tok.has_system = true;
    p = doctype_id(t, p, &t->tok.system_id, &cut);
    if (cut)
        return p;
    p = html_skip_blanks(p, t->end);
    if (p == t->end)
        t->tok.quirks = true;
    return bogus_doctype(p, t->end);
}

/* After DOCTYPE public keyword, before, after and between identifiers states. */
static const uint8_t *doctype_public(struct sl_html *t, const uint8_t *p)
{
    p = html_skip_blanks(p, t->end);
    if (!at_quote(p, t->end))
        return bad_doctype(t, p);
    bool cut;
    t->tok.has_public = true;
    p = doctype_id(t, p, &t->tok.public_id, &cut);
    if (cut)
        return p;
    p = html_skip_blanks(p, t->end);
    if (p < t->end && *p == '>')
        return p + 1;
    return doctype_system(t, p);
}

/* Before DOCTYPE name, DOCTYPE name and after DOCTYPE name states: p is behind
 * "<!DOCTYPE". */
static const uint8_t *doctype(struct sl_html *t, const uint8_t *p)
{
    const uint8_t *end = t->end, *from = p = html_skip_blanks(p, end);
    struct sl_html_token *tok = &t->tok;
    tok->kind = SL_HTML_DOCTYPE;
    tok->quirks = tok->has_public = tok->has_system = false;
    tok->name = tok->public_id = tok->system_id = (struct sl_str){ NULL, 0 };
    while (p < end && *p != '>' && !html_is(*p, HTML_WS))
        p++;
    if (p == from)
        return bad_doctype(t, p);
    tok->name = sl_html_lower(t, from, p);
    p = html_skip_blanks(p, end);
    if (p == end)
        return bad_doctype(t, p);
    if (*p == '>')
        return p + 1;
    struct sl_str rest = html_between(p, end);
    if (sl_str_starts_nocase(rest, SL_STR("PUBLIC")))
        return doctype_public(t, p + 6);
    if (sl_str_starts_nocase(rest, SL_STR("SYSTEM")))
        return doctype_system(t, p + 6);
    return bad_doctype(t, p);
}

const uint8_t *sl_html_markup_declaration(struct sl_html *t, const uint8_t *p, bool *none)
{
    struct sl_str rest = html_between(p, t->end);
    if (sl_str_starts(rest, SL_STR("--")))
        return comment_start(t, p + 2);
    if (sl_str_starts_nocase(rest, SL_STR("DOCTYPE")))
        return doctype(t, p + 7);
    if (t->foreign && sl_str_starts(rest, SL_STR("[CDATA["))) {
        *none = true;
        t->state = SL_HTML_CDATA;
        return p + 7;
    }
    return sl_html_bogus_comment(t, p);
}
