/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a stream, read four times: as what they are, some of their columns, with the hashes
 * of all messages made right (so that the strict reader gets to see the rest), and as a stream of
 * others. What is handed out must be canonical.
 *
 * The seeds are made here: the mutator starts from small streams of random
 * columns that the writer made, plain or compressed. */
#include <stdlib.h>

#include "arrow/canon.h"
#include "arrow/digest.h"
#include "arrow/message_read.h"
#include "arrow/reader.h"
#include "arrow/rows.h"
#include "arrow/writer.h"
#include "base/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed);

enum { BODY_MAX = 16 << 20 };

#define MUST(call)           \
    do {                     \
        if ((call) != SL_OK) \
            abort();         \
    } while (0)

static void check_batch(const struct sl_batch *b, const struct sl_schema *schema)
{
    if (b->schema != schema || b->n_rows < 1)
        abort();
    MUST(sl_batch_canonical(b, SL_E_BUG, NULL));
    if (sl_batch_bytes(b) < 0)
        abort();
}

static void read_all(struct sl_str bytes, enum sl_read_mode mode)
{
    struct sl_source *src;
    struct sl_reader *r;
    struct sl_batch b;
    struct sl_err err = SL_ERR_INIT;
    MUST(sl_source_open_mem(&src, bytes, "fuzz", SL_SOURCE_PLAIN, NULL));
    enum sl_status st = sl_reader_open(&r, src, mode, &err);
    sl_batch_init(&b);
    b.body.max = BODY_MAX; /* no bombs of a gigabyte here */
    struct sl_digest *d = st == SL_OK ? sl_digest_new(sl_reader_schema(r)) : NULL;
    while (st == SL_OK) {
        st = sl_reader_next(r, &b, &err);
        if (st == SL_OK) {
            check_batch(&b, sl_reader_schema(r));
            sl_digest_add_batch(d, &b);
        }
    }
    if (st != SL_END && (st == SL_E_BUG || err.status != st || !err.msg[0] || err.off < 0))
        abort();
    if (st == SL_END && mode == SL_READ_STRICT && sl_reader_trailer(r)->lineage.n < 2)
        abort();
    sl_digest_free(d);
    sl_batch_release(&b);
    sl_reader_free(r);
    sl_source_free(src);
}

/* Set the digits of every message that has some. */
static void fix_hashes(uint8_t *p, size_t n)
{
    size_t at = 0;
    while (n - at >= 8 && sl_load32(p + at) == UINT32_MAX) {
        size_t meta = sl_load32(p + at + 4);
        struct sl_front f;
        if (meta == 0 || meta > n - at - 8 ||
            sl_front_parse(&f, (struct sl_str){ (char *)p + at + 8, meta }, true, NULL) != SL_OK)
            return;
        size_t bytes = 8 + meta + (f.error.p ? 0 : (size_t)f.body_bytes);
        if (bytes > n - at)
            return;
        if (f.hash.n == SL_HASH64_DIGITS) {
            char *digits = (char *)p + (f.hash.p - (const char *)p);
            memset(digits, '0', SL_HASH64_DIGITS);
            sl_hash64_hex(sl_hash64(p + at, bytes), digits);
        }
        at += bytes;
    }
}

/* Every other column, and of these all bytes. */
static void read_some(struct sl_str bytes)
{
    struct sl_source *src;
    struct sl_reader *r;
    struct sl_batch b;
    bool wanted[SL_MAX_FIELDS];
    MUST(sl_source_open_mem(&src, bytes, "fuzz", SL_SOURCE_PLAIN, NULL));
    enum sl_status st = sl_reader_open(&r, src, SL_READ_STRICT, NULL);
    sl_batch_init(&b);
    b.body.max = BODY_MAX;
    for (int i = 0; i < SL_MAX_FIELDS; i++)
        wanted[i] = i % 2 != 0;
    if (st == SL_OK)
        MUST(sl_reader_pick(r, wanted, NULL));
    while (st == SL_OK) {
        st = sl_reader_next(r, &b, NULL);
        for (uint32_t i = 1; st == SL_OK && i < b.schema->n_fields; i += 2)
            if (sl_column_bytes(&b.columns[i], 0, b.n_rows) < 0)
                abort();
    }
    sl_batch_release(&b);
    sl_reader_free(r);
    sl_source_free(src);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n + 1); /* of its own, so that ASan sees its end */
    if (!copy)
        abort();
    memcpy(copy, data, n);
    read_all((struct sl_str){ (char *)copy, n }, SL_READ_STRICT);
    read_all((struct sl_str){ (char *)copy, n }, SL_READ_FOREIGN);
    read_some((struct sl_str){ (char *)copy, n });
    fix_hashes(copy, n);
    read_all((struct sl_str){ (char *)copy, n }, SL_READ_STRICT);
    free(copy);
    return 0;
}

/* ---- seeds ---- */

static const char *const types[] = {
    "int8?",
    "uint64",
    "float32?",
    "float64",
    "bool?",
    "utf8?",
    "large_utf8",
    "binary",
    "large_binary?",
    "fixed_size_binary[3]?",
    "timestamp[us,UTC]?",
    "list<uint16?>?",
    "large_list<utf8?>?",
    "fixed_size_list<bool?>[3]?",
    "struct<a:utf8?,b:int32>?",
    "list<struct<a:fixed_size_list<int16>[2]?,b:large_binary?>?>?",
};

static unsigned next_random(unsigned *rng)
{
    *rng = *rng * 1664525U + 1013904223U;
    return *rng >> 8;
}

static void add_value(struct sl_colbuf *c, unsigned *rng)
{
    const struct sl_field *f = c->field;
    unsigned v = next_random(rng);
    static const char text[] = "ab\xc3\xa9\xf0\x9f\x98\x80";
    static const size_t cuts[] = { 0, 1, 4, 8 };
    if (f->nullable && v % 3 == 0) {
        MUST(sl_colbuf_add_null(c, NULL));
    } else if (f->n_children) {
        unsigned n = f->type == SL_T_STRUCT       ? 1
                     : f->type == SL_T_FIXED_LIST ? (unsigned)f->size
                                                  : v % 4;
        for (unsigned i = 0; i < n; i++)
            for (uint32_t k = 0; k < f->n_children; k++)
                add_value(&c->children[k], rng);
        MUST(sl_colbuf_close(c, NULL));
    } else if (sl_type_is_bytes(f->type)) {
        MUST(sl_colbuf_add_str(c, (struct sl_str){ text, cuts[v % 4] }, NULL));
    } else if (f->type == SL_T_FIXED_BINARY) {
        MUST(sl_colbuf_add_str(c, (struct sl_str){ text, (size_t)f->size }, NULL));
    } else if (f->type == SL_T_BOOL) {
        MUST(sl_colbuf_add_bool(c, v & 1, NULL));
    } else if (f->type == SL_T_FLOAT32 || f->type == SL_T_FLOAT64) {
        MUST(sl_colbuf_add_real(c, v % 100, NULL));
    } else {
        MUST(sl_colbuf_add_int(c, v % 100, NULL));
    }
}

static ssize_t append(void *ctx, const void *p, size_t n)
{
    return sl_buf_add(ctx, p, n, NULL) == SL_OK ? (ssize_t)n : -1;
}

static void make_schema(struct sl_schema *s, unsigned *rng)
{
    static const char *const names[] = { "a", "b", "c" };
    sl_schema_init(s);
    for (unsigned i = 0, n = 1 + next_random(rng) % 3; i < n; i++) {
        const char *type = types[next_random(rng) % (sizeof types / sizeof *types)];
        MUST(sl_schema_add_text(s, names[i], type, NULL));
    }
}

static void make_stream(struct sl_buf *out, unsigned rng)
{
    struct sl_schema s;
    struct sl_rows rows;
    struct sl_batch b;
    struct sl_sink *sink;
    struct sl_writer *w;
    make_schema(&s, &rng);
    sl_batch_init(&b);
    MUST(sl_rows_init(&rows, &s, NULL));
    MUST(sl_sink_open_backend(&sink, (struct sl_sink_backend){ append, NULL, out }, "m", NULL));
    const struct sl_write_options o = { .zstd_level = next_random(&rng) % 3 == 0 };
    MUST(sl_writer_open(&w, sink, &s, &o, NULL));
    for (unsigned i = next_random(&rng) % 3; i; i--) {
        sl_rows_reset(&rows);
        for (unsigned k = 1 + next_random(&rng) % 12; k; k--) {
            for (uint32_t f = 0; f < s.n_fields; f++)
                add_value(&rows.cols[f], &rng);
            MUST(sl_rows_close_row(&rows, NULL));
        }
        MUST(sl_rows_lend(&rows, &b, NULL));
        MUST(sl_writer_add(w, &b, NULL));
    }
    if (next_random(&rng) % 8)
        MUST(sl_writer_end(w, SL_STR("[]"), NULL, NULL));
    else
        MUST(sl_writer_poison(w, SL_STR("sluice-x"), SL_STR("no"), NULL));
    sl_writer_free(w);
    MUST(sl_sink_commit(sink, NULL));
    sl_sink_free(sink);
    sl_batch_release(&b);
    sl_rows_release(&rows);
    sl_schema_release(&s);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed)
{
    if (n >= 64 && seed % 512)
        return LLVMFuzzerMutate(data, n, max);
    struct sl_buf s;
    sl_buf_init(&s, 1 << 20);
    make_stream(&s, seed);
    n = s.n < max ? s.n : max;
    memcpy(data, s.p, n);
    sl_buf_release(&s);
    return n;
}
