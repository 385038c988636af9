/* SPDX-License-Identifier: Apache-2.0 */
/* Sorted entries against whole comparisons of their neighbours, with the place
 * where a record came in to see that equal keys keep their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "order/entry_sort.h"

static uint64_t state_;

static uint64_t draw(void)
{
    uint64_t z = state_ += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Keys: a common beginning, then bytes of a small alphabet, ended by a 0 that
 * stands nowhere else. */
static void check(size_t n, size_t common, size_t most, unsigned letters)
{
    size_t room = SL_RECORD_HEAD + common + most + 16;
    uint8_t *bytes = malloc(n * room + 1);
    struct sl_entry *e = malloc((n + 1) * sizeof *e), *spare = malloc((n + 1) * sizeof *e);
    assert_true(bytes && e && spare);
    for (size_t i = 0; i < n; i++) {
        uint8_t *r = bytes + i * room;
        size_t len = common + (most ? draw() % most : 0);
        memset(r, 0x5a, room); /* what follows the key must not count */
        sl_store32(r, (uint32_t)len + 1);
        sl_store32(r + 4, (uint32_t)i);
        memset(r + SL_RECORD_HEAD, 'x', common);
        for (size_t k = common; k < len; k++)
            r[SL_RECORD_HEAD + k] = (uint8_t)(255 - draw() % letters);
        r[SL_RECORD_HEAD + len] = 0;
        if (i % 3 == 0)
            memset(r + SL_RECORD_HEAD + len + 1, (int)draw(), 8);
        e[i] = (struct sl_entry){ sl_record_word(r, 0), r };
    }
    sl_entries_sort(e, spare, n);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += sl_load32(e[i].record + 4);
        if (i == 0)
            continue;
        int way = sl_record_compare(e[i - 1].record, e[i].record, 0);
        if (way > 0 || (way == 0 && sl_load32(e[i - 1].record + 4) >= sl_load32(e[i].record + 4)))
            fail_msg("%zu records, %zu + %zu bytes: wrong at %zu", n, common, most, i);
    }
    assert_int_equal(sum, n * (n - 1) / 2);
    free(bytes);
    free(e);
    free(spare);
}

static void test_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 2, 3, 12, 13, 48, 49, 100, 5000 };
    static const size_t commons[] = { 0, 1, 7, 8, 9, 63, 64, 65, 200 };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t c = 0; c < sizeof commons / sizeof *commons; c++) {
            check(sizes[s], commons[c], 3, 2); /* many equal */
            check(sizes[s], commons[c], 30, 2);
            check(sizes[s], commons[c], 20, 200); /* few equal */
            check(sizes[s], commons[c], 0, 1);    /* all equal */
        }
}

static void test_long(void **state)
{
    (void)state;
    check(200, 20000, 100, 2);
    check(100000, 2, 12, 250);
}

static void test_words(void **state)
{
    (void)state;
    const uint8_t r[] = { 10, 0, 0, 0, 9,  9,  9,  9,  1,  2,  3,  4,  5,
                          6,  7, 8, 9, 10, 77, 77, 77, 77, 77, 77, 77, 77 };
    assert_true(sl_record_word(r, 0) == UINT64_C(0x0102030405060708));
    assert_true(sl_record_word(r, 8) == UINT64_C(0x090a000000000000));
    assert_true(sl_record_word(r, 9) == UINT64_C(0x0a00000000000000));
    assert_true(sl_record_word(r, 10) == 0);
    assert_true(sl_record_word(r, 1000) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
