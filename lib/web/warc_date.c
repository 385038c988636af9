/* SPDX-License-Identifier: Apache-2.0 */
/* WARC-Date. Own arithmetic: timegm knows neither fractions nor strictness. */
#include "web/warc_date.h"

/* Days from 1970-01-01 to a date of the Gregorian calendar, counted in years
 * that begin in March (Howard Hinnant, chrono-compatible date algorithms). */
static int64_t days_to(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
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
    if (s->n < n)
        return false;
    *v = 0;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        *v = *v * 10 + (s->p[i] - '0');
    }
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

/* ".123" to microseconds; digits behind the sixth are cut. */
static bool take_fraction(struct sl_str *s, int64_t *us)
{
    int64_t scale = 100000;
    int n = 0;
    *us = 0;
    if (!take_char(s, '.'))
        return true;
    for (int64_t digit; take_number(s, 1, &digit); n++) {
        *us += digit * scale;
        scale /= 10;
    }
    return n > 0 && n <= 9;
}

struct moment {
    int64_t year, month, day, hour, minute, second, us;
};

/* The time of day behind 'T', with the final 'Z'. */
static bool take_time(struct sl_str *s, struct moment *m)
{
    if (!take_number(s, 2, &m->hour) || !take_char(s, ':') || !take_number(s, 2, &m->minute))
        return false;
    if (take_char(s, ':') && !(take_number(s, 2, &m->second) && take_fraction(s, &m->us)))
        return false;
    return take_char(s, 'Z');
}

static bool take_all(struct sl_str *s, struct moment *m)
{
    if (!take_number(s, 4, &m->year))
        return false;
    if (take_char(s, '-') && !take_number(s, 2, &m->month))
        return false;
    if (take_char(s, '-') && !take_number(s, 2, &m->day))
        return false;
    if (take_char(s, 'T') && !take_time(s, m))
        return false;
    return s->n == 0;
}

bool sl_warc_date(struct sl_str s, int64_t *us)
{
    struct moment m = { .month = 1, .day = 1 };
    s = sl_str_trim(s);
    if (!take_all(&s, &m) || m.month < 1 || m.month > 12 || m.day < 1 ||
        m.day > days_in(m.year, m.month))
        return false;
    /* 60 is a leap second: it counts as the first of the next minute. */
    if (m.hour > 23 || m.minute > 59 || m.second > 60)
        return false;
    int64_t day = days_to(m.year, m.month, m.day);
    *us = (((day * 24 + m.hour) * 60 + m.minute) * 60 + m.second) * 1000000 + m.us;
    return true;
}
