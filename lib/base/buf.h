/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_BASE_BUF_H
#define SL_BASE_BUF_H

/* Growable bytes with a mandatory maximum.
 *
 * Ownership  caller's struct; sl_buf_release frees the memory. p may move at
 *            every call that can grow, so keep offsets, not pointers.
 * Errors     SL_E_DATA where the maximum would be passed (the size came from
 *            input), SL_E_SYSTEM where memory is out. The contents stay.
 * Threads    one thread at a time. */

#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

struct sl_buf {
    uint8_t *p; /* 64-byte aligned; NULL while nothing was reserved */
    size_t n;   /* bytes used */
    size_t cap; /* bytes allocated */
    size_t max; /* n never passes this */
};

/* No memory is taken. max: most bytes that the buffer may ever hold. */
void sl_buf_init(struct sl_buf *b, size_t max);
void sl_buf_release(struct sl_buf *b);

/* n = 0; memory is kept. */
void sl_buf_reset(struct sl_buf *b);

/* Make room for extra more bytes behind n. */
SL_MUST_USE enum sl_status sl_buf_reserve(struct sl_buf *b, size_t extra, struct sl_err *err);
SL_MUST_USE enum sl_status sl_buf_add(struct sl_buf *b, const void *p, size_t n,
                                      struct sl_err *err);
SL_MUST_USE enum sl_status sl_buf_add_str(struct sl_buf *b, struct sl_str s, struct sl_err *err);
SL_MUST_USE enum sl_status sl_buf_add_byte(struct sl_buf *b, uint8_t c, struct sl_err *err);
SL_MUST_USE enum sl_status sl_buf_add_zeros(struct sl_buf *b, size_t n, struct sl_err *err);
SL_MUST_USE enum sl_status sl_buf_addf(struct sl_buf *b, struct sl_err *err, const char *fmt, ...)
    SL_PRINTF(3, 4);

/* The contents as a borrowed string: valid until the next growing call. */
static inline struct sl_str sl_buf_str(const struct sl_buf *b)
{
    return (struct sl_str){ (const char *)b->p, b->n };
}

/* The contents with a NUL behind them (not counted in n); NULL where memory is out. */
SL_MUST_USE const char *sl_buf_cstr(struct sl_buf *b);

/* For windows and buffers of other kinds: memory of at least *n bytes, 64-byte
 * aligned; large blocks are of huge pages where the system has some. *n becomes
 * what there is room for. To be freed with free. NULL: out of memory. */
void *sl_big_alloc(size_t *n);

#endif
