/* SPDX-License-Identifier: Apache-2.0 */
/* The cursor on a stream that all of Arrow's readers accept (312 bytes, made by
 * hand), and on every damaged form of it: nothing outside is ever read. */
#include "arrow/flatbuf_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arrow/message_read.h"
#include "arrow/reader.h"
#include "base/num.h"

/* One column `t: utf8 not null`, one batch of "hi", "", "abc", the end marker. */
static const char golden_hex[] =
    "ffffffff70000000140000000000000000000a000c000600050008000a000000000104000c000000"
    "080008000000040008000000040000000100000014000000100014001000060007000c0000000800"
    "10000000000000051c00000014000000040000000100000074000000040004000400000000000000"
    "ffffffff9800000014000000000000000c0016000600050008000c000c0000000003040018000000"
    "180000000000000000000a0018000c00080004000a0000002c000000100000000300000000000000"
    "00000000010000000300000000000000000000000000000000000000030000000000000000000000"
    "00000000000000000000000000000000100000000000000010000000000000000500000000000000"
    "000000000200000002000000050000006869616263000000ffffffff00000000";

static size_t golden(uint8_t out[512])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (const char *p = golden_hex; *p; p += 2)
        out[n++] =
            (uint8_t)((strchr(digits, p[0]) - digits) << 4 | (strchr(digits, p[1]) - digits));
    return n;
}

enum { SCHEMA_FRONT = 120, BATCH_META = 152 };

static void test_golden(void **state)
{
    (void)state;
    uint8_t p[512];
    struct sl_fbr r;
    assert_int_equal(golden(p), 312);
    sl_fbr_init(&r, (struct sl_str){ (char *)p + 8, sl_load32(p + 4) });
    struct sl_fbr_table m = sl_fbr_root(&r);
    assert_int_equal(m.at, 0x1c - 8);
    assert_int_equal(sl_fbr_scalar(&r, m, 0, 2, 0), 4);
    assert_int_equal(sl_fbr_scalar(&r, m, 1, 1, 0), 1);
    assert_int_equal(sl_fbr_scalar(&r, m, 3, 8, 77), 77); /* no body: the default */
    assert_int_equal(sl_fbr_scalar(&r, m, 99, 8, 5), 5);
    struct sl_fbr_table schema = sl_fbr_table(&r, m, 2);
    assert_false(sl_fbr_has(&r, schema, 0));
    assert_true(sl_fbr_has(&r, schema, 1));
    struct sl_fbr_vector fields = sl_fbr_vector(&r, schema, 1, 4);
    assert_int_equal(fields.n, 1);
    struct sl_fbr_table field = sl_fbr_table_at(&r, fields, 0);
    assert_true(sl_str_eq(sl_fbr_string(&r, field, 0), SL_STR("t")));
    assert_int_equal(sl_fbr_scalar(&r, field, 2, 1, 0), 5);
    assert_null(sl_fbr_string(&r, field, 6).p);
    assert_false(r.bad);

    sl_fbr_init(&r, (struct sl_str){ (char *)p + SCHEMA_FRONT + 8, BATCH_META });
    m = sl_fbr_root(&r);
    assert_int_equal(sl_fbr_scalar(&r, m, 3, 8, 0), 24);
    struct sl_fbr_table batch = sl_fbr_table(&r, m, 2);
    struct sl_fbr_vector buffers = sl_fbr_vector(&r, batch, 2, 16);
    assert_int_equal(buffers.n, 3);
    assert_int_equal(sl_fbr_i64_at(&r, buffers, 2, 16, 0), 16);
    assert_int_equal(sl_fbr_i64_at(&r, buffers, 2, 16, 8), 5);
    assert_false(r.bad);
}

static enum sl_status read_rows(const uint8_t *p, size_t n, int64_t *rows, struct sl_err *err)
{
    struct sl_source *src = NULL;
    struct sl_reader *r = NULL;
    struct sl_batch b;
    const struct sl_str bytes = { (const char *)p, n };
    *rows = 0;
    sl_batch_init(&b);
    assert_int_equal(sl_source_open_mem(&src, bytes, "golden", SL_SOURCE_PLAIN, err), SL_OK);
    enum sl_status st = sl_reader_open(&r, src, SL_READ_FOREIGN, err);
    while (st == SL_OK)
        if ((st = sl_reader_next(r, &b, err)) == SL_OK) {
            *rows += b.n_rows;
            if (n == 312) {
                assert_true(sl_str_eq(sl_column_str(&b.columns[0], 0), SL_STR("hi")));
                assert_true(sl_str_eq(sl_column_str(&b.columns[0], 2), SL_STR("abc")));
            }
        }
    sl_batch_release(&b);
    sl_reader_free(r);
    sl_source_free(src);
    return st;
}

static void test_golden_rows(void **state)
{
    (void)state;
    uint8_t p[512];
    size_t n = golden(p);
    int64_t rows;
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(read_rows(p, n, &rows, &err), SL_END);
    assert_int_equal(rows, 3);
    for (size_t cut = 0; cut < n; cut++) { /* a cut between messages is an end, as for others */
        err = (struct sl_err)SL_ERR_INIT;
        uint8_t *copy = malloc(cut + 1);
        assert_non_null(copy);
        memcpy(copy, p, cut);
        enum sl_status st = read_rows(copy, cut, &rows, &err);
        bool between = cut == SCHEMA_FRONT || cut == n - 8;
        if (st != (between ? SL_END : SL_E_DATA))
            fail_msg("cut at %zu: %d %s", cut, st, err.msg);
        free(copy);
    }
}

/* Follow everything there is, to some depth. */
static uint64_t visit(struct sl_fbr *r, struct sl_fbr_table t, int depth)
{
    uint64_t sum = 0;
    for (unsigned slot = 0; slot < 8 && t.at && depth < 4; slot++) {
        for (unsigned bytes = 1; bytes <= 8; bytes *= 2)
            sum += sl_fbr_scalar(r, t, slot, bytes, 1);
        struct sl_str s = sl_fbr_string(r, t, slot);
        for (size_t i = 0; i < s.n; i++)
            sum += (uint8_t)s.p[i];
        struct sl_fbr_vector v = sl_fbr_vector(r, t, slot, 16);
        for (uint32_t i = 0; i < v.n; i++)
            sum += (uint64_t)sl_fbr_i64_at(r, v, i, 16, 8);
        v = sl_fbr_vector(r, t, slot, 4);
        for (uint32_t i = 0; i < v.n && i < 4; i++)
            sum += visit(r, sl_fbr_table_at(r, v, i), depth + 1);
        sum += visit(r, sl_fbr_table(r, t, slot), depth + 1);
    }
    return sum;
}

static void test_any_byte(void **state)
{
    (void)state;
    uint8_t p[512];
    size_t n_bad = 0, n_all = 0;
    golden(p);
    for (size_t n = 0; n <= BATCH_META; n++)
        for (size_t at = 0; at <= n; at++) {
            static const uint8_t values[] = { 0, 1, 4, 0x7f, 0x80, 0xff };
            for (size_t k = 0; k < sizeof values; k++) {
                char *copy = malloc(n + 1);
                assert_non_null(copy);
                memcpy(copy, p + SCHEMA_FRONT + 8, n);
                if (at < n)
                    copy[at] = (char)values[k];
                copy = realloc(copy, n ? n : 1); /* its end is the memory's end */
                assert_non_null(copy);
                struct sl_fbr r;
                sl_fbr_init(&r, (struct sl_str){ copy, n });
                volatile uint64_t sum = visit(&r, sl_fbr_root(&r), 0);
                (void)sum;
                n_bad += r.bad;
                n_all++;
                free(copy);
            }
        }
    assert_true(n_bad > n_all / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_golden_rows),
        cmocka_unit_test(test_any_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
