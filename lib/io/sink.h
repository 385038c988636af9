/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_IO_SINK_H
#define SL_IO_SINK_H

/* Bytes out: standard output, pipes, and files that appear only when whole.
 *
 * A regular file is written without a name (O_TMPFILE) or, where the file
 * system has no such thing, under a hidden temporary name in the same folder,
 * and takes its final name at sl_sink_commit. A process that is killed before
 * that leaves nothing under the final name. Devices, pipes and standard output
 * are written directly.
 *
 * Errors    SL_E_SYSTEM with errno; sticky. Late errors (close, rename, a full
 *           disk at fsync) are errors of sl_sink_commit. EPIPE is an error
 *           here too: the runtime leaves SIGPIPE at its default.
 *           SL_E_USAGE where the file exists and force is not set.
 * Threads   one thread at a time. Blocks on output. */

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/status.h"

struct sl_sink;

/* As write(2); close may be NULL. For tests with short or failing writes. */
struct sl_sink_backend {
    ssize_t (*write)(void *ctx, const void *buf, size_t n);
    int (*close)(void *ctx);
    void *ctx;
};

/* Open a path; "-" is standard output. force: replace an existing file. */
SL_MUST_USE enum sl_status sl_sink_open(struct sl_sink **out, const char *path, bool force,
                                        struct sl_err *err);
SL_MUST_USE enum sl_status sl_sink_open_backend(struct sl_sink **out,
                                                struct sl_sink_backend backend, const char *name,
                                                struct sl_err *err);

/* Close without commit: what was written to a file disappears. NULL allowed. */
void sl_sink_free(struct sl_sink *s);

/* Write all bytes, whatever the number of short writes. Small writes are
 * joined in a buffer of 64 KiB; sl_sink_writev of large pieces goes straight
 * through. */
SL_MUST_USE enum sl_status sl_sink_write(struct sl_sink *s, const void *p, size_t n,
                                         struct sl_err *err);
SL_MUST_USE enum sl_status sl_sink_writev(struct sl_sink *s, const struct iovec *iov, int n_iov,
                                          struct sl_err *err);
SL_MUST_USE enum sl_status sl_sink_flush(struct sl_sink *s, struct sl_err *err);

/* Overwrite n bytes at off of a file that was written so far; what is written next
 * still goes to its end. SL_E_BUG where it is no file, or has not so many bytes. */
SL_MUST_USE enum sl_status sl_sink_patch(struct sl_sink *s, int64_t off, const void *p, size_t n,
                                         struct sl_err *err);

/* Flush, and for a file: sync, close and give it its final name. After this
 * only sl_sink_free may follow. */
SL_MUST_USE enum sl_status sl_sink_commit(struct sl_sink *s, struct sl_err *err);

int64_t sl_sink_off(const struct sl_sink *s); /* bytes written so far */
const char *sl_sink_name(const struct sl_sink *s);
bool sl_sink_is_file(const struct sl_sink *s); /* a regular file that commit will name */

#endif
