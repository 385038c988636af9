/* SPDX-License-Identifier: Apache-2.0 */
/* The one file that knows PCRE2.
 *
 * A backtracking engine has no bound of time, so a match is first looked for in a window
 * of the text, with what PCRE2 calls hard partial matching: an answer is given only when
 * the window's end was not looked at, and is then that of the whole text. Where it was,
 * the window grows eightfold for that start alone, and its bytes are charged to a budget
 * that is in proportion to the text. Thus no start costs more than a window's bytes, or all
 * starts together more than the budget; what would cost more is an error. Steps within a
 * window are bounded by PCRE2's own count of them.
 *
 * Rejected: its limits alone, since compiled code does not count its way through a run of
 * one class, and \s+$ on a megabyte of spaces is 10^12 steps. */
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "token/split_regex.h"

enum {
    WINDOW = 1024,
    GROWTH = 8,
    STEPS_A_BYTE = 64,
    BUDGET_A_BYTE = 64,
    BUDGET_MIN = 1 << 20,
    MAX_REWRITTEN = 1 << 24,
    JIT_STACK_MIN = 1 << 15,
    JIT_STACK_MAX = 1 << 26,
    HEAP_KIB = 1 << 16
};

struct sl_regex {
    pcre2_code *code;
};

struct sl_matcher {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    uint64_t budget;
};

static enum sl_status compile(struct sl_regex *r, struct sl_str pattern, const struct sl_buf *text,
                              struct sl_err *err)
{
    int code, shown = (int)(pattern.n < 500 ? pattern.n : 500);
    PCRE2_SIZE place;
    uint32_t empty = 1;
    char why[120];
    r->code = pcre2_compile(text->p, text->n,
                            PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT, &code,
                            &place, NULL);
    if (!r->code) {
        pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
        return sl_err_set(err, SL_E_DATA, "%s, in the expression '%.*s'", why, shown, pattern.p);
    }
    if (pcre2_pattern_info(r->code, PCRE2_INFO_MATCHEMPTY, &empty) != 0 || empty)
        return sl_err_set(err, SL_E_DATA, "a match of nothing is possible by the expression '%.*s'",
                          shown, pattern.p);
    /* Without compiled code the same matches are found, slowly. */
    (void)pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD);
    return SL_OK;
}

enum sl_status sl_regex_new(struct sl_regex **out, struct sl_str pattern,
                            enum sl_regex_engine engine, struct sl_err *err)
{
    struct sl_regex *r = calloc(1, sizeof *r);
    struct sl_buf text;
    *out = NULL;
    if (!r)
        return sl_err_nomem(err, sizeof *r);
    sl_buf_init(&text, MAX_REWRITTEN);
    enum sl_status st = sl_regex_rewrite(pattern, engine, &text, err);
    if (st == SL_OK)
        st = compile(r, pattern, &text, err);
    sl_buf_release(&text);
    if (st == SL_OK)
        *out = r;
    else
        sl_regex_free(r);
    return st;
}

void sl_regex_free(struct sl_regex *r)
{
    if (r)
        pcre2_code_free(r->code);
    free(r);
}

enum sl_status sl_matcher_new(struct sl_matcher **out, struct sl_err *err)
{
    struct sl_matcher *m = calloc(1, sizeof *m);
    *out = NULL;
    if (!m)
        return sl_err_nomem(err, sizeof *m);
    m->data = pcre2_match_data_create(1, NULL);
    m->context = pcre2_match_context_create(NULL);
    m->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
    if (!m->data || !m->context) {
        sl_matcher_free(m);
        return sl_err_nomem(err, sizeof *m);
    }
    pcre2_set_heap_limit(m->context, HEAP_KIB);
    pcre2_jit_stack_assign(m->context, NULL, m->stack);
    *out = m;
    return SL_OK;
}

void sl_matcher_free(struct sl_matcher *m)
{
    if (!m)
        return;
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->context);
    pcre2_jit_stack_free(m->stack);
    free(m);
}

void sl_matcher_budget(struct sl_matcher *m, size_t text_bytes)
{
    m->budget = BUDGET_MIN + (uint64_t)text_bytes * BUDGET_A_BYTE;
}

/* The end of a window from begin on, between two code points. */
static size_t window_end(struct sl_str text, size_t begin, size_t bytes)
{
    if (bytes >= text.n - begin)
        return text.n;
    size_t end = begin + bytes;
    while (end < text.n && ((unsigned char)text.p[end] & 0xc0) == 0x80)
        end++;
    return end;
}

/* One look for a match that begins in [from, end), or, alone, at from. */
static int look(const struct sl_regex *r, struct sl_matcher *m, struct sl_str text, size_t from,
                size_t end, bool alone)
{
    uint64_t steps = (uint64_t)(end - from) * STEPS_A_BYTE + WINDOW * STEPS_A_BYTE;
    pcre2_set_match_limit(m->context, steps < UINT32_MAX ? (uint32_t)steps : UINT32_MAX);
    pcre2_set_offset_limit(m->context, alone ? from : PCRE2_UNSET);
    return pcre2_match(r->code, (PCRE2_SPTR)text.p, end, from,
                       PCRE2_NO_UTF_CHECK | (end < text.n ? PCRE2_PARTIAL_HARD : 0), m->data,
                       m->context);
}

enum sl_status sl_regex_find(const struct sl_regex *r, struct sl_matcher *m, struct sl_str text,
                             size_t from, size_t found[2], struct sl_err *err)
{
    size_t window = WINDOW;
    while (from < text.n) {
        size_t until = window_end(text, from, window);
        int got = look(r, m, text, from, until, window > WINDOW);
        const PCRE2_SIZE *place = pcre2_get_ovector_pointer(m->data);
        if (got >= 0) {
            found[0] = place[0];
            found[1] = place[1];
            return place[1] > place[0] ? SL_OK : sl_err_set(err, SL_E_BUG, "a match of nothing");
        }
        if (got == PCRE2_ERROR_NOMATCH) {
            from = window > WINDOW ? window_end(text, from, 1) : until;
            window = WINDOW;
            continue;
        }
        if (got != PCRE2_ERROR_PARTIAL)
            return sl_err_set(err, got == PCRE2_ERROR_NOMEMORY ? SL_E_SYSTEM : SL_E_DATA,
                              "the expression takes too long on this text (byte %zu of a piece)",
                              from);
        if (place[0] > from) {
            from = place[0];
            window = WINDOW;
            continue;
        }
        if (m->budget < until - from)
            return sl_err_set(err, SL_E_DATA,
                              "the expression takes too long on this text (byte %zu of a piece)",
                              from);
        m->budget -= until - from;
        window *= GROWTH;
    }
    return SL_END;
}
