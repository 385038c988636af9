/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a text through a tokenizer of the byte-pair family.
 *
 * Pieces come in blocks. For each block one loop makes the keys of the short ones and asks for
 * their cache lines; a second one, which then seldom waits for memory, copies the ids or merges
 * what is new. Ids are written straight into the caller's buffer, four at once and as many
 * counted as there are.
 *
 * Where a tokenizer cuts nowhere (Gemma, Llama 2), pieces would be whole documents. They are cut
 * before each U+2581, which stands for a blank, behind a byte that no token has before one: no
 * merge can reach over such a border, so the tokens are the same, and the cache works. */
#include "token/bpe_tokenizer.h"

#include <stdlib.h>

#include "base/num.h"
#include "token/token_cache.h"

enum { BLOCK = 256 };

static const struct sl_str blank = { "\xe2\x96\x81", 3 };

struct bpe_tokenizer {
    struct sl_tokenizer base;
    struct sl_bpe_parts parts;
    bool cuts_at_blanks;
    bool joins[256]; /* bytes that some token has before a blank */
};

struct worker {
    struct sl_split_worker *split;
    struct sl_bpe_worker *bpe;
    struct sl_token_cache *cache;
    struct sl_buf normal[2], late[2], lead;
    size_t n; /* pieces of this block */
    uint32_t ends[BLOCK];
    uint64_t removed[BLOCK / 64];
    struct sl_token_key keys[BLOCK];
    struct sl_token_slot *slots[BLOCK];
    bool at_start; /* nothing of the text was told yet */
};

/* ---- one block of pieces ---- */

static enum sl_status put_ids(struct sl_buf *out, const uint32_t *ids, size_t n, unsigned width,
                              struct sl_err *err)
{
    if (width == 4)
        return sl_buf_add(out, ids, n * 4, err);
    SL_TRY(sl_buf_reserve(out, n * 2, err));
    for (size_t i = 0; i < n; i++)
        sl_store16(out->p + out->n + 2 * i, (uint16_t)ids[i]);
    out->n += 2 * n;
    return SL_OK;
}

static void put_slot(struct sl_buf *out, const struct sl_token_slot *s, unsigned width)
{
    uint8_t *to = out->p + out->n;
    if (width == 4) {
        memcpy(to, s->ids, sizeof s->ids);
    } else {
        for (int i = 0; i < SL_TOKEN_CACHE_IDS; i++)
            sl_store16(to + 2 * i, (uint16_t)s->ids[i]);
    }
    out->n += sl_token_slot_count(s) * width;
}

static enum sl_status long_piece(const struct bpe_tokenizer *t, struct worker *w,
                                 struct sl_str piece, struct sl_buf *out, struct sl_err *err)
{
    unsigned width = sl_token_width(&t->base.info);
    bool keep = piece.n <= SL_TOKEN_CACHE_LONG;
    uint64_t hash = keep ? sl_hash64(piece.p, piece.n) : 0;
    size_t n;
    const uint32_t *ids = keep ? sl_token_cache_find_long(w->cache, piece, hash, &n) : NULL;
    if (!ids) {
        SL_TRY(sl_bpe_encode(t->parts.bpe, w->bpe, piece, &ids, &n, err));
        if (keep)
            sl_token_cache_put_long(w->cache, piece, hash, ids, n);
    }
    return put_ids(out, ids, n, width, err);
}

/* A short piece that is in neither of its slots: new, or of more tokens than a slot has. */
static enum sl_status new_piece(const struct bpe_tokenizer *t, struct worker *w, size_t i,
                                struct sl_str piece, struct sl_buf *out, struct sl_err *err)
{
    uint64_t hash = sl_hash64(piece.p, piece.n);
    size_t n;
    const uint32_t *ids = sl_token_cache_find_long(w->cache, piece, hash, &n);
    if (!ids) {
        SL_TRY(sl_bpe_encode(t->parts.bpe, w->bpe, piece, &ids, &n, err));
        if (n > SL_TOKEN_CACHE_IDS)
            sl_token_cache_put_long(w->cache, piece, hash, ids, n);
        else
            sl_token_cache_put(w->slots[i], w->keys[i], ids, n);
    }
    return put_ids(out, ids, n, sl_token_width(&t->base.info), err);
}

static void find_slots(struct worker *w, struct sl_str text, size_t from)
{
    struct sl_token_slot *slots = sl_token_cache_slots(w->cache);
    size_t begin = from;
    for (size_t i = 0; i < w->n; i++) {
        size_t end = w->ends[i], len = end - begin;
        if (len - 1 < SL_TOKEN_CACHE_SHORT) {
            w->keys[i] = sl_token_key_of(text.p + begin, len, text.n - begin);
            w->slots[i] = slots + sl_token_cache_place(w->keys[i]);
            __builtin_prefetch(w->slots[i]);
        }
        begin = end;
    }
}

static enum sl_status block(const struct bpe_tokenizer *t, struct worker *w, struct sl_str text,
                            size_t from, struct sl_buf *out, struct sl_err *err)
{
    unsigned width = sl_token_width(&t->base.info);
    size_t begin = from, n = w->n;
    find_slots(w, text, from);
    SL_TRY(sl_buf_reserve(out, n * SL_TOKEN_CACHE_IDS * width, err));
    for (size_t i = 0; i < n; i++) {
        struct sl_str piece = { text.p + begin, w->ends[i] - begin };
        begin = w->ends[i];
        if (w->removed[i / 64] >> i % 64 & 1 || !piece.n)
            continue;
        if (piece.n <= SL_TOKEN_CACHE_SHORT) {
            struct sl_token_slot *s = w->slots[i];
            s += !sl_token_slot_has(s, w->keys[i]);
            if (sl_token_slot_has(s, w->keys[i])) {
                put_slot(out, s, width);
                continue;
            }
            SL_TRY(new_piece(t, w, i, piece, out, err));
        } else {
            SL_TRY(long_piece(t, w, piece, out, err));
        }
        SL_TRY(sl_buf_reserve(out, (n - i) * SL_TOKEN_CACHE_IDS * width, err));
    }
    return SL_OK;
}

/* ---- pieces ---- */

/* Ends of pieces where blanks may be cut before; as sl_split_next. */
static size_t cut_at_blanks(const struct bpe_tokenizer *t, struct worker *w, struct sl_str text,
                            size_t *at)
{
    size_t n = 0, from = *at + 1;
    while (n < BLOCK && *at < text.n) {
        const char *hit =
            from < text.n ? memmem(text.p + from, text.n - from, blank.p, blank.n) : NULL;
        size_t end = hit ? (size_t)(hit - text.p) : text.n;
        from = end + 1;
        if (hit && t->joins[(uint8_t)text.p[end - 1]])
            continue;
        w->ends[n++] = (uint32_t)end;
        *at = end;
    }
    return n;
}

static enum sl_status pieces(const struct bpe_tokenizer *t, struct worker *w, struct sl_str text,
                             struct sl_buf *out, struct sl_err *err)
{
    size_t at = 0;
    for (;;) {
        size_t from = at;
        memset(w->removed, 0, sizeof w->removed);
        if (t->cuts_at_blanks)
            w->n = cut_at_blanks(t, w, text, &at);
        else
            SL_TRY(sl_split_next(t->parts.split, w->split, text, &at, w->ends, w->removed, BLOCK,
                                 &w->n, err));
        if (!w->n)
            return SL_OK;
        SL_TRY(block(t, w, text, from, out, err));
    }
}

/* Text between tokens, normalised. */
static enum sl_status plain(const struct bpe_tokenizer *t, struct worker *w, struct sl_str text,
                            struct sl_buf *out, struct sl_err *err)
{
    const struct sl_bpe_parts *p = &t->parts;
    if (!text.n)
        return SL_OK;
    SL_TRY(sl_normalise(&p->late, text, w->late, &text, err));
    if (p->lead.n && !(p->lead_first && !w->at_start) && !sl_str_starts(text, p->lead)) {
        sl_buf_reset(&w->lead);
        SL_TRY(sl_buf_add_str(&w->lead, p->lead, err));
        SL_TRY(sl_buf_add_str(&w->lead, text, err));
        text = sl_buf_str(&w->lead);
    }
    w->at_start = false;
    return pieces(t, w, text, out, err);
}

static enum sl_status put_id(const struct bpe_tokenizer *t, struct worker *w, uint32_t id,
                             struct sl_buf *out, struct sl_err *err)
{
    w->at_start = false;
    return put_ids(out, &id, 1, sl_token_width(&t->base.info), err);
}

static enum sl_status raw(const struct bpe_tokenizer *t, struct worker *w, struct sl_str text,
                          struct sl_buf *out, struct sl_err *err)
{
    struct sl_added_walk walk = { 0, 0 };
    struct sl_added_hit hit;
    if (!text.n)
        return SL_OK;
    SL_TRY(sl_normalise(&t->parts.normaliser, text, w->normal, &text, err));
    while (sl_added_next(&t->parts.normal, text, t->parts.allow_special, &walk, &hit)) {
        SL_TRY(plain(t, w, hit.before, out, err));
        SL_TRY(put_id(t, w, hit.id, out, err));
    }
    return plain(t, w, hit.before, out, err);
}

static enum sl_status whole(const struct bpe_tokenizer *t, struct worker *w, struct sl_str text,
                            struct sl_buf *out, struct sl_err *err)
{
    struct sl_added_walk walk = { 0, 0 };
    struct sl_added_hit hit;
    w->at_start = true;
    while (sl_added_next(&t->parts.raw, text, t->parts.allow_special, &walk, &hit)) {
        SL_TRY(raw(t, w, hit.before, out, err));
        SL_TRY(put_id(t, w, hit.id, out, err));
    }
    return raw(t, w, hit.before, out, err);
}

/* ---- the interface ---- */

static enum sl_status encode(const struct sl_tokenizer *base, void *worker, struct sl_str text,
                             struct sl_buf *ids, struct sl_err *err)
{
    size_t was = ids->n;
    if (text.n >= (size_t)1 << 30)
        return sl_err_set(err, SL_E_DATA, "a text of %zu bytes: the most is 1 GiB", text.n);
    enum sl_status st = whole((const struct bpe_tokenizer *)base, worker, text, ids, err);
    if (st != SL_OK)
        ids->n = was;
    return st;
}

static void worker_free(void *worker)
{
    struct worker *w = worker;
    if (!w)
        return;
    sl_split_worker_free(w->split);
    sl_bpe_worker_free(w->bpe);
    sl_token_cache_free(w->cache);
    for (int i = 0; i < 2; i++) {
        sl_buf_release(&w->normal[i]);
        sl_buf_release(&w->late[i]);
    }
    sl_buf_release(&w->lead);
    free(w);
}

static enum sl_status worker_new(const struct sl_tokenizer *base, void **out, struct sl_err *err)
{
    const struct bpe_tokenizer *t = (const struct bpe_tokenizer *)base;
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        return sl_err_nomem(err, sizeof *w);
    for (int i = 0; i < 2; i++) {
        sl_buf_init(&w->normal[i], UINT32_MAX / 2);
        sl_buf_init(&w->late[i], UINT32_MAX / 2);
    }
    sl_buf_init(&w->lead, UINT32_MAX / 2);
    enum sl_status st = sl_bpe_worker_new(&w->bpe, err);
    if (st == SL_OK)
        st = sl_token_cache_new(&w->cache, err);
    if (st == SL_OK)
        st = sl_split_worker_new(&w->split, t->parts.split, err);
    if (st != SL_OK) {
        worker_free(w);
        return st;
    }
    *out = w;
    return SL_OK;
}

static void tokenizer_free(struct sl_tokenizer *base)
{
    struct bpe_tokenizer *t = (struct bpe_tokenizer *)base;
    sl_bpe_parts_release(&t->parts);
    free(t);
}

static const struct sl_tokenizer_ops bpe_ops = {
    .encode = encode, .worker_new = worker_new, .worker_free = worker_free, .free = tokenizer_free
};

void sl_bpe_parts_init(struct sl_bpe_parts *p)
{
    memset(p, 0, sizeof *p);
    sl_added_init(&p->raw);
    sl_added_init(&p->normal);
    sl_normaliser_init(&p->normaliser);
    sl_normaliser_init(&p->late);
    p->info.eos = p->info.bos = p->info.pad = SL_TOKEN_NONE;
}

void sl_bpe_parts_release(struct sl_bpe_parts *p)
{
    sl_added_release(&p->raw);
    sl_added_release(&p->normal);
    sl_normaliser_release(&p->normaliser);
    sl_normaliser_release(&p->late);
    sl_bpe_free(p->bpe);
    sl_split_free(p->split);
    p->bpe = NULL;
    p->split = NULL;
}

enum sl_status sl_bpe_tokenizer_new(struct sl_tokenizer **out, struct sl_bpe_parts *p,
                                    struct sl_err *err)
{
    struct bpe_tokenizer *t = calloc(1, sizeof *t);
    if (!t) {
        sl_bpe_parts_release(p);
        return sl_err_nomem(err, sizeof *t);
    }
    t->base = (struct sl_tokenizer){ .ops = &bpe_ops, .info = p->info };
    t->parts = *p;
    sl_bpe_parts_init(p);
    sl_added_done(&t->parts.raw);
    sl_added_done(&t->parts.normal);
    if (sl_split_kind_of(t->parts.split) == SL_SPLIT_NONE && sl_bpe_can_cut(t->parts.bpe, blank)) {
        t->cuts_at_blanks = true;
        sl_bpe_joins_before(t->parts.bpe, blank, t->joins);
    }
    *out = &t->base;
    return SL_OK;
}
