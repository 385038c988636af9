/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_BASE_HASH_H
#define SL_BASE_HASH_H

/* XXH3 through xxHash's run-time dispatch (AVX-512, AVX2 or SSE2).
 *
 * Values    the same on every machine. 128-bit values are canonical: byte 0 is
 *           the most significant (XXH128_canonical_t), as is their hex form.
 * Errors    none; sl_hasher_new alone can be out of memory.
 * Threads   a hasher belongs to one thread.
 * Source    xxHash specification 0.1.1, XXH3_64bits and XXH3_128bits. */

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct sl_hash128 {
    uint8_t b[16]; /* canonical, big-endian */
};

#define SL_HASH64_DIGITS 16
#define SL_HASH128_DIGITS 32

uint64_t sl_hash64(const void *p, size_t n);
uint64_t sl_hash64_seed(const void *p, size_t n, uint64_t seed);
struct sl_hash128 sl_hash128(const void *p, size_t n);

/* Running hash over bytes that come in pieces: where the pieces end never
 * matters. One object serves both widths. */
struct sl_hasher;
struct sl_hasher *sl_hasher_new(void); /* NULL: out of memory */
void sl_hasher_free(struct sl_hasher *h);
void sl_hasher_reset64(struct sl_hasher *h);
void sl_hasher_reset128(struct sl_hasher *h);
void sl_hasher_add64(struct sl_hasher *h, const void *p, size_t n);
void sl_hasher_add128(struct sl_hasher *h, const void *p, size_t n);
uint64_t sl_hasher_end64(const struct sl_hasher *h);
struct sl_hash128 sl_hasher_end128(const struct sl_hasher *h);

/* Lower-case hex without NUL; out has 16 or 32 bytes. */
void sl_hash64_hex(uint64_t v, char out[SL_HASH64_DIGITS]);
void sl_hash128_hex(struct sl_hash128 v, char out[SL_HASH128_DIGITS]);

/* Parse exactly 16 or 32 lower-case hex digits; false where they are not. */
bool sl_hash64_parse(struct sl_str s, uint64_t *v);
bool sl_hash128_parse(struct sl_str s, struct sl_hash128 *v);

/* a += b, a -= b modulo 2^128: the id sums of the conservation law. */
void sl_hash128_add(struct sl_hash128 *a, struct sl_hash128 b);
void sl_hash128_sub(struct sl_hash128 *a, struct sl_hash128 b);

#endif
