/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/num.h"
#include "dedup/seen_table.h"

enum { MIB = 1 << 20 };

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static struct sl_seen_table *table(size_t max_bytes)
{
    struct sl_seen_table *t;
    assert_int_equal(sl_seen_table_new(&t, max_bytes, NULL), SL_OK);
    return t;
}

/* Key i; where bits is small, many keys have one a. */
static void make_key(uint64_t i, unsigned bits, uint64_t *a, uint64_t *b)
{
    uint64_t state = i;
    *b = i << 2;
    *a = next_random(&state) >> (64 - bits) << (64 - bits);
}

static void make_id(uint64_t i, uint8_t id[16])
{
    sl_store64(id, i);
    sl_store64(id + 8, ~i);
}

static void meet(struct sl_seen_table *t, uint64_t i, unsigned bits, unsigned want_before)
{
    uint8_t id[16], other[16];
    uint64_t a, b;
    unsigned before;
    make_key(i, bits, &a, &b);
    make_id(i, id);
    make_id(~i, other);
    sl_seen_table_prefetch(t, a);
    const struct sl_seen_slot *s = sl_seen_table_meet(t, a, b, want_before ? other : id, &before);
    assert_non_null(s);
    assert_int_equal(before, want_before);
    assert_memory_equal(s->id, id, sizeof id);
}

/* Everything is there once, in the order of the keys, with its flags. */
static void check_order(const struct sl_seen_table *t, uint64_t n)
{
    const struct sl_seen_slot *s;
    uint64_t at = 0, count = 0, a = 0, b = 0;
    while ((s = sl_seen_table_next(t, &at))) {
        uint8_t id[16];
        uint64_t i = s->b >> 2;
        assert_true(s->a > a || (s->a == a && (s->b >> 2) >= b));
        a = s->a;
        b = (s->b >> 2) + 1;
        make_id(i, id);
        assert_memory_equal(s->id, id, sizeof id);
        assert_int_equal(s->b & 3, i % 3 ? SL_SEEN_USED : SL_SEEN_USED | SL_SEEN_AGAIN);
        count++;
    }
    assert_int_equal(count, n);
}

static void keys_are_found_again(void **state)
{
    (void)state;
    static const unsigned bits[] = { 64, 12 };
    for (size_t k = 0; k < 2; k++) {
        struct sl_seen_table *t = table(16 * MIB);
        uint64_t n = k ? 40000 : 200000;
        bool fits;
        for (uint64_t i = 0; i < n; i++) {
            assert_int_equal(sl_seen_table_reserve(t, 1, &fits, NULL), SL_OK);
            assert_true(fits);
            meet(t, i, bits[k], 0);
            if (i % 3 == 0)
                meet(t, i, bits[k], SL_SEEN_USED);
            if (i % 6 == 0)
                meet(t, i / 2, bits[k], SL_SEEN_USED | SL_SEEN_AGAIN);
        }
        check_order(t, n);
        sl_seen_table_free(t);
    }
}

/* Four of five slots are used, and memory is no more than was allowed. */
static void full_tables(void **state)
{
    (void)state;
    for (size_t mib = 1; mib < 12; mib += 3) {
        struct sl_seen_table *t = table(mib * MIB);
        uint64_t n = 0;
        bool fits = true;
        for (;;) {
            assert_int_equal(sl_seen_table_reserve(t, 1, &fits, NULL), SL_OK);
            if (!fits)
                break;
            meet(t, n, 64, 0);
            if (n % 3 == 0)
                meet(t, n, 64, SL_SEEN_USED);
            n++;
        }
        uint64_t slots = mib * MIB / 32 - 4096;
        assert_true(n >= slots / 5 * 4 && n <= slots / 5 * 4 + 4);
        check_order(t, n);
        assert_int_equal(sl_seen_table_reserve(t, UINT64_MAX, &fits, NULL), SL_OK);
        assert_false(fits);
        assert_int_equal(sl_seen_table_reserve(t, 0, &fits, NULL), SL_OK);
        assert_true(fits);
        sl_seen_table_free(t);
    }
    struct sl_seen_table *t;
    assert_int_equal(sl_seen_table_new(&t, 1000, NULL), SL_E_BUG);
    sl_seen_table_free(NULL);
}

/* Keys at the very end go into the tail, and when that is full are refused. */
static void keys_at_the_end(void **state)
{
    (void)state;
    struct sl_seen_table *t = table(2 * MIB);
    uint8_t id[16] = { 0 };
    unsigned before;
    uint64_t n = 0, at = 0, count = 0;
    while (sl_seen_table_meet(t, UINT64_MAX, n << 2, id, &before))
        n++;
    assert_int_equal(n, 4097);
    while (sl_seen_table_next(t, &at))
        count++;
    assert_int_equal(count, n);
    assert_non_null(sl_seen_table_meet(t, UINT64_MAX, 0, id, &before));
    assert_int_equal(before, SL_SEEN_USED);
    sl_seen_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_found_again),
        cmocka_unit_test(full_tables),
        cmocka_unit_test(keys_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
