/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_ENTRY_SORT_H
#define SL_ORDER_ENTRY_SORT_H

/* Sort records by their keys, in memory.
 *
 * A record is the length of its key (4 bytes), anything of 4 bytes, the key, and
 * whatever follows; at least 8 bytes behind the key may be read. No key is the
 * beginning of another one (order/row_key.h).
 *
 * Threads   pure. */

#include <stddef.h>
#include <stdint.h>

#include "base/num.h"

enum { SL_RECORD_HEAD = 8 };

struct sl_entry {
    uint64_t word; /* sl_record_word(record, 0) */
    const uint8_t *record;
};

static inline size_t sl_record_key_bytes(const uint8_t *record)
{
    return sl_load32(record);
}

static inline const uint8_t *sl_record_key(const uint8_t *record)
{
    return record + SL_RECORD_HEAD;
}

/* Bytes [depth, depth + 8) of the key as a number that orders as they do; zeros
 * behind the key's end. */
static inline uint64_t sl_record_word(const uint8_t *record, size_t depth)
{
    size_t n = sl_record_key_bytes(record);
    if (depth >= n)
        return 0;
    uint64_t word = __builtin_bswap64(sl_load64(sl_record_key(record) + depth));
    return n - depth < 8 ? word & (~UINT64_C(0) << (8 * (8 - (n - depth)))) : word;
}

/* memcmp's sign of the keys from depth on. */
int sl_record_compare(const uint8_t *a, const uint8_t *b, size_t depth);

/* Sort n entries; equal keys keep their order. spare has room for n more. */
void sl_entries_sort(struct sl_entry *e, struct sl_entry *spare, size_t n);

#endif
