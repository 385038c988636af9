/* SPDX-License-Identifier: Apache-2.0 */
/* Orders in closed form.
 *
 * What      every kind maps a position to a rank with a few divisions, and back; the kinds
 *           that cut the list (stair and saw) do that within the border that the
 *           position lies in. hard_first is applied last, and undone first.
 * Why       a plan over 10^12 sequences needs no permutation in memory, and any part of it
 *           can be computed alone.
 * Rejected  jitter as "rank + noise, sorted again": it is not a function of one position.
 * Relies    borders of stair and saw do not overlap: a half is at most floor(n / 2S). */
#include "order/permute.h"

#include <math.h>

static const char *const names[] = {
    [SL_PERMUTE_SORT] = "sort",     [SL_PERMUTE_FOLDING] = "folding",
    [SL_PERMUTE_ZIGZAG] = "zigzag", [SL_PERMUTE_STAIR] = "stair",
    [SL_PERMUTE_SAW] = "saw",       [SL_PERMUTE_SEGMENTS] = "segments",
    [SL_PERMUTE_JITTER] = "jitter", [SL_PERMUTE_SHUFFLE] = "shuffle",
    [SL_N_PERMUTES] = NULL,
};

const char *sl_permute_name(enum sl_permute_kind kind)
{
    return (unsigned)kind < SL_N_PERMUTES ? names[kind] : NULL;
}

enum sl_status sl_permute_parse(struct sl_str name, enum sl_permute_kind *out, struct sl_err *err)
{
    for (unsigned i = 0; i < SL_N_PERMUTES; i++)
        if (sl_str_eq(name, sl_str_of(names[i]))) {
            *out = (enum sl_permute_kind)i;
            return SL_OK;
        }
    const char *nearest = sl_str_nearest(name, names);
    int shown = name.n < 40 ? (int)name.n : 40;
    return sl_err_set(err, SL_E_USAGE, "no order is called '%.*s'%s%s%s", shown,
                      name.p ? name.p : "", nearest ? " (did you mean '" : "",
                      nearest ? nearest : "", nearest ? "'?)" : "");
}

struct sl_permute_conf sl_permute_usual(enum sl_permute_kind kind, uint64_t n, uint64_t seed)
{
    struct sl_permute_conf c = { .kind = kind,
                                 .n = n,
                                 .seed = seed,
                                 .layers = 5,
                                 .parts = 2,
                                 .radius = 0.225,
                                 .first = 0.1,
                                 .last = 0.1,
                                 .window = 1000 };
    if (kind == SL_PERMUTE_STAIR)
        c.layers = 3;
    if (kind == SL_PERMUTE_SAW) {
        c.layers = 2;
        c.parts = 3;
        c.radius = 0.075;
    }
    return c;
}

static bool has_layers(enum sl_permute_kind kind)
{
    return kind == SL_PERMUTE_FOLDING || kind == SL_PERMUTE_ZIGZAG || kind == SL_PERMUTE_STAIR ||
           kind == SL_PERMUTE_SAW;
}

static enum sl_status init_borders(struct sl_permute *o, struct sl_err *err)
{
    const struct sl_permute_conf *c = &o->conf;
    if (c->parts < 1 || c->parts > SL_PERMUTE_MAX)
        return sl_err_set(err, SL_E_USAGE, "%s needs at least one part", names[c->kind]);
    if (!(c->radius >= 0 && c->radius <= 0.5 / (double)c->parts))
        return sl_err_set(err, SL_E_USAGE, "the radius of %s must be 0 to 1/(2 parts), not %g",
                          names[c->kind], c->radius);
    uint64_t most = c->n / (2 * c->parts);
    o->half = (uint64_t)floor(c->radius * (double)c->n);
    if (o->half > most)
        o->half = most;
    return SL_OK;
}

static enum sl_status init_segments(struct sl_permute *o, struct sl_err *err)
{
    const struct sl_permute_conf *c = &o->conf;
    if (!(c->first >= 0 && c->last >= 0 && c->first + c->last <= 1))
        return sl_err_set(
            err, SL_E_USAGE,
            "the ends of segments must be shares that sum to at most 1, not %g and %g", c->first,
            c->last);
    o->n_first = (uint64_t)floor(c->first * (double)c->n);
    o->n_last = (uint64_t)floor(c->last * (double)c->n);
    if (o->n_last > c->n - o->n_first)
        o->n_last = c->n - o->n_first;
    sl_shuffle_init(&o->shuffle, c->n - o->n_first - o->n_last, c->seed, 0);
    return SL_OK;
}

enum sl_status sl_permute_init(struct sl_permute *o, const struct sl_permute_conf *conf,
                               struct sl_err *err)
{
    *o = (struct sl_permute){ .conf = *conf };
    if ((unsigned)conf->kind >= SL_N_PERMUTES)
        return sl_err_set(err, SL_E_USAGE, "order %d does not exist", (int)conf->kind);
    if (conf->n > SL_PERMUTE_MAX)
        return sl_err_set(err, SL_E_USAGE, "%llu items are more than an order can have",
                          (unsigned long long)conf->n);
    if (has_layers(conf->kind) && (conf->layers < 1 || conf->layers > SL_PERMUTE_MAX))
        return sl_err_set(err, SL_E_USAGE, "%s needs at least one layer", names[conf->kind]);
    if (conf->kind == SL_PERMUTE_STAIR || conf->kind == SL_PERMUTE_SAW)
        return init_borders(o, err);
    if (conf->kind == SL_PERMUTE_SEGMENTS)
        return init_segments(o, err);
    if (conf->kind == SL_PERMUTE_JITTER && conf->window < 1)
        return sl_err_set(err, SL_E_USAGE, "jitter needs a window of at least one");
    if (conf->kind == SL_PERMUTE_SHUFFLE)
        sl_shuffle_init(&o->shuffle, conf->n, conf->seed, 0);
    return SL_OK;
}

/* The rank at position p of n ranks in k layers. */
static uint64_t fold(uint64_t p, uint64_t n, uint64_t k, bool zigzag)
{
    uint64_t q = n / k, r = n % k, long_ones = r * (q + 1), layer, i, size;
    if (p < long_ones) {
        size = q + 1;
        layer = p / size;
        i = p % size;
    } else {
        size = q; /* not 0: there are positions behind the long ones */
        layer = r + (p - long_ones) / size;
        i = (p - long_ones) % size;
    }
    if (zigzag && layer % 2)
        i = size - 1 - i;
    return layer + i * k;
}

static uint64_t unfold(uint64_t rank, uint64_t n, uint64_t k, bool zigzag)
{
    uint64_t q = n / k, r = n % k, layer = rank % k, i = rank / k;
    uint64_t size = q + (layer < r), before = layer * q + (layer < r ? layer : r);
    if (zigzag && layer % 2)
        i = size - 1 - i;
    return before + i;
}

/* floor(n j / S) */
static uint64_t border(const struct sl_permute_conf *c, uint64_t j)
{
    return (uint64_t)((unsigned __int128)c->n * j / c->parts);
}

/* Where the border begins in which a position lies, which has 2 half ranks; or n. */
static uint64_t border_begin(const struct sl_permute *o, uint64_t p)
{
    const struct sl_permute_conf *c = &o->conf;
    /* A border has no width unless n >= 2S, so p lies in none but those of its part's ends. */
    uint64_t j = (uint64_t)((unsigned __int128)p * c->parts / c->n);
    for (uint64_t i = j; i <= j + 1 && i < c->parts; i++) {
        if (i == 0)
            continue;
        uint64_t begin = border(c, i) - o->half;
        if (p >= begin && p - begin < 2 * o->half)
            return begin;
    }
    return c->n;
}

static uint64_t jitter(const struct sl_permute_conf *c, uint64_t v, bool back)
{
    uint64_t i = v / c->window, begin = i * c->window;
    uint64_t size = c->n - begin < c->window ? c->n - begin : c->window;
    struct sl_shuffle s;
    sl_shuffle_init(&s, size, c->seed, i);
    return begin + (back ? sl_shuffle_place(&s, v - begin) : sl_shuffle_at(&s, v - begin));
}

/* The middle lies behind n_first, or behind both where they come from one end. */
static uint64_t segments_rank(const struct sl_permute *o, uint64_t p)
{
    uint64_t n = o->conf.n, middle = n - o->n_first - o->n_last;
    if (p < o->n_first)
        return p;
    if (p < o->n_first + middle)
        return o->n_first + (o->conf.same_end ? o->n_last : 0) +
               sl_shuffle_at(&o->shuffle, p - o->n_first);
    return o->conf.same_end ? p - middle : p;
}

static uint64_t segments_position(const struct sl_permute *o, uint64_t rank)
{
    uint64_t n = o->conf.n, middle = n - o->n_first - o->n_last;
    uint64_t begin = o->n_first + (o->conf.same_end ? o->n_last : 0);
    if (rank < o->n_first)
        return rank;
    if (rank >= begin && rank - begin < middle)
        return o->n_first + sl_shuffle_place(&o->shuffle, rank - begin);
    return o->conf.same_end ? rank + middle : rank;
}

uint64_t sl_permute_rank(const struct sl_permute *o, uint64_t position)
{
    const struct sl_permute_conf *c = &o->conf;
    uint64_t rank = position, begin;
    bool zigzag = c->kind == SL_PERMUTE_ZIGZAG || c->kind == SL_PERMUTE_SAW;
    switch (c->kind) {
    case SL_PERMUTE_FOLDING:
    case SL_PERMUTE_ZIGZAG:
        rank = fold(position, c->n, c->layers, zigzag);
        break;
    case SL_PERMUTE_STAIR:
    case SL_PERMUTE_SAW:
        begin = border_begin(o, position);
        if (begin < c->n)
            rank = begin + fold(position - begin, 2 * o->half, c->layers, zigzag);
        break;
    case SL_PERMUTE_SEGMENTS:
        rank = segments_rank(o, position);
        break;
    case SL_PERMUTE_JITTER:
        rank = jitter(c, position, false);
        break;
    case SL_PERMUTE_SHUFFLE:
        rank = sl_shuffle_at(&o->shuffle, position);
        break;
    default: /* sort */
        break;
    }
    return c->hard_first ? c->n - 1 - rank : rank;
}

uint64_t sl_permute_position(const struct sl_permute *o, uint64_t rank)
{
    const struct sl_permute_conf *c = &o->conf;
    bool zigzag = c->kind == SL_PERMUTE_ZIGZAG || c->kind == SL_PERMUTE_SAW;
    if (c->hard_first)
        rank = c->n - 1 - rank;
    uint64_t begin;
    switch (c->kind) {
    case SL_PERMUTE_FOLDING:
    case SL_PERMUTE_ZIGZAG:
        return unfold(rank, c->n, c->layers, zigzag);
    case SL_PERMUTE_STAIR:
    case SL_PERMUTE_SAW:
        begin = border_begin(o, rank);
        return begin < c->n ? begin + unfold(rank - begin, 2 * o->half, c->layers, zigzag) : rank;
    case SL_PERMUTE_SEGMENTS:
        return segments_position(o, rank);
    case SL_PERMUTE_JITTER:
        return jitter(c, rank, true);
    case SL_PERMUTE_SHUFFLE:
        return sl_shuffle_place(&o->shuffle, rank);
    default: /* sort */
        return rank;
    }
}
