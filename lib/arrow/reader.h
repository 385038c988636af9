/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_READER_H
#define SL_ARROW_READER_H

/* Read a stream.
 *
 * SL_READ_STRICT accepts the profile of docs/stream.md and nothing else, and
 * checks every message hash, every offset column and all UTF-8 before a batch
 * is handed out. SL_READ_FOREIGN accepts Arrow streams of others within the
 * profile's types (no hashes, trailer or end needed; any 8-byte alignment,
 * 64-bit or no offsets at zero rows, non-zero first offsets, values under
 * nulls, zstd bodies) and hands out canonical batches.
 *
 * Errors    SL_E_DATA with stream name, byte offset of the message and its
 *           number (the schema is record 0); SL_E_SYSTEM; SL_E_UPSTREAM where
 *           the stream ends in sl:error (sl_reader_upstream has it). After an
 *           error the reader is dead and returns it again.
 * Memory    one message; see SL_MAX_*.
 * Threads   one thread a reader; batches may be used by others. Blocks on input. */

#include "arrow/batch.h"
#include "base/hash.h"
#include "io/source.h"

enum sl_read_mode { SL_READ_STRICT, SL_READ_FOREIGN };

struct sl_reader;

/* Read the schema message. The source is borrowed and must outlive the reader.
 * An empty input is SL_E_DATA ("empty input: no stream"). */
SL_MUST_USE enum sl_status sl_reader_open(struct sl_reader **out, struct sl_source *src,
                                          enum sl_read_mode mode, struct sl_err *err);
void sl_reader_free(struct sl_reader *r);

/* Valid for the reader's life. Batches point to it. */
const struct sl_schema *sl_reader_schema(const struct sl_reader *r);

/* Read the next batch.
 *
 * batch    reused: its old contents die, its memory is kept.
 * Returns  SL_OK; SL_END once after trailer and end were read and agreed with
 *          what was read (and again at every later call). */
SL_MUST_USE enum sl_status sl_reader_next(struct sl_reader *r, struct sl_batch *batch,
                                          struct sl_err *err);

/* From the next batch on read of uncompressed bodies only some columns, which must be
 * done before the first one of a strict reader. What is not read is not checked: neither
 * the hashes of these messages nor padding; places, sizes, and the columns themselves are.
 *
 * wanted   one a field of the schema; copied. Other columns have numbers of rows and
 *          nulls, and neither validity nor values. */
SL_MUST_USE enum sl_status sl_reader_pick(struct sl_reader *r, const bool *wanted,
                                          struct sl_err *err);

/* What the trailer says; valid after SL_END of a strict reader. */
struct sl_trailer {
    int64_t n_rows, n_batches;
    struct sl_hash128 digest;
    struct sl_hash128 *columns; /* one a field of the schema */
    struct sl_str lineage;      /* JSON array, with tallies */
};
const struct sl_trailer *sl_reader_trailer(const struct sl_reader *r);

/* After SL_E_UPSTREAM: who failed, and how. Valid for the reader's life. */
struct sl_upstream {
    struct sl_str tool, message;
};
struct sl_upstream sl_reader_upstream(const struct sl_reader *r);

#endif
