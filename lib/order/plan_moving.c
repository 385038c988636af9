/* SPDX-License-Identifier: Apache-2.0 */
/* The score of the last row that is taken is found 16 bits at a time, by counting; then
 * one pass gathers the rows below it, which alone are sorted. Rejected: sorting all rows in
 * every step, and selection by comparison, which hostile values make quadratic. */
#include "order/plan_moving.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct scored {
    uint64_t bits;
    uint32_t row;
};

static int by_score(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    if (x->bits != y->bits)
        return x->bits < y->bits ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static void set_bits(struct sl_moving *m, const uint32_t *rows, uint64_t n_rows)
{
    const struct sl_expr *e = m->expr;
    double v[SL_EXPR_MAX_NAMES];
    const double *column[SL_EXPR_MAX_NAMES] = { NULL }, *next = m->values;
    for (size_t i = 0; i < e->n_names; i++) {
        const struct sl_expr_name *name = &e->names[i];
        if (name->use == SL_EXPR_COLUMN) {
            column[i] = next;
            next += m->n;
        } else {
            v[i] = name->use == SL_EXPR_NUMBER ? name->number
                                               : sl_pacing_at(&name->pacing, m->progress);
        }
    }
    m->n_null = 0;
    for (uint64_t k = 0; k < n_rows; k++) {
        for (size_t i = 0; i < e->n_names; i++)
            v[i] = column[i] ? column[i][rows[k]] : v[i];
        double score = sl_expr_eval(e, v);
        m->n_null += isnan(score);
        m->bits[k] = sl_expr_rank_bits(score, e->desc);
    }
}

/* The number that would stand at place k of n in order, and how many are below it. */
static uint64_t number_at(const uint64_t *bits, uint64_t n, uint64_t k, uint64_t *counts,
                          uint64_t *n_below)
{
    uint64_t found = 0, mask = 0;
    *n_below = 0;
    for (int shift = 48; shift >= 0; shift -= 16) {
        memset(counts, 0, 65536 * sizeof *counts);
        for (uint64_t i = 0; i < n; i++)
            if ((bits[i] & mask) == found)
                counts[bits[i] >> shift & 0xffff]++;
        uint64_t digit = 0;
        while (*n_below + counts[digit] <= k)
            *n_below += counts[digit++];
        found |= digit << shift;
        mask |= UINT64_C(0xffff) << shift;
    }
    return found;
}

enum sl_status sl_moving_take(struct sl_moving *m, uint32_t *rows, uint64_t n_rows, uint64_t take,
                              struct sl_err *err)
{
    uint64_t below, n = 0;
    set_bits(m, rows, n_rows);
    if (!take)
        return SL_OK;
    uint64_t *counts = malloc(65536 * sizeof *counts);
    struct scored *taken = malloc(take * sizeof *taken);
    if (!counts || !taken) {
        free(counts);
        free(taken);
        return sl_err_nomem(err, take * sizeof *taken);
    }
    uint64_t last = number_at(m->bits, n_rows, take - 1, counts, &below);
    for (uint64_t k = 0, n_equal = 0; k < n_rows; k++)
        if (m->bits[k] < last || (m->bits[k] == last && n_equal++ < take - below))
            taken[n++] = (struct scored){ m->bits[k], rows[k] };
    qsort(taken, n, sizeof *taken, by_score);
    for (uint64_t k = 0; k < n; k++)
        rows[k] = taken[k].row;
    free(counts);
    free(taken);
    return SL_OK;
}
