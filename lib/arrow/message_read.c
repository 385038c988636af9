/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata of messages. Everything is copied out of the FlatBuffers buffer as
 * it is decoded (numbers into parts, names into an arena), but for the three
 * texts of a message's custom_metadata.
 *
 * References in a buffer may share targets, so a small one can describe a tree
 * without end: fields are counted while they are decoded, and depth is
 * bounded, before anything is taken for them. All other rules of a schema are
 * those of sl_schema_add. */
#include "arrow/message_read.h"

#include "base/arena.h"
#include "base/utf8.h"

enum { MESSAGE_VERSION, MESSAGE_HEADER_TYPE, MESSAGE_HEADER, MESSAGE_BODY, MESSAGE_META };
enum { SCHEMA_ENDIANNESS, SCHEMA_FIELDS, SCHEMA_META, SCHEMA_FEATURES };
enum {
    FIELD_NAME,
    FIELD_NULLABLE,
    FIELD_TYPE_TYPE,
    FIELD_TYPE,
    FIELD_DICTIONARY,
    FIELD_CHILDREN,
    FIELD_META
};
enum { BATCH_LENGTH, BATCH_NODES, BATCH_BUFFERS, BATCH_COMPRESSION, BATCH_VARIADIC };
enum { PAIR_KEY, PAIR_VALUE, VERSION_V4 = 3, VERSION_V5 = 4, CODEC_ZSTD = 1 };
enum { REF = 4, MAX_PAIRS = 64, STRUCT_BYTES = 16 };

static enum sl_status damaged(struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "damaged metadata: a reference leads outside");
}

/* ---- the message ---- */

/* Pair i of a vector of KeyValue; both p are NULL where it is damaged. */
static struct sl_str pair_at(struct sl_fbr *r, struct sl_fbr_vector v, uint32_t i,
                             struct sl_str *value)
{
    struct sl_fbr_table t = sl_fbr_table_at(r, v, i);
    *value = sl_fbr_string(r, t, PAIR_VALUE);
    if (value->p == NULL)
        *value = SL_STR("");
    struct sl_str key = sl_fbr_string(r, t, PAIR_KEY);
    return key.p ? key : SL_STR("");
}

static enum sl_status take_once(struct sl_str *at, struct sl_str key, struct sl_str value,
                                bool strict, struct sl_err *err)
{
    if (at->p && strict)
        return sl_err_set(err, SL_E_DATA, "metadata key '%.*s' is there twice", (int)key.n, key.p);
    if (!at->p)
        *at = value;
    return SL_OK;
}

static enum sl_status too_many_pairs(uint32_t n, struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "%u metadata pairs (%d are possible)", n, MAX_PAIRS);
}

static enum sl_status message_pairs(struct sl_front *f, struct sl_fbr_table message, bool strict,
                                    struct sl_err *err)
{
    struct sl_fbr_vector v = sl_fbr_vector(&f->fbr, message, MESSAGE_META, REF);
    if (strict && v.n > MAX_PAIRS)
        return too_many_pairs(v.n, err);
    for (uint32_t i = 0; i < v.n; i++) {
        struct sl_str value, key = pair_at(&f->fbr, v, i, &value);
        struct sl_str *at = sl_str_eq(key, SL_STR("sl:xxh3"))      ? &f->hash
                            : sl_str_eq(key, SL_STR("sl:trailer")) ? &f->trailer
                            : sl_str_eq(key, SL_STR("sl:error"))   ? &f->error
                                                                   : NULL;
        if (at)
            SL_TRY(take_once(at, key, value, strict, err));
        if (strict && at == &f->hash && i + 1 != v.n)
            return sl_err_set(err, SL_E_DATA, "sl:xxh3 is not the last metadata key");
    }
    return SL_OK;
}

enum sl_status sl_front_parse(struct sl_front *f, struct sl_str metadata, bool strict,
                              struct sl_err *err)
{
    *f = (struct sl_front){ .body_bytes = 0 };
    struct sl_fbr *r = &f->fbr;
    sl_fbr_init(r, metadata);
    struct sl_fbr_table m = sl_fbr_root(r);
    if (r->bad)
        return damaged(err);
    int version = (int16_t)sl_fbr_scalar(r, m, MESSAGE_VERSION, 2, 0);
    if (version != VERSION_V5 && (strict || version != VERSION_V4))
        return sl_err_set(err, SL_E_DATA, "Arrow metadata version V%d: V5 is read", version + 1);
    f->header_type = (int)sl_fbr_scalar(r, m, MESSAGE_HEADER_TYPE, 1, 0);
    f->header = sl_fbr_table(r, m, MESSAGE_HEADER);
    f->body_bytes = (int64_t)sl_fbr_scalar(r, m, MESSAGE_BODY, 8, 0);
    SL_TRY(message_pairs(f, m, strict, err));
    if (r->bad || f->header.at == 0)
        return damaged(err);
    if (f->body_bytes < 0 || (uint64_t)f->body_bytes > SL_MAX_BODY_BYTES)
        return sl_err_set(err, SL_E_DATA, "a body of %lld bytes (%zu are possible)",
                          (long long)f->body_bytes, SL_MAX_BODY_BYTES);
    if (strict && f->body_bytes % 64 != 0)
        return sl_err_set(err, SL_E_DATA, "a body of %lld bytes, no multiple of 64",
                          (long long)f->body_bytes);
    return SL_OK;
}

/* ---- the schema ---- */

enum { ARROW_LAST_TYPE = 26 };
static const char *const arrow_types[ARROW_LAST_TYPE + 1] = {
    "none",
    "null",
    "int",
    "floating point",
    "binary",
    "utf8",
    "bool",
    "decimal",
    "date",
    "time",
    "timestamp",
    "interval",
    "list",
    "struct",
    "union",
    "fixed_size_binary",
    "fixed_size_list",
    "map",
    "duration",
    "large_binary",
    "large_utf8",
    "large_list",
    "run_end_encoded",
    "binary_view",
    "utf8_view",
    "list_view",
    "large_list_view",
};

/* Those that the type's number alone decides. */
static const int8_t plain_types[ARROW_LAST_TYPE + 1] = {
    [4] = SL_T_BINARY,        [5] = SL_T_UTF8,        [6] = SL_T_BOOL,
    [10] = SL_T_TIMESTAMP,    [12] = SL_T_LIST,       [13] = SL_T_STRUCT,
    [15] = SL_T_FIXED_BINARY, [16] = SL_T_FIXED_LIST, [19] = SL_T_LARGE_BINARY,
    [20] = SL_T_LARGE_UTF8,   [21] = SL_T_LARGE_LIST,
};

struct decode {
    struct sl_fbr *r;
    struct sl_arena *arena;
    bool strict;
    uint32_t n_fields;
    struct sl_err *err;
};

static enum sl_status refuse(const struct decode *d, const char *name, const char *type)
{
    return sl_err_set(d->err, SL_E_DATA, "column '%s' has the type %s: sluice-import converts it",
                      name, type);
}

/* A copy as a C string, NULL where that fails: too long, or a NUL inside. */
static enum sl_status copy_text(const struct decode *d, struct sl_str s, const char *what,
                                const char **out)
{
    if (s.n > SL_MAX_NAME_BYTES)
        return sl_err_set(d->err, SL_E_DATA, "a %s of %zu bytes (%d are possible)", what, s.n,
                          SL_MAX_NAME_BYTES);
    if (s.n && memchr(s.p, 0, s.n))
        return sl_err_set(d->err, SL_E_DATA, "a %s with a zero byte", what);
    if (!sl_utf8_valid(s.p, s.n))
        return sl_err_set(d->err, SL_E_DATA, "a %s that is not UTF-8", what);
    *out = sl_arena_str(d->arena, s);
    return *out ? SL_OK : sl_err_nomem(d->err, s.n);
}

static enum sl_status int_type(const struct decode *d, struct sl_fbr_table t, struct sl_field *f)
{
    bool is_signed = sl_fbr_scalar(d->r, t, 1, 1, 0) != 0;
    uint64_t bits = sl_fbr_scalar(d->r, t, 0, 4, 0);
    enum sl_type base = is_signed ? SL_T_INT8 : SL_T_UINT8;
    if (bits != 8 && bits != 16 && bits != 32 && bits != 64)
        return sl_err_set(d->err, SL_E_DATA, "column '%s' has integers of %llu bits", f->name,
                          (unsigned long long)bits);
    f->type = base + (bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : 3);
    return SL_OK;
}

static enum sl_status time_type(const struct decode *d, struct sl_fbr_table t, struct sl_field *f)
{
    f->unit = (enum sl_time_unit)sl_fbr_scalar(d->r, t, 0, 2, 0);
    struct sl_str zone = sl_fbr_string(d->r, t, 1);
    if (!zone.p || (zone.n == 0 && !d->strict))
        return SL_OK;
    return copy_text(d, zone, "time zone", &f->zone);
}

static enum sl_status decode_type(const struct decode *d, struct sl_fbr_table field,
                                  struct sl_field *f)
{
    unsigned code = (unsigned)sl_fbr_scalar(d->r, field, FIELD_TYPE_TYPE, 1, 0);
    struct sl_fbr_table t = sl_fbr_table(d->r, field, FIELD_TYPE);
    if (d->r->bad || t.at == 0)
        return damaged(d->err);
    if (code == 0 || code > ARROW_LAST_TYPE)
        return sl_err_set(d->err, SL_E_DATA, "column '%s' has an unknown type (%u)", f->name, code);
    if (code == 2)
        return int_type(d, t, f);
    if (code == 3) {
        uint64_t precision = sl_fbr_scalar(d->r, t, 0, 2, 0);
        f->type = precision == 1 ? SL_T_FLOAT32 : SL_T_FLOAT64;
        return precision == 1 || precision == 2 ? SL_OK : refuse(d, f->name, "float16");
    }
    f->type = (enum sl_type)plain_types[code];
    if (f->type == 0)
        return refuse(d, f->name, arrow_types[code]);
    if (f->type == SL_T_TIMESTAMP)
        return time_type(d, t, f);
    if (f->type == SL_T_FIXED_BINARY || f->type == SL_T_FIXED_LIST)
        f->size = (int32_t)sl_fbr_scalar(d->r, t, 0, 4, 0);
    return SL_OK;
}

static bool is_list(enum sl_type t)
{
    return t == SL_T_LIST || t == SL_T_LARGE_LIST || t == SL_T_FIXED_LIST;
}

static enum sl_status decode_field(struct decode *d, struct sl_fbr_table t, int depth,
                                   struct sl_field *f)
{
    if (d->r->bad || t.at == 0)
        return damaged(d->err);
    if (++d->n_fields > SL_MAX_FIELDS)
        return sl_err_set(d->err, SL_E_DATA, "more than %d columns", SL_MAX_FIELDS);
    if (depth > SL_MAX_DEPTH)
        return sl_err_set(d->err, SL_E_DATA, "columns nested more than %d deep", SL_MAX_DEPTH);
    SL_TRY(copy_text(d, sl_fbr_string(d->r, t, FIELD_NAME), "column name", &f->name));
    f->nullable = sl_fbr_scalar(d->r, t, FIELD_NULLABLE, 1, 0) != 0;
    if (sl_fbr_has(d->r, t, FIELD_DICTIONARY))
        return refuse(d, f->name, "dictionary");
    if (d->strict && sl_fbr_vector(d->r, t, FIELD_META, REF).n)
        return sl_err_set(d->err, SL_E_DATA, "column '%s' has metadata of its own", f->name);
    SL_TRY(decode_type(d, t, f));
    struct sl_fbr_vector v = sl_fbr_vector(d->r, t, FIELD_CHILDREN, REF);
    if (v.n > SL_MAX_FIELDS - d->n_fields)
        return sl_err_set(d->err, SL_E_DATA, "more than %d columns", SL_MAX_FIELDS);
    if (d->r->bad)
        return damaged(d->err);
    if (v.n == 0)
        return SL_OK;
    f->children = sl_arena_zeros(d->arena, v.n, sizeof *f->children);
    if (!f->children)
        return sl_err_nomem(d->err, v.n * sizeof *f->children);
    f->n_children = v.n;
    for (uint32_t i = 0; i < v.n; i++)
        SL_TRY(decode_field(d, sl_fbr_table_at(d->r, v, i), depth + 1, &f->children[i]));
    if (!d->strict && is_list(f->type))
        f->children[0].name = "item";
    return SL_OK;
}

static enum sl_status decode_fields(struct decode *d, struct sl_fbr_vector v,
                                    struct sl_schema *schema)
{
    if (v.n > SL_MAX_FIELDS)
        return sl_err_set(d->err, SL_E_DATA, "%u columns (%d are possible)", v.n, SL_MAX_FIELDS);
    for (uint32_t i = 0; i < v.n; i++) {
        struct sl_field f = { .type = SL_T_INT8 };
        SL_TRY(decode_field(d, sl_fbr_table_at(d->r, v, i), 1, &f));
        SL_TRY(sl_schema_add(schema, &f, d->err));
    }
    return SL_OK;
}

/* The profile's keys in the order in which they must stand. */
static const char *const schema_keys[] = { "profile", "kind", "lineage", "tokenizer" };
enum { N_KEYS = 4 };

static int find_key(struct sl_str key)
{
    if (key.n < 3 || memcmp(key.p, "sl:", 3) != 0)
        return -1;
    for (int i = 0; i < N_KEYS; i++)
        if (sl_str_eq((struct sl_str){ key.p + 3, key.n - 3 }, sl_str_of(schema_keys[i])))
            return i;
    return -1;
}

/* What others copied without understanding it is no reason to refuse a stream. */
static enum sl_status set_meta(struct sl_schema *schema, int key, struct sl_str value, bool strict,
                               struct sl_err *err)
{
    enum sl_status st = sl_schema_set_meta(schema, schema_keys[key], value, strict ? err : NULL);
    return st == SL_E_DATA && !strict ? SL_OK : st;
}

static enum sl_status decode_meta(const struct decode *d, struct sl_fbr_vector v,
                                  struct sl_schema *schema)
{
    int last = -1;
    if (d->strict && v.n > MAX_PAIRS)
        return too_many_pairs(v.n, d->err);
    for (uint32_t i = 0; i < v.n; i++) {
        struct sl_str value, key = pair_at(d->r, v, i, &value);
        int k = find_key(key);
        if (d->r->bad)
            return damaged(d->err);
        if (k < 0 || (!d->strict && k <= last))
            continue;
        if (k <= last)
            return sl_err_set(d->err, SL_E_DATA, "metadata key 'sl:%s' is there twice or too late",
                              schema_keys[k]);
        last = k;
        if (k > 0)
            SL_TRY(set_meta(schema, k, value, d->strict, d->err));
    }
    return SL_OK;
}

struct sl_str sl_front_profile(struct sl_front *f)
{
    struct sl_fbr_vector v = sl_fbr_vector(&f->fbr, f->header, SCHEMA_META, REF);
    for (uint32_t i = 0; i < v.n; i++) {
        struct sl_str value, key = pair_at(&f->fbr, v, i, &value);
        if (sl_str_eq(key, SL_STR("sl:profile")))
            return value;
    }
    return (struct sl_str){ NULL, 0 };
}

enum sl_status sl_front_schema(struct sl_front *f, bool strict, struct sl_schema *schema,
                               struct sl_err *err)
{
    struct sl_arena arena;
    struct decode d = { .r = &f->fbr, .arena = &arena, .strict = strict, .err = err };
    if (f->body_bytes != 0)
        return sl_err_set(err, SL_E_DATA, "a schema message with a body");
    if (sl_fbr_scalar(d.r, f->header, SCHEMA_ENDIANNESS, 2, 0) != 0)
        return sl_err_set(err, SL_E_DATA, "a big-endian stream: sluice-import converts it");
    if (strict && sl_fbr_vector(d.r, f->header, SCHEMA_FEATURES, 8).n)
        return sl_err_set(err, SL_E_DATA, "a schema with features");
    struct sl_fbr_vector fields = sl_fbr_vector(d.r, f->header, SCHEMA_FIELDS, REF);
    struct sl_fbr_vector meta = sl_fbr_vector(d.r, f->header, SCHEMA_META, REF);
    if (d.r->bad)
        return damaged(err);
    sl_arena_init(&arena, 0);
    enum sl_status st = decode_fields(&d, fields, schema);
    if (st == SL_OK)
        st = decode_meta(&d, meta, schema);
    if (st == SL_OK && d.r->bad)
        st = damaged(err);
    sl_arena_release(&arena);
    return st;
}

/* ---- batches ---- */

static enum sl_status read_nodes(struct sl_fbr *r, struct sl_fbr_vector v, bool strict,
                                 struct sl_node *nodes, struct sl_err *err)
{
    for (uint32_t i = 0; i < v.n; i++) {
        struct sl_node n = { sl_fbr_i64_at(r, v, i, STRUCT_BYTES, 0),
                             sl_fbr_i64_at(r, v, i, STRUCT_BYTES, 8) };
        if (n.n < 0 || n.n > SL_MAX_ROWS || n.n_nulls < (strict ? 0 : -1) || n.n_nulls > n.n)
            return sl_err_set(err, SL_E_DATA, "a column of %lld rows with %lld nulls",
                              (long long)n.n, (long long)n.n_nulls);
        nodes[i] = n;
    }
    return SL_OK;
}

/* Together they are no more than a body may be, so that nothing is gained by
 * describing the same bytes many times. */
static enum sl_status read_spans(struct sl_front *f, struct sl_fbr_vector v, bool strict,
                                 struct sl_span *spans, struct sl_err *err)
{
    int64_t body_bytes = f->body_bytes;
    uint64_t total = 0;
    for (uint32_t i = 0; i < v.n; i++) {
        struct sl_span s = { sl_fbr_i64_at(&f->fbr, v, i, STRUCT_BYTES, 0),
                             sl_fbr_i64_at(&f->fbr, v, i, STRUCT_BYTES, 8) };
        if (!strict && s.bytes == 0)
            s.off = 0; /* some leave anything there */
        if (s.off < 0 || s.bytes < 0 || s.off > body_bytes || s.bytes > body_bytes - s.off)
            return sl_err_set(err, SL_E_DATA,
                              "a buffer of %lld bytes at %lld in a body of %lld bytes",
                              (long long)s.bytes, (long long)s.off, (long long)body_bytes);
        total += (uint64_t)s.bytes;
        if (total > SL_MAX_BODY_BYTES)
            return sl_err_set(err, SL_E_DATA, "buffers that overlap");
        spans[i] = s;
    }
    return SL_OK;
}

static enum sl_status read_compression(struct sl_fbr *r, struct sl_fbr_table batch, bool *zstd,
                                       struct sl_err *err)
{
    struct sl_fbr_table t = sl_fbr_table(r, batch, BATCH_COMPRESSION);
    *zstd = t.at != 0;
    if (!*zstd)
        return SL_OK;
    uint64_t codec = sl_fbr_scalar(r, t, 0, 1, 0), method = sl_fbr_scalar(r, t, 1, 1, 0);
    if (codec == 0)
        return sl_err_set(err, SL_E_DATA, "buffers compressed with LZ4: sluice-import converts it");
    if (codec != CODEC_ZSTD || method != 0)
        return sl_err_set(err, SL_E_DATA, "buffers compressed in an unknown way (%u, %u)",
                          (unsigned)codec, (unsigned)method);
    return SL_OK;
}

enum sl_status sl_front_batch(struct sl_front *f, bool strict, struct sl_batch_parts *parts,
                              struct sl_err *err)
{
    struct sl_fbr *r = &f->fbr;
    parts->n_rows = (int64_t)sl_fbr_scalar(r, f->header, BATCH_LENGTH, 8, 0);
    struct sl_fbr_vector nodes = sl_fbr_vector(r, f->header, BATCH_NODES, STRUCT_BYTES);
    struct sl_fbr_vector spans = sl_fbr_vector(r, f->header, BATCH_BUFFERS, STRUCT_BYTES);
    SL_TRY(read_compression(r, f->header, &parts->zstd, err));
    if (strict && sl_fbr_vector(r, f->header, BATCH_VARIADIC, 8).n)
        return sl_err_set(err, SL_E_DATA, "a batch with variadic buffers");
    if (r->bad)
        return damaged(err);
    if (parts->n_rows < 0 || parts->n_rows > SL_MAX_ROWS)
        return sl_err_set(err, SL_E_DATA, "a batch of %lld rows", (long long)parts->n_rows);
    if (parts->n_rows && parts->n_nodes == 0 && !f->error.p)
        return sl_err_set(err, SL_E_DATA, "a batch of rows without columns");
    if (nodes.n != parts->n_nodes || spans.n != parts->n_spans)
        return sl_err_set(err, SL_E_DATA,
                          "a batch of %u columns and %u buffers (the schema needs %u and %u)",
                          nodes.n, spans.n, parts->n_nodes, parts->n_spans);
    SL_TRY(read_nodes(r, nodes, strict, parts->nodes, err));
    return read_spans(f, spans, strict, parts->spans, err);
}
