/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-tokenize: the text of every document as token ids. The ids are encoded
 * straight into the output column; the columns text and html do not go on,
 * since nothing behind this stage reads them. End marks and padding are the
 * business of sluice-pack, which knows where sequences end. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/source.h"
#include "run/tool.h"
#include "token/tokenizer.h"

struct conf {
    const char *tokenizer;
    const char *pattern;
    bool allow_special;
    bool keep_text;
};

static const struct sl_opt options[] = {
    SL_OPT_FILE(0, "tokenizer", "NAME|FILE", struct conf, tokenizer,
                "tokenizer to encode with: bytes, or a file [bytes]",
                SL_OPT_RESULT | SL_OPT_BUILTIN),
    SL_OPT_STR(0, "pattern", "NAME", struct conf, pattern,
               "how a rank file's tokenizer cuts text, as cl100k or o200k", SL_OPT_RESULT),
    SL_OPT_BOOL(0, "allow-special", struct conf, allow_special,
                "special tokens inside a text are recognised", SL_OPT_RESULT),
    SL_OPT_BOOL(0, "keep-text", struct conf, keep_text, "pass the columns text and html on",
                SL_OPT_RESULT),
    SL_OPT_END
};

enum { ADD_TOKENS };
static const struct sl_add adds[] = {
    { "tokens", "list<uint16>", "token ids; list<uint32> where the tokenizer has larger ids" },
    { NULL, NULL, NULL },
};

enum { COUNT_TOKENS };
static const char *const counts[] = { "tokens", NULL };

/* ---- the tokenizer ---- */

static bool is_builtin(const char *name)
{
    return !strpbrk(name, "/.");
}

/* A file is read when the run begins, and once only: it may be large. */
static enum sl_status check(void *conf, struct sl_err *err)
{
    const struct conf *c = conf;
    struct sl_tokenizer *t = NULL;
    if (!is_builtin(c->tokenizer))
        return SL_OK;
    if (c->pattern || c->allow_special)
        return sl_err_set(err, SL_E_USAGE,
                          "--pattern and --allow-special are for tokenizers of "
                          "files");
    SL_TRY(sl_tokenizer_open(&t, c->tokenizer, err));
    sl_tokenizer_free(t);
    return SL_OK;
}

/* What stands beside ranks: NAME.tiktoken.json, where it is there. */
static enum sl_status read_beside(const char *path, struct sl_buf *out, struct sl_err *err)
{
    struct sl_buf name;
    struct stat st;
    if (!sl_str_ends(sl_str_of(path), SL_STR(".tiktoken")))
        return SL_OK;
    sl_buf_init(&name, 1 << 16);
    enum sl_status status = sl_buf_addf(&name, err, "%s.json", path);
    const char *beside = status == SL_OK ? sl_buf_cstr(&name) : NULL;
    if (beside && stat(beside, &st) == 0)
        status = sl_file_read(beside, out, err);
    sl_buf_release(&name);
    return status;
}

static enum sl_status open_file(const struct conf *c, struct sl_tokenizer **t, struct sl_err *err)
{
    struct sl_buf bytes, beside;
    sl_buf_init(&bytes, SL_MAX_TOKENIZER_BYTES);
    sl_buf_init(&beside, SL_MAX_TOKENIZER_BYTES);
    enum sl_status st = sl_file_read(c->tokenizer, &bytes, err);
    if (st == SL_OK)
        st = read_beside(c->tokenizer, &beside, err);
    if (st == SL_OK) {
        struct sl_tokenizer_file file = { c->tokenizer, sl_buf_str(&bytes), sl_buf_str(&beside),
                                          c->pattern, c->allow_special };
        st = sl_tokenizer_open_file(t, &file, err);
        if (st != SL_OK)
            sl_err_at(err, c->tokenizer, -1, -1);
    }
    sl_buf_release(&bytes);
    sl_buf_release(&beside);
    return st;
}

/* The run's tokenizer: opened by the first who asks, freed in stop. */
static enum sl_status tokenizer_of(struct sl_run *run, const struct sl_tokenizer **out,
                                   struct sl_err *err)
{
    const struct conf *c = sl_run_conf(run);
    struct sl_tokenizer *t = sl_run_state(run);
    if (!t)
        SL_TRY(is_builtin(c->tokenizer) ? sl_tokenizer_open(&t, c->tokenizer, err)
                                        : open_file(c, &t, err));
    sl_run_set_state(run, t);
    *out = t;
    return SL_OK;
}

static enum sl_status set_tokenizer(struct sl_schema *out, const struct sl_token_info *info,
                                    struct sl_err *err)
{
    struct sl_buf json;
    sl_buf_init(&json, SL_MAX_META_BYTES);
    enum sl_status st = sl_token_info_dump(info, &json, err);
    if (st == SL_OK)
        st = sl_schema_set_meta(out, "tokenizer", sl_buf_str(&json), err);
    sl_buf_release(&json);
    return st;
}

static enum sl_status schema(struct sl_run *run, const struct sl_schema *in, struct sl_schema *out,
                             struct sl_err *err)
{
    const struct conf *c = sl_run_conf(run);
    const struct sl_tokenizer *t;
    SL_TRY(sl_run_keep_columns(run, in, c->keep_text, out, err));
    SL_TRY(tokenizer_of(run, &t, err));
    const char *type = sl_token_width(&t->info) == 2 ? "list<uint16>" : "list<uint32>";
    SL_TRY(sl_schema_add_text(out, "tokens", type, err));
    return set_tokenizer(out, &t->info, err);
}

static enum sl_status start(struct sl_run *run, struct sl_err *err)
{
    const struct sl_tokenizer *t;
    return tokenizer_of(run, &t, err);
}

static void stop(struct sl_run *run)
{
    sl_tokenizer_free(sl_run_state(run));
}

/* Workers free themselves without the run at hand, so they keep the tokenizer. */
struct worker {
    const struct sl_tokenizer *tokenizer;
    void *scratch;
};

static enum sl_status worker_new(struct sl_run *run, void **out, struct sl_err *err)
{
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        return sl_err_nomem(err, sizeof *w);
    *out = w;
    w->tokenizer = sl_run_state(run);
    return sl_tokenizer_worker_new(w->tokenizer, &w->scratch, err);
}

static void worker_free(void *worker)
{
    struct worker *w = worker;
    if (w)
        sl_tokenizer_worker_free(w->tokenizer, w->scratch);
    free(w);
}

static enum sl_status map(struct sl_task *task, struct sl_err *err)
{
    struct worker *w = sl_task_worker(task);
    const struct sl_column *text = sl_task_column(task, "text");
    struct sl_colbuf *tokens = sl_task_add(task, ADD_TOKENS);
    struct sl_colbuf *ids = &tokens->children[0];
    int64_t had = ids->n, width = sl_type_width(ids->field);
    for (int64_t row = 0; row < text->n; row++) {
        SL_TRY(sl_tokenizer_encode(w->tokenizer, w->scratch, sl_column_str(text, row), &ids->data,
                                   err));
        ids->n = (int64_t)ids->data.n / width;
        SL_TRY(sl_colbuf_close(tokens, err));
    }
    sl_task_count(task, COUNT_TOKENS, ids->n - had);
    return SL_OK;
}

static const struct sl_tool tool = {
    .name = "sluice-tokenize",
    .about = "encode the text of documents as token ids",
    .group = "tokens",
    .examples = "sluice-tokenize docs.arrows -o tokens.arrows\n"
                "sluice-extract web.arrows | sluice-tokenize -T4 | sluice-pack --length 2048 "
                "> packed.arrows",
    .notes = "Tokenizers: bytes (ids 0 to 255 are the bytes of the text, 256 ends a document, 257\n"
             "pads), or a file, whose name has a '.' or a '/': a tokenizer.json of Hugging Face\n"
             "(byte-pair encoding), a tekken.json of Mistral, or ranks of tiktoken with\n"
             "NAME.tiktoken.json beside them or --pattern. What a file asks for is honoured to\n"
             "the letter or refused by name. Special tokens inside a text are text without\n"
             "--allow-special; added tokens that are not special are always recognised. The\n"
             "column tokens has no begin or end marks: sluice-pack adds them. The columns text\n"
             "and html do not go on without --keep-text.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "docs,tokens",
    .out = "tokens",
    .needs = "text",
    .adds = adds,
    .removes = "text,html",
    .counts = counts,
    .flow = SL_MAP,
    .check = check,
    .schema = schema,
    .start = start,
    .stop = stop,
    .worker_new = worker_new,
    .worker_free = worker_free,
    .map = map,
    .trial = "",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
