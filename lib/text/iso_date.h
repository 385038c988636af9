/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TEXT_ISO_DATE_H
#define SL_TEXT_ISO_DATE_H

/* Dates and times as data sets write them: ISO 8601's calendar form, RFC 3339
 * and what is near to it.
 *
 * Threads   pure functions.
 * Source    ISO 8601-1:2019 sections 5.2.2 and 5.4 (extended format), RFC 3339. */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct sl_moment {
    int64_t second; /* since 1970-01-01 UTC, of the years 0 to 9999 */
    int32_t ns;     /* 0 to 999,999,999 */
};

/* YYYY, YYYY-MM, YYYY-MM-DD, each as its first moment, or YYYY-MM-DD and 'T' or a
 * blank and hh:mm or hh:mm:ss, with up to 18 digits behind a '.' or ',' (those
 * behind the ninth are cut), then nothing (which means UTC), 'Z', or an offset
 * +hh:mm, +hhmm or +hh. Blanks around it are skipped. A second 60 is the first
 * of the next minute. False for anything else. */
bool sl_iso_date(struct sl_str s, struct sl_moment *out);

/* Seconds since 1970-01-01 UTC in decimal, as "1700000000" or "1700000000.25";
 * digits behind the ninth of the fraction are cut. False for another form, an
 * exponent among them, and outside the years 0 to 9999. */
bool sl_epoch_date(struct sl_str s, struct sl_moment *out);

#endif
