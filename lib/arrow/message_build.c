/* SPDX-License-Identifier: Apache-2.0 */
/* The front of a message in one reused buffer. The position of the hash's
 * digits is known from building it, so they are patched in place, and a batch
 * without another pair always has a front of the same size: all its scalars
 * are written, also where they are the default. */
#include "arrow/message_build.h"

#include "base/hash.h"
#include "base/num.h"

/* Slots of the tables, and the numbers of their unions (Message.fbs, Schema.fbs). */
enum { MESSAGE_VERSION, MESSAGE_HEADER_TYPE, MESSAGE_HEADER, MESSAGE_BODY, MESSAGE_META };
enum { SCHEMA_ENDIANNESS, SCHEMA_FIELDS, SCHEMA_META };
enum { FIELD_NAME, FIELD_NULLABLE, FIELD_TYPE_TYPE, FIELD_TYPE, FIELD_DICT, FIELD_CHILDREN };
enum { BATCH_LENGTH, BATCH_NODES, BATCH_BUFFERS, BATCH_COMPRESSION };
enum { HEADER_SCHEMA = 1, HEADER_BATCH = 3, VERSION_V5 = 4, CODEC_ZSTD = 1, METHOD_BUFFER = 0 };

enum {
    TYPE_INT = 2,
    TYPE_FLOAT = 3,
    TYPE_BINARY = 4,
    TYPE_UTF8 = 5,
    TYPE_BOOL = 6,
    TYPE_TIMESTAMP = 10,
    TYPE_LIST = 12,
    TYPE_STRUCT = 13,
    TYPE_FIXED_BINARY = 15,
    TYPE_FIXED_LIST = 16,
    TYPE_LARGE_BINARY = 19,
    TYPE_LARGE_UTF8 = 20,
    TYPE_LARGE_LIST = 21
};

static const uint8_t type_codes[] = {
    [SL_T_INT8] = TYPE_INT,
    [SL_T_INT16] = TYPE_INT,
    [SL_T_INT32] = TYPE_INT,
    [SL_T_INT64] = TYPE_INT,
    [SL_T_UINT8] = TYPE_INT,
    [SL_T_UINT16] = TYPE_INT,
    [SL_T_UINT32] = TYPE_INT,
    [SL_T_UINT64] = TYPE_INT,
    [SL_T_FLOAT32] = TYPE_FLOAT,
    [SL_T_FLOAT64] = TYPE_FLOAT,
    [SL_T_BOOL] = TYPE_BOOL,
    [SL_T_UTF8] = TYPE_UTF8,
    [SL_T_LARGE_UTF8] = TYPE_LARGE_UTF8,
    [SL_T_BINARY] = TYPE_BINARY,
    [SL_T_LARGE_BINARY] = TYPE_LARGE_BINARY,
    [SL_T_FIXED_BINARY] = TYPE_FIXED_BINARY,
    [SL_T_TIMESTAMP] = TYPE_TIMESTAMP,
    [SL_T_LIST] = TYPE_LIST,
    [SL_T_LARGE_LIST] = TYPE_LARGE_LIST,
    [SL_T_FIXED_LIST] = TYPE_FIXED_LIST,
    [SL_T_STRUCT] = TYPE_STRUCT,
};

void sl_message_init(struct sl_message *m)
{
    *m = (struct sl_message){ .digits_off = 0 };
    sl_buf_init(&m->front, SL_MAX_META_BYTES);
    sl_buf_init(&m->refs, SL_MAX_META_BYTES);
    sl_fbb_init(&m->fbb, SL_MAX_META_BYTES);
}

void sl_message_release(struct sl_message *m)
{
    sl_buf_release(&m->front);
    sl_buf_release(&m->refs);
    sl_fbb_release(&m->fbb);
}

static uint32_t build_type(struct sl_fbb *b, const struct sl_field *f)
{
    uint32_t zone = 0;
    if (f->type == SL_T_TIMESTAMP && f->zone)
        zone = sl_fbb_string(b, sl_str_of(f->zone));
    sl_fbb_begin(b);
    switch (type_codes[f->type]) {
    case TYPE_INT:
        sl_fbb_scalar(b, 0, (uint64_t)sl_type_width(f) * 8, 4);
        sl_fbb_scalar(b, 1, f->type <= SL_T_INT64, 1);
        break;
    case TYPE_FLOAT:
        sl_fbb_scalar(b, 0, f->type == SL_T_FLOAT64 ? 2 : 1, 2);
        break;
    case TYPE_TIMESTAMP:
        sl_fbb_scalar(b, 0, (uint64_t)f->unit, 2);
        if (zone)
            sl_fbb_ref(b, 1, zone);
        break;
    case TYPE_FIXED_BINARY:
    case TYPE_FIXED_LIST:
        sl_fbb_scalar(b, 0, (uint64_t)f->size, 4);
        break;
    default:
        break;
    }
    return sl_fbb_end(b);
}

/* The positions in refs from byte offset from on, as a vector; they are removed. */
static uint32_t end_refs(struct sl_message *m, size_t from)
{
    size_t n = (m->refs.n - from) / sizeof(uint32_t);
    uint32_t v = sl_fbb_refs(&m->fbb, n ? (const uint32_t *)(void *)(m->refs.p + from) : NULL, n);
    m->refs.n = from;
    return v;
}

static enum sl_status build_field(struct sl_message *m, const struct sl_field *f,
                                  struct sl_err *err)
{
    struct sl_fbb *b = &m->fbb;
    size_t from = m->refs.n;
    for (uint32_t i = 0; i < f->n_children; i++)
        SL_TRY(build_field(m, &f->children[i], err));
    uint32_t children = end_refs(m, from);
    uint32_t name = sl_fbb_string(b, sl_str_of(f->name));
    uint32_t type = build_type(b, f);
    sl_fbb_begin(b);
    sl_fbb_ref(b, FIELD_NAME, name);
    sl_fbb_scalar(b, FIELD_NULLABLE, f->nullable, 1);
    sl_fbb_scalar(b, FIELD_TYPE_TYPE, type_codes[f->type], 1);
    sl_fbb_ref(b, FIELD_TYPE, type);
    sl_fbb_ref(b, FIELD_CHILDREN, children);
    uint32_t field = sl_fbb_end(b);
    return sl_buf_add(&m->refs, &field, sizeof field, err);
}

/* One KeyValue, its position added to refs; value_at (may be NULL) gets the
 * value's. A NULL value adds nothing. */
static enum sl_status build_pair(struct sl_message *m, const char *key, struct sl_str value,
                                 uint32_t *value_at, struct sl_err *err)
{
    struct sl_fbb *b = &m->fbb;
    if (!value.p)
        return SL_OK;
    uint32_t v = sl_fbb_string(b, value);
    uint32_t k = sl_fbb_string(b, sl_str_of(key));
    sl_fbb_begin(b);
    sl_fbb_ref(b, 0, k);
    sl_fbb_ref(b, 1, v);
    uint32_t pair = sl_fbb_end(b);
    if (value_at)
        *value_at = v;
    return sl_buf_add(&m->refs, &pair, sizeof pair, err);
}

/* The Message table around a header; then the whole front. */
static enum sl_status finish(struct sl_message *m, uint32_t meta, int type, uint32_t header,
                             int64_t body_bytes, struct sl_err *err)
{
    struct sl_fbb *b = &m->fbb;
    sl_fbb_begin(b);
    sl_fbb_scalar(b, MESSAGE_BODY, (uint64_t)body_bytes, 8);
    sl_fbb_ref(b, MESSAGE_META, meta);
    sl_fbb_ref(b, MESSAGE_HEADER, header);
    sl_fbb_scalar(b, MESSAGE_VERSION, VERSION_V5, 2);
    sl_fbb_scalar(b, MESSAGE_HEADER_TYPE, (uint64_t)type, 1);
    struct sl_str fb;
    SL_TRY(sl_fbb_finish(b, sl_fbb_end(b), &fb, err));
    sl_buf_reset(&m->front);
    size_t bytes = sl_round64(8 + fb.n);
    if (bytes > SL_MAX_META_BYTES)
        return sl_err_set(err, SL_E_DATA, "metadata of more than %zu bytes", SL_MAX_META_BYTES);
    uint8_t prefix[8];
    sl_store32(prefix, UINT32_MAX);
    sl_store32(prefix + 4, (uint32_t)bytes - 8);
    SL_TRY(sl_buf_add(&m->front, prefix, 8, err));
    SL_TRY(sl_buf_add_str(&m->front, fb, err));
    SL_TRY(sl_buf_add_zeros(&m->front, bytes - m->front.n, err));
    m->digits_off = 8 + fb.n - m->digits + 4; /* behind the string's length */
    return SL_OK;
}

static const struct sl_str zero_digits = { "0000000000000000", SL_HASH64_DIGITS };

enum sl_status sl_message_schema(struct sl_message *m, const struct sl_schema *schema,
                                 struct sl_err *err)
{
    struct sl_fbb *b = &m->fbb;
    sl_fbb_reset(b);
    sl_buf_reset(&m->refs);
    SL_TRY(build_pair(m, "sl:xxh3", zero_digits, &m->digits, err));
    uint32_t hash_meta = end_refs(m, 0);
    SL_TRY(build_pair(m, "sl:profile", SL_STR("1"), NULL, err));
    SL_TRY(build_pair(m, "sl:kind", sl_str_of(schema->kind), NULL, err));
    SL_TRY(build_pair(m, "sl:lineage", sl_str_of(schema->lineage), NULL, err));
    SL_TRY(build_pair(m, "sl:tokenizer", sl_str_of(schema->tokenizer), NULL, err));
    uint32_t meta = end_refs(m, 0);
    for (uint32_t i = 0; i < schema->n_fields; i++)
        SL_TRY(build_field(m, schema->fields[i], err));
    uint32_t fields = end_refs(m, 0);
    sl_fbb_begin(b);
    sl_fbb_scalar(b, SCHEMA_ENDIANNESS, 0, 2);
    sl_fbb_ref(b, SCHEMA_FIELDS, fields);
    sl_fbb_ref(b, SCHEMA_META, meta);
    return finish(m, hash_meta, HEADER_SCHEMA, sl_fbb_end(b), 0, err);
}

enum sl_status sl_message_batch(struct sl_message *m, const struct sl_batch_head *head,
                                struct sl_err *err)
{
    struct sl_fbb *b = &m->fbb;
    sl_fbb_reset(b);
    sl_buf_reset(&m->refs);
    if (head->key)
        SL_TRY(build_pair(m, head->key, head->value, NULL, err));
    SL_TRY(build_pair(m, "sl:xxh3", zero_digits, &m->digits, err));
    uint32_t meta = end_refs(m, 0);
    uint32_t zstd = 0;
    if (head->zstd) {
        sl_fbb_begin(b);
        sl_fbb_scalar(b, 0, CODEC_ZSTD, 1);
        sl_fbb_scalar(b, 1, METHOD_BUFFER, 1);
        zstd = sl_fbb_end(b);
    }
    uint32_t spans = sl_fbb_structs(b, head->spans, head->n_spans, sizeof *head->spans);
    uint32_t nodes = sl_fbb_structs(b, head->nodes, head->n_nodes, sizeof *head->nodes);
    sl_fbb_begin(b);
    sl_fbb_scalar(b, BATCH_LENGTH, (uint64_t)head->n_rows, 8);
    sl_fbb_ref(b, BATCH_NODES, nodes);
    sl_fbb_ref(b, BATCH_BUFFERS, spans);
    if (zstd)
        sl_fbb_ref(b, BATCH_COMPRESSION, zstd);
    return finish(m, meta, HEADER_BATCH, sl_fbb_end(b), head->body_bytes, err);
}

void sl_message_set_hash(struct sl_message *m, uint64_t hash)
{
    sl_hash64_hex(hash, (char *)m->front.p + m->digits_off);
}
