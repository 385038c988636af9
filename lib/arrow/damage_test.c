/* SPDX-License-Identifier: Apache-2.0 */
/* Damage: a stream with every type, cut at every byte, with every bit flipped,
 * a byte added or removed anywhere, whole messages moved about, and messages
 * that were made to hurt. The strict reader must say so each time. What only
 * the digests can know (two batches that changed places) must change them. */
#include "arrow/reader.h"

#include "arrow/digest.h"
#include "arrow/stream_model.h"

static const char *const small_types[] = {
    "int8?",
    "int16",
    "int32?",
    "int64?",
    "uint8",
    "uint16",
    "uint32?",
    "uint64",
    "float32",
    "float64?",
    "bool?",
    "utf8",
    "large_utf8?",
    "binary?",
    "large_binary",
    "fixed_size_binary[3]?",
    "timestamp[us,UTC]",
    "timestamp[ns]?",
    "list<uint16?>?",
    "large_list<bool>",
    "fixed_size_list<int32?>[2]?",
    "struct<a:utf8?,b:uint8>?",
    NULL,
};

static const char *const one_type[] = { "utf8?", NULL };

/* One source, reader and batch for each try, as few allocations as there can be. */
static enum sl_status try_batch(struct sl_str bytes, enum sl_read_mode mode, struct sl_batch *b,
                                struct sl_digest *d, struct sl_err *why)
{
    struct sl_source *src = NULL;
    struct sl_reader *r = NULL;
    OK(sl_source_open_mem(&src, bytes, "mem", SL_SOURCE_PLAIN, &err));
    enum sl_status st = sl_reader_open(&r, src, mode, why);
    while (st == SL_OK) {
        st = sl_reader_next(r, b, why);
        if (st == SL_OK && d)
            sl_digest_add_batch(d, b);
    }
    if (st == SL_END && d) { /* do the columns have the digests that they claim? */
        const struct sl_trailer *t = sl_reader_trailer(r);
        for (uint32_t i = 0; i < sl_reader_schema(r)->n_fields; i++) {
            struct sl_hash128 h = sl_digest_column(d, i);
            if (memcmp(&h, &t->columns[i], sizeof h) != 0)
                st = sl_err_set(why, SL_E_DATA, "another digest");
        }
    }
    assert_true(st == SL_END || (st < 0 && why->status == st && why->msg[0]));
    sl_reader_free(r);
    sl_source_free(src);
    return st;
}

static void refused(struct sl_str bytes, struct sl_batch *b, const char *what, size_t where)
{
    struct sl_err err = SL_ERR_INIT;
    enum sl_status st = try_batch(bytes, SL_READ_STRICT, b, NULL, &err);
    if (st != SL_E_DATA)
        fail_msg("%s %zu: status %d, %s", what, where, st, err.msg);
}

static void mark_types(const struct sl_field *f, bool *seen)
{
    seen[f->type] = true;
    for (uint32_t i = 0; i < f->n_children; i++)
        mark_types(&f->children[i], seen);
}

/* A type that is added to the profile must be damaged too. */
static void test_every_type(void **state)
{
    (void)state;
    bool seen[SL_T_STRUCT + 1] = { false };
    struct sl_schema s;
    stream_schema(&s, small_types);
    for (uint32_t i = 0; i < s.n_fields; i++)
        mark_types(s.fields[i], seen);
    for (int t = 0; t <= SL_T_STRUCT; t++)
        if (!seen[t])
            fail_msg("type %d is not in the stream", t);
    sl_schema_release(&s);
}

static struct sl_buf small_stream(int zstd, int rows, uint64_t seed)
{
    return stream_make(&(struct stream_options){ .rows = rows,
                                                 .batches = 2,
                                                 .nulls = 40,
                                                 .zstd = zstd,
                                                 .seed = seed,
                                                 .types = small_types },
                       NULL);
}

static void test_whole(void **state)
{
    (void)state;
    for (int zstd = 0; zstd <= 1; zstd++) {
        struct sl_buf s = small_stream(zstd, 3, 1);
        struct sl_batch b;
        struct sl_err err = SL_ERR_INIT;
        sl_batch_init(&b);
        assert_int_equal(try_batch(sl_buf_str(&s), SL_READ_STRICT, &b, NULL, &err), SL_END);
        sl_batch_release(&b);
        sl_buf_release(&s);
    }
}

/* A copy of exactly so many bytes, so that one byte too far is seen. */
static void test_cut(void **state)
{
    (void)state;
    for (int zstd = 0; zstd <= 1; zstd++) {
        struct sl_buf s = small_stream(zstd, 3, 1);
        struct sl_batch b;
        sl_batch_init(&b);
        for (size_t n = 0; n < s.n; n++) {
            char *copy = malloc(n + 1);
            assert_non_null(copy);
            memcpy(copy, s.p, n);
            refused((struct sl_str){ copy, n }, &b, "cut at", n);
            free(copy);
        }
        sl_batch_release(&b);
        sl_buf_release(&s);
    }
}

static void test_bits(void **state)
{
    (void)state;
    for (int zstd = 0; zstd <= 1; zstd++) {
        struct sl_buf s = small_stream(zstd, 3, 1);
        struct sl_batch b;
        sl_batch_init(&b);
        for (size_t bit = 0; bit < s.n * 8; bit++) {
            s.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
            refused(sl_buf_str(&s), &b, "bit", bit);
            s.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        sl_batch_release(&b);
        sl_buf_release(&s);
    }
}

static void test_shifts(void **state)
{
    (void)state;
    struct sl_buf s = small_stream(0, 3, 1);
    struct sl_batch b;
    char *copy = malloc(s.n + 1);
    assert_non_null(copy);
    sl_batch_init(&b);
    for (size_t at = 0; at < s.n; at++) {
        memcpy(copy, s.p, at);
        memcpy(copy + at, s.p + at + 1, s.n - at - 1);
        refused((struct sl_str){ copy, s.n - 1 }, &b, "without byte", at);
    }
    for (size_t at = 0; at <= s.n; at++) {
        memcpy(copy, s.p, at);
        copy[at] = (char)(at % 3 ? 0 : 0xff);
        memcpy(copy + at + 1, s.p + at, s.n - at);
        refused((struct sl_str){ copy, s.n + 1 }, &b, "a byte added at", at);
    }
    sl_batch_release(&b);
    free(copy);
    sl_buf_release(&s);
}

/* ---- whole messages ---- */

static void put(struct sl_buf *out, const struct sl_buf *s, const struct stream_part *p)
{
    OK(sl_buf_add(out, s->p + p->off, p->front + p->body, &err));
}

static void put_end(struct sl_buf *out)
{
    static const uint8_t end[8] = { 0xff, 0xff, 0xff, 0xff };
    OK(sl_buf_add(out, end, sizeof end, &err));
}

/* Messages of two streams by number, those of the second one from 10 on. */
static enum sl_status assembled(const struct sl_buf s[2], const int *order, bool digests,
                                struct sl_err *why)
{
    struct stream_part parts[2][8];
    struct sl_schema schema;
    struct sl_digest *d = NULL;
    struct sl_buf out;
    struct sl_batch b;
    for (int i = 0; i < 2; i++)
        assert_int_equal(stream_split(sl_buf_str(&s[i]), parts[i], 8), 4);
    sl_buf_init(&out, 1 << 26);
    sl_batch_init(&b);
    for (; *order >= 0; order++)
        put(&out, &s[*order / 10], &parts[*order / 10][*order % 10]);
    put_end(&out);
    stream_schema(&schema, small_types);
    if (digests)
        d = sl_digest_new(&schema);
    enum sl_status st = try_batch(sl_buf_str(&out), SL_READ_STRICT, &b, d, why);
    sl_digest_free(d);
    sl_schema_release(&schema);
    sl_batch_release(&b);
    sl_buf_release(&out);
    return st;
}

static void test_messages(void **state)
{
    (void)state;
    static const struct {
        int order[10];
        bool digests; /* only these can know */
        const char *says;
    } cases[] = {
        { { 0, 1, 2, 3, -1 }, true, NULL },
        { { 0, 2, 1, 3, -1 }, true, "digest" },
        { { 0, 1, 1, 2, 3, -1 }, false, "rows" },
        { { 0, 1, 3, -1 }, false, "rows" },
        { { 0, 2, 3, -1 }, false, "rows" },
        { { 0, 3, -1 }, false, "rows" },
        { { 0, 1, 2, -1 }, false, "without a trailer" },
        { { 0, 1, 2, 3, 3, -1 }, false, "end marker" },
        { { 0, 1, 3, 2, -1 }, false, "rows" },
        { { 1, 2, 3, -1 }, false, "schema" },
        { { 0, 0, 1, 2, 3, -1 }, false, "second schema" },
        { { -1 }, false, "schema" },
        { { 0, 11, 2, 3, -1 }, true, "digest" }, /* of another stream, as many rows */
        { { 0, 1, 2, 13, -1 }, true, "digest" },
    };
    const struct sl_buf s[2] = { small_stream(0, 3, 1), small_stream(0, 3, 2) };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sl_err err = SL_ERR_INIT;
        enum sl_status st = assembled(s, cases[i].order, cases[i].digests, &err);
        if (cases[i].says ? st != SL_E_DATA || !strstr(err.msg, cases[i].says) : st != SL_END)
            fail_msg("case %zu: %d %s", i, st, err.msg);
    }
    sl_buf_release((struct sl_buf *)(uintptr_t)&s[0]);
    sl_buf_release((struct sl_buf *)(uintptr_t)&s[1]);
}

/* A batch with another number of rows; and one of a stream that lies about it. */
static void test_other_rows(void **state)
{
    (void)state;
    const struct sl_buf s[2] = { small_stream(0, 3, 1), small_stream(0, 4, 1) };
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(assembled(s, (const int[]){ 0, 11, 2, 3, -1 }, false, &err), SL_E_DATA);
    assert_non_null(strstr(err.msg, "rows"));
    assert_int_equal(err.record, 3);
    sl_buf_release((struct sl_buf *)(uintptr_t)&s[0]);
    sl_buf_release((struct sl_buf *)(uintptr_t)&s[1]);
}

static void test_glued(void **state)
{
    (void)state;
    struct sl_buf s = small_stream(0, 3, 1);
    struct sl_batch b;
    size_t n = s.n;
    sl_batch_init(&b);
    OK(sl_buf_reserve(&s, n, &err));
    OK(sl_buf_add(&s, s.p, n, &err));
    for (int mode = SL_READ_STRICT; mode <= SL_READ_FOREIGN; mode++) {
        struct sl_err err = SL_ERR_INIT;
        assert_int_equal(try_batch(sl_buf_str(&s), (enum sl_read_mode)mode, &b, NULL, &err),
                         SL_E_DATA);
        assert_non_null(strstr(err.msg, "another stream follows: join with sluice-cat a b"));
        assert_int_equal(err.off, n);
    }
    s.p[n] = 0; /* no stream, but more than the end */
    refused(sl_buf_str(&s), &b, "behind", n);
    sl_batch_release(&b);
    sl_buf_release(&s);
}

/* ---- made to hurt ---- */

enum { MSG_VERSION, MSG_TYPE, MSG_HEADER, MSG_BODY, MSG_META };

static uint32_t hurt_pair(struct sl_fbb *b, const char *key, const char *value)
{
    uint32_t v = sl_fbb_string(b, sl_str_of(value)), k = sl_fbb_string(b, sl_str_of(key));
    sl_fbb_begin(b);
    sl_fbb_ref(b, 0, k);
    sl_fbb_ref(b, 1, v);
    return sl_fbb_end(b);
}

/* A field with a vector of children that all are the same one. */
static uint32_t hurt_field(struct sl_fbb *b, int type, uint32_t child, uint32_t n_children)
{
    uint32_t children = 0;
    if (n_children) {
        uint32_t *refs = calloc(n_children, sizeof *refs);
        assert_non_null(refs);
        for (uint32_t i = 0; i < n_children; i++)
            refs[i] = child;
        children = sl_fbb_refs(b, refs, n_children);
        free(refs);
    }
    uint32_t name = sl_fbb_string(b, SL_STR("item"));
    sl_fbb_begin(b);
    uint32_t t = sl_fbb_end(b);
    sl_fbb_begin(b);
    sl_fbb_ref(b, 0, name);
    sl_fbb_scalar(b, 2, (uint64_t)type, 1);
    sl_fbb_ref(b, 3, t);
    if (children)
        sl_fbb_ref(b, 5, children);
    return sl_fbb_end(b);
}

/* A schema message of n references to one field, with a right hash. */
static struct sl_buf hurt_schema(struct sl_fbb *b, uint32_t field, uint32_t n)
{
    uint32_t *refs = calloc((size_t)n + 1, sizeof *refs), one;
    struct sl_str fb = { NULL, 0 };
    struct sl_buf out;
    assert_non_null(refs);
    for (uint32_t i = 0; i < n; i++)
        refs[i] = field;
    uint32_t fields = sl_fbb_refs(b, refs, n);
    free(refs);
    one = hurt_pair(b, "sl:profile", "1");
    uint32_t meta = sl_fbb_refs(b, &one, 1);
    one = hurt_pair(b, "sl:xxh3", "0000000000000000");
    uint32_t hash = sl_fbb_refs(b, &one, 1);
    sl_fbb_begin(b);
    sl_fbb_ref(b, 1, fields);
    sl_fbb_ref(b, 2, meta);
    uint32_t schema = sl_fbb_end(b);
    sl_fbb_begin(b);
    sl_fbb_scalar(b, MSG_VERSION, 4, 2);
    sl_fbb_scalar(b, MSG_TYPE, 1, 1);
    sl_fbb_ref(b, MSG_HEADER, schema);
    sl_fbb_ref(b, MSG_META, hash);
    OK(sl_fbb_finish(b, sl_fbb_end(b), &fb, &err));
    uint8_t prefix[8];
    size_t bytes = sl_round64(fb.n + 8);
    sl_store32(prefix, UINT32_MAX);
    sl_store32(prefix + 4, (uint32_t)bytes - 8);
    sl_buf_init(&out, 1 << 21);
    OK(sl_buf_add(&out, prefix, 8, &err));
    OK(sl_buf_add_str(&out, fb, &err));
    OK(sl_buf_add_zeros(&out, bytes - out.n, &err));
    stream_rehash(&out, &(struct stream_part){ 0, bytes, 0 });
    put_end(&out);
    return out;
}

static void says(struct sl_buf *s, const char *want)
{
    struct sl_batch b;
    sl_batch_init(&b);
    for (int mode = SL_READ_STRICT; mode <= SL_READ_FOREIGN; mode++) {
        struct sl_err err = SL_ERR_INIT;
        enum sl_status st = try_batch(sl_buf_str(s), (enum sl_read_mode)mode, &b, NULL, &err);
        if (st != SL_E_DATA || !strstr(err.msg, want))
            fail_msg("not '%s' but %d %s", want, st, err.msg);
    }
    assert_true(b.body.cap <= (4 << 20) && b.arena.held_bytes <= (4 << 20));
    sl_batch_release(&b);
    sl_buf_release(s);
}

static void test_schemas_that_hurt(void **state)
{
    (void)state;
    enum { T_UTF8 = 5, T_LIST = 12, T_STRUCT = 13 };
    struct sl_fbb b;
    struct sl_buf s;
    sl_fbb_init(&b, 1 << 20);

    s = hurt_schema(&b, hurt_field(&b, T_UTF8, 0, 0), 250000); /* more do not fit */
    says(&s, "columns");
    sl_fbb_reset(&b);
    s = hurt_schema(&b, hurt_field(&b, T_UTF8, 0, 0), 2); /* the same name */
    says(&s, "already");
    sl_fbb_reset(&b);
    s = hurt_schema(&b, hurt_field(&b, T_STRUCT, hurt_field(&b, T_UTF8, 0, 0), 2000), 1);
    says(&s, "columns");

    sl_fbb_reset(&b);
    uint32_t f = hurt_field(&b, T_UTF8, 0, 0);
    for (int i = 0; i < 1000; i++)
        f = hurt_field(&b, T_LIST, f, 1);
    s = hurt_schema(&b, f, 1);
    says(&s, "deep");

    sl_fbb_reset(&b); /* 100^7 fields in seven tables */
    f = hurt_field(&b, T_UTF8, 0, 0);
    for (int i = 0; i < 7; i++)
        f = hurt_field(&b, T_STRUCT, f, 100);
    s = hurt_schema(&b, f, 1);
    says(&s, "columns");
    sl_fbb_release(&b);
}

static void test_sizes_that_hurt(void **state)
{
    (void)state;
    struct sl_message m;
    struct sl_node node = { 1, 0 };
    struct sl_span spans[3] = { { 0, 0 }, { 0, 8 }, { 64, 5 } };
    struct sl_buf s = stream_make(&(struct stream_options){ .types = one_type }, NULL);
    struct stream_part parts[4];
    assert_int_equal(stream_split(sl_buf_str(&s), parts, 4), 2);
    size_t schema = parts[0].front;
    struct sl_batch_head head = {
        .n_rows = 1, .nodes = &node, .spans = spans, .n_nodes = 1, .n_spans = 3
    };
    sl_message_init(&m);
    for (int i = 0; i < 5; i++) {
        static const char *const want[] = { "inside the body", "a body of", "inside the body",
                                            "a body of", "rows" };
        struct sl_buf t;
        head.body_bytes = (int64_t[]){ 1 << 30, (1 << 30) + 64, 1 << 22, -64, 128 }[i];
        node.n = i == 4 ? INT64_MAX : 1;
        sl_buf_init(&t, 1 << 20);
        OK(sl_message_batch(&m, &head, &err));
        OK(sl_buf_add(&t, s.p, schema, &err));
        OK(sl_buf_add_str(&t, sl_buf_str(&m.front), &err));
        OK(sl_buf_add_zeros(&t, 100, &err));
        says(&t, want[i]);
    }
    sl_message_release(&m);
    for (uint32_t n = 1U << 20; n; n *= 2) { /* lengths of the metadata */
        uint8_t prefix[8];
        struct sl_buf t;
        sl_store32(prefix, UINT32_MAX);
        sl_store32(prefix + 4, n - 8);
        sl_buf_init(&t, 1 << 20);
        OK(sl_buf_add(&t, s.p, schema, &err));
        OK(sl_buf_add(&t, prefix, 8, &err));
        says(&t, n == 1U << 20 ? "inside the metadata" : "metadata of");
    }
    sl_buf_release(&s);
}

/* A packed buffer of a hundred bytes that claims up to 2^63. */
static void test_packed_that_hurts(void **state)
{
    (void)state;
    const struct stream_options o = { .rows = 3, .batches = 1, .zstd = 1, .types = one_type };
    for (int shift = 20; shift < 64; shift++) {
        struct sl_buf s = stream_make(&o, NULL);
        struct stream_part parts[4];
        assert_int_equal(stream_split(sl_buf_str(&s), parts, 4), 3);
        sl_store64(s.p + parts[1].off + parts[1].front, UINT64_C(1) << shift);
        stream_rehash(&s, &parts[1]);
        says(&s, "buffer 1");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_shifts),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_other_rows),
        cmocka_unit_test(test_glued),
        cmocka_unit_test(test_schemas_that_hurt),
        cmocka_unit_test(test_sizes_that_hurt),
        cmocka_unit_test(test_packed_that_hurts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
