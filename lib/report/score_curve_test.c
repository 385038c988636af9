/* SPDX-License-Identifier: Apache-2.0 */
/* The curve against the same thing computed from all rows at once: exact where a
 * bucket holds few rows, and of the right rows where it holds many. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arrow/rows.h"
#include "base/row_hash.h"
#include "report/score_curve.h"

static struct sl_schema schema;

static void make_id(int64_t row, uint8_t id[16])
{
    for (int i = 0; i < 16; i++)
        id[i] = (uint8_t)(row >> (i % 8 * 8));
}

/* Scores of row i; each seventh has none. */
static double score_of(int64_t i)
{
    return (double)(i * 7919 % 10007) / 8;
}

static void add_rows(struct sl_curve *c, int64_t from, int64_t n)
{
    struct sl_rows rows;
    struct sl_batch b;
    sl_batch_init(&b);
    assert_int_equal(sl_rows_init(&rows, &schema, NULL), SL_OK);
    for (int64_t i = from; i < from + n; i++) {
        uint8_t id[16];
        float score = (float)score_of(i);
        uint16_t stage = (uint16_t)(i / 1000);
        make_id(i, id);
        assert_int_equal(sl_colbuf_add_str(&rows.cols[0], (struct sl_str){ (char *)id, 16 }, NULL),
                         SL_OK);
        if (i % 7 == 6)
            assert_int_equal(sl_colbuf_add_null(&rows.cols[1], NULL), SL_OK);
        else
            assert_int_equal(sl_colbuf_add_real(&rows.cols[1], score, NULL), SL_OK);
        assert_int_equal(sl_colbuf_add_int(&rows.cols[2], stage, NULL), SL_OK);
        assert_int_equal(sl_rows_close_row(&rows, NULL), SL_OK);
    }
    assert_int_equal(sl_rows_lend(&rows, &b, NULL), SL_OK);
    assert_int_equal(sl_curve_add(c, &b, NULL), SL_OK);
    sl_batch_release(&b);
    sl_rows_release(&rows);
}

static int set_up(void **state)
{
    (void)state;
    sl_schema_init(&schema);
    return sl_schema_add_text(&schema, "id", "fixed_size_binary[16]", NULL) |
           sl_schema_add_text(&schema, "score", "float32?", NULL) |
           sl_schema_add_text(&schema, "stage", "uint16", NULL);
}

static int tear_down(void **state)
{
    (void)state;
    sl_schema_release(&schema);
    return 0;
}

struct pair {
    uint64_t hash;
    double score;
};

static int by_hash(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* The scores that bucket k must keep, sorted; returns their number. */
static int expected(const struct sl_curve *c, int64_t n_rows, int k, double *out)
{
    int64_t from = k * c->width, to = from + c->width < n_rows ? from + c->width : n_rows;
    struct pair *all = calloc((size_t)c->width + 1, sizeof *all);
    int n = 0;
    assert_non_null(all);
    for (int64_t i = from; i < to; i++) {
        uint8_t id[16];
        make_id(i, id);
        if (i % 7 != 6)
            all[n++] = (struct pair){ sl_row_hash(id, 0, c->row_seed), (float)score_of(i) };
    }
    qsort(all, (size_t)n, sizeof *all, by_hash);
    n = n < SL_CURVE_ROWS ? n : SL_CURVE_ROWS;
    for (int i = 0; i < n; i++)
        out[i] = all[i].score;
    qsort(out, (size_t)n, sizeof *out, by_value);
    free(all);
    return n;
}

static void check_curve(int64_t n_rows, int64_t batch, int64_t min_rows, int64_t width)
{
    struct sl_curve c;
    sl_curve_init(&c, "score", 77);
    for (int64_t i = 0; i < n_rows; i += batch)
        add_rows(&c, i, i + batch < n_rows ? batch : n_rows - i);
    sl_curve_end(&c, min_rows);
    assert_int_equal(c.rows, n_rows);
    assert_int_equal(c.width, width);
    int64_t rows = 0, nulls = 0;
    for (int k = 0; k < sl_curve_n_buckets(&c); k++) {
        double want[SL_CURVE_ROWS];
        int n = expected(&c, n_rows, k, want);
        assert_int_equal(c.buckets[k].n, n);
        for (int i = 0; i < n; i++)
            assert_true(c.buckets[k].kept[i].score == want[i]);
        rows += c.buckets[k].rows;
        nulls += c.buckets[k].nulls;
    }
    assert_int_equal(rows, n_rows);
    assert_int_equal(nulls, c.nulls);
    assert_int_equal(nulls, n_rows / 7);
    sl_curve_release(&c);
}

static void test_sizes(void **state)
{
    (void)state;
    check_curve(1, 10, 1, 1);
    check_curve(400, 100, 1, 1);
    check_curve(401, 100, 1, 2);
    check_curve(400, 64, 32, 8); /* down to some fifty buckets */
    check_curve(100000, 997, 32, 256);
    check_curve(100000, 4096, 32, 256); /* batches do not matter */
}

static void test_empty(void **state)
{
    struct sl_curve c;
    (void)state;
    sl_curve_init(&c, "score", 1);
    sl_curve_end(&c, 32);
    assert_int_equal(sl_curve_n_buckets(&c), 0);
    sl_curve_release(&c);
    sl_curve_init(&c, "absent", 1);
    add_rows(&c, 0, 10);
    sl_curve_end(&c, 32);
    assert_false(c.seen);
    assert_int_equal(c.nulls, 10);
    assert_true(isnan(sl_curve_quantile(&c.buckets[0], 0.5)));
    sl_curve_release(&c);
}

static void test_stages(void **state)
{
    struct sl_curve c;
    (void)state;
    sl_curve_init(&c, "score", 1);
    add_rows(&c, 0, 2500);
    assert_int_equal(c.n_stages, 3);
    assert_int_equal(c.stages[2].from, 2000);
    assert_int_equal(c.stages[2].stage, 2);
    assert_false(c.many_stages);
    for (int i = 0; i < SL_CURVE_STAGES; i++)
        add_rows(&c, i % 2 * 1000, 1);
    assert_true(c.many_stages);
    sl_curve_release(&c);
}

static void test_quantiles(void **state)
{
    struct sl_curve_row kept[] = { { 0, 1 }, { 0, 2 }, { 0, 4 } };
    struct sl_curve_bucket b = { .rows = 3, .n = 3, .kept = kept };
    (void)state;
    assert_true(sl_curve_quantile(&b, 0) == 1);
    assert_true(sl_curve_quantile(&b, 0.5) == 2);
    assert_true(sl_curve_quantile(&b, 0.75) == 3);
    assert_true(sl_curve_quantile(&b, 1) == 4);
    b.rows = 5;
    b.nulls = 1;
    b.sum = 14;
    assert_true(sl_curve_mean(&b) == 3.5);
    b.nulls = 5;
    assert_true(isnan(sl_curve_mean(&b)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_stages),
        cmocka_unit_test(test_quantiles),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
