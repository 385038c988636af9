/* SPDX-License-Identifier: Apache-2.0 */
/* Tokenizer: what html5lib's cases do not reach. They run apart, by
 * tests/conformance/html5lib_test.py. */
#include "web/html_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "web/html_tag.h"

static struct sl_html *t;

static int set_up(void **state)
{
    (void)state;
    t = sl_html_new();
    return t ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sl_html_free(t);
    return 0;
}

static void start(struct sl_str page)
{
    assert_int_equal(sl_html_start(t, page, NULL), SL_OK);
}

static const struct sl_html_token *expect(enum sl_html_kind kind, const char *what)
{
    const struct sl_html_token *tok = sl_html_next(t);
    assert_int_equal(tok->kind, kind);
    struct sl_str got = kind == SL_HTML_TEXT || kind == SL_HTML_COMMENT ? tok->text : tok->name;
    if (what && !sl_str_eq(got, sl_str_of(what)))
        fail_msg("want '%s', got '%.*s'", what, (int)got.n, got.p);
    return tok;
}

static void test_slices(void **state)
{
    (void)state;
    struct sl_str page = SL_STR("a &amp;<B Class=x>c</b >");
    start(page);
    const struct sl_html_token *tok = expect(SL_HTML_TEXT, "a ");
    assert_ptr_equal(tok->text.p, page.p); /* not copied */
    expect(SL_HTML_TEXT, "&");
    tok = expect(SL_HTML_START, "b");
    assert_int_equal(tok->n_attrs, 1);
    assert_true(sl_str_eq(sl_html_attr_find(t, SL_STR("class")), SL_STR("x")));
    assert_null(sl_html_attr_find(t, SL_STR("id")).p);
    expect(SL_HTML_TEXT, "c");
    expect(SL_HTML_END, "b");
    expect(SL_HTML_EOF, NULL);
    expect(SL_HTML_EOF, NULL);
}

static void test_line_ends(void **state)
{
    (void)state;
    start(SL_STR("a\r\nb\rc\r\r\n<!--\r-->\r"));
    expect(SL_HTML_TEXT, "a\nb\nc\n\n");
    expect(SL_HTML_COMMENT, "\n");
    expect(SL_HTML_TEXT, "\n");
    expect(SL_HTML_EOF, NULL);
    start(SL_STR("\r"));
    expect(SL_HTML_TEXT, "\n");
    start((struct sl_str){ NULL, 0 });
    expect(SL_HTML_EOF, NULL);
}

static void test_foreign(void **state)
{
    (void)state;
    start(SL_STR("<![CDATA[a]]><![CDATA[b]]>"));
    expect(SL_HTML_COMMENT, "[CDATA[a]]");
    sl_html_set_foreign(t, true);
    expect(SL_HTML_TEXT, "b");
    expect(SL_HTML_EOF, NULL);
    /* Empty sections make no token, however many there are. */
    struct sl_buf page;
    sl_buf_init(&page, 1 << 24);
    for (int i = 0; i < 200000; i++)
        assert_int_equal(sl_buf_add(&page, "<![CDATA[]]>", 12, NULL), SL_OK);
    start(sl_buf_str(&page));
    sl_html_set_foreign(t, true);
    expect(SL_HTML_EOF, NULL);
    sl_buf_release(&page);
}

static void test_attribute_limit(void **state)
{
    (void)state;
    struct sl_buf page;
    sl_buf_init(&page, 1 << 20);
    assert_int_equal(sl_buf_add(&page, "<b", 2, NULL), SL_OK);
    for (int i = 0; i < 300; i++)
        assert_int_equal(sl_buf_addf(&page, NULL, " A%d='&amp;%d' a%d=q", i, i, i), SL_OK);
    assert_int_equal(sl_buf_add(&page, ">c", 2, NULL), SL_OK);
    start(sl_buf_str(&page));
    const struct sl_html_token *tok = expect(SL_HTML_START, "b");
    assert_int_equal(tok->n_attrs, SL_HTML_ATTRS_MAX);
    for (size_t i = 0; i < tok->n_attrs; i++) {
        char want[32];
        snprintf(want, sizeof want, "&%zu", i);
        assert_true(sl_str_eq(sl_html_attr_value(t, &tok->attrs[i]), sl_str_of(want)));
        assert_true(sl_str_eq(sl_html_attr_value(t, &tok->attrs[i]), sl_str_of(want)));
    }
    expect(SL_HTML_TEXT, "c");
    sl_buf_release(&page);
}

/* The scratch is reserved for the worst: only NULs, only the references that
 * grow, only upper case. */
static void test_scratch(void **state)
{
    (void)state;
    static const char *const values[] = { "&nGt;", "&nLt;", "\x01", "X" };
    for (size_t v = 0; v < 4; v++) {
        struct sl_buf page;
        sl_buf_init(&page, 1 << 20);
        assert_int_equal(sl_buf_add(&page, "<b A='", 6, NULL), SL_OK);
        for (int i = 0; i < 10000; i++)
            assert_int_equal(
                sl_buf_add(&page, v == 2 ? "\0" : values[v], v == 2 ? 1 : strlen(values[v]), NULL),
                SL_OK);
        assert_int_equal(sl_buf_add(&page, "'>", 2, NULL), SL_OK);
        start(sl_buf_str(&page));
        const struct sl_html_token *tok = expect(SL_HTML_START, "b");
        size_t n = sl_html_attr_value(t, &tok->attrs[0]).n;
        assert_int_equal(n, v < 2 ? 60000 : v == 2 ? 30000 : 10000);
        sl_buf_release(&page);
    }
}

static void test_tags(void **state)
{
    (void)state;
    for (int tag = SL_TAG_OTHER + 1; tag < SL_TAG_N; tag++)
        assert_int_equal(sl_tag_of(sl_str_of(sl_tag_name((enum sl_tag)tag))), tag);
    assert_int_equal(sl_tag_of(SL_STR("blink")), SL_TAG_OTHER);
    assert_int_equal(sl_tag_of(SL_STR("")), SL_TAG_OTHER);
    assert_int_equal(sl_tag_of(SL_STR("x")), SL_TAG_OTHER);
    assert_int_equal(sl_tag_content_state(SL_TAG_SCRIPT), SL_HTML_SCRIPT);
    assert_int_equal(sl_tag_content_state(SL_TAG_STYLE), SL_HTML_RAWTEXT);
    assert_int_equal(sl_tag_content_state(SL_TAG_TITLE), SL_HTML_RCDATA);
    assert_int_equal(sl_tag_content_state(SL_TAG_P), SL_HTML_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slices),  cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_foreign), cmocka_unit_test(test_attribute_limit),
        cmocka_unit_test(test_scratch), cmocka_unit_test(test_tags),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
