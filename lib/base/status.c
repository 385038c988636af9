/* SPDX-License-Identifier: Apache-2.0 */
/* Errors. The message is built in place: an error never allocates, so that
 * "out of memory" can be told too. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void sl_err_reset(struct sl_err *err)
{
    if (err)
        *err = (struct sl_err)SL_ERR_INIT;
}

static bool already_set(const struct sl_err *err)
{
    return err && err->status < 0;
}

enum sl_status sl_err_set(struct sl_err *err, enum sl_status status, const char *fmt, ...)
{
    if (already_set(err))
        return err->status;
    if (!err)
        return status;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    err->status = status;
    err->sys_errno = 0;
    return status;
}

enum sl_status sl_err_sys(struct sl_err *err, int sys_errno, const char *fmt, ...)
{
    if (already_set(err))
        return err->status;
    if (!err)
        return SL_E_SYSTEM;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    char reason[128];
    const char *text = strerror_r(sys_errno, reason, sizeof reason);
    if (n >= 0 && (size_t)n < sizeof err->msg)
        snprintf(err->msg + n, sizeof err->msg - (size_t)n, ": %s", text);
    err->status = SL_E_SYSTEM;
    err->sys_errno = sys_errno;
    return SL_E_SYSTEM;
}

enum sl_status sl_err_nomem(struct sl_err *err, uint64_t bytes)
{
    return sl_err_set(err, SL_E_SYSTEM, "out of memory (%llu bytes asked for)",
                      (unsigned long long)bytes);
}

void sl_err_at(struct sl_err *err, const char *where, int64_t off, int64_t record)
{
    if (!err)
        return;
    if (where && !err->where[0])
        snprintf(err->where, sizeof err->where, "%s", where);
    if (err->off < 0)
        err->off = off;
    if (err->record < 0)
        err->record = record;
}

void sl_err_keep(struct sl_err *dst, const struct sl_err *src)
{
    if (dst && src && dst->status >= 0 && src->status < 0)
        *dst = *src;
}

static void replace_controls(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = '?';
}

const char *sl_err_text(const struct sl_err *err, char *out, uint64_t out_bytes)
{
    char place[96] = "";
    if (err->record >= 0 && err->off >= 0)
        snprintf(place, sizeof place, " (record %lld, byte %lld)", (long long)err->record,
                 (long long)err->off);
    else if (err->off >= 0)
        snprintf(place, sizeof place, " (byte %lld)", (long long)err->off);
    else if (err->record >= 0)
        snprintf(place, sizeof place, " (record %lld)", (long long)err->record);
    if (err->where[0])
        snprintf(out, out_bytes, "'%s': %s%s", err->where, err->msg, place);
    else
        snprintf(out, out_bytes, "%s%s", err->msg, place);
    replace_controls(out);
    return out;
}
