/* SPDX-License-Identifier: Apache-2.0 */
/* Plans. Many values of a plan have several forms (a word or a mapping, shares or a way
 * to divide), and every later complaint needs a line, so the tree of the text is read
 * here by hand rather than by tables of base/yaml.h.
 *
 * Every mapping is walked by read_map: a list of keys with a function each; a key
 * without one is known, and refused. */
#include "order/plan.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/yaml_node.h"

struct reader {
    struct sl_plan *plan;
    const char *const *source_names; /* ended by NULL */
    struct sl_err *err;
};

typedef enum sl_status (*take)(struct reader *r, const struct sl_yaml_node *n, void *out);

struct key {
    const char *name;
    take take; /* NULL: known, and not built yet */
    size_t offset;
};

/* ---- complaints ---- */

SL_PRINTF(3, 4)
static enum sl_status bad(struct reader *r, const struct sl_yaml_node *n, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return sl_err_set(r->err, SL_E_DATA, "%s:%d:%d: %s", r->plan->file, n->line, n->column, text);
}

static int shown(const struct sl_yaml_node *n)
{
    return n->text.n < 60 ? (int)n->text.n : 60;
}

static enum sl_status unknown(struct reader *r, const struct sl_yaml_node *n, const char *what,
                              const char *const *names)
{
    const char *near = sl_str_nearest(n->text, names);
    return bad(r, n, "unknown %s '%.*s'%s%s%s", what, shown(n), n->text.p,
               near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

static enum sl_status later(struct reader *r, const struct sl_yaml_node *n)
{
    return bad(r, n, "'%.*s' is not there yet", shown(n), n->text.p);
}

/* ---- mappings ---- */

static enum sl_status need_map(struct reader *r, const struct sl_yaml_node *n, const char *what)
{
    if (n->kind == SL_YAML_MAP)
        return SL_OK;
    return bad(r, n, "%s: expected a mapping (key: value)", what);
}

/* mask: bit i where keys[i] was given; may be NULL. */
static enum sl_status read_map(struct reader *r, const struct sl_yaml_node *map, const char *what,
                               const struct key *keys, void *out, uint64_t *mask)
{
    const char *names[33] = { NULL };
    for (int i = 0; keys[i].name; i++)
        names[i] = keys[i].name;
    SL_TRY(need_map(r, map, what));
    for (const struct sl_yaml_node *k = map->first; k; k = k->next->next) {
        int i = 0;
        while (keys[i].name && !sl_str_eq(k->text, sl_str_of(keys[i].name)))
            i++;
        if (!keys[i].name)
            return unknown(r, k, "key", names);
        if (!keys[i].take)
            return later(r, k);
        if (mask)
            *mask |= UINT64_C(1) << i;
        SL_TRY(keys[i].take(r, k->next, (char *)out + keys[i].offset));
    }
    return SL_OK;
}

/* ---- scalars ---- */

static enum sl_status take_number(struct reader *r, const struct sl_yaml_node *n, void *out)
{
    if (n->kind != SL_YAML_SCALAR || !n->plain || !sl_parse_f64(n->text, out))
        return bad(r, n, "expected a number");
    return SL_OK;
}

static enum sl_status take_count(struct reader *r, const struct sl_yaml_node *n, void *out)
{
    uint64_t v;
    if (n->kind != SL_YAML_SCALAR || !n->plain || !sl_parse_u64(n->text, &v) || v < 1 ||
        v > SL_PERMUTE_MAX)
        return bad(r, n, "expected a whole number of 1 or more");
    *(uint64_t *)out = v;
    return SL_OK;
}

static enum sl_status take_seed(struct reader *r, const struct sl_yaml_node *n, void *out)
{
    if (n->kind != SL_YAML_SCALAR || !n->plain || !sl_parse_u64(n->text, out))
        return bad(r, n, "expected a whole number");
    return SL_OK;
}

static enum sl_status take_bool(struct reader *r, const struct sl_yaml_node *n, void *out)
{
    bool yes = n->kind == SL_YAML_SCALAR && sl_str_eq(n->text, SL_STR("true"));
    if (!yes && (n->kind != SL_YAML_SCALAR || !sl_str_eq(n->text, SL_STR("false"))))
        return bad(r, n, "expected true or false");
    *(bool *)out = yes;
    return SL_OK;
}

static enum sl_status take_text(struct reader *r, const struct sl_yaml_node *n, void *out)
{
    if (n->kind != SL_YAML_SCALAR || !n->text.n || memchr(n->text.p, 0, n->text.n))
        return bad(r, n, "expected a string");
    *(const char **)out = n->text.p;
    return SL_OK;
}

/* 0.05 or 5%: a number of 0 .. 1. */
static enum sl_status take_share(struct reader *r, const struct sl_yaml_node *n, void *out)
{
    struct sl_str s = n->text;
    double v = -1;
    bool percent = n->kind == SL_YAML_SCALAR && s.n && s.p[s.n - 1] == '%';
    s.n -= percent;
    if (n->kind != SL_YAML_SCALAR || !sl_parse_f64(s, &v))
        return bad(r, n, "expected a share: 0.05 or 5%%");
    v = percent ? v / 100 : v;
    if (!(v >= 0 && v <= 1))
        return bad(r, n, "a share of %.*s is not between 0 and 1", shown(n), n->text.p);
    *(double *)out = v;
    return SL_OK;
}

static enum sl_status take_word(struct reader *r, const struct sl_yaml_node *n, const char *what,
                                const char *const *words, int *out)
{
    if (n->kind != SL_YAML_SCALAR)
        return bad(r, n, "expected a word: %s", what);
    for (int i = 0; words[i]; i++)
        if (sl_str_eq(n->text, sl_str_of(words[i]))) {
            *out = i;
            return SL_OK;
        }
    return unknown(r, n, what, words);
}

static enum sl_status take_pacing(struct reader *r, const struct sl_yaml_node *n, void *out)
{
    const char *names[SL_N_PACINGS + 1] = { NULL };
    int kind = 0;
    for (int i = 0; i < SL_N_PACINGS; i++)
        names[i] = sl_pacing_name((enum sl_pacing_kind)i);
    SL_TRY(take_word(r, n, "pacing", names, &kind));
    *(enum sl_pacing_kind *)out = (enum sl_pacing_kind)kind;
    return SL_OK;
}

static enum sl_status check_pacing(struct reader *r, const struct sl_yaml_node *n,
                                   const struct sl_pacing *p)
{
    struct sl_err why = SL_ERR_INIT;
    return sl_pacing_check(p, &why) == SL_OK ? SL_OK : bad(r, n, "%.300s", why.msg);
}

static void *get(struct reader *r, size_t count, size_t size, enum sl_status *st)
{
    void *p = sl_arena_zeros(&r->plan->arena, count + 1, size);
    *st = p ? SL_OK : sl_err_nomem(r->err, count * size);
    return p;
}

/* ---- ways to draw ---- */

struct way_text {
    const char *by, *kind, *nulls;
    struct sl_pacing pacing;
    double background, radius, first, last;
    uint64_t layers, parts, window;
    bool same_end;
};

enum { W_BY, W_KIND, W_NULLS, W_PACING, W_START, W_MAX, W_FROM, W_TO, W_BACKGROUND, W_PERMUTE };
#define WAY(member) offsetof(struct way_text, member)
static const struct key way_keys[] = {
    { "by", take_text, WAY(by) },
    { "kind", take_text, WAY(kind) },
    { "nulls", take_text, WAY(nulls) },
    { "pacing", take_pacing, WAY(pacing.kind) },
    { "start", take_share, WAY(pacing.start) },
    { "max", take_share, WAY(pacing.max) },
    { "from", take_share, WAY(pacing.from) },
    { "to", take_share, WAY(pacing.to) },
    { "background", take_share, WAY(background) },
    { "layers", take_count, WAY(layers) },
    { "parts", take_count, WAY(parts) },
    { "radius", take_share, WAY(radius) },
    { "first", take_share, WAY(first) },
    { "last", take_share, WAY(last) },
    { "same_end", take_bool, WAY(same_end) },
    { "window", take_count, WAY(window) },
    { "file", NULL, 0 },
    { "strata", NULL, 0 },
    { NULL, NULL, 0 },
};

static enum sl_status add_score(struct reader *r, const struct sl_yaml_node *n, const char *by,
                                int *out)
{
    struct sl_plan *p = r->plan;
    if (strpbrk(by, "+*/()"))
        return bad(r, n, "an expression as score is not there yet");
    for (*out = 0; (size_t)*out < p->n_scores; ++*out)
        if (strcmp(p->scores[*out], by) == 0)
            return SL_OK;
    if (p->n_scores == SL_PLAN_MAX_SCORES)
        return bad(r, n, "more than %d different scores", SL_PLAN_MAX_SCORES);
    p->score_lines[p->n_scores] = n->line;
    p->scores[p->n_scores++] = by;
    return SL_OK;
}

static enum sl_status set_permute(struct reader *r, const struct sl_yaml_node *n,
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
        return bad(r, n, "%.300s", why.msg);
    out->permute = c;
    out->draw = SL_DRAW_PERMUTE;
    return SL_OK;
}

static enum sl_status set_kind(struct reader *r, const struct sl_yaml_node *n,
                               const struct way_text *t, uint64_t mask, struct sl_plan_way *out)
{
    const char *names[SL_N_PERMUTES + 1] = { NULL };
    int kind = SL_PERMUTE_SORT;
    struct sl_yaml_node word = { .kind = SL_YAML_SCALAR, .line = n->line, .column = n->column };
    for (int i = 0; i < SL_N_PERMUTES; i++)
        names[i] = sl_permute_name((enum sl_permute_kind)i);
    if (t->kind) {
        word.text = sl_str_of(t->kind);
        SL_TRY(take_word(r, &word, "kind of order", names, &kind));
    }
    if (mask >> W_PACING & 1) {
        if (t->kind || mask >> W_PERMUTE)
            return bad(r, n, "an order has a pacing or a kind, not both");
        out->draw = SL_DRAW_POOL;
        out->pacing = t->pacing;
        out->background = t->background;
        return check_pacing(r, n, &t->pacing);
    }
    if (mask >> W_START & ((1u << (W_PERMUTE - W_START)) - 1))
        return bad(r, n, "start, max, from, to and background need a pacing");
    return set_permute(r, n, t, (enum sl_permute_kind)kind, out);
}

static enum sl_status take_way_map(struct reader *r, const struct sl_yaml_node *n,
                                   struct sl_plan_way *out)
{
    static const char *const nulls[] = { "error", "last", NULL };
    struct way_text t = { .pacing = SL_PACING_INIT, .radius = NAN, .first = NAN, .last = NAN };
    uint64_t mask = 0;
    int which = 0;
    SL_TRY(read_map(r, n, "order", way_keys, &t, &mask));
    if (!t.by)
        return bad(r, n, "an order needs a 'by', the score to sort by");
    if (t.nulls) {
        struct sl_yaml_node w = { .kind = SL_YAML_SCALAR, .line = n->line, .column = n->column };
        w.text = sl_str_of(t.nulls);
        SL_TRY(take_word(r, &w, "treatment of nulls", nulls, &which));
    }
    out->nulls_last = which == 1;
    SL_TRY(add_score(r, n, t.by, &out->score));
    return set_kind(r, n, &t, mask, out);
}

static enum sl_status take_way(struct reader *r, const struct sl_yaml_node *n, void *to)
{
    static const char *const words[] = { "shuffle", "given", NULL };
    struct sl_plan_way *out = to;
    int word = 0;
    out->line = n->line;
    out->column = n->column;
    out->score = -1;
    if (n->kind == SL_YAML_MAP)
        return take_way_map(r, n, out);
    SL_TRY(take_word(r, n, "order", words, &word));
    out->draw = word ? SL_DRAW_GIVEN : SL_DRAW_SHUFFLE;
    return SL_OK;
}

static enum sl_status take_own(struct reader *r, const struct sl_yaml_node *n, void *to)
{
    enum sl_status st;
    struct sl_plan_way *way = get(r, 1, sizeof *way, &st);
    SL_TRY(st);
    *(const struct sl_plan_way **)to = way;
    return take_way(r, n, way);
}

/* ---- sources ---- */

static enum sl_status take_paths(struct reader *r, const struct sl_yaml_node *n, void *to)
{
    struct sl_plan_source *s = (void *)((char *)to - offsetof(struct sl_plan_source, paths));
    enum sl_status st;
    size_t count = n->kind == SL_YAML_SEQ ? n->n : 1;
    const char **paths = get(r, count, sizeof *paths, &st);
    SL_TRY(st);
    if (!count)
        return bad(r, n, "a source without a path");
    const struct sl_yaml_node *one = n->kind == SL_YAML_SEQ ? n->first : n;
    for (size_t i = 0; i < count; i++, one = one->next)
        SL_TRY(take_text(r, one, &paths[i]));
    s->paths = paths;
    s->n_paths = count;
    return SL_OK;
}

static enum sl_status take_epochs(struct reader *r, const struct sl_yaml_node *n, void *out)
{
    SL_TRY(take_count(r, n, out));
    return *(uint64_t *)out <= 65535 ? SL_OK : bad(r, n, "more than 65535 epochs");
}

static enum sl_status take_empty(struct reader *r, const struct sl_yaml_node *n, void *out)
{
    static const char *const words[] = { "error", "stop", "repeat", "redistribute", NULL };
    int word = 0;
    SL_TRY(take_word(r, n, "when_empty", words, &word));
    *(enum sl_plan_empty *)out = (enum sl_plan_empty)word;
    return SL_OK;
}

#define SOURCE(member) offsetof(struct sl_plan_source, member)
static const struct key source_keys[] = {
    { "path", take_paths, SOURCE(paths) },
    { "epochs", take_epochs, SOURCE(epochs) },
    { "when_empty", take_empty, SOURCE(when_empty) },
    { "order", take_own, SOURCE(own) },
    { "group", NULL, 0 },
    { NULL, NULL, 0 },
};

static enum sl_status take_source(struct reader *r, const struct sl_yaml_node *name,
                                  struct sl_plan_source *s)
{
    s->line = name->line;
    s->column = name->column;
    s->epochs = 1;
    SL_TRY(take_text(r, name, &s->name));
    if (sl_str_eq(name->text, SL_STR("alpha")) || sl_str_eq(name->text, SL_STR("of")) ||
        sl_str_eq(name->text, SL_STR("from")) || sl_str_eq(name->text, SL_STR("to")) ||
        sl_str_eq(name->text, SL_STR("pacing")))
        return bad(r, name, "a source cannot be called '%s', which is a key of mixtures", s->name);
    SL_TRY(read_map(r, name->next, s->name, source_keys, s, NULL));
    return s->paths ? SL_OK : bad(r, name, "source '%s' has no path", s->name);
}

static enum sl_status take_sources(struct reader *r, const struct sl_yaml_node *n, void *out)
{
    struct sl_plan *p = out;
    enum sl_status st;
    SL_TRY(need_map(r, n, "sources"));
    p->n_sources = n->n / 2;
    if (!p->n_sources || p->n_sources > SL_PLAN_MAX_SOURCES)
        return bad(r, n, "a plan has 1 to %d sources", SL_PLAN_MAX_SOURCES);
    p->sources = get(r, p->n_sources, sizeof *p->sources, &st);
    SL_TRY(st);
    const char **names = get(r, p->n_sources, sizeof *names, &st);
    SL_TRY(st);
    size_t i = 0;
    for (const struct sl_yaml_node *k = n->first; k; k = k->next->next, i++) {
        SL_TRY(take_source(r, k, &p->sources[i]));
        names[i] = p->sources[i].name;
    }
    r->source_names = names;
    return SL_OK;
}

/* ---- mixtures ---- */

static enum sl_status find_source(struct reader *r, const struct sl_yaml_node *n, size_t *out)
{
    for (*out = 0; n->kind == SL_YAML_SCALAR && r->source_names[*out]; ++*out)
        if (sl_str_eq(n->text, sl_str_of(r->source_names[*out])))
            return SL_OK;
    return n->kind == SL_YAML_SCALAR ? unknown(r, n, "source", r->source_names)
                                     : bad(r, n, "expected the name of a source");
}

static enum sl_status take_of(struct reader *r, const struct sl_yaml_node *n, bool *of)
{
    size_t i;
    if (n->kind != SL_YAML_SEQ)
        return bad(r, n, "of: expected a list of sources");
    for (const struct sl_yaml_node *c = n->first; c; c = c->next) {
        SL_TRY(find_source(r, c, &i));
        if (of[i])
            return bad(r, c, "source '%s' stands twice", r->source_names[i]);
        of[i] = true;
    }
    return SL_OK;
}

/* Given shares sum to one, or leave something to those of alpha. */
static enum sl_status check_mix(struct reader *r, const struct sl_yaml_node *n,
                                const struct sl_plan_mix *m)
{
    double sum = 0;
    size_t n_of = 0;
    for (size_t i = 0; i < r->plan->n_sources; i++) {
        sum += m->given[i];
        n_of += m->of[i];
        if (m->of[i] && m->given[i] > 0)
            return bad(r, n, "source '%s' has a share and stands in 'of'", r->source_names[i]);
    }
    if (m->by_size && !n_of)
        return bad(r, n, "alpha needs 'of', a list of sources");
    if (!m->by_size && n_of)
        return bad(r, n, "of needs 'alpha'");
    if (m->by_size ? sum > 1 - 1e-9 : fabs(sum - 1) > 1e-6)
        return bad(r, n, "the shares sum to %.9g, not to %s", sum,
                   m->by_size ? "less than 1" : "1");
    return SL_OK;
}

static enum sl_status new_mix(struct reader *r, const struct sl_yaml_node *n,
                              struct sl_plan_mix **out, double **given, bool **of)
{
    enum sl_status st;
    struct sl_plan_mix *m = *out = get(r, 1, sizeof *m, &st);
    SL_TRY(st);
    m->given = *given = get(r, r->plan->n_sources, sizeof **given, &st);
    SL_TRY(st);
    m->of = *of = get(r, r->plan->n_sources, sizeof **of, &st);
    SL_TRY(st);
    m->line = n->line;
    m->column = n->column;
    return need_map(r, n, "mixture");
}

static enum sl_status take_mix(struct reader *r, const struct sl_yaml_node *n, void *to)
{
    struct sl_plan_mix *m;
    double *given;
    bool *of;
    SL_TRY(new_mix(r, n, &m, &given, &of));
    for (const struct sl_yaml_node *k = n->first; k; k = k->next->next) {
        size_t i;
        if (sl_str_eq(k->text, SL_STR("alpha"))) {
            m->by_size = true;
            SL_TRY(take_number(r, k->next, &m->alpha));
            if (!(m->alpha >= 0 && m->alpha <= 8))
                return bad(r, k, "alpha is 0 to 8");
        } else if (sl_str_eq(k->text, SL_STR("of"))) {
            SL_TRY(take_of(r, k->next, of));
        } else {
            SL_TRY(find_source(r, k, &i));
            SL_TRY(take_share(r, k->next, &given[i]));
        }
    }
    *(const struct sl_plan_mix **)to = m;
    return check_mix(r, n, m);
}

#define STAGE(member) offsetof(struct sl_plan_stage, member)
static const struct key moving_keys[] = {
    { "from", take_mix, STAGE(from) },
    { "to", take_mix, STAGE(to) },
    { "pacing", take_pacing, STAGE(pacing.kind) },
    { NULL, NULL, 0 },
};

static enum sl_status take_mixture(struct reader *r, const struct sl_yaml_node *n, void *to)
{
    struct sl_plan_stage *s = to;
    SL_TRY(need_map(r, n, "mixture"));
    for (const struct sl_yaml_node *k = n->first; k; k = k->next->next)
        if (sl_str_eq(k->text, SL_STR("from")) || sl_str_eq(k->text, SL_STR("to"))) {
            SL_TRY(read_map(r, n, "mixture", moving_keys, s, NULL));
            return s->from && s->to ? SL_OK : bad(r, n, "a moving mixture has 'from' and 'to'");
        }
    return take_mix(r, n, &s->from);
}

/* ---- stages ---- */

static enum sl_status take_until(struct reader *r, const struct sl_yaml_node *n, void *to)
{
    struct sl_plan_stage *s = to;
    if (n->kind == SL_YAML_SCALAR && n->text.n && n->text.p[n->text.n - 1] == '%') {
        struct sl_str number = { n->text.p, n->text.n - 1 };
        s->unit = SL_UNTIL_PERCENT;
        if (!sl_parse_f64(number, &s->until) || !(s->until > 0 && s->until <= 100))
            return bad(r, n, "until: '%.*s' is not above 0%% and at most 100%%", shown(n),
                       n->text.p);
        return SL_OK;
    }
    if (n->kind != SL_YAML_MAP || n->n != 2)
        return bad(r, n, "until: expected 20%%, {tokens: 1e9}, {sequences: 1000} or {lr: 0.2}");
    static const char *const words[] = { "tokens", "sequences", "lr", NULL };
    int word = 0;
    SL_TRY(take_word(r, n->first, "unit of until", words, &word));
    s->unit = SL_UNTIL_TOKENS + (enum sl_plan_unit)word;
    SL_TRY(take_number(r, n->first->next, &s->until));
    double most = s->unit == SL_UNTIL_LR ? 1 : 0x1p52;
    if (!(s->until > 0 && s->until <= most))
        return bad(r, n, "until: out of its range");
    return SL_OK;
}

static enum sl_status take_replay(struct reader *r, const struct sl_yaml_node *n, void *to)
{
    struct {
        const char *of;
        double share;
    } t = { NULL, 0 };
    const struct key keys[] = { { "of", take_text, 0 },
                                { "share", take_share, sizeof t.of },
                                { NULL, NULL, 0 } };
    SL_TRY(read_map(r, n, "replay", keys, &t, NULL));
    if (!t.of || strcmp(t.of, "seen") != 0)
        return bad(r, n, "replay: 'of: seen' is all there is");
    if (!(t.share > 0 && t.share < 1))
        return bad(r, n, "replay: a share above 0 and below 1 is needed");
    *(double *)to = t.share;
    return SL_OK;
}

static const struct key stage_keys[] = {
    { "name", take_text, STAGE(name) },
    { "until", take_until, 0 },
    { "order", take_way, STAGE(way) },
    { "mixture", take_mixture, 0 },
    { "replay", take_replay, STAGE(replay) },
    { "length", NULL, 0 },
    { "tokenizer", NULL, 0 },
    { "batch", NULL, 0 },
    { "strata", NULL, 0 },
    { NULL, NULL, 0 },
};

static enum sl_status check_stage(struct reader *r, const struct sl_yaml_node *n, size_t i)
{
    const struct sl_plan *p = r->plan;
    const struct sl_plan_stage *s = &p->stages[i];
    bool last = i + 1 == p->n_stages;
    if (!s->name)
        return bad(r, n, "a stage without a name");
    for (size_t j = 0; j < i; j++)
        if (strcmp(p->stages[j].name, s->name) == 0)
            return bad(r, n, "two stages are called '%s'", s->name);
    if (!last && s->unit == SL_UNTIL_END)
        return bad(r, n, "stage '%s' has no 'until'", s->name);
    if (last && s->unit == SL_UNTIL_PERCENT && s->until != 100)
        return bad(r, n, "the last stage ends at %g%%, not at 100%%", s->until);
    if (i && s->unit == SL_UNTIL_PERCENT && s[-1].unit == s->unit && s->until <= s[-1].until)
        return bad(r, n, "stage '%s' ends at %g%%, and the one before it at %g%%", s->name,
                   s->until, s[-1].until);
    if (s->replay > 0 && !i)
        return bad(r, n, "the first stage has nothing to replay");
    return SL_OK;
}

static enum sl_status take_stages(struct reader *r, const struct sl_yaml_node *n, void *out)
{
    struct sl_plan *p = out;
    enum sl_status st;
    if (n->kind != SL_YAML_SEQ || !n->n || n->n > SL_PLAN_MAX_STAGES)
        return bad(r, n, "stages: expected a list of 1 to %d", SL_PLAN_MAX_STAGES);
    p->n_stages = n->n;
    p->stages = get(r, n->n, sizeof *p->stages, &st);
    SL_TRY(st);
    size_t i = 0;
    for (const struct sl_yaml_node *c = n->first; c; c = c->next, i++) {
        struct sl_plan_stage *s = &p->stages[i];
        *s = (struct sl_plan_stage){ .line = c->line, .column = c->column };
        s->way = (struct sl_plan_way){ .score = -1, .line = c->line, .column = c->column };
        s->pacing = (struct sl_pacing)SL_PACING_INIT;
        SL_TRY(read_map(r, c, "stage", stage_keys, s, NULL));
        SL_TRY(check_stage(r, c, i));
    }
    return SL_OK;
}

/* ---- the rest ---- */

static enum sl_status take_budget(struct reader *r, const struct sl_yaml_node *n, void *out)
{
    struct budget {
        double amount;
        const char *in;
    } b = { 0, NULL };
    static const struct key keys[] = { { "amount", take_number, offsetof(struct budget, amount) },
                                       { "in", take_text, offsetof(struct budget, in) },
                                       { NULL, NULL, 0 } };
    struct sl_plan *p = out;
    SL_TRY(read_map(r, n, "budget", keys, &b, NULL));
    if (b.in && strcmp(b.in, "bytes") == 0)
        return bad(r, n, "a budget in bytes is not there yet");
    if (!b.in || (strcmp(b.in, "tokens") != 0 && strcmp(b.in, "sequences") != 0))
        return bad(r, n, "budget: 'in' is tokens or sequences");
    if (!(b.amount >= 1 && b.amount <= 0x1p52))
        return bad(r, n, "budget: the amount must be 1 or more");
    p->budget = b.amount;
    p->budget_is_tokens = strcmp(b.in, "tokens") == 0;
    return SL_OK;
}

static enum sl_status take_shape(struct reader *r, const struct sl_yaml_node *n, void *out)
{
    static const char *const words[] = { "constant", "linear", "sqrt", "cosine", NULL };
    int word = 0;
    SL_TRY(take_word(r, n, "shape", words, &word));
    *(enum sl_plan_shape *)out = SL_LR_CONSTANT + (enum sl_plan_shape)word;
    return SL_OK;
}

static enum sl_status take_lr(struct reader *r, const struct sl_yaml_node *n, void *out)
{
    static const struct key keys[] = {
        { "shape", take_shape, offsetof(struct sl_plan_lr, shape) },
        { "warmup", take_share, offsetof(struct sl_plan_lr, warmup) },
        { "decay", take_share, offsetof(struct sl_plan_lr, decay) },
        { "end", take_share, offsetof(struct sl_plan_lr, end) },
        { NULL, NULL, 0 },
    };
    struct sl_plan_lr *lr = out;
    uint64_t mask = 0;
    SL_TRY(read_map(r, n, "lr", keys, lr, &mask));
    if (!(mask >> 2 & 1))
        lr->decay = 1 - lr->warmup;
    if (lr->shape == SL_LR_NONE || lr->warmup + lr->decay > 1 + 1e-9)
        return bad(r, n, "lr: needs a shape, and warmup and decay of at most 1 together");
    return SL_OK;
}

static enum sl_status take_unit(struct reader *r, const struct sl_yaml_node *n, void *out)
{
    (void)out;
    if (n->kind == SL_YAML_SCALAR && sl_str_eq(n->text, SL_STR("sequence")))
        return SL_OK;
    return bad(r, n, "'unit: sequence' is all there is yet");
}

static const struct key plan_keys[] = {
    { "seed", take_seed, offsetof(struct sl_plan, seed) },
    { "unit", take_unit, 0 },
    { "budget", take_budget, 0 },
    { "lr", take_lr, offsetof(struct sl_plan, lr) },
    { "sources", take_sources, 0 },
    { "stages", take_stages, 0 },
    { "strata", NULL, 0 },
    { NULL, NULL, 0 },
};

static enum sl_status check_lr(struct reader *r)
{
    const struct sl_plan *p = r->plan;
    for (size_t i = 0; i < p->n_stages; i++)
        if (p->stages[i].unit == SL_UNTIL_LR && p->lr.shape <= SL_LR_CONSTANT)
            return sl_err_set(r->err, SL_E_DATA,
                              "%s:%d:%d: 'until: {lr: ...}' needs an 'lr' that decays, beside "
                              "the stages",
                              p->file, p->stages[i].line, p->stages[i].column);
    return SL_OK;
}

enum sl_status sl_plan_read(struct sl_plan *plan, struct sl_str text, const char *file,
                            struct sl_err *err)
{
    struct reader r = { .plan = plan, .err = err };
    struct sl_yaml_node *root;
    uint64_t mask = 0;
    *plan = (struct sl_plan){ 0 };
    sl_arena_init(&plan->arena, 0);
    plan->file = sl_arena_str(&plan->arena, sl_str_of(file));
    if (!plan->file)
        return sl_err_nomem(err, strlen(file));
    SL_TRY(sl_yaml_tree(&root, text, file, &plan->arena, err));
    SL_TRY(need_map(&r, root, "plan"));
    /* Stages name sources, which may stand behind them. */
    for (const struct sl_yaml_node *k = root->first; k; k = k->next->next)
        if (sl_str_eq(k->text, SL_STR("sources")))
            SL_TRY(take_sources(&r, k->next, plan));
    if (!plan->n_sources)
        return bad(&r, root, "key 'sources' is missing");
    plan->n_scores = 0;
    SL_TRY(read_map(&r, root, "plan", plan_keys, plan, &mask));
    if (!plan->n_stages)
        return bad(&r, root, "key 'stages' is missing");
    return check_lr(&r);
}

bool sl_plan_uses(const struct sl_plan *plan, size_t source, size_t score)
{
    for (size_t i = 0; i < plan->n_stages; i++)
        if (sl_plan_way(plan, source, i)->score == (int)score)
            return true;
    return false;
}

void sl_plan_release(struct sl_plan *plan)
{
    sl_arena_release(&plan->arena);
}
