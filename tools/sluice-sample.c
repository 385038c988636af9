/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-sample: some of the rows. By hash: those below a share, in one pass, or
 * the smallest ones, in two; or the first ones as they come. Both forms by hash use
 * one hash, so that a smaller sample is a part of a larger one. */
#include <math.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/row_hash.h"
#include "order/quota.h"
#include "order/strata.h"
#include "run/tool.h"

struct conf {
    const char *share, *first, *by;
    uint64_t rows;
};

static const struct sl_opt options[] = {
    SL_OPT_STR(0, "share", "P", struct conf, share,
               "the rows whose hash lies below P, as 0.15 or 15%; with --by that part of each "
               "value's rows",
               SL_OPT_RESULT),
    SL_OPT_UINT('n', "rows", "N", struct conf, rows, "the N rows with the smallest hashes",
                SL_OPT_RESULT),
    SL_OPT_STR(0, "first", "N|P", struct conf, first,
               "the first N rows, or the first part of all, as 0.15 or 15%", SL_OPT_RESULT),
    SL_OPT_STR(0, "by", "COLUMN", struct conf, by, "so many, or that part, of each of its values",
               SL_OPT_RESULT),
    SL_OPT_END
};

static const char *const reasons[] = { "not_sampled", NULL };
static const char *const counts[] = { "strata", NULL };

struct state {
    const struct sl_column *id, *copy, *by; /* of the batch in hand */
    double share;                           /* below 0: a number of rows */
    uint64_t rows;
    bool by_hash, two_passes;
    uint64_t seed, below;
    struct sl_strata *strata; /* NULL: one stratum */
    struct sl_quota *quota;   /* two passes */
    struct sl_buf taken;      /* one pass of --first: uint64_t a stratum */
    struct sl_buf chosen;     /* rows of the batch in hand */
};

enum { LISTS_MAX = 1 << 30 };

/* ---- options ---- */

/* "15%" or a number with a point: a part of all. */
static bool parse_share(struct sl_str s, double *share)
{
    bool percent = s.n && s.p[s.n - 1] == '%';
    s.n -= percent;
    if (!sl_parse_f64(s, share))
        return false;
    if (percent)
        *share /= 100;
    return *share >= 0 && *share <= 1;
}

static bool is_share(struct sl_str s)
{
    return sl_str_find(s, 0, '%') < s.n || sl_str_find(s, 0, '.') < s.n;
}

static enum sl_status sample_check(void *conf_, struct sl_err *err)
{
    const struct conf *conf = conf_;
    struct sl_str first = sl_str_of(conf->first);
    double share;
    uint64_t n;
    if (!!conf->share + !!conf->first + (conf->rows > 0) != 1)
        return sl_err_set(err, SL_E_USAGE, "one of --share, -n (at least 1) and --first is needed");
    if (conf->share && !parse_share(sl_str_of(conf->share), &share))
        return sl_err_set(err, SL_E_USAGE, "--share: '%s' is no part from 0 to 1 or 0%% to 100%%",
                          conf->share);
    if (conf->first && !(is_share(first) ? parse_share(first, &share) : sl_parse_u64(first, &n)))
        return sl_err_set(err, SL_E_USAGE,
                          "--first: '%s' is no number of rows, and no part such as 0.15 or 15%%",
                          conf->first);
    return SL_OK;
}

/* ---- which rows ---- */

static uint64_t hash_of(const struct state *s, int64_t row)
{
    uint16_t copy = s->copy ? (uint16_t)sl_column_int(s->copy, row) : 0;
    return s->by_hash ? sl_row_hash((const uint8_t *)sl_column_str(s->id, row).p, copy, s->seed)
                      : 0;
}

static enum sl_status stratum_of(struct state *s, int64_t row, uint32_t *stratum,
                                 struct sl_err *err)
{
    *stratum = 0;
    return s->strata ? sl_strata_of(s->strata, s->by, row, stratum, err) : SL_OK;
}

/* --first N in one pass. */
static enum sl_status is_first(struct state *s, int64_t row, bool *taken, struct sl_err *err)
{
    uint32_t stratum;
    SL_TRY(stratum_of(s, row, &stratum, err));
    if ((stratum + (size_t)1) * sizeof(uint64_t) > s->taken.n)
        SL_TRY(sl_buf_add_zeros(&s->taken, sizeof(uint64_t), err));
    uint64_t *n = (uint64_t *)(void *)s->taken.p + stratum;
    *taken = *n < s->rows;
    *n += *taken;
    return SL_OK;
}

static enum sl_status is_taken(struct state *s, int64_t row, bool *taken, struct sl_err *err)
{
    if (s->two_passes)
        return sl_quota_next(s->quota, taken, err);
    if (!s->by_hash)
        return is_first(s, row, taken, err);
    *taken = s->share >= 1 || hash_of(s, row) < s->below;
    return SL_OK;
}

static void take_columns(struct state *s, const struct sl_batch *b, const char *by)
{
    s->id = sl_batch_column(b, "id");
    s->copy = sl_batch_column(b, "copy");
    s->by = by ? sl_batch_column(b, by) : NULL;
}

static enum sl_status choose(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    const struct conf *conf = sl_run_conf(run);
    take_columns(s, b, conf->by);
    sl_buf_reset(&s->chosen);
    for (int64_t row = 0; row < b->n_rows; row++) {
        uint32_t r = (uint32_t)row;
        bool taken;
        SL_TRY(is_taken(s, row, &taken, err));
        SL_TRY(taken ? sl_buf_add(&s->chosen, &r, sizeof r, err)
                     : sl_run_reject(run, b, row, 0, SL_STR(""), err));
    }
    if (!s->chosen.n)
        return SL_OK;
    return sl_run_pass_rows(run, b, (const uint32_t *)(const void *)s->chosen.p,
                            s->chosen.n / sizeof(uint32_t), err);
}

/* ---- the flow ---- */

static enum sl_status sample_batch(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    const struct conf *conf = sl_run_conf(run);
    if (!s->two_passes)
        return choose(run, b, err);
    take_columns(s, b, conf->by);
    for (int64_t row = 0; row < b->n_rows; row++) {
        uint32_t stratum;
        SL_TRY(stratum_of(s, row, &stratum, err));
        SL_TRY(sl_quota_add(s->quota, stratum, hash_of(s, row), err));
    }
    return SL_OK;
}

static uint64_t wanted(const void *ctx, uint64_t n)
{
    const struct state *s = ctx;
    return s->share < 0 ? s->rows : (uint64_t)floor(s->share * (double)n + 0.5);
}

static enum sl_status sample_end(struct sl_run *run, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    sl_run_count(run, 0, s->strata ? sl_strata_count(s->strata) : 0);
    if (!s->two_passes)
        return SL_OK;
    SL_TRY(sl_quota_close(s->quota, wanted, s, err));
    return sl_run_again(run, choose, err);
}

static enum sl_status find_strata(struct sl_run *run, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    const char *by = ((const struct conf *)sl_run_conf(run))->by;
    const struct sl_schema *in = sl_run_in_schema(run);
    int column = sl_schema_find(in, by);
    if (column < 0)
        return sl_err_set(err, SL_E_DATA, "no column '%s' in the input", by);
    if (!sl_strata_type(in->fields[column]->type))
        return sl_err_set(err, SL_E_DATA, "--by: column '%s' is no text, integer, date or bool",
                          by);
    return sl_strata_new(&s->strata, sl_run_common(run)->mem_bytes / 2, SL_QUOTA_STRATUM_BYTES * 2,
                         err);
}

/* What the options come to: check() has seen that they are sound. */
static void decide(struct state *s, const struct conf *conf)
{
    struct sl_str first = sl_str_of(conf->first);
    s->share = -1;
    s->rows = conf->rows;
    s->by_hash = !conf->first;
    if (conf->share)
        (void)parse_share(sl_str_of(conf->share), &s->share);
    else if (conf->first && is_share(first))
        (void)parse_share(first, &s->share);
    else if (conf->first)
        (void)sl_parse_u64(first, &s->rows);
    if (s->share >= 0 && s->share < 1)
        s->below = (uint64_t)ldexp(s->share, 64);
    bool one_pass = conf->share ? !conf->by : conf->first && s->share < 0;
    s->two_passes = !one_pass;
}

static enum sl_status sample_start(struct sl_run *run, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    struct state *s = calloc(1, sizeof *s);
    sl_run_set_state(run, s);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    sl_buf_init(&s->taken, LISTS_MAX);
    sl_buf_init(&s->chosen, LISTS_MAX);
    s->seed = sl_row_seed("sluice-sample/share", sl_run_common(run)->seed);
    decide(s, conf);
    if (conf->by)
        SL_TRY(find_strata(run, err));
    if (!s->two_passes)
        return SL_OK;
    SL_TRY(sl_quota_new(&s->quota, sl_run_common(run)->tmpdir, err));
    return sl_run_keep(run, err);
}

static void sample_stop(struct sl_run *run)
{
    struct state *s = sl_run_state(run);
    if (!s)
        return;
    sl_strata_free(s->strata);
    sl_quota_free(s->quota);
    sl_buf_release(&s->taken);
    sl_buf_release(&s->chosen);
    free(s);
}

static const struct sl_tool tool = {
    .name = "sluice-sample",
    .about = "take some of the rows: a share, a number, or the first ones",
    .group = "choose",
    .examples = "sluice-sample --share 1% --seed 7 < docs.arrows > sample.arrows\n"
                "sluice-sample -n 1000 --by lang docs.arrows -o sample.arrows\n"
                "sluice-sample --share 0.1 --rest train.arrows docs.arrows -o held-out.arrows",
    .notes = "A row's hash is a function of its id, its copy and --seed: --share takes the same\n"
             "rows whatever their order and in whatever parts the input comes, and a larger\n"
             "share or number has the rows of a smaller one. -n, --by with --share, and --first\n"
             "with a part read the input twice (a pipe is kept in --tmpdir); 12 bytes a row go to\n"
             "--tmpdir, so that memory does not grow with the rows. With --by a part of n rows\n"
             "is rounded to nearest, and --mem bounds the number of values; null is one of them.\n"
             "Rows stay in input order; those not taken are rejects, or the stream of --rest.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "*",
    .out = "*",
    .needs = "id",
    .reasons = reasons,
    .counts = counts,
    .flow = SL_SCAN,
    .seeded = true,
    .rest = true,
    .check = sample_check,
    .start = sample_start,
    .step = sample_batch,
    .end = sample_end,
    .stop = sample_stop,
    .trial = "-n 20",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
