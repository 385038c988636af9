/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a mix that need no streams: the bound of the queue by weight over many random
 * weights and shares; that foreseeing a mix says what running it says; command lines. */
#include "order/mix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "order/mix_parts.h"
#include "order/mix_queue.h"
#include "order/shuffle.h"

static uint64_t rng_state;

static uint64_t rng(uint64_t below)
{
    rng_state += SL_SHUFFLE_GOLDEN;
    return (uint64_t)((unsigned __int128)sl_mix64(rng_state) * below >> 64);
}

enum { MOST = 40 };

/* kinds 3: with some so small that they are hardly ever due */
static void random_shares(uint64_t *shares, size_t n, unsigned kinds)
{
    uint64_t weights[MOST];
    unsigned kind = (unsigned)rng(kinds);
    for (size_t i = 0; i < n; i++)
        weights[i] = kind == 0 ? 1 : kind == 1 ? rng(5) : (uint64_t)1 << rng(30);
    weights[rng(n)] += 1;
    assert_int_equal(sl_shares_divide_units(weights, n, SL_SHARE_ONE, shares, NULL), SL_OK);
}

static uint64_t random_weight(unsigned kind)
{
    return kind == 0 ? 7 : kind == 1 ? rng(100) : rng(20) ? 1 + rng(3) : 1000 + rng(1000);
}

/* After every row: ahead by at most (1 - s) of its own largest row, behind by at most the
 * largest of all. */
static void check_queue(size_t n, unsigned kind, int rows)
{
    uint64_t shares[MOST], weights[MOST], given[MOST] = { 0 }, own[MOST] = { 0 }, all = 0;
    uint64_t largest = 0;
    struct sl_mix_queue *q;
    random_shares(shares, n, 3);
    assert_int_equal(sl_mix_queue_new(&q, shares, n, NULL), SL_OK);
    for (int row = 0; row < rows; row++) {
        static uint32_t last;
        for (size_t i = 0; i < n; i++) {
            if (!shares[i] || (row && i != last))
                continue;
            weights[i] = random_weight(kind);
            own[i] = weights[i] > own[i] ? weights[i] : own[i];
            largest = weights[i] > largest ? weights[i] : largest;
            assert_int_equal(sl_mix_queue_push(q, i, weights[i], NULL), SL_OK);
        }
        last = sl_mix_queue_pop(q);
        given[last] += weights[last];
        all += weights[last];
        for (size_t i = 0; i < n; i++) {
            __int128 ahead = (__int128)given[i] * SL_SHARE_ONE - (__int128)shares[i] * all;
            assert_true(ahead <= (__int128)own[i] * (SL_SHARE_ONE - shares[i]));
            assert_true(-ahead <= (__int128)largest * SL_SHARE_ONE);
        }
    }
    sl_mix_queue_free(q);
}

static void test_queue_bound(void **state)
{
    (void)state;
    rng_state = 3;
    for (int i = 0; i < 200; i++)
        check_queue(1 + rng(i % 3 ? 6 : MOST), (unsigned)rng(3), 300);
}

static void test_queue_limits(void **state)
{
    (void)state;
    uint64_t shares[1] = { SL_SHARE_ONE };
    struct sl_mix_queue *q;
    assert_int_equal(sl_mix_queue_new(&q, shares, 1, NULL), SL_OK);
    assert_int_equal(sl_mix_queue_push(q, 0, ((uint64_t)1 << 40) + 1, NULL), SL_E_DATA);
    for (int i = 0; i < 1 << 20; i++) {
        assert_int_equal(sl_mix_queue_push(q, 0, (uint64_t)1 << 40, NULL), SL_OK);
        assert_int_equal(sl_mix_queue_pop(q), 0);
    }
    assert_int_equal(sl_mix_queue_push(q, 0, 1, NULL), SL_E_DATA); /* 2^60 in all */
    sl_mix_queue_free(q);
}

/* ---- foreseeing ---- */

struct counted {
    uint64_t sizes[MOST], left[MOST];
};

static enum sl_status peek(void *ctx, size_t i, uint64_t *weight, struct sl_err *err)
{
    const struct counted *c = ctx;
    (void)err;
    *weight = 1;
    return c->left[i] ? SL_OK : SL_END;
}

static enum sl_status again(void *ctx, size_t i, struct sl_err *err)
{
    struct counted *c = ctx;
    (void)err;
    c->left[i] = c->sizes[i];
    return SL_OK;
}

static enum sl_status run(const struct sl_mix_rules *rules, struct counted *c, struct sl_err *err)
{
    struct sl_mix_rows rows = { .ctx = c, .peek = peek, .again = again };
    struct sl_mix *m;
    uint64_t given[MOST] = { 0 }, all = 0;
    uint32_t i;
    enum sl_status st;
    memcpy(c->left, c->sizes, sizeof c->left);
    SL_TRY(sl_mix_new(&m, rules, &rows, err));
    while ((st = sl_mix_next(m, &i, err)) == SL_OK) {
        assert_true(i < rules->n && c->left[i] > 0);
        c->left[i]--;
        given[i]++;
        all++;
    }
    assert_int_equal(sl_mix_position(m), all);
    assert_true(!rules->rows || all <= rules->rows);
    for (size_t k = 0; k < rules->n; k++)
        assert_int_equal(sl_mix_given(m, k), given[k]);
    sl_mix_free(m);
    return st == SL_END ? SL_OK : st;
}

static void test_foresee(void **state)
{
    (void)state;
    int refused = 0;
    rng_state = 8;
    for (int round = 0; round < 3000; round++) {
        struct sl_mix_source sources[MOST];
        struct counted c;
        uint64_t shares[MOST];
        struct sl_err err = SL_ERR_INIT, ahead = SL_ERR_INIT;
        size_t n = 1 + rng(6);
        struct sl_mix_rules rules = { n, sources, rng(2) * rng(60), false };
        random_shares(shares, n, 2);
        for (size_t i = 0; i < n; i++) {
            sources[i] = (struct sl_mix_source){ "x", shares[i], (enum sl_mix_when_empty)rng(4) };
            c.sizes[i] = rng(5) ? rng(60) : 0;
        }
        enum sl_status st = run(&rules, &c, &err);
        assert_int_equal(sl_mix_foresee(&rules, c.sizes, &ahead), st);
        assert_string_equal(err.msg, ahead.msg);
        refused += st != SL_OK;
    }
    assert_true(refused > 300 && refused < 2700);
}

/* ---- command lines ---- */

static enum sl_status parse(struct sl_mix_parts *p, struct sl_mix_options o, struct sl_err *err)
{
    static const char *const operands[] = { "web=a,b", "./old=c", "books=d,", "e=f=g" };
    sl_err_reset(err);
    return sl_mix_parts_read(p, &o, operands, 4, err);
}

static void test_operands(void **state)
{
    (void)state;
    struct sl_mix_parts p;
    struct sl_err err = SL_ERR_INIT;
    struct sl_mix_options o = { .shares = "e=10%,web=0.4,books=0.5" };
    assert_int_equal(parse(&p, o, &err), SL_E_USAGE); /* a source without a name has no part */
    assert_non_null(strstr(err.msg, "'./old=c' has no part"));
    sl_mix_parts_release(&p);
    o = (struct sl_mix_options){ .weights = "1,2,3,4", .when_empty = "books=stop,repeat" };
    assert_int_equal(parse(&p, o, &err), SL_OK);
    static const char *const paths[] = { "a", "b", "./old=c", "d", "f=g" };
    assert_int_equal(p.n_paths, 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(p.paths[i], paths[i]);
    assert_null(p.names[1]);
    assert_string_equal(p.names[3], "e");
    assert_int_equal(p.when_empty[2], SL_MIX_STOP);
    assert_int_equal(p.when_empty[1], SL_MIX_REPEAT);
    sl_mix_parts_release(&p);
}

static void test_shares(void **state)
{
    (void)state;
    struct sl_mix_parts p;
    struct sl_err err = SL_ERR_INIT;
    uint64_t shares[4], sizes[4] = { 100, 7, 400, 0 }, sum = 0;
    struct sl_mix_options o = { .alpha = "0.5", .shares = "web=25%", .rows = 9 };
    assert_int_equal(parse(&p, o, &err), SL_OK);
    assert_true(sl_mix_parts_need_sizes(&p));
    assert_int_equal(sl_mix_parts_shares(&p, sizes, 9, shares, &err), SL_OK);
    for (int i = 0; i < 4; i++)
        sum += shares[i];
    assert_int_equal(sum, SL_SHARE_ONE);
    assert_int_equal(shares[0], SL_SHARE_ONE / 4);
    assert_int_equal(shares[3], 0); /* nothing for none */
    sl_mix_parts_release(&p);
    o = (struct sl_mix_options){ .unimax = "2", .rows = 60 };
    assert_int_equal(parse(&p, o, &err), SL_OK);
    assert_int_equal(sl_mix_parts_shares(&p, sizes, 60, shares, &err), SL_OK);
    assert_int_equal(shares[1] * 60 >> 36, 14); /* twice its 7 rows; 23 for each other */
    assert_int_equal(sl_mix_parts_shares(&p, sizes, 10000, shares, &err), SL_E_DATA);
    sl_mix_parts_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_bound), cmocka_unit_test(test_queue_limits),
        cmocka_unit_test(test_foresee),     cmocka_unit_test(test_operands),
        cmocka_unit_test(test_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
