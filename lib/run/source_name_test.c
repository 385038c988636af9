/* SPDX-License-Identifier: Apache-2.0 */
/* Names of sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/source_name.h"

static void parts(void **state)
{
    (void)state;
    assert_string_equal(sl_source_part("a/b/c.warc", 1), "c.warc");
    assert_string_equal(sl_source_part("a/b/c.warc", 2), "b/c.warc");
    assert_string_equal(sl_source_part("a/b/c.warc", 3), "a/b/c.warc");
    assert_string_equal(sl_source_part("a/b/c.warc", 64), "a/b/c.warc");
    assert_string_equal(sl_source_part("/x", 2), "/x");
    assert_string_equal(sl_source_part("x", 1), "x");
    assert_string_equal(sl_source_part("", 1), "");
}

static void names(void **state)
{
    (void)state;
    const char *const paths[] = { "a/x", "b/y", "b/x" };
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(sl_source_check_names(paths, 3, 2, &err), SL_OK);
    assert_int_equal(sl_source_check_names(paths, 2, 1, &err), SL_OK);
    assert_int_equal(sl_source_check_names(paths, 0, 1, &err), SL_OK);
    assert_int_equal(sl_source_check_names(paths, 3, 1, &err), SL_E_USAGE);
    assert_non_null(strstr(err.msg, "'x'"));
    assert_non_null(strstr(err.msg, "--source-depth 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(parts), cmocka_unit_test(names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
