/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of shards checked against its manifest. The manifest was checked in
 * itself when it was read; here each of its claims about the files is compared
 * with what the strict reader found in them, and the buffers' places with those
 * that the canonical form gives them, so that a reader that uses nothing but the
 * manifest's offsets reads the same values. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arrow/digest.h"
#include "base/json.h"
#include "base/num.h"
#include "order/manifest.h"
#include "order/shard_folder.h"
#include "order/shard_layout.h"
#include "order/stream_check.h"

struct shards {
    struct sl_folder folder;
    struct sl_manifest manifest;
    struct sl_facts *all;
    struct sl_schema schema; /* of the first shard */
    bool has_schema;
    struct sl_digest *digest;
    int64_t *offs;
    int64_t targets;
    int64_t shard; /* being read */
    int fd;        /* the same file, for what the reader does not tell */
};

/* ---- one batch ---- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The tokenizer as JSON is that of the manifest, whatever its blanks. */
static bool same_json(const char *a, const char *b)
{
    struct sl_json *x = NULL, *y = NULL;
    if (!a || !b)
        return a == b;
    bool same = sl_json_parse(&x, sl_str_of(a), NULL) == SL_OK &&
                sl_json_parse(&y, sl_str_of(b), NULL) == SL_OK && sl_json_equal(x, y);
    sl_json_free(x);
    sl_json_free(y);
    return same;
}

static enum sl_status check_names(const struct shards *k, struct sl_err *err)
{
    const struct sl_manifest *m = &k->manifest;
    const struct sl_schema *s = &k->schema;
    struct sl_arena arena;
    const char *const *names;
    uint32_t n;
    bool same = m->n_columns == s->n_fields;
    for (uint32_t i = 0; same && i < s->n_fields; i++)
        same = strcmp(m->columns[i].name, s->fields[i]->name) == 0;
    if (!same)
        return sl_err_set(err, SL_E_DATA, "the columns of the shards are not the manifest's");
    sl_arena_init(&arena, 0);
    enum sl_status st = sl_layout_names(s, &arena, &names, &n, err);
    same = st == SL_OK && n == m->n_buffers;
    for (uint32_t i = 0; same && i < n; i++)
        same = strcmp(names[i], m->buffers[i]) == 0;
    sl_arena_release(&arena);
    if (st == SL_OK && !same)
        return sl_err_set(err, SL_E_DATA, "the buffers of the shards are not the manifest's");
    return st;
}

static enum sl_status check_types(const struct shards *k, struct sl_err *err)
{
    const struct sl_manifest *m = &k->manifest;
    const struct sl_schema *s = &k->schema;
    int tokens = sl_schema_find(s, "tokens"), mask = sl_schema_find(s, "loss_mask");
    const struct sl_field *t = tokens < 0 ? NULL : s->fields[tokens];
    const struct sl_field *l = mask < 0 ? NULL : s->fields[mask];
    if (!same_text(s->kind, "sequences") || !t || t->type != SL_T_FIXED_LIST || !l ||
        l->type != SL_T_FIXED_LIST || l->size != t->size || l->children[0].type != SL_T_UINT8)
        return sl_err_set(err, SL_E_DATA, "the shards are no sequences");
    enum sl_type dtype = strcmp(m->dtype, "uint32") == 0 ? SL_T_UINT32 : SL_T_UINT16;
    if (t->size != m->length || t->children[0].type != dtype)
        return sl_err_set(err, SL_E_DATA,
                          "the shards have %d tokens a row, or tokens of another type, where the "
                          "manifest says %lld of %s",
                          t->size, (long long)m->length, m->dtype);
    if (!same_json(s->tokenizer, m->tokenizer))
        return sl_err_set(err, SL_E_DATA, "the shards' tokenizer is not the manifest's");
    return check_names(k, err);
}

/* The schema of the first batch of a shard: that of all, and the manifest's. */
static enum sl_status check_schema(struct shards *k, const struct sl_schema *s, struct sl_err *err)
{
    char why[256];
    if (s->lineage)
        return sl_err_set(err, SL_E_DATA, "the shard's schema has a lineage");
    if (k->has_schema) {
        if (!sl_schema_same(s, &k->schema, why))
            return sl_err_set(err, SL_E_DATA, "its columns differ from the first shard's: %s", why);
        if (!same_text(s->kind, k->schema.kind) || !same_text(s->tokenizer, k->schema.tokenizer))
            return sl_err_set(err, SL_E_DATA,
                              "its kind or tokenizer differs from the first shard's");
        return SL_OK;
    }
    SL_TRY(sl_schema_copy(&k->schema, s, err));
    k->has_schema = true;
    SL_TRY(check_types(k, err));
    k->digest = sl_digest_new(&k->schema);
    return k->digest ? SL_OK : sl_err_nomem(err, 0);
}

/* Where the body of a batch begins: behind marker, length and metadata. */
static enum sl_status body_off(const struct shards *k, const struct sl_batch *b, int64_t *off,
                               struct sl_err *err)
{
    uint8_t front[8];
    ssize_t n = pread(k->fd, front, sizeof front, b->off);
    if (n != (ssize_t)sizeof front)
        return sl_err_sys(err, n < 0 ? errno : EIO, "cannot read");
    *off = b->off + 8 + (int64_t)sl_load32(front + 4);
    return SL_OK;
}

static enum sl_status check_offsets(struct shards *k, const struct sl_batch *b,
                                    const struct sl_manifest_batch *said, struct sl_err *err)
{
    int64_t off = 0;
    SL_TRY(body_off(k, b, &off, err));
    (void)sl_layout_offsets(b, off, k->offs);
    for (uint32_t i = 0; i < k->manifest.n_buffers; i++)
        if (k->offs[i] != said->buffer_offs[i])
            return sl_err_set(
                err, SL_E_DATA, "buffer '%s' lies at byte %lld, where the manifest says %lld",
                k->manifest.buffers[i], (long long)k->offs[i], (long long)said->buffer_offs[i]);
    return SL_OK;
}

static void count_targets(struct shards *k, const struct sl_batch *b)
{
    const struct sl_column *items = &sl_batch_column(b, "loss_mask")->children[0];
    for (int64_t i = 0; i < items->n; i++)
        k->targets += items->data[i] == 1;
}

static enum sl_status check_batch(void *ctx, const struct sl_batch *b, struct sl_err *err)
{
    struct shards *k = ctx;
    enum sl_status st = SL_OK;
    if (b->seq == 0)
        SL_TRY(check_schema(k, b->schema, err));
    if (b->seq >= sl_manifest_n_batches(&k->manifest, k->shard))
        st = sl_err_set(err, SL_E_DATA, "more batches than the manifest says");
    if (st == SL_OK) {
        struct sl_manifest_batch said = sl_manifest_batch(&k->manifest, k->shard, b->seq);
        if (said.rows != b->n_rows)
            st = sl_err_set(err, SL_E_DATA, "%lld rows in a batch, where the manifest says %lld",
                            (long long)b->n_rows, (long long)said.rows);
        else
            st = check_offsets(k, b, &said, err);
    }
    if (st != SL_OK) {
        sl_err_at(err, NULL, b->off, b->seq + 1);
        return st;
    }
    sl_digest_add_batch(k->digest, b);
    count_targets(k, b);
    return SL_OK;
}

/* ---- one shard ---- */

static enum sl_status open_shard(struct shards *k, const char *path,
                                 const struct sl_manifest_shard *said, struct sl_err *err)
{
    struct stat info;
    k->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (k->fd < 0 && errno == ENOENT)
        return sl_err_set(err, SL_E_DATA, "the shard is missing");
    if (k->fd < 0 || fstat(k->fd, &info) != 0)
        return sl_err_sys(err, errno, "cannot open");
    if (!S_ISREG(info.st_mode))
        return sl_err_set(err, SL_E_DATA, "the shard is no file");
    if (info.st_size != said->bytes)
        return sl_err_set(err, SL_E_DATA, "the shard has %lld bytes, where the manifest says %lld",
                          (long long)info.st_size, (long long)said->bytes);
    return SL_OK;
}

static enum sl_status compare_shard(const struct shards *k, const struct sl_facts *f,
                                    struct sl_err *err)
{
    const struct sl_manifest_shard *said = sl_manifest_shard(&k->manifest, k->shard);
    if (f->n_batches != sl_manifest_n_batches(&k->manifest, k->shard) ||
        f->n_rows != said->sequences)
        return sl_err_set(err, SL_E_DATA,
                          "%lld sequences in %lld batches, where the manifest says %lld in %lld",
                          (long long)f->n_rows, (long long)f->n_batches, (long long)said->sequences,
                          (long long)sl_manifest_n_batches(&k->manifest, k->shard));
    if (memcmp(f->digest.b, said->digest.b, sizeof said->digest.b) != 0)
        return sl_err_set(err, SL_E_DATA, "the shard's digest is not the manifest's");
    if (strcmp(f->lineage, "[]") != 0)
        return sl_err_set(err, SL_E_DATA, "the shard's trailer has a lineage");
    return SL_OK;
}

static enum sl_status check_shard(struct shards *k, const char *path, struct sl_err *err)
{
    struct sl_facts f;
    struct sl_each_batch each = { check_batch, k };
    SL_TRY(open_shard(k, path, sl_manifest_shard(&k->manifest, k->shard), err));
    sl_facts_init(&f);
    enum sl_status st = sl_stream_check(path, &each, &f, err);
    if (st == SL_OK)
        st = compare_shard(k, &f, err);
    k->all->n_rows += f.n_rows;
    k->all->n_batches += f.n_batches;
    sl_hash128_add(&k->all->ids, f.ids);
    sl_facts_release(&f);
    return st;
}

static enum sl_status check_all(struct shards *k, struct sl_err *err)
{
    for (; k->shard < k->manifest.n_shards; k->shard++) {
        char name[SL_SHARD_NAME_BYTES];
        sl_shard_name(k->shard, name);
        const char *path = sl_folder_path(&k->folder, name);
        if (!path)
            return sl_err_nomem(err, 0);
        enum sl_status st = check_shard(k, path, err);
        if (k->fd >= 0)
            (void)close(k->fd);
        k->fd = -1;
        if (st != SL_OK) {
            sl_err_at(err, path, -1, -1);
            return st;
        }
    }
    return SL_OK;
}

/* ---- the folder ---- */

/* A shard file that the manifest does not name would be read by a glob. */
static enum sl_status check_strays(struct shards *k, struct sl_err *err)
{
    struct sl_arena arena;
    const char *const *names;
    size_t n = 0;
    sl_arena_init(&arena, 0);
    enum sl_status st = sl_folder_list(&k->folder, &arena, &names, &n, err);
    for (size_t i = 0; st == SL_OK && i < n; i++) {
        struct sl_str name = sl_str_of(names[i]);
        bool looks = sl_str_starts(name, SL_STR("shard-")) && sl_str_ends(name, SL_STR(".arrows"));
        int64_t number = sl_shard_number(names[i]);
        if (looks && (number < 0 || number >= k->manifest.n_shards))
            st = sl_err_set(err, SL_E_DATA, "'%s' is a shard that the manifest does not name",
                            names[i]);
    }
    sl_arena_release(&arena);
    return st;
}

/* The digests of all rows are the manifest's, and become the facts. */
static enum sl_status check_digests(struct shards *k, struct sl_err *err)
{
    const struct sl_manifest *m = &k->manifest;
    struct sl_facts *f = k->all;
    for (uint32_t i = 0; i < m->n_columns; i++) {
        f->columns[i] = k->digest ? sl_digest_column(k->digest, i) : m->columns[i].digest;
        if (memcmp(f->columns[i].b, m->columns[i].digest.b, sizeof f->columns[i].b) != 0)
            return sl_err_set(err, SL_E_DATA,
                              "the digest of column '%s' over all shards is not the manifest's",
                              m->columns[i].name);
    }
    f->digest = sl_digest_stream(f->columns, m->n_columns);
    if (memcmp(f->digest.b, m->digest.b, sizeof m->digest.b) != 0)
        return sl_err_set(err, SL_E_DATA, "the manifest's digest is not that of its columns");
    if (k->targets != m->targets)
        return sl_err_set(err, SL_E_DATA, "%lld targets, where the manifest says %lld",
                          (long long)k->targets, (long long)m->targets);
    return SL_OK;
}

static enum sl_status take_names(struct shards *k, struct sl_err *err)
{
    const struct sl_manifest *m = &k->manifest;
    struct sl_facts *f = k->all;
    f->n_shards = m->n_shards;
    f->columns = calloc(m->n_columns + 1U, sizeof *f->columns);
    f->names = calloc(m->n_columns + 1U, sizeof *f->names);
    f->lineage = strdup(m->lineage);
    k->offs = calloc(m->n_buffers + 1U, sizeof *k->offs);
    if (!f->columns || !f->names || !f->lineage || !k->offs)
        return sl_err_nomem(err, 0);
    f->n_columns = m->n_columns;
    for (uint32_t i = 0; i < m->n_columns; i++)
        if (!(f->names[i] = strdup(m->columns[i].name)))
            return sl_err_nomem(err, 0);
    return SL_OK;
}

static enum sl_status check_folder(struct shards *k, const char *dir, struct sl_err *err)
{
    SL_TRY(sl_folder_open(&k->folder, dir, false, err));
    const char *path = sl_folder_path(&k->folder, SL_MANIFEST_NAME);
    if (!path)
        return sl_err_nomem(err, 0);
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return sl_err_set(err, SL_E_DATA,
                          "the folder has no " SL_MANIFEST_NAME
                          ": its shards are not complete, or it holds none");
    SL_TRY(sl_manifest_read(&k->manifest, path, err));
    SL_TRY(take_names(k, err));
    SL_TRY(check_strays(k, err));
    SL_TRY(check_all(k, err));
    SL_TRY(check_digests(k, err));
    return k->has_schema ? sl_schema_copy(&k->all->schema, &k->schema, err) : SL_OK;
}

enum sl_status sl_shards_check(const char *dir, struct sl_facts *facts, struct sl_err *err)
{
    struct shards k = { .all = facts, .fd = -1 };
    k.folder.fd = -1;
    sl_manifest_init(&k.manifest);
    enum sl_status st = check_folder(&k, dir, err);
    sl_digest_free(k.digest);
    sl_manifest_release(&k.manifest);
    if (k.has_schema)
        sl_schema_release(&k.schema);
    sl_folder_release(&k.folder);
    free(k.offs);
    if (st != SL_OK)
        sl_err_at(err, dir, -1, -1);
    return st;
}
