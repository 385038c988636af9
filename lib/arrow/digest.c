/* SPDX-License-Identifier: Apache-2.0 */
/* Digests that do not know batch borders. Every node of a column has up to
 * three running hashes; one that the type never feeds is not made, and counts
 * as the hash of nothing. What is hashed but does not stand in a buffer (a byte
 * a row for validity and bools, a u64 a row for lengths) is made in blocks on
 * the stack; a column without nulls hashes a constant block. */
#include "arrow/digest.h"

#include <stdlib.h>

#include "arrow/bits.h"

enum { PART_VALIDITY, PART_LENGTHS, PART_VALUES, N_PARTS };
enum { BLOCK_ROWS = 4096, BLOCK_LENGTHS = 512 };

struct node {
    struct sl_hasher *part[N_PARTS];
};

struct column {
    uint32_t first, n_nodes;
};

struct sl_digest {
    const struct sl_schema *schema;
    struct column *columns;
    struct node *nodes; /* of all columns, in pre-order */
    uint32_t n_nodes;
    struct sl_hasher *sum;
    struct sl_buf *prefix; /* per column: name, 0, type, 0 */
};

static uint32_t count_nodes(const struct sl_field *f)
{
    uint32_t n = 1;
    for (uint32_t i = 0; i < f->n_children; i++)
        n += count_nodes(&f->children[i]);
    return n;
}

static bool new_part(struct node *n, int part)
{
    n->part[part] = sl_hasher_new();
    if (n->part[part])
        sl_hasher_reset128(n->part[part]);
    return n->part[part] != NULL;
}

/* The hashers of a field and its children; *at is the next node. */
static bool new_nodes(struct sl_digest *d, const struct sl_field *f, uint32_t *at)
{
    struct node *n = &d->nodes[(*at)++];
    if (f->nullable && !new_part(n, PART_VALIDITY))
        return false;
    if (sl_type_has_offsets(f->type) && !new_part(n, PART_LENGTHS))
        return false;
    if (f->n_children == 0 && !new_part(n, PART_VALUES))
        return false;
    for (uint32_t i = 0; i < f->n_children; i++)
        if (!new_nodes(d, &f->children[i], at))
            return false;
    return true;
}

static bool new_column(struct sl_digest *d, uint32_t i, uint32_t *at)
{
    const struct sl_field *f = d->schema->fields[i];
    struct sl_buf *b = &d->prefix[i];
    sl_buf_init(b, SL_MAX_META_BYTES);
    d->columns[i] = (struct column){ *at, count_nodes(f) };
    return new_nodes(d, f, at) && sl_buf_add(b, f->name, strlen(f->name) + 1, NULL) == SL_OK &&
           sl_type_format(f, b, NULL) == SL_OK && sl_buf_add_byte(b, 0, NULL) == SL_OK;
}

struct sl_digest *sl_digest_new(const struct sl_schema *schema)
{
    struct sl_digest *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->schema = schema;
    for (uint32_t i = 0; i < schema->n_fields; i++)
        d->n_nodes += count_nodes(schema->fields[i]);
    d->columns = calloc(schema->n_fields + 1, sizeof *d->columns);
    d->prefix = calloc(schema->n_fields + 1, sizeof *d->prefix);
    d->nodes = calloc(d->n_nodes + 1, sizeof *d->nodes);
    d->sum = sl_hasher_new();
    bool ok = d->columns && d->prefix && d->nodes && d->sum;
    uint32_t at = 0;
    for (uint32_t i = 0; ok && i < schema->n_fields; i++)
        ok = new_column(d, i, &at);
    if (ok)
        return d;
    sl_digest_free(d);
    return NULL;
}

void sl_digest_free(struct sl_digest *d)
{
    if (!d)
        return;
    for (uint32_t i = 0; d->nodes && i < d->n_nodes; i++)
        for (int k = 0; k < N_PARTS; k++)
            if (d->nodes[i].part[k])
                sl_hasher_free(d->nodes[i].part[k]);
    for (uint32_t i = 0; d->prefix && i < d->schema->n_fields; i++)
        sl_buf_release(&d->prefix[i]);
    if (d->sum)
        sl_hasher_free(d->sum);
    free(d->columns);
    free(d->prefix);
    free(d->nodes);
    free(d);
}

static void add_bits(struct sl_hasher *h, const uint8_t *bits, int64_t n)
{
    uint8_t block[BLOCK_ROWS];
    if (!bits)
        memset(block, 1, sizeof block);
    for (int64_t i = 0; i < n; i += BLOCK_ROWS) {
        int64_t k = n - i < BLOCK_ROWS ? n - i : BLOCK_ROWS;
        if (bits)
            sl_bits_spread(bits, i, k, block);
        sl_hasher_add128(h, block, (size_t)k);
    }
}

static void add_lengths(struct sl_hasher *h, const struct sl_column *c)
{
    uint64_t block[BLOCK_LENGTHS];
    for (int64_t i = 0; i < c->n; i += BLOCK_LENGTHS) {
        int64_t n = c->n - i < BLOCK_LENGTHS ? c->n - i : BLOCK_LENGTHS;
        if (sl_type_is_large(c->field->type)) {
            const int64_t *at = (const int64_t *)c->offsets + i;
            for (int64_t k = 0; k < n; k++)
                block[k] = (uint64_t)(at[k + 1] - at[k]);
        } else {
            const int32_t *at = (const int32_t *)c->offsets + i;
            for (int64_t k = 0; k < n; k++)
                block[k] = (uint64_t)(at[k + 1] - at[k]);
        }
        sl_hasher_add128(h, block, (size_t)n * sizeof block[0]);
    }
}

static void add_column(struct sl_digest *d, const struct sl_column *c, uint32_t *at)
{
    const struct node *n = &d->nodes[(*at)++];
    if (n->part[PART_VALIDITY])
        add_bits(n->part[PART_VALIDITY], c->n_nulls ? c->validity : NULL, c->n);
    if (n->part[PART_LENGTHS])
        add_lengths(n->part[PART_LENGTHS], c);
    if (n->part[PART_VALUES] && c->field->type == SL_T_BOOL) {
        if (c->n)
            add_bits(n->part[PART_VALUES], c->data, c->n);
    } else if (n->part[PART_VALUES] && c->data_bytes) {
        sl_hasher_add128(n->part[PART_VALUES], c->data, (size_t)c->data_bytes);
    }
    for (uint32_t i = 0; i < c->field->n_children; i++)
        add_column(d, &c->children[i], at);
}

void sl_digest_add(struct sl_digest *d, uint32_t column, const struct sl_column *c)
{
    uint32_t at = d->columns[column].first;
    add_column(d, c, &at);
}

void sl_digest_add_batch(struct sl_digest *d, const struct sl_batch *b)
{
    for (uint32_t i = 0; i < d->schema->n_fields; i++)
        sl_digest_add(d, i, &b->columns[i]);
}

struct sl_hash128 sl_digest_column(const struct sl_digest *d, uint32_t column)
{
    const struct column *c = &d->columns[column];
    sl_hasher_reset128(d->sum);
    sl_hasher_add128(d->sum, d->prefix[column].p, d->prefix[column].n);
    for (uint32_t i = 0; i < c->n_nodes; i++)
        for (int k = 0; k < N_PARTS; k++) {
            const struct sl_hasher *part = d->nodes[c->first + i].part[k];
            struct sl_hash128 h = part ? sl_hasher_end128(part) : sl_hash128("", 0);
            sl_hasher_add128(d->sum, h.b, sizeof h.b);
        }
    return sl_hasher_end128(d->sum);
}

struct sl_hash128 sl_digest_stream(const struct sl_hash128 *columns, uint32_t n)
{
    return sl_hash128(columns, n * sizeof *columns);
}
