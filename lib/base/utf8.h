/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_BASE_UTF8_H
#define SL_BASE_UTF8_H

/* UTF-8: validation at memory speed, repair, one code point at a time.
 *
 * Valid     as in Unicode: no surrogates, no overlong forms, nothing over
 *           U+10FFFF. NUL is valid.
 * Threads   pure functions. SIMD is chosen at run time; sl_utf8_valid_plain is
 *           the plain twin that the tests compare with.
 * Source    Keiser and Lemire, Validating UTF-8 In Less Than One Instruction
 *           Per Byte (2021). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

bool sl_utf8_valid(const void *p, size_t n);
bool sl_utf8_valid_plain(const void *p, size_t n);

/* Offset of the first byte of the first ill-formed sequence; n where valid. */
size_t sl_utf8_first_bad(const void *p, size_t n);

/* Append p to out, every maximal ill-formed part as U+FFFD (the WHATWG and
 * Unicode practice). n_bad: number of replacements, added to. */
SL_MUST_USE enum sl_status sl_utf8_repair(struct sl_buf *out, const void *p, size_t n,
                                          uint64_t *n_bad, struct sl_err *err);

/* Decode one code point of valid UTF-8 at *p (p < end) and move *p behind it. */
uint32_t sl_utf8_next(const uint8_t **p, const uint8_t *end);

/* Encode cp (a scalar value) to out; returns its bytes, 1 to 4. */
unsigned sl_utf8_put(uint8_t out[4], uint32_t cp);

/* Number of code points of valid UTF-8. */
size_t sl_utf8_count(const void *p, size_t n);

#endif
