/* SPDX-License-Identifier: Apache-2.0 */
/* The checker reads the JSON itself and shares nothing with what writes
 * tallies, so that a mistake there is found here. All sums are of integers that
 * were checked to be between 0 and 2^60, in 128 bits where they are multiplied. */
#include "run/conserve.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BINS = 65, SCORE_BINS = 64 };

#define NUMBER_MAX ((int64_t)1 << 60)

struct port {
    int64_t rows;
    struct sl_hash128 ids;
};

struct stage {
    int number; /* from 1, in its array */
    const struct sl_json *json, *tally;
    char tool[64];
    struct port in, out, rejected;
    struct sl_err *err;
};

SL_PRINTF(2, 3)
static enum sl_status broken(const struct stage *s, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return sl_err_set(s->err, SL_E_DATA, "lineage, stage %d (%s): %s", s->number, s->tool, text);
}

static bool is_count(const struct sl_json *v)
{
    return sl_json_type(v) == SL_JSON_INT && sl_json_int(v) >= 0 && sl_json_int(v) < NUMBER_MAX;
}

static enum sl_status get_port(const struct stage *s, const char *key, struct port *out)
{
    const struct sl_json *port = sl_json_get(s->tally, key);
    const struct sl_json *rows = sl_json_get(port, "rows");
    if (!is_count(rows) || !sl_hash128_parse(sl_json_str(sl_json_get(port, "ids")), &out->ids))
        return broken(s, "its tally has no '%s' with rows and ids", key);
    out->rows = sl_json_int(rows);
    return SL_OK;
}

static enum sl_status get_count(const struct stage *s, const char *key, bool must, int64_t *out)
{
    const struct sl_json *v = sl_json_get(sl_json_get(s->tally, "counts"), key);
    *out = 0;
    if (!v && !must)
        return SL_OK;
    if (!is_count(v))
        return broken(s, "its counts have no '%s'", key);
    *out = sl_json_int(v);
    return SL_OK;
}

static void port_add(struct port *a, const struct port *b)
{
    a->rows += b->rows;
    sl_hash128_add(&a->ids, b->ids);
}

static bool same_ids(const struct port *a, const struct port *b)
{
    return memcmp(a->ids.b, b->ids.b, sizeof a->ids.b) == 0;
}

/* ---- the laws of one stage ---- */

static enum sl_status law_rows(const struct stage *s)
{
    struct port sum = s->out;
    port_add(&sum, &s->rejected);
    if (sum.rows != s->in.rows)
        return broken(s, "%lld rows in, but %lld out and %lld rejected", (long long)s->in.rows,
                      (long long)s->out.rows, (long long)s->rejected.rows);
    if (!same_ids(&sum, &s->in))
        return broken(s, "the ids out and rejected are not those in");
    return SL_OK;
}

static enum sl_status law_tokens(const struct stage *s)
{
    static const char *const names[] = { "tokens_in",  "specials", "overlap",
                                         "tokens_out", "padding",  "cut" };
    int64_t n[6];
    struct port begun, empty, sum = s->rejected;
    for (int i = 0; i < 6; i++)
        SL_TRY(get_count(s, names[i], strcmp(names[i], "overlap") != 0, &n[i]));
    __int128 in = (__int128)n[0] + n[1] + n[2], out = (__int128)n[3] - n[4] + n[5];
    if (in != out)
        return broken(s,
                      "tokens: %lld in, %lld specials and %lld twice, but %lld out, of which %lld "
                      "padding, and %lld cut",
                      (long long)n[0], (long long)n[1], (long long)n[2], (long long)n[3],
                      (long long)n[4], (long long)n[5]);
    SL_TRY(get_port(s, "begun", &begun));
    SL_TRY(get_port(s, "empty", &empty));
    port_add(&sum, &begun);
    port_add(&sum, &empty);
    if (sum.rows != s->in.rows)
        return broken(s, "%lld documents in, but %lld begun, %lld empty and %lld rejected",
                      (long long)s->in.rows, (long long)begun.rows, (long long)empty.rows,
                      (long long)s->rejected.rows);
    if (!same_ids(&sum, &s->in))
        return broken(s, "the ids of documents begun, empty and rejected are not those in");
    return SL_OK;
}

static enum sl_status law_multiply(const struct stage *s)
{
    int64_t num, den, added;
    const struct sl_json *counts = sl_json_get(s->tally, "counts");
    int64_t unused;
    SL_TRY(get_count(s, "unused", false, &unused));
    int64_t kept = s->in.rows - s->rejected.rows - unused;
    if (sl_json_get(counts, "rows_added")) {
        SL_TRY(get_count(s, "rows_added", true, &added));
        if (kept < 0 || (__int128)kept + added != s->out.rows)
            return broken(
                s, "%lld rows in, %lld rejected, %lld unused and %lld added are not %lld out",
                (long long)s->in.rows, (long long)s->rejected.rows, (long long)unused,
                (long long)added, (long long)s->out.rows);
        return SL_OK;
    }
    SL_TRY(get_count(s, "factor_num", true, &num));
    SL_TRY(get_count(s, "factor_den", true, &den));
    if (kept < 0 || den == 0 || (__int128)kept * num != (__int128)s->out.rows * den)
        return broken(s, "%lld rows in, %lld rejected, times %lld / %lld are not %lld out",
                      (long long)s->in.rows, (long long)s->rejected.rows, (long long)num,
                      (long long)den, (long long)s->out.rows);
    return SL_OK;
}

static enum sl_status check_law(const struct stage *s)
{
    const struct sl_json *law = sl_json_get(s->tally, "law");
    if (!law)
        return law_rows(s);
    struct sl_str name = sl_json_str(law);
    if (sl_str_eq(name, SL_STR("source")))
        return law_rows(s);
    if (sl_str_eq(name, SL_STR("tokens")))
        return law_tokens(s);
    if (sl_str_eq(name, SL_STR("multiply")))
        return law_multiply(s);
    return broken(s, "an unknown law '%.*s'", (int)(name.n < 64 ? name.n : 64), name.p);
}

static enum sl_status check_reasons(const struct stage *s)
{
    const struct sl_json *reasons = sl_json_get(s->tally, "reasons");
    __int128 sum = 0;
    const struct sl_json *v;
    for (const char *name = NULL; (name = sl_json_after(reasons, name, &v));) {
        if (!is_count(v))
            return broken(s, "the rows rejected as '%s' are no number", name);
        sum += sl_json_int(v);
    }
    if (sum != s->rejected.rows)
        return broken(s, "%lld rows rejected, but another number by reasons",
                      (long long)s->rejected.rows);
    return SL_OK;
}

static enum sl_status check_histograms(const struct stage *s)
{
    const struct sl_json *all = sl_json_get(s->tally, "hist");
    const struct sl_json *bins;
    for (const char *name = NULL; (name = sl_json_after(all, name, &bins));) {
        size_t n_bins = strcmp(name, "text_bytes") == 0 ? TEXT_BINS : SCORE_BINS;
        if (sl_json_type(bins) != SL_JSON_ARRAY || sl_json_count(bins) != n_bins)
            return broken(s, "the histogram '%s' has not its bins", name);
        for (size_t k = 0; k < sl_json_count(bins); k++)
            if (!is_count(sl_json_at(bins, k)))
                return broken(s, "the histogram '%s' has a bin that is no number", name);
    }
    return SL_OK;
}

/* ---- the chain ---- */

static enum sl_status open_stage(struct stage *s)
{
    struct sl_str tool = sl_json_str(sl_json_get(s->json, "tool"));
    snprintf(s->tool, sizeof s->tool, "%.*s", (int)(tool.n < 63 ? tool.n : 63),
             tool.n ? tool.p : "");
    if (!tool.n || sl_json_type(sl_json_get(s->json, "version")) != SL_JSON_STR)
        return broken(s, "it has no 'tool' or no 'version'");
    const struct sl_json *count = sl_json_get(s->json, "count");
    if (count && (!is_count(count) || sl_json_int(count) < 2))
        return broken(s, "its 'count' is no number of joined streams");
    s->tally = sl_json_get(s->json, "tally");
    if (sl_json_type(s->tally) != SL_JSON_OBJECT)
        return broken(s, "it has no 'tally'");
    static const char *const objects[] = { "reasons", "counts", "hist" };
    for (int i = 0; i < 3; i++) {
        const struct sl_json *v = sl_json_get(s->tally, objects[i]);
        if (v && sl_json_type(v) != SL_JSON_OBJECT)
            return broken(s, "its '%s' are no object", objects[i]);
    }
    SL_TRY(get_port(s, "in", &s->in));
    SL_TRY(get_port(s, "out", &s->out));
    return get_port(s, "rejected", &s->rejected);
}

/* What comes into a stage with "inputs": the sum of the branches, known where
 * all of them are. */
static enum sl_status join_branches(const struct stage *s, struct sl_conserved *before)
{
    const struct sl_json *inputs = sl_json_get(s->json, "inputs");
    if (s->number != 1 || sl_json_type(inputs) != SL_JSON_ARRAY || !sl_json_count(inputs))
        return broken(s, "'inputs' is no array of lineages, or not at the first stage");
    *before = (struct sl_conserved){ .known = true };
    for (size_t i = 0; i < sl_json_count(inputs); i++) {
        struct sl_conserved branch;
        struct sl_err why = SL_ERR_INIT;
        if (sl_conserve_check(sl_json_at(inputs, i), &branch, &why) != SL_OK)
            return broken(s, "input %zu: %.400s", i + 1, why.msg);
        before->known &= branch.known;
        before->rows += branch.rows;
        if (before->rows >= NUMBER_MAX)
            return broken(s, "the rows of its inputs are too many");
        sl_hash128_add(&before->ids, branch.ids);
    }
    return SL_OK;
}

static enum sl_status check_chain(const struct stage *s, const struct sl_conserved *before)
{
    if (!before->known)
        return SL_OK;
    if (before->rows != s->in.rows)
        return broken(s, "%lld rows came in, but %lld left what is before it",
                      (long long)s->in.rows, (long long)before->rows);
    if (memcmp(before->ids.b, s->in.ids.b, sizeof before->ids.b) != 0)
        return broken(s, "the ids that came in are not those that left what is before it");
    return SL_OK;
}

/* One stage; before becomes what leaves it. */
static enum sl_status check_stage(struct stage *s, struct sl_conserved *before)
{
    SL_TRY(open_stage(s));
    if (sl_json_get(s->json, "inputs"))
        SL_TRY(join_branches(s, before));
    SL_TRY(check_chain(s, before));
    SL_TRY(check_law(s));
    SL_TRY(check_reasons(s));
    SL_TRY(check_histograms(s));
    const struct sl_json *port = sl_json_get(s->json, "port");
    if (port && !sl_str_eq(sl_json_str(port), SL_STR("rejects")) &&
        !sl_str_eq(sl_json_str(port), SL_STR("rest")))
        return broken(s, "an unknown port");
    const struct port *left = port ? &s->rejected : &s->out;
    *before = (struct sl_conserved){ true, left->rows, left->ids };
    return SL_OK;
}

enum sl_status sl_conserve_check(const struct sl_json *lineage, struct sl_conserved *out,
                                 struct sl_err *err)
{
    *out = (struct sl_conserved){ 0 };
    if (sl_json_type(lineage) != SL_JSON_ARRAY)
        return sl_err_set(err, SL_E_DATA, "the lineage is no array");
    for (size_t i = 0; i < sl_json_count(lineage); i++) {
        struct stage s = { .number = (int)i + 1, .json = sl_json_at(lineage, i), .err = err };
        SL_TRY(check_stage(&s, out));
    }
    return SL_OK;
}

enum sl_status sl_conserve_check_end(struct sl_str lineage, int64_t rows, struct sl_hash128 ids,
                                     struct sl_err *err)
{
    struct sl_json *stages;
    struct sl_conserved end;
    SL_TRY(sl_json_parse(&stages, lineage, err));
    enum sl_status st = sl_conserve_check(stages, &end, err);
    sl_json_free(stages);
    if (st != SL_OK || !end.known)
        return st;
    if (end.rows != rows)
        return sl_err_set(err, SL_E_DATA,
                          "lineage: %lld rows left its last stage, but there are "
                          "%lld",
                          (long long)end.rows, (long long)rows);
    if (memcmp(end.ids.b, ids.b, sizeof ids.b) != 0)
        return sl_err_set(err, SL_E_DATA,
                          "lineage: the ids that left its last stage are not those of the rows");
    return SL_OK;
}
