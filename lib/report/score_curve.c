/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbouring buckets are joined in place: of both halves the rows with the
 * smallest hashes stay, which is what one bucket over both would have kept. So the
 * result does not know how often buckets were joined. */
#include "report/score_curve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/row_hash.h"

enum { ID_BYTES = 16, FEW_BUCKETS = 50 };

/* Sums and differences of scores must stay finite. */
#define SCORE_MAX 1e300

void sl_curve_init(struct sl_curve *c, const char *score, uint64_t row_seed)
{
    *c = (struct sl_curve){ .width = 1, .row_seed = row_seed };
    snprintf(c->score, sizeof c->score, "%s", score);
}

void sl_curve_release(struct sl_curve *c)
{
    free(c->buckets);
    free(c->room);
    c->buckets = NULL;
    c->room = NULL;
}

static enum sl_status begin(struct sl_curve *c, struct sl_err *err)
{
    if (c->buckets)
        return SL_OK;
    c->buckets = calloc(SL_CURVE_BUCKETS, sizeof *c->buckets);
    c->room = calloc((size_t)(SL_CURVE_BUCKETS + 1) * SL_CURVE_ROWS, sizeof *c->room);
    if (!c->buckets || !c->room)
        return sl_err_nomem(err, (uint64_t)SL_CURVE_BUCKETS * SL_CURVE_ROWS * sizeof *c->room);
    for (int i = 0; i < SL_CURVE_BUCKETS; i++)
        c->buckets[i].kept = c->room + (size_t)i * SL_CURVE_ROWS;
    return SL_OK;
}

int sl_curve_n_buckets(const struct sl_curve *c)
{
    return (int)((c->rows + c->width - 1) / c->width);
}

/* A total order, so that what is kept does not depend on where a sort put equals. */
static int by_hash(const void *a, const void *b)
{
    const struct sl_curve_row *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->score < y->score ? -1 : x->score > y->score;
}

static int by_score(const void *a, const void *b)
{
    const struct sl_curve_row *x = a, *y = b;
    return x->score < y->score ? -1 : x->score > y->score;
}

/* ---- joining ---- */

/* A full bucket is a heap with its largest key on top, made when it fills. */
static void sift(struct sl_curve_row *heap, int n, int at)
{
    for (;;) {
        int child = 2 * at + 1;
        if (child >= n)
            return;
        if (child + 1 < n && by_hash(&heap[child + 1], &heap[child]) > 0)
            child++;
        if (by_hash(&heap[at], &heap[child]) >= 0)
            return;
        struct sl_curve_row t = heap[at];
        heap[at] = heap[child];
        heap[child] = t;
        at = child;
    }
}

static void make_heap(struct sl_curve_bucket *b)
{
    for (int i = b->n / 2; i >= 0; i--)
        sift(b->kept, b->n, i);
}

static void join(struct sl_curve_bucket *to, const struct sl_curve_bucket *a,
                 const struct sl_curve_bucket *b)
{
    struct sl_curve_row both[2 * SL_CURVE_ROWS];
    int n = 0;
    for (int i = 0; i < a->n; i++)
        both[n++] = a->kept[i];
    for (int i = 0; i < b->n; i++)
        both[n++] = b->kept[i];
    int64_t rows = a->rows + b->rows, nulls = a->nulls + b->nulls;
    double sum = a->sum + b->sum;
    if (n > SL_CURVE_ROWS) {
        qsort(both, (size_t)n, sizeof *both, by_hash);
        n = SL_CURVE_ROWS;
    }
    memcpy(to->kept, both, (size_t)n * sizeof *both);
    to->n = n;
    to->rows = rows;
    to->nulls = nulls;
    to->sum = sum;
    if (n == SL_CURVE_ROWS)
        make_heap(to);
}

static void fold(struct sl_curve *c)
{
    for (int i = 0; i < SL_CURVE_BUCKETS / 2; i++)
        join(&c->buckets[i], &c->buckets[2 * i], &c->buckets[2 * i + 1]);
    for (int i = SL_CURVE_BUCKETS / 2; i < SL_CURVE_BUCKETS; i++)
        c->buckets[i] = (struct sl_curve_bucket){ .kept = c->buckets[i].kept };
    c->width *= 2;
}

/* ---- adding ---- */

static void bucket_add(struct sl_curve_bucket *b, struct sl_curve_row row)
{
    if (b->n < SL_CURVE_ROWS) {
        b->kept[b->n++] = row;
        if (b->n == SL_CURVE_ROWS)
            make_heap(b);
        return;
    }
    if (by_hash(&row, &b->kept[0]) >= 0)
        return;
    b->kept[0] = row;
    sift(b->kept, b->n, 0);
}

static void add_stage(struct sl_curve *c, int64_t row, int64_t stage)
{
    if (c->n_stages && c->stages[c->n_stages - 1].stage == stage)
        return;
    if (c->n_stages == SL_CURVE_STAGES)
        c->many_stages = true;
    else
        c->stages[c->n_stages++] = (struct sl_curve_stage){ row, stage };
}

static const struct sl_column *number_column(const struct sl_batch *b, const char *name)
{
    const struct sl_column *c = sl_batch_column(b, name);
    return c && c->field->type <= SL_T_BOOL ? c : NULL;
}

static double number(const struct sl_column *c, int64_t row)
{
    if (sl_column_is_null(c, row))
        return NAN;
    if (c->field->type == SL_T_FLOAT32 || c->field->type == SL_T_FLOAT64)
        return sl_column_real(c, row);
    if (c->field->type == SL_T_BOOL)
        return sl_column_bool(c, row);
    int64_t v = sl_column_int(c, row);
    return c->field->type == SL_T_UINT64 ? (double)(uint64_t)v : (double)v;
}

static void add_row(struct sl_curve *c, double score, uint64_t hash)
{
    if (c->rows / c->width == SL_CURVE_BUCKETS)
        fold(c);
    struct sl_curve_bucket *b = &c->buckets[c->rows / c->width];
    b->rows++;
    c->rows++;
    if (fabs(score) <= SCORE_MAX) {
        b->sum += score;
        bucket_add(b, (struct sl_curve_row){ hash, score });
        return;
    }
    b->nulls++;
    c->nulls++;
}

enum sl_status sl_curve_add(struct sl_curve *c, const struct sl_batch *b, struct sl_err *err)
{
    const struct sl_column *score = number_column(b, c->score), *stage = number_column(b, "stage");
    const struct sl_column *id = sl_batch_column(b, "id"), *copy = sl_batch_column(b, "copy");
    const struct sl_column *tokens = sl_batch_column(b, "tokens");
    static const uint8_t no_id[ID_BYTES] = { 0 };
    SL_TRY(begin(c, err));
    c->seen |= score != NULL;
    if (stage && stage->field->type > SL_T_UINT64)
        stage = NULL;
    if (id && (id->field->type != SL_T_FIXED_BINARY || id->field->size != ID_BYTES))
        id = NULL;
    if (copy && copy->field->type != SL_T_UINT16)
        copy = NULL;
    if (tokens && tokens->field->type >= SL_T_LIST && tokens->field->n_children)
        c->tokens += tokens->children[0].n;
    for (int64_t i = 0; i < b->n_rows; i++) {
        const uint8_t *key = id ? id->data + i * ID_BYTES : no_id;
        uint16_t n = copy ? (uint16_t)sl_column_int(copy, i) : 0;
        if (stage)
            add_stage(c, c->rows, sl_column_int(stage, i));
        add_row(c, score ? number(score, i) : NAN, sl_row_hash(key, n, c->row_seed));
    }
    return SL_OK;
}

void sl_curve_end(struct sl_curve *c, int64_t min_rows)
{
    if (!c->buckets)
        return;
    while (c->width < min_rows && sl_curve_n_buckets(c) > FEW_BUCKETS)
        fold(c);
    for (int i = 0; i < sl_curve_n_buckets(c); i++)
        qsort(c->buckets[i].kept, (size_t)c->buckets[i].n, sizeof *c->buckets[i].kept, by_score);
}

double sl_curve_quantile(const struct sl_curve_bucket *b, double q)
{
    if (!b->n)
        return NAN;
    double at = q * (b->n - 1);
    int low = (int)floor(at), high = low + 1 < b->n ? low + 1 : low;
    return b->kept[low].score + (at - low) * (b->kept[high].score - b->kept[low].score);
}

double sl_curve_mean(const struct sl_curve_bucket *b)
{
    return b->rows > b->nulls ? b->sum / (double)(b->rows - b->nulls) : NAN;
}
