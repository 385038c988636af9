/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-shard: sequences to a folder of shards with a manifest. The folder's
 * rules (docs/shards.md) are lib/order's; here stand the options, what a run is
 * made from (.begun.json), and the tally. */
#include "arrow/schema.h"
#include "base/json.h"
#include "order/shard_writer.h"
#include "run/tool.h"

struct conf {
    uint64_t sequences;
};

enum { COUNT_SHARDS, COUNT_TOKENS, COUNT_TARGETS };

static const char *const counts[] = { "shards", "tokens", "targets", NULL };

static const struct sl_opt options[] = {
    SL_OPT_RANGE(0, "sequences", "N", SL_OPT_T_UINT, struct conf, sequences, 1, 1 << 30,
                 "sequences of a shard; index = shard x N + row [65536]", SL_OPT_RESULT),
    SL_OPT_END
};

/* The input's stages, then this one, all without tallies. */
static enum sl_status stages(struct sl_run *run, struct sl_json **out, struct sl_err *err)
{
    const char *before = sl_run_in_schema(run)->lineage;
    struct sl_buf text;
    struct sl_json *own = NULL;
    SL_TRY(sl_json_parse(out, before ? sl_str_of(before) : SL_STR("[]"), err));
    sl_buf_init(&text, SL_MAX_META_BYTES);
    enum sl_status st = sl_run_lineage(run, false, &text, err);
    if (st == SL_OK)
        st = sl_json_parse(&own, sl_buf_str(&text), err);
    size_t n = sl_json_count(own);
    if (st == SL_OK)
        st = sl_json_push(*out, sl_json_copy(sl_json_at(own, n ? n - 1 : 0)), err);
    sl_json_free(own);
    sl_buf_release(&text);
    return st;
}

static enum sl_status columns(struct sl_run *run, struct sl_json *out, struct sl_err *err)
{
    const struct sl_schema *s = sl_run_in_schema(run);
    struct sl_buf type;
    enum sl_status st = SL_OK;
    sl_buf_init(&type, SL_MAX_META_BYTES);
    for (uint32_t i = 0; st == SL_OK && i < s->n_fields; i++) {
        sl_buf_reset(&type);
        st = sl_type_format(s->fields[i], &type, err);
        if (st == SL_OK && s->fields[i]->nullable)
            st = sl_buf_add_byte(&type, '?', err);
        if (st == SL_OK)
            st = sl_json_set(out, s->fields[i]->name, sl_json_new_str(sl_buf_str(&type)), err);
    }
    sl_buf_release(&type);
    return st;
}

static enum sl_status tokenizer(struct sl_run *run, struct sl_json **out, struct sl_err *err)
{
    const char *text = sl_run_in_schema(run)->tokenizer;
    return sl_json_parse(out, text ? sl_str_of(text) : SL_STR("null"), err);
}

/* Everything that the shards are made from but the rows. */
static enum sl_status begun_json(struct sl_run *run, struct sl_json *o, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    struct sl_json *fields = sl_json_new_object(), *part = NULL;
    enum sl_status st = columns(run, fields, err), set;
    set = sl_json_set(o, "format", sl_json_new_str(SL_STR("sluice-shards-begun")), err);
    st = st == SL_OK ? set : st;
    set = sl_json_set(o, "version", sl_json_new_int(1), err);
    st = st == SL_OK ? set : st;
    set = sl_json_set(o, "sequences_per_shard", sl_json_new_int((int64_t)conf->sequences), err);
    st = st == SL_OK ? set : st;
    set = sl_json_set(o, "columns", fields, err);
    SL_TRY(st == SL_OK ? set : st);
    SL_TRY(tokenizer(run, &part, err));
    SL_TRY(sl_json_set(o, "tokenizer", part, err));
    part = NULL;
    st = stages(run, &part, err);
    set = sl_json_set(o, "lineage", part, st == SL_OK ? err : NULL);
    return st == SL_OK ? set : st;
}

static enum sl_status begun_text(struct sl_run *run, struct sl_buf *out, struct sl_err *err)
{
    struct sl_json *o = sl_json_new_object();
    enum sl_status st = begun_json(run, o, err);
    if (st == SL_OK)
        st = sl_json_dump_pretty(o, out, err);
    if (st == SL_OK)
        st = sl_buf_add_byte(out, '\n', err);
    sl_json_free(o);
    return st;
}

static enum sl_status shard_start(struct sl_run *run, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    const struct sl_common *common = sl_run_common(run);
    struct sl_shard_writer *w = NULL;
    struct sl_buf begun;
    sl_buf_init(&begun, 2 * SL_MAX_META_BYTES);
    enum sl_status st = begun_text(run, &begun, err);
    if (st == SL_OK) {
        struct sl_shard_options o = { .dir = common->output,
                                      .per_shard = (int64_t)conf->sequences,
                                      .force = common->force,
                                      .schema = sl_run_in_schema(run),
                                      .begun = sl_buf_str(&begun) };
        st = sl_shard_writer_new(&w, &o, err);
    }
    sl_run_set_state(run, w);
    sl_buf_release(&begun);
    return st;
}

static enum sl_status shard_batch(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    sl_port_add(&sl_run_tally(run)->out, sl_batch_column(b, "id"), b->n_rows);
    return sl_shard_writer_add(sl_run_state(run), b, err);
}

static enum sl_status shard_end(struct sl_run *run, struct sl_err *err)
{
    struct sl_shard_writer *w = sl_run_state(run);
    SL_TRY(sl_shard_writer_end(w, err));
    const struct sl_manifest *m = sl_shard_writer_manifest(w);
    sl_run_count(run, COUNT_SHARDS, m->n_shards);
    sl_run_count(run, COUNT_TOKENS, m->tokens);
    sl_run_count(run, COUNT_TARGETS, m->targets);
    if (sl_shard_writer_n_kept(w))
        sl_run_note(run, "%lld shards stood already", (long long)sl_shard_writer_n_kept(w));
    return SL_OK;
}

static enum sl_status shard_commit(struct sl_run *run, struct sl_err *err)
{
    struct sl_buf lineage;
    sl_buf_init(&lineage, SL_MAX_META_BYTES);
    enum sl_status st = sl_run_lineage(run, true, &lineage, err);
    if (st == SL_OK)
        st = sl_shard_writer_commit(sl_run_state(run), sl_buf_str(&lineage), err);
    sl_buf_release(&lineage);
    return st;
}

static void shard_stop(struct sl_run *run)
{
    sl_shard_writer_free(sl_run_state(run));
}

static const struct sl_tool tool = {
    .name = "sluice-shard",
    .about = "write sequences as shards with a manifest, for the trainer to map",
    .group = "shards",
    .examples = "sluice-pack --length 2048 < tokens.arrows | sluice-shard -o shards/\n"
                "sluice-shard --sequences 8192 packed.arrows -o shards/",
    .notes =
        "-o names a folder, which is made where it is absent. It gets shard-NNNNN.arrows and,\n"
        "last, manifest.json: a folder without it is not complete. An interrupted run is\n"
        "begun again by the same command on the same input: shards that are right are kept.\n"
        "A folder that holds anything else needs -f.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "sequences",
    .flow = SL_SINK,
    .folder_out = true,
    .counts = counts,
    .start = shard_start,
    .step = shard_batch,
    .end = shard_end,
    .commit = shard_commit,
    .stop = shard_stop,
    .trial = "--sequences 8",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
