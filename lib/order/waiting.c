/* SPDX-License-Identifier: Apache-2.0 */
/* Rows in slots: an array of row builders, made at a slot's first row. One
 * builder for all slots would be smaller where slots are many, but would need
 * compaction; slots are few where rows are forgotten often. */
#include "order/waiting.h"

#include <stdlib.h>
#include <string.h>

void sl_waiting_init(struct sl_waiting *w, const struct sl_schema *schema)
{
    *w = (struct sl_waiting){ .schema = schema };
}

void sl_waiting_release(struct sl_waiting *w)
{
    for (uint32_t i = 0; i < w->n_slots; i++) {
        if (w->slots[i])
            sl_rows_release(w->slots[i]);
        free(w->slots[i]);
    }
    free(w->slots);
    *w = (struct sl_waiting){ .schema = NULL };
}

static enum sl_status grow(struct sl_waiting *w, uint32_t slot, struct sl_err *err)
{
    size_t n = (size_t)slot + 1 + slot / 2;
    if (n > UINT32_MAX)
        return sl_err_set(err, SL_E_BUG, "slot %u", slot);
    struct sl_rows **slots = realloc(w->slots, n * sizeof(struct sl_rows *));
    if (!slots)
        return sl_err_nomem(err, n * sizeof(struct sl_rows *));
    memset(slots + w->n_slots, 0, (n - w->n_slots) * sizeof(struct sl_rows *));
    w->slots = slots;
    w->n_slots = (uint32_t)n;
    return SL_OK;
}

static enum sl_status begin_slot(struct sl_waiting *w, uint32_t slot, struct sl_err *err)
{
    struct sl_rows *r = calloc(1, sizeof *r);
    if (!r)
        return sl_err_nomem(err, sizeof *r);
    enum sl_status st = sl_rows_init(r, w->schema, err);
    if (st != SL_OK) {
        free(r);
        return st;
    }
    w->slots[slot] = r;
    return SL_OK;
}

enum sl_status sl_waiting_add(struct sl_waiting *w, uint32_t slot, const struct sl_batch *b,
                              int64_t row, struct sl_err *err)
{
    if (slot >= w->n_slots)
        SL_TRY(grow(w, slot, err));
    if (!w->slots[slot])
        SL_TRY(begin_slot(w, slot, err));
    return sl_rows_take_range(w->slots[slot], b, row, 1, err);
}

void sl_waiting_forget(struct sl_waiting *w, uint32_t slot)
{
    struct sl_rows *r = sl_waiting_rows(w, slot);
    if (r)
        sl_rows_reset(r);
}

struct sl_rows *sl_waiting_rows(const struct sl_waiting *w, uint32_t slot)
{
    return slot < w->n_slots ? w->slots[slot] : NULL;
}
