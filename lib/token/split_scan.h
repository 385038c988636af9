/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_SPLIT_SCAN_H
#define SL_TOKEN_SPLIT_SCAN_H

/* What the scanners of pre-tokenizers share. Private to lib/token.
 *
 * A scanner tells the end of the piece that begins at `at` (at < n) of p, which is n bytes
 * of valid UTF-8. It looks at nothing before `at`, so a border may be worked out from any
 * border before it, and it never answers `at`.
 *
 * Threads   pure functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "token/classes.h"

typedef size_t sl_scan_fn(const uint8_t *p, size_t at, size_t n);

sl_scan_fn sl_scan_gpt2, sl_scan_cl100k, sl_scan_llama3, sl_scan_qwen2, sl_scan_qwen35,
    sl_scan_o200k, sl_scan_tekken, sl_scan_deepseek3;

/* The code point at `at` (at < n) of valid UTF-8; *after: behind it. */
static inline uint32_t sl_scan_char(const uint8_t *p, size_t at, size_t n, size_t *after)
{
    uint32_t c = p[at];
    size_t left = n - at;
    if (c < 0x80) {
        *after = at + 1;
        return c;
    }
    if (c < 0xe0 && left >= 2) {
        *after = at + 2;
        return (c & 0x1f) << 6 | (p[at + 1] & 0x3fu);
    }
    if (c < 0xf0 && left >= 3) {
        *after = at + 3;
        return (c & 0x0f) << 12 | (p[at + 1] & 0x3fu) << 6 | (p[at + 2] & 0x3fu);
    }
    if (left >= 4) {
        *after = at + 4;
        return (c & 0x07) << 18 | (p[at + 1] & 0x3fu) << 12 | (p[at + 2] & 0x3fu) << 6 |
               (p[at + 3] & 0x3fu);
    }
    *after = n; /* only text that breaks the contract comes here */
    return 0xfffd;
}

/* The class (one bit of a set) of the code point at `at`; 0 at the end, which is thus in
 * no set. */
static inline uint32_t sl_scan_class(const uint8_t *p, size_t at, size_t n, size_t *after)
{
    if (at >= n) {
        *after = n;
        return 0;
    }
    return SL_CLASS(sl_class_byte(sl_scan_char(p, at, n, after)) & 31);
}

/* Behind the longest run of a set from `at` on. */
static inline size_t sl_scan_run(const uint8_t *p, size_t at, size_t n, uint32_t set)
{
    size_t after;
    while (sl_scan_class(p, at, n, &after) & set)
        at = after;
    return at;
}

/* Behind at most `most` of a set. */
static inline size_t sl_scan_few(const uint8_t *p, size_t at, size_t n, uint32_t set, int most)
{
    size_t after;
    for (int i = 0; i < most && sl_scan_class(p, at, n, &after) & set; i++)
        at = after;
    return at;
}

/* \s+(?!\S)|\s+ and, with newlines, \s*[\r\n]+ before them: `at` is white space. A run
 * ends behind its last newline; else before its last character where text follows, which
 * belongs to that text; else with the run. */
static inline size_t sl_scan_space(const uint8_t *p, size_t at, size_t n, bool newlines)
{
    size_t i = at, last = at, newline = 0, after;
    uint32_t class;
    while ((class = sl_scan_class(p, i, n, &after)) & SL_CLASS_SPACE) {
        last = i;
        i = after;
        if (class & SL_CLASS_NEWLINE)
            newline = i;
    }
    if (newlines && newline)
        return newline;
    return i == n || last == at ? i : last;
}

/* Bytes of 's 't 're 've 'm 'll 'd at `at`, 0 where there is none of them. */
static inline size_t sl_scan_contraction(const uint8_t *p, size_t at, size_t n, bool any_case)
{
    if (n - at < 2 || p[at] != '\'')
        return 0;
    unsigned fold = any_case ? 0x20 : 0;
    unsigned a = p[at + 1], b = n - at > 2 ? p[at + 2] : 0;
    if (any_case && a == 0xc5 && b == 0xbf) /* the long s */
        return 3;
    a |= a >= 'A' && a <= 'Z' ? fold : 0;
    b |= b >= 'A' && b <= 'Z' ? fold : 0;
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    return ((a == 'r' || a == 'v') && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

#endif
