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

#include <stdio.h>
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
                      "%s:%d:%d: source '%s' is too small: its %llu %s, times %llu, are "
                      "used up at position %llu of %llu, in stage '%s' (see epochs, when_empty)",
                      o->plan->file, s->line, s->column, s->name,
                      (unsigned long long)o->units[source], sl_plan_units(o->plan),
                      (unsigned long long)s->epochs, (unsigned long long)position,
                      (unsigned long long)o->n_positions, o->plan->stages[stage].name);
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
    for (uint64_t t = o->begin; t < o->n_positions && sl_assign_next(a, &source); t++) {
        while (t >= o->ends[stage])
            stage++;
        enum sl_plan_empty when =
            source < o->n_sources ? o->plan->sources[source].when_empty : SL_EMPTY_REPEAT;
        bool empty = source < o->n_sources && !o->units[source];
        if (empty || (when != SL_EMPTY_REPEAT && given[source] == o->capacity[source])) {
            bool ends = when == SL_EMPTY_REDISTRIBUTE && sl_plan_may_end(o, stage);
            if (when != SL_EMPTY_STOP && !ends)
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
    o->n_rows = calloc(n, sizeof *o->n_rows);
    o->copies = calloc(n, sizeof *o->copies);
    o->unused = calloc(n, sizeof *o->unused);
    o->turn_ends = calloc(stages + 1, sizeof *o->turn_ends);
    o->groups = calloc(n, sizeof *o->groups);
    o->firsts = calloc(n, sizeof *o->firsts);
    o->n_draws = calloc(n, sizeof *o->n_draws);
    o->open = calloc(n, sizeof *o->open);
    o->unfilled = calloc(n, sizeof *o->unfilled);
    o->batches = calloc(stages, sizeof *o->batches);
    bool all = o->units && o->ends && o->counts && o->draws && o->n_drawn && o->copies &&
               o->unused && o->turn_ends && o->groups && o->firsts && o->n_draws && o->open &&
               o->unfilled && o->batches && o->n_rows;
    return all ? SL_OK : sl_err_nomem(err, n * stages * sizeof *o->counts);
}

/* Blocks would tear groups apart. */
static enum sl_status check_batches(const struct sl_plan_order *o, struct sl_err *err)
{
    for (size_t i = 0; i < o->plan->n_stages; i++)
        for (size_t k = 0; o->plan->stages[i].batch_by && k < o->n_sources; k++) {
            const struct sl_plan_source *s = &o->plan->sources[k];
            if (!s->group || !o->counts[i * (o->n_sources + 1) + k])
                continue;
            return sl_err_set(err, SL_E_DATA,
                              "%s:%d:%d: stage '%s' has blocks of one '%s', which would tear the "
                              "groups of source '%s' apart",
                              o->plan->file, o->plan->stages[i].batch_at.line,
                              o->plan->stages[i].batch_at.column, o->plan->stages[i].name,
                              o->plan->stages[i].batch_by, s->name);
        }
    return SL_OK;
}

/* With groups a stage may end behind its turns; how far is known when they are drawn. */
static enum sl_status remember(struct sl_plan_order *o, struct sl_err *err)
{
    bool groups = false;
    for (size_t i = 0; i < o->n_sources; i++)
        groups |= o->plan->sources[i].group != NULL;
    for (size_t i = 0; i < o->plan->n_stages; i++)
        if (o->counts[i * (o->n_sources + 1) + o->n_sources])
            o->n_remembered = groups ? o->n_positions : sl_plan_begin(o, i);
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
            return sl_err_set(err, SL_E_DATA, "source '%s' has more than 2^32 %s",
                              o->plan->sources[i].name, sl_plan_units(o->plan));
        o->units[i] = units[i];
    }
    SL_TRY(sl_plan_set_capacity(o, err));
    SL_TRY(sl_plan_set_positions(o, err));
    SL_TRY(sl_plan_set_stages(o, err));
    if (o->n_positions < o->begin)
        return sl_err_set(
            err, SL_E_DATA, "%s: the plan ends at position %llu, and is to go on at %llu",
            o->plan->file, (unsigned long long)o->n_positions, (unsigned long long)o->begin);
    SL_TRY(sl_plan_set_schedule(o, err));
    SL_TRY(set_demand(o, err));
    memcpy(o->turn_ends, o->ends, o->plan->n_stages * sizeof *o->ends);
    SL_TRY(check_batches(o, err));
    return remember(o, err);
}

enum sl_status sl_plan_order_new(struct sl_plan_order **out, const struct sl_plan *plan,
                                 const uint64_t *units, uint64_t unit_tokens, struct sl_err *err)
{
    return sl_plan_order_go_on(out, plan, units, unit_tokens, NULL, err);
}

enum sl_status sl_plan_order_go_on(struct sl_plan_order **out, const struct sl_plan *plan,
                                   const uint64_t *units, uint64_t unit_tokens,
                                   const struct sl_plan_past *past, struct sl_err *err)
{
    struct sl_plan_order *o = calloc(1, sizeof *o);
    *out = NULL;
    if (!o)
        return sl_err_nomem(err, sizeof *o);
    o->plan = plan;
    o->past = past;
    o->begin = o->position = o->turn = past ? past->begin : 0;
    o->n_sources = plan->n_sources;
    o->unit_tokens = unit_tokens ? unit_tokens : 1;
    o->burst = (uint32_t)o->n_sources;
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
        if (o->firsts) {
            free(o->firsts[i]);
            o->firsts[i] = NULL;
        }
    }
    free(o->placed);
    o->placed = NULL;
    sl_plan_blocks_free(o->blocks);
    o->blocks = NULL;
    free(o->twin_copies);
    o->twin_copies = NULL;
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
    free(o->capacity);
    free(o->ends);
    free(o->counts);
    free(o->draws);
    free(o->n_drawn);
    free(o->n_rows);
    free(o->copies);
    free(o->unused);
    free(o->turn_ends);
    free(o->groups);
    free(o->firsts);
    free(o->n_draws);
    free(o->open);
    free(o->unfilled);
    free(o->batches);
    free(o);
}

/* ---- what it came to ---- */

uint64_t sl_plan_order_positions(const struct sl_plan_order *o)
{
    return o->n_positions;
}

uint64_t sl_plan_begin(const struct sl_plan_order *o, size_t stage)
{
    uint64_t begin = stage ? o->ends[stage - 1] : 0;
    return begin > o->begin ? begin : o->begin;
}

struct sl_plan_span sl_plan_order_span(const struct sl_plan_order *o, size_t stage)
{
    uint64_t begin = sl_plan_begin(o, stage), end = o->ends[stage];
    return (struct sl_plan_span){ begin, end > begin ? end : begin,
                                  o->counts + stage * (o->n_sources + 1) };
}

unsigned __int128 sl_plan_order_target(const struct sl_plan_order *o, size_t source,
                                       uint64_t position)
{
    return sl_schedule_target(o->schedule, source, position - o->begin);
}

void sl_plan_order_remember(struct sl_plan_order *o, uint64_t position, uint32_t source,
                            uint64_t unit)
{
    if (position < o->n_remembered)
        o->placed[position] = (uint64_t)source << 32 | unit;
}

/* ---- places ---- */

void sl_plan_order_set_groups(struct sl_plan_order *o, size_t source, const uint32_t *next)
{
    o->groups[source] = next;
}

void sl_plan_order_set_batch(struct sl_plan_order *o, size_t stage, struct sl_plan_batch batch)
{
    o->batches[stage] = batch;
}

static enum sl_status begin_stage(struct sl_plan_order *o, size_t stage, struct sl_err *err)
{
    const struct sl_plan_batch *batch = &o->batches[stage];
    struct sl_plan_span span = sl_plan_order_span(o, stage);
    o->stage = stage;
    o->n_replayed = 0;
    sl_plan_blocks_free(o->blocks);
    o->blocks = NULL;
    if (!batch->codes || span.begin == span.end)
        return SL_OK;
    return sl_plan_blocks_new(&o->blocks, batch->n_values, o->plan->stages[stage].batch_size,
                              span.end - span.begin, err);
}

enum sl_status sl_plan_order_settle(struct sl_plan_order *o, struct sl_err *err)
{
    uint64_t end = o->begin;
    for (size_t i = 0; i < o->plan->n_stages; i++) {
        const uint64_t *counts = o->counts + i * (o->n_sources + 1);
        if (counts[o->n_sources] && !end)
            return sl_plan_bad_stage(o, i, "has nothing to replay", err);
        if (o->turn_ends[i] <= o->begin)
            continue;
        for (size_t k = 0; k <= o->n_sources; k++)
            end += counts[k];
        o->ends[i] = end;
    }
    o->n_positions = end;
    return begin_stage(o, 0, err);
}

/* The m-th unit that the stage at hand replays: a shuffle of all places before the
 * stage, and another one when these are used up. */
static void replay(struct sl_plan_order *o, struct sl_plan_place *out)
{
    uint64_t begin = sl_plan_begin(o, o->stage), m = o->n_replayed++;
    struct sl_shuffle shuffle;
    sl_shuffle_init(&shuffle, begin, sl_plan_seed(o, o->n_sources, o->stage, m / begin), 0);
    uint64_t place = o->placed[sl_shuffle_at(&shuffle, m % begin)];
    out->source = (uint32_t)(place >> 32);
    out->unit = (uint32_t)place;
    out->replayed = true;
}

static bool begins_group(const struct sl_plan_order *o, size_t source, uint64_t i)
{
    return o->firsts[source][i >> 3] >> (i & 7) & 1;
}

static void take_drawn(struct sl_plan_order *o, uint32_t source, struct sl_plan_place *out)
{
    *out =
        (struct sl_plan_place){ .unit = o->draws[source][o->n_drawn[source]++], .source = source };
}

/* The turn of a source with groups: false where it is one of a group that was placed, or
 * no group is left. */
static bool take_group(struct sl_plan_order *o, uint32_t source, struct sl_plan_place *out)
{
    if (o->open[source]) {
        o->open[source]--;
        return false;
    }
    if (o->n_drawn[source] == o->n_draws[source])
        return false;
    take_drawn(o, source, out);
    o->burst = source;
    return true;
}

/* The next row of the group that is being placed. */
static bool go_on(struct sl_plan_order *o, struct sl_plan_place *out)
{
    size_t source = o->burst;
    if (source == o->n_sources)
        return false;
    uint64_t i = o->n_drawn[source];
    if (i == o->n_draws[source] || begins_group(o, source, i)) {
        o->burst = (uint32_t)o->n_sources;
        return false;
    }
    o->open[source]++;
    take_drawn(o, (uint32_t)source, out);
    return true;
}

/* The next place of the stage at hand, before blocks; false at its end. */
static bool next_turn(struct sl_plan_order *o, struct sl_plan_place *out)
{
    uint32_t source;
    if (go_on(o, out))
        return true;
    while (o->turn < o->turn_ends[o->stage] && sl_assign_next(o->assign, &source)) {
        o->turn++;
        if (source == o->n_sources) {
            replay(o, out);
            return true;
        }
        if (!o->firsts[source]) {
            take_drawn(o, source, out);
            return true;
        }
        if (take_group(o, source, out))
            return true;
    }
    return false;
}

static enum sl_status next_place(struct sl_plan_order *o, struct sl_plan_place *out,
                                 struct sl_err *err)
{
    for (;;) {
        if (o->blocks && sl_plan_blocks_take(o->blocks, out))
            return SL_OK;
        if (next_turn(o, out)) {
            if (!o->blocks)
                return SL_OK;
            sl_plan_blocks_add(o->blocks, o->batches[o->stage].codes[out->source][out->unit], out);
        } else if (!o->blocks || !sl_plan_blocks_end(o->blocks)) {
            if (o->stage + 1 == o->plan->n_stages)
                return SL_END;
            SL_TRY(begin_stage(o, o->stage + 1, err));
        }
    }
}

enum sl_status sl_plan_order_twins(struct sl_plan_order *o, const struct sl_plan_twin *twins,
                                   uint64_t n, uint64_t n_groups, struct sl_err *err)
{
    o->twins = twins;
    o->n_twins = n;
    o->twin_copies = calloc(n_groups + 1, sizeof *o->twin_copies);
    if (!o->twin_copies)
        return sl_err_nomem(err, n_groups * sizeof *o->twin_copies);
    for (uint64_t i = 0; i < n; i++) /* those that were placed before */
        o->twin_copies[twins[i].group] += o->copies[twins[i].row >> 32][(uint32_t)twins[i].row];
    return SL_OK;
}

static const struct sl_plan_twin *find_twin(const struct sl_plan_order *o, uint64_t row)
{
    uint64_t low = 0, high = o->n_twins;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (o->twins[middle].row < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low < o->n_twins && o->twins[low].row == row ? &o->twins[low] : NULL;
}

/* How often the sequence was placed, and the row. */
static enum sl_status count_copy(struct sl_plan_order *o, struct sl_plan_place *p,
                                 struct sl_err *err)
{
    uint16_t *row = &o->copies[p->source][p->unit], *copies = row;
    const struct sl_plan_twin *twin =
        o->n_twins ? find_twin(o, (uint64_t)p->source << 32 | p->unit) : NULL;
    if (twin)
        copies = &o->twin_copies[twin->group];
    if (*copies == UINT16_MAX)
        return sl_err_set(err, SL_E_DATA, "source '%s': a sequence is repeated 65535 times",
                          o->plan->sources[p->source].name);
    o->unused[p->source] -= !*row;
    *row += copies != row && !*row; /* a mark */
    p->copy = (*copies)++;
    return SL_OK;
}

enum sl_status sl_plan_order_count(struct sl_plan_order *o, struct sl_plan_place *p,
                                   struct sl_err *err)
{
    return count_copy(o, p, err);
}

void sl_plan_order_recount(struct sl_plan_order *o)
{
    for (size_t i = 0; i < o->n_sources; i++) {
        for (uint64_t u = 0; u < o->n_rows[i]; u++)
            o->unused[i] += o->copies[i][u] > 0;
        memset(o->copies[i], 0, o->n_rows[i] * sizeof *o->copies[i]);
    }
    for (uint64_t i = 0; i < o->n_twins; i++)
        o->twin_copies[o->twins[i].group] = 0;
}

enum sl_status sl_plan_order_next(struct sl_plan_order *o, struct sl_plan_place *out,
                                  struct sl_err *err)
{
    enum sl_status st = next_place(o, out, err);
    if (st != SL_OK)
        return st;
    out->stage = (uint16_t)o->stage;
    SL_TRY(count_copy(o, out, err));
    if (o->position < o->n_remembered)
        o->placed[o->position] = (uint64_t)out->source << 32 | out->unit;
    o->position++;
    return SL_OK;
}

uint64_t sl_plan_order_unused(const struct sl_plan_order *o, size_t source)
{
    return o->unused[source];
}

uint64_t sl_plan_order_unfilled(const struct sl_plan_order *o, size_t source)
{
    return o->unfilled[source];
}

bool sl_plan_order_warning(const struct sl_plan_order *o, size_t stage, char *text, size_t n)
{
    const struct sl_plan_stage *s = &o->plan->stages[stage];
    uint64_t begin = sl_plan_begin(o, stage);
    if (!s->batch_by || begin % s->batch_size == 0 || begin >= o->ends[stage])
        return false;
    snprintf(text, n,
             "%s:%d: stage '%s' begins at position %llu, %llu behind a multiple of its blocks of "
             "%llu: batches of that size from the run's beginning are not its blocks",
             o->plan->file, s->batch_at.line, s->name, (unsigned long long)begin,
             (unsigned long long)(begin % s->batch_size), (unsigned long long)s->batch_size);
    return true;
}
