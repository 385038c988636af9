/* SPDX-License-Identifier: Apache-2.0 */
/* Runs made of random records and merged in every way, against one stable sort of
 * all of them: merges of two at a time, of many, rows that lie elsewhere, blocks of
 * one record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "order/row_run.h"

#define OK(call)                                \
    do {                                        \
        struct sl_err err = SL_ERR_INIT;        \
        if ((call) != SL_OK)                    \
            fail_msg("%s: %s", #call, err.msg); \
    } while (0)

enum { N = 3000, MOST_ROW = 100, LARGE = 400000, KEY = 6, ROOM = N * 200 + 20 * LARGE };

struct world {
    uint8_t *bytes;
    struct sl_entry in[N], want[N], spare[N];
    size_t n_seen, n_emitted;
};

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % below;
}

/* Keys of few letters, so that many are equal; the row begins with the number of
 * the record, by which its place is known. */
static void make(struct world *w, bool large)
{
    size_t used = 0;
    memset(w, 0, sizeof *w);
    w->bytes = calloc(ROOM, 1);
    assert_non_null(w->bytes);
    for (size_t i = 0; i < N; i++) {
        uint8_t *r = w->bytes + used;
        size_t key = 1 + draw(KEY), row = 4 + draw(MOST_ROW);
        if (large && i % 200 == 7)
            row = LARGE - draw(LARGE / 2);
        sl_store32(r, (uint32_t)key);
        sl_store32(r + 4, (uint32_t)row);
        for (size_t k = 0; k + 1 < key; k++)
            r[SL_RECORD_HEAD + k] = (uint8_t)('a' + draw(3));
        uint8_t *p = r + SL_RECORD_HEAD + key;
        sl_store32(p, (uint32_t)i);
        for (size_t k = 4; k < row; k++)
            p[k] = (uint8_t)(k * 7 + i);
        w->in[i] = w->want[i] = (struct sl_entry){ sl_record_word(r, 0), r };
        used += SL_RECORD_HEAD + key + row;
        assert_true(used + 16 < ROOM);
    }
    sl_entries_sort(w->want, w->spare, N);
}

static void see(void *ctx, const uint8_t *record)
{
    struct world *w = ctx;
    const uint8_t *want = w->want[w->n_seen++].record;
    assert_int_equal(sl_record_compare(record, want, 0), 0);
}

static enum sl_status emit(void *ctx, struct sl_str *rows, size_t n, struct sl_err *err)
{
    struct world *w = ctx;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *want = w->want[w->n_emitted++].record;
        assert_int_equal(rows[i].n, sl_load32(want + 4));
        assert_memory_equal(rows[i].p, want + SL_RECORD_HEAD + sl_load32(want), rows[i].n);
    }
    return SL_OK;
}

static void check(size_t per_run, size_t most, size_t fan_in, size_t block, int level, bool large)
{
    struct world *w = malloc(sizeof *w);
    struct sl_runs r;
    assert_non_null(w);
    make(w, large);
    OK(sl_runs_init(&r, ".", block, level, &err));
    for (size_t i = 0, n; i < N; i += n) {
        n = N - i < per_run ? N - i : per_run;
        sl_entries_sort(w->in + i, w->spare, n);
        OK(sl_runs_add(&r, w->in + i, n, &err));
    }
    OK(sl_runs_reduce(&r, most, fan_in, &err));
    assert_true(r.n <= most);
    OK(sl_runs_emit(&r, (struct sl_row_sink){ emit, w }, (struct sl_record_watch){ see, w }, &err));
    assert_int_equal(w->n_emitted, N);
    assert_int_equal(w->n_seen, N);
    assert_true(r.bytes > 0 && r.most_bytes <= 2 * r.bytes + 100000);
    sl_runs_release(&r);
    free(w->bytes);
    free(w);
}

static void test_merges(void **state)
{
    (void)state;
    check(N, 1, 2, 4096, 0, false);
    check(700, 100, 2, 4096, 0, false); /* nothing to reduce */
    check(100, 1, 2, 4096, 0, false);
    check(100, 7, 3, 1000, 0, false);
    check(37, 5, 16, 100, 0, false); /* a record a block, now and then */
    check(100, 29, 8, 1, 0, false);  /* always */
    check(11, 200, 128, 4096, 1, false);
    check(100, 2, 128, 65536, 1, false);
}

static void test_large(void **state)
{
    (void)state;
    check(500, 10, 4, 4096, 0, true);
    check(100, 2, 4, 65536, 1, true);
}

static enum sl_status refuse(void *ctx, struct sl_str *rows, size_t n, struct sl_err *err)
{
    (void)ctx, (void)rows, (void)n;
    return sl_err_set(err, SL_E_SYSTEM, "no");
}

static void ignore(void *ctx, const uint8_t *record)
{
    (void)ctx, (void)record;
}

/* An error of whom the rows are for comes back; nothing is lost. */
static void test_refused(void **state)
{
    (void)state;
    struct world *w = malloc(sizeof *w);
    struct sl_runs r;
    struct sl_err why = SL_ERR_INIT;
    assert_non_null(w);
    make(w, false);
    OK(sl_runs_init(&r, ".", 4096, 0, &err));
    sl_entries_sort(w->in, w->spare, N);
    OK(sl_runs_add(&r, w->in, N, &err));
    assert_int_equal(sl_runs_emit(&r, (struct sl_row_sink){ refuse, NULL },
                                  (struct sl_record_watch){ ignore, NULL }, &why),
                     SL_E_SYSTEM);
    assert_string_equal(why.msg, "no");
    sl_runs_release(&r);
    free(w->bytes);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merges),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
