/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest of an export, written and read. Files are some hundred bytes each
 * and few, so that a JSON tree is good enough, where shards have a million batches
 * and need better.
 *
 * What is read is believed in nothing that can be derived: the names of files, the
 * type of the column and the sums are compared with what follows from the rest. */
#include "order/export_manifest.h"

#include <stdio.h>
#include <string.h>

#include "arrow/digest.h"
#include "base/json.h"
#include "order/export_form.h"

#define FORMAT "sluice-export"

/* So many tokens that their bytes and sums stay far from 2^63. */
#define TOKENS_MAX ((int64_t)1 << 56)

enum { VERSION = 1, TEXT_MAX_BYTES = 1 << 30, LENGTH_MAX = 1 << 24, TYPE_BYTES = 64 };

void sl_export_manifest_init(struct sl_export_manifest *m)
{
    *m = (struct sl_export_manifest){ .eos = -1 };
    sl_arena_init(&m->arena, 0);
    sl_buf_init(&m->files, (size_t)1 << 36);
}

void sl_export_manifest_release(struct sl_export_manifest *m)
{
    sl_buf_release(&m->files);
    sl_arena_release(&m->arena);
    *m = (struct sl_export_manifest){ 0 };
}

struct sl_export_file *sl_export_file(const struct sl_export_manifest *m, int64_t k)
{
    return (struct sl_export_file *)(void *)m->files.p + k;
}

int64_t sl_export_n_files(const struct sl_export_manifest *m)
{
    return (int64_t)(m->files.n / sizeof(struct sl_export_file));
}

static void column_type(const struct sl_export_manifest *m, char out[TYPE_BYTES])
{
    const char *item = m->wide ? "uint32" : "uint16";
    if (m->documents)
        snprintf(out, TYPE_BYTES, "list<%s>", item);
    else
        snprintf(out, TYPE_BYTES, "fixed_size_list<%s>[%lld]", item, (long long)m->length);
}

/* ---- writing ---- */

/* Setters that remember the first failure. */
struct object {
    struct sl_json *o;
    enum sl_status st;
    struct sl_err *err;
};

static void put(struct object *k, const char *key, struct sl_json *value)
{
    enum sl_status st = sl_json_set(k->o, key, value, k->err);
    k->st = k->st == SL_OK ? st : k->st;
}

static void put_json(struct object *k, const char *key, const char *text)
{
    struct sl_json *v = NULL;
    enum sl_status st = sl_json_parse(&v, text ? sl_str_of(text) : SL_STR("null"), k->err);
    if (st == SL_OK)
        put(k, key, v);
    k->st = k->st == SL_OK ? st : k->st;
}

static void put_int(struct object *k, const char *key, int64_t v)
{
    put(k, key, sl_json_new_int(v));
}

static void put_int_or_null(struct object *k, const char *key, bool has, int64_t v)
{
    if (has)
        put_int(k, key, v);
    else
        put_json(k, key, NULL);
}

static void put_str(struct object *k, const char *key, const char *v)
{
    put(k, key, sl_json_new_str(sl_str_of(v)));
}

static struct sl_json *hex_json(struct sl_hash128 h)
{
    char hex[SL_HASH128_DIGITS];
    sl_hash128_hex(h, hex);
    return sl_json_new_str((struct sl_str){ hex, sizeof hex });
}

static void push(struct object *k, struct sl_json *array, struct sl_json *value)
{
    enum sl_status st = sl_json_push(array, value, k->err);
    k->st = k->st == SL_OK ? st : k->st;
}

static void put_columns(struct object *k, const struct sl_export_manifest *m)
{
    struct sl_json *all = sl_json_new_array(), *pair = sl_json_new_array();
    push(k, pair, sl_json_new_str(SL_STR("tokens")));
    push(k, pair, hex_json(m->column));
    push(k, all, pair);
    put(k, "digest", hex_json(sl_digest_stream(&m->column, 1)));
    put(k, "columns", all);
    put_str(k, "column_type", m->column_type);
    struct sl_json *lost = sl_json_new_array();
    for (uint32_t i = 0; i < m->n_lost; i++)
        push(k, lost, sl_json_new_str(sl_str_of(m->lost[i])));
    put(k, "order_kept", sl_json_new_bool(sl_export_order_kept(m)));
    put_str(k, "order", sl_export_order(m));
    put(k, "lost", lost);
}

static void put_files(struct object *k, const struct sl_export_manifest *m)
{
    struct sl_json *files = sl_json_new_array();
    for (int64_t i = 0; i < sl_export_n_files(m); i++) {
        char name[SL_EXPORT_NAME_BYTES];
        const struct sl_export_file *f = sl_export_file(m, i);
        struct object file = { sl_json_new_object(), SL_OK, k->err };
        sl_export_name(m->form, i, name);
        put_str(&file, "file", name);
        put_int(&file, "rows", f->rows);
        put_int(&file, "tokens", f->tokens);
        put_int(&file, "bytes", f->bytes);
        push(k, files, file.o);
        k->st = k->st == SL_OK ? file.st : k->st;
    }
    put(k, "files", files);
}

static void put_export(struct object *k, const struct sl_export_manifest *m)
{
    struct object e = { sl_json_new_object(), SL_OK, k->err };
    put_str(&e, "form", m->form->name);
    put_str(&e, "dtype", sl_export_dtype_name(m->dtype));
    put_int_or_null(&e, "eos", m->documents, m->eos);
    put_int_or_null(&e, "rows_per_file", !m->form->one_file, m->per_file);
    put(&e, "tokens_xxh3", hex_json(m->stored));
    if (m->form->index)
        put_str(&e, "index", m->form->index);
    else
        put_json(&e, "index", NULL);
    put_files(&e, m);
    put(k, "export", e.o);
    k->st = k->st == SL_OK ? e.st : k->st;
}

static void put_all(struct object *k, const struct sl_export_manifest *m)
{
    put_str(k, "format", FORMAT);
    put_int(k, "version", VERSION);
    put_str(k, "kind", m->documents ? "tokens" : "sequences");
    put_int(k, "rows", m->rows);
    put_int_or_null(k, "length", !m->documents, m->length);
    put_int(k, "tokens", m->tokens);
    put_int(k, "targets", m->targets);
    put_json(k, "tokenizer", m->tokenizer);
    put_columns(k, m);
    put_export(k, m);
    put_json(k, "lineage", m->lineage ? m->lineage : "[]");
}

enum sl_status sl_export_manifest_write(const struct sl_export_manifest *m, struct sl_sink *to,
                                        struct sl_err *err)
{
    struct object k = { sl_json_new_object(), SL_OK, err };
    struct sl_buf text;
    sl_buf_init(&text, TEXT_MAX_BYTES);
    put_all(&k, m);
    if (k.st == SL_OK)
        k.st = sl_json_dump_pretty(k.o, &text, err);
    if (k.st == SL_OK)
        k.st = sl_buf_add_byte(&text, '\n', err);
    if (k.st == SL_OK)
        k.st = sl_sink_write(to, text.p, text.n, err);
    sl_buf_release(&text);
    sl_json_free(k.o);
    return k.st;
}

/* ---- reading ---- */

static enum sl_status bad(struct sl_err *err, const char *key, const char *what)
{
    return sl_err_set(err, SL_E_DATA, "'%s' %s", key, what);
}

static enum sl_status get_int(const struct sl_json *o, const char *key, int64_t min, int64_t max,
                              int64_t *out, struct sl_err *err)
{
    const struct sl_json *v = sl_json_get(o, key);
    if (sl_json_type(v) != SL_JSON_INT)
        return bad(err, key, v ? "is no integer" : "is missing");
    *out = sl_json_int(v);
    return *out >= min && *out <= max ? SL_OK : bad(err, key, "is out of range");
}

static enum sl_status get_hash(const struct sl_json *v, const char *key, struct sl_hash128 *out,
                               struct sl_err *err)
{
    return sl_hash128_parse(sl_json_str(v), out) ? SL_OK : bad(err, key, "is no digest");
}

static bool is_str(const struct sl_json *o, const char *key, const char *value)
{
    return sl_str_eq(sl_json_str(sl_json_get(o, key)), sl_str_of(value));
}

static enum sl_status get_text(struct sl_export_manifest *m, const struct sl_json *v,
                               const char **out, struct sl_err *err)
{
    struct sl_buf text;
    sl_buf_init(&text, TEXT_MAX_BYTES);
    enum sl_status st = sl_json_dump(v, &text, err);
    if (st == SL_OK) {
        *out = sl_arena_str(&m->arena, sl_buf_str(&text));
        st = *out ? SL_OK : sl_err_nomem(err, text.n);
    }
    sl_buf_release(&text);
    return st;
}

static enum sl_status parse_head(struct sl_export_manifest *m, const struct sl_json *root,
                                 struct sl_err *err)
{
    int64_t version;
    if (!is_str(root, "format", FORMAT))
        return bad(err, "format", "is not \"" FORMAT "\"");
    SL_TRY(get_int(root, "version", 1, INT64_MAX, &version, err));
    if (version != VERSION)
        return sl_err_set(err, SL_E_DATA, "version %lld of the format, where 1 is known",
                          (long long)version);
    m->documents = is_str(root, "kind", "tokens");
    if (!m->documents && !is_str(root, "kind", "sequences"))
        return bad(err, "kind", "is neither \"sequences\" nor \"tokens\"");
    SL_TRY(get_int(root, "rows", 1, TOKENS_MAX, &m->rows, err));
    if (!m->documents)
        SL_TRY(get_int(root, "length", 1, LENGTH_MAX, &m->length, err));
    SL_TRY(get_int(root, "tokens", 1, TOKENS_MAX, &m->tokens, err));
    SL_TRY(get_int(root, "targets", 0, m->tokens, &m->targets, err));
    if (!m->documents && (m->tokens % m->length || m->tokens / m->length != m->rows))
        return bad(err, "tokens", "is not rows times length");
    return SL_OK;
}

static enum sl_status parse_column(struct sl_export_manifest *m, const struct sl_json *root,
                                   struct sl_err *err)
{
    char type[TYPE_BYTES];
    struct sl_hash128 digest;
    const struct sl_json *pair = sl_json_at(sl_json_get(root, "columns"), 0);
    for (int wide = 0; wide < 2 && !m->column_type; wide++) {
        m->wide = wide;
        column_type(m, type);
        if (is_str(root, "column_type", type) &&
            !(m->column_type = sl_arena_str(&m->arena, sl_str_of(type))))
            return sl_err_nomem(err, sizeof type);
    }
    if (!m->column_type)
        return bad(err, "column_type", "is not that of such tokens");
    if (sl_json_count(sl_json_get(root, "columns")) != 1 ||
        !sl_str_eq(sl_json_str(sl_json_at(pair, 0)), SL_STR("tokens")))
        return bad(err, "columns", "is not \"tokens\" alone");
    SL_TRY(get_hash(sl_json_at(pair, 1), "columns", &m->column, err));
    SL_TRY(get_hash(sl_json_get(root, "digest"), "digest", &digest, err));
    struct sl_hash128 due = sl_digest_stream(&m->column, 1);
    return memcmp(digest.b, due.b, sizeof due.b) == 0 ? SL_OK
                                                      : bad(err, "digest", "is not the columns'");
}

static enum sl_status parse_dtype(struct sl_export_manifest *m, const struct sl_json *e,
                                  struct sl_err *err)
{
    for (int t = SL_EXPORT_U16; t <= SL_EXPORT_I32; t++) {
        m->dtype = (enum sl_export_dtype)t;
        if (is_str(e, "dtype", sl_export_dtype_name(m->dtype)))
            break;
        if (t == SL_EXPORT_I32)
            return bad(err, "dtype", "is none that is known");
    }
    /* Of the two types of a form one holds only what the other does, too. */
    bool fits = m->dtype == m->form->dtype(m->wide, 0) || m->dtype == m->form->dtype(m->wide, 1);
    return fits ? SL_OK : bad(err, "dtype", "is not one of the form");
}

static enum sl_status parse_file(struct sl_export_manifest *m, const struct sl_json *v, int64_t k,
                                 struct sl_err *err)
{
    char name[SL_EXPORT_NAME_BYTES];
    struct sl_export_file f = { 0 };
    sl_export_name(m->form, k, name);
    if (!is_str(v, "file", name))
        return sl_err_set(err, SL_E_DATA, "file %lld is not called '%s'", (long long)k, name);
    SL_TRY(get_int(v, "rows", 1, m->rows, &f.rows, err));
    SL_TRY(get_int(v, "tokens", 1, m->tokens, &f.tokens, err));
    SL_TRY(get_int(v, "bytes", 1, INT64_MAX, &f.bytes, err));
    if (!m->documents && (f.tokens % m->length || f.tokens / m->length != f.rows))
        return bad(err, "tokens", "of a file is not rows times length");
    if (!m->form->one_file && f.rows > m->per_file)
        return bad(err, "rows", "of a file is more than rows_per_file");
    return sl_buf_add(&m->files, &f, sizeof f, err);
}

static enum sl_status parse_files(struct sl_export_manifest *m, const struct sl_json *e,
                                  struct sl_err *err)
{
    const struct sl_json *files = sl_json_get(e, "files");
    int64_t rows = 0, tokens = 0;
    if (sl_json_type(files) != SL_JSON_ARRAY)
        return bad(err, "files", "is no array");
    if (m->form->one_file && sl_json_count(files) != 1)
        return bad(err, "files", "is not one file");
    for (size_t i = 0; i < sl_json_count(files); i++) {
        SL_TRY(parse_file(m, sl_json_at(files, i), (int64_t)i, err));
        const struct sl_export_file *f = sl_export_file(m, (int64_t)i);
        if (f->rows > m->rows - rows || f->tokens > m->tokens - tokens)
            return bad(err, "files", "have more rows or tokens than all");
        rows += f->rows;
        tokens += f->tokens;
    }
    return rows == m->rows && tokens == m->tokens
               ? SL_OK
               : bad(err, "files", "have not all rows or tokens");
}

static enum sl_status parse_export(struct sl_export_manifest *m, const struct sl_json *e,
                                   struct sl_err *err)
{
    m->form = sl_export_form_find(sl_json_str(sl_json_get(e, "form")));
    if (!m->form)
        return bad(err, "form", "is none that is known");
    if (m->rows > m->form->max_rows)
        return bad(err, "rows", "is more than the form can number");
    SL_TRY(parse_dtype(m, e, err));
    if (m->documents)
        SL_TRY(get_int(e, "eos", 0, m->dtype == SL_EXPORT_U16 ? UINT16_MAX : UINT32_MAX, &m->eos,
                       err));
    if (!m->form->one_file)
        SL_TRY(get_int(e, "rows_per_file", 1, INT64_MAX, &m->per_file, err));
    SL_TRY(get_hash(sl_json_get(e, "tokens_xxh3"), "tokens_xxh3", &m->stored, err));
    return parse_files(m, e, err);
}

static enum sl_status parse(struct sl_export_manifest *m, const struct sl_json *root,
                            struct sl_err *err)
{
    SL_TRY(parse_head(m, root, err));
    SL_TRY(parse_column(m, root, err));
    SL_TRY(parse_export(m, sl_json_get(root, "export"), err));
    const struct sl_json *tokenizer = sl_json_get(root, "tokenizer");
    if (sl_json_type(tokenizer) == SL_JSON_OBJECT)
        SL_TRY(get_text(m, tokenizer, &m->tokenizer, err));
    else if (sl_json_type(tokenizer) != SL_JSON_NULL)
        return bad(err, "tokenizer", "is neither an object nor null");
    const struct sl_json *lineage = sl_json_get(root, "lineage");
    if (sl_json_type(lineage) != SL_JSON_ARRAY)
        return bad(err, "lineage", "is no array");
    return get_text(m, lineage, &m->lineage, err);
}

enum sl_status sl_export_manifest_parse(struct sl_export_manifest *m, struct sl_str text,
                                        struct sl_err *err)
{
    struct sl_json *root;
    sl_export_manifest_init(m);
    SL_TRY(sl_json_parse(&root, text, err));
    enum sl_status st = parse(m, root, err);
    sl_json_free(root);
    return st;
}
