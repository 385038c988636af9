/* SPDX-License-Identifier: Apache-2.0 */
/* The WARC reader: opening, the order of views, and what becomes of records
 * that stand in damaged members.
 *
 * A loss is a record of its own kind and not an error, since a crawl of
 * thousands of files always has some: the caller counts them, keeps them with
 * the rejects and goes on. Errors are for inputs that are no WARC at all.
 *
 * Invariants: every byte of the input is part of a delivered record, of the
 * blank between records, of a skippable frame, or of a loss that was reported;
 * one stretch of damage is reported once. */
#include <stdlib.h>

#include "web/warc_reader.h"

/* Members of pages rarely reach over LOW bytes, so that hardly one is tried in
 * vain at the end of what is in hand; a quarter of the window is then moved. */
enum { WINDOW = 2 << 20, LOW = 512 << 10, SLACK = 1 << 20, LOOK = 1 << 20 };

static const char arc_file[] = "an ARC file, not WARC: convert it to WARC first";

static const char *const why_names[] = {
    [0] = "none",
    [SL_WARC_DAMAGED] = "damaged",
    [SL_WARC_CUT] = "cut",
    [SL_WARC_LENGTH] = "length",
    [SL_WARC_HEAD] = "head",
    [SL_WARC_OVERSIZED] = "oversized",
    [SL_WARC_RATIO] = "ratio",
};

const char *sl_warc_why_name(enum sl_warc_why why)
{
    return (unsigned)why < sizeof(why_names) / sizeof(why_names[0]) ? why_names[why] : "none";
}

enum sl_warc_form sl_warc_form(const struct sl_warc_reader *r)
{
    return r->form;
}

enum sl_status sl_warc_new(struct sl_warc_reader **out, struct sl_source *src,
                           size_t max_record_bytes, struct sl_err *err)
{
    if (max_record_bytes == 0)
        max_record_bytes = SL_WARC_RECORD_MAX;
    if (max_record_bytes > SL_SOURCE_PEEK_MAX / 2)
        return sl_err_set(err, SL_E_USAGE, "a record limit of %zu bytes is over %zu",
                          max_record_bytes, SL_SOURCE_PEEK_MAX / 2);
    struct sl_warc_reader *r = calloc(1, sizeof(*r));
    if (!r)
        return sl_err_nomem(err, sizeof(*r));
    r->max_record = max_record_bytes;
    r->raw = (struct sl_warc_window){ .src = src, .ask = WINDOW };
    r->low = LOW;
    sl_buf_init(&r->out, max_record_bytes + SLACK);
    sl_buf_init(&r->raw_copy, SL_WARC_RAW_MAX);
    sl_buf_init(&r->scratch, SL_WARC_HEAD_MAX);
    sl_buf_init(&r->probe, 64);
    sl_buf_init(&r->probe_scratch, SL_WARC_HEAD_MAX);
    sl_err_reset(&r->raw_err);
    sl_err_reset(&r->err);
    r->inflater = sl_inflater_new();
    r->unzstd = sl_unzstd_new();
    if (!r->inflater || !r->unzstd) {
        sl_warc_free(r);
        return sl_err_nomem(err, 1 << 16);
    }
    *out = r;
    return SL_OK;
}

void sl_warc_free(struct sl_warc_reader *r)
{
    if (!r)
        return;
    sl_source_free(r->stream);
    sl_inflater_free(r->inflater);
    sl_unzstd_free(r->unzstd);
    sl_buf_release(&r->out);
    sl_buf_release(&r->raw_copy);
    sl_buf_release(&r->scratch);
    sl_buf_release(&r->probe);
    sl_buf_release(&r->probe_scratch);
    free(r);
}

void sl_warc_set_window(struct sl_warc_reader *r, size_t ask, size_t low)
{
    r->raw.ask = ask;
    r->low = low;
}

static enum sl_status refuse(const char *what, struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "%s", what);
}

/* The first bytes say nothing; perhaps just these are damaged. */
static enum sl_status guess(struct sl_warc_reader *r, struct sl_err *err)
{
    bool found;
    SL_TRY(sl_warc_need(&r->raw, LOOK, err));
    struct sl_str s = sl_warc_rest(&r->raw);
    if (s.n > LOOK)
        s.n = LOOK;
    r->form = SL_WARC_PLAIN;
    SL_TRY(sl_warc_contains(r, s, &found, err));
    if (found)
        return SL_OK;
    r->form = SL_WARC_GZIP;
    SL_TRY(sl_warc_has_gzip(r, s, &found, err));
    return found ? SL_OK
                 : refuse("not a WARC file: no record and no gzip or zstd at its start", err);
}

/* Find the form by the first bytes. */
static enum sl_status start(struct sl_warc_reader *r, struct sl_err *err)
{
    SL_TRY(sl_warc_need(&r->raw, 1, err));
    SL_TRY(sl_warc_need(&r->raw, 18, err));
    struct sl_str s = sl_warc_rest(&r->raw);
    const uint8_t *p = (const uint8_t *)s.p;
    r->started = true;
    if (s.n == 0)
        return refuse("the input is empty: no WARC record", err);
    if (s.n >= 2 && p[0] == 0x1f && p[1] == 0x8b) {
        r->form = SL_WARC_GZIP;
    } else if (s.n >= 4 && (memcmp(p, "\x28\xb5\x2f\xfd", 4) == 0 ||
                            ((p[0] & 0xf0) == 0x50 && memcmp(p + 1, "\x2a\x4d\x18", 3) == 0))) {
        r->form = SL_WARC_ZSTD;
        return sl_warc_load_dict(r, err);
    } else if (sl_str_starts(s, SL_STR("filedesc:"))) {
        return refuse(arc_file, err);
    } else if (s.n >= 4 && memcmp(p, "\xff\xff\xff\xff", 4) == 0) {
        return refuse("an Arrow stream, not WARC", err);
    } else if (s.n >= 4 && memcmp(p, "\x04\x22\x4d\x18", 4) == 0) {
        return refuse("an lz4 file, which is not read", err);
    } else if (sl_str_starts(s, SL_STR("WARC/"))) {
        r->form = SL_WARC_PLAIN;
    } else {
        SL_TRY(guess(r, err));
    }
    if (r->form == SL_WARC_PLAIN) {
        r->view = r->raw;
        r->view_on = true;
    }
    return SL_OK;
}

/* The view is done with: count its bytes. */
static void leave_view(struct sl_warc_reader *r)
{
    r->base = sl_warc_pos(&r->view);
    r->view_on = r->streaming = false;
}

/* The last record of a damaged member, or the stretch behind it: a loss that
 * carries the member's reason; then on to the next member. */
static enum sl_status lose_damaged(struct sl_warc_reader *r, struct sl_warc_record *rec,
                                   struct sl_str raw, struct sl_err *err)
{
    bool own = r->cut_first || r->n_view_cuts == 0;
    SL_TRY(sl_warc_make_lost(r, rec, raw, r->view_why, r->view_reason, err));
    rec->flags &= ~(unsigned)(SL_WARC_LENGTH_WRONG | SL_WARC_LENGTH_ABSENT);
    rec->lost_bytes = sl_warc_pos(&r->view) - rec->off;
    leave_view(r);
    SL_TRY(sl_warc_search(r, r->search_from, err));
    if (own) {
        rec->flags |= SL_WARC_OWN;
        rec->off = r->member_off;
        rec->lost_bytes = sl_warc_pos(&r->raw) - r->member_off;
    }
    return SL_OK;
}

static bool view_is_done(const struct sl_warc_reader *r)
{
    const struct sl_warc_window *w = &r->view;
    size_t i = w->at;
    while (i < w->n && (w->p[i] == '\r' || w->p[i] == '\n'))
        i++;
    return w->end && i == w->n;
}

/* Does another record stand in what is left of the view? */
static bool view_goes_on(const struct sl_warc_reader *r)
{
    struct sl_str rest = sl_warc_rest(&r->view);
    while (rest.n && (rest.p[0] == '\r' || rest.p[0] == '\n'))
        rest = (struct sl_str){ rest.p + 1, rest.n - 1 };
    return sl_str_starts(rest, SL_STR("WARC/"));
}

/* The record reaches past its member: does the next one go on with it? All
 * that is missing is fetched before the record is cut again, so that a record
 * in many pieces costs no more than its bytes. */
static enum sl_status join_members(struct sl_warc_reader *r, struct sl_warc_record *rec,
                                   struct sl_err *err)
{
    size_t n_head = (size_t)(rec->block.p - (const char *)r->view.p) - r->cut_at;
    uint64_t total = r->cut_at + n_head + (uint64_t)rec->declared_bytes;
    bool joined, any = false;
    do {
        SL_TRY(sl_warc_join(r, &joined, err));
        any |= joined;
    } while (joined && r->view.n < total);
    r->view.at = r->cut_at;
    r->n_view_cuts -= 1; /* the same record is cut again */
    SL_TRY(sl_warc_cut(r, rec, err));
    if (any && rec->kind == SL_WARC_RECORD)
        rec->flags |= SL_WARC_JOINED;
    return SL_OK;
}

/* A record or loss was cut out of a member: what is it really? */
static enum sl_status settle(struct sl_warc_reader *r, struct sl_warc_record *rec,
                             struct sl_err *err)
{
    if (r->streaming && r->view.damaged && view_is_done(r)) {
        r->view_why = SL_WARC_DAMAGED;
        r->view_reason = "the member is damaged here; what follows in it is lost";
        r->search_from = sl_warc_pos(&r->raw);
        return lose_damaged(r, rec, rec->block, err);
    }
    if (r->view_damaged) {
        if (!view_goes_on(r)) {
            r->view.at = r->view.n; /* what the damage left behind the record */
            struct sl_str raw = { (const char *)r->out.p + r->cut_at, r->out.n - r->cut_at };
            return lose_damaged(r, rec, raw, err);
        }
        if (rec->kind == SL_WARC_RECORD)
            rec->flags |= SL_WARC_UNVERIFIED;
        return SL_OK;
    }
    if (rec->kind == SL_WARC_RECORD && r->cut_short && r->cut_last && !r->streaming)
        SL_TRY(join_members(r, rec, err));
    if (r->cut_first && r->cut_last) {
        rec->flags |= SL_WARC_OWN;
        rec->off = r->member_off;
        if (rec->kind == SL_WARC_LOST)
            rec->lost_bytes = sl_warc_pos(&r->raw) - r->member_off;
    }
    return SL_OK;
}

/* Nothing more in the view. A damaged one has its loss yet to come. */
static enum sl_status end_view(struct sl_warc_reader *r, struct sl_warc_record *rec, bool *lost,
                               struct sl_err *err)
{
    *lost = false;
    if (r->streaming && r->view.damaged) {
        *lost = true;
        memset(rec, 0, sizeof(*rec));
        rec->off = sl_warc_pos(&r->view);
        r->view_why = SL_WARC_DAMAGED;
        r->view_reason = "the member is damaged here; what follows in it is lost";
        r->search_from = sl_warc_pos(&r->raw);
        return lose_damaged(r, rec, (struct sl_str){ NULL, 0 }, err);
    }
    leave_view(r);
    return SL_OK;
}

static enum sl_status next_record(struct sl_warc_reader *r, struct sl_warc_record *rec,
                                  struct sl_err *err)
{
    if (!r->started)
        SL_TRY(start(r, err));
    for (;;) {
        if (!r->view_on) {
            SL_TRY(sl_warc_load(r, rec, err));
            if (!r->view_on)
                return SL_OK;
        }
        enum sl_status st = sl_warc_cut(r, rec, err);
        if (r->form == SL_WARC_PLAIN)
            return st;
        if (st == SL_OK)
            return settle(r, rec, err);
        if (st != SL_END)
            return st;
        bool lost;
        SL_TRY(end_view(r, rec, &lost, err));
        if (lost)
            return SL_OK;
    }
}

/* A file of which nothing could be read is no WARC. */
static enum sl_status check_first(struct sl_warc_reader *r, const struct sl_warc_record *rec,
                                  struct sl_err *err)
{
    if (r->any || rec->kind != SL_WARC_LOST || rec->why != SL_WARC_DAMAGED || r->view_damaged)
        return SL_OK;
    if (sl_str_starts(rec->block, SL_STR("filedesc:")))
        return refuse(arc_file, err);
    bool more = r->view_on && !view_is_done(r);
    if (!more && r->form != SL_WARC_PLAIN) {
        SL_TRY(sl_warc_need(&r->raw, 1, err));
        more = sl_warc_have(&r->raw) > 0;
    }
    if (!more && !sl_str_starts(rec->block, SL_STR("WARC/")))
        return refuse("not a WARC file: no record in it", err);
    return SL_OK;
}

enum sl_status sl_warc_next(struct sl_warc_reader *r, struct sl_warc_record *rec,
                            struct sl_err *err)
{
    if (r->err.status != SL_OK) {
        sl_err_keep(err, &r->err);
        return r->err.status;
    }
    enum sl_status st = next_record(r, rec, &r->err);
    if (st == SL_OK)
        st = check_first(r, rec, &r->err);
    if (st == SL_OK) {
        r->any = true;
        return SL_OK;
    }
    if (st == SL_END && r->any)
        return SL_END;
    if (st == SL_END)
        st = sl_err_set(&r->err, SL_E_DATA, "no WARC record in the input");
    if (r->raw_err.status != SL_OK) {
        r->err = r->raw_err;
        st = r->err.status;
    }
    sl_err_at(&r->err, r->raw.src ? sl_source_name(r->raw.src) : NULL, -1, -1);
    sl_err_keep(err, &r->err);
    return st;
}
