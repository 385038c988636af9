/* SPDX-License-Identifier: Apache-2.0 */
/* Write a stream of documents to standard output, for tests of pipelines.
 *
 *   docs_sample N [SEED [TOKENIZER]]
 *
 * N documents with ids, addresses, three sources that alternate irregularly,
 * and texts of 0 to 5,000 characters of one to four bytes, some of them empty.
 * Document i is a function of i and SEED alone. difficulty_len is the length
 * of the text, null for every seventh document. The lineage is empty.
 *
 * With TOKENIZER the documents have tokens too, 70,000 and more for every byte of
 * the text, as uint32, and TOKENIZER is what sl:tokenizer says; empty: nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "arrow/rows.h"
#include "arrow/writer.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/utf8.h"

enum { BATCH_ROWS = 50, FIRST_ID = 70000, MOST_CHARS = 5000, TEXT_MAX_BYTES = 4 * MOST_CHARS };

static const char *const columns[][2] = {
    { "id", "fixed_size_binary[16]" },
    { "text", "large_utf8" },
    { "url", "utf8?" },
    { "source", "utf8" },
    { "difficulty_len", "float32?" },
    { "copy", "uint16" },
    { "tokens", "list<uint32>" },
};
enum { N_COLUMNS = sizeof columns / sizeof columns[0], N_DOCS_COLUMNS = N_COLUMNS - 2 };

static const char *const sources[] = { "web", "books", "wiki" };

static uint64_t draw(uint64_t *state)
{
    *state = sl_hash64(state, sizeof *state);
    return *state;
}

/* A character of a width drawn first, so that all four are common. */
static uint32_t draw_char(uint64_t *state)
{
    static const uint32_t from[] = { 0x20, 0xA0, 0x800, 0x10000 };
    static const uint32_t size[] = { 95, 0x6FF, 0xD000, 0xFFFFF };
    uint64_t r = draw(state);
    unsigned width = r % 16 < 12 ? 0 : (unsigned)(r % 4);
    return from[width] + (uint32_t)((r >> 8) % size[width]);
}

static enum sl_status make_text(uint64_t *state, struct sl_buf *text, struct sl_err *err)
{
    uint64_t kind = draw(state) % 10;
    uint64_t n = kind == 0 ? 0 : draw(state) % (kind < 7 ? 400 : MOST_CHARS + 1);
    sl_buf_reset(text);
    for (uint64_t i = 0; i < n; i++) {
        uint8_t bytes[4];
        unsigned width = sl_utf8_put(bytes, draw_char(state));
        SL_TRY(sl_buf_add(text, bytes, width, err));
    }
    return SL_OK;
}

/* copy and tokens. */
static enum sl_status add_tokens(struct sl_rows *r, uint64_t i, const struct sl_buf *text,
                                 struct sl_err *err)
{
    SL_TRY(sl_colbuf_add_int(&r->cols[N_DOCS_COLUMNS], (int64_t)(i % 3), err));
    struct sl_colbuf *tokens = &r->cols[N_DOCS_COLUMNS + 1];
    for (size_t k = 0; k < text->n; k++)
        SL_TRY(sl_colbuf_add_int(&tokens->children[0], FIRST_ID + text->p[k], err));
    return sl_colbuf_close(tokens, err);
}

static enum sl_status add_doc(struct sl_rows *r, uint64_t i, uint64_t seed, struct sl_buf *text,
                              struct sl_err *err)
{
    char url[64];
    uint64_t state = sl_hash64_seed(&i, sizeof i, seed);
    int n = snprintf(url, sizeof url, "https://example.org/%llu", (unsigned long long)i);
    struct sl_str address = { url, (size_t)n };
    struct sl_hash128 id = sl_hash128(url, (size_t)n);
    SL_TRY(make_text(&state, text, err));
    SL_TRY(sl_colbuf_add_str(&r->cols[0], (struct sl_str){ (const char *)id.b, 16 }, err));
    SL_TRY(sl_colbuf_add_str(&r->cols[1], sl_buf_str(text), err));
    SL_TRY(i % 5 ? sl_colbuf_add_str(&r->cols[2], address, err)
                 : sl_colbuf_add_null(&r->cols[2], err));
    SL_TRY(sl_colbuf_add_str(&r->cols[3], sl_str_of(sources[draw(&state) % 3]), err));
    SL_TRY(i % 7 ? sl_colbuf_add_real(&r->cols[4], (double)text->n, err)
                 : sl_colbuf_add_null(&r->cols[4], err));
    if (r->schema->n_fields == N_COLUMNS)
        SL_TRY(add_tokens(r, i, text, err));
    return sl_rows_close_row(r, err);
}

static enum sl_status write_batch(struct sl_writer *w, struct sl_rows *r, struct sl_batch *view,
                                  struct sl_err *err)
{
    SL_TRY(sl_rows_lend(r, view, err));
    SL_TRY(sl_writer_add(w, view, err));
    sl_rows_reset(r);
    return SL_OK;
}

static enum sl_status write_docs(struct sl_writer *w, struct sl_rows *r, uint64_t n, uint64_t seed,
                                 struct sl_err *err)
{
    struct sl_batch view;
    struct sl_buf text;
    enum sl_status st = SL_OK;
    sl_batch_init(&view);
    sl_buf_init(&text, TEXT_MAX_BYTES);
    for (uint64_t i = 0; i < n && st == SL_OK; i++) {
        st = add_doc(r, i, seed, &text, err);
        if (st == SL_OK && r->n == BATCH_ROWS)
            st = write_batch(w, r, &view, err);
    }
    if (st == SL_OK)
        st = write_batch(w, r, &view, err);
    sl_buf_release(&text);
    sl_batch_release(&view);
    return st == SL_OK ? sl_writer_end(w, SL_STR("[]"), NULL, err) : st;
}

/* tokenizer NULL: documents without tokens. */
static enum sl_status make_schema(struct sl_schema *s, const char *tokenizer, struct sl_err *err)
{
    sl_schema_init(s);
    for (int i = 0; i < (tokenizer ? N_COLUMNS : N_DOCS_COLUMNS); i++)
        SL_TRY(sl_schema_add_text(s, columns[i][0], columns[i][1], err));
    if (tokenizer && *tokenizer)
        SL_TRY(sl_schema_set_meta(s, "tokenizer", sl_str_of(tokenizer), err));
    SL_TRY(sl_schema_set_meta(s, "kind", sl_str_of(tokenizer ? "tokens" : "docs"), err));
    return sl_schema_set_meta(s, "lineage", SL_STR("[]"), err);
}

static enum sl_status run(uint64_t n, uint64_t seed, const char *tokenizer, struct sl_err *err)
{
    struct sl_schema schema;
    struct sl_rows rows = { .n = 0 };
    struct sl_sink *sink = NULL;
    struct sl_writer *w = NULL;
    struct sl_write_options options = { 0 };
    enum sl_status st = make_schema(&schema, tokenizer, err);
    if (st == SL_OK)
        st = sl_rows_init(&rows, &schema, err);
    if (st == SL_OK)
        st = sl_sink_open(&sink, "-", false, err);
    if (st == SL_OK)
        st = sl_writer_open(&w, sink, &schema, &options, err);
    if (st == SL_OK)
        st = write_docs(w, &rows, n, seed, err);
    if (st == SL_OK)
        st = sl_sink_commit(sink, err);
    sl_writer_free(w);
    sl_sink_free(sink);
    if (rows.cols)
        sl_rows_release(&rows);
    sl_schema_release(&schema);
    return st;
}

int main(int argc, char **argv)
{
    uint64_t n, seed = 0;
    struct sl_err err = SL_ERR_INIT;
    char text[1200];
    if (argc < 2 || argc > 4 || !sl_parse_u64(sl_str_of(argv[1]), &n) ||
        (argc > 2 && !sl_parse_u64(sl_str_of(argv[2]), &seed))) {
        fprintf(stderr, "usage: docs_sample N [SEED [TOKENIZER]]\n");
        return 2;
    }
    if (run(n, seed, argc > 3 ? argv[3] : NULL, &err) == SL_OK)
        return 0;
    fprintf(stderr, "docs_sample: %s\n", sl_err_text(&err, text, sizeof text));
    return 3;
}
