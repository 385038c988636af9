/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what is refused, what comes back the same, who owns what. */
#include "base/json.h"

#include <stdio.h>
#include <string.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct sl_json *parse(struct sl_str text)
{
    struct sl_json *v;
    assert_int_equal(sl_json_parse(&v, text, NULL), SL_OK);
    assert_non_null(v);
    return v;
}

/* Parses and dumps; `want` is the same text where it is NULL. */
static void round_trip(struct sl_str text, const char *want)
{
    struct sl_buf out;
    sl_buf_init(&out, 1 << 20);
    struct sl_json *v = parse(text);
    assert_int_equal(sl_json_dump(v, &out, NULL), SL_OK);
    struct sl_str w = want ? sl_str_of(want) : text;
    assert_true(sl_str_eq(sl_buf_str(&out), w));
    struct sl_json *back = parse(sl_buf_str(&out));
    assert_true(sl_json_equal(v, back));
    sl_json_free(v);
    sl_json_free(back);
    sl_buf_release(&out);
}

static void test_round_trips(void **state)
{
    (void)state;
    round_trip(SL_STR("{\"z\":1,\"a\":[true,false,null],\"m\":{\"b\":\"x\",\"a\":-5}}"), NULL);
    round_trip(SL_STR(" [ 1 , 2 ]\n"), "[1,2]");
    round_trip(SL_STR("\"a/b \\\"\\\\\\n\\u0001\""), NULL);
    round_trip(SL_STR("\"\\u00e9\\ud83d\\ude00\""), "\"\xc3\xa9\xf0\x9f\x98\x80\"");
    round_trip(SL_STR("9223372036854775807"), NULL);
    round_trip(SL_STR("-9223372036854775808"), NULL);
    round_trip(SL_STR("[0.1,1.0,-2.5e-7,[],{},{\"a\":[[]]}]"), NULL);
    round_trip(SL_STR("[1E2,0.10000000000000001]"), "[100.0,0.1]");
    round_trip(SL_STR("[]"), NULL);
    round_trip(SL_STR("{}"), NULL);
    round_trip(SL_STR("null"), NULL);
    round_trip(SL_STR("\"a\\u0000b\""), NULL);
}

static void test_reals_survive(void **state)
{
    (void)state;
    const double values[] = { 0.1,    1.0,          1.0 / 3, 1e300, 5e-324, 1.7976931348623157e308,
                              -2.5e7, 123456.789e-7 };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct sl_buf out;
        sl_buf_init(&out, 100);
        struct sl_json *v = sl_json_new_real(values[i]);
        assert_int_equal(sl_json_dump(v, &out, NULL), SL_OK);
        struct sl_json *back = parse(sl_buf_str(&out));
        assert_int_equal(sl_json_type(back), SL_JSON_REAL);
        assert_true(sl_json_real(back) == values[i]);
        sl_json_free(v);
        sl_json_free(back);
        sl_buf_release(&out);
    }
}

static void test_refused(void **state)
{
    (void)state;
    const struct sl_str bad[] = { SL_STR(""),
                                  SL_STR(" "),
                                  SL_STR("{\"a\":1,\"a\":2}"),
                                  SL_STR("[1,]"),
                                  SL_STR("[1] x"),
                                  SL_STR("[1]\0"),
                                  SL_STR("{a:1}"),
                                  SL_STR("'a'"),
                                  SL_STR("\"\xff\""),
                                  SL_STR("\"\xed\xa0\x80\""),
                                  SL_STR("\"\\ud800\""),
                                  SL_STR("\"a\nb\""),
                                  SL_STR("01"),
                                  SL_STR("1e999"),
                                  SL_STR("9223372036854775808"),
                                  SL_STR("NaN"),
                                  SL_STR("[1"),
                                  SL_STR("\"abc"),
                                  SL_STR("\"abc\\"),
                                  SL_STR("{\"a\\u0000\":1}"),
                                  { NULL, 0 } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sl_json *v;
        struct sl_err err = SL_ERR_INIT;
        assert_int_equal(sl_json_parse(&v, bad[i], &err), SL_E_DATA);
        assert_null(v);
        assert_in_range(err.off, 0, bad[i].n);
        assert_non_null(strstr(err.msg, "line 1"));
    }
}

static void nested(char *text, size_t depth)
{
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
}

static void test_depth(void **state)
{
    (void)state;
    static char text[200000];
    struct sl_json *v;
    struct sl_err err = SL_ERR_INIT;
    nested(text, 64);
    sl_json_free(parse((struct sl_str){ text, 128 }));
    nested(text, 65);
    assert_int_equal(sl_json_parse(&v, (struct sl_str){ text, 130 }, &err), SL_E_DATA);
    assert_int_equal(err.off, 64);
    nested(text, 100000);
    assert_int_equal(sl_json_parse(&v, (struct sl_str){ text, 200000 }, NULL), SL_E_DATA);
    /* Brackets in strings and side by side do not count. */
    memset(text, '[', 200);
    text[0] = text[199] = '"';
    sl_json_free(parse((struct sl_str){ text, 200 }));
    sl_json_free(parse(SL_STR("[\"\\\"[[\",[],[],[],{},{},\"\\\\\",[]]")));
}

static void test_getters(void **state)
{
    (void)state;
    struct sl_json *v = parse(SL_STR("{\"s\":\"a\\u0000b\",\"i\":-3,\"r\":2.5,\"b\":true,"
                                     "\"n\":null,\"a\":[1,2],\"o\":{\"k\":0}}"));
    const struct sl_json *value;
    assert_int_equal(sl_json_type(v), SL_JSON_OBJECT);
    assert_int_equal(sl_json_count(v), 7);
    assert_true(sl_str_eq(sl_json_str(sl_json_get(v, "s")), SL_STR("a\0b")));
    assert_int_equal(sl_json_int(sl_json_get(v, "i")), -3);
    assert_true(sl_json_real(sl_json_get(v, "i")) == -3);
    assert_true(sl_json_real(sl_json_get(v, "r")) == 2.5);
    assert_true(sl_json_bool(sl_json_get(v, "b")));
    assert_int_equal(sl_json_type(sl_json_get(v, "n")), SL_JSON_NULL);
    assert_int_equal(sl_json_int(sl_json_at(sl_json_get(v, "a"), 1)), 2);
    assert_null(sl_json_at(sl_json_get(v, "a"), 2));
    assert_int_equal(sl_json_count(sl_json_get(v, "a")), 2);
    assert_string_equal(sl_json_key(v, 1, &value), "i");
    assert_int_equal(sl_json_int(value), -3);
    assert_string_equal(sl_json_key(v, 6, NULL), "o");
    assert_null(sl_json_key(v, 7, &value));
    assert_null(value);
    size_t i = 0;
    for (const char *key = NULL; (key = sl_json_after(v, key, &value)); i++) {
        const struct sl_json *same;
        assert_string_equal(key, sl_json_key(v, i, &same));
        assert_ptr_equal(value, same);
    }
    assert_int_equal(i, sl_json_count(v));
    assert_null(value);
    assert_null(sl_json_after(v, "zz", &value));
    assert_null(sl_json_after(NULL, NULL, &value));
    /* wrong or missing */
    assert_null(sl_json_get(v, "zz"));
    assert_null(sl_json_get(NULL, "a"));
    assert_null(sl_json_get(sl_json_get(v, "a"), "a"));
    assert_null(sl_json_key(sl_json_get(v, "a"), 0, NULL));
    assert_int_equal(sl_json_type(NULL), SL_JSON_NONE);
    assert_int_equal(sl_json_int(sl_json_get(v, "s")), 0);
    assert_int_equal(sl_json_str(sl_json_get(v, "i")).n, 0);
    assert_false(sl_json_bool(sl_json_get(v, "i")));
    assert_int_equal(sl_json_count(NULL), 0);
    sl_json_free(v);
    sl_json_free(NULL);
}

static void test_building(void **state)
{
    (void)state;
    struct sl_json *o = sl_json_new_object(), *a = sl_json_new_array();
    struct sl_buf out;
    sl_buf_init(&out, 1000);
    assert_int_equal(sl_json_push(a, sl_json_new_int(1), NULL), SL_OK);
    assert_int_equal(sl_json_push(a, sl_json_new_bool(false), NULL), SL_OK);
    assert_int_equal(sl_json_set(o, "z", a, NULL), SL_OK);
    assert_int_equal(sl_json_set(o, "b", sl_json_new_str(SL_STR("x")), NULL), SL_OK);
    assert_int_equal(sl_json_set(o, "c", sl_json_copy(o), NULL), SL_OK);
    assert_int_equal(sl_json_set(sl_json_edit(o, "c"), "z", sl_json_new_int(2), NULL), SL_OK);
    assert_int_equal(sl_json_dump(o, &out, NULL), SL_OK);
    assert_string_equal(sl_buf_cstr(&out),
                        "{\"z\":[1,false],\"b\":\"x\",\"c\":{\"z\":2,\"b\":\"x\"}}");
    sl_json_remove(o, "z");
    sl_json_remove(o, "nothing");
    sl_json_remove(o, "c");
    sl_buf_reset(&out);
    assert_int_equal(sl_json_dump_pretty(o, &out, NULL), SL_OK);
    assert_string_equal(sl_buf_cstr(&out), "{\n  \"b\": \"x\"\n}");
    sl_json_free(o);
    sl_buf_release(&out);
}

/* A value given to a setter that fails is freed by it: leaks are found by ASan. */
static void test_failures(void **state)
{
    (void)state;
    struct sl_json *o = sl_json_new_object(), *a = sl_json_new_array();
    assert_int_equal(sl_json_set(o, "k", NULL, NULL), SL_E_SYSTEM);
    assert_int_equal(sl_json_push(a, NULL, NULL), SL_E_SYSTEM);
    assert_int_equal(sl_json_set(NULL, "k", sl_json_new_int(1), NULL), SL_E_SYSTEM);
    assert_int_equal(sl_json_push(NULL, sl_json_new_int(1), NULL), SL_E_SYSTEM);
    assert_int_equal(sl_json_set(a, "k", sl_json_new_real(1), NULL), SL_E_BUG);
    assert_int_equal(sl_json_push(o, sl_json_new_real(1), NULL), SL_E_BUG);
    assert_int_equal(sl_json_set(o, "\xff", sl_json_new_real(1), NULL), SL_E_BUG);
    assert_int_equal(sl_json_set(o, "k", o, NULL), SL_E_BUG);
    assert_int_equal(sl_json_push(a, a, NULL), SL_E_BUG);
    assert_null(sl_json_new_str(SL_STR("\xff")));
    assert_null(sl_json_new_real(__builtin_inf()));
    assert_int_equal(sl_json_count(o), 0);
    assert_int_equal(sl_json_set(o, "k", sl_json_new_str(SL_STR("long enough")), NULL), SL_OK);
    struct sl_buf out;
    sl_buf_init(&out, 12);
    assert_int_equal(sl_buf_add(&out, "abc", 3, NULL), SL_OK);
    assert_int_equal(sl_json_dump(o, &out, NULL), SL_E_DATA); /* over the maximum */
    assert_int_equal(out.n, 3);
    sl_buf_release(&out);
    sl_json_free(o);
    sl_json_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_reals_survive),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_depth),
        cmocka_unit_test(test_getters),     cmocka_unit_test(test_building),
        cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
