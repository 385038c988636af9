/* SPDX-License-Identifier: Apache-2.0 */
/* Selection against a sort of all hashes, and values to numbers. */
#include "order/quota.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arrow/rows.h"
#include "order/strata.h"

struct row {
    uint32_t stratum;
    uint64_t hash;
    size_t place;
};

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static uint64_t this_many(const void *ctx, uint64_t n)
{
    (void)n;
    return *(const uint64_t *)ctx;
}

static uint64_t half(const void *ctx, uint64_t n)
{
    (void)ctx;
    return (n + 1) / 2;
}

static int by_hash(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->stratum != y->stratum)
        return x->stratum < y->stratum ? -1 : 1;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

/* The rows that a full sort would take are those that are taken. */
static void check(const struct row *rows, size_t n, uint64_t (*wanted)(const void *, uint64_t),
                  const void *ctx)
{
    struct sl_quota *q;
    struct row *sorted = malloc((n + 1) * sizeof *sorted);
    bool *want = calloc(n + 1, 1), taken;
    assert_true(sorted && want);
    assert_int_equal(sl_quota_new(&q, "/tmp", NULL), SL_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(sl_quota_add(q, rows[i].stratum, rows[i].hash, NULL), SL_OK);
    assert_int_equal(sl_quota_close(q, wanted, ctx, NULL), SL_OK);
    memcpy(sorted, rows, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_hash);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && sorted[to].stratum == sorted[from].stratum;)
            to++;
        uint64_t k = wanted(ctx, to - from);
        for (size_t i = from; i < to && i - from < k; i++)
            want[sorted[i].place] = true;
    }
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(sl_quota_next(q, &taken, NULL), SL_OK);
        assert_int_equal(taken, want[i]);
    }
    assert_int_equal(sl_quota_next(q, &taken, NULL), SL_E_BUG);
    sl_quota_free(q);
    free(sorted);
    free(want);
}

static void fill(struct row *rows, size_t n, uint32_t strata, uint64_t mask)
{
    uint64_t x = 88172645463325252u + mask;
    for (size_t i = 0; i < n; i++)
        rows[i] = (struct row){ i < strata ? (uint32_t)i : (uint32_t)(next_random(&x) % strata),
                                next_random(&x) & mask, i };
}

static void test_selection(void **state)
{
    static const uint64_t masks[] = { UINT64_MAX, 0, 3, 0xff00, UINT64_MAX << 56 };
    static const uint64_t numbers[] = { 0, 1, 2, 100, 19999, 20000, 20001, UINT64_MAX };
    enum { N = 20000 };
    struct row *rows = malloc(N * sizeof *rows);
    (void)state;
    assert_non_null(rows);
    for (size_t m = 0; m < sizeof masks / sizeof *masks; m++) {
        fill(rows, N, 1, masks[m]);
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            check(rows, N, this_many, &numbers[k]);
        fill(rows, N, 37, masks[m]);
        check(rows, N, this_many, &numbers[3]);
        check(rows, N, half, NULL);
    }
    check(rows, 0, half, NULL);
    check(rows, 1, half, NULL);
    free(rows);
}

static void test_strata(void **state)
{
    struct sl_schema schema;
    struct sl_rows rows;
    struct sl_batch batch;
    struct sl_strata *s;
    uint32_t number;
    char text[16];
    (void)state;
    sl_schema_init(&schema);
    sl_batch_init(&batch);
    assert_int_equal(sl_schema_add_text(&schema, "lang", "utf8?", NULL), SL_OK);
    assert_int_equal(sl_rows_init(&rows, &schema, NULL), SL_OK);
    for (int i = 0; i < 3000; i++) {
        int n = snprintf(text, sizeof text, "%d", i % 1000);
        struct sl_str v = { text, i % 1000 == 7 ? 0 : (size_t)n };
        assert_int_equal(i % 1000 == 9 ? sl_colbuf_add_null(&rows.cols[0], NULL)
                                       : sl_colbuf_add_str(&rows.cols[0], v, NULL),
                         SL_OK);
        assert_int_equal(sl_rows_close_row(&rows, NULL), SL_OK);
    }
    assert_int_equal(sl_rows_lend(&rows, &batch, NULL), SL_OK);
    assert_int_equal(sl_strata_new(&s, 1 << 24, 8, NULL), SL_OK);
    for (int i = 0; i < 3000; i++) {
        assert_int_equal(sl_strata_of(s, &batch.columns[0], i, &number, NULL), SL_OK);
        assert_int_equal(number, i % 1000);
    }
    assert_int_equal(sl_strata_count(s), 1000);
    sl_strata_free(s);
    /* A bound on memory is an error, not more memory. */
    enum sl_status st = SL_OK;
    assert_int_equal(sl_strata_new(&s, 1 << 17, 4096, NULL), SL_OK);
    for (int i = 0; i < 3000 && st == SL_OK; i++)
        st = sl_strata_of(s, &batch.columns[0], i, &number, NULL);
    assert_int_equal(st, SL_E_DATA);
    assert_true(sl_strata_count(s) < 32);
    sl_strata_free(s);
    sl_batch_release(&batch);
    sl_rows_release(&rows);
    sl_schema_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_selection),
                                        cmocka_unit_test(test_strata) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
