/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules against a plain sum of shares, position by position; inverse and limits; and how
 * near the steps come to shares that move evenly. */
#include "order/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { K = 4 };

static const uint64_t half = SL_SHARE_ONE / 2, quarter = SL_SHARE_ONE / 4;

static struct sl_schedule *mixed(uint64_t n)
{
    struct sl_schedule *s;
    struct sl_pacing root = { SL_PACING_ROOT, 0.1, 0.9, 0, 1 }, step = SL_PACING_INIT;
    step.kind = SL_PACING_STEP;
    step.to = 0.5;
    const uint64_t a[K] = { half, quarter, quarter, 0 }, b[K] = { 0, 0, 0, SL_SHARE_ONE };
    const uint64_t c[K] = { 1, half - 1, half, 0 };
    assert_int_equal(sl_schedule_new(&s, K, NULL), SL_OK);
    assert_int_equal(sl_schedule_add(s, n, a, b, &root, NULL), SL_OK);
    assert_int_equal(sl_schedule_add(s, n / 3, a, NULL, NULL, NULL), SL_OK);
    assert_int_equal(sl_schedule_add(s, 0, a, NULL, NULL, NULL), SL_OK);
    assert_int_equal(sl_schedule_add(s, n, b, c, &step, NULL), SL_OK);
    assert_int_equal(sl_schedule_add(s, 1, c, NULL, NULL, NULL), SL_OK);
    return s;
}

static void targets_are_sums_of_shares(void **state)
{
    (void)state;
    const uint64_t sizes[] = { 3, 100, 65535, 65536, 65537, 200001 };
    for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
        struct sl_schedule *s = mixed(sizes[j]);
        uint64_t n = sl_schedule_n_positions(s), every = n / 1000 + 1;
        assert_int_equal(n, 2 * sizes[j] + sizes[j] / 3 + 1);
        unsigned __int128 target[K] = { 0 };
        for (uint64_t t = 0; t < n; t++) {
            struct sl_schedule_block b = sl_schedule_block(s, t);
            unsigned __int128 whole = 0;
            assert_true(b.begin <= t && t < b.end);
            for (size_t i = 0; i < K; i++) {
                uint64_t share = sl_schedule_share(s, &b, i);
                target[i] += share;
                whole += target[i];
                if (t % every)
                    continue;
                assert_true(sl_schedule_target(s, i, t + 1) == target[i]);
                /* The least t: share is 0 where the target was reached before. */
                if (share) {
                    assert_true(sl_schedule_reach(s, i, target[i]) == t + 1);
                    assert_true(sl_schedule_reach(s, i, target[i] - share + 1) == t + 1);
                } else {
                    assert_true(sl_schedule_reach(s, i, target[i]) <= t);
                }
            }
            assert_true(whole == (unsigned __int128)(t + 1) << SL_TARGET_BITS);
        }
        for (size_t i = 0; i < K; i++) {
            assert_true(sl_schedule_reach(s, i, target[i] + 1) == SL_SCHEDULE_NEVER);
            assert_true(sl_schedule_reach(s, i, 0) == 0);
            assert_int_equal(sl_schedule_lasts(s, i, n), n);
        }
        sl_schedule_free(s);
    }
}

/* Linear from 0 to 1: the target of the second source is t^2 / 2n. */
static void near_the_integral(void **state)
{
    (void)state;
    const uint64_t sizes[] = { 1000, 65536, 1000000, 10000000 };
    for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
        uint64_t n = sizes[j];
        const uint64_t a[2] = { SL_SHARE_ONE, 0 }, b[2] = { 0, SL_SHARE_ONE };
        struct sl_pacing linear = SL_PACING_INIT;
        struct sl_schedule *s;
        assert_int_equal(sl_schedule_new(&s, 2, NULL), SL_OK);
        assert_int_equal(sl_schedule_add(s, n, a, b, &linear, NULL), SL_OK);
        for (uint64_t t = 0; t <= n; t += n / 997 + 1) {
            double got = (double)sl_schedule_target(s, 1, t) / 0x1p60;
            double want = (double)t / (double)n * (double)t / 2;
            assert_true(got - want < 0.1 && want - got < 0.1);
        }
        sl_schedule_free(s);
    }
}

static void lasts(void **state)
{
    (void)state;
    const uint64_t a[2] = { half, half }, b[2] = { SL_SHARE_ONE, 0 };
    struct sl_schedule *s;
    assert_int_equal(sl_schedule_new(&s, 2, NULL), SL_OK);
    assert_int_equal(sl_schedule_lasts(s, 1, 0), 0);
    assert_int_equal(sl_schedule_add(s, 10, a, NULL, NULL, NULL), SL_OK);
    assert_int_equal(sl_schedule_add(s, 10, b, NULL, NULL, NULL), SL_OK);
    assert_int_equal(sl_schedule_lasts(s, 1, 0), 0);
    assert_int_equal(sl_schedule_lasts(s, 1, 3), 6);
    assert_int_equal(sl_schedule_lasts(s, 1, 5), 20);
    assert_int_equal(sl_schedule_lasts(s, 0, 10), 15);
    assert_int_equal(sl_schedule_lasts(s, 0, UINT64_MAX), 20);
    sl_schedule_free(s);
}

/* A segment in parts is the same segment. */
static void parts(void **state)
{
    (void)state;
    const uint64_t sizes[] = { 5, 1000, 65536, 65537, 150001 };
    const uint64_t a[K] = { half, quarter, quarter, 0 }, b[K] = { 0, 1, 2, SL_SHARE_ONE - 3 };
    const struct sl_pacing root = { SL_PACING_ROOT, 0.1, 0.9, 0.05, 0.8 };
    for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
        uint64_t n = sizes[j], cuts[] = { 0, 1, n / 3, n / 3, n / 3 + 1, n - 1, n };
        struct sl_schedule *whole, *parts;
        assert_int_equal(sl_schedule_new(&whole, K, NULL), SL_OK);
        assert_int_equal(sl_schedule_new(&parts, K, NULL), SL_OK);
        assert_int_equal(sl_schedule_add(whole, n, a, b, &root, NULL), SL_OK);
        for (size_t i = 0; i + 1 < sizeof cuts / sizeof *cuts; i++) {
            const struct sl_schedule_part part = { n, cuts[i], cuts[i + 1] };
            assert_int_equal(sl_schedule_add_part(parts, &part, a, b, &root, NULL), SL_OK);
        }
        assert_int_equal(sl_schedule_n_positions(parts), n);
        for (uint64_t t = 0; t <= n; t += 1 + (t > 9 && t + 9 < n ? n / 3000 : 0)) {
            for (size_t i = 0; i < K; i++) {
                unsigned __int128 target = sl_schedule_target(whole, i, t);
                assert_true(sl_schedule_target(parts, i, t) == target);
                assert_true(sl_schedule_reach(parts, i, target) ==
                            sl_schedule_reach(whole, i, target));
            }
            struct sl_schedule_block block = sl_schedule_block(parts, t < n ? t : n - 1);
            assert_true(block.begin <= t && (t == n || t < block.end));
        }
        sl_schedule_free(whole);
        sl_schedule_free(parts);
    }
}

static void refused(void **state)
{
    (void)state;
    struct sl_schedule *s;
    assert_int_equal(sl_schedule_new(&s, 0, NULL), SL_E_USAGE);
    assert_int_equal(sl_schedule_new(&s, SL_SHARE_MAX_SOURCES + 1, NULL), SL_E_USAGE);
    assert_int_equal(sl_schedule_new(&s, 2, NULL), SL_OK);
    const uint64_t less[2] = { half, half - 1 }, more[2] = { half, half + 1 },
                   good[2] = { half, half };
    const uint64_t wraps[2] = { half, UINT64_MAX - half };
    struct sl_pacing bad = { SL_PACING_ROOT, 1, 0, 0, 1 }, fine = SL_PACING_INIT;
    assert_int_equal(sl_schedule_add(s, 1, less, NULL, NULL, NULL), SL_E_USAGE);
    assert_int_equal(sl_schedule_add(s, 1, more, NULL, NULL, NULL), SL_E_USAGE);
    assert_int_equal(sl_schedule_add(s, 1, wraps, NULL, NULL, NULL), SL_E_USAGE);
    assert_int_equal(sl_schedule_add(s, 1, good, less, &fine, NULL), SL_E_USAGE);
    assert_int_equal(sl_schedule_add(s, 1, good, good, &bad, NULL), SL_E_USAGE);
    assert_int_equal(sl_schedule_add(s, SL_SCHEDULE_MAX, good, NULL, NULL, NULL), SL_E_USAGE);
    const struct sl_schedule_part behind = { 5, 2, 6 }, turned = { 5, 3, 2 };
    assert_int_equal(sl_schedule_add_part(s, &behind, good, NULL, NULL, NULL), SL_E_USAGE);
    assert_int_equal(sl_schedule_add_part(s, &turned, good, NULL, NULL, NULL), SL_E_USAGE);
    assert_int_equal(sl_schedule_add(s, SL_SCHEDULE_MAX - 1, good, good, &fine, NULL), SL_OK);
    assert_int_equal(sl_schedule_add(s, 1, good, NULL, NULL, NULL), SL_E_USAGE);
    assert_true(sl_schedule_target(s, 0, SL_SCHEDULE_MAX - 1) ==
                (unsigned __int128)(SL_SCHEDULE_MAX - 1) << (SL_TARGET_BITS - 1));
    sl_schedule_free(s);
    sl_schedule_free(NULL);
}

/* Segments that are taken away and added again make the same schedule. */
static void cut(void **state)
{
    (void)state;
    struct sl_schedule *s, *whole;
    const uint64_t even[2] = { half, half }, one[2] = { SL_SHARE_ONE, 0 };
    struct sl_pacing fine = SL_PACING_INIT;
    assert_int_equal(sl_schedule_new(&s, 2, NULL), SL_OK);
    assert_int_equal(sl_schedule_new(&whole, 2, NULL), SL_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(sl_schedule_add(s, 10, even, i == 1 ? one : NULL, &fine, NULL), SL_OK);
    sl_schedule_cut(s, 30);
    assert_int_equal(sl_schedule_n_positions(s), 30);
    sl_schedule_cut(s, 19);
    assert_int_equal(sl_schedule_n_positions(s), 10);
    assert_int_equal(sl_schedule_add(s, 7, one, NULL, NULL, NULL), SL_OK);
    assert_int_equal(sl_schedule_add(whole, 10, even, NULL, NULL, NULL), SL_OK);
    assert_int_equal(sl_schedule_add(whole, 7, one, NULL, NULL, NULL), SL_OK);
    for (uint64_t t = 0; t <= 17; t++)
        assert_true(sl_schedule_target(s, 0, t) == sl_schedule_target(whole, 0, t));
    assert_int_equal(sl_schedule_lasts(s, 1, 4), sl_schedule_lasts(whole, 1, 4));
    sl_schedule_cut(s, 0);
    assert_int_equal(sl_schedule_n_positions(s), 0);
    sl_schedule_free(s);
    sl_schedule_free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_sums_of_shares),
        cmocka_unit_test(near_the_integral),
        cmocka_unit_test(lasts),
        cmocka_unit_test(parts),
        cmocka_unit_test(refused),
        cmocka_unit_test(cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
