/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as an expression; one that can be parsed has a value, and the same one in
 * parentheses. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "order/plan_expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static double value(const struct sl_expr *e)
{
    static const double some[] = { 0, -0.0, 1, -2.5, 1e300, 5e-324, INFINITY, -INFINITY, NAN };
    double v[SL_EXPR_MAX_NAMES];
    for (size_t i = 0; i < e->n_names; i++)
        v[i] = some[(strlen(e->names[i].name) + i) % (sizeof some / sizeof *some)];
    return sl_expr_eval(e, v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sl_arena arena;
    struct sl_expr *e, *again;
    if (n > SL_EXPR_MAX_BYTES + 10)
        return 0;
    char *text = calloc(n + 3, 1);
    if (!text)
        return 0;
    sl_arena_init(&arena, 0);
    memcpy(text, data, n);
    if (sl_expr_parse(&e, text, &arena, NULL) == SL_OK && !e->desc && !strstr(text, "asc")) {
        size_t used = strlen(text);
        memmove(text + 1, text, used);
        text[0] = '(';
        text[used + 1] = ')';
        text[used + 2] = 0;
        double a = value(e);
        if (sl_expr_parse(&again, text, &arena, NULL) == SL_OK) {
            double b = value(again);
            if (sl_expr_rank_bits(a, false) != sl_expr_rank_bits(b, false))
                abort();
        }
    }
    sl_arena_release(&arena);
    free(text);
    return 0;
}
