/* SPDX-License-Identifier: Apache-2.0 */
/* One value after another:
 *
 *   nullable       a byte, 1 where null; the (zeroed) value follows all the same
 *   fixed width    the value; a bool is a byte
 *   bytes, lists   their number of bytes or items, as wide as the column's offsets,
 *                  then these
 *   fixed lists,   their items or members
 *   structs
 *
 * That nulls have values makes a row as large as what it adds to a batch, and
 * spares the nested types a case.
 *
 * Both ways go column by column over some rows: what a column's type demands is
 * decided once, and the rows at hand stay in the cache between columns. */
#include "arrow/row_bytes.h"

#include "arrow/bits.h"
#include "arrow/rows_parts.h"
#include "base/num.h"

/* Values that lie in their column as they lie in a row. */
static bool is_plain(const struct sl_field *f)
{
    return !f->nullable && sl_type_width(f) > 0;
}

static unsigned count_width(const struct sl_field *f)
{
    return sl_type_is_large(f->type) ? 8 : 4;
}

/* ---- sizes ---- */

static uint64_t value_size(const struct sl_column *c, int64_t row);

static uint64_t items_size(const struct sl_column *c, int64_t first, int64_t n)
{
    uint64_t bytes = 0;
    if (is_plain(c->field))
        return (uint64_t)n * (uint64_t)sl_type_width(c->field);
    for (int64_t i = first; i < first + n; i++)
        bytes += value_size(c, i);
    return bytes;
}

static uint64_t value_size(const struct sl_column *c, int64_t row)
{
    const struct sl_field *f = c->field;
    uint64_t bytes = f->nullable;
    if (sl_type_has_offsets(f->type)) {
        int64_t from = sl_column_start(c, row), n = sl_column_start(c, row + 1) - from;
        bytes += count_width(f);
        return bytes +
               (sl_type_is_bytes(f->type) ? (uint64_t)n : items_size(&c->children[0], from, n));
    }
    if (f->type == SL_T_BOOL)
        return bytes + 1;
    if (f->type == SL_T_FIXED_LIST)
        return bytes + items_size(&c->children[0], row * f->size, f->size);
    for (uint32_t i = 0; i < f->n_children; i++)
        bytes += value_size(&c->children[i], row);
    return bytes + (uint64_t)sl_type_width(f);
}

void sl_row_bytes_sizes(const struct sl_batch *b, int64_t first, size_t n, uint64_t *sizes)
{
    uint64_t fixed = 0;
    for (size_t i = 0; i < n; i++)
        sizes[i] = 0;
    for (uint32_t k = 0; k < b->schema->n_fields; k++) {
        const struct sl_column *c = &b->columns[k];
        if (sl_type_width(c->field))
            fixed += (uint64_t)sl_type_width(c->field) + c->field->nullable;
        else
            for (size_t i = 0; i < n; i++)
                sizes[i] += value_size(c, first + (int64_t)i);
    }
    for (size_t i = 0; i < n; i++)
        sizes[i] += fixed;
}

/* ---- writing ---- */

static inline uint8_t *put_fixed(uint8_t *to, const uint8_t *p, size_t n)
{
    /* constant sizes become single moves */
    if (n == 4)
        memcpy(to, p, 4);
    else if (n == 8)
        memcpy(to, p, 8);
    else if (n == 16)
        memcpy(to, p, 16);
    else if (n)
        memcpy(to, p, n);
    return to + n;
}

static uint8_t *put_count(uint8_t *to, const struct sl_field *f, int64_t n)
{
    if (sl_type_is_large(f->type))
        sl_store64(to, (uint64_t)n);
    else
        sl_store32(to, (uint32_t)n);
    return to + count_width(f);
}

static uint8_t *put_value(uint8_t *to, const struct sl_column *c, int64_t row);

static uint8_t *put_items(uint8_t *to, const struct sl_column *c, int64_t first, int64_t n)
{
    size_t width = (size_t)sl_type_width(c->field);
    if (is_plain(c->field))
        return put_fixed(to, c->data + (size_t)first * width, (size_t)n * width);
    for (int64_t i = first; i < first + n; i++)
        to = put_value(to, c, i);
    return to;
}

static uint8_t *put_value(uint8_t *to, const struct sl_column *c, int64_t row)
{
    const struct sl_field *f = c->field;
    size_t width = (size_t)sl_type_width(f);
    if (f->nullable)
        *to++ = sl_column_is_null(c, row);
    if (width)
        return put_fixed(to, c->data + (size_t)row * width, width);
    if (sl_type_has_offsets(f->type)) {
        int64_t from = sl_column_start(c, row), n = sl_column_start(c, row + 1) - from;
        to = put_count(to, f, n);
        return sl_type_is_bytes(f->type) ? put_fixed(to, c->data + from, (size_t)n)
                                         : put_items(to, &c->children[0], from, n);
    }
    if (f->type == SL_T_FIXED_LIST)
        return put_items(to, &c->children[0], row * f->size, f->size);
    if (f->type == SL_T_BOOL)
        *to++ = sl_bit(c->data, row);
    for (uint32_t i = 0; i < f->n_children; i++)
        to = put_value(to, &c->children[i], row);
    return to;
}

void sl_row_bytes_write(const struct sl_batch *b, int64_t first, size_t n, uint8_t **to)
{
    for (uint32_t k = 0; k < b->schema->n_fields; k++) {
        const struct sl_column *c = &b->columns[k];
        for (size_t i = 0; i < n; i++)
            to[i] = put_value(to[i], c, first + (int64_t)i);
    }
}

/* ---- reading ---- */

static enum sl_status wrong_size(const struct sl_colbuf *c, struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "a stored row of a wrong size at column '%s'",
                      c->field->name);
}

static const uint8_t *cut(struct sl_str *s, uint64_t n)
{
    const uint8_t *p = (const uint8_t *)s->p;
    if (n > s->n)
        return NULL;
    s->p += n;
    s->n -= n;
    return p;
}

/* The mark of a nullable value. */
static enum sl_status get_validity(struct sl_colbuf *c, struct sl_str *s, struct sl_err *err)
{
    const uint8_t *null = cut(s, 1);
    if (!null)
        return wrong_size(c, err);
    if (!*null)
        return sl_colbuf_valid(c, 1, err);
    SL_TRY(sl_colbuf_need_validity(c, err));
    SL_TRY(sl_bits_fill(&c->validity, c->n, false, 1, err));
    c->n_nulls++;
    return SL_OK;
}

static enum sl_status get_count(const struct sl_colbuf *c, struct sl_str *s, uint64_t *n,
                                struct sl_err *err)
{
    const uint8_t *p = cut(s, count_width(c->field));
    if (!p)
        return wrong_size(c, err);
    *n = sl_type_is_large(c->field->type) ? sl_load64(p) : sl_load32(p);
    /* a byte each at least, so the caller's loop ends */
    return *n <= s->n ? SL_OK : wrong_size(c, err);
}

static enum sl_status get_value(struct sl_colbuf *c, struct sl_str *s, struct sl_err *err);

static enum sl_status get_items(struct sl_colbuf *c, uint64_t n, struct sl_str *s,
                                struct sl_err *err)
{
    if (is_plain(c->field)) {
        uint64_t bytes = n * (uint64_t)sl_type_width(c->field);
        const uint8_t *p = cut(s, bytes);
        if (!p)
            return wrong_size(c, err);
        SL_TRY(sl_buf_add(&c->data, p, bytes, err));
        c->n += (int64_t)n;
        return SL_OK;
    }
    for (uint64_t i = 0; i < n; i++)
        SL_TRY(get_value(c, s, err));
    return SL_OK;
}

/* A value behind its mark; c->n is the caller's. */
static enum sl_status get_bare(struct sl_colbuf *c, struct sl_str *s, struct sl_err *err)
{
    const struct sl_field *f = c->field;
    const uint8_t *p;
    uint64_t n;
    if (sl_type_is_bytes(f->type)) {
        SL_TRY(get_count(c, s, &n, err));
        SL_TRY(sl_buf_add(&c->data, cut(s, n), n, err));
        return sl_colbuf_end_rows(c, 1, (int64_t)c->data.n, err);
    }
    if (sl_type_has_offsets(f->type)) {
        SL_TRY(get_count(c, s, &n, err));
        SL_TRY(get_items(&c->children[0], n, s, err));
        return sl_colbuf_end_rows(c, 1, c->children[0].n, err);
    }
    if (f->type == SL_T_FIXED_LIST)
        return get_items(&c->children[0], (uint64_t)f->size, s, err);
    for (uint32_t i = 0; i < f->n_children; i++)
        SL_TRY(get_value(&c->children[i], s, err));
    if (f->type == SL_T_STRUCT)
        return SL_OK;
    size_t width = f->type == SL_T_BOOL ? 1 : (size_t)sl_type_width(f);
    if (!(p = cut(s, width)))
        return wrong_size(c, err);
    return f->type == SL_T_BOOL ? sl_bits_fill(&c->data, c->n, *p, 1, err)
                                : sl_buf_add(&c->data, p, width, err);
}

static enum sl_status get_value(struct sl_colbuf *c, struct sl_str *s, struct sl_err *err)
{
    if (c->field->nullable)
        SL_TRY(get_validity(c, s, err));
    SL_TRY(get_bare(c, s, err));
    c->n++;
    return SL_OK;
}

/* The marks of n rows; most often none is null, and then there is nothing to do. */
static enum sl_status get_marks(struct sl_colbuf *c, struct sl_str *rows, size_t n,
                                struct sl_err *err)
{
    size_t nulls = 0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *null = cut(&rows[i], 1);
        if (!null)
            return wrong_size(c, err);
        nulls += *null != 0;
    }
    if (!nulls)
        return sl_colbuf_valid(c, (int64_t)n, err);
    SL_TRY(sl_colbuf_need_validity(c, err));
    for (size_t i = 0; i < n; i++)
        SL_TRY(sl_bits_fill(&c->validity, c->n + (int64_t)i, !rows[i].p[-1], 1, err));
    c->n_nulls += (int64_t)nulls;
    return SL_OK;
}

static enum sl_status get_fixed(struct sl_colbuf *c, struct sl_str *rows, size_t n,
                                struct sl_err *err)
{
    size_t width = (size_t)sl_type_width(c->field);
    SL_TRY(sl_buf_reserve(&c->data, n * width, err));
    uint8_t *to = c->data.p + c->data.n;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = cut(&rows[i], width);
        if (!p)
            return wrong_size(c, err);
        to = put_fixed(to, p, width);
    }
    c->data.n += n * width;
    c->n += (int64_t)n;
    return SL_OK;
}

static enum sl_status get_column(struct sl_colbuf *c, struct sl_str *rows, size_t n,
                                 struct sl_err *err)
{
    if (c->field->nullable)
        SL_TRY(get_marks(c, rows, n, err));
    if (sl_type_width(c->field))
        return get_fixed(c, rows, n, err);
    for (size_t i = 0; i < n; i++) {
        SL_TRY(get_bare(c, &rows[i], err));
        c->n++;
    }
    return SL_OK;
}

enum sl_status sl_row_bytes_read(struct sl_rows *r, struct sl_str *rows, size_t n,
                                 struct sl_err *err)
{
    for (uint32_t k = 0; k < r->schema->n_fields; k++)
        SL_TRY(get_column(&r->cols[k], rows, n, err));
    for (size_t i = 0; i < n; i++)
        if (rows[i].n)
            return sl_err_set(err, SL_E_DATA, "a stored row with bytes behind its last column");
    return SL_OK;
}
