/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what lib/order and lib/base/math compute, for a second implementation to compare.
 *
 * Usage  orders_dump < COMMANDS
 * One command a line, its words parted by blanks; one line of output each. Doubles go in and out in
 * hexadecimal. PACING is NAME START MAX FROM TO.
 *   log X | log2 X | exp X | pow X Y
 *   pacing PACING N                       values at 0/N .. N/N
 *   order NAME N SEED HARD SAME LAYERS PARTS RADIUS FIRST LAST WINDOW
 *   pool N DRAWS PACING BACKGROUND SEED   rank, or rank with * for the background
 *   divide TOTAL W... | units TOTAL W... | alpha TOTAL ALPHA SIZE... | unimax BUDGET EPOCHS SIZE...
 *   sources K                             begins a schedule
 *   still N SHARE... | moving N PACING FROM... TO...   a segment; prints nothing
 *   targets T...                          for each T those of all sources, in hexadecimal
 *   lasts SOURCE UNITS
 *   assign                                the sources, position by position
 * Exits with 1 where a command is refused. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "order/assign.h"
#include "order/permute.h"
#include "order/pool.h"

enum { MAX_WORDS = 8192 };

struct line {
    char *words[MAX_WORDS];
    int n, at;
};

static struct sl_schedule *schedule;

static void must(enum sl_status status, const struct sl_err *err)
{
    if (status == SL_OK)
        return;
    fprintf(stderr, "refused: %s\n", err->msg);
    exit(1);
}

static const char *word(struct line *l)
{
    if (l->at < l->n)
        return l->words[l->at++];
    fprintf(stderr, "a word is missing\n");
    exit(1);
}

static double number(struct line *l)
{
    return strtod(word(l), NULL);
}

static uint64_t whole(struct line *l)
{
    return strtoull(word(l), NULL, 10);
}

static struct sl_pacing pacing(struct line *l)
{
    struct sl_err err = SL_ERR_INIT;
    struct sl_pacing p = SL_PACING_INIT;
    must(sl_pacing_parse(sl_str_of(word(l)), &p.kind, &err), &err);
    p.start = number(l);
    p.max = number(l);
    p.from = number(l);
    p.to = number(l);
    must(sl_pacing_check(&p, &err), &err);
    return p;
}

static void do_number(struct line *l, const char *what)
{
    double x = number(l);
    printf("%a", !strcmp(what, "log")    ? sl_log(x)
                 : !strcmp(what, "log2") ? sl_log2(x)
                 : !strcmp(what, "exp")  ? sl_exp(x)
                                         : sl_pow(x, number(l)));
}

static void do_pacing(struct line *l)
{
    struct sl_pacing p = pacing(l);
    uint64_t n = whole(l);
    for (uint64_t t = 0; t <= n; t++)
        printf("%a ", sl_pacing_at(&p, (double)t / (double)n));
}

static void do_order(struct line *l)
{
    struct sl_err err = SL_ERR_INIT;
    struct sl_permute_conf c = { .kind = SL_PERMUTE_SORT };
    struct sl_permute o;
    must(sl_permute_parse(sl_str_of(word(l)), &c.kind, &err), &err);
    c.n = whole(l);
    c.seed = whole(l);
    c.hard_first = whole(l);
    c.same_end = whole(l);
    c.layers = whole(l);
    c.parts = whole(l);
    c.radius = number(l);
    c.first = number(l);
    c.last = number(l);
    c.window = whole(l);
    must(sl_permute_init(&o, &c, &err), &err);
    for (uint64_t p = 0; p < c.n; p++)
        printf("%" PRIu64 " ", sl_permute_rank(&o, p));
}

static void do_pool(struct line *l)
{
    struct sl_err err = SL_ERR_INIT;
    struct sl_pool_conf c = { .n_items = whole(l) };
    struct sl_pool *p;
    c.n_draws = whole(l);
    c.pacing = pacing(l);
    c.background = number(l);
    c.seed = whole(l);
    must(sl_pool_new(&p, &c, &err), &err);
    uint64_t rank;
    bool all;
    while (sl_pool_next(p, &rank, &all))
        printf("%" PRIu64 "%s ", rank, all ? "*" : "");
    sl_pool_free(p);
}

static void print_all(const uint64_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%" PRIu64 " ", v[i]);
}

static void do_shares(struct line *l, const char *what)
{
    struct sl_err err = SL_ERR_INIT;
    static double weights[MAX_WORDS];
    static uint64_t sizes[MAX_WORDS], out[MAX_WORDS];
    uint64_t total = whole(l);
    bool by_number = !strcmp(what, "divide");
    double extra = what[0] == 'a' || !strcmp(what, "unimax") ? number(l) : 0;
    size_t n = 0;
    for (; l->at < l->n; n++)
        if (by_number)
            weights[n] = number(l);
        else
            sizes[n] = whole(l);
    must(by_number                ? sl_shares_divide(weights, n, total, out, &err)
         : what[0] == 'a'         ? sl_shares_alpha(sizes, n, extra, total, out, &err)
         : !strcmp(what, "units") ? sl_shares_divide_units(sizes, n, total, out, &err)
                                  : sl_shares_unimax(sizes, n, total, extra, out, &err),
         &err);
    print_all(out, n);
}

static void do_segment(struct line *l, bool moving)
{
    struct sl_err err = SL_ERR_INIT;
    static uint64_t from[MAX_WORDS], to[MAX_WORDS];
    uint64_t n = whole(l);
    size_t k = sl_schedule_n_sources(schedule);
    struct sl_pacing p = SL_PACING_INIT;
    if (moving)
        p = pacing(l);
    for (size_t i = 0; i < k; i++)
        from[i] = whole(l);
    for (size_t i = 0; moving && i < k; i++)
        to[i] = whole(l);
    must(sl_schedule_add(schedule, n, from, moving ? to : NULL, &p, &err), &err);
}

static void do_targets(struct line *l)
{
    while (l->at < l->n) {
        uint64_t t = whole(l);
        for (size_t i = 0; i < sl_schedule_n_sources(schedule); i++) {
            unsigned __int128 v = sl_schedule_target(schedule, i, t);
            printf("%" PRIx64 "%016" PRIx64 " ", (uint64_t)(v >> 64), (uint64_t)v);
        }
    }
}

static void do_assign(void)
{
    struct sl_err err = SL_ERR_INIT;
    struct sl_assign *a;
    uint32_t who;
    must(sl_assign_new(&a, schedule, &err), &err);
    while (sl_assign_next(a, &who))
        printf("%" PRIu32 " ", who);
    sl_assign_free(a);
}

static void do_schedule(struct line *l, const char *what)
{
    struct sl_err err = SL_ERR_INIT;
    if (!strcmp(what, "sources")) {
        sl_schedule_free(schedule);
        schedule = NULL;
        must(sl_schedule_new(&schedule, whole(l), &err), &err);
    } else if (!schedule) {
        fprintf(stderr, "no schedule was begun\n");
        exit(1);
    } else if (!strcmp(what, "still") || !strcmp(what, "moving")) {
        do_segment(l, what[0] == 'm');
    } else if (!strcmp(what, "targets")) {
        do_targets(l);
    } else if (!strcmp(what, "lasts")) {
        uint64_t source = whole(l);
        printf("%" PRIu64, sl_schedule_lasts(schedule, source, whole(l)));
    } else if (!strcmp(what, "assign")) {
        do_assign();
    } else {
        fprintf(stderr, "no such command: %s\n", what);
        exit(1);
    }
}

static bool is_one_of(const char *what, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(what, *names))
            return true;
    return false;
}

static void run(struct line *l)
{
    static const char *const numbers[] = { "log", "log2", "exp", "pow", NULL };
    static const char *const shares[] = { "divide", "units", "alpha", "unimax", NULL };
    const char *what = word(l);
    if (is_one_of(what, numbers))
        do_number(l, what);
    else if (is_one_of(what, shares))
        do_shares(l, what);
    else if (!strcmp(what, "pacing"))
        do_pacing(l);
    else if (!strcmp(what, "order"))
        do_order(l);
    else if (!strcmp(what, "pool"))
        do_pool(l);
    else
        do_schedule(l, what);
    putchar('\n');
}

int main(void)
{
    static struct line l;
    char *text = NULL, *rest = NULL;
    size_t cap = 0;
    while (getline(&text, &cap, stdin) >= 0) {
        l.n = l.at = 0;
        for (char *w = strtok_r(text, " \n", &rest); w && l.n < MAX_WORDS;
             w = strtok_r(NULL, " \n", &rest))
            l.words[l.n++] = w;
        if (l.n)
            run(&l);
    }
    free(text);
    sl_schedule_free(schedule);
    return ferror(stdin) || fflush(stdout) ? 1 : 0;
}
