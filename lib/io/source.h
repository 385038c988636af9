/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_IO_SOURCE_H
#define SL_IO_SOURCE_H

/* Bytes in: files, pipes, memory; gzip and zstd by content.
 *
 * A source is read by lookahead: peek at least so many bytes without copying,
 * then consume some of them. What was peeked stays valid until the next peek
 * or read. Short reads, EINTR and compressed frames that follow one another
 * are handled inside.
 *
 * Errors    the first error is sticky: every later call returns it again. A
 *           damaged or cut gzip or zstd frame is SL_E_DATA with the offset of
 *           the compressed bytes; a failed read(2) is SL_E_SYSTEM.
 * Memory    one window, grown to the largest peek; SL_SOURCE_PEEK_MAX at most.
 * Threads   one thread at a time. Blocks on input. */

#include <sys/types.h>

#include "base/buf.h"

struct sl_source;

#define SL_SOURCE_PEEK_MAX ((size_t)1 << 30)

enum sl_source_mode {
    SL_SOURCE_PLAIN = 1, /* the bytes as they are, never decompressed */
    SL_SOURCE_AUTO = 2   /* .gz and .zst recognised by their first bytes */
};

/* Where bytes come from, for tests with short or failing reads: as read(2),
 * -1 with errno set on error. close may be NULL. */
struct sl_source_backend {
    ssize_t (*read)(void *ctx, void *buf, size_t n);
    void (*close)(void *ctx);
    void *ctx;
};

/* Open a path; "-" is standard input. */
SL_MUST_USE enum sl_status sl_source_open(struct sl_source **out, const char *path,
                                          enum sl_source_mode mode, struct sl_err *err);
/* Bytes in memory, borrowed for the source's life. name: for messages. */
SL_MUST_USE enum sl_status sl_source_open_mem(struct sl_source **out, struct sl_str bytes,
                                              const char *name, enum sl_source_mode mode,
                                              struct sl_err *err);
SL_MUST_USE enum sl_status sl_source_open_backend(struct sl_source **out,
                                                  struct sl_source_backend backend,
                                                  const char *name, enum sl_source_mode mode,
                                                  struct sl_err *err);
void sl_source_free(struct sl_source *s); /* NULL allowed */

/* Lend at least min bytes, or all that are left before the end of input.
 *
 * p, n     the bytes; n may be larger than min. n < min only at the end.
 * Returns  SL_OK, also at the end (then n is what is left, perhaps 0). */
SL_MUST_USE enum sl_status sl_source_peek(struct sl_source *s, size_t min, const uint8_t **p,
                                          size_t *n, struct sl_err *err);

/* Go on by n bytes, no more than were last peeked. */
void sl_source_consume(struct sl_source *s, size_t n);

/* Go on by n bytes without looking at them: a regular file that is not compressed is not
 * read there (and only little is read ahead behind such a gap). *got < n only at the end of
 * input, which for such a file shows at the next peek or read. */
SL_MUST_USE enum sl_status sl_source_skip(struct sl_source *s, size_t n, size_t *got,
                                          struct sl_err *err);

/* Copy n bytes; *got < n only at the end of input. */
SL_MUST_USE enum sl_status sl_source_read(struct sl_source *s, void *dst, size_t n, size_t *got,
                                          struct sl_err *err);

/* Append all that is left to out, whose maximum bounds it (SL_E_DATA). */
SL_MUST_USE enum sl_status sl_source_read_all(struct sl_source *s, struct sl_buf *out,
                                              struct sl_err *err);

/* The same of a whole file, as it is. */
SL_MUST_USE enum sl_status sl_file_read(const char *path, struct sl_buf *out, struct sl_err *err);

/* Offset of the next byte in the (decompressed) bytes; the name for messages. */
int64_t sl_source_off(const struct sl_source *s);
const char *sl_source_name(const struct sl_source *s);

/* Bytes taken from the file or pipe so far, compressed ones where it is so:
 * for progress. size: the file's size, -1 where it is no regular file. */
int64_t sl_source_raw_bytes(const struct sl_source *s);
int64_t sl_source_size(const struct sl_source *s);

#endif
