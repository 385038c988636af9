/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_CLASSES_H
#define SL_TOKEN_CLASSES_H

/* Character classes of Unicode 16.0, as the regular expressions of tokenizers see them.
 *
 * What      a byte a code point: its general category, with white space of its own, and
 *           whether it is of the script Han and of \w. A class is a set of categories, a
 *           word of 32 bits, so that a test is one shift.
 * Threads   constants.
 * Source    Unicode Character Database 16.0.0; gen/classes.mjs makes the table. */

#include <stdint.h>

/* The general categories, in the order of the table's five low bits. White space is the
 * last five: controls that are white space are taken out of SL_CC. */
enum sl_category {
    SL_LU,
    SL_LL,
    SL_LT,
    SL_LM,
    SL_LO,
    SL_MN,
    SL_MC,
    SL_ME,
    SL_ND,
    SL_NL,
    SL_NO,
    SL_PC,
    SL_PD,
    SL_PS,
    SL_PE,
    SL_PI,
    SL_PF,
    SL_PO,
    SL_SM,
    SL_SC,
    SL_SK,
    SL_SO,
    SL_CC, /* but white space */
    SL_CF,
    SL_CS,
    SL_CO,
    SL_CN,
    SL_ZS,
    SL_ZL,
    SL_ZP,
    SL_CC_SPACE,  /* U+0009, 000B, 000C, 0085 */
    SL_CC_NEWLINE /* U+000A, 000D */
};

#define SL_CLASS(category) (UINT32_C(1) << (category))
/* From first to last. */
#define SL_CLASSES(first, last) (UINT32_C(0xffffffff) >> (31 - (last) + (first)) << (first))

#define SL_CLASS_L SL_CLASSES(SL_LU, SL_LO)
#define SL_CLASS_M SL_CLASSES(SL_MN, SL_ME)
#define SL_CLASS_N SL_CLASSES(SL_ND, SL_NO)
#define SL_CLASS_P SL_CLASSES(SL_PC, SL_PO)
#define SL_CLASS_S SL_CLASSES(SL_SM, SL_SO)
#define SL_CLASS_Z SL_CLASSES(SL_ZS, SL_ZP)
#define SL_CLASS_C (SL_CLASSES(SL_CC, SL_CN) | SL_CLASSES(SL_CC_SPACE, SL_CC_NEWLINE))
#define SL_CLASS_SPACE SL_CLASSES(SL_ZS, SL_CC_NEWLINE) /* the 25 of \s */
#define SL_CLASS_NEWLINE SL_CLASS(SL_CC_NEWLINE)

enum { SL_CLASS_HAN = 0x20, SL_CLASS_WORD = 0x40 };

extern const uint16_t sl_class_index[8704];
extern const uint8_t sl_class_bytes[];

/* The byte of a code point up to U+10FFFF: a category, SL_CLASS_HAN, SL_CLASS_WORD. */
static inline unsigned sl_class_byte(uint32_t cp)
{
    return sl_class_bytes[(unsigned)sl_class_index[cp >> 7] << 7 | (cp & 127)];
}

/* Whether a byte of the table is of a set of categories. */
static inline int sl_class_in(unsigned byte, uint32_t set)
{
    return (int)(set >> (byte & 31) & 1);
}

#endif
