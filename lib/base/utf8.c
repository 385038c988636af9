/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, one sequence at a time. The fast validator is in utf8_simd.c; what
 * must know where an error is walks plainly, eight ASCII bytes at a step. */
#include "base/utf8.h"

#include <string.h>

#include "base/num.h"
#include "base/utf8_simd.h"

/* Length of the sequence at p (n > 0 bytes are there); *good says whether it
 * is well-formed. If not, the length is that of the maximal part that U+FFFD
 * stands for. */
static size_t sequence(const uint8_t *p, size_t n, bool *good)
{
    uint8_t c = p[0], low = 0x80, high = 0xbf;
    *good = c < 0x80;
    if (c < 0xc2 || c > 0xf4)
        return 1;
    size_t need = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (c == 0xe0)
        low = 0xa0;
    else if (c == 0xed)
        high = 0x9f;
    else if (c == 0xf0)
        low = 0x90;
    else if (c == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i < need; i++, low = 0x80, high = 0xbf)
        if (i >= n || p[i] < low || p[i] > high)
            return i;
    *good = true;
    return need;
}

static size_t skip_ascii(const uint8_t *p, size_t i, size_t n)
{
    while (n - i >= 8 && !(sl_load64(p + i) & 0x8080808080808080u))
        i += 8;
    while (i < n && p[i] < 0x80)
        i++;
    return i;
}

/* Offset at or after i of the first ill-formed sequence, n where there is none. */
static size_t find_bad(const uint8_t *p, size_t i, size_t n)
{
    while ((i = skip_ascii(p, i, n)) < n) {
        bool good;
        size_t len = sequence(p + i, n - i, &good);
        if (!good)
            return i;
        i += len;
    }
    return n;
}

bool sl_utf8_valid_plain(const void *p, size_t n)
{
    return find_bad(p, 0, n) == n;
}

bool sl_utf8_valid(const void *p, size_t n)
{
    return n < SL_UTF8_SIMD_MIN ? sl_utf8_valid_plain(p, n) : sl_utf8_valid_simd(p, n);
}

size_t sl_utf8_first_bad(const void *p, size_t n)
{
    return sl_utf8_valid(p, n) ? n : find_bad(p, 0, n);
}

enum sl_status sl_utf8_repair(struct sl_buf *out, const void *p, size_t n, uint64_t *n_bad,
                              struct sl_err *err)
{
    const uint8_t *s = p;
    size_t start = out->n;
    if (sl_utf8_valid(p, n))
        return sl_buf_add(out, p, n, err);
    uint64_t found = 0;
    for (size_t i = 0; i < n;) {
        bool good = true;
        size_t bad = find_bad(s, i, n);
        enum sl_status st = sl_buf_add(out, s + i, bad - i, err);
        if (st == SL_OK && bad < n)
            st = sl_buf_add(out, "\xef\xbf\xbd", 3, err);
        if (st != SL_OK) {
            out->n = start;
            return st;
        }
        found += bad < n;
        i = bad < n ? bad + sequence(s + bad, n - bad, &good) : n;
    }
    *n_bad += found;
    return SL_OK;
}

uint32_t sl_utf8_next(const uint8_t **p, const uint8_t *end)
{
    const uint8_t *s = *p;
    uint32_t c = s[0];
    size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    /* Only text that breaks the contract is cut; it must not be read over. */
    if (len > (size_t)(end - s)) {
        *p = end;
        return 0xfffd;
    }
    *p = s + len;
    switch (len) {
    case 1:
        return c;
    case 2:
        return (c & 0x1f) << 6 | (s[1] & 0x3fu);
    case 3:
        return (c & 0x0f) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
    default:
        return (c & 0x07) << 18 | (s[1] & 0x3fu) << 12 | (s[2] & 0x3fu) << 6 | (s[3] & 0x3fu);
    }
}

unsigned sl_utf8_put(uint8_t out[4], uint32_t cp)
{
    if (cp < 0x80) {
        out[0] = (uint8_t)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (uint8_t)(0xc0 | cp >> 6);
        out[1] = (uint8_t)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (uint8_t)(0xe0 | cp >> 12);
        out[1] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (cp & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | cp >> 18);
    out[1] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (cp & 0x3f));
    return 4;
}

/* Every byte that is no continuation begins a code point. Of a word, bit 7
 * and not bit 6 of each byte marks a continuation. */
size_t sl_utf8_count(const void *p, size_t n)
{
    const uint8_t *s = p;
    size_t i = 0, follow = 0;
    for (; n - i >= 8; i += 8) {
        uint64_t w = sl_load64(s + i);
        follow += (size_t)__builtin_popcountll(w & ~(w << 1) & 0x8080808080808080u);
    }
    for (; i < n; i++)
        follow += (s[i] & 0xc0) == 0x80;
    return n - follow;
}
