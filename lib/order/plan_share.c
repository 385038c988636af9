/* SPDX-License-Identifier: Apache-2.0 */
/* Shares, one schedule for the whole run: an assignment keeps its bound only for changes
 * that it knows ahead. What is replayed is one more source behind the others. */
#include <stdlib.h>
#include <string.h>

#include "order/plan_parts.h"

/* ---- shares ---- */

/* Sources by what they may give: what they hold, times epochs. */
static enum sl_status shares_by_size(const struct sl_plan_order *o, uint64_t total,
                                     uint64_t *shares, struct sl_err *err)
{
    uint64_t any = 0;
    for (size_t i = 0; i < o->n_sources; i++)
        any |= shares[i] = o->capacity[i];
    shares[0] += !any; /* of nothing, any shares do */
    return sl_shares_divide_units(shares, o->n_sources, total, shares, err);
}

static enum sl_status shares_alpha(const struct sl_plan_order *o, const struct sl_plan_mix *m,
                                   uint64_t total, uint64_t *shares, struct sl_err *err)
{
    uint64_t *sizes = calloc(2 * o->n_sources, sizeof *sizes), *part = sizes + o->n_sources;
    uint64_t rest = total, any = 0;
    if (!sizes)
        return sl_err_nomem(err, 2 * o->n_sources * sizeof *sizes);
    for (size_t i = 0; i < o->n_sources; i++) {
        shares[i] = sl_plan_floor(m->given[i] * (double)total, rest);
        rest -= shares[i];
        any |= sizes[i] = m->of[i] ? o->units[i] : 0;
    }
    enum sl_status st = SL_OK;
    if (any)
        st = sl_shares_alpha(sizes, o->n_sources, m->alpha, rest, part, err);
    else
        st = sl_err_set(err, SL_E_DATA, "%s:%d:%d: the sources of 'of' are empty", o->plan->file,
                        m->line, m->column);
    for (size_t i = 0; i < o->n_sources && st == SL_OK; i++)
        shares[i] += part[i];
    free(sizes);
    return st;
}

static enum sl_status set_shares(const struct sl_plan_order *o, const struct sl_plan_mix *m,
                                 double replay, uint64_t *shares, struct sl_err *err)
{
    uint64_t seen = sl_plan_floor(replay * (double)SL_SHARE_ONE, SL_SHARE_ONE);
    uint64_t total = SL_SHARE_ONE - seen;
    shares[o->n_sources] = seen;
    if (!m)
        return shares_by_size(o, total, shares, err);
    if (m->by_size)
        return shares_alpha(o, m, total, shares, err);
    return sl_shares_divide(m->given, o->n_sources, total, shares, err);
}

static enum sl_status new_piece(struct sl_plan_order *o, size_t at, struct sl_plan_piece **out,
                                struct sl_err *err)
{
    if (o->n_pieces == o->room) {
        size_t room = 2 * o->room + 16;
        struct sl_plan_piece *p = realloc(o->pieces, room * sizeof *p);
        if (!p)
            return sl_err_nomem(err, room * sizeof *p);
        o->pieces = p;
        o->room = room;
    }
    memmove(o->pieces + at + 1, o->pieces + at, (o->n_pieces - at) * sizeof *o->pieces);
    o->n_pieces++;
    *out = &o->pieces[at];
    **out = (struct sl_plan_piece){ .from = calloc(o->n_sources + 1, sizeof *(*out)->from) };
    return (*out)->from ? SL_OK : sl_err_nomem(err, o->n_sources * sizeof(uint64_t));
}

static enum sl_status set_pieces(struct sl_plan_order *o, struct sl_err *err)
{
    const struct sl_plan *plan = o->plan;
    for (size_t i = 0; i < plan->n_stages; i++) {
        const struct sl_plan_stage *s = &plan->stages[i];
        struct sl_plan_piece *p;
        SL_TRY(new_piece(o, i, &p, err));
        p->begin = sl_plan_begin(o, i);
        p->end = o->ends[i] > p->begin ? o->ends[i] : p->begin;
        p->whole_begin = p->begin == p->end ? p->begin : i ? o->ends[i - 1] : 0;
        p->whole_end = p->end;
        p->stage = i;
        if (s->replay > 0 && !p->begin)
            return sl_plan_bad_stage(o, i, "has nothing to replay", err);
        SL_TRY(set_shares(o, s->from, s->replay, p->from, err));
        if (!s->to)
            continue;
        p->to = calloc(o->n_sources + 1, sizeof *p->to);
        if (!p->to)
            return sl_err_nomem(err, o->n_sources * sizeof *p->to);
        SL_TRY(set_shares(o, s->to, s->replay, p->to, err));
    }
    return SL_OK;
}

/* The pieces from one on, behind those that are in the schedule. */
static enum sl_status add_pieces(struct sl_plan_order *o, size_t from, struct sl_err *err)
{
    for (size_t i = from; i < o->n_pieces; i++) {
        const struct sl_plan_piece *p = &o->pieces[i];
        const struct sl_schedule_part part = { p->whole_end - p->whole_begin,
                                               p->begin - p->whole_begin, p->end - p->whole_begin };
        SL_TRY(sl_schedule_add_part(o->schedule, &part, p->from, p->to,
                                    &o->plan->stages[p->stage].pacing, err));
    }
    return SL_OK;
}

/* ---- sources that end, and hand their share on ---- */

enum sl_status sl_plan_set_capacity(struct sl_plan_order *o, struct sl_err *err)
{
    o->capacity = calloc(o->n_sources, sizeof *o->capacity);
    if (!o->capacity)
        return sl_err_nomem(err, o->n_sources * sizeof *o->capacity);
    for (size_t i = 0; i < o->n_sources; i++)
        o->capacity[i] = o->past ? o->past->capacity[i] : o->units[i] * o->plan->sources[i].epochs;
    return SL_OK;
}

bool sl_plan_may_end(const struct sl_plan_order *o, size_t stage)
{
    return !(o->plan->budget > 0) && stage + 1 == o->plan->n_stages;
}

/* A mixture loses a source and is divided anew to one; false where nothing is left. */
static bool lose(const struct sl_plan_order *o, uint64_t *shares, size_t source, enum sl_status *st,
                 struct sl_err *err)
{
    uint64_t any = 0;
    shares[source] = 0;
    for (size_t i = 0; i <= o->n_sources; i++)
        any |= shares[i];
    if (any)
        *st = sl_shares_divide_units(shares, o->n_sources + 1, SL_SHARE_ONE, shares, err);
    return any;
}

static bool has_share(const struct sl_plan_piece *p, size_t source)
{
    return p->from[source] || (p->to && p->to[source]);
}

static enum sl_status take_share(struct sl_plan_order *o, struct sl_plan_piece *p, size_t source,
                                 struct sl_err *err)
{
    size_t bytes = (o->n_sources + 1) * sizeof *p->from;
    enum sl_status st = SL_OK;
    if (!has_share(p, source))
        return SL_OK;
    bool from = lose(o, p->from, source, &st, err);
    SL_TRY(st);
    bool to = p->to && lose(o, p->to, source, &st, err);
    SL_TRY(st);
    if (!from && !to && !sl_plan_may_end(o, p->stage))
        return sl_plan_bad_stage(o, p->stage, "has no source left: the last one has ended", err);
    if (!from && !to) { /* it was alone: the order ends where it is asked for more */
        p->from[source] = SL_SHARE_ONE;
        if (p->to)
            p->to[source] = SL_SHARE_ONE;
        return SL_OK;
    }
    /* The one that has sources stands for both. */
    if (!from)
        memcpy(p->from, p->to, bytes);
    else if (p->to && !to)
        memcpy(p->to, p->from, bytes);
    return SL_OK;
}

/* Cut piece i at position t. */
static enum sl_status split(struct sl_plan_order *o, size_t i, uint64_t t, struct sl_err *err)
{
    size_t n = o->n_sources + 1;
    struct sl_plan_piece *p, *before;
    SL_TRY(new_piece(o, i + 1, &p, err));
    before = &o->pieces[i];
    memcpy(p->from, before->from, n * sizeof *p->from);
    if (before->to) {
        p->to = calloc(n, sizeof *p->to);
        if (!p->to)
            return sl_err_nomem(err, n * sizeof *p->to);
        memcpy(p->to, before->to, n * sizeof *p->to);
    }
    p->end = before->end;
    p->begin = before->end = t;
    p->whole_begin = before->whole_begin;
    p->whole_end = before->whole_end;
    p->stage = before->stage;
    return SL_OK;
}

/* From position t on the source gives nothing. */
static enum sl_status end_source(struct sl_plan_order *o, size_t source, uint64_t t,
                                 struct sl_err *err)
{
    size_t i = 0;
    while (o->pieces[i].end <= t)
        i++;
    size_t changed = i;
    if (o->pieces[i].begin < t && has_share(&o->pieces[i], source))
        SL_TRY(split(o, i, t, err));
    i += o->pieces[i].begin < t;
    for (; i < o->n_pieces; i++)
        SL_TRY(take_share(o, &o->pieces[i], source, err));
    sl_schedule_cut(o->schedule, o->pieces[changed].begin - o->begin);
    return add_pieces(o, changed, err);
}

/* The source that ends first, of those that hand their share on and have not ended; *at is
 * n_positions where none does. */
static size_t first_to_end(const struct sl_plan_order *o, const bool *ended, uint64_t *at)
{
    size_t source = 0;
    *at = o->n_positions;
    for (size_t i = 0; i < o->n_sources; i++) {
        if (ended[i] || o->plan->sources[i].when_empty != SL_EMPTY_REDISTRIBUTE)
            continue;
        uint64_t t = o->begin + sl_schedule_lasts(o->schedule, i, o->capacity[i]);
        if (t < *at) {
            *at = t;
            source = i;
        }
    }
    return source;
}

static enum sl_status redistribute(struct sl_plan_order *o, struct sl_err *err)
{
    bool *ended = calloc(o->n_sources, sizeof *ended);
    enum sl_status st = ended ? SL_OK : sl_err_nomem(err, o->n_sources);
    while (st == SL_OK) {
        uint64_t at;
        size_t source = first_to_end(o, ended, &at);
        if (at == o->n_positions)
            break;
        ended[source] = true;
        st = end_source(o, source, at, err);
    }
    free(ended);
    return st;
}

enum sl_status sl_plan_set_schedule(struct sl_plan_order *o, struct sl_err *err)
{
    SL_TRY(set_pieces(o, err));
    SL_TRY(sl_schedule_new(&o->schedule, o->n_sources + 1, err));
    SL_TRY(add_pieces(o, 0, err));
    return redistribute(o, err);
}
