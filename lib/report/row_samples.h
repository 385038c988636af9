/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_REPORT_ROW_SAMPLES_H
#define SL_REPORT_ROW_SAMPLES_H

/* Some rows of a stream, to look at: those whose hashes are the smallest, so that
 * the same rows are shown whatever their order. Of a stream of rejects so many of
 * each reason.
 *
 * Text      the column text, else raw, else html, its first SL_SAMPLE_CHARS
 *           characters as valid UTF-8.
 * Memory    SL_SAMPLE_GROUPS groups of at most SL_SAMPLES_MAX rows of a few KiB
 *           each; rows of more reasons are only counted.
 * Threads   one thread at a time. */

#include "arrow/batch.h"

enum {
    SL_SAMPLE_CHARS = 600,
    SL_SAMPLES_MAX = 100,
    SL_SAMPLE_GROUPS = 256,
    SL_SAMPLE_COLUMNS = 24
};

/* A piece of a sample's bytes. */
struct sl_span {
    uint32_t off, n;
};

struct sl_sample {
    uint64_t hash;
    struct sl_buf bytes; /* what the spans are of; valid UTF-8 */
    uint32_t n_columns;
    struct sl_sample_column {
        struct sl_span name, value;
    } columns[SL_SAMPLE_COLUMNS]; /* url, title and reject_detail first */
    struct sl_span text;
    bool has_text;
    bool cut; /* the text goes on */
};

struct sl_sample_group {
    char name[64]; /* the reason; "" where there are none */
    int64_t rows;
    int n;
    struct sl_sample *rows_of; /* sorted by hash, smallest first */
};

struct sl_samples {
    int per_group;
    uint64_t row_seed;
    int n_groups;
    struct sl_sample_group *groups;
    int64_t rows, rows_elsewhere; /* of all, of reasons over the maximum */
};

/* per_group: from 0 to SL_SAMPLES_MAX. */
void sl_samples_init(struct sl_samples *s, int per_group, uint64_t row_seed);
void sl_samples_release(struct sl_samples *s);

SL_MUST_USE enum sl_status sl_samples_add(struct sl_samples *s, const struct sl_batch *b,
                                          struct sl_err *err);

/* A piece of a sample, valid while the sample is. */
static inline struct sl_str sl_sample_str(const struct sl_sample *s, struct sl_span span)
{
    return (struct sl_str){ (const char *)s->bytes.p + span.off, span.n };
}

#endif
