/* SPDX-License-Identifier: Apache-2.0 */
/* The three steps of DeepSeek V3 as one scanner:
 *
 *   \p{N}{1,3}
 *   [一-龥぀-ゟ゠-ヿ]+
 *   [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|
 *    ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *
 * The first two cut the text into numbers, runs of the kana and Chinese characters, and
 * what lies between; the third cuts each of these as a text of its own. So what is of
 * another kind of stretch is the end of the text to it: its class is 0. The third does
 * not match every character (controls, unassigned ones): what lies between two of its
 * matches is a piece. */
#include "token/split_scan.h"

struct stretch {
    const uint8_t *p;
    size_t n;
    bool east; /* of U+4E00-9FA5 and 3040-30FF */
};

static inline bool is_east(uint32_t cp)
{
    return (cp >= 0x4e00 && cp <= 0x9fa5) || (cp >= 0x3040 && cp <= 0x30ff);
}

static inline uint32_t class_in(const struct stretch *s, size_t at, size_t *after)
{
    if (at >= s->n)
        return 0;
    uint32_t cp = sl_scan_char(s->p, at, s->n, after);
    uint32_t class = SL_CLASS(sl_class_byte(cp) & 31);
    return class & SL_CLASS_N || is_east(cp) != s->east ? 0 : class;
}

static inline size_t run(const struct stretch *s, size_t at, uint32_t set)
{
    size_t after = at;
    while (class_in(s, at, &after) & set)
        at = after;
    return at;
}

static inline bool is_ascii_letter(unsigned c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* sl_scan_space within a stretch. */
static size_t space_end(const struct stretch *s, size_t at)
{
    size_t i = at, last = at, newline = 0, after = at;
    uint32_t class;
    while ((class = class_in(s, i, &after)) & SL_CLASS_SPACE) {
        last = i;
        i = after;
        if (class & SL_CLASS_NEWLINE)
            newline = i;
    }
    if (newline)
        return newline;
    return class == 0 || last == at ? i : last;
}

/* The end of the third expression's match at `at`; 0 where it does not match there. */
static size_t match_end(const struct stretch *s, size_t at)
{
    const uint32_t word = SL_CLASS_L | SL_CLASS_M, sign = SL_CLASS_P | SL_CLASS_S;
    const uint8_t *p = s->p;
    size_t after = at, behind = at;
    uint32_t class = class_in(s, at, &after), next = class_in(s, after, &behind);
    if (class & sign && p[at] < 0x80 && next && is_ascii_letter(p[after])) {
        for (at = behind; at < s->n && is_ascii_letter(p[at]);)
            at++;
        return at;
    }
    if (!(class & (SL_CLASS_NEWLINE | SL_CLASS_L | sign)) && next & word)
        return run(s, behind, word);
    if (class & word)
        return run(s, after, word);
    if (class & sign || (p[at] == ' ' && next & sign))
        return run(s, run(s, after, sign), SL_CLASS_NEWLINE);
    return class & SL_CLASS_SPACE ? space_end(s, at) : 0;
}

size_t sl_scan_deepseek3(const uint8_t *p, size_t at, size_t n)
{
    size_t after;
    uint32_t cp = sl_scan_char(p, at, n, &after);
    if (sl_class_in(sl_class_byte(cp), SL_CLASS_N))
        return sl_scan_few(p, after, n, SL_CLASS_N, 2);
    struct stretch s = { p, n, is_east(cp) };
    size_t end = match_end(&s, at);
    if (end)
        return end;
    for (at = after; class_in(&s, at, &after) && !match_end(&s, at); at = after)
        ;
    return at;
}
