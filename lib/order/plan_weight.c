/* SPDX-License-Identifier: Apache-2.0 */
/* Weights of all documents in memory, so that the sums are known as soon as places are,
 * before any row is written. Rejected: adding them up while rows are placed, where it is no longer
 * known which of them are replayed. */
#include "order/plan_weight.h"

#include <stdlib.h>
#include <string.h>

struct sl_plan_weights {
    size_t n_sources;
    int column;
    bool tokens;
    uint32_t **of;   /* [source][document] */
    uint64_t *rooms; /* of each source */
    uint64_t *totals, *n_rows;
    uint64_t *sums; /* [stretch][source, and replay] */
    const struct sl_plan_stretches *all;
    size_t at; /* the stretch of the last place */
};

static bool find_column(const struct sl_schema *in, struct sl_plan_weights *w)
{
    w->column = sl_schema_find(in, "tokens");
    w->tokens = w->column >= 0;
    if (w->tokens)
        return in->fields[w->column]->type == SL_T_LIST;
    w->column = sl_schema_find(in, "text");
    return w->column >= 0 && sl_type_is_bytes(in->fields[w->column]->type);
}

enum sl_status sl_plan_weights_new(struct sl_plan_weights **out, const struct sl_plan *plan,
                                   const struct sl_schema *in, struct sl_err *err)
{
    struct sl_plan_weights found = { .n_sources = plan->n_sources };
    *out = NULL;
    if (!plan->of_documents || !find_column(in, &found))
        return SL_OK;
    struct sl_plan_weights *w = *out = calloc(1, sizeof *w);
    if (!w)
        return sl_err_nomem(err, sizeof *w);
    *w = found;
    w->of = calloc(plan->n_sources, sizeof *w->of);
    w->rooms = calloc(plan->n_sources, sizeof *w->rooms);
    w->totals = calloc(plan->n_sources, sizeof *w->totals);
    w->n_rows = calloc(plan->n_sources, sizeof *w->n_rows);
    if (w->of && w->rooms && w->totals && w->n_rows)
        return SL_OK;
    sl_plan_weights_free(w);
    *out = NULL;
    return sl_err_nomem(err, plan->n_sources * sizeof *w->of);
}

void sl_plan_weights_free(struct sl_plan_weights *w)
{
    if (!w)
        return;
    for (size_t i = 0; w->of && i < w->n_sources; i++)
        free(w->of[i]);
    free(w->of);
    free(w->rooms);
    free(w->totals);
    free(w->n_rows);
    free(w->sums);
    free(w);
}

const char *sl_plan_weights_name(const struct sl_plan_weights *w)
{
    return !w ? NULL : w->tokens ? "tokens" : "bytes";
}

void sl_plan_weights_mark(const struct sl_plan_weights *w, bool *wanted)
{
    if (w)
        wanted[w->column] = true;
}

static enum sl_status make_room(struct sl_plan_weights *w, size_t source, uint64_t n,
                                struct sl_err *err)
{
    if (n <= w->rooms[source])
        return SL_OK;
    uint64_t room = n + n / 4;
    uint32_t *p = realloc(w->of[source], room * sizeof *p);
    if (!p)
        return sl_err_nomem(err, room * sizeof *p);
    w->of[source] = p;
    w->rooms[source] = room;
    return SL_OK;
}

enum sl_status sl_plan_weights_see(struct sl_plan_weights *w, const struct sl_batch *b,
                                   size_t source, uint64_t first, bool keep, struct sl_err *err)
{
    if (!w)
        return SL_OK;
    const struct sl_column *c = &b->columns[w->column];
    if (keep)
        SL_TRY(make_room(w, source, first + (uint64_t)b->n_rows, err));
    for (int64_t row = 0; row < b->n_rows; row++) {
        uint64_t n = 0;
        if (!sl_column_is_null(c, row))
            n = (uint64_t)(sl_column_start(c, row + 1) - sl_column_start(c, row));
        w->totals[source] += n;
        if (keep)
            w->of[source][first + (uint64_t)row] = (uint32_t)n; /* a batch is below 2^31 */
    }
    w->n_rows[source] = first + (uint64_t)b->n_rows;
    return SL_OK;
}

uint64_t sl_plan_weights_bytes(const struct sl_plan_weights *w)
{
    uint64_t n = 0;
    for (size_t i = 0; w && i < w->n_sources; i++)
        n += w->rooms[i] * sizeof **w->of;
    return n;
}

enum sl_status sl_plan_weights_begin(struct sl_plan_weights *w, const struct sl_plan_stretches *all,
                                     struct sl_err *err)
{
    if (!w)
        return SL_OK;
    free(w->sums);
    w->all = all;
    w->at = 0;
    w->sums = calloc(all->n * (w->n_sources + 1) + 1, sizeof *w->sums);
    return w->sums ? SL_OK : sl_err_nomem(err, all->n * w->n_sources * sizeof *w->sums);
}

/* n times the mean of a sum over m. */
static uint64_t mean(uint64_t n, uint64_t sum, uint64_t m)
{
    return m ? (uint64_t)((unsigned __int128)n * sum / m) : 0;
}

enum sl_status sl_plan_weights_guess(struct sl_plan_weights *w, const struct sl_plan_stretches *all,
                                     struct sl_err *err)
{
    uint64_t before = 0, n_before = 0;
    SL_TRY(sl_plan_weights_begin(w, all, err));
    for (size_t k = 0; w && k < all->n; k++) {
        const uint64_t *counts = all->of[k].counts;
        uint64_t *sums = w->sums + k * (w->n_sources + 1), sum = 0, n = 0;
        sums[w->n_sources] = mean(counts[w->n_sources], before, n_before);
        for (size_t i = 0; i < w->n_sources; i++)
            sums[i] = mean(counts[i], w->totals[i], w->n_rows[i]);
        for (size_t i = 0; i <= w->n_sources; i++) {
            sum += sums[i];
            n += counts[i];
        }
        before += sum;
        n_before += n;
    }
    return SL_OK;
}

void sl_plan_weights_add(struct sl_plan_weights *w, const struct sl_plan_place *p, uint64_t at)
{
    if (!w)
        return;
    while (w->at + 1 < w->all->n && at >= w->all->of[w->at].end)
        w->at++;
    size_t source = p->replayed ? w->n_sources : p->source;
    w->sums[w->at * (w->n_sources + 1) + source] += w->of[p->source][p->unit];
}

uint64_t sl_plan_weights_sum(const struct sl_plan_weights *w, size_t stretch, size_t source)
{
    return w && w->sums ? w->sums[stretch * (w->n_sources + 1) + source] : 0;
}
