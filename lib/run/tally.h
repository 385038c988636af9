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

enum { SL_MAX_REASONS = 64, SL_MAX_COUNTS = 64, SL_TEXT_BINS = 65 };

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
};

void sl_tally_init(struct sl_tally *t);

/* into += from. */
void sl_tally_add(struct sl_tally *into, const struct sl_tally *from);

/* Count rows of an id column; ids NULL: rows alone. */
void sl_port_add(struct sl_port *p, const struct sl_column *ids, int64_t n_rows);
void sl_port_add_row(struct sl_port *p, const struct sl_column *ids, int64_t row);

/* Count the lengths of a text column into the histogram. */
void sl_tally_add_text(struct sl_tally *t, const struct sl_column *text);

/* in = out + rejected in rows and ids: SL_E_BUG where it does not hold. */
SL_MUST_USE enum sl_status sl_tally_check(const struct sl_tally *t, struct sl_err *err);

/* As JSON; names are the tool's reasons and counts, ended by NULL, may be NULL. */
struct sl_json *sl_tally_json(const struct sl_tally *t, const char *const *reasons,
                              const char *const *counts);

#endif
