/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_FOREIGN_H
#define SL_ARROW_FOREIGN_H

/* Make a batch of others canonical (docs/stream.md section 3).
 *
 * b         its columns as sl_body_columns gives them when not strict. Columns
 *           that are canonical already stay where they are; the others are
 *           rebuilt in the batch's arena: offsets from 0, nulls zero or empty
 *           and nothing marked below them, no validity without nulls.
 * scratch   reset by the call.
 * Errors    SL_E_DATA: offsets that fall or lead outside, too few rows in a
 *           child, text that is not UTF-8, nulls in a field without any, a
 *           batch larger than a body may be. SL_E_SYSTEM where memory is out.
 * Memory    no more than the canonical batch has, and up to 50 bytes for each run
 *           of nulls or of values of the column at hand and of those above it.
 * Threads   one thread at a time. */

#include "arrow/batch.h"

SL_MUST_USE enum sl_status sl_foreign_batch(struct sl_batch *b, struct sl_arena *scratch,
                                            struct sl_err *err);

#endif
