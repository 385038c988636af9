/* SPDX-License-Identifier: Apache-2.0 */
/* Words and lines by a table of bytes: most bytes can neither be nor begin a
 * blank or a line break, and are passed at one look each. The multi-byte ones
 * that matter begin with C2, E1, E2 or E3. Where every byte of a text has to be
 * classified, class_mask.h is the faster way. */
#include "text/words.h"

#include "base/utf8.h"
#include "text/chars.h"

enum { NOTHING, BLANK, BREAK, LEAD }; /* BREAK: blank too. LEAD: has to be decoded */

static const uint8_t KIND[256] = {
    ['\t'] = BLANK, ['\n'] = BREAK, ['\v'] = BREAK, ['\f'] = BREAK, ['\r'] = BREAK,
    [0x1c] = BREAK, [0x1d] = BREAK, [0x1e] = BREAK, [0x1f] = BLANK, [' '] = BLANK,
    [0xc2] = LEAD,  [0xe1] = LEAD,  [0xe2] = LEAD,  [0xe3] = LEAD,
};

/* The length in bytes of the blank at p, 0 where there is none. */
static size_t blank_at(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *q = p;
    if (KIND[*p] != LEAD)
        return KIND[*p] != NOTHING;
    return sl_char_is_blank(sl_utf8_next(&q, end)) ? (size_t)(q - p) : 0;
}

/* The same of a line break. */
static size_t break_at(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *q = p;
    if (KIND[*p] == BREAK)
        return p[0] == '\r' && end - p > 1 && p[1] == '\n' ? 2 : 1;
    if (KIND[*p] != LEAD)
        return 0;
    uint32_t cp = sl_utf8_next(&q, end);
    return cp == 0x85 || cp == 0x2028 || cp == 0x2029 ? (size_t)(q - p) : 0;
}

bool sl_word_next(struct sl_text_iter *it, struct sl_str *word)
{
    const uint8_t *p = it->p, *end = it->end;
    for (size_t n; p < end && (n = blank_at(p, end));)
        p += n;
    const uint8_t *from = p;
    while (p < end && (KIND[*p] == NOTHING || !blank_at(p, end)))
        p++; /* of a code point that is no blank, later bytes are none either */
    it->p = p;
    *word = (struct sl_str){ (const char *)from, (size_t)(p - from) };
    return p > from;
}

bool sl_line_next(struct sl_text_iter *it, struct sl_str *line)
{
    const uint8_t *p = it->p, *end = it->end;
    size_t n = 0;
    if (p == end)
        return false;
    while (p < end && (KIND[*p] == NOTHING || !(n = break_at(p, end))))
        p++;
    *line = (struct sl_str){ (const char *)it->p, (size_t)(p - it->p) };
    it->p = p + n;
    return true;
}

static bool is_ascii_blank(uint8_t b)
{
    return KIND[b] == BLANK || KIND[b] == BREAK;
}

struct sl_str sl_blank_lstrip(struct sl_str s)
{
    const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
    for (size_t n = 0; p < end; p += n) {
        n = is_ascii_blank(*p) ? 1 : *p < 0x80 ? 0 : blank_at(p, end);
        if (!n)
            break;
    }
    return (struct sl_str){ (const char *)p, (size_t)(end - p) };
}

struct sl_str sl_blank_rstrip(struct sl_str s)
{
    const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
    while (end > p) {
        const uint8_t *q = end - 1;
        if (*q < 0x80 && !is_ascii_blank(*q))
            break;
        while (q > p && (*q & 0xc0) == 0x80)
            q--;
        if (*q >= 0x80 && blank_at(q, end) != (size_t)(end - q))
            break;
        end = q;
    }
    return (struct sl_str){ s.p, (size_t)(end - p) };
}
