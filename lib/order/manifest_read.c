/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest read. It comes from a folder that anybody may have touched, so
 * that every number is checked against the others before it is believed: no
 * offset leads out of its file, no sum is other than its parts. */
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "io/source.h"
#include "order/manifest.h"
#include "order/shard_folder.h"

#define FILE_MAX_BYTES ((size_t)1 << 32)

enum { NAMES_MAX = 1 << 16 };

struct parse {
    struct sl_manifest *m;
    const struct sl_json *root;
    int tokens_at;
    struct sl_err *err;
};

static enum sl_status bad(struct sl_err *err, const char *key, const char *what)
{
    return sl_err_set(err, SL_E_DATA, "'%s' %s", key, what);
}

/* An integer from min on. */
static enum sl_status get_int(const struct sl_json *o, const char *key, int64_t min, int64_t *out,
                              struct sl_err *err)
{
    const struct sl_json *v = sl_json_get(o, key);
    if (sl_json_type(v) != SL_JSON_INT)
        return bad(err, key, v ? "is no integer" : "is missing");
    *out = sl_json_int(v);
    return *out >= min ? SL_OK : bad(err, key, "is too small");
}

static enum sl_status get_hash(const struct sl_json *v, const char *key, struct sl_hash128 *out,
                               struct sl_err *err)
{
    return sl_hash128_parse(sl_json_str(v), out) ? SL_OK : bad(err, key, "is no digest");
}

static enum sl_status expect_str(const struct sl_json *o, const char *key, const char *value,
                                 struct sl_err *err)
{
    if (sl_str_eq(sl_json_str(sl_json_get(o, key)), sl_str_of(value)))
        return SL_OK;
    return sl_err_set(err, SL_E_DATA, "'%s' is not \"%s\"", key, value);
}

static enum sl_status get_array(const struct sl_json *o, const char *key,
                                const struct sl_json **out, struct sl_err *err)
{
    *out = sl_json_get(o, key);
    return sl_json_type(*out) == SL_JSON_ARRAY ? SL_OK : bad(err, key, "is no array");
}

/* A name without NUL, copied. */
static enum sl_status get_name(struct parse *p, const struct sl_json *v, const char *key,
                               const char **out)
{
    struct sl_str s = sl_json_str(v);
    if (sl_json_type(v) != SL_JSON_STR || !s.n || memchr(s.p, 0, s.n))
        return bad(p->err, key, "has an entry that is no name");
    *out = sl_arena_str(&p->m->arena, s);
    return *out ? SL_OK : sl_err_nomem(p->err, s.n);
}

/* A part of the text as compact JSON, copied. */
static enum sl_status get_text(struct parse *p, const struct sl_json *v, const char **out)
{
    struct sl_buf text;
    sl_buf_init(&text, FILE_MAX_BYTES);
    enum sl_status st = sl_json_dump(v, &text, p->err);
    if (st == SL_OK) {
        *out = sl_arena_str(&p->m->arena, sl_buf_str(&text));
        st = *out ? SL_OK : sl_err_nomem(p->err, text.n);
    }
    sl_buf_release(&text);
    return st;
}

static enum sl_status parse_counts(struct parse *p)
{
    struct sl_manifest *m = p->m;
    uint64_t tokens;
    SL_TRY(get_int(p->root, "sequences", 0, &m->sequences, p->err));
    SL_TRY(get_int(p->root, "length", 1, &m->length, p->err));
    SL_TRY(get_int(p->root, "sequences_per_shard", 1, &m->per_shard, p->err));
    SL_TRY(get_int(p->root, "tokens", 0, &m->tokens, p->err));
    SL_TRY(get_int(p->root, "targets", 0, &m->targets, p->err));
    if (!sl_mul_ok((uint64_t)m->sequences, (uint64_t)m->length, &tokens) ||
        tokens != (uint64_t)m->tokens)
        return bad(p->err, "tokens", "is not sequences times length");
    return m->targets <= m->tokens ? SL_OK : bad(p->err, "targets", "is more than tokens");
}

static enum sl_status parse_head(struct parse *p)
{
    struct sl_manifest *m = p->m;
    int64_t version;
    SL_TRY(expect_str(p->root, "format", "sluice-shards", p->err));
    SL_TRY(get_int(p->root, "version", 1, &version, p->err));
    if (version != 1)
        return sl_err_set(p->err, SL_E_DATA, "version %lld of the format, where 1 is known",
                          (long long)version);
    SL_TRY(expect_str(p->root, "kind", "sequences", p->err));
    SL_TRY(parse_counts(p));
    m->dtype = sl_str_eq(sl_json_str(sl_json_get(p->root, "dtype")), SL_STR("uint32")) ? "uint32"
                                                                                       : "uint16";
    SL_TRY(expect_str(p->root, "dtype", m->dtype, p->err));
    SL_TRY(get_hash(sl_json_get(p->root, "digest"), "digest", &m->digest, p->err));
    const struct sl_json *tokenizer = sl_json_get(p->root, "tokenizer");
    if (sl_json_type(tokenizer) == SL_JSON_OBJECT)
        SL_TRY(get_text(p, tokenizer, &m->tokenizer));
    else if (sl_json_type(tokenizer) != SL_JSON_NULL)
        return bad(p->err, "tokenizer", "is neither an object nor null");
    const struct sl_json *lineage;
    SL_TRY(get_array(p->root, "lineage", &lineage, p->err));
    return get_text(p, lineage, &m->lineage);
}

static enum sl_status parse_columns(struct parse *p)
{
    struct sl_manifest *m = p->m;
    const struct sl_json *all;
    SL_TRY(get_array(p->root, "columns", &all, p->err));
    if (sl_json_count(all) > NAMES_MAX)
        return bad(p->err, "columns", "has too many entries");
    m->n_columns = (uint32_t)sl_json_count(all);
    m->columns = sl_arena_zeros(&m->arena, m->n_columns + 1U, sizeof *m->columns);
    if (!m->columns)
        return sl_err_nomem(p->err, m->n_columns);
    for (uint32_t i = 0; i < m->n_columns; i++) {
        const struct sl_json *pair = sl_json_at(all, i);
        SL_TRY(get_name(p, sl_json_at(pair, 0), "columns", &m->columns[i].name));
        SL_TRY(get_hash(sl_json_at(pair, 1), "columns", &m->columns[i].digest, p->err));
    }
    return SL_OK;
}

static enum sl_status parse_buffers(struct parse *p)
{
    struct sl_manifest *m = p->m;
    const struct sl_json *all;
    SL_TRY(get_array(p->root, "buffers", &all, p->err));
    if (sl_json_count(all) > NAMES_MAX)
        return bad(p->err, "buffers", "has too many entries");
    uint32_t n = (uint32_t)sl_json_count(all);
    const char **names = sl_arena_zeros(&m->arena, n + 1U, sizeof *names);
    if (!names)
        return sl_err_nomem(p->err, n);
    for (uint32_t i = 0; i < n; i++)
        SL_TRY(get_name(p, sl_json_at(all, i), "buffers", &names[i]));
    m->buffers = names;
    m->n_buffers = n;
    p->tokens_at = sl_manifest_tokens_buffer(m);
    return p->tokens_at >= 0 ? SL_OK : bad(p->err, "buffers", "has no tokens.item.values");
}

/* The offsets of one batch, into offs. */
static enum sl_status parse_offsets(struct parse *p, const struct sl_json *batch,
                                    int64_t file_bytes, int64_t *offs)
{
    const struct sl_json *all;
    int64_t tokens;
    SL_TRY(get_array(batch, "buffers", &all, p->err));
    if (sl_json_count(all) != p->m->n_buffers)
        return bad(p->err, "buffers", "has another number of offsets than there are names");
    for (uint32_t i = 0; i < p->m->n_buffers; i++) {
        const struct sl_json *v = sl_json_at(all, i);
        offs[i] = sl_json_int(v);
        bool placed = offs[i] >= 0 && offs[i] < file_bytes && offs[i] % 64 == 0;
        if (sl_json_type(v) != SL_JSON_INT || (!placed && offs[i] != -1))
            return bad(p->err, "buffers", "has an offset at which no buffer can be");
    }
    SL_TRY(get_int(batch, "tokens", 0, &tokens, p->err));
    return tokens == offs[p->tokens_at] ? SL_OK
                                        : bad(p->err, "tokens", "is not the offset in 'buffers'");
}

static enum sl_status parse_batches(struct parse *p, const struct sl_json *shard, int64_t bytes,
                                    int64_t *offs)
{
    const struct sl_json *all;
    SL_TRY(get_array(shard, "batches", &all, p->err));
    for (size_t i = 0; i < sl_json_count(all); i++) {
        int64_t rows;
        const struct sl_json *batch = sl_json_at(all, i);
        SL_TRY(get_int(batch, "rows", 1, &rows, p->err));
        if (rows > p->m->per_shard)
            return bad(p->err, "rows", "is more than a shard has");
        SL_TRY(parse_offsets(p, batch, bytes, offs));
        SL_TRY(sl_manifest_add_batch(p->m, rows, offs, p->err));
        if (sl_manifest_shard(p->m, p->m->n_shards - 1)->sequences > p->m->per_shard)
            return bad(p->err, "batches", "have more rows than a shard has");
    }
    return SL_OK;
}

/* All shards are full but the last, which has what is left. */
static int64_t rows_of_shard(const struct sl_manifest *m, int64_t k)
{
    int64_t left = m->sequences - k * m->per_shard;
    return left < m->per_shard ? left : m->per_shard;
}

static enum sl_status parse_shard(struct parse *p, int64_t k, const struct sl_json *shard,
                                  int64_t *offs)
{
    char name[SL_SHARD_NAME_BYTES];
    int64_t sequences, bytes;
    sl_shard_name(k, name);
    SL_TRY(expect_str(shard, "file", name, p->err));
    SL_TRY(get_int(shard, "sequences", 1, &sequences, p->err));
    SL_TRY(get_int(shard, "bytes", 64, &bytes, p->err));
    SL_TRY(sl_manifest_add_shard(p->m, p->err));
    struct sl_manifest_shard *s = sl_manifest_shard(p->m, k);
    s->bytes = bytes;
    SL_TRY(get_hash(sl_json_get(shard, "digest"), "digest", &s->digest, p->err));
    SL_TRY(parse_batches(p, shard, bytes, offs));
    if (s->sequences != sequences || sequences != rows_of_shard(p->m, k))
        return bad(p->err, "sequences", "is not the sum of the batches, or not what is due");
    return SL_OK;
}

static enum sl_status parse_shards(struct parse *p)
{
    const struct sl_json *all;
    SL_TRY(get_array(p->root, "shards", &all, p->err));
    struct sl_manifest *m = p->m;
    uint64_t n = (uint64_t)m->sequences / (uint64_t)m->per_shard +
                 ((uint64_t)m->sequences % (uint64_t)m->per_shard != 0);
    if (sl_json_count(all) != n)
        return bad(p->err, "shards", "are not so many as sequences need");
    int64_t *offs = sl_arena_zeros(&m->arena, m->n_buffers + 1U, sizeof *offs);
    if (!offs)
        return sl_err_nomem(p->err, m->n_buffers);
    for (uint64_t k = 0; k < n; k++) {
        char name[SL_SHARD_NAME_BYTES];
        sl_shard_name((int64_t)k, name);
        struct sl_err why = SL_ERR_INIT;
        struct parse q = { p->m, p->root, p->tokens_at, &why };
        if (parse_shard(&q, (int64_t)k, sl_json_at(all, k), offs) != SL_OK)
            return sl_err_set(p->err, why.status, "%s: %s", name, why.msg);
    }
    return SL_OK;
}

enum sl_status sl_manifest_parse(struct sl_manifest *m, struct sl_str text, struct sl_err *err)
{
    struct sl_json *root;
    sl_manifest_init(m);
    SL_TRY(sl_json_parse(&root, text, err));
    struct parse p = { .m = m, .root = root, .err = err };
    enum sl_status st = sl_json_type(root) == SL_JSON_OBJECT
                            ? parse_head(&p)
                            : sl_err_set(err, SL_E_DATA, "no JSON object");
    if (st == SL_OK)
        st = parse_columns(&p);
    if (st == SL_OK)
        st = parse_buffers(&p);
    if (st == SL_OK)
        st = parse_shards(&p);
    sl_json_free(root);
    return st;
}

enum sl_status sl_manifest_read(struct sl_manifest *m, const char *path, struct sl_err *err)
{
    struct sl_buf text;
    sl_manifest_init(m);
    sl_buf_init(&text, FILE_MAX_BYTES);
    enum sl_status st = sl_file_read(path, &text, err);
    if (st == SL_OK)
        st = sl_manifest_parse(m, sl_buf_str(&text), err);
    sl_buf_release(&text);
    if (st != SL_OK)
        sl_err_at(err, path, -1, -1);
    return st;
}
