/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_SCHEDULE_H
#define SL_ORDER_SCHEDULE_H

/* A schedule of shares: how many of the first t positions each source should have, as
 * an exact number, for every t. It is a list of segments; in each, the shares stand
 * still or move from one mixture to another with a pacing function.
 *
 * Values    the target of source i after t positions is T_i(t), a whole number of
 *           units of 2^-60; over all sources they sum to exactly t. Nothing drifts.
 * Steps     moving shares move in steps: a segment of N positions is cut into
 *           B = min(N, 65536) blocks, block b from floor(N b / B) on. In it the share is
 *           (1-g) from + g to, where g is the pacing at the block's middle, to the nearest 2^-24.
 * Memory    32 bytes a source and segment, 12 a block of moving shares.
 * Threads   adding needs one thread; then it is only read.
 * Source    docs/orders.md, "Schedules". */

#include "order/mixture.h"
#include "order/pacing.h"

#define SL_SCHEDULE_MAX ((uint64_t)1 << 40) /* positions, less one */
#define SL_SCHEDULE_MAX_BLOCKS 65536
#define SL_SCHEDULE_NEVER UINT64_MAX
#define SL_TARGET_BITS 60 /* targets are in units of 2^-60 of a position */

/* The piece of a schedule in which a position lies: its shares stand still. */
struct sl_schedule_block {
    uint64_t begin, end; /* positions; end is the first behind it */
    size_t segment;
    uint32_t level; /* g in units of 2^-24 */
};

struct sl_schedule;

/* n_sources is 1 .. SL_SHARE_MAX_SOURCES. Errors: SL_E_USAGE, SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_schedule_new(struct sl_schedule **out, size_t n_sources,
                                           struct sl_err *err);
void sl_schedule_free(struct sl_schedule *s); /* NULL allowed */

/* Add n_positions behind what is there (0: nothing is added).
 *
 * from     n_sources shares that sum to SL_SHARE_ONE; copied.
 * to       NULL: the shares stand still. Otherwise they move there, and
 * pacing   says how; checked here.
 * Errors   SL_E_USAGE: the shares do not sum to one, or too many positions; SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_schedule_add(struct sl_schedule *s, uint64_t n_positions,
                                           const uint64_t *from, const uint64_t *to,
                                           const struct sl_pacing *pacing, struct sl_err *err);

/* A part of a segment: positions [begin, end) of one that would have `whole`. */
struct sl_schedule_part {
    uint64_t whole, begin, end;
};

/* Add a part of a segment behind what is there, as the whole segment would have it there:
 * blocks and levels are those of all `whole` positions. So shares that are changed within a
 * segment go on moving as they would have. An empty part adds nothing.
 *
 * Errors   as sl_schedule_add, and SL_E_USAGE: the part does not lie in the whole. */
SL_MUST_USE enum sl_status sl_schedule_add_part(struct sl_schedule *s,
                                                const struct sl_schedule_part *part,
                                                const uint64_t *from, const uint64_t *to,
                                                const struct sl_pacing *pacing, struct sl_err *err);

/* Take away the segments that end behind a position; others may be added in their place. What
 * is left ends at or before the position. */
void sl_schedule_cut(struct sl_schedule *s, uint64_t position);

size_t sl_schedule_n_sources(const struct sl_schedule *s);
uint64_t sl_schedule_n_positions(const struct sl_schedule *s);

/* The block of a position, which is below n_positions. */
struct sl_schedule_block sl_schedule_block(const struct sl_schedule *s, uint64_t position);

/* The share of a source in a block, in units of 2^-60. */
uint64_t sl_schedule_share(const struct sl_schedule *s, const struct sl_schedule_block *b,
                           size_t source);

/* T_i(t), in units of 2^-60; t is at most n_positions. */
unsigned __int128 sl_schedule_target(const struct sl_schedule *s, size_t source, uint64_t t);

/* The least t with T_i(t) >= target (a number of the same units);
 * SL_SCHEDULE_NEVER where the schedule ends before. */
uint64_t sl_schedule_reach(const struct sl_schedule *s, size_t source, unsigned __int128 target);

/* The greatest t with T_i(t) <= units: up to there an assignment (assign.h) never asks the
 * source for more than units items. This is where to end a segment if a source holds no more. */
uint64_t sl_schedule_lasts(const struct sl_schedule *s, size_t source, uint64_t units);

#endif
