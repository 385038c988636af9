/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as JSON and as lines of documents. The two ways through a text must
 * agree, the vector loops must do what the plain ones do, a line that is a row must
 * be added as one, and what it gives must be sound. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "ingest/json_docs.h"
#include "text/json_scan.h"
#include "text/json_string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool fine)
{
    if (!fine)
        abort();
}

static void strings(const uint8_t *p, size_t n)
{
    bool a = false, b = false;
    uint64_t na = 0, nb = 0;
    size_t end = sl_json_string_end(p, n, &a);
    must(end == sl_json_string_end_plain(p, n, &b));
    if (end == n || p[end] != '"')
        return;
    must(a == b);
    uint8_t *x = malloc(end + 1), *y = malloc(end + 1);
    must(x && y);
    size_t got = sl_json_string_chars(x, p, end, &na);
    must(got == sl_json_string_chars_plain(y, p, end, &nb) && na == nb && got <= end);
    must(memcmp(x, y, got) == 0);
    must(!sl_utf8_valid(p, end) || sl_utf8_valid(x, got));
    free(x);
    free(y);
}

/* As a value of its own, and by its parts. */
static void both_ways(struct sl_str text)
{
    struct sl_json_scan s;
    struct sl_json_piece key, value;
    enum sl_json_step step;
    sl_json_scan_init(&s, text);
    if (sl_json_scan_open(&s, '{')) {
        while ((step = sl_json_scan_member(&s, &key, &value)) == SL_JSON_STEP_ONE)
            must(sl_json_scan_check(value.kind == SL_JSON_PIECE_STRING
                                        ? (struct sl_str){ value.raw.p - 1, value.raw.n + 2 }
                                        : value.raw));
        must((step == SL_JSON_STEP_END && sl_json_scan_end(&s)) == sl_json_scan_check(text));
    } else if (sl_json_scan_open(&s, '[')) {
        while ((step = sl_json_scan_item(&s, &value)) == SL_JSON_STEP_ONE) {
        }
        must((step == SL_JSON_STEP_END && sl_json_scan_end(&s)) == sl_json_scan_check(text));
    }
}

static void as_row(struct sl_str text, const char *map, const char *columns)
{
    const struct sl_json_docs_options options = {
        .map = map, .columns = columns, .keep_json = true, .max_doc_bytes = 1 << 16
    };
    struct sl_json_docs *d;
    struct sl_json_doc doc;
    struct sl_json_place place = { .source = SL_STR("s"), .off = 7 };
    struct sl_schema schema;
    struct sl_rows rows;
    sl_schema_init(&schema);
    must(sl_json_docs_new(&d, &options, NULL) == SL_OK);
    must(sl_json_docs_schema(d, &schema, NULL) == SL_OK);
    must(sl_rows_init(&rows, &schema, NULL) == SL_OK);
    must(sl_json_docs_read(d, text, &doc, NULL) == SL_OK);
    must(sl_utf8_valid(doc.detail, strlen(doc.detail)));
    if (doc.bad == SL_JSON_BAD_NONE) {
        must(sl_json_docs_add(d, &doc, &place, &rows, NULL) == SL_OK);
        must(sl_rows_close_row(&rows, NULL) == SL_OK);
        for (uint32_t i = 0; i < schema.n_fields; i++)
            must(!sl_type_is_utf8(schema.fields[i]->type) ||
                 sl_utf8_valid(rows.cols[i].data.p, rows.cols[i].data.n));
    }
    sl_rows_release(&rows);
    sl_json_docs_free(d);
    sl_schema_release(&schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sl_str text = { (const char *)data, n };
    strings(data, n);
    both_ways(text);
    as_row(text, NULL,
           "n uint8?, f float32?, b bool?, t timestamp[ns]?, l list<int16>?, "
           "s struct<a:utf8?,c:list<float64>>?, x fixed_size_binary[2]?, "
           "y binary?, z fixed_size_list<int8>[2]?");
    as_row(text, "html=text", NULL);
    return 0;
}
