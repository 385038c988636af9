/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_MANIFEST_H
#define SL_ORDER_MANIFEST_H

/* manifest.json: what a folder of shards holds, and where each buffer lies.
 *
 * Reading   every value is checked: types, ranges, sums (rows of batches, of
 *           shards), file names, places of buffers inside their files. What
 *           comes out of sl_manifest_parse can be used without further checks;
 *           whether the files are so is sl_shards_check's business. Keys that
 *           are not known are ignored.
 * Memory    8 bytes a buffer of a batch; while reading, that of the JSON tree.
 * Ownership everything that a manifest points to is its own.
 * Threads   one thread at a time; const after it was built or read.
 * Source    schemas/manifest.schema.json, docs/shards.md. */

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "io/sink.h"

struct sl_manifest_column {
    const char *name;
    struct sl_hash128 digest; /* over the rows of all shards */
};

struct sl_manifest_shard {
    int64_t sequences, bytes;
    struct sl_hash128 digest; /* stream digest of the shard alone */
    struct sl_buf batches;    /* records: see sl_manifest_batch */
};

struct sl_manifest {
    int64_t sequences;
    int64_t length;    /* tokens of a row */
    const char *dtype; /* "uint16" or "uint32" */
    int64_t per_shard; /* sequences of every shard but the last */
    int64_t tokens, targets;
    const char *tokenizer; /* JSON object; NULL where none was given */
    struct sl_hash128 digest;
    uint32_t n_columns, n_buffers;
    struct sl_manifest_column *columns;
    const char *const *buffers; /* names, shard_layout.h */
    int64_t n_shards;
    struct sl_buf shards; /* of struct sl_manifest_shard */
    const char *lineage;  /* JSON array with tallies */
    struct sl_arena arena;
};

/* The numbers of one batch. */
struct sl_manifest_batch {
    int64_t rows;
    int64_t tokens_off;         /* file offset of the values of "tokens" */
    const int64_t *buffer_offs; /* n_buffers file offsets; -1: empty */
};

void sl_manifest_init(struct sl_manifest *m);
void sl_manifest_release(struct sl_manifest *m);

struct sl_manifest_shard *sl_manifest_shard(const struct sl_manifest *m, int64_t k);
int64_t sl_manifest_n_batches(const struct sl_manifest *m, int64_t shard);
struct sl_manifest_batch sl_manifest_batch(const struct sl_manifest *m, int64_t shard,
                                           int64_t batch);

/* Add an empty shard at the end; add a batch to the last shard (sequences are
 * counted up). buffers, n_buffers must be set. */
SL_MUST_USE enum sl_status sl_manifest_add_shard(struct sl_manifest *m, struct sl_err *err);
SL_MUST_USE enum sl_status sl_manifest_add_batch(struct sl_manifest *m, int64_t rows,
                                                 const int64_t *buffer_offs, struct sl_err *err);

/* Index of the buffer "tokens.item.values", -1 where there is none. */
int sl_manifest_tokens_buffer(const struct sl_manifest *m);

/* Write it as JSON: keys in the documented order, two blanks of indentation, a
 * batch a line. The same bytes for the same manifest. */
SL_MUST_USE enum sl_status sl_manifest_write(const struct sl_manifest *m, struct sl_sink *to,
                                             struct sl_err *err);

/* Parse a manifest; m is initialised by the call and needs a release in any
 * case. SL_E_DATA names what is wrong with which key. */
SL_MUST_USE enum sl_status sl_manifest_parse(struct sl_manifest *m, struct sl_str text,
                                             struct sl_err *err);

/* Read a file of at most 4 GiB. */
SL_MUST_USE enum sl_status sl_manifest_read(struct sl_manifest *m, const char *path,
                                            struct sl_err *err);

#endif
