/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TEXT_CLASS_MASK_H
#define SL_TEXT_CLASS_MASK_H

/* Character classes of 64 bytes at a time, a bit a byte.
 *
 * What      A text is cut into blocks of 64 bytes. Bit i of a mask tells of byte i
 *           of the block; all bytes of a code point have its classes, so that a
 *           word is a run of bits. Bits behind the end of the text are blank, and
 *           there is always at least one: a text of n bytes has n / 64 + 1 blocks,
 *           and every word ends before the last bit.
 * Inputs    valid UTF-8.
 * Threads   pure; a scan belongs to one thread. AVX2 is used where the processor
 *           has it; sl_class_scan_plain is the plain twin that tests compare with. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct sl_class_mask {
    uint64_t blank;    /* sl_char_is_blank, and behind the end */
    uint64_t letter;   /* L* */
    uint64_t solid;    /* neither blank nor punctuation (P*) nor symbol (S*) */
    uint64_t cont;     /* second and later bytes of a code point */
    uint64_t brk;      /* last byte of a line break, see below */
    uint64_t dot;      /* '.' */
    uint64_t hash;     /* '#' */
    uint64_t ellipsis; /* first byte of U+2026 */
};

/* Line breaks: LF, CR (CR LF is one), VT, FF, U+001C, U+001D, U+001E, U+0085,
 * U+2028, U+2029. */

struct sl_class_scan {
    const uint8_t *p;
    size_t n, at; /* bytes; of the next block */
    /* The code point that goes on in the next block: its bytes there, and classes. */
    unsigned over;
    unsigned over_class;
    bool over_brk;
    bool plain; /* not the vector form */
    bool ended;
};

void sl_class_scan_init(struct sl_class_scan *s, struct sl_str text);
void sl_class_scan_plain(struct sl_class_scan *s, struct sl_str text);

/* The next blocks, at most max of them; returns how many, 0 at the end. */
size_t sl_class_scan_next(struct sl_class_scan *s, struct sl_class_mask *masks, size_t max);

#endif
