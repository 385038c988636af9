/* SPDX-License-Identifier: Apache-2.0 */
/* Dates. Own arithmetic: strptime knows no fractions, timegm follows the C
 * library's calendar and neither is strict. Days are counted in years that begin
 * in March (Howard Hinnant, chrono-compatible date algorithms, 2013). */
#include "text/iso_date.h"

#include "base/num.h"

#define SECOND_MIN (-62167219200) /* 0000-01-01 */
#define SECOND_MAX 253402300799   /* 9999-12-31T23:59:59 */

static int64_t days_to(int64_t year, int64_t month, int64_t day)
{
    year += 400 - (month <= 2); /* 400 years are 146,097 days: no negative numbers below */
    int64_t era = year / 400;
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468 - 146097;
}

static int64_t days_in(int64_t year, int64_t month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Exactly n digits at the front of s, cut off. */
static bool take_number(struct sl_str *s, size_t n, int64_t *v)
{
    uint64_t got;
    if (s->n < n || !sl_parse_u64((struct sl_str){ s->p, n }, &got))
        return false;
    *v = (int64_t)got;
    s->p += n;
    s->n -= n;
    return true;
}

static bool take_char(struct sl_str *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

/* Digits of a fraction, at least one and at most 18. */
static bool take_fraction(struct sl_str *s, int32_t *ns)
{
    int32_t scale = 100000000;
    int n = 0;
    *ns = 0;
    for (int64_t digit; take_number(s, 1, &digit); n++) {
        *ns += (int32_t)digit * scale;
        scale /= 10;
    }
    return n > 0 && n <= 18;
}

struct parts {
    int64_t year, month, day, hour, minute, second, zone; /* zone: seconds east */
    int32_t ns;
};

static bool take_zone(struct sl_str *s, struct parts *m)
{
    int64_t hours, minutes = 0;
    if (!s->n || take_char(s, 'Z'))
        return true;
    bool east = take_char(s, '+');
    if ((!east && !take_char(s, '-')) || !take_number(s, 2, &hours))
        return false;
    bool colon = take_char(s, ':');
    if ((colon || s->n) && !take_number(s, 2, &minutes))
        return false;
    m->zone = (hours * 60 + minutes) * (east ? 60 : -60);
    return hours < 24 && minutes < 60;
}

static bool take_time(struct sl_str *s, struct parts *m)
{
    if (!take_number(s, 2, &m->hour) || !take_char(s, ':') || !take_number(s, 2, &m->minute))
        return false;
    if (take_char(s, ':')) {
        if (!take_number(s, 2, &m->second))
            return false;
        if ((take_char(s, '.') || take_char(s, ',')) && !take_fraction(s, &m->ns))
            return false;
    }
    return m->hour < 24 && m->minute < 60 && m->second <= 60 && take_zone(s, m);
}

static bool take_all(struct sl_str *s, struct parts *m)
{
    bool day = false;
    if (!take_number(s, 4, &m->year))
        return false;
    if (take_char(s, '-')) {
        if (!take_number(s, 2, &m->month))
            return false;
        day = take_char(s, '-');
        if (day && !take_number(s, 2, &m->day))
            return false;
    }
    if (day && (take_char(s, 'T') || take_char(s, ' ')) && !take_time(s, m))
        return false;
    return s->n == 0;
}

static bool in_range(int64_t second)
{
    return second >= SECOND_MIN && second <= SECOND_MAX;
}

bool sl_iso_date(struct sl_str s, struct sl_moment *out)
{
    struct parts m = { .month = 1, .day = 1 };
    s = sl_str_trim(s);
    if (!take_all(&s, &m) || m.month < 1 || m.month > 12 || m.day < 1 ||
        m.day > days_in(m.year, m.month))
        return false;
    int64_t day = days_to(m.year, m.month, m.day);
    out->second = ((day * 24 + m.hour) * 60 + m.minute) * 60 + m.second - m.zone;
    out->ns = m.ns;
    return in_range(out->second);
}

bool sl_epoch_date(struct sl_str s, struct sl_moment *out)
{
    bool minus = take_char(&s, '-');
    size_t point = sl_str_find(s, 0, '.');
    struct sl_str fraction = { s.p + point, s.n - point };
    int64_t second;
    int32_t ns = 0;
    if (!sl_parse_i64((struct sl_str){ s.p, point }, &second) || second < 0)
        return false;
    if (fraction.n) {
        take_char(&fraction, '.');
        for (; fraction.n > 18; fraction.n--)
            if (fraction.p[fraction.n - 1] < '0' || fraction.p[fraction.n - 1] > '9')
                return false;
        if (!take_fraction(&fraction, &ns) || fraction.n)
            return false;
    }
    if (minus)
        second = -second - (ns > 0);
    out->second = second;
    out->ns = minus && ns ? 1000000000 - ns : ns;
    return in_range(second);
}
