/* SPDX-License-Identifier: Apache-2.0 */
/* JSON over jansson, which keeps the order of keys, checks UTF-8 and refuses
 * what is no JSON. struct sl_json is never defined: it is a json_t by another
 * name, so that no other file needs jansson's header.
 *
 * Depth is checked before parsing, in one pass over the text that only follows
 * strings and brackets: jansson's own limit is 2048 and cannot be changed.
 * Text is written here, value by value: jansson prints reals with a fixed number
 * of digits, 0.1 as 0.10000000000000001, in a form that differs between its
 * versions. Strings are left to it. */
#include "base/json.h"

#include <errno.h>
#include <jansson.h>

#include "base/num.h"
#include "base/utf8.h"

enum { DEPTH_MAX = 64 };

static json_t *in(const struct sl_json *v)
{
    return (json_t *)(uintptr_t)v;
}

static struct sl_json *out_of(const json_t *v)
{
    return (struct sl_json *)(uintptr_t)v;
}

/* Offset of the bracket that goes too deep; text.n where none does. */
static size_t too_deep(struct sl_str text)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else
                in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > DEPTH_MAX)
                return i;
        } else if ((c == ']' || c == '}') && depth) {
            depth--;
        }
    }
    return text.n;
}

/* A failed allocation comes out of jansson as a syntax error, or as a string
 * that lacks a byte, and errno alone tells; it is looked at between any two
 * bytes, since a number that follows clears it. */
struct feed {
    struct sl_str text;
    size_t at;
    bool no_memory;
};

static size_t give_byte(void *buffer, size_t room, void *ctx)
{
    struct feed *f = ctx;
    f->no_memory |= errno == ENOMEM;
    if (f->no_memory || room == 0 || f->at == f->text.n)
        return f->no_memory ? (size_t)-1 : 0;
    *(char *)buffer = f->text.p[f->at++];
    return 1;
}

enum sl_status sl_json_parse(struct sl_json **out, struct sl_str text, struct sl_err *err)
{
    json_error_t why;
    *out = NULL;
    size_t deep = too_deep(text);
    if (deep < text.n) {
        enum sl_status st =
            sl_err_set(err, SL_E_DATA, "JSON nested more than %d levels deep", DEPTH_MAX);
        sl_err_at(err, NULL, (int64_t)deep, -1);
        return st;
    }
    struct feed feed = { text, 0, false };
    errno = 0;
    json_t *v = json_load_callback(give_byte, &feed,
                                   JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (feed.no_memory || errno == ENOMEM) {
        json_decref(v);
        return sl_err_nomem(err, text.n);
    }
    if (v) {
        *out = out_of(v);
        return SL_OK;
    }
    enum sl_status st = sl_err_set(err, SL_E_DATA, "not JSON at line %d, column %d: %s", why.line,
                                   why.column, why.text);
    sl_err_at(err, NULL, why.position, -1);
    return st;
}

void sl_json_free(struct sl_json *v)
{
    json_decref(in(v));
}

enum sl_json_type sl_json_type(const struct sl_json *v)
{
    if (!v)
        return SL_JSON_NONE;
    switch (json_typeof(in(v))) {
    case JSON_OBJECT:
        return SL_JSON_OBJECT;
    case JSON_ARRAY:
        return SL_JSON_ARRAY;
    case JSON_STRING:
        return SL_JSON_STR;
    case JSON_INTEGER:
        return SL_JSON_INT;
    case JSON_REAL:
        return SL_JSON_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return SL_JSON_BOOL;
    case JSON_NULL:
        break;
    }
    return SL_JSON_NULL;
}

const struct sl_json *sl_json_get(const struct sl_json *object, const char *key)
{
    return out_of(json_object_get(in(object), key));
}

struct sl_json *sl_json_edit(struct sl_json *object, const char *key)
{
    return out_of(json_object_get(in(object), key));
}

size_t sl_json_count(const struct sl_json *v)
{
    return json_is_object(in(v)) ? json_object_size(in(v)) : json_array_size(in(v));
}

const struct sl_json *sl_json_at(const struct sl_json *array, size_t i)
{
    return out_of(json_array_get(in(array), i));
}

const char *sl_json_after(const struct sl_json *object, const char *key,
                          const struct sl_json **value)
{
    json_t *o = in(object);
    void *it = key ? json_object_iter_next(o, json_object_iter_at(o, key)) : json_object_iter(o);
    *value = it ? out_of(json_object_iter_value(it)) : NULL;
    return it ? json_object_iter_key(it) : NULL;
}

const char *sl_json_key(const struct sl_json *object, size_t i, const struct sl_json **value)
{
    json_t *o = in(object);
    void *it = json_object_iter(o);
    while (it && i--)
        it = json_object_iter_next(o, it);
    if (value)
        *value = it ? out_of(json_object_iter_value(it)) : NULL;
    return it ? json_object_iter_key(it) : NULL;
}

struct sl_str sl_json_str(const struct sl_json *v)
{
    return (struct sl_str){ json_string_value(in(v)), json_string_length(in(v)) };
}

int64_t sl_json_int(const struct sl_json *v)
{
    return json_integer_value(in(v));
}

bool sl_json_bool(const struct sl_json *v)
{
    return json_is_true(in(v));
}

double sl_json_real(const struct sl_json *v)
{
    return json_number_value(in(v));
}

bool sl_json_equal(const struct sl_json *a, const struct sl_json *b)
{
    return json_equal(in(a), in(b));
}

struct sl_json *sl_json_new_object(void)
{
    return out_of(json_object());
}

struct sl_json *sl_json_new_array(void)
{
    return out_of(json_array());
}

struct sl_json *sl_json_new_str(struct sl_str s)
{
    return out_of(json_stringn(s.n ? s.p : "", s.n));
}

struct sl_json *sl_json_new_int(int64_t v)
{
    return out_of(json_integer(v));
}

struct sl_json *sl_json_new_real(double v)
{
    return out_of(json_real(v));
}

struct sl_json *sl_json_new_bool(bool v)
{
    return out_of(json_boolean(v));
}

struct sl_json *sl_json_copy(const struct sl_json *v)
{
    return out_of(json_deep_copy(in(v)));
}

enum sl_status sl_json_set(struct sl_json *object, const char *key, struct sl_json *value,
                           struct sl_err *err)
{
    /* Freeing the value would free its new owner. */
    if (object && object == value)
        return sl_err_set(err, SL_E_BUG, "a JSON object put into itself");
    bool usable = !object || (json_is_object(in(object)) && sl_utf8_valid(key, strlen(key)));
    if (!usable) {
        sl_json_free(value);
        return sl_err_set(err, SL_E_BUG, "a JSON key that is not UTF-8 or not in an object");
    }
    if (json_object_set_new(in(object), key, in(value)) != 0)
        return sl_err_set(err, SL_E_SYSTEM, "out of memory for JSON");
    return SL_OK;
}

enum sl_status sl_json_push(struct sl_json *array, struct sl_json *value, struct sl_err *err)
{
    if (array && array == value)
        return sl_err_set(err, SL_E_BUG, "a JSON array put into itself");
    if (array && !json_is_array(in(array))) {
        sl_json_free(value);
        return sl_err_set(err, SL_E_BUG, "a JSON value pushed to what is no array");
    }
    if (json_array_append_new(in(array), in(value)) != 0)
        return sl_err_set(err, SL_E_SYSTEM, "out of memory for JSON");
    return SL_OK;
}

void sl_json_remove(struct sl_json *object, const char *key)
{
    (void)json_object_del(in(object), key);
}

struct dump_to {
    struct sl_buf *out;
    bool pretty;
    struct sl_err *err;
    enum sl_status st;
};

static enum sl_status dump_value(struct dump_to *to, json_t *v, int level);

static int dump_piece(const char *p, size_t n, void *ctx)
{
    struct dump_to *to = ctx;
    to->st = sl_buf_add(to->out, p, n, to->err);
    return to->st == SL_OK ? 0 : -1;
}

static enum sl_status dump_scalar(struct dump_to *to, json_t *v)
{
    char text[SL_REAL_CHARS];
    if (json_is_real(v)) {
        sl_format_f64(json_real_value(v), text);
        return sl_buf_add_str(to->out, sl_str_of(text), to->err);
    }
    if (json_dump_callback(v, dump_piece, to, JSON_ENCODE_ANY) == 0)
        return SL_OK;
    return to->st != SL_OK ? to->st : sl_err_set(to->err, SL_E_SYSTEM, "out of memory for JSON");
}

static enum sl_status dump_key(struct dump_to *to, const char *key)
{
    json_t *text = json_string(key);
    if (!text)
        return sl_err_nomem(to->err, strlen(key));
    enum sl_status st = dump_scalar(to, text);
    json_decref(text);
    if (st != SL_OK)
        return st;
    return sl_buf_add_str(to->out, to->pretty ? SL_STR(": ") : SL_STR(":"), to->err);
}

/* What stands before a member, or before the end of a collection. */
static enum sl_status dump_break(struct dump_to *to, bool comma, int level)
{
    if (comma)
        SL_TRY(sl_buf_add_str(to->out, SL_STR(","), to->err));
    return to->pretty ? sl_buf_addf(to->out, to->err, "\n%*s", 2 * level, "") : SL_OK;
}

static enum sl_status dump_members(struct dump_to *to, json_t *v, int level)
{
    const char *key;
    json_t *member;
    size_t i, n = 0;
    json_object_foreach(v, key, member)
    {
        SL_TRY(dump_break(to, n++ > 0, level));
        SL_TRY(dump_key(to, key));
        SL_TRY(dump_value(to, member, level));
    }
    json_array_foreach(v, i, member)
    {
        SL_TRY(dump_break(to, i > 0, level));
        SL_TRY(dump_value(to, member, level));
    }
    return SL_OK;
}

/* Of what the depth of collections is bounded by DEPTH_MAX, or made here. */
static enum sl_status dump_value(struct dump_to *to, json_t *v, int level)
{
    bool object = json_is_object(v);
    if (!object && !json_is_array(v))
        return dump_scalar(to, v);
    SL_TRY(sl_buf_add_str(to->out, object ? SL_STR("{") : SL_STR("["), to->err));
    if (object ? json_object_size(v) : json_array_size(v)) {
        SL_TRY(dump_members(to, v, level + 1));
        SL_TRY(dump_break(to, false, level));
    }
    return sl_buf_add_str(to->out, object ? SL_STR("}") : SL_STR("]"), to->err);
}

static enum sl_status dump(const struct sl_json *v, bool pretty, struct sl_buf *out,
                           struct sl_err *err)
{
    struct dump_to to = { out, pretty, err, SL_OK };
    size_t start = out->n;
    enum sl_status st = v ? dump_value(&to, in(v), 0) : sl_err_nomem(err, 0);
    if (st != SL_OK)
        out->n = start;
    return st;
}

enum sl_status sl_json_dump(const struct sl_json *v, struct sl_buf *out, struct sl_err *err)
{
    return dump(v, false, out, err);
}

enum sl_status sl_json_dump_pretty(const struct sl_json *v, struct sl_buf *out, struct sl_err *err)
{
    return dump(v, true, out, err);
}
