/* SPDX-License-Identifier: Apache-2.0 */
/* Borders of pieces by masks: one bit a byte and class, then shifts and logic on words of
 * 64 bits. What a regular expression finds by walking follows, in ASCII, from the bytes
 * beside a place:
 *
 *   a run of letters, of digits, of signs and of white space begins a piece, unless the
 *   character before may begin it: a space (GPT-2), white space that is no newline, or
 *   a sign that stands alone and behind no space (the others);
 *   white space gives its last character away where text follows;
 *   newlines behind signs belong to them, and what follows the last newline of a run is cut.
 *
 * Where a run of one class must be told from another by what stands at its other end, a carry
 * runs through it: adding the bit of a run's start to the run clears it and sets the bit
 * behind it. Contractions are few; they are looked at one by one.
 *
 * A block begins where a piece begins, so nothing is carried from one to the next; its last
 * bytes, which are not decided yet, are read again. All bytes from the first that is not
 * ASCII on are left out. A border at i never depends on more than the two bytes behind it,
 * but in white space, so that the third byte from the end, or the last run of white space,
 * is the last that is told.
 *
 * The same logic runs on masks made by AVX-512, by AVX2, and by a plain loop, which is there
 * for the tests: it is slower than the scanners. */
#include "token/split_block.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

struct masks {
    uint64_t high, letter, upper, digit, space, blank, newline, quote, slash, control;
};

enum contraction { NONE, LOWER_CASE, ANY_CASE, BEHIND_A_WORD };

struct rules {
    bool gpt2;
    int digits;
    enum contraction contraction;
    bool cases; /* a capital behind a small letter begins a word */
    bool tail;  /* slashes behind signs and newlines belong to them */
    bool deep;  /* digits end the text; controls are not decided here */
};

static const struct rules all_rules[SL_N_SPLITS] = {
    [SL_SPLIT_GPT2] = { .gpt2 = true, .contraction = LOWER_CASE },
    [SL_SPLIT_CL100K] = { .digits = 3, .contraction = ANY_CASE },
    [SL_SPLIT_LLAMA3] = { .digits = 3, .contraction = ANY_CASE },
    [SL_SPLIT_QWEN2] = { .digits = 1, .contraction = ANY_CASE },
    [SL_SPLIT_QWEN35] = { .digits = 1, .contraction = ANY_CASE },
    [SL_SPLIT_O200K] = { .digits = 3, .contraction = BEHIND_A_WORD, .cases = true, .tail = true },
    [SL_SPLIT_TEKKEN] = { .digits = 1, .cases = true, .tail = true },
    [SL_SPLIT_DEEPSEEK3] = { .digits = 3, .deep = true },
};

/* Bits up to and with the i-th. */
INLINE uint64_t up_to(unsigned i)
{
    return i >= 63 ? ~UINT64_C(0) : (UINT64_C(2) << i) - 1;
}

INLINE unsigned lowest(uint64_t m)
{
    return (unsigned)__builtin_ctzll(m);
}

INLINE unsigned highest(uint64_t m)
{
    return 63 - (unsigned)__builtin_clzll(m);
}

/* Bytes of the contraction whose apostrophe is at i, 0: none; i + 2 is in the block. */
INLINE unsigned contraction_at(const uint8_t *p, unsigned i, bool any_case)
{
    unsigned fold = any_case ? 0x20 : 0, a = p[i + 1] | fold, b = p[i + 2] | fold;
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    return ((a == 'r' || a == 'v') && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

/* Contractions that begin a piece: the word behind them is another. */
INLINE uint64_t contractions_before(const uint8_t *p, uint64_t quotes, uint64_t borders,
                                    bool any_case)
{
    for (quotes &= (borders | 1) & up_to(61); quotes; quotes &= quotes - 1) {
        unsigned i = lowest(quotes), n = contraction_at(p, i, any_case);
        if (n) {
            borders &= ~(UINT64_C(2) << i);
            if (i + n < 64)
                borders |= UINT64_C(1) << (i + n);
        }
    }
    return borders;
}

/* Contractions that end a word. One right behind another begins a word instead. */
INLINE uint64_t contractions_behind(const uint8_t *p, uint64_t quotes, uint64_t borders)
{
    unsigned end = 0;
    for (quotes &= up_to(61); quotes; quotes &= quotes - 1) {
        unsigned i = lowest(quotes), n = i == end ? 0 : contraction_at(p, i, true);
        if (n) {
            end = i + n;
            borders &= ~(UINT64_C(7) << i);
            if (end < 64)
                borders |= UINT64_C(1) << end;
        }
    }
    return borders;
}

/* White space but newlines, between newlines of one run: no border behind the first of them. */
INLINE uint64_t without_blank_lines(uint64_t behind, uint64_t white, uint64_t newline)
{
    uint64_t hits = (white + behind) & ~white & newline;
    for (; hits; hits &= hits - 1) {
        unsigned i = lowest(hits);
        uint64_t before = ~white & (up_to(i) >> 1);
        behind &= ~(UINT64_C(1) << (highest(before) + 1));
    }
    return behind;
}

INLINE uint64_t digit_borders(uint64_t digit, int most)
{
    uint64_t start = digit & ~(digit << 1);
    if (most == 1)
        return digit;
    uint64_t four = digit & digit << 1 & digit << 2 & digit << 3, borders = start;
    while ((start = start << 3 & four) != 0)
        borders |= start;
    return borders;
}

/* The borders of GPT-2's pattern but contractions. */
INLINE uint64_t gpt2_borders(const struct masks *m, uint64_t sign)
{
    uint64_t starts =
        (m->letter & ~(m->letter << 1)) | (m->digit & ~(m->digit << 1)) | (sign & ~(sign << 1));
    return (starts & ~(m->blank << 1)) | (m->space & ~(m->space << 1)) |
           (m->space & ~(m->space >> 1));
}

/* The borders of the other patterns but contractions. *limit: no border behind it. */
INLINE uint64_t other_borders(const struct masks *m, const struct rules r, uint64_t sign,
                              unsigned *limit)
{
    uint64_t newline = m->newline, white = m->space & ~newline;
    uint64_t alone = sign & ~(sign << 1) & ~(m->blank << 1);
    uint64_t starts = (m->letter & ~(m->letter << 1) & ~(white << 1) & ~(alone << 1)) | alone;
    uint64_t carry = newline + (newline & sign << 1);
    uint64_t space = m->space & ~(newline & ~carry);
    uint64_t behind = white & (newline & space) << 1;
    uint64_t given = white & ~(m->space >> 1);
    if (r.deep)
        given &= ~(m->digit >> 1);
    if (r.tail && carry & ~newline & m->slash) {
        unsigned end = lowest(carry & ~newline & m->slash) - 1;
        *limit = end < *limit ? end : *limit;
    }
    if (r.cases)
        starts |= m->upper & (m->letter & ~m->upper) << 1;
    return starts | digit_borders(m->digit, r.digits) | (space & ~(space << 1)) | given |
           without_blank_lines(behind, white, newline);
}

INLINE uint64_t borders_of(struct masks m, const struct rules r, const uint8_t *p)
{
    uint64_t cut = m.high | (r.deep ? m.control : 0);
    unsigned n = cut ? lowest(cut) : 64;
    if (n < 5)
        return 0;
    uint64_t known = up_to(n - 1);
    uint64_t solid = known & ~m.space;
    if (!solid)
        return 0;
    unsigned limit = highest(solid) + 1 < n - 3 ? highest(solid) + 1 : n - 3;
    m.letter &= known;
    m.upper &= known;
    m.digit &= known;
    m.space &= known;
    m.blank &= known;
    m.newline &= known;
    m.slash &= known;
    m.quote &= known;
    uint64_t sign = solid & ~(m.letter | m.digit), borders;
    borders = r.gpt2 ? gpt2_borders(&m, sign) : other_borders(&m, r, sign, &limit);
    if (r.contraction == BEHIND_A_WORD)
        borders = contractions_behind(p, m.quote & m.letter << 1, borders);
    else if (r.contraction != NONE)
        borders = contractions_before(p, m.quote, borders, r.contraction == ANY_CASE);
    return borders & up_to(limit) & ~UINT64_C(1);
}

INLINE struct masks plain_masks(const uint8_t *p)
{
    struct masks m = { 0 };
    for (unsigned i = 0; i < SL_BLOCK_BYTES; i++) {
        uint64_t bit = UINT64_C(1) << i;
        unsigned c = p[i];
        m.high |= c >= 0x80 ? bit : 0;
        m.letter |= (c | 0x20) - 'a' < 26 ? bit : 0;
        m.upper |= c - 'A' < 26 ? bit : 0;
        m.digit |= c - '0' < 10 ? bit : 0;
        m.space |= c == ' ' || c - '\t' < 5 ? bit : 0;
        m.blank |= c == ' ' ? bit : 0;
        m.newline |= c == '\n' || c == '\r' ? bit : 0;
        m.quote |= c == '\'' ? bit : 0;
        m.slash |= c == '/' ? bit : 0;
        m.control |= c < '\t' || c - 14 < 18 || c == 0x7f ? bit : 0;
    }
    return m;
}

#define BLOCKS(TARGET, SET)                                                  \
    TARGET static uint64_t SET##_gpt2(const uint8_t *p)                      \
    {                                                                        \
        return borders_of(SET##_masks(p), all_rules[SL_SPLIT_GPT2], p);      \
    }                                                                        \
    TARGET static uint64_t SET##_cl100k(const uint8_t *p)                    \
    {                                                                        \
        return borders_of(SET##_masks(p), all_rules[SL_SPLIT_CL100K], p);    \
    }                                                                        \
    TARGET static uint64_t SET##_qwen2(const uint8_t *p)                     \
    {                                                                        \
        return borders_of(SET##_masks(p), all_rules[SL_SPLIT_QWEN2], p);     \
    }                                                                        \
    TARGET static uint64_t SET##_o200k(const uint8_t *p)                     \
    {                                                                        \
        return borders_of(SET##_masks(p), all_rules[SL_SPLIT_O200K], p);     \
    }                                                                        \
    TARGET static uint64_t SET##_tekken(const uint8_t *p)                    \
    {                                                                        \
        return borders_of(SET##_masks(p), all_rules[SL_SPLIT_TEKKEN], p);    \
    }                                                                        \
    TARGET static uint64_t SET##_deepseek3(const uint8_t *p)                 \
    {                                                                        \
        return borders_of(SET##_masks(p), all_rules[SL_SPLIT_DEEPSEEK3], p); \
    }

#define ROW(SET)                                                                             \
    {                                                                                        \
        NULL, SET##_gpt2, SET##_cl100k, SET##_cl100k, SET##_qwen2, SET##_qwen2, SET##_o200k, \
            SET##_tekken, SET##_deepseek3                                                    \
    }

BLOCKS(, plain)

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,bmi")))
#define AVX512 __attribute__((target("avx512f,avx512bw,bmi")))

/* Bytes of two halves from first on, n of them. */
AVX2 INLINE uint64_t range256(const __m256i v[2], char first, char n)
{
    uint64_t m = 0;
    for (int i = 1; i >= 0; i--) {
        __m256i d = _mm256_sub_epi8(v[i], _mm256_set1_epi8(first));
        __m256i in = _mm256_cmpeq_epi8(_mm256_min_epu8(d, _mm256_set1_epi8((char)(n - 1))), d);
        m = m << 32 | (uint32_t)_mm256_movemask_epi8(in);
    }
    return m;
}

AVX2 INLINE uint64_t equal256(const __m256i v[2], char c)
{
    uint64_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v[0], _mm256_set1_epi8(c)));
    uint64_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v[1], _mm256_set1_epi8(c)));
    return high << 32 | low;
}

AVX2 INLINE struct masks avx2_masks(const uint8_t *p)
{
    const __m256i fold = _mm256_set1_epi8(0x20);
    __m256i v[2] = { _mm256_loadu_si256((const __m256i *)(const void *)p),
                     _mm256_loadu_si256((const __m256i *)(const void *)(p + 32)) };
    __m256i f[2] = { _mm256_or_si256(v[0], fold), _mm256_or_si256(v[1], fold) };
    struct masks m = {
        .high = (uint64_t)(uint32_t)_mm256_movemask_epi8(v[1]) << 32 |
                (uint32_t)_mm256_movemask_epi8(v[0]),
        .letter = range256(f, 'a', 26),
        .upper = range256(v, 'A', 26),
        .digit = range256(v, '0', 10),
        .blank = equal256(v, ' '),
        .newline = equal256(v, '\n') | equal256(v, '\r'),
        .quote = equal256(v, '\''),
        .slash = equal256(v, '/'),
        .control = range256(v, 0, 9) | range256(v, 14, 18) | equal256(v, 0x7f),
    };
    m.space = m.blank | range256(v, '\t', 5);
    return m;
}

AVX512 INLINE uint64_t range512(__m512i v, char first, char n)
{
    return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(v, _mm512_set1_epi8(first)), _mm512_set1_epi8(n));
}

AVX512 INLINE uint64_t equal512(__m512i v, char c)
{
    return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(c));
}

AVX512 INLINE struct masks avx512_masks(const uint8_t *p)
{
    __m512i v = _mm512_loadu_si512((const void *)p);
    struct masks m = {
        .high = _mm512_movepi8_mask(v),
        .letter = range512(_mm512_or_si512(v, _mm512_set1_epi8(0x20)), 'a', 26),
        .upper = range512(v, 'A', 26),
        .digit = range512(v, '0', 10),
        .blank = equal512(v, ' '),
        .newline = equal512(v, '\n') | equal512(v, '\r'),
        .quote = equal512(v, '\''),
        .slash = equal512(v, '/'),
        .control = range512(v, 0, 9) | range512(v, 14, 18) | equal512(v, 0x7f),
    };
    m.space = m.blank | range512(v, '\t', 5);
    return m;
}

BLOCKS(AVX2, avx2)
BLOCKS(AVX512, avx512)
#endif

sl_block_fn *sl_block_of(enum sl_split_kind kind, enum sl_block_set set)
{
    static sl_block_fn *const plain[SL_N_SPLITS] = ROW(plain);
    if (kind >= SL_N_SPLITS)
        return NULL;
#if defined(__x86_64__)
    static sl_block_fn *const avx2[SL_N_SPLITS] = ROW(avx2), *const avx512[SL_N_SPLITS] =
                                                                 ROW(avx512);
    if (set == SL_BLOCK_AVX512)
        return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi") ? avx512[kind]
                                                                                   : NULL;
    if (set == SL_BLOCK_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") ? avx2[kind] : NULL;
#endif
    return set == SL_BLOCK_PLAIN ? plain[kind] : NULL;
}

sl_block_fn *sl_block_best(enum sl_split_kind kind)
{
    sl_block_fn *best = sl_block_of(kind, SL_BLOCK_AVX512);
    return best ? best : sl_block_of(kind, SL_BLOCK_AVX2);
}
