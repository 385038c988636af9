/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_COPY_NUMBER_H
#define SL_ORDER_COPY_NUMBER_H

/* Numbers for the repetitions of an id whose rows stand in several places: the rows of
 * one id are numbered through, from 0, in the order of the rows.
 *
 *     sl_copy_numbers_add   every row, in order, with how often it is there
 *     sl_copy_numbers_end
 *     sl_copy_numbers_next  for every row again: the number of its first repetition
 *
 * Memory    mem_bytes in all; two external sorts.
 * Errors    SL_E_DATA: an id is there more than 65,536 times; SL_E_SYSTEM; SL_E_BUG
 *           behind the last row.
 * Threads   one thread at a time. */

#include "base/hash.h"
#include "base/status.h"

struct sl_copy_numbers;

#define SL_COPY_NUMBERS_LEAST_BYTES ((size_t)4 << 20)
enum { SL_COPIES_MAX = 65536 };

SL_MUST_USE enum sl_status sl_copy_numbers_new(struct sl_copy_numbers **out, size_t mem_bytes,
                                               const char *tmpdir, struct sl_err *err);
void sl_copy_numbers_free(struct sl_copy_numbers *c); /* NULL allowed */
SL_MUST_USE enum sl_status sl_copy_numbers_add(struct sl_copy_numbers *c, const uint8_t id[16],
                                               uint64_t n, struct sl_err *err);
SL_MUST_USE enum sl_status sl_copy_numbers_end(struct sl_copy_numbers *c, struct sl_err *err);
SL_MUST_USE enum sl_status sl_copy_numbers_next(struct sl_copy_numbers *c, uint64_t *first,
                                                struct sl_err *err);

#endif
