/* SPDX-License-Identifier: Apache-2.0 */
/* Keys are taken from the rows as they leave the sorter, not from the plan, so that the
 * record is of what was written. Their sources do not stand in the rows: these are kept
 * aside, in a temporary file, when the places are made. */
#include "order/plan_record.h"

#include <stdlib.h>
#include <string.h>

#include "arrow/rows.h"
#include "arrow/writer.h"
#include "io/record_sort.h"

enum { N_COLUMNS = 4, N_TAKEN = 3, SOURCE_BYTES = 8 };
static const char *const columns[N_COLUMNS] = { "id", "copy", "stage", "plan_source" };

struct sl_plan_record {
    struct sl_folder folder;
    bool has_folder, has_schema, has_keys, force;
    struct sl_sink *sink;
    struct sl_schema schema;
    struct sl_writer *writer;
    struct sl_rows keys;
    struct sl_batch view;
    int from[N_TAKEN];
    struct sl_record_sort *sources; /* position, source */
    bool has_sources;
};

static enum sl_status open_order(struct sl_plan_record *r, const struct sl_schema *made,
                                 struct sl_err *err)
{
    static const char *const types[N_COLUMNS] = { "fixed_size_binary[16]", "uint16", "uint16",
                                                  "uint16" };
    struct sl_write_options options = { 0 };
    const char *path = sl_folder_path(&r->folder, "order.arrows");
    if (!path)
        return sl_err_nomem(err, 0);
    SL_TRY(sl_sink_open(&r->sink, path, r->force, err));
    sl_schema_init(&r->schema);
    r->has_schema = true;
    for (int i = 0; i < N_COLUMNS; i++) {
        SL_TRY(sl_schema_add_text(&r->schema, columns[i], types[i], err));
        if (i < N_TAKEN)
            r->from[i] = sl_schema_find(made, columns[i]);
    }
    SL_TRY(sl_schema_set_meta(&r->schema, "kind", SL_STR("order"), err));
    if (made->lineage)
        SL_TRY(sl_schema_set_meta(&r->schema, "lineage", sl_str_of(made->lineage), err));
    SL_TRY(sl_writer_open(&r->writer, r->sink, &r->schema, &options, err));
    SL_TRY(sl_rows_init(&r->keys, &r->schema, err));
    r->has_keys = true;
    return SL_OK;
}

/* What a record is made of, and nothing else, may be replaced: a folder of shards has a
 * manifest.json too. */
static bool is_of_a_record(const char *name)
{
    return sl_folder_is_temp(name) || strcmp(name, "manifest.json") == 0 ||
           strcmp(name, "order.arrows") == 0;
}

/* The folder has no manifest while its order is being made. */
static enum sl_status open_folder(struct sl_plan_record *r, const char *dir, struct sl_err *err)
{
    struct sl_arena arena;
    const char *const *names;
    size_t n;
    SL_TRY(sl_folder_open(&r->folder, dir, true, err));
    r->has_folder = true;
    sl_arena_init(&arena, 0);
    enum sl_status st = sl_folder_list(&r->folder, &arena, &names, &n, err);
    for (size_t i = 0; st == SL_OK && i < n; i++)
        if (!is_of_a_record(names[i]))
            st = sl_err_set(err, SL_E_USAGE, "the folder '%s' holds '%s', which is of no record",
                            dir, names[i]);
        else if (!r->force && !sl_folder_is_temp(names[i]))
            st = sl_err_set(err, SL_E_USAGE, "the folder '%s' holds '%s'; -f replaces a record",
                            dir, names[i]);
    sl_arena_release(&arena);
    return st == SL_OK ? sl_folder_remove(&r->folder, "manifest.json", err) : st;
}

enum sl_status sl_plan_record_new(struct sl_plan_record **out,
                                  const struct sl_plan_record_conf *conf,
                                  const struct sl_schema *made, struct sl_err *err)
{
    struct sl_plan_record *r = *out = calloc(1, sizeof *r);
    if (!r)
        return sl_err_nomem(err, sizeof *r);
    r->force = conf->force;
    sl_batch_init(&r->view);
    SL_TRY(sl_record_sort_new(&r->sources, SL_RECORD_SORT_MIN_BYTES, conf->tmpdir, err));
    SL_TRY(open_folder(r, conf->dir, err));
    return open_order(r, made, err);
}

void sl_plan_record_free(struct sl_plan_record *r)
{
    if (!r)
        return;
    sl_writer_free(r->writer);
    sl_sink_free(r->sink);
    sl_record_sort_free(r->sources);
    if (r->has_keys)
        sl_rows_release(&r->keys);
    sl_batch_release(&r->view);
    if (r->has_schema)
        sl_schema_release(&r->schema);
    if (r->has_folder)
        sl_folder_release(&r->folder);
    free(r);
}

static enum sl_status write_keys(struct sl_plan_record *r, struct sl_err *err)
{
    if (!r->keys.n)
        return SL_OK;
    SL_TRY(sl_rows_lend(&r->keys, &r->view, err));
    SL_TRY(sl_writer_add(r->writer, &r->view, err));
    sl_rows_reset(&r->keys);
    return SL_OK;
}

enum sl_status sl_plan_record_see(struct sl_plan_record *r, uint64_t position, uint32_t source,
                                  struct sl_err *err)
{
    uint8_t b[SOURCE_BYTES];
    for (int i = 0; i < 6; i++)
        b[i] = (uint8_t)(position >> 8 * (5 - i));
    b[6] = (uint8_t)(source >> 8);
    b[7] = (uint8_t)source;
    struct sl_str record = { (const char *)b, sizeof b };
    return sl_record_sort_add_ordered(r->sources, record, err);
}

static enum sl_status add_sources(struct sl_plan_record *r, int64_t n, struct sl_err *err)
{
    struct sl_str record;
    if (!r->has_sources)
        SL_TRY(sl_record_sort_end(r->sources, err));
    r->has_sources = true;
    for (int64_t i = 0; i < n; i++) {
        enum sl_status st = sl_record_sort_next(r->sources, &record, err);
        if (st == SL_END)
            return sl_err_set(err, SL_E_BUG, "more rows than places");
        SL_TRY(st);
        const uint8_t *b = (const uint8_t *)record.p;
        SL_TRY(sl_colbuf_add_int(&r->keys.cols[N_TAKEN], b[6] << 8 | b[7], err));
    }
    return SL_OK;
}

enum sl_status sl_plan_record_add(struct sl_plan_record *r, const struct sl_batch *rows,
                                  struct sl_err *err)
{
    if (r->keys.n + rows->n_rows > SL_BATCH_MADE_ROWS)
        SL_TRY(write_keys(r, err));
    for (int i = 0; i < N_TAKEN; i++)
        SL_TRY(sl_colbuf_take_range(&r->keys.cols[i], &rows->columns[r->from[i]], 0, rows->n_rows,
                                    err));
    SL_TRY(add_sources(r, rows->n_rows, err));
    r->keys.n += rows->n_rows;
    return SL_OK;
}

enum sl_status sl_plan_record_end(struct sl_plan_record *r, struct sl_str lineage, char digest[32],
                                  struct sl_err *err)
{
    SL_TRY(write_keys(r, err));
    SL_TRY(sl_writer_end(r->writer, lineage, NULL, err));
    sl_hash128_hex(sl_writer_written(r->writer).digest, digest);
    return SL_OK;
}

enum sl_status sl_plan_record_commit(struct sl_plan_record *r, struct sl_str manifest,
                                     struct sl_err *err)
{
    SL_TRY(sl_sink_commit(r->sink, err));
    sl_sink_free(r->sink);
    r->sink = NULL;
    const char *path = sl_folder_path(&r->folder, "manifest.json");
    if (!path)
        return sl_err_nomem(err, 0);
    SL_TRY(sl_sink_open(&r->sink, path, r->force, err));
    SL_TRY(sl_sink_write(r->sink, manifest.p, manifest.n, err));
    SL_TRY(sl_sink_commit(r->sink, err));
    return sl_folder_sync(&r->folder, err);
}
