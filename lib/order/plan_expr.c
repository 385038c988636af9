/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions become a list of operations for a stack, which is what is cheap to
 * evaluate for every row and again for every step of a moving parameter. The depth of
 * the stack is known after parsing, so evaluation checks nothing. Rejected: a tree, which
 * needs recursion for every value. */
#include "order/plan_expr.h"

#include <math.h>
#include <string.h>

#include "base/math.h"
#include "base/num.h"

enum {
    PUSH_NUMBER,
    PUSH_NAME,
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    NEGATE,
    LEAST,
    MOST,
    ABS,
    LOG,
    EXP,
    SQRT
};

struct parser {
    struct sl_str text;
    size_t at;
    int depth, stack, n_ops, n_names;
    struct sl_expr_op ops[SL_EXPR_MAX_OPS];
    struct sl_expr_name names[SL_EXPR_MAX_NAMES];
    struct sl_arena *arena;
    struct sl_err *err;
};

bool sl_expr_is(const char *by)
{
    return strpbrk(by, "+-*/()`") != NULL;
}

/* ---- parsing ---- */

static enum sl_status bad(const struct parser *p, const char *what)
{
    return sl_err_set(p->err, SL_E_DATA, "expression '%.*s', character %zu: %s",
                      (int)(p->text.n < 100 ? p->text.n : 100), p->text.p, p->at + 1, what);
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->text.n && strchr(" \t\r\n", p->text.p[p->at]))
        p->at++;
}

/* The next character that is no blank; 0 at the end, and for a NUL. */
static char look(struct parser *p)
{
    skip_blanks(p);
    return p->at < p->text.n ? p->text.p[p->at] : 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* pops: how many values the operation takes; it gives one. */
static enum sl_status add_op(struct parser *p, struct sl_expr_op op, int pops)
{
    if (p->n_ops == SL_EXPR_MAX_OPS)
        return bad(p, "the expression is too long");
    p->stack += 1 - pops;
    if (p->stack > SL_EXPR_MAX_DEPTH)
        return bad(p, "the expression is nested too deeply");
    p->ops[p->n_ops++] = op;
    return SL_OK;
}

static enum sl_status add_name(struct parser *p, struct sl_str name)
{
    int i = 0;
    while (i < p->n_names && !sl_str_eq(name, sl_str_of(p->names[i].name)))
        i++;
    if (i == SL_EXPR_MAX_NAMES)
        return bad(p, "more than 32 names");
    if (i == p->n_names) {
        p->names[i] = (struct sl_expr_name){ .name = sl_arena_str(p->arena, name) };
        if (!p->names[i].name)
            return sl_err_nomem(p->err, name.n);
        p->n_names++;
    }
    return add_op(p, (struct sl_expr_op){ .code = PUSH_NAME, .name = i }, 0);
}

static enum sl_status parse_number(struct parser *p)
{
    const char *s = p->text.p;
    size_t from = p->at, i = p->at, n = p->text.n;
    struct sl_expr_op op = { .code = PUSH_NUMBER };
    while (i < n && is_digit(s[i]))
        i++;
    if (i < n && s[i] == '.')
        for (i++; i < n && is_digit(s[i]);)
            i++;
    if (i < n && (s[i] == 'e' || s[i] == 'E')) {
        i += 1 + (i + 1 < n && (s[i + 1] == '+' || s[i + 1] == '-'));
        while (i < n && is_digit(s[i]))
            i++;
    }
    if (!sl_parse_f64((struct sl_str){ s + from, i - from }, &op.number))
        return bad(p, "this is no number");
    p->at = i;
    return add_op(p, op, 0);
}

static enum sl_status parse_sum(struct parser *p);

static enum sl_status expect(struct parser *p, char c, const char *what)
{
    if (look(p) != c)
        return bad(p, what);
    p->at++;
    return SL_OK;
}

/* The parenthesis is next. */
static enum sl_status parse_call(struct parser *p, struct sl_str name, size_t name_at)
{
    static const struct {
        const char *name;
        int code, n;
    } calls[] = { { "min", LEAST, 2 }, { "max", MOST, 2 }, { "abs", ABS, 1 },
                  { "log", LOG, 1 },   { "exp", EXP, 1 },  { "sqrt", SQRT, 1 } };
    size_t i = 0, n = sizeof calls / sizeof *calls;
    while (i < n && !sl_str_eq(name, sl_str_of(calls[i].name)))
        i++;
    if (i == n) {
        p->at = name_at;
        return bad(p, "no such function: there are min, max, abs, log, exp and sqrt");
    }
    p->at++;
    SL_TRY(parse_sum(p));
    if (calls[i].n == 2) {
        SL_TRY(expect(p, ',', "expected ',': the function takes two values"));
        SL_TRY(parse_sum(p));
    }
    SL_TRY(expect(p, ')', "expected ')'"));
    return add_op(p, (struct sl_expr_op){ .code = calls[i].code }, calls[i].n);
}

static enum sl_status parse_quoted(struct parser *p)
{
    size_t from = ++p->at, end = sl_str_find(p->text, from, '`');
    if (end == p->text.n || end == from)
        return bad(p, "a name in backquotes does not end, or is empty");
    p->at = end + 1;
    return add_name(p, (struct sl_str){ p->text.p + from, end - from });
}

static enum sl_status parse_primary(struct parser *p)
{
    char c = look(p);
    if (c == '(') {
        p->at++;
        SL_TRY(parse_sum(p));
        return expect(p, ')', "expected ')'");
    }
    if (c == '`')
        return parse_quoted(p);
    if (is_digit(c) || c == '.')
        return parse_number(p);
    if (!is_letter(c))
        return bad(p, "expected a number, a column, a parameter or '('");
    size_t from = p->at;
    while (p->at < p->text.n &&
           (is_letter(p->text.p[p->at]) || is_digit(p->text.p[p->at]) || p->text.p[p->at] == '.'))
        p->at++;
    struct sl_str name = { p->text.p + from, p->at - from };
    return look(p) == '(' ? parse_call(p, name, from) : add_name(p, name);
}

static enum sl_status parse_unary(struct parser *p)
{
    int signs = 0;
    for (; look(p) == '-'; p->at++)
        if (++signs > SL_EXPR_MAX_DEPTH)
            return bad(p, "the expression is nested too deeply");
    SL_TRY(parse_primary(p));
    for (; signs; signs--)
        SL_TRY(add_op(p, (struct sl_expr_op){ .code = NEGATE }, 1));
    return SL_OK;
}

static enum sl_status parse_product(struct parser *p)
{
    SL_TRY(parse_unary(p));
    for (char c; (c = look(p)) == '*' || c == '/';) {
        p->at++;
        SL_TRY(parse_unary(p));
        SL_TRY(add_op(p, (struct sl_expr_op){ .code = c == '*' ? MULTIPLY : DIVIDE }, 2));
    }
    return SL_OK;
}

static enum sl_status parse_sum(struct parser *p)
{
    if (++p->depth > SL_EXPR_MAX_DEPTH)
        return bad(p, "the expression is nested too deeply");
    SL_TRY(parse_product(p));
    for (char c; (c = look(p)) == '+' || c == '-';) {
        p->at++;
        SL_TRY(parse_product(p));
        SL_TRY(add_op(p, (struct sl_expr_op){ .code = c == '+' ? ADD : SUBTRACT }, 2));
    }
    p->depth--;
    return SL_OK;
}

static enum sl_status parse_way(struct parser *p, bool *desc)
{
    struct sl_str rest;
    skip_blanks(p);
    rest = sl_str_trim((struct sl_str){ p->text.p + p->at, p->text.n - p->at });
    *desc = sl_str_eq(rest, SL_STR("desc"));
    if (rest.n && !*desc && !sl_str_eq(rest, SL_STR("asc")))
        return bad(p, "expected an operator, 'asc', 'desc' or the end");
    return SL_OK;
}

enum sl_status sl_expr_parse(struct sl_expr **out, const char *text, struct sl_arena *arena,
                             struct sl_err *err)
{
    struct parser p = { .text = sl_str_of(text), .arena = arena, .err = err };
    *out = NULL;
    if (p.text.n > SL_EXPR_MAX_BYTES)
        return sl_err_set(err, SL_E_DATA, "an expression of %zu bytes; %d are the most", p.text.n,
                          SL_EXPR_MAX_BYTES);
    bool desc;
    SL_TRY(parse_sum(&p));
    SL_TRY(parse_way(&p, &desc));
    size_t n_ops = (size_t)p.n_ops, n_names = (size_t)p.n_names;
    struct sl_expr *e = sl_arena_zeros(arena, 1, sizeof *e);
    struct sl_expr_op *ops = sl_arena_zeros(arena, n_ops + 1, sizeof *ops);
    struct sl_expr_name *names = sl_arena_zeros(arena, n_names + 1, sizeof *names);
    const char *copy = sl_arena_str(arena, p.text);
    if (!e || !ops || !names || !copy)
        return sl_err_nomem(err, n_ops * sizeof *ops);
    memcpy(ops, p.ops, n_ops * sizeof *ops);
    memcpy(names, p.names, n_names * sizeof *names);
    *e = (struct sl_expr){ copy, desc, n_ops, n_names, ops, names };
    *out = e;
    return SL_OK;
}

/* ---- evaluation ---- */

static double apply_two(int code, double a, double b)
{
    switch (code) {
    case ADD:
        return a + b;
    case SUBTRACT:
        return a - b;
    case MULTIPLY:
        return a * b;
    case DIVIDE:
        return a / b;
    case LEAST:
        return isnan(a) || a <= b ? a : b;
    default:
        return isnan(a) || a >= b ? a : b;
    }
}

static double apply_one(int code, double a)
{
    switch (code) {
    case NEGATE:
        return -a;
    case ABS:
        return fabs(a);
    case LOG:
        return sl_log(a);
    case EXP:
        return sl_exp(a);
    default:
        return sqrt(a);
    }
}

double sl_expr_eval(const struct sl_expr *e, const double *values)
{
    double stack[SL_EXPR_MAX_DEPTH + 1];
    size_t n = 0;
    for (size_t i = 0; i < e->n_ops; i++) {
        const struct sl_expr_op *op = &e->ops[i];
        if (op->code == PUSH_NUMBER) {
            stack[n++] = op->number;
        } else if (op->code == PUSH_NAME) {
            stack[n++] = values[op->name];
        } else if (op->code < NEGATE || op->code == LEAST || op->code == MOST) {
            n--;
            stack[n - 1] = apply_two(op->code, stack[n - 1], stack[n]);
        } else {
            stack[n - 1] = apply_one(op->code, stack[n - 1]);
        }
    }
    return stack[0];
}

bool sl_expr_moves(const struct sl_expr *e)
{
    for (size_t i = 0; i < e->n_names; i++)
        if (e->names[i].use == SL_EXPR_PACING)
            return true;
    return false;
}

static bool same_pacing(const struct sl_pacing *a, const struct sl_pacing *b)
{
    return a->kind == b->kind && a->start == b->start && a->max == b->max && a->from == b->from &&
           a->to == b->to;
}

bool sl_expr_eq(const struct sl_expr *a, const struct sl_expr *b)
{
    if (strcmp(a->text, b->text) != 0)
        return false;
    for (size_t i = 0; i < a->n_names; i++) {
        const struct sl_expr_name *x = &a->names[i], *y = &b->names[i];
        if (x->use != y->use || (x->use == SL_EXPR_NUMBER && x->number != y->number) ||
            (x->use == SL_EXPR_PACING && !same_pacing(&x->pacing, &y->pacing)))
            return false;
    }
    return true;
}

uint64_t sl_expr_rank_bits(double v, bool desc)
{
    const uint64_t sign = UINT64_C(1) << 63;
    uint64_t bits;
    if (isnan(v))
        return UINT64_MAX;
    v = v == 0 ? 0 : v;
    memcpy(&bits, &v, sizeof bits);
    bits = bits & sign ? ~bits : bits | sign;
    return desc ? ~bits : bits;
}
