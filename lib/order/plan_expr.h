/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_EXPR_H
#define SL_ORDER_PLAN_EXPR_H

/* Scores by expression: "lam*repr + (1-lam)*simp desc".
 *
 *     score    = sum ["asc" | "desc"]
 *     sum      = product { ("+" | "-") product }
 *     product  = unary { ("*" | "/") unary }
 *     unary    = "-" unary | primary
 *     primary  = number | name | `name` | "(" sum ")" | call
 *     call     = ("abs" | "log" | "exp" | "sqrt") "(" sum ")"
 *              | ("min" | "max") "(" sum "," sum ")"
 *
 * Names are columns or parameters: letters, digits, _ and points, or anything in
 * backquotes. Values are IEEE doubles, each operation is rounded once, operators of one
 * rank go from left to right; log and exp are those of base/math.h. What has a NaN in it
 * is NaN, min and max too: that stands for null.
 *
 * Bounds    SL_EXPR_MAX_* ; parsing and evaluation take time linear in the text.
 * Lifetime  the expression lives in the arena of the call.
 * Threads   const after it was parsed.
 * Source    docs/curriculum.md, "Expressions". */

#include "base/arena.h"
#include "base/status.h"
#include "order/pacing.h"

enum {
    SL_EXPR_MAX_BYTES = 4096,
    SL_EXPR_MAX_OPS = 512,
    SL_EXPR_MAX_DEPTH = 64, /* of parentheses, calls and signs, and of the stack */
    SL_EXPR_MAX_NAMES = 32
};

enum sl_expr_use {
    SL_EXPR_COLUMN,
    SL_EXPR_NUMBER, /* a parameter that stands still */
    SL_EXPR_PACING  /* a parameter that moves */
};

struct sl_expr_name {
    const char *name;
    enum sl_expr_use use; /* SL_EXPR_COLUMN after parsing; the caller knows the parameters */
    double number;
    struct sl_pacing pacing;
};

struct sl_expr_op {
    int code;
    int name; /* number of a name that is put on the stack */
    double number;
};

struct sl_expr {
    const char *text;
    bool desc;
    size_t n_ops, n_names;
    const struct sl_expr_op *ops;
    struct sl_expr_name *names; /* in the order in which they come first */
};

/* Is a score an expression, and no list of columns? It is one if + - * / ( ) or a
 * backquote stands in it. */
bool sl_expr_is(const char *by);

/* SL_E_DATA with the character (from 1) at which the text is wrong; SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_expr_parse(struct sl_expr **out, const char *text,
                                         struct sl_arena *arena, struct sl_err *err);

/* values: one a name. */
double sl_expr_eval(const struct sl_expr *e, const double *values);

/* Do parameters of it move? */
bool sl_expr_moves(const struct sl_expr *e);
/* The same text and parameters? */
bool sl_expr_eq(const struct sl_expr *a, const struct sl_expr *b);

/* A double as a number that has its order: -0 is 0, NaN is above all others. */
uint64_t sl_expr_rank_bits(double v, bool desc);

#endif
