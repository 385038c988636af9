/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are cut into batches from the rows alone, and into shards every so many
 * rows. A batch that comes exactly as it must go is passed on from where it
 * lies; for the rest as many rows are copied at once as surely fit, and the
 * last few one by one, until the exact size is reached.
 *
 * Invariant: while any shard differs from what the manifest says, there is no
 * manifest. It is removed first and named last, with a sync of the folder
 * between it and the shards' names both times. */
#include "order/shard_writer.h"

#include <stdlib.h>

#include "arrow/digest.h"
#include "arrow/rows.h"
#include "arrow/writer.h"
#include "order/keep_sink.h"
#include "order/shard_folder.h"
#include "order/shard_layout.h"

/* Bits of bool columns are not counted exactly when a part of a batch is
 * measured: at most a byte a field. */
enum { SLACK_BYTES = SL_MAX_FIELDS };

struct sl_shard_writer {
    struct sl_folder folder;
    struct sl_schema schema;
    struct sl_rows rows; /* wait for their batch */
    bool has_schema, has_rows;
    struct sl_batch view;
    struct sl_keep *keep; /* the open shard; NULL: none */
    struct sl_writer *writer;
    int64_t in_shard; /* rows of the open shard, waiting ones included */
    int64_t n_kept;
    struct sl_digest *digest; /* over all shards */
    struct sl_manifest manifest;
    int64_t *offs; /* scratch: of a batch's buffers */
    int tokens, mask;
};

/* ---- beginning ---- */

/* What a folder holds, by what it means here. */
struct contents {
    bool manifest, begun, begun_same;
    const char *other; /* the first name that is none of a shard folder's */
    bool any;
};

static enum sl_status read_begun(struct sl_folder *f, struct sl_str begun, bool *same,
                                 struct sl_err *err)
{
    struct sl_buf old;
    sl_buf_init(&old, begun.n + 1);
    enum sl_status st = sl_folder_read(f, SL_BEGUN_NAME, &old, err);
    *same = st == SL_OK && sl_str_eq(sl_buf_str(&old), begun);
    sl_buf_release(&old);
    if (st != SL_E_DATA)
        return st;
    sl_err_reset(err); /* longer than ours: another one */
    return SL_OK;
}

static struct contents look(const char *const *names, size_t n)
{
    struct contents found = { 0 }, *c = &found;
    for (size_t i = 0; i < n; i++) {
        if (sl_folder_is_temp(names[i]))
            continue;
        c->any = true;
        if (strcmp(names[i], SL_MANIFEST_NAME) == 0)
            c->manifest = true;
        else if (strcmp(names[i], SL_BEGUN_NAME) == 0)
            c->begun = true;
        else if (sl_shard_number(names[i]) < 0 && !c->other)
            c->other = names[i];
    }
    return found;
}

/* Fresh, or the rest of the same run; everything else needs force. */
static enum sl_status check_contents(const struct sl_shard_writer *w, const struct contents *c,
                                     struct sl_err *err)
{
    const char *dir = w->folder.dir;
    if (!c->any || (c->begun_same && !c->other))
        return SL_OK;
    if (c->other)
        return sl_err_set(err, SL_E_USAGE,
                          "the folder '%s' holds '%s'; -f writes into it all the same", dir,
                          c->other);
    if (c->begun)
        return sl_err_set(err, SL_E_USAGE,
                          "the folder '%s' holds an unfinished run of other input or options "
                          "(" SL_BEGUN_NAME "); -f replaces it",
                          dir);
    if (c->manifest)
        return sl_err_set(
            err, SL_E_USAGE,
            "the folder '%s' holds finished shards (" SL_MANIFEST_NAME "); -f replaces them", dir);
    return sl_err_set(err, SL_E_USAGE,
                      "the folder '%s' holds shards of no known run; -f replaces them", dir);
}

static enum sl_status write_begun(struct sl_shard_writer *w, struct sl_str begun,
                                  struct sl_err *err)
{
    struct sl_sink *to = NULL;
    const char *path = sl_folder_path(&w->folder, SL_BEGUN_NAME);
    if (!path)
        return sl_err_nomem(err, 0);
    SL_TRY(sl_sink_open(&to, path, true, err));
    enum sl_status st = sl_sink_write(to, begun.p, begun.n, err);
    if (st == SL_OK)
        st = sl_sink_commit(to, err);
    sl_sink_free(to);
    return st;
}

/* The manifest goes before anything else changes, and for good. */
static enum sl_status clear(struct sl_shard_writer *w, const char *const *names, size_t n,
                            struct sl_err *err)
{
    SL_TRY(sl_folder_remove(&w->folder, SL_MANIFEST_NAME, err));
    SL_TRY(sl_folder_sync(&w->folder, err));
    for (size_t i = 0; i < n; i++)
        if (sl_folder_is_temp(names[i]))
            SL_TRY(sl_folder_remove(&w->folder, names[i], err));
    return SL_OK;
}

static enum sl_status begin_folder(struct sl_shard_writer *w, const struct sl_shard_options *o,
                                   struct sl_arena *arena, struct sl_err *err)
{
    const char *const *names;
    size_t n;
    struct contents c;
    SL_TRY(sl_folder_list(&w->folder, arena, &names, &n, err));
    c = look(names, n);
    if (c.begun)
        SL_TRY(read_begun(&w->folder, o->begun, &c.begun_same, err));
    if (!o->force)
        SL_TRY(check_contents(w, &c, err));
    SL_TRY(clear(w, names, n, err));
    if (!c.begun_same)
        SL_TRY(write_begun(w, o->begun, err));
    return sl_folder_sync(&w->folder, err);
}

static enum sl_status take_schema(struct sl_shard_writer *w, const struct sl_schema *schema,
                                  struct sl_err *err)
{
    SL_TRY(sl_schema_copy(&w->schema, schema, err));
    w->has_schema = true;
    SL_TRY(sl_schema_set_meta(&w->schema, "lineage", (struct sl_str){ 0 }, err));
    w->tokens = sl_schema_find(&w->schema, "tokens");
    w->mask = sl_schema_find(&w->schema, "loss_mask");
    if (w->tokens < 0 || w->mask < 0)
        return sl_err_set(err, SL_E_DATA, "no column '%s' in the sequences",
                          w->tokens < 0 ? "tokens" : "loss_mask");
    const struct sl_field *t = w->schema.fields[w->tokens], *m = w->schema.fields[w->mask];
    bool fits = t->type == SL_T_FIXED_LIST && m->type == SL_T_FIXED_LIST && t->size == m->size &&
                (t->children[0].type == SL_T_UINT16 || t->children[0].type == SL_T_UINT32) &&
                m->children[0].type == SL_T_UINT8;
    if (!fits || t->nullable || t->children[0].nullable || m->nullable || m->children[0].nullable)
        return sl_err_set(err, SL_E_DATA,
                          "'tokens' and 'loss_mask' are not lists of one fixed length of uint16 "
                          "or uint32, and of uint8, without nulls");
    w->manifest.length = t->size;
    w->manifest.dtype = t->children[0].type == SL_T_UINT16 ? "uint16" : "uint32";
    return SL_OK;
}

static enum sl_status take_names(struct sl_shard_writer *w, struct sl_err *err)
{
    struct sl_manifest *m = &w->manifest;
    SL_TRY(sl_layout_names(&w->schema, &m->arena, &m->buffers, &m->n_buffers, err));
    m->n_columns = w->schema.n_fields;
    m->columns = sl_arena_zeros(&m->arena, m->n_columns + 1U, sizeof *m->columns);
    w->offs = calloc(m->n_buffers + 1U, sizeof *w->offs);
    if (!m->columns || !w->offs)
        return sl_err_nomem(err, m->n_buffers * sizeof *w->offs);
    for (uint32_t i = 0; i < m->n_columns; i++)
        m->columns[i].name = w->schema.fields[i]->name;
    m->tokenizer = w->schema.tokenizer;
    return SL_OK;
}

static enum sl_status begin(struct sl_shard_writer *w, const struct sl_shard_options *o,
                            struct sl_err *err)
{
    struct sl_arena names;
    w->manifest.per_shard = o->per_shard;
    if (o->per_shard < 1)
        return sl_err_set(err, SL_E_BUG, "shards without sequences");
    SL_TRY(take_schema(w, o->schema, err));
    SL_TRY(take_names(w, err));
    SL_TRY(sl_rows_init(&w->rows, &w->schema, err));
    w->has_rows = true;
    w->digest = sl_digest_new(&w->schema);
    if (!w->digest)
        return sl_err_nomem(err, 0);
    SL_TRY(sl_folder_open(&w->folder, o->dir, true, err));
    sl_arena_init(&names, 0);
    enum sl_status st = begin_folder(w, o, &names, err);
    sl_arena_release(&names);
    return st;
}

enum sl_status sl_shard_writer_new(struct sl_shard_writer **out,
                                   const struct sl_shard_options *options, struct sl_err *err)
{
    struct sl_shard_writer *w = *out = calloc(1, sizeof *w);
    if (!w)
        return sl_err_nomem(err, sizeof *w);
    w->folder.fd = -1;
    sl_batch_init(&w->view);
    sl_manifest_init(&w->manifest);
    enum sl_status st = begin(w, options, err);
    if (st != SL_OK) {
        sl_shard_writer_free(w);
        *out = NULL;
    }
    return st;
}

void sl_shard_writer_free(struct sl_shard_writer *w)
{
    if (!w)
        return;
    sl_writer_free(w->writer);
    sl_keep_free(w->keep);
    sl_digest_free(w->digest);
    sl_batch_release(&w->view);
    if (w->has_rows)
        sl_rows_release(&w->rows);
    sl_manifest_release(&w->manifest);
    if (w->has_schema)
        sl_schema_release(&w->schema);
    sl_folder_release(&w->folder);
    free(w->offs);
    free(w);
}

/* ---- batches ---- */

static int64_t count_targets(const struct sl_column *mask)
{
    const struct sl_column *items = &mask->children[0];
    int64_t n = 0;
    for (int64_t i = 0; i < items->n; i++)
        n += items->data[i] == 1;
    return n;
}

/* A batch goes to the open shard as it is. */
static enum sl_status write_batch(struct sl_shard_writer *w, const struct sl_batch *b,
                                  struct sl_err *err)
{
    struct sl_manifest *m = &w->manifest;
    SL_TRY(sl_writer_add(w->writer, b, err));
    struct sl_written done = sl_writer_written(w->writer);
    (void)sl_layout_offsets(b, done.body_off, w->offs);
    SL_TRY(sl_manifest_add_batch(m, b->n_rows, w->offs, err));
    sl_digest_add_batch(w->digest, b);
    m->sequences += b->n_rows;
    m->tokens += b->n_rows * m->length;
    m->targets += count_targets(&b->columns[w->mask]);
    return SL_OK;
}

static enum sl_status write_waiting(struct sl_shard_writer *w, struct sl_err *err)
{
    if (!w->rows.n)
        return SL_OK;
    SL_TRY(sl_rows_lend(&w->rows, &w->view, err));
    SL_TRY(write_batch(w, &w->view, err));
    sl_rows_reset(&w->rows);
    return SL_OK;
}

static bool is_full(int64_t bytes, int64_t rows)
{
    return bytes >= SL_BATCH_MADE_BYTES || rows >= SL_BATCH_MADE_ROWS;
}

static int64_t range_bytes(const struct sl_batch *b, int64_t from, int64_t n)
{
    int64_t bytes = 0;
    for (uint32_t i = 0; i < b->schema->n_fields; i++)
        bytes += sl_column_bytes(&b->columns[i], from, n);
    return bytes;
}

/* The whole batch is what would be cut here. */
static bool goes_as_it_is(const struct sl_shard_writer *w, const struct sl_batch *b, int64_t n)
{
    return !w->rows.n && n == b->n_rows && is_full(range_bytes(b, 0, n), n) &&
           !is_full(range_bytes(b, 0, n - 1), n - 1);
}

/* How many of n rows from from on surely leave the batch not full. */
static int64_t rows_that_fit(const struct sl_shard_writer *w, const struct sl_batch *b,
                             int64_t from, int64_t n)
{
    int64_t room = SL_BATCH_MADE_BYTES - SLACK_BYTES - 1 - sl_rows_bytes(&w->rows);
    int64_t low = 0, high = SL_BATCH_MADE_ROWS - 1 - w->rows.n;
    high = n < high ? n : high;
    while (low < high) {
        int64_t mid = low + (high - low + 1) / 2;
        if (range_bytes(b, from, mid) <= room)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

/* Add n rows from from on to the open shard, cutting batches as they fill. */
static enum sl_status add_rows(struct sl_shard_writer *w, const struct sl_batch *b, int64_t from,
                               int64_t n, struct sl_err *err)
{
    if (goes_as_it_is(w, b, n))
        return write_batch(w, b, err);
    while (n > 0) {
        int64_t k = rows_that_fit(w, b, from, n);
        k = k > 0 ? k : 1;
        SL_TRY(sl_rows_take_range(&w->rows, b, from, k, err));
        if (is_full(sl_rows_bytes(&w->rows), w->rows.n))
            SL_TRY(write_waiting(w, err));
        from += k;
        n -= k;
    }
    return SL_OK;
}

/* ---- shards ---- */

static enum sl_status open_shard(struct sl_shard_writer *w, struct sl_err *err)
{
    char name[SL_SHARD_NAME_BYTES];
    sl_shard_name(w->manifest.n_shards, name);
    const char *path = sl_folder_path(&w->folder, name);
    if (!path)
        return sl_err_nomem(err, 0);
    SL_TRY(sl_manifest_add_shard(&w->manifest, err));
    SL_TRY(sl_keep_open(&w->keep, path, err));
    return sl_writer_open(&w->writer, sl_keep_sink(w->keep), &w->schema, NULL, err);
}

static enum sl_status close_shard(struct sl_shard_writer *w, struct sl_err *err)
{
    bool kept;
    struct sl_manifest_shard *s = sl_manifest_shard(&w->manifest, w->manifest.n_shards - 1);
    SL_TRY(write_waiting(w, err));
    SL_TRY(sl_writer_end(w->writer, SL_STR("[]"), NULL, err));
    s->digest = sl_writer_written(w->writer).digest;
    s->bytes = sl_sink_off(sl_keep_sink(w->keep));
    sl_writer_free(w->writer);
    w->writer = NULL;
    SL_TRY(sl_keep_commit(w->keep, &kept, err));
    sl_keep_free(w->keep);
    w->keep = NULL;
    w->n_kept += kept;
    w->in_shard = 0;
    return SL_OK;
}

enum sl_status sl_shard_writer_add(struct sl_shard_writer *w, const struct sl_batch *b,
                                   struct sl_err *err)
{
    for (int64_t from = 0; from < b->n_rows;) {
        int64_t n = w->manifest.per_shard - w->in_shard;
        n = b->n_rows - from < n ? b->n_rows - from : n;
        if (!w->keep)
            SL_TRY(open_shard(w, err));
        SL_TRY(add_rows(w, b, from, n, err));
        from += n;
        w->in_shard += n;
        if (w->in_shard == w->manifest.per_shard)
            SL_TRY(close_shard(w, err));
    }
    return SL_OK;
}

/* ---- the end ---- */

static enum sl_status remove_higher(struct sl_shard_writer *w, struct sl_arena *arena,
                                    struct sl_err *err)
{
    const char *const *names;
    size_t n;
    SL_TRY(sl_folder_list(&w->folder, arena, &names, &n, err));
    for (size_t i = 0; i < n; i++)
        if (sl_shard_number(names[i]) >= w->manifest.n_shards)
            SL_TRY(sl_folder_remove(&w->folder, names[i], err));
    return SL_OK;
}

enum sl_status sl_shard_writer_end(struct sl_shard_writer *w, struct sl_err *err)
{
    struct sl_manifest *m = &w->manifest;
    struct sl_arena names;
    if (w->keep)
        SL_TRY(close_shard(w, err));
    struct sl_hash128 *all = sl_arena_zeros(&m->arena, m->n_columns + 1U, sizeof *all);
    if (!all)
        return sl_err_nomem(err, m->n_columns * sizeof *all);
    for (uint32_t i = 0; i < m->n_columns; i++)
        all[i] = m->columns[i].digest = sl_digest_column(w->digest, i);
    m->digest = sl_digest_stream(all, m->n_columns);
    sl_arena_init(&names, 0);
    enum sl_status st = remove_higher(w, &names, err);
    sl_arena_release(&names);
    return st;
}

static enum sl_status write_manifest(struct sl_shard_writer *w, struct sl_err *err)
{
    struct sl_sink *to = NULL;
    const char *path = sl_folder_path(&w->folder, SL_MANIFEST_NAME);
    if (!path)
        return sl_err_nomem(err, 0);
    SL_TRY(sl_sink_open(&to, path, true, err));
    enum sl_status st = sl_manifest_write(&w->manifest, to, err);
    if (st == SL_OK)
        st = sl_sink_commit(to, err);
    sl_sink_free(to);
    return st;
}

enum sl_status sl_shard_writer_commit(struct sl_shard_writer *w, struct sl_str lineage,
                                      struct sl_err *err)
{
    w->manifest.lineage = sl_arena_str(&w->manifest.arena, lineage);
    if (!w->manifest.lineage)
        return sl_err_nomem(err, lineage.n);
    SL_TRY(sl_folder_sync(&w->folder, err));
    SL_TRY(write_manifest(w, err));
    SL_TRY(sl_folder_sync(&w->folder, err));
    SL_TRY(sl_folder_remove(&w->folder, SL_BEGUN_NAME, err));
    return sl_folder_sync(&w->folder, err);
}

const struct sl_manifest *sl_shard_writer_manifest(const struct sl_shard_writer *w)
{
    return &w->manifest;
}

int64_t sl_shard_writer_n_kept(const struct sl_shard_writer *w)
{
    return w->n_kept;
}
