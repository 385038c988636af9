/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_TIKTOKEN_FILE_H
#define SL_TOKEN_TIKTOKEN_FILE_H

/* tiktoken's rank files: one token a line, its bytes in base64, a blank, its rank, which is
 * its id. The pattern and the special tokens are not in them: they come from a JSON text of
 * {"pat_str": ..., "special_tokens": {NAME: ID, ...}}, or the pattern by its name.
 *
 * Errors    SL_E_DATA with the line; SL_E_USAGE where there is no pattern.
 * Threads   pure functions.
 * Source    docs/tokenizers.md, "Files". */

#include "token/bpe_tokenizer.h"

/* beside: that JSON, or n is 0. pattern: name of a scanner, or NULL; it goes before pat_str. */
SL_MUST_USE enum sl_status sl_tiktoken_file_read(struct sl_tokenizer **out, struct sl_str ranks,
                                                 struct sl_str beside, const char *pattern,
                                                 bool allow_special, struct sl_err *err);

/* Append what base64 (with padding, nothing else between) stands for; false: it is not that, or
 * out is full or out of memory. */
bool sl_base64_decode(struct sl_buf *out, struct sl_str s);

/* The pre-tokenizer of a name, or of a pattern whose matches alone are kept. */
SL_MUST_USE enum sl_status sl_tiktoken_split(struct sl_split **out, const char *name,
                                             struct sl_str pattern, struct sl_err *err);

#endif
