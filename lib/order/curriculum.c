/* SPDX-License-Identifier: Apache-2.0 */
/* Three sorts carry a plan out, each by a sorter that spills:
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

#include <stdlib.h>
#include <string.h>

#include "arrow/rows.h"
#include "base/num.h"
#include "io/record_sort.h"

enum {
    KEY_MAX_BYTES = 1 << 20,
    PLACE_BYTES = 20,
    CHUNK_ROWS = 256,
    CHUNK_BYTES = 1 << 20,
    OTHER_BYTES = 12 << 20, /* the program, a batch, buffers */
};

struct sl_curriculum {
    const struct sl_plan *plan;
    const struct sl_schema *in, *made;
    uint64_t mem_bytes;
    const char *tmpdir;
    uint64_t unit_tokens;
    uint64_t *units, *nulls; /* of each source; [source][score] */
    uint64_t *next;          /* of each source: the unit that comes next in the second pass */

    struct sl_row_keys *keys[SL_PLAN_MAX_SCORES];
    struct sl_record_sort *scores[SL_PLAN_MAX_SCORES];
    struct sl_buf record;
    struct sl_plan_order *order;

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

static void put32(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof v);
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap32(v);
}

/* ---- making ---- */

/* Tokens of a row: the length of the list. */
static uint64_t length_of(const struct sl_schema *s)
{
    int at = sl_schema_find(s, "tokens");
    bool fixed = at >= 0 && s->fields[at]->type == SL_T_FIXED_LIST;
    return fixed ? (uint64_t)s->fields[at]->size : 1;
}

static enum sl_status new_score(struct sl_curriculum *c, size_t k, struct sl_err *err)
{
    struct sl_err why = SL_ERR_INIT;
    enum sl_status st = sl_row_keys_parse(&c->keys[k], c->plan->scores[k], c->in, &why);
    if (st != SL_OK)
        return sl_err_set(err, st == SL_E_SYSTEM ? st : SL_E_DATA, "%s:%d: %.400s", c->plan->file,
                          c->plan->score_lines[k], why.msg);
    uint64_t part = (c->mem_bytes - OTHER_BYTES) / 2 / c->plan->n_scores;
    part = part < SL_RECORD_SORT_MIN_BYTES ? SL_RECORD_SORT_MIN_BYTES : part;
    return sl_record_sort_new(&c->scores[k], part, c->tmpdir, err);
}

static enum sl_status make(struct sl_curriculum *c, struct sl_err *err)
{
    size_t n = c->plan->n_sources;
    c->units = calloc(n, sizeof *c->units);
    c->next = calloc(n, sizeof *c->next);
    c->nulls = calloc(n * SL_PLAN_MAX_SCORES, sizeof *c->nulls);
    if (!c->units || !c->next || !c->nulls)
        return sl_err_nomem(err, n * SL_PLAN_MAX_SCORES * sizeof *c->nulls);
    for (size_t k = 0; k < c->plan->n_scores; k++)
        SL_TRY(new_score(c, k, err));
    return SL_OK;
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
        sl_row_keys_free(c->keys[k]);
        c->scores[k] = NULL;
        c->keys[k] = NULL;
    }
}

void sl_curriculum_free(struct sl_curriculum *c)
{
    if (!c)
        return;
    free_scores(c);
    sl_plan_order_free(c->order);
    sl_record_sort_free(c->places);
    sl_row_sort_free(c->sort);
    sl_row_keys_free(c->by_place);
    if (c->has_rows)
        sl_rows_release(&c->rows);
    sl_batch_release(&c->view);
    sl_buf_release(&c->record);
    free(c->units);
    free(c->next);
    free(c->nulls);
    free(c);
}

/* ---- the first pass ---- */

static enum sl_status see_score(struct sl_curriculum *c, const struct sl_batch *b, size_t source,
                                size_t k, struct sl_err *err)
{
    for (int64_t row = 0; row < b->n_rows; row++) {
        uint8_t number[4];
        bool null;
        sl_buf_reset(&c->record);
        put32(number, (uint32_t)source);
        SL_TRY(sl_buf_add(&c->record, number, sizeof number, err));
        SL_TRY(sl_row_keys_add(c->keys[k], b, row, &c->record, &null, err));
        put32(number, (uint32_t)(c->units[source] + (uint64_t)row));
        SL_TRY(sl_buf_add(&c->record, number, sizeof number, err));
        c->nulls[source * SL_PLAN_MAX_SCORES + k] += null;
        SL_TRY(sl_record_sort_add(c->scores[k], sl_buf_str(&c->record), err));
    }
    return SL_OK;
}

static enum sl_status count_score(struct sl_curriculum *c, const struct sl_batch *b, size_t source,
                                  size_t k, struct sl_err *err)
{
    for (int64_t row = 0; row < b->n_rows; row++) {
        bool null;
        sl_buf_reset(&c->record);
        SL_TRY(sl_row_keys_add(c->keys[k], b, row, &c->record, &null, err));
        c->nulls[source * SL_PLAN_MAX_SCORES + k] += null;
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
    c->units[source] += (uint64_t)b->n_rows;
    if (c->units[source] > UINT32_MAX)
        return sl_err_set(err, SL_E_DATA, "source '%s' has more than 2^32 sequences",
                          c->plan->sources[source].name);
    return SL_OK;
}

enum sl_status sl_curriculum_see(struct sl_curriculum *c, const struct sl_batch *b, size_t source,
                                 struct sl_err *err)
{
    return first_pass(c, b, source, see_score, err);
}

enum sl_status sl_curriculum_count(struct sl_curriculum *c, const struct sl_batch *b, size_t source,
                                   struct sl_err *err)
{
    return first_pass(c, b, source, count_score, err);
}

void sl_curriculum_looks_at(const struct sl_curriculum *c, bool *wanted)
{
    for (size_t k = 0; k < c->plan->n_scores; k++)
        sl_row_keys_mark(c->keys[k], wanted);
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
                      "%s:%d:%d: '%s' is null in %llu of %llu sequences of source '%s' ('nulls: "
                      "last' puts these behind)",
                      c->plan->file, w->line, w->column, c->plan->scores[w->score],
                      (unsigned long long)nulls, (unsigned long long)c->units[source],
                      c->plan->sources[source].name);
}

/* What the order takes at most: order/plan_order.h. */
static enum sl_status check_memory(const struct sl_curriculum *c, struct sl_err *err)
{
    uint64_t all = 0, most = 0, n = sl_plan_order_positions(c->order);
    for (size_t i = 0; i < c->plan->n_sources; i++) {
        all += c->units[i];
        most = c->units[i] > most ? c->units[i] : most;
    }
    bool replays = false;
    for (size_t i = 0; i < c->plan->n_stages; i++)
        replays |= c->plan->stages[i].replay > 0;
    uint64_t need =
        OTHER_BYTES + (replays ? 12 : 4) * n + 2 * all + (13 + 4 * c->plan->n_scores) * most;
    uint64_t sorters = c->mem_bytes / 8 + c->plan->n_scores * SL_RECORD_SORT_MIN_BYTES;
    if (need + sorters / 4 <= c->mem_bytes || need <= SL_CURRICULUM_LEAST_BYTES)
        return SL_OK;
    return sl_err_set(err, SL_E_SYSTEM, "an order of %llu sequences needs --mem %lluM or more",
                      (unsigned long long)n, (unsigned long long)(((need + need / 2) >> 20) + 1));
}

enum sl_status sl_curriculum_measure(struct sl_curriculum *c, struct sl_err *err)
{
    SL_TRY(sl_plan_order_new(&c->order, c->plan, c->units, c->unit_tokens, err));
    for (size_t i = 0; i < c->plan->n_sources; i++)
        for (size_t s = 0; s < c->plan->n_stages; s++)
            SL_TRY(check_nulls(c, i, s, err));
    return check_memory(c, err);
}

/* The next units of a sorter, which are those of one source. */
static enum sl_status read_ranks(struct sl_curriculum *c, size_t k, uint32_t *ranks, uint64_t n,
                                 struct sl_err *err)
{
    for (uint64_t i = 0; i < n; i++) {
        struct sl_str record;
        enum sl_status st = sl_record_sort_next(c->scores[k], &record, err);
        if (st == SL_END || (st == SL_OK && record.n < 8))
            return sl_err_set(err, SL_E_BUG, "scores are missing");
        SL_TRY(st);
        ranks[i] = get32((const uint8_t *)record.p + record.n - 4);
    }
    return SL_OK;
}

static enum sl_status draw_source(struct sl_curriculum *c, size_t source, struct sl_err *err)
{
    uint32_t *ranks[SL_PLAN_MAX_SCORES] = { NULL };
    uint64_t n = c->units[source];
    enum sl_status st = SL_OK;
    for (size_t k = 0; k < c->plan->n_scores && st == SL_OK; k++) {
        if (!sl_plan_uses(c->plan, source, k))
            continue;
        ranks[k] = malloc((n + 1) * sizeof *ranks[k]);
        st = ranks[k] ? read_ranks(c, k, ranks[k], n, err) : sl_err_nomem(err, 4 * n);
    }
    if (st == SL_OK)
        st = sl_plan_order_draw(c->order, source, (const uint32_t *const *)ranks, err);
    for (size_t k = 0; k < c->plan->n_scores; k++)
        free(ranks[k]);
    return st;
}

static enum sl_status add_place(struct sl_curriculum *c, const struct sl_plan_place *p, uint64_t at,
                                struct sl_err *err)
{
    uint8_t r[PLACE_BYTES];
    put32(r, p->source);
    put32(r + 4, (uint32_t)p->unit);
    put32(r + 8, (uint32_t)(at >> 32));
    put32(r + 12, (uint32_t)at);
    put32(r + 16, (uint32_t)p->copy << 16 | p->stage);
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

enum sl_status sl_curriculum_plan(struct sl_curriculum *c, const struct sl_schema *made,
                                  enum sl_status (*each)(void *ctx, const struct sl_plan_place *p,
                                                         struct sl_err *err),
                                  void *ctx, struct sl_err *err)
{
    struct sl_plan_place p;
    enum sl_status st;
    c->made = made;
    for (size_t k = 0; k < c->plan->n_scores; k++)
        SL_TRY(sl_record_sort_end(c->scores[k], err));
    for (size_t i = 0; i < c->plan->n_sources; i++)
        SL_TRY(draw_source(c, i, err));
    free_scores(c);
    SL_TRY(sl_record_sort_new(&c->places, c->mem_bytes / 8, c->tmpdir, err));
    for (uint64_t at = 0; (st = sl_plan_order_next(c->order, &p, err)) == SL_OK; at++) {
        SL_TRY(add_place(c, &p, at, err));
        if (each)
            SL_TRY(each(ctx, &p, err));
    }
    if (st != SL_END)
        return st;
    sl_plan_order_trim(c->order);
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
    return c->has_place && get32(c->place) == source && get32(c->place + 4) == unit;
}

enum sl_status sl_curriculum_place(struct sl_curriculum *c, const struct sl_batch *b, size_t source,
                                   struct sl_err *err)
{
    size_t room = CHUNK_BYTES / (size_t)(sl_batch_bytes(b) / (b->n_rows + 1) + 1) + 1;
    room = room < CHUNK_ROWS ? room : CHUNK_ROWS;
    for (int64_t row = 0; row < b->n_rows; row++) {
        uint64_t unit = c->next[source]++;
        for (; is_at(c, source, unit); c->n_chunk++) {
            if (c->n_chunk >= room)
                SL_TRY(add_chunk(c, b, err));
            uint32_t last = get32(c->place + 16);
            c->chunk[c->n_chunk] = (uint32_t)row;
            c->chunk_places[c->n_chunk] =
                (uint64_t)get32(c->place + 8) << 32 | get32(c->place + 12);
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

uint64_t sl_curriculum_units(const struct sl_curriculum *c, size_t source)
{
    return c->units[source];
}

uint64_t sl_curriculum_unit_tokens(const struct sl_curriculum *c)
{
    return c->unit_tokens;
}
