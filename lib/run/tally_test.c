/* SPDX-License-Identifier: Apache-2.0 */
/* Tallies: sums, histograms, the law, and their JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "run/tally.h"

static const uint8_t id_bytes[3][16] = { { [15] = 0xff }, { [15] = 2 }, { [0] = 0xff, [15] = 1 } };
static const struct sl_field id_field = { .name = "id", .type = SL_T_FIXED_BINARY, .size = 16 };
static const struct sl_column ids = { .field = &id_field, .n = 3, .data = id_bytes[0] };

static const char *text_of(const struct sl_tally *t, const char *const *reasons,
                           const char *const *counts)
{
    static struct sl_buf out;
    struct sl_tally_names names = { reasons, counts, NULL };
    struct sl_json *j = sl_tally_json(t, &names);
    assert_non_null(j);
    sl_buf_release(&out);
    sl_buf_init(&out, 1 << 16);
    assert_int_equal(sl_json_dump(j, &out, NULL), SL_OK);
    assert_int_equal(sl_buf_add_byte(&out, 0, NULL), SL_OK);
    sl_json_free(j);
    return (const char *)out.p;
}

#define ZEROS "00000000000000000000000000000000"

static void ports(void **state)
{
    (void)state;
    struct sl_tally t;
    sl_tally_init(&t);
    sl_port_add(&t.in, &ids, 3);
    sl_port_add_row(&t.out, &ids, 0);
    sl_port_add_row(&t.out, &ids, 2);
    sl_port_add_row(&t.rejected, &ids, 1);
    assert_int_equal(sl_tally_check(&t, NULL), SL_OK);
    assert_string_equal(text_of(&t, NULL, NULL),
                        "{\"in\":{\"rows\":3,\"ids\":\"ff000000000000000000000000000102\"},"
                        "\"out\":{\"rows\":2,\"ids\":\"ff000000000000000000000000000100\"},"
                        "\"rejected\":{\"rows\":1,\"ids\":\"00000000000000000000000000000002\"}}");
    /* A sum over 2^128 goes round. */
    for (int i = 0; i < 256; i++)
        sl_port_add_row(&t.out, &ids, 2);
    assert_int_equal(t.out.rows, 258);
    assert_int_equal(t.out.ids.b[0], (uint8_t)(0xff * 257));
}

static void law(void **state)
{
    (void)state;
    struct sl_tally t;
    sl_tally_init(&t);
    sl_port_add(&t.in, &ids, 3);
    sl_port_add(&t.out, &ids, 2);
    assert_int_equal(sl_tally_check(&t, NULL), SL_E_BUG); /* a row is lost */
    sl_port_add_row(&t.rejected, &ids, 1);
    assert_int_equal(sl_tally_check(&t, NULL), SL_E_BUG); /* another row than the lost one */
    t.law = "multiply";
    assert_int_equal(sl_tally_check(&t, NULL), SL_OK);
    t.law = "source";
    assert_int_equal(sl_tally_check(&t, NULL), SL_E_BUG);
}

static void sums(void **state)
{
    (void)state;
    static const char *const reasons[] = { "r0", "r1", NULL }, *const counts[] = { "c0", NULL };
    struct sl_tally a, b;
    sl_tally_init(&a);
    sl_tally_init(&b);
    a.reasons[1] = 2;
    b.reasons[1] = 5;
    a.counts[0] = -1;
    b.counts[0] = 4;
    sl_port_add(&a.in, NULL, 2);
    sl_port_add(&b.in, NULL, 3);
    b.begun.rows = 9;
    sl_tally_add(&a, &b);
    assert_string_equal(text_of(&a, reasons, counts),
                        "{\"in\":{\"rows\":5,\"ids\":\"" ZEROS "\"},"
                        "\"out\":{\"rows\":0,\"ids\":\"" ZEROS "\"},"
                        "\"rejected\":{\"rows\":0,\"ids\":\"" ZEROS "\"},"
                        "\"reasons\":{\"r0\":0,\"r1\":7},\"counts\":{\"c0\":3}}");
    a.law = "tokens";
    assert_non_null(strstr(text_of(&a, NULL, NULL), "{\"law\":\"tokens\","));
    assert_non_null(strstr(text_of(&a, NULL, NULL), "\"begun\":{\"rows\":9"));
}

static void histogram(void **state)
{
    (void)state;
    static const struct sl_field field = { .name = "text", .type = SL_T_LARGE_UTF8 };
    static const int64_t offsets[] = { 0, 0, 1, 3, 6, 10, 17, 25, 1049 };
    struct sl_column text = { .field = &field, .n = 8, .offsets = offsets };
    struct sl_tally a, b;
    sl_tally_init(&a);
    sl_tally_init(&b);
    sl_tally_add_text(&b, &text); /* lengths 0 1 2 3 4 7 8 1024 */
    sl_tally_add(&a, &b);
    sl_tally_add(&a, &b);
    static const int64_t want[12] = { 2, 2, 4, 4, 2, [11] = 2 };
    for (int i = 0; i < 12; i++)
        assert_int_equal(a.text_bytes[i], want[i]);
    assert_true(a.has_text);
    const char *text_json = text_of(&a, NULL, NULL);
    assert_non_null(strstr(text_json, "\"hist\":{\"text_bytes\":[2,2,4,4,2,0,0,0,0,0,0,2,0"));
    int commas = 0;
    for (const char *p = strstr(text_json, "[2,2"); *p != ']'; p++)
        commas += *p == ',';
    assert_int_equal(commas, SL_TEXT_BINS - 1);
}

/* Bins are half open; what is outside counts at the ends. */
static void scores(void **state)
{
    (void)state;
    static const struct sl_hist hist = { "score", -1, 31, 10 }; /* bins of 0.05 from -0.1 */
    static struct sl_tally t, sum;
    sl_tally_init(&t);
    sl_tally_init(&sum);
    const double values[] = { -5, -0.1, -0.051, -0.049, 3.09, 3.1, 1e300 };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        sl_tally_add_score(&t, 1, &hist, values[i]);
    sl_tally_add(&sum, &t);
    sl_tally_add(&sum, &t);
    assert_int_equal(sum.hists[1][0], 6);
    assert_int_equal(sum.hists[1][1], 2);
    assert_int_equal(sum.hists[1][62], 0);
    assert_int_equal(sum.hists[1][63], 6);
    assert_int_equal(sum.hists[0][0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports), cmocka_unit_test(law),       cmocka_unit_test(scores),
        cmocka_unit_test(sums),  cmocka_unit_test(histogram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
