/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_ROW_SORT_H
#define SL_ORDER_ROW_SORT_H

/* Sort the rows of a stream in bounded memory.
 *
 * Rows are collected, sorted by their keys (order/row_key.h) when the memory is
 * used up, written to --tmpdir as a run, and the runs merged in the end. Rows with
 * equal keys keep the order in which they came. The result does not depend on the
 * memory.
 *
 * Memory    mem_bytes is meant for the whole process: the sorter leaves from it
 *           SL_ROW_SORT_OTHER_BYTES for the rest, and twice the largest batch for
 *           its reading and writing (an eighth of mem_bytes, where that is more, so
 *           that a batch of up to a sixteenth may come unforeseen). The least that
 *           works is SL_ROW_SORT_LEAST_BYTES; large rows need more: about five
 *           times the largest key and three times the largest row.
 * Disk      what does not fit into memory, once; while runs are merged into longer
 *           ones, those a second time. At most SL_ROW_SORT_MOST_RUNS files are open.
 * Errors    SL_E_USAGE where mem_bytes is below the least; SL_E_SYSTEM where a row
 *           is too large for it, the disk is full or memory is out.
 * Threads   one thread at a time. Blocks on temporary files. */

#include "order/row_key.h"

enum {
    SL_ROW_SORT_OTHER_BYTES = 8 << 20,
    SL_ROW_SORT_LEAST_BYTES = 16 << 20,
    SL_ROW_SORT_MOST_RUNS = 160,
};

struct sl_row_sort;

/* keys, tmpdir and the schema of keys are borrowed for the sorter's life.
 * zstd_level: of temporary files; 0: not compressed. */
SL_MUST_USE enum sl_status sl_row_sort_new(struct sl_row_sort **out, const struct sl_row_keys *keys,
                                           uint64_t mem_bytes, const char *tmpdir, int zstd_level,
                                           struct sl_err *err);
void sl_row_sort_free(struct sl_row_sort *s); /* NULL allowed */

/* Take the rows of a batch; nothing of it is used afterwards. */
SL_MUST_USE enum sl_status sl_row_sort_add(struct sl_row_sort *s, const struct sl_batch *b,
                                           struct sl_err *err);

/* All rows were added: hand them out in order, as strings for sl_row_bytes_read
 * (arrow/row_bytes.h), at most 256 a call; p and n may be changed by it. Once. */
SL_MUST_USE enum sl_status sl_row_sort_end(struct sl_row_sort *s,
                                           enum sl_status (*emit)(void *ctx, struct sl_str *rows,
                                                                  size_t n, struct sl_err *err),
                                           void *ctx, struct sl_err *err);

struct sl_row_sort_counts {
    int64_t rows;
    int64_t nulls;      /* rows with a null in a column that the order names */
    int64_t same_key;   /* rows whose key is that of the row before them */
    int64_t runs;       /* written to disk; 0: all fitted into memory */
    int64_t merges;     /* of runs into longer ones */
    int64_t disk_bytes; /* in temporary files at one time, at most */
};
struct sl_row_sort_counts sl_row_sort_counts(const struct sl_row_sort *s);

#endif
