/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: every type with and without nulls, gathered in every way and compared
 * with a model that looks at one row at a time. Whatever is lent must be
 * canonical by a check that knows nothing of the builders. */
#include "arrow/rows.h"

#include "arrow/canon.h"
#include "arrow/test_model.h"

enum { ROWS = 60 };

static void check_lent(struct sl_rows *r, struct sl_batch *b)
{
    OK(sl_rows_lend(r, b, &err));
    OK(sl_batch_canonical(b, SL_E_BUG, &err));
    assert_int_equal(sl_rows_bytes(r), sl_batch_bytes(b));
    int64_t sum = 0;
    for (uint32_t i = 0; i < r->schema->n_fields; i++)
        sum += sl_column_bytes(&b->columns[i], 0, b->n_rows);
    assert_int_equal(sum, sl_batch_bytes(b));
}

/* Row `at` of got is row `row` of want, in every column. */
static void same_row(const struct sl_batch *got, int64_t at, const struct sl_batch *want,
                     int64_t row)
{
    struct sl_buf x, y;
    sl_buf_init(&x, 1 << 20);
    sl_buf_init(&y, 1 << 20);
    for (uint32_t i = 0; i < got->schema->n_fields; i++) {
        model_text(&got->columns[i], at, &x);
        model_text(&want->columns[i], row, &y);
        assert_string_equal(sl_buf_cstr(&x), sl_buf_cstr(&y));
    }
    sl_buf_release(&x);
    sl_buf_release(&y);
}

enum { ANYTHING, FILTER, RANGE }; /* by the round, modulo 3 */

/* Up to ROWS row numbers of a kind; returns how many. */
static size_t pick_rows(int round, uint64_t *rng, uint32_t *rows)
{
    size_t n = 0;
    uint32_t first = (uint32_t)(model_random(rng) % ROWS);
    uint32_t want = (uint32_t)(model_random(rng) % (ROWS - first + 1));
    if (round % 3 == ANYTHING) { /* repeats too */
        while (n < want)
            rows[n++] = (uint32_t)(model_random(rng) % ROWS);
    } else if (round % 3 == FILTER) { /* drops little */
        for (uint32_t i = 0; i < ROWS; i++)
            if (model_random(rng) % 20)
                rows[n++] = i;
    } else {
        while (n < want) {
            rows[n] = first + (uint32_t)n;
            n++;
        }
    }
    return n;
}

static void take_is_the_model(void **state)
{
    (void)state;
    struct sl_schema s;
    struct sl_rows src, dst;
    struct sl_batch from, to;
    uint64_t rng = 7;
    model_schema(&s);
    OK(sl_rows_init(&src, &s, &err));
    OK(sl_rows_init(&dst, &s, &err));
    sl_batch_init(&from);
    sl_batch_init(&to);
    for (int round = 0; round < 60; round++) {
        static const unsigned percents[] = { 0, 3, 40, 100 };
        uint32_t rows[3 * ROWS];
        size_t n = 0;
        sl_rows_reset(&src);
        sl_rows_reset(&dst);
        model_fill(&src, ROWS, &rng, percents[round % 4]);
        check_lent(&src, &from);
        for (int piece = 0; piece < 3; piece++) {
            size_t start = n;
            n += pick_rows(round, &rng, rows + start);
            if (round % 3 == RANGE)
                OK(sl_rows_take_range(&dst, &from, n > start ? rows[start] : 0,
                                      (int64_t)(n - start), &err));
            else
                OK(sl_rows_take(&dst, &from, rows + start, n - start, &err));
        }
        check_lent(&dst, &to);
        assert_int_equal(to.n_rows, n);
        for (size_t i = 0; i < n; i++)
            same_row(&to, (int64_t)i, &from, rows[i]);
    }
    sl_batch_release(&from);
    sl_batch_release(&to);
    sl_rows_release(&src);
    sl_rows_release(&dst);
    sl_schema_release(&s);
}

static void same_bytes(const struct sl_column *a, const struct sl_column *b)
{
    int64_t width = sl_type_is_large(a->field->type) ? 8 : 4;
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->n_nulls, b->n_nulls);
    if (a->n_nulls)
        assert_memory_equal(a->validity, b->validity, (size_t)(a->n + 7) / 8);
    if (a->offsets)
        assert_memory_equal(a->offsets, b->offsets, (size_t)((a->n + 1) * width));
    assert_int_equal(a->data_bytes, b->data_bytes);
    if (a->data_bytes)
        assert_memory_equal(a->data, b->data, (size_t)a->data_bytes);
    for (uint32_t i = 0; i < a->field->n_children; i++)
        same_bytes(&a->children[i], &b->children[i]);
}

/* A copy by ranges, and one by single rows, have the bytes of what was built. */
static void range_is_the_builder(void **state)
{
    (void)state;
    struct sl_schema s;
    struct sl_rows src, dst[2];
    struct sl_batch from, to;
    uint64_t rng = 99;
    model_schema(&s);
    OK(sl_rows_init(&src, &s, &err));
    sl_batch_init(&from);
    sl_batch_init(&to);
    model_fill(&src, ROWS, &rng, 30);
    check_lent(&src, &from);
    for (int way = 0; way < 2; way++) {
        OK(sl_rows_init(&dst[way], &s, &err));
        for (uint32_t at = 0; at < ROWS;) {
            uint32_t n = way ? 1 : (uint32_t)(model_random(&rng) % 20);
            n = n > ROWS - at ? ROWS - at : n;
            if (way)
                OK(sl_rows_take(&dst[way], &from, &at, 1, &err));
            else
                OK(sl_rows_take_range(&dst[way], &from, at, n, &err));
            at += n;
        }
        check_lent(&dst[way], &to);
        for (uint32_t i = 0; i < s.n_fields; i++)
            same_bytes(&from.columns[i], &to.columns[i]);
        sl_rows_release(&dst[way]);
    }
    sl_batch_release(&from);
    sl_batch_release(&to);
    sl_rows_release(&src);
    sl_schema_release(&s);
}

/* A column of one type, for misuse. */
static struct sl_colbuf one(struct sl_schema *s, const char *type)
{
    struct sl_colbuf c;
    sl_schema_init(s);
    OK(sl_schema_add_text(s, "x", type, &err));
    OK(sl_colbuf_init(&c, s->fields[0], &err));
    return c;
}

static void misuse(void **state)
{
    (void)state;
    struct sl_schema s;
    struct sl_colbuf c = one(&s, "int8");
    FAILS(SL_E_BUG, sl_colbuf_add_null(&c, &err));
    FAILS(SL_E_BUG, sl_colbuf_add_int(&c, 128, &err));
    FAILS(SL_E_BUG, sl_colbuf_add_int(&c, -129, &err));
    FAILS(SL_E_BUG, sl_colbuf_add_real(&c, 1, &err));
    FAILS(SL_E_BUG, sl_colbuf_add_bool(&c, true, &err));
    FAILS(SL_E_BUG, sl_colbuf_add_str(&c, SL_STR("a"), &err));
    FAILS(SL_E_BUG, sl_colbuf_add_items(&c, "a", 1, &err));
    FAILS(SL_E_BUG, sl_colbuf_close(&c, &err));
    OK(sl_colbuf_add_int(&c, -128, &err));
    assert_int_equal(c.n, 1);
    sl_colbuf_release(&c);
    sl_schema_release(&s);

    c = one(&s, "fixed_size_list<uint16>[2]");
    uint16_t items[3] = { 1, 2, 3 };
    OK(sl_colbuf_add_items(&c, items, 2, &err));
    FAILS(SL_E_BUG, sl_colbuf_add_items(&c, items, 3, &err));
    sl_colbuf_reset(&c);
    OK(sl_colbuf_add_int(&c.children[0], 1, &err));
    FAILS(SL_E_BUG, sl_colbuf_close(&c, &err));
    sl_colbuf_release(&c);
    sl_schema_release(&s);

    c = one(&s, "struct<a:int8,b:int8>?");
    OK(sl_colbuf_add_int(&c.children[0], 1, &err));
    FAILS(SL_E_BUG, sl_colbuf_close(&c, &err));
    FAILS(SL_E_BUG, sl_colbuf_add_null(&c, &err));
    sl_colbuf_release(&c);
    sl_schema_release(&s);

    c = one(&s, "fixed_size_binary[4]");
    FAILS(SL_E_BUG, sl_colbuf_add_str(&c, SL_STR("abc"), &err));
    sl_colbuf_release(&c);
    sl_schema_release(&s);

    c = one(&s, "list<int8>?");
    struct sl_arena arena;
    struct sl_column col;
    sl_arena_init(&arena, 0);
    OK(sl_colbuf_add_int(&c.children[0], 1, &err));
    FAILS(SL_E_BUG, sl_colbuf_add_null(&c, &err));
    FAILS(SL_E_BUG, sl_colbuf_lend(&c, &col, &arena, &err));
    OK(sl_colbuf_close(&c, &err));
    OK(sl_colbuf_lend(&c, &col, &arena, &err));
    struct sl_schema other;
    struct sl_colbuf d = one(&other, "list<int16>");
    uint32_t row = 1;
    FAILS(SL_E_BUG, sl_colbuf_take_range(&d, &col, 0, 1, &err));
    FAILS(SL_E_BUG, sl_colbuf_take_range(&c, &col, 0, 2, &err));
    FAILS(SL_E_BUG, sl_colbuf_take_range(&c, &col, -1, 1, &err));
    FAILS(SL_E_BUG, sl_colbuf_take(&c, &col, &row, 1, &err));
    sl_colbuf_release(&d);
    sl_schema_release(&other);
    sl_arena_release(&arena);
    sl_colbuf_release(&c);
    sl_schema_release(&s);
}

static void int_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        int64_t min, max;
    } types[] = {
        { "int8", INT8_MIN, INT8_MAX },
        { "int16", INT16_MIN, INT16_MAX },
        { "int32", INT32_MIN, INT32_MAX },
        { "uint8", 0, UINT8_MAX },
        { "uint16", 0, UINT16_MAX },
        { "uint32", 0, UINT32_MAX },
        { "int64", INT64_MIN, INT64_MAX },
        { "uint64", INT64_MIN, INT64_MAX },
        { "timestamp[ns]", INT64_MIN, INT64_MAX },
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct sl_schema s;
        struct sl_arena arena;
        struct sl_column col;
        struct sl_colbuf c = one(&s, types[i].type);
        sl_arena_init(&arena, 0);
        OK(sl_colbuf_add_int(&c, types[i].min, &err));
        OK(sl_colbuf_add_int(&c, types[i].max, &err));
        if (types[i].min != INT64_MIN) {
            FAILS(SL_E_BUG, sl_colbuf_add_int(&c, types[i].min - 1, &err));
            FAILS(SL_E_BUG, sl_colbuf_add_int(&c, types[i].max + 1, &err));
        }
        OK(sl_colbuf_lend(&c, &col, &arena, &err));
        assert_int_equal(col.n, 2);
        assert_true(sl_column_int(&col, 0) == types[i].min);
        assert_true(sl_column_int(&col, 1) == types[i].max);
        sl_arena_release(&arena);
        sl_colbuf_release(&c);
        sl_schema_release(&s);
    }
}

/* The size of some rows of a column is the size of a batch of them. */
static void sizes_of_ranges(void **state)
{
    (void)state;
    struct sl_schema s;
    struct sl_rows src, dst;
    struct sl_batch from, to;
    uint64_t rng = 21;
    model_schema(&s);
    OK(sl_rows_init(&src, &s, &err));
    OK(sl_rows_init(&dst, &s, &err));
    sl_batch_init(&from);
    sl_batch_init(&to);
    model_fill(&src, ROWS, &rng, 20);
    check_lent(&src, &from);
    for (int round = 0; round < 50; round++) {
        int64_t first = (int64_t)(model_random(&rng) % ROWS);
        int64_t n = (int64_t)(model_random(&rng) % (uint64_t)(ROWS - first + 1));
        sl_rows_reset(&dst);
        OK(sl_rows_take_range(&dst, &from, first, n, &err));
        check_lent(&dst, &to);
        for (uint32_t i = 0; i < s.n_fields; i++)
            assert_int_equal(sl_column_bytes(&from.columns[i], first, n),
                             sl_column_bytes(&to.columns[i], 0, n));
    }
    sl_batch_release(&from);
    sl_batch_release(&to);
    sl_rows_release(&src);
    sl_rows_release(&dst);
    sl_schema_release(&s);
}

static void nulls_where_none_may_be(void **state)
{
    (void)state;
    struct sl_schema s, t;
    struct sl_colbuf a = one(&s, "int8?"), b = one(&t, "int8");
    struct sl_column col;
    struct sl_arena arena;
    uint32_t rows[] = { 1, 0 };
    sl_arena_init(&arena, 0);
    OK(sl_colbuf_add_int(&a, 5, &err));
    OK(sl_colbuf_add_null(&a, &err));
    OK(sl_colbuf_lend(&a, &col, &arena, &err));
    OK(sl_colbuf_take_range(&b, &col, 0, 1, &err));
    FAILS(SL_E_BUG, sl_colbuf_take_range(&b, &col, 0, 2, &err));
    FAILS(SL_E_BUG, sl_colbuf_take(&b, &col, rows, 2, &err));
    sl_arena_release(&arena);
    sl_colbuf_release(&a);
    sl_colbuf_release(&b);
    sl_schema_release(&s);
    sl_schema_release(&t);
}

/* Sizes that would pass the body's limit fail before memory is taken. */
static void too_large(void **state)
{
    (void)state;
    struct sl_schema s;
    struct sl_colbuf c =
        one(&s, "fixed_size_list<fixed_size_list<fixed_size_list<int8>[16777216]>[16777216]>[4]?");
    FAILS(SL_E_DATA, sl_colbuf_add_null(&c, &err));
    sl_colbuf_release(&c);
    sl_schema_release(&s);
    c = one(&s, "binary");
    FAILS(SL_E_DATA, sl_colbuf_add_str(&c, (struct sl_str){ "", SL_MAX_BODY_BYTES + 1 }, &err));
    sl_colbuf_release(&c);
    sl_schema_release(&s);
    c = one(&s, "list<int64>");
    FAILS(SL_E_DATA, sl_colbuf_add_items(&c, "", SIZE_MAX / 8 + 1, &err));
    sl_colbuf_release(&c);
    sl_schema_release(&s);
}

static void row_count(void **state)
{
    (void)state;
    struct sl_schema s;
    struct sl_rows r;
    struct sl_batch b;
    sl_schema_init(&s);
    OK(sl_schema_add_text(&s, "a", "utf8", &err));
    OK(sl_schema_add_text(&s, "b", "bool?", &err));
    OK(sl_rows_init(&r, &s, &err));
    sl_batch_init(&b);
    OK(sl_rows_lend(&r, &b, &err));
    assert_int_equal(sl_batch_bytes(&b), 4);
    OK(sl_batch_canonical(&b, SL_E_BUG, &err));
    OK(sl_colbuf_add_str(&r.cols[0], SL_STR("abc"), &err));
    FAILS(SL_E_BUG, sl_rows_close_row(&r, &err));
    FAILS(SL_E_BUG, sl_rows_lend(&r, &b, &err));
    OK(sl_colbuf_add_null(&r.cols[1], &err));
    OK(sl_rows_close_row(&r, &err));
    OK(sl_rows_lend(&r, &b, &err));
    assert_int_equal(sl_batch_bytes(&b), 8 + 3 + 1);
    assert_int_equal(sl_rows_bytes(&r), 12);
    assert_ptr_equal(sl_batch_column(&b, "b"), &b.columns[1]);
    assert_null(sl_batch_column(&b, "c"));
    assert_true(sl_column_is_null(&b.columns[1], 0));
    sl_batch_release(&b);
    sl_rows_release(&r);
    sl_schema_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(take_is_the_model),
        cmocka_unit_test(range_is_the_builder),
        cmocka_unit_test(misuse),
        cmocka_unit_test(int_ranges),
        cmocka_unit_test(sizes_of_ranges),
        cmocka_unit_test(nulls_where_none_may_be),
        cmocka_unit_test(too_large),
        cmocka_unit_test(row_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
