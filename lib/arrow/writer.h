/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_WRITER_H
#define SL_ARROW_WRITER_H

/* Write a stream: schema, batches, trailer, end.
 *
 * What is written is decided by the calls alone: a message a call, no
 * buffering of rows (run/join.h joins small batches). Buffers are written from
 * where they lie, without copying.
 *
 * Errors    SL_E_SYSTEM from the sink; SL_E_DATA where a batch passes a limit;
 *           SL_E_BUG where a batch is of another schema or not canonical
 *           (checked in debug builds). Sticky.
 * Threads   one thread a writer. Blocks on output. */

#include "arrow/batch.h"
#include "base/hash.h"
#include "io/sink.h"

struct sl_writer;

struct sl_write_options {
    int zstd_level;     /* 0: not compressed; 1 to 19 */
    const bool *copied; /* per field: true where the digest will be given to
                           sl_writer_end; NULL: compute all. Copied at open. */
};

/* Write the schema message. schema (with its kind, lineage and tokenizer) and
 * sink are borrowed and must outlive the writer. */
SL_MUST_USE enum sl_status sl_writer_open(struct sl_writer **out, struct sl_sink *sink,
                                          const struct sl_schema *schema,
                                          const struct sl_write_options *options,
                                          struct sl_err *err);
void sl_writer_free(struct sl_writer *w);

/* Write one batch as one message; a batch of zero rows writes nothing. Its
 * columns must be in the order of the schema. */
SL_MUST_USE enum sl_status sl_writer_add(struct sl_writer *w, const struct sl_batch *b,
                                         struct sl_err *err);

/* Write trailer and end marker, and flush the sink (commit is the caller's).
 * lineage   JSON array of the stages, with tallies.
 * copied    per field: the digest where it was announced as copied; else ignored.
 *           May be NULL where nothing was. */
SL_MUST_USE enum sl_status sl_writer_end(struct sl_writer *w, struct sl_str lineage,
                                         const struct sl_hash128 *copied, struct sl_err *err);

/* Write a poison tail and flush: the stream failed between two messages. Also
 * possible right after open. */
SL_MUST_USE enum sl_status sl_writer_poison(struct sl_writer *w, struct sl_str tool,
                                            struct sl_str message, struct sl_err *err);

/* What has been written; the digests are final after sl_writer_end. */
struct sl_written {
    int64_t n_rows, n_batches;
    int64_t body_off;          /* file offset of the last batch's body */
    const int64_t *buffer_off; /* of the last batch's buffers in its body, pre-order */
    uint32_t n_buffers;
    struct sl_hash128 digest;
    const struct sl_hash128 *columns;
};
struct sl_written sl_writer_written(const struct sl_writer *w);

#endif
