/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_WORD_COUNT_H
#define SL_TOKEN_WORD_COUNT_H

/* How often each word stands, exactly, in bounded memory.
 *
 * One counter a thread; at the end they are put together. A counter that is full writes its
 * words, sorted, to a temporary file; equal words meet again in the merge of all.
 *
 * Calls     new; add, any number; then sl_word_counts_each over all counters, once; free.
 * Memory    mem_bytes a counter; a word that is longer than a 64th of it stays in memory.
 * Errors    SL_E_SYSTEM: memory, disk, or long words that are more than there is room for.
 * Threads   one thread a counter. */

#include "base/status.h"
#include "base/str.h"

#define SL_WORD_COUNTS_MIN_BYTES ((size_t)8 << 20)

struct sl_word_counts;

/* mem_bytes: less than SL_WORD_COUNTS_MIN_BYTES is taken as that. */
SL_MUST_USE enum sl_status sl_word_counts_new(struct sl_word_counts **out, size_t mem_bytes,
                                              const char *tmpdir, struct sl_err *err);
void sl_word_counts_free(struct sl_word_counts *c); /* NULL allowed */

SL_MUST_USE enum sl_status sl_word_counts_add(struct sl_word_counts *c, struct sl_str word,
                                              int64_t count, struct sl_err *err);
/* Count the pieces of a text: the first begins at from, each ends at its end. */
SL_MUST_USE enum sl_status sl_word_counts_add_pieces(struct sl_word_counts *c, struct sl_str text,
                                                     size_t from, const uint32_t *ends, size_t n,
                                                     struct sl_err *err);

struct sl_word_sink {
    enum sl_status (*word)(void *ctx, struct sl_str word, int64_t count, struct sl_err *err);
    void *ctx;
};

/* Tell each different word of n counters (1 or more) once, with its count in all; in an
 * order that depends on memory and threads. */
SL_MUST_USE enum sl_status sl_word_counts_each(struct sl_word_counts *const *counters, size_t n,
                                               const struct sl_word_sink *to, struct sl_err *err);

int64_t sl_word_counts_temp_bytes(const struct sl_word_counts *c); /* written to files */

#endif
