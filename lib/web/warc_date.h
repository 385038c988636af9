/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_WEB_WARC_DATE_H
#define SL_WEB_WARC_DATE_H

/* WARC-Date: ISO 8601 in UTC, as WARC 1.0 and 1.1 write it.
 *
 * Threads   pure functions.
 * Source    WARC 1.1 section 5.4 (W3C-DTF). */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Microseconds since 1970-01-01 UTC. Accepted: YYYY-MM-DDThh:mm:ss with up to
 * nine digits of a fraction, and YYYY-MM-DDThh:mm, YYYY-MM-DD, YYYY-MM, YYYY,
 * each of the first two ended by 'Z'. False for anything else. */
bool sl_warc_date(struct sl_str s, int64_t *us);

#endif
