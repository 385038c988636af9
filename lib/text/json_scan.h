/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TEXT_JSON_SCAN_H
#define SL_TEXT_JSON_SCAN_H

/* A strict JSON scanner (RFC 8259) over a text in memory, made for lines of
 * JSON: it builds nothing, but lends the pieces of the text, each checked.
 *
 *     sl_json_scan_init(&s, line);
 *     if (sl_json_scan_open(&s, '{'))
 *         while ((step = sl_json_scan_member(&s, &key, &value)) == SL_JSON_STEP_ONE)
 *             ...
 *     fine = step == SL_JSON_STEP_END && sl_json_scan_end(&s);
 *
 * Input     any bytes. The caller answers for UTF-8: sl_utf8_valid before, or
 *           sl_utf8_repair; bytes over 0x7f are only accepted in strings.
 * Limits    nesting of 1,024; linear time, no memory.
 * Errors    the first one is sticky: s.wrong says what, s.at is where.
 * Lifetime  pieces point into the text.
 * Threads   one thread a scan. */

#include <stdbool.h>

#include "base/buf.h"

enum { SL_JSON_SCAN_DEPTH = 1024 };

enum sl_json_piece_kind {
    SL_JSON_PIECE_STRING,
    SL_JSON_PIECE_NUMBER,
    SL_JSON_PIECE_TRUE,
    SL_JSON_PIECE_FALSE,
    SL_JSON_PIECE_NULL,
    SL_JSON_PIECE_ARRAY,
    SL_JSON_PIECE_OBJECT
};

struct sl_json_piece {
    enum sl_json_piece_kind kind;
    bool escaped;      /* a string with a backslash in it */
    struct sl_str raw; /* as it stands in the text; of a string what is between the quotes */
};

struct sl_json_scan {
    const uint8_t *p;
    size_t n, at;
    const char *wrong; /* NULL while nothing is */
    bool opened;       /* nothing was taken since open */
};

enum sl_json_step { SL_JSON_STEP_WRONG = -1, SL_JSON_STEP_END = 0, SL_JSON_STEP_ONE = 1 };

void sl_json_scan_init(struct sl_json_scan *s, struct sl_str text);

/* The next value, whole, with blanks before it. False where it is wrong. */
bool sl_json_scan_value(struct sl_json_scan *s, struct sl_json_piece *v);

/* Go into an object ('{') or array ('['). False: the next value is another one
 * (s->wrong stays NULL, nothing is taken), or there is none. */
bool sl_json_scan_open(struct sl_json_scan *s, char which);

/* The next member of the object, the next item of the array, that was opened;
 * END behind the last one, once. Values are taken whole. */
enum sl_json_step sl_json_scan_member(struct sl_json_scan *s, struct sl_json_piece *key,
                                      struct sl_json_piece *value);
enum sl_json_step sl_json_scan_item(struct sl_json_scan *s, struct sl_json_piece *value);

/* True where nothing but blanks is left. */
bool sl_json_scan_end(struct sl_json_scan *s);

/* A whole text: one value with blanks around it. */
bool sl_json_scan_check(struct sl_str text);

/* Append the characters of a string piece. A surrogate without its other half
 * becomes U+FFFD; n_replaced is added to. */
SL_MUST_USE enum sl_status sl_json_scan_chars(struct sl_buf *out, const struct sl_json_piece *v,
                                              uint64_t *n_replaced, struct sl_err *err);

#endif
