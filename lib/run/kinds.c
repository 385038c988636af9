/* SPDX-License-Identifier: Apache-2.0 */
/* Stream kinds: the table is generated from schemas/ (one row a line there),
 * so that code, checks and reference pages cannot drift apart. */
#include "run/kinds.h"

#define KIND(name, about)                  \
    {                                      \
        name,                              \
        {                                  \
            NULL, NULL, false, NULL, about \
        }                                  \
    }
#define COLUMN(name, type, must, maker, about) \
    {                                          \
        NULL,                                  \
        {                                      \
            name, type, must, maker, about     \
        }                                      \
    }
#define KIND_END                          \
    {                                     \
        NULL,                             \
        {                                 \
            NULL, NULL, false, NULL, NULL \
        }                                 \
    }

const struct sl_kind_row sl_kind_rows[] = {
#include "kinds_table.h"
};
const int sl_n_kind_rows = (int)(sizeof sl_kind_rows / sizeof sl_kind_rows[0]);

bool sl_list_next(struct sl_str *rest, char separator, struct sl_str *word)
{
    if (!rest->n)
        return false;
    size_t to = sl_str_find(*rest, 0, separator);
    *word = (struct sl_str){ rest->p, to };
    size_t skip = to < rest->n ? to + 1 : to;
    rest->p += skip;
    rest->n -= skip;
    return true;
}

bool sl_list_has(const char *list, struct sl_str name)
{
    struct sl_str rest = sl_str_of(list), word;
    while (sl_list_next(&rest, ',', &word))
        if (sl_str_eq(word, name))
            return true;
    return false;
}

const char *sl_kind_maker(const char *column)
{
    for (int i = 0; i < sl_n_kind_rows; i++) {
        const struct sl_kind_column *c = &sl_kind_rows[i].column;
        if (!sl_kind_rows[i].kind && c->name && strcmp(c->name, column) == 0)
            return c->maker;
    }
    return NULL;
}

static enum sl_status missing(const char *column, struct sl_err *err)
{
    const char *maker = sl_kind_maker(column);
    if (maker)
        return sl_err_set(err, SL_E_DATA, "no column '%s' in the input (%s adds it)", column,
                          maker);
    return sl_err_set(err, SL_E_DATA, "no column '%s' in the input", column);
}

/* Compare type texts, where "[L]" of the pattern stands for any size. */
static bool type_fits(struct sl_str pattern, struct sl_str type)
{
    size_t i = 0, j = 0;
    while (i < pattern.n && j < type.n) {
        if (pattern.p[i] == 'L' && i && pattern.p[i - 1] == '[') {
            i++;
            while (j < type.n && type.p[j] != ']')
                j++;
        } else if (pattern.p[i++] != type.p[j++]) {
            return false;
        }
    }
    return i == pattern.n && j == type.n;
}

static bool any_type_fits(const char *patterns, struct sl_str type)
{
    struct sl_str rest = sl_str_of(patterns), one;
    while (sl_list_next(&rest, '|', &one)) {
        if (one.n && one.p[one.n - 1] == '?')
            one.n--;
        if (type_fits(one, type))
            return true;
    }
    return false;
}

static enum sl_status check_column(const struct sl_schema *s, const struct sl_kind_column *c,
                                   struct sl_err *err)
{
    int at = sl_schema_find(s, c->name);
    if (at < 0)
        return c->must ? missing(c->name, err) : SL_OK;
    struct sl_buf type;
    sl_buf_init(&type, 4096);
    enum sl_status st = sl_type_format(s->fields[at], &type, err);
    if (st == SL_OK && !any_type_fits(c->type, sl_buf_str(&type)))
        st = sl_err_set(err, SL_E_DATA, "column '%s' is %.*s, not %s", c->name, (int)type.n,
                        (const char *)type.p, c->type);
    sl_buf_release(&type);
    return st;
}

static enum sl_status check_kind_columns(const struct sl_schema *s, struct sl_err *err)
{
    bool mine = false;
    for (int i = 0; i < sl_n_kind_rows; i++) {
        const struct sl_kind_row *r = &sl_kind_rows[i];
        if (r->kind)
            mine = strcmp(r->kind, s->kind) == 0;
        else if (mine && r->column.name)
            SL_TRY(check_column(s, &r->column, err));
    }
    return SL_OK;
}

/* The tool that makes streams of the first kind of a list; NULL: unknown. */
static const char *kind_maker(const char *kinds)
{
    struct sl_str rest = sl_str_of(kinds), first;
    bool mine = false;
    if (!sl_list_next(&rest, ',', &first))
        return NULL;
    for (int i = 0; i < sl_n_kind_rows; i++) {
        const struct sl_kind_row *r = &sl_kind_rows[i];
        if (r->kind)
            mine = sl_str_eq(sl_str_of(r->kind), first);
        else if (mine && r->column.name && r->column.must)
            return r->column.maker;
    }
    return NULL;
}

static enum sl_status wrong_kind(const char *kind, const char *kinds, struct sl_err *err)
{
    const char *maker = kind_maker(kinds);
    if (!maker)
        return sl_err_set(err, SL_E_DATA, "a stream of %s, where %s are expected", kind, kinds);
    return sl_err_set(err, SL_E_DATA, "a stream of %s, where %s are expected (%s makes them)", kind,
                      kinds, maker);
}

enum sl_status sl_kind_check(const struct sl_schema *s, const char *kinds, struct sl_err *err)
{
    if (!s->kind)
        return sl_err_set(err, SL_E_DATA, "the stream does not say its kind (sl:kind)");
    if (strcmp(kinds, "*") != 0 && !sl_list_has(kinds, sl_str_of(s->kind)))
        return wrong_kind(s->kind, kinds, err);
    return check_kind_columns(s, err);
}

/* One need: a name, or alternatives of which one must be there. */
static enum sl_status check_need(const struct sl_schema *s, struct sl_str need, struct sl_err *err)
{
    struct sl_str rest = need, name;
    char first[SL_MAX_NAME_BYTES + 1] = "";
    while (sl_list_next(&rest, '|', &name)) {
        char text[SL_MAX_NAME_BYTES + 1];
        size_t n = name.n < SL_MAX_NAME_BYTES ? name.n : SL_MAX_NAME_BYTES;
        memcpy(text, name.p, n);
        text[n] = 0;
        if (sl_schema_find(s, text) >= 0)
            return SL_OK;
        if (!first[0])
            memcpy(first, text, n + 1);
    }
    return missing(first, err);
}

enum sl_status sl_kind_check_needs(const struct sl_schema *s, const char *needs, struct sl_err *err)
{
    struct sl_str rest = sl_str_of(needs), need;
    while (sl_list_next(&rest, ',', &need))
        SL_TRY(check_need(s, need, err));
    return SL_OK;
}
