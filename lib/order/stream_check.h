/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_STREAM_CHECK_H
#define SL_ORDER_STREAM_CHECK_H

/* Read a stream, or a folder of shards, to the end and believe nothing: hashes,
 * the canonical form and the trailer by the strict reader; all digests and
 * counts computed again and compared. What is left to check is the lineage.
 *
 * Errors    SL_E_DATA with what is wrong where (file, batch, byte), also where
 *           the stream ends in another tool's error; SL_E_SYSTEM.
 * Memory    one batch; of a folder its manifest.
 * Threads   one thread a call. Blocks on input.
 * Source    docs/stream.md, docs/shards.md. */

#include "arrow/batch.h"
#include "base/hash.h"

/* What was read. */
struct sl_facts {
    int64_t n_rows, n_batches;
    int64_t n_shards;      /* -1: a stream */
    struct sl_hash128 ids; /* sum of the ids modulo 2^128; 0 without ids */
    struct sl_hash128 digest;
    struct sl_hash128 *columns; /* computed; of the schema's fields */
    struct sl_schema schema;    /* no fields where a folder has no shard */
    char *lineage;              /* JSON array with tallies */
    char **names;               /* of the columns; for a folder from its manifest */
    uint32_t n_columns;
    const char *form; /* static, of an export, whose only column is "tokens"; else NULL */
};

void sl_facts_init(struct sl_facts *f);
void sl_facts_release(struct sl_facts *f);

/* Called for every batch, after the reader's own checks. */
struct sl_each_batch {
    enum sl_status (*call)(void *ctx, const struct sl_batch *b, struct sl_err *err);
    void *ctx;
};

/* A stream: a path, or "-"; .gz and .zst are unpacked. each may be NULL. facts
 * was initialised. */
SL_MUST_USE enum sl_status sl_stream_check(const char *path, const struct sl_each_batch *each,
                                           struct sl_facts *facts, struct sl_err *err);

/* A folder of shards: the manifest and every shard by it. */
SL_MUST_USE enum sl_status sl_shards_check(const char *dir, struct sl_facts *facts,
                                           struct sl_err *err);

/* Make facts, which were initialised, those of one column. */
SL_MUST_USE enum sl_status sl_facts_one_column(struct sl_facts *f, const char *name,
                                               struct sl_hash128 digest, struct sl_err *err);

/* Which of two differs, "column 'tokens' differs"; "" where they are equal. Where
 * one is an export, its one column is compared. */
void sl_facts_difference(const struct sl_facts *a, const struct sl_facts *b, char out[512]);

#endif
