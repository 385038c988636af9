/* SPDX-License-Identifier: Apache-2.0 */
/* Each form as it is written in its paper, with base/math.h for exp and log.
 *
 * Why       the order of operations is part of the definition: a pool of 10^12 items is
 *           cut by what comes out here. Values are pulled into [start, max], so that a
 *           rounding error shows neither at the ends nor as a share above one.
 * Rejected  fixed-point values: 53 bits leave an error of 2^-12 items in 2^40, and every
 *           other language has doubles to check against. */
#include "order/pacing.h"

#include <math.h>

#include "base/math.h"

static const char *const names[] = {
    [SL_PACING_LINEAR] = "linear",
    [SL_PACING_QUADRATIC] = "quadratic",
    [SL_PACING_ROOT] = "root",
    [SL_PACING_STEP] = "step",
    [SL_PACING_EXPONENTIAL] = "exponential",
    [SL_PACING_LOGARITHMIC] = "logarithmic",
    [SL_PACING_COMPETENCE] = "competence",
    [SL_PACING_INVERSE_QUADRATIC] = "inverse_quadratic",
    [SL_N_PACINGS] = NULL,
};

const char *sl_pacing_name(enum sl_pacing_kind kind)
{
    return (unsigned)kind < SL_N_PACINGS ? names[kind] : NULL;
}

enum sl_status sl_pacing_parse(struct sl_str name, enum sl_pacing_kind *out, struct sl_err *err)
{
    for (unsigned i = 0; i < SL_N_PACINGS; i++)
        if (sl_str_eq(name, sl_str_of(names[i]))) {
            *out = (enum sl_pacing_kind)i;
            return SL_OK;
        }
    const char *nearest = sl_str_nearest(name, names);
    int shown = name.n < 40 ? (int)name.n : 40;
    return sl_err_set(err, SL_E_USAGE, "no pacing is called '%.*s'%s%s%s", shown,
                      name.p ? name.p : "", nearest ? " (did you mean '" : "",
                      nearest ? nearest : "", nearest ? "'?)" : "");
}

enum sl_status sl_pacing_check(const struct sl_pacing *p, struct sl_err *err)
{
    if ((unsigned)p->kind >= SL_N_PACINGS)
        return sl_err_set(err, SL_E_USAGE, "pacing %d does not exist", (int)p->kind);
    /* Written so that NaN fails. */
    if (!(p->start >= 0 && p->start <= p->max && p->max <= 1))
        return sl_err_set(err, SL_E_USAGE, "pacing needs 0 <= start <= max <= 1, not %g and %g",
                          p->start, p->max);
    if (!(p->from >= 0 && p->from < p->to && p->to <= 1))
        return sl_err_set(err, SL_E_USAGE, "pacing needs 0 <= from < to <= 1, not %g and %g",
                          p->from, p->to);
    return SL_OK;
}

/* The value for 0 < y < 1, before it is pulled into its range. */
static double inside(const struct sl_pacing *p, double y)
{
    double b = p->start, m = p->max, d = m - b;
    switch (p->kind) {
    case SL_PACING_LINEAR:
        return b + d * y;
    case SL_PACING_QUADRATIC:
        return b + d * (y * y);
    case SL_PACING_ROOT:
        return b + d * sqrt(y);
    case SL_PACING_EXPONENTIAL:
        return b + d * ((sl_exp(10 * y) - 1) / (sl_exp(10) - 1));
    case SL_PACING_LOGARITHMIC:
        return b + d * (1 + 0.1 * sl_log(y + sl_exp(-10)));
    case SL_PACING_COMPETENCE:
        return sqrt(y * (m * m - b * b) + b * b);
    case SL_PACING_INVERSE_QUADRATIC:
        return b + d * (1 - (1 - y) * (1 - y));
    default: /* step */
        return b;
    }
}

double sl_pacing_at(const struct sl_pacing *p, double x)
{
    if (x >= p->to)
        return p->max;
    if (!(x > p->from))
        return p->start;
    double v = inside(p, (x - p->from) / (p->to - p->from));
    return v < p->start ? p->start : v > p->max ? p->max : v;
}
