/* SPDX-License-Identifier: Apache-2.0 */
/* The patterns of o200k's family as scanners. With U = [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}],
 * W = [\p{Ll}\p{Lm}\p{Lo}\p{M}] and C the contractions in any case:
 *
 *   [^\r\n\p{L}\p{N}]?U*W+C?|[^\r\n\p{L}\p{N}]?U+W*C?|\p{N}{1,3}|
 *    ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *
 * Tekken has no contractions and one digit a piece.
 *
 * A regular expression finds U*W+ by trying: U* takes all it can and gives back until W+
 * matches. What is of both, B = [\p{Lm}\p{Lo}\p{M}], decides: where a small letter follows
 * the longest U*, nothing is given back; else all behind the last B of it is. Without a B
 * the first alternative fails, and the second takes the run. A mark may be the character
 * before a word, or its first, when what follows it has no B: then it is a word alone. */
#include "token/split_scan.h"

#define BOTH (SL_CLASS(SL_LM) | SL_CLASS(SL_LO) | SL_CLASS_M)
#define UPPER (SL_CLASS(SL_LU) | SL_CLASS(SL_LT) | BOTH)
#define LOWER (SL_CLASS(SL_LL) | BOTH)

/* U*W+ from `at` on: its end, 0 where it fails; *upper: the end of U* at its longest. */
static inline size_t word_end(const uint8_t *p, size_t at, size_t n, size_t *upper)
{
    size_t both = 0, after;
    uint32_t class;
    while ((class = sl_scan_class(p, at, n, &after)) & UPPER) {
        at = after;
        if (class & BOTH)
            both = at;
    }
    *upper = at;
    return class & SL_CLASS(SL_LL) ? sl_scan_run(p, after, n, LOWER) : both;
}

/* The first two alternatives without C?; 0 where neither matches. */
static inline size_t either_word(const uint8_t *p, size_t at, size_t n)
{
    size_t after, upper, end;
    uint32_t class = sl_scan_class(p, at, n, &after);
    if (class & SL_CLASS_L) {
        end = word_end(p, at, n, &upper);
        return end ? end : upper;
    }
    if (class & (SL_CLASS_N | SL_CLASS_NEWLINE))
        return 0;
    end = word_end(p, after, n, &upper);
    if (end)
        return end;
    if (class & SL_CLASS_M)
        return after;
    return upper > after ? upper : 0;
}

static inline size_t family_next(const uint8_t *p, size_t at, size_t n, bool contractions,
                                 int digits)
{
    const uint32_t other = ~(SL_CLASS_SPACE | SL_CLASS_L | SL_CLASS_N);
    size_t end = either_word(p, at, n), after;
    if (end)
        return contractions ? end + sl_scan_contraction(p, end, n, true) : end;
    if (sl_scan_class(p, at, n, &after) & SL_CLASS_N)
        return sl_scan_few(p, after, n, SL_CLASS_N, digits - 1);
    size_t first = p[at] == ' ' ? at + 1 : at;
    if (!(sl_scan_class(p, first, n, &after) & other))
        return sl_scan_space(p, at, n, true);
    end = sl_scan_run(p, after, n, other);
    while (end < n && (p[end] == '\r' || p[end] == '\n' || p[end] == '/'))
        end++;
    return end;
}

size_t sl_scan_o200k(const uint8_t *p, size_t at, size_t n)
{
    return family_next(p, at, n, true, 3);
}

size_t sl_scan_tekken(const uint8_t *p, size_t at, size_t n)
{
    return family_next(p, at, n, false, 1);
}
