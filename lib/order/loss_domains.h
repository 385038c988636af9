/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_LOSS_DOMAINS_H
#define SL_ORDER_LOSS_DOMAINS_H

/* Weights of sources by how much worse a model is on them than a reference model.
 *
 * Memory    what max_bytes allows for the names of sources.
 * Errors    SL_E_DATA: too many sources; SL_E_SYSTEM.
 * Threads   one thread at a time.
 * Source    DoReMi's update of domain weights, as docs/reweighting.md has it, "Weights of
 *           sources". */

#include "arrow/batch.h"
#include "base/buf.h"
#include "order/loss_columns.h"

struct sl_loss_domains;

SL_MUST_USE enum sl_status sl_loss_domains_new(struct sl_loss_domains **out, uint64_t max_bytes,
                                               struct sl_err *err);
void sl_loss_domains_free(struct sl_loss_domains *d); /* NULL allowed */

/* Count a row by the column `source` (NULL: all are of none). */
SL_MUST_USE enum sl_status sl_loss_domains_add(struct sl_loss_domains *d,
                                               const struct sl_column *source, int64_t row,
                                               const struct sl_loss_values *v, struct sl_err *err);

/* The weights, appended to out as JSON lines, one a source; once, behind the last row. */
SL_MUST_USE enum sl_status sl_loss_domains_text(struct sl_loss_domains *d, double eta,
                                                struct sl_buf *out, struct sl_err *err);
/* The same to a file. */
SL_MUST_USE enum sl_status sl_loss_domains_write(struct sl_loss_domains *d, double eta,
                                                 const char *path, bool force, struct sl_err *err);

#endif
