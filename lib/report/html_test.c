/* SPDX-License-Identifier: Apache-2.0 */
/* Text that would break a page, numbers for people, and the page's maximum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "report/html.h"

static char shown[1 << 16];

static const char *text_of(struct sl_str s, bool attribute)
{
    struct sl_html h;
    sl_html_init(&h, sizeof shown - 1);
    if (attribute)
        sl_html_attr(&h, s);
    else
        sl_html_text(&h, s);
    assert_int_equal(sl_html_end(&h, NULL), SL_OK);
    snprintf(shown, sizeof shown, "%.*s", (int)h.out.n, h.out.n ? (const char *)h.out.p : "");
    sl_html_release(&h);
    return shown;
}

static void test_markup(void **state)
{
    (void)state;
    assert_string_equal(text_of(SL_STR("</script><b a=\"1\" c='2'>&amp;"), false),
                        "&lt;/script&gt;&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;");
    assert_string_equal(text_of(SL_STR("\"'<"), true), "&quot;&#39;&lt;");
    assert_string_equal(text_of(SL_STR(""), false), "");
    assert_string_equal(text_of((struct sl_str){ NULL, 0 }, false), "");
}

static void test_controls(void **state)
{
    (void)state;
    assert_string_equal(text_of(SL_STR("a\tb\nc"), false), "a\tb\nc");
    assert_string_equal(text_of(SL_STR("a\0b"), false), "a<i class=c>U+0000</i>b");
    assert_string_equal(text_of(SL_STR("\x1b[0m"), false), "<i class=c>U+001B</i>[0m");
    assert_string_equal(text_of(SL_STR("\xC2\x85"), false), "<i class=c>U+0085</i>");
    assert_string_equal(text_of(SL_STR("x\xE2\x80\xAEy\xE2\x81\xA9z"), false),
                        "x<i class=c>U+202E</i>y<i class=c>U+2069</i>z");
    assert_string_equal(text_of(SL_STR("\xEF\xBF\xBF\xEF\xB7\x90"), false),
                        "<i class=c>U+FFFF</i><i class=c>U+FDD0</i>");
    assert_string_equal(text_of(SL_STR("\xE2\x80\xAE"), true), "\xEF\xBF\xBD");
    /* marks that turn nothing around, and letters of all kinds, stay */
    assert_string_equal(text_of(SL_STR("\xE2\x80\x8F\xD7\x90\xF0\x9F\x98\x80"), false),
                        "\xE2\x80\x8F\xD7\x90\xF0\x9F\x98\x80");
}

static void test_ill_formed(void **state)
{
    (void)state;
    assert_string_equal(text_of(SL_STR("a\xFF<\xC3"), false), "a\xEF\xBF\xBD&lt;\xEF\xBF\xBD");
}

static void test_numbers(void **state)
{
    char text[32];
    (void)state;
    assert_string_equal(sl_int_text(0, text), "0");
    assert_string_equal(sl_int_text(999, text), "999");
    assert_string_equal(sl_int_text(1000, text), "1,000");
    assert_string_equal(sl_int_text(-1234567, text), "-1,234,567");
    assert_string_equal(sl_int_text(INT64_MAX, text), "9,223,372,036,854,775,807");
    assert_string_equal(sl_int_text(INT64_MIN, text), "-9,223,372,036,854,775,808");
    assert_string_equal(sl_short_text(0, text), "0");
    assert_string_equal(sl_short_text(1500, text), "1.5k");
    assert_string_equal(sl_short_text(-2e7, text), "-20M");
    assert_string_equal(sl_short_text(0.25, text), "0.25");
}

static const char *share_of(int64_t part, int64_t whole)
{
    struct sl_html h;
    sl_html_init(&h, 100);
    sl_html_share(&h, part, whole);
    snprintf(shown, sizeof shown, "%.*s", (int)h.out.n, (const char *)h.out.p);
    sl_html_release(&h);
    return shown;
}

static void test_shares(void **state)
{
    (void)state;
    assert_string_equal(share_of(1, 3), "33.3 %");
    assert_string_equal(share_of(0, 3), "0.0 %");
    assert_string_equal(share_of(1, 100000), "&lt; 0.1 %");
    assert_string_equal(share_of(1, 0), "\xE2\x80\x93");
}

/* The first error stays, and nothing is written behind it. */
static void test_maximum(void **state)
{
    struct sl_html h;
    struct sl_err err = SL_ERR_INIT;
    (void)state;
    sl_html_init(&h, 4);
    sl_html_put(&h, "abc");
    sl_html_put(&h, "de");
    sl_html_put(&h, "f");
    assert_int_equal(sl_html_end(&h, &err), SL_E_DATA);
    assert_int_equal(err.status, SL_E_DATA);
    assert_int_equal(h.out.n, 3);
    sl_html_release(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_markup),     cmocka_unit_test(test_controls),
        cmocka_unit_test(test_ill_formed), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_shares),     cmocka_unit_test(test_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
