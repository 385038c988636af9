/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_WEB_HTML_SCAN_H
#define SL_WEB_HTML_SCAN_H

/* Byte searches, 16 bytes a step where the machine has SSE2 (every x86-64),
 * byte by byte elsewhere and at the end. No byte at or behind end is read, and
 * end is returned where nothing is found. Inline, since the runs between two
 * hits are short: a call of memchr costs more than the search. */

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>

static inline __m128i html_load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline unsigned html_eq(__m128i v, uint8_t c)
{
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8((char)c)));
}
#endif

/* First a or b. */
static inline const uint8_t *html_find2(const uint8_t *p, const uint8_t *end, uint8_t a, uint8_t b)
{
#ifdef __SSE2__
    for (; end - p >= 16; p += 16) {
        __m128i v = html_load(p);
        unsigned hit = html_eq(v, a) | html_eq(v, b);
        if (hit)
            return p + __builtin_ctz(hit);
    }
#endif
    while (p < end && *p != a && *p != b)
        p++;
    return p;
}

/* First a that b or c follows. The search stops one byte before the end. */
static inline const uint8_t *html_find_pair(const uint8_t *p, const uint8_t *end, uint8_t a,
                                            uint8_t b, uint8_t c)
{
#ifdef __SSE2__
    for (; end - p >= 17; p += 16) {
        __m128i next = html_load(p + 1);
        unsigned hit = html_eq(html_load(p), a) & (html_eq(next, b) | html_eq(next, c));
        if (hit)
            return p + __builtin_ctz(hit);
    }
#endif
    for (; end - p >= 2; p++)
        if (p[0] == a && (p[1] == b || p[1] == c))
            return p;
    return end;
}

/* First quote; *amp is set where an '&' stands before it. */
static inline const uint8_t *html_find_quote(const uint8_t *p, const uint8_t *end, uint8_t quote,
                                             bool *amp)
{
#ifdef __SSE2__
    unsigned seen = 0;
    for (; end - p >= 16; p += 16) {
        __m128i v = html_load(p);
        unsigned hit = html_eq(v, quote);
        unsigned amps = html_eq(v, '&');
        if (hit) {
            *amp = (seen | (amps & (hit - 1) & ~hit)) != 0;
            return p + __builtin_ctz(hit);
        }
        seen |= amps;
    }
    *amp = seen != 0;
#else
    *amp = false;
#endif
    for (; p < end && *p != quote; p++)
        *amp |= *p == '&';
    return p;
}

#endif
