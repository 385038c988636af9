/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TEXT_JSON_STRING_H
#define SL_TEXT_JSON_STRING_H

/* The two loops over JSON strings that bytes are spent in: to the closing quote,
 * and out of the escapes. Private to json_scan.
 *
 * Threads   pure functions. AVX2 where the processor has it; the plain twins
 *           give the same answers and are what the tests compare with.
 * Source    RFC 8259 section 7. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* p: the bytes behind the opening quote, n of them to the end of the text.
 * Returns the offset of the closing quote; where the string is wrong, that of
 * what is wrong (a control character, the backslash of a bad escape), which is
 * no quote; n where it does not end. *escaped is set where it has a backslash. */
size_t sl_json_string_end(const uint8_t *p, size_t n, bool *escaped);
size_t sl_json_string_end_plain(const uint8_t *p, size_t n, bool *escaped);

/* The characters of a string that sl_json_string_end accepted, without quotes.
 * dst has room for n bytes, which are never passed. A surrogate without its
 * other half becomes U+FFFD and is counted. Returns the bytes written. */
size_t sl_json_string_chars(uint8_t *dst, const uint8_t *p, size_t n, uint64_t *n_replaced);
size_t sl_json_string_chars_plain(uint8_t *dst, const uint8_t *p, size_t n, uint64_t *n_replaced);

#endif
