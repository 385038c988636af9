/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_CONTROL_H
#define SL_ORDER_PLAN_CONTROL_H

/* The matched arms of an experiment: the rows and copies of a plan's whole order, at
 * other positions.
 *
 *   random     all positions are permuted
 *   locality   windows of positions are permuted, each whole: what stands beside what
 *              stays, and only the place in the run is random
 *
 * Threads   pure functions of the struct, which is not changed after init.
 * Source    docs/curriculum.md, "Controls". */

#include "order/plan.h"

enum sl_plan_control_kind { SL_CONTROL_NONE, SL_CONTROL_RANDOM, SL_CONTROL_LOCALITY };

struct sl_plan_control {
    enum sl_plan_control_kind kind;
    uint64_t window; /* positions; 1 for random */
    uint64_t n;
    uint64_t n_last, last_at; /* positions of the last window; where it goes, in windows */
    struct sl_shuffle shuffle;
};

/* "none", "random", "locality". */
const char *sl_plan_control_name(enum sl_plan_control_kind kind);
/* The kind of a name; SL_CONTROL_NONE where there is none such. */
enum sl_plan_control_kind sl_plan_control_parse(const char *name);

/* n positions; window is not looked at for random. SL_E_USAGE where it is 0; SL_E_DATA,
 * with the place in the plan, where a stage of it cannot be taken apart so. */
SL_MUST_USE enum sl_status sl_plan_control_init(struct sl_plan_control *c,
                                                enum sl_plan_control_kind kind, uint64_t window,
                                                const struct sl_plan *plan, uint64_t n,
                                                struct sl_err *err);

/* Where that which stands at a position of the plan's order goes. */
uint64_t sl_plan_control_at(const struct sl_plan_control *c, uint64_t position);

#endif
