/* SPDX-License-Identifier: Apache-2.0 */
/* Write a sample stream to standard output, for readers made by others.
 *
 *   arrow_sample [--compress LEVEL] [--batches N] [--rows N] [--tiny] [--poison]
 *
 * Every value is a plain function of column, row and place in the row, which
 * tests/compat/arrow_write_test.py computes once more. --tiny writes the stream
 * that is frozen in tests/compat/tiny-1.hex; --poison ends in a poison tail. */
#include <stdio.h>
#include <stdlib.h>

#include "arrow/rows.h"
#include "arrow/writer.h"

static const char *const columns[][2] = {
    { "i8", "int8" },
    { "i8n", "int8?" },
    { "i16", "int16" },
    { "i16n", "int16?" },
    { "i32", "int32" },
    { "i32n", "int32?" },
    { "i64", "int64" },
    { "i64n", "int64?" },
    { "u8", "uint8" },
    { "u8n", "uint8?" },
    { "u16", "uint16" },
    { "u16n", "uint16?" },
    { "u32", "uint32" },
    { "u32n", "uint32?" },
    { "u64", "uint64" },
    { "u64n", "uint64?" },
    { "f32", "float32" },
    { "f32n", "float32?" },
    { "f64", "float64" },
    { "f64n", "float64?" },
    { "b", "bool" },
    { "bn", "bool?" },
    { "s", "utf8" },
    { "sn", "utf8?" },
    { "ls", "large_utf8" },
    { "lsn", "large_utf8?" },
    { "y", "binary" },
    { "yn", "binary?" },
    { "ly", "large_binary" },
    { "lyn", "large_binary?" },
    { "fb", "fixed_size_binary[16]" },
    { "fbn", "fixed_size_binary[3]?" },
    { "ts", "timestamp[s]" },
    { "tm", "timestamp[ms]?" },
    { "tu", "timestamp[us,UTC]" },
    { "tn", "timestamp[ns]?" },
    { "l", "list<uint16>" },
    { "ln", "list<uint32?>?" },
    { "ll", "large_list<utf8>" },
    { "lln", "large_list<int64?>?" },
    { "fl", "fixed_size_list<float32>[4]" },
    { "fln", "fixed_size_list<uint8?>[3]?" },
    { "st", "struct<a:utf8,b:int32>" },
    { "stn", "struct<a:utf8?,b:fixed_size_list<int16>[2]?,c:bool?>?" },
    { "lst", "list<struct<a:utf8?,b:int32>>?" },
    { "lll", "list<list<list<bool?>?>>?" },
};

enum { N_COLUMNS = sizeof columns / sizeof *columns };

static uint64_t mix(uint64_t x)
{
    x = (x + UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ x >> 29;
}

static enum sl_status add_bytes(struct sl_colbuf *c, uint64_t seed, struct sl_err *err)
{
    static const char *const letters[] = { "a", "\xc3\xa9", "\xe6\x97\xa5", "\xf0\x9f\x98\x80" };
    const struct sl_field *f = c->field;
    char text[64];
    size_t n = f->type == SL_T_FIXED_BINARY ? (size_t)f->size : mix(seed + 1) % 12, used = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t v = mix(seed + 10 + i);
        struct sl_str letter = sl_str_of(letters[v % 4]);
        char byte = (char)(v & 255);
        if (!sl_type_is_utf8(f->type))
            letter = (struct sl_str){ &byte, 1 };
        memcpy(text + used, letter.p, letter.n);
        used += letter.n;
    }
    return sl_colbuf_add_str(c, (struct sl_str){ text, used }, err);
}

static int64_t as_type(enum sl_type t, uint64_t v)
{
    switch (t) {
    case SL_T_INT8:
        return (int8_t)v;
    case SL_T_INT16:
        return (int16_t)v;
    case SL_T_INT32:
        return (int32_t)v;
    case SL_T_UINT8:
        return (uint8_t)v;
    case SL_T_UINT16:
        return (uint16_t)v;
    case SL_T_UINT32:
        return (uint32_t)v;
    case SL_T_TIMESTAMP:
        return (int64_t)(v & ((UINT64_C(1) << 30) - 1));
    default:
        return (int64_t)v;
    }
}

static enum sl_status add_value(struct sl_colbuf *c, uint64_t seed, struct sl_err *err)
{
    const struct sl_field *f = c->field;
    if (f->nullable && mix(seed) % 5 == 0)
        return sl_colbuf_add_null(c, err);
    uint64_t v = mix(seed + 1);
    if (f->type <= SL_T_UINT64 || f->type == SL_T_TIMESTAMP)
        return sl_colbuf_add_int(c, as_type(f->type, v), err);
    if (f->type == SL_T_FLOAT32 || f->type == SL_T_FLOAT64)
        return sl_colbuf_add_real(c, (double)(v % 2001) / 8 - 100, err);
    if (f->type == SL_T_BOOL)
        return sl_colbuf_add_bool(c, v & 1, err);
    if (f->n_children == 0)
        return add_bytes(c, seed, err);
    uint64_t n = f->type == SL_T_STRUCT       ? f->n_children
                 : f->type == SL_T_FIXED_LIST ? (uint64_t)f->size
                                              : v % 4;
    for (uint64_t i = 0; i < n; i++)
        SL_TRY(add_value(&c->children[f->type == SL_T_STRUCT ? i : 0], seed * 31 + i + 7, err));
    return sl_colbuf_close(c, err);
}

struct conf {
    int level, batches, rows;
    bool tiny, poison;
};

static enum sl_status add_tiny(struct sl_rows *r, struct sl_err *err)
{
    static const struct sl_str texts[] = { { "hi", 2 }, { "", 0 }, { "abc", 3 } };
    struct sl_colbuf *list = &r->cols[1];
    for (int i = 0; i < 3; i++) {
        SL_TRY(sl_colbuf_add_str(&r->cols[0], texts[i], err));
        if (i == 1) {
            SL_TRY(sl_colbuf_add_null(list, err));
        } else {
            SL_TRY(sl_colbuf_add_int(&list->children[0], 258 + i, err));
            SL_TRY(sl_colbuf_add_null(&list->children[0], err));
            SL_TRY(sl_colbuf_close(list, err));
        }
        SL_TRY(sl_rows_close_row(r, err));
    }
    return SL_OK;
}

static enum sl_status add_rows(struct sl_rows *r, uint64_t first, int n, struct sl_err *err)
{
    for (uint64_t row = first; row < first + (uint64_t)n; row++) {
        for (uint64_t c = 0; c < N_COLUMNS; c++)
            SL_TRY(add_value(&r->cols[c], row * 1000 + c, err));
        SL_TRY(sl_rows_close_row(r, err));
    }
    return SL_OK;
}

static enum sl_status make_schema(struct sl_schema *s, bool tiny, struct sl_err *err)
{
    SL_TRY(sl_schema_set_meta(s, "kind", SL_STR("docs"), err));
    SL_TRY(sl_schema_set_meta(s, "lineage", SL_STR("[]"), err));
    if (tiny) {
        SL_TRY(sl_schema_add_text(s, "c0", "utf8", err));
        return sl_schema_add_text(s, "c1", "list<uint16?>?", err);
    }
    for (int i = 0; i < N_COLUMNS; i++)
        SL_TRY(sl_schema_add_text(s, columns[i][0], columns[i][1], err));
    return SL_OK;
}

struct state {
    struct sl_schema schema;
    struct sl_rows rows;
    struct sl_batch batch;
    struct sl_sink *sink;
    struct sl_writer *writer;
};

static enum sl_status write_all(const struct conf *conf, struct state *s, struct sl_err *err)
{
    const struct sl_write_options options = { .zstd_level = conf->level };
    SL_TRY(make_schema(&s->schema, conf->tiny, err));
    SL_TRY(sl_rows_init(&s->rows, &s->schema, err));
    SL_TRY(sl_sink_open(&s->sink, "-", false, err));
    SL_TRY(sl_writer_open(&s->writer, s->sink, &s->schema, &options, err));
    for (int i = 0; i < conf->batches; i++) {
        sl_rows_reset(&s->rows);
        if (conf->tiny)
            SL_TRY(add_tiny(&s->rows, err));
        else
            SL_TRY(add_rows(&s->rows, (uint64_t)i * (uint64_t)conf->rows, conf->rows, err));
        SL_TRY(sl_rows_lend(&s->rows, &s->batch, err));
        SL_TRY(sl_writer_add(s->writer, &s->batch, err));
    }
    if (conf->poison)
        SL_TRY(sl_writer_poison(s->writer, SL_STR("arrow_sample"), SL_STR("asked to fail"), err));
    else
        SL_TRY(sl_writer_end(s->writer, SL_STR("[]"), NULL, err));
    return sl_sink_commit(s->sink, err);
}

int main(int argc, char **argv)
{
    struct conf conf = { .batches = 1, .rows = 100 };
    struct state s = { .sink = NULL };
    struct sl_err err = SL_ERR_INIT;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "0";
        if (strcmp(argv[i], "--compress") == 0)
            conf.level = atoi(value), i++;
        else if (strcmp(argv[i], "--batches") == 0)
            conf.batches = atoi(value), i++;
        else if (strcmp(argv[i], "--rows") == 0)
            conf.rows = atoi(value), i++;
        else if (strcmp(argv[i], "--tiny") == 0)
            conf.tiny = true;
        else if (strcmp(argv[i], "--poison") == 0)
            conf.poison = true;
        else
            return 2;
    }
    sl_schema_init(&s.schema);
    sl_batch_init(&s.batch);
    enum sl_status st = write_all(&conf, &s, &err);
    char text[1024];
    if (st != SL_OK)
        fprintf(stderr, "arrow_sample: %s\n", sl_err_text(&err, text, sizeof text));
    sl_writer_free(s.writer);
    sl_sink_free(s.sink);
    sl_batch_release(&s.batch);
    sl_rows_release(&s.rows);
    sl_schema_release(&s.schema);
    return st == SL_OK ? 0 : 1;
}
