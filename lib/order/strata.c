/* SPDX-License-Identifier: Apache-2.0 */
/* Values to numbers by an open hash table of at most half its places taken. The
 * value before is tried first, since rows of one source come together. */
#include "order/strata.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/num.h"

struct value {
    struct sl_str bytes; /* in the arena */
    bool null;
};

struct sl_strata {
    struct sl_arena arena;
    struct value *values; /* by number; half as many places as the table */
    uint32_t *table;      /* number + 1; 0: free */
    uint64_t mask, max_bytes;
    size_t each;
    uint32_t n, last;
};

enum { FIRST_PLACES = 256 };

bool sl_strata_type(enum sl_type t)
{
    return t <= SL_T_UINT64 || (t >= SL_T_BOOL && t <= SL_T_TIMESTAMP);
}

static enum sl_status grow(struct sl_strata *s, uint64_t places, struct sl_err *err)
{
    struct value *values = realloc(s->values, places / 2 * sizeof *values);
    if (!values)
        return sl_err_nomem(err, places / 2 * sizeof *values);
    s->values = values;
    uint32_t *table = calloc(places, sizeof *table);
    if (!table)
        return sl_err_nomem(err, places * sizeof *table);
    s->mask = places - 1;
    for (uint32_t i = 0; i < s->n; i++) {
        uint64_t at = sl_hash64(values[i].bytes.p, values[i].bytes.n) & s->mask;
        while (table[at])
            at = (at + 1) & s->mask;
        table[at] = i + 1;
    }
    free(s->table);
    s->table = table;
    return SL_OK;
}

enum sl_status sl_strata_new(struct sl_strata **out, uint64_t max_bytes, size_t each,
                             struct sl_err *err)
{
    struct sl_strata *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    s->max_bytes = max_bytes;
    s->each = each;
    sl_arena_init(&s->arena, 0);
    enum sl_status st = grow(s, FIRST_PLACES, err);
    if (st == SL_OK)
        *out = s;
    else
        sl_strata_free(s);
    return st;
}

void sl_strata_free(struct sl_strata *s)
{
    if (!s)
        return;
    sl_arena_release(&s->arena);
    free(s->values);
    free(s->table);
    free(s);
}

uint32_t sl_strata_count(const struct sl_strata *s)
{
    return s->n;
}

static bool is(const struct value *v, struct sl_str bytes, bool null)
{
    return v->null == null && sl_str_eq(v->bytes, bytes);
}

static enum sl_status add(struct sl_strata *s, struct sl_str bytes, bool null, const char *column,
                          struct sl_err *err)
{
    struct value *v = &s->values[s->n];
    uint64_t per = s->each + 2 * (sizeof *v + 2 * sizeof *s->table);
    if (s->arena.held_bytes + bytes.n + (s->n + 1) * per > s->max_bytes || s->n == UINT32_MAX - 1)
        return sl_err_set(err, SL_E_DATA,
                          "column '%s' has more different values (%u so far) than --mem has room "
                          "for",
                          column, s->n);
    v->null = null;
    v->bytes = (struct sl_str){ sl_arena_str(&s->arena, bytes), bytes.n };
    if (!v->bytes.p)
        return sl_err_nomem(err, bytes.n);
    s->last = s->n++;
    return 2 * (uint64_t)s->n > s->mask ? grow(s, 2 * (s->mask + 1), err) : SL_OK;
}

/* Numbers and bits as eight bytes. */
static struct sl_str bytes_of(const struct sl_column *c, int64_t row, uint8_t room[8])
{
    enum sl_type t = c->field->type;
    if (sl_type_is_bytes(t) || t == SL_T_FIXED_BINARY)
        return sl_column_str(c, row);
    sl_store64(room,
               t == SL_T_BOOL ? (uint64_t)sl_column_bool(c, row) : (uint64_t)sl_column_int(c, row));
    return (struct sl_str){ (const char *)room, 8 };
}

enum sl_status sl_strata_of(struct sl_strata *s, const struct sl_column *c, int64_t row,
                            uint32_t *number, struct sl_err *err)
{
    uint8_t room[8];
    bool null = sl_column_is_null(c, row);
    struct sl_str bytes = null ? SL_STR("") : bytes_of(c, row, room);
    if (!s->n || !is(&s->values[s->last], bytes, null)) {
        uint64_t at = sl_hash64(bytes.p, bytes.n) & s->mask;
        while (s->table[at] && !is(&s->values[s->table[at] - 1], bytes, null))
            at = (at + 1) & s->mask;
        if (s->table[at]) {
            s->last = s->table[at] - 1;
        } else {
            s->table[at] = s->n + 1;
            SL_TRY(add(s, bytes, null, c->field->name, err));
        }
    }
    *number = s->last;
    return SL_OK;
}
