/* SPDX-License-Identifier: Apache-2.0 */
/* usage: contract_streams --kinds
 *        contract_streams KIND BATCHES ROWS TEXT_BYTES [WITHOUT,... [same]]
 *
 * The streams of the contract suite, on standard output: a stream of any kind of
 * schemas/, with all its columns, ROWS a batch, texts of up to TEXT_BYTES. Made
 * from the table of kinds, so that a new kind is there at once. "same" repeats
 * the first batch, which is as fast as the writer: for inputs of gigabytes.
 *
 * Rows are a function of their number alone. */
#include <stdio.h>
#include <stdlib.h>

#include "arrow/rows.h"
#include "arrow/writer.h"
#include "run/kinds.h"
#include "run/tally.h"

enum { LENGTH = 16, PIECE = 8 };
static const char tokenizer[] =
    "{\"name\":\"bytes\",\"vocab_size\":512,\"max_id\":511,\"eos\":256,\"bos\":257,\"pad\":258,"
    "\"digest\":\"00112233445566778899aabbccddeeff\"}";

struct made {
    struct sl_schema schema;
    struct sl_rows rows;
    struct sl_batch batch;
    struct sl_tally tally;
    struct sl_buf scratch;
    size_t text_bytes;
};

/* The first alternative of a type of the table, a size for "[L]". */
static void concrete_type(const char *pattern, char out[128])
{
    size_t n = 0;
    for (const char *p = pattern; *p && *p != '|' && n < 100; p++) {
        if (p[0] == 'L' && p > pattern && p[-1] == '[')
            n += (size_t)snprintf(out + n, 8, "%d", LENGTH);
        else
            out[n++] = *p;
    }
    out[n] = 0;
}

static enum sl_status make_schema(struct sl_schema *s, const char *kind, const char *without)
{
    bool mine = false, known = false;
    sl_schema_init(s);
    for (int i = 0; i < sl_n_kind_rows; i++) {
        const struct sl_kind_row *r = &sl_kind_rows[i];
        char type[128];
        if (r->kind)
            known |= mine = strcmp(r->kind, kind) == 0;
        else if (mine && r->column.name && !sl_list_has(without, sl_str_of(r->column.name))) {
            concrete_type(r->column.type, type);
            SL_TRY(sl_schema_add_text(s, r->column.name, type, NULL));
        }
    }
    if (!known)
        return SL_E_USAGE;
    if (sl_schema_find(s, "tokens") >= 0)
        SL_TRY(sl_schema_set_meta(s, "tokenizer", sl_str_of(tokenizer), NULL));
    return sl_schema_set_meta(s, "kind", sl_str_of(kind), NULL);
}

static struct sl_hash128 id_of(uint64_t row)
{
    return sl_hash128(&row, sizeof row);
}

/* A page or a text of words; its length goes up and down with the row. */
static enum sl_status make_text(struct made *m, const char *name, uint64_t row)
{
    static const char *const words[] = { "water", "stone", "\xc3\xa9toile", "river",
                                         "and",   "the",   "\xe6\xb0\xb4",  "mill" };
    struct sl_buf *b = &m->scratch;
    bool html = strcmp(name, "html") == 0;
    size_t want = m->text_bytes * (row % 7 + 1) / 7;
    sl_buf_reset(b);
    if (html)
        SL_TRY(sl_buf_addf(b, NULL, "<html><title>Page %llu</title><body><p>",
                           (unsigned long long)row));
    for (uint64_t i = row; b->n < want; i = i * 6364136223846793005u + 1442695040888963407u)
        SL_TRY(sl_buf_addf(b, NULL, "%s%s", words[i >> 61], i & 1 ? " " : ", "));
    return html ? sl_buf_add_str(b, SL_STR("</p></body></html>"), NULL) : SL_OK;
}

static enum sl_status add_list(struct sl_colbuf *c, const char *name, uint64_t row)
{
    size_t n = c->field->type == SL_T_FIXED_LIST ? (size_t)c->field->size : row % 9;
    uint16_t tokens[LENGTH];
    uint8_t mask[LENGTH];
    uint32_t zero_and_piece[2] = { 0, PIECE }, zeros[2] = { 0, 0 };
    struct sl_hash128 ids[2] = { id_of(row * 2), id_of(row * 2 + 1) };
    for (size_t i = 0; i < LENGTH; i++) {
        tokens[i] = (uint16_t)((row * 31 + i * 7) % 256);
        mask[i] = 1;
    }
    if (strcmp(name, "doc_ids") == 0)
        return sl_colbuf_add_items(c, ids, 2, NULL);
    if (strcmp(name, "doc_starts") == 0)
        return sl_colbuf_add_items(c, zeros, 2, NULL);
    if (strcmp(name, "doc_offsets") == 0)
        return sl_colbuf_add_items(c, zero_and_piece, 2, NULL);
    if (strcmp(name, "loss_mask") == 0)
        return sl_colbuf_add_items(c, mask, n, NULL);
    return sl_colbuf_add_items(c, tokens, n, NULL);
}

static enum sl_status add_value(struct made *m, struct sl_colbuf *c, uint64_t row)
{
    const struct sl_field *f = c->field;
    char word[64];
    if (f->nullable && row % 5 == 3)
        return sl_colbuf_add_null(c, NULL);
    if (f->type == SL_T_FIXED_BINARY) {
        struct sl_hash128 id = id_of(row);
        return sl_colbuf_add_str(c, (struct sl_str){ (const char *)id.b, 16 }, NULL);
    }
    if (f->type == SL_T_LARGE_UTF8 || f->type == SL_T_LARGE_BINARY) {
        SL_TRY(make_text(m, f->name, row));
        return sl_colbuf_add_str(c, sl_buf_str(&m->scratch), NULL);
    }
    if (strcmp(f->name, "content_type") == 0)
        return sl_colbuf_add_str(c, SL_STR("text/html"), NULL);
    if (strcmp(f->name, "charset") == 0)
        return sl_colbuf_add_str(c, SL_STR("utf-8"), NULL);
    if (strcmp(f->name, "source") == 0)
        return sl_colbuf_add_str(c, row % 2 ? SL_STR("a.warc") : SL_STR("b.warc"), NULL);
    if (sl_type_is_bytes(f->type)) {
        int n = snprintf(word, sizeof word, "%.40s %llu", f->name, (unsigned long long)row);
        return sl_colbuf_add_str(c, (struct sl_str){ word, (size_t)n }, NULL);
    }
    if (f->n_children)
        return add_list(c, f->name, row);
    if (f->type == SL_T_FLOAT32 || f->type == SL_T_FLOAT64)
        return sl_colbuf_add_real(c, 1.0 + (double)(row % 4), NULL);
    if (f->type == SL_T_BOOL)
        return sl_colbuf_add_bool(c, row % 2, NULL);
    return sl_colbuf_add_int(c, (int64_t)(row % 100), NULL);
}

static enum sl_status make_batch(struct made *m, uint64_t first, uint64_t n)
{
    sl_rows_reset(&m->rows);
    for (uint64_t row = first; row < first + n; row++) {
        for (uint32_t c = 0; c < m->schema.n_fields; c++)
            SL_TRY(add_value(m, &m->rows.cols[c], row));
        SL_TRY(sl_rows_close_row(&m->rows, NULL));
    }
    return sl_rows_lend(&m->rows, &m->batch, NULL);
}

static struct sl_json *stage(const struct made *m, bool with_tally)
{
    static const char *const reasons[] = { "made_up", NULL };
    bool rejects = strcmp(m->schema.kind, "rejects") == 0;
    struct sl_tally_names names = { rejects ? reasons : NULL, NULL, NULL };
    struct sl_json *o = sl_json_new_object();
    enum sl_status st = SL_OK;
    st |= sl_json_set(o, "tool", sl_json_new_str(SL_STR("contract_streams")), NULL);
    st |= sl_json_set(o, "version", sl_json_new_str(SL_STR("1")), NULL);
    st |= sl_json_set(o, "options", sl_json_new_object(), NULL);
    if (rejects)
        st |= sl_json_set(o, "port", sl_json_new_str(SL_STR("rejects")), NULL);
    if (with_tally)
        st |= sl_json_set(o, "tally", sl_tally_json(&m->tally, &names), NULL);
    struct sl_json *all = sl_json_new_array();
    st |= sl_json_push(all, o, NULL);
    return st == SL_OK ? all : NULL;
}

static enum sl_status lineage(const struct made *m, bool with_tally, struct sl_buf *out)
{
    struct sl_json *j = stage(m, with_tally);
    sl_buf_reset(out);
    enum sl_status st = j ? sl_json_dump(j, out, NULL) : SL_E_SYSTEM;
    sl_json_free(j);
    return st;
}

static enum sl_status write_batches(struct made *m, struct sl_writer *w, uint64_t n_batches,
                                    uint64_t n_rows, bool same)
{
    for (uint64_t i = 0; i < n_batches; i++) {
        if (!same || i == 0)
            SL_TRY(make_batch(m, i * n_rows, n_rows));
        SL_TRY(sl_writer_add(w, &m->batch, NULL));
        sl_port_add(&m->tally.in, sl_batch_column(&m->batch, "id"), m->batch.n_rows);
    }
    if (strcmp(m->schema.kind, "rejects") == 0) {
        m->tally.rejected = m->tally.in;
        m->tally.reasons[0] = m->tally.in.rows;
    } else {
        m->tally.out = m->tally.in;
    }
    return SL_OK;
}

static enum sl_status write_stream(struct made *m, uint64_t n_batches, uint64_t n_rows, bool same)
{
    struct sl_write_options options = { 0 };
    struct sl_sink *to = NULL;
    struct sl_writer *w = NULL;
    SL_TRY(lineage(m, false, &m->scratch));
    SL_TRY(sl_schema_set_meta(&m->schema, "lineage", sl_buf_str(&m->scratch), NULL));
    SL_TRY(sl_rows_init(&m->rows, &m->schema, NULL));
    sl_batch_init(&m->batch);
    SL_TRY(sl_sink_open(&to, "-", false, NULL));
    SL_TRY(sl_writer_open(&w, to, &m->schema, &options, NULL));
    SL_TRY(write_batches(m, w, n_batches, n_rows, same));
    SL_TRY(lineage(m, true, &m->scratch));
    SL_TRY(sl_writer_end(w, sl_buf_str(&m->scratch), NULL, NULL));
    SL_TRY(sl_sink_commit(to, NULL));
    sl_writer_free(w);
    sl_sink_free(to);
    sl_rows_release(&m->rows);
    sl_batch_release(&m->batch);
    return SL_OK;
}

static int list_kinds(void)
{
    for (int i = 0; i < sl_n_kind_rows; i++)
        if (sl_kind_rows[i].kind)
            puts(sl_kind_rows[i].kind);
    return 0;
}

int main(int argc, char **argv)
{
    struct made m = { 0 };
    if (argc == 2 && strcmp(argv[1], "--kinds") == 0)
        return list_kinds();
    if (argc < 5 || make_schema(&m.schema, argv[1], argc > 5 ? argv[5] : "") != SL_OK)
        return 2;
    m.text_bytes = strtoull(argv[4], NULL, 10);
    sl_buf_init(&m.scratch, 1 << 30);
    bool same = argc > 6 && strcmp(argv[6], "same") == 0;
    enum sl_status st =
        write_stream(&m, strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10), same);
    sl_buf_release(&m.scratch);
    sl_schema_release(&m.schema);
    return st == SL_OK ? 0 : 3;
}
