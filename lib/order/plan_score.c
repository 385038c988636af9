/* SPDX-License-Identifier: Apache-2.0 */
/* The key of an expression is eight bytes of its value (null is above all), then the key of
 * id and copy, as row_key.c makes it: so equal scores are in the order of ids, as they are
 * for columns. */
#include "order/plan_score.h"
#include "base/num.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct sl_plan_score {
    struct sl_row_keys *keys;
    const struct sl_expr *expr; /* NULL: keys are all */
    bool moves;
    size_t n_columns;
    int columns[SL_EXPR_MAX_NAMES]; /* of each name; -1: a parameter */
};

static bool is_number(enum sl_type t)
{
    return t <= SL_T_UINT64 || t == SL_T_FLOAT32 || t == SL_T_FLOAT64 || t == SL_T_BOOL ||
           t == SL_T_TIMESTAMP;
}

static enum sl_status no_name(const struct sl_plan *plan, size_t k, const struct sl_schema *schema,
                              const char *name, struct sl_err *err)
{
    const struct sl_expr *e = plan->exprs[k];
    const char *names[SL_MAX_FIELDS + SL_EXPR_MAX_NAMES + 1];
    size_t n = 0;
    for (uint32_t i = 0; i < schema->n_fields && i < SL_MAX_FIELDS; i++)
        names[n++] = schema->fields[i]->name;
    for (size_t i = 0; i < e->n_names; i++)
        if (e->names[i].use != SL_EXPR_COLUMN)
            names[n++] = e->names[i].name;
    names[n] = NULL;
    const char *near = sl_str_nearest(sl_str_of(name), names);
    return sl_err_set(
        err, SL_E_DATA,
        "%s:%d:%d: '%s' in '%.200s' is no column of the input and no parameter of the "
        "order%s%s%s",
        plan->file, plan->score_lines[k], plan->score_columns[k], name, e->text,
        near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

static enum sl_status find_columns(struct sl_plan_score *s, const struct sl_plan *plan, size_t k,
                                   const struct sl_schema *schema, struct sl_err *err)
{
    for (size_t i = 0; i < s->expr->n_names; i++) {
        const struct sl_expr_name *name = &s->expr->names[i];
        s->columns[i] = -1;
        if (name->use != SL_EXPR_COLUMN)
            continue;
        int at = s->columns[i] = sl_schema_find(schema, name->name);
        if (at < 0)
            return no_name(plan, k, schema, name->name, err);
        if (!is_number(schema->fields[at]->type))
            return sl_err_set(err, SL_E_DATA, "%s:%d:%d: column '%s' in '%.200s' is no number",
                              plan->file, plan->score_lines[k], plan->score_columns[k], name->name,
                              s->expr->text);
        s->n_columns++;
    }
    return SL_OK;
}

static enum sl_status make(struct sl_plan_score *s, const struct sl_plan *plan, size_t k,
                           const struct sl_schema *schema, struct sl_err *err)
{
    struct sl_err why = SL_ERR_INIT;
    const char *by = s->expr ? NULL : plan->scores[k];
    enum sl_status st = sl_row_keys_parse(&s->keys, by, schema, &why);
    if (st != SL_OK)
        return sl_err_set(err, st == SL_E_SYSTEM ? st : SL_E_DATA, "%s:%d:%d: %.400s", plan->file,
                          plan->score_lines[k], plan->score_columns[k], why.msg);
    if (!s->expr)
        return SL_OK;
    s->moves = sl_expr_moves(s->expr);
    return find_columns(s, plan, k, schema, err);
}

enum sl_status sl_plan_score_new(struct sl_plan_score **out, const struct sl_plan *plan, size_t k,
                                 const struct sl_schema *schema, struct sl_err *err)
{
    struct sl_plan_score *s = *out = calloc(1, sizeof *s);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    s->expr = plan->exprs[k];
    enum sl_status st = make(s, plan, k, schema, err);
    if (st != SL_OK) {
        sl_plan_score_free(s);
        *out = NULL;
    }
    return st;
}

void sl_plan_score_free(struct sl_plan_score *s)
{
    if (s)
        sl_row_keys_free(s->keys);
    free(s);
}

size_t sl_plan_score_n_values(const struct sl_plan_score *s)
{
    return s->moves ? s->n_columns : 0;
}

void sl_plan_score_mark(const struct sl_plan_score *s, bool *wanted)
{
    sl_row_keys_mark(s->keys, wanted);
    for (size_t i = 0; s->expr && i < s->expr->n_names; i++)
        if (s->columns[i] >= 0)
            wanted[s->columns[i]] = true;
}

static double number_of(const struct sl_column *c, int64_t row)
{
    enum sl_type t = c->field->type;
    if (sl_column_is_null(c, row))
        return NAN;
    if (t == SL_T_FLOAT32 || t == SL_T_FLOAT64)
        return sl_column_real(c, row);
    if (t == SL_T_BOOL)
        return sl_column_bool(c, row);
    int64_t v = sl_column_int(c, row);
    return t == SL_T_UINT64 ? (double)(uint64_t)v : (double)v;
}

static enum sl_status add_values(const struct sl_plan_score *s, const double *v,
                                 struct sl_scored_row *to, struct sl_err *err)
{
    to->null = false;
    for (size_t i = 0; i < s->expr->n_names; i++) {
        if (s->columns[i] < 0)
            continue;
        to->null |= isnan(v[i]);
        SL_TRY(sl_buf_add(to->out, &v[i], sizeof v[i], err));
    }
    return SL_OK;
}

enum sl_status sl_plan_score_add(const struct sl_plan_score *s, const struct sl_batch *b,
                                 int64_t row, struct sl_scored_row *to, struct sl_err *err)
{
    const struct sl_expr *e = s->expr;
    double v[SL_EXPR_MAX_NAMES];
    for (size_t i = 0; e && i < e->n_names; i++)
        v[i] = s->columns[i] < 0 ? e->names[i].number : number_of(&b->columns[s->columns[i]], row);
    if (e && !s->moves) {
        double score = sl_expr_eval(e, v);
        uint8_t bits[8];
        sl_store_big(bits, sl_expr_rank_bits(score, e->desc), sizeof bits);
        to->null = isnan(score);
        SL_TRY(sl_buf_add(to->out, bits, sizeof bits, err));
    }
    SL_TRY(sl_row_keys_add(s->keys, b, row, to->out, e ? NULL : &to->null, err));
    uint8_t unit[4];
    sl_store_big(unit, to->unit, sizeof unit);
    SL_TRY(sl_buf_add(to->out, unit, sizeof unit, err));
    return s->moves ? add_values(s, v, to, err) : SL_OK;
}
