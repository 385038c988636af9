/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_INGEST_LINES_H
#define SL_INGEST_LINES_H

/* The lines of a source, one after another, with number and offset.
 *
 * A line ends at LF or CR LF, which do not belong to it, or at the end of the
 * input. A line longer than the limit is passed over without being held: its
 * first bytes are lent and `cut` says so.
 *
 * Memory    that of the source's window: at most twice the limit.
 * Threads   one thread at a time. Blocks on input. */

#include "io/source.h"

struct sl_lines {
    struct sl_source *source; /* borrowed */
    size_t max_bytes;         /* of a line; at most SL_SOURCE_PEEK_MAX / 2 */
    int64_t number;           /* of the last line lent, from 1 */
    size_t held;              /* bytes to be consumed before the next line */
    bool skip;                /* the rest of a long line comes first */
};

struct sl_line {
    struct sl_str text; /* valid until the next call */
    int64_t off;        /* where it begins in the decompressed bytes */
    int64_t number;     /* from 1 */
    bool cut;           /* longer than the limit: text is its beginning */
};

enum { SL_LINE_CUT_BYTES = 64 << 10 }; /* of a long line as much is lent */

void sl_lines_init(struct sl_lines *l, struct sl_source *source, size_t max_bytes);

/* SL_END behind the last line; the source's errors, which come after the lines
 * that were whole before them. */
SL_MUST_USE enum sl_status sl_lines_next(struct sl_lines *l, struct sl_line *line,
                                         struct sl_err *err);

#endif
