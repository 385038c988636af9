/* SPDX-License-Identifier: Apache-2.0 */
/* Masks of 64 bytes: the vector form against its plain twin and both against a
 * walk by code points, on texts of every length around the block size. */
#include "text/class_mask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "text/chars.h"
#include "text/words.h"

enum { MAX_BYTES = 1024, MAX_BLOCKS = MAX_BYTES / 64 + 1 };

static uint64_t rng = 1;

static uint32_t draw(uint32_t n)
{
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(rng >> 33) % n;
}

/* Characters that matter, and any others. */
static uint32_t draw_char(uint32_t kind)
{
    static const uint32_t known[] = { '\n', '\r', '\t', ' ',    '.',    '#',    '-',    0,
                                      0x0b, 0x1c, 0x1f, 0x7f,   0x85,   0xa0,   0xe9,   'a',
                                      'Z',  '5',  '~',  0x2022, 0x2026, 0x2028, 0x3000, 0x4e00,
                                      '@',  '[',  '`',  '{',    '/',    ':',    '0',    0x1f600 };
    if (kind == 0)
        return draw(128);
    if (kind == 1)
        return known[draw(sizeof known / sizeof *known)];
    if (kind == 2)
        return draw(8) ? 'a' + draw(26) : ' ';
    uint32_t cp = draw(0x110000);
    return cp >= 0xd800 && cp < 0xe000 ? 0x2003 : cp;
}

static size_t fill(uint8_t *p, size_t max, uint32_t kind)
{
    size_t n = 0;
    while (n + 4 <= max)
        n += sl_utf8_put(p + n, draw_char(kind < 4 ? kind : draw(4)));
    return n;
}

/* What the masks must be, in bytes: a walk with sl_char_class. */
static void walk(const uint8_t *p, size_t n, struct sl_class_mask *m, size_t n_blocks)
{
    memset(m, 0, n_blocks * sizeof *m);
#define PUT(member, i) m[(i) / 64].member |= (uint64_t)1 << (i) % 64
    for (size_t i = n; i < n_blocks * 64; i++)
        PUT(blank, i);
    for (const uint8_t *q = p, *end = p + n; q < end;) {
        size_t at = (size_t)(q - p);
        uint32_t cp = sl_utf8_next(&q, end);
        unsigned class = sl_char_class(cp);
        for (size_t i = at; i < (size_t)(q - p); i++) {
            if (sl_char_is_blank(cp))
                PUT(blank, i);
            else if (!(class & (SL_CHAR_PUNCT | SL_CHAR_SYMBOL)))
                PUT(solid, i);
            if (class & SL_CHAR_LETTER)
                PUT(letter, i);
            if (i > at)
                PUT(cont, i);
        }
        if (cp == '.')
            PUT(dot, at);
        if (cp == '#')
            PUT(hash, at);
        if (cp == 0x2026)
            PUT(ellipsis, at);
        struct sl_text_iter it = { p + at, end };
        struct sl_str line;
        if (cp != '\r' || q == end || *q != '\n') {
            if (sl_line_next(&it, &line) && !line.n)
                PUT(brk, (size_t)(q - p) - 1);
        }
    }
}

static size_t scan(struct sl_class_scan *s, struct sl_class_mask *m, size_t step)
{
    size_t n = 0;
    for (size_t got; (got = sl_class_scan_next(s, m + n, step));)
        n += got;
    return n;
}

static void check(const uint8_t *p, size_t n)
{
    struct sl_class_mask want[MAX_BLOCKS], got[MAX_BLOCKS + 2];
    struct sl_class_scan s;
    size_t n_blocks = n / 64 + 1;
    uint8_t *copy = malloc(n + 1); /* exact, so that a look behind it is seen */
    memcpy(copy, p, n);
    struct sl_str text = { (const char *)copy, n };
    walk(copy, n, want, n_blocks);
    sl_class_scan_plain(&s, text);
    assert_int_equal(scan(&s, got, 2), n_blocks);
    assert_memory_equal(got, want, n_blocks * sizeof *want);
    sl_class_scan_init(&s, text);
    assert_int_equal(scan(&s, got, 1 + n % 5), n_blocks);
    assert_memory_equal(got, want, n_blocks * sizeof *want);
    free(copy);
}

static void test_lengths(void **state)
{
    (void)state;
    uint8_t text[MAX_BYTES] = { 0 };
    check(text, 0);
    for (uint32_t kind = 0; kind < 5; kind++)
        for (size_t max = 4; max < 300; max++)
            check(text, fill(text, max, kind));
}

static void test_random(void **state)
{
    (void)state;
    uint8_t text[MAX_BYTES] = { 0 };
    for (int i = 0; i < 3000; i++)
        check(text, fill(text, 4 + draw(MAX_BYTES - 4), draw(6)));
}

/* Each of the 128 ASCII bytes at each place of a block. */
static void test_ascii_places(void **state)
{
    (void)state;
    uint8_t text[130];
    for (int c = 0; c < 128; c++)
        for (size_t at = 0; at < 64; at++) {
            memset(text, 'x', sizeof text);
            text[at] = (uint8_t)c;
            text[at + 64] = (uint8_t)c;
            check(text, sizeof text);
        }
}

/* A code point of every length across the border of two blocks. */
static void test_across(void **state)
{
    (void)state;
    static const uint32_t cps[] = { 0xe9,   0x85,   0xa0,    0x2026, 0x2028,
                                    0x2022, 0x4e00, 0x1f600, 0x20000 };
    uint8_t text[200];
    for (size_t i = 0; i < sizeof cps / sizeof *cps; i++)
        for (size_t at = 58; at < 70; at++)
            for (size_t tail = 0; tail < 3; tail++) {
                memset(text, 'a', sizeof text);
                size_t n = at + sl_utf8_put(text + at, cps[i]);
                check(text, n + tail * 37);
            }
    memset(text, 'a', sizeof text);
    text[63] = '\r';
    text[64] = '\n';
    check(text, 64);
    check(text, 65);
    check(text, 130);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_ascii_places),
        cmocka_unit_test(test_across),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
