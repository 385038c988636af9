/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds: the table, and what a schema may and may not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "run/kinds.h"

static struct sl_err err;

/* A schema of a kind with columns "name:type ..." ; NULL: no kind. */
static void make(struct sl_schema *s, const char *kind, const char *columns)
{
    struct sl_str rest = sl_str_of(columns), word;
    sl_schema_init(s);
    if (kind)
        assert_int_equal(sl_schema_set_meta(s, "kind", sl_str_of(kind), NULL), SL_OK);
    while (sl_list_next(&rest, ' ', &word)) {
        char text[128];
        memcpy(text, word.p, word.n);
        text[word.n] = 0;
        char *colon = strchr(text, ':');
        *colon = 0;
        assert_int_equal(sl_schema_add_text(s, text, colon + 1, NULL), SL_OK);
    }
}

static enum sl_status check(const char *kind, const char *columns, const char *kinds)
{
    struct sl_schema s;
    make(&s, kind, columns);
    err = (struct sl_err)SL_ERR_INIT;
    enum sl_status st = sl_kind_check(&s, kinds, &err);
    sl_schema_release(&s);
    return st;
}

#define ID "id:fixed_size_binary[16]"
#define SEQUENCE(type, mask)                                                        \
    ID " tokens:fixed_size_list<" type ">[32] doc_ids:list<fixed_size_binary[16]> " \
       "doc_starts:list<uint32> doc_offsets:list<uint32> loss_mask:fixed_size_list<" mask ">[32]"

static void good(void **state)
{
    (void)state;
    assert_int_equal(check("docs", ID, "docs"), SL_OK);
    assert_int_equal(check("docs", ID " text:large_utf8 my_own:int8", "tokens,docs"), SL_OK);
    assert_int_equal(check("docs", ID, "*"), SL_OK);
    assert_int_equal(check("docs", ID " url:utf8", "*"), SL_OK); /* less nulls than it may have */
    assert_int_equal(check("tokens", ID " tokens:list<uint32>", "tokens"), SL_OK);
    assert_int_equal(check("sequences", SEQUENCE("uint16", "uint8"), "*"), SL_OK);
    assert_int_equal(check("sequences", SEQUENCE("uint32", "uint8"), "*"), SL_OK);
    assert_int_equal(check("of_others", "x:int8", "*"), SL_OK);
}

static void bad(void **state)
{
    (void)state;
    assert_int_equal(check(NULL, ID, "*"), SL_E_DATA);
    assert_non_null(strstr(err.msg, "kind"));
    assert_int_equal(check("docs", ID, "tokens,sequences"), SL_E_DATA);
    assert_non_null(strstr(err.msg, "docs"));
    assert_non_null(strstr(err.msg, "tokens,sequences"));
    assert_int_equal(check("doc", ID, "docs"), SL_E_DATA);
    assert_int_equal(check("docs", "text:large_utf8", "*"), SL_E_DATA);
    assert_non_null(strstr(err.msg, "'id'"));
    assert_int_equal(check("docs", ID " text:utf8", "*"), SL_E_DATA);
    assert_non_null(strstr(err.msg, "'text' is utf8, not large_utf8"));
    assert_int_equal(check("tokens", ID " tokens:list<int32>", "*"), SL_E_DATA);
    assert_int_equal(check("sequences", SEQUENCE("uint64", "uint8"), "*"), SL_E_DATA);
    assert_int_equal(check("sequences", SEQUENCE("uint16", "bool"), "*"), SL_E_DATA);
}

static void needs(void **state)
{
    (void)state;
    struct sl_schema s;
    make(&s, "docs", ID " text:large_utf8");
    assert_int_equal(sl_kind_check_needs(&s, "text", NULL), SL_OK);
    assert_int_equal(sl_kind_check_needs(&s, "html|text,id", NULL), SL_OK);
    err = (struct sl_err)SL_ERR_INIT;
    assert_int_equal(sl_kind_check_needs(&s, "text,html", &err), SL_E_DATA);
    assert_string_equal(err.msg, "no column 'html' in the input (sluice-warc adds it)");
    err = (struct sl_err)SL_ERR_INIT;
    assert_int_equal(sl_kind_check_needs(&s, "tex", &err), SL_E_DATA);
    assert_string_equal(err.msg, "no column 'tex' in the input");
    sl_schema_release(&s);
}

static void lists(void **state)
{
    (void)state;
    assert_true(sl_list_has("a,bc,d", SL_STR("bc")) && sl_list_has("a", SL_STR("a")));
    assert_false(sl_list_has("a,bc,d", SL_STR("b")) || sl_list_has("", SL_STR("a")));
    assert_false(sl_list_has("a,bc", SL_STR("bcd")) || sl_list_has("a,bc", SL_STR("a,bc")));
}

static void table(void **state)
{
    (void)state;
    int kinds = 0;
    for (int i = 0; i < sl_n_kind_rows; i++) {
        const struct sl_kind_row *r = &sl_kind_rows[i];
        kinds += r->kind != NULL;
        if (r->column.name)
            assert_true(r->column.type && r->column.maker && r->column.about);
    }
    assert_true(kinds >= 4);
    assert_string_equal(sl_kind_maker("title"), "sluice-extract");
    assert_null(sl_kind_maker("of_nobody"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),  cmocka_unit_test(bad),   cmocka_unit_test(needs),
        cmocka_unit_test(lists), cmocka_unit_test(table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
