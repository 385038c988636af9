/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_ROWS_PARTS_H
#define SL_ARROW_ROWS_PARTS_H

/* What rows.c and take.c share. Internal to lib/arrow. */

#include "arrow/rows.h"

/* Mark the next n rows valid (nothing to do while there is no bitmap). */
SL_MUST_USE enum sl_status sl_colbuf_valid(struct sl_colbuf *c, int64_t n, struct sl_err *err);

/* Make the bitmap for the rows so far. SL_E_BUG for a column without nulls. */
SL_MUST_USE enum sl_status sl_colbuf_need_validity(struct sl_colbuf *c, struct sl_err *err);

/* Append n equal offsets. SL_E_DATA where they do not fit. */
SL_MUST_USE enum sl_status sl_colbuf_end_rows(struct sl_colbuf *c, int64_t n, int64_t end,
                                              struct sl_err *err);

#endif
