/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: the first wins, nothing overflows, NULL is allowed. */
#include "base/status.h"

#include <errno.h>
#include <string.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_first_wins(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(sl_err_set(&err, SL_E_DATA, "bad %d", 7), SL_E_DATA);
    assert_int_equal(sl_err_sys(&err, EIO, "later"), SL_E_DATA);
    assert_int_equal(sl_err_nomem(&err, 1), SL_E_DATA);
    assert_string_equal(err.msg, "bad 7");
    assert_int_equal(err.sys_errno, 0);
    sl_err_at(&err, "a", 5, -1);
    sl_err_at(&err, "b", 6, 2);
    assert_string_equal(err.where, "a");
    assert_int_equal(err.off, 5);
    assert_int_equal(err.record, 2);
    struct sl_err other = SL_ERR_INIT;
    sl_err_keep(&other, &err);
    assert_string_equal(other.msg, "bad 7");
    (void)sl_err_set(&err, SL_E_BUG, "x");
    struct sl_err third = SL_ERR_INIT;
    (void)sl_err_set(&third, SL_E_BUG, "third");
    sl_err_keep(&third, &err);
    assert_string_equal(third.msg, "third");
    sl_err_reset(&err);
    assert_int_equal(err.status, SL_OK);
    assert_int_equal(err.off, -1);
}

static void test_null(void **state)
{
    (void)state;
    assert_int_equal(sl_err_set(NULL, SL_E_USAGE, "x"), SL_E_USAGE);
    assert_int_equal(sl_err_sys(NULL, EIO, "x"), SL_E_SYSTEM);
    assert_int_equal(sl_err_nomem(NULL, 1), SL_E_SYSTEM);
    sl_err_at(NULL, "x", 1, 1);
    sl_err_keep(NULL, NULL);
    sl_err_reset(NULL);
}

static void test_text(void **state)
{
    (void)state;
    char out[1200], tiny[8];
    struct sl_err err = SL_ERR_INIT;
    (void)sl_err_sys(&err, ENOENT, "cannot open");
    assert_string_equal(sl_err_text(&err, out, sizeof out),
                        "cannot open: No such file or directory");
    sl_err_at(&err, "x\n.arrows", 48213, 17);
    assert_string_equal(sl_err_text(&err, out, sizeof out),
                        "'x?.arrows': cannot open: No such file or directory "
                        "(record 17, byte 48213)");
    assert_string_equal(sl_err_text(&err, tiny, sizeof tiny), "'x?.arr");
    sl_err_reset(&err);
    (void)sl_err_set(&err, SL_E_DATA, "short");
    sl_err_at(&err, NULL, -1, 3);
    assert_string_equal(sl_err_text(&err, out, sizeof out), "short (record 3)");
    sl_err_reset(&err);
    (void)sl_err_set(&err, SL_E_DATA, "short");
    sl_err_at(&err, NULL, 0, -1);
    assert_string_equal(sl_err_text(&err, out, sizeof out), "short (byte 0)");
}

static void test_long(void **state)
{
    (void)state;
    static char longest[5000], out[200];
    struct sl_err err = SL_ERR_INIT;
    memset(longest, 'a', sizeof longest - 1);
    (void)sl_err_sys(&err, EIO, "%s", longest);
    sl_err_at(&err, longest, 1, 1);
    assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
    assert_int_equal(strlen(err.where), sizeof err.where - 1);
    assert_int_equal(strlen(sl_err_text(&err, out, sizeof out)), sizeof out - 1);
}

static enum sl_status try_it(enum sl_status st)
{
    SL_TRY(st);
    return SL_E_BUG;
}

static void test_try(void **state)
{
    (void)state;
    assert_int_equal(try_it(SL_END), SL_END);
    assert_int_equal(try_it(SL_OK), SL_E_BUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_wins), cmocka_unit_test(test_null), cmocka_unit_test(test_text),
        cmocka_unit_test(test_long),       cmocka_unit_test(test_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
