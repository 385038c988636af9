/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-shard: sequences to a folder of shards with a manifest, or sequences or
 * documents to the files of a trainer. The folder's rules (docs/shards.md,
 * docs/exports.md) are lib/order's; here stand the options, what a run is made from
 * (.begun.json), and the tally. */
#include <stdlib.h>
#include <string.h>

#include "arrow/schema.h"
#include "base/json.h"
#include "order/export.h"
#include "order/shard_writer.h"
#include "run/tool.h"
#include "token/tokenizer.h"

struct conf {
    uint64_t sequences;
    const char *form; /* NULL: shards */
};

/* One of the two writes. */
struct state {
    struct sl_shard_writer *shards;
    struct sl_export *export;
    bool documents;
};

enum { COUNT_SHARDS, COUNT_TOKENS, COUNT_TARGETS, COUNT_SPECIALS };
enum { REASON_EMPTY };

static const char *const counts[] = { "shards", "tokens", "targets", "specials", NULL };
static const char *const reasons[] = { "empty", NULL };

static const struct sl_opt options[] = {
    SL_OPT_RANGE(0, "sequences", "N", SL_OPT_T_UINT, struct conf, sequences, 1, 1 << 30,
                 "sequences of a shard; index = shard x N + row [65536]", SL_OPT_RESULT),
    SL_OPT_CHOICE(0, "export", "megatron|npy|bin|mds", struct conf, form,
                  "write a trainer's files instead of shards", SL_OPT_RESULT),
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
    const char *format = conf->form ? "sluice-export-begun" : "sluice-shards-begun";
    set = sl_json_set(o, "format", sl_json_new_str(sl_str_of(format)), err);
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

/* What the tokenizer says: how many ids there are, and which one ends a document. */
static enum sl_status take_tokenizer(const struct sl_schema *schema, struct sl_export_options *o,
                                     struct sl_err *err)
{
    struct sl_token_info info;
    struct sl_err why = SL_ERR_INIT;
    o->eos = SL_TOKEN_NONE;
    if (!schema->tokenizer)
        return SL_OK;
    if (sl_token_info_parse(&info, sl_str_of(schema->tokenizer), &why) != SL_OK)
        return sl_err_set(err, why.status, "the schema's sl:tokenizer: %.400s", why.msg);
    o->n_ids = (int64_t)info.max_id + 1;
    o->n_ids = info.vocab_size > o->n_ids ? info.vocab_size : o->n_ids;
    o->eos = info.eos;
    return SL_OK;
}

static enum sl_status open_export(struct sl_run *run, struct state *k, struct sl_str begun,
                                  struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    const struct sl_common *common = sl_run_common(run);
    struct sl_export_options o = { .dir = common->output,
                                   .form = conf->form,
                                   .per_file = (int64_t)conf->sequences,
                                   .force = common->force,
                                   .schema = sl_run_in_schema(run),
                                   .begun = begun,
                                   .tmpdir = common->tmpdir };
    SL_TRY(take_tokenizer(o.schema, &o, err));
    return sl_export_new(&k->export, &o, err);
}

static enum sl_status open_shards(struct sl_run *run, struct state *k, struct sl_str begun,
                                  struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    const struct sl_common *common = sl_run_common(run);
    struct sl_shard_options o = { .dir = common->output,
                                  .per_shard = (int64_t)conf->sequences,
                                  .force = common->force,
                                  .schema = sl_run_in_schema(run),
                                  .begun = begun };
    if (k->documents)
        return sl_err_set(err, SL_E_DATA,
                          "shards hold sequences, the input documents: sluice-pack comes between, "
                          "or --export writes them for a trainer");
    return sl_shard_writer_new(&k->shards, &o, err);
}

static enum sl_status shard_start(struct sl_run *run, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    struct state *k = calloc(1, sizeof *k);
    struct sl_buf begun;
    if (!k)
        return sl_err_nomem(err, sizeof *k);
    sl_run_set_state(run, k);
    k->documents = strcmp(sl_run_in_schema(run)->kind, "tokens") == 0;
    sl_buf_init(&begun, 2 * SL_MAX_META_BYTES);
    enum sl_status st = begun_text(run, &begun, err);
    if (st == SL_OK && conf->form)
        st = open_export(run, k, sl_buf_str(&begun), err);
    else if (st == SL_OK)
        st = open_shards(run, k, sl_buf_str(&begun), err);
    sl_buf_release(&begun);
    return st;
}

/* Documents without tokens are left out, as in packing. */
static enum sl_status add_documents(struct sl_run *run, const struct sl_batch *b,
                                    struct sl_err *err)
{
    const struct state *k = sl_run_state(run);
    const struct sl_column *c = sl_batch_column(b, "tokens"), *id = sl_batch_column(b, "id");
    int64_t from = 0;
    for (int64_t row = 0; row < b->n_rows; row++) {
        if (sl_column_start(c, row) < sl_column_start(c, row + 1)) {
            sl_port_add_row(&sl_run_tally(run)->out, id, row);
            continue;
        }
        SL_TRY(sl_export_add(k->export, b, from, row - from, err));
        SL_TRY(sl_run_reject(run, b, row, REASON_EMPTY, SL_STR("no tokens"), err));
        from = row + 1;
    }
    return sl_export_add(k->export, b, from, b->n_rows - from, err);
}

static enum sl_status shard_batch(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    const struct state *k = sl_run_state(run);
    if (k->documents)
        return add_documents(run, b, err);
    sl_port_add(&sl_run_tally(run)->out, sl_batch_column(b, "id"), b->n_rows);
    return k->export ? sl_export_add(k->export, b, 0, b->n_rows, err)
                     : sl_shard_writer_add(k->shards, b, err);
}

static enum sl_status export_end(struct sl_run *run, struct sl_export *x, struct sl_err *err)
{
    SL_TRY(sl_export_end(x, err));
    struct sl_export_counts c = sl_export_counts(x);
    sl_run_count(run, COUNT_SHARDS, c.files);
    sl_run_count(run, COUNT_TOKENS, c.tokens);
    sl_run_count(run, COUNT_TARGETS, c.targets);
    sl_run_count(run, COUNT_SPECIALS, c.specials);
    if (c.n_kept)
        sl_run_note(run, "%lld files stood already", (long long)c.n_kept);
    return SL_OK;
}

static enum sl_status shard_end(struct sl_run *run, struct sl_err *err)
{
    const struct state *k = sl_run_state(run);
    struct sl_shard_writer *w = k->shards;
    if (k->export)
        return export_end(run, k->export, err);
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
    const struct state *k = sl_run_state(run);
    struct sl_buf lineage;
    sl_buf_init(&lineage, SL_MAX_META_BYTES);
    enum sl_status st = sl_run_lineage(run, true, &lineage, err);
    if (st == SL_OK && k->export)
        st = sl_export_commit(k->export, sl_buf_str(&lineage), err);
    else if (st == SL_OK)
        st = sl_shard_writer_commit(k->shards, sl_buf_str(&lineage), err);
    sl_buf_release(&lineage);
    return st;
}

static void shard_stop(struct sl_run *run)
{
    struct state *k = sl_run_state(run);
    if (k) {
        sl_shard_writer_free(k->shards);
        sl_export_free(k->export);
    }
    free(k);
}

static const struct sl_tool tool = {
    .name = "sluice-shard",
    .about = "write sequences as shards with a manifest, or as a trainer's own files",
    .group = "shards",
    .examples = "sluice-pack --length 2048 < tokens.arrows | sluice-shard -o shards/\n"
                "sluice-shard --sequences 8192 packed.arrows -o shards/\n"
                "sluice-shard --export megatron packed.arrows -o megatron/",
    .notes =
        "-o names a folder, which is made where it is absent. It gets shard-NNNNN.arrows and,\n"
        "last, manifest.json: a folder without it is not complete. An interrupted run is\n"
        "begun again by the same command on the same input: shards that are right are kept.\n"
        "A folder that holds anything else needs -f.\n"
        "\n"
        "--export writes the tokens alone, in the order of the rows, and a manifest.json\n"
        "that says what is lost: ids, pieces of documents, loss_mask and every other column.\n"
        "  megatron  text_document.bin and .idx, in one pair; GPTDataset shuffles. It keeps the\n"
        "            order of sequences with examples/exports/sluice_megatron.py, that of\n"
        "            documents not at all (order_kept is false)\n"
        "  npy       part-NNNNN.npy, with NumPy's header: not for OLMo-core\n"
        "  bin       part-NNNNN.bin, the tokens alone: OLMo-core keeps the order with\n"
        "            examples/exports/sluice_olmo.py; nanoGPT draws at random and does not\n"
        "  mds       shard.NNNNN.mds and index.json: StreamingDataset keeps the order\n"
        "            with shuffle=False as in examples/exports/sluice_mds.py\n"
        "Of sequences a row is a document and nothing is added. Documents with tokens (from\n"
        "sluice-tokenize) are taken too; each gets its end token, and those without any\n"
        "token are rejected as empty.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "sequences,tokens",
    .reasons = reasons,
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
