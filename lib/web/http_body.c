/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of HTTP responses: chunked, gzip, deflate, br and zstd undone.
 *
 * Two buffers take turns: each coding reads from one (or from the block) and
 * writes to the other. A coding is undone strictly first, which is the fast
 * path, and as far as it goes where that fails.
 *
 * Whether bytes really are what a header claims is seen from their first bytes
 * where the coding has a mark. Brotli and raw deflate have none: a page of HTML
 * fed to their decoders fails within some dozens of bytes, so that decoding to
 * the end, or through a long body to more than it had, is proof enough.
 *
 * Rejected: trusting Content-Length of the response, which speaks of the bytes
 * on the wire and is the most often wrong header of all. */
#include "web/http.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/num.h"
#include "io/member.h"
#include "io/source.h"

enum coding {
    CODING_NONE,
    CODING_CHUNKED,
    CODING_GZIP,
    CODING_DEFLATE,
    CODING_BR,
    CODING_ZSTD,
    CODING_UNKNOWN
};

struct sl_http_decoder {
    size_t max_body;
    struct sl_buf out[2];
    struct sl_inflater *inflater;
    struct sl_unzstd *unzstd;
};

/* One coding being undone. */
struct undone {
    struct sl_buf *out;
    unsigned notes;
    bool is_it; /* false: the body is not coded so, out is of no use */
};

struct sl_http_decoder *sl_http_decoder_new(size_t max_body_bytes)
{
    struct sl_http_decoder *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->max_body = max_body_bytes ? max_body_bytes : SL_HTTP_BODY_MAX;
    sl_buf_init(&d->out[0], d->max_body);
    sl_buf_init(&d->out[1], d->max_body);
    d->inflater = sl_inflater_new();
    d->unzstd = sl_unzstd_new();
    if (d->inflater && d->unzstd)
        return d;
    sl_http_decoder_free(d);
    return NULL;
}

void sl_http_decoder_free(struct sl_http_decoder *d)
{
    if (!d)
        return;
    sl_inflater_free(d->inflater);
    sl_unzstd_free(d->unzstd);
    sl_buf_release(&d->out[0]);
    sl_buf_release(&d->out[1]);
    free(d);
}

/* ---- chunked ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A chunk's size line at `at`. Returns its length with the line end; 0 where
 * it is none, or not a whole one. */
static size_t chunk_line(struct sl_str s, size_t at, uint64_t *size)
{
    size_t i = at;
    *size = 0;
    while (i < s.n && i < at + 16 && hex_digit(s.p[i]) >= 0)
        *size = *size << 4 | (unsigned)hex_digit(s.p[i++]);
    if (i == at)
        return 0;
    while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'))
        i++;
    if (i < s.n && s.p[i] == ';')
        while (i < s.n && s.p[i] != '\n' && i < at + 1024)
            i++;
    if (i < s.n && s.p[i] == '\r')
        i++;
    return i < s.n && s.p[i] == '\n' ? i + 1 - at : 0;
}

/* Length of the line end behind a chunk's bytes; 0 where there is none. */
static size_t chunk_end(struct sl_str s, size_t at)
{
    if (at + 1 < s.n && s.p[at] == '\r' && s.p[at + 1] == '\n')
        return 2;
    return at < s.n && s.p[at] == '\n' ? 1 : 0;
}

/* Append up to size bytes of in from *at; OVER_LIMIT where out is full. */
static enum sl_status add_chunk(struct sl_str in, size_t *at, uint64_t size, struct undone *u,
                                struct sl_err *err)
{
    size_t take = size < in.n - *at ? (size_t)size : in.n - *at;
    size_t room = u->out->max - u->out->n;
    if (take > room) {
        u->notes |= SL_HTTP_OVER_LIMIT;
        take = room;
    }
    SL_TRY(sl_buf_add(u->out, in.p + *at, take, err));
    *at += take;
    return SL_OK;
}

static enum sl_status undo_chunked(struct sl_str in, struct undone *u, struct sl_err *err)
{
    size_t at = 0, line;
    uint64_t size;
    u->is_it = false;
    for (bool first = true; (line = chunk_line(in, at, &size)) != 0; first = false) {
        at += line;
        if (size == 0) {
            /* A text may begin with the line "0"; an empty body ends there. */
            if (!first || in.n - at <= 2)
                u->is_it = true;
            return SL_OK;
        }
        SL_TRY(add_chunk(in, &at, size, u, err));
        if (u->notes & SL_HTTP_OVER_LIMIT) {
            u->is_it = true;
            return SL_OK;
        }
        size_t line_end = chunk_end(in, at);
        bool cut = at == in.n || (at + 1 == in.n && in.p[at] == '\r');
        if (first && line_end == 0 && !cut)
            return SL_OK; /* a first line that looks like a size by chance */
        u->is_it = true;
        if (line_end == 0)
            break;
        at += line_end;
    }
    if (u->is_it)
        u->notes |= SL_HTTP_BODY_TRUNCATED;
    return SL_OK;
}

/* ---- compressed ---- */

/* A marked piece ended so: it is what it claimed where anything came of it. */
static void judge(const struct sl_decoded *end, struct undone *u)
{
    u->is_it = end->how == SL_ENDED_WHOLE || u->out->n > 0;
    if (u->is_it && end->how == SL_ENDED_FULL)
        u->notes |= SL_HTTP_OVER_LIMIT;
    else if (u->is_it && end->how != SL_ENDED_WHOLE)
        u->notes |= SL_HTTP_BODY_TRUNCATED;
}

static bool has_gzip_mark(struct sl_str s)
{
    return s.n >= 3 && memcmp(s.p, "\x1f\x8b\x08", 3) == 0;
}

/* One or more members; what is behind the last one is left out. */
static enum sl_status undo_gzip(struct sl_http_decoder *d, struct sl_str in, struct undone *u,
                                struct sl_err *err)
{
    u->is_it = false;
    while (has_gzip_mark(in)) {
        size_t used;
        bool more;
        enum sl_status st = sl_inflate_gzip_member(d->inflater, in, u->out, &used, &more, NULL);
        if (st == SL_E_SYSTEM)
            return sl_err_nomem(err, u->out->max);
        if (st != SL_OK || more) {
            struct sl_decoded end;
            SL_TRY(sl_inflate_prefix(SL_INFLATE_GZIP, in, u->out, &end, err));
            judge(&end, u);
            return SL_OK;
        }
        u->is_it = true;
        in = (struct sl_str){ in.p + used, in.n - used };
    }
    return SL_OK;
}

static bool has_zlib_mark(struct sl_str s)
{
    const uint8_t *p = (const uint8_t *)s.p;
    return s.n >= 2 && (p[0] & 0x0f) == 8 && p[0] >> 4 <= 7 && (p[0] << 8 | p[1]) % 31 == 0;
}

/* For codings without a mark: did the bytes show that they are one? */
static void judge_unmarked(struct sl_str in, const struct sl_decoded *end, struct undone *u)
{
    bool whole = end->how == SL_ENDED_WHOLE && in.n - end->consumed <= 2;
    bool much = u->out->n >= 4096 || (u->out->n >= 256 && u->out->n > in.n);
    bool through = (end->how == SL_ENDED_CUT || end->how == SL_ENDED_FULL) && much;
    if (whole || through)
        judge(end, u);
}

static enum sl_status undo_deflate(struct sl_http_decoder *d, struct sl_str in, struct undone *u,
                                   struct sl_err *err)
{
    size_t used;
    bool more;
    struct sl_decoded end;
    u->is_it = false;
    if (has_zlib_mark(in)) {
        enum sl_status st = sl_inflate_zlib(d->inflater, in, u->out, &used, &more, NULL);
        if (st == SL_E_SYSTEM)
            return sl_err_nomem(err, u->out->max);
        if (st == SL_OK && !more) {
            u->is_it = true;
            return SL_OK;
        }
        SL_TRY(sl_inflate_prefix(SL_INFLATE_ZLIB, in, u->out, &end, err));
        judge(&end, u);
        if (u->is_it)
            return SL_OK;
        sl_buf_reset(u->out);
    }
    SL_TRY(sl_inflate_prefix(SL_INFLATE_RAW, in, u->out, &end, err));
    judge_unmarked(in, &end, u);
    return SL_OK;
}

static enum sl_status undo_br(struct sl_str in, struct undone *u, struct sl_err *err)
{
    struct sl_decoded end;
    SL_TRY(sl_brotli_prefix(in, u->out, &end, err));
    judge_unmarked(in, &end, u);
    return SL_OK;
}

/* A damaged or cut zstd body: a streaming source gives what comes before. */
static enum sl_status zstd_prefix(struct sl_str in, struct undone *u, struct sl_err *err)
{
    struct sl_source *s = NULL;
    SL_TRY(sl_source_open_mem(&s, in, "body", SL_SOURCE_AUTO, err));
    enum sl_status st = SL_OK;
    u->notes |= SL_HTTP_BODY_TRUNCATED;
    for (;;) {
        const uint8_t *p;
        size_t n;
        enum sl_status got = sl_source_peek(s, 1, &p, &n, NULL);
        if (got != SL_OK || n == 0) {
            if (got == SL_E_SYSTEM)
                st = sl_err_nomem(err, u->out->max);
            break;
        }
        size_t room = u->out->max - u->out->n, take = n < room ? n : room;
        st = sl_buf_add(u->out, p, take, err);
        sl_source_consume(s, take);
        if (take < n)
            u->notes = (u->notes & ~(unsigned)SL_HTTP_BODY_TRUNCATED) | SL_HTTP_OVER_LIMIT;
        if (st != SL_OK || take < n)
            break;
    }
    sl_source_free(s);
    return st;
}

static bool has_zstd_mark(struct sl_str s)
{
    return s.n >= 4 && memcmp(s.p, "\x28\xb5\x2f\xfd", 4) == 0;
}

static enum sl_status undo_zstd(struct sl_http_decoder *d, struct sl_str in, struct undone *u,
                                struct sl_err *err)
{
    struct sl_str all = in;
    u->is_it = false;
    while (has_zstd_mark(in)) {
        size_t used;
        bool more;
        enum sl_status st = sl_zstd_frame(d->unzstd, in, u->out, &used, &more, NULL);
        if (st == SL_E_SYSTEM)
            return sl_err_nomem(err, u->out->max);
        if (st != SL_OK || more) {
            sl_buf_reset(u->out);
            SL_TRY(zstd_prefix(all, u, err));
            u->is_it = u->out->n > 0;
            return SL_OK;
        }
        u->is_it = true;
        in = (struct sl_str){ in.p + used, in.n - used };
    }
    return SL_OK;
}

/* ---- the list of codings ---- */

static enum coding coding_of(struct sl_str name)
{
    static const struct {
        struct sl_str name;
        enum coding coding;
    } known[] = {
        { { "chunked", 7 }, CODING_CHUNKED },
        { { "gzip", 4 }, CODING_GZIP },
        { { "x-gzip", 6 }, CODING_GZIP },
        { { "deflate", 7 }, CODING_DEFLATE },
        { { "br", 2 }, CODING_BR },
        { { "zstd", 4 }, CODING_ZSTD },
        { { "identity", 8 }, CODING_NONE },
        { { "none", 4 }, CODING_NONE },
        { { "compress", 8 }, CODING_UNKNOWN },
        { { "x-compress", 10 }, CODING_UNKNOWN },
        { { "dcb", 3 }, CODING_UNKNOWN },
        { { "dcz", 3 }, CODING_UNKNOWN },
        { { "sdch", 4 }, CODING_UNKNOWN },
        { { "exi", 3 }, CODING_UNKNOWN },
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (sl_str_eq_nocase(name, known[i].name))
            return known[i].coding;
    return CODING_NONE; /* "utf-8", "text/html" and other slips mean nothing */
}

/* Add the codings of all headers of that name. False where they are too many. */
static bool list_codings(const struct sl_http *http, struct sl_str name,
                         enum coding list[SL_HTTP_CODINGS_MAX], unsigned *n)
{
    struct sl_str rest = http->fields, key, value;
    while (sl_http_next(&rest, &key, &value)) {
        if (!sl_str_eq_nocase(key, name))
            continue;
        for (size_t at = 0; at < value.n;) {
            size_t end = sl_str_find(value, at, ',');
            struct sl_str one = { value.p + at, end - at };
            one.n = sl_str_find(one, 0, ';');
            enum coding c = coding_of(sl_str_trim(one));
            at = end + 1;
            if (c == CODING_NONE)
                continue;
            if (*n == SL_HTTP_CODINGS_MAX)
                return false;
            list[(*n)++] = c;
        }
    }
    return true;
}

static enum sl_status undo_one(struct sl_http_decoder *d, enum coding coding, struct sl_str in,
                               struct undone *u, struct sl_err *err);

/* Length of one line end at the start. */
static size_t stray_line(struct sl_str in)
{
    if (in.n > 1 && in.p[0] == '\r' && in.p[1] == '\n')
        return 2;
    return in.n && in.p[0] == '\n' ? 1 : 0;
}

static enum sl_status undo(struct sl_http_decoder *d, enum coding coding, struct sl_str in,
                           struct sl_buf *out, struct sl_http_body *body, struct sl_err *err)
{
    struct undone u = { .out = out };
    sl_buf_reset(out);
    SL_TRY(undo_one(d, coding, in, &u, err));
    size_t extra = stray_line(in);
    if (!u.is_it && extra) {
        in = (struct sl_str){ in.p + extra, in.n - extra };
        u = (struct undone){ .out = out, .notes = SL_HTTP_EXTRA_LINE };
        sl_buf_reset(out);
        SL_TRY(undo_one(d, coding, in, &u, err));
    }
    if (!u.is_it) {
        body->notes |= SL_HTTP_HEADER_LIED;
        return SL_OK;
    }
    body->notes |= u.notes | (coding == CODING_CHUNKED ? SL_HTTP_WAS_CHUNKED : SL_HTTP_WAS_ENCODED);
    body->bytes = sl_buf_str(out);
    return SL_OK;
}

static enum sl_status undo_one(struct sl_http_decoder *d, enum coding coding, struct sl_str in,
                               struct undone *u, struct sl_err *err)
{
    switch (coding) {
    case CODING_CHUNKED:
        return undo_chunked(in, u, err);
    case CODING_GZIP:
        return undo_gzip(d, in, u, err);
    case CODING_DEFLATE:
        return undo_deflate(d, in, u, err);
    case CODING_BR:
        return undo_br(in, u, err);
    case CODING_ZSTD:
        return undo_zstd(d, in, u, err);
    case CODING_NONE:
    case CODING_UNKNOWN:
        break;
    }
    return SL_OK;
}

/* gzip that no header names, under a type that is never gzip. */
static enum sl_status undo_hidden(struct sl_http_decoder *d, const struct sl_http *http,
                                  struct sl_buf *out, struct sl_http_body *body, struct sl_err *err)
{
    struct sl_str type = sl_http_header(http, SL_STR("Content-Type"));
    if (!sl_str_starts_nocase(type, SL_STR("text/")) &&
        !sl_str_starts_nocase(type, SL_STR("application/xhtml")))
        return SL_OK;
    struct sl_http_body tried = { body->bytes, 0 };
    SL_TRY(undo(d, CODING_GZIP, body->bytes, out, &tried, err));
    if (tried.notes != SL_HTTP_WAS_ENCODED)
        return SL_OK;
    body->bytes = tried.bytes;
    body->notes |= SL_HTTP_WAS_ENCODED | SL_HTTP_HEADER_LIED;
    return SL_OK;
}

enum sl_status sl_http_decode(struct sl_http_decoder *d, const struct sl_http *http,
                              struct sl_http_body *body, struct sl_err *err)
{
    enum coding list[SL_HTTP_CODINGS_MAX];
    unsigned n = 0, turn = 0;
    *body = (struct sl_http_body){ http->body, 0 };
    if (!list_codings(http, SL_STR("Content-Encoding"), list, &n) ||
        !list_codings(http, SL_STR("Transfer-Encoding"), list, &n)) {
        body->notes |= SL_HTTP_UNKNOWN_CODING;
        return SL_OK;
    }
    uint64_t by_ratio;
    if (!sl_mul_ok(http->body.n, SL_HTTP_RATIO_MAX, &by_ratio))
        by_ratio = UINT64_MAX;
    if (by_ratio < SL_HTTP_RATIO_FREE)
        by_ratio = SL_HTTP_RATIO_FREE;
    d->out[0].max = d->out[1].max = by_ratio < d->max_body ? (size_t)by_ratio : d->max_body;
    for (unsigned i = n; i-- > 0 && body->bytes.n;) {
        if (list[i] == CODING_UNKNOWN) {
            body->notes |= SL_HTTP_UNKNOWN_CODING;
            return SL_OK;
        }
        struct sl_str before = body->bytes;
        SL_TRY(undo(d, list[i], before, &d->out[turn], body, err));
        if (body->bytes.p == (const char *)d->out[turn].p)
            turn ^= 1;
    }
    if (has_gzip_mark(body->bytes))
        SL_TRY(undo_hidden(d, http, &d->out[turn], body, err));
    return SL_OK;
}
