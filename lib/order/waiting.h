/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_WAITING_H
#define SL_ORDER_WAITING_H

/* Rows that wait in slots until it is known what becomes of them.
 *
 * Memory    of a slot: its most rows ever; nothing before its first row.
 * Threads   one thread at a time. */

#include "arrow/rows.h"

struct sl_waiting {
    const struct sl_schema *schema;
    struct sl_rows **slots; /* NULL: the slot never had a row */
    uint32_t n_slots;
};

/* The schema must outlive it. Takes no memory. */
void sl_waiting_init(struct sl_waiting *w, const struct sl_schema *schema);
void sl_waiting_release(struct sl_waiting *w); /* a zeroed one too */

/* Copy a row of a batch of the schema into a slot. */
SL_MUST_USE enum sl_status sl_waiting_add(struct sl_waiting *w, uint32_t slot,
                                          const struct sl_batch *b, int64_t row,
                                          struct sl_err *err);

/* The slot's rows need wait no longer. */
void sl_waiting_forget(struct sl_waiting *w, uint32_t slot);

/* The rows of a slot, in the order in which they came; NULL where there never
 * was one. Valid until its next change. */
struct sl_rows *sl_waiting_rows(const struct sl_waiting *w, uint32_t slot);

#endif
