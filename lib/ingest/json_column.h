/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_INGEST_JSON_COLUMN_H
#define SL_INGEST_JSON_COLUMN_H

/* JSON values into columns: the way back from what sluice-export writes.
 *
 *   integers      a number without exponent, whose fraction is zero, in range
 *   floats        a number that the type can hold, rounded to nearest
 *   bool          true, false
 *   utf8          a string
 *   binary        a string, base64 with padding (RFC 4648 section 4)
 *   fixed_size_binary  a string of hex digits
 *   timestamp     a string (text/iso_date.h) or a number, seconds since 1970
 *   list, fixed_size_list, struct  an array, one of that length, an object;
 *                 a member that is absent is null
 *
 * A null goes where the field is nullable.
 *
 * Threads   a writer belongs to one thread. */

#include "arrow/rows.h"
#include "text/json_scan.h"

enum sl_json_fit {
    SL_JSON_FITS,
    SL_JSON_MISSING,    /* a null where none may be */
    SL_JSON_WRONG_TYPE, /* a string for a number, a member that the struct has not */
    SL_JSON_BAD_VALUE   /* of the right type, but the column cannot hold it */
};

struct sl_json_writer {
    struct sl_buf text;  /* characters of the string in hand */
    struct sl_buf parts; /* members of the structs in hand */
    uint64_t n_replaced; /* lone surrogates, added to */
    enum sl_json_fit fit;
};

/* max_bytes: of one string. */
void sl_json_writer_init(struct sl_json_writer *w, size_t max_bytes);
void sl_json_writer_release(struct sl_json_writer *w);

/* Would the value fit? It comes from a scan that accepted it. *fit is the answer;
 * errors are of memory alone. */
SL_MUST_USE enum sl_status sl_json_column_check(struct sl_json_writer *w, const struct sl_field *f,
                                                const struct sl_json_piece *v,
                                                enum sl_json_fit *fit, struct sl_err *err);
/* Add a value that fits as one row; another one is SL_E_BUG, and the column is
 * then of no more use. */
SL_MUST_USE enum sl_status sl_json_column_add(struct sl_json_writer *w, struct sl_colbuf *c,
                                              const struct sl_json_piece *v, struct sl_err *err);

#endif
