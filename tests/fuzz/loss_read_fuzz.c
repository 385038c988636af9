/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of losses, of JSON or Arrow, packed or not: what is handed out is a
 * loss, what is not is told; the same bytes in short reads give the same. */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/loss_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct feed {
    const uint8_t *p;
    size_t n, at, step;
};

static ssize_t feed_read(void *ctx, void *buf, size_t n)
{
    struct feed *f = ctx;
    size_t left = f->n - f->at;
    n = n < f->step ? n : f->step;
    n = n < left ? n : left;
    if (n)
        memcpy(buf, f->p + f->at, n);
    f->at += n;
    return (ssize_t)n;
}

/* A number that stands for all that was read, and how it ended. */
static uint64_t read_all(const uint8_t *data, size_t n, size_t step, enum sl_status *end)
{
    struct feed f = { data, n, 0, step };
    struct sl_source_backend backend = { feed_read, NULL, &f };
    struct sl_source *source;
    struct sl_loss_reader *r;
    struct sl_loss loss;
    struct sl_err err = SL_ERR_INIT;
    uint64_t sum = 0;
    int64_t last = 0;
    if (sl_source_open_backend(&source, backend, "fuzz", SL_SOURCE_AUTO, NULL) != SL_OK)
        abort();
    *end = sl_loss_reader_open_source(&r, source, &err);
    while (*end == SL_OK && (*end = sl_loss_reader_next(r, &loss, &err)) == SL_OK) {
        if (!(loss.loss >= 0 && loss.loss <= (double)FLT_MAX) || __builtin_signbit(loss.loss) ||
            loss.number <= last)
            abort();
        last = loss.number;
        sum = sum * 31 + sl_hash64(&loss.id, sizeof loss.id) + loss.copy + (uint64_t)loss.step;
        sum = sum * 31 + sl_hash64(&loss.loss, sizeof loss.loss);
    }
    sl_loss_reader_free(r);
    if (*end != SL_END && (*end >= 0 || *end == SL_E_BUG || err.status != *end || !err.msg[0]))
        abort();
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    enum sl_status end, again;
    uint64_t sum = read_all(data, n, SIZE_MAX, &end);
    if (read_all(data, n, 1 + n / 7, &again) != sum || again != end)
        abort();
    return 0;
}
