/* SPDX-License-Identifier: Apache-2.0 */
/* Stages and sources of an order as JSON: whole numbers alone, as in all of a lineage. */
#include "order/plan_lineage.h"

enum { PLACED_MOST = 4096 }; /* stages times sources: a trailer holds 1 MiB */

static enum sl_status set_number(struct sl_json *o, const char *key, uint64_t v, struct sl_err *err)
{
    return sl_json_set(o, key, sl_json_new_int((int64_t)v), err);
}

static enum sl_status fill_sources(struct sl_json *list, const struct sl_plan *plan,
                                   struct sl_err *err)
{
    for (size_t i = 0; i < plan->n_sources; i++)
        SL_TRY(sl_json_push(list, sl_json_new_str(sl_str_of(plan->sources[i].name)), err));
    return SL_OK;
}

static enum sl_status fill_placed(struct sl_json *o, const struct sl_plan *plan,
                                  const uint64_t *counts, struct sl_err *err)
{
    for (size_t i = 0; i <= plan->n_sources; i++)
        if (counts[i])
            SL_TRY(set_number(o, i < plan->n_sources ? plan->sources[i].name : "(replay)",
                              counts[i], err));
    return SL_OK;
}

static enum sl_status fill_stage(struct sl_json *o, const struct sl_plan *plan,
                                 const struct sl_plan_stretches *all, size_t i, struct sl_err *err)
{
    const struct sl_plan_stretch *s = &all->of[i];
    SL_TRY(sl_json_set(o, "name", sl_json_new_str(sl_str_of(s->name)), err));
    SL_TRY(set_number(o, "begin", s->begin, err));
    SL_TRY(set_number(o, "end", s->end, err));
    if (s->length)
        SL_TRY(set_number(o, "length", s->length, err));
    if (all->n * plan->n_sources > PLACED_MOST)
        return SL_OK;
    struct sl_json *placed = sl_json_new_object();
    SL_TRY(sl_json_set(o, "placed", placed, err)); /* o has it from here on */
    return fill_placed(placed, plan, s->counts, err);
}

static enum sl_status fill(struct sl_json *o, const struct sl_plan *plan,
                           const struct sl_curriculum *c, struct sl_err *err)
{
    const struct sl_plan_order *order = sl_curriculum_order(c);
    const struct sl_plan_stretches *all = sl_curriculum_stretches(c);
    struct sl_json *sources = sl_json_new_array(), *stages = sl_json_new_array();
    enum sl_status st = sl_json_set(o, "sources", sources, err);
    enum sl_status st2 = sl_json_set(o, "stages", stages, err);
    if (st != SL_OK || st2 != SL_OK)
        return st != SL_OK ? st : st2;
    SL_TRY(fill_sources(sources, plan, err));
    for (size_t i = 0; i < all->n; i++) {
        struct sl_json *stage = sl_json_new_object();
        SL_TRY(sl_json_push(stages, stage, err));
        SL_TRY(fill_stage(stage, plan, all, i, err));
    }
    if (!plan->of_documents)
        SL_TRY(set_number(o, "length", sl_curriculum_unit_tokens(c), err));
    return set_number(o, sl_plan_units(plan), sl_plan_order_positions(order), err);
}

enum sl_status sl_plan_lineage(const struct sl_plan *plan, const struct sl_curriculum *c,
                               struct sl_json **out, struct sl_err *err)
{
    *out = sl_json_new_object();
    if (!*out)
        return sl_err_nomem(err, 0);
    enum sl_status st = fill(*out, plan, c, err);
    if (st != SL_OK) {
        sl_json_free(*out);
        *out = NULL;
    }
    return st;
}
