/* SPDX-License-Identifier: Apache-2.0 */
/* The patterns of cl100k's family as scanners. Llama 3's spelling:
 *
 *   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
 *    ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *
 * cl100k as tiktoken writes it has \s++$ before \s*[\r\n], which takes the white space at
 * the end of a text whole; its possessive forms are the same otherwise, since no class
 * overlaps what follows it. Qwen 2 has one digit a piece, Qwen 3.5 marks among letters.
 *
 * (?i:s) is s, S and the long s in both engines. The character that a word may begin with
 * is taken only where a letter follows, so one look ahead decides. */
#include "token/split_scan.h"

struct family {
    uint32_t letters;
    int digits;
    bool end; /* \s++$ */
};

static inline size_t family_next(const uint8_t *p, size_t at, size_t n, const struct family f)
{
    const uint32_t other = ~(SL_CLASS_SPACE | f.letters | SL_CLASS_N);
    size_t contraction = sl_scan_contraction(p, at, n, true), after, behind;
    if (contraction)
        return at + contraction;
    uint32_t class = sl_scan_class(p, at, n, &after);
    if (class & f.letters)
        return sl_scan_run(p, after, n, f.letters);
    if (class & SL_CLASS_N)
        return sl_scan_few(p, after, n, SL_CLASS_N, f.digits - 1);
    uint32_t next = sl_scan_class(p, after, n, &behind);
    if (!(class & SL_CLASS_NEWLINE) && next & f.letters)
        return sl_scan_run(p, behind, n, f.letters);
    if (class & other || (p[at] == ' ' && next & other))
        return sl_scan_run(p, sl_scan_run(p, after, n, other), n, SL_CLASS_NEWLINE);
    if (f.end && sl_scan_run(p, after, n, SL_CLASS_SPACE) == n)
        return n;
    return sl_scan_space(p, at, n, true);
}

size_t sl_scan_cl100k(const uint8_t *p, size_t at, size_t n)
{
    return family_next(p, at, n, (struct family){ SL_CLASS_L, 3, true });
}

size_t sl_scan_llama3(const uint8_t *p, size_t at, size_t n)
{
    return family_next(p, at, n, (struct family){ SL_CLASS_L, 3, false });
}

size_t sl_scan_qwen2(const uint8_t *p, size_t at, size_t n)
{
    return family_next(p, at, n, (struct family){ SL_CLASS_L, 1, false });
}

size_t sl_scan_qwen35(const uint8_t *p, size_t at, size_t n)
{
    return family_next(p, at, n, (struct family){ SL_CLASS_L | SL_CLASS_M, 1, false });
}
