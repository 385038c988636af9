/* SPDX-License-Identifier: Apache-2.0 */
/* Strict numbers. */
#include "base/num.h"

#include <float.h>
#include <locale.h>
#include <stdio.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_overflow(void **state)
{
    (void)state;
    uint64_t v = 7;
    assert_true(sl_add_ok(UINT64_MAX - 1, 1, &v));
    assert_true(v == UINT64_MAX);
    assert_false(sl_add_ok(UINT64_MAX, 1, &v));
    assert_true(sl_mul_ok((uint64_t)1 << 32, ((uint64_t)1 << 32) - 1, &v));
    assert_false(sl_mul_ok((uint64_t)1 << 32, (uint64_t)1 << 32, &v));
    assert_true(sl_round64(0) == 0 && sl_round64(1) == 64 && sl_round64(64) == 64);
}

static void test_u64(void **state)
{
    (void)state;
    const char *const bad[] = { "",
                                " 1",
                                "1 ",
                                "+1",
                                "-1",
                                "-0",
                                "0x",
                                "1e",
                                "1.",
                                "1_0",
                                "",
                                "18446744073709551616",
                                "99999999999999999999999" };
    uint64_t v = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(sl_parse_u64(sl_str_of(bad[i]), &v));
    assert_true(v == 7);
    assert_true(sl_parse_u64(SL_STR("18446744073709551615"), &v) && v == UINT64_MAX);
    assert_true(sl_parse_u64(SL_STR("000"), &v) && v == 0);
    assert_false(sl_parse_u64(SL_STR("1\0"), &v));
}

static void test_i64(void **state)
{
    (void)state;
    int64_t v = 7;
    assert_true(sl_parse_i64(SL_STR("-9223372036854775808"), &v) && v == INT64_MIN);
    assert_true(sl_parse_i64(SL_STR("9223372036854775807"), &v) && v == INT64_MAX);
    assert_true(sl_parse_i64(SL_STR("-0"), &v) && v == 0);
    assert_false(sl_parse_i64(SL_STR("9223372036854775808"), &v));
    assert_false(sl_parse_i64(SL_STR("-9223372036854775809"), &v));
    assert_false(sl_parse_i64(SL_STR("-"), &v));
    assert_false(sl_parse_i64(SL_STR("--1"), &v));
    assert_false(sl_parse_i64(SL_STR(""), &v));
}

static void test_size(void **state)
{
    (void)state;
    uint64_t v = 7;
    assert_true(sl_parse_size(SL_STR("64M"), &v) && v == 64u << 20);
    assert_true(sl_parse_size(SL_STR("1K"), &v) && v == 1024);
    assert_true(sl_parse_size(SL_STR("3G"), &v) && v == (uint64_t)3 << 30);
    assert_true(sl_parse_size(SL_STR("2T"), &v) && v == (uint64_t)2 << 40);
    assert_true(sl_parse_size(SL_STR("17"), &v) && v == 17);
    const char *const bad[] = { "", "K", "1k", "1KB", "1.5M", "16777216T", "-1K", "1K " };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(sl_parse_size(sl_str_of(bad[i]), &v));
}

static void test_f64(void **state)
{
    (void)state;
    const struct {
        const char *text;
        double want;
    } good[] = { { "0", 0 },
                 { "-0.5", -0.5 },
                 { "1e3", 1000 },
                 { "1.5E-2", 0.015 },
                 { ".5", 0.5 },
                 { "5.", 5 },
                 { "0.1", 0.1 },
                 { "1e+2", 100 },
                 { "1.7976931348623157e308", DBL_MAX },
                 { "5e-324", 0x1p-1074 },
                 { "1e-999", 0 } };
    const char *const bad[] = { "",  " 1", "1 ",  "inf",   "nan", "0x1p3", "1e",  "e5", ".",
                                "-", "+1", "1,5", "1e999", "--1", "1.2.3", "1e+", "1f" };
    double v = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(sl_parse_f64(sl_str_of(bad[i]), &v));
    assert_true(v == 7);
    /* A locale with a decimal comma changes nothing (where there is one). */
    (void)setlocale(LC_ALL, "de_DE.UTF-8");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(sl_parse_f64(sl_str_of(good[i].text), &v) && v == good[i].want);
    (void)setlocale(LC_ALL, "C");
    assert_false(sl_parse_f64(SL_STR("1\0"), &v));
    char longest[2000];
    memset(longest, '1', sizeof longest);
    assert_false(sl_parse_f64((struct sl_str){ longest, sizeof longest }, &v));
}

static void test_shortest(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        { 0, "0.0" },
        { -0.0, "-0.0" },
        { 3, "3.0" },
        { 0.1, "0.1" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { -12.5, "-12.5" },
        { 100, "100.0" },
        { 0.00001234, "0.00001234" },
        { 0.000001234, "1.234e-6" },
        { 1e15, "1000000000000000.0" },
        { 9007199254740993.0, "9007199254740992.0" },
        { 1234567890123456.7, "1234567890123456.8" },
        { 1e16, "1e16" },
        { 1e22, "1e22" },
        { 1.5e300, "1.5e300" },
        { 5e-324, "5e-324" },
        { 2.2250738585072014e-308, "2.2250738585072014e-308" },
        { 1.7976931348623157e308, "1.7976931348623157e308" },
        { (double)0.1f, "0.10000000149011612" },
        { 2e-44, "2e-44" },
    };
    char text[SL_REAL_CHARS];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sl_format_f64(cases[i].v, text);
        assert_string_equal(text, cases[i].text);
    }
    uint64_t bits = 1;
    for (int i = 0; i < 2000; i++) {
        double v, back;
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        memcpy(&v, &bits, sizeof v);
        if (!__builtin_isfinite(v))
            continue;
        sl_format_f64(v, text);
        assert_true(strlen(text) < SL_REAL_CHARS && sl_parse_f64(sl_str_of(text), &back));
        assert_true(back == v);
    }
}

static void test_loads(void **state)
{
    (void)state;
    uint8_t b[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
    assert_int_equal(sl_load16(b + 1), 0x0201);
    assert_int_equal(sl_load32(b + 1), 0x04030201);
    assert_true(sl_load64(b + 1) == 0x0807060504030201u);
    sl_store16(b + 3, 0x1234);
    sl_store32(b + 5, 0xdeadbeef);
    sl_store64(b + 7, 0x1122334455667788u);
    assert_int_equal(b[3], 0x34);
    assert_int_equal(b[5], 0xef);
    assert_true(sl_load64(b + 7) == 0x1122334455667788u);
    for (unsigned n = 1; n <= 8; n++) {
        uint8_t big[10] = { 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa };
        sl_store_big(big + 1, 0x8877665544332211u, n);
        assert_int_equal(big[0], 0xaa);
        assert_int_equal(big[n], 0x11); /* the lowest byte stands last */
        assert_int_equal(big[n + 1], 0xaa);
        assert_true(sl_load_big(big + 1, n) == 0x8877665544332211u << (64 - 8 * n) >> (64 - 8 * n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overflow), cmocka_unit_test(test_u64),
        cmocka_unit_test(test_i64),      cmocka_unit_test(test_size),
        cmocka_unit_test(test_f64),      cmocka_unit_test(test_shortest),
        cmocka_unit_test(test_loads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
