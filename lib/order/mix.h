/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_MIX_H
#define SL_ORDER_MIX_H

/* A mix: which source gives the next row, so that each has its share at every moment, and
 * what happens where one has no more.
 *
 * By rows   the chairman assignment (order/assign.h): after every row each of k sources is at
 *           most 1 - 1/(2k-2) rows off its share.
 * By weight rows of unequal size (order/mix_queue.h): after every row each source is at most
 *           the weight of the heaviest row off its share of the weight.
 * After a source's share went to the others both begin anew, with counts from 0.
 * Threads   one thread at a time.
 * Source    docs/mixing.md. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "order/mixture.h"

enum sl_mix_when_empty { SL_MIX_ERROR, SL_MIX_STOP, SL_MIX_REDISTRIBUTE, SL_MIX_REPEAT };

struct sl_mix_source {
    const char *shown; /* in messages: "source 'web'" */
    uint64_t share;    /* of SL_SHARE_ONE; all sum to that */
    enum sl_mix_when_empty when_empty;
};

struct sl_mix_rules {
    size_t n; /* 1 .. SL_SHARE_MAX_SOURCES */
    const struct sl_mix_source *sources;
    uint64_t rows; /* 0: where every source that does not repeat is at its end */
    bool by_weight;
};

/* Where the rows are. */
struct sl_mix_rows {
    void *ctx;
    /* SL_OK: source i has a next row, of this weight. SL_END: it has none. */
    enum sl_status (*peek)(void *ctx, size_t i, uint64_t *weight, struct sl_err *err);
    /* After SL_END: begin it again. */
    enum sl_status (*again)(void *ctx, size_t i, struct sl_err *err);
    /* It ended and gives its share away; may be NULL. */
    void (*ended)(void *ctx, size_t i, uint64_t given, uint64_t position);
};

struct sl_mix;

/* rules and rows are borrowed and must outlive the mix. SL_E_USAGE: shares that do not sum to
 * one, or a mix without an end; SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_mix_new(struct sl_mix **out, const struct sl_mix_rules *rules,
                                      const struct sl_mix_rows *rows, struct sl_err *err);
void sl_mix_free(struct sl_mix *m); /* NULL allowed */

/* The source of the next row, which the caller takes before the next call.
 * SL_END: the mix ends here. SL_E_DATA: a source is too small, with its name and both
 * positions; what peek and again return. */
SL_MUST_USE enum sl_status sl_mix_next(struct sl_mix *m, uint32_t *source, struct sl_err *err);

/* Rows so far, of all and of a source (all its passes). */
uint64_t sl_mix_position(const struct sl_mix *m);
uint64_t sl_mix_given(const struct sl_mix *m, size_t source);

/* Run a mix by rows whose sources have so many rows each, without them: what sl_mix_next
 * would fail with is told now. No time where the sizes are plainly enough; else some 20 ns a
 * row. */
SL_MUST_USE enum sl_status sl_mix_foresee(const struct sl_mix_rules *rules, const uint64_t *sizes,
                                          struct sl_err *err);

#endif
