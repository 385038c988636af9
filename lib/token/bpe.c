/* SPDX-License-Identifier: Apache-2.0 */
/* Encoding one piece: its symbols, then merges.
 *
 * Pieces of up to SHORT symbols keep the ranks of their neighbours in an array; each step takes
 * the smallest by a scan, closes the gap by moving what is behind, and asks for two ranks anew.
 * That is quadratic in a number that is small, without a branch that the processor cannot
 * foresee, and beats every queue there. Longer pieces go to bpe_queue.c.
 *
 * Tables that find a whole token at once (Aho-Corasick with backtracking) were rejected: they
 * need every token to be built of two others, which files do not promise, and the cache of
 * pieces in front makes this the rare way. */
#include "token/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "token/bpe_parts.h"

enum { SHORT = 40 };

enum sl_status sl_bpe_worker_new(struct sl_bpe_worker **out, struct sl_err *err)
{
    struct sl_bpe_worker *w = calloc(1, sizeof *w);
    if (!w)
        return sl_err_nomem(err, sizeof *w);
    struct sl_buf *all[] = { &w->ids,   &w->ranks, &w->links, &w->now,
                             &w->fresh, &w->heap,  &w->spare, &w->chars };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sl_buf_init(all[i], (size_t)1 << 36);
    *out = w;
    return SL_OK;
}

void sl_bpe_worker_free(struct sl_bpe_worker *w)
{
    if (!w)
        return;
    struct sl_buf *all[] = { &w->ids,   &w->ranks, &w->links, &w->now,
                             &w->fresh, &w->heap,  &w->spare, &w->chars };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sl_buf_release(all[i]);
    free(w);
}

/* ---- symbols ---- */

/* What an unknown character leaves open. */
struct unknown {
    bool pending;
};

static enum sl_status put(struct sl_bpe_worker *w, uint32_t id, struct sl_err *err)
{
    return sl_buf_add(&w->ids, &id, sizeof id, err);
}

static enum sl_status put_known(const struct sl_bpe *b, struct sl_bpe_worker *w, uint32_t id,
                                struct unknown *u, struct sl_err *err)
{
    if (u->pending)
        SL_TRY(put(w, b->unk_id, err));
    u->pending = false;
    return put(w, id, err);
}

/* A pending unk stays pending behind bytes: so does the library that the files are for. */
static enum sl_status put_unknown(const struct sl_bpe *b, struct sl_bpe_worker *w, struct sl_str s,
                                  struct unknown *u, struct sl_err *err)
{
    bool all = b->conf.byte_fallback;
    for (size_t i = 0; all && i < s.n; i++)
        all = b->fallback[(uint8_t)s.p[i]] != SL_BPE_NONE;
    if (all) {
        for (size_t i = 0; i < s.n; i++)
            SL_TRY(put(w, b->fallback[(uint8_t)s.p[i]], err));
        return SL_OK;
    }
    if (b->unk_id == SL_BPE_NONE)
        return SL_OK;
    if (u->pending && !b->conf.fuse_unk)
        SL_TRY(put(w, b->unk_id, err));
    u->pending = true;
    return SL_OK;
}

static enum sl_status byte_symbols(const struct sl_bpe *b, struct sl_bpe_worker *w,
                                   struct sl_str piece, struct sl_err *err)
{
    struct unknown u = { false };
    for (size_t i = 0; i < piece.n; i++) {
        uint32_t id = b->first_id[(uint8_t)piece.p[i]];
        if (id != SL_BPE_NONE)
            SL_TRY(put_known(b, w, id, &u, err));
        else
            SL_TRY(put_unknown(b, w, (struct sl_str){ piece.p + i, 1 }, &u, err));
    }
    return u.pending ? put(w, b->unk_id, err) : SL_OK;
}

enum { FIRST = 1, LAST = 2 };

/* One character with what the vocabulary writes around it. */
static enum sl_status char_symbol(const struct sl_bpe *b, struct sl_bpe_worker *w, struct sl_str c,
                                  unsigned place, struct unknown *u, struct sl_err *err)
{
    char name[256];
    bool first = place & FIRST, last = place & LAST;
    struct sl_str s = c, prefix = b->conf.prefix, suffix = b->conf.suffix;
    if ((!first && prefix.n) || (last && suffix.n)) {
        size_t n = first ? 0 : prefix.n;
        if (n + c.n + suffix.n > sizeof name)
            return sl_err_set(err, SL_E_DATA, "a prefix or suffix of words is too long");
        if (n)
            memcpy(name, prefix.p, n);
        memcpy(name + n, c.p, c.n);
        n += c.n;
        if (last && suffix.n) {
            memcpy(name + n, suffix.p, suffix.n);
            n += suffix.n;
        }
        s = (struct sl_str){ name, n };
    }
    uint32_t id = s.n == 1 ? b->first_id[(uint8_t)s.p[0]] : sl_bpe_vocab_find(&b->vocab, s);
    return id != SL_BPE_NONE ? put_known(b, w, id, u, err) : put_unknown(b, w, s, u, err);
}

static enum sl_status char_symbols(const struct sl_bpe *b, struct sl_bpe_worker *w,
                                   struct sl_str piece, struct sl_err *err)
{
    struct unknown u = { false };
    const uint8_t *begin = (const uint8_t *)piece.p, *end = begin + piece.n, *p = begin;
    while (p < end) {
        const uint8_t *from = p;
        sl_utf8_next(&p, end);
        struct sl_str c = { (const char *)from, (size_t)(p - from) };
        unsigned place = (from == begin ? FIRST : 0u) | (p == end ? LAST : 0u);
        SL_TRY(char_symbol(b, w, c, place, &u, err));
    }
    return u.pending ? put(w, b->unk_id, err) : SL_OK;
}

static enum sl_status write_chars(struct sl_bpe_worker *w, struct sl_str *piece, struct sl_err *err)
{
    sl_buf_reset(&w->chars);
    for (size_t i = 0; i < piece->n; i++) {
        uint8_t c[4];
        unsigned n = sl_utf8_put(c, sl_bpe_byte_char((uint8_t)piece->p[i]));
        SL_TRY(sl_buf_add(&w->chars, c, n, err));
    }
    *piece = sl_buf_str(&w->chars);
    return SL_OK;
}

/* ---- merges ---- */

static size_t smallest(const uint32_t *ranks, size_t n)
{
    uint32_t min = SL_BPE_NONE;
    for (size_t i = 0; i < n; i++)
        min = ranks[i] < min ? ranks[i] : min;
    if (min == SL_BPE_NONE)
        return n;
    size_t at = 0;
    while (ranks[at] != min)
        at++;
    return at;
}

/* ranks[i] is of ids[i] and ids[i + 1]. */
static size_t merge_short(const struct sl_bpe *b, uint32_t *ids, uint32_t *ranks, size_t n)
{
    while (n > 1) {
        size_t at = smallest(ranks, n - 1);
        if (at == n - 1)
            break;
        ids[at] = b->rank_id[ranks[at]];
        n--;
        memmove(ids + at + 1, ids + at + 2, (n - at - 1) * sizeof *ids);
        memmove(ranks + at, ranks + at + 1, (n - at - 1) * sizeof *ranks);
        if (at > 0)
            ranks[at - 1] = sl_bpe_rank(b, ids[at - 1], ids[at]);
        if (at + 1 < n)
            ranks[at] = sl_bpe_rank(b, ids[at], ids[at + 1]);
    }
    return n;
}

static void ranks_of_ids(const struct sl_bpe *b, const uint32_t *ids, uint32_t *ranks, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++)
        ranks[i] = sl_bpe_rank(b, ids[i], ids[i + 1]);
}

/* The common case: a short piece of bytes that all are tokens. False: not that. */
static bool encode_bytes(const struct sl_bpe *b, uint32_t *ids, uint32_t *ranks, struct sl_str s,
                         size_t *n)
{
    const uint8_t *p = (const uint8_t *)s.p;
    bool known = true;
    for (size_t i = 0; i < s.n; i++) {
        ids[i] = b->first_id[p[i]];
        known &= ids[i] != SL_BPE_NONE;
    }
    if (!known)
        return false;
    for (size_t i = 0; i + 1 < s.n; i++)
        ranks[i] = b->byte_ranks[p[i] | (unsigned)p[i + 1] << 8];
    *n = merge_short(b, ids, ranks, s.n);
    return true;
}

enum sl_status sl_bpe_encode(const struct sl_bpe *b, struct sl_bpe_worker *w, struct sl_str piece,
                             const uint32_t **ids, size_t *n, struct sl_err *err)
{
    sl_buf_reset(&w->ids);
    sl_buf_reset(&w->ranks);
    if (b->conf.byte_chars)
        SL_TRY(write_chars(w, &piece, err));
    SL_TRY(sl_buf_reserve(&w->ids, (piece.n < SHORT ? SHORT : piece.n) * sizeof **ids, err));
    SL_TRY(sl_buf_reserve(&w->ranks, SHORT * sizeof **ids, err));
    uint32_t *to = (uint32_t *)(void *)w->ids.p, *ranks = (uint32_t *)(void *)w->ranks.p;
    *ids = to;
    if (b->conf.ignore_merges) {
        to[0] = sl_bpe_vocab_find(&b->vocab, piece);
        *n = 1;
        if (to[0] != SL_BPE_NONE)
            return SL_OK;
    }
    if (b->conf.byte_level && piece.n <= SHORT && encode_bytes(b, to, ranks, piece, n))
        return SL_OK;
    SL_TRY(b->conf.byte_level ? byte_symbols(b, w, piece, err) : char_symbols(b, w, piece, err));
    *n = w->ids.n / sizeof **ids;
    if (*n > SHORT) {
        SL_TRY(sl_bpe_merge_long(b, w, n, err));
        *ids = (const uint32_t *)(const void *)w->ids.p;
        return SL_OK;
    }
    to = (uint32_t *)(void *)w->ids.p;
    ranks_of_ids(b, to, ranks, *n);
    *n = merge_short(b, to, ranks, *n);
    *ids = to;
    return SL_OK;
}
