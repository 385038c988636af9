/* SPDX-License-Identifier: Apache-2.0 */
/* One batch on one worker: the tool's map, then the output columns. Untouched
 * columns are passed as views; only where rows were dropped are the kept ones
 * gathered. */
#include <stdlib.h>
#include <string.h>

#include "run/kinds.h"
#include "run/map.h"
#include "run/run_private.h"

static int n_adds_of(const struct sl_tool *tool)
{
    int n = 0;
    while (tool->adds && tool->adds[n].name)
        n++;
    return n;
}

static enum sl_status init_adds(struct sl_task *t, struct sl_err *err)
{
    if (!t->run->has_out_schema)
        return SL_OK;
    const struct sl_schema *out = &t->run->out_schema;
    int n = n_adds_of(t->run->tool);
    t->adds = calloc((size_t)n + 1, sizeof *t->adds);
    t->has_add = calloc((size_t)n + 1, sizeof *t->has_add);
    if (!t->adds || !t->has_add)
        return sl_err_nomem(err, (uint64_t)n * sizeof *t->adds);
    t->n_adds = n;
    for (int k = 0; k < n; k++) {
        int at = sl_schema_find(out, t->run->tool->adds[k].name);
        if (at < 0)
            continue;
        SL_TRY(sl_colbuf_init(&t->adds[k], out->fields[at], err));
        t->has_add[k] = true;
    }
    return SL_OK;
}

enum sl_status sl_task_new(struct sl_task **out, struct sl_run *run, struct sl_err *err)
{
    struct sl_task *t = calloc(1, sizeof *t);
    if (!t)
        return sl_err_nomem(err, sizeof *t);
    *out = t;
    t->run = run;
    sl_batch_init(&t->in);
    sl_batch_init(&t->view);
    sl_batch_init(&t->kept_view);
    sl_batch_init(&t->reject_view);
    SL_TRY(init_adds(t, err));
    if (run->has_out_schema)
        SL_TRY(sl_rows_init(&t->kept, &run->out_schema, err));
    if (run->has_reject_schema)
        SL_TRY(sl_rows_init(&t->rejects, &run->reject_schema, err));
    return SL_OK;
}

void sl_task_free(struct sl_task *t)
{
    if (!t)
        return;
    if (t->owns_worker && t->run->tool->worker_free)
        t->run->tool->worker_free(t->worker);
    for (int k = 0; k < t->n_adds; k++)
        if (t->has_add[k])
            sl_colbuf_release(&t->adds[k]);
    if (t->kept.cols)
        sl_rows_release(&t->kept);
    if (t->rejects.cols)
        sl_rows_release(&t->rejects);
    sl_batch_release(&t->in);
    sl_batch_release(&t->view);
    sl_batch_release(&t->kept_view);
    sl_batch_release(&t->reject_view);
    free(t->adds);
    free(t->has_add);
    free(t->drops);
    free(t->dropped);
    free(t);
}

enum sl_status sl_task_start_worker(struct sl_task *t, struct sl_err *err)
{
    t->owns_worker = true;
    if (!t->run->tool->worker_new)
        return SL_OK;
    return t->run->tool->worker_new(t->run, &t->worker, err);
}

void sl_task_set_worker(struct sl_task *t, void *worker)
{
    t->worker = worker;
}

/* Offsets stay: their first one must be there. */
static void trim_column(struct sl_colbuf *c, size_t keep_bytes)
{
    if (c->data.cap > keep_bytes)
        sl_buf_release(&c->data);
    if (c->validity.cap > keep_bytes)
        sl_buf_release(&c->validity);
    for (uint32_t i = 0; i < c->field->n_children; i++)
        trim_column(&c->children[i], keep_bytes);
}

static void trim_rows(struct sl_rows *r, size_t keep_bytes)
{
    if (!r->cols)
        return;
    sl_rows_reset(r);
    for (uint32_t i = 0; i < r->schema->n_fields; i++)
        trim_column(&r->cols[i], keep_bytes);
}

void sl_task_recycle(struct sl_task *t, size_t keep_bytes)
{
    trim_rows(&t->kept, keep_bytes);
    trim_rows(&t->rejects, keep_bytes);
    for (int k = 0; k < t->n_adds; k++)
        if (t->has_add[k]) {
            sl_colbuf_reset(&t->adds[k]);
            trim_column(&t->adds[k], keep_bytes);
        }
    sl_batch_reset(&t->view);
    sl_batch_reset(&t->kept_view);
    sl_batch_reset(&t->reject_view);
    if (t->in.body.cap > keep_bytes)
        sl_buf_release(&t->in.body);
    sl_batch_reset(&t->in);
}

const void *sl_task_conf(const struct sl_task *t)
{
    return t->run->conf;
}

struct sl_run *sl_task_run(const struct sl_task *t)
{
    return t->run;
}

void *sl_task_worker(const struct sl_task *t)
{
    return t->worker;
}

const struct sl_batch *sl_task_batch(const struct sl_task *t)
{
    return &t->in;
}

const struct sl_column *sl_task_column(const struct sl_task *t, const char *name)
{
    return sl_batch_column(&t->in, name);
}

struct sl_colbuf *sl_task_add(struct sl_task *t, int k)
{
    return k < t->n_adds && t->has_add[k] ? &t->adds[k] : NULL;
}

void sl_task_count(struct sl_task *t, int k, int64_t n)
{
    t->tally.counts[k] += n;
}

void sl_task_hist(struct sl_task *t, int k, double value)
{
    sl_tally_add_score(&t->tally, k, &t->run->tool->hists[k], value);
}

bool sl_task_dropped(const struct sl_task *t, int64_t row)
{
    return t->dropped[row];
}

enum sl_status sl_task_drop(struct sl_task *t, int64_t row, int reason, struct sl_str detail,
                            struct sl_err *err)
{
    if (row < 0 || row >= t->in.n_rows || t->dropped[row])
        return sl_err_set(err, SL_E_BUG, "row %lld is dropped twice or is not there",
                          (long long)row);
    if (t->n_drops == t->cap_drops) {
        int64_t cap = t->cap_drops ? t->cap_drops * 2 : 64;
        struct sl_drop *p = realloc(t->drops, (size_t)cap * sizeof *p);
        if (!p)
            return sl_err_nomem(err, (uint64_t)cap * sizeof *p);
        t->drops = p;
        t->cap_drops = cap;
    }
    const char *kept = sl_arena_str(&t->in.arena, detail);
    if (!kept)
        return sl_err_nomem(err, detail.n);
    t->dropped[row] = 1;
    t->drops[t->n_drops++] = (struct sl_drop){ (uint32_t)row, reason, { kept, detail.n } };
    t->tally.reasons[reason]++;
    return SL_OK;
}

static enum sl_status begin_batch(struct sl_task *t, struct sl_err *err)
{
    uint8_t *p = realloc(t->dropped, (size_t)t->in.n_rows + 1);
    if (!p)
        return sl_err_nomem(err, (uint64_t)t->in.n_rows);
    t->dropped = p;
    memset(p, 0, (size_t)t->in.n_rows + 1);
    t->n_drops = 0;
    sl_tally_init(&t->tally);
    for (int k = 0; k < t->n_adds; k++)
        if (t->has_add[k])
            sl_colbuf_reset(&t->adds[k]);
    return SL_OK;
}

/* Which of the tool's adds makes an output column; -1: it is the input's. */
static int add_index(const struct sl_task *t, const char *name)
{
    for (int k = 0; k < t->n_adds; k++)
        if (t->has_add[k] && strcmp(t->run->tool->adds[k].name, name) == 0)
            return k;
    return -1;
}

static enum sl_status place_column(struct sl_task *t, const struct sl_field *field,
                                   struct sl_column *to, struct sl_err *err)
{
    int k = add_index(t, field->name);
    if (k < 0) {
        *to = *sl_batch_column(&t->in, field->name);
        to->field = field;
        return SL_OK;
    }
    if (t->adds[k].n != t->in.n_rows)
        return sl_err_set(err, SL_E_BUG, "column '%s' has %lld values for %lld rows", field->name,
                          (long long)t->adds[k].n, (long long)t->in.n_rows);
    return sl_colbuf_lend(&t->adds[k], to, &t->view.arena, err);
}

static enum sl_status make_view(struct sl_task *t, struct sl_err *err)
{
    const struct sl_schema *out = &t->run->out_schema;
    sl_batch_reset(&t->view);
    t->view.schema = out;
    t->view.n_rows = t->in.n_rows;
    t->view.seq = t->in.seq;
    t->view.columns = sl_arena_zeros(&t->view.arena, out->n_fields, sizeof *t->view.columns);
    if (!t->view.columns)
        return sl_err_nomem(err, out->n_fields * sizeof *t->view.columns);
    for (uint32_t i = 0; i < out->n_fields; i++)
        SL_TRY(place_column(t, out->fields[i], &t->view.columns[i], err));
    t->result = &t->view;
    return SL_OK;
}

static enum sl_status gather_kept(struct sl_task *t, struct sl_err *err)
{
    size_t n = 0;
    uint32_t *rows = sl_arena_get(&t->in.arena, (size_t)t->in.n_rows * sizeof *rows);
    if (!rows)
        return sl_err_nomem(err, (uint64_t)t->in.n_rows * sizeof *rows);
    for (int64_t i = 0; i < t->in.n_rows; i++)
        if (!t->dropped[i])
            rows[n++] = (uint32_t)i;
    sl_rows_reset(&t->kept);
    SL_TRY(sl_rows_take(&t->kept, &t->view, rows, n, err));
    SL_TRY(sl_rows_lend(&t->kept, &t->kept_view, err));
    t->result = &t->kept_view;
    return SL_OK;
}

static int by_row(const void *a, const void *b)
{
    uint32_t x = ((const struct sl_drop *)a)->row, y = ((const struct sl_drop *)b)->row;
    return x < y ? -1 : x > y;
}

static enum sl_status gather_rejects(struct sl_task *t, struct sl_err *err)
{
    uint32_t n_in = t->run->in.schema.n_fields;
    struct sl_rows *r = &t->rejects;
    sl_rows_reset(r);
    for (int64_t i = 0; i < t->n_drops; i++) {
        const struct sl_drop *d = &t->drops[i];
        for (uint32_t c = 0; c < n_in; c++)
            SL_TRY(sl_colbuf_take(&r->cols[c], &t->in.columns[c], &d->row, 1, err));
        const char *reason = t->run->tool->reasons[d->reason];
        SL_TRY(sl_colbuf_add_str(&r->cols[n_in], sl_str_of(reason), err));
        SL_TRY(d->detail.n ? sl_colbuf_add_str(&r->cols[n_in + 1], d->detail, err)
                           : sl_colbuf_add_null(&r->cols[n_in + 1], err));
        SL_TRY(sl_rows_close_row(r, err));
    }
    return sl_rows_lend(r, &t->reject_view, err);
}

static void count_batch(struct sl_task *t)
{
    const struct sl_column *ids = sl_task_column(t, "id");
    const struct sl_column *text = sl_batch_column(t->result, "text");
    sl_port_add(&t->tally.in, ids, t->in.n_rows);
    sl_port_add(&t->tally.out, sl_batch_column(t->result, "id"), t->result->n_rows);
    for (int64_t i = 0; i < t->n_drops; i++)
        sl_port_add_row(&t->tally.rejected, ids, t->drops[i].row);
    if (text && t->run->tool->flow == SL_MAP)
        sl_tally_add_text(&t->tally, text);
}

static enum sl_status work(struct sl_task *t, struct sl_err *err)
{
    SL_TRY(begin_batch(t, err));
    SL_TRY(t->run->tool->map(t, err));
    if (!t->run->has_out_schema) {
        sl_port_add(&t->tally.in, sl_task_column(t, "id"), t->in.n_rows);
        t->tally.out = t->tally.in;
        return SL_OK;
    }
    SL_TRY(make_view(t, err));
    if (t->n_drops) {
        qsort(t->drops, (size_t)t->n_drops, sizeof *t->drops, by_row);
        SL_TRY(gather_kept(t, err));
        if (t->run->has_reject_schema)
            SL_TRY(gather_rejects(t, err));
    }
    count_batch(t);
    return SL_OK;
}

void sl_task_work(struct sl_task *t)
{
    t->status = work(t, &t->err);
}
