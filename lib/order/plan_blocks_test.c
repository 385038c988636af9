/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of places, against lists. */
#include "order/plan_blocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "order/plan_order.h"

/* Places come as the letters of their values; what comes out is letters and numbers. */
static void expect(uint32_t n_values, uint64_t size, const char *values, const char *want)
{
    struct sl_plan_blocks *b;
    struct sl_plan_place p;
    char got[200] = "";
    size_t n = 0;
    assert_int_equal(sl_plan_blocks_new(&b, n_values, size, strlen(values) + 1, NULL), SL_OK);
    for (size_t i = 0; i <= strlen(values); i++) {
        while (sl_plan_blocks_take(b, &p)) {
            got[n++] = values[p.unit];
            got[n++] = (char)('0' + p.unit);
        }
        if (i < strlen(values))
            sl_plan_blocks_add(b, (uint32_t)(values[i] - 'a'),
                               &(struct sl_plan_place){ .unit = i });
        else if (sl_plan_blocks_end(b))
            got[n++] = '|', i--; /* once more */
    }
    assert_string_equal(got, want);
    assert_false(sl_plan_blocks_take(b, &p));
    sl_plan_blocks_free(b);
}

static void by_hand(void **state)
{
    (void)state;
    expect(1, 1, "", "");
    expect(3, 1, "cab", "c0a1b2");
    expect(3, 2, "cabac", "a1a3c0c4|b2");
    expect(3, 3, "cbacab", "|a2a4b1b5c0c3");
    expect(2, 9, "bbab", "|a2b0b1b3");
    expect(2, 2, "abababab", "a0a2b1b3a4a6b5b7");
}

/* Every place comes out once, values keep their order, and no more wait than are said to. */
static void any(void **state)
{
    (void)state;
    enum { N = 5000, VALUES = 7, SIZE = 13 };
    struct sl_plan_blocks *b;
    struct sl_plan_place p;
    uint64_t seen = 0, out = 0, x = 1;
    uint64_t last[VALUES] = { 0 };
    assert_int_equal(sl_plan_blocks_most(VALUES, SIZE, N), VALUES * (SIZE - 1) + 1);
    assert_int_equal(sl_plan_blocks_most(VALUES, SIZE, 20), 20);
    assert_int_equal(sl_plan_blocks_new(&b, VALUES, SIZE, N, NULL), SL_OK);
    for (uint64_t i = 0; i <= N; i++) {
        if (i < N) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            uint32_t value = (uint32_t)(x >> 33) % VALUES;
            sl_plan_blocks_add(b, value, &(struct sl_plan_place){ .unit = i + 1, .source = value });
            seen++;
        } else {
            assert_true(sl_plan_blocks_end(b));
        }
        while (sl_plan_blocks_take(b, &p)) {
            assert_true(p.unit > last[p.source]);
            last[p.source] = p.unit;
            out++;
        }
        assert_true(seen - out <= VALUES * (SIZE - 1));
    }
    assert_int_equal(out, N);
    assert_false(sl_plan_blocks_end(b));
    sl_plan_blocks_free(b);
    sl_plan_blocks_free(NULL);
}

static void too_many(void **state)
{
    (void)state;
    struct sl_plan_blocks *b;
    struct sl_err why = SL_ERR_INIT;
    assert_int_equal(sl_plan_blocks_new(&b, 65536, 1 << 20, UINT64_MAX, &why), SL_E_DATA);
    assert_non_null(strstr(why.msg, "too many"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_hand), cmocka_unit_test(any),
                                        cmocka_unit_test(too_many) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
