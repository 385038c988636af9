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

struct flatten {
    struct sl_stages *out;
    sl_law_check *law;
    bool chained;
    struct sl_err *err;
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

/* branch[0] of branch[1] branches at this depth. */
static enum sl_status flatten(struct flatten *f, const struct sl_json *lineage, int depth,
                              const int branch[2])
{
    struct sl_stage before = { 0 };
    if (depth > MAX_DEPTH || f->out->n > MAX_STAGES)
        return sl_err_set(f->err, SL_E_DATA, "a lineage of too many stages");
    for (size_t i = 0; i < sl_json_count(lineage); i++) {
        const struct sl_json *json = sl_json_at(lineage, i);
        const struct sl_json *inputs = sl_json_get(json, "inputs");
        int n = (int)sl_json_count(inputs);
        for (int k = 0; k < n; k++) {
            const int which[2] = { k + 1, n };
            SL_TRY(flatten(f, sl_json_at(inputs, (size_t)k), depth + 1, which));
        }
        /* The last branch says what is joined: all are of one kind. */
        const struct sl_stage *last = n && f->out->n ? &f->out->s[f->out->n - 1] : NULL;
        bool joined_packed = last && last->depth == depth + 1 && (last->packed || last->packs);
        struct sl_stage *s = add_stage(f);
        if (!s)
            return sl_err_nomem(f->err, sizeof *s);
        describe(s, json, i ? &before : NULL);
        s->packed |= joined_packed;
        s->depth = depth;
        s->number = (int)i + 1;
        s->branch = branch[0];
        s->n_branches = branch[1];
        SL_TRY(check_law(s, f->chained && i ? &before : NULL, f->law, f->err));
        before = *s;
    }
    return SL_OK;
}

enum sl_status sl_stages_of(struct sl_stages *out, const struct sl_json *lineage, sl_law_check *law,
                            bool chained, struct sl_err *err)
{
    static const int main_line[2] = { 0, 0 };
    struct flatten f = { out, law, chained, err };
    *out = (struct sl_stages){ 0 };
    enum sl_status st = flatten(&f, lineage, 0, main_line);
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
        if (s->depth)
            continue;
        g.kept = s->packs ? sl_rows_of(s->tally, "begun") : s->out;
        if (s->packs) {
            g.sequences = s->out;
            g.tokens = sl_count_of(counts, "tokens_out") - sl_count_of(counts, "padding");
        } else if (sl_json_get(counts, "tokens")) {
            g.tokens = sl_count_of(counts, "tokens");
        }
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
