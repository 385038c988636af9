/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a mix's command line. Lists are cut at commas, items at the first '='; by name
 * and by place are not mixed in one list, since a reader could not tell what "0.7,old=0.1,0.2"
 * gives to whom. */
#include "order/mix_parts.h"

#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/num.h"

enum { WORD_SHOWN = 64 };

static const char *const when_empty_names[] = { [SL_MIX_ERROR] = "error",
                                                [SL_MIX_STOP] = "stop",
                                                [SL_MIX_REDISTRIBUTE] = "redistribute",
                                                [SL_MIX_REPEAT] = "repeat",
                                                NULL };

const char *sl_mix_when_empty_name(enum sl_mix_when_empty w)
{
    return when_empty_names[w];
}

/* A word cut to what a message has room for. */
static int shown(struct sl_str s)
{
    return (int)(s.n < WORD_SHOWN ? s.n : WORD_SHOWN);
}

/* ---- operands ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(struct sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool digit = (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!is_letter(c) && !(i && digit))
            return false;
    }
    return s.n > 0;
}

/* The name before the first '='; n is 0 where there is none. */
static struct sl_str name_of(const char *operand)
{
    struct sl_str s = sl_str_of(operand);
    size_t at = sl_str_find(s, 0, '=');
    struct sl_str name = { s.p, at };
    return at < s.n && is_name(name) ? name : SL_STR("");
}

static enum sl_status shown_as(struct sl_mix_parts *p, size_t i, const char *path,
                               struct sl_err *err)
{
    struct sl_buf text;
    sl_buf_init(&text, 1 << 16);
    enum sl_status st =
        p->names[i]
            ? sl_buf_addf(&text, err, "source '%s'", p->names[i])
            : sl_buf_addf(&text, err, "'%s'", strcmp(path, "-") == 0 ? "(standard input)" : path);
    if (st == SL_OK && !(p->shown[i] = sl_arena_str(&p->arena, sl_buf_str(&text))))
        st = sl_err_nomem(err, text.n);
    sl_buf_release(&text);
    return st;
}

/* The files of a named source; a comma may stand behind the last one. */
static enum sl_status add_files(struct sl_mix_parts *p, size_t i, struct sl_str list,
                                struct sl_err *err)
{
    for (size_t from = 0; from < list.n;) {
        size_t to = sl_str_find(list, from, ',');
        struct sl_str file = { list.p + from, to - from };
        if (!file.n)
            return sl_err_set(err, SL_E_USAGE, "source '%s': an empty file name", p->names[i]);
        const char *copy = sl_arena_str(&p->arena, file);
        if (!copy)
            return sl_err_nomem(err, file.n);
        p->paths[p->n_paths++] = copy;
        p->n_files[i]++;
        from = to + 1;
    }
    return p->n_files[i] ? SL_OK
                         : sl_err_set(err, SL_E_USAGE, "source '%s' has no file", p->names[i]);
}

static enum sl_status add_operand(struct sl_mix_parts *p, size_t i, const char *operand,
                                  struct sl_err *err)
{
    struct sl_str name = name_of(operand);
    if (!name.n) {
        p->paths[p->n_paths++] = operand;
        p->n_files[i] = 1;
        return shown_as(p, i, operand, err);
    }
    p->names[i] = sl_arena_str(&p->arena, name);
    if (!p->names[i])
        return sl_err_nomem(err, name.n);
    p->has_names = true;
    struct sl_str files = sl_str_of(operand + name.n + 1);
    SL_TRY(add_files(p, i, files, err));
    return shown_as(p, i, "", err);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum sl_status check_names(const struct sl_mix_parts *p, struct sl_err *err)
{
    const char **sorted = malloc((p->n + 1) * sizeof *sorted);
    size_t n = 0;
    enum sl_status st = SL_OK;
    if (!sorted)
        return sl_err_nomem(err, p->n * sizeof *sorted);
    for (size_t i = 0; i < p->n; i++)
        if (p->names[i])
            sorted[n++] = p->names[i];
    qsort(sorted, n, sizeof *sorted, by_text);
    for (size_t i = 1; i < n && st == SL_OK; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            st = sl_err_set(err, SL_E_USAGE,
                            "source '%s' stands there twice: its files go behind one name, cut "
                            "by commas",
                            sorted[i]);
    free(sorted);
    return st;
}

static size_t count_files(const char *const *operands, size_t n)
{
    size_t files = n;
    for (size_t i = 0; i < n; i++)
        for (const char *c = operands[i]; *c; c++)
            files += *c == ',';
    return files;
}

static enum sl_status read_operands(struct sl_mix_parts *p, const char *const *operands,
                                    struct sl_err *err)
{
    if (p->n > SL_SHARE_MAX_SOURCES)
        return sl_err_set(err, SL_E_USAGE, "more than %d sources", SL_SHARE_MAX_SOURCES);
    size_t files = count_files(operands, p->n);
    p->names = sl_arena_zeros(&p->arena, p->n, sizeof *p->names);
    p->shown = sl_arena_zeros(&p->arena, p->n, sizeof *p->shown);
    p->n_files = sl_arena_zeros(&p->arena, p->n, sizeof *p->n_files);
    p->paths = sl_arena_zeros(&p->arena, files, sizeof *p->paths);
    p->parts = sl_arena_zeros(&p->arena, p->n, sizeof *p->parts);
    p->given = sl_arena_zeros(&p->arena, p->n, sizeof *p->given);
    p->when_empty = sl_arena_zeros(&p->arena, p->n, sizeof *p->when_empty);
    if (!p->names || !p->shown || !p->n_files || !p->paths || !p->parts || !p->given ||
        !p->when_empty)
        return sl_err_nomem(err, files * sizeof *p->paths);
    for (size_t i = 0; i < p->n; i++)
        SL_TRY(add_operand(p, i, operands[i], err));
    return check_names(p, err);
}

/* ---- lists ---- */

/* One list of an option. */
struct list {
    struct sl_mix_parts *p;
    const char *option;
    bool percents;
    struct sl_err *err;
};

/* The source of that name, with which an option's item begins. */
static enum sl_status find_source(const struct list *l, struct sl_str name, size_t *out)
{
    const struct sl_mix_parts *p = l->p;
    for (size_t i = 0; i < p->n; i++)
        if (p->names[i] && sl_str_eq(sl_str_of(p->names[i]), name)) {
            *out = i;
            return SL_OK;
        }
    const char **all = malloc((p->n + 1) * sizeof *all);
    size_t n = 0;
    if (!all)
        return sl_err_nomem(l->err, p->n * sizeof *all);
    for (size_t i = 0; i < p->n; i++)
        if (p->names[i])
            all[n++] = p->names[i];
    all[n] = NULL;
    const char *near = sl_str_nearest(name, all);
    enum sl_status st =
        near ? sl_err_set(l->err, SL_E_USAGE, "%s: no source '%.*s'; did you mean '%s'?", l->option,
                          shown(name), name.p, near)
             : sl_err_set(l->err, SL_E_USAGE, "%s: no source '%.*s'%s", l->option, shown(name),
                          name.p, n ? "" : "; an operand NAME=FILE gives a name");
    free(all);
    return st;
}

static enum sl_status set_part(const struct list *l, size_t i, struct sl_str value)
{
    struct sl_str number = value;
    bool percent = l->percents && value.n && value.p[value.n - 1] == '%';
    double v;
    number.n -= percent;
    if (!sl_parse_f64(number, &v) || v < 0)
        return sl_err_set(l->err, SL_E_USAGE, "%s: '%.*s' is no part of an input", l->option,
                          shown(value), value.p);
    if (l->p->given[i])
        return sl_err_set(l->err, SL_E_USAGE, "%s: %s has two parts", l->option, l->p->shown[i]);
    l->p->given[i] = true;
    l->p->parts[i] = percent ? v / 100 : v;
    return SL_OK;
}

static enum sl_status count_parts(const struct list *l, size_t n)
{
    if (n == l->p->n)
        return SL_OK;
    return sl_err_set(l->err, SL_E_USAGE, "%zu parts for %zu inputs: one for each is needed", n,
                      l->p->n);
}

static enum sl_status read_parts(const struct list *l, const char *text)
{
    struct sl_str all = sl_str_of(text);
    bool by_name = sl_str_find(all, 0, '=') < all.n;
    size_t n = 0;
    for (size_t from = 0; from <= all.n; n++) {
        size_t to = sl_str_find(all, from, ','), i = n;
        struct sl_str item = { all.p + from, to - from };
        size_t eq = sl_str_find(item, 0, '=');
        if (by_name && eq == item.n)
            return sl_err_set(l->err, SL_E_USAGE,
                              "%s: '%.*s' has no name, as others of the list have", l->option,
                              shown(item), item.p);
        if (by_name)
            SL_TRY(find_source(l, (struct sl_str){ item.p, eq }, &i));
        else if (n >= l->p->n)
            return count_parts(l, n + 1);
        struct sl_str value = item;
        if (by_name)
            value = (struct sl_str){ item.p + eq + 1, item.n - eq - 1 };
        SL_TRY(set_part(l, i, value));
        from = to + 1;
    }
    return by_name ? SL_OK : count_parts(l, n);
}

/* ---- parts ---- */

static enum sl_status none_missing(const struct list *l)
{
    for (size_t i = 0; i < l->p->n; i++)
        if (!l->p->given[i])
            return sl_err_set(l->err, SL_E_USAGE, "%s: %s has no part (0 leaves it out)", l->option,
                              l->p->shown[i]);
    return SL_OK;
}

static double sum_of(const struct sl_mix_parts *p)
{
    double sum = 0;
    for (size_t i = 0; i < p->n; i++)
        sum += p->parts[i];
    return sum;
}

static enum sl_status read_number(const char *option, const char *text, double *out,
                                  struct sl_err *err)
{
    if (!sl_parse_f64(sl_str_of(text), out) || *out < 0)
        return sl_err_set(err, SL_E_USAGE, "%s: '%.64s' is no number from 0 on", option, text);
    return SL_OK;
}

/* --of names the sources without a share, and all of them. */
static enum sl_status check_of(struct sl_mix_parts *p, const char *of, struct sl_err *err)
{
    struct list l = { .p = p, .option = "--of", .err = err };
    struct sl_str all = sl_str_of(of);
    bool *named = calloc(p->n, sizeof *named);
    if (!named)
        return sl_err_nomem(err, p->n);
    enum sl_status st = SL_OK;
    for (size_t from = 0; from <= all.n && st == SL_OK;) {
        size_t to = sl_str_find(all, from, ','), i = 0;
        st = find_source(&l, (struct sl_str){ all.p + from, to - from }, &i);
        if (st == SL_OK && p->given[i])
            st = sl_err_set(err, SL_E_USAGE, "--of: %s has a share in --shares", p->shown[i]);
        if (st == SL_OK)
            named[i] = true;
        from = to + 1;
    }
    for (size_t i = 0; st == SL_OK && i < p->n; i++)
        if (!named[i] && !p->given[i])
            st = sl_err_set(err, SL_E_USAGE, "%s has no part: neither --shares nor --of has it",
                            p->shown[i]);
    free(named);
    return st;
}

static enum sl_status read_alpha(struct sl_mix_parts *p, const struct sl_mix_options *o,
                                 struct sl_err *err)
{
    size_t n_given = 0;
    SL_TRY(read_number("--alpha", o->alpha, &p->alpha, err));
    if (p->alpha > 8)
        return sl_err_set(err, SL_E_USAGE, "--alpha: %g is more than 8", p->alpha);
    if (o->of)
        SL_TRY(check_of(p, o->of, err));
    for (size_t i = 0; i < p->n; i++)
        n_given += p->given[i];
    if (n_given == p->n)
        return sl_err_set(err, SL_E_USAGE, "--alpha: every source has a share");
    double sum = sum_of(p);
    if (sum >= 1)
        return sl_err_set(err, SL_E_USAGE, "--shares sum to %.10g: --alpha has nothing to divide",
                          sum);
    return SL_OK;
}

static enum sl_status read_unimax(struct sl_mix_parts *p, const struct sl_mix_options *o,
                                  struct sl_err *err)
{
    SL_TRY(read_number("--unimax", o->unimax, &p->epochs, err));
    if (!(p->epochs > 0 && p->epochs <= 0x1p20))
        return sl_err_set(err, SL_E_USAGE, "--unimax: the epochs are above 0, at most 2^20");
    return o->rows ? SL_OK
                   : sl_err_set(err, SL_E_USAGE,
                                "--unimax divides the rows of -n, which is "
                                "missing");
}

static enum sl_status choose(struct sl_mix_parts *p, const struct sl_mix_options *o,
                             struct sl_err *err)
{
    p->how = o->alpha     ? SL_MIX_ALPHA
             : o->unimax  ? SL_MIX_UNIMAX
             : o->shares  ? SL_MIX_SHARES
             : o->weights ? SL_MIX_WEIGHTS
                          : SL_MIX_EQUAL;
    if (o->shares && o->weights)
        return sl_err_set(err, SL_E_USAGE, "--shares and --weights exclude each other");
    if (o->alpha && (o->unimax || o->weights))
        return sl_err_set(err, SL_E_USAGE, "--alpha and %s exclude each other",
                          o->unimax ? "--unimax" : "--weights");
    if (o->unimax && (o->shares || o->weights))
        return sl_err_set(err, SL_E_USAGE, "--unimax and %s exclude each other",
                          o->shares ? "--shares" : "--weights");
    if (o->alpha && o->shares && sl_str_find(sl_str_of(o->shares), 0, '=') == strlen(o->shares))
        return sl_err_set(err, SL_E_USAGE,
                          "--shares beside --alpha are by name: the sources "
                          "without one divide the rest by size");
    if (o->of && !o->alpha)
        return sl_err_set(err, SL_E_USAGE,
                          "--of says what --alpha divides among, which is missing");
    return SL_OK;
}

static enum sl_status read_how(struct sl_mix_parts *p, const struct sl_mix_options *o,
                               struct sl_err *err)
{
    struct list l = { p, o->shares ? "--shares" : "--weights", o->shares != NULL, err };
    SL_TRY(choose(p, o, err));
    if (o->shares || o->weights)
        SL_TRY(read_parts(&l, o->shares ? o->shares : o->weights));
    if (p->how == SL_MIX_ALPHA)
        return read_alpha(p, o, err);
    if (p->how == SL_MIX_UNIMAX)
        return read_unimax(p, o, err);
    for (size_t i = 0; p->how == SL_MIX_EQUAL && i < p->n; i++)
        p->parts[i] = 1;
    if (p->how == SL_MIX_EQUAL)
        return SL_OK;
    SL_TRY(none_missing(&l));
    double sum = sum_of(p);
    if (p->how == SL_MIX_SHARES && fabs(sum - 1) > 1e-9)
        return sl_err_set(err, SL_E_USAGE,
                          "--shares sum to %.10g, not to 1 (--weights takes any proportions)", sum);
    return sum > 0 ? SL_OK : sl_err_set(err, SL_E_USAGE, "--weights are all 0");
}

/* ---- where a source ends ---- */

static enum sl_status find_word(const struct list *l, struct sl_str word,
                                enum sl_mix_when_empty *out)
{
    for (int i = 0; when_empty_names[i]; i++)
        if (sl_str_eq(sl_str_of(when_empty_names[i]), word)) {
            *out = (enum sl_mix_when_empty)i;
            return SL_OK;
        }
    const char *near = sl_str_nearest(word, when_empty_names);
    return sl_err_set(l->err, SL_E_USAGE,
                      "%s: '%.*s' is none of error, stop, redistribute, repeat%s%s%s", l->option,
                      shown(word), word.p, near ? "; did you mean '" : "", near ? near : "",
                      near ? "'?" : "");
}

static enum sl_status read_when_empty(struct sl_mix_parts *p, const char *text, struct sl_err *err)
{
    struct list l = { .p = p, .option = "--when-empty", .err = err };
    struct sl_str all = sl_str_of(text);
    enum sl_mix_when_empty others = p->how == SL_MIX_UNIMAX ? SL_MIX_REPEAT : SL_MIX_ERROR;
    bool *named = sl_arena_zeros(&p->arena, p->n, sizeof *named), has_others = false;
    if (!named)
        return sl_err_nomem(err, p->n);
    for (size_t from = 0; text && from <= all.n;) {
        size_t to = sl_str_find(all, from, ','), i = 0;
        struct sl_str item = { all.p + from, to - from };
        size_t eq = sl_str_find(item, 0, '=');
        if (eq == item.n && has_others)
            return sl_err_set(err, SL_E_USAGE, "%s: two words without a name", l.option);
        if (eq == item.n) {
            has_others = true;
            SL_TRY(find_word(&l, item, &others));
        } else {
            SL_TRY(find_source(&l, (struct sl_str){ item.p, eq }, &i));
            if (named[i])
                return sl_err_set(err, SL_E_USAGE, "%s: %s stands there twice", l.option,
                                  p->shown[i]);
            named[i] = true;
            SL_TRY(find_word(&l, (struct sl_str){ item.p + eq + 1, item.n - eq - 1 },
                             &p->when_empty[i]));
        }
        from = to + 1;
    }
    for (size_t i = 0; i < p->n; i++)
        if (!named[i])
            p->when_empty[i] = others;
    return SL_OK;
}

/* ---- the whole ---- */

enum sl_status sl_mix_parts_read(struct sl_mix_parts *p, const struct sl_mix_options *options,
                                 const char *const *operands, int n_operands, struct sl_err *err)
{
    static const char *const standard_input[] = { "-" };
    *p = (struct sl_mix_parts){ .n = n_operands ? (size_t)n_operands : 1 };
    sl_arena_init(&p->arena, 0);
    SL_TRY(read_operands(p, n_operands ? operands : standard_input, err));
    SL_TRY(read_how(p, options, err));
    return read_when_empty(p, options->when_empty, err);
}

void sl_mix_parts_release(struct sl_mix_parts *p)
{
    sl_arena_release(&p->arena);
}

bool sl_mix_parts_need_sizes(const struct sl_mix_parts *p)
{
    return p->how == SL_MIX_ALPHA || p->how == SL_MIX_UNIMAX;
}

/* Given shares, rounded down; the others divide what is left. */
static enum sl_status alpha_shares(const struct sl_mix_parts *p, const uint64_t *sizes,
                                   uint64_t *shares, struct sl_err *err)
{
    uint64_t *open = malloc(p->n * sizeof *open), left = SL_SHARE_ONE, rows = 0;
    if (!open)
        return sl_err_nomem(err, p->n * sizeof *open);
    for (size_t i = 0; i < p->n; i++) {
        shares[i] = (uint64_t)floor(p->parts[i] * (double)SL_SHARE_ONE);
        left -= shares[i];
        open[i] = p->given[i] ? 0 : sizes[i];
        rows += open[i];
    }
    uint64_t *by_size = malloc(p->n * sizeof *by_size);
    enum sl_status st = by_size ? SL_OK : sl_err_nomem(err, p->n * sizeof *by_size);
    if (st == SL_OK && !rows)
        st = sl_err_set(err, SL_E_DATA, "--alpha: the sources that it divides among are empty");
    if (st == SL_OK)
        st = sl_shares_alpha(open, p->n, p->alpha, left, by_size, err);
    for (size_t i = 0; st == SL_OK && i < p->n; i++)
        shares[i] += by_size[i];
    free(by_size);
    free(open);
    return st;
}

static enum sl_status unimax_shares(const struct sl_mix_parts *p, const uint64_t *sizes,
                                    uint64_t rows, uint64_t *shares, struct sl_err *err)
{
    uint64_t *units = malloc(p->n * sizeof *units), sum = 0;
    if (!units)
        return sl_err_nomem(err, p->n * sizeof *units);
    enum sl_status st = sl_shares_unimax(sizes, p->n, rows, p->epochs, units, err);
    for (size_t i = 0; st == SL_OK && i < p->n; i++)
        sum += units[i];
    if (st == SL_OK && sum < rows)
        st = sl_err_set(err, SL_E_DATA,
                        "--unimax %g: the sources give %llu rows at most, and -n asks for %llu",
                        p->epochs, (unsigned long long)sum, (unsigned long long)rows);
    if (st == SL_OK)
        st = sl_shares_divide_units(units, p->n, SL_SHARE_ONE, shares, err);
    free(units);
    return st;
}

enum sl_status sl_mix_parts_shares(const struct sl_mix_parts *p, const uint64_t *sizes,
                                   uint64_t rows, uint64_t *shares, struct sl_err *err)
{
    if (p->how == SL_MIX_ALPHA)
        return alpha_shares(p, sizes, shares, err);
    if (p->how == SL_MIX_UNIMAX)
        return unimax_shares(p, sizes, rows, shares, err);
    return sl_shares_divide(p->parts, p->n, SL_SHARE_ONE, shares, err);
}
