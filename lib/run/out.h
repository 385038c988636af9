/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_RUN_OUT_H
#define SL_RUN_OUT_H

/* One output stream of a run: sink, writer, and the rows that wait to be
 * joined into batches by the rule of docs/stream.md section 3.
 *
 * Threads   one thread at a time (the run's writer). */

#include "arrow/rows.h"
#include "arrow/writer.h"
#include "base/hash.h"

struct sl_out {
    struct sl_sink *sink;
    struct sl_writer *writer;
    const struct sl_schema *schema;
    struct sl_rows rows; /* waiting: joined small batches, or rows being made */
    struct sl_batch view;
    bool flush;    /* --flush: nothing waits */
    bool has_rows; /* rows was initialised */
};

/* Open the sink and write the schema. copied: see sl_write_options. */
SL_MUST_USE enum sl_status sl_out_open(struct sl_out *o, const char *path, bool force,
                                       const struct sl_schema *schema,
                                       const struct sl_write_options *options, struct sl_err *err);

/* The same on a sink that is open; it is taken, also on failure. */
SL_MUST_USE enum sl_status sl_out_open_sink(struct sl_out *o, struct sl_sink *sink,
                                            const struct sl_schema *schema,
                                            const struct sl_write_options *options,
                                            struct sl_err *err);

/* Pass a batch on: written as it is when it is large, joined when it is small. */
SL_MUST_USE enum sl_status sl_out_pass(struct sl_out *o, const struct sl_batch *b,
                                       struct sl_err *err);

/* A row of o->rows is complete: write a batch when it is full. */
SL_MUST_USE enum sl_status sl_out_row_done(struct sl_out *o, struct sl_err *err);
/* Rows were added to rows, the last of which may have filled the batch. */
SL_MUST_USE enum sl_status sl_out_rows_added(struct sl_out *o, struct sl_err *err);

/* Write what waits. */
SL_MUST_USE enum sl_status sl_out_cut(struct sl_out *o, struct sl_err *err);

/* Write what waits, then trailer and end. */
SL_MUST_USE enum sl_status sl_out_end(struct sl_out *o, struct sl_str lineage,
                                      const struct sl_hash128 *copied, struct sl_err *err);
SL_MUST_USE enum sl_status sl_out_commit(struct sl_out *o, struct sl_err *err);

/* Close; what was not committed disappears. Safe on a zeroed struct. */
void sl_out_close(struct sl_out *o);

#endif
