/* SPDX-License-Identifier: Apache-2.0 */
/* Structs that yaml.h declares, back to text: as YAML for people and as JSON for
 * lineages. Both walk the same tables, so they show every effective value.
 *
 * Strings are always in double quotes, where only the quote, the backslash and
 * control characters need an escape: no rule about what a plain word may look
 * like has to be known. Names of mappings are quoted unless they are simple. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/utf8.h"
#include "base/yaml.h"

struct writer {
    struct sl_buf *out;
    struct sl_err *err;
};

static enum sl_status write_map(struct writer *w, const struct sl_yaml_key *keys, const void *conf,
                                int indent);

/* The shortest form that reads back as the same number. */
static void format_real(double v, char text[40])
{
    double back = 0;
    if (fabs(v) < 1e15 && v == floor(v)) {
        snprintf(text, 40, "%.0f", v);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, 40, "%.*g", digits, v);
        if (sl_parse_f64(sl_str_of(text), &back) && back == v)
            return;
    }
}

/* What a YAML reader would refuse or take for a line break. */
static bool needs_escape(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029 || cp == 0xfeff ||
           cp == 0xfffe || cp == 0xffff;
}

static enum sl_status write_quoted(struct writer *w, struct sl_str s)
{
    const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
    SL_TRY(sl_buf_add_byte(w->out, '"', w->err));
    while (p < end) {
        const uint8_t *from = p;
        uint32_t cp = sl_utf8_next(&p, end);
        if (cp == '"' || cp == '\\')
            SL_TRY(sl_buf_addf(w->out, w->err, "\\%c", (int)cp));
        else if (needs_escape(cp))
            SL_TRY(sl_buf_addf(w->out, w->err, "\\u%04x", cp));
        else
            SL_TRY(sl_buf_add(w->out, from, (size_t)(p - from), w->err));
    }
    return sl_buf_add_byte(w->out, '"', w->err);
}

static bool is_simple(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789-");
    return n && !name[n] && ((name[0] | 0x20) >= 'a' && (name[0] | 0x20) <= 'z');
}

static enum sl_status write_name(struct writer *w, const char *name, int indent)
{
    SL_TRY(sl_buf_addf(w->out, w->err, "%*s", indent, ""));
    SL_TRY(is_simple(name) ? sl_buf_add_str(w->out, sl_str_of(name), w->err)
                           : write_quoted(w, sl_str_of(name)));
    return sl_buf_add_str(w->out, SL_STR(":"), w->err);
}

static enum sl_status write_scalar(struct writer *w, const struct sl_yaml_key *k, const void *p)
{
    char text[40];
    uint64_t u;
    double d;
    if (k->type == SL_YAML_BOOL)
        return sl_buf_addf(w->out, w->err, " %s\n", *(const bool *)p ? "true" : "false");
    memcpy(&u, p, sizeof u);
    memcpy(&d, p, sizeof d);
    bool off = k->type == SL_YAML_REAL ? isnan(d) : u == SL_YAML_UINT_OFF;
    if ((k->flags & SL_YAML_OFF) && off)
        return sl_buf_add_str(w->out, SL_STR(" false\n"), w->err);
    if (k->type == SL_YAML_UINT)
        return sl_buf_addf(w->out, w->err, " %llu\n", (unsigned long long)u);
    if (k->type == SL_YAML_INT)
        return sl_buf_addf(w->out, w->err, " %lld\n", (long long)(int64_t)u);
    format_real(d, text);
    return sl_buf_addf(w->out, w->err, " %s\n", text);
}

static enum sl_status write_strings(struct writer *w, const struct sl_yaml_strs *s)
{
    SL_TRY(sl_buf_add_str(w->out, SL_STR(" ["), w->err));
    for (size_t i = 0; i < s->n; i++) {
        if (i)
            SL_TRY(sl_buf_add_str(w->out, SL_STR(", "), w->err));
        SL_TRY(write_quoted(w, s->v[i]));
    }
    return sl_buf_add_str(w->out, SL_STR("]\n"), w->err);
}

/* What follows "name:" where a mapping is the value. */
static enum sl_status write_inner(struct writer *w, const struct sl_yaml_key *keys,
                                  const void *conf, int indent)
{
    size_t at = w->out->n;
    SL_TRY(sl_buf_add_str(w->out, SL_STR("\n"), w->err));
    SL_TRY(write_map(w, keys, conf, indent));
    if (w->out->n > at + 1)
        return SL_OK;
    w->out->n = at;
    return sl_buf_add_str(w->out, SL_STR(" {}\n"), w->err);
}

static enum sl_status write_items(struct writer *w, const struct sl_yaml_key *k,
                                  const struct sl_yaml_items *items, int indent)
{
    if (!items->n)
        return sl_buf_add_str(w->out, k->type == SL_YAML_LIST ? SL_STR(" []\n") : SL_STR(" {}\n"),
                              w->err);
    SL_TRY(sl_buf_add_str(w->out, SL_STR("\n"), w->err));
    for (size_t i = 0; i < items->n; i++) {
        if (k->type == SL_YAML_NAMED)
            SL_TRY(write_name(w, items->names[i], indent));
        else
            SL_TRY(sl_buf_addf(w->out, w->err, "%*s-", indent, ""));
        SL_TRY(write_inner(w, k->keys, (const char *)items->items + i * k->size, indent + 2));
    }
    return SL_OK;
}

static enum sl_status write_picks(struct writer *w, const struct sl_yaml_key *k,
                                  const struct sl_yaml_picked *p, int indent)
{
    if (!p->n)
        return sl_buf_add_str(w->out, SL_STR(" {}\n"), w->err);
    SL_TRY(sl_buf_add_str(w->out, SL_STR("\n"), w->err));
    for (size_t i = 0; i < p->n; i++) {
        const struct sl_yaml_pick *pick = &k->picks[p->picks[i]];
        SL_TRY(write_name(w, pick->name, indent));
        SL_TRY(write_inner(w, pick->keys, p->confs[i], indent + 2));
    }
    return SL_OK;
}

static enum sl_status write_value(struct writer *w, const struct sl_yaml_key *k, const void *p,
                                  int indent)
{
    switch (k->type) {
    case SL_YAML_STR:
        SL_TRY(sl_buf_add_str(w->out, SL_STR(" "), w->err));
        SL_TRY(write_quoted(w, sl_str_of(*(const char *const *)p)));
        return sl_buf_add_str(w->out, SL_STR("\n"), w->err);
    case SL_YAML_STRS:
        return write_strings(w, p);
    case SL_YAML_STRUCT:
        return write_inner(w, k->keys, p, indent + 2);
    case SL_YAML_LIST:
    case SL_YAML_NAMED:
        return write_items(w, k, p, indent + 2);
    case SL_YAML_PICKS:
        return write_picks(w, k, p, indent + 2);
    default:
        return write_scalar(w, k, p);
    }
}

static enum sl_status write_map(struct writer *w, const struct sl_yaml_key *keys, const void *conf,
                                int indent)
{
    for (const struct sl_yaml_key *k = keys; k->key; k++) {
        const void *p = (const char *)conf + k->offset;
        if (k->type == SL_YAML_STR && !*(const char *const *)p)
            continue;
        SL_TRY(write_name(w, k->key, indent));
        SL_TRY(write_value(w, k, p, indent));
    }
    return SL_OK;
}

enum sl_status sl_yaml_write(const struct sl_yaml_key *keys, const void *conf, struct sl_buf *out,
                             struct sl_err *err)
{
    struct writer w = { out, err };
    return write_map(&w, keys, conf, 0);
}

/* ---- JSON ---- */

static struct sl_json *json_map(const struct sl_yaml_key *keys, const void *conf)
{
    struct sl_json *o = sl_json_new_object();
    if (o && sl_yaml_json(keys, conf, o, NULL) == SL_OK)
        return o;
    sl_json_free(o);
    return NULL;
}

static struct sl_json *json_strings(const struct sl_yaml_strs *s)
{
    struct sl_json *a = sl_json_new_array();
    for (size_t i = 0; i < s->n; i++)
        if (sl_json_push(a, sl_json_new_str(s->v[i]), NULL) != SL_OK) {
            sl_json_free(a);
            return NULL;
        }
    return a;
}

static struct sl_json *json_items(const struct sl_yaml_key *k, const struct sl_yaml_items *items)
{
    bool named = k->type == SL_YAML_NAMED;
    struct sl_json *o = named ? sl_json_new_object() : sl_json_new_array();
    for (size_t i = 0; i < items->n; i++) {
        struct sl_json *v = json_map(k->keys, (const char *)items->items + i * k->size);
        enum sl_status st =
            named ? sl_json_set(o, items->names[i], v, NULL) : sl_json_push(o, v, NULL);
        if (st != SL_OK) {
            sl_json_free(o);
            return NULL;
        }
    }
    return o;
}

static struct sl_json *json_picks(const struct sl_yaml_key *k, const struct sl_yaml_picked *p)
{
    struct sl_json *o = sl_json_new_object();
    for (size_t i = 0; i < p->n; i++) {
        const struct sl_yaml_pick *pick = &k->picks[p->picks[i]];
        if (sl_json_set(o, pick->name, json_map(pick->keys, p->confs[i]), NULL) != SL_OK) {
            sl_json_free(o);
            return NULL;
        }
    }
    return o;
}

static struct sl_json *json_number(const struct sl_yaml_key *k, const void *p)
{
    uint64_t u;
    double d;
    memcpy(&u, p, sizeof u);
    memcpy(&d, p, sizeof d);
    bool off = k->type == SL_YAML_REAL ? isnan(d) : u == SL_YAML_UINT_OFF;
    if ((k->flags & SL_YAML_OFF) && off)
        return sl_json_new_bool(false);
    return k->type == SL_YAML_REAL ? sl_json_new_real(d) : sl_json_new_int((int64_t)u);
}

static struct sl_json *json_value(const struct sl_yaml_key *k, const void *p)
{
    switch (k->type) {
    case SL_YAML_BOOL:
        return sl_json_new_bool(*(const bool *)p);
    case SL_YAML_STR:
        return sl_json_new_str(sl_str_of(*(const char *const *)p));
    case SL_YAML_STRS:
        return json_strings(p);
    case SL_YAML_STRUCT:
        return json_map(k->keys, p);
    case SL_YAML_LIST:
    case SL_YAML_NAMED:
        return json_items(k, p);
    case SL_YAML_PICKS:
        return json_picks(k, p);
    default:
        return json_number(k, p);
    }
}

enum sl_status sl_yaml_json(const struct sl_yaml_key *keys, const void *conf,
                            struct sl_json *object, struct sl_err *err)
{
    for (const struct sl_yaml_key *k = keys; k->key; k++) {
        const void *p = (const char *)conf + k->offset;
        if (k->type == SL_YAML_STR && !*(const char *const *)p)
            continue;
        SL_TRY(sl_json_set(object, k->key, json_value(k, p), err));
    }
    return SL_OK;
}
