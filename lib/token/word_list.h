/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_WORD_LIST_H
#define SL_TOKEN_WORD_LIST_H

/* Words and counts as text: a word a line in the characters that stand for its bytes
 * (token/byte_chars.h), a tab and its count; the most frequent first, then by bytes. They
 * are sorted by io/record_sort.h.
 *
 * Errors    SL_E_SYSTEM: memory, disk, a word longer than a 32nd of the memory.
 * Threads   one thread. */

#include "io/record_sort.h"
#include "io/sink.h"

struct sl_word_list {
    struct sl_record_sort *sort;
};

SL_MUST_USE enum sl_status sl_word_list_init(struct sl_word_list *l, size_t mem_bytes,
                                             const char *tmpdir, struct sl_err *err);
void sl_word_list_release(struct sl_word_list *l);
SL_MUST_USE enum sl_status sl_word_list_add(struct sl_word_list *l, struct sl_str word,
                                            int64_t count, struct sl_err *err);
/* Write all, once, into a sink that the caller commits. */
SL_MUST_USE enum sl_status sl_word_list_write(struct sl_word_list *l, struct sl_sink *sink,
                                              struct sl_err *err);

#endif
