/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-difficulty: scores of texts that need no model, as columns. Only the
 * columns of the metrics asked for are touched: with another --metric, or from
 * another hand, difficulty_* columns of the input go on as they are. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "run/tool.h"
#include "text/lz_cost.h"
#include "text/prose.h"

/* Metrics, and with the same numbers their columns and histograms. */
enum { COMPRESSION, LENGTH, WORD_LENGTH, SENTENCE_LENGTH, N_METRICS };
static const char *const metrics[] = { "compression", "length", "word_length", "sentence_length",
                                       NULL };

static const struct sl_add adds[] = {
    { "difficulty_compression", "float32?", "compressed / raw bytes in windows of 4 KiB" },
    { "difficulty_length", "float32?", "code points" },
    { "difficulty_word_length", "float32?", "mean code points of a word" },
    { "difficulty_sentence_length", "float32?", "mean words of a sentence" },
    { NULL, NULL, NULL },
};

static const struct sl_hist hists[] = {
    { "difficulty_compression", 0, 128, 100 },
    { "difficulty_length", 0, 65536, 1 },
    { "difficulty_word_length", 0, 16, 1 },
    { "difficulty_sentence_length", 0, 64, 1 },
    { NULL, 0, 0, 0 },
};

/* Of each metric; grows when a text can get another score. */
static const int versions[] = { 1, 1, 1, 1 };

struct conf {
    const char *metric;
    unsigned wanted; /* bits by metric */
};

static const struct sl_opt options[] = {
    SL_OPT_STR(0, "metric", "NAME,...", struct conf, metric,
               "what to score [compression,length,word_length,sentence_length]", SL_OPT_RESULT),
    SL_OPT_END
};

static int find_metric(struct sl_str name)
{
    for (int k = 0; k < N_METRICS; k++)
        if (sl_str_eq(name, sl_str_of(metrics[k])))
            return k;
    return -1;
}

static enum sl_status check(void *conf, struct sl_err *err)
{
    struct conf *c = conf;
    struct sl_str all = sl_str_of(c->metric);
    for (size_t from = 0; from <= all.n;) {
        size_t to = sl_str_find(all, from, ',');
        struct sl_str name = { all.p + from, to - from };
        int k = find_metric(name);
        const char *near = sl_str_nearest(name, metrics);
        if (k < 0)
            return sl_err_set(err, SL_E_USAGE, "--metric: no metric '%.*s'%s%s%s", (int)name.n,
                              name.p, near ? " (did you mean '" : "", near ? near : "",
                              near ? "'?)"
                                   : "; there are compression, length, word_length and "
                                     "sentence_length");
        c->wanted |= 1u << k;
        from = to + 1;
    }
    return SL_OK;
}

static bool wanted(const struct conf *c, int k)
{
    return c->wanted >> k & 1;
}

static enum sl_status rules(const void *conf, struct sl_json *json, struct sl_err *err)
{
    for (int k = 0; k < N_METRICS; k++)
        if (wanted(conf, k))
            SL_TRY(sl_json_set(json, metrics[k], sl_json_new_int(versions[k]), err));
    return SL_OK;
}

static bool is_kept(const struct conf *c, const char *column)
{
    for (int k = 0; k < N_METRICS; k++)
        if (strcmp(adds[k].name, column) == 0)
            return !wanted(c, k);
    return false;
}

static enum sl_status schema(struct sl_run *run, const struct sl_schema *in, struct sl_schema *out,
                             struct sl_err *err)
{
    const struct conf *c = sl_run_conf(run);
    for (uint32_t i = 0; i < in->n_fields; i++) {
        struct sl_schema one = { .n_fields = 1, .fields = &in->fields[i] };
        if (is_kept(c, in->fields[i]->name))
            SL_TRY(sl_schema_add(out, in->fields[i], err));
        else
            SL_TRY(sl_run_keep_columns(run, &one, false, out, err));
    }
    for (int k = 0; k < N_METRICS; k++)
        if (wanted(c, k))
            SL_TRY(sl_schema_add_text(out, adds[k].name, adds[k].type, err));
    return SL_OK;
}

static enum sl_status worker_new(struct sl_run *run, void **worker, struct sl_err *err)
{
    (void)run;
    struct sl_lz *lz = malloc(sizeof *lz);
    if (!lz)
        return sl_err_nomem(err, sizeof *lz);
    sl_lz_init(lz);
    *worker = lz;
    return SL_OK;
}

/* A metric with the value above / below, null where below is 0. */
static enum sl_status add(struct sl_task *task, int k, uint64_t above, uint64_t below,
                          struct sl_err *err)
{
    if (!wanted(sl_task_conf(task), k))
        return SL_OK;
    if (below == 0)
        return sl_colbuf_add_null(sl_task_add(task, k), err);
    double value = (double)above / (double)below;
    sl_task_hist(task, k, value);
    return sl_colbuf_add_real(sl_task_add(task, k), value, err);
}

static enum sl_status score(struct sl_task *task, struct sl_str text, struct sl_err *err)
{
    const struct conf *c = sl_task_conf(task);
    struct sl_prose prose = { 0 };
    uint64_t cost = 0;
    if (wanted(c, COMPRESSION))
        cost = sl_lz_cost(sl_task_worker(task), text.p, text.n);
    if (wanted(c, WORD_LENGTH) || wanted(c, SENTENCE_LENGTH))
        sl_prose_count(&prose, text.p, text.n);
    else if (wanted(c, LENGTH))
        prose.n_chars = sl_utf8_count(text.p, text.n);
    SL_TRY(add(task, COMPRESSION, cost, 8 * SL_LZ_BIT * text.n, err));
    SL_TRY(add(task, LENGTH, prose.n_chars, text.n ? 1 : 0, err));
    SL_TRY(add(task, WORD_LENGTH, prose.word_chars, prose.n_words, err));
    return add(task, SENTENCE_LENGTH, prose.n_words, prose.n_sentences, err);
}

static enum sl_status map(struct sl_task *task, struct sl_err *err)
{
    const struct sl_column *text = sl_task_column(task, "text");
    for (int k = 0; k < N_METRICS; k++) {
        /* A column of that name which was not asked for: the input's. */
        struct sl_colbuf *to = sl_task_add(task, k);
        if (to && !wanted(sl_task_conf(task), k))
            SL_TRY(sl_colbuf_take_range(to, sl_task_column(task, adds[k].name), 0, text->n, err));
    }
    for (int64_t row = 0; row < text->n; row++)
        SL_TRY(score(task, sl_column_str(text, row), err));
    return SL_OK;
}

static const struct sl_tool tool = {
    .name = "sluice-difficulty",
    .about = "score how difficult texts are, as columns difficulty_*",
    .group = "choose",
    .examples =
        "sluice-difficulty docs.arrows -o scored.arrows\n"
        "sluice-extract web.arrows | sluice-difficulty --metric compression > scored.arrows",
    .notes = "Every score grows with difficulty. compression: what a small compressor of our own\n"
             "would need, by what there is, in windows of 4 KiB. length: code points.\n"
             "word_length: mean code points of words, which are divided by blanks and have a\n"
             "letter or digit. sentence_length: mean words of sentences, which end behind . ! ?\n"
             "and the like, and at blank lines. An empty text has no score (null), nor has a\n"
             "text without words a mean of them. sluice-pack carries the scores to sequences.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "docs,tokens",
    .out = "*",
    .needs = "text",
    .adds = adds,
    .hists = hists,
    .flow = SL_MAP,
    .check = check,
    .rules = rules,
    .schema = schema,
    .worker_new = worker_new,
    .worker_free = free,
    .map = map,
    .trial = "",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
