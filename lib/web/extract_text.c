/* SPDX-License-Identifier: Apache-2.0 */
/* Text of a block: blanks collapsed, unwanted characters left out.
 *
 * Most text is words with one blank between them, so 16 bytes are copied at a
 * time until one of them needs a look: a control character, a blank behind a
 * blank, or the first byte of a character that may have to go (C2, E2, EF).
 *
 * Invariants. A block never begins or ends with a blank: blanks wait in run->gap
 * until the next character is there. Nothing grows: room for the input, the gap
 * and one 16-byte store is reserved at the start. */
#include <string.h>

#include "web/extract_impl.h"
#include "web/html_scan.h"

/* What becomes of the bytes at a position. */
enum fate { FATE_COPY, FATE_SPACE, FATE_BREAK, FATE_DROP };

static enum fate fate_of_ascii(uint8_t c)
{
    if (c == ' ' || c == '\t' || c == '\f')
        return FATE_SPACE;
    if (c == '\n' || c == '\r')
        return FATE_BREAK;
    return c < 0x20 || c == 0x7F ? FATE_DROP : FATE_COPY;
}

/* The character at p, when it is one that needs a look; *n is its length. */
static enum fate fate_of(const uint8_t *p, const uint8_t *end, size_t *n)
{
    *n = 1;
    if (*p < 0x80)
        return fate_of_ascii(*p);
    if (*p == 0xC2 && end - p >= 2) {
        *n = 2;
        if (p[1] == 0xA0 || p[1] == 0x85) /* no-break space, next line */
            return FATE_SPACE;
        return p[1] < 0xA0 || p[1] == 0xAD ? FATE_DROP : FATE_COPY;
    }
    if (*p == 0xE2 && end - p >= 3) {
        *n = 3;
        if (p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9)) /* line, paragraph separator */
            return FATE_BREAK;
        bool zero_width = (p[1] == 0x80 && p[2] == 0x8B) || (p[1] == 0x81 && p[2] == 0xA0);
        return zero_width ? FATE_DROP : FATE_COPY;
    }
    if (*p == 0xEF && end - p >= 3) {
        *n = 3;
        return p[1] == 0xBB && p[2] == 0xBF ? FATE_DROP : FATE_COPY;
    }
    return FATE_COPY;
}

static bool needs_look(uint8_t c)
{
    return c < 0x20 || c == 0x7F || c == 0xC2 || c == 0xE2 || c == 0xEF;
}

/* Copy from p until a byte that needs a look or a blank behind a blank; *to moves
 * along. The first byte is copied whatever it is. */
static const uint8_t *copy_plain(const uint8_t *p, const uint8_t *end, uint8_t **to)
{
    uint8_t *o = *to;
    bool blank = false;
#ifdef __SSE2__
    for (; end - p >= 16; p += 16, o += 16) {
        __m128i v = html_load(p);
        unsigned spaces = html_eq(v, ' ');
        unsigned low =
            (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v));
        unsigned look = low | (spaces & (spaces << 1 | blank)) | html_eq(v, 0xC2) |
                        html_eq(v, 0xE2) | html_eq(v, 0xEF) | html_eq(v, 0x7F);
        _mm_storeu_si128((__m128i *)(void *)o, v);
        if (look & 0xFFFF) {
            unsigned n = (unsigned)__builtin_ctz(look);
            *to = o + n;
            return p + n;
        }
        blank = spaces >> 15;
    }
#endif
    for (; p < end && !needs_look(*p) && !(blank && *p == ' '); p++) {
        blank = *p == ' ';
        *o++ = *p;
    }
    *to = o;
    return p;
}

/* Whether the three bytes are an ideograph, kana or full-width sign: text that
 * has no blanks between words. */
static bool is_wide(const uint8_t *p)
{
    if (p[0] >= 0xE3 && p[0] <= 0xE9)
        return true;
    return p[0] == 0xEF && (p[1] == 0xBC || p[1] == 0xBD);
}

/* Write the gap before the character at p. */
static void close_gap(struct text_run *run, const uint8_t *p, const uint8_t *end)
{
    struct sl_buf *out = run->out;
    uint8_t gap = run->gap;
    run->gap = GAP_NONE;
    if (gap == GAP_NONE || text_n(run) == 0)
        return;
    if (gap == GAP_BREAK && text_n(run) >= 3 && end - p >= 3 && is_wide(p) &&
        is_wide(out->p + out->n - 3))
        return;
    out->p[out->n++] = gap == GAP_LINE ? '\n' : ' ';
}

enum sl_status sl_text_add(struct text_run *run, struct sl_str s, struct sl_err *err)
{
    struct sl_buf *out = run->out;
    SL_TRY(sl_buf_reserve(out, s.n + 32, err));
    const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
    while (p < end) {
        size_t n;
        enum fate fate = fate_of(p, end, &n);
        if (fate != FATE_COPY) {
            if (fate != FATE_DROP)
                text_gap_at_least(run, fate == FATE_BREAK ? GAP_BREAK : GAP_SPACE);
            p += n;
            continue;
        }
        close_gap(run, p, end);
        uint8_t *to = out->p + out->n;
        memcpy(to, p, n);
        to += n;
        p = copy_plain(p + n, end, &to);
        /* A blank that was copied last may be followed by more: it waits too. */
        if (to[-1] == ' ') {
            to--;
            run->gap = GAP_SPACE;
        }
        out->n = (size_t)(to - out->p);
    }
    return SL_OK;
}

enum sl_status sl_text_add_pre(struct text_run *run, struct sl_str s, struct sl_err *err)
{
    struct sl_buf *out = run->out;
    SL_TRY(sl_buf_reserve(out, s.n + 32, err));
    const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
    if (p < end)
        close_gap(run, p, end);
    while (p < end) {
        size_t n;
        enum fate fate = fate_of(p, end, &n);
        uint8_t *to = out->p + out->n;
        if (fate == FATE_COPY || *p == '\t')
            memcpy(to, p, n);
        else if (fate != FATE_DROP)
            *to = fate == FATE_BREAK ? '\n' : ' ';
        out->n += fate == FATE_COPY ? n : fate != FATE_DROP;
        p += n;
        if (fate == FATE_COPY) {
            to = out->p + out->n;
            while (p < end && *p >= ' ' && !needs_look(*p))
                *to++ = *p++;
            out->n = (size_t)(to - out->p);
        }
    }
    return SL_OK;
}
