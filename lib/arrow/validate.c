/* SPDX-License-Identifier: Apache-2.0 */
/* Validation at reading speed. Offsets are compared in blocks of a fixed size
 * without branches, which compilers turn into vectors; a block that is wrong
 * ends the column, so where exactly it is wrong does not matter. Since offsets
 * start at 0, never fall and end at the length, all of them are in range.
 *
 * UTF-8 is checked over all bytes of a column at once; a row is then valid
 * where it does not begin inside a character.
 *
 * canon.c says the same row by row; the tests hold one against the other. */
#include "arrow/validate.h"

#include "arrow/bits.h"
#include "base/num.h"
#include "base/utf8.h"

enum { BLOCK = 32 };

int64_t sl_bits_find(const uint8_t *bits, int64_t from, int64_t n, bool wanted)
{
    int64_t bytes = (n + 7) / 8;
    while (from < n) {
        int64_t byte = from >> 3;
        uint64_t word = 0;
        if (bytes - byte >= 8)
            word = sl_load64(bits + byte);
        else
            memcpy(&word, bits + byte, (size_t)(bytes - byte));
        if (!wanted)
            word = ~word;
        word >>= from & 7;
        if (word) {
            from += __builtin_ctzll(word);
            return from < n ? from : n;
        }
        from = (byte + 8) * 8;
    }
    return n;
}

static enum sl_status broken(const struct sl_column *c, const char *rule, struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "column '%s': %s", c->field->name, rule);
}

/* The next run of nulls from *at on; false where there is none. */
static bool next_nulls(const struct sl_column *c, int64_t *at, int64_t *end)
{
    if (c->n_nulls == 0)
        return false;
    *at = sl_bits_find(c->validity, *at, c->n, false);
    *end = sl_bits_find(c->validity, *at, c->n, true);
    return *at < c->n;
}

static bool tail_is_zero(const uint8_t *bits, int64_t n)
{
    return (n & 7) == 0 || bits[n >> 3] >> (n & 7) == 0;
}

static bool all_zero(const uint8_t *p, int64_t n)
{
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, (size_t)n - 1) == 0);
}

static bool rises32(const int32_t *o, int64_t n)
{
    int64_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        int32_t falls = 0;
        for (int k = 0; k < BLOCK; k++)
            falls |= o[i + k + 1] < o[i + k];
        if (falls)
            return false;
    }
    for (; i < n; i++)
        if (o[i + 1] < o[i])
            return false;
    return true;
}

static bool rises64(const int64_t *o, int64_t n)
{
    int64_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        int64_t falls = 0;
        for (int k = 0; k < BLOCK; k++)
            falls |= o[i + k + 1] < o[i + k];
        if (falls)
            return false;
    }
    for (; i < n; i++)
        if (o[i + 1] < o[i])
            return false;
    return true;
}

static enum sl_status check_validity(const struct sl_column *c, struct sl_err *err)
{
    if (c->n < 0 || c->n_nulls < 0 || c->n_nulls > c->n)
        return broken(c, "wrong number of rows or nulls", err);
    if (c->n_nulls == 0)
        return c->validity ? broken(c, "a validity buffer without nulls", err) : SL_OK;
    if (!c->field->nullable)
        return broken(c, "nulls in a column that has none", err);
    if (!c->validity || c->n - sl_bits_count(c->validity, 0, c->n) != c->n_nulls)
        return broken(c, "another number of nulls than its validity has", err);
    return tail_is_zero(c->validity, c->n) ? SL_OK : broken(c, "validity bits behind the end", err);
}

static enum sl_status check_offsets(const struct sl_column *c, struct sl_err *err)
{
    if (!c->offsets || sl_column_start(c, 0) != 0)
        return broken(c, "offsets that do not begin at 0", err);
    if (!(sl_type_is_large(c->field->type) ? rises64(c->offsets, c->n) : rises32(c->offsets, c->n)))
        return broken(c, "offsets that fall", err);
    int64_t end = sl_type_is_bytes(c->field->type) ? c->data_bytes : c->children[0].n;
    if (sl_column_start(c, c->n) != end)
        return broken(c, "offsets that do not end where the values do", err);
    for (int64_t a = 0, b; next_nulls(c, &a, &b); a = b)
        if (sl_column_start(c, a) != sl_column_start(c, b))
            return broken(c, "a null with a length", err);
    return SL_OK;
}

static enum sl_status check_utf8(const struct sl_column *c, struct sl_err *err)
{
    int64_t n = c->n;
    if (!sl_utf8_valid(c->data, (size_t)c->data_bytes))
        return broken(c, "not UTF-8", err);
    while (n > 0 && sl_column_start(c, n - 1) == c->data_bytes)
        n--;
    for (int64_t i = 0; i < n; i++)
        if ((c->data[sl_column_start(c, i)] & 0xc0) == 0x80)
            return broken(c, "a row that begins inside a character", err);
    return SL_OK;
}

static enum sl_status check_fixed(const struct sl_column *c, struct sl_err *err)
{
    int64_t width = sl_type_width(c->field);
    if (c->n > (int64_t)SL_MAX_BODY_BYTES * 8)
        return broken(c, "too many rows", err);
    if (c->data_bytes != (width ? c->n * width : (c->n + 7) / 8))
        return broken(c, "values of another size than its rows need", err);
    if (!width && !tail_is_zero(c->data, c->n))
        return broken(c, "bits behind the end", err);
    for (int64_t a = 0, b; next_nulls(c, &a, &b); a = b)
        if (width ? !all_zero(c->data + a * width, (b - a) * width)
                  : sl_bits_count(c->data, a, b - a) != 0)
            return broken(c, "a null that is not zero", err);
    return SL_OK;
}

/* Rows [first, first + n) stand below nulls: valid, and zero or empty. */
static enum sl_status check_below(const struct sl_column *c, int64_t first, int64_t n,
                                  struct sl_err *err)
{
    const struct sl_field *f = c->field;
    int64_t width = sl_type_width(f);
    bool ok = true;
    if (c->n_nulls && sl_bits_count(c->validity, first, n) != n)
        return broken(c, "a null below a null", err);
    if (sl_type_has_offsets(f->type))
        ok = sl_column_start(c, first) == sl_column_start(c, first + n);
    else if (f->type == SL_T_BOOL)
        ok = sl_bits_count(c->data, first, n) == 0;
    else if (width)
        ok = all_zero(c->data + first * width, n * width);
    if (!ok)
        return broken(c, "a value below a null", err);
    if (f->type == SL_T_FIXED_LIST)
        return check_below(&c->children[0], first * f->size, n * f->size, err);
    for (uint32_t i = 0; f->type == SL_T_STRUCT && i < f->n_children; i++)
        SL_TRY(check_below(&c->children[i], first, n, err));
    return SL_OK;
}

static enum sl_status check_children(const struct sl_column *c, struct sl_err *err)
{
    const struct sl_field *f = c->field;
    bool in_step = f->type == SL_T_STRUCT || f->type == SL_T_FIXED_LIST;
    int64_t size = f->type == SL_T_FIXED_LIST ? f->size : 1;
    for (uint32_t i = 0; i < f->n_children; i++) {
        if (in_step && c->children[i].n != c->n * size)
            return broken(&c->children[i], "another number of rows than what it is part of", err);
        SL_TRY(sl_column_validate(&c->children[i], err));
    }
    if (!in_step)
        return SL_OK;
    for (int64_t a = 0, b; next_nulls(c, &a, &b); a = b)
        for (uint32_t i = 0; i < f->n_children; i++)
            SL_TRY(check_below(&c->children[i], a * size, (b - a) * size, err));
    return SL_OK;
}

enum sl_status sl_column_validate(const struct sl_column *c, struct sl_err *err)
{
    SL_TRY(check_validity(c, err));
    if (sl_type_has_offsets(c->field->type))
        SL_TRY(check_offsets(c, err));
    else if (c->field->n_children == 0)
        SL_TRY(check_fixed(c, err));
    if (sl_type_is_utf8(c->field->type))
        SL_TRY(check_utf8(c, err));
    return check_children(c, err);
}

enum sl_status sl_batch_validate(const struct sl_batch *b, struct sl_err *err)
{
    for (uint32_t i = 0; i < b->schema->n_fields; i++) {
        if (b->columns[i].n != b->n_rows)
            return sl_err_set(err, SL_E_DATA, "column '%s' has %lld rows of %lld",
                              b->schema->fields[i]->name, (long long)b->columns[i].n,
                              (long long)b->n_rows);
        SL_TRY(sl_column_validate(&b->columns[i], err));
    }
    return SL_OK;
}
