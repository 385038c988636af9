/* SPDX-License-Identifier: Apache-2.0 */
#include "order/plan_expr.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct sl_err why;

static enum sl_status parse(struct sl_expr **out, const char *text, struct sl_arena *arena)
{
    sl_err_reset(&why);
    sl_arena_init(arena, 0);
    return sl_expr_parse(out, text, arena, &why);
}

/* The value with a = 3, b = -2, n = NaN, z = 0; other names are 1. */
static double value(const char *text)
{
    struct sl_arena arena;
    struct sl_expr *e;
    double v[SL_EXPR_MAX_NAMES];
    if (parse(&e, text, &arena) != SL_OK)
        fail_msg("%s", why.msg);
    for (size_t i = 0; i < e->n_names; i++) {
        char c = e->names[i].name[0];
        v[i] = c == 'a' ? 3 : c == 'b' ? -2 : c == 'n' ? NAN : c == 'z' ? 0 : 1;
    }
    double got = sl_expr_eval(e, v);
    sl_arena_release(&arena);
    return got;
}

static void same(const char *text, double want)
{
    double got = value(text);
    if (!(got == want) && !(isnan(got) && isnan(want)))
        fail_msg("%s is %.17g, not %.17g", text, got, want);
}

static void values(void **state)
{
    (void)state;
    same("1", 1);
    same("a+b*2", -1);
    same("(a+b)*2", 2);
    same("10 - 4 - 3", 3); /* from left to right */
    same("64/4/2", 8);
    same("2*-a", -6);
    same("--a", 3);
    same("-a*b", 6);
    same("1e2 + .5 + 5. + 2.5E-1", 105.75);
    same("min(a, b) + 10*max(a,b)", 28);
    same("abs(b) + sqrt(a*a) + exp(z) + log(1)", 6);
    same("`my-score` + 1 desc", 2);
    same("min (a, 2) asc", 2);
    same("0.1 + 0.2", 0.30000000000000004);
    same("1/z", INFINITY);
    same("-1/z", -INFINITY);
    same("log(z)", -INFINITY);
    same("z/z", NAN);
    same("log(b)", NAN);
    same("sqrt(b)", NAN);
    same("min(n, a)", NAN);
    same("min(a, n)", NAN);
    same("max(n, a)", NAN);
    same("max(a, n)", NAN);
    same("0*n", NAN);
    same("min.x + desc_", 2); /* names */
}

static void refuse(const char *text, const char *words)
{
    struct sl_arena arena;
    struct sl_expr *e;
    assert_int_equal(parse(&e, text, &arena), SL_E_DATA);
    if (!strstr(why.msg, words))
        fail_msg("%s: %s", words, why.msg);
    sl_arena_release(&arena);
}

static void refused(void **state)
{
    (void)state;
    refuse("", "character 1: expected a number");
    refuse("a+", "character 3: expected a number");
    refuse("a b", "character 3: expected an operator");
    refuse("(a", "character 3: expected ')'");
    refuse("a)", "character 2: expected an operator");
    refuse("min(a)", "character 6: expected ','");
    refuse("log(a, b)", "character 6: expected ')'");
    refuse("2 * foo(a)", "character 5: no such function");
    refuse("1e", "character 1: this is no number");
    refuse(".", "this is no number");
    refuse("1..2", "expected an operator");
    refuse("`a", "does not end");
    refuse("``", "is empty");
    refuse("+a", "expected a number");
    refuse("a desc desc", "expected an operator");
    refuse("a $ b", "character 3");
}

static void bounds(void **state)
{
    (void)state;
    char text[SL_EXPR_MAX_BYTES + 8];
    memset(text, '(', sizeof text);
    text[1000] = 0;
    refuse(text, "nested too deeply");
    memset(text, '-', sizeof text);
    text[1000] = 0;
    refuse(text, "nested too deeply");
    for (size_t i = 0; i < sizeof text; i += 2)
        memcpy(text + i, "1+", 2);
    text[2000] = 0;
    refuse(text, "too long");
    memset(text, 'a', sizeof text);
    text[SL_EXPR_MAX_BYTES + 1] = 0;
    refuse(text, "an expression of 4097 bytes");
    size_t n = 0;
    for (int i = 0; i < SL_EXPR_MAX_NAMES + 1; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%sx%d", i ? "+" : "", i);
    refuse(text, "more than 32 names");
    n = 0; /* a stack as deep as it may be, and one deeper */
    for (int i = 0; i < SL_EXPR_MAX_DEPTH - 1; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "(1+");
    n += (size_t)snprintf(text + n, sizeof text - n, "1");
    for (int i = 0; i < SL_EXPR_MAX_DEPTH - 1; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, ")");
    same(text, SL_EXPR_MAX_DEPTH);
    memmove(text + 3, text, n + 1);
    memcpy(text, "1+(", 3);
    strcat(text, ")");
    refuse(text, "nested too deeply");
}

static void ranks(void **state)
{
    (void)state;
    static const double v[] = { -INFINITY, -1e300, -1, -5e-324, 0, 5e-324, 1, 1e300, INFINITY };
    size_t n = sizeof v / sizeof *v;
    for (size_t i = 0; i + 1 < n; i++) {
        assert_true(sl_expr_rank_bits(v[i], false) < sl_expr_rank_bits(v[i + 1], false));
        assert_true(sl_expr_rank_bits(v[i], true) > sl_expr_rank_bits(v[i + 1], true));
    }
    assert_true(sl_expr_rank_bits(-0.0, false) == sl_expr_rank_bits(0, false));
    for (size_t i = 0; i < n; i++) {
        assert_true(sl_expr_rank_bits(v[i], false) < sl_expr_rank_bits(NAN, false));
        assert_true(sl_expr_rank_bits(v[i], true) < sl_expr_rank_bits(-NAN, true));
    }
}

static void kinds(void **state)
{
    (void)state;
    struct sl_arena arena, other;
    struct sl_expr *a, *b;
    assert_true(sl_expr_is("a-b") && sl_expr_is("`x`") && sl_expr_is("f(x)"));
    assert_false(sl_expr_is("a desc, b_2"));
    assert_int_equal(parse(&a, "x*y desc", &arena), SL_OK);
    assert_int_equal(parse(&b, "x*y desc", &other), SL_OK);
    assert_true(a->desc && a->n_names == 2 && !sl_expr_moves(a) && sl_expr_eq(a, b));
    b->names[1].use = SL_EXPR_NUMBER;
    assert_false(sl_expr_eq(a, b));
    a->names[1] = b->names[1];
    assert_true(sl_expr_eq(a, b));
    a->names[1].number = 2;
    assert_false(sl_expr_eq(a, b));
    b->names[1].use = a->names[1].use = SL_EXPR_PACING;
    assert_true(sl_expr_moves(a) && sl_expr_eq(a, b));
    b->names[1].pacing.max = 0.5;
    assert_false(sl_expr_eq(a, b));
    sl_arena_release(&arena);
    sl_arena_release(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(values), cmocka_unit_test(refused),
                                        cmocka_unit_test(bounds), cmocka_unit_test(ranks),
                                        cmocka_unit_test(kinds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
