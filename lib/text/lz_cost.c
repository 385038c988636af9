/* SPDX-License-Identifier: Apache-2.0 */
/* The cost of a text under LZ77 with entropy-coded literals and sequences.
 *
 * The parse is greedy: one candidate a position, from a table of 4,096 places
 * hashed by 4 bytes; a match is lengthened in both directions, and positions
 * inside of it are not entered, which loses little and makes repetitive text
 * cheap to read. Literals are priced by their own distribution (order 0), and so
 * are the codes of run lengths, match lengths and offsets, each with a price for
 * every symbol that the distribution must tell. That is what zstd's levels of
 * about 3 do in blocks of this size, and the ranks of texts agree with it; see
 * docs/difficulty.md for figures.
 *
 * Rejected: asking zstd itself (its sizes change with its version), a fixed table
 * of literal prices (it would be of one language), adaptive coding (its price is
 * near that of a told distribution, at a division a byte), and entering every
 * position (ranks do not get better).
 *
 * places[] holds base + position + 1, and whatever is not above base is of an
 * earlier window: so the table is cleared once in 14 windows, not in each. */
#include "text/lz_cost.h"

#include <stdbool.h>
#include <string.h>

#include "base/num.h"
#include "text/log2_table.h"

enum {
    MIN_MATCH = 4,
    DIRECT = 16, /* lengths below are codes of their own */
    LENGTH_CODES = 25,
    OFFSET_CODES = 12,
    LITERAL_TOLD_BITS = 8, /* a symbol of the literals' distribution */
    CODE_TOLD_BITS = 6     /* a symbol of the other three */
};

struct counts {
    uint16_t literals[256];
    uint16_t runs[LENGTH_CODES], lengths[LENGTH_CODES], offsets[OFFSET_CODES];
    uint32_t n_literals, n_matches, extra_bits;
};

void sl_lz_init(struct sl_lz *lz)
{
    memset(lz, 0, sizeof *lz);
}

static inline uint32_t hash4(uint32_t v)
{
    return v * 2654435761u >> 20;
}

static inline uint32_t log2_floor(uint32_t v)
{
    return 31 - (uint32_t)__builtin_clz(v);
}

/* How many bytes from a and b on are equal; b < a, and a may go up to end. */
static inline uint32_t equal_ahead(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
    const uint8_t *from = a;
    for (; end - a >= 8; a += 8, b += 8) {
        uint64_t differ = sl_load64(a) ^ sl_load64(b);
        if (differ)
            return (uint32_t)(a - from) + ((uint32_t)__builtin_ctzll(differ) >> 3);
    }
    while (a < end && *a == *b)
        a++, b++;
    return (uint32_t)(a - from);
}

static inline void count_length(struct counts *c, uint16_t *codes, uint32_t v)
{
    if (v < DIRECT) {
        codes[v]++;
        return;
    }
    uint32_t bits = log2_floor(v);
    codes[DIRECT - 4 + bits]++;
    c->extra_bits += bits;
}

static inline void count_literals(struct counts *c, const uint8_t *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        c->literals[p[i]]++;
    c->n_literals += n;
}

static void parse(struct sl_lz *lz, const uint8_t *p, uint32_t n, struct counts *c)
{
    uint32_t base = lz->base, at = 0, done = 0;
    while (at + MIN_MATCH <= n) {
        uint32_t four = sl_load32(p + at);
        uint16_t *place = &lz->places[hash4(four)];
        uint32_t before = *place;
        *place = (uint16_t)(base + at + 1);
        if (before <= base || sl_load32(p + (before -= base + 1)) != four) {
            at++;
            continue;
        }
        uint32_t offset = at - before;
        uint32_t length =
            MIN_MATCH + equal_ahead(p + at + MIN_MATCH, p + before + MIN_MATCH, p + n);
        uint32_t end = at + length;
        while (at > done && before > 0 && p[at - 1] == p[before - 1])
            at--, before--;
        count_literals(c, p + done, at - done);
        count_length(c, c->runs, at - done);
        count_length(c, c->lengths, end - at - MIN_MATCH);
        c->offsets[log2_floor(offset)]++;
        c->extra_bits += log2_floor(offset);
        c->n_matches++;
        at = done = end;
    }
    count_literals(c, p + done, n - done);
}

/* What n symbols cost under their own distribution and with it. */
static uint64_t price(const uint16_t *counts, int n_symbols, uint32_t n, uint32_t told_bits)
{
    uint32_t told = 0, cost = 0;
    for (int i = 0; i < n_symbols; i++) {
        told += counts[i] != 0;
        cost += (uint32_t)counts[i] * (uint32_t)(log2_256[n] - log2_256[counts[i]]);
    }
    return cost + told * told_bits * SL_LZ_BIT;
}

static uint64_t window_cost(struct sl_lz *lz, const uint8_t *p, uint32_t n)
{
    struct counts c;
    memset(&c, 0, sizeof c);
    parse(lz, p, n, &c);
    uint64_t plain = 8 * SL_LZ_BIT * c.n_literals;
    uint64_t cost = price(c.literals, 256, c.n_literals, LITERAL_TOLD_BITS);
    if (cost > plain)
        cost = plain;
    cost += price(c.runs, LENGTH_CODES, c.n_matches, CODE_TOLD_BITS);
    cost += price(c.lengths, LENGTH_CODES, c.n_matches, CODE_TOLD_BITS);
    cost += price(c.offsets, OFFSET_CODES, c.n_matches, CODE_TOLD_BITS);
    cost += SL_LZ_BIT * c.extra_bits;
    uint64_t stored = 8 * SL_LZ_BIT * n;
    return (cost < stored ? cost : stored) + SL_LZ_BIT * SL_LZ_HEAD_BITS;
}

uint64_t sl_lz_cost(struct sl_lz *lz, const void *p, size_t n)
{
    const uint8_t *at = p;
    uint64_t cost = 0;
    while (n) {
        uint32_t size = n < SL_LZ_WINDOW_BYTES ? (uint32_t)n : SL_LZ_WINDOW_BYTES;
        if (lz->base + size > UINT16_MAX)
            sl_lz_init(lz);
        cost += window_cost(lz, at, size);
        lz->base += size;
        at += size;
        n -= size;
    }
    return cost;
}

double sl_lz_ratio(struct sl_lz *lz, const void *p, size_t n)
{
    return (double)sl_lz_cost(lz, p, n) / (double)(8 * SL_LZ_BIT * n);
}
