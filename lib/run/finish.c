/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a run: conservation, trailers, and the renames in their order
 * (rejects, rest, report, dependency file, main output), so that whoever sees the
 * main output can rely on the others. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/run_private.h"

static enum sl_status lineage_text(struct sl_run *run, const char *port, bool with_tally,
                                   struct sl_buf *out, struct sl_err *err)
{
    struct sl_json *entry = sl_run_entry(run, port, with_tally, err);
    if (!entry)
        return err && err->status < 0 ? err->status : sl_err_nomem(err, 0);
    return sl_lineage_dump(&run->in.lineage, entry, out, err);
}

enum sl_status sl_run_lineage(struct sl_run *run, bool with_tally, struct sl_buf *out,
                              struct sl_err *err)
{
    return lineage_text(run, NULL, with_tally, out, err);
}

/* The end of a stream that is not the main one. */
static enum sl_status finish_port(struct sl_run *run, struct sl_out *out, const char *port,
                                  struct sl_err *err)
{
    struct sl_buf lineage;
    if (!out->writer)
        return SL_OK;
    sl_buf_init(&lineage, SL_MAX_META_BYTES);
    enum sl_status st = lineage_text(run, port, true, &lineage, err);
    if (st == SL_OK)
        st = sl_out_end(out, sl_buf_str(&lineage), NULL, err);
    if (st == SL_OK)
        st = sl_out_commit(out, err);
    sl_buf_release(&lineage);
    return st;
}

/* The input's digests in the order of the output's columns. */
static struct sl_hash128 *copied_digests(const struct sl_run *run)
{
    const struct sl_schema *out = &run->out_schema;
    struct sl_hash128 *d = calloc(out->n_fields + 1, sizeof *d);
    for (uint32_t i = 0; d && i < out->n_fields; i++)
        if (run->copied[i] && run->in.digests)
            d[i] = run->in.digests[sl_schema_find(&run->in.schema, out->fields[i]->name)];
    return d;
}

static enum sl_status end_main(struct sl_run *run, struct sl_err *err)
{
    struct sl_buf lineage;
    if (!run->has_out_schema)
        return SL_OK;
    struct sl_hash128 *digests = copied_digests(run);
    if (!digests)
        return sl_err_nomem(err, 0);
    sl_buf_init(&lineage, SL_MAX_META_BYTES);
    enum sl_status st = lineage_text(run, NULL, true, &lineage, err);
    if (st == SL_OK)
        st = sl_out_end(&run->out, sl_buf_str(&lineage), digests, err);
    sl_buf_release(&lineage);
    free(digests);
    return st;
}

static enum sl_status commit_main(struct sl_run *run, struct sl_err *err)
{
    SL_TRY(end_main(run, err));
    if (run->tool->commit)
        return run->tool->commit(run, err);
    if (run->has_out_schema)
        return sl_out_commit(&run->out, err);
    return run->text ? sl_sink_commit(run->text, err) : SL_OK;
}

static enum sl_status write_name(struct sl_sink *to, const char *name, struct sl_err *err)
{
    for (const char *p = name; *p; p++) {
        if (*p == '$')
            SL_TRY(sl_sink_write(to, "$", 1, err));
        else if (*p == ' ' || *p == '#')
            SL_TRY(sl_sink_write(to, "\\", 1, err));
        SL_TRY(sl_sink_write(to, p, 1, err));
    }
    return SL_OK;
}

static enum sl_status write_rule(struct sl_run *run, struct sl_sink *to, struct sl_err *err)
{
    SL_TRY(write_name(to, run->opt.common.output, err));
    SL_TRY(sl_sink_write(to, ":", 1, err));
    for (int i = 0; i < run->n_inputs; i++) {
        if (strcmp(run->inputs[i], "-") == 0)
            continue;
        SL_TRY(sl_sink_write(to, " ", 1, err));
        SL_TRY(write_name(to, run->inputs[i], err));
    }
    return sl_sink_write(to, "\n", 1, err);
}

static enum sl_status write_depfile(struct sl_run *run, struct sl_err *err)
{
    struct sl_sink *to = NULL;
    if (!run->opt.depfile)
        return SL_OK;
    SL_TRY(sl_sink_open(&to, run->opt.depfile, true, err));
    enum sl_status st = write_rule(run, to, err);
    if (st == SL_OK)
        st = sl_sink_commit(to, err);
    sl_sink_free(to);
    return st;
}

enum sl_status sl_run_finish(struct sl_run *run, struct sl_err *err)
{
    struct sl_sink *report = NULL;
    if (run->tool->flow != SL_PLAIN)
        SL_TRY(sl_tally_check(&run->tally, err));
    SL_TRY(finish_port(run, &run->rejects, "rejects", err));
    SL_TRY(finish_port(run, &run->rest, "rest", err));
    enum sl_status st = sl_report_write(run, &report, err);
    if (st == SL_OK && report)
        st = sl_sink_commit(report, err);
    sl_sink_free(report);
    SL_TRY(st);
    SL_TRY(write_depfile(run, err));
    return commit_main(run, err);
}

/* A failing tool that has not written its schema yet says so in a stream
 * without columns, so that the next stage can tell what went wrong. self stands
 * in its lineage: only the stage next to the failed tool tells of it. */
static void poison_early(const char *self, struct sl_str tool, struct sl_str message)
{
    struct sl_schema none;
    struct sl_write_options options = { 0 };
    struct sl_sink *to = NULL;
    struct sl_writer *w = NULL;
    char stage[96];
    snprintf(stage, sizeof stage, "[{\"tool\":\"%.60s\"}]", self);
    sl_schema_init(&none);
    if (sl_schema_set_meta(&none, "kind", SL_STR("none"), NULL) == SL_OK &&
        sl_schema_set_meta(&none, "lineage", sl_str_of(stage), NULL) == SL_OK &&
        sl_sink_open(&to, "-", false, NULL) == SL_OK &&
        sl_writer_open(&w, to, &none, &options, NULL) == SL_OK &&
        sl_writer_poison(w, tool, message, NULL) == SL_OK)
        (void)!sl_sink_commit(to, NULL);
    sl_writer_free(w);
    sl_sink_free(to);
    sl_schema_release(&none);
}

void sl_run_poison(struct sl_run *run, const struct sl_err *why)
{
    char text[1200];
    struct sl_str tool = sl_str_of(run->tool->name);
    struct sl_str message = sl_str_of(sl_err_text(why, text, sizeof text));
    const char *output = run->opt.common.output;
    if (!run->tool->out || (output && strcmp(output, "-") != 0))
        return;
    if (why->status == SL_E_UPSTREAM) {
        tool = run->in.upstream.tool;
        message = run->in.upstream.message;
    }
    if (run->out.writer)
        (void)!sl_writer_poison(run->out.writer, tool, message, NULL);
    else if (why->status != SL_E_USAGE && !isatty(STDOUT_FILENO))
        poison_early(run->tool->name, tool, message);
}
