/* SPDX-License-Identifier: Apache-2.0 */
/* Members of gzip and frames of zstd for the WARC reader.
 *
 * The fast path inflates a member out of the window over the file straight
 * into one reused buffer, from which records are slices. Only where that fails
 * is the member decoded again, as far as it goes, to see what it was: cut,
 * damaged, too large for one record, or a whole file in one member.
 *
 * Hostile inputs: members that overlap (one inside the stored bytes of another,
 * sharing a long tail) could make each search step cost a whole member. So
 * failures that begin inside what an earlier failure consumed are counted, and
 * after MAX_SUSPECTS of them we go on near the end of all of it (where damage
 * was noticed, a sound member may already have begun). */
#include "web/warc_reader.h"

#include <errno.h>

#include "base/num.h"

enum {
    PROBE_IN = 1024, /* compressed bytes that a candidate may need to show "WARC/" */
    PROBE_OUT = 64,
    MAX_SUSPECTS = 16,
    SUSPECT_BACK = 512,
    MAX_BAD_TRIES = 64, /* zstd frames that a search decodes in vain, in a file */
    OVER_LOOK = 1 << 20,
    DICT_MAX = 16 << 20
};

static const uint8_t zstd_magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };

static bool begins_warc(struct sl_str s)
{
    while (s.n && (s.p[0] == '\r' || s.p[0] == '\n')) {
        s.p++;
        s.n--;
    }
    return sl_str_starts(s, SL_STR("WARC/"));
}

static bool over_ratio(size_t n_out, size_t n_in)
{
    return n_out > SL_WARC_RATIO_FREE && n_out / SL_WARC_RATIO_MAX > n_in;
}

/* Most compressed bytes that are held for one member. */
static size_t in_max(const struct sl_warc_reader *r)
{
    return r->out.max + r->out.max / 8 + (1 << 20);
}

/* Show out as the view. */
static void view_memory(struct sl_warc_reader *r)
{
    r->view = (struct sl_warc_window){ .p = r->out.p, .n = r->out.n, .end = true, .off = r->base };
    r->view_on = true;
    r->view_damaged = r->streaming = false;
    r->n_view_cuts = 0;
}

/* ---- search ---- */

static enum sl_status probe_gzip(struct sl_warc_reader *r, struct sl_str in, bool *yes,
                                 struct sl_err *err)
{
    const uint8_t *p = (const uint8_t *)in.p;
    *yes = false;
    if (in.n < 18 || p[0] != 0x1f || p[1] != 0x8b || p[2] != 8 || (p[3] & 0xe0) != 0)
        return SL_OK;
    if (in.n > PROBE_IN)
        in.n = PROBE_IN;
    struct sl_decoded end;
    sl_buf_reset(&r->probe);
    SL_TRY(sl_inflate_prefix(SL_INFLATE_GZIP, in, &r->probe, &end, err));
    *yes = begins_warc(sl_buf_str(&r->probe));
    return SL_OK;
}

static bool begins_zstd(const struct sl_warc_window *w)
{
    struct sl_str s = sl_warc_rest(w);
    return s.n >= 4 && memcmp(s.p, zstd_magic, 4) == 0;
}

/* A frame must decode to its end: zstd offers no cheap look at the first bytes.
 * It is decoded into out. */
static enum sl_status probe_zstd(struct sl_warc_reader *r, size_t at, bool *yes, struct sl_err *err)
{
    *yes = false;
    if (r->n_bad_tries >= MAX_BAD_TRIES)
        return SL_OK;
    for (size_t want = r->low;;) {
        SL_TRY(sl_warc_need(&r->raw, at + want, err));
        struct sl_str in = sl_warc_rest(&r->raw);
        in = (struct sl_str){ in.p + at, in.n - at };
        size_t used;
        bool more;
        sl_buf_reset(&r->out);
        enum sl_status st = sl_zstd_frame(r->unzstd, in, &r->out, &used, &more, NULL);
        if (st == SL_E_SYSTEM)
            return sl_err_nomem(err, r->out.max);
        if (st == SL_OK && more && !r->raw.end && in.n < in_max(r)) {
            want = 2 * in.n;
            continue;
        }
        *yes = st == SL_OK && !more && begins_warc(sl_buf_str(&r->out));
        r->n_bad_tries += !*yes;
        return SL_OK;
    }
}

/* Offset of the next byte at or after `from` that may begin a member; n: none. */
static size_t next_magic(enum sl_warc_form form, struct sl_str s, size_t from)
{
    const void *q = NULL;
    if (from < s.n && form == SL_WARC_GZIP)
        q = memmem(s.p + from, s.n - from, "\x1f\x8b\x08", 3);
    else if (from < s.n)
        q = memmem(s.p + from, s.n - from, zstd_magic, sizeof(zstd_magic));
    return q ? (size_t)((const char *)q - s.p) : s.n;
}

enum sl_status sl_warc_search(struct sl_warc_reader *r, int64_t from, struct sl_err *err)
{
    struct sl_warc_window *w = &r->raw;
    while (sl_warc_pos(w) < from && !(w->end && sl_warc_have(w) == 0)) {
        SL_TRY(sl_warc_need(w, 1, err));
        int64_t step = from - sl_warc_pos(w);
        w->at += step < (int64_t)sl_warc_have(w) ? (size_t)step : sl_warc_have(w);
    }
    for (;;) {
        SL_TRY(sl_warc_need(w, r->low, err));
        size_t at = next_magic(r->form, sl_warc_rest(w), 0);
        if (at == sl_warc_have(w)) {
            /* The last three bytes may begin a magic number. */
            w->at = w->end || sl_warc_have(w) < 4 ? w->n : w->n - 3;
            if (w->end)
                return SL_OK;
            continue;
        }
        w->at += at;
        bool yes = false;
        SL_TRY(sl_warc_need(w, PROBE_IN, err));
        if (r->form == SL_WARC_GZIP)
            SL_TRY(probe_gzip(r, sl_warc_rest(w), &yes, err));
        else
            SL_TRY(probe_zstd(r, 0, &yes, err));
        if (yes)
            return SL_OK;
        w->at++;
    }
}

enum sl_status sl_warc_has_gzip(struct sl_warc_reader *r, struct sl_str s, bool *found,
                                struct sl_err *err)
{
    *found = false;
    for (size_t at = 0; !*found && (at = next_magic(SL_WARC_GZIP, s, at)) < s.n; at++)
        SL_TRY(probe_gzip(r, (struct sl_str){ s.p + at, s.n - at }, found, err));
    return SL_OK;
}

/* A loss that no view shows: of the member at member_off. Reading goes on at
 * the next member from `from` on. */
static enum sl_status lose_member(struct sl_warc_reader *r, struct sl_warc_record *rec,
                                  enum sl_warc_why why, const char *reason, int64_t from,
                                  struct sl_err *err)
{
    memset(rec, 0, sizeof(*rec));
    rec->off = r->member_off;
    rec->flags = SL_WARC_OWN;
    SL_TRY(sl_warc_make_lost(r, rec, sl_buf_str(&r->out), why, reason, err));
    if (from > sl_warc_pos(&r->raw))
        SL_TRY(sl_warc_search(r, from, err));
    rec->lost_bytes = sl_warc_pos(&r->raw) - r->member_off;
    return SL_OK;
}

/* ---- members too large to hold ---- */

static ssize_t read_raw(void *ctx, void *buf, size_t n)
{
    struct sl_warc_reader *r = ctx;
    if (sl_warc_need(&r->raw, 1, &r->raw_err) != SL_OK) {
        errno = EIO;
        return -1;
    }
    size_t have = sl_warc_have(&r->raw);
    if (n > have)
        n = have;
    if (n)
        memcpy(buf, r->raw.p + r->raw.at, n);
    r->raw.at += n;
    return (ssize_t)n;
}

/* Stream all members from here on. */
static enum sl_status view_stream(struct sl_warc_reader *r, struct sl_err *err)
{
    struct sl_source_backend backend = { .read = read_raw, .ctx = r };
    sl_source_free(r->stream);
    r->stream = NULL;
    SL_TRY(sl_source_open_backend(&r->stream, backend, "member", SL_SOURCE_AUTO, err));
    r->view = (struct sl_warc_window){ .src = r->stream, .ask = 1, .off = r->base };
    r->view_on = r->streaming = true;
    r->view_damaged = false;
    r->n_view_cuts = 0;
    return SL_OK;
}

/* Whether the first record of out ends inside it, with another behind it. */
static enum sl_status holds_several(struct sl_warc_reader *r, bool *yes, struct sl_err *err)
{
    struct sl_warc_record rec = { 0 };
    enum sl_warc_head_end end;
    size_t n_head;
    struct sl_str s = sl_buf_str(&r->out);
    SL_TRY(sl_warc_head_parse(s, &rec, &r->probe_scratch, &n_head, &end, err));
    *yes = false;
    if (end != SL_WARC_HEAD_OK || rec.declared_bytes < 0 ||
        (uint64_t)rec.declared_bytes >= s.n - n_head)
        return SL_OK;
    size_t at = n_head + (size_t)rec.declared_bytes;
    *yes = begins_warc((struct sl_str){ s.p + at, s.n - at });
    return SL_OK;
}

/* ---- a member that did not decode ---- */

/* Remember that the member at member_off consumed n bytes and failed. Returns
 * the offset from which to search. */
static int64_t member_failed(struct sl_warc_reader *r, size_t n)
{
    int64_t end = r->member_off + (int64_t)n;
    if (r->member_off >= r->suspect_end)
        r->n_suspects = 0;
    r->n_suspects++;
    if (end > r->suspect_end)
        r->suspect_end = end;
    if (r->n_suspects <= MAX_SUSPECTS)
        return r->member_off + 1;
    r->n_suspects = 0;
    int64_t near = r->suspect_end - SUSPECT_BACK;
    return near > r->member_off ? near : r->member_off + 1;
}

/* Size of its content that a zstd frame announces; 0 where it does not. */
static uint64_t zstd_content_size(struct sl_str in)
{
    static const uint8_t dict_id_bytes[4] = { 0, 1, 2, 4 };
    if (in.n < 18 || memcmp(in.p, zstd_magic, 4) != 0)
        return 0;
    uint8_t d = (uint8_t)in.p[4];
    bool single = d & 0x20;
    const char *p = in.p + 5 + !single + dict_id_bytes[d & 3];
    switch (d >> 6) {
    case 0:
        return single ? (uint8_t)*p : 0;
    case 1:
        return sl_load16(p) + 256U;
    case 2:
        return sl_load32(p);
    default:
        return sl_load64(p);
    }
}

/* As much of the zstd frame at raw as can be had, by a streaming source. */
static enum sl_status zstd_prefix(struct sl_warc_reader *r, bool cut, struct sl_decoded *end,
                                  struct sl_err *err)
{
    struct sl_source *s = NULL;
    bool over = zstd_content_size(sl_warc_rest(&r->raw)) > r->out.max;
    if (over)
        SL_TRY(sl_warc_need(&r->raw, OVER_LOOK, err));
    struct sl_str in = sl_warc_rest(&r->raw);
    if (over && in.n > OVER_LOOK)
        in.n = OVER_LOOK;
    SL_TRY(sl_source_open_mem(&s, in, "frame", SL_SOURCE_AUTO, err));
    enum sl_status st = SL_OK;
    bool can = begins_zstd(&r->raw) && !r->has_dict;
    while (st == SL_OK && can && r->out.n < r->out.max) {
        const uint8_t *p;
        size_t n, room = r->out.max - r->out.n;
        if (sl_source_peek(s, 1, &p, &n, NULL) != SL_OK || n == 0)
            break;
        n = n < room ? n : room;
        st = sl_buf_add(&r->out, p, n, err);
        sl_source_consume(s, n);
    }
    sl_source_free(s);
    *end = (struct sl_decoded){ .how = over || r->out.n == r->out.max ? SL_ENDED_FULL
                                       : cut                          ? SL_ENDED_CUT
                                                                      : SL_ENDED_BAD,
                                .consumed = 1 };
    return st;
}

static const char *reason_of(const struct sl_warc_reader *r, enum sl_warc_why why)
{
    bool gzip = r->form == SL_WARC_GZIP;
    switch (why) {
    case SL_WARC_RATIO:
        return gzip ? "a gzip member over the ratio limit of 512"
                    : "a zstd frame over the ratio limit of 512";
    case SL_WARC_OVERSIZED:
        return gzip ? "a gzip member over the size limit" : "a zstd frame over the size limit";
    case SL_WARC_CUT:
        return gzip ? "the input ends inside the gzip member"
                    : "the input ends inside the zstd frame";
    default:
        return gzip ? "the gzip member is damaged or its checksum is wrong"
                    : "the zstd frame is damaged or its checksum is wrong";
    }
}

/* The member or frame at raw was refused. cut: since the input ends in it. */
static enum sl_status failed(struct sl_warc_reader *r, struct sl_warc_record *rec, bool cut,
                             struct sl_err *err)
{
    struct sl_decoded end;
    sl_buf_reset(&r->out);
    if (r->form == SL_WARC_GZIP)
        SL_TRY(sl_inflate_prefix(SL_INFLATE_GZIP, sl_warc_rest(&r->raw), &r->out, &end, err));
    else
        SL_TRY(zstd_prefix(r, cut, &end, err));
    bool several = false, full = end.how == SL_ENDED_FULL;
    bool bomb = r->form == SL_WARC_GZIP && over_ratio(r->out.n, end.consumed);
    if (full)
        SL_TRY(holds_several(r, &several, err));
    if (several && !bomb)
        return view_stream(r, err);
    int64_t next = member_failed(r, end.consumed);
    if (bomb || full) {
        /* Valid so far, so no other member begins inside it. */
        enum sl_warc_why why = bomb ? SL_WARC_RATIO : SL_WARC_OVERSIZED;
        return lose_member(r, rec, why, reason_of(r, why), r->member_off + (int64_t)end.consumed,
                           err);
    }
    r->view_why = end.how == SL_ENDED_CUT ? SL_WARC_CUT : SL_WARC_DAMAGED;
    r->view_reason = reason_of(r, r->view_why);
    if (begins_warc(sl_buf_str(&r->out))) {
        view_memory(r);
        r->view_damaged = true;
        r->search_from = next;
        return SL_OK;
    }
    bool begins = r->form == SL_WARC_GZIP ? end.consumed >= 2 : begins_zstd(&r->raw);
    if (!begins && r->form == SL_WARC_GZIP)
        r->view_reason = "no gzip member begins here";
    else if (!begins)
        r->view_reason = "no zstd frame begins here";
    return lose_member(r, rec, r->view_why, r->view_reason, next, err);
}

/* Decode the member or frame at raw into out, with as much input as it takes.
 * *st: SL_OK and *more as of the decoder, or SL_E_DATA. */
static enum sl_status decode(struct sl_warc_reader *r, size_t *used, bool *more, enum sl_status *st,
                             struct sl_err *err)
{
    struct sl_warc_window *w = &r->raw;
    size_t kept = r->out.n;
    for (;;) {
        struct sl_err local = SL_ERR_INIT;
        struct sl_str in = sl_warc_rest(w);
        if (r->form == SL_WARC_GZIP)
            *st = sl_inflate_gzip_member(r->inflater, in, &r->out, used, more, &local);
        else
            *st = sl_zstd_frame(r->unzstd, in, &r->out, used, more, &local);
        if (*st == SL_E_SYSTEM) {
            sl_err_keep(err, &local);
            return *st;
        }
        if (*st != SL_OK || !*more || w->end || in.n > in_max(r))
            break;
        SL_TRY(sl_warc_need(w, 2 * in.n, err));
        r->out.n = kept;
    }
    return SL_OK;
}

static enum sl_status load_member(struct sl_warc_reader *r, struct sl_warc_record *rec,
                                  struct sl_err *err)
{
    size_t used = 0;
    bool more = false;
    enum sl_status st;
    SL_TRY(decode(r, &used, &more, &st, err));
    if (st != SL_OK || more)
        return failed(r, rec, st == SL_OK, err);
    r->raw.at += used;
    if (over_ratio(r->out.n, used))
        return lose_member(r, rec, SL_WARC_RATIO, reason_of(r, SL_WARC_RATIO), 0, err);
    view_memory(r);
    return SL_OK;
}

enum sl_status sl_warc_join(struct sl_warc_reader *r, bool *joined, struct sl_err *err)
{
    *joined = false;
    if (r->form != SL_WARC_GZIP)
        return SL_OK;
    SL_TRY(sl_warc_need(&r->raw, r->low, err));
    if (sl_warc_have(&r->raw) == 0)
        return SL_OK;
    size_t kept = r->out.n, used = 0;
    bool more = false;
    enum sl_status st;
    SL_TRY(decode(r, &used, &more, &st, err));
    struct sl_str added = { (const char *)r->out.p + kept, r->out.n - kept };
    if (st == SL_OK && !more && !begins_warc(added)) {
        r->raw.at += used;
        *joined = true;
    } else {
        r->out.n = kept;
    }
    r->view.p = r->out.p;
    r->view.n = r->out.n;
    return SL_OK;
}

/* ---- zstd ---- */

static bool is_skippable(struct sl_str s)
{
    return s.n >= 4 && (sl_load32(s.p) & 0xfffffff0U) == 0x184d2a50U;
}

/* Go over n bytes of the file; fewer where it ends before. */
static enum sl_status skip_raw(struct sl_warc_reader *r, uint64_t n, struct sl_err *err)
{
    while (n) {
        SL_TRY(sl_warc_need(&r->raw, 1, err));
        size_t have = sl_warc_have(&r->raw);
        if (have == 0)
            return SL_OK;
        size_t step = n < have ? (size_t)n : have;
        r->raw.at += step;
        n -= step;
    }
    return SL_OK;
}

enum sl_status sl_warc_load_dict(struct sl_warc_reader *r, struct sl_err *err)
{
    struct sl_str s = sl_warc_rest(&r->raw);
    if (s.n < 8 || sl_load32(s.p) != 0x184d2a5dU)
        return SL_OK;
    size_t n = sl_load32(s.p + 4);
    if (n > DICT_MAX)
        return sl_err_set(err, SL_E_DATA, "a zstd dictionary of %zu bytes is over the limit of %d",
                          n, DICT_MAX);
    SL_TRY(sl_warc_need(&r->raw, 8 + n, err));
    s = sl_warc_rest(&r->raw);
    if (s.n < 8 + n)
        return sl_err_set(err, SL_E_DATA, "the input ends inside the zstd dictionary");
    struct sl_str dict = { s.p + 8, n };
    struct sl_buf plain;
    sl_buf_init(&plain, DICT_MAX);
    enum sl_status st = SL_OK;
    if (n >= 4 && memcmp(dict.p, zstd_magic, 4) == 0) {
        size_t used;
        st = sl_zstd_frame(r->unzstd, dict, &plain, &used, NULL, err);
        dict = sl_buf_str(&plain);
    }
    if (st == SL_OK)
        st = sl_unzstd_set_dict(r->unzstd, dict, err);
    r->has_dict = true;
    sl_buf_release(&plain);
    r->raw.at += 8 + n;
    return st;
}

enum sl_status sl_warc_load(struct sl_warc_reader *r, struct sl_warc_record *rec,
                            struct sl_err *err)
{
    rec->kind = 0;
    while (!r->view_on && rec->kind == 0) {
        if (sl_warc_have(&r->raw) < r->low)
            SL_TRY(sl_warc_need(&r->raw, r->low, err));
        if (sl_warc_have(&r->raw) == 0)
            return SL_END;
        sl_buf_reset(&r->out);
        r->member_off = sl_warc_pos(&r->raw);
        struct sl_str in = sl_warc_rest(&r->raw);
        if (r->form == SL_WARC_ZSTD && is_skippable(in) && in.n >= 8)
            SL_TRY(skip_raw(r, 8 + (uint64_t)sl_load32(in.p + 4), err));
        else
            SL_TRY(load_member(r, rec, err));
    }
    return SL_OK;
}
