/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "order/plan_control.h"

/* Every position has a place, none two, and windows stay whole. */
static void check(enum sl_plan_control_kind kind, uint64_t window, uint64_t n, uint64_t seed)
{
    struct sl_plan_stage stages[2] = { { .name = "a" }, { .name = "b" } };
    struct sl_plan_source sources[3] = { { .name = "x" }, { .name = "y" }, { .name = "z" } };
    struct sl_plan plan = {
        .seed = seed, .n_sources = 3, .n_stages = 2, .sources = sources, .stages = stages
    };
    struct sl_plan_control c;
    struct sl_err err = SL_ERR_INIT;
    uint8_t *seen = calloc(n + 1, 1);
    assert_non_null(seen);
    assert_int_equal(sl_plan_control_init(&c, kind, window, &plan, n, &err), SL_OK);
    uint64_t before = 0;
    for (uint64_t p = 0; p < n; p++) {
        uint64_t at = sl_plan_control_at(&c, p);
        assert_true(at < n);
        assert_false(seen[at]);
        seen[at] = 1;
        if (kind == SL_CONTROL_LOCALITY && p % window)
            assert_true(at == before + 1);
        before = at;
    }
    free(seen);
}

static void test_bijections(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { 0, 1, 2, 63, 64, 65, 127, 128, 1000 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            check(SL_CONTROL_NONE, 64, sizes[i], seed);
            check(SL_CONTROL_RANDOM, 64, sizes[i], seed);
            check(SL_CONTROL_LOCALITY, 1, sizes[i], seed);
            check(SL_CONTROL_LOCALITY, 64, sizes[i], seed);
            check(SL_CONTROL_LOCALITY, 5000, sizes[i], seed);
        }
}

static void test_names(void **state)
{
    (void)state;
    for (int k = SL_CONTROL_NONE; k <= SL_CONTROL_LOCALITY; k++)
        assert_int_equal(sl_plan_control_parse(sl_plan_control_name((enum sl_plan_control_kind)k)),
                         k);
    assert_int_equal(sl_plan_control_parse("other"), SL_CONTROL_NONE);
}

static void test_refused(void **state)
{
    (void)state;
    struct sl_plan_stage stages[2] = { { .name = "a", .length = 16 }, { .name = "b", .line = 7 } };
    struct sl_plan_source source = { .name = "x" };
    struct sl_plan plan = {
        .file = "p.yaml", .n_sources = 1, .n_stages = 2, .sources = &source, .stages = stages
    };
    struct sl_plan_control c;
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(sl_plan_control_init(&c, SL_CONTROL_RANDOM, 0, &plan, 9, &err), SL_E_DATA);
    assert_non_null(strstr(err.msg, "p.yaml:7"));
    sl_err_reset(&err);
    assert_int_equal(sl_plan_control_init(&c, SL_CONTROL_LOCALITY, 0, &plan, 9, &err), SL_E_USAGE);
    stages[1].length = 16;
    sl_err_reset(&err);
    assert_int_equal(sl_plan_control_init(&c, SL_CONTROL_RANDOM, 0, &plan, 9, &err), SL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bijections),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
