/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_BASE_ROW_HASH_H
#define SL_BASE_ROW_HASH_H

/* Randomness as a function of a row's key: the same rows in any order, any
 * partition, any number of threads.
 *
 * Threads   pure functions.
 * Source    docs/concepts.md, "The same bytes". */

#include <stdint.h>

/* The seed of one purpose, "sluice-shuffle/order": XXH3-64 of these bytes with
 * --seed as its seed, so that two tools with one --seed are independent. */
uint64_t sl_row_seed(const char *purpose, uint64_t seed);

/* XXH3-64 with row_seed over 18 bytes: the id, then copy, little-endian. */
uint64_t sl_row_hash(const uint8_t id[16], uint16_t copy, uint64_t row_seed);

#endif
