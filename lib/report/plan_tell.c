/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are read once for both. */
#include "report/plan_tell.h"

#include <stdlib.h>
#include <string.h>

#include "arrow/row_bytes.h"
#include "order/plan_record.h"
#include "order/plan_text.h"
#include "report/plan_page.h"

enum { MOST_ROWS = 256 };

struct sl_plan_tell {
    const struct sl_plan *plan;
    const struct sl_curriculum *c;
    const struct sl_schema *made;
    struct sl_plan_achieved *achieved;
    struct sl_plan_record *record;
    struct sl_plan_page *page;
    struct sl_rows rows;
    struct sl_batch view;
    bool has_rows;
};

enum sl_status sl_plan_tell_new(struct sl_plan_tell **out, const struct sl_plan_tell_conf *conf,
                                const struct sl_plan *plan, const struct sl_curriculum *c,
                                const struct sl_schema *made, struct sl_err *err)
{
    struct sl_plan_tell *t = *out = calloc(1, sizeof *t);
    if (!t)
        return sl_err_nomem(err, sizeof *t);
    *t = (struct sl_plan_tell){ .plan = plan, .c = c, .made = made };
    sl_batch_init(&t->view);
    SL_TRY(sl_plan_achieved_new(&t->achieved, sl_curriculum_order(c), plan->n_sources, conf->begin,
                                !conf->control, err));
    SL_TRY(sl_rows_init(&t->rows, made, err));
    t->has_rows = true;
    if (conf->page)
        SL_TRY(sl_plan_page_new(&t->page, conf->page, conf->force, plan, made, err));
    const struct sl_plan_record_conf record = { conf->record, conf->force, conf->tmpdir };
    if (conf->record)
        SL_TRY(sl_plan_record_new(&t->record, &record, made, err));
    return SL_OK;
}

void sl_plan_tell_free(struct sl_plan_tell *t)
{
    if (!t)
        return;
    sl_plan_achieved_free(t->achieved);
    sl_plan_record_free(t->record);
    sl_plan_page_free(t->page);
    if (t->has_rows)
        sl_rows_release(&t->rows);
    sl_batch_release(&t->view);
    free(t);
}

enum sl_status sl_plan_tell_place(void *ctx, const struct sl_plan_place *p, uint64_t at,
                                  struct sl_err *err)
{
    struct sl_plan_tell *t = ctx;
    sl_plan_achieved_add(t->achieved, p, at);
    return t->record ? sl_plan_record_see(t->record, at, p->source, err) : SL_OK;
}

enum sl_status sl_plan_tell_rows(struct sl_plan_tell *t, const struct sl_str *rows, size_t n,
                                 struct sl_err *err)
{
    struct sl_str copy[MOST_ROWS];
    if (n > MOST_ROWS)
        return sl_err_set(err, SL_E_BUG, "%zu rows at once", n);
    memcpy(copy, rows, n * sizeof *rows);
    sl_rows_reset(&t->rows);
    SL_TRY(sl_row_bytes_read(&t->rows, copy, n, err));
    t->rows.n = (int64_t)n;
    SL_TRY(sl_rows_lend(&t->rows, &t->view, err));
    if (t->page)
        SL_TRY(sl_plan_page_add(t->page, &t->view, err));
    return t->record ? sl_plan_record_add(t->record, &t->view, err) : SL_OK;
}

/* The record is whole before the rows are: whoever sees these can rely on it. */
static enum sl_status end_record(struct sl_plan_tell *t, struct sl_str lineage, struct sl_err *err)
{
    struct sl_buf text;
    char digest[32];
    const struct sl_plan_made made = { digest, t->achieved };
    SL_TRY(sl_plan_record_end(t->record, lineage, digest, err));
    sl_buf_init(&text, (size_t)1 << 30);
    enum sl_status st = sl_plan_text(t->plan, t->c, t->made->tokenizer, &made, &text, err);
    if (st == SL_OK)
        st = sl_plan_record_commit(t->record, sl_buf_str(&text), err);
    sl_buf_release(&text);
    return st;
}

enum sl_status sl_plan_tell_end(struct sl_plan_tell *t, struct sl_str lineage, struct sl_err *err)
{
    sl_plan_achieved_end(t->achieved);
    if (t->record)
        SL_TRY(end_record(t, lineage, err));
    return t->page ? sl_plan_page_commit(t->page, t->c, t->achieved, err) : SL_OK;
}
