/* SPDX-License-Identifier: Apache-2.0 */
/* sl_tool_main: from argv to the exit code. The only place that prints the
 * error, once, and the only one that decides the code. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/run_private.h"
#include "run/source_name.h"

enum { PRINT_MAX_BYTES = 16 << 20 };

static int exit_code(enum sl_status st)
{
    switch (st) {
    case SL_OK:
    case SL_END:
        return 0;
    case SL_E_USAGE:
        return 2;
    case SL_E_SYSTEM:
        return 3;
    case SL_E_BUG:
        return 70;
    default:
        return 1;
    }
}

/* Messages quote outside bytes: what would end the line or steer a terminal is
 * shown as a question mark. */
static void print_line(const char *tool, const char *text)
{
    char line[1400];
    int n = snprintf(line, sizeof line - 1, "%s: %s", tool, text);
    if (n < 0)
        return;
    if (n > (int)sizeof line - 2)
        n = (int)sizeof line - 2;
    for (int i = 0; i < n; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    line[n] = '\n';
    if (write(STDERR_FILENO, line, (size_t)n + 1) < 0)
        return; /* nobody to tell */
}

static void print_error(struct sl_run *run, const struct sl_err *err)
{
    char text[1200];
    sl_progress_end(run);
    if (err->status == SL_E_UPSTREAM) {
        if (!run->in.upstream_near)
            return; /* the stage next to it has told */
        struct sl_upstream u = run->in.upstream;
        snprintf(text, sizeof text, "upstream %.*s failed: %.*s",
                 u.tool.n < 60 ? (int)u.tool.n : 60, u.tool.p,
                 u.message.n < 1100 ? (int)u.message.n : 1100, u.message.p);
        print_line(run->tool->name, text);
        return;
    }
    print_line(run->tool->name, sl_err_text(err, text, sizeof text));
    if (err->status == SL_E_USAGE) {
        snprintf(text, sizeof text, "try '%s --help'", run->tool->name);
        print_line(run->tool->name, text);
    }
}

void sl_run_error(struct sl_run *run, const struct sl_err *err)
{
    print_error(run, err);
}

/* Help, version and their like: true where the run ends with that. */
static bool answer_questions(struct sl_run *run, enum sl_status *st, struct sl_err *err)
{
    const struct sl_run_options *o = &run->opt;
    if (o->help_short)
        sl_help_short(run, stdout);
    else if (o->help_full)
        sl_help_full(run, stdout);
    else if (o->version)
        printf("%s %s\n", run->tool->name, SLUICE_VERSION);
    else if (o->man)
        sl_help_man(run, stdout);
    else if (o->completion)
        *st = sl_help_completion(run, o->completion, stdout, err);
    else if (o->describe)
        *st = sl_describe(run, stdout, err);
    else
        return false;
    if (fflush(stdout) != 0 || ferror(stdout))
        *st = sl_err_sys(err, errno, "cannot write to standard output");
    return true;
}

static enum sl_status settle_common(struct sl_run *run, struct sl_err *err)
{
    struct sl_common *c = &run->opt.common;
    if (c->threads == 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        c->threads = sched_getaffinity(0, sizeof set, &set) == 0 ? (uint64_t)CPU_COUNT(&set) : 1;
    }
    if (!c->tmpdir) {
        const char *dir = getenv("TMPDIR");
        c->tmpdir = dir && *dir ? dir : "/tmp";
    }
    if (run->tool->folder_out && !c->output)
        return sl_err_set(err, SL_E_USAGE, "-o DIR is required");
    if (run->opt.depfile && !c->output)
        return sl_err_set(err, SL_E_USAGE, "--depfile needs -o FILE");
    if (run->tool->flow == SL_SOURCE && run->tool->names_inputs) {
        if (run->opt.source && run->n_inputs > 1)
            return sl_err_set(err, SL_E_USAGE,
                              "--source gives one name to %d inputs: use --source-depth",
                              run->n_inputs);
        return sl_source_check_names(run->inputs, run->n_inputs, run->opt.source_depth, err);
    }
    return SL_OK;
}

/* Standard input is read where no operand was given, or where one is "-". */
static bool reads_stdin(const struct sl_run *run)
{
    const struct sl_tool *t = run->tool;
    return (t->in || t->flow == SL_SOURCE || t->reads_files) && run->n_inputs == 0;
}

static bool is_dash(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static enum sl_status check_stdin(const struct sl_run *run, struct sl_err *err)
{
    int n = is_dash(run->opt.files_from);
    for (int i = 0; i < run->n_inputs; i++)
        n += is_dash(run->inputs[i]);
    if (n && isatty(STDIN_FILENO))
        return sl_err_set(err, SL_E_USAGE, "standard input is a terminal");
    if (n > 1)
        return sl_err_set(err, SL_E_USAGE, "standard input is named %d times", n);
    return SL_OK;
}

/* The k-th option of the tool that names an output, NULL where it is not given; false behind
 * the last one. */
static bool named_output(const struct sl_run *run, size_t k, const char **name)
{
    for (const struct sl_opt *o = run->tool->options; o && o->type != SL_OPT_T_END; o++)
        if ((o->flags & SL_OPT_WRITES) && k-- == 0) {
            memcpy(name, (const char *)run->conf + o->offset, sizeof *name);
            return true;
        }
    return false;
}

/* Data alone goes to standard output, and one stream of it. */
static enum sl_status check_stdout(const struct sl_run *run, struct sl_err *err)
{
    const struct sl_run_options *o = &run->opt;
    const char *name;
    bool writes = run->tool->out || run->tool->text_out;
    int n = (writes && (!o->common.output || is_dash(o->common.output))) + is_dash(o->report) +
            is_dash(o->rejects) + is_dash(o->rest) + is_dash(o->depfile);
    for (size_t k = 0; named_output(run, k, &name); k++)
        n += is_dash(name);
    if (n > 1)
        return sl_err_set(err, SL_E_USAGE, "%d outputs would be mixed on standard output", n);
    return SL_OK;
}

/* Of two outputs of one name the later rename would replace the first. */
static enum sl_status check_outputs(const struct sl_run *run, struct sl_err *err)
{
    enum { N_COMMON = 5, N_MOST = 8 };
    const struct sl_run_options *o = &run->opt;
    const char *names[N_MOST] = { o->common.output, o->rejects, o->rest, o->report, o->depfile };
    size_t n = N_COMMON;
    while (n < N_MOST && named_output(run, n - N_COMMON, &names[n]))
        n++;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (names[i] && names[k] && strncmp(names[i], "/dev/", 5) != 0 &&
                strcmp(names[i], names[k]) == 0)
                return sl_err_set(err, SL_E_USAGE, "two outputs would be written to '%s'",
                                  names[i]);
    return SL_OK;
}

static enum sl_status parse(struct sl_run *run, int argc, char **argv, struct sl_err *err)
{
    run->inputs = calloc((size_t)argc + 1, sizeof *run->inputs);
    if (!run->inputs)
        return sl_err_nomem(err, (uint64_t)argc * sizeof *run->inputs);
    sl_run_groups(run);
    run->opt.common.max_bad = UINT64_MAX;
    SL_TRY(sl_opt_defaults(run->groups, run->n_groups, err));
    struct sl_opt_args args = { .argc = argc, .argv = argv, .operands = run->inputs };
    SL_TRY(sl_opt_parse(run->groups, run->n_groups, &args, err));
    run->n_inputs = args.n_operands;
    return SL_OK;
}

static enum sl_status prepare(struct sl_run *run, struct sl_err *err)
{
    SL_TRY(sl_opt_check_required(run->groups, run->n_groups, err));
    SL_TRY(sl_run_read_files_from(run, err));
    if (run->tool->inputs)
        SL_TRY(run->tool->inputs(run, run->conf, err));
    SL_TRY(settle_common(run, err));
    SL_TRY(check_stdin(run, err));
    SL_TRY(check_stdout(run, err));
    SL_TRY(check_outputs(run, err));
    return run->tool->check ? run->tool->check(run->conf, err) : SL_OK;
}

static enum sl_status execute(struct sl_run *run, struct sl_err *err)
{
    SL_TRY(sl_run_open(run, err));
    run->started = true;
    if (run->tool->start)
        SL_TRY(run->tool->start(run, err));
    sl_progress_start(run);
    SL_TRY(sl_run_flow(run, err));
    SL_TRY(sl_run_finish(run, err));
    sl_progress_end(run);
    if (run->opt.common.verbose)
        sl_report_line(run, stderr);
    return SL_OK;
}

static void release(struct sl_run *run)
{
    if ((run->started || run->state) && run->tool->stop)
        run->tool->stop(run);
    sl_out_close(&run->out);
    sl_out_close(&run->rejects);
    sl_out_close(&run->rest);
    sl_spool_close(&run->spool);
    if (run->has_some) {
        sl_rows_release(&run->some);
        sl_batch_release(&run->some_view);
    }
    sl_sink_free(run->text);
    sl_replay_close(run);
    sl_merge_close(run);
    sl_inputs_close(&run->in);
    if (run->has_out_schema)
        sl_schema_release(&run->out_schema);
    if (run->has_reject_schema)
        sl_schema_release(&run->reject_schema);
    if (run->has_rest_schema)
        sl_schema_release(&run->rest_schema);
    sl_buf_release(&run->files_text);
    sl_json_free(run->entry);
    sl_json_free(run->order);
    free(run->copied);
    free(run->inputs);
    free(run->conf);
}

/* What the tool itself prints instead of running. */
static bool answer_tool(struct sl_run *run, enum sl_status *st, struct sl_err *err)
{
    struct sl_buf text;
    if (!run->tool->print)
        return false;
    sl_buf_init(&text, PRINT_MAX_BYTES);
    *st = run->tool->print(run->conf, &text, err);
    bool answered = *st != SL_OK || text.n;
    if (*st == SL_OK && text.n &&
        (fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout) != 0))
        *st = sl_err_sys(err, errno, "cannot write to standard output");
    sl_buf_release(&text);
    return answered;
}

static enum sl_status run_tool(struct sl_run *run, int argc, char **argv, struct sl_err *err)
{
    enum sl_status st = SL_OK;
    run->conf = calloc(1, run->tool->conf_size + 1);
    if (!run->conf)
        return sl_err_nomem(err, run->tool->conf_size);
    SL_TRY(parse(run, argc, argv, err));
    if (answer_questions(run, &st, err) || answer_tool(run, &st, err))
        return st;
    if (reads_stdin(run) && !run->opt.files_from && isatty(STDIN_FILENO)) {
        sl_help_short(run, stderr);
        return sl_err_set(err, SL_E_USAGE, "no input: name a file or use a pipe");
    }
    st = prepare(run, err);
    if (st == SL_OK)
        st = execute(run, err);
    if (st != SL_OK) {
        /* Before the next stage learns of it, so that what went wrong is told first. */
        print_error(run, err);
        run->told = true;
        sl_run_poison(run, err);
    }
    return st;
}

/* Close the outputs, so that nothing half-written is left, and leave the rest,
 * which a thread may still use, to the end of the process. */
static void leave(struct sl_run *run, int code)
{
    sl_out_close(&run->out);
    sl_out_close(&run->rejects);
    fflush(NULL);
    _exit(code);
}

int sl_tool_main(const struct sl_tool *tool, int argc, char **argv)
{
    struct sl_run run = { .tool = tool };
    struct sl_err err = SL_ERR_INIT;
    /* A parent may have ignored it; the contract is to die of a closed pipe. */
    signal(SIGPIPE, SIG_DFL);
    clock_gettime(CLOCK_MONOTONIC, &run.begun);
    enum sl_status st = run_tool(&run, argc, argv, &err);
    if (st < 0 && !run.told)
        print_error(&run, &err);
    if (run.reader_left)
        leave(&run, exit_code(st));
    release(&run);
    return exit_code(st);
}
