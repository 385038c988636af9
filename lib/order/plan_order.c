/* SPDX-License-Identifier: Apache-2.0 */
/* From a plan to places. Three steps that know little of one another:
 *
 *   stages    where each ends, and the shares of its sources: one schedule for the whole
 *             run, since an assignment keeps its bound only for changes that it knows
 *             ahead. What is replayed is one more source behind the others.
 *   demand    the assignment runs once to count what each source gives in each stage, so
 *             that every source can be drawn alone, and one that is too small is found
 *             before anything is written.
 *   places    the assignment runs again and takes from each source its next unit.
 *
 * Rejected: drawing while assigning. It would hold the ranks and pools of all sources at
 * once; so only one source's are alive at a time. */
#include "order/plan_order.h"

#include <stdlib.h>
#include <string.h>

#include "order/plan_parts.h"
#include "order/shuffle.h"

/* ---- demand ---- */

static enum sl_status too_small(const struct sl_plan_order *o, size_t source, size_t stage,
                                uint64_t position, struct sl_err *err)
{
    const struct sl_plan_source *s = &o->plan->sources[source];
    return sl_err_set(err, SL_E_DATA,
                      "%s:%d:%d: source '%s' is too small: its %llu sequences, times %llu, are "
                      "used up at position %llu of %llu, in stage '%s' (see epochs, when_empty)",
                      o->plan->file, s->line, s->column, s->name,
                      (unsigned long long)o->units[source], (unsigned long long)s->epochs,
                      (unsigned long long)position, (unsigned long long)o->n_positions,
                      o->plan->stages[stage].name);
}

/* Cut the order off here. */
static void stop_at(struct sl_plan_order *o, uint64_t position)
{
    o->n_positions = position;
    for (size_t i = 0; i < o->plan->n_stages; i++)
        o->ends[i] = o->ends[i] < position ? o->ends[i] : position;
}

static enum sl_status count_demand(struct sl_plan_order *o, struct sl_assign *a, uint64_t *given,
                                   struct sl_err *err)
{
    size_t stage = 0, all = o->n_sources + 1;
    uint32_t source;
    for (uint64_t t = 0; t < o->n_positions && sl_assign_next(a, &source); t++) {
        while (t >= o->ends[stage])
            stage++;
        enum sl_plan_empty when =
            source < o->n_sources ? o->plan->sources[source].when_empty : SL_EMPTY_REPEAT;
        bool empty = source < o->n_sources && !o->units[source];
        if (empty || (when != SL_EMPTY_REPEAT && given[source] == sl_plan_capacity(o, source))) {
            if (when != SL_EMPTY_STOP)
                return too_small(o, source, stage, t, err);
            stop_at(o, t);
            return SL_OK;
        }
        given[source]++;
        o->counts[stage * all + source]++;
    }
    return SL_OK;
}

static enum sl_status set_demand(struct sl_plan_order *o, struct sl_err *err)
{
    struct sl_assign *a = NULL;
    uint64_t *given = calloc(o->n_sources + 1, sizeof *given);
    if (!given)
        return sl_err_nomem(err, o->n_sources * sizeof *given);
    enum sl_status st = sl_assign_new(&a, o->schedule, err);
    if (st == SL_OK)
        st = count_demand(o, a, given, err);
    sl_assign_free(a);
    free(given);
    return st == SL_OK ? sl_assign_new(&o->assign, o->schedule, err) : st;
}

/* ---- making ---- */

static enum sl_status get_memory(struct sl_plan_order *o, struct sl_err *err)
{
    size_t n = o->n_sources + 1, stages = o->plan->n_stages;
    o->units = calloc(n, sizeof *o->units);
    o->ends = calloc(stages + 1, sizeof *o->ends);
    o->counts = calloc(n * stages, sizeof *o->counts);
    o->draws = calloc(n, sizeof *o->draws);
    o->n_drawn = calloc(n, sizeof *o->n_drawn);
    o->copies = calloc(n, sizeof *o->copies);
    o->unused = calloc(n, sizeof *o->unused);
    bool all = o->units && o->ends && o->counts && o->draws && o->n_drawn && o->copies && o->unused;
    return all ? SL_OK : sl_err_nomem(err, n * stages * sizeof *o->counts);
}

static enum sl_status remember(struct sl_plan_order *o, struct sl_err *err)
{
    for (size_t i = 0; i < o->plan->n_stages; i++)
        if (o->counts[i * (o->n_sources + 1) + o->n_sources])
            o->n_remembered = o->ends[i - 1];
    if (!o->n_remembered)
        return SL_OK;
    o->placed = calloc(o->n_remembered, sizeof *o->placed);
    return o->placed ? SL_OK : sl_err_nomem(err, o->n_remembered * sizeof *o->placed);
}

static enum sl_status make(struct sl_plan_order *o, const uint64_t *units, struct sl_err *err)
{
    SL_TRY(get_memory(o, err));
    for (size_t i = 0; i < o->n_sources; i++) {
        if (units[i] > UINT32_MAX)
            return sl_err_set(err, SL_E_DATA, "source '%s' has more than 2^32 sequences",
                              o->plan->sources[i].name);
        o->units[i] = units[i];
    }
    SL_TRY(sl_plan_set_positions(o, err));
    SL_TRY(sl_plan_set_stages(o, err));
    SL_TRY(sl_plan_set_schedule(o, err));
    SL_TRY(set_demand(o, err));
    return remember(o, err);
}

enum sl_status sl_plan_order_new(struct sl_plan_order **out, const struct sl_plan *plan,
                                 const uint64_t *units, uint64_t unit_tokens, struct sl_err *err)
{
    struct sl_plan_order *o = calloc(1, sizeof *o);
    *out = NULL;
    if (!o)
        return sl_err_nomem(err, sizeof *o);
    o->plan = plan;
    o->n_sources = plan->n_sources;
    o->unit_tokens = unit_tokens ? unit_tokens : 1;
    enum sl_status st = make(o, units, err);
    if (st != SL_OK)
        sl_plan_order_free(o);
    else
        *out = o;
    return st;
}

void sl_plan_order_trim(struct sl_plan_order *o)
{
    for (size_t i = 0; i < o->n_sources; i++) {
        if (o->draws) {
            free(o->draws[i]);
            o->draws[i] = NULL;
        }
        if (o->copies) {
            free(o->copies[i]);
            o->copies[i] = NULL;
        }
    }
    free(o->placed);
    o->placed = NULL;
}

void sl_plan_order_free(struct sl_plan_order *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->n_pieces; i++) {
        free(o->pieces[i].from);
        free(o->pieces[i].to);
    }
    sl_plan_order_trim(o);
    sl_assign_free(o->assign);
    sl_schedule_free(o->schedule);
    free(o->pieces);
    free(o->units);
    free(o->ends);
    free(o->counts);
    free(o->draws);
    free(o->n_drawn);
    free(o->copies);
    free(o->unused);
    free(o);
}

/* ---- what it came to ---- */

uint64_t sl_plan_order_positions(const struct sl_plan_order *o)
{
    return o->n_positions;
}

struct sl_plan_span sl_plan_order_span(const struct sl_plan_order *o, size_t stage)
{
    return (struct sl_plan_span){ stage ? o->ends[stage - 1] : 0, o->ends[stage],
                                  o->counts + stage * (o->n_sources + 1) };
}

/* ---- places ---- */

/* The m-th unit that the stage at hand replays: a shuffle of all places before the
 * stage, and another one when these are used up. */
static void replay(struct sl_plan_order *o, struct sl_plan_place *out)
{
    uint64_t begin = o->ends[o->stage - 1], m = o->n_replayed++;
    struct sl_shuffle shuffle;
    sl_shuffle_init(&shuffle, begin, sl_plan_seed(o, o->n_sources, o->stage, m / begin), 0);
    uint64_t place = o->placed[sl_shuffle_at(&shuffle, m % begin)];
    out->source = (uint32_t)(place >> 32);
    out->unit = (uint32_t)place;
}

enum sl_status sl_plan_order_next(struct sl_plan_order *o, struct sl_plan_place *out,
                                  struct sl_err *err)
{
    uint32_t source;
    if (o->position == o->n_positions || !sl_assign_next(o->assign, &source))
        return SL_END;
    while (o->position >= o->ends[o->stage]) {
        o->stage++;
        o->n_replayed = 0;
    }
    if (source < o->n_sources)
        *out = (struct sl_plan_place){ .unit = o->draws[source][o->n_drawn[source]++],
                                       .source = source };
    else
        replay(o, out);
    out->stage = (uint16_t)o->stage;
    uint16_t *copies = &o->copies[out->source][out->unit];
    if (*copies == UINT16_MAX)
        return sl_err_set(err, SL_E_DATA, "source '%s': a sequence is repeated 65535 times",
                          o->plan->sources[out->source].name);
    o->unused[out->source] -= !*copies;
    out->copy = (*copies)++;
    if (o->position < o->n_remembered)
        o->placed[o->position] = (uint64_t)out->source << 32 | out->unit;
    o->position++;
    return SL_OK;
}

uint64_t sl_plan_order_unused(const struct sl_plan_order *o, size_t source)
{
    return o->unused[source];
}
