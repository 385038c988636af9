/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_HF_FILE_H
#define SL_TOKEN_HF_FILE_H

/* Tokenizers of Hugging Face: tokenizer.json of the byte-pair family.
 *
 * Honoured  the model BPE with its options (dropout must be none), added tokens with their
 *           flags, the normalizers NFC, Prepend, Replace of a string and Sequence, the
 *           pre_tokenizers ByteLevel, Split, Digits, Metaspace, WhitespaceSplit and Sequence.
 *           The post_processor, which adds begin and end marks, and truncation and padding are
 *           not carried out.
 * Refused   everything else, by name: SL_E_DATA.
 * Limits    files of SL_MAX_TOKENIZER_BYTES.
 * Threads   pure.
 * Source    docs/tokenizers.md, "Files". */

#include "token/tokenizer.h"

/* json must be valid UTF-8. The info has no name and no digest yet. */
SL_MUST_USE enum sl_status sl_hf_file_read(struct sl_tokenizer **out, struct sl_str json,
                                           bool allow_special, struct sl_err *err);

#endif
