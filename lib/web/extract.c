/* SPDX-License-Identifier: Apache-2.0 */
/* The extractor: its memory, and the way of a page through it.
 *
 * decode -> tokens -> blocks -> decision -> text. Everything a page needs lies
 * in buffers of the extractor that the next page uses again, up to 16 MiB each, so
 * a worker that has seen a few pages allocates no more. Blocks keep offsets, not
 * pointers, so that the buffers may move. */
#include "web/extract.h"

#include <stdlib.h>

#include "web/extract_impl.h"

#define BODY_MAX ((size_t)1 << 28)
/* A byte of the page becomes at most three (single-byte encodings, U+FFFD). */
#define TEXT_MAX (4 * BODY_MAX - 64)
#define KEEP_MAX ((size_t)16 << 20)

enum { FACT_MAX = 1 << 16, TITLE_MAX = 4096 };

static void all_buffers(struct sl_extractor *x, struct sl_buf *out[7])
{
    out[0] = &x->decoded;
    out[1] = &x->block_text;
    out[2] = &x->blocks;
    out[3] = &x->text;
    out[4] = &x->title;
    out[5] = &x->lang;
    out[6] = &x->robots;
}

struct sl_extractor *sl_extractor_new(void)
{
    struct sl_extractor *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->html = sl_html_new();
    x->decoder = sl_charset_decoder_new();
    struct sl_buf *buffers[7];
    all_buffers(x, buffers);
    for (size_t i = 0; i < 4; i++)
        sl_buf_init(buffers[i], TEXT_MAX);
    sl_buf_init(&x->title, TEXT_MAX);
    sl_buf_init(&x->lang, FACT_MAX);
    sl_buf_init(&x->robots, FACT_MAX);
    if (!x->html || !x->decoder) {
        sl_extractor_free(x);
        return NULL;
    }
    return x;
}

void sl_extractor_free(struct sl_extractor *x)
{
    if (!x)
        return;
    struct sl_buf *buffers[7];
    all_buffers(x, buffers);
    for (size_t i = 0; i < 7; i++)
        sl_buf_release(buffers[i]);
    sl_html_free(x->html);
    sl_charset_decoder_free(x->decoder);
    free(x);
}

/* Empty the buffer; the memory of an extraordinary page is not kept. */
static void renew(struct sl_buf *b)
{
    if (b->cap > KEEP_MAX)
        sl_buf_release(b);
    sl_buf_reset(b);
}

static void reset(struct sl_extractor *x)
{
    struct sl_buf *buffers[7];
    all_buffers(x, buffers);
    for (size_t i = 0; i < 7; i++)
        renew(buffers[i]);
    sl_tree_reset(x);
    x->run = (struct text_run){ .out = &x->block_text };
    x->title_run = (struct text_run){ .out = &x->title };
    x->link_bytes = 0;
    x->sep = SL_SEP_NONE;
    x->sep_locked = x->skip_lf = x->at_end = false;
    x->in_title = x->has_title = x->has_lang = x->body_seen = false;
}

/* A plain text page is one block, as it is written. */
static enum sl_status extract_plain(struct sl_extractor *x, struct sl_err *err)
{
    sl_html_set_state(x->html, SL_HTML_PLAINTEXT);
    const struct sl_html_token *tok = sl_html_next(x->html);
    if (tok->kind == SL_HTML_TEXT)
        SL_TRY(sl_text_add_pre(&x->run, tok->text, err));
    x->at_end = true;
    return sl_block_end(x, err);
}

/* A title that is never closed swallows the page: its beginning is enough. */
static struct sl_str short_title(struct sl_str s)
{
    if (s.n <= TITLE_MAX)
        return s;
    s.n = TITLE_MAX;
    while (s.n && (s.p[s.n] & 0xC0) == 0x80)
        s.n--;
    return s;
}

enum sl_status sl_extract(struct sl_extractor *x, const struct sl_extract_input *in,
                          struct sl_extract_result *out, struct sl_err *err)
{
    *out = (struct sl_extract_result){ 0 };
    if (in->body.n > BODY_MAX)
        return sl_err_set(err, SL_E_DATA, "page of %zu bytes, more than %zu", in->body.n, BODY_MAX);
    reset(x);
    struct sl_charset_page page;
    enum sl_charset http = sl_charset_of_content_type(in->content_type);
    SL_TRY(sl_charset_decode_page(x->decoder, in->body, http, &x->decoded, &page, err));
    SL_TRY(sl_html_start(x->html, page.text, err));
    if (in->kind == SL_PAGE_TEXT)
        SL_TRY(extract_plain(x, err));
    else
        SL_TRY(sl_extract_tokens(x, err));
    sl_extract_decide((struct sl_block *)(void *)x->blocks.p,
                      x->blocks.n / sizeof(struct sl_block));
    SL_TRY(sl_extract_write(x, out, err));
    out->charset = page.charset;
    out->charset_source = page.source;
    out->n_replaced = page.n_replaced;
    out->title = short_title(sl_buf_str(&x->title));
    out->html_lang = sl_buf_str(&x->lang);
    out->meta_robots = sl_buf_str(&x->robots);
    return SL_OK;
}

static bool is_type(struct sl_str type, const char *name)
{
    return sl_str_eq_nocase(type, sl_str_of(name));
}

/* The kind of a body without a type. */
static enum sl_page_kind sniff_kind(struct sl_str body)
{
    static const char *const marks[] = { "<!doctype", "<html",   "<head", "<body", "<title",
                                         "<meta",     "<script", "<!--",  "<div",  "<table",
                                         "<h1",       "<p",      "<a " };
    size_t bom_bytes;
    if (body.n == 0)
        return SL_PAGE_OTHER;
    sl_charset_bom(body, &bom_bytes);
    body = sl_str_trim((struct sl_str){ body.p + bom_bytes, body.n - bom_bytes });
    if (sl_str_starts_nocase(body, SL_STR("<?xml"))) {
        size_t close = sl_str_find(body, 0, '>');
        if (close < body.n)
            body = sl_str_trim((struct sl_str){ body.p + close + 1, body.n - close - 1 });
    }
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (sl_str_starts_nocase(body, sl_str_of(marks[i])))
            return SL_PAGE_HTML;
    return SL_PAGE_OTHER;
}

enum sl_page_kind sl_page_kind_of(struct sl_str content_type, struct sl_str body)
{
    size_t semicolon = sl_str_find(content_type, 0, ';');
    struct sl_str type = sl_str_trim((struct sl_str){ content_type.p, semicolon });
    if (type.n == 0)
        return sniff_kind(body);
    if (is_type(type, "text/html") || is_type(type, "application/xhtml+xml"))
        return SL_PAGE_HTML;
    return is_type(type, "text/plain") ? SL_PAGE_TEXT : SL_PAGE_OTHER;
}
