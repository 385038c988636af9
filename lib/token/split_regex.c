/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions of Oniguruma and Rust, rewritten for PCRE2.
 *
 * The three agree on most of what tokenizers use: leftmost matches, alternatives in order,
 * greedy, lazy and possessive repetition, look-around. Where they do not, the expression is
 * rewritten: classes become ranges of Unicode 16.0 (PCRE2's tables are of another version),
 * case is folded here, ^ and $ are lines to Oniguruma and the text to Rust, and {1,3}+ is
 * possessive to Rust but a repeated repetition to Oniguruma. All that is not known to be
 * the same is refused with its place: an approximation would give other ids in silence.
 *
 * Rejected: an engine of our own, which would have to be proved against these two in all
 * that they do; PCRE2 is compared only in what is let through here. */
#include "token/split_regex.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "token/classes.h"
#include "token/split_set.h"

enum { MAX_DEPTH = 32, MAX_SET_DEPTH = 6, MAX_PATTERN = 1 << 16, MAX_OUT = 1 << 24 };

struct parser {
    struct sl_str s;
    size_t at;
    enum sl_regex_engine engine;
    struct sl_buf *out;
    struct sl_err *err;
    int depth;
    bool fold;          /* within (?i) */
    uint32_t last;      /* the literal just before under (?i), 0: none */
    struct sl_set *set; /* an atom's; empty between them */
};

static enum sl_status refuse(const struct parser *ps, size_t at, const char *why)
{
    return sl_err_set(ps->err, SL_E_DATA, "%s, at byte %zu of the expression '%.*s'", why, at,
                      (int)(ps->s.n < 500 ? ps->s.n : 500), ps->s.p);
}

static int peek(const struct parser *ps, size_t ahead)
{
    return ps->at + ahead < ps->s.n ? (unsigned char)ps->s.p[ps->at + ahead] : -1;
}

static bool accept(struct parser *ps, struct sl_str word)
{
    struct sl_str rest = { ps->s.p + ps->at, ps->s.n - ps->at };
    if (!sl_str_starts(rest, word))
        return false;
    ps->at += word.n;
    return true;
}

static uint32_t next_char(struct parser *ps)
{
    const uint8_t *p = (const uint8_t *)ps->s.p + ps->at, *end = (const uint8_t *)ps->s.p + ps->s.n;
    const uint8_t *begin = p;
    uint32_t cp = sl_utf8_next(&p, end);
    ps->at += (size_t)(p - begin);
    return cp;
}

static enum sl_status put(const struct parser *ps, const char *text)
{
    return sl_buf_add_str(ps->out, sl_str_of(text), ps->err);
}

/* ---- Classes */

struct property {
    const char *name;
    uint32_t categories;
    unsigned flags;
};

static const struct property properties[] = {
    { "L", SL_CLASS_L, 0 },
    { "Letter", SL_CLASS_L, 0 },
    { "Lu", SL_CLASS(SL_LU), 0 },
    { "Ll", SL_CLASS(SL_LL), 0 },
    { "Lt", SL_CLASS(SL_LT), 0 },
    { "Lm", SL_CLASS(SL_LM), 0 },
    { "Lo", SL_CLASS(SL_LO), 0 },
    { "M", SL_CLASS_M, 0 },
    { "Mark", SL_CLASS_M, 0 },
    { "Mn", SL_CLASS(SL_MN), 0 },
    { "Mc", SL_CLASS(SL_MC), 0 },
    { "Me", SL_CLASS(SL_ME), 0 },
    { "N", SL_CLASS_N, 0 },
    { "Number", SL_CLASS_N, 0 },
    { "Nd", SL_CLASS(SL_ND), 0 },
    { "Nl", SL_CLASS(SL_NL), 0 },
    { "No", SL_CLASS(SL_NO), 0 },
    { "P", SL_CLASS_P, 0 },
    { "Punctuation", SL_CLASS_P, 0 },
    { "Pc", SL_CLASS(SL_PC), 0 },
    { "Pd", SL_CLASS(SL_PD), 0 },
    { "Ps", SL_CLASS(SL_PS), 0 },
    { "Pe", SL_CLASS(SL_PE), 0 },
    { "Pi", SL_CLASS(SL_PI), 0 },
    { "Pf", SL_CLASS(SL_PF), 0 },
    { "Po", SL_CLASS(SL_PO), 0 },
    { "S", SL_CLASS_S, 0 },
    { "Symbol", SL_CLASS_S, 0 },
    { "Sm", SL_CLASS(SL_SM), 0 },
    { "Sc", SL_CLASS(SL_SC), 0 },
    { "Sk", SL_CLASS(SL_SK), 0 },
    { "So", SL_CLASS(SL_SO), 0 },
    { "Z", SL_CLASS_Z, 0 },
    { "Separator", SL_CLASS_Z, 0 },
    { "Zs", SL_CLASS(SL_ZS), 0 },
    { "Zl", SL_CLASS(SL_ZL), 0 },
    { "Zp", SL_CLASS(SL_ZP), 0 },
    { "Cc", SL_CLASS(SL_CC) | SL_CLASS(SL_CC_SPACE) | SL_CLASS_NEWLINE, 0 },
    { "Cf", SL_CLASS(SL_CF), 0 },
    { "Cn", SL_CLASS(SL_CN), 0 },
    { "C", SL_CLASS_C, 0 },
    { "Co", SL_CLASS(SL_CO), 0 },
    { "Han", 0, SL_CLASS_HAN },
};

/* \p or \P has been read. */
static enum sl_status property(struct parser *ps, struct sl_set *set, bool negated)
{
    size_t begin = ps->at;
    struct sl_str name = { ps->s.p + begin, 1 };
    if (peek(ps, 0) == '{') {
        size_t end = sl_str_find(ps->s, begin, '}');
        if (end == ps->s.n)
            return refuse(ps, begin, "a property without its end");
        name = (struct sl_str){ ps->s.p + begin + 1, end - begin - 1 };
        ps->at = end + 1;
    } else if (ps->engine == SL_REGEX_ONIGURUMA || peek(ps, 0) < 0) {
        return refuse(ps, begin, "a property without braces");
    } else {
        ps->at++;
    }
    if (name.n && name.p[0] == '^') {
        negated = !negated;
        name = (struct sl_str){ name.p + 1, name.n - 1 };
    }
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        if (!sl_str_eq(name, sl_str_of(properties[i].name)))
            continue;
        sl_set_add_class(set, properties[i].categories, properties[i].flags);
        if (negated)
            sl_set_invert(set);
        return SL_OK;
    }
    return refuse(ps, begin, "a property that is not known here");
}

static int hex_value(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind \x or \u: hex digits, or any number of them in braces. */
static enum sl_status hex_char(struct parser *ps, unsigned digits, uint32_t *cp)
{
    size_t begin = ps->at;
    bool braces = accept(ps, SL_STR("{"));
    uint32_t value = 0;
    unsigned n = 0;
    for (; n < (braces ? 8 : digits) && hex_value(peek(ps, 0)) >= 0; n++)
        value = value << 4 | (uint32_t)hex_value(peek(ps, 0)), ps->at++;
    bool whole = braces ? n > 0 && accept(ps, SL_STR("}")) : n == digits;
    if (!whole || value >= SL_SET_END || (value >= 0xd800 && value < 0xe000))
        return refuse(ps, begin, "a number of a character that is not understood");
    *cp = value;
    return SL_OK;
}

/* \w: Oniguruma has no joiners in it, and the superscripts and fractions of Latin-1 only
 * where it stands alone. */
static void add_word(const struct parser *ps, struct sl_set *set, bool alone)
{
    sl_set_add_class(set, 0, SL_CLASS_WORD);
    if (ps->engine != SL_REGEX_ONIGURUMA)
        return;
    sl_set_remove(set, 0x200c, 0x200d);
    if (!alone)
        return;
    sl_set_add(set, 0xb2, 0xb3);
    sl_set_add(set, 0xb9, 0xb9);
    sl_set_add(set, 0xbc, 0xbe);
}

/* Behind a backslash: one character, in *cp, or a class, added to set, with *cp -1.
 * alone: it does not stand in brackets. */
static enum sl_status escape(struct parser *ps, struct sl_set *set, bool alone, int64_t *cp)
{
    size_t begin = ps->at;
    int c = peek(ps, 0);
    static const char names[] = "rntfvae", values[] = "\r\n\t\f\v\a\033";
    *cp = -1;
    if (c < 0)
        return refuse(ps, begin, "a backslash at the end");
    ps->at++;
    const char *known = strchr(names, c);
    if (known && c) {
        *cp = values[known - names];
        return SL_OK;
    }
    if (c < 0x80 && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') &&
        c > ' ') {
        *cp = c;
        return SL_OK;
    }
    uint32_t value = 0;
    switch (c) {
    case 'x':
    case 'u':
        SL_TRY(hex_char(ps, c == 'x' ? 2 : 4, &value));
        *cp = value;
        return SL_OK;
    case 'p':
    case 'P':
        return property(ps, set, c == 'P');
    case 's':
    case 'S':
        sl_set_add_class(set, SL_CLASS_SPACE, 0);
        break;
    case 'd':
    case 'D':
        sl_set_add_class(set, SL_CLASS(SL_ND), 0);
        break;
    case 'w':
    case 'W':
        add_word(ps, set, alone);
        break;
    case 'h':
    case 'H':
        sl_set_add(set, '0', '9');
        sl_set_add(set, 'A', 'F');
        sl_set_add(set, 'a', 'f');
        break;
    default:
        return refuse(ps, begin - 1, "a backslash with a meaning that is not known here");
    }
    if (c == 'S' || c == 'D' || c == 'W' || c == 'H')
        sl_set_invert(set);
    return SL_OK;
}

static enum sl_status set_items(struct parser *ps, struct sl_set *set, int depth);

/* Behind a '[': the whole class, into set, which is empty. */
static enum sl_status bracket(struct parser *ps, struct sl_set *set, int depth)
{
    size_t begin = ps->at;
    bool negated = accept(ps, SL_STR("^"));
    if (depth > MAX_SET_DEPTH)
        return refuse(ps, begin, "classes nested too deeply");
    if (peek(ps, 0) == ']')
        return refuse(ps, begin, "a class that begins with ]");
    SL_TRY(set_items(ps, set, depth));
    while (accept(ps, SL_STR("&&"))) {
        struct sl_set *right = sl_set_new();
        if (!right)
            return sl_err_nomem(ps->err, sizeof *right);
        enum sl_status st = set_items(ps, right, depth);
        sl_set_keep(set, right);
        free(right);
        SL_TRY(st);
    }
    ps->at++; /* set_items ends before ] or && */
    if (negated)
        sl_set_invert(set);
    return SL_OK;
}

/* A class or an escaped class within a class; *cp: it was a character. */
static enum sl_status set_item(struct parser *ps, struct sl_set *set, int depth, int64_t *cp)
{
    *cp = -1;
    bool nested = peek(ps, 0) == '[';
    if (!nested && peek(ps, 0) != '\\') {
        *cp = next_char(ps);
        return SL_OK;
    }
    if (nested && peek(ps, 1) == ':')
        return refuse(ps, ps->at, "a class with a name");
    ps->at++;
    struct sl_set *part = sl_set_new();
    if (!part)
        return sl_err_nomem(ps->err, sizeof *part);
    enum sl_status st = nested ? bracket(ps, part, depth + 1) : escape(ps, part, false, cp);
    sl_set_add_set(set, part);
    free(part);
    return st;
}

/* Items up to ] or &&. */
static enum sl_status set_items(struct parser *ps, struct sl_set *set, int depth)
{
    for (bool first = true;; first = false) {
        size_t begin = ps->at;
        int c = peek(ps, 0), next = peek(ps, 1);
        int64_t low, high;
        if (c < 0)
            return refuse(ps, begin, "a class without its end");
        if (c == ']' || (c == '&' && next == '&')) {
            if (first)
                return refuse(ps, begin, "a class with nothing on one side");
            return SL_OK;
        }
        if ((c == '-' && !first && next != ']') || (c == '~' && next == '~') ||
            (c == '-' && next == '-'))
            return refuse(ps, begin, "a sign that engines understand in different ways");
        SL_TRY(set_item(ps, set, depth, &low));
        if (low < 0)
            continue;
        high = low;
        if (peek(ps, 0) == '-' && peek(ps, 1) != ']') {
            ps->at++;
            if (peek(ps, 0) == '-' || peek(ps, 0) < 0)
                return refuse(ps, ps->at, "a range without its end");
            SL_TRY(set_item(ps, set, depth, &high));
            if (high < low)
                return refuse(ps, begin, "a range that is none");
        }
        sl_set_add(set, (uint32_t)low, (uint32_t)high);
    }
}

/* ---- Atoms */

static enum sl_status put_set(struct parser *ps, struct sl_set *set, size_t begin)
{
    if (ps->fold && !sl_set_fold(set))
        return refuse(ps, begin, "letters beyond ASCII regardless of case");
    SL_TRY(sl_set_dump(set, ps->out, ps->err));
    sl_set_clear(set);
    return SL_OK;
}

static enum sl_status put_char(struct parser *ps, uint32_t cp, size_t begin, struct sl_set *set)
{
    /* Oniguruma folds some pairs of letters to one character, U+00DF to ss. */
    static const char *const pairs[] = { "ss", "st", "ff", "fi", "fl" };
    uint32_t lower = cp >= 'A' && cp <= 'Z' ? cp | 0x20 : cp, last = ps->last;
    ps->last = ps->fold ? lower : 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs && ps->engine == SL_REGEX_ONIGURUMA; i++)
        if (ps->fold && last == (uint32_t)pairs[i][0] && lower == (uint32_t)pairs[i][1])
            return refuse(ps, begin, "a pair of letters that is one character in another case");
    if (ps->fold || cp >= 0x80) {
        sl_set_add(set, cp, cp);
        return put_set(ps, set, begin);
    }
    if ((lower >= 'a' && lower <= 'z') || (cp >= '0' && cp <= '9'))
        return sl_buf_add_byte(ps->out, (uint8_t)cp, ps->err);
    return sl_buf_addf(ps->out, ps->err, "\\x{%x}", (unsigned)cp);
}

/* \b and \B, by look-around of one character. */
static enum sl_status word_border(struct parser *ps, struct sl_set *set, bool inside)
{
    size_t begin = ps->out->n;
    add_word(ps, set, true);
    SL_TRY(sl_set_dump(set, ps->out, ps->err));
    char *word = strndup((const char *)ps->out->p + begin, ps->out->n - begin);
    if (!word)
        return sl_err_nomem(ps->err, ps->out->n - begin);
    sl_set_clear(set);
    ps->out->n = begin;
    enum sl_status st =
        sl_buf_addf(ps->out, ps->err,
                    inside ? "(?:(?<=%s)(?=%s)|(?<!%s)(?!%s))" : "(?:(?<=%s)(?!%s)|(?<!%s)(?=%s))",
                    word, word, word, word);
    free(word);
    return st;
}

static enum sl_status alternatives(struct parser *ps);

/* Behind a '('. */
static enum sl_status group(struct parser *ps, bool *repeats)
{
    static const char *const opens[] = { "?:", "?=", "?!", "?<=", "?<!", "?>" };
    size_t begin = ps->at, i = 0;
    bool fold = ps->fold;
    const char *open = "?:";
    if (peek(ps, 0) == '?') {
        for (; i < 6 && !accept(ps, sl_str_of(opens[i])); i++)
            ;
        if (i < 6)
            open = opens[i];
        else if (accept(ps, SL_STR("?i:")))
            ps->fold = true;
        else if (accept(ps, SL_STR("?-i:")))
            ps->fold = false;
        else
            return refuse(ps, begin - 1, "a group of a kind that is not known here");
        *repeats = i == 0 || i >= 5;
    } else if (peek(ps, 0) == '*') {
        return refuse(ps, begin - 1, "a group of a kind that is not known here");
    }
    if (++ps->depth > MAX_DEPTH)
        return refuse(ps, begin, "groups nested too deeply");
    ps->last = 0;
    SL_TRY(put(ps, "("));
    SL_TRY(put(ps, open));
    SL_TRY(alternatives(ps));
    if (!accept(ps, SL_STR(")")))
        return refuse(ps, begin - 1, "a group without its end");
    ps->depth--;
    ps->fold = fold;
    ps->last = 0;
    return put(ps, ")");
}

/* What is no character, class or group. False: it is none of these either. */
static bool anchor(struct parser *ps, enum sl_status *st)
{
    bool lines = ps->engine == SL_REGEX_ONIGURUMA;
    if (accept(ps, SL_STR("^")))
        *st = put(ps, lines ? "(?:\\A|(?<=\\n)(?!\\z))" : "\\A");
    else if (accept(ps, SL_STR("$")))
        *st = put(ps, lines ? "(?=\\n|\\z)" : "\\z");
    else if (accept(ps, SL_STR("\\A")))
        *st = put(ps, "\\A");
    else if (accept(ps, SL_STR("\\z")))
        *st = put(ps, "\\z");
    else
        return false;
    return true;
}

/* One atom; *repeats: it may be repeated. */
static enum sl_status atom(struct parser *ps, bool *repeats)
{
    struct sl_set *set = ps->set;
    size_t begin = ps->at;
    int64_t cp;
    enum sl_status st;
    int c = peek(ps, 0);
    *repeats = false;
    if (anchor(ps, &st))
        return st;
    if (accept(ps, SL_STR("\\b")) || accept(ps, SL_STR("\\B")))
        return word_border(ps, set, ps->s.p[ps->at - 1] == 'B');
    *repeats = true;
    switch (c) {
    case '(':
        ps->at++;
        return group(ps, repeats);
    case '[':
        ps->at++;
        SL_TRY(bracket(ps, set, 0));
        break;
    case '.':
        ps->at++;
        sl_set_add(set, '\n', '\n');
        sl_set_invert(set);
        SL_TRY(sl_set_dump(set, ps->out, ps->err));
        sl_set_clear(set);
        return SL_OK;
    case '\\':
        ps->at++;
        SL_TRY(escape(ps, set, true, &cp));
        if (cp >= 0)
            return put_char(ps, (uint32_t)cp, begin, set);
        break;
    case '*':
    case '+':
    case '?':
    case '{':
    case '}':
    case ']':
        return refuse(ps, begin, "a sign that stands for itself only behind a backslash");
    default:
        return put_char(ps, next_char(ps), begin, set);
    }
    ps->last = 0;
    return put_set(ps, set, begin);
}

/* ---- Repetition */

static bool number(struct parser *ps, unsigned *value)
{
    size_t begin = ps->at;
    *value = 0;
    for (; peek(ps, 0) >= '0' && peek(ps, 0) <= '9' && ps->at - begin < 4; ps->at++)
        *value = *value * 10 + (unsigned)(peek(ps, 0) - '0');
    return ps->at > begin && *value <= 1000;
}

/* {n}, {n,} or {n,m} at the place, appended; *fixed: it is {n}. */
static enum sl_status counted(struct parser *ps, bool *fixed)
{
    size_t begin = ps->at++;
    unsigned low, high;
    *fixed = false;
    if (!number(ps, &low))
        return refuse(ps, begin, "a repetition that is not understood");
    if (accept(ps, SL_STR("}"))) {
        *fixed = true;
        return sl_buf_addf(ps->out, ps->err, "{%u}", low);
    }
    if (accept(ps, SL_STR(",}")))
        return sl_buf_addf(ps->out, ps->err, "{%u,}", low);
    if (!accept(ps, SL_STR(",")) || !number(ps, &high) || !accept(ps, SL_STR("}")) || high < low)
        return refuse(ps, begin, "a repetition that is not understood");
    return sl_buf_addf(ps->out, ps->err, "{%u,%u}", low, high);
}

/* What was appended from begin on becomes a group that is repeated. */
static enum sl_status repeat_group(struct parser *ps, size_t begin)
{
    static const char open[] = "(?:";
    SL_TRY(put(ps, open));
    memmove(ps->out->p + begin + 3, ps->out->p + begin, ps->out->n - begin - 3);
    memcpy(ps->out->p + begin, open, 3);
    return put(ps, ")+");
}

/* A repetition behind the atom that was appended from begin on, if there is one. */
static enum sl_status repetition(struct parser *ps, size_t begin, bool repeats)
{
    size_t place = ps->at;
    int c = peek(ps, 0);
    bool fixed = false;
    if (c != '*' && c != '+' && c != '?' && c != '{')
        return SL_OK;
    if (!repeats)
        return refuse(ps, place, "a repetition of what cannot be repeated");
    ps->last = 0;
    if (c == '{') {
        SL_TRY(counted(ps, &fixed));
    } else {
        ps->at++;
        SL_TRY(sl_buf_add_byte(ps->out, (uint8_t)c, ps->err));
    }
    if (accept(ps, SL_STR("?"))) {
        if (fixed)
            return refuse(ps, place, "a fixed repetition with a question mark");
        SL_TRY(put(ps, "?"));
    } else if (accept(ps, SL_STR("+"))) {
        if (c == '{' && ps->engine == SL_REGEX_ONIGURUMA)
            SL_TRY(repeat_group(ps, begin));
        else
            SL_TRY(put(ps, "+"));
    }
    c = peek(ps, 0);
    if (c == '*' || c == '+' || c == '?' || c == '{')
        return refuse(ps, ps->at, "a repetition of a repetition");
    return SL_OK;
}

static enum sl_status alternatives(struct parser *ps)
{
    while (ps->at < ps->s.n && peek(ps, 0) != ')') {
        if (accept(ps, SL_STR("|"))) {
            ps->last = 0;
            SL_TRY(put(ps, "|"));
            continue;
        }
        size_t begin = ps->out->n;
        bool repeats;
        SL_TRY(atom(ps, &repeats));
        SL_TRY(repetition(ps, begin, repeats));
    }
    return SL_OK;
}

enum sl_status sl_regex_rewrite(struct sl_str pattern, enum sl_regex_engine engine,
                                struct sl_buf *out, struct sl_err *err)
{
    struct parser ps = { .s = pattern, .engine = engine, .out = out, .err = err };
    if (pattern.n == 0 || pattern.n > MAX_PATTERN)
        return sl_err_set(err, SL_E_DATA, "an expression of %zu bytes", pattern.n);
    if (!sl_utf8_valid(pattern.p, pattern.n))
        return sl_err_set(err, SL_E_DATA, "an expression that is no UTF-8");
    ps.fold = accept(&ps, SL_STR("(?i)"));
    ps.set = sl_set_new();
    if (!ps.set)
        return sl_err_nomem(err, sizeof *ps.set);
    enum sl_status st = alternatives(&ps);
    free(ps.set);
    if (st == SL_OK && ps.at < pattern.n)
        st = refuse(&ps, ps.at, "a ) without its (");
    return st;
}
