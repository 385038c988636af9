/* SPDX-License-Identifier: Apache-2.0 */
/* Every rule of the canonical form, broken one at a time. */
#include "arrow/canon.h"

#include "arrow/test_model.h"

struct made {
    struct sl_schema s;
    struct sl_rows r;
    struct sl_batch b;
};

static struct sl_column *make(struct made *m, const char *type, int n, unsigned null_percent)
{
    uint64_t rng = 3;
    sl_schema_init(&m->s);
    OK(sl_schema_add_text(&m->s, "x", type, &err));
    OK(sl_rows_init(&m->r, &m->s, &err));
    sl_batch_init(&m->b);
    model_fill(&m->r, n, &rng, null_percent);
    OK(sl_rows_lend(&m->r, &m->b, &err));
    OK(sl_batch_canonical(&m->b, SL_E_BUG, &err));
    return &m->b.columns[0];
}

static void refused(struct made *m, const char *rule)
{
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(sl_batch_canonical(&m->b, SL_E_DATA, &err), SL_E_DATA);
    if (!strstr(err.msg, rule))
        fail_msg("'%s' instead of '%s'", err.msg, rule);
    sl_batch_release(&m->b);
    sl_rows_release(&m->r);
    sl_schema_release(&m->s);
}

static int64_t a_null(const struct sl_column *c)
{
    int64_t i = 0;
    while (!sl_column_is_null(c, i))
        i++;
    return i;
}

static uint8_t *bytes(const void *p)
{
    return (uint8_t *)(uintptr_t)p;
}

static void validity(void **state)
{
    (void)state;
    struct made m;
    static const uint8_t all[2] = { 0xff, 0x03 };
    struct sl_column *c = make(&m, "int8?", 10, 0);
    c->validity = all;
    refused(&m, "validity buffer without nulls");
    c = make(&m, "int8?", 10, 50);
    c->n_nulls++;
    refused(&m, "another number of nulls");
    c = make(&m, "int8?", 10, 50);
    bytes(c->validity)[1] |= 0x80;
    refused(&m, "validity bits behind the end");
    c = make(&m, "int8", 10, 0);
    c->validity = all;
    c->n_nulls = 1;
    refused(&m, "nulls in a column that has none");
    c = make(&m, "int8?", 10, 50);
    c->n_nulls = 11;
    refused(&m, "wrong number");
    c = make(&m, "int8?", 10, 0);
    c->n = 9;
    refused(&m, "9 rows of 10");
}

static void values(void **state)
{
    (void)state;
    struct made m;
    struct sl_column *c = make(&m, "int32?", 10, 50);
    bytes(c->data)[a_null(c) * 4 + 3] = 1;
    refused(&m, "a null that is not zero");
    c = make(&m, "bool?", 10, 50);
    bytes(c->data)[a_null(c) >> 3] |= (uint8_t)(1 << (a_null(c) & 7));
    refused(&m, "a null that is not zero");
    c = make(&m, "bool", 10, 0);
    bytes(c->data)[1] |= 0x04;
    refused(&m, "bits behind the end");
    c = make(&m, "int32", 10, 0);
    c->data_bytes++;
    refused(&m, "values of another size");
    c = make(&m, "utf8", 10, 0);
    bytes(c->data)[0] = 0xff;
    refused(&m, "not UTF-8");
}

static void offsets(void **state)
{
    (void)state;
    struct made m;
    struct sl_column *c = make(&m, "binary", 10, 0);
    int32_t *at = (int32_t *)(void *)bytes(c->offsets);
    at[0] = 1;
    refused(&m, "do not begin at 0");
    c = make(&m, "binary", 10, 0);
    at = (int32_t *)(void *)bytes(c->offsets);
    at[5] = at[4] - 1;
    refused(&m, "offsets that fall");
    c = make(&m, "large_list<int8>", 10, 0);
    c->children[0].n--;
    c->children[0].data_bytes--;
    refused(&m, "do not end where the values do");
    c = make(&m, "list<int8>?", 10, 100);
    at = (int32_t *)(void *)bytes(c->offsets);
    at[10] = 1;
    refused(&m, "a null with a length");
    /* "é" cut in two rows */
    static const int32_t cut[] = { 0, 1, 2 };
    c = make(&m, "utf8", 2, 0);
    c->offsets = cut;
    c->data = (const uint8_t *)"\xc3\xa9";
    c->data_bytes = 2;
    refused(&m, "begins inside a character");
}

static void below_nulls(void **state)
{
    (void)state;
    struct made m;
    struct sl_column *c = make(&m, "struct<a:int16>?", 10, 50);
    bytes(c->children[0].data)[a_null(c) * 2] = 1;
    refused(&m, "a value below a null");
    c = make(&m, "fixed_size_list<int8>[3]?", 10, 50);
    bytes(c->children[0].data)[a_null(c) * 3 + 2] = 1;
    refused(&m, "a value below a null");
    c = make(&m, "struct<a:fixed_size_list<int8>[3]>?", 10, 50);
    bytes(c->children[0].children[0].data)[a_null(c) * 3 + 2] = 1;
    refused(&m, "a value below a null");
    c = make(&m, "fixed_size_list<bool>[3]?", 10, 50);
    int64_t bit = a_null(c) * 3;
    bytes(c->children[0].data)[bit >> 3] |= (uint8_t)(1 << (bit & 7));
    refused(&m, "a value below a null");
    c = make(&m, "struct<a:int8?>?", 10, 100);
    static const uint8_t none[2] = { 0, 0 };
    c->children[0].validity = none;
    c->children[0].n_nulls = 10;
    refused(&m, "a null below a null");
    c = make(&m, "struct<a:int8?>?", 10, 0);
    c->children[0].n = 9;
    c->children[0].data_bytes = 9;
    refused(&m, "another number of rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validity),
        cmocka_unit_test(values),
        cmocka_unit_test(offsets),
        cmocka_unit_test(below_nulls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
