/* SPDX-License-Identifier: Apache-2.0 */
/* Batches as borrowed views. A batch owns a body and an arena, both kept over
 * resets so that a recycled batch allocates nothing; the arena keeps a bounded
 * part, since one huge batch must not hold its memory for ever. */
#include "arrow/batch.h"

static const size_t arena_keep_bytes = (size_t)64 << 20;

void sl_batch_init(struct sl_batch *b)
{
    *b = (struct sl_batch){ .off = -1 };
    sl_buf_init(&b->body, SL_MAX_BODY_BYTES);
    sl_arena_init(&b->arena, arena_keep_bytes);
}

void sl_batch_release(struct sl_batch *b)
{
    sl_buf_release(&b->body);
    sl_arena_release(&b->arena);
    sl_batch_init(b);
}

void sl_batch_reset(struct sl_batch *b)
{
    b->schema = NULL;
    b->n_rows = 0;
    b->columns = NULL;
    b->seq = 0;
    b->off = -1;
    sl_buf_reset(&b->body);
    sl_arena_reset(&b->arena);
}

int64_t sl_column_bytes(const struct sl_column *c, int64_t from, int64_t n)
{
    const struct sl_field *f = c->field;
    if (sl_type_has_offsets(f->type)) {
        int64_t start = sl_column_start(c, from), end = sl_column_start(c, from + n);
        int64_t bytes = (n + 1) * (sl_type_is_large(f->type) ? 8 : 4);
        return bytes + (sl_type_is_bytes(f->type)
                            ? end - start
                            : sl_column_bytes(&c->children[0], start, end - start));
    }
    if (f->type == SL_T_BOOL)
        return (n + 7) / 8;
    if (f->type == SL_T_FIXED_LIST)
        return sl_column_bytes(&c->children[0], from * f->size, n * f->size);
    int64_t bytes = n * sl_type_width(f);
    for (uint32_t i = 0; i < f->n_children; i++)
        bytes += sl_column_bytes(&c->children[i], from, n);
    return bytes;
}

int64_t sl_batch_bytes(const struct sl_batch *b)
{
    int64_t bytes = 0;
    for (uint32_t i = 0; b->schema && i < b->schema->n_fields; i++)
        bytes += sl_column_bytes(&b->columns[i], 0, b->n_rows);
    return bytes;
}

const struct sl_column *sl_batch_column(const struct sl_batch *b, const char *name)
{
    int i = b->schema ? sl_schema_find(b->schema, name) : -1;
    return i < 0 ? NULL : &b->columns[i];
}

int64_t sl_column_int(const struct sl_column *c, int64_t row)
{
    switch (c->field->type) {
    case SL_T_INT8:
        return ((const int8_t *)c->data)[row];
    case SL_T_INT16:
        return ((const int16_t *)(const void *)c->data)[row];
    case SL_T_INT32:
        return ((const int32_t *)(const void *)c->data)[row];
    case SL_T_UINT8:
        return c->data[row];
    case SL_T_UINT16:
        return ((const uint16_t *)(const void *)c->data)[row];
    case SL_T_UINT32:
        return ((const uint32_t *)(const void *)c->data)[row];
    case SL_T_INT64:
    case SL_T_UINT64:
    case SL_T_TIMESTAMP:
        return ((const int64_t *)(const void *)c->data)[row];
    default:
        return 0;
    }
}

double sl_column_real(const struct sl_column *c, int64_t row)
{
    if (c->field->type == SL_T_FLOAT32)
        return (double)((const float *)(const void *)c->data)[row];
    if (c->field->type == SL_T_FLOAT64)
        return ((const double *)(const void *)c->data)[row];
    return 0;
}

bool sl_column_bool(const struct sl_column *c, int64_t row)
{
    return c->field->type == SL_T_BOOL && (c->data[row >> 3] >> (row & 7) & 1);
}
