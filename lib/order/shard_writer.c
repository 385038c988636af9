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
#include "order/folder_begin.h"
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

static bool is_shard(const char *name, const void *ctx)
{
    (void)ctx;
    return sl_shard_number(name) >= 0;
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
    struct sl_folder_start start = {
        .begun = o->begun, .force = o->force, .what = "shards", .is_made = is_shard
    };
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
    return sl_folder_begin(&w->folder, &start, err);
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

static enum sl_status write_manifest(const void *manifest, struct sl_sink *to, struct sl_err *err)
{
    return sl_manifest_write(manifest, to, err);
}

enum sl_status sl_shard_writer_commit(struct sl_shard_writer *w, struct sl_str lineage,
                                      struct sl_err *err)
{
    w->manifest.lineage = sl_arena_str(&w->manifest.arena, lineage);
    if (!w->manifest.lineage)
        return sl_err_nomem(err, lineage.n);
    return sl_folder_finish(&w->folder, write_manifest, &w->manifest, err);
}

const struct sl_manifest *sl_shard_writer_manifest(const struct sl_shard_writer *w)
{
    return &w->manifest;
}

int64_t sl_shard_writer_n_kept(const struct sl_shard_writer *w)
{
    return w->n_kept;
}
