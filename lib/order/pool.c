/* SPDX-License-Identifier: Apache-2.0 */
/* A list of what is in the pool, and one permutation of everything for the background.
 *
 * What      `list` holds the ranks that have come into the pool and were not drawn from it.
 *           A draw takes one of them by a random number and puts the last in its place. A
 *           draw of the background takes the first rank of a keyed permutation of all
 *           items that is not drawn yet, which is a uniform choice too; what it took from the
 *           pool is found out, and thrown out of the list, when a draw meets it.
 * Why       each rank enters the list once and leaves it once, and the permutation is
 *           walked through once, so all draws together take linear time.
 * Rejected  the smallest hash in the pool: those that came in early and were not drawn have
 *           large hashes, so the newest would come first. A search tree by rank: log n a draw.
 * Invariant at a position t fewer than t + 1 ranks are drawn and at least t + 1 are in the
 *           pool, so one that is not drawn is always found. */
#include "order/pool.h"

#include <math.h>
#include <stdlib.h>

#include "order/shuffle.h"

#define BACKGROUND_ONE ((uint64_t)1 << 32)

struct sl_pool {
    struct sl_pool_conf conf;
    struct sl_shuffle all;
    uint64_t key;
    uint64_t position;
    uint64_t size;        /* ranks below this have entered the list */
    uint64_t n_list;      /* entries of the list */
    uint64_t n_numbers;   /* random numbers used */
    uint64_t next_of_all; /* places of the permutation before this are drawn */
    uint64_t *list;       /* n_items */
    uint8_t *drawn;       /* one bit a rank */
};

static uint64_t background_units(const struct sl_pool_conf *conf)
{
    return (uint64_t)floor(conf->background * (double)BACKGROUND_ONE + 0.5);
}

enum sl_status sl_pool_new(struct sl_pool **out, const struct sl_pool_conf *conf,
                           struct sl_err *err)
{
    SL_TRY(sl_pacing_check(&conf->pacing, err));
    if (conf->n_items > SL_POOL_MAX || conf->n_draws > conf->n_items)
        return sl_err_set(err, SL_E_USAGE, "%llu draws from %llu items are too many",
                          (unsigned long long)conf->n_draws, (unsigned long long)conf->n_items);
    if (!(conf->background >= 0 && conf->background <= 1))
        return sl_err_set(err, SL_E_USAGE, "the background must be a share of 0 to 1, not %g",
                          conf->background);
    size_t n = conf->n_items ? (size_t)conf->n_items : 1, bytes = n / 8 + 1;
    struct sl_pool *p = calloc(1, sizeof *p);
    uint64_t *list = malloc(n * sizeof *list);
    uint8_t *drawn = calloc(bytes, 1);
    if (!p || !list || !drawn) {
        free(p);
        free(list);
        free(drawn);
        return sl_err_nomem(err, n * sizeof *list + bytes);
    }
    p->conf = *conf;
    p->list = list;
    p->drawn = drawn;
    sl_shuffle_init(&p->all, conf->n_items, conf->seed, 0);
    p->key = sl_mix64(sl_mix64(conf->seed + SL_SHUFFLE_GOLDEN) + 2 * SL_SHUFFLE_GOLDEN);
    *out = p;
    return SL_OK;
}

void sl_pool_free(struct sl_pool *p)
{
    if (!p)
        return;
    free(p->list);
    free(p->drawn);
    free(p);
}

uint64_t sl_pool_size(const struct sl_pool_conf *conf, uint64_t position)
{
    double share = sl_pacing_at(&conf->pacing, (double)position / (double)conf->n_draws);
    uint64_t size = (uint64_t)floor(share * (double)conf->n_items + 0.5);
    if (size < position + 1)
        size = position + 1;
    return size < conf->n_items ? size : conf->n_items;
}

bool sl_pool_is_background(const struct sl_pool_conf *conf, uint64_t position)
{
    unsigned __int128 share = background_units(conf);
    return (uint64_t)((position + 1) * share >> 32) > (uint64_t)(position * share >> 32);
}

static bool is_drawn(const struct sl_pool *p, uint64_t rank)
{
    return p->drawn[rank / 8] >> rank % 8 & 1;
}

static uint64_t draw_of_all(struct sl_pool *p)
{
    uint64_t rank;
    do
        rank = sl_shuffle_at(&p->all, p->next_of_all++);
    while (is_drawn(p, rank));
    return rank;
}

static uint64_t draw_of_list(struct sl_pool *p)
{
    for (;;) {
        uint64_t number = sl_mix64(p->key + ++p->n_numbers * SL_SHUFFLE_GOLDEN);
        uint64_t i = (uint64_t)((unsigned __int128)number * p->n_list >> 64);
        uint64_t rank = p->list[i];
        p->list[i] = p->list[--p->n_list];
        if (!is_drawn(p, rank))
            return rank;
    }
}

bool sl_pool_next(struct sl_pool *p, uint64_t *rank, bool *from_all)
{
    if (p->position >= p->conf.n_draws)
        return false;
    for (uint64_t size = sl_pool_size(&p->conf, p->position); p->size < size; p->size++)
        if (!is_drawn(p, p->size))
            p->list[p->n_list++] = p->size;
    bool all = sl_pool_is_background(&p->conf, p->position);
    *rank = all ? draw_of_all(p) : draw_of_list(p);
    p->drawn[*rank / 8] |= (uint8_t)(1U << *rank % 8);
    p->position++;
    if (from_all)
        *from_all = all;
    return true;
}
