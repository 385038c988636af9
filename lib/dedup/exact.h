/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_DEDUP_EXACT_H
#define SL_DEDUP_EXACT_H

/* Exact duplicates: which rows have the same text, and which of them is kept.
 *
 * Two texts are the same where 126 bits of their keys (dedup/text_key.h) are
 * equal. Of 10^10 different texts some two are taken for the same with a
 * probability of 6e-19.
 *
 * Two ways, and a run may change from the first to the second:
 *   at once   room, then decide: a row is kept where its text was not seen
 *             before. Needs a table of all texts.
 *   at last   learn all rows, end, then recall them in the same order. Needs
 *             disk. What decide saw before comes first.
 * The first way is open only without prefer and ranks. Both give the same
 * answers.
 *
 * Memory    at most mem_bytes, the table and the sorts together.
 * Threads   one thread an object. */

#include "arrow/batch.h"
#include "base/hash.h"
#include "order/row_key.h"

#define SL_EXACT_MIN_BYTES ((size_t)4 << 20)

/* Most rows of one call. */
enum { SL_EXACT_ROWS = 1024 };

struct sl_exact_options {
    const char *rule; /* of SL_TEXT_RULES */
    size_t mem_bytes; /* at least SL_EXACT_MIN_BYTES, else SL_E_USAGE */
    const char *tmpdir;
    const struct sl_row_keys *prefer; /* NULL: the first row is kept; must outlive the object */
    bool ranks;                       /* size and rank are wanted */
};

/* What is known of a row. size and rank stop at UINT32_MAX. */
struct sl_exact_row {
    struct sl_hash128 kept; /* id of the row that is kept of its text: may be its own */
    uint32_t rank;          /* 0: this row is kept. Without ranks 1 for all others */
    uint32_t size;          /* rows with this text. Without ranks 0 */
};

struct sl_exact;

SL_MUST_USE enum sl_status sl_exact_new(struct sl_exact **out, const struct sl_exact_options *o,
                                        struct sl_err *err);
void sl_exact_free(struct sl_exact *x); /* NULL allowed */

/* Can n more rows be decided at once? Once false, it stays so. */
SL_MUST_USE enum sl_status sl_exact_room(struct sl_exact *x, int64_t n_rows, bool *room,
                                         struct sl_err *err);

/* Decide rows [from, from + n) of a batch with columns id and text. */
SL_MUST_USE enum sl_status sl_exact_decide(struct sl_exact *x, const struct sl_batch *batch,
                                           int64_t from, int64_t n, struct sl_exact_row *out,
                                           struct sl_err *err);

/* Learn rows, to decide them at last. */
SL_MUST_USE enum sl_status sl_exact_learn(struct sl_exact *x, const struct sl_batch *batch,
                                          int64_t from, int64_t n, struct sl_err *err);

/* All rows were learned. */
SL_MUST_USE enum sl_status sl_exact_end(struct sl_exact *x, struct sl_err *err);

/* The next n rows in the order in which they were learned. */
SL_MUST_USE enum sl_status sl_exact_recall(struct sl_exact *x, const struct sl_batch *batch,
                                           int64_t from, int64_t n, struct sl_exact_row *out,
                                           struct sl_err *err);

/* Texts that more than one row has, so far decided (after end: of all rows). */
int64_t sl_exact_clusters(const struct sl_exact *x);
/* Bytes written to temporary files. */
int64_t sl_exact_temp_bytes(const struct sl_exact *x);

#endif
