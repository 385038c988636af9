/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_BASE_STR_H
#define SL_BASE_STR_H

/* Borrowed strings: a pointer and a length, not NUL-terminated, never freed.
 *
 * Lifetime  that of the memory pointed into (a batch, an arena, a literal).
 * Threads   values; no state. */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct sl_str {
    const char *p; /* may be NULL where n is 0 */
    size_t n;      /* bytes */
};

#define SL_STR(literal) ((struct sl_str){ (literal), sizeof(literal) - 1 })

static inline struct sl_str sl_str_of(const char *cstr)
{
    return (struct sl_str){ cstr, cstr ? strlen(cstr) : 0 };
}

static inline bool sl_str_eq(struct sl_str a, struct sl_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Bytewise order: negative, 0, positive as memcmp; a prefix sorts first. */
int sl_str_cmp(struct sl_str a, struct sl_str b);

/* ASCII letters of either case are equal; other bytes must be the same. */
bool sl_str_eq_nocase(struct sl_str a, struct sl_str b);
bool sl_str_starts(struct sl_str s, struct sl_str prefix);
bool sl_str_starts_nocase(struct sl_str s, struct sl_str prefix);
bool sl_str_ends(struct sl_str s, struct sl_str suffix);

/* Without the leading and trailing bytes space, tab, CR, LF, FF. */
struct sl_str sl_str_trim(struct sl_str s);

/* Offset of the first c at or after from; s.n where there is none. */
size_t sl_str_find(struct sl_str s, size_t from, char c);

/* The name in names (ended by NULL) nearest to s by edit distance, NULL where
 * none is near (more than a third of its letters differ). For "did you mean". */
const char *sl_str_nearest(struct sl_str s, const char *const *names);

#endif
