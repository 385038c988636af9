/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PACK_H
#define SL_ORDER_PACK_H

/* Packing: documents end to end, each closed by its end-of-document token, cut
 * into sequences of one length.
 *
 * Memory    one open sequence, or one a source; independent of the length of
 *           documents and of their number. Time is linear in the tokens.
 * Threads   one thread at a time.
 * Source    docs/packing.md, which defines every column and the ids. */

#include "base/hash.h"
#include "base/status.h"
#include "base/str.h"

#define SL_PACK_MAX_STORED ((uint32_t)1 << 24) /* tokens of a row */
#define SL_PACK_MAX_SOURCES 65536

struct sl_pack_conf {
    uint32_t length;             /* L, at least 1: how far sequences are apart, in tokens */
    bool extra_token;            /* a row holds L + 1 tokens, the last is the next one's first */
    bool drop_last;              /* the last partial sequence is cut away, not padded */
    bool by_source;              /* no sequence has pieces of two sources */
    unsigned width;              /* bytes of an id: 2 or 4 */
    uint32_t eos, pad;           /* fit into width */
    uint32_t n_carry;            /* numbers carried as means */
    struct sl_hash128 tokenizer; /* its digest: part of every id */
};

/* A document. Everything is borrowed for the call. */
struct sl_pack_doc {
    struct sl_hash128 id;
    uint16_t copy;
    bool has_source;
    struct sl_str source;
    const void *tokens;  /* n_tokens ids of width bytes; any alignment */
    uint32_t n_tokens;   /* at most INT32_MAX */
    const double *carry; /* n_carry numbers; not finite: the document has none */
};

/* A finished sequence. Everything dies when the call that got it returns. */
struct sl_pack_seq {
    struct sl_hash128 id;
    uint32_t slot;     /* which open sequence it was, from 0 */
    uint32_t n_stored; /* tokens of a row: L, or L + 1 */
    uint32_t n_real;   /* of them not padding */
    const void *tokens;
    const uint8_t *mask; /* n_stored bytes: 1 for a token, 0 for padding */
    size_t n_pieces;
    const uint8_t *doc_ids; /* 16 bytes a piece */
    const uint32_t *starts, *offsets;
    bool has_source; /* all pieces have this one */
    struct sl_str source;
    const double *carry; /* token-weighted means; NaN: no piece has a number */
};

/* Where sequences go. cut may be NULL; it tells, in the end and with drop_last,
 * that the open sequence of a slot was cut away. */
struct sl_pack_sink {
    SL_MUST_USE enum sl_status (*emit)(void *ctx, const struct sl_pack_seq *seq,
                                       struct sl_err *err);
    SL_MUST_USE enum sl_status (*cut)(void *ctx, uint32_t slot, struct sl_err *err);
    void *ctx;
};

/* Documents: how many, and the sum of their ids modulo 2^128. */
struct sl_pack_port {
    int64_t rows;
    struct sl_hash128 ids;
};

struct sl_pack_counts {
    int64_t tokens_in;  /* of the documents */
    int64_t specials;   /* end-of-document tokens added */
    int64_t tokens_out; /* stored in rows, padding included */
    int64_t padding;
    int64_t cut;                                /* dropped at the end */
    int64_t overlap;                            /* stored a second time */
    int64_t rows;                               /* sequences */
    struct sl_pack_port in, begun, empty, lost; /* lost: nothing of it was placed */
};

struct sl_pack;

/* SL_E_USAGE where the length does not fit; SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_pack_new(struct sl_pack **out, const struct sl_pack_conf *conf,
                                       struct sl_pack_sink sink, struct sl_err *err);
void sl_pack_free(struct sl_pack *p); /* NULL allowed */

/* Add a document; full sequences are emitted at once.
 *
 * waits    may be NULL; gets the slot in which the whole document waits for its
 *          sequence to fill, or -1 where something of it was emitted, or where
 *          it has no tokens.
 * Errors   those of the sink; SL_E_DATA for more than SL_PACK_MAX_SOURCES
 *          sources. Then only sl_pack_free may follow. */
SL_MUST_USE enum sl_status sl_pack_add(struct sl_pack *p, const struct sl_pack_doc *doc,
                                       int64_t *waits, struct sl_err *err);

/* Pad or cut what is open, source by source in the order in which they first
 * gave a token, and check the counts. */
SL_MUST_USE enum sl_status sl_pack_end(struct sl_pack *p, struct sl_err *err);

const struct sl_pack_counts *sl_pack_counts(const struct sl_pack *p);

/* SL_E_BUG where one of these does not hold, in rows and in id sums for the second:
 *   tokens_in + specials + overlap = tokens_out - padding + cut
 *   in = begun + empty + lost */
SL_MUST_USE enum sl_status sl_pack_check(const struct sl_pack_counts *c, struct sl_err *err);

#endif
