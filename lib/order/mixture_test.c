/* SPDX-License-Identifier: Apache-2.0 */
/* Shares: exact sums, largest remainders, hand-worked UniMax, refused weights. */
#include "order/mixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "order/shuffle.h"

static uint64_t sum(const uint64_t *v, size_t n)
{
    uint64_t s = 0;
    for (size_t i = 0; i < n; i++)
        s += v[i];
    return s;
}

static void largest_remainders(void **state)
{
    (void)state;
    uint64_t s[4];
    /* 10 by 3 3 3 1: 3, 3, 3, 1 exactly; 11: one more to the largest remainder. */
    const uint64_t w[4] = { 3, 3, 3, 1 };
    assert_int_equal(sl_shares_divide_units(w, 4, 10, s, NULL), SL_OK);
    assert_true(s[0] == 3 && s[1] == 3 && s[2] == 3 && s[3] == 1);
    assert_int_equal(sl_shares_divide_units(w, 4, 11, s, NULL), SL_OK); /* 3.3 3.3 3.3 1.1 */
    assert_true(s[0] == 4 && s[1] == 3 && s[2] == 3 && s[3] == 1);
    const uint64_t v[4] = { 1, 2, 2, 2 };
    assert_int_equal(sl_shares_divide_units(v, 4, 5, s, NULL), SL_OK); /* .71 1.43 1.43 1.43 */
    assert_true(s[0] == 1 && s[1] == 2 && s[2] == 1 && s[3] == 1);
    const double d[3] = { 0.7, 0.25, 0.05 };
    assert_int_equal(sl_shares_divide(d, 3, SL_SHARE_ONE, s, NULL), SL_OK);
    assert_true(s[0] == 48103633715 && s[1] == 17179869184 && s[2] == 3435973837);
    const double one[1] = { 5e-324 };
    assert_int_equal(sl_shares_divide(one, 1, SL_SHARE_ONE, s, NULL), SL_OK);
    assert_true(s[0] == SL_SHARE_ONE);
    const double far[2] = { 1e300, 1 };
    assert_int_equal(sl_shares_divide(far, 2, SL_SHARE_ONE, s, NULL), SL_OK);
    assert_true(s[0] == SL_SHARE_ONE && s[1] == 0);
}

static void sums_are_exact(void **state)
{
    (void)state;
    static double w[SL_SHARE_MAX_SOURCES];
    static uint64_t u[SL_SHARE_MAX_SOURCES], s[SL_SHARE_MAX_SOURCES];
    uint64_t x = 1;
    for (int round = 0; round < 2000; round++) {
        x = sl_mix64(x);
        size_t n = 1 + x % 60;
        uint64_t total = round % 2 ? SL_SHARE_ONE : x >> 28;
        double all = 0;
        for (size_t i = 0; i < n; i++) {
            x = sl_mix64(x + i);
            w[i] = (double)(x >> 40) * (double)(1 + (x & 255));
            all += w[i];
        }
        assert_int_equal(sl_shares_divide(w, n, total, s, NULL), SL_OK);
        assert_int_equal(sum(s, n), total);
        for (size_t i = 0; i < n; i++) {
            double off = (double)s[i] - w[i] / all * (double)total;
            assert_true(off > -1.001 && off < 1.001);
        }
    }
    for (size_t i = 0; i < SL_SHARE_MAX_SOURCES; i++)
        u[i] = ((uint64_t)1 << 62) - 1 - i;
    assert_int_equal(sl_shares_divide_units(u, SL_SHARE_MAX_SOURCES, SL_SHARE_ONE, s, NULL), SL_OK);
    assert_int_equal(sum(s, SL_SHARE_MAX_SOURCES), SL_SHARE_ONE);
    assert_int_equal(s[0], SL_SHARE_ONE / SL_SHARE_MAX_SOURCES);
}

static void alpha(void **state)
{
    (void)state;
    const uint64_t sizes[4] = { 1000000, 10000, 100, 0 };
    uint64_t s[4], t[4];
    assert_int_equal(sl_shares_alpha(sizes, 4, 1, SL_SHARE_ONE, s, NULL), SL_OK);
    assert_int_equal(sl_shares_divide_units(sizes, 4, SL_SHARE_ONE, t, NULL), SL_OK);
    assert_memory_equal(s, t, sizeof s);
    /* By the square root: 1000, 100, 10. */
    const uint64_t roots[4] = { 1000, 100, 10, 0 };
    assert_int_equal(sl_shares_alpha(sizes, 4, 0.5, SL_SHARE_ONE / 2, s, NULL), SL_OK);
    assert_int_equal(sl_shares_divide_units(roots, 4, SL_SHARE_ONE / 2, t, NULL), SL_OK);
    assert_memory_equal(s, t, sizeof s);
    assert_int_equal(sl_shares_alpha(sizes, 4, 0, 3, s, NULL), SL_OK);
    assert_true(s[0] == 1 && s[1] == 1 && s[2] == 1 && s[3] == 0);
}

static void unimax(void **state)
{
    (void)state;
    const uint64_t sizes[4] = { 1000, 10, 300, 50 };
    uint64_t u[4];
    /* 10 x 4 of 25 each; then 20 of (100-25)/3 ... : nobody is capped */
    assert_int_equal(sl_shares_unimax(sizes, 4, 100, 4, u, NULL), SL_OK);
    assert_true(u[1] == 25 && u[3] == 25 && u[2] == 25 && u[0] == 25);
    /* 40 of 250 to the smallest, 200 of 320 to the next, 380 each to the others */
    assert_int_equal(sl_shares_unimax(sizes, 4, 1000, 4, u, NULL), SL_OK);
    assert_true(u[1] == 40 && u[3] == 200 && u[2] == 380 && u[0] == 380);
    /* All are capped. */
    assert_int_equal(sl_shares_unimax(sizes, 4, 5000, 1.5, u, NULL), SL_OK);
    assert_true(u[1] == 15 && u[3] == 75 && u[2] == 450 && u[0] == 1500);
    /* Rounding down leaves nothing behind: the last takes it. */
    assert_int_equal(sl_shares_unimax(sizes, 3, 101, 100, u, NULL), SL_OK);
    assert_true(u[1] == 33 && u[2] == 34 && u[0] == 34);
    assert_int_equal(sl_shares_unimax(sizes, 3, 0, 100, u, NULL), SL_OK);
    assert_int_equal(sum(u, 3), 0);
}

static void refused(void **state)
{
    (void)state;
    const double bad[][2] = {
        { -1, 2 }, { __builtin_nan(""), 1 }, { 1, __builtin_inf() }, { 0, 0 }
    };
    const uint64_t large[2] = { (uint64_t)1 << 62, 1 };
    uint64_t s[2];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(sl_shares_divide(bad[i], 2, SL_SHARE_ONE, s, NULL), SL_E_USAGE);
    assert_int_equal(sl_shares_divide_units(large, 2, 1, s, NULL), SL_E_USAGE);
    assert_int_equal(sl_shares_divide_units(large + 1, 1, SL_SHARE_ONE + 1, s, NULL), SL_E_USAGE);
    assert_int_equal(sl_shares_divide_units(large, 0, 1, s, NULL), SL_E_USAGE);
    assert_int_equal(sl_shares_alpha(large, 2, 1, 1, s, NULL), SL_E_USAGE);
    assert_int_equal(sl_shares_alpha(large + 1, 1, -1, 1, s, NULL), SL_E_USAGE);
    assert_int_equal(sl_shares_unimax(large, 2, 1, 1, s, NULL), SL_E_USAGE);
    assert_int_equal(sl_shares_unimax(large + 1, 1, 1, 0, s, NULL), SL_E_USAGE);
    assert_int_equal(sl_shares_unimax(large + 1, 1, large[0], 1, s, NULL), SL_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(largest_remainders),
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(alpha),
        cmocka_unit_test(unimax),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
