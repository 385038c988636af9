/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML tree into structs by tables of keys, and such structs back to YAML.
 *
 * Every mapping is filled in two passes: the defaults of all keys, then what
 * stands in the file, so that an absent key and one with its default are the
 * same. A default is YAML text and goes the way of a value from a file.
 * Which keys were given is a bit set on the stack, hence at most MAX_KEYS. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/yaml.h"
#include "base/yaml_node.h"

enum { MAX_KEYS = 64, MAX_NAMES = 512 };

struct filler {
    const char *name; /* of the text */
    struct sl_arena *arena;
    struct sl_err *err;
};

#define NODE_AT(f, n) (f)->name, (n)->line, (n)->column

static enum sl_status fill_map(struct filler *f, const struct sl_yaml_node *map,
                               const struct sl_yaml_key *keys, void *conf);
static enum sl_status fill_value(struct filler *f, const struct sl_yaml_node *n,
                                 const struct sl_yaml_key *k, void *conf);

static void *member(void *conf, const struct sl_yaml_key *k)
{
    return (char *)conf + k->offset;
}

/* "x.yaml:3:5: min_words: expected a number, not 'ten'" */
static enum sl_status wrong(struct filler *f, const struct sl_yaml_node *n, const char *key,
                            const char *expected)
{
    if (n->kind == SL_YAML_SCALAR && n->plain && !n->text.n)
        return sl_err_set(f->err, SL_E_DATA, "%s:%d:%d: %s: expected %s, but there is no value",
                          NODE_AT(f, n), key, expected);
    if (n->kind == SL_YAML_SCALAR)
        return sl_err_set(f->err, SL_E_DATA, "%s:%d:%d: %s: expected %s, not %s'%.*s'%s",
                          NODE_AT(f, n), key, expected, n->plain ? "" : "the string ",
                          sl_yaml_shown(n->text), n->text.p,
                          (size_t)sl_yaml_shown(n->text) < n->text.n ? "..." : "");
    return sl_err_set(f->err, SL_E_DATA, "%s:%d:%d: %s: expected %s, not a %s", NODE_AT(f, n), key,
                      expected, n->kind == SL_YAML_MAP ? "mapping" : "list");
}

static bool is_plain(const struct sl_yaml_node *n, const char *word)
{
    return n->kind == SL_YAML_SCALAR && n->plain && sl_str_eq(n->text, sl_str_of(word));
}

/* Digits as people write them: "010" could be meant as octal. */
static bool is_number_text(const struct sl_yaml_node *n)
{
    const char *p = n->text.p;
    if (n->kind != SL_YAML_SCALAR || !n->plain || !n->text.n)
        return false;
    p += *p == '-';
    return !(p[0] == '0' && p[1] >= '0' && p[1] <= '9');
}

static enum sl_status check_range(struct filler *f, const struct sl_yaml_node *n,
                                  const struct sl_yaml_key *k, double v)
{
    if ((k->min == 0 && k->max == 0) || (v >= k->min && v <= k->max))
        return SL_OK;
    return sl_err_set(f->err, SL_E_DATA, "%s:%d:%d: %s: %.*s is out of range (%.15g to %.15g)",
                      NODE_AT(f, n), k->key, sl_yaml_shown(n->text), n->text.p, k->min, k->max);
}

static enum sl_status fill_number(struct filler *f, const struct sl_yaml_node *n,
                                  const struct sl_yaml_key *k, void *conf)
{
    bool number = is_number_text(n), off = (k->flags & SL_YAML_OFF) && is_plain(n, "false");
    union {
        uint64_t u;
        int64_t i;
        double d;
    } v = { 0 };
    double as_real = 0;
    if (k->type == SL_YAML_UINT) {
        number = number && sl_parse_u64(n->text, &v.u) && v.u != SL_YAML_UINT_OFF;
        as_real = (double)v.u;
    } else if (k->type == SL_YAML_INT) {
        number = number && sl_parse_i64(n->text, &v.i);
        as_real = (double)v.i;
    } else {
        number = number && sl_parse_f64(n->text, &v.d);
        as_real = v.d;
    }
    if (off && k->type == SL_YAML_REAL)
        v.d = NAN;
    else if (off)
        v.u = SL_YAML_UINT_OFF;
    else if (!number)
        return wrong(f, n, k->key,
                     k->type == SL_YAML_REAL
                         ? (k->flags & SL_YAML_OFF ? "a number or false" : "a number")
                     : k->flags & SL_YAML_OFF ? "a whole number or false"
                                              : "a whole number");
    else
        SL_TRY(check_range(f, n, k, as_real));
    memcpy(member(conf, k), &v, sizeof v);
    return SL_OK;
}

static enum sl_status take_string(struct filler *f, const struct sl_yaml_node *n,
                                  const struct sl_yaml_key *k)
{
    bool null = n->plain && (!n->text.n || is_plain(n, "null") || is_plain(n, "~"));
    if (n->kind != SL_YAML_SCALAR || null)
        return wrong(f, n, k->key, "a string");
    if (k->max && ((double)n->text.n < k->min || (double)n->text.n > k->max))
        return sl_err_set(f->err, SL_E_DATA, "%s:%d:%d: %s: a string of %zu bytes (%g to %g)",
                          NODE_AT(f, n), k->key, n->text.n, k->min, k->max);
    return SL_OK;
}

static enum sl_status fill_string(struct filler *f, const struct sl_yaml_node *n,
                                  const struct sl_yaml_key *k, void *conf)
{
    SL_TRY(take_string(f, n, k));
    if (memchr(n->text.p, 0, n->text.n))
        return wrong(f, n, k->key, "a string without NUL");
    *(const char **)member(conf, k) = n->text.p;
    return SL_OK;
}

static enum sl_status fill_strings(struct filler *f, const struct sl_yaml_node *n,
                                   const struct sl_yaml_key *k, void *conf)
{
    struct sl_yaml_strs *out = member(conf, k);
    size_t i = 0;
    if (n->kind != SL_YAML_SEQ)
        return wrong(f, n, k->key, "a list of strings");
    struct sl_str *v = sl_arena_zeros(f->arena, n->n + 1, sizeof *v);
    if (!v)
        return sl_err_nomem(f->err, n->n * sizeof *v);
    for (const struct sl_yaml_node *c = n->first; c; c = c->next) {
        SL_TRY(take_string(f, c, k));
        v[i++] = c->text;
    }
    *out = (struct sl_yaml_strs){ n->n, v };
    return SL_OK;
}

static enum sl_status fill_items(struct filler *f, const struct sl_yaml_node *n,
                                 const struct sl_yaml_key *k, void *conf)
{
    struct sl_yaml_items *out = member(conf, k);
    bool named = k->type == SL_YAML_NAMED;
    size_t count = named ? n->n / 2 : n->n, i = 0;
    if (n->kind != (named ? SL_YAML_MAP : SL_YAML_SEQ))
        return wrong(f, n, k->key, named ? "a mapping of names" : "a list");
    const char **names = sl_arena_zeros(f->arena, count + 1, sizeof *names);
    char *items = sl_arena_zeros(f->arena, count + 1, k->size);
    if (!names || !items)
        return sl_err_nomem(f->err, count * k->size);
    for (const struct sl_yaml_node *c = n->first; c; c = c->next, i++) {
        if (named) {
            names[i] = c->text.p;
            c = c->next;
        }
        SL_TRY(fill_map(f, c, k->keys, items + i * k->size));
    }
    *out = (struct sl_yaml_items){ count, named ? names : NULL, items };
    return SL_OK;
}

static enum sl_status unknown(struct filler *f, const struct sl_yaml_node *n, const char *what,
                              const char *const *names)
{
    const char *near = sl_str_nearest(n->text, names);
    return sl_err_set(f->err, SL_E_DATA, "%s:%d:%d: unknown %s '%.*s'%s%s%s", NODE_AT(f, n), what,
                      sl_yaml_shown(n->text), n->text.p, near ? " (did you mean '" : "",
                      near ? near : "", near ? "'?)" : "");
}

static int find_pick(const struct sl_yaml_pick *picks, struct sl_str name)
{
    for (int i = 0; picks[i].name; i++)
        if (sl_str_eq(name, sl_str_of(picks[i].name)))
            return i;
    return -1;
}

static enum sl_status unknown_pick(struct filler *f, const struct sl_yaml_node *n,
                                   const struct sl_yaml_pick *picks)
{
    const char *names[MAX_NAMES + 1] = { NULL };
    for (int i = 0; i < MAX_NAMES && picks[i].name; i++)
        names[i] = picks[i].name;
    return unknown(f, n, "name", names);
}

static enum sl_status fill_picks(struct filler *f, const struct sl_yaml_node *n,
                                 const struct sl_yaml_key *k, void *conf)
{
    struct sl_yaml_picked *out = member(conf, k);
    size_t i = 0;
    if (n->kind != SL_YAML_MAP)
        return wrong(f, n, k->key, "a mapping of names");
    int *picks = sl_arena_zeros(f->arena, n->n + 1, sizeof *picks);
    void **confs = sl_arena_zeros(f->arena, n->n + 1, sizeof *confs);
    if (!picks || !confs)
        return sl_err_nomem(f->err, n->n * sizeof *confs);
    for (const struct sl_yaml_node *c = n->first; c; c = c->next->next, i++) {
        picks[i] = find_pick(k->picks, c->text);
        if (picks[i] < 0)
            return unknown_pick(f, c, k->picks);
        const struct sl_yaml_pick *p = &k->picks[picks[i]];
        confs[i] = sl_arena_zeros(f->arena, 1, p->size);
        if (!confs[i])
            return sl_err_nomem(f->err, p->size);
        SL_TRY(fill_map(f, c->next, p->keys, confs[i]));
    }
    *out = (struct sl_yaml_picked){ i, picks, confs };
    return SL_OK;
}

static enum sl_status fill_value(struct filler *f, const struct sl_yaml_node *n,
                                 const struct sl_yaml_key *k, void *conf)
{
    switch (k->type) {
    case SL_YAML_BOOL:
        if (!is_plain(n, "true") && !is_plain(n, "false"))
            return wrong(f, n, k->key, "true or false");
        *(bool *)member(conf, k) = is_plain(n, "true");
        return SL_OK;
    case SL_YAML_UINT:
    case SL_YAML_INT:
    case SL_YAML_REAL:
        return fill_number(f, n, k, conf);
    case SL_YAML_STR:
        return fill_string(f, n, k, conf);
    case SL_YAML_STRS:
        return fill_strings(f, n, k, conf);
    case SL_YAML_STRUCT:
        return fill_map(f, n, k->keys, member(conf, k));
    case SL_YAML_LIST:
    case SL_YAML_NAMED:
        return fill_items(f, n, k, conf);
    case SL_YAML_PICKS:
        return fill_picks(f, n, k, conf);
    }
    return sl_err_set(f->err, SL_E_BUG, "key '%s' has no type", k->key);
}

static enum sl_status fill_defaults(struct filler *f, const struct sl_yaml_key *keys, void *conf)
{
    for (const struct sl_yaml_key *k = keys; k->key; k++) {
        struct filler inner = { "default", f->arena, NULL };
        struct sl_yaml_node *n;
        if (k->type == SL_YAML_STRUCT)
            SL_TRY(fill_defaults(f, k->keys, member(conf, k)));
        if (!k->def)
            continue;
        enum sl_status st = sl_yaml_tree(&n, sl_str_of(k->def), "default", f->arena, NULL);
        if (st == SL_OK)
            st = fill_value(&inner, n, k, conf);
        if (st == SL_E_SYSTEM)
            return sl_err_nomem(f->err, sizeof *n);
        if (st != SL_OK)
            return sl_err_set(f->err, SL_E_BUG, "key '%s' has a bad default '%s'", k->key, k->def);
    }
    return SL_OK;
}

static enum sl_status fill_given(struct filler *f, const struct sl_yaml_node *map,
                                 const struct sl_yaml_key *keys, void *conf, uint64_t *given)
{
    const char *names[MAX_KEYS + 1] = { NULL };
    for (int i = 0; keys[i].key; i++) {
        if (i == MAX_KEYS)
            return sl_err_set(f->err, SL_E_BUG, "a table has more than %d keys", MAX_KEYS);
        names[i] = keys[i].key;
    }
    for (const struct sl_yaml_node *c = map->first; c; c = c->next->next) {
        int i = 0;
        while (keys[i].key && !sl_str_eq(c->text, sl_str_of(keys[i].key)))
            i++;
        if (!keys[i].key)
            return unknown(f, c, "key", names);
        *given |= (uint64_t)1 << i;
        SL_TRY(fill_value(f, c->next, &keys[i], conf));
    }
    return SL_OK;
}

static enum sl_status fill_map(struct filler *f, const struct sl_yaml_node *map,
                               const struct sl_yaml_key *keys, void *conf)
{
    uint64_t given = 0;
    if (map->kind == SL_YAML_SCALAR && map->plain && !map->text.n)
        return sl_err_set(f->err, SL_E_DATA, "%s:%d:%d: no value; {} stands for all defaults",
                          NODE_AT(f, map));
    if (map->kind != SL_YAML_MAP)
        return sl_err_set(f->err, SL_E_DATA, "%s:%d:%d: expected a mapping (key: value), not a %s",
                          NODE_AT(f, map), map->kind == SL_YAML_SEQ ? "list" : "single value");
    SL_TRY(fill_defaults(f, keys, conf));
    SL_TRY(fill_given(f, map, keys, conf, &given));
    for (int i = 0; keys[i].key; i++)
        if ((keys[i].flags & SL_YAML_REQUIRED) && !(given >> i & 1))
            return sl_err_set(f->err, SL_E_DATA, "%s:%d:%d: key '%s' is missing", NODE_AT(f, map),
                              keys[i].key);
    return SL_OK;
}

enum sl_status sl_yaml_read(struct sl_str text, const char *name, const struct sl_yaml_key *keys,
                            void *conf, struct sl_arena *arena, struct sl_err *err)
{
    struct filler f = { name, arena, err };
    struct sl_yaml_node *root;
    SL_TRY(sl_yaml_tree(&root, text, name, arena, err));
    return fill_map(&f, root, keys, conf);
}

enum sl_status sl_yaml_defaults(const struct sl_yaml_key *keys, void *conf, struct sl_arena *arena,
                                struct sl_err *err)
{
    struct filler f = { "default", arena, err };
    return fill_defaults(&f, keys, conf);
}
