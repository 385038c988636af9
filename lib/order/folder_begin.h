/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_FOLDER_BEGIN_H
#define SL_ORDER_FOLDER_BEGIN_H

/* The beginning and the end of a run that fills a folder.
 *
 * Order     sl_folder_begin removes the manifest and writes .begun.json; the
 *           caller makes its files; sl_folder_finish names the manifest and
 *           removes .begun.json. A run that is killed anywhere leaves a folder
 *           without manifest, or a whole one.
 * Restart   with an equal .begun.json, beside which the files of the earlier run
 *           may stand: the caller compares and replaces them.
 * Errors    SL_E_USAGE where the folder holds something else and force is not
 *           set; SL_E_SYSTEM.
 * Threads   one thread a folder. Blocks on the file system.
 * Source    docs/shards.md, "Interrupted runs". */

#include "io/sink.h"
#include "order/shard_folder.h"

struct sl_folder_start {
    struct sl_str begun; /* text of .begun.json: what is made from what */
    bool force;          /* go ahead whatever the folder holds */
    const char *what;    /* what the run makes, for messages: "shards" */
    bool (*is_made)(const char *name, const void *ctx); /* a name that such a run gives */
    const void *ctx;
};

SL_MUST_USE enum sl_status sl_folder_begin(struct sl_folder *f, const struct sl_folder_start *start,
                                           struct sl_err *err);

/* All files are there: write gives the manifest, which completes the folder. */
SL_MUST_USE enum sl_status
sl_folder_finish(struct sl_folder *f,
                 enum sl_status (*write)(const void *ctx, struct sl_sink *to, struct sl_err *err),
                 const void *ctx, struct sl_err *err);

#endif
