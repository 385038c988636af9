/* SPDX-License-Identifier: Apache-2.0 */
/* A block is read four times: for the range of its losses, for the greatest f, for the
 * sum, for the weights. The greatest f is asked of the rows and not of the formula, so
 * that some exponent is 0 and the sum is 1 or more, however small r is.
 *
 * Resampling counts in whole numbers: the row whose shares reach from C to C + u is there
 * floor(((C + u) N + offset) / U) - floor((C N + offset) / U) times. The differences add
 * up to N exactly, which sums of doubles would only nearly do. */
#include "order/reweight.h"

#include <math.h>

#include "base/math.h"

bool sl_weight_kind_parse(struct sl_str word, enum sl_weight_kind *kind)
{
    static const char *const words[] = { "linupper", "quadratic", "extremes", "upper" };
    for (int i = 0; i < 4; i++)
        if (sl_str_eq(word, sl_str_of(words[i]))) {
            *kind = (enum sl_weight_kind)i;
            return true;
        }
    return false;
}

/* ---- weights ---- */

/* f of the paper; at one end of the block's losses h is -d, at the other d. */
static double f_of(const struct sl_weigher *w, double loss)
{
    double d = w->rule.d;
    double h = w->max > w->min ? d * ((loss - w->min) - (w->max - loss)) / (w->max - w->min) : 0;
    switch (w->rule.kind) {
    case SL_WEIGHT_LINUPPER:
        return h + d < d ? h + d : d;
    case SL_WEIGHT_QUADRATIC:
        return 1 - h * h / (d * d);
    case SL_WEIGHT_EXTREMES:
        return fabs(h);
    default:
        return (h + d) / 2;
    }
}

static double exp_of(const struct sl_weigher *w, double loss)
{
    return sl_exp((f_of(w, loss) - w->top) / w->rule.r);
}

enum pass { RANGE, TOP, SUM, N_PASSES };

static void look(struct sl_weigher *w, enum pass pass, double loss)
{
    if (pass == SUM) {
        w->sum += exp_of(w, loss);
        return;
    }
    if (pass == TOP) {
        double f = f_of(w, loss);
        w->top = f > w->top ? f : w->top;
        return;
    }
    w->min = loss < w->min ? loss : w->min;
    w->max = loss > w->max ? loss : w->max;
    w->n++;
}

static enum sl_status begin_block(struct sl_weigher *w, struct sl_err *err)
{
    int64_t left = w->n_rows - w->row;
    w->end = w->row + (w->rule.batch && w->rule.batch < left ? w->rule.batch : left);
    w->n = 0;
    w->min = (double)INFINITY;
    w->max = w->top = -(double)INFINITY;
    w->sum = 0;
    for (int pass = RANGE; pass < N_PASSES; pass++)
        for (int64_t r = w->row; r < w->end; r++) {
            const double *loss;
            SL_TRY(sl_loss_join_values(w->join, r, &loss, err));
            if (!isnan(*loss))
                look(w, (enum pass)pass, *loss);
        }
    return SL_OK;
}

void sl_weigher_init(struct sl_weigher *w, const struct sl_weight_rule *rule,
                     struct sl_loss_join *join)
{
    *w = (struct sl_weigher){ .rule = *rule,
                              .join = join,
                              .n_sets = sl_loss_join_counts(join)->n_sets,
                              .n_rows = sl_loss_join_counts(join)->rows };
}

void sl_weigher_rewind(struct sl_weigher *w)
{
    w->row = w->end = 0;
}

enum sl_status sl_weigher_next(struct sl_weigher *w, float *weight, const double **losses,
                               struct sl_err *err)
{
    if (w->row == w->n_rows)
        return SL_END;
    if (w->row == w->end)
        SL_TRY(begin_block(w, err));
    SL_TRY(sl_loss_join_values(w->join, w->row++, losses, err));
    *weight = isnan(**losses) ? 1.0F : (float)(exp_of(w, **losses) * (double)w->n / w->sum);
    return SL_OK;
}

/* ---- resampling ---- */

uint64_t sl_weight_share(float weight)
{
    return (uint64_t)floor(ldexp((double)weight, 24) + 0.5);
}

void sl_resampler_init(struct sl_resampler *s, uint64_t wanted, uint64_t total, uint64_t random)
{
    uint64_t offset = (uint64_t)((unsigned __int128)random * total >> 64);
    *s = (struct sl_resampler){ .wanted = wanted, .total = total, .offset = offset };
}

uint64_t sl_resampler_next(struct sl_resampler *s, uint64_t share)
{
    s->before += share;
    uint64_t up_to = (uint64_t)(((unsigned __int128)s->before * s->wanted + s->offset) / s->total);
    uint64_t n = up_to - s->made;
    s->made = up_to;
    return n;
}
