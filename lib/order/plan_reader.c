/* SPDX-License-Identifier: Apache-2.0 */
/* Complaints, mappings and scalars of plans. Many values of a plan have several forms (a
 * word or a mapping, shares or a way to divide), and every later complaint needs a line,
 * so the tree of the text is read by hand rather than by tables of base/yaml.h. */
#include "order/plan_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

/* ---- complaints ---- */

enum sl_status sl_plan_bad(struct sl_plan_reader *r, const struct sl_yaml_node *n, const char *fmt,
                           ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return sl_err_set(r->err, SL_E_DATA, "%s:%d:%d: %s", r->plan->file, n->line, n->column, text);
}

int sl_plan_shown(const struct sl_yaml_node *n)
{
    return n->text.n < 60 ? (int)n->text.n : 60;
}

enum sl_status sl_plan_unknown(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                               const char *what, const char *const *names)
{
    const char *near = sl_str_nearest(n->text, names);
    return sl_plan_bad(r, n, "unknown %s '%.*s'%s%s%s", what, sl_plan_shown(n), n->text.p,
                       near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

enum sl_status sl_plan_later(struct sl_plan_reader *r, const struct sl_yaml_node *n)
{
    return sl_plan_bad(r, n, "'%.*s' is not there yet", sl_plan_shown(n), n->text.p);
}

/* ---- mappings ---- */

enum sl_status sl_plan_need_map(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                const char *what)
{
    if (n->kind == SL_YAML_MAP)
        return SL_OK;
    return sl_plan_bad(r, n, "%s: expected a mapping (key: value)", what);
}

/* mask: bit i where keys[i] was given; may be NULL. */
enum sl_status sl_plan_read_map(struct sl_plan_reader *r, const struct sl_yaml_node *map,
                                const char *what, const struct sl_plan_key *keys, void *out,
                                uint64_t *mask)
{
    const char *names[65] = { NULL };
    for (int i = 0; keys[i].name; i++)
        names[i] = keys[i].name;
    SL_TRY(sl_plan_need_map(r, map, what));
    for (const struct sl_yaml_node *k = map->first; k; k = k->next->next) {
        int i = 0;
        while (keys[i].name && !sl_str_eq(k->text, sl_str_of(keys[i].name)))
            i++;
        if (!keys[i].name)
            return sl_plan_unknown(r, k, "key", names);
        if (!keys[i].take)
            return sl_plan_later(r, k);
        if (mask)
            *mask |= UINT64_C(1) << i;
        SL_TRY(keys[i].take(r, k->next, (char *)out + keys[i].offset));
    }
    return SL_OK;
}

/* ---- scalars ---- */

enum sl_status sl_plan_take_number(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                   void *out)
{
    if (n->kind != SL_YAML_SCALAR || !n->plain || !sl_parse_f64(n->text, out))
        return sl_plan_bad(r, n, "expected a number");
    return SL_OK;
}

enum sl_status sl_plan_take_count(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *out)
{
    uint64_t v;
    if (n->kind != SL_YAML_SCALAR || !n->plain || !sl_parse_u64(n->text, &v) || v < 1 ||
        v > SL_PERMUTE_MAX)
        return sl_plan_bad(r, n, "expected a whole number of 1 or more");
    *(uint64_t *)out = v;
    return SL_OK;
}

enum sl_status sl_plan_take_seed(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *out)
{
    if (n->kind != SL_YAML_SCALAR || !n->plain || !sl_parse_u64(n->text, out))
        return sl_plan_bad(r, n, "expected a whole number");
    return SL_OK;
}

enum sl_status sl_plan_take_bool(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *out)
{
    bool yes = n->kind == SL_YAML_SCALAR && sl_str_eq(n->text, SL_STR("true"));
    if (!yes && (n->kind != SL_YAML_SCALAR || !sl_str_eq(n->text, SL_STR("false"))))
        return sl_plan_bad(r, n, "expected true or false");
    *(bool *)out = yes;
    return SL_OK;
}

enum sl_status sl_plan_take_text(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *out)
{
    if (n->kind != SL_YAML_SCALAR || !n->text.n || memchr(n->text.p, 0, n->text.n))
        return sl_plan_bad(r, n, "expected a string");
    *(const char **)out = n->text.p;
    return SL_OK;
}

/* 0.05 or 5%: a number of 0 .. 1. */
enum sl_status sl_plan_take_share(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *out)
{
    struct sl_str s = n->text;
    double v = -1;
    bool percent = n->kind == SL_YAML_SCALAR && s.n && s.p[s.n - 1] == '%';
    s.n -= percent;
    if (n->kind != SL_YAML_SCALAR || !sl_parse_f64(s, &v))
        return sl_plan_bad(r, n, "expected a share: 0.05 or 5%%");
    v = percent ? v / 100 : v;
    if (!(v >= 0 && v <= 1))
        return sl_plan_bad(r, n, "a share of %.*s is not between 0 and 1", sl_plan_shown(n),
                           n->text.p);
    *(double *)out = v;
    return SL_OK;
}

enum sl_status sl_plan_take_word(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                 const char *what, const char *const *words, int *out)
{
    if (n->kind != SL_YAML_SCALAR)
        return sl_plan_bad(r, n, "expected a word: %s", what);
    for (int i = 0; words[i]; i++)
        if (sl_str_eq(n->text, sl_str_of(words[i]))) {
            *out = i;
            return SL_OK;
        }
    return sl_plan_unknown(r, n, what, words);
}

enum sl_status sl_plan_take_pacing(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                   void *out)
{
    const char *names[SL_N_PACINGS + 1] = { NULL };
    int kind = 0;
    for (int i = 0; i < SL_N_PACINGS; i++)
        names[i] = sl_pacing_name((enum sl_pacing_kind)i);
    SL_TRY(sl_plan_take_word(r, n, "pacing", names, &kind));
    *(enum sl_pacing_kind *)out = (enum sl_pacing_kind)kind;
    return SL_OK;
}

enum sl_status sl_plan_check_pacing(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                    const struct sl_pacing *p)
{
    struct sl_err why = SL_ERR_INIT;
    return sl_pacing_check(p, &why) == SL_OK ? SL_OK : sl_plan_bad(r, n, "%.300s", why.msg);
}

void *sl_plan_get(struct sl_plan_reader *r, size_t count, size_t size, enum sl_status *st)
{
    void *p = sl_arena_zeros(&r->plan->arena, count + 1, size);
    *st = p ? SL_OK : sl_err_nomem(r->err, count * size);
    return p;
}
