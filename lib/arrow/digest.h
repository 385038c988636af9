/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_DIGEST_H
#define SL_ARROW_DIGEST_H

/* Column and stream digests, which do not know batch borders.
 *
 * Threads   one thread at a time.
 * Source    docs/stream.md section 7. */

#include "arrow/batch.h"
#include "base/hash.h"

struct sl_digest;

/* The schema must outlive the digest. NULL: out of memory. */
struct sl_digest *sl_digest_new(const struct sl_schema *schema);
void sl_digest_free(struct sl_digest *d);

/* Add the rows of one column of a canonical batch, batch after batch. */
void sl_digest_add(struct sl_digest *d, uint32_t column, const struct sl_column *c);

/* Add all columns. */
void sl_digest_add_batch(struct sl_digest *d, const struct sl_batch *b);

/* The digest of one column; of all. More rows may still follow. */
struct sl_hash128 sl_digest_column(const struct sl_digest *d, uint32_t column);

/* The stream digest of n column digests. */
struct sl_hash128 sl_digest_stream(const struct sl_hash128 *columns, uint32_t n);

#endif
