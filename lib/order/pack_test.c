/* SPDX-License-Identifier: Apache-2.0 */
/* Packing against a model that holds everything: all tokens of a group in one
 * array, and rows cut from it by their definition. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/num.h"
#include "order/pack.h"

enum { MAX_DOCS = 64, MAX_ROWS = 4096, N_CARRY = 2, EOS = 256, PAD = 257 };

static uint64_t seed;

static uint32_t below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

struct doc {
    struct sl_pack_doc d;
    uint32_t tokens[256]; /* room for 256 ids of 4 bytes */
    double carry[N_CARRY];
    bool placed, placed_by_model;
};

/* A row as both sides know it. */
struct row {
    uint64_t key; /* order of the model's rows */
    struct sl_hash128 id;
    uint32_t n_real, n_pieces;
    uint8_t *tokens, *mask; /* n_stored each */
    uint8_t doc_ids[MAX_DOCS * 16];
    uint32_t starts[MAX_DOCS], offsets[MAX_DOCS];
    char source[8];
    double carry[N_CARRY];
};

struct world {
    struct sl_pack_conf conf;
    uint32_t stored;
    struct doc docs[MAX_DOCS];
    uint32_t n_docs;
    struct row *got, *want;
    uint32_t n_got, n_want;
    int64_t cut, padding, overlap;
    uint32_t n_cut_calls;
};

static const char *const source_names[] = { "a", "b", "", "cc" };

static void make_docs(struct world *w, uint32_t n_docs, uint32_t most)
{
    w->n_docs = n_docs;
    for (uint32_t i = 0; i < n_docs; i++) {
        struct doc *d = &w->docs[i];
        uint32_t n = below(4) ? below(most + 1) : below(4);
        uint32_t which = below(5);
        *d = (struct doc){ .d = { .copy = (uint16_t)below(3), .n_tokens = n } };
        d->d.id = sl_hash128(&i, sizeof i);
        for (uint32_t k = 0; k < n; k++) {
            uint32_t id = below(256);
            memcpy((uint8_t *)d->tokens + k * w->conf.width, &id, w->conf.width);
        }
        d->d.has_source = which < 4;
        if (which < 4)
            d->d.source = sl_str_of(source_names[which]);
        for (int k = 0; k < N_CARRY; k++)
            d->carry[k] = below(3) ? (double)below(100) : (double)NAN;
        d->d.tokens = d->tokens;
        d->d.carry = d->carry;
    }
}

static struct row *new_row(struct row **rows, uint32_t *n, uint32_t stored, unsigned width)
{
    assert_true(*n < MAX_ROWS);
    struct row *r = &(*rows)[(*n)++];
    *r = (struct row){ .key = 0 };
    r->tokens = malloc((size_t)stored * width);
    r->mask = malloc(stored);
    assert_non_null(r->tokens);
    assert_non_null(r->mask);
    return r;
}

/* ---- what packing gives ---- */

static enum sl_status take_row(void *ctx, const struct sl_pack_seq *q, struct sl_err *err)
{
    struct world *w = ctx;
    (void)err;
    struct row *r = new_row(&w->got, &w->n_got, w->stored, w->conf.width);
    assert_int_equal(q->n_stored, w->stored);
    assert_true(q->n_pieces >= 1 && q->n_pieces <= MAX_DOCS);
    r->id = q->id;
    r->n_real = q->n_real;
    r->n_pieces = (uint32_t)q->n_pieces;
    memcpy(r->tokens, q->tokens, (size_t)w->stored * w->conf.width);
    memcpy(r->mask, q->mask, w->stored);
    memcpy(r->doc_ids, q->doc_ids, q->n_pieces * 16);
    memcpy(r->starts, q->starts, q->n_pieces * 4);
    memcpy(r->offsets, q->offsets, q->n_pieces * 4);
    r->source[0] = q->has_source ? '=' : 0;
    if (q->has_source)
        memcpy(r->source + 1, q->source.p, q->source.n);
    memcpy(r->carry, q->carry, sizeof r->carry);
    for (uint32_t k = 0; k < r->n_pieces; k++)
        for (uint32_t i = 0; i < w->n_docs; i++)
            if (memcmp(r->doc_ids + k * 16, w->docs[i].d.id.b, 16) == 0)
                w->docs[i].placed = true;
    return SL_OK;
}

static enum sl_status count_cut(void *ctx, uint32_t slot, struct sl_err *err)
{
    struct world *w = ctx;
    (void)slot;
    (void)err;
    w->n_cut_calls++;
    return SL_OK;
}

/* ---- what the definition gives ---- */

struct flat {
    uint32_t doc, at;
    uint64_t clock; /* place among all tokens of the input */
};

static uint32_t token_at(const struct world *w, struct flat f)
{
    const struct doc *d = &w->docs[f.doc];
    uint32_t id = 0;
    if (f.at == d->d.n_tokens)
        return EOS;
    memcpy(&id, (const uint8_t *)d->tokens + f.at * w->conf.width, w->conf.width);
    return id;
}

static bool one_source(const struct sl_pack_doc *a, const struct sl_pack_doc *b)
{
    return a->has_source == b->has_source && (!a->has_source || sl_str_eq(a->source, b->source));
}

static void model_pieces(struct world *w, const struct flat *f, uint32_t n, struct row *r)
{
    uint8_t layout[MAX_DOCS * 40 + 24];
    size_t at = 0;
    const struct sl_pack_doc *first = &w->docs[f[0].doc].d;
    bool same = true;
    for (uint32_t i = 0, to; i < n; i = to) {
        const struct sl_pack_doc *d = &w->docs[f[i].doc].d;
        for (to = i; to < n && f[to].doc == f[i].doc;)
            to++;
        memcpy(r->doc_ids + r->n_pieces * 16, d->id.b, 16);
        r->starts[r->n_pieces] = f[i].at;
        r->offsets[r->n_pieces++] = i;
        memcpy(layout + at, d->id.b, 16);
        sl_store64(layout + at + 16, d->copy);
        sl_store64(layout + at + 24, f[i].at);
        sl_store64(layout + at + 32, to - i);
        at += 40;
        same = same && one_source(d, first);
        w->docs[f[i].doc].placed_by_model = true;
    }
    sl_store64(layout + at, w->conf.length);
    memcpy(layout + at + 8, w->conf.tokenizer.b, 16);
    r->id = sl_hash128(layout, at + 24);
    if (same && first->has_source) {
        r->source[0] = '=';
        memcpy(r->source + 1, first->source.p, first->source.n);
    }
}

static void model_row(struct world *w, const struct flat *f, uint32_t n, uint64_t key)
{
    struct row *r = new_row(&w->want, &w->n_want, w->stored, w->conf.width);
    r->key = key;
    r->n_real = n;
    for (uint32_t i = 0; i < w->stored; i++) {
        uint32_t id = i < n ? token_at(w, f[i]) : PAD;
        memcpy(r->tokens + (size_t)i * w->conf.width, &id, w->conf.width);
        r->mask[i] = i < n;
    }
    model_pieces(w, f, n, r);
    for (int k = 0; k < N_CARRY; k++) {
        double sum = 0, with = 0;
        for (uint32_t i = 0; i < n; i++) {
            double v = w->docs[f[i].doc].carry[k];
            sum += isfinite(v) ? v : 0;
            with += isfinite(v) ? 1 : 0;
        }
        r->carry[k] = with > 0 ? sum / with : (double)NAN;
    }
}

/* All rows of one group; order: the group's place among those with tokens. */
static void model_group(struct world *w, const struct flat *f, uint32_t n, uint64_t order)
{
    uint32_t extra = w->conf.extra_token;
    for (uint32_t from = 0; from == 0 ? n > 0 : from + extra < n; from += w->conf.length) {
        uint32_t have = n - from < w->stored ? n - from : w->stored;
        bool full = have == w->stored, again = extra && from > 0;
        if (!full && w->conf.drop_last) {
            w->cut += have - again;
            continue;
        }
        w->overlap += again;
        w->padding += w->stored - have;
        model_row(w, f + from, have, full ? f[from + have - 1].clock : UINT64_MAX / 2 + order);
    }
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = ((const struct row *)a)->key, y = ((const struct row *)b)->key;
    return x < y ? -1 : x > y;
}

static void run_model(struct world *w)
{
    static struct flat f[MAX_DOCS * 257];
    bool done[MAX_DOCS] = { false };
    for (uint32_t i = 0; i < w->n_docs; i++) {
        uint32_t n = 0;
        uint64_t clock = 0;
        if (done[i] || !w->docs[i].d.n_tokens)
            continue;
        for (uint32_t j = 0; j < w->n_docs; j++) {
            const struct sl_pack_doc *d = &w->docs[j].d;
            uint32_t total = d->n_tokens ? d->n_tokens + 1 : 0;
            bool mine = !w->conf.by_source || one_source(d, &w->docs[i].d);
            for (uint32_t k = 0; mine && k < total; k++)
                f[n++] = (struct flat){ j, k, clock + k };
            clock += total;
            done[j] = done[j] || mine;
        }
        model_group(w, f, n, i);
    }
    qsort(w->want, w->n_want, sizeof *w->want, by_key);
}

/* ---- both ---- */

static void check_rows(const struct world *w)
{
    assert_int_equal(w->n_got, w->n_want);
    for (uint32_t i = 0; i < w->n_got; i++) {
        const struct row *a = &w->got[i], *b = &w->want[i];
        assert_int_equal(a->n_real, b->n_real);
        assert_int_equal(a->n_pieces, b->n_pieces);
        assert_memory_equal(a->tokens, b->tokens, (size_t)w->stored * w->conf.width);
        assert_memory_equal(a->mask, b->mask, w->stored);
        assert_memory_equal(a->doc_ids, b->doc_ids, a->n_pieces * 16);
        assert_memory_equal(a->starts, b->starts, a->n_pieces * 4);
        assert_memory_equal(a->offsets, b->offsets, a->n_pieces * 4);
        assert_memory_equal(a->id.b, b->id.b, 16);
        assert_string_equal(a->source, b->source);
        for (int k = 0; k < N_CARRY; k++)
            assert_true(a->carry[k] == b->carry[k] || (isnan(a->carry[k]) && isnan(b->carry[k])));
    }
}

static void check_counts(const struct world *w, const struct sl_pack_counts *c)
{
    int64_t in = 0, specials = 0;
    struct sl_pack_port begun = { 0 }, empty = { 0 }, lost = { 0 };
    for (uint32_t i = 0; i < w->n_docs; i++) {
        const struct doc *d = &w->docs[i];
        in += d->d.n_tokens;
        specials += d->d.n_tokens > 0;
        struct sl_pack_port *port = !d->d.n_tokens ? &empty : d->placed_by_model ? &begun : &lost;
        port->rows++;
        sl_hash128_add(&port->ids, d->d.id);
        assert_int_equal(d->placed, d->placed_by_model);
    }
    assert_int_equal(c->tokens_in, in);
    assert_int_equal(c->specials, specials);
    assert_int_equal(c->rows, w->n_want);
    assert_int_equal(c->tokens_out, (int64_t)w->n_want * w->stored);
    assert_int_equal(c->padding, w->padding);
    assert_int_equal(c->cut, w->cut);
    assert_int_equal(c->overlap, w->overlap);
    assert_int_equal(c->in.rows, w->n_docs);
    assert_memory_equal(&c->begun, &begun, sizeof begun);
    assert_memory_equal(&c->empty, &empty, sizeof empty);
    assert_memory_equal(&c->lost, &lost, sizeof lost);
}

static void free_rows(struct row *rows, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        free(rows[i].tokens);
        free(rows[i].mask);
    }
    free(rows);
}

static void pack_and_compare(const struct sl_pack_conf *conf, uint32_t n_docs, uint32_t most)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->conf = *conf;
    w->stored = conf->length + conf->extra_token;
    w->got = calloc(MAX_ROWS, sizeof *w->got);
    w->want = calloc(MAX_ROWS, sizeof *w->want);
    make_docs(w, n_docs, most);
    struct sl_pack *p;
    struct sl_err err = SL_ERR_INIT;
    struct sl_pack_sink sink = { take_row, count_cut, w };
    assert_int_equal(sl_pack_new(&p, conf, sink, &err), SL_OK);
    for (uint32_t i = 0; i < n_docs; i++) {
        int64_t waits;
        assert_int_equal(sl_pack_add(p, &w->docs[i].d, &waits, &err), SL_OK);
        assert_int_equal(waits >= 0, w->docs[i].d.n_tokens && !w->docs[i].placed);
    }
    assert_int_equal(sl_pack_end(p, &err), SL_OK);
    run_model(w);
    check_rows(w);
    check_counts(w, sl_pack_counts(p));
    assert_true(w->n_cut_calls > 0 || w->cut == 0);
    sl_pack_free(p);
    free_rows(w->got, w->n_got);
    free_rows(w->want, w->n_want);
    free(w);
}

static void model_agrees(void **state)
{
    (void)state;
    static const uint32_t lengths[] = { 1, 2, 3, 7, 16, 64, 100, 1000 };
    for (uint32_t i = 0; i < 768; i++) {
        struct sl_pack_conf conf = {
            .length = lengths[i % 8],
            .extra_token = i >> 3 & 1,
            .drop_last = i >> 4 & 1,
            .by_source = i >> 5 & 1,
            .width = i >> 6 & 1 ? 4 : 2,
            .eos = EOS,
            .pad = PAD,
            .n_carry = N_CARRY,
            .tokenizer = sl_hash128("t", 1),
        };
        seed = i;
        pack_and_compare(&conf, below(conf.length < 3 ? 12 : MAX_DOCS), i % 3 ? 120 : 6);
    }
}

/* ---- single rules ---- */

static enum sl_status drop_row(void *ctx, const struct sl_pack_seq *q, struct sl_err *err)
{
    (void)q;
    (void)err;
    ++*(uint32_t *)ctx;
    return SL_OK;
}

static const struct sl_pack_conf plain = { .length = 8, .width = 2, .eos = EOS, .pad = PAD };

static void lengths_are_checked(void **state)
{
    (void)state;
    struct sl_pack *p;
    struct sl_pack_conf c = plain;
    struct sl_pack_sink sink = { drop_row, NULL, NULL };
    c.length = 0;
    assert_int_equal(sl_pack_new(&p, &c, sink, NULL), SL_E_USAGE);
    c.length = SL_PACK_MAX_STORED + 1;
    assert_int_equal(sl_pack_new(&p, &c, sink, NULL), SL_E_USAGE);
    c.length = SL_PACK_MAX_STORED;
    c.extra_token = true;
    assert_int_equal(sl_pack_new(&p, &c, sink, NULL), SL_E_USAGE);
    c.extra_token = false;
    assert_int_equal(sl_pack_new(&p, &c, sink, NULL), SL_OK);
    sl_pack_free(p);
    c.eos = 65536;
    assert_int_equal(sl_pack_new(&p, &c, sink, NULL), SL_E_DATA);
}

static void sources_are_limited(void **state)
{
    (void)state;
    struct sl_pack *p;
    struct sl_pack_conf c = plain;
    uint32_t n_rows = 0;
    struct sl_err err = SL_ERR_INIT;
    uint16_t token = 1;
    char name[16];
    c.by_source = true;
    assert_int_equal(sl_pack_new(&p, &c, (struct sl_pack_sink){ drop_row, NULL, &n_rows }, &err),
                     SL_OK);
    for (uint32_t i = 0; i <= SL_PACK_MAX_SOURCES; i++) {
        memcpy(name, &i, sizeof i);
        struct sl_pack_doc d = { .has_source = true, .source = { name, sizeof i } };
        d.tokens = &token;
        d.n_tokens = 1;
        enum sl_status want = i < SL_PACK_MAX_SOURCES ? SL_OK : SL_E_DATA;
        assert_int_equal(sl_pack_add(p, &d, NULL, &err), want);
    }
    sl_pack_free(p);
}

static enum sl_status refuse_row(void *ctx, const struct sl_pack_seq *q, struct sl_err *err)
{
    (void)ctx;
    (void)q;
    return sl_err_set(err, SL_E_SYSTEM, "full");
}

static void sink_errors_come_back(void **state)
{
    (void)state;
    struct sl_pack *p;
    struct sl_err err = SL_ERR_INIT;
    uint16_t tokens[8] = { 0 };
    struct sl_pack_doc d = { .tokens = tokens, .n_tokens = 8 };
    assert_int_equal(sl_pack_new(&p, &plain, (struct sl_pack_sink){ refuse_row, NULL, NULL }, &err),
                     SL_OK);
    assert_int_equal(sl_pack_add(p, &d, NULL, &err), SL_E_SYSTEM);
    sl_pack_free(p);
    sl_pack_free(NULL);
}

static void a_wrong_count_is_a_bug(void **state)
{
    (void)state;
    struct sl_pack_counts good = { .tokens_in = 10,
                                   .specials = 2,
                                   .overlap = 1,
                                   .tokens_out = 16,
                                   .padding = 4,
                                   .cut = 1,
                                   .rows = 2 };
    good.in.rows = 2;
    good.begun.rows = good.empty.rows = 1;
    assert_int_equal(sl_pack_check(&good, NULL), SL_OK);
    struct sl_pack_counts bad = good;
    bad.padding++;
    assert_int_equal(sl_pack_check(&bad, NULL), SL_E_BUG);
    bad = good;
    bad.lost.rows++;
    assert_int_equal(sl_pack_check(&bad, NULL), SL_E_BUG);
    bad = good;
    bad.begun.ids.b[15] = 1;
    assert_int_equal(sl_pack_check(&bad, NULL), SL_E_BUG);
}

/* The example of docs/packing.md, worked out apart from this code. */
static enum sl_status keep_id(void *ctx, const struct sl_pack_seq *q, struct sl_err *err)
{
    (void)err;
    sl_hash128_hex(q->id, ctx);
    return SL_OK;
}

static void the_documented_id(void **state)
{
    (void)state;
    struct sl_pack *p;
    struct sl_pack_conf c = plain;
    char hex[SL_HASH128_DIGITS + 1] = "";
    uint16_t tokens[3] = { 'a', 'b', 'c' };
    c.tokenizer = sl_hash128("", 0);
    struct sl_pack_doc d = { .tokens = tokens, .n_tokens = 3 };
    for (int i = 0; i < 16; i++)
        d.id.b[i] = (uint8_t)i;
    assert_int_equal(sl_pack_new(&p, &c, (struct sl_pack_sink){ keep_id, NULL, hex }, NULL), SL_OK);
    assert_int_equal(sl_pack_add(p, &d, NULL, NULL), SL_OK);
    d.copy = 1;
    assert_int_equal(sl_pack_add(p, &d, NULL, NULL), SL_OK);
    assert_string_equal(hex, "a465c5728cfdd5b0ab45ebb8654d12fe");
    sl_pack_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_agrees),           cmocka_unit_test(lengths_are_checked),
        cmocka_unit_test(sources_are_limited),    cmocka_unit_test(sink_errors_come_back),
        cmocka_unit_test(a_wrong_count_is_a_bug), cmocka_unit_test(the_documented_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
