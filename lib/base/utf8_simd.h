/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_BASE_UTF8_SIMD_H
#define SL_BASE_UTF8_SIMD_H

/* The vector validator behind sl_utf8_valid: same answers as the plain one for
 * every n. Private to lib/base.
 *
 * Threads   pure. Uses AVX-512BW or AVX2 where the processor has them, the
 *           plain twin elsewhere. */

#include <stdbool.h>
#include <stddef.h>

/* Below this many bytes the plain walk is faster. */
#define SL_UTF8_SIMD_MIN 32

bool sl_utf8_valid_simd(const void *p, size_t n);

/* One instruction set of its own, for tests. False where this processor does
 * not have it (*valid is then not written). */
bool sl_utf8_valid_avx2(const void *p, size_t n, bool *valid);
bool sl_utf8_valid_avx512(const void *p, size_t n, bool *valid);

#endif
