/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TEXT_CHARS_H
#define SL_TEXT_CHARS_H

/* Classes of Unicode characters: letters, digits, marks, punctuation, blanks.
 *
 * A class is a set of flags, so that one look-up answers every question. Code
 * points that are unassigned, private, surrogates, controls or formats have no
 * flag but SL_CHAR_SPACE where they are white space; so have numbers beyond
 * U+10FFFF.
 *
 * Threads   pure functions over constant tables.
 * Source    Unicode Character Database 15.0.0: general categories of
 *           UnicodeData.txt, White_Space of PropList.txt. */

#include <stdbool.h>
#include <stdint.h>

enum {
    SL_CHAR_LETTER = 1 << 0, /* L*: CJK ideographs and modifier letters too */
    SL_CHAR_DIGIT = 1 << 1,  /* Nd: decimal digits of any script */
    SL_CHAR_NUMBER = 1 << 2, /* N*: digits, Roman numerals, fractions */
    SL_CHAR_MARK = 1 << 3,   /* M*: combining marks */
    SL_CHAR_PUNCT = 1 << 4,  /* P* */
    SL_CHAR_SYMBOL = 1 << 5, /* S*: + < = > | ~ $ ^ ` of ASCII among them */
    SL_CHAR_UPPER = 1 << 6,  /* Lu: always with SL_CHAR_LETTER */
    SL_CHAR_SPACE = 1 << 7   /* the property White_Space: without U+001C..U+001F */
};

/* The tables: flags of the blocks of 128 code points, equal ones once. */
enum { SL_CHAR_END = 0xe0200, SL_CHAR_BLOCK = 128 };
extern const uint8_t sl_char_ascii[128];
extern const uint8_t sl_char_index[SL_CHAR_END / SL_CHAR_BLOCK];
extern const uint8_t sl_char_flags[];

static inline unsigned sl_char_class_beyond(uint32_t cp)
{
    if (cp >= SL_CHAR_END)
        return 0;
    return sl_char_flags[sl_char_index[cp / SL_CHAR_BLOCK] * SL_CHAR_BLOCK + cp % SL_CHAR_BLOCK];
}

/* The flags of a code point. */
static inline unsigned sl_char_class(uint32_t cp)
{
    return cp < 128 ? sl_char_ascii[cp] : sl_char_class_beyond(cp);
}

/* White_Space or one of the four separators U+001C..U+001F: what splits words
 * and is stripped from lines in every rule of ours. */
static inline bool sl_char_is_blank(uint32_t cp)
{
    return (cp >= 0x1c && cp <= 0x1f) || (sl_char_class(cp) & SL_CHAR_SPACE);
}

#endif
