/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_HF_WRITE_H
#define SL_TOKEN_HF_WRITE_H

/* Files of trained byte-level BPE tokenizers: tokenizer.json, which Hugging Face tokenizers
 * loads, and ranks, which tiktoken loads.
 *
 * Threads   pure functions.
 * Source    docs/tokenizers.md, "Training" and "Files". */

#include "base/buf.h"
#include "token/split.h"
#include "token/train_bpe.h"

/* Where texts are cut: a scanner, or an expression of the reader's own (kind is then
 * SL_N_SPLITS), as Oniguruma reads it. */
struct sl_hf_split {
    enum sl_split_kind kind;
    struct sl_str regex;
};

/* The pre-tokenizer that splits so. SL_E_DATA: the expression cannot be honoured. */
SL_MUST_USE enum sl_status sl_hf_split_new(struct sl_split **out, const struct sl_hf_split *how,
                                           struct sl_err *err);

/* Append tokenizer.json, in one line without an end. */
SL_MUST_USE enum sl_status sl_hf_write_bpe(struct sl_buf *out, const struct sl_bpe_trainer *t,
                                           uint32_t n_specials, const struct sl_hf_split *how,
                                           struct sl_err *err);

/* Append the ranks, "base64 rank" a line; a rank is the token's id. */
SL_MUST_USE enum sl_status sl_tiktoken_write(struct sl_buf *out, const struct sl_bpe_trainer *t,
                                             uint32_t n_specials, struct sl_err *err);
/* Append what is told beside the ranks: pat_str and special_tokens as JSON. SL_E_USAGE:
 * the split is no single expression. */
SL_MUST_USE enum sl_status
sl_tiktoken_write_info(struct sl_buf *out, const struct sl_bpe_trainer *t, uint32_t n_specials,
                       const struct sl_hf_split *how, struct sl_err *err);

#endif
