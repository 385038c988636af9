/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-curriculum: sequences in the order of a plan. The plan names the inputs; it is
 * a rule file, so that its digest stands in the lineage. The work is
 * lib/order/curriculum.c. With --dry-run the tool is another one, which writes text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "order/curriculum.h"
#include "order/plan_files.h"
#include "order/plan_lineage.h"
#include "order/plan_record.h"
#include "order/plan_text.h"
#include "run/tool.h"

struct state;

struct conf {
    const char *plan;
    bool dry_run;
    const char *record;
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
                "write the keys in their order, and a manifest of stages and shares", 0),
    SL_OPT_END
};

enum { ROWS_ADDED, UNUSED, N_COUNTS };
static const char *const counts[] = { "rows_added", "unused", NULL };

enum { PLAN_MAX_BYTES = 1 << 20 };

/* From this batch on rows are of this source. */
struct turn {
    int64_t seq;
    uint32_t source;
};

struct state {
    struct sl_plan plan;
    bool has_plan;
    struct sl_plan_files files;
    bool has_files;
    struct sl_curriculum *work;
    struct sl_plan_record *record;
    struct turn *turns; /* room for one a source */
    size_t n_turns, turn;
};

/* ---- the plan ---- */

static const char random_plan[] = "sources:\n"
                                  "  all: {path: '-'}\n"
                                  "stages:\n"
                                  "  - {name: all, order: shuffle}\n";

static enum sl_status read_plan(struct state *s, const char *path, struct sl_err *err)
{
    struct sl_buf text;
    struct stat st_file;
    s->has_plan = true;
    if (!strpbrk(path, "/.")) {
        if (strcmp(path, "random") != 0)
            return sl_err_set(err, SL_E_USAGE,
                              "--plan: '%s' is not built in (there is 'random'), and no file: a "
                              "file's name has a '.' or a '/'",
                              path);
        return sl_plan_read(&s->plan, sl_str_of(random_plan), path, err);
    }
    if (stat(path, &st_file) == 0 && !S_ISREG(st_file.st_mode)) /* it is read more than once */
        return sl_err_set(err, SL_E_USAGE, "the plan '%s' is no regular file", path);
    sl_buf_init(&text, PLAN_MAX_BYTES);
    enum sl_status st = sl_file_read(path, &text, err);
    if (st == SL_OK)
        st = sl_plan_read(&s->plan, sl_buf_str(&text), path, err);
    sl_buf_release(&text);
    return st;
}

static enum sl_status find_files(struct sl_run *run, struct state *s, const char *plan, int first,
                                 struct sl_err *err)
{
    char folder[4096] = "";
    const char *slash = strrchr(plan, '/');
    size_t n = slash ? (size_t)(slash - plan) + 1 : 0;
    int n_rest = sl_run_n_inputs(run) - first;
    const char **rest = calloc((size_t)n_rest + 1, sizeof *rest);
    if (!rest || n >= sizeof folder) {
        free(rest);
        return sl_err_nomem(err, n);
    }
    memcpy(folder, plan, n);
    folder[n] = 0;
    for (int i = 0; i < n_rest; i++)
        rest[i] = sl_run_input(run, first + i);
    s->has_files = true;
    enum sl_status st = sl_plan_files(&s->files, &s->plan, folder, rest, n_rest, err);
    free(rest);
    return st == SL_OK ? sl_run_set_inputs(run, s->files.paths, s->files.n, err) : st;
}

static const struct sl_tool dry_tool;

static enum sl_status set_inputs(struct sl_run *run, void *conf, struct sl_err *err)
{
    struct conf *c = conf;
    struct state *s = c->state = calloc(1, sizeof *s);
    int first = !c->plan;
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    sl_run_set_state(run, s);
    if (c->dry_run)
        sl_run_set_tool(run, &dry_tool);
    if (!c->plan && !sl_run_n_inputs(run))
        return sl_err_set(err, SL_E_USAGE, "no plan: name a file, or a built-in one by --plan");
    if (!c->plan)
        c->plan = sl_run_input(run, 0);
    if (first && !strpbrk(c->plan, "/.")) /* an operand is never a built-in one */
        return sl_err_set(err, SL_E_USAGE, "the plan '%s': a file's name has a '.' or a '/'",
                          c->plan);
    SL_TRY(read_plan(s, c->plan, err));
    SL_TRY(find_files(run, s, c->plan, first, err));
    return SL_OK;
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
    s->turns = calloc(s->plan.n_sources, sizeof *s->turns);
    if (!s->turns)
        return sl_err_nomem(err, s->plan.n_sources * sizeof *s->turns);
    return sl_curriculum_new(&s->work, &s->plan, sl_run_in_schema(run), common->mem_bytes,
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
    if (input >= s->files.n)
        return;
    const struct sl_plan_source *source = &s->plan.sources[s->files.sources[input]];
    size_t n = strlen(err->msg);
    snprintf(err->msg + n, sizeof err->msg - n, "; it is of source '%s', %s:%d:%d", source->name,
             s->plan.file, source->line, source->column);
}

static enum sl_status step(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    uint32_t source = s->files.sources[sl_run_at_input(run)];
    if (!s->n_turns || s->turns[s->n_turns - 1].source != source)
        s->turns[s->n_turns++] = (struct turn){ b->seq, source };
    return sl_curriculum_see(s->work, b, source, err);
}

static enum sl_status place(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    while (s->turn + 1 < s->n_turns && b->seq >= s->turns[s->turn + 1].seq)
        s->turn++;
    return sl_curriculum_place(s->work, b, s->turns[s->turn].source, err);
}

static enum sl_status emit(void *run, struct sl_str *rows, size_t n, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    if (s->record)
        SL_TRY(sl_plan_record_add(s->record, rows, n, err));
    return sl_run_emit_rows(run, rows, n, err);
}

static enum sl_status measure(struct sl_run *run, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    SL_TRY(sl_curriculum_measure(s->work, err));
    const char *warning = sl_plan_warning(&s->plan);
    if (warning)
        sl_run_warn(run, "%s", warning);
    return SL_OK;
}

static void count(struct sl_run *run, const struct state *s)
{
    const struct sl_plan_order *o = sl_curriculum_order(s->work);
    int64_t units = 0, unused = 0;
    for (size_t i = 0; i < s->plan.n_sources; i++) {
        units += (int64_t)sl_curriculum_units(s->work, i);
        unused += (int64_t)sl_plan_order_unused(o, i);
    }
    sl_run_tally(run)->law = "multiply";
    sl_run_count(run, UNUSED, unused);
    sl_run_count(run, ROWS_ADDED, (int64_t)sl_plan_order_positions(o) - (units - unused));
}

static enum sl_status set_order(struct sl_run *run, const struct state *s, struct sl_err *err)
{
    struct sl_json *order;
    SL_TRY(sl_plan_lineage(&s->plan, s->work, &order, err));
    return sl_run_set_order(run, order, err);
}

/* The record is whole before the rows are: whoever sees these can rely on it. */
static enum sl_status write_record(struct sl_run *run, struct state *s, struct sl_err *err)
{
    struct sl_buf text;
    char digest[32];
    sl_buf_init(&text, (size_t)1 << 30);
    enum sl_status st = sl_run_lineage(run, true, &text, err);
    if (st == SL_OK)
        st = sl_plan_record_end(s->record, sl_buf_str(&text), digest, err);
    sl_buf_reset(&text);
    if (st == SL_OK)
        st = sl_plan_text(&s->plan, s->work, digest, &text, err);
    if (st == SL_OK)
        st = sl_plan_record_commit(s->record, sl_buf_str(&text), err);
    sl_buf_release(&text);
    return st;
}

static enum sl_status end(struct sl_run *run, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    const struct conf *conf = sl_run_conf(run);
    SL_TRY(measure(run, err));
    if (conf->record)
        SL_TRY(sl_plan_record_new(&s->record, conf->record, sl_run_common(run)->force,
                                  sl_run_out_schema(run), err));
    SL_TRY(sl_curriculum_plan(s->work, sl_run_out_schema(run), NULL, NULL, err));
    count(run, s);
    SL_TRY(set_order(run, s, err));
    SL_TRY(sl_run_again(run, place, err));
    SL_TRY(sl_curriculum_emit(s->work, emit, run, err));
    struct sl_row_sort_counts c = sl_curriculum_counts(s->work);
    if (c.runs)
        sl_run_note(run, "%lld runs, %lld merges, %lld MB of disk", (long long)c.runs,
                    (long long)c.merges, (long long)(c.disk_bytes / 1000000));
    return s->record ? write_record(run, s, err) : SL_OK;
}

static void stop(struct sl_run *run)
{
    struct state *s = sl_run_state(run);
    if (!s)
        return;
    sl_curriculum_free(s->work);
    sl_plan_record_free(s->record);
    if (s->has_files)
        sl_plan_files_release(&s->files);
    if (s->has_plan)
        sl_plan_release(&s->plan);
    free(s->turns);
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
    SL_TRY(measure(run, err));
    t->out = t->in; /* every row was looked at, and none written */
    sl_buf_init(&text, (size_t)1 << 30);
    enum sl_status st = sl_plan_text(&s->plan, s->work, NULL, &text, err);
    if (st == SL_OK)
        st = sl_sink_write(sl_run_sink(run), text.p, text.n, err);
    sl_buf_release(&text);
    return st;
}

#define COMMON                                                                              \
    .name = "sluice-curriculum",                                                            \
    .about = "put sequences into the order of a plan: stages, mixtures, pacing",            \
    .options = options, .conf_size = sizeof(struct conf), .in = "sequences", .needs = "id", \
    .start = start, .looks_at = looks_at, .blame = blame, .stop = stop

static const struct sl_tool dry_tool = { COMMON, .flow = SL_SINK, .text_out = true,
                                         .step = dry_step, .end = dry_end };

static const struct sl_add adds[] = {
    { "copy", "uint16", "number of the repetition, from 0" },
    { "stage", "uint16", "number of the plan's stage, from 0" },
    { NULL, NULL, NULL },
};

static const struct sl_tool tool = {
    COMMON,
    .group = "order",
    .operands = "PLAN.yaml | --plan NAME|FILE [FILE...]",
    .examples =
        "sluice-curriculum plan.yaml | sluice-shard -o shards/\n"
        "sluice-curriculum --dry-run plan.yaml\n"
        "sluice-pack --length 2048 tokens.arrows | sluice-curriculum --plan random -o o.arrows",
    .notes = "The plan names sources, stages with their mixtures and orders, and a budget; its\n"
             "paths are relative to its folder. Inputs are read twice; what comes by a pipe is\n"
             "kept in --tmpdir, as is what does not fit into --mem, of which 24M are the least.\n"
             "See docs/curriculum.md.",
    .out = "sequences",
    .adds = adds,
    .counts = counts,
    .flow = SL_COLLECT,
    .inputs = set_inputs,
    .rules = rules,
    .step = step,
    .end = end,
    .trial = "--plan random --mem 32M",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
