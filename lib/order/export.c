/* SPDX-License-Identifier: Apache-2.0 */
/* What all forms have in common when they are written: rows are taken from
 * batches, brought to the width of the files, cut into files, hashed, and handed
 * to the form in pieces of about a MiB.
 *
 * Two digests are kept. That of the column "tokens" is the one that the shards of
 * the same rows have in their manifest, so that an export can be compared with
 * them; that of the stored tokens can be recomputed from any form, also from one
 * that forgets where documents end.
 *
 * Ids are never cut: a token that the files' type cannot hold is an error, since
 * a silent wrap shows only in what the model learns. */
#include "order/export.h"

#include <stdlib.h>
#include <string.h>

#include "arrow/digest.h"
#include "base/num.h"
#include "order/export_form.h"
#include "order/folder_begin.h"

enum { PIECE_BYTES = 1 << 20 };

#define BUF_MAX_BYTES ((size_t)1 << 33)

struct sl_export {
    struct sl_export_writer w;
    struct sl_schema schema; /* the column "tokens" alone */
    bool has_schema;
    struct sl_digest *digest;
    struct sl_hasher *stored;
    int tokens, mask;           /* columns of the input; mask -1: none */
    struct sl_buf piece;        /* tokens that wait for the form */
    struct sl_buf lengths;      /* uint32 a row of the piece */
    int64_t in_file, file_size; /* rows and bytes of the open file */
};

/* ---- beginning ---- */

static bool is_made(const char *name, const void *form)
{
    const struct sl_export_form *f = form;
    return sl_export_number(f, name) >= 0 || (f->index && strcmp(name, f->index) == 0);
}

static bool is_token_list(const struct sl_field *f, enum sl_type list)
{
    return f->type == list && !f->nullable && !f->children[0].nullable &&
           (f->children[0].type == SL_T_UINT16 || f->children[0].type == SL_T_UINT32);
}

static enum sl_status take_column(struct sl_export *x, const struct sl_schema *s,
                                  struct sl_err *err)
{
    struct sl_export_manifest *m = &x->w.manifest;
    m->documents = s->kind && strcmp(s->kind, "tokens") == 0;
    x->tokens = sl_schema_find(s, "tokens");
    x->mask = m->documents ? -1 : sl_schema_find(s, "loss_mask");
    if (x->tokens < 0)
        return sl_err_set(err, SL_E_DATA, "no column 'tokens' in the input");
    const struct sl_field *f = s->fields[x->tokens];
    if (!is_token_list(f, m->documents ? SL_T_LIST : SL_T_FIXED_LIST))
        return sl_err_set(err, SL_E_DATA, "'tokens' is no list%s of uint16 or uint32 without nulls",
                          m->documents ? "" : " of a fixed length");
    const struct sl_field *mask = x->mask < 0 ? NULL : s->fields[x->mask];
    if (!m->documents && (!mask || mask->type != SL_T_FIXED_LIST || mask->size != f->size ||
                          mask->children[0].type != SL_T_UINT8))
        return sl_err_set(err, SL_E_DATA, "no 'loss_mask' of uint8 beside the tokens");
    m->length = m->documents ? 0 : f->size;
    m->wide = f->children[0].type == SL_T_UINT32;
    x->has_schema = true;
    sl_schema_init(&x->schema);
    SL_TRY(sl_schema_add(&x->schema, f, err));
    x->digest = sl_digest_new(&x->schema);
    return x->digest ? SL_OK : sl_err_nomem(err, 0);
}

static enum sl_status take_names(struct sl_export *x, const struct sl_schema *s, struct sl_err *err)
{
    struct sl_export_manifest *m = &x->w.manifest;
    struct sl_buf type;
    sl_buf_init(&type, SL_MAX_META_BYTES);
    enum sl_status st = sl_type_format(s->fields[x->tokens], &type, err);
    if (st == SL_OK)
        m->column_type = sl_arena_str(&m->arena, sl_buf_str(&type));
    sl_buf_release(&type);
    SL_TRY(st);
    const char **lost = sl_arena_zeros(&m->arena, s->n_fields + 1U, sizeof *lost);
    if (!m->column_type || !lost)
        return sl_err_nomem(err, s->n_fields);
    for (uint32_t i = 0; i < s->n_fields; i++) {
        if ((int)i == x->tokens)
            continue;
        lost[m->n_lost] = sl_arena_str(&m->arena, sl_str_of(s->fields[i]->name));
        if (!lost[m->n_lost++])
            return sl_err_nomem(err, 0);
    }
    m->lost = lost;
    if (s->tokenizer && !(m->tokenizer = sl_arena_str(&m->arena, sl_str_of(s->tokenizer))))
        return sl_err_nomem(err, 0);
    return SL_OK;
}

static enum sl_status begin(struct sl_export *x, const struct sl_export_options *o,
                            struct sl_err *err)
{
    struct sl_export_manifest *m = &x->w.manifest;
    m->form = sl_export_form_find(sl_str_of(o->form));
    m->per_file = o->per_file;
    if (!m->form || o->per_file < 1)
        return sl_err_set(err, SL_E_BUG, "no such form, or files without rows");
    SL_TRY(take_column(x, o->schema, err));
    SL_TRY(take_names(x, o->schema, err));
    m->dtype = m->form->dtype(m->wide, o->n_ids);
    m->eos = m->documents ? o->eos : -1;
    if (m->documents && o->eos < 0)
        return sl_err_set(err, SL_E_DATA,
                          "the tokenizer has no end-of-document id, without which documents "
                          "would run into one another");
    x->stored = sl_hasher_new();
    if (!x->stored)
        return sl_err_nomem(err, 0);
    sl_hasher_reset128(x->stored);
    if (m->documents && m->form->spools_lengths)
        SL_TRY(sl_temp_new(&x->w.lengths, o->tmpdir, err));
    struct sl_folder_start start = { .begun = o->begun,
                                     .force = o->force,
                                     .what = "files of an export",
                                     .is_made = is_made,
                                     .ctx = m->form };
    SL_TRY(sl_folder_open(&x->w.folder, o->dir, true, err));
    return sl_folder_begin(&x->w.folder, &start, err);
}

enum sl_status sl_export_new(struct sl_export **out, const struct sl_export_options *options,
                             struct sl_err *err)
{
    struct sl_export *x = *out = calloc(1, sizeof *x);
    if (!x)
        return sl_err_nomem(err, sizeof *x);
    x->w.folder.fd = -1;
    sl_export_manifest_init(&x->w.manifest);
    sl_buf_init(&x->w.samples, BUF_MAX_BYTES);
    sl_buf_init(&x->w.offsets, BUF_MAX_BYTES);
    sl_buf_init(&x->w.text, BUF_MAX_BYTES);
    sl_buf_init(&x->piece, BUF_MAX_BYTES);
    sl_buf_init(&x->lengths, BUF_MAX_BYTES);
    enum sl_status st = begin(x, options, err);
    if (st != SL_OK) {
        sl_export_free(x);
        *out = NULL;
    }
    return st;
}

void sl_export_free(struct sl_export *x)
{
    if (!x)
        return;
    sl_keep_free(x->w.keep);
    sl_temp_free(x->w.lengths);
    sl_buf_release(&x->w.samples);
    sl_buf_release(&x->w.offsets);
    sl_buf_release(&x->w.text);
    sl_buf_release(&x->piece);
    sl_buf_release(&x->lengths);
    sl_digest_free(x->digest);
    if (x->stored)
        sl_hasher_free(x->stored);
    if (x->has_schema)
        sl_schema_release(&x->schema);
    sl_export_manifest_release(&x->w.manifest);
    sl_folder_release(&x->w.folder);
    free(x);
}

/* ---- rows ---- */

/* What waits goes to the form. */
static enum sl_status flush(struct sl_export *x, struct sl_err *err)
{
    struct sl_export_rows r = { .tokens = x->piece.p,
                                .tokens_bytes = x->piece.n,
                                .lengths = (const uint32_t *)(const void *)x->lengths.p,
                                .n_rows = x->lengths.n / sizeof(uint32_t) };
    if (!r.n_rows)
        return SL_OK;
    sl_hasher_add128(x->stored, r.tokens, r.tokens_bytes);
    if (x->w.lengths)
        SL_TRY(sl_temp_append(x->w.lengths, x->lengths.p, x->lengths.n, err));
    SL_TRY(x->w.manifest.form->add(&x->w, &r, err));
    sl_buf_reset(&x->piece);
    sl_buf_reset(&x->lengths);
    return SL_OK;
}

static enum sl_status close_file(struct sl_export *x, struct sl_err *err)
{
    SL_TRY(flush(x, err));
    SL_TRY(x->w.manifest.form->close(&x->w, err));
    x->in_file = x->file_size = 0;
    return SL_OK;
}

/* A row of that many tokens has room in the open file, which may be a new one. */
static enum sl_status make_room(struct sl_export *x, int64_t n_tokens, struct sl_err *err)
{
    struct sl_export_manifest *m = &x->w.manifest;
    const struct sl_export_form *f = m->form;
    int64_t bytes = f->row_bytes(m, n_tokens);
    if (m->rows == f->max_rows)
        return sl_err_set(err, SL_E_DATA, "more than %lld rows, which is all that %s can number",
                          (long long)f->max_rows, f->name);
    bool full =
        !f->one_file && (x->in_file == m->per_file || x->file_size + bytes > f->max_file_bytes);
    if (x->in_file && full)
        SL_TRY(close_file(x, err));
    if (!x->in_file) {
        struct sl_export_file file = { 0 };
        SL_TRY(sl_buf_add(&m->files, &file, sizeof file, err));
        SL_TRY(f->open(&x->w, err));
    }
    x->in_file++;
    x->file_size += bytes;
    return SL_OK;
}

static enum sl_status too_large(const struct sl_export *x, uint32_t id, struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "token %lu does not fit into the %s of the export",
                      (unsigned long)id, sl_export_dtype_name(x->w.manifest.dtype));
}

/* n ids at p, in the column's width, to the piece in the files' type. */
static enum sl_status add_ids(struct sl_export *x, const uint8_t *p, size_t n, struct sl_err *err)
{
    const struct sl_export_manifest *m = &x->w.manifest;
    unsigned width = sl_export_width(m->dtype), from = m->wide ? 4 : 2;
    uint8_t *to = x->piece.p + x->piece.n;
    if (n && width == from)
        memcpy(to, p, n * width);
    else if (width > from)
        for (size_t i = 0; i < n; i++)
            sl_store32(to + 4 * i, sl_load16(p + 2 * i));
    for (size_t i = 0; width < from && i < n; i++) {
        uint32_t id = sl_load32(p + 4 * i);
        if (id > UINT16_MAX)
            return too_large(x, id, err);
        sl_store16(to + 2 * i, (uint16_t)id);
    }
    for (size_t i = 0; m->dtype == SL_EXPORT_I32 && m->wide && i < n; i++)
        if (sl_load32(p + 4 * i) > INT32_MAX)
            return too_large(x, sl_load32(p + 4 * i), err);
    x->piece.n += n * width;
    return SL_OK;
}

static enum sl_status add_eos(struct sl_export *x, struct sl_err *err)
{
    uint8_t id[4];
    const struct sl_export_manifest *m = &x->w.manifest;
    if (m->wide)
        sl_store32(id, (uint32_t)m->eos);
    else
        sl_store16(id, (uint16_t)m->eos);
    return m->wide || m->eos <= UINT16_MAX ? add_ids(x, id, 1, err)
                                           : too_large(x, (uint32_t)m->eos, err);
}

static enum sl_status add_row(struct sl_export *x, const uint8_t *p, int64_t n, struct sl_err *err)
{
    struct sl_export_manifest *m = &x->w.manifest;
    int64_t stored = n + m->documents;
    if (n < 1 || stored > INT32_MAX)
        return sl_err_set(err, n < 1 ? SL_E_BUG : SL_E_DATA,
                          "a document of %lld tokens cannot be exported", (long long)n);
    SL_TRY(make_room(x, stored, err));
    uint32_t length = (uint32_t)stored;
    SL_TRY(sl_buf_reserve(&x->piece, (size_t)stored * 4, err));
    SL_TRY(add_ids(x, p, (size_t)n, err));
    if (m->documents)
        SL_TRY(add_eos(x, err));
    SL_TRY(sl_buf_add(&x->lengths, &length, sizeof length, err));
    struct sl_export_file *file = sl_export_open_file(&x->w);
    file->rows++;
    file->tokens += stored;
    m->rows++;
    m->tokens += stored;
    return x->piece.n >= PIECE_BYTES ? flush(x, err) : SL_OK;
}

/* Rows [from, from + n) of a list column as a column. */
static void add_digest(struct sl_export *x, const struct sl_column *c, int64_t from, int64_t n)
{
    int64_t width = x->w.manifest.wide ? 4 : 2;
    bool fixed = c->field->type == SL_T_FIXED_LIST;
    int64_t first = fixed ? from * c->field->size : sl_column_start(c, from);
    int64_t last = fixed ? (from + n) * c->field->size : sl_column_start(c, from + n);
    struct sl_column items = c->children[0], part = *c;
    items.n = last - first;
    items.data += first * width;
    items.data_bytes = items.n * width;
    part.n = n;
    if (!fixed)
        part.offsets = (const int32_t *)c->offsets + from;
    part.children = &items;
    sl_digest_add(x->digest, 0, &part);
}

static int64_t count_targets(const struct sl_column *mask, int64_t from, int64_t n)
{
    const uint8_t *at = mask->children[0].data + from * mask->field->size;
    int64_t targets = 0;
    for (int64_t i = 0; i < n * mask->field->size; i++)
        targets += at[i] == 1;
    return targets;
}

enum sl_status sl_export_add(struct sl_export *x, const struct sl_batch *b, int64_t from, int64_t n,
                             struct sl_err *err)
{
    struct sl_export_manifest *m = &x->w.manifest;
    const struct sl_column *c = &b->columns[x->tokens];
    const uint8_t *values = c->children[0].data;
    int64_t width = m->wide ? 4 : 2, before = m->tokens;
    if (n < 1)
        return SL_OK;
    for (int64_t row = from; row < from + n; row++) {
        int64_t at = m->documents ? sl_column_start(c, row) : row * m->length;
        int64_t end = m->documents ? sl_column_start(c, row + 1) : at + m->length;
        SL_TRY(add_row(x, values + at * width, end - at, err));
    }
    add_digest(x, c, from, n);
    m->targets += m->documents ? m->tokens - before : count_targets(&b->columns[x->mask], from, n);
    return SL_OK;
}

/* ---- the end ---- */

static enum sl_status remove_higher(struct sl_export *x, struct sl_arena *arena, struct sl_err *err)
{
    struct sl_export_manifest *m = &x->w.manifest;
    const char *const *names;
    size_t n;
    SL_TRY(sl_folder_list(&x->w.folder, arena, &names, &n, err));
    for (size_t i = 0; i < n; i++)
        if (sl_export_number(m->form, names[i]) >= sl_export_n_files(m))
            SL_TRY(sl_folder_remove(&x->w.folder, names[i], err));
    return SL_OK;
}

enum sl_status sl_export_end(struct sl_export *x, struct sl_err *err)
{
    struct sl_export_manifest *m = &x->w.manifest;
    struct sl_arena names;
    if (!m->rows)
        return sl_err_set(err, SL_E_DATA, "no rows: there is no %s without tokens", m->form->name);
    SL_TRY(close_file(x, err));
    if (m->form->end)
        SL_TRY(m->form->end(&x->w, err));
    m->column = sl_digest_column(x->digest, 0);
    m->stored = sl_hasher_end128(x->stored);
    sl_arena_init(&names, 0);
    enum sl_status st = remove_higher(x, &names, err);
    sl_arena_release(&names);
    return st;
}

static enum sl_status write_manifest(const void *manifest, struct sl_sink *to, struct sl_err *err)
{
    return sl_export_manifest_write(manifest, to, err);
}

enum sl_status sl_export_commit(struct sl_export *x, struct sl_str lineage, struct sl_err *err)
{
    struct sl_export_manifest *m = &x->w.manifest;
    m->lineage = sl_arena_str(&m->arena, lineage);
    if (!m->lineage)
        return sl_err_nomem(err, lineage.n);
    return sl_folder_finish(&x->w.folder, write_manifest, m, err);
}

struct sl_export_counts sl_export_counts(const struct sl_export *x)
{
    const struct sl_export_manifest *m = &x->w.manifest;
    return (struct sl_export_counts){ .rows = m->rows,
                                      .files = sl_export_n_files(m),
                                      .tokens = m->tokens,
                                      .targets = m->targets,
                                      .specials = m->documents ? m->rows : 0,
                                      .n_kept = x->w.n_kept };
}
