/* SPDX-License-Identifier: Apache-2.0 */
/* How a restart skips what is done: input cannot be read twice, so the decision
 * whether a shard stands must not need a second reading. Comparing byte by byte
 * while the shard is made again needs none: at a difference, what was equal so
 * far is in the old file.
 *
 * Rejected: trusting the trailer's digest of the old file, which says what was
 * written once and not what the disk holds; and hashing the old file first,
 * after which a difference is known but not where to go on from. */
#include "order/keep_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct sl_keep {
    char *path;
    struct sl_sink *sink;  /* what the caller writes to: a comparison, or fresh */
    struct sl_sink *fresh; /* the new file; NULL while all was equal */
    int old;               /* -1: no old file */
    int64_t same_bytes, old_bytes;
    struct sl_err err; /* of fresh, behind the comparison */
    uint8_t *block;
};

/* Up to BLOCK_BYTES of the old file into the block. */
static bool read_old(struct sl_keep *k, int64_t off, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t r = pread(k->old, k->block + got, n - got, off + (int64_t)got);
        if (r > 0)
            got += (size_t)r;
        else if (r == 0 || errno != EINTR)
            return false;
    }
    return true;
}

static bool equals_old(struct sl_keep *k, const uint8_t *p, size_t n)
{
    if ((int64_t)n > k->old_bytes - k->same_bytes)
        return false;
    for (size_t at = 0; at < n;) {
        size_t part = n - at < BLOCK_BYTES ? n - at : BLOCK_BYTES;
        if (!read_old(k, k->same_bytes + (int64_t)at, part) || memcmp(k->block, p + at, part) != 0)
            return false;
        at += part;
    }
    return true;
}

static enum sl_status begin_fresh(struct sl_keep *k)
{
    SL_TRY(sl_sink_open(&k->fresh, k->path, true, &k->err));
    for (int64_t at = 0; at < k->same_bytes;) {
        size_t part = BLOCK_BYTES;
        if (k->same_bytes - at < BLOCK_BYTES)
            part = (size_t)(k->same_bytes - at);
        if (!read_old(k, at, part))
            return sl_err_sys(&k->err, errno ? errno : EIO, "cannot read '%s'", k->path);
        SL_TRY(sl_sink_write(k->fresh, k->block, part, &k->err));
        at += (int64_t)part;
    }
    return SL_OK;
}

static ssize_t write_or_compare(void *ctx, const void *p, size_t n)
{
    struct sl_keep *k = ctx;
    enum sl_status st = k->err.status;
    if (st == SL_OK && !k->fresh) {
        if (equals_old(k, p, n)) {
            k->same_bytes += (int64_t)n;
            return (ssize_t)n;
        }
        st = begin_fresh(k);
    }
    if (st == SL_OK)
        st = sl_sink_write(k->fresh, p, n, &k->err);
    errno = k->err.sys_errno ? k->err.sys_errno : EIO;
    return st == SL_OK ? (ssize_t)n : -1;
}

static enum sl_status open_sinks(struct sl_keep *k, struct sl_err *err)
{
    struct stat info;
    k->old = open(k->path, O_RDONLY | O_CLOEXEC);
    if (k->old < 0 || fstat(k->old, &info) != 0 || !S_ISREG(info.st_mode)) {
        SL_TRY(sl_sink_open(&k->fresh, k->path, true, err));
        k->sink = k->fresh;
        return SL_OK;
    }
    k->old_bytes = info.st_size;
    k->block = malloc(BLOCK_BYTES);
    if (!k->block)
        return sl_err_nomem(err, BLOCK_BYTES);
    struct sl_sink_backend backend = { .write = write_or_compare, .ctx = k };
    return sl_sink_open_backend(&k->sink, backend, k->path, err);
}

enum sl_status sl_keep_open(struct sl_keep **out, const char *path, struct sl_err *err)
{
    struct sl_keep *k = *out = calloc(1, sizeof *k);
    if (!k)
        return sl_err_nomem(err, sizeof *k);
    k->old = -1;
    k->err = (struct sl_err)SL_ERR_INIT;
    k->path = strdup(path);
    enum sl_status st = k->path ? open_sinks(k, err) : sl_err_nomem(err, strlen(path));
    if (st != SL_OK) {
        sl_keep_free(k);
        *out = NULL;
    }
    return st;
}

struct sl_sink *sl_keep_sink(struct sl_keep *k)
{
    return k->sink;
}

enum sl_status sl_keep_patch(struct sl_keep *k, int64_t off, const void *p, size_t n,
                             struct sl_err *err)
{
    if (k->sink != k->fresh)
        SL_TRY(sl_sink_flush(k->sink, err));
    if (!k->fresh && begin_fresh(k) != SL_OK) {
        sl_err_keep(err, &k->err);
        return k->err.status;
    }
    return sl_sink_patch(k->fresh, off, p, n, err);
}

enum sl_status sl_keep_commit(struct sl_keep *k, bool *kept, struct sl_err *err)
{
    *kept = false;
    if (k->sink == k->fresh)
        return sl_sink_commit(k->fresh, err);
    SL_TRY(sl_sink_commit(k->sink, err));
    *kept = !k->fresh && k->same_bytes == k->old_bytes;
    if (*kept)
        return SL_OK;
    /* The old file goes on where the new one ends. */
    if (!k->fresh && begin_fresh(k) != SL_OK) {
        sl_err_keep(err, &k->err);
        return k->err.status;
    }
    return sl_sink_commit(k->fresh, err);
}

void sl_keep_free(struct sl_keep *k)
{
    if (!k)
        return;
    if (k->sink != k->fresh)
        sl_sink_free(k->sink);
    sl_sink_free(k->fresh);
    if (k->old >= 0)
        (void)close(k->old);
    free(k->block);
    free(k->path);
    free(k);
}
