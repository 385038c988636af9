/* SPDX-License-Identifier: Apache-2.0 */
/* Eight bytes of the keys at a time, held beside the pointers, so that records are
 * touched only where these do not decide.
 *
 * Many entries are sorted by the bytes of the words, the last byte first; bytes
 * that are equal in all of them cost one look. Few are merged. Then every group of
 * equal words takes its next eight bytes, for DEEP rounds; what is still equal
 * (long texts that begin alike) is merged by whole comparisons, which bounds the
 * recursion. All of it is stable, so equal keys stay as they came.
 *
 * Rejected: sorting pointers by comparisons: two cache misses each. */
#include "order/entry_sort.h"

#include <stdbool.h>
#include <string.h>

enum { FEW = 48, TINY = 12, DEEP = 8, RADIX = 256 };

int sl_record_compare(const uint8_t *a, const uint8_t *b, size_t depth)
{
    size_t x = sl_record_key_bytes(a), y = sl_record_key_bytes(b), n = x < y ? x : y;
    int way = n > depth ? memcmp(sl_record_key(a) + depth, sl_record_key(b) + depth, n - depth) : 0;
    return way ? way : (x > y) - (x < y);
}

/* By the word alone, or by all from depth on. */
static inline bool is_before(const struct sl_entry *a, const struct sl_entry *b, bool whole,
                             size_t depth)
{
    if (a->word != b->word || !whole)
        return a->word < b->word;
    return sl_record_compare(a->record, b->record, depth) < 0;
}

static void insert_all(struct sl_entry *e, size_t n, bool whole, size_t depth)
{
    for (size_t i = 1; i < n; i++) {
        struct sl_entry moved = e[i];
        size_t at = i;
        for (; at && is_before(&moved, &e[at - 1], whole, depth); at--)
            e[at] = e[at - 1];
        e[at] = moved;
    }
}

static void merge_sort(struct sl_entry *e, struct sl_entry *spare, size_t n, bool whole,
                       size_t depth)
{
    if (n <= TINY) {
        insert_all(e, n, whole, depth);
        return;
    }
    size_t half = n / 2;
    merge_sort(e, spare, half, whole, depth);
    merge_sort(e + half, spare, n - half, whole, depth);
    memcpy(spare, e, half * sizeof *e);
    const struct sl_entry *a = spare, *a_end = spare + half, *b = e + half, *b_end = e + n;
    while (a < a_end && b < b_end)
        *e++ = is_before(b, a, whole, depth) ? *b++ : *a++;
    memcpy(e, a, (size_t)(a_end - a) * sizeof *e);
}

/* Which bytes of the words differ at all. */
static uint64_t varying(const struct sl_entry *e, size_t n)
{
    uint64_t any = 0;
    for (size_t i = 1; i < n; i++)
        any |= e[i].word ^ e[0].word;
    return any;
}

static void radix_pass(const struct sl_entry *from, struct sl_entry *to, size_t n, unsigned shift)
{
    size_t at[RADIX] = { 0 }, sum = 0;
    for (size_t i = 0; i < n; i++)
        at[from[i].word >> shift & (RADIX - 1)]++;
    for (size_t v = 0; v < RADIX; v++) {
        size_t count = at[v];
        at[v] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[at[from[i].word >> shift & (RADIX - 1)]++] = from[i];
}

static void radix_sort(struct sl_entry *e, struct sl_entry *spare, size_t n)
{
    uint64_t bits = varying(e, n);
    struct sl_entry *from = e, *to = spare;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if (!(bits >> shift & (RADIX - 1)))
            continue;
        radix_pass(from, to, n, shift);
        struct sl_entry *swap = from;
        from = to;
        to = swap;
    }
    if (from != e)
        memcpy(e, from, n * sizeof *e);
}

static void sort_words(struct sl_entry *e, struct sl_entry *spare, size_t n)
{
    if (n <= FEW)
        merge_sort(e, spare, n, false, 0);
    else
        radix_sort(e, spare, n);
}

static void sort_from(struct sl_entry *e, struct sl_entry *spare, size_t n, size_t depth);

/* Entries whose keys are equal up to depth. */
static void sort_group(struct sl_entry *e, struct sl_entry *spare, size_t n, size_t depth)
{
    enum { AHEAD = 8 };
    if (sl_record_key_bytes(e[0].record) <= depth)
        return; /* the keys end here, all of them: none begins another */
    if (n <= TINY || depth >= 8 * DEEP) {
        merge_sort(e, spare, n, true, depth);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (i + AHEAD < n)
            __builtin_prefetch(e[i + AHEAD].record);
        e[i].word = sl_record_word(e[i].record, depth);
    }
    sort_from(e, spare, n, depth);
}

/* Entries that have their words at depth. */
static void sort_from(struct sl_entry *e, struct sl_entry *spare, size_t n, size_t depth)
{
    sort_words(e, spare, n);
    for (size_t i = 0, end; i < n; i = end) {
        end = i + 1;
        while (end < n && e[end].word == e[i].word)
            end++;
        if (end - i > 1)
            sort_group(e + i, spare, end - i, depth + 8);
    }
}

void sl_entries_sort(struct sl_entry *e, struct sl_entry *spare, size_t n)
{
    if (n > 1)
        sort_from(e, spare, n, 0);
}
