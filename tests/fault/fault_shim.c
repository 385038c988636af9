/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a tool by fault_test.py: makes calls fail or fall short.
 *
 *   FAULT_ALLOC=N   the N-th allocation fails, the first is 1
 *   FAULT_WRITE=N   from the N-th write on the disk is full (not for stderr)
 *   FAULT_READ=N    the N-th read fails with EIO
 *   FAULT_SYNC=N    the N-th fsync or fdatasync fails with EIO
 *   FAULT_SHORT=S   reads and writes are cut at random lengths, with EINTR now
 *                   and then; S is the seed
 *   FAULT_COUNTS=F  at the end the numbers of calls are written to the file F
 *
 * Counting begins with the first call of the program and knows no threads: for
 * one thread alone. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum what { ALLOC, WRITE, READ, SYNC, N_WHAT };
static const char *const names[N_WHAT] = { "FAULT_ALLOC", "FAULT_WRITE", "FAULT_READ",
                                           "FAULT_SYNC" };
static long fails_at[N_WHAT], seen[N_WHAT];
static unsigned long long short_state;
static int started;

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t m);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);

__attribute__((constructor)) static void begin(void)
{
    for (int i = 0; i < N_WHAT; i++)
        fails_at[i] = getenv(names[i]) ? atol(getenv(names[i])) : 0;
    if (getenv("FAULT_SHORT"))
        short_state = strtoull(getenv("FAULT_SHORT"), NULL, 10) * 2 + 1;
    started = 1;
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("FAULT_COUNTS");
    char line[128];
    started = 0;
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644) : -1;
    if (fd < 0)
        return;
    int n = snprintf(line, sizeof line, "%ld %ld %ld %ld\n", seen[ALLOC], seen[WRITE], seen[READ],
                     seen[SYNC]);
    if (write(fd, line, (size_t)n) < 0)
        return;
    close(fd);
}

static int fails(enum what w)
{
    if (!started)
        return 0;
    ++seen[w];
    return w == WRITE ? fails_at[w] && seen[w] >= fails_at[w] : seen[w] == fails_at[w];
}

static int no_memory(void)
{
    if (!fails(ALLOC))
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n)
{
    return no_memory() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t m)
{
    return no_memory() ? NULL : __libc_calloc(n, m);
}

void *realloc(void *p, size_t n)
{
    return no_memory() ? NULL : __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    return no_memory() ? NULL : __libc_memalign(align, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
    if (no_memory())
        return ENOMEM;
    *out = __libc_memalign(align, n);
    return *out ? 0 : ENOMEM;
}

/* A length of 1 to n, or 0 for EINTR. */
static size_t shortened(size_t n)
{
    if (!short_state || n == 0)
        return n;
    short_state = short_state * 6364136223846793005u + 1442695040888963407u;
    unsigned r = (unsigned)(short_state >> 33);
    if (r % 16 == 0)
        return 0;
    if (r % 3 == 0)
        return 1 + (r >> 8) % (n < 16 ? n : 16);
    return 1 + (r >> 8) % n;
}

static long interrupted(void)
{
    errno = EINTR;
    return -1;
}

static long full(int error)
{
    errno = error;
    return -1;
}

/* Libraries take random bytes for their hash tables and can do without. */
static int is_device(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode);
}

ssize_t read(int fd, void *buf, size_t n)
{
    static ssize_t (*next)(int, void *, size_t);
    if (!next)
        next = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    if (is_device(fd))
        return next(fd, buf, n);
    if (fails(READ))
        return full(EIO);
    size_t m = shortened(n);
    return n && !m ? interrupted() : next(fd, buf, m);
}

ssize_t write(int fd, const void *buf, size_t n)
{
    static ssize_t (*next)(int, const void *, size_t);
    if (!next)
        next = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (fd == STDERR_FILENO)
        return next(fd, buf, n);
    if (fails(WRITE))
        return full(ENOSPC);
    size_t m = shortened(n);
    return n && !m ? interrupted() : next(fd, buf, m);
}

ssize_t writev(int fd, const struct iovec *iov, int n_iov)
{
    static ssize_t (*next)(int, const struct iovec *, int);
    if (!next)
        next = (ssize_t(*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
    if (short_state && n_iov > 0)
        return write(fd, iov[0].iov_base, iov[0].iov_len);
    if (fails(WRITE))
        return full(ENOSPC);
    return next(fd, iov, n_iov);
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t off)
{
    static ssize_t (*next)(int, const void *, size_t, off_t);
    if (!next)
        next = (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
    if (fails(WRITE))
        return full(ENOSPC);
    size_t m = shortened(n);
    return n && !m ? interrupted() : next(fd, buf, m, off);
}

ssize_t pread(int fd, void *buf, size_t n, off_t off)
{
    static ssize_t (*next)(int, void *, size_t, off_t);
    if (!next)
        next = (ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread");
    if (fails(READ))
        return full(EIO);
    size_t m = shortened(n);
    return n && !m ? interrupted() : next(fd, buf, m, off);
}

int fsync(int fd)
{
    static int (*next)(int);
    if (!next)
        next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return fails(SYNC) ? (int)full(EIO) : next(fd);
}

int fdatasync(int fd)
{
    static int (*next)(int);
    if (!next)
        next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return fails(SYNC) ? (int)full(EIO) : next(fd);
}
