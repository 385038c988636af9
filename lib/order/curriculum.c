/* SPDX-License-Identifier: Apache-2.0 */
/* Three sorts carry a plan out, each by a sorter that spills, and a fourth one of ids, which
 * is order/plan_ids.c:
 *
 *   scores   (source, key, unit), a sorter for each score: read back, the units of a source
 *            in rank order, which is all that drawing needs
 *   places   (source, unit, position, copy, stage): read back in the order in which the
 *            rows come the second time
 *   rows     by position, a row as often as it has places
 *
 * Rejected: going to each row where it lies, position by position. It needs no space on
 * the disk, but files that can be addressed by row, and a seek for every sequence. */
#include "order/curriculum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/rows.h"
#include "base/num.h"
#include "io/record_sort.h"
#include "order/plan_arrange.h"
#include "order/plan_ids.h"
#include "order/plan_score.h"
#include "order/plan_weight.h"
#include "order/schedule.h"

enum {
    KEY_MAX_BYTES = 1 << 20,
    PLACE_BYTES = 20,
    CONTROL_BYTES = 17,
    CHUNK_ROWS = 256,
    CHUNK_BYTES = 1 << 20,
    OTHER_BYTES = 12 << 20, /* the program, a batch, buffers */
};

/* From this batch on rows are of this source. */
struct turn {
    int64_t seq;
    size_t source;
};

struct sl_curriculum {
    const struct sl_plan *plan;
    const struct sl_schema *in, *made;
    uint64_t mem_bytes;
    const char *tmpdir;
    uint64_t unit_tokens;
    uint64_t *units, *nulls; /* of each source; [source][score] */
    uint64_t *sizes;         /* of each source: units, or what a file lists of them */
    uint64_t *unused;        /* of each source */
    struct turn *turns;      /* room for one a source */
    size_t n_turns, turn;
    uint64_t *next; /* of each source: the unit that comes next in the second pass */

    struct sl_plan_score *keys[SL_PLAN_MAX_SCORES];
    struct sl_plan_ids *ids; /* NULL where nothing needs them */
    struct sl_record_sort *scores[SL_PLAN_MAX_SCORES];
    struct sl_buf record;
    struct sl_arrange *arrange; /* groups and blocks */
    struct sl_plan_weights *weights;
    struct sl_plan_order *order;
    struct sl_plan_continue *past; /* NULL: the plan is the whole order */
    struct sl_plan_stretches stretches;
    enum sl_plan_control_kind control_kind;
    uint64_t control_window;
    struct sl_plan_control control;

    struct sl_record_sort *places;
    uint8_t place[PLACE_BYTES]; /* the next one */
    bool has_place;
    struct sl_row_keys *by_place;
    struct sl_row_sort *sort;
    struct sl_rows rows; /* a chunk being gathered */
    struct sl_batch view;
    bool has_rows;
    size_t n_chunk;
    uint32_t chunk[CHUNK_ROWS];
    uint64_t chunk_places[CHUNK_ROWS];
    uint16_t chunk_copies[CHUNK_ROWS], chunk_stages[CHUNK_ROWS];
    const uint64_t *places_now; /* what by_place looks at */
};

/* ---- making ---- */

static bool has_groups(const struct sl_plan *plan)
{
    for (size_t i = 0; i < plan->n_sources; i++)
        if (plan->sources[i].group)
            return true;
    return false;
}

/* Tokens of a row: the length of the list. */
static uint64_t length_of(const struct sl_schema *s)
{
    int at = sl_schema_find(s, "tokens");
    bool fixed = at >= 0 && s->fields[at]->type == SL_T_FIXED_LIST;
    return fixed ? (uint64_t)s->fields[at]->size : 1;
}

/* Of each sorter of the first pass: scores, groups, ids. */
static uint64_t sorter_bytes(const struct sl_curriculum *c)
{
    uint64_t n = c->plan->n_scores + has_groups(c->plan) + 1;
    uint64_t part = (c->mem_bytes - OTHER_BYTES) / 2 / n;
    return part < SL_RECORD_SORT_MIN_BYTES ? SL_RECORD_SORT_MIN_BYTES : part;
}

static enum sl_status make(struct sl_curriculum *c, struct sl_err *err)
{
    size_t n = c->plan->n_sources;
    SL_TRY(sl_plan_check_rows(c->plan, c->in, err));
    SL_TRY(sl_plan_weights_new(&c->weights, c->plan, c->in, err));
    c->units = calloc(n, sizeof *c->units);
    c->sizes = calloc(n, sizeof *c->sizes);
    c->unused = calloc(n, sizeof *c->unused);
    c->turns = calloc(n, sizeof *c->turns);
    c->next = calloc(n, sizeof *c->next);
    c->nulls = calloc(n * SL_PLAN_MAX_SCORES, sizeof *c->nulls);
    if (!c->units || !c->sizes || !c->unused || !c->turns || !c->next || !c->nulls)
        return sl_err_nomem(err, n * SL_PLAN_MAX_SCORES * sizeof *c->nulls);
    for (size_t k = 0; k < c->plan->n_scores; k++) {
        SL_TRY(sl_plan_score_new(&c->keys[k], c->plan, k, c->in, err));
        SL_TRY(sl_record_sort_new(&c->scores[k], sorter_bytes(c), c->tmpdir, err));
    }
    SL_TRY(sl_arrange_new(&c->arrange, c->plan, c->in, sorter_bytes(c), c->tmpdir, err));
    return sl_plan_ids_new(&c->ids, c->plan, c->in, 2 * sorter_bytes(c), c->tmpdir, err);
}

void sl_curriculum_dry(struct sl_curriculum *c)
{
    if (c->plan->n_order_files)
        return;
    sl_plan_ids_free(c->ids);
    c->ids = NULL;
}

enum sl_status sl_curriculum_new(struct sl_curriculum **out, const struct sl_plan *plan,
                                 const struct sl_schema *in, uint64_t mem_bytes, const char *tmpdir,
                                 struct sl_err *err)
{
    *out = NULL;
    if (mem_bytes < SL_CURRICULUM_LEAST_BYTES)
        return sl_err_set(err, SL_E_USAGE, "--mem %llu: a curriculum needs 24M at least",
                          (unsigned long long)mem_bytes);
    struct sl_curriculum *c = calloc(1, sizeof *c);
    if (!c)
        return sl_err_nomem(err, sizeof *c);
    *c = (struct sl_curriculum){ .plan = plan, .in = in, .mem_bytes = mem_bytes, .tmpdir = tmpdir };
    c->unit_tokens = length_of(in);
    sl_buf_init(&c->record, KEY_MAX_BYTES);
    sl_batch_init(&c->view);
    enum sl_status st = make(c, err);
    if (st != SL_OK)
        sl_curriculum_free(c);
    else
        *out = c;
    return st;
}

static void free_scores(struct sl_curriculum *c)
{
    for (size_t k = 0; k < SL_PLAN_MAX_SCORES; k++) {
        sl_record_sort_free(c->scores[k]);
        sl_plan_score_free(c->keys[k]);
        c->scores[k] = NULL;
        c->keys[k] = NULL;
    }
}

void sl_curriculum_free(struct sl_curriculum *c)
{
    if (!c)
        return;
    free_scores(c);
    sl_arrange_free(c->arrange);
    sl_plan_weights_free(c->weights);
    sl_plan_ids_free(c->ids);
    sl_plan_order_free(c->order);
    sl_plan_stretches_release(&c->stretches);
    sl_record_sort_free(c->places);
    sl_row_sort_free(c->sort);
    sl_row_keys_free(c->by_place);
    if (c->has_rows)
        sl_rows_release(&c->rows);
    sl_batch_release(&c->view);
    sl_buf_release(&c->record);
    free(c->units);
    free(c->sizes);
    free(c->unused);
    free(c->turns);
    free(c->next);
    free(c->nulls);
    free(c);
}

void sl_curriculum_set_control(struct sl_curriculum *c, enum sl_plan_control_kind kind,
                               uint64_t window)
{
    c->control_kind = kind;
    c->control_window = window;
}

void sl_curriculum_go_on(struct sl_curriculum *c, struct sl_plan_continue *past)
{
    c->past = past;
}

/* ---- the first pass ---- */

static enum sl_status see_score(struct sl_curriculum *c, const struct sl_batch *b, size_t source,
                                size_t k, struct sl_err *err)
{
    for (int64_t row = 0; row < b->n_rows; row++) {
        uint8_t number[4];
        struct sl_scored_row r = { (uint32_t)(c->units[source] + (uint64_t)row), &c->record,
                                   false };
        sl_buf_reset(&c->record);
        sl_store_big(number, source, 4);
        SL_TRY(sl_buf_add(&c->record, number, sizeof number, err));
        SL_TRY(sl_plan_score_add(c->keys[k], b, row, &r, err));
        c->nulls[source * SL_PLAN_MAX_SCORES + k] += r.null;
        SL_TRY(sl_record_sort_add(c->scores[k], sl_buf_str(&c->record), err));
    }
    return SL_OK;
}

static enum sl_status count_score(struct sl_curriculum *c, const struct sl_batch *b, size_t source,
                                  size_t k, struct sl_err *err)
{
    for (int64_t row = 0; row < b->n_rows; row++) {
        struct sl_scored_row r = { 0, &c->record, false };
        sl_buf_reset(&c->record);
        SL_TRY(sl_plan_score_add(c->keys[k], b, row, &r, err));
        c->nulls[source * SL_PLAN_MAX_SCORES + k] += r.null;
    }
    return SL_OK;
}

typedef enum sl_status (*for_score)(struct sl_curriculum *c, const struct sl_batch *b,
                                    size_t source, size_t k, struct sl_err *err);

static enum sl_status first_pass(struct sl_curriculum *c, const struct sl_batch *b, size_t source,
                                 for_score each, struct sl_err *err)
{
    for (size_t k = 0; k < c->plan->n_scores; k++)
        if (sl_plan_uses(c->plan, source, k))
            SL_TRY(each(c, b, source, k, err));
    if (c->past)
        SL_TRY(sl_plan_continue_see(c->past, b, (uint32_t)source, c->units[source], err));
    if (c->ids)
        SL_TRY(sl_plan_ids_see(c->ids, b, source, c->units[source], err));
    c->units[source] += (uint64_t)b->n_rows;
    if (c->units[source] > UINT32_MAX)
        return sl_err_set(err, SL_E_DATA, "source '%s' has more than 2^32 %s",
                          c->plan->sources[source].name, sl_plan_units(c->plan));
    return SL_OK;
}

enum sl_status sl_curriculum_see(struct sl_curriculum *c, const struct sl_batch *b, size_t source,
                                 struct sl_err *err)
{
    if (!c->n_turns || c->turns[c->n_turns - 1].source != source)
        c->turns[c->n_turns++] = (struct turn){ b->seq, source };
    SL_TRY(sl_arrange_see(c->arrange, b, source, c->units[source], err));
    SL_TRY(sl_plan_weights_see(c->weights, b, source, c->units[source], true, err));
    return first_pass(c, b, source, see_score, err);
}

enum sl_status sl_curriculum_count(struct sl_curriculum *c, const struct sl_batch *b, size_t source,
                                   struct sl_err *err)
{
    SL_TRY(sl_plan_weights_see(c->weights, b, source, c->units[source], false, err));
    return first_pass(c, b, source, count_score, err);
}

void sl_curriculum_looks_at(const struct sl_curriculum *c, bool *wanted)
{
    for (size_t k = 0; k < c->plan->n_scores; k++)
        sl_plan_score_mark(c->keys[k], wanted);
    sl_arrange_mark(c->arrange, wanted);
    sl_plan_weights_mark(c->weights, wanted);
    if (c->ids)
        sl_plan_ids_mark(c->ids, wanted);
    if (c->past) /* whose rows are found by it */
        wanted[sl_schema_find(c->in, "id")] = true;
}

/* ---- the order ---- */

static enum sl_status check_nulls(const struct sl_curriculum *c, size_t source, size_t stage,
                                  struct sl_err *err)
{
    const struct sl_plan_way *w = sl_plan_way(c->plan, source, stage);
    if (w->score < 0 || w->nulls_last)
        return SL_OK;
    uint64_t nulls = c->nulls[source * SL_PLAN_MAX_SCORES + (size_t)w->score];
    if (!nulls || !sl_plan_order_span(c->order, stage).counts[source])
        return SL_OK;
    return sl_err_set(err, SL_E_DATA,
                      "%s:%d:%d: '%s' is null in %llu of %llu %s of source '%s' ('nulls: "
                      "last' puts these behind)",
                      c->plan->file, w->line, w->column, c->plan->scores[w->score],
                      (unsigned long long)nulls, (unsigned long long)c->units[source],
                      sl_plan_units(c->plan), c->plan->sources[source].name);
}

/* Bytes that scores take for each row while a source is drawn. */
static uint64_t score_bytes(const struct sl_curriculum *c)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < c->plan->n_scores; k++) {
        size_t values = sl_plan_score_n_values(c->keys[k]);
        sum += 4 + (values ? 24 + 8 * values : 0);
    }
    return sum;
}

/* Of the shares: order/schedule.h, and what is counted by stage and source. */
static uint64_t schedule_bytes(const struct sl_curriculum *c)
{
    const struct sl_plan *p = c->plan;
    uint64_t moving = 0, n = sl_plan_order_positions(c->order);
    for (size_t i = 0; i < p->n_stages; i++)
        moving += p->stages[i].to != NULL;
    uint64_t blocks = moving * (n < SL_SCHEDULE_MAX_BLOCKS ? n : SL_SCHEDULE_MAX_BLOCKS);
    return 40 * (uint64_t)(p->n_sources + 1) * p->n_stages + 12 * (blocks < n ? blocks : n);
}

/* What the order takes at most: order/plan_order.h. */
static enum sl_status check_memory(const struct sl_curriculum *c, struct sl_err *err)
{
    uint64_t all = 0, most = 0, n = sl_plan_order_positions(c->order);
    uint64_t twins = c->ids ? 18 * sl_plan_ids_twins(c->ids)->n : 0;
    for (size_t i = 0; i < c->plan->n_sources; i++) {
        all += c->units[i];
        most = c->units[i] > most ? c->units[i] : most;
        most = c->sizes[i] > most ? c->sizes[i] : most;
    }
    bool replays = false;
    for (size_t i = 0; i < c->plan->n_stages; i++)
        replays |= c->plan->stages[i].replay > 0;
    uint64_t need =
        OTHER_BYTES + (replays ? 12 : 4) * n + 2 * all + twins + (13 + score_bytes(c)) * most;
    need += sl_arrange_bytes(c->arrange, c->order, most) + (c->past ? 2 * all : 0) +
            sl_plan_weights_bytes(c->weights);
    need += schedule_bytes(c);
    uint64_t sorters =
        c->mem_bytes / 8 + (c->plan->n_scores + has_groups(c->plan)) * SL_RECORD_SORT_MIN_BYTES;
    if (need + sorters / 4 <= c->mem_bytes || need <= SL_CURRICULUM_LEAST_BYTES)
        return SL_OK;
    return sl_err_set(err, SL_E_SYSTEM, "an order of %llu %s needs --mem %lluM or more",
                      (unsigned long long)n, sl_plan_units(c->plan),
                      (unsigned long long)(((need + need / 2) >> 20) + 1));
}

static enum sl_status set_stretches(struct sl_curriculum *c, struct sl_err *err)
{
    sl_plan_stretches_init(&c->stretches, c->plan->n_sources);
    if (c->past)
        SL_TRY(sl_plan_continue_stretches(c->past, &c->stretches, err));
    SL_TRY(sl_plan_stretches_plan(&c->stretches, c->plan, c->order, err));
    SL_TRY(sl_plan_control_init(&c->control, c->control_kind, c->control_window, c->plan,
                                sl_plan_order_positions(c->order), err));
    if (c->control_kind == SL_CONTROL_NONE)
        return SL_OK;
    return sl_plan_stretches_one(&c->stretches, sl_plan_control_name(c->control_kind), err);
}

/* Of a source that a file orders: its entries. */
static enum sl_status read_list(struct sl_curriculum *c, size_t source, uint32_t **list,
                                struct sl_err *err)
{
    *list = malloc((c->sizes[source] + 1) * sizeof **list);
    if (!*list)
        return sl_err_nomem(err, c->sizes[source] * sizeof **list);
    return sl_plan_ids_list(c->ids, source, *list, c->sizes[source], err);
}

/* What such a source may still give behind a past. */
static enum sl_status limit_listed(struct sl_curriculum *c, size_t source, struct sl_err *err)
{
    uint32_t *times = calloc(c->units[source] + 1, sizeof *times), *list = NULL;
    enum sl_status st = times ? read_list(c, source, &list, err)
                              : sl_err_nomem(err, c->units[source] * sizeof *times);
    for (uint64_t i = 0; st == SL_OK && i < c->sizes[source]; i++)
        times[list[i]]++;
    if (st == SL_OK)
        sl_plan_continue_listed(c->past, source, times, c->units[source]);
    free(times);
    free(list);
    return st;
}

static enum sl_status limit_files(struct sl_curriculum *c, struct sl_err *err)
{
    if (!c->past || !c->plan->n_order_files)
        return SL_OK;
    for (size_t i = 0; i < c->plan->n_sources; i++)
        if (sl_plan_order_file(c->plan, i) >= 0)
            SL_TRY(limit_listed(c, i, err));
    return sl_plan_ids_rewind(c->ids, err);
}

/* Of a source that a file orders: rows that the entries up to the last one placed name,
 * beyond those that a past has given. */
static enum sl_status count_listed(struct sl_curriculum *c, size_t source, uint64_t placed,
                                   const uint16_t *given, struct sl_err *err)
{
    uint64_t n = c->sizes[source];
    uint16_t *times = calloc(c->units[source] + 1, sizeof *times);
    uint32_t *list = NULL;
    enum sl_status st = times ? read_list(c, source, &list, err)
                              : sl_err_nomem(err, c->units[source] * sizeof *times);
    if (st == SL_OK && given)
        memcpy(times, given, c->units[source] * sizeof *times);
    for (uint64_t i = 0; st == SL_OK && i < n && placed; i++) {
        uint32_t row = list[i];
        bool again = given && given[row];
        if (again && times[row]) {
            times[row]--; /* this entry was given */
            continue;
        }
        placed--;
        c->unused[source] -= !again && !times[row];
        times[row] += !again;
    }
    free(times);
    free(list);
    return st;
}

static enum sl_status count_unused(struct sl_curriculum *c, const struct sl_plan_past *past,
                                   struct sl_err *err)
{
    for (size_t i = 0; i < c->plan->n_sources; i++) {
        const uint16_t *given = past ? past->given[i] : NULL;
        uint64_t placed = 0, left = c->units[i];
        for (size_t s = 0; s < c->plan->n_stages; s++)
            placed += sl_plan_order_span(c->order, s).counts[i];
        for (uint64_t u = 0; given && u < c->units[i]; u++)
            left -= given[u] > 0;
        c->unused[i] = left;
        if (sl_plan_order_file(c->plan, i) < 0)
            c->unused[i] -= placed < left ? placed : left;
        else
            SL_TRY(count_listed(c, i, placed, given, err));
    }
    return c->plan->n_order_files ? sl_plan_ids_rewind(c->ids, err) : SL_OK;
}

enum sl_status sl_curriculum_measure(struct sl_curriculum *c, struct sl_err *err)
{
    const struct sl_plan_past *past = NULL;
    if (c->past && c->plan->of_documents)
        return sl_err_set(err, SL_E_USAGE,
                          "--continue counts tokens of sequences, and the plan's "
                          "unit is 'document'");
    if (c->ids)
        SL_TRY(sl_plan_ids_end(c->ids, err));
    for (size_t i = 0; i < c->plan->n_sources; i++)
        c->sizes[i] =
            sl_plan_order_file(c->plan, i) < 0 ? c->units[i] : sl_plan_ids_entries(c->ids, i);
    if (c->past)
        SL_TRY(sl_plan_continue_join(c->past, c->units, &past, err));
    SL_TRY(limit_files(c, err));
    SL_TRY(sl_plan_order_go_on(&c->order, c->plan, c->sizes, c->unit_tokens, past, err));
    SL_TRY(set_stretches(c, err));
    SL_TRY(sl_plan_weights_guess(c->weights, &c->stretches, err));
    for (size_t i = 0; i < c->plan->n_sources; i++)
        for (size_t s = 0; s < c->plan->n_stages; s++)
            SL_TRY(check_nulls(c, i, s, err));
    SL_TRY(check_memory(c, err));
    return count_unused(c, past, err);
}

/* A source while it is drawn. */
struct loaded {
    uint32_t *ranks[SL_PLAN_MAX_SCORES];
    double *values[SL_PLAN_MAX_SCORES];
    uint32_t *list;
};

/* The next units of a sorter, which are those of one source, and the values behind them. */
static enum sl_status read_ranks(struct sl_curriculum *c, size_t k, uint32_t *ranks, double *values,
                                 uint64_t n, struct sl_err *err)
{
    size_t n_values = sl_plan_score_n_values(c->keys[k]), tail = 4 + 8 * n_values;
    for (uint64_t i = 0; i < n; i++) {
        struct sl_str record;
        enum sl_status st = sl_record_sort_next(c->scores[k], &record, err);
        if (st == SL_END || (st == SL_OK && record.n < 4 + tail))
            return sl_err_set(err, SL_E_BUG, "scores are missing");
        SL_TRY(st);
        const uint8_t *p = (const uint8_t *)record.p + record.n - tail;
        ranks[i] = (uint32_t)sl_load_big(p, 4);
        for (size_t v = 0; v < n_values; v++)
            memcpy(&values[v * n + i], p + 4 + 8 * v, sizeof *values);
    }
    return SL_OK;
}

static enum sl_status load(struct sl_curriculum *c, size_t source, struct loaded *l,
                           struct sl_err *err)
{
    uint64_t n = c->units[source];
    for (size_t k = 0; k < c->plan->n_scores; k++) {
        if (!sl_plan_uses(c->plan, source, k))
            continue;
        size_t n_values = sl_plan_score_n_values(c->keys[k]);
        l->ranks[k] = malloc((n + 1) * sizeof *l->ranks[k]);
        l->values[k] = n_values ? malloc((n_values * n + 1) * sizeof *l->values[k]) : NULL;
        if (!l->ranks[k] || (n_values && !l->values[k]))
            return sl_err_nomem(err, (4 + 8 * n_values) * n);
        SL_TRY(read_ranks(c, k, l->ranks[k], l->values[k], n, err));
    }
    return sl_plan_order_file(c->plan, source) < 0 ? SL_OK : read_list(c, source, &l->list, err);
}

static enum sl_status draw_source(struct sl_curriculum *c, size_t source, struct sl_err *err)
{
    struct loaded l = { .list = NULL };
    uint32_t *groups = NULL;
    struct sl_plan_rows rows = { .n = c->units[source],
                                 .ranks = (const uint32_t *const *)l.ranks,
                                 .values = (const double *const *)l.values };
    enum sl_status st = load(c, source, &l, err);
    rows.list = l.list;
    rows.n_list = c->sizes[source];
    if (st == SL_OK)
        st = sl_arrange_groups(c->arrange, source, c->units[source], &groups, err);
    sl_plan_order_set_groups(c->order, source, groups);
    if (st == SL_OK)
        st = sl_plan_order_draw(c->order, source, &rows, err);
    for (size_t k = 0; k < c->plan->n_scores; k++) {
        free(l.ranks[k]);
        free(l.values[k]);
    }
    free(l.list);
    free(groups);
    return st;
}

static enum sl_status add_place(struct sl_curriculum *c, const struct sl_plan_place *p, uint64_t at,
                                struct sl_err *err)
{
    uint8_t r[PLACE_BYTES];
    sl_store_big(r, p->source, 4);
    sl_store_big(r + 4, p->unit, 4);
    sl_store_big(r + 8, at, 8);
    sl_store_big(r + 16, (uint32_t)p->copy << 16 | p->stage, 4);
    return sl_record_sort_add(c->places, (struct sl_str){ (const char *)r, sizeof r }, err);
}

static enum sl_status next_place(struct sl_curriculum *c, struct sl_err *err)
{
    struct sl_str r;
    enum sl_status st = sl_record_sort_next(c->places, &r, err);
    c->has_place = st == SL_OK;
    if (st == SL_OK)
        memcpy(c->place, r.p, sizeof c->place);
    return st == SL_END ? SL_OK : st;
}

static enum sl_status put_place(struct sl_curriculum *c, const struct sl_plan_place *p, uint64_t at,
                                const struct sl_curriculum_each *each, struct sl_err *err)
{
    sl_plan_weights_add(c->weights, p, at);
    SL_TRY(add_place(c, p, at, err));
    return each ? each->call(each->ctx, p, at, err) : SL_OK;
}

/* What the past placed, up to where the plan takes over. */
static enum sl_status put_past(struct sl_curriculum *c, uint64_t *at,
                               const struct sl_curriculum_each *each, struct sl_err *err)
{
    struct sl_plan_place p;
    enum sl_status st = SL_END;
    while (c->past && (st = sl_plan_continue_next(c->past, &p, err)) == SL_OK) {
        sl_plan_order_remember(c->order, *at, p.source, p.unit);
        SL_TRY(put_place(c, &p, (*at)++, each, err));
    }
    return st == SL_END ? SL_OK : st;
}

static enum sl_status put_places(struct sl_curriculum *c, const struct sl_curriculum_each *each,
                                 struct sl_err *err)
{
    struct sl_plan_place p;
    uint64_t at = 0;
    enum sl_status st;
    SL_TRY(put_past(c, &at, each, err));
    while ((st = sl_plan_order_next(c->order, &p, err)) == SL_OK)
        SL_TRY(put_place(c, &p, at++, each, err));
    return st == SL_END ? SL_OK : st;
}

/* A control puts all places elsewhere, and counts copies there. */
static enum sl_status sort_control(struct sl_curriculum *c, struct sl_record_sort *places,
                                   struct sl_err *err)
{
    struct sl_plan_place p;
    enum sl_status st;
    for (uint64_t at = 0; (st = sl_plan_order_next(c->order, &p, err)) == SL_OK; at++) {
        uint8_t r[CONTROL_BYTES];
        uint64_t to = sl_plan_control_at(&c->control, at);
        sl_store_big(r, to, 8);
        sl_store_big(r + 8, p.source, 4);
        sl_store_big(r + 12, (uint32_t)p.unit, 4);
        r[16] = p.replayed;
        SL_TRY(sl_record_sort_add(places, (struct sl_str){ (const char *)r, sizeof r }, err));
    }
    return st == SL_END ? sl_record_sort_end(places, err) : st;
}

static enum sl_status put_control(struct sl_curriculum *c, struct sl_record_sort *places,
                                  const struct sl_curriculum_each *each, struct sl_err *err)
{
    struct sl_str r;
    enum sl_status st;
    SL_TRY(sort_control(c, places, err));
    sl_plan_order_recount(c->order);
    for (uint64_t at = 0; (st = sl_record_sort_next(places, &r, err)) == SL_OK; at++) {
        const uint8_t *b = (const uint8_t *)r.p;
        struct sl_plan_place p = { .source = (uint32_t)sl_load_big(b + 8, 4),
                                   .unit = (uint32_t)sl_load_big(b + 12, 4) };
        p.replayed = b[16];
        SL_TRY(sl_plan_order_count(c->order, &p, err));
        SL_TRY(put_place(c, &p, at, each, err));
    }
    return st == SL_END ? SL_OK : st;
}

static enum sl_status put_controlled(struct sl_curriculum *c, const struct sl_curriculum_each *each,
                                     struct sl_err *err)
{
    struct sl_record_sort *places = NULL;
    if (c->control_kind == SL_CONTROL_NONE)
        return put_places(c, each, err);
    SL_TRY(sl_record_sort_new(&places, c->mem_bytes / 8, c->tmpdir, err));
    enum sl_status st = put_control(c, places, each, err);
    sl_record_sort_free(places);
    return st;
}

enum sl_status sl_curriculum_draw(struct sl_curriculum *c, struct sl_err *err)
{
    for (size_t k = 0; k < c->plan->n_scores; k++)
        SL_TRY(sl_record_sort_end(c->scores[k], err));
    SL_TRY(sl_arrange_end(c->arrange, err));
    for (size_t i = 0; i < c->plan->n_sources; i++)
        SL_TRY(draw_source(c, i, err));
    free_scores(c);
    if (c->ids)
        sl_plan_ids_trim(c->ids);
    const struct sl_plan_twins *twins = sl_curriculum_twins(c);
    if (twins && twins->n)
        SL_TRY(sl_plan_order_twins(c->order, twins->rows, twins->n, twins->n_groups, err));
    for (size_t i = 0; i < c->plan->n_stages; i++)
        sl_plan_order_set_batch(c->order, i, sl_arrange_batch(c->arrange, i));
    SL_TRY(sl_plan_order_settle(c->order, err));
    if (!has_groups(c->plan))
        return SL_OK;
    sl_plan_stretches_release(&c->stretches);
    return set_stretches(c, err);
}

enum sl_status sl_curriculum_plan(struct sl_curriculum *c, const struct sl_schema *made,
                                  const struct sl_curriculum_each *each, struct sl_err *err)
{
    c->made = made;
    SL_TRY(sl_record_sort_new(&c->places, c->mem_bytes / 8, c->tmpdir, err));
    SL_TRY(sl_plan_weights_begin(c->weights, &c->stretches, err));
    SL_TRY(put_controlled(c, each, err));
    sl_plan_order_trim(c->order);
    sl_arrange_free(c->arrange);
    c->arrange = NULL;
    sl_plan_ids_free(c->ids);
    c->ids = NULL;
    SL_TRY(sl_record_sort_end(c->places, err));
    SL_TRY(next_place(c, err));
    SL_TRY(sl_row_keys_places(&c->by_place, &c->places_now, err));
    SL_TRY(sl_rows_init(&c->rows, c->made, err));
    c->has_rows = true;
    return sl_row_sort_new(&c->sort, c->by_place, c->mem_bytes - c->mem_bytes / 8, c->tmpdir, 0,
                           err);
}

/* ---- the second pass ---- */

static enum sl_status add_numbers(struct sl_colbuf *to, const uint16_t *v, size_t n,
                                  struct sl_err *err)
{
    for (size_t i = 0; i < n; i++)
        SL_TRY(sl_colbuf_add_int(to, v[i], err));
    return SL_OK;
}

static enum sl_status add_chunk(struct sl_curriculum *c, const struct sl_batch *b,
                                struct sl_err *err)
{
    size_t n = c->n_chunk;
    c->n_chunk = 0;
    if (!n)
        return SL_OK;
    sl_rows_reset(&c->rows);
    for (uint32_t i = 0; i < c->made->n_fields; i++) {
        const char *name = c->made->fields[i]->name;
        struct sl_colbuf *to = &c->rows.cols[i];
        if (strcmp(name, "copy") == 0)
            SL_TRY(add_numbers(to, c->chunk_copies, n, err));
        else if (strcmp(name, "stage") == 0)
            SL_TRY(add_numbers(to, c->chunk_stages, n, err));
        else
            SL_TRY(sl_colbuf_take(to, sl_batch_column(b, name), c->chunk, n, err));
    }
    c->rows.n = (int64_t)n;
    SL_TRY(sl_rows_lend(&c->rows, &c->view, err));
    c->places_now = c->chunk_places;
    return sl_row_sort_add(c->sort, &c->view, err);
}

static bool is_at(const struct sl_curriculum *c, size_t source, uint64_t unit)
{
    return c->has_place && sl_load_big(c->place, 4) == source &&
           sl_load_big(c->place + 4, 4) == unit;
}

enum sl_status sl_curriculum_place(struct sl_curriculum *c, const struct sl_batch *b,
                                   struct sl_err *err)
{
    while (c->turn + 1 < c->n_turns && b->seq >= c->turns[c->turn + 1].seq)
        c->turn++;
    size_t source = c->turns[c->turn].source;
    size_t room = CHUNK_BYTES / (size_t)(sl_batch_bytes(b) / (b->n_rows + 1) + 1) + 1;
    room = room < CHUNK_ROWS ? room : CHUNK_ROWS;
    for (int64_t row = 0; row < b->n_rows; row++) {
        uint64_t unit = c->next[source]++;
        for (; is_at(c, source, unit); c->n_chunk++) {
            if (c->n_chunk >= room)
                SL_TRY(add_chunk(c, b, err));
            uint32_t last = (uint32_t)sl_load_big(c->place + 16, 4);
            c->chunk[c->n_chunk] = (uint32_t)row;
            c->chunk_places[c->n_chunk] = sl_load_big(c->place + 8, 8);
            c->chunk_copies[c->n_chunk] = (uint16_t)(last >> 16);
            c->chunk_stages[c->n_chunk] = (uint16_t)last;
            SL_TRY(next_place(c, err));
        }
    }
    return add_chunk(c, b, err);
}

enum sl_status sl_curriculum_emit(struct sl_curriculum *c,
                                  enum sl_status (*emit)(void *ctx, struct sl_str *rows, size_t n,
                                                         struct sl_err *err),
                                  void *ctx, struct sl_err *err)
{
    if (c->has_place)
        return sl_err_set(err, SL_E_DATA, "the inputs changed between the two passes");
    sl_record_sort_free(c->places);
    c->places = NULL;
    return sl_row_sort_end(c->sort, emit, ctx, err);
}

struct sl_row_sort_counts sl_curriculum_counts(const struct sl_curriculum *c)
{
    return sl_row_sort_counts(c->sort);
}

const struct sl_plan_order *sl_curriculum_order(const struct sl_curriculum *c)
{
    return c->order;
}

const struct sl_plan_stretches *sl_curriculum_stretches(const struct sl_curriculum *c)
{
    return &c->stretches;
}

void sl_curriculum_tally(const struct sl_curriculum *c, uint64_t *unused, uint64_t *added)
{
    uint64_t units = 0;
    *unused = 0;
    for (size_t i = 0; i < c->plan->n_sources; i++) {
        units += c->units[i];
        *unused += sl_plan_order_unused(c->order, i);
    }
    *added = sl_plan_order_positions(c->order) - (units - *unused);
}

uint64_t sl_curriculum_units(const struct sl_curriculum *c, size_t source)
{
    return c->units[source];
}

uint64_t sl_curriculum_unit_tokens(const struct sl_curriculum *c)
{
    return c->unit_tokens;
}

const struct sl_plan_weights *sl_curriculum_weights(const struct sl_curriculum *c)
{
    return c->weights;
}

uint64_t sl_curriculum_unused(const struct sl_curriculum *c, size_t source)
{
    return c->unused[source];
}

const struct sl_plan_twins *sl_curriculum_twins(const struct sl_curriculum *c)
{
    return c->ids ? sl_plan_ids_twins(c->ids) : NULL;
}

size_t sl_curriculum_n_warnings(const struct sl_curriculum *c)
{
    return c->plan->n_stages + c->plan->n_sources + 1;
}

bool sl_curriculum_warning(const struct sl_curriculum *c, size_t i, char *text, size_t n)
{
    const struct sl_plan_twins *twins = sl_curriculum_twins(c);
    if (i < c->plan->n_stages)
        return sl_plan_order_warning(c->order, i, text, n);
    i -= c->plan->n_stages;
    if (i < c->plan->n_sources) {
        uint64_t unfilled = sl_plan_order_unfilled(c->order, i);
        snprintf(text, n,
                 "source '%s': the order is %llu %s shorter, since its next group is longer than "
                 "that",
                 c->plan->sources[i].name, (unsigned long long)unfilled, sl_plan_units(c->plan));
        return unfilled > 0;
    }
    if (!twins || !twins->n_twice)
        return false;
    snprintf(text, n,
             "%llu rows are of %s that stand elsewhere in the sources too, such as %.32s: their "
             "copies are counted together",
             (unsigned long long)twins->n_twice, sl_plan_units(c->plan), twins->example);
    return true;
}
