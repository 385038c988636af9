/* SPDX-License-Identifier: Apache-2.0 */
/* zstd: streams for the source, single frames for readers that must know where
 * a frame ends. Windows are limited to 128 MiB, zstd's own default: more would
 * let a small hostile file ask for gigabytes.
 *
 * Behind a frame may stand only another frame (skippable ones too) or nothing. */
#include <zstd.h>
#include <zstd_errors.h>

#include <stdlib.h>
#include <string.h>

#include "io/decoder.h"
#include "io/member.h"

enum { WINDOW_LOG_MAX = 27 };

static ZSTD_DCtx *new_context(void)
{
    ZSTD_DCtx *d = ZSTD_createDCtx();
    if (d && ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
        (void)ZSTD_freeDCtx(d);
        return NULL;
    }
    return d;
}

static enum sl_status zstd_failed(size_t code, struct sl_err *err)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_memory_allocation:
        return sl_err_set(err, SL_E_SYSTEM, "out of memory for zstd");
    case ZSTD_error_prefix_unknown:
        return sl_err_set(err, SL_E_DATA, "foreign bytes where a zstd frame should begin");
    case ZSTD_error_frameParameter_windowTooLarge:
        return sl_err_set(err, SL_E_DATA, "a zstd frame with a window over 128 MiB");
    case ZSTD_error_dictionary_wrong:
        return sl_err_set(err, SL_E_DATA, "a zstd frame that needs another dictionary");
    default:
        return sl_err_set(err, SL_E_DATA, "damaged zstd frame: %s", ZSTD_getErrorName(code));
    }
}

/* ---- the stream ---- */

struct zstd {
    ZSTD_DCtx *d;
    bool in_frame;
};

static void zstd_free(void *decoder)
{
    struct zstd *z = decoder;
    if (z)
        (void)ZSTD_freeDCtx(z->d);
    free(z);
}

static void *zstd_new(void)
{
    struct zstd *z = calloc(1, sizeof *z);
    if (z && !(z->d = new_context())) {
        zstd_free(z);
        return NULL;
    }
    return z;
}

static enum sl_status zstd_step(void *decoder, struct sl_decoder_io *io, struct sl_err *err)
{
    struct zstd *z = decoder;
    for (;;) {
        if (io->in_n == 0 && !z->in_frame)
            return io->in_last ? SL_END : SL_OK;
        ZSTD_inBuffer in = { io->in, io->in_n, 0 };
        ZSTD_outBuffer out = { io->out, io->out_n, 0 };
        size_t hint = ZSTD_decompressStream(z->d, &out, &in);
        io->in += in.pos;
        io->in_n -= in.pos;
        io->out += out.pos;
        io->out_n -= out.pos;
        if (ZSTD_isError(hint))
            return zstd_failed(hint, err);
        bool moved = in.pos || out.pos;
        if (moved)
            z->in_frame = hint != 0;
        if (io->in_last && io->in_n == 0 && !moved && z->in_frame)
            return sl_err_set(err, SL_E_DATA, "the input ends inside a zstd frame");
        if (!moved || io->out_n == 0 || (io->in_n == 0 && !io->in_last))
            return SL_OK;
    }
}

const struct sl_decoder_kind sl_decoder_zstd = { zstd_new, zstd_free, zstd_step };

/* ---- single frames ---- */

struct sl_unzstd {
    ZSTD_DCtx *d;
};

struct sl_unzstd *sl_unzstd_new(void)
{
    struct sl_unzstd *z = calloc(1, sizeof *z);
    if (z && !(z->d = new_context())) {
        free(z);
        return NULL;
    }
    return z;
}

void sl_unzstd_free(struct sl_unzstd *z)
{
    if (z)
        (void)ZSTD_freeDCtx(z->d);
    free(z);
}

enum sl_status sl_unzstd_set_dict(struct sl_unzstd *z, struct sl_str dict, struct sl_err *err)
{
    if (dict.n && ZSTD_getDictID_fromDict(dict.p, dict.n) == 0)
        return sl_err_set(err, SL_E_DATA, "not a zstd dictionary");
    /* A frame that failed leaves the context in the middle of it. */
    (void)ZSTD_DCtx_reset(z->d, ZSTD_reset_session_only);
    size_t code = ZSTD_DCtx_loadDictionary(z->d, dict.p, dict.n);
    if (!ZSTD_isError(code))
        return SL_OK;
    if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation)
        return sl_err_nomem(err, dict.n);
    return sl_err_set(err, SL_E_DATA, "damaged zstd dictionary: %s", ZSTD_getErrorName(code));
}

static enum sl_status over_limit(const struct sl_buf *out, struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "a zstd frame over the limit of %zu bytes", out->max);
}

/* Room for more output, doubling; *full: the maximum is reached. */
static enum sl_status frame_room(struct sl_buf *out, size_t start, bool *full, struct sl_err *err)
{
    size_t left = out->max - out->n, had = out->n - start;
    size_t extra = had < (1 << 16) ? (1 << 16) : had;
    *full = left == 0;
    if (*full || out->n < out->cap)
        return SL_OK;
    return sl_buf_reserve(out, extra < left ? extra : left, err);
}

static enum sl_status frame_decode(struct sl_unzstd *z, ZSTD_inBuffer *in, struct sl_buf *out,
                                   struct sl_err *err)
{
    size_t start = out->n;
    for (;;) {
        uint8_t spare; /* where the buffer is full, any byte more is too much */
        bool full;
        SL_TRY(frame_room(out, start, &full, err));
        size_t usable = out->cap < out->max ? out->cap : out->max;
        ZSTD_outBuffer to = { out->p, usable, out->n };
        if (full)
            to = (ZSTD_outBuffer){ &spare, 1, 0 };
        size_t in_pos = in->pos, out_pos = to.pos;
        size_t hint = ZSTD_decompressStream(z->d, &to, in);
        if (ZSTD_isError(hint))
            return zstd_failed(hint, err);
        if (full && to.pos)
            return over_limit(out, err);
        if (!full)
            out->n = to.pos;
        if (hint == 0)
            return SL_OK;
        if (in->pos == in_pos && to.pos == out_pos)
            return sl_err_set(err, SL_E_DATA, "damaged zstd frame: it stops in the middle");
    }
}

static enum sl_status frame_failed(enum sl_status st, size_t off, struct sl_err *err)
{
    sl_err_at(err, NULL, (int64_t)off, -1);
    return st;
}

/* Fewer than four bytes: may a frame begin so? */
static bool may_begin(const char *p, size_t n)
{
    bool skippable = n && (p[0] & 0xf0) == 0x50 && memcmp(p + 1, "\x2a\x4d", n - 1) == 0;
    return n == 0 || skippable || memcmp(p, "\x28\xb5\x2f", n) == 0;
}

/* The length of the frame, from its blocks' headers. SL_END: `in` ends inside. */
static enum sl_status frame_length(struct sl_str in, size_t *length, struct sl_err *err)
{
    if (in.n < 4 && may_begin(in.p, in.n))
        return SL_END;
    *length = ZSTD_findFrameCompressedSize(in.p, in.n);
    if (!ZSTD_isError(*length))
        return SL_OK;
    if (in.n >= 4 && ZSTD_getErrorCode(*length) == ZSTD_error_srcSize_wrong)
        return SL_END;
    return frame_failed(zstd_failed(*length, err), 0, err);
}

enum sl_status sl_zstd_frame(struct sl_unzstd *z, struct sl_str in, struct sl_buf *out,
                             size_t *consumed, bool *need_more, struct sl_err *err)
{
    size_t start = out->n, length = 0;
    *consumed = 0;
    enum sl_status st = frame_length(in, &length, err);
    if (need_more)
        *need_more = st == SL_END;
    if (st == SL_END && need_more)
        return SL_OK;
    if (st == SL_END)
        st = sl_err_set(err, SL_E_DATA, "the input ends inside a zstd frame");
    if (st != SL_OK)
        return frame_failed(st, in.n, err);
    unsigned long long size = ZSTD_getFrameContentSize(in.p, length);
    bool known = size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR;
    if (known && size > out->max - out->n)
        return frame_failed(over_limit(out, err), 0, err);
    /* With room for all of it, zstd decodes straight into out, without a window. */
    if (known)
        SL_TRY(sl_buf_reserve(out, (size_t)size, err));
    (void)ZSTD_DCtx_reset(z->d, ZSTD_reset_session_only);
    ZSTD_inBuffer from = { in.p, length, 0 };
    st = frame_decode(z, &from, out, err);
    if (st == SL_OK) {
        *consumed = length;
        return SL_OK;
    }
    out->n = start;
    return frame_failed(st, from.pos, err);
}

/* ---- compression ---- */

struct sl_zstd {
    ZSTD_CCtx *c;
};

struct sl_zstd *sl_zstd_new(int level)
{
    struct sl_zstd *z = calloc(1, sizeof *z);
    if (!z)
        return NULL;
    z->c = ZSTD_createCCtx();
    if (z->c && !ZSTD_isError(ZSTD_CCtx_setParameter(z->c, ZSTD_c_compressionLevel, level)))
        return z;
    sl_zstd_free(z);
    return NULL;
}

void sl_zstd_free(struct sl_zstd *z)
{
    if (z)
        (void)ZSTD_freeCCtx(z->c);
    free(z);
}

enum sl_status sl_zstd_compress(struct sl_zstd *z, struct sl_str in, struct sl_buf *out,
                                struct sl_err *err)
{
    size_t bound = ZSTD_compressBound(in.n);
    if (ZSTD_isError(bound))
        return sl_err_set(err, SL_E_DATA, "%zu bytes are too many for a zstd frame", in.n);
    SL_TRY(sl_buf_reserve(out, bound, err));
    size_t n = ZSTD_compress2(z->c, out->p + out->n, bound, in.p, in.n);
    if (ZSTD_isError(n) && ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
        return sl_err_nomem(err, 0);
    if (ZSTD_isError(n))
        return sl_err_set(err, SL_E_SYSTEM, "zstd: %s", ZSTD_getErrorName(n));
    out->n += n;
    return SL_OK;
}
