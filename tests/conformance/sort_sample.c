/* SPDX-License-Identifier: Apache-2.0 */
/* usage: sort_sample SEED ROWS ROWS_PER_BATCH TEXT_BYTES [EXACT]
 *
 * Documents to be sorted, on standard output: a column of every type that has an
 * order, with few values each, so that orders by several columns have work to do;
 * columns that have no order; every 40th row has the id and copy of the one before.
 * Texts have up to TEXT_BYTES (EXACT: exactly so many) and begin alike. */
#include <stdio.h>
#include <stdlib.h>

#include "arrow/rows.h"
#include "arrow/writer.h"
#include "base/hash.h"
#include "base/num.h"

static const char *const columns[][2] = {
    { "id", "fixed_size_binary[16]" },
    { "copy", "uint16" },
    { "text", "large_utf8" },
    { "score", "float32?" },
    { "weight", "float64" },
    { "level", "int16?" },
    { "far", "int64" },
    { "big", "uint64?" },
    { "small", "uint8" },
    { "good", "bool?" },
    { "name", "utf8?" },
    { "raw", "binary?" },
    { "key", "fixed_size_binary[2]?" },
    { "at", "timestamp[us]?" },
    { "tokens", "list<uint32>" },
    { "pair", "struct<a:utf8?,b:bool>?" },
};
enum { N_COLUMNS = sizeof columns / sizeof columns[0], MOST_BYTES = 64 };

static uint64_t state;

static uint64_t draw(uint64_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
}

static int64_t some_int(enum sl_type t)
{
    static const int64_t far[] = { 0, 1, -1, INT64_MIN, INT64_MAX, 256, -256, 65536 };
    if (t == SL_T_INT64 || t == SL_T_UINT64 || t == SL_T_TIMESTAMP)
        return far[draw(8)];
    return t == SL_T_UINT8 ? (int64_t)(draw(5) * 60)
                           : (int64_t)draw(5) * 300 - (t == SL_T_INT16 ? 600 : 0);
}

static struct sl_str some_bytes(const struct sl_field *f, char *p)
{
    static const char *const letters[] = { "a", "b", "", "\xc3\xa9", "\xf0\x9f\x98\x80" };
    size_t n = 0, most = f->type == SL_T_FIXED_BINARY ? (size_t)f->size : draw(5);
    for (size_t i = 0; i < most; i++) {
        uint64_t k = draw(6);
        if (!sl_type_is_utf8(f->type) || k == 5) {
            p[n++] = (char)(sl_type_is_utf8(f->type) ? 0 : k < 3 ? 0 : 250 + k);
            continue;
        }
        memcpy(p + n, letters[k], strlen(letters[k]));
        n += strlen(letters[k]);
    }
    return (struct sl_str){ p, n };
}

static enum sl_status add_value(struct sl_colbuf *c, struct sl_err *err)
{
    static const double reals[] = { 0.0, -0.0, 1.5, -1.5, 1e-40, -1e30, 3.0, 0.25 };
    const struct sl_field *f = c->field;
    char bytes[MOST_BYTES];
    if (f->nullable && draw(6) == 0)
        return sl_colbuf_add_null(c, err);
    if (f->type == SL_T_FLOAT32 || f->type == SL_T_FLOAT64)
        return sl_colbuf_add_real(c, reals[draw(8)], err);
    if (f->type == SL_T_BOOL)
        return sl_colbuf_add_bool(c, draw(2), err);
    if (f->type <= SL_T_UINT64 || f->type == SL_T_TIMESTAMP)
        return sl_colbuf_add_int(c, some_int(f->type), err);
    if (!f->n_children)
        return sl_colbuf_add_str(c, some_bytes(f, bytes), err);
    for (uint64_t i = f->type == SL_T_STRUCT ? 1 : draw(4); i > 0; i--)
        for (uint32_t k = 0; k < f->n_children; k++)
            SL_TRY(add_value(&c->children[k], err));
    return sl_colbuf_close(c, err);
}

static enum sl_status add_text(struct sl_colbuf *c, char *text, size_t most, bool exact,
                               struct sl_err *err)
{
    size_t n = exact || !most ? most : draw(most + 1);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)(i < n / 2 ? 'x' : 'a' + draw(20));
    return sl_colbuf_add_str(c, (struct sl_str){ text, n }, err);
}

static enum sl_status write_rows(struct sl_writer *w, struct sl_rows *r, char **argv, bool exact,
                                 struct sl_err *err)
{
    uint64_t n = strtoull(argv[2], NULL, 10), per_batch = strtoull(argv[3], NULL, 10);
    size_t most = strtoull(argv[4], NULL, 10);
    char *text = malloc(most + 1);
    struct sl_batch view;
    if (!text)
        return sl_err_nomem(err, most);
    sl_batch_init(&view);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t key = i % 40 == 39 ? i - 1 : i, place = key / 3;
        struct sl_hash128 id = sl_hash128(&place, sizeof place);
        SL_TRY(sl_colbuf_add_str(&r->cols[0], (struct sl_str){ (char *)id.b, 16 }, err));
        SL_TRY(sl_colbuf_add_int(&r->cols[1], (int64_t)(key % 3 * 200), err));
        SL_TRY(add_text(&r->cols[2], text, most, exact, err));
        for (int k = 3; k < N_COLUMNS; k++)
            SL_TRY(add_value(&r->cols[k], err));
        SL_TRY(sl_rows_close_row(r, err));
        if ((uint64_t)r->n < per_batch && i + 1 < n)
            continue;
        SL_TRY(sl_rows_lend(r, &view, err));
        SL_TRY(sl_writer_add(w, &view, err));
        sl_rows_reset(r);
    }
    sl_batch_release(&view);
    free(text);
    return SL_OK;
}

static enum sl_status write_stream(char **argv, bool exact, struct sl_err *err)
{
    struct sl_schema schema;
    struct sl_rows rows;
    struct sl_sink *sink;
    struct sl_writer *w;
    const struct sl_write_options options = { 0 };
    sl_schema_init(&schema);
    SL_TRY(sl_schema_set_meta(&schema, "kind", SL_STR("docs"), err));
    SL_TRY(sl_schema_set_meta(&schema, "lineage", SL_STR("[]"), err));
    for (int i = 0; i < N_COLUMNS; i++)
        SL_TRY(sl_schema_add_text(&schema, columns[i][0], columns[i][1], err));
    SL_TRY(sl_rows_init(&rows, &schema, err));
    SL_TRY(sl_sink_open(&sink, "-", false, err));
    SL_TRY(sl_writer_open(&w, sink, &schema, &options, err));
    SL_TRY(write_rows(w, &rows, argv, exact, err));
    SL_TRY(sl_writer_end(w, SL_STR("[]"), NULL, err));
    SL_TRY(sl_sink_commit(sink, err));
    sl_writer_free(w);
    sl_sink_free(sink);
    sl_rows_release(&rows);
    sl_schema_release(&schema);
    return SL_OK;
}

int main(int argc, char **argv)
{
    struct sl_err err = SL_ERR_INIT;
    char line[1200];
    if (argc < 5) {
        fputs("usage: sort_sample SEED ROWS ROWS_PER_BATCH TEXT_BYTES [EXACT]\n", stderr);
        return 2;
    }
    state = strtoull(argv[1], NULL, 10);
    if (write_stream(argv, argc > 5, &err) == SL_OK)
        return 0;
    fprintf(stderr, "sort_sample: %s\n", sl_err_text(&err, line, sizeof line));
    return 3;
}
