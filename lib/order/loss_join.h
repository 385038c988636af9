/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_LOSS_JOIN_H
#define SL_ORDER_LOSS_JOIN_H

/* Losses joined to rows by (id, copy), out of core.
 *
 *     sl_loss_join_loss   every loss, of any set, in the order of files and lines
 *     sl_loss_join_row    every row of the data, in order
 *     sl_loss_join_end    the join
 *     sl_loss_join_values the losses of a row, by its number
 *
 * Several losses of one key in one set become one: their mean, the first or the last
 * (docs/reweighting.md says to the bit). Rows of one key all get its loss.
 *
 * Memory    mem_bytes in all; what does not fit is sorted in tmpdir. Its value never
 *           changes what comes out.
 * Time      three external sorts, of losses and twice of rows (io/record_sort.h).
 * Errors    SL_E_SYSTEM: memory, disk; SL_E_DATA: a temporary file was damaged; after an
 *           error only free is allowed.
 * Threads   one thread at a time. */

#include "base/hash.h"
#include "base/status.h"

struct sl_loss_join;

enum { SL_LOSS_SETS_MAX = 3 };
#define SL_LOSS_JOIN_LEAST_BYTES ((size_t)8 << 20)

enum sl_loss_reduce { SL_LOSS_MEAN, SL_LOSS_FIRST, SL_LOSS_LAST };

#define SL_LOSS_REDUCE_WORDS "mean|first|last"
/* Of one of these words. */
enum sl_loss_reduce sl_loss_reduce_of(const char *word);

struct sl_loss_key {
    struct sl_hash128 id;
    uint16_t copy;
};

/* n_sets: 1 to SL_LOSS_SETS_MAX; set 0 is the one that is counted as missing or
 * unmatched. mem_bytes: at least SL_LOSS_JOIN_LEAST_BYTES, else SL_E_USAGE. */
SL_MUST_USE enum sl_status sl_loss_join_new(struct sl_loss_join **out, int n_sets,
                                            enum sl_loss_reduce reduce, size_t mem_bytes,
                                            const char *tmpdir, struct sl_err *err);
void sl_loss_join_free(struct sl_loss_join *j); /* NULL allowed */

/* loss: finite, 0 or more. step: any number; the smallest int64 is that of no step. */
SL_MUST_USE enum sl_status sl_loss_join_loss(struct sl_loss_join *j, int set,
                                             const struct sl_loss_key *key, int64_t step,
                                             double loss, struct sl_err *err);
SL_MUST_USE enum sl_status sl_loss_join_row(struct sl_loss_join *j, const struct sl_loss_key *key,
                                            struct sl_err *err);
SL_MUST_USE enum sl_status sl_loss_join_end(struct sl_loss_join *j, struct sl_err *err);

/* After end: the losses of row r, a double of every set, NaN where there is none. Rows
 * are cheap to ask for in order; another one costs a read. The array is valid until the
 * next call. */
SL_MUST_USE enum sl_status sl_loss_join_values(struct sl_loss_join *j, int64_t r,
                                               const double **values, struct sl_err *err);

struct sl_loss_counts {
    int n_sets;
    int64_t rows;
    int64_t losses[SL_LOSS_SETS_MAX];  /* that were added */
    int64_t keys[SL_LOSS_SETS_MAX];    /* different ones among them */
    int64_t missing[SL_LOSS_SETS_MAX]; /* rows without a loss */
    int64_t unmatched;                 /* keys of set 0 without a row */
    struct sl_loss_key unmatched_key;  /* the smallest of them */
    int64_t missing_row;               /* the first row without a loss of set 0 */
    struct sl_loss_key missing_key;
    bool ids_repeat; /* two rows have one id */
    int64_t temp_bytes;
};
/* After end: SL_E_DATA where rows have no loss, or losses no row, and that is not
 * allowed; the message names the first of them. */
SL_MUST_USE enum sl_status sl_loss_join_check(const struct sl_loss_join *j, bool may_miss,
                                              bool may_be_unmatched, struct sl_err *err);
/* After end. */
const struct sl_loss_counts *sl_loss_join_counts(const struct sl_loss_join *j);

#endif
