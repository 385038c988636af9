/* SPDX-License-Identifier: Apache-2.0 */
/* The beginning of a run: inputs, schemas, lineage, outputs. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/kinds.h"
#include "run/run_private.h"

static bool is_added(const struct sl_tool *t, const char *name)
{
    for (const struct sl_add *a = t->adds; a && a->name; a++)
        if (strcmp(a->name, name) == 0)
            return true;
    return false;
}

enum sl_status sl_run_keep_columns(struct sl_run *run, const struct sl_schema *in,
                                   bool keep_removed, struct sl_schema *out, struct sl_err *err)
{
    const struct sl_tool *t = run->tool;
    for (uint32_t i = 0; i < in->n_fields; i++) {
        const char *name = in->fields[i]->name;
        bool removed = t->removes && sl_list_has(t->removes, sl_str_of(name));
        if (removed && !keep_removed)
            continue;
        if (!is_added(t, name))
            SL_TRY(sl_schema_add(out, in->fields[i], err));
        else if (!run->opt.replace)
            return sl_err_set(err, SL_E_DATA,
                              "the input has a column '%s' already; --replace makes it anew", name);
    }
    return SL_OK;
}

static enum sl_status default_schema(struct sl_run *run, const struct sl_schema *in,
                                     struct sl_schema *out, struct sl_err *err)
{
    if (in)
        SL_TRY(sl_run_keep_columns(run, in, false, out, err));
    for (const struct sl_add *a = run->tool->adds; a && a->name; a++)
        SL_TRY(sl_schema_add_text(out, a->name, a->type, err));
    return SL_OK;
}

static const char *out_kind(const struct sl_run *run)
{
    const char *kind = run->tool->out;
    return kind && strcmp(kind, "*") == 0 ? run->in.schema.kind : kind;
}

/* The schema's lineage: that of the first input, then this stage, no tallies. */
static enum sl_status schema_lineage(struct sl_run *run, const char *port, struct sl_buf *out,
                                     struct sl_err *err)
{
    struct sl_lineage before = { 0 };
    const char *first = run->in_open ? run->in.schema.lineage : NULL;
    if (first)
        SL_TRY(sl_lineage_add(&before, sl_str_of(first), err));
    struct sl_json *entry = sl_run_entry(run, port, false, err);
    enum sl_status st = entry ? SL_OK : err && err->status < 0 ? err->status : SL_E_SYSTEM;
    if (st == SL_OK)
        st = sl_lineage_dump(&before, entry, out, err);
    sl_lineage_release(&before);
    return st;
}

static enum sl_status set_meta(struct sl_run *run, struct sl_schema *s, const char *kind,
                               const char *port, struct sl_err *err)
{
    struct sl_buf lineage;
    sl_buf_init(&lineage, SL_MAX_META_BYTES);
    enum sl_status st = schema_lineage(run, port, &lineage, err);
    if (st == SL_OK)
        st = sl_schema_set_meta(s, "lineage", sl_buf_str(&lineage), err);
    if (st == SL_OK)
        st = sl_schema_set_meta(s, "kind", sl_str_of(kind), err);
    if (st == SL_OK && !s->tokenizer && run->in_open && run->in.schema.tokenizer)
        st = sl_schema_set_meta(s, "tokenizer", sl_str_of(run->in.schema.tokenizer), err);
    sl_buf_release(&lineage);
    return st;
}

static enum sl_status make_out_schema(struct sl_run *run, struct sl_err *err)
{
    const struct sl_tool *t = run->tool;
    const struct sl_schema *in = run->in_open ? &run->in.schema : NULL;
    if (!t->out)
        return SL_OK;
    sl_schema_init(&run->out_schema);
    run->has_out_schema = true;
    SL_TRY(t->schema ? t->schema(run, in, &run->out_schema, err)
                     : default_schema(run, in, &run->out_schema, err));
    return set_meta(run, &run->out_schema, out_kind(run), NULL, err);
}

static enum sl_status source_reject_schema(struct sl_schema *s, struct sl_err *err)
{
    static const char *const columns[][2] = {
        { "id", "fixed_size_binary[16]" }, { "source", "utf8" },
        { "offset", "uint64?" },           { "line", "uint64?" },
        { "raw", "large_binary" },         { "reject_reason", "utf8" },
        { "reject_detail", "utf8?" },
    };
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        SL_TRY(sl_schema_add_text(s, columns[i][0], columns[i][1], err));
    return SL_OK;
}

static enum sl_status make_reject_schema(struct sl_run *run, struct sl_err *err)
{
    struct sl_schema *s = &run->reject_schema;
    bool source = run->tool->flow == SL_SOURCE;
    if (!run->opt.rejects)
        return SL_OK;
    sl_schema_init(s);
    run->has_reject_schema = true;
    if (source) {
        SL_TRY(source_reject_schema(s, err));
    } else {
        for (uint32_t i = 0; i < run->in.schema.n_fields; i++)
            SL_TRY(sl_schema_add(s, run->in.schema.fields[i], err));
        SL_TRY(sl_schema_add_text(s, "reject_reason", "utf8", err));
        SL_TRY(sl_schema_add_text(s, "reject_detail", "utf8?", err));
    }
    return set_meta(run, s, source ? "rejects" : run->in.schema.kind, "rejects", err);
}

static enum sl_status make_rest_schema(struct sl_run *run, struct sl_err *err)
{
    const struct sl_schema *in = &run->in.schema;
    if (!run->opt.rest)
        return SL_OK;
    sl_schema_init(&run->rest_schema);
    run->has_rest_schema = true;
    for (uint32_t i = 0; i < in->n_fields; i++)
        SL_TRY(sl_schema_add(&run->rest_schema, in->fields[i], err));
    return set_meta(run, &run->rest_schema, in->kind, "rest", err);
}

/* A map that can drop no row leaves the digests of untouched columns as they
 * were; the trailer of its one input has them. */
static enum sl_status find_copied(struct sl_run *run, struct sl_err *err)
{
    const struct sl_tool *t = run->tool;
    const struct sl_schema *out = &run->out_schema;
    run->copied = calloc(out->n_fields + 1, sizeof *run->copied);
    if (!run->copied)
        return sl_err_nomem(err, out->n_fields);
    if (t->flow != SL_MAP || t->reasons || run->in.n_paths != 1)
        return SL_OK;
    for (uint32_t i = 0; i < out->n_fields; i++) {
        const char *name = out->fields[i]->name;
        run->copied[i] = !is_added(t, name) && sl_schema_find(&run->in.schema, name) >= 0;
    }
    return SL_OK;
}

static enum sl_status refuse_terminal(const struct sl_run *run, struct sl_err *err)
{
    bool binary = run->tool->out && !run->opt.common.output;
    if (binary && isatty(STDOUT_FILENO))
        return sl_err_set(err, SL_E_USAGE,
                          "standard output is a terminal and the stream is binary: use -o FILE, a "
                          "pipe, or sluice-export to read it");
    return SL_OK;
}

static enum sl_status open_outputs(struct sl_run *run, struct sl_err *err)
{
    const struct sl_run_options *o = &run->opt;
    const char *path = o->common.output ? o->common.output : "-";
    int level = o->compress == UINT64_MAX ? 3 : (int)o->compress;
    struct sl_write_options options = { .zstd_level = level };
    if (run->tool->text_out)
        SL_TRY(sl_sink_open(&run->text, path, o->common.force, err));
    if (run->has_reject_schema) {
        run->rejects.flush = o->flush;
        SL_TRY(sl_out_open(&run->rejects, o->rejects, o->common.force, &run->reject_schema,
                           &options, err));
    }
    if (run->has_rest_schema) {
        run->rest.flush = o->flush;
        SL_TRY(sl_out_open(&run->rest, o->rest, o->common.force, &run->rest_schema, &options, err));
    }
    if (!run->has_out_schema)
        return SL_OK;
    SL_TRY(find_copied(run, err));
    options.copied = run->copied;
    run->out.flush = o->flush;
    SL_TRY(sl_out_open(&run->out, path, o->common.force, &run->out_schema, &options, err));
    return o->flush ? sl_sink_flush(run->out.sink, err) : SL_OK;
}

static enum sl_status open_inputs(struct sl_run *run, struct sl_err *err)
{
    const struct sl_tool *t = run->tool;
    int n = t->flow == SL_MERGE ? sl_merge_first(run) : run->n_inputs;
    enum sl_status st = sl_inputs_open(&run->in, run->inputs, n, t->checks_input, err);
    sl_run_blame(run, st, 0, err);
    SL_TRY(st);
    run->in_open = true;
    st = sl_kind_check(&run->in.schema, t->in, err);
    if (st == SL_OK && t->needs)
        st = sl_kind_check_needs(&run->in.schema, t->needs, err);
    if (st != SL_OK)
        sl_err_at(err, sl_inputs_shown(run->in.paths[0]), -1, -1);
    sl_run_blame(run, st, 0, err);
    if (st == SL_OK && t->flow == SL_MERGE)
        st = sl_merge_open(run, err);
    return st;
}

enum sl_status sl_run_open(struct sl_run *run, struct sl_err *err)
{
    SL_TRY(refuse_terminal(run, err));
    if (run->tool->in)
        SL_TRY(open_inputs(run, err));
    SL_TRY(make_out_schema(run, err));
    SL_TRY(make_reject_schema(run, err));
    SL_TRY(make_rest_schema(run, err));
    return open_outputs(run, err);
}
