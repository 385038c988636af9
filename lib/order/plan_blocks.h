/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_BLOCKS_H
#define SL_ORDER_PLAN_BLOCKS_H

/* Places in blocks of one value: each goes into the open block of its value, a block that
 * is full comes out at once, and in the end those that are not full, in the order of their
 * values. Places of one value keep their order.
 *
 *     while (sl_plan_blocks_take(b, &place)) ...     before every add, and after the end
 *
 * Memory    32 bytes for each place that can wait, at most n_values (size - 1) + 1, or n_places
 *           where that is less; 12 a value.
 * Threads   one thread at a time.
 * Source    docs/curriculum.md, "Blocks". */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { SL_PLAN_BLOCKS_BYTES = 32 }; /* of a place that waits */

struct sl_plan_place;
struct sl_plan_blocks;

/* n_values is 1 or more, size at least 1; n_places is how many places there will be at most. */
SL_MUST_USE enum sl_status sl_plan_blocks_new(struct sl_plan_blocks **out, uint32_t n_values,
                                              uint64_t size, uint64_t n_places, struct sl_err *err);
void sl_plan_blocks_free(struct sl_plan_blocks *b); /* NULL allowed */

/* How many places can wait at once. */
uint64_t sl_plan_blocks_most(uint64_t n_values, uint64_t size, uint64_t n_places);

/* value is below n_values; no block is waiting to be taken. */
void sl_plan_blocks_add(struct sl_plan_blocks *b, uint32_t value, const struct sl_plan_place *p);
/* The next place of a block that is full, or of any after the end; false where there is none. */
bool sl_plan_blocks_take(struct sl_plan_blocks *b, struct sl_plan_place *out);
/* No place comes any more: let the open blocks out. False where there are none. */
bool sl_plan_blocks_end(struct sl_plan_blocks *b);

#endif
