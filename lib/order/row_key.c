/* SPDX-License-Identifier: Apache-2.0 */
/* Keys as byte strings. One column after another:
 *
 *   nullable column  a byte: 0 value, 1 null (then nothing more). It is never
 *                    turned round, which puts nulls last in both directions.
 *   integers         big-endian, the sign bit turned round
 *   floats           their bits as an integer: negative ones all turned round,
 *                    others the sign bit alone; -0 becomes 0 before
 *   bool             a byte
 *   fixed binary     the bytes
 *   text, binary     the bytes, 0 as 0 FF, and 0 0 behind the last: what goes on
 *                    is larger than what ends, even where it goes on with 0
 *
 * and for desc all of a value's bytes inverted. Every column's code is free of
 * prefixes, so the whole is too.
 *
 * Rejected: comparing rows column by column. Keys cost memory, but the sorter
 * compares eight bytes at a time, spills them beside the rows, and knows nothing
 * of types. */
#include "order/row_key.h"

#include <stdlib.h>

#include "base/num.h"
#include "base/row_hash.h"

struct part {
    uint32_t column;
    bool desc;
    bool appended; /* not named by the caller: its nulls are not told */
    size_t most;   /* bytes that the part has at most; of text without its bytes */
};

struct sl_row_keys {
    bool shuffled; /* the row's hash comes first */
    uint64_t row_seed;
    int id, copy;                  /* columns, of a shuffle; copy: -1 where there is none */
    const uint64_t *const *places; /* NULL, or the whole key */
    uint32_t n;
    size_t most;        /* of all parts */
    struct part *parts; /* room for all fields of the schema */
};

/* ---- making ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct sl_str next_word(struct sl_str *s)
{
    while (s->n && is_blank(*s->p))
        s->p++, s->n--;
    struct sl_str word = { s->p, 0 };
    while (word.n < s->n && !is_blank(s->p[word.n]))
        word.n++;
    s->p += word.n;
    s->n -= word.n;
    return word;
}

static enum sl_status no_column(const struct sl_schema *schema, struct sl_str name,
                                struct sl_err *err)
{
    const char *names[SL_MAX_FIELDS + 1];
    uint32_t n = schema->n_fields < SL_MAX_FIELDS ? schema->n_fields : SL_MAX_FIELDS;
    for (uint32_t i = 0; i < n; i++)
        names[i] = schema->fields[i]->name;
    names[n] = NULL;
    const char *near = sl_str_nearest(name, names);
    return sl_err_set(err, SL_E_DATA, "order by '%.*s': the input has no such column%s%s%s",
                      (int)name.n, name.p, near ? "; the nearest is '" : "", near ? near : "",
                      near ? "'" : "");
}

static int find(const struct sl_schema *schema, struct sl_str name)
{
    for (uint32_t i = 0; i < schema->n_fields; i++)
        if (sl_str_eq(name, sl_str_of(schema->fields[i]->name)))
            return (int)i;
    return -1;
}

static bool has_part(const struct sl_row_keys *k, uint32_t column)
{
    for (uint32_t i = 0; i < k->n; i++)
        if (k->parts[i].column == column)
            return true;
    return false;
}

static enum sl_status add_part(struct sl_row_keys *k, const struct sl_schema *schema, int column,
                               bool desc, struct sl_err *err)
{
    const struct sl_field *f = schema->fields[column];
    if (f->n_children)
        return sl_err_set(err, SL_E_DATA, "order by '%s': a column of %s has no order", f->name,
                          f->type == SL_T_STRUCT ? "structs" : "lists");
    if (has_part(k, (uint32_t)column))
        return sl_err_set(err, SL_E_USAGE, "order by '%s': the column is named twice", f->name);
    size_t width = f->type == SL_T_BOOL        ? 1
                   : sl_type_is_bytes(f->type) ? 2
                                               : (size_t)sl_type_width(f);
    k->parts[k->n++] = (struct part){ (uint32_t)column, desc, false, width + 1 };
    k->most += width + 1;
    return SL_OK;
}

/* "COLUMN [asc|desc]" */
static enum sl_status add_item(struct sl_row_keys *k, const struct sl_schema *schema,
                               struct sl_str item, struct sl_err *err)
{
    struct sl_str name = next_word(&item), way = next_word(&item), more = next_word(&item);
    bool desc = sl_str_eq(way, SL_STR("desc"));
    if (!name.n)
        return sl_err_set(err, SL_E_USAGE, "an order with an empty place between commas");
    if ((way.n && !desc && !sl_str_eq(way, SL_STR("asc"))) || more.n)
        return sl_err_set(err, SL_E_USAGE,
                          "order by '%.*s': 'asc' or 'desc' may follow, not '%.*s'", (int)name.n,
                          name.p, (int)(more.n ? more : way).n, (more.n ? more : way).p);
    int column = find(schema, name);
    return column < 0 ? no_column(schema, name, err) : add_part(k, schema, column, desc, err);
}

static enum sl_status add_list(struct sl_row_keys *k, const struct sl_schema *schema,
                               struct sl_str by, struct sl_err *err)
{
    for (size_t at = 0; at <= by.n;) {
        size_t end = sl_str_find(by, at, ',');
        SL_TRY(add_item(k, schema, (struct sl_str){ by.p + at, end - at }, err));
        at = end + 1;
    }
    return SL_OK;
}

/* id and copy, which make every order one of single rows. */
static enum sl_status append_row_key(struct sl_row_keys *k, const struct sl_schema *schema,
                                     struct sl_err *err)
{
    static const char *const names[] = { "id", "copy" };
    for (int i = 0; i < 2; i++) {
        int column = sl_schema_find(schema, names[i]);
        if (column < 0 || has_part(k, (uint32_t)column) || schema->fields[column]->n_children)
            continue;
        SL_TRY(add_part(k, schema, column, false, err));
        k->parts[k->n - 1].appended = true;
    }
    return k->n ? SL_OK
                : sl_err_set(err, SL_E_DATA, "nothing to order by: the input has no column 'id'");
}

static struct sl_row_keys *new_keys(const struct sl_schema *schema)
{
    struct sl_row_keys *k = calloc(1, sizeof *k);
    if (k)
        k->parts = calloc((size_t)schema->n_fields + 1, sizeof *k->parts);
    if (k && !k->parts) {
        free(k);
        return NULL;
    }
    return k;
}

enum sl_status sl_row_keys_parse(struct sl_row_keys **out, const char *by,
                                 const struct sl_schema *schema, struct sl_err *err)
{
    struct sl_str list = sl_str_trim(sl_str_of(by));
    *out = NULL;
    struct sl_row_keys *k = new_keys(schema);
    if (!k)
        return sl_err_nomem(err, sizeof *k);
    enum sl_status st = list.n ? add_list(k, schema, list, err) : SL_OK;
    if (st == SL_OK)
        st = append_row_key(k, schema, err);
    if (st != SL_OK) {
        sl_row_keys_free(k);
        return st;
    }
    *out = k;
    return SL_OK;
}

enum sl_status sl_row_keys_shuffle(struct sl_row_keys **out, uint64_t row_seed,
                                   const struct sl_schema *schema, struct sl_err *err)
{
    *out = NULL;
    int id = sl_schema_find(schema, "id"), copy = sl_schema_find(schema, "copy");
    if (id < 0 || schema->fields[id]->type != SL_T_FIXED_BINARY || schema->fields[id]->size != 16)
        return sl_err_set(err, SL_E_DATA, "a shuffle needs a column 'id' of fixed_size_binary[16]");
    if (copy >= 0 && schema->fields[copy]->type != SL_T_UINT16)
        return sl_err_set(err, SL_E_DATA, "column 'copy' is not uint16");
    struct sl_row_keys *k;
    SL_TRY(sl_row_keys_parse(&k, NULL, schema, err));
    k->shuffled = true;
    k->row_seed = row_seed;
    k->id = id;
    k->copy = copy;
    k->most += 8;
    *out = k;
    return SL_OK;
}

enum sl_status sl_row_keys_places(struct sl_row_keys **out, const uint64_t *const *places,
                                  struct sl_err *err)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return sl_err_nomem(err, sizeof **out);
    (*out)->places = places;
    (*out)->most = 8;
    return SL_OK;
}

void sl_row_keys_free(struct sl_row_keys *k)
{
    if (!k)
        return;
    free(k->parts);
    free(k);
}

/* ---- keys ---- */

static uint64_t turned(uint64_t v, bool desc)
{
    return desc ? ~v : v;
}

/* The low bytes of v, the most significant first. */
static uint8_t *put(uint8_t *to, uint64_t v, unsigned bytes)
{
    v = __builtin_bswap64(v) >> (8 * (8 - bytes));
    memcpy(to, &v, 8); /* the caller has reserved the room */
    return to + bytes;
}

static uint64_t real_bits(const struct sl_column *c, int64_t row, unsigned *bytes)
{
    const uint64_t sign = UINT64_C(1) << 63;
    uint64_t bits;
    double v = sl_column_real(c, row);
    *bytes = (unsigned)sl_type_width(c->field);
    if (v != v)
        return *bytes == 4 ? UINT32_MAX : UINT64_MAX;
    if (v == 0)
        v = 0; /* not -0 */
    if (*bytes == 4) {
        float f = (float)v;
        uint32_t low;
        memcpy(&low, &f, sizeof low);
        return low >> 31 ? (uint32_t)~low : low | UINT32_C(1) << 31;
    }
    memcpy(&bits, &v, sizeof bits);
    return bits & sign ? ~bits : bits | sign;
}

static bool is_signed(enum sl_type t)
{
    return t <= SL_T_INT64 || t == SL_T_TIMESTAMP;
}

static uint8_t *put_number(uint8_t *to, const struct sl_column *c, int64_t row, bool desc)
{
    enum sl_type t = c->field->type;
    unsigned bytes = 1;
    uint64_t v;
    if (t == SL_T_FLOAT32 || t == SL_T_FLOAT64) {
        v = real_bits(c, row, &bytes);
    } else if (t == SL_T_BOOL) {
        v = sl_column_bool(c, row);
    } else {
        bytes = (unsigned)sl_type_width(c->field);
        v = (uint64_t)sl_column_int(c, row);
        if (is_signed(t))
            v ^= UINT64_C(1) << (8 * bytes - 1);
    }
    return put(to, turned(v, desc), bytes);
}

static void invert(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)~p[i];
}

/* Text and binary; out has room for two bytes and what stands behind it. */
static enum sl_status add_text(struct sl_buf *out, struct sl_str s, size_t rest, bool desc,
                               struct sl_err *err)
{
    size_t start = out->n;
    while (s.n) {
        const char *zero = memchr(s.p, 0, s.n);
        size_t n = zero ? (size_t)(zero - s.p) : s.n;
        SL_TRY(sl_buf_reserve(out, n + 2 + rest, err));
        memcpy(out->p + out->n, s.p, n);
        out->n += n;
        if (zero) {
            out->p[out->n++] = 0;
            out->p[out->n++] = 0xff;
            n++;
        }
        s.p += n;
        s.n -= n;
    }
    SL_TRY(sl_buf_reserve(out, 2 + rest, err));
    out->p[out->n++] = 0;
    out->p[out->n++] = 0;
    if (desc)
        invert(out->p + start, out->n - start);
    return SL_OK;
}

/* out has room for rest bytes, of which the part takes its most. */
static enum sl_status add_value(const struct part *part, const struct sl_column *c, int64_t row,
                                struct sl_buf *out, size_t rest, struct sl_err *err)
{
    const struct sl_field *f = c->field;
    if (sl_type_is_bytes(f->type))
        return add_text(out, sl_column_str(c, row), rest - part->most, part->desc, err);
    uint8_t *to = out->p + out->n;
    if (f->type == SL_T_FIXED_BINARY) {
        memcpy(to, sl_column_str(c, row).p, (size_t)f->size);
        if (part->desc)
            invert(to, (size_t)f->size);
        out->n += (size_t)f->size;
        return SL_OK;
    }
    out->n = (size_t)(put_number(to, c, row, part->desc) - out->p);
    return SL_OK;
}

enum { SPARE = 16 }; /* what put writes behind its bytes */

static uint64_t hash_of(const struct sl_row_keys *k, const struct sl_batch *b, int64_t row)
{
    struct sl_str id = sl_column_str(&b->columns[k->id], row);
    int64_t copy = k->copy < 0 ? 0 : sl_column_int(&b->columns[k->copy], row);
    return sl_row_hash((const uint8_t *)id.p, (uint16_t)copy, k->row_seed);
}

static enum sl_status add_parts(const struct sl_row_keys *k, const struct sl_batch *b, int64_t row,
                                struct sl_buf *out, bool *has_null, struct sl_err *err)
{
    size_t rest = k->most + SPARE;
    SL_TRY(sl_buf_reserve(out, rest, err));
    if (k->shuffled || k->places) {
        put(out->p + out->n, k->places ? (*k->places)[row] : hash_of(k, b, row), 8);
        out->n += 8;
        rest -= 8;
    }
    for (uint32_t i = 0; i < k->n; i++) {
        const struct part *part = &k->parts[i];
        const struct sl_column *c = &b->columns[part->column];
        bool null = sl_column_is_null(c, row);
        *has_null = *has_null || (null && !part->appended);
        if (c->field->nullable)
            out->p[out->n++] = null;
        if (!null)
            SL_TRY(add_value(part, c, row, out, rest, err));
        rest -= part->most;
    }
    return SL_OK;
}

void sl_row_keys_mark(const struct sl_row_keys *k, bool *wanted)
{
    for (uint32_t i = 0; i < k->n; i++)
        wanted[k->parts[i].column] = true;
    if (k->shuffled)
        wanted[k->id] = true;
    if (k->shuffled && k->copy >= 0)
        wanted[k->copy] = true;
}

enum sl_status sl_row_keys_add(const struct sl_row_keys *k, const struct sl_batch *b, int64_t row,
                               struct sl_buf *out, bool *has_null, struct sl_err *err)
{
    bool null = false;
    size_t had = out->n;
    enum sl_status st = add_parts(k, b, row, out, &null, err);
    if (st != SL_OK)
        out->n = had;
    if (has_null)
        *has_null = null;
    return st;
}
