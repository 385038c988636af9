/* SPDX-License-Identifier: Apache-2.0 */
/* A block: 16 bytes (stored bytes, bytes inside, XXH3-64 over both numbers and what
 * is stored), then the bytes. It is packed where the numbers differ.
 *
 * Compressing costs more time than a fast disk takes, so bytes that do not shrink
 * by a third (numbers, hashes) are stored as they are, and then the next blocks are
 * not even tried: twice as many after every failure, 64 at most.
 *
 * Rejected: whole streams in our own format as spills. Their batches hold rows by
 * columns, of which a merge would touch every buffer for every row. */
#include "order/spill.h"

#include <stdlib.h>

#include "arrow/zstd_buf.h"
#include "base/hash.h"
#include "base/num.h"

enum { HEAD = 16, SMALL = 1024, MOST_SKIPPED = 64, KEEP_BYTES = 1 << 20 };

struct sl_spill {
    struct sl_zpack *pack; /* NULL: never compressed */
    struct sl_zunpack *unpack;
    struct sl_buf stored;
    unsigned skip, skip_next; /* blocks not to try; so many after the next failure */
};

enum sl_status sl_spill_new(struct sl_spill **out, int zstd_level, struct sl_err *err)
{
    *out = NULL;
    struct sl_spill *s = calloc(1, sizeof *s);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    sl_buf_init(&s->stored, (size_t)1 << 32);
    s->skip_next = 1;
    if (zstd_level)
        s->pack = sl_zpack_new(zstd_level);
    s->unpack = sl_zunpack_new();
    if ((zstd_level && !s->pack) || !s->unpack) {
        sl_spill_free(s);
        return sl_err_nomem(err, sizeof *s);
    }
    *out = s;
    return SL_OK;
}

void sl_spill_free(struct sl_spill *s)
{
    if (!s)
        return;
    sl_zpack_free(s->pack);
    sl_zunpack_free(s->unpack);
    sl_buf_release(&s->stored);
    free(s);
}

/* One large block must not hold its memory for ever. */
static void tidy(struct sl_spill *s)
{
    if (s->stored.cap > KEEP_BYTES)
        sl_buf_release(&s->stored);
}

/* Behind the head in s->stored; false where it did not shrink by a third. */
static enum sl_status try_pack(struct sl_spill *s, const void *p, size_t n, bool *packed,
                               struct sl_err *err)
{
    *packed = false;
    if (!s->pack || n < SMALL || (s->skip && s->skip--))
        return SL_OK;
    SL_TRY(sl_zstd_pack(s->pack, p, n, &s->stored, err));
    *packed = s->stored.n - HEAD <= n / 3 * 2;
    if (*packed) {
        s->skip_next = 1;
        return SL_OK;
    }
    s->stored.n = HEAD;
    s->skip = s->skip_next;
    s->skip_next = s->skip_next < MOST_SKIPPED ? s->skip_next * 2 : MOST_SKIPPED;
    return SL_OK;
}

static uint64_t block_hash(const void *p, size_t stored, size_t inside)
{
    return sl_hash64_seed(p, stored, (uint64_t)stored << 32 | inside);
}

enum sl_status sl_spill_write(struct sl_spill *s, struct sl_temp *file, const void *p, size_t n,
                              struct sl_err *err)
{
    bool packed;
    if (n == 0 || n > INT32_MAX)
        return sl_err_set(err, SL_E_BUG, "a block of %zu bytes", n);
    sl_buf_reset(&s->stored);
    SL_TRY(sl_buf_add_zeros(&s->stored, HEAD, err));
    SL_TRY(try_pack(s, p, n, &packed, err));
    const void *body = packed ? s->stored.p + HEAD : p;
    size_t stored = packed ? s->stored.n - HEAD : n;
    sl_store32(s->stored.p, (uint32_t)stored);
    sl_store32(s->stored.p + 4, (uint32_t)n);
    sl_store64(s->stored.p + 8, block_hash(body, stored, n));
    SL_TRY(sl_temp_append(file, s->stored.p, packed ? s->stored.n : HEAD, err));
    if (!packed)
        SL_TRY(sl_temp_append(file, p, n, err));
    tidy(s);
    return SL_OK;
}

static enum sl_status damaged(int64_t off, struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "a temporary file (--tmpdir) is damaged at byte %lld",
                      (long long)off);
}

enum sl_status sl_spill_read(struct sl_spill *s, struct sl_temp *file, int64_t *off,
                             struct sl_buf *out, struct sl_err *err)
{
    uint8_t head[HEAD];
    SL_TRY(sl_temp_read(file, *off, head, HEAD, err));
    size_t stored = sl_load32(head), inside = sl_load32(head + 4);
    int64_t left = sl_temp_bytes(file) - *off - HEAD;
    if (stored == 0 || stored > inside || (int64_t)stored > left)
        return damaged(*off, err);
    struct sl_buf *to = stored == inside ? out : &s->stored;
    sl_buf_reset(out);
    sl_buf_reset(to);
    SL_TRY(sl_buf_reserve(to, stored, err));
    SL_TRY(sl_temp_read(file, *off + HEAD, to->p, stored, err));
    to->n = stored;
    if (block_hash(to->p, stored, inside) != sl_load64(head + 8))
        return damaged(*off, err);
    if (to != out) {
        SL_TRY(sl_zstd_unpack(s->unpack, sl_buf_str(to), out, err));
        if (out->n != inside)
            return damaged(*off, err);
    }
    *off += HEAD + (int64_t)stored;
    tidy(s);
    return SL_OK;
}
