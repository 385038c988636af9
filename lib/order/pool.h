/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_POOL_H
#define SL_ORDER_POOL_H

/* Nested pools: at every position an item is drawn at random from the easiest part
 * of the list, which grows with a pacing function; a background share is drawn from
 * the whole list. Every item is drawn at most once, and exactly once where as many are
 * drawn as there are.
 *
 * Memory    8 1/8 bytes an item. sl_pool_next allocates nothing, and takes constant
 *           time on average.
 * Values    a function of the configuration alone.
 * Threads   one thread at a time.
 * Source    docs/orders.md, "Pools"; the pool is that of Bengio et al. 2009 and
 *           Platanios et al. 2019, drawn without replacement. */

#include "order/pacing.h"

#define SL_POOL_MAX ((uint64_t)1 << 40)

struct sl_pool_conf {
    uint64_t n_items;        /* at most SL_POOL_MAX */
    uint64_t n_draws;        /* at most n_items; progress is position / n_draws */
    struct sl_pacing pacing; /* the pool's share of the items */
    double background;       /* share of the draws, 0 .. 1, in units of 2^-32 */
    uint64_t seed;
};

struct sl_pool;

/* SL_E_USAGE for a configuration out of its ranges; SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_pool_new(struct sl_pool **out, const struct sl_pool_conf *conf,
                                       struct sl_err *err);
void sl_pool_free(struct sl_pool *p); /* NULL allowed */

/* The rank at the next position; false after n_draws. from_all, which may be NULL, says
 * whether it was drawn from the whole list. */
bool sl_pool_next(struct sl_pool *p, uint64_t *rank, bool *from_all);

/* Ranks below this are in the pool at a position: the pacing's share of the items,
 * rounded to nearest, but never less than position + 1. */
uint64_t sl_pool_size(const struct sl_pool_conf *conf, uint64_t position);

/* Whether the draw at a position is one of the background. */
bool sl_pool_is_background(const struct sl_pool_conf *conf, uint64_t position);

#endif
