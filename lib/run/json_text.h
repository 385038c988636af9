/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_RUN_JSON_TEXT_H
#define SL_RUN_JSON_TEXT_H

/* Values of columns as JSON text, appended to a buffer.
 *
 * Errors    SL_E_DATA where the buffer's maximum would be passed, SL_E_SYSTEM
 *           where memory is out.
 * Threads   pure functions. */

#include "arrow/batch.h"

/* A JSON string with its quotes: ", \, and control characters are escaped, all
 * else stands as it is. s must be valid UTF-8. */
SL_MUST_USE enum sl_status sl_json_text_str(struct sl_buf *out, struct sl_str s,
                                            struct sl_err *err);

/* The value of a row: see sluice-export --help for the forms. */
SL_MUST_USE enum sl_status sl_json_text_value(struct sl_buf *out, const struct sl_column *c,
                                              int64_t row, struct sl_err *err);

#endif
