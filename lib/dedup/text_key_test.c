/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "dedup/text_key.h"

static struct sl_text_keyer *keyer(const char *rule)
{
    struct sl_text_keyer *k;
    assert_int_equal(sl_text_keyer_new(&k, rule, NULL), SL_OK);
    return k;
}

static void rules_have_names(void **state)
{
    (void)state;
    struct sl_text_keyer *k = (void *)state;
    assert_int_equal(sl_text_keyer_new(&k, "Simple", NULL), SL_E_USAGE);
    assert_null(k);
    sl_text_keyer_free(NULL);
    k = keyer("none");
    struct sl_hash128 a = sl_text_key(k, SL_STR("A  text")), b = sl_hash128("A  text", 7);
    assert_memory_equal(a.b, b.b, sizeof a.b);
    sl_text_keyer_free(k);
}

static void simple_forms(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "", "" },
        { " ", "" },
        { "  \t\r\n\v\f ", "" },
        { "a", "a" },
        { " a ", "a" },
        { "A  b\n\nC", "a b c" },
        { "Some words of a text, AND MORE.", "some words of a text, and more." },
        { "@[`{Az\x7f", "@[`{az\x7f" },
        { "\xc2\xa0x\xe3\x80\x80\xe2\x80\xa8y\xc2\x85", "x y" },
        { "\xe1\x9a\x80-\xe2\x80\x8a\xe2\x80\x80-\xe2\x80\xa9-\xe2\x80\xaf-\xe2\x81\x9f",
          "- - - -" },
        { "\xe2\x80\x8b", "\xe2\x80\x8b" }, /* no white space: zero width space */
        { "\xe2\x80\xa7\xe2\x80\xaa", "\xe2\x80\xa7\xe2\x80\xaa" },
        { "\xc3\x89T\xc3\x89", "\xc3\x89t\xc3\x89" }, /* only A to Z */
        { "x\xc2", "x\xc2" },                         /* cut characters */
        { "x\xe3\x80", "x\xe3\x80" },
        { "12345678 \xe3\x81\x82 1234567", "12345678 \xe3\x81\x82 1234567" },
    };
    struct sl_text_keyer *k = keyer("simple");
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct sl_hash128 have = sl_text_key(k, sl_str_of(pairs[i][0]));
        struct sl_hash128 want = sl_hash128(pairs[i][1], strlen(pairs[i][1]));
        if (memcmp(have.b, want.b, sizeof have.b) != 0)
            fail_msg("pair %zu: '%s'", i, pairs[i][0]);
    }
    sl_text_keyer_free(k);
}

static bool is_blank(uint32_t c)
{
    static const uint32_t blanks[] = { 0x20,   0x85,   0xa0,   0x1680, 0x2028,
                                       0x2029, 0x202f, 0x205f, 0x3000 };
    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++)
        if (c == blanks[i])
            return true;
    return (c >= 9 && c <= 13) || (c >= 0x2000 && c <= 0x200a);
}

/* Every character between letters, by itself and doubled. */
static void every_character(void **state)
{
    (void)state;
    struct sl_text_keyer *k = keyer("simple");
    for (uint32_t c = 0; c < 0x20000; c++) {
        uint8_t in[16] = "x", want[16] = "x", one[4];
        size_t n = 1, m = 1;
        if (c >= 0xd800 && c < 0xe000)
            continue;
        unsigned width = sl_utf8_put(one, c >= 'A' && c <= 'Z' ? c + 32 : c);
        for (int twice = 0; twice < 2; twice++) {
            n += sl_utf8_put(in + n, c);
            if (is_blank(c) && twice)
                continue;
            memcpy(want + m, is_blank(c) ? (const uint8_t *)" " : one, is_blank(c) ? 1 : width);
            m += is_blank(c) ? 1 : width;
        }
        in[n++] = 'y';
        want[m++] = 'y';
        struct sl_hash128 have = sl_text_key(k, (struct sl_str){ (const char *)in, n });
        struct sl_hash128 expected = sl_hash128(want, m);
        if (memcmp(have.b, expected.b, sizeof have.b) != 0)
            fail_msg("character %x", c);
    }
    sl_text_keyer_free(k);
}

/* The buffer is emptied at every place, blanks before, in and behind it. */
static void long_texts(void **state)
{
    (void)state;
    struct sl_text_keyer *k = keyer("simple");
    struct sl_buf in, want;
    sl_buf_init(&in, 1 << 20);
    sl_buf_init(&want, 1 << 20);
    for (size_t letters = 16 * 1024 - 20; letters < 16 * 1024 + 20; letters++)
        for (size_t blanks = 0; blanks < 12; blanks += 3)
            for (size_t more = 0; more < 3; more++) {
                sl_buf_reset(&in);
                sl_buf_reset(&want);
                for (size_t i = 0; i < letters + blanks; i++)
                    assert_int_equal(sl_buf_add_byte(&in, i < letters ? 'Q' : ' ', NULL), SL_OK);
                for (size_t i = 0; i < letters; i++)
                    assert_int_equal(sl_buf_add_byte(&want, 'q', NULL), SL_OK);
                if (more && blanks)
                    assert_int_equal(sl_buf_add_byte(&want, ' ', NULL), SL_OK);
                for (size_t i = 0; i < more; i++) {
                    assert_int_equal(sl_buf_add_str(&in, SL_STR("\xc3\xa9"), NULL), SL_OK);
                    assert_int_equal(sl_buf_add_str(&want, SL_STR("\xc3\xa9"), NULL), SL_OK);
                }
                struct sl_hash128 have = sl_text_key(k, sl_buf_str(&in));
                struct sl_hash128 expected = sl_hash128(want.p, want.n);
                assert_memory_equal(have.b, expected.b, sizeof have.b);
            }
    sl_buf_release(&in);
    sl_buf_release(&want);
    sl_text_keyer_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_have_names),
        cmocka_unit_test(simple_forms),
        cmocka_unit_test(every_character),
        cmocka_unit_test(long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
