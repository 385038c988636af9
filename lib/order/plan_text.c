/* SPDX-License-Identifier: Apache-2.0 */
/* Words for plans. */
#include "order/plan_text.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "order/plan_ids.h"

const char *sl_plan_way_name(const struct sl_plan_way *w)
{
    switch (w->draw) {
    case SL_DRAW_SHUFFLE:
        return "shuffle";
    case SL_DRAW_GIVEN:
        return "given";
    case SL_DRAW_POOL:
        return sl_pacing_name(w->pacing.kind);
    case SL_DRAW_STRATA:
        return "strata";
    case SL_DRAW_MOVING:
        return "sort";
    case SL_DRAW_FILE:
        return "file";
    default:
        return sl_permute_name(w->permute.kind);
    }
}

static enum sl_status set_text(struct sl_json *o, const char *key, const char *v,
                               struct sl_err *err)
{
    return sl_json_set(o, key, sl_json_new_str(sl_str_of(v)), err);
}

static enum sl_status fill_file(struct sl_json *o, const struct sl_plan *plan, size_t file,
                                struct sl_err *err)
{
    char hex[SL_HASH128_DIGITS + 1] = "";
    SL_TRY(set_text(o, "file", plan->order_files[file], err));
    SL_TRY(sl_plan_order_digest(plan, file, hex, err));
    return set_text(o, "xxh3", hex, err);
}

static enum sl_status fill_way(struct sl_json *o, const struct sl_plan *plan,
                               const struct sl_plan_way *w, struct sl_err *err)
{
    SL_TRY(set_text(o, "order", sl_plan_way_name(w), err));
    if (w->file >= 0)
        return fill_file(o, plan, (size_t)w->file, err);
    return w->score < 0 ? SL_OK : set_text(o, "by", plan->scores[w->score], err);
}

static enum sl_status fill_source(struct sl_json *o, const struct sl_plan *plan, size_t i,
                                  struct sl_err *err)
{
    const struct sl_plan_source *s = &plan->sources[i];
    static const char *const empty[] = { "error", "stop", "repeat", "redistribute" };
    SL_TRY(set_text(o, "name", s->name, err));
    SL_TRY(sl_json_set(o, "epochs", sl_json_new_int((int64_t)s->epochs), err));
    SL_TRY(set_text(o, "when_empty", empty[s->when_empty], err));
    if (s->group)
        SL_TRY(set_text(o, "group", s->group, err));
    return s->own ? fill_way(o, plan, s->own, err) : SL_OK;
}

static enum sl_status fill_stage(struct sl_json *o, const struct sl_plan *plan, size_t i,
                                 struct sl_err *err)
{
    const struct sl_plan_stage *s = &plan->stages[i];
    SL_TRY(set_text(o, "name", s->name, err));
    if (s->length)
        SL_TRY(sl_json_set(o, "length", sl_json_new_int((int64_t)s->length), err));
    if (s->tokenizer)
        SL_TRY(set_text(o, "tokenizer", s->tokenizer, err));
    if (s->batch_by) {
        SL_TRY(set_text(o, "batch", s->batch_by, err));
        SL_TRY(sl_json_set(o, "batch_size", sl_json_new_int((int64_t)s->batch_size), err));
    }
    return fill_way(o, plan, &s->way, err);
}

typedef enum sl_status (*fill_one)(struct sl_json *o, const struct sl_plan *plan, size_t i,
                                   struct sl_err *err);

static enum sl_status set_list(struct sl_json *to, const char *key, const struct sl_plan *plan,
                               size_t n, fill_one fill, struct sl_err *err)
{
    struct sl_json *list = sl_json_new_array();
    enum sl_status st = SL_OK;
    for (size_t i = 0; i < n && st == SL_OK; i++) {
        struct sl_json *o = sl_json_new_object();
        st = fill(o, plan, i, err);
        if (st == SL_OK)
            st = sl_json_push(list, o, err);
        else
            sl_json_free(o);
    }
    if (st == SL_OK)
        return sl_json_set(to, key, list, err);
    sl_json_free(list);
    return st;
}

enum sl_status sl_plan_rules(const struct sl_plan *plan, struct sl_json *object, struct sl_err *err)
{
    char seed[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)plan->seed);
    SL_TRY(set_text(object, "seed", seed, err));
    if (plan->of_documents)
        SL_TRY(set_text(object, "unit", "document", err));
    SL_TRY(set_list(object, "sources", plan, plan->n_sources, fill_source, err));
    return set_list(object, "stages", plan, plan->n_stages, fill_stage, err);
}

/* ---- for people ---- */

/* A JSON string of a name. */
static enum sl_status add_name(struct sl_buf *out, const char *name, struct sl_err *err)
{
    struct sl_json *s = sl_json_new_str(sl_str_of(name));
    enum sl_status st = s ? sl_json_dump(s, out, err) : sl_err_nomem(err, strlen(name));
    sl_json_free(s);
    return st;
}

static const char *source_name(const struct sl_plan *plan, size_t i)
{
    return i < plan->n_sources ? plan->sources[i].name : "(replay)";
}

/* counts of n rows; shares: with what part of these they are. */
static enum sl_status add_counts(const struct sl_plan *plan, const uint64_t *counts, uint64_t n,
                                 bool shares, struct sl_buf *out, struct sl_err *err)
{
    bool first = true;
    for (size_t i = 0; i <= plan->n_sources; i++) {
        uint64_t k = counts[i];
        if (!k)
            continue;
        SL_TRY(sl_buf_addf(out, err, first ? "" : ", "));
        first = false;
        SL_TRY(add_name(out, source_name(plan, i), err));
        if (shares)
            SL_TRY(sl_buf_addf(out, err, ": {\"%s\": %llu, \"share\": %.6f}", sl_plan_units(plan),
                               (unsigned long long)k, (double)k / (double)n));
        else
            SL_TRY(sl_buf_addf(out, err, ": %llu", (unsigned long long)k));
    }
    return SL_OK;
}

/* What the documents of a stage come to: by source the sum, its share, and by how much that
 * is more than the share of documents. */
static enum sl_status add_weights(const struct sl_plan *plan, const struct sl_curriculum *c,
                                  size_t i, struct sl_buf *out, struct sl_err *err)
{
    const struct sl_plan_weights *w = sl_curriculum_weights(c);
    const struct sl_plan_stretch *s = &sl_curriculum_stretches(c)->of[i];
    double all = 0, n = (double)(s->end - s->begin);
    bool first = true;
    for (size_t k = 0; k <= plan->n_sources; k++)
        all += (double)sl_plan_weights_sum(w, i, k);
    SL_TRY(sl_buf_addf(out, err, ",\n   \"%s\": {", sl_plan_weights_name(w)));
    for (size_t k = 0; k <= plan->n_sources; k++) {
        if (!s->counts[k])
            continue;
        double sum = (double)sl_plan_weights_sum(w, i, k), share = all > 0 ? sum / all : 0;
        SL_TRY(sl_buf_addf(out, err, first ? "" : ", "));
        first = false;
        SL_TRY(add_name(out, source_name(plan, k), err));
        SL_TRY(sl_buf_addf(out, err, ": {\"sum\": %.0f, \"share\": %.6f, \"error\": %.6f}", sum,
                           share, share - (double)s->counts[k] / n));
    }
    return sl_buf_addf(out, err, "}");
}

static enum sl_status add_stage(const struct sl_plan *plan, const struct sl_curriculum *c, size_t i,
                                struct sl_buf *out, struct sl_err *err)
{
    const struct sl_plan_stretches *all = sl_curriculum_stretches(c);
    const struct sl_plan_stretch *s = &all->of[i];
    uint64_t tokens = sl_curriculum_unit_tokens(c);
    SL_TRY(sl_buf_addf(out, err, "  {\"name\": "));
    SL_TRY(add_name(out, s->name, err));
    SL_TRY(sl_buf_addf(out, err, ", \"stage\": %u, \"begin\": %llu, \"end\": %llu,", s->number,
                       (unsigned long long)s->begin, (unsigned long long)s->end));
    if (!plan->of_documents)
        SL_TRY(sl_buf_addf(out, err, " \"begin_tokens\": %llu, \"end_tokens\": %llu,",
                           (unsigned long long)(s->begin * tokens),
                           (unsigned long long)(s->end * tokens)));
    if (s->length)
        SL_TRY(sl_buf_addf(out, err, " \"length\": %llu,", (unsigned long long)s->length));
    SL_TRY(sl_buf_addf(out, err, "\n   \"shares\": {"));
    SL_TRY(add_counts(plan, s->counts, s->end - s->begin, true, out, err));
    SL_TRY(sl_buf_addf(out, err, "}"));
    if (sl_curriculum_weights(c))
        SL_TRY(add_weights(plan, c, i, out, err));
    return sl_buf_addf(out, err, i + 1 < all->n ? "},\n" : "}\n");
}

static uint64_t weight_of(const struct sl_curriculum *c, size_t source)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < sl_curriculum_stretches(c)->n; k++)
        sum += sl_plan_weights_sum(sl_curriculum_weights(c), k, source);
    return sum;
}

static enum sl_status add_source(const struct sl_plan *plan, const struct sl_curriculum *c,
                                 size_t i, bool made, struct sl_buf *out, struct sl_err *err)
{
    uint64_t placed = sl_plan_stretches_placed(sl_curriculum_stretches(c), i);
    uint64_t units = sl_curriculum_units(c, i);
    uint64_t unused =
        made ? sl_plan_order_unused(sl_curriculum_order(c), i) : sl_curriculum_unused(c, i);
    SL_TRY(sl_buf_addf(out, err, "  {\"name\": "));
    SL_TRY(add_name(out, plan->sources[i].name, err));
    SL_TRY(sl_buf_addf(out, err, ", \"%s\": %llu, \"placed\": %llu, \"unused\": %llu",
                       sl_plan_units(plan), (unsigned long long)units, (unsigned long long)placed,
                       (unsigned long long)unused));
    if (sl_curriculum_weights(c))
        SL_TRY(sl_buf_addf(out, err, ", \"%s\": %llu",
                           sl_plan_weights_name(sl_curriculum_weights(c)),
                           (unsigned long long)weight_of(c, i)));
    if (plan->sources[i].group)
        SL_TRY(sl_buf_addf(out, err, ", \"unfilled\": %llu",
                           (unsigned long long)sl_plan_order_unfilled(sl_curriculum_order(c), i)));
    return sl_buf_addf(out, err, "}%s\n", i + 1 < plan->n_sources ? "," : "");
}

static enum sl_status add_errors(const struct sl_plan *plan, const struct sl_plan_achieved *a,
                                 struct sl_buf *out, struct sl_err *err)
{
    if (!a->low)
        return SL_OK;
    SL_TRY(sl_buf_addf(out, err, ",\n  \"errors\": {"));
    bool first = true;
    for (size_t i = 0; i < a->n_all; i++) {
        if (i == plan->n_sources && !a->low[i] && !a->high[i])
            continue; /* nothing is replayed */
        SL_TRY(sl_buf_addf(out, err, first ? "" : ", "));
        first = false;
        SL_TRY(add_name(out, source_name(plan, i), err));
        SL_TRY(sl_buf_addf(out, err, ": {\"prefix\": %.6f, \"window\": %.6f}",
                           sl_plan_achieved_prefix(a, i), sl_plan_achieved_window(a, i)));
    }
    return sl_buf_addf(out, err, "}");
}

static enum sl_status add_achieved(const struct sl_plan *plan, const struct sl_plan_achieved *a,
                                   struct sl_buf *out, struct sl_err *err)
{
    SL_TRY(sl_buf_addf(out, err, ",\n \"achieved\": {\"windows\": [\n"));
    for (size_t w = 0; w < a->n_windows; w++) {
        uint64_t begin = sl_plan_achieved_begin(a, w), end = sl_plan_achieved_begin(a, w + 1);
        SL_TRY(sl_buf_addf(out, err, "   {\"begin\": %llu, \"end\": %llu, \"%s\": {",
                           (unsigned long long)begin, (unsigned long long)end,
                           sl_plan_units(plan)));
        SL_TRY(add_counts(plan, a->counts + w * a->n_all, end - begin, false, out, err));
        SL_TRY(sl_buf_addf(out, err, w + 1 < a->n_windows ? "}},\n" : "}}\n"));
    }
    SL_TRY(sl_buf_addf(out, err, "  ]"));
    SL_TRY(add_errors(plan, a, out, err));
    return sl_buf_addf(out, err, "}");
}

static enum sl_status add_tokenizer(const char *tokenizer, struct sl_buf *out, struct sl_err *err)
{
    struct sl_json *json = NULL;
    if (tokenizer)
        SL_TRY(sl_json_parse(&json, sl_str_of(tokenizer), err));
    struct sl_str digest = sl_json_str(sl_json_get(json, "digest"));
    enum sl_status st;
    if (digest.n && digest.n < 256)
        st = sl_buf_addf(out, err, " \"tokenizer\": \"%.*s\",\n", (int)digest.n, digest.p);
    else
        st = sl_buf_addf(out, err, " \"tokenizer\": null,\n");
    sl_json_free(json);
    return st;
}

static enum sl_status add_documents(const struct sl_plan *plan, const struct sl_curriculum *c,
                                    bool made, struct sl_buf *out, struct sl_err *err)
{
    const struct sl_plan_weights *w = sl_curriculum_weights(c);
    uint64_t n = sl_plan_order_positions(sl_curriculum_order(c)), sum = 0;
    SL_TRY(sl_buf_addf(out, err, " \"unit\": \"document\", \"documents\": %llu,\n",
                       (unsigned long long)n));
    for (size_t i = 0; i <= plan->n_sources; i++)
        sum += weight_of(c, i);
    if (!w)
        return SL_OK;
    return sl_buf_addf(out, err, " \"%s\": %llu, \"estimated\": %s,\n", sl_plan_weights_name(w),
                       (unsigned long long)sum, made ? "false" : "true");
}

static enum sl_status add_sequences(const struct sl_curriculum *c, struct sl_buf *out,
                                    struct sl_err *err)
{
    uint64_t tokens = sl_curriculum_unit_tokens(c);
    uint64_t n = sl_plan_order_positions(sl_curriculum_order(c));
    return sl_buf_addf(out, err, " \"sequences\": %llu, \"length\": %llu, \"tokens\": %llu,\n",
                       (unsigned long long)n, (unsigned long long)tokens,
                       (unsigned long long)(n * tokens));
}

enum sl_status sl_plan_text(const struct sl_plan *plan, const struct sl_curriculum *c,
                            const char *tokenizer, const struct sl_plan_made *made,
                            struct sl_buf *out, struct sl_err *err)
{
    const struct sl_plan_stretches *all = sl_curriculum_stretches(c);
    SL_TRY(sl_buf_addf(out, err,
                       "{\"format\": \"sluice-curriculum\", \"version\": 1, \"seed\": "
                       "\"%llu\",\n",
                       (unsigned long long)plan->seed));
    if (plan->of_documents)
        SL_TRY(add_documents(plan, c, made != NULL, out, err));
    else
        SL_TRY(add_sequences(c, out, err));
    SL_TRY(add_tokenizer(tokenizer, out, err));
    if (made)
        SL_TRY(sl_buf_addf(out, err,
                           " \"order\": {\"file\": \"order.arrows\", "
                           "\"digest\": \"%.32s\"},\n",
                           made->digest));
    SL_TRY(sl_buf_addf(out, err, " \"stages\": [\n"));
    for (size_t i = 0; i < all->n; i++)
        SL_TRY(add_stage(plan, c, i, out, err));
    SL_TRY(sl_buf_addf(out, err, " ],\n \"sources\": [\n"));
    for (size_t i = 0; i < plan->n_sources; i++)
        SL_TRY(add_source(plan, c, i, made != NULL, out, err));
    SL_TRY(sl_buf_addf(out, err, " ]"));
    if (made)
        SL_TRY(add_achieved(plan, made->achieved, out, err));
    return sl_buf_addf(out, err, "}\n");
}

/* ---- warnings ---- */

const char *sl_plan_warning(struct sl_plan *plan)
{
    if (plan->lr.shape <= SL_LR_CONSTANT)
        return NULL;
    for (size_t i = 0; i < plan->n_stages; i++) {
        const struct sl_plan_stage *s = &plan->stages[i];
        bool sorted = s->way.draw == SL_DRAW_PERMUTE && s->way.permute.kind == SL_PERMUTE_SORT;
        bool whole = plan->n_stages == 1 || (s->unit == SL_UNTIL_PERCENT && s->until > 50);
        char text[400];
        if (!sorted || (i == 0 && !whole))
            continue;
        snprintf(text, sizeof text,
                 "%s:%d: stage '%s' is fully sorted while the learning rate falls: what comes "
                 "last is learned least",
                 plan->file, s->way.line, s->name);
        return sl_arena_str(&plan->arena, sl_str_of(text));
    }
    return NULL;
}
