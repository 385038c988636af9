/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_ROW_BYTES_H
#define SL_ARROW_ROW_BYTES_H

/* Rows as strings of bytes, one a row, and back: for what must move single rows
 * about (sorting) without touching a place of every column for each of them.
 *
 * A form for memory and temporary files of one process, of no version. A row has
 * at least as many bytes as it adds to the size of a batch (docs/stream.md
 * section 3), so batches can be filled without measuring after every row.
 *
 * Batches must be canonical, as readers and builders hand them out.
 * Threads   pure, but for the rows that are built. */

#include "arrow/rows.h"

/* sizes[i] = bytes of row first + i, for n rows. */
void sl_row_bytes_sizes(const struct sl_batch *b, int64_t first, size_t n, uint64_t *sizes);

/* Write n rows, each to its place: to[i] has room for the row's bytes and is moved
 * behind them. */
void sl_row_bytes_write(const struct sl_batch *b, int64_t first, size_t n, uint8_t **to);

/* Add n rows to every column of r, which is of the schema of the batches. The caller
 * counts them (r->n stays).
 *
 * rows      used up: every string is empty afterwards.
 * Errors    SL_E_DATA where a string is too short, too long, or what is built
 *           becomes too large; SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_row_bytes_read(struct sl_rows *r, struct sl_str *rows, size_t n,
                                             struct sl_err *err);

#endif
