/* SPDX-License-Identifier: Apache-2.0 */
/* Vocabularies: an open table of word numbers over one block of text, at most half full.
 *
 * The words keep 32 bits of their hash, so that a probe that misses seldom touches the text.
 * A table with keys in it was rejected: keys are of any length, and the strings are wanted in
 * one place by those who walk over them. */
#include "token/bpe_vocab.h"

#include "base/hash.h"

#define MAX_TEXT_BYTES ((size_t)1 << 30)

void sl_bpe_vocab_init(struct sl_bpe_vocab *v)
{
    *v = (struct sl_bpe_vocab){ .bits = 0 };
    sl_buf_init(&v->text, MAX_TEXT_BYTES);
    sl_buf_init(&v->words, SL_BPE_MAX_ID * sizeof(struct sl_bpe_word));
    sl_buf_init(&v->slots, (size_t)SL_BPE_MAX_ID * 4 * sizeof(uint32_t));
}

void sl_bpe_vocab_release(struct sl_bpe_vocab *v)
{
    sl_buf_release(&v->text);
    sl_buf_release(&v->words);
    sl_buf_release(&v->slots);
}

enum sl_status sl_bpe_vocab_add(struct sl_bpe_vocab *v, struct sl_str s, uint32_t id,
                                struct sl_err *err)
{
    if (id >= SL_BPE_MAX_ID)
        return sl_err_set(err, SL_E_DATA, "the id %u is over %u", id, SL_BPE_MAX_ID - 1);
    if (s.n > MAX_TEXT_BYTES)
        return sl_err_set(err, SL_E_DATA, "a token of %zu bytes", s.n);
    struct sl_bpe_word w = { .off = (uint32_t)v->text.n,
                             .n = (uint32_t)s.n,
                             .id = id,
                             .hash = (uint32_t)sl_hash64(s.p, s.n) };
    SL_TRY(sl_buf_add_str(&v->text, s, err));
    if (id > v->max_id)
        v->max_id = id;
    return sl_buf_add(&v->words, &w, sizeof w, err);
}

/* The slot where s stands or would stand. */
static uint32_t *slot_of(const struct sl_bpe_vocab *v, struct sl_str s, uint32_t hash)
{
    uint32_t *slots = (uint32_t *)(void *)v->slots.p;
    uint32_t mask = ((uint32_t)1 << v->bits) - 1;
    uint32_t at = (hash * 0x9e3779b1u) >> (32 - v->bits);
    for (;; at = (at + 1) & mask) {
        if (!slots[at])
            return &slots[at];
        const struct sl_bpe_word *w = sl_bpe_vocab_at(v, slots[at] - 1);
        if (w->hash == hash && sl_str_eq(sl_bpe_vocab_str(v, slots[at] - 1), s))
            return &slots[at];
    }
}

static enum sl_status check_ids(const struct sl_bpe_vocab *v, struct sl_err *err)
{
    struct sl_buf seen;
    sl_buf_init(&seen, SL_BPE_MAX_ID);
    enum sl_status st = sl_buf_add_zeros(&seen, v->max_id / 8 + 1, err);
    for (size_t i = 0; st == SL_OK && i < sl_bpe_vocab_count(v); i++) {
        uint32_t id = sl_bpe_vocab_at(v, i)->id;
        if (seen.p[id / 8] >> id % 8 & 1)
            st = sl_err_set(err, SL_E_DATA, "two tokens have the id %u", id);
        seen.p[id / 8] |= (uint8_t)(1u << id % 8);
    }
    sl_buf_release(&seen);
    return st;
}

enum sl_status sl_bpe_vocab_index(struct sl_bpe_vocab *v, struct sl_err *err)
{
    size_t n = sl_bpe_vocab_count(v);
    SL_TRY(check_ids(v, err));
    for (v->bits = 4; ((size_t)1 << v->bits) < 2 * n; v->bits++)
        ;
    SL_TRY(sl_buf_add_zeros(&v->slots, sizeof(uint32_t) << v->bits, err));
    for (size_t i = 0; i < n; i++) {
        struct sl_str s = sl_bpe_vocab_str(v, i);
        uint32_t *slot = slot_of(v, s, sl_bpe_vocab_at(v, i)->hash);
        if (*slot)
            return sl_err_set(err, SL_E_DATA, "the token '%.*s' stands twice (ids %u and %u)",
                              s.n > 64 ? 64 : (int)s.n, s.p, sl_bpe_vocab_at(v, *slot - 1)->id,
                              sl_bpe_vocab_at(v, i)->id);
        *slot = (uint32_t)i + 1;
    }
    return SL_OK;
}

uint32_t sl_bpe_vocab_find(const struct sl_bpe_vocab *v, struct sl_str s)
{
    uint32_t slot = *slot_of(v, s, (uint32_t)sl_hash64(s.p, s.n));
    return slot ? sl_bpe_vocab_at(v, slot - 1)->id : SL_BPE_NONE;
}
