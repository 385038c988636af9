/* SPDX-License-Identifier: Apache-2.0 */
/* Records of scores, for columns of all types of numbers. */
#include "order/plan_score.h"

#include <math.h>

#include "arrow/test_model.h"

enum { N_ROWS = 3 };

static struct sl_err why;
static struct sl_schema schema;
static struct sl_rows rows;
static struct sl_batch batch;

static const struct {
    const char *name, *type;
    int64_t ints[N_ROWS];
    double want[N_ROWS];
} columns[] = {
    { "i8", "int8", { -128, 0, 127 }, { -128, 0, 127 } },
    { "i64", "int64", { INT64_MIN, -1, INT64_MAX }, { -0x1p63, -1, 0x1p63 } },
    { "u16", "uint16", { 0, 1, 65535 }, { 0, 1, 65535 } },
    { "u64", "uint64", { 0, -1, 1 }, { 0, 0x1p64, 1 } },
    { "when", "timestamp[us,UTC]", { -5, 0, 1 }, { -5, 0, 1 } },
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };

static int make(void **state)
{
    (void)state;
    static const double reals[N_ROWS] = { -1.5, 0, 0.1f };
    sl_schema_init(&schema);
    OK(sl_schema_add_text(&schema, "id", "fixed_size_binary[16]", &err));
    for (int i = 0; i < N_COLUMNS; i++)
        OK(sl_schema_add_text(&schema, columns[i].name, columns[i].type, &err));
    OK(sl_schema_add_text(&schema, "f32", "float32?", &err));
    OK(sl_schema_add_text(&schema, "yes", "bool", &err));
    OK(sl_schema_add_text(&schema, "word", "utf8", &err));
    OK(sl_rows_init(&rows, &schema, &err));
    for (int row = 0; row < N_ROWS; row++) {
        char id[16] = { (char)(9 - row) };
        struct sl_colbuf *c = rows.cols;
        OK(sl_colbuf_add_str(c++, (struct sl_str){ id, 16 }, &err));
        for (int i = 0; i < N_COLUMNS; i++)
            OK(sl_colbuf_add_int(c++, columns[i].ints[row], &err));
        if (row == 1)
            OK(sl_colbuf_add_null(c++, &err));
        else
            OK(sl_colbuf_add_real(c++, reals[row], &err));
        OK(sl_colbuf_add_bool(c++, row == 2, &err));
        OK(sl_colbuf_add_str(c++, SL_STR("x"), &err));
        rows.n++;
    }
    sl_batch_init(&batch);
    OK(sl_rows_lend(&rows, &batch, &err));
    return 0;
}

static int drop(void **state)
{
    (void)state;
    sl_batch_release(&batch);
    sl_rows_release(&rows);
    sl_schema_release(&schema);
    return 0;
}

static enum sl_status read_score(struct sl_plan *plan, struct sl_plan_score **s, const char *order)
{
    char text[300];
    snprintf(text, sizeof text, "sources: {a: {path: a}}\nstages: [{name: x, order: {%s}}]\n",
             order);
    OK(sl_plan_read(plan, sl_str_of(text), "p.yaml", &err));
    return sl_plan_score_new(s, plan, 0, &schema, &why);
}

/* The record of a row: 8 bytes of score, 16 of id, 4 of unit. */
static void expect(const char *order, const double *want)
{
    struct sl_plan plan;
    struct sl_plan_score *s;
    struct sl_buf out;
    sl_buf_init(&out, 1 << 10);
    OK(read_score(&plan, &s, order));
    assert_int_equal(sl_plan_score_n_values(s), 0);
    for (int row = 0; row < N_ROWS; row++) {
        struct sl_scored_row r = { 0x01020304, &out, false };
        sl_buf_reset(&out);
        OK(sl_plan_score_add(s, &batch, row, &r, &err));
        uint64_t bits = __builtin_bswap64(sl_expr_rank_bits(want[row], plan.exprs[0]->desc));
        assert_int_equal(out.n, 28);
        assert_memory_equal(out.p, &bits, 8);
        assert_int_equal(out.p[8], 9 - row);
        assert_memory_equal(out.p + 24, "\1\2\3\4", 4);
        assert_true(r.null == isnan(want[row]));
    }
    sl_buf_release(&out);
    sl_plan_score_free(s);
    sl_plan_release(&plan);
}

static void types(void **state)
{
    (void)state;
    for (int i = 0; i < N_COLUMNS; i++) {
        char order[64];
        snprintf(order, sizeof order, "by: 1*%s", columns[i].name);
        expect(order, columns[i].want);
        snprintf(order, sizeof order, "by: '1*%s desc'", columns[i].name);
        expect(order, columns[i].want);
    }
    expect("by: f32+0", (const double[]){ -1.5, NAN, (double)0.1f });
    expect("by: yes*2", (const double[]){ 0, 0, 2 });
    expect("by: p*i8 + q, p: 0.5, q: -1e3", (const double[]){ -1064, -1000, -936.5 });
    expect("by: log(i8)", (const double[]){ NAN, -INFINITY, 4.844187086458591 });
}

/* Scores that move: id, unit, and the values of the columns as they come in the text. */
static void moving(void **state)
{
    (void)state;
    struct sl_plan plan;
    struct sl_plan_score *s;
    struct sl_buf out;
    double v[2];
    sl_buf_init(&out, 1 << 10);
    OK(read_score(&plan, &s, "by: u16*p + (f32 - u16), p: {pacing: root}"));
    assert_int_equal(sl_plan_score_n_values(s), 2);
    for (int row = 0; row < N_ROWS; row++) {
        struct sl_scored_row r = { 7, &out, false };
        sl_buf_reset(&out);
        OK(sl_plan_score_add(s, &batch, row, &r, &err));
        assert_int_equal(out.n, 16 + 4 + 16);
        assert_int_equal(out.p[0], 9 - row);
        assert_memory_equal(out.p + 16, "\0\0\0\7", 4);
        memcpy(v, out.p + 20, sizeof v);
        assert_true(v[0] == columns[2].want[row]);
        assert_true(r.null == (row == 1) && isnan(v[1]) == (row == 1));
    }
    sl_buf_release(&out);
    sl_plan_score_free(s);
    sl_plan_release(&plan);
}

static void marks(void **state)
{
    (void)state;
    struct sl_plan plan;
    struct sl_plan_score *s;
    bool wanted[9] = { false };
    OK(read_score(&plan, &s, "by: u16*yes"));
    sl_plan_score_mark(s, wanted);
    assert_true(wanted[0] && wanted[3] && wanted[7]);
    assert_false(wanted[1] || wanted[2] || wanted[4] || wanted[5] || wanted[6] || wanted[8]);
    sl_plan_score_free(s);
    sl_plan_release(&plan);
}

static void refuse(const char *order, const char *words)
{
    struct sl_plan plan;
    struct sl_plan_score *s;
    sl_err_reset(&why);
    assert_int_equal(read_score(&plan, &s, order), SL_E_DATA);
    if (!strstr(why.msg, words))
        fail_msg("%s: %s", words, why.msg);
    assert_null(s);
    sl_plan_release(&plan);
    sl_err_reset(&why);
}

static void refused(void **state)
{
    (void)state;
    refuse("by: u61*2", "p.yaml:2:27: 'u61' in 'u61*2' is no column of the input and no parameter");
    refuse("by: u61*2", "did you mean 'u16'?");
    refuse("by: lamda*u16*lamba, lamba: 2", "did you mean 'lamba'?");
    refuse("by: word*2", "column 'word' in 'word*2' is no number");
    refuse("by: words", "p.yaml:2:27: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(types), cmocka_unit_test(moving),
                                        cmocka_unit_test(marks), cmocka_unit_test(refused) };
    return cmocka_run_group_tests(tests, make, drop);
}
