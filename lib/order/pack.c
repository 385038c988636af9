/* SPDX-License-Identifier: Apache-2.0 */
/* Packing by concatenation.
 *
 * A document is poured into the open sequence of its source (one for all, where
 * sources may mix) as often as it takes: copy what fits, note a piece, emit
 * when full. Nothing looks ahead and nothing is copied twice here, so time is
 * linear and the memory is that of the open sequences, whose buffers grow only
 * as far as they are filled.
 *
 * Pieces are kept as the columns that they become (ids, starts, offsets), so a
 * sequence is emitted as it lies. Means are kept as running sums in the order of
 * the pieces: the same bits on every machine.
 *
 * With the extra token a sequence begins with the last token of the one before,
 * as a piece of its own that the next tokens of the same document continue.
 * Such a token was placed already: it begins no document, and a sequence that
 * has nothing else is not written.
 *
 * Rejected: best fit of whole documents (it needs a window of documents and
 * another tool's name), and a table of open sequences in order of use with
 * flushes of the oldest (padding would depend on the interleaving).
 *
 * Invariant between calls: every open sequence has fewer than n_stored tokens. */
#include "order/pack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"

enum { TABLE_SLOTS = 2 * SL_PACK_MAX_SOURCES, ID_BYTES = 16, SOURCE_MAX_BYTES = 1 << 30 };

struct mean {
    double sum;
    uint64_t tokens; /* of the pieces that have a number */
};

struct open_seq {
    uint32_t slot;
    uint32_t n;   /* tokens */
    bool overlap; /* the first token stands in the sequence before too */
    bool has_source, mixed;
    struct sl_buf source;
    struct sl_buf tokens;
    struct sl_buf ids, starts, offsets, lengths, copies; /* one entry a piece */
    struct mean *means;                                  /* n_carry */
};

struct sl_pack {
    struct sl_pack_conf conf;
    struct sl_pack_sink sink;
    uint32_t n_stored;
    struct open_seq **open;
    uint32_t n_open, cap_open;
    uint32_t *table; /* by_source: slot + 1 by the hash of the source; 0: free */
    uint8_t *mask;   /* n_stored ones */
    double *carry;   /* means of the sequence being emitted */
    struct sl_hasher *hasher;
    struct sl_pack_counts counts;
};

static void port_add(struct sl_pack_port *port, struct sl_hash128 id)
{
    port->rows++;
    sl_hash128_add(&port->ids, id);
}

static struct sl_hash128 id_of_piece(const struct open_seq *s, size_t i)
{
    struct sl_hash128 id;
    memcpy(id.b, s->ids.p + i * ID_BYTES, ID_BYTES);
    return id;
}

static size_t n_pieces(const struct open_seq *s)
{
    return s->ids.n / ID_BYTES;
}

static const uint32_t *numbers(const struct sl_buf *b)
{
    return (const uint32_t *)(const void *)b->p;
}

static enum sl_status add_number(struct sl_buf *b, uint32_t v, struct sl_err *err)
{
    return sl_buf_add(b, &v, sizeof v, err);
}

/* ---- open sequences ---- */

static void seq_free(struct open_seq *s)
{
    if (!s)
        return;
    sl_buf_release(&s->source);
    sl_buf_release(&s->tokens);
    sl_buf_release(&s->ids);
    sl_buf_release(&s->starts);
    sl_buf_release(&s->offsets);
    sl_buf_release(&s->lengths);
    sl_buf_release(&s->copies);
    free(s->means);
    free(s);
}

static struct open_seq *seq_new(const struct sl_pack *p)
{
    struct open_seq *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->means = calloc((size_t)p->conf.n_carry + 1, sizeof *s->means);
    s->slot = p->n_open;
    size_t most = (size_t)p->n_stored;
    sl_buf_init(&s->source, SOURCE_MAX_BYTES);
    sl_buf_init(&s->tokens, most * p->conf.width);
    sl_buf_init(&s->ids, most * ID_BYTES);
    sl_buf_init(&s->starts, most * sizeof(uint32_t));
    sl_buf_init(&s->offsets, most * sizeof(uint32_t));
    sl_buf_init(&s->lengths, most * sizeof(uint32_t));
    sl_buf_init(&s->copies, most * sizeof(uint32_t));
    if (s->means)
        return s;
    seq_free(s);
    return NULL;
}

static void seq_reset(const struct sl_pack *p, struct open_seq *s)
{
    s->n = 0;
    s->overlap = s->mixed = false;
    sl_buf_reset(&s->tokens);
    sl_buf_reset(&s->ids);
    sl_buf_reset(&s->starts);
    sl_buf_reset(&s->offsets);
    sl_buf_reset(&s->lengths);
    sl_buf_reset(&s->copies);
    memset(s->means, 0, p->conf.n_carry * sizeof *s->means);
}

static enum sl_status add_slot(struct sl_pack *p, struct open_seq **out, struct sl_err *err)
{
    if (p->n_open == SL_PACK_MAX_SOURCES)
        return sl_err_set(err, SL_E_DATA,
                          "more than %d sources, and one sequence is open for each: pack the "
                          "sources apart, or let them mix",
                          SL_PACK_MAX_SOURCES);
    if (p->n_open == p->cap_open) {
        uint32_t cap = p->cap_open ? p->cap_open * 2 : 16;
        struct open_seq **open = realloc(p->open, cap * sizeof(struct open_seq *));
        if (!open)
            return sl_err_nomem(err, cap * sizeof(struct open_seq *));
        p->open = open;
        p->cap_open = cap;
    }
    struct open_seq *s = seq_new(p);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    p->open[p->n_open++] = s;
    *out = s;
    return SL_OK;
}

static bool same_source(const struct open_seq *s, const struct sl_pack_doc *doc)
{
    return s->has_source == doc->has_source &&
           (!doc->has_source || sl_str_eq(sl_buf_str(&s->source), doc->source));
}

static enum sl_status set_source(struct open_seq *s, const struct sl_pack_doc *doc,
                                 struct sl_err *err)
{
    s->has_source = doc->has_source;
    sl_buf_reset(&s->source);
    return doc->has_source ? sl_buf_add_str(&s->source, doc->source, err) : SL_OK;
}

/* The open sequence of a document's source. Half of the table stays free, so
 * probing ends. */
static enum sl_status seq_of(struct sl_pack *p, const struct sl_pack_doc *doc,
                             struct open_seq **out, struct sl_err *err)
{
    if (!p->conf.by_source) {
        *out = p->n_open ? p->open[0] : NULL;
        return *out ? SL_OK : add_slot(p, out, err);
    }
    uint64_t at = doc->has_source ? sl_hash64(doc->source.p, doc->source.n) : 0;
    for (at %= TABLE_SLOTS; p->table[at]; at = (at + 1) % TABLE_SLOTS) {
        *out = p->open[p->table[at] - 1];
        if (same_source(*out, doc))
            return SL_OK;
    }
    SL_TRY(add_slot(p, out, err));
    p->table[at] = (*out)->slot + 1;
    return set_source(*out, doc, err);
}

/* ---- a sequence is complete ---- */

/* docs/packing.md, "Identity". */
static struct sl_hash128 seq_id(const struct sl_pack *p, const struct open_seq *s)
{
    uint8_t piece[ID_BYTES + 3 * sizeof(uint64_t)], l[sizeof(uint64_t)];
    sl_hasher_reset128(p->hasher);
    for (size_t i = 0; i < n_pieces(s); i++) {
        memcpy(piece, s->ids.p + i * ID_BYTES, ID_BYTES);
        sl_store64(piece + 16, numbers(&s->copies)[i]);
        sl_store64(piece + 24, numbers(&s->starts)[i]);
        sl_store64(piece + 32, numbers(&s->lengths)[i]);
        sl_hasher_add128(p->hasher, piece, sizeof piece);
    }
    sl_store64(l, p->conf.length);
    sl_hasher_add128(p->hasher, l, sizeof l);
    sl_hasher_add128(p->hasher, p->conf.tokenizer.b, sizeof p->conf.tokenizer.b);
    return sl_hasher_end128(p->hasher);
}

/* A document begins in the sequence that has its first token for the first time. */
static void count_begun(struct sl_pack_port *port, const struct open_seq *s)
{
    for (size_t i = s->overlap ? 1 : 0; i < n_pieces(s); i++)
        if (numbers(&s->starts)[i] == 0)
            port_add(port, id_of_piece(s, i));
}

static enum sl_status emit(struct sl_pack *p, struct open_seq *s, struct sl_err *err)
{
    for (uint32_t k = 0; k < p->conf.n_carry; k++) {
        const struct mean *m = &s->means[k];
        p->carry[k] = m->tokens ? m->sum / (double)m->tokens : (double)NAN;
    }
    struct sl_pack_seq seq = {
        .id = seq_id(p, s),
        .slot = s->slot,
        .n_stored = p->n_stored,
        .n_real = s->n,
        .tokens = s->tokens.p,
        .mask = p->mask,
        .n_pieces = n_pieces(s),
        .doc_ids = s->ids.p,
        .starts = numbers(&s->starts),
        .offsets = numbers(&s->offsets),
        .has_source = s->has_source && !s->mixed,
        .source = sl_buf_str(&s->source),
        .carry = p->carry,
    };
    p->counts.rows++;
    p->counts.tokens_out += p->n_stored;
    p->counts.padding += p->n_stored - s->n;
    p->counts.overlap += s->overlap;
    count_begun(&p->counts.begun, s);
    return p->sink.emit(p->sink.ctx, &seq, err);
}

/* ---- a document is poured ---- */

/* Tokens [start, start + n) of a document with its end token. */
struct part {
    uint32_t start, n;
    bool goes_on; /* continues the last piece of the sequence that it is put into */
};

static enum sl_status add_piece(struct open_seq *s, const struct sl_pack_doc *doc,
                                const struct part *part, struct sl_err *err)
{
    SL_TRY(sl_buf_add(&s->ids, doc->id.b, ID_BYTES, err));
    SL_TRY(add_number(&s->starts, part->start, err));
    SL_TRY(add_number(&s->offsets, s->n, err));
    SL_TRY(add_number(&s->lengths, part->n, err));
    return add_number(&s->copies, doc->copy, err);
}

static enum sl_status add_tokens(const struct sl_pack *p, struct open_seq *s,
                                 const struct sl_pack_doc *doc, const struct part *part,
                                 struct sl_err *err)
{
    size_t width = p->conf.width;
    bool last = (uint64_t)part->start + part->n > doc->n_tokens;
    uint32_t plain = last ? part->n - 1 : part->n;
    if (plain)
        SL_TRY(sl_buf_add(&s->tokens, (const uint8_t *)doc->tokens + part->start * width,
                          plain * width, err));
    return last ? sl_buf_add(&s->tokens, &p->conf.eos, width, err) : SL_OK;
}

/* Put a part of a document at the end of a sequence. */
static enum sl_status put(const struct sl_pack *p, struct open_seq *s,
                          const struct sl_pack_doc *doc, struct part part, struct sl_err *err)
{
    if (part.goes_on)
        ((uint32_t *)(void *)(s->lengths.p + s->lengths.n))[-1] += part.n;
    else
        SL_TRY(add_piece(s, doc, &part, err));
    SL_TRY(add_tokens(p, s, doc, &part, err));
    for (uint32_t k = 0; k < p->conf.n_carry; k++) {
        if (!isfinite(doc->carry[k]))
            continue;
        s->means[k].sum += doc->carry[k] * part.n;
        s->means[k].tokens += part.n;
    }
    if (!s->n && !p->conf.by_source)
        SL_TRY(set_source(s, doc, err));
    else if (!part.goes_on && !s->mixed)
        s->mixed = !same_source(s, doc);
    s->n += part.n;
    return SL_OK;
}

static enum sl_status pour(struct sl_pack *p, struct open_seq *s, const struct sl_pack_doc *doc,
                           bool *emitted, struct sl_err *err)
{
    uint32_t total = doc->n_tokens + 1; /* the end token is the last */
    bool extra = p->conf.extra_token, goes_on = false;
    for (uint32_t at = 0; at < total;) {
        uint32_t room = p->n_stored - s->n;
        uint32_t n = total - at < room ? total - at : room;
        SL_TRY(put(p, s, doc, (struct part){ at, n, goes_on }, err));
        at += n;
        if (s->n < p->n_stored)
            break;
        SL_TRY(emit(p, s, err));
        *emitted = true;
        seq_reset(p, s);
        if (extra)
            SL_TRY(put(p, s, doc, (struct part){ at - 1, 1, false }, err));
        s->overlap = goes_on = extra;
    }
    return SL_OK;
}

enum sl_status sl_pack_add(struct sl_pack *p, const struct sl_pack_doc *doc, int64_t *waits,
                           struct sl_err *err)
{
    struct open_seq *s = NULL;
    bool emitted = false;
    port_add(&p->counts.in, doc->id);
    if (waits)
        *waits = -1;
    if (!doc->n_tokens) {
        port_add(&p->counts.empty, doc->id);
        return SL_OK;
    }
    if (doc->n_tokens > INT32_MAX)
        return sl_err_set(err, SL_E_DATA, "a document of %u tokens", doc->n_tokens);
    p->counts.tokens_in += doc->n_tokens;
    p->counts.specials++;
    SL_TRY(seq_of(p, doc, &s, err));
    SL_TRY(pour(p, s, doc, &emitted, err));
    if (waits && !emitted)
        *waits = s->slot;
    return SL_OK;
}

/* ---- the end ---- */

static enum sl_status cut(struct sl_pack *p, struct open_seq *s, struct sl_err *err)
{
    p->counts.cut += s->n - s->overlap;
    count_begun(&p->counts.lost, s);
    return p->sink.cut ? p->sink.cut(p->sink.ctx, s->slot, err) : SL_OK;
}

static enum sl_status pad_and_emit(struct sl_pack *p, struct open_seq *s, struct sl_err *err)
{
    for (uint32_t i = s->n; i < p->n_stored; i++)
        SL_TRY(sl_buf_add(&s->tokens, &p->conf.pad, p->conf.width, err));
    memset(p->mask + s->n, 0, p->n_stored - s->n);
    enum sl_status st = emit(p, s, err);
    memset(p->mask + s->n, 1, p->n_stored - s->n);
    return st;
}

enum sl_status sl_pack_end(struct sl_pack *p, struct sl_err *err)
{
    for (uint32_t i = 0; i < p->n_open; i++) {
        struct open_seq *s = p->open[i];
        if (s->n > s->overlap)
            SL_TRY(p->conf.drop_last ? cut(p, s, err) : pad_and_emit(p, s, err));
        seq_reset(p, s);
    }
    return sl_pack_check(&p->counts, err);
}

const struct sl_pack_counts *sl_pack_counts(const struct sl_pack *p)
{
    return &p->counts;
}

enum sl_status sl_pack_check(const struct sl_pack_counts *c, struct sl_err *err)
{
    if (c->tokens_in + c->specials + c->overlap != c->tokens_out - c->padding + c->cut)
        return sl_err_set(err, SL_E_BUG,
                          "conservation: %lld tokens in, %lld specials and %lld overlap are not "
                          "%lld out less %lld padding and %lld cut",
                          (long long)c->tokens_in, (long long)c->specials, (long long)c->overlap,
                          (long long)c->tokens_out, (long long)c->padding, (long long)c->cut);
    struct sl_pack_port sum = c->begun;
    sum.rows += c->empty.rows + c->lost.rows;
    sl_hash128_add(&sum.ids, c->empty.ids);
    sl_hash128_add(&sum.ids, c->lost.ids);
    if (sum.rows != c->in.rows || memcmp(sum.ids.b, c->in.ids.b, ID_BYTES) != 0)
        return sl_err_set(err, SL_E_BUG,
                          "conservation: %lld documents in are not %lld begun, %lld empty and %lld "
                          "cut, or their ids differ",
                          (long long)c->in.rows, (long long)c->begun.rows, (long long)c->empty.rows,
                          (long long)c->lost.rows);
    return SL_OK;
}

/* ---- making ---- */

static enum sl_status check_conf(const struct sl_pack_conf *c, struct sl_err *err)
{
    uint32_t most = SL_PACK_MAX_STORED - c->extra_token;
    if (c->length < 1 || c->length > most)
        return sl_err_set(err, SL_E_USAGE, "sequences of %u tokens: 1 to %u can be", c->length,
                          most);
    if (c->width != 2 && c->width != 4)
        return sl_err_set(err, SL_E_BUG, "token ids of %u bytes", c->width);
    if (c->width == 2 && (c->eos > UINT16_MAX || c->pad > UINT16_MAX))
        return sl_err_set(err, SL_E_DATA, "end or padding id over 65535 in tokens of 16 bits");
    return SL_OK;
}

static bool allocate(struct sl_pack *p)
{
    p->hasher = sl_hasher_new();
    p->mask = malloc(p->n_stored);
    p->carry = calloc((size_t)p->conf.n_carry + 1, sizeof *p->carry);
    if (p->conf.by_source)
        p->table = calloc(TABLE_SLOTS, sizeof *p->table);
    return p->hasher && p->mask && p->carry && (p->table || !p->conf.by_source);
}

enum sl_status sl_pack_new(struct sl_pack **out, const struct sl_pack_conf *conf,
                           struct sl_pack_sink sink, struct sl_err *err)
{
    *out = NULL;
    SL_TRY(check_conf(conf, err));
    struct sl_pack *p = calloc(1, sizeof *p);
    if (!p)
        return sl_err_nomem(err, sizeof *p);
    p->conf = *conf;
    p->sink = sink;
    p->n_stored = conf->length + conf->extra_token;
    if (!allocate(p)) {
        sl_pack_free(p);
        return sl_err_nomem(err, conf->length);
    }
    memset(p->mask, 1, p->n_stored);
    *out = p;
    return SL_OK;
}

void sl_pack_free(struct sl_pack *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->n_open; i++)
        seq_free(p->open[i]);
    free(p->open);
    free(p->table);
    free(p->mask);
    free(p->carry);
    sl_hasher_free(p->hasher);
    free(p);
}
