/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed buffers on top of io/member.h, which alone knows zstd. The
 * declared length becomes the maximum of the output before the frame is looked
 * at, so a frame that holds more fails at the first byte too many. */
#include "arrow/zstd_buf.h"

#include <stdlib.h>

#include "base/num.h"
#include "io/member.h"

struct sl_zpack {
    struct sl_zstd *zstd;
};

struct sl_zunpack {
    struct sl_unzstd *zstd;
};

struct sl_zpack *sl_zpack_new(int level)
{
    struct sl_zpack *z = calloc(1, sizeof *z);
    if (z && !(z->zstd = sl_zstd_new(level))) {
        free(z);
        return NULL;
    }
    return z;
}

void sl_zpack_free(struct sl_zpack *z)
{
    if (z)
        sl_zstd_free(z->zstd);
    free(z);
}

enum sl_status sl_zstd_pack(struct sl_zpack *z, const void *p, size_t n, struct sl_buf *out,
                            struct sl_err *err)
{
    size_t start = out->n;
    uint8_t length[8];
    sl_store64(length, n);
    SL_TRY(sl_buf_add(out, length, sizeof length, err));
    enum sl_status st = sl_zstd_compress(z->zstd, (struct sl_str){ p, n }, out, err);
    if (st != SL_OK)
        out->n = start;
    return st;
}

struct sl_zunpack *sl_zunpack_new(void)
{
    struct sl_zunpack *z = calloc(1, sizeof *z);
    if (z && !(z->zstd = sl_unzstd_new())) {
        free(z);
        return NULL;
    }
    return z;
}

void sl_zunpack_free(struct sl_zunpack *z)
{
    if (z)
        sl_unzstd_free(z->zstd);
    free(z);
}

enum sl_status sl_zstd_unpack(struct sl_zunpack *z, struct sl_str in, struct sl_buf *out,
                              struct sl_err *err)
{
    if (in.n < 8)
        return sl_err_set(err, SL_E_DATA, "a compressed buffer of %zu bytes", in.n);
    int64_t length = (int64_t)sl_load64(in.p);
    struct sl_str frame = { in.p + 8, in.n - 8 };
    if (length == -1)
        return sl_buf_add_str(out, frame, err);
    if (length < 0 || (uint64_t)length > out->max - out->n)
        return sl_err_set(err, SL_E_DATA, "a compressed buffer that claims %lld bytes",
                          (long long)length);
    size_t start = out->n, max = out->max, consumed = 0;
    out->max = start + (size_t)length;
    enum sl_status st = sl_zstd_frame(z->zstd, frame, out, &consumed, NULL, err);
    out->max = max;
    if (st == SL_OK && (out->n - start != (size_t)length || consumed != frame.n))
        st = sl_err_set(err, SL_E_DATA, "a compressed buffer that holds %zu bytes and claims %lld",
                        out->n - start, (long long)length);
    if (st != SL_OK)
        out->n = start;
    return st;
}
