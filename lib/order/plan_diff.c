/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that is told of rows comes out of joins by sorting:
 *
 *   a, b      the keys of each order, by id and copy; merged, they give what is common,
 *             and the first position that differs: it is the least one of a key that the
 *             other has not, or has elsewhere
 *   by_a      positions in a and b of the common keys, by the first: read back, the n-th
 *             has rank n in a
 *   by_b      the same by the second, with that rank: what is squared is whole numbers
 *
 * Keys that stand twice in one order are paired as they come. Shares are compared as the
 * manifests tell them, so that it does not matter which columns the rows have. */
#include "order/plan_diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "io/record_sort.h"
#include "order/plan_keys.h"

enum { ID_BYTES = 16, KEY_BYTES = ID_BYTES + 2, ROW_BYTES = KEY_BYTES + 10 };

struct row {
    uint8_t key[KEY_BYTES];
    uint64_t position;
    uint16_t stage;
};

struct order {
    struct sl_plan_keys keys;
    bool open;
    struct sl_record_sort *rows;
    uint64_t only;
    struct row at_first; /* the row at the first difference */
    bool has_first;
};

struct diff {
    struct order a, b;
    struct sl_record_sort *by_a, *by_b;
    uint64_t mem_bytes, common, first; /* first: UINT64_MAX where nothing differs */
    const char *tmpdir;
    unsigned __int128 squares;
    struct sl_buf *out;
};

/* ---- keys ---- */

static enum sl_status add_key(void *ctx, const struct sl_plan_key *key, struct sl_err *err)
{
    struct order *o = ctx;
    uint8_t r[ROW_BYTES];
    memcpy(r, key->id, ID_BYTES);
    sl_store_big(r + ID_BYTES, key->copy, 2);
    sl_store_big(r + KEY_BYTES, key->position, 8);
    sl_store_big(r + KEY_BYTES + 8, key->stage, 2);
    return sl_record_sort_add(o->rows, (struct sl_str){ (const char *)r, sizeof r }, err);
}

static enum sl_status read_order(struct diff *d, struct order *o, const char *path,
                                 struct sl_err *err)
{
    o->open = true;
    SL_TRY(sl_plan_keys_open(&o->keys, path, err));
    SL_TRY(sl_record_sort_new(&o->rows, d->mem_bytes, d->tmpdir, err));
    SL_TRY(sl_plan_keys_read(&o->keys, o->keys.sequences, add_key, o, err));
    return sl_record_sort_end(o->rows, err);
}

static enum sl_status next_row(struct order *o, struct row *row, struct sl_err *err)
{
    struct sl_str r;
    enum sl_status st = sl_record_sort_next(o->rows, &r, err);
    if (st != SL_OK)
        return st;
    const uint8_t *p = (const uint8_t *)r.p;
    memcpy(row->key, p, KEY_BYTES);
    row->position = sl_load_big(p + KEY_BYTES, 8);
    row->stage = (uint16_t)sl_load_big(p + KEY_BYTES + 8, 2);
    return SL_OK;
}

static enum sl_status add_pair(struct sl_record_sort *to, uint64_t by, uint64_t with,
                               struct sl_err *err)
{
    uint8_t r[16];
    sl_store_big(r, by, 8);
    sl_store_big(r + 8, with, 8);
    return sl_record_sort_add(to, (struct sl_str){ (const char *)r, sizeof r }, err);
}

static void differs(struct diff *d, uint64_t position)
{
    d->first = position < d->first ? position : d->first;
}

static enum sl_status merge(struct diff *d, struct sl_err *err)
{
    struct row a, b;
    enum sl_status sa = next_row(&d->a, &a, err), sb = next_row(&d->b, &b, err);
    while (sa == SL_OK || sb == SL_OK) {
        if (sa < 0 || sb < 0)
            return sa < 0 ? sa : sb;
        int c = sa == SL_END ? 1 : sb == SL_END ? -1 : memcmp(a.key, b.key, KEY_BYTES);
        if (c == 0) {
            d->common++;
            if (a.position != b.position)
                differs(d, a.position < b.position ? a.position : b.position);
            SL_TRY(add_pair(d->by_a, a.position, b.position, err));
        } else {
            struct order *o = c < 0 ? &d->a : &d->b;
            o->only++;
            differs(d, c < 0 ? a.position : b.position);
        }
        if (c <= 0)
            sa = next_row(&d->a, &a, err);
        if (c >= 0)
            sb = next_row(&d->b, &b, err);
    }
    return sa < 0 ? sa : sb < 0 ? sb : SL_OK;
}

static enum sl_status find_first(struct diff *d, struct order *o, struct sl_err *err)
{
    enum sl_status st;
    struct row row;
    if (d->first == UINT64_MAX)
        return SL_OK;
    SL_TRY(sl_record_sort_rewind(o->rows, err));
    while ((st = next_row(o, &row, err)) == SL_OK)
        if (row.position == d->first) {
            o->at_first = row;
            o->has_first = true;
            return SL_OK;
        }
    return st == SL_END ? SL_OK : st;
}

/* ---- ranks ---- */

static enum sl_status sum_squares(struct diff *d, struct sl_err *err)
{
    struct sl_str r;
    enum sl_status st;
    SL_TRY(sl_record_sort_end(d->by_a, err));
    for (uint64_t rank = 0; (st = sl_record_sort_next(d->by_a, &r, err)) == SL_OK; rank++)
        SL_TRY(add_pair(d->by_b, sl_load_big((const uint8_t *)r.p + 8, 8), rank, err));
    if (st != SL_END)
        return st;
    SL_TRY(sl_record_sort_end(d->by_b, err));
    for (uint64_t rank = 0; (st = sl_record_sort_next(d->by_b, &r, err)) == SL_OK; rank++) {
        uint64_t other = sl_load_big((const uint8_t *)r.p + 8, 8);
        uint64_t by = rank > other ? rank - other : other - rank;
        d->squares += (unsigned __int128)by * by;
    }
    return st == SL_END ? SL_OK : st;
}

/* 1 - 6 sum / (n^3 - n), which is rounded once: both are whole numbers. */
static double correlation(const struct diff *d)
{
    unsigned __int128 n = d->common, all = n * n * n - n;
    return 1 - (double)(6 * d->squares) / (double)all;
}

/* ---- shares ---- */

static int64_t rows_of(const struct sl_json *placed, const char *source)
{
    return sl_json_int(sl_json_get(placed, source));
}

static int64_t sum_of(const struct sl_json *placed)
{
    const struct sl_json *v;
    int64_t sum = 0;
    for (const char *key = NULL; (key = sl_json_after(placed, key, &v));)
        sum += sl_json_int(v);
    return sum;
}

/* Half the sum of the absolute differences of shares: what part has changed its source. */
static double moved(const struct sl_json *a, const struct sl_json *b)
{
    const struct sl_json *v;
    double na = (double)sum_of(a), nb = (double)sum_of(b), sum = 0;
    for (const char *key = NULL; (key = sl_json_after(a, key, &v));) {
        double x = (double)sl_json_int(v) / na - (nb > 0 ? (double)rows_of(b, key) / nb : 0);
        sum += x < 0 ? -x : x;
    }
    for (const char *key = NULL; (key = sl_json_after(b, key, &v));)
        if (!sl_json_get(a, key))
            sum += (double)sl_json_int(v) / nb;
    return sum / 2;
}

static enum sl_status add_up(const struct sl_plan_keys *k, struct sl_json *all, struct sl_err *err)
{
    const struct sl_json *v;
    for (size_t i = 0; i < k->n_stages; i++)
        for (const char *key = NULL; (key = sl_json_after(k->stages[i].placed, key, &v));)
            SL_TRY(sl_json_set(all, key, sl_json_new_int(rows_of(all, key) + sl_json_int(v)), err));
    return SL_OK;
}

static const struct sl_plan_key_stage *stage_of(const struct sl_plan_keys *k, struct sl_str name)
{
    for (size_t i = 0; i < k->n_stages; i++)
        if (sl_str_eq(k->stages[i].name, name))
            return &k->stages[i];
    return NULL;
}

static enum sl_status add_text(struct sl_buf *out, struct sl_str text, struct sl_err *err)
{
    struct sl_json *s = sl_json_new_str(text);
    enum sl_status st = s ? sl_json_dump(s, out, err) : sl_err_nomem(err, text.n);
    sl_json_free(s);
    return st;
}

static enum sl_status write_stages(const struct diff *d, struct sl_err *err)
{
    const struct sl_plan_keys *a = &d->a.keys, *b = &d->b.keys;
    const char *before = "";
    for (size_t i = 0; i < a->n_stages; i++) {
        const struct sl_plan_key_stage *x = &a->stages[i], *y = stage_of(b, x->name);
        if (!y || !x->placed || !y->placed)
            continue;
        SL_TRY(sl_buf_addf(d->out, err, "%s\n  {\"name\": ", before));
        SL_TRY(add_text(d->out, x->name, err));
        SL_TRY(sl_buf_addf(d->out, err, ", \"moved\": %.6f}", moved(x->placed, y->placed)));
        before = ",";
    }
    return SL_OK;
}

static enum sl_status write_missing(const struct diff *d, const char *key,
                                    const struct sl_plan_keys *in,
                                    const struct sl_plan_keys *not_in, struct sl_err *err)
{
    const char *before = "";
    SL_TRY(sl_buf_addf(d->out, err, "], \"%s\": [", key));
    for (size_t i = 0; i < in->n_stages; i++) {
        if (stage_of(not_in, in->stages[i].name))
            continue;
        SL_TRY(sl_buf_addf(d->out, err, "%s", before));
        SL_TRY(add_text(d->out, in->stages[i].name, err));
        before = ", ";
    }
    return SL_OK;
}

static enum sl_status write_shares(const struct diff *d, struct sl_err *err)
{
    struct sl_json *a = sl_json_new_object(), *b = sl_json_new_object();
    enum sl_status st = add_up(&d->a.keys, a, err);
    if (st == SL_OK)
        st = add_up(&d->b.keys, b, err);
    if (st == SL_OK && sl_json_count(a) && sl_json_count(b))
        st = sl_buf_addf(d->out, err, " \"shares\": {\"moved\": %.6f, \"stages\": [", moved(a, b));
    else if (st == SL_OK)
        st = sl_buf_addf(d->out, err, " \"shares\": {\"moved\": null, \"stages\": [");
    sl_json_free(a);
    sl_json_free(b);
    SL_TRY(st);
    SL_TRY(write_stages(d, err));
    SL_TRY(write_missing(d, "only_a", &d->a.keys, &d->b.keys, err));
    SL_TRY(write_missing(d, "only_b", &d->b.keys, &d->a.keys, err));
    return sl_buf_addf(d->out, err, "]},\n");
}

/* ---- all of it ---- */

static enum sl_status write_first(const struct diff *d, const struct order *o, const char *key,
                                  struct sl_err *err)
{
    struct sl_hash128 id;
    char hex[SL_HASH128_DIGITS];
    if (!o->has_first)
        return sl_buf_addf(d->out, err, ", \"%s\": null", key);
    memcpy(id.b, o->at_first.key, ID_BYTES);
    sl_hash128_hex(id, hex);
    return sl_buf_addf(d->out, err, ", \"%s\": {\"id\": \"%.32s\", \"copy\": %u, \"stage\": %u}",
                       key, hex, (unsigned)sl_load_big(o->at_first.key + ID_BYTES, 2),
                       o->at_first.stage);
}

static enum sl_status write_all(const struct diff *d, struct sl_err *err)
{
    bool same = d->first == UINT64_MAX;
    SL_TRY(
        sl_buf_addf(d->out, err,
                    "{\"same\": %s,\n \"sequences\": {\"a\": %llu, \"b\": %llu, \"common\": %llu, "
                    "\"only_a\": %llu, \"only_b\": %llu},\n",
                    same ? "true" : "false", (unsigned long long)d->a.keys.sequences,
                    (unsigned long long)d->b.keys.sequences, (unsigned long long)d->common,
                    (unsigned long long)d->a.only, (unsigned long long)d->b.only));
    if (d->common > 1)
        SL_TRY(sl_buf_addf(d->out, err, " \"rank_correlation\": %.9f,\n", correlation(d)));
    else
        SL_TRY(sl_buf_addf(d->out, err, " \"rank_correlation\": null,\n"));
    SL_TRY(write_shares(d, err));
    if (same)
        return sl_buf_addf(d->out, err, " \"first_difference\": null}\n");
    SL_TRY(sl_buf_addf(d->out, err, " \"first_difference\": {\"position\": %llu",
                       (unsigned long long)d->first));
    SL_TRY(write_first(d, &d->a, "a", err));
    SL_TRY(write_first(d, &d->b, "b", err));
    return sl_buf_addf(d->out, err, "}}\n");
}

static enum sl_status run(struct diff *d, const char *a, const char *b, struct sl_err *err)
{
    SL_TRY(read_order(d, &d->a, a, err));
    SL_TRY(read_order(d, &d->b, b, err));
    SL_TRY(sl_record_sort_new(&d->by_a, d->mem_bytes, d->tmpdir, err));
    SL_TRY(sl_record_sort_new(&d->by_b, d->mem_bytes, d->tmpdir, err));
    SL_TRY(merge(d, err));
    SL_TRY(find_first(d, &d->a, err));
    SL_TRY(find_first(d, &d->b, err));
    SL_TRY(sum_squares(d, err));
    return write_all(d, err);
}

enum sl_status sl_plan_diff(const char *a, const char *b, uint64_t mem_bytes, const char *tmpdir,
                            struct sl_buf *out, struct sl_err *err)
{
    struct diff d = {
        .mem_bytes = mem_bytes / 5, .tmpdir = tmpdir, .first = UINT64_MAX, .out = out
    };
    if (d.mem_bytes < SL_RECORD_SORT_MIN_BYTES)
        d.mem_bytes = SL_RECORD_SORT_MIN_BYTES;
    enum sl_status st = run(&d, a, b, err);
    struct order *const orders[] = { &d.a, &d.b };
    for (int i = 0; i < 2; i++) {
        if (orders[i]->open)
            sl_plan_keys_release(&orders[i]->keys);
        sl_record_sort_free(orders[i]->rows);
    }
    sl_record_sort_free(d.by_a);
    sl_record_sort_free(d.by_b);
    return st;
}
