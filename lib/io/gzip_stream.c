/* SPDX-License-Identifier: Apache-2.0 */
/* Deflate by zlib: slower than libdeflate, but it takes input in pieces and
 * tells "cut" from "damaged". Two users: the source, which streams whole files,
 * and sl_inflate_prefix, which keeps what can be had of one piece.
 *
 * Behind a member may stand another member, zeros up to the end of the file
 * (tape padding, as gzip itself takes it), or nothing; else the file is in
 * error, since a skipped tail would look like a short input. */
#include <zlib.h>

#include <stdlib.h>
#include <string.h>

#include "io/decoder.h"
#include "io/member.h"

enum where { IN_MEMBER, BETWEEN, IN_PADDING };

struct gzip {
    z_stream z;
    enum where where;
};

enum { GZIP_BITS = 15 + 16, ZLIB_BITS = 15, RAW_BITS = -15, PIECE_MAX = 1 << 30 };

static void *gzip_new(void)
{
    struct gzip *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    if (inflateInit2(&g->z, GZIP_BITS) != Z_OK) {
        free(g);
        return NULL;
    }
    g->where = BETWEEN;
    return g;
}

static void gzip_free(void *decoder)
{
    struct gzip *g = decoder;
    if (g)
        (void)inflateEnd(&g->z);
    free(g);
}

static uInt clip(size_t n)
{
    return n < PIECE_MAX ? (uInt)n : PIECE_MAX;
}

/* One call of inflate. Returns zlib's code. */
static int inflate_some(z_stream *z, struct sl_decoder_io *io)
{
    uInt in_n = clip(io->in_n), out_n = clip(io->out_n);
    z->next_in = (Bytef *)(uintptr_t)io->in;
    z->avail_in = in_n;
    z->next_out = io->out;
    z->avail_out = out_n;
    int code = inflate(z, Z_NO_FLUSH);
    io->in += in_n - z->avail_in;
    io->in_n -= in_n - z->avail_in;
    io->out += out_n - z->avail_out;
    io->out_n -= out_n - z->avail_out;
    return code;
}

/* SL_END: nothing is left. SL_OK: a member begins, or more input is needed. */
static enum sl_status go_between(struct gzip *g, struct sl_decoder_io *io, struct sl_err *err)
{
    if (io->in_n && g->where == BETWEEN && io->in[0] == 0x1f) {
        g->where = IN_MEMBER;
        return inflateReset(&g->z) == Z_OK ? SL_OK : sl_err_set(err, SL_E_BUG, "inflateReset");
    }
    while (io->in_n && io->in[0] == 0) {
        g->where = IN_PADDING;
        io->in++;
        io->in_n--;
    }
    if (io->in_n)
        return sl_err_set(err, SL_E_DATA, "foreign bytes behind the last gzip member");
    return io->in_last ? SL_END : SL_OK;
}

static enum sl_status member_step(struct gzip *g, struct sl_decoder_io *io, struct sl_err *err)
{
    size_t in_n = io->in_n, out_n = io->out_n;
    int code = inflate_some(&g->z, io);
    switch (code) {
    case Z_STREAM_END:
        g->where = BETWEEN;
        return SL_OK;
    case Z_OK:
    case Z_BUF_ERROR:
        if (io->in_last && io->in_n == 0 && in_n == 0 && io->out_n == out_n)
            return sl_err_set(err, SL_E_DATA, "the input ends inside a gzip member");
        return SL_OK;
    case Z_MEM_ERROR:
        return sl_err_nomem(err, 1 << 16);
    case Z_NEED_DICT:
        return sl_err_set(err, SL_E_DATA, "damaged gzip member: it asks for a dictionary");
    default:
        return sl_err_set(err, SL_E_DATA, "damaged gzip member: %s",
                          g->z.msg ? g->z.msg : "unknown error");
    }
}

static enum sl_status gzip_step(void *decoder, struct sl_decoder_io *io, struct sl_err *err)
{
    struct gzip *g = decoder;
    for (;;) {
        size_t in_n = io->in_n, out_n = io->out_n;
        enum where where = g->where;
        enum sl_status st = where == IN_MEMBER ? member_step(g, io, err) : go_between(g, io, err);
        if (st != SL_OK || io->out_n == 0)
            return st;
        bool moved = io->in_n != in_n || io->out_n != out_n || g->where != where;
        if (!moved || (io->in_n == 0 && !io->in_last))
            return SL_OK;
    }
}

const struct sl_decoder_kind sl_decoder_gzip = { gzip_new, gzip_free, gzip_step };

static int window_bits(enum sl_inflate_wrap wrap)
{
    return wrap == SL_INFLATE_GZIP ? GZIP_BITS : wrap == SL_INFLATE_ZLIB ? ZLIB_BITS : RAW_BITS;
}

/* Room for the next bytes: doubles from 16 KiB, never past out->max. SL_END
 * where the maximum is reached. */
static enum sl_status make_room(struct sl_buf *out, struct sl_err *err)
{
    size_t left = out->max - out->n;
    if (out->cap > out->n && left)
        return SL_OK;
    if (!left)
        return SL_END;
    size_t extra = out->n < 16384 ? 16384 : out->n;
    return sl_buf_reserve(out, extra < left ? extra : left, err);
}

static enum sl_status prefix_loop(z_stream *z, struct sl_decoder_io *io, struct sl_buf *out,
                                  enum sl_ended *how, struct sl_err *err)
{
    uint8_t spare; /* one byte over the maximum tells FULL from WHOLE */
    for (;;) {
        enum sl_status room = make_room(out, err);
        if (room < 0)
            return room;
        size_t usable = out->cap < out->max ? out->cap : out->max;
        io->out = room == SL_END ? &spare : out->p + out->n;
        io->out_n = room == SL_END ? 1 : usable - out->n;
        size_t in_n = io->in_n, out_n = io->out_n;
        int code = inflate_some(z, io);
        if (code == Z_MEM_ERROR)
            return sl_err_nomem(err, 1 << 16);
        if (room == SL_END && io->out_n == 0) {
            *how = SL_ENDED_FULL;
            return SL_OK;
        }
        if (room != SL_END)
            out->n += out_n - io->out_n;
        bool going = code == Z_OK || code == Z_BUF_ERROR;
        if (going && (io->in_n != in_n || io->out_n != out_n))
            continue;
        *how = code == Z_STREAM_END ? SL_ENDED_WHOLE : going ? SL_ENDED_CUT : SL_ENDED_BAD;
        return SL_OK;
    }
}

enum sl_status sl_inflate_prefix(enum sl_inflate_wrap wrap, struct sl_str in, struct sl_buf *out,
                                 struct sl_decoded *end, struct sl_err *err)
{
    z_stream z;
    memset(&z, 0, sizeof z);
    *end = (struct sl_decoded){ .how = SL_ENDED_CUT };
    if (inflateInit2(&z, window_bits(wrap)) != Z_OK)
        return sl_err_nomem(err, 1 << 16);
    struct sl_decoder_io io = { .in = (const uint8_t *)in.p, .in_n = in.n, .in_last = true };
    enum sl_status st = prefix_loop(&z, &io, out, &end->how, err);
    end->consumed = in.n - io.in_n;
    (void)inflateEnd(&z);
    return st;
}
