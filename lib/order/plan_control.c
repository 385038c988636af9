/* SPDX-License-Identifier: Apache-2.0 */
/* Random is locality with windows of one position: one permutation of windows serves
 * both. All windows have one size but the last, so a place is a product and, behind the
 * last one, a correction. */
#include "order/plan_control.h"

#include <string.h>

#include "order/plan_parts.h"
#include "order/shuffle.h"

static const char *const names[] = { "none", "random", "locality" };

const char *sl_plan_control_name(enum sl_plan_control_kind kind)
{
    return names[kind];
}

enum sl_plan_control_kind sl_plan_control_parse(const char *name)
{
    for (int kind = SL_CONTROL_RANDOM; kind <= SL_CONTROL_LOCALITY; kind++)
        if (strcmp(name, names[kind]) == 0)
            return (enum sl_plan_control_kind)kind;
    return SL_CONTROL_NONE;
}

/* Rows are read as samples by their stage, and a control has one. */
static enum sl_status check_lengths(const struct sl_plan *plan, struct sl_err *err)
{
    for (size_t i = 1; i < plan->n_stages; i++) {
        const struct sl_plan_stage *s = &plan->stages[i];
        if (s->length != plan->stages[0].length)
            return sl_err_set(err, SL_E_DATA,
                              "%s:%d:%d: --control: stage '%s' has another length than the ones "
                              "before, which random places cannot keep",
                              plan->file, s->line, s->column, s->name);
    }
    return SL_OK;
}

/* Blocks and groups are what a control would tear apart. */
static enum sl_status check_whole(const struct sl_plan *plan, struct sl_err *err)
{
    for (size_t i = 0; i < plan->n_sources; i++) {
        const struct sl_plan_source *s = &plan->sources[i];
        if (s->group)
            return sl_err_set(
                err, SL_E_DATA,
                "%s:%d:%d: --control: source '%s' has groups, which other places would "
                "tear apart",
                plan->file, s->group_at.line, s->group_at.column, s->name);
    }
    for (size_t i = 0; i < plan->n_stages; i++) {
        const struct sl_plan_stage *s = &plan->stages[i];
        if (s->batch_by)
            return sl_err_set(
                err, SL_E_DATA,
                "%s:%d:%d: --control: stage '%s' has blocks, which other places would "
                "tear apart",
                plan->file, s->batch_at.line, s->batch_at.column, s->name);
    }
    return SL_OK;
}

enum sl_status sl_plan_control_init(struct sl_plan_control *c, enum sl_plan_control_kind kind,
                                    uint64_t window, const struct sl_plan *plan, uint64_t n,
                                    struct sl_err *err)
{
    *c = (struct sl_plan_control){ .kind = kind, .n = n };
    c->window = kind == SL_CONTROL_LOCALITY ? window : 1;
    if (!c->window)
        return sl_err_set(err, SL_E_USAGE, "a window of no positions");
    if (kind == SL_CONTROL_NONE || !n)
        return SL_OK;
    SL_TRY(check_lengths(plan, err));
    SL_TRY(check_whole(plan, err));
    uint64_t n_windows = (n - 1) / c->window + 1;
    uint64_t seed = sl_plan_seed_of(plan, plan->n_sources + 1, 0, kind == SL_CONTROL_LOCALITY);
    sl_shuffle_init(&c->shuffle, n_windows, seed, 0);
    c->n_last = n - (n_windows - 1) * c->window;
    c->last_at = sl_shuffle_place(&c->shuffle, n_windows - 1);
    return SL_OK;
}

uint64_t sl_plan_control_at(const struct sl_plan_control *c, uint64_t position)
{
    if (c->kind == SL_CONTROL_NONE)
        return position;
    uint64_t at = sl_shuffle_place(&c->shuffle, position / c->window);
    uint64_t begin = at * c->window - (at > c->last_at ? c->window - c->n_last : 0);
    return begin + position % c->window;
}
