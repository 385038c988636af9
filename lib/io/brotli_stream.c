/* SPDX-License-Identifier: Apache-2.0 */
/* Brotli bodies. The format has neither magic number nor checksum, so only the
 * end of the stream tells that a body was whole. */
#include <brotli/decode.h>

#include "io/member.h"

struct brotli {
    BrotliDecoderState *d;
    const uint8_t *in;
    size_t in_n;
};

/* SL_END: the maximum is reached. */
static enum sl_status make_room(struct sl_buf *out, struct sl_err *err)
{
    size_t left = out->max - out->n;
    if (!left)
        return SL_END;
    if (out->n < out->cap)
        return SL_OK;
    size_t extra = out->n < 16384 ? 16384 : out->n;
    return sl_buf_reserve(out, extra < left ? extra : left, err);
}

static enum sl_ended ended_as(BrotliDecoderResult r)
{
    return r == BROTLI_DECODER_RESULT_SUCCESS            ? SL_ENDED_WHOLE
           : r == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT ? SL_ENDED_CUT
                                                         : SL_ENDED_BAD;
}

static enum sl_status decode_all(struct brotli *b, struct sl_buf *out, enum sl_ended *how,
                                 struct sl_err *err)
{
    for (;;) {
        uint8_t spare; /* one byte over the maximum tells FULL from WHOLE */
        enum sl_status room = make_room(out, err);
        if (room < 0)
            return room;
        bool full = room == SL_END;
        size_t usable = out->cap < out->max ? out->cap : out->max;
        size_t had = full ? 1 : usable - out->n, left = had;
        uint8_t *to = full ? &spare : out->p + out->n;
        BrotliDecoderResult r =
            BrotliDecoderDecompressStream(b->d, &b->in_n, &b->in, &left, &to, NULL);
        if (full && left == 0) {
            *how = SL_ENDED_FULL;
            return SL_OK;
        }
        if (!full)
            out->n += had - left;
        /* At the end of a cut stream the decoder asks for input although it still
         * holds bytes: it does so as long as there was no room for them. */
        if (r == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT ||
            (r == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT && BrotliDecoderHasMoreOutput(b->d)))
            continue;
        *how = ended_as(r);
        /* The decoder's error codes of allocation are a range of their own. */
        BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(b->d);
        if (code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
            code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
            return sl_err_set(err, SL_E_SYSTEM, "out of memory for brotli");
        return SL_OK;
    }
}

enum sl_status sl_brotli_prefix(struct sl_str in, struct sl_buf *out, struct sl_decoded *end,
                                struct sl_err *err)
{
    struct brotli b = { .in = (const uint8_t *)in.p, .in_n = in.n };
    *end = (struct sl_decoded){ .how = SL_ENDED_CUT };
    b.d = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    if (!b.d)
        return sl_err_set(err, SL_E_SYSTEM, "out of memory for brotli");
    enum sl_status st = decode_all(&b, out, &end->how, err);
    end->consumed = in.n - b.in_n;
    BrotliDecoderDestroyInstance(b.d);
    return st;
}

static const char *trouble(enum sl_ended how)
{
    return how == SL_ENDED_CUT    ? "a brotli stream that is cut"
           : how == SL_ENDED_FULL ? "a brotli stream over the limit"
           : how == SL_ENDED_BAD  ? "a damaged brotli stream"
                                  : "bytes behind a brotli stream";
}

enum sl_status sl_brotli_decode(struct sl_str in, struct sl_buf *out, struct sl_err *err)
{
    struct sl_decoded end;
    size_t start = out->n;
    enum sl_status st = sl_brotli_prefix(in, out, &end, err);
    if (st == SL_OK && end.how == SL_ENDED_WHOLE && end.consumed == in.n)
        return SL_OK;
    out->n = start;
    if (st != SL_OK)
        return st;
    if (end.how == SL_ENDED_FULL)
        st = sl_err_set(err, SL_E_DATA, "%s of %zu bytes", trouble(end.how), out->max);
    else
        st = sl_err_set(err, SL_E_DATA, "%s", trouble(end.how));
    sl_err_at(err, NULL, (int64_t)end.consumed, -1);
    return st;
}
