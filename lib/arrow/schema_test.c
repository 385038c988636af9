/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas: types as text both ways, limits, comparison, copies, metadata. */
#include "arrow/schema.h"

#include "arrow/test_model.h"

static void text_both_ways(void **state)
{
    (void)state;
    struct sl_schema s;
    struct sl_buf b;
    sl_buf_init(&b, 4096);
    model_schema(&s);
    for (uint32_t i = 0; i < s.n_fields; i++) {
        sl_buf_reset(&b);
        OK(sl_type_format(s.fields[i], &b, &err));
        if (s.fields[i]->nullable)
            OK(sl_buf_add_byte(&b, '?', &err));
        assert_string_equal(sl_buf_cstr(&b), model_types[i]);
    }
    const struct sl_field *f = s.fields[sl_schema_find(&s, "c33")];
    assert_int_equal(f->type, SL_T_TIMESTAMP);
    assert_int_equal(f->unit, SL_UNIT_US);
    assert_string_equal(f->zone, "UTC");
    assert_true(f->nullable);
    f = s.fields[sl_schema_find(&s, "c45")];
    assert_string_equal(f->children[0].name, "p");
    assert_string_equal(f->children[0].children[0].name, "item");
    assert_int_equal(f->children[0].children[0].children[0].size, 2);
    sl_schema_release(&s);
    sl_buf_release(&b);
}

static void no_types(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "?",
        "int",
        "int32??",
        "int32 ",
        " int32",
        "Int32",
        "list",
        "list<",
        "list<>",
        "list<int8",
        "list<int8>>",
        "list<int8,int8>",
        "fixed_size_list<int8>",
        "fixed_size_list<int8>[0]",
        "fixed_size_list<int8>[-1]",
        "fixed_size_list<int8>[1",
        "fixed_size_binary",
        "fixed_size_binary[]",
        "fixed_size_binary[x]",
        "fixed_size_binary[99999999999]",
        "timestamp",
        "timestamp[]",
        "timestamp[d]",
        "timestamp[us,]",
        "timestamp[us",
        "struct",
        "struct<>",
        "struct<a>",
        "struct<:int8>",
        "struct<a:int8",
        "struct<a:int8,>",
        "struct<a:int8;b:int8>",
        "int8[4]",
        "decimal",
        "list<null>",
        "list<list<list<list<list<list<list<list<int8>>>>>>>>",
    };
    struct sl_schema s;
    sl_schema_init(&s);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sl_err err = SL_ERR_INIT;
        assert_int_equal(sl_schema_add_text(&s, "x", bad[i], &err), SL_E_USAGE);
        assert_non_null(strstr(err.msg, "is no type"));
    }
    assert_int_equal(s.n_fields, 0);
    OK(sl_schema_add_text(&s, "deep", "list<list<list<list<list<list<list<int8>>>>>>>", &err));
    sl_schema_release(&s);
}

static void limits(void **state)
{
    (void)state;
    struct sl_schema s;
    char name[300];
    memset(name, 'n', sizeof name);
    name[256] = 0;
    sl_schema_init(&s);
    FAILS(SL_E_DATA, sl_schema_add_text(&s, name, "int8", &err));
    name[255] = 0;
    OK(sl_schema_add_text(&s, name, "int8", &err));
    FAILS(SL_E_DATA, sl_schema_add_text(&s, name, "int8", &err));
    FAILS(SL_E_DATA, sl_schema_add_text(&s, "", "int8", &err));
    FAILS(SL_E_DATA, sl_schema_add_text(&s, "a\xff", "int8", &err));
    FAILS(SL_E_DATA, sl_schema_add_text(&s, "a", "struct<x:int8,x:int8>", &err));
    FAILS(SL_E_DATA, sl_schema_add_text(&s, "a", "fixed_size_binary[1048577]", &err));
    FAILS(SL_E_DATA, sl_schema_add_text(&s, "a", "fixed_size_list<int8>[16777217]", &err));
    FAILS(SL_E_DATA, sl_schema_add_text(&s, "a", "timestamp[s,U C]", &err));
    struct sl_field element = { .name = "element", .type = SL_T_INT8 };
    struct sl_field list = {
        .name = "l", .type = SL_T_LIST, .n_children = 1, .children = &element
    };
    FAILS(SL_E_DATA, sl_schema_add(&s, &list, &err));
    element.name = "item";
    list.n_children = 0;
    FAILS(SL_E_DATA, sl_schema_add(&s, &list, &err));
    struct sl_field chain[9];
    for (int i = 0; i < 9; i++)
        chain[i] = (struct sl_field){ .name = "item",
                                      .type = i < 8 ? SL_T_LIST : SL_T_INT8,
                                      .n_children = i < 8,
                                      .children = &chain[i + 1] };
    FAILS(SL_E_DATA, sl_schema_add(&s, &chain[0], &err));
    OK(sl_schema_add(&s, &chain[1], &err));
    for (int i = 0; s.n_fields < 1024 - 7 - 3; i++) {
        snprintf(name, sizeof name, "f%d", i);
        OK(sl_schema_add_text(&s, name, "int8", &err));
    }
    FAILS(SL_E_DATA, sl_schema_add_text(&s, "last", "struct<a:int8,b:int8,c:int8>", &err));
    OK(sl_schema_add_text(&s, "last", "struct<a:int8,b:int8>", &err));
    FAILS(SL_E_DATA, sl_schema_add_text(&s, "more", "int8", &err));
    sl_schema_release(&s);
}

static void comparing(void **state)
{
    (void)state;
    struct sl_schema a, b;
    char why[256];
    model_schema(&a);
    OK(sl_schema_set_meta(&a, "kind", SL_STR("docs"), &err));
    OK(sl_schema_set_meta(&a, "lineage", SL_STR("[]"), &err));
    OK(sl_schema_copy(&b, &a, &err));
    assert_true(sl_schema_same(&a, &b, why));
    assert_string_equal(b.kind, "docs");
    assert_string_equal(b.lineage, "[]");
    assert_null(b.tokenizer);
    OK(sl_schema_set_meta(&b, "kind", (struct sl_str){ NULL, 0 }, &err));
    assert_null(b.kind);
    FAILS(SL_E_BUG, sl_schema_set_meta(&b, "sl:kind", SL_STR("x"), &err));
    FAILS(SL_E_DATA, sl_schema_set_meta(&b, "kind", SL_STR("x\0y"), &err));
    const struct sl_field *first = b.fields[0];
    OK(sl_schema_add_text(&b, "extra", "int8", &err));
    assert_ptr_equal(first, b.fields[0]);
    assert_false(sl_schema_same(&a, &b, why));
    assert_string_equal(why, "column 'extra' is only there");
    sl_schema_release(&b);
    static const char *const pairs[][2] = {
        { "int8", "int8?" },
        { "timestamp[us]", "timestamp[ns]" },
        { "timestamp[us]", "timestamp[us,UTC]" },
        { "fixed_size_binary[3]", "fixed_size_binary[4]" },
        { "list<int8>", "list<int8?>" },
        { "list<int8>", "large_list<int8>" },
        { "struct<a:int8>", "struct<b:int8>" },
        { "struct<a:int8>", "struct<a:int8,b:int8>" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct sl_schema x, y;
        char want[256];
        sl_schema_init(&x);
        sl_schema_init(&y);
        OK(sl_schema_add_text(&x, "c", pairs[i][0], &err));
        OK(sl_schema_add_text(&y, "c", pairs[i][1], &err));
        assert_true(sl_schema_same(&x, &x, NULL));
        assert_false(sl_schema_same(&x, &y, why));
        snprintf(want, sizeof want, "column 'c' is %s here, %s there", pairs[i][0], pairs[i][1]);
        assert_string_equal(why, want);
        sl_schema_release(&x);
        sl_schema_release(&y);
    }
    sl_schema_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_both_ways),
        cmocka_unit_test(no_types),
        cmocka_unit_test(limits),
        cmocka_unit_test(comparing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
