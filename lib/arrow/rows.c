/* SPDX-License-Identifier: Apache-2.0 */
/* Rows under construction, value by value; take.c gathers them from batches.
 *
 * A column keeps exactly the buffers that the canonical form has, so lending is
 * no more than pointing at them. The validity bitmap is made at the first null
 * (all earlier rows valid) and lent only where there is a null. Offsets always
 * begin with their zero, which sl_colbuf_init adds and a reset leaves in place.
 *
 * Invariants of a column between calls: offsets hold n + 1 entries; validity
 * is empty or holds n bits; below a fixed-size list the child has n * size
 * rows, below a struct n, once the row is closed. After an error in the middle
 * of a row only reset and release are useful. */
#include "arrow/rows.h"

#include <stdlib.h>

#include "arrow/bits.h"
#include "arrow/rows_parts.h"
#include "base/num.h"

enum sl_status sl_colbuf_init(struct sl_colbuf *c, const struct sl_field *field, struct sl_err *err)
{
    *c = (struct sl_colbuf){ .field = field };
    sl_buf_init(&c->validity, SL_MAX_BODY_BYTES);
    sl_buf_init(&c->offsets, SL_MAX_BODY_BYTES);
    sl_buf_init(&c->data, SL_MAX_BODY_BYTES);
    enum sl_status st = SL_OK;
    if (field->n_children) {
        c->children = calloc(field->n_children, sizeof *c->children);
        if (!c->children)
            st = sl_err_nomem(err, field->n_children * sizeof *c->children);
    }
    for (uint32_t i = 0; i < field->n_children && st == SL_OK; i++)
        st = sl_colbuf_init(&c->children[i], &field->children[i], err);
    if (st == SL_OK && sl_type_has_offsets(field->type))
        st = sl_buf_add_zeros(&c->offsets, sl_type_is_large(field->type) ? 8 : 4, err);
    if (st != SL_OK)
        sl_colbuf_release(c);
    return st;
}

void sl_colbuf_release(struct sl_colbuf *c)
{
    for (uint32_t i = 0; c->children && i < c->field->n_children; i++)
        if (c->children[i].field)
            sl_colbuf_release(&c->children[i]);
    free(c->children);
    sl_buf_release(&c->validity);
    sl_buf_release(&c->offsets);
    sl_buf_release(&c->data);
    *c = (struct sl_colbuf){ .field = NULL };
}

void sl_colbuf_reset(struct sl_colbuf *c)
{
    c->n = c->n_nulls = 0;
    sl_buf_reset(&c->validity);
    sl_buf_reset(&c->data);
    if (sl_type_has_offsets(c->field->type))
        c->offsets.n = sl_type_is_large(c->field->type) ? 8 : 4;
    for (uint32_t i = 0; i < c->field->n_children; i++)
        sl_colbuf_reset(&c->children[i]);
}

enum sl_status sl_colbuf_valid(struct sl_colbuf *c, int64_t n, struct sl_err *err)
{
    return c->validity.n ? sl_bits_fill(&c->validity, c->n, true, n, err) : SL_OK;
}

enum sl_status sl_colbuf_need_validity(struct sl_colbuf *c, struct sl_err *err)
{
    if (!c->field->nullable)
        return sl_err_set(err, SL_E_BUG, "column '%s' has no nulls", c->field->name);
    return c->validity.n ? SL_OK : sl_bits_fill(&c->validity, 0, true, c->n, err);
}

static enum sl_status wrong_type(const struct sl_colbuf *c, struct sl_err *err)
{
    return sl_err_set(err, SL_E_BUG, "a value of another type for column '%s'", c->field->name);
}

enum sl_status sl_colbuf_end_rows(struct sl_colbuf *c, int64_t n, int64_t end, struct sl_err *err)
{
    bool large = sl_type_is_large(c->field->type);
    if (!large && end > INT32_MAX)
        return sl_err_set(err, SL_E_DATA, "column '%s': too much for 32-bit offsets",
                          c->field->name);
    SL_TRY(sl_buf_reserve(&c->offsets, (size_t)n * (large ? 8 : 4), err));
    for (int64_t i = 0; i < n; i++) {
        if (large)
            sl_store64(c->offsets.p + c->offsets.n, (uint64_t)end);
        else
            sl_store32(c->offsets.p + c->offsets.n, (uint32_t)end);
        c->offsets.n += large ? 8 : 4;
    }
    return SL_OK;
}

/* What stands below n nulls, or is itself n nulls: zeros and empty rows,
 * without the validity. */
static enum sl_status add_empty(struct sl_colbuf *c, int64_t n, struct sl_err *err);

static enum sl_status add_empty_valid(struct sl_colbuf *c, int64_t n, struct sl_err *err)
{
    SL_TRY(sl_colbuf_valid(c, n, err));
    return add_empty(c, n, err);
}

static enum sl_status add_empty(struct sl_colbuf *c, int64_t n, struct sl_err *err)
{
    const struct sl_field *f = c->field;
    uint64_t items = (uint64_t)n;
    if (sl_type_has_offsets(f->type)) {
        int64_t end = sl_type_is_bytes(f->type) ? (int64_t)c->data.n : c->children[0].n;
        SL_TRY(sl_colbuf_end_rows(c, n, end, err));
    } else if (f->type == SL_T_BOOL) {
        SL_TRY(sl_bits_fill(&c->data, c->n, false, n, err));
    } else if (f->type == SL_T_FIXED_LIST) {
        if (!sl_mul_ok(items, (uint64_t)f->size, &items) || items > SL_MAX_BODY_BYTES * 8)
            return sl_err_set(err, SL_E_DATA, "column '%s' is too large", f->name);
        SL_TRY(add_empty_valid(&c->children[0], (int64_t)items, err));
    } else if (f->type == SL_T_STRUCT) {
        for (uint32_t i = 0; i < f->n_children; i++)
            SL_TRY(add_empty_valid(&c->children[i], n, err));
    } else {
        if (!sl_mul_ok(items, (uint64_t)sl_type_width(f), &items))
            return sl_err_set(err, SL_E_DATA, "column '%s' is too large", f->name);
        SL_TRY(sl_buf_add_zeros(&c->data, items, err));
    }
    c->n += n;
    return SL_OK;
}

/* The children must stand where the next row begins. */
static enum sl_status check_children(const struct sl_colbuf *c, int64_t n, struct sl_err *err)
{
    const struct sl_field *f = c->field;
    bool ok = true;
    if (f->type == SL_T_FIXED_LIST)
        ok = c->children[0].n == n * f->size;
    for (uint32_t i = 0; f->type == SL_T_STRUCT && i < f->n_children; i++)
        ok = ok && c->children[i].n == n;
    if ((f->type == SL_T_LIST || f->type == SL_T_LARGE_LIST) && n == c->n) {
        const uint8_t *end = c->offsets.p + c->offsets.n;
        ok = c->children[0].n ==
             (f->type == SL_T_LIST ? (int64_t)sl_load32(end - 4) : (int64_t)sl_load64(end - 8));
    }
    return ok ? SL_OK
              : sl_err_set(err, SL_E_BUG, "column '%s': a row with too few or too many items",
                           f->name);
}

enum sl_status sl_colbuf_add_null(struct sl_colbuf *c, struct sl_err *err)
{
    SL_TRY(check_children(c, c->n, err));
    SL_TRY(sl_colbuf_need_validity(c, err));
    SL_TRY(sl_bits_fill(&c->validity, c->n, false, 1, err));
    SL_TRY(add_empty(c, 1, err));
    c->n_nulls++;
    return SL_OK;
}

enum sl_status sl_colbuf_add_str(struct sl_colbuf *c, struct sl_str s, struct sl_err *err)
{
    const struct sl_field *f = c->field;
    if (!sl_type_is_bytes(f->type) && f->type != SL_T_FIXED_BINARY)
        return wrong_type(c, err);
    if (f->type == SL_T_FIXED_BINARY && s.n != (size_t)f->size)
        return sl_err_set(err, SL_E_BUG, "%zu bytes for column '%s' of %d", s.n, f->name, f->size);
    SL_TRY(sl_colbuf_valid(c, 1, err));
    SL_TRY(sl_buf_add(&c->data, s.p, s.n, err));
    if (f->type != SL_T_FIXED_BINARY)
        SL_TRY(sl_colbuf_end_rows(c, 1, (int64_t)c->data.n, err));
    c->n++;
    return SL_OK;
}

static enum sl_status add_value(struct sl_colbuf *c, const void *v, size_t n, struct sl_err *err)
{
    SL_TRY(sl_colbuf_valid(c, 1, err));
    SL_TRY(sl_buf_add(&c->data, v, n, err));
    c->n++;
    return SL_OK;
}

static bool int_fits(enum sl_type t, int64_t v)
{
    switch (t) {
    case SL_T_INT8:
        return v >= INT8_MIN && v <= INT8_MAX;
    case SL_T_INT16:
        return v >= INT16_MIN && v <= INT16_MAX;
    case SL_T_INT32:
        return v >= INT32_MIN && v <= INT32_MAX;
    case SL_T_UINT8:
        return v >= 0 && v <= UINT8_MAX;
    case SL_T_UINT16:
        return v >= 0 && v <= UINT16_MAX;
    case SL_T_UINT32:
        return v >= 0 && v <= (int64_t)UINT32_MAX;
    default:
        return true;
    }
}

enum sl_status sl_colbuf_add_int(struct sl_colbuf *c, int64_t v, struct sl_err *err)
{
    enum sl_type t = c->field->type;
    if (t > SL_T_UINT64 && t != SL_T_TIMESTAMP)
        return wrong_type(c, err);
    if (!int_fits(t, v))
        return sl_err_set(err, SL_E_BUG, "%lld does not fit into column '%s'", (long long)v,
                          c->field->name);
    /* little-endian: the low bytes come first */
    return add_value(c, &v, (size_t)sl_type_width(c->field), err);
}

enum sl_status sl_colbuf_add_real(struct sl_colbuf *c, double v, struct sl_err *err)
{
    if (c->field->type == SL_T_FLOAT64)
        return add_value(c, &v, sizeof v, err);
    if (c->field->type != SL_T_FLOAT32)
        return wrong_type(c, err);
    float f = (float)v;
    return add_value(c, &f, sizeof f, err);
}

enum sl_status sl_colbuf_add_bool(struct sl_colbuf *c, bool v, struct sl_err *err)
{
    if (c->field->type != SL_T_BOOL)
        return wrong_type(c, err);
    SL_TRY(sl_colbuf_valid(c, 1, err));
    SL_TRY(sl_bits_fill(&c->data, c->n, v, 1, err));
    c->n++;
    return SL_OK;
}

enum sl_status sl_colbuf_add_items(struct sl_colbuf *c, const void *items, size_t n,
                                   struct sl_err *err)
{
    enum sl_type t = c->field->type;
    if (t != SL_T_LIST && t != SL_T_LARGE_LIST && t != SL_T_FIXED_LIST)
        return wrong_type(c, err);
    struct sl_colbuf *child = &c->children[0];
    size_t width = (size_t)sl_type_width(child->field);
    if (width == 0)
        return wrong_type(c, err);
    if (n > SL_MAX_BODY_BYTES)
        return sl_err_set(err, SL_E_DATA, "column '%s': a row of %zu items", c->field->name, n);
    SL_TRY(check_children(c, c->n, err));
    SL_TRY(sl_colbuf_valid(child, (int64_t)n, err));
    SL_TRY(sl_buf_add(&child->data, items, n * width, err));
    child->n += (int64_t)n;
    return sl_colbuf_close(c, err);
}

enum sl_status sl_colbuf_close(struct sl_colbuf *c, struct sl_err *err)
{
    enum sl_type t = c->field->type;
    if (t != SL_T_LIST && t != SL_T_LARGE_LIST && t != SL_T_FIXED_LIST && t != SL_T_STRUCT)
        return wrong_type(c, err);
    SL_TRY(check_children(c, c->n + 1, err));
    SL_TRY(sl_colbuf_valid(c, 1, err));
    if (t == SL_T_LIST || t == SL_T_LARGE_LIST)
        SL_TRY(sl_colbuf_end_rows(c, 1, c->children[0].n, err));
    c->n++;
    return SL_OK;
}

static const uint8_t no_bytes[64];

enum sl_status sl_colbuf_lend(struct sl_colbuf *c, struct sl_column *out, struct sl_arena *arena,
                              struct sl_err *err)
{
    const struct sl_field *f = c->field;
    SL_TRY(check_children(c, c->n, err));
    *out = (struct sl_column){ .field = f, .n = c->n, .n_nulls = c->n_nulls };
    if (c->n_nulls)
        out->validity = c->validity.p;
    if (sl_type_has_offsets(f->type))
        out->offsets = c->offsets.p;
    if (f->n_children == 0) { /* never NULL, so that no reader adds to NULL */
        out->data = c->data.p ? c->data.p : no_bytes;
        out->data_bytes = (int64_t)c->data.n;
        return SL_OK;
    }
    out->children = sl_arena_zeros(arena, f->n_children, sizeof *out->children);
    if (!out->children)
        return sl_err_nomem(err, f->n_children * sizeof *out->children);
    for (uint32_t i = 0; i < f->n_children; i++)
        SL_TRY(sl_colbuf_lend(&c->children[i], &out->children[i], arena, err));
    return SL_OK;
}

enum sl_status sl_rows_init(struct sl_rows *r, const struct sl_schema *schema, struct sl_err *err)
{
    *r = (struct sl_rows){ .schema = schema };
    if (schema->n_fields == 0)
        return SL_OK;
    r->cols = calloc(schema->n_fields, sizeof *r->cols);
    if (!r->cols)
        return sl_err_nomem(err, schema->n_fields * sizeof *r->cols);
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        enum sl_status st = sl_colbuf_init(&r->cols[i], schema->fields[i], err);
        if (st != SL_OK) {
            sl_rows_release(r);
            return st;
        }
    }
    return SL_OK;
}

void sl_rows_release(struct sl_rows *r)
{
    for (uint32_t i = 0; r->cols && i < r->schema->n_fields; i++)
        if (r->cols[i].field)
            sl_colbuf_release(&r->cols[i]);
    free(r->cols);
    *r = (struct sl_rows){ .schema = NULL };
}

void sl_rows_reset(struct sl_rows *r)
{
    r->n = 0;
    for (uint32_t i = 0; r->cols && i < r->schema->n_fields; i++)
        sl_colbuf_reset(&r->cols[i]);
}

static enum sl_status check_batch(const struct sl_rows *r, const struct sl_batch *from,
                                  struct sl_err *err)
{
    if (!from->schema || from->schema->n_fields != r->schema->n_fields)
        return sl_err_set(err, SL_E_BUG, "rows of another schema");
    return SL_OK;
}

enum sl_status sl_rows_take(struct sl_rows *r, const struct sl_batch *from, const uint32_t *rows,
                            size_t n_rows, struct sl_err *err)
{
    SL_TRY(check_batch(r, from, err));
    for (uint32_t i = 0; i < r->schema->n_fields; i++)
        SL_TRY(sl_colbuf_take(&r->cols[i], &from->columns[i], rows, n_rows, err));
    r->n += (int64_t)n_rows;
    return SL_OK;
}

enum sl_status sl_rows_take_range(struct sl_rows *r, const struct sl_batch *from, int64_t first,
                                  int64_t n_rows, struct sl_err *err)
{
    SL_TRY(check_batch(r, from, err));
    for (uint32_t i = 0; i < r->schema->n_fields; i++)
        SL_TRY(sl_colbuf_take_range(&r->cols[i], &from->columns[i], first, n_rows, err));
    r->n += n_rows;
    return SL_OK;
}

enum sl_status sl_rows_close_row(struct sl_rows *r, struct sl_err *err)
{
    for (uint32_t i = 0; i < r->schema->n_fields; i++)
        if (r->cols[i].n != r->n + 1)
            return sl_err_set(err, SL_E_BUG, "column '%s' has %lld values in row %lld",
                              r->schema->fields[i]->name, (long long)(r->cols[i].n - r->n),
                              (long long)r->n);
    r->n++;
    return SL_OK;
}

static int64_t colbuf_bytes(const struct sl_colbuf *c)
{
    int64_t bytes = (int64_t)(c->offsets.n + c->data.n);
    for (uint32_t i = 0; i < c->field->n_children; i++)
        bytes += colbuf_bytes(&c->children[i]);
    return bytes;
}

int64_t sl_rows_bytes(const struct sl_rows *r)
{
    int64_t bytes = 0;
    for (uint32_t i = 0; i < r->schema->n_fields; i++)
        bytes += colbuf_bytes(&r->cols[i]);
    return bytes;
}

enum sl_status sl_rows_lend(struct sl_rows *r, struct sl_batch *out, struct sl_err *err)
{
    sl_batch_reset(out);
    uint32_t n = r->schema->n_fields;
    struct sl_column *columns = sl_arena_zeros(&out->arena, n, sizeof *columns);
    if (n && !columns)
        return sl_err_nomem(err, n * sizeof *columns);
    for (uint32_t i = 0; i < n; i++) {
        if (r->cols[i].n != r->n)
            return sl_err_set(err, SL_E_BUG, "column '%s' has %lld rows of %lld",
                              r->schema->fields[i]->name, (long long)r->cols[i].n, (long long)r->n);
        SL_TRY(sl_colbuf_lend(&r->cols[i], &columns[i], &out->arena, err));
    }
    out->schema = r->schema;
    out->columns = columns;
    out->n_rows = r->n;
    return SL_OK;
}
