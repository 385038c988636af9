/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest in memory, and written.
 *
 * A corpus of a terabyte has a million batches, and a batch some ten numbers:
 * so they are kept as plain records and written piece by piece, without a JSON
 * tree. A batch stands on one line, which keeps the file a quarter as long and
 * lets people find the batch of a row with grep.
 *
 * A record is: rows, then the offsets of n_buffers buffers. The offset of the
 * tokens stands in the file twice, for readers that want nothing else. */
#include "order/manifest.h"

#include <string.h>

#include "base/json.h"
#include "order/shard_folder.h"

enum { TEXT_MAX_BYTES = 1 << 26, FLUSH_BYTES = 1 << 16 };

#define RECORDS_MAX_BYTES ((size_t)1 << 40)

void sl_manifest_init(struct sl_manifest *m)
{
    *m = (struct sl_manifest){ .dtype = "uint16" };
    sl_arena_init(&m->arena, 0);
    sl_buf_init(&m->shards, RECORDS_MAX_BYTES);
}

void sl_manifest_release(struct sl_manifest *m)
{
    for (int64_t k = 0; k < m->n_shards; k++)
        sl_buf_release(&sl_manifest_shard(m, k)->batches);
    sl_buf_release(&m->shards);
    sl_arena_release(&m->arena);
    *m = (struct sl_manifest){ 0 };
}

struct sl_manifest_shard *sl_manifest_shard(const struct sl_manifest *m, int64_t k)
{
    return (struct sl_manifest_shard *)(void *)m->shards.p + k;
}

static size_t record_bytes(const struct sl_manifest *m)
{
    return (1 + (size_t)m->n_buffers) * sizeof(int64_t);
}

int64_t sl_manifest_n_batches(const struct sl_manifest *m, int64_t shard)
{
    return (int64_t)(sl_manifest_shard(m, shard)->batches.n / record_bytes(m));
}

struct sl_manifest_batch sl_manifest_batch(const struct sl_manifest *m, int64_t shard,
                                           int64_t batch)
{
    const uint8_t *at = sl_manifest_shard(m, shard)->batches.p + (size_t)batch * record_bytes(m);
    const int64_t *record = (const int64_t *)(const void *)at;
    int tokens = sl_manifest_tokens_buffer(m);
    return (struct sl_manifest_batch){ record[0], tokens < 0 ? -1 : record[1 + tokens],
                                       record + 1 };
}

enum sl_status sl_manifest_add_shard(struct sl_manifest *m, struct sl_err *err)
{
    struct sl_manifest_shard shard = { 0 };
    sl_buf_init(&shard.batches, RECORDS_MAX_BYTES);
    SL_TRY(sl_buf_add(&m->shards, &shard, sizeof shard, err));
    m->n_shards++;
    return SL_OK;
}

enum sl_status sl_manifest_add_batch(struct sl_manifest *m, int64_t rows,
                                     const int64_t *buffer_offs, struct sl_err *err)
{
    struct sl_manifest_shard *shard = sl_manifest_shard(m, m->n_shards - 1);
    SL_TRY(sl_buf_reserve(&shard->batches, record_bytes(m), err));
    SL_TRY(sl_buf_add(&shard->batches, &rows, sizeof rows, err));
    SL_TRY(sl_buf_add(&shard->batches, buffer_offs, m->n_buffers * sizeof *buffer_offs, err));
    shard->sequences += rows;
    return SL_OK;
}

int sl_manifest_tokens_buffer(const struct sl_manifest *m)
{
    for (uint32_t i = 0; i < m->n_buffers; i++)
        if (strcmp(m->buffers[i], "tokens.item.values") == 0)
            return (int)i;
    return -1;
}

/* ---- writing ---- */

static enum sl_status add_quoted(struct sl_buf *out, const char *s, struct sl_err *err)
{
    struct sl_json *v = sl_json_new_str(sl_str_of(s));
    enum sl_status st = v ? sl_json_dump(v, out, err) : sl_err_nomem(err, strlen(s));
    sl_json_free(v);
    return st;
}

static enum sl_status add_hex(struct sl_buf *out, struct sl_hash128 h, struct sl_err *err)
{
    char hex[SL_HASH128_DIGITS];
    sl_hash128_hex(h, hex);
    return sl_buf_addf(out, err, "\"%.32s\"", hex);
}

/* A JSON text as it looks at the first level of the file. Line ends stand only
 * between values: inside strings they are escaped. */
static enum sl_status add_nested(struct sl_buf *out, const char *json, struct sl_err *err)
{
    struct sl_json *v;
    struct sl_buf text;
    SL_TRY(sl_json_parse(&v, sl_str_of(json), err));
    sl_buf_init(&text, TEXT_MAX_BYTES);
    enum sl_status st = sl_json_dump_pretty(v, &text, err);
    for (size_t from = 0; st == SL_OK && from < text.n;) {
        size_t to = sl_str_find(sl_buf_str(&text), from, '\n');
        st = sl_buf_add(out, text.p + from, to - from, err);
        if (st == SL_OK && to < text.n)
            st = sl_buf_add_str(out, SL_STR("\n  "), err);
        from = to + 1;
    }
    sl_buf_release(&text);
    sl_json_free(v);
    return st;
}

static enum sl_status add_head(const struct sl_manifest *m, struct sl_buf *out, struct sl_err *err)
{
    SL_TRY(sl_buf_addf(out, err,
                       "{\n  \"format\": \"sluice-shards\",\n  \"version\": 1,\n"
                       "  \"kind\": \"sequences\",\n  \"sequences\": %lld,\n"
                       "  \"length\": %lld,\n  \"dtype\": \"%s\",\n"
                       "  \"sequences_per_shard\": %lld,\n  \"tokens\": %lld,\n"
                       "  \"targets\": %lld,\n  \"tokenizer\": ",
                       (long long)m->sequences, (long long)m->length, m->dtype,
                       (long long)m->per_shard, (long long)m->tokens, (long long)m->targets));
    SL_TRY(add_nested(out, m->tokenizer ? m->tokenizer : "null", err));
    SL_TRY(sl_buf_add_str(out, SL_STR(",\n  \"digest\": "), err));
    return add_hex(out, m->digest, err);
}

static enum sl_status add_names(const struct sl_manifest *m, struct sl_buf *out, struct sl_err *err)
{
    SL_TRY(sl_buf_add_str(out, SL_STR(",\n  \"columns\": ["), err));
    for (uint32_t i = 0; i < m->n_columns; i++) {
        SL_TRY(sl_buf_add_str(out, i ? SL_STR(",\n    [") : SL_STR("\n    ["), err));
        SL_TRY(add_quoted(out, m->columns[i].name, err));
        SL_TRY(sl_buf_add_str(out, SL_STR(", "), err));
        SL_TRY(add_hex(out, m->columns[i].digest, err));
        SL_TRY(sl_buf_add_byte(out, ']', err));
    }
    SL_TRY(sl_buf_add_str(out, SL_STR("\n  ],\n  \"buffers\": ["), err));
    for (uint32_t i = 0; i < m->n_buffers; i++) {
        SL_TRY(sl_buf_add_str(out, i ? SL_STR(",\n    ") : SL_STR("\n    "), err));
        SL_TRY(add_quoted(out, m->buffers[i], err));
    }
    return sl_buf_add_str(out, SL_STR("\n  ],\n  \"shards\": ["), err);
}

static enum sl_status add_batch(const struct sl_manifest *m, const struct sl_manifest_batch *b,
                                struct sl_buf *out, struct sl_err *err)
{
    SL_TRY(sl_buf_addf(out, err, "\n        {\"rows\": %lld, \"tokens\": %lld, \"buffers\": [",
                       (long long)b->rows, (long long)b->tokens_off));
    for (uint32_t i = 0; i < m->n_buffers; i++)
        SL_TRY(sl_buf_addf(out, err, i ? ", %lld" : "%lld", (long long)b->buffer_offs[i]));
    return sl_buf_add_str(out, SL_STR("]}"), err);
}

static enum sl_status flush(struct sl_buf *text, size_t at_least, struct sl_sink *to,
                            struct sl_err *err)
{
    if (text->n < at_least)
        return SL_OK;
    SL_TRY(sl_sink_write(to, text->p, text->n, err));
    sl_buf_reset(text);
    return SL_OK;
}

static enum sl_status write_shard(const struct sl_manifest *m, int64_t k, struct sl_buf *text,
                                  struct sl_sink *to, struct sl_err *err)
{
    char name[SL_SHARD_NAME_BYTES];
    const struct sl_manifest_shard *s = sl_manifest_shard(m, k);
    sl_shard_name(k, name);
    SL_TRY(sl_buf_addf(text, err,
                       "%s\n    {\n      \"file\": \"%s\",\n      \"sequences\": %lld,\n"
                       "      \"bytes\": %lld,\n      \"digest\": ",
                       k ? "," : "", name, (long long)s->sequences, (long long)s->bytes));
    SL_TRY(add_hex(text, s->digest, err));
    SL_TRY(sl_buf_add_str(text, SL_STR(",\n      \"batches\": ["), err));
    for (int64_t i = 0; i < sl_manifest_n_batches(m, k); i++) {
        struct sl_manifest_batch b = sl_manifest_batch(m, k, i);
        if (i)
            SL_TRY(sl_buf_add_byte(text, ',', err));
        SL_TRY(add_batch(m, &b, text, err));
        SL_TRY(flush(text, FLUSH_BYTES, to, err));
    }
    return sl_buf_add_str(text, SL_STR("\n      ]\n    }"), err);
}

static enum sl_status write_all(const struct sl_manifest *m, struct sl_buf *text,
                                struct sl_sink *to, struct sl_err *err)
{
    SL_TRY(add_head(m, text, err));
    SL_TRY(add_names(m, text, err));
    for (int64_t k = 0; k < m->n_shards; k++)
        SL_TRY(write_shard(m, k, text, to, err));
    SL_TRY(sl_buf_add_str(text, m->n_shards ? SL_STR("\n  ]") : SL_STR("]"), err));
    SL_TRY(sl_buf_add_str(text, SL_STR(",\n  \"lineage\": "), err));
    SL_TRY(add_nested(text, m->lineage ? m->lineage : "[]", err));
    SL_TRY(sl_buf_add_str(text, SL_STR("\n}\n"), err));
    return flush(text, 1, to, err);
}

enum sl_status sl_manifest_write(const struct sl_manifest *m, struct sl_sink *to,
                                 struct sl_err *err)
{
    struct sl_buf text;
    sl_buf_init(&text, TEXT_MAX_BYTES);
    enum sl_status st = write_all(m, &text, to, err);
    sl_buf_release(&text);
    return st;
}
