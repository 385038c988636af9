/* SPDX-License-Identifier: Apache-2.0 */
/* An open table over an array of counts. A sketch that keeps the heavy keys of
 * any number (space saving) was left: its counts are bounds, and the domains of
 * a report are few or the page shows twenty of them anyway. */
#include "report/key_counts.h"

#include <stdlib.h>

#include "base/hash.h"

enum { SLOTS = 2 * SL_KEYS_MAX };

void sl_key_counts_init(struct sl_key_counts *c)
{
    *c = (struct sl_key_counts){ 0 };
    sl_arena_init(&c->arena, 0);
}

void sl_key_counts_release(struct sl_key_counts *c)
{
    free(c->keys);
    free(c->slots);
    sl_arena_release(&c->arena);
    *c = (struct sl_key_counts){ 0 };
}

static void count(struct sl_key_count *k, int64_t amount)
{
    k->rows++;
    k->amount += amount;
}

static enum sl_status begin(struct sl_key_counts *c, struct sl_err *err)
{
    c->keys = calloc(SL_KEYS_MAX, sizeof *c->keys);
    c->slots = calloc(SLOTS, sizeof *c->slots);
    return c->keys && c->slots ? SL_OK : sl_err_nomem(err, SL_KEYS_MAX * sizeof *c->keys);
}

enum sl_status sl_key_counts_add(struct sl_key_counts *c, struct sl_str key, int64_t amount,
                                 struct sl_err *err)
{
    count(&c->all, amount);
    if (!key.n) {
        count(&c->none, amount);
        return SL_OK;
    }
    if (!c->slots)
        SL_TRY(begin(c, err));
    key.n = key.n < SL_KEY_BYTES ? key.n : SL_KEY_BYTES;
    uint32_t at = (uint32_t)(sl_hash64(key.p, key.n) % SLOTS);
    while (c->slots[at] && !sl_str_eq(c->keys[c->slots[at] - 1].key, key))
        at = (at + 1) % SLOTS;
    if (!c->slots[at]) {
        if (c->n_keys == SL_KEYS_MAX) {
            count(&c->others, amount);
            return SL_OK;
        }
        const char *copy = sl_arena_str(&c->arena, key);
        if (!copy)
            return sl_err_nomem(err, key.n);
        c->keys[c->n_keys].key = (struct sl_str){ copy, key.n };
        c->slots[at] = ++c->n_keys;
    }
    count(&c->keys[c->slots[at] - 1], amount);
    return SL_OK;
}

static int most_first(const void *a, const void *b)
{
    const struct sl_key_count *x = a, *y = b;
    if (x->amount != y->amount)
        return x->amount > y->amount ? -1 : 1;
    if (x->rows != y->rows)
        return x->rows > y->rows ? -1 : 1;
    return sl_str_cmp(x->key, y->key);
}

void sl_key_counts_sort(struct sl_key_counts *c)
{
    if (c->n_keys)
        qsort(c->keys, c->n_keys, sizeof *c->keys, most_first);
}

struct sl_str sl_url_host(struct sl_str url, char out[SL_KEY_BYTES])
{
    struct sl_str none = { out, 0 };
    size_t at = sl_str_find(url, 0, ':');
    if (at + 2 >= url.n || url.p[at + 1] != '/' || url.p[at + 2] != '/')
        return none;
    const char *p = url.p + at + 3, *end = url.p + url.n, *stop = p;
    while (stop < end && *stop != '/' && *stop != '?' && *stop != '#' && *stop != '\\')
        stop++;
    for (const char *q = p; q < stop; q++)
        if (*q == '@')
            p = q + 1;
    /* The port, but not the colons of an address in brackets. */
    const char *from = p;
    if (p < stop && *p == '[')
        while (from < stop && *from != ']')
            from++;
    for (; from < stop; from++)
        if (*from == ':')
            stop = from;
    if (stop - p > 4 && sl_str_starts_nocase((struct sl_str){ p, 4 }, SL_STR("www.")))
        p += 4;
    size_t n = 0;
    for (; p < stop && n < SL_KEY_BYTES; p++)
        out[n++] = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    return (struct sl_str){ out, n };
}
