/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: sources, stages and what stands beside them. Orders and mixtures have files of
 * their own; plan_reader.h has what all share. */
#include "order/plan.h"

#include <string.h>

#include "base/num.h"
#include "order/plan_reader.h"

/* ---- sources ---- */

static enum sl_status take_paths(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *to)
{
    struct sl_plan_source *s = (void *)((char *)to - offsetof(struct sl_plan_source, paths));
    enum sl_status st;
    size_t count = n->kind == SL_YAML_SEQ ? n->n : 1;
    const char **paths = sl_plan_get(r, count, sizeof *paths, &st);
    SL_TRY(st);
    if (!count)
        return sl_plan_bad(r, n, "a source without a path");
    const struct sl_yaml_node *one = n->kind == SL_YAML_SEQ ? n->first : n;
    for (size_t i = 0; i < count; i++, one = one->next)
        SL_TRY(sl_plan_take_text(r, one, &paths[i]));
    s->paths = paths;
    s->n_paths = count;
    return SL_OK;
}

static enum sl_status take_epochs(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *out)
{
    SL_TRY(sl_plan_take_count(r, n, out));
    return *(uint64_t *)out <= 65535 ? SL_OK : sl_plan_bad(r, n, "more than 65535 epochs");
}

static enum sl_status take_empty(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *out)
{
    static const char *const words[] = { "error", "stop", "repeat", "redistribute", NULL };
    int word = 0;
    SL_TRY(sl_plan_take_word(r, n, "when_empty", words, &word));
    *(enum sl_plan_empty *)out = (enum sl_plan_empty)word;
    return SL_OK;
}

static struct sl_plan_at at(const struct sl_yaml_node *n)
{
    return (struct sl_plan_at){ n->line, n->column };
}

static enum sl_status take_group(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *to)
{
    struct sl_plan_source *s = to;
    s->group_at = at(n);
    return sl_plan_take_text(r, n, &s->group);
}

#define SOURCE(member) offsetof(struct sl_plan_source, member)
static const struct sl_plan_key source_keys[] = {
    { "path", take_paths, SOURCE(paths) },
    { "epochs", take_epochs, SOURCE(epochs) },
    { "when_empty", take_empty, SOURCE(when_empty) },
    { "order", sl_plan_take_own, SOURCE(own) },
    { "group", take_group, 0 },
    { NULL, NULL, 0 },
};

static enum sl_status take_source(struct sl_plan_reader *r, const struct sl_yaml_node *name,
                                  struct sl_plan_source *s)
{
    s->line = name->line;
    s->column = name->column;
    s->epochs = 1;
    SL_TRY(sl_plan_take_text(r, name, &s->name));
    if (sl_str_eq(name->text, SL_STR("alpha")) || sl_str_eq(name->text, SL_STR("of")) ||
        sl_str_eq(name->text, SL_STR("from")) || sl_str_eq(name->text, SL_STR("to")) ||
        sl_str_eq(name->text, SL_STR("pacing")))
        return sl_plan_bad(r, name, "a source cannot be called '%s', which is a key of mixtures",
                           s->name);
    if (sl_str_eq(name->text, SL_STR("(replay)")))
        return sl_plan_bad(r, name,
                           "a source cannot be called '(replay)': it is told by this name");
    SL_TRY(sl_plan_read_map(r, name->next, s->name, source_keys, s, NULL));
    return s->paths ? SL_OK : sl_plan_bad(r, name, "source '%s' has no path", s->name);
}

static enum sl_status take_sources(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                   void *out)
{
    struct sl_plan *p = out;
    enum sl_status st;
    SL_TRY(sl_plan_need_map(r, n, "sources"));
    p->n_sources = n->n / 2;
    if (!p->n_sources || p->n_sources > SL_PLAN_MAX_SOURCES)
        return sl_plan_bad(r, n, "a plan has 1 to %d sources", SL_PLAN_MAX_SOURCES);
    p->sources = sl_plan_get(r, p->n_sources, sizeof *p->sources, &st);
    SL_TRY(st);
    const char **names = sl_plan_get(r, p->n_sources, sizeof *names, &st);
    SL_TRY(st);
    size_t i = 0;
    for (const struct sl_yaml_node *k = n->first; k; k = k->next->next, i++) {
        SL_TRY(take_source(r, k, &p->sources[i]));
        names[i] = p->sources[i].name;
    }
    r->source_names = names;
    return SL_OK;
}

/* ---- stages ---- */

#define STAGE(member) offsetof(struct sl_plan_stage, member)

static enum sl_status take_until(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *to)
{
    struct sl_plan_stage *s = to;
    s->until_at = at(n);
    if (n->kind == SL_YAML_SCALAR && n->text.n && n->text.p[n->text.n - 1] == '%') {
        struct sl_str number = { n->text.p, n->text.n - 1 };
        s->unit = SL_UNTIL_PERCENT;
        if (!sl_parse_f64(number, &s->until) || !(s->until > 0 && s->until <= 100))
            return sl_plan_bad(r, n, "until: '%.*s' is not above 0%% and at most 100%%",
                               sl_plan_shown(n), n->text.p);
        return SL_OK;
    }
    if (n->kind != SL_YAML_MAP || n->n != 2)
        return sl_plan_bad(r, n,
                           "until: expected 20%%, {tokens: 1e9}, {sequences: 1000} or {lr: 0.2}");
    static const char *const words[] = { "tokens", "bytes", "sequences", "documents", "lr", NULL };
    int word = 0;
    SL_TRY(sl_plan_take_word(r, n->first, "unit of until", words, &word));
    s->unit = SL_UNTIL_TOKENS + (enum sl_plan_unit)word;
    SL_TRY(sl_plan_take_number(r, n->first->next, &s->until));
    double most = s->unit == SL_UNTIL_LR ? 1 : 0x1p52;
    if (!(s->until > 0 && s->until <= most))
        return sl_plan_bad(r, n, "until: out of its range");
    return SL_OK;
}

static enum sl_status take_replay(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *to)
{
    struct {
        const char *of;
        double share;
    } t = { NULL, 0 };
    const struct sl_plan_key keys[] = { { "of", sl_plan_take_text, 0 },
                                        { "share", sl_plan_take_share, sizeof t.of },
                                        { NULL, NULL, 0 } };
    SL_TRY(sl_plan_read_map(r, n, "replay", keys, &t, NULL));
    if (!t.of || strcmp(t.of, "seen") != 0)
        return sl_plan_bad(r, n, "replay: 'of: seen' is all there is");
    if (!(t.share > 0 && t.share < 1))
        return sl_plan_bad(r, n, "replay: a share above 0 and below 1 is needed");
    *(double *)to = t.share;
    return SL_OK;
}

static enum sl_status take_length(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *to)
{
    struct sl_plan_stage *s = to;
    s->length_at = at(n);
    return sl_plan_take_count(r, n, &s->length);
}

static enum sl_status take_tokenizer(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                     void *to)
{
    struct sl_plan_stage *s = to;
    s->tokenizer_at = at(n);
    return sl_plan_take_text(r, n, &s->tokenizer);
}

static enum sl_status take_batch(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *to)
{
    static const struct sl_plan_key keys[] = { { "by", sl_plan_take_text, STAGE(batch_by) },
                                               { "size", sl_plan_take_count, STAGE(batch_size) },
                                               { NULL, NULL, 0 } };
    struct sl_plan_stage *s = to;
    s->batch_at = at(n);
    SL_TRY(sl_plan_read_map(r, n, "batch", keys, s, NULL));
    if (!s->batch_by || !s->batch_size)
        return sl_plan_bad(r, n, "batch: needs 'by', a column, and 'size', rows of a block");
    if (s->batch_size > SL_PLAN_MAX_BLOCK)
        return sl_plan_bad(r, n, "batch: a size is at most %d", SL_PLAN_MAX_BLOCK);
    return SL_OK;
}

static const struct sl_plan_key stage_keys[] = {
    { "name", sl_plan_take_text, STAGE(name) },
    { "until", take_until, 0 },
    { "order", sl_plan_take_way, STAGE(way) },
    { "mixture", sl_plan_take_mixture, 0 },
    { "replay", take_replay, STAGE(replay) },
    { "length", take_length, 0 },
    { "tokenizer", take_tokenizer, 0 },
    { "batch", take_batch, 0 },
    { "strata", NULL, 0 },
    { NULL, NULL, 0 },
};

static enum sl_status check_stage(struct sl_plan_reader *r, const struct sl_yaml_node *n, size_t i)
{
    const struct sl_plan *p = r->plan;
    const struct sl_plan_stage *s = &p->stages[i];
    bool last = i + 1 == p->n_stages;
    if (!s->name)
        return sl_plan_bad(r, n, "a stage without a name");
    for (size_t j = 0; j < i; j++)
        if (strcmp(p->stages[j].name, s->name) == 0)
            return sl_plan_bad(r, n, "two stages are called '%s'", s->name);
    if (!last && s->unit == SL_UNTIL_END)
        return sl_plan_bad(r, n, "stage '%s' has no 'until'", s->name);
    if (last && s->unit == SL_UNTIL_PERCENT && s->until != 100)
        return sl_plan_bad(r, n, "the last stage ends at %g%%, not at 100%%", s->until);
    if (i && s->unit == SL_UNTIL_PERCENT && s[-1].unit == s->unit && s->until <= s[-1].until)
        return sl_plan_bad(r, n, "stage '%s' ends at %g%%, and the one before it at %g%%", s->name,
                           s->until, s[-1].until);
    if (s->replay > 0 && !i)
        return sl_plan_bad(r, n, "the first stage has nothing to replay");
    return SL_OK;
}

static enum sl_status take_stages(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *out)
{
    struct sl_plan *p = out;
    enum sl_status st;
    if (n->kind != SL_YAML_SEQ || !n->n || n->n > SL_PLAN_MAX_STAGES)
        return sl_plan_bad(r, n, "stages: expected a list of 1 to %d", SL_PLAN_MAX_STAGES);
    p->n_stages = n->n;
    p->stages = sl_plan_get(r, n->n, sizeof *p->stages, &st);
    SL_TRY(st);
    size_t i = 0;
    for (const struct sl_yaml_node *c = n->first; c; c = c->next, i++) {
        struct sl_plan_stage *s = &p->stages[i];
        *s = (struct sl_plan_stage){ .line = c->line, .column = c->column };
        s->way =
            (struct sl_plan_way){ .score = -1, .file = -1, .line = c->line, .column = c->column };
        s->pacing = (struct sl_pacing)SL_PACING_INIT;
        SL_TRY(sl_plan_read_map(r, c, "stage", stage_keys, s, NULL));
        SL_TRY(check_stage(r, c, i));
    }
    return SL_OK;
}

/* ---- the rest ---- */

static enum sl_status take_budget(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *out)
{
    struct budget {
        double amount;
        const char *in;
    } b = { 0, NULL };
    static const struct sl_plan_key keys[] = {
        { "amount", sl_plan_take_number, offsetof(struct budget, amount) },
        { "in", sl_plan_take_text, offsetof(struct budget, in) },
        { NULL, NULL, 0 }
    };
    struct sl_plan *p = out;
    static const char *const units[] = { "tokens", "bytes", "sequences", "documents" };
    size_t unit = 0;
    SL_TRY(sl_plan_read_map(r, n, "budget", keys, &b, NULL));
    while (unit < 4 && (!b.in || strcmp(b.in, units[unit]) != 0))
        unit++;
    if (unit == 4)
        return sl_plan_bad(r, n, "budget: 'in' is tokens, bytes, sequences or documents");
    if (!(b.amount >= 1 && b.amount <= 0x1p52))
        return sl_plan_bad(r, n, "budget: an amount is 1 to 2^52");
    p->budget = b.amount;
    p->budget_in = SL_UNTIL_TOKENS + (enum sl_plan_unit)unit;
    p->budget_at = at(n);
    return SL_OK;
}

static enum sl_status take_shape(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *out)
{
    static const char *const words[] = { "constant", "linear", "sqrt", "cosine", NULL };
    int word = 0;
    SL_TRY(sl_plan_take_word(r, n, "shape", words, &word));
    *(enum sl_plan_shape *)out = SL_LR_CONSTANT + (enum sl_plan_shape)word;
    return SL_OK;
}

static enum sl_status take_lr(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *out)
{
    static const struct sl_plan_key keys[] = {
        { "shape", take_shape, offsetof(struct sl_plan_lr, shape) },
        { "warmup", sl_plan_take_share, offsetof(struct sl_plan_lr, warmup) },
        { "decay", sl_plan_take_share, offsetof(struct sl_plan_lr, decay) },
        { "end", sl_plan_take_share, offsetof(struct sl_plan_lr, end) },
        { NULL, NULL, 0 },
    };
    struct sl_plan_lr *lr = out;
    uint64_t mask = 0;
    SL_TRY(sl_plan_read_map(r, n, "lr", keys, lr, &mask));
    if (!(mask >> 2 & 1))
        lr->decay = 1 - lr->warmup;
    if (lr->shape == SL_LR_NONE || lr->warmup + lr->decay > 1 + 1e-9)
        return sl_plan_bad(r, n, "lr: needs a shape, and warmup and decay of at most 1 together");
    return SL_OK;
}

static enum sl_status take_unit(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *out)
{
    static const char *const words[] = { "sequence", "document", NULL };
    int word = 0;
    SL_TRY(sl_plan_take_word(r, n, "unit", words, &word));
    *(bool *)out = word == 1;
    return SL_OK;
}

/* Is this a unit of the plan's positions, or of tokens in whole ones? */
static enum sl_status check_unit(struct sl_plan_reader *r, enum sl_plan_unit unit,
                                 const struct sl_plan_at *at)
{
    const struct sl_yaml_node n = { .line = at->line, .column = at->column };
    if (unit == SL_UNTIL_DOCUMENTS && !r->plan->of_documents)
        return sl_plan_bad(r, &n, "documents are counted with 'unit: document' alone");
    if (unit == SL_UNTIL_SEQUENCES && r->plan->of_documents)
        return sl_plan_bad(r, &n, "with 'unit: document' there are documents, no sequences");
    if ((unit == SL_UNTIL_TOKENS || unit == SL_UNTIL_BYTES) && r->plan->of_documents)
        return sl_plan_bad(r, &n,
                           "with 'unit: document' nothing is counted in tokens or bytes, since "
                           "documents differ in length; count documents, and --dry-run tells what "
                           "these come to");
    return SL_OK;
}

static enum sl_status check_units(struct sl_plan_reader *r)
{
    const struct sl_plan *p = r->plan;
    SL_TRY(check_unit(r, p->budget_in, &p->budget_at));
    for (size_t i = 0; i < p->n_stages; i++) {
        const struct sl_plan_stage *s = &p->stages[i];
        struct sl_plan_at where = s->length ? s->length_at : s->tokenizer_at;
        const struct sl_yaml_node n = { .line = where.line, .column = where.column };
        SL_TRY(check_unit(r, s->unit, &s->until_at));
        if (p->of_documents && (s->length || s->tokenizer))
            return sl_plan_bad(r, &n,
                               "stage '%s': a length and a tokenizer are of sequences, and "
                               "the unit is 'document'",
                               s->name);
    }
    return SL_OK;
}

static const struct sl_plan_key plan_keys[] = {
    { "seed", sl_plan_take_seed, offsetof(struct sl_plan, seed) },
    { "unit", take_unit, offsetof(struct sl_plan, of_documents) },
    { "budget", take_budget, 0 },
    { "lr", take_lr, offsetof(struct sl_plan, lr) },
    { "sources", take_sources, 0 },
    { "stages", take_stages, 0 },
    { "strata", NULL, 0 },
    { NULL, NULL, 0 },
};

static enum sl_status check_lr(struct sl_plan_reader *r)
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

/* What a file lists takes the place of a source's rows, so it does in every stage. */
static enum sl_status check_files(struct sl_plan_reader *r)
{
    const struct sl_plan *p = r->plan;
    for (size_t i = 0; i < p->n_sources; i++) {
        const struct sl_plan_way *first = sl_plan_way(p, i, 0);
        for (size_t j = 1; j < p->n_stages; j++) {
            const struct sl_plan_way *w = sl_plan_way(p, i, j);
            const struct sl_plan_way *bad = w->draw == SL_DRAW_FILE ? w : first;
            if (w->file != first->file)
                return sl_err_set(r->err, SL_E_DATA,
                                  "%s:%d:%d: source '%s' is in the order of '%s' in one stage, and "
                                  "not in all: it needs an 'order' of its own",
                                  p->file, bad->line, bad->column, p->sources[i].name,
                                  p->order_files[bad->file]);
        }
    }
    return SL_OK;
}

int sl_plan_order_file(const struct sl_plan *plan, size_t source)
{
    return sl_plan_way(plan, source, 0)->file;
}

/* Groups are drawn like rows, but not in every way. */
static enum sl_status check_groups(struct sl_plan_reader *r)
{
    const struct sl_plan *p = r->plan;
    for (size_t i = 0; i < p->n_sources; i++)
        for (size_t j = 0; p->sources[i].group && j < p->n_stages; j++) {
            const struct sl_plan_way *w = sl_plan_way(p, i, j);
            if (w->draw >= SL_DRAW_STRATA)
                return sl_err_set(r->err, SL_E_DATA,
                                  "%s:%d:%d: strata, parameters that move and files are for rows: "
                                  "source '%s' has groups, for which they are not there yet",
                                  p->file, w->line, w->column, p->sources[i].name);
        }
    return SL_OK;
}

enum sl_status sl_plan_read(struct sl_plan *plan, struct sl_str text, const char *file,
                            struct sl_err *err)
{
    struct sl_plan_reader r = { .plan = plan, .err = err };
    struct sl_yaml_node *root;
    uint64_t mask = 0;
    *plan = (struct sl_plan){ 0 };
    sl_arena_init(&plan->arena, 0);
    plan->file = sl_arena_str(&plan->arena, sl_str_of(file));
    if (!plan->file)
        return sl_err_nomem(err, strlen(file));
    SL_TRY(sl_yaml_tree(&root, text, file, &plan->arena, err));
    SL_TRY(sl_plan_need_map(&r, root, "plan"));
    /* Stages name sources, which may stand behind them. */
    for (const struct sl_yaml_node *k = root->first; k; k = k->next->next)
        if (sl_str_eq(k->text, SL_STR("sources")))
            SL_TRY(take_sources(&r, k->next, plan));
    if (!plan->n_sources)
        return sl_plan_bad(&r, root, "key 'sources' is missing");
    plan->n_scores = 0;
    SL_TRY(sl_plan_read_map(&r, root, "plan", plan_keys, plan, &mask));
    if (!plan->n_stages)
        return sl_plan_bad(&r, root, "key 'stages' is missing");
    SL_TRY(check_units(&r));
    SL_TRY(check_lr(&r));
    SL_TRY(check_files(&r));
    return check_groups(&r);
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
