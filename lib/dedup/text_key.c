/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of texts. The normal form goes through a buffer of fixed size into a
 * running hash, so that a text of any length takes the same memory. A blank at
 * the end of the buffer waits there until it is known whether something follows.
 *
 * Eight bytes at a time are looked at in one register: where they hold no blank
 * behind a blank, and no byte with which a white-space character outside ASCII
 * begins (C2, E1, E2, E3), they are written as eight. Most text is so, in most
 * scripts. */
#include "dedup/text_key.h"

#include <stdlib.h>

#include "base/num.h"

enum { ROOM = 16 * 1024 };

struct sl_text_keyer {
    bool simple;
    struct sl_hasher *hasher;
    uint8_t *at; /* in form */
    bool blank;  /* the last character was one, or there was none yet */
    uint8_t form[ROOM + 16];
};

enum sl_status sl_text_keyer_new(struct sl_text_keyer **out, const char *rule, struct sl_err *err)
{
    *out = NULL;
    bool simple = strcmp(rule, "simple") == 0;
    if (!simple && strcmp(rule, "none") != 0)
        return sl_err_set(err, SL_E_USAGE, "no rule '%s' for the same text", rule);
    struct sl_text_keyer *k = malloc(sizeof *k);
    if (!k)
        return sl_err_nomem(err, sizeof *k);
    k->simple = simple;
    k->hasher = sl_hasher_new();
    if (!k->hasher) {
        free(k);
        return sl_err_nomem(err, 0);
    }
    *out = k;
    return SL_OK;
}

void sl_text_keyer_free(struct sl_text_keyer *k)
{
    if (k)
        sl_hasher_free(k->hasher);
    free(k);
}

static bool is_ascii_blank(uint8_t c)
{
    return c == ' ' || (c >= 9 && c <= 13);
}

/* Bytes of the white-space character outside ASCII at p; 0: there is none. */
static size_t wide_blank(const uint8_t *p, size_t n)
{
    if (n >= 2 && p[0] == 0xc2)
        return p[1] == 0x85 || p[1] == 0xa0 ? 2 : 0;
    if (n < 3)
        return 0;
    unsigned c = (unsigned)(p[0] << 16 | p[1] << 8 | p[2]);
    bool blank = c == 0xe19a80 || (c >= 0xe28080 && c <= 0xe2808a) || c == 0xe280a8 ||
                 c == 0xe280a9 || c == 0xe280af || c == 0xe2819f || c == 0xe38080;
    return blank ? 3 : 0;
}

static inline void put_ascii(struct sl_text_keyer *k, uint8_t c)
{
    bool blank = is_ascii_blank(c);
    bool upper = (uint8_t)(c - 'A') < 26;
    *k->at = blank ? ' ' : (uint8_t)(c | (upper << 5));
    k->at += !(blank && k->blank);
    k->blank = blank;
}

/* Hash what is in the buffer; a blank at its end stays. */
static void empty_buffer(struct sl_text_keyer *k)
{
    size_t n = (size_t)(k->at - k->form);
    bool waits = n && k->blank;
    sl_hasher_add128(k->hasher, k->form, n - waits);
    k->form[0] = ' ';
    k->at = k->form + waits;
}

/* One character that may be a blank; its length. */
static size_t put_char(struct sl_text_keyer *k, const uint8_t *p, size_t n)
{
    if (*p < 0x80) {
        put_ascii(k, *p);
        return 1;
    }
    size_t length = wide_blank(p, n);
    if (length) {
        put_ascii(k, ' ');
        return length;
    }
    length = *p < 0xc0 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
    if (length > n)
        length = n;
    memcpy(k->at, p, length);
    k->at += length;
    k->blank = false;
    return length;
}

#define EACH(byte) ((uint64_t)0x0101010101010101u * (byte))

/* Eight bytes at once; false where they need a closer look. Masks have the
 * highest bit of each byte that they mean. */
static inline bool put_eight(struct sl_text_keyer *k, const uint8_t *p)
{
    uint64_t v = sl_load64(p), high = EACH(0x80), low = v & EACH(0x7f);
    uint64_t ascii = ~v & high;
    if (ascii != high) {
        uint64_t c2 = v ^ EACH(0xc2), e0 = (v & EACH(0xfc)) ^ EACH(0xe0);
        uint64_t others =
            (((c2 & EACH(0x7f)) + EACH(0x7f)) | c2) & (((e0 & EACH(0x7f)) + EACH(0x7f)) | e0);
        if (~others & high)
            return false;
    }
    uint64_t spaces = ~((low ^ EACH(0x20)) + EACH(0x7f)) & ascii;
    uint64_t controls = (low + EACH(0x80 - 9)) & ~(low + EACH(0x80 - 14)) & ascii;
    uint64_t upper = (low + EACH(0x80 - 'A')) & ~(low + EACH(0x80 - 'Z' - 1)) & ascii;
    uint64_t blanks = spaces | controls;
    if (blanks & (blanks << 8 | (uint64_t)k->blank << 7))
        return false;
    uint64_t cleared = (controls >> 7) * 0xff;
    sl_store64(k->at, ((v | upper >> 2) & ~cleared) | (EACH(0x20) & cleared));
    k->at += 8;
    k->blank = blanks >> 63;
    return true;
}

static struct sl_hash128 simple_key(struct sl_text_keyer *k, const uint8_t *p, size_t n)
{
    sl_hasher_reset128(k->hasher);
    k->at = k->form;
    k->blank = true;
    for (size_t i = 0; i < n;) {
        if (k->at - k->form >= ROOM)
            empty_buffer(k);
        if (n - i >= 8 && put_eight(k, p + i))
            i += 8;
        else
            i += put_char(k, p + i, n - i);
    }
    size_t length = (size_t)(k->at - k->form);
    sl_hasher_add128(k->hasher, k->form, length - (length && k->blank));
    return sl_hasher_end128(k->hasher);
}

struct sl_hash128 sl_text_key(struct sl_text_keyer *k, struct sl_str text)
{
    return k->simple ? simple_key(k, (const uint8_t *)text.p, text.n) : sl_hash128(text.p, text.n);
}
