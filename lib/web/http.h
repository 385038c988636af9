/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_WEB_HTTP_H
#define SL_WEB_HTTP_H

/* HTTP responses as archives keep them: head, header values, decoded body.
 *
 * Archives lie: Common Crawl stores bodies already decoded under headers that
 * once said "gzip" or "chunked", others store them raw, some without saying so.
 * So headers only say what to try; a body is changed where it really is what
 * they claim.
 *
 * Threads   pure functions; a decoder belongs to one thread.
 * Source    RFC 9110, RFC 9112 (chunked: 7.1), RFC 1952, 1950, 1951, 7932, 8878. */

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

/* A head and the body behind it, borrowed from the block. */
struct sl_http {
    bool is_http;          /* false: no status line; all of the block is the body */
    bool head_cut;         /* the block ends before the blank line */
    int status;            /* 0 where there is none */
    struct sl_str version; /* "1.1" */
    struct sl_str reason;  /* may be empty */
    struct sl_str fields;  /* header lines, folded ones as they are */
    struct sl_str body;
};

/* Split a response block. Accepts HTTP/0.9 to 3, a missing reason, LF for
 * CRLF, junk lines among the headers, and a body that begins with '<' where
 * the blank line should be. Never fails; linear. */
void sl_http_parse(struct sl_str block, struct sl_http *http);

/* Iterate over headers: rest begins as http.fields. A value is trimmed and,
 * where it is folded, still has its line ends. False at the end. */
bool sl_http_next(struct sl_str *rest, struct sl_str *name, struct sl_str *value);

/* The first value of a header (name in either case), empty where absent. */
struct sl_str sl_http_header(const struct sl_http *http, struct sl_str name);

struct sl_buf;
/* Append all values of a header, joined by ", ", control bytes as blanks: for
 * X-Robots-Tag and tdm-reservation, which may be repeated. */
SL_MUST_USE enum sl_status sl_http_join(const struct sl_http *http, struct sl_str name,
                                        struct sl_buf *out, struct sl_err *err);

/* Split 'text/html; charset="utf-8"' into "text/html" and "utf-8", both as
 * they stand, without quotes; empty where absent. */
void sl_http_content_type(struct sl_str value, struct sl_str *mime, struct sl_str *charset);

enum sl_http_note {
    SL_HTTP_WAS_CHUNKED = 1,
    SL_HTTP_WAS_ENCODED = 2,     /* gzip, deflate, br or zstd was undone */
    SL_HTTP_HEADER_LIED = 4,     /* a coding was claimed that is not there, or was hidden */
    SL_HTTP_BODY_TRUNCATED = 8,  /* cut or damaged on the way: the prefix that decoded */
    SL_HTTP_OVER_LIMIT = 16,     /* stopped at a limit: the prefix up to it */
    SL_HTTP_UNKNOWN_CODING = 32, /* a coding we cannot undo; the bytes are as it left them */
    SL_HTTP_EXTRA_LINE = 64      /* a stray CRLF before the encoded bytes was left out */
};

struct sl_http_body {
    struct sl_str bytes;
    unsigned notes; /* enum sl_http_note, or-ed */
};

#define SL_HTTP_BODY_MAX ((size_t)64 << 20)  /* default of max_body_bytes */
#define SL_HTTP_RATIO_MAX 512                /* decoded bytes for each stored one ... */
#define SL_HTTP_RATIO_FREE ((size_t)1 << 20) /* ... above this many */
#define SL_HTTP_CODINGS_MAX 8                /* of one body; more are an unknown coding */

struct sl_http_decoder;
/* max_body_bytes: 0 for SL_HTTP_BODY_MAX. NULL: out of memory. */
struct sl_http_decoder *sl_http_decoder_new(size_t max_body_bytes);
void sl_http_decoder_free(struct sl_http_decoder *d); /* NULL allowed */

/* Undo the codings of Content-Encoding and Transfer-Encoding, last one first.
 *
 * chunked   accepted where the body begins with a chunk's size line and the
 *           first chunk ends as it should or the body ends inside it; what
 *           follows a broken or missing chunk is left out (BODY_TRUNCATED).
 * gzip, x-gzip, deflate (zlib or raw), zstd
 *           accepted by their first bytes; raw deflate where it decodes to its
 *           end, or without a fault to the end of the body, which then makes
 *           4 KiB, or 256 bytes and more than the body has.
 * br        has no mark: accepted on the terms of raw deflate.
 * gzip unnamed: a body of type text or XHTML that is one whole gzip stream is
 *           decoded too.
 * Limits    decoded bytes: max_body_bytes, and SL_HTTP_RATIO_MAX times the
 *           stored ones above SL_HTTP_RATIO_FREE, over all codings together.
 * Returns   SL_OK whatever the body is (see notes); SL_E_SYSTEM.
 * Lifetime  body->bytes: the block's, or the decoder's until its next call. */
SL_MUST_USE enum sl_status sl_http_decode(struct sl_http_decoder *d, const struct sl_http *http,
                                          struct sl_http_body *body, struct sl_err *err);

#endif
