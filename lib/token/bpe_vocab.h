/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_BPE_VOCAB_H
#define SL_TOKEN_BPE_VOCAB_H

/* Vocabularies: byte strings with their ids, and the way from a string to its id.
 *
 * Ids       below SL_BPE_MAX_ID; they may have holes.
 * Errors    SL_E_DATA where a string or an id stands twice, or an id is too large;
 *           SL_E_SYSTEM where memory is out.
 * Threads   one while it is filled; find is const. */

#include "base/buf.h"

#define SL_BPE_MAX_ID ((uint32_t)1 << 24)
#define SL_BPE_NONE UINT32_MAX

struct sl_bpe_vocab {
    struct sl_buf text;  /* the strings, one behind the other */
    struct sl_buf words; /* struct sl_bpe_word */
    struct sl_buf slots; /* uint32_t: number of a word + 1, or 0 */
    unsigned bits;       /* slots are 1 << bits */
    uint32_t max_id;
};

struct sl_bpe_word {
    uint32_t off, n, id, hash;
};

void sl_bpe_vocab_init(struct sl_bpe_vocab *v);
void sl_bpe_vocab_release(struct sl_bpe_vocab *v);

SL_MUST_USE enum sl_status sl_bpe_vocab_add(struct sl_bpe_vocab *v, struct sl_str s, uint32_t id,
                                            struct sl_err *err);
/* Once, behind the last add. */
SL_MUST_USE enum sl_status sl_bpe_vocab_index(struct sl_bpe_vocab *v, struct sl_err *err);

/* SL_BPE_NONE: it is not there. */
uint32_t sl_bpe_vocab_find(const struct sl_bpe_vocab *v, struct sl_str s);

static inline size_t sl_bpe_vocab_count(const struct sl_bpe_vocab *v)
{
    return v->words.n / sizeof(struct sl_bpe_word);
}

/* The i-th word that was added. */
static inline const struct sl_bpe_word *sl_bpe_vocab_at(const struct sl_bpe_vocab *v, size_t i)
{
    return (const struct sl_bpe_word *)(const void *)v->words.p + i;
}

static inline struct sl_str sl_bpe_vocab_str(const struct sl_bpe_vocab *v, size_t i)
{
    const struct sl_bpe_word *w = sl_bpe_vocab_at(v, i);
    return (struct sl_str){ (const char *)v->text.p + w->off, w->n };
}

#endif
