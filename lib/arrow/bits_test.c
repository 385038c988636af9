/* SPDX-License-Identifier: Apache-2.0 */
/* Bitmaps against bits set one by one, at all shifts. */
#include "arrow/bits.h"

#include "arrow/test_model.h"

enum { BITS = 300 };

static void each_way(void **state)
{
    (void)state;
    uint64_t rng = 1;
    uint8_t src[BITS / 8 + 1], want[2 * BITS];
    for (size_t i = 0; i < sizeof src; i++)
        src[i] = (uint8_t)model_random(&rng);
    for (int round = 0; round < 4000; round++) {
        struct sl_buf b;
        sl_buf_init(&b, 4096);
        int64_t have = (int64_t)(model_random(&rng) % 70),
                first = (int64_t)(model_random(&rng) % 90);
        int64_t n = (int64_t)(model_random(&rng) % (BITS - 90)), count = 0;
        bool v = round & 1;
        uint32_t rows[BITS];
        OK(sl_bits_fill(&b, 0, v, have, &err));
        for (int64_t i = 0; i < have; i++)
            want[i] = v;
        for (int64_t i = 0; i < n; i++) {
            rows[i] = (uint32_t)(round % 3 ? model_random(&rng) % BITS : (uint64_t)(first + i));
            want[have + i] = src[rows[i] / 8] >> (rows[i] % 8) & 1;
            count += want[have + i];
        }
        if (round % 3)
            OK(sl_bits_take(&b, have, src, rows, (size_t)n, &err));
        else
            OK(sl_bits_add(&b, have, src, first, n, &err));
        assert_int_equal(b.n, (have + n + 7) / 8);
        for (int64_t i = 0; i < (int64_t)b.n * 8; i++)
            assert_int_equal(sl_bit(b.p, i), i < have + n ? want[i] : 0);
        if (n)
            assert_int_equal(sl_bits_count(b.p, have, n), count);
        uint8_t bytes[2 * BITS];
        if (have + n >= 8) {
            sl_bits_spread(b.p, 8, have + n - 8, bytes);
            assert_memory_equal(bytes, want + 8, (size_t)(have + n - 8));
        }
        sl_buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_way) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
