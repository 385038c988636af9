/* SPDX-License-Identifier: Apache-2.0 */
/* A sort-merge join and a sort back.
 *
 *   losses   key (18), set (1), then for a mean the loss (8), which is in order the
 *            number that it is; for first and last the step (8), the place (8) and the
 *            loss (8). So the losses of a key stand together in the order that decides,
 *            and a mean adds from small to large, whatever the order of the files.
 *   rows     key (18), number of the row (8).
 *   answers  number of the row (8), a double a set.
 *
 * Keys and what follows are big-endian, so that memcmp orders them. The answers are then
 * laid down as an array in a temporary file, for they are read several times, and in
 * any order of blocks.
 *
 * Rejected: a hash table of the losses, which is quicker where it fits into memory, as a
 * second way to the same result. */
#include "order/loss_join.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "io/record_sort.h"
#include "io/temp_file.h"

enum {
    KEY_BYTES = 18,
    ID_BYTES = 16,
    LOSS_BYTES = KEY_BYTES + 1 + 3 * 8,
    ROW_BYTES = KEY_BYTES + 8,
    BLOCK_ROWS = 8192,
    SORTS = 3, /* at work at one time */
};

struct sl_loss_join {
    int n_sets;
    enum sl_loss_reduce reduce;
    size_t each_bytes; /* of memory for a sort */
    const char *tmpdir;
    struct sl_record_sort *losses, *rows, *answers;
    uint64_t place;      /* of the next loss, over all files */
    struct sl_str ahead; /* the next loss; n is 0 behind the last */
    struct sl_temp *file;
    double *block; /* of n_sets doubles a row */
    int64_t block_from, block_n;
    struct sl_loss_counts counts;
};

/* One key's losses. */
struct reduced {
    uint8_t key[KEY_BYTES];
    bool has[SL_LOSS_SETS_MAX];
    double loss[SL_LOSS_SETS_MAX];
};

static void store_key(uint8_t *to, const struct sl_loss_key *key)
{
    memcpy(to, key->id.b, ID_BYTES);
    to[ID_BYTES] = (uint8_t)(key->copy >> 8);
    to[ID_BYTES + 1] = (uint8_t)key->copy;
}

static struct sl_loss_key load_key(const void *from)
{
    const uint8_t *p = from;
    struct sl_loss_key key = { .copy = (uint16_t)(p[ID_BYTES] << 8 | p[ID_BYTES + 1]) };
    memcpy(key.id.b, p, ID_BYTES);
    return key;
}

static double real_of(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static uint64_t bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

enum sl_loss_reduce sl_loss_reduce_of(const char *word)
{
    return word[0] == 'm' ? SL_LOSS_MEAN : word[0] == 'f' ? SL_LOSS_FIRST : SL_LOSS_LAST;
}

enum sl_status sl_loss_join_new(struct sl_loss_join **out, int n_sets, enum sl_loss_reduce reduce,
                                size_t mem_bytes, const char *tmpdir, struct sl_err *err)
{
    *out = NULL;
    if (mem_bytes < SL_LOSS_JOIN_LEAST_BYTES)
        return sl_err_set(err, SL_E_USAGE, "too little memory to join losses");
    struct sl_loss_join *j = calloc(1, sizeof *j);
    if (!j)
        return sl_err_nomem(err, sizeof *j);
    j->n_sets = j->counts.n_sets = n_sets;
    j->reduce = reduce;
    j->tmpdir = tmpdir;
    size_t block_bytes = BLOCK_ROWS * (size_t)n_sets * sizeof *j->block;
    j->each_bytes = (mem_bytes - block_bytes) / SORTS;
    j->block = malloc(block_bytes);
    enum sl_status st = j->block ? SL_OK : sl_err_nomem(err, block_bytes);
    if (st == SL_OK)
        st = sl_record_sort_new(&j->losses, j->each_bytes, tmpdir, err);
    if (st == SL_OK)
        st = sl_record_sort_new(&j->rows, j->each_bytes, tmpdir, err);
    if (st == SL_OK)
        *out = j;
    else
        sl_loss_join_free(j);
    return st;
}

void sl_loss_join_free(struct sl_loss_join *j)
{
    if (!j)
        return;
    sl_record_sort_free(j->losses);
    sl_record_sort_free(j->rows);
    sl_record_sort_free(j->answers);
    sl_temp_free(j->file);
    free(j->block);
    free(j);
}

const struct sl_loss_counts *sl_loss_join_counts(const struct sl_loss_join *j)
{
    return &j->counts;
}

enum sl_status sl_loss_join_check(const struct sl_loss_join *j, bool may_miss,
                                  bool may_be_unmatched, struct sl_err *err)
{
    const struct sl_loss_counts *c = &j->counts;
    char hex[SL_HASH128_DIGITS];
    if (c->missing[0] && !may_miss) {
        sl_hash128_hex(c->missing_key.id, hex);
        return sl_err_set(err, SL_E_DATA,
                          "%lld of %lld sequences have no loss; the first is row %lld (id %.32s, "
                          "copy %u). --missing keep gives them the weight 1",
                          (long long)c->missing[0], (long long)c->rows,
                          (long long)c->missing_row + 1, hex, c->missing_key.copy);
    }
    if (c->unmatched && !may_be_unmatched) {
        sl_hash128_hex(c->unmatched_key.id, hex);
        return sl_err_set(
            err, SL_E_DATA, "%lld of %lld losses have no sequence; one is of id %.32s, copy %u",
            (long long)c->unmatched, (long long)c->keys[0], hex, c->unmatched_key.copy);
    }
    return SL_OK;
}

/* ---- what comes in ---- */

enum sl_status sl_loss_join_loss(struct sl_loss_join *j, int set, const struct sl_loss_key *key,
                                 int64_t step, double loss, struct sl_err *err)
{
    uint8_t record[LOSS_BYTES], *to = record + KEY_BYTES + 1;
    store_key(record, key);
    record[KEY_BYTES] = (uint8_t)set;
    if (j->reduce != SL_LOSS_MEAN) {
        sl_store_big(to, (uint64_t)step ^ (uint64_t)1 << 63, 8);
        sl_store_big(to + 8, j->place, 8);
        to += 16;
    }
    sl_store_big(to, bits_of(loss), 8);
    j->place++;
    j->counts.losses[set]++;
    return sl_record_sort_add(
        j->losses, (struct sl_str){ (const char *)record, (size_t)(to + 8 - record) }, err);
}

enum sl_status sl_loss_join_row(struct sl_loss_join *j, const struct sl_loss_key *key,
                                struct sl_err *err)
{
    uint8_t record[ROW_BYTES];
    store_key(record, key);
    sl_store_big(record + KEY_BYTES, (uint64_t)j->counts.rows++, 8);
    return sl_record_sort_add(j->rows, (struct sl_str){ (const char *)record, sizeof record }, err);
}

/* ---- one key's losses ---- */

static enum sl_status look_ahead(struct sl_loss_join *j, struct sl_err *err)
{
    enum sl_status st = sl_record_sort_next(j->losses, &j->ahead, err);
    if (st == SL_END)
        j->ahead.n = 0;
    return st == SL_END ? SL_OK : st;
}

static double loss_ahead(const struct sl_loss_join *j)
{
    return real_of(sl_load_big(j->ahead.p + j->ahead.n - 8, 8));
}

/* All losses of the key and the set of the one ahead. */
static enum sl_status reduce_set(struct sl_loss_join *j, struct reduced *r, struct sl_err *err)
{
    uint8_t head[KEY_BYTES + 1];
    memcpy(head, j->ahead.p, sizeof head);
    int set = head[KEY_BYTES];
    double first = loss_ahead(j), last = first, sum = 0;
    int64_t n = 0;
    do {
        last = loss_ahead(j);
        sum += last;
        n++;
        SL_TRY(look_ahead(j, err));
    } while (j->ahead.n && memcmp(j->ahead.p, head, sizeof head) == 0);
    r->has[set] = true;
    r->loss[set] = j->reduce == SL_LOSS_MEAN    ? sum / (double)n
                   : j->reduce == SL_LOSS_FIRST ? first
                                                : last;
    j->counts.keys[set]++;
    return SL_OK;
}

/* The next key with losses; SL_END behind the last. */
static enum sl_status next_reduced(struct sl_loss_join *j, struct reduced *r, struct sl_err *err)
{
    memset(r, 0, sizeof *r);
    if (!j->ahead.n)
        return SL_END;
    memcpy(r->key, j->ahead.p, KEY_BYTES);
    do
        SL_TRY(reduce_set(j, r, err));
    while (j->ahead.n && memcmp(j->ahead.p, r->key, KEY_BYTES) == 0);
    return SL_OK;
}

/* ---- the join ---- */

static void count_unmatched(struct sl_loss_join *j, const struct reduced *r)
{
    if (!r->has[0])
        return;
    if (!j->counts.unmatched++)
        j->counts.unmatched_key = load_key(r->key);
}

/* r is NULL where the row's key has no losses. */
static enum sl_status answer(struct sl_loss_join *j, struct sl_str row, const struct reduced *r,
                             struct sl_err *err)
{
    uint8_t record[8 + 8 * SL_LOSS_SETS_MAX];
    struct sl_loss_counts *c = &j->counts;
    int64_t number = (int64_t)sl_load_big(row.p + KEY_BYTES, 8);
    memcpy(record, row.p + KEY_BYTES, 8);
    for (int i = 0; i < j->n_sets; i++) {
        bool has = r && r->has[i];
        sl_store64(record + 8 + 8 * i, bits_of(has ? r->loss[i] : (double)NAN));
        c->missing[i] += !has;
    }
    if (!(r && r->has[0]) && (c->missing[0] == 1 || number < c->missing_row)) {
        c->missing_row = number;
        c->missing_key = load_key(row.p);
    }
    if (!r)
        return SL_OK;
    struct sl_str all = { (const char *)record, 8 + 8 * (size_t)j->n_sets };
    return sl_record_sort_add(j->answers, all, err);
}

static enum sl_status join(struct sl_loss_join *j, struct sl_err *err)
{
    struct sl_str row;
    struct reduced r;
    bool matched = false; /* r has met a row */
    uint8_t last[ID_BYTES];
    enum sl_status st, more;
    SL_TRY(look_ahead(j, err));
    more = next_reduced(j, &r, err);
    for (int64_t n = 0; (st = sl_record_sort_next(j->rows, &row, err)) == SL_OK; n++) {
        j->counts.ids_repeat |= n && memcmp(last, row.p, ID_BYTES) == 0;
        memcpy(last, row.p, ID_BYTES);
        while (more == SL_OK && memcmp(r.key, row.p, KEY_BYTES) < 0) {
            if (!matched)
                count_unmatched(j, &r);
            matched = false;
            more = next_reduced(j, &r, err);
        }
        if (more < 0)
            return more;
        bool same = more == SL_OK && memcmp(r.key, row.p, KEY_BYTES) == 0;
        matched |= same;
        SL_TRY(answer(j, row, same ? &r : NULL, err));
    }
    if (st != SL_END)
        return st;
    for (; more == SL_OK; more = next_reduced(j, &r, err)) {
        if (!matched)
            count_unmatched(j, &r);
        matched = false;
    }
    return more == SL_END ? SL_OK : more;
}

/* ---- the array ---- */

static enum sl_status write_block(struct sl_loss_join *j, struct sl_err *err)
{
    size_t n = (size_t)j->block_n * (size_t)j->n_sets * sizeof *j->block;
    j->block_n = 0;
    return n ? sl_temp_append(j->file, j->block, n, err) : SL_OK;
}

static enum sl_status write_array(struct sl_loss_join *j, struct sl_err *err)
{
    struct sl_str a = { NULL, 0 };
    enum sl_status st = sl_record_sort_next(j->answers, &a, err);
    for (int64_t r = 0; r < j->counts.rows; r++) {
        double *to = j->block + j->block_n * j->n_sets;
        if (st < 0)
            return st;
        bool there = st == SL_OK && (int64_t)sl_load_big(a.p, 8) == r;
        for (int i = 0; i < j->n_sets; i++)
            to[i] = there ? real_of(sl_load64(a.p + 8 + 8 * i)) : (double)NAN;
        if (there)
            st = sl_record_sort_next(j->answers, &a, err);
        if (++j->block_n == BLOCK_ROWS)
            SL_TRY(write_block(j, err));
    }
    return st < 0 ? st : write_block(j, err);
}

static void drop_sort(struct sl_loss_join *j, struct sl_record_sort **s)
{
    j->counts.temp_bytes += sl_record_sort_temp_bytes(*s);
    sl_record_sort_free(*s);
    *s = NULL;
}

enum sl_status sl_loss_join_end(struct sl_loss_join *j, struct sl_err *err)
{
    SL_TRY(sl_record_sort_end(j->losses, err));
    SL_TRY(sl_record_sort_end(j->rows, err));
    SL_TRY(sl_record_sort_new(&j->answers, j->each_bytes, j->tmpdir, err));
    SL_TRY(join(j, err));
    drop_sort(j, &j->losses);
    drop_sort(j, &j->rows);
    SL_TRY(sl_record_sort_end(j->answers, err));
    SL_TRY(sl_temp_new(&j->file, j->tmpdir, err));
    SL_TRY(write_array(j, err));
    drop_sort(j, &j->answers);
    j->counts.temp_bytes += sl_temp_bytes(j->file);
    return SL_OK;
}

enum sl_status sl_loss_join_values(struct sl_loss_join *j, int64_t r, const double **values,
                                   struct sl_err *err)
{
    size_t each = (size_t)j->n_sets * sizeof *j->block;
    if (r < 0 || r >= j->counts.rows)
        return sl_err_set(err, SL_E_BUG, "row %lld of %lld", (long long)r,
                          (long long)j->counts.rows);
    if (r < j->block_from || r >= j->block_from + j->block_n) {
        int64_t left = j->counts.rows - r;
        j->block_from = r;
        j->block_n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        SL_TRY(sl_temp_read(j->file, r * (int64_t)each, j->block, (size_t)j->block_n * each, err));
    }
    *values = j->block + (r - j->block_from) * j->n_sets;
    return SL_OK;
}
