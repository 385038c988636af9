/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_SCHEMA_H
#define SL_ARROW_SCHEMA_H

/* Schemas: fields, types, and the metadata keys of the profile.
 *
 * Ownership  a schema owns its fields and strings (its arena); pointers to
 *            fields stay valid until its release, also when fields are added.
 * Threads    const after it was built; then any number of readers.
 * Source     docs/stream.md section 2. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

enum sl_type {
    SL_T_INT8,
    SL_T_INT16,
    SL_T_INT32,
    SL_T_INT64,
    SL_T_UINT8,
    SL_T_UINT16,
    SL_T_UINT32,
    SL_T_UINT64,
    SL_T_FLOAT32,
    SL_T_FLOAT64,
    SL_T_BOOL,
    SL_T_UTF8,
    SL_T_LARGE_UTF8,
    SL_T_BINARY,
    SL_T_LARGE_BINARY,
    SL_T_FIXED_BINARY, /* size: bytes of a value, 1 to 2^20 */
    SL_T_TIMESTAMP,    /* unit, zone */
    SL_T_LIST,
    SL_T_LARGE_LIST,
    SL_T_FIXED_LIST, /* size: items of a row, 1 to 2^24 */
    SL_T_STRUCT
};

enum sl_time_unit { SL_UNIT_S, SL_UNIT_MS, SL_UNIT_US, SL_UNIT_NS };

#define SL_MAX_FIELDS 1024 /* children included */
#define SL_MAX_DEPTH 8
#define SL_MAX_NAME_BYTES 255
#define SL_MAX_META_BYTES ((size_t)1 << 20)
#define SL_MAX_BODY_BYTES ((size_t)1 << 30)

struct sl_field {
    const char *name; /* valid UTF-8, unique among its siblings */
    enum sl_type type;
    bool nullable;
    int32_t size;
    enum sl_time_unit unit;
    const char *zone; /* NULL: no time zone */
    uint32_t n_children;
    struct sl_field *children;
};

struct sl_schema {
    uint32_t n_fields;
    struct sl_field **fields; /* top-level fields in order */
    /* Values of the metadata keys; NULL where the key is absent. */
    const char *kind;
    const char *lineage;
    const char *tokenizer;
    struct sl_arena arena;
    uint32_t cap;
};

void sl_schema_init(struct sl_schema *s);
void sl_schema_release(struct sl_schema *s);

/* Add a copy of a field (children included) at the end.
 * SL_E_DATA: name empty, too long, not UTF-8 or already there; a limit passed. */
SL_MUST_USE enum sl_status sl_schema_add(struct sl_schema *s, const struct sl_field *field,
                                         struct sl_err *err);

/* Add a field given as name and type text, as "list<uint16>" or "utf8?"; a
 * final '?' makes it nullable. SL_E_USAGE where the text is no type. */
SL_MUST_USE enum sl_status sl_schema_add_text(struct sl_schema *s, const char *name,
                                              const char *type, struct sl_err *err);

/* Deep copy, metadata included; dst is initialised by the call. */
SL_MUST_USE enum sl_status sl_schema_copy(struct sl_schema *dst, const struct sl_schema *src,
                                          struct sl_err *err);

/* Replace a metadata value; key is one of the sl_schema members' names:
 * "kind", "lineage", "tokenizer". value NULL removes it. */
SL_MUST_USE enum sl_status sl_schema_set_meta(struct sl_schema *s, const char *key,
                                              struct sl_str value, struct sl_err *err);

/* Index of a top-level field, -1 where there is none. */
int sl_schema_find(const struct sl_schema *s, const char *name);

/* Same names, types, nullability and order; metadata is not compared.
 * why (may be NULL) gets "column 'x' is int32 here, int64 there". */
bool sl_schema_same(const struct sl_schema *a, const struct sl_schema *b, char why[256]);

/* The type as docs/stream.md writes it (without the field's own '?'), appended. */
SL_MUST_USE enum sl_status sl_type_format(const struct sl_field *f, struct sl_buf *out,
                                          struct sl_err *err);

/* Types of the same name, children included. */
bool sl_type_same(const struct sl_field *a, const struct sl_field *b);

/* Bytes of a value in its values buffer; 0 for bool (bits), for variable, list
 * and struct types. */
int32_t sl_type_width(const struct sl_field *f);

static inline bool sl_type_is_bytes(enum sl_type t) /* offsets and bytes */
{
    return t >= SL_T_UTF8 && t <= SL_T_LARGE_BINARY;
}
static inline bool sl_type_is_utf8(enum sl_type t)
{
    return t == SL_T_UTF8 || t == SL_T_LARGE_UTF8;
}
static inline bool sl_type_has_offsets(enum sl_type t)
{
    return sl_type_is_bytes(t) || t == SL_T_LIST || t == SL_T_LARGE_LIST;
}
static inline bool sl_type_is_large(enum sl_type t) /* 64-bit offsets */
{
    return t == SL_T_LARGE_UTF8 || t == SL_T_LARGE_BINARY || t == SL_T_LARGE_LIST;
}

#endif
