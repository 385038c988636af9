/* SPDX-License-Identifier: Apache-2.0 */
/* Pools: every item once, never from outside of the pool, the size as the formula says, the
 * background as many as asked for and from everywhere; no place preferred. */
#include "order/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "order/shuffle.h"

static uint64_t rng_state;

static uint64_t rng(uint64_t below)
{
    rng_state += SL_SHUFFLE_GOLDEN;
    return (uint64_t)((unsigned __int128)sl_mix64(rng_state) * below >> 64);
}

static void check_pool(const struct sl_pool_conf *c)
{
    uint8_t *seen = calloc(c->n_items + 1, 1);
    struct sl_pool *p;
    assert_int_equal(sl_pool_new(&p, c, NULL), SL_OK);
    uint64_t rank, n = 0, all = 0, last = 0;
    bool from_all;
    while (sl_pool_next(p, &rank, &from_all)) {
        assert_true(rank < c->n_items && !seen[rank]);
        seen[rank] = 1;
        uint64_t size = sl_pool_size(c, n);
        double share = sl_pacing_at(&c->pacing, (double)n / (double)c->n_draws);
        double off = (double)size - share * (double)c->n_items;
        assert_true(size == n + 1 || (off <= 0.5 && off >= -0.5));
        assert_true(off >= -0.5 && size >= last && size <= c->n_items);
        assert_true(from_all || rank < size);
        assert_int_equal(from_all, sl_pool_is_background(c, n));
        last = size;
        n++;
        all += from_all;
        double wanted = c->background * (double)n - (double)all;
        assert_true(wanted > -0.001 && wanted < 1.001);
    }
    assert_int_equal(n, c->n_draws);
    assert_false(sl_pool_next(p, &rank, NULL));
    sl_pool_free(p);
    free(seen);
}

static void every_item_once(void **state)
{
    (void)state;
    rng_state = 1;
    for (int i = 0; i < 4000; i++) {
        struct sl_pool_conf c = { .n_items = rng(rng(2) ? 12 : 700), .seed = rng(1000) };
        c.n_draws = rng(3) ? c.n_items : rng(c.n_items + 1);
        c.background = rng(3) ? (double)rng(1001) / 1000 : (double)rng(2);
        c.pacing.kind = (enum sl_pacing_kind)rng(SL_N_PACINGS);
        c.pacing.max = (double)rng(1001) / 1000;
        c.pacing.start = c.pacing.max * (double)rng(1001) / 1000;
        c.pacing.from = (double)rng(500) / 1000;
        c.pacing.to = c.pacing.from + 0.001 + (0.999 - c.pacing.from) * (double)rng(1000) / 1000;
        check_pool(&c);
    }
}

/* With a pool that stays at the easiest half, until that is used up, the items of a half come
 * at random, and a background of a fifth brings the others evenly. */
static void no_place_is_preferred(void **state)
{
    (void)state;
    enum { N = 40000, PARTS = 10 };
    struct sl_pool_conf c = { .n_items = N,
                              .n_draws = N / 4,
                              .background = 0.2,
                              .seed = 3,
                              .pacing = { SL_PACING_LINEAR, 0.5, 0.5, 0, 1 } };
    struct sl_pool *p;
    uint64_t rank, drawn[PARTS] = { 0 }, early[PARTS] = { 0 }, n = 0;
    assert_int_equal(sl_pool_new(&p, &c, NULL), SL_OK);
    while (sl_pool_next(p, &rank, NULL)) {
        drawn[rank * PARTS / N]++;
        early[rank * PARTS / N] += n++ < N / 8;
    }
    sl_pool_free(p);
    for (int i = 0; i < PARTS; i++) {
        /* 10,000 draws: 8,000 in the easy half, and 2,000 in (nearly) all parts */
        double want = i < 5 ? 1600 + 200 : 200, off = (double)drawn[i] - want;
        assert_true(off * off < 25 * want);
        off = (double)early[i] - want / 2;
        assert_true(off * off < 25 * want / 2);
    }
}

static void one_seed_one_order(void **state)
{
    (void)state;
    struct sl_pool_conf c = { .n_items = 500,
                              .n_draws = 500,
                              .background = 0.1,
                              .seed = 3,
                              .pacing = { SL_PACING_ROOT, 0.1, 1, 0, 1 } };
    struct sl_pool *a, *b, *other;
    uint64_t x, y, z, same = 0;
    assert_int_equal(sl_pool_new(&a, &c, NULL), SL_OK);
    assert_int_equal(sl_pool_new(&b, &c, NULL), SL_OK);
    c.seed = 4;
    assert_int_equal(sl_pool_new(&other, &c, NULL), SL_OK);
    while (sl_pool_next(a, &x, NULL)) {
        assert_true(sl_pool_next(b, &y, NULL) && x == y);
        assert_true(sl_pool_next(other, &z, NULL));
        same += x == z;
    }
    assert_true(same < 50);
    sl_pool_free(a);
    sl_pool_free(b);
    sl_pool_free(other);
    sl_pool_free(NULL);
}

static void refused(void **state)
{
    (void)state;
    struct sl_pool *p;
    const struct sl_pool_conf good = { .n_items = 5, .n_draws = 5, .pacing = SL_PACING_INIT };
    struct sl_pool_conf c = good;
    c.n_draws = 6;
    assert_int_equal(sl_pool_new(&p, &c, NULL), SL_E_USAGE);
    c = good;
    c.n_items = SL_POOL_MAX + 1;
    assert_int_equal(sl_pool_new(&p, &c, NULL), SL_E_USAGE);
    c = good;
    c.background = 1.01;
    assert_int_equal(sl_pool_new(&p, &c, NULL), SL_E_USAGE);
    c.background = __builtin_nan("");
    assert_int_equal(sl_pool_new(&p, &c, NULL), SL_E_USAGE);
    c = good;
    c.pacing.start = 2;
    assert_int_equal(sl_pool_new(&p, &c, NULL), SL_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_once),
        cmocka_unit_test(no_place_is_preferred),
        cmocka_unit_test(one_seed_one_order),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
