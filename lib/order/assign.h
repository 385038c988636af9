/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_ASSIGN_H
#define SL_ORDER_ASSIGN_H

/* Which source fills a position, so that at every moment each source has had almost
 * exactly its part: the chairman assignment.
 *
 * Bound     after every position, for each of k sources, the number of items that it
 *           has given differs from its target T_i(t) by at most 1 - 1/(2k-2) (k = 1: by
 *           nothing); so every window of positions is within twice that. This holds for
 *           any schedule, also while its shares move, since the schedule is known ahead:
 *           no method that learns of changes only as they come can hold it.
 * Time      for shares that stand still a scan of the sources up to
 *           SL_ASSIGN_SCAN of them, O(log k) above; a change of shares in between costs
 *           O(log blocks) more. sl_assign_next allocates nothing.
 * Threads   one thread at a time for a struct; the schedule is only read.
 * Source    docs/orders.md, "Assignment"; R. Tijdeman, The chairman assignment
 *           problem, Discrete Mathematics 32 (1980), 323-330. */

#include "order/schedule.h"

#define SL_ASSIGN_SCAN 24

struct sl_assign;

/* Begin at position 0 of a schedule, which is complete and outlives it. SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_assign_new(struct sl_assign **out, const struct sl_schedule *s,
                                         struct sl_err *err);
void sl_assign_free(struct sl_assign *a); /* NULL allowed */

/* The source of the next position. false at the schedule's end. */
bool sl_assign_next(struct sl_assign *a, uint32_t *source);

/* Positions filled, and how many of them by a source, since the beginning or the last
 * sl_assign_switch. */
uint64_t sl_assign_position(const struct sl_assign *a);
uint64_t sl_assign_count(const struct sl_assign *a, size_t source);

/* Go on where another run of the same schedule stopped: what follows is what followed there,
 * for nothing else of the past matters.
 *
 * position  positions filled, at most those of the schedule.
 * counts    of each source; they sum to position.
 * Errors    SL_E_DATA where no assignment of this schedule can have come there: the counts do
 *           not sum up, or one is further from its target than the bound. a is then as before. */
SL_MUST_USE enum sl_status sl_assign_resume(struct sl_assign *a, uint64_t position,
                                            const uint64_t *counts, struct sl_err *err);

/* Go on with another schedule from its position 0 on, as where a source of unknown size
 * has run out: for changes that could not be announced. The bound holds from here on for
 * the new schedule alone; against the sum of both targets every switch may add one more
 * such error. The new schedule has as many sources; it may be the old one again. */
SL_MUST_USE enum sl_status sl_assign_switch(struct sl_assign *a, const struct sl_schedule *s,
                                            struct sl_err *err);

#endif
