/* SPDX-License-Identifier: Apache-2.0 */
/* Building the tables of byte-pair encoding.
 *
 * Pairs stand in one open table of 16-byte slots, four a cache line and at most two in
 * three taken, with the rank and the new id in the slot: merging asks for both. Ranks become pairs
 * too, by trying every way to cut a token in two; so that both forms run the same loop, and
 * what is slow is done once. Byte level vocabularies have a table of ranks of two bytes, which
 * answers the questions that every piece asks first. */
#include <stdlib.h>
#include <string.h>

#include "token/bpe_parts.h"

#define MAX_PAIRS ((size_t)1 << 26)
/* Trying all cuts is quadratic in the length of a token. */
enum { MAX_RANKED_BYTES = 4096 };

enum sl_status sl_bpe_new(struct sl_bpe **out, const struct sl_bpe_conf *conf, struct sl_err *err)
{
    struct sl_bpe *b = calloc(1, sizeof *b);
    if (!b)
        return sl_err_nomem(err, sizeof *b);
    b->conf = *conf;
    b->unk_id = SL_BPE_NONE;
    sl_bpe_vocab_init(&b->vocab);
    sl_buf_init(&b->list, MAX_PAIRS * sizeof(struct sl_bpe_pair));
    sl_buf_init(&b->strings, 1 << 20);
    enum sl_status st = sl_buf_add_str(&b->strings, conf->unk, err);
    if (st == SL_OK)
        st = sl_buf_add_str(&b->strings, conf->prefix, err);
    if (st == SL_OK)
        st = sl_buf_add_str(&b->strings, conf->suffix, err);
    if (st != SL_OK) {
        sl_bpe_free(b);
        return st;
    }
    const char *p = (const char *)b->strings.p;
    b->conf.unk.p = p;
    b->conf.prefix.p = p + conf->unk.n;
    b->conf.suffix.p = p + conf->unk.n + conf->prefix.n;
    *out = b;
    return SL_OK;
}

void sl_bpe_free(struct sl_bpe *b)
{
    if (!b)
        return;
    sl_bpe_vocab_release(&b->vocab);
    sl_buf_release(&b->list);
    sl_buf_release(&b->strings);
    free(b->pairs);
    free(b->filter);
    free(b->rank_id);
    free(b->byte_ranks);
    free(b);
}

struct sl_bpe_vocab *sl_bpe_vocab(struct sl_bpe *b)
{
    return &b->vocab;
}

enum sl_status sl_bpe_words_done(struct sl_bpe *b, struct sl_err *err)
{
    static const char digits[] = "0123456789ABCDEF";
    SL_TRY(sl_bpe_vocab_index(&b->vocab, err));
    for (int i = 0; i < 256; i++) {
        char byte = (char)i, name[] = { '<', '0', 'x', digits[i >> 4], digits[i & 15], '>' };
        b->first_id[i] = sl_bpe_vocab_find(&b->vocab, (struct sl_str){ &byte, 1 });
        b->fallback[i] = b->conf.byte_fallback
                             ? sl_bpe_vocab_find(&b->vocab, (struct sl_str){ name, sizeof name })
                             : SL_BPE_NONE;
    }
    if (b->conf.unk.n) {
        b->unk_id = sl_bpe_vocab_find(&b->vocab, b->conf.unk);
        if (b->unk_id == SL_BPE_NONE)
            return sl_err_set(err, SL_E_DATA, "the unk_token '%.*s' is not in the vocabulary",
                              b->conf.unk.n > 64 ? 64 : (int)b->conf.unk.n, b->conf.unk.p);
    }
    return SL_OK;
}

static enum sl_status no_word(struct sl_str s, struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "a merge: '%.*s' is not in the vocabulary",
                      s.n > 64 ? 64 : (int)s.n, s.p);
}

static enum sl_status id_of(const struct sl_bpe *b, struct sl_str s, uint32_t *id,
                            struct sl_err *err)
{
    *id = s.n ? sl_bpe_vocab_find(&b->vocab, s) : SL_BPE_NONE;
    return *id == SL_BPE_NONE ? no_word(s, err) : SL_OK;
}

enum sl_status sl_bpe_add_merge(struct sl_bpe *b, struct sl_str left, struct sl_str right,
                                struct sl_err *err)
{
    struct sl_bpe_pair pair = { .rank = b->n_ranks };
    SL_TRY(id_of(b, left, &pair.a, err));
    SL_TRY(id_of(b, right, &pair.b, err));
    if (right.n < b->conf.prefix.n)
        return no_word(right, err);
    size_t cut = b->conf.prefix.n;
    struct sl_buf both;
    sl_buf_init(&both, (size_t)1 << 31);
    enum sl_status st = sl_buf_add_str(&both, left, err);
    if (st == SL_OK)
        st = sl_buf_add(&both, right.p + cut, right.n - cut, err);
    if (st == SL_OK)
        st = id_of(b, sl_buf_str(&both), &pair.id, err);
    sl_buf_release(&both);
    if (st != SL_OK)
        return st;
    b->n_ranks++;
    return sl_buf_add(&b->list, &pair, sizeof pair, err);
}

static enum sl_status add_cuts(struct sl_bpe *b, size_t i, uint32_t first_id, struct sl_err *err)
{
    struct sl_str s = sl_bpe_vocab_str(&b->vocab, i);
    uint32_t id = sl_bpe_vocab_at(&b->vocab, i)->id;
    for (size_t k = 1; k < s.n; k++) {
        uint32_t x = sl_bpe_vocab_find(&b->vocab, (struct sl_str){ s.p, k });
        if (x == SL_BPE_NONE)
            continue;
        uint32_t y = sl_bpe_vocab_find(&b->vocab, (struct sl_str){ s.p + k, s.n - k });
        struct sl_bpe_pair pair = { x, y, id - first_id, id };
        if (y != SL_BPE_NONE)
            SL_TRY(sl_buf_add(&b->list, &pair, sizeof pair, err));
    }
    return SL_OK;
}

enum sl_status sl_bpe_add_ranks(struct sl_bpe *b, uint32_t first_id, struct sl_err *err)
{
    for (int i = 0; i < 256; i++)
        if (b->first_id[i] == SL_BPE_NONE)
            return sl_err_set(err, SL_E_DATA, "the byte 0x%02x is no token", (unsigned)i);
    for (size_t i = 0; i < sl_bpe_vocab_count(&b->vocab); i++) {
        struct sl_str s = sl_bpe_vocab_str(&b->vocab, i);
        if (!s.n || s.n > MAX_RANKED_BYTES)
            return sl_err_set(err, SL_E_DATA, "a token of %zu bytes (1 to %d are allowed)", s.n,
                              MAX_RANKED_BYTES);
        SL_TRY(add_cuts(b, i, first_id, err));
    }
    b->n_ranks = b->vocab.max_id - first_id + 1;
    return SL_OK;
}

static enum sl_status byte_ranks(struct sl_bpe *b, struct sl_err *err)
{
    b->byte_ranks = malloc(65536 * sizeof *b->byte_ranks);
    if (!b->byte_ranks)
        return sl_err_nomem(err, 65536 * sizeof *b->byte_ranks);
    for (unsigned i = 0; i < 65536; i++) {
        uint32_t x = b->first_id[i & 255], y = b->first_id[i >> 8];
        b->byte_ranks[i] =
            x == SL_BPE_NONE || y == SL_BPE_NONE ? SL_BPE_NONE : sl_bpe_rank(b, x, y);
    }
    return SL_OK;
}

enum sl_status sl_bpe_done(struct sl_bpe *b, struct sl_err *err)
{
    size_t n = b->list.n / sizeof(struct sl_bpe_pair);
    const struct sl_bpe_pair *list = (const void *)b->list.p;
    for (b->pair_bits = 4; ((size_t)1 << b->pair_bits) < n + n / 2; b->pair_bits++)
        ;
    size_t bytes = sizeof *b->pairs << b->pair_bits;
    b->pairs = sl_big_alloc(&bytes);
    b->filter = calloc(((size_t)4 << b->pair_bits) / 64, sizeof *b->filter);
    b->rank_id = malloc(((size_t)b->n_ranks + 1) * sizeof *b->rank_id);
    if (!b->pairs || !b->filter || !b->rank_id)
        return sl_err_nomem(err, bytes);
    memset(b->pairs, 0xff, bytes);
    for (size_t i = 0; i < n; i++) {
        struct sl_bpe_pair *slot = (struct sl_bpe_pair *)sl_bpe_pair_find(b, list[i].a, list[i].b);
        *slot = list[i]; /* a later one of the same two takes the place */
        b->rank_id[list[i].rank] = list[i].id;
        uint64_t bit = sl_bpe_pair_hash(list[i].a, list[i].b) >> (62 - b->pair_bits);
        b->filter[bit / 64] |= (uint64_t)1 << bit % 64;
    }
    if (b->conf.byte_level)
        SL_TRY(byte_ranks(b, err));
    return SL_OK;
}

bool sl_bpe_can_cut(const struct sl_bpe *b, struct sl_str mark)
{
    return !b->conf.ignore_merges && !b->conf.prefix.n && !b->conf.suffix.n &&
           !b->conf.byte_chars && sl_bpe_vocab_find(&b->vocab, mark) != SL_BPE_NONE;
}

static void joins_in(struct sl_str s, struct sl_str mark, bool joins[256])
{
    for (size_t i = 1; i + mark.n <= s.n; i++)
        if (memcmp(s.p + i, mark.p, mark.n) == 0)
            joins[(uint8_t)s.p[i - 1]] = true;
}

void sl_bpe_joins_before(const struct sl_bpe *b, struct sl_str mark, bool joins[256])
{
    memset(joins, 0, 256 * sizeof *joins);
    for (size_t i = 0; i < sl_bpe_vocab_count(&b->vocab); i++)
        joins_in(sl_bpe_vocab_str(&b->vocab, i), mark, joins);
}

/* Bytes that print stand for themselves, the other 68 for 0x100 on, in order. */
static bool prints(unsigned byte)
{
    return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte != 0xad);
}

uint32_t sl_bpe_byte_char(uint8_t byte)
{
    uint32_t cp = 0x100;
    if (prints(byte))
        return byte;
    for (unsigned i = 0; i < byte; i++)
        cp += !prints(i);
    return cp;
}

int sl_bpe_char_byte(uint32_t cp)
{
    if (cp < 0x100)
        return prints(cp) ? (int)cp : -1;
    for (unsigned i = 0, at = 0x100; i < 256; i++) {
        if (prints(i))
            continue;
        if (at++ == cp)
            return (int)i;
    }
    return -1;
}
