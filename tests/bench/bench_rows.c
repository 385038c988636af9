/* SPDX-License-Identifier: Apache-2.0 */
/* How fast rows are gathered, digested and written: batches of documents and of
 * numbers, best of some rounds, MB/s of batch size. Nothing reaches a disk.
 *
 *   bench_rows [ROUNDS] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "arrow/digest.h"
#include "arrow/rows.h"
#include "arrow/writer.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return z ^ z >> 27;
}

static ssize_t discard(void *ctx, const void *p, size_t n)
{
    (void)p;
    *(size_t *)ctx += n;
    return (ssize_t)n;
}

static void must(enum sl_status st)
{
    if (st != SL_OK)
        abort();
}

struct work {
    struct sl_schema s;
    struct sl_rows r;
    struct sl_batch b;
    struct sl_rows out;
    uint32_t rows[1 << 16];
    size_t n_rows;
    int level;
};

static void fill(struct work *w, const char *const *types, int n, size_t text_bytes)
{
    char name[32];
    uint64_t rng = 1;
    char *text = malloc(2 * text_bytes + 1);
    if (!text)
        abort();
    for (size_t i = 0; i < 2 * text_bytes; i++)
        text[i] = (char)('a' + random_next(&rng) % 20);
    sl_schema_init(&w->s);
    for (int i = 0; types[i]; i++) {
        snprintf(name, sizeof name, "c%d", i);
        must(sl_schema_add_text(&w->s, name, types[i], NULL));
    }
    must(sl_rows_init(&w->r, &w->s, NULL));
    must(sl_rows_init(&w->out, &w->s, NULL));
    sl_batch_init(&w->b);
    for (int i = 0; i < n; i++) {
        for (uint32_t k = 0; k < w->s.n_fields; k++) {
            struct sl_colbuf *c = &w->r.cols[k];
            enum sl_type t = c->field->type;
            uint64_t v = random_next(&rng);
            if (c->field->nullable && v % 10 == 0)
                must(sl_colbuf_add_null(c, NULL));
            else if (t == SL_T_FIXED_BINARY)
                must(sl_colbuf_add_str(c, (struct sl_str){ text, (size_t)c->field->size }, NULL));
            else if (sl_type_is_large(t))
                must(sl_colbuf_add_str(c, (struct sl_str){ text, v % (2 * text_bytes) }, NULL));
            else if (sl_type_is_bytes(t))
                must(sl_colbuf_add_str(c, (struct sl_str){ text, v % 60 }, NULL));
            else if (t == SL_T_BOOL)
                must(sl_colbuf_add_bool(c, v & 1, NULL));
            else if (t == SL_T_FLOAT32)
                must(sl_colbuf_add_real(c, (double)(v % 1000), NULL));
            else
                must(sl_colbuf_add_int(c, (int64_t)(v % 100), NULL));
        }
        must(sl_rows_close_row(&w->r, NULL));
    }
    must(sl_rows_lend(&w->r, &w->b, NULL));
    free(text);
}

static void pick(struct work *w, unsigned percent)
{
    uint64_t rng = 2;
    w->n_rows = 0;
    for (uint32_t i = 0; i < w->b.n_rows; i++)
        if (random_next(&rng) % 100 < percent)
            w->rows[w->n_rows++] = i;
}

static void do_take(struct work *w)
{
    sl_rows_reset(&w->out);
    must(sl_rows_take(&w->out, &w->b, w->rows, w->n_rows, NULL));
}

static void do_range(struct work *w)
{
    sl_rows_reset(&w->out);
    must(sl_rows_take_range(&w->out, &w->b, 0, w->b.n_rows, NULL));
}

static void do_digest(struct work *w)
{
    struct sl_digest *d = sl_digest_new(&w->s);
    sl_digest_add_batch(d, &w->b);
    sl_digest_free(d);
}

static void do_write(struct work *w)
{
    size_t bytes = 0;
    struct sl_sink *sink;
    struct sl_writer *writer;
    const struct sl_sink_backend backend = { .write = discard, .ctx = &bytes };
    const struct sl_write_options options = { .zstd_level = w->level };
    must(sl_sink_open_backend(&sink, backend, "nowhere", NULL));
    must(sl_writer_open(&writer, sink, &w->s, &options, NULL));
    for (int i = 0; i < 4; i++)
        must(sl_writer_add(writer, &w->b, NULL));
    must(sl_writer_end(writer, SL_STR("[]"), NULL, NULL));
    sl_writer_free(writer);
    sl_sink_free(sink);
}

static void measure(struct work *w, const char *name, void (*f)(struct work *), double bytes,
                    int rounds)
{
    double best = 1e9;
    for (int i = 0; i < rounds; i++) {
        double t = now();
        f(w);
        t = now() - t;
        best = t < best ? t : best;
    }
    printf("  %-28s %9.0f MB/s  %8.1f us\n", name, bytes / best / 1e6, best * 1e6);
}

static void all(const char *name, const char *const *types, int n, size_t text_bytes, int rounds)
{
    static struct work w;
    fill(&w, types, n, text_bytes);
    double bytes = (double)sl_batch_bytes(&w.b);
    printf("%s: %d rows, %.0f bytes\n", name, n, bytes);
    measure(&w, "range", do_range, bytes, rounds);
    pick(&w, 97);
    measure(&w, "take 97 % (runs)", do_take, bytes * 0.97, rounds);
    pick(&w, 50);
    measure(&w, "take 50 %", do_take, bytes * 0.5, rounds);
    measure(&w, "digest", do_digest, bytes, rounds);
    measure(&w, "write", do_write, 4 * bytes, rounds);
    w.level = 3;
    measure(&w, "write, zstd 3", do_write, 4 * bytes, rounds / 8 + 1);
    w.level = 0;
    sl_rows_release(&w.r);
    sl_rows_release(&w.out);
    sl_batch_release(&w.b);
    sl_schema_release(&w.s);
}

int main(int argc, char **argv)
{
    static const char *const docs[] = {
        "fixed_size_binary[16]", "large_utf8", "utf8", "utf8?", "float32?", "bool?", "uint32", NULL
    };
    int rounds = argc > 1 ? atoi(argv[1]) : 200;
    if (rounds < 1)
        return 2;
    all("documents", docs, 256, 4000, rounds);
    all("short documents", docs, 8192, 50, rounds);
    return 0;
}
