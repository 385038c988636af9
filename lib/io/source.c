/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes in.
 *
 * Three stages: raw bytes (read(2), a backend or memory), a decoder where the
 * first bytes ask for one, the window that peek lends from. Memory that needs
 * no decoder is lent as it is. A long sl_source_read of plain bytes goes
 * straight to the caller once the window is empty.
 *
 * The window doubles only when it is full of bytes that are still wanted, so a
 * hostile size passed to peek costs no more memory than there are bytes, and
 * moving its contents to the front is linear in all: it happens when at least
 * half was consumed.
 *
 * Rejected: mmap, which turns a file that shrinks under us into SIGBUS and is
 * no faster for one pass. */
#include "io/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "io/decoder.h"
#include "io/pipe_size.h"

enum { GAP_STEP = 16 << 10 }; /* read at once behind a gap */
enum { RAW_BYTES = 256 << 10, WINDOW_MIN = 256 << 10, READ_MAX = 1 << 20, MAGIC_BYTES = 4 };

struct sl_source {
    char *name;
    struct sl_source_backend backend;
    int fd;            /* -1: a backend or memory */
    struct sl_str mem; /* what of memory was not taken yet */
    bool is_mem, raw_end, end;
    bool undecided;                     /* the first bytes were not looked at yet */
    const struct sl_decoder_kind *kind; /* NULL: plain */
    void *decoder;
    uint8_t *raw; /* raw bytes not decoded yet: [raw_at, raw_n) */
    size_t raw_at, raw_n;
    uint8_t *win; /* bytes not consumed yet: [at, n) */
    size_t at, n, cap;
    int64_t off, raw_bytes, size;
    size_t step;       /* most to read at once: less behind a gap, then twice as much each time */
    struct sl_err err; /* kept back while bytes from before it are left */
    bool dead;         /* it was told */
};

static enum sl_status fail(struct sl_source *s, struct sl_err *err)
{
    s->dead = true;
    sl_err_at(&s->err, s->name, -1, -1);
    sl_err_keep(err, &s->err);
    return s->err.status;
}

/* ---- raw bytes ---- */

static ssize_t read_fd(int fd, void *dst, size_t n)
{
    for (;;) {
        ssize_t got = read(fd, dst, n);
        if (got >= 0 || (errno != EINTR && errno != EAGAIN))
            return got;
        if (errno == EAGAIN) {
            struct pollfd p = { .fd = fd, .events = POLLIN };
            (void)poll(&p, 1, -1);
        }
    }
}

static ssize_t read_mem(struct sl_source *s, void *dst, size_t n)
{
    size_t take = n < s->mem.n ? n : s->mem.n;
    if (take)
        memcpy(dst, s->mem.p, take);
    s->mem.p += take;
    s->mem.n -= take;
    return (ssize_t)take;
}

static ssize_t read_backend(const struct sl_source_backend *b, void *dst, size_t n)
{
    ssize_t got;
    do
        got = b->read(b->ctx, dst, n);
    while (got < 0 && errno == EINTR);
    return got;
}

/* At least one byte, unless the input is over (*got is 0). */
static enum sl_status raw_read(struct sl_source *s, void *dst, size_t n, size_t *got)
{
    *got = 0;
    if (s->raw_end)
        return SL_OK;
    if (n > READ_MAX)
        n = READ_MAX;
    errno = 0;
    ssize_t r = s->is_mem    ? read_mem(s, dst, n)
                : s->fd >= 0 ? read_fd(s->fd, dst, n)
                             : read_backend(&s->backend, dst, n);
    if (r < 0) {
        enum sl_status st = sl_err_sys(&s->err, errno, "cannot read");
        sl_err_at(&s->err, s->name, s->raw_bytes, -1);
        return st;
    }
    if ((size_t)r > n)
        return sl_err_set(&s->err, SL_E_BUG, "a read gave more than was asked for");
    s->raw_end = r == 0;
    s->raw_bytes += r;
    *got = (size_t)r;
    return SL_OK;
}

/* ---- recognition ---- */

/* Of zstd: a frame, or one of the 16 skippable ones. */
static bool may_be_zstd(const uint8_t *p, size_t n)
{
    static const uint8_t FRAME[] = { 0x28, 0xb5, 0x2f, 0xfd }, SKIP[] = { 0x50, 0x2a, 0x4d, 0x18 };
    bool frame = true, skip = true;
    for (size_t i = 0; i < n && i < MAGIC_BYTES; i++) {
        frame &= p[i] == FRAME[i];
        skip &= (i == 0 ? p[i] & 0xf0 : p[i]) == SKIP[i];
    }
    return frame || skip;
}

static bool may_be_gzip(const uint8_t *p, size_t n)
{
    return p[0] == 0x1f && (n < 2 || p[1] == 0x8b);
}

/* NULL: plain. *sure: more bytes will not change the answer. At the end of
 * input a lone 1f is a cut gzip file, and 28 b5 a cut zstd one (it is no text
 * in UTF-8); a lone "(" or "P" is taken for text. */
static const struct sl_decoder_kind *recognise(const uint8_t *p, size_t n, bool *sure)
{
    *sure = n > 0;
    if (n && may_be_gzip(p, n)) {
        *sure = n >= 2;
        return &sl_decoder_gzip;
    }
    if (n && may_be_zstd(p, n)) {
        *sure = n >= MAGIC_BYTES;
        bool likely = n >= MAGIC_BYTES || (n >= 2 && p[0] == 0x28);
        return likely ? &sl_decoder_zstd : NULL;
    }
    return NULL;
}

static enum sl_status decide(struct sl_source *s)
{
    bool sure = false;
    if (!s->raw && !(s->raw = malloc(RAW_BYTES)))
        return sl_err_nomem(&s->err, RAW_BYTES);
    while (!sure) {
        size_t got;
        enum sl_status st = raw_read(s, s->raw + s->raw_n, RAW_BYTES - s->raw_n, &got);
        if (st != SL_OK)
            return st;
        s->raw_n += got;
        s->kind = recognise(s->raw, s->raw_n, &sure);
        sure |= s->raw_end;
    }
    s->undecided = false;
    if (s->kind && !(s->decoder = s->kind->new ()))
        return sl_err_set(&s->err, SL_E_SYSTEM, "out of memory for decompression");
    return SL_OK;
}

/* ---- bytes for the window ---- */

static enum sl_status produce_decoded(struct sl_source *s, uint8_t *dst, size_t n, size_t *got)
{
    *got = 0;
    while (*got == 0) {
        if (s->raw_at == s->raw_n && !s->raw_end) {
            s->raw_at = s->raw_n = 0;
            enum sl_status st = raw_read(s, s->raw, RAW_BYTES, &s->raw_n);
            if (st != SL_OK)
                return st;
        }
        struct sl_decoder_io io = { s->raw + s->raw_at, s->raw_n - s->raw_at, dst, n, s->raw_end };
        enum sl_status st = s->kind->step(s->decoder, &io, &s->err);
        s->raw_at = s->raw_n - io.in_n;
        *got = (size_t)(io.out - dst);
        if (st < 0)
            sl_err_at(&s->err, s->name, s->raw_bytes - (int64_t)io.in_n, -1);
        if (st != SL_OK) {
            s->end = st == SL_END;
            return s->end ? SL_OK : st;
        }
    }
    return SL_OK;
}

static enum sl_status produce_any(struct sl_source *s, uint8_t *dst, size_t n, size_t *got)
{
    *got = 0;
    if (s->end)
        return SL_OK;
    if (s->undecided) {
        enum sl_status st = decide(s);
        if (st != SL_OK)
            return st;
    }
    if (s->kind)
        return produce_decoded(s, dst, n, got);
    if (s->raw_at < s->raw_n) { /* read to recognise the format */
        size_t left = s->raw_n - s->raw_at;
        *got = n < left ? n : left;
        memcpy(dst, s->raw + s->raw_at, *got);
        s->raw_at += *got;
        if (s->raw_at == s->raw_n) { /* plain bytes need it no more; many may be open at once */
            free(s->raw);
            s->raw = NULL;
            s->raw_at = s->raw_n = 0;
        }
        return SL_OK;
    }
    enum sl_status st = raw_read(s, dst, n < s->step ? n : s->step, got);
    s->step = s->step < READ_MAX ? 2 * s->step : READ_MAX;
    s->end = s->raw_end;
    return st;
}

/* Up to n bytes to dst, at least one unless the input is over. An error waits
 * for the next call where there are bytes before it, so that how much a reader
 * gets does not depend on how the input was cut into reads. */
static enum sl_status produce(struct sl_source *s, uint8_t *dst, size_t n, size_t *got)
{
    *got = 0;
    if (s->err.status < 0)
        return s->err.status;
    enum sl_status st = produce_any(s, dst, n, got);
    return *got ? SL_OK : st;
}

/* ---- the window ---- */

static enum sl_status grow_window(struct sl_source *s)
{
    size_t cap = s->cap ? s->cap * 2 : WINDOW_MIN;
    if (cap > SL_SOURCE_PEEK_MAX)
        cap = SL_SOURCE_PEEK_MAX;
    uint8_t *win = sl_big_alloc(&cap);
    if (!win)
        return sl_err_nomem(&s->err, cap);
    if (s->n > s->at)
        memcpy(win, s->win + s->at, s->n - s->at);
    free(s->win);
    s->win = win;
    s->n -= s->at;
    s->at = 0;
    s->cap = cap;
    return SL_OK;
}

/* Room behind the bytes that are still wanted. */
static enum sl_status make_room(struct sl_source *s)
{
    if (s->at == s->n)
        s->at = s->n = 0;
    if (s->n < s->cap)
        return SL_OK;
    if (s->cap == 0 || (s->at < s->cap / 2 && s->cap < SL_SOURCE_PEEK_MAX))
        return grow_window(s);
    memmove(s->win, s->win + s->at, s->n - s->at);
    s->n -= s->at;
    s->at = 0;
    return SL_OK;
}

static enum sl_status fill(struct sl_source *s, size_t min, struct sl_err *err)
{
    if (s->dead)
        return fail(s, err);
    if (min > SL_SOURCE_PEEK_MAX) {
        (void)sl_err_set(&s->err, SL_E_DATA, "a piece of %zu bytes is over the limit", min);
        sl_err_at(&s->err, s->name, s->off, -1);
        return fail(s, err);
    }
    while (s->n - s->at < min && !s->end) {
        size_t got = 0;
        enum sl_status st = make_room(s);
        if (st == SL_OK)
            st = produce(s, s->win + s->n, s->cap - s->n, &got);
        s->n += got;
        if (st != SL_OK)
            return fail(s, err);
    }
    return SL_OK;
}

enum sl_status sl_source_peek(struct sl_source *s, size_t min, const uint8_t **p, size_t *n,
                              struct sl_err *err)
{
    *p = (const uint8_t *)"";
    *n = 0;
    if (s->is_mem && !s->undecided && !s->kind) {
        *n = s->mem.n;
        if (*n)
            *p = (const uint8_t *)s->mem.p;
        return SL_OK;
    }
    SL_TRY(fill(s, min, err));
    *n = s->n - s->at;
    if (*n)
        *p = s->win + s->at;
    return SL_OK;
}

void sl_source_consume(struct sl_source *s, size_t n)
{
    s->off += (int64_t)n;
    if (s->is_mem && !s->undecided && !s->kind) {
        s->mem.p += n;
        s->mem.n -= n;
        s->raw_bytes += (int64_t)n;
        return;
    }
    s->at += n;
}

static bool can_seek(const struct sl_source *s)
{
    bool plain = !s->undecided && !s->kind && s->raw_at == s->raw_n;
    return plain && s->fd >= 0 && s->size >= 0 && !s->end && s->err.status >= 0;
}

enum sl_status sl_source_skip(struct sl_source *s, size_t n, size_t *got, struct sl_err *err)
{
    const uint8_t *p;
    for (*got = 0; *got < n;) {
        size_t left = n - *got, have = s->n - s->at;
        int64_t ahead = s->size - s->raw_bytes; /* a seek never goes behind the end */
        if (have == 0 && left > GAP_STEP && ahead > 0 && can_seek(s)) {
            size_t gap = left < (size_t)ahead ? left : (size_t)ahead;
            if (lseek(s->fd, (off_t)gap, SEEK_CUR) < 0)
                return sl_err_sys(err, errno, "cannot seek");
            s->raw_bytes += (int64_t)gap;
            s->off += (int64_t)gap;
            s->step = GAP_STEP;
            *got += gap;
            continue;
        }
        if (have == 0)
            SL_TRY(sl_source_peek(s, 1, &p, &have, err));
        if (have == 0)
            return SL_OK;
        have = have < left ? have : left;
        sl_source_consume(s, have);
        *got += have;
    }
    return SL_OK;
}

enum sl_status sl_source_read(struct sl_source *s, void *dst, size_t n, size_t *got,
                              struct sl_err *err)
{
    uint8_t *to = dst;
    *got = 0;
    while (*got < n) {
        size_t left = n - *got, have = 0;
        bool direct = s->at == s->n && left >= WINDOW_MIN && !s->dead && !s->is_mem;
        if (direct) {
            if (produce(s, to + *got, left, &have) != SL_OK)
                return fail(s, err);
            s->off += (int64_t)have;
        } else {
            const uint8_t *p;
            SL_TRY(sl_source_peek(s, 1, &p, &have, err));
            have = have < left ? have : left;
            if (have)
                memcpy(to + *got, p, have);
            sl_source_consume(s, have);
        }
        if (have == 0)
            return SL_OK;
        *got += have;
    }
    return SL_OK;
}

enum sl_status sl_source_read_all(struct sl_source *s, struct sl_buf *out, struct sl_err *err)
{
    for (;;) {
        const uint8_t *p;
        size_t n;
        SL_TRY(sl_source_peek(s, 1, &p, &n, err));
        if (n == 0)
            return SL_OK;
        enum sl_status st = sl_buf_add(out, p, n, err);
        if (st != SL_OK) {
            sl_err_at(err, s->name, s->off, -1);
            return st;
        }
        sl_source_consume(s, n);
    }
}

enum sl_status sl_file_read(const char *path, struct sl_buf *out, struct sl_err *err)
{
    struct sl_source *src;
    SL_TRY(sl_source_open(&src, path, SL_SOURCE_PLAIN, err));
    enum sl_status st = sl_source_read_all(src, out, err);
    sl_source_free(src);
    return st;
}

/* ---- opening ---- */

static struct sl_source *new_source(const char *name, enum sl_source_mode mode)
{
    struct sl_source *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->fd = -1;
    s->size = -1;
    s->step = READ_MAX;
    s->undecided = mode == SL_SOURCE_AUTO;
    s->err = (struct sl_err)SL_ERR_INIT;
    s->name = strdup(name);
    if (!s->name) {
        free(s);
        return NULL;
    }
    return s;
}

static enum sl_status open_failed(const char *path, int why, struct sl_err *err)
{
    enum sl_status st = sl_err_sys(err, why, "cannot open");
    sl_err_at(err, path, -1, -1);
    return st;
}

static void look_at_file(struct sl_source *s, const struct stat *info)
{
    if (S_ISFIFO(info->st_mode))
        sl_pipe_widen(s->fd);
    if (!S_ISREG(info->st_mode))
        return;
    off_t at = lseek(s->fd, 0, SEEK_CUR);
    s->size = at > 0 && at <= info->st_size ? info->st_size - at : info->st_size;
    (void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
}

enum sl_status sl_source_open(struct sl_source **out, const char *path, enum sl_source_mode mode,
                              struct sl_err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct stat info;
    *out = NULL;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return open_failed(path, errno, err);
    int why = fstat(fd, &info) != 0 ? errno : S_ISDIR(info.st_mode) ? EISDIR : 0;
    struct sl_source *s = why ? NULL : new_source(is_stdin ? "(standard input)" : path, mode);
    if (!s) {
        if (!is_stdin)
            (void)close(fd);
        return why ? open_failed(path, why, err) : sl_err_nomem(err, sizeof *s);
    }
    s->fd = fd;
    look_at_file(s, &info);
    *out = s;
    return SL_OK;
}

enum sl_status sl_source_open_mem(struct sl_source **out, struct sl_str bytes, const char *name,
                                  enum sl_source_mode mode, struct sl_err *err)
{
    struct sl_source *s = *out = new_source(name, mode);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    bool sure;
    s->is_mem = true;
    s->mem = bytes.n ? bytes : SL_STR("");
    s->size = (int64_t)bytes.n;
    /* All bytes are there: decide now, so that plain ones are never copied. */
    s->undecided = s->undecided && recognise((const uint8_t *)s->mem.p, s->mem.n, &sure);
    return SL_OK;
}

enum sl_status sl_source_open_backend(struct sl_source **out, struct sl_source_backend backend,
                                      const char *name, enum sl_source_mode mode,
                                      struct sl_err *err)
{
    struct sl_source *s = *out = new_source(name, mode);
    if (!s) {
        if (backend.close)
            backend.close(backend.ctx);
        return sl_err_nomem(err, sizeof *s);
    }
    s->backend = backend;
    return SL_OK;
}

void sl_source_free(struct sl_source *s)
{
    if (!s)
        return;
    if (s->fd > STDIN_FILENO)
        (void)close(s->fd);
    if (s->backend.close)
        s->backend.close(s->backend.ctx);
    if (s->decoder)
        s->kind->free(s->decoder);
    free(s->raw);
    free(s->win);
    free(s->name);
    free(s);
}

int64_t sl_source_off(const struct sl_source *s)
{
    return s->off;
}

const char *sl_source_name(const struct sl_source *s)
{
    return s->name;
}

int64_t sl_source_raw_bytes(const struct sl_source *s)
{
    return s->raw_bytes;
}

int64_t sl_source_size(const struct sl_source *s)
{
    return s->size;
}
