/* SPDX-License-Identifier: Apache-2.0 */
/* JSON strings, 32 bytes at a step.
 *
 * The end is looked for by jumps: the next byte that is a quote, a backslash or
 * a control character, then over the escape, then the next. In documents an
 * escape comes every 50 bytes or so (line ends), and in ASCII-only JSON of other
 * scripts one behind the other, so what follows an escape is looked at before a
 * vector is loaded. The same jumps copy the characters out; no step reads or
 * writes beyond the string, since the characters are never longer than it.
 *
 * Rejected: bit masks of a whole block with carries for runs of backslashes,
 * which find all strings of a text at once but make their answer only after a
 * second walk over masks; lines are few strings, and those long. */
#include "text/json_string.h"

#include <string.h>

#include "base/utf8.h"

/* Value of a hex digit; 16 and more: none. A table: branches on digits are never foreseen. */
static inline unsigned hex(uint8_t c)
{
    static const uint8_t of[256] = {
        ['0'] = 0x80, ['1'] = 0x81, ['2'] = 0x82, ['3'] = 0x83, ['4'] = 0x84, ['5'] = 0x85,
        ['6'] = 0x86, ['7'] = 0x87, ['8'] = 0x88, ['9'] = 0x89, ['a'] = 0x8a, ['b'] = 0x8b,
        ['c'] = 0x8c, ['d'] = 0x8d, ['e'] = 0x8e, ['f'] = 0x8f, ['A'] = 0x8a, ['B'] = 0x8b,
        ['C'] = 0x8c, ['D'] = 0x8d, ['E'] = 0x8e, ['F'] = 0x8f,
    };
    return of[c] ^ 0x80u;
}

/* What a short escape stands for; 0: it is none. */
static inline uint8_t short_escape(uint8_t c)
{
    static const uint8_t of[256] = { ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                     ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t' };
    return of[c];
}

/* Length of the escape at p[0], 0 where it is none. */
static inline size_t escape_length(const uint8_t *p, size_t n)
{
    if (n < 2)
        return 0;
    if (short_escape(p[1]))
        return 2;
    if (p[1] != 'u' || n < 6)
        return 0;
    return (hex(p[2]) | hex(p[3]) | hex(p[4]) | hex(p[5])) < 16 ? 6 : 0;
}

static inline uint32_t unit_at(const uint8_t *p)
{
    return hex(p[2]) << 12 | hex(p[3]) << 8 | hex(p[4]) << 4 | hex(p[5]);
}

/* The character of the escape at p, which is a sound one, put to dst (room for
 * the bytes of the escape). Returns the bytes read; *put the bytes written. */
static inline size_t take_escape(uint8_t *dst, size_t *put, const uint8_t *p, size_t n,
                                 uint64_t *n_replaced)
{
    if (p[1] != 'u') {
        dst[0] = short_escape(p[1]);
        *put = 1;
        return 2;
    }
    uint32_t c = unit_at(p);
    size_t used = 6;
    if (c >= 0xd800 && c < 0xe000) {
        uint32_t low = c < 0xdc00 && n >= 12 && p[6] == '\\' && p[7] == 'u' ? unit_at(p + 6) : 0;
        bool pair = low >= 0xdc00 && low < 0xe000;
        c = pair ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
        used = pair ? 12 : 6;
        *n_replaced += !pair;
    }
    if (c < 0x80 || c >= 0x800) {
        *put = sl_utf8_put(dst, c);
        return used;
    }
    /* Cyrillic, Greek, Arabic, Hebrew: text of nothing else is the slow case */
    dst[0] = (uint8_t)(0xc0 | c >> 6);
    dst[1] = (uint8_t)(0x80 | (c & 0x3f));
    *put = 2;
    return used;
}

size_t sl_json_string_end_plain(const uint8_t *p, size_t n, bool *escaped)
{
    size_t i = 0;
    while (i < n && p[i] != '"' && p[i] >= 0x20) {
        size_t step = p[i] == '\\' ? escape_length(p + i, n - i) : 1;
        if (!step)
            return i;
        *escaped |= p[i] == '\\';
        i += step;
    }
    return i;
}

size_t sl_json_string_chars_plain(uint8_t *dst, const uint8_t *p, size_t n, uint64_t *n_replaced)
{
    size_t o = 0;
    for (size_t i = 0, put = 1; i < n; o += put, put = 1) {
        if (p[i] == '\\')
            i += take_escape(dst + o, &put, p + i, n - i, n_replaced);
        else
            dst[o] = p[i++];
    }
    return o;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi")))

/* Bits of the bytes that are a quote, a backslash or below a blank. */
AVX2 static inline uint32_t stops(__m256i v)
{
    __m256i quote = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('"'));
    __m256i slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'));
    __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v);
    return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(quote, slash), control));
}

AVX2 static size_t string_end_avx2(const uint8_t *p, size_t n, bool *escaped)
{
    size_t i = 0;
    while (n - i >= 32) {
        uint32_t at = stops(_mm256_loadu_si256((const __m256i *)(const void *)(p + i)));
        if (!at) {
            i += 32;
            continue;
        }
        i += (size_t)__builtin_ctz(at);
        if (p[i] != '\\')
            return i;
        do {
            size_t step = escape_length(p + i, n - i);
            if (!step)
                return i;
            i += step;
        } while (i < n && p[i] == '\\');
        *escaped = true;
    }
    return i + sl_json_string_end_plain(p + i, n - i, escaped);
}

AVX2 static size_t string_chars_avx2(uint8_t *dst, const uint8_t *p, size_t n, uint64_t *n_replaced)
{
    const __m256i slash = _mm256_set1_epi8('\\');
    size_t i = 0, o = 0, put;
    while (n - i >= 32) {
        /* dst + o has 32 bytes of room: o is never ahead of i */
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        _mm256_storeu_si256((__m256i *)(void *)(dst + o), v);
        uint32_t at = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, slash));
        if (!at) {
            i += 32;
            o += 32;
            continue;
        }
        i += (size_t)__builtin_ctz(at);
        o += (size_t)__builtin_ctz(at);
        do {
            i += take_escape(dst + o, &put, p + i, n - i, n_replaced);
            o += put;
        } while (i < n && p[i] == '\\');
    }
    return o + sl_json_string_chars_plain(dst + o, p + i, n - i, n_replaced);
}

static bool have_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}

size_t sl_json_string_end(const uint8_t *p, size_t n, bool *escaped)
{
    return n >= 32 && have_avx2() ? string_end_avx2(p, n, escaped)
                                  : sl_json_string_end_plain(p, n, escaped);
}

size_t sl_json_string_chars(uint8_t *dst, const uint8_t *p, size_t n, uint64_t *n_replaced)
{
    return n >= 32 && have_avx2() ? string_chars_avx2(dst, p, n, n_replaced)
                                  : sl_json_string_chars_plain(dst, p, n, n_replaced);
}

#else

size_t sl_json_string_end(const uint8_t *p, size_t n, bool *escaped)
{
    return sl_json_string_end_plain(p, n, escaped);
}

size_t sl_json_string_chars(uint8_t *dst, const uint8_t *p, size_t n, uint64_t *n_replaced)
{
    return sl_json_string_chars_plain(dst, p, n, n_replaced);
}
#endif
