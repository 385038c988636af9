/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TEXT_TEXT_STATS_H
#define SL_TEXT_TEXT_STATS_H

/* Counts of a text that rules are made of, in one pass.
 *
 * Words and lines are those of text/words.h. A letter is L*, a solid character is
 * neither blank nor punctuation (P*) nor symbol (S*), as text/chars.h has them.
 *
 * Inputs    valid UTF-8 of any length.
 * Time      linear. Memory: none.
 * Threads   pure. */

#include "text/word_set.h"

struct sl_text_stats {
    uint64_t n_words;
    uint64_t n_letter_words; /* with a letter */
    uint64_t n_solid_words;  /* with a solid character */
    uint64_t n_solid_chars;  /* code points of these words, all of them */
    uint64_t n_hashes;       /* '#' */
    uint64_t n_ellipses;     /* U+2026, and "..." without overlap: "....." is one */
    uint64_t n_lines;
    uint64_t n_bullet_lines;   /* first character that is not blank: '-' or U+2022 */
    uint64_t n_ellipsis_lines; /* end, blanks left out, in "..." or U+2026 */
    uint32_t n_found;          /* distinct words of the set that are words of the text */
};

/* set may be NULL: nothing is found. */
void sl_text_stats(struct sl_str text, const struct sl_word_set *set, struct sl_text_stats *out);

/* The plain twin of the vector form, for tests. */
void sl_text_stats_plain(struct sl_str text, const struct sl_word_set *set,
                         struct sl_text_stats *out);

#endif
