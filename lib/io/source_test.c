/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: every way in, every cut, failing and tiny reads. */
#include "io/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "io/sample_table.h"

#define BYTES(a) ((struct sl_str){ (const char *)(a), sizeof(a) })

/* A backend over memory: at most `step` bytes a read, an interruption before
 * each where asked, and an error once `fail_at` bytes were read. */
struct feed {
    struct sl_str left;
    size_t step, given, fail_at;
    bool interrupt, interrupted;
    int closed;
};

static ssize_t feed_read(void *ctx, void *buf, size_t n)
{
    struct feed *f = ctx;
    f->interrupted = f->interrupt && !f->interrupted;
    if (f->interrupted) {
        errno = EINTR;
        return -1;
    }
    if (f->fail_at && f->given >= f->fail_at) {
        errno = EIO;
        return -1;
    }
    n = n < f->step ? n : f->step;
    n = n < f->left.n ? n : f->left.n;
    if (n)
        memcpy(buf, f->left.p, n);
    f->left.p += n;
    f->left.n -= n;
    f->given += n;
    return (ssize_t)n;
}

static void feed_close(void *ctx)
{
    ((struct feed *)ctx)->closed++;
}

static struct sl_source *open_feed(struct feed *f, enum sl_source_mode mode)
{
    struct sl_source *s;
    struct sl_source_backend b = { feed_read, feed_close, f };
    assert_int_equal(sl_source_open_backend(&s, b, "feed", mode, NULL), SL_OK);
    return s;
}

static struct sl_source *open_mem(struct sl_str bytes, enum sl_source_mode mode)
{
    struct sl_source *s;
    assert_int_equal(sl_source_open_mem(&s, bytes, "mem", mode, NULL), SL_OK);
    return s;
}

/* All that a source gives, by peeks of `min`; the status that ended it. */
static enum sl_status drain(struct sl_source *s, size_t min, struct sl_buf *out, struct sl_err *err)
{
    for (;;) {
        const uint8_t *p;
        size_t n;
        SL_TRY(sl_source_peek(s, min, &p, &n, err));
        if (n == 0)
            return SL_OK;
        n = n < min ? n : min;
        assert_int_equal(sl_source_off(s), (int64_t)out->n);
        SL_TRY(sl_buf_add(out, p, n, err));
        sl_source_consume(s, n);
    }
}

static void assert_text_times(const struct sl_buf *got, size_t times)
{
    assert_int_equal(got->n, times * sizeof SAMPLE_TEXT);
    for (size_t i = 0; i < times; i++)
        assert_memory_equal(got->p + i * sizeof SAMPLE_TEXT, SAMPLE_TEXT, sizeof SAMPLE_TEXT);
}

static void add_times(struct sl_buf *b, struct sl_str piece, size_t times)
{
    for (size_t i = 0; i < times; i++)
        assert_int_equal(sl_buf_add_str(b, piece, NULL), SL_OK);
}

static void test_formats_and_reads(void **state)
{
    (void)state;
    static const uint8_t skippable[] = { 0x57, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'x', 'y', 'z' };
    const struct sl_str kinds[] = { BYTES(SAMPLE_TEXT), BYTES(SAMPLE_GZIP), BYTES(SAMPLE_ZSTD),
                                    BYTES(SAMPLE_ZSTD_STREAM) };
    const size_t steps[] = { 1, 2, 3, 7, 1000, 1 << 20 }, mins[] = { 1, 13, 5000 };
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < 18; i++) {
            struct sl_buf in, got;
            sl_buf_init(&in, 1 << 20);
            sl_buf_init(&got, 1 << 20);
            if (k == 3)
                add_times(&in, BYTES(skippable), 1);
            add_times(&in, kinds[k], 5);
            if (k == 3)
                add_times(&in, BYTES(skippable), 2);
            struct feed f = { .left = sl_buf_str(&in), .step = steps[i % 6], .interrupt = i % 2 };
            struct sl_source *s = open_feed(&f, SL_SOURCE_AUTO);
            assert_int_equal(drain(s, mins[i / 6], &got, NULL), SL_OK);
            assert_text_times(&got, 5);
            assert_int_equal(sl_source_raw_bytes(s), in.n);
            assert_int_equal(sl_source_off(s), got.n);
            assert_int_equal(sl_source_size(s), -1);
            sl_source_free(s);
            assert_int_equal(f.closed, 1);
            sl_buf_release(&in);
            sl_buf_release(&got);
        }
}

static void test_plain_mode_never_decodes(void **state)
{
    (void)state;
    struct sl_source *s = open_mem(BYTES(SAMPLE_GZIP), SL_SOURCE_PLAIN);
    const uint8_t *p;
    size_t n;
    assert_int_equal(sl_source_peek(s, 1, &p, &n, NULL), SL_OK);
    assert_ptr_equal(p, SAMPLE_GZIP); /* lent, not copied */
    assert_int_equal(n, sizeof SAMPLE_GZIP);
    assert_int_equal(sl_source_size(s), sizeof SAMPLE_GZIP);
    sl_source_consume(s, n);
    assert_int_equal(sl_source_peek(s, 1, &p, &n, NULL), SL_OK);
    assert_int_equal(n, 0);
    assert_non_null(p);
    sl_source_free(s);
}

static void cut_everywhere(struct sl_str whole, size_t first)
{
    for (size_t cut = first; cut < whole.n; cut++)
        for (size_t step = 1; step <= whole.n; step += whole.n - 1) {
            struct feed f = { .left = { whole.p, cut }, .step = step };
            struct sl_source *s = open_feed(&f, SL_SOURCE_AUTO);
            struct sl_buf got;
            struct sl_err err = SL_ERR_INIT;
            const uint8_t *p;
            size_t n;
            sl_buf_init(&got, 1 << 20);
            assert_int_equal(drain(s, 1, &got, &err), SL_E_DATA);
            assert_int_equal(err.status, SL_E_DATA);
            assert_string_equal(err.where, "feed");
            assert_int_equal(err.off, cut);
            assert_true(got.n <= sizeof SAMPLE_TEXT);
            assert_memory_equal(got.p ? got.p : SAMPLE_TEXT, SAMPLE_TEXT, got.n);
            /* sticky */
            struct sl_err again = SL_ERR_INIT;
            assert_int_equal(sl_source_peek(s, 1, &p, &n, &again), SL_E_DATA);
            assert_string_equal(err.msg, again.msg);
            assert_int_equal(sl_source_read(s, got.p, 0, &n, NULL), SL_OK);
            sl_source_free(s);
            sl_buf_release(&got);
        }
}

static void test_every_cut(void **state)
{
    (void)state;
    cut_everywhere(BYTES(SAMPLE_GZIP), 1);
    /* One byte of zstd is "(", which is text. */
    cut_everywhere(BYTES(SAMPLE_ZSTD), 2);
    cut_everywhere(BYTES(SAMPLE_ZSTD_STREAM), 2);
}

/* Every single damaged byte either is told or changes nothing (flags, time
 * and system of a gzip header). */
static void test_every_damage(void **state)
{
    (void)state;
    const struct sl_str kinds[] = { BYTES(SAMPLE_GZIP), BYTES(SAMPLE_ZSTD_STREAM) };
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < kinds[k].n; i++) {
            uint8_t copy[1024];
            memcpy(copy, kinds[k].p, kinds[k].n);
            copy[i] ^= 0x10;
            struct sl_source *s =
                open_mem((struct sl_str){ (const char *)copy, kinds[k].n }, SL_SOURCE_AUTO);
            struct sl_buf got;
            sl_buf_init(&got, 1 << 20);
            enum sl_status st = drain(s, 1, &got, NULL);
            bool magic = i < (k ? 4 : 2); /* then it is plain */
            if (st == SL_OK && !magic)
                assert_text_times(&got, 1);
            else if (!magic)
                assert_int_equal(st, SL_E_DATA);
            sl_source_free(s);
            sl_buf_release(&got);
        }
}

static void ends_with(struct sl_str first, struct sl_str tail, enum sl_status want)
{
    struct sl_buf in, got;
    struct sl_err err = SL_ERR_INIT;
    sl_buf_init(&in, 1 << 20);
    sl_buf_init(&got, 1 << 20);
    add_times(&in, first, 2);
    add_times(&in, tail, 1);
    struct sl_source *s = open_mem(sl_buf_str(&in), SL_SOURCE_AUTO);
    assert_int_equal(drain(s, 1, &got, &err), want);
    assert_text_times(&got, 2);
    if (want != SL_OK)
        assert_in_range(err.off, 2 * first.n, in.n);
    sl_source_free(s);
    sl_buf_release(&in);
    sl_buf_release(&got);
}

static void test_what_follows(void **state)
{
    (void)state;
    char zeros[700] = { 0 };
    ends_with(BYTES(SAMPLE_GZIP), BYTES(zeros), SL_OK);
    ends_with(BYTES(SAMPLE_GZIP), SL_STR("rubbish"), SL_E_DATA);
    ends_with(BYTES(SAMPLE_GZIP), SL_STR("\0\0\0rubbish"), SL_E_DATA);
    ends_with(BYTES(SAMPLE_GZIP), SL_STR("\0\x1f\x8b"), SL_E_DATA);
    ends_with(BYTES(SAMPLE_GZIP), SL_STR("\x1f"), SL_E_DATA);
    ends_with(BYTES(SAMPLE_GZIP), BYTES(SAMPLE_ZSTD), SL_E_DATA);
    ends_with(BYTES(SAMPLE_ZSTD), SL_STR("rubbish"), SL_E_DATA);
    ends_with(BYTES(SAMPLE_ZSTD), SL_STR("\x28"), SL_E_DATA);
    ends_with(BYTES(SAMPLE_ZSTD), BYTES(zeros), SL_E_DATA);
}

static void test_read_error(void **state)
{
    (void)state;
    for (size_t at = 1; at < sizeof SAMPLE_TEXT; at += 37) {
        struct feed f = { .left = BYTES(SAMPLE_TEXT), .step = 10, .fail_at = at };
        struct sl_source *s = open_feed(&f, SL_SOURCE_AUTO);
        struct sl_buf got;
        struct sl_err err = SL_ERR_INIT;
        const uint8_t *p;
        size_t n;
        sl_buf_init(&got, 1 << 20);
        assert_int_equal(drain(s, 1, &got, &err), SL_E_SYSTEM);
        assert_int_equal(got.n, (at + 9) / 10 * 10);
        assert_int_equal(err.sys_errno, EIO);
        assert_int_equal(err.off, got.n);
        assert_int_equal(sl_source_peek(s, 1, &p, &n, NULL), SL_E_SYSTEM);
        assert_int_equal(n, 0);
        sl_source_free(s);
        sl_buf_release(&got);
    }
}

/* What lies before an error is given, whatever is peeked at. */
static void test_error_waits(void **state)
{
    (void)state;
    struct feed f = { .left = BYTES(SAMPLE_TEXT), .step = 50, .fail_at = 100 };
    struct sl_source *s = open_feed(&f, SL_SOURCE_PLAIN);
    const uint8_t *p;
    size_t n;
    assert_int_equal(sl_source_peek(s, 100, &p, &n, NULL), SL_OK);
    assert_int_equal(n, 100);
    assert_int_equal(sl_source_peek(s, 101, &p, &n, NULL), SL_E_SYSTEM);
    sl_source_free(s);
}

static void test_large_peeks(void **state)
{
    (void)state;
    enum { TIMES = 1500 };
    struct sl_buf in;
    sl_buf_init(&in, 8 << 20);
    add_times(&in, BYTES(SAMPLE_TEXT), TIMES);
    struct feed f = { .left = sl_buf_str(&in), .step = 100000 };
    struct sl_source *s = open_feed(&f, SL_SOURCE_AUTO);
    const uint8_t *p;
    size_t n, at = 0;
    for (size_t min = 1; at < in.n; min = min < in.n ? min * 3 + 1 : 1000) {
        assert_int_equal(sl_source_peek(s, min, &p, &n, NULL), SL_OK);
        assert_true(n >= min || n == in.n - at);
        assert_memory_equal(p, in.p + at, n);
        size_t step = n / 3 + 1;
        sl_source_consume(s, step);
        at += step;
    }
    /* A hostile size costs no more than what is there. */
    assert_int_equal(sl_source_peek(s, SL_SOURCE_PEEK_MAX, &p, &n, NULL), SL_OK);
    assert_int_equal(n, 0);
    assert_int_equal(sl_source_peek(s, SL_SOURCE_PEEK_MAX + 1, &p, &n, NULL), SL_E_DATA);
    sl_source_free(s);
    sl_buf_release(&in);
}

static void test_long_reads(void **state)
{
    (void)state;
    enum { TIMES = 1500 };
    const struct sl_str kinds[] = { BYTES(SAMPLE_TEXT), BYTES(SAMPLE_GZIP), BYTES(SAMPLE_ZSTD) };
    for (size_t k = 0; k < 6; k++) {
        struct sl_buf in, got;
        sl_buf_init(&in, 8 << 20);
        sl_buf_init(&got, 8 << 20);
        add_times(&in, kinds[k / 2], TIMES);
        assert_int_equal(sl_buf_reserve(&got, 4 << 20, NULL), SL_OK);
        struct feed f = { .left = sl_buf_str(&in), .step = 300000 };
        struct sl_source *s =
            k % 2 ? open_feed(&f, SL_SOURCE_AUTO) : open_mem(sl_buf_str(&in), SL_SOURCE_AUTO);
        size_t n;
        assert_int_equal(sl_source_read(s, got.p, 5, &n, NULL), SL_OK);
        got.n = n;
        assert_int_equal(sl_source_read(s, got.p + 5, 4 << 20, &n, NULL), SL_OK);
        got.n += n;
        assert_text_times(&got, TIMES);
        assert_int_equal(sl_source_off(s), got.n);
        assert_int_equal(sl_source_raw_bytes(s), in.n);
        assert_int_equal(sl_source_read(s, got.p, 1, &n, NULL), SL_OK);
        assert_int_equal(n, 0);
        sl_source_free(s);
        sl_buf_release(&in);
        sl_buf_release(&got);
    }
}

/* A pipe that stays open must not be waited for once min bytes are there. */
static void test_pipe_does_not_wait(void **state)
{
    (void)state;
    int ends[2], keep = dup(STDIN_FILENO);
    const uint8_t *p;
    size_t n;
    struct sl_source *s;
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    assert_int_equal(sl_source_open(&s, "-", SL_SOURCE_AUTO, NULL), SL_OK);
    assert_int_equal(write(ends[1], "hello", 5), 5);
    assert_int_equal(sl_source_peek(s, 1, &p, &n, NULL), SL_OK);
    assert_int_equal(n, 5);
    assert_int_equal(write(ends[1], SAMPLE_GZIP, 3), 3);
    assert_int_equal(sl_source_peek(s, 7, &p, &n, NULL), SL_OK);
    assert_int_equal(n, 8);
    sl_source_free(s);
    close(ends[0]);
    close(ends[1]);
    if (keep >= 0) {
        dup2(keep, STDIN_FILENO);
        close(keep);
    }
}

static void test_open_files(void **state)
{
    (void)state;
    struct sl_source *s;
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(sl_source_open(&s, "no/such/file", SL_SOURCE_AUTO, &err), SL_E_SYSTEM);
    assert_null(s);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_string_equal(err.where, "no/such/file");
    sl_err_reset(&err);
    assert_int_equal(sl_source_open(&s, ".", SL_SOURCE_AUTO, &err), SL_E_SYSTEM);
    assert_int_equal(err.sys_errno, EISDIR);

    char path[] = P_tmpdir "/sluice-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, SAMPLE_GZIP, sizeof SAMPLE_GZIP), sizeof SAMPLE_GZIP);
    close(fd);
    struct sl_buf got;
    sl_buf_init(&got, 1 << 20);
    assert_int_equal(sl_source_open(&s, path, SL_SOURCE_AUTO, NULL), SL_OK);
    assert_int_equal(sl_source_size(s), sizeof SAMPLE_GZIP);
    assert_string_equal(sl_source_name(s), path);
    assert_int_equal(drain(s, 1, &got, NULL), SL_OK);
    assert_text_times(&got, 1);
    sl_source_free(s);
    sl_buf_release(&got);
    unlink(path);
    sl_source_free(NULL);
}

/* Bytes that are passed by, from a file and from a feed, are the same bytes. */
static void test_skip(void **state)
{
    (void)state;
    enum { N = 3 << 20 };
    uint8_t *all = malloc(N), *got = malloc(N);
    char path[] = P_tmpdir "/sluice-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && all && got);
    for (size_t i = 0; i < N; i++)
        all[i] = (uint8_t)(i * 2654435761U >> 13);
    assert_int_equal(write(fd, all, N), N);
    close(fd);
    for (int kind = 0; kind < 3; kind++) {
        struct feed f = { .left = { (char *)all, N }, .step = 777 };
        struct sl_source *s;
        if (kind == 0)
            assert_int_equal(sl_source_open(&s, path, SL_SOURCE_AUTO, NULL), SL_OK);
        else
            s = kind == 1 ? open_feed(&f, SL_SOURCE_PLAIN) : open_mem(f.left, SL_SOURCE_PLAIN);
        for (size_t at = 0, step = 1; at < N; step = step * 5 % 300007) {
            size_t n = 0, want = step % 3000 < N - at ? step % 3000 : N - at;
            assert_int_equal(sl_source_read(s, got, want, &n, NULL), SL_OK);
            assert_int_equal(n, want);
            assert_memory_equal(got, all + at, n);
            at += n;
            want = step < N - at ? step : N - at;
            assert_int_equal(sl_source_skip(s, want, &n, NULL), SL_OK);
            assert_int_equal(n, want);
            at += n;
            assert_int_equal(sl_source_off(s), at);
        }
        size_t n = 1;
        assert_int_equal(sl_source_read(s, got, 1, &n, NULL), SL_OK);
        assert_int_equal(n, 0);
        sl_source_free(s);
    }
    unlink(path);
    free(all);
    free(got);
}

static void test_empty_and_short(void **state)
{
    (void)state;
    const struct sl_str texts[] = {
        { NULL, 0 }, SL_STR("("), SL_STR("P"), SL_STR("PK"), SL_STR("(x")
    };
    for (size_t i = 0; i < 10; i++) {
        struct feed f = { .left = texts[i / 2], .step = 1 };
        struct sl_source *s =
            i % 2 ? open_feed(&f, SL_SOURCE_AUTO) : open_mem(texts[i / 2], SL_SOURCE_AUTO);
        const uint8_t *p;
        size_t n;
        assert_int_equal(sl_source_peek(s, 10, &p, &n, NULL), SL_OK);
        assert_int_equal(n, texts[i / 2].n);
        assert_memory_equal(p, texts[i / 2].p ? texts[i / 2].p : "", n);
        sl_source_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats_and_reads), cmocka_unit_test(test_plain_mode_never_decodes),
        cmocka_unit_test(test_every_cut),         cmocka_unit_test(test_every_damage),
        cmocka_unit_test(test_what_follows),      cmocka_unit_test(test_read_error),
        cmocka_unit_test(test_error_waits),       cmocka_unit_test(test_large_peeks),
        cmocka_unit_test(test_long_reads),        cmocka_unit_test(test_pipe_does_not_wait),
        cmocka_unit_test(test_open_files),        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_empty_and_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
