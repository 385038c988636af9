/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_REPORT_WALK_H
#define SL_REPORT_WALK_H

/* Read what a report is made of: streams, folders of shards, manifests and the
 * JSON that --report writes; told apart by their first bytes.
 *
 * A stream is read to its end by the strict reader, so that what is drawn comes
 * from a whole one. Of a folder the manifest is read; the shards only where their
 * rows are asked for.
 *
 * Errors    SL_E_DATA with what is wrong where; SL_E_SYSTEM.
 * Memory    one batch; of a folder its manifest.
 * Threads   one thread a call. Blocks on input. */

#include "arrow/batch.h"
#include "base/json.h"
#include "order/stream_check.h"

enum sl_walked_type { SL_WALKED_STREAM, SL_WALKED_SHARDS, SL_WALKED_REPORT };

struct sl_walked {
    enum sl_walked_type type;
    char kind[32]; /* of the stream; "sequences" of shards */
    int64_t rows;
    int64_t n_shards, length; /* of shards: sequences of length tokens */
    int64_t tokens, targets;  /* of shards, as the manifest has them */
    bool rejects;             /* a stream of rows that a tool rejected */
    struct sl_json *json;     /* the lineage with tallies; of a report all of it */
};

/* What is read of an input. */
enum sl_walk_mode {
    SL_WALK_FACTS, /* what it says of itself; each is called for streams alone */
    SL_WALK_ROWS   /* the rows: of shards too, and JSON is an error */
};

/* Read path ("-": standard input). each may be NULL; it is called for every batch.
 * w is filled by the call and needs a release in any case. */
SL_MUST_USE enum sl_status sl_walk(const char *path, enum sl_walk_mode mode,
                                   const struct sl_each_batch *each, struct sl_walked *w,
                                   struct sl_err *err);
void sl_walked_release(struct sl_walked *w);

#endif
