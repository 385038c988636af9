/* SPDX-License-Identifier: Apache-2.0 */
/* The order in memory: a radix sort in place, most significant byte first, over
 * eight bytes that stand beside each pointer. Where all eight are equal the next
 * eight are fetched. Few entries are sorted by insertion; what is still equal
 * after DEEP bytes by heap, so that the stack and the time stay bounded whatever
 * the records are.
 *
 * Rejected: a comparison sort alone (half the speed on hashes and numbers), and
 * radix passes from the least significant byte (twice the memory). */
#include "io/record_parts.h"

enum { FEW = 24, DEEP = 40 };

/* Both are equal before depth. */
static bool is_below(const struct sl_rec_entry *a, const struct sl_rec_entry *b, size_t depth)
{
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix;
    struct sl_str s = sl_rec_str(a->at), t = sl_rec_str(b->at);
    size_t n = s.n < t.n ? s.n : t.n;
    int c = n > depth ? memcmp(s.p + depth, t.p + depth, n - depth) : 0;
    return c ? c < 0 : s.n < t.n;
}

static void sort_few(struct sl_rec_entry *e, size_t n, size_t depth)
{
    for (size_t i = 1; i < n; i++) {
        struct sl_rec_entry x = e[i];
        size_t at = i;
        for (; at && is_below(&x, &e[at - 1], depth); at--)
            e[at] = e[at - 1];
        e[at] = x;
    }
}

static void sift_down(struct sl_rec_entry *e, size_t at, size_t n, size_t depth)
{
    struct sl_rec_entry x = e[at];
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && is_below(&e[child], &e[child + 1], depth))
            child++;
        if (!is_below(&x, &e[child], depth))
            break;
        e[at] = e[child];
    }
    e[at] = x;
}

static void sort_heap(struct sl_rec_entry *e, size_t n, size_t depth)
{
    for (size_t i = n / 2; i-- > 0;)
        sift_down(e, i, n, depth);
    while (n-- > 1) {
        struct sl_rec_entry x = e[0];
        e[0] = e[n];
        e[n] = x;
        sift_down(e, 0, n, depth);
    }
}

/* Of entries with one prefix at depth, put those that end in it first, the
 * shortest at the front; their number. */
static size_t place_ended(struct sl_rec_entry *e, size_t n, size_t depth)
{
    size_t placed = 0, ended = 0;
    for (size_t i = 0; i < n; i++)
        ended += sl_load32(e[i].at) <= depth + 8;
    for (size_t length = depth; placed < ended; length++)
        for (size_t i = placed; i < n; i++)
            if (sl_load32(e[i].at) == length) {
                struct sl_rec_entry x = e[i];
                e[i] = e[placed];
                e[placed++] = x;
            }
    return ended;
}

/* The entries of each value of a byte behind each other; starts[v] is where
 * those of v begin. False: they all have one value, and nothing was done. */
static bool spread(struct sl_rec_entry *e, size_t n, int shift, size_t starts[257])
{
    size_t ends[256], heads[256] = { 0 };
    for (size_t i = 0; i < n; i++)
        heads[e[i].prefix >> shift & 255]++;
    if (heads[e[0].prefix >> shift & 255] == n)
        return false;
    size_t at = 0;
    for (int v = 0; v < 256; v++) {
        starts[v] = at;
        at += heads[v];
        heads[v] = starts[v];
        ends[v] = at;
    }
    starts[256] = n;
    for (int v = 0; v < 256; v++)
        while (heads[v] < ends[v]) {
            struct sl_rec_entry x = e[heads[v]];
            unsigned to;
            while ((to = x.prefix >> shift & 255) != (unsigned)v) {
                struct sl_rec_entry y = e[heads[to]];
                e[heads[to]++] = x;
                x = y;
            }
            e[heads[v]++] = x;
        }
    return true;
}

/* All entries are equal before depth, and in the bits of the prefix above shift + 8. */
static void sort_from(struct sl_rec_entry *e, size_t n, size_t depth, int shift)
{
    size_t starts[257];
    while (n > FEW) {
        if (shift < 0) {
            size_t ended = place_ended(e, n, depth);
            e += ended;
            n -= ended;
            depth += 8;
            shift = 56;
            for (size_t i = 0; i < n; i++)
                e[i].prefix = sl_rec_prefix(sl_rec_str(e[i].at), depth);
            continue;
        }
        if (depth >= DEEP) {
            sort_heap(e, n, depth);
            return;
        }
        if (spread(e, n, shift, starts)) {
            for (int v = 0; v < 256; v++)
                if (starts[v + 1] - starts[v] > 1)
                    sort_from(e + starts[v], starts[v + 1] - starts[v], depth, shift - 8);
            return;
        }
        shift -= 8;
    }
    sort_few(e, n, depth);
}

void sl_rec_sort(struct sl_rec_entry *e, size_t n)
{
    sort_from(e, n, 0, 56);
}
