/* SPDX-License-Identifier: Apache-2.0 */
/* Character classes: known characters, borders of ranges, counts of the whole
 * table as the Unicode Character Database 15.0 has them. */
#include "text/chars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_known(void **state)
{
    (void)state;
    static const struct {
        uint32_t cp;
        unsigned flags;
    } known[] = {
        { 0x00, 0 },
        { 0x09, SL_CHAR_SPACE },
        { 0x1c, 0 },
        { ' ', SL_CHAR_SPACE },
        { '#', SL_CHAR_PUNCT },
        { '$', SL_CHAR_SYMBOL },
        { '+', SL_CHAR_SYMBOL },
        { '-', SL_CHAR_PUNCT },
        { '0', SL_CHAR_DIGIT | SL_CHAR_NUMBER },
        { 'A', SL_CHAR_LETTER | SL_CHAR_UPPER },
        { 'z', SL_CHAR_LETTER },
        { '_', SL_CHAR_PUNCT },
        { '~', SL_CHAR_SYMBOL },
        { 0x7f, 0 },
        { 0x85, SL_CHAR_SPACE },
        { 0xa0, SL_CHAR_SPACE },
        { 0xaa, SL_CHAR_LETTER },
        { 0xb2, SL_CHAR_NUMBER },
        { 0x1c5, SL_CHAR_LETTER }, /* title case is not upper case */
        { 0x300, SL_CHAR_MARK },
        { 0x660, SL_CHAR_DIGIT | SL_CHAR_NUMBER },
        { 0x200b, 0 },
        { 0x2003, SL_CHAR_SPACE },
        { 0x2022, SL_CHAR_PUNCT },
        { 0x2026, SL_CHAR_PUNCT },
        { 0x2028, SL_CHAR_SPACE },
        { 0x20ac, SL_CHAR_SYMBOL },
        { 0x3000, SL_CHAR_SPACE },
        { 0x4e00, SL_CHAR_LETTER },
        { 0x9fff, SL_CHAR_LETTER },
        { 0xac00, SL_CHAR_LETTER },
        { 0xd7a3, SL_CHAR_LETTER },
        { 0xd7a4, 0 },
        { 0xd800, 0 },
        { 0xe000, 0 },
        { 0xfeff, 0 },
        { 0x1f600, SL_CHAR_SYMBOL },
        { 0x323af, SL_CHAR_LETTER }, /* the last of Unicode 15.0 */
        { 0x323b0, 0 },
        { 0xe01ef, SL_CHAR_MARK },
        { 0xe01f0, 0 },
        { 0x10ffff, 0 },
        { 0xffffffff, 0 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal(sl_char_class(known[i].cp), known[i].flags);
}

/* The counts are those of DerivedGeneralCategory.txt and PropList.txt. */
static void test_counts(void **state)
{
    (void)state;
    unsigned n[8] = { 0 };
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++)
        for (unsigned bit = 0, f = sl_char_class(cp); bit < 8; bit++)
            n[bit] += f >> bit & 1;
    assert_int_equal(n[0], 1831 + 2233 + 31 + 397 + 131612);
    assert_int_equal(n[1], 680);
    assert_int_equal(n[2], 680 + 236 + 915);
    assert_int_equal(n[3], 1985 + 452 + 13);
    assert_int_equal(n[4], 842);
    assert_int_equal(n[5], 948 + 63 + 125 + 6634);
    assert_int_equal(n[6], 1831);
    assert_int_equal(n[7], 25);
}

static void test_blank(void **state)
{
    (void)state;
    unsigned n = 0;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++)
        n += sl_char_is_blank(cp);
    assert_int_equal(n, 29);
    assert_true(sl_char_is_blank(0x1c) && sl_char_is_blank(0x1f) && sl_char_is_blank(0x85));
    assert_false(sl_char_is_blank(0x1b) || sl_char_is_blank(0x20 + 1) || sl_char_is_blank(0x200b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_blank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
