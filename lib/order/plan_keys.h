/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_KEYS_H
#define SL_ORDER_PLAN_KEYS_H

/* The keys of an order that was made before, and what is known of its stages: of a
 * curriculum's record (order/plan_record.h) or of a folder of shards.
 *
 * Errors    SL_E_DATA with the file: no manifest of either kind, another version, a key
 *           of it missing or wrong, keys whose digest is not the manifest's; SL_E_SYSTEM.
 * Memory    the manifest and a batch.
 * Threads   one thread at a time. Blocks on input. */

#include "base/json.h"
#include "order/manifest.h"

/* A stage of it. */
struct sl_plan_key_stage {
    struct sl_str name;
    uint64_t begin, end, length;  /* length: of its samples, 0: that of the rows */
    const struct sl_json *placed; /* rows by source, whole numbers; NULL: not known */
};

struct sl_plan_keys {
    char *path;  /* the manifest's */
    bool shards; /* a folder of these, not a record */
    uint64_t sequences, length;
    struct sl_str tokenizer; /* its digest; "": not known */
    size_t n_stages, n_sources;
    struct sl_plan_key_stage *stages;
    struct sl_str *sources; /* names */
    struct sl_json *json;   /* the record's manifest, or the shards' lineage */
    struct sl_json *tokens; /* sl:tokenizer of shards */
    struct sl_json *placed; /* of a record's stages */
    struct sl_manifest manifest;
};

/* path  a manifest.json, or the folder that has it. keys is initialised by the call and
 *       needs a release in any case. */
SL_MUST_USE enum sl_status sl_plan_keys_open(struct sl_plan_keys *keys, const char *path,
                                             struct sl_err *err);
void sl_plan_keys_release(struct sl_plan_keys *keys);
/* The same from the text of a manifest; path is its name in messages, and where the keys lie. */
SL_MUST_USE enum sl_status sl_plan_keys_parse(struct sl_plan_keys *keys, const char *path,
                                              struct sl_str text, struct sl_err *err);

struct sl_plan_key {
    uint64_t position;
    const uint8_t *id; /* 16 bytes */
    uint16_t copy, stage;
    int source; /* number of its name among sources; -1: not known */
};

/* Read the keys of the first n positions, in order; n is at most sequences. All of a record
 * is read, and of shards those that hold such a position; digests are compared. */
SL_MUST_USE enum sl_status sl_plan_keys_read(const struct sl_plan_keys *keys, uint64_t n,
                                             enum sl_status (*each)(void *ctx,
                                                                    const struct sl_plan_key *key,
                                                                    struct sl_err *err),
                                             void *ctx, struct sl_err *err);

#endif
