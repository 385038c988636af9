/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_BPE_TOKENIZER_H
#define SL_TOKEN_BPE_TOKENIZER_H

/* Tokenizers of the byte-pair family, whole: added tokens are cut out of the text, what is left
 * is normalised, cut into pieces, and each piece merged.
 *
 * The readers of files fill a struct sl_bpe_parts; sl_bpe_tokenizer_new makes it a tokenizer.
 *
 * Threads   const once it is made. */

#include "token/added_tokens.h"
#include "token/bpe.h"
#include "token/normalise.h"
#include "token/split.h"
#include "token/tokenizer.h"

struct sl_bpe_parts {
    struct sl_added raw;    /* cut out of the text as it is */
    struct sl_added normal; /* and out of the normalised text */
    struct sl_normaliser normaliser;
    struct sl_normaliser late; /* of what is left then (Metaspace) */
    struct sl_str lead;        /* put before what is left then, unless it begins so */
    bool lead_first;           /* only at the beginning of the text */
    struct sl_bpe *bpe;
    struct sl_split *split;
    bool allow_special;
    struct sl_token_info info; /* but for its digest and name */
};

void sl_bpe_parts_init(struct sl_bpe_parts *p);
void sl_bpe_parts_release(struct sl_bpe_parts *p);

/* What p holds goes to the tokenizer and p is empty, also on failure. lead is a literal. */
SL_MUST_USE enum sl_status sl_bpe_tokenizer_new(struct sl_tokenizer **out, struct sl_bpe_parts *p,
                                                struct sl_err *err);

#endif
