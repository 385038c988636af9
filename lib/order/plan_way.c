/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of a plan: a word, or a mapping with a score. */
#include <math.h>
#include <string.h>

#include "order/plan_reader.h"

struct way_text {
    const char *by, *kind, *nulls;
    struct sl_pacing pacing;
    double background, radius, first, last;
    uint64_t layers, parts, window;
    bool same_end;
};

enum { W_BY, W_KIND, W_NULLS, W_PACING, W_START, W_MAX, W_FROM, W_TO, W_BACKGROUND, W_PERMUTE };
#define WAY(member) offsetof(struct way_text, member)
static const struct sl_plan_key way_keys[] = {
    { "by", sl_plan_take_text, WAY(by) },
    { "kind", sl_plan_take_text, WAY(kind) },
    { "nulls", sl_plan_take_text, WAY(nulls) },
    { "pacing", sl_plan_take_pacing, WAY(pacing.kind) },
    { "start", sl_plan_take_share, WAY(pacing.start) },
    { "max", sl_plan_take_share, WAY(pacing.max) },
    { "from", sl_plan_take_share, WAY(pacing.from) },
    { "to", sl_plan_take_share, WAY(pacing.to) },
    { "background", sl_plan_take_share, WAY(background) },
    { "layers", sl_plan_take_count, WAY(layers) },
    { "parts", sl_plan_take_count, WAY(parts) },
    { "radius", sl_plan_take_share, WAY(radius) },
    { "first", sl_plan_take_share, WAY(first) },
    { "last", sl_plan_take_share, WAY(last) },
    { "same_end", sl_plan_take_bool, WAY(same_end) },
    { "window", sl_plan_take_count, WAY(window) },
    { "file", NULL, 0 },
    { "strata", NULL, 0 },
    { NULL, NULL, 0 },
};

static enum sl_status add_score(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                const char *by, int *out)
{
    struct sl_plan *p = r->plan;
    if (strpbrk(by, "+*/()"))
        return sl_plan_bad(r, n, "an expression as score is not there yet");
    for (*out = 0; (size_t)*out < p->n_scores; ++*out)
        if (strcmp(p->scores[*out], by) == 0)
            return SL_OK;
    if (p->n_scores == SL_PLAN_MAX_SCORES)
        return sl_plan_bad(r, n, "more than %d different scores", SL_PLAN_MAX_SCORES);
    p->score_lines[p->n_scores] = n->line;
    p->scores[p->n_scores++] = by;
    return SL_OK;
}

static enum sl_status set_permute(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                  const struct way_text *t, enum sl_permute_kind kind,
                                  struct sl_plan_way *out)
{
    struct sl_permute_conf c = sl_permute_usual(kind, 1, 0);
    struct sl_permute check;
    struct sl_err why = SL_ERR_INIT;
    c.layers = t->layers ? t->layers : c.layers;
    c.parts = t->parts ? t->parts : c.parts;
    c.window = t->window ? t->window : c.window;
    c.radius = isnan(t->radius) ? c.radius : t->radius;
    c.first = isnan(t->first) ? c.first : t->first;
    c.last = isnan(t->last) ? c.last : t->last;
    c.same_end = t->same_end;
    if (sl_permute_init(&check, &c, &why) != SL_OK)
        return sl_plan_bad(r, n, "%.300s", why.msg);
    out->permute = c;
    out->draw = SL_DRAW_PERMUTE;
    return SL_OK;
}

static enum sl_status set_kind(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                               const struct way_text *t, uint64_t mask, struct sl_plan_way *out)
{
    const char *names[SL_N_PERMUTES + 1] = { NULL };
    int kind = SL_PERMUTE_SORT;
    struct sl_yaml_node word = { .kind = SL_YAML_SCALAR, .line = n->line, .column = n->column };
    for (int i = 0; i < SL_N_PERMUTES; i++)
        names[i] = sl_permute_name((enum sl_permute_kind)i);
    if (t->kind) {
        word.text = sl_str_of(t->kind);
        SL_TRY(sl_plan_take_word(r, &word, "kind of order", names, &kind));
    }
    if (mask >> W_PACING & 1) {
        if (t->kind || mask >> W_PERMUTE)
            return sl_plan_bad(r, n, "an order has a pacing or a kind, not both");
        out->draw = SL_DRAW_POOL;
        out->pacing = t->pacing;
        out->background = t->background;
        return sl_plan_check_pacing(r, n, &t->pacing);
    }
    if (mask >> W_START & ((1u << (W_PERMUTE - W_START)) - 1))
        return sl_plan_bad(r, n, "start, max, from, to and background need a pacing");
    return set_permute(r, n, t, (enum sl_permute_kind)kind, out);
}

static enum sl_status take_way_map(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                   struct sl_plan_way *out)
{
    static const char *const nulls[] = { "error", "last", NULL };
    struct way_text t = { .pacing = SL_PACING_INIT, .radius = NAN, .first = NAN, .last = NAN };
    uint64_t mask = 0;
    int which = 0;
    SL_TRY(sl_plan_read_map(r, n, "order", way_keys, &t, &mask));
    if (!t.by)
        return sl_plan_bad(r, n, "an order needs a 'by', the score to sort by");
    if (t.nulls) {
        struct sl_yaml_node w = { .kind = SL_YAML_SCALAR, .line = n->line, .column = n->column };
        w.text = sl_str_of(t.nulls);
        SL_TRY(sl_plan_take_word(r, &w, "treatment of nulls", nulls, &which));
    }
    out->nulls_last = which == 1;
    SL_TRY(add_score(r, n, t.by, &out->score));
    return set_kind(r, n, &t, mask, out);
}

enum sl_status sl_plan_take_way(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *to)
{
    static const char *const words[] = { "shuffle", "given", NULL };
    struct sl_plan_way *out = to;
    int word = 0;
    out->line = n->line;
    out->column = n->column;
    out->score = -1;
    if (n->kind == SL_YAML_MAP)
        return take_way_map(r, n, out);
    SL_TRY(sl_plan_take_word(r, n, "order", words, &word));
    out->draw = word ? SL_DRAW_GIVEN : SL_DRAW_SHUFFLE;
    return SL_OK;
}

enum sl_status sl_plan_take_own(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *to)
{
    enum sl_status st;
    struct sl_plan_way *way = sl_plan_get(r, 1, sizeof *way, &st);
    SL_TRY(st);
    *(const struct sl_plan_way **)to = way;
    return sl_plan_take_way(r, n, way);
}
