/* SPDX-License-Identifier: Apache-2.0 */
/* Mixtures of a plan: shares, what alpha divides, and mixtures that move. */
#include <math.h>

#include "order/plan_reader.h"

#define STAGE(member) offsetof(struct sl_plan_stage, member)

enum sl_status sl_plan_find_source(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                   size_t *out)
{
    for (*out = 0; n->kind == SL_YAML_SCALAR && r->source_names[*out]; ++*out)
        if (sl_str_eq(n->text, sl_str_of(r->source_names[*out])))
            return SL_OK;
    return n->kind == SL_YAML_SCALAR ? sl_plan_unknown(r, n, "source", r->source_names)
                                     : sl_plan_bad(r, n, "expected the name of a source");
}

static enum sl_status take_of(struct sl_plan_reader *r, const struct sl_yaml_node *n, bool *of)
{
    size_t i;
    if (n->kind != SL_YAML_SEQ)
        return sl_plan_bad(r, n, "of: expected a list of sources");
    for (const struct sl_yaml_node *c = n->first; c; c = c->next) {
        SL_TRY(sl_plan_find_source(r, c, &i));
        if (of[i])
            return sl_plan_bad(r, c, "source '%s' stands twice", r->source_names[i]);
        of[i] = true;
    }
    return SL_OK;
}

/* Given shares sum to one, or leave something to those of alpha. */
static enum sl_status check_mix(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                const struct sl_plan_mix *m)
{
    double sum = 0;
    size_t n_of = 0;
    for (size_t i = 0; i < r->plan->n_sources; i++) {
        sum += m->given[i];
        n_of += m->of[i];
        if (m->of[i] && m->given[i] > 0)
            return sl_plan_bad(r, n, "source '%s' has a share and stands in 'of'",
                               r->source_names[i]);
    }
    if (m->by_size && !n_of)
        return sl_plan_bad(r, n, "alpha needs 'of', a list of sources");
    if (!m->by_size && n_of)
        return sl_plan_bad(r, n, "of needs 'alpha'");
    if (m->by_size ? sum > 1 - 1e-9 : fabs(sum - 1) > 1e-6)
        return sl_plan_bad(r, n, "the shares sum to %.9g, not to %s", sum,
                           m->by_size ? "less than 1" : "1");
    return SL_OK;
}

static enum sl_status new_mix(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                              struct sl_plan_mix **out, double **given, bool **of)
{
    enum sl_status st;
    struct sl_plan_mix *m = *out = sl_plan_get(r, 1, sizeof *m, &st);
    SL_TRY(st);
    m->given = *given = sl_plan_get(r, r->plan->n_sources, sizeof **given, &st);
    SL_TRY(st);
    m->of = *of = sl_plan_get(r, r->plan->n_sources, sizeof **of, &st);
    SL_TRY(st);
    m->line = n->line;
    m->column = n->column;
    return sl_plan_need_map(r, n, "mixture");
}

static enum sl_status take_mix(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *to)
{
    struct sl_plan_mix *m;
    double *given;
    bool *of;
    SL_TRY(new_mix(r, n, &m, &given, &of));
    for (const struct sl_yaml_node *k = n->first; k; k = k->next->next) {
        size_t i;
        if (sl_str_eq(k->text, SL_STR("alpha"))) {
            m->by_size = true;
            SL_TRY(sl_plan_take_number(r, k->next, &m->alpha));
            if (!(m->alpha >= 0 && m->alpha <= 8))
                return sl_plan_bad(r, k, "alpha is 0 to 8");
        } else if (sl_str_eq(k->text, SL_STR("of"))) {
            SL_TRY(take_of(r, k->next, of));
        } else {
            SL_TRY(sl_plan_find_source(r, k, &i));
            SL_TRY(sl_plan_take_share(r, k->next, &given[i]));
        }
    }
    *(const struct sl_plan_mix **)to = m;
    return check_mix(r, n, m);
}

static const struct sl_plan_key moving_keys[] = {
    { "from", take_mix, STAGE(from) },
    { "to", take_mix, STAGE(to) },
    { "pacing", sl_plan_take_pacing, STAGE(pacing.kind) },
    { NULL, NULL, 0 },
};

enum sl_status sl_plan_take_mixture(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                    void *to)
{
    struct sl_plan_stage *s = to;
    SL_TRY(sl_plan_need_map(r, n, "mixture"));
    for (const struct sl_yaml_node *k = n->first; k; k = k->next->next)
        if (sl_str_eq(k->text, SL_STR("from")) || sl_str_eq(k->text, SL_STR("to"))) {
            SL_TRY(sl_plan_read_map(r, n, "mixture", moving_keys, s, NULL));
            return s->from && s->to ? SL_OK
                                    : sl_plan_bad(r, n, "a moving mixture has 'from' and 'to'");
        }
    return take_mix(r, n, &s->from);
}
