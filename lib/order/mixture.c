/* SPDX-License-Identifier: Apache-2.0 */
/* Shares as whole numbers.
 *
 * What      weights become whole numbers below 2^62, scaled by a power of two so that at least
 *           53 bits of the largest stand; from there on all is integer division.
 * Why       shares that are sums of doubles sum to one only nearly, and in an order of
 *           addition; the assignment needs exactly one.
 * Rejected  decimal fractions kept exactly: a mixture of time-varying shares has no
 *           common denominator. 2^-36 is 0.015 items in 10^9. */
#include "order/mixture.h"

#include <math.h>
#include <stdlib.h>

#include "base/math.h"

#define MAX_WEIGHT ((uint64_t)1 << 62)
#define MAX_UNITS ((uint64_t)1 << 53)

/* What a source has left over, and which it is. */
struct part {
    unsigned __int128 size;
    size_t source;
};

static int by_size_desc(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return x->source < y->source ? -1 : x->source > y->source;
}

static int by_size(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return x->source < y->source ? -1 : x->source > y->source;
}

static enum sl_status check(size_t n, uint64_t total, struct sl_err *err)
{
    if (n < 1 || n > SL_SHARE_MAX_SOURCES)
        return sl_err_set(err, SL_E_USAGE, "a mixture has 1 to %d sources, not %zu",
                          SL_SHARE_MAX_SOURCES, n);
    if (total > SL_SHARE_ONE)
        return sl_err_set(err, SL_E_USAGE, "shares sum to more than one");
    return SL_OK;
}

enum sl_status sl_shares_divide_units(const uint64_t *weights, size_t n, uint64_t total,
                                      uint64_t *shares, struct sl_err *err)
{
    SL_TRY(check(n, total, err));
    unsigned __int128 sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (weights[i] >= MAX_WEIGHT)
            return sl_err_set(err, SL_E_USAGE, "weight %zu of a mixture is too large", i + 1);
        sum += weights[i];
    }
    if (sum == 0)
        return sl_err_set(err, SL_E_USAGE, "all weights of a mixture are 0");
    struct part *rest = malloc(n * sizeof *rest);
    if (!rest)
        return sl_err_nomem(err, n * sizeof *rest);
    uint64_t left = total;
    for (size_t i = 0; i < n; i++) {
        unsigned __int128 product = (unsigned __int128)weights[i] * total;
        shares[i] = (uint64_t)(product / sum);
        rest[i] = (struct part){ product % sum, i };
        left -= shares[i];
    }
    qsort(rest, n, sizeof *rest, by_size_desc);
    for (size_t i = 0; i < left; i++)
        shares[rest[i].source]++;
    free(rest);
    return SL_OK;
}

enum sl_status sl_shares_divide(const double *weights, size_t n, uint64_t total, uint64_t *shares,
                                struct sl_err *err)
{
    SL_TRY(check(n, total, err));
    double largest = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(weights[i] >= 0 && weights[i] <= 1e300))
            return sl_err_set(err, SL_E_USAGE, "weight %zu of a mixture is not a share: %g", i + 1,
                              weights[i]);
        if (weights[i] > largest)
            largest = weights[i];
    }
    if (largest == 0)
        return sl_err_set(err, SL_E_USAGE, "all weights of a mixture are 0");
    int scale = 0; /* 2^61 <= largest 2^scale < 2^62 */
    while (ldexp(largest, scale) >= 0x1p62)
        scale--;
    while (ldexp(largest, scale) < 0x1p61)
        scale++;
    uint64_t *whole = malloc(n * sizeof *whole);
    if (!whole)
        return sl_err_nomem(err, n * sizeof *whole);
    for (size_t i = 0; i < n; i++)
        whole[i] = (uint64_t)ldexp(weights[i], scale);
    enum sl_status status = sl_shares_divide_units(whole, n, total, shares, err);
    free(whole);
    return status;
}

enum sl_status sl_shares_alpha(const uint64_t *sizes, size_t n, double alpha, uint64_t total,
                               uint64_t *shares, struct sl_err *err)
{
    SL_TRY(check(n, total, err));
    if (!(alpha >= 0 && alpha <= 8))
        return sl_err_set(err, SL_E_USAGE, "alpha must be 0 to 8, not %g", alpha);
    double *weights = malloc(n * sizeof *weights);
    if (!weights)
        return sl_err_nomem(err, n * sizeof *weights);
    enum sl_status status = SL_OK;
    for (size_t i = 0; i < n; i++) {
        if (sizes[i] >= MAX_UNITS && status == SL_OK)
            status = sl_err_set(err, SL_E_USAGE, "source %zu of a mixture is too large", i + 1);
        weights[i] = sizes[i] ? sl_pow((double)sizes[i], alpha) : 0;
    }
    if (status == SL_OK)
        status = sl_shares_divide(weights, n, total, shares, err);
    free(weights);
    return status;
}

enum sl_status sl_shares_unimax(const uint64_t *sizes, size_t n, uint64_t budget, double max_epochs,
                                uint64_t *units, struct sl_err *err)
{
    SL_TRY(check(n, 0, err));
    if (!(max_epochs > 0 && max_epochs <= 0x1p20))
        return sl_err_set(err, SL_E_USAGE, "the most epochs must be above 0, at most 2^20, not %g",
                          max_epochs);
    if (budget >= MAX_UNITS)
        return sl_err_set(err, SL_E_USAGE, "the budget of a mixture is too large");
    struct part *parts = malloc(n * sizeof *parts);
    if (!parts)
        return sl_err_nomem(err, n * sizeof *parts);
    for (size_t i = 0; i < n; i++) {
        if (sizes[i] >= MAX_UNITS) {
            free(parts);
            return sl_err_set(err, SL_E_USAGE, "source %zu of a mixture is too large", i + 1);
        }
        parts[i] = (struct part){ sizes[i], i };
    }
    qsort(parts, n, sizeof *parts, by_size);
    for (size_t i = 0; i < n; i++) {
        uint64_t even = budget / (n - i);
        double most = floor(max_epochs * (double)parts[i].size);
        uint64_t got = most < (double)even ? (uint64_t)most : even;
        units[parts[i].source] = got;
        budget -= got;
    }
    free(parts);
    return SL_OK;
}
