/* SPDX-License-Identifier: Apache-2.0 */
/* The bound of the chairman assignment, against targets that are summed up here share by
 * share: many random mixtures, standing still and moving, few sources and many. And that plain
 * greedy does not keep it. */
#include "order/assign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "order/shuffle.h"

#define ONE ((int64_t)1 << SL_TARGET_BITS)

static uint64_t rng_state;

static uint64_t rng(uint64_t below)
{
    rng_state += SL_SHUFFLE_GOLDEN;
    return (uint64_t)((unsigned __int128)sl_mix64(rng_state) * below >> 64);
}

/* Shares of one of several shapes: even, random, heavy-tailed, with zeros, nearly all one; or in
 * 64ths, which make times equal that else differ. */
static void random_shares(uint64_t *shares, size_t k)
{
    if (rng(3) == 0) {
        memset(shares, 0, k * sizeof *shares);
        for (int i = 0; i < 64; i++)
            shares[rng(2) ? rng(k) : 0] += SL_SHARE_ONE / 64;
        return;
    }
    double *w = malloc(k * sizeof *w);
    assert_non_null(w);
    unsigned shape = (unsigned)rng(6);
    for (size_t i = 0; i < k; i++) {
        double u = (double)(1 + rng(1000000)) / 1e6;
        w[i] = shape == 0   ? 1
               : shape == 1 ? u
               : shape == 2 ? u * u * u * u * u * u
               : shape == 3 ? (rng(3) ? u : 0)
               : shape == 4 ? 1e-9 * u
                            : (double)(1 + rng(3));
    }
    w[rng(k)] += shape == 4 ? 1 : 0.001;
    assert_int_equal(sl_shares_divide(w, k, SL_SHARE_ONE, shares, NULL), SL_OK);
    free(w);
}

static struct sl_pacing random_pacing(void)
{
    struct sl_pacing p = SL_PACING_INIT;
    p.kind = (enum sl_pacing_kind)rng(SL_N_PACINGS);
    p.start = (double)rng(500) / 1000;
    p.max = 0.5 + (double)rng(501) / 1000;
    p.from = (double)rng(300) / 1000;
    p.to = 0.5 + (double)rng(501) / 1000;
    return p;
}

static struct sl_schedule *random_schedule(size_t k, uint64_t n, unsigned segments)
{
    struct sl_schedule *s;
    uint64_t *from = malloc(k * sizeof *from), *to = malloc(k * sizeof *to);
    assert_int_equal(sl_schedule_new(&s, k, NULL), SL_OK);
    for (unsigned i = 0; i < segments; i++) {
        struct sl_pacing p = random_pacing();
        random_shares(from, k);
        random_shares(to, k);
        assert_int_equal(
            sl_schedule_add(s, rng(2 * n / segments + 1), from, rng(3) ? to : NULL, &p, NULL),
            SL_OK);
    }
    free(from);
    free(to);
    return s;
}

/* Run a schedule to its end; fails where an error leaves the bound. Returns the largest. */
static int64_t run(const struct sl_schedule *s)
{
    size_t k = sl_schedule_n_sources(s);
    uint64_t n = sl_schedule_n_positions(s), *share = calloc(k, sizeof *share);
    int64_t *error = calloc(k, sizeof *error), largest = 0;
    int64_t bound = k > 1 ? ONE - ((ONE - 1) / (2 * (int64_t)k - 2) + 1) : 0;
    struct sl_schedule_block b = { 0, 0, 0, 0 };
    struct sl_assign *a;
    uint32_t who;
    assert_non_null(share);
    assert_non_null(error);
    assert_int_equal(sl_assign_new(&a, s, NULL), SL_OK);
    for (uint64_t t = 0; t < n; t++) {
        if (t >= b.end) {
            b = sl_schedule_block(s, t);
            assert_true(b.begin == t && b.end > t);
            for (size_t i = 0; i < k; i++)
                share[i] = sl_schedule_share(s, &b, i);
        }
        assert_true(sl_assign_next(a, &who) && who < k);
        error[who] -= ONE;
        int64_t worst = 0;
        for (size_t i = 0; i < k; i++) {
            error[i] += (int64_t)share[i];
            int64_t size = error[i] < 0 ? -error[i] : error[i];
            worst = size > worst ? size : worst;
        }
        if (worst > bound)
            fail_msg("an error of %g after %llu positions, %zu sources",
                     (double)worst / (double)ONE, (unsigned long long)t + 1, k);
        largest = worst > largest ? worst : largest;
    }
    assert_false(sl_assign_next(a, &who));
    assert_int_equal(sl_assign_position(a), n);
    for (size_t i = 0; i < k; i++) {
        __int128 counted = (__int128)sl_assign_count(a, i) * ONE + error[i];
        assert_true(counted == (__int128)sl_schedule_target(s, i, n));
    }
    sl_assign_free(a);
    free(share);
    free(error);
    return largest;
}

static void bound_for_random_mixtures(void **state)
{
    (void)state;
    rng_state = 1;
    for (int i = 0; i < 3000; i++) {
        size_t k = 1 + rng(rng(4) ? 12 : 60);
        uint64_t *shares = malloc(k * sizeof *shares);
        struct sl_schedule *s;
        random_shares(shares, k);
        assert_int_equal(sl_schedule_new(&s, k, NULL), SL_OK);
        assert_int_equal(sl_schedule_add(s, 1 + rng(1500), shares, NULL, NULL, NULL), SL_OK);
        run(s);
        sl_schedule_free(s);
        free(shares);
    }
}

static void bound_while_shares_move(void **state)
{
    (void)state;
    rng_state = 2;
    for (int i = 0; i < 1500; i++) {
        struct sl_schedule *s =
            random_schedule(1 + rng(rng(4) ? 12 : 60), 1 + rng(1000), 1 + (unsigned)rng(5));
        run(s);
        sl_schedule_free(s);
    }
}

static void bound_for_long_runs_and_many_sources(void **state)
{
    (void)state;
    rng_state = 3;
    const struct {
        size_t k;
        uint64_t n;
        unsigned segments;
    } cases[] = { { 10, 1000000, 1 }, { 3, 300000, 4 }, { 30, 200000, 3 }, { 1000, 10000, 3 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sl_schedule *s = random_schedule(cases[i].k, cases[i].n, cases[i].segments);
        run(s);
        sl_schedule_free(s);
    }
}

/* The bound is reached by three sources, so a test of it is no empty one. */
static void bound_is_reached(void **state)
{
    (void)state;
    rng_state = 4;
    int64_t largest = 0;
    for (int i = 0; i < 300; i++) {
        struct sl_schedule *s = random_schedule(3, 400, 3);
        int64_t l = run(s);
        largest = l > largest ? l : largest;
        sl_schedule_free(s);
    }
    assert_true(largest == ONE / 4 * 3);
}

/* The largest w_i n - count_i, as is common: while the large sources come round, the small ones
 * fall further and further behind, and are then served all at once. */
static void greedy_breaks_the_bound(void **state)
{
    (void)state;
    enum { K = 10 };
    double w[K] = { 1, 1, 3, 3, 5, 34, 55, 144, 144, 144 };
    uint64_t shares[K];
    assert_int_equal(sl_shares_divide(w, K, SL_SHARE_ONE, shares, NULL), SL_OK);
    int64_t error[K] = { 0 }, worst = 0;
    for (int t = 0; t < 1000; t++) {
        int best = 0;
        for (int i = 0; i < K; i++) {
            error[i] += (int64_t)shares[i] << 24;
            best = error[i] > error[best] ? i : best;
        }
        error[best] -= ONE;
        for (int i = 0; i < K; i++)
            worst = llabs(error[i]) > worst ? llabs(error[i]) : worst;
    }
    assert_true(worst > ONE / 10 * 13);
    struct sl_schedule *s;
    assert_int_equal(sl_schedule_new(&s, K, NULL), SL_OK);
    assert_int_equal(sl_schedule_add(s, 1000, shares, NULL, NULL, NULL), SL_OK);
    assert_true(run(s) < ONE);
    sl_schedule_free(s);
}

/* Where a source of known size ends its segment is the last moment at which the
 * assignment is sure not to ask for more. */
static void known_sizes_are_never_passed(void **state)
{
    (void)state;
    rng_state = 5;
    for (int round = 0; round < 300; round++) {
        size_t k = 2 + rng(8), dry = rng(k);
        uint64_t shares[10], rest[10], size = rng(50);
        struct sl_schedule *s, *cut;
        random_shares(shares, k);
        random_shares(rest, k);
        uint64_t given = rest[dry];
        rest[dry] = 0;
        rest[dry ? 0 : 1] += given;
        assert_int_equal(sl_schedule_new(&s, k, NULL), SL_OK);
        assert_int_equal(sl_schedule_add(s, 500, shares, NULL, NULL, NULL), SL_OK);
        uint64_t lasts = sl_schedule_lasts(s, dry, size);
        assert_int_equal(sl_schedule_new(&cut, k, NULL), SL_OK);
        assert_int_equal(sl_schedule_add(cut, lasts, shares, NULL, NULL, NULL), SL_OK);
        assert_int_equal(sl_schedule_add(cut, 500, rest, NULL, NULL, NULL), SL_OK);
        run(cut);
        struct sl_assign *a;
        uint32_t who;
        assert_int_equal(sl_assign_new(&a, cut, NULL), SL_OK);
        while (sl_assign_next(a, &who))
            assert_true(sl_assign_count(a, dry) <= size);
        assert_true(lasts == 500 || sl_assign_count(a, dry) + 2 > size);
        sl_assign_free(a);
        sl_schedule_free(s);
        sl_schedule_free(cut);
    }
}

static void switching(void **state)
{
    (void)state;
    rng_state = 6;
    struct sl_schedule *s = random_schedule(7, 300, 2), *other = random_schedule(8, 10, 1);
    struct sl_assign *a, *fresh;
    uint32_t x, y;
    assert_int_equal(sl_assign_new(&a, s, NULL), SL_OK);
    for (int i = 0; i < 20; i++)
        assert_true(sl_assign_next(a, &x));
    assert_int_equal(sl_assign_switch(a, other, NULL), SL_E_USAGE);
    assert_int_equal(sl_assign_switch(a, s, NULL), SL_OK);
    assert_int_equal(sl_assign_new(&fresh, s, NULL), SL_OK);
    while (sl_assign_next(fresh, &y))
        assert_true(sl_assign_next(a, &x) && x == y);
    sl_assign_free(a);
    sl_assign_free(fresh);
    sl_assign_free(NULL);
    sl_schedule_free(s);
    sl_schedule_free(other);
}

static void resuming(void **state)
{
    (void)state;
    rng_state = 7;
    for (int round = 0; round < 200; round++) {
        size_t k = 1 + rng(rng(2) ? 6 : 40);
        struct sl_schedule *s = random_schedule(k, 300, 3);
        uint64_t at = rng(sl_schedule_n_positions(s) + 1), counts[41];
        struct sl_assign *a, *b;
        uint32_t x, y;
        assert_int_equal(sl_assign_new(&a, s, NULL), SL_OK);
        assert_int_equal(sl_assign_new(&b, s, NULL), SL_OK);
        for (uint64_t t = 0; t < at; t++)
            assert_true(sl_assign_next(a, &x));
        for (size_t i = 0; i < k; i++)
            counts[i] = sl_assign_count(a, i);
        counts[0]++;
        assert_int_equal(sl_assign_resume(b, at, counts, NULL), SL_E_DATA);
        counts[0] -= 2;
        assert_int_equal(sl_assign_resume(b, at, counts, NULL), SL_E_DATA);
        counts[0]++;
        assert_int_equal(sl_assign_resume(b, sl_schedule_n_positions(s) + 1, counts, NULL),
                         SL_E_DATA);
        assert_int_equal(sl_assign_position(b), 0);
        assert_int_equal(sl_assign_resume(b, at, counts, NULL), SL_OK);
        while (sl_assign_next(a, &x))
            assert_true(sl_assign_next(b, &y) && x == y);
        assert_false(sl_assign_next(b, &y));
        counts[0] = sl_schedule_n_positions(s); /* sums up, but the others gave nothing */
        for (size_t i = 1; i < k; i++)
            counts[i] = 0;
        bool all = sl_schedule_target(s, 0, counts[0]) + ONE > (unsigned __int128)counts[0]
                                                                   << SL_TARGET_BITS;
        if (k > 1 && !all)
            assert_int_equal(sl_assign_resume(b, counts[0], counts, NULL), SL_E_DATA);
        sl_assign_free(a);
        sl_assign_free(b);
        sl_schedule_free(s);
    }
}

/* Nothing drifts where positions are many: the target at 10^12 is exact, and the sources
 * due around it are found. */
static void far_targets(void **state)
{
    (void)state;
    const double w[3] = { 0.7, 0.2, 0.1 };
    uint64_t shares[3], n = 1000000000000;
    struct sl_schedule *s;
    assert_int_equal(sl_shares_divide(w, 3, SL_SHARE_ONE, shares, NULL), SL_OK);
    assert_int_equal(sl_schedule_new(&s, 3, NULL), SL_OK);
    assert_int_equal(sl_schedule_add(s, n, shares, NULL, NULL, NULL), SL_OK);
    for (size_t i = 0; i < 3; i++) {
        unsigned __int128 at = sl_schedule_target(s, i, n);
        assert_true(at == (unsigned __int128)(shares[i] << 24) * n);
        assert_int_equal(sl_schedule_reach(s, i, at), n);
        assert_true(sl_schedule_reach(s, i, at + 1) == SL_SCHEDULE_NEVER);
        assert_int_equal(sl_schedule_reach(s, i, at - ((unsigned __int128)shares[i] << 24)), n - 1);
    }
    sl_schedule_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bound_for_random_mixtures),
        cmocka_unit_test(bound_while_shares_move),
        cmocka_unit_test(bound_for_long_runs_and_many_sources),
        cmocka_unit_test(bound_is_reached),
        cmocka_unit_test(greedy_breaks_the_bound),
        cmocka_unit_test(known_sizes_are_never_passed),
        cmocka_unit_test(switching),
        cmocka_unit_test(resuming),
        cmocka_unit_test(far_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
