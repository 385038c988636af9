/* SPDX-License-Identifier: Apache-2.0 */
/* HTML tokenizer: tag name and attribute states.
 *
 * Names are short and are read byte by byte through the class table; values run
 * from quote to quote. Values stay raw until someone asks. A repeated attribute
 * is dropped as the standard says; a Bloom word over the names keeps the usual
 * tag from comparing any, and the limit on attributes keeps the worst one
 * linear. A tag that the page's end cuts is no token. */
#include "web/html_impl.h"
#include "web/html_scan.h"

/* The name from p to end, lower case; classes: those of its bytes or-ed. */
static struct sl_str name_of(struct sl_html *t, const uint8_t *p, const uint8_t *end,
                             unsigned classes)
{
    if (classes & HTML_COPY)
        return sl_html_lower(t, p, end);
    return html_between(p, end);
}

/* True where the tag has this name already. */
static bool is_repeated(struct sl_html *t, struct sl_str name)
{
    unsigned hash = (uint8_t)name.p[0] * 7u + (uint8_t)name.p[name.n - 1] + (unsigned)name.n * 11u;
    uint64_t bit = (uint64_t)1 << (hash & 63);
    bool maybe = (t->seen & bit) != 0;
    t->seen |= bit;
    for (size_t i = 0; maybe && i < t->tok.n_attrs; i++)
        if (sl_str_eq(t->attrs[i].name, name))
            return true;
    return false;
}

/* Attribute name state: reads at least one byte. The attribute is added to the
 * tag with an empty value; *attr is NULL where it is repeated or one too many. */
static const uint8_t *attribute_name(struct sl_html *t, const uint8_t *p, const uint8_t *end,
                                     struct sl_html_attr **attr)
{
    const uint8_t *from = p;
    unsigned classes = 0;
    do {
        classes |= sl_html_class[*p++];
    } while (p < end && !html_is(*p, HTML_WS | HTML_SLASH | HTML_EQUALS));
    *attr = NULL;
    if (t->tok.n_attrs == SL_HTML_ATTRS_MAX)
        return p;
    size_t scratch_n = t->scratch.n;
    struct sl_str name = name_of(t, from, p, classes);
    if (is_repeated(t, name)) {
        t->scratch.n = scratch_n;
        return p;
    }
    *attr = &t->attrs[t->tok.n_attrs++];
    **attr = (struct sl_html_attr){ .name = name, .value = { (const char *)p, 0 } };
    return p;
}

/* Attribute value (double-quoted), (single-quoted) states: p is behind the
 * quote. */
static const uint8_t *attribute_value_quoted(const uint8_t *p, const uint8_t *end, uint8_t quote,
                                             struct sl_html_attr *attr)
{
    bool amp;
    const uint8_t *close = html_find_quote(p, end, quote, &amp);
    if (close == end)
        return NULL;
    if (attr) {
        attr->value = html_between(p, close);
        attr->raw = amp;
    }
    return close + 1;
}

static const uint8_t *attribute_value_unquoted(const uint8_t *p, const uint8_t *end,
                                               struct sl_html_attr *attr)
{
    const uint8_t *from = p;
    bool amp = false;
    for (; p < end && *p != '>' && !html_is(*p, HTML_WS); p++)
        amp |= *p == '&';
    if (p == end)
        return NULL;
    if (attr) {
        attr->value = html_between(from, p);
        attr->raw = amp;
    }
    return p;
}

/* Before attribute value state: p is behind the '='. */
static const uint8_t *before_attribute_value(const uint8_t *p, const uint8_t *end,
                                             struct sl_html_attr *attr)
{
    p = html_skip_blanks(p, end);
    if (p == end)
        return NULL;
    if (*p == '"' || *p == '\'')
        return attribute_value_quoted(p + 1, end, *p, attr);
    if (*p == '>')
        return p;
    return attribute_value_unquoted(p, end, attr);
}

/* Before attribute name, after attribute name and self-closing start tag
 * states, until behind the '>'. */
static const uint8_t *before_attribute_name(struct sl_html *t, const uint8_t *p)
{
    const uint8_t *end = t->end;
    while (p && (p = html_skip_blanks(p, end)) < end) {
        if (*p == '>')
            return p + 1;
        if (*p == '/') {
            if (++p < end && *p == '>') {
                t->tok.self_closing = true;
                return p + 1;
            }
            continue;
        }
        struct sl_html_attr *attr;
        p = attribute_name(t, p, end, &attr);
        p = html_skip_blanks(p, end);
        if (p < end && *p == '=')
            p = before_attribute_value(p + 1, end, attr);
    }
    return NULL;
}

const uint8_t *sl_html_tag_name(struct sl_html *t, const uint8_t *p, enum sl_html_kind kind)
{
    const uint8_t *from = p, *end = t->end;
    unsigned classes = 0;
    for (; p < end && !html_is(*p, HTML_WS | HTML_SLASH); p++)
        classes |= sl_html_class[*p];
    t->tok.name = name_of(t, from, p, classes);
    t->tok.attrs = t->attrs;
    t->tok.n_attrs = 0;
    t->tok.self_closing = false;
    t->seen = 0;
    const uint8_t *name_end = p;
    p = p < end && *p == '>' ? p + 1 : before_attribute_name(t, p);
    if (!p)
        return NULL;
    t->tok.kind = kind;
    t->state = SL_HTML_DATA;
    if (kind == SL_HTML_START)
        t->last_start = html_between(from, name_end);
    return p;
}

static struct sl_str decode_value(struct sl_html *t, struct sl_str raw)
{
    const uint8_t *p = (const uint8_t *)raw.p, *end = p + raw.n;
    uint8_t *out = t->scratch.p + t->scratch.n, *o = out;
    while (p < end) {
        unsigned n_ref;
        size_t used = *p == '&' ? sl_html_charref(p, end, true, o, &n_ref) : 0;
        if (used) {
            p += used;
            o += n_ref;
        } else if (*p == 0) {
            memcpy(o, "\xEF\xBF\xBD", 3);
            p++;
            o += 3;
        } else {
            *o++ = *p++;
        }
    }
    t->scratch.n += (size_t)(o - out);
    return html_between(out, o);
}

struct sl_str sl_html_attr_value(struct sl_html *t, struct sl_html_attr *attr)
{
    if (attr->raw || (t->has_nul && attr->value.n && memchr(attr->value.p, 0, attr->value.n))) {
        attr->value = decode_value(t, attr->value);
        attr->raw = false;
    }
    return attr->value;
}

struct sl_str sl_html_attr_find(struct sl_html *t, struct sl_str name)
{
    for (size_t i = 0; i < t->tok.n_attrs; i++)
        if (sl_str_eq(t->attrs[i].name, name))
            return sl_html_attr_value(t, &t->attrs[i]);
    return (struct sl_str){ NULL, 0 };
}
