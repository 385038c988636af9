/* SPDX-License-Identifier: Apache-2.0 */
/* Plans written out by hand; tests/pipeline/curriculum_test.py has the random ones. */
#include "order/plan_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct sl_err why;

static enum sl_status read_plan(struct sl_plan *plan, const char *text)
{
    sl_err_reset(&why);
    return sl_plan_read(plan, sl_str_of(text), "p.yaml", &why);
}

/* The order as "source unit copy stage" in letters and digits: "a000 b100". Groups of the
 * first source, and values of all units for the blocks of all stages, may be NULL. */
static void expect_with(const char *text, const uint64_t *units, const uint32_t *groups,
                        const uint16_t *const *values, const char *want)
{
    static const uint32_t backwards[] = { 3, 2, 1, 0 };
    struct sl_plan plan;
    struct sl_plan_order *o;
    struct sl_plan_place p;
    char got[400] = "";
    assert_int_equal(read_plan(&plan, text), SL_OK);
    assert_int_equal(sl_plan_order_new(&o, &plan, units, 1, &why), SL_OK);
    for (size_t i = 0; i < plan.n_sources; i++) {
        const uint32_t *ranks[SL_PLAN_MAX_SCORES] = { backwards + 4 - units[i] };
        struct sl_plan_rows rows = { .n = units[i], .ranks = ranks };
        sl_plan_order_set_groups(o, i, i ? NULL : groups);
        assert_int_equal(sl_plan_order_draw(o, i, &rows, &why), SL_OK);
    }
    for (size_t i = 0; values && i < plan.n_stages; i++)
        sl_plan_order_set_batch(o, i, (struct sl_plan_batch){ values, 3 });
    assert_int_equal(sl_plan_order_settle(o, &why), SL_OK);
    size_t n = 0;
    while (sl_plan_order_next(o, &p, &why) == SL_OK) {
        assert_true(n + 6 < sizeof got);
        got[n++] = (char)('a' + p.source);
        got[n++] = (char)('0' + p.unit);
        got[n++] = (char)('0' + p.copy);
        got[n++] = (char)('0' + p.stage);
        got[n++] = ' ';
    }
    assert_string_equal(got, want);
    sl_plan_order_free(o);
    sl_plan_release(&plan);
}

static void expect(const char *text, const uint64_t *units, const char *want)
{
    expect_with(text, units, NULL, NULL, want);
}

#define TWO "sources: {a: {path: a}, b: {path: b, when_empty: repeat}}\n"

static void by_hand(void **state)
{
    (void)state;
    const uint64_t units[] = { 4, 2 };
    expect("sources: {a: {path: a}}\nstages: [{name: x, order: given}]\n", units,
           "a000 a100 a200 a300 ");
    expect("sources: {a: {path: a, epochs: 2}}\nstages: [{name: x, order: {by: s}}]\n", units,
           "a300 a200 a100 a000 a310 a210 a110 a010 ");
    expect(TWO "budget: {amount: 6, in: sequences}\n"
               "stages: [{name: x, order: given, mixture: {a: 0.5, b: 50%}}]\n",
           units, "a000 b000 a100 b100 a200 b010 ");
    expect(TWO "budget: {amount: 6, in: tokens}\n"
               "stages: [{name: x, until: 50%, order: given, mixture: {a: 1}},\n"
               "  {name: y, order: given, mixture: {b: 1}}]\n",
           units, "a000 a100 a200 b001 b101 b011 ");
    expect("sources: {a: {path: a, when_empty: stop}}\nbudget: {amount: 9, in: sequences}\n"
           "stages: [{name: x, order: given}]\n",
           units, "a000 a100 a200 a300 ");
    expect("sources: {a: {path: a, when_empty: redistribute}, b: {path: b, when_empty: repeat}}\n"
           "budget: {amount: 12, in: sequences}\n"
           "stages: [{name: x, order: given, mixture: {a: 0.5, b: 0.5}}]\n",
           units, "a000 b000 a100 b100 a200 b010 a300 b110 b020 b120 b030 b130 ");
    /* b has no share at first, and is all that is left from position 5 on, where a ends. */
    expect("sources: {a: {path: a, when_empty: redistribute}, b: {path: b, when_empty: repeat}}\n"
           "budget: {amount: 10, in: sequences}\n"
           "stages: [{name: x, order: given, mixture: {from: {a: 1}, to: {b: 1}}}]\n",
           units, "a000 a100 a200 b000 b100 b010 b110 b020 b120 a300 ");
}

static void groups(void **state)
{
    (void)state;
    const uint64_t units[] = { 4, 2 };
    const uint32_t pair[] = { 0, 3, 2, 1 }, all[] = { 1, 2, 3, 0 }; /* 0, 1 3, 2; and 0 1 2 3 */
    static const char given[] = "sources: {a: {path: a, group: k}}\n"
                                "stages: [{name: x, order: given}]\n";
    expect_with(given, units, pair, NULL, "a000 a100 a300 a200 ");
    expect_with(given, units, all, NULL, "a000 a100 a200 a300 ");
    expect_with("sources: {a: {path: a, group: k}}\nstages: [{name: x, order: {by: s}}]\n", units,
                pair, NULL, "a100 a300 a200 a000 ");
    /* Turns a b a b a b: the group of 1 is placed at the second of a, its third is closed up. */
    expect_with("sources: {a: {path: a, group: k}, b: {path: b, when_empty: repeat}}\n"
                "budget: {amount: 6, in: sequences}\n"
                "stages: [{name: x, order: given, mixture: {a: 0.5, b: 0.5}}]\n",
                units, pair, NULL, "a000 b000 a100 a300 b100 b010 ");
    /* A stage that begins a group ends it. */
    expect_with("sources: {a: {path: a, group: k}}\n"
                "stages: [{name: x, until: {sequences: 2}, order: given},\n"
                "  {name: y, order: given}]\n",
                units, pair, NULL, "a000 a100 a300 a201 ");
    /* What does not fit is not begun: 1 of 3, where 1 and 3 are a group. */
    expect_with("sources: {a: {path: a, group: k}}\nbudget: {amount: 2, in: sequences}\n"
                "stages: [{name: x, order: given}]\n",
                units, pair, NULL, "a000 ");
    expect_with("sources: {a: {path: a, group: k, epochs: 2}}\n"
                "stages: [{name: x, order: {by: s, pacing: root}}]\n",
                units, all, NULL, "a000 a100 a200 a300 a010 a110 a210 a310 ");
}

static void blocks(void **state)
{
    (void)state;
    const uint64_t units[] = { 4, 2 };
    const uint16_t a[] = { 2, 0, 2, 1 }, b[] = { 1, 1 };
    const uint16_t *const values[] = { a, b };
    expect_with("sources: {a: {path: a, epochs: 2}}\n"
                "stages: [{name: x, order: given, batch: {by: k, size: 2}}]\n",
                units, NULL, values, "a000 a200 a100 a110 a010 a210 a300 a310 ");
    expect_with("sources: {a: {path: a}, b: {path: b}}\n"
                "stages: [{name: x, until: 50%, order: given, batch: {by: k, size: 2}},\n"
                "  {name: y, order: given, batch: {by: k, size: 3}}]\n",
                units, NULL, values, "a100 b000 a000 a301 b101 a201 ");
}

/* What a file lists, entries that come again, and epochs of it. */
static void listed(void **state)
{
    (void)state;
    static const uint32_t list[] = { 3, 0, 3 };
    static const char text[] = "sources: {a: {path: a, epochs: 2, order: {file: f}}}\n"
                               "stages: [{name: x, until: {sequences: 2}}, {name: y}]\n";
    static const int want[][3] = { { 3, 0, 0 }, { 0, 0, 0 }, { 3, 1, 1 },
                                   { 3, 2, 1 }, { 0, 1, 1 }, { 3, 3, 1 } };
    struct sl_plan plan;
    struct sl_plan_order *o;
    struct sl_plan_place p;
    struct sl_plan_rows rows = { .n = 5, .list = list, .n_list = 3 };
    const uint64_t entries = 3;
    assert_int_equal(read_plan(&plan, text), SL_OK);
    assert_int_equal(sl_plan_order_file(&plan, 0), 0);
    assert_int_equal(sl_plan_order_new(&o, &plan, &entries, 1, &why), SL_OK);
    assert_int_equal(sl_plan_order_draw(o, 0, &rows, &why), SL_OK);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(sl_plan_order_next(o, &p, &why), SL_OK);
        assert_int_equal(p.unit, want[i][0]);
        assert_int_equal(p.copy, want[i][1]);
        assert_int_equal(p.stage, want[i][2]);
    }
    assert_int_equal(sl_plan_order_next(o, &p, &why), SL_END);
    assert_int_equal(sl_plan_order_unused(o, 0), 3);
    sl_plan_order_free(o);
    sl_plan_release(&plan);
}

/* a0, a2 and b1 are one sequence. */
static void twins(void **state)
{
    (void)state;
    static const struct sl_plan_twin same[] = { { 0, 0 }, { 2, 0 }, { UINT64_C(1) << 32 | 1, 0 } };
    static const int want[][3] = { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 1, 0 },
                                   { 1, 1, 1 }, { 0, 2, 2 }, { 1, 0, 1 } };
    struct sl_plan plan;
    struct sl_plan_order *o;
    struct sl_plan_place p;
    const uint64_t units[] = { 4, 2 };
    struct sl_plan_rows rows[] = { { .n = 4 }, { .n = 2 } };
    assert_int_equal(read_plan(&plan, "sources: {a: {path: a}, b: {path: b, when_empty: repeat}}\n"
                                      "budget: {amount: 6, in: sequences}\nstages: [{name: x, "
                                      "order: given, mixture: {a: 0.5, b: 50%}}]\n"),
                     SL_OK);
    assert_int_equal(sl_plan_order_new(&o, &plan, units, 1, &why), SL_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(sl_plan_order_draw(o, i, &rows[i], &why), SL_OK);
    assert_int_equal(sl_plan_order_twins(o, same, 3, 1, &why), SL_OK);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(sl_plan_order_next(o, &p, &why), SL_OK);
        assert_int_equal(p.source, want[i][0]);
        assert_int_equal(p.unit, want[i][1]);
        assert_int_equal(p.copy, want[i][2]);
    }
    assert_int_equal(sl_plan_order_unused(o, 0), 1);
    assert_int_equal(sl_plan_order_unused(o, 1), 0);
    sl_plan_order_free(o);
    sl_plan_release(&plan);
}

static void nothing(void **state)
{
    (void)state;
    const uint64_t units[] = { 0, 0 };
    expect(TWO "stages: [{name: x, order: given}]\n", units, "");
}

static void refuse(const char *text, const char *words)
{
    struct sl_plan plan;
    assert_int_equal(read_plan(&plan, text), SL_E_DATA);
    if (!strstr(why.msg, words))
        fail_msg("%s: %s", words, why.msg);
    sl_plan_release(&plan);
}

static void refused(void **state)
{
    (void)state;
    refuse("", "p.yaml");
    refuse("stages: []\n", "'sources' is missing");
    refuse("sources: {a: {path: a}}\n", "'stages' is missing");
    refuse("sources: {}\nstages: [{name: x}]\n", "p.yaml:1:10: a plan has 1 to");
    refuse("sources: {a: {epochs: 2}}\nstages: []\n", "source 'a' has no path");
    refuse("sources: {alpha: {path: a}}\nstages: []\n", "a key of mixtures");
    refuse(TWO "stages: [{until: 5%}]\n", "a stage without a name");
    refuse(TWO "stages: [{name: x}, {name: y}]\n", "p.yaml:2:10: stage 'x' has no 'until'");
    refuse(TWO "stages: [{name: x, until: 5%}, {name: x}]\n", "two stages are called 'x'");
    refuse(TWO "stages: [{name: x, mixture: {a: 0.5}}]\n", "the shares sum to 0.5");
    refuse(TWO "stages: [{name: x, mixture: {a: 0.5, alpha: 1}}]\n", "alpha needs 'of'");
    refuse(TWO "stages: [{name: x, mixture: {a: 0.5, alpha: 1, of: [a]}}]\n", "stands in 'of'");
    refuse(TWO "stages: [{name: x, mixture: {from: {a: 1}}}]\n", "has 'from' and 'to'");
    refuse(TWO "stages: [{name: x, order: {pacing: root}}]\n", "needs a 'by'");
    refuse(TWO "stages: [{name: x, order: {by: s, pacing: root, kind: saw}}]\n", "not both");
    refuse(TWO "stages: [{name: x, order: {by: s, start: 0.1}}]\n", "need a pacing");
    refuse(TWO "stages: [{name: x, replay: {of: seen, share: 5%}}]\n", "nothing to replay");
    refuse(TWO "stages: [{name: x, batch: {by: s}}]\n", "p.yaml:2:27: batch: needs 'by'");
    refuse(TWO "stages: [{name: x, batch: {by: s, size: 0}}]\n", "1 or more");
    refuse(TWO "stages: [{name: x, length: 0}]\n", "p.yaml:2:28: expected a whole number");
    refuse(TWO "stages: [{name: x, strata: 1}]\n", "'strata' is not there yet");
}

/* A file that is cut anywhere is read or refused. */
static void cut(void **state)
{
    (void)state;
    static const char text[] =
        TWO "budget: {amount: 6, in: tokens}\nseed: 3\n"
            "stages: [{name: x, until: 50%, order: {by: s, pacing: root}},\n"
            "  {name: z, until: 60%, order: {by: 'p*s', p: {pacing: root},\n"
            "   steps: 3}}, {name: w, until: 70%, order: {file: f}},\n"
            "  {name: v, until: 80%, order: {by: 's+1', strata: [.5, 50%]}},\n"
            "  {name: y, mixture: {from: {a: 1}, to: {b: 100%}}}]\n";
    for (size_t n = 0; n < sizeof text; n++) {
        struct sl_plan plan;
        enum sl_status st = sl_plan_read(&plan, (struct sl_str){ text, n }, "p", NULL);
        assert_true(st == SL_OK || st == SL_E_DATA);
        sl_plan_release(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_hand), cmocka_unit_test(nothing),
                                        cmocka_unit_test(groups),  cmocka_unit_test(blocks),
                                        cmocka_unit_test(listed),  cmocka_unit_test(twins),
                                        cmocka_unit_test(refused), cmocka_unit_test(cut) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
