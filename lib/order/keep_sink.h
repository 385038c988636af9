/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_KEEP_SINK_H
#define SL_ORDER_KEEP_SINK_H

/* Write a file that may be there already, with the same bytes.
 *
 * While what is written equals the file that is there, nothing is written. At
 * the first difference a new file is begun with what was equal so far, and
 * replaces the old one at commit; until then the old one stays as it is.
 *
 * Errors    SL_E_SYSTEM, as of io/sink.h.
 * Threads   one thread at a time. */

#include "io/sink.h"

struct sl_keep;

SL_MUST_USE enum sl_status sl_keep_open(struct sl_keep **out, const char *path, struct sl_err *err);
/* Where to write; sl_sink_commit is not for the caller. */
struct sl_sink *sl_keep_sink(struct sl_keep *k);
/* Overwrite n bytes at off of what was written; the old file is not kept then. */
SL_MUST_USE enum sl_status sl_keep_patch(struct sl_keep *k, int64_t off, const void *p, size_t n,
                                         struct sl_err *err);
/* The file has these bytes and this name now. kept: it had them before. */
SL_MUST_USE enum sl_status sl_keep_commit(struct sl_keep *k, bool *kept, struct sl_err *err);
void sl_keep_free(struct sl_keep *k); /* NULL allowed */

#endif
