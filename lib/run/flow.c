/* SPDX-License-Identifier: Apache-2.0 */
/* The flows that run on one thread, and what their steps call: rows out, rows
 * rejected, batches passed on, everything read again. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/run_private.h"
#include "run/source_name.h"

enum { RAW_MAX_BYTES = 64 * 1024 };

/* ---- rows out ---- */

struct sl_rows *sl_run_rows(struct sl_run *run)
{
    return &run->out.rows;
}

static const struct sl_colbuf *built(const struct sl_rows *r, const char *name)
{
    int at = sl_schema_find(r->schema, name);
    return at < 0 ? NULL : &r->cols[at];
}

/* Count the row that was just built, while its values are the last ones. */
static void count_built(struct sl_run *run, const struct sl_rows *r)
{
    const struct sl_colbuf *ids = built(r, "id");
    const struct sl_colbuf *text = built(r, "text");
    struct sl_hash128 id;
    run->tally.out.rows++;
    if (ids && ids->data.n >= sizeof id.b) {
        memcpy(id.b, ids->data.p + ids->data.n - sizeof id.b, sizeof id.b);
        sl_hash128_add(&run->tally.out.ids, id);
        if (run->tool->flow == SL_SOURCE)
            sl_hash128_add(&run->tally.in.ids, id);
    }
    if (run->tool->flow == SL_SOURCE)
        run->tally.in.rows++;
    if (text && text->n) {
        const int64_t *offsets = (const int64_t *)text->offsets.p;
        struct sl_column last = { .field = text->field, .n = 1, .offsets = offsets + text->n - 1 };
        sl_tally_add_text(&run->tally, &last);
    }
}

enum sl_status sl_run_close_row(struct sl_run *run, struct sl_err *err)
{
    count_built(run, &run->out.rows);
    SL_TRY(sl_out_row_done(&run->out, err));
    sl_progress_tick(run);
    return SL_OK;
}

enum sl_status sl_run_cut(struct sl_run *run, struct sl_err *err)
{
    return sl_out_cut(&run->out, err);
}

enum sl_status sl_run_pass(struct sl_run *run, const struct sl_batch *batch, struct sl_err *err)
{
    const struct sl_column *text = sl_batch_column(batch, "text");
    sl_port_add(&run->tally.out, sl_batch_column(batch, "id"), batch->n_rows);
    if (text)
        sl_tally_add_text(&run->tally, text);
    return sl_out_pass(&run->out, batch, err);
}

enum sl_status sl_run_pass_rows(struct sl_run *run, const struct sl_batch *batch,
                                const uint32_t *rows, size_t n_rows, struct sl_err *err)
{
    if ((int64_t)n_rows == batch->n_rows)
        return sl_run_pass(run, batch, err);
    if (!run->has_some) {
        SL_TRY(sl_rows_init(&run->some, &run->out_schema, err));
        sl_batch_init(&run->some_view);
        run->has_some = true;
    }
    sl_rows_reset(&run->some);
    SL_TRY(sl_rows_take(&run->some, batch, rows, n_rows, err));
    SL_TRY(sl_rows_lend(&run->some, &run->some_view, err));
    return sl_run_pass(run, &run->some_view, err);
}

/* ---- rows rejected ---- */

enum sl_status sl_run_count_bad(struct sl_run *run, const char *what, struct sl_err *err)
{
    uint64_t most = run->opt.strict ? 0 : run->opt.common.max_bad;
    if ((uint64_t)++run->n_bad <= most)
        return SL_OK;
    return sl_err_set(err, SL_E_DATA, "%lld bad records, more than %s allows; the last: %s",
                      (long long)run->n_bad, run->opt.strict ? "--strict" : "--max-bad", what);
}

static enum sl_status add_reason(struct sl_rows *r, uint32_t at, const char *reason,
                                 struct sl_str detail, struct sl_err *err)
{
    SL_TRY(sl_colbuf_add_str(&r->cols[at], sl_str_of(reason), err));
    return detail.n ? sl_colbuf_add_str(&r->cols[at + 1], detail, err)
                    : sl_colbuf_add_null(&r->cols[at + 1], err);
}

enum sl_status sl_run_reject(struct sl_run *run, const struct sl_batch *batch, int64_t row,
                             int reason, struct sl_str detail, struct sl_err *err)
{
    sl_port_add_row(&run->tally.rejected, sl_batch_column(batch, "id"), row);
    run->tally.reasons[reason]++;
    if (run->has_rest_schema) {
        SL_TRY(sl_rows_take_range(&run->rest.rows, batch, row, 1, err));
        SL_TRY(sl_out_rows_added(&run->rest, err));
    }
    if (!run->has_reject_schema)
        return SL_OK;
    struct sl_rows *r = &run->rejects.rows;
    uint32_t n_in = run->in.schema.n_fields;
    for (uint32_t c = 0; c < n_in; c++)
        SL_TRY(sl_colbuf_take_range(&r->cols[c], &batch->columns[c], row, 1, err));
    SL_TRY(add_reason(r, n_in, run->tool->reasons[reason], detail, err));
    return sl_out_row_done(&run->rejects, err);
}

static enum sl_status add_int_or_null(struct sl_colbuf *c, int64_t v, struct sl_err *err)
{
    return v < 0 ? sl_colbuf_add_null(c, err) : sl_colbuf_add_int(c, v, err);
}

enum { REJECT_ID, REJECT_SOURCE, REJECT_OFFSET, REJECT_LINE, REJECT_RAW, REJECT_REASON };

static enum sl_status add_raw_row(struct sl_run *run, const struct sl_raw_reject *r,
                                  struct sl_err *err)
{
    struct sl_rows *rows = &run->rejects.rows;
    struct sl_colbuf *c = rows->cols;
    struct sl_str raw = r->raw;
    if (raw.n > RAW_MAX_BYTES)
        raw.n = RAW_MAX_BYTES;
    SL_TRY(sl_colbuf_add_str(&c[REJECT_ID], (struct sl_str){ (const char *)r->id.b, 16 }, err));
    SL_TRY(sl_colbuf_add_str(&c[REJECT_SOURCE], r->source, err));
    SL_TRY(add_int_or_null(&c[REJECT_OFFSET], r->off, err));
    SL_TRY(add_int_or_null(&c[REJECT_LINE], r->line, err));
    SL_TRY(sl_colbuf_add_str(&c[REJECT_RAW], raw, err));
    SL_TRY(add_reason(rows, REJECT_REASON, run->tool->reasons[r->reason], r->detail, err));
    return sl_out_row_done(&run->rejects, err);
}

enum sl_status sl_run_reject_raw(struct sl_run *run, const struct sl_raw_reject *r,
                                 struct sl_err *err)
{
    struct sl_tally *t = &run->tally;
    t->in.rows++;
    t->rejected.rows++;
    sl_hash128_add(&t->in.ids, r->id);
    sl_hash128_add(&t->rejected.ids, r->id);
    t->reasons[r->reason]++;
    if (run->has_reject_schema)
        SL_TRY(add_raw_row(run, r, err));
    return r->bad ? sl_run_count_bad(run, run->tool->reasons[r->reason], err) : SL_OK;
}

/* ---- the flows ---- */

static enum sl_status flow_source(struct sl_run *run, struct sl_err *err)
{
    static const char *const standard_input[] = { "-" };
    const char *const *paths = run->n_inputs ? run->inputs : standard_input;
    int n = run->n_inputs ? run->n_inputs : 1;
    run->tally.law = "source";
    for (int i = 0; i < n; i++)
        SL_TRY(run->tool->read(run, paths[i], err));
    return SL_OK;
}

static enum sl_status take_batch(struct sl_run *run, struct sl_batch *batch, struct sl_err *err)
{
    if (!batch->n_rows)
        return SL_OK;
    sl_port_add(&run->tally.in, sl_batch_column(batch, "id"), batch->n_rows);
    run->bytes_in +=
        run->in.picks ? sl_inputs_bytes(&run->in) - run->bytes_in : (int64_t)batch->body.n;
    batch->seq = run->n_taken++;
    SL_TRY(sl_spool_add(run, batch, err));
    run->in_hand = batch;
    enum sl_status st = run->tool->step(run, batch, err);
    run->in_hand = NULL;
    sl_progress_tick(run);
    return st;
}

/* Files are read in parts where the tool looks at some columns alone. */
static enum sl_status pick_columns(struct sl_run *run, struct sl_err *err)
{
    const struct sl_schema *s = &run->in.schema;
    int id = sl_schema_find(s, "id"); /* for the tally */
    if (!run->tool->looks_at || run->tool->reads_once || !sl_inputs_are_files(&run->in))
        return SL_OK;
    bool *wanted = calloc(s->n_fields + 1, sizeof *wanted);
    if (!wanted)
        return sl_err_nomem(err, s->n_fields);
    if (id >= 0)
        wanted[id] = true;
    run->tool->looks_at(run, wanted);
    enum sl_status st = sl_inputs_pick(&run->in, wanted, err);
    free(wanted);
    return st;
}

void sl_run_blame(struct sl_run *run, enum sl_status st, int input, struct sl_err *err)
{
    bool of_input = st == SL_E_DATA || (st < 0 && err && err->sys_errno);
    if (of_input && err && run->tool->blame)
        run->tool->blame(run, input, err);
}

static enum sl_status flow_batches(struct sl_run *run, struct sl_err *err)
{
    struct sl_batch batch;
    sl_batch_init(&batch);
    enum sl_status st = pick_columns(run, err);
    if (st == SL_OK && run->tool->flow == SL_COLLECT && !run->tool->reads_once)
        st = sl_run_keep(run, err);
    while (st == SL_OK) {
        st = sl_inputs_next(&run->in, &batch, err);
        sl_run_blame(run, st, run->in.at, err);
        if (st == SL_OK)
            st = take_batch(run, &batch, err);
    }
    sl_batch_release(&batch);
    return st == SL_END ? SL_OK : st;
}

/* A sink whose workers do the work. */
static enum sl_status flow_mapped(struct sl_run *run, struct sl_err *err)
{
    SL_TRY(pick_columns(run, err));
    return sl_run_map(run, err);
}

enum sl_status sl_run_flow(struct sl_run *run, struct sl_err *err)
{
    const struct sl_tool *t = run->tool;
    switch (t->flow) {
    case SL_SOURCE:
        SL_TRY(flow_source(run, err));
        break;
    case SL_MAP:
        SL_TRY(sl_run_map(run, err));
        break;
    case SL_MERGE:
        SL_TRY(sl_run_merge(run, err));
        break;
    case SL_PLAIN:
        SL_TRY(t->plain(run, err));
        break;
    default:
        SL_TRY(t->map ? flow_mapped(run, err) : flow_batches(run, err));
        break;
    }
    return t->end ? t->end(run, err) : SL_OK;
}

/* ---- accessors ---- */

const void *sl_run_conf(const struct sl_run *run)
{
    return run->conf;
}

const struct sl_common *sl_run_common(const struct sl_run *run)
{
    return &run->opt.common;
}

const struct sl_tool *sl_run_tool(const struct sl_run *run)
{
    return run->tool;
}

void sl_run_set_state(struct sl_run *run, void *state)
{
    run->state = state;
}

void *sl_run_state(const struct sl_run *run)
{
    return run->state;
}

const struct sl_schema *sl_run_in_schema(const struct sl_run *run)
{
    return run->in_open ? &run->in.schema : NULL;
}

const struct sl_schema *sl_run_out_schema(const struct sl_run *run)
{
    return run->has_out_schema ? &run->out_schema : NULL;
}

int sl_run_n_inputs(const struct sl_run *run)
{
    return run->n_inputs;
}

const char *sl_run_input(const struct sl_run *run, int i)
{
    return run->inputs[i];
}

enum sl_status sl_run_set_inputs(struct sl_run *run, const char *const *paths, int n,
                                 struct sl_err *err)
{
    const char **copy = calloc((size_t)n + 1, sizeof *copy);
    if (!copy)
        return sl_err_nomem(err, (uint64_t)n * sizeof *copy);
    memcpy(copy, paths, (size_t)n * sizeof *copy);
    free(run->inputs);
    run->inputs = copy;
    run->n_inputs = n;
    return SL_OK;
}

void sl_run_set_tool(struct sl_run *run, const struct sl_tool *tool)
{
    run->tool = tool;
}

int sl_run_at_input(const struct sl_run *run)
{
    return run->in.at;
}

void sl_run_count(struct sl_run *run, int k, int64_t n)
{
    run->tally.counts[k] += n;
}

void sl_run_hist(struct sl_run *run, int k, double value)
{
    sl_tally_add_score(&run->tally, k, &run->tool->hists[k], value);
}

struct sl_tally *sl_run_tally(struct sl_run *run)
{
    return &run->tally;
}

void sl_run_add_bytes_in(struct sl_run *run, int64_t n)
{
    run->bytes_in += n;
    sl_progress_tick(run);
}

struct sl_sink *sl_run_sink(struct sl_run *run)
{
    return run->text;
}

void sl_run_warn(struct sl_run *run, const char *fmt, ...)
{
    char line[1200];
    if (run->opt.common.quiet)
        return;
    sl_progress_end(run);
    int n = snprintf(line, sizeof line, "%s: ", run->tool->name);
    va_list ap;
    va_start(ap, fmt);
    int m = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
    va_end(ap);
    size_t all = (size_t)n + (m > 0 ? (size_t)m : 0);
    if (all > sizeof line - 2)
        all = sizeof line - 2;
    line[all] = '\n';
    if (write(STDERR_FILENO, line, all + 1) < 0)
        run->opt.common.quiet = true; /* nobody to tell */
}

void sl_run_note(struct sl_run *run, const char *fmt, ...)
{
    size_t used = strlen(run->notes);
    if (used && used + 2 < sizeof run->notes) {
        memcpy(run->notes + used, "; ", 3);
        used += 2;
    }
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(run->notes + used, sizeof run->notes - used, fmt, ap);
    va_end(ap);
}

const char *sl_run_source_name(struct sl_run *run, const char *path)
{
    if (run->opt.source)
        return run->opt.source;
    return strcmp(path, "-") == 0 ? "" : sl_source_part(path, run->opt.source_depth);
}
