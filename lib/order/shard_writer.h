/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_SHARD_WRITER_H
#define SL_ORDER_SHARD_WRITER_H

/* Write a stream of sequences as a folder of shards with a manifest.
 *
 * Bytes     a function of the rows, the schema and the number of sequences a
 *           shard alone: neither the batches of the input nor what stood in the
 *           folder before change them.
 * Order     manifest removed, .begun.json, shards in order, higher shards of an
 *           earlier run removed, manifest.json, .begun.json removed. A run that
 *           is killed anywhere leaves a folder without manifest, or a whole one.
 * Restart   with an equal .begun.json; a shard that has the right bytes is kept
 *           as it is, any other is replaced.
 * Errors    SL_E_USAGE where the folder holds something else and force is not
 *           set; SL_E_DATA for rows that cannot be sharded; SL_E_SYSTEM.
 *           After an error only sl_shard_writer_free may follow.
 * Threads   one thread a writer. Blocks on the file system.
 * Source    docs/shards.md. */

#include "arrow/batch.h"
#include "order/manifest.h"

struct sl_shard_writer;

/* Everything is borrowed for the call alone.
 *
 * schema     of the sequences; its lineage is left out of the shards.
 * begun      the text of .begun.json: what the shards are made from.
 * force      replace what the folder holds. */
struct sl_shard_options {
    const char *dir;
    int64_t per_shard; /* sequences, at least 1 */
    bool force;
    const struct sl_schema *schema;
    struct sl_str begun;
};

/* Check the folder (making it where it is absent) and begin. */
SL_MUST_USE enum sl_status sl_shard_writer_new(struct sl_shard_writer **out,
                                               const struct sl_shard_options *options,
                                               struct sl_err *err);
void sl_shard_writer_free(struct sl_shard_writer *w); /* NULL allowed */

/* Add the rows of a batch with the schema's columns. */
SL_MUST_USE enum sl_status sl_shard_writer_add(struct sl_shard_writer *w, const struct sl_batch *b,
                                               struct sl_err *err);

/* All rows came: the last shard gets its name, and higher ones go. */
SL_MUST_USE enum sl_status sl_shard_writer_end(struct sl_shard_writer *w, struct sl_err *err);

/* Write the manifest, which completes the folder. lineage: JSON array. */
SL_MUST_USE enum sl_status sl_shard_writer_commit(struct sl_shard_writer *w, struct sl_str lineage,
                                                  struct sl_err *err);

/* The manifest so far; counts are final after sl_shard_writer_end. */
const struct sl_manifest *sl_shard_writer_manifest(const struct sl_shard_writer *w);
/* Shards that stood already and were kept. */
int64_t sl_shard_writer_n_kept(const struct sl_shard_writer *w);

#endif
