/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_SPLIT_BLOCK_H
#define SL_TOKEN_SPLIT_BLOCK_H

/* Borders of pieces in 64 bytes of text at once. Private to lib/token.
 *
 * A block function is given 64 bytes that begin a piece, and tells borders among them: bit i,
 * a piece begins at byte i. Bit 0 is never set. It tells a border only where the bytes that
 * it was given decide, and then all borders before it; 0 where it can tell none (text that is
 * not ASCII, a piece longer than the block), where the scanner goes on. Thus scanner and
 * block give the same borders, and may take turns at any of them.
 *
 * Threads   pure functions. The choice of instructions is made once a pre-tokenizer. */

#include "token/split.h"

enum { SL_BLOCK_BYTES = 64 };

enum sl_block_set { SL_BLOCK_PLAIN, SL_BLOCK_AVX2, SL_BLOCK_AVX512, SL_N_BLOCK_SETS };

typedef uint64_t sl_block_fn(const uint8_t *p);

/* NULL: the kind has none, or this processor does not have these instructions. */
sl_block_fn *sl_block_of(enum sl_split_kind kind, enum sl_block_set set);
/* The fastest there is; NULL where that is the scanner. */
sl_block_fn *sl_block_best(enum sl_split_kind kind);

#endif
