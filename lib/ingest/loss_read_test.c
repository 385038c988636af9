/* SPDX-License-Identifier: Apache-2.0 */
/* Losses out of lines of JSON and Arrow, by reads of every size, and what is refused. */
#include "ingest/loss_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arrow/rows.h"
#include "arrow/writer.h"
#include "ingest/loss_files.h"

#define ID "00112233445566778899aabbccddeeff"

/* Gives `step` bytes a read. */
struct feed {
    const char *p;
    size_t n, at, step;
};

static ssize_t feed_read(void *ctx, void *buf, size_t n)
{
    struct feed *f = ctx;
    size_t left = f->n - f->at;
    n = n < f->step ? n : f->step;
    n = n < left ? n : left;
    memcpy(buf, f->p + f->at, n);
    f->at += n;
    return (ssize_t)n;
}

/* Read all of it: losses into out (room for 16), the number of them; -1: an error. */
static int read_all(struct sl_str bytes, size_t step, struct sl_loss *out, struct sl_err *err)
{
    struct feed f = { bytes.p, bytes.n, 0, step };
    struct sl_source_backend backend = { feed_read, NULL, &f };
    struct sl_source *source;
    struct sl_loss_reader *r;
    struct sl_loss loss;
    enum sl_status st;
    int n = 0;
    assert_int_equal(sl_source_open_backend(&source, backend, "feed", SL_SOURCE_AUTO, NULL), SL_OK);
    if (sl_loss_reader_open_source(&r, source, err) != SL_OK)
        return -1;
    while ((st = sl_loss_reader_next(r, &loss, err)) == SL_OK)
        out[n++] = loss;
    sl_loss_reader_free(r);
    return st == SL_END ? n : -1;
}

static void lines_are_read(void **state)
{
    (void)state;
    static const char text[] =
        "{\"id\": \"" ID "\", \"loss\": 2.5}\n"
        "\n \t\r\n"
        "{\"step\": 7, \"copy\": 3, \"x\": [1, {\"loss\": 9}], \"loss\": 1e-3, \"id\": \"" ID
        "\"}\r\n"
        "{\"i\\u0064\": \"\\u0030\\u0030"
        "112233445566778899aabbccddeeff\", \"loss\": -0.0, "
        "\"copy\": null, \"step\": null}\n"
        "{\"id\":\"" ID "\",\"loss\":340282346638528859811704183484516925440,\"copy\":65535,"
        "\"step\":-9223372036854775807}";
    struct sl_loss got[16];
    for (size_t step = 1; step < 300; step += step < 20 ? 1 : 37) {
        struct sl_err err = SL_ERR_INIT;
        int n = read_all((struct sl_str){ text, sizeof text - 1 }, step, got, &err);
        assert_string_equal(err.msg, "");
        assert_int_equal(n, 4);
        for (int i = 0; i < 4; i++)
            assert_true(got[i].id.b[0] == 0 && got[i].id.b[15] == 0xff);
        assert_true(got[0].loss == 2.5 && got[1].loss == 1e-3);
        assert_true(got[2].loss == 0 && !__builtin_signbit(got[2].loss));
        assert_true(got[3].loss == 0x1.fffffep127);
        assert_true(got[0].copy == 0 && got[1].copy == 3 && got[2].copy == 0 &&
                    got[3].copy == 65535);
        assert_true(got[0].step == SL_LOSS_NO_STEP && got[1].step == 7 &&
                    got[2].step == SL_LOSS_NO_STEP && got[3].step == -INT64_MAX);
        assert_true(got[0].number == 1 && got[1].number == 4 && got[3].number == 6);
    }
    assert_int_equal(read_all(SL_STR(""), 1, got, NULL), 0);
    assert_int_equal(read_all(SL_STR(" \n\n"), 1, got, NULL), 0);
}

static void bad_lines_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } cases[] = {
        { "{\"id\":\"" ID "\",\"loss\":NaN}", "line 2: the loss is NaN or infinite" },
        { "{\"id\":\"" ID "\",\"loss\":-Infinity}", "line 2: the loss is NaN or infinite" },
        { "{\"id\":\"" ID "\",\"loss\":-1e-9}", "below 0" },
        { "{\"id\":\"" ID "\",\"loss\":3.5e38}", "too large" },
        { "{\"id\":\"" ID "\",\"loss\":1e400}", "too large" },
        { "{\"id\":\"" ID "\",\"loss\":true}", "loss is no number" },
        { "{\"id\":null,\"loss\":1}", "id is no string" },
        { "{\"id\":\"" ID "\",\"loss\":1,\"copy\":65536}", "copy is no number from 0" },
        { "{\"id\":\"" ID "\",\"loss\":1,\"copy\":99999999999999999999}", "no whole number" },
        { "{\"id\":\"" ID "\",\"loss\":1,\"step\":-9223372036854775808}", "no whole number" },
        { "{\"id\":\"" ID "\",\"loss\":1,\"step\":0.5}", "no whole number" },
        { "{\"id\":\"" ID "\",\"loss\":1,\"step\":1,\"step\":1}", "stands twice" },
        { "{\"id\":\"" ID "0\",\"loss\":1}", "32 hex digits" },
        { "{\"id\":\"0011223344556677889 AABBCCDDEEFF\",\"loss\":1}", "32 hex digits" },
        { "{\"id\":\"" ID "\"}", "there is no loss" },
        { "{}", "there is no id" },
        { "1", "no JSON object" },
        { "{\"id\":\"" ID "\",\"loss\":1", "at byte" },
        { "{\"id\":\"" ID "\",\"loss\":1}}", "at byte" },
        { "{\"id\":\"" ID "\",\"loss\":1,\"\xff\":1}", "not UTF-8" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[300];
        struct sl_loss got[16];
        struct sl_err err = SL_ERR_INIT;
        int n = snprintf(text, sizeof text, "{\"id\":\"" ID "\",\"loss\":1}\n%s\n", cases[i].line);
        assert_int_equal(read_all((struct sl_str){ text, (size_t)n }, 4096, got, &err), -1);
        assert_int_equal(err.status, SL_E_DATA);
        if (!strstr(err.msg, cases[i].says) || !strstr(err.msg, "'feed', line 2: "))
            fail_msg("%s: %s", cases[i].line, err.msg);
    }
}

static void long_lines_are_refused(void **state)
{
    (void)state;
    struct sl_loss got[16];
    struct sl_buf text;
    sl_buf_init(&text, 1 << 20);
    for (int more = -1; more < 2; more++) {
        struct sl_err err = SL_ERR_INIT;
        sl_buf_reset(&text);
        assert_int_equal(sl_buf_add_str(&text, SL_STR("{\"id\":\"" ID "\",\"loss\":1}"), NULL),
                         SL_OK);
        while (text.n < (size_t)(SL_LOSS_LINE_MAX + more))
            assert_int_equal(sl_buf_add_byte(&text, ' ', NULL), SL_OK);
        int n = read_all(sl_buf_str(&text), 1 << 20, got, &err);
        assert_int_equal(n, more > 0 ? -1 : 1);
        assert_true(more <= 0 || strstr(err.msg, "longer than"));
    }
    sl_buf_release(&text);
}

/* ---- Arrow ---- */

static ssize_t keep_write(void *ctx, const void *p, size_t n)
{
    return sl_buf_add(ctx, p, n, NULL) == SL_OK ? (ssize_t)n : -1;
}

/* One row of these columns (NULL: none), as a stream of ours; the caller's to release. */
static void make_arrow(struct sl_buf *out, const char *id_type, const char *loss_type, double loss)
{
    struct sl_schema schema;
    struct sl_rows rows;
    struct sl_batch view;
    struct sl_sink *sink;
    struct sl_writer *w;
    struct sl_write_options options = { 0 };
    struct sl_sink_backend backend = { keep_write, NULL, out };
    sl_buf_init(out, 1 << 20);
    sl_schema_init(&schema);
    assert_int_equal(sl_schema_set_meta(&schema, "kind", SL_STR("losses"), NULL), SL_OK);
    assert_int_equal(sl_schema_set_meta(&schema, "lineage", SL_STR("[]"), NULL), SL_OK);
    assert_int_equal(sl_schema_add_text(&schema, "id", id_type, NULL), SL_OK);
    assert_int_equal(sl_schema_add_text(&schema, "copy", "int8?", NULL), SL_OK);
    assert_int_equal(sl_schema_add_text(&schema, "loss", loss_type, NULL), SL_OK);
    assert_int_equal(sl_rows_init(&rows, &schema, NULL), SL_OK);
    struct sl_str id = strcmp(id_type, "utf8") == 0 ? SL_STR(ID) : SL_STR("0123456789abcdef");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sl_colbuf_add_str(&rows.cols[0], id, NULL), SL_OK);
        assert_int_equal(i ? sl_colbuf_add_int(&rows.cols[1], 5, NULL)
                           : sl_colbuf_add_null(&rows.cols[1], NULL),
                         SL_OK);
        assert_int_equal(sl_colbuf_add_real(&rows.cols[2], i ? loss : 1, NULL), SL_OK);
        assert_int_equal(sl_rows_close_row(&rows, NULL), SL_OK);
    }
    sl_batch_init(&view);
    assert_int_equal(sl_rows_lend(&rows, &view, NULL), SL_OK);
    assert_int_equal(sl_sink_open_backend(&sink, backend, "memory", NULL), SL_OK);
    assert_int_equal(sl_writer_open(&w, sink, &schema, &options, NULL), SL_OK);
    assert_int_equal(sl_writer_add(w, &view, NULL), SL_OK);
    assert_int_equal(sl_writer_end(w, SL_STR("[]"), NULL, NULL), SL_OK);
    sl_writer_free(w);
    sl_sink_free(sink);
    sl_batch_release(&view);
    sl_rows_release(&rows);
    sl_schema_release(&schema);
}

static void arrow_is_read(void **state)
{
    (void)state;
    static const char *const ids[] = { "fixed_size_binary[16]", "binary", "utf8" };
    struct sl_loss got[16];
    struct sl_buf bytes;
    for (int i = 0; i < 6; i++) {
        make_arrow(&bytes, ids[i / 2], i % 2 ? "float32" : "float64", 2.25);
        assert_int_equal(read_all(sl_buf_str(&bytes), 100, got, NULL), 2);
        assert_true(got[0].loss == 1 && got[1].loss == 2.25);
        assert_true(got[0].copy == 0 && got[1].copy == 5 && got[1].number == 2);
        assert_int_equal(got[0].id.b[1], i < 4 ? '1' : 0x11);
        for (size_t n = 1; n + 8 < bytes.n; n += 7) {
            struct sl_err err = SL_ERR_INIT;
            int rows = read_all((struct sl_str){ (const char *)bytes.p, n }, 100, got, &err);
            assert_true(rows == -1 ? err.status == SL_E_DATA : rows == 2);
        }
        sl_buf_release(&bytes);
    }
}

static void bad_arrow_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *id, *loss, *says;
        double value;
    } cases[] = {
        { "fixed_size_binary[16]", "float64", "row 2: the loss is NaN", __builtin_nan("") },
        { "fixed_size_binary[16]", "float32", "row 2: the loss is infinite", __builtin_inf() },
        { "fixed_size_binary[16]", "float64", "row 2: the loss -1 is below 0", -1 },
        { "fixed_size_binary[16]", "float64", "row 2: the loss 1e+39 is too large", 1e39 },
        { "large_utf8", "float64", "row 1: the id is no 32 hex digits", 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sl_loss got[16];
        struct sl_buf bytes;
        struct sl_err err = SL_ERR_INIT;
        make_arrow(&bytes, cases[i].id, cases[i].loss, cases[i].value);
        assert_int_equal(read_all(sl_buf_str(&bytes), 4096, got, &err), -1);
        if (!strstr(err.msg, cases[i].says))
            fail_msg("%s: %s", cases[i].says, err.msg);
        sl_buf_release(&bytes);
    }
}

/* ---- lists of files ---- */

static enum sl_status collect(void *ctx, const char *path, struct sl_err *err)
{
    (void)err;
    strcat(strcat(ctx, path), ";");
    return strcmp(path, "end") == 0 ? SL_E_DATA : SL_OK;
}

static void lists_are_taken_apart(void **state)
{
    (void)state;
    char names[100] = "";
    assert_int_equal(sl_loss_files_each("a,b c,d", names, collect, NULL), SL_OK);
    assert_string_equal(names, "a;b c;d;");
    names[0] = 0;
    assert_int_equal(sl_loss_files_each("a,end,d", names, collect, NULL), SL_E_DATA);
    assert_string_equal(names, "a;end;");
    names[0] = 0;
    assert_int_equal(sl_loss_files_each("none", names, collect, NULL), SL_OK);
    assert_int_equal(sl_loss_files_each(NULL, names, collect, NULL), SL_OK);
    assert_string_equal(names, "");
    assert_int_equal(sl_loss_files_check("x", NULL, NULL), SL_OK);
    assert_int_equal(sl_loss_files_check("x", "none", NULL), SL_OK);
    assert_int_equal(sl_loss_files_check("x", "absent-1,absent-2", NULL), SL_OK);
    assert_int_equal(sl_loss_files_check("x", "", NULL), SL_E_USAGE);
    assert_int_equal(sl_loss_files_check("x", "a,,b", NULL), SL_E_USAGE);
    assert_int_equal(sl_loss_files_check("x", "a,", NULL), SL_E_USAGE);
    assert_int_equal(sl_loss_files_check("x", "a,.", NULL), SL_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read),         cmocka_unit_test(bad_lines_are_told),
        cmocka_unit_test(long_lines_are_refused), cmocka_unit_test(arrow_is_read),
        cmocka_unit_test(bad_arrow_is_told),      cmocka_unit_test(lists_are_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
