/* SPDX-License-Identifier: Apache-2.0 */
/* The law is checked by the caller's function on pieces: a stage alone, then with
 * the one before it, so that a page can say which of many stages is wrong and
 * still draw the others. */
#include "report/stages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX ((int64_t)1 << 60)
enum { MAX_DEPTH = 32, MAX_STAGES = 100000 };

int64_t sl_count_of(const struct sl_json *object, const char *key)
{
    int64_t v = sl_json_int(sl_json_get(object, key));
    return v < 0 ? 0 : v > NUMBER_MAX ? NUMBER_MAX : v;
}

int64_t sl_rows_of(const struct sl_json *tally, const char *port)
{
    return sl_count_of(sl_json_get(tally, port), "rows");
}

void sl_stages_release(struct sl_stages *s)
{
    free(s->s);
    *s = (struct sl_stages){ 0 };
}

/* ---- the law ---- */

/* The stages one behind the other as a lineage; before may be NULL. */
static enum sl_status check_piece(const struct sl_json *before, const struct sl_json *stage,
                                  sl_law_check *law, struct sl_err *err)
{
    struct sl_json *piece = sl_json_new_array();
    enum sl_status st = SL_OK;
    if (before)
        st = sl_json_push(piece, sl_json_copy(before), err);
    if (st == SL_OK)
        st = sl_json_push(piece, sl_json_copy(stage), err);
    if (st == SL_OK)
        st = law(piece, err);
    sl_json_free(piece);
    return st;
}

/* The message without "lineage, stage 1 (sluice-x): ", which the page says itself. */
static void keep_why(struct sl_stage *s, const struct sl_err *why)
{
    const char *text = strstr(why->msg, "): ");
    snprintf(s->why, sizeof s->why, "%.300s", text ? text + 3 : why->msg);
}

static enum sl_status check_law(struct sl_stage *s, const struct sl_stage *before,
                                sl_law_check *law, struct sl_err *err)
{
    struct sl_err why = SL_ERR_INIT;
    enum sl_status st = check_piece(NULL, s->json, law, &why);
    if (st == SL_OK && before && before->law_ok)
        st = check_piece(before->json, s->json, law, &why);
    s->law_ok = st == SL_OK;
    if (st == SL_E_SYSTEM)
        return sl_err_set(err, st, "%s", why.msg);
    if (st != SL_OK)
        keep_why(s, &why);
    return SL_OK;
}

/* ---- the list ---- */

enum { MAX_SEEN = 64 };

struct flatten {
    struct sl_stages *out;
    sl_law_check *law;
    bool chained;
    const struct sl_json *seen[MAX_SEEN]; /* lineages of earlier branches */
    int n_seen;
    struct sl_err *err;
};

/* One part of a lineage: branch of n_branches at a depth. */
struct part {
    const struct sl_json *lineage;
    int depth, branch, n_branches;
};

static struct sl_stage *add_stage(struct flatten *f)
{
    struct sl_stages *s = f->out;
    if (s->n == s->cap) {
        int cap = s->cap ? 2 * s->cap : 16;
        struct sl_stage *more = realloc(s->s, (size_t)cap * sizeof *more);
        if (!more)
            return NULL;
        s->s = more;
        s->cap = cap;
    }
    s->s[s->n] = (struct sl_stage){ 0 };
    return &s->s[s->n++];
}

static void describe(struct sl_stage *s, const struct sl_json *json, const struct sl_stage *before)
{
    s->json = json;
    s->tally = sl_json_get(json, "tally");
    s->tool = sl_json_str(sl_json_get(json, "tool"));
    s->version = sl_json_str(sl_json_get(json, "version"));
    s->in = sl_rows_of(s->tally, "in");
    s->out = sl_rows_of(s->tally, "out");
    s->rejected = sl_rows_of(s->tally, "rejected");
    s->packs = sl_str_eq(sl_json_str(sl_json_get(s->tally, "law")), SL_STR("tokens"));
    s->packed = before && (before->packed || before->packs);
}

static bool same_stage(const struct sl_json *a, const struct sl_json *b);

/* The stages at its beginning that an earlier branch had too. */
static size_t seen_stages(const struct flatten *f, const struct sl_json *lineage)
{
    size_t most = 0;
    for (int k = 0; k < f->n_seen; k++) {
        size_t i = 0;
        while (i < sl_json_count(lineage) && i < sl_json_count(f->seen[k]) &&
               same_stage(sl_json_at(lineage, i), sl_json_at(f->seen[k], i)))
            i++;
        most = i > most ? i : most;
    }
    return most;
}

static enum sl_status flatten(struct flatten *f, const struct part *p, bool *packed);

/* What was joined before a stage; packed: it is sequences. */
static enum sl_status flatten_inputs(struct flatten *f, const struct sl_json *stage, int depth,
                                     bool *packed)
{
    const struct sl_json *inputs = sl_json_get(stage, "inputs");
    int n = (int)sl_json_count(inputs);
    for (int k = 0; k < n; k++) {
        const struct part p = { sl_json_at(inputs, (size_t)k), depth + 1, k + 1, n };
        SL_TRY(flatten(f, &p, packed));
    }
    return SL_OK;
}

static enum sl_status add_new(struct flatten *f, const struct part *p, size_t i, size_t n_seen,
                              struct sl_stage *before)
{
    const struct sl_json *json = sl_json_at(p->lineage, i);
    bool joined_packed = false;
    SL_TRY(flatten_inputs(f, json, p->depth, &joined_packed));
    struct sl_stage *s = add_stage(f);
    if (!s)
        return sl_err_nomem(f->err, sizeof *s);
    describe(s, json, i ? before : NULL);
    s->packed |= joined_packed;
    s->depth = p->depth;
    s->number = (int)i + 1;
    s->branch = p->branch;
    s->n_branches = p->n_branches;
    s->begins = i == n_seen;
    if (s->begins && i)
        s->follows = before->tool;
    SL_TRY(check_law(s, f->chained && i ? before : NULL, f->law, f->err));
    *before = *s;
    return SL_OK;
}

static enum sl_status flatten(struct flatten *f, const struct part *p, bool *packed)
{
    struct sl_stage before = { 0 };
    if (p->depth > MAX_DEPTH || f->out->n > MAX_STAGES)
        return sl_err_set(f->err, SL_E_DATA, "a lineage of too many stages");
    size_t n_seen = p->depth ? seen_stages(f, p->lineage) : 0;
    if (p->depth && f->n_seen < MAX_SEEN)
        f->seen[f->n_seen++] = p->lineage;
    for (size_t i = 0; i < n_seen; i++) {
        struct sl_stage s = { 0 };
        describe(&s, sl_json_at(p->lineage, i), i ? &before : NULL);
        s.law_ok = true;
        before = s;
    }
    for (size_t i = n_seen; i < sl_json_count(p->lineage); i++)
        SL_TRY(add_new(f, p, i, n_seen, &before));
    *packed = before.packed || before.packs;
    return SL_OK;
}

enum sl_status sl_stages_of(struct sl_stages *out, const struct sl_json *lineage, sl_law_check *law,
                            bool chained, struct sl_err *err)
{
    const struct part main_line = { lineage, 0, 0, 0 };
    struct flatten f = { .out = out, .law = law, .chained = chained, .err = err };
    bool packed;
    *out = (struct sl_stages){ 0 };
    enum sl_status st = flatten(&f, &main_line, &packed);
    if (st != SL_OK)
        sl_stages_release(out);
    return st;
}

/* ---- the headline ---- */

static int64_t sum(int64_t a, int64_t b)
{
    int64_t s = a + b; /* both are from 0 to 2^62 */
    return s > NUMBER_MAX ? NUMBER_MAX : s;
}

/* Several branches may have packed documents of their own. */
static void add_packed(struct sl_glance *g, const struct sl_stage *s)
{
    const struct sl_json *counts = sl_json_get(s->tally, "counts");
    int64_t begun = sl_rows_of(s->tally, "begun");
    int64_t tokens = sl_count_of(counts, "tokens_out") - sl_count_of(counts, "padding");
    bool more = s->depth && g->sequences >= 0;
    g->kept = more ? sum(g->kept, begun) : begun;
    g->tokens = more ? sum(g->tokens, tokens) : tokens;
    g->sequences = more ? sum(g->sequences, s->out) : s->out;
}

struct sl_glance sl_stages_glance(const struct sl_stages *stages)
{
    struct sl_glance g = { stages->n ? 0 : -1, -1, stages->n ? 0 : -1, -1, -1 };
    for (int i = 0; i < stages->n; i++) {
        const struct sl_stage *s = &stages->s[i];
        const struct sl_json *counts = sl_json_get(s->tally, "counts");
        if (s->packed) {
            g.sequences = s->depth ? g.sequences : s->out;
            continue;
        }
        if (s->number == 1 && !sl_json_get(s->json, "inputs"))
            g.docs_in = sum(g.docs_in, s->in);
        g.dropped = sum(g.dropped, s->rejected);
        if (s->packs) {
            add_packed(&g, s);
            continue;
        }
        if (s->depth)
            continue;
        g.kept = s->out;
        if (sl_json_get(counts, "tokens"))
            g.tokens = sl_count_of(counts, "tokens");
    }
    return g;
}

/* ---- which lineage is part of which ---- */

static bool same_value(const struct sl_json *a, const struct sl_json *b, const char *key)
{
    const struct sl_json *x = sl_json_get(a, key), *y = sl_json_get(b, key);
    return (!x && !y) || (x && y && sl_json_equal(x, y));
}

/* A stream of rejects has the same stages as the main one. */
static bool same_stage(const struct sl_json *a, const struct sl_json *b)
{
    static const char *const keys[] = { "tool", "version", "options", "count", "inputs", "tally" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!same_value(a, b, keys[i]))
            return false;
    return true;
}

static bool holds(const struct sl_json *b, const struct sl_json *a, int depth)
{
    size_t n = sl_json_count(a), i = 0;
    while (i < n && i < sl_json_count(b) && same_stage(sl_json_at(a, i), sl_json_at(b, i)))
        i++;
    if (i == n)
        return true;
    const struct sl_json *inputs = sl_json_get(sl_json_at(b, 0), "inputs");
    for (size_t k = 0; depth < MAX_DEPTH && k < sl_json_count(inputs); k++)
        if (holds(sl_json_at(inputs, k), a, depth + 1))
            return true;
    return false;
}

bool sl_lineage_holds(const struct sl_json *b, const struct sl_json *a)
{
    return holds(b, a, 0);
}
