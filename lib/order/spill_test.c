/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks written and read, of bytes that shrink and that do not; and every byte of
 * a stored block changed in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "order/spill.h"

#define OK(call)                                \
    do {                                        \
        struct sl_err err = SL_ERR_INIT;        \
        if ((call) != SL_OK)                    \
            fail_msg("%s: %s", #call, err.msg); \
    } while (0)

static void fill(uint8_t *p, size_t n, bool noise, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        p[i] = noise ? (uint8_t)(seed >> 40) : (uint8_t)(i / 50);
    }
}

enum { MOST = 300000 };

static void round_trip(int level, size_t noise_every)
{
    static const size_t sizes[] = { 1, 2, 15, 16, 17, 4096, 65536, MOST };
    enum { N = sizeof sizes / sizeof *sizes };
    struct sl_spill *s;
    struct sl_temp *file;
    struct sl_buf out;
    uint8_t *p = malloc(MOST);
    int64_t off = 0;
    assert_non_null(p);
    OK(sl_spill_new(&s, level, &err));
    OK(sl_temp_new(&file, ".", &err));
    for (size_t i = 0; i < N * 4; i++) {
        fill(p, sizes[i / 4], i % noise_every == 0, i);
        OK(sl_spill_write(s, file, p, sizes[i / 4], &err));
    }
    sl_buf_init(&out, MOST);
    for (size_t i = 0; i < N * 4; i++) {
        fill(p, sizes[i / 4], i % noise_every == 0, i);
        OK(sl_spill_read(s, file, &off, &out, &err));
        assert_int_equal(out.n, sizes[i / 4]);
        assert_memory_equal(out.p, p, out.n);
    }
    assert_int_equal(off, sl_temp_bytes(file));
    assert_int_equal(sl_spill_read(s, file, &off, &out, NULL), SL_E_DATA); /* there is no more */
    if (level && noise_every > N * 4)                                      /* text shrinks */
        assert_true(off < 4 * MOST / 10 + 4 * 65536);
    sl_buf_release(&out);
    sl_temp_free(file);
    sl_spill_free(s);
    free(p);
}

static void test_round_trip(void **state)
{
    (void)state;
    round_trip(0, 2);
    round_trip(1, 2);
    round_trip(1, 1);
    round_trip(1, 1000);
}

/* A block of which one byte is another one. */
static void check_damage(bool noise)
{
    enum { BYTES = 1500 };
    uint8_t block[BYTES], stored[2 * BYTES];
    struct sl_spill *s;
    struct sl_temp *file, *wrong;
    struct sl_buf out;
    OK(sl_spill_new(&s, 1, &err));
    OK(sl_temp_new(&file, ".", &err));
    fill(block, BYTES, noise, 1);
    OK(sl_spill_write(s, file, block, BYTES, &err));
    size_t n = (size_t)sl_temp_bytes(file);
    assert_true(n <= sizeof stored);
    OK(sl_temp_read(file, 0, stored, n, &err));
    sl_buf_init(&out, 2000);
    for (size_t i = 0; i < n; i++) {
        int64_t off = 0;
        stored[i] ^= 0x10;
        OK(sl_temp_new(&wrong, ".", &err));
        OK(sl_temp_append(wrong, stored, n, &err));
        assert_int_equal(sl_spill_read(s, wrong, &off, &out, NULL), SL_E_DATA);
        sl_temp_free(wrong);
        stored[i] ^= 0x10;
    }
    sl_buf_release(&out);
    sl_temp_free(file);
    sl_spill_free(s);
}

static void test_damage(void **state)
{
    (void)state;
    check_damage(false);
    check_damage(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
