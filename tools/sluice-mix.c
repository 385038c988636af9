/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-mix: several sources to one stream, each with its share at every moment. Who gives
 * the next row is lib/order/mix.c; what the command line says of shares and ends,
 * mix_parts.c; the rows themselves, mix_feed.c.
 *
 * Sources are taken as they come: a pipe and a file give the same bytes. Of files the sizes
 * are looked up before anything is written, so that a source that is too small is told then.
 * Every source is read to its end, so that its trailer is checked; rows without a place are
 * rejected as `unused`, and the first law holds; where a source repeats, the law is that of
 * rows added. */
#include <stdlib.h>

#include "order/mix_feed.h"
#include "order/mix_json.h"
#include "order/mix_parts.h"
#include "order/mix_size.h"
#include "run/kinds.h"
#include "run/tool.h"

struct state;

struct conf {
    struct sl_mix_options parts;
    const char *by;
    struct state *state;
};

static const struct sl_opt options[] = {
    SL_OPT_STR(0, "shares", "[NAME=]P,...", struct conf, parts.shares,
               "the part of each source, by name or in their order, as 0.7 or 70%; they sum to 1",
               SL_OPT_RESULT),
    SL_OPT_STR(0, "weights", "[NAME=]W,...", struct conf, parts.weights,
               "instead: numbers to which the parts are in proportion; without any of these all "
               "are equal",
               SL_OPT_RESULT),
    SL_OPT_STR(0, "alpha", "A", struct conf, parts.alpha,
               "instead: parts by rows^A; with --shares for some sources, the others divide "
               "the rest so",
               SL_OPT_RESULT),
    SL_OPT_STR(0, "of", "NAME,...", struct conf, parts.of,
               "the sources that --alpha divides among, as a check: all without a share",
               SL_OPT_RESULT),
    SL_OPT_STR(0, "unimax", "EPOCHS", struct conf, parts.unimax,
               "instead: parts of the rows of -n as even as can be, none with more than so many "
               "epochs",
               SL_OPT_RESULT),
    SL_OPT_RANGE('n', "rows", "N", SL_OPT_T_UINT, struct conf, parts.rows, 0, (uint64_t)1 << 39,
                 "end after N rows; 0: where all sources that do not repeat are at their end [0]",
                 SL_OPT_RESULT),
    SL_OPT_STR(0, "when-empty", "[NAME=]WORD,...", struct conf, parts.when_empty,
               "where a source ends and others do not: error, stop (end the output), "
               "redistribute (its part goes to the others), repeat (begin it again); one word "
               "without a name is for all others; default: error, with --unimax repeat",
               SL_OPT_RESULT),
    SL_OPT_CHOICE(0, "by", "rows|tokens|bytes", struct conf, by,
                  "what the parts are of: rows, tokens, or bytes of text [rows]", SL_OPT_RESULT),
    SL_OPT_END
};

enum { UNUSED };
static const char *const reasons[] = { "unused", NULL };
enum { ROWS_ADDED };
static const char *const counts[] = { "rows_added", NULL };

enum { PENDING = 512 };

struct state {
    struct sl_mix_parts parts;
    bool has_parts, counts_copy;
    enum sl_feed_weight weight;
    uint64_t *shares, *sizes, *first; /* sizes: NULL where not known; first: of the first pass */
    struct sl_mix_source *sources;
    struct sl_mix_rules rules;
    struct sl_mix_rows rows;
    struct sl_mix *mix;
    struct sl_feed *feed;
    struct sl_str pending[PENDING]; /* rows on their way out */
    size_t n_pending;
};

/* ---- the command line ---- */

static enum sl_status set_inputs(struct sl_run *run, void *conf_, struct sl_err *err)
{
    struct conf *conf = conf_;
    struct state *s = conf->state = calloc(1, sizeof *s);
    int n = sl_run_n_inputs(run);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    sl_run_set_state(run, s);
    s->has_parts = true;
    const char **operands = calloc((size_t)n + 1, sizeof *operands);
    if (!operands)
        return sl_err_nomem(err, (size_t)n * sizeof *operands);
    for (int i = 0; i < n; i++)
        operands[i] = sl_run_input(run, i);
    enum sl_status st = sl_mix_parts_read(&s->parts, &conf->parts, operands, n, err);
    free(operands);
    SL_TRY(st);
    if (sl_mix_parts_need_sizes(&s->parts))
        SL_TRY(sl_mix_sizes_check(&s->parts, err));
    if (!n)
        return SL_OK;
    SL_TRY(sl_run_set_inputs(run, s->parts.paths, s->parts.n_paths, err));
    return sl_run_set_merge(run, s->parts.n_files, (int)s->parts.n, err);
}

/* ---- sizes ---- */

/* Of files they are known ahead; they must be where the parts are by size. */
static enum sl_status find_sizes(struct state *s, struct sl_err *err)
{
    s->sizes = calloc(s->parts.n, sizeof *s->sizes);
    if (!s->sizes)
        return sl_err_nomem(err, s->parts.n * sizeof *s->sizes);
    enum sl_status st = sl_mix_sizes(&s->parts, sl_mix_parts_need_sizes(&s->parts), s->sizes, err);
    if (st != SL_END)
        return st;
    free(s->sizes);
    s->sizes = NULL;
    return SL_OK;
}

static enum sl_status make_rules(struct state *s, uint64_t rows, struct sl_err *err)
{
    const struct sl_mix_parts *p = &s->parts;
    s->shares = calloc(p->n, sizeof *s->shares);
    s->sources = calloc(p->n, sizeof *s->sources);
    s->first = calloc(p->n, sizeof *s->first);
    if (!s->shares || !s->sources || !s->first)
        return sl_err_nomem(err, p->n * sizeof *s->sources);
    SL_TRY(sl_mix_parts_shares(p, s->sizes, rows, s->shares, err));
    for (size_t i = 0; i < p->n; i++) {
        s->sources[i] = (struct sl_mix_source){ p->shown[i], s->shares[i], p->when_empty[i] };
        s->counts_copy |= s->shares[i] && p->when_empty[i] == SL_MIX_REPEAT;
    }
    s->rules = (struct sl_mix_rules){ p->n, s->sources, rows, s->weight != SL_FEED_ROWS };
    return SL_OK;
}

/* What --by counts. Rows of one length are counted as rows. */
static enum sl_status find_weight(struct state *s, const struct conf *conf,
                                  const struct sl_schema *in, struct sl_err *err)
{
    const char *name = conf->by[0] == 't' ? "tokens" : "text";
    if (conf->by[0] == 'r')
        return SL_OK;
    SL_TRY(sl_kind_check_needs(in, name, err));
    const struct sl_field *f = in->fields[sl_schema_find(in, name)];
    if (f->type == SL_T_FIXED_LIST)
        return SL_OK;
    if (!sl_type_has_offsets(f->type))
        return sl_err_set(err, SL_E_DATA, "the column '%s' has no length that --by could count",
                          name);
    if (sl_mix_parts_need_sizes(&s->parts))
        return sl_err_set(err, SL_E_USAGE, "%s divides rows, and --by counts %s: use --weights",
                          s->parts.how == SL_MIX_ALPHA ? "--alpha" : "--unimax", conf->by);
    s->weight = conf->by[0] == 't' ? SL_FEED_TOKENS : SL_FEED_BYTES;
    return SL_OK;
}

/* ---- schema ---- */

static enum sl_status add_columns(struct sl_run *run, const struct state *s,
                                  const struct sl_schema *in, struct sl_schema *out,
                                  struct sl_err *err)
{
    SL_TRY(sl_run_keep_columns(run, in, false, out, err));
    int copy = sl_schema_find(in, "copy");
    if (!s->counts_copy)
        return SL_OK;
    if (copy < 0)
        return sl_schema_add_text(out, "copy", "uint16", err);
    if (in->fields[copy]->type != SL_T_UINT16)
        return sl_err_set(err, SL_E_DATA,
                          "the column 'copy' is no uint16: a repeated row cannot "
                          "be counted in it");
    return SL_OK;
}

/* Everything that can be wrong with sources and parts is told here: later the output has begun. */
static enum sl_status schema(struct sl_run *run, const struct sl_schema *in, struct sl_schema *out,
                             struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    struct state *s = conf->state;
    SL_TRY(find_weight(s, conf, in, err));
    SL_TRY(find_sizes(s, err));
    SL_TRY(make_rules(s, conf->parts.rows, err));
    if (s->sizes && !s->rules.by_weight)
        SL_TRY(sl_mix_foresee(&s->rules, s->sizes, err));
    return add_columns(run, s, in, out, err);
}

/* ---- rows ---- */

static enum sl_status write_pending(struct sl_run *run, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    size_t n = s->n_pending;
    s->n_pending = 0;
    return n ? sl_run_emit_rows(run, s->pending, n, err) : SL_OK;
}

static enum sl_status next_batch(void *run, size_t i, struct sl_batch *batch, struct sl_err *err)
{
    SL_TRY(sl_run_merge_next(run, (int)i, batch, err));
    struct state *s = sl_run_state(run);
    if (!sl_feed_pass(s->feed, i))
        s->first[i] += (uint64_t)batch->n_rows;
    return SL_OK;
}

static enum sl_status peek(void *run, size_t i, uint64_t *weight, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    if (sl_feed_must_load(s->feed, i)) /* what is on its way out may be of these rows */
        SL_TRY(write_pending(run, err));
    return sl_feed_peek(s->feed, i, weight, err);
}

static enum sl_status again(void *run, size_t i, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    bool stays;
    SL_TRY(sl_feed_again(s->feed, i, &stays, err));
    return stays ? SL_OK : sl_run_merge_again(run, (int)i, err);
}

static void ended(void *run, size_t i, uint64_t given, uint64_t position)
{
    const struct state *s = sl_run_state(run);
    sl_run_note(run, "%s ended after %llu rows, at row %llu", s->parts.shown[i],
                (unsigned long long)given, (unsigned long long)position);
}

static enum sl_status start(struct sl_run *run, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    const struct sl_common *common = sl_run_common(run);
    struct sl_feed_rules feed = { .n = s->parts.n,
                                  .in = sl_run_in_schema(run),
                                  .out = sl_run_out_schema(run),
                                  .counts_copy = s->counts_copy,
                                  .weight = s->weight,
                                  .mem_bytes = common->mem_bytes,
                                  .tmpdir = common->tmpdir,
                                  .ctx = run,
                                  .next_batch = next_batch };
    SL_TRY(sl_feed_new(&s->feed, &feed, err));
    for (size_t i = 0; i < s->parts.n; i++)
        if (s->shares[i] && s->parts.when_empty[i] == SL_MIX_REPEAT)
            SL_TRY(sl_run_merge_keep(run, (int)i, err));
    s->rows = (struct sl_mix_rows){ run, peek, again, ended };
    return SL_OK;
}

static enum sl_status give_rows(struct sl_run *run, struct state *s, struct sl_err *err)
{
    uint32_t i;
    enum sl_status st;
    SL_TRY(sl_mix_new(&s->mix, &s->rules, &s->rows, err));
    while ((st = sl_mix_next(s->mix, &i, err)) == SL_OK) {
        s->pending[s->n_pending++] = sl_feed_take(s->feed, i);
        sl_run_count(run, ROWS_ADDED, sl_feed_pass(s->feed, i) > 0);
        if (s->n_pending == PENDING)
            SL_TRY(write_pending(run, err));
    }
    return st == SL_END ? write_pending(run, err) : st;
}

static enum sl_status reject(void *run, const struct sl_batch *batch, int64_t row,
                             struct sl_err *err)
{
    return sl_run_reject(run, batch, row, UNUSED, SL_STR(""), err);
}

static enum sl_status end_source(struct sl_run *run, struct state *s, size_t i, struct sl_err *err)
{
    uint64_t unused;
    SL_TRY(sl_feed_drain(s->feed, i, reject, &unused, err));
    sl_run_note(run, "%s: %llu rows, %llu unused", s->parts.shown[i],
                (unsigned long long)sl_mix_given(s->mix, i), (unsigned long long)unused);
    if (s->sizes && s->sizes[i] != s->first[i])
        return sl_err_set(err, SL_E_DATA, "%s changed while it was read: %llu rows, then %llu",
                          s->parts.shown[i], (unsigned long long)s->sizes[i],
                          (unsigned long long)s->first[i]);
    return SL_OK;
}

static enum sl_status mix(struct sl_run *run, int n_inputs, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    (void)n_inputs;
    SL_TRY(give_rows(run, s, err));
    for (size_t i = 0; i < s->parts.n; i++)
        SL_TRY(end_source(run, s, i, err));
    if (sl_run_tally(run)->counts[ROWS_ADDED])
        sl_run_tally(run)->law = "multiply";
    return SL_OK;
}

static enum sl_status rules(const void *conf_, struct sl_json *out, struct sl_err *err)
{
    const struct state *s = ((const struct conf *)conf_)->state;
    return sl_mix_rules_json(&s->parts, s->shares, out, err);
}

static void stop(struct sl_run *run)
{
    struct state *s = sl_run_state(run);
    if (!s)
        return;
    sl_mix_free(s->mix);
    sl_feed_free(s->feed);
    if (s->has_parts)
        sl_mix_parts_release(&s->parts);
    free(s->shares);
    free(s->sizes);
    free(s->first);
    free(s->sources);
    free(s);
}

static const struct sl_tool tool = {
    .name = "sluice-mix",
    .about = "mix sources into one stream, each with its share at every moment",
    .group = "order",
    .operands = "[NAME=]FILE[,FILE...]...",
    .examples = "sluice-mix --shares 70%,25%,5% web.arrows books.arrows old.arrows > mixed.arrows\n"
                "sluice-mix --shares new=95%,old=5% --when-empty old=repeat new=a.arrows,b.arrows "
                "old=old.arrows\n"
                "sluice-mix --weights 3,1 -n 40000 --when-empty stop a.arrows b.arrows | "
                "sluice-shard -o shards/",
    .notes = "After every row each source is less than one row off its share. Rows without a\n"
             "place are counted as unused (--rejects takes them). A repeated row keeps its id,\n"
             "and the column 'copy' counts up. See docs/mixing.md.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "*",
    .out = "*",
    .reasons = reasons,
    .counts = counts,
    .flow = SL_MERGE,
    .checks_input = true,
    .inputs = set_inputs,
    .rules = rules,
    .schema = schema,
    .start = start,
    .merge = mix,
    .stop = stop,
    .trial = "--when-empty redistribute",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
