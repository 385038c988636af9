/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-extract: pages to text. The work is web/extract.h's; this is the
 * mapping to columns. */
#include <stdlib.h>

#include "run/tool.h"
#include "web/extract.h"

struct conf {
    bool keep_html;
};

static const struct sl_opt options[] = { SL_OPT_BOOL(0, "keep-html", struct conf, keep_html,
                                                     "keep the html column", SL_OPT_RESULT),
                                         SL_OPT_END };

enum { ADD_TEXT, ADD_TITLE, ADD_LANG, ADD_ROBOTS, ADD_CHARSET, ADD_CHARSET_SOURCE };
static const struct sl_add adds[] = {
    { "text", "large_utf8",
      "visible text: blank lines between paragraphs, lines for list items "
      "and table rows, tabs between cells" },
    { "title", "utf8?", "the page's title" },
    { "html_lang", "utf8?", "the language that the page declares" },
    { "meta_robots", "utf8?", "contents of <meta name=robots>, joined by \", \"" },
    { "charset_used", "utf8?", "the encoding that the page was decoded with" },
    { "charset_source", "utf8?", "what decided it: bom, utf8, http, meta, utf8_lossy, default" },
    { NULL, NULL, NULL },
};

static const char *const reasons[] = { "too_large", NULL };
enum { TOO_LARGE };
static const char *const counts[] = { "empty_text", "replaced_characters", "html_bytes",
                                      "text_bytes", NULL };
enum { EMPTY_TEXT, REPLACED, HTML_BYTES, TEXT_BYTES };

static enum sl_status extract_schema(struct sl_run *run, const struct sl_schema *in,
                                     struct sl_schema *out, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    SL_TRY(sl_run_keep_columns(run, in, conf->keep_html, out, err));
    for (const struct sl_add *a = adds; a->name; a++)
        SL_TRY(sl_schema_add_text(out, a->name, a->type, err));
    return SL_OK;
}

/* A worker's scratch: the extractor, and room for a Content-Type value. */
struct worker {
    struct sl_extractor *x;
    struct sl_buf content_type;
};

enum { CONTENT_TYPE_MAX = 1 << 16 };

static void worker_free(void *p)
{
    struct worker *w = p;
    sl_extractor_free(w->x);
    sl_buf_release(&w->content_type);
    free(w);
}

static enum sl_status worker_new(struct sl_run *run, void **out, struct sl_err *err)
{
    (void)run;
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        return sl_err_nomem(err, sizeof *w);
    sl_buf_init(&w->content_type, CONTENT_TYPE_MAX);
    w->x = sl_extractor_new();
    if (!w->x) {
        worker_free(w);
        return sl_err_nomem(err, 0);
    }
    *out = w;
    return SL_OK;
}

static struct sl_str value_or_empty(const struct sl_column *c, int64_t row)
{
    return c && !sl_column_is_null(c, row) ? sl_column_str(c, row) : SL_STR("");
}

static enum sl_status add_or_null(struct sl_colbuf *c, struct sl_str s, struct sl_err *err)
{
    return s.n ? sl_colbuf_add_str(c, s, err) : sl_colbuf_add_null(c, err);
}

static enum sl_status add_result(struct sl_task *t, const struct sl_extract_result *r, bool dropped,
                                 struct sl_err *err)
{
    struct sl_str charset = sl_str_of(sl_charset_name(r->charset));
    struct sl_str source = sl_str_of(sl_charset_source_name(r->charset_source));
    SL_TRY(sl_colbuf_add_str(sl_task_add(t, ADD_TEXT), dropped ? SL_STR("") : r->text, err));
    SL_TRY(add_or_null(sl_task_add(t, ADD_TITLE), r->title, err));
    SL_TRY(add_or_null(sl_task_add(t, ADD_LANG), r->html_lang, err));
    SL_TRY(add_or_null(sl_task_add(t, ADD_ROBOTS), r->meta_robots, err));
    SL_TRY(add_or_null(sl_task_add(t, ADD_CHARSET), charset, err));
    return add_or_null(sl_task_add(t, ADD_CHARSET_SOURCE), source, err);
}

/* The Content-Type header as it was, from the two columns that ingest made. */
static enum sl_status content_type_of(struct worker *w, struct sl_str mime, struct sl_str charset,
                                      struct sl_str *out, struct sl_err *err)
{
    sl_buf_reset(&w->content_type);
    if (mime.n + charset.n + 16 > CONTENT_TYPE_MAX)
        return SL_OK;
    SL_TRY(sl_buf_add_str(&w->content_type, mime, err));
    if (charset.n) {
        SL_TRY(sl_buf_add_str(&w->content_type, SL_STR("; charset="), err));
        SL_TRY(sl_buf_add_str(&w->content_type, charset, err));
    }
    *out = sl_buf_str(&w->content_type);
    return SL_OK;
}

static enum sl_status extract_row(struct sl_task *t, const struct sl_column *html, int64_t row,
                                  struct sl_err *err)
{
    struct worker *w = sl_task_worker(t);
    struct sl_str mime = value_or_empty(sl_task_column(t, "content_type"), row);
    struct sl_extract_input in = { .body = sl_column_str(html, row) };
    struct sl_extract_result r;
    SL_TRY(content_type_of(w, mime, value_or_empty(sl_task_column(t, "charset"), row),
                           &in.content_type, err));
    in.kind = sl_page_kind_of(mime, in.body);
    SL_TRY(sl_extract(w->x, &in, &r, err));
    bool too_large = r.text.n > sl_run_common(sl_task_run(t))->max_doc_bytes;
    if (too_large)
        SL_TRY(sl_task_drop(t, row, TOO_LARGE, SL_STR("the text is over --max-doc"), err));
    sl_task_count(t, EMPTY_TEXT, r.text.n == 0);
    sl_task_count(t, REPLACED, (int64_t)r.n_replaced);
    sl_task_count(t, HTML_BYTES, (int64_t)in.body.n);
    sl_task_count(t, TEXT_BYTES, (int64_t)r.text.n);
    return add_result(t, &r, too_large, err);
}

static enum sl_status extract_batch(struct sl_task *t, struct sl_err *err)
{
    const struct sl_column *html = sl_task_column(t, "html");
    int64_t n = sl_task_batch(t)->n_rows;
    for (int64_t row = 0; row < n; row++)
        SL_TRY(extract_row(t, html, row, err));
    return SL_OK;
}

static const struct sl_tool tool = {
    .name = "sluice-extract",
    .about = "make text of web pages: title, language, paragraphs",
    .group = "text",
    .examples = "sluice-warc crawl.warc.gz | sluice-extract > docs.arrows\n"
                "sluice-extract -T4 --keep-html pages.arrows -o docs.arrows",
    .notes = "The page's encoding is decided by its byte order mark, then by its being valid\n"
             "UTF-8 (whatever it declares), then by the HTTP header, then by the page itself;\n"
             "charset_source says which.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "docs",
    .out = "docs",
    .needs = "html",
    .adds = adds,
    .removes = "html",
    .reasons = reasons,
    .counts = counts,
    .flow = SL_MAP,
    .takes_max_doc = true,
    .schema = extract_schema,
    .map = extract_batch,
    .worker_new = worker_new,
    .worker_free = worker_free,
    .trial = "",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
