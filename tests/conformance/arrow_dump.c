/* SPDX-License-Identifier: Apache-2.0 */
/* Print the rows of a stream as JSON lines, by our reader.
 *
 *   arrow_dump [--foreign] [--count] FILE
 *
 * Floats have 17 digits (NaN and infinities are strings), binary is hex,
 * timestamps are integers, lists are arrays, structs objects. --count prints
 * "ROWS BATCHES" instead. Exit code 1 where the stream is refused, with the
 * reason on standard error; 3 for anything else. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "arrow/reader.h"

static void print_str(struct sl_str s)
{
    putchar('"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\' || c < 0x20)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void print_real(double v)
{
    if (v - v != 0)
        printf("\"%s\"", v > 0 ? "Infinity" : v < 0 ? "-Infinity" : "NaN");
    else
        printf("%.17g", v);
}

static void print_value(const struct sl_column *c, int64_t row);

static void print_items(const struct sl_column *c, int64_t from, int64_t to)
{
    putchar('[');
    for (int64_t i = from; i < to; i++) {
        if (i > from)
            putchar(',');
        print_value(&c->children[0], i);
    }
    putchar(']');
}

static void print_struct(const struct sl_column *c, int64_t row)
{
    putchar('{');
    for (uint32_t i = 0; i < c->field->n_children; i++) {
        if (i)
            putchar(',');
        print_str(sl_str_of(c->field->children[i].name));
        putchar(':');
        print_value(&c->children[i], row);
    }
    putchar('}');
}

static void print_hex(struct sl_str s)
{
    putchar('"');
    for (size_t i = 0; i < s.n; i++)
        printf("%02x", (unsigned char)s.p[i]);
    putchar('"');
}

static void print_value(const struct sl_column *c, int64_t row)
{
    const struct sl_field *f = c->field;
    if (sl_column_is_null(c, row))
        fputs("null", stdout);
    else if (f->type == SL_T_UINT64)
        printf("%" PRIu64, (uint64_t)sl_column_int(c, row));
    else if (f->type < SL_T_UINT64 || f->type == SL_T_TIMESTAMP)
        printf("%" PRId64, sl_column_int(c, row));
    else if (f->type == SL_T_FLOAT32 || f->type == SL_T_FLOAT64)
        print_real(sl_column_real(c, row));
    else if (f->type == SL_T_BOOL)
        fputs(sl_column_bool(c, row) ? "true" : "false", stdout);
    else if (sl_type_is_utf8(f->type))
        print_str(sl_column_str(c, row));
    else if (f->n_children == 0)
        print_hex(sl_column_str(c, row));
    else if (f->type == SL_T_STRUCT)
        print_struct(c, row);
    else if (f->type == SL_T_FIXED_LIST)
        print_items(c, row * f->size, (row + 1) * f->size);
    else
        print_items(c, sl_column_start(c, row), sl_column_start(c, row + 1));
}

static void print_batch(const struct sl_batch *b)
{
    for (int64_t row = 0; row < b->n_rows; row++) {
        putchar('{');
        for (uint32_t i = 0; i < b->schema->n_fields; i++) {
            if (i)
                putchar(',');
            print_str(sl_str_of(b->schema->fields[i]->name));
            putchar(':');
            print_value(&b->columns[i], row);
        }
        puts("}");
    }
}

static enum sl_status dump(const char *path, enum sl_read_mode mode, bool count, struct sl_err *err)
{
    struct sl_source *src = NULL;
    struct sl_reader *r = NULL;
    struct sl_batch b;
    int64_t rows = 0, batches = 0;
    SL_TRY(sl_source_open(&src, path, SL_SOURCE_PLAIN, err));
    sl_batch_init(&b);
    enum sl_status st = sl_reader_open(&r, src, mode, err);
    while (st == SL_OK) {
        st = sl_reader_next(r, &b, err);
        if (st == SL_OK && !count)
            print_batch(&b);
        rows += st == SL_OK ? b.n_rows : 0;
        batches += st == SL_OK;
    }
    if (st == SL_END && count)
        printf("%" PRId64 " %" PRId64 "\n", rows, batches);
    sl_batch_release(&b);
    sl_reader_free(r);
    sl_source_free(src);
    return st == SL_END ? SL_OK : st;
}

int main(int argc, char **argv)
{
    enum sl_read_mode mode = SL_READ_STRICT;
    bool count = false;
    struct sl_err err = SL_ERR_INIT;
    char text[1200];
    int i = 1;
    for (; i < argc - 1; i++) {
        if (strcmp(argv[i], "--foreign") == 0)
            mode = SL_READ_FOREIGN;
        count = count || strcmp(argv[i], "--count") == 0;
    }
    if (i != argc - 1)
        return 2;
    enum sl_status st = dump(argv[i], mode, count, &err);
    if (st == SL_OK)
        return fflush(stdout) ? 3 : 0;
    fprintf(stderr, "arrow_dump: %s\n", sl_err_text(&err, text, sizeof text));
    return st == SL_E_DATA || st == SL_E_UPSTREAM ? 1 : 3;
}
