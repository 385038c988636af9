/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_REPORT_STAGES_H
#define SL_REPORT_STAGES_H

/* The stages of a lineage in one list, those of joined inputs before the stage
 * that joined them; and what the report's headline says of them. Branches that
 * began as one run, as a sample and the rest of it, have the same first stages:
 * these stand in the list once, with the first of the branches.
 *
 * Input     any JSON: what is missing or of another type counts as 0 or empty,
 *           numbers are cut to what a tally may hold (0 to 2^60).
 * Ownership a stage points into the lineage, which must outlive it.
 * Threads   one thread a list. */

#include "base/json.h"

/* Is what this lineage says of itself so? SL_E_DATA says what is not. */
typedef enum sl_status sl_law_check(const struct sl_json *lineage, struct sl_err *err);

struct sl_stage {
    const struct sl_json *json, *tally;
    const struct sl_json *report; /* of --report, where one is of this run; else NULL */
    struct sl_str tool, version;
    int depth;              /* 0: the main line; n: inside of n joins */
    int number;             /* in its array, from 1 */
    int branch, n_branches; /* of a join, from 1; 0 on the main line */
    bool begins;            /* the first stage of its branch in the list */
    struct sl_str follows;  /* where begins: the stage of an earlier branch before it */
    int64_t in, out, rejected;
    bool packed; /* what comes in are sequences */
    bool packs;  /* documents in, sequences out */
    bool law_ok;
    char why[320]; /* what is wrong, where it is not */
};

struct sl_stages {
    struct sl_stage *s;
    int n, cap;
};

/* chained: each stage's in must be the out of the one before. */
SL_MUST_USE enum sl_status sl_stages_of(struct sl_stages *out, const struct sl_json *lineage,
                                        sl_law_check *law, bool chained, struct sl_err *err);
void sl_stages_release(struct sl_stages *s);

/* The first numbers of a report; -1: unknown. */
struct sl_glance {
    int64_t docs_in, kept, dropped, tokens, sequences;
};
struct sl_glance sl_stages_glance(const struct sl_stages *s);

/* An integer of an object, 0 to 2^60; 0 where there is none. */
int64_t sl_count_of(const struct sl_json *object, const char *key);
/* rows of a port of a tally. */
int64_t sl_rows_of(const struct sl_json *tally, const char *port);

/* Is every stage of a also one of the first of b, or of what was joined in b? */
bool sl_lineage_holds(const struct sl_json *b, const struct sl_json *a);

#endif
