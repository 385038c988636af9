/* SPDX-License-Identifier: Apache-2.0 */
/* Weights by hand, laws of weights and samples, and what the options mean. */
#include "order/reweight.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "order/loss_columns.h"
#include "order/loss_domains.h"
#include "order/resample.h"

static const char *tmpdir(void)
{
    const char *dir = getenv("TMPDIR");
    return dir && *dir ? dir : "/tmp";
}

/* A join whose row i has the loss i of the array; NaN: none. */
static struct sl_loss_join *join_of(const double *losses, int n)
{
    struct sl_loss_join *j;
    assert_int_equal(
        sl_loss_join_new(&j, 1, SL_LOSS_MEAN, SL_LOSS_JOIN_LEAST_BYTES, tmpdir(), NULL), SL_OK);
    for (int i = 0; i < n; i++) {
        struct sl_loss_key key = { .copy = (uint16_t)i };
        memset(key.id.b, i * 37, sizeof key.id.b);
        assert_int_equal(sl_loss_join_row(j, &key, NULL), SL_OK);
        if (!isnan(losses[i]))
            assert_int_equal(sl_loss_join_loss(j, 0, &key, 0, losses[i], NULL), SL_OK);
    }
    assert_int_equal(sl_loss_join_end(j, NULL), SL_OK);
    return j;
}

static void weigh(const double *losses, int n, struct sl_weight_rule rule, float *out)
{
    struct sl_loss_join *j = join_of(losses, n);
    struct sl_weigher w;
    const double *l;
    float again;
    sl_weigher_init(&w, &rule, j);
    for (int i = 0; i < n; i++) {
        assert_int_equal(sl_weigher_next(&w, &out[i], &l, NULL), SL_OK);
        assert_true(isnan(losses[i]) ? isnan(*l) : *l == losses[i]);
    }
    assert_int_equal(sl_weigher_next(&w, &again, &l, NULL), SL_END);
    sl_weigher_rewind(&w);
    for (int i = 0; i < n; i++) {
        assert_int_equal(sl_weigher_next(&w, &again, &l, NULL), SL_OK);
        assert_true(again == out[i]);
    }
    sl_loss_join_free(j);
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-6;
}

static void formulas(void **state)
{
    (void)state;
    static const double losses[] = { 1, 2, 3, 4, 5 }; /* h: -1 -0.5 0 0.5 1 */
    static const double f[4][5] = { { 0, 0.5, 1, 1, 1 },
                                    { 0, 0.75, 1, 0.75, 0 },
                                    { 1, 0.5, 0, 0.5, 1 },
                                    { 0, 0.25, 0.5, 0.75, 1 } };
    for (int kind = 0; kind < 4; kind++) {
        float w[5];
        double sum = 0;
        weigh(losses, 5, (struct sl_weight_rule){ (enum sl_weight_kind)kind, 1, 0.5, 0 }, w);
        for (int i = 0; i < 5; i++)
            sum += exp(f[kind][i] / 0.5);
        for (int i = 0; i < 5; i++)
            assert_true(near((double)w[i], 5 * exp(f[kind][i] / 0.5) / sum));
    }
    enum sl_weight_kind kind;
    assert_true(sl_weight_kind_parse(SL_STR("upper"), &kind) && kind == SL_WEIGHT_UPPER);
    assert_false(sl_weight_kind_parse(SL_STR("none"), &kind));
}

static void blocks_and_gaps(void **state)
{
    (void)state;
    static const double losses[] = { 1, NAN, 3, 7, 7, 7, NAN, NAN, NAN, 2 };
    float w[10];
    weigh(losses, 10, (struct sl_weight_rule){ SL_WEIGHT_UPPER, 1, 1, 3 }, w);
    double e = exp(-1); /* f is 0 and 1 */
    assert_true(near((double)w[0], 2 * e / (1 + e)) && near((double)w[2], 2 / (1 + e)));
    for (int i = 0; i < 10; i++)
        if (i != 0 && i != 2) /* no loss, all equal, alone */
            assert_true(w[i] == 1);
    weigh(losses, 10, (struct sl_weight_rule){ SL_WEIGHT_LINUPPER, 1, 1e-6, 0 }, w);
    double sum = 0;
    for (int i = 0; i < 10; i++)
        sum += isnan(losses[i]) ? 0 : (double)w[i];
    assert_true(near(sum, 6) && w[0] == 0 && w[3] == 2);
}

static void samples(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int turn = 0; turn < 2000; turn++) {
        struct sl_resampler s;
        uint64_t share[50], total = 0, wanted = random % 300, made = 0;
        int n = 1 + turn % 50;
        for (int i = 0; i < n; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            share[i] = turn % 3 ? random % (1 << 26) : random % 4;
            total += share[i];
        }
        if (!total)
            continue;
        sl_resampler_init(&s, wanted, total, random);
        assert_true(s.offset < total);
        for (int i = 0; i < n; i++) {
            uint64_t times = sl_resampler_next(&s, share[i]), floor_ = share[i] * wanted / total;
            assert_true(times == floor_ || (times == floor_ + 1 && share[i] * wanted % total != 0));
            made += times;
        }
        assert_int_equal(made, wanted);
    }
    assert_int_equal(sl_weight_share(1), 1 << 24);
    assert_int_equal(sl_weight_share(0), 0);
    assert_int_equal(sl_weight_share(0x1p-25F), 1);
    assert_int_equal(sl_weight_share(0x1.fffffep-26F), 0);
}

/* Far from the range where a product of 64 bits would do. */
static void large_samples(void **state)
{
    (void)state;
    struct sl_resampler s;
    uint64_t total = (uint64_t)1 << 62, wanted = (uint64_t)1 << SL_RESAMPLE_ROWS_LOG2;
    sl_resampler_init(&s, wanted, total, UINT64_MAX);
    assert_int_equal(s.offset, total - 1);
    for (int i = 0; i < 4; i++)
        assert_int_equal(sl_resampler_next(&s, total / 4), wanted / 4);
}

static void parts_of_samples(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t n;
        uint64_t rows;
    } fine[] = { { "0", 5, 0 },      { "12", 5, 12 },
                 { "100%", 7, 7 },   { "50%", 5, 3 },
                 { "1.5", 3, 5 },    { "0.0", 9, 0 },
                 { "250.5%", 2, 5 }, { "549755813888", 1, (uint64_t)1 << 39 } };
    static const char *const bad[] = {
        "", "x", "-1", "-1.5", "%", "1e3", "549755813889", "1.5x", "1e300.0", "99999999999999%"
    };
    uint64_t rows;
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        assert_int_equal(sl_resample_parse(fine[i].text, fine[i].n, &rows, NULL), SL_OK);
        assert_int_equal(rows, fine[i].rows);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(sl_resample_parse(bad[i], 1000, &rows, NULL), SL_E_USAGE);
}

static void recoveries(void **state)
{
    (void)state;
    assert_true(sl_loss_recovery(1, 4) == 0.75);
    assert_true(sl_loss_recovery(4, 1) == -3);
    assert_true(sl_loss_recovery(0, 2) == 1);
    assert_true(isnan(sl_loss_recovery(1, 0)) && isnan(sl_loss_recovery((double)NAN, 1)) &&
                isnan(sl_loss_recovery(1, (double)NAN)) && isnan(sl_loss_recovery(1e38, 1e-300)));
    assert_int_equal(sl_loss_column_find("loss_recovery"), SL_LOSS_COLUMN_RECOVERY);
    assert_int_equal(sl_loss_column_find("losses"), -1);
}

/* Rows of sources b, null, a, b; the last not measured. */
static void sources(void **state)
{
    (void)state;
    static const char *const names[] = { "b", NULL, "a", "b" };
    static const double losses[] = { 3, 2, 1, 5 };
    struct sl_schema schema;
    struct sl_rows rows;
    struct sl_batch batch;
    struct sl_loss_domains *d;
    struct sl_buf text;
    sl_schema_init(&schema);
    assert_int_equal(sl_schema_add_text(&schema, "source", "utf8?", NULL), SL_OK);
    assert_int_equal(sl_rows_init(&rows, &schema, NULL), SL_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(names[i] ? sl_colbuf_add_str(&rows.cols[0], sl_str_of(names[i]), NULL)
                                  : sl_colbuf_add_null(&rows.cols[0], NULL),
                         SL_OK);
        assert_int_equal(sl_rows_close_row(&rows, NULL), SL_OK);
    }
    sl_batch_init(&batch);
    assert_int_equal(sl_rows_lend(&rows, &batch, NULL), SL_OK);
    assert_int_equal(sl_loss_domains_new(&d, 1 << 20, NULL), SL_OK);
    for (int i = 0; i < 4; i++) {
        struct sl_loss_values v = { .loss = losses[i], .reference = i < 3 ? 2 : (double)NAN };
        assert_int_equal(sl_loss_domains_add(d, &batch.columns[0], i, &v, NULL), SL_OK);
    }
    sl_buf_init(&text, 1 << 20);
    assert_int_equal(sl_loss_domains_text(d, 1, &text, NULL), SL_OK);
    const char *got = sl_buf_cstr(&text);
    const char *at = strstr(got, "{\"source\":\"b\",\"rows\":2,\"measured\":1,\"excess\":1.0,");
    assert_true(at && strstr(at, "\n{\"rows\":1,\"measured\":1,\"excess\":0.0,\"weight\":"));
    assert_int_equal(strncmp(got, "{\"source\":\"a\",\"rows\":1,", 21), 0);
    double e = exp(-1), weight = strtod(strstr(at, "weight") + 8, NULL);
    assert_true(near(weight, 0.999 / (1 + 2 * e) + 0.001 / 3));
    sl_buf_release(&text);
    sl_loss_domains_free(d);
    sl_batch_release(&batch);
    sl_rows_release(&rows);
    sl_schema_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas),         cmocka_unit_test(blocks_and_gaps),
        cmocka_unit_test(samples),          cmocka_unit_test(large_samples),
        cmocka_unit_test(parts_of_samples), cmocka_unit_test(recoveries),
        cmocka_unit_test(sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
