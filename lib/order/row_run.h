/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_ROW_RUN_H
#define SL_ORDER_ROW_RUN_H

/* Runs: sorted records in temporary files, and their merging. The inside of
 * order/row_sort.h.
 *
 * A record (order/entry_sort.h) is bytes of key, bytes of row, key, row. A large
 * row lies in a file of its own that all runs share, and is never copied by a
 * merge; its record has SL_ROW_ELSEWHERE as bytes of row and then 16 bytes: where
 * it begins in that file, and its length. */

#include "order/entry_sort.h"
#include "order/spill.h"

#define SL_ROW_ELSEWHERE UINT32_MAX

struct sl_run_file {
    struct sl_temp *file;
    size_t most_block; /* the largest block, before packing */
};

/* What all runs of a sorter share. */
struct sl_runs {
    const char *tmpdir;
    size_t block_bytes;
    struct sl_spill *spill;
    struct sl_temp *large; /* NULL until there is one */
    struct sl_buf block;   /* being written */
    struct sl_run_file *run;
    size_t n, room;
    int64_t bytes, most_bytes; /* in temporary files now, and at most */
    int64_t n_merges;
};

/* Rows in order. p and n of the strings are the callee's to change. */
struct sl_row_sink {
    enum sl_status (*emit)(void *ctx, struct sl_str *rows, size_t n, struct sl_err *err);
    void *ctx;
};

/* What sees every record before its row is emitted. */
struct sl_record_watch {
    void (*see)(void *ctx, const uint8_t *record);
    void *ctx;
};

SL_MUST_USE enum sl_status sl_runs_init(struct sl_runs *r, const char *tmpdir, size_t block_bytes,
                                        int zstd_level, struct sl_err *err);
void sl_runs_release(struct sl_runs *r);

/* Write sorted records as one more run. */
SL_MUST_USE enum sl_status sl_runs_add(struct sl_runs *r, const struct sl_entry *e, size_t n,
                                       struct sl_err *err);

/* Merge neighbouring runs, fan_in at a time, until no more than most are left. Each
 * time those are taken that have the fewest bytes together, so that every byte is
 * copied about log(runs) times. fan_in is at least 2. */
SL_MUST_USE enum sl_status sl_runs_reduce(struct sl_runs *r, size_t most, size_t fan_in,
                                          struct sl_err *err);

/* Merge all runs (at least one) and emit their rows. */
SL_MUST_USE enum sl_status sl_runs_emit(struct sl_runs *r, struct sl_row_sink sink,
                                        struct sl_record_watch watch, struct sl_err *err);

/* The largest block of any run: what a run needs in a merge, and what is written. */
size_t sl_runs_most_block(const struct sl_runs *r);

#endif
