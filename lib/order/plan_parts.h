/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_PARTS_H
#define SL_ORDER_PLAN_PARTS_H

/* What the files that make an order of a plan share. Nothing outside of these includes it.
 *
 *     plan_span.c      how many positions there are, and where stages end
 *     plan_share.c     the shares of sources at every position, as one schedule
 *     plan_draw.c      which units a source gives, and in which order
 *     plan_order.c     demand and places, and the public functions */

#include "order/assign.h"
#include "order/plan_order.h"

/* A stretch of positions with one mixture. A stage is one, or several where a source
 * has ended in it and its share was divided. */
struct sl_plan_piece {
    uint64_t begin, end;
    size_t stage;
    uint64_t *from, *to; /* shares; to: NULL where they stand still */
};

struct sl_plan_order {
    const struct sl_plan *plan;
    size_t n_sources; /* of the plan; the shares have one more */
    uint64_t *units;  /* of each source */
    uint64_t unit_tokens, n_positions;
    uint64_t *ends;   /* of stages */
    uint64_t *counts; /* [stage][source] */
    struct sl_plan_piece *pieces;
    size_t n_pieces, room;
    struct sl_schedule *schedule;
    struct sl_assign *assign;

    uint32_t **draws; /* of each source, in order */
    uint64_t *n_drawn;
    uint16_t **copies; /* of each unit: how often it was placed */
    uint64_t *unused;
    uint64_t *placed; /* source and unit by position, for replay */
    uint64_t n_remembered;
    uint64_t position, n_replayed; /* n_replayed: in the stage at hand */
    size_t stage;
};

/* SL_E_DATA: "plan:line:column: stage 'name' what". */
SL_MUST_USE enum sl_status sl_plan_bad_stage(const struct sl_plan_order *o, size_t i,
                                             const char *what, struct sl_err *err);
/* v rounded down, from 0 to most. */
uint64_t sl_plan_floor(double v, uint64_t most);

SL_MUST_USE enum sl_status sl_plan_set_positions(struct sl_plan_order *o, struct sl_err *err);
SL_MUST_USE enum sl_status sl_plan_set_stages(struct sl_plan_order *o, struct sl_err *err);

/* Pieces and schedule, with what sources that end hand on. */
SL_MUST_USE enum sl_status sl_plan_set_schedule(struct sl_plan_order *o, struct sl_err *err);
/* Units that a source may give. */
uint64_t sl_plan_capacity(const struct sl_plan_order *o, size_t source);

/* docs/curriculum.md, "Seeds". */
uint64_t sl_plan_seed(const struct sl_plan_order *o, uint64_t source, uint64_t stage,
                      uint64_t round);

#endif
