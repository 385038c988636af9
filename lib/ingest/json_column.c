/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values into columns. A line is either a row or rejected as a whole, and a
 * column under construction cannot be shortened again, so that every value is
 * looked at twice: first whether it fits, then to be added. Both are one walk,
 * whose column is NULL the first time; two walks would drift apart.
 *
 * The recursion is over the field's type, which is at most SL_MAX_DEPTH deep,
 * never over the input's nesting. */
#include "ingest/json_column.h"

#include <stdlib.h>

#include "base/num.h"
#include "text/iso_date.h"

void sl_json_writer_init(struct sl_json_writer *w, size_t max_bytes)
{
    *w = (struct sl_json_writer){ .fit = SL_JSON_FITS };
    sl_buf_init(&w->text, max_bytes);
    sl_buf_init(&w->parts, SL_MAX_DEPTH * SL_MAX_FIELDS * sizeof(struct sl_json_piece));
}

void sl_json_writer_release(struct sl_json_writer *w)
{
    sl_buf_release(&w->text);
    sl_buf_release(&w->parts);
}

static enum sl_status no_fit(struct sl_json_writer *w, enum sl_json_fit why)
{
    if (w->fit == SL_JSON_FITS)
        w->fit = why;
    return SL_OK;
}

static enum sl_status put(struct sl_json_writer *w, const struct sl_field *f, struct sl_colbuf *c,
                          const struct sl_json_piece *v, struct sl_err *err);

/* ---- numbers ---- */

/* "-12.00" without what is behind the point where that is zeros. */
static struct sl_str whole_part(struct sl_str s)
{
    size_t point = sl_str_find(s, 0, '.');
    for (size_t i = point + 1; i < s.n; i++)
        if (s.p[i] != '0')
            return s;
    return (struct sl_str){ s.p, point };
}

static bool int_range(enum sl_type t, int64_t v)
{
    static const struct {
        int64_t low, high;
    } of[] = { [SL_T_INT8] = { INT8_MIN, INT8_MAX },    [SL_T_INT16] = { INT16_MIN, INT16_MAX },
               [SL_T_INT32] = { INT32_MIN, INT32_MAX }, [SL_T_INT64] = { INT64_MIN, INT64_MAX },
               [SL_T_UINT8] = { 0, UINT8_MAX },         [SL_T_UINT16] = { 0, UINT16_MAX },
               [SL_T_UINT32] = { 0, UINT32_MAX } };
    return v >= of[t].low && v <= of[t].high;
}

static enum sl_status put_int(struct sl_json_writer *w, const struct sl_field *f,
                              struct sl_colbuf *c, const struct sl_json_piece *v,
                              struct sl_err *err)
{
    struct sl_str digits = whole_part(v->raw);
    uint64_t u;
    int64_t i;
    if (v->kind != SL_JSON_PIECE_NUMBER)
        return no_fit(w, SL_JSON_WRONG_TYPE);
    if (f->type == SL_T_UINT64 && sl_parse_u64(digits, &u))
        i = (int64_t)u;
    else if (f->type == SL_T_UINT64 || !sl_parse_i64(digits, &i) || !int_range(f->type, i))
        return no_fit(w, SL_JSON_BAD_VALUE);
    return c ? sl_colbuf_add_int(c, i, err) : SL_OK;
}

/* strtof rounds once; a double on the way would round twice. */
static bool parse_f32(struct sl_str s, double *out)
{
    char text[1280];
    if (s.n >= sizeof text)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    *out = (double)strtof(text, NULL);
    return __builtin_isfinite(*out);
}

static enum sl_status put_real(struct sl_json_writer *w, const struct sl_field *f,
                               struct sl_colbuf *c, const struct sl_json_piece *v,
                               struct sl_err *err)
{
    double d;
    if (v->kind != SL_JSON_PIECE_NUMBER)
        return no_fit(w, SL_JSON_WRONG_TYPE);
    if (f->type == SL_T_FLOAT32 ? !parse_f32(v->raw, &d) : !sl_parse_f64(v->raw, &d))
        return no_fit(w, SL_JSON_BAD_VALUE);
    return c ? sl_colbuf_add_real(c, d, err) : SL_OK;
}

static enum sl_status put_bool(struct sl_json_writer *w, struct sl_colbuf *c,
                               const struct sl_json_piece *v, struct sl_err *err)
{
    if (v->kind != SL_JSON_PIECE_TRUE && v->kind != SL_JSON_PIECE_FALSE)
        return no_fit(w, SL_JSON_WRONG_TYPE);
    return c ? sl_colbuf_add_bool(c, v->kind == SL_JSON_PIECE_TRUE, err) : SL_OK;
}

/* ---- strings ---- */

/* The characters of v, in w->text or in the text itself. */
static enum sl_status characters(struct sl_json_writer *w, const struct sl_json_piece *v,
                                 uint64_t *n_replaced, struct sl_str *out, struct sl_err *err)
{
    *out = v->raw;
    if (!v->escaped)
        return SL_OK;
    sl_buf_reset(&w->text);
    SL_TRY(sl_json_scan_chars(&w->text, v, n_replaced, err));
    *out = sl_buf_str(&w->text);
    return SL_OK;
}

/* 0 to 63; 64: none. */
static unsigned base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* In place: the bytes are fewer than the digits. False where s is no base64. */
static bool from_base64(uint8_t *p, size_t *n)
{
    size_t pad = 0, out = 0;
    if (*n % 4)
        return false;
    while (pad < 2 && *n && p[*n - 1 - pad] == '=')
        pad++;
    for (size_t i = 0; i < *n; i += 4) {
        size_t take = i + 4 == *n ? 4 - pad : 4;
        uint32_t bits = 0;
        for (size_t k = 0; k < 4; k++) {
            unsigned d = k < take ? base64_digit((char)p[i + k]) : 0;
            if (d > 63)
                return false;
            bits = bits << 6 | d;
        }
        for (size_t k = 0; k + 1 < take; k++)
            p[out++] = (uint8_t)(bits >> (16 - 8 * k));
    }
    *n = out;
    return true;
}

/* In place. Digits of either case. */
static bool from_hex(uint8_t *p, size_t *n)
{
    if (*n % 2)
        return false;
    for (size_t i = 0; i < *n; i++) {
        unsigned c = p[i], low = c | 0x20;
        bool letter = low >= 'a' && low <= 'f';
        if (!letter && (c < '0' || c > '9'))
            return false;
        unsigned d = letter ? low - 'a' + 10 : c - '0';
        p[i / 2] = (uint8_t)(i % 2 ? p[i / 2] << 4 | d : d);
    }
    *n /= 2;
    return true;
}

static enum sl_status put_str(struct sl_json_writer *w, const struct sl_field *f,
                              struct sl_colbuf *c, const struct sl_json_piece *v,
                              struct sl_err *err)
{
    struct sl_str s;
    uint64_t ignored = 0;
    if (v->kind != SL_JSON_PIECE_STRING)
        return no_fit(w, SL_JSON_WRONG_TYPE);
    if (sl_type_is_utf8(f->type)) {
        if (!c)
            return SL_OK;
        SL_TRY(characters(w, v, &w->n_replaced, &s, err));
        return sl_colbuf_add_str(c, s, err);
    }
    sl_buf_reset(&w->text);
    SL_TRY(sl_json_scan_chars(&w->text, v, &ignored, err));
    bool fixed = f->type == SL_T_FIXED_BINARY;
    if (!(fixed ? from_hex(w->text.p, &w->text.n) : from_base64(w->text.p, &w->text.n)))
        return no_fit(w, SL_JSON_BAD_VALUE);
    if (fixed && w->text.n != (size_t)f->size)
        return no_fit(w, SL_JSON_BAD_VALUE);
    return c ? sl_colbuf_add_str(c, sl_buf_str(&w->text), err) : SL_OK;
}

/* A moment in the field's unit; false where 64 bits do not hold it. */
static bool in_unit(const struct sl_moment *m, enum sl_time_unit unit, int64_t *out)
{
    static const int64_t per_second[] = { 1, 1000, 1000000, 1000000000 };
    int64_t v;
    if (__builtin_mul_overflow(m->second, per_second[unit], &v))
        return false;
    return !__builtin_add_overflow(v, m->ns / (1000000000 / per_second[unit]), out);
}

static enum sl_status put_time(struct sl_json_writer *w, const struct sl_field *f,
                               struct sl_colbuf *c, const struct sl_json_piece *v,
                               struct sl_err *err)
{
    struct sl_moment m;
    struct sl_str s;
    uint64_t ignored = 0;
    int64_t t;
    bool number = v->kind == SL_JSON_PIECE_NUMBER;
    if (!number && v->kind != SL_JSON_PIECE_STRING)
        return no_fit(w, SL_JSON_WRONG_TYPE);
    SL_TRY(characters(w, v, &ignored, &s, err));
    if (!(number ? sl_epoch_date(s, &m) : sl_iso_date(s, &m)) || !in_unit(&m, f->unit, &t))
        return no_fit(w, SL_JSON_BAD_VALUE);
    return c ? sl_colbuf_add_int(c, t, err) : SL_OK;
}

/* ---- lists and structs ---- */

static enum sl_status put_list(struct sl_json_writer *w, const struct sl_field *f,
                               struct sl_colbuf *c, const struct sl_json_piece *v,
                               struct sl_err *err)
{
    struct sl_json_scan s;
    struct sl_json_piece item;
    int64_t n = 0;
    if (v->kind != SL_JSON_PIECE_ARRAY)
        return no_fit(w, SL_JSON_WRONG_TYPE);
    sl_json_scan_init(&s, v->raw);
    sl_json_scan_open(&s, '[');
    for (; w->fit == SL_JSON_FITS && sl_json_scan_item(&s, &item) == SL_JSON_STEP_ONE; n++)
        SL_TRY(put(w, &f->children[0], c ? &c->children[0] : NULL, &item, err));
    if (f->type == SL_T_FIXED_LIST && w->fit == SL_JSON_FITS && n != f->size)
        return no_fit(w, SL_JSON_BAD_VALUE);
    return c ? sl_colbuf_close(c, err) : SL_OK;
}

static int64_t find_member(const struct sl_field *f, struct sl_str name)
{
    for (uint32_t i = 0; i < f->n_children; i++)
        if (sl_str_eq(sl_str_of(f->children[i].name), name))
            return i;
    return -1;
}

/* The members of the object v among w->parts from `at` on, in the order of the
 * struct; a null one for what is absent. */
static enum sl_status gather_members(struct sl_json_writer *w, const struct sl_field *f,
                                     const struct sl_json_piece *v, size_t at, struct sl_err *err)
{
    static const struct sl_json_piece absent = { SL_JSON_PIECE_NULL, false, { NULL, 0 } };
    struct sl_json_scan s;
    struct sl_json_piece key, value;
    uint64_t ignored = 0;
    for (uint32_t i = 0; i < f->n_children; i++)
        SL_TRY(sl_buf_add(&w->parts, &absent, sizeof absent, err));
    sl_json_scan_init(&s, v->raw);
    sl_json_scan_open(&s, '{');
    while (sl_json_scan_member(&s, &key, &value) == SL_JSON_STEP_ONE) {
        struct sl_str name;
        SL_TRY(characters(w, &key, &ignored, &name, err));
        int64_t i = find_member(f, name);
        struct sl_json_piece *parts = (struct sl_json_piece *)(void *)(w->parts.p + at);
        if (i < 0 || parts[i].raw.p)
            return no_fit(w, SL_JSON_WRONG_TYPE);
        parts[i] = value;
    }
    return SL_OK;
}

static enum sl_status put_struct(struct sl_json_writer *w, const struct sl_field *f,
                                 struct sl_colbuf *c, const struct sl_json_piece *v,
                                 struct sl_err *err)
{
    size_t at = w->parts.n;
    if (v->kind != SL_JSON_PIECE_OBJECT)
        return no_fit(w, SL_JSON_WRONG_TYPE);
    SL_TRY(gather_members(w, f, v, at, err));
    for (uint32_t i = 0; i < f->n_children && w->fit == SL_JSON_FITS; i++) {
        struct sl_json_piece part;
        memcpy(&part, w->parts.p + at + i * sizeof part, sizeof part);
        SL_TRY(put(w, &f->children[i], c ? &c->children[i] : NULL, &part, err));
    }
    w->parts.n = at;
    return c ? sl_colbuf_close(c, err) : SL_OK;
}

/* ---- any value ---- */

static enum sl_status put(struct sl_json_writer *w, const struct sl_field *f, struct sl_colbuf *c,
                          const struct sl_json_piece *v, struct sl_err *err)
{
    if (v->kind == SL_JSON_PIECE_NULL) {
        if (!f->nullable)
            return no_fit(w, SL_JSON_MISSING);
        return c ? sl_colbuf_add_null(c, err) : SL_OK;
    }
    switch (f->type) {
    case SL_T_FLOAT32:
    case SL_T_FLOAT64:
        return put_real(w, f, c, v, err);
    case SL_T_BOOL:
        return put_bool(w, c, v, err);
    case SL_T_TIMESTAMP:
        return put_time(w, f, c, v, err);
    case SL_T_LIST:
    case SL_T_LARGE_LIST:
    case SL_T_FIXED_LIST:
        return put_list(w, f, c, v, err);
    case SL_T_STRUCT:
        return put_struct(w, f, c, v, err);
    default:
        return f->type <= SL_T_UINT64 ? put_int(w, f, c, v, err) : put_str(w, f, c, v, err);
    }
}

enum sl_status sl_json_column_check(struct sl_json_writer *w, const struct sl_field *f,
                                    const struct sl_json_piece *v, enum sl_json_fit *fit,
                                    struct sl_err *err)
{
    w->fit = SL_JSON_FITS;
    w->parts.n = 0;
    SL_TRY(put(w, f, NULL, v, err));
    *fit = w->fit;
    return SL_OK;
}

enum sl_status sl_json_column_add(struct sl_json_writer *w, struct sl_colbuf *c,
                                  const struct sl_json_piece *v, struct sl_err *err)
{
    w->fit = SL_JSON_FITS;
    w->parts.n = 0;
    SL_TRY(put(w, c->field, c, v, err));
    if (w->fit != SL_JSON_FITS)
        return sl_err_set(err, SL_E_BUG, "a value that column '%s' cannot hold", c->field->name);
    return SL_OK;
}
