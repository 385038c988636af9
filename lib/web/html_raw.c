/* SPDX-License-Identifier: Apache-2.0 */
/* HTML tokenizer: text that only its own end tag ends.
 *
 * RCDATA and RAWTEXT look for "</NAME" where NAME is the last start tag's.
 * Script data has two more modes inside "<!-- ... -->": escaped, and double
 * escaped, where a "<script" was seen and end tags do not count. The dash
 * states of the standard are read off the page: a '>' leaves both modes if the
 * two bytes before it are dashes that stand at or behind the "--" of "<!--".
 *
 * An end tag that fits is made in the call after the one that gave the text
 * before it; the search then finds it at once. */
#include "web/html_impl.h"
#include "web/html_scan.h"

/* Whether p ('<') begins "</NAME" of the appropriate end tag, with a blank, '/'
 * or '>' behind it. */
static bool fits(const struct sl_html *t, const uint8_t *p)
{
    size_t n = t->last_start.n;
    if (n == 0 || (size_t)(t->end - p) < n + 3 || p[1] != '/' || !html_is(p[2], HTML_ALPHA))
        return false;
    if (!html_is(p[n + 2], HTML_WS | HTML_SLASH))
        return false;
    struct sl_str name = { (const char *)p + 2, n };
    return sl_str_eq_nocase(name, t->last_start);
}

/* The token at hand: the text before p, or else the end tag at p (the page's
 * end: none). */
static bool text_or_end_tag(struct sl_html *t, const uint8_t *p)
{
    if (p > t->p) {
        struct sl_str text = sl_html_slice(t, t->p, p);
        t->p = p;
        t->tok.kind = SL_HTML_TEXT;
        t->tok.text = text;
        return true;
    }
    if (p == t->end)
        return false;
    p = sl_html_tag_name(t, p + 2, SL_HTML_END);
    t->p = p ? p : t->end;
    return p != NULL;
}

bool sl_html_rcdata(struct sl_html *t)
{
    const uint8_t *p = t->p, *end = t->end;
    while ((p = html_find2(p, end, '<', '&')) < end) {
        if (*p == '<') {
            if (fits(t, p))
                break;
            p++;
            continue;
        }
        size_t used = sl_html_charref(p, end, false, t->ref, &t->n_ref);
        if (!used) {
            p++;
            continue;
        }
        const uint8_t *from = t->p;
        t->p = p + used;
        if (p == from)
            return sl_html_emit_ref(t);
        t->tok.kind = SL_HTML_TEXT;
        t->tok.text = sl_html_slice(t, from, p);
        return true;
    }
    return text_or_end_tag(t, p);
}

bool sl_html_rawtext(struct sl_html *t)
{
    const uint8_t *p = t->p;
    while ((p = html_find_pair(p, t->end, '<', '/', '/')) < t->end && !fits(t, p))
        p++;
    return text_or_end_tag(t, p);
}

/* Script data double escape start and end states: whether "script" and a blank,
 * '/' or '>' stand at p. */
static bool is_script_word(const uint8_t *p, const uint8_t *end)
{
    if (end - p < 7 || !html_is(p[6], HTML_WS | HTML_SLASH))
        return false;
    struct sl_str word = { (const char *)p, 6 };
    return sl_str_eq_nocase(word, SL_STR("script"));
}

/* Script data escaped and double escaped states: p is behind "<!--". Returns
 * the position behind the "-->", or of the end tag that fits (*at_tag is then
 * set), or the page's end. */
static const uint8_t *script_escaped(const struct sl_html *t, const uint8_t *p, bool *at_tag)
{
    const uint8_t *end = t->end;
    bool twice = false;
    while ((p = html_find2(p, end, '<', '>')) < end) {
        if (*p == '>') {
            if (p[-1] == '-' && p[-2] == '-')
                return p + 1;
        } else if (!twice) {
            if (fits(t, p)) {
                *at_tag = true;
                return p;
            }
            twice = is_script_word(p + 1, end);
        } else if (end - p > 1 && p[1] == '/') {
            twice = !is_script_word(p + 2, end);
        }
        p++;
    }
    return end;
}

bool sl_html_script(struct sl_html *t)
{
    const uint8_t *p = t->p, *end = t->end;
    bool at_tag = false;
    while (!at_tag && (p = html_find_pair(p, end, '<', '/', '!')) < end) {
        if (p[1] == '/' && fits(t, p))
            break;
        if (end - p >= 4 && p[1] == '!' && p[2] == '-' && p[3] == '-')
            p = script_escaped(t, p + 4, &at_tag);
        else
            p++;
    }
    return text_or_end_tag(t, p);
}

bool sl_html_plaintext(struct sl_html *t)
{
    return text_or_end_tag(t, t->end);
}

bool sl_html_cdata(struct sl_html *t)
{
    const uint8_t *p = t->p, *end = t->end;
    while ((p = html_find_pair(p, end, ']', ']', ']')) < end && (end - p < 3 || p[2] != '>'))
        p++;
    const uint8_t *from = t->p;
    t->p = p;
    if (p < end) {
        t->p = p + 3;
        t->state = SL_HTML_DATA;
    }
    return p > from && sl_html_emit_text(t, from, p);
}
