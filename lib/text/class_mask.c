/* SPDX-License-Identifier: Apache-2.0 */
/* Character classes as bit masks.
 *
 * The bytes of ASCII are classified all at once: a byte belongs to a class where
 * the entries of two tables of 16, for its low and its high half, have a bit in
 * common (the way of simdjson and of our UTF-8 check). What is not ASCII is then
 * looked up, one code point after another, and put into the same masks; English
 * text has a few of these in a hundred bytes. The plain twin differs in the ASCII
 * part alone.
 *
 * A code point may lie across two blocks: its classes are kept for the next one.
 * The last block is copied and filled up with blanks.
 *
 * Rejected: vector look-ups for two-byte scripts, which would need a copy of the
 * Unicode tables in another form; one code point takes about 3 ns as it is. */
#include "text/class_mask.h"

#include <string.h>

#include "text/chars.h"

enum { BLOCK = 64 };

/* The bits of one byte, for the plain twin and for single code points. */
static inline void put_bits(struct sl_class_mask *m, unsigned class, uint64_t bits)
{
    if (class & SL_CHAR_SPACE)
        m->blank |= bits;
    else if (!(class & (SL_CHAR_PUNCT | SL_CHAR_SYMBOL)))
        m->solid |= bits;
    if (class & SL_CHAR_LETTER)
        m->letter |= bits;
}

static inline bool is_break(uint32_t cp)
{
    return (cp >= 0x0a && cp <= 0x0d) || (cp >= 0x1c && cp <= 0x1e) || cp == 0x85 || cp == 0x2028 ||
           cp == 0x2029;
}

static void ascii_plain(const uint8_t *p, struct sl_class_mask *m)
{
    for (int i = 0; i < BLOCK; i++) {
        uint64_t bit = (uint64_t)1 << i;
        if (p[i] >= 0x80)
            continue;
        put_bits(m, sl_char_is_blank(p[i]) ? SL_CHAR_SPACE : sl_char_class(p[i]), bit);
        if (is_break(p[i]))
            m->brk |= bit;
        if (p[i] == '.')
            m->dot |= bit;
        if (p[i] == '#')
            m->hash |= bit;
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

enum {
    UP = 1 << 0,    /* A to O, a to o: high half 4 or 6, low 1 to 15 */
    DOWN = 1 << 1,  /* P to Z, p to z: high half 5 or 7, low 0 to 10 */
    TAB = 1 << 2,   /* 09 to 0d */
    SEP = 1 << 3,   /* 1c to 1f */
    SPACE = 1 << 4, /* 20 */
    DIGIT = 1 << 5, /* 30 to 39 */
    CTRL = 1 << 6,  /* 00 to 1f */
    DEL = 1 << 7,   /* 7f */
    LETTERS = UP | DOWN,
    BLANKS = TAB | SEP | SPACE
};

#define AVX2 __attribute__((target("avx2")))

static const int8_t LOW[16] = {
    DOWN | SPACE | DIGIT | CTRL,     UP | DOWN | DIGIT | CTRL, UP | DOWN | DIGIT | CTRL,
    UP | DOWN | DIGIT | CTRL,        UP | DOWN | DIGIT | CTRL, UP | DOWN | DIGIT | CTRL,
    UP | DOWN | DIGIT | CTRL,        UP | DOWN | DIGIT | CTRL, UP | DOWN | DIGIT | CTRL,
    UP | DOWN | DIGIT | CTRL | TAB,  UP | DOWN | CTRL | TAB,   UP | CTRL | TAB,
    UP | CTRL | TAB | SEP,           UP | CTRL | TAB | SEP,    UP | CTRL | SEP,
    (int8_t)(UP | CTRL | SEP | DEL),
};

static const int8_t HIGH[16] = { TAB | CTRL, SEP | CTRL, SPACE, DIGIT,
                                 UP,         DOWN,       UP,    (int8_t)(DOWN | DEL) };

/* Bits of the bytes whose class has one of the bits of which. */
AVX2 static inline uint32_t having(__m256i class, int which)
{
    __m256i none = _mm256_cmpeq_epi8(_mm256_and_si256(class, _mm256_set1_epi8((char)which)),
                                     _mm256_setzero_si256());
    return ~(uint32_t)_mm256_movemask_epi8(none);
}

AVX2 static inline uint32_t equal(__m256i v, char c)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(c)));
}

/* Bytes from to from + n: few, so two comparisons of unsigned differences. */
AVX2 static inline __m256i between(__m256i v, char from, char n)
{
    __m256i d = _mm256_sub_epi8(v, _mm256_set1_epi8(from));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(d, _mm256_set1_epi8(n)), d);
}

AVX2 static inline void half_avx2(const uint8_t *p, struct sl_class_mask *m, int shift)
{
    __m256i v = _mm256_loadu_si256((const __m256i *)p);
    __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)LOW));
    __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)HIGH));
    __m256i nibble = _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
    /* a byte of 0x80 and over gives 0 in the table of the low halves */
    __m256i class =
        _mm256_and_si256(_mm256_shuffle_epi8(low, v), _mm256_shuffle_epi8(high, nibble));
    uint32_t blank = having(class, BLANKS);
    m->blank |= (uint64_t)blank << shift;
    m->letter |= (uint64_t)having(class, LETTERS) << shift;
    m->solid |= (uint64_t)(having(class, LETTERS | DIGIT | CTRL | DEL) & ~blank) << shift;
    m->dot |= (uint64_t)equal(v, '.') << shift;
    m->hash |= (uint64_t)equal(v, '#') << shift;
    __m256i brk = _mm256_or_si256(between(v, 0x0a, 3), between(v, 0x1c, 2));
    m->brk |= (uint64_t)(uint32_t)_mm256_movemask_epi8(brk) << shift;
}

AVX2 static uint64_t ascii_avx2(const uint8_t *p, struct sl_class_mask *m)
{
    half_avx2(p, m, 0);
    half_avx2(p + 32, m, 32);
    uint32_t a = (uint32_t)_mm256_movemask_epi8(_mm256_loadu_si256((const __m256i *)p));
    uint32_t b = (uint32_t)_mm256_movemask_epi8(_mm256_loadu_si256((const __m256i *)(p + 32)));
    return a | (uint64_t)b << 32;
}
#endif

static uint64_t high_bits(const uint8_t *p)
{
    uint64_t bits = 0;
    for (int i = 0; i < BLOCK; i++)
        bits |= (uint64_t)(p[i] >> 7) << i;
    return bits;
}

/* Classify ASCII; returns the mask of the other bytes. */
static uint64_t ascii(const struct sl_class_scan *s, const uint8_t *p, struct sl_class_mask *m)
{
#if defined(__x86_64__)
    if (!s->plain && __builtin_cpu_supports("avx2"))
        return ascii_avx2(p, m);
#endif
    (void)s;
    ascii_plain(p, m);
    return high_bits(p);
}

/* n bits from bit at on; those over 63 are lost. */
static uint64_t run(unsigned at, unsigned n)
{
    return (((uint64_t)1 << n) - 1) << at;
}

/* The end of a code point that began in the block before. */
static void finish_over(struct sl_class_scan *s, struct sl_class_mask *m)
{
    uint64_t bits = run(0, s->over);
    put_bits(m, s->over_class, bits);
    m->cont |= bits;
    if (s->over_brk)
        m->brk |= (uint64_t)1 << (s->over - 1);
    s->over = 0;
}

/* As sl_utf8_next, of a code point of two bytes or more. */
static inline uint32_t decode(const uint8_t *p, unsigned *n)
{
    if (p[0] < 0xe0) {
        *n = 2;
        return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    }
    if (p[0] < 0xf0) {
        *n = 3;
        return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    }
    *n = 4;
    return (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
}

/* p: the block, behind which a code point may go on; high: bytes that are not ASCII. */
static void beyond_ascii(struct sl_class_scan *s, const uint8_t *p, uint64_t high,
                         struct sl_class_mask *m)
{
    if (s->over) {
        high &= ~run(0, s->over);
        finish_over(s, m);
    }
    while (high) {
        unsigned at = (unsigned)__builtin_ctzll(high), n;
        uint32_t cp = decode(p + at, &n);
        unsigned class = sl_char_class_beyond(cp);
        uint64_t bits = run(at, n);
        put_bits(m, class, bits);
        m->cont |= bits & (bits - 1);
        high &= ~bits;
        if (cp == 0x2026)
            m->ellipsis |= (uint64_t)1 << at;
        bool brk = (class & SL_CHAR_SPACE) && is_break(cp);
        if (at + n > BLOCK) {
            s->over = at + n - BLOCK;
            s->over_class = class;
            s->over_brk = brk;
        } else if (brk) {
            m->brk |= (uint64_t)1 << (at + n - 1);
        }
    }
}

/* CR before LF ends no line of its own. next: the byte behind the block. */
static void join_crlf(const uint8_t *p, uint8_t next, struct sl_class_mask *m)
{
    uint64_t brk = m->brk;
    while (brk) {
        unsigned at = (unsigned)__builtin_ctzll(brk);
        brk &= brk - 1;
        if (p[at] == '\r' && (at + 1 < BLOCK ? p[at + 1] : next) == '\n')
            m->brk &= ~((uint64_t)1 << at);
    }
}

/* end: behind the bytes that may be looked at. */
static void classify(struct sl_class_scan *s, const uint8_t *p, const uint8_t *end,
                     struct sl_class_mask *m)
{
    memset(m, 0, sizeof *m);
    uint64_t high = ascii(s, p, m);
    if (high || s->over)
        beyond_ascii(s, p, high, m);
    if (m->brk)
        join_crlf(p, end - p > BLOCK ? p[BLOCK] : 0, m);
}

void sl_class_scan_init(struct sl_class_scan *s, struct sl_str text)
{
    *s = (struct sl_class_scan){ .p = (const uint8_t *)text.p, .n = text.n };
}

void sl_class_scan_plain(struct sl_class_scan *s, struct sl_str text)
{
    sl_class_scan_init(s, text);
    s->plain = true;
}

size_t sl_class_scan_next(struct sl_class_scan *s, struct sl_class_mask *masks, size_t max)
{
    size_t done = 0;
    for (; done < max && s->n - s->at >= BLOCK; done++, s->at += BLOCK)
        classify(s, s->p + s->at, s->p + s->n, &masks[done]);
    if (done < max && !s->ended) {
        uint8_t last[BLOCK];
        size_t left = s->n - s->at;
        memset(last, ' ', sizeof last);
        if (left)
            memcpy(last, s->p + s->at, left);
        classify(s, last, last + BLOCK, &masks[done++]);
        s->at = s->n;
        s->ended = true;
    }
    return done;
}
