/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_MIX_SIZE_H
#define SL_ORDER_MIX_SIZE_H

/* How many rows a file of ours holds, before they are read.
 *
 * What      the fronts of its messages alone are looked at, and the bodies left out, so that
 *           it takes one small read a batch; a compressed file is read whole. What is found is
 *           no proof: damage is found when the rows are read, and whoever relies on the number
 *           compares it then.
 * Threads   pure. */

#include "order/mix_parts.h"

/* Of one file. whole: read what is compressed or damaged; else SL_END says that it is. SL_E_DATA:
 * no stream of ours, or cut; SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_mix_file_rows(const char *path, bool whole, uint64_t *rows,
                                            struct sl_err *err);

/* Of every source. whole as above; SL_END: one of them is not known ahead. */
SL_MUST_USE enum sl_status sl_mix_sizes(const struct sl_mix_parts *parts, bool whole,
                                        uint64_t *sizes, struct sl_err *err);

/* SL_E_USAGE: a source is no regular file. One that is absent is left to who opens it. */
SL_MUST_USE enum sl_status sl_mix_sizes_check(const struct sl_mix_parts *parts, struct sl_err *err);

#endif
