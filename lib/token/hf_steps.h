/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_HF_STEPS_H
#define SL_TOKEN_HF_STEPS_H

/* The normalizer and the pre_tokenizer of a tokenizer.json.
 *
 * What cannot be honoured exactly is SL_E_DATA with its name.
 * Threads   pure functions. */

#include "text/json_scan.h"
#include "token/bpe_tokenizer.h"

/* Both may be absent (raw.p is NULL). Fill p's normaliser; p's late steps, lead and split.
 * byte_level: pieces are written as the characters of bytes. */
SL_MUST_USE enum sl_status sl_hf_normaliser(struct sl_bpe_parts *p, const struct sl_json_piece *v,
                                            struct sl_err *err);
SL_MUST_USE enum sl_status sl_hf_pre_tokenizer(struct sl_bpe_parts *p,
                                               const struct sl_json_piece *v, bool *byte_level,
                                               struct sl_err *err);

#endif
