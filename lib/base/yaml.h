/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_BASE_YAML_H
#define SL_BASE_YAML_H

/* YAML that people write: profiles, plans, recipes; read into declared structs.
 *
 * What      A table of keys says what may stand in a mapping, of which type, and
 *           where it goes in a C struct. Everything else is an error with file,
 *           line and column, and the nearest key: "x.yaml:7:3: unknown key
 *           'min_word' (did you mean 'min_words'?)".
 * Types     The table decides, not the look of a value: `no` for a string is the
 *           string "no", for a bool it is an error. true and false alone are
 *           bools; numbers are decimal, without leading zeros; null and ~ are
 *           refused everywhere.
 * Refused   anchors, aliases, tags, directives, more than one document, keys that
 *           stand twice, text that is not UTF-8, over SL_YAML_MAX_BYTES or nested
 *           deeper than SL_YAML_MAX_DEPTH.
 * Order     of mappings with free names (NAMED, PICKS) is that of the file.
 * Errors    SL_E_DATA for what stands in the text, SL_E_SYSTEM where memory is
 *           out, SL_E_BUG where a table's own default does not parse.
 * Lifetime  everything that a struct points to lives in the arena of the call.
 * Threads   one thread an arena; tables are const. */

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

#define SL_YAML_MAX_BYTES ((size_t)1 << 20)
#define SL_YAML_MAX_DEPTH 32

enum sl_yaml_type {
    SL_YAML_BOOL = 1, /* bool */
    SL_YAML_UINT,     /* uint64_t */
    SL_YAML_INT,      /* int64_t */
    SL_YAML_REAL,     /* double, finite; NaN: switched off */
    SL_YAML_STR,      /* const char *, no NUL inside; NULL without default */
    SL_YAML_STRS,     /* struct sl_yaml_strs: a list of strings */
    SL_YAML_STRUCT,   /* a struct inside, with keys of its own */
    SL_YAML_LIST,     /* struct sl_yaml_items: a list of structs */
    SL_YAML_NAMED,    /* struct sl_yaml_items: name -> struct */
    SL_YAML_PICKS     /* struct sl_yaml_picked: name of a pick -> its struct */
};

enum {
    SL_YAML_REQUIRED = 1, /* must be there */
    SL_YAML_OFF = 2       /* `false` is allowed for a number: NaN, SL_YAML_UINT_OFF */
};
#define SL_YAML_UINT_OFF UINT64_MAX

struct sl_yaml_key {
    const char *key; /* NULL ends the table */
    enum sl_yaml_type type;
    size_t offset;    /* of the member */
    const char *def;  /* default, as YAML; NULL: zero */
    double min, max;  /* of numbers; both 0: any. Of strings: bytes */
    unsigned flags;   /* SL_YAML_... */
    const char *help; /* a line for the reference; lower case, no full stop */
    /* STRUCT, LIST, NAMED: members; of LIST and NAMED also the size of an item. */
    const struct sl_yaml_key *keys;
    size_t size;
    const struct sl_yaml_pick *picks; /* PICKS */
};

/* One of the things that may stand under a key of type PICKS. */
struct sl_yaml_pick {
    const char *name; /* NULL ends the table */
    const struct sl_yaml_key *keys;
    size_t size; /* bytes of the struct that keys fill */
};

struct sl_yaml_strs {
    size_t n;
    const struct sl_str *v;
};

struct sl_yaml_items {
    size_t n;
    const char *const *names; /* NULL for a LIST */
    void *items;              /* n structs of the key's size */
};

struct sl_yaml_picked {
    size_t n;
    const int *picks;   /* index into the key's table */
    void *const *confs; /* struct of each */
};

/* Read a text.
 *
 * name     of the text, for messages: "profile.yaml".
 * conf     zeroed memory, which the call fills: defaults first.
 * Returns  SL_E_DATA with "name:line:column: ..." (both counted from 1). */
SL_MUST_USE enum sl_status sl_yaml_read(struct sl_str text, const char *name,
                                        const struct sl_yaml_key *keys, void *conf,
                                        struct sl_arena *arena, struct sl_err *err);

/* Fill the defaults alone. */
SL_MUST_USE enum sl_status sl_yaml_defaults(const struct sl_yaml_key *keys, void *conf,
                                            struct sl_arena *arena, struct sl_err *err);

/* Append the struct as YAML, every key with its effective value: reading it gives
 * an equal struct. Strings that are NULL are left out. */
SL_MUST_USE enum sl_status sl_yaml_write(const struct sl_yaml_key *keys, const void *conf,
                                         struct sl_buf *out, struct sl_err *err);

/* Set every key with its effective value in object, in the table's order; what
 * is switched off is false. */
SL_MUST_USE enum sl_status sl_yaml_json(const struct sl_yaml_key *keys, const void *conf,
                                        struct sl_json *object, struct sl_err *err);

#endif
