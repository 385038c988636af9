/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_RUN_INPUTS_H
#define SL_RUN_INPUTS_H

/* The input streams of a run, one after another, as one.
 *
 * Every one is checked to its own trailer; all need equal kind, fields and
 * tokenizer. Their lineages are joined.
 *
 * Threads   one thread (the run's reader thread, then the main one). */

#include "arrow/digest.h"
#include "arrow/reader.h"
#include "run/lineage.h"

struct sl_inputs {
    const char *const *paths;
    int n_paths;
    int at; /* the input that is open, or next to open */
    struct sl_source *source;
    struct sl_reader *reader;
    struct sl_schema schema; /* of the first input */
    bool has_schema;
    struct sl_lineage lineage;
    struct sl_hash128 *digests; /* column digests of the only input, after its end */
    struct sl_hash128 seen;     /* of the digests of all inputs read to their end */
    struct sl_digest *check;    /* recomputed digests of the open input; NULL: not wanted */
    bool wants_check;
    bool *picks; /* of every field: is it read? NULL: all are */
    int64_t n_batches;
    int64_t bytes_before;        /* raw bytes of the inputs that are closed */
    struct sl_upstream upstream; /* after SL_E_UPSTREAM */
    bool upstream_near;          /* the tool that failed wrote this very input */
    struct sl_buf upstream_text;
};

/* The name of an input in messages. */
const char *sl_inputs_shown(const char *path);

/* Open the first input and read its schema. No paths: standard input. */
SL_MUST_USE enum sl_status sl_inputs_open(struct sl_inputs *in, const char *const *paths,
                                          int n_paths, bool wants_check, struct sl_err *err);

/* From here on read only these columns of uncompressed inputs (sl_reader_pick); before
 * the first batch. wanted is copied. */
SL_MUST_USE enum sl_status sl_inputs_pick(struct sl_inputs *in, const bool *wanted,
                                          struct sl_err *err);

/* Is every input a regular file, that can be read again and in parts? */
bool sl_inputs_are_files(const struct sl_inputs *in);

/* The next batch of all inputs; batch->seq counts through all of them. */
SL_MUST_USE enum sl_status sl_inputs_next(struct sl_inputs *in, struct sl_batch *batch,
                                          struct sl_err *err);

/* The stream first->paths[0] and this other one can be taken as one: equal kind,
 * fields and tokenizer. SL_E_DATA says what differs. */
SL_MUST_USE enum sl_status sl_inputs_check_joins(const struct sl_inputs *first,
                                                 const struct sl_schema *s, const char *path,
                                                 struct sl_err *err);

/* Make a batch one of the given schema, which has the same fields. */
void sl_inputs_rebind(struct sl_batch *batch, const struct sl_schema *schema);

/* Raw bytes read so far. */
int64_t sl_inputs_bytes(const struct sl_inputs *in);

void sl_inputs_close(struct sl_inputs *in);

#endif
