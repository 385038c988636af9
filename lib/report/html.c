/* SPDX-License-Identifier: Apache-2.0 */
/* A page is made by a hundred small writes, each of which can only fail for want
 * of room; so the error is sticky and looked at once, in the end.
 *
 * Bidirectional controls are shown, not isolated: an element's isolate is closed
 * by a stray U+2069 in its text, so isolation holds only where the text has no
 * such control. The marks for right-to-left and left-to-right (U+200E, U+200F,
 * U+061C) stay: they turn nothing around. */
#include "report/html.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

enum { PIECE_MAX = 8192 };

void sl_html_init(struct sl_html *h, size_t max_bytes)
{
    sl_buf_init(&h->out, max_bytes);
    h->err = (struct sl_err)SL_ERR_INIT;
}

void sl_html_release(struct sl_html *h)
{
    sl_buf_release(&h->out);
}

/* The status stands in h->err, which keeps the first error. */
static void add(struct sl_html *h, struct sl_str s)
{
    if (h->err.status == SL_OK)
        (void)!sl_buf_add_str(&h->out, s, &h->err);
}

void sl_html_put(struct sl_html *h, const char *markup)
{
    add(h, sl_str_of(markup));
}

void sl_html_putf(struct sl_html *h, const char *fmt, ...)
{
    char text[PIECE_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof text) {
        sl_err_set(&h->err, SL_E_BUG, "a piece of a page is too long");
        return;
    }
    add(h, (struct sl_str){ text, (size_t)n });
}

/* ---- text ---- */

static bool turns_text_around(uint32_t c)
{
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

static bool is_control(uint32_t c)
{
    return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7F && c < 0xA0);
}

static bool is_noncharacter(uint32_t c)
{
    return (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF);
}

static const char *reference(uint32_t c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void add_escaped(struct sl_html *h, struct sl_str s, bool in_attribute)
{
    const uint8_t *at = (const uint8_t *)s.p, *end = at + s.n, *from = at;
    while (at < end) {
        const uint8_t *start = at;
        uint32_t c = sl_utf8_next(&at, end);
        const char *ref = reference(c);
        bool mark = is_control(c) || turns_text_around(c) || is_noncharacter(c);
        if (!ref && !mark)
            continue;
        add(h, (struct sl_str){ (const char *)from, (size_t)(start - from) });
        from = at;
        if (ref)
            sl_html_put(h, ref);
        else if (in_attribute)
            sl_html_put(h, "\xEF\xBF\xBD");
        else
            sl_html_putf(h, "<i class=c>U+%04X</i>", (unsigned)c);
    }
    add(h, (struct sl_str){ (const char *)from, (size_t)(end - from) });
}

static void add_text(struct sl_html *h, struct sl_str s, bool in_attribute)
{
    struct sl_buf fixed;
    uint64_t n_bad = 0;
    if (!s.n)
        return;
    if (sl_utf8_valid(s.p, s.n)) {
        add_escaped(h, s, in_attribute);
        return;
    }
    sl_buf_init(&fixed, h->out.max);
    if (sl_utf8_repair(&fixed, s.p, s.n, &n_bad, &h->err) == SL_OK)
        add_escaped(h, sl_buf_str(&fixed), in_attribute);
    sl_buf_release(&fixed);
}

void sl_html_text(struct sl_html *h, struct sl_str text)
{
    add_text(h, text, false);
}

void sl_html_cstr(struct sl_html *h, const char *text)
{
    add_text(h, sl_str_of(text), false);
}

void sl_html_attr(struct sl_html *h, struct sl_str text)
{
    add_text(h, text, true);
}

/* ---- numbers ---- */

const char *sl_int_text(int64_t v, char out[32])
{
    char plain[24];
    int n = snprintf(plain, sizeof plain, "%llu",
                     v < 0 ? 0 - (unsigned long long)v : (unsigned long long)v);
    int k = 0;
    if (v < 0)
        out[k++] = '-';
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            out[k++] = ',';
        out[k++] = plain[i];
    }
    out[k] = 0;
    return out;
}

const char *sl_short_text(double v, char out[32])
{
    static const char *const units[] = { "", "k", "M", "G", "T", "P", "E" };
    int u = 0;
    double a = v < 0 ? -v : v;
    while (a >= 1000 && u < 6) {
        a /= 1000;
        v /= 1000;
        u++;
    }
    snprintf(out, 32, "%.3g%s", v, units[u]);
    return out;
}

void sl_html_int(struct sl_html *h, int64_t v)
{
    char text[32];
    sl_html_put(h, sl_int_text(v, text));
}

void sl_html_bytes(struct sl_html *h, int64_t n)
{
    static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB", "PB", "EB" };
    double v = (double)n;
    int u = 0;
    for (; v >= 1000 && u < 6; u++)
        v /= 1000;
    if (u == 0)
        sl_html_putf(h, "%lld %s", (long long)n, n == 1 ? "byte" : "bytes");
    else
        sl_html_putf(h, "%.1f %s", v, units[u]);
}

void sl_html_share(struct sl_html *h, int64_t part, int64_t whole)
{
    double share = whole > 0 ? (double)part * 100 / (double)whole : 0;
    if (whole <= 0)
        sl_html_put(h, "\xE2\x80\x93");
    else if (part > 0 && share < 0.1)
        sl_html_put(h, "&lt; 0.1 %");
    else
        sl_html_putf(h, "%.1f %%", share);
}

enum sl_status sl_html_end(const struct sl_html *h, struct sl_err *err)
{
    sl_err_keep(err, &h->err);
    return h->err.status;
}
