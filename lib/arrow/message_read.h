/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_MESSAGE_READ_H
#define SL_ARROW_MESSAGE_READ_H

/* Decode the metadata of a message: the Message table, then Schema or
 * RecordBatch. Nothing here trusts the bytes; all may be called before their
 * hash was checked.
 *
 * Modes     strict holds the bytes to docs/stream.md; otherwise Arrow streams
 *           of others within the profile's types pass.
 * Errors    SL_E_DATA; SL_E_SYSTEM where memory is out.
 * Lifetime  what is handed out points into the metadata.
 * Threads   one thread an object.
 * Source    docs/stream.md sections 1 to 5; Arrow's Message.fbs, Schema.fbs. */

#include "arrow/flatbuf_read.h"
#include "arrow/message_build.h"
#include "arrow/schema.h"

/* More rows than a body of SL_MAX_BODY_BYTES can hold, at one bit each. */
#define SL_MAX_ROWS ((int64_t)SL_MAX_BODY_BYTES * 8)

enum sl_header { SL_HEADER_SCHEMA = 1, SL_HEADER_DICTIONARY = 2, SL_HEADER_BATCH = 3 };

struct sl_front {
    struct sl_fbr fbr;
    struct sl_fbr_table header;
    int header_type; /* enum sl_header, or what else was there */
    int64_t body_bytes;
    /* Values of the message's custom_metadata; p is NULL where a key is absent. */
    struct sl_str hash, trailer, error;
};

/* metadata: without marker and length. body_bytes is 0 to SL_MAX_BODY_BYTES. */
SL_MUST_USE enum sl_status sl_front_parse(struct sl_front *f, struct sl_str metadata, bool strict,
                                          struct sl_err *err);

/* The sl:profile of a schema message; p is NULL where there is none. */
struct sl_str sl_front_profile(struct sl_front *f);

/* Fields and metadata into an initialised schema. */
SL_MUST_USE enum sl_status sl_front_schema(struct sl_front *f, bool strict,
                                           struct sl_schema *schema, struct sl_err *err);

/* n_nodes, n_spans  in: what the schema needs; exactly so many must be there.
 * nodes, spans      filled; spans lie in the body, nulls are at most rows (of
 *                   others also -1, "unknown"). */
struct sl_batch_parts {
    int64_t n_rows;
    bool zstd;
    uint32_t n_nodes, n_spans;
    struct sl_node *nodes;
    struct sl_span *spans;
};
SL_MUST_USE enum sl_status sl_front_batch(struct sl_front *f, bool strict,
                                          struct sl_batch_parts *parts, struct sl_err *err);

#endif
