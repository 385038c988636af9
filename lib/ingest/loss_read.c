/* SPDX-License-Identifier: Apache-2.0 */
/* Two readers behind one face. A file of losses is small beside the data, and it comes
 * from a program that may have crashed or diverged, so nothing in it is guessed or
 * repaired: what is no loss ends the run with its line. A loss that is not finite says
 * that the training went wrong, and weights made from it would hide that.
 *
 * Rejected: to pass over bad lines and count them (a cut file would be a smaller one);
 * losses below 0 (the formulas take any number, but a mean of token losses has none). */
#include "ingest/loss_read.h"

#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "arrow/reader.h"
#include "base/num.h"
#include "base/utf8.h"
#include "ingest/lines.h"
#include "text/json_scan.h"

enum { FIRST_BYTES = 64 };
enum { ID, COPY, LOSS, STEP, N_FIELDS };
static const char *const names[N_FIELDS] = { "id", "copy", "loss", "step" };

struct sl_loss_reader {
    struct sl_source *source;
    struct sl_lines lines;
    struct sl_buf text;      /* a name or id without its escapes */
    struct sl_reader *arrow; /* NULL: lines of JSON */
    struct sl_batch batch;
    int columns[N_FIELDS]; /* -1: there is none */
    int64_t row, before;   /* of the batch in hand; rows of those before it */
};

/* ---- what the values must be ---- */

SL_PRINTF(4, 5)
static enum sl_status bad(const struct sl_loss_reader *r, int64_t number, struct sl_err *err,
                          const char *fmt, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return sl_err_set(err, SL_E_DATA, "losses '%s', %s %lld: %s", sl_source_name(r->source),
                      r->arrow ? "row" : "line", (long long)number, text);
}

static enum sl_status set_loss(const struct sl_loss_reader *r, double v, struct sl_loss *out,
                               struct sl_err *err)
{
    if (!__builtin_isfinite(v))
        return bad(r, out->number, err, "the loss is %s", v != v ? "NaN" : "infinite");
    if (v < 0)
        return bad(r, out->number, err, "the loss %g is below 0", v);
    if (v > (double)FLT_MAX)
        return bad(r, out->number, err, "the loss %g is too large", v);
    out->loss = v + 0.0; /* -0 becomes 0 */
    return SL_OK;
}

static enum sl_status set_copy(const struct sl_loss_reader *r, int64_t v, struct sl_loss *out,
                               struct sl_err *err)
{
    if (v < 0 || v > UINT16_MAX)
        return bad(r, out->number, err, "copy is no number from 0 to 65535");
    out->copy = (uint16_t)v;
    return SL_OK;
}

static enum sl_status set_hex_id(const struct sl_loss_reader *r, struct sl_str s,
                                 struct sl_loss *out, struct sl_err *err)
{
    if (!sl_hash128_parse(s, &out->id))
        return bad(r, out->number, err, "the id is no 32 hex digits (0-9, a-f)");
    return SL_OK;
}

/* ---- lines of JSON ---- */

static enum sl_status chars_of(struct sl_loss_reader *r, const struct sl_json_piece *v,
                               struct sl_str *out, struct sl_err *err)
{
    uint64_t ignored = 0;
    *out = v->raw;
    if (!v->escaped)
        return SL_OK;
    sl_buf_reset(&r->text);
    SL_TRY(sl_json_scan_chars(&r->text, v, &ignored, err));
    *out = sl_buf_str(&r->text);
    return SL_OK;
}

static int find_name(struct sl_str name)
{
    for (int i = 0; i < N_FIELDS; i++)
        if (sl_str_eq(name, sl_str_of(names[i])))
            return i;
    return -1;
}

static enum sl_status take_value(struct sl_loss_reader *r, int field, const struct sl_json_piece *v,
                                 struct sl_loss *out, struct sl_err *err)
{
    struct sl_str s;
    int64_t whole;
    double real;
    bool may_be_null = field == COPY || field == STEP;
    if (may_be_null && v->kind == SL_JSON_PIECE_NULL)
        return SL_OK;
    if (v->kind != (field == ID ? SL_JSON_PIECE_STRING : SL_JSON_PIECE_NUMBER))
        return bad(r, out->number, err, "%s is no %s", names[field],
                   field == ID ? "string" : "number");
    if (field == ID) {
        SL_TRY(chars_of(r, v, &s, err));
        return set_hex_id(r, s, out, err);
    }
    if (field == LOSS)
        return sl_parse_f64(v->raw, &real) ? set_loss(r, real, out, err)
                                           : bad(r, out->number, err, "the loss is too large");
    if (!sl_parse_i64(v->raw, &whole) || whole == SL_LOSS_NO_STEP)
        return bad(r, out->number, err, "%s is no whole number", names[field]);
    if (field == COPY)
        return set_copy(r, whole, out, err);
    out->step = whole;
    return SL_OK;
}

/* Python's JSON writes NaN and Infinity, which JSON has not. */
static bool not_finite_at(struct sl_str line, size_t at)
{
    struct sl_str rest = { line.p + at, line.n - at };
    if (rest.n && rest.p[0] == '-')
        rest = (struct sl_str){ rest.p + 1, rest.n - 1 };
    return sl_str_starts(rest, SL_STR("NaN")) || sl_str_starts(rest, SL_STR("Infinity"));
}

static enum sl_status bad_json(const struct sl_loss_reader *r, const struct sl_json_scan *s,
                               struct sl_str line, int64_t number, struct sl_err *err)
{
    if (s->at <= line.n && not_finite_at(line, s->at))
        return bad(r, number, err, "the loss is NaN or infinite");
    return bad(r, number, err, "%s, at byte %zu of the line", s->wrong, s->at + 1);
}

static enum sl_status read_object(struct sl_loss_reader *r, struct sl_str line, bool *has,
                                  struct sl_loss *out, struct sl_err *err)
{
    struct sl_json_scan s;
    struct sl_json_piece key, value;
    enum sl_json_step step;
    struct sl_str name;
    sl_json_scan_init(&s, line);
    if (!sl_json_scan_open(&s, '{'))
        return s.wrong ? bad_json(r, &s, line, out->number, err)
                       : bad(r, out->number, err, "the line is no JSON object");
    while ((step = sl_json_scan_member(&s, &key, &value)) == SL_JSON_STEP_ONE) {
        SL_TRY(chars_of(r, &key, &name, err));
        int field = find_name(name);
        if (field < 0)
            continue;
        if (has[field])
            return bad(r, out->number, err, "%s stands twice", names[field]);
        has[field] = true;
        SL_TRY(take_value(r, field, &value, out, err));
    }
    if (step == SL_JSON_STEP_WRONG || !sl_json_scan_end(&s))
        return bad_json(r, &s, line, out->number, err);
    return SL_OK;
}

static bool is_blank(struct sl_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r')
            return false;
    return true;
}

static enum sl_status next_line(struct sl_loss_reader *r, struct sl_loss *out, struct sl_err *err)
{
    bool has[N_FIELDS] = { false };
    struct sl_line line;
    do
        SL_TRY(sl_lines_next(&r->lines, &line, err));
    while (!line.cut && is_blank(line.text));
    out->number = line.number;
    if (line.cut)
        return bad(r, line.number, err, "the line is longer than %d bytes", SL_LOSS_LINE_MAX);
    if (!sl_utf8_valid(line.text.p, line.text.n))
        return bad(r, line.number, err, "the line is not UTF-8");
    SL_TRY(read_object(r, line.text, has, out, err));
    for (int i = 0; i <= LOSS; i += LOSS)
        if (!has[i])
            return bad(r, line.number, err, "there is no %s", names[i]);
    return SL_OK;
}

/* ---- Arrow ---- */

static bool type_fits(int field, const struct sl_field *f)
{
    if (field == ID)
        return sl_type_is_utf8(f->type) || f->type == SL_T_BINARY || f->type == SL_T_LARGE_BINARY ||
               (f->type == SL_T_FIXED_BINARY && f->size == sizeof(struct sl_hash128));
    if (field == LOSS)
        return f->type == SL_T_FLOAT32 || f->type == SL_T_FLOAT64;
    return f->type <= SL_T_UINT64;
}

static enum sl_status find_columns(struct sl_loss_reader *r, struct sl_err *err)
{
    static const char *const want[N_FIELDS] = { "16 bytes or text", "an integer",
                                                "float32 or float64", "an integer" };
    const struct sl_schema *s = sl_reader_schema(r->arrow);
    for (int i = 0; i < N_FIELDS; i++) {
        r->columns[i] = sl_schema_find(s, names[i]);
        if (r->columns[i] < 0 && (i == ID || i == LOSS))
            return sl_err_set(err, SL_E_DATA, "losses '%s': there is no column '%s'",
                              sl_source_name(r->source), names[i]);
        if (r->columns[i] >= 0 && !type_fits(i, s->fields[r->columns[i]]))
            return sl_err_set(err, SL_E_DATA, "losses '%s': the column '%s' is not %s",
                              sl_source_name(r->source), names[i], want[i]);
    }
    return SL_OK;
}

/* The column's value in the row in hand is there. */
static const struct sl_column *value_at(const struct sl_loss_reader *r, int field)
{
    if (r->columns[field] < 0)
        return NULL;
    const struct sl_column *c = &r->batch.columns[r->columns[field]];
    return sl_column_is_null(c, r->row) ? NULL : c;
}

static enum sl_status take_id(const struct sl_loss_reader *r, struct sl_loss *out,
                              struct sl_err *err)
{
    const struct sl_column *c = value_at(r, ID);
    if (!c)
        return bad(r, out->number, err, "the id is null");
    struct sl_str s = sl_column_str(c, r->row);
    if (sl_type_is_utf8(c->field->type))
        return set_hex_id(r, s, out, err);
    if (s.n != sizeof out->id.b)
        return bad(r, out->number, err, "the id has not 16 bytes");
    memcpy(out->id.b, s.p, sizeof out->id.b);
    return SL_OK;
}

/* Others may leave the end marker out; but then nothing tells a whole stream from one
 * whose writer was killed, and a batch is a lot of losses. */
static enum sl_status next_batch(struct sl_loss_reader *r, struct sl_err *err)
{
    int64_t off = sl_source_off(r->source);
    enum sl_status st = sl_reader_next(r->arrow, &r->batch, err);
    if (st == SL_END && sl_source_off(r->source) == off)
        return sl_err_set(err, SL_E_DATA,
                          "losses '%s': the Arrow stream has no end marker: it was cut, or its "
                          "writer was not closed",
                          sl_source_name(r->source));
    return st;
}

static enum sl_status next_row(struct sl_loss_reader *r, struct sl_loss *out, struct sl_err *err)
{
    while (r->row >= r->batch.n_rows) {
        r->before += r->batch.n_rows;
        r->batch.n_rows = 0;
        SL_TRY(next_batch(r, err));
        r->row = 0;
    }
    out->number = r->before + r->row + 1;
    const struct sl_column *copy = value_at(r, COPY), *step = value_at(r, STEP),
                           *loss = value_at(r, LOSS);
    if (!loss)
        return bad(r, out->number, err, "the loss is null");
    SL_TRY(take_id(r, out, err));
    SL_TRY(set_loss(r, sl_column_real(loss, r->row), out, err));
    if (copy)
        SL_TRY(set_copy(r, sl_column_int(copy, r->row), out, err));
    if (step) {
        out->step = sl_column_int(step, r->row);
        if (out->step == SL_LOSS_NO_STEP || (step->field->type == SL_T_UINT64 && out->step < 0))
            return bad(r, out->number, err, "the step is no number below 2^63");
    }
    r->row++;
    return SL_OK;
}

/* ---- the face ---- */

static enum sl_status begin(struct sl_loss_reader *r, struct sl_err *err)
{
    const uint8_t *p;
    size_t n, i = 0;
    SL_TRY(sl_source_peek(r->source, FIRST_BYTES, &p, &n, err));
    struct sl_str first = { (const char *)p, n };
    if (sl_str_starts(first, SL_STR("\xff\xff\xff\xff"))) {
        SL_TRY(sl_reader_open(&r->arrow, r->source, SL_READ_FOREIGN, err));
        return find_columns(r, err);
    }
    while (i < n && (is_blank((struct sl_str){ first.p + i, 1 }) || first.p[i] == '\n'))
        i++;
    if (i < n && first.p[i] != '{')
        return sl_err_set(err, SL_E_DATA,
                          "losses '%s' are neither lines of JSON objects nor an Arrow stream%s",
                          sl_source_name(r->source),
                          sl_str_starts(first, SL_STR("ARROW1")) ? " (an Arrow file is none)"
                          : sl_str_starts(first, SL_STR("PAR1")) ? " (this is a Parquet file)"
                                                                 : "");
    return SL_OK;
}

enum sl_status sl_loss_reader_open_source(struct sl_loss_reader **out, struct sl_source *source,
                                          struct sl_err *err)
{
    struct sl_loss_reader *r = calloc(1, sizeof *r);
    *out = NULL;
    if (!r) {
        sl_source_free(source);
        return sl_err_nomem(err, sizeof *r);
    }
    r->source = source;
    sl_batch_init(&r->batch);
    sl_buf_init(&r->text, SL_LOSS_LINE_MAX);
    sl_lines_init(&r->lines, source, SL_LOSS_LINE_MAX);
    enum sl_status st = begin(r, err);
    if (st == SL_OK)
        *out = r;
    else
        sl_loss_reader_free(r);
    return st;
}

enum sl_status sl_loss_reader_open(struct sl_loss_reader **out, const char *path,
                                   struct sl_err *err)
{
    struct sl_source *source;
    *out = NULL;
    SL_TRY(sl_source_open(&source, path, SL_SOURCE_AUTO, err));
    return sl_loss_reader_open_source(out, source, err);
}

void sl_loss_reader_free(struct sl_loss_reader *r)
{
    if (!r)
        return;
    sl_batch_release(&r->batch);
    sl_reader_free(r->arrow);
    sl_buf_release(&r->text);
    sl_source_free(r->source);
    free(r);
}

enum sl_status sl_loss_reader_next(struct sl_loss_reader *r, struct sl_loss *loss,
                                   struct sl_err *err)
{
    *loss = (struct sl_loss){ .step = SL_LOSS_NO_STEP };
    return r->arrow ? next_row(r, loss, err) : next_line(r, loss, err);
}
