/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: the vector twins against the plain one, and the plain one against an
 * encoder and Unicode's table of ill-formed parts. */
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8_simd.h"

/* All twins agree; returns their answer. The copy is exactly n bytes, so that
 * ASan finds a read beyond it. */
static bool agreed(const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    bool plain, valid;
    assert_non_null(copy);
    memcpy(copy, p, n);
    plain = sl_utf8_valid_plain(copy, n);
    assert_int_equal(sl_utf8_valid(copy, n), plain);
    assert_int_equal(sl_utf8_valid_simd(copy, n), plain);
    if (sl_utf8_valid_avx2(copy, n, &valid))
        assert_int_equal(valid, plain);
    if (sl_utf8_valid_avx512(copy, n, &valid))
        assert_int_equal(valid, plain);
    free(copy);
    return plain;
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void test_every_code_point(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp < 0x110000; cp++) {
        uint8_t b[4];
        const uint8_t *p = b;
        unsigned n = sl_utf8_put(b, cp);
        bool surrogate = cp >= 0xd800 && cp < 0xe000;
        if (sl_utf8_valid_plain(b, n) == surrogate)
            fail_msg("U+%04X", cp);
        if (!surrogate && (sl_utf8_next(&p, b + n) != cp || p != b + n))
            fail_msg("U+%04X", cp);
        for (unsigned cut = 1; cut < n; cut++)
            if (sl_utf8_valid_plain(b, cut))
                fail_msg("U+%04X cut", cp);
    }
}

/* Every two bytes, and three and four from the interesting ones, at every
 * place around a block's end. */
static void test_short_sequences(void **state)
{
    (void)state;
    static const uint8_t edge[] = { 0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                    0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
                                    0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff };
    enum { N = sizeof edge, SPAN = 140 };
    uint8_t text[SPAN];
    bool valid;
    for (size_t i = 0; i < (size_t)N * N * N * N; i++) {
        const uint8_t s[4] = { edge[i % N], edge[i / N % N], edge[i / N / N % N],
                               edge[i / N / N / N] };
        memset(text, 'a', SPAN);
        size_t at = 58 + i % 9 + (i % 2) * 64;
        memcpy(text + at, s, 4);
        bool plain = sl_utf8_valid_plain(text, SPAN);
        if (plain != sl_utf8_valid_plain(s, 4))
            fail_msg("plain %zu", i);
        if (sl_utf8_valid_avx2(text, SPAN, &valid) && valid != plain)
            fail_msg("avx2 %zu", i);
        if (sl_utf8_valid_avx512(text, SPAN, &valid) && valid != plain)
            fail_msg("avx512 %zu", i);
    }
}

/* A multilingual text of n bytes, valid. */
static size_t make_text(uint8_t *p, size_t n, uint64_t seed, unsigned ascii_of_8)
{
    size_t at = 0;
    uint64_t x = seed;
    while (at + 4 <= n) {
        static const uint32_t from[] = { 0x80, 0x400, 0x900, 0x4e00, 0x1f600 };
        uint64_t r = next_random(&x);
        uint32_t cp = (r & 7) < ascii_of_8 ? 0x20 + (r >> 8) % 95
                                           : from[(r >> 3) % 5] + (uint32_t)((r >> 8) & 63);
        at += sl_utf8_put(p + at, cp);
    }
    while (at < n)
        p[at++] = 'x';
    return at;
}

static void test_lengths_and_damage(void **state)
{
    (void)state;
    uint8_t text[700];
    uint64_t x = 88172645463325252u;
    for (size_t n = 0; n < 700; n += n < 200 ? 1 : 13) {
        for (unsigned ascii = 0; ascii <= 8; ascii += 4) {
            make_text(text, n, n + 1, ascii);
            assert_true(agreed(text, n));
            assert_int_equal(sl_utf8_first_bad(text, n), n);
            for (int k = 0; k < 6 && n; k++) {
                size_t at = next_random(&x) % n;
                uint8_t was = text[at];
                text[at] = (uint8_t)next_random(&x);
                bool valid = agreed(text, n);
                size_t bad = sl_utf8_first_bad(text, n);
                assert_int_equal(bad == n, valid);
                assert_true(bad + 3 >= at);
                assert_true(sl_utf8_valid_plain(text, bad));
                text[at] = was;
            }
            agreed(text, n - (n > 0)); /* perhaps cut inside a sequence */
        }
    }
}

static void assert_repair(struct sl_str bad, struct sl_str want, uint64_t replaced)
{
    struct sl_buf out;
    uint64_t n_bad = 5;
    sl_buf_init(&out, 1000);
    assert_int_equal(sl_utf8_repair(&out, bad.p, bad.n, &n_bad, NULL), SL_OK);
    assert_int_equal(n_bad, 5 + replaced);
    assert_true(sl_str_eq(sl_buf_str(&out), want));
    assert_true(agreed(out.p, out.n));
    sl_buf_release(&out);
}

#define R "\xef\xbf\xbd"

/* Unicode 15, section 3.9, tables 3-8 to 3-11. */
static void test_repair(void **state)
{
    (void)state;
    assert_repair(SL_STR("plain \xc3\xa9"), SL_STR("plain \xc3\xa9"), 0);
    assert_repair(SL_STR("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41"), SL_STR(R R R R R R R R "A"), 8);
    assert_repair(SL_STR("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41"), SL_STR(R R R R R R R R "A"), 8);
    assert_repair(SL_STR("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42"), SL_STR(R R R R R "A" R R "B"), 7);
    assert_repair(SL_STR("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"), SL_STR(R R R R "A"), 4);
    assert_repair(SL_STR("a\xe2\x82"), SL_STR("a" R), 1);
    assert_repair(SL_STR("\xf0\x9f\x98"), SL_STR(R), 1);
    assert_repair(SL_STR("\0\xff\0"), SL_STR("\0" R "\0"), 1);
}

static void test_repair_limit(void **state)
{
    (void)state;
    struct sl_buf out;
    uint64_t n_bad = 0;
    sl_buf_init(&out, 10);
    assert_int_equal(sl_utf8_repair(&out, "ab\xff\xff\xff", 5, &n_bad, NULL), SL_E_DATA);
    assert_int_equal(out.n, 0);
    assert_int_equal(n_bad, 0);
    assert_int_equal(sl_utf8_repair(&out, NULL, 0, &n_bad, NULL), SL_OK);
    sl_buf_release(&out);
}

static void test_count(void **state)
{
    (void)state;
    uint8_t text[300];
    for (size_t n = 0; n < 300; n++) {
        make_text(text, n, n + 3, 2);
        size_t count = 0;
        for (const uint8_t *p = text; p < text + n; count++)
            (void)sl_utf8_next(&p, text + n);
        assert_int_equal(sl_utf8_count(text, n), count);
    }
    assert_int_equal(sl_utf8_count(NULL, 0), 0);
    assert_true(sl_utf8_valid(NULL, 0));
    assert_true(sl_utf8_valid_simd(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_point),   cmocka_unit_test(test_short_sequences),
        cmocka_unit_test(test_lengths_and_damage), cmocka_unit_test(test_repair),
        cmocka_unit_test(test_repair_limit),       cmocka_unit_test(test_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
