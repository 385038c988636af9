/* SPDX-License-Identifier: Apache-2.0 */
/* How fast orders, pools and assignments are computed.
 *
 * Usage  bench_order
 * Prints one JSON object a line: what, and millions of positions per CPU second. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/math.h"
#include "order/assign.h"
#include "order/permute.h"
#include "order/pool.h"

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void say(const char *what, uint64_t n, double seconds, uint64_t sum)
{
    printf("{\"what\":\"%s\",\"millions_per_s\":%.1f,\"sum\":%u}\n", what,
           (double)n / seconds / 1e6, (unsigned)(sum & 0xff));
    fflush(stdout);
}

static void must(enum sl_status status)
{
    if (status != SL_OK)
        exit(2);
}

static void assignments(const char *what, size_t k, uint64_t n, bool moving)
{
    double *w = malloc(2 * k * sizeof *w);
    uint64_t *shares = malloc(2 * k * sizeof *shares);
    struct sl_pacing pacing = SL_PACING_INIT;
    struct sl_schedule *s;
    struct sl_assign *a;
    if (!w || !shares)
        exit(2);
    for (size_t i = 0; i < 2 * k; i++)
        w[i] = 1 + (double)(i * 7919 % 31) / 7;
    must(sl_shares_divide(w, k, SL_SHARE_ONE, shares, NULL));
    must(sl_shares_divide(w + k, k, SL_SHARE_ONE, shares + k, NULL));
    must(sl_schedule_new(&s, k, NULL));
    must(sl_schedule_add(s, n, shares, moving ? shares + k : NULL, &pacing, NULL));
    must(sl_assign_new(&a, s, NULL));
    uint64_t sum = 0;
    uint32_t who;
    double begin = cpu_now();
    while (sl_assign_next(a, &who))
        sum += who;
    say(what, n, cpu_now() - begin, sum);
    sl_assign_free(a);
    sl_schedule_free(s);
    free(w);
    free(shares);
}

static void orders(void)
{
    const uint64_t n = 1000000007, draws = 4000000;
    for (int kind = 0; kind < SL_N_PERMUTES; kind++) {
        struct sl_permute_conf c = sl_permute_usual((enum sl_permute_kind)kind, n, 1);
        struct sl_permute o;
        must(sl_permute_init(&o, &c, NULL));
        uint64_t sum = 0;
        double begin = cpu_now();
        for (uint64_t i = 0; i < draws; i++)
            sum += sl_permute_rank(&o, i * 249);
        char what[64];
        snprintf(what, sizeof what, "order: %s of 10^9",
                 sl_permute_name((enum sl_permute_kind)kind));
        say(what, draws, cpu_now() - begin, sum);
    }
}

static void pools(void)
{
    struct sl_pool_conf c = { .n_items = 4000000,
                              .n_draws = 4000000,
                              .background = 0.2,
                              .seed = 1,
                              .pacing = { SL_PACING_ROOT, 0.1, 1, 0, 1 } };
    struct sl_pool *p;
    must(sl_pool_new(&p, &c, NULL));
    uint64_t sum = 0, rank;
    double begin = cpu_now();
    while (sl_pool_next(p, &rank, NULL))
        sum += rank;
    say("pool of 4 million, root, background 0.2", c.n_draws, cpu_now() - begin, sum);
    sl_pool_free(p);
}

static void numbers(void)
{
    const int n = 4000000;
    double sum = 0, begin = cpu_now();
    for (int i = 0; i < n; i++)
        sum += sl_log(1 + i * 0.37);
    say("log", n, cpu_now() - begin, (uint64_t)sum);
    begin = cpu_now();
    for (int i = 0; i < n; i++)
        sum += sl_exp(-20 + i * 1e-5);
    say("exp", n, cpu_now() - begin, (uint64_t)sum);
    begin = cpu_now();
    for (int i = 0; i < n; i++)
        sum += sl_pow(1 + i * 0.37, 0.3);
    say("pow", n, cpu_now() - begin, (uint64_t)sum);
}

int main(void)
{
    assignments("assignment, 3 sources", 3, 20000000, false);
    assignments("assignment, 10 sources", 10, 20000000, false);
    assignments("assignment, 10 sources, moving over 20 million", 10, 20000000, true);
    assignments("assignment, 10 sources, moving over 60 thousand", 10, 60000, true);
    assignments("assignment, 100 sources", 100, 3000000, false);
    assignments("assignment, 1000 sources", 1000, 3000000, false);
    orders();
    pools();
    numbers();
    return 0;
}
