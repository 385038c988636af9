/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file that may be gzip, zstd or plain. The first byte chooses
 * the size of the peeks and whether input comes in small reads; both ways must
 * give the same bytes and the same end. */
#include <stdlib.h>

#include "base/hash.h"
#include "io/source.h"

enum { TOTAL_MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct feed {
    struct sl_str left;
    size_t step;
};

static ssize_t feed_read(void *ctx, void *buf, size_t n)
{
    struct feed *f = ctx;
    n = n < f->step ? n : f->step;
    n = n < f->left.n ? n : f->left.n;
    if (n)
        memcpy(buf, f->left.p, n);
    f->left.p += n;
    f->left.n -= n;
    return (ssize_t)n;
}

static enum sl_status drain(struct sl_source *s, size_t min, uint64_t *hash, int64_t *total)
{
    enum sl_status st = SL_OK;
    struct sl_hasher *h = sl_hasher_new();
    if (!h)
        abort();
    sl_hasher_reset64(h);
    while (sl_source_off(s) < TOTAL_MAX) {
        const uint8_t *p;
        size_t got;
        st = sl_source_peek(s, min, &p, &got, NULL);
        if (st != SL_OK || got == 0)
            break;
        got = got < min ? got : min;
        sl_hasher_add64(h, p, got);
        sl_source_consume(s, got);
    }
    *hash = sl_hasher_end64(h);
    *total = sl_source_off(s);
    sl_hasher_free(h);
    sl_source_free(s);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct sl_str bytes = { (const char *)data + 1, n - 1 };
    size_t min = (size_t)(data[0] >> 4) * 300 + 1;
    struct feed feed = { bytes, (size_t)(data[0] & 15) * 5 + 1 };
    struct sl_source_backend backend = { feed_read, NULL, &feed };
    struct sl_source *mem, *fed;
    if (sl_source_open_mem(&mem, bytes, "mem", SL_SOURCE_AUTO, NULL) != SL_OK ||
        sl_source_open_backend(&fed, backend, "fed", SL_SOURCE_AUTO, NULL) != SL_OK)
        abort();
    uint64_t h1, h2;
    int64_t n1, n2;
    enum sl_status s1 = drain(mem, min, &h1, &n1), s2 = drain(fed, min, &h2, &n2);
    if (s1 != s2 || (s1 == SL_OK && (h1 != h2 || n1 != n2)))
        abort();
    return 0;
}
