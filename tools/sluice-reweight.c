/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-reweight: what a trainer measured, joined to the data: weights, scores, or the
 * next sample. Losses and rows are joined by order/loss_join.h, weights and numbers are
 * order/reweight.h's; here are the files, the counts and the rows that go out.
 *
 * The input is read twice: a weight depends on the losses of rows that come later. Rows
 * keep the order of the data, so that orders stay the matter of sort and curriculum. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/row_hash.h"
#include "ingest/loss_files.h"
#include "ingest/loss_read.h"
#include "order/loss_columns.h"
#include "order/loss_domains.h"
#include "order/resample.h"
#include "order/reweight.h"
#include "run/lineage.h"
#include "run/tool.h"

struct conf {
    const char *losses, *recovery, *reduce, *missing, *unmatched, *weights, *resample;
    const char *domains, *reference;
    double d, r, eta;
    uint64_t batch;
};

/* The names of losses never stand in the lineage; their digests do (rules). */
static const struct sl_opt options[] = {
    SL_OPT_STR(0, "losses", "FILE,...|none", struct conf, losses,
               "what the trainer measured: JSON lines or Arrow streams (docs/reweighting.md)",
               SL_OPT_REQUIRED),
    SL_OPT_CHOICE(0, "reduce", SL_LOSS_REDUCE_WORDS, struct conf, reduce,
                  "of several losses of one sequence; the last by step, then by place [mean]",
                  SL_OPT_RESULT),
    SL_OPT_CHOICE(0, "missing", "error|keep", struct conf, missing,
                  "sequences without a loss: fail, or weight 1 and no score [error]",
                  SL_OPT_RESULT),
    SL_OPT_CHOICE(0, "unmatched", "error|count", struct conf, unmatched,
                  "losses without a sequence: fail, or count them [count]", SL_OPT_RESULT),
    SL_OPT_CHOICE(0, "weights", SL_WEIGHT_KINDS "|none", struct conf, weights,
                  "the formula; none adds the scores alone [linupper]", SL_OPT_RESULT),
    SL_OPT_REAL(0, "d", "D", struct conf, d, "losses are mapped to -D to D [1]",
                SL_OPT_RESULT | SL_OPT_HIDDEN),
    SL_OPT_REAL(0, "r", "R", struct conf, r,
                "how even the weights are: the smaller, the less even [0.4]", SL_OPT_RESULT),
    SL_OPT_RANGE(0, "batch", "N", SL_OPT_T_UINT, struct conf, batch, 0, (uint64_t)1 << 39,
                 "weigh every N sequences on their own, in the order of the data; 0: all "
                 "together [0]",
                 SL_OPT_RESULT),
    SL_OPT_STR(0, "resample", "N|P", struct conf, resample,
               "write a sample by weight of N sequences, or of this part of all (50%, 1.5), "
               "instead of weights",
               SL_OPT_RESULT),
    SL_OPT_STR(0, "recovery", "FILE,...", struct conf, recovery,
               "losses measured before: add loss_recovery, the part of it that is gone", 0),
    SL_OPT_STR(0, "reference", "FILE,...", struct conf, reference,
               "losses of a reference model, for --domains", 0),
    SL_OPT_PATH(0, "domains", "FILE", struct conf, domains,
                "write weights of sources by their losses over the reference, as JSON lines",
                SL_OPT_WRITES),
    SL_OPT_REAL(0, "eta", "E", struct conf, eta, "step of these weights [1]", SL_OPT_HIDDEN),
    SL_OPT_END
};

/* In the order of enum sl_loss_column. */
static const struct sl_add adds[] = {
    { "weight", "float32", "weight of the sequence; the mean is 1 (not with --resample)" },
    { "loss", "float32?", "the trainer's loss; null: there is none" },
    { "loss_recovery", "float32?", "(loss before - loss) / loss before (--recovery)" },
    { "copy", "uint16", "number of the repetition, from 0 (--resample)" },
    { NULL, NULL, NULL },
};

static const char *const counts[] = { "losses",     "losses_repeated", "unmatched", "missing",
                                      "rows_added", "unused",          NULL };
enum { LOSSES, REPEATED, UNMATCHED, MISSING, ROWS_ADDED, UNUSED };

static const struct sl_hist hists[] = { { "loss", 0, 16, 1 }, { "weight", 0, 4, 1 }, { NULL } };
enum { HIST_LOSS, HIST_WEIGHT };

enum { LEAST_BYTES = 16 << 20, BATCHES_BYTES = 8 << 20 };

struct state {
    struct sl_loss_join *join;
    struct sl_weigher weigher;
    struct sl_resample *resample;
    struct sl_loss_domains *domains; /* NULL: not wanted */
    struct sl_loss_columns columns;
};

/* ---- options ---- */

static enum sl_status check(void *p, struct sl_err *err)
{
    const struct conf *conf = p;
    uint64_t ignored;
    if (!(conf->d >= 1e-6 && conf->d <= 1e6 && conf->r >= 1e-6 && conf->r <= 1e6 &&
          conf->eta >= 1e-6 && conf->eta <= 1e6))
        return sl_err_set(err, SL_E_USAGE, "--d, --r and --eta must be from 1e-6 to 1e6");
    if (conf->resample)
        SL_TRY(sl_resample_parse(conf->resample, 0, &ignored, err));
    if (!conf->domains != !conf->reference)
        return sl_err_set(err, SL_E_USAGE, "--domains and --reference need each other");
    if (conf->resample && strcmp(conf->weights, "none") == 0)
        return sl_err_set(err, SL_E_USAGE, "--resample needs weights, not --weights none");
    SL_TRY(sl_loss_files_check("losses", conf->losses, err));
    SL_TRY(sl_loss_files_check("reference", conf->reference, err));
    return sl_loss_files_check("recovery", conf->recovery, err);
}

static enum sl_status add_digest(void *list, const char *path, struct sl_err *err)
{
    char hex[SL_HASH128_DIGITS];
    SL_TRY(sl_file_digest(path, hex, err));
    return sl_json_push(list, sl_json_new_str((struct sl_str){ hex, sizeof hex }), err);
}

static enum sl_status rules(const void *p, struct sl_json *out, struct sl_err *err)
{
    const struct conf *conf = p;
    const char *const lists[] = { conf->losses, conf->recovery };
    enum sl_status st = SL_OK;
    for (int i = 0; st == SL_OK && i < 2 && lists[i]; i++) {
        struct sl_json *digests = sl_json_new_array();
        st = sl_loss_files_each(lists[i], digests, add_digest, err);
        enum sl_status set = sl_json_set(out, i ? "recovery_xxh3" : "losses_xxh3", digests, err);
        st = st == SL_OK ? set : st;
    }
    return st;
}

/* ---- the beginning ---- */

static bool adds_column(const struct conf *conf, int k)
{
    switch (k) {
    case SL_LOSS_COLUMN_WEIGHT:
        return !conf->resample && strcmp(conf->weights, "none") != 0;
    case SL_LOSS_COLUMN_RECOVERY:
        return conf->recovery != NULL;
    case SL_LOSS_COLUMN_COPY:
        return conf->resample != NULL;
    default:
        return true;
    }
}

/* The columns of the input but those that are made anew; copy is counted again, not
 * added to what was there. */
static enum sl_status schema(struct sl_run *run, const struct sl_schema *in, struct sl_schema *out,
                             struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    struct sl_schema kept;
    sl_schema_init(&kept);
    enum sl_status st = SL_OK;
    for (uint32_t i = 0; st == SL_OK && i < in->n_fields; i++) {
        int k = sl_loss_column_find(in->fields[i]->name);
        bool made = k >= 0 && adds_column(conf, k);
        if (made && k != SL_LOSS_COLUMN_COPY) /* an error, or --replace */
            st = sl_schema_add(&kept, in->fields[i], err);
        else if (!made)
            st = sl_schema_add(out, in->fields[i], err);
    }
    if (st == SL_OK)
        st = sl_run_keep_columns(run, &kept, false, out, err);
    sl_schema_release(&kept);
    SL_TRY(st);
    for (int k = 0; k < SL_LOSS_COLUMNS; k++)
        if (adds_column(conf, k))
            SL_TRY(sl_schema_add_text(out, adds[k].name, adds[k].type, err));
    return SL_OK;
}

struct reading {
    struct sl_loss_join *join;
    int set;
};

static enum sl_status read_losses(void *ctx, const char *path, struct sl_err *err)
{
    const struct reading *to = ctx;
    struct sl_loss_reader *r;
    struct sl_loss loss;
    enum sl_status st;
    SL_TRY(sl_loss_reader_open(&r, path, err));
    while ((st = sl_loss_reader_next(r, &loss, err)) == SL_OK) {
        struct sl_loss_key key = { loss.id, loss.copy };
        st = sl_loss_join_loss(to->join, to->set, &key, loss.step, loss.loss, err);
        if (st != SL_OK)
            break;
    }
    sl_loss_reader_free(r);
    return st == SL_END ? SL_OK : st;
}

static enum sl_status start(struct sl_run *run, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    const struct sl_common *common = sl_run_common(run);
    bool made[SL_LOSS_COLUMNS];
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    sl_run_set_state(run, s);
    if (common->mem_bytes < LEAST_BYTES)
        return sl_err_set(err, SL_E_USAGE, "--mem must be at least %dM", LEAST_BYTES >> 20);
    for (int k = 0; k < SL_LOSS_COLUMNS; k++)
        made[k] = adds_column(conf, k);
    SL_TRY(sl_loss_columns_init(&s->columns, sl_run_in_schema(run), sl_run_out_schema(run), made,
                                err));
    if (conf->domains)
        SL_TRY(sl_loss_domains_new(&s->domains, BATCHES_BYTES / 4, err));
    int n_sets = conf->domains ? 3 : 1 + (conf->recovery != NULL);
    SL_TRY(sl_loss_join_new(&s->join, n_sets, sl_loss_reduce_of(conf->reduce),
                            common->mem_bytes - BATCHES_BYTES, common->tmpdir, err));
    const char *const sets[] = { conf->losses, conf->recovery, conf->reference };
    for (int set = 0; set < SL_LOSS_SETS_MAX; set++) {
        struct reading to = { s->join, set };
        SL_TRY(sl_loss_files_each(sets[set], &to, read_losses, err));
    }
    return SL_OK;
}

static void stop(struct sl_run *run)
{
    struct state *s = sl_run_state(run);
    if (!s)
        return;
    sl_loss_columns_release(&s->columns);
    sl_loss_join_free(s->join);
    sl_resample_free(s->resample);
    sl_loss_domains_free(s->domains);
    free(s);
}

static enum sl_status step(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    const struct state *s = sl_run_state(run);
    const struct sl_column *id = sl_batch_column(b, "id"), *copy = sl_batch_column(b, "copy");
    for (int64_t i = 0; i < b->n_rows; i++) {
        struct sl_loss_key key = { .copy = copy ? (uint16_t)sl_column_int(copy, i) : 0 };
        memcpy(key.id.b, sl_column_str(id, i).p, sizeof key.id.b);
        SL_TRY(sl_loss_join_row(s->join, &key, err));
    }
    return SL_OK;
}

/* ---- rows go out ---- */

static enum sl_status count_row(struct sl_run *run, const struct sl_batch *b, int64_t row,
                                const struct sl_loss_values *v, struct sl_err *err)
{
    const struct state *s = sl_run_state(run);
    if (!isnan(v->loss))
        sl_run_hist(run, HIST_LOSS, v->loss);
    if (s->resample || s->columns.made[SL_LOSS_COLUMN_WEIGHT])
        sl_run_hist(run, HIST_WEIGHT, (double)v->weight);
    return s->domains ? sl_loss_domains_add(s->domains, sl_batch_column(b, "source"), row, v, err)
                      : SL_OK;
}

static enum sl_status weigh(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    const struct sl_batch *view;
    const double *losses;
    struct sl_loss_values v;
    sl_loss_columns_reset(&s->columns);
    for (int64_t i = 0; i < b->n_rows; i++) {
        enum sl_status st = sl_weigher_next(&s->weigher, &v.weight, &losses, err);
        if (st == SL_END)
            return sl_err_set(err, SL_E_BUG, "more rows in the second pass than in the first");
        SL_TRY(st);
        sl_loss_values_set(&v, losses, s->weigher.n_sets);
        SL_TRY(count_row(run, b, i, &v, err));
        SL_TRY(sl_loss_columns_add(&s->columns, &v, err));
    }
    SL_TRY(sl_loss_columns_view(&s->columns, b, &view, err));
    return sl_run_pass(run, view, err);
}

static enum sl_status number(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    const struct state *s = sl_run_state(run);
    return sl_resample_number(s->resample, b, err);
}

static enum sl_status repeat(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    struct sl_loss_values v;
    uint64_t n;
    for (int64_t i = 0; i < b->n_rows; i++) {
        SL_TRY(sl_resample_next(s->resample, &v, &n, err));
        SL_TRY(count_row(run, b, i, &v, err));
        sl_run_count(run, n ? ROWS_ADDED : UNUSED, n ? (int64_t)n - 1 : 1);
        for (; n; n--, v.copy++) {
            SL_TRY(sl_loss_columns_row(&s->columns, sl_run_rows(run), b, i, &v, err));
            SL_TRY(sl_run_close_row(run, err));
        }
    }
    return SL_OK;
}

static enum sl_status resample(struct sl_run *run, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    const struct conf *conf = sl_run_conf(run);
    const struct sl_common *common = sl_run_common(run);
    struct sl_resample_options o = { .random =
                                         sl_row_seed("sluice-reweight/resample", common->seed),
                                     .mem_bytes = common->mem_bytes - BATCHES_BYTES,
                                     .tmpdir = common->tmpdir };
    int64_t n = sl_loss_join_counts(s->join)->rows;
    SL_TRY(sl_resample_parse(conf->resample, n, &o.rows, err));
    sl_run_tally(run)->law = "multiply";
    SL_TRY(sl_resample_new(&s->resample, &s->weigher, &o, err));
    if (sl_resample_numbers(s->resample))
        SL_TRY(sl_run_again(run, number, err));
    return sl_run_again(run, repeat, err);
}

/* ---- the end ---- */

static enum sl_status count_join(struct sl_run *run, const struct sl_loss_join *join,
                                 struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    const struct sl_loss_counts *c = sl_loss_join_counts(join);
    sl_run_count(run, LOSSES, c->losses[0]);
    sl_run_count(run, REPEATED, c->losses[0] - c->keys[0]);
    sl_run_count(run, UNMATCHED, c->unmatched);
    sl_run_count(run, MISSING, c->missing[0]);
    if (c->temp_bytes)
        sl_run_note(run, "%.1f MB of temporary files", (double)c->temp_bytes / 1e6);
    return sl_loss_join_check(join, strcmp(conf->missing, "keep") == 0,
                              strcmp(conf->unmatched, "count") == 0, err);
}

static enum sl_status end(struct sl_run *run, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    const struct conf *conf = sl_run_conf(run);
    struct sl_weight_rule rule = { SL_WEIGHT_LINUPPER, conf->d, conf->r, (int64_t)conf->batch };
    SL_TRY(sl_loss_join_end(s->join, err));
    SL_TRY(count_join(run, s->join, err));
    (void)sl_weight_kind_parse(sl_str_of(conf->weights), &rule.kind);
    sl_weigher_init(&s->weigher, &rule, s->join);
    SL_TRY(conf->resample ? resample(run, err) : sl_run_again(run, weigh, err));
    return s->domains ? sl_loss_domains_write(s->domains, conf->eta, conf->domains,
                                              sl_run_common(run)->force, err)
                      : SL_OK;
}

static const struct sl_tool tool = {
    .name = "sluice-reweight",
    .about = "give sequences weights, scores or another number by the losses of a trainer",
    .group = "order",
    .examples = "sluice-reweight --losses losses.jsonl.zst packed.arrows -o weighted.arrows\n"
                "sluice-reweight --losses r0.jsonl,r1.jsonl --resample 100% packed.arrows |\n"
                "    sluice-shuffle | sluice-shard -o shards/\n"
                "sluice-reweight --losses new.jsonl --recovery old.jsonl --weights none p.arrows "
                "-o s.arrows",
    .notes =
        "Losses are rows of id (32 hex digits, or 16 bytes), copy, loss and step: JSON lines\n"
        "or an Arrow stream, plain, .gz or .zst. They are joined by id and copy; those without\n"
        "a sequence are counted. A loss is a finite number, 0 or more. Sequences keep their\n"
        "order, repeated ones stand side by side. The input is read twice, and a pipe kept in\n"
        "--tmpdir; --mem is at least 16M and changes nothing. See docs/reweighting.md.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "sequences",
    .out = "sequences",
    .needs = "id",
    .adds = adds,
    .counts = counts,
    .hists = hists,
    .flow = SL_COLLECT,
    .seeded = true,
    .check = check,
    .rules = rules,
    .schema = schema,
    .start = start,
    .step = step,
    .end = end,
    .stop = stop,
    .trial = "--losses none --missing keep --mem 32M",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
