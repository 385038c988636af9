/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of code points as 136 KiB of bits: every operation of classes is one loop, where
 * lists of ranges would need an algorithm for each. They live only while an expression is
 * read. PCRE2 looks through the ranges of a class one by one, in our order; most text is
 * of the long ones (Chinese, Hangul), so these come first. */
#include "token/split_set.h"

#include <stdlib.h>

#include "token/classes.h"

enum { SURROGATE = 0xd800, SURROGATE_END = 0xe000 };

struct range {
    uint32_t first, last;
};

struct sl_set *sl_set_new(void)
{
    return calloc(1, sizeof(struct sl_set));
}

void sl_set_clear(struct sl_set *s)
{
    memset(s, 0, sizeof *s);
}

void sl_set_add(struct sl_set *s, uint32_t first, uint32_t last)
{
    for (uint32_t cp = first; cp <= last; cp++)
        s->bits[cp / 64] |= UINT64_C(1) << (cp % 64);
}

void sl_set_remove(struct sl_set *s, uint32_t first, uint32_t last)
{
    for (uint32_t cp = first; cp <= last; cp++)
        s->bits[cp / 64] &= ~(UINT64_C(1) << (cp % 64));
}

void sl_set_add_set(struct sl_set *s, const struct sl_set *other)
{
    for (size_t i = 0; i < SL_SET_WORDS; i++)
        s->bits[i] |= other->bits[i];
}

void sl_set_keep(struct sl_set *s, const struct sl_set *other)
{
    for (size_t i = 0; i < SL_SET_WORDS; i++)
        s->bits[i] &= other->bits[i];
}

void sl_set_invert(struct sl_set *s)
{
    for (size_t i = 0; i < SL_SET_WORDS; i++)
        s->bits[i] = ~s->bits[i];
}

void sl_set_add_class(struct sl_set *s, uint32_t categories, unsigned flags)
{
    for (uint32_t i = 0; i < SL_SET_WORDS; i++) {
        uint64_t word = 0;
        for (unsigned k = 64; k-- > 0;) {
            unsigned byte = sl_class_byte(i * 64 + k);
            word = word << 1 | (uint64_t)(sl_class_in(byte, categories) || byte & flags);
        }
        s->bits[i] |= word;
    }
}

bool sl_set_fold(struct sl_set *s)
{
    const uint32_t lone = SL_CLASS(SL_LO) | SL_CLASS_P | SL_CLASS(SL_ND) | SL_CLASS_C | SL_CLASS_Z |
                          SL_CLASS(SL_SM) | SL_CLASS(SL_SC) | SL_CLASS(SL_SK);
    for (uint32_t cp = 0x80; cp < SL_SET_END; cp++)
        if (sl_set_has(s, cp) && !sl_class_in(sl_class_byte(cp), lone))
            return false;
    for (uint32_t c = 'A'; c <= 'Z'; c++) {
        uint32_t lower = c + ('a' - 'A'), far = c == 'K' ? 0x212a : c == 'S' ? 0x17f : c;
        if (!sl_set_has(s, c) && !sl_set_has(s, lower))
            continue;
        sl_set_add(s, c, c);
        sl_set_add(s, lower, lower);
        sl_set_add(s, far, far);
    }
    return true;
}

static int by_length(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    uint32_t nx = x->last - x->first, ny = y->last - y->first;
    if (nx != ny)
        return nx < ny ? 1 : -1;
    return x->first < y->first ? -1 : 1;
}

/* The next range at or behind cp. False: there is none. */
static bool next_range(const struct sl_set *s, uint32_t cp, struct range *r)
{
    bool in = false;
    for (; cp < SL_SET_END; cp++) {
        while (!in && cp % 64 == 0 && cp + 64 < SL_SET_END && s->bits[cp / 64] == 0)
            cp += 64;
        bool has = sl_set_has(s, cp) && !(cp >= SURROGATE && cp < SURROGATE_END);
        if (has && !in)
            r->first = cp;
        if (!has && in)
            return true;
        in = has;
        if (in)
            r->last = cp;
    }
    return in;
}

enum sl_status sl_set_dump(const struct sl_set *s, struct sl_buf *out, struct sl_err *err)
{
    size_t n = 0;
    struct range r = { 0, 0 };
    for (uint32_t cp = 0; next_range(s, cp, &r); cp = r.last + 1)
        n++;
    if (n == 0)
        return sl_buf_add_str(out, SL_STR("(?!)"), err);
    struct range *ranges = malloc(n * sizeof *ranges);
    if (!ranges)
        return sl_err_nomem(err, n * sizeof *ranges);
    n = 0;
    for (uint32_t cp = 0; next_range(s, cp, &r); cp = r.last + 1)
        ranges[n++] = r;
    qsort(ranges, n, sizeof *ranges, by_length);
    enum sl_status st = sl_buf_add_byte(out, '[', err);
    for (size_t i = 0; i < n && st == SL_OK; i++)
        st = ranges[i].first == ranges[i].last
                 ? sl_buf_addf(out, err, "\\x{%x}", (unsigned)ranges[i].first)
                 : sl_buf_addf(out, err, "\\x{%x}-\\x{%x}", (unsigned)ranges[i].first,
                               (unsigned)ranges[i].last);
    free(ranges);
    return st == SL_OK ? sl_buf_add_byte(out, ']', err) : st;
}
