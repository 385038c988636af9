/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_IO_MEMBER_H
#define SL_IO_MEMBER_H

/* Whole compressed pieces in memory: one gzip member, one zstd frame, one
 * compressed body. For readers that must know where each piece ends (WARC);
 * whoever only wants the bytes of a .gz or .zst takes a source.
 *
 * Output    is appended to out and never passes out->max: what would be larger
 *           is SL_E_DATA ("over the limit of N bytes"). No size that stands in
 *           the input is believed beyond that.
 * Strict    The functions with consumed and need_more are all or nothing:
 *             SL_OK, !need_more  the piece is whole and its checksums are
 *                                right; *consumed is its length in `in`
 *             SL_OK, need_more   `in` ends inside the piece and is right so
 *                                far; out is as before, *consumed is 0
 *             SL_E_DATA          damaged or over the limit; out is as before;
 *                                err->off is the offset in `in`
 *             SL_E_SYSTEM        out of memory; out is as before
 *           need_more may be NULL: then a cut piece is SL_E_DATA.
 * Retries   need_more is exact, never a guess: where the fast decoder refuses
 *           the bytes, a streaming decoder looks at them again and tells a cut
 *           piece from a damaged one. Each call begins at the piece's start,
 *           so double `in` (or take all there is) before the next call: the
 *           total cost is then linear in the piece. Where there is no more
 *           input, need_more means that the piece is cut.
 * Prefix    The functions with struct sl_decoded keep what could be decoded
 *           and say how the piece ended.
 * Threads   objects belong to one thread; different objects are independent. */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* ---- gzip (RFC 1952), zlib (RFC 1950), raw deflate (RFC 1951) ---- */

struct sl_inflater;
struct sl_inflater *sl_inflater_new(void); /* NULL: out of memory */
void sl_inflater_free(struct sl_inflater *inf);

/* One gzip member; CRC-32 and length are checked. What follows it is not looked at. */
SL_MUST_USE enum sl_status sl_inflate_gzip_member(struct sl_inflater *inf, struct sl_str in,
                                                  struct sl_buf *out, size_t *consumed,
                                                  bool *need_more, struct sl_err *err);
/* One zlib stream; Adler-32 is checked. */
SL_MUST_USE enum sl_status sl_inflate_zlib(struct sl_inflater *inf, struct sl_str in,
                                           struct sl_buf *out, size_t *consumed, bool *need_more,
                                           struct sl_err *err);
/* One raw deflate stream; it has no checksum. */
SL_MUST_USE enum sl_status sl_inflate_raw(struct sl_inflater *inf, struct sl_str in,
                                          struct sl_buf *out, size_t *consumed, bool *need_more,
                                          struct sl_err *err);

/* ---- as much as can be had ---- */

enum sl_ended {
    SL_ENDED_WHOLE = 1, /* the end was reached and the checksums are right */
    SL_ENDED_CUT,       /* `in` ended inside the piece; right so far */
    SL_ENDED_BAD,       /* the bytes or a checksum are wrong */
    SL_ENDED_FULL       /* out->max bytes are there and the piece goes on */
};

struct sl_decoded {
    enum sl_ended how;
    size_t consumed; /* bytes of `in` that were taken: WHOLE, the piece's
                        length; BAD, near the damage */
};

enum sl_inflate_wrap { SL_INFLATE_GZIP = 1, SL_INFLATE_ZLIB, SL_INFLATE_RAW };

/* Decode one piece as far as it goes; what was decoded stays in out. Half the
 * speed of the strict functions.
 *
 * Returns  SL_OK however the piece ended (see end->how); SL_E_SYSTEM where
 *          memory is out. */
SL_MUST_USE enum sl_status sl_inflate_prefix(enum sl_inflate_wrap wrap, struct sl_str in,
                                             struct sl_buf *out, struct sl_decoded *end,
                                             struct sl_err *err);

/* The same for one brotli stream (RFC 7932; it has no checksum). */
SL_MUST_USE enum sl_status sl_brotli_prefix(struct sl_str in, struct sl_buf *out,
                                            struct sl_decoded *end, struct sl_err *err);

/* Brotli, all or nothing: `in` is one whole stream and nothing else. Damaged,
 * cut, followed by other bytes, or over the limit is SL_E_DATA. */
SL_MUST_USE enum sl_status sl_brotli_decode(struct sl_str in, struct sl_buf *out,
                                            struct sl_err *err);

/* ---- zstd (RFC 8878) ---- */

struct sl_unzstd;
struct sl_unzstd *sl_unzstd_new(void); /* NULL: out of memory */
void sl_unzstd_free(struct sl_unzstd *z);

/* Dictionary of all later frames; copied. Empty: none. SL_E_DATA where it is
 * no dictionary (it must begin with the magic number), SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_unzstd_set_dict(struct sl_unzstd *z, struct sl_str dict,
                                              struct sl_err *err);

/* One frame; strict as above. Its checksum is verified where it has one. A
 * skippable frame adds nothing to out and *consumed is its length. SL_E_DATA
 * too where the dictionary is missing, or where the frame does not state its
 * size and has a window over 128 MiB. */
SL_MUST_USE enum sl_status sl_zstd_frame(struct sl_unzstd *z, struct sl_str in, struct sl_buf *out,
                                         size_t *consumed, bool *need_more, struct sl_err *err);

struct sl_zstd;
struct sl_zstd *sl_zstd_new(int level); /* 1 to 19; NULL: out of memory */
void sl_zstd_free(struct sl_zstd *z);   /* NULL allowed */

/* Append one frame that holds all of `in`, with its size and without a
 * checksum. SL_E_DATA where out->max would be passed by the worst case. */
SL_MUST_USE enum sl_status sl_zstd_compress(struct sl_zstd *z, struct sl_str in, struct sl_buf *out,
                                            struct sl_err *err);

#endif
