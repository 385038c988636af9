/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_INGEST_LOSS_READ_H
#define SL_INGEST_LOSS_READ_H

/* The losses that a trainer measured, one of a sequence a row: lines of JSON, or an
 * Arrow stream of anyone, both also in gzip and zstd; found by the first bytes.
 *
 * Input     id, copy, loss and step, as docs/reweighting.md has them; other members
 *           and columns are passed over. Any bytes: everything is checked.
 * Memory    a window of lines of at most SL_LOSS_LINE_MAX bytes, or one batch.
 * Errors    SL_E_DATA with the file and the line (JSON) or row (Arrow), from 1;
 *           SL_E_SYSTEM. After an error only free is allowed.
 * Threads   one thread a reader. Blocks on input. */

#include "base/hash.h"
#include "io/source.h"

enum { SL_LOSS_LINE_MAX = 64 << 10 };

#define SL_LOSS_NO_STEP INT64_MIN

struct sl_loss {
    struct sl_hash128 id;
    uint16_t copy;  /* 0 where it is absent or null */
    double loss;    /* finite, from 0 to the greatest float32 */
    int64_t step;   /* SL_LOSS_NO_STEP where it is absent or null */
    int64_t number; /* of the line or row, from 1 */
};

struct sl_loss_reader;

SL_MUST_USE enum sl_status sl_loss_reader_open(struct sl_loss_reader **out, const char *path,
                                               struct sl_err *err);
/* The source becomes the reader's, also on failure. */
SL_MUST_USE enum sl_status sl_loss_reader_open_source(struct sl_loss_reader **out,
                                                      struct sl_source *source, struct sl_err *err);
void sl_loss_reader_free(struct sl_loss_reader *r); /* NULL allowed */

/* SL_END behind the last one. */
SL_MUST_USE enum sl_status sl_loss_reader_next(struct sl_loss_reader *r, struct sl_loss *loss,
                                               struct sl_err *err);

#endif
