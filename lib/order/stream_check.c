/* SPDX-License-Identifier: Apache-2.0 */
/* One stream checked. The strict reader answers for every message and for the
 * counts of the trailer; the digests are its one claim that it does not check,
 * since that costs a pass over all values. */
#include "order/stream_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/digest.h"
#include "arrow/reader.h"

enum { ID_BYTES = 16 };

void sl_facts_init(struct sl_facts *f)
{
    *f = (struct sl_facts){ .n_shards = -1 };
    sl_schema_init(&f->schema);
}

void sl_facts_release(struct sl_facts *f)
{
    for (uint32_t i = 0; f->names && i < f->n_columns; i++)
        free(f->names[i]);
    free(f->names);
    free(f->columns);
    free(f->lineage);
    sl_schema_release(&f->schema);
    *f = (struct sl_facts){ 0 };
}

struct check {
    const char *path;
    struct sl_source *source;
    struct sl_reader *reader;
    struct sl_digest *digest;
    struct sl_batch batch;
    struct sl_facts *facts;
    int id; /* index of the id column; -1: none */
};

/* Another tool's error, told as a fault of this stream. */
static enum sl_status retell(struct check *k, enum sl_status st, struct sl_err *err)
{
    if (st != SL_E_UPSTREAM)
        return st;
    struct sl_upstream u = sl_reader_upstream(k->reader);
    sl_err_reset(err);
    return sl_err_set(err, SL_E_DATA, "the stream ends in an error of %.*s: %.*s",
                      (int)(u.tool.n < 64 ? u.tool.n : 64), u.tool.p,
                      (int)(u.message.n < 500 ? u.message.n : 500), u.message.p);
}

static enum sl_status open_stream(struct check *k, struct sl_err *err)
{
    SL_TRY(sl_source_open(&k->source, k->path, SL_SOURCE_AUTO, err));
    SL_TRY(retell(k, sl_reader_open(&k->reader, k->source, SL_READ_STRICT, err), err));
    const struct sl_schema *s = sl_reader_schema(k->reader);
    sl_schema_release(&k->facts->schema);
    sl_schema_init(&k->facts->schema);
    SL_TRY(sl_schema_copy(&k->facts->schema, s, err));
    k->digest = sl_digest_new(&k->facts->schema);
    k->facts->columns = calloc(s->n_fields + 1U, sizeof *k->facts->columns);
    k->facts->names = calloc(s->n_fields + 1U, sizeof *k->facts->names);
    if (!k->digest || !k->facts->columns || !k->facts->names)
        return sl_err_nomem(err, s->n_fields);
    k->facts->n_columns = s->n_fields;
    for (uint32_t i = 0; i < s->n_fields; i++)
        if (!(k->facts->names[i] = strdup(s->fields[i]->name)))
            return sl_err_nomem(err, 0);
    k->id = sl_schema_find(s, "id");
    if (k->id >= 0 &&
        (s->fields[k->id]->type != SL_T_FIXED_BINARY || s->fields[k->id]->size != ID_BYTES))
        k->id = -1;
    return SL_OK;
}

static void add_ids(struct check *k, const struct sl_batch *b)
{
    struct sl_hash128 id;
    for (int64_t i = 0; k->id >= 0 && i < b->n_rows; i++) {
        memcpy(id.b, b->columns[k->id].data + i * ID_BYTES, ID_BYTES);
        sl_hash128_add(&k->facts->ids, id);
    }
}

static enum sl_status read_batches(struct check *k, const struct sl_each_batch *each,
                                   struct sl_err *err)
{
    for (;;) {
        enum sl_status st = sl_reader_next(k->reader, &k->batch, err);
        if (st == SL_END)
            return SL_OK;
        SL_TRY(retell(k, st, err));
        sl_digest_add_batch(k->digest, &k->batch);
        add_ids(k, &k->batch);
        k->facts->n_rows += k->batch.n_rows;
        k->facts->n_batches++;
        if (each)
            SL_TRY(each->call(each->ctx, &k->batch, err));
    }
}

static bool same(struct sl_hash128 a, struct sl_hash128 b)
{
    return memcmp(a.b, b.b, sizeof a.b) == 0;
}

static enum sl_status check_trailer(struct check *k, struct sl_err *err)
{
    struct sl_facts *f = k->facts;
    const struct sl_trailer *t = sl_reader_trailer(k->reader);
    for (uint32_t i = 0; i < f->schema.n_fields; i++) {
        f->columns[i] = sl_digest_column(k->digest, i);
        if (!same(f->columns[i], t->columns[i]))
            return sl_err_set(err, SL_E_DATA,
                              "the digest of column '%s' is not that of the trailer",
                              f->schema.fields[i]->name);
    }
    f->digest = sl_digest_stream(f->columns, f->schema.n_fields);
    if (!same(f->digest, t->digest))
        return sl_err_set(err, SL_E_DATA,
                          "the stream digest of the trailer is not that of its "
                          "columns");
    if (t->n_rows != f->n_rows || t->n_batches != f->n_batches)
        return sl_err_set(err, SL_E_DATA,
                          "%lld rows in %lld batches, where the trailer says "
                          "%lld in %lld",
                          (long long)f->n_rows, (long long)f->n_batches, (long long)t->n_rows,
                          (long long)t->n_batches);
    f->lineage = strndup(t->lineage.n ? t->lineage.p : "[]", t->lineage.n ? t->lineage.n : 2);
    return f->lineage ? SL_OK : sl_err_nomem(err, t->lineage.n);
}

enum sl_status sl_stream_check(const char *path, const struct sl_each_batch *each,
                               struct sl_facts *facts, struct sl_err *err)
{
    struct check k = { .path = path, .facts = facts, .id = -1 };
    sl_batch_init(&k.batch);
    enum sl_status st = open_stream(&k, err);
    if (st == SL_OK)
        st = read_batches(&k, each, err);
    if (st == SL_OK)
        st = check_trailer(&k, err);
    sl_batch_release(&k.batch);
    sl_digest_free(k.digest);
    sl_reader_free(k.reader);
    sl_source_free(k.source);
    if (st != SL_OK)
        sl_err_at(err, strcmp(path, "-") == 0 ? "(standard input)" : path, -1, -1);
    return st;
}

enum sl_status sl_facts_one_column(struct sl_facts *f, const char *name, struct sl_hash128 digest,
                                   struct sl_err *err)
{
    f->columns = calloc(1, sizeof *f->columns);
    f->names = calloc(1, sizeof *f->names);
    if (!f->columns || !f->names || !(f->names[0] = strdup(name)))
        return sl_err_nomem(err, sizeof *f->columns);
    f->n_columns = 1;
    f->columns[0] = digest;
    f->digest = sl_digest_stream(&digest, 1);
    return SL_OK;
}

static int find_name(const struct sl_facts *f, const char *name)
{
    for (uint32_t i = 0; i < f->n_columns; i++)
        if (strcmp(f->names[i], name) == 0)
            return (int)i;
    return -1;
}

/* A column of one that the other has not. */
static const char *only_in(const struct sl_facts *a, const struct sl_facts *b)
{
    for (uint32_t i = 0; i < a->n_columns; i++)
        if (find_name(b, a->names[i]) < 0)
            return a->names[i];
    return NULL;
}

/* The columns that an export has are compared; rows are told where they differ. */
static void export_difference(const struct sl_facts *export, const struct sl_facts *other,
                              char out[512])
{
    for (uint32_t i = 0; !out[0] && i < export->n_columns; i++) {
        int k = find_name(other, export->names[i]);
        if (k >= 0 && same(export->columns[i], other->columns[k]))
            continue;
        if (export->n_rows != other->n_rows)
            snprintf(out, 512, "%lld rows in the export and %lld", (long long)export->n_rows,
                     (long long)other->n_rows);
        else
            snprintf(out, 512, "column '%s' differs", export->names[i]);
    }
}

void sl_facts_difference(const struct sl_facts *a, const struct sl_facts *b, char out[512])
{
    const char *first = only_in(a, b), *second = only_in(b, a);
    char why[256];
    bool typed = a->schema.n_fields && b->schema.n_fields;
    out[0] = 0;
    if (same(a->digest, b->digest))
        return;
    if (a->form || b->form) {
        export_difference(a->form ? a : b, a->form ? b : a, out);
        return;
    }
    if (first || second)
        snprintf(out, 512, "column '%s' is only in the %s", first ? first : second,
                 first ? "first" : "second");
    else if (typed && !sl_schema_same(&a->schema, &b->schema, why))
        snprintf(out, 512, "%s", why);
    else if (a->n_rows != b->n_rows)
        snprintf(out, 512, "%lld rows and %lld", (long long)a->n_rows, (long long)b->n_rows);
    for (uint32_t i = 0; !out[0] && i < a->n_columns && i < b->n_columns; i++) {
        if (strcmp(a->names[i], b->names[i]) != 0)
            snprintf(out, 512, "column '%s' stands where '%s' does", a->names[i], b->names[i]);
        else if (!same(a->columns[i], b->columns[i]))
            snprintf(out, 512, "column '%s' differs", a->names[i]);
    }
}
