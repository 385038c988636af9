/* SPDX-License-Identifier: Apache-2.0 */
/* Pacing: exact ends, never falling, known values in between, refused numbers. */
#include "order/pacing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const double starts[][4] = {
    /* start, max, from, to */
    { 0, 1, 0, 1 },         { 0.1, 1, 0, 1 },     { 0.1, 0.9, 0.0625, 0.875 },
    { 0.3, 0.3, 0.2, 0.4 }, { 0, 1e-9, 0, 1e-9 }, { 1, 1, 0, 1 },
    { 0, 0, 0.5, 1 },
};

static void exact_ends_and_never_falling(void **state)
{
    (void)state;
    const int n = 100000;
    for (int kind = 0; kind < SL_N_PACINGS; kind++)
        for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
            struct sl_pacing p = { (enum sl_pacing_kind)kind, starts[i][0], starts[i][1],
                                   starts[i][2], starts[i][3] };
            assert_int_equal(sl_pacing_check(&p, NULL), SL_OK);
            assert_true(sl_pacing_at(&p, p.from) == p.start);
            assert_true(sl_pacing_at(&p, p.to) == p.max);
            assert_true(sl_pacing_at(&p, -1) == p.start && sl_pacing_at(&p, 2) == p.max);
            assert_true(sl_pacing_at(&p, __builtin_nan("")) == p.start);
            double last = p.start;
            for (int t = 0; t <= n; t++) {
                double v = sl_pacing_at(&p, (double)t / n);
                assert_true(v >= last && v <= p.max);
                last = v;
            }
            /* As dense as 2^40 positions are, at both ends and in the middle. */
            for (int where = 0; where < 3; where++) {
                double from = where * 0.4999999, v;
                last = 0;
                for (int t = 0; t < 3000; t++, last = v) {
                    v = sl_pacing_at(&p, from + t * 0x1p-40);
                    assert_true(v >= last);
                }
            }
        }
}

static bool near(double a, double b)
{
    return a - b < 1e-15 && b - a < 1e-15;
}

static void known_values(void **state)
{
    (void)state;
    const struct {
        enum sl_pacing_kind kind;
        double at_quarter, at_half;
    } rows[] = {
        { SL_PACING_LINEAR, 0.325, 0.55 },
        { SL_PACING_QUADRATIC, 0.15625, 0.325 },
        { SL_PACING_ROOT, 0.55, 0.7363961030678928 },
        { SL_PACING_STEP, 0.1, 0.1 },
        { SL_PACING_EXPONENTIAL, 0.10045693674124277, 0.10602356583185638 },
        { SL_PACING_LOGARITHMIC, 0.8752498499900734, 0.937624925365977 },
        { SL_PACING_COMPETENCE, 0.5074445782546109, 0.7106335201775948 },
        { SL_PACING_INVERSE_QUADRATIC, 0.49375, 0.775 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sl_pacing p = { rows[i].kind, 0.1, 1, 0, 1 };
        assert_true(near(sl_pacing_at(&p, 0.25), rows[i].at_quarter));
        assert_true(near(sl_pacing_at(&p, 0.5), rows[i].at_half));
        p.from = 0.5; /* the same within the second half */
        assert_true(near(sl_pacing_at(&p, 0.625), rows[i].at_quarter));
    }
}

static void refused(void **state)
{
    (void)state;
    const double nan = __builtin_nan(""), bad[][4] = {
        { -0.1, 1, 0, 1 }, { 0.5, 0.4, 0, 1 }, { 0, 1.1, 0, 1 }, { 0, 1, 0.5, 0.5 },
        { 0, 1, -1, 1 },   { 0, 1, 0, 2 },     { nan, 1, 0, 1 }, { 0, nan, 0, 1 },
        { 0, 1, nan, 1 },  { 0, 1, 0, nan },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sl_pacing p = { SL_PACING_ROOT, bad[i][0], bad[i][1], bad[i][2], bad[i][3] };
        assert_int_equal(sl_pacing_check(&p, NULL), SL_E_USAGE);
    }
    struct sl_pacing p = SL_PACING_INIT;
    assert_int_equal(sl_pacing_check(&p, NULL), SL_OK);
    p.kind = SL_N_PACINGS;
    assert_int_equal(sl_pacing_check(&p, NULL), SL_E_USAGE);
}

static void named(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    enum sl_pacing_kind kind;
    for (int i = 0; i < SL_N_PACINGS; i++) {
        const char *name = sl_pacing_name((enum sl_pacing_kind)i);
        assert_int_equal(sl_pacing_parse(sl_str_of(name), &kind, NULL), SL_OK);
        assert_int_equal(kind, i);
    }
    assert_null(sl_pacing_name(SL_N_PACINGS));
    assert_int_equal(sl_pacing_parse(SL_STR("qadratic"), &kind, &err), SL_E_USAGE);
    assert_string_equal(err.msg, "no pacing is called 'qadratic' (did you mean 'quadratic'?)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_ends_and_never_falling),
        cmocka_unit_test(known_values),
        cmocka_unit_test(refused),
        cmocka_unit_test(named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
