/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: alignment, reuse, absurd sizes. */
#include "base/arena.h"

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_distinct_and_aligned(void **state)
{
    (void)state;
    struct sl_arena a;
    uint8_t *p[200];
    sl_arena_init(&a, 1 << 20);
    for (size_t i = 0; i < 200; i++) {
        p[i] = sl_arena_get(&a, i * 11);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t)p[i] % 64, 0);
        memset(p[i], (int)i, i * 11);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t j = 0; j < i * 11; j++)
            assert_int_equal(p[i][j], i);
    sl_arena_release(&a);
    assert_int_equal(a.held_bytes, 0);
}

static void test_reset_keeps(void **state)
{
    (void)state;
    struct sl_arena a;
    sl_arena_init(&a, 1 << 20);
    for (int round = 0; round < 4; round++) {
        size_t held = a.held_bytes;
        for (int i = 0; i < 100; i++)
            assert_non_null(sl_arena_get(&a, 1000));
        if (round > 1)
            assert_int_equal(a.held_bytes, held); /* nothing new was taken */
        sl_arena_reset(&a);
        assert_int_equal(a.used_bytes, 0);
    }
    assert_non_null(sl_arena_get(&a, 2 << 20));
    sl_arena_reset(&a); /* over keep_max */
    assert_int_equal(a.held_bytes, 0);
    sl_arena_release(&a);
}

static void test_absurd(void **state)
{
    (void)state;
    struct sl_arena a;
    sl_arena_init(&a, 0);
    assert_null(sl_arena_get(&a, SL_ARENA_MAX + 1));
    assert_null(sl_arena_zeros(&a, SIZE_MAX / 2, 3));
    assert_null(sl_arena_str(&a, (struct sl_str){ "", SIZE_MAX }));
    assert_non_null(sl_arena_get(&a, 0));
    sl_arena_reset(&a);
    sl_arena_release(&a);
    sl_arena_release(&a);
}

static void test_zeros_and_strings(void **state)
{
    (void)state;
    struct sl_arena a;
    sl_arena_init(&a, 1 << 20);
    memset(sl_arena_get(&a, 4000), 0xff, 4000);
    sl_arena_reset(&a);
    uint8_t *z = sl_arena_zeros(&a, 100, 40);
    for (int i = 0; i < 4000; i++)
        assert_int_equal(z[i], 0);
    assert_string_equal(sl_arena_str(&a, SL_STR("hello")), "hello");
    assert_string_equal(sl_arena_str(&a, (struct sl_str){ NULL, 0 }), "");
    sl_arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distinct_and_aligned),
        cmocka_unit_test(test_reset_keeps),
        cmocka_unit_test(test_absurd),
        cmocka_unit_test(test_zeros_and_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
