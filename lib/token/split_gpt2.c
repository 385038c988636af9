/* SPDX-License-Identifier: Apache-2.0 */
/* The pattern of GPT-2 as a scanner:
 *
 *   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * The classes divide all characters, so that the first character, or the one behind a
 * space, tells the alternative: nothing is tried twice. */
#include "token/split_scan.h"

size_t sl_scan_gpt2(const uint8_t *p, size_t at, size_t n)
{
    const uint32_t word = SL_CLASS_L | SL_CLASS_N, space = SL_CLASS_SPACE;
    size_t contraction = sl_scan_contraction(p, at, n, false), after;
    if (contraction)
        return at + contraction;
    size_t first = p[at] == ' ' ? at + 1 : at;
    uint32_t class = sl_scan_class(p, first, n, &after);
    if (class == 0 || class & space)
        return sl_scan_space(p, at, n, false);
    uint32_t set = class & SL_CLASS_L   ? SL_CLASS_L
                   : class & SL_CLASS_N ? SL_CLASS_N
                                        : ~(word | space);
    return sl_scan_run(p, after, n, set);
}
