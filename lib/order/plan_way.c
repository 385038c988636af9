/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of a plan: a word, or a mapping with a score or a file. The names of an
 * expression are keys of its order too: there its parameters stand. */
#include <math.h>
#include <string.h>

#include "order/mixture.h"
#include "order/plan_reader.h"

struct way_text {
    const char *by, *kind, *nulls, *file;
    struct sl_pacing pacing;
    double background, radius, first, last;
    uint64_t layers, parts, window, steps;
    bool same_end;
    const struct sl_plan_strata *strata;
    struct sl_expr_name params[SL_EXPR_MAX_NAMES]; /* by the names of the expression */
};

/* The keys, as they stand in a mask. */
enum {
    W_BY,
    W_KIND,
    W_NULLS,
    W_FILE,
    W_STRATA,
    W_STEPS,
    W_PACING,
    W_START,
    W_MAX,
    W_FROM,
    W_TO,
    W_BACKGROUND,
    W_LAYERS,
    W_PARTS,
    W_RADIUS,
    W_FIRST,
    W_LAST,
    W_SAME_END,
    W_WINDOW,
    W_PARAMS,
    W_PERMUTE = W_LAYERS /* the first that belongs to a kind */
};
/* ---- strata ---- */

static enum sl_status take_steps(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *out)
{
    SL_TRY(sl_plan_take_count(r, n, out));
    return *(uint64_t *)out <= SL_PLAN_MAX_STEPS
               ? SL_OK
               : sl_plan_bad(r, n, "more than %d steps", SL_PLAN_MAX_STEPS);
}

/* A list of shares that sum to one, as whole units. */
static enum sl_status take_shares(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                  const uint64_t **out, size_t *count)
{
    double given[SL_PLAN_MAX_STRATA], sum = 0;
    enum sl_status st;
    size_t i = 0;
    if (n->kind != SL_YAML_SEQ || !n->n || n->n > SL_PLAN_MAX_STRATA)
        return sl_plan_bad(r, n, "strata: expected a list of 1 to %d shares", SL_PLAN_MAX_STRATA);
    for (const struct sl_yaml_node *c = n->first; c; c = c->next, i++) {
        SL_TRY(sl_plan_take_share(r, c, &given[i]));
        sum += given[i];
    }
    if (fabs(sum - 1) > 1e-6)
        return sl_plan_bad(r, n, "the shares of the strata sum to %.9g, not to 1", sum);
    uint64_t *shares = sl_plan_get(r, i, sizeof *shares, &st);
    SL_TRY(st);
    *out = shares;
    *count = i;
    return sl_shares_divide(given, i, SL_SHARE_ONE, shares, r->err);
}

struct strata_text {
    const struct sl_yaml_node *from, *to;
    struct sl_pacing pacing;
};

static enum sl_status take_node(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *out)
{
    (void)r;
    *(const struct sl_yaml_node **)out = n;
    return SL_OK;
}

static enum sl_status take_moving_strata(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                         struct sl_plan_strata *out)
{
    static const struct sl_plan_key keys[] = {
        { "from", take_node, offsetof(struct strata_text, from) },
        { "to", take_node, offsetof(struct strata_text, to) },
        { "pacing", sl_plan_take_pacing, offsetof(struct strata_text, pacing.kind) },
        { NULL, NULL, 0 },
    };
    struct strata_text t = { .pacing = SL_PACING_INIT };
    size_t n_to;
    SL_TRY(sl_plan_read_map(r, n, "strata", keys, &t, NULL));
    if (!t.from || !t.to)
        return sl_plan_bad(r, n, "moving strata have 'from' and 'to'");
    SL_TRY(take_shares(r, t.from, &out->from, &out->n));
    SL_TRY(take_shares(r, t.to, &out->to, &n_to));
    out->pacing = t.pacing;
    return n_to == out->n ? SL_OK
                          : sl_plan_bad(r, t.to, "%zu strata, and %zu in 'from'", n_to, out->n);
}

static enum sl_status take_strata(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *to)
{
    enum sl_status st;
    struct sl_plan_strata *s = sl_plan_get(r, 1, sizeof *s, &st);
    SL_TRY(st);
    *(const struct sl_plan_strata **)to = s;
    s->pacing = (struct sl_pacing)SL_PACING_INIT;
    return n->kind == SL_YAML_MAP ? take_moving_strata(r, n, s)
                                  : take_shares(r, n, &s->from, &s->n);
}

/* ---- keys ---- */

#define WAY(member) offsetof(struct way_text, member)
static const struct sl_plan_key way_keys[] = {
    { "by", sl_plan_take_text, WAY(by) },
    { "kind", sl_plan_take_text, WAY(kind) },
    { "nulls", sl_plan_take_text, WAY(nulls) },
    { "file", sl_plan_take_text, WAY(file) },
    { "strata", take_strata, WAY(strata) },
    { "steps", take_steps, WAY(steps) },
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
    { NULL, NULL, 0 },
};
_Static_assert(sizeof way_keys / sizeof *way_keys == W_PARAMS + 1, "one key each");

/* ---- scores ---- */

struct param_text {
    struct sl_pacing pacing;
};

/* A parameter: a number, or a pacing. */
static enum sl_status take_param(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *to)
{
#define PARAM(member) offsetof(struct sl_pacing, member)
    static const struct sl_plan_key keys[] = {
        { "pacing", sl_plan_take_pacing, PARAM(kind) },
        { "start", sl_plan_take_share, PARAM(start) },
        { "max", sl_plan_take_share, PARAM(max) },
        { "from", sl_plan_take_share, PARAM(from) },
        { "to", sl_plan_take_share, PARAM(to) },
        { NULL, NULL, 0 },
    };
    struct sl_expr_name *out = to;
    uint64_t mask = 0;
    if (n->kind == SL_YAML_SCALAR) {
        out->use = SL_EXPR_NUMBER;
        return sl_plan_take_number(r, n, &out->number);
    }
    out->use = SL_EXPR_PACING;
    out->pacing = (struct sl_pacing)SL_PACING_INIT;
    SL_TRY(sl_plan_read_map(r, n, "parameter", keys, &out->pacing, &mask));
    if (!(mask & 1))
        return sl_plan_bad(r, n, "a parameter is a number, or a mapping with a 'pacing'");
    return sl_plan_check_pacing(r, n, &out->pacing);
}

/* The value of 'by', where it is an expression. */
static enum sl_status parse_score(struct sl_plan_reader *r, const struct sl_yaml_node *map,
                                  struct sl_expr **out)
{
    struct sl_err why = SL_ERR_INIT;
    *out = NULL;
    if (map->kind != SL_YAML_MAP)
        return SL_OK;
    for (const struct sl_yaml_node *k = map->first; k; k = k->next->next) {
        const char *by;
        if (!sl_str_eq(k->text, SL_STR("by")))
            continue;
        SL_TRY(sl_plan_take_text(r, k->next, &by));
        if (!sl_expr_is(by))
            return SL_OK;
        enum sl_status st = sl_expr_parse(out, by, &r->plan->arena, &why);
        if (st == SL_E_DATA)
            return sl_plan_bad(r, k->next, "%.300s", why.msg);
        return st == SL_OK ? SL_OK : sl_err_set(r->err, st, "%s", why.msg);
    }
    return SL_OK;
}

/* The keys of an order, and behind them the names of its expression. */
static enum sl_status read_way(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                               struct sl_expr *e, struct way_text *t, uint64_t *mask)
{
    struct sl_plan_key keys[W_PARAMS + SL_EXPR_MAX_NAMES + 1];
    size_t n_keys = W_PARAMS;
    memcpy(keys, way_keys, W_PARAMS * sizeof *keys);
    for (size_t i = 0; e && i < e->n_names; i++)
        keys[n_keys++] = (struct sl_plan_key){ e->names[i].name, take_param,
                                               WAY(params) + i * sizeof *t->params };
    keys[n_keys] = (struct sl_plan_key){ NULL, NULL, 0 };
    SL_TRY(sl_plan_read_map(r, n, "order", keys, t, mask));
    for (size_t i = 0; e && i < e->n_names; i++) {
        t->params[i].name = e->names[i].name;
        e->names[i] = t->params[i];
    }
    return SL_OK;
}

static bool same_score(const struct sl_plan *p, size_t i, const char *by, const struct sl_expr *e)
{
    if (!e || !p->exprs[i])
        return !e && !p->exprs[i] && strcmp(p->scores[i], by) == 0;
    return sl_expr_eq(p->exprs[i], e);
}

static enum sl_status add_score(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                const char *by, const struct sl_expr *e, int *out)
{
    struct sl_plan *p = r->plan;
    for (*out = 0; (size_t)*out < p->n_scores; ++*out)
        if (same_score(p, (size_t)*out, by, e))
            return SL_OK;
    if (p->n_scores == SL_PLAN_MAX_SCORES)
        return sl_plan_bad(r, n, "more than %d different scores", SL_PLAN_MAX_SCORES);
    p->score_lines[p->n_scores] = n->line;
    p->score_columns[p->n_scores] = n->column;
    p->exprs[p->n_scores] = e;
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

#define KEY(key) (UINT64_C(1) << (key))

/* A parameter that the kind does not have would be left out silently. */
static enum sl_status check_params(struct sl_plan_reader *r, const struct sl_yaml_node *n, int kind,
                                   uint64_t mask)
{
    static const uint64_t has[SL_N_PERMUTES] = {
        [SL_PERMUTE_FOLDING] = KEY(W_LAYERS),
        [SL_PERMUTE_ZIGZAG] = KEY(W_LAYERS),
        [SL_PERMUTE_STAIR] = KEY(W_LAYERS) | KEY(W_PARTS) | KEY(W_RADIUS),
        [SL_PERMUTE_SAW] = KEY(W_LAYERS) | KEY(W_PARTS) | KEY(W_RADIUS),
        [SL_PERMUTE_SEGMENTS] = KEY(W_FIRST) | KEY(W_LAST) | KEY(W_SAME_END),
        [SL_PERMUTE_JITTER] = KEY(W_WINDOW),
    };
    for (int key = W_PERMUTE; key < W_PARAMS; key++)
        if (mask & KEY(key) & ~has[kind])
            return sl_plan_bad(r, n, "an order of the kind '%s' has no '%s'",
                               sl_permute_name((enum sl_permute_kind)kind), way_keys[key].name);
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
        if (t->kind || mask >> W_PERMUTE & ((1u << (W_PARAMS - W_PERMUTE)) - 1))
            return sl_plan_bad(r, n, "an order has a pacing or a kind, not both");
        out->draw = SL_DRAW_POOL;
        out->pacing = t->pacing;
        out->background = t->background;
        return sl_plan_check_pacing(r, n, &t->pacing);
    }
    if (mask >> W_START & ((1u << (W_PERMUTE - W_START)) - 1))
        return sl_plan_bad(r, n, "start, max, from, to and background need a pacing");
    SL_TRY(check_params(r, n, kind, mask));
    return set_permute(r, n, t, (enum sl_permute_kind)kind, out);
}

/* Keys that only mean something with a kind, or a pacing. */
#define WITH_KIND (~UINT64_C(0) << W_PERMUTE & ((UINT64_C(1) << W_PARAMS) - 1))
#define WITH_PACING (((UINT64_C(1) << W_PERMUTE) - 1) & ~UINT64_C(0) << W_PACING)
#define HAS(key) (mask >> (key)&1)

static enum sl_status set_strata(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                 const struct way_text *t, uint64_t mask, struct sl_plan_way *out)
{
    if (HAS(W_KIND) || mask & (WITH_KIND | WITH_PACING))
        return sl_plan_bad(r, n, "an order has strata, or a pacing or kind, not both");
    if (HAS(W_STEPS) && !t->strata->to)
        return sl_plan_bad(r, n, "'steps' is for strata that move");
    out->draw = SL_DRAW_STRATA;
    out->strata = t->strata;
    return SL_OK;
}

static enum sl_status set_moving(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                 const struct way_text *t, uint64_t mask, struct sl_plan_way *out)
{
    bool other = t->kind && strcmp(t->kind, "sort") != 0;
    if (other || HAS(W_STRATA) || mask & (WITH_KIND | WITH_PACING))
        return sl_plan_bad(r, n,
                           "the score has a parameter that moves: such an order is sorted, "
                           "without %s",
                           other              ? "another kind"
                           : HAS(W_STRATA)    ? "strata"
                           : mask & WITH_KIND ? "the parameters of a kind"
                                              : "a pacing of its own");
    out->draw = SL_DRAW_MOVING;
    return SL_OK;
}

static enum sl_status set_file(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                               const struct way_text *t, uint64_t mask, struct sl_plan_way *out)
{
    struct sl_plan *p = r->plan;
    if (mask != UINT64_C(1) << W_FILE)
        return sl_plan_bad(r, n, "an order by a file has no other key than 'file'");
    if (strcmp(t->file, "-") == 0)
        return sl_plan_bad(r, n, "an order cannot be read from '-': it is read twice");
    out->draw = SL_DRAW_FILE;
    for (out->file = 0; (size_t)out->file < p->n_order_files; out->file++)
        if (strcmp(p->order_files[out->file], t->file) == 0)
            return SL_OK;
    if (p->n_order_files == SL_PLAN_MAX_FILES)
        return sl_plan_bad(r, n, "more than %d files of orders", SL_PLAN_MAX_FILES);
    p->file_lines[p->n_order_files] = n->line;
    p->file_columns[p->n_order_files] = n->column;
    p->order_files[p->n_order_files++] = t->file;
    return SL_OK;
}

static enum sl_status take_way_map(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                   struct sl_plan_way *out)
{
    static const char *const nulls[] = { "error", "last", NULL };
    struct way_text t = { .pacing = SL_PACING_INIT, .radius = NAN, .first = NAN, .last = NAN };
    struct sl_expr *e;
    uint64_t mask = 0;
    int which = 0;
    SL_TRY(parse_score(r, n, &e));
    SL_TRY(read_way(r, n, e, &t, &mask));
    if (t.file)
        return set_file(r, n, &t, mask, out);
    if (!t.by)
        return sl_plan_bad(r, n, "an order needs a 'by', the score to sort by");
    if (t.nulls) {
        struct sl_yaml_node w = { .kind = SL_YAML_SCALAR, .line = n->line, .column = n->column };
        w.text = sl_str_of(t.nulls);
        SL_TRY(sl_plan_take_word(r, &w, "treatment of nulls", nulls, &which));
    }
    out->nulls_last = which == 1;
    out->steps = t.steps ? t.steps : 64;
    SL_TRY(add_score(r, n, t.by, e, &out->score));
    if (e && sl_expr_moves(e))
        return set_moving(r, n, &t, mask, out);
    if (t.strata)
        return set_strata(r, n, &t, mask, out);
    if (HAS(W_STEPS))
        return sl_plan_bad(r, n, "'steps' is for strata or parameters that move");
    return set_kind(r, n, &t, mask, out);
}

enum sl_status sl_plan_take_way(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *to)
{
    static const char *const words[] = { "shuffle", "given", NULL };
    struct sl_plan_way *out = to;
    int word = 0;
    out->line = n->line;
    out->column = n->column;
    out->score = out->file = -1;
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
