/* SPDX-License-Identifier: Apache-2.0 */
/* Folders by descriptor, so that all names are taken in the same folder even
 * where somebody renames it in the middle of a run; paths are for messages and
 * for the functions that open by path. */
#include "order/shard_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "io/source.h"

enum { PATH_MAX_BYTES = 1 << 16, NAMES_MAX_BYTES = 1 << 30 };

static enum sl_status fail(const struct sl_folder *f, const char *what, const char *name,
                           struct sl_err *err)
{
    return sl_err_sys(err, errno, "cannot %s '%s%s%s'", what, f->dir, name ? "/" : "",
                      name ? name : "");
}

enum sl_status sl_folder_open(struct sl_folder *f, const char *dir, bool create, struct sl_err *err)
{
    *f = (struct sl_folder){ .dir = strdup(dir), .fd = -1 };
    sl_buf_init(&f->path, PATH_MAX_BYTES);
    if (!f->dir)
        return sl_err_nomem(err, strlen(dir));
    if (create && mkdir(dir, 0777) != 0 && errno != EEXIST)
        return fail(f, "make the folder", NULL, err);
    f->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return f->fd >= 0 ? SL_OK : fail(f, "open the folder", NULL, err);
}

void sl_folder_release(struct sl_folder *f)
{
    if (!f->dir)
        return;
    if (f->fd >= 0)
        (void)close(f->fd);
    sl_buf_release(&f->path);
    free(f->dir);
    *f = (struct sl_folder){ .fd = -1 };
}

const char *sl_folder_path(struct sl_folder *f, const char *name)
{
    sl_buf_reset(&f->path);
    if (sl_buf_addf(&f->path, NULL, "%s/%s", f->dir, name) != SL_OK)
        return NULL;
    return sl_buf_cstr(&f->path);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum sl_status read_names(struct sl_folder *f, DIR *d, struct sl_arena *arena,
                                 struct sl_buf *names, struct sl_err *err)
{
    for (;;) {
        errno = 0;
        const struct dirent *e = readdir(d);
        if (!e)
            return errno ? fail(f, "list", NULL, err) : SL_OK;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        const char *name = sl_arena_str(arena, sl_str_of(e->d_name));
        if (!name)
            return sl_err_nomem(err, sizeof e->d_name);
        SL_TRY(sl_buf_add(names, &name, sizeof name, err));
    }
}

enum sl_status sl_folder_list(struct sl_folder *f, struct sl_arena *arena,
                              const char *const **names, size_t *n_names, struct sl_err *err)
{
    int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        enum sl_status st = fail(f, "list", NULL, err);
        if (fd >= 0)
            (void)close(fd);
        return st;
    }
    struct sl_buf all;
    sl_buf_init(&all, NAMES_MAX_BYTES);
    enum sl_status st = read_names(f, d, arena, &all, err);
    (void)closedir(d);
    *n_names = all.n / sizeof(char *);
    void *copy = sl_arena_get(arena, all.n);
    if (st == SL_OK && !copy)
        st = sl_err_nomem(err, all.n);
    if (st == SL_OK && all.n) {
        qsort(all.p, *n_names, sizeof(char *), by_bytes);
        memcpy(copy, all.p, all.n);
    }
    *names = copy;
    sl_buf_release(&all);
    return st;
}

enum sl_status sl_folder_remove(struct sl_folder *f, const char *name, struct sl_err *err)
{
    if (unlinkat(f->fd, name, 0) != 0 && errno != ENOENT)
        return fail(f, "remove", name, err);
    return SL_OK;
}

enum sl_status sl_folder_sync(struct sl_folder *f, struct sl_err *err)
{
    /* Some network and overlay file systems do not sync folders. */
    if (fsync(f->fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS)
        return SL_OK;
    return fail(f, "sync", NULL, err);
}

enum sl_status sl_folder_read(struct sl_folder *f, const char *name, struct sl_buf *out,
                              struct sl_err *err)
{
    const char *path = sl_folder_path(f, name);
    return path ? sl_file_read(path, out, err) : sl_err_nomem(err, PATH_MAX_BYTES);
}

void sl_shard_name(int64_t k, char out[SL_SHARD_NAME_BYTES])
{
    snprintf(out, SL_SHARD_NAME_BYTES, "shard-%05lld.arrows", (long long)k);
}

int64_t sl_shard_number(const char *name)
{
    char again[SL_SHARD_NAME_BYTES];
    struct sl_str s = sl_str_of(name);
    const struct sl_str head = SL_STR("shard-"), tail = SL_STR(".arrows");
    int64_t k;
    if (!sl_str_starts(s, head) || !sl_str_ends(s, tail) || s.n <= head.n + tail.n)
        return -1;
    if (!sl_parse_i64((struct sl_str){ s.p + head.n, s.n - head.n - tail.n }, &k) || k < 0)
        return -1;
    sl_shard_name(k, again);
    return strcmp(again, name) == 0 ? k : -1;
}

bool sl_folder_is_temp(const char *name)
{
    struct sl_str s = sl_str_of(name);
    return sl_str_starts(s, SL_STR(".sluice-")) && sl_str_ends(s, SL_STR(".tmp"));
}
