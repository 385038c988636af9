/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed strings. */
#include "base/str.h"

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct sl_str NONE = { NULL, 0 };

static void test_compare(void **state)
{
    (void)state;
    assert_true(sl_str_eq(NONE, SL_STR("")));
    assert_true(sl_str_eq(SL_STR("a\0b"), SL_STR("a\0b")));
    assert_false(sl_str_eq(SL_STR("a\0b"), SL_STR("a\0c")));
    assert_int_equal(sl_str_cmp(NONE, SL_STR("")), 0);
    assert_true(sl_str_cmp(NONE, SL_STR("a")) < 0);
    assert_true(sl_str_cmp(SL_STR("ab"), SL_STR("a")) > 0);
    assert_true(sl_str_cmp(SL_STR("\xff"), SL_STR("a")) > 0);
    assert_true(sl_str_eq_nocase(SL_STR("WARC-Type"), SL_STR("warc-tYPE")));
    assert_false(sl_str_eq_nocase(SL_STR("a["), SL_STR("a{"))); /* differ by 0x20 */
    assert_false(sl_str_eq_nocase(SL_STR("a"), SL_STR("ab")));
    assert_int_equal(sl_str_of(NULL).n, 0);
    assert_int_equal(sl_str_of("abc").n, 3);
}

static void test_starts_and_ends(void **state)
{
    (void)state;
    assert_true(sl_str_starts(NONE, NONE));
    assert_true(sl_str_starts(SL_STR("abc"), SL_STR("ab")));
    assert_false(sl_str_starts(SL_STR("a"), SL_STR("ab")));
    assert_true(sl_str_starts_nocase(SL_STR("ABC"), SL_STR("aB")));
    assert_true(sl_str_ends(SL_STR("abc"), SL_STR("bc")));
    assert_true(sl_str_ends(SL_STR("abc"), NONE));
    assert_false(sl_str_ends(SL_STR("bc"), SL_STR("abc")));
}

static void test_trim_and_find(void **state)
{
    (void)state;
    assert_true(sl_str_eq(sl_str_trim(SL_STR(" \t\r\n\fa b \n")), SL_STR("a b")));
    assert_int_equal(sl_str_trim(SL_STR(" \n ")).n, 0);
    assert_int_equal(sl_str_trim(NONE).n, 0);
    assert_int_equal(sl_str_find(SL_STR("a:b:c"), 0, ':'), 1);
    assert_int_equal(sl_str_find(SL_STR("a:b:c"), 2, ':'), 3);
    assert_int_equal(sl_str_find(SL_STR("a:b:c"), 4, ':'), 5);
    assert_int_equal(sl_str_find(SL_STR("abc"), 99, 'a'), 3);
    assert_int_equal(sl_str_find(NONE, 0, 'a'), 0);
}

static void test_nearest(void **state)
{
    (void)state;
    const char *const names[] = { "threads", "output", "force", "tmpdir", NULL };
    const char *const nothing[] = { NULL };
    static char longest[200];
    memset(longest, 'x', sizeof longest - 1);
    assert_string_equal(sl_str_nearest(SL_STR("thread"), names), "threads");
    assert_string_equal(sl_str_nearest(SL_STR("ouptut"), names), "output");
    assert_string_equal(sl_str_nearest(SL_STR("force"), names), "force");
    assert_string_equal(sl_str_nearest(SL_STR("froce"), names), "force");
    assert_null(sl_str_nearest(SL_STR("zebra"), names));
    assert_null(sl_str_nearest(SL_STR(""), names));
    assert_null(sl_str_nearest(sl_str_of(longest), names));
    assert_null(sl_str_nearest(SL_STR("force"), nothing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_starts_and_ends),
        cmocka_unit_test(test_trim_and_find),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
