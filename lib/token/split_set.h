/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_SPLIT_SET_H
#define SL_TOKEN_SPLIT_SET_H

/* Sets of code points, as bits: what a class of a regular expression is worked out in.
 * Private to lib/token.
 *
 * Ownership  new/free; the calls that take two sets leave the second as it is. */

#include <stdbool.h>

#include "base/buf.h"

enum { SL_SET_END = 0x110000, SL_SET_WORDS = SL_SET_END / 64 };

struct sl_set {
    uint64_t bits[SL_SET_WORDS];
};

struct sl_set *sl_set_new(void); /* empty; NULL: out of memory */

static inline bool sl_set_has(const struct sl_set *s, uint32_t cp)
{
    return s->bits[cp / 64] >> (cp % 64) & 1;
}

void sl_set_clear(struct sl_set *s);
void sl_set_add(struct sl_set *s, uint32_t first, uint32_t last);
void sl_set_remove(struct sl_set *s, uint32_t first, uint32_t last);
void sl_set_add_set(struct sl_set *s, const struct sl_set *other);
void sl_set_keep(struct sl_set *s, const struct sl_set *other);
void sl_set_invert(struct sl_set *s);

/* Add the code points whose byte (classes.h) is of the categories, or has one of the flags. */
void sl_set_add_class(struct sl_set *s, uint32_t categories, unsigned flags);

/* With a letter of ASCII, all that are equal to it in another case (k: U+212A, s: U+017F).
 * False: the set has another letter with cases, of which we know nothing. */
bool sl_set_fold(struct sl_set *s);

/* Append it as a class of PCRE2, the longest ranges first. Surrogates are left out. */
SL_MUST_USE enum sl_status sl_set_dump(const struct sl_set *s, struct sl_buf *out,
                                       struct sl_err *err);

#endif
