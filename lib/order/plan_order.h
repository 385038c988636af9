/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_ORDER_H
#define SL_ORDER_PLAN_ORDER_H

/* The order that a plan comes to, for sources of known sizes: which unit of which
 * source stands at each position. A unit is a packed sequence.
 *
 *     sl_plan_order_new      stages, shares, how many units each source gives
 *     sl_plan_order_draw     for each source, in turn: which units, in which order
 *     sl_plan_order_settle   where stages end, now that all is drawn
 *     sl_plan_order_next     position by position
 *
 * With groups, positions and counts of stages are final after sl_plan_order_settle; before, they
 * are those of turns (docs/curriculum.md).
 *
 * Memory    4 bytes a position; while a source is drawn 4 1/8 bytes for each of its units,
 *           8 1/8 more where a stage draws from a pool, 24 where parameters move, and the
 *           caller's ranks; then 2 a unit, and 8 for every position before the last stage with
 *           replay.
 * Values    a function of the plan, the sizes and the ranks.
 * Threads   one thread at a time.
 * Source    docs/curriculum.md defines the order, docs/orders.md its parts. */

#include "order/plan.h"

struct sl_plan_order;

/* What a stage came to. */
struct sl_plan_span {
    uint64_t begin, end;    /* positions */
    const uint64_t *counts; /* units of each source; behind the last one those replayed */
};

/* What a stage needs that makes blocks of one value. */
struct sl_plan_batch {
    const uint16_t *const *codes; /* of each source: the value of each unit as its rank */
    uint32_t n_values;
};

struct sl_plan_place {
    uint64_t unit; /* of its source, as the rows come */
    uint32_t source;
    uint16_t copy, stage;
    bool replayed;
};

/* What stands before an order that goes on (order/plan_continue.h). */
struct sl_plan_past {
    uint64_t begin;         /* positions that are filled */
    const uint16_t **given; /* [source][unit]: how often it was placed there */
    uint64_t *capacity;     /* of each source: how many units it may still give */
};

/* units         of each source, below 2^32: what it gives in an epoch.
 * unit_tokens   tokens of a unit.
 * Errors        SL_E_DATA with the line of the plan where the sizes do not fit it: a stage
 *               that ends before it begins, a source that is too small, nothing to replay,
 *               nothing left to redistribute to; SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_plan_order_new(struct sl_plan_order **out, const struct sl_plan *plan,
                                             const uint64_t *units, uint64_t unit_tokens,
                                             struct sl_err *err);
void sl_plan_order_free(struct sl_plan_order *o); /* NULL allowed */

/* The same behind a past, which is borrowed, as docs/curriculum.md, "Going on", has it. Before
 * the first sl_plan_order_next each place of the past is told, in any order. SL_E_DATA where
 * the plan ends before. */
SL_MUST_USE enum sl_status sl_plan_order_go_on(struct sl_plan_order **out,
                                               const struct sl_plan *plan, const uint64_t *units,
                                               uint64_t unit_tokens,
                                               const struct sl_plan_past *past, struct sl_err *err);
void sl_plan_order_remember(struct sl_plan_order *o, uint64_t position, uint32_t source,
                            uint64_t unit);

/* Positions, those of the past among them. */
uint64_t sl_plan_order_positions(const struct sl_plan_order *o);
struct sl_plan_span sl_plan_order_span(const struct sl_plan_order *o, size_t stage);
/* What a source (behind the last one: what is replayed) should have given before a position,
 * in units of 2^-60, counted from where the order begins. */
unsigned __int128 sl_plan_order_target(const struct sl_plan_order *o, size_t source,
                                       uint64_t position);

/* The groups of a source: next[u] is the unit behind u in its group, of the last one the
 * first. Borrowed until the source was drawn; to be said before. */
void sl_plan_order_set_groups(struct sl_plan_order *o, size_t source, const uint32_t *next);
/* What a stage with blocks needs, borrowed until all positions were asked for; to be said
 * before sl_plan_order_settle. */
void sl_plan_order_set_batch(struct sl_plan_order *o, size_t stage, struct sl_plan_batch batch);

/* The rows of a source. */
struct sl_plan_rows {
    uint64_t n;
    /* [score][rank]: the unit with that rank. Where parameters of the score move, by id.
     * NULL for what is not used. */
    const uint32_t *const *ranks;
    /* [score]: of scores that move; n values of each column of the expression, column by
     * column, by rank. NULL for others. */
    const double *const *values;
    /* Of a source that a file orders: the n_list units that the file lists. units of
     * sl_plan_order_new is n_list then. */
    const uint32_t *list;
    uint64_t n_list;
};

SL_MUST_USE enum sl_status sl_plan_order_draw(struct sl_plan_order *o, size_t source,
                                              const struct sl_plan_rows *rows, struct sl_err *err);

/* Rows that are one sequence: their copies are counted together. */
struct sl_plan_twin {
    uint64_t row;   /* source << 32 | unit */
    uint64_t group; /* below n_groups */
};

/* All sources were drawn, and nothing was placed: n rows, ascending, borrowed. SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_plan_order_twins(struct sl_plan_order *o,
                                               const struct sl_plan_twin *twins, uint64_t n,
                                               uint64_t n_groups, struct sl_err *err);

/* All sources were drawn. SL_E_DATA where a stage has nothing to replay, now that groups
 * are closed up; SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_plan_order_settle(struct sl_plan_order *o, struct sl_err *err);

/* SL_OK with the place of the next position, SL_END behind the last; SL_E_DATA where a unit
 * would be repeated more than 65,535 times. All sources were drawn. */
SL_MUST_USE enum sl_status sl_plan_order_next(struct sl_plan_order *o, struct sl_plan_place *out,
                                              struct sl_err *err);

/* All positions were asked for, and are to be counted again in another order: every place,
 * whose copy is set. */
void sl_plan_order_recount(struct sl_plan_order *o);
SL_MUST_USE enum sl_status sl_plan_order_count(struct sl_plan_order *o, struct sl_plan_place *p,
                                               struct sl_err *err);

/* All positions were asked for: give back what they took; the numbers stay. */
void sl_plan_order_trim(struct sl_plan_order *o);

/* How many units of a source are never placed. All positions were asked for. */
uint64_t sl_plan_order_unused(const struct sl_plan_order *o, size_t source);

/* How many positions the order is shorter, since no group of a source fitted into the turns
 * that it had left. The source was drawn; 0 for one without groups. */
uint64_t sl_plan_order_unfilled(const struct sl_plan_order *o, size_t source);

/* Does a stage with blocks begin within a block of the run? Then the message tells the two
 * figures. What was drawn decides, where there are groups. */
bool sl_plan_order_warning(const struct sl_plan_order *o, size_t stage, char *text, size_t n);

#endif
