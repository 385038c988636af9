/* SPDX-License-Identifier: Apache-2.0 */
/* XXH3. On x86-64 every call goes through xxHash's run-time dispatch: the
 * shared library's plain functions are built for SSE2 and three times slower.
 * The dispatch header redefines the plain names, so the code below is the same
 * elsewhere. The state must be 64-byte aligned; xxHash's own allocation
 * function sees to that. */
#include "base/hash.h"

#include <xxhash.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>
#endif

uint64_t sl_hash64(const void *p, size_t n)
{
    return XXH3_64bits(p, n);
}

uint64_t sl_hash64_seed(const void *p, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(p, n, seed);
}

static struct sl_hash128 canonical(XXH128_hash_t v)
{
    XXH128_canonical_t c;
    struct sl_hash128 out;
    XXH128_canonicalFromHash(&c, v);
    _Static_assert(sizeof c == sizeof out, "128 bits");
    memcpy(out.b, &c, sizeof c);
    return out;
}

struct sl_hash128 sl_hash128(const void *p, size_t n)
{
    return canonical(XXH3_128bits(p, n));
}

/* struct sl_hasher is never defined: it is the XXH3 state itself. */
static XXH3_state_t *state_of(const struct sl_hasher *h)
{
    return (XXH3_state_t *)(uintptr_t)h;
}

struct sl_hasher *sl_hasher_new(void)
{
    XXH3_state_t *state = XXH3_createState();
    if (state)
        (void)XXH3_64bits_reset(state);
    return (struct sl_hasher *)state;
}

void sl_hasher_free(struct sl_hasher *h)
{
    (void)XXH3_freeState(state_of(h));
}

void sl_hasher_reset64(struct sl_hasher *h)
{
    (void)XXH3_64bits_reset(state_of(h));
}

void sl_hasher_reset128(struct sl_hasher *h)
{
    (void)XXH3_128bits_reset(state_of(h));
}

/* xxHash refuses NULL, which is how an empty string may look here. */
void sl_hasher_add64(struct sl_hasher *h, const void *p, size_t n)
{
    if (n)
        (void)XXH3_64bits_update(state_of(h), p, n);
}

void sl_hasher_add128(struct sl_hasher *h, const void *p, size_t n)
{
    if (n)
        (void)XXH3_128bits_update(state_of(h), p, n);
}

uint64_t sl_hasher_end64(const struct sl_hasher *h)
{
    return XXH3_64bits_digest(state_of(h));
}

struct sl_hash128 sl_hasher_end128(const struct sl_hasher *h)
{
    return canonical(XXH3_128bits_digest(state_of(h)));
}

static const char DIGITS[] = "0123456789abcdef";

void sl_hash64_hex(uint64_t v, char out[SL_HASH64_DIGITS])
{
    for (int i = SL_HASH64_DIGITS - 1; i >= 0; i--, v >>= 4)
        out[i] = DIGITS[v & 15];
}

void sl_hash128_hex(struct sl_hash128 v, char out[SL_HASH128_DIGITS])
{
    for (int i = 0; i < 16; i++) {
        out[2 * i] = DIGITS[v.b[i] >> 4];
        out[2 * i + 1] = DIGITS[v.b[i] & 15];
    }
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sl_hash64_parse(struct sl_str s, uint64_t *v)
{
    uint64_t sum = 0;
    if (s.n != SL_HASH64_DIGITS)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        int d = digit_of(s.p[i]);
        if (d < 0)
            return false;
        sum = sum << 4 | (unsigned)d;
    }
    *v = sum;
    return true;
}

bool sl_hash128_parse(struct sl_str s, struct sl_hash128 *v)
{
    struct sl_hash128 out;
    if (s.n != SL_HASH128_DIGITS)
        return false;
    for (size_t i = 0; i < 16; i++) {
        int hi = digit_of(s.p[2 * i]), lo = digit_of(s.p[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        out.b[i] = (uint8_t)(hi << 4 | lo);
    }
    *v = out;
    return true;
}

static void load_halves(const struct sl_hash128 *v, uint64_t *hi, uint64_t *lo)
{
    memcpy(hi, v->b, 8);
    memcpy(lo, v->b + 8, 8);
    *hi = __builtin_bswap64(*hi);
    *lo = __builtin_bswap64(*lo);
}

static void store_halves(struct sl_hash128 *v, uint64_t hi, uint64_t lo)
{
    hi = __builtin_bswap64(hi);
    lo = __builtin_bswap64(lo);
    memcpy(v->b, &hi, 8);
    memcpy(v->b + 8, &lo, 8);
}

void sl_hash128_add(struct sl_hash128 *a, struct sl_hash128 b)
{
    uint64_t ah, al, bh, bl;
    load_halves(a, &ah, &al);
    load_halves(&b, &bh, &bl);
    uint64_t lo = al + bl;
    store_halves(a, ah + bh + (lo < al), lo);
}

void sl_hash128_sub(struct sl_hash128 *a, struct sl_hash128 b)
{
    uint64_t ah, al, bh, bl;
    load_halves(a, &ah, &al);
    load_halves(&b, &bh, &bl);
    store_halves(a, ah - bh - (al < bl), al - bl);
}
