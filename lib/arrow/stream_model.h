/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_STREAM_MODEL_H
#define SL_ARROW_STREAM_MODEL_H

/* For tests alone: whole streams in memory, made by the writer. */

#include "arrow/message_read.h"
#include "arrow/test_model.h"
#include "arrow/writer.h"
#include "base/hash.h"
#include "base/num.h"

struct stream_options {
    int rows; /* a batch */
    int batches;
    unsigned nulls; /* percent of the nullable values */
    int zstd;
    uint64_t seed;
    const char *const *types; /* NULL-terminated; NULL: all of the model */
    const char *poison;       /* message of a poison tail instead of a trailer */
};

static inline ssize_t stream_write(void *ctx, const void *p, size_t n)
{
    OK(sl_buf_add(ctx, p, n, &err));
    return (ssize_t)n;
}

static inline void stream_schema(struct sl_schema *s, const char *const *types)
{
    char name[16];
    if (!types) {
        model_schema(s);
    } else {
        sl_schema_init(s);
        for (int i = 0; types[i]; i++) {
            snprintf(name, sizeof name, "c%02d", i);
            OK(sl_schema_add_text(s, name, types[i], &err));
        }
    }
    OK(sl_schema_set_meta(s, "kind", SL_STR("docs"), &err));
    OK(sl_schema_set_meta(s, "lineage", SL_STR("[]"), &err));
}

/* The bytes of a stream; its rows as text, a line a value, go to text. */
static inline struct sl_buf stream_make(const struct stream_options *o, struct sl_buf *text)
{
    struct sl_buf bytes;
    struct sl_schema schema;
    struct sl_rows rows;
    struct sl_batch b;
    struct sl_sink *sink = NULL;
    struct sl_writer *w = NULL;
    uint64_t rng = o->seed;
    sl_buf_init(&bytes, (size_t)1 << 28);
    sl_batch_init(&b);
    stream_schema(&schema, o->types);
    OK(sl_rows_init(&rows, &schema, &err));
    OK(sl_sink_open_backend(&sink, (struct sl_sink_backend){ stream_write, NULL, &bytes }, "mem",
                            &err));
    const struct sl_write_options options = { .zstd_level = o->zstd };
    OK(sl_writer_open(&w, sink, &schema, &options, &err));
    for (int i = 0; i < o->batches; i++) {
        sl_rows_reset(&rows);
        model_fill(&rows, o->rows, &rng, o->nulls);
        OK(sl_rows_lend(&rows, &b, &err));
        OK(sl_writer_add(w, &b, &err));
        for (int64_t row = 0; text && row < b.n_rows; row++)
            for (uint32_t k = 0; k < schema.n_fields; k++) {
                model_text(&b.columns[k], row, text);
                OK(sl_buf_add_byte(text, '\n', &err));
            }
    }
    if (o->poison)
        OK(sl_writer_poison(w, SL_STR("sluice-x"), sl_str_of(o->poison), &err));
    else
        OK(sl_writer_end(w, SL_STR("[{\"tool\":\"sluice-x\",\"version\":\"0\"}]"), NULL, &err));
    sl_writer_free(w);
    OK(sl_sink_commit(sink, &err));
    sl_sink_free(sink);
    sl_batch_release(&b);
    sl_rows_release(&rows);
    sl_schema_release(&schema);
    return bytes;
}

/* A message of a stream: where it is, and how many bytes its parts have. */
struct stream_part {
    size_t off, front, body;
};

static inline struct sl_front stream_front(const uint8_t *message, size_t front)
{
    struct sl_front f;
    const struct sl_str meta = { (const char *)message + 8, front - 8 };
    OK(sl_front_parse(&f, meta, true, &err));
    return f;
}

/* All messages; what follows the last one is the end marker. */
static inline size_t stream_split(struct sl_str bytes, struct stream_part *parts, size_t max)
{
    const uint8_t *p = (const uint8_t *)bytes.p;
    size_t n = 0, off = 0, length;
    while ((length = sl_load32(p + off + 4)) != 0) {
        assert_true(n < max);
        struct sl_front f = stream_front(p + off, length + 8);
        size_t body = f.error.p ? 0 : (size_t)f.body_bytes;
        parts[n++] = (struct stream_part){ off, length + 8, body };
        off += length + 8 + body;
        if (off == bytes.n)
            return n;
    }
    assert_int_equal(off + 8, bytes.n);
    return n;
}

/* Make the hash of a message that was changed right again. */
static inline void stream_rehash(struct sl_buf *bytes, const struct stream_part *part)
{
    uint8_t *p = bytes->p + part->off;
    struct sl_front f = stream_front(p, part->front);
    char *digits = (char *)p + (f.hash.p - (const char *)p);
    memset(digits, '0', SL_HASH64_DIGITS);
    sl_hash64_hex(sl_hash64(p, part->front + part->body), digits);
}

#endif
