/* SPDX-License-Identifier: Apache-2.0 */
/* tests/pipeline/curriculum_test.py compares with a second implementation; here are the
 * laws, also for many rows. */
#include "order/plan_quantile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "order/mixture.h"

struct seen {
    uint64_t places[100000];
    size_t n;
};

static void see(void *ctx, uint64_t place)
{
    struct seen *s = ctx;
    s->places[s->n++] = place;
}

static void draw(struct seen *s, const struct sl_plan_strata *strata, uint64_t steps,
                 const uint64_t *held, uint64_t n)
{
    s->n = 0;
    struct sl_quantiles q = { strata, steps, held, n, 7 };
    assert_int_equal(sl_quantiles_draw(&q, see, s, NULL), SL_OK);
    assert_int_equal(s->n, n);
}

static size_t stratum_of(const uint64_t *held, uint64_t place)
{
    size_t i = 0;
    for (; place >= held[i]; i++)
        place -= held[i];
    return i;
}

/* Every prefix is within one row of the shares, and no place comes twice. */
static void shares(void **state)
{
    struct seen *s = *state;
    static const uint64_t from[] = { SL_SHARE_ONE / 8, SL_SHARE_ONE / 8 * 3, SL_SHARE_ONE / 2 };
    static const uint64_t held[] = { 20000, 40000, 40000 };
    struct sl_plan_strata strata = { 3, from, NULL, SL_PACING_INIT };
    uint8_t *came = calloc(100000, 1);
    uint64_t given[3] = { 0 };
    assert_non_null(came);
    draw(s, &strata, 64, held, 80000);
    for (size_t t = 0; t < s->n; t++) {
        assert_false(came[s->places[t]]++);
        given[stratum_of(held, s->places[t])]++;
        for (size_t i = 0; i < 3; i++) {
            int64_t off = (int64_t)(8 * given[i]) - (int64_t)((t + 1) * (from[i] >> 33));
            assert_true(off > -8 && off < 8);
        }
    }
    free(came);
}

/* All that there is, whatever the shares; what is used up hands on. */
static void all(void **state)
{
    struct seen *s = *state;
    static const uint64_t from[] = { SL_SHARE_ONE, 0, 0, 0 }, to[] = { 0, 0, 0, SL_SHARE_ONE };
    static const uint64_t held[] = { 10, 0, 300, 5 };
    uint8_t came[315] = { 0 };
    struct sl_plan_strata strata = { 4, from, to, SL_PACING_INIT };
    draw(s, &strata, 7, held, 315);
    for (size_t t = 0; t < s->n; t++)
        assert_false(came[s->places[t]]++);
    strata.to = NULL;
    draw(s, &strata, 64, held, 12);
    for (size_t t = 0; t < 10; t++)
        assert_true(s->places[t] < 10);
    assert_true(s->places[10] >= 10 && s->places[11] >= 10);
    draw(s, &strata, 64, held, 0);
    struct sl_quantiles q = { &strata, 64, held, 316, 7 };
    assert_int_equal(sl_quantiles_draw(&q, see, s, NULL), SL_E_BUG);
}

static void borders(void **state)
{
    (void)state;
    struct sl_plan_strata strata = { .n = 3 };
    assert_int_equal(sl_quantile_begin(&strata, 10, 0), 0);
    assert_int_equal(sl_quantile_begin(&strata, 10, 1), 3);
    assert_int_equal(sl_quantile_begin(&strata, 10, 2), 6);
    assert_int_equal(sl_quantile_begin(&strata, 10, 3), 10);
    assert_true(sl_quantile_begin(&strata, UINT64_MAX, 3) == UINT64_MAX);
}

int main(void)
{
    static struct seen seen;
    const struct CMUnitTest tests[] = { cmocka_unit_test_prestate(shares, &seen),
                                        cmocka_unit_test_prestate(all, &seen),
                                        cmocka_unit_test(borders) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
