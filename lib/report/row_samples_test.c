/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows are shown, and that what is shown of them is valid whatever they
 * hold: the same ones for any order of the rows, so many of each reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arrow/rows.h"
#include "base/row_hash.h"
#include "base/utf8.h"
#include "report/row_samples.h"

enum { SEED = 5 };
static struct sl_schema schema;

static int set_up(void **state)
{
    (void)state;
    sl_schema_init(&schema);
    return sl_schema_add_text(&schema, "id", "fixed_size_binary[16]", NULL) |
           sl_schema_add_text(&schema, "score", "float32?", NULL) |
           sl_schema_add_text(&schema, "url", "utf8?", NULL) |
           sl_schema_add_text(&schema, "raw", "large_binary", NULL) |
           sl_schema_add_text(&schema, "reject_reason", "utf8", NULL);
}

static int tear_down(void **state)
{
    (void)state;
    sl_schema_release(&schema);
    return 0;
}

static void make_id(int64_t i, uint8_t id[16])
{
    memset(id, 0, 16);
    memcpy(id, &i, sizeof i);
}

static void add(struct sl_samples *s, int64_t i, struct sl_str raw, const char *reason)
{
    struct sl_rows rows;
    struct sl_batch b;
    uint8_t id[16];
    char url[32];
    sl_batch_init(&b);
    make_id(i, id);
    snprintf(url, sizeof url, "u%lld", (long long)i);
    assert_int_equal(sl_rows_init(&rows, &schema, NULL), SL_OK);
    assert_int_equal(sl_colbuf_add_str(&rows.cols[0], (struct sl_str){ (char *)id, 16 }, NULL),
                     SL_OK);
    if (i % 2)
        assert_int_equal(sl_colbuf_add_null(&rows.cols[1], NULL), SL_OK);
    else
        assert_int_equal(sl_colbuf_add_real(&rows.cols[1], (double)i / 4, NULL), SL_OK);
    assert_int_equal(sl_colbuf_add_str(&rows.cols[2], sl_str_of(url), NULL), SL_OK);
    assert_int_equal(sl_colbuf_add_str(&rows.cols[3], raw, NULL), SL_OK);
    assert_int_equal(sl_colbuf_add_str(&rows.cols[4], sl_str_of(reason), NULL), SL_OK);
    assert_int_equal(sl_rows_close_row(&rows, NULL), SL_OK);
    assert_int_equal(sl_rows_lend(&rows, &b, NULL), SL_OK);
    assert_int_equal(sl_samples_add(s, &b, NULL), SL_OK);
    sl_batch_release(&b);
    sl_rows_release(&rows);
}

static struct sl_str column(const struct sl_sample *s, const char *name)
{
    for (uint32_t i = 0; i < s->n_columns; i++) {
        const struct sl_sample_column *c = &s->columns[i];
        if (sl_str_eq(sl_sample_str(s, c->name), sl_str_of(name)))
            return sl_sample_str(s, c->value);
    }
    return (struct sl_str){ NULL, 0 };
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Rows 0 to 99 forwards or backwards: the four smallest hashes, by themselves. */
static void check_smallest(bool backwards)
{
    struct sl_samples s;
    uint64_t hashes[100];
    sl_samples_init(&s, 4, SEED);
    for (int i = 0; i < 100; i++) {
        uint8_t id[16];
        make_id(i, id);
        hashes[i] = sl_row_hash(id, 0, SEED);
        add(&s, backwards ? 99 - i : i, SL_STR("text"), "short");
    }
    qsort(hashes, 100, sizeof *hashes, by_value);
    assert_int_equal(s.n_groups, 1);
    assert_int_equal(s.groups[0].rows, 100);
    assert_int_equal(s.groups[0].n, 4);
    for (int i = 0; i < 4; i++)
        assert_true(s.groups[0].rows_of[i].hash == hashes[i]);
    sl_samples_release(&s);
}

static void test_smallest(void **state)
{
    (void)state;
    check_smallest(false);
    check_smallest(true);
}

static void test_groups(void **state)
{
    struct sl_samples s;
    char reason[32];
    (void)state;
    sl_samples_init(&s, 1, SEED);
    for (int i = 0; i < SL_SAMPLE_GROUPS + 10; i++) {
        snprintf(reason, sizeof reason, "r%d", i);
        add(&s, i, SL_STR("x"), reason);
        add(&s, i, SL_STR("x"), reason);
    }
    assert_int_equal(s.n_groups, SL_SAMPLE_GROUPS);
    assert_int_equal(s.rows, 2 * (SL_SAMPLE_GROUPS + 10));
    assert_int_equal(s.rows_elsewhere, 20);
    assert_string_equal(s.groups[7].name, "r7");
    assert_int_equal(s.groups[7].n, 1);
    sl_samples_release(&s);
    sl_samples_init(&s, 0, SEED); /* none at all */
    add(&s, 1, SL_STR("x"), "r");
    assert_int_equal(s.groups[0].n, 0);
    assert_int_equal(s.groups[0].rows, 1);
    sl_samples_release(&s);
}

static void check_text(const char *raw, size_t n, size_t chars, bool cut)
{
    struct sl_samples s;
    sl_samples_init(&s, 1, SEED);
    add(&s, 2, (struct sl_str){ raw, n }, "r");
    const struct sl_sample *row = &s.groups[0].rows_of[0];
    struct sl_str text = sl_sample_str(row, row->text);
    assert_true(row->has_text);
    assert_true(sl_utf8_valid(text.p, text.n));
    assert_int_equal(sl_utf8_count(text.p, text.n), chars);
    assert_int_equal(row->cut, cut);
    assert_true(sl_str_eq(column(row, "score"), SL_STR("0.5")));
    assert_true(sl_str_eq(column(row, "url"), SL_STR("u2")));
    assert_null(column(row, "reject_reason").p);
    sl_samples_release(&s);
}

static void test_texts(void **state)
{
    char raw[6000];
    (void)state;
    check_text("", 0, 0, false);
    check_text("abc", 3, 3, false);
    memset(raw, 'x', sizeof raw);
    check_text(raw, SL_SAMPLE_CHARS, SL_SAMPLE_CHARS, false);
    check_text(raw, SL_SAMPLE_CHARS + 1, SL_SAMPLE_CHARS, true);
    check_text(raw, sizeof raw, SL_SAMPLE_CHARS, true);
    memset(raw, 0xFF, sizeof raw); /* each byte a replacement */
    check_text(raw, sizeof raw, SL_SAMPLE_CHARS, true);
    for (size_t i = 0; i < sizeof raw; i++) /* U+10FFFF over and over, begun anywhere */
        raw[i] = "\xF4\x8F\xBF\xBF"[i % 4];
    for (size_t n = 2390; n < 2420; n++)
        check_text(raw, n,
                   n / 4 + (n % 4 > 0) < SL_SAMPLE_CHARS ? n / 4 + (n % 4 > 0) : SL_SAMPLE_CHARS,
                   n > 4 * SL_SAMPLE_CHARS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smallest),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
