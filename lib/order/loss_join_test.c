/* SPDX-License-Identifier: Apache-2.0 */
/* The join against loops over all losses, in memory and through files. */
#include "order/loss_join.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "order/copy_number.h"

static const char *tmpdir(void)
{
    const char *dir = getenv("TMPDIR");
    return dir && *dir ? dir : "/tmp";
}

enum { ROWS = 300, LOSSES = 900, SETS = 2 };

struct loss {
    struct sl_loss_key key;
    int set;
    int64_t step;
    double loss;
};

static uint64_t random_word(uint64_t *s)
{
    *s = *s * 6364136223846793005u + 1442695040888963407u;
    return *s >> 33;
}

static struct sl_loss_key key_of(uint64_t n)
{
    struct sl_loss_key key = { .copy = (uint16_t)(n % 3 * 20000) };
    memset(key.id.b, 0, sizeof key.id.b);
    key.id.b[0] = (uint8_t)(n / 3 * 89);
    key.id.b[15] = (uint8_t)(n / 3 >> 8);
    return key;
}

static bool same(const struct sl_loss_key *a, const struct sl_loss_key *b)
{
    return a->copy == b->copy && memcmp(a->id.b, b->id.b, sizeof a->id.b) == 0;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* NaN where there is none. */
static double expected(const struct loss *l, const struct sl_loss_key *key, int set,
                       enum sl_loss_reduce how)
{
    double values[LOSSES], sum = 0;
    int n = 0;
    const struct loss *best = NULL;
    for (int i = 0; i < LOSSES; i++) {
        if (l[i].set != set || !same(&l[i].key, key))
            continue;
        values[n++] = l[i].loss;
        if (!best || (how == SL_LOSS_LAST ? l[i].step >= best->step : l[i].step < best->step))
            best = &l[i];
    }
    if (!n)
        return (double)NAN;
    if (how != SL_LOSS_MEAN)
        return best->loss;
    qsort(values, (size_t)n, sizeof *values, by_size);
    for (int i = 0; i < n; i++)
        sum += values[i];
    return sum / n;
}

static struct sl_loss_join *make(const struct loss *l, const struct sl_loss_key *rows, int n_rows,
                                 enum sl_loss_reduce how)
{
    struct sl_loss_join *j;
    assert_int_equal(sl_loss_join_new(&j, SETS, how, SL_LOSS_JOIN_LEAST_BYTES, tmpdir(), NULL),
                     SL_OK);
    for (int i = 0; i < LOSSES; i++)
        assert_int_equal(sl_loss_join_loss(j, l[i].set, &l[i].key, l[i].step, l[i].loss, NULL),
                         SL_OK);
    for (int i = 0; i < n_rows; i++)
        assert_int_equal(sl_loss_join_row(j, &rows[i], NULL), SL_OK);
    assert_int_equal(sl_loss_join_end(j, NULL), SL_OK);
    return j;
}

static void check_counts(const struct sl_loss_join *j, const struct loss *l,
                         const struct sl_loss_key *rows, int n_rows)
{
    const struct sl_loss_counts *c = sl_loss_join_counts(j);
    int64_t unmatched = 0, losses = 0, keys = 0;
    for (int i = 0; i < LOSSES; i++) {
        bool first = l[i].set == 0, has_row = false;
        losses += first;
        for (int k = 0; k < i; k++)
            first &= l[k].set != 0 || !same(&l[k].key, &l[i].key);
        for (int k = 0; k < n_rows; k++)
            has_row |= same(&rows[k], &l[i].key);
        keys += first;
        unmatched += first && !has_row;
    }
    assert_int_equal(c->rows, n_rows);
    assert_int_equal(c->losses[0], losses);
    assert_int_equal(c->losses[1], LOSSES - losses);
    assert_int_equal(c->keys[0], keys);
    assert_int_equal(c->unmatched, unmatched);
    assert_int_equal(sl_loss_join_check(j, true, false, NULL), unmatched ? SL_E_DATA : SL_OK);
    assert_int_equal(sl_loss_join_check(j, false, true, NULL), c->missing[0] ? SL_E_DATA : SL_OK);
    assert_int_equal(sl_loss_join_check(j, true, true, NULL), SL_OK);
}

static void check_case(uint64_t seed)
{
    struct loss l[LOSSES];
    struct sl_loss_key rows[ROWS];
    enum sl_loss_reduce how = (enum sl_loss_reduce)(seed % 3);
    uint64_t n_keys = seed % 4 ? 1 + random_word(&seed) % 250 : 3;
    int n_rows = (int)(random_word(&seed) % (ROWS + 1));
    for (int i = 0; i < LOSSES; i++)
        l[i] =
            (struct loss){ .key = key_of(random_word(&seed) % n_keys * 2),
                           .set = (int)(random_word(&seed) % SETS),
                           .step = random_word(&seed) % 2 ? INT64_MIN
                                                          : (int64_t)(random_word(&seed) % 5) - 2,
                           .loss = (double)random_word(&seed) / 1e9 };
    for (int i = 0; i < n_rows; i++)
        rows[i] = key_of(random_word(&seed) % (2 * n_keys));
    struct sl_loss_join *j = make(l, rows, n_rows, how);
    check_counts(j, l, rows, n_rows);
    const struct sl_loss_counts *c = sl_loss_join_counts(j);
    int64_t missing[SETS] = { 0 }, first = -1;
    for (int i = 0; i < n_rows; i++) {
        const double *v;
        int at = i % 7 == 6 ? n_rows - 1 - i : i; /* out of order too */
        assert_int_equal(sl_loss_join_values(j, at, &v, NULL), SL_OK);
        for (int set = 0; set < SETS; set++) {
            double want = expected(l, &rows[at], set, how);
            assert_true(isnan(want) ? isnan(v[set]) : v[set] == want);
        }
    }
    for (int i = 0; i < n_rows; i++)
        for (int set = 0; set < SETS; set++) {
            bool none = isnan(expected(l, &rows[i], set, how));
            missing[set] += none;
            first = none && set == 0 && first < 0 ? i : first;
        }
    assert_int_equal(c->missing[0], missing[0]);
    assert_int_equal(c->missing[1], missing[1]);
    if (first >= 0)
        assert_true(c->missing_row == first && same(&c->missing_key, &rows[first]));
    bool repeat = false;
    for (int i = 0; i < n_rows; i++)
        for (int k = 0; k < i; k++)
            repeat |= memcmp(rows[i].id.b, rows[k].id.b, sizeof rows[i].id.b) == 0;
    assert_int_equal(c->ids_repeat, repeat);
    const double *v;
    assert_int_equal(sl_loss_join_values(j, n_rows, &v, NULL), SL_E_BUG);
    sl_loss_join_free(j);
}

static void joins_agree_with_loops(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++)
        check_case(seed);
}

/* So many that the sorts go through files. */
static void joins_go_through_files(void **state)
{
    (void)state;
    enum { MANY = 300000 };
    struct sl_loss_join *j;
    assert_int_equal(
        sl_loss_join_new(&j, 1, SL_LOSS_LAST, SL_LOSS_JOIN_LEAST_BYTES, tmpdir(), NULL), SL_OK);
    for (uint32_t i = 0; i < 2 * MANY; i++) {
        struct sl_loss_key key = { .copy = 1 };
        uint32_t word = i % MANY * 2654435761u;
        memset(key.id.b, 0, sizeof key.id.b);
        memcpy(key.id.b, &word, sizeof word);
        assert_int_equal(sl_loss_join_loss(j, 0, &key, 0, (double)i, NULL), SL_OK);
        if (i % 2 == 0)
            assert_int_equal(sl_loss_join_row(j, &key, NULL), SL_OK);
    }
    assert_int_equal(sl_loss_join_end(j, NULL), SL_OK);
    const struct sl_loss_counts *c = sl_loss_join_counts(j);
    assert_int_equal(c->rows, MANY);
    assert_int_equal(c->keys[0], MANY);
    assert_int_equal(c->missing[0], 0);
    assert_int_equal(c->unmatched, MANY / 2);
    assert_true(c->ids_repeat && c->temp_bytes > 0);
    for (int64_t r = 0; r < MANY; r++) {
        const double *v;
        assert_int_equal(sl_loss_join_values(j, r, &v, NULL), SL_OK);
        assert_true(*v == (double)(MANY + r * 2 % MANY));
    }
    sl_loss_join_free(j);
    assert_int_equal(sl_loss_join_new(&j, 1, SL_LOSS_LAST, 1000, tmpdir(), NULL), SL_E_USAGE);
}

static void copies_are_numbered_through(void **state)
{
    (void)state;
    static const uint64_t times[] = { 2, 0, 1, 3, 5, 1, 0, 65528 };
    static const uint8_t ids[] = { 9, 7, 9, 7, 9, 7, 8, 9 };
    static const uint64_t want[] = { 0, 0, 2, 0, 3, 3, 0, 8 };
    for (uint64_t more = 0; more < 2; more++) {
        struct sl_copy_numbers *c;
        uint8_t id[16] = { 0 };
        uint64_t first;
        assert_int_equal(sl_copy_numbers_new(&c, SL_COPY_NUMBERS_LEAST_BYTES, tmpdir(), NULL),
                         SL_OK);
        for (int i = 0; i < 8; i++) {
            id[5] = ids[i];
            assert_int_equal(sl_copy_numbers_add(c, id, times[i] + (i == 7 ? more : 0), NULL),
                             SL_OK);
        }
        assert_int_equal(sl_copy_numbers_end(c, NULL), more ? SL_E_DATA : SL_OK);
        for (int i = 0; !more && i < 8; i++) {
            assert_int_equal(sl_copy_numbers_next(c, &first, NULL), SL_OK);
            assert_int_equal(first, want[i]);
        }
        if (!more)
            assert_int_equal(sl_copy_numbers_next(c, &first, NULL), SL_E_BUG);
        sl_copy_numbers_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_agree_with_loops),
        cmocka_unit_test(joins_go_through_files),
        cmocka_unit_test(copies_are_numbered_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
