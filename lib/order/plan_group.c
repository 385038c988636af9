/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing a source by groups: the list is one of groups, each at the place of its first row in
 * it, and what is drawn is given with all its rows, as these come.
 *
 * Turns     a stage has so many turns, of rows. It draws groups until these are covered; what
 *           a group has beyond them is taken from the turns that follow. So how many
 *           groups a stage needs is not known before, which only a pool must know: it is
 *           told a guess by the mean size, and where that was too few, asked again.
 * Marks     the first row of every group is marked in the list of what is drawn, so that
 *           places are found later without the groups.
 * Memory    2 bits a row, and 1 of what is drawn, beside the list of 4 bytes a row. */
#include <stdlib.h>
#include <string.h>

#include "order/plan_parts.h"
#include "order/pool.h"
#include "order/shuffle.h"

struct grouper {
    const uint32_t *next;       /* in the same group; of the last row the first */
    const uint16_t *given;      /* how often a past placed each row; NULL: none */
    uint64_t n;                 /* rows */
    uint64_t n_left, rows_left; /* groups and rows not drawn in this epoch */
    uint8_t *gone, *listed;     /* bits of rows */
    uint32_t *list;             /* groups that are left: the least row of each */
    uint32_t *out;
    uint8_t *firsts; /* bits of what is drawn */
    uint64_t n_out, n_turns;
    uint64_t need; /* turns of the stage that are not covered */
    uint64_t over; /* of the last group, turns that fall to later stages */
    bool full;     /* the next group does not fit into the turns that are left */
};

static bool has_bit(const uint8_t *bits, uint64_t i)
{
    return bits[i >> 3] >> (i & 7) & 1;
}

static void set_bit(uint8_t *bits, uint64_t i)
{
    bits[i >> 3] |= (uint8_t)(1 << (i & 7));
}

/* Set the bits of all rows of a group that are not gone; the least of these. */
static uint32_t mark_group(const struct grouper *g, uint8_t *bits, uint32_t row)
{
    uint32_t at = row, least = row;
    do {
        if (!has_bit(g->gone, at)) {
            set_bit(bits, at);
            least = at < least ? at : least;
        }
        at = g->next[at];
    } while (at != row);
    return least;
}

/* How many groups are left; the list is filled with them. */
static uint64_t list_left(struct grouper *g, const uint32_t *ranks)
{
    uint64_t n = 0;
    memcpy(g->listed, g->gone, g->n / 8 + 1);
    for (uint64_t i = 0; i < g->n; i++) {
        uint32_t row = ranks ? ranks[i] : (uint32_t)i;
        if (!has_bit(g->listed, row))
            g->list[n++] = mark_group(g, g->listed, row);
    }
    return n;
}

static uint64_t group_size(const struct grouper *g, uint32_t row)
{
    uint64_t n = 0;
    uint32_t at = row;
    do {
        n += !has_bit(g->gone, at);
        at = g->next[at];
    } while (at != row);
    return n;
}

/* Give the group at a place of the list; false where the stage wants no more. */
static bool give(struct grouper *g, uint64_t place)
{
    uint32_t row = g->list[place], at = row;
    uint64_t size = group_size(g, row);
    g->full = size > g->n_turns - g->n_out;
    if (g->full)
        return false;
    set_bit(g->firsts, g->n_out);
    do {
        if (!has_bit(g->gone, at))
            g->out[g->n_out++] = at;
        set_bit(g->gone, at);
        at = g->next[at];
    } while (at != row);
    g->n_left--;
    g->rows_left -= size;
    g->over = size > g->need ? size - g->need : 0;
    g->need -= size < g->need ? size : g->need;
    return g->need > 0;
}

static enum sl_status draw_pool(struct grouper *g, const struct sl_plan_way *w, uint64_t seed,
                                struct sl_err *err)
{
    uint64_t m = g->n_left, rows = g->rows_left, need = g->need < rows ? g->need : rows;
    uint64_t n = (uint64_t)(((unsigned __int128)need * m + rows - 1) / rows);
    struct sl_pool_conf conf = { m, n, w->pacing, w->background, seed };
    struct sl_pool *pool;
    uint64_t rank;
    SL_TRY(sl_pool_new(&pool, &conf, err));
    while (sl_pool_next(pool, &rank, NULL) && give(g, rank))
        ;
    sl_pool_free(pool);
    return SL_OK;
}

static enum sl_status draw_some(struct grouper *g, const struct sl_plan_way *w, uint64_t seed,
                                struct sl_err *err)
{
    struct sl_permute_conf conf = w->permute;
    struct sl_permute order;
    struct sl_shuffle shuffle;
    uint64_t m = g->n_left;
    switch (w->draw) {
    case SL_DRAW_POOL:
        return draw_pool(g, w, seed, err);
    case SL_DRAW_PERMUTE:
        conf.n = m;
        conf.seed = seed;
        SL_TRY(sl_permute_init(&order, &conf, err));
        for (uint64_t p = 0; p < m && give(g, sl_permute_rank(&order, p)); p++)
            ;
        return SL_OK;
    case SL_DRAW_SHUFFLE:
        sl_shuffle_init(&shuffle, m, seed, 0);
        for (uint64_t p = 0; p < m && give(g, sl_shuffle_at(&shuffle, p)); p++)
            ;
        return SL_OK;
    default:
        for (uint64_t p = 0; p < m && give(g, p); p++)
            ;
        return SL_OK;
    }
}

/* The groups of all rows but those that a past has given more often. */
static void begin_epoch(struct grouper *g, uint64_t epoch)
{
    memset(g->gone, 0, g->n / 8 + 1);
    g->rows_left = g->n;
    for (uint64_t u = 0; g->given && u < g->n; u++)
        if (g->given[u] > epoch) {
            set_bit(g->gone, u);
            g->rows_left--;
        }
    g->n_left = list_left(g, NULL);
}

static enum sl_status draw_stages(struct sl_plan_order *o, struct grouper *g, size_t source,
                                  const uint32_t *const *ranks, struct sl_err *err)
{
    uint64_t epoch = 0;
    begin_epoch(g, 0);
    for (size_t stage = 0; stage < o->plan->n_stages; stage++) {
        const struct sl_plan_way *w = sl_plan_way(o->plan, source, stage);
        uint64_t *count = &o->counts[stage * (o->n_sources + 1) + source], before = g->n_out;
        uint64_t covered = g->over < *count ? g->over : *count;
        g->over -= covered;
        g->need = *count - covered;
        while (g->need && !g->full) {
            while (!g->n_left)
                begin_epoch(g, ++epoch);
            list_left(g, w->score < 0 ? NULL : ranks[w->score]);
            SL_TRY(draw_some(g, w, sl_plan_seed(o, source, stage, epoch), err));
        }
        *count = g->n_out - before;
    }
    return SL_OK;
}

enum sl_status sl_plan_draw_groups(struct sl_plan_order *o, size_t source,
                                   const uint32_t *const *ranks, struct sl_err *err)
{
    uint64_t n = o->units[source], turns = 0;
    for (size_t i = 0; i < o->plan->n_stages; i++)
        turns += o->counts[i * (o->n_sources + 1) + source];
    struct grouper g = { .next = o->groups[source],
                         .given = o->past ? o->past->given[source] : NULL,
                         .n = n,
                         .n_turns = turns };
    g.gone = calloc(n / 8 + 1, 1);
    g.listed = calloc(n / 8 + 1, 1);
    g.list = malloc((n + 1) * sizeof *g.list);
    g.out = o->draws[source] = malloc((turns + 1) * sizeof *g.out);
    g.firsts = o->firsts[source] = calloc(turns / 8 + 1, 1);
    o->copies[source] = calloc(n + 1, sizeof **o->copies);
    enum sl_status st = SL_OK;
    if (!g.gone || !g.listed || !g.list || !g.out || !g.firsts || !o->copies[source])
        st = sl_err_nomem(err, (n + turns) * sizeof *g.list);
    if (st == SL_OK)
        st = draw_stages(o, &g, source, ranks, err);
    o->unused[source] = n;
    for (uint64_t u = 0; g.given && st == SL_OK && u < n; u++) {
        o->copies[source][u] = g.given[u];
        o->unused[source] -= g.given[u] > 0;
    }
    o->n_draws[source] = g.n_out;
    o->unfilled[source] = turns - g.n_out;
    free(g.gone);
    free(g.listed);
    free(g.list);
    return st;
}
