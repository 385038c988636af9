/* SPDX-License-Identifier: Apache-2.0 */
/* Where batches end, exactly as docs/stream.md section 3 says: large ones pass
 * as they are, small ones are joined, what waits goes out first; rows that are
 * made end a batch at 1 MiB or 16,384 rows. The stream is read back to see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arrow/reader.h"
#include "run/out.h"

enum { MOST = 64 };
static struct sl_buf bytes;
static struct sl_schema schema;
static struct sl_rows rows;
static struct sl_batch batch;
static struct sl_out out;

static ssize_t keep(void *ctx, const void *p, size_t n)
{
    (void)ctx;
    return sl_buf_add(&bytes, p, n, NULL) == SL_OK ? (ssize_t)n : -1;
}

static void begin(bool flush)
{
    struct sl_sink_backend backend = { keep, NULL, NULL };
    struct sl_sink *sink;
    struct sl_write_options options = { 0 };
    sl_buf_init(&bytes, 1 << 28);
    sl_schema_init(&schema);
    assert_int_equal(sl_schema_add_text(&schema, "text", "large_utf8", NULL), SL_OK);
    assert_int_equal(sl_schema_set_meta(&schema, "kind", SL_STR("of_test"), NULL), SL_OK);
    assert_int_equal(sl_schema_set_meta(&schema, "lineage", SL_STR("[]"), NULL), SL_OK);
    assert_int_equal(sl_rows_init(&rows, &schema, NULL), SL_OK);
    sl_batch_init(&batch);
    out = (struct sl_out){ .flush = flush };
    assert_int_equal(sl_sink_open_backend(&sink, backend, "memory", NULL), SL_OK);
    assert_int_equal(sl_out_open_sink(&out, sink, &schema, &options, NULL), SL_OK);
}

static struct sl_str letters(size_t n)
{
    static char text[2 << 20];
    memset(text, 'x', sizeof text);
    return (struct sl_str){ text, n };
}

/* Pass a batch of n rows whose size is exactly so many bytes (8 an offset). */
static void pass(int n, size_t size)
{
    size_t left = size - 8 * ((size_t)n + 1);
    sl_rows_reset(&rows);
    for (int i = 0; i < n; i++) {
        size_t m = i + 1 < n ? 0 : left;
        assert_int_equal(sl_colbuf_add_str(&rows.cols[0], letters(m), NULL), SL_OK);
        assert_int_equal(sl_rows_close_row(&rows, NULL), SL_OK);
    }
    assert_int_equal(sl_rows_lend(&rows, &batch, NULL), SL_OK);
    assert_int_equal(sl_batch_bytes(&batch), size);
    assert_int_equal(sl_out_pass(&out, &batch, NULL), SL_OK);
}

/* End the stream; it has batches of these rows, ended by 0. */
static void expect(const int *want)
{
    struct sl_source *src;
    struct sl_reader *r;
    struct sl_batch b;
    assert_int_equal(sl_out_end(&out, SL_STR("[]"), NULL, NULL), SL_OK);
    assert_int_equal(sl_out_commit(&out, NULL), SL_OK);
    assert_int_equal(sl_source_open_mem(&src, sl_buf_str(&bytes), "memory", SL_SOURCE_PLAIN, NULL),
                     SL_OK);
    struct sl_err err = SL_ERR_INIT;
    if (sl_reader_open(&r, src, SL_READ_STRICT, &err) != SL_OK)
        fail_msg("%s", err.msg);
    sl_batch_init(&b);
    for (; *want; want++) {
        assert_int_equal(sl_reader_next(r, &b, NULL), SL_OK);
        assert_int_equal(b.n_rows, *want);
    }
    assert_int_equal(sl_reader_next(r, &b, NULL), SL_END);
    sl_batch_release(&b);
    sl_reader_free(r);
    sl_source_free(src);
    sl_out_close(&out);
    sl_rows_release(&rows);
    sl_batch_release(&batch);
    sl_schema_release(&schema);
    sl_buf_release(&bytes);
}

#define EXPECT(...) expect((const int[]){ __VA_ARGS__ })
enum { HALF = 512 * 1024 };

static void large_ones_pass(void **state)
{
    (void)state;
    begin(false);
    pass(3, HALF);
    pass(2, HALF + 1000);
    pass(8192, 8 * 8193);
    EXPECT(3, 2, 8192, 0);
}

static void small_ones_are_joined(void **state)
{
    (void)state;
    begin(false);
    pass(3, HALF - 1); /* one byte short: it waits */
    pass(4, 1000);     /* and now it is enough */
    pass(8191, 8 * 8192);
    pass(1, 16);
    pass(5, 1000);
    EXPECT(7, 8192, 5, 0);
}

static void what_waits_goes_first(void **state)
{
    (void)state;
    begin(false);
    pass(3, 1000);
    pass(2, HALF);
    pass(1, 100);
    pass(9, HALF);
    EXPECT(3, 2, 1, 9, 0);
}

static void offsets_count_once(void **state)
{
    (void)state;
    begin(false);
    /* Joined, the two batches share one offset less: 8 bytes short of the limit. */
    pass(1, HALF / 2);
    pass(1, HALF / 2);
    pass(1, 24);
    EXPECT(3, 0);
}

static void flush_joins_nothing(void **state)
{
    (void)state;
    begin(true);
    pass(3, 1000);
    pass(1, 16);
    EXPECT(3, 1, 0);
}

static void empty_batches_vanish(void **state)
{
    (void)state;
    begin(false);
    pass(0, 8);
    EXPECT(0);
}

static void make_row(size_t n)
{
    assert_int_equal(sl_colbuf_add_str(&out.rows.cols[0], letters(n), NULL), SL_OK);
    assert_int_equal(sl_out_row_done(&out, NULL), SL_OK);
}

static void made_rows(void **state)
{
    (void)state;
    begin(false);
    for (int i = 0; i < 16385; i++)
        make_row(1);
    make_row((1 << 20) - 1 - 3 * 8 - 1); /* with the row before it: one byte short of 1 MiB */
    make_row(0);                         /* its offset brings it over */
    make_row(5);
    assert_int_equal(sl_out_cut(&out, NULL), SL_OK);
    assert_int_equal(sl_out_cut(&out, NULL), SL_OK);
    make_row(6);
    EXPECT(16384, 3, 1, 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_ones_pass),
        cmocka_unit_test(small_ones_are_joined),
        cmocka_unit_test(what_waits_goes_first),
        cmocka_unit_test(offsets_count_once),
        cmocka_unit_test(flush_joins_nothing),
        cmocka_unit_test(empty_batches_vanish),
        cmocka_unit_test(made_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
