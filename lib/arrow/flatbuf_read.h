/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_FLATBUF_READ_H
#define SL_ARROW_FLATBUF_READ_H

/* Read a FlatBuffers buffer that nobody vouches for.
 *
 * Every access is checked against the buffer and against the table it belongs
 * to; alignment is not assumed. An absent field gives its default, an absent
 * table or string a zero one.
 *
 * Errors    sticky: bad becomes true at the first reference, table or vector
 *           that does not fit, and everything read from there is absent. Ask
 *           for it before the results are used.
 * Time      constant a call. References may share their targets, so whoever
 *           follows them to any depth must bound what it visits.
 * Lifetime  strings point into the buffer.
 * Threads   one thread a reader.
 * Source    the FlatBuffers internals page. */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct sl_fbr {
    const uint8_t *p;
    uint32_t n;
    bool bad;
};

struct sl_fbr_table {
    uint32_t at; /* 0: absent */
    uint32_t bytes;
    uint32_t vtable, vtable_bytes;
};

struct sl_fbr_vector {
    uint32_t at; /* of the first element; 0: absent */
    uint32_t n;  /* elements */
};

void sl_fbr_init(struct sl_fbr *r, struct sl_str bytes);
struct sl_fbr_table sl_fbr_root(struct sl_fbr *r);

/* A scalar of 1, 2, 4 or 8 bytes, zero-extended. */
uint64_t sl_fbr_scalar(struct sl_fbr *r, struct sl_fbr_table t, unsigned slot, unsigned bytes,
                       uint64_t otherwise);
bool sl_fbr_has(const struct sl_fbr *r, struct sl_fbr_table t, unsigned slot);
struct sl_fbr_table sl_fbr_table(struct sl_fbr *r, struct sl_fbr_table t, unsigned slot);
struct sl_str sl_fbr_string(struct sl_fbr *r, struct sl_fbr_table t, unsigned slot);

/* A vector of elements of so many bytes; all of them are inside the buffer. */
struct sl_fbr_vector sl_fbr_vector(struct sl_fbr *r, struct sl_fbr_table t, unsigned slot,
                                   unsigned element_bytes);
/* Element i (below n) of a vector of tables. */
struct sl_fbr_table sl_fbr_table_at(struct sl_fbr *r, struct sl_fbr_vector v, uint32_t i);
/* Eight bytes at an offset of element i (below n) of a vector of structs. */
int64_t sl_fbr_i64_at(const struct sl_fbr *r, struct sl_fbr_vector v, uint32_t i, unsigned bytes,
                      unsigned off);

#endif
