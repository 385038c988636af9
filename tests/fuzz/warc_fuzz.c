/* SPDX-License-Identifier: Apache-2.0 */
/* The WARC reader on any bytes, through a window that holds them all and through
 * a tiny one: both must give the same records and losses. */
#include <stdlib.h>

#include "base/hash.h"
#include "web/warc_reader.h"

struct feed {
    const uint8_t *p;
    size_t n, step;
};

static ssize_t feed_read(void *ctx, void *buf, size_t n)
{
    struct feed *f = ctx;
    if (n > f->step)
        n = f->step;
    if (n > f->n)
        n = f->n;
    if (n)
        memcpy(buf, f->p, n);
    f->p += n;
    f->n -= n;
    return (ssize_t)n;
}

static void add(struct sl_hasher *h, struct sl_str s)
{
    sl_hasher_add64(h, &s.n, sizeof(s.n));
    sl_hasher_add64(h, s.p, s.n);
}

static uint64_t read_all(const uint8_t *data, size_t size, size_t step)
{
    struct feed feed = { data, size, step };
    struct sl_source_backend backend = { .read = feed_read, .ctx = &feed };
    struct sl_source *s = NULL;
    struct sl_warc_reader *r = NULL;
    struct sl_warc_record rec;
    struct sl_hasher *h = sl_hasher_new();
    enum sl_status st;
    if (!h || sl_source_open_backend(&s, backend, "fuzz", SL_SOURCE_PLAIN, NULL) != SL_OK ||
        sl_warc_new(&r, s, 4096, NULL) != SL_OK)
        abort();
    if (step <= size)
        sl_warc_set_window(r, 48, 24);
    sl_hasher_reset64(h);
    /* Every record or loss stands for at least one byte of some member; a
     * member of 1 KiB may hold 512 times as many. */
    for (size_t n = 0; (st = sl_warc_next(r, &rec, NULL)) == SL_OK; n++) {
        if (n > 1024 * (size + 1) || rec.off < 0 || rec.lost_bytes < 0)
            abort();
        uint64_t facts[6] = {
            rec.kind, rec.type, rec.flags, (uint64_t)rec.off, (uint64_t)rec.lost_bytes, rec.why
        };
        sl_hasher_add64(h, facts, sizeof(facts));
        add(h, rec.id);
        add(h, rec.uri);
        add(h, rec.date);
        add(h, rec.head);
        add(h, rec.block);
        add(h, sl_warc_header(&rec, SL_STR("WARC-Date")));
    }
    sl_hasher_add64(h, &st, sizeof(st));
    if (st != sl_warc_next(r, &rec, NULL))
        abort(); /* the end and errors are sticky */
    uint64_t digest = sl_hasher_end64(h);
    sl_warc_free(r);
    sl_source_free(s);
    sl_hasher_free(h);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t whole = read_all(data, size, size + 1);
    if (read_all(data, size, 7) != whole)
        abort();
    return 0;
}
