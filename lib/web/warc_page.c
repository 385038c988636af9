/* SPDX-License-Identifier: Apache-2.0 */
/* From a record to a page. The cheap questions come first (record type, status,
 * MIME type), so that a body is decoded only for a page that is wanted. A
 * missing MIME type is not held against a record: what the crawler identified
 * counts then, else the first bytes do. */
#include "web/warc_page.h"

#include <stdio.h>
#include <stdlib.h>

#include "web/extract.h"

/* Header values are kept in one buffer; all of them together are no longer than
 * the head that they come from. */
enum { TEXT_MAX = SL_PAGE_HEAD_MAX };

struct sl_pager {
    struct sl_page_choice choice;
    struct sl_http_decoder *decoder;
    struct sl_buf text; /* lower-cased and joined header values */
};

struct sl_pager *sl_pager_new(const struct sl_page_choice *choice)
{
    struct sl_pager *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->choice = *choice;
    sl_buf_init(&p->text, TEXT_MAX);
    p->decoder = sl_http_decoder_new((size_t)choice->max_bytes);
    if (p->decoder)
        return p;
    sl_pager_free(p);
    return NULL;
}

void sl_pager_free(struct sl_pager *p)
{
    if (!p)
        return;
    sl_http_decoder_free(p->decoder);
    sl_buf_release(&p->text);
    free(p);
}

bool sl_page_list_has(const char *list, struct sl_str word)
{
    struct sl_str all = sl_str_of(list);
    if (sl_str_eq(all, SL_STR("any")))
        return true;
    for (size_t from = 0; from <= all.n;) {
        size_t to = sl_str_find(all, from, ',');
        if (sl_str_eq_nocase((struct sl_str){ all.p + from, to - from }, word))
            return true;
        from = to + 1;
    }
    return false;
}

static bool is_status(struct sl_str word)
{
    bool fine = word.n == 3;
    for (size_t i = 0; i < word.n; i++)
        fine &= word.p[i] >= '0' && word.p[i] <= '9';
    return fine || sl_str_eq(word, SL_STR("any"));
}

static bool is_type(struct sl_str word)
{
    return sl_page_list_has("response,resource,conversion", word);
}

static bool is_mime(struct sl_str word)
{
    return sl_str_find(word, 0, '/') < word.n || sl_str_eq(word, SL_STR("any"));
}

static enum sl_status check_list(const char *list, const char *what, bool (*fine)(struct sl_str),
                                 struct sl_err *err)
{
    struct sl_str all = sl_str_of(list ? list : "");
    for (size_t from = 0; list && from <= all.n;) {
        size_t to = sl_str_find(all, from, ',');
        struct sl_str word = { all.p + from, to - from };
        if (!fine(word))
            return sl_err_set(err, SL_E_USAGE, "'%.*s' is no %s", (int)word.n, word.p, what);
        from = to + 1;
    }
    return SL_OK;
}

enum sl_status sl_page_choice_check(const struct sl_page_choice *choice, struct sl_err *err)
{
    SL_TRY(check_list(choice->types, "record type of response, resource and conversion", is_type,
                      err));
    SL_TRY(check_list(choice->mimes, "MIME type, nor any", is_mime, err));
    return check_list(choice->statuses, "HTTP status of three digits, nor any", is_status, err);
}

void sl_page_choice_sort(const char *types, bool *wet)
{
    if (!types)
        return;
    bool conversion = sl_page_list_has(types, SL_STR("conversion"));
    bool page =
        sl_page_list_has(types, SL_STR("response")) || sl_page_list_has(types, SL_STR("resource"));
    if (conversion != page)
        *wet = conversion;
}

/* Does the record's type make it a page here? */
static enum sl_page_verdict judge_type(const struct sl_pager *p, const struct sl_warc_record *rec)
{
    bool conversion = rec->type == SL_WARC_CONVERSION;
    bool response = rec->type == SL_WARC_RESPONSE || rec->type == SL_WARC_RESOURCE;
    if (rec->type == SL_WARC_REVISIT)
        return SL_PAGE_REVISIT;
    if (p->choice.wet ? response : conversion)
        return SL_PAGE_OTHER_SORT;
    const char *wanted = p->choice.types ? p->choice.types
                         : p->choice.wet ? "conversion"
                                         : "response";
    return sl_page_list_has(wanted, rec->type_name) ? SL_PAGE_TAKEN : SL_PAGE_OTHER_TYPE;
}

/* A lower-case copy of s in the pager's text; out of bounds: empty. The text
 * was reserved beforehand, so it does not move. */
static struct sl_str keep_lower(struct sl_pager *p, struct sl_str s)
{
    if (p->text.n + s.n > p->text.cap)
        return SL_STR("");
    char *to = (char *)p->text.p + p->text.n;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        to[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    p->text.n += s.n;
    return (struct sl_str){ to, s.n };
}

static void set_type(struct sl_pager *p, struct sl_str content_type, struct sl_page *page)
{
    struct sl_str mime, charset;
    sl_http_content_type(content_type, &mime, &charset);
    page->mime = keep_lower(p, mime);
    page->charset = keep_lower(p, charset);
}

static const char *const sniffed_names[] = {
    [SL_PAGE_HTML] = "text/html", [SL_PAGE_TEXT] = "text/plain", [SL_PAGE_OTHER] = ""
};

static bool mime_wanted(const struct sl_pager *p, const struct sl_warc_record *rec,
                        const struct sl_page *page)
{
    struct sl_str mime = page->mime;
    if (!mime.n)
        mime = rec->payload_type;
    if (!mime.n)
        mime = sl_str_of(sniffed_names[sl_page_kind_of(SL_STR(""), page->body)]);
    return sl_page_list_has(p->choice.mimes, mime);
}

/* Values of headers that may be repeated, joined. */
static enum sl_status join_header(struct sl_pager *p, const struct sl_http *http,
                                  struct sl_str name, struct sl_str *out, struct sl_err *err)
{
    size_t from = p->text.n;
    SL_TRY(sl_http_join(http, name, &p->text, err));
    *out = (struct sl_str){ (const char *)p->text.p + from, p->text.n - from };
    return SL_OK;
}

static enum sl_status set_headers(struct sl_pager *p, const struct sl_http *http,
                                  struct sl_page *page, struct sl_err *err)
{
    page->status = http->status;
    set_type(p, sl_http_header(http, SL_STR("content-type")), page);
    SL_TRY(join_header(p, http, SL_STR("content-language"), &page->content_language, err));
    SL_TRY(join_header(p, http, SL_STR("x-robots-tag"), &page->x_robots_tag, err));
    return join_header(p, http, SL_STR("tdm-reservation"), &page->tdm_reservation, err);
}

static bool status_wanted(const struct sl_pager *p, int status)
{
    char text[16];
    snprintf(text, sizeof text, "%d", status);
    return sl_page_list_has(p->choice.statuses, sl_str_of(text));
}

static enum sl_status judge_http(struct sl_pager *p, const struct sl_warc_record *rec,
                                 struct sl_page *page, enum sl_page_verdict *verdict,
                                 struct sl_err *err)
{
    struct sl_http http;
    struct sl_http_body body;
    sl_http_parse(rec->block, &http);
    if (http.fields.n > SL_PAGE_HEAD_MAX) {
        *verdict = SL_PAGE_HEAD;
        return SL_OK;
    }
    SL_TRY(set_headers(p, &http, page, err));
    page->body = http.body;
    /* A bare page without a head has no status: it was stored since it was one. */
    if (http.is_http && !status_wanted(p, http.status)) {
        *verdict = SL_PAGE_OTHER_STATUS;
        return SL_OK;
    }
    if (page->mime.n && !mime_wanted(p, rec, page)) {
        *verdict = SL_PAGE_OTHER_MIME;
        return SL_OK;
    }
    SL_TRY(sl_http_decode(p->decoder, &http, &body, err));
    page->body = body.bytes;
    page->body_notes = body.notes;
    if (body.notes & SL_HTTP_OVER_LIMIT)
        *verdict = body.bytes.n >= p->choice.max_bytes ? SL_PAGE_TOO_LARGE : SL_PAGE_BOMB;
    else if (body.bytes.n > p->choice.max_bytes)
        *verdict = SL_PAGE_TOO_LARGE;
    else if (!page->mime.n && !mime_wanted(p, rec, page))
        *verdict = SL_PAGE_OTHER_MIME;
    return SL_OK;
}

/* Resources and conversions have no HTTP head: the block is the body. */
static void judge_bare(struct sl_pager *p, const struct sl_warc_record *rec, struct sl_page *page,
                       enum sl_page_verdict *verdict)
{
    page->body = rec->block;
    page->content_language = rec->language;
    set_type(p, rec->content_type, page);
    if (rec->block.n > p->choice.max_bytes)
        *verdict = SL_PAGE_TOO_LARGE;
    else if (!mime_wanted(p, rec, page))
        *verdict = SL_PAGE_OTHER_MIME;
}

enum sl_status sl_pager_judge(struct sl_pager *p, const struct sl_warc_record *rec,
                              struct sl_page *page, enum sl_page_verdict *verdict,
                              struct sl_err *err)
{
    *page = (struct sl_page){ 0 };
    *verdict = judge_type(p, rec);
    if (*verdict != SL_PAGE_TAKEN)
        return SL_OK;
    sl_buf_reset(&p->text);
    /* All of the room at once, so that lent strings stay where they are. */
    SL_TRY(sl_buf_reserve(&p->text, TEXT_MAX, err));
    if (rec->type == SL_WARC_RESPONSE)
        return judge_http(p, rec, page, verdict, err);
    judge_bare(p, rec, page, verdict);
    return SL_OK;
}
