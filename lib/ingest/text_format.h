/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_INGEST_TEXT_FORMAT_H
#define SL_INGEST_TEXT_FORMAT_H

/* What an input is, by its first bytes: lines of JSON, text, or a format that is
 * not read.
 *
 * Threads   a pure function. */

#include "base/str.h"

enum sl_text_format { SL_FORMAT_JSONL, SL_FORMAT_TEXT, SL_FORMAT_REFUSED };

enum { SL_FORMAT_BYTES = 4096 }; /* as many bytes are looked at */

/* first: decompressed, behind a byte order mark. says (of REFUSED alone): what it
 * is, one sentence. Nothing but blanks is JSON lines without a line. */
enum sl_text_format sl_text_format(struct sl_str first, const char **says);

#endif
