/* SPDX-License-Identifier: Apache-2.0 */
/* Added tokens: a sorted list, narrowed byte by byte.
 *
 * At a place whose two bytes begin some token, the range of tokens that still agree is cut by
 * two binary searches for each byte more. An Aho-Corasick automaton, which would need one pass
 * only, was rejected: hits are rare, tokens are short, and the table of pairs, of 8 KiB, passes
 * text faster than an automaton's states. */
#include "token/added_tokens.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "text/chars.h"

struct item {
    uint32_t off, n;
    const char *p; /* while they are sorted */
    struct sl_added_token token;
};

void sl_added_init(struct sl_added *a)
{
    memset(a, 0, sizeof *a);
    sl_buf_init(&a->text, (size_t)1 << 28);
    sl_buf_init(&a->items, (size_t)1 << 30);
}

void sl_added_release(struct sl_added *a)
{
    sl_buf_release(&a->text);
    sl_buf_release(&a->items);
}

enum sl_status sl_added_add(struct sl_added *a, struct sl_str s, const struct sl_added_token *token,
                            struct sl_err *err)
{
    if (!s.n || s.n > SL_MAX_ADDED_BYTES)
        return sl_err_set(err, SL_E_DATA, "an added token of %zu bytes (1 to %d are allowed)", s.n,
                          SL_MAX_ADDED_BYTES);
    struct item item = { .off = (uint32_t)a->text.n, .n = (uint32_t)s.n, .token = *token };
    SL_TRY(sl_buf_add_str(&a->text, s, err));
    a->any = true;
    a->any_plain |= !token->special;
    uint8_t first = (uint8_t)s.p[0];
    for (unsigned i = 0; i < 256; i++) {
        unsigned pair = (s.n > 1 ? (uint8_t)s.p[1] : i) << 8 | first;
        a->pairs[pair / 64] |= (uint64_t)1 << pair % 64;
    }
    return sl_buf_add(&a->items, &item, sizeof item, err);
}

static struct item *items(const struct sl_added *a, size_t *n)
{
    *n = a->items.n / sizeof(struct item);
    return (struct item *)(void *)a->items.p;
}

static int by_string(const void *x, const void *y)
{
    const struct item *a = x, *b = y;
    int order = sl_str_cmp((struct sl_str){ a->p, a->n }, (struct sl_str){ b->p, b->n });
    return order ? order : (a->off < b->off) - (a->off > b->off);
}

void sl_added_done(struct sl_added *a)
{
    size_t n;
    struct item *all = items(a, &n);
    for (size_t i = 0; i < n; i++)
        all[i].p = (const char *)a->text.p + all[i].off;
    if (n)
        qsort(all, n, sizeof *all, by_string);
}

/* The first item from lo to hi whose byte at depth is c or more; those that end there have
 * none, and stand first. */
static size_t narrow(const struct item *all, size_t lo, size_t hi, size_t depth, unsigned c)
{
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (all[mid].n <= depth || (uint8_t)all[mid].p[depth] < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The longest token at a place, NULL where there is none. */
static const struct item *longest(const struct sl_added *a, struct sl_str text, size_t at)
{
    size_t lo = 0, hi;
    const struct item *all = items(a, &hi), *best = NULL;
    for (size_t depth = 0; lo < hi; depth++) {
        if (all[lo].n == depth)
            best = &all[lo];
        if (at + depth == text.n)
            break;
        unsigned c = (uint8_t)text.p[at + depth];
        lo = narrow(all, lo, hi, depth, c);
        hi = narrow(all, lo, hi, depth, c + 1);
    }
    return best;
}

/* text.n where nothing begins. */
static size_t candidate(const struct sl_added *a, struct sl_str text, size_t at)
{
    const uint8_t *p = (const uint8_t *)text.p;
    for (; at + 1 < text.n; at++) {
        unsigned pair = (unsigned)p[at + 1] << 8 | p[at];
        if (a->pairs[pair / 64] >> pair % 64 & 1)
            return at;
    }
    return at < text.n ? at : text.n;
}

static bool is_space(uint32_t cp)
{
    return sl_char_class(cp) & SL_CHAR_SPACE;
}

/* Letters, marks, digits, connectors and joiners: the \w of regular expressions. */
static uint32_t before(struct sl_str text, size_t at, size_t *begin)
{
    *begin = at - 1;
    while (*begin && ((uint8_t)text.p[*begin] & 0xc0) == 0x80)
        --*begin;
    const uint8_t *p = (const uint8_t *)text.p + *begin;
    return sl_utf8_next(&p, (const uint8_t *)text.p + at);
}

static uint32_t behind(struct sl_str text, size_t at, size_t *end)
{
    const uint8_t *p = (const uint8_t *)text.p + at;
    uint32_t cp = sl_utf8_next(&p, (const uint8_t *)text.p + text.n);
    *end = (size_t)(p - (const uint8_t *)text.p);
    return cp;
}

static size_t strip_left(struct sl_str text, size_t start, size_t bound)
{
    size_t begin;
    while (start > bound && is_space(before(text, start, &begin)))
        start = begin;
    return start > bound ? start : bound;
}

static size_t strip_right(struct sl_str text, size_t stop)
{
    size_t end;
    while (stop < text.n && is_space(behind(text, stop, &end)))
        stop = end;
    return stop;
}

bool sl_added_next(const struct sl_added *a, struct sl_str text, bool allow_special,
                   struct sl_added_walk *w, struct sl_added_hit *hit)
{
    if (allow_special ? a->any : a->any_plain) {
        while ((w->scan = candidate(a, text, w->scan)) < text.n) {
            const struct item *item = longest(a, text, w->scan);
            size_t start = w->scan, stop = start + (item ? item->n : 1);
            w->scan = stop;
            if (!item || (item->token.special && !allow_special))
                continue;
            if (item->token.lstrip && start > w->from)
                start = strip_left(text, start, w->from);
            if (item->token.rstrip)
                stop = strip_right(text, stop);
            size_t n = start > w->from ? start - w->from : 0;
            *hit = (struct sl_added_hit){ { text.p + w->from, n }, item->token.id };
            w->from = stop;
            return true;
        }
    }
    *hit = (struct sl_added_hit){ { text.p + w->from, text.n - w->from }, 0 };
    w->from = text.n;
    return false;
}
