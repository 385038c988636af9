/* SPDX-License-Identifier: Apache-2.0 */
/* NFC of Unicode 9.0.
 *
 * A text is first only looked at: bytes below 0xcc begin characters below U+0300, which NFC
 * never changes; of others the table says whether they can be concerned. From the first one
 * that is, the text is taken apart from the last character that stands for itself (combining
 * class 0, never second in a composition), put in order, put together, up to the next such
 * character, and so on.
 *
 * Hangul syllables are computed. The version matters: characters that came after 9.0 are left
 * as they are, as the tokenizers that this must equal leave them. */
#include "base/utf8.h"
#include "token/normalise.h"
#include "token/normalise_table.h"

enum {
    S_BASE = 0xac00,
    L_BASE = 0x1100,
    V_BASE = 0x1161,
    T_BASE = 0x11a7,
    N_L = 19,
    N_V = 21,
    N_T = 28,
    N_S = N_L * N_V * N_T,
    FIRST_OPEN = 0x300, /* the first character that NFC may change */
    FEW = 24
};

static inline unsigned kind_of(uint32_t cp)
{
    return cp < NFC_END ? nfc_kind[nfc_index[cp / NFC_BLOCK] * NFC_BLOCK + cp % NFC_BLOCK] : 0;
}

/* Offset of the first character that the look leaves open, text.n where there is none;
 * *start: of the last character before it that stands for itself. */
static size_t first_open(struct sl_str text, size_t from, size_t *start)
{
    const uint8_t *p = (const uint8_t *)text.p, *at = p + from, *end = p + text.n;
    *start = from;
    unsigned last = 0;
    while (at < end) {
        const uint8_t *begin = at;
        if (*at < 0xcc) { /* every byte of a character below U+0300, or behind the first one */
            last = 0;
            while (at < end && *at < 0xcc)
                at++;
            const uint8_t *back = at - 1;
            while (back > begin && (*back & 0xc0) == 0x80)
                back--;
            *start = (size_t)(back - p);
            continue;
        }
        unsigned kind = kind_of(sl_utf8_next(&at, end));
        if (nfc_open[kind] || (nfc_ccc[kind] && nfc_ccc[kind] < last))
            return (size_t)(begin - p);
        last = nfc_ccc[kind];
        if (!last)
            *start = (size_t)(begin - p);
    }
    return text.n;
}

bool sl_nfc_quick(struct sl_str text)
{
    size_t start;
    return first_open(text, 0, &start) == text.n;
}

/* ---- taking apart ---- */

static enum sl_status put(struct sl_buf *out, uint32_t cp, struct sl_err *err)
{
    return sl_buf_add(out, &cp, sizeof cp, err);
}

static const uint32_t *split_of(uint32_t cp)
{
    size_t lo = 0, hi = N_NFC_SPLITS;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (nfc_splits[mid][0] == cp)
            return nfc_splits[mid];
        if (nfc_splits[mid][0] < cp)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static enum sl_status take_apart(struct sl_buf *out, uint32_t cp, struct sl_err *err)
{
    uint32_t behind[8];
    size_t n = 0;
    if (cp >= S_BASE && cp < S_BASE + N_S) {
        uint32_t s = cp - S_BASE;
        SL_TRY(put(out, L_BASE + s / (N_V * N_T), err));
        SL_TRY(put(out, V_BASE + s % (N_V * N_T) / N_T, err));
        return s % N_T ? put(out, T_BASE + s % N_T, err) : SL_OK;
    }
    for (const uint32_t *d; n < 8 && (d = split_of(cp)); cp = d[1])
        if (d[2])
            behind[n++] = d[2];
    SL_TRY(put(out, cp, err));
    while (n)
        SL_TRY(put(out, behind[--n], err));
    return SL_OK;
}

/* ---- order ---- */

/* Sort marks by class, equal ones as they stand: by counting where they are many. */
static enum sl_status sort_marks(uint32_t *cps, size_t n, struct sl_err *err)
{
    if (n <= FEW) {
        for (size_t i = 1; i < n; i++) {
            uint32_t cp = cps[i];
            size_t k = i;
            for (; k && nfc_ccc[kind_of(cps[k - 1])] > nfc_ccc[kind_of(cp)]; k--)
                cps[k] = cps[k - 1];
            cps[k] = cp;
        }
        return SL_OK;
    }
    size_t starts[257] = { 0 };
    struct sl_buf copy;
    sl_buf_init(&copy, (size_t)1 << 36);
    enum sl_status st = sl_buf_add(&copy, cps, n * sizeof *cps, err);
    if (st == SL_OK) {
        const uint32_t *from = (const uint32_t *)(const void *)copy.p;
        for (size_t i = 0; i < n; i++)
            starts[nfc_ccc[kind_of(from[i])] + 1]++;
        for (int i = 0; i < 256; i++)
            starts[i + 1] += starts[i];
        for (size_t i = 0; i < n; i++)
            cps[starts[nfc_ccc[kind_of(from[i])]]++] = from[i];
    }
    sl_buf_release(&copy);
    return st;
}

static enum sl_status put_in_order(uint32_t *cps, size_t n, struct sl_err *err)
{
    for (size_t i = 0; i < n;) {
        size_t end = i;
        while (end < n && nfc_ccc[kind_of(cps[end])])
            end++;
        if (end - i > 1)
            SL_TRY(sort_marks(cps + i, end - i, err));
        i = end + 1;
    }
    return SL_OK;
}

/* ---- putting together ---- */

/* 0: they make nothing. */
static uint32_t pair_of(uint32_t a, uint32_t b)
{
    if (a - L_BASE < N_L && b - V_BASE < N_V)
        return S_BASE + ((a - L_BASE) * N_V + (b - V_BASE)) * N_T;
    if (a - S_BASE < N_S && (a - S_BASE) % N_T == 0 && b - T_BASE - 1 < N_T - 1)
        return a + (b - T_BASE);
    size_t lo = 0, hi = N_NFC_PAIRS;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        const uint32_t *p = nfc_pairs[mid];
        if (p[0] == a && p[1] == b)
            return p[2];
        if (p[0] < a || (p[0] == a && p[1] < b))
            lo = mid + 1;
        else
            hi = mid;
    }
    return 0;
}

static size_t put_together(uint32_t *cps, size_t n)
{
    size_t kept = 0, starter = 0;
    bool any = false;
    unsigned last = 0; /* class of what was kept last behind the starter */
    for (size_t i = 0; i < n; i++) {
        unsigned ccc = nfc_ccc[kind_of(cps[i])];
        bool next_to = any && kept == starter + 1;
        uint32_t both = any && (next_to || last < ccc) ? pair_of(cps[starter], cps[i]) : 0;
        if (both) {
            cps[starter] = both;
            continue;
        }
        if (!ccc) {
            any = true;
            starter = kept;
        }
        last = ccc;
        cps[kept++] = cps[i];
    }
    return kept;
}

/* Where the next character stands for itself, from `at` on. */
static size_t next_start(struct sl_str text, size_t at)
{
    const uint8_t *p = (const uint8_t *)text.p, *q = p + at, *end = p + text.n;
    while (q < end) {
        const uint8_t *begin = q;
        unsigned kind = kind_of(sl_utf8_next(&q, end));
        if (!nfc_open[kind] && !nfc_ccc[kind])
            return (size_t)(begin - p);
    }
    return text.n;
}

static enum sl_status stretch(struct sl_buf *out, struct sl_buf *cps, struct sl_str s,
                              struct sl_err *err)
{
    const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
    sl_buf_reset(cps);
    while (p < end)
        SL_TRY(take_apart(cps, sl_utf8_next(&p, end), err));
    uint32_t *c = (uint32_t *)(void *)cps->p;
    size_t n = cps->n / sizeof *c;
    SL_TRY(put_in_order(c, n, err));
    n = put_together(c, n);
    for (size_t i = 0; i < n; i++) {
        uint8_t bytes[4];
        SL_TRY(sl_buf_add(out, bytes, sl_utf8_put(bytes, c[i]), err));
    }
    return SL_OK;
}

enum sl_status sl_nfc(struct sl_buf *out, struct sl_str text, struct sl_err *err)
{
    struct sl_buf cps;
    enum sl_status st = SL_OK;
    sl_buf_init(&cps, (size_t)1 << 36);
    for (size_t at = 0; st == SL_OK && at < text.n;) {
        size_t start, open = first_open(text, at, &start);
        if (open == text.n)
            start = text.n;
        st = sl_buf_add(out, text.p + at, start - at, err);
        at = start;
        if (st != SL_OK || at == text.n)
            break;
        size_t end = next_start(text, open);
        st = stretch(out, &cps, (struct sl_str){ text.p + at, end - at }, err);
        at = end;
    }
    sl_buf_release(&cps);
    return st;
}
