/* SPDX-License-Identifier: Apache-2.0 */
/* Rows leave their columns at once: a record is the key and the row as bytes, in
 * one piece of memory, beside an array of (first eight bytes of the key, pointer)
 * that is sorted. To write a row is then one copy, wherever it lies, and a run is a
 * plain sequence of records, of which a merge holds one block each, so that many
 * runs are merged in little memory.
 *
 * Rejected: keeping the batches and sorting (batch, row) pairs. Gathering touches
 * one place of every column for every row, and a merge must hold a batch of each
 * run, however large its documents are.
 *
 * The memory for records and that for the array (with as much again to sort it) are
 * two reservations of the whole budget, of which only what is touched counts; what
 * both have touched together stays below the limit, and where one of them grows
 * into what the other one touched in an earlier run, that is given back first. */
#include "order/row_sort.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "arrow/row_bytes.h"
#include "base/hash.h"
#include "order/row_run.h"

enum {
    CHUNK_ROWS = 256,
    CHUNK_KEY_BYTES = 64 * 1024,
    AFTER_RECORDS = 8, /* bytes that may be read behind a key */
    ENTRY_BYTES = 2 * sizeof(struct sl_entry),
    LEAST_BLOCK = 64 * 1024,
    MOST_BLOCK = 512 * 1024,
    HUGE_FROM_BYTES = 64 << 20,
    MOST_FAN_IN = 128,
    SHORT_KEY = 64,
};

struct sl_row_sort {
    const struct sl_row_keys *keys;
    uint64_t mem_bytes;
    uint8_t *records;
    struct sl_entry *entries;        /* mem_bytes of each are reserved */
    size_t used, n;                  /* bytes of records; records */
    size_t touched, touched_entries; /* bytes, since they were last given back */
    uint64_t most_batch, most_row, most_key;
    struct sl_buf key_bytes; /* of the rows at hand */
    struct sl_runs runs;
    struct sl_row_sort_counts counts;
    uint8_t last_key[SHORT_KEY]; /* of the last record seen, or its hash */
    size_t last_key_bytes;
};

/* ---- memory ---- */

static void *reserve(size_t n)
{
    void *p =
        mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    (void)madvise(p, n, n >= HUGE_FROM_BYTES ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    return p;
}

/* Give back what was touched behind keep. */
static void give_back(void *p, size_t keep, size_t *touched)
{
    const size_t page = 65536; /* or what divides it */
    keep = (keep + page - 1) & ~(page - 1);
    if (*touched > keep)
        (void)madvise((uint8_t *)p + keep, *touched - keep, MADV_DONTNEED);
    if (*touched > keep)
        *touched = keep;
}

/* What records and array may touch now. A batch is seen only when it has been read,
 * so some room is left for one that is larger than all before. */
static uint64_t limit(const struct sl_row_sort *s)
{
    uint64_t batch = s->mem_bytes / 16 > s->most_batch ? s->mem_bytes / 16 : s->most_batch;
    uint64_t others = SL_ROW_SORT_OTHER_BYTES + 2 * batch + s->key_bytes.cap;
    return s->mem_bytes > others ? s->mem_bytes - others : 0;
}

enum sl_status sl_row_sort_new(struct sl_row_sort **out, const struct sl_row_keys *keys,
                               uint64_t mem_bytes, const char *tmpdir, int zstd_level,
                               struct sl_err *err)
{
    *out = NULL;
    if (mem_bytes < SL_ROW_SORT_LEAST_BYTES)
        return sl_err_set(err, SL_E_USAGE, "--mem %llu: sorting needs 16M at least",
                          (unsigned long long)mem_bytes);
    struct sl_row_sort *s = calloc(1, sizeof *s);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    uint64_t block = mem_bytes / 256;
    block = block < LEAST_BLOCK ? LEAST_BLOCK : block > MOST_BLOCK ? MOST_BLOCK : block;
    s->keys = keys;
    s->mem_bytes = mem_bytes < (uint64_t)1 << 44 ? mem_bytes : (uint64_t)1 << 44;
    sl_buf_init(&s->key_bytes, (size_t)1 << 31);
    enum sl_status st = sl_runs_init(&s->runs, tmpdir, block, zstd_level, err);
    if (st == SL_OK) {
        s->records = reserve(s->mem_bytes);
        s->entries = reserve(s->mem_bytes);
        if (!s->records || !s->entries)
            st = sl_err_sys(err, errno, "cannot reserve %llu bytes of memory (--mem)",
                            (unsigned long long)s->mem_bytes);
    }
    if (st != SL_OK) {
        sl_row_sort_free(s);
        return st;
    }
    *out = s;
    return SL_OK;
}

static void drop_memory(struct sl_row_sort *s)
{
    if (s->records)
        munmap(s->records, s->mem_bytes);
    if (s->entries)
        munmap(s->entries, s->mem_bytes);
    s->records = NULL;
    s->entries = NULL;
}

void sl_row_sort_free(struct sl_row_sort *s)
{
    if (!s)
        return;
    drop_memory(s);
    sl_runs_release(&s->runs);
    sl_buf_release(&s->key_bytes);
    free(s);
}

/* ---- runs ---- */

static struct sl_entry *sort_all(struct sl_row_sort *s)
{
    sl_entries_sort(s->entries, s->entries + s->n, s->n);
    return s->entries;
}

/* How many runs can be merged at once: each holds a block. */
static size_t fan_in(const struct sl_row_sort *s)
{
    size_t block = sl_runs_most_block(&s->runs) + 4096;
    uint64_t others = SL_ROW_SORT_OTHER_BYTES + 2 * s->most_row + 2 * block;
    uint64_t n = s->mem_bytes > others ? (s->mem_bytes - others) / block : 0;
    return n < 2 ? 2 : n > MOST_FAN_IN ? MOST_FAN_IN : n;
}

static enum sl_status spill(struct sl_row_sort *s, struct sl_err *err)
{
    if (!s->n)
        return SL_OK;
    SL_TRY(sl_runs_add(&s->runs, sort_all(s), s->n, err));
    s->used = s->n = 0;
    s->counts.runs++;
    if (s->runs.n < SL_ROW_SORT_MOST_RUNS)
        return SL_OK;
    give_back(s->records, 0, &s->touched);
    give_back(s->entries, 0, &s->touched_entries);
    size_t n = fan_in(s);
    return sl_runs_reduce(&s->runs, SL_ROW_SORT_MOST_RUNS + 1 - n, n, err);
}

/* ---- rows in ---- */

/* What a merge of two runs, one of them with this row, would take. */
static enum sl_status check_size(struct sl_row_sort *s, uint64_t key, uint64_t row,
                                 struct sl_err *err)
{
    if (row <= s->most_row && key <= s->most_key)
        return SL_OK;
    s->most_row = row > s->most_row ? row : s->most_row;
    s->most_key = key > s->most_key ? key : s->most_key;
    uint64_t merging = 5 * (s->most_key + s->runs.block_bytes) + 2 * s->most_row;
    uint64_t holding = 2 * s->most_batch + s->key_bytes.cap + key + row + ENTRY_BYTES + 4096;
    uint64_t need = SL_ROW_SORT_OTHER_BYTES + (merging > holding ? merging : holding);
    bool fits = need <= s->mem_bytes && limit(s) >= key + row + ENTRY_BYTES + 4096;
    if (fits && row < INT32_MAX)
        return SL_OK;
    if (need <= s->mem_bytes) /* the room for larger batches is what lacks */
        need = (SL_ROW_SORT_OTHER_BYTES + s->key_bytes.cap + key + row + 8192) / 7 * 8;
    return sl_err_set(
        err, SL_E_SYSTEM, "a row of %llu bytes with a key of %llu needs --mem %lluM or more",
        (unsigned long long)row, (unsigned long long)key, (unsigned long long)((need >> 20) + 1));
}

/* Keys of rows from first on, CHUNK_ROWS at most; ends[i] is where key i ends. */
static enum sl_status make_keys(struct sl_row_sort *s, const struct sl_batch *b, int64_t first,
                                size_t *n, size_t *ends, struct sl_err *err)
{
    *n = 0;
    sl_buf_reset(&s->key_bytes);
    while (*n < CHUNK_ROWS && first + (int64_t)*n < b->n_rows && s->key_bytes.n < CHUNK_KEY_BYTES) {
        bool null;
        SL_TRY(sl_row_keys_add(s->keys, b, first + (int64_t)*n, &s->key_bytes, &null, err));
        s->counts.nulls += null;
        ends[(*n)++] = s->key_bytes.n;
    }
    return SL_OK;
}

/* Is there room for one more record? */
static bool has_room(struct sl_row_sort *s, size_t bytes)
{
    size_t records = s->used + bytes + AFTER_RECORDS, entries = (s->n + 1) * ENTRY_BYTES;
    uint64_t most = limit(s);
    if (records + entries > most)
        return false;
    size_t a = records > s->touched ? records : s->touched;
    size_t b = entries > s->touched_entries ? entries : s->touched_entries;
    if (a + b > most) {
        give_back(s->records, s->used + AFTER_RECORDS, &s->touched);
        give_back(s->entries, s->n * ENTRY_BYTES, &s->touched_entries);
    }
    s->touched = records > s->touched ? records : s->touched;
    s->touched_entries = entries > s->touched_entries ? entries : s->touched_entries;
    return true;
}

/* Head and key of a record; returns where its row goes. */
static uint8_t *begin_record(struct sl_row_sort *s, const uint8_t *key, size_t key_bytes,
                             size_t row_bytes)
{
    uint8_t *p = s->records + s->used;
    sl_store32(p, (uint32_t)key_bytes);
    sl_store32(p + 4, (uint32_t)row_bytes);
    memcpy(p + SL_RECORD_HEAD, key, key_bytes);
    s->entries[s->n++] = (struct sl_entry){ sl_record_word(p, 0), p };
    s->used += SL_RECORD_HEAD + key_bytes + row_bytes;
    return p + SL_RECORD_HEAD + key_bytes;
}

struct chunk {
    int64_t first;
    size_t n;
    size_t ends[CHUNK_ROWS]; /* of the keys */
    uint64_t sizes[CHUNK_ROWS];
};

/* As many records of the chunk, from the given one on, as there is room for. */
static enum sl_status put_some(struct sl_row_sort *s, const struct sl_batch *b,
                               const struct chunk *c, size_t *at, struct sl_err *err)
{
    uint8_t *to[CHUNK_ROWS];
    size_t from = *at;
    for (; *at < c->n; ++*at) {
        size_t start = *at ? c->ends[*at - 1] : 0, key = c->ends[*at] - start;
        SL_TRY(check_size(s, key, c->sizes[*at], err));
        if (!has_room(s, SL_RECORD_HEAD + key + c->sizes[*at]))
            break;
        to[*at - from] = begin_record(s, s->key_bytes.p + start, key, c->sizes[*at]);
    }
    sl_row_bytes_write(b, c->first + (int64_t)from, *at - from, to);
    return SL_OK;
}

static enum sl_status add_chunk(struct sl_row_sort *s, const struct sl_batch *b, struct chunk *c,
                                struct sl_err *err)
{
    SL_TRY(make_keys(s, b, c->first, &c->n, c->ends, err));
    sl_row_bytes_sizes(b, c->first, c->n, c->sizes);
    for (size_t at = 0; at < c->n;) {
        SL_TRY(put_some(s, b, c, &at, err));
        if (at < c->n)
            SL_TRY(s->n ? spill(s, err)
                        : sl_err_set(err, SL_E_BUG, "a row that was to fit into --mem"));
    }
    return SL_OK;
}

enum sl_status sl_row_sort_add(struct sl_row_sort *s, const struct sl_batch *b, struct sl_err *err)
{
    struct chunk c;
    uint64_t bytes = b->body.cap ? b->body.cap : (uint64_t)sl_batch_bytes(b);
    if (bytes > s->most_batch)
        s->most_batch = bytes;
    for (c.first = 0; c.first < b->n_rows; c.first += (int64_t)c.n)
        SL_TRY(add_chunk(s, b, &c, err));
    s->counts.rows += b->n_rows;
    return SL_OK;
}

/* ---- rows out ---- */

static void see(void *ctx, const uint8_t *record)
{
    struct sl_row_sort *s = ctx;
    const uint8_t *key = sl_record_key(record);
    size_t n = sl_record_key_bytes(record);
    struct sl_hash128 hash;
    if (n > SHORT_KEY) {
        hash = sl_hash128(key, n);
        key = hash.b;
        n = sizeof hash.b;
    }
    if (n == s->last_key_bytes && memcmp(s->last_key, key, n) == 0)
        s->counts.same_key++;
    memcpy(s->last_key, key, n);
    s->last_key_bytes = n;
}

static enum sl_status emit_memory(struct sl_row_sort *s, struct sl_row_sink sink,
                                  struct sl_err *err)
{
    enum { AHEAD = 12 };
    struct sl_str rows[CHUNK_ROWS];
    struct sl_entry *e = sort_all(s);
    for (size_t first = 0, n; first < s->n; first += n) {
        n = s->n - first < CHUNK_ROWS ? s->n - first : CHUNK_ROWS;
        for (size_t i = 0; i < n; i++) {
            const uint8_t *p = e[first + i].record;
            if (first + i + AHEAD < s->n)
                __builtin_prefetch(e[first + i + AHEAD].record);
            see(s, p);
            rows[i] = (struct sl_str){ (const char *)sl_record_key(p) + sl_record_key_bytes(p),
                                       sl_load32(p + 4) };
        }
        SL_TRY(sink.emit(sink.ctx, rows, n, err));
    }
    return SL_OK;
}

enum sl_status sl_row_sort_end(struct sl_row_sort *s,
                               enum sl_status (*emit)(void *ctx, struct sl_str *rows, size_t n,
                                                      struct sl_err *err),
                               void *ctx, struct sl_err *err)
{
    struct sl_row_sink sink = { emit, ctx };
    sl_buf_release(&s->key_bytes);
    if (!s->runs.n)
        return emit_memory(s, sink, err);
    SL_TRY(spill(s, err));
    drop_memory(s);
    SL_TRY(sl_runs_reduce(&s->runs, fan_in(s), fan_in(s), err));
    return sl_runs_emit(&s->runs, sink, (struct sl_record_watch){ see, s }, err);
}

struct sl_row_sort_counts sl_row_sort_counts(const struct sl_row_sort *s)
{
    struct sl_row_sort_counts c = s->counts;
    c.merges = s->runs.n_merges;
    c.disk_bytes = s->runs.most_bytes;
    return c;
}
