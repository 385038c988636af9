/* SPDX-License-Identifier: Apache-2.0 */
/* Words, lines and stripping: every separator, and texts that end anywhere. */
#include "text/words.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check(bool (*next)(struct sl_text_iter *, struct sl_str *), const char *text, size_t n,
                  const char *expected)
{
    struct sl_text_iter it = sl_text_iter_of((struct sl_str){ text, n });
    char got[400];
    size_t at = 0;
    for (struct sl_str s; next(&it, &s);) {
        got[at++] = '[';
        for (size_t i = 0; i < s.n; i++)
            got[at++] = s.p[i];
        got[at++] = ']';
    }
    got[at] = 0;
    assert_string_equal(got, expected);
    struct sl_str s;
    assert_false(next(&it, &s)); /* the end stays the end */
}

#define CHECK(next, text, expected) check(next, text, sizeof(text) - 1, expected)

static void test_words(void **state)
{
    (void)state;
    CHECK(sl_word_next, "", "");
    CHECK(sl_word_next, " \t\n", "");
    CHECK(sl_word_next, "one", "[one]");
    CHECK(sl_word_next, "  one  two, - ", "[one][two,][-]");
    CHECK(sl_word_next, "a\tb\nc\vd\fe\rf\x1cg\x1dh\x1ei\x1fj k",
          "[a][b][c][d][e][f][g][h][i][j][k]");
    CHECK(sl_word_next,
          "a\xc2\x85"
          "b\xc2\xa0"
          "c\xe1\x9a\x80"
          "d\xe2\x80\x80"
          "e\xe2\x80\xa8"
          "f\xe2\x80\xaf"
          "g\xe2\x81\x9f"
          "h\xe3\x80\x80"
          "i",
          "[a][b][c][d][e][f][g][h][i]");
    /* zero-width space, byte order mark, word joiner, controls: not blank */
    CHECK(sl_word_next,
          "a\xe2\x80\x8b"
          "b\xef\xbb\xbf"
          "c\xe2\x81\xa0"
          "d\x01"
          "e",
          "[a\xe2\x80\x8b"
          "b\xef\xbb\xbf"
          "c\xe2\x81\xa0"
          "d\x01"
          "e]");
    CHECK(sl_word_next, "\xe2\x80\xa2 \xc2\xa9", "[\xe2\x80\xa2][\xc2\xa9]");
}

static void test_lines(void **state)
{
    (void)state;
    CHECK(sl_line_next, "", "");
    CHECK(sl_line_next, "a", "[a]");
    CHECK(sl_line_next, "a\n", "[a]");
    CHECK(sl_line_next, "\n", "[]");
    CHECK(sl_line_next, "\n\na\n\n", "[][][a][]");
    CHECK(sl_line_next, "a\r\nb\rc\n\rd", "[a][b][c][][d]");
    CHECK(sl_line_next,
          "a\vb\fc\x1c"
          "d\x1d"
          "e\x1e"
          "f\x1fg",
          "[a][b][c][d][e][f\x1fg]");
    CHECK(sl_line_next,
          "a\xc2\x85"
          "b\xe2\x80\xa8"
          "c\xe2\x80\xa9"
          "d\xc2\xa0"
          "e\r",
          "[a][b][c][d\xc2\xa0"
          "e]");
}

static void test_strip(void **state)
{
    (void)state;
    static const char text[] = " \xc2\xa0\x1f\xe3\x80\x80- x.\xe2\x80\x83\t\xc2\x85";
    struct sl_str s = { text, sizeof text - 1 };
    assert_true(sl_str_eq(sl_blank_rstrip(sl_blank_lstrip(s)), SL_STR("- x.")));
    assert_int_equal(sl_blank_lstrip(SL_STR("")).n, 0);
    assert_int_equal(sl_blank_rstrip(SL_STR("")).n, 0);
    assert_int_equal(sl_blank_lstrip(SL_STR(" \n\xe2\x80\xa8")).n, 0);
    assert_int_equal(sl_blank_rstrip(SL_STR(" \n\xe2\x80\xa8")).n, 0);
    assert_int_equal(sl_blank_rstrip(SL_STR("\xe4\xb8\x80\xe2\x80\xa6")).n, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_strip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
