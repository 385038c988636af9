/* SPDX-License-Identifier: Apache-2.0 */
/* Sniffing the encoding of a page: byte order mark and prescan.
 *
 * The prescan is the standard's small parser, not our tokenizer: it must see
 * exactly what browsers see in the first kilobyte, comments and odd quotes
 * included. It reads bytes of any encoding and stops at the window's end. A meta
 * element behind it changes the encoding in a browser too, where its parser
 * meets it: for that our tokenizer looks. */
#include "web/charset.h"
#include "web/html_tag.h"

/* The bytes still to be scanned. */
struct scan {
    const uint8_t *p, *end;
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool is_alpha(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool starts(const struct scan *s, const char *lower)
{
    const uint8_t *p = s->p;
    for (; *lower; lower++, p++) {
        if (p == s->end)
            return false;
        uint8_t c = *p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p;
        if (c != (uint8_t)*lower)
            return false;
    }
    return true;
}

static void skip_blanks(struct scan *s)
{
    while (s->p < s->end && is_blank(*s->p))
        s->p++;
}

enum sl_charset sl_charset_bom(struct sl_str page, size_t *bom_bytes)
{
    *bom_bytes = 3;
    if (sl_str_starts(page, SL_STR("\xEF\xBB\xBF")))
        return SL_CHARSET_UTF_8;
    *bom_bytes = 2;
    if (sl_str_starts(page, SL_STR("\xFE\xFF")))
        return SL_CHARSET_UTF_16BE;
    if (sl_str_starts(page, SL_STR("\xFF\xFE")))
        return SL_CHARSET_UTF_16LE;
    *bom_bytes = 0;
    return SL_CHARSET_NONE;
}

struct attribute {
    struct sl_str name, value;
};

static struct sl_str str_between(const uint8_t *p, const uint8_t *end)
{
    return (struct sl_str){ (const char *)p, (size_t)(end - p) };
}

static void attribute_value(struct scan *s, struct attribute *a)
{
    skip_blanks(s);
    if (s->p == s->end || *s->p == '>')
        return;
    uint8_t quote = *s->p;
    const uint8_t *from = s->p;
    if (quote == '"' || quote == '\'') {
        from = ++s->p;
        while (s->p < s->end && *s->p != quote)
            s->p++;
        a->value = str_between(from, s->p);
        if (s->p < s->end)
            s->p++;
        return;
    }
    while (s->p < s->end && !is_blank(*s->p) && *s->p != '>')
        s->p++;
    a->value = str_between(from, s->p);
}

/* The standard's "get an attribute"; false where there is none. */
static bool get_attribute(struct scan *s, struct attribute *a)
{
    *a = (struct attribute){ { NULL, 0 }, { NULL, 0 } };
    while (s->p < s->end && (is_blank(*s->p) || *s->p == '/'))
        s->p++;
    if (s->p == s->end || *s->p == '>')
        return false;
    const uint8_t *from = s->p;
    while (s->p < s->end && !is_blank(*s->p) && *s->p != '/' && *s->p != '>' &&
           (*s->p != '=' || s->p == from))
        s->p++;
    a->name = str_between(from, s->p);
    skip_blanks(s);
    if (s->p < s->end && *s->p == '=') {
        s->p++;
        attribute_value(s, a);
    }
    return true;
}

/* The encoding named in "text/html; charset=NAME", as the standard extracts it
 * from a meta element. */
static enum sl_charset from_content(struct sl_str value)
{
    struct scan s = { (const uint8_t *)value.p, (const uint8_t *)value.p + value.n };
    for (; s.p < s.end; s.p++) {
        if (!starts(&s, "charset"))
            continue;
        struct scan at = { s.p + 7, s.end };
        skip_blanks(&at);
        if (at.p == at.end || *at.p != '=')
            continue;
        at.p++;
        skip_blanks(&at);
        if (at.p == at.end)
            return SL_CHARSET_NONE;
        const uint8_t *from = at.p;
        if (*from == '"' || *from == '\'') {
            const void *close = memchr(from + 1, *from, (size_t)(at.end - from - 1));
            return close ? sl_charset_label(str_between(from + 1, close)) : SL_CHARSET_NONE;
        }
        while (at.p < at.end && !is_blank(*at.p) && *at.p != ';')
            at.p++;
        return sl_charset_label(str_between(from, at.p));
    }
    return SL_CHARSET_NONE;
}

enum sl_charset sl_charset_of_content_type(struct sl_str value)
{
    return value.n ? from_content(value) : SL_CHARSET_NONE;
}

/* What a meta element says; s is behind "<meta". */
static enum sl_charset meta_element(struct scan *s)
{
    enum { NEED_UNKNOWN, NEED_PRAGMA, NEED_NOTHING } need = NEED_UNKNOWN;
    bool pragma = false, has_pragma = false, has_content = false, has_charset = false;
    enum sl_charset found = SL_CHARSET_NONE;
    struct attribute a;
    while (get_attribute(s, &a)) {
        if (!has_pragma && sl_str_eq_nocase(a.name, SL_STR("http-equiv"))) {
            has_pragma = true;
            pragma = sl_str_eq_nocase(a.value, SL_STR("content-type"));
        } else if (!has_content && sl_str_eq_nocase(a.name, SL_STR("content"))) {
            has_content = true;
            enum sl_charset c = a.value.n ? from_content(a.value) : SL_CHARSET_NONE;
            if (c != SL_CHARSET_NONE && found == SL_CHARSET_NONE && !has_charset) {
                found = c;
                need = NEED_PRAGMA;
            }
        } else if (!has_charset && sl_str_eq_nocase(a.name, SL_STR("charset"))) {
            has_charset = true;
            found = sl_charset_label(a.value);
            need = NEED_NOTHING;
        }
    }
    if (s->p == s->end) /* the window cuts the tag: nothing was said */
        return SL_CHARSET_NONE;
    if (need == NEED_UNKNOWN || (need == NEED_PRAGMA && !pragma))
        return SL_CHARSET_NONE;
    return found;
}

/* An encoding read from bytes that were read as ASCII cannot be UTF-16. */
static enum sl_charset as_ascii_superset(enum sl_charset c)
{
    if (c == SL_CHARSET_UTF_16BE || c == SL_CHARSET_UTF_16LE)
        return SL_CHARSET_UTF_8;
    return c == SL_CHARSET_X_USER_DEFINED ? SL_CHARSET_WINDOWS_1252 : c;
}

static void skip_to(struct scan *s, uint8_t c)
{
    const uint8_t *hit = s->p < s->end ? memchr(s->p, c, (size_t)(s->end - s->p)) : NULL;
    s->p = hit ? hit : s->end;
}

/* Comment at s ("<!--"): to its '>', the dashes may be those of its beginning. */
static void skip_comment(struct scan *s)
{
    s->p += 4;
    while (s->p < s->end && !(*s->p == '>' && s->p[-1] == '-' && s->p[-2] == '-'))
        s->p++;
}

static bool is_meta(const struct scan *s)
{
    return starts(s, "<meta") && s->end - s->p > 5 && (is_blank(s->p[5]) || s->p[5] == '/');
}

static bool is_tag(const struct scan *s)
{
    const uint8_t *p = s->p + 1;
    if (p < s->end && *p == '/')
        p++;
    return p < s->end && is_alpha(*p);
}

/* A tag at s: over its name and attributes. */
static void skip_tag(struct scan *s)
{
    struct attribute a;
    while (s->p < s->end && !is_blank(*s->p) && *s->p != '>')
        s->p++;
    while (get_attribute(s, &a))
        continue;
}

static enum sl_charset prescan_markup(struct scan s)
{
    for (skip_to(&s, '<'); s.p < s.end; s.p++, skip_to(&s, '<')) {
        if (starts(&s, "<!--")) {
            skip_comment(&s);
        } else if (is_meta(&s)) {
            s.p += 5;
            enum sl_charset c = meta_element(&s);
            if (c != SL_CHARSET_NONE)
                return as_ascii_superset(c);
        } else if (is_tag(&s)) {
            skip_tag(&s);
        } else if (starts(&s, "<!") || starts(&s, "</") || starts(&s, "<?")) {
            skip_to(&s, '>');
        }
        if (s.p == s.end)
            break;
    }
    return SL_CHARSET_NONE;
}

/* The encoding of an XML declaration at the very beginning. */
static enum sl_charset prescan_xml(struct scan s)
{
    if (!starts(&s, "<?xml"))
        return SL_CHARSET_NONE;
    const uint8_t *close = memchr(s.p, '>', (size_t)(s.end - s.p));
    if (!close)
        return SL_CHARSET_NONE;
    s.end = close;
    while (s.p < s.end && !starts(&s, "encoding"))
        s.p++;
    if (s.end - s.p < 8)
        return SL_CHARSET_NONE;
    s.p += 8;
    while (s.p < s.end && *s.p <= ' ')
        s.p++;
    if (s.p == s.end || *s.p++ != '=')
        return SL_CHARSET_NONE;
    while (s.p < s.end && *s.p <= ' ')
        s.p++;
    if (s.p == s.end || (*s.p != '"' && *s.p != '\''))
        return SL_CHARSET_NONE;
    const uint8_t *from = s.p + 1;
    const uint8_t *quote = memchr(from, *s.p, (size_t)(s.end - from));
    if (!quote)
        return SL_CHARSET_NONE;
    return as_ascii_superset(sl_charset_label(str_between(from, quote)));
}

enum sl_charset sl_charset_prescan(struct sl_str page)
{
    if (page.n > SL_CHARSET_WINDOW_BYTES)
        page.n = SL_CHARSET_WINDOW_BYTES;
    if (page.n == 0)
        return SL_CHARSET_NONE;
    struct scan s = { (const uint8_t *)page.p, (const uint8_t *)page.p + page.n };
    if (page.n >= 6 && memcmp(page.p, "<\0?\0x\0", 6) == 0)
        return SL_CHARSET_UTF_16LE;
    if (page.n >= 6 && memcmp(page.p, "\0<\0?\0x", 6) == 0)
        return SL_CHARSET_UTF_16BE;
    enum sl_charset c = prescan_markup(s);
    return c != SL_CHARSET_NONE ? c : prescan_xml(s);
}

static enum sl_charset late_meta(struct sl_html *t, struct sl_str page)
{
    if (sl_html_start(t, page, NULL) != SL_OK)
        return SL_CHARSET_NONE;
    const struct sl_html_token *tok;
    while ((tok = sl_html_next(t))->kind != SL_HTML_EOF) {
        if (tok->kind != SL_HTML_START)
            continue;
        enum sl_tag tag = sl_tag_of(tok->name);
        if (tag != SL_TAG_META) {
            sl_html_set_state(t, sl_tag_content_state(tag));
            continue;
        }
        struct sl_str value = sl_html_attr_find(t, SL_STR("charset"));
        enum sl_charset c = sl_charset_label(value);
        struct sl_str pragma = sl_html_attr_find(t, SL_STR("http-equiv"));
        if (!value.p && sl_str_eq_nocase(pragma, SL_STR("content-type"))) {
            value = sl_html_attr_find(t, SL_STR("content"));
            c = sl_charset_of_content_type(value);
        }
        if (c != SL_CHARSET_NONE)
            return as_ascii_superset(c);
    }
    return SL_CHARSET_NONE;
}

enum sl_charset sl_charset_of_meta(struct sl_html *t, struct sl_str page)
{
    enum sl_charset c = sl_charset_prescan(page);
    return c != SL_CHARSET_NONE || page.n <= SL_CHARSET_WINDOW_BYTES ? c : late_meta(t, page);
}

enum sl_charset sl_charset_sniff(struct sl_html *t, struct sl_str page, enum sl_charset http,
                                 enum sl_charset_source *source)
{
    size_t bom_bytes;
    enum sl_charset c = sl_charset_bom(page, &bom_bytes);
    *source = SL_CHARSET_BY_BOM;
    if (c != SL_CHARSET_NONE)
        return c;
    *source = SL_CHARSET_BY_HTTP;
    if (http != SL_CHARSET_NONE)
        return http;
    *source = SL_CHARSET_BY_META;
    c = sl_charset_of_meta(t, page);
    if (c != SL_CHARSET_NONE)
        return c;
    *source = SL_CHARSET_BY_DEFAULT;
    return SL_CHARSET_WINDOWS_1252;
}
