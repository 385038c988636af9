/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_IO_RECORD_PARTS_H
#define SL_IO_RECORD_PARTS_H

/* The parts of io/record_sort.h, shared by its files and nobody else.
 *
 * A stored record is its length (u32 little-endian) and its bytes, in memory as
 * in the blocks of a run.
 *
 * Threads   one thread an object. */

#include "base/buf.h"
#include "base/num.h"
#include "io/member.h"
#include "io/temp_file.h"

/* ---- order in memory ---- */

struct sl_rec_entry {
    uint64_t prefix;   /* eight bytes of the record as a big-endian number, zeros behind its end */
    const uint8_t *at; /* the stored record */
};

static inline struct sl_str sl_rec_str(const uint8_t *at)
{
    return (struct sl_str){ (const char *)at + 4, sl_load32(at) };
}

/* The eight bytes of s from depth on; depth is at most s.n. */
static inline uint64_t sl_rec_prefix(struct sl_str s, size_t depth)
{
    uint64_t v = 0;
    size_t left = s.n - depth;
    if (left)
        __builtin_memcpy(&v, s.p + depth, left < 8 ? left : 8);
    return __builtin_bswap64(v);
}

/* Sort entries whose prefix is that of depth 0. */
void sl_rec_sort(struct sl_rec_entry *e, size_t n);

/* ---- runs ---- */

struct sl_rec_run {
    int64_t from, to; /* in the temporary file */
};

enum { SL_REC_HEAD_BYTES = 16 };           /* of a block */
#define SL_REC_BLOCK_MAX ((size_t)1 << 31) /* far above any record that is let in */

/* Writes runs, one behind the other. */
struct sl_rec_writer {
    struct sl_temp *temp;
    struct sl_zstd *zstd;
    struct sl_buf raw, packed;
    size_t block_bytes;   /* a block is at most so large, or one record */
    size_t max_raw_bytes; /* of all blocks so far */
};

SL_MUST_USE enum sl_status sl_rec_writer_init(struct sl_rec_writer *w, struct sl_temp *temp,
                                              size_t block_bytes, struct sl_err *err);
void sl_rec_writer_release(struct sl_rec_writer *w);
SL_MUST_USE enum sl_status sl_rec_writer_add(struct sl_rec_writer *w, struct sl_str record,
                                             struct sl_err *err);
/* Write what waits: the run is over. */
SL_MUST_USE enum sl_status sl_rec_writer_cut(struct sl_rec_writer *w, struct sl_err *err);

/* ---- merge ---- */

struct sl_rec_merge;

/* Bytes of buffers for a merge of n runs with blocks of at most max_raw_bytes. */
size_t sl_rec_merge_bytes(size_t n, size_t max_raw_bytes);
SL_MUST_USE enum sl_status sl_rec_merge_new(struct sl_rec_merge **out, struct sl_temp *temp,
                                            const struct sl_rec_run *runs, size_t n,
                                            size_t max_raw_bytes, struct sl_err *err);
void sl_rec_merge_free(struct sl_rec_merge *m); /* NULL allowed */
/* The next record, valid until the next call; SL_END after the last. */
SL_MUST_USE enum sl_status sl_rec_merge_next(struct sl_rec_merge *m, struct sl_str *record,
                                             struct sl_err *err);

#endif
