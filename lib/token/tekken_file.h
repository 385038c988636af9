/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_TEKKEN_FILE_H
#define SL_TOKEN_TEKKEN_FILE_H

/* Mistral's tekken.json: ranks in JSON with their pattern. Ids are ranks behind the special
 * tokens, of which default_num_special_tokens are set aside; ranks from default_vocab_size on,
 * counted so, are not used.
 *
 * Errors    SL_E_DATA, which names what is missing or wrong.
 * Threads   pure.
 * Source    docs/tokenizers.md, "Files". */

#include "token/tokenizer.h"

/* json must be valid UTF-8. */
SL_MUST_USE enum sl_status sl_tekken_file_read(struct sl_tokenizer **out, struct sl_str json,
                                               bool allow_special, struct sl_err *err);

#endif
