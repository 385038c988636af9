/* SPDX-License-Identifier: Apache-2.0 */
/* YAML text to a tree, by the events of libyaml.
 *
 * The library's own document loader is not used: it follows aliases, so that a
 * few lines can stand for billions of nodes. Here an alias is an error when it
 * is met, the depth is counted, and nodes are never more than the events of at
 * most SL_YAML_MAX_BYTES of text. Keys that stand twice are found here, as
 * YAML demands and the library does not: by sorting, since a
 * mapping may have a hundred thousand of them. */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/utf8.h"
#include "base/yaml.h"
#include "base/yaml_node.h"

struct loader {
    yaml_parser_t parser;
    struct sl_str text;
    const char *name;
    struct sl_arena *arena;
    struct sl_err *err;
    struct sl_yaml_node *open[SL_YAML_MAX_DEPTH]; /* collections around the next node */
    int depth;
    struct sl_yaml_node *root;
    bool ended;
};

static enum sl_status fail(struct loader *l, yaml_mark_t at, const char *what)
{
    return sl_err_set(l->err, SL_E_DATA, "%s:%zu:%zu: %s", l->name, at.line + 1, at.column + 1,
                      what);
}

static enum sl_status fail_off(struct sl_str text, size_t off, const char *name, const char *what,
                               struct sl_err *err)
{
    int line = 1, column = 1;
    for (size_t i = 0; i < off && i < text.n; i++) {
        line += text.p[i] == '\n';
        column = text.p[i] == '\n' ? 1 : column + (((uint8_t)text.p[i] & 0xc0) != 0x80);
    }
    return sl_err_set(err, SL_E_DATA, "%s:%d:%d: %s", name, line, column, what);
}

static enum sl_status parser_error(struct loader *l)
{
    const yaml_parser_t *p = &l->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return sl_err_nomem(l->err, SL_YAML_MAX_BYTES);
    if (p->error == YAML_READER_ERROR) /* it knows an offset alone */
        return fail_off(l->text, p->problem_offset, l->name, p->problem, l->err);
    return fail(l, p->problem_mark, p->problem ? p->problem : "not YAML");
}

static enum sl_status add_node(struct loader *l, enum sl_yaml_kind kind, yaml_mark_t at,
                               struct sl_yaml_node **out)
{
    struct sl_yaml_node *n = sl_arena_zeros(l->arena, 1, sizeof *n);
    if (!n)
        return sl_err_nomem(l->err, sizeof *n);
    n->kind = kind;
    n->line = (int)at.line + 1;
    n->column = (int)at.column + 1;
    *out = n;
    if (!l->depth) {
        l->root = n;
        return SL_OK;
    }
    struct sl_yaml_node *up = l->open[l->depth - 1];
    if (up->kind == SL_YAML_MAP && up->n % 2 == 0 && kind != SL_YAML_SCALAR)
        return fail(l, at, "a key must be a single word or string");
    if (up->last)
        up->last->next = n;
    else
        up->first = n;
    up->last = n;
    up->n++;
    return SL_OK;
}

static enum sl_status open_node(struct loader *l, enum sl_yaml_kind kind, yaml_mark_t at)
{
    struct sl_yaml_node *n;
    SL_TRY(add_node(l, kind, at, &n));
    if (l->depth == SL_YAML_MAX_DEPTH)
        return fail(l, at, "nested too deeply");
    l->open[l->depth++] = n;
    return SL_OK;
}

int sl_yaml_shown(struct sl_str s)
{
    size_t n = s.n < 60 ? s.n : 60;
    while (n && n < s.n && ((uint8_t)s.p[n] & 0xc0) == 0x80)
        n--;
    return (int)n;
}

static int by_key(const void *a, const void *b)
{
    const struct sl_yaml_node *x = *(struct sl_yaml_node *const *)a;
    const struct sl_yaml_node *y = *(struct sl_yaml_node *const *)b;
    int c = sl_str_cmp(x->text, y->text);
    if (c)
        return c;
    return x->line != y->line ? (x->line > y->line) - (x->line < y->line)
                              : (x->column > y->column) - (x->column < y->column);
}

static enum sl_status check_keys(struct loader *l, const struct sl_yaml_node *map)
{
    size_t n = map->n / 2, i = 0;
    if (n < 2)
        return SL_OK;
    const struct sl_yaml_node **keys = malloc(n * sizeof *keys);
    if (!keys)
        return sl_err_nomem(l->err, n * sizeof *keys);
    for (const struct sl_yaml_node *k = map->first; k; k = k->next->next)
        keys[i++] = k;
    qsort(keys, n, sizeof *keys, by_key);
    enum sl_status st = SL_OK;
    for (i = 1; i < n && st == SL_OK; i++)
        if (sl_str_eq(keys[i]->text, keys[i - 1]->text))
            st = sl_err_set(l->err, SL_E_DATA,
                            "%s:%d:%d: key '%.*s' stands here again (first in "
                            "line %d)",
                            l->name, keys[i]->line, keys[i]->column, sl_yaml_shown(keys[i]->text),
                            keys[i]->text.p, keys[i - 1]->line);
    free(keys);
    return st;
}

static enum sl_status add_scalar(struct loader *l, const yaml_event_t *e)
{
    struct sl_yaml_node *n;
    SL_TRY(add_node(l, SL_YAML_SCALAR, e->start_mark, &n));
    struct sl_str text = { (const char *)e->data.scalar.value, e->data.scalar.length };
    const char *copy = sl_arena_str(l->arena, text);
    if (!copy)
        return sl_err_nomem(l->err, text.n);
    n->text = (struct sl_str){ copy, text.n };
    n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return SL_OK;
}

/* Anchors and tags may stand on every node; an alias is a node of its own. */
static bool is_marked(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_ALIAS_EVENT:
        return true;
    case YAML_SCALAR_EVENT:
        return e->data.scalar.anchor || e->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return e->data.sequence_start.anchor || e->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return e->data.mapping_start.anchor || e->data.mapping_start.tag;
    default:
        return false;
    }
}

static enum sl_status take_event(struct loader *l, const yaml_event_t *e)
{
    if (is_marked(e))
        return fail(l, e->start_mark, "anchors (&), aliases (*) and tags (!) are not allowed");
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (l->root)
            return fail(l, e->start_mark, "a second document; one file holds one");
        if (e->data.document_start.version_directive ||
            e->data.document_start.tag_directives.start !=
                e->data.document_start.tag_directives.end)
            return fail(l, e->start_mark, "directives (%) are not allowed");
        return SL_OK;
    case YAML_SCALAR_EVENT:
        return add_scalar(l, e);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(l, SL_YAML_SEQ, e->start_mark);
    case YAML_MAPPING_START_EVENT:
        return open_node(l, SL_YAML_MAP, e->start_mark);
    case YAML_MAPPING_END_EVENT:
        return check_keys(l, l->open[--l->depth]);
    case YAML_SEQUENCE_END_EVENT:
        l->depth--;
        return SL_OK;
    case YAML_STREAM_END_EVENT:
        l->ended = true;
        return SL_OK;
    default:
        return SL_OK;
    }
}

static enum sl_status load(struct loader *l)
{
    yaml_parser_set_encoding(&l->parser, YAML_UTF8_ENCODING);
    /* the library does not accept NULL, not even for no bytes */
    const char *bytes = l->text.n ? l->text.p : "";
    yaml_parser_set_input_string(&l->parser, (const unsigned char *)bytes, l->text.n);
    while (!l->ended) {
        yaml_event_t e;
        if (!yaml_parser_parse(&l->parser, &e))
            return parser_error(l);
        enum sl_status st = take_event(l, &e);
        yaml_event_delete(&e);
        SL_TRY(st);
    }
    if (!l->root)
        return sl_err_set(l->err, SL_E_DATA, "%s:1:1: there is nothing in it", l->name);
    return SL_OK;
}

/* Editors of some systems put a byte order mark in front, which says nothing here. */
static struct sl_str without_mark(struct sl_str text)
{
    bool mark = text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0;
    return mark ? (struct sl_str){ text.p + 3, text.n - 3 } : text;
}

static enum sl_status check_text(struct sl_str text, const char *name, struct sl_err *err)
{
    if (text.n > SL_YAML_MAX_BYTES)
        return sl_err_set(err, SL_E_DATA, "%s: larger than %zu bytes", name, SL_YAML_MAX_BYTES);
    size_t bad = sl_utf8_first_bad(text.p, text.n);
    return bad == text.n ? SL_OK : fail_off(text, bad, name, "not UTF-8", err);
}

enum sl_status sl_yaml_tree(struct sl_yaml_node **out, struct sl_str text, const char *name,
                            struct sl_arena *arena, struct sl_err *err)
{
    *out = NULL;
    SL_TRY(check_text(text, name, err));
    struct loader *l = calloc(1, sizeof *l);
    if (!l || !yaml_parser_initialize(&l->parser)) {
        free(l);
        return sl_err_nomem(err, sizeof *l);
    }
    l->text = without_mark(text);
    l->name = name;
    l->arena = arena;
    l->err = err;
    enum sl_status st = load(l);
    if (st == SL_OK)
        *out = l->root;
    yaml_parser_delete(&l->parser);
    free(l);
    return st;
}
