/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_BASE_JSON_H
#define SL_BASE_JSON_H

/* JSON that programs write: lineage, tallies, reports, manifests.
 *
 * A thin form of the jansson library. Objects keep the order in which keys
 * were added; dumps are compact (no blanks), escape nothing but what JSON
 * demands, and are the same bytes on every machine. Integers are int64.
 *
 * Ownership  a value belongs to its parent once it was added; sl_json_free
 *            frees a root (NULL allowed). Getters lend.
 * Errors     getters give NULL, 0 or an empty string for a missing key or a
 *            wrong type. Setters and makers return NULL / SL_E_SYSTEM when
 *            memory is out; makers accept that and setters pass NULL values
 *            on as SL_E_SYSTEM, so that one check at the end is enough.
 * Threads    one thread a tree. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct sl_json;

enum sl_json_type {
    SL_JSON_NONE, /* no such value */
    SL_JSON_NULL,
    SL_JSON_BOOL,
    SL_JSON_INT,
    SL_JSON_REAL,
    SL_JSON_STR,
    SL_JSON_ARRAY,
    SL_JSON_OBJECT
};

/* Parse one JSON text. Duplicate keys, bad UTF-8, depth over 64 and trailing
 * bytes are SL_E_DATA (the message has line and column). */
SL_MUST_USE enum sl_status sl_json_parse(struct sl_json **out, struct sl_str text,
                                         struct sl_err *err);
void sl_json_free(struct sl_json *v);

enum sl_json_type sl_json_type(const struct sl_json *v);
const struct sl_json *sl_json_get(const struct sl_json *object, const char *key);
struct sl_json *sl_json_edit(struct sl_json *object, const char *key);
size_t sl_json_count(const struct sl_json *v); /* elements or keys */
const struct sl_json *sl_json_at(const struct sl_json *array, size_t i);
/* The key behind another one (behind NULL: the first) and its value, in the order
 * of the text; NULL at the end. The way to walk an object that may be large. */
const char *sl_json_after(const struct sl_json *object, const char *key,
                          const struct sl_json **value);
/* The i-th key of an object and its value, in the order of the text. Linear. */
const char *sl_json_key(const struct sl_json *object, size_t i, const struct sl_json **value);
struct sl_str sl_json_str(const struct sl_json *v);
int64_t sl_json_int(const struct sl_json *v);
bool sl_json_bool(const struct sl_json *v);
double sl_json_real(const struct sl_json *v); /* of an integer too */
bool sl_json_equal(const struct sl_json *a, const struct sl_json *b);

struct sl_json *sl_json_new_object(void);
struct sl_json *sl_json_new_array(void);
struct sl_json *sl_json_new_str(struct sl_str s); /* must be valid UTF-8 */
struct sl_json *sl_json_new_int(int64_t v);
struct sl_json *sl_json_new_real(double v);
struct sl_json *sl_json_new_bool(bool v);
struct sl_json *sl_json_copy(const struct sl_json *v); /* deep */

/* The value's ownership goes to the object or array, also on failure. */
SL_MUST_USE enum sl_status sl_json_set(struct sl_json *object, const char *key,
                                       struct sl_json *value, struct sl_err *err);
SL_MUST_USE enum sl_status sl_json_push(struct sl_json *array, struct sl_json *value,
                                        struct sl_err *err);
void sl_json_remove(struct sl_json *object, const char *key);

SL_MUST_USE enum sl_status sl_json_dump(const struct sl_json *v, struct sl_buf *out,
                                        struct sl_err *err);
/* The same with two blanks of indentation, for files that people open. */
SL_MUST_USE enum sl_status sl_json_dump_pretty(const struct sl_json *v, struct sl_buf *out,
                                               struct sl_err *err);

#endif
