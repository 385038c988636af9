/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_IO_RECORD_SORT_H
#define SL_IO_RECORD_SORT_H

/* External sort of records, which are strings of bytes: by memcmp, then the
 * shorter first. Whoever sorts by a key puts it in front and the payload behind.
 *
 * What fits in the memory given is sorted there. The rest becomes sorted runs in
 * unnamed temporary files (zstd, a checksum for every block), which are merged,
 * in several passes where there are many. The order is total, so that the memory
 * given never changes what comes out.
 *
 * Calls     new; add or add_ordered, any number; end; next up to SL_END; rewind
 *           and next again where that is wanted; free.
 * Memory    buffers of at most mem_bytes in all, those of zstd included.
 * Time      linear in the records' first 40 bytes, n log n comparisons for what is
 *           equal beyond. Records of 40 bytes: 12 million a CPU second in memory, 3
 *           to 4 through a file (tests/bench/bench_records.c).
 * Errors    SL_E_SYSTEM: memory, disk; SL_E_DATA: a temporary file was damaged.
 *           After an error only free is allowed.
 * Threads   one thread an object. */

#include "base/status.h"
#include "base/str.h"

#define SL_RECORD_SORT_MIN_BYTES ((size_t)2 << 20)

struct sl_record_sort;

/* mem_bytes: at least SL_RECORD_SORT_MIN_BYTES, else SL_E_USAGE. Nearly nothing
 * is taken before the first record. tmpdir: folder of the temporary files; it is
 * used when memory is full and not before. */
SL_MUST_USE enum sl_status sl_record_sort_new(struct sl_record_sort **out, size_t mem_bytes,
                                              const char *tmpdir, struct sl_err *err);
void sl_record_sort_free(struct sl_record_sort *s); /* NULL allowed */

/* Add a record; it is copied. SL_E_SYSTEM: longer than a 32nd of the memory. */
SL_MUST_USE enum sl_status sl_record_sort_add(struct sl_record_sort *s, struct sl_str record,
                                              struct sl_err *err);

/* Add a record that is not below any that was added by this call before: such
 * records go to a temporary file at once and take no memory but a block's. To be
 * called before the first sl_record_sort_add. SL_E_BUG where the order is wrong. */
SL_MUST_USE enum sl_status sl_record_sort_add_ordered(struct sl_record_sort *s,
                                                      struct sl_str record, struct sl_err *err);

/* All records are added. */
SL_MUST_USE enum sl_status sl_record_sort_end(struct sl_record_sort *s, struct sl_err *err);

/* The next record in order; it is valid until the next call. SL_END after the last. */
SL_MUST_USE enum sl_status sl_record_sort_next(struct sl_record_sort *s, struct sl_str *record,
                                               struct sl_err *err);

/* After end: begin again with the first record. */
SL_MUST_USE enum sl_status sl_record_sort_rewind(struct sl_record_sort *s, struct sl_err *err);

/* Records added; bytes written to temporary files, for reports. */
int64_t sl_record_sort_count(const struct sl_record_sort *s);
int64_t sl_record_sort_temp_bytes(const struct sl_record_sort *s);

#endif
