/* SPDX-License-Identifier: Apache-2.0 */
/* Merging sorted runs: a tree of losers over one reader a run. Each step costs
 * one comparison a level, mostly of eight bytes that lie in the reader.
 *
 * Every reader holds one block decoded; the frame it came from goes through one
 * buffer that all share. */
#include <stdlib.h>

#include "base/hash.h"
#include "io/record_parts.h"

struct reader {
    uint64_t prefix;
    struct sl_str record;
    bool done;
    size_t at; /* in block: behind the record */
    struct sl_buf block;
    struct sl_rec_run rest;
};

struct sl_rec_merge {
    struct sl_temp *temp;
    struct sl_unzstd *zstd;
    struct sl_buf packed;
    size_t n;
    struct reader *readers;
    uint32_t *losers; /* inner nodes from 1 on; 0: the winner */
    bool begun;
};

static enum sl_status damaged(struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA,
                      "a temporary file was damaged: what was written to it did "
                      "not come back");
}

static enum sl_status next_block(struct sl_rec_merge *m, struct reader *r, struct sl_err *err)
{
    uint8_t head[SL_REC_HEAD_BYTES];
    size_t used;
    SL_TRY(sl_temp_read(m->temp, r->rest.from, head, sizeof head, err));
    r->rest.from += SL_REC_HEAD_BYTES;
    size_t frame_bytes = sl_load32(head), raw_bytes = sl_load32(head + 4);
    if ((int64_t)frame_bytes > r->rest.to - r->rest.from || raw_bytes > r->block.max)
        return damaged(err);
    sl_buf_reset(&m->packed);
    SL_TRY(sl_buf_reserve(&m->packed, frame_bytes, err));
    SL_TRY(sl_temp_read(m->temp, r->rest.from, m->packed.p, frame_bytes, err));
    m->packed.n = frame_bytes;
    r->rest.from += (int64_t)frame_bytes;
    if (sl_hash64(m->packed.p, frame_bytes) != sl_load64(head + 8))
        return damaged(err);
    sl_buf_reset(&r->block);
    r->at = 0;
    SL_TRY(sl_zstd_frame(m->zstd, sl_buf_str(&m->packed), &r->block, &used, NULL, err));
    return r->block.n == raw_bytes && used == frame_bytes ? SL_OK : damaged(err);
}

static enum sl_status advance(struct sl_rec_merge *m, struct reader *r, struct sl_err *err)
{
    if (r->at == r->block.n) {
        if (r->rest.from >= r->rest.to) {
            r->done = true;
            return SL_OK;
        }
        SL_TRY(next_block(m, r, err));
    }
    if (r->block.n - r->at < 4 || sl_load32(r->block.p + r->at) > r->block.n - r->at - 4)
        return damaged(err);
    r->record = sl_rec_str(r->block.p + r->at);
    r->prefix = sl_rec_prefix(r->record, 0);
    r->at += 4 + r->record.n;
    return SL_OK;
}

static bool comes_first(const struct reader *a, const struct reader *b)
{
    if (a->done || b->done)
        return !a->done;
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix;
    return sl_str_cmp(a->record, b->record) < 0;
}

/* Play from a reader's leaf up to the root. While the tree is built, the first
 * to come to a node waits there (n: nobody waits). */
static void play(struct sl_rec_merge *m, uint32_t who)
{
    for (size_t node = (who + m->n) / 2; node; node /= 2) {
        uint32_t other = m->losers[node];
        if (other == m->n) {
            m->losers[node] = who;
            return;
        }
        if (comes_first(&m->readers[other], &m->readers[who])) {
            m->losers[node] = who;
            who = other;
        }
    }
    m->losers[0] = who;
}

size_t sl_rec_merge_bytes(size_t n, size_t max_raw_bytes)
{
    return n * (sizeof(struct reader) + sizeof(uint32_t) + max_raw_bytes) + max_raw_bytes +
           max_raw_bytes / 64 + 256;
}

enum sl_status sl_rec_merge_new(struct sl_rec_merge **out, struct sl_temp *temp,
                                const struct sl_rec_run *runs, size_t n, size_t max_raw_bytes,
                                struct sl_err *err)
{
    struct sl_rec_merge *m = calloc(1, sizeof *m);
    *out = m;
    if (!m)
        return sl_err_nomem(err, sizeof *m);
    m->temp = temp;
    sl_buf_init(&m->packed, max_raw_bytes + max_raw_bytes / 64 + 256);
    m->readers = calloc(n, sizeof *m->readers);
    m->losers = calloc(n, sizeof *m->losers);
    m->zstd = sl_unzstd_new();
    if (!m->readers || !m->losers || !m->zstd)
        return sl_err_nomem(err, n * sizeof *m->readers);
    m->n = n;
    for (size_t i = 0; i < n; i++) {
        sl_buf_init(&m->readers[i].block, max_raw_bytes);
        m->readers[i].rest = runs[i];
        m->losers[i] = (uint32_t)n;
    }
    return SL_OK;
}

void sl_rec_merge_free(struct sl_rec_merge *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n; i++)
        sl_buf_release(&m->readers[i].block);
    if (m->zstd)
        sl_unzstd_free(m->zstd);
    sl_buf_release(&m->packed);
    free(m->readers);
    free(m->losers);
    free(m);
}

enum sl_status sl_rec_merge_next(struct sl_rec_merge *m, struct sl_str *record, struct sl_err *err)
{
    if (m->begun) {
        SL_TRY(advance(m, &m->readers[m->losers[0]], err));
        play(m, m->losers[0]);
    } else {
        m->begun = true;
        for (uint32_t i = 0; i < m->n; i++)
            SL_TRY(advance(m, &m->readers[i], err));
        for (uint32_t i = 0; i < m->n; i++)
            play(m, i);
    }
    if (m->readers[m->losers[0]].done)
        return SL_END;
    *record = m->readers[m->losers[0]].record;
    return SL_OK;
}
