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

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "order/assign.h"
#include "order/pool.h"

/* A stretch of positions with one mixture. A stage is one, or several where a source
 * has ended in it and its share was divided. */
struct piece {
    uint64_t begin, end;
    size_t stage;
    uint64_t *from, *to; /* shares; to: NULL where they stand still */
};

struct sl_plan_order {
    const struct sl_plan *plan;
    size_t n_sources; /* of the plan; the shares have one more */
    uint64_t *units;  /* of each source */
    uint64_t unit_tokens, n_positions;
    uint64_t *ends;   /* of stages */
    uint64_t *counts; /* [stage][source] */
    struct piece *pieces;
    size_t n_pieces, room;
    struct sl_schedule *schedule;
    struct sl_assign *assign;

    uint32_t **draws; /* of each source, in order */
    uint64_t *n_drawn;
    uint16_t **copies; /* of each unit: how often it was placed */
    uint64_t *unused;
    uint64_t *placed; /* source and unit by position, for replay */
    uint64_t n_remembered;
    uint64_t position, n_replayed; /* n_replayed: in the stage at hand */
    size_t stage;
};

/* ---- complaints ---- */

static enum sl_status bad_stage(const struct sl_plan_order *o, size_t i, const char *what,
                                struct sl_err *err)
{
    const struct sl_plan_stage *s = &o->plan->stages[i];
    return sl_err_set(err, SL_E_DATA, "%s:%d:%d: stage '%s' %s", o->plan->file, s->line, s->column,
                      s->name, what);
}

/* ---- where stages end ---- */

static uint64_t floor_count(double v, uint64_t most)
{
    v = floor(v);
    return !(v > 0) ? 0 : v >= (double)most ? most : (uint64_t)v;
}

/* (1 - cos(pi y)) / 2 for 0 <= y <= 1, by Taylor's series of sin: the libm's cos has other
 * bits on other machines. */
static double half_wave(double y)
{
    double z = 3.141592653589793 * (y - 0.5), term = z, sum = z;
    for (int k = 1; k <= 11; k++) {
        term *= -z * z / (2 * k * (2 * k + 1));
        sum += term;
    }
    return (1 + sum) / 2;
}

/* The learning rate at progress x, as a part of its peak, once the warm-up is over. */
static double rate(const struct sl_plan_lr *lr, double x)
{
    double y = lr->decay > 0 ? (x - (1 - lr->decay)) / lr->decay : 0;
    if (!(y > 0) || lr->shape == SL_LR_CONSTANT)
        return 1;
    double down = lr->shape == SL_LR_LINEAR ? y : lr->shape == SL_LR_SQRT ? sqrt(y) : half_wave(y);
    return 1 - (1 - lr->end) * down;
}

/* The first position at which the rate is no more than this; n where there is none. */
static uint64_t until_rate(const struct sl_plan_lr *lr, double most, uint64_t n)
{
    uint64_t low = floor_count(lr->warmup * (double)n, n), high = n;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (rate(lr, (double)middle / (double)n) <= most)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static uint64_t stage_end(const struct sl_plan_order *o, const struct sl_plan_stage *s)
{
    uint64_t n = o->n_positions;
    switch (s->unit) {
    case SL_UNTIL_PERCENT:
        return floor_count(s->until * (double)n / 100, n);
    case SL_UNTIL_TOKENS:
        return floor_count(s->until / (double)o->unit_tokens, SL_SCHEDULE_MAX);
    case SL_UNTIL_SEQUENCES:
        return floor_count(s->until, SL_SCHEDULE_MAX);
    case SL_UNTIL_LR:
        return until_rate(&o->plan->lr, s->until, n);
    default:
        return n;
    }
}

static enum sl_status set_stages(struct sl_plan_order *o, struct sl_err *err)
{
    const struct sl_plan *p = o->plan;
    for (size_t i = 0; i < p->n_stages; i++) {
        o->ends[i] = stage_end(o, &p->stages[i]);
        if (i && o->ends[i] < o->ends[i - 1])
            return bad_stage(o, i, "ends before it begins", err);
        if (o->ends[i] > o->n_positions)
            return bad_stage(o, i, "ends behind the budget", err);
    }
    if (o->ends[p->n_stages - 1] != o->n_positions)
        return bad_stage(o, p->n_stages - 1, "is the last and does not end with the budget", err);
    return SL_OK;
}

static enum sl_status set_positions(struct sl_plan_order *o, struct sl_err *err)
{
    const struct sl_plan *p = o->plan;
    double amount = p->budget_is_tokens ? p->budget / (double)o->unit_tokens : p->budget;
    unsigned __int128 all = 0;
    for (size_t i = 0; i < o->n_sources; i++)
        all += (unsigned __int128)o->units[i] * p->sources[i].epochs;
    if (p->budget > 0)
        o->n_positions = floor_count(amount, UINT64_MAX);
    else
        o->n_positions = all < SL_SCHEDULE_MAX ? (uint64_t)all : SL_SCHEDULE_MAX;
    if (o->n_positions >= SL_SCHEDULE_MAX)
        return sl_err_set(err, SL_E_DATA, "%s: more than 2^40 sequences", p->file);
    if (p->budget > 0 && !o->n_positions)
        return sl_err_set(err, SL_E_DATA, "%s: the budget is less than a sequence of %llu tokens",
                          p->file, (unsigned long long)o->unit_tokens);
    return SL_OK;
}

/* ---- shares ---- */

/* Sources by what they hold, times epochs. */
static enum sl_status shares_by_size(const struct sl_plan_order *o, uint64_t total,
                                     uint64_t *shares, struct sl_err *err)
{
    uint64_t any = 0;
    for (size_t i = 0; i < o->n_sources; i++)
        any |= shares[i] = o->units[i] * o->plan->sources[i].epochs;
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
        shares[i] = floor_count(m->given[i] * (double)total, rest);
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
    uint64_t seen = floor_count(replay * (double)SL_SHARE_ONE, SL_SHARE_ONE);
    uint64_t total = SL_SHARE_ONE - seen;
    shares[o->n_sources] = seen;
    if (!m)
        return shares_by_size(o, total, shares, err);
    if (m->by_size)
        return shares_alpha(o, m, total, shares, err);
    return sl_shares_divide(m->given, o->n_sources, total, shares, err);
}

static enum sl_status new_piece(struct sl_plan_order *o, size_t at, struct piece **out,
                                struct sl_err *err)
{
    if (o->n_pieces == o->room) {
        size_t room = 2 * o->room + 16;
        struct piece *p = realloc(o->pieces, room * sizeof *p);
        if (!p)
            return sl_err_nomem(err, room * sizeof *p);
        o->pieces = p;
        o->room = room;
    }
    memmove(o->pieces + at + 1, o->pieces + at, (o->n_pieces - at) * sizeof *o->pieces);
    o->n_pieces++;
    *out = &o->pieces[at];
    **out = (struct piece){ .from = calloc(o->n_sources + 1, sizeof *(*out)->from) };
    return (*out)->from ? SL_OK : sl_err_nomem(err, o->n_sources * sizeof(uint64_t));
}

static enum sl_status set_pieces(struct sl_plan_order *o, struct sl_err *err)
{
    const struct sl_plan *plan = o->plan;
    for (size_t i = 0; i < plan->n_stages; i++) {
        const struct sl_plan_stage *s = &plan->stages[i];
        struct piece *p;
        SL_TRY(new_piece(o, i, &p, err));
        p->begin = i ? o->ends[i - 1] : 0;
        p->end = o->ends[i];
        p->stage = i;
        if (s->replay > 0 && !p->begin)
            return bad_stage(o, i, "has nothing to replay", err);
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

static enum sl_status make_schedule(struct sl_plan_order *o, struct sl_err *err)
{
    sl_schedule_free(o->schedule);
    o->schedule = NULL;
    SL_TRY(sl_schedule_new(&o->schedule, o->n_sources + 1, err));
    for (size_t i = 0; i < o->n_pieces; i++) {
        const struct piece *p = &o->pieces[i];
        SL_TRY(sl_schedule_add(o->schedule, p->end - p->begin, p->from, p->to,
                               &o->plan->stages[p->stage].pacing, err));
    }
    return SL_OK;
}

/* ---- sources that end, and hand their share on ---- */

static uint64_t capacity(const struct sl_plan_order *o, size_t source)
{
    return o->units[source] * o->plan->sources[source].epochs;
}

static enum sl_status take_share(struct sl_plan_order *o, struct piece *p, size_t source,
                                 struct sl_err *err)
{
    uint64_t any = 0;
    if (!p->from[source] && !(p->to && p->to[source]))
        return SL_OK;
    if (p->to)
        return bad_stage(o, p->stage,
                         "moves its shares, and a source in it ends: redistributing "
                         "there is not there yet",
                         err);
    p->from[source] = 0;
    for (size_t i = 0; i <= o->n_sources; i++)
        any |= p->from[i];
    if (!any)
        return bad_stage(o, p->stage, "has no source left: the last one has ended", err);
    return sl_shares_divide_units(p->from, o->n_sources + 1, SL_SHARE_ONE, p->from, err);
}

/* From position t on the source gives nothing. */
static enum sl_status end_source(struct sl_plan_order *o, size_t source, uint64_t t,
                                 struct sl_err *err)
{
    size_t i = 0;
    while (o->pieces[i].end <= t)
        i++;
    if (o->pieces[i].begin < t && o->pieces[i].to) {
        SL_TRY(take_share(o, &o->pieces[i], source, err)); /* has it none, all is well */
        i++;
    } else if (o->pieces[i].begin < t && o->pieces[i].from[source]) {
        struct piece *p;
        SL_TRY(new_piece(o, i + 1, &p, err));
        const struct piece *whole = &o->pieces[i];
        memcpy(p->from, whole->from, (o->n_sources + 1) * sizeof *p->from);
        p->begin = t;
        p->end = whole->end;
        p->stage = whole->stage;
        o->pieces[i++].end = t;
    } else if (o->pieces[i].begin < t) {
        i++;
    }
    for (; i < o->n_pieces; i++)
        SL_TRY(take_share(o, &o->pieces[i], source, err));
    return make_schedule(o, err);
}

static enum sl_status redistribute(struct sl_plan_order *o, struct sl_err *err)
{
    for (;;) {
        uint64_t first = o->n_positions;
        size_t source = 0;
        for (size_t i = 0; i < o->n_sources; i++) {
            if (o->plan->sources[i].when_empty != SL_EMPTY_REDISTRIBUTE)
                continue;
            uint64_t t = sl_schedule_lasts(o->schedule, i, capacity(o, i));
            if (t < first) {
                first = t;
                source = i;
            }
        }
        if (first == o->n_positions)
            return SL_OK;
        SL_TRY(end_source(o, source, first, err));
    }
}

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
        if (empty || (when != SL_EMPTY_REPEAT && given[source] == capacity(o, source))) {
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
    SL_TRY(set_positions(o, err));
    SL_TRY(set_stages(o, err));
    SL_TRY(set_pieces(o, err));
    SL_TRY(make_schedule(o, err));
    SL_TRY(redistribute(o, err));
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

/* ---- drawing ---- */

/* One source while it is drawn. */
struct drawer {
    uint64_t n, n_left;
    uint8_t *gone;  /* bits: drawn in this epoch */
    uint32_t *list; /* what is left, by rank or as it came */
    uint32_t *out;
    uint64_t n_out;
};

static void list_left(struct drawer *d, const uint32_t *ranks)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < d->n; i++) {
        uint32_t unit = ranks ? ranks[i] : (uint32_t)i;
        if (!(d->gone[unit >> 3] >> (unit & 7) & 1))
            d->list[n++] = unit;
    }
}

static void give(struct drawer *d, uint64_t place)
{
    uint32_t unit = d->list[place];
    d->gone[unit >> 3] |= (uint8_t)(1 << (unit & 7));
    d->out[d->n_out++] = unit;
}

static enum sl_status draw_pool(struct drawer *d, const struct sl_plan_way *w, uint64_t n,
                                uint64_t seed, struct sl_err *err)
{
    struct sl_pool_conf conf = { d->n_left, n, w->pacing, w->background, seed };
    struct sl_pool *pool;
    uint64_t rank;
    SL_TRY(sl_pool_new(&pool, &conf, err));
    while (sl_pool_next(pool, &rank, NULL))
        give(d, rank);
    sl_pool_free(pool);
    return SL_OK;
}

static enum sl_status draw_permute(struct drawer *d, const struct sl_plan_way *w, uint64_t n,
                                   uint64_t seed, struct sl_err *err)
{
    struct sl_permute_conf conf = w->permute;
    struct sl_permute order;
    conf.n = d->n_left;
    conf.seed = seed;
    SL_TRY(sl_permute_init(&order, &conf, err));
    for (uint64_t p = 0; p < n; p++)
        give(d, sl_permute_rank(&order, p));
    return SL_OK;
}

static enum sl_status draw_some(struct drawer *d, const struct sl_plan_way *w, uint64_t n,
                                uint64_t seed, struct sl_err *err)
{
    struct sl_shuffle shuffle;
    switch (w->draw) {
    case SL_DRAW_POOL:
        return draw_pool(d, w, n, seed, err);
    case SL_DRAW_PERMUTE:
        return draw_permute(d, w, n, seed, err);
    case SL_DRAW_SHUFFLE:
        sl_shuffle_init(&shuffle, d->n_left, seed, 0);
        for (uint64_t p = 0; p < n; p++)
            give(d, sl_shuffle_at(&shuffle, p));
        return SL_OK;
    default:
        for (uint64_t p = 0; p < n; p++)
            give(d, p);
        return SL_OK;
    }
}

/* docs/curriculum.md, "Seeds". */
static uint64_t seed_of(const struct sl_plan_order *o, uint64_t source, uint64_t stage,
                        uint64_t round)
{
    uint64_t h = sl_mix64(o->plan->seed + SL_SHUFFLE_GOLDEN);
    h = sl_mix64(h + (source + 1) * SL_SHUFFLE_GOLDEN);
    h = sl_mix64(h + (stage + 1) * SL_SHUFFLE_GOLDEN);
    return sl_mix64(h + (round + 1) * SL_SHUFFLE_GOLDEN);
}

static enum sl_status draw_stages(const struct sl_plan_order *o, size_t source, struct drawer *d,
                                  const uint32_t *const *ranks, struct sl_err *err)
{
    uint64_t epoch = 0;
    for (size_t stage = 0; stage < o->plan->n_stages; stage++) {
        const struct sl_plan_way *w = sl_plan_way(o->plan, source, stage);
        uint64_t need = o->counts[stage * (o->n_sources + 1) + source];
        while (need) {
            if (!d->n_left) {
                memset(d->gone, 0, (d->n + 7) / 8);
                d->n_left = d->n;
                epoch++;
            }
            uint64_t n = need < d->n_left ? need : d->n_left;
            list_left(d, w->score < 0 ? NULL : ranks[w->score]);
            SL_TRY(draw_some(d, w, n, seed_of(o, source, stage, epoch), err));
            d->n_left -= n;
            need -= n;
        }
    }
    return SL_OK;
}

enum sl_status sl_plan_order_draw(struct sl_plan_order *o, size_t source,
                                  const uint32_t *const *ranks, struct sl_err *err)
{
    uint64_t total = 0, n = o->units[source];
    for (size_t i = 0; i < o->plan->n_stages; i++)
        total += o->counts[i * (o->n_sources + 1) + source];
    struct drawer d = { .n = n, .n_left = n };
    d.gone = calloc(n / 8 + 1, 1);
    d.list = malloc((n + 1) * sizeof *d.list);
    d.out = o->draws[source] = malloc((total + 1) * sizeof *d.out);
    o->copies[source] = calloc(n + 1, sizeof **o->copies);
    enum sl_status st = SL_OK;
    if (!d.gone || !d.list || !d.out || !o->copies[source])
        st = sl_err_nomem(err, (n + total) * sizeof *d.list);
    if (st == SL_OK)
        st = draw_stages(o, source, &d, ranks, err);
    o->unused[source] = n;
    free(d.gone);
    free(d.list);
    return st;
}

/* ---- places ---- */

/* The m-th unit that the stage at hand replays: a shuffle of all places before the
 * stage, and another one when these are used up. */
static void replay(struct sl_plan_order *o, struct sl_plan_place *out)
{
    uint64_t begin = o->ends[o->stage - 1], m = o->n_replayed++;
    struct sl_shuffle shuffle;
    sl_shuffle_init(&shuffle, begin, seed_of(o, o->n_sources, o->stage, m / begin), 0);
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
