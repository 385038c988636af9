/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as one compressed piece. The first byte chooses the kind. A strict
 * decoder and the prefix decoder of the same kind must tell the same story. */
#include <stdlib.h>

#include "io/member.h"

enum { OUT_MAX = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void try_inflate(unsigned kind, struct sl_str in, struct sl_buf *a, struct sl_buf *b)
{
    struct sl_inflater *inf = sl_inflater_new();
    struct sl_decoded end;
    size_t consumed = 99;
    bool more = false;
    must(inf != NULL);
    enum sl_status st =
        kind == SL_INFLATE_GZIP   ? sl_inflate_gzip_member(inf, in, a, &consumed, &more, NULL)
        : kind == SL_INFLATE_ZLIB ? sl_inflate_zlib(inf, in, a, &consumed, &more, NULL)
                                  : sl_inflate_raw(inf, in, a, &consumed, &more, NULL);
    must(sl_inflate_prefix(kind, in, b, &end, NULL) == SL_OK);
    sl_inflater_free(inf);
    if (end.how == SL_ENDED_WHOLE) {
        must(st == SL_OK && !more && consumed == end.consumed && a->n == b->n);
        must(a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
    }
    if (end.how == SL_ENDED_CUT)
        must(st == SL_OK && more && a->n == 0);
    must(end.how != SL_ENDED_FULL || st == SL_E_DATA);
}

static void try_zstd(struct sl_str in, struct sl_buf *a, struct sl_buf *b)
{
    struct sl_unzstd *z = sl_unzstd_new();
    size_t consumed, again;
    bool more = false;
    must(z != NULL);
    enum sl_status st = sl_zstd_frame(z, in, a, &consumed, &more, NULL);
    must(st == SL_OK || a->n == 0);
    if (st == SL_OK && !more) {
        must(consumed <= in.n && consumed > 0);
        in.n = consumed;
        must(sl_zstd_frame(z, in, b, &again, NULL, NULL) == SL_OK && again == consumed);
        must(a->n == b->n);
    }
    sl_unzstd_free(z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct sl_str in = { (const char *)data + 1, n - 1 };
    struct sl_buf a, b;
    struct sl_decoded end;
    sl_buf_init(&a, OUT_MAX);
    sl_buf_init(&b, OUT_MAX);
    switch (data[0] % 5) {
    case 3:
        try_zstd(in, &a, &b);
        break;
    case 4:
        must(sl_brotli_prefix(in, &a, &end, NULL) == SL_OK);
        enum sl_status st = sl_brotli_decode(in, &b, NULL);
        must((st == SL_OK) == (end.how == SL_ENDED_WHOLE && end.consumed == in.n));
        break;
    default:
        try_inflate(SL_INFLATE_GZIP + data[0] % 5, in, &a, &b);
    }
    sl_buf_release(&a);
    sl_buf_release(&b);
    return 0;
}
