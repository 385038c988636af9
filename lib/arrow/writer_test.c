/* SPDX-License-Identifier: Apache-2.0 */
/* The writer: frozen bytes, every message's hash and alignment, packed bodies,
 * and what happens after a failure. The bytes are read here without our
 * reader, by the framing rule alone; Python's readers see the same stream in
 * tests/compat. */
#include "arrow/writer.h"

#include <errno.h>

#include "arrow/test_model.h"
#include "arrow/zstd_buf.h"
#include "base/num.h"

/* A sink into memory that fails after so many bytes. */
struct memory {
    struct sl_buf bytes;
    size_t limit;
};

static ssize_t memory_write(void *ctx, const void *p, size_t n)
{
    struct memory *m = ctx;
    if (m->bytes.n + n > m->limit) {
        errno = ENOSPC;
        return -1;
    }
    return sl_buf_add(&m->bytes, p, n, NULL) == SL_OK ? (ssize_t)n : -1;
}

struct made {
    struct memory mem;
    struct sl_sink *sink;
    struct sl_schema s;
    struct sl_rows r;
    struct sl_batch b;
    struct sl_writer *w;
};

static void make(struct made *m, const char *const *types, size_t limit)
{
    char name[32];
    *m = (struct made){ .mem.limit = limit };
    sl_buf_init(&m->mem.bytes, SIZE_MAX / 2);
    sl_batch_init(&m->b);
    OK(sl_sink_open_backend(&m->sink,
                            (struct sl_sink_backend){ .write = memory_write, .ctx = &m->mem },
                            "memory", &err));
    sl_schema_init(&m->s);
    for (size_t i = 0; types[i]; i++) {
        snprintf(name, sizeof name, "c%zu", i);
        OK(sl_schema_add_text(&m->s, name, types[i], &err));
    }
    OK(sl_rows_init(&m->r, &m->s, &err));
}

static void unmake(struct made *m)
{
    sl_writer_free(m->w);
    sl_batch_release(&m->b);
    sl_rows_release(&m->r);
    sl_schema_release(&m->s);
    sl_sink_free(m->sink);
    sl_buf_release(&m->mem.bytes);
}

static void add_random(struct made *m, int n, uint64_t *rng)
{
    sl_rows_reset(&m->r);
    model_fill(&m->r, n, rng, 20);
    OK(sl_rows_lend(&m->r, &m->b, &err));
    OK(sl_writer_add(m->w, &m->b, &err));
}

static const uint8_t *find(const uint8_t *p, size_t n, const char *what)
{
    return memmem(p, n, what, strlen(what));
}

/* The message at off: its front's bytes. Its hash must cover it and body bytes. */
static size_t check_hash(const uint8_t *all, size_t off, size_t body)
{
    const uint8_t *p = all + off;
    assert_int_equal(off % 64, 0);
    assert_int_equal(sl_load32(p), UINT32_MAX);
    size_t front = 8 + sl_load32(p + 4);
    assert_int_equal(front % 64, 0);
    struct sl_buf copy;
    sl_buf_init(&copy, SIZE_MAX / 2);
    OK(sl_buf_add(&copy, p, front + body, &err));
    /* the digits are the only run of 16 behind a length of 16 near the key */
    uint8_t *digits = NULL;
    uint64_t want;
    for (size_t i = 8; i + 20 <= front; i++)
        if (sl_load32(copy.p + i) == 16 && copy.p[i + 20] == 0 &&
            sl_hash64_parse((struct sl_str){ (char *)copy.p + i + 4, 16 }, &want))
            digits = copy.p + i + 4;
    assert_non_null(digits);
    assert_non_null(find(copy.p, front, "sl:xxh3"));
    assert_true(sl_hash64_parse((struct sl_str){ (char *)digits, 16 }, &want));
    memset(digits, '0', 16);
    assert_true(sl_hash64(copy.p, copy.n) == want);
    sl_buf_release(&copy);
    return front;
}

static void every_message(void **state)
{
    struct made m;
    uint64_t rng = 11;
    const struct sl_write_options options = { .zstd_level = *(int *)*state };
    const char *types[N_MODEL_TYPES + 1] = { 0 };
    memcpy(types, model_types, sizeof model_types);
    make(&m, types, SIZE_MAX);
    OK(sl_writer_open(&m.w, m.sink, &m.s, &options, &err));
    int64_t ends[4], bodies[4];
    OK(sl_sink_flush(m.sink, &err));
    ends[0] = (int64_t)m.mem.bytes.n;
    for (int i = 1; i < 4; i++) {
        add_random(&m, i * 40, &rng);
        ends[i] = sl_sink_off(m.sink);
        struct sl_written v = sl_writer_written(m.w);
        assert_int_equal(v.n_batches, i);
        bodies[i] = v.body_off;
        for (uint32_t k = 0; k < v.n_buffers; k++)
            assert_int_equal(v.buffer_off[k] % 64, 0);
        assert_true(v.body_off + v.buffer_off[v.n_buffers - 1] <= ends[i]);
    }
    m.b.n_rows = 0; /* nothing is written for no rows */
    OK(sl_writer_add(m.w, &m.b, &err));
    assert_int_equal(sl_sink_off(m.sink), ends[3]);
    OK(sl_writer_end(m.w, SL_STR("[{\"tool\":\"x\"}]"), NULL, &err));
    const uint8_t *all = m.mem.bytes.p;
    size_t n = m.mem.bytes.n;
    assert_int_equal(check_hash(all, 0, 0), ends[0]);
    for (int i = 1; i < 4; i++) {
        size_t front = check_hash(all, (size_t)ends[i - 1], (size_t)(ends[i] - bodies[i]));
        assert_int_equal(front, bodies[i] - ends[i - 1]);
        assert_int_equal(front, bodies[1] - ends[0]); /* all fronts are of one size */
    }
    size_t front = 8 + sl_load32(all + ends[3] + 4);
    check_hash(all, (size_t)ends[3], n - 8 - (size_t)ends[3] - front);
    assert_memory_equal(all + n - 8, "\xff\xff\xff\xff\0\0\0\0", 8);
    assert_non_null(find(all + ends[3], front, "{\"rows\":240,\"batches\":3,\"schema\":\""));
    assert_non_null(find(all + ends[3], front, ",\"lineage\":[{\"tool\":\"x\"}]}"));
    FAILS(SL_E_BUG, sl_writer_add(m.w, (m.b.n_rows = 1, &m.b), &err));
    FAILS(SL_E_BUG, sl_writer_end(m.w, SL_STR("[]"), NULL, &err));
    unmake(&m);
}

/* The bytes of a tiny stream are frozen: tests/compat/tiny-1.hex. */
static void frozen(void **state)
{
    (void)state;
    struct made m;
    const char *types[] = { "utf8", "list<uint16?>?", NULL };
    make(&m, types, SIZE_MAX);
    OK(sl_schema_set_meta(&m.s, "kind", SL_STR("docs"), &err));
    OK(sl_schema_set_meta(&m.s, "lineage", SL_STR("[]"), &err));
    OK(sl_writer_open(&m.w, m.sink, &m.s, NULL, &err));
    for (int i = 0; i < 3; i++) {
        static const struct sl_str texts[] = { { "hi", 2 }, { "", 0 }, { "abc", 3 } };
        OK(sl_colbuf_add_str(&m.r.cols[0], texts[i], &err));
        if (i == 1) {
            OK(sl_colbuf_add_null(&m.r.cols[1], &err));
        } else {
            OK(sl_colbuf_add_int(&m.r.cols[1].children[0], 258 + i, &err));
            OK(sl_colbuf_add_null(&m.r.cols[1].children[0], &err));
            OK(sl_colbuf_close(&m.r.cols[1], &err));
        }
        OK(sl_rows_close_row(&m.r, &err));
    }
    OK(sl_rows_lend(&m.r, &m.b, &err));
    OK(sl_writer_add(m.w, &m.b, &err));
    OK(sl_writer_end(m.w, SL_STR("[]"), NULL, &err));
    FILE *f = fopen("tests/compat/tiny-1.hex", "r");
    assert_non_null(f);
    for (size_t i = 0; i < m.mem.bytes.n; i++) {
        unsigned v;
        assert_int_equal(fscanf(f, "%2x", &v), 1);
        if (v != m.mem.bytes.p[i])
            fail_msg("byte %zu is %02x, frozen is %02x", i, m.mem.bytes.p[i], v);
    }
    char left;
    assert_int_equal(fscanf(f, " %c", &left), EOF);
    fclose(f);
    unmake(&m);
}

static void packed_is_plain(void **state)
{
    (void)state;
    struct made m;
    uint64_t rng = 4;
    const char *types[] = { "large_utf8", "list<int32?>?", NULL };
    const struct sl_write_options options = { .zstd_level = 5 };
    make(&m, types, SIZE_MAX);
    OK(sl_writer_open(&m.w, m.sink, &m.s, &options, &err));
    add_random(&m, 500, &rng);
    struct sl_written v = sl_writer_written(m.w);
    assert_int_equal(v.n_buffers, 7);
    OK(sl_sink_flush(m.sink, &err));
    struct sl_column *c = &m.b.columns[1];
    const struct sl_str want[] = {
        { NULL, 0 },
        { m.b.columns[0].offsets, 501 * 8 },
        { (const char *)m.b.columns[0].data, (size_t)m.b.columns[0].data_bytes },
        { (const char *)c->validity, 63 },
        { c->offsets, 501 * 4 },
        { (const char *)c->children[0].validity, (size_t)(c->children[0].n + 7) / 8 },
        { (const char *)c->children[0].data, (size_t)c->children[0].data_bytes },
    };
    struct sl_zunpack *z = sl_zunpack_new();
    for (uint32_t i = 0; i < 7; i++) {
        const uint8_t *p = m.mem.bytes.p + v.body_off + v.buffer_off[i];
        size_t end = i == 6 ? m.mem.bytes.n : (size_t)(v.body_off + v.buffer_off[i + 1]);
        size_t n = end - (size_t)(v.body_off + v.buffer_off[i]);
        struct sl_buf out;
        sl_buf_init(&out, 1 << 20);
        while (n && p[n - 1] == 0) /* the padding; zstd frames may end in zeros too */
            n--;
        enum sl_status st = SL_E_DATA;
        for (size_t more = 0; want[i].n && more < 8 && st != SL_OK; more++)
            st = sl_zstd_unpack(z, (struct sl_str){ (const char *)p, n + more }, &out, NULL);
        assert_int_equal(st, want[i].n ? SL_OK : SL_E_DATA);
        assert_int_equal(out.n, want[i].n);
        if (out.n)
            assert_memory_equal(out.p, want[i].p, out.n);
        sl_buf_release(&out);
    }
    sl_zunpack_free(z);
    unmake(&m);
}

static void copied_digests(void **state)
{
    (void)state;
    struct made m;
    uint64_t rng = 4;
    const char *types[] = { "utf8", "int8", NULL };
    const bool copied[] = { false, true };
    const struct sl_write_options options = { .copied = copied };
    const struct sl_hash128 digests[2] = { { { 9 } }, { { 1, 2, 3 } } };
    make(&m, types, SIZE_MAX);
    OK(sl_writer_open(&m.w, m.sink, &m.s, &options, &err));
    add_random(&m, 5, &rng);
    OK(sl_writer_end(m.w, SL_STR("[]"), digests, &err));
    struct sl_written v = sl_writer_written(m.w);
    assert_memory_not_equal(v.columns[0].b, digests[0].b, 16);
    assert_memory_equal(v.columns[1].b, digests[1].b, 16);
    struct sl_hash128 all = sl_hash128(v.columns, 32);
    assert_memory_equal(v.digest.b, all.b, 16);
    assert_non_null(find(m.mem.bytes.p, m.mem.bytes.n,
                         "[\"c1\",\"01020300000000000000000000000000\"]],\"lineage\":[]}"));
    unmake(&m);
    make(&m, types, SIZE_MAX);
    OK(sl_writer_open(&m.w, m.sink, &m.s, &options, &err));
    FAILS(SL_E_BUG, sl_writer_end(m.w, SL_STR("[]"), NULL, &err));
    unmake(&m);
}

static void poison(void **state)
{
    (void)state;
    struct made m;
    uint64_t rng = 4;
    const char *types[] = { "int8?", NULL };
    make(&m, types, SIZE_MAX);
    OK(sl_writer_open(&m.w, m.sink, &m.s, NULL, &err));
    add_random(&m, 5, &rng);
    size_t at = (size_t)sl_sink_off(m.sink);
    OK(sl_writer_poison(m.w, SL_STR("sluice-x"), SL_STR("bad \"byte\" \xff\n"), &err));
    const uint8_t *all = m.mem.bytes.p;
    assert_int_equal(check_hash(all, at, 0), m.mem.bytes.n - at);
    assert_non_null(
        find(all + at, m.mem.bytes.n - at,
             "{\"tool\":\"sluice-x\",\"message\":\"bad \\\"byte\\\" \xef\xbf\xbd\\n\"}"));
    FAILS(SL_E_BUG, sl_writer_poison(m.w, SL_STR("x"), SL_STR("again"), &err));
    FAILS(SL_E_BUG, sl_writer_end(m.w, SL_STR("[]"), NULL, &err));
    unmake(&m);
}

/* An error before a byte was written: sticky, but the tail can still follow. */
static void failed_batch(void **state)
{
    (void)state;
    struct made m, other;
    uint64_t rng = 4;
    const char *types[] = { "int8?", NULL }, *others[] = { "int16?", NULL };
    make(&m, types, SIZE_MAX);
    make(&other, others, SIZE_MAX);
    OK(sl_writer_open(&m.w, m.sink, &m.s, NULL, &err));
    model_fill(&other.r, 3, &rng, 0);
    OK(sl_rows_lend(&other.r, &other.b, &err));
    FAILS(SL_E_BUG, sl_writer_add(m.w, &other.b, &err));
    model_fill(&m.r, 3, &rng, 0);
    OK(sl_rows_lend(&m.r, &m.b, &err));
    FAILS(SL_E_BUG, sl_writer_add(m.w, &m.b, &err));
    FAILS(SL_E_BUG, sl_writer_end(m.w, SL_STR("[]"), NULL, &err));
    size_t at = (size_t)sl_sink_off(m.sink);
    OK(sl_writer_poison(m.w, SL_STR("x"), SL_STR("y"), &err));
    check_hash(m.mem.bytes.p, at, 0);
    unmake(&m);
    unmake(&other);
}

#ifndef NDEBUG
static void not_canonical(void **state)
{
    (void)state;
    struct made m;
    uint64_t rng = 4;
    const char *types[] = { "int8?", NULL };
    make(&m, types, SIZE_MAX);
    OK(sl_writer_open(&m.w, m.sink, &m.s, NULL, &err));
    model_fill(&m.r, 3, &rng, 0);
    OK(sl_rows_lend(&m.r, &m.b, &err));
    m.b.columns[0].validity = (const uint8_t *)"\7";
    FAILS(SL_E_BUG, sl_writer_add(m.w, &m.b, &err));
    unmake(&m);
}
#endif

static void full_disk(void **state)
{
    (void)state;
    struct made m;
    uint64_t rng = 4;
    const char *types[] = { "fixed_size_binary[16]", NULL };
    make(&m, types, 100000);
    OK(sl_writer_open(&m.w, m.sink, &m.s, NULL, &err));
    model_fill(&m.r, 10000, &rng, 0);
    OK(sl_rows_lend(&m.r, &m.b, &err));
    FAILS(SL_E_SYSTEM, sl_writer_add(m.w, &m.b, &err));
    FAILS(SL_E_SYSTEM, sl_writer_end(m.w, SL_STR("[]"), NULL, &err));
    FAILS(SL_E_SYSTEM, sl_writer_poison(m.w, SL_STR("x"), SL_STR("y"), &err));
    unmake(&m);
}

/* Lineage over the metadata's limit, at both ends. */
static void long_lineage(void **state)
{
    (void)state;
    struct made m;
    const char *types[] = { "int8", NULL };
    struct sl_buf text;
    sl_buf_init(&text, SL_MAX_META_BYTES);
    OK(sl_buf_reserve(&text, SL_MAX_META_BYTES, &err));
    memset(text.p, ' ', SL_MAX_META_BYTES);
    text.n = SL_MAX_META_BYTES - 100;
    make(&m, types, SIZE_MAX);
    OK(sl_schema_set_meta(&m.s, "lineage", sl_buf_str(&text), &err));
    FAILS(SL_E_DATA, sl_writer_open(&m.w, m.sink, &m.s, NULL, &err));
    assert_null(m.w);
    OK(sl_schema_set_meta(&m.s, "lineage", (struct sl_str){ NULL, 0 }, &err));
    OK(sl_writer_open(&m.w, m.sink, &m.s, NULL, &err));
    FAILS(SL_E_DATA, sl_writer_end(m.w, sl_buf_str(&text), NULL, &err));
    OK(sl_writer_poison(m.w, SL_STR("x"), SL_STR("lineage too long"), &err));
    unmake(&m);
    sl_buf_release(&text);
}

int main(void)
{
    static int plain = 0, zstd = 3;
    const struct CMUnitTest tests[] = {
        { "every_message, plain", every_message, NULL, NULL, &plain },
        { "every_message, zstd", every_message, NULL, NULL, &zstd },
        cmocka_unit_test(frozen),
        cmocka_unit_test(packed_is_plain),
        cmocka_unit_test(copied_digests),
        cmocka_unit_test(poison),
        cmocka_unit_test(failed_batch),
#ifndef NDEBUG
        cmocka_unit_test(not_canonical),
#endif
        cmocka_unit_test(full_disk),
        cmocka_unit_test(long_lineage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
