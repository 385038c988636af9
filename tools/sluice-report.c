/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-report: one page of HTML about what a pipeline did. All is read first:
 * what is wrong with an input is an error before a byte of the page is written. */
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/row_hash.h"
#include "report/page.h"
#include "run/conserve.h"
#include "run/tool.h"

#define PAGE_MAX_BYTES ((size_t)1 << 28)
enum { MIN_ROWS_OF_A_POINT = 32, MAX_INPUTS = 100000 };

struct conf {
    const char *title, *kept, *rejects, *order, *score;
    uint64_t samples;
};

static const struct sl_opt options[] = {
    SL_OPT_STR(0, "title", "TEXT", struct conf, title, "heading of the page [Sluice report]", 0),
    SL_OPT_PATH(0, "kept", "FILE|DIR", struct conf, kept,
                "a stream of what was kept: samples of it, and its size by domain and language", 0),
    SL_OPT_FILE(0, "rejects", "FILE", struct conf, rejects,
                "a stream of what was dropped: samples for each reason; further ones are operands",
                0),
    SL_OPT_PATH(0, "order", "FILE|DIR", struct conf, order,
                "a stream or a folder of shards whose order is drawn", 0),
    SL_OPT_STR(0, "score", "COLUMN", struct conf, score,
               "numeric column that --order draws; without it difficulty_compression", 0),
    SL_OPT_RANGE(0, "samples", "N", SL_OPT_T_UINT, struct conf, samples, 0, SL_SAMPLES_MAX,
                 "documents shown of what was kept, and of each reason [4]", 0),
    SL_OPT_END
};

struct state {
    struct sl_page page;
    struct sl_page_input *inputs;
    struct sl_samples kept;
    uint64_t row_seed;
    struct sl_key_counts keys[SL_PAGE_KEYS];
    struct sl_curve curve;
    struct sl_walked ordered; /* of --order */
    bool seen_url, seen_lang, seen_html_lang, seen_source, seen_tokens;
};

static enum sl_status law(const struct sl_json *lineage, struct sl_err *err)
{
    struct sl_conserved end;
    return sl_conserve_check(lineage, &end, err);
}

/* ---- operands ---- */

static const char *base_name(const char *path)
{
    size_t n = strlen(path);
    if (strcmp(path, "-") == 0)
        return "(standard input)";
    while (n > 1 && path[n - 1] == '/')
        n--;
    const char *name = path;
    for (size_t i = 0; i + 1 < n; i++)
        if (path[i] == '/')
            name = path + i + 1;
    return name;
}

/* The number that a name begins with, "10-pack.json"; -1 without. */
static int64_t leading_number(const char *name)
{
    size_t n = 0;
    uint64_t v;
    while (name[n] >= '0' && name[n] <= '9')
        n++;
    return n && sl_parse_u64((struct sl_str){ name, n }, &v) && v < INT64_MAX ? (int64_t)v : -1;
}

/* Streams and shards stay where they are; reports with numbers are put in their
 * order, for a shell names 10-pack.json before 2-extract.json. */
static void sort_reports(struct sl_page_input *in, int n)
{
    for (int i = 1; i < n; i++) {
        struct sl_page_input x = in[i];
        int64_t number = leading_number(x.name);
        int k = i;
        while (k > 0 && x.w.type == SL_WALKED_REPORT && in[k - 1].w.type == SL_WALKED_REPORT &&
               number >= 0 && leading_number(in[k - 1].name) > number) {
            in[k] = in[k - 1];
            k--;
        }
        in[k] = x;
    }
}

/* Of a stream of rejects some rows are kept. */
static enum sl_status see_input(void *ctx, const struct sl_batch *b, struct sl_err *err)
{
    return sl_batch_column(b, "reject_reason") ? sl_samples_add(ctx, b, err) : SL_OK;
}

static enum sl_status read_inputs(struct sl_run *run, struct state *s, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    int n_operands = sl_run_n_inputs(run) ? sl_run_n_inputs(run) : 1;
    int n = n_operands + (conf->rejects != NULL);
    if (n > MAX_INPUTS)
        return sl_err_set(err, SL_E_USAGE, "more than %d inputs", MAX_INPUTS);
    s->inputs = calloc((size_t)n, sizeof *s->inputs);
    if (!s->inputs)
        return sl_err_nomem(err, (uint64_t)n * sizeof *s->inputs);
    s->page.inputs = s->inputs;
    for (int i = 0; i < n; i++) {
        const char *path = i == n_operands        ? conf->rejects
                           : sl_run_n_inputs(run) ? sl_run_input(run, i)
                                                  : "-";
        s->inputs[i].name = base_name(path);
        s->page.n_inputs = i + 1;
        sl_samples_init(&s->inputs[i].dropped, (int)conf->samples, s->row_seed);
        const struct sl_each_batch each = { see_input, &s->inputs[i].dropped };
        SL_TRY(sl_walk(path, SL_WALK_FACTS, &each, &s->inputs[i].w, err));
    }
    sort_reports(s->inputs, n);
    return SL_OK;
}

/* ---- rows ---- */

static const struct sl_column *text_column(const struct sl_batch *b, const char *name)
{
    const struct sl_column *c = sl_batch_column(b, name);
    return c && sl_type_is_bytes(c->field->type) ? c : NULL;
}

/* Tokens of a row, else bytes of its text. */
static int64_t amount_of(const struct sl_column *tokens, const struct sl_column *text, int64_t row)
{
    if (tokens && tokens->field->type == SL_T_FIXED_LIST)
        return tokens->field->size;
    if (tokens)
        return sl_column_start(tokens, row + 1) - sl_column_start(tokens, row);
    return text ? (int64_t)sl_column_str(text, row).n : 0;
}

static enum sl_status count_keys(struct state *s, const struct sl_batch *b, struct sl_err *err)
{
    char host[SL_KEY_BYTES];
    const struct sl_column *tokens = sl_batch_column(b, "tokens"), *text = text_column(b, "text");
    const struct sl_column *url = text_column(b, "url"), *source = text_column(b, "source");
    const struct sl_column *lang = text_column(b, "lang"), *html = text_column(b, "html_lang");
    if (tokens && (tokens->field->type < SL_T_LIST || tokens->field->type == SL_T_STRUCT))
        tokens = NULL;
    s->seen_url |= url != NULL;
    s->seen_lang |= lang != NULL;
    s->seen_html_lang |= html != NULL;
    s->seen_source |= source != NULL;
    s->seen_tokens |= tokens != NULL;
    for (int64_t i = 0; i < b->n_rows; i++) {
        int64_t n = amount_of(tokens, text, i);
        struct sl_str none = { NULL, 0 };
        SL_TRY(sl_key_counts_add(&s->keys[0], url ? sl_url_host(sl_column_str(url, i), host) : none,
                                 n, err));
        const struct sl_column *l = lang ? lang : html;
        SL_TRY(sl_key_counts_add(&s->keys[1], l ? sl_column_str(l, i) : none, n, err));
        SL_TRY(sl_key_counts_add(&s->keys[2], source ? sl_column_str(source, i) : none, n, err));
    }
    return SL_OK;
}

static enum sl_status see_kept(void *ctx, const struct sl_batch *b, struct sl_err *err)
{
    struct state *s = ctx;
    SL_TRY(count_keys(s, b, err));
    return sl_samples_add(&s->kept, b, err);
}

static enum sl_status see_order(void *ctx, const struct sl_batch *b, struct sl_err *err)
{
    struct state *s = ctx;
    return sl_curve_add(&s->curve, b, err);
}

static enum sl_status read_rows(const char *path, struct state *s,
                                enum sl_status (*see)(void *ctx, const struct sl_batch *b,
                                                      struct sl_err *err),
                                struct sl_walked *w, struct sl_err *err)
{
    struct sl_each_batch each = { see, s };
    return sl_walk(path, SL_WALK_ROWS, &each, w, err);
}

static void name_keys(struct state *s)
{
    struct sl_page *p = &s->page;
    p->amount = s->seen_tokens ? "tokens" : "bytes of text";
    for (int i = 0; i < SL_PAGE_KEYS; i++)
        sl_key_counts_sort(&s->keys[i]);
    if (s->seen_url)
        p->keys[p->n_keys++] = (struct sl_page_keys){ "Domain", "host of url", &s->keys[0] };
    if (s->seen_lang || s->seen_html_lang)
        p->keys[p->n_keys++] = (struct sl_page_keys){
            "Language", s->seen_lang ? "lang" : "html_lang, as the page declares it", &s->keys[1]
        };
    if (s->seen_source)
        p->keys[p->n_keys++] = (struct sl_page_keys){ "Source", "source", &s->keys[2] };
}

static enum sl_status read_kept(const struct conf *conf, struct state *s, struct sl_err *err)
{
    struct sl_walked w;
    enum sl_status st = read_rows(conf->kept, s, see_kept, &w, err);
    sl_walked_release(&w);
    if (st != SL_OK)
        return st;
    s->page.kept = &s->kept;
    name_keys(s);
    return SL_OK;
}

static enum sl_status read_order(const struct conf *conf, struct state *s, struct sl_err *err)
{
    SL_TRY(read_rows(conf->order, s, see_order, &s->ordered, err));
    if (conf->score && s->curve.rows && !s->curve.seen)
        return sl_err_set(err, SL_E_DATA, "'%s' has no numeric column '%s' to draw", conf->order,
                          conf->score);
    sl_curve_end(&s->curve, MIN_ROWS_OF_A_POINT);
    s->page.order = &s->curve;
    s->page.order_name = base_name(conf->order);
    s->page.order_lineage = s->ordered.json;
    return SL_OK;
}

/* ---- the run ---- */

static enum sl_status read_all(struct sl_run *run, struct state *s, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    s->row_seed = sl_row_seed("sluice-report/samples", 0);
    s->page.title = conf->title;
    s->page.law = law;
    sl_samples_init(&s->kept, (int)conf->samples, s->row_seed);
    sl_curve_init(&s->curve, conf->score ? conf->score : "difficulty_compression", s->row_seed);
    for (int i = 0; i < SL_PAGE_KEYS; i++)
        sl_key_counts_init(&s->keys[i]);
    SL_TRY(read_inputs(run, s, err));
    if (conf->kept)
        SL_TRY(read_kept(conf, s, err));
    return conf->order ? read_order(conf, s, err) : SL_OK;
}

static void release(struct state *s)
{
    for (int i = 0; i < s->page.n_inputs; i++) {
        sl_walked_release(&s->inputs[i].w);
        sl_samples_release(&s->inputs[i].dropped);
    }
    free(s->inputs);
    sl_walked_release(&s->ordered);
    sl_samples_release(&s->kept);
    sl_curve_release(&s->curve);
    for (int i = 0; i < SL_PAGE_KEYS; i++)
        sl_key_counts_release(&s->keys[i]);
}

static enum sl_status report(struct sl_run *run, struct sl_err *err)
{
    struct sl_html h;
    struct state s = { 0 };
    sl_html_init(&h, PAGE_MAX_BYTES);
    enum sl_status st = read_all(run, &s, err);
    if (st == SL_OK)
        st = sl_page_write(&h, &s.page, err);
    if (st == SL_OK)
        st = sl_sink_write(sl_run_sink(run), h.out.p, h.out.n, err);
    sl_html_release(&h);
    release(&s);
    return st;
}

static const struct sl_tool tool = {
    .name = "sluice-report",
    .about = "draw what a pipeline did as one page of HTML",
    .group = "look",
    .operands = "[FILE|FOLDER...]",
    .examples = "sluice-report -o report.html [0-9]*.json docs.arrows shards\n"
                "sluice-report --kept docs.arrows --rejects dropped.arrows --order shards shards "
                "> report.html",
    .notes =
        "An input is a stream, a folder of shards or its manifest.json, or what a tool wrote\n"
        "with --report; they are told apart by what is in them. Streams and shards give the\n"
        "stages with their counts, reports the times and the memory, and of streams that a tool\n"
        "wrote with --rejects some rows are shown for each reason. Reports whose names begin with\n"
        "a number are put in the order of these. The page needs no script and nothing from\n"
        "elsewhere, and is the same for the same inputs.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .flow = SL_PLAIN,
    .text_out = true,
    .reads_files = true,
    .plain = report,
    .trial = "",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
