/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TEXT_WORD_SET_H
#define SL_TEXT_WORD_SET_H

/* A set of words to look for: stop words and the like.
 *
 * Ownership  lives in the arena that it was made in.
 * Threads    const after it was made. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum { SL_WORD_SET_MAX = 4096 };

struct sl_word_slot {
    uint64_t head; /* the first 8 bytes, zeros behind a shorter word */
    struct sl_str word;
    int32_t index; /* -1: empty */
};

struct sl_word_set {
    uint64_t lengths[256]; /* of words by their first byte; bit i: i bytes, bit 63: 63 or more */
    uint32_t n;            /* distinct words */
    uint32_t n_slots;      /* a power of two */
    struct sl_word_slot *slots;
};

/* Words that stand twice are one. SL_E_DATA: a word is empty or has a blank in it,
 * which no word of a text can be, or there are more than SL_WORD_SET_MAX. */
SL_MUST_USE enum sl_status sl_word_set_make(struct sl_word_set *set, const struct sl_str *words,
                                            size_t n, struct sl_arena *arena, struct sl_err *err);

/* Index of a word among the distinct ones, -1 where it is none of them.
 * readable  bytes that may be read from word.p on, at least word.n. */
int32_t sl_word_set_find(const struct sl_word_set *set, struct sl_str word, size_t readable);

/* May a word (not empty) be in the set? Its first byte and length rule most out. */
static inline bool sl_word_set_may_have(const struct sl_word_set *set, struct sl_str word)
{
    return set->lengths[(uint8_t)word.p[0]] >> (word.n < 63 ? word.n : 63) & 1;
}

#endif
