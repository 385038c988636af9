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

enum sl_status sl_plan_stretches_add(struct sl_plan_stretches *list,
                                     const struct sl_plan_stretch *s, struct sl_err *err)
{
    SL_TRY(grow(list, err));
    struct sl_plan_stretch *to = &list->of[list->n++];
    *to = *s;
    to->name = sl_arena_str(&list->arena, sl_str_of(s->name));
    to->counts = calloc(list->n_sources + 1, sizeof *to->counts);
    return to->name && to->counts ? SL_OK : sl_err_nomem(err, list->n_sources * 8);
}

static bool goes_on(const struct sl_plan_stretch *last, const struct sl_plan_stretch *s)
{
    return last->number == s->number && last->length == s->length &&
           strcmp(last->name, s->name) == 0;
}

enum sl_status sl_plan_stretches_plan(struct sl_plan_stretches *list, const struct sl_plan *plan,
                                      const struct sl_plan_order *order, struct sl_err *err)
{
    size_t n_before = list->n;
    for (size_t i = 0; i < plan->n_stages; i++) {
        struct sl_plan_span span = sl_plan_order_span(order, i);
        const struct sl_plan_stretch s = { .name = plan->stages[i].name,
                                           .number = (uint16_t)i,
                                           .stage = (int)i,
                                           .begin = span.begin,
                                           .end = span.end,
                                           .length = plan->stages[i].length };
        if (n_before && span.begin == span.end)
            continue;
        if (n_before && list->n == n_before && goes_on(&list->of[list->n - 1], &s)) {
            list->of[list->n - 1].end = span.end;
            list->of[list->n - 1].stage = (int)i;
        } else {
            SL_TRY(sl_plan_stretches_add(list, &s, err));
        }
        for (size_t k = 0; k <= list->n_sources; k++)
            list->of[list->n - 1].counts[k] += span.counts[k];
    }
    return SL_OK;
}

enum sl_status sl_plan_stretches_one(struct sl_plan_stretches *list, const char *name,
                                     struct sl_err *err)
{
    const struct sl_plan_stretch one = { .name = name,
                                         .stage = -1,
                                         .end = list->n ? list->of[list->n - 1].end : 0,
                                         .length = list->n ? list->of[0].length : 0 };
    SL_TRY(sl_plan_stretches_add(list, &one, err));
    struct sl_plan_stretch all = list->of[list->n - 1];
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
