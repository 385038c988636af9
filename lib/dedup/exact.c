/* SPDX-License-Identifier: Apache-2.0 */
/* Exact duplicates. At once: a table of keys. At last: two sorts.
 *
 *   first sort   key of the text (16), order key (prefer alone), number of the
 *                row (8), id (16): rows of one text stand together, the one that
 *                is kept first.
 *   second sort  number of the row (8), id of the kept (16), rank (4), size (4):
 *                the rows of texts that are there more than once, in the order
 *                of the input again. Rows that are not in it are the only ones
 *                of their text.
 *
 * When the table is full it goes into the first sort, where it is a sorted run
 * already, with numbers below those of all rows learned: FROM_TABLE + 1, or
 * FROM_TABLE where its cluster was counted.
 *
 * XXH3 is no cryptographic hash: texts can be made whose hashes begin alike, and
 * would make any table slow. The keys are therefore mixed with two numbers that
 * the system draws (one to one, so equality stays what it was); the order of
 * keys decides nothing that can be seen from outside.
 *
 * The size of a text's cluster is known at its last row and wanted at its first:
 * the first sort is read twice, and the sizes wait in a file in between. To keep
 * a cluster in memory would cost as much as its rows. */
#include "dedup/exact.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/num.h"
#include "dedup/seen_table.h"
#include "dedup/text_key.h"
#include "io/record_sort.h"
#include "io/temp_file.h"

enum {
    KEY_BYTES = 16,
    TAIL_BYTES = 24, /* number and id */
    ANSWER_BYTES = 32,
    FROM_TABLE = 0,
    FIRST_ROW = 2,
    TABLE_LEAVES = 2 << 20, /* for the run that the table is written to */
    SIZES_AT_ONCE = 4096,
};
#define RECORD_MAX ((size_t)1 << 30)

struct key {
    uint64_t a, b;
};

struct sl_exact {
    struct sl_exact_options o;
    struct sl_text_keyer *keyer;
    uint64_t mix_a, mix_b;
    struct sl_seen_table *table; /* NULL: from here on at last */
    struct sl_record_sort *rows, *answers;
    uint64_t n_learned, n_recalled;
    struct sl_buf record;
    struct sl_str answer; /* the next one; its number is next_answer */
    uint64_t next_answer; /* UINT64_MAX: there is none */
    int64_t clusters, temp_bytes;
    struct key keys[SL_EXACT_ROWS];
};

enum sl_status sl_exact_new(struct sl_exact **out, const struct sl_exact_options *o,
                            struct sl_err *err)
{
    *out = NULL;
    uint64_t mix[2];
    if (o->mem_bytes < SL_EXACT_MIN_BYTES)
        return sl_err_set(err, SL_E_USAGE, "--mem must be at least %zuM", SL_EXACT_MIN_BYTES >> 20);
    if (getrandom(mix, sizeof mix, 0) != (ssize_t)sizeof mix)
        return sl_err_sys(err, errno, "the system gives no random number");
    struct sl_exact *x = calloc(1, sizeof *x);
    if (!x)
        return sl_err_nomem(err, sizeof *x);
    x->o = *o;
    x->mix_a = mix[0] | 1;
    x->mix_b = mix[1] | 1;
    sl_buf_init(&x->record, RECORD_MAX);
    enum sl_status st = sl_text_keyer_new(&x->keyer, o->rule, err);
    if (st == SL_OK && !o->prefer && !o->ranks)
        st = sl_seen_table_new(&x->table, o->mem_bytes - TABLE_LEAVES, err);
    if (st != SL_OK) {
        sl_exact_free(x);
        return st;
    }
    *out = x;
    return SL_OK;
}

void sl_exact_free(struct sl_exact *x)
{
    if (!x)
        return;
    sl_text_keyer_free(x->keyer);
    sl_seen_table_free(x->table);
    sl_record_sort_free(x->rows);
    sl_record_sort_free(x->answers);
    sl_buf_release(&x->record);
    free(x);
}

static void find_keys(struct sl_exact *x, const struct sl_column *text, int64_t from, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        struct sl_hash128 h = sl_text_key(x->keyer, sl_column_str(text, from + i));
        uint64_t a = sl_load64(h.b), b = sl_load64(h.b + 8) & ~(uint64_t)3;
        x->keys[i] = (struct key){ a * x->mix_a + (b >> 32 | b << 32) * x->mix_b, b };
    }
}

static struct sl_hash128 id_of(const struct sl_column *ids, int64_t row)
{
    struct sl_hash128 id;
    memcpy(id.b, sl_column_str(ids, row).p, sizeof id.b);
    return id;
}

/* ---- at once ---- */

enum sl_status sl_exact_room(struct sl_exact *x, int64_t n_rows, bool *room, struct sl_err *err)
{
    *room = false;
    return x->table ? sl_seen_table_reserve(x->table, (uint64_t)n_rows, room, err) : SL_OK;
}

enum sl_status sl_exact_decide(struct sl_exact *x, const struct sl_batch *batch, int64_t from,
                               int64_t n, struct sl_exact_row *out, struct sl_err *err)
{
    const struct sl_column *ids = sl_batch_column(batch, "id");
    find_keys(x, sl_batch_column(batch, "text"), from, n);
    for (int64_t i = 0; i < n; i++)
        sl_seen_table_prefetch(x->table, x->keys[i].a);
    for (int64_t i = 0; i < n; i++) {
        unsigned before;
        struct sl_hash128 id = id_of(ids, from + i);
        const struct sl_seen_slot *s =
            sl_seen_table_meet(x->table, x->keys[i].a, x->keys[i].b, id.b, &before);
        if (!s)
            return sl_err_set(err, SL_E_BUG, "the table of texts is full");
        x->clusters += before == SL_SEEN_USED;
        out[i] = (struct sl_exact_row){ .rank = before != 0 };
        memcpy(out[i].kept.b, s->id, sizeof s->id);
    }
    return SL_OK;
}

/* ---- at last: learning ---- */

static void put_tail(uint8_t *p, uint64_t number, const uint8_t id[16])
{
    sl_store_big(p, number, 8);
    memcpy(p + 8, id, 16);
}

static enum sl_status table_to_sort(struct sl_exact *x, struct sl_err *err)
{
    const struct sl_seen_slot *s;
    uint64_t at = 0;
    uint8_t r[KEY_BYTES + TAIL_BYTES];
    while ((s = sl_seen_table_next(x->table, &at))) {
        sl_store_big(r, s->a, 8);
        sl_store_big(r + 8, s->b & ~(uint64_t)3, 8);
        put_tail(r + KEY_BYTES, FROM_TABLE + !(s->b & SL_SEEN_AGAIN), s->id);
        SL_TRY(
            sl_record_sort_add_ordered(x->rows, (struct sl_str){ (const char *)r, sizeof r }, err));
    }
    sl_seen_table_free(x->table);
    x->table = NULL;
    return SL_OK;
}

static enum sl_status begin_learning(struct sl_exact *x, struct sl_err *err)
{
    SL_TRY(sl_record_sort_new(&x->rows, x->o.mem_bytes / 2, x->o.tmpdir, err));
    return x->table ? table_to_sort(x, err) : SL_OK;
}

enum sl_status sl_exact_learn(struct sl_exact *x, const struct sl_batch *batch, int64_t from,
                              int64_t n, struct sl_err *err)
{
    const struct sl_column *ids = sl_batch_column(batch, "id");
    uint8_t key[KEY_BYTES], tail[TAIL_BYTES];
    if (!x->rows)
        SL_TRY(begin_learning(x, err));
    find_keys(x, sl_batch_column(batch, "text"), from, n);
    for (int64_t i = 0; i < n; i++) {
        sl_buf_reset(&x->record);
        sl_store_big(key, x->keys[i].a, 8);
        sl_store_big(key + 8, x->keys[i].b, 8);
        put_tail(tail, FIRST_ROW + x->n_learned++, id_of(ids, from + i).b);
        SL_TRY(sl_buf_add(&x->record, key, sizeof key, err));
        if (x->o.prefer)
            SL_TRY(sl_row_keys_add(x->o.prefer, batch, from + i, &x->record, NULL, err));
        SL_TRY(sl_buf_add(&x->record, tail, sizeof tail, err));
        SL_TRY(sl_record_sort_add(x->rows, sl_buf_str(&x->record), err));
    }
    return SL_OK;
}

/* ---- at last: deciding ---- */

/* Where a walk through the first sort is: a text, and a row of it. */
struct walk {
    uint8_t key[KEY_BYTES];
    bool begun;
    bool counted; /* the cluster, by the table */
    uint64_t rank, number;
    struct sl_hash128 kept;
};

/* The next row. Its rank is 0 where a text begins. */
static enum sl_status walk_on(struct sl_exact *x, struct walk *w, struct sl_err *err)
{
    struct sl_str r;
    SL_TRY(sl_record_sort_next(x->rows, &r, err));
    const char *tail = r.p + r.n - TAIL_BYTES;
    w->number = sl_load_big(tail, 8);
    if (w->begun && memcmp(w->key, r.p, KEY_BYTES) == 0) {
        w->rank++;
        return SL_OK;
    }
    w->begun = true;
    w->rank = 0;
    w->counted = w->number == FROM_TABLE;
    memcpy(w->key, r.p, KEY_BYTES);
    memcpy(w->kept.b, tail + 8, sizeof w->kept.b);
    return SL_OK;
}

static enum sl_status add_answer(struct sl_exact *x, const struct walk *w, uint32_t rank,
                                 uint32_t size, struct sl_err *err)
{
    uint8_t r[ANSWER_BYTES];
    put_tail(r, w->number, w->kept.b);
    sl_store32(r + TAIL_BYTES, rank);
    sl_store32(r + TAIL_BYTES + 4, size);
    return sl_record_sort_add(x->answers, (struct sl_str){ (const char *)r, sizeof r }, err);
}

/* Answers for all rows but the first of each text. */
static enum sl_status answer_removed(struct sl_exact *x, struct sl_err *err)
{
    struct walk w = { .begun = false };
    enum sl_status st;
    while ((st = walk_on(x, &w, err)) == SL_OK) {
        if (w.rank == 0)
            continue;
        x->clusters += w.rank == 1 && !w.counted;
        SL_TRY(add_answer(x, &w, 1, 0, err));
    }
    return st == SL_END ? SL_OK : st;
}

/* The sizes of the clusters, in their order, as u32 in a file. */
struct sizes {
    struct sl_temp *file;
    int64_t off; /* reading: of the next ones in the file */
    size_t at, n;
    uint32_t some[SIZES_AT_ONCE];
};

static enum sl_status put_size(struct sizes *z, uint64_t size, struct sl_err *err)
{
    z->some[z->n++] = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
    if (z->n < SIZES_AT_ONCE)
        return SL_OK;
    z->n = 0;
    return sl_temp_append(z->file, z->some, sizeof z->some, err);
}

static enum sl_status get_size(struct sizes *z, uint32_t *size, struct sl_err *err)
{
    if (z->at == z->n) {
        int64_t left = (sl_temp_bytes(z->file) - z->off) / (int64_t)sizeof z->some[0];
        z->n = left < SIZES_AT_ONCE ? (size_t)left : SIZES_AT_ONCE;
        z->at = 0;
        if (!z->n)
            return sl_err_set(err, SL_E_BUG, "more clusters at the second look");
        SL_TRY(sl_temp_read(z->file, z->off, z->some, z->n * sizeof z->some[0], err));
        z->off += (int64_t)(z->n * sizeof z->some[0]);
    }
    *size = z->some[z->at++];
    return SL_OK;
}

static enum sl_status find_sizes(struct sl_exact *x, struct sizes *z, struct sl_err *err)
{
    struct walk w = { .begun = false };
    uint64_t size = 0;
    enum sl_status st;
    while ((st = walk_on(x, &w, err)) == SL_OK) {
        if (w.rank == 0 && size)
            SL_TRY(put_size(z, size, err));
        size = w.rank + 1;
        x->clusters += w.rank == 1;
    }
    if (st != SL_END)
        return st;
    if (size)
        SL_TRY(put_size(z, size, err));
    SL_TRY(sl_temp_append(z->file, z->some, z->n * sizeof z->some[0], err));
    z->n = 0;
    x->temp_bytes += sl_temp_bytes(z->file);
    return SL_OK;
}

/* Answers for all rows of texts that more than one has. */
static enum sl_status answer_ranks(struct sl_exact *x, struct sizes *z, struct sl_err *err)
{
    struct walk w = { .begun = false };
    uint32_t size = 0;
    enum sl_status st;
    SL_TRY(find_sizes(x, z, err));
    SL_TRY(sl_record_sort_rewind(x->rows, err));
    while ((st = walk_on(x, &w, err)) == SL_OK) {
        if (w.rank == 0)
            SL_TRY(get_size(z, &size, err));
        uint32_t rank = w.rank < UINT32_MAX ? (uint32_t)w.rank : UINT32_MAX;
        if (size > 1)
            SL_TRY(add_answer(x, &w, rank, size, err));
    }
    return st == SL_END ? SL_OK : st;
}

static enum sl_status answer_all(struct sl_exact *x, struct sl_err *err)
{
    if (!x->o.ranks)
        return answer_removed(x, err);
    struct sizes *z = calloc(1, sizeof *z);
    if (!z)
        return sl_err_nomem(err, sizeof *z);
    enum sl_status st = sl_temp_new(&z->file, x->o.tmpdir, err);
    if (st == SL_OK)
        st = answer_ranks(x, z, err);
    sl_temp_free(z->file);
    free(z);
    return st;
}

static enum sl_status next_answer(struct sl_exact *x, struct sl_err *err)
{
    enum sl_status st = sl_record_sort_next(x->answers, &x->answer, err);
    x->next_answer = st == SL_OK ? sl_load_big(x->answer.p, 8) : UINT64_MAX;
    return st == SL_END ? SL_OK : st;
}

enum sl_status sl_exact_end(struct sl_exact *x, struct sl_err *err)
{
    x->next_answer = UINT64_MAX;
    if (!x->rows)
        return SL_OK;
    SL_TRY(sl_record_sort_new(&x->answers, x->o.mem_bytes / 2, x->o.tmpdir, err));
    SL_TRY(sl_record_sort_end(x->rows, err));
    SL_TRY(answer_all(x, err));
    x->temp_bytes += sl_record_sort_temp_bytes(x->rows);
    sl_record_sort_free(x->rows);
    x->rows = NULL;
    SL_TRY(sl_record_sort_end(x->answers, err));
    x->temp_bytes += sl_record_sort_temp_bytes(x->answers);
    return next_answer(x, err);
}

enum sl_status sl_exact_recall(struct sl_exact *x, const struct sl_batch *batch, int64_t from,
                               int64_t n, struct sl_exact_row *out, struct sl_err *err)
{
    const struct sl_column *ids = sl_batch_column(batch, "id");
    for (int64_t i = 0; i < n; i++) {
        if (x->next_answer != FIRST_ROW + x->n_recalled++) {
            out[i] = (struct sl_exact_row){ id_of(ids, from + i), 0, x->o.ranks };
            continue;
        }
        const char *r = x->answer.p;
        memcpy(out[i].kept.b, r + 8, sizeof out[i].kept.b);
        out[i].rank = sl_load32(r + TAIL_BYTES);
        out[i].size = sl_load32(r + TAIL_BYTES + 4);
        SL_TRY(next_answer(x, err));
    }
    return SL_OK;
}

int64_t sl_exact_clusters(const struct sl_exact *x)
{
    return x->clusters;
}

int64_t sl_exact_temp_bytes(const struct sl_exact *x)
{
    return x->temp_bytes;
}
