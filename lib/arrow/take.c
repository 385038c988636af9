/* SPDX-License-Identifier: Apache-2.0 */
/* Gathering rows from batches. A range is copied buffer by buffer. A list of
 * rows is first looked at: where it is mostly runs of neighbours (a filter that
 * drops little) it becomes a few ranges; otherwise values are gathered by their
 * width, and bytes in two passes, lengths first, so that memory is reserved
 * once. Items of lists are copied row by row as ranges of the child, so lists
 * of any depth need no index of their own.
 *
 * The source is canonical, so what is below its nulls is zero already and
 * copying keeps the canonical form; only the number of nulls is counted anew. */
#include "arrow/bits.h"
#include "arrow/rows.h"
#include "arrow/rows_parts.h"
#include "base/num.h"

enum { RUN_ROWS = 8 }; /* runs at least this long on average are taken as ranges */

static enum sl_status check_same(const struct sl_colbuf *c, const struct sl_column *from,
                                 struct sl_err *err)
{
    const struct sl_field *a = c->field, *b = from->field;
    if (a->type != b->type || a->n_children != b->n_children ||
        sl_type_width(a) != sl_type_width(b) || (a->type == SL_T_FIXED_LIST && a->size != b->size))
        return sl_err_set(err, SL_E_BUG, "rows of another type for column '%s'", a->name);
    return SL_OK;
}

/* Offsets of n rows from first on, moved so that they go on at end. */
static enum sl_status add_offsets(struct sl_colbuf *c, const struct sl_column *from, int64_t first,
                                  int64_t n, int64_t end, struct sl_err *err)
{
    int64_t start = sl_column_start(from, first);
    int64_t last = end + sl_column_start(from, first + n) - start;
    if (sl_type_is_large(c->field->type)) {
        SL_TRY(sl_buf_reserve(&c->offsets, (size_t)n * 8, err));
        int64_t *dst = (int64_t *)(void *)(c->offsets.p + c->offsets.n);
        const int64_t *src = (const int64_t *)from->offsets + first + 1;
        for (int64_t i = 0; i < n; i++)
            dst[i] = src[i] - start + end;
        c->offsets.n += (size_t)n * 8;
        return SL_OK;
    }
    if (last > INT32_MAX)
        return sl_err_set(err, SL_E_DATA, "column '%s': too much for 32-bit offsets",
                          c->field->name);
    SL_TRY(sl_buf_reserve(&c->offsets, (size_t)n * 4, err));
    int32_t *dst = (int32_t *)(void *)(c->offsets.p + c->offsets.n);
    const int32_t *src = (const int32_t *)from->offsets + first + 1;
    int32_t move = (int32_t)(end - start);
    for (int64_t i = 0; i < n; i++)
        dst[i] = src[i] + move;
    c->offsets.n += (size_t)n * 4;
    return SL_OK;
}

static enum sl_status range_validity(struct sl_colbuf *c, const struct sl_column *from,
                                     int64_t first, int64_t n, struct sl_err *err)
{
    int64_t nulls = from->n_nulls ? n - sl_bits_count(from->validity, first, n) : 0;
    if (nulls == 0)
        return sl_colbuf_valid(c, n, err);
    SL_TRY(sl_colbuf_need_validity(c, err));
    SL_TRY(sl_bits_add(&c->validity, c->n, from->validity, first, n, err));
    c->n_nulls += nulls;
    return SL_OK;
}

static enum sl_status take_range(struct sl_colbuf *c, const struct sl_column *from, int64_t first,
                                 int64_t n, struct sl_err *err)
{
    const struct sl_field *f = c->field;
    SL_TRY(check_same(c, from, err));
    SL_TRY(range_validity(c, from, first, n, err));
    if (sl_type_has_offsets(f->type)) {
        int64_t start = sl_column_start(from, first);
        int64_t items = sl_column_start(from, first + n) - start;
        bool bytes = sl_type_is_bytes(f->type);
        SL_TRY(add_offsets(c, from, first, n, bytes ? (int64_t)c->data.n : c->children[0].n, err));
        if (bytes)
            SL_TRY(sl_buf_add(&c->data, items ? from->data + start : NULL, (size_t)items, err));
        else
            SL_TRY(take_range(&c->children[0], &from->children[0], start, items, err));
    } else if (f->type == SL_T_BOOL) {
        SL_TRY(sl_bits_add(&c->data, c->n, from->data, first, n, err));
    } else if (f->type == SL_T_FIXED_LIST) {
        SL_TRY(take_range(&c->children[0], &from->children[0], first * f->size, n * f->size, err));
    } else if (f->type == SL_T_STRUCT) {
        for (uint32_t i = 0; i < f->n_children; i++)
            SL_TRY(take_range(&c->children[i], &from->children[i], first, n, err));
    } else if (n) {
        size_t width = (size_t)sl_type_width(f);
        SL_TRY(sl_buf_add(&c->data, from->data + (size_t)first * width, (size_t)n * width, err));
    }
    c->n += n;
    return SL_OK;
}

enum sl_status sl_colbuf_take_range(struct sl_colbuf *c, const struct sl_column *from,
                                    int64_t first, int64_t n_rows, struct sl_err *err)
{
    if (first < 0 || n_rows < 0 || first > from->n || n_rows > from->n - first)
        return sl_err_set(err, SL_E_BUG, "rows that column '%s' has not", from->field->name);
    return take_range(c, from, first, n_rows, err);
}

static inline __attribute__((always_inline)) void
gather(uint8_t *dst, const uint8_t *src, const uint32_t *rows, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++)
        memcpy(dst + i * width, src + rows[i] * width, width);
}

static enum sl_status gather_fixed(struct sl_colbuf *c, const struct sl_column *from,
                                   const uint32_t *rows, size_t n, struct sl_err *err)
{
    size_t width = (size_t)sl_type_width(c->field);
    if (n > SL_MAX_BODY_BYTES)
        return sl_err_set(err, SL_E_DATA, "column '%s' is too large", c->field->name);
    SL_TRY(sl_buf_reserve(&c->data, n * width, err));
    uint8_t *dst = c->data.p + c->data.n;
    /* constant widths become plain loads and stores */
    if (width == 1)
        gather(dst, from->data, rows, n, 1);
    else if (width == 2)
        gather(dst, from->data, rows, n, 2);
    else if (width == 4)
        gather(dst, from->data, rows, n, 4);
    else if (width == 8)
        gather(dst, from->data, rows, n, 8);
    else if (width == 16)
        gather(dst, from->data, rows, n, 16);
    else
        gather(dst, from->data, rows, n, width);
    c->data.n += n * width;
    return SL_OK;
}

/* Offsets of the rows; *end is where they end in bytes or items of the child. */
static enum sl_status gather_offsets(struct sl_colbuf *c, const struct sl_column *from,
                                     const uint32_t *rows, size_t n, int64_t *end,
                                     struct sl_err *err)
{
    bool large = sl_type_is_large(c->field->type);
    size_t had = c->offsets.n;
    if (n > SL_MAX_BODY_BYTES)
        return sl_err_set(err, SL_E_DATA, "column '%s' is too large", c->field->name);
    SL_TRY(sl_buf_reserve(&c->offsets, n * (large ? 8 : 4), err));
    uint8_t *dst = c->offsets.p + had;
    for (size_t i = 0; i < n; i++) {
        *end += sl_column_start(from, (int64_t)rows[i] + 1) - sl_column_start(from, rows[i]);
        if (large)
            sl_store64(dst + i * 8, (uint64_t)*end);
        else
            sl_store32(dst + i * 4, (uint32_t)*end);
    }
    if (!large && *end > INT32_MAX)
        return sl_err_set(err, SL_E_DATA, "column '%s': too much for 32-bit offsets",
                          c->field->name);
    c->offsets.n = had + n * (large ? 8 : 4);
    return SL_OK;
}

static enum sl_status gather_bytes(struct sl_colbuf *c, const struct sl_column *from,
                                   const uint32_t *rows, size_t n, struct sl_err *err)
{
    int64_t end = (int64_t)c->data.n;
    SL_TRY(gather_offsets(c, from, rows, n, &end, err));
    SL_TRY(sl_buf_reserve(&c->data, (size_t)end - c->data.n, err));
    uint8_t *dst = c->data.p + c->data.n;
    for (size_t i = 0; i < n; i++) {
        struct sl_str s = sl_column_str(from, rows[i]);
        if (s.n)
            memcpy(dst, s.p, s.n);
        dst += s.n;
    }
    c->data.n = (size_t)end;
    return SL_OK;
}

static enum sl_status gather_lists(struct sl_colbuf *c, const struct sl_column *from,
                                   const uint32_t *rows, size_t n, struct sl_err *err)
{
    struct sl_colbuf *child = &c->children[0];
    const struct sl_column *items = &from->children[0];
    int64_t size = c->field->size, end = child->n;
    if (c->field->type != SL_T_FIXED_LIST)
        SL_TRY(gather_offsets(c, from, rows, n, &end, err));
    for (size_t i = 0; i < n; i++) {
        int64_t first = rows[i] * size, len = size;
        if (c->field->type != SL_T_FIXED_LIST) {
            first = sl_column_start(from, rows[i]);
            len = sl_column_start(from, (int64_t)rows[i] + 1) - first;
        }
        SL_TRY(take_range(child, items, first, len, err));
    }
    return SL_OK;
}

static enum sl_status gather_validity(struct sl_colbuf *c, const struct sl_column *from,
                                      const uint32_t *rows, size_t n, struct sl_err *err)
{
    int64_t nulls = 0;
    for (size_t i = 0; from->n_nulls && i < n; i++)
        nulls += !sl_bit(from->validity, rows[i]);
    if (nulls == 0)
        return sl_colbuf_valid(c, (int64_t)n, err);
    SL_TRY(sl_colbuf_need_validity(c, err));
    SL_TRY(sl_bits_take(&c->validity, c->n, from->validity, rows, n, err));
    c->n_nulls += nulls;
    return SL_OK;
}

static enum sl_status take_rows(struct sl_colbuf *c, const struct sl_column *from,
                                const uint32_t *rows, size_t n, struct sl_err *err)
{
    const struct sl_field *f = c->field;
    SL_TRY(check_same(c, from, err));
    SL_TRY(gather_validity(c, from, rows, n, err));
    if (sl_type_is_bytes(f->type)) {
        SL_TRY(gather_bytes(c, from, rows, n, err));
    } else if (f->type == SL_T_BOOL) {
        SL_TRY(sl_bits_take(&c->data, c->n, from->data, rows, n, err));
    } else if (f->type == SL_T_STRUCT) {
        for (uint32_t i = 0; i < f->n_children; i++)
            SL_TRY(take_rows(&c->children[i], &from->children[i], rows, n, err));
    } else if (f->n_children) {
        SL_TRY(gather_lists(c, from, rows, n, err));
    } else {
        SL_TRY(gather_fixed(c, from, rows, n, err));
    }
    c->n += (int64_t)n;
    return SL_OK;
}

static size_t run_end(const uint32_t *rows, size_t i, size_t n)
{
    do
        i++;
    while (i < n && rows[i] == (uint64_t)rows[i - 1] + 1);
    return i;
}

enum sl_status sl_colbuf_take(struct sl_colbuf *c, const struct sl_column *from,
                              const uint32_t *rows, size_t n_rows, struct sl_err *err)
{
    if (n_rows == 0)
        return SL_OK;
    uint32_t most = rows[0];
    size_t runs = 1;
    for (size_t i = 1; i < n_rows; i++) {
        most = rows[i] > most ? rows[i] : most;
        runs += rows[i] != rows[i - 1] + 1;
    }
    if (most >= from->n)
        return sl_err_set(err, SL_E_BUG, "row %u of column '%s', which has %lld", most,
                          from->field->name, (long long)from->n);
    if (n_rows / runs < RUN_ROWS)
        return take_rows(c, from, rows, n_rows, err);
    for (size_t i = 0, end; i < n_rows; i = end) {
        end = run_end(rows, i, n_rows);
        SL_TRY(take_range(c, from, rows[i], (int64_t)(end - i), err));
    }
    return SL_OK;
}
