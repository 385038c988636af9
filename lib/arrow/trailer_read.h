/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_TRAILER_READ_H
#define SL_ARROW_TRAILER_READ_H

/* The JSON of the last message: sl:trailer and sl:error.
 *
 * Errors    SL_E_DATA where a key is missing, of another kind, or at another
 *           place than docs/stream.md section 5 says; SL_E_SYSTEM.
 * Threads   pure. */

#include "arrow/reader.h"

/* The text without what only the reader can compare. columns (one a field) is
 * filled; lineage points into text. The column names are the schema's, and the
 * stream digest is that of the column digests. */
SL_MUST_USE enum sl_status sl_trailer_parse(struct sl_str text, const struct sl_schema *schema,
                                            struct sl_trailer *out, uint64_t *schema_hash,
                                            struct sl_err *err);

/* tool and message, appended to out one after another; *tool_bytes says where
 * the first one ends. */
SL_MUST_USE enum sl_status sl_upstream_parse(struct sl_str text, struct sl_buf *out,
                                             size_t *tool_bytes, struct sl_err *err);

#endif
