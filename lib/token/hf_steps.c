/* SPDX-License-Identifier: Apache-2.0 */
/* Normalizers and pre-tokenizers of a tokenizer.json, as steps that this project has.
 *
 * A component is honoured to the letter or refused by name: a tokenizer that is nearly right
 * makes shards that no model was trained for, and nobody sees it. So an option that would change
 * something is read even where hardly a file uses it. */
#include "token/hf_steps.h"

#include "base/utf8.h"
#include "token/hf_json.h"

enum { MAX_STEPS = 16, MAX_NESTING = 4, MAX_PATTERN_BYTES = 1 << 16 };

static enum sl_status refuse(const char *what, const struct sl_json_piece *type, struct sl_err *err)
{
    if (!sl_hf_has(type))
        return sl_err_set(err, SL_E_DATA, "%s: no 'type'", what);
    return sl_err_set(err, SL_E_DATA, "%s '%.*s' is not supported", what,
                      type->raw.n > 64 ? 64 : (int)type->raw.n, type->raw.p);
}

/* Call with every item of an array. */
struct walk {
    struct sl_json_scan s;
    struct sl_json_piece item;
};

static enum sl_status walk_begin(struct walk *w, const struct sl_json_piece *array,
                                 const char *name, struct sl_err *err)
{
    if (sl_hf_has(array)) {
        sl_json_scan_init(&w->s, array->raw);
        if (sl_json_scan_open(&w->s, '['))
            return SL_OK;
    }
    return sl_err_set(err, SL_E_DATA, "'%s' is no array", name);
}

static bool walk_next(struct walk *w)
{
    return sl_json_scan_item(&w->s, &w->item) == SL_JSON_STEP_ONE;
}

/* ---- normalizers ---- */

enum { N_TYPE, N_LIST, N_PREPEND, N_PATTERN, N_CONTENT, N_NAMES };
static const char *const normal_names[] = { "type", "normalizers", "prepend", "pattern",
                                            "content" };

static enum sl_status string_pattern(const struct sl_json_piece *v, const char *where,
                                     struct sl_buf *out, bool *regex, struct sl_err *err)
{
    static const char *const names[] = { "String", "Regex" };
    struct sl_json_piece m[2];
    if (!sl_hf_has(v))
        return sl_err_set(err, SL_E_DATA, "%s: no 'pattern'", where);
    SL_TRY(sl_hf_members(v->raw, "pattern", names, m, 2, err));
    *regex = sl_hf_has(&m[1]);
    if (sl_hf_has(&m[0]) == *regex)
        return sl_err_set(err, SL_E_DATA, "%s: a pattern is a 'String' or a 'Regex'", where);
    return sl_hf_str(&m[*regex], "pattern", out, err);
}

static enum sl_status add_replace(struct sl_normaliser *s, const struct sl_json_piece *m,
                                  struct sl_err *err)
{
    struct sl_buf from, to;
    bool regex = false;
    sl_buf_init(&from, MAX_PATTERN_BYTES);
    sl_buf_init(&to, MAX_PATTERN_BYTES);
    enum sl_status st = string_pattern(&m[N_PATTERN], "normalizer", &from, &regex, err);
    if (st == SL_OK && regex)
        st = sl_err_set(err, SL_E_DATA, "normalizer 'Replace' of a Regex is not supported");
    if (st == SL_OK && !sl_hf_has(&m[N_CONTENT]))
        st = sl_err_set(err, SL_E_DATA, "normalizer 'Replace': no 'content'");
    if (st == SL_OK)
        st = sl_hf_str(&m[N_CONTENT], "content", &to, err);
    if (st == SL_OK)
        st = sl_normaliser_add(s, SL_NORMAL_REPLACE, sl_buf_str(&from), sl_buf_str(&to), err);
    sl_buf_release(&from);
    sl_buf_release(&to);
    return st;
}

static enum sl_status add_prepend(struct sl_normaliser *s, const struct sl_json_piece *m,
                                  struct sl_err *err)
{
    struct sl_buf text;
    if (!sl_hf_has(&m[N_PREPEND]))
        return sl_err_set(err, SL_E_DATA, "normalizer 'Prepend': no 'prepend'");
    sl_buf_init(&text, MAX_PATTERN_BYTES);
    enum sl_status st = sl_hf_str(&m[N_PREPEND], "prepend", &text, err);
    if (st == SL_OK)
        st = sl_normaliser_add(s, SL_NORMAL_PREPEND, SL_STR(""), sl_buf_str(&text), err);
    sl_buf_release(&text);
    return st;
}

static enum sl_status add_normal(struct sl_normaliser *s, const struct sl_json_piece *v,
                                 int nesting, struct sl_err *err)
{
    struct sl_json_piece m[N_NAMES];
    struct walk w;
    SL_TRY(sl_hf_members(v->raw, "normalizer", normal_names, m, N_NAMES, err));
    if (sl_hf_is(&m[N_TYPE], "NFC"))
        return sl_normaliser_add(s, SL_NORMAL_NFC, SL_STR(""), SL_STR(""), err);
    if (sl_hf_is(&m[N_TYPE], "Replace"))
        return add_replace(s, m, err);
    if (sl_hf_is(&m[N_TYPE], "Prepend"))
        return add_prepend(s, m, err);
    if (!sl_hf_is(&m[N_TYPE], "Sequence") || nesting == MAX_NESTING)
        return refuse("normalizer", &m[N_TYPE], err);
    SL_TRY(walk_begin(&w, &m[N_LIST], "normalizers", err));
    while (walk_next(&w))
        SL_TRY(add_normal(s, &w.item, nesting + 1, err));
    return SL_OK;
}

enum sl_status sl_hf_normaliser(struct sl_bpe_parts *p, const struct sl_json_piece *v,
                                struct sl_err *err)
{
    return sl_hf_has(v) ? add_normal(&p->normaliser, v, 0, err) : SL_OK;
}

/* ---- pre-tokenizers ---- */

enum {
    P_TYPE,
    P_LIST,
    P_ADD_PREFIX,
    P_USE_REGEX,
    P_TRIM,
    P_PATTERN,
    P_BEHAVIOUR,
    P_INVERT,
    P_DIGITS,
    P_REPLACEMENT,
    P_SCHEME,
    P_SPLIT,
    P_NAMES
};
static const char *const pre_names[] = { "type",        "pretokenizers",  "add_prefix_space",
                                         "use_regex",   "trim_offsets",   "pattern",
                                         "behavior",    "invert",         "individual_digits",
                                         "replacement", "prepend_scheme", "split" };

struct pre {
    struct sl_bpe_parts *parts;
    struct sl_split_step steps[MAX_STEPS];
    size_t offs[MAX_STEPS]; /* of the patterns in text, which may move */
    size_t n;
    struct sl_buf text;
    bool byte_level;
    bool whole; /* something came that looks at the text as a whole */
};

static enum sl_status add_step(struct pre *p, struct sl_str pattern, bool literal, bool invert,
                               enum sl_split_behaviour behaviour, struct sl_err *err)
{
    if (p->byte_level)
        return sl_err_set(err, SL_E_DATA,
                          "pre_tokenizer: a step behind ByteLevel is not "
                          "supported");
    if (p->n == MAX_STEPS)
        return sl_err_set(err, SL_E_DATA, "pre_tokenizer: more than %d steps", MAX_STEPS);
    p->offs[p->n] = p->text.n;
    p->steps[p->n++] = (struct sl_split_step){ .pattern = pattern,
                                               .literal = literal,
                                               .invert = invert,
                                               .behaviour = behaviour,
                                               .engine = SL_REGEX_ONIGURUMA };
    return sl_buf_add_str(&p->text, pattern, err);
}

static enum sl_status behaviour_of(const struct sl_json_piece *v, enum sl_split_behaviour *out,
                                   struct sl_err *err)
{
    static const char *const names[] = { "Isolated", "Removed", "MergedWithPrevious",
                                         "MergedWithNext", "Contiguous" };
    for (int i = 0; i < 5; i++) {
        if (sl_hf_is(v, names[i])) {
            *out = (enum sl_split_behaviour)i;
            return SL_OK;
        }
    }
    return sl_err_set(err, SL_E_DATA, "pre_tokenizer 'Split': 'behavior' is missing or unknown");
}

/* A string that the normalizer has replaced wherever it stood is never found again. */
static bool never_there(const struct sl_normaliser *s, struct sl_str pattern)
{
    if (!s->n || s->steps[s->n - 1].kind != SL_NORMAL_REPLACE)
        return false;
    const char *from = (const char *)s->strings.p + s->steps[s->n - 1].off;
    size_t n_from = s->steps[s->n - 1].n_from, n_to = s->steps[s->n - 1].n_to;
    return pattern.n == 1 && sl_str_eq((struct sl_str){ from, n_from }, pattern) &&
           !memchr(from + n_from, pattern.p[0], n_to);
}

static enum sl_status add_split(struct pre *p, const struct sl_json_piece *m, struct sl_err *err)
{
    enum sl_split_behaviour behaviour = SL_SPLIT_ISOLATED;
    struct sl_buf pattern;
    bool regex = false, invert = false;
    SL_TRY(behaviour_of(&m[P_BEHAVIOUR], &behaviour, err));
    SL_TRY(sl_hf_bool(&m[P_INVERT], "invert", -1, &invert, err));
    sl_buf_init(&pattern, MAX_PATTERN_BYTES);
    enum sl_status st = string_pattern(&m[P_PATTERN], "pre_tokenizer", &pattern, &regex, err);
    if (st == SL_OK &&
        (regex || invert || !never_there(&p->parts->normaliser, sl_buf_str(&pattern))))
        st = add_step(p, sl_buf_str(&pattern), !regex, invert, behaviour, err);
    sl_buf_release(&pattern);
    return st;
}

static enum sl_status add_byte_level(struct pre *p, const struct sl_json_piece *m,
                                     struct sl_err *err)
{
    static const char gpt2[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|"
                               "\\s+(?!\\S)|\\s+";
    bool prefix = false, use_regex = true, trim = false;
    SL_TRY(sl_hf_bool(&m[P_ADD_PREFIX], "add_prefix_space", -1, &prefix, err));
    SL_TRY(sl_hf_bool(&m[P_TRIM], "trim_offsets", -1, &trim, err));
    SL_TRY(sl_hf_bool(&m[P_USE_REGEX], "use_regex", 1, &use_regex, err));
    if (prefix && (p->n || p->whole))
        return sl_err_set(err, SL_E_DATA,
                          "pre_tokenizer 'ByteLevel': add_prefix_space behind "
                          "another step is not supported");
    if (prefix)
        p->parts->lead = SL_STR(" ");
    if (use_regex)
        SL_TRY(add_step(p, SL_STR(gpt2), false, false, SL_SPLIT_ISOLATED, err));
    if (p->byte_level)
        return sl_err_set(err, SL_E_DATA, "pre_tokenizer: ByteLevel stands twice");
    p->byte_level = true;
    return SL_OK;
}

static enum sl_status add_metaspace(struct pre *p, const struct sl_json_piece *m,
                                    struct sl_err *err)
{
    bool prefix = true, split = true;
    if (p->n || p->whole)
        return sl_err_set(err, SL_E_DATA,
                          "pre_tokenizer 'Metaspace' behind another step is not "
                          "supported");
    if (!sl_hf_is(&m[P_REPLACEMENT], "\xe2\x96\x81"))
        return sl_err_set(err, SL_E_DATA,
                          "pre_tokenizer 'Metaspace': a 'replacement' other than "
                          "U+2581 is not supported");
    SL_TRY(sl_hf_bool(&m[P_ADD_PREFIX], "add_prefix_space", 1, &prefix, err));
    SL_TRY(sl_hf_bool(&m[P_SPLIT], "split", 1, &split, err));
    p->whole = true;
    if (sl_hf_is(&m[P_SCHEME], "never") || (!sl_hf_has(&m[P_SCHEME]) && !prefix))
        p->parts->lead = SL_STR("");
    else if (!sl_hf_has(&m[P_SCHEME]) || sl_hf_is(&m[P_SCHEME], "always") ||
             sl_hf_is(&m[P_SCHEME], "first"))
        p->parts->lead = SL_STR("\xe2\x96\x81");
    else
        return sl_err_set(err, SL_E_DATA,
                          "pre_tokenizer 'Metaspace': 'prepend_scheme' is "
                          "unknown");
    p->parts->lead_first = sl_hf_is(&m[P_SCHEME], "first");
    SL_TRY(sl_normaliser_add(&p->parts->late, SL_NORMAL_REPLACE, SL_STR(" "),
                             SL_STR("\xe2\x96\x81"), err));
    return split ? add_step(p, SL_STR("\xe2\x96\x81"), true, false, SL_SPLIT_MERGED_WITH_NEXT, err)
                 : SL_OK;
}

static enum sl_status add_digits(struct pre *p, const struct sl_json_piece *m, struct sl_err *err)
{
    bool individual;
    SL_TRY(sl_hf_bool(&m[P_DIGITS], "individual_digits", -1, &individual, err));
    return add_step(p, individual ? SL_STR("\\p{N}") : SL_STR("\\p{N}+"), false, false,
                    SL_SPLIT_ISOLATED, err);
}

static enum sl_status add_pre(struct pre *p, const struct sl_json_piece *v, int nesting,
                              struct sl_err *err)
{
    struct sl_json_piece m[P_NAMES];
    struct walk w;
    SL_TRY(sl_hf_members(v->raw, "pre_tokenizer", pre_names, m, P_NAMES, err));
    if (sl_hf_is(&m[P_TYPE], "Split"))
        return add_split(p, m, err);
    if (sl_hf_is(&m[P_TYPE], "ByteLevel"))
        return add_byte_level(p, m, err);
    if (sl_hf_is(&m[P_TYPE], "Digits"))
        return add_digits(p, m, err);
    if (sl_hf_is(&m[P_TYPE], "Metaspace"))
        return add_metaspace(p, m, err);
    if (sl_hf_is(&m[P_TYPE], "WhitespaceSplit"))
        return add_step(p, SL_STR("\\s+"), false, false, SL_SPLIT_REMOVED, err);
    if (!sl_hf_is(&m[P_TYPE], "Sequence") || nesting == MAX_NESTING)
        return refuse("pre_tokenizer", &m[P_TYPE], err);
    SL_TRY(walk_begin(&w, &m[P_LIST], "pretokenizers", err));
    while (walk_next(&w))
        SL_TRY(add_pre(p, &w.item, nesting + 1, err));
    return SL_OK;
}

static enum sl_status make_split(struct pre *p, struct sl_err *err)
{
    if (!p->n)
        return sl_split_new(&p->parts->split, SL_SPLIT_NONE, err);
    for (size_t i = 0; i < p->n; i++)
        p->steps[i].pattern.p = (const char *)p->text.p + p->offs[i];
    return sl_split_new_steps(&p->parts->split, p->steps, p->n, err);
}

enum sl_status sl_hf_pre_tokenizer(struct sl_bpe_parts *parts, const struct sl_json_piece *v,
                                   bool *byte_level, struct sl_err *err)
{
    struct pre p = { .parts = parts };
    sl_buf_init(&p.text, MAX_STEPS * MAX_PATTERN_BYTES);
    enum sl_status st = sl_hf_has(v) ? add_pre(&p, v, 0, err) : SL_OK;
    if (st == SL_OK)
        st = make_split(&p, err);
    sl_buf_release(&p.text);
    *byte_level = p.byte_level;
    return st;
}
