/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_RUN_TALLY_H
#define SL_RUN_TALLY_H

/* Tallies: the integers that a stage leaves in the trailer.
 *
 * Each worker has its own; they are summed in the end, so the numbers do not
 * depend on threads.
 * Threads   one thread at a time.
 * Source    docs/stream.md section 6. */

#include "arrow/batch.h"
#include "base/hash.h"
#include "base/json.h"

enum { SL_MAX_REASONS = 256, SL_MAX_COUNTS = 256, SL_TEXT_BINS = 65 };
enum { SL_MAX_HISTS = 32, SL_HIST_BINS = 64 };

/* The histogram of a score: SL_HIST_BINS bins of equal width over [from / per,
 * to / per); what is outside counts in the first or the last bin. */
struct sl_hist {
    const char *name;
    int64_t from, to, per;
};

/* What a tool's tally counts, by name; each ended by a NULL name, may be NULL. */
struct sl_tally_names {
    const char *const *reasons;
    const char *const *counts;
    const struct sl_hist *hists;
};

struct sl_port {
    int64_t rows;
    struct sl_hash128 ids; /* sum of the ids modulo 2^128 */
};

struct sl_tally {
    const char *law; /* NULL: rows; "source", "tokens", "multiply" */
    struct sl_port in, out, rejected;
    struct sl_port begun, empty; /* law "tokens" */
    int64_t reasons[SL_MAX_REASONS];
    int64_t counts[SL_MAX_COUNTS];
    bool has_text; /* text_bytes was filled */
    int64_t text_bytes[SL_TEXT_BINS];
    int64_t hists[SL_MAX_HISTS][SL_HIST_BINS];
};

void sl_tally_init(struct sl_tally *t);

/* into += from. */
void sl_tally_add(struct sl_tally *into, const struct sl_tally *from);

/* Count rows of an id column; ids NULL: rows alone. */
void sl_port_add(struct sl_port *p, const struct sl_column *ids, int64_t n_rows);
void sl_port_add_row(struct sl_port *p, const struct sl_column *ids, int64_t row);

/* Count the lengths of a text column into the histogram. */
void sl_tally_add_text(struct sl_tally *t, const struct sl_column *text);

/* Count a value, which is no NaN, into histogram k, which hist declares. */
void sl_tally_add_score(struct sl_tally *t, int k, const struct sl_hist *hist, double value);

/* in = out + rejected in rows and ids: SL_E_BUG where it does not hold. */
SL_MUST_USE enum sl_status sl_tally_check(const struct sl_tally *t, struct sl_err *err);

struct sl_json *sl_tally_json(const struct sl_tally *t, const struct sl_tally_names *names);

#endif
