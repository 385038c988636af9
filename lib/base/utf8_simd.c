/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 validation by table lookup (Keiser and Lemire 2021).
 *
 * Each pair of neighbouring bytes is classified by three 16-entry tables: the
 * high and the low half of the first byte and the high half of the second. A
 * bit that survives the AND of the three is an error of that kind. The kind
 * TWO_CONTS is right exactly where a third or fourth byte is due, which two
 * saturating subtractions on the bytes two and three places back tell.
 *
 * Blocks of ASCII take a shorter way: they only ask whether the block before
 * ended inside a sequence. The input's tail is copied to a block padded with
 * zeros, which are ASCII, so that a cut sequence is found there as well; where
 * no tail is left the block is all zeros and does the same.
 *
 * Two twins, AVX2 and AVX-512BW, are written out, since a shared form
 * would hide the algorithm behind macros. The choice is made by
 * __builtin_cpu_supports at each call, which is a load and a test. */
#include "base/utf8_simd.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum {
    TOO_SHORT = 1 << 0,      /* a lead byte, then no continuation */
    TOO_LONG = 1 << 1,       /* ASCII, then a continuation */
    OVERLONG_3 = 1 << 2,     /* e0 80..9f */
    TOO_LARGE = 1 << 3,      /* f4 90..bf, f5.. 90..bf */
    SURROGATE = 1 << 4,      /* ed a0..bf */
    OVERLONG_2 = 1 << 5,     /* c0, c1 */
    TOO_LARGE_1000 = 1 << 6, /* f5.. 80..8f */
    OVERLONG_4 = 1 << 6,     /* f0 80..8f */
    TWO_CONTS = 1 << 7,      /* two continuations */
    ANY_LOW = TOO_SHORT | TOO_LONG | TWO_CONTS
};

#define BEYOND (ANY_LOW | TOO_LARGE | TOO_LARGE_1000)

static const uint8_t FIRST_HIGH[16] = {
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TWO_CONTS,
    TWO_CONTS,
    TWO_CONTS,
    TWO_CONTS,
    TOO_SHORT | OVERLONG_2,
    TOO_SHORT,
    TOO_SHORT | OVERLONG_3 | SURROGATE,
    TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4,
};

static const uint8_t FIRST_LOW[16] = {
    ANY_LOW | OVERLONG_3 | OVERLONG_2 | OVERLONG_4,
    ANY_LOW | OVERLONG_2,
    ANY_LOW,
    ANY_LOW,
    ANY_LOW | TOO_LARGE,
    BEYOND,
    BEYOND,
    BEYOND,
    BEYOND,
    BEYOND,
    BEYOND,
    BEYOND,
    BEYOND,
    BEYOND | SURROGATE,
    BEYOND,
    BEYOND,
};

static const uint8_t SECOND_HIGH[16] = {
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4,
    TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | TOO_LARGE,
    TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE,
    TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
};

/* The largest bytes with which the last three places of a block may end
 * without asking for more; lower places may hold anything. */
enum { MAX_3RD_LAST = 0xf0 - 1, MAX_2ND_LAST = 0xe0 - 1, MAX_LAST = 0xc0 - 1 };

#define AVX2 __attribute__((target("avx2")))
#define AVX2_INLINE static inline __attribute__((target("avx2"), always_inline))

struct state256 {
    __m256i error;
    __m256i before;     /* the block before */
    __m256i incomplete; /* nonzero where it ended inside a sequence */
    __m256i first_high, first_low, second_high;
    __m256i end_max;
};

AVX2_INLINE __m256i table256(const uint8_t t[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)t));
}

AVX2_INLINE void init256(struct state256 *s)
{
    uint8_t end_max[32];
    memset(end_max, 0xff, sizeof end_max);
    end_max[29] = MAX_3RD_LAST;
    end_max[30] = MAX_2ND_LAST;
    end_max[31] = MAX_LAST;
    s->error = s->before = s->incomplete = _mm256_setzero_si256();
    s->first_high = table256(FIRST_HIGH);
    s->first_low = table256(FIRST_LOW);
    s->second_high = table256(SECOND_HIGH);
    s->end_max = _mm256_loadu_si256((const __m256i *)end_max);
}

AVX2_INLINE void check256(struct state256 *s, __m256i now)
{
    const __m256i low_half = _mm256_set1_epi8(0x0f), top = _mm256_set1_epi8((char)0x80);
    __m256i joint = _mm256_permute2x128_si256(s->before, now, 0x21);
    __m256i prev1 = _mm256_alignr_epi8(now, joint, 15);
    __m256i prev2 = _mm256_alignr_epi8(now, joint, 14);
    __m256i prev3 = _mm256_alignr_epi8(now, joint, 13);
    __m256i kind = _mm256_and_si256(
        _mm256_and_si256(
            _mm256_shuffle_epi8(s->first_high,
                                _mm256_and_si256(_mm256_srli_epi16(prev1, 4), low_half)),
            _mm256_shuffle_epi8(s->first_low, _mm256_and_si256(prev1, low_half))),
        _mm256_shuffle_epi8(s->second_high, _mm256_and_si256(_mm256_srli_epi16(now, 4), low_half)));
    __m256i due = _mm256_or_si256(_mm256_subs_epu8(prev2, _mm256_set1_epi8((char)(0xe0 - 0x80))),
                                  _mm256_subs_epu8(prev3, _mm256_set1_epi8((char)(0xf0 - 0x80))));
    s->error = _mm256_or_si256(s->error, _mm256_xor_si256(_mm256_and_si256(due, top), kind));
    s->before = now;
}

AVX2 static bool valid_avx2(const uint8_t *p, size_t n)
{
    struct state256 s;
    size_t i = 0;
    init256(&s);
    for (; n - i >= 128; i += 128) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(p + i));
        __m256i b = _mm256_loadu_si256((const __m256i *)(p + i + 32));
        __m256i c = _mm256_loadu_si256((const __m256i *)(p + i + 64));
        __m256i d = _mm256_loadu_si256((const __m256i *)(p + i + 96));
        __m256i any = _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d));
        if (!_mm256_movemask_epi8(any)) {
            s.error = _mm256_or_si256(s.error, s.incomplete);
            s.incomplete = _mm256_setzero_si256();
            s.before = d;
            continue;
        }
        check256(&s, a);
        check256(&s, b);
        check256(&s, c);
        check256(&s, d);
        s.incomplete = _mm256_subs_epu8(d, s.end_max);
        if (!_mm256_testz_si256(s.error, s.error))
            return false;
    }
    for (; n - i >= 32; i += 32)
        check256(&s, _mm256_loadu_si256((const __m256i *)(p + i)));
    uint8_t tail[32] = { 0 };
    if (n - i)
        memcpy(tail, p + i, n - i);
    check256(&s, _mm256_loadu_si256((const __m256i *)tail));
    return _mm256_testz_si256(s.error, s.error);
}

#define AVX512 __attribute__((target("avx512f,avx512bw")))
#define AVX512_INLINE static inline __attribute__((target("avx512f,avx512bw"), always_inline))

struct state512 {
    __m512i error, before, incomplete;
    __m512i first_high, first_low, second_high;
    __m512i end_max;
};

AVX512_INLINE __m512i table512(const uint8_t t[16])
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)t));
}

AVX512_INLINE void init512(struct state512 *s)
{
    uint8_t end_max[64];
    memset(end_max, 0xff, sizeof end_max);
    end_max[61] = MAX_3RD_LAST;
    end_max[62] = MAX_2ND_LAST;
    end_max[63] = MAX_LAST;
    s->error = s->before = s->incomplete = _mm512_setzero_si512();
    s->first_high = table512(FIRST_HIGH);
    s->first_low = table512(FIRST_LOW);
    s->second_high = table512(SECOND_HIGH);
    s->end_max = _mm512_loadu_si512(end_max);
}

AVX512_INLINE void check512(struct state512 *s, __m512i now)
{
    enum { AND3 = 0x80, XOR_AND = 0x78 /* a ^ (b & c) */ };
    const __m512i low_half = _mm512_set1_epi8(0x0f), top = _mm512_set1_epi8((char)0x80);
    __m512i joint = _mm512_alignr_epi64(now, s->before, 6);
    __m512i prev1 = _mm512_alignr_epi8(now, joint, 15);
    __m512i prev2 = _mm512_alignr_epi8(now, joint, 14);
    __m512i prev3 = _mm512_alignr_epi8(now, joint, 13);
    __m512i kind = _mm512_ternarylogic_epi64(
        _mm512_shuffle_epi8(s->first_high, _mm512_and_si512(_mm512_srli_epi16(prev1, 4), low_half)),
        _mm512_shuffle_epi8(s->first_low, _mm512_and_si512(prev1, low_half)),
        _mm512_shuffle_epi8(s->second_high, _mm512_and_si512(_mm512_srli_epi16(now, 4), low_half)),
        AND3);
    __m512i due = _mm512_or_si512(_mm512_subs_epu8(prev2, _mm512_set1_epi8((char)(0xe0 - 0x80))),
                                  _mm512_subs_epu8(prev3, _mm512_set1_epi8((char)(0xf0 - 0x80))));
    s->error = _mm512_or_si512(s->error, _mm512_ternarylogic_epi64(kind, due, top, XOR_AND));
    s->before = now;
}

AVX512 static bool valid_avx512(const uint8_t *p, size_t n)
{
    struct state512 s;
    size_t i = 0;
    init512(&s);
    for (; n - i >= 128; i += 128) {
        __m512i a = _mm512_loadu_si512(p + i);
        __m512i b = _mm512_loadu_si512(p + i + 64);
        if (!_mm512_movepi8_mask(_mm512_or_si512(a, b))) {
            s.error = _mm512_or_si512(s.error, s.incomplete);
            s.incomplete = _mm512_setzero_si512();
            s.before = b;
            continue;
        }
        check512(&s, a);
        check512(&s, b);
        s.incomplete = _mm512_subs_epu8(b, s.end_max);
        if (_mm512_test_epi8_mask(s.error, s.error))
            return false;
    }
    for (; n - i >= 64; i += 64)
        check512(&s, _mm512_loadu_si512(p + i));
    /* The bytes that the mask leaves out are neither read nor faulted on. */
    __mmask64 rest = ((__mmask64)1 << (n - i)) - 1;
    check512(&s, _mm512_maskz_loadu_epi8(rest, p + i));
    return !_mm512_test_epi8_mask(s.error, s.error);
}

static bool have_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

static bool have_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

bool sl_utf8_valid_avx2(const void *p, size_t n, bool *valid)
{
    if (!have_avx2())
        return false;
    *valid = valid_avx2(p, n);
    return true;
}

bool sl_utf8_valid_avx512(const void *p, size_t n, bool *valid)
{
    if (!have_avx512())
        return false;
    *valid = valid_avx512(p, n);
    return true;
}

bool sl_utf8_valid_simd(const void *p, size_t n)
{
    if (have_avx512())
        return valid_avx512(p, n);
    return have_avx2() ? valid_avx2(p, n) : sl_utf8_valid_plain(p, n);
}

#else

bool sl_utf8_valid_avx2(const void *p, size_t n, bool *valid)
{
    (void)p, (void)n, (void)valid;
    return false;
}

bool sl_utf8_valid_avx512(const void *p, size_t n, bool *valid)
{
    (void)p, (void)n, (void)valid;
    return false;
}

bool sl_utf8_valid_simd(const void *p, size_t n)
{
    return sl_utf8_valid_plain(p, n);
}
#endif
