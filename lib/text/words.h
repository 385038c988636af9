/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TEXT_WORDS_H
#define SL_TEXT_WORDS_H

/* Words between blanks, and lines: one after another, without copying.
 *
 * Words     the longest runs of code points that are not blank, as
 *           sl_char_is_blank says: no empty words, punctuation stays where it is.
 * Lines     end before LF, CR, CR LF, VT, FF, U+001C to U+001E, U+0085, U+2028 or
 *           U+2029; a text that ends with a break has no further empty line, an
 *           empty text has none at all.
 * Inputs    valid UTF-8.
 * Lifetime  what is lent points into the text.
 * Threads   an iterator belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct sl_text_iter {
    const uint8_t *p, *end; /* what is left */
};

static inline struct sl_text_iter sl_text_iter_of(struct sl_str text)
{
    const uint8_t *p = (const uint8_t *)text.p;
    return (struct sl_text_iter){ p, p + text.n };
}

/* False at the end. */
bool sl_word_next(struct sl_text_iter *it, struct sl_str *word);
bool sl_line_next(struct sl_text_iter *it, struct sl_str *line);

/* Without blanks at the beginning, or at the end. */
struct sl_str sl_blank_lstrip(struct sl_str s);
struct sl_str sl_blank_rstrip(struct sl_str s);

#endif
