/* SPDX-License-Identifier: Apache-2.0 */
/* Read a stream, message by message.
 *
 * The front of a message is copied (a kilobyte or so) and decoded, which is
 * safe for any bytes; the body is read straight into the batch. Then the hash
 * is compared, and only after that does anything look into the body. The front
 * is hashed around its own digits, so nothing is patched.
 *
 * A body is taken in steps that double with what has arrived, so a size that
 * lies costs two MiB. A compressed body is read into a buffer of the reader's
 * and unpacked into the batch.
 *
 * All errors go to r->err first; what the outside gets is a copy with the place
 * of the message, again at every later call. */
#include "arrow/reader.h"

#include <stdlib.h>
#include <string.h>

#include "arrow/body_read.h"
#include "arrow/foreign.h"
#include "arrow/message_read.h"
#include "arrow/not_stream.h"
#include "arrow/trailer_read.h"
#include "arrow/validate.h"
#include "base/num.h"
#include "base/utf8.h"

enum { PREFIX = 8, FIRST_STEP = 2 << 20 };

/* What read_front found. */
enum found { MESSAGE, END_MARKER, END_OF_INPUT };

struct sl_reader {
    struct sl_source *src;
    bool strict, ended;
    struct sl_schema schema;
    struct sl_err err;
    int64_t record, off; /* of the message at hand */
    struct sl_buf bytes; /* its front */
    size_t prefix;       /* bytes of marker and length */
    struct sl_front front;
    struct sl_batch_parts parts;
    bool *picks;          /* of every field; NULL: all are read */
    struct sl_buf packed; /* a compressed body */
    struct sl_zunpack *unpack;
    struct sl_hasher *hasher;
    struct sl_arena scratch;
    uint64_t schema_hash;
    int64_t n_rows, n_batches;
    struct sl_trailer trailer;
    struct sl_buf trailer_text;
    struct sl_buf upstream_text;
    size_t upstream_tool_bytes;
};

/* ---- fronts ---- */

static enum sl_status cut(struct sl_reader *r, const char *where, size_t have)
{
    return sl_err_set(&r->err, SL_E_DATA, "truncated stream: the input ends at byte %lld, %s",
                      (long long)(r->off + (int64_t)have), where);
}

/* Fewer than 8 bytes are left. Streams of others may end without a marker, or
 * with the four zero bytes of old ones. */
static enum sl_status short_front(struct sl_reader *r, const uint8_t *p, size_t n, bool first,
                                  enum found *found)
{
    *found = END_OF_INPUT;
    if (n == 0 && first)
        return sl_err_set(&r->err, SL_E_DATA, "empty input: no stream");
    if (n == 0)
        return r->strict ? cut(r, "before the trailer", 0) : SL_OK;
    if (n >= 4 && sl_load32(p) != UINT32_MAX && first)
        return sl_err_set(&r->err, SL_E_DATA, "%s",
                          sl_not_stream((struct sl_str){ (const char *)p, n }));
    if (!r->strict && n == 4 && sl_load32(p) == 0) {
        sl_source_consume(r->src, n);
        return SL_OK;
    }
    return cut(r, "inside the front of a message", n);
}

static enum sl_status no_marker(struct sl_reader *r, bool first)
{
    const uint8_t *p;
    size_t n;
    if (!first)
        return sl_err_set(&r->err, SL_E_DATA, "no message begins here");
    SL_TRY(sl_source_peek(r->src, SL_NOT_STREAM_BYTES, &p, &n, &r->err));
    return sl_err_set(&r->err, SL_E_DATA, "%s",
                      sl_not_stream((struct sl_str){ (const char *)p, n }));
}

/* Marker and length of the next message; the bytes are not consumed yet. */
static enum sl_status read_prefix(struct sl_reader *r, bool first, enum found *found,
                                  size_t *meta_bytes)
{
    const uint8_t *p;
    size_t n;
    *meta_bytes = 0;
    SL_TRY(sl_source_peek(r->src, PREFIX, &p, &n, &r->err));
    if (n < PREFIX)
        return short_front(r, p, n, first, found);
    uint32_t word = sl_load32(p);
    bool old = !r->strict && word <= SL_MAX_META_BYTES && word % 4 == 0; /* before Arrow 0.15 */
    if (word != UINT32_MAX && !old)
        return no_marker(r, first);
    r->prefix = old ? 4 : PREFIX;
    *meta_bytes = old ? word : sl_load32(p + 4);
    *found = *meta_bytes ? MESSAGE : END_MARKER;
    if (*meta_bytes > SL_MAX_META_BYTES - r->prefix)
        return sl_err_set(&r->err, SL_E_DATA, "metadata of %zu bytes (%zu are possible)",
                          *meta_bytes, SL_MAX_META_BYTES - r->prefix);
    return SL_OK;
}

static enum sl_status read_front(struct sl_reader *r, bool first, enum found *found)
{
    const uint8_t *p;
    size_t n, meta_bytes;
    r->off = sl_source_off(r->src);
    SL_TRY(read_prefix(r, first, found, &meta_bytes));
    if (*found == END_OF_INPUT)
        return SL_OK;
    size_t bytes = r->prefix + meta_bytes;
    if (*found == END_MARKER) {
        sl_source_consume(r->src, bytes);
        return SL_OK;
    }
    SL_TRY(sl_source_peek(r->src, bytes, &p, &n, &r->err));
    if (n < bytes)
        return cut(r, "inside the metadata of a message", n);
    sl_buf_reset(&r->bytes);
    SL_TRY(sl_buf_add(&r->bytes, p, bytes, &r->err));
    sl_source_consume(r->src, bytes);
    struct sl_str meta = { (const char *)r->bytes.p + r->prefix, meta_bytes };
    return sl_front_parse(&r->front, meta, r->strict, &r->err);
}

/* ---- hashes ---- */

static enum sl_status check_hash(struct sl_reader *r, struct sl_str body, uint64_t *out)
{
    static const char zeros[] = "0000000000000000";
    const char *front = (const char *)r->bytes.p;
    struct sl_str digits = r->front.hash;
    if (!digits.p)
        return sl_err_set(&r->err, SL_E_DATA, "a message without sl:xxh3");
    if (!sl_hash64_parse(digits, out))
        return sl_err_set(&r->err, SL_E_DATA, "sl:xxh3 is not 16 hex digits");
    if (r->bytes.n % 64 != 0)
        return sl_err_set(&r->err, SL_E_DATA, "a front of %zu bytes, no multiple of 64",
                          r->bytes.n);
    size_t before = (size_t)(digits.p - front), behind = before + digits.n;
    sl_hasher_reset64(r->hasher);
    sl_hasher_add64(r->hasher, front, before);
    sl_hasher_add64(r->hasher, zeros, SL_HASH64_DIGITS);
    sl_hasher_add64(r->hasher, front + behind, r->bytes.n - behind);
    sl_hasher_add64(r->hasher, body.p, body.n);
    if (sl_hasher_end64(r->hasher) != *out)
        return sl_err_set(&r->err, SL_E_DATA, "checksum mismatch");
    return SL_OK;
}

/* ---- the schema ---- */

/* How many bytes of a text fit into max, cut between characters; 0 where it is no text. */
static int whole_chars(struct sl_str s, size_t max)
{
    size_t n = s.n < max ? s.n : max;
    while (n < s.n && n && ((uint8_t)s.p[n] & 0xc0) == 0x80)
        n--;
    return sl_utf8_valid(s.p, n) ? (int)n : 0;
}

static enum sl_status check_profile(struct sl_reader *r)
{
    struct sl_str profile = sl_front_profile(&r->front);
    if (r->front.hash.p)
        SL_TRY(check_hash(r, SL_STR(""), &r->schema_hash));
    if (!profile.p)
        return sl_err_set(
            &r->err, SL_E_DATA,
            "an Arrow stream without sl:profile: sluice-import takes its rows as JSON lines");
    if (!sl_str_eq(profile, SL_STR("1")))
        return sl_err_set(&r->err, SL_E_DATA, "profile version '%.*s': this reader knows 1",
                          whole_chars(profile, 20), profile.p);
    if (r->front.trailer.p || r->front.error.p)
        return sl_err_set(&r->err, SL_E_DATA, "a schema message with a trailer or an error");
    return check_hash(r, SL_STR(""), &r->schema_hash);
}

static enum sl_status alloc_parts(struct sl_reader *r)
{
    struct sl_batch_parts *p = &r->parts;
    sl_schema_parts(&r->schema, &p->n_nodes, &p->n_spans);
    p->nodes = calloc((size_t)p->n_nodes + 1, sizeof *p->nodes);
    p->spans = calloc((size_t)p->n_spans + 1, sizeof *p->spans);
    r->trailer.columns = calloc((size_t)r->schema.n_fields + 1, sizeof *r->trailer.columns);
    r->hasher = r->hasher ? r->hasher : sl_hasher_new();
    return p->nodes && p->spans && r->trailer.columns && r->hasher
               ? SL_OK
               : sl_err_nomem(&r->err, p->n_spans * sizeof *p->spans);
}

static enum sl_status read_schema(struct sl_reader *r)
{
    enum found found;
    r->hasher = sl_hasher_new();
    if (!r->hasher)
        return sl_err_nomem(&r->err, sizeof *r);
    SL_TRY(read_front(r, true, &found));
    if (found != MESSAGE || r->front.header_type != SL_HEADER_SCHEMA)
        return sl_err_set(&r->err, SL_E_DATA, "a stream that does not begin with a schema");
    if (r->strict)
        SL_TRY(check_profile(r));
    SL_TRY(sl_front_schema(&r->front, r->strict, &r->schema, &r->err));
    return alloc_parts(r);
}

/* ---- bodies ---- */

/* Append n bytes, which are at this place of the body. */
static enum sl_status read_bytes(struct sl_reader *r, struct sl_buf *to, size_t n, size_t at)
{
    size_t begin = to->n;
    while (to->n - begin < n) {
        size_t have = to->n - begin, got = 0;
        size_t step = have > FIRST_STEP ? have : FIRST_STEP;
        if (step < to->cap - to->n)
            step = to->cap - to->n;
        if (step > n - have)
            step = n - have;
        SL_TRY(sl_buf_reserve(to, step, &r->err));
        SL_TRY(sl_source_read(r->src, to->p + to->n, step, &got, &r->err));
        to->n += got;
        if (got < step)
            return cut(r, "inside the body of a message", r->bytes.n + at + have + got);
    }
    return SL_OK;
}

static enum sl_status read_body(struct sl_reader *r, struct sl_buf *to)
{
    sl_buf_reset(to);
    return read_bytes(r, to, (size_t)r->front.body_bytes, 0);
}

static struct sl_str as_str(const struct sl_buf *b)
{
    return b->n ? sl_buf_str(b) : SL_STR("");
}

/* From the bytes of a body, whose hash is right, to checked columns. */
static enum sl_status open_body(struct sl_reader *r, struct sl_batch *b)
{
    struct sl_str body = as_str(r->parts.zstd ? &r->packed : &b->body);
    if (r->strict)
        SL_TRY(sl_body_places(&r->parts, body, &r->err));
    if (r->parts.zstd) {
        if (!r->unpack && !(r->unpack = sl_zunpack_new()))
            return sl_err_nomem(&r->err, sizeof *r);
        SL_TRY(sl_body_unpack(&r->parts, body, r->strict, r->unpack, &b->body, &r->err));
    }
    b->schema = &r->schema;
    b->off = r->off;
    b->seq = r->n_batches;
    SL_TRY(sl_body_columns(b, &r->parts, r->strict, NULL, &r->err));
    return r->strict ? sl_batch_validate(b, &r->err) : sl_foreign_batch(b, &r->scratch, &r->err);
}

/* ---- some columns of a body ---- */

static enum sl_status pass_bytes(struct sl_reader *r, int64_t from, int64_t to)
{
    size_t n = (size_t)(to - from), got = 0;
    SL_TRY(sl_source_skip(r->src, n, &got, &r->err));
    if (got < n)
        return cut(r, "inside the body of a message", r->bytes.n + (size_t)from + got);
    return SL_OK;
}

/* Read the buffers of the columns that are wanted, one behind the other. */
static enum sl_status pick_spans(struct sl_reader *r, struct sl_batch *b)
{
    uint32_t node = 0, first = 0, end = 0;
    int64_t at = 0, all = r->front.body_bytes;
    sl_buf_reset(&b->body);
    for (uint32_t i = 0; i < r->schema.n_fields; i++, first = end) {
        sl_field_parts(r->schema.fields[i], &node, &end);
        if (!r->picks[i] || first == end)
            continue;
        int64_t from = r->parts.spans[first].off;
        int64_t to = end < r->parts.n_spans ? r->parts.spans[end].off : all;
        int64_t moved = from - (int64_t)b->body.n;
        SL_TRY(pass_bytes(r, at, from));
        SL_TRY(read_bytes(r, &b->body, (size_t)(to - from), (size_t)from));
        at = to;
        for (uint32_t k = first; k < end; k++)
            r->parts.spans[k].off -= moved;
    }
    return pass_bytes(r, at, all);
}

static enum sl_status pick_batch(struct sl_reader *r, struct sl_batch *b)
{
    if (r->parts.n_rows == 0)
        return sl_err_set(&r->err, SL_E_DATA, "a batch of no rows that is no trailer");
    SL_TRY(sl_body_spans(&r->parts, (size_t)r->front.body_bytes, &r->err));
    SL_TRY(pick_spans(r, b));
    b->schema = &r->schema;
    b->off = r->off;
    b->seq = r->n_batches;
    SL_TRY(sl_body_columns(b, &r->parts, true, r->picks, &r->err));
    for (uint32_t i = 0; i < r->schema.n_fields; i++) {
        if (b->columns[i].n != b->n_rows)
            return sl_err_set(&r->err, SL_E_DATA, "column '%s' has %lld of %lld rows",
                              r->schema.fields[i]->name, (long long)b->columns[i].n,
                              (long long)b->n_rows);
        if (r->picks[i])
            SL_TRY(sl_column_validate(&b->columns[i], &r->err));
    }
    return SL_OK;
}

static enum sl_status read_batch(struct sl_reader *r, struct sl_batch *b)
{
    uint64_t hash;
    SL_TRY(sl_front_batch(&r->front, r->strict, &r->parts, &r->err));
    bool last = r->front.trailer.p != NULL;
    if (r->strict && last && (r->parts.n_rows || r->parts.zstd))
        return sl_err_set(&r->err, SL_E_DATA, "a trailer with rows or compression");
    if (r->picks && !last && !r->parts.zstd)
        return pick_batch(r, b);
    struct sl_buf *to = r->parts.zstd ? &r->packed : &b->body;
    SL_TRY(read_body(r, to));
    if (r->strict)
        SL_TRY(check_hash(r, as_str(to), &hash));
    if (r->strict && !last && r->parts.n_rows == 0)
        return sl_err_set(&r->err, SL_E_DATA, "a batch of no rows that is no trailer");
    return open_body(r, b);
}

/* ---- the end ---- */

/* The tool before us, or one before that, has failed. The batch that is announced
 * never comes, so what is said of its parts is not looked at. */
static enum sl_status read_poison(struct sl_reader *r)
{
    uint64_t hash;
    if (r->strict) {
        SL_TRY(check_hash(r, SL_STR(""), &hash));
        if (r->front.trailer.p || r->front.body_bytes < 64)
            return sl_err_set(&r->err, SL_E_DATA, "sl:error with a trailer or without a body");
    }
    struct sl_buf *text = &r->upstream_text;
    SL_TRY(sl_upstream_parse(r->front.error, text, &r->upstream_tool_bytes, &r->err));
    struct sl_upstream u = sl_reader_upstream(r);
    return sl_err_set(&r->err, SL_E_UPSTREAM, "upstream %.*s failed: %.*s", whole_chars(u.tool, 60),
                      u.tool.p, whole_chars(u.message, 600), u.message.p);
}

static enum sl_status differs(struct sl_reader *r, const char *what, int64_t says, int64_t were)
{
    return sl_err_set(&r->err, SL_E_DATA, "the trailer says %lld %s, the stream has %lld",
                      (long long)says, what, (long long)were);
}

static enum sl_status check_trailer(struct sl_reader *r)
{
    uint64_t schema_hash;
    struct sl_trailer *t = &r->trailer;
    SL_TRY(sl_buf_add_str(&r->trailer_text, r->front.trailer, &r->err));
    SL_TRY(sl_trailer_parse(as_str(&r->trailer_text), &r->schema, t, &schema_hash, &r->err));
    if (t->n_rows != r->n_rows)
        return differs(r, "rows", t->n_rows, r->n_rows);
    if (t->n_batches != r->n_batches)
        return differs(r, "batches", t->n_batches, r->n_batches);
    if (schema_hash != r->schema_hash)
        return sl_err_set(&r->err, SL_E_DATA, "the trailer belongs to another schema message");
    return SL_OK;
}

/* Behind the end marker. */
static enum sl_status check_end(struct sl_reader *r)
{
    const uint8_t *p;
    size_t n;
    r->off = sl_source_off(r->src);
    SL_TRY(sl_source_peek(r->src, 4, &p, &n, &r->err));
    if (n == 0) {
        r->ended = true;
        return SL_OK;
    }
    return sl_err_set(&r->err, SL_E_DATA,
                      n >= 4 && sl_load32(p) == UINT32_MAX
                          ? "another stream follows: join with sluice-cat a b"
                          : "bytes behind the end of the stream");
}

/* The trailer was read: nothing but the end may follow. */
static enum sl_status finish(struct sl_reader *r)
{
    const uint8_t *p;
    size_t n;
    SL_TRY(check_trailer(r));
    r->record++;
    r->off = sl_source_off(r->src);
    SL_TRY(sl_source_peek(r->src, PREFIX, &p, &n, &r->err));
    if (n < PREFIX)
        return cut(r, "before the end marker", n);
    if (sl_load32(p) != UINT32_MAX || sl_load32(p + 4) != 0)
        return sl_err_set(&r->err, SL_E_DATA, "no end marker behind the trailer");
    sl_source_consume(r->src, PREFIX);
    return check_end(r);
}

/* ---- one call ---- */

static enum sl_status other_message(struct sl_reader *r)
{
    int type = r->front.header_type;
    return sl_err_set(&r->err, SL_E_DATA, "%s",
                      type == SL_HEADER_SCHEMA ? "a second schema inside the stream"
                      : type == SL_HEADER_DICTIONARY
                          ? "a dictionary message: sluice-import converts it"
                          : "a message that is neither schema nor batch");
}

static enum sl_status next_message(struct sl_reader *r, struct sl_batch *b, bool *again)
{
    enum found found;
    *again = false;
    sl_batch_reset(b);
    r->record++;
    SL_TRY(read_front(r, false, &found));
    if (found != MESSAGE && r->strict)
        return sl_err_set(&r->err, SL_E_DATA, "truncated stream: an end without a trailer");
    if (found != MESSAGE)
        return check_end(r);
    if (r->front.header_type != SL_HEADER_BATCH)
        return other_message(r);
    if (r->front.error.p)
        return read_poison(r);
    SL_TRY(read_batch(r, b));
    if (r->strict && r->front.trailer.p)
        return finish(r);
    *again = b->n_rows == 0; /* of others, perhaps with a trailer of ours */
    if (!*again) {
        r->n_rows += b->n_rows; /* below 2^33 each, and not without a body */
        r->n_batches++;
    }
    return SL_OK;
}

static enum sl_status failed(struct sl_reader *r, struct sl_err *err)
{
    sl_err_at(&r->err, sl_source_name(r->src), r->off, r->record);
    sl_err_keep(err, &r->err);
    return r->err.status;
}

enum sl_status sl_reader_next(struct sl_reader *r, struct sl_batch *batch, struct sl_err *err)
{
    bool again = true;
    if (r->err.status < 0) {
        sl_batch_reset(batch);
        return failed(r, err);
    }
    while (again && !r->ended) {
        if (next_message(r, batch, &again) != SL_OK) {
            sl_batch_reset(batch);
            return failed(r, err);
        }
    }
    if (r->ended)
        sl_batch_reset(batch);
    return r->ended ? SL_END : SL_OK;
}

enum sl_status sl_reader_open(struct sl_reader **out, struct sl_source *src, enum sl_read_mode mode,
                              struct sl_err *err)
{
    *out = NULL;
    struct sl_reader *r = calloc(1, sizeof *r);
    if (!r)
        return sl_err_nomem(err, sizeof *r);
    r->src = src;
    r->strict = mode == SL_READ_STRICT;
    r->err = (struct sl_err)SL_ERR_INIT;
    sl_schema_init(&r->schema);
    sl_buf_init(&r->bytes, SL_MAX_META_BYTES);
    sl_buf_init(&r->packed, SL_MAX_BODY_BYTES);
    sl_buf_init(&r->trailer_text, SL_MAX_META_BYTES);
    sl_buf_init(&r->upstream_text, SL_MAX_META_BYTES);
    sl_arena_init(&r->scratch, (size_t)1 << 20);
    if (read_schema(r) != SL_OK) {
        enum sl_status st = failed(r, err);
        sl_reader_free(r);
        return st;
    }
    *out = r;
    return SL_OK;
}

enum sl_status sl_reader_pick(struct sl_reader *r, const bool *wanted, struct sl_err *err)
{
    if (!r->strict)
        return sl_err_set(err, SL_E_BUG, "only a strict reader picks columns");
    free(r->picks);
    r->picks = malloc(r->schema.n_fields + 1);
    if (!r->picks)
        return sl_err_nomem(err, r->schema.n_fields);
    memcpy(r->picks, wanted, r->schema.n_fields * sizeof *wanted);
    return SL_OK;
}

void sl_reader_free(struct sl_reader *r)
{
    if (!r)
        return;
    free(r->picks);
    sl_schema_release(&r->schema);
    sl_buf_release(&r->bytes);
    sl_buf_release(&r->packed);
    sl_buf_release(&r->trailer_text);
    sl_buf_release(&r->upstream_text);
    sl_arena_release(&r->scratch);
    sl_zunpack_free(r->unpack);
    if (r->hasher)
        sl_hasher_free(r->hasher);
    free(r->parts.nodes);
    free(r->parts.spans);
    free(r->trailer.columns);
    free(r);
}

const struct sl_schema *sl_reader_schema(const struct sl_reader *r)
{
    return &r->schema;
}

const struct sl_trailer *sl_reader_trailer(const struct sl_reader *r)
{
    return &r->trailer;
}

struct sl_upstream sl_reader_upstream(const struct sl_reader *r)
{
    struct sl_upstream u = { SL_STR(""), SL_STR("") };
    if (r && r->upstream_text.n) {
        const char *p = (const char *)r->upstream_text.p;
        u.tool = (struct sl_str){ p, r->upstream_tool_bytes };
        u.message = (struct sl_str){ p + r->upstream_tool_bytes,
                                     r->upstream_text.n - r->upstream_tool_bytes };
    }
    return u;
}
