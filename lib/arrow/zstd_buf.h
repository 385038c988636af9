/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_ZSTD_BUF_H
#define SL_ARROW_ZSTD_BUF_H

/* Compressed buffers of a message body: an int64 with the length of what is
 * inside, then one zstd frame.
 *
 * Errors    SL_E_SYSTEM where memory is out.
 * Threads   an object belongs to one thread.
 * Source    docs/stream.md section 3. */

#include "base/buf.h"

struct sl_zpack;
struct sl_zpack *sl_zpack_new(int level); /* 1 to 19; NULL: out of memory */
void sl_zpack_free(struct sl_zpack *z);   /* NULL allowed */

/* Append the packed form of n bytes (n > 0) to out. SL_E_DATA where out->max is passed. */
SL_MUST_USE enum sl_status sl_zstd_pack(struct sl_zpack *z, const void *p, size_t n,
                                        struct sl_buf *out, struct sl_err *err);

struct sl_zunpack;
struct sl_zunpack *sl_zunpack_new(void);    /* NULL: out of memory */
void sl_zunpack_free(struct sl_zunpack *z); /* NULL allowed */

/* Append what one packed buffer holds to out.
 *
 * in       all of the buffer: length, frame; after the length -1 the bytes as
 *          they are.
 * Returns  SL_E_DATA where the buffer is shorter than its length, the frame is
 *          damaged or cut, bytes follow it, it holds another number of bytes
 *          than was said, or out->max would be passed (nothing is reserved
 *          before that was checked). out is then as before. */
SL_MUST_USE enum sl_status sl_zstd_unpack(struct sl_zunpack *z, struct sl_str in,
                                          struct sl_buf *out, struct sl_err *err);

#endif
