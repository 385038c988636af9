/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-curriculum: sequences in the order of a plan. The plan names the inputs; it is
 * a rule file, so that its digest stands in the lineage. The work is
 * lib/order/curriculum.c. With --dry-run the tool is another one, which writes text. */
#include <stdlib.h>
#include <string.h>

#include "order/curriculum.h"
#include "order/plan_diff.h"
#include "order/plan_files.h"
#include "order/plan_lineage.h"
#include "order/plan_text.h"
#include "report/plan_page.h"
#include "report/plan_tell.h"
#include "run/tool.h"

struct state;

struct conf {
    const char *plan;
    bool dry_run, diff;
    const char *record, *explain, *control, *past;
    uint64_t window;
    double at;
    struct state *state;
};

static const struct sl_opt options[] = {
    SL_OPT_FILE(0, "plan", "NAME|FILE", struct conf, plan,
                "the plan, where it is no operand: a built-in one (random), or a YAML file whose "
                "source '-' are the operands",
                SL_OPT_RESULT | SL_OPT_BUILTIN),
    SL_OPT_BOOL(0, "dry-run", struct conf, dry_run,
                "write the stages, their positions and shares as JSON, and no rows", 0),
    SL_OPT_PATH(0, "record", "DIR", struct conf, record,
                "write the keys in their order, and a manifest of stages and shares",
                SL_OPT_WRITES),
    SL_OPT_PATH(0, "explain", "FILE", struct conf, explain,
                "write a page that draws scores, shares and pools against the position",
                SL_OPT_WRITES),
    SL_OPT_FILE(0, "continue", "MANIFEST", struct conf, past,
                "go on behind another order, whose manifest.json this is: of a --record, or of "
                "shards",
                SL_OPT_RESULT),
    SL_OPT_REAL(0, "at", "TOKENS", struct conf, at, "of --continue: where this plan takes over [0]",
                SL_OPT_RESULT),
    SL_OPT_CHOICE(0, "control", "none|random|locality", struct conf, control,
                  "write the rows of the plan in another order, the control arm of an experiment "
                  "[none]",
                  SL_OPT_RESULT),
    SL_OPT_RANGE(0, "window", "N", SL_OPT_T_UINT, struct conf, window, 1, 1 << 30,
                 "of --control locality: sequences that stay side by side [64]", SL_OPT_RESULT),
    SL_OPT_BOOL(0, "diff", struct conf, diff,
                "compare two records or folders of shards: what is in each, rank correlation, "
                "shares moved, first difference, as JSON",
                0),
    SL_OPT_END
};

enum { ROWS_ADDED, UNUSED, N_COUNTS };
static const char *const counts[] = { "rows_added", "unused", NULL };

struct state {
    struct sl_plan plan;
    bool has_plan;
    struct sl_plan_files files;
    bool has_files;
    struct sl_curriculum *work;
    struct sl_plan_tell *tell; /* record and page; NULL: not asked for */
    struct sl_plan_continue *past;
};

/* ---- the plan ---- */

/* The operands from first on are the files of the source '-'. */
static enum sl_status find_files(struct sl_run *run, struct state *s, int first, struct sl_err *err)
{
    int n_rest = sl_run_n_inputs(run) - first;
    const char **rest = calloc((size_t)n_rest + 1, sizeof *rest);
    if (!rest)
        return sl_err_nomem(err, (size_t)n_rest * sizeof *rest);
    for (int i = 0; i < n_rest; i++)
        rest[i] = sl_run_input(run, first + i);
    s->has_files = true;
    enum sl_status st = sl_plan_files(&s->files, &s->plan, rest, n_rest, err);
    free(rest);
    return st == SL_OK ? sl_run_set_inputs(run, s->files.paths, s->files.n, err) : st;
}

static const struct sl_tool dry_tools[2], docs_tool, diff_tool;

/* Whether the options go together. */
static enum sl_status check(void *conf, struct sl_err *err)
{
    const struct conf *c = conf;
    bool controls = sl_plan_control_parse(c->control) != SL_CONTROL_NONE;
    if (c->diff && (c->dry_run || c->record || c->explain || c->past || controls || c->plan))
        return sl_err_set(err, SL_E_USAGE, "--diff compares two orders, and makes none");
    if (c->dry_run && (c->record || c->explain))
        return sl_err_set(err, SL_E_USAGE, "--dry-run writes no rows, so there is nothing to %s",
                          c->record ? "--record" : "--explain");
    if (c->past && controls)
        return sl_err_set(err, SL_E_USAGE, "--control: of a whole order, and not with --continue");
    if (!c->past && c->at != 0)
        return sl_err_set(err, SL_E_USAGE, "--at needs --continue");
    if (c->past && c->at == 0)
        return sl_err_set(err, SL_E_USAGE, "--continue needs --at, where this plan takes over");
    return SL_OK;
}

static enum sl_status set_inputs(struct sl_run *run, void *conf, struct sl_err *err)
{
    struct conf *c = conf;
    struct state *s = c->state = calloc(1, sizeof *s);
    int first = !c->plan;
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    sl_run_set_state(run, s);
    if (c->diff) {
        sl_run_set_tool(run, &diff_tool);
        return SL_OK;
    }
    if (c->dry_run)
        sl_run_set_tool(run, &dry_tools[0]);
    if (!c->plan && !sl_run_n_inputs(run))
        return sl_err_set(err, SL_E_USAGE, "no plan: name a file, or a built-in one by --plan");
    if (!c->plan)
        c->plan = sl_run_input(run, 0);
    if (first && !strpbrk(c->plan, "/.")) /* an operand is never a built-in one */
        return sl_err_set(err, SL_E_USAGE, "the plan '%s': a file's name has a '.' or a '/'",
                          c->plan);
    s->has_plan = true;
    SL_TRY(sl_plan_open(&s->plan, c->plan, err));
    if (s->plan.of_documents)
        sl_run_set_tool(run, c->dry_run ? &dry_tools[1] : &docs_tool);
    if (c->past)
        SL_TRY(sl_plan_continue_open(&s->past, c->past, c->at, &s->plan, err));
    return find_files(run, s, first, err);
}

static enum sl_status rules(const void *conf, struct sl_json *json, struct sl_err *err)
{
    const struct state *s = ((const struct conf *)conf)->state;
    return sl_plan_rules(&s->plan, json, err);
}

/* ---- the flow ---- */

static enum sl_status start(struct sl_run *run, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    const struct sl_common *common = sl_run_common(run);
    const struct conf *conf = sl_run_conf(run);
    uint64_t mem_bytes = common->mem_bytes;
    if (conf->explain && mem_bytes < SL_PLAN_PAGE_BYTES + SL_CURRICULUM_LEAST_BYTES)
        return sl_err_set(err, SL_E_USAGE, "--mem %llu: with --explain 33M are the least",
                          (unsigned long long)mem_bytes);
    mem_bytes -= conf->explain ? SL_PLAN_PAGE_BYTES : 0;
    SL_TRY(sl_curriculum_new(&s->work, &s->plan, sl_run_in_schema(run), mem_bytes, common->tmpdir,
                             err));
    if (conf->dry_run)
        sl_curriculum_dry(s->work);
    sl_curriculum_set_control(s->work, sl_plan_control_parse(conf->control), conf->window);
    if (!s->past)
        return SL_OK;
    sl_curriculum_go_on(s->work, s->past);
    return sl_plan_continue_start(s->past, sl_run_in_schema(run), common->mem_bytes / 16,
                                  common->tmpdir, err);
}

static void looks_at(const struct sl_run *run, bool *wanted)
{
    const struct state *s = sl_run_state(run);
    sl_curriculum_looks_at(s->work, wanted);
}

/* An input that does not fit stands in the plan, which says where. */
static void blame(const struct sl_run *run, int input, struct sl_err *err)
{
    const struct state *s = sl_run_state(run);
    sl_plan_files_blame(&s->files, &s->plan, input, err);
}

static enum sl_status step(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    return sl_curriculum_see(s->work, b, s->files.sources[sl_run_at_input(run)], err);
}

static enum sl_status place(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    return sl_curriculum_place(s->work, b, err);
}

static enum sl_status emit(void *run, struct sl_str *rows, size_t n, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    if (s->tell)
        SL_TRY(sl_plan_tell_rows(s->tell, rows, n, err));
    return sl_run_emit_rows(run, rows, n, err);
}

/* Where blocks begin is known once groups are drawn. */
static void warn(struct sl_run *run, struct state *s)
{
    char text[500];
    const char *sorted = sl_plan_warning(&s->plan);
    if (sorted)
        sl_run_warn(run, "%s", sorted);
    for (size_t i = 0; i < sl_curriculum_n_warnings(s->work); i++)
        if (sl_curriculum_warning(s->work, i, text, sizeof text))
            sl_run_warn(run, "%s", text);
}

/* For the tally, and the stages for the lineage. */
static enum sl_status count(struct sl_run *run, const struct state *s, struct sl_err *err)
{
    struct sl_json *order;
    uint64_t unused, added;
    sl_curriculum_tally(s->work, &unused, &added);
    sl_run_tally(run)->law = "multiply";
    sl_run_count(run, UNUSED, (int64_t)unused);
    sl_run_count(run, ROWS_ADDED, (int64_t)added);
    SL_TRY(sl_plan_lineage(&s->plan, s->work, &order, err));
    return sl_run_set_order(run, order, err);
}

static enum sl_status begin_telling(struct sl_run *run, struct state *s, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    const struct sl_common *common = sl_run_common(run);
    const struct sl_plan_tell_conf tell = {
        .record = conf->record,
        .page = conf->explain,
        .force = common->force,
        .control = sl_plan_control_parse(conf->control) != SL_CONTROL_NONE,
        .tmpdir = common->tmpdir,
        .begin = s->past ? sl_plan_continue_begin(s->past) : 0,
    };
    if (!conf->record && !conf->explain)
        return SL_OK;
    return sl_plan_tell_new(&s->tell, &tell, &s->plan, s->work, sl_run_out_schema(run), err);
}

static enum sl_status end_telling(struct sl_run *run, struct state *s, struct sl_err *err)
{
    struct sl_buf lineage;
    sl_buf_init(&lineage, (size_t)1 << 30);
    enum sl_status st = sl_run_lineage(run, true, &lineage, err);
    if (st == SL_OK)
        st = sl_plan_tell_end(s->tell, sl_buf_str(&lineage), err);
    sl_buf_release(&lineage);
    return st;
}

static enum sl_status end(struct sl_run *run, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    SL_TRY(sl_curriculum_measure(s->work, err));
    SL_TRY(sl_curriculum_draw(s->work, err));
    warn(run, s);
    SL_TRY(begin_telling(run, s, err));
    const struct sl_curriculum_each each = { sl_plan_tell_place, s->tell };
    SL_TRY(sl_curriculum_plan(s->work, sl_run_out_schema(run), s->tell ? &each : NULL, err));
    SL_TRY(count(run, s, err));
    SL_TRY(sl_run_again(run, place, err));
    SL_TRY(sl_curriculum_emit(s->work, emit, run, err));
    struct sl_row_sort_counts c = sl_curriculum_counts(s->work);
    if (c.runs)
        sl_run_note(run, "%lld runs, %lld merges, %lld MB of disk", (long long)c.runs,
                    (long long)c.merges, (long long)(c.disk_bytes / 1000000));
    return s->tell ? end_telling(run, s, err) : SL_OK;
}

static void stop(struct sl_run *run)
{
    struct state *s = sl_run_state(run);
    if (!s)
        return;
    sl_curriculum_free(s->work);
    sl_plan_tell_free(s->tell);
    sl_plan_continue_free(s->past);
    if (s->has_files)
        sl_plan_files_release(&s->files);
    if (s->has_plan)
        sl_plan_release(&s->plan);
    free(s);
}

/* ---- without rows ---- */

static enum sl_status dry_step(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    return sl_curriculum_count(s->work, b, s->files.sources[sl_run_at_input(run)], err);
}

static enum sl_status dry_end(struct sl_run *run, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    struct sl_tally *t = sl_run_tally(run);
    struct sl_buf text;
    SL_TRY(sl_curriculum_measure(s->work, err));
    warn(run, s);
    t->out = t->in; /* every row was looked at, and none written */
    sl_buf_init(&text, (size_t)1 << 30);
    enum sl_status st =
        sl_plan_text(&s->plan, s->work, sl_run_in_schema(run)->tokenizer, NULL, &text, err);
    if (st == SL_OK)
        st = sl_sink_write(sl_run_sink(run), text.p, text.n, err);
    sl_buf_release(&text);
    return st;
}

/* ---- two orders ---- */

static enum sl_status compare(struct sl_run *run, struct sl_err *err)
{
    const struct sl_common *common = sl_run_common(run);
    struct sl_buf text;
    if (sl_run_n_inputs(run) != 2)
        return sl_err_set(err, SL_E_USAGE, "--diff compares two orders, and %d are named",
                          sl_run_n_inputs(run));
    sl_buf_init(&text, (size_t)1 << 30);
    enum sl_status st = sl_plan_diff(sl_run_input(run, 0), sl_run_input(run, 1), common->mem_bytes,
                                     common->tmpdir, &text, err);
    if (st == SL_OK)
        st = sl_sink_write(sl_run_sink(run), text.p, text.n, err);
    sl_buf_release(&text);
    return st;
}

static const struct sl_tool diff_tool = {
    .name = "sluice-curriculum",
    .about = "compare two orders",
    .options = options,
    .conf_size = sizeof(struct conf),
    .flow = SL_PLAIN,
    .text_out = true,
    .reads_files = true,
    .check = check,
    .plain = compare,
    .stop = stop,
};

#define COMMON(kinds)                                                                 \
    .name = "sluice-curriculum",                                                      \
    .about = "put sequences into the order of a plan: stages, mixtures, pacing",      \
    .options = options, .conf_size = sizeof(struct conf), .in = kinds, .needs = "id", \
    .check = check, .start = start, .looks_at = looks_at, .blame = blame, .stop = stop

#define DRY .flow = SL_SINK, .text_out = true, .step = dry_step, .end = dry_end
static const struct sl_tool dry_tools[2] = { { COMMON("sequences"), DRY },
                                             { COMMON("tokens,docs"), DRY } };

static const struct sl_add adds[] = {
    { "copy", "uint16", "number of the repetition, from 0" },
    { "stage", "uint16", "number of the plan's stage, from 0" },
    { NULL, NULL, NULL },
};

#define WHOLE                                                                                 \
    .adds = adds, .counts = counts, .flow = SL_COLLECT, .inputs = set_inputs, .rules = rules, \
    .step = step, .end = end
static const struct sl_tool docs_tool = { COMMON("tokens,docs"), WHOLE, .out = "*" };

static const struct sl_tool tool = {
    COMMON("sequences"),
    WHOLE,
    .group = "order",
    .operands = "PLAN.yaml | --plan NAME|FILE [FILE...] | --diff A B",
    .examples =
        "sluice-curriculum plan.yaml | sluice-shard -o shards/\n"
        "sluice-curriculum --dry-run plan.yaml\n"
        "sluice-curriculum --continue shards/manifest.json --at 1.2e9 plan2.yaml -o whole.arrows\n"
        "sluice-pack --length 2048 tokens.arrows | sluice-curriculum --plan random -o o.arrows",
    .notes = "The plan names sources, stages with their mixtures and orders, and a budget; its\n"
             "paths are relative to its folder. Inputs are read twice; what comes by a pipe is\n"
             "kept in --tmpdir, as is what does not fit into --mem, of which 24M are the least.\n"
             "A plan with 'unit: document' is of documents, with or without tokens, and not of\n"
             "sequences. See docs/curriculum.md.",
    .out = "sequences",
    .trial = "--plan random --mem 32M",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
