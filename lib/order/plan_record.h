/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_RECORD_H
#define SL_ORDER_PLAN_RECORD_H

/* The record of a curriculum: a folder with order.arrows, the keys of all rows in their
 * order (kind "order"), and manifest.json, which is named last.
 *
 * Errors    SL_E_USAGE where the files exist and force is not set; SL_E_SYSTEM.
 *           What is not ended leaves nothing but the folder.
 * Threads   one thread at a time. Blocks on the file system. */

#include "arrow/batch.h"
#include "base/buf.h"
#include "order/shard_folder.h"

struct sl_plan_record;

struct sl_plan_record_conf {
    const char *dir;
    bool force;
    const char *tmpdir; /* for the sources of the places */
};

/* made      borrowed: the schema of the rows; its lineage stands in order.arrows too. */
SL_MUST_USE enum sl_status sl_plan_record_new(struct sl_plan_record **out,
                                              const struct sl_plan_record_conf *conf,
                                              const struct sl_schema *made, struct sl_err *err);
void sl_plan_record_free(struct sl_plan_record *r); /* NULL allowed */

/* Which source stands at a position; told of every position, in order, before the
 * first row. */
SL_MUST_USE enum sl_status sl_plan_record_see(struct sl_plan_record *r, uint64_t position,
                                              uint32_t source, struct sl_err *err);

/* The next rows, whole as they are made. */
SL_MUST_USE enum sl_status sl_plan_record_add(struct sl_plan_record *r, const struct sl_batch *rows,
                                              struct sl_err *err);

/* End order.arrows with this lineage. digest: 32 hex digits, of its stream. */
SL_MUST_USE enum sl_status sl_plan_record_end(struct sl_plan_record *r, struct sl_str lineage,
                                              char digest[32], struct sl_err *err);
SL_MUST_USE enum sl_status sl_plan_record_commit(struct sl_plan_record *r, struct sl_str manifest,
                                                 struct sl_err *err);

#endif
