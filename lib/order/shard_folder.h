/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_SHARD_FOLDER_H
#define SL_ORDER_SHARD_FOLDER_H

/* A folder of shards and the names in it.
 *
 *   manifest.json       the shards, named last: the mark of completion
 *   .begun.json         what an unfinished run is made from
 *   shard-NNNNN.arrows  the shards, from 0
 *
 * Errors    SL_E_SYSTEM with errno and the path.
 * Threads   one thread a folder. Blocks on the file system. */

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

#define SL_MANIFEST_NAME "manifest.json"
#define SL_BEGUN_NAME ".begun.json"

enum { SL_SHARD_NAME_BYTES = 40 };

struct sl_folder {
    char *dir;
    int fd;
    struct sl_buf path; /* scratch of sl_folder_path */
};

/* create: make the folder where it does not exist (not its parents). */
SL_MUST_USE enum sl_status sl_folder_open(struct sl_folder *f, const char *dir, bool create,
                                          struct sl_err *err);
void sl_folder_release(struct sl_folder *f); /* safe on a zeroed struct */

/* dir/name, valid until the next call; NULL: memory is out. */
const char *sl_folder_path(struct sl_folder *f, const char *name);

/* The names in the folder, sorted by bytes, in an array of the arena. */
SL_MUST_USE enum sl_status sl_folder_list(struct sl_folder *f, struct sl_arena *arena,
                                          const char *const **names, size_t *n_names,
                                          struct sl_err *err);

/* Remove a file; one that is not there is no error. */
SL_MUST_USE enum sl_status sl_folder_remove(struct sl_folder *f, const char *name,
                                            struct sl_err *err);

/* Make the names durable. */
SL_MUST_USE enum sl_status sl_folder_sync(struct sl_folder *f, struct sl_err *err);

/* A whole small file, appended to out. SL_E_DATA where it passes out's maximum. */
SL_MUST_USE enum sl_status sl_folder_read(struct sl_folder *f, const char *name, struct sl_buf *out,
                                          struct sl_err *err);

/* The name of shard k; the number of a name, -1 where it is no shard's. */
void sl_shard_name(int64_t k, char out[SL_SHARD_NAME_BYTES]);
int64_t sl_shard_number(const char *name);

/* A hidden name that a killed writer may have left. */
bool sl_folder_is_temp(const char *name);

#endif
