/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_REPORT_SCORE_CURVE_H
#define SL_REPORT_SCORE_CURVE_H

/* A score against the position in a stream, of any length in bounded memory.
 *
 * Rule      the rows are cut into buckets of equal width, a power of two, at most
 *           SL_CURVE_BUCKETS of them; the width doubles when they are full. A bucket
 *           keeps the scores of the SL_CURVE_ROWS rows with the smallest hashes of
 *           (id, copy): its quantiles are exact up to that number of rows, and those
 *           of a sample drawn at random above. Nulls, and numbers that are not
 *           finite, are counted apart.
 * Memory    2.5 MB.
 * Threads   one thread at a time. */

#include "arrow/batch.h"

enum { SL_CURVE_BUCKETS = 400, SL_CURVE_ROWS = 200, SL_CURVE_STAGES = 64 };

struct sl_curve_row {
    uint64_t hash;
    double score;
};

struct sl_curve_bucket {
    int64_t rows, nulls;
    double sum; /* of all scores, in the order of the rows */
    int n;      /* rows kept, all of them until there are more than fit */
    struct sl_curve_row *kept;
};

/* A run of rows of one stage of the plan (column stage). */
struct sl_curve_stage {
    int64_t from; /* its first row */
    int64_t stage;
};

struct sl_curve {
    char score[256];
    bool seen; /* a batch had the column */
    int64_t rows, nulls, tokens;
    int64_t width; /* rows of a bucket */
    uint64_t row_seed;
    struct sl_curve_bucket *buckets;
    struct sl_curve_row *room;
    struct sl_curve_stage stages[SL_CURVE_STAGES];
    int n_stages;
    bool many_stages; /* stages follow one another too often to be drawn */
};

void sl_curve_init(struct sl_curve *c, const char *score, uint64_t row_seed);
void sl_curve_release(struct sl_curve *c);

SL_MUST_USE enum sl_status sl_curve_add(struct sl_curve *c, const struct sl_batch *b,
                                        struct sl_err *err);

/* Join buckets until each has min_rows of them (as long as there are more than
 * some fifty), and sort what they keep. Nothing can be added after that. */
void sl_curve_end(struct sl_curve *c, int64_t min_rows);
int sl_curve_n_buckets(const struct sl_curve *c);

/* The quantile q, from 0 to 1, of a bucket by linear interpolation; NaN without a
 * score. After sl_curve_end. */
double sl_curve_quantile(const struct sl_curve_bucket *b, double q);
/* The mean of all scores of a bucket; NaN without one. */
double sl_curve_mean(const struct sl_curve_bucket *b);

#endif
