/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables: parsing. Own code rather than getopt_long, since the table is
 * the truth for defaults, strict numbers, --no-X, optional values and "did you
 * mean", and getopt would need a second table made from it. */
#include "run/opt.h"

#include <stdio.h>

#include "base/num.h"

bool sl_opt_is_builtin(const struct sl_opt *o, const char *value)
{
    return (o->flags & SL_OPT_BUILTIN) && !strpbrk(value, "/.") && strcmp(value, "-") != 0;
}

struct sl_str sl_opt_default(const struct sl_opt *o)
{
    struct sl_str help = sl_str_of(o->help);
    if (!help.n || help.p[help.n - 1] != ']')
        return (struct sl_str){ NULL, 0 };
    size_t at = help.n - 1;
    while (at > 0 && help.p[at] != '[')
        at--;
    return (struct sl_str){ help.p + at + 1, help.n - at - 2 };
}

struct sl_str sl_opt_about(const struct sl_opt *o)
{
    struct sl_str help = sl_str_of(o->help);
    struct sl_str dflt = sl_opt_default(o);
    if (!dflt.p)
        return help;
    return sl_str_trim((struct sl_str){ help.p, (size_t)(dflt.p - 1 - help.p) });
}

static void *member(const struct sl_opt_group *g, const struct sl_opt *o)
{
    return (char *)g->conf + o->offset;
}

static enum sl_status bad_value(const struct sl_opt *o, struct sl_str v, const char *want,
                                struct sl_err *err)
{
    return sl_err_set(err, SL_E_USAGE, "--%s: '%.*s' is not %s", o->name, (int)v.n, v.p, want);
}

static bool in_range(const struct sl_opt *o, uint64_t v)
{
    return (o->min == 0 && o->max == 0) || (v >= o->min && v <= o->max);
}

static enum sl_status set_number(const struct sl_opt *o, void *to, struct sl_str v,
                                 struct sl_err *err)
{
    uint64_t n;
    bool size = o->type == SL_OPT_T_SIZE;
    if (!(size ? sl_parse_size(v, &n) : sl_parse_u64(v, &n)))
        return bad_value(o, v, size ? "a size such as 512, 64K, 16M or 2G" : "a whole number", err);
    if (!in_range(o, n))
        return sl_err_set(err, SL_E_USAGE, "--%s: %.*s is not between %llu and %llu", o->name,
                          (int)v.n, v.p, (unsigned long long)o->min, (unsigned long long)o->max);
    memcpy(to, &n, sizeof n);
    return SL_OK;
}

static bool is_choice(const char *words, struct sl_str v)
{
    struct sl_str all = sl_str_of(words);
    for (size_t from = 0; from <= all.n;) {
        size_t to = sl_str_find(all, from, '|');
        if (sl_str_eq((struct sl_str){ all.p + from, to - from }, v))
            return true;
        from = to + 1;
    }
    return false;
}

static enum sl_status set_choice(const struct sl_opt *o, const char **to, const char *given,
                                 struct sl_str v, struct sl_err *err)
{
    if (!is_choice(o->value, v))
        return sl_err_set(err, SL_E_USAGE, "--%s: '%.*s' is not one of %s", o->name, (int)v.n, v.p,
                          o->value);
    *to = given;
    return SL_OK;
}

static enum sl_status set_value(const struct sl_opt_group *g, const struct sl_opt *o,
                                const char *given, struct sl_err *err)
{
    struct sl_str v = sl_str_of(given);
    void *to = member(g, o);
    switch (o->type) {
    case SL_OPT_T_UINT:
    case SL_OPT_T_SIZE:
        return set_number(o, to, v, err);
    case SL_OPT_T_REAL:
        if (!sl_parse_f64(v, to))
            return bad_value(o, v, "a number", err);
        return SL_OK;
    case SL_OPT_T_CHOICE:
        return set_choice(o, to, given, v, err);
    case SL_OPT_T_STR:
    case SL_OPT_T_FILE:
    case SL_OPT_T_PATH:
        if (!v.n)
            return sl_err_set(err, SL_E_USAGE, "--%s: an empty value", o->name);
        *(const char **)to = given;
        return SL_OK;
    default:
        return sl_err_set(err, SL_E_BUG, "option --%s has no type", o->name);
    }
}

enum { DEFAULT_MAX = 64 };

/* The value of a default as a C string with the life of the program: numbers
 * are parsed from a copy, words are kept once in a small static pool. */
static const char *keep_default(struct sl_str v)
{
    static char pool[4096];
    static size_t used;
    for (size_t at = 0; at < used; at += strlen(pool + at) + 1)
        if (sl_str_eq(sl_str_of(pool + at), v))
            return pool + at;
    if (v.n + 1 > sizeof pool - used)
        return NULL;
    char *p = pool + used;
    memcpy(p, v.p, v.n);
    p[v.n] = 0;
    used += v.n + 1;
    return p;
}

static enum sl_status set_default(const struct sl_opt_group *g, const struct sl_opt *o,
                                  struct sl_err *err)
{
    struct sl_str v = sl_opt_default(o);
    if (!v.p)
        return SL_OK;
    if (o->type == SL_OPT_T_BOOL) {
        *(bool *)member(g, o) = sl_str_eq(v, SL_STR("on"));
        return SL_OK;
    }
    const char *kept = keep_default(v);
    if (!kept || v.n > DEFAULT_MAX)
        return sl_err_set(err, SL_E_BUG, "--%s: the default is too long", o->name);
    return set_value(g, o, kept, err);
}

enum sl_status sl_opt_defaults(const struct sl_opt_group *groups, int n_groups, struct sl_err *err)
{
    for (int i = 0; i < n_groups; i++)
        for (const struct sl_opt *o = groups[i].options; o->type != SL_OPT_T_END; o++)
            SL_TRY(set_default(&groups[i], o, err));
    return SL_OK;
}

struct hit {
    const struct sl_opt_group *group;
    const struct sl_opt *option;
    bool negated;
};

static bool find_long(const struct sl_opt_group *groups, int n, struct sl_str name, struct hit *hit)
{
    bool no = sl_str_starts(name, SL_STR("no-"));
    struct sl_str rest = no ? (struct sl_str){ name.p + 3, name.n - 3 } : name;
    for (int i = 0; i < n; i++)
        for (const struct sl_opt *o = groups[i].options; o->type != SL_OPT_T_END; o++) {
            struct sl_str known = sl_str_of(o->name);
            if (sl_str_eq(known, name)) {
                *hit = (struct hit){ &groups[i], o, false };
                return true;
            }
            if (no && o->type == SL_OPT_T_BOOL && sl_str_eq(known, rest)) {
                *hit = (struct hit){ &groups[i], o, true };
                return true;
            }
        }
    return false;
}

static bool find_letter(const struct sl_opt_group *groups, int n, char letter, struct hit *hit)
{
    for (int i = 0; i < n; i++)
        for (const struct sl_opt *o = groups[i].options; o->type != SL_OPT_T_END; o++)
            if (o->letter == letter) {
                *hit = (struct hit){ &groups[i], o, false };
                return true;
            }
    return false;
}

enum { NAMES_MAX = 128 };

static enum sl_status unknown_long(const struct sl_opt_group *groups, int n, struct sl_str name,
                                   struct sl_err *err)
{
    const char *names[NAMES_MAX + 1];
    int n_names = 0;
    for (int i = 0; i < n; i++)
        for (const struct sl_opt *o = groups[i].options; o->type != SL_OPT_T_END; o++)
            if (n_names < NAMES_MAX)
                names[n_names++] = o->name;
    names[n_names] = NULL;
    const char *near = sl_str_nearest(name, names);
    if (near)
        return sl_err_set(err, SL_E_USAGE, "unknown option --%.*s (did you mean --%s?)",
                          (int)name.n, name.p, near);
    return sl_err_set(err, SL_E_USAGE, "unknown option --%.*s", (int)name.n, name.p);
}

struct args {
    int argc;
    char **argv;
    int at; /* the argument being parsed */
};

static enum sl_status apply(struct hit hit, const char *value, struct args *a, struct sl_err *err)
{
    const struct sl_opt *o = hit.option;
    if (o->type == SL_OPT_T_BOOL) {
        if (value)
            return sl_err_set(err, SL_E_USAGE, "--%s takes no value", o->name);
        *(bool *)member(hit.group, o) = !hit.negated;
        return SL_OK;
    }
    if (!value && (o->flags & SL_OPT_OPTIONAL)) {
        uint64_t unset = UINT64_MAX;
        memcpy(member(hit.group, o), &unset, sizeof unset);
        return SL_OK;
    }
    if (!value) {
        if (a->at + 1 >= a->argc)
            return sl_err_set(err, SL_E_USAGE, "--%s needs a value (%s)", o->name, o->value);
        value = a->argv[++a->at];
    }
    return set_value(hit.group, o, value, err);
}

static enum sl_status parse_long(const struct sl_opt_group *groups, int n, struct args *a,
                                 struct sl_err *err)
{
    const char *text = a->argv[a->at] + 2;
    const char *equals = strchr(text, '=');
    struct sl_str name = { text, equals ? (size_t)(equals - text) : strlen(text) };
    struct hit hit;
    if (!find_long(groups, n, name, &hit))
        return unknown_long(groups, n, name, err);
    return apply(hit, equals ? equals + 1 : NULL, a, err);
}

static enum sl_status parse_letters(const struct sl_opt_group *groups, int n, struct args *a,
                                    struct sl_err *err)
{
    for (const char *p = a->argv[a->at] + 1; *p; p++) {
        struct hit hit;
        if (!find_letter(groups, n, *p, &hit))
            return sl_err_set(err, SL_E_USAGE, "unknown option -%c", *p);
        bool flag = hit.option->type == SL_OPT_T_BOOL;
        const char *rest = !flag && p[1] ? p + 1 : NULL;
        SL_TRY(apply(hit, rest, a, err));
        if (!flag)
            break;
    }
    return SL_OK;
}

enum sl_status sl_opt_parse(const struct sl_opt_group *groups, int n_groups,
                            struct sl_opt_args *args, struct sl_err *err)
{
    struct args a = { args->argc, args->argv, 1 };
    bool only_operands = false;
    args->n_operands = 0;
    for (; a.at < a.argc; a.at++) {
        const char *arg = a.argv[a.at];
        if (only_operands || arg[0] != '-' || arg[1] == 0)
            args->operands[args->n_operands++] = arg;
        else if (strcmp(arg, "--") == 0)
            only_operands = true;
        else if (arg[1] == '-')
            SL_TRY(parse_long(groups, n_groups, &a, err));
        else
            SL_TRY(parse_letters(groups, n_groups, &a, err));
    }
    return SL_OK;
}

static bool has_value(const struct sl_opt_group *g, const struct sl_opt *o)
{
    uint64_t bits = 0;
    memcpy(&bits, member(g, o), o->type == SL_OPT_T_BOOL ? sizeof(bool) : sizeof bits);
    return bits != 0;
}

enum sl_status sl_opt_check_required(const struct sl_opt_group *groups, int n_groups,
                                     struct sl_err *err)
{
    for (int i = 0; i < n_groups; i++)
        for (const struct sl_opt *o = groups[i].options; o->type != SL_OPT_T_END; o++)
            if ((o->flags & SL_OPT_REQUIRED) && !has_value(&groups[i], o))
                return sl_err_set(err, SL_E_USAGE, "--%s %s must be given (%.*s)", o->name,
                                  o->value, (int)sl_opt_about(o).n, sl_opt_about(o).p);
    return SL_OK;
}
