/* SPDX-License-Identifier: Apache-2.0 */
/* The multi-byte encodings, through the C library's iconv.
 *
 * We cut the bytes into characters by the standard's own rules and give iconv
 * only runs of well-formed ones; ASCII is copied by ourselves. So what a bad
 * sequence swallows is decided here, as browsers do, and iconv's own idea of an
 * error matters only for a well-formed character that has no meaning. Bytes that
 * the standard maps and iconv refuses or maps otherwise (0x80 of GBK and Shift_JIS,
 * some punctuation of Big5) are singled out. iso-2022-jp is turned into the EUC form of its
 * characters first, since iconv's state machine cannot be resynchronised.
 *
 * Invariants. A character is given to iconv once, or twice where its run had an
 * error before it; so the time is linear. An iconv descriptor is reset before
 * each run and flushed after it (big5-hkscs holds a character back). */
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "web/charset_impl.h"

/* How the bytes at a position begin. */
struct cut {
    size_t n;    /* bytes consumed */
    bool good;   /* a well-formed character of more than one byte, or half-width kana */
    uint32_t cp; /* not 0: the code point, iconv is not asked */
};

static const struct cut REPLACE_ONE = { 1, false, 0 };

static bool between(uint8_t c, uint8_t low, uint8_t high)
{
    return c >= low && c <= high;
}

/* Bad trail byte: an ASCII byte is read again. */
static struct cut bad_trail(uint8_t trail)
{
    return (struct cut){ trail < 0x80 ? 1 : 2, false, 0 };
}

static struct cut cut_shift_jis(const uint8_t *p, size_t n)
{
    if (*p == 0x80)
        return (struct cut){ 1, true, 0x80 };
    if (between(*p, 0xA1, 0xDF))
        return (struct cut){ 1, true, 0xFF61u + *p - 0xA1 };
    if (n < 2 || !(between(*p, 0x81, 0x9F) || between(*p, 0xE0, 0xFC)))
        return REPLACE_ONE;
    if (between(p[1], 0x40, 0xFC) && p[1] != 0x7F)
        return (struct cut){ 2, true, 0 };
    return bad_trail(p[1]);
}

static struct cut cut_euc_kr(const uint8_t *p, size_t n)
{
    if (n < 2 || !between(*p, 0x81, 0xFE))
        return REPLACE_ONE;
    return between(p[1], 0x41, 0xFE) ? (struct cut){ 2, true, 0 } : bad_trail(p[1]);
}

/* Punctuation of leads 0xA1 to 0xA3 where big5-hkscs differs from the standard's
 * index or has nothing. Sorted by bytes. */
static const uint16_t big5_differs[][2] = {
    { 0xA145, 0x2027 }, { 0xA14E, 0xFE51 }, { 0xA15A, 0x2574 }, { 0xA1C2, 0x00AF },
    { 0xA1C3, 0xFFE3 }, { 0xA1C5, 0x02CD }, { 0xA1E3, 0xFF5E }, { 0xA1F2, 0x2295 },
    { 0xA1F3, 0x2299 }, { 0xA1FE, 0xFF0F }, { 0xA240, 0xFF3C }, { 0xA241, 0x2215 },
    { 0xA242, 0xFE68 }, { 0xA244, 0xFFE5 }, { 0xA246, 0xFFE0 }, { 0xA247, 0xFFE1 },
    { 0xA2CC, 0x5341 }, { 0xA2CE, 0x5345 }, { 0xA3E1, 0x20AC },
};

static uint32_t big5_by_hand(const uint8_t *p)
{
    uint16_t pair = (uint16_t)(p[0] << 8 | p[1]);
    for (size_t i = 0; i < sizeof big5_differs / sizeof *big5_differs; i++)
        if (big5_differs[i][0] == pair)
            return big5_differs[i][1];
    return 0;
}

static struct cut cut_big5(const uint8_t *p, size_t n)
{
    if (n < 2 || !between(*p, 0x81, 0xFE))
        return REPLACE_ONE;
    if (between(p[1], 0x40, 0x7E) || between(p[1], 0xA1, 0xFE))
        return (struct cut){ 2, true, between(*p, 0xA1, 0xA3) ? big5_by_hand(p) : 0 };
    return bad_trail(p[1]);
}

static struct cut cut_gb18030(const uint8_t *p, size_t n)
{
    if (*p == 0x80)
        return (struct cut){ 1, true, 0x20AC };
    if (n < 2 || *p == 0xFF)
        return REPLACE_ONE;
    if (between(p[1], 0x30, 0x39)) {
        if (n == 2 || (n == 3 && between(p[2], 0x81, 0xFE)))
            return (struct cut){ n, false, 0 }; /* the page's end cuts it */
        bool good = between(p[2], 0x81, 0xFE) && between(p[3], 0x30, 0x39);
        return good ? (struct cut){ 4, true, 0 } : REPLACE_ONE;
    }
    if (between(p[1], 0x40, 0xFE) && p[1] != 0x7F) /* 0xA3A0 is a wide space in old pages */
        return (struct cut){ 2, true, p[0] == 0xA3 && p[1] == 0xA0 ? 0x3000 : 0 };
    return bad_trail(p[1]);
}

static struct cut cut_euc_jp(const uint8_t *p, size_t n)
{
    if (n < 2 || !(*p == 0x8E || *p == 0x8F || between(*p, 0xA1, 0xFE)))
        return REPLACE_ONE;
    if (*p == 0x8E && between(p[1], 0xA1, 0xDF))
        return (struct cut){ 2, true, 0xFF61u + p[1] - 0xA1 };
    if (*p == 0x8E || !between(p[1], 0xA1, 0xFE))
        return bad_trail(p[1]);
    if (*p != 0x8F)
        return (struct cut){ 2, true, 0 };
    if (n < 3)
        return (struct cut){ 2, false, 0 };
    if (between(p[2], 0xA1, 0xFE))
        return (struct cut){ 3, true, 0 };
    return (struct cut){ p[2] < 0x80 ? 2 : 3, false, 0 };
}

/* One encoding: how it is cut and what iconv calls it. */
struct multi {
    struct cut (*cut)(const uint8_t *p, size_t n);
    const char *iconv_name;
};

static const struct multi *multi_of(enum sl_charset c)
{
    static const struct multi shift_jis = { cut_shift_jis, "CP932" };
    static const struct multi euc_kr = { cut_euc_kr, "CP949" };
    static const struct multi big5 = { cut_big5, "BIG5-HKSCS" };
    static const struct multi gb = { cut_gb18030, "GB18030" };
    static const struct multi euc_jp = { cut_euc_jp, "EUC-JP-MS" };
    switch (c) {
    case SL_CHARSET_SHIFT_JIS:
        return &shift_jis;
    case SL_CHARSET_EUC_KR:
        return &euc_kr;
    case SL_CHARSET_BIG5:
        return &big5;
    case SL_CHARSET_EUC_JP:
        return &euc_jp;
    default:
        return &gb;
    }
}

static enum sl_status open_iconv(struct sl_charset_decoder *d, enum sl_charset c, iconv_t *cd,
                                 struct sl_err *err)
{
    const char *name = multi_of(c)->iconv_name;
    if (d->iconv[c] == (void *)-1)
        d->iconv[c] = iconv_open("UTF-8", name);
    *cd = d->iconv[c];
    if (*cd == (iconv_t)-1)
        return sl_err_sys(err, errno, "cannot decode %s: iconv lacks it", name);
    return SL_OK;
}

void sl_charset_decoder_free(struct sl_charset_decoder *d)
{
    for (size_t i = 0; d && i < SL_CHARSET_N; i++)
        if (d->iconv[i] != (void *)-1)
            iconv_close(d->iconv[i]);
    if (d)
        sl_html_free(d->html);
    free(d);
}

static enum sl_status replace(struct sl_buf *out, uint64_t *n_replaced, struct sl_err *err)
{
    ++*n_replaced;
    return sl_buf_add(out, "\xEF\xBF\xBD", 3, err);
}

/* Convert well-formed characters. *bad is the position of one without a
 * meaning, end where all were converted. */
static enum sl_status convert_run(iconv_t cd, const uint8_t *p, const uint8_t *end,
                                  struct sl_buf *out, const uint8_t **bad, struct sl_err *err)
{
    /* Two bytes give at most two characters of three bytes. */
    SL_TRY(sl_buf_reserve(out, (size_t)(end - p) * 3 + 16, err));
    char *in = (char *)(uintptr_t)p, *to = (char *)out->p + out->n;
    size_t n_in = (size_t)(end - p), room = out->cap - out->n;
    iconv(cd, NULL, NULL, NULL, NULL);
    size_t done = iconv(cd, &in, &n_in, &to, &room);
    int failed = done == (size_t)-1 ? errno : 0;
    iconv(cd, NULL, NULL, &to, &room);
    out->n = (size_t)((uint8_t *)to - out->p);
    if (failed == E2BIG)
        return sl_err_set(err, SL_E_BUG, "iconv needs more than three bytes a byte");
    *bad = (const uint8_t *)in;
    return SL_OK;
}

/* A run of characters, all well formed by cut. */
static enum sl_status decode_run(iconv_t cd, const struct multi *m, struct sl_str run,
                                 struct sl_buf *out, uint64_t *n_replaced, struct sl_err *err)
{
    const uint8_t *p = (const uint8_t *)run.p, *end = p + run.n;
    while (p < end) {
        const uint8_t *bad;
        SL_TRY(convert_run(cd, p, end, out, &bad, err));
        p = bad;
        if (p >= end)
            break;
        struct cut c = m->cut(p, (size_t)(end - p));
        size_t n = c.n == 2 && p[1] < 0x80 ? 1 : c.n;
        SL_TRY(replace(out, n_replaced, err));
        /* The ASCII trail byte of a meaningless character stands for itself. */
        if (n < c.n)
            SL_TRY(sl_buf_add_byte(out, p[1], err));
        p += c.n;
    }
    return SL_OK;
}

/* Runs are cut so that the room reserved for one stays small. */
enum { RUN_MAX = 1 << 16 };

static enum sl_status decode_cut(iconv_t cd, const struct multi *m, struct sl_str bytes,
                                 struct sl_buf *out, uint64_t *n_replaced, struct sl_err *err)
{
    const uint8_t *p = (const uint8_t *)bytes.p, *end = p + bytes.n;
    while (p < end) {
        size_t ascii = sl_charset_ascii_run(p, end);
        SL_TRY(sl_buf_add(out, p, ascii, err));
        p += ascii;
        const uint8_t *from = p;
        struct cut c = { 0, true, 0 };
        while (p < end && *p >= 0x80 && p - from < RUN_MAX) {
            c = m->cut(p, (size_t)(end - p));
            if (!c.good || c.cp)
                break;
            p += c.n;
        }
        struct sl_str run = { (const char *)from, (size_t)(p - from) };
        SL_TRY(decode_run(cd, m, run, out, n_replaced, err));
        if (c.good && c.cp) {
            SL_TRY(sl_buf_reserve(out, 4, err));
            sl_charset_put(out, c.cp);
            p += c.n;
        } else if (!c.good) {
            SL_TRY(replace(out, n_replaced, err));
            p += c.n;
        }
    }
    return SL_OK;
}

/* iso-2022-jp: the character set in use. */
enum jis_set { JIS_ASCII, JIS_ROMAN, JIS_KANA, JIS_DOUBLE };

/* The escape sequence at p changes *set; false where it is none. */
static bool jis_escape(const uint8_t *p, const uint8_t *end, enum jis_set *set)
{
    if (end - p < 3)
        return false;
    if (p[1] == '(' && (p[2] == 'B' || p[2] == 'J' || p[2] == 'I')) {
        *set = p[2] == 'B' ? JIS_ASCII : p[2] == 'J' ? JIS_ROMAN : JIS_KANA;
        return true;
    }
    if (p[1] == '$' && (p[2] == '@' || p[2] == 'B')) {
        *set = JIS_DOUBLE;
        return true;
    }
    return false;
}

static uint32_t jis_single(enum jis_set set, uint8_t c)
{
    if (c >= 0x80 || c == 0x0E || c == 0x0F)
        return 0xFFFD;
    if (set == JIS_KANA)
        return between(c, 0x21, 0x5F) ? 0xFF61u + c - 0x21 : 0xFFFD;
    if (set == JIS_ROMAN && c == 0x5C)
        return 0xA5;
    return set == JIS_ROMAN && c == 0x7E ? 0x203E : c;
}

static enum sl_status decode_iso_2022_jp(iconv_t cd, struct sl_str bytes, struct sl_buf *out,
                                         uint64_t *n_replaced, struct sl_err *err)
{
    const uint8_t *p = (const uint8_t *)bytes.p, *end = p + bytes.n;
    enum jis_set set = JIS_ASCII;
    while (p < end) {
        uint8_t euc[2];
        size_t n = 1;
        if (*p == 0x1B && jis_escape(p, end, &set)) {
            p += 3;
            continue;
        }
        SL_TRY(sl_buf_reserve(out, 4, err));
        if (set == JIS_DOUBLE && *p != 0x1B) {
            bool good = end - p >= 2 && between(p[0], 0x21, 0x7E) && between(p[1], 0x21, 0x7E);
            const uint8_t *bad = NULL;
            if (good) {
                euc[0] = p[0] | 0x80;
                euc[1] = p[1] | 0x80;
                SL_TRY(convert_run(cd, euc, euc + 2, out, &bad, err));
            }
            if (!good || bad != euc + 2)
                SL_TRY(replace(out, n_replaced, err));
            n = good || (end - p >= 2 && between(p[0], 0x21, 0x7E) && p[1] != 0x1B) ? 2 : 1;
        } else {
            uint32_t cp = *p == 0x1B ? 0xFFFD : jis_single(set, *p);
            *n_replaced += cp == 0xFFFD;
            sl_charset_put(out, cp);
        }
        p += n;
    }
    return SL_OK;
}

enum sl_status sl_charset_decode_multi(struct sl_charset_decoder *d, enum sl_charset c,
                                       struct sl_str bytes, struct sl_buf *out,
                                       uint64_t *n_replaced, struct sl_err *err)
{
    iconv_t cd;
    bool seven_bit = c == SL_CHARSET_ISO_2022_JP;
    if (seven_bit)
        c = SL_CHARSET_EUC_JP;
    else if (c == SL_CHARSET_GBK)
        c = SL_CHARSET_GB18030;
    SL_TRY(open_iconv(d, c, &cd, err));
    if (seven_bit)
        return decode_iso_2022_jp(cd, bytes, out, n_replaced, err);
    return decode_cut(cd, multi_of(c), bytes, out, n_replaced, err);
}
