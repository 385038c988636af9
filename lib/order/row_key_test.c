/* SPDX-License-Identifier: Apache-2.0 */
/* Keys against a model that compares two rows value by value, over columns of
 * every type that has an order, with the values at which encodings break. */
#include <math.h>

#include "arrow/test_model.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/row_hash.h"
#include "order/row_key.h"

enum { N_ROWS = 120 };

static const char *const ordered[] = {
    "int8",
    "int8?",
    "int16",
    "int32?",
    "int64",
    "int64?",
    "uint8",
    "uint16?",
    "uint32",
    "uint64?",
    "float32",
    "float32?",
    "float64",
    "float64?",
    "bool",
    "bool?",
    "utf8",
    "utf8?",
    "large_utf8?",
    "binary",
    "binary?",
    "large_binary",
    "large_binary?",
    "fixed_size_binary[3]",
    "fixed_size_binary[5]?",
    "timestamp[us,UTC]?",
};
enum { N_ORDERED = sizeof ordered / sizeof *ordered };

struct world {
    struct sl_schema schema;
    struct sl_rows rows;
    struct sl_batch batch;
};

static int64_t some_int(enum sl_type t, uint64_t *rng)
{
    static const int64_t edges[] = {
        0, 1, -1, 127, -128, 255, 256, INT32_MIN, INT64_MAX, INT64_MIN
    };
    uint64_t v = model_random(rng);
    return model_int(t, v % 2 ? (uint64_t)edges[v / 2 % 10] : model_random(rng));
}

static double some_real(uint64_t *rng)
{
    static const double edges[] = { 0.0, -0.0, 1.0, -1.0, 0x1p-149, -0x1p-149, 0x1.fffffep127 };
    uint64_t v = model_random(rng);
    return v % 2 ? edges[v / 2 % 7] : (double)(float)((double)(int64_t)v * 0x1p-40);
}

/* Zeros, FF, and beginnings of one another. */
static struct sl_str some_bytes(bool text, char *p, uint64_t *rng)
{
    static const char binary[] = { 0, 0, 1, (char)0xff, (char)0xfe, 'a' };
    static const char letters[] = { 0, 0, 1, 2, 'a', 'b' };
    size_t n = model_random(rng) % 5;
    for (size_t i = 0; i < n; i++)
        p[i] = (text ? letters : binary)[model_random(rng) % 6];
    return (struct sl_str){ p, n };
}

static void add_value(struct sl_colbuf *c, uint64_t *rng)
{
    char bytes[16];
    const struct sl_field *f = c->field;
    if (f->nullable && model_random(rng) % 4 == 0)
        OK(sl_colbuf_add_null(c, &err));
    else if (f->type <= SL_T_UINT64 || f->type == SL_T_TIMESTAMP)
        OK(sl_colbuf_add_int(c, some_int(f->type, rng), &err));
    else if (f->type == SL_T_FLOAT32 || f->type == SL_T_FLOAT64)
        OK(sl_colbuf_add_real(c, some_real(rng), &err));
    else if (f->type == SL_T_BOOL)
        OK(sl_colbuf_add_bool(c, model_random(rng) & 1, &err));
    else if (f->type == SL_T_FIXED_BINARY) {
        for (int i = 0; i < f->size; i++)
            bytes[i] = (char)(model_random(rng) % 2 ? 0 : 0xff);
        OK(sl_colbuf_add_str(c, (struct sl_str){ bytes, (size_t)f->size }, &err));
    } else
        OK(sl_colbuf_add_str(c, some_bytes(sl_type_is_utf8(f->type), bytes, rng), &err));
}

static void make(struct world *w, const char *const *types, int n, uint64_t seed)
{
    char name[16];
    sl_schema_init(&w->schema);
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "c%02d", i);
        OK(sl_schema_add_text(&w->schema, name, types[i], &err));
    }
    OK(sl_schema_add_text(&w->schema, "copy", "uint16", &err));
    OK(sl_schema_add_text(&w->schema, "id", "fixed_size_binary[16]", &err));
    OK(sl_schema_add_text(&w->schema, "items", "list<uint16>", &err));
    OK(sl_schema_add_text(&w->schema, "pair", "struct<a:int8>", &err));
    OK(sl_rows_init(&w->rows, &w->schema, &err));
    for (uint64_t i = 0; i < N_ROWS; i++) {
        uint64_t half = i / 2;
        struct sl_hash128 id = sl_hash128(&half, sizeof half);
        for (int c = 0; c < n; c++)
            add_value(&w->rows.cols[c], &seed);
        OK(sl_colbuf_add_int(&w->rows.cols[n], (int64_t)(i % 2 * 300), &err));
        OK(sl_colbuf_add_str(&w->rows.cols[n + 1], (struct sl_str){ (char *)id.b, 16 }, &err));
        OK(sl_colbuf_close(&w->rows.cols[n + 2], &err));
        OK(sl_colbuf_add_int(&w->rows.cols[n + 3].children[0], 1, &err));
        OK(sl_colbuf_close(&w->rows.cols[n + 3], &err));
        OK(sl_rows_close_row(&w->rows, &err));
    }
    sl_batch_init(&w->batch);
    OK(sl_rows_lend(&w->rows, &w->batch, &err));
}

static void drop(struct world *w)
{
    sl_batch_release(&w->batch);
    sl_rows_release(&w->rows);
    sl_schema_release(&w->schema);
}

static int sign(int64_t v)
{
    return (v > 0) - (v < 0);
}

static int compare_values(const struct sl_column *c, int64_t a, int64_t b)
{
    enum sl_type t = c->field->type;
    if (t == SL_T_FLOAT32 || t == SL_T_FLOAT64) {
        double x = sl_column_real(c, a), y = sl_column_real(c, b);
        return (x > y) - (x < y);
    }
    if (t == SL_T_BOOL)
        return sl_column_bool(c, a) - sl_column_bool(c, b);
    if (t <= SL_T_UINT64 || t == SL_T_TIMESTAMP) {
        int64_t x = sl_column_int(c, a), y = sl_column_int(c, b);
        if (t == SL_T_UINT64)
            return ((uint64_t)x > (uint64_t)y) - ((uint64_t)x < (uint64_t)y);
        return (x > y) - (x < y);
    }
    return sign(sl_str_cmp(sl_column_str(c, a), sl_column_str(c, b)));
}

static int compare(const struct sl_column *c, bool desc, int64_t a, int64_t b)
{
    bool x = sl_column_is_null(c, a), y = sl_column_is_null(c, b);
    if (x || y)
        return x - y;
    int way = compare_values(c, a, b);
    return desc ? -way : way;
}

static int compare_keys(const struct sl_buf *a, const struct sl_buf *b)
{
    size_t n = a->n < b->n ? a->n : b->n;
    int way = sign(memcmp(a->p, b->p, n));
    if (way == 0)
        assert_int_equal(a->n, b->n); /* none is the beginning of another */
    return way;
}

/* All pairs of rows by columns (index, direction), then id, then copy. */
static void check_order(struct world *w, const char *by, const int *columns, const bool *desc,
                        int n)
{
    struct sl_row_keys *k;
    struct sl_buf keys[N_ROWS];
    OK(sl_row_keys_parse(&k, by, &w->schema, &err));
    for (int i = 0; i < N_ROWS; i++) {
        bool null = false, want = false;
        for (int p = 0; p < n; p++)
            want = want || sl_column_is_null(&w->batch.columns[columns[p]], i);
        sl_buf_init(&keys[i], 4096);
        OK(sl_row_keys_add(k, &w->batch, i, &keys[i], &null, &err));
        assert_int_equal(null, want);
    }
    for (int i = 0; i < N_ROWS; i++)
        for (int j = 0; j < N_ROWS; j++) {
            int want = 0;
            for (int p = 0; p < n && !want; p++)
                want = compare(&w->batch.columns[columns[p]], desc[p], i, j);
            if (!want)
                want = compare(sl_batch_column(&w->batch, "id"), false, i, j);
            if (!want)
                want = compare(sl_batch_column(&w->batch, "copy"), false, i, j);
            if (compare_keys(&keys[i], &keys[j]) != want)
                fail_msg("order by %s: rows %d and %d", by, i, j);
        }
    for (int i = 0; i < N_ROWS; i++)
        sl_buf_release(&keys[i]);
    sl_row_keys_free(k);
}

static void test_single(void **state)
{
    (void)state;
    struct world w;
    char by[32];
    make(&w, ordered, N_ORDERED, 1);
    for (int c = 0; c < N_ORDERED; c++)
        for (int desc = 0; desc < 2; desc++) {
            const bool way = desc;
            snprintf(by, sizeof by, " c%02d %s ", c, desc ? "desc" : c % 2 ? "asc" : "");
            check_order(&w, by, &c, &way, 1);
        }
    check_order(&w, "", NULL, NULL, 0);
    check_order(&w, NULL, NULL, NULL, 0);
    check_order(&w, " \n", NULL, NULL, 0);
    drop(&w);
}

static void test_several(void **state)
{
    (void)state;
    uint64_t rng = 7;
    struct world w;
    for (int round = 0; round < 40; round++) {
        char by[64];
        int columns[3] = { 0 }, n = 0, at = 0;
        bool desc[3] = { 0 };
        make(&w, ordered, N_ORDERED, (uint64_t)round);
        while (n < 3) {
            int c = (int)(model_random(&rng) % N_ORDERED);
            if ((n > 0 && c == columns[0]) || (n > 1 && c == columns[1]))
                continue;
            columns[n] = c;
            desc[n] = model_random(&rng) & 1;
            at += snprintf(by + at, sizeof by - (size_t)at, "%sc%02d%s", n ? "," : "", c,
                           desc[n] ? "\tdesc" : "");
            n++;
        }
        check_order(&w, by, columns, desc, n);
        drop(&w);
    }
}

/* id is not appended where it is named; copy still is. */
static void test_named_id(void **state)
{
    (void)state;
    struct world w;
    make(&w, ordered, 1, 1);
    const int columns[] = { 2, 1 };
    const bool desc[] = { true, true };
    check_order(&w, "id desc", columns, desc, 1);
    check_order(&w, "id desc, copy desc", columns, desc, 2);
    drop(&w);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *by;
        enum sl_status status;
        const char *words;
    } cases[] = {
        { "c00,,c01", SL_E_USAGE, "empty" },
        { ",", SL_E_USAGE, "empty" },
        { "c00,", SL_E_USAGE, "empty" },
        { "c00 up", SL_E_USAGE, "'up'" },
        { "c00 desc c01", SL_E_USAGE, "'c01'" },
        { "c00 desc, c00", SL_E_USAGE, "twice" },
        { "c0l", SL_E_DATA, "nearest is 'c00'" },
        { "c0", SL_E_DATA, "no such column" },
        { "items", SL_E_DATA, "'items': a column of lists" },
        { "pair", SL_E_DATA, "'pair': a column of structs" },
    };
    struct world w;
    make(&w, ordered, 2, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sl_err err = SL_ERR_INIT;
        struct sl_row_keys *k;
        assert_int_equal(sl_row_keys_parse(&k, cases[i].by, &w.schema, &err), cases[i].status);
        assert_null(k);
        if (!strstr(err.msg, cases[i].words))
            fail_msg("'%s': %s", cases[i].by, err.msg);
    }
    drop(&w);
}

static void test_no_id(void **state)
{
    (void)state;
    struct sl_schema s;
    struct sl_row_keys *k;
    sl_schema_init(&s);
    OK(sl_schema_add_text(&s, "loss", "float32", &err));
    FAILS(SL_E_DATA, sl_row_keys_parse(&k, "", &s, &err));
    FAILS(SL_E_DATA, sl_row_keys_shuffle(&k, 1, &s, &err));
    OK(sl_row_keys_parse(&k, "loss", &s, &err));
    sl_row_keys_free(k);
    sl_schema_release(&s);
}

/* NaN has a place, and only one, whatever its bits; both zeros have one key. */
static void test_nan(void **state)
{
    (void)state;
    static const uint64_t bits[] = { 0x7ff8000000000000, 0xfff8000000000001, 0x7ff0000000000001 };
    struct sl_schema s;
    struct sl_row_keys *k;
    double values[6] = { (double)INFINITY, 0.0, -0.0 };
    struct sl_buf keys[6];
    sl_schema_init(&s);
    OK(sl_schema_add_text(&s, "x", "float64", &err));
    memcpy(values + 3, bits, sizeof bits);
    struct sl_column c = { .field = s.fields[0], .n = 6, .data = (uint8_t *)values };
    struct sl_batch b = { .schema = &s, .n_rows = 6, .columns = &c };
    OK(sl_row_keys_parse(&k, "x", &s, &err));
    for (int i = 0; i < 6; i++) {
        sl_buf_init(&keys[i], 100);
        OK(sl_row_keys_add(k, &b, i, &keys[i], NULL, &err));
    }
    assert_int_equal(compare_keys(&keys[1], &keys[2]), 0);
    for (int i = 3; i < 6; i++) {
        assert_int_equal(compare_keys(&keys[i], &keys[0]), 1);
        assert_int_equal(compare_keys(&keys[i], &keys[3]), 0);
    }
    for (int i = 0; i < 6; i++)
        sl_buf_release(&keys[i]);
    sl_row_keys_free(k);
    sl_schema_release(&s);
}

/* A key that does not fit leaves what was there. */
static void test_maximum(void **state)
{
    (void)state;
    struct world w;
    struct sl_buf out;
    struct sl_row_keys *k;
    make(&w, &(const char *){ "utf8" }, 1, 3);
    OK(sl_row_keys_parse(&k, "c00", &w.schema, &err));
    sl_buf_init(&out, 20);
    OK(sl_buf_add(&out, "abc", 3, &err));
    FAILS(SL_E_DATA, sl_row_keys_add(k, &w.batch, 0, &out, NULL, &err));
    assert_int_equal(out.n, 3);
    sl_buf_release(&out);
    sl_row_keys_free(k);
    drop(&w);
}

/* The hash of id and copy, big-endian, then id and copy. */
static void test_shuffle(void **state)
{
    (void)state;
    struct world w;
    struct sl_buf out;
    struct sl_row_keys *k;
    make(&w, ordered, 2, 1);
    OK(sl_row_keys_shuffle(&k, 99, &w.schema, &err));
    sl_buf_init(&out, 100);
    for (int64_t i = 0; i < N_ROWS; i++) {
        struct sl_str id = sl_column_str(sl_batch_column(&w.batch, "id"), i);
        uint64_t hash = sl_row_hash((const uint8_t *)id.p, (uint16_t)(i % 2 * 300), 99);
        sl_buf_reset(&out);
        OK(sl_row_keys_add(k, &w.batch, i, &out, NULL, &err));
        assert_int_equal(out.n, 8 + 16 + 2);
        assert_true(__builtin_bswap64(sl_load64(out.p)) == hash);
        assert_memory_equal(out.p + 8, id.p, 16);
        assert_int_equal(out.p[24] * 256 + out.p[25], i % 2 * 300);
    }
    sl_buf_release(&out);
    sl_row_keys_free(k);
    drop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single),   cmocka_unit_test(test_several),
        cmocka_unit_test(test_named_id), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_id),    cmocka_unit_test(test_nan),
        cmocka_unit_test(test_maximum),  cmocka_unit_test(test_shuffle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
