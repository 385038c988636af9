/* SPDX-License-Identifier: Apache-2.0 */
/* Rows counted by the fronts of messages alone: any bytes end, and of a stream that the strict
 * reader takes the number is that of the reader. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arrow/reader.h"
#include "order/mix_size.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum sl_status read_rows(const uint8_t *data, size_t n, uint64_t *rows)
{
    struct sl_source *source;
    struct sl_reader *reader = NULL;
    struct sl_batch batch;
    struct sl_str bytes = { (const char *)data, n };
    enum sl_status st = sl_source_open_mem(&source, bytes, "fuzz", SL_SOURCE_AUTO, NULL);
    sl_batch_init(&batch);
    *rows = 0;
    if (st == SL_OK)
        st = sl_reader_open(&reader, source, SL_READ_STRICT, NULL);
    while (st == SL_OK) {
        st = sl_reader_next(reader, &batch, NULL);
        *rows += st == SL_OK ? (uint64_t)batch.n_rows : 0;
    }
    sl_batch_release(&batch);
    sl_reader_free(reader);
    sl_source_free(source);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static int fd = -1;
    char path[64];
    uint64_t rows, whole;
    if (fd < 0 && (fd = memfd_create("fuzz", 0)) < 0)
        abort();
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, n, 0) != (ssize_t)n)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    enum sl_status ahead = sl_mix_file_rows(path, false, &rows, NULL);
    if (read_rows(data, n, &whole) == SL_END && ahead == SL_OK && rows != whole)
        abort();
    return 0;
}
