/* SPDX-License-Identifier: Apache-2.0 */
/* Words in an open table, found by their first 8 bytes and their length: most
 * stop words are shorter, so that one comparison of a register decides. The
 * table is at most a quarter full. Words that share 8 bytes and a length share
 * a chain, which matters to nobody with lists of this size (SL_WORD_SET_MAX
 * bounds it). */
#include "text/word_set.h"

#include <string.h>

#include "base/num.h"
#include "text/words.h"

static uint64_t head_of(struct sl_str w, size_t readable)
{
    uint64_t head = 0;
    if (readable < 8) {
        memcpy(&head, w.p, w.n < 8 ? w.n : 8);
        return head;
    }
    head = sl_load64(w.p);
    return w.n < 8 ? head & (((uint64_t)1 << 8 * w.n) - 1) : head;
}

static uint32_t slot_of(const struct sl_word_set *set, uint64_t head, size_t n)
{
    uint64_t h = (head ^ n << 56 ^ n) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> 40) & (set->n_slots - 1);
}

/* The slot of a word, or the empty one where it would stand. */
static struct sl_word_slot *find_slot(const struct sl_word_set *set, struct sl_str w,
                                      size_t readable)
{
    uint64_t head = head_of(w, readable);
    for (uint32_t at = slot_of(set, head, w.n);; at = (at + 1) & (set->n_slots - 1)) {
        struct sl_word_slot *s = &set->slots[at];
        if (s->index < 0)
            return s;
        if (s->head == head && s->word.n == w.n &&
            (w.n <= 8 || memcmp(s->word.p + 8, w.p + 8, w.n - 8) == 0))
            return s;
    }
}

static bool is_one_word(struct sl_str s)
{
    struct sl_text_iter it = sl_text_iter_of(s);
    struct sl_str word;
    return sl_word_next(&it, &word) && word.n == s.n;
}

enum sl_status sl_word_set_make(struct sl_word_set *set, const struct sl_str *words, size_t n,
                                struct sl_arena *arena, struct sl_err *err)
{
    if (n > SL_WORD_SET_MAX)
        return sl_err_set(err, SL_E_DATA, "%zu words are more than %d", n, SL_WORD_SET_MAX);
    *set = (struct sl_word_set){ .n_slots = 8 };
    while (set->n_slots < n * 4)
        set->n_slots *= 2;
    set->slots = sl_arena_zeros(arena, set->n_slots, sizeof *set->slots);
    if (!set->slots)
        return sl_err_nomem(err, set->n_slots * sizeof *set->slots);
    for (uint32_t i = 0; i < set->n_slots; i++)
        set->slots[i].index = -1;
    for (size_t i = 0; i < n; i++) {
        if (!is_one_word(words[i]))
            return sl_err_set(err, SL_E_DATA, "'%.*s' is not one word",
                              words[i].n < 60 ? (int)words[i].n : 60, words[i].p);
        struct sl_word_slot *s = find_slot(set, words[i], words[i].n);
        if (s->index >= 0)
            continue;
        *s = (struct sl_word_slot){ head_of(words[i], words[i].n), words[i], (int32_t)set->n++ };
        set->lengths[(uint8_t)words[i].p[0]] |= (uint64_t)1 << (words[i].n < 63 ? words[i].n : 63);
    }
    return SL_OK;
}

int32_t sl_word_set_find(const struct sl_word_set *set, struct sl_str word, size_t readable)
{
    return find_slot(set, word, readable)->index;
}
