/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_TRAIN_BPE_H
#define SL_TOKEN_TRAIN_BPE_H

/* Training of byte-level BPE from words and their counts.
 *
 * Rule      again and again the most frequent pair of neighbours becomes a token; among
 *           equals the one with the smaller left id, then the smaller right id. Counts are
 *           over all neighbours, overlapping ones too; a merge replaces from left to right.
 *           Ids: the special tokens, then 256 bytes in the order of the characters that
 *           stand for them, then the merges. Equal to the trainer of Hugging Face
 *           tokenizers, merge for merge, but that counts have 64 bits here.
 * Ends      when there are as many tokens as asked for, or no pair is frequent enough.
 * Calls     new; add, any number; run, once; the results; free. The order of the words
 *           changes nothing.
 * Memory    about 4 bytes for each byte of the words, 8 to 12 for each pair of neighbours
 *           and 70 for each distinct pair; at most mem_bytes.
 * Time      every occurrence of a pair is looked at once, however long its word is.
 * Threads   one thread an object.
 * Source    docs/tokenizers.md, "Training". */

#include "base/buf.h"

enum { SL_BPE_BYTES = 256, SL_BPE_MAX_VOCAB = 1 << 24 };

struct sl_bpe_conf {
    uint32_t vocab;        /* tokens in all; at least 256 and the special ones */
    int64_t min_frequency; /* rarer pairs are not merged; below 1 is as 1 */
    const struct sl_str *specials;
    uint32_t n_specials;
    size_t mem_bytes;
};

struct sl_bpe_merge {
    uint32_t left, right, id;
    int64_t count; /* of the pair when it was merged */
};

struct sl_bpe_trainer;

/* Specials are copied. SL_E_USAGE: vocab is too small or too large, a special token is
 * empty, stands twice, or is one byte's character. */
SL_MUST_USE enum sl_status sl_bpe_trainer_new(struct sl_bpe_trainer **out,
                                              const struct sl_bpe_conf *conf, struct sl_err *err);
void sl_bpe_trainer_free(struct sl_bpe_trainer *t); /* NULL allowed */

/* Add a word and how often it stands; it is copied. The same word may come again.
 * SL_E_SYSTEM: memory, or the words pass mem_bytes. */
SL_MUST_USE enum sl_status sl_bpe_trainer_add(struct sl_bpe_trainer *t, struct sl_str word,
                                              int64_t count, struct sl_err *err);
/* Find the merges. SL_E_SYSTEM: memory is out, or mem_bytes does not do. */
SL_MUST_USE enum sl_status sl_bpe_trainer_run(struct sl_bpe_trainer *t, struct sl_err *err);

/* After run. Merges in order, each pair once. */
size_t sl_bpe_trainer_merges(const struct sl_bpe_trainer *t, const struct sl_bpe_merge **merges);
uint32_t sl_bpe_trainer_vocab(const struct sl_bpe_trainer *t); /* tokens there are */
/* The bytes of a token; of a special one its text. Valid until free. */
struct sl_str sl_bpe_trainer_token(const struct sl_bpe_trainer *t, uint32_t id);
size_t sl_bpe_trainer_peak_bytes(const struct sl_bpe_trainer *t);

#endif
