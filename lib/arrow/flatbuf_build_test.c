/* SPDX-License-Identifier: Apache-2.0 */
/* The builder's bytes, followed by hand as the wire rules say. */
#include "arrow/flatbuf_build.h"

#include "arrow/test_model.h"
#include "base/num.h"

static const uint8_t *follow(const uint8_t *p)
{
    return p + sl_load32(p);
}

/* Where slot of a table stands; NULL where it is absent. */
static const uint8_t *slot(const uint8_t *table, unsigned i)
{
    const uint8_t *vtable = table - (int32_t)sl_load32(table);
    if (4 + 2 * (i + 1) > sl_load16(vtable) || sl_load16(vtable + 4 + 2 * i) == 0)
        return NULL;
    assert_true(sl_load16(vtable + 4 + 2 * i) < sl_load16(vtable + 2));
    return table + sl_load16(vtable + 4 + 2 * i);
}

static void a_table(void **state)
{
    (void)state;
    struct sl_fbb b;
    struct sl_str out;
    sl_fbb_init(&b, 1 << 16);
    for (size_t len = 0; len < 40; len++) {
        static const char text[] = "0123456789012345678901234567890123456789";
        int64_t pairs[4] = { 1, -2, 3, -4 };
        sl_fbb_reset(&b);
        uint32_t s = sl_fbb_string(&b, (struct sl_str){ text, len });
        uint32_t refs = sl_fbb_refs(&b, (uint32_t[]){ s, s }, 2);
        uint32_t structs = sl_fbb_structs(&b, pairs, 2, 16);
        sl_fbb_begin(&b);
        sl_fbb_scalar(&b, 0, 0x81, 1);
        sl_fbb_scalar(&b, 1, UINT64_MAX, 8);
        sl_fbb_ref(&b, 2, refs);
        sl_fbb_ref(&b, 4, structs);
        sl_fbb_scalar(&b, 5, 0xfffe, 2);
        OK(sl_fbb_finish(&b, sl_fbb_end(&b), &out, &err));
        assert_int_equal(out.n % 8, 0);
        const uint8_t *buf = (const uint8_t *)out.p, *table = follow(buf);
        assert_int_equal(*slot(table, 0), 0x81);
        assert_true(sl_load64(slot(table, 1)) == UINT64_MAX);
        assert_int_equal((slot(table, 1) - buf) % 8, 0);
        assert_null(slot(table, 3));
        assert_null(slot(table, 6));
        assert_int_equal(sl_load16(slot(table, 5)), 0xfffe);
        const uint8_t *v = follow(slot(table, 2));
        assert_int_equal(sl_load32(v), 2);
        for (int i = 1; i <= 2; i++) {
            const uint8_t *str = follow(v + 4 * i);
            assert_int_equal(sl_load32(str), len);
            assert_memory_equal(str + 4, text, len);
            assert_int_equal(str[4 + len], 0);
        }
        v = follow(slot(table, 4));
        assert_int_equal(sl_load32(v), 2);
        assert_int_equal((v + 4 - buf) % 8, 0);
        assert_memory_equal(v + 4, pairs, sizeof pairs);
    }
    sl_fbb_release(&b);
}

static void limit(void **state)
{
    (void)state;
    struct sl_fbb b;
    struct sl_str out;
    static char text[1000];
    sl_fbb_init(&b, 512);
    (void)sl_fbb_string(&b, (struct sl_str){ text, sizeof text });
    sl_fbb_begin(&b);
    sl_fbb_scalar(&b, 0, 1, 1);
    FAILS(SL_E_DATA, sl_fbb_finish(&b, sl_fbb_end(&b), &out, &err));
    sl_fbb_reset(&b);
    (void)sl_fbb_string(&b, (struct sl_str){ text, 400 });
    (void)sl_fbb_string(&b, (struct sl_str){ text, 400 });
    sl_fbb_begin(&b);
    FAILS(SL_E_DATA, sl_fbb_finish(&b, sl_fbb_end(&b), &out, &err));
    sl_fbb_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_table), cmocka_unit_test(limit) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
