/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_REWEIGHT_H
#define SL_ORDER_REWEIGHT_H

/* Weights from losses, and the numbers of a systematic sample by weight.
 *
 * Threads   one thread an object; sl_weight_share and the resampler are pure.
 * Source    dynamic loss-based sample reweighting (ICLR 2025) for the formulas;
 *           docs/reweighting.md says to the bit what is computed here. */

#include <stdbool.h>

#include "order/loss_join.h"

enum sl_weight_kind {
    SL_WEIGHT_LINUPPER,
    SL_WEIGHT_QUADRATIC,
    SL_WEIGHT_EXTREMES,
    SL_WEIGHT_UPPER
};

#define SL_WEIGHT_KINDS "linupper|quadratic|extremes|upper"

struct sl_weight_rule {
    enum sl_weight_kind kind;
    double d, r;   /* from 1e-6 to 1e6 */
    int64_t batch; /* rows of a block; 0: all rows are one */
};

/* A word of SL_WEIGHT_KINDS. */
bool sl_weight_kind_parse(struct sl_str word, enum sl_weight_kind *kind);

/* ---- the weights of the rows of a join, in order ---- */

struct sl_weigher {
    struct sl_weight_rule rule;
    struct sl_loss_join *join; /* borrowed */
    int n_sets;                /* of losses */
    int64_t row, n_rows, end;  /* the next row; all; where the block in hand ends */
    int64_t n;                 /* rows with a loss in the block in hand */
    double min, max, top, sum; /* of its losses; of f; of exp */
};

/* join  has ended; set 0 are the losses. */
void sl_weigher_init(struct sl_weigher *w, const struct sl_weight_rule *rule,
                     struct sl_loss_join *join);
void sl_weigher_rewind(struct sl_weigher *w);

/* The weight of the next row, and its losses (as sl_loss_join_values). A row without a
 * loss has the weight 1. SL_END behind the last row. */
SL_MUST_USE enum sl_status sl_weigher_next(struct sl_weigher *w, float *weight,
                                           const double **losses, struct sl_err *err);

/* ---- systematic resampling ---- */

struct sl_resampler {
    uint64_t wanted, total; /* rows to be made; sum of the shares */
    uint64_t offset;        /* 0 to total - 1 */
    uint64_t before;        /* shares of the rows so far */
    uint64_t made;          /* rows of them */
};

enum { SL_RESAMPLE_ROWS_LOG2 = 39 };

/* A weight as a whole number of 2^-24. weight: 0 or more, below 2^39. */
uint64_t sl_weight_share(float weight);

/* total: above 0, the sum of sl_weight_share of all rows, below 2^63.
 * wanted: at most 2^39. random: uniform. */
void sl_resampler_init(struct sl_resampler *s, uint64_t wanted, uint64_t total, uint64_t random);

/* How often the next row, of this share, is to be there. */
uint64_t sl_resampler_next(struct sl_resampler *s, uint64_t share);

#endif
