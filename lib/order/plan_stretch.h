/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_STRETCH_H
#define SL_ORDER_PLAN_STRETCH_H

/* The stages of the rows as they are written. Usually those of the plan; behind a past its
 * stages come first; a control is one.
 *
 * Threads   one thread at a time. */

#include "order/plan_control.h"
#include "order/plan_order.h"

struct sl_plan_stretch {
    const char *name; /* lives as long as the list */
    uint16_t number;  /* in the column stage */
    int stage;        /* of the plan; -1: of another one, or a control */
    uint64_t begin, end;
    uint64_t length;  /* a row is read as samples of that many tokens; 0: as one */
    uint64_t *counts; /* rows of each source; behind the last those replayed */
};

struct sl_plan_stretches {
    size_t n, n_sources, room;
    struct sl_plan_stretch *of;
    struct sl_arena arena;
};

/* list is initialised by the call and needs a release in any case. */
void sl_plan_stretches_init(struct sl_plan_stretches *list, size_t n_sources);
void sl_plan_stretches_release(struct sl_plan_stretches *list); /* safe on a zeroed struct */

/* A copy of s at the end, with counts of 0. SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_plan_stretches_add(struct sl_plan_stretches *list,
                                                 const struct sl_plan_stretch *s,
                                                 struct sl_err *err);

/* Add the stages of the plan from where its order begins on; the first is joined to the last
 * one that is there where both are the same by name, number and length. */
SL_MUST_USE enum sl_status sl_plan_stretches_plan(struct sl_plan_stretches *list,
                                                  const struct sl_plan *plan,
                                                  const struct sl_plan_order *order,
                                                  struct sl_err *err);
/* Make one of all; its length is what all have, or 0. */
SL_MUST_USE enum sl_status sl_plan_stretches_one(struct sl_plan_stretches *list, const char *name,
                                                 struct sl_err *err);

/* How many of a source are placed; behind the last one: replayed. */
uint64_t sl_plan_stretches_placed(const struct sl_plan_stretches *list, size_t source);

#endif
