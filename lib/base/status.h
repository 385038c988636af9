/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_BASE_STATUS_H
#define SL_BASE_STATUS_H

/* Status codes and errors.
 *
 * What      Every fallible function of Sluice returns an enum sl_status and
 *           takes, last, a struct sl_err that the caller owns and may pass as
 *           NULL. The library never prints and never exits.
 * Rule      The first error wins: setting an error that is already set keeps
 *           the old one and returns its status.
 * Threads   An sl_err belongs to one thread at a time. */

#include <stdbool.h>
#include <stdint.h>

#define SL_MUST_USE __attribute__((warn_unused_result))
#define SL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum sl_status {
    SL_OK = 0,
    SL_END = 1,        /* a clean end of input, never an error */
    SL_E_USAGE = -1,   /* the command line or a rule file is wrong */
    SL_E_DATA = -2,    /* the input is malformed, truncated or of another kind */
    SL_E_SYSTEM = -3,  /* input, output, memory or disk: a retry may help */
    SL_E_BUG = -4,     /* a rule of ours was broken */
    SL_E_UPSTREAM = -5 /* the input ended in another tool's error (sl:error) */
};

/* An error: what went wrong and where.
 *
 * status     SL_OK while nothing happened.
 * sys_errno  errno of the failed call, 0 where there was none.
 * where      name of the file or stream, "" where unknown.
 * off        byte offset in it, -1 where unknown.
 * record     record, batch or line number counted from 1, -1 where unknown.
 * msg        one line without a full stop. */
struct sl_err {
    enum sl_status status;
    int sys_errno;
    int64_t off;
    int64_t record;
    char where[256];
    char msg[768];
};

#define SL_ERR_INIT                              \
    {                                            \
        .status = SL_OK, .off = -1, .record = -1 \
    }

/* Forget the error. err may be NULL. */
void sl_err_reset(struct sl_err *err);

/* Set an error and return its status.
 *
 * err      may be NULL; an error that is already set stays.
 * status   a negative status.
 * fmt      printf format of the message.
 * Returns  the status that err holds now (status where err is NULL). */
enum sl_status sl_err_set(struct sl_err *err, enum sl_status status, const char *fmt, ...)
    SL_PRINTF(3, 4);

/* Set SL_E_SYSTEM with errno sys_errno; ": strerror" is added to the message. */
enum sl_status sl_err_sys(struct sl_err *err, int sys_errno, const char *fmt, ...) SL_PRINTF(3, 4);

/* Set SL_E_SYSTEM for an allocation of bytes that failed. */
enum sl_status sl_err_nomem(struct sl_err *err, uint64_t bytes);

/* Add the place to an error that has none yet; off and record may be -1, where NULL. */
void sl_err_at(struct sl_err *err, const char *where, int64_t off, int64_t record);

/* Copy the first error of two: dst keeps its own if it has one. Either may be NULL. */
void sl_err_keep(struct sl_err *dst, const struct sl_err *src);

/* One line for people: "cannot read 'x.arrows': checksum mismatch (batch 17, byte 48213)".
 * Control characters are replaced. Returns out. */
const char *sl_err_text(const struct sl_err *err, char *out, uint64_t out_bytes);

#define SL_TRY(call)                            \
    do {                                        \
        enum sl_status sl_try_status_ = (call); \
        if (sl_try_status_ != SL_OK)            \
            return sl_try_status_;              \
    } while (0)

#endif
