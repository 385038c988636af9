/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_ROWS_H
#define SL_ARROW_ROWS_H

/* Rows under construction: by value, or gathered from batches ("take").
 *
 * What is built is canonical: nulls are zeroed, no validity without nulls,
 * offsets start at 0.
 *
 * Ownership  the builder's memory is reused after a reset; a column that was
 *            lent dies at the builder's next change.
 * Errors     SL_E_DATA where 32-bit offsets overflow or a body limit is passed;
 *            SL_E_SYSTEM where memory is out; SL_E_BUG where a value does not
 *            fit the column's type or a null comes to a field without nulls.
 * Threads    one thread at a time. */

#include "arrow/batch.h"

struct sl_colbuf {
    const struct sl_field *field;
    int64_t n, n_nulls;
    struct sl_buf validity; /* bits; filled from the first null on */
    struct sl_buf offsets;
    struct sl_buf data;
    struct sl_colbuf *children;
};

SL_MUST_USE enum sl_status sl_colbuf_init(struct sl_colbuf *c, const struct sl_field *field,
                                          struct sl_err *err);
void sl_colbuf_release(struct sl_colbuf *c);
void sl_colbuf_reset(struct sl_colbuf *c);

SL_MUST_USE enum sl_status sl_colbuf_add_null(struct sl_colbuf *c, struct sl_err *err);
/* utf8, binary (any size), fixed_size_binary (exactly its size). The caller
 * answers for UTF-8. */
SL_MUST_USE enum sl_status sl_colbuf_add_str(struct sl_colbuf *c, struct sl_str s,
                                             struct sl_err *err);
/* Integers (range-checked) and timestamps; for uint64 over INT64_MAX cast. */
SL_MUST_USE enum sl_status sl_colbuf_add_int(struct sl_colbuf *c, int64_t v, struct sl_err *err);
SL_MUST_USE enum sl_status sl_colbuf_add_real(struct sl_colbuf *c, double v, struct sl_err *err);
SL_MUST_USE enum sl_status sl_colbuf_add_bool(struct sl_colbuf *c, bool v, struct sl_err *err);
/* One row of a list or fixed-size list whose child has fixed width and no
 * nulls: n items, packed as in the child's values buffer. */
SL_MUST_USE enum sl_status sl_colbuf_add_items(struct sl_colbuf *c, const void *items, size_t n,
                                               struct sl_err *err);
/* End one row of a list, fixed-size list or struct after its items or members
 * were added to the children. */
SL_MUST_USE enum sl_status sl_colbuf_close(struct sl_colbuf *c, struct sl_err *err);

/* Gather rows of a column of the same type; rows may repeat and come in any order. */
SL_MUST_USE enum sl_status sl_colbuf_take(struct sl_colbuf *c, const struct sl_column *from,
                                          const uint32_t *rows, size_t n_rows, struct sl_err *err);
SL_MUST_USE enum sl_status sl_colbuf_take_range(struct sl_colbuf *c, const struct sl_column *from,
                                                int64_t first, int64_t n_rows, struct sl_err *err);

/* Lend what was built. out->children is allocated in arena. */
SL_MUST_USE enum sl_status sl_colbuf_lend(struct sl_colbuf *c, struct sl_column *out,
                                          struct sl_arena *arena, struct sl_err *err);

/* All columns of a schema. */
struct sl_rows {
    const struct sl_schema *schema;
    int64_t n;
    struct sl_colbuf *cols; /* schema->n_fields */
};

/* The schema must outlive the rows. */
SL_MUST_USE enum sl_status sl_rows_init(struct sl_rows *r, const struct sl_schema *schema,
                                        struct sl_err *err);
void sl_rows_release(struct sl_rows *r);
void sl_rows_reset(struct sl_rows *r);

/* Add rows of a batch with the same fields. */
SL_MUST_USE enum sl_status sl_rows_take(struct sl_rows *r, const struct sl_batch *from,
                                        const uint32_t *rows, size_t n_rows, struct sl_err *err);
SL_MUST_USE enum sl_status sl_rows_take_range(struct sl_rows *r, const struct sl_batch *from,
                                              int64_t first, int64_t n_rows, struct sl_err *err);

/* After one value was added to every column: count the row. SL_E_BUG where a
 * column has another number of values. */
SL_MUST_USE enum sl_status sl_rows_close_row(struct sl_rows *r, struct sl_err *err);

/* The size (docs/stream.md section 3) of what is built. Constant time. */
int64_t sl_rows_bytes(const struct sl_rows *r);

/* Make out a view of what is built: out is reset first; its memory is its own
 * but for the buffers, which die at the next change of r. */
SL_MUST_USE enum sl_status sl_rows_lend(struct sl_rows *r, struct sl_batch *out,
                                        struct sl_err *err);

#endif
