/* SPDX-License-Identifier: Apache-2.0 */
/* A record is what is left of the count to the largest number there is, in 8 bytes from
 * the highest, then the word: sorted by bytes that is the order wanted. */
#include "token/word_list.h"

#include "token/byte_chars.h"

enum { COUNT_BYTES = 8 };
#define LINE_MAX_BYTES ((size_t)1 << 33)

enum sl_status sl_word_list_init(struct sl_word_list *l, size_t mem_bytes, const char *tmpdir,
                                 struct sl_err *err)
{
    if (mem_bytes < SL_RECORD_SORT_MIN_BYTES)
        mem_bytes = SL_RECORD_SORT_MIN_BYTES;
    l->sort = NULL;
    return sl_record_sort_new(&l->sort, mem_bytes, tmpdir, err);
}

void sl_word_list_release(struct sl_word_list *l)
{
    sl_record_sort_free(l->sort);
    l->sort = NULL;
}

enum sl_status sl_word_list_add(struct sl_word_list *l, struct sl_str word, int64_t count,
                                struct sl_err *err)
{
    uint64_t left = UINT64_MAX - (uint64_t)count;
    uint8_t key[COUNT_BYTES];
    struct sl_buf record;
    sl_buf_init(&record, word.n + COUNT_BYTES);
    for (int i = 0; i < COUNT_BYTES; i++)
        key[i] = (uint8_t)(left >> (56 - 8 * i));
    enum sl_status st = sl_buf_add(&record, key, sizeof key, err);
    if (st == SL_OK)
        st = sl_buf_add_str(&record, word, err);
    if (st == SL_OK)
        st = sl_record_sort_add(l->sort, sl_buf_str(&record), err);
    sl_buf_release(&record);
    return st;
}

static enum sl_status write_line(struct sl_sink *sink, struct sl_str record, struct sl_buf *line,
                                 struct sl_err *err)
{
    uint64_t left = 0;
    for (int i = 0; i < COUNT_BYTES; i++)
        left = left << 8 | (uint8_t)record.p[i];
    struct sl_str word = { record.p + COUNT_BYTES, record.n - COUNT_BYTES };
    sl_buf_reset(line);
    SL_TRY(sl_byte_chars_add(line, word, err));
    SL_TRY(sl_buf_addf(line, err, "\t%llu\n", (unsigned long long)(UINT64_MAX - left)));
    return sl_sink_write(sink, line->p, line->n, err);
}

enum sl_status sl_word_list_write(struct sl_word_list *l, struct sl_sink *sink, struct sl_err *err)
{
    struct sl_buf line;
    sl_buf_init(&line, LINE_MAX_BYTES);
    enum sl_status st = sl_record_sort_end(l->sort, err);
    for (struct sl_str record; st == SL_OK;) {
        st = sl_record_sort_next(l->sort, &record, err);
        if (st == SL_OK)
            st = write_line(sink, record, &line, err);
    }
    sl_buf_release(&line);
    return st == SL_END ? SL_OK : st;
}
