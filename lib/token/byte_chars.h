/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_BYTE_CHARS_H
#define SL_TOKEN_BYTE_CHARS_H

/* The characters that stand for bytes in files of byte-level tokenizers: a byte that is a
 * visible character of Latin-1 stands for itself, the others, in order, for U+0100 and up.
 *
 * Threads   const.
 * Source    the GPT-2 tokenizer's mapping of bytes; docs/tokenizers.md, "Training". */

#include <stdint.h>

#include "base/buf.h"

/* The code point of a byte, below U+0144. */
uint32_t sl_byte_char(uint8_t byte);
/* The byte of a code point, -1 where it stands for none. */
int sl_byte_of_char(uint32_t c);
/* The k-th byte by code point, k below 256: the order of alphabets. */
uint8_t sl_byte_in_order(unsigned k);

/* Append the characters of the bytes as UTF-8. */
SL_MUST_USE enum sl_status sl_byte_chars_add(struct sl_buf *out, struct sl_str bytes,
                                             struct sl_err *err);

#endif
