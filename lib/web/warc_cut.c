/* SPDX-License-Identifier: Apache-2.0 */
/* Records out of a run of WARC bytes.
 *
 * A record is believed when its head parses and its length leads to a border:
 * a blank line, another record, or the end. Of two doubtful readings the one
 * that loses least is taken: blank lines behind a block mean that the block is
 * whole and that what follows them is what was damaged.
 *
 * A search for the next record begins behind the lost one's head, not at the
 * end that its length claims, since a length that lies long would jump over
 * whole records. The price is known: a lost record that holds another WARC in
 * plain bytes may give us that one's records.
 *
 * Rejected: trusting lengths beyond max_record (a lie of 2^62 would swallow the
 * rest of the file), and repairing a plain file's lengths (nothing vouches for
 * the bytes between two heads; in a gzip member its checksum does). */
#include "web/warc_reader.h"

enum { TAIL = 64, WARCINFO_MAX = 1 << 18 };

static const char long_length[] = "Content-Length is wrong: another record begins before its end";
static const char over_size[] = "a record over the size limit";
static const char ends_inside[] = "the input ends inside the record";

enum border { BORDER_NONE, BORDER_BLANK, BORDER_SURE };

static bool is_blank(uint8_t c)
{
    return c == '\r' || c == '\n';
}

enum sl_status sl_warc_need(struct sl_warc_window *w, size_t min, struct sl_err *err)
{
    if (w->n - w->at >= min || w->end)
        return SL_OK;
    sl_source_consume(w->src, w->at);
    w->off += (int64_t)w->at;
    w->at = w->n = 0;
    size_t ask = min > w->ask ? min : w->ask;
    struct sl_err local = SL_ERR_INIT;
    enum sl_status st = sl_source_peek(w->src, ask, &w->p, &w->n, &local);
    if (st == SL_OK) {
        w->end = w->n < ask;
        return SL_OK;
    }
    w->n = 0;
    w->end = true;
    w->damaged = st == SL_E_DATA;
    if (w->damaged)
        return SL_OK;
    sl_err_keep(err, &local);
    return st;
}

static enum sl_status skip_blank(struct sl_warc_window *w, struct sl_err *err)
{
    for (;;) {
        SL_TRY(sl_warc_need(w, 1, err));
        while (w->at < w->n && is_blank(w->p[w->at]))
            w->at++;
        if (w->at < w->n || w->end)
            return SL_OK;
    }
}

/* Does a record's head with a type stand at s? */
static enum sl_status plausible(struct sl_warc_reader *r, struct sl_str s, bool *yes,
                                struct sl_err *err)
{
    struct sl_warc_record rec = { 0 };
    enum sl_warc_head_end end;
    size_t n_head;
    SL_TRY(sl_warc_head_parse(s, &rec, &r->probe_scratch, &n_head, &end, err));
    *yes = end == SL_WARC_HEAD_OK && rec.type_name.n > 0;
    return SL_OK;
}

/* Move w to the next plausible record at least `from` bytes (>= 1) behind
 * w->at; to the end where there is none. */
static enum sl_status find_record(struct sl_warc_reader *r, struct sl_warc_window *w, size_t from,
                                  bool *found, struct sl_err *err)
{
    *found = false;
    for (;;) {
        SL_TRY(sl_warc_need(w, from + w->ask, err));
        struct sl_str rest = sl_warc_rest(w);
        while (from < rest.n) {
            const char *q = memmem(rest.p + from, rest.n - from, "WARC/", 5);
            if (!q)
                break;
            from = (size_t)(q - rest.p);
            if (q[-1] == '\n') {
                SL_TRY(sl_warc_need(w, from + SL_WARC_HEAD_MAX, err));
                rest = sl_warc_rest(w);
                if (from >= rest.n)
                    break;
                struct sl_str head = { rest.p + from, rest.n - from };
                SL_TRY(plausible(r, head, found, err));
                if (*found) {
                    w->at += from;
                    return SL_OK;
                }
            }
            from++;
        }
        if (w->end) {
            w->at = w->n;
            return SL_OK;
        }
        /* Keep what may be the beginning of "\nWARC/". */
        size_t keep = rest.n < 6 ? rest.n : 6;
        w->at = w->n - keep;
        from = 1;
    }
}

enum sl_status sl_warc_contains(struct sl_warc_reader *r, struct sl_str s, bool *found,
                                struct sl_err *err)
{
    struct sl_warc_window w = { .p = (const uint8_t *)s.p, .n = s.n, .end = true };
    *found = false;
    return s.n > 1 ? find_record(r, &w, 1, found, err) : SL_OK;
}

enum sl_status sl_warc_make_lost(struct sl_warc_reader *r, struct sl_warc_record *rec,
                                 struct sl_str raw, enum sl_warc_why why, const char *reason,
                                 struct sl_err *err)
{
    if (raw.n > SL_WARC_RAW_MAX)
        raw.n = SL_WARC_RAW_MAX;
    sl_buf_reset(&r->raw_copy);
    SL_TRY(sl_buf_add_str(&r->raw_copy, raw, err));
    enum sl_warc_head_end end;
    size_t n_head;
    SL_TRY(sl_warc_head_parse(sl_buf_str(&r->raw_copy), rec, &r->scratch, &n_head, &end, err));
    rec->kind = SL_WARC_LOST;
    rec->block = sl_buf_str(&r->raw_copy);
    rec->why = why;
    rec->reason = reason;
    return SL_OK;
}

/* The record at w->at is lost: report it and go to the next. */
static enum sl_status lose(struct sl_warc_reader *r, struct sl_warc_record *rec, size_t from,
                           enum sl_warc_why why, const char *reason, struct sl_err *err)
{
    struct sl_warc_window *w = &r->view;
    bool found;
    /* What is kept of it must not depend on how much happens to be in hand. */
    SL_TRY(sl_warc_need(w, SL_WARC_RAW_MAX, err));
    SL_TRY(sl_warc_make_lost(r, rec, sl_warc_rest(w), why, reason, err));
    SL_TRY(find_record(r, w, from, &found, err));
    rec->lost_bytes = sl_warc_pos(w) - rec->off;
    r->cut_last = !found;
    return SL_OK;
}

/* Take n bytes behind the head as the block. */
static enum sl_status deliver(struct sl_warc_reader *r, struct sl_warc_record *rec, size_t n_head,
                              size_t n_block, struct sl_err *err)
{
    struct sl_warc_window *w = &r->view;
    if (n_block > r->max_record)
        return lose(r, rec, n_head + n_block, SL_WARC_OVERSIZED, over_size, err);
    rec->kind = SL_WARC_RECORD;
    rec->block = (struct sl_str){ (const char *)w->p + w->at + n_head, n_block };
    w->at += n_head + n_block;
    size_t i = w->at;
    while (i < w->n && is_blank(w->p[i]))
        i++;
    r->cut_last = w->end && i == w->n;
    return SL_OK;
}

/* s without up to two line ends at its end. */
static struct sl_str without_tail(struct sl_str s)
{
    for (int i = 0; i < 2 && s.n && s.p[s.n - 1] == '\n'; i++) {
        s.n--;
        if (s.n && s.p[s.n - 1] == '\r')
            s.n--;
    }
    return s;
}

/* The length is absent (flag) or leads nowhere: find the end by other means. */
static enum sl_status odd_length(struct sl_warc_reader *r, struct sl_warc_record *rec,
                                 size_t n_head, unsigned flag, const char *reason,
                                 struct sl_err *err)
{
    struct sl_warc_window *w = &r->view;
    bool own = !w->src && !r->view_damaged;
    bool info = rec->type == SL_WARC_WARCINFO && flag == SL_WARC_LENGTH_ABSENT;
    if (!own && !info)
        return lose(r, rec, n_head, SL_WARC_LENGTH, reason, err);
    /* Only a search inside what is in hand: the block must stay in one piece,
     * and the head's slices must stay where they are. */
    struct sl_warc_window look = { .p = w->p, .n = w->n, .at = w->at, .end = true };
    if (w->src && look.n - look.at > n_head + WARCINFO_MAX)
        look.n = look.at + n_head + WARCINFO_MAX;
    bool found;
    SL_TRY(find_record(r, &look, n_head, &found, err));
    if ((found && !info) || (!found && !(w->end && look.n == w->n)))
        return lose(r, rec, n_head, SL_WARC_LENGTH, reason, err);
    struct sl_str block = { (const char *)w->p + w->at + n_head, look.at - w->at - n_head };
    rec->flags |= flag;
    return deliver(r, rec, n_head, without_tail(block).n, err);
}

static enum border border_at(struct sl_str s, bool end)
{
    size_t i = 0;
    unsigned lines = 0;
    while (i < s.n && is_blank((uint8_t)s.p[i]))
        lines += s.p[i++] == '\n';
    struct sl_str rest = { s.p + i, s.n - i };
    if ((i == s.n && (end || lines >= 2)) || sl_str_starts(rest, SL_STR("WARC/")))
        return BORDER_SURE;
    return lines >= 2 ? BORDER_BLANK : BORDER_NONE;
}

/* Get the whole record in hand and parse its head again where it moved. */
static enum sl_status hold(struct sl_warc_reader *r, struct sl_warc_record *rec, size_t total,
                           struct sl_err *err)
{
    struct sl_warc_window *w = &r->view;
    if (sl_warc_have(w) >= total || w->end)
        return SL_OK;
    enum sl_warc_head_end end;
    size_t n_head;
    SL_TRY(sl_warc_need(w, total, err));
    return sl_warc_head_parse(sl_warc_rest(w), rec, &r->scratch, &n_head, &end, err);
}

/* The length says that the record is larger than may be held. Where another
 * record begins, or the input ends, before that length, it was a lie. */
static enum sl_status lose_oversized(struct sl_warc_reader *r, struct sl_warc_record *rec,
                                     size_t n_head, struct sl_err *err)
{
    int64_t declared = rec->declared_bytes;
    SL_TRY(lose(r, rec, n_head, SL_WARC_OVERSIZED, over_size, err));
    if (rec->lost_bytes - (int64_t)n_head >= declared)
        return SL_OK;
    rec->why = r->cut_last ? SL_WARC_CUT : SL_WARC_LENGTH;
    rec->reason = r->cut_last ? ends_inside : long_length;
    return SL_OK;
}

static enum sl_status cut_block(struct sl_warc_reader *r, struct sl_warc_record *rec, size_t n_head,
                                struct sl_err *err)
{
    struct sl_warc_window *w = &r->view;
    if (rec->declared_bytes < 0) {
        if (rec->type == SL_WARC_WARCINFO)
            SL_TRY(hold(r, rec, n_head + WARCINFO_MAX, err));
        return odd_length(r, rec, n_head, SL_WARC_LENGTH_ABSENT, "no usable Content-Length", err);
    }
    bool own = !w->src && !r->view_damaged;
    if ((uint64_t)rec->declared_bytes > r->max_record && !own)
        return lose_oversized(r, rec, n_head, err);
    if ((uint64_t)rec->declared_bytes > SIZE_MAX / 2)
        return odd_length(r, rec, n_head, SL_WARC_LENGTH_WRONG, long_length, err);
    size_t n_block = (size_t)rec->declared_bytes, total = n_head + n_block;
    SL_TRY(hold(r, rec, total + TAIL, err));
    if (sl_warc_have(w) < total) {
        r->cut_short = true;
        if (!w->src && !r->view_damaged)
            return odd_length(r, rec, n_head, SL_WARC_LENGTH_WRONG, long_length, err);
        SL_TRY(lose(r, rec, n_head, SL_WARC_CUT, ends_inside, err));
        if (!r->cut_last) {
            rec->why = SL_WARC_LENGTH;
            rec->reason = long_length;
        }
        return SL_OK;
    }
    struct sl_str behind = { (const char *)w->p + w->at + total, sl_warc_have(w) - total };
    bool all = w->end;
    if (w->src && behind.n > TAIL) {
        behind.n = TAIL;
        all = false;
    }
    enum border border = border_at(behind, all);
    if (border == BORDER_BLANK && own) {
        /* A member's end is the truth, unless other records come before it. */
        bool more;
        SL_TRY(sl_warc_contains(r, behind, &more, err));
        border = more ? BORDER_BLANK : BORDER_NONE;
    }
    if (border == BORDER_NONE)
        return odd_length(r, rec, n_head, SL_WARC_LENGTH_WRONG,
                          "Content-Length is wrong: no record ends there", err);
    return deliver(r, rec, n_head, n_block, err);
}

static enum sl_status cut_head(struct sl_warc_reader *r, struct sl_warc_record *rec, size_t *n_head,
                               enum sl_warc_head_end *end, struct sl_err *err)
{
    struct sl_warc_window *w = &r->view;
    for (size_t want = 1;;) {
        SL_TRY(sl_warc_need(w, want, err));
        SL_TRY(sl_warc_head_parse(sl_warc_rest(w), rec, &r->scratch, n_head, end, err));
        size_t have = sl_warc_have(w);
        if (*end != SL_WARC_HEAD_MORE || w->end || have >= SL_WARC_HEAD_MAX)
            return SL_OK;
        want = have < 2048 ? 4096 : 2 * have;
        if (want > SL_WARC_HEAD_MAX)
            want = SL_WARC_HEAD_MAX;
    }
}

enum sl_status sl_warc_cut(struct sl_warc_reader *r, struct sl_warc_record *rec, struct sl_err *err)
{
    struct sl_warc_window *w = &r->view;
    SL_TRY(skip_blank(w, err));
    if (sl_warc_have(w) == 0)
        return SL_END;
    memset(rec, 0, sizeof(*rec));
    rec->off = sl_warc_pos(w);
    r->cut_at = w->at;
    r->cut_short = r->cut_last = false;
    r->cut_first = !w->src && r->n_view_cuts++ == 0;
    enum sl_warc_head_end end;
    size_t n_head;
    SL_TRY(cut_head(r, rec, &n_head, &end, err));
    switch (end) {
    case SL_WARC_HEAD_OK:
        return cut_block(r, rec, n_head, err);
    case SL_WARC_HEAD_LONG:
        return lose(r, rec, 1, SL_WARC_HEAD, "a head over the limit of 64 KiB", err);
    case SL_WARC_HEAD_MORE:
        return lose(r, rec, 1, SL_WARC_CUT, "the input ends inside a record's head", err);
    case SL_WARC_HEAD_BAD:
        break;
    }
    return lose(r, rec, 1, SL_WARC_DAMAGED, "no WARC record begins here", err);
}
