/* SPDX-License-Identifier: Apache-2.0 */
/* A line of JSON, first looked at, then added.
 *
 * Reading a line finds the value of every slot (json_docs_plan.h) and keeps the
 * pieces of all other fields; nothing is written before the line is known to be a
 * row, since a column under construction cannot be shortened again. Adding then
 * unescapes the text, which is nearly all of a line, straight from it.
 *
 * Ill-formed UTF-8 is repaired for the line as a whole, before it is scanned: a
 * quote or backslash is never part of an ill-formed sequence, so the strings are
 * the same as if each had been repaired for itself.
 *
 * A name that stands twice has no meaning that all readers share (RFC 8259 section
 * 4), so such a line is bad, at its top level; deeper the text is kept as it is. */
#include "ingest/json_docs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "ingest/json_column.h"
#include "ingest/json_docs_plan.h"

enum { LINE_MAX = 1 << 30, PAIRS_FEW = 8, NAME_SHOWN = 100 };

/* A field without a slot. */
struct other {
    struct sl_str name;       /* without escapes */
    struct sl_str key, value; /* as they stand in the line, quotes included */
};

struct sl_json_docs {
    struct sl_json_plan plan;
    struct sl_json_docs_options options;
    struct sl_json_writer writer;
    int html_slot;                /* of html where it is typed, as base64; -1: none */
    struct sl_json_piece *values; /* of the slots; raw.p is NULL where absent */
    struct sl_buf others;         /* struct other */
    struct sl_buf repaired;       /* the line, where it was no UTF-8 */
    struct sl_buf names;          /* names that had escapes */
    struct sl_buf given;          /* the given id */
    struct sl_buf json;           /* the json column's text */
};

enum sl_status sl_json_docs_new(struct sl_json_docs **out,
                                const struct sl_json_docs_options *options, struct sl_err *err)
{
    struct sl_json_docs *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d)
        return sl_err_nomem(err, sizeof *d);
    d->options = *options;
    sl_json_writer_init(&d->writer, LINE_MAX);
    struct sl_buf *buffers[] = { &d->others, &d->repaired, &d->names, &d->given, &d->json };
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        sl_buf_init(buffers[i], LINE_MAX);
    enum sl_status st = sl_json_plan_make(&d->plan, options, err);
    if (st == SL_OK) {
        d->values = calloc((size_t)d->plan.n_slots + 1, sizeof *d->values);
        st = d->values ? SL_OK : sl_err_nomem(err, (size_t)d->plan.n_slots * sizeof *d->values);
    }
    d->html_slot = -1;
    for (int i = 0; st == SL_OK && i < d->plan.n_slots; i++)
        if (d->plan.slots[i].role == SL_JSON_ROLE_TYPED &&
            d->plan.slots[i].column == sl_schema_find(&d->plan.schema, "html"))
            d->html_slot = i;
    if (st == SL_OK)
        *out = d;
    else
        sl_json_docs_free(d);
    return st;
}

void sl_json_docs_free(struct sl_json_docs *d)
{
    if (!d)
        return;
    sl_json_plan_release(&d->plan);
    sl_json_writer_release(&d->writer);
    sl_buf_release(&d->others);
    sl_buf_release(&d->repaired);
    sl_buf_release(&d->names);
    sl_buf_release(&d->given);
    sl_buf_release(&d->json);
    free(d->values);
    free(d);
}

enum sl_status sl_json_docs_schema(const struct sl_json_docs *d, struct sl_schema *out,
                                   struct sl_err *err)
{
    for (uint32_t i = 0; i < d->plan.schema.n_fields; i++)
        SL_TRY(sl_schema_add(out, d->plan.schema.fields[i], err));
    return SL_OK;
}

/* ---- bad lines ---- */

SL_PRINTF(3, 4)
static void bad(struct sl_json_doc *doc, enum sl_json_bad why, const char *fmt, ...)
{
    if (doc->bad != SL_JSON_BAD_NONE)
        return;
    doc->bad = why;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(doc->detail, sizeof doc->detail, fmt, ap);
    va_end(ap);
}

/* A name that is long or would not print on one line is not shown. */
static void bad_twice(struct sl_json_doc *doc, struct sl_str name)
{
    bool shown = name.n <= NAME_SHOWN;
    for (size_t i = 0; shown && i < name.n; i++)
        shown = (uint8_t)name.p[i] >= 0x20 && name.p[i] != 0x7f;
    bad(doc, SL_JSON_BAD_TWICE, "field '%.*s' stands twice", shown ? (int)name.n : 3,
        shown ? name.p : "...");
}

/* ---- the members of a line ---- */

static enum sl_status name_of(struct sl_json_docs *d, const struct sl_json_piece *key, size_t line,
                              struct sl_str *name, struct sl_err *err)
{
    uint64_t ignored = 0;
    *name = key->raw;
    if (!key->escaped)
        return SL_OK;
    /* Names of a line are no longer than it: the buffer never moves again. */
    if (!d->names.n)
        SL_TRY(sl_buf_reserve(&d->names, line, err));
    size_t from = d->names.n;
    SL_TRY(sl_json_scan_chars(&d->names, key, &ignored, err));
    *name = (struct sl_str){ (const char *)d->names.p + from, d->names.n - from };
    return SL_OK;
}

/* With its quotes. */
static struct sl_str as_it_stands(const struct sl_json_piece *v)
{
    if (v->kind != SL_JSON_PIECE_STRING)
        return v->raw;
    return (struct sl_str){ v->raw.p - 1, v->raw.n + 2 };
}

static enum sl_status take_member(struct sl_json_docs *d, const struct sl_json_piece *key,
                                  const struct sl_json_piece *value, size_t line,
                                  struct sl_json_doc *doc, struct sl_err *err)
{
    struct other o = { .key = as_it_stands(key), .value = as_it_stands(value) };
    SL_TRY(name_of(d, key, line, &o.name, err));
    int slot = sl_json_plan_find(&d->plan, o.name);
    if (slot < 0)
        return sl_buf_add(&d->others, &o, sizeof o, err);
    if (d->values[slot].raw.p)
        bad_twice(doc, o.name);
    d->values[slot] = *value;
    return SL_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct sl_str *x = a, *y = b;
    return sl_str_cmp(*x, *y);
}

static size_t n_others(const struct sl_json_docs *d)
{
    return d->others.n / sizeof(struct other);
}

static const struct other *others(const struct sl_json_docs *d)
{
    return (const struct other *)(const void *)d->others.p;
}

/* Two of few names that are equal, by comparing all; NULL: none. */
static const struct sl_str *twin_of_few(const struct other *o, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (sl_str_eq(o[i].name, o[k].name))
                return &o[i].name;
    return NULL;
}

/* Do the hashes of all names differ in their last bits? Then so do the names. */
static bool all_differ(const struct other *o, size_t n)
{
    uint64_t seen[64] = { 0 };
    for (size_t i = 0; i < n; i++) {
        uint64_t h = sl_hash64(o[i].name.p, o[i].name.n) % (64 * 64);
        if (seen[h / 64] >> (h % 64) & 1)
            return false;
        seen[h / 64] |= (uint64_t)1 << (h % 64);
    }
    return true;
}

static enum sl_status check_twins(struct sl_json_docs *d, struct sl_json_doc *doc,
                                  struct sl_err *err)
{
    size_t n = n_others(d);
    if (n <= PAIRS_FEW) {
        const struct sl_str *twin = twin_of_few(others(d), n);
        if (twin)
            bad_twice(doc, *twin);
        return SL_OK;
    }
    if (all_differ(others(d), n))
        return SL_OK;
    struct sl_str *names = malloc(n * sizeof *names);
    if (!names)
        return sl_err_nomem(err, n * sizeof *names);
    for (size_t i = 0; i < n; i++)
        names[i] = others(d)[i].name;
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 1; i < n; i++)
        if (sl_str_eq(names[i - 1], names[i]))
            bad_twice(doc, names[i]);
    free(names);
    return SL_OK;
}

static enum sl_status take_object(struct sl_json_docs *d, struct sl_str line,
                                  struct sl_json_doc *doc, struct sl_err *err)
{
    struct sl_json_scan s;
    struct sl_json_piece key, value;
    enum sl_json_step step = SL_JSON_STEP_END;
    sl_json_scan_init(&s, line);
    bool object = sl_json_scan_open(&s, '{');
    if (!object)
        (void)sl_json_scan_value(&s, &value);
    while (object && (step = sl_json_scan_member(&s, &key, &value)) == SL_JSON_STEP_ONE)
        SL_TRY(take_member(d, &key, &value, line.n, doc, err));
    if (step == SL_JSON_STEP_WRONG || !sl_json_scan_end(&s)) {
        doc->bad = SL_JSON_BAD_NONE; /* what JSON is not has no fields */
        bad(doc, SL_JSON_BAD_SYNTAX, "%s, at byte %zu of the line", s.wrong, s.at + 1);
        return SL_OK;
    }
    if (!object) {
        bad(doc, SL_JSON_BAD_NO_OBJECT, "the line is no object");
        return SL_OK;
    }
    return check_twins(d, doc, err);
}

/* ---- what the fields must be ---- */

static const struct sl_json_piece *value_of(const struct sl_json_docs *d, enum sl_json_role role)
{
    int slot = d->plan.role_slot[role];
    bool there = slot >= 0 && d->values[slot].raw.p && d->values[slot].kind != SL_JSON_PIECE_NULL;
    return there ? &d->values[slot] : NULL;
}

static const char *field_of(const struct sl_json_docs *d, enum sl_json_role role)
{
    return d->plan.slots[d->plan.role_slot[role]].field.p;
}

/* Text or html: a string, and not too long. */
static enum sl_status check_body(struct sl_json_docs *d, enum sl_json_role role,
                                 struct sl_json_doc *doc, struct sl_err *err)
{
    const struct sl_json_piece *v = value_of(d, role);
    uint64_t ignored = 0;
    if (d->plan.role_slot[role] < 0)
        return SL_OK;
    if (!v || v->kind != SL_JSON_PIECE_STRING) {
        bad(doc, v ? SL_JSON_BAD_TYPE : SL_JSON_BAD_MISSING,
            v ? "field '%s' is no string" : "no field '%s'", field_of(d, role));
        return SL_OK;
    }
    size_t n = v->raw.n, most = d->options.max_doc_bytes;
    if (n > most && v->escaped) {
        sl_buf_reset(&d->json);
        SL_TRY(sl_json_scan_chars(&d->json, v, &ignored, err));
        n = d->json.n;
    }
    if (n > most)
        bad(doc, SL_JSON_BAD_SIZE, "field '%s' has %zu bytes", field_of(d, role), n);
    return SL_OK;
}

static void check_string(struct sl_json_docs *d, enum sl_json_role role, struct sl_json_doc *doc)
{
    const struct sl_json_piece *v = value_of(d, role);
    if (v && v->kind != SL_JSON_PIECE_STRING)
        bad(doc, SL_JSON_BAD_TYPE, "field '%s' is no string", field_of(d, role));
}

static enum sl_status take_id(struct sl_json_docs *d, struct sl_json_doc *doc, struct sl_err *err)
{
    const struct sl_json_piece *v = value_of(d, SL_JSON_ROLE_ID);
    if (!v)
        return SL_OK;
    bool number = v->kind == SL_JSON_PIECE_NUMBER && !d->options.id_hex;
    if (v->kind != SL_JSON_PIECE_STRING && !number) {
        bad(doc, SL_JSON_BAD_TYPE, "field '%s' is no string%s", field_of(d, SL_JSON_ROLE_ID),
            d->options.id_hex ? "" : " and no number");
        return SL_OK;
    }
    sl_buf_reset(&d->given);
    SL_TRY(sl_json_scan_chars(&d->given, v, &doc->n_replaced, err));
    if (!d->options.id_hex) {
        doc->given = sl_buf_str(&d->given);
        return SL_OK;
    }
    doc->has_id = sl_hash128_parse(sl_buf_str(&d->given), &doc->id);
    if (!doc->has_id)
        bad(doc, SL_JSON_BAD_VALUE_, "field '%s' is not 32 lower-case hex digits",
            field_of(d, SL_JSON_ROLE_ID));
    return SL_OK;
}

static const struct sl_json_piece absent = { SL_JSON_PIECE_NULL, false, { NULL, 0 } };

/* The value of a typed slot, or of the date; null where it is absent. */
static const struct sl_json_piece *typed_value(const struct sl_json_docs *d, int slot)
{
    return d->values[slot].raw.p ? &d->values[slot] : &absent;
}

static void bad_fit(struct sl_json_doc *doc, enum sl_json_fit fit, const char *field)
{
    if (fit == SL_JSON_MISSING)
        bad(doc, SL_JSON_BAD_MISSING, "no field '%s'", field);
    else if (fit == SL_JSON_WRONG_TYPE)
        bad(doc, SL_JSON_BAD_TYPE, "field '%s' has another type", field);
    else
        bad(doc, SL_JSON_BAD_VALUE_, "field '%s' has a value that its column cannot hold", field);
}

static enum sl_status check_typed(struct sl_json_docs *d, struct sl_json_doc *doc,
                                  struct sl_err *err)
{
    for (int i = 0; i < d->plan.n_slots && doc->bad == SL_JSON_BAD_NONE; i++) {
        const struct sl_json_slot *slot = &d->plan.slots[i];
        bool date = slot->role == SL_JSON_ROLE_DATE;
        enum sl_json_fit fit;
        if (slot->role != SL_JSON_ROLE_TYPED && !date)
            continue;
        SL_TRY(sl_json_column_check(&d->writer, d->plan.schema.fields[slot->column],
                                    typed_value(d, i), &fit, err));
        if (i == d->html_slot && d->values[i].raw.n / 4 * 3 > d->options.max_doc_bytes + 2)
            bad(doc, SL_JSON_BAD_SIZE, "field '%s' has %zu bytes of base64", slot->field.p,
                d->values[i].raw.n);
        if (date && fit != SL_JSON_FITS) {
            doc->bad_date = true;
            d->values[i] = absent;
        } else if (fit != SL_JSON_FITS) {
            bad_fit(doc, fit, slot->field.p);
        }
    }
    return SL_OK;
}

static enum sl_status check_values(struct sl_json_docs *d, struct sl_json_doc *doc,
                                   struct sl_err *err)
{
    SL_TRY(check_body(d, SL_JSON_ROLE_TEXT, doc, err));
    SL_TRY(check_body(d, SL_JSON_ROLE_HTML, doc, err));
    check_string(d, SL_JSON_ROLE_URL, doc);
    check_string(d, SL_JSON_ROLE_SOURCE, doc);
    check_string(d, SL_JSON_ROLE_SOURCE_ID, doc);
    return doc->bad == SL_JSON_BAD_NONE ? check_typed(d, doc, err) : SL_OK;
}

/* ---- reading ---- */

static enum sl_status begin(struct sl_json_docs *d, struct sl_str *text, struct sl_json_doc *doc,
                            struct sl_err *err)
{
    *doc = (struct sl_json_doc){ .bad = SL_JSON_BAD_NONE };
    for (int i = 0; i < d->plan.n_slots; i++)
        d->values[i].raw.p = NULL;
    sl_buf_reset(&d->others);
    sl_buf_reset(&d->names);
    if (sl_utf8_valid(text->p, text->n))
        return SL_OK;
    sl_buf_reset(&d->repaired);
    SL_TRY(sl_utf8_repair(&d->repaired, text->p, text->n, &doc->n_replaced, err));
    *text = sl_buf_str(&d->repaired);
    return SL_OK;
}

enum sl_status sl_json_docs_read(struct sl_json_docs *d, struct sl_str line,
                                 struct sl_json_doc *doc, struct sl_err *err)
{
    SL_TRY(begin(d, &line, doc, err));
    SL_TRY(take_object(d, line, doc, err));
    /* A line that is bad for another reason is known by its id all the same. */
    if (doc->bad != SL_JSON_BAD_SYNTAX && doc->bad != SL_JSON_BAD_NO_OBJECT)
        SL_TRY(take_id(d, doc, err));
    return doc->bad == SL_JSON_BAD_NONE ? check_values(d, doc, err) : SL_OK;
}

enum sl_status sl_json_docs_read_text(struct sl_json_docs *d, struct sl_str text,
                                      struct sl_json_doc *doc, struct sl_err *err)
{
    SL_TRY(begin(d, &text, doc, err));
    int slot = d->plan.role_slot[SL_JSON_ROLE_TEXT];
    if (slot < 0)
        slot = d->plan.role_slot[SL_JSON_ROLE_HTML];
    if (!text.p)
        text.p = "";
    /* characters without escapes are what a piece without a backslash is */
    d->values[slot] = (struct sl_json_piece){ SL_JSON_PIECE_STRING, false, text };
    return check_values(d, doc, err);
}

/* ---- adding ---- */

static uint8_t *append(uint8_t *to, uint8_t before, struct sl_str s)
{
    *to++ = before;
    memcpy(to, s.p, s.n);
    return to + s.n;
}

static enum sl_status make_json(struct sl_json_docs *d, struct sl_err *err)
{
    const struct other *o = others(d);
    size_t n = 1;
    for (size_t i = 0; i < n_others(d); i++)
        n += o[i].key.n + o[i].value.n + 2;
    sl_buf_reset(&d->json);
    SL_TRY(sl_buf_reserve(&d->json, n, err));
    uint8_t *to = d->json.p;
    for (size_t i = 0; i < n_others(d); i++) {
        to = append(to, i ? ',' : '{', o[i].key);
        to = append(to, ':', o[i].value);
    }
    *to = '}';
    d->json.n = n;
    return SL_OK;
}

static enum sl_status add_json(struct sl_json_docs *d, struct sl_json_doc *doc,
                               struct sl_rows *rows, struct sl_err *err)
{
    if (d->plan.json < 0) {
        doc->n_dropped = (int64_t)n_others(d);
        return SL_OK;
    }
    if (n_others(d) == 0)
        return sl_colbuf_add_null(&rows->cols[d->plan.json], err);
    SL_TRY(make_json(d, err));
    return sl_colbuf_add_str(&rows->cols[d->plan.json], sl_buf_str(&d->json), err);
}

/* Bytes that are not JSON's base64, but the characters of the string. */
static enum sl_status add_html(struct sl_json_docs *d, struct sl_colbuf *c,
                               const struct sl_json_piece *v, struct sl_err *err)
{
    if (!v->escaped)
        return sl_colbuf_add_str(c, v->raw, err);
    sl_buf_reset(&d->json);
    SL_TRY(sl_json_scan_chars(&d->json, v, &d->writer.n_replaced, err));
    return sl_colbuf_add_str(c, sl_buf_str(&d->json), err);
}

static enum sl_status add_slot(struct sl_json_docs *d, int i, const struct sl_json_place *place,
                               struct sl_rows *rows, struct sl_err *err)
{
    const struct sl_json_slot *slot = &d->plan.slots[i];
    struct sl_colbuf *c = &rows->cols[slot->column];
    const struct sl_json_piece *v = typed_value(d, i);
    if (slot->role == SL_JSON_ROLE_ID)
        return SL_OK;
    if (slot->role == SL_JSON_ROLE_SOURCE && v->kind == SL_JSON_PIECE_NULL)
        return sl_colbuf_add_str(c, place->source, err);
    if (slot->role == SL_JSON_ROLE_HTML)
        return add_html(d, c, v, err);
    return sl_json_column_add(&d->writer, c, v, err);
}

enum sl_status sl_json_docs_add(struct sl_json_docs *d, struct sl_json_doc *doc,
                                const struct sl_json_place *place, struct sl_rows *rows,
                                struct sl_err *err)
{
    const struct sl_json_plan *p = &d->plan;
    struct sl_str id = { (const char *)place->id.b, sizeof place->id.b };
    d->writer.n_replaced = 0;
    for (int i = 0; i < p->n_slots; i++)
        SL_TRY(add_slot(d, i, place, rows, err));
    SL_TRY(sl_colbuf_add_str(&rows->cols[p->id], id, err));
    if (p->source_id >= 0 && !d->options.id_hex) {
        struct sl_colbuf *c = &rows->cols[p->source_id];
        SL_TRY(doc->given.n ? sl_colbuf_add_str(c, doc->given, err) : sl_colbuf_add_null(c, err));
    }
    if (p->offset >= 0)
        SL_TRY(sl_colbuf_add_int(&rows->cols[p->offset], place->off, err));
    SL_TRY(add_json(d, doc, rows, err));
    doc->n_replaced += d->writer.n_replaced;
    return SL_OK;
}
