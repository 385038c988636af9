/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers: growth, alignment, the maximum. */
#include "base/buf.h"

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_grow(void **state)
{
    (void)state;
    struct sl_buf b;
    sl_buf_init(&b, 1 << 20);
    assert_null(b.p);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(sl_buf_add_byte(&b, (uint8_t)(i % 251), NULL), SL_OK);
    assert_int_equal(b.n, 100000);
    assert_int_equal((uintptr_t)b.p % 64, 0);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(b.p[i], i % 251);
    size_t cap = b.cap;
    sl_buf_reset(&b);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.cap, cap);
    sl_buf_release(&b);
    assert_null(b.p);
    assert_int_equal(b.max, 1 << 20); /* usable again */
    assert_int_equal(sl_buf_add_str(&b, SL_STR("x"), NULL), SL_OK);
    sl_buf_release(&b);
}

static void test_maximum(void **state)
{
    (void)state;
    struct sl_buf b;
    struct sl_err err = SL_ERR_INIT;
    sl_buf_init(&b, 10);
    assert_int_equal(sl_buf_add(&b, "0123456789", 10, NULL), SL_OK);
    assert_int_equal(sl_buf_add_byte(&b, 0, &err), SL_E_DATA);
    assert_int_equal(err.status, SL_E_DATA);
    assert_int_equal(sl_buf_add_zeros(&b, SIZE_MAX, NULL), SL_E_DATA);
    assert_int_equal(sl_buf_reserve(&b, SIZE_MAX - 5, NULL), SL_E_DATA);
    assert_int_equal(sl_buf_add(&b, NULL, 0, NULL), SL_OK);
    assert_null(sl_buf_cstr(&b)); /* no room for the NUL */
    assert_memory_equal(b.p, "0123456789", 10);
    sl_buf_release(&b);
    sl_buf_init(&b, 0);
    assert_int_equal(sl_buf_add_byte(&b, 0, NULL), SL_E_DATA);
    assert_int_equal(sl_buf_reserve(&b, 0, NULL), SL_OK);
    sl_buf_release(&b);
}

static void test_format(void **state)
{
    (void)state;
    struct sl_buf b;
    sl_buf_init(&b, 1000);
    assert_int_equal(sl_buf_addf(&b, NULL, "%s=%d", "a", 1), SL_OK);
    assert_int_equal(sl_buf_addf(&b, NULL, "%s", ""), SL_OK);
    assert_int_equal(sl_buf_add_zeros(&b, 2, NULL), SL_OK);
    assert_int_equal(b.n, 5);
    assert_memory_equal(sl_buf_cstr(&b), "a=1\0\0", 6);
    assert_int_equal(sl_buf_addf(&b, NULL, "%2000d", 1), SL_E_DATA);
    assert_int_equal(sl_buf_str(&b).n, 5);
    sl_buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grow),
        cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
