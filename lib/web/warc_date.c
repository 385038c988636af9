/* SPDX-License-Identifier: Apache-2.0 */
/* WARC-Date: the part of ISO 8601 that WARC allows, which is decided here; the
 * calendar is that of text/iso_date.h. */
#include "web/warc_date.h"

#include <string.h>

#include "text/iso_date.h"

enum { DATE_BYTES = 10, SECONDS_BYTES = 19, MOST_FRACTION = 9 };

/* A time stands behind 'T', ends with 'Z', and has at most so many digits behind
 * a '.'; a date alone has neither. */
static bool is_warc_form(struct sl_str s)
{
    if (s.n <= DATE_BYTES)
        return !memchr(s.p, 'Z', s.n) && !memchr(s.p, 'T', s.n);
    return s.p[DATE_BYTES] == 'T' && s.p[s.n - 1] == 'Z' && !memchr(s.p, ',', s.n) &&
           s.n <= SECONDS_BYTES + 1 + MOST_FRACTION + 1;
}

bool sl_warc_date(struct sl_str s, int64_t *us)
{
    struct sl_moment m;
    s = sl_str_trim(s);
    if (!s.n || !is_warc_form(s) || !sl_iso_date(s, &m))
        return false;
    *us = m.second * 1000000 + m.ns / 1000;
    return true;
}
