/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ARROW_TEST_MODEL_H
#define SL_ARROW_TEST_MODEL_H

/* For tests alone: random rows of any type, and rows as text, one by one, by
 * the simplest code there is. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arrow/rows.h"

/* The call must succeed; says why it did not. */
#define OK(call)                                \
    do {                                        \
        struct sl_err err = SL_ERR_INIT;        \
        if ((call) != SL_OK)                    \
            fail_msg("%s: %s", #call, err.msg); \
    } while (0)

/* The call must fail with that status, and say so. */
#define FAILS(want, call)                   \
    do {                                    \
        struct sl_err err = SL_ERR_INIT;    \
        assert_int_equal(call, want);       \
        assert_int_equal(err.status, want); \
        assert_true(err.msg[0] != 0);       \
    } while (0)

static const char *const model_types[] = {
    "int8",
    "int8?",
    "int16",
    "int16?",
    "int32",
    "int32?",
    "int64",
    "int64?",
    "uint8",
    "uint8?",
    "uint16",
    "uint16?",
    "uint32",
    "uint32?",
    "uint64",
    "uint64?",
    "float32",
    "float32?",
    "float64",
    "float64?",
    "bool",
    "bool?",
    "utf8",
    "utf8?",
    "large_utf8",
    "large_utf8?",
    "binary",
    "binary?",
    "large_binary",
    "large_binary?",
    "fixed_size_binary[3]",
    "fixed_size_binary[16]?",
    "timestamp[s]",
    "timestamp[us,UTC]?",
    "list<uint16>",
    "list<uint16?>?",
    "large_list<utf8?>",
    "large_list<utf8>?",
    "fixed_size_list<float32>[4]",
    "fixed_size_list<float32?>[4]?",
    "fixed_size_list<bool?>[3]?",
    "struct<a:utf8?,b:int32>",
    "struct<a:utf8?,b:int32,c:bool?>?",
    "list<struct<a:utf8?,b:int32>>?",
    "list<list<list<bool?>?>>?",
    "struct<p:list<struct<q:fixed_size_list<large_binary?>[2]?>?>?,r:bool>?",
    "fixed_size_list<struct<x:list<int8>,y:fixed_size_binary[2]?>?>[2]?",
};

enum { N_MODEL_TYPES = sizeof model_types / sizeof *model_types };

static inline uint64_t model_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline void model_schema(struct sl_schema *s)
{
    char name[16];
    sl_schema_init(s);
    for (int i = 0; i < N_MODEL_TYPES; i++) {
        snprintf(name, sizeof name, "c%02d", i);
        OK(sl_schema_add_text(s, name, model_types[i], &err));
    }
}

static inline int64_t model_int(enum sl_type t, uint64_t v)
{
    switch (t) {
    case SL_T_INT8:
        return (int8_t)v;
    case SL_T_INT16:
        return (int16_t)v;
    case SL_T_INT32:
        return (int32_t)v;
    case SL_T_UINT8:
        return (uint8_t)v;
    case SL_T_UINT16:
        return (uint16_t)v;
    case SL_T_UINT32:
        return (uint32_t)v;
    default:
        return (int64_t)v;
    }
}

/* One random row; null_percent of the nullable ones are null. */
static inline void model_add(struct sl_colbuf *c, uint64_t *rng, unsigned null_percent)
{
    static const char text[] = "words\xc3\xa9 and \xf0\x9f\x98\x80";
    const struct sl_field *f = c->field;
    uint64_t v = model_random(rng);
    if (f->nullable && v % 100 < null_percent) {
        OK(sl_colbuf_add_null(c, &err));
        return;
    }
    v = model_random(rng);
    if (f->type <= SL_T_UINT64 || f->type == SL_T_TIMESTAMP) {
        OK(sl_colbuf_add_int(c, model_int(f->type, v), &err));
    } else if (f->type == SL_T_FLOAT32 || f->type == SL_T_FLOAT64) {
        OK(sl_colbuf_add_real(c, (double)(int64_t)(v % 2001) / 8 - 100, &err));
    } else if (f->type == SL_T_BOOL) {
        OK(sl_colbuf_add_bool(c, v & 1, &err));
    } else if (sl_type_is_bytes(f->type)) {
        static const size_t cuts[] = { 0, 1, 5, 7, 12, 16 }; /* whole characters */
        OK(sl_colbuf_add_str(c, (struct sl_str){ text, cuts[v % 6] }, &err));
    } else if (f->type == SL_T_FIXED_BINARY) {
        OK(sl_colbuf_add_str(c, (struct sl_str){ text + v % 1, (size_t)f->size }, &err));
    } else {
        uint64_t n = f->type == SL_T_STRUCT       ? 1
                     : f->type == SL_T_FIXED_LIST ? (uint64_t)f->size
                                                  : v % 4;
        for (uint64_t i = 0; i < n; i++)
            for (uint32_t m = 0; m < f->n_children; m++)
                model_add(&c->children[m], rng, null_percent);
        OK(sl_colbuf_close(c, &err));
    }
}

static inline void model_fill(struct sl_rows *r, int n, uint64_t *rng, unsigned null_percent)
{
    for (int i = 0; i < n; i++) {
        for (uint32_t k = 0; k < r->schema->n_fields; k++)
            model_add(&r->cols[k], rng, null_percent);
        OK(sl_rows_close_row(r, &err));
    }
}

/* One row as text, appended. */
static inline void model_text(const struct sl_column *c, int64_t row, struct sl_buf *out)
{
    const struct sl_field *f = c->field;
    if (sl_column_is_null(c, row)) {
        OK(sl_buf_addf(out, &err, "~"));
    } else if (f->type <= SL_T_UINT64 || f->type == SL_T_TIMESTAMP) {
        OK(sl_buf_addf(out, &err, "%lld", (long long)sl_column_int(c, row)));
    } else if (f->type == SL_T_FLOAT32 || f->type == SL_T_FLOAT64) {
        OK(sl_buf_addf(out, &err, "%.17g", sl_column_real(c, row)));
    } else if (f->type == SL_T_BOOL) {
        OK(sl_buf_addf(out, &err, sl_column_bool(c, row) ? "T" : "F"));
    } else if (f->n_children == 0) {
        struct sl_str s = sl_column_str(c, row);
        OK(sl_buf_addf(out, &err, "%zu'%.*s'", s.n, (int)s.n, s.p));
    } else {
        int64_t from = row, to = row + 1;
        if (f->type == SL_T_FIXED_LIST) {
            from = row * f->size;
            to = from + f->size;
        } else if (f->type != SL_T_STRUCT) {
            from = sl_column_start(c, row);
            to = sl_column_start(c, row + 1);
        }
        OK(sl_buf_addf(out, &err, "("));
        for (int64_t i = from; i < to; i++)
            for (uint32_t m = 0; m < f->n_children; m++) {
                model_text(&c->children[m], i, out);
                OK(sl_buf_addf(out, &err, " "));
            }
        OK(sl_buf_addf(out, &err, ")"));
    }
}

#endif
