/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_BODY_READ_H
#define SL_ARROW_BODY_READ_H

/* From the body of a batch message to columns: places, unpacking, views.
 *
 * Errors    SL_E_DATA; SL_E_SYSTEM where memory is out.
 * Threads   one thread at a time.
 * Source    docs/stream.md section 3. */

#include "arrow/batch.h"
#include "arrow/message_read.h"
#include "arrow/zstd_buf.h"

/* How many nodes and buffers the batches of a schema have. */
void sl_schema_parts(const struct sl_schema *schema, uint32_t *n_nodes, uint32_t *n_spans);

/* How many nodes and buffers one field has; added to the numbers. */
void sl_field_parts(const struct sl_field *f, uint32_t *n_nodes, uint32_t *n_spans);

/* Does each buffer start at the next multiple of 64, and does the body, of so many bytes,
 * end there? */
SL_MUST_USE enum sl_status sl_body_spans(const struct sl_batch_parts *parts, size_t body_bytes,
                                         struct sl_err *err);

/* The same, and is the padding zero? */
SL_MUST_USE enum sl_status sl_body_places(const struct sl_batch_parts *parts, struct sl_str body,
                                          struct sl_err *err);

/* Unpack all buffers of a compressed body into out (empty before), each at a
 * multiple of 64, zeros between; the spans are then those of out. */
SL_MUST_USE enum sl_status sl_body_unpack(struct sl_batch_parts *parts, struct sl_str body,
                                          bool strict, struct sl_zunpack *z, struct sl_buf *out,
                                          struct sl_err *err);

/* Columns that point into b->body; the tree is in b's arena. b has its schema.
 *
 * strict    every buffer has exactly the size that its rows need; the columns
 *           are then fit for sl_batch_validate.
 * else      buffers may be larger or, at zero rows, missing; offsets and
 *           values may be at any address, data_bytes is what there is of a
 *           bytes type, n_nulls may be -1. Fit for sl_foreign_batch.
 * wanted    NULL, or of every field whether its buffers are there: the others get columns
 *           that have numbers of rows and nulls, and nothing else. */
SL_MUST_USE enum sl_status sl_body_columns(struct sl_batch *b, const struct sl_batch_parts *parts,
                                           bool strict, const bool *wanted, struct sl_err *err);

#endif
