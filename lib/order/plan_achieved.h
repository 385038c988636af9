/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_ACHIEVED_H
#define SL_ORDER_PLAN_ACHIEVED_H

/* What an order came to, counted place by place: rows of each source in windows of the
 * run, and how far each source was from its shares at worst.
 *
 * Windows   SL_ACHIEVED_WINDOWS of them, or as many as there are positions; window w is
 *           the positions from floor(n w / W) to the next one's.
 * Errors    of a prefix: the number given less the target, at any position; of a window:
 *           the greatest difference of two such errors. From where the order begins on.
 * Time      two targets a place.
 * Threads   one thread at a time. */

#include "order/plan_order.h"

enum { SL_ACHIEVED_WINDOWS = 100 };

struct sl_plan_achieved {
    const struct sl_plan_order *order;
    uint64_t n, begin;       /* positions; where errors begin */
    size_t n_windows, n_all; /* n_all: sources, and what is replayed */
    uint64_t *counts;        /* [window][source] */
    uint64_t *given;         /* of each source since begin */
    __int128 *low, *high;    /* of the error of a prefix; NULL: not asked for */
};

/* order is borrowed. errors: also count these; places must then come in order. */
SL_MUST_USE enum sl_status sl_plan_achieved_new(struct sl_plan_achieved **out,
                                                const struct sl_plan_order *order, size_t n_sources,
                                                uint64_t begin, bool errors, struct sl_err *err);
void sl_plan_achieved_free(struct sl_plan_achieved *a); /* NULL allowed */

void sl_plan_achieved_add(struct sl_plan_achieved *a, const struct sl_plan_place *p, uint64_t at);
/* All were added. */
void sl_plan_achieved_end(struct sl_plan_achieved *a);

uint64_t sl_plan_achieved_begin(const struct sl_plan_achieved *a, size_t window);
/* In rows. */
double sl_plan_achieved_prefix(const struct sl_plan_achieved *a, size_t source);
double sl_plan_achieved_window(const struct sl_plan_achieved *a, size_t source);

#endif
