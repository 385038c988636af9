/* SPDX-License-Identifier: Apache-2.0 */
/* Types as text: "list<struct<a:utf8?,b:int32>>". One table of names serves
 * the parser and the formatter. The parser is a plain recursive descent with
 * the profile's depth as its bound; what it builds lives in an arena of its
 * own and is checked and copied by sl_schema_add, as any other field. */
#include <stdio.h>

#include "arrow/schema.h"
#include "base/num.h"

static const char *const type_names[] = {
    [SL_T_INT8] = "int8",
    [SL_T_INT16] = "int16",
    [SL_T_INT32] = "int32",
    [SL_T_INT64] = "int64",
    [SL_T_UINT8] = "uint8",
    [SL_T_UINT16] = "uint16",
    [SL_T_UINT32] = "uint32",
    [SL_T_UINT64] = "uint64",
    [SL_T_FLOAT32] = "float32",
    [SL_T_FLOAT64] = "float64",
    [SL_T_BOOL] = "bool",
    [SL_T_UTF8] = "utf8",
    [SL_T_LARGE_UTF8] = "large_utf8",
    [SL_T_BINARY] = "binary",
    [SL_T_LARGE_BINARY] = "large_binary",
    [SL_T_FIXED_BINARY] = "fixed_size_binary",
    [SL_T_TIMESTAMP] = "timestamp",
    [SL_T_LIST] = "list",
    [SL_T_LARGE_LIST] = "large_list",
    [SL_T_FIXED_LIST] = "fixed_size_list",
    [SL_T_STRUCT] = "struct",
};

static const char *const unit_names[] = { "s", "ms", "us", "ns" };

static enum sl_status format_struct(const struct sl_field *f, struct sl_buf *out,
                                    struct sl_err *err)
{
    for (uint32_t i = 0; i < f->n_children; i++) {
        const struct sl_field *c = &f->children[i];
        SL_TRY(sl_buf_addf(out, err, "%s%s:", i ? "," : "", c->name));
        SL_TRY(sl_type_format(c, out, err));
        if (c->nullable)
            SL_TRY(sl_buf_add_byte(out, '?', err));
    }
    return sl_buf_add_byte(out, '>', err);
}

enum sl_status sl_type_format(const struct sl_field *f, struct sl_buf *out, struct sl_err *err)
{
    SL_TRY(sl_buf_add_str(out, sl_str_of(type_names[f->type]), err));
    switch (f->type) {
    case SL_T_FIXED_BINARY:
        return sl_buf_addf(out, err, "[%d]", f->size);
    case SL_T_TIMESTAMP:
        return sl_buf_addf(out, err, "[%s%s%s]", unit_names[f->unit], f->zone ? "," : "",
                           f->zone ? f->zone : "");
    case SL_T_STRUCT:
        SL_TRY(sl_buf_add_byte(out, '<', err));
        return format_struct(f, out, err);
    case SL_T_LIST:
    case SL_T_LARGE_LIST:
    case SL_T_FIXED_LIST:
        SL_TRY(sl_buf_add_byte(out, '<', err));
        SL_TRY(sl_type_format(&f->children[0], out, err));
        SL_TRY(sl_buf_add_str(out, f->children[0].nullable ? SL_STR("?>") : SL_STR(">"), err));
        return f->type == SL_T_FIXED_LIST ? sl_buf_addf(out, err, "[%d]", f->size) : SL_OK;
    default:
        return SL_OK;
    }
}

struct parser {
    struct sl_str text;
    size_t at;
    struct sl_arena *arena;
    struct sl_err *err;
};

static enum sl_status no_type(const struct parser *p, const char *why)
{
    return sl_err_set(p->err, SL_E_USAGE, "'%.*s' is no type: %s at character %zu",
                      (int)(p->text.n < 200 ? p->text.n : 200), p->text.p, why, p->at + 1);
}

static bool eat(struct parser *p, char c)
{
    if (p->at >= p->text.n || p->text.p[p->at] != c)
        return false;
    p->at++;
    return true;
}

/* What stands before the next character of ends (or the end of the text). */
static struct sl_str word(struct parser *p, const char *ends)
{
    size_t from = p->at;
    while (p->at < p->text.n && !strchr(ends, p->text.p[p->at]))
        p->at++;
    return (struct sl_str){ p->text.p + from, p->at - from };
}

static enum sl_status parse_size(struct parser *p, struct sl_field *f)
{
    uint64_t v;
    if (!eat(p, '['))
        return no_type(p, "expected '['");
    if (!sl_parse_u64(word(p, "]"), &v) || v == 0 || v > INT32_MAX || !eat(p, ']'))
        return no_type(p, "expected a size and ']'");
    f->size = (int32_t)v;
    return SL_OK;
}

static enum sl_status parse_time(struct parser *p, struct sl_field *f)
{
    if (!eat(p, '['))
        return no_type(p, "expected '['");
    struct sl_str unit = word(p, ",]");
    size_t u = 0;
    while (u < 4 && !sl_str_eq(unit, sl_str_of(unit_names[u])))
        u++;
    if (u == 4)
        return no_type(p, "expected s, ms, us or ns");
    f->unit = (enum sl_time_unit)u;
    if (eat(p, ',')) {
        struct sl_str zone = word(p, "]");
        if (zone.n == 0)
            return no_type(p, "expected a time zone");
        f->zone = sl_arena_str(p->arena, zone);
        if (!f->zone)
            return sl_err_nomem(p->err, zone.n);
    }
    return eat(p, ']') ? SL_OK : no_type(p, "expected ']'");
}

static enum sl_status parse_type(struct parser *p, struct sl_field *f, int depth);

static enum sl_status parse_list(struct parser *p, struct sl_field *f, int depth)
{
    f->children = sl_arena_zeros(p->arena, 1, sizeof *f->children);
    if (!f->children)
        return sl_err_nomem(p->err, sizeof *f->children);
    f->n_children = 1;
    f->children[0].name = "item";
    if (!eat(p, '<'))
        return no_type(p, "expected '<'");
    SL_TRY(parse_type(p, &f->children[0], depth + 1));
    return eat(p, '>') ? SL_OK : no_type(p, "expected '>'");
}

static enum sl_status parse_struct(struct parser *p, struct sl_field *f, int depth)
{
    uint32_t cap = 0;
    if (!eat(p, '<'))
        return no_type(p, "expected '<'");
    do {
        if (f->n_children == SL_MAX_FIELDS)
            return no_type(p, "too many members");
        if (f->n_children == cap) {
            cap = cap ? cap * 2 : 8;
            struct sl_field *more = sl_arena_zeros(p->arena, cap, sizeof *more);
            if (!more)
                return sl_err_nomem(p->err, cap * sizeof *more);
            if (f->n_children)
                memcpy(more, f->children, f->n_children * sizeof *more);
            f->children = more;
        }
        struct sl_str name = word(p, ":,<>");
        if (name.n == 0 || !eat(p, ':'))
            return no_type(p, "expected a member's name and ':'");
        struct sl_field *child = &f->children[f->n_children++];
        child->name = sl_arena_str(p->arena, name);
        if (!child->name)
            return sl_err_nomem(p->err, name.n);
        SL_TRY(parse_type(p, child, depth + 1));
    } while (eat(p, ','));
    return eat(p, '>') ? SL_OK : no_type(p, "expected ',' or '>'");
}

static enum sl_status parse_type(struct parser *p, struct sl_field *f, int depth)
{
    if (depth > SL_MAX_DEPTH)
        return no_type(p, "nested too deep");
    size_t from = p->at;
    struct sl_str name = word(p, "<>[],:?");
    int t = SL_T_INT8;
    while (t <= SL_T_STRUCT && !sl_str_eq(name, sl_str_of(type_names[t])))
        t++;
    if (t > SL_T_STRUCT) {
        p->at = from;
        return no_type(p, "unknown name");
    }
    f->type = (enum sl_type)t;
    if (f->type == SL_T_STRUCT)
        SL_TRY(parse_struct(p, f, depth));
    if (f->type == SL_T_LIST || f->type == SL_T_LARGE_LIST || f->type == SL_T_FIXED_LIST)
        SL_TRY(parse_list(p, f, depth));
    if (f->type == SL_T_FIXED_LIST || f->type == SL_T_FIXED_BINARY)
        SL_TRY(parse_size(p, f));
    if (f->type == SL_T_TIMESTAMP)
        SL_TRY(parse_time(p, f));
    f->nullable = eat(p, '?');
    return SL_OK;
}

enum sl_status sl_schema_add_text(struct sl_schema *s, const char *name, const char *type,
                                  struct sl_err *err)
{
    struct sl_arena arena;
    sl_arena_init(&arena, 0);
    struct parser p = { .text = sl_str_of(type), .arena = &arena, .err = err };
    struct sl_field f = { .name = name };
    enum sl_status st = parse_type(&p, &f, 1);
    if (st == SL_OK && p.at != p.text.n)
        st = no_type(&p, "something follows");
    if (st == SL_OK)
        st = sl_schema_add(s, &f, err);
    sl_arena_release(&arena);
    return st;
}
