/* SPDX-License-Identifier: Apache-2.0 */
/* Words for plans. */
#include "order/plan_text.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "order/plan_ids.h"

static const char *way_name(const struct sl_plan_way *w)
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
    SL_TRY(set_text(o, "order", way_name(w), err));
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
    return s->own ? fill_way(o, plan, s->own, err) : SL_OK;
}

static enum sl_status fill_stage(struct sl_json *o, const struct sl_plan *plan, size_t i,
                                 struct sl_err *err)
{
    SL_TRY(set_text(o, "name", plan->stages[i].name, err));
    return fill_way(o, plan, &plan->stages[i].way, err);
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

static enum sl_status add_counts(const struct sl_plan *plan, const struct sl_plan_span *span,
                                 struct sl_buf *out, struct sl_err *err)
{
    uint64_t n = span->end - span->begin;
    bool first = true;
    for (size_t i = 0; i <= plan->n_sources; i++) {
        uint64_t k = span->counts[i];
        if (!k)
            continue;
        SL_TRY(sl_buf_addf(out, err, first ? "" : ", "));
        first = false;
        SL_TRY(add_name(out, i < plan->n_sources ? plan->sources[i].name : "(replay)", err));
        SL_TRY(sl_buf_addf(out, err, ": {\"sequences\": %llu, \"share\": %.6f}",
                           (unsigned long long)k, (double)k / (double)n));
    }
    return SL_OK;
}

static enum sl_status add_stage(const struct sl_plan *plan, const struct sl_plan_order *order,
                                size_t i, uint64_t tokens, struct sl_buf *out, struct sl_err *err)
{
    struct sl_plan_span span = sl_plan_order_span(order, i);
    SL_TRY(sl_buf_addf(out, err, "  {\"name\": "));
    SL_TRY(add_name(out, plan->stages[i].name, err));
    SL_TRY(sl_buf_addf(out, err,
                       ", \"begin\": %llu, \"end\": %llu, \"begin_tokens\": %llu, "
                       "\"end_tokens\": %llu,\n   \"shares\": {",
                       (unsigned long long)span.begin, (unsigned long long)span.end,
                       (unsigned long long)(span.begin * tokens),
                       (unsigned long long)(span.end * tokens)));
    SL_TRY(add_counts(plan, &span, out, err));
    return sl_buf_addf(out, err, i + 1 < plan->n_stages ? "}},\n" : "}}\n");
}

static enum sl_status add_source(const struct sl_plan *plan, const struct sl_curriculum *c,
                                 size_t i, struct sl_buf *out, struct sl_err *err)
{
    uint64_t placed = 0;
    for (size_t s = 0; s < plan->n_stages; s++)
        placed += sl_plan_order_span(sl_curriculum_order(c), s).counts[i];
    uint64_t units = sl_curriculum_units(c, i);
    SL_TRY(sl_buf_addf(out, err, "  {\"name\": "));
    SL_TRY(add_name(out, plan->sources[i].name, err));
    return sl_buf_addf(out, err, ", \"sequences\": %llu, \"placed\": %llu, \"unused\": %llu}%s\n",
                       (unsigned long long)units, (unsigned long long)placed,
                       (unsigned long long)sl_curriculum_unused(c, i),
                       i + 1 < plan->n_sources ? "," : "");
}

enum sl_status sl_plan_text(const struct sl_plan *plan, const struct sl_curriculum *c,
                            const char *digest, struct sl_buf *out, struct sl_err *err)
{
    const struct sl_plan_order *order = sl_curriculum_order(c);
    uint64_t tokens = sl_curriculum_unit_tokens(c), n = sl_plan_order_positions(order);
    SL_TRY(sl_buf_addf(out, err, "{\"sequences\": %llu, \"length\": %llu, \"tokens\": %llu,\n",
                       (unsigned long long)n, (unsigned long long)tokens,
                       (unsigned long long)(n * tokens)));
    if (digest)
        SL_TRY(sl_buf_addf(out, err,
                           " \"order\": {\"file\": \"order.arrows\", "
                           "\"digest\": \"%.32s\"},\n",
                           digest));
    SL_TRY(sl_buf_addf(out, err, " \"stages\": [\n"));
    for (size_t i = 0; i < plan->n_stages; i++)
        SL_TRY(add_stage(plan, order, i, tokens, out, err));
    SL_TRY(sl_buf_addf(out, err, " ],\n \"sources\": [\n"));
    for (size_t i = 0; i < plan->n_sources; i++)
        SL_TRY(add_source(plan, c, i, out, err));
    return sl_buf_addf(out, err, " ]}\n");
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
