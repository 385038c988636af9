/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_MIXTURE_H
#define SL_ORDER_MIXTURE_H

/* Mixtures: the shares of sources. A share is a whole number of units of 2^-36
 * (SL_SHARE_ONE is the whole), and the shares of a mixture sum to exactly one.
 *
 * Memory    some of these take 40 bytes a source for the call (SL_E_SYSTEM).
 * Threads   pure functions.
 * Source    docs/orders.md, "Mixtures"; UniMax: Chung et al. 2023. */

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define SL_SHARE_ONE ((uint64_t)1 << 36)
#define SL_SHARE_MAX_SOURCES 65536

/* Divide total among sources in proportion to weights, by largest remainders: what is
 * left after rounding down goes, one unit each, to the largest remainders, of equal ones
 * to the first. In whole-number arithmetic, so the sum is exactly total.
 *
 * weights  n of 1 .. SL_SHARE_MAX_SOURCES; finite, not negative, not all 0. What lies
 *          2^62 times below the largest is cut away.
 * total    at most SL_SHARE_ONE; for "0.05 of one, the rest by size" it is the rest.
 * Returns  SL_E_USAGE for weights or total out of their ranges; SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_shares_divide(const double *weights, size_t n, uint64_t total,
                                            uint64_t *shares, struct sl_err *err);

/* The same with whole numbers as weights, taken exactly; each below 2^62. */
SL_MUST_USE enum sl_status sl_shares_divide_units(const uint64_t *weights, size_t n, uint64_t total,
                                                  uint64_t *shares, struct sl_err *err);

/* In proportion to size^alpha: alpha 1 is by size, 0 is equal shares. A source of size 0
 * gets nothing. sizes are below 2^53, alpha is 0 .. 8. */
SL_MUST_USE enum sl_status sl_shares_alpha(const uint64_t *sizes, size_t n, double alpha,
                                           uint64_t total, uint64_t *shares, struct sl_err *err);

/* UniMax: as even as can be with no source repeated more than max_epochs times. From the
 * smallest source on, each gets an even part of what is left of the budget, or max_epochs
 * times its size where that is less; both rounded down.
 *
 * sizes, budget  units of any kind, below 2^53; max_epochs above 0, at most 2^20.
 * units          what each gets; their sum is the budget, or less where all are capped. */
SL_MUST_USE enum sl_status sl_shares_unimax(const uint64_t *sizes, size_t n, uint64_t budget,
                                            double max_epochs, uint64_t *units, struct sl_err *err);

#endif
