/* SPDX-License-Identifier: Apache-2.0 */
/* The mapping is computed, not tabled: 68 bytes have no visible character of their own,
 * 00-20, 7F-A0 and AD, and take U+0100 to U+0143 in that order. */
#include "token/byte_chars.h"

enum { N_LOW = 0x21, FIRST_HIGH = 0x7f, N_HIGH = 0x22, SOFT_HYPHEN = 0xad, HIDDEN = 68 };

/* Which of the hidden bytes it is, -1 where it is visible. */
static int hidden_index(uint8_t byte)
{
    if (byte < N_LOW)
        return byte;
    if (byte >= FIRST_HIGH && byte < FIRST_HIGH + N_HIGH)
        return N_LOW + byte - FIRST_HIGH;
    return byte == SOFT_HYPHEN ? HIDDEN - 1 : -1;
}

static uint8_t hidden_byte(unsigned k)
{
    if (k < N_LOW)
        return (uint8_t)k;
    return k < HIDDEN - 1 ? (uint8_t)(FIRST_HIGH + k - N_LOW) : SOFT_HYPHEN;
}

uint32_t sl_byte_char(uint8_t byte)
{
    int k = hidden_index(byte);
    return k < 0 ? byte : 0x100u + (uint32_t)k;
}

int sl_byte_of_char(uint32_t c)
{
    if (c >= 0x100)
        return c < 0x100 + HIDDEN ? hidden_byte(c - 0x100) : -1;
    return hidden_index((uint8_t)c) < 0 ? (int)c : -1;
}

uint8_t sl_byte_in_order(unsigned k)
{
    unsigned visible = 256 - HIDDEN;
    if (k >= visible)
        return hidden_byte(k - visible);
    if (k < FIRST_HIGH - N_LOW)
        return (uint8_t)(N_LOW + k);
    k += N_LOW + N_HIGH;
    return (uint8_t)(k < SOFT_HYPHEN ? k : k + 1);
}

enum sl_status sl_byte_chars_add(struct sl_buf *out, struct sl_str bytes, struct sl_err *err)
{
    SL_TRY(sl_buf_reserve(out, bytes.n * 2, err));
    uint8_t *p = out->p + out->n;
    for (size_t i = 0; i < bytes.n; i++) {
        uint32_t c = sl_byte_char((uint8_t)bytes.p[i]);
        if (c >= 0x80)
            *p++ = (uint8_t)(0xc0 | c >> 6);
        *p++ = (uint8_t)(c < 0x80 ? c : 0x80 | (c & 0x3f));
    }
    out->n = (size_t)(p - out->p);
    return SL_OK;
}
