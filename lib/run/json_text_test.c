/* SPDX-License-Identifier: Apache-2.0 */
/* Values as JSON text: escapes, the edges of numbers and times, nesting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arrow/rows.h"
#include "run/json_text.h"

static struct sl_buf out;
static struct sl_schema schema;
static struct sl_colbuf column;
static struct sl_arena arena;

static void begin(const char *type)
{
    sl_schema_init(&schema);
    sl_arena_init(&arena, 1 << 20);
    assert_int_equal(sl_schema_add_text(&schema, "x", type, NULL), SL_OK);
    assert_int_equal(sl_colbuf_init(&column, schema.fields[0], NULL), SL_OK);
}

static void end(void)
{
    sl_colbuf_release(&column);
    sl_schema_release(&schema);
    sl_arena_release(&arena);
}

/* The last value that was added. */
static const char *shown(void)
{
    struct sl_column c;
    sl_buf_release(&out);
    sl_buf_init(&out, 1 << 16);
    assert_int_equal(sl_colbuf_lend(&column, &c, &arena, NULL), SL_OK);
    assert_int_equal(sl_json_text_value(&out, &c, c.n - 1, NULL), SL_OK);
    assert_int_equal(sl_buf_add_byte(&out, 0, NULL), SL_OK);
    return (const char *)out.p;
}

static void shows_int(const char *type, int64_t v, const char *want)
{
    begin(type);
    assert_int_equal(sl_colbuf_add_int(&column, v, NULL), SL_OK);
    assert_string_equal(shown(), want);
    end();
}

static void shows_str(const char *type, struct sl_str v, const char *want)
{
    begin(type);
    assert_int_equal(sl_colbuf_add_str(&column, v, NULL), SL_OK);
    assert_string_equal(shown(), want);
    end();
}

static void shows_real(const char *type, double v, const char *want)
{
    begin(type);
    assert_int_equal(sl_colbuf_add_real(&column, v, NULL), SL_OK);
    assert_string_equal(shown(), want);
    end();
}

static void strings(void **state)
{
    (void)state;
    shows_str("utf8", SL_STR("a \"b\" \\ / \xc3\xa9\x7f"), "\"a \\\"b\\\" \\\\ / \xc3\xa9\x7f\"");
    shows_str("large_utf8", SL_STR("\b\t\n\v\f\r\x01\x1f"),
              "\"\\b\\t\\n\\u000b\\f\\r\\u0001\\u001f\"");
    shows_str("utf8", SL_STR("x\0y"), "\"x\\u0000y\"");
    shows_str("utf8", SL_STR(""), "\"\"");
    shows_str("fixed_size_binary[3]", SL_STR("\x00\xab\x7f"), "\"00ab7f\"");
    shows_str("binary", SL_STR(""), "\"\"");
    shows_str("binary", SL_STR("f"), "\"Zg==\"");
    shows_str("binary", SL_STR("fo"), "\"Zm8=\"");
    shows_str("large_binary", SL_STR("foob\xff\xfe"), "\"Zm9vYv/+\"");
}

static void numbers(void **state)
{
    (void)state;
    shows_int("int8", -128, "-128");
    shows_int("int64", INT64_MIN, "-9223372036854775808");
    shows_int("uint64", -1, "18446744073709551615");
    shows_int("uint16", 65535, "65535");
    shows_real("float64", 0.1, "0.1");
    shows_real("float64", 1.0 / 3, "0.3333333333333333");
    shows_real("float64", 5e-324, "4.94065645841247e-324");
    shows_real("float32", 0.1, "0.1");
    shows_real("float32", 16777216, "16777216");
    shows_real("float64", -0.0, "-0");
    begin("bool?");
    assert_int_equal(sl_colbuf_add_bool(&column, true, NULL), SL_OK);
    assert_string_equal(shown(), "true");
    assert_int_equal(sl_colbuf_add_bool(&column, false, NULL), SL_OK);
    assert_string_equal(shown(), "false");
    assert_int_equal(sl_colbuf_add_null(&column, NULL), SL_OK);
    assert_string_equal(shown(), "null");
    end();
}

static void times(void **state)
{
    (void)state;
    shows_int("timestamp[s,UTC]", 0, "\"1970-01-01T00:00:00Z\"");
    shows_int("timestamp[s]", 951782400, "\"2000-02-29T00:00:00\"");
    shows_int("timestamp[s,UTC]", 4107542399, "\"2100-02-28T23:59:59Z\"");
    shows_int("timestamp[ms]", -1, "\"1969-12-31T23:59:59.999\"");
    shows_int("timestamp[us,UTC]", 1500000, "\"1970-01-01T00:00:01.500000Z\"");
    shows_int("timestamp[ns]", 1, "\"1970-01-01T00:00:00.000000001\"");
    shows_int("timestamp[s]", -62135596800, "\"0001-01-01T00:00:00\"");
}

static void nested(void **state)
{
    (void)state;
    static const uint16_t items[] = { 1, 2, 3 };
    begin("list<uint16>?");
    assert_int_equal(sl_colbuf_add_items(&column, items, 3, NULL), SL_OK);
    assert_string_equal(shown(), "[1,2,3]");
    assert_int_equal(sl_colbuf_add_items(&column, items, 0, NULL), SL_OK);
    assert_string_equal(shown(), "[]");
    assert_int_equal(sl_colbuf_add_null(&column, NULL), SL_OK);
    assert_string_equal(shown(), "null");
    end();
    begin("fixed_size_list<uint16>[3]");
    assert_int_equal(sl_colbuf_add_items(&column, items, 3, NULL), SL_OK);
    assert_int_equal(sl_colbuf_add_items(&column, items, 3, NULL), SL_OK);
    assert_string_equal(shown(), "[1,2,3]");
    end();
    begin("struct<a:utf8?,b:int32>");
    assert_int_equal(sl_colbuf_add_null(&column.children[0], NULL), SL_OK);
    assert_int_equal(sl_colbuf_add_int(&column.children[1], -5, NULL), SL_OK);
    assert_int_equal(sl_colbuf_close(&column, NULL), SL_OK);
    assert_string_equal(shown(), "{\"a\":null,\"b\":-5}");
    end();
}

static void too_long(void **state)
{
    (void)state;
    struct sl_buf small;
    sl_buf_init(&small, 8);
    assert_true(sl_json_text_str(&small, SL_STR("1234567890"), NULL) < 0);
    sl_buf_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings), cmocka_unit_test(numbers),  cmocka_unit_test(times),
        cmocka_unit_test(nested),  cmocka_unit_test(too_long),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sl_buf_release(&out);
    return failed;
}
