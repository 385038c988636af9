/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_RUN_MAP_H
#define SL_RUN_MAP_H

/* One batch on its way through a map: read, worked on, written. Private to
 * lib/run; tools see it through run/tool.h.
 *
 * Threads   one thread at a time: reader, worker and writer hand it on. */

#include "run/tool.h"

struct sl_drop {
    uint32_t row;
    int reason;
    struct sl_str detail; /* in the task's arena */
};

struct sl_task {
    struct sl_run *run;
    void *worker;
    bool owns_worker;
    struct sl_batch in;
    enum sl_status status; /* of reading or working; SL_END after the last batch */
    struct sl_err err;
    struct sl_tally tally;
    struct sl_colbuf *adds; /* the tool's adds, where the output has them */
    int n_adds;
    bool *has_add;
    struct sl_drop *drops;
    int64_t n_drops, cap_drops;
    uint8_t *dropped;     /* one byte a row of the batch */
    struct sl_batch view; /* output columns over all rows */
    struct sl_rows kept;  /* the rows that stay, where some were dropped */
    struct sl_batch kept_view;
    struct sl_rows rejects;
    struct sl_batch reject_view;
    const struct sl_batch *result; /* view or kept_view */
};

SL_MUST_USE enum sl_status sl_task_new(struct sl_task **out, struct sl_run *run,
                                       struct sl_err *err);
void sl_task_free(struct sl_task *t);

/* Make the tool's worker scratch for a task that stays on one thread. */
SL_MUST_USE enum sl_status sl_task_start_worker(struct sl_task *t, struct sl_err *err);
void sl_task_set_worker(struct sl_task *t, void *worker);

/* Run the tool's map over the task's batch and make result, reject_view and
 * tally; status and err say how it went. */
void sl_task_work(struct sl_task *t);

/* Ready for the next batch; of the body and of every column that was built, what
 * is larger than keep_bytes is freed. */
void sl_task_recycle(struct sl_task *t, size_t keep_bytes);

#endif
