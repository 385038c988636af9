/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TEXT_PROSE_H
#define SL_TEXT_PROSE_H

/* Characters, words and sentences of a text, counted by rules that know no language.
 *
 * Word      a longest run of code points that are not blank (sl_char_is_blank); it
 *           counts where one of them is a letter or a decimal digit. Punctuation
 *           that touches it is part of it. A run also ends behind a mark of 。！？｡
 *           and the marks and closing signs that follow it, since no blank does.
 * Sentence  ends where a run ends in a mark (. ! ? … and those of other scripts, see
 *           sl_prose_is_mark), or in marks and then closing quotes or brackets; and at
 *           a blank line, which is two LF with nothing but blanks between them; and
 *           where the text ends. It counts where it has a word. Abbreviations end
 *           sentences too: "Dr. No" is two.
 *
 * Chinese, Japanese, Thai and others without blanks between words have runs as long as
 * clauses or sentences: compare within a language.
 *
 * Threads   pure functions.
 * Time      linear; no memory. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_prose {
    uint64_t n_chars;     /* code points */
    uint64_t n_words;     /* those that count */
    uint64_t word_chars;  /* code points of them */
    uint64_t n_sentences; /* those that count */
};

/* Count n bytes of valid UTF-8. */
void sl_prose_count(struct sl_prose *out, const void *p, size_t n);

/* Does cp end a sentence where a blank follows? And cp of 。！？｡, where anything does? */
bool sl_prose_is_mark(uint32_t cp);
bool sl_prose_is_wide_mark(uint32_t cp);
/* May cp stand between such a mark and the blank: a closing quote or bracket? */
bool sl_prose_is_closer(uint32_t cp);

#endif
