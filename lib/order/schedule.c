/* SPDX-License-Identifier: Apache-2.0 */
/* Segments with their targets summed up to their beginning, and for moving shares the sum of
 * the levels before each block.
 *
 * What      in a moving segment the target of a source is
 *             before + from (2^24 o - G) + to G,   G the sum of the levels of o positions,
 *           so one list of sums serves all sources. A target is found again (reach) by two
 *           binary searches and a division.
 * Why       an assignment must know when a source will be due, which may be many blocks
 *           ahead; that has to be exact, or the bound is lost.
 * Rejected  a level for every position: the sums have no closed form in whole numbers, and
 *           rounded ones can make a share negative. A share at 65536 steps of a segment
 *           cannot be told from one that moves evenly.
 * Parts     a segment may be a part of a whole one, from offset `cut` of it on; blocks are
 *           counted from the first that reaches into the part, and the first and the last of
 *           them may be cut.
 * Invariant levels are at most 2^24 and positions below 2^40, so G fits into 64 bits and a
 *           target into 100. */
#include "order/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL_BITS 24
#define LEVEL_ONE ((uint64_t)1 << LEVEL_BITS)

struct segment {
    uint64_t begin, end;
    uint64_t *from, *to;       /* a share each source; to is NULL where they stand still */
    unsigned __int128 *before; /* target of each source at begin */
    uint64_t whole, cut;       /* positions of the whole segment, and of it before this part */
    uint64_t whole_blocks;     /* 1 where they stand still */
    uint64_t first_block;      /* of the part */
    uint64_t n_blocks;         /* of the part */
    uint32_t *level;           /* of each block; NULL where they stand still */
    uint64_t *level_sum;       /* sum of the levels of all positions before each block */
};

struct sl_schedule {
    size_t n_sources;
    size_t n_segments, cap_segments;
    uint64_t n_positions;
    struct segment *segments;
};

enum sl_status sl_schedule_new(struct sl_schedule **out, size_t n_sources, struct sl_err *err)
{
    if (n_sources < 1 || n_sources > SL_SHARE_MAX_SOURCES)
        return sl_err_set(err, SL_E_USAGE, "a schedule has 1 to %d sources, not %zu",
                          SL_SHARE_MAX_SOURCES, n_sources);
    struct sl_schedule *s = calloc(1, sizeof *s);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    s->n_sources = n_sources;
    *out = s;
    return SL_OK;
}

static void segment_release(struct segment *g)
{
    free(g->from);
    free(g->to);
    free(g->before);
    free(g->level);
    free(g->level_sum);
}

void sl_schedule_free(struct sl_schedule *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_segments; i++)
        segment_release(&s->segments[i]);
    free(s->segments);
    free(s);
}

void sl_schedule_cut(struct sl_schedule *s, uint64_t position)
{
    while (s->n_segments && s->segments[s->n_segments - 1].end > position)
        segment_release(&s->segments[--s->n_segments]);
    s->n_positions = s->n_segments ? s->segments[s->n_segments - 1].end : 0;
}

size_t sl_schedule_n_sources(const struct sl_schedule *s)
{
    return s->n_sources;
}

uint64_t sl_schedule_n_positions(const struct sl_schedule *s)
{
    return s->n_positions;
}

/* Offset in the whole segment at which a block of it begins; b may be whole_blocks. */
static uint64_t whole_begin(const struct segment *g, uint64_t b)
{
    return (uint64_t)((unsigned __int128)g->whole * b / g->whole_blocks);
}

/* Offset in a segment at which a block begins; b may be n_blocks. */
static uint64_t block_begin(const struct segment *g, uint64_t b)
{
    if (b == 0 || b == g->n_blocks)
        return b ? g->end - g->begin : 0;
    return whole_begin(g, g->first_block + b) - g->cut;
}

/* The block of an offset in the whole: the greatest b with floor(N b / B) <= offset. */
static uint64_t whole_block(const struct segment *g, uint64_t offset)
{
    return ((offset + 1) * g->whole_blocks - 1) / g->whole;
}

static enum sl_status check_shares(const uint64_t *shares, size_t n, struct sl_err *err)
{
    uint64_t left = SL_SHARE_ONE;
    for (size_t i = 0; i < n; i++) {
        if (shares[i] > left)
            return sl_err_set(err, SL_E_USAGE, "shares sum to more than one");
        left -= shares[i];
    }
    if (left)
        return sl_err_set(err, SL_E_USAGE, "shares sum to less than one");
    return SL_OK;
}

/* A copy of n numbers; NULL where p is NULL, or without memory. */
static uint64_t *copy(const uint64_t *p, size_t n)
{
    uint64_t *q = p ? malloc(n * sizeof *q) : NULL;
    if (q)
        memcpy(q, p, n * sizeof *q);
    return q;
}

static bool fill_levels(struct segment *g, const struct sl_pacing *pacing)
{
    g->level = malloc(g->n_blocks * sizeof *g->level);
    g->level_sum = malloc(g->n_blocks * sizeof *g->level_sum);
    if (!g->level || !g->level_sum)
        return false;
    uint64_t sum = 0;
    for (uint64_t b = 0; b < g->n_blocks; b++) {
        uint64_t begin = whole_begin(g, g->first_block + b);
        uint64_t end = whole_begin(g, g->first_block + b + 1);
        double middle = (double)(begin + end) / (double)(2 * g->whole);
        double at = sl_pacing_at(pacing, middle);
        g->level[b] = (uint32_t)floor(at * (double)LEVEL_ONE + 0.5);
        g->level_sum[b] = sum;
        sum += g->level[b] * (block_begin(g, b + 1) - block_begin(g, b));
    }
    return true;
}

static enum sl_status grow(struct sl_schedule *s, struct sl_err *err)
{
    if (s->n_segments < s->cap_segments)
        return SL_OK;
    size_t cap = s->cap_segments ? 2 * s->cap_segments : 8;
    struct segment *p = realloc(s->segments, cap * sizeof *p);
    if (!p)
        return sl_err_nomem(err, cap * sizeof *p);
    s->segments = p;
    s->cap_segments = cap;
    return SL_OK;
}

/* The extent of a part; its shares are still to come. */
static struct segment new_segment(const struct sl_schedule *s, const struct sl_schedule_part *part,
                                  bool moves)
{
    uint64_t blocks = part->whole < SL_SCHEDULE_MAX_BLOCKS ? part->whole : SL_SCHEDULE_MAX_BLOCKS;
    struct segment g = { .begin = s->n_positions,
                         .end = s->n_positions + (part->end - part->begin),
                         .whole = part->whole,
                         .cut = part->begin,
                         .whole_blocks = moves ? blocks : 1 };
    g.first_block = whole_block(&g, part->begin);
    g.n_blocks = whole_block(&g, part->end - 1) + 1 - g.first_block;
    return g;
}

enum sl_status sl_schedule_add_part(struct sl_schedule *s, const struct sl_schedule_part *part,
                                    const uint64_t *from, const uint64_t *to,
                                    const struct sl_pacing *pacing, struct sl_err *err)
{
    size_t k = s->n_sources;
    SL_TRY(check_shares(from, k, err));
    if (to) {
        SL_TRY(check_shares(to, k, err));
        SL_TRY(sl_pacing_check(pacing, err));
    }
    if (part->begin > part->end || part->end > part->whole)
        return sl_err_set(err, SL_E_USAGE, "a part that is not in its whole");
    if (part->whole >= SL_SCHEDULE_MAX ||
        part->end - part->begin >= SL_SCHEDULE_MAX - s->n_positions)
        return sl_err_set(err, SL_E_USAGE, "a schedule has less than 2^40 positions");
    if (part->begin == part->end)
        return SL_OK;
    SL_TRY(grow(s, err));
    struct segment g = new_segment(s, part, to != NULL);
    g.from = copy(from, k);
    g.to = copy(to, k);
    g.before = malloc(k * sizeof *g.before);
    if (!g.from || !g.before || (to && !g.to) || (to && !fill_levels(&g, pacing))) {
        segment_release(&g);
        return sl_err_nomem(err, k * 32 + (to ? g.n_blocks * 12 : 0));
    }
    for (size_t i = 0; i < k; i++)
        g.before[i] = sl_schedule_target(s, i, s->n_positions);
    s->segments[s->n_segments++] = g;
    s->n_positions = g.end;
    return SL_OK;
}

enum sl_status sl_schedule_add(struct sl_schedule *s, uint64_t n_positions, const uint64_t *from,
                               const uint64_t *to, const struct sl_pacing *pacing,
                               struct sl_err *err)
{
    const struct sl_schedule_part all = { n_positions, 0, n_positions };
    return sl_schedule_add_part(s, &all, from, to, pacing, err);
}

/* The segment of a position. */
static const struct segment *segment_of(const struct sl_schedule *s, uint64_t position)
{
    size_t low = 0, high = s->n_segments - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (position < s->segments[middle].end)
            high = middle;
        else
            low = middle + 1;
    }
    return &s->segments[low];
}

static uint64_t block_of(const struct segment *g, uint64_t offset)
{
    return whole_block(g, g->cut + offset) - g->first_block;
}

struct sl_schedule_block sl_schedule_block(const struct sl_schedule *s, uint64_t position)
{
    const struct segment *g = segment_of(s, position);
    uint64_t b = block_of(g, position - g->begin);
    return (struct sl_schedule_block){ .begin = g->begin + block_begin(g, b),
                                       .end = g->begin + block_begin(g, b + 1),
                                       .segment = (size_t)(g - s->segments),
                                       .level = g->to ? g->level[b] : 0 };
}

static uint64_t share(const struct segment *g, uint32_t level, size_t source)
{
    uint64_t v = g->from[source] * (LEVEL_ONE - level);
    return g->to ? v + g->to[source] * level : v;
}

uint64_t sl_schedule_share(const struct sl_schedule *s, const struct sl_schedule_block *b,
                           size_t source)
{
    return share(&s->segments[b->segment], b->level, source);
}

/* The target after `offset` positions of a segment, whose levels sum to level_sum. */
static unsigned __int128 target_in(const struct segment *g, size_t source, uint64_t offset,
                                   uint64_t level_sum)
{
    unsigned __int128 rest = ((unsigned __int128)offset << LEVEL_BITS) - level_sum;
    unsigned __int128 t = g->before[source] + g->from[source] * rest;
    return g->to ? t + (unsigned __int128)g->to[source] * level_sum : t;
}

/* The target where a block begins; b is below n_blocks. */
static unsigned __int128 target_at_block(const struct segment *g, size_t source, uint64_t b)
{
    return target_in(g, source, block_begin(g, b), g->to ? g->level_sum[b] : 0);
}

unsigned __int128 sl_schedule_target(const struct sl_schedule *s, size_t source, uint64_t t)
{
    if (t == 0)
        return 0;
    const struct segment *g = segment_of(s, t - 1);
    uint64_t offset = t - g->begin;
    if (!g->to)
        return target_in(g, source, offset, 0);
    uint64_t b = block_of(g, offset - 1);
    return target_in(g, source, offset,
                     g->level_sum[b] + g->level[b] * (offset - block_begin(g, b)));
}

uint64_t sl_schedule_reach(const struct sl_schedule *s, size_t source, unsigned __int128 target)
{
    if (target == 0)
        return 0;
    if (sl_schedule_target(s, source, s->n_positions) < target)
        return SL_SCHEDULE_NEVER;
    /* The last segment, then the last block, at whose beginning it is not reached. */
    size_t low = 0, high = s->n_segments - 1;
    while (low < high) {
        size_t middle = high - (high - low) / 2;
        if (s->segments[middle].before[source] < target)
            low = middle;
        else
            high = middle - 1;
    }
    const struct segment *g = &s->segments[low];
    uint64_t b = 0, last = g->n_blocks - 1;
    while (b < last) {
        uint64_t middle = last - (last - b) / 2;
        if (target_at_block(g, source, middle) < target)
            b = middle;
        else
            last = middle - 1;
    }
    unsigned __int128 missing = target - target_at_block(g, source, b);
    uint64_t step = share(g, g->to ? g->level[b] : 0, source);
    return g->begin + block_begin(g, b) + (uint64_t)((missing - 1) / step) + 1;
}

uint64_t sl_schedule_lasts(const struct sl_schedule *s, size_t source, uint64_t units)
{
    uint64_t t = sl_schedule_reach(s, source, ((unsigned __int128)units << SL_TARGET_BITS) + 1);
    return t == SL_SCHEDULE_NEVER ? s->n_positions : t - 1;
}
