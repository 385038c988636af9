/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_MIX_FEED_H
#define SL_ORDER_MIX_FEED_H

/* The rows of many sources, one by one, as bytes (arrow/row_bytes.h): what a mix takes its
 * rows from.
 *
 * Each source has a slice of some rows as bytes, and the batch that it is cut from. Where the
 * batches of all sources do not fit into the memory, only the slices stay: the slices of a
 * batch go to a file, and one batch serves all sources.
 *
 * Repeats   the `copy` of a row in pass r (from 0) of its source is its own plus r times
 *           (the greatest - the least + 1) of the source's, so that no two rows of it get one
 *           key; its own is 0 where there is no such column. The column is the last one of
 *           the output where the input has none.
 * Memory    a slice of SLICE bytes or one row, and a batch, a source; see above.
 * Threads   one thread at a time. */

#include "arrow/row_bytes.h"
#include "io/temp_file.h"

enum sl_feed_weight { SL_FEED_ROWS, SL_FEED_TOKENS, SL_FEED_BYTES };

struct sl_feed_rules {
    size_t n;
    const struct sl_schema *in, *out; /* out: in, and `copy` behind it where it is counted */
    bool counts_copy;
    enum sl_feed_weight weight; /* of `tokens`, or the bytes of `text` */
    uint64_t mem_bytes;
    const char *tmpdir;
    void *ctx;
    /* The next batch of source i in this pass, of the schema in; SL_END. */
    enum sl_status (*next_batch)(void *ctx, size_t i, struct sl_batch *batch, struct sl_err *err);
};

struct sl_feed;

/* rules are copied. SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_feed_new(struct sl_feed **out, const struct sl_feed_rules *rules,
                                       struct sl_err *err);
void sl_feed_free(struct sl_feed *f); /* NULL allowed */

/* Whether a call of sl_feed_peek would load rows, and with that end the life of those taken
 * of this source. */
bool sl_feed_must_load(const struct sl_feed *f, size_t i);

/* Source i has a next row in this pass, and its weight; SL_END. */
SL_MUST_USE enum sl_status sl_feed_peek(struct sl_feed *f, size_t i, uint64_t *weight,
                                        struct sl_err *err);

/* Take the row that was peeked at. It is valid until rows of the source are loaded. */
struct sl_str sl_feed_take(struct sl_feed *f, size_t i);

/* The pass that source i is in, from 0. */
uint32_t sl_feed_pass(const struct sl_feed *f, size_t i);

/* After SL_END: begin the next pass. *stays: the source is one batch that is still there, which
 * is read again without next_batch; else that gives the next pass now. SL_E_DATA where `copy`
 * would not fit into 16 bits any more. */
SL_MUST_USE enum sl_status sl_feed_again(struct sl_feed *f, size_t i, bool *stays,
                                         struct sl_err *err);

/* The rows of source i that were not taken, to its end, if this is its first pass. The batch is
 * of the schema in, or has one more column behind it. */
SL_MUST_USE enum sl_status sl_feed_drain(struct sl_feed *f, size_t i,
                                         enum sl_status (*each)(void *ctx,
                                                                const struct sl_batch *batch,
                                                                int64_t row, struct sl_err *err),
                                         uint64_t *n_rows, struct sl_err *err);

#endif
