/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_RUN_IDENTITY_H
#define SL_RUN_IDENTITY_H

/* Identities of documents: the 16 bytes of the id column.
 *
 * Threads   pure functions.
 * Source    docs/concepts.md, Identity. */

#include "base/hash.h"

/* The id of a given id, a WARC-Record-ID without blanks and angle brackets. */
struct sl_hash128 sl_id_of_given(struct sl_str given);

/* The id of a document without one: its source and offset. */
struct sl_hash128 sl_id_of_place(struct sl_str source, int64_t off);

#endif
