/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_QUOTA_H
#define SL_ORDER_QUOTA_H

/* The rows with the smallest hashes, so many of each stratum, in two passes.
 *
 *     first pass:   sl_quota_add for every row
 *     between:      sl_quota_close, with how many of so many rows are wanted
 *     second pass:  sl_quota_next for every row, in the same order: is it one?
 *
 * Of rows with one hash the first ones are taken, so that the number is exact; with
 * all hashes equal they are the first rows.
 *
 * Memory    SL_QUOTA_STRATUM_BYTES a stratum and some buffers, whatever the number
 *           of rows, of which 12 bytes stand in an unnamed file of the folder for
 *           temporary files.
 * Threads   one thread at a time. */

#include "io/temp_file.h"

struct sl_quota;

enum { SL_QUOTA_STRATUM_BYTES = 256 * 8 + 64 };

SL_MUST_USE enum sl_status sl_quota_new(struct sl_quota **out, const char *tmpdir,
                                        struct sl_err *err);
void sl_quota_free(struct sl_quota *q); /* NULL allowed */

/* A row of stratum 0, 1, 2...; a new one is one more than the greatest so far. */
SL_MUST_USE enum sl_status sl_quota_add(struct sl_quota *q, uint32_t stratum, uint64_t hash,
                                        struct sl_err *err);

/* Find the rows. wanted: how many of the n rows of a stratum; more than n is all. */
SL_MUST_USE enum sl_status sl_quota_close(struct sl_quota *q,
                                          uint64_t (*wanted)(const void *ctx, uint64_t n),
                                          const void *ctx, struct sl_err *err);

/* Is the next row taken? SL_E_BUG behind the last one. */
SL_MUST_USE enum sl_status sl_quota_next(struct sl_quota *q, bool *taken, struct sl_err *err);

#endif
