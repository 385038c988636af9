/* SPDX-License-Identifier: Apache-2.0 */
/* Input streams. Batches point to the schema of the first input, not to that of
 * the reader they came from, so that they outlive it. */
#include "run/inputs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const stdin_path[] = { "-" };

static bool from_pipe(const struct sl_inputs *in)
{
    struct stat st;
    return strcmp(in->paths[in->at], "-") == 0 && fstat(STDIN_FILENO, &st) == 0 &&
           (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* The failing tool's words outlive the reader that found them. */
static enum sl_status keep_upstream(struct sl_inputs *in, enum sl_status st, struct sl_err *err)
{
    if (st != SL_E_UPSTREAM)
        return st;
    struct sl_upstream u = sl_reader_upstream(in->reader);
    const char *lineage = sl_reader_schema(in->reader)->lineage;
    char last[64] = "";
    if (lineage)
        sl_lineage_last_tool(sl_str_of(lineage), last);
    /* Of a file that is read later nobody beside us has told. */
    in->upstream_near = !lineage || sl_str_eq(sl_str_of(last), u.tool) || !from_pipe(in);
    sl_buf_init(&in->upstream_text, SL_MAX_META_BYTES);
    if (sl_buf_add_str(&in->upstream_text, u.tool, NULL) != SL_OK ||
        sl_buf_add_str(&in->upstream_text, u.message, NULL) != SL_OK)
        return sl_err_nomem(err, u.tool.n + u.message.n);
    const char *p = (const char *)in->upstream_text.p;
    in->upstream.tool = (struct sl_str){ p, u.tool.n };
    in->upstream.message = (struct sl_str){ p + u.tool.n, u.message.n };
    return st;
}

static enum sl_status open_reader(struct sl_inputs *in, struct sl_err *err)
{
    SL_TRY(sl_source_open(&in->source, in->paths[in->at], SL_SOURCE_AUTO, err));
    return keep_upstream(in, sl_reader_open(&in->reader, in->source, SL_READ_STRICT, err), err);
}

static enum sl_status begin_check(struct sl_inputs *in, struct sl_err *err)
{
    if (!in->wants_check)
        return SL_OK;
    in->check = sl_digest_new(&in->schema);
    return in->check ? SL_OK : sl_err_nomem(err, 0);
}

/* A stream without any field carries nothing but the error of a tool that
 * failed before it knew its columns: read on, to pass that error on. */
static enum sl_status expect_error(struct sl_inputs *in, struct sl_err *err)
{
    struct sl_batch none;
    sl_batch_init(&none);
    enum sl_status st = keep_upstream(in, sl_reader_next(in->reader, &none, err), err);
    sl_batch_release(&none);
    if (st == SL_OK || st == SL_END)
        return sl_err_set(err, SL_E_DATA, "a stream without columns");
    return st;
}

/* The schema's lineage is informative, but it is passed on: no garbage in it. */
static enum sl_status check_lineage(const struct sl_schema *s, const char *path, struct sl_err *err)
{
    struct sl_json *stages;
    if (!s->lineage)
        return SL_OK;
    enum sl_status st = sl_lineage_parse(&stages, sl_str_of(s->lineage), err);
    if (st == SL_OK)
        sl_json_free(stages);
    else
        sl_err_at(err, path, -1, -1);
    return st;
}

enum sl_status sl_inputs_open(struct sl_inputs *in, const char *const *paths, int n_paths,
                              bool wants_check, struct sl_err *err)
{
    *in = (struct sl_inputs){ .paths = n_paths ? paths : stdin_path,
                              .n_paths = n_paths ? n_paths : 1,
                              .wants_check = wants_check };
    SL_TRY(open_reader(in, err));
    SL_TRY(sl_schema_copy(&in->schema, sl_reader_schema(in->reader), err));
    in->has_schema = true;
    if (!in->schema.n_fields)
        return expect_error(in, err);
    SL_TRY(check_lineage(&in->schema, in->paths[0], err));
    return begin_check(in, err);
}

enum sl_status sl_inputs_pick(struct sl_inputs *in, const bool *wanted, struct sl_err *err)
{
    size_t bytes = in->schema.n_fields * sizeof *in->picks;
    in->picks = malloc(bytes + 1);
    if (!in->picks)
        return sl_err_nomem(err, bytes);
    memcpy(in->picks, wanted, bytes);
    return in->reader ? sl_reader_pick(in->reader, in->picks, err) : SL_OK;
}

bool sl_inputs_are_files(const struct sl_inputs *in)
{
    for (int i = 0; i < in->n_paths; i++) {
        struct stat st;
        if (strcmp(in->paths[i], "-") == 0 || stat(in->paths[i], &st) != 0 || !S_ISREG(st.st_mode))
            return false;
    }
    return in->n_paths > 0;
}

const char *sl_inputs_shown(const char *path)
{
    return strcmp(path, "-") == 0 ? "(standard input)" : path;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

enum sl_status sl_inputs_check_joins(const struct sl_inputs *first, const struct sl_schema *s,
                                     const char *path, struct sl_err *err)
{
    const struct sl_schema *f = &first->schema;
    char why[256];
    if (!same_text(s->kind, f->kind))
        sl_err_set(err, SL_E_DATA, "a stream of %s, and '%s' is one of %s",
                   s->kind ? s->kind : "no kind", first->paths[0], f->kind ? f->kind : "no kind");
    else if (!sl_schema_same(s, f, why))
        sl_err_set(err, SL_E_DATA, "its columns differ from those of '%s': %s", first->paths[0],
                   why);
    else if (!same_text(s->tokenizer, f->tokenizer))
        sl_err_set(err, SL_E_DATA, "its tokenizer differs from that of '%s'", first->paths[0]);
    else
        return SL_OK;
    sl_err_at(err, sl_inputs_shown(path), -1, -1);
    return SL_E_DATA;
}

/* The stream just opened can be joined to the first. */
static enum sl_status check_joins(struct sl_inputs *in, struct sl_err *err)
{
    const struct sl_schema *s = sl_reader_schema(in->reader);
    if (!s->n_fields)
        return expect_error(in, err);
    SL_TRY(check_lineage(s, in->paths[in->at], err));
    return sl_inputs_check_joins(in, s, in->paths[in->at], err);
}

static enum sl_status compare_digests(struct sl_inputs *in, struct sl_err *err)
{
    const struct sl_trailer *t = sl_reader_trailer(in->reader);
    for (uint32_t i = 0; in->check && i < in->schema.n_fields; i++) {
        struct sl_hash128 seen = sl_digest_column(in->check, i);
        if (memcmp(seen.b, t->columns[i].b, sizeof seen.b) == 0)
            continue;
        sl_err_set(err, SL_E_DATA, "the digest of column '%s' is not that of the trailer",
                   in->schema.fields[i]->name);
        sl_err_at(err, sl_inputs_shown(in->paths[in->at]), -1, -1);
        return SL_E_DATA;
    }
    sl_digest_free(in->check);
    in->check = NULL;
    return SL_OK;
}

static enum sl_status keep_digests(struct sl_inputs *in, struct sl_err *err)
{
    if (in->n_paths != 1)
        return SL_OK;
    size_t bytes = in->schema.n_fields * sizeof *in->digests;
    in->digests = malloc(bytes ? bytes : 1);
    if (!in->digests)
        return sl_err_nomem(err, bytes);
    memcpy(in->digests, sl_reader_trailer(in->reader)->columns, bytes);
    return SL_OK;
}

static void add_seen(struct sl_inputs *in, struct sl_hash128 digest)
{
    uint8_t both[2 * sizeof digest.b];
    memcpy(both, in->seen.b, sizeof digest.b);
    memcpy(both + sizeof digest.b, digest.b, sizeof digest.b);
    in->seen = sl_hash128(both, sizeof both);
}

/* One input was read to its end. */
static enum sl_status end_input(struct sl_inputs *in, struct sl_err *err)
{
    const struct sl_trailer *t = sl_reader_trailer(in->reader);
    SL_TRY(compare_digests(in, err));
    SL_TRY(keep_digests(in, err));
    add_seen(in, t->digest);
    SL_TRY(sl_lineage_add(&in->lineage, t->lineage, err));
    in->bytes_before += sl_source_raw_bytes(in->source);
    sl_reader_free(in->reader);
    sl_source_free(in->source);
    in->reader = NULL;
    in->source = NULL;
    in->at++;
    return SL_OK;
}

/* Point a column and its children to the fields of the run's schema. */
static void rebind_column(struct sl_column *c, const struct sl_field *field)
{
    c->field = field;
    for (uint32_t i = 0; c->children && i < field->n_children; i++)
        rebind_column(&c->children[i], &field->children[i]);
}

void sl_inputs_rebind(struct sl_batch *batch, const struct sl_schema *schema)
{
    batch->schema = schema;
    for (uint32_t i = 0; i < schema->n_fields; i++)
        rebind_column(&batch->columns[i], schema->fields[i]);
}

enum sl_status sl_inputs_next(struct sl_inputs *in, struct sl_batch *batch, struct sl_err *err)
{
    while (in->at < in->n_paths) {
        if (!in->reader) {
            SL_TRY(open_reader(in, err));
            SL_TRY(check_joins(in, err));
            SL_TRY(begin_check(in, err));
            if (in->picks)
                SL_TRY(sl_reader_pick(in->reader, in->picks, err));
        }
        enum sl_status st = sl_reader_next(in->reader, batch, err);
        if (st == SL_OK) {
            sl_inputs_rebind(batch, &in->schema);
            batch->seq = in->n_batches++;
            if (in->check)
                sl_digest_add_batch(in->check, batch);
            return SL_OK;
        }
        if (st != SL_END)
            return keep_upstream(in, st, err);
        SL_TRY(end_input(in, err));
    }
    return SL_END;
}

int64_t sl_inputs_bytes(const struct sl_inputs *in)
{
    return in->bytes_before + (in->source ? sl_source_raw_bytes(in->source) : 0);
}

void sl_inputs_close(struct sl_inputs *in)
{
    sl_reader_free(in->reader);
    sl_source_free(in->source);
    sl_digest_free(in->check);
    free(in->digests);
    free(in->picks);
    sl_lineage_release(&in->lineage);
    if (in->has_schema)
        sl_schema_release(&in->schema);
    sl_buf_release(&in->upstream_text);
    *in = (struct sl_inputs){ 0 };
}
