/* SPDX-License-Identifier: Apache-2.0 */
/* XXH3 against published values; pieces; hex; sums modulo 2^128. */
#include "base/hash.h"

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint8_t bytes[100000];

static void fill_bytes(void)
{
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 131 + (i >> 8) * 7);
}

static void assert_hex128(struct sl_hash128 v, const char *want)
{
    char got[SL_HASH128_DIGITS + 1] = { 0 };
    sl_hash128_hex(v, got);
    assert_string_equal(got, want);
}

/* The values of nothing are published; the others were computed with xxHash's
 * scalar code, so that a dispatched variant that differs is found. */
static void test_known(void **state)
{
    (void)state;
    assert_true(sl_hash64(NULL, 0) == 0x2d06800538d394c2u);
    assert_hex128(sl_hash128("", 0), "99aa06d3014798d86001c324468d497f");
    assert_true(sl_hash64("abc", 3) == 0x78af5f94892f3950u);
    assert_hex128(sl_hash128("abc", 3), "06b05ab6733a618578af5f94892f3950");
    assert_true(sl_hash64(bytes, sizeof bytes) == 0x3a0109e04c9ff5bau);
    assert_hex128(sl_hash128(bytes, sizeof bytes), "98a827951405297c3a0109e04c9ff5ba");
    assert_true(sl_hash64_seed(bytes, 5000, 42) == 0x326e7a66c2ac1e78u);
    assert_true(sl_hash64_seed(bytes, 5000, 0) == sl_hash64(bytes, 5000));
}

static void test_pieces(void **state)
{
    (void)state;
    struct sl_hasher *h = sl_hasher_new();
    assert_non_null(h);
    for (size_t n = 0; n <= sizeof bytes; n = n * 2 + 1)
        for (size_t step = 1; step < 3000; step = step * 5 + 2) {
            if (n / step > 5000)
                continue;
            sl_hasher_reset64(h);
            for (size_t i = 0; i < n; i += step)
                sl_hasher_add64(h, bytes + i, n - i < step ? n - i : step);
            sl_hasher_add64(h, NULL, 0);
            assert_true(sl_hasher_end64(h) == sl_hash64(bytes, n));
            assert_true(sl_hasher_end64(h) == sl_hash64(bytes, n));
            sl_hasher_reset128(h);
            for (size_t i = 0; i < n; i += step)
                sl_hasher_add128(h, bytes + i, n - i < step ? n - i : step);
            struct sl_hash128 a = sl_hasher_end128(h), b = sl_hash128(bytes, n);
            assert_memory_equal(&a, &b, sizeof a);
        }
    sl_hasher_free(h);
    sl_hasher_free(NULL);
}

static void test_hex(void **state)
{
    (void)state;
    char text[SL_HASH128_DIGITS];
    uint64_t v = 0;
    struct sl_hash128 h = sl_hash128("abc", 3), back;
    sl_hash64_hex(0x0123456789abcdefu, text);
    assert_memory_equal(text, "0123456789abcdef", 16);
    assert_true(sl_hash64_parse((struct sl_str){ text, 16 }, &v));
    assert_true(v == 0x0123456789abcdefu);
    sl_hash128_hex(h, text);
    assert_true(sl_hash128_parse((struct sl_str){ text, 32 }, &back));
    assert_memory_equal(&h, &back, sizeof h);
    assert_false(sl_hash64_parse(SL_STR("0123456789abcde"), &v));
    assert_false(sl_hash64_parse(SL_STR("0123456789abcdef0"), &v));
    assert_false(sl_hash64_parse(SL_STR("0123456789ABCDEF"), &v));
    assert_false(sl_hash64_parse(SL_STR("0123456789abcdeg"), &v));
    assert_false(sl_hash128_parse(SL_STR("0123456789abcdef0123456789abcde/"), &back));
    assert_false(sl_hash128_parse(SL_STR(""), &back));
}

static struct sl_hash128 parsed(const char *hex)
{
    struct sl_hash128 v;
    assert_true(sl_hash128_parse(sl_str_of(hex), &v));
    return v;
}

static void test_sums(void **state)
{
    (void)state;
    struct sl_hash128 one = parsed("00000000000000000000000000000001");
    struct sl_hash128 a = parsed("0000000000000000ffffffffffffffff");
    sl_hash128_add(&a, one);
    assert_hex128(a, "00000000000000010000000000000000");
    sl_hash128_sub(&a, one);
    assert_hex128(a, "0000000000000000ffffffffffffffff");
    a = parsed("ffffffffffffffffffffffffffffffff");
    sl_hash128_add(&a, one);
    assert_hex128(a, "00000000000000000000000000000000");
    sl_hash128_sub(&a, one);
    assert_hex128(a, "ffffffffffffffffffffffffffffffff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_sums),
    };
    fill_bytes();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
