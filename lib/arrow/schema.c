/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas. Every field is copied into the schema's arena, each top-level field
 * by itself, so that pointers to fields stay valid while the schema grows; the
 * array of pointers alone moves. All limits of docs/stream.md section 2 are
 * checked in one place, sl_schema_add: whoever reads a schema from outside
 * only has to bound its own recursion.
 *
 * Types are compared by structure, never by their text, since the name of a
 * struct's member may hold any character. */
#include "arrow/schema.h"

#include <stdio.h>

#include "base/utf8.h"

enum { MAX_BINARY_BYTES = 1 << 20, MAX_LIST_ITEMS = 1 << 24 };

void sl_schema_init(struct sl_schema *s)
{
    *s = (struct sl_schema){ .n_fields = 0 };
    sl_arena_init(&s->arena, 0);
}

void sl_schema_release(struct sl_schema *s)
{
    sl_arena_release(&s->arena);
    sl_schema_init(s);
}

static bool is_list(enum sl_type t)
{
    return t == SL_T_LIST || t == SL_T_LARGE_LIST || t == SL_T_FIXED_LIST;
}

/* Counting stops at the limit, so a field nested without end costs nothing. */
static uint32_t count_fields(const struct sl_field *f, int depth)
{
    uint32_t n = 1;
    for (uint32_t i = 0; i < f->n_children && n <= SL_MAX_FIELDS && depth < SL_MAX_DEPTH; i++)
        n += count_fields(&f->children[i], depth + 1);
    return n;
}

static enum sl_status check_name(const char *name, struct sl_err *err)
{
    size_t n = name ? strlen(name) : 0;
    if (n == 0)
        return sl_err_set(err, SL_E_DATA, "a column without a name");
    if (n > SL_MAX_NAME_BYTES)
        return sl_err_set(err, SL_E_DATA, "column name '%.40s...' has more than %d bytes", name,
                          SL_MAX_NAME_BYTES);
    if (!sl_utf8_valid(name, n))
        return sl_err_set(err, SL_E_DATA, "a column name is not UTF-8");
    return SL_OK;
}

/* Zones stand in type texts, so they may hold only what zone names need. */
static bool zone_ok(const char *zone)
{
    size_t n = strlen(zone);
    if (n == 0 || n > SL_MAX_NAME_BYTES)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = zone[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && !strchr("_+-:/", c))
            return false;
    }
    return true;
}

static enum sl_status check_shape(const struct sl_field *f, struct sl_err *err)
{
    if (f->type < SL_T_INT8 || f->type > SL_T_STRUCT)
        return sl_err_set(err, SL_E_BUG, "column '%s' has no type", f->name);
    if (f->type == SL_T_FIXED_BINARY && (f->size < 1 || f->size > MAX_BINARY_BYTES))
        return sl_err_set(err, SL_E_DATA, "column '%s': values of %d bytes (1 to %d are possible)",
                          f->name, f->size, MAX_BINARY_BYTES);
    if (f->type == SL_T_FIXED_LIST && (f->size < 1 || f->size > MAX_LIST_ITEMS))
        return sl_err_set(err, SL_E_DATA, "column '%s': lists of %d items (1 to %d are possible)",
                          f->name, f->size, MAX_LIST_ITEMS);
    if (f->type == SL_T_TIMESTAMP && f->zone && !zone_ok(f->zone))
        return sl_err_set(err, SL_E_DATA, "column '%s' has no usable time zone", f->name);
    if (f->type == SL_T_TIMESTAMP && (f->unit < SL_UNIT_S || f->unit > SL_UNIT_NS))
        return sl_err_set(err, SL_E_DATA, "column '%s' has no time unit", f->name);
    if (f->type == SL_T_STRUCT && f->n_children == 0)
        return sl_err_set(err, SL_E_DATA, "column '%s': a struct without members", f->name);
    if (f->type != SL_T_STRUCT && f->n_children != (is_list(f->type) ? 1U : 0U))
        return sl_err_set(err, SL_E_DATA, "column '%s' has %u children", f->name, f->n_children);
    if (is_list(f->type) && (!f->children[0].name || strcmp(f->children[0].name, "item") != 0))
        return sl_err_set(err, SL_E_DATA, "column '%s': the child of a list is not named 'item'",
                          f->name);
    return SL_OK;
}

static enum sl_status check_field(const struct sl_field *f, int depth, struct sl_err *err)
{
    SL_TRY(check_name(f->name, err));
    if (depth > SL_MAX_DEPTH)
        return sl_err_set(err, SL_E_DATA, "columns nested more than %d deep", SL_MAX_DEPTH);
    SL_TRY(check_shape(f, err));
    for (uint32_t i = 0; i < f->n_children; i++) {
        SL_TRY(check_field(&f->children[i], depth + 1, err));
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(f->children[i].name, f->children[j].name) == 0)
                return sl_err_set(err, SL_E_DATA, "column '%s' has two members '%s'", f->name,
                                  f->children[i].name);
    }
    return SL_OK;
}

static enum sl_status copy_field(struct sl_arena *a, struct sl_field *dst,
                                 const struct sl_field *src, struct sl_err *err)
{
    *dst = (struct sl_field){ .type = src->type, .nullable = src->nullable };
    dst->name = sl_arena_str(a, sl_str_of(src->name));
    if (!dst->name)
        return sl_err_nomem(err, SL_MAX_NAME_BYTES);
    if (src->type == SL_T_FIXED_BINARY || src->type == SL_T_FIXED_LIST)
        dst->size = src->size;
    if (src->type == SL_T_TIMESTAMP) {
        dst->unit = src->unit;
        if (src->zone && !(dst->zone = sl_arena_str(a, sl_str_of(src->zone))))
            return sl_err_nomem(err, SL_MAX_NAME_BYTES);
    }
    if (src->n_children == 0)
        return SL_OK;
    dst->children = sl_arena_zeros(a, src->n_children, sizeof *dst->children);
    if (!dst->children)
        return sl_err_nomem(err, src->n_children * sizeof *dst->children);
    dst->n_children = src->n_children;
    for (uint32_t i = 0; i < src->n_children; i++)
        SL_TRY(copy_field(a, &dst->children[i], &src->children[i], err));
    return SL_OK;
}

static enum sl_status grow_fields(struct sl_schema *s, struct sl_err *err)
{
    if (s->n_fields < s->cap)
        return SL_OK;
    uint32_t cap = s->cap ? s->cap * 2 : 16;
    struct sl_field **fields = sl_arena_zeros(&s->arena, cap, sizeof *fields);
    if (!fields)
        return sl_err_nomem(err, cap * sizeof *fields);
    if (s->n_fields)
        memcpy(fields, s->fields, s->n_fields * sizeof *fields);
    s->fields = fields;
    s->cap = cap;
    return SL_OK;
}

enum sl_status sl_schema_add(struct sl_schema *s, const struct sl_field *field, struct sl_err *err)
{
    uint32_t n = count_fields(field, 1); /* first, since members are compared in pairs */
    for (uint32_t i = 0; i < s->n_fields; i++)
        n += count_fields(s->fields[i], 1);
    if (n > SL_MAX_FIELDS)
        return sl_err_set(err, SL_E_DATA, "more than %d columns", SL_MAX_FIELDS);
    SL_TRY(check_field(field, 1, err));
    if (sl_schema_find(s, field->name) >= 0)
        return sl_err_set(err, SL_E_DATA, "column '%s' is there already", field->name);
    SL_TRY(grow_fields(s, err));
    struct sl_field *copy = sl_arena_zeros(&s->arena, 1, sizeof *copy);
    if (!copy)
        return sl_err_nomem(err, sizeof *copy);
    SL_TRY(copy_field(&s->arena, copy, field, err));
    s->fields[s->n_fields++] = copy;
    return SL_OK;
}

enum sl_status sl_schema_copy(struct sl_schema *dst, const struct sl_schema *src,
                              struct sl_err *err)
{
    sl_schema_init(dst);
    enum sl_status st = SL_OK;
    for (uint32_t i = 0; i < src->n_fields && st == SL_OK; i++)
        st = sl_schema_add(dst, src->fields[i], err);
    if (st == SL_OK && src->kind)
        st = sl_schema_set_meta(dst, "kind", sl_str_of(src->kind), err);
    if (st == SL_OK && src->lineage)
        st = sl_schema_set_meta(dst, "lineage", sl_str_of(src->lineage), err);
    if (st == SL_OK && src->tokenizer)
        st = sl_schema_set_meta(dst, "tokenizer", sl_str_of(src->tokenizer), err);
    if (st != SL_OK)
        sl_schema_release(dst);
    return st;
}

enum sl_status sl_schema_set_meta(struct sl_schema *s, const char *key, struct sl_str value,
                                  struct sl_err *err)
{
    const char **at = strcmp(key, "kind") == 0        ? &s->kind
                      : strcmp(key, "lineage") == 0   ? &s->lineage
                      : strcmp(key, "tokenizer") == 0 ? &s->tokenizer
                                                      : NULL;
    if (!at)
        return sl_err_set(err, SL_E_BUG, "no schema metadata '%s'", key);
    if (!value.p) {
        *at = NULL;
        return SL_OK;
    }
    if (value.n > SL_MAX_META_BYTES)
        return sl_err_set(err, SL_E_DATA, "metadata 'sl:%s' of %zu bytes", key, value.n);
    if (memchr(value.p, 0, value.n) || !sl_utf8_valid(value.p, value.n))
        return sl_err_set(err, SL_E_DATA, "metadata 'sl:%s' is not UTF-8 text", key);
    char *copy = sl_arena_str(&s->arena, value);
    if (!copy)
        return sl_err_nomem(err, value.n);
    *at = copy;
    return SL_OK;
}

int sl_schema_find(const struct sl_schema *s, const char *name)
{
    for (uint32_t i = 0; i < s->n_fields; i++)
        if (strcmp(s->fields[i]->name, name) == 0)
            return (int)i;
    return -1;
}

bool sl_type_same(const struct sl_field *a, const struct sl_field *b)
{
    if (a->type != b->type || a->n_children != b->n_children)
        return false;
    if ((a->type == SL_T_FIXED_BINARY || a->type == SL_T_FIXED_LIST) && a->size != b->size)
        return false;
    if (a->type == SL_T_TIMESTAMP &&
        (a->unit != b->unit || !a->zone != !b->zone || (a->zone && strcmp(a->zone, b->zone) != 0)))
        return false;
    for (uint32_t i = 0; i < a->n_children; i++) {
        const struct sl_field *x = &a->children[i], *y = &b->children[i];
        if (strcmp(x->name, y->name) != 0 || x->nullable != y->nullable || !sl_type_same(x, y))
            return false;
    }
    return true;
}

static void why_types(const struct sl_field *a, const struct sl_field *b, char why[256])
{
    struct sl_buf x, y;
    sl_buf_init(&x, SL_MAX_META_BYTES);
    sl_buf_init(&y, SL_MAX_META_BYTES);
    if (sl_type_format(a, &x, NULL) == SL_OK && sl_type_format(b, &y, NULL) == SL_OK)
        snprintf(why, 256, "column '%.60s' is %.70s%s here, %.70s%s there", a->name,
                 sl_buf_cstr(&x), a->nullable ? "?" : "", sl_buf_cstr(&y), b->nullable ? "?" : "");
    else
        snprintf(why, 256, "column '%.60s' is of another type", a->name);
    sl_buf_release(&x);
    sl_buf_release(&y);
}

bool sl_schema_same(const struct sl_schema *a, const struct sl_schema *b, char why[256])
{
    for (uint32_t i = 0; i < a->n_fields && i < b->n_fields; i++) {
        const struct sl_field *x = a->fields[i], *y = b->fields[i];
        if (strcmp(x->name, y->name) != 0) {
            if (why)
                snprintf(why, 256, "column %u is '%.90s' here, '%.90s' there", i + 1, x->name,
                         y->name);
            return false;
        }
        if (x->nullable != y->nullable || !sl_type_same(x, y)) {
            if (why)
                why_types(x, y, why);
            return false;
        }
    }
    if (a->n_fields == b->n_fields)
        return true;
    bool more = a->n_fields > b->n_fields;
    if (why)
        snprintf(why, 256, "column '%.200s' is only %s",
                 more ? a->fields[b->n_fields]->name : b->fields[a->n_fields]->name,
                 more ? "here" : "there");
    return false;
}

int32_t sl_type_width(const struct sl_field *f)
{
    switch (f->type) {
    case SL_T_INT8:
    case SL_T_UINT8:
        return 1;
    case SL_T_INT16:
    case SL_T_UINT16:
        return 2;
    case SL_T_INT32:
    case SL_T_UINT32:
    case SL_T_FLOAT32:
        return 4;
    case SL_T_INT64:
    case SL_T_UINT64:
    case SL_T_FLOAT64:
    case SL_T_TIMESTAMP:
        return 8;
    case SL_T_FIXED_BINARY:
        return f->size;
    default:
        return 0;
    }
}
