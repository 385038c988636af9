/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_SPILL_H
#define SL_ORDER_SPILL_H

/* Blocks of bytes in a temporary file: compressed where that saves a third, with a
 * hash that is checked when they are read.
 *
 * Ownership  files are the caller's. A packer may serve any number of files, one
 *            after another; it keeps no bytes between calls.
 * Errors     SL_E_SYSTEM from the file; SL_E_DATA where what is read is not what
 *            was written.
 * Threads    one thread a packer. */

#include "io/temp_file.h"

struct sl_spill;

/* zstd_level  0: never compressed. */
SL_MUST_USE enum sl_status sl_spill_new(struct sl_spill **out, int zstd_level, struct sl_err *err);
void sl_spill_free(struct sl_spill *s); /* NULL allowed */

/* Append one block of n bytes, 0 < n < 2^31. */
SL_MUST_USE enum sl_status sl_spill_write(struct sl_spill *s, struct sl_temp *file, const void *p,
                                          size_t n, struct sl_err *err);

/* Read the block at *off, which becomes the place behind it.
 *
 * out       reset; its maximum bounds the block (SL_E_DATA). */
SL_MUST_USE enum sl_status sl_spill_read(struct sl_spill *s, struct sl_temp *file, int64_t *off,
                                         struct sl_buf *out, struct sl_err *err);

#endif
