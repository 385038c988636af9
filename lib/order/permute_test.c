/* SPDX-License-Identifier: Apache-2.0 */
/* Orders: small ones written out by hand, and thousands of random ones as bijections with
 * their inverse; the largest by samples. */
#include "order/permute.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(const struct sl_permute_conf *c, const uint64_t *ranks)
{
    struct sl_permute o;
    assert_int_equal(sl_permute_init(&o, c, NULL), SL_OK);
    for (uint64_t p = 0; p < c->n; p++) {
        assert_int_equal(sl_permute_rank(&o, p), ranks[p]);
        assert_int_equal(sl_permute_position(&o, ranks[p]), p);
    }
}

static void by_hand(void **state)
{
    (void)state;
    struct sl_permute_conf c = sl_permute_usual(SL_PERMUTE_SORT, 4, 0);
    expect(&c, (const uint64_t[]){ 0, 1, 2, 3 });
    c.hard_first = true;
    expect(&c, (const uint64_t[]){ 3, 2, 1, 0 });

    c = sl_permute_usual(SL_PERMUTE_FOLDING, 8, 0);
    c.layers = 3;
    expect(&c, (const uint64_t[]){ 0, 3, 6, 1, 4, 7, 2, 5 });
    c.hard_first = true;
    expect(&c, (const uint64_t[]){ 7, 4, 1, 6, 3, 0, 5, 2 });
    c.hard_first = false;
    c.kind = SL_PERMUTE_ZIGZAG;
    expect(&c, (const uint64_t[]){ 0, 3, 6, 7, 4, 1, 2, 5 });
    c.layers = 20; /* more layers than items: each has one or none */
    expect(&c, (const uint64_t[]){ 0, 1, 2, 3, 4, 5, 6, 7 });

    /* The border lies in the middle, 2 ranks to each side. */
    c = sl_permute_usual(SL_PERMUTE_STAIR, 10, 0);
    c.layers = 2;
    expect(&c, (const uint64_t[]){ 0, 1, 2, 3, 5, 4, 6, 7, 8, 9 });
    c.kind = SL_PERMUTE_SAW;
    expect(&c, (const uint64_t[]){ 0, 1, 2, 3, 5, 6, 4, 7, 8, 9 });
    c.n = 12; /* borders at 4 and 8, 2 to each side: they touch */
    c.parts = 3;
    c.radius = 1.0 / 6;
    expect(&c, (const uint64_t[]){ 0, 1, 2, 4, 5, 3, 6, 8, 9, 7, 10, 11 });
    c.parts = 1; /* no border */
    expect(&c, (const uint64_t[]){ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 });
}

static void segments(void **state)
{
    (void)state;
    struct sl_permute_conf c = sl_permute_usual(SL_PERMUTE_SEGMENTS, 1000, 3);
    struct sl_permute o;
    c.first = 0.1;
    c.last = 0.2;
    assert_int_equal(sl_permute_init(&o, &c, NULL), SL_OK);
    uint64_t moved = 0;
    for (uint64_t p = 0; p < 1000; p++) {
        uint64_t r = sl_permute_rank(&o, p);
        if (p < 100 || p >= 800)
            assert_int_equal(r, p);
        else
            assert_true(r >= 100 && r < 800);
        moved += r != p;
    }
    assert_true(moved > 650);
    c.same_end = true;
    assert_int_equal(sl_permute_init(&o, &c, NULL), SL_OK);
    for (uint64_t p = 0; p < 1000; p++) {
        uint64_t r = sl_permute_rank(&o, p);
        if (p < 100)
            assert_int_equal(r, p);
        else if (p >= 800)
            assert_int_equal(r, p - 700);
        else
            assert_true(r >= 300);
    }
}

static void jitter(void **state)
{
    (void)state;
    struct sl_permute_conf c = sl_permute_usual(SL_PERMUTE_JITTER, 1037, 3);
    struct sl_permute o;
    c.window = 50;
    assert_int_equal(sl_permute_init(&o, &c, NULL), SL_OK);
    for (uint64_t p = 0; p < c.n; p++)
        assert_int_equal(sl_permute_rank(&o, p) / 50, p / 50);
    /* Windows are shuffled apart from each other. */
    uint64_t same = 0;
    for (uint64_t p = 0; p < 50; p++)
        same += sl_permute_rank(&o, p) + 50 == sl_permute_rank(&o, p + 50);
    assert_true(same < 10);
    c.window = 1;
    assert_int_equal(sl_permute_init(&o, &c, NULL), SL_OK);
    for (uint64_t p = 0; p < c.n; p++)
        assert_int_equal(sl_permute_rank(&o, p), p);
}

static uint64_t rng_state;

static uint64_t rng(uint64_t below)
{
    rng_state += SL_SHUFFLE_GOLDEN;
    return (uint64_t)((unsigned __int128)sl_mix64(rng_state) * below >> 64);
}

static struct sl_permute_conf random_conf(uint64_t n)
{
    struct sl_permute_conf c = { .kind = (enum sl_permute_kind)rng(SL_N_PERMUTES), .n = n };
    c.hard_first = rng(2);
    c.same_end = rng(2);
    c.seed = rng(UINT64_MAX);
    c.layers = 1 + rng(rng(3) ? 7 : n + 9);
    c.parts = 1 + rng(rng(3) ? 7 : n + 9);
    c.radius = (double)rng(1001) / 2000 / (double)c.parts;
    c.first = (double)rng(1001) / 1000;
    c.last = (1 - c.first) * (double)rng(1001) / 1000;
    c.window = 1 + rng(rng(3) ? 40 : 2 * n + 1);
    return c;
}

static void bijections(void **state)
{
    (void)state;
    static uint8_t seen[400];
    rng_state = 1;
    for (int round = 0; round < 6000; round++) {
        struct sl_permute_conf c = random_conf(rng(rng(2) ? 20 : 400));
        struct sl_permute o;
        assert_int_equal(sl_permute_init(&o, &c, NULL), SL_OK);
        memset(seen, 0, sizeof seen);
        for (uint64_t p = 0; p < c.n; p++) {
            uint64_t r = sl_permute_rank(&o, p);
            assert_true(r < c.n && !seen[r]);
            seen[r] = 1;
            assert_int_equal(sl_permute_position(&o, r), p);
        }
    }
}

static void the_largest(void **state)
{
    (void)state;
    rng_state = 2;
    for (int round = 0; round < 3000; round++) {
        struct sl_permute_conf c = random_conf(SL_PERMUTE_MAX - rng(3));
        struct sl_permute o;
        if (c.layers > SL_PERMUTE_MAX)
            c.layers = SL_PERMUTE_MAX;
        if (c.parts > SL_PERMUTE_MAX)
            c.parts = 1;
        assert_int_equal(sl_permute_init(&o, &c, NULL), SL_OK);
        for (int i = 0; i < 30; i++) {
            uint64_t p = i < 2 ? i * (c.n - 1) : rng(c.n), r = sl_permute_rank(&o, p);
            assert_true(r < c.n);
            assert_int_equal(sl_permute_position(&o, r), p);
        }
    }
}

static void refused(void **state)
{
    (void)state;
    struct sl_permute o;
    struct sl_permute_conf c = sl_permute_usual(SL_PERMUTE_FOLDING, 10, 0);
    c.layers = 0;
    assert_int_equal(sl_permute_init(&o, &c, NULL), SL_E_USAGE);
    c.kind = SL_PERMUTE_SORT; /* its layers are not looked at */
    assert_int_equal(sl_permute_init(&o, &c, NULL), SL_OK);
    c.n = SL_PERMUTE_MAX + 1;
    assert_int_equal(sl_permute_init(&o, &c, NULL), SL_E_USAGE);
    c = sl_permute_usual(SL_PERMUTE_SAW, 10, 0);
    c.radius = 0.17;
    assert_int_equal(sl_permute_init(&o, &c, NULL), SL_E_USAGE);
    c.radius = __builtin_nan("");
    assert_int_equal(sl_permute_init(&o, &c, NULL), SL_E_USAGE);
    c.radius = 0;
    c.parts = 0;
    assert_int_equal(sl_permute_init(&o, &c, NULL), SL_E_USAGE);
    c = sl_permute_usual(SL_PERMUTE_SEGMENTS, 10, 0);
    c.first = 0.95;
    assert_int_equal(sl_permute_init(&o, &c, NULL), SL_E_USAGE);
    c = sl_permute_usual(SL_PERMUTE_JITTER, 10, 0);
    c.window = 0;
    assert_int_equal(sl_permute_init(&o, &c, NULL), SL_E_USAGE);
    c.kind = SL_N_PERMUTES;
    assert_int_equal(sl_permute_init(&o, &c, NULL), SL_E_USAGE);
}

static void named(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    enum sl_permute_kind kind;
    for (int i = 0; i < SL_N_PERMUTES; i++) {
        const char *name = sl_permute_name((enum sl_permute_kind)i);
        assert_int_equal(sl_permute_parse(sl_str_of(name), &kind, NULL), SL_OK);
        assert_int_equal(kind, i);
    }
    assert_null(sl_permute_name(SL_N_PERMUTES));
    assert_int_equal(sl_permute_parse(SL_STR("foldig"), &kind, &err), SL_E_USAGE);
    assert_string_equal(err.msg, "no order is called 'foldig' (did you mean 'folding'?)");
    assert_int_equal(sl_permute_parse(SL_STR(""), &kind, NULL), SL_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),    cmocka_unit_test(segments),    cmocka_unit_test(jitter),
        cmocka_unit_test(bijections), cmocka_unit_test(the_largest), cmocka_unit_test(refused),
        cmocka_unit_test(named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
