/* SPDX-License-Identifier: Apache-2.0 */
/* Costs: values worked out by hand, bounds, windows, and a scratch that is used
 * again. tests/pipeline/difficulty_test.py compares all of it with a twin. */
#include "text/lz_cost.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "text/log2_table.h"

#define HEAD ((uint64_t)SL_LZ_HEAD_BITS * SL_LZ_BIT)

/* The cost with a new scratch; the copy is exactly n bytes, so that ASan finds a
 * read beyond it. */
static uint64_t cost(const void *p, size_t n)
{
    struct sl_lz lz;
    uint8_t *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    if (n)
        memcpy(copy, p, n);
    sl_lz_init(&lz);
    uint64_t c = sl_lz_cost(&lz, copy, n);
    free(copy);
    return c;
}

static uint64_t cost_of(const char *text)
{
    return cost(text, strlen(text));
}

static uint32_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return (uint32_t)(*x >> 32);
}

static void test_log2_table(void **state)
{
    (void)state;
    assert_int_equal(log2_256[0], 0);
    for (int e = 0; e <= 12; e++)
        assert_int_equal(log2_256[1 << e], 256 * e);
    assert_int_equal(log2_256[3], 405); /* log2(3) = 1.58496 */
    for (int n = 2; n <= 4096; n++)
        assert_true(log2_256[n] >= log2_256[n - 1]);
}

static void test_small(void **state)
{
    (void)state;
    assert_int_equal(cost("", 0), 0);
    assert_int_equal(cost_of("a"), HEAD + 8 * 256);
    assert_int_equal(cost_of("abc"), HEAD + 24 * 256); /* told: 24 bits and more */
    /* 20 of one letter: one literal of 8 bits, run 1, length 19 at offset 1: three
     * codes told of 6 bits, none of them with extra bits. */
    assert_int_equal(cost_of("aaaaaaaaaaaaaaaaaaaa"), HEAD + (8 + 18) * 256);
    /* 7 letters twice: no run before the match would be told cheaper than the rest. */
    assert_int_equal(cost_of("abcdefgabcdefg"), HEAD + (56 + 18 + 2) * 256);
    /* "5678" is found, since the places inside of the first match were not entered;
     * the match grows to the front by "34". 11 literals, runs 5 and 6, lengths 4 and
     * 6, offsets 5 and 8. */
    assert_int_equal(cost_of("1234-12345678-z345678"), HEAD + (88 + 3 * 14 + 2 + 3) * 256);
}

static void test_literal_prices(void **state)
{
    (void)state;
    /* 2^k each of two letters without four that come again: 1 bit a letter. */
    assert_int_equal(cost_of("aabb"), HEAD + (4 + 16) * 256);
    /* Three of one, one of another: 3 (2 - log2 3) + 2 bits. */
    assert_int_equal(cost_of("aaba"), HEAD + 3 * (512 - 405) + 512 + 16 * 256);
}

static void test_equal_bytes(void **state)
{
    (void)state;
    char text[4097];
    memset(text, 'x', sizeof text);
    /* One literal, one match: length 4095 - 4 has 11 extra bits. */
    assert_int_equal(cost(text, 4096), HEAD + (8 + 18 + 11) * 256);
    assert_int_equal(cost(text, 4095), cost(text, 4096));
    assert_int_equal(cost(text, 4097), cost(text, 4096) + HEAD + 8 * 256);
}

static void test_random_bytes(void **state)
{
    (void)state;
    enum { N = 1 << 16 };
    uint8_t *p = malloc(N);
    uint64_t x = 1;
    struct sl_lz lz;
    assert_non_null(p);
    for (int i = 0; i < N; i++)
        p[i] = (uint8_t)next_random(&x);
    sl_lz_init(&lz);
    double ratio = sl_lz_ratio(&lz, p, N);
    assert_true(ratio > 0.999 && ratio <= 1 + 12.0 / 4096);
    free(p);
}

/* Windows stand for themselves: costs add up, and what came before a window, in
 * this text or others, changes nothing. 40 windows pass the end of the scratch's
 * count of places. */
static void test_windows(void **state)
{
    (void)state;
    enum { N = 40 * SL_LZ_WINDOW_BYTES + 17 };
    char *p = malloc(N);
    uint64_t x = 7, sum = 0;
    struct sl_lz lz;
    assert_non_null(p);
    for (int i = 0; i < N; i++)
        p[i] = "etaoin shrdlu"[next_random(&x) % 13];
    sl_lz_init(&lz);
    for (size_t i = 0; i < N; i += SL_LZ_WINDOW_BYTES) {
        size_t n = N - i < SL_LZ_WINDOW_BYTES ? N - i : SL_LZ_WINDOW_BYTES;
        sum += cost(p + i, n);
        assert_int_equal(sl_lz_cost(&lz, p + i, n), cost(p + i, n));
    }
    assert_int_equal(cost(p, N), sum);
    assert_int_equal(sl_lz_cost(&lz, p, N), sum);
    free(p);
}

static void test_bounds(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, 2, 3, 4, 5, 8, 9, 63, 100, 4095, 4096 };
    char text[4096];
    uint64_t x = 3;
    for (unsigned letters = 1; letters < 256; letters = letters * 3 / 2 + 1)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            for (size_t i = 0; i < sizes[k]; i++)
                text[i] = (char)(next_random(&x) % letters);
            uint64_t c = cost(text, sizes[k]);
            assert_true(c > HEAD && c <= HEAD + sizes[k] * 8 * SL_LZ_BIT);
        }
}

/* Harder text costs more. */
static void test_grows(void **state)
{
    (void)state;
    static const char *const rising[] = {
        "the cat and the dog and the cat and the dog and the cat and the dog and the cat",
        "the cat sat on the mat, the dog lay on the rug, and the fish swam in the bowl..",
        "Quickly, fjord bankers vexed Joy's 13 glum wizards; (Xq#7) zapped $48 & @home!?",
    };
    for (int i = 0; i < 3; i++)
        assert_int_equal(strlen(rising[i]), strlen(rising[0]));
    assert_true(cost_of(rising[0]) < cost_of(rising[1]));
    assert_true(cost_of(rising[1]) < cost_of(rising[2]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log2_table),     cmocka_unit_test(test_small),
        cmocka_unit_test(test_literal_prices), cmocka_unit_test(test_equal_bytes),
        cmocka_unit_test(test_random_bytes),   cmocka_unit_test(test_windows),
        cmocka_unit_test(test_bounds),         cmocka_unit_test(test_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
