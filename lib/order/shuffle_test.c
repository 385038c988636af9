/* SPDX-License-Identifier: Apache-2.0 */
/* The permutation against the table of docs/loader.md, and as a bijection. */
#include "order/shuffle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void loader_table(void **state)
{
    (void)state;
    const struct {
        uint64_t n, seed, epoch, first[10];
        int known;
    } rows[] = {
        { 1, 0, 0, { 0 }, 1 },
        { 2, 0, 0, { 1, 0 }, 2 },
        { 10, 0, 0, { 2, 8, 9, 1, 5, 3, 7, 4, 6, 0 }, 10 },
        { 10, 0, 1, { 8, 9, 5, 1, 6, 0, 3, 2, 7, 4 }, 10 },
        { 10, 1, 0, { 4, 0, 7, 8, 1, 6, 2, 9, 5, 3 }, 10 },
        { 1000, 7, 3, { 702, 645, 779, 940, 918 }, 5 },
        { 1000000000000,
          UINT64_MAX,
          0,
          { 37569793348, 288592824545, 981938238281, 128273898303, 467590424498 },
          5 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sl_shuffle s;
        sl_shuffle_init(&s, rows[i].n, rows[i].seed, rows[i].epoch);
        for (int p = 0; p < rows[i].known; p++)
            assert_int_equal(sl_shuffle_at(&s, (uint64_t)p), rows[i].first[p]);
    }
}

static void bijections(void **state)
{
    (void)state;
    static uint8_t seen[1100];
    for (uint64_t n = 1; n < 1100; n = n < 70 ? n + 1 : n * 9 / 7) {
        struct sl_shuffle s;
        sl_shuffle_init(&s, n, n * 31, 5);
        memset(seen, 0, sizeof seen);
        for (uint64_t p = 0; p < n; p++) {
            uint64_t v = sl_shuffle_at(&s, p);
            assert_true(v < n && !seen[v]);
            seen[v] = 1;
            assert_int_equal(sl_shuffle_place(&s, v), p);
        }
    }
}

static void the_largest(void **state)
{
    (void)state;
    const uint64_t sizes[] = { SL_SHUFFLE_MAX, SL_SHUFFLE_MAX - 1, ((uint64_t)1 << 61) + 1 };
    for (size_t i = 0; i < 3; i++) {
        struct sl_shuffle s;
        sl_shuffle_init(&s, sizes[i], 3, 0);
        for (uint64_t p = sizes[i] - 1, j = 0; j < 200; j++, p = p / 3 * 2) {
            uint64_t v = sl_shuffle_at(&s, p);
            assert_true(v < sizes[i]);
            assert_int_equal(sl_shuffle_place(&s, v), p);
        }
    }
    struct sl_shuffle none;
    sl_shuffle_init(&none, 0, 0, 0);
    assert_int_equal(none.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loader_table),
        cmocka_unit_test(bijections),
        cmocka_unit_test(the_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
