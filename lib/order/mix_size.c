/* SPDX-License-Identifier: Apache-2.0 */
/* From front to front by pread. Rejected: the trailer alone, which stands at the end without
 * a pointer to where it begins. What does not look like a stream of ours may be compressed or
 * damaged, and goes to the reader, which knows, and can say where. */
#include "order/mix_size.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arrow/message_read.h"
#include "arrow/reader.h"
#include "base/num.h"

enum { PREFIX = 8, FIRST_BYTES = 4096 };

struct walk {
    int fd;
    int64_t at; /* of the message */
    struct sl_buf front;
};

static enum sl_status fill(struct walk *w, size_t n, struct sl_err *err)
{
    while (w->front.n < n) {
        size_t want = n - w->front.n;
        SL_TRY(sl_buf_reserve(&w->front, want, err));
        ssize_t k =
            pread(w->fd, w->front.p + w->front.n, want, (off_t)(w->at + (int64_t)w->front.n));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return sl_err_sys(err, errno, "cannot read");
        if (k == 0)
            return SL_OK;
        w->front.n += (size_t)k;
    }
    return SL_OK;
}

/* The message at w->at. SL_END: the end marker; SL_E_DATA, without words: no message of ours. */
static enum sl_status step(struct walk *w, uint64_t *rows, struct sl_err *err)
{
    struct sl_front front;
    sl_buf_reset(&w->front);
    SL_TRY(fill(w, FIRST_BYTES, err));
    if (w->front.n < PREFIX || sl_load32(w->front.p) != UINT32_MAX)
        return SL_E_DATA;
    size_t n = sl_load32(w->front.p + 4);
    if (n == 0)
        return SL_END;
    if (n > SL_MAX_META_BYTES - PREFIX)
        return SL_E_DATA;
    SL_TRY(fill(w, n + PREFIX, err));
    if (w->front.n < n + PREFIX)
        return SL_E_DATA;
    struct sl_str meta = { (const char *)w->front.p + PREFIX, n };
    if (sl_front_parse(&front, meta, true, NULL) != SL_OK || front.error.p)
        return SL_E_DATA;
    if (front.header_type == SL_HEADER_BATCH) {
        uint64_t length = sl_fbr_scalar(&front.fbr, front.header, 0, 8, 0);
        if (length > SL_MAX_ROWS)
            return SL_E_DATA;
        *rows += length;
    }
    w->at += (int64_t)(n + PREFIX) + front.body_bytes;
    return SL_OK;
}

static enum sl_status read_all(const char *path, uint64_t *rows, struct sl_err *err)
{
    struct sl_source *source;
    struct sl_reader *reader = NULL;
    struct sl_batch batch;
    SL_TRY(sl_source_open(&source, path, SL_SOURCE_AUTO, err));
    sl_batch_init(&batch);
    enum sl_status st = sl_reader_open(&reader, source, SL_READ_STRICT, err);
    while (st == SL_OK) {
        st = sl_reader_next(reader, &batch, err);
        if (st == SL_OK)
            *rows += (uint64_t)batch.n_rows;
    }
    sl_batch_release(&batch);
    sl_reader_free(reader);
    sl_source_free(source);
    return st == SL_END ? SL_OK : st;
}

enum sl_status sl_mix_file_rows(const char *path, bool whole, uint64_t *rows, struct sl_err *err)
{
    struct walk w = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
    enum sl_status st = SL_OK;
    *rows = 0;
    if (w.fd < 0)
        return sl_err_sys(err, errno, "cannot open '%s'", path);
    sl_buf_init(&w.front, SL_MAX_META_BYTES + FIRST_BYTES);
    while (st == SL_OK)
        st = step(&w, rows, err);
    close(w.fd);
    sl_buf_release(&w.front);
    if (st == SL_END)
        return SL_OK;
    if (st == SL_E_DATA) {
        *rows = 0;
        return whole ? read_all(path, rows, err) : SL_END;
    }
    sl_err_at(err, path, -1, -1);
    return st;
}

static bool is_regular(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_absent(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 && stat(path, &st) != 0;
}

enum sl_status sl_mix_sizes_check(const struct sl_mix_parts *parts, struct sl_err *err)
{
    size_t k = 0;
    for (size_t i = 0; i < parts->n; i++)
        for (int file = 0; file < parts->n_files[i]; file++, k++)
            if (!is_regular(parts->paths[k]) && !is_absent(parts->paths[k]))
                return sl_err_set(err, SL_E_USAGE,
                                  "%s is no regular file: parts by size need the sizes of all "
                                  "sources ahead",
                                  parts->shown[i]);
    return SL_OK;
}

enum sl_status sl_mix_sizes(const struct sl_mix_parts *parts, bool whole, uint64_t *sizes,
                            struct sl_err *err)
{
    size_t k = 0;
    for (size_t i = 0; i < parts->n; i++) {
        sizes[i] = 0;
        for (int file = 0; file < parts->n_files[i]; file++, k++) {
            uint64_t rows;
            if (!is_regular(parts->paths[k]))
                return SL_END;
            SL_TRY(sl_mix_file_rows(parts->paths[k], whole, &rows, err));
            sizes[i] += rows;
        }
    }
    return SL_OK;
}
