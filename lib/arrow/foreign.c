/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical batches from those of others.
 *
 * A column is rebuilt from runs: stretches of its rows that are kept, and
 * stretches of blanks (rows below a null, which become valid and zero or
 * empty). A column first splits the kept ones at its own nulls, then copies
 * stretch by stretch, then hands its children runs of their rows: a struct the
 * same ones with nulls made blank, a fixed-size list those times its size, a
 * list the ranges of its valid rows. So all layouts come down to one rule, and
 * a column without nulls is one memcpy.
 *
 * What is rebuilt goes through sl_column_validate like everything else: it
 * checks UTF-8 and nulls that may not be, and would find a mistake made here.
 *
 * Rejected: gathering by an array of row numbers, which costs eight bytes a
 * row; patching in place, which cannot move offsets that overlap. */
#include "arrow/foreign.h"

#include "arrow/bits.h"
#include "arrow/validate.h"
#include "base/num.h"

enum kind { KEEP, BLANK, NUL };

struct run {
    int64_t first, n; /* rows of the source; first is of no use for blanks */
    enum kind kind;
};

struct runs {
    struct run *v;
    size_t n, cap;
    int64_t rows; /* in all */
};

/* More stretches than this in one column are refused: 384 MiB of scratch. */
enum { MAX_RUNS = 1 << 24 };

struct rebuild {
    struct sl_arena *out;
    struct sl_arena *scratch;
    int64_t left; /* bytes that may still be built */
    struct sl_err *err;
};

static enum sl_status broken(const struct rebuild *k, const struct sl_column *c, const char *what)
{
    return sl_err_set(k->err, SL_E_DATA, "column '%s': %s", c->field->name, what);
}

/* Memory for a buffer of the result; zeroed. */
static enum sl_status get(struct rebuild *k, int64_t bytes, uint8_t **out)
{
    k->left -= (int64_t)sl_round64((uint64_t)bytes);
    if (k->left < 0)
        return sl_err_set(k->err, SL_E_DATA, "a batch of more than %zu bytes", SL_MAX_BODY_BYTES);
    *out = sl_arena_zeros(k->out, sl_round64((uint64_t)bytes) + 64, 1);
    return *out ? SL_OK : sl_err_nomem(k->err, (uint64_t)bytes);
}

/* ---- runs ---- */

static enum sl_status push(struct rebuild *k, struct runs *r, int64_t first, int64_t n,
                           enum kind kind)
{
    struct run *last = r->n ? &r->v[r->n - 1] : NULL;
    r->rows += n;
    if (n == 0)
        return SL_OK;
    if (last && last->kind == kind && (kind == BLANK || last->first + last->n == first)) {
        last->n += n;
        return SL_OK;
    }
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 4;
        if (cap > MAX_RUNS)
            return sl_err_set(k->err, SL_E_DATA, "nulls in too many places of one batch");
        struct run *v = sl_arena_get(k->scratch, cap * sizeof *v);
        if (!v)
            return sl_err_nomem(k->err, cap * sizeof *v);
        if (r->n)
            memcpy(v, r->v, r->n * sizeof *v);
        r->v = v;
        r->cap = cap;
    }
    r->v[r->n++] = (struct run){ first, n, kind };
    return SL_OK;
}

/* The rows that are wanted of a column, kept ones split at its nulls. */
static enum sl_status split(struct rebuild *k, const struct sl_column *c, const struct runs *wanted,
                            struct runs *out)
{
    for (size_t i = 0; i < wanted->n; i++) {
        const struct run *w = &wanted->v[i];
        if (w->kind == BLANK || c->n_nulls == 0) {
            SL_TRY(push(k, out, w->first, w->n, w->kind));
            continue;
        }
        for (int64_t at = w->first, end = w->first + w->n; at < end;) {
            bool valid = sl_bit(c->validity, at);
            int64_t next = sl_bits_find(c->validity, at, end, !valid);
            SL_TRY(push(k, out, at, next - at, valid ? KEEP : NUL));
            at = next;
        }
    }
    return SL_OK;
}

/* ---- offsets of others ---- */

/* At any address. */
static inline int64_t offset_at(const struct sl_column *c, int64_t row)
{
    const char *p = c->offsets;
    return sl_type_is_large(c->field->type) ? (int64_t)sl_load64(p + row * 8)
                                            : (int32_t)sl_load32(p + row * 4);
}

static enum sl_status check_offsets(const struct rebuild *k, const struct sl_column *c)
{
    int64_t at = offset_at(c, 0);
    int64_t limit = sl_type_is_bytes(c->field->type) ? c->data_bytes : c->children[0].n;
    if (at < 0)
        return broken(k, c, "offsets below 0");
    for (int64_t i = 1; i <= c->n; i++) {
        int64_t next = offset_at(c, i);
        if (next < at)
            return broken(k, c, "offsets that fall");
        at = next;
    }
    return at <= limit ? SL_OK : broken(k, c, "offsets that lead outside");
}

/* ---- rebuilding ---- */

static enum sl_status build_validity(struct rebuild *k, const struct runs *runs,
                                     struct sl_column *out)
{
    uint8_t *bits;
    out->n_nulls = 0;
    out->validity = NULL;
    for (size_t i = 0; i < runs->n; i++)
        out->n_nulls += runs->v[i].kind == NUL ? runs->v[i].n : 0;
    if (out->n_nulls == 0)
        return SL_OK;
    SL_TRY(get(k, (out->n + 7) / 8, &bits));
    struct sl_buf b = { .p = bits, .cap = (size_t)(out->n + 7) / 8, .max = SIZE_MAX };
    int64_t at = 0;
    for (size_t i = 0; i < runs->n; i++) {
        SL_TRY(sl_bits_fill(&b, at, runs->v[i].kind != NUL, runs->v[i].n, k->err));
        at += runs->v[i].n;
    }
    out->validity = bits;
    return SL_OK;
}

static enum sl_status build_bools(struct rebuild *k, const struct sl_column *c,
                                  const struct runs *runs, struct sl_column *out)
{
    uint8_t *bits;
    out->data_bytes = (out->n + 7) / 8;
    SL_TRY(get(k, out->data_bytes, &bits));
    struct sl_buf b = { .p = bits, .cap = (size_t)out->data_bytes, .max = SIZE_MAX };
    int64_t at = 0;
    for (size_t i = 0; i < runs->n; i++) {
        const struct run *r = &runs->v[i];
        SL_TRY(r->kind == KEEP ? sl_bits_add(&b, at, c->data, r->first, r->n, k->err)
                               : sl_bits_fill(&b, at, false, r->n, k->err));
        at += r->n;
    }
    out->data = bits;
    return SL_OK;
}

static enum sl_status build_fixed(struct rebuild *k, const struct sl_column *c,
                                  const struct runs *runs, struct sl_column *out)
{
    int64_t width = sl_type_width(c->field);
    if (width == 0)
        return build_bools(k, c, runs, out);
    uint8_t *to;
    out->data_bytes = out->n * width;
    SL_TRY(get(k, out->data_bytes, &to));
    out->data = to;
    for (size_t i = 0; i < runs->n; i++) {
        const struct run *r = &runs->v[i];
        if (r->kind == KEEP)
            memcpy(to, c->data + r->first * width, (size_t)(r->n * width));
        to += r->n * width;
    }
    return SL_OK;
}

static inline void put_offset(const struct sl_column *c, uint8_t *offsets, int64_t row, int64_t v)
{
    if (sl_type_is_large(c->field->type))
        sl_store64(offsets + row * 8, (uint64_t)v);
    else
        sl_store32(offsets + row * 4, (uint32_t)v);
}

/* Offsets from 0; items gets the ranges of bytes or of child rows. */
static enum sl_status build_offsets(struct rebuild *k, const struct sl_column *c,
                                    const struct runs *runs, struct sl_column *out,
                                    struct runs *items)
{
    uint8_t *offsets;
    SL_TRY(get(k, (out->n + 1) * (sl_type_is_large(c->field->type) ? 8 : 4), &offsets));
    int64_t at = 0, row = 0;
    put_offset(c, offsets, 0, 0);
    for (size_t i = 0; i < runs->n; i++) {
        const struct run *r = &runs->v[i];
        if (r->kind != KEEP) {
            for (int64_t j = 0; j < r->n; j++)
                put_offset(c, offsets, ++row, at);
            continue;
        }
        int64_t first = offset_at(c, r->first), shift = at - first;
        for (int64_t j = 1; j <= r->n; j++)
            put_offset(c, offsets, ++row, offset_at(c, r->first + j) + shift);
        int64_t n = offset_at(c, r->first + r->n) - first;
        SL_TRY(push(k, items, first, n, KEEP));
        at += n;
    }
    out->offsets = offsets;
    return SL_OK;
}

static enum sl_status build_bytes(struct rebuild *k, const struct sl_column *c,
                                  const struct runs *items, struct sl_column *out)
{
    uint8_t *to;
    out->data_bytes = items->rows;
    SL_TRY(get(k, out->data_bytes, &to));
    out->data = to;
    for (size_t i = 0; i < items->n; i++) {
        memcpy(to, c->data + items->v[i].first, (size_t)items->v[i].n);
        to += items->v[i].n;
    }
    return SL_OK;
}

/* Rows of the children of a struct (size 1) or a fixed-size list. */
static enum sl_status rows_in_step(struct rebuild *k, const struct runs *runs, int64_t size,
                                   struct runs *out)
{
    for (size_t i = 0; i < runs->n; i++) {
        const struct run *r = &runs->v[i];
        SL_TRY(push(k, out, r->first * size, r->n * size, r->kind == KEEP ? KEEP : BLANK));
    }
    return SL_OK;
}

static enum sl_status build_column(struct rebuild *k, const struct sl_column *c,
                                   const struct runs *wanted, struct sl_column *out)
{
    const struct sl_field *f = c->field;
    struct runs runs = { NULL, 0, 0, 0 }, items = { NULL, 0, 0, 0 };
    SL_TRY(split(k, c, wanted, &runs));
    *out = (struct sl_column){ .field = f, .n = runs.rows };
    SL_TRY(build_validity(k, &runs, out));
    if (sl_type_has_offsets(f->type)) {
        SL_TRY(check_offsets(k, c));
        SL_TRY(build_offsets(k, c, &runs, out, &items));
    }
    if (sl_type_is_bytes(f->type))
        return build_bytes(k, c, &items, out);
    if (f->n_children == 0)
        return build_fixed(k, c, &runs, out);
    if (!sl_type_has_offsets(f->type)) {
        int64_t size = f->type == SL_T_FIXED_LIST ? f->size : 1;
        for (uint32_t i = 0; i < f->n_children; i++)
            if (c->children[i].n < c->n * size)
                return broken(k, &c->children[i], "fewer rows than what it is part of needs");
        SL_TRY(rows_in_step(k, &runs, size, &items));
    }
    out->children = sl_arena_zeros(k->out, f->n_children, sizeof *out->children);
    if (!out->children)
        return sl_err_nomem(k->err, f->n_children * sizeof *out->children);
    for (uint32_t i = 0; i < f->n_children; i++)
        SL_TRY(build_column(k, &c->children[i], &items, &out->children[i]));
    return SL_OK;
}

/* ---- columns that are canonical already ---- */

static bool aligned(const void *p, int64_t width)
{
    return width <= 1 || width > 8 || (width & (width - 1)) != 0 ||
           (uintptr_t)p % (size_t)width == 0;
}

/* May its buffers be read in place? Bytes end where the last offset says. */
static bool readable(struct sl_column *c)
{
    const struct sl_field *f = c->field;
    if (c->n_nulls < 0 || !aligned(c->data, sl_type_width(f)))
        return false;
    if (sl_type_has_offsets(f->type)) {
        int64_t end = offset_at(c, c->n);
        if (!aligned(c->offsets, sl_type_is_large(f->type) ? 8 : 4))
            return false;
        if (sl_type_is_bytes(f->type) && end >= 0 && end < c->data_bytes)
            c->data_bytes = end;
    }
    for (uint32_t i = 0; i < f->n_children; i++)
        if (!readable(&c->children[i]))
            return false;
    return true;
}

/* What a column that stays takes from the budget. */
static int64_t bytes_of(const struct sl_column *c)
{
    int64_t bytes = c->n_nulls ? (int64_t)sl_round64((uint64_t)(c->n + 7) / 8) : 0;
    if (sl_type_has_offsets(c->field->type))
        bytes +=
            (int64_t)sl_round64((uint64_t)(c->n + 1) * (sl_type_is_large(c->field->type) ? 8 : 4));
    bytes += (int64_t)sl_round64((uint64_t)c->data_bytes);
    for (uint32_t i = 0; i < c->field->n_children; i++)
        bytes += bytes_of(&c->children[i]);
    return bytes;
}

static enum sl_status one_column(struct rebuild *k, struct sl_column *c)
{
    if (readable(c) && sl_column_validate(c, NULL) == SL_OK) {
        k->left -= bytes_of(c);
        return k->left >= 0 ? SL_OK
                            : sl_err_set(k->err, SL_E_DATA, "a batch of more than %zu bytes",
                                         SL_MAX_BODY_BYTES);
    }
    struct run all = { 0, c->n, KEEP };
    struct runs wanted = { &all, c->n != 0, 1, c->n };
    struct sl_column out;
    SL_TRY(build_column(k, c, &wanted, &out));
    *c = out;
    return sl_column_validate(c, k->err);
}

enum sl_status sl_foreign_batch(struct sl_batch *b, struct sl_arena *scratch, struct sl_err *err)
{
    struct rebuild k = { &b->arena, scratch, (int64_t)SL_MAX_BODY_BYTES, err };
    for (uint32_t i = 0; i < b->schema->n_fields; i++) {
        if (b->columns[i].n != b->n_rows)
            return sl_err_set(err, SL_E_DATA, "column '%s' has %lld rows of %lld",
                              b->schema->fields[i]->name, (long long)b->columns[i].n,
                              (long long)b->n_rows);
        sl_arena_reset(scratch);
        SL_TRY(one_column(&k, &b->columns[i]));
    }
    return SL_OK;
}
