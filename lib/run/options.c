/* SPDX-License-Identifier: Apache-2.0 */
/* The common options: each stands in one small table by what it needs, and a
 * tool gets the tables that make sense for its flow. A tool therefore never
 * accepts an option that would do nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "run/run_private.h"

#define O struct sl_run_options

static const struct sl_opt always[] = {
    SL_OPT_BOOL('h', "help-short", O, help_short, "this help on one screen", 0),
    SL_OPT_BOOL(0, "help", O, help_full, "the full help", 0),
    SL_OPT_BOOL('V', "version", O, version, "name and version", 0),
    SL_OPT_BOOL('v', "verbose", O, common.verbose, "one line of counts and times at the end", 0),
    SL_OPT_BOOL('q', "quiet", O, common.quiet, "no progress and no warnings", 0),
    SL_OPT_BOOL(0, "describe", O, describe, "what this tool is, as JSON", SL_OPT_HIDDEN),
    SL_OPT_BOOL(0, "man", O, man, "the man page (roff)", SL_OPT_HIDDEN),
    SL_OPT_CHOICE(0, "completion", "bash|zsh|fish", O, completion, "a completion script",
                  SL_OPT_HIDDEN),
    SL_OPT_END
};
static const struct sl_opt any_output[] = {
    SL_OPT_PATH('o', "output", "FILE", O, common.output,
                "write to FILE instead of standard output; it appears only when whole", 0),
    SL_OPT_BOOL('f', "force", O, common.force, "replace an existing output", 0),
    SL_OPT_PATH(0, "depfile", "FILE", O, depfile,
                "write a make rule: the output depends on the inputs", SL_OPT_HIDDEN),
    SL_OPT_END
};
static const struct sl_opt folder_output[] = {
    SL_OPT_PATH('o', "output", "DIR", O, common.output, "folder to write; made where it is absent",
                0),
    SL_OPT_BOOL('f', "force", O, common.force, "replace what the folder holds", 0),
    SL_OPT_PATH(0, "depfile", "FILE", O, depfile,
                "write a make rule: the output depends on the inputs", SL_OPT_HIDDEN),
    SL_OPT_END
};
static const struct sl_opt stream_output[] = {
    SL_OPT_RANGE(0, "compress", "LEVEL", SL_OPT_T_UINT, O, compress, 1, 19,
                 "zstd for every buffer; without LEVEL 3", SL_OPT_OPTIONAL),
    SL_OPT_BOOL(0, "flush", O, flush, "pass every batch on at once", 0), SL_OPT_END
};
static const struct sl_opt any_input[] = {
    SL_OPT_PATH(0, "files-from", "FILE", O, files_from, "more inputs, a name a line", 0),
    SL_OPT_BOOL('0', "null", O, nul, "names in --files-from end with NUL", SL_OPT_HIDDEN),
    SL_OPT_END
};
static const struct sl_opt any_work[] = {
    SL_OPT_RANGE('T', "threads", "N", SL_OPT_T_UINT, O, common.threads, 0, 1024,
                 "workers in all; 0: all processors [1]", 0),
    SL_OPT_SIZE(0, "mem", "SIZE", O, common.mem_bytes, "memory budget [1G]", SL_OPT_HIDDEN),
    SL_OPT_PATH(0, "tmpdir", "DIR", O, common.tmpdir,
                "folder for temporary files; default: TMPDIR or /tmp", SL_OPT_HIDDEN),
    SL_OPT_BOOL(0, "progress", O, progress, "progress on the terminal [on]", SL_OPT_HIDDEN),
    SL_OPT_PATH(0, "report", "FILE", O, report, "write counts and times as JSON", 0),
    SL_OPT_END
};
static const struct sl_opt rejecting[] = {
    SL_OPT_PATH(0, "rejects", "FILE", O, rejects,
                "write what was rejected, with its reason, as a stream", 0),
    SL_OPT_END
};
static const struct sl_opt resting[] = {
    SL_OPT_PATH(0, "rest", "FILE", O, rest, "write the other rows as a stream of their own", 0),
    SL_OPT_END
};
static const struct sl_opt bad_input[] = {
    SL_OPT_UINT(0, "max-bad", "N", O, common.max_bad, "more than N bad records are an error", 0),
    SL_OPT_BOOL(0, "strict", O, strict, "any bad record is an error", 0),
    SL_OPT_STR(0, "source", "NAME", O, source,
               "name of the source; default: the last part of the path", SL_OPT_RESULT),
    SL_OPT_RANGE(0, "source-depth", "N", SL_OPT_T_UINT, O, source_depth, 1, 64,
                 "parts of the path that name the source [1]", SL_OPT_RESULT),
    SL_OPT_END
};
static const struct sl_opt adding[] = { SL_OPT_BOOL(0, "replace", O, replace,
                                                    "make columns anew that the input has already",
                                                    SL_OPT_RESULT | SL_OPT_HIDDEN),
                                        SL_OPT_END };
static const struct sl_opt seeded[] = { SL_OPT_UINT(0, "seed", "N", O, common.seed,
                                                    "seed of everything random [0]", SL_OPT_RESULT),
                                        SL_OPT_END };
static const struct sl_opt sized[] = {
    SL_OPT_RANGE(0, "max-doc", "SIZE", SL_OPT_T_SIZE, O, common.max_doc_bytes, 1, 256 << 20,
                 "larger documents are rejected [64M]", SL_OPT_RESULT),
    SL_OPT_END
};

static void add_group(struct sl_run *run, const struct sl_opt *options, void *conf)
{
    run->groups[run->n_groups++] = (struct sl_opt_group){ options, conf };
}

/* Order matters: it is the order of the help and of the lineage entry. */
void sl_run_groups(struct sl_run *run)
{
    const struct sl_tool *t = run->tool;
    bool stream = t->flow != SL_SINK && t->flow != SL_PLAIN;
    if (t->options)
        add_group(run, t->options, run->conf);
    if (t->adds && t->in)
        add_group(run, adding, &run->opt);
    if (t->takes_max_doc)
        add_group(run, sized, &run->opt);
    if (t->seeded)
        add_group(run, seeded, &run->opt);
    if (t->flow == SL_SOURCE)
        add_group(run, bad_input, &run->opt);
    if (t->reasons)
        add_group(run, rejecting, &run->opt);
    if (t->rest)
        add_group(run, resting, &run->opt);
    if (t->flow != SL_PLAIN || t->text_out)
        add_group(run, t->folder_out ? folder_output : any_output, &run->opt);
    if (stream)
        add_group(run, stream_output, &run->opt);
    if (t->flow != SL_PLAIN) {
        add_group(run, any_input, &run->opt);
        add_group(run, any_work, &run->opt);
    }
    add_group(run, always, &run->opt);
}

static int count_names(struct sl_str text, char end)
{
    int n = 1;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == end;
    return n;
}

enum { FILES_FROM_MAX = 1 << 28 };

enum sl_status sl_run_read_files_from(struct sl_run *run, struct sl_err *err)
{
    if (!run->opt.files_from)
        return SL_OK;
    char end = run->opt.nul ? 0 : '\n';
    struct sl_buf *text = &run->files_text;
    sl_buf_init(text, FILES_FROM_MAX);
    SL_TRY(sl_file_read(run->opt.files_from, text, err));
    SL_TRY(sl_buf_add_byte(text, (uint8_t)end, err));
    int most = run->n_inputs + count_names(sl_buf_str(text), end);
    const char **inputs = realloc(run->inputs, (size_t)most * sizeof *inputs);
    if (!inputs)
        return sl_err_nomem(err, (uint64_t)most * sizeof *inputs);
    run->inputs = inputs;
    for (size_t from = 0; from < text->n;) {
        size_t to = sl_str_find(sl_buf_str(text), from, end);
        text->p[to] = 0;
        if (to > from)
            inputs[run->n_inputs++] = (const char *)text->p + from;
        from = to + 1;
    }
    if (!run->n_inputs)
        return sl_err_set(err, SL_E_USAGE, "--files-from '%s' names no file", run->opt.files_from);
    return SL_OK;
}
