/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks hold whole records; one that is larger than a block is a block by itself.
 * So a reader needs one block, and what it points to stays until the next one.
 *
 * A merge compares the first eight bytes of the keys, which each reader has at
 * hand, then the rest, then the readers' order: runs are kept in the order in which
 * their rows came in and only neighbours are merged, so equal keys keep theirs.
 * Keys are spilled with the rows: making them again from a row would need it in
 * columns first, for every merge.
 *
 * Every run has a file of its own, freed as soon as it is merged: the disk holds
 * all rows once, and a second time those of the merge at hand. */
#include "order/row_run.h"

#include <stdlib.h>
#include <string.h>

enum {
    REF_BYTES = 16,
    LARGE_ROW = 32 * 1024, /* larger rows lie elsewhere */
    LARGE_PIECE = 256 * 1024,
    EMIT_ROWS = 256,
    AHEAD = 12, /* records that the processor is asked to fetch before they are written */
};

/* ---- shared ---- */

enum sl_status sl_runs_init(struct sl_runs *r, const char *tmpdir, size_t block_bytes,
                            int zstd_level, struct sl_err *err)
{
    *r = (struct sl_runs){ .tmpdir = tmpdir, .block_bytes = block_bytes };
    sl_buf_init(&r->block, (size_t)1 << 32);
    return sl_spill_new(&r->spill, zstd_level, err);
}

void sl_runs_release(struct sl_runs *r)
{
    for (size_t i = 0; i < r->n; i++)
        sl_temp_free(r->run[i].file);
    free(r->run);
    sl_temp_free(r->large);
    sl_spill_free(r->spill);
    sl_buf_release(&r->block);
    *r = (struct sl_runs){ 0 };
}

size_t sl_runs_most_block(const struct sl_runs *r)
{
    size_t most = r->block_bytes;
    for (size_t i = 0; i < r->n; i++)
        if (r->run[i].most_block > most)
            most = r->run[i].most_block;
    return most;
}

static size_t record_row_bytes(const uint8_t *record)
{
    uint32_t n = sl_load32(record + 4);
    return n == SL_ROW_ELSEWHERE ? REF_BYTES : n;
}

static size_t record_bytes(const uint8_t *record)
{
    return SL_RECORD_HEAD + sl_record_key_bytes(record) + record_row_bytes(record);
}

static const uint8_t *record_row(const uint8_t *record)
{
    return sl_record_key(record) + sl_record_key_bytes(record);
}

static void count_bytes(struct sl_runs *r, int64_t more)
{
    r->bytes += more;
    if (r->bytes > r->most_bytes)
        r->most_bytes = r->bytes;
}

/* ---- writing ---- */

static enum sl_status open_run(struct sl_runs *r, struct sl_run_file *to, struct sl_err *err)
{
    *to = (struct sl_run_file){ .most_block = 0 };
    sl_buf_reset(&r->block);
    SL_TRY(sl_buf_reserve(&r->block, r->block_bytes, err));
    return sl_temp_new(&to->file, r->tmpdir, err);
}

static enum sl_status end_block(struct sl_runs *r, struct sl_run_file *to, struct sl_err *err)
{
    if (!r->block.n)
        return SL_OK;
    if (r->block.n > to->most_block)
        to->most_block = r->block.n;
    int64_t before = sl_temp_bytes(to->file);
    SL_TRY(sl_spill_write(r->spill, to->file, r->block.p, r->block.n, err));
    count_bytes(r, sl_temp_bytes(to->file) - before);
    sl_buf_reset(&r->block);
    return SL_OK;
}

static enum sl_status room_for(struct sl_runs *r, struct sl_run_file *to, size_t n,
                               struct sl_err *err)
{
    if (r->block.n && r->block.n + n > r->block_bytes)
        SL_TRY(end_block(r, to, err));
    return sl_buf_reserve(&r->block, n, err);
}

static enum sl_status put_record(struct sl_runs *r, struct sl_run_file *to, const uint8_t *record,
                                 struct sl_err *err)
{
    size_t n = record_bytes(record);
    SL_TRY(room_for(r, to, n, err));
    return sl_buf_add(&r->block, record, n, err);
}

/* The row goes to the large file, a reference to the run. */
static enum sl_status put_large(struct sl_runs *r, struct sl_run_file *to, const uint8_t *record,
                                struct sl_err *err)
{
    const uint8_t *row = record_row(record);
    size_t key = sl_record_key_bytes(record), bytes = sl_load32(record + 4);
    uint8_t numbers[REF_BYTES], head[SL_RECORD_HEAD];
    if (!r->large)
        SL_TRY(sl_temp_new(&r->large, r->tmpdir, err));
    int64_t off = sl_temp_bytes(r->large);
    for (size_t at = 0; at < bytes; at += LARGE_PIECE) {
        size_t n = bytes - at < LARGE_PIECE ? bytes - at : LARGE_PIECE;
        SL_TRY(sl_spill_write(r->spill, r->large, row + at, n, err));
    }
    count_bytes(r, sl_temp_bytes(r->large) - off);
    sl_store64(numbers, (uint64_t)off);
    sl_store64(numbers + 8, bytes);
    sl_store32(head, (uint32_t)key);
    sl_store32(head + 4, SL_ROW_ELSEWHERE);
    SL_TRY(room_for(r, to, SL_RECORD_HEAD + key + REF_BYTES, err));
    SL_TRY(sl_buf_add(&r->block, head, sizeof head, err));
    SL_TRY(sl_buf_add(&r->block, sl_record_key(record), key, err));
    return sl_buf_add(&r->block, numbers, sizeof numbers, err);
}

static enum sl_status put_all(struct sl_runs *r, struct sl_run_file *to, const struct sl_entry *e,
                              size_t n, struct sl_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (i + AHEAD < n)
            __builtin_prefetch(e[i + AHEAD].record);
        bool large = sl_load32(e[i].record + 4) > LARGE_ROW;
        SL_TRY(large ? put_large(r, to, e[i].record, err) : put_record(r, to, e[i].record, err));
    }
    return end_block(r, to, err);
}

enum sl_status sl_runs_add(struct sl_runs *r, const struct sl_entry *e, size_t n,
                           struct sl_err *err)
{
    if (r->n == r->room) {
        size_t room = r->room ? r->room * 2 : 16;
        struct sl_run_file *run = realloc(r->run, room * sizeof *run);
        if (!run)
            return sl_err_nomem(err, room * sizeof *run);
        r->run = run;
        r->room = room;
    }
    SL_TRY(open_run(r, &r->run[r->n], err));
    r->n++;
    return put_all(r, &r->run[r->n - 1], e, n, err);
}

/* ---- merging ---- */

struct reader {
    struct sl_temp *file;
    int64_t off;
    struct sl_buf block;
    size_t at;
    const uint8_t *record; /* NULL: no more */
    uint64_t word;
};

struct merge {
    struct sl_runs *runs;
    struct reader *reader;
    size_t n;
    uint32_t *tree; /* [0] the first, then the losers of a tournament */
};

static enum sl_status damaged(struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "a temporary file (--tmpdir) is damaged");
}

/* The record at d->at, which must lie in the block as a whole. */
static enum sl_status look(struct reader *d, struct sl_err *err)
{
    size_t left = d->block.n - d->at;
    d->record = d->block.p + d->at;
    if (left < SL_RECORD_HEAD || record_bytes(d->record) > left)
        return damaged(err);
    d->word = sl_record_word(d->record, 0);
    return SL_OK;
}

static enum sl_status load(struct merge *m, struct reader *d, struct sl_err *err)
{
    d->at = 0;
    d->record = NULL;
    if (d->off == sl_temp_bytes(d->file))
        return SL_OK;
    SL_TRY(sl_spill_read(m->runs->spill, d->file, &d->off, &d->block, err));
    SL_TRY(sl_buf_add_zeros(&d->block, 8, err)); /* words may be read past the last key */
    d->block.n -= 8;
    return look(d, err);
}

static bool is_before(const struct merge *m, uint32_t a, uint32_t b)
{
    const struct reader *x = &m->reader[a], *y = &m->reader[b];
    if (!x->record || !y->record)
        return x->record ? true : !y->record && a < b;
    if (x->word != y->word)
        return x->word < y->word;
    int way = sl_record_compare(x->record, y->record, 8);
    return way ? way < 0 : a < b;
}

/* Reader i has another record: play its games anew. */
static void replay(struct merge *m, uint32_t i)
{
    uint32_t first = i;
    for (size_t p = (i + m->n) / 2; p > 0; p /= 2) {
        uint32_t other = m->tree[p];
        if (other == UINT32_MAX) { /* still building: wait for the other side */
            m->tree[p] = first;
            return;
        }
        if (is_before(m, other, first)) {
            m->tree[p] = first;
            first = other;
        }
    }
    m->tree[0] = first;
}

static void close_merge(struct merge *m)
{
    for (size_t i = 0; m->reader && i < m->n; i++)
        sl_buf_release(&m->reader[i].block);
    free(m->reader);
    free(m->tree);
}

/* Runs [first, first + n). */
static enum sl_status open_merge(struct merge *m, struct sl_runs *r, size_t first, size_t n,
                                 struct sl_err *err)
{
    *m = (struct merge){ .runs = r, .n = n };
    m->reader = calloc(n, sizeof *m->reader);
    m->tree = malloc((n + 1) * sizeof *m->tree);
    if (!m->reader || !m->tree)
        return sl_err_nomem(err, n * sizeof *m->reader);
    memset(m->tree, 0xff, (n + 1) * sizeof *m->tree);
    for (size_t i = 0; i < n; i++) {
        m->reader[i].file = r->run[first + i].file;
        sl_buf_init(&m->reader[i].block, r->run[first + i].most_block + 8);
    }
    for (size_t i = 0; i < n; i++) {
        SL_TRY(load(m, &m->reader[i], err));
        replay(m, (uint32_t)i);
    }
    return SL_OK;
}

/* Step behind the record of a reader within its block; false: the block is used up. */
static bool step_in_block(struct reader *d)
{
    d->at += record_bytes(d->record);
    return d->at < d->block.n;
}

static enum sl_status merge_into(struct merge *m, struct sl_run_file *to, struct sl_err *err)
{
    for (;;) {
        struct reader *d = &m->reader[m->tree[0]];
        if (!d->record)
            return end_block(m->runs, to, err);
        SL_TRY(put_record(m->runs, to, d->record, err));
        SL_TRY(step_in_block(d) ? look(d, err) : load(m, d, err));
        replay(m, m->tree[0]);
    }
}

/* Replace runs [first, first + n) by their merge. */
static enum sl_status merge_some(struct sl_runs *r, size_t first, size_t n, struct sl_err *err)
{
    struct merge m;
    struct sl_run_file to = { NULL, 0 };
    enum sl_status st = open_merge(&m, r, first, n, err);
    if (st == SL_OK)
        st = open_run(r, &to, err);
    if (st == SL_OK)
        st = merge_into(&m, &to, err);
    close_merge(&m);
    if (st != SL_OK) {
        sl_temp_free(to.file);
        return st;
    }
    for (size_t i = first; i < first + n; i++) {
        count_bytes(r, -sl_temp_bytes(r->run[i].file));
        sl_temp_free(r->run[i].file);
    }
    r->run[first] = to;
    memmove(&r->run[first + 1], &r->run[first + n], (r->n - first - n) * sizeof *r->run);
    r->n -= n - 1;
    r->n_merges++;
    return SL_OK;
}

/* The n neighbours that have the fewest bytes. */
static size_t cheapest(const struct sl_runs *r, size_t n)
{
    int64_t sum = 0, best_sum = INT64_MAX;
    size_t best = 0;
    for (size_t i = 0; i < r->n; i++) {
        sum += sl_temp_bytes(r->run[i].file);
        if (i + 1 < n)
            continue;
        if (sum < best_sum) {
            best_sum = sum;
            best = i + 1 - n;
        }
        sum -= sl_temp_bytes(r->run[i + 1 - n].file);
    }
    return best;
}

enum sl_status sl_runs_reduce(struct sl_runs *r, size_t most, size_t fan_in, struct sl_err *err)
{
    while (r->n > most) {
        size_t n = r->n - most + 1 < fan_in ? r->n - most + 1 : fan_in;
        SL_TRY(merge_some(r, cheapest(r, n), n, err));
    }
    return SL_OK;
}

/* ---- rows out ---- */

struct emission {
    struct sl_row_sink sink;
    struct sl_str rows[EMIT_ROWS];
    size_t n;
    struct sl_buf large;
};

static enum sl_status emit_waiting(struct emission *e, struct sl_err *err)
{
    size_t n = e->n;
    e->n = 0;
    return n ? e->sink.emit(e->sink.ctx, e->rows, n, err) : SL_OK;
}

static enum sl_status emit_large(struct emission *e, struct sl_runs *r, const uint8_t *numbers,
                                 struct sl_err *err)
{
    int64_t off = (int64_t)sl_load64(numbers);
    size_t bytes = sl_load64(numbers + 8);
    struct sl_buf piece;
    SL_TRY(emit_waiting(e, err));
    sl_buf_init(&piece, LARGE_PIECE);
    sl_buf_reset(&e->large);
    enum sl_status st = r->large ? sl_buf_reserve(&e->large, bytes, err) : damaged(err);
    while (st == SL_OK && e->large.n < bytes) {
        st = sl_spill_read(r->spill, r->large, &off, &piece, err);
        if (st == SL_OK)
            st = sl_buf_add(&e->large, piece.p, piece.n, err);
    }
    sl_buf_release(&piece);
    SL_TRY(st);
    e->rows[e->n++] = (struct sl_str){ (const char *)e->large.p, bytes };
    return emit_waiting(e, err);
}

static enum sl_status emit_record(struct emission *e, struct sl_runs *r, const uint8_t *record,
                                  struct sl_err *err)
{
    if (sl_load32(record + 4) == SL_ROW_ELSEWHERE)
        return emit_large(e, r, record_row(record), err);
    e->rows[e->n++] = (struct sl_str){ (const char *)record_row(record), record_row_bytes(record) };
    return e->n == EMIT_ROWS ? emit_waiting(e, err) : SL_OK;
}

static enum sl_status emit_all(struct merge *m, struct emission *e, struct sl_record_watch watch,
                               struct sl_err *err)
{
    for (;;) {
        struct reader *d = &m->reader[m->tree[0]];
        if (!d->record)
            return emit_waiting(e, err);
        watch.see(watch.ctx, d->record);
        SL_TRY(emit_record(e, m->runs, d->record, err));
        if (step_in_block(d)) {
            SL_TRY(look(d, err));
        } else { /* rows that wait may lie in the block that goes */
            SL_TRY(emit_waiting(e, err));
            SL_TRY(load(m, d, err));
        }
        replay(m, m->tree[0]);
    }
}

enum sl_status sl_runs_emit(struct sl_runs *r, struct sl_row_sink sink,
                            struct sl_record_watch watch, struct sl_err *err)
{
    struct merge m;
    struct emission e = { .sink = sink };
    sl_buf_init(&e.large, (size_t)1 << 32);
    enum sl_status st = open_merge(&m, r, 0, r->n, err);
    if (st == SL_OK)
        st = emit_all(&m, &e, watch, err);
    close_merge(&m);
    sl_buf_release(&e.large);
    return st;
}
