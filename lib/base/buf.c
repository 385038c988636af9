/* SPDX-License-Identifier: Apache-2.0 */
/* Growable bytes. Memory is 64-byte aligned, since Arrow buffers are built
 * here, and grows by half, so that appending is linear in all.
 *
 * Above BIG_BYTES it is asked for in huge pages: a page fault costs as much
 * as copying some kilobytes, and a large buffer takes hundreds of them each
 * time it grows. Where the system has none to give nothing is lost. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { BUF_ALIGN = 64, BIG_BYTES = 1 << 20, HUGE_PAGE = 2 << 20 };

void sl_buf_init(struct sl_buf *b, size_t max)
{
    *b = (struct sl_buf){ .max = max };
}

void sl_buf_release(struct sl_buf *b)
{
    free(b->p);
    *b = (struct sl_buf){ .max = b->max };
}

void sl_buf_reset(struct sl_buf *b)
{
    b->n = 0;
}

void *sl_big_alloc(size_t *n)
{
    size_t align = *n <= BIG_BYTES ? BUF_ALIGN : HUGE_PAGE;
    if (*n > SIZE_MAX - align)
        return NULL;
    size_t cap = (*n + align - 1) & ~(align - 1);
    void *p = aligned_alloc(align, cap);
    if (p && align == HUGE_PAGE)
        (void)madvise(p, cap, MADV_HUGEPAGE);
    if (p)
        *n = cap;
    return p;
}

static enum sl_status grow_to(struct sl_buf *b, size_t need, struct sl_err *err)
{
    size_t cap = b->cap + b->cap / 2;
    if (cap < need)
        cap = need;
    if (cap < 256)
        cap = 256;
    if (cap > b->max && need <= b->max)
        cap = b->max;
    void *p = sl_big_alloc(&cap);
    if (!p)
        return sl_err_nomem(err, cap);
    if (b->n)
        memcpy(p, b->p, b->n);
    free(b->p);
    b->p = p;
    b->cap = cap;
    return SL_OK;
}

enum sl_status sl_buf_reserve(struct sl_buf *b, size_t extra, struct sl_err *err)
{
    if (extra > b->max || b->n > b->max - extra)
        return sl_err_set(err, SL_E_DATA, "more than %zu bytes in one buffer", b->max);
    size_t need = b->n + extra;
    return need <= b->cap && b->p ? SL_OK : grow_to(b, need, err);
}

enum sl_status sl_buf_add(struct sl_buf *b, const void *p, size_t n, struct sl_err *err)
{
    SL_TRY(sl_buf_reserve(b, n, err));
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    return SL_OK;
}

enum sl_status sl_buf_add_str(struct sl_buf *b, struct sl_str s, struct sl_err *err)
{
    return sl_buf_add(b, s.p, s.n, err);
}

enum sl_status sl_buf_add_byte(struct sl_buf *b, uint8_t c, struct sl_err *err)
{
    return sl_buf_add(b, &c, 1, err);
}

enum sl_status sl_buf_add_zeros(struct sl_buf *b, size_t n, struct sl_err *err)
{
    SL_TRY(sl_buf_reserve(b, n, err));
    memset(b->p + b->n, 0, n);
    b->n += n;
    return SL_OK;
}

enum sl_status sl_buf_addf(struct sl_buf *b, struct sl_err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        return sl_err_set(err, SL_E_BUG, "bad format '%s'", fmt);
    SL_TRY(sl_buf_reserve(b, (size_t)n + 1, err));
    va_start(ap, fmt);
    vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
    return SL_OK;
}

const char *sl_buf_cstr(struct sl_buf *b)
{
    if (sl_buf_reserve(b, 1, NULL) != SL_OK)
        return NULL;
    b->p[b->n] = 0;
    return (const char *)b->p;
}
