/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_FLATBUF_BUILD_H
#define SL_ARROW_FLATBUF_BUILD_H

/* Build a FlatBuffers buffer, back to front: what is referred to comes first.
 *
 * A position is the distance of a thing from the buffer's end; it stays right
 * while the buffer grows. Position 0 is none.
 *
 * Errors    sticky: after the first one all calls do nothing and return 0, and
 *           sl_fbb_finish reports it. Only one table is open at a time.
 * Threads   one thread a builder.
 * Source    the FlatBuffers internals page. */

#include "base/status.h"
#include "base/str.h"

enum { SL_FBB_SLOTS = 8 };

struct sl_fbb {
    uint8_t *mem; /* cap bytes; the last len are used */
    size_t cap, len, max;
    uint32_t slots[SL_FBB_SLOTS]; /* of the open table: positions, 0 where absent */
    size_t table_start;
    enum sl_status status;
};

/* No memory is taken. max: most bytes that may be built. */
void sl_fbb_init(struct sl_fbb *b, size_t max);
void sl_fbb_release(struct sl_fbb *b);
void sl_fbb_reset(struct sl_fbb *b); /* memory is kept */

uint32_t sl_fbb_string(struct sl_fbb *b, struct sl_str s);
/* A vector of count references to the positions given. */
uint32_t sl_fbb_refs(struct sl_fbb *b, const uint32_t *positions, size_t count);
/* A vector of count structs of bytes each, aligned to 8. */
uint32_t sl_fbb_structs(struct sl_fbb *b, const void *p, size_t count, size_t bytes);

void sl_fbb_begin(struct sl_fbb *b);
/* Scalars of 1, 2, 4 or 8 bytes; written even where they are the default. */
void sl_fbb_scalar(struct sl_fbb *b, unsigned slot, uint64_t v, unsigned bytes);
void sl_fbb_ref(struct sl_fbb *b, unsigned slot, uint32_t position);
uint32_t sl_fbb_end(struct sl_fbb *b);

/* Put the root's reference in front. *out is a multiple of 8 bytes and lives
 * until the next call. SL_E_DATA where max was passed, SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_fbb_finish(struct sl_fbb *b, uint32_t root, struct sl_str *out,
                                         struct sl_err *err);

#endif
