/* SPDX-License-Identifier: Apache-2.0 */
/* An input is opened once and peeked into, so that a pipe may hold any of these.
 * JSON begins with '{'; anything else goes to the reader of streams, whose
 * messages say best what is wrong with it. Digests are not computed again: that
 * is sluice-verify's business; every message hash and the counts are checked. */
#include "report/walk.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "arrow/reader.h"
#include "io/source.h"
#include "order/manifest.h"
#include "order/shard_folder.h"

#define JSON_MAX_BYTES ((size_t)1 << 28)
enum { FIRST_BYTES = 64 };

void sl_walked_release(struct sl_walked *w)
{
    sl_json_free(w->json);
    *w = (struct sl_walked){ 0 };
}

/* ---- streams ---- */

struct walk {
    const char *path;
    bool rows;
    const struct sl_each_batch *each;
    struct sl_walked *out;
    struct sl_err *err;
};

static enum sl_status retell(struct sl_reader *r, enum sl_status st, struct sl_err *err)
{
    if (st != SL_E_UPSTREAM)
        return st;
    struct sl_upstream u = sl_reader_upstream(r);
    sl_err_reset(err);
    return sl_err_set(err, SL_E_DATA, "the stream ends in an error of %.*s: %.*s",
                      (int)(u.tool.n < 64 ? u.tool.n : 64), u.tool.p,
                      (int)(u.message.n < 500 ? u.message.n : 500), u.message.p);
}

static enum sl_status read_batches(const struct walk *k, struct sl_reader *r, struct sl_batch *b)
{
    for (;;) {
        enum sl_status st = sl_reader_next(r, b, k->err);
        if (st == SL_END)
            return SL_OK;
        SL_TRY(retell(r, st, k->err));
        k->out->rows += b->n_rows;
        if (k->each)
            SL_TRY(k->each->call(k->each->ctx, b, k->err));
    }
}

static enum sl_status read_stream(const struct walk *k, struct sl_source *src)
{
    struct sl_reader *r = NULL;
    struct sl_batch batch;
    sl_batch_init(&batch);
    enum sl_status st = sl_reader_open(&r, src, SL_READ_STRICT, k->err);
    if (st == SL_OK) {
        const char *kind = sl_reader_schema(r)->kind;
        snprintf(k->out->kind, sizeof k->out->kind, "%s", kind ? kind : "");
        k->out->rejects = sl_schema_find(sl_reader_schema(r), "reject_reason") >= 0;
        st = read_batches(k, r, &batch);
    } else {
        st = retell(r, st, k->err);
    }
    if (st == SL_OK && !k->out->json) {
        struct sl_str lineage = sl_reader_trailer(r)->lineage;
        st = sl_json_parse(&k->out->json, lineage.n ? lineage : SL_STR("[]"), k->err);
    }
    sl_batch_release(&batch);
    sl_reader_free(r);
    return st;
}

/* ---- folders ---- */

static enum sl_status take_manifest(const struct walk *k, const struct sl_manifest *m)
{
    k->out->type = SL_WALKED_SHARDS;
    snprintf(k->out->kind, sizeof k->out->kind, "sequences");
    k->out->rows = m->sequences;
    k->out->n_shards = m->n_shards;
    k->out->length = m->length;
    k->out->tokens = m->tokens;
    k->out->targets = m->targets;
    return sl_json_parse(&k->out->json, sl_str_of(m->lineage), k->err);
}

static enum sl_status read_shard(const struct walk *k, struct sl_folder *f, int64_t i,
                                 int64_t sequences)
{
    char name[SL_SHARD_NAME_BYTES];
    struct sl_source *src = NULL;
    int64_t before = k->out->rows;
    sl_shard_name(i, name);
    const char *path = sl_folder_path(f, name);
    if (!path)
        return sl_err_nomem(k->err, 0);
    enum sl_status st = sl_source_open(&src, path, SL_SOURCE_PLAIN, k->err);
    if (st == SL_OK)
        st = read_stream(k, src);
    sl_source_free(src);
    if (st == SL_OK && k->out->rows - before != sequences)
        st = sl_err_set(k->err, SL_E_DATA, "%lld sequences, where the manifest says %lld",
                        (long long)(k->out->rows - before), (long long)sequences);
    if (st != SL_OK)
        sl_err_at(k->err, sl_folder_path(f, name), -1, -1);
    return st;
}

static enum sl_status read_shards(const struct walk *k, const struct sl_manifest *m)
{
    struct sl_folder f;
    enum sl_status st = sl_folder_open(&f, k->path, false, k->err);
    k->out->rows = 0;
    for (int64_t i = 0; st == SL_OK && i < m->n_shards; i++)
        st = read_shard(k, &f, i, sl_manifest_shard(m, i)->sequences);
    sl_folder_release(&f);
    return st;
}

static enum sl_status walk_folder(const struct walk *k)
{
    char path[4096];
    struct sl_manifest m;
    struct stat info;
    int n = snprintf(path, sizeof path, "%s/" SL_MANIFEST_NAME, k->path);
    if (n < 0 || (size_t)n >= sizeof path)
        return sl_err_set(k->err, SL_E_USAGE, "the path of the folder is too long");
    if (stat(path, &info) != 0)
        return sl_err_set(k->err, SL_E_DATA,
                          "the folder '%s' has no " SL_MANIFEST_NAME ": it holds no shards, or "
                          "they are not complete",
                          k->path);
    enum sl_status st = sl_manifest_read(&m, path, k->err);
    if (st == SL_OK)
        st = take_manifest(k, &m);
    if (st == SL_OK && k->rows)
        st = read_shards(k, &m);
    sl_manifest_release(&m);
    return st;
}

/* ---- JSON ---- */

static enum sl_status walk_manifest(const struct walk *k, struct sl_str text)
{
    struct sl_manifest m;
    if (k->rows)
        return sl_err_set(k->err, SL_E_DATA, "a manifest has no rows: name its folder");
    enum sl_status st = sl_manifest_parse(&m, text, k->err);
    if (st == SL_OK)
        st = take_manifest(k, &m);
    sl_manifest_release(&m);
    return st;
}

static enum sl_status walk_json(const struct walk *k, struct sl_source *src)
{
    struct sl_buf text;
    struct sl_json *json = NULL;
    sl_buf_init(&text, JSON_MAX_BYTES);
    enum sl_status st = sl_source_read_all(src, &text, k->err);
    if (st == SL_OK)
        st = sl_json_parse(&json, sl_buf_str(&text), k->err);
    bool report = sl_json_type(sl_json_get(json, "tool")) == SL_JSON_STR &&
                  sl_json_type(sl_json_get(json, "tally")) == SL_JSON_OBJECT;
    if (st == SL_OK && report && !k->rows) {
        k->out->type = SL_WALKED_REPORT;
        k->out->json = json;
        json = NULL;
    } else if (st == SL_OK && sl_json_get(json, "format")) {
        st = walk_manifest(k, sl_buf_str(&text));
    } else if (st == SL_OK) {
        st = sl_err_set(k->err, SL_E_DATA, "JSON that is %s",
                        report ? "a report, where rows are asked for"
                               : "neither a report of a tool nor a manifest of shards");
    }
    sl_json_free(json);
    sl_buf_release(&text);
    return st;
}

static enum sl_status walk_file(const struct walk *k)
{
    struct sl_source *src = NULL;
    const uint8_t *p = NULL;
    size_t n = 0;
    enum sl_status st = sl_source_open(&src, k->path, SL_SOURCE_AUTO, k->err);
    if (st == SL_OK)
        st = sl_source_peek(src, FIRST_BYTES, &p, &n, k->err);
    if (st == SL_OK) {
        struct sl_str first = sl_str_trim((struct sl_str){ (const char *)p, n });
        st = first.n && first.p[0] == '{' ? walk_json(k, src) : read_stream(k, src);
    }
    sl_source_free(src);
    return st;
}

enum sl_status sl_walk(const char *path, enum sl_walk_mode mode, const struct sl_each_batch *each,
                       struct sl_walked *w, struct sl_err *err)
{
    struct stat info;
    struct walk k = { path, mode == SL_WALK_ROWS, each, w, err };
    *w = (struct sl_walked){ 0 };
    bool input = strcmp(path, "-") == 0;
    bool folder = !input && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    enum sl_status st = folder ? walk_folder(&k) : walk_file(&k);
    if (st != SL_OK)
        sl_err_at(err, input ? "(standard input)" : path, -1, -1);
    return st;
}
