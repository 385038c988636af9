/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_MIX_QUEUE_H
#define SL_ORDER_MIX_QUEUE_H

/* Which of several sources gives the next row, where rows have weights (tokens, bytes) and
 * shares are of the weight: worst-case fair weighted fair queueing.
 *
 * Rule      with W the weight given so far, W_i that of source i, s_i its share and w_i the
 *           weight of its next row: of the sources with W_i <= s_i W the one with the least
 *           (W_i + w_i) / s_i gives, of equal ones the first.
 * Bound     after every row, W_i - s_i W <= (1 - s_i) times the heaviest row of source i, and
 *           s_i W - W_i <= the heaviest row of all.
 * Time      O(log n) a row, in whole numbers: exact.
 * Threads   one thread at a time.
 * Source    docs/mixing.md; J. C. R. Bennett, H. Zhang, WF2Q: worst-case fair weighted fair
 *           queueing, INFOCOM 1996. */

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct sl_mix_queue;

/* shares: n of them, of SL_SHARE_ONE, that sum to it; borrowed. W is 0. SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_mix_queue_new(struct sl_mix_queue **out, const uint64_t *shares,
                                            size_t n, struct sl_err *err);
void sl_mix_queue_free(struct sl_mix_queue *q); /* NULL allowed */

/* Source i, which has a share and is not in the queue, has a next row of this weight.
 * SL_E_DATA: more than 2^60 in all. */
SL_MUST_USE enum sl_status sl_mix_queue_push(struct sl_mix_queue *q, size_t i, uint64_t weight,
                                             struct sl_err *err);

/* The source that gives next: it is out, and its weight counts as given. All sources that have
 * a share are in the queue. */
uint32_t sl_mix_queue_pop(struct sl_mix_queue *q);

#endif
