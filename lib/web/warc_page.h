/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_WEB_WARC_PAGE_H
#define SL_WEB_WARC_PAGE_H

/* From a WARC record to a page: HTTP head parsed, body decoded, type and status
 * judged. One place for what counts as a page, apart from how it is stored.
 *
 * Lifetime  a page's strings die at the pager's next record.
 * Threads   one thread a pager. */

#include "base/buf.h"
#include "web/http.h"
#include "web/warc.h"

/* What the user wants. Lists are comma-separated, lower case; "any" takes all. */
struct sl_page_choice {
    const char *types;    /* of "response,resource,conversion"; NULL: responses, or
                             conversions in a stream of WET */
    const char *mimes;    /* "text/html,application/xhtml+xml,text/plain" */
    const char *statuses; /* "200,404" */
    uint64_t max_bytes;   /* of a decoded body */
    bool wet;             /* the stream is WET: conversions are pages */
};

enum sl_page_verdict {
    SL_PAGE_TAKEN,
    SL_PAGE_OTHER_TYPE, /* warcinfo, request, metadata, ... */
    SL_PAGE_OTHER_SORT, /* a WET record among responses, or the reverse */
    SL_PAGE_REVISIT,
    SL_PAGE_OTHER_STATUS,
    SL_PAGE_OTHER_MIME,
    SL_PAGE_TOO_LARGE, /* the body is over max_bytes */
    SL_PAGE_BOMB,      /* the body inflates beyond the ratio limit */
    SL_PAGE_HEAD       /* an HTTP head over SL_PAGE_HEAD_MAX */
};

#define SL_PAGE_HEAD_MAX ((size_t)1 << 20)

struct sl_page {
    struct sl_str body;
    unsigned body_notes;         /* enum sl_http_note */
    int status;                  /* 0: none */
    struct sl_str mime, charset; /* lower case; empty: none */
    struct sl_str content_language, x_robots_tag, tdm_reservation;
};

struct sl_pager;

/* Are the lists of a choice ones that can choose anything? SL_E_USAGE names the
 * word that cannot. */
SL_MUST_USE enum sl_status sl_page_choice_check(const struct sl_page_choice *choice,
                                                struct sl_err *err);
/* The types choose one sort of records alone: sets wet to whether it is WET. */
void sl_page_choice_sort(const char *types, bool *wet);

/* The choice is copied (its strings are borrowed). NULL: out of memory. */
struct sl_pager *sl_pager_new(const struct sl_page_choice *choice);
void sl_pager_free(struct sl_pager *p);

/* Judge a record (not a loss) and fill the page where it is taken or too large. */
SL_MUST_USE enum sl_status sl_pager_judge(struct sl_pager *p, const struct sl_warc_record *rec,
                                          struct sl_page *page, enum sl_page_verdict *verdict,
                                          struct sl_err *err);

/* The word stands in a comma-separated list, or the list is "any". */
bool sl_page_list_has(const char *list, struct sl_str word);

#endif
