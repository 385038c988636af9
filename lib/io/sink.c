/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes out.
 *
 * A file is written without a name (O_TMPFILE) and linked at commit through
 * /proc/self/fd, which needs no privilege. Where the file system or a missing
 * /proc forbids that, a hidden name in the same folder is used and removed by
 * sl_sink_free; only a kill can leave it. With force, linking cannot replace a
 * file, so the link takes the hidden name first and is renamed.
 *
 * The data are synced before the name appears: a name never stands for less
 * than all bytes, also after a crash. The folder is not synced: losing the
 * name is the same as not having run.
 *
 * Rejected: opening the final name with O_TRUNC, which destroys the old file
 * before the new one is whole. */
#include "io/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/pipe_size.h"

enum { BUF_BYTES = 64 << 10, GROUP = 64, TEMP_TRIES = 1000, TEMP_ROOM = 48 };

struct sl_sink {
    char *name;
    char *path; /* final name; NULL: written directly */
    char *temp; /* room for a hidden name in the same folder */
    bool temp_exists, force;
    struct sl_sink_backend backend;
    int fd; /* -1: a backend, or closed */
    uint8_t *buf;
    size_t n;
    int64_t off;
    struct sl_err err;
};

static enum sl_status fail(struct sl_sink *s, struct sl_err *err)
{
    sl_err_at(&s->err, s->name, -1, -1);
    sl_err_keep(err, &s->err);
    return s->err.status;
}

/* ---- writing ---- */

static ssize_t write_once(struct sl_sink *s, const struct iovec *iov, int n_iov)
{
    if (s->backend.write)
        return s->backend.write(s->backend.ctx, iov->iov_base, iov->iov_len);
    return writev(s->fd, iov, n_iov);
}

/* The bytes written by one call, 0 where it is to be repeated, -1: error. */
static ssize_t write_some(struct sl_sink *s, const struct iovec *iov, int n_iov)
{
    errno = 0;
    ssize_t done = write_once(s, iov, n_iov);
    if (done > 0)
        return done;
    if (done < 0 && errno == EINTR)
        return 0;
    if (done < 0 && errno == EAGAIN && s->fd >= 0) {
        struct pollfd p = { .fd = s->fd, .events = POLLOUT };
        (void)poll(&p, 1, -1);
        return 0;
    }
    (void)sl_err_sys(&s->err, done == 0 ? EIO : errno, "cannot write");
    return -1;
}

/* Write all of iov, whose entries are changed. n_iov is at most GROUP. */
static enum sl_status write_all(struct sl_sink *s, struct iovec *iov, int n_iov)
{
    for (;;) {
        while (n_iov && iov->iov_len == 0) {
            iov++;
            n_iov--;
        }
        if (n_iov == 0)
            return SL_OK;
        ssize_t done = write_some(s, iov, n_iov);
        if (done < 0)
            return s->err.status;
        for (int i = 0; done > 0 && i < n_iov; i++) {
            size_t part = (size_t)done < iov[i].iov_len ? (size_t)done : iov[i].iov_len;
            iov[i].iov_base = (uint8_t *)iov[i].iov_base + part;
            iov[i].iov_len -= part;
            done -= (ssize_t)part;
        }
    }
}

/* The buffer and then iov, in groups that one writev takes. */
static enum sl_status write_through(struct sl_sink *s, const struct iovec *iov, int n_iov)
{
    _Static_assert(GROUP <= IOV_MAX, "one writev takes a group");
    struct iovec group[GROUP] = { { s->buf, s->n } };
    int filled = 1;
    s->n = 0;
    for (;;) {
        while (filled < GROUP && n_iov > 0) {
            group[filled++] = *iov++;
            n_iov--;
        }
        enum sl_status st = write_all(s, group, filled);
        if (st != SL_OK || n_iov == 0)
            return st;
        filled = 0;
    }
}

enum sl_status sl_sink_writev(struct sl_sink *s, const struct iovec *iov, int n_iov,
                              struct sl_err *err)
{
    size_t total = 0;
    if (s->err.status < 0)
        return fail(s, err);
    for (int i = 0; i < n_iov; i++)
        total += iov[i].iov_len;
    s->off += (int64_t)total;
    if (total >= BUF_BYTES - s->n)
        return write_through(s, iov, n_iov) == SL_OK ? SL_OK : fail(s, err);
    for (int i = 0; i < n_iov; i++) {
        if (iov[i].iov_len)
            memcpy(s->buf + s->n, iov[i].iov_base, iov[i].iov_len);
        s->n += iov[i].iov_len;
    }
    return SL_OK;
}

enum sl_status sl_sink_write(struct sl_sink *s, const void *p, size_t n, struct sl_err *err)
{
    struct iovec one = { (void *)(uintptr_t)p, n };
    return sl_sink_writev(s, &one, 1, err);
}

enum sl_status sl_sink_flush(struct sl_sink *s, struct sl_err *err)
{
    if (s->err.status < 0 || write_through(s, NULL, 0) != SL_OK)
        return fail(s, err);
    return SL_OK;
}

enum sl_status sl_sink_patch(struct sl_sink *s, int64_t off, const void *p, size_t n,
                             struct sl_err *err)
{
    SL_TRY(sl_sink_flush(s, err));
    if (!s->path || off < 0 || (int64_t)n > s->off - off) {
        (void)sl_err_set(&s->err, SL_E_BUG, "bytes overwritten where no file has them");
        return fail(s, err);
    }
    for (size_t done = 0; done < n;) {
        ssize_t part = pwrite(s->fd, (const uint8_t *)p + done, n - done, off + (int64_t)done);
        if (part > 0) {
            done += (size_t)part;
        } else if (part == 0 || errno != EINTR) {
            (void)sl_err_sys(&s->err, part == 0 ? EIO : errno, "cannot write");
            return fail(s, err);
        }
    }
    return SL_OK;
}

/* ---- names ---- */

static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

static void temp_name(struct sl_sink *s, unsigned attempt)
{
    snprintf(s->temp + folder_length(s->path), TEMP_ROOM, ".sluice-%ld-%u.tmp", (long)getpid(),
             attempt);
}

/* The descriptor's name below /proc, by which it can be linked. */
static const char *proc_name(const struct sl_sink *s, char out[32])
{
    snprintf(out, 32, "/proc/self/fd/%d", s->fd);
    return out;
}

static bool open_nameless(struct sl_sink *s)
{
    char proc[32];
    size_t n = folder_length(s->path);
    memcpy(s->temp, n ? s->path : ".", n ? n : 1);
    s->temp[n ? n : 1] = 0;
    s->fd = open(s->temp, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    memcpy(s->temp, s->path, n);
    if (s->fd >= 0 && access(proc_name(s, proc), F_OK) == 0)
        return true;
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
    return false;
}

static enum sl_status open_hidden(struct sl_sink *s)
{
    for (unsigned i = 0; i < TEMP_TRIES && s->fd < 0; i++) {
        temp_name(s, i);
        s->fd = open(s->temp, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
        if (s->fd < 0 && errno != EEXIST)
            break;
    }
    if (s->fd < 0)
        return sl_err_sys(&s->err, errno, "cannot create a file");
    s->temp_exists = true;
    return SL_OK;
}

static enum sl_status exists_already(struct sl_sink *s)
{
    return sl_err_set(&s->err, SL_E_USAGE, "the file exists; -f replaces it");
}

/* Give the nameless file a name. link_to: the hidden or the final one. */
static int link_as(struct sl_sink *s, const char *link_to)
{
    char proc[32];
    return linkat(AT_FDCWD, proc_name(s, proc), AT_FDCWD, link_to, AT_SYMLINK_FOLLOW);
}

static enum sl_status link_hidden(struct sl_sink *s)
{
    int done = -1;
    for (unsigned i = 0; i < TEMP_TRIES && done != 0; i++) {
        temp_name(s, i);
        done = link_as(s, s->temp);
        if (done != 0 && errno != EEXIST)
            break;
    }
    if (done != 0)
        return sl_err_sys(&s->err, errno, "cannot link a file");
    s->temp_exists = true;
    return SL_OK;
}

/* Rename, but never over a file: some file systems know only one of the ways. */
static int rename_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == EEXIST || (errno != EINVAL && errno != ENOSYS))
        return -1;
    return link(from, to) == 0 ? unlink(from) : -1;
}

static enum sl_status name_file(struct sl_sink *s)
{
    if (!s->temp_exists && !s->force) {
        if (link_as(s, s->path) == 0)
            return SL_OK;
        return errno == EEXIST ? exists_already(s)
                               : sl_err_sys(&s->err, errno, "cannot name the file");
    }
    if (!s->temp_exists)
        SL_TRY(link_hidden(s));
    int done = s->force ? rename(s->temp, s->path) : rename_new(s->temp, s->path);
    if (done == 0) {
        s->temp_exists = false;
        return SL_OK;
    }
    return errno == EEXIST && !s->force ? exists_already(s)
                                        : sl_err_sys(&s->err, errno, "cannot name the file");
}

/* ---- the end ---- */

static enum sl_status close_all(struct sl_sink *s)
{
    int fd = s->fd, done = 0;
    s->fd = -1;
    /* Standard output stays open; closing a copy tells its late errors. */
    if (fd == STDOUT_FILENO && !s->path)
        fd = dup(fd);
    if (fd >= 0)
        done = close(fd);
    if (s->backend.close)
        done = s->backend.close(s->backend.ctx);
    s->backend.close = NULL;
    return done == 0 || errno == EINTR ? SL_OK : sl_err_sys(&s->err, errno, "cannot close");
}

static enum sl_status sync_file(struct sl_sink *s)
{
    if (fsync(s->fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS)
        return SL_OK;
    return sl_err_sys(&s->err, errno, "cannot sync");
}

enum sl_status sl_sink_commit(struct sl_sink *s, struct sl_err *err)
{
    SL_TRY(sl_sink_flush(s, err));
    enum sl_status st = s->path ? sync_file(s) : SL_OK;
    if (st == SL_OK && s->path)
        st = name_file(s);
    if (st == SL_OK)
        st = close_all(s);
    if (st != SL_OK)
        return fail(s, err);
    (void)sl_err_set(&s->err, SL_E_BUG, "written to after its end");
    return SL_OK;
}

void sl_sink_free(struct sl_sink *s)
{
    if (!s)
        return;
    (void)close_all(s);
    if (s->temp_exists)
        (void)unlink(s->temp);
    free(s->buf);
    free(s->temp);
    free(s->path);
    free(s->name);
    free(s);
}

/* ---- opening ---- */

static struct sl_sink *new_sink(const char *name)
{
    struct sl_sink *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->fd = -1;
    s->err = (struct sl_err)SL_ERR_INIT;
    s->name = strdup(name);
    s->buf = malloc(BUF_BYTES);
    if (s->name && s->buf)
        return s;
    sl_sink_free(s);
    return NULL;
}

static enum sl_status open_file(struct sl_sink *s, const char *path, bool force)
{
    /* A link with force: the file that it leads to is replaced, not the link. */
    char *real = force ? realpath(path, NULL) : NULL;
    s->path = real ? real : strdup(path);
    s->temp = s->path ? malloc(folder_length(s->path) + TEMP_ROOM) : NULL;
    s->force = force;
    if (!s->temp)
        return sl_err_nomem(&s->err, strlen(path));
    if (s->path[folder_length(s->path)] == 0)
        return sl_err_sys(&s->err, *path ? EISDIR : ENOENT, "cannot create");
    return open_nameless(s) ? SL_OK : open_hidden(s);
}

static enum sl_status open_direct(struct sl_sink *s, const char *path)
{
    s->fd = open(path, O_WRONLY | O_CLOEXEC);
    return s->fd >= 0 ? SL_OK : sl_err_sys(&s->err, errno, "cannot open");
}

static enum sl_status open_path(struct sl_sink *s, const char *path, bool force)
{
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return open_direct(s, path);
    if (!force && lstat(path, &info) == 0)
        return exists_already(s);
    return open_file(s, path, force);
}

enum sl_status sl_sink_open(struct sl_sink **out, const char *path, bool force, struct sl_err *err)
{
    bool is_stdout = strcmp(path, "-") == 0;
    *out = NULL;
    struct sl_sink *s = new_sink(is_stdout ? "(standard output)" : path);
    if (!s)
        return sl_err_nomem(err, BUF_BYTES);
    if (is_stdout)
        s->fd = STDOUT_FILENO;
    if (is_stdout)
        sl_pipe_widen(s->fd);
    enum sl_status st = is_stdout ? SL_OK : open_path(s, path, force);
    if (st != SL_OK) {
        st = fail(s, err);
        sl_sink_free(s);
        return st;
    }
    *out = s;
    return SL_OK;
}

enum sl_status sl_sink_open_backend(struct sl_sink **out, struct sl_sink_backend backend,
                                    const char *name, struct sl_err *err)
{
    struct sl_sink *s = *out = new_sink(name);
    if (!s) {
        if (backend.close)
            (void)backend.close(backend.ctx);
        return sl_err_nomem(err, BUF_BYTES);
    }
    s->backend = backend;
    return SL_OK;
}

int64_t sl_sink_off(const struct sl_sink *s)
{
    return s->off;
}

const char *sl_sink_name(const struct sl_sink *s)
{
    return s->name;
}

bool sl_sink_is_file(const struct sl_sink *s)
{
    return s->path != NULL;
}
