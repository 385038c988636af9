/* SPDX-License-Identifier: Apache-2.0 */
/* A list, so that whoever tells of stages (lineage, record, page) need not know what the
 * rows are: a plan's, behind another's, or a control. */
#include "order/plan_stretch.h"

#include <stdlib.h>
#include <string.h>

void sl_plan_stretches_init(struct sl_plan_stretches *list, size_t n_sources)
{
    *list = (struct sl_plan_stretches){ .n_sources = n_sources };
    sl_arena_init(&list->arena, 0);
}

void sl_plan_stretches_release(struct sl_plan_stretches *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->of[i].counts);
    free(list->of);
    sl_arena_release(&list->arena);
    *list = (struct sl_plan_stretches){ 0 };
}

static enum sl_status grow(struct sl_plan_stretches *list, struct sl_err *err)
{
    if (list->n < list->room)
        return SL_OK;
    size_t room = 2 * list->room + 8;
    struct sl_plan_stretch *p = realloc(list->of, room * sizeof *p);
    if (!p)
        return sl_err_nomem(err, room * sizeof *p);
    list->of = p;
    list->room = room;
    return SL_OK;
}

enum sl_status sl_plan_stretches_add(struct sl_plan_stretches *list, const char *name,
                                     uint16_t number, int stage, uint64_t begin, uint64_t end,
                                     struct sl_err *err)
{
    SL_TRY(grow(list, err));
    struct sl_plan_stretch s = { .number = number, .stage = stage, .begin = begin, .end = end };
    s.name = sl_arena_str(&list->arena, sl_str_of(name));
    s.counts = calloc(list->n_sources + 1, sizeof *s.counts);
    list->of[list->n++] = s;
    return s.name && s.counts ? SL_OK : sl_err_nomem(err, list->n_sources * sizeof *s.counts);
}

enum sl_status sl_plan_stretches_plan(struct sl_plan_stretches *list, const struct sl_plan *plan,
                                      const struct sl_plan_order *order, struct sl_err *err)
{
    size_t n_before = list->n;
    for (size_t i = 0; i < plan->n_stages; i++) {
        struct sl_plan_span span = sl_plan_order_span(order, i);
        if (n_before && span.begin == span.end)
            continue;
        struct sl_plan_stretch *last = list->n ? &list->of[list->n - 1] : NULL;
        bool joined = n_before && list->n == n_before && last->number == i &&
                      last->length == plan->stages[i].length &&
                      strcmp(last->name, plan->stages[i].name) == 0;
        if (joined) {
            last->end = span.end;
            last->stage = (int)i;
        } else {
            SL_TRY(sl_plan_stretches_add(list, plan->stages[i].name, (uint16_t)i, (int)i,
                                         span.begin, span.end, err));
            list->of[list->n - 1].length = plan->stages[i].length;
        }
        for (size_t k = 0; k <= list->n_sources; k++)
            list->of[list->n - 1].counts[k] += span.counts[k];
    }
    return SL_OK;
}

enum sl_status sl_plan_stretches_one(struct sl_plan_stretches *list, const char *name,
                                     struct sl_err *err)
{
    uint64_t end = list->n ? list->of[list->n - 1].end : 0;
    SL_TRY(sl_plan_stretches_add(list, name, 0, -1, 0, end, err));
    struct sl_plan_stretch all = list->of[list->n - 1];
    all.length = list->of[0].length;
    for (size_t i = 0; i + 1 < list->n; i++) {
        all.length = list->of[i].length == all.length ? all.length : 0;
        for (size_t k = 0; k <= list->n_sources; k++)
            all.counts[k] += list->of[i].counts[k];
        free(list->of[i].counts);
    }
    list->of[0] = all;
    list->n = 1;
    return SL_OK;
}

uint64_t sl_plan_stretches_placed(const struct sl_plan_stretches *list, size_t source)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < list->n; i++)
        sum += list->of[i].counts[source];
    return sum;
}
