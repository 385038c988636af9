/* SPDX-License-Identifier: Apache-2.0 */
#include "token/normalise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_nfc(const char *text, const char *want)
{
    struct sl_buf out;
    sl_buf_init(&out, 1 << 20);
    assert_int_equal(sl_nfc(&out, sl_str_of(text), NULL), SL_OK);
    assert_int_equal(out.n, strlen(want));
    assert_memory_equal(out.p, want, out.n);
    if (sl_nfc_quick(sl_str_of(text)))
        assert_string_equal(text, want);
    sl_buf_release(&out);
}

static void nfc_composes_and_orders(void **state)
{
    (void)state;
    assert_nfc("", "");
    assert_nfc("plain \xc3\xa9 \xe4\xb8\xad", "plain \xc3\xa9 \xe4\xb8\xad");
    assert_nfc("ae\xcc\x81", "a\xc3\xa9");
    assert_nfc("o\xcc\x81\xcc\xa3", "\xe1\xbb\x8d\xcc\x81");            /* put in order first */
    assert_nfc("\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8", "\xea\xb0\x81"); /* Hangul */
    assert_nfc("\xea\xb0\x80\xe1\x86\xa8", "\xea\xb0\x81");
    assert_nfc("\xe2\x84\xab", "\xc3\x85");                 /* Angstrom sign */
    assert_nfc("\xe0\xa5\x98", "\xe0\xa4\x95\xe0\xa4\xbc"); /* an exclusion */
    assert_nfc("\xcc\x81", "\xcc\x81");
    assert_nfc("\xf0\x91\xa4\xb5\xf0\x91\xa4\xb0", "\xf0\x91\xa4\xb5\xf0\x91\xa4\xb0"); /* 13.0 */
}

static void many_marks_are_sorted_as_few(void **state)
{
    (void)state;
    char text[1024] = "a", want[1024] = "a";
    for (int i = 0; i < 60; i++)
        strcat(text, i % 2 ? "\xcc\xa1" : "\xcd\x82"); /* classes 202 and 230 */
    for (int i = 0; i < 60; i++)
        strcat(want, i < 30 ? "\xcc\xa1" : "\xcd\x82");
    assert_nfc(text, want);
}

static void steps_go_one_behind_the_other(void **state)
{
    (void)state;
    struct sl_normaliser s;
    struct sl_buf buf[2];
    struct sl_str out;
    sl_normaliser_init(&s);
    sl_buf_init(&buf[0], 1 << 16);
    sl_buf_init(&buf[1], 1 << 16);
    assert_int_equal(sl_normaliser_add(&s, SL_NORMAL_REPLACE, SL_STR(""), SL_STR("x"), NULL),
                     SL_E_DATA);
    assert_int_equal(sl_normaliser_add(&s, SL_NORMAL_PREPEND, SL_STR(""), SL_STR(" "), NULL),
                     SL_OK);
    assert_int_equal(sl_normaliser_add(&s, SL_NORMAL_REPLACE, SL_STR(" "), SL_STR("__"), NULL),
                     SL_OK);
    assert_int_equal(sl_normaliser_add(&s, SL_NORMAL_NFC, SL_STR(""), SL_STR(""), NULL), SL_OK);
    assert_int_equal(sl_normalise(&s, SL_STR("a e\xcc\x81"), buf, &out, NULL), SL_OK);
    assert_true(sl_str_eq(out, SL_STR("__a__\xc3\xa9")));
    assert_int_equal(sl_normalise(&s, SL_STR(""), buf, &out, NULL), SL_OK);
    assert_int_equal(out.n, 0);
    sl_buf_release(&buf[0]);
    sl_buf_release(&buf[1]);
    sl_normaliser_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nfc_composes_and_orders),
        cmocka_unit_test(many_marks_are_sorted_as_few),
        cmocka_unit_test(steps_go_one_behind_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
