/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_WEB_WARC_READER_H
#define SL_WEB_WARC_READER_H

/* Inside of the WARC reader: windows, the cutting of records, members.
 * Programs include warc.h.
 *
 * raw     window over the file's bytes as they are
 * view    window over WARC bytes: the file itself (plain), one decompressed
 *         member in memory, or a source that decompresses as it goes (a member
 *         too large to hold) */

#include "io/member.h"
#include "web/warc_head.h"

/* A lookahead over a source, or over memory where src is NULL. */
struct sl_warc_window {
    struct sl_source *src;
    const uint8_t *p;
    size_t n;     /* bytes at p */
    size_t at;    /* those behind us */
    size_t ask;   /* least bytes asked of the source at a time */
    int64_t off;  /* offset of p[0] */
    bool end;     /* nothing follows p + n */
    bool damaged; /* ... because the source found damage there */
};

struct sl_warc_reader {
    enum sl_warc_form form;
    size_t max_record;
    size_t low; /* ask for more of the file where less is in hand */
    struct sl_warc_window raw, view;
    bool started;
    bool view_on;
    bool view_damaged; /* the member's decoding failed behind the view's end */
    bool streaming;    /* view runs over stream */
    bool any;          /* a record was delivered */
    bool has_dict;     /* zstd frames need a dictionary */
    enum sl_warc_why view_why;
    const char *view_reason;
    int64_t member_off;  /* of the view's member in the file */
    int64_t base;        /* decompressed bytes before the view */
    int64_t search_from; /* where to go on behind a damaged view */
    int64_t suspect_end; /* see member_failed */
    unsigned n_suspects;
    unsigned n_bad_tries;
    struct sl_buf out; /* the member's bytes */
    struct sl_buf raw_copy, scratch, probe, probe_scratch;
    struct sl_inflater *inflater;
    struct sl_unzstd *unzstd;
    struct sl_source *stream;
    struct sl_err raw_err; /* of a read below the stream */
    struct sl_err err;     /* sticky */
    /* Of the record that was cut last. */
    bool cut_first, cut_last; /* nothing but blank lines before, behind it in the view */
    bool cut_short;           /* its length reaches past the view */
    unsigned n_view_cuts;     /* cuts out of this view */
    size_t cut_at;            /* where it began in the view */
};

/* Make min bytes stand behind w->at, or all that are left. p moves; offsets
 * relative to at stay right. */
SL_MUST_USE enum sl_status sl_warc_need(struct sl_warc_window *w, size_t min, struct sl_err *err);

static inline size_t sl_warc_have(const struct sl_warc_window *w)
{
    return w->n - w->at;
}
static inline struct sl_str sl_warc_rest(const struct sl_warc_window *w)
{
    return (struct sl_str){ (const char *)w->p + w->at, w->n - w->at };
}
static inline int64_t sl_warc_pos(const struct sl_warc_window *w)
{
    return w->off + (int64_t)w->at;
}

/* Cut the next record or loss out of r->view. SL_END where none is left. */
SL_MUST_USE enum sl_status sl_warc_cut(struct sl_warc_reader *r, struct sl_warc_record *rec,
                                       struct sl_err *err);
/* Whether a record's head stands somewhere in s behind its first byte. */
SL_MUST_USE enum sl_status sl_warc_contains(struct sl_warc_reader *r, struct sl_str s, bool *found,
                                            struct sl_err *err);
/* Make rec a loss whose first bytes are raw (copied). off and flags stay. */
SL_MUST_USE enum sl_status sl_warc_make_lost(struct sl_warc_reader *r, struct sl_warc_record *rec,
                                             struct sl_str raw, enum sl_warc_why why,
                                             const char *reason, struct sl_err *err);

/* Windows of other sizes, before the first record: for tests of their ends. */
void sl_warc_set_window(struct sl_warc_reader *r, size_t ask, size_t low);

/* Load the next member or frame into the view, or make rec a loss.
 * Returns  SL_OK (view_on: a view; else rec is a loss); SL_END; errors. */
SL_MUST_USE enum sl_status sl_warc_load(struct sl_warc_reader *r, struct sl_warc_record *rec,
                                        struct sl_err *err);
/* Append the next gzip member to the view where it goes on with the record
 * that the view ends in; *joined says whether. */
SL_MUST_USE enum sl_status sl_warc_join(struct sl_warc_reader *r, bool *joined, struct sl_err *err);
/* Go to the next plausible member or frame behind file offset `from`. */
SL_MUST_USE enum sl_status sl_warc_search(struct sl_warc_reader *r, int64_t from,
                                          struct sl_err *err);
/* Read a leading dictionary frame. */
SL_MUST_USE enum sl_status sl_warc_load_dict(struct sl_warc_reader *r, struct sl_err *err);
/* Whether a plausible gzip member begins somewhere in s. */
SL_MUST_USE enum sl_status sl_warc_has_gzip(struct sl_warc_reader *r, struct sl_str s, bool *found,
                                            struct sl_err *err);

#endif
