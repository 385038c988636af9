/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_VALIDATE_H
#define SL_ARROW_VALIDATE_H

/* Is what was read canonical? The same verdicts as arrow/canon.h, at the speed
 * of a reader: whole columns a loop, nulls by words of their bitmap.
 *
 * Returns   SL_OK or SL_E_DATA with the column's name and the rule.
 * Trust     that each buffer has the bytes that its column says (offsets n + 1
 *           entries, validity and bools (n + 7) / 8 bytes, values data_bytes),
 *           that offsets and values are aligned for their type, and that the
 *           tree has the schema's form. Nothing in the buffers is trusted.
 * Threads   pure. */

#include "arrow/batch.h"

SL_MUST_USE enum sl_status sl_batch_validate(const struct sl_batch *b, struct sl_err *err);

/* One column, without its number of rows being compared with the batch's. */
SL_MUST_USE enum sl_status sl_column_validate(const struct sl_column *c, struct sl_err *err);

/* The first of bits [from, n) that is as wanted; n where none is. */
int64_t sl_bits_find(const uint8_t *bits, int64_t from, int64_t n, bool wanted);

#endif
