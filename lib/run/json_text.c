/* SPDX-License-Identifier: Apache-2.0 */
/* Values as JSON text. Strings are copied in runs between the characters that
 * need an escape. Floats are written with the fewest digits that read back
 * equal (9 and 17 at most). Timestamps are computed by hand: gmtime_r knows no
 * fractions and the C library's calendar differs at the edges. */
#include "run/json_text.h"

#include <stdio.h>
#include <stdlib.h>

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

static enum sl_status add_escape(struct sl_buf *out, unsigned char c, struct sl_err *err)
{
    static const char short_form[] = "btn\0fr"; /* of 8 to 13 */
    if (c == '"' || c == '\\') {
        SL_TRY(sl_buf_add_byte(out, '\\', err));
        return sl_buf_add_byte(out, c, err);
    }
    if (c >= 8 && c <= 13 && short_form[c - 8]) {
        SL_TRY(sl_buf_add_byte(out, '\\', err));
        return sl_buf_add_byte(out, (uint8_t)short_form[c - 8], err);
    }
    return sl_buf_addf(out, err, "\\u%04x", c);
}

enum sl_status sl_json_text_str(struct sl_buf *out, struct sl_str s, struct sl_err *err)
{
    SL_TRY(sl_buf_reserve(out, s.n + 2, err));
    SL_TRY(sl_buf_add_byte(out, '"', err));
    for (size_t from = 0; from < s.n;) {
        size_t to = from;
        while (to < s.n && !needs_escape((unsigned char)s.p[to]))
            to++;
        SL_TRY(sl_buf_add(out, s.p + from, to - from, err));
        if (to < s.n)
            SL_TRY(add_escape(out, (unsigned char)s.p[to++], err));
        from = to;
    }
    return sl_buf_add_byte(out, '"', err);
}

static enum sl_status add_hex(struct sl_buf *out, struct sl_str s, struct sl_err *err)
{
    static const char digits[] = "0123456789abcdef";
    SL_TRY(sl_buf_reserve(out, 2 * s.n + 2, err));
    SL_TRY(sl_buf_add_byte(out, '"', err));
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        out->p[out->n++] = (uint8_t)digits[c >> 4];
        out->p[out->n++] = (uint8_t)digits[c & 15];
    }
    return sl_buf_add_byte(out, '"', err);
}

static enum sl_status add_base64(struct sl_buf *out, struct sl_str s, struct sl_err *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    SL_TRY(sl_buf_reserve(out, s.n / 3 * 4 + 6, err));
    SL_TRY(sl_buf_add_byte(out, '"', err));
    const unsigned char *p = (const unsigned char *)s.p;
    for (size_t i = 0; i < s.n; i += 3) {
        size_t left = s.n - i;
        uint32_t v = (uint32_t)p[i] << 16;
        v |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        v |= left > 2 ? p[i + 2] : 0;
        out->p[out->n++] = (uint8_t)digits[v >> 18];
        out->p[out->n++] = (uint8_t)digits[v >> 12 & 63];
        out->p[out->n++] = left > 1 ? (uint8_t)digits[v >> 6 & 63] : '=';
        out->p[out->n++] = left > 2 ? (uint8_t)digits[v & 63] : '=';
    }
    return sl_buf_add_byte(out, '"', err);
}

static enum sl_status add_real(struct sl_buf *out, double v, bool is_float, struct sl_err *err)
{
    char text[40];
    for (int digits = is_float ? 6 : 15; digits <= (is_float ? 9 : 17); digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        bool same = is_float ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v;
        if (same)
            break;
    }
    /* Not in a stream of ours, but JSON has no word for them. */
    if (v != v || v - v != 0)
        return sl_buf_add_str(out, SL_STR("null"), err);
    return sl_buf_add_str(out, sl_str_of(text), err);
}

struct civil {
    int64_t year;
    int month, day;
};

/* Days since 1970-01-01 to a date of the proleptic Gregorian calendar: eras of
 * 400 years that begin on 1 March (Howard Hinnant, chrono-compatible date
 * algorithms, 2013). */
static struct civil civil_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    return (struct civil){ yoe + era * 400 + (month <= 2), month,
                           (int)(doy - (153 * mp + 2) / 5 + 1) };
}

static enum sl_status add_time(struct sl_buf *out, int64_t v, enum sl_time_unit unit, bool utc,
                               struct sl_err *err)
{
    static const int64_t per_second[] = { 1, 1000, 1000000, 1000000000 };
    static const int digits[] = { 0, 3, 6, 9 };
    int64_t per = per_second[unit];
    int64_t second = v / per - (v % per < 0);
    int64_t fraction = v - second * per;
    int64_t day = second / 86400 - (second % 86400 < 0);
    int64_t of_day = second - day * 86400;
    struct civil c = civil_of(day);
    SL_TRY(sl_buf_addf(out, err, "\"%04lld-%02d-%02dT%02d:%02d:%02d", (long long)c.year, c.month,
                       c.day, (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60)));
    if (fraction)
        SL_TRY(sl_buf_addf(out, err, ".%0*lld", digits[unit], (long long)fraction));
    return sl_buf_add_str(out, utc ? SL_STR("Z\"") : SL_STR("\""), err);
}

static enum sl_status add_list(struct sl_buf *out, const struct sl_column *c, int64_t from,
                               int64_t to, struct sl_err *err)
{
    SL_TRY(sl_buf_add_byte(out, '[', err));
    for (int64_t i = from; i < to; i++) {
        if (i > from)
            SL_TRY(sl_buf_add_byte(out, ',', err));
        SL_TRY(sl_json_text_value(out, &c->children[0], i, err));
    }
    return sl_buf_add_byte(out, ']', err);
}

static enum sl_status add_struct(struct sl_buf *out, const struct sl_column *c, int64_t row,
                                 struct sl_err *err)
{
    SL_TRY(sl_buf_add_byte(out, '{', err));
    for (uint32_t i = 0; i < c->field->n_children; i++) {
        if (i)
            SL_TRY(sl_buf_add_byte(out, ',', err));
        SL_TRY(sl_json_text_str(out, sl_str_of(c->children[i].field->name), err));
        SL_TRY(sl_buf_add_byte(out, ':', err));
        SL_TRY(sl_json_text_value(out, &c->children[i], row, err));
    }
    return sl_buf_add_byte(out, '}', err);
}

static enum sl_status add_int(struct sl_buf *out, const struct sl_column *c, int64_t row,
                              struct sl_err *err)
{
    int64_t v = sl_column_int(c, row);
    if (c->field->type == SL_T_UINT64)
        return sl_buf_addf(out, err, "%llu", (unsigned long long)v);
    return sl_buf_addf(out, err, "%lld", (long long)v);
}

enum sl_status sl_json_text_value(struct sl_buf *out, const struct sl_column *c, int64_t row,
                                  struct sl_err *err)
{
    const struct sl_field *f = c->field;
    if (sl_column_is_null(c, row))
        return sl_buf_add_str(out, SL_STR("null"), err);
    switch (f->type) {
    case SL_T_FLOAT32:
    case SL_T_FLOAT64:
        return add_real(out, sl_column_real(c, row), f->type == SL_T_FLOAT32, err);
    case SL_T_BOOL:
        return sl_buf_add_str(out, sl_column_bool(c, row) ? SL_STR("true") : SL_STR("false"), err);
    case SL_T_UTF8:
    case SL_T_LARGE_UTF8:
        return sl_json_text_str(out, sl_column_str(c, row), err);
    case SL_T_BINARY:
    case SL_T_LARGE_BINARY:
        return add_base64(out, sl_column_str(c, row), err);
    case SL_T_FIXED_BINARY:
        return add_hex(out, sl_column_str(c, row), err);
    case SL_T_TIMESTAMP:
        return add_time(out, sl_column_int(c, row), f->unit, f->zone != NULL, err);
    case SL_T_LIST:
    case SL_T_LARGE_LIST:
        return add_list(out, c, sl_column_start(c, row), sl_column_start(c, row + 1), err);
    case SL_T_FIXED_LIST:
        return add_list(out, c, row * f->size, (row + 1) * f->size, err);
    case SL_T_STRUCT:
        return add_struct(out, c, row, err);
    default:
        return add_int(out, c, row, err);
    }
}
