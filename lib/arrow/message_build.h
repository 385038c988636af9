/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_MESSAGE_BUILD_H
#define SL_ARROW_MESSAGE_BUILD_H

/* Build the front of a message: marker, length, metadata with padding; what is
 * left to do is to hash it with the body and to set the digits.
 *
 * Errors    SL_E_DATA where the metadata passes its limit; SL_E_SYSTEM.
 * Threads   one thread a message.
 * Source    docs/stream.md sections 1 to 5; Arrow's Message.fbs, Schema.fbs. */

#include "arrow/flatbuf_build.h"
#include "arrow/schema.h"

struct sl_message {
    struct sl_buf front; /* valid until the next build; a multiple of 64 bytes */
    size_t digits_off;   /* in front: the 16 digits, built as zeros */
    struct sl_fbb fbb;   /* the rest is scratch */
    struct sl_buf refs;
    uint32_t digits;
};

void sl_message_init(struct sl_message *m);
void sl_message_release(struct sl_message *m);

SL_MUST_USE enum sl_status sl_message_schema(struct sl_message *m, const struct sl_schema *schema,
                                             struct sl_err *err);

struct sl_node {
    int64_t n, n_nulls;
};

struct sl_span {
    int64_t off, bytes; /* in the body */
};

/* nodes, spans  in pre-order of all fields.
 * key, value    one pair in front of the hash; key NULL: none. */
struct sl_batch_head {
    int64_t n_rows, body_bytes;
    const struct sl_node *nodes;
    const struct sl_span *spans;
    uint32_t n_nodes, n_spans;
    bool zstd;
    const char *key;
    struct sl_str value;
};

SL_MUST_USE enum sl_status sl_message_batch(struct sl_message *m, const struct sl_batch_head *head,
                                            struct sl_err *err);

/* Set the 16 digits; again with other ones if need be. */
void sl_message_set_hash(struct sl_message *m, uint64_t hash);

#endif
