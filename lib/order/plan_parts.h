/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_PARTS_H
#define SL_ORDER_PLAN_PARTS_H

/* What the files that make an order of a plan share. Nothing outside of these includes it.
 *
 *     plan_span.c      how many positions there are, and where stages end
 *     plan_share.c     the shares of sources at every position, as one schedule
 *     plan_draw.c      which units a source gives, and in which order
 *     plan_group.c     the same for a source of groups
 *     plan_blocks.h    blocks of one value
 *     plan_order.c     demand and places, and the public functions */

#include "order/assign.h"
#include "order/plan_blocks.h"
#include "order/plan_order.h"

/* A stretch of positions with one mixture. A stage is one, or several where a source
 * has ended in it and its share was divided; pacing goes on as in the whole stage. */
struct sl_plan_piece {
    uint64_t begin, end;
    uint64_t whole_begin, whole_end; /* of the stage */
    size_t stage;
    uint64_t *from, *to; /* shares; to: NULL where they stand still */
};

struct sl_plan_order {
    const struct sl_plan *plan;
    size_t n_sources; /* of the plan; the shares have one more */
    uint64_t *units;  /* of each source */
    uint64_t unit_tokens, n_positions;
    const struct sl_plan_past *past; /* NULL: the order begins here */
    uint64_t begin;                  /* its first position, 0 without a past */
    uint64_t *capacity;              /* units that each source may give */
    uint64_t *ends;                  /* of stages, in positions */
    uint64_t *turn_ends;             /* in turns: a group is placed at its first turn */
    uint64_t *counts;                /* [stage][source] */
    struct sl_plan_piece *pieces;
    size_t n_pieces, room;
    struct sl_schedule *schedule;
    struct sl_assign *assign;

    uint32_t **draws; /* of each source, in order */
    uint64_t *n_drawn;
    uint64_t *n_rows;  /* of each source that was drawn */
    uint16_t **copies; /* of each unit: how often it was placed */
    const struct sl_plan_twin *twins;
    uint64_t n_twins;
    uint16_t *twin_copies; /* of each group */
    uint64_t *unused;

    /* Of sources with groups: where each row's group goes on, while it is drawn; bits of
     * the first rows in draws; how many rows these are; turns that the group at hand has
     * still to come; turns at the end that no group fits into. */
    const uint32_t **groups;
    uint8_t **firsts;
    uint64_t *n_draws, *open, *unfilled;
    uint32_t burst; /* the source that is giving a group; n_sources: none */

    struct sl_plan_batch *batches; /* of each stage */
    struct sl_plan_blocks *blocks; /* of the stage at hand; NULL: it has none */

    uint64_t *placed; /* source and unit by position, for replay */
    uint64_t n_remembered;
    uint64_t position, turn, n_replayed; /* n_replayed: in the stage at hand */
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
/* May the order end in this stage, where the last source of its mixture does: in the last one
 * of a plan without a budget. */
bool sl_plan_may_end(const struct sl_plan_order *o, size_t stage);
/* The first position of a stage that is made. */
uint64_t sl_plan_begin(const struct sl_plan_order *o, size_t stage);
/* Set what the sources may give, in all epochs. */
SL_MUST_USE enum sl_status sl_plan_set_capacity(struct sl_plan_order *o, struct sl_err *err);

/* As sl_plan_order_draw, by groups; counts become those of the rows that a stage begins. */
SL_MUST_USE enum sl_status sl_plan_draw_groups(struct sl_plan_order *o, size_t source,
                                               const uint32_t *const *ranks, struct sl_err *err);

/* docs/curriculum.md, "Seeds". */
uint64_t sl_plan_seed_of(const struct sl_plan *plan, uint64_t source, uint64_t stage,
                         uint64_t round);
uint64_t sl_plan_seed(const struct sl_plan_order *o, uint64_t source, uint64_t stage,
                      uint64_t round);

#endif
