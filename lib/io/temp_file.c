/* SPDX-License-Identifier: Apache-2.0 */
/* The file never has a name where the file system can make it so (O_TMPFILE),
 * and loses it at once where it cannot: a killed process leaves nothing.
 * Reading goes by pread, so that readers of several ranges share one
 * descriptor. */
#include "io/temp_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sl_temp {
    int fd;
    int64_t bytes;
    int failed_errno; /* of the first write that failed */
    char *dir;
};

static int open_unnamed(const char *dir)
{
    char path[4096];
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL))
        return fd;
    int n = snprintf(path, sizeof path, "%s/sluice-temp-XXXXXX", dir);
    if (n < 0 || (size_t)n >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

enum sl_status sl_temp_new(struct sl_temp **out, const char *dir, struct sl_err *err)
{
    *out = NULL;
    struct sl_temp *t = calloc(1, sizeof *t);
    char *copy = strdup(dir);
    if (!t || !copy) {
        free(t);
        free(copy);
        return sl_err_nomem(err, sizeof *t);
    }
    t->dir = copy;
    t->fd = open_unnamed(dir);
    if (t->fd < 0) {
        int e = errno;
        sl_temp_free(t);
        return sl_err_sys(err, e, "cannot make a temporary file in '%s' (--tmpdir)", dir);
    }
    *out = t;
    return SL_OK;
}

void sl_temp_free(struct sl_temp *t)
{
    if (!t)
        return;
    if (t->fd >= 0)
        close(t->fd);
    free(t->dir);
    free(t);
}

/* As write(2), at the end of what was written. */
static ssize_t append_some(void *ctx, const void *buf, size_t n)
{
    struct sl_temp *t = ctx;
    ssize_t k = pwrite(t->fd, buf, n, t->bytes);
    if (k > 0)
        t->bytes += k;
    return k;
}

enum sl_status sl_temp_put(struct sl_temp *t, int64_t off, const void *p, size_t n,
                           struct sl_err *err)
{
    const uint8_t *at = p;
    while (n && !t->failed_errno) {
        ssize_t k = pwrite(t->fd, at, n, off);
        if (k < 0 && errno != EINTR)
            t->failed_errno = errno;
        if (k <= 0)
            continue;
        at += k;
        off += k;
        n -= (size_t)k;
        t->bytes = off > t->bytes ? off : t->bytes;
    }
    if (!t->failed_errno)
        return SL_OK;
    return sl_err_sys(err, t->failed_errno, "cannot write a temporary file in '%s' (--tmpdir)",
                      t->dir);
}

enum sl_status sl_temp_append(struct sl_temp *t, const void *p, size_t n, struct sl_err *err)
{
    return sl_temp_put(t, t->bytes, p, n, err);
}

enum sl_status sl_temp_read(struct sl_temp *t, int64_t off, void *p, size_t n, struct sl_err *err)
{
    uint8_t *to = p;
    while (n) {
        ssize_t k = pread(t->fd, to, n, off);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return sl_err_sys(err, errno, "cannot read a temporary file in '%s'", t->dir);
        if (k == 0)
            return sl_err_set(err, SL_E_DATA, "a temporary file in '%s' ends too early", t->dir);
        to += k;
        off += k;
        n -= (size_t)k;
    }
    return SL_OK;
}

enum sl_status sl_temp_sink(struct sl_temp *t, struct sl_sink **out, struct sl_err *err)
{
    char name[4200];
    struct sl_sink_backend backend = { append_some, NULL, t };
    snprintf(name, sizeof name, "temporary file in '%s' (--tmpdir)", t->dir);
    return sl_sink_open_backend(out, backend, name, err);
}

struct range {
    struct sl_temp *temp;
    int64_t at, to;
};

static ssize_t read_some(void *ctx, void *buf, size_t n)
{
    struct range *r = ctx;
    if ((int64_t)n > r->to - r->at)
        n = (size_t)(r->to - r->at);
    ssize_t k = n ? pread(r->temp->fd, buf, n, r->at) : 0;
    if (k > 0)
        r->at += k;
    return k;
}

enum sl_status sl_temp_source(struct sl_temp *t, int64_t from, int64_t to, struct sl_source **out,
                              struct sl_err *err)
{
    struct range *r = malloc(sizeof *r);
    if (!r)
        return sl_err_nomem(err, sizeof *r);
    *r = (struct range){ t, from, to };
    struct sl_source_backend backend = { read_some, free, r };
    return sl_source_open_backend(out, backend, "temporary file", SL_SOURCE_PLAIN, err);
}

int64_t sl_temp_bytes(const struct sl_temp *t)
{
    return t->bytes;
}
