/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies. Nodes and buffers are in pre-order of the fields, so one walk over
 * the schema with two counters gives every column its parts. Their numbers were
 * compared with the schema's before, and places with the body's size, so the
 * walk itself cannot go wrong; what it checks is that each buffer holds what
 * its column's rows need. Rows are below 2^33 and widths below 2^24, so no
 * product here overflows. */
#include "arrow/body_read.h"

#include "base/num.h"

void sl_field_parts(const struct sl_field *f, uint32_t *n_nodes, uint32_t *n_spans)
{
    ++*n_nodes;
    *n_spans += 1U + sl_type_has_offsets(f->type) + (f->n_children == 0);
    for (uint32_t i = 0; i < f->n_children; i++)
        sl_field_parts(&f->children[i], n_nodes, n_spans);
}

void sl_schema_parts(const struct sl_schema *schema, uint32_t *n_nodes, uint32_t *n_spans)
{
    *n_nodes = *n_spans = 0;
    for (uint32_t i = 0; i < schema->n_fields; i++)
        sl_field_parts(schema->fields[i], n_nodes, n_spans);
}

/* Fewer than 64 bytes. */
static bool padding_is_zero(const char *p, size_t n)
{
    char sum = 0;
    for (size_t i = 0; i < n; i++)
        sum |= p[i];
    return sum == 0;
}

enum sl_status sl_body_spans(const struct sl_batch_parts *parts, size_t body_bytes,
                             struct sl_err *err)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < parts->n_spans; i++) {
        const struct sl_span *s = &parts->spans[i];
        if ((uint64_t)s->off != at)
            return sl_err_set(err, SL_E_DATA, "buffer %u starts at %lld of the body, not at %llu",
                              i, (long long)s->off, (unsigned long long)at);
        at = sl_round64(at + (uint64_t)s->bytes);
        if (at > body_bytes)
            return sl_err_set(err, SL_E_DATA, "buffer %u has no padding", i);
    }
    if (at != body_bytes)
        return sl_err_set(err, SL_E_DATA, "a body of %zu bytes whose buffers end at %llu",
                          body_bytes, (unsigned long long)at);
    return SL_OK;
}

enum sl_status sl_body_places(const struct sl_batch_parts *parts, struct sl_str body,
                              struct sl_err *err)
{
    SL_TRY(sl_body_spans(parts, body.n, err));
    for (uint32_t i = 0; i < parts->n_spans; i++) {
        uint64_t end = (uint64_t)(parts->spans[i].off + parts->spans[i].bytes);
        uint64_t at = sl_round64(end);
        if (at > end && !padding_is_zero(body.p + end, at - end))
            return sl_err_set(err, SL_E_DATA, "the padding behind buffer %u is not zero", i);
    }
    return SL_OK;
}

enum sl_status sl_body_unpack(struct sl_batch_parts *parts, struct sl_str body, bool strict,
                              struct sl_zunpack *z, struct sl_buf *out, struct sl_err *err)
{
    for (uint32_t i = 0; i < parts->n_spans; i++) {
        struct sl_span *s = &parts->spans[i];
        struct sl_err why = SL_ERR_INIT; /* without the frame's own offsets */
        size_t start = out->n;
        if (s->bytes) {
            struct sl_str in = { body.p + s->off, (size_t)s->bytes };
            enum sl_status st = sl_zstd_unpack(z, in, out, &why);
            if (st != SL_OK)
                return sl_err_set(err, st, "buffer %u: %s", i, why.msg);
            if (strict && out->n == start)
                return sl_err_set(err, SL_E_DATA, "buffer %u is compressed and empty", i);
        }
        *s = (struct sl_span){ (int64_t)start, (int64_t)(out->n - start) };
        SL_TRY(sl_buf_add_zeros(out, sl_round64(out->n) - out->n, err));
    }
    return SL_OK;
}

/* ---- views ---- */

/* What a column without any byte points at; one offset of zero rows. */
static const uint64_t nothing[8];

struct walk {
    const struct sl_batch_parts *parts;
    const uint8_t *body;
    struct sl_arena *arena;
    bool strict;
    uint32_t node, span;
    struct sl_err *err;
};

static enum sl_status wrong_size(const struct walk *w, const struct sl_column *c, const char *what,
                                 int64_t have, int64_t need)
{
    return sl_err_set(w->err, SL_E_DATA, "column '%s': %lld bytes of %s, %lld rows need %lld",
                      c->field->name, (long long)have, what, (long long)c->n, (long long)need);
}

/* The next buffer, which must have need bytes. */
static enum sl_status next_buffer(struct walk *w, const struct sl_column *c, const char *what,
                                  int64_t need, const uint8_t **out)
{
    const struct sl_span *s = &w->parts->spans[w->span++];
    if (w->strict ? s->bytes != need : s->bytes < need)
        return wrong_size(w, c, what, s->bytes, need);
    *out = s->bytes ? w->body + s->off : (const uint8_t *)nothing;
    return SL_OK;
}

static enum sl_status view_validity(struct walk *w, struct sl_column *c)
{
    int64_t have = w->parts->spans[w->span].bytes;
    if (!w->strict && c->n_nulls < 0 && have == 0)
        c->n_nulls = 0; /* unknown, and none are marked */
    SL_TRY(next_buffer(w, c, "validity", c->n_nulls ? (c->n + 7) / 8 : 0, &c->validity));
    if (c->n_nulls == 0)
        c->validity = NULL;
    return SL_OK;
}

static enum sl_status view_values(struct walk *w, struct sl_column *c)
{
    int64_t have = w->parts->spans[w->span].bytes;
    int64_t width = sl_type_width(c->field);
    c->data_bytes = sl_type_is_bytes(c->field->type) ? have : width ? c->n * width : (c->n + 7) / 8;
    return next_buffer(w, c, "values", c->data_bytes, &c->data);
}

static enum sl_status view_offsets(struct walk *w, struct sl_column *c)
{
    int64_t need = (c->n + 1) * (sl_type_is_large(c->field->type) ? 8 : 4);
    const uint8_t *p = NULL;
    SL_TRY(next_buffer(w, c, "offsets", !w->strict && c->n == 0 ? 0 : need, &p));
    c->offsets = !w->strict && c->n == 0 ? (const uint8_t *)nothing : p;
    return SL_OK;
}

static enum sl_status view_column(struct walk *w, const struct sl_field *f, struct sl_column *c)
{
    const struct sl_node *node = &w->parts->nodes[w->node++];
    *c = (struct sl_column){ .field = f, .n = node->n, .n_nulls = node->n_nulls };
    SL_TRY(view_validity(w, c));
    if (sl_type_has_offsets(f->type))
        SL_TRY(view_offsets(w, c));
    if (f->n_children == 0)
        return view_values(w, c);
    c->children = sl_arena_zeros(w->arena, f->n_children, sizeof *c->children);
    if (!c->children)
        return sl_err_nomem(w->err, f->n_children * sizeof *c->children);
    for (uint32_t i = 0; i < f->n_children; i++)
        SL_TRY(view_column(w, &f->children[i], &c->children[i]));
    return SL_OK;
}

/* A column whose buffers were not read. */
static void pass_column(struct walk *w, const struct sl_field *f, struct sl_column *c)
{
    const struct sl_node *node = &w->parts->nodes[w->node];
    *c = (struct sl_column){ .field = f, .n = node->n, .n_nulls = node->n_nulls };
    sl_field_parts(f, &w->node, &w->span);
}

enum sl_status sl_body_columns(struct sl_batch *b, const struct sl_batch_parts *parts, bool strict,
                               const bool *wanted, struct sl_err *err)
{
    struct walk w = {
        .parts = parts, .body = b->body.p, .arena = &b->arena, .strict = strict, .err = err
    };
    uint32_t n = b->schema->n_fields;
    b->n_rows = parts->n_rows;
    b->columns = sl_arena_zeros(&b->arena, n, sizeof *b->columns);
    if (!b->columns)
        return sl_err_nomem(err, n * sizeof *b->columns);
    for (uint32_t i = 0; i < n; i++) {
        if (wanted && !wanted[i])
            pass_column(&w, b->schema->fields[i], &b->columns[i]);
        else
            SL_TRY(view_column(&w, b->schema->fields[i], &b->columns[i]));
    }
    return SL_OK;
}
