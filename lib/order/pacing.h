/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PACING_H
#define SL_ORDER_PACING_H

/* Pacing: how far something has come, as a function of progress. It opens a pool
 * from the easiest share to all of it, and moves shares from one mixture to another.
 *
 * Values    between start and max; never falling for progress values that are 2^-44
 *           or more apart; exactly start at `from` and before it, exactly max at
 *           `to` and after it. The same bits on every machine.
 * Threads   pure functions.
 * Source    docs/orders.md, "Pacing"; Bengio et al. 2009, Platanios et al. 2019
 *           (competence), Wu, Dyer and Neyshabur 2021 (the other forms). */

#include "base/status.h"
#include "base/str.h"

enum sl_pacing_kind {
    SL_PACING_LINEAR,
    SL_PACING_QUADRATIC,
    SL_PACING_ROOT,
    SL_PACING_STEP, /* start before `to`, then max */
    SL_PACING_EXPONENTIAL,
    SL_PACING_LOGARITHMIC, /* reaches max a little before `to` */
    SL_PACING_COMPETENCE,
    SL_PACING_INVERSE_QUADRATIC,
    SL_N_PACINGS
};

struct sl_pacing {
    enum sl_pacing_kind kind;
    double start, max; /* 0 <= start <= max <= 1 */
    double from, to;   /* progress, 0 <= from < to <= 1 */
};

/* Linear from 0 to 1 over the whole. */
#define SL_PACING_INIT               \
    {                                \
        SL_PACING_LINEAR, 0, 1, 0, 1 \
    }

/* "linear", "quadratic", "root", "step", "exponential", "logarithmic", "competence",
 * "inverse_quadratic". NULL for another kind. */
const char *sl_pacing_name(enum sl_pacing_kind kind);

/* The kind of a name; SL_E_USAGE with the nearest name where there is none such. */
SL_MUST_USE enum sl_status sl_pacing_parse(struct sl_str name, enum sl_pacing_kind *out,
                                           struct sl_err *err);

/* SL_E_USAGE where a number is not finite or out of the ranges above. */
SL_MUST_USE enum sl_status sl_pacing_check(const struct sl_pacing *p, struct sl_err *err);

/* The value at progress x, usually position / positions. p has been checked; x may be any
 * number (NaN: start). */
double sl_pacing_at(const struct sl_pacing *p, double x);

#endif
