/* SPDX-License-Identifier: Apache-2.0 */
/* Selection against sorting, on values of few and of many different bits. */
#include "order/plan_moving.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "order/shuffle.h"

enum { N = 500 };

static struct sl_expr *expression(const char *text, struct sl_arena *arena)
{
    struct sl_expr *e;
    sl_arena_init(arena, 0);
    assert_int_equal(sl_expr_parse(&e, text, arena, NULL), SL_OK);
    for (size_t i = 0; i < e->n_names; i++)
        if (strcmp(e->names[i].name, "lam") == 0) {
            e->names[i].use = SL_EXPR_PACING;
            e->names[i].pacing = (struct sl_pacing)SL_PACING_INIT;
        }
    return e;
}

static double score(const double *v, uint32_t row, double lam)
{
    return lam * v[row] + (1 - lam) * v[N + row];
}

/* Insertion: rows in order of the score, NaN last, equal ones by row. */
static void sort(const double *v, double lam, uint32_t *rows, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k; k--) {
            double a = score(v, rows[k - 1], lam), b = score(v, rows[k], lam);
            if (!(b < a || (isnan(a) && !isnan(b))))
                break;
            uint32_t t = rows[k];
            rows[k] = rows[k - 1];
            rows[k - 1] = t;
        }
}

static void take(const double *v, double x, size_t want, size_t every)
{
    struct sl_arena arena;
    static uint64_t bits[N];
    uint32_t rows[N], sorted[N];
    size_t n = 0, nulls = 0;
    struct sl_moving m = { expression("lam*a + (1-lam)*b", &arena), N, v, bits, x, 0 };
    for (uint32_t i = 0; i < N; i += (uint32_t)every, n++) {
        rows[n] = sorted[n] = i;
        nulls += isnan(score(v, i, x));
    }
    assert_int_equal(sl_moving_take(&m, rows, n, want, NULL), SL_OK);
    sort(v, x, sorted, n);
    assert_memory_equal(rows, sorted, want * sizeof *rows);
    assert_int_equal(m.n_null, nulls);
    sl_arena_release(&arena);
}

static void selection(void **state)
{
    (void)state;
    static double v[2 * N];
    for (int few = 0; few < 2; few++) {
        for (size_t i = 0; i < 2 * N; i++) {
            uint64_t r = sl_mix64(i + 1);
            v[i] = few ? (double)(r % 5) - 2 : ldexp((double)(int64_t)r, (int)(r % 90) - 100);
            if (r % 37 == 0)
                v[i] = NAN;
        }
        for (size_t want = 0; want <= N; want += 1 + want / 3) {
            take(v, 0.25, want, 1);
            take(v, 0, want / 3, 3);
            take(v, 1, want / 7, 7);
        }
        take(v, 0.5, N, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(selection) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
