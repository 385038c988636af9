/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-pack: documents of tokens to sequences of one length. The cutting is
 * lib/order/pack.c; here are the columns, and the documents of which nothing is
 * placed. With --drop-last these are known only in the end, so a document that
 * still waits for its sequence to fill is kept as a row (fewer tokens than one
 * sequence, a source), to be rejected or forgotten with that sequence. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "order/pack.h"
#include "order/waiting.h"
#include "run/kinds.h"
#include "run/tool.h"
#include "token/tokenizer.h"

struct conf {
    uint64_t length;
    bool extra_token, drop_last;
    const char *by;
    const char *carry;
};

static const struct sl_opt options[] = {
    { 0, "length", "L", SL_OPT_T_UINT, offsetof(struct conf, length),
      "tokens of a sequence, at most 16777216", SL_OPT_RESULT | SL_OPT_REQUIRED, 1,
      SL_PACK_MAX_STORED },
    SL_OPT_BOOL(0, "extra-token", struct conf, extra_token,
                "store L + 1 tokens: the last of a row is the first of the next", SL_OPT_RESULT),
    SL_OPT_BOOL(0, "drop-last", struct conf, drop_last,
                "cut the last partial sequence away; without it, it is padded", SL_OPT_RESULT),
    SL_OPT_CHOICE(0, "by", "none|source", struct conf, by, "what never mixes in a sequence [none]",
                  SL_OPT_RESULT),
    SL_OPT_STR(
        0, "carry", "COL,...", struct conf, carry,
        "numeric columns carried as token-weighted means, or none; default: every difficulty_*",
        SL_OPT_RESULT),
    SL_OPT_END
};

/* The first columns of the output; source (where the input has it) and the
 * carried ones follow. */
enum { COL_ID, COL_TOKENS, COL_DOC_IDS, COL_DOC_STARTS, COL_DOC_OFFSETS, COL_MASK, N_COLS };

static const struct sl_add adds[] = {
    { "doc_ids", "list<fixed_size_binary[16]>", "document of each piece" },
    { "doc_starts", "list<uint32>", "where in its document each piece begins, in tokens" },
    { "doc_offsets", "list<uint32>", "where in the sequence each piece begins, in tokens" },
    { "loss_mask", "fixed_size_list<uint8>[L]", "1: a token, 0: padding" },
    { NULL, NULL, NULL },
};

static const char *const reasons[] = { "cut", NULL };

enum { TOKENS_IN, SPECIALS, TOKENS_OUT, PADDING, CUT, OVERLAP };
static const char *const counts[] = { "tokens_in", "specials", "tokens_out", "padding",
                                      "cut",       "overlap",  NULL };

struct state {
    struct sl_run *run;
    struct sl_pack *pack;
    int id, copy, source, tokens; /* columns of the input; -1: not there */
    int carry[SL_MAX_FIELDS];
    uint32_t n_carry;
    double values[SL_MAX_FIELDS];
    struct sl_waiting waiting; /* with --drop-last */
};

static enum sl_status check(void *conf, struct sl_err *err)
{
    const struct conf *c = conf;
    if (c->length + c->extra_token > SL_PACK_MAX_STORED)
        return sl_err_set(err, SL_E_USAGE,
                          "--length %llu with --extra-token: a row has at most %u "
                          "tokens",
                          (unsigned long long)c->length, SL_PACK_MAX_STORED);
    return SL_OK;
}

/* ---- columns ---- */

static bool is_number(const struct sl_field *f)
{
    return f->type <= SL_T_FLOAT64;
}

static const char own_columns[] =
    "id,tokens,doc_ids,doc_starts,doc_offsets,loss_mask,source,copy,stage,weight";

static enum sl_status add_carry(const struct sl_schema *in, struct sl_str name, int *carry,
                                uint32_t *n, struct sl_err *err)
{
    if (sl_list_has(own_columns, name))
        return sl_err_set(err, SL_E_USAGE, "--carry: '%.*s' is a column of sequences", (int)name.n,
                          name.p);
    for (uint32_t i = 0; i < in->n_fields; i++) {
        if (!sl_str_eq(name, sl_str_of(in->fields[i]->name)))
            continue;
        for (uint32_t k = 0; k < *n; k++)
            if (carry[k] == (int)i)
                return sl_err_set(err, SL_E_USAGE, "--carry names '%s' twice", in->fields[i]->name);
        if (!is_number(in->fields[i]))
            return sl_err_set(err, SL_E_DATA, "--carry: column '%s' is not numeric",
                              in->fields[i]->name);
        carry[(*n)++] = (int)i;
        return SL_OK;
    }
    return sl_err_set(err, SL_E_DATA, "--carry: no column '%.*s' in the input", (int)name.n,
                      name.p);
}

/* Which columns of the input are carried, in the order of the output. */
static enum sl_status find_carry(const struct conf *conf, const struct sl_schema *in, int *carry,
                                 uint32_t *n, struct sl_err *err)
{
    *n = 0;
    if (!conf->carry) {
        for (uint32_t i = 0; i < in->n_fields; i++)
            if (is_number(in->fields[i]) && strncmp(in->fields[i]->name, "difficulty_", 11) == 0)
                carry[(*n)++] = (int)i;
        return SL_OK;
    }
    struct sl_str rest = sl_str_of(conf->carry), name;
    if (sl_str_eq(rest, SL_STR("none")))
        return SL_OK;
    while (sl_list_next(&rest, ',', &name))
        SL_TRY(add_carry(in, name, carry, n, err));
    return SL_OK;
}

static const char *item_type(const struct sl_schema *in)
{
    const struct sl_field *tokens = in->fields[sl_schema_find(in, "tokens")];
    return tokens->children[0].type == SL_T_UINT16 ? "uint16" : "uint32";
}

static enum sl_status schema(struct sl_run *run, const struct sl_schema *in, struct sl_schema *out,
                             struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    uint64_t stored = conf->length + conf->extra_token;
    int carry[SL_MAX_FIELDS];
    uint32_t n_carry;
    char type[64];
    SL_TRY(sl_schema_add_text(out, "id", "fixed_size_binary[16]", err));
    snprintf(type, sizeof type, "fixed_size_list<%s>[%llu]", item_type(in),
             (unsigned long long)stored);
    SL_TRY(sl_schema_add_text(out, "tokens", type, err));
    for (int i = 0; i < 3; i++)
        SL_TRY(sl_schema_add_text(out, adds[i].name, adds[i].type, err));
    snprintf(type, sizeof type, "fixed_size_list<uint8>[%llu]", (unsigned long long)stored);
    SL_TRY(sl_schema_add_text(out, "loss_mask", type, err));
    if (sl_schema_find(in, "source") >= 0)
        SL_TRY(sl_schema_add_text(out, "source", "utf8?", err));
    SL_TRY(find_carry(conf, in, carry, &n_carry, err));
    for (uint32_t k = 0; k < n_carry; k++)
        SL_TRY(sl_schema_add_text(out, in->fields[carry[k]]->name, "float32?", err));
    return SL_OK;
}

/* ---- rows out ---- */

/* A mean as float32: null where there is none, and where it would be infinite. */
static enum sl_status add_mean(struct sl_colbuf *c, double mean, struct sl_err *err)
{
    return isfinite((float)mean) ? sl_colbuf_add_real(c, mean, err) : sl_colbuf_add_null(c, err);
}

static enum sl_status emit(void *ctx, const struct sl_pack_seq *q, struct sl_err *err)
{
    struct state *s = ctx;
    struct sl_colbuf *c = sl_run_rows(s->run)->cols;
    struct sl_str id = { (const char *)q->id.b, sizeof q->id.b };
    SL_TRY(sl_colbuf_add_str(&c[COL_ID], id, err));
    SL_TRY(sl_colbuf_add_items(&c[COL_TOKENS], q->tokens, q->n_stored, err));
    SL_TRY(sl_colbuf_add_items(&c[COL_DOC_IDS], q->doc_ids, q->n_pieces, err));
    SL_TRY(sl_colbuf_add_items(&c[COL_DOC_STARTS], q->starts, q->n_pieces, err));
    SL_TRY(sl_colbuf_add_items(&c[COL_DOC_OFFSETS], q->offsets, q->n_pieces, err));
    SL_TRY(sl_colbuf_add_items(&c[COL_MASK], q->mask, q->n_stored, err));
    c += N_COLS;
    if (s->source >= 0) {
        SL_TRY(q->has_source ? sl_colbuf_add_str(c, q->source, err) : sl_colbuf_add_null(c, err));
        c++;
    }
    for (uint32_t k = 0; k < s->n_carry; k++)
        SL_TRY(add_mean(&c[k], q->carry[k], err));
    sl_waiting_forget(&s->waiting, q->slot);
    return sl_run_close_row(s->run, err);
}

/* ---- documents that wait ---- */

static enum sl_status reject_rows(struct state *s, struct sl_rows *rows, struct sl_err *err)
{
    struct sl_batch batch;
    sl_batch_init(&batch);
    enum sl_status st = sl_rows_lend(rows, &batch, err);
    for (int64_t i = 0; st == SL_OK && i < batch.n_rows; i++)
        st = sl_run_reject(s->run, &batch, i, 0, (struct sl_str){ NULL, 0 }, err);
    sl_batch_release(&batch);
    return st;
}

static enum sl_status cut(void *ctx, uint32_t slot, struct sl_err *err)
{
    struct state *s = ctx;
    struct sl_rows *rows = sl_waiting_rows(&s->waiting, slot);
    return rows ? reject_rows(s, rows, err) : SL_OK;
}

/* ---- the flow ---- */

static enum sl_status find_columns(struct state *s, const struct sl_schema *in, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(s->run);
    s->id = sl_schema_find(in, "id");
    s->tokens = sl_schema_find(in, "tokens");
    s->copy = sl_schema_find(in, "copy");
    s->source = sl_schema_find(in, "source");
    if (s->copy >= 0 && in->fields[s->copy]->type != SL_T_UINT16)
        return sl_err_set(err, SL_E_DATA, "column 'copy' is not uint16");
    if (s->source < 0 && strcmp(conf->by, "source") == 0)
        return sl_err_set(err, SL_E_DATA,
                          "--by source: no column 'source' in the input (sluice-warc adds it)");
    return find_carry(conf, in, s->carry, &s->n_carry, err);
}

static enum sl_status pack_conf(const struct state *s, const struct sl_schema *in,
                                struct sl_pack_conf *out, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(s->run);
    struct sl_token_info info;
    if (!in->tokenizer)
        return sl_err_set(err, SL_E_DATA,
                          "the stream does not say its tokenizer (sl:tokenizer, which "
                          "sluice-tokenize writes)");
    SL_TRY(sl_token_info_parse(&info, sl_str_of(in->tokenizer), err));
    if (info.eos == SL_TOKEN_NONE)
        return sl_err_set(err, SL_E_DATA, "tokenizer '%s' has no end-of-document token (eos)",
                          info.name);
    *out = (struct sl_pack_conf){
        .length = (uint32_t)conf->length,
        .extra_token = conf->extra_token,
        .drop_last = conf->drop_last,
        .by_source = strcmp(conf->by, "source") == 0,
        .width = (unsigned)sl_type_width(&in->fields[s->tokens]->children[0]),
        .eos = (uint32_t)info.eos,
        .pad = (uint32_t)(info.pad == SL_TOKEN_NONE ? info.eos : info.pad),
        .n_carry = s->n_carry,
        .tokenizer = info.digest,
    };
    return SL_OK;
}

static enum sl_status start(struct sl_run *run, struct sl_err *err)
{
    const struct sl_schema *in = sl_run_in_schema(run);
    struct sl_pack_conf pack;
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    sl_run_set_state(run, s);
    s->run = run;
    sl_waiting_init(&s->waiting, in);
    sl_run_tally(run)->law = "tokens";
    SL_TRY(find_columns(s, in, err));
    SL_TRY(pack_conf(s, in, &pack, err));
    return sl_pack_new(&s->pack, &pack, (struct sl_pack_sink){ emit, cut, s }, err);
}

static double number_at(const struct sl_column *c, int64_t row)
{
    if (sl_column_is_null(c, row))
        return (double)NAN;
    if (c->field->type == SL_T_FLOAT32 || c->field->type == SL_T_FLOAT64)
        return sl_column_real(c, row);
    int64_t v = sl_column_int(c, row);
    return c->field->type == SL_T_UINT64 ? (double)(uint64_t)v : (double)v;
}

static enum sl_status add_row(struct state *s, const struct sl_batch *b, int64_t row,
                              struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(s->run);
    const struct sl_column *tokens = &b->columns[s->tokens];
    int64_t from = sl_column_start(tokens, row), to = sl_column_start(tokens, row + 1);
    int64_t width = sl_type_width(tokens->children[0].field), waits;
    struct sl_pack_doc doc = {
        .copy = s->copy < 0 ? 0 : (uint16_t)sl_column_int(&b->columns[s->copy], row),
        .has_source = s->source >= 0 && !sl_column_is_null(&b->columns[s->source], row),
        .tokens = tokens->children[0].data + from * width,
        .n_tokens = (uint32_t)(to - from),
        .carry = s->values,
    };
    memcpy(doc.id.b, sl_column_str(&b->columns[s->id], row).p, sizeof doc.id.b);
    if (doc.has_source)
        doc.source = sl_column_str(&b->columns[s->source], row);
    for (uint32_t k = 0; k < s->n_carry; k++)
        s->values[k] = number_at(&b->columns[s->carry[k]], row);
    SL_TRY(sl_pack_add(s->pack, &doc, &waits, err));
    return conf->drop_last && waits >= 0 ? sl_waiting_add(&s->waiting, (uint32_t)waits, b, row, err)
                                         : SL_OK;
}

static enum sl_status step(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    for (int64_t row = 0; row < b->n_rows; row++)
        SL_TRY(add_row(sl_run_state(run), b, row, err));
    return SL_OK;
}

static struct sl_port port_of(struct sl_pack_port p)
{
    return (struct sl_port){ p.rows, p.ids };
}

static bool same_port(struct sl_port a, struct sl_port b)
{
    return a.rows == b.rows && memcmp(a.ids.b, b.ids.b, sizeof a.ids.b) == 0;
}

/* What was counted while packing is what the run saw come in and go. */
static enum sl_status settle(struct sl_run *run, const struct sl_pack_counts *c, struct sl_err *err)
{
    struct sl_tally *t = sl_run_tally(run);
    t->begun = port_of(c->begun);
    t->empty = port_of(c->empty);
    t->counts[TOKENS_IN] = c->tokens_in;
    t->counts[SPECIALS] = c->specials;
    t->counts[TOKENS_OUT] = c->tokens_out;
    t->counts[PADDING] = c->padding;
    t->counts[CUT] = c->cut;
    t->counts[OVERLAP] = c->overlap;
    if (!same_port(t->in, port_of(c->in)) || !same_port(t->rejected, port_of(c->lost)) ||
        t->out.rows != c->rows)
        return sl_err_set(err, SL_E_BUG, "conservation: the documents packed are not those read");
    return SL_OK;
}

static enum sl_status end(struct sl_run *run, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    SL_TRY(sl_pack_end(s->pack, err));
    const struct sl_pack_counts *c = sl_pack_counts(s->pack);
    if (c->tokens_out)
        sl_run_note(run, "%lld sequences, %.3f %% padding", (long long)c->rows,
                    100.0 * (double)c->padding / (double)c->tokens_out);
    return settle(run, c, err);
}

static void stop(struct sl_run *run)
{
    struct state *s = sl_run_state(run);
    if (!s)
        return;
    sl_waiting_release(&s->waiting);
    sl_pack_free(s->pack);
    free(s);
}

static const struct sl_tool tool = {
    .name = "sluice-pack",
    .about = "pack documents of tokens into sequences of one length",
    .group = "tokens",
    .examples = "sluice-tokenize docs.arrows | sluice-pack --length 2048 -o packed.arrows\n"
                "sluice-pack --length 4096 --extra-token --by source tokens-*.arrows > p.arrows",
    .notes = "Every document is closed by the tokenizer's end-of-document token; the whole is cut\n"
             "every L tokens. Documents without tokens place nothing. Ids and columns are defined\n"
             "in docs/packing.md.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "tokens",
    .out = "sequences",
    .needs = "tokens",
    .adds = adds,
    .reasons = reasons,
    .counts = counts,
    .flow = SL_SCAN,
    .check = check,
    .schema = schema,
    .start = start,
    .step = step,
    .end = end,
    .stop = stop,
    .trial = "--length 128",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
