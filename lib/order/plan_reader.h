/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_READER_H
#define SL_ORDER_PLAN_READER_H

/* What the files that read plans share (plan.c, plan_way.c, plan_mix.c): complaints with
 * the place in the text, mappings as lists of keys with a function each, and scalars.
 * Nothing outside of these includes it.
 *
 * A function that takes a value gets the node and the address where it goes. */

#include "base/yaml_node.h"
#include "order/plan.h"

struct sl_plan_reader {
    struct sl_plan *plan;
    const char *const *source_names; /* ended by NULL */
    struct sl_err *err;
};

typedef enum sl_status (*sl_plan_take)(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                       void *out);

struct sl_plan_key {
    const char *name;
    sl_plan_take take; /* NULL: known, and not built yet */
    size_t offset;     /* of the value in what is read */
};

/* ---- complaints: SL_E_DATA, with file, line and column ---- */

SL_PRINTF(3, 4)
SL_MUST_USE enum sl_status sl_plan_bad(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                       const char *fmt, ...);
/* How many bytes of a text a message shows. */
int sl_plan_shown(const struct sl_yaml_node *n);
/* With the nearest of the names. */
SL_MUST_USE enum sl_status sl_plan_unknown(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                           const char *what, const char *const *names);
SL_MUST_USE enum sl_status sl_plan_later(struct sl_plan_reader *r, const struct sl_yaml_node *n);

/* ---- mappings and memory ---- */

SL_MUST_USE enum sl_status sl_plan_need_map(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                            const char *what);
/* mask: bit i where keys[i] was given; may be NULL. */
SL_MUST_USE enum sl_status sl_plan_read_map(struct sl_plan_reader *r,
                                            const struct sl_yaml_node *map, const char *what,
                                            const struct sl_plan_key *keys, void *out,
                                            uint64_t *mask);
/* Zeros that live as long as the plan, and one element more than asked for. */
void *sl_plan_get(struct sl_plan_reader *r, size_t count, size_t size, enum sl_status *st);

/* ---- scalars; out is the type in brackets ---- */

SL_MUST_USE enum sl_status
sl_plan_take_number(struct sl_plan_reader *r, const struct sl_yaml_node *n, void *out); /* double */
/* of 1 or more */
SL_MUST_USE enum sl_status sl_plan_take_count(struct sl_plan_reader *r,
                                              const struct sl_yaml_node *n,
                                              void *out); /* uint64_t */
SL_MUST_USE enum sl_status sl_plan_take_seed(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                             void *out); /* uint64_t */
SL_MUST_USE enum sl_status sl_plan_take_bool(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                             void *out); /* bool */
SL_MUST_USE enum sl_status sl_plan_take_text(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                             void *out); /* const char * */
/* 0.05 or 5%: 0 .. 1 */
SL_MUST_USE enum sl_status sl_plan_take_share(struct sl_plan_reader *r,
                                              const struct sl_yaml_node *n, void *out); /* double */
/* out: the place among the words */
SL_MUST_USE enum sl_status sl_plan_take_word(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                             const char *what, const char *const *words, int *out);
SL_MUST_USE enum sl_status sl_plan_take_pacing(struct sl_plan_reader *r,
                                               const struct sl_yaml_node *n,
                                               void *out); /* enum sl_pacing_kind */
SL_MUST_USE enum sl_status sl_plan_check_pacing(struct sl_plan_reader *r,
                                                const struct sl_yaml_node *n,
                                                const struct sl_pacing *p);

/* ---- larger parts ---- */

/* A name among the sources. */
SL_MUST_USE enum sl_status sl_plan_find_source(struct sl_plan_reader *r,
                                               const struct sl_yaml_node *n, size_t *out);
/* out: struct sl_plan_way (plan_way.c). */
SL_MUST_USE enum sl_status sl_plan_take_way(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                            void *to);
SL_MUST_USE enum sl_status sl_plan_take_own(struct sl_plan_reader *r, const struct sl_yaml_node *n,
                                            void *to); /* const struct sl_plan_way *: a new one */
/* out: struct sl_plan_stage, of which from, to and pacing are set (plan_mix.c). */
SL_MUST_USE enum sl_status sl_plan_take_mixture(struct sl_plan_reader *r,
                                                const struct sl_yaml_node *n, void *to);

#endif
