/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_CANON_H
#define SL_ARROW_CANON_H

/* Is a batch canonical? The rules of docs/stream.md section 3 that concern
 * values: shapes, validity, offsets, what is below nulls, UTF-8.
 *
 * Returns   SL_OK, or the given status with the column's name and the rule.
 * Trust     only that each buffer has the bytes that its column says: offsets
 *           n + 1 entries, validity and bools (n + 7) / 8 bytes. data_bytes and
 *           children of a wrong size are found. Linear in the batch.
 * Threads   pure. */

#include "arrow/batch.h"

SL_MUST_USE enum sl_status sl_batch_canonical(const struct sl_batch *b, enum sl_status status,
                                              struct sl_err *err);

#endif
