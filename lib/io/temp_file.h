/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_IO_TEMP_FILE_H
#define SL_IO_TEMP_FILE_H

/* Temporary files without a name: written from the start, then read, several ranges at
 * once where that is wanted; sl_temp_put uses a place again. The kernel frees them when the
 * process ends, however it ends.
 *
 * Errors    SL_E_SYSTEM with errno, naming the folder; that of a write is sticky.
 * Threads   one thread at a time writes; then any number may read. */

#include "io/sink.h"
#include "io/source.h"

struct sl_temp;

/* dir: the folder (--tmpdir). */
SL_MUST_USE enum sl_status sl_temp_new(struct sl_temp **out, const char *dir, struct sl_err *err);
void sl_temp_free(struct sl_temp *t); /* NULL allowed */

/* Write n bytes at the end. */
SL_MUST_USE enum sl_status sl_temp_append(struct sl_temp *t, const void *p, size_t n,
                                          struct sl_err *err);
/* Write n bytes at off, over what stands there or behind the end. */
SL_MUST_USE enum sl_status sl_temp_put(struct sl_temp *t, int64_t off, const void *p, size_t n,
                                       struct sl_err *err);
/* Read exactly n bytes at off; SL_E_DATA where the file has not so many. */
SL_MUST_USE enum sl_status sl_temp_read(struct sl_temp *t, int64_t off, void *p, size_t n,
                                        struct sl_err *err);

/* A sink that appends; flush or commit it before its bytes are read. The file
 * must outlive it. */
SL_MUST_USE enum sl_status sl_temp_sink(struct sl_temp *t, struct sl_sink **out,
                                        struct sl_err *err);
/* A source of the bytes [from, to), as they are. The file must outlive it. */
SL_MUST_USE enum sl_status sl_temp_source(struct sl_temp *t, int64_t from, int64_t to,
                                          struct sl_source **out, struct sl_err *err);

int64_t sl_temp_bytes(const struct sl_temp *t); /* written so far */

#endif
