/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_SPLIT_STEPS_H
#define SL_TOKEN_SPLIT_STEPS_H

/* Pre-tokenizers of steps: each cuts the pieces of the one before. Private to lib/token.
 *
 * Threads   steps are const once made; a worker belongs to one thread. */

#include "token/split.h"
#include "token/split_scan.h"

struct sl_steps;
struct sl_steps_worker;

/* The scanner of a kind; NULL where it has none. */
sl_scan_fn *sl_split_scan(enum sl_split_kind kind);

/* The kind that the first *used of n steps are; *used is 0 where they are none. */
enum sl_split_kind sl_split_known(const struct sl_split_step *steps, size_t n, size_t *used);

SL_MUST_USE enum sl_status sl_steps_new(struct sl_steps **out, const struct sl_split_step *steps,
                                        size_t n, struct sl_err *err);
void sl_steps_free(struct sl_steps *s); /* NULL allowed */
SL_MUST_USE enum sl_status sl_steps_worker_new(struct sl_steps_worker **out, struct sl_err *err);
void sl_steps_worker_free(struct sl_steps_worker *w); /* NULL allowed */

/* Cut a text; the worker then holds its pieces. */
SL_MUST_USE enum sl_status sl_steps_run(const struct sl_steps *s, struct sl_steps_worker *w,
                                        struct sl_str text, struct sl_err *err);
/* The first piece that ends behind `at`. */
size_t sl_steps_find(const struct sl_steps_worker *w, size_t at);
/* Pieces from the first-th on into ask's room; returns how many. ask->removed is zero before. */
size_t sl_steps_tell(const struct sl_steps_worker *w, size_t first, const struct sl_split_ask *ask);

#endif
