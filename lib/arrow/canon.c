/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical form, checked column by column from the root down: the shape of
 * a column is right before its values are looked at, and offsets are right
 * before anything is read by them. */
#include "arrow/canon.h"

#include "arrow/bits.h"
#include "base/utf8.h"

struct check {
    enum sl_status status;
    struct sl_err *err;
};

static enum sl_status broken(const struct check *k, const struct sl_column *c, const char *rule)
{
    return sl_err_set(k->err, k->status, "column '%s': %s", c->field->name, rule);
}

static bool tail_is_zero(const uint8_t *bits, int64_t n)
{
    return (n & 7) == 0 || bits[n >> 3] >> (n & 7) == 0;
}

static bool all_zero(const uint8_t *p, size_t n)
{
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static enum sl_status check_validity(const struct check *k, const struct sl_column *c)
{
    if (c->n < 0 || c->n > (int64_t)SL_MAX_BODY_BYTES * 8 || c->n_nulls < 0 || c->n_nulls > c->n)
        return broken(k, c, "wrong number of rows or nulls");
    if (c->n_nulls == 0)
        return c->validity ? broken(k, c, "a validity buffer without nulls") : SL_OK;
    if (!c->field->nullable)
        return broken(k, c, "nulls in a column that has none");
    if (!c->validity || c->n - sl_bits_count(c->validity, 0, c->n) != c->n_nulls)
        return broken(k, c, "another number of nulls than its validity has");
    return tail_is_zero(c->validity, c->n) ? SL_OK : broken(k, c, "validity bits behind the end");
}

static enum sl_status check_offsets(const struct check *k, const struct sl_column *c)
{
    bool bytes = sl_type_is_bytes(c->field->type);
    if (!c->offsets || sl_column_start(c, 0) != 0)
        return broken(k, c, "offsets that do not begin at 0");
    int64_t at = 0;
    for (int64_t i = 0; i < c->n; i++) {
        int64_t next = sl_column_start(c, i + 1);
        if (next < at)
            return broken(k, c, "offsets that fall");
        if (next != at && sl_column_is_null(c, i))
            return broken(k, c, "a null with a length");
        at = next;
    }
    if (at != (bytes ? c->data_bytes : c->children[0].n))
        return broken(k, c, "offsets that do not end where the values do");
    return SL_OK;
}

/* All bytes are valid together; then a row is where it does not begin inside a
 * sequence. */
static enum sl_status check_utf8(const struct check *k, const struct sl_column *c)
{
    if (!sl_utf8_valid(c->data, (size_t)c->data_bytes))
        return broken(k, c, "not UTF-8");
    for (int64_t i = 0; i < c->n; i++) {
        int64_t at = sl_column_start(c, i);
        if (at < c->data_bytes && (c->data[at] & 0xc0) == 0x80)
            return broken(k, c, "a row that begins inside a character");
    }
    return SL_OK;
}

static enum sl_status check_fixed(const struct check *k, const struct sl_column *c)
{
    int64_t width = sl_type_width(c->field);
    if (c->data_bytes != (width ? c->n * width : (c->n + 7) / 8))
        return broken(k, c, "values of another size than its rows need");
    if (!width && !tail_is_zero(c->data, c->n))
        return broken(k, c, "bits behind the end");
    for (int64_t i = 0; c->n_nulls && i < c->n; i++) {
        if (!sl_column_is_null(c, i))
            continue;
        if (width ? !all_zero(c->data + i * width, (size_t)width) : sl_bit(c->data, i))
            return broken(k, c, "a null that is not zero");
    }
    return SL_OK;
}

/* Rows [first, first + n) stand below a null: valid, and zero or empty. */
static enum sl_status check_below_null(const struct check *k, const struct sl_column *c,
                                       int64_t first, int64_t n)
{
    const struct sl_field *f = c->field;
    int64_t width = sl_type_width(f);
    bool ok = true;
    if (c->n_nulls && sl_bits_count(c->validity, first, n) != n)
        return broken(k, c, "a null below a null");
    if (sl_type_has_offsets(f->type))
        ok = sl_column_start(c, first) == sl_column_start(c, first + n);
    else if (f->type == SL_T_BOOL)
        ok = sl_bits_count(c->data, first, n) == 0;
    else if (width)
        ok = all_zero(c->data + first * width, (size_t)(n * width));
    if (!ok)
        return broken(k, c, "a value below a null");
    if (f->type == SL_T_FIXED_LIST)
        return check_below_null(k, &c->children[0], first * f->size, n * f->size);
    for (uint32_t i = 0; f->type == SL_T_STRUCT && i < f->n_children; i++)
        SL_TRY(check_below_null(k, &c->children[i], first, n));
    return SL_OK;
}

static enum sl_status check_all_below_nulls(const struct check *k, const struct sl_column *c)
{
    const struct sl_field *f = c->field;
    int64_t size = f->type == SL_T_FIXED_LIST ? f->size : 1;
    for (int64_t i = 0; c->n_nulls && i < c->n; i++)
        for (uint32_t m = 0; sl_column_is_null(c, i) && m < f->n_children; m++)
            SL_TRY(check_below_null(k, &c->children[m], i * size, size));
    return SL_OK;
}

static enum sl_status check_column(const struct check *k, const struct sl_column *c,
                                   const struct sl_field *f)
{
    if (!c->field || c->field->type != f->type)
        return sl_err_set(k->err, k->status, "column '%s': another type than the schema's",
                          f->name);
    SL_TRY(check_validity(k, c));
    if (sl_type_has_offsets(f->type))
        SL_TRY(check_offsets(k, c));
    else if (f->n_children == 0)
        SL_TRY(check_fixed(k, c));
    if (sl_type_is_utf8(f->type))
        SL_TRY(check_utf8(k, c));
    bool below = f->type == SL_T_STRUCT || f->type == SL_T_FIXED_LIST;
    int64_t n = f->type == SL_T_FIXED_LIST ? c->n * f->size : c->n;
    for (uint32_t i = 0; i < f->n_children; i++) {
        if (below && c->children[i].n != n)
            return broken(k, &c->children[i], "another number of rows than what it is part of");
        SL_TRY(check_column(k, &c->children[i], &f->children[i]));
    }
    return below ? check_all_below_nulls(k, c) : SL_OK;
}

enum sl_status sl_batch_canonical(const struct sl_batch *b, enum sl_status status,
                                  struct sl_err *err)
{
    const struct check k = { status, err };
    for (uint32_t i = 0; i < b->schema->n_fields; i++) {
        if (b->columns[i].n != b->n_rows)
            return sl_err_set(err, status, "column '%s' has %lld rows of %lld",
                              b->schema->fields[i]->name, (long long)b->columns[i].n,
                              (long long)b->n_rows);
        SL_TRY(check_column(&k, &b->columns[i], b->schema->fields[i]));
    }
    return SL_OK;
}
