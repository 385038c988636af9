/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a plan. One that can be read is carried out on small sources: every place
 * must be a unit that there is, and no unit may have one copy number twice. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "order/plan_order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MAX_UNITS = 16, MAX_POSITIONS = 3000 };

/* Values of columns, NaN and infinities among them. */
static double values[SL_EXPR_MAX_NAMES * MAX_UNITS];

/* Groups of every third row, and a value of every row for blocks. */
static void arrange(struct sl_plan_order *o, const struct sl_plan *plan, const uint64_t *units,
                    uint32_t *next)
{
    static uint16_t codes[MAX_UNITS];
    static const uint16_t *all[SL_PLAN_MAX_SOURCES];
    for (uint64_t u = 0; u < MAX_UNITS; u++)
        codes[u] = (uint16_t)(u % 3);
    for (size_t i = 0; i < plan->n_sources; i++)
        all[i] = codes;
    for (size_t i = 0; i < plan->n_stages; i++)
        if (plan->stages[i].batch_by)
            sl_plan_order_set_batch(o, i, (struct sl_plan_batch){ all, 3 });
    for (size_t i = 0; i < plan->n_sources; i++)
        for (uint64_t u = 0; u < units[i]; u++)
            next[i * MAX_UNITS + u] = (uint32_t)(u + 3 < units[i] ? u + 3 : u % 3);
}

static void carry_out(const struct sl_plan *plan, const uint64_t *units)
{
    static const uint32_t backwards[MAX_UNITS] = { 15, 14, 13, 12, 11, 10, 9, 8,
                                                   7,  6,  5,  4,  3,  2,  1, 0 };
    struct sl_plan_order *o;
    uint32_t next[1024][MAX_UNITS] = { 0 };
    if (sl_plan_order_new(&o, plan, units, 7, NULL) != SL_OK)
        return;
    static uint32_t links[SL_PLAN_MAX_SOURCES * MAX_UNITS];
    bool fine = sl_plan_order_positions(o) <= MAX_POSITIONS;
    arrange(o, plan, units, links);
    for (size_t i = 0; fine && i < plan->n_sources; i++) {
        const uint32_t *ranks[SL_PLAN_MAX_SCORES];
        const double *each[SL_PLAN_MAX_SCORES];
        for (size_t k = 0; k < SL_PLAN_MAX_SCORES; k++) {
            ranks[k] = backwards + MAX_UNITS - units[i];
            each[k] = values;
        }
        struct sl_plan_rows rows = { units[i], ranks, each, ranks[0], units[i] };
        sl_plan_order_set_groups(o, i, plan->sources[i].group ? links + i * MAX_UNITS : NULL);
        fine = sl_plan_order_draw(o, i, &rows, NULL) == SL_OK;
    }
    fine = fine && sl_plan_order_settle(o, NULL) == SL_OK;
    uint64_t n = fine ? sl_plan_order_positions(o) : 0, placed = 0;
    struct sl_plan_place p;
    enum sl_status st = SL_END;
    while (fine && (st = sl_plan_order_next(o, &p, NULL)) == SL_OK) {
        placed++;
        if (p.source >= plan->n_sources || p.unit >= units[p.source] || p.stage >= plan->n_stages)
            abort();
        if (next[p.source][p.unit]++ != p.copy)
            abort();
    }
    if (st == SL_END && placed != n)
        abort();
    sl_plan_order_free(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sl_plan plan;
    if (n < 8)
        return 0;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        values[i] = (data[i % 8] >> (i & 7) & 3) ? (double)(i * data[i % 7] % 50) - 25
                                                 : log((double)(int8_t)data[i % 5]);
    struct sl_str text = { (const char *)data + 8, n - 8 };
    if (sl_plan_read(&plan, text, "plan", NULL) == SL_OK) {
        uint64_t *units = calloc(plan.n_sources, sizeof *units);
        uint64_t whole = 0;
        for (size_t i = 0; units && i < plan.n_sources; i++) {
            units[i] = data[i % 8] % (MAX_UNITS + 1);
            whole += units[i] * plan.sources[i].epochs;
        }
        if (units && plan.budget < 7 * MAX_POSITIONS && (plan.budget > 0 || whole < MAX_POSITIONS))
            carry_out(&plan, units);
        free(units);
    }
    sl_plan_release(&plan);
    return 0;
}
