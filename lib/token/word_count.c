/* SPDX-License-Identifier: Apache-2.0 */
/* A table of open addressing holds hashes and places; a word stands with its count and
 * length in one block of 8-byte units, so that a hit costs one line beside the slot. Two
 * words of one hash are compared.
 *
 * Words in files are records of length, bytes and count, so that a sort by bytes puts equal
 * words side by side. Long words cannot be records; they are few, stay in the table, and
 * are told at the end.
 *
 * Of pieces all hashes are made first and their slots fetched: the misses of a large table
 * then overlap. */
#include "token/word_count.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "io/record_sort.h"

enum { FIRST_BITS = 12, AT_ONCE = 256, PART_OF_LONG = 64, RECORD_HEAD = 4, COUNT_BYTES = 8 };

struct slot {
    uint64_t hash;
    uint64_t at; /* of the entry, in units of 8 bytes; 0: empty */
};

/* The bytes follow. */
struct entry {
    int64_t count;
    uint64_t n;
};

struct sl_word_counts {
    struct slot *slots;
    unsigned bits;
    size_t n_words;
    uint64_t *units;
    size_t n_units, cap_units;
    size_t table_bytes, sort_bytes; /* most that each may take */
    const char *tmpdir;
    struct sl_record_sort *sort; /* NULL: nothing was written yet */
    struct sl_str head;          /* while merging: the record in hand */
};

static enum sl_status take_slots(struct sl_word_counts *c, unsigned bits, struct sl_err *err)
{
    struct slot *p = calloc((size_t)1 << bits, sizeof *p);
    if (!p)
        return sl_err_nomem(err, sizeof *p << bits);
    c->slots = p;
    c->bits = bits;
    return SL_OK;
}

enum sl_status sl_word_counts_new(struct sl_word_counts **out, size_t mem_bytes, const char *tmpdir,
                                  struct sl_err *err)
{
    struct sl_word_counts *c = calloc(1, sizeof *c);
    *out = c;
    if (!c)
        return sl_err_nomem(err, sizeof *c);
    if (mem_bytes < SL_WORD_COUNTS_MIN_BYTES)
        mem_bytes = SL_WORD_COUNTS_MIN_BYTES;
    c->sort_bytes = mem_bytes / 3;
    c->table_bytes = mem_bytes - c->sort_bytes;
    c->tmpdir = tmpdir;
    c->n_units = 1;
    return take_slots(c, FIRST_BITS, err);
}

void sl_word_counts_free(struct sl_word_counts *c)
{
    if (!c)
        return;
    sl_record_sort_free(c->sort);
    free(c->slots);
    free(c->units);
    free(c);
}

int64_t sl_word_counts_temp_bytes(const struct sl_word_counts *c)
{
    return c->sort ? sl_record_sort_temp_bytes(c->sort) : 0;
}

static struct entry *entry_at(const struct sl_word_counts *c, uint64_t at)
{
    return (struct entry *)(c->units + at);
}

static struct sl_str word_of(const struct entry *e)
{
    return (struct sl_str){ (const char *)(e + 1), e->n };
}

static size_t units_of(size_t n)
{
    return (sizeof(struct entry) + n + 7) / 8;
}

/* ---- to files ---- */

static bool is_long(const struct sl_word_counts *c, size_t n)
{
    return n > c->sort_bytes / PART_OF_LONG;
}

static enum sl_status write_word(struct sl_word_counts *c, const struct entry *e, uint8_t *record,
                                 struct sl_err *err)
{
    size_t n = e->n;
    for (int i = 0; i < RECORD_HEAD; i++)
        record[i] = (uint8_t)(n >> (24 - 8 * i));
    memcpy(record + RECORD_HEAD, e + 1, n);
    memcpy(record + RECORD_HEAD + n, &e->count, COUNT_BYTES);
    struct sl_str r = { (const char *)record, RECORD_HEAD + n + COUNT_BYTES };
    return sl_record_sort_add(c->sort, r, err);
}

/* Write all words that are not long, which are then all that is left. */
static enum sl_status spill(struct sl_word_counts *c, struct sl_err *err)
{
    struct sl_word_counts old = *c;
    uint8_t *record = malloc(c->sort_bytes / PART_OF_LONG + RECORD_HEAD + COUNT_BYTES);
    if (!record)
        return sl_err_nomem(err, c->sort_bytes / PART_OF_LONG);
    enum sl_status st = SL_OK;
    if (!c->sort)
        st = sl_record_sort_new(&c->sort, c->sort_bytes, c->tmpdir, err);
    if (st == SL_OK)
        st = take_slots(c, FIRST_BITS, err);
    if (st != SL_OK) {
        free(record);
        return st;
    }
    c->units = NULL;
    c->n_words = c->cap_units = 0;
    c->n_units = 1;
    for (uint64_t at = 1; st == SL_OK && at < old.n_units;) {
        const struct entry *e = entry_at(&old, at);
        if (is_long(c, e->n))
            st = sl_word_counts_add(c, word_of(e), e->count, err);
        else
            st = write_word(c, e, record, err);
        at += units_of(e->n);
    }
    free(record);
    free(old.slots);
    free(old.units);
    return st;
}

/* ---- the table ---- */

static enum sl_status rehash(struct sl_word_counts *c, struct sl_err *err)
{
    struct slot *old = c->slots;
    size_t n = (size_t)1 << c->bits;
    SL_TRY(take_slots(c, c->bits + 1, err));
    size_t mask = ((size_t)1 << c->bits) - 1;
    for (size_t i = 0; i < n; i++)
        if (old[i].at) {
            size_t k = old[i].hash & mask;
            while (c->slots[k].at)
                k = (k + 1) & mask;
            c->slots[k] = old[i];
        }
    free(old);
    return SL_OK;
}

static enum sl_status grow_units(struct sl_word_counts *c, size_t need, struct sl_err *err)
{
    size_t cap = c->cap_units + c->cap_units / 4 + 512;
    if (cap < need)
        cap = need;
    uint64_t *p = realloc(c->units, cap * 8);
    if (!p)
        return sl_err_nomem(err, cap * 8);
    c->units = p;
    c->cap_units = cap;
    return SL_OK;
}

/* Room for a new word of n bytes; the words that were there may be gone. */
static enum sl_status make_room(struct sl_word_counts *c, size_t n, struct sl_err *err)
{
    size_t units = c->n_units + units_of(n);
    bool more_slots = c->n_words + 1 > ((size_t)1 << c->bits) / 4 * 3;
    size_t slots_bytes = sizeof(struct slot) << (c->bits + more_slots);
    /* While slots are moved both tables are there; the block may be a quarter too large. */
    if (slots_bytes + slots_bytes / 2 * more_slots + units * 10 > c->table_bytes) {
        size_t had = c->n_words;
        SL_TRY(spill(c, err));
        if (c->n_words == had || (c->n_units + units_of(n)) * 10 > c->table_bytes)
            return sl_err_set(err, SL_E_SYSTEM,
                              "a word of %zu bytes does not fit beside other long ones in the "
                              "memory for words: give more (--mem)",
                              n);
        return make_room(c, n, err);
    }
    if (more_slots)
        SL_TRY(rehash(c, err));
    return units > c->cap_units ? grow_units(c, units, err) : SL_OK;
}

static enum sl_status add_new(struct sl_word_counts *c, struct sl_str word, uint64_t hash,
                              int64_t count, struct sl_err *err)
{
    SL_TRY(make_room(c, word.n, err));
    size_t mask = ((size_t)1 << c->bits) - 1, k = hash & mask;
    while (c->slots[k].at)
        k = (k + 1) & mask;
    c->slots[k] = (struct slot){ hash, c->n_units };
    struct entry *e = entry_at(c, c->n_units);
    c->units[c->n_units + units_of(word.n) - 1] = 0;
    *e = (struct entry){ count, word.n };
    memcpy(e + 1, word.p, word.n);
    c->n_units += units_of(word.n);
    c->n_words++;
    return SL_OK;
}

static inline enum sl_status add_hashed(struct sl_word_counts *c, struct sl_str word, uint64_t hash,
                                        int64_t count, struct sl_err *err)
{
    size_t mask = ((size_t)1 << c->bits) - 1;
    for (size_t k = hash & mask; c->slots[k].at; k = (k + 1) & mask) {
        if (c->slots[k].hash != hash)
            continue;
        struct entry *e = entry_at(c, c->slots[k].at);
        if (e->n == word.n && memcmp(e + 1, word.p, word.n) == 0) {
            e->count += count;
            return SL_OK;
        }
    }
    return add_new(c, word, hash, count, err);
}

enum sl_status sl_word_counts_add(struct sl_word_counts *c, struct sl_str word, int64_t count,
                                  struct sl_err *err)
{
    if (!word.n)
        return SL_OK;
    return add_hashed(c, word, sl_hash64(word.p, word.n), count, err);
}

enum sl_status sl_word_counts_add_pieces(struct sl_word_counts *c, struct sl_str text, size_t from,
                                         const uint32_t *ends, size_t n, struct sl_err *err)
{
    uint64_t hashes[AT_ONCE];
    while (n) {
        size_t now = n < AT_ONCE ? n : AT_ONCE, at = from;
        size_t mask = ((size_t)1 << c->bits) - 1;
        for (size_t i = 0; i < now; at = ends[i++]) {
            hashes[i] = sl_hash64(text.p + at, ends[i] - at);
            __builtin_prefetch(&c->slots[hashes[i] & mask]);
        }
        for (size_t i = 0; i < now; from = ends[i++])
            SL_TRY(
                add_hashed(c, (struct sl_str){ text.p + from, ends[i] - from }, hashes[i], 1, err));
        ends += now;
        n -= now;
    }
    return SL_OK;
}

/* ---- all together ---- */

static enum sl_status tell_table(const struct sl_word_counts *c, const struct sl_word_sink *to,
                                 struct sl_err *err)
{
    for (uint64_t at = 1; at < c->n_units;) {
        const struct entry *e = entry_at(c, at);
        SL_TRY(to->word(to->ctx, word_of(e), e->count, err));
        at += units_of(e->n);
    }
    return SL_OK;
}

/* Put the table of one counter into another. */
static enum sl_status fold(struct sl_word_counts *into, struct sl_word_counts *from,
                           struct sl_err *err)
{
    for (uint64_t at = 1; at < from->n_units;) {
        const struct entry *e = entry_at(from, at);
        SL_TRY(sl_word_counts_add(into, word_of(e), e->count, err));
        at += units_of(e->n);
    }
    free(from->units);
    from->units = NULL;
    from->n_units = 1;
    from->cap_units = from->n_words = 0;
    return SL_OK;
}

static enum sl_status next_record(struct sl_word_counts *c, struct sl_err *err)
{
    c->head = (struct sl_str){ NULL, 0 };
    enum sl_status st = c->sort ? sl_record_sort_next(c->sort, &c->head, err) : SL_END;
    if (st == SL_END)
        c->head = (struct sl_str){ NULL, 0 };
    return st == SL_END ? SL_OK : st;
}

static struct sl_str record_word(struct sl_str r)
{
    return (struct sl_str){ r.p, r.n - COUNT_BYTES };
}

/* The counter whose record is first, NULL at the end. */
static struct sl_word_counts *first_of(struct sl_word_counts *const *counters, size_t n)
{
    struct sl_word_counts *best = NULL;
    for (size_t i = 0; i < n; i++)
        if (counters[i]->head.p &&
            (!best || sl_str_cmp(record_word(counters[i]->head), record_word(best->head)) < 0))
            best = counters[i];
    return best;
}

struct merged {
    char *word; /* with its length in front */
    size_t n, cap;
    int64_t count;
};

static enum sl_status tell_merged(const struct merged *m, const struct sl_word_sink *to,
                                  struct sl_err *err)
{
    struct sl_str word = { m->word + RECORD_HEAD, m->n - RECORD_HEAD };
    return m->n ? to->word(to->ctx, word, m->count, err) : SL_OK;
}

static enum sl_status merge_record(struct merged *m, struct sl_str record,
                                   const struct sl_word_sink *to, struct sl_err *err)
{
    struct sl_str word = record_word(record);
    int64_t count;
    memcpy(&count, record.p + word.n, sizeof count);
    if (sl_str_eq(word, (struct sl_str){ m->word, m->n })) {
        m->count += count;
        return SL_OK;
    }
    SL_TRY(tell_merged(m, to, err));
    if (word.n > m->cap) {
        char *p = realloc(m->word, word.n);
        if (!p)
            return sl_err_nomem(err, word.n);
        m->word = p;
        m->cap = word.n;
    }
    memcpy(m->word, word.p, word.n);
    m->n = word.n;
    m->count = count;
    return SL_OK;
}

static enum sl_status merge_files(struct sl_word_counts *const *counters, size_t n,
                                  const struct sl_word_sink *to, struct sl_err *err)
{
    struct merged m = { 0 };
    enum sl_status st = SL_OK;
    for (size_t i = 0; st == SL_OK && i < n; i++)
        st = next_record(counters[i], err);
    for (struct sl_word_counts *c; st == SL_OK && (c = first_of(counters, n));) {
        st = merge_record(&m, c->head, to, err);
        if (st == SL_OK)
            st = next_record(c, err);
    }
    if (st == SL_OK)
        st = tell_merged(&m, to, err);
    free(m.word);
    return st;
}

enum sl_status sl_word_counts_each(struct sl_word_counts *const *counters, size_t n,
                                   const struct sl_word_sink *to, struct sl_err *err)
{
    struct sl_word_counts *first = counters[0];
    bool files = false;
    for (size_t i = 1; i < n; i++) {
        SL_TRY(fold(first, counters[i], err));
        files |= counters[i]->sort != NULL;
    }
    if (!files && !first->sort)
        return tell_table(first, to, err);
    SL_TRY(spill(first, err));
    for (size_t i = 0; i < n; i++)
        if (counters[i]->sort)
            SL_TRY(sl_record_sort_end(counters[i]->sort, err));
    SL_TRY(merge_files(counters, n, to, err));
    return tell_table(first, to, err);
}
