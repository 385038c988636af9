/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings: labels, the decision for a page, and the decoders that need no
 * table of two-byte characters.
 *
 * The decision. About 97 of 100 pages are valid UTF-8, and bytes of another
 * encoding are hardly ever valid UTF-8 by chance, so validity comes before any
 * label; only seven-bit encodings need a look at the label first. A page that is
 * UTF-8 already is not copied.
 *
 * Rejected: guessing by letter statistics (wrong too often to overrule a label,
 * and a page without one is nearly always UTF-8 or windows-1252). */
#include "web/charset.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "web/charset_impl.h"
#include "web/charset_table.h"

const char *sl_charset_name(enum sl_charset c)
{
    return c < SL_CHARSET_N ? charset_names[c] : "";
}

const char *sl_charset_source_name(enum sl_charset_source s)
{
    static const char *const names[] = { "bom", "utf8", "http", "meta", "default", "utf8_lossy" };
    return s < sizeof names / sizeof *names ? names[s] : "";
}

enum sl_charset sl_charset_label(struct sl_str label)
{
    char lower[32];
    label = sl_str_trim(label);
    if (label.n == 0 || label.n > sizeof lower)
        return SL_CHARSET_NONE;
    for (size_t i = 0; i < label.n; i++)
        lower[i] = label.p[i] >= 'A' && label.p[i] <= 'Z' ? (char)(label.p[i] | 0x20) : label.p[i];
    struct sl_str want = { lower, label.n };
    size_t low = 0, high = sizeof charset_labels / sizeof *charset_labels;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = sl_str_cmp(want, sl_str_of(charset_labels[mid].label));
        if (c == 0)
            return (enum sl_charset)charset_labels[mid].charset;
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return SL_CHARSET_NONE;
}

void sl_charset_put(struct sl_buf *out, uint32_t cp)
{
    out->n += sl_utf8_put(out->p + out->n, cp);
}

size_t sl_charset_ascii_run(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *from = p;
    uint64_t word;
    for (; end - p >= 8; p += 8) {
        memcpy(&word, p, 8);
        if (word & 0x8080808080808080u)
            break;
    }
    while (p < end && *p < 0x80)
        p++;
    return (size_t)(p - from);
}

/* Every byte has one code point (0xFFFD: none) of at most three bytes. */
static enum sl_status decode_single(const uint16_t *index, struct sl_str bytes, struct sl_buf *out,
                                    uint64_t *n_replaced, struct sl_err *err)
{
    const uint8_t *p = (const uint8_t *)bytes.p, *end = p + bytes.n;
    while (p < end) {
        size_t run = sl_charset_ascii_run(p, end);
        SL_TRY(sl_buf_add(out, p, run, err));
        p += run;
        SL_TRY(sl_buf_reserve(out, 256 + 4, err));
        for (size_t i = 0; i < 64 && p < end && *p >= 0x80; i++, p++) {
            uint16_t cp = index[*p - 0x80];
            *n_replaced += cp == 0xFFFD;
            sl_charset_put(out, cp);
        }
    }
    return SL_OK;
}

static enum sl_status decode_user_defined(struct sl_str bytes, struct sl_buf *out,
                                          struct sl_err *err)
{
    for (size_t i = 0; i < bytes.n; i++) {
        uint8_t c = (uint8_t)bytes.p[i];
        SL_TRY(sl_buf_reserve(out, 4, err));
        sl_charset_put(out, c < 0x80 ? c : 0xF780u + c - 0x80);
    }
    return SL_OK;
}

static enum sl_status decode_utf16(bool big, struct sl_str bytes, struct sl_buf *out,
                                   uint64_t *n_replaced, struct sl_err *err)
{
    const uint8_t *p = (const uint8_t *)bytes.p, *end = p + bytes.n;
    while (p < end) {
        SL_TRY(sl_buf_reserve(out, 4, err));
        uint32_t cp = 0xFFFD;
        size_t n = 2;
        if (end - p == 1) {
            n = 1;
        } else {
            cp = (uint32_t)(big ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
            if (cp >= 0xD800 && cp <= 0xDBFF && end - p >= 4) {
                uint32_t low = (uint32_t)(big ? p[2] << 8 | p[3] : p[3] << 8 | p[2]);
                if (low >= 0xDC00 && low <= 0xDFFF) {
                    cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
                    n = 4;
                }
            }
        }
        if (n == 1 || (cp >= 0xD800 && cp <= 0xDFFF)) {
            cp = 0xFFFD;
            ++*n_replaced;
            /* A lead surrogate that the page's end cuts is one error with what follows. */
            if (n == 2 && end - p == 3 && ((big ? p[0] : p[1]) & 0xFC) == 0xD8)
                n = 3;
        }
        sl_charset_put(out, cp);
        p += n;
    }
    return SL_OK;
}

struct sl_charset_decoder *sl_charset_decoder_new(void)
{
    struct sl_charset_decoder *d = malloc(sizeof *d);
    for (size_t i = 0; d && i < SL_CHARSET_N; i++)
        d->iconv[i] = (void *)-1;
    if (d && !(d->html = sl_html_new())) {
        free(d);
        return NULL;
    }
    return d;
}

enum sl_status sl_charset_decode(struct sl_charset_decoder *d, enum sl_charset c,
                                 struct sl_str bytes, struct sl_buf *out, uint64_t *n_replaced,
                                 struct sl_err *err)
{
    if (bytes.n == 0)
        return SL_OK;
    if (c >= SL_CHARSET_IBM866 && c <= SL_CHARSET_X_MAC_CYRILLIC)
        return decode_single(charset_single[c - SL_CHARSET_IBM866], bytes, out, n_replaced, err);
    switch (c) {
    case SL_CHARSET_UTF_8:
        return sl_utf8_repair(out, bytes.p, bytes.n, n_replaced, err);
    case SL_CHARSET_UTF_16BE:
    case SL_CHARSET_UTF_16LE:
        return decode_utf16(c == SL_CHARSET_UTF_16BE, bytes, out, n_replaced, err);
    case SL_CHARSET_X_USER_DEFINED:
        return decode_user_defined(bytes, out, err);
    case SL_CHARSET_REPLACEMENT:
        ++*n_replaced;
        return sl_buf_add(out, "\xEF\xBF\xBD", 3, err);
    case SL_CHARSET_NONE:
        return sl_err_set(err, SL_E_BUG, "decoding without an encoding");
    default:
        return sl_charset_decode_multi(d, c, bytes, out, n_replaced, err);
    }
}

/* Whether valid UTF-8 may be the seven-bit encoding of its label after all. */
static bool is_seven_bit(enum sl_charset c, struct sl_str page)
{
    size_t head = page.n < 1024 ? page.n : 1024;
    if (c == SL_CHARSET_ISO_2022_JP)
        return page.n && memchr(page.p, 0x1B, page.n) != NULL;
    if (c == SL_CHARSET_UTF_16BE || c == SL_CHARSET_UTF_16LE)
        return head && memchr(page.p, 0, head) != NULL;
    return false;
}

/* Well-formed multi-byte sequences and bad ones of a page. */
static void count_sequences(struct sl_str page, uint64_t *good, uint64_t *bad)
{
    *good = *bad = 0;
    const char *p = page.p, *end = page.p + page.n;
    while (p < end) {
        size_t ok = sl_utf8_first_bad(p, (size_t)(end - p));
        for (size_t i = 0; i < ok; i++)
            *good += (p[i] & 0xC0) == 0xC0;
        p += ok;
        *bad += p < end;
        while (p < end && (*p & 0x80)) {
            p++;
            if (p < end && (*p & 0xC0) != 0x80)
                break;
        }
    }
}

/* So many good sequences do not come about by chance: in text of two-byte
 * encodings most pairs of bytes are bad UTF-8, in single-byte text nearly all. A
 * page that was cut in the middle of a character is of this kind. */
static bool is_surely_utf8(uint64_t good, uint64_t bad)
{
    return good >= 20 && good / 50 >= bad;
}

/* Without a mark, and not valid UTF-8. */
static enum sl_charset decide_invalid(struct sl_charset_decoder *d, struct sl_str page,
                                      enum sl_charset http, enum sl_charset_source *source)
{
    uint64_t good, bad;
    count_sequences(page, &good, &bad);
    *source = SL_CHARSET_BY_UTF8_LOSSY;
    if (is_surely_utf8(good, bad))
        return SL_CHARSET_UTF_8;
    *source = SL_CHARSET_BY_HTTP;
    if (http != SL_CHARSET_NONE && http != SL_CHARSET_UTF_8)
        return http;
    enum sl_charset meta = sl_charset_of_meta(d->html, page);
    *source = SL_CHARSET_BY_META;
    if (meta != SL_CHARSET_NONE && meta != SL_CHARSET_UTF_8)
        return meta;
    bool labelled = http != SL_CHARSET_NONE || meta != SL_CHARSET_NONE;
    *source = SL_CHARSET_BY_UTF8_LOSSY;
    if (bad <= page.n / 1000 || (labelled && good > bad))
        return SL_CHARSET_UTF_8;
    *source = SL_CHARSET_BY_DEFAULT;
    return SL_CHARSET_WINDOWS_1252;
}

static enum sl_charset decide(struct sl_charset_decoder *d, struct sl_str page,
                              enum sl_charset http, enum sl_charset_source *source, bool *valid)
{
    *valid = sl_utf8_valid(page.p, page.n);
    if (!*valid)
        return decide_invalid(d, page, http, source);
    enum sl_charset label = http;
    *source = SL_CHARSET_BY_HTTP;
    if (label == SL_CHARSET_NONE) {
        label = sl_charset_prescan(page);
        *source = SL_CHARSET_BY_META;
    }
    if (is_seven_bit(label, page))
        return label;
    *source = SL_CHARSET_BY_UTF8;
    return SL_CHARSET_UTF_8;
}

enum sl_status sl_charset_decode_page(struct sl_charset_decoder *d, struct sl_str page,
                                      enum sl_charset http, struct sl_buf *room,
                                      struct sl_charset_page *out, struct sl_err *err)
{
    size_t bom_bytes;
    bool valid = false;
    *out = (struct sl_charset_page){ .source = SL_CHARSET_BY_BOM };
    out->charset = sl_charset_bom(page, &bom_bytes);
    if (bom_bytes) {
        page.p += bom_bytes;
        page.n -= bom_bytes;
    }
    if (out->charset == SL_CHARSET_NONE)
        out->charset = decide(d, page, http, &out->source, &valid);
    else if (out->charset == SL_CHARSET_UTF_8)
        valid = sl_utf8_valid(page.p, page.n);
    out->text = page;
    if (out->charset == SL_CHARSET_UTF_8 && valid)
        return SL_OK;
    sl_buf_reset(room);
    SL_TRY(sl_charset_decode(d, out->charset, page, room, &out->n_replaced, err));
    out->text = sl_buf_str(room);
    return SL_OK;
}
