/* SPDX-License-Identifier: Apache-2.0 */
/* A list of places for every value, all in one array whose unused entries are a list too.
 *
 * Why       values are often many and blocks large, and most blocks are not nearly full at
 *           once: rooms of a whole block for each value would be the larger part empty.
 * Invariant no more than n_values (size - 1) + 1 places wait: a block that is full is taken
 *           before the next place is added. */
#include "order/plan_blocks.h"

#include <stdlib.h>

#include "order/plan_order.h"

#define NONE UINT32_MAX

struct node {
    struct sl_plan_place place;
    uint32_t next;
};

_Static_assert(sizeof(struct node) == SL_PLAN_BLOCKS_BYTES, "what memory is counted by");

struct sl_plan_blocks {
    uint64_t size;
    uint32_t n_values, n_waiting, n_nodes;
    uint32_t *first, *last, *count; /* of each value */
    struct node *nodes;
    uint32_t n_used, spare; /* nodes that were ever used; the first of those given back */
    uint32_t taken;         /* the value whose block is coming out; n_values: none */
    bool ended;
};

uint64_t sl_plan_blocks_most(uint64_t n_values, uint64_t size, uint64_t n_places)
{
    uint64_t most = n_values * (size - 1) + 1;
    return most < n_places ? most : n_places;
}

enum sl_status sl_plan_blocks_new(struct sl_plan_blocks **out, uint32_t n_values, uint64_t size,
                                  uint64_t n_places, struct sl_err *err)
{
    uint64_t most = sl_plan_blocks_most(n_values, size, n_places);
    if (most >= NONE)
        return sl_err_set(err, SL_E_DATA, "blocks of %llu rows with %lu values are too many",
                          (unsigned long long)size, (unsigned long)n_values);
    struct sl_plan_blocks *b = *out = calloc(1, sizeof *b);
    if (!b)
        return sl_err_nomem(err, sizeof *b);
    *b = (struct sl_plan_blocks){ .size = size,
                                  .n_values = n_values,
                                  .n_nodes = (uint32_t)most,
                                  .spare = NONE,
                                  .taken = n_values };
    b->first = calloc(n_values, sizeof *b->first);
    b->last = calloc(n_values, sizeof *b->last);
    b->count = calloc(n_values, sizeof *b->count);
    b->nodes = malloc((most + 1) * sizeof *b->nodes);
    if (b->first && b->last && b->count && b->nodes)
        return SL_OK;
    sl_plan_blocks_free(b);
    *out = NULL;
    return sl_err_nomem(err, most * sizeof *b->nodes + 12 * (size_t)n_values);
}

void sl_plan_blocks_free(struct sl_plan_blocks *b)
{
    if (!b)
        return;
    free(b->first);
    free(b->last);
    free(b->count);
    free(b->nodes);
    free(b);
}

static uint32_t new_node(struct sl_plan_blocks *b)
{
    uint32_t at = b->spare;
    if (at == NONE)
        return b->n_used++;
    b->spare = b->nodes[at].next;
    return at;
}

void sl_plan_blocks_add(struct sl_plan_blocks *b, uint32_t value, const struct sl_plan_place *p)
{
    uint32_t at = new_node(b);
    b->nodes[at] = (struct node){ *p, NONE };
    if (b->count[value]++)
        b->nodes[b->last[value]].next = at;
    else
        b->first[value] = at;
    b->last[value] = at;
    b->n_waiting++;
    if (b->count[value] == b->size)
        b->taken = value;
}

bool sl_plan_blocks_take(struct sl_plan_blocks *b, struct sl_plan_place *out)
{
    while (b->ended && b->n_waiting && !b->count[b->taken])
        b->taken++;
    uint32_t value = b->taken;
    if (value == b->n_values || !b->n_waiting)
        return false;
    uint32_t at = b->first[value];
    *out = b->nodes[at].place;
    b->first[value] = b->nodes[at].next;
    b->nodes[at].next = b->spare;
    b->spare = at;
    b->n_waiting--;
    if (!--b->count[value] && !b->ended)
        b->taken = b->n_values;
    return true;
}

bool sl_plan_blocks_end(struct sl_plan_blocks *b)
{
    b->ended = true;
    b->taken = 0;
    return b->n_waiting > 0;
}
