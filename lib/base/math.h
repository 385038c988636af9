/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_BASE_MATH_H
#define SL_BASE_MATH_H

/* log, log2, exp and pow with the same bits on every machine: from IEEE-754
 * additions, multiplications and divisions alone, rounded to nearest.
 *
 * Error     at most 0.51 units in the last place (pow: 0.55), so that nearly every
 *           result is the correctly rounded one; at most 1 for exp and pow below
 *           2^-1022, where they are rounded twice.
 * NaN       gives NaN (sl_pow(x, 0) and sl_pow(1, y) are 1 even then).
 * Threads   pure functions. They set no errno; floating-point flags may be set.
 * Source    docs/orders.md, "Numbers". */

/* log(0) is -infinity, of a negative number NaN; log(1) is +0. */
double sl_log(double x);

/* As sl_log; exact for powers of two. */
double sl_log2(double x);

/* exp(0) is 1; infinity above 709.782712893384, 0 below -745.14. */
double sl_exp(double x);

/* x to the y, for x that is not negative: NaN below 0, even where y is whole.
 * x^0 and 1^y are 1; 0^y is 0 for y above 0, infinity below. */
double sl_pow(double x, double y);

#endif
