/* SPDX-License-Identifier: Apache-2.0 */
/* Writing sorted runs. A run is a sequence of blocks, each a head and one zstd
 * frame of whole stored records:
 *
 *   u32  bytes of the frame
 *   u32  bytes of the records in it
 *   u64  XXH3-64 of the frame
 *
 * Temporary files are checked as any others are: a disk that gives back wrong
 * bytes must not become wrong rows. Sorted records begin alike, and numbers in
 * them are mostly zeros, so zstd's fastest level halves what is written and
 * costs less than the disk. */
#include "base/hash.h"
#include "io/record_parts.h"

enum { ZSTD_LEVEL = 1 };

enum sl_status sl_rec_writer_init(struct sl_rec_writer *w, struct sl_temp *temp, size_t block_bytes,
                                  struct sl_err *err)
{
    *w = (struct sl_rec_writer){ .temp = temp, .block_bytes = block_bytes };
    sl_buf_init(&w->raw, SL_REC_BLOCK_MAX);
    sl_buf_init(&w->packed, SL_REC_BLOCK_MAX + SL_REC_BLOCK_MAX / 64);
    w->zstd = sl_zstd_new(ZSTD_LEVEL);
    return w->zstd ? SL_OK : sl_err_nomem(err, 0);
}

void sl_rec_writer_release(struct sl_rec_writer *w)
{
    sl_zstd_free(w->zstd);
    sl_buf_release(&w->raw);
    sl_buf_release(&w->packed);
    *w = (struct sl_rec_writer){ .temp = NULL };
}

enum sl_status sl_rec_writer_cut(struct sl_rec_writer *w, struct sl_err *err)
{
    uint8_t head[SL_REC_HEAD_BYTES] = { 0 };
    if (!w->raw.n)
        return SL_OK;
    sl_buf_reset(&w->packed);
    SL_TRY(sl_buf_add(&w->packed, head, sizeof head, err));
    SL_TRY(sl_zstd_compress(w->zstd, sl_buf_str(&w->raw), &w->packed, err));
    uint8_t *p = w->packed.p;
    size_t frame_bytes = w->packed.n - sizeof head;
    sl_store32(p, (uint32_t)frame_bytes);
    sl_store32(p + 4, (uint32_t)w->raw.n);
    sl_store64(p + 8, sl_hash64(p + sizeof head, frame_bytes));
    if (w->raw.n > w->max_raw_bytes)
        w->max_raw_bytes = w->raw.n;
    sl_buf_reset(&w->raw);
    return sl_temp_append(w->temp, p, w->packed.n, err);
}

enum sl_status sl_rec_writer_add(struct sl_rec_writer *w, struct sl_str record, struct sl_err *err)
{
    uint8_t length[4];
    if (w->raw.n && w->raw.n + record.n + 4 > w->block_bytes)
        SL_TRY(sl_rec_writer_cut(w, err));
    if (!w->raw.cap)
        SL_TRY(sl_buf_reserve(&w->raw, w->block_bytes, err));
    sl_store32(length, (uint32_t)record.n);
    SL_TRY(sl_buf_add(&w->raw, length, sizeof length, err));
    return sl_buf_add_str(&w->raw, record, err);
}
