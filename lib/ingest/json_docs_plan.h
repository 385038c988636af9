/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_INGEST_JSON_DOCS_PLAN_H
#define SL_INGEST_JSON_DOCS_PLAN_H

/* Which fields of a line are wanted, and what for: --map and --columns made one
 * table, sorted by the fields' names. Private to json_docs.
 *
 * Threads   const once it was made. */

#include "arrow/schema.h"
#include "ingest/json_docs.h"

/* What a field is for. All but TYPED stand once at most. */
enum sl_json_role {
    SL_JSON_ROLE_TEXT,
    SL_JSON_ROLE_HTML,
    SL_JSON_ROLE_URL,
    SL_JSON_ROLE_ID,
    SL_JSON_ROLE_DATE,
    SL_JSON_ROLE_SOURCE,
    SL_JSON_ROLE_SOURCE_ID, /* id_hex alone; otherwise the id fills the column */
    SL_JSON_ROLE_TYPED,
    SL_JSON_N_ROLES
};

struct sl_json_slot {
    struct sl_str field; /* the name in the line */
    enum sl_json_role role;
    int column; /* in the schema */
};

struct sl_json_plan {
    struct sl_schema schema;
    struct sl_json_slot *slots; /* by field */
    int n_slots;
    uint64_t lengths;               /* bit n % 64: there is a field whose name has n bytes */
    int role_slot[SL_JSON_N_ROLES]; /* -1: none */
    /* Columns, -1 where they are not there. */
    int id, source_id, source, offset, json;
};

/* SL_E_USAGE where map or columns is wrong. */
SL_MUST_USE enum sl_status sl_json_plan_make(struct sl_json_plan *p,
                                             const struct sl_json_docs_options *options,
                                             struct sl_err *err);
void sl_json_plan_release(struct sl_json_plan *p);

/* The slot of a field, -1 where there is none. */
int sl_json_plan_find(const struct sl_json_plan *p, struct sl_str field);

#endif
