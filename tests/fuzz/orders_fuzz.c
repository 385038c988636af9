/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile names and numbers as pacing, order, pool, mixture and schedule: what is not refused
 * keeps its laws. The first byte chooses, the others are the parameters. */
#include <math.h>
#include <stdlib.h>

#include "base/math.h"
#include "order/assign.h"
#include "order/permute.h"
#include "order/pool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *p;
    size_t n;
};

static uint64_t whole(struct bytes *b)
{
    uint64_t v = 0;
    size_t n = b->n < 8 ? b->n : 8;
    memcpy(&v, b->p, n);
    b->p += n;
    b->n -= n;
    return v;
}

/* Half of them are shares, the others any double. */
static double number(struct bytes *b)
{
    uint64_t v = whole(b);
    double x;
    memcpy(&x, &v, 8);
    return v & 1 ? (double)(v >> 1 & 0xffff) / 65535 : x;
}

static void must(bool fine)
{
    if (!fine)
        abort();
}

static struct sl_pacing pacing(struct bytes *b)
{
    return (struct sl_pacing){ (enum sl_pacing_kind)(whole(b) & 15), number(b), number(b),
                               number(b), number(b) };
}

static void fuzz_names(struct bytes *b)
{
    struct sl_err err = SL_ERR_INIT;
    struct sl_str s = { (const char *)b->p, b->n };
    enum sl_pacing_kind pace;
    enum sl_permute_kind kind;
    if (sl_pacing_parse(s, &pace, &err) == SL_OK)
        must(sl_str_eq(s, sl_str_of(sl_pacing_name(pace))));
    if (sl_permute_parse(s, &kind, NULL) == SL_OK)
        must(sl_str_eq(s, sl_str_of(sl_permute_name(kind))));
    struct bytes c = *b;
    double x = number(&c), y = number(&c);
    must(!(x > 0 && x <= 1e300) || isfinite(sl_log(x)));
    must(!(sl_exp(x) < 0) && !(sl_pow(x, y) < 0));
}

static void fuzz_pacing(struct bytes *b)
{
    struct sl_pacing p = pacing(b);
    if (sl_pacing_check(&p, NULL) != SL_OK)
        return;
    while (b->n) {
        double v = sl_pacing_at(&p, number(b));
        must(v >= p.start && v <= p.max);
    }
}

static void fuzz_order(struct bytes *b)
{
    struct sl_permute o;
    struct sl_permute_conf c = { .kind = (enum sl_permute_kind)(whole(b) & 15),
                                 .n = whole(b) >> 23,
                                 .seed = whole(b),
                                 .radius = number(b),
                                 .first = number(b),
                                 .last = number(b) };
    c.layers = whole(b) >> (c.seed & 63);
    c.parts = whole(b) >> (c.seed >> 6 & 63);
    c.window = whole(b) >> (c.seed >> 12 & 63);
    c.hard_first = c.seed >> 18 & 1;
    c.same_end = c.seed >> 19 & 1;
    if (sl_permute_init(&o, &c, NULL) != SL_OK || c.n == 0)
        return;
    while (b->n) {
        uint64_t p = whole(b) % c.n, r = sl_permute_rank(&o, p);
        must(r < c.n && sl_permute_position(&o, r) == p);
    }
}

static void fuzz_pool(struct bytes *b)
{
    struct sl_pool_conf c = { .n_items = whole(b) & 1023,
                              .n_draws = whole(b) & 1023,
                              .pacing = pacing(b),
                              .background = number(b),
                              .seed = whole(b) };
    struct sl_pool *p;
    uint8_t seen[1024] = { 0 };
    uint64_t rank, n = 0;
    bool all;
    if (sl_pool_new(&p, &c, NULL) != SL_OK)
        return;
    for (; sl_pool_next(p, &rank, &all); n++) {
        must(rank < c.n_items && !seen[rank] && (all || rank < sl_pool_size(&c, n)));
        seen[rank] = 1;
    }
    must(n == c.n_draws);
    sl_pool_free(p);
}

static void fuzz_mixture(struct bytes *b)
{
    enum { MAX = 64 };
    double weights[MAX], alpha = number(b), epochs = number(b);
    uint64_t sizes[MAX], out[MAX], total = whole(b) >> 27, budget = whole(b) >> 8, sum;
    size_t n = 0;
    for (; b->n && n < MAX; n++) {
        struct bytes again = *b;
        weights[n] = number(&again);
        sizes[n] = whole(b) >> 2;
    }
    enum sl_status status = sl_shares_divide(weights, n, total, out, NULL);
    sum = 0;
    for (size_t i = 0; status == SL_OK && i < n; i++)
        sum += out[i];
    must(status != SL_OK || sum == total);
    sum = 0;
    if (sl_shares_divide_units(sizes, n, total, out, NULL) == SL_OK) {
        for (size_t i = 0; i < n; i++)
            sum += out[i];
        must(sum == total);
    }
    for (size_t i = 0; i < n; i++)
        sizes[i] >>= 10;
    (void)!sl_shares_alpha(sizes, n, alpha, total, out, NULL);
    sum = 0;
    if (sl_shares_unimax(sizes, n, budget, epochs, out, NULL) == SL_OK) {
        for (size_t i = 0; i < n; i++)
            sum += out[i];
        must(sum <= budget);
    }
}

static void add_segment(struct sl_schedule *s, size_t k, struct bytes *b)
{
    enum { MAX = 40 };
    double from[MAX], to[MAX];
    uint64_t a[MAX], z[MAX], n = whole(b) & 1023;
    struct sl_pacing p = pacing(b);
    for (size_t i = 0; i < k; i++) {
        from[i] = number(b);
        to[i] = number(b);
    }
    if (sl_shares_divide(from, k, SL_SHARE_ONE, a, NULL) != SL_OK ||
        sl_shares_divide(to, k, SL_SHARE_ONE, z, NULL) != SL_OK)
        return;
    (void)!sl_schedule_add(s, n, a, n & 1 ? z : NULL, &p, NULL);
}

static void fuzz_assign(struct bytes *b)
{
    size_t k = 2 + whole(b) % 38;
    struct sl_schedule *s;
    struct sl_assign *a;
    int64_t one = (int64_t)1 << SL_TARGET_BITS, d = (one - 1) / (2 * (int64_t)k - 2) + 1;
    int64_t off[40] = { 0 };
    uint32_t who;
    must(sl_schedule_new(&s, k, NULL) == SL_OK);
    for (int i = 0; i < 4 && b->n; i++)
        add_segment(s, k, b);
    must(sl_assign_new(&a, s, NULL) == SL_OK);
    for (uint64_t t = 0; sl_assign_next(a, &who); t++) {
        struct sl_schedule_block block = sl_schedule_block(s, t);
        off[who] -= one;
        for (size_t i = 0; i < k; i++) {
            off[i] += (int64_t)sl_schedule_share(s, &block, i);
            must(off[i] <= one - d && off[i] >= d - one);
        }
    }
    must(sl_assign_position(a) == sl_schedule_n_positions(s));
    sl_assign_free(a);
    sl_schedule_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parts[])(struct bytes *) = { fuzz_names, fuzz_pacing,  fuzz_order,
                                                     fuzz_pool,  fuzz_mixture, fuzz_assign };
    if (size == 0 || size > 4096)
        return 0;
    struct bytes b = { data + 1, size - 1 };
    parts[data[0] % (sizeof parts / sizeof *parts)](&b);
    return 0;
}
