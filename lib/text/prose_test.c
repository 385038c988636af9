/* SPDX-License-Identifier: Apache-2.0 */
/* Words and sentences: the rules of docs/difficulty.md one by one. */
#include "text/prose.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "text/chars.h"

/* The copy is exactly n bytes, so that ASan finds a read beyond it. */
static struct sl_prose count(const char *p, size_t n)
{
    struct sl_prose c;
    char *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, p, n);
    sl_prose_count(&c, copy, n);
    free(copy);
    return c;
}

static void test_counts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned chars, words, word_chars, sentences;
    } cases[] = {
        { "", 0, 0, 0, 0 },
        { " \n\n ", 4, 0, 0, 0 },
        { "a", 1, 1, 1, 1 },
        { "...", 3, 0, 0, 0 },
        { "- * -- 1", 8, 1, 1, 1 },
        { "One two.", 8, 2, 7, 1 },
        { "One two. Three", 14, 3, 12, 2 },
        { "One two.Three", 13, 2, 12, 1 },
        { "At 3.14 or 2.5", 14, 4, 11, 1 },
        { "Why?! No... Yes", 15, 3, 13, 3 },
        { "Dr. No", 6, 2, 5, 2 },
        { "He said \"Go.\" Then", 18, 4, 15, 2 },
        { "(He went.) Then [it] rang", 25, 5, 21, 2 },
        { "one . two ! three", 17, 3, 11, 3 },
        { ". ! one", 7, 1, 3, 1 },
        { "head\n\nbody text", 15, 3, 12, 2 },
        { "head\nbody text", 14, 3, 12, 1 },
        { "head\r\n \t\r\nbody", 14, 2, 8, 2 },
        { "head\n\n\n\nbody", 12, 2, 8, 2 },
        { "head\n.\nbody", 11, 2, 8, 2 },
        { "head\n-\nbody", 11, 2, 8, 1 },
        { "a\u2028b\u00a0c\u3000d", 7, 4, 4, 1 },
        { "\u00bd \u2167 x", 5, 1, 1, 1 }, /* a fraction, a Roman numeral: N, not Nd */
        { "\u0661\u0662 e\u0301", 5, 2, 4, 1 },
        { "\u041e\u043d. \u041e\u043d\u0430\u2026 \u041e", 10, 3, 8, 3 },
        { "\u0939\u093e\u0901\u0964 \u0928", 6, 2, 5, 2 },
        /* wide marks end words and sentences without a blank */
        { "\u6587\u5b57\u3002\u6587", 4, 2, 4, 2 },
        { "\u300c\u6587\u3002\u300d\u6587\uff1f\uff01\u6587", 8, 3, 8, 3 },
        { "\u6587\u3002 \u6587", 4, 2, 3, 2 },
        { "\u3002\u6587", 2, 1, 1, 1 },
        { "\u6587.\u3002)\u6587", 5, 2, 5, 2 },
        { "\u6587.)\u6587", 4, 1, 4, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sl_prose c = count(cases[i].text, strlen(cases[i].text));
        if (c.n_chars != cases[i].chars || c.n_words != cases[i].words ||
            c.word_chars != cases[i].word_chars || c.n_sentences != cases[i].sentences)
            fail_msg("'%s': %d chars, %d words of %d, %d sentences", cases[i].text, (int)c.n_chars,
                     (int)c.n_words, (int)c.word_chars, (int)c.n_sentences);
    }
}

static void test_nul(void **state)
{
    (void)state;
    struct sl_prose c = count("a\0b \0", 5);
    assert_int_equal(c.n_chars, 5);
    assert_int_equal(c.n_words, 1);
    assert_int_equal(c.word_chars, 3);
}

/* The table of ASCII says what text/chars.h and the three questions say. */
static void test_every_character(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp < 0x110000; cp++) {
        if (cp >= 0xd800 && cp < 0xe000)
            continue;
        char text[16] = "a";
        size_t n = 1 + sl_utf8_put((uint8_t *)text + 1, cp);
        memcpy(text + n, " b", 2);
        struct sl_prose c = count(text, n + 2);
        bool mark = sl_prose_is_mark(cp) || sl_prose_is_wide_mark(cp);
        if (c.n_chars != 4 || c.n_words != 2 || c.n_sentences != 1u + mark ||
            c.word_chars != (sl_char_is_blank(cp) ? 2u : 3u))
            fail_msg("U+%04X behind a letter", cp);
        c = count(text + 1, n - 1);
        bool word = sl_char_class(cp) & (SL_CHAR_LETTER | SL_CHAR_DIGIT);
        if (c.n_words != word || c.n_sentences != word)
            fail_msg("U+%04X alone", cp);
        memmove(text + 2, text + 1, n - 1);
        text[0] = 'a', text[1] = '.';
        memcpy(text + n + 1, " b", 2);
        c = count(text, n + 3);
        bool ends = mark || sl_prose_is_closer(cp) || sl_char_is_blank(cp);
        if (c.n_sentences != 1u + ends)
            fail_msg("U+%04X behind a mark", cp);
    }
}

static void test_large(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    char *p = malloc(N);
    assert_non_null(p);
    memset(p, 'a', N);
    assert_int_equal(count(p, N).word_chars, N);
    memset(p, '\n', N);
    assert_int_equal(count(p, N).n_chars, N);
    memset(p, '.', N);
    assert_int_equal(count(p, N).n_sentences, 0);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_every_character),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
