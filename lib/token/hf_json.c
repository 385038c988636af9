/* SPDX-License-Identifier: Apache-2.0 */
/* Members of JSON objects, by name. Files of tokenizers are tens of megabytes of two large
 * values and some small ones, so nothing is built: one pass notes where the named values stand,
 * and the large ones are walked through where they are. */
#include "token/hf_json.h"

#include "base/num.h"

static enum sl_status wrong_scan(const struct sl_json_scan *s, const char *where,
                                 struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "%s: %s", where, s->wrong ? s->wrong : "is no object");
}

/* What is looked for. */
struct wanted {
    const char *where;
    const char *const *names;
    struct sl_json_piece *out;
    size_t n;
    uint32_t seen; /* bits of names */
};

static enum sl_status note(struct wanted *w, const struct sl_json_piece *key,
                           const struct sl_json_piece *value, struct sl_err *err)
{
    for (size_t i = 0; i < w->n; i++) {
        if (!sl_str_eq(key->raw, sl_str_of(w->names[i])))
            continue;
        if (w->seen >> i & 1)
            return sl_err_set(err, SL_E_DATA, "%s: '%s' stands twice", w->where, w->names[i]);
        w->seen |= (uint32_t)1 << i;
        if (value->kind != SL_JSON_PIECE_NULL)
            w->out[i] = *value;
    }
    return SL_OK;
}

enum sl_status sl_hf_members(struct sl_str object, const char *where, const char *const *names,
                             struct sl_json_piece *out, size_t n, struct sl_err *err)
{
    struct sl_json_scan s;
    struct sl_json_piece key, value;
    enum sl_json_step step;
    struct wanted w = { where, names, out, n, 0 };
    memset(out, 0, n * sizeof *out);
    sl_json_scan_init(&s, object);
    if (!sl_json_scan_open(&s, '{'))
        return wrong_scan(&s, where, err);
    while ((step = sl_json_scan_member(&s, &key, &value)) == SL_JSON_STEP_ONE)
        SL_TRY(note(&w, &key, &value, err));
    if (step != SL_JSON_STEP_END || !sl_json_scan_end(&s))
        return wrong_scan(&s, where, err);
    return SL_OK;
}

static enum sl_status is_not(const char *name, const char *what, struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "'%s' is %s", name, what);
}

enum sl_status sl_hf_bool(const struct sl_json_piece *v, const char *name, int absent, bool *out,
                          struct sl_err *err)
{
    *out = absent == 1;
    if (!sl_hf_has(v))
        return absent < 0 ? is_not(name, "missing", err) : SL_OK;
    if (v->kind != SL_JSON_PIECE_TRUE && v->kind != SL_JSON_PIECE_FALSE)
        return is_not(name, "neither true nor false", err);
    *out = v->kind == SL_JSON_PIECE_TRUE;
    return SL_OK;
}

enum sl_status sl_hf_id(const struct sl_json_piece *v, const char *name, uint32_t *out,
                        struct sl_err *err)
{
    uint64_t n;
    if (!sl_hf_has(v))
        return is_not(name, "missing", err);
    if (v->kind != SL_JSON_PIECE_NUMBER || !sl_parse_u64(v->raw, &n) || n > UINT32_MAX)
        return is_not(name, "no id", err);
    *out = (uint32_t)n;
    return SL_OK;
}

enum sl_status sl_hf_str(const struct sl_json_piece *v, const char *name, struct sl_buf *text,
                         struct sl_err *err)
{
    uint64_t n_bad = 0;
    sl_buf_reset(text);
    if (!sl_hf_has(v))
        return SL_OK;
    if (v->kind != SL_JSON_PIECE_STRING)
        return is_not(name, "no string", err);
    if (!v->escaped)
        return sl_buf_add_str(text, v->raw, err);
    SL_TRY(sl_json_scan_chars(text, v, &n_bad, err));
    return n_bad ? is_not(name, "half of a surrogate pair", err) : SL_OK;
}

bool sl_hf_is(const struct sl_json_piece *v, const char *s)
{
    struct sl_buf text;
    uint64_t n_bad = 0;
    if (!sl_hf_has(v) || v->kind != SL_JSON_PIECE_STRING)
        return false;
    if (!v->escaped)
        return sl_str_eq(v->raw, sl_str_of(s));
    sl_buf_init(&text, v->raw.n);
    bool is = sl_json_scan_chars(&text, v, &n_bad, NULL) == SL_OK &&
              sl_str_eq(sl_buf_str(&text), sl_str_of(s));
    sl_buf_release(&text);
    return is;
}
