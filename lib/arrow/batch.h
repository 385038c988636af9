/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_BATCH_H
#define SL_ARROW_BATCH_H

/* Batches: rows of a schema, column by column, in the canonical form of
 * docs/stream.md section 3.
 *
 * Ownership  columns point into memory of the batch (body, arena), or into
 *            memory that outlives its use (builders, other batches): they are
 *            borrowed views. Everything of a batch dies at its reset.
 * Threads    one thread at a time; a batch may move between threads. */

#include "arrow/schema.h"

struct sl_column {
    const struct sl_field *field;
    int64_t n; /* rows */
    int64_t n_nulls;
    const uint8_t *validity; /* NULL where n_nulls is 0 */
    const void *offsets;     /* int32_t or int64_t [n + 1]; NULL for types without */
    const uint8_t *data;     /* values, bytes or bits; NULL for lists and structs */
    int64_t data_bytes;
    struct sl_column *children; /* field->n_children of them */
};

struct sl_batch {
    const struct sl_schema *schema;
    int64_t n_rows;
    struct sl_column *columns; /* schema->n_fields of them */
    int64_t seq;               /* number of the batch in its stream, from 0 */
    int64_t off;               /* byte offset of its message, -1 if made here */
    struct sl_buf body;        /* the message body that was read */
    struct sl_arena arena;
};

/* A tool that makes rows ends a batch after the row that brings it to this size,
 * or at so many rows (docs/stream.md section 3). */
enum { SL_BATCH_MADE_BYTES = 1024 * 1024, SL_BATCH_MADE_ROWS = 16384 };

void sl_batch_init(struct sl_batch *b);
void sl_batch_release(struct sl_batch *b);
void sl_batch_reset(struct sl_batch *b); /* memory is kept for the next use */

/* The batch's size as docs/stream.md defines it (what decides where batches end). */
int64_t sl_batch_bytes(const struct sl_batch *b);
/* The size of rows [from, from + n) of one column, children included. */
int64_t sl_column_bytes(const struct sl_column *c, int64_t from, int64_t n);

/* The column of that name, NULL where there is none. */
const struct sl_column *sl_batch_column(const struct sl_batch *b, const char *name);

static inline bool sl_column_is_null(const struct sl_column *c, int64_t row)
{
    return c->n_nulls && !(c->validity[row >> 3] >> (row & 7) & 1);
}

/* Start and end of a row of a type with offsets: bytes, or rows of the child. */
static inline int64_t sl_column_start(const struct sl_column *c, int64_t row)
{
    return sl_type_is_large(c->field->type) ? ((const int64_t *)c->offsets)[row]
                                            : ((const int32_t *)c->offsets)[row];
}

/* The bytes of a row of utf8, binary or fixed_size_binary; empty for a null. */
static inline struct sl_str sl_column_str(const struct sl_column *c, int64_t row)
{
    if (c->field->type == SL_T_FIXED_BINARY) {
        size_t w = (size_t)c->field->size;
        return (struct sl_str){ (const char *)c->data + (size_t)row * w, w };
    }
    int64_t from = sl_column_start(c, row);
    return (struct sl_str){ (const char *)c->data + from,
                            (size_t)(sl_column_start(c, row + 1) - from) };
}

/* A row of an integer or timestamp column (unsigned 64-bit ones as bits), of a
 * float column, of a bool column. 0 for a null. The type must fit. */
int64_t sl_column_int(const struct sl_column *c, int64_t row);
double sl_column_real(const struct sl_column *c, int64_t row);
bool sl_column_bool(const struct sl_column *c, int64_t row);

#endif
