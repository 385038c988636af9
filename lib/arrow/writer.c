/* SPDX-License-Identifier: Apache-2.0 */
/* A batch becomes a list of pieces (buffers where they lie, or their packed
 * forms), the pieces get their places in the body, the front is built once,
 * everything is hashed in the order in which it will be written, the digits are
 * set, and one writev takes it all. Padding comes from one constant block.
 *
 * A failed write leaves half a message behind, after which a poison tail would
 * be read as its rest; so a failed sink ends all writing, while any other error
 * still allows the tail.
 *
 * Rejected: copying small buffers together. The kernel takes a thousand pieces
 * at once, and a batch of many columns has some hundred. */
#include "arrow/writer.h"

#include <stdlib.h>

#include "arrow/canon.h"
#include "arrow/digest.h"
#include "arrow/message_build.h"
#include "arrow/zstd_buf.h"
#include "base/json.h"
#include "base/num.h"
#include "base/utf8.h"

enum { MAX_MESSAGE_BYTES = 4096 }; /* of an error's text in a poison tail */

struct sl_writer {
    struct sl_sink *sink;
    const struct sl_schema *schema;
    bool *copied;
    struct sl_digest *digest;
    struct sl_hasher *hasher;
    struct sl_zpack *zpack; /* NULL: not compressed */
    struct sl_buf packed;
    struct sl_message message;
    uint32_t n_nodes, n_spans, node, span; /* node, span: filled so far */
    struct sl_node *nodes;
    struct sl_span *spans;
    const void **pieces; /* of the spans */
    int64_t *buffer_off;
    struct iovec *iov;
    struct sl_hash128 *columns;
    struct sl_written written;
    uint64_t schema_hash;
    struct sl_err err;  /* the first error of batches and trailer */
    bool broken, ended; /* nothing may be written any more */
};

static const uint8_t zeros[64];

static void count_parts(const struct sl_field *f, uint32_t *nodes, uint32_t *spans)
{
    ++*nodes;
    *spans += 1U + sl_type_has_offsets(f->type) + (f->n_children == 0);
    for (uint32_t i = 0; i < f->n_children; i++)
        count_parts(&f->children[i], nodes, spans);
}

static bool alloc_parts(struct sl_writer *w)
{
    for (uint32_t i = 0; i < w->schema->n_fields; i++)
        count_parts(w->schema->fields[i], &w->n_nodes, &w->n_spans);
    w->nodes = calloc(w->n_nodes + 1, sizeof *w->nodes);
    w->spans = calloc(w->n_spans + 1, sizeof *w->spans);
    w->pieces = calloc(w->n_spans + 1, sizeof *w->pieces);
    w->buffer_off = calloc(w->n_spans + 1, sizeof *w->buffer_off);
    w->iov = calloc(2 * (size_t)w->n_spans + 1, sizeof *w->iov);
    w->columns = calloc(w->schema->n_fields + 1, sizeof *w->columns);
    w->copied = calloc(w->schema->n_fields + 1, sizeof *w->copied);
    w->digest = sl_digest_new(w->schema);
    w->hasher = sl_hasher_new();
    return w->nodes && w->spans && w->pieces && w->buffer_off && w->iov && w->columns &&
           w->copied && w->digest && w->hasher;
}

void sl_writer_free(struct sl_writer *w)
{
    if (!w)
        return;
    sl_message_release(&w->message);
    sl_buf_release(&w->packed);
    sl_zpack_free(w->zpack);
    sl_digest_free(w->digest);
    if (w->hasher)
        sl_hasher_free(w->hasher);
    free(w->nodes);
    free(w->spans);
    free(w->pieces);
    free(w->buffer_off);
    free(w->iov);
    free(w->columns);
    free(w->copied);
    free(w);
}

/* Hash and write n pieces, the first of which is the front. */
static enum sl_status send(struct sl_writer *w, int n, uint64_t *hash, struct sl_err *err)
{
    w->iov[0] = (struct iovec){ w->message.front.p, w->message.front.n };
    sl_hasher_reset64(w->hasher);
    for (int i = 0; i < n; i++)
        sl_hasher_add64(w->hasher, w->iov[i].iov_base, w->iov[i].iov_len);
    *hash = sl_hasher_end64(w->hasher);
    sl_message_set_hash(&w->message, *hash);
    enum sl_status st = sl_sink_writev(w->sink, w->iov, n, err);
    w->broken = w->broken || st != SL_OK;
    return st;
}

static enum sl_status open_writer(struct sl_writer *w, const struct sl_write_options *options,
                                  struct sl_err *err)
{
    sl_message_init(&w->message);
    sl_buf_init(&w->packed, 2 * SL_MAX_BODY_BYTES);
    if (!alloc_parts(w))
        return sl_err_nomem(err, sizeof *w);
    if (options && options->zstd_level) {
        w->zpack = sl_zpack_new(options->zstd_level);
        if (!w->zpack)
            return sl_err_nomem(err, sizeof *w);
    }
    if (options && options->copied && w->schema->n_fields)
        memcpy(w->copied, options->copied, w->schema->n_fields * sizeof *w->copied);
    SL_TRY(sl_message_schema(&w->message, w->schema, err));
    return send(w, 1, &w->schema_hash, err);
}

enum sl_status sl_writer_open(struct sl_writer **out, struct sl_sink *sink,
                              const struct sl_schema *schema,
                              const struct sl_write_options *options, struct sl_err *err)
{
    *out = NULL;
    struct sl_writer *w = calloc(1, sizeof *w);
    if (!w)
        return sl_err_nomem(err, sizeof *w);
    w->sink = sink;
    w->schema = schema;
    w->err = (struct sl_err)SL_ERR_INIT;
    enum sl_status st = open_writer(w, options, err);
    if (st != SL_OK) {
        sl_writer_free(w);
        return st;
    }
    *out = w;
    return SL_OK;
}

/* Add one buffer to the pieces, packed where that is asked for. */
static enum sl_status add_piece(struct sl_writer *w, const void *p, int64_t bytes, bool pack,
                                struct sl_err *err)
{
    if (bytes < 0 || bytes > (int64_t)SL_MAX_BODY_BYTES)
        return sl_err_set(err, SL_E_DATA, "a buffer of %lld bytes", (long long)bytes);
    struct sl_span *s = &w->spans[w->span];
    w->pieces[w->span++] = p;
    s->bytes = bytes;
    if (!pack || bytes == 0)
        return SL_OK;
    size_t start = w->packed.n; /* the buffer may move: its place is found later */
    SL_TRY(sl_zstd_pack(w->zpack, p, (size_t)bytes, &w->packed, err));
    s->bytes = (int64_t)(w->packed.n - start);
    return SL_OK;
}

static enum sl_status add_column(struct sl_writer *w, const struct sl_column *c,
                                 const struct sl_field *f, bool pack, struct sl_err *err)
{
    if (!c->field || c->field->type != f->type || c->n < 0 || c->n_nulls < 0)
        return sl_err_set(err, SL_E_BUG, "column '%s' is not what the schema says", f->name);
    w->nodes[w->node++] = (struct sl_node){ c->n, c->n_nulls };
    SL_TRY(add_piece(w, c->validity, c->n_nulls ? (c->n + 7) / 8 : 0, pack, err));
    if (sl_type_has_offsets(f->type))
        SL_TRY(
            add_piece(w, c->offsets, (c->n + 1) * (sl_type_is_large(f->type) ? 8 : 4), pack, err));
    if (f->n_children == 0)
        SL_TRY(add_piece(w, c->data, c->data_bytes, pack, err));
    for (uint32_t i = 0; i < f->n_children; i++)
        SL_TRY(add_column(w, &c->children[i], &f->children[i], pack, err));
    return SL_OK;
}

/* Give the pieces their places in the body. Returns its bytes, -1 where they
 * are too many. */
static int64_t place(struct sl_writer *w)
{
    uint64_t off = 0;
    for (uint32_t i = 0; i < w->n_spans; i++) {
        w->spans[i].off = (int64_t)off;
        off = sl_round64(off + (uint64_t)w->spans[i].bytes);
        if (off > SL_MAX_BODY_BYTES)
            return -1;
    }
    return (int64_t)off;
}

static int add_iov(struct sl_writer *w, int n, const void *p, size_t bytes)
{
    if (bytes == 0)
        return n;
    w->iov[n] = (struct iovec){ (void *)(uintptr_t)p, bytes };
    return n + 1;
}

/* The body behind the front, with its padding; returns the number of pieces. */
static int body_iov(struct sl_writer *w, bool packed)
{
    int n = 1;
    const uint8_t *at = w->packed.p;
    for (uint32_t i = 0; i < w->n_spans; i++) {
        size_t bytes = (size_t)w->spans[i].bytes;
        n = add_iov(w, n, packed ? at : w->pieces[i], bytes);
        if (packed && bytes)
            at += bytes;
        n = add_iov(w, n, zeros, sl_round64(bytes) - bytes);
    }
    return n;
}

static enum sl_status write_batch(struct sl_writer *w, const struct sl_batch *b, struct sl_err *err)
{
    w->node = w->span = 0;
    sl_buf_reset(&w->packed);
    for (uint32_t i = 0; i < w->schema->n_fields; i++)
        SL_TRY(add_column(w, &b->columns[i], w->schema->fields[i], w->zpack != NULL, err));
    int64_t bytes = place(w);
    if (bytes < 0)
        return sl_err_set(err, SL_E_DATA, "a batch of more than %zu bytes", SL_MAX_BODY_BYTES);
    const struct sl_batch_head head = {
        .n_rows = b->n_rows,
        .body_bytes = bytes,
        .nodes = w->nodes,
        .spans = w->spans,
        .n_nodes = w->n_nodes,
        .n_spans = w->n_spans,
        .zstd = w->zpack != NULL,
    };
    SL_TRY(sl_message_batch(&w->message, &head, err));
    for (uint32_t i = 0; i < w->n_spans; i++)
        w->buffer_off[i] = w->spans[i].off;
    w->written.body_off = sl_sink_off(w->sink) + (int64_t)w->message.front.n;
    uint64_t hash;
    SL_TRY(send(w, body_iov(w, w->zpack != NULL), &hash, err));
    for (uint32_t i = 0; i < w->schema->n_fields; i++)
        if (!w->copied[i])
            sl_digest_add(w->digest, i, &b->columns[i]);
    w->written.n_rows += b->n_rows;
    w->written.n_batches++;
    return SL_OK;
}

static enum sl_status check_batch(const struct sl_writer *w, const struct sl_batch *b,
                                  struct sl_err *err)
{
    char why[256];
    if (!b->schema)
        return sl_err_set(err, SL_E_BUG, "a batch without a schema");
    if (b->schema != w->schema && !sl_schema_same(b->schema, w->schema, why))
        return sl_err_set(err, SL_E_BUG, "a batch of another schema: %s", why);
    for (uint32_t i = 0; i < w->schema->n_fields; i++)
        if (b->columns[i].n != b->n_rows)
            return sl_err_set(err, SL_E_BUG, "column '%s' has %lld rows of %lld",
                              w->schema->fields[i]->name, (long long)b->columns[i].n,
                              (long long)b->n_rows);
#ifndef NDEBUG
    SL_TRY(sl_batch_canonical(b, SL_E_BUG, err));
#endif
    return SL_OK;
}

/* Nothing more may be written: the first error again, or a misuse. */
static enum sl_status closed(const struct sl_writer *w, struct sl_err *err)
{
    if (w->err.status != SL_OK) {
        sl_err_keep(err, &w->err);
        return w->err.status;
    }
    if (w->ended)
        return sl_err_set(err, SL_E_BUG, "the stream has ended");
    return SL_OK;
}

/* Keep the first error for later calls and hand it out. */
static enum sl_status result(struct sl_writer *w, enum sl_status st, struct sl_err *err)
{
    if (st == SL_OK)
        return SL_OK;
    sl_err_keep(err, &w->err);
    return st;
}

enum sl_status sl_writer_add(struct sl_writer *w, const struct sl_batch *b, struct sl_err *err)
{
    SL_TRY(closed(w, err));
    if (b->n_rows == 0)
        return SL_OK;
    enum sl_status st = check_batch(w, b, &w->err);
    if (st == SL_OK)
        st = write_batch(w, b, &w->err);
    return result(w, st, err);
}

/* ---- the end ---- */

static void add_empty_column(struct sl_writer *w, const struct sl_field *f, int64_t rows)
{
    w->nodes[w->node++] = (struct sl_node){ rows, 0 };
    w->pieces[w->span] = NULL;
    w->spans[w->span++].bytes = 0;
    if (sl_type_has_offsets(f->type)) {
        w->pieces[w->span] = zeros;
        w->spans[w->span++].bytes = sl_type_is_large(f->type) ? 8 : 4;
    }
    if (f->n_children == 0) {
        w->pieces[w->span] = NULL;
        w->spans[w->span++].bytes = 0;
    }
    for (uint32_t i = 0; i < f->n_children; i++)
        add_empty_column(w, &f->children[i], rows);
}

/* A front with one pair and no body behind it yet. poison: it announces one row
 * and a body, which never come; some readers (polars) would take a batch of no
 * rows for one without a body, and its end for the stream's. */
static enum sl_status empty_batch(struct sl_writer *w, const char *key, struct sl_str value,
                                  bool poison, struct sl_err *err)
{
    w->node = w->span = 0;
    for (uint32_t i = 0; i < w->schema->n_fields; i++)
        add_empty_column(w, w->schema->fields[i], poison);
    int64_t bytes = place(w);
    const struct sl_batch_head head = {
        .n_rows = poison,
        .body_bytes = poison && bytes < 64 ? 64 : bytes,
        .nodes = w->nodes,
        .spans = w->spans,
        .n_nodes = w->n_nodes,
        .n_spans = w->n_spans,
        .key = key,
        .value = value,
    };
    return sl_message_batch(&w->message, &head, err);
}

static enum sl_status add_json_str(struct sl_buf *out, struct sl_str s, struct sl_err *err)
{
    struct sl_json *v = sl_json_new_str(s);
    if (!v)
        return sl_err_nomem(err, s.n);
    enum sl_status st = sl_json_dump(v, out, err);
    sl_json_free(v);
    return st;
}

static enum sl_status add_digest(struct sl_buf *out, struct sl_hash128 h, struct sl_err *err)
{
    char hex[SL_HASH128_DIGITS];
    sl_hash128_hex(h, hex);
    SL_TRY(sl_buf_add_byte(out, '"', err));
    SL_TRY(sl_buf_add(out, hex, sizeof hex, err));
    return sl_buf_add_byte(out, '"', err);
}

static enum sl_status trailer_json(struct sl_writer *w, struct sl_str lineage, struct sl_buf *out,
                                   struct sl_err *err)
{
    char hex[SL_HASH64_DIGITS];
    sl_hash64_hex(w->schema_hash, hex);
    SL_TRY(sl_buf_addf(out, err, "{\"rows\":%lld,\"batches\":%lld,\"schema\":\"%.16s\",\"digest\":",
                       (long long)w->written.n_rows, (long long)w->written.n_batches, hex));
    SL_TRY(add_digest(out, w->written.digest, err));
    SL_TRY(sl_buf_add_str(out, SL_STR(",\"columns\":["), err));
    for (uint32_t i = 0; i < w->schema->n_fields; i++) {
        SL_TRY(sl_buf_add_str(out, i ? SL_STR(",[") : SL_STR("["), err));
        SL_TRY(add_json_str(out, sl_str_of(w->schema->fields[i]->name), err));
        SL_TRY(sl_buf_add_byte(out, ',', err));
        SL_TRY(add_digest(out, w->columns[i], err));
        SL_TRY(sl_buf_add_byte(out, ']', err));
    }
    SL_TRY(sl_buf_add_str(out, SL_STR("],\"lineage\":"), err));
    SL_TRY(sl_buf_add_str(out, lineage.n ? lineage : SL_STR("[]"), err));
    return sl_buf_add_byte(out, '}', err);
}

static enum sl_status write_trailer(struct sl_writer *w, struct sl_str lineage, struct sl_err *err)
{
    static const uint8_t end[8] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0 };
    struct sl_buf json;
    sl_buf_init(&json, SL_MAX_META_BYTES);
    enum sl_status st = trailer_json(w, lineage, &json, err);
    if (st == SL_OK)
        st = empty_batch(w, "sl:trailer", sl_buf_str(&json), false, err);
    sl_buf_release(&json);
    SL_TRY(st);
    uint64_t hash;
    SL_TRY(send(w, body_iov(w, false), &hash, err));
    st = sl_sink_write(w->sink, end, sizeof end, err);
    if (st == SL_OK)
        st = sl_sink_flush(w->sink, err);
    w->broken = w->broken || st != SL_OK;
    return st;
}

enum sl_status sl_writer_end(struct sl_writer *w, struct sl_str lineage,
                             const struct sl_hash128 *copied, struct sl_err *err)
{
    SL_TRY(closed(w, err));
    for (uint32_t i = 0; i < w->schema->n_fields; i++) {
        if (w->copied[i] && !copied)
            return result(w, sl_err_set(&w->err, SL_E_BUG, "no copied digests"), err);
        w->columns[i] = w->copied[i] ? copied[i] : sl_digest_column(w->digest, i);
    }
    w->written.digest = sl_digest_stream(w->columns, w->schema->n_fields);
    enum sl_status st = write_trailer(w, lineage, &w->err);
    w->ended = st == SL_OK;
    return result(w, st, err);
}

static enum sl_status poison_json(struct sl_str tool, struct sl_str message, struct sl_buf *out,
                                  struct sl_err *err)
{
    if (message.n > MAX_MESSAGE_BYTES)
        message.n = MAX_MESSAGE_BYTES;
    struct sl_buf text;
    uint64_t n_bad = 0;
    sl_buf_init(&text, 4 * MAX_MESSAGE_BYTES);
    enum sl_status st = sl_utf8_repair(&text, message.p, message.n, &n_bad, err);
    if (st == SL_OK)
        st = sl_buf_add_str(out, SL_STR("{\"tool\":"), err);
    if (st == SL_OK)
        st = add_json_str(out, tool, err);
    if (st == SL_OK)
        st = sl_buf_add_str(out, SL_STR(",\"message\":"), err);
    if (st == SL_OK)
        st = add_json_str(out, sl_buf_str(&text), err);
    if (st == SL_OK)
        st = sl_buf_add_byte(out, '}', err);
    sl_buf_release(&text);
    return st;
}

enum sl_status sl_writer_poison(struct sl_writer *w, struct sl_str tool, struct sl_str message,
                                struct sl_err *err)
{
    if (w->broken || w->ended)
        return closed(w, err);
    struct sl_buf json;
    sl_buf_init(&json, SL_MAX_META_BYTES);
    enum sl_status st = poison_json(tool, message, &json, err);
    if (st == SL_OK)
        st = empty_batch(w, "sl:error", sl_buf_str(&json), true, err);
    uint64_t hash;
    if (st == SL_OK)
        st = send(w, 1, &hash, err);
    if (st == SL_OK)
        st = sl_sink_flush(w->sink, err);
    sl_buf_release(&json);
    w->ended = true;
    return st;
}

struct sl_written sl_writer_written(const struct sl_writer *w)
{
    struct sl_written v = w->written;
    v.buffer_off = w->buffer_off;
    v.n_buffers = w->n_spans;
    v.columns = w->columns;
    return v;
}
