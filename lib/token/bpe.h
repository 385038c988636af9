/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_BPE_H
#define SL_TOKEN_BPE_H

/* Byte-pair encoding: the merges that make one piece of text into tokens.
 *
 * Two forms, as files have them. Merges: a list of pairs, the earlier first; a pair that
 * stands twice has the later place. Ranks: any two neighbours whose bytes together are a
 * token, the lowest rank first. Of equals the leftmost goes first.
 *
 *     sl_bpe_new(&b, &conf, err);
 *     sl_bpe_vocab_add(sl_bpe_vocab(b), ...); ...          then sl_bpe_words_done
 *     sl_bpe_add_merge(b, left, right, err); ...           (or sl_bpe_add_ranks)
 *     sl_bpe_done(b, err);
 *
 * Time      short pieces by scanning, longer ones with ordered queues: n log n at worst, and
 *           linear on runs.
 * Memory    of a worker: 44 bytes a byte of the longest piece that was not cached.
 * Threads   const once it is done; a worker belongs to one thread.
 * Source    docs/tokenizers.md, "Encoding". */

#include "token/bpe_vocab.h"

struct sl_bpe_conf {
    bool byte_level;    /* symbols are bytes: the words of the vocabulary are byte strings */
    bool byte_chars;    /* symbols are the characters that byte-level files write for bytes */
    bool ignore_merges; /* a piece that is a word is that token */
    bool byte_fallback; /* an unknown character becomes the tokens <0x00> to <0xFF> */
    bool fuse_unk;      /* neighbours that are unknown become one unk */
    struct sl_str unk;  /* n is 0: unknown characters vanish */
    struct sl_str prefix, suffix; /* of characters inside a piece, and of the last one */
};

struct sl_bpe;

SL_MUST_USE enum sl_status sl_bpe_new(struct sl_bpe **out, const struct sl_bpe_conf *conf,
                                      struct sl_err *err);
void sl_bpe_free(struct sl_bpe *b); /* NULL allowed */
struct sl_bpe_vocab *sl_bpe_vocab(struct sl_bpe *b);

/* Behind the last word. SL_E_DATA: unk is no word; a word or an id stands twice. */
SL_MUST_USE enum sl_status sl_bpe_words_done(struct sl_bpe *b, struct sl_err *err);
/* SL_E_DATA: a part or the whole is no word, or a part is empty. */
SL_MUST_USE enum sl_status sl_bpe_add_merge(struct sl_bpe *b, struct sl_str left,
                                            struct sl_str right, struct sl_err *err);
/* The words' ids, less first_id, are ranks: every pair whose bytes are a word. byte_level.
 * SL_E_DATA: a byte is no word. */
SL_MUST_USE enum sl_status sl_bpe_add_ranks(struct sl_bpe *b, uint32_t first_id,
                                            struct sl_err *err);
SL_MUST_USE enum sl_status sl_bpe_done(struct sl_bpe *b, struct sl_err *err);

/* Where a text may be cut before a mark without changing its tokens: behind a byte that no word
 * has before the mark, since no merge reaches over that border. can_cut: false where something
 * else than merges looks over it. */
bool sl_bpe_can_cut(const struct sl_bpe *b, struct sl_str mark);
void sl_bpe_joins_before(const struct sl_bpe *b, struct sl_str mark, bool joins[256]);

struct sl_bpe_worker;
SL_MUST_USE enum sl_status sl_bpe_worker_new(struct sl_bpe_worker **out, struct sl_err *err);
void sl_bpe_worker_free(struct sl_bpe_worker *w); /* NULL allowed */

/* The tokens of one piece (valid UTF-8 unless byte_level, below 2^31 bytes).
 *
 * ids  lent until the worker's next call; n of them, which may be 0.
 * Errors  SL_E_SYSTEM: out of memory. */
SL_MUST_USE enum sl_status sl_bpe_encode(const struct sl_bpe *b, struct sl_bpe_worker *w,
                                         struct sl_str piece, const uint32_t **ids, size_t *n,
                                         struct sl_err *err);

/* The character that byte-level files write for a byte, and back (-1: for none). */
uint32_t sl_bpe_byte_char(uint8_t byte);
int sl_bpe_char_byte(uint32_t cp);

#endif
