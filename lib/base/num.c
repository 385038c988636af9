/* SPDX-License-Identifier: Apache-2.0 */
/* Strict parsing of numbers. Reals go through strtod, which rounds correctly,
 * with the C locale given by name, so that no setting of the process matters;
 * the grammar is checked first, since strtod takes blanks, hex, "inf" and
 * "nan" as well.
 *
 * Printing tries 1 digit, 2, ... 17, of which every double survives the last. An
 * algorithm for the shortest form (Ryu and others) is faster and long; the reals
 * that are printed here are few. */
#include "base/num.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool sl_parse_u64(struct sl_str s, uint64_t *out)
{
    uint64_t v = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]) || !sl_mul_ok(v, 10, &v) ||
            !sl_add_ok(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    *out = v;
    return true;
}

bool sl_parse_i64(struct sl_str s, int64_t *out)
{
    bool minus = s.n && s.p[0] == '-';
    struct sl_str digits = minus ? (struct sl_str){ s.p + 1, s.n - 1 } : s;
    uint64_t v;
    if (!sl_parse_u64(digits, &v) || v > (uint64_t)INT64_MAX + minus)
        return false;
    *out = minus ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

static unsigned unit_shift(char c)
{
    switch (c) {
    case 'K':
        return 10;
    case 'M':
        return 20;
    case 'G':
        return 30;
    case 'T':
        return 40;
    default:
        return 0;
    }
}

bool sl_parse_size(struct sl_str s, uint64_t *out)
{
    unsigned shift = s.n ? unit_shift(s.p[s.n - 1]) : 0;
    uint64_t v;
    if (shift)
        s.n--;
    return sl_parse_u64(s, &v) && sl_mul_ok(v, (uint64_t)1 << shift, out);
}

static const char *skip_digits(const char *p, size_t *count)
{
    const char *start = p;
    while (is_digit(*p))
        p++;
    *count += (size_t)(p - start);
    return p;
}

/* [-] digits [. digits] [e [+-] digits], with a digit before the exponent. */
static bool is_decimal(const char *p)
{
    size_t mantissa = 0, exponent = 0;
    p += *p == '-';
    p = skip_digits(p, &mantissa);
    if (*p == '.')
        p = skip_digits(p + 1, &mantissa);
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '-' || *p == '+';
        p = skip_digits(p, &exponent);
        if (!exponent)
            return false;
    }
    return mantissa && !*p;
}

bool sl_parse_f64(struct sl_str s, double *out)
{
    char text[1280]; /* the longest exact double has 1075 digits */
    if (s.n == 0 || s.n >= sizeof text)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    if (strlen(text) != s.n || !is_decimal(text))
        return false;
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c_locale)
        return false;
    double v = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    if (!__builtin_isfinite(v))
        return false;
    *out = v;
    return true;
}

/* A finite number as digits, the first not 0 but for zero itself, and the exponent
 * of ten of the first. The C library's digits are rounded correctly; its point may
 * be another character, and is passed over. */
struct decimal {
    bool minus;
    char digits[18];
    int n, exponent;
};

static void to_decimal(double v, int n, struct decimal *d)
{
    char text[48];
    snprintf(text, sizeof text, "%.*e", n - 1, v);
    const char *p = text, *e = strchr(text, 'e');
    *d = (struct decimal){ .minus = *p == '-', .exponent = atoi(e + 1) };
    for (; p < e && d->n < n; p++)
        if (is_digit(*p))
            d->digits[d->n++] = *p;
    while (d->n > 1 && d->digits[d->n - 1] == '0')
        d->n--;
}

static void print_decimal(const struct decimal *d, char out[SL_REAL_CHARS])
{
    char *p = out;
    bool plain = d->exponent >= -5 && d->exponent < 16;
    int point = plain ? d->exponent + 1 : 1; /* digits before it */
    if (d->minus)
        *p++ = '-';
    if (point <= 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = point; i < 0; i++)
            *p++ = '0';
    }
    for (int i = 0; i < d->n || (point > 0 && i < point); i++) {
        if (i && i == point)
            *p++ = '.';
        *p++ = i < d->n ? d->digits[i] : '0';
    }
    *p = 0;
    if (!plain)
        snprintf(p, 8, "e%d", d->exponent);
    else if (point >= d->n)
        memcpy(p, ".0", 3);
}

void sl_format_f64(double v, char out[SL_REAL_CHARS])
{
    for (int n = 1; n <= 17; n++) {
        struct decimal d;
        double back;
        to_decimal(v, n, &d);
        print_decimal(&d, out);
        if (sl_parse_f64(sl_str_of(out), &back) && back == v)
            return;
    }
}
