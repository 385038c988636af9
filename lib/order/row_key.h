/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_ROW_KEY_H
#define SL_ORDER_ROW_KEY_H

/* Orders of rows: "difficulty_compression, id desc" becomes, for every row, a
 * byte string, and memcmp of these strings is the order.
 *
 * A list of columns, separated by commas: COLUMN [asc|desc], blanks are free.
 * Columns may be integers, floats, bool, utf8, binary, fixed_size_binary and
 * timestamps, at any width. id, then copy are always appended, ascending, where
 * the schema has them and the list has not named them.
 *
 *   nulls     last, ascending and descending
 *   text      by its bytes (UTF-8: by code points); what is shorter comes first
 *   bool      false before true
 *   floats    by value; -0 and 0 are equal; NaN, which no stream has, counts as
 *             larger than all numbers
 *   desc      the values turned round, nothing else
 *
 * No key is the beginning of another one, so keys may be cut, padded with zeros
 * or put behind one another and still compare rightly.
 *
 * Lifetime  the schema must outlive the keys; batches must have its fields.
 * Threads   const after it was made; then any number of threads. */

#include "arrow/batch.h"

struct sl_row_keys;

/* by        may be NULL or empty: id and copy alone.
 * Errors    SL_E_USAGE where by is no such list or names a column twice;
 *           SL_E_DATA where the schema has no such column (the nearest is named),
 *           a list or struct is to be ordered, or there is nothing to order by;
 *           SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_row_keys_parse(struct sl_row_keys **out, const char *by,
                                             const struct sl_schema *schema, struct sl_err *err);

/* The order of a shuffle: by sl_row_hash(id, copy, row_seed), then id, then copy.
 * SL_E_DATA where the schema has no id of 16 bytes or its copy is not uint16. */
SL_MUST_USE enum sl_status sl_row_keys_shuffle(struct sl_row_keys **out, uint64_t row_seed,
                                               const struct sl_schema *schema, struct sl_err *err);

/* Mark in wanted, one a field of the schema, the columns that keys are made of. */
void sl_row_keys_mark(const struct sl_row_keys *k, bool *wanted);

/* Append the row's key to out.
 *
 * has_null  may be NULL; is a column that the list names null in this row?
 * Errors    SL_E_DATA where out's maximum would be passed, SL_E_SYSTEM. out is then
 *           as long as before. */
SL_MUST_USE enum sl_status sl_row_keys_add(const struct sl_row_keys *k, const struct sl_batch *b,
                                           int64_t row, struct sl_buf *out, bool *has_null,
                                           struct sl_err *err);

/* The order of places that the caller gives: of row i it is (*places)[i], which must be
 * valid whenever a key is made; nothing of the row is looked at. */
SL_MUST_USE enum sl_status sl_row_keys_places(struct sl_row_keys **out,
                                              const uint64_t *const *places, struct sl_err *err);

void sl_row_keys_free(struct sl_row_keys *k); /* NULL allowed */

#endif
