/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_SHARD_LAYOUT_H
#define SL_ORDER_SHARD_LAYOUT_H

/* Where the buffers of a batch lie in its file, and what they are called.
 *
 * Order     that of the stream: pre-order of all fields; of each validity,
 *           offsets, values, where its type has them.
 * Names     the path of the field with dots, then the buffer's: "id.values",
 *           "doc_ids.offsets", "tokens.item.values".
 * Threads   pure functions.
 * Source    docs/stream.md section 3. */

#include "arrow/batch.h"

/* Number of buffers of a batch of this schema. */
uint32_t sl_layout_count(const struct sl_schema *s);

/* The names, in an array of the arena. SL_E_SYSTEM: memory is out. */
SL_MUST_USE enum sl_status sl_layout_names(const struct sl_schema *s, struct sl_arena *arena,
                                           const char *const **names, uint32_t *n_names,
                                           struct sl_err *err);

/* File offsets of all buffers of a batch whose uncompressed body begins at
 * body_off; -1 for an empty buffer. out has room for sl_layout_count.
 * Returns the bytes of the body. */
int64_t sl_layout_offsets(const struct sl_batch *b, int64_t body_off, int64_t *out);

#endif
