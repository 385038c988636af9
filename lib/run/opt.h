/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_RUN_OPT_H
#define SL_RUN_OPT_H

/* Option tables: one row an option; parsing, help, man page, completion and
 * the lineage entry all come from the row.
 *
 * The default stands in brackets at the end of the help text, "smallest text
 * to keep [200]", and is parsed like a value from the command line; an option
 * without brackets starts as 0, false or NULL.
 *
 * Threads   tables are const; parsing fills one conf before threads start. */

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

enum sl_opt_type {
    SL_OPT_T_END,
    SL_OPT_T_BOOL,   /* bool; --no-NAME clears it */
    SL_OPT_T_UINT,   /* uint64_t */
    SL_OPT_T_SIZE,   /* uint64_t bytes, with K M G T */
    SL_OPT_T_REAL,   /* double */
    SL_OPT_T_STR,    /* const char * into argv */
    SL_OPT_T_FILE,   /* the same, a file that is read (its digest is lineage) */
    SL_OPT_T_PATH,   /* the same, a place that is written or a folder (never lineage) */
    SL_OPT_T_CHOICE, /* const char *, one of the '|' separated words of value */
};

enum {
    SL_OPT_RESULT = 1,   /* can change the result: stands in the lineage */
    SL_OPT_OPTIONAL = 2, /* the value may be left out: --name or --name=VALUE */
    SL_OPT_REQUIRED = 4, /* must be given */
    SL_OPT_HIDDEN = 8,   /* not in -h, only in --help */
    SL_OPT_BUILTIN = 16, /* of a FILE: a value without '/' and '.' names something built in */
    SL_OPT_WRITES = 32,  /* of a PATH: an output, of which no two may have one name */
};

struct sl_opt {
    char letter;       /* 0: none */
    const char *name;  /* long name */
    const char *value; /* name of the value in the help, NULL for a bool; of a
                          choice all words: "a|b|c" */
    enum sl_opt_type type;
    size_t offset;    /* of the member in the conf */
    const char *help; /* lower case, no full stop, default in brackets */
    unsigned flags;
    uint64_t min, max; /* of UINT and SIZE; both 0: any */
};

#define SL_OPT_ROW(letter, name, value, t, conf, member, help, flags)     \
    {                                                                     \
        letter, name, value, t, offsetof(conf, member), help, flags, 0, 0 \
    }
#define SL_OPT_BOOL(l, name, conf, member, help, flags) \
    SL_OPT_ROW(l, name, NULL, SL_OPT_T_BOOL, conf, member, help, flags)
#define SL_OPT_UINT(l, name, value, conf, member, help, flags) \
    SL_OPT_ROW(l, name, value, SL_OPT_T_UINT, conf, member, help, flags)
#define SL_OPT_SIZE(l, name, value, conf, member, help, flags) \
    SL_OPT_ROW(l, name, value, SL_OPT_T_SIZE, conf, member, help, flags)
#define SL_OPT_REAL(l, name, value, conf, member, help, flags) \
    SL_OPT_ROW(l, name, value, SL_OPT_T_REAL, conf, member, help, flags)
#define SL_OPT_STR(l, name, value, conf, member, help, flags) \
    SL_OPT_ROW(l, name, value, SL_OPT_T_STR, conf, member, help, flags)
#define SL_OPT_FILE(l, name, value, conf, member, help, flags) \
    SL_OPT_ROW(l, name, value, SL_OPT_T_FILE, conf, member, help, flags)
#define SL_OPT_PATH(l, name, value, conf, member, help, flags) \
    SL_OPT_ROW(l, name, value, SL_OPT_T_PATH, conf, member, help, flags)
#define SL_OPT_CHOICE(l, name, words, conf, member, help, flags) \
    SL_OPT_ROW(l, name, words, SL_OPT_T_CHOICE, conf, member, help, flags)
#define SL_OPT_RANGE(l, name, value, t, conf, member, lo, hi, help, flags) \
    {                                                                      \
        l, name, value, t, offsetof(conf, member), help, flags, lo, hi     \
    }
#define SL_OPT_END                                    \
    {                                                 \
        0, NULL, NULL, SL_OPT_T_END, 0, NULL, 0, 0, 0 \
    }

/* One table with the conf that it fills. */
struct sl_opt_group {
    const struct sl_opt *options; /* up to SL_OPT_T_END */
    void *conf;
};

/* Fill every conf with the defaults of its table. SL_E_BUG: a bad default. */
SL_MUST_USE enum sl_status sl_opt_defaults(const struct sl_opt_group *groups, int n_groups,
                                           struct sl_err *err);

/* A command line, and the operands found in it. */
struct sl_opt_args {
    int argc;
    char **argv;           /* argv[0] is skipped */
    const char **operands; /* room for argc pointers */
    int n_operands;
};

/* Parse a command line; options and operands may be mixed, "--" ends the
 * options, the last of two equal options wins.
 *
 * args      operands and n_operands are filled, in order.
 * Returns   SL_E_USAGE with a message that names the option and the nearest
 *           known one. */
SL_MUST_USE enum sl_status sl_opt_parse(const struct sl_opt_group *groups, int n_groups,
                                        struct sl_opt_args *args, struct sl_err *err);

/* SL_E_USAGE naming the first required option that has no value. */
SL_MUST_USE enum sl_status sl_opt_check_required(const struct sl_opt_group *groups, int n_groups,
                                                 struct sl_err *err);

/* The value of a FILE option with SL_OPT_BUILTIN is the name of something built in. */
bool sl_opt_is_builtin(const struct sl_opt *o, const char *value);

/* The default of an option's help text, without brackets; n is 0 where none. */
struct sl_str sl_opt_default(const struct sl_opt *o);
/* The help text without the default's brackets. */
struct sl_str sl_opt_about(const struct sl_opt *o);

#endif
