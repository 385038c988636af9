/* SPDX-License-Identifier: Apache-2.0 */
/* Ids that stand in one place alone, which is nearly always so, need no sorting: the
 * repetitions of their row count from 0. Otherwise the numbers of the rows are asked for
 * once more, with their ids, before anything is written. */
#include "order/resample.h"

#include <math.h>
#include <stdlib.h>

#include "base/num.h"
#include "order/copy_number.h"

struct sl_resample {
    struct sl_weigher *weigher;
    struct sl_resample_options o;
    struct sl_resampler sampler;
    struct sl_copy_numbers *numbers; /* NULL: not wanted */
    uint64_t total;
    bool numbered;
};

static bool parse(struct sl_str s, int64_t n_rows, uint64_t *rows)
{
    bool percent = s.n && s.p[s.n - 1] == '%';
    double part;
    if (!percent && sl_str_find(s, 0, '.') == s.n)
        return sl_parse_u64(s, rows) && *rows <= (uint64_t)1 << SL_RESAMPLE_ROWS_LOG2;
    s.n -= percent;
    if (!sl_parse_f64(s, &part) || part < 0)
        return false;
    part = floor((percent ? part / 100 : part) * (double)n_rows + 0.5);
    if (part > 0x1p39)
        return false;
    *rows = (uint64_t)part;
    return true;
}

enum sl_status sl_resample_parse(const char *text, int64_t n_rows, uint64_t *rows,
                                 struct sl_err *err)
{
    if (parse(sl_str_of(text), n_rows, rows))
        return SL_OK;
    return sl_err_set(err, SL_E_USAGE,
                      "--resample: '%s' is no number of sequences up to 2^39, and no part of them "
                      "such as 50%% or 1.5",
                      text);
}

static void rewind_rows(struct sl_resample *r)
{
    sl_resampler_init(&r->sampler, r->o.rows, r->total, r->o.random);
    sl_weigher_rewind(r->weigher);
}

static enum sl_status begin(struct sl_resample *r, struct sl_err *err)
{
    const double *losses;
    float weight;
    enum sl_status st;
    while ((st = sl_weigher_next(r->weigher, &weight, &losses, err)) == SL_OK)
        r->total += sl_weight_share(weight);
    if (st != SL_END)
        return st;
    if (!r->weigher->n_rows && r->o.rows)
        return sl_err_set(err, SL_E_DATA, "there are no sequences to take %llu of",
                          (unsigned long long)r->o.rows);
    rewind_rows(r);
    if (!sl_loss_join_counts(r->weigher->join)->ids_repeat)
        return SL_OK;
    return sl_copy_numbers_new(&r->numbers, r->o.mem_bytes, r->o.tmpdir, err);
}

enum sl_status sl_resample_new(struct sl_resample **out, struct sl_weigher *weigher,
                               const struct sl_resample_options *o, struct sl_err *err)
{
    struct sl_resample *r = calloc(1, sizeof *r);
    *out = NULL;
    if (!r)
        return sl_err_nomem(err, sizeof *r);
    r->weigher = weigher;
    r->o = *o;
    enum sl_status st = begin(r, err);
    if (st == SL_OK)
        *out = r;
    else
        sl_resample_free(r);
    return st;
}

void sl_resample_free(struct sl_resample *r)
{
    if (!r)
        return;
    sl_copy_numbers_free(r->numbers);
    free(r);
}

bool sl_resample_numbers(const struct sl_resample *r)
{
    return r->numbers;
}

static enum sl_status next_row(struct sl_resample *r, struct sl_loss_values *v, uint64_t *n,
                               struct sl_err *err)
{
    const double *losses;
    enum sl_status st = sl_weigher_next(r->weigher, &v->weight, &losses, err);
    if (st == SL_END)
        return sl_err_set(err, SL_E_BUG, "more rows in a later pass than in the first");
    SL_TRY(st);
    sl_loss_values_set(v, losses, r->weigher->n_sets);
    *n = sl_resampler_next(&r->sampler, sl_weight_share(v->weight));
    if (*n > SL_COPIES_MAX)
        return sl_err_set(err, SL_E_DATA,
                          "a sequence would be there %llu times, more than %d: a smaller sample or "
                          "a larger r is needed",
                          (unsigned long long)*n, SL_COPIES_MAX);
    return SL_OK;
}

enum sl_status sl_resample_number(struct sl_resample *r, const struct sl_batch *b,
                                  struct sl_err *err)
{
    const struct sl_column *id = sl_batch_column(b, "id");
    struct sl_loss_values v;
    uint64_t n;
    for (int64_t i = 0; i < b->n_rows; i++) {
        SL_TRY(next_row(r, &v, &n, err));
        SL_TRY(sl_copy_numbers_add(r->numbers, (const uint8_t *)sl_column_str(id, i).p, n, err));
    }
    return SL_OK;
}

enum sl_status sl_resample_next(struct sl_resample *r, struct sl_loss_values *v, uint64_t *n,
                                struct sl_err *err)
{
    uint64_t first = 0;
    if (r->numbers && !r->numbered) {
        SL_TRY(sl_copy_numbers_end(r->numbers, err));
        rewind_rows(r);
        r->numbered = true;
    }
    SL_TRY(next_row(r, v, n, err));
    if (r->numbers)
        SL_TRY(sl_copy_numbers_next(r->numbers, &first, err));
    v->copy = (int64_t)first;
    return SL_OK;
}
