/* SPDX-License-Identifier: Apache-2.0 */
/* The external sort: one piece of memory, filled from both ends, records from
 * the front and their entries from the back. When they meet, the entries are
 * sorted and the records written in their order as a run. The address space is
 * taken at once and memory as it is filled, so that a small input costs little
 * whatever the budget is.
 *
 * What is merged at once is bounded by the memory: where there are more runs
 * than blocks that fit, a pass merges groups of them into a new file, and the
 * old one is freed. The memory of the records is freed before the first merge.
 *
 * OVERHEAD stands for what zstd's contexts take, measured at 700 KiB. */
#include "io/record_sort.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "io/record_parts.h"

enum {
    OVERHEAD = 1 << 20,
    BLOCK_MIN = 8 << 10,
    BLOCK_MAX = 256 << 10,
    FAN_IN_MAX = 1024,
    PREFETCH = 12,
    HUGE_PAGES_FROM = 16 << 20,
};

struct sl_record_sort {
    char *tmpdir;
    size_t mem_bytes;   /* of buffers: without OVERHEAD */
    size_t block_bytes; /* of runs */
    /* memory */
    uint8_t *mem;
    size_t mem_cap, used; /* all of it; used by records */
    size_t n_entries;     /* at the end of mem, the last added first */
    /* runs */
    struct sl_temp *temp;
    struct sl_rec_writer writer;
    struct sl_rec_run *runs;
    size_t n_runs, cap_runs, max_raw_bytes;
    bool ordered;       /* a run of add_ordered is open */
    struct sl_buf last; /* its last record */
    /* reading */
    struct sl_rec_merge *merge;
    size_t at;
    int64_t count, temp_bytes;
};

enum sl_status sl_record_sort_new(struct sl_record_sort **out, size_t mem_bytes, const char *tmpdir,
                                  struct sl_err *err)
{
    *out = NULL;
    if (mem_bytes < SL_RECORD_SORT_MIN_BYTES)
        return sl_err_set(err, SL_E_USAGE, "%zu bytes of memory are too few for a sort", mem_bytes);
    struct sl_record_sort *s = calloc(1, sizeof *s);
    if (s)
        s->tmpdir = strdup(tmpdir);
    if (!s || !s->tmpdir) {
        free(s);
        return sl_err_nomem(err, sizeof *s);
    }
    s->mem_bytes = mem_bytes - OVERHEAD;
    s->block_bytes = s->mem_bytes / 128;
    if (s->block_bytes < BLOCK_MIN)
        s->block_bytes = BLOCK_MIN;
    if (s->block_bytes > BLOCK_MAX)
        s->block_bytes = BLOCK_MAX;
    sl_buf_init(&s->last, SL_REC_BLOCK_MAX);
    *out = s;
    return SL_OK;
}

static void free_memory(struct sl_record_sort *s)
{
    if (s->mem)
        munmap(s->mem, s->mem_cap);
    s->mem = NULL;
    s->mem_cap = s->used = s->n_entries = 0;
}

void sl_record_sort_free(struct sl_record_sort *s)
{
    if (!s)
        return;
    free_memory(s);
    sl_rec_merge_free(s->merge);
    sl_rec_writer_release(&s->writer);
    sl_temp_free(s->temp);
    sl_buf_release(&s->last);
    free(s->runs);
    free(s->tmpdir);
    free(s);
}

/* ---- runs ---- */

static enum sl_status begin_run(struct sl_record_sort *s, struct sl_err *err)
{
    if (!s->temp)
        SL_TRY(sl_temp_new(&s->temp, s->tmpdir, err));
    if (!s->writer.temp)
        SL_TRY(sl_rec_writer_init(&s->writer, s->temp, s->block_bytes, err));
    if (s->n_runs == s->cap_runs) {
        size_t cap = s->cap_runs ? 2 * s->cap_runs : 64;
        struct sl_rec_run *runs = realloc(s->runs, cap * sizeof *runs);
        if (!runs)
            return sl_err_nomem(err, cap * sizeof *runs);
        s->runs = runs;
        s->cap_runs = cap;
    }
    s->runs[s->n_runs++].from = sl_temp_bytes(s->temp);
    return SL_OK;
}

static enum sl_status end_run(struct sl_record_sort *s, struct sl_err *err)
{
    struct sl_rec_run *run = &s->runs[s->n_runs - 1];
    SL_TRY(sl_rec_writer_cut(&s->writer, err));
    run->to = sl_temp_bytes(s->temp);
    s->temp_bytes += run->to - run->from;
    if (s->writer.max_raw_bytes > s->max_raw_bytes)
        s->max_raw_bytes = s->writer.max_raw_bytes;
    return SL_OK;
}

static struct sl_rec_entry *entries(const struct sl_record_sort *s)
{
    return (struct sl_rec_entry *)(void *)(s->mem + s->mem_cap) - s->n_entries;
}

/* What is in memory becomes a run. */
static enum sl_status spill(struct sl_record_sort *s, struct sl_err *err)
{
    struct sl_rec_entry *e = entries(s);
    size_t n = s->n_entries;
    SL_TRY(begin_run(s, err));
    sl_rec_sort(e, n);
    for (size_t i = 0; i < n; i++) {
        if (i + PREFETCH < n)
            __builtin_prefetch(e[i + PREFETCH].at);
        SL_TRY(sl_rec_writer_add(&s->writer, sl_rec_str(e[i].at), err));
    }
    s->used = s->n_entries = 0;
    return end_run(s, err);
}

static enum sl_status end_ordered(struct sl_record_sort *s, struct sl_err *err)
{
    if (!s->ordered)
        return SL_OK;
    s->ordered = false;
    sl_buf_release(&s->last);
    return end_run(s, err);
}

/* ---- records in ---- */

static enum sl_status check_length(const struct sl_record_sort *s, size_t n, struct sl_err *err)
{
    if (n <= s->mem_bytes / 16 && n <= SL_REC_BLOCK_MAX / 2)
        return SL_OK;
    return sl_err_set(err, SL_E_SYSTEM,
                      "a key of %zu bytes is too long to be sorted in %zu bytes of memory; raise "
                      "--mem",
                      n, s->mem_bytes + OVERHEAD);
}

/* All but what the writer may need for a block and its frame; these are as large
 * as the largest record where that is larger than a block. */
static enum sl_status take_memory(struct sl_record_sort *s, struct sl_err *err)
{
    size_t cap = s->mem_bytes - 3 * s->block_bytes - s->mem_bytes / 8;
    void *p = mmap(NULL, cap & ~(size_t)4095, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return sl_err_nomem(err, cap);
    s->mem = p;
    s->mem_cap = cap & ~(size_t)4095;
    if (s->mem_cap >= HUGE_PAGES_FROM)
        (void)madvise(p, s->mem_cap, MADV_HUGEPAGE);
    return SL_OK;
}

enum sl_status sl_record_sort_add(struct sl_record_sort *s, struct sl_str record,
                                  struct sl_err *err)
{
    size_t need = 4 + record.n + sizeof(struct sl_rec_entry);
    size_t free_bytes = s->mem_cap - s->used - s->n_entries * sizeof(struct sl_rec_entry);
    SL_TRY(check_length(s, record.n, err));
    if (free_bytes < need) {
        SL_TRY(end_ordered(s, err));
        SL_TRY(s->mem ? spill(s, err) : take_memory(s, err));
    }
    uint8_t *at = s->mem + s->used;
    sl_store32(at, (uint32_t)record.n);
    if (record.n)
        memcpy(at + 4, record.p, record.n);
    s->used += 4 + record.n;
    s->n_entries++;
    *entries(s) = (struct sl_rec_entry){ sl_rec_prefix(record, 0), at };
    s->count++;
    return SL_OK;
}

enum sl_status sl_record_sort_add_ordered(struct sl_record_sort *s, struct sl_str record,
                                          struct sl_err *err)
{
    SL_TRY(check_length(s, record.n, err));
    if (s->mem || (s->ordered && sl_str_cmp(record, sl_buf_str(&s->last)) < 0))
        return sl_err_set(err, SL_E_BUG, "records in disorder");
    if (!s->ordered)
        SL_TRY(begin_run(s, err));
    s->ordered = true;
    sl_buf_reset(&s->last);
    SL_TRY(sl_buf_add_str(&s->last, record, err));
    s->count++;
    return sl_rec_writer_add(&s->writer, record, err);
}

/* ---- merging ---- */

/* How many runs can be merged at once, beside a writer. */
static size_t fan_in(const struct sl_record_sort *s)
{
    size_t room = s->mem_bytes - 3 * s->max_raw_bytes;
    size_t n = 2;
    while (n < FAN_IN_MAX && sl_rec_merge_bytes(n + 1, s->max_raw_bytes) <= room)
        n++;
    return n;
}

static enum sl_status merge_group(struct sl_record_sort *s, size_t first, size_t n,
                                  struct sl_rec_writer *to, struct sl_err *err)
{
    struct sl_rec_merge *m;
    struct sl_str record;
    enum sl_status st = sl_rec_merge_new(&m, s->temp, s->runs + first, n, s->max_raw_bytes, err);
    while (st == SL_OK) {
        st = sl_rec_merge_next(m, &record, err);
        if (st == SL_OK)
            st = sl_rec_writer_add(to, record, err);
    }
    sl_rec_merge_free(m);
    return st == SL_END ? sl_rec_writer_cut(to, err) : st;
}

/* Groups of runs become runs of a new file. */
static enum sl_status merge_pass(struct sl_record_sort *s, struct sl_temp *temp, size_t group,
                                 struct sl_err *err)
{
    struct sl_rec_writer to;
    size_t n_after = 0;
    enum sl_status st = sl_rec_writer_init(&to, temp, s->block_bytes, err);
    for (size_t i = 0; st == SL_OK && i < s->n_runs; i += group) {
        int64_t from = sl_temp_bytes(temp);
        size_t n = s->n_runs - i < group ? s->n_runs - i : group;
        st = merge_group(s, i, n, &to, err);
        s->runs[n_after++] = (struct sl_rec_run){ from, sl_temp_bytes(temp) };
    }
    sl_rec_writer_release(&to);
    s->n_runs = n_after;
    s->temp_bytes += sl_temp_bytes(temp);
    return st;
}

static enum sl_status merge_passes(struct sl_record_sort *s, struct sl_err *err)
{
    size_t group = fan_in(s);
    while (s->n_runs > group) {
        struct sl_temp *temp;
        SL_TRY(sl_temp_new(&temp, s->tmpdir, err));
        enum sl_status st = merge_pass(s, temp, group, err);
        sl_temp_free(s->temp);
        s->temp = temp;
        SL_TRY(st);
    }
    return SL_OK;
}

enum sl_status sl_record_sort_rewind(struct sl_record_sort *s, struct sl_err *err)
{
    s->at = 0;
    sl_rec_merge_free(s->merge);
    s->merge = NULL;
    if (!s->n_runs)
        return SL_OK;
    return sl_rec_merge_new(&s->merge, s->temp, s->runs, s->n_runs, s->max_raw_bytes, err);
}

enum sl_status sl_record_sort_end(struct sl_record_sort *s, struct sl_err *err)
{
    SL_TRY(end_ordered(s, err));
    if (!s->n_runs) {
        if (s->n_entries)
            sl_rec_sort(entries(s), s->n_entries);
        return SL_OK;
    }
    if (s->n_entries)
        SL_TRY(spill(s, err));
    free_memory(s);
    sl_rec_writer_release(&s->writer);
    SL_TRY(merge_passes(s, err));
    return sl_record_sort_rewind(s, err);
}

enum sl_status sl_record_sort_next(struct sl_record_sort *s, struct sl_str *record,
                                   struct sl_err *err)
{
    if (s->merge)
        return sl_rec_merge_next(s->merge, record, err);
    if (s->at == s->n_entries)
        return SL_END;
    const struct sl_rec_entry *e = entries(s) + s->at;
    if (s->at + PREFETCH < s->n_entries)
        __builtin_prefetch(e[PREFETCH].at);
    *record = sl_rec_str(e->at);
    s->at++;
    return SL_OK;
}

int64_t sl_record_sort_count(const struct sl_record_sort *s)
{
    return s->count;
}

int64_t sl_record_sort_temp_bytes(const struct sl_record_sort *s)
{
    return s->temp_bytes;
}
