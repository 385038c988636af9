/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_WEB_WARC_AHEAD_H
#define SL_WEB_WARC_AHEAD_H

/* A WARC reader that can be asked what the first page is before it is read:
 * response or conversion, which decides a stream's columns.
 *
 * Looking ahead keeps at most SL_AHEAD_LOSSES_MAX losses and no other record:
 * those of other types before the first page are only counted.
 *
 * Threads   one thread. Blocks on input. */

#include "base/arena.h"
#include "web/warc.h"

#define SL_AHEAD_LOSSES_MAX 64

struct sl_warc_ahead {
    struct sl_source *source;
    struct sl_warc_reader *reader;
    struct sl_warc_record first; /* the page that was found, until it is read */
    bool has_first;
    struct sl_warc_record losses[SL_AHEAD_LOSSES_MAX]; /* those before it */
    int n_losses, n_told;
    int64_t n_passed; /* records of other types that looking ahead passed over */
    struct sl_arena kept;
};

/* May a record of that type be a page: response, resource, revisit, conversion. */
bool sl_warc_is_page(enum sl_warc_type t);

/* Open a path ("-": standard input). max_record_bytes as for sl_warc_new. */
SL_MUST_USE enum sl_status sl_warc_ahead_open(struct sl_warc_ahead *a, const char *path,
                                              size_t max_record_bytes, struct sl_err *err);
/* Safe on a zeroed struct, and twice. */
void sl_warc_ahead_close(struct sl_warc_ahead *a);

/* Look for the first page (response, resource, revisit or conversion).
 * wet is set to true where it is a conversion, else to false, also where there
 * is none. */
SL_MUST_USE enum sl_status sl_warc_ahead_sort(struct sl_warc_ahead *a, bool *wet,
                                              struct sl_err *err);

/* As sl_warc_next: what looking ahead found comes first. */
SL_MUST_USE enum sl_status sl_warc_ahead_next(struct sl_warc_ahead *a, struct sl_warc_record *rec,
                                              struct sl_err *err);

#endif
