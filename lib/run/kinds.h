/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_RUN_KINDS_H
#define SL_RUN_KINDS_H

/* Stream kinds and their columns, from schemas/.
 *
 * Threads   const data. */

#include "arrow/schema.h"

struct sl_kind_column {
    const char *name;
    const char *type; /* alternatives separated by '|'; "[L]" stands for any size */
    bool must;
    const char *maker; /* the tool that adds it */
    const char *about;
};

/* Walk all rows: a row with kind != NULL opens a kind, the columns follow it. */
struct sl_kind_row {
    const char *kind; /* NULL on a column's row */
    struct sl_kind_column column;
};
extern const struct sl_kind_row sl_kind_rows[];
extern const int sl_n_kind_rows;

/* The name of a tool that adds a column of that name, NULL where none is known. */
const char *sl_kind_maker(const char *column);

/* A stream with this schema can be of the kind list "docs,tokens" ("*": any);
 * SL_E_DATA names the kind, column or type that is wrong, and the tool that
 * would add a missing column. */
SL_MUST_USE enum sl_status sl_kind_check(const struct sl_schema *s, const char *kinds,
                                         struct sl_err *err);

/* Columns that a tool needs are there: "text|html,url". */
SL_MUST_USE enum sl_status sl_kind_check_needs(const struct sl_schema *s, const char *needs,
                                               struct sl_err *err);

/* The name stands in the comma-separated list. */
bool sl_list_has(const char *list, struct sl_str name);

/* The next word of a separated list: false at the end. *rest is moved on. */
bool sl_list_next(struct sl_str *rest, char separator, struct sl_str *word);

#endif
