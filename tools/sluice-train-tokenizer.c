/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-train-tokenizer: a tokenizer from the texts of documents. Workers cut texts into
 * words and count them, each in a counter of its own; when all are counted the merges are
 * found on one thread, which is the shorter part. The work is lib/token/word_count.c and
 * lib/token/train_bpe.c. */
#include <stdlib.h>
#include <string.h>

#include "run/tool.h"
#include "token/hf_write.h"
#include "token/word_count.h"
#include "token/word_list.h"

enum { MAX_SPECIALS = 4096, PIECES = 1024 };
#define FILE_MAX_BYTES ((size_t)1 << 32)

struct conf {
    uint64_t vocab, min_frequency, min_word_count;
    const char *pattern, *regex, *special, *unit, *tiktoken, *words;
};

static const struct sl_opt options[] = {
    SL_OPT_RANGE(0, "vocab", "N", SL_OPT_T_UINT, struct conf, vocab, 256, SL_BPE_MAX_VOCAB,
                 "tokens in all, special ones and the 256 bytes included",
                 SL_OPT_RESULT | SL_OPT_REQUIRED),
    SL_OPT_CHOICE(0, "pattern", "gpt2|cl100k|o200k|llama3|qwen2|qwen35|tekken|deepseek3|none",
                  struct conf, pattern, "where texts are cut: as the models of that name do [gpt2]",
                  SL_OPT_RESULT),
    SL_OPT_STR(0, "regex", "EXPRESSION", struct conf, regex,
               "where texts are cut, instead of --pattern: what it matches, and what is between",
               SL_OPT_RESULT),
    SL_OPT_RANGE(0, "min-frequency", "F", SL_OPT_T_UINT, struct conf, min_frequency, 0, INT64_MAX,
                 "pairs that stand less often are not merged [0]", SL_OPT_RESULT),
    SL_OPT_STR(0, "special", "TOKEN,...", struct conf, special,
               "special tokens, which take the first ids", SL_OPT_RESULT),
    SL_OPT_CHOICE(0, "unit", "document|line", struct conf, unit,
                  "what is cut as one text: a document, or each line with its end [document]",
                  SL_OPT_RESULT),
    SL_OPT_RANGE(0, "min-word-count", "N", SL_OPT_T_UINT, struct conf, min_word_count, 1, INT64_MAX,
                 "words that stand less often are left out, which takes less memory [1]",
                 SL_OPT_RESULT),
    SL_OPT_PATH(0, "tiktoken", "FILE", struct conf, tiktoken,
                "write ranks for tiktoken, and FILE.json with the expression and special tokens",
                SL_OPT_WRITES),
    SL_OPT_PATH(0, "words", "FILE", struct conf, words,
                "write the words with their counts, the most frequent first", SL_OPT_WRITES),
    SL_OPT_END
};

enum { COUNT_WORDS, COUNT_UNIQUE, COUNT_MERGES };
static const char *const counts[] = { "words", "unique_words", "merges", NULL };

struct state {
    struct sl_hf_split how;
    struct sl_split *split;
    struct sl_word_counts **counters; /* one a worker */
    size_t n_counters;
    struct sl_str *specials;
    uint32_t n_specials;
    struct sl_bpe_trainer *trainer;
    struct sl_word_list words; /* for --words */
    struct sl_run *run;
};

/* ---- start ---- */

static struct sl_hf_split split_of(const struct conf *c)
{
    if (c->regex)
        return (struct sl_hf_split){ SL_N_SPLITS, sl_str_of(c->regex) };
    return (struct sl_hf_split){ .kind = sl_split_find(sl_str_of(c->pattern)) };
}

static enum sl_status read_specials(const struct conf *c, struct state *s, struct sl_err *err)
{
    struct sl_str rest = sl_str_of(c->special);
    s->specials = calloc(MAX_SPECIALS, sizeof *s->specials);
    if (!s->specials)
        return sl_err_nomem(err, MAX_SPECIALS * sizeof *s->specials);
    while (c->special && rest.p) {
        size_t end = sl_str_find(rest, 0, ',');
        if (s->n_specials == MAX_SPECIALS)
            return sl_err_set(err, SL_E_USAGE, "more than %d special tokens", MAX_SPECIALS);
        s->specials[s->n_specials++] = (struct sl_str){ rest.p, end };
        rest = end < rest.n ? (struct sl_str){ rest.p + end + 1, rest.n - end - 1 }
                            : (struct sl_str){ NULL, 0 };
    }
    return SL_OK;
}

static enum sl_status make_trainer(const struct conf *c, struct state *s, size_t mem_bytes,
                                   struct sl_err *err)
{
    const struct sl_bpe_conf conf = { .vocab = (uint32_t)c->vocab,
                                      .min_frequency = (int64_t)c->min_frequency,
                                      .specials = s->specials,
                                      .n_specials = s->n_specials,
                                      .mem_bytes = mem_bytes };
    return sl_bpe_trainer_new(&s->trainer, &conf, err);
}

static void state_free(struct state *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_counters; i++)
        sl_word_counts_free(s->counters[i]);
    free(s->counters);
    free(s->specials);
    sl_split_free(s->split);
    sl_bpe_trainer_free(s->trainer);
    sl_word_list_release(&s->words);
    free(s);
}

static enum sl_status state_fill(const struct conf *c, struct state *s, size_t mem_bytes,
                                 struct sl_err *err)
{
    struct sl_buf info;
    s->how = split_of(c);
    SL_TRY(sl_hf_split_new(&s->split, &s->how, err));
    SL_TRY(read_specials(c, s, err));
    SL_TRY(make_trainer(c, s, mem_bytes, err));
    if (!c->tiktoken)
        return SL_OK;
    sl_buf_init(&info, FILE_MAX_BYTES); /* refused now, not after hours */
    enum sl_status st = sl_tiktoken_write_info(&info, s->trainer, s->n_specials, &s->how, err);
    sl_buf_release(&info);
    return st;
}

static enum sl_status check(void *conf, struct sl_err *err)
{
    struct state *s = calloc(1, sizeof *s);
    enum sl_status st = s ? state_fill(conf, s, SIZE_MAX, err) : sl_err_nomem(err, sizeof *s);
    state_free(s);
    return st == SL_E_DATA ? SL_E_USAGE : st;
}

static enum sl_status start(struct sl_run *run, struct sl_err *err)
{
    const struct sl_common *common = sl_run_common(run);
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    sl_run_set_state(run, s);
    s->run = run;
    s->counters = calloc(common->threads, sizeof *s->counters);
    if (!s->counters)
        return sl_err_nomem(err, common->threads * sizeof *s->counters);
    return state_fill(sl_run_conf(run), s, common->mem_bytes / 8 * 7, err);
}

/* ---- counting ---- */

struct worker {
    struct state *state;
    struct sl_word_counts *counts; /* the state's */
    struct sl_split_worker *split;
    uint32_t ends[PIECES];
};

static enum sl_status worker_new(struct sl_run *run, void **out, struct sl_err *err)
{
    const struct sl_common *common = sl_run_common(run);
    struct state *s = sl_run_state(run);
    struct worker *w = calloc(1, sizeof *w);
    *out = w;
    if (!w)
        return sl_err_nomem(err, sizeof *w);
    w->state = s;
    SL_TRY(sl_word_counts_new(&w->counts, common->mem_bytes / 2 / common->threads, common->tmpdir,
                              err));
    s->counters[s->n_counters++] = w->counts;
    return sl_split_worker_new(&w->split, s->split, err);
}

static void worker_free(void *worker)
{
    struct worker *w = worker;
    if (w)
        sl_split_worker_free(w->split);
    free(w);
}

static enum sl_status count_text(struct sl_task *task, struct worker *w, struct sl_str text,
                                 struct sl_err *err)
{
    size_t at = 0, n;
    for (;;) {
        size_t from = at;
        SL_TRY(sl_split_next(w->state->split, w->split, text, &at, w->ends, NULL, PIECES, &n, err));
        if (!n)
            return SL_OK;
        SL_TRY(sl_word_counts_add_pieces(w->counts, text, from, w->ends, n, err));
        sl_task_count(task, COUNT_WORDS, (int64_t)n);
    }
}

static enum sl_status count_lines(struct sl_task *task, struct worker *w, struct sl_str text,
                                  struct sl_err *err)
{
    for (size_t from = 0, end; from < text.n; from = end) {
        end = sl_str_find(text, from, '\n');
        end += end < text.n;
        SL_TRY(count_text(task, w, (struct sl_str){ text.p + from, end - from }, err));
    }
    return SL_OK;
}

static enum sl_status map(struct sl_task *task, struct sl_err *err)
{
    const struct conf *c = sl_task_conf(task);
    const struct sl_column *text = sl_task_column(task, "text");
    struct worker *w = sl_task_worker(task);
    bool lines = strcmp(c->unit, "line") == 0;
    for (int64_t row = 0; row < text->n; row++) {
        struct sl_str s = sl_column_str(text, row);
        SL_TRY(lines ? count_lines(task, w, s, err) : count_text(task, w, s, err));
    }
    return SL_OK;
}

/* ---- files ---- */

static enum sl_status write_file(struct sl_run *run, const char *path, const char *suffix,
                                 const struct sl_buf *text, struct sl_err *err)
{
    struct sl_buf name;
    struct sl_sink *sink = NULL;
    sl_buf_init(&name, 1 << 16);
    enum sl_status st = sl_buf_addf(&name, err, "%s%s", path, suffix);
    const char *full = st == SL_OK ? sl_buf_cstr(&name) : NULL;
    if (st == SL_OK)
        st = full ? sl_sink_open(&sink, full, sl_run_common(run)->force, err)
                  : sl_err_nomem(err, name.n);
    if (st == SL_OK)
        st = sl_sink_write(sink, text->p, text->n, err);
    if (st == SL_OK)
        st = sl_sink_commit(sink, err);
    sl_sink_free(sink);
    sl_buf_release(&name);
    return st;
}

static enum sl_status write_tiktoken(struct sl_run *run, const struct state *s, struct sl_buf *text,
                                     struct sl_err *err)
{
    const char *path = ((const struct conf *)sl_run_conf(run))->tiktoken;
    sl_buf_reset(text);
    SL_TRY(sl_tiktoken_write(text, s->trainer, s->n_specials, err));
    SL_TRY(write_file(run, path, "", text, err));
    sl_buf_reset(text);
    SL_TRY(sl_tiktoken_write_info(text, s->trainer, s->n_specials, &s->how, err));
    return write_file(run, path, ".json", text, err);
}

static enum sl_status write_words(struct sl_run *run, struct state *s, struct sl_err *err)
{
    struct sl_sink *sink = NULL;
    const struct conf *c = sl_run_conf(run);
    enum sl_status st = sl_sink_open(&sink, c->words, sl_run_common(run)->force, err);
    if (st == SL_OK)
        st = sl_word_list_write(&s->words, sink, err);
    if (st == SL_OK)
        st = sl_sink_commit(sink, err);
    sl_sink_free(sink);
    sl_word_list_release(&s->words);
    return st;
}

/* ---- the end ---- */

static enum sl_status take_word(void *ctx, struct sl_str word, int64_t count, struct sl_err *err)
{
    struct state *s = ctx;
    const struct conf *c = sl_run_conf(s->run);
    sl_run_count(s->run, COUNT_UNIQUE, 1);
    if (c->words)
        SL_TRY(sl_word_list_add(&s->words, word, count, err));
    if ((uint64_t)count < c->min_word_count)
        return SL_OK;
    return sl_bpe_trainer_add(s->trainer, word, count, err);
}

static enum sl_status gather(struct sl_run *run, struct state *s, struct sl_err *err)
{
    const struct sl_common *common = sl_run_common(run);
    const struct sl_word_sink to = { take_word, s };
    if (((const struct conf *)sl_run_conf(run))->words)
        SL_TRY(sl_word_list_init(&s->words, common->mem_bytes / 8, common->tmpdir, err));
    SL_TRY(sl_word_counts_each(s->counters, s->n_counters, &to, err));
    for (size_t i = 0; i < s->n_counters; i++)
        sl_word_counts_free(s->counters[i]);
    s->n_counters = 0;
    return SL_OK;
}

static enum sl_status write_all(struct sl_run *run, struct state *s, struct sl_buf *text,
                                struct sl_err *err)
{
    const struct conf *c = sl_run_conf(run);
    if (c->words)
        SL_TRY(write_words(run, s, err));
    if (c->tiktoken)
        SL_TRY(write_tiktoken(run, s, text, err));
    sl_buf_reset(text);
    SL_TRY(sl_hf_write_bpe(text, s->trainer, s->n_specials, &s->how, err));
    return sl_sink_write(sl_run_sink(run), text->p, text->n, err);
}

static enum sl_status end(struct sl_run *run, struct sl_err *err)
{
    const struct conf *c = sl_run_conf(run);
    const struct sl_bpe_merge *merges;
    struct state *s = sl_run_state(run);
    struct sl_buf text;
    SL_TRY(gather(run, s, err));
    SL_TRY(sl_bpe_trainer_run(s->trainer, err));
    sl_run_count(run, COUNT_MERGES, (int64_t)sl_bpe_trainer_merges(s->trainer, &merges));
    uint32_t n = sl_bpe_trainer_vocab(s->trainer);
    if (n < c->vocab)
        sl_run_note(run, "no more pairs to merge: the vocabulary has %u tokens, not %llu", n,
                    (unsigned long long)c->vocab);
    sl_buf_init(&text, FILE_MAX_BYTES);
    enum sl_status st = write_all(run, s, &text, err);
    sl_buf_release(&text);
    return st;
}

static void stop(struct sl_run *run)
{
    state_free(sl_run_state(run));
}

static const struct sl_tool tool = {
    .name = "sluice-train-tokenizer",
    .about = "train a byte-level BPE tokenizer on the text of documents",
    .group = "tokens",
    .examples =
        "sluice-train-tokenizer --vocab 32000 docs.arrows -o tokenizer.json\n"
        "sluice-train-tokenizer --vocab 50000 --pattern o200k --tiktoken en.tiktoken docs.arrows "
        "> en.json",
    .notes =
        "Equal, merge for merge, to Hugging Face's BpeTrainer with an alphabet of all bytes: with\n"
        "--unit line to train(files), else to train_from_iterator over the texts. Counts are "
        "exact\n"
        "and have 64 bits; words that pass --mem go to --tmpdir. The result is the same for any\n"
        "number of threads, any memory and any order of documents. In --words a word is written\n"
        "in the characters that stand for its bytes, as in the vocabulary.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "docs",
    .needs = "text",
    .counts = counts,
    .flow = SL_SINK,
    .text_out = true,
    .check = check,
    .start = start,
    .map = map,
    .worker_new = worker_new,
    .worker_free = worker_free,
    .end = end,
    .stop = stop,
    .trial = "--vocab 300",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
