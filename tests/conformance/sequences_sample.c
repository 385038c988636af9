/* SPDX-License-Identifier: Apache-2.0 */
/* usage: sequences_sample ROWS LENGTH uint16|uint32 ROWS_PER_BATCH [FIRST]
 *
 * Writes a stream of ROWS sequences to standard output, from row FIRST on, with
 * the lineage of one source stage: what the tests of shards feed to the tools.
 * Every value is a function of the row's number, which tests/pipeline computes
 * again in Python:
 *   id           8 bytes of row + 1, 8 bytes of the row's hash, both big-endian
 *   tokens       (row * 31 + position * 7) mod 60000
 *   loss_mask    0 at the first position, and at all where row mod 10 is 9
 *   doc_ids      row mod 3 + 1 of them; doc_starts 0; doc_offsets 0, 1, 2
 *   source       "s" and row mod 5; null where row mod 5 is 4
 *   difficulty   row / 8; null where row mod 7 is 0
 *   even         row mod 2 is 0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/rows.h"
#include "arrow/writer.h"

enum { TOKENS_MOD = 60000, PIECES = 3, ID_BYTES = 16 };

enum {
    COL_ID,
    COL_TOKENS,
    COL_IDS,
    COL_STARTS,
    COL_OFFSETS,
    COL_MASK,
    COL_SOURCE,
    COL_HARD,
    COL_EVEN
};

struct sample {
    struct sl_schema schema;
    struct sl_rows rows;
    struct sl_batch view;
    struct sl_sink *sink;
    struct sl_writer *writer;
    struct sl_hash128 ids;
    int64_t length;
    bool wide;
    uint8_t *tokens, *mask;
};

static enum sl_status make_schema(struct sample *s, struct sl_err *err)
{
    char tokens[64], mask[64];
    const char *const tokenizer =
        "{\"name\":\"sample\",\"vocab_size\":60000,\"max_id\":59999,\"eos\":0,\"bos\":null,"
        "\"pad\":null,\"digest\":\"00000000000000000000000000000001\"}";
    snprintf(tokens, sizeof tokens, "fixed_size_list<uint%d>[%lld]", s->wide ? 32 : 16,
             (long long)s->length);
    snprintf(mask, sizeof mask, "fixed_size_list<uint8>[%lld]", (long long)s->length);
    sl_schema_init(&s->schema);
    SL_TRY(sl_schema_add_text(&s->schema, "id", "fixed_size_binary[16]", err));
    SL_TRY(sl_schema_add_text(&s->schema, "tokens", tokens, err));
    SL_TRY(sl_schema_add_text(&s->schema, "doc_ids", "list<fixed_size_binary[16]>", err));
    SL_TRY(sl_schema_add_text(&s->schema, "doc_starts", "list<uint32>", err));
    SL_TRY(sl_schema_add_text(&s->schema, "doc_offsets", "list<uint32>", err));
    SL_TRY(sl_schema_add_text(&s->schema, "loss_mask", mask, err));
    SL_TRY(sl_schema_add_text(&s->schema, "source", "utf8?", err));
    SL_TRY(sl_schema_add_text(&s->schema, "difficulty", "float32?", err));
    SL_TRY(sl_schema_add_text(&s->schema, "even", "bool", err));
    SL_TRY(sl_schema_set_meta(&s->schema, "kind", SL_STR("sequences"), err));
    SL_TRY(sl_schema_set_meta(&s->schema, "tokenizer", sl_str_of(tokenizer), err));
    return sl_schema_set_meta(&s->schema, "lineage",
                              SL_STR("[{\"tool\":\"sample\",\"version\":\"1\",\"options\":{}}]"),
                              err);
}

static void big_endian(uint8_t out[8], uint64_t v)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (56 - 8 * i));
}

static struct sl_hash128 id_of(int64_t row)
{
    struct sl_hash128 id;
    big_endian(id.b, (uint64_t)row + 1);
    big_endian(id.b + 8, (uint64_t)row * 0x9e3779b97f4a7c15U);
    return id;
}

static void fill(struct sample *s, int64_t row)
{
    for (int64_t i = 0; i < s->length; i++) {
        uint32_t v = (uint32_t)((row * 31 + i * 7) % TOKENS_MOD);
        uint16_t half = (uint16_t)v;
        memcpy(s->tokens + i * (s->wide ? 4 : 2), s->wide ? (void *)&v : (void *)&half,
               s->wide ? 4 : 2);
        s->mask[i] = i > 0 && row % 10 != 9;
    }
}

static enum sl_status add_text(struct sample *s, int64_t row, struct sl_err *err)
{
    struct sl_colbuf *c = s->rows.cols;
    char source[4] = { 's', (char)('0' + row % 5), 0, 0 };
    SL_TRY(row % 5 == 4 ? sl_colbuf_add_null(&c[COL_SOURCE], err)
                        : sl_colbuf_add_str(&c[COL_SOURCE], sl_str_of(source), err));
    SL_TRY(row % 7 == 0 ? sl_colbuf_add_null(&c[COL_HARD], err)
                        : sl_colbuf_add_real(&c[COL_HARD], (double)row / 8, err));
    return sl_colbuf_add_bool(&c[COL_EVEN], row % 2 == 0, err);
}

static enum sl_status add_row(struct sample *s, int64_t row, struct sl_err *err)
{
    struct sl_colbuf *c = s->rows.cols;
    struct sl_hash128 id = id_of(row);
    uint8_t docs[PIECES * ID_BYTES];
    const uint32_t starts[PIECES] = { 0 }, offsets[PIECES] = { 0, 1, 2 };
    size_t n = (size_t)(row % PIECES) + 1;
    for (size_t i = 0; i < n; i++)
        memcpy(docs + i * ID_BYTES, id.b, ID_BYTES);
    fill(s, row);
    sl_hash128_add(&s->ids, id);
    SL_TRY(sl_colbuf_add_str(&c[COL_ID], (struct sl_str){ (const char *)id.b, ID_BYTES }, err));
    SL_TRY(sl_colbuf_add_items(&c[COL_TOKENS], s->tokens, (size_t)s->length, err));
    SL_TRY(sl_colbuf_add_items(&c[COL_IDS], docs, n, err));
    SL_TRY(sl_colbuf_add_items(&c[COL_STARTS], starts, n, err));
    SL_TRY(sl_colbuf_add_items(&c[COL_OFFSETS], offsets, n, err));
    SL_TRY(sl_colbuf_add_items(&c[COL_MASK], s->mask, (size_t)s->length, err));
    SL_TRY(add_text(s, row, err));
    return sl_rows_close_row(&s->rows, err);
}

static enum sl_status write_batch(struct sample *s, struct sl_err *err)
{
    SL_TRY(sl_rows_lend(&s->rows, &s->view, err));
    SL_TRY(sl_writer_add(s->writer, &s->view, err));
    sl_rows_reset(&s->rows);
    return SL_OK;
}

static enum sl_status end(struct sample *s, int64_t rows, struct sl_err *err)
{
    char ids[SL_HASH128_DIGITS], text[512];
    sl_hash128_hex(s->ids, ids);
    int n = snprintf(text, sizeof text,
                     "[{\"tool\":\"sample\",\"version\":\"1\",\"options\":{},\"tally\":{\"law\":"
                     "\"source\",\"in\":{\"rows\":%lld,\"ids\":\"%.32s\"},\"out\":{\"rows\":%lld,"
                     "\"ids\":\"%.32s\"},\"rejected\":{\"rows\":0,\"ids\":"
                     "\"00000000000000000000000000000000\"}}}]",
                     (long long)rows, ids, (long long)rows, ids);
    SL_TRY(sl_writer_end(s->writer, (struct sl_str){ text, (size_t)n }, NULL, err));
    return sl_sink_commit(s->sink, err);
}

static enum sl_status run(struct sample *s, int64_t first, int64_t rows, int64_t per_batch,
                          struct sl_err *err)
{
    SL_TRY(make_schema(s, err));
    SL_TRY(sl_rows_init(&s->rows, &s->schema, err));
    sl_batch_init(&s->view);
    SL_TRY(sl_sink_open(&s->sink, "-", false, err));
    SL_TRY(sl_writer_open(&s->writer, s->sink, &s->schema, NULL, err));
    for (int64_t row = first; row < first + rows; row++) {
        SL_TRY(add_row(s, row, err));
        if (s->rows.n == per_batch)
            SL_TRY(write_batch(s, err));
    }
    if (s->rows.n)
        SL_TRY(write_batch(s, err));
    return end(s, rows, err);
}

int main(int argc, char **argv)
{
    char text[1200];
    struct sl_err err = SL_ERR_INIT;
    struct sample s = { 0 };
    if (argc < 5)
        return 2;
    s.length = atoll(argv[2]);
    s.wide = strcmp(argv[3], "uint32") == 0;
    s.tokens = calloc((size_t)s.length + 1, 4);
    s.mask = calloc((size_t)s.length + 1, 1);
    enum sl_status st =
        run(&s, argc > 5 ? atoll(argv[5]) : 0, atoll(argv[1]), atoll(argv[4]), &err);
    if (st != SL_OK)
        fprintf(stderr, "sequences_sample: %s\n", sl_err_text(&err, text, sizeof text));
    sl_writer_free(s.writer);
    sl_sink_free(s.sink);
    sl_rows_release(&s.rows);
    sl_batch_release(&s.view);
    sl_schema_release(&s.schema);
    free(s.tokens);
    free(s.mask);
    return st == SL_OK ? 0 : 1;
}
