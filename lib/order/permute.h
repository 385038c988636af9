/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PERMUTE_H
#define SL_ORDER_PERMUTE_H

/* Orders as functions: which rank of the sorted list stands at a position. Rank 0
 * is the easiest item, rank n-1 the hardest.
 *
 * Values    each order is a bijection of 0 .. n-1, computed in constant time without
 *           a table, and so is its inverse.
 * Direction `hard_first` replaces every rank r by n-1-r, in every order.
 * Seeds     shuffles are those of shuffle.h, by `seed`; nothing else is random.
 * Threads   pure functions of the struct, which is not changed after init.
 * Source    docs/orders.md, "Orders", which defines each. */

#include "base/status.h"
#include "base/str.h"
#include "order/shuffle.h"

#define SL_PERMUTE_MAX ((uint64_t)1 << 40)

enum sl_permute_kind {
    SL_PERMUTE_SORT,
    SL_PERMUTE_FOLDING,  /* k layers: every k-th rank from 0, from 1, ... */
    SL_PERMUTE_ZIGZAG,   /* folding with every second layer backwards */
    SL_PERMUTE_STAIR,    /* sorted, with folding around the borders of `parts` parts */
    SL_PERMUTE_SAW,      /* sorted, with zigzag there */
    SL_PERMUTE_SEGMENTS, /* easy end, shuffled middle, other end */
    SL_PERMUTE_JITTER,   /* sorted, shuffled within windows */
    SL_PERMUTE_SHUFFLE,
    SL_N_PERMUTES
};

struct sl_permute_conf {
    enum sl_permute_kind kind;
    bool hard_first;
    uint64_t n;         /* at most SL_PERMUTE_MAX */
    uint64_t seed;      /* segments, jitter, shuffle */
    uint64_t layers;    /* k, at least 1: folding, zigzag, stair, saw */
    uint64_t parts;     /* S, at least 1: stair, saw */
    double radius;      /* stair, saw: half the width of a border, as a share of n; 0 .. 1/(2S) */
    double first, last; /* segments: shares of n, each from 0, together at most 1 */
    bool same_end;      /* segments: last comes from the end that first comes from */
    uint64_t window;    /* w, at least 1: jitter */
};

struct sl_permute {
    struct sl_permute_conf conf;
    uint64_t half;             /* stair, saw: radius in ranks */
    uint64_t n_first, n_last;  /* segments */
    struct sl_shuffle shuffle; /* of everything, or of the middle */
};

/* The usual parameters of a kind for n items: folding and zigzag k=5; stair S=2,
 * radius 0.225, k=3; saw S=3, radius 0.075, k=2; segments 0.1 and 0.1; jitter w=1000. */
struct sl_permute_conf sl_permute_usual(enum sl_permute_kind kind, uint64_t n, uint64_t seed);

/* "sort", "folding", "zigzag", "stair", "saw", "segments", "jitter", "shuffle". */
const char *sl_permute_name(enum sl_permute_kind kind);
SL_MUST_USE enum sl_status sl_permute_parse(struct sl_str name, enum sl_permute_kind *out,
                                            struct sl_err *err);

/* SL_E_USAGE where a parameter of the kind is out of its range; others are not looked at. */
SL_MUST_USE enum sl_status sl_permute_init(struct sl_permute *o, const struct sl_permute_conf *conf,
                                           struct sl_err *err);

/* The rank at a position, and the position of a rank; both below n. */
uint64_t sl_permute_rank(const struct sl_permute *o, uint64_t position);
uint64_t sl_permute_position(const struct sl_permute *o, uint64_t rank);

#endif
