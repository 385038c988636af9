/* SPDX-License-Identifier: Apache-2.0 */
/* HTML tokenizer: character reference states.
 *
 * Names are walked down a trie made by gen/html_charref.py, which remembers the
 * last node that ended a name: the longest match. No name is longer than 33
 * bytes, so a run of '&' costs a bounded walk each. A value is never longer
 * than its reference by more than a fifth, which the scratch counts on. */
#include <string.h>

#include "base/utf8.h"
#include "web/html_charref_table.h"
#include "web/html_impl.h"

/* What numbers 0x80 to 0x9F mean: windows-1252, as people wrote them. */
static const uint16_t c1_meant[32] = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178,
};

/* The number of one digit, 99 where it is none. */
static unsigned digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 99;
}

/* Numeric character reference states: p is behind "&#". */
static size_t numeric(const uint8_t *p, const uint8_t *end, uint8_t *out, unsigned *n_out)
{
    const uint8_t *from = p;
    unsigned base = 10;
    if (p < end && (*p | 0x20) == 'x') {
        base = 16;
        p++;
    }
    const uint8_t *digits = p;
    uint32_t cp = 0;
    for (unsigned d; p < end && (d = digit_of(*p)) < base; p++)
        if (cp <= 0x10FFFF)
            cp = cp * base + d;
    if (p == digits)
        return 0;
    if (p < end && *p == ';')
        p++;
    if (cp == 0 || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
        cp = 0xFFFD;
    if (cp >= 0x80 && cp <= 0x9F)
        cp = c1_meant[cp - 0x80];
    *n_out = sl_utf8_put(out, cp);
    return (size_t)(p - from) + 2;
}

/* The child of node at that has byte c; 0 where there is none. */
static unsigned child_of(unsigned at, uint8_t c)
{
    for (unsigned i = charref_nodes[at].child; i; i++) {
        if (charref_nodes[i].byte == c)
            return i;
        if (charref_nodes[i].last || charref_nodes[i].byte > c)
            return 0;
    }
    return 0;
}

/* Named character reference state: p is behind the '&', at a letter. */
static size_t named(const uint8_t *p, const uint8_t *end, bool in_attr, uint8_t *out,
                    unsigned *n_out)
{
    const uint8_t *from = p, *match = NULL;
    unsigned value = 0;
    unsigned at = charref_first[*p++ & 127];
    while (at) {
        if (charref_nodes[at].value) {
            value = charref_nodes[at].value;
            match = p;
        }
        at = p < end ? child_of(at, *p) : 0;
        p++;
    }
    if (!match)
        return 0;
    if (in_attr && match[-1] != ';' && match < end &&
        (*match == '=' || html_is(*match, HTML_ALNUM)))
        return 0;
    *n_out = charref_values[value].n;
    memcpy(out, charref_values[value].utf8, *n_out);
    return (size_t)(match - from) + 1;
}

size_t sl_html_charref(const uint8_t *p, const uint8_t *end, bool in_attr, uint8_t *out,
                       unsigned *n_out)
{
    *n_out = 0;
    if (end - p < 3)
        return 0;
    if (p[1] == '#')
        return numeric(p + 2, end, out, n_out);
    return html_is(p[1], HTML_ALPHA) ? named(p + 1, end, in_attr, out, n_out) : 0;
}
