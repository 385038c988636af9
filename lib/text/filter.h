/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TEXT_FILTER_H
#define SL_TEXT_FILTER_H

/* Document filters: what a text measures, and rules that drop it.
 *
 * What      A filter is one table in filters/NAME.c: parameters, values, rules and
 *           the function that measures. It decides nothing itself: a rule is a
 *           value, a direction and a threshold, so that what the values say can be
 *           decided again later from their columns alone.
 * Rules     are tried in order; the first that holds is the reason. A rule holds
 *           where its value is below (above) the threshold; equal keeps, and a
 *           value that is undefined keeps. A float32 value is compared with the
 *           threshold rounded to float32, a uint32 value with an integer.
 * Profile   filters with parameters, in an order: YAML that people write.
 * Threads   filters and profiles are const; any number of threads may measure. */

#include "base/yaml.h"

enum { SL_FILTER_MAX_VALUES = 32 };

enum sl_filter_type { SL_FILTER_UINT32, SL_FILTER_FLOAT32 };

/* A measured value: a column of its name when a profile annotates. */
struct sl_filter_value {
    const char *name; /* NULL ends the table */
    enum sl_filter_type type;
    const char *about;
    int64_t hist_from, hist_to, hist_per; /* 64 bins over [from/per, to/per); per 0: none */
};

enum sl_filter_side { SL_FILTER_BELOW, SL_FILTER_ABOVE };

struct sl_filter_rule {
    const char *reason; /* NULL ends the table */
    int value;          /* index into the values */
    enum sl_filter_side side;
    size_t threshold; /* offset in the parameters: uint64_t of a uint32 value, double
                         of a float32 value; may be switched off (SL_YAML_OFF) */
};

struct sl_filter {
    const char *name;
    const char *version; /* changes when a value or verdict can change */
    const char *about;
    const struct sl_yaml_key *params;
    size_t params_size;
    const struct sl_filter_value *values; /* at most SL_FILTER_MAX_VALUES */
    const struct sl_filter_rule *rules;
    /* Make of the parameters what measure needs, in the arena; may be NULL. */
    enum sl_status (*prepare)(const void *params, struct sl_arena *arena, const void **plan,
                              struct sl_err *err);
    /* Measure a text of valid UTF-8: one number a value, NaN where undefined. Pure. */
    void (*measure)(struct sl_str text, const void *plan, double *values);
};

/* All filters, in the order of their names, and the profiles of filters/profiles:
 * made by the build from that folder. */
struct sl_profile_text {
    const char *name; /* NULL ends the table */
    const char *yaml;
};
extern const struct sl_filter *const sl_filters[]; /* ended by NULL */
extern const struct sl_profile_text sl_profile_texts[];

/* ---- one filter ---- */

/* A filter with its parameters. */
struct sl_filter_use {
    const struct sl_filter *filter;
    const void *params;
    const void *plan;
};

/* Measure; float32 values are rounded to float32, once, to nearest even. */
void sl_filter_measure(const struct sl_filter_use *use, struct sl_str text, double *values);

/* Index of the first rule that holds, -1: the document stays. */
int sl_filter_judge(const struct sl_filter_use *use, const double *values);

/* "gopher_alpha_ratio 0.42 < 0.8": why rule holds. */
enum { SL_FILTER_WHY_BYTES = 160 };
void sl_filter_why(const struct sl_filter_use *use, int rule, const double *values,
                   char out[SL_FILTER_WHY_BYTES]);

/* ---- profiles ---- */

struct sl_profile {
    const char *name;
    size_t n;
    struct sl_filter_use *uses; /* in the order of the file */
};

/* Read a profile.
 *
 * filters  the ones to choose from: sl_filters.
 * where    name of the text, for messages.
 * Returns  SL_E_DATA with the place; *out is to be freed, NULL after an error. */
SL_MUST_USE enum sl_status sl_profile_read(struct sl_profile **out, struct sl_str yaml,
                                           const char *where,
                                           const struct sl_filter *const *filters,
                                           struct sl_err *err);
void sl_profile_free(struct sl_profile *p);

/* Append it as YAML, with every parameter. */
SL_MUST_USE enum sl_status sl_profile_write(const struct sl_profile *p, struct sl_buf *out,
                                            struct sl_err *err);

/* Set "profile" and "filters" {name: {version, params}} in object. */
SL_MUST_USE enum sl_status sl_profile_json(const struct sl_profile *p, struct sl_json *object,
                                           struct sl_err *err);

/* The text of a built-in profile, NULL where there is none of that name;
 * names of all for "did you mean". */
const char *sl_profile_builtin(const struct sl_profile_text *texts, const char *name);

#endif
