/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "token/word_count.h"

enum { N_WORDS = 200000, N_COUNTERS = 3 };

/* Word i is of 1 to 60 bytes and all are different. */
static struct sl_str make_word(char *p, uint32_t i)
{
    size_t n = (size_t)snprintf(p, 64, "%u", i);
    for (size_t more = i % 53; more; more--)
        p[n++] = (char)(128 + i % 100);
    return (struct sl_str){ p, n };
}

struct seen {
    int64_t counts[N_WORDS];
    int64_t n_long, long_count;
};

static enum sl_status see(void *ctx, struct sl_str word, int64_t count, struct sl_err *err)
{
    (void)err;
    struct seen *s = ctx;
    char want[128], digits[16] = { 0 };
    if (word.n > 1000) {
        s->n_long++;
        s->long_count = count;
        return SL_OK;
    }
    memcpy(digits, word.p, word.n < 15 ? word.n : 15);
    uint32_t i = (uint32_t)strtoul(digits, NULL, 10);
    assert_true(i < N_WORDS && sl_str_eq(make_word(want, i), word));
    assert_int_equal(s->counts[i], 0);
    s->counts[i] = count;
    return SL_OK;
}

static int64_t times(uint32_t i)
{
    return 1 + (i % 7 == 0) * 5;
}

static void count_in(size_t mem_bytes, size_t n_counters, bool spilled)
{
    struct sl_word_counts *c[N_COUNTERS];
    struct seen *s = calloc(1, sizeof *s);
    char text[128], *big = calloc(1, 300000);
    memset(big, 'x', 300000);
    for (size_t k = 0; k < n_counters; k++)
        assert_int_equal(sl_word_counts_new(&c[k], mem_bytes, "/tmp", NULL), SL_OK);
    for (uint32_t round = 0; round < 6; round++)
        for (uint32_t i = 0; i < N_WORDS; i++) {
            if ((int64_t)round >= times(i))
                continue;
            assert_int_equal(
                sl_word_counts_add(c[(i + round) % n_counters], make_word(text, i), 1, NULL),
                SL_OK);
            if (i % 100000 == 0)
                assert_int_equal(sl_word_counts_add(c[round % n_counters],
                                                    (struct sl_str){ big, 300000 }, 2, NULL),
                                 SL_OK);
        }
    const struct sl_word_sink to = { see, s };
    assert_int_equal(sl_word_counts_each(c, n_counters, &to, NULL), SL_OK);
    assert_int_equal(sl_word_counts_temp_bytes(c[0]) > 0, spilled);
    for (uint32_t i = 0; i < N_WORDS; i++)
        assert_int_equal(s->counts[i], times(i));
    assert_int_equal(s->n_long, 1);
    assert_int_equal(s->long_count, 2 * (6 + 1));
    for (size_t k = 0; k < n_counters; k++)
        sl_word_counts_free(c[k]);
    free(big);
    free(s);
}

static void words_are_counted_in_memory(void **state)
{
    (void)state;
    count_in((size_t)256 << 20, 1, false);
    count_in((size_t)256 << 20, N_COUNTERS, false);
}

static void words_are_counted_through_files(void **state)
{
    (void)state;
    count_in(0, 1, true);
    count_in(0, N_COUNTERS, true);
}

static void pieces_are_words(void **state)
{
    (void)state;
    enum { N = 600 };
    struct sl_word_counts *c;
    struct seen *s = calloc(1, sizeof *s);
    uint32_t ends[N];
    char text[N * 16] = "-";
    size_t at = 1;
    for (uint32_t i = 0; i < N; i++) {
        at += make_word(text + at, i % 10).n;
        ends[i] = (uint32_t)at;
    }
    struct sl_str all = { text, at };
    assert_int_equal(sl_word_counts_new(&c, 0, "/tmp", NULL), SL_OK);
    assert_int_equal(sl_word_counts_add_pieces(c, all, 1, ends, N, NULL), SL_OK);
    assert_int_equal(sl_word_counts_add(c, (struct sl_str){ NULL, 0 }, 1, NULL), SL_OK);
    const struct sl_word_sink to = { see, s };
    assert_int_equal(sl_word_counts_each(&c, 1, &to, NULL), SL_OK);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(s->counts[i], N / 10);
    sl_word_counts_free(c);
    free(s);
}

static enum sl_status refuse(void *ctx, struct sl_str word, int64_t count, struct sl_err *err)
{
    (void)ctx;
    (void)word;
    (void)count;
    return sl_err_set(err, SL_E_DATA, "refused");
}

static void errors_come_through(void **state)
{
    (void)state;
    struct sl_word_counts *c;
    struct sl_err err = SL_ERR_INIT;
    size_t n = (size_t)7 << 20;
    char *big = calloc(1, n);
    assert_int_equal(sl_word_counts_new(&c, 0, "/tmp", NULL), SL_OK);
    assert_int_equal(sl_word_counts_add(c, SL_STR("a"), 1, NULL), SL_OK);
    assert_int_equal(sl_word_counts_add(c, (struct sl_str){ big, n }, 1, &err), SL_E_SYSTEM);
    const struct sl_word_sink to = { refuse, NULL };
    sl_err_reset(&err);
    assert_int_equal(sl_word_counts_each(&c, 1, &to, &err), SL_E_DATA);
    sl_word_counts_free(c);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_counted_in_memory),
        cmocka_unit_test(words_are_counted_through_files),
        cmocka_unit_test(pieces_are_words),
        cmocka_unit_test(errors_come_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
