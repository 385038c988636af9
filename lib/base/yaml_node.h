/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_BASE_YAML_NODE_H
#define SL_BASE_YAML_NODE_H

/* The tree of a YAML text. yaml.c makes it, yaml_conf.c reads it; elsewhere only what
 * has values of several forms and needs their lines (order/plan.c). Nodes live in the
 * arena of the call. */

#include "base/arena.h"
#include "base/status.h"

enum sl_yaml_kind { SL_YAML_SCALAR, SL_YAML_SEQ, SL_YAML_MAP };

struct sl_yaml_node {
    enum sl_yaml_kind kind;
    bool plain;                        /* a scalar without quotes */
    int line, column;                  /* from 1 */
    struct sl_str text;                /* of a scalar, NUL behind it */
    size_t n;                          /* children; of a mapping: keys and values */
    struct sl_yaml_node *first, *last; /* key, value, key, value, ... of a mapping */
    struct sl_yaml_node *next;
};

/* Parse one document. *out is never NULL after SL_OK. */
SL_MUST_USE enum sl_status sl_yaml_tree(struct sl_yaml_node **out, struct sl_str text,
                                        const char *name, struct sl_arena *arena,
                                        struct sl_err *err);

/* Bytes of s that a message shows: whole characters, at most 60 bytes. */
int sl_yaml_shown(struct sl_str s);

#endif
