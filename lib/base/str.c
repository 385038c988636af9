/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed strings. */
#include "base/str.h"

#include <stdint.h>
#include <strings.h>

int sl_str_cmp(struct sl_str a, struct sl_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    if (c != 0)
        return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

bool sl_str_starts(struct sl_str s, struct sl_str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool sl_str_starts_nocase(struct sl_str s, struct sl_str prefix)
{
    if (s.n < prefix.n)
        return false;
    for (size_t i = 0; i < prefix.n; i++)
        if (ascii_lower(s.p[i]) != ascii_lower(prefix.p[i]))
            return false;
    return true;
}

bool sl_str_eq_nocase(struct sl_str a, struct sl_str b)
{
    return a.n == b.n && sl_str_starts_nocase(a, b);
}

bool sl_str_ends(struct sl_str s, struct sl_str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

struct sl_str sl_str_trim(struct sl_str s)
{
    while (s.n && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

size_t sl_str_find(struct sl_str s, size_t from, char c)
{
    if (from >= s.n)
        return s.n;
    const char *hit = memchr(s.p + from, c, s.n - from);
    return hit ? (size_t)(hit - s.p) : s.n;
}

enum { NEAREST_MAX = 63 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edit distance of two short strings, in which two neighbours that changed
 * places count as one edit (optimal string alignment): the last two rows. */
static size_t edit_distance(struct sl_str a, struct sl_str b)
{
    size_t rows[3][NEAREST_MAX + 1];
    for (size_t j = 0; j <= b.n; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            bool same = a.p[i - 1] == b.p[j - 1];
            row[j] = least(above[j - 1] + !same, least(above[j], row[j - 1]) + 1);
            bool swapped = i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1];
            if (swapped)
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[a.n % 3][b.n];
}

const char *sl_str_nearest(struct sl_str s, const char *const *names)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;
    for (; s.n <= NEAREST_MAX && *names; names++) {
        struct sl_str name = sl_str_of(*names);
        if (name.n > NEAREST_MAX)
            continue;
        size_t d = edit_distance(s, name);
        size_t longest = name.n > s.n ? name.n : s.n;
        if (d < best_distance && d * 3 <= longest) {
            best = *names;
            best_distance = d;
        }
    }
    return best;
}
