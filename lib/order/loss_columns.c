/* SPDX-License-Identifier: Apache-2.0 */
/* A batch goes on with its own columns as they lie; only where rows repeat are they
 * copied, one by one. */
#include "order/loss_columns.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[SL_LOSS_COLUMNS] = { "weight", "loss", "loss_recovery", "copy" };

int sl_loss_column_find(const char *name)
{
    for (int k = 0; k < SL_LOSS_COLUMNS; k++)
        if (strcmp(names[k], name) == 0)
            return k;
    return -1;
}

void sl_loss_values_set(struct sl_loss_values *v, const double *losses, int n_sets)
{
    v->loss = losses[0];
    v->before = n_sets > 1 ? losses[1] : (double)NAN;
    v->reference = n_sets > 2 ? losses[2] : (double)NAN;
    v->copy = 0;
}

double sl_loss_recovery(double loss, double before)
{
    double v = before > 0 ? (before - loss) / before : (double)NAN;
    return fabs(v) <= (double)FLT_MAX ? v : (double)NAN;
}

/* Where every column of the output comes from. */
static enum sl_status map_columns(struct sl_loss_columns *c, const struct sl_schema *in,
                                  const bool made[SL_LOSS_COLUMNS], struct sl_err *err)
{
    c->from = calloc(c->out->n_fields + 1, sizeof *c->from);
    if (!c->from)
        return sl_err_nomem(err, c->out->n_fields * sizeof *c->from);
    for (uint32_t i = 0; i < c->out->n_fields; i++) {
        const char *name = c->out->fields[i]->name;
        int k = sl_loss_column_find(name), at = sl_schema_find(in, name);
        bool here = k >= 0 && made[k];
        if (!here && at < 0)
            return sl_err_set(err, SL_E_BUG, "no column '%s' in the input", name);
        c->from[i] = here ? -1 - k : at;
    }
    return SL_OK;
}

enum sl_status sl_loss_columns_init(struct sl_loss_columns *c, const struct sl_schema *in,
                                    const struct sl_schema *out, const bool made[SL_LOSS_COLUMNS],
                                    struct sl_err *err)
{
    *c = (struct sl_loss_columns){ .out = out };
    sl_batch_init(&c->view);
    SL_TRY(map_columns(c, in, made, err));
    for (int k = 0; k < SL_LOSS_COLUMNS; k++) {
        int at = sl_schema_find(out, names[k]);
        if (!made[k])
            continue;
        if (at < 0)
            return sl_err_set(err, SL_E_BUG, "no column '%s' in the output", names[k]);
        c->made[k] = true;
        SL_TRY(sl_colbuf_init(&c->cols[k], out->fields[at], err));
    }
    return SL_OK;
}

void sl_loss_columns_release(struct sl_loss_columns *c)
{
    if (!c->out)
        return;
    for (int k = 0; k < SL_LOSS_COLUMNS; k++)
        if (c->made[k])
            sl_colbuf_release(&c->cols[k]);
    sl_batch_release(&c->view);
    free(c->from);
}

void sl_loss_columns_reset(struct sl_loss_columns *c)
{
    for (int k = 0; k < SL_LOSS_COLUMNS; k++)
        if (c->made[k])
            sl_colbuf_reset(&c->cols[k]);
}

static enum sl_status add_real(struct sl_colbuf *to, double v, struct sl_err *err)
{
    return isnan(v) ? sl_colbuf_add_null(to, err) : sl_colbuf_add_real(to, (double)(float)v, err);
}

static enum sl_status add_value(struct sl_colbuf *to, int k, const struct sl_loss_values *v,
                                struct sl_err *err)
{
    switch (k) {
    case SL_LOSS_COLUMN_WEIGHT:
        return sl_colbuf_add_real(to, (double)v->weight, err);
    case SL_LOSS_COLUMN_LOSS:
        return add_real(to, v->loss, err);
    case SL_LOSS_COLUMN_RECOVERY:
        return add_real(to, sl_loss_recovery(v->loss, v->before), err);
    default:
        return sl_colbuf_add_int(to, v->copy, err);
    }
}

enum sl_status sl_loss_columns_add(struct sl_loss_columns *c, const struct sl_loss_values *v,
                                   struct sl_err *err)
{
    for (int k = 0; k < SL_LOSS_COLUMNS; k++)
        if (c->made[k])
            SL_TRY(add_value(&c->cols[k], k, v, err));
    return SL_OK;
}

enum sl_status sl_loss_columns_view(struct sl_loss_columns *c, const struct sl_batch *batch,
                                    const struct sl_batch **view, struct sl_err *err)
{
    struct sl_batch *v = &c->view;
    size_t n = c->out->n_fields;
    sl_batch_reset(v);
    v->schema = c->out;
    v->n_rows = batch->n_rows;
    v->seq = batch->seq;
    v->columns = sl_arena_zeros(&v->arena, n, sizeof *v->columns);
    if (!v->columns)
        return sl_err_nomem(err, n * sizeof *v->columns);
    for (size_t i = 0; i < n; i++) {
        struct sl_column *to = &v->columns[i];
        int from = c->from[i];
        if (from < 0) {
            SL_TRY(sl_colbuf_lend(&c->cols[-1 - from], to, &v->arena, err));
            continue;
        }
        *to = batch->columns[from];
        to->field = c->out->fields[i];
    }
    *view = v;
    return SL_OK;
}

enum sl_status sl_loss_columns_row(const struct sl_loss_columns *c, struct sl_rows *rows,
                                   const struct sl_batch *batch, int64_t row,
                                   const struct sl_loss_values *v, struct sl_err *err)
{
    for (uint32_t i = 0; i < c->out->n_fields; i++) {
        int from = c->from[i];
        SL_TRY(from < 0 ? add_value(&rows->cols[i], -1 - from, v, err)
                        : sl_colbuf_take_range(&rows->cols[i], &batch->columns[from], row, 1, err));
    }
    return SL_OK;
}
