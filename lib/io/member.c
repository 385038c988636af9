/* SPDX-License-Identifier: Apache-2.0 */
/* Whole gzip members, zlib and deflate streams by libdeflate, which is more
 * than twice as fast as zlib but wants all input and all output at once and
 * cannot tell a cut piece from a damaged one.
 *
 * Output: the buffer's free room is tried first and doubled while it is too
 * small; it stays with the caller, so that soon it fits at the first try.
 * Input: what libdeflate refuses is decoded once more by zlib, which knows.
 * A reader with a window of 256 KiB meets that once a window at most, for the
 * one member that crosses its end. Where the two disagree zlib's answer holds:
 * both check the same checksums. */
#include "io/member.h"

#include <libdeflate.h>
#include <stdlib.h>

struct sl_inflater {
    struct libdeflate_decompressor *d;
};

enum { FIRST_ROOM = 64 << 10 };

struct sl_inflater *sl_inflater_new(void)
{
    struct sl_inflater *inf = calloc(1, sizeof *inf);
    if (inf && !(inf->d = libdeflate_alloc_decompressor())) {
        free(inf);
        return NULL;
    }
    return inf;
}

void sl_inflater_free(struct sl_inflater *inf)
{
    if (!inf)
        return;
    libdeflate_free_decompressor(inf->d);
    free(inf);
}

static const char *wrap_name(enum sl_inflate_wrap wrap)
{
    return wrap == SL_INFLATE_GZIP   ? "gzip member"
           : wrap == SL_INFLATE_ZLIB ? "zlib stream"
                                     : "deflate stream";
}

static enum libdeflate_result fast_once(struct sl_inflater *inf, enum sl_inflate_wrap wrap,
                                        struct sl_str in, struct sl_str room, size_t used[2])
{
    void *to = (void *)(uintptr_t)room.p;
    if (wrap == SL_INFLATE_GZIP)
        return libdeflate_gzip_decompress_ex(inf->d, in.p, in.n, to, room.n, &used[0], &used[1]);
    if (wrap == SL_INFLATE_ZLIB)
        return libdeflate_zlib_decompress_ex(inf->d, in.p, in.n, to, room.n, &used[0], &used[1]);
    return libdeflate_deflate_decompress_ex(inf->d, in.p, in.n, to, room.n, &used[0], &used[1]);
}

/* SL_OK: decoded. SL_END: libdeflate refuses the input, or it is over the
 * limit. That too is looked at again: behind the end of a cut input libdeflate
 * reads some zeros, which may decode to a byte too many. */
static enum sl_status fast(struct sl_inflater *inf, enum sl_inflate_wrap wrap, struct sl_str in,
                           struct sl_buf *out, size_t *consumed, struct sl_err *err)
{
    size_t left = out->max - out->n;
    size_t want = left < FIRST_ROOM ? left : FIRST_ROOM;
    for (;;) {
        size_t used[2];
        SL_TRY(sl_buf_reserve(out, want, err));
        size_t room = out->cap - out->n < left ? out->cap - out->n : left;
        struct sl_str to = { (const char *)out->p + out->n, room };
        enum libdeflate_result r = fast_once(inf, wrap, in, to, used);
        if (r == LIBDEFLATE_SUCCESS) {
            *consumed = used[0];
            out->n += used[1];
            return SL_OK;
        }
        if (r != LIBDEFLATE_INSUFFICIENT_SPACE || room == left)
            return SL_END;
        want = room > left / 2 ? left : room * 2;
    }
}

/* The second look. Returns what the strict functions return. */
static enum sl_status slow(enum sl_inflate_wrap wrap, struct sl_str in, struct sl_buf *out,
                           struct sl_decoded *end, struct sl_err *err)
{
    SL_TRY(sl_inflate_prefix(wrap, in, out, end, err));
    if (end->how == SL_ENDED_FULL)
        return sl_err_set(err, SL_E_DATA, "a %s over the limit of %zu bytes", wrap_name(wrap),
                          out->max);
    if (end->how == SL_ENDED_BAD)
        return sl_err_set(err, SL_E_DATA, "a damaged %s", wrap_name(wrap));
    return SL_OK;
}

static enum sl_status strict(struct sl_inflater *inf, enum sl_inflate_wrap wrap, struct sl_str in,
                             struct sl_buf *out, struct sl_decoded *end, struct sl_err *err)
{
    size_t start = out->n;
    *end = (struct sl_decoded){ .how = SL_ENDED_WHOLE };
    enum sl_status st = fast(inf, wrap, in, out, &end->consumed, err);
    if (st == SL_END) {
        st = slow(wrap, in, out, end, err);
        sl_err_at(st < 0 ? err : NULL, NULL, (int64_t)end->consumed, -1);
    }
    if (st != SL_OK || end->how != SL_ENDED_WHOLE) {
        out->n = start;
        end->consumed = 0;
    }
    return st;
}

static enum sl_status deliver(enum sl_status st, const struct sl_decoded *end, size_t *consumed,
                              bool *need_more, struct sl_err *err)
{
    bool cut = st == SL_OK && end->how == SL_ENDED_CUT;
    *consumed = end->consumed;
    if (need_more)
        *need_more = cut;
    else if (cut)
        return sl_err_set(err, SL_E_DATA, "compressed bytes that are cut");
    return st;
}

enum sl_status sl_inflate_gzip_member(struct sl_inflater *inf, struct sl_str in, struct sl_buf *out,
                                      size_t *consumed, bool *need_more, struct sl_err *err)
{
    struct sl_decoded end;
    enum sl_status st = strict(inf, SL_INFLATE_GZIP, in, out, &end, err);
    return deliver(st, &end, consumed, need_more, err);
}

enum sl_status sl_inflate_zlib(struct sl_inflater *inf, struct sl_str in, struct sl_buf *out,
                               size_t *consumed, bool *need_more, struct sl_err *err)
{
    struct sl_decoded end;
    enum sl_status st = strict(inf, SL_INFLATE_ZLIB, in, out, &end, err);
    return deliver(st, &end, consumed, need_more, err);
}

enum sl_status sl_inflate_raw(struct sl_inflater *inf, struct sl_str in, struct sl_buf *out,
                              size_t *consumed, bool *need_more, struct sl_err *err)
{
    struct sl_decoded end;
    enum sl_status st = strict(inf, SL_INFLATE_RAW, in, out, &end, err);
    return deliver(st, &end, consumed, need_more, err);
}
