/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_NOT_STREAM_H
#define SL_ARROW_NOT_STREAM_H

#include "base/str.h"

/* What the first bytes of an input that is no Arrow stream look like, and what
 * reads it, as one sentence for people. n may be 0. Pure. */
const char *sl_not_stream(struct sl_str first_bytes);

enum { SL_NOT_STREAM_BYTES = 64 }; /* as many are looked at */

#endif
