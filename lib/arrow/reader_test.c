/* SPDX-License-Identifier: Apache-2.0 */
/* Streams written and read back; what is refused, and in which words. */
#include "arrow/reader.h"

#include <errno.h>

#include "arrow/canon.h"
#include "arrow/stream_model.h"
#include "arrow/validate.h"

/* Read all of a stream; the rows as text are appended to text (may be NULL). */
static enum sl_status read_all(struct sl_str bytes, enum sl_read_mode mode, struct sl_buf *text,
                               struct sl_err *why)
{
    struct sl_source *src = NULL;
    struct sl_reader *r = NULL;
    struct sl_batch b;
    OK(sl_source_open_mem(&src, bytes, "mem", SL_SOURCE_PLAIN, &err));
    enum sl_status st = sl_reader_open(&r, src, mode, why);
    sl_batch_init(&b);
    while (st == SL_OK) {
        st = sl_reader_next(r, &b, why);
        if (st != SL_OK)
            break;
        assert_true(b.n_rows > 0);
        OK(sl_batch_canonical(&b, SL_E_BUG, &err));
        for (int64_t i = 0; text && i < b.n_rows; i++)
            for (uint32_t k = 0; k < b.schema->n_fields; k++) {
                model_text(&b.columns[k], i, text);
                OK(sl_buf_add_byte(text, '\n', &err));
            }
    }
    if (r) { /* dead, or at its end, for good */
        struct sl_err again = SL_ERR_INIT;
        assert_int_equal(sl_reader_next(r, &b, &again), st);
        assert_true(st == SL_END || strcmp(again.msg, why->msg) == 0);
    }
    sl_batch_release(&b);
    sl_reader_free(r);
    sl_source_free(src);
    return st;
}

static void same_rows(const struct stream_options *o, enum sl_read_mode mode)
{
    struct sl_buf text, want;
    struct sl_err err = SL_ERR_INIT;
    sl_buf_init(&text, 1 << 26);
    sl_buf_init(&want, 1 << 26);
    struct sl_buf bytes = stream_make(o, &want);
    enum sl_status st = read_all(sl_buf_str(&bytes), mode, &text, &err);
    if (st != SL_END)
        fail_msg("%s", err.msg);
    assert_int_equal(text.n, want.n);
    if (want.n)
        assert_memory_equal(text.p, want.p, want.n);
    sl_buf_release(&bytes);
    sl_buf_release(&text);
    sl_buf_release(&want);
}

static void test_round_trip(void **state)
{
    (void)state;
    for (int mode = SL_READ_STRICT; mode <= SL_READ_FOREIGN; mode++)
        for (unsigned nulls = 0; nulls <= 100; nulls += 50)
            for (int zstd = 0; zstd <= 3; zstd += 3) {
                same_rows(
                    &(struct stream_options){
                        .rows = 37, .batches = 3, .nulls = nulls, .zstd = zstd, .seed = 7 + nulls },
                    (enum sl_read_mode)mode);
                same_rows(&(struct stream_options){ .rows = 300,
                                                    .batches = 1,
                                                    .nulls = nulls,
                                                    .zstd = zstd,
                                                    .seed = 9 + nulls },
                          (enum sl_read_mode)mode);
                same_rows(&(struct stream_options){ .rows = 1, .batches = 0, .zstd = zstd },
                          (enum sl_read_mode)mode);
            }
}

/* ---- what is refused, and how ---- */

static void says(struct sl_str bytes, enum sl_read_mode mode, enum sl_status want,
                 const char *words)
{
    struct sl_err why = SL_ERR_INIT;
    enum sl_status st = read_all(bytes, mode, NULL, &why);
    if (st != want || !strstr(why.msg, words))
        fail_msg("not %d '%s' but %d '%s'", want, words, st, why.msg);
    assert_true(why.off >= 0 && why.record >= 0);
    assert_string_equal(why.where, "mem");
}

static void test_other_formats(void **state)
{
    (void)state;
    static const struct {
        struct sl_str bytes;
        const char *words;
    } cases[] = {
        { SL_STR(""), "empty input: no stream" },
        { SL_STR("ARROW1\0\0\xff\xff\xff\xff"), "an Arrow file, not a stream: sluice-import" },
        { SL_STR("PAR1\x15\x04\x15\x10"), "Parquet" },
        { SL_STR("\x1f\x8b\x08\0\0\0\0\0\0\x03"), "gzip" },
        { SL_STR("\x28\xb5\x2f\xfd\x04\0\0\0\0"), "zstd" },
        { SL_STR("WARC/1.0\r\nWARC-Type: warcinfo\r\n"), "WARC file" },
        { SL_STR(" {\"text\": \"a\"}\n"), "JSON" },
        { SL_STR("[1]"), "truncated stream" }, /* too short to say anything of it */
        { SL_STR("<!DOCTYPE html><html>"), "HTML" },
        { SL_STR("plain words\n"), "text, not a Sluice stream" },
        { SL_STR("\x01\x02\x03\xf4\x05\x06\x07\x08\x09"), "not a Sluice stream" },
        { SL_STR("\xff\xff\xff\xff\0\0\0\0"), "does not begin with a schema" },
        { SL_STR("\xff\xff\xff"), "truncated stream: the input ends at byte 3" },
        { SL_STR("\xff\xff\xff\xff\x40\0\0\0zzzz"), "inside the metadata" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int mode = SL_READ_STRICT; mode <= SL_READ_FOREIGN; mode++)
            says(cases[i].bytes, (enum sl_read_mode)mode, SL_E_DATA, cases[i].words);
}

static const char *const two_types[] = { "utf8?", "uint16?", NULL };

struct rule {
    unsigned message;
    bool body;     /* at counts from the body, else from the front */
    size_t at;     /* of the change */
    char was, now; /* the bytes there */
    const char *words;
};

/* One batch, rows "" (null), ...; a byte changed under a right hash. */
static void broken_rule(const struct rule *rule)
{
    const struct stream_options o = { .rows = 9, .batches = 1, .seed = 4, .types = two_types };
    struct sl_buf s = stream_make(&o, NULL);
    struct stream_part parts[4];
    assert_int_equal(stream_split(sl_buf_str(&s), parts, 4), 3);
    const struct stream_part *p = &parts[rule->message];
    uint8_t *byte = s.p + p->off + (rule->body ? p->front : 0) + rule->at;
    assert_int_equal(*byte, (uint8_t)rule->was);
    *byte = (uint8_t)rule->now;
    stream_rehash(&s, p);
    says(sl_buf_str(&s), SL_READ_STRICT, SL_E_DATA, rule->words);
    sl_buf_release(&s);
}

/* Where a text stands in a message's front, behind it by so many bytes. */
static size_t find(unsigned message, const char *text, size_t more)
{
    const struct stream_options o = { .rows = 9, .batches = 1, .seed = 4, .types = two_types };
    struct sl_buf s = stream_make(&o, NULL);
    struct stream_part parts[4];
    assert_int_equal(stream_split(sl_buf_str(&s), parts, 4), 3);
    const uint8_t *front = s.p + parts[message].off;
    const uint8_t *at = memmem(front, parts[message].front, text, strlen(text));
    assert_non_null(at);
    sl_buf_release(&s);
    return (size_t)(at - front) + more;
}

static void test_rules(void **state)
{
    (void)state;
    /* body: offsets at 0 (10 of them, to byte 40), text at 64, numbers at 128 */
    const struct rule rules[] = {
        { 1, true, 0, 0, 1, "do not begin at 0" },
        { 1, true, 3, 0, (char)0x80, "do not begin at 0" },
        { 1, true, 23, 0, 0x7f, "fall" },
        { 1, true, 40, 0, 1, "padding behind buffer 1" },
        { 1, true, 63, 0, (char)0x80, "padding behind buffer 1" },
        { 1, true, 128 + 18, 0, 1, "padding behind buffer 4" },
        { 1, true, 191, 0, 1, "padding behind buffer 4" },
        { 1, true, 64, 'w', (char)0xff, "not UTF-8" },
        { 0, false, find(0, "sl:profile", 0), 's', 'S', "without sl:profile: sluice-import" },
        { 2, false, find(2, "\"rows\":", 7), '9', '8', "says 8 rows, the stream has 9" },
        { 2, false, find(2, "\"batches\":", 10), '1', '2', "says 2 batches" },
        { 2, false, find(2, "\"batches\":", 2), 'a', 'e', "'batches' is missing" },
        { 2, false, find(2, "\"c01\"", 1), 'c', 'd', "'columns'" },
        { 2, false, find(2, "lineage\":[", 9), '[', ' ', "not JSON" },
        { 2, false, find(2, "sl:trailer", 3), 't', 'T', "no rows that is no trailer" },
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        broken_rule(&rules[i]);
}

/* Another digit in each of the trailer's hashes. */
static void test_trailer_hashes(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "\"schema\":\"", "another schema message" },
        { "\"digest\":\"", "not that of its columns" },
        { "\"c01\",\"", "not that of its columns" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t at = find(2, cases[i][0], strlen(cases[i][0]));
        const struct stream_options o = { .rows = 9, .batches = 1, .seed = 4, .types = two_types };
        struct sl_buf s = stream_make(&o, NULL);
        struct stream_part parts[4];
        assert_int_equal(stream_split(sl_buf_str(&s), parts, 4), 3);
        uint8_t *digit = s.p + parts[2].off + at;
        *digit = *digit == '0' ? '1' : '0';
        stream_rehash(&s, &parts[2]);
        says(sl_buf_str(&s), SL_READ_STRICT, SL_E_DATA, cases[i][1]);
        sl_buf_release(&s);
    }
}

static void test_profile_version(void **state)
{
    (void)state;
    size_t at = find(0, "sl:profile", 0);
    const struct stream_options o = { .rows = 1, .batches = 1, .seed = 4, .types = two_types };
    struct sl_buf s = stream_make(&o, NULL);
    struct stream_part parts[4];
    assert_int_equal(stream_split(sl_buf_str(&s), parts, 4), 3);
    uint8_t *value = memmem(s.p + at, 64,
                            "\x01\0\0\0"
                            "1",
                            5);
    if (!value)
        value = memmem(s.p + (at > 64 ? at - 64 : 0), 128,
                       "\x01\0\0\0"
                       "1",
                       5);
    assert_non_null(value);
    value[4] = '2';
    stream_rehash(&s, &parts[0]);
    says(sl_buf_str(&s), SL_READ_STRICT, SL_E_DATA, "profile version '2': this reader knows 1");
    sl_buf_release(&s);
}

static void test_poison(void **state)
{
    (void)state;
    for (int batches = 0; batches < 3; batches++) {
        const struct stream_options o = {
            .rows = 2, .batches = batches, .types = two_types, .poison = "disk \"full\""
        };
        struct sl_buf s = stream_make(&o, NULL);
        struct stream_part parts[4];
        for (int mode = SL_READ_STRICT; mode <= SL_READ_FOREIGN; mode++)
            says(sl_buf_str(&s), (enum sl_read_mode)mode, SL_E_UPSTREAM,
                 "upstream sluice-x failed: disk \"full\"");
        size_t n = stream_split(sl_buf_str(&s), parts, 4);
        s.p[parts[n - 1].off + parts[n - 1].front - 1] ^= 1; /* a poison tail is hashed too */
        says(sl_buf_str(&s), SL_READ_STRICT, SL_E_DATA, "checksum mismatch");
        sl_buf_release(&s);
    }
}

/* A tool that fails before it knows its columns. */
static void test_no_columns(void **state)
{
    (void)state;
    static const char *const none[] = { NULL };
    struct sl_buf s = stream_make(&(struct stream_options){ .types = none, .poison = "no" }, NULL);
    says(sl_buf_str(&s), SL_READ_STRICT, SL_E_UPSTREAM, "upstream sluice-x failed: no");
    sl_buf_release(&s);
    same_rows(&(struct stream_options){ .types = none }, SL_READ_STRICT);
}

static void test_trailer(void **state)
{
    (void)state;
    const struct stream_options o = { .rows = 5, .batches = 2, .types = two_types };
    struct sl_buf s = stream_make(&o, NULL);
    struct sl_source *src = NULL;
    struct sl_reader *r = NULL;
    struct sl_batch b;
    sl_batch_init(&b);
    OK(sl_source_open_mem(&src, sl_buf_str(&s), "mem", SL_SOURCE_PLAIN, &err));
    OK(sl_reader_open(&r, src, SL_READ_STRICT, &err));
    assert_string_equal(sl_reader_schema(r)->kind, "docs");
    for (int i = 0; i < 2; i++) {
        OK(sl_reader_next(r, &b, &err));
        assert_int_equal(b.seq, i);
        assert_true(b.off > 0 && b.off % 64 == 0);
        assert_ptr_equal(b.schema, sl_reader_schema(r));
    }
    assert_int_equal(sl_reader_next(r, &b, NULL), SL_END);
    const struct sl_trailer *t = sl_reader_trailer(r);
    assert_int_equal(t->n_rows, 10);
    assert_int_equal(t->n_batches, 2);
    assert_true(sl_str_eq(t->lineage, SL_STR("[{\"tool\":\"sluice-x\",\"version\":\"0\"}]")));
    assert_int_equal(sl_reader_upstream(r).tool.n, 0);
    sl_batch_release(&b);
    sl_reader_free(r);
    sl_source_free(src);
    sl_buf_release(&s);
}

/* ---- inputs that come in small pieces, or fail ---- */

struct drip {
    struct sl_str left;
    size_t step;
    bool fails; /* at the end */
};

static ssize_t drip_read(void *ctx, void *buf, size_t n)
{
    struct drip *d = ctx;
    if (n > d->step)
        n = d->step;
    if (n > d->left.n)
        n = d->left.n;
    if (n == 0 && d->fails) {
        errno = EIO;
        return -1;
    }
    if (n)
        memcpy(buf, d->left.p, n);
    d->left.p += n;
    d->left.n -= n;
    return (ssize_t)n;
}

static enum sl_status read_drip(struct drip d, struct sl_err *why)
{
    struct sl_source *src = NULL;
    struct sl_reader *r = NULL;
    struct sl_batch b;
    const struct sl_source_backend backend = { drip_read, NULL, &d };
    sl_batch_init(&b);
    OK(sl_source_open_backend(&src, backend, "drip", SL_SOURCE_PLAIN, &err));
    enum sl_status st = sl_reader_open(&r, src, SL_READ_STRICT, why);
    while (st == SL_OK)
        st = sl_reader_next(r, &b, why);
    sl_batch_release(&b);
    sl_reader_free(r);
    sl_source_free(src);
    return st;
}

static void test_drip(void **state)
{
    (void)state;
    struct sl_buf s =
        stream_make(&(struct stream_options){ .rows = 50, .batches = 2, .nulls = 9 }, NULL);
    for (size_t step = 1; step < s.n; step = step * 3 + 1) {
        struct sl_err why = SL_ERR_INIT;
        assert_int_equal(read_drip((struct drip){ sl_buf_str(&s), step, false }, &why), SL_END);
        struct sl_str part = { (const char *)s.p, s.n - 8 };
        assert_int_equal(read_drip((struct drip){ part, step, true }, &why), SL_E_SYSTEM);
        assert_int_equal(why.sys_errno, EIO);
        why = (struct sl_err)SL_ERR_INIT;
        part.n = s.n / 2;
        assert_int_equal(read_drip((struct drip){ part, step, false }, &why), SL_E_DATA);
        assert_non_null(strstr(why.msg, "truncated stream"));
    }
    sl_buf_release(&s);
}

/* A body larger than a step of reading. */
static void test_large_body(void **state)
{
    (void)state;
    static const char *const types[] = { "int64", "large_utf8?", NULL };
    const struct stream_options o = { .rows = 150000, .batches = 2, .nulls = 5, .types = types };
    for (int zstd = 0; zstd < 2; zstd++) {
        struct stream_options z = o;
        z.zstd = zstd;
        same_rows(&z, SL_READ_STRICT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_other_formats),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_trailer_hashes),
        cmocka_unit_test(test_profile_version),
        cmocka_unit_test(test_poison),
        cmocka_unit_test(test_no_columns),
        cmocka_unit_test(test_trailer),
        cmocka_unit_test(test_drip),
        cmocka_unit_test(test_large_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
