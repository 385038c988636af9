/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-mix: several streams to one, each with its share of the rows. Which input gives
 * the next row is the chairman assignment of order/assign.h over a schedule whose shares
 * stand still, so that after every row each input is less than one row off its share.
 *
 * Inputs are taken as they come and their sizes are not asked for: a pipe and a file give
 * the same bytes. So an input's end is only learned when a row is wanted of it; what
 * follows is declared by --when-empty. Every input is read to its end, so that its trailer
 * is checked; rows without a place are rejected as `unused`, and the first law holds. */
#include <math.h>
#include <stdlib.h>

#include "base/num.h"
#include "order/assign.h"
#include "run/tool.h"

struct conf {
    const char *shares, *weights, *when_empty;
    uint64_t rows;
};

static const struct sl_opt options[] = {
    SL_OPT_STR(0, "shares", "P,...", struct conf, shares,
               "the part of each input, in their order, as 0.7 or 70%; they sum to 1",
               SL_OPT_RESULT),
    SL_OPT_STR(
        0, "weights", "W,...", struct conf, weights,
        "instead: numbers to which the parts are in proportion; without either all are equal",
        SL_OPT_RESULT),
    SL_OPT_RANGE('n', "rows", "N", SL_OPT_T_UINT, struct conf, rows, 0, (uint64_t)1 << 39,
                 "end after N rows; 0: where all inputs are at their end [0]", SL_OPT_RESULT),
    SL_OPT_CHOICE(0, "when-empty", "error|stop|redistribute", struct conf, when_empty,
                  "where an input ends and others do not: fail, end the output, or give its part "
                  "to the others [error]",
                  SL_OPT_RESULT),
    SL_OPT_END
};

enum { UNUSED };
static const char *const reasons[] = { "unused", NULL };

struct source {
    struct sl_batch batch;
    int64_t at; /* next row of the batch in hand */
    uint64_t given;
    bool ended;
};

struct mix {
    size_t n;
    uint64_t *shares; /* of SL_SHARE_ONE; 0 for one that was redistributed */
    struct source *sources;
    struct sl_schedule *schedule;
    struct sl_assign *assign;
    uint64_t rows, n_out; /* rows: 0 for any number */
};

/* ---- shares ---- */

static bool parse_part(struct sl_str s, bool percents, double *out)
{
    bool percent = percents && s.n && s.p[s.n - 1] == '%';
    s.n -= percent;
    if (!sl_parse_f64(s, out) || *out < 0)
        return false;
    if (percent)
        *out /= 100;
    return true;
}

static enum sl_status parse_parts(const struct conf *conf, double *parts, size_t *n,
                                  struct sl_err *err)
{
    if (!conf->shares && !conf->weights) {
        for (size_t i = 0; i < *n; i++)
            parts[i] = 1;
        return SL_OK;
    }
    const char *name = conf->shares ? "--shares" : "--weights";
    struct sl_str all = sl_str_of(conf->shares ? conf->shares : conf->weights);
    double sum = 0;
    *n = 0;
    for (size_t from = 0; from <= all.n;) {
        size_t to = sl_str_find(all, from, ',');
        struct sl_str part = { all.p + from, to - from };
        if (*n == SL_SHARE_MAX_SOURCES)
            return sl_err_set(err, SL_E_USAGE, "%s: more than %d parts", name,
                              SL_SHARE_MAX_SOURCES);
        if (!parse_part(part, conf->shares, &parts[*n]))
            return sl_err_set(err, SL_E_USAGE, "%s: '%.*s' is no part of an input", name,
                              (int)(part.n < 64 ? part.n : 64), part.p);
        sum += parts[(*n)++];
        from = to + 1;
    }
    if (conf->shares && fabs(sum - 1) > 1e-9)
        return sl_err_set(err, SL_E_USAGE,
                          "--shares sum to %.10g, not to 1 (--weights takes any proportions)", sum);
    return SL_OK;
}

/* The shares of the conf, in units of 2^-36; for the caller to free. *n is the number of
 * inputs, and becomes that of the parts; without any of them all are equal. */
static enum sl_status make_shares(const struct conf *conf, uint64_t **shares, size_t *n,
                                  struct sl_err *err)
{
    double *parts = malloc(SL_SHARE_MAX_SOURCES * sizeof *parts);
    *shares = malloc(SL_SHARE_MAX_SOURCES * sizeof **shares);
    enum sl_status st = SL_OK;
    if (!parts || !*shares)
        st = sl_err_nomem(err, SL_SHARE_MAX_SOURCES * sizeof *parts);
    if (st == SL_OK)
        st = parse_parts(conf, parts, n, err);
    if (st == SL_OK)
        st = sl_shares_divide(parts, *n, SL_SHARE_ONE, *shares, err);
    free(parts);
    if (st != SL_OK) {
        free(*shares);
        *shares = NULL;
    }
    return st;
}

static enum sl_status mix_check(void *conf_, struct sl_err *err)
{
    const struct conf *conf = conf_;
    uint64_t *shares;
    size_t n = 1;
    if (conf->shares && conf->weights)
        return sl_err_set(err, SL_E_USAGE, "--shares and --weights exclude each other");
    SL_TRY(make_shares(conf, &shares, &n, err));
    free(shares);
    return SL_OK;
}

/* ---- which input is next ---- */

/* SL_OK: the source has a row in hand. SL_END: it has no more. */
static enum sl_status fill(struct sl_run *run, struct mix *m, size_t i, struct sl_err *err)
{
    struct source *s = &m->sources[i];
    while (!s->ended && s->at >= s->batch.n_rows) {
        enum sl_status st = sl_run_merge_next(run, (int)i, &s->batch, err);
        if (st != SL_OK && st != SL_END)
            return st;
        s->ended = st == SL_END;
        s->at = 0;
    }
    return s->ended ? SL_END : SL_OK;
}

/* Begin to assign by the shares as they are now. */
static enum sl_status plan(struct mix *m, struct sl_err *err)
{
    struct sl_schedule *next;
    uint64_t left = m->rows ? m->rows - m->n_out : SL_SCHEDULE_MAX / 2;
    SL_TRY(sl_schedule_new(&next, m->n, err));
    enum sl_status st = sl_schedule_add(next, left, m->shares, NULL, NULL, err);
    if (st == SL_OK)
        st = m->assign ? sl_assign_switch(m->assign, next, err)
                       : sl_assign_new(&m->assign, next, err);
    if (st != SL_OK) {
        sl_schedule_free(next);
        return st;
    }
    sl_schedule_free(m->schedule);
    m->schedule = next;
    return SL_OK;
}

/* Whether any input with a share has a row left. Every one of them is asked, so that
 * what is known to have ended depends on the rows, not on where batches end. */
static enum sl_status any_left(struct sl_run *run, struct mix *m, bool *any, struct sl_err *err)
{
    *any = false;
    for (size_t i = 0; i < m->n; i++) {
        enum sl_status st = m->shares[i] ? fill(run, m, i, err) : SL_END;
        if (st != SL_OK && st != SL_END)
            return st;
        *any |= st == SL_OK;
    }
    return SL_OK;
}

/* Input i was to give a row and has none: SL_END where the output ends. */
static enum sl_status run_out(struct sl_run *run, struct mix *m, size_t i, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    bool any;
    const char *path = sl_run_n_inputs(run) ? sl_run_input(run, (int)i) : "-";
    if (conf->when_empty[0] == 's')
        return SL_END;
    SL_TRY(any_left(run, m, &any, err));
    if (!any && !m->rows)
        return SL_END;
    if (!any || conf->when_empty[0] == 'e')
        return sl_err_set(err, SL_E_DATA,
                          "'%s' ended after %llu rows, and its part of the output needs more after "
                          "%llu rows of that%s",
                          path, (unsigned long long)m->sources[i].given,
                          (unsigned long long)m->n_out,
                          any ? " (--when-empty says what else to do)" : "; no input has any left");
    sl_run_note(run, "'%s' ended after %llu rows, at row %llu", path,
                (unsigned long long)m->sources[i].given, (unsigned long long)m->n_out);
    /* Those that are known to be at their end take no part, or each would be a switch. */
    for (size_t k = 0; k < m->n; k++)
        if (m->sources[k].ended)
            m->shares[k] = 0;
    uint64_t *was = malloc(m->n * sizeof *was);
    if (!was)
        return sl_err_nomem(err, m->n * sizeof *was);
    memcpy(was, m->shares, m->n * sizeof *was);
    enum sl_status st = sl_shares_divide_units(was, m->n, SL_SHARE_ONE, m->shares, err);
    free(was);
    return st == SL_OK ? plan(m, err) : st;
}

static enum sl_status give_row(struct sl_run *run, struct source *s, struct sl_err *err)
{
    struct sl_rows *out = sl_run_rows(run);
    for (uint32_t c = 0; c < s->batch.schema->n_fields; c++)
        SL_TRY(sl_colbuf_take_range(&out->cols[c], &s->batch.columns[c], s->at, 1, err));
    s->at++;
    s->given++;
    return sl_run_close_row(run, err);
}

static enum sl_status give_rows(struct sl_run *run, struct mix *m, struct sl_err *err)
{
    uint32_t i = 0;
    while (sl_assign_next(m->assign, &i)) {
        enum sl_status st = fill(run, m, i, err);
        if (st == SL_END) {
            SL_TRY(run_out(run, m, i, err));
            continue;
        }
        SL_TRY(st);
        SL_TRY(give_row(run, &m->sources[i], err));
        m->n_out++;
    }
    return SL_OK;
}

static enum sl_status drop_rest(struct sl_run *run, struct mix *m, size_t i, struct sl_err *err)
{
    struct source *s = &m->sources[i];
    enum sl_status st;
    int64_t n = 0;
    while ((st = fill(run, m, i, err)) == SL_OK) {
        for (; s->at < s->batch.n_rows; s->at++, n++)
            SL_TRY(sl_run_reject(run, &s->batch, s->at, UNUSED, SL_STR(""), err));
    }
    sl_run_note(run, "%s: %llu rows, %lld unused",
                sl_run_n_inputs(run) ? sl_run_input(run, (int)i) : "-",
                (unsigned long long)s->given, (long long)n);
    return st == SL_END ? SL_OK : st;
}

/* ---- the run ---- */

static size_t count_inputs(const struct sl_run *run)
{
    return sl_run_n_inputs(run) ? (size_t)sl_run_n_inputs(run) : 1;
}

/* The columns are those of the input. Parts and inputs are compared here, since later the
 * output has begun. */
static enum sl_status schema(struct sl_run *run, const struct sl_schema *in, struct sl_schema *out,
                             struct sl_err *err)
{
    uint64_t *shares;
    size_t n = count_inputs(run);
    SL_TRY(make_shares(sl_run_conf(run), &shares, &n, err));
    free(shares);
    if (n != count_inputs(run))
        return sl_err_set(err, SL_E_USAGE, "%zu parts for %zu inputs: one for each is needed", n,
                          count_inputs(run));
    return sl_run_keep_columns(run, in, false, out, err);
}

static enum sl_status start(struct sl_run *run, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    struct mix *m = calloc(1, sizeof *m);
    if (!m)
        return sl_err_nomem(err, sizeof *m);
    sl_run_set_state(run, m);
    size_t n = count_inputs(run);
    SL_TRY(make_shares(conf, &m->shares, &n, err));
    m->sources = calloc(n, sizeof *m->sources);
    if (!m->sources)
        return sl_err_nomem(err, n * sizeof *m->sources);
    m->n = n;
    for (size_t i = 0; i < n; i++)
        sl_batch_init(&m->sources[i].batch);
    m->rows = conf->rows;
    return plan(m, err);
}

static enum sl_status mix_inputs(struct sl_run *run, int n_inputs, struct sl_err *err)
{
    struct mix *m = sl_run_state(run);
    (void)n_inputs;
    enum sl_status st = give_rows(run, m, err);
    if (st != SL_OK && st != SL_END)
        return st;
    for (size_t i = 0; i < m->n; i++)
        SL_TRY(drop_rest(run, m, i, err));
    return SL_OK;
}

static enum sl_status rules(const void *conf_, struct sl_json *out, struct sl_err *err)
{
    const struct conf *conf = conf_;
    uint64_t *shares;
    size_t n;
    if (!conf->shares && !conf->weights)
        return SL_OK;
    SL_TRY(make_shares(conf, &shares, &n, err));
    struct sl_json *list = sl_json_new_array();
    enum sl_status st = SL_OK;
    for (size_t i = 0; i < n && st == SL_OK; i++)
        st = sl_json_push(list, sl_json_new_int((int64_t)shares[i]), err);
    free(shares);
    enum sl_status set = sl_json_set(out, "shares_per_2_36", list, err);
    return st != SL_OK ? st : set;
}

static void stop(struct sl_run *run)
{
    struct mix *m = sl_run_state(run);
    if (!m)
        return;
    for (size_t i = 0; i < m->n; i++)
        sl_batch_release(&m->sources[i].batch);
    sl_assign_free(m->assign);
    sl_schedule_free(m->schedule);
    free(m->sources);
    free(m->shares);
    free(m);
}

static const struct sl_tool tool = {
    .name = "sluice-mix",
    .about = "mix streams into one, each with its share of the rows at every moment",
    .group = "order",
    .operands = "FILE...",
    .examples = "sluice-mix --shares 70%,25%,5% web.arrows books.arrows old.arrows > mixed.arrows\n"
                "sluice-mix --weights 3,1 -n 40000 --when-empty stop a.arrows b.arrows | "
                "sluice-shard -o shards/",
    .notes = "After every row each input is less than one row off its share. Rows without a place\n"
             "are counted as unused (--rejects takes them). See docs/mixing.md.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "*",
    .out = "*",
    .reasons = reasons,
    .flow = SL_MERGE,
    .checks_input = true,
    .check = mix_check,
    .rules = rules,
    .schema = schema,
    .start = start,
    .merge = mix_inputs,
    .stop = stop,
    .trial = "--when-empty redistribute",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
