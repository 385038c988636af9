/* SPDX-License-Identifier: Apache-2.0 */
/* Whole pieces: every cut asks for more, every limit holds, prefixes are kept. */
#include "io/member.h"

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/sample_table.h"

#define BYTES(a) ((struct sl_str){ (const char *)(a), sizeof(a) })
enum { TEXT_BYTES = sizeof SAMPLE_TEXT };

enum kind { GZIP, ZLIB, RAW, ZSTD, ZSTD_STREAM, N_KINDS };

static const struct sl_str WHOLE[N_KINDS] = { BYTES(SAMPLE_GZIP), BYTES(SAMPLE_ZLIB),
                                              BYTES(SAMPLE_DEFLATE), BYTES(SAMPLE_ZSTD),
                                              BYTES(SAMPLE_ZSTD_STREAM) };

struct tools {
    struct sl_inflater *inf;
    struct sl_unzstd *z;
};

static int setup(void **state)
{
    static struct tools t;
    t = (struct tools){ sl_inflater_new(), sl_unzstd_new() };
    *state = &t;
    return t.inf && t.z ? 0 : -1;
}

static int teardown(void **state)
{
    struct tools *t = *state;
    sl_inflater_free(t->inf);
    sl_unzstd_free(t->z);
    sl_inflater_free(NULL);
    sl_unzstd_free(NULL);
    return 0;
}

struct result {
    size_t consumed;
    bool more;
    struct sl_err err;
};

static enum sl_status decode(const struct tools *t, enum kind k, struct sl_str in,
                             struct sl_buf *out, struct result *r)
{
    *r = (struct result){ .consumed = 99, .more = true, .err = SL_ERR_INIT };
    switch (k) {
    case GZIP:
        return sl_inflate_gzip_member(t->inf, in, out, &r->consumed, &r->more, &r->err);
    case ZLIB:
        return sl_inflate_zlib(t->inf, in, out, &r->consumed, &r->more, &r->err);
    case RAW:
        return sl_inflate_raw(t->inf, in, out, &r->consumed, &r->more, &r->err);
    default:
        return sl_zstd_frame(t->z, in, out, &r->consumed, &r->more, &r->err);
    }
}

/* Exactly as long as said, so that a read beyond it is found. */
static struct sl_str tight(struct sl_buf *b, struct sl_str s)
{
    sl_buf_init(b, 1 << 20);
    assert_int_equal(sl_buf_add_str(b, s, NULL), SL_OK);
    return sl_buf_str(b);
}

static void test_pieces_in_a_row(void **state)
{
    for (enum kind k = 0; k < N_KINDS; k++) {
        struct sl_buf in, out;
        struct result r;
        sl_buf_init(&in, 1 << 20);
        sl_buf_init(&out, 1 << 20);
        for (int i = 0; i < 3; i++)
            assert_int_equal(sl_buf_add_str(&in, WHOLE[k], NULL), SL_OK);
        for (size_t at = 0, n = 1; at < in.n; at += r.consumed, n++) {
            struct sl_str rest = { (const char *)in.p + at, in.n - at };
            assert_int_equal(decode(*state, k, rest, &out, &r), SL_OK);
            assert_false(r.more);
            assert_int_equal(r.consumed, WHOLE[k].n);
            assert_int_equal(out.n, n * TEXT_BYTES);
            assert_memory_equal(out.p + (n - 1) * TEXT_BYTES, SAMPLE_TEXT, TEXT_BYTES);
        }
        sl_buf_release(&in);
        sl_buf_release(&out);
    }
}

static void test_every_cut(void **state)
{
    for (enum kind k = 0; k < N_KINDS; k++)
        for (size_t cut = 0; cut < WHOLE[k].n; cut++) {
            struct sl_buf in, out;
            struct result r;
            struct sl_str part = tight(&in, (struct sl_str){ WHOLE[k].p, cut });
            sl_buf_init(&out, TEXT_BYTES + 3);
            assert_int_equal(sl_buf_add(&out, "abc", 3, NULL), SL_OK);
            assert_int_equal(decode(*state, k, part, &out, &r), SL_OK);
            assert_true(r.more);
            assert_int_equal(r.consumed, 0);
            assert_int_equal(out.n, 3);
            assert_memory_equal(out.p, "abc", 3);
            sl_buf_release(&in);
            sl_buf_release(&out);
        }
}

static void test_cut_without_more(void **state)
{
    const struct tools *t = *state;
    struct sl_str cut = { (const char *)SAMPLE_GZIP, 100 };
    struct sl_str cut_zstd = { (const char *)SAMPLE_ZSTD, 100 };
    struct sl_buf out;
    size_t consumed;
    sl_buf_init(&out, 1 << 20);
    assert_int_equal(sl_inflate_gzip_member(t->inf, cut, &out, &consumed, NULL, NULL), SL_E_DATA);
    assert_int_equal(sl_zstd_frame(t->z, cut_zstd, &out, &consumed, NULL, NULL), SL_E_DATA);
    assert_int_equal(out.n, 0);
    sl_buf_release(&out);
}

/* A limit of just the size passes, one byte less does not. */
static void test_limits(void **state)
{
    for (enum kind k = 0; k < N_KINDS; k++)
        for (size_t max = 0; max <= TEXT_BYTES; max += max + 64 < TEXT_BYTES ? 61 : 1) {
            struct sl_buf out;
            struct result r;
            sl_buf_init(&out, max);
            enum sl_status st = decode(*state, k, WHOLE[k], &out, &r);
            assert_int_equal(st, max < TEXT_BYTES ? SL_E_DATA : SL_OK);
            assert_int_equal(out.n, max < TEXT_BYTES ? 0 : TEXT_BYTES);
            if (st != SL_OK)
                assert_non_null(strstr(r.err.msg, "over the limit"));
            sl_buf_release(&out);
        }
}

static void test_damage(void **state)
{
    for (enum kind k = 0; k < N_KINDS; k++)
        for (size_t i = 0; i < WHOLE[k].n; i++) {
            struct sl_buf in, out;
            struct result r;
            struct sl_str bytes = tight(&in, WHOLE[k]);
            sl_buf_init(&out, 1 << 20);
            in.p[i] ^= 0x40;
            enum sl_status st = decode(*state, k, bytes, &out, &r);
            if (st == SL_OK && !r.more && k != RAW) /* gzip's time or system */
                assert_memory_equal(out.p, SAMPLE_TEXT, TEXT_BYTES);
            if (st != SL_OK) {
                assert_int_equal(st, SL_E_DATA);
                assert_in_range(r.err.off, 0, bytes.n);
                assert_int_equal(out.n, 0);
            }
            /* A checksum that is wrong is never taken for a cut. */
            if ((k == GZIP || k == ZLIB) && i >= bytes.n - 4)
                assert_int_equal(st, SL_E_DATA);
            sl_buf_release(&in);
            sl_buf_release(&out);
        }
}

static void test_prefix(void **state)
{
    (void)state;
    size_t last = 0;
    for (size_t cut = 0; cut <= sizeof SAMPLE_GZIP; cut++) {
        struct sl_buf out;
        struct sl_decoded end;
        struct sl_str part = { (const char *)SAMPLE_GZIP, cut };
        sl_buf_init(&out, 1 << 20);
        assert_int_equal(sl_inflate_prefix(SL_INFLATE_GZIP, part, &out, &end, NULL), SL_OK);
        assert_int_equal(end.how, cut < sizeof SAMPLE_GZIP ? SL_ENDED_CUT : SL_ENDED_WHOLE);
        assert_int_equal(end.consumed, cut);
        assert_true(out.n >= last && out.n <= TEXT_BYTES);
        assert_memory_equal(out.p ? out.p : SAMPLE_TEXT, SAMPLE_TEXT, out.n);
        last = out.n;
        sl_buf_release(&out);
    }
    assert_int_equal(last, TEXT_BYTES);
}

static void test_prefix_ends(void **state)
{
    (void)state;
    struct sl_buf in, out;
    struct sl_decoded end;
    struct sl_str bytes = tight(&in, BYTES(SAMPLE_ZLIB));
    sl_buf_init(&out, 100);
    assert_int_equal(sl_inflate_prefix(SL_INFLATE_ZLIB, bytes, &out, &end, NULL), SL_OK);
    assert_int_equal(end.how, SL_ENDED_FULL);
    assert_int_equal(out.n, 100);
    sl_buf_release(&out);
    sl_buf_init(&out, TEXT_BYTES);
    assert_int_equal(sl_inflate_prefix(SL_INFLATE_ZLIB, bytes, &out, &end, NULL), SL_OK);
    assert_int_equal(end.how, SL_ENDED_WHOLE);
    sl_buf_reset(&out);
    in.p[bytes.n - 1] ^= 1; /* the checksum */
    assert_int_equal(sl_inflate_prefix(SL_INFLATE_ZLIB, bytes, &out, &end, NULL), SL_OK);
    assert_int_equal(end.how, SL_ENDED_BAD);
    assert_int_equal(out.n, TEXT_BYTES);
    sl_buf_release(&in);
    sl_buf_release(&out);
}

static void test_brotli(void **state)
{
    (void)state;
    struct sl_buf in, out;
    struct sl_decoded end;
    for (size_t cut = 0; cut < sizeof SAMPLE_BROTLI; cut++) {
        struct sl_str part = tight(&in, (struct sl_str){ (const char *)SAMPLE_BROTLI, cut });
        sl_buf_init(&out, 1 << 20);
        assert_int_equal(sl_brotli_prefix(part, &out, &end, NULL), SL_OK);
        assert_int_equal(end.how, SL_ENDED_CUT);
        assert_memory_equal(out.p ? out.p : SAMPLE_TEXT, SAMPLE_TEXT, out.n);
        sl_buf_reset(&out);
        assert_int_equal(sl_brotli_decode(part, &out, NULL), SL_E_DATA);
        assert_int_equal(out.n, 0);
        sl_buf_release(&in);
        sl_buf_release(&out);
    }
    for (size_t max = 0; max <= TEXT_BYTES; max += max + 64 < TEXT_BYTES ? 61 : 1) {
        sl_buf_init(&out, max);
        assert_int_equal(sl_brotli_prefix(BYTES(SAMPLE_BROTLI), &out, &end, NULL), SL_OK);
        assert_int_equal(end.how, max < TEXT_BYTES ? SL_ENDED_FULL : SL_ENDED_WHOLE);
        assert_int_equal(out.n, max);
        sl_buf_reset(&out);
        enum sl_status st = sl_brotli_decode(BYTES(SAMPLE_BROTLI), &out, NULL);
        assert_int_equal(st, max < TEXT_BYTES ? SL_E_DATA : SL_OK);
        sl_buf_release(&out);
    }
    struct sl_str more = tight(&in, BYTES(SAMPLE_BROTLI));
    assert_int_equal(sl_buf_add(&in, "x", 1, NULL), SL_OK);
    more = sl_buf_str(&in);
    sl_buf_init(&out, 1 << 20);
    assert_int_equal(sl_brotli_decode(more, &out, NULL), SL_E_DATA);
    assert_int_equal(sl_brotli_prefix(more, &out, &end, NULL), SL_OK);
    assert_int_equal(end.how, SL_ENDED_WHOLE);
    assert_int_equal(end.consumed, sizeof SAMPLE_BROTLI);
    sl_buf_release(&in);
    sl_buf_release(&out);
}

/* A cut stream gives all that stands before the cut, also where that is much
 * more than a piece of the output buffer. */
static void test_brotli_long_cut(void **state)
{
    (void)state;
    enum { RUN_BYTES = 600000, END_BYTES = 256 };
    const size_t whole = sizeof SAMPLE_BROTLI_LONG;
    struct sl_buf out;
    struct sl_decoded end;
    size_t before = 0;
    for (size_t cut = 0; cut <= whole; cut++) {
        struct sl_str part = { (const char *)SAMPLE_BROTLI_LONG, cut };
        sl_buf_init(&out, 1 << 20);
        assert_int_equal(sl_brotli_prefix(part, &out, &end, NULL), SL_OK);
        assert_int_equal(end.how, cut < whole ? SL_ENDED_CUT : SL_ENDED_WHOLE);
        assert_true(out.n >= before);
        for (size_t i = 0; i < out.n; i++)
            assert_int_equal(out.p[i],
                             i < RUN_BYTES ? (uint8_t) "ab\n"[i % 3] : (uint8_t)(i - RUN_BYTES));
        before = out.n;
        if (cut == whole - END_BYTES / 2)
            assert_true(before >= RUN_BYTES);
        sl_buf_release(&out);
    }
    assert_int_equal(before, RUN_BYTES + END_BYTES);
}

static void test_zstd_dictionary(void **state)
{
    const struct tools *t = *state;
    struct sl_buf out;
    size_t consumed;
    sl_buf_init(&out, 1 << 20);
    struct sl_str in = BYTES(SAMPLE_ZSTD_DICT);
    assert_int_equal(sl_zstd_frame(t->z, in, &out, &consumed, NULL, NULL), SL_E_DATA);
    assert_int_equal(sl_unzstd_set_dict(t->z, SL_STR("not one"), NULL), SL_E_DATA);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sl_unzstd_set_dict(t->z, BYTES(SAMPLE_DICT), NULL), SL_OK);
        for (int again = 0; again < 2; again++) {
            sl_buf_reset(&out);
            assert_int_equal(sl_zstd_frame(t->z, in, &out, &consumed, NULL, NULL), SL_OK);
            assert_int_equal(consumed, in.n);
            assert_int_equal(out.n, TEXT_BYTES);
            assert_memory_equal(out.p, SAMPLE_TEXT, TEXT_BYTES);
        }
        assert_int_equal(sl_unzstd_set_dict(t->z, SL_STR(""), NULL), SL_OK);
        assert_int_equal(sl_zstd_frame(t->z, in, &out, &consumed, NULL, NULL), SL_E_DATA);
    }
    sl_buf_release(&out);
}

static void test_zstd_odd_frames(void **state)
{
    const struct tools *t = *state;
    /* A skippable frame; an empty frame with and without its size; one that
     * states 2^62 bytes; one with a window of 2 GiB and no size. */
    static const uint8_t skip[] = { 0x5a, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2, 9 };
    static const uint8_t empty[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0 };
    static const uint8_t unsized[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 1, 0, 0 };
    static const uint8_t huge[] = {
        0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x40, 1, 0, 0
    };
    static const uint8_t wide[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 1, 0, 0 };
    struct sl_buf out;
    struct result r;
    sl_buf_init(&out, 1 << 20);
    for (int full = 0; full < 2; full++) {
        assert_int_equal(decode(t, ZSTD, BYTES(skip), &out, &r), SL_OK);
        assert_int_equal(r.consumed, 10);
        assert_int_equal(decode(t, ZSTD, BYTES(empty), &out, &r), SL_OK);
        assert_int_equal(r.consumed, sizeof empty);
        assert_int_equal(decode(t, ZSTD, BYTES(unsized), &out, &r), SL_OK);
        assert_int_equal(decode(t, ZSTD, BYTES(huge), &out, &r), SL_E_DATA);
        assert_int_equal(decode(t, ZSTD, BYTES(wide), &out, &r), SL_E_DATA);
        assert_int_equal(decode(t, ZSTD, SL_STR("rubbish!"), &out, &r), SL_E_DATA);
        assert_int_equal(decode(t, ZSTD, SL_STR("ru"), &out, &r), SL_E_DATA);
        assert_int_equal(decode(t, GZIP, SL_STR("ru"), &out, &r), SL_E_DATA);
        assert_int_equal(out.n, 0);
        sl_buf_release(&out);
        sl_buf_init(&out, 0); /* no room at all is enough for nothing */
    }
    sl_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_in_a_row),  cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_cut_without_more), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_damage),           cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_prefix_ends),      cmocka_unit_test(test_brotli),
        cmocka_unit_test(test_brotli_long_cut),  cmocka_unit_test(test_zstd_dictionary),
        cmocka_unit_test(test_zstd_odd_frames),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
