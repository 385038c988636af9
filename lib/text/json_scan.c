/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of JSON over pieces of text; strings are json_string.c's.
 *
 * Arrays and objects inside of a value are walked without recursion: a bit for
 * each level says which of the two it is, so that no input can use up the stack
 * and the depth is bounded by a number of ours, not by the machine.
 *
 * A scan in error stays where the error is: every call looks at s->wrong first. */
#include "text/json_scan.h"

#include <string.h>

#include "text/json_string.h"

static bool fail(struct sl_json_scan *s, const char *wrong)
{
    if (!s->wrong)
        s->wrong = wrong;
    return false;
}

void sl_json_scan_init(struct sl_json_scan *s, struct sl_str text)
{
    *s = (struct sl_json_scan){ .p = (const uint8_t *)text.p, .n = text.n };
}

/* The next byte that is no blank, not taken; -1 at the end. */
static inline int look(struct sl_json_scan *s)
{
    while (s->at < s->n) {
        uint8_t c = s->p[s->at];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return c;
        s->at++;
    }
    return -1;
}

static inline bool take(struct sl_json_scan *s, char c)
{
    if (look(s) != c)
        return false;
    s->at++;
    return true;
}

/* ---- values without parts ---- */

static bool string_wrong(struct sl_json_scan *s)
{
    if (s->at >= s->n)
        return fail(s, "a string does not end");
    return fail(s, s->p[s->at] == '\\' ? "a bad escape in a string"
                                       : "a control character in a string");
}

static bool take_string(struct sl_json_scan *s, struct sl_json_piece *v)
{
    if (!take(s, '"'))
        return fail(s, "no string where one must be");
    size_t from = s->at;
    v->kind = SL_JSON_PIECE_STRING;
    v->escaped = false;
    size_t n = sl_json_string_end(s->p + from, s->n - from, &v->escaped);
    v->raw = (struct sl_str){ (const char *)s->p + from, n };
    s->at += n;
    if (s->at >= s->n || s->p[s->at] != '"')
        return string_wrong(s);
    s->at++;
    return true;
}

/* Digits from s->at on; false where there is none. */
static bool take_digits(struct sl_json_scan *s)
{
    size_t from = s->at;
    while (s->at < s->n && s->p[s->at] >= '0' && s->p[s->at] <= '9')
        s->at++;
    return s->at > from;
}

static bool at_byte(const struct sl_json_scan *s, char a, char b)
{
    return s->at < s->n && (s->p[s->at] == a || s->p[s->at] == b);
}

static bool take_number(struct sl_json_scan *s, struct sl_json_piece *v)
{
    size_t from = s->at;
    s->at += at_byte(s, '-', '-');
    bool zero = at_byte(s, '0', '0');
    s->at += zero;
    if (!zero && !take_digits(s))
        return fail(s, "a number without digits");
    if (at_byte(s, '.', '.')) {
        s->at++;
        if (!take_digits(s))
            return fail(s, "a number without digits behind its point");
    }
    if (at_byte(s, 'e', 'E')) {
        s->at++;
        s->at += at_byte(s, '+', '-');
        if (!take_digits(s))
            return fail(s, "a number without digits in its exponent");
    }
    v->kind = SL_JSON_PIECE_NUMBER;
    v->raw = (struct sl_str){ (const char *)s->p + from, s->at - from };
    return true;
}

static bool take_word(struct sl_json_scan *s, struct sl_json_piece *v)
{
    static const struct {
        struct sl_str word;
        enum sl_json_piece_kind kind;
    } words[] = { { { "true", 4 }, SL_JSON_PIECE_TRUE },
                  { { "false", 5 }, SL_JSON_PIECE_FALSE },
                  { { "null", 4 }, SL_JSON_PIECE_NULL } };
    struct sl_str left = { (const char *)s->p + s->at, s->n - s->at };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!sl_str_starts(left, words[i].word))
            continue;
        v->kind = words[i].kind;
        v->raw = (struct sl_str){ left.p, words[i].word.n };
        s->at += v->raw.n;
        return true;
    }
    return fail(s, left.n ? "no JSON value" : "it ends where a value must be");
}

/* c: the byte that it begins with. */
static bool take_scalar(struct sl_json_scan *s, int c, struct sl_json_piece *v)
{
    v->escaped = false;
    if (c == '"')
        return take_string(s, v);
    if (c == '-' || (c >= '0' && c <= '9'))
        return take_number(s, v);
    return take_word(s, v);
}

/* ---- arrays and objects ---- */

struct levels {
    size_t depth;
    uint64_t objects[SL_JSON_SCAN_DEPTH / 64];
};

static inline bool in_object(const struct levels *l)
{
    size_t i = l->depth - 1;
    return l->objects[i / 64] >> (i % 64) & 1;
}

static bool take_key(struct sl_json_scan *s, struct sl_json_piece *key)
{
    if (!take_string(s, key))
        return false;
    return take(s, ':') || fail(s, "no ':' behind a name");
}

/* One level down, to its first value; *closed where it has none. */
static bool go_down(struct sl_json_scan *s, struct levels *l, bool *closed)
{
    struct sl_json_piece key;
    if (l->depth == SL_JSON_SCAN_DEPTH)
        return fail(s, "nested more than 1024 deep");
    bool object = s->p[s->at++] == '{';
    uint64_t bit = (uint64_t)1 << (l->depth % 64);
    uint64_t *word = &l->objects[l->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    l->depth++;
    *closed = take(s, object ? '}' : ']');
    l->depth -= *closed;
    return *closed || !object || take_key(s, &key);
}

/* Behind a value: up where levels end, then to the next value. */
static bool go_on(struct sl_json_scan *s, struct levels *l)
{
    struct sl_json_piece key;
    while (l->depth) {
        bool object = in_object(l);
        if (take(s, ','))
            return !object || take_key(s, &key);
        if (!take(s, object ? '}' : ']'))
            return fail(s, object ? "no ',' or '}' in an object" : "no ',' or ']' in an array");
        l->depth--;
    }
    return true;
}

static bool take_nested(struct sl_json_scan *s, struct sl_json_piece *v)
{
    struct levels l = { .depth = 0 };
    size_t from = s->at;
    v->escaped = false;
    v->kind = s->p[from] == '{' ? SL_JSON_PIECE_OBJECT : SL_JSON_PIECE_ARRAY;
    do {
        struct sl_json_piece part;
        int c = look(s);
        bool closed = true;
        if (c == '{' || c == '[' ? !go_down(s, &l, &closed) : !take_scalar(s, c, &part))
            return false;
        if (closed && !go_on(s, &l))
            return false;
    } while (l.depth);
    v->raw = (struct sl_str){ (const char *)s->p + from, s->at - from };
    return true;
}

/* ---- the calls ---- */

bool sl_json_scan_value(struct sl_json_scan *s, struct sl_json_piece *v)
{
    if (s->wrong)
        return false;
    int c = look(s);
    return c == '{' || c == '[' ? take_nested(s, v) : take_scalar(s, c, v);
}

bool sl_json_scan_open(struct sl_json_scan *s, char which)
{
    s->opened = !s->wrong && take(s, which);
    return s->opened;
}

/* To the next part; END behind the last one. */
static enum sl_json_step step(struct sl_json_scan *s, char closer, const char *wrong)
{
    if (s->wrong)
        return SL_JSON_STEP_WRONG;
    bool first = s->opened;
    s->opened = false;
    if (take(s, closer))
        return SL_JSON_STEP_END;
    if (first || take(s, ','))
        return SL_JSON_STEP_ONE;
    fail(s, wrong);
    return SL_JSON_STEP_WRONG;
}

enum sl_json_step sl_json_scan_member(struct sl_json_scan *s, struct sl_json_piece *key,
                                      struct sl_json_piece *value)
{
    enum sl_json_step next = step(s, '}', "no ',' or '}' in an object");
    if (next != SL_JSON_STEP_ONE)
        return next;
    return take_key(s, key) && sl_json_scan_value(s, value) ? SL_JSON_STEP_ONE : SL_JSON_STEP_WRONG;
}

enum sl_json_step sl_json_scan_item(struct sl_json_scan *s, struct sl_json_piece *value)
{
    enum sl_json_step next = step(s, ']', "no ',' or ']' in an array");
    if (next != SL_JSON_STEP_ONE)
        return next;
    return sl_json_scan_value(s, value) ? SL_JSON_STEP_ONE : SL_JSON_STEP_WRONG;
}

bool sl_json_scan_end(struct sl_json_scan *s)
{
    return !s->wrong && (look(s) < 0 || fail(s, "more behind the value"));
}

bool sl_json_scan_check(struct sl_str text)
{
    struct sl_json_scan s;
    struct sl_json_piece v;
    sl_json_scan_init(&s, text);
    return sl_json_scan_value(&s, &v) && sl_json_scan_end(&s);
}

enum sl_status sl_json_scan_chars(struct sl_buf *out, const struct sl_json_piece *v,
                                  uint64_t *n_replaced, struct sl_err *err)
{
    if (!v->escaped)
        return sl_buf_add_str(out, v->raw, err);
    SL_TRY(sl_buf_reserve(out, v->raw.n, err));
    out->n +=
        sl_json_string_chars(out->p + out->n, (const uint8_t *)v->raw.p, v->raw.n, n_replaced);
    return SL_OK;
}
