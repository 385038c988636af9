/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_STRATA_H
#define SL_ORDER_STRATA_H

/* The values of a column as numbers 0, 1, 2..., in the order in which they first
 * come; a null is a value like the others.
 *
 * Memory    counted: what the values take, and `each` bytes for every one of them
 *           that the caller keeps, are bounded.
 * Threads   one thread at a time. */

#include "arrow/batch.h"

struct sl_strata;

/* The type that a column must have for this: integers, bool, timestamp, utf8,
 * binary, fixed_size_binary. */
bool sl_strata_type(enum sl_type type);

SL_MUST_USE enum sl_status sl_strata_new(struct sl_strata **out, uint64_t max_bytes, size_t each,
                                         struct sl_err *err);
void sl_strata_free(struct sl_strata *s); /* NULL allowed */

/* The number of a row's value. SL_E_DATA where max_bytes would be passed. */
SL_MUST_USE enum sl_status sl_strata_of(struct sl_strata *s, const struct sl_column *c, int64_t row,
                                        uint32_t *number, struct sl_err *err);

uint32_t sl_strata_count(const struct sl_strata *s);

#endif
