/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner: what RFC 8259 accepts and refuses, pieces, escapes, and the vector
 * loops against the plain ones. */
#include "text/json_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/json_string.h"

/* On a copy of exactly n bytes, so that ASan finds a read beyond it. */
static bool accepted(const char *text, size_t n)
{
    char *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, text, n);
    bool fine = sl_json_scan_check((struct sl_str){ copy, n });
    free(copy);
    return fine;
}

static void test_texts(void **state)
{
    static const char *const good[] = {
        "0",
        "-0",
        "10.5e-3",
        "1E+2",
        "\"\"",
        " [ ] ",
        "{}",
        "[1,[2,{\"a\":[]}],3]",
        "true",
        "null",
        "{\"a\":1,\"a\":2}",
        "\"\\u00e9\\n\\/\"",
        "\r\n\t[false]\n",
    };
    static const char *const wrong[] = {
        "",
        " ",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\t\"",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "tru",
        "nul",
        "[1]x",
        "[1}",
        "{\"a\":1]",
        "[",
        "{",
        "[[]",
        "\xef\xbb\xbf[]",
        "NaN",
        "'a'",
        "[1]]",
        "\"\\u123\"",
        "{\"a\" 1}",
        "\f1",
        "1 2",
        "{,}",
        "[\"a\":1]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!accepted(good[i], strlen(good[i])))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (accepted(wrong[i], strlen(wrong[i])))
            fail_msg("accepted: %s", wrong[i]);
}

/* Every beginning of a text is no text itself. */
static void test_cut(void **state)
{
    static const char text[] =
        "{\"text\":\"a long enough string for thirty-two bytes \\u00e9\\\\ and more\","
        "\"list\":[1,2.5e3,{\"x\":null}],\"t\":true}";
    (void)state;
    for (size_t n = 0; n < sizeof text - 1; n++)
        assert_false(accepted(text, n));
    assert_true(accepted(text, sizeof text - 1));
}

static void test_depth(void **state)
{
    char text[2 * (SL_JSON_SCAN_DEPTH + 1)];
    size_t half = sizeof text / 2;
    (void)state;
    memset(text, '[', half);
    memset(text + half, ']', half);
    assert_false(accepted(text, sizeof text));
    assert_true(accepted(text + 1, sizeof text - 2));
    assert_false(accepted(text, half));
}

static bool is(struct sl_str s, const char *want)
{
    return sl_str_eq(s, sl_str_of(want));
}

static void test_members(void **state)
{
    struct sl_json_scan s;
    struct sl_json_piece key, value;
    (void)state;
    sl_json_scan_init(&s, SL_STR(" {\"a\": \"x\\ty\" , \"b\":[ 1, 2],\"c\":-1.5e3,\"d\":{}} "));
    assert_false(sl_json_scan_open(&s, '['));
    assert_true(sl_json_scan_open(&s, '{'));
    assert_int_equal(sl_json_scan_member(&s, &key, &value), SL_JSON_STEP_ONE);
    assert_true(is(key.raw, "a") && !key.escaped && value.escaped && is(value.raw, "x\\ty"));
    assert_int_equal(sl_json_scan_member(&s, &key, &value), SL_JSON_STEP_ONE);
    assert_true(is(key.raw, "b") && value.kind == SL_JSON_PIECE_ARRAY && is(value.raw, "[ 1, 2]"));
    assert_int_equal(sl_json_scan_member(&s, &key, &value), SL_JSON_STEP_ONE);
    assert_true(value.kind == SL_JSON_PIECE_NUMBER && is(value.raw, "-1.5e3"));
    assert_int_equal(sl_json_scan_member(&s, &key, &value), SL_JSON_STEP_ONE);
    assert_true(value.kind == SL_JSON_PIECE_OBJECT && is(value.raw, "{}"));
    assert_int_equal(sl_json_scan_member(&s, &key, &value), SL_JSON_STEP_END);
    assert_true(sl_json_scan_end(&s));
}

static void test_items(void **state)
{
    struct sl_json_scan s;
    struct sl_json_piece v;
    (void)state;
    sl_json_scan_init(&s, SL_STR("[true,\"\",null 1]"));
    assert_true(sl_json_scan_open(&s, '['));
    assert_int_equal(sl_json_scan_item(&s, &v), SL_JSON_STEP_ONE);
    assert_int_equal(v.kind, SL_JSON_PIECE_TRUE);
    assert_int_equal(sl_json_scan_item(&s, &v), SL_JSON_STEP_ONE);
    assert_true(v.kind == SL_JSON_PIECE_STRING && v.raw.n == 0);
    assert_int_equal(sl_json_scan_item(&s, &v), SL_JSON_STEP_ONE);
    assert_int_equal(sl_json_scan_item(&s, &v), SL_JSON_STEP_WRONG);
    assert_int_equal(s.at, 14);
    assert_int_equal(sl_json_scan_item(&s, &v), SL_JSON_STEP_WRONG);
    assert_false(sl_json_scan_end(&s));
}

static void check_chars(const char *raw, const char *want, size_t n_want, uint64_t n_replaced)
{
    struct sl_json_piece v = { SL_JSON_PIECE_STRING, true, sl_str_of(raw) };
    struct sl_buf out;
    uint64_t n = 0;
    sl_buf_init(&out, 1 << 20);
    assert_int_equal(sl_json_scan_chars(&out, &v, &n, NULL), SL_OK);
    assert_int_equal(out.n, n_want);
    assert_memory_equal(out.p, want, n_want);
    assert_int_equal(n, n_replaced);
    sl_buf_release(&out);
}

static void test_chars(void **state)
{
    (void)state;
    check_chars("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", 8, 0);
    check_chars("\\u0000", "\0", 1, 0);
    check_chars("\\u00E9\\u20ac", "\xc3\xa9\xe2\x82\xac", 5, 0);
    check_chars("\\ud83d\\ude00", "\xf0\x9f\x98\x80", 4, 0);
    check_chars("\\uD83D", "\xef\xbf\xbd", 3, 1);
    check_chars("\\ude00\\ud83dx", "\xef\xbf\xbd\xef\xbf\xbdx", 7, 2);
    check_chars("\\ud83d\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80", 7, 1);
    check_chars("\\ud83d\\u0041",
                "\xef\xbf\xbd"
                "A",
                4, 1);
    check_chars("\\udbff\\udfff", "\xf4\x8f\xbf\xbf", 4, 0);
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* Random strings of the characters that matter, of lengths around 32. */
static void test_twins(void **state)
{
    static const char letters[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\\\\nud8c0\"\x1f\x80";
    uint64_t x = 88172645463325252u;
    size_t compared = 0;
    (void)state;
    for (int round = 0; round < 60000; round++) {
        size_t n = next_random(&x) % 200;
        uint8_t *p = malloc(n + 1), *a = malloc(n + 1), *b = malloc(n + 1);
        bool ea = false, eb = false;
        uint64_t na = 0, nb = 0;
        assert_true(p && a && b);
        for (size_t i = 0; i < n; i++)
            p[i] = (uint8_t)letters[next_random(&x) % (sizeof letters - 1)];
        size_t end = sl_json_string_end(p, n, &ea);
        assert_int_equal(end, sl_json_string_end_plain(p, n, &eb));
        if (end == n || p[end] == '"')
            assert_int_equal(ea, eb);
        if (end == n) {
            size_t got = sl_json_string_chars(a, p, n, &na);
            assert_int_equal(got, sl_json_string_chars_plain(b, p, n, &nb));
            assert_memory_equal(a, b, got);
            assert_int_equal(na, nb);
            compared++;
        }
        free(p);
        free(a);
        free(b);
    }
    assert_true(compared > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),   cmocka_unit_test(test_cut),   cmocka_unit_test(test_depth),
        cmocka_unit_test(test_members), cmocka_unit_test(test_items), cmocka_unit_test(test_chars),
        cmocka_unit_test(test_twins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
