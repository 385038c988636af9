/* SPDX-License-Identifier: Apache-2.0 */
/* Two kinds of folders tell an order: a record, in order.arrows, and shards, in their
 * columns id, copy and stage. Both are read by the reader that computes digests again, so
 * that keys of another run are noticed. What stands in a manifest is of no trusted hand:
 * numbers are checked before they are used. */
#include "order/plan_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/source.h"
#include "order/shard_folder.h"
#include "order/stream_check.h"

#define MANIFEST_MAX_BYTES ((size_t)1 << 30)
#define MOST_ROWS ((int64_t)1 << 40)
enum { ID_BYTES = 16 };

/* Who opens the manifest adds its name. */
static enum sl_status bad(const char *what, struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "%s", what);
}

/* ---- what stages and sources are said to be ---- */

/* A number of a manifest from 0 to most; -1 where it is none. */
static int64_t number_of(const struct sl_json *o, const char *key, int64_t most)
{
    const struct sl_json *v = sl_json_get(o, key);
    int64_t n = sl_json_type(v) == SL_JSON_INT ? sl_json_int(v) : -1;
    return n >= 0 && n <= most ? n : -1;
}

/* Of sequences, or documents. */
static int64_t rows_of(const struct sl_json *o)
{
    bool documents = sl_json_get(o, "documents") != NULL;
    return number_of(o, documents ? "documents" : "sequences", MOST_ROWS);
}

/* A record says {"web": {"sequences": 5, "share": 1}}, a lineage {"web": 5}. */
static enum sl_status take_placed(struct sl_plan_keys *k, const struct sl_json *from,
                                  const struct sl_json **out, struct sl_err *err)
{
    const struct sl_json *v;
    *out = NULL;
    if (sl_json_type(from) != SL_JSON_OBJECT)
        return SL_OK;
    struct sl_json *o = sl_json_new_object();
    SL_TRY(sl_json_push(k->placed, o, err));
    for (const char *key = NULL; (key = sl_json_after(from, key, &v));) {
        int64_t n = sl_json_type(v) == SL_JSON_INT ? sl_json_int(v) : rows_of(v);
        if (n < 0 || n > MOST_ROWS)
            return bad("a stage's rows by source are no numbers", err);
        SL_TRY(sl_json_set(o, key, sl_json_new_int(n), err));
    }
    *out = o;
    return SL_OK;
}

static enum sl_status take_stages(struct sl_plan_keys *k, const struct sl_json *list,
                                  const char *placed, struct sl_err *err)
{
    k->placed = sl_json_new_array();
    k->stages = calloc(sl_json_count(list) + 1, sizeof *k->stages);
    if (!k->placed || !k->stages)
        return sl_err_nomem(err, sl_json_count(list) * sizeof *k->stages);
    uint64_t at = 0;
    for (size_t i = 0; i < sl_json_count(list); i++) {
        const struct sl_json *s = sl_json_at(list, i);
        int64_t begin = number_of(s, "begin", MOST_ROWS), end = number_of(s, "end", MOST_ROWS);
        struct sl_plan_key_stage *to = &k->stages[k->n_stages++];
        to->name = sl_json_str(sl_json_get(s, "name"));
        if (begin < 0 || end < begin || (uint64_t)begin < at)
            return bad("its stages are not in order", err);
        int64_t length = number_of(s, "length", INT32_MAX);
        to->length = length > 0 ? (uint64_t)length : 0;
        to->begin = (uint64_t)begin;
        at = to->end = (uint64_t)end;
        SL_TRY(take_placed(k, sl_json_get(s, placed), &to->placed, err));
    }
    return SL_OK;
}

static enum sl_status take_sources(struct sl_plan_keys *k, const struct sl_json *list,
                                   struct sl_err *err)
{
    k->n_sources = sl_json_count(list);
    k->sources = calloc(k->n_sources + 1, sizeof *k->sources);
    if (!k->sources)
        return sl_err_nomem(err, k->n_sources * sizeof *k->sources);
    for (size_t i = 0; i < k->n_sources; i++) {
        const struct sl_json *one = sl_json_at(list, i);
        k->sources[i] =
            sl_json_str(sl_json_type(one) == SL_JSON_STR ? one : sl_json_get(one, "name"));
    }
    return SL_OK;
}

/* ---- opening ---- */

static enum sl_status open_record(struct sl_plan_keys *k, struct sl_err *err)
{
    int64_t version = number_of(k->json, "version", INT32_MAX);
    if (version != 1)
        return sl_err_set(err, SL_E_DATA, "a record of version %lld, and this build reads 1",
                          (long long)version);
    bool documents = sl_json_get(k->json, "documents") != NULL; /* which have no length */
    int64_t n = rows_of(k->json);
    int64_t length = documents ? 1 : number_of(k->json, "length", INT32_MAX);
    if (n < 0 || length < 1 || sl_json_type(sl_json_get(k->json, "order")) != SL_JSON_OBJECT)
        return bad("'sequences', 'length' or 'order' is missing or wrong", err);
    k->sequences = (uint64_t)n;
    k->length = (uint64_t)length;
    k->tokenizer = sl_json_str(sl_json_get(k->json, "tokenizer"));
    SL_TRY(take_sources(k, sl_json_get(k->json, "sources"), err));
    return take_stages(k, sl_json_get(k->json, "stages"), "shares", err);
}

/* The order is that of the last curriculum that made one of this length. */
static enum sl_status open_shards(struct sl_plan_keys *k, struct sl_str text, struct sl_err *err)
{
    const struct sl_manifest *m = &k->manifest;
    const struct sl_json *order = NULL;
    SL_TRY(sl_manifest_parse(&k->manifest, text, err));
    SL_TRY(sl_json_parse(&k->json, sl_str_of(m->lineage), err));
    k->shards = true;
    k->sequences = (uint64_t)m->sequences;
    k->length = (uint64_t)m->length;
    if (m->tokenizer)
        SL_TRY(sl_json_parse(&k->tokens, sl_str_of(m->tokenizer), err));
    k->tokenizer = sl_json_str(sl_json_get(k->tokens, "digest"));
    for (size_t i = sl_json_count(k->json); i-- > 0 && !order;) {
        order = sl_json_get(sl_json_at(k->json, i), "order");
        if (number_of(order, "sequences", MOST_ROWS) != m->sequences)
            order = NULL;
    }
    SL_TRY(take_sources(k, sl_json_get(order, "sources"), err));
    return take_stages(k, sl_json_get(order, "stages"), "placed", err);
}

static enum sl_status open_text(struct sl_plan_keys *k, struct sl_str text, struct sl_err *err)
{
    struct sl_json *json;
    SL_TRY(sl_json_parse(&json, text, err));
    struct sl_str format = sl_json_str(sl_json_get(json, "format"));
    bool record = sl_str_eq(format, SL_STR("sluice-curriculum"));
    bool shards = sl_str_eq(format, SL_STR("sluice-shards"));
    if (record)
        k->json = json;
    else
        sl_json_free(json);
    if (!record && !shards)
        return bad("neither a curriculum's record nor a manifest of shards", err);
    return record ? open_record(k, err) : open_shards(k, text, err);
}

enum sl_status sl_plan_keys_parse(struct sl_plan_keys *k, const char *path, struct sl_str text,
                                  struct sl_err *err)
{
    *k = (struct sl_plan_keys){ .path = strdup(path) };
    sl_manifest_init(&k->manifest);
    return k->path ? open_text(k, text, err) : sl_err_nomem(err, strlen(path));
}

enum sl_status sl_plan_keys_open(struct sl_plan_keys *k, const char *path, struct sl_err *err)
{
    struct stat info;
    struct sl_buf text, name;
    bool folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    *k = (struct sl_plan_keys){ 0 };
    sl_buf_init(&text, MANIFEST_MAX_BYTES);
    sl_buf_init(&name, 1 << 16);
    enum sl_status st =
        sl_buf_addf(&name, err, "%s%s%c", path, folder ? "/" SL_MANIFEST_NAME : "", 0);
    if (st == SL_OK)
        st = sl_file_read((const char *)name.p, &text, err); /* it names the file */
    if (st == SL_OK) {
        st = sl_plan_keys_parse(k, (const char *)name.p, sl_buf_str(&text), err);
        if (st != SL_OK)
            sl_err_at(err, k->path, -1, -1);
    }
    sl_buf_release(&name);
    sl_buf_release(&text);
    return st;
}

void sl_plan_keys_release(struct sl_plan_keys *k)
{
    sl_json_free(k->json);
    sl_json_free(k->tokens);
    sl_json_free(k->placed);
    sl_manifest_release(&k->manifest);
    free(k->stages);
    free(k->sources);
    free(k->path);
    *k = (struct sl_plan_keys){ 0 };
}

/* ---- reading ---- */

struct reading {
    const struct sl_plan_keys *keys;
    uint64_t at, n;
    enum sl_status (*each)(void *ctx, const struct sl_plan_key *key, struct sl_err *err);
    void *ctx;
};

static const struct sl_column *number_column(const struct sl_batch *b, const char *name)
{
    const struct sl_column *c = sl_batch_column(b, name);
    return c && c->field->type == SL_T_UINT16 ? c : NULL;
}

static enum sl_status read_batch(void *ctx, const struct sl_batch *b, struct sl_err *err)
{
    struct reading *r = ctx;
    const struct sl_column *id = sl_batch_column(b, "id"), *copy = number_column(b, "copy");
    const struct sl_column *stage = number_column(b, "stage");
    const struct sl_column *source = number_column(b, "plan_source");
    if (!id || id->field->type != SL_T_FIXED_BINARY || id->field->size != ID_BYTES)
        return sl_err_set(err, SL_E_DATA, "keys without a column 'id' of 16 bytes");
    for (int64_t row = 0; row < b->n_rows && r->at < r->n; row++) {
        struct sl_plan_key key = { .position = r->at++, .id = id->data + row * ID_BYTES };
        key.copy = copy ? (uint16_t)sl_column_int(copy, row) : 0;
        key.stage = stage ? (uint16_t)sl_column_int(stage, row) : 0;
        key.source = source ? (int)sl_column_int(source, row) : -1;
        if (key.source >= (int)r->keys->n_sources)
            return sl_err_set(err, SL_E_DATA, "a row of a source that the manifest does not name");
        SL_TRY(r->each(r->ctx, &key, err));
    }
    return SL_OK;
}

static enum sl_status read_one(struct reading *r, const char *path, struct sl_hash128 digest,
                               uint64_t rows, struct sl_err *err)
{
    const struct sl_each_batch each = { read_batch, r };
    struct sl_facts f;
    sl_facts_init(&f);
    enum sl_status st = sl_stream_check(path, &each, &f, err);
    if (st == SL_OK &&
        (memcmp(f.digest.b, digest.b, sizeof digest.b) != 0 || (uint64_t)f.n_rows != rows)) {
        st = sl_err_set(err, SL_E_DATA,
                        "'%s' is not what the manifest tells of: its digest differs", path);
    }
    sl_facts_release(&f);
    return st;
}

/* A file of the manifest's folder. */
static char *beside(const struct sl_plan_keys *k, const char *name)
{
    const char *slash = strrchr(k->path, '/');
    size_t n = slash ? (size_t)(slash - k->path) + 1 : 0, n_name = strlen(name) + 1;
    char *path = malloc(n + n_name);
    if (path) {
        memcpy(path, k->path, n);
        memcpy(path + n, name, n_name);
    }
    return path;
}

static enum sl_status read_file(struct reading *r, const char *name, struct sl_hash128 digest,
                                uint64_t rows, struct sl_err *err)
{
    char *path = beside(r->keys, name);
    enum sl_status st = path ? read_one(r, path, digest, rows, err) : sl_err_nomem(err, 0);
    free(path);
    return st;
}

static enum sl_status read_record(struct reading *r, struct sl_err *err)
{
    const struct sl_plan_keys *k = r->keys;
    struct sl_hash128 digest;
    const struct sl_json *order = sl_json_get(k->json, "order");
    if (!sl_hash128_parse(sl_json_str(sl_json_get(order, "digest")), &digest))
        return sl_err_set(err, SL_E_DATA, "'%s': the digest of its order is none", k->path);
    return read_file(r, "order.arrows", digest, k->sequences, err);
}

static enum sl_status read_shards(struct reading *r, struct sl_err *err)
{
    const struct sl_manifest *m = &r->keys->manifest;
    for (int64_t i = 0; i < m->n_shards && r->at < r->n; i++) {
        const struct sl_manifest_shard *shard = sl_manifest_shard(m, i);
        char name[SL_SHARD_NAME_BYTES];
        sl_shard_name(i, name);
        SL_TRY(read_file(r, name, shard->digest, (uint64_t)shard->sequences, err));
    }
    return SL_OK;
}

enum sl_status sl_plan_keys_read(const struct sl_plan_keys *k, uint64_t n,
                                 enum sl_status (*each)(void *ctx, const struct sl_plan_key *key,
                                                        struct sl_err *err),
                                 void *ctx, struct sl_err *err)
{
    struct reading r = { k, 0, n, each, ctx };
    SL_TRY(k->shards ? read_shards(&r, err) : read_record(&r, err));
    if (r.at == n)
        return SL_OK;
    return sl_err_set(err, SL_E_DATA, "'%s' tells of more rows than there are", k->path);
}
