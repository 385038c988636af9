/* SPDX-License-Identifier: Apache-2.0 */
/* Counts: the vector form, its plain twin, and a walk by words and lines that
 * shares nothing with them, on random texts made of what the rules look at. */
#include "text/text_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "text/chars.h"
#include "text/words.h"

enum { MAX_BYTES = 3000 };

static uint64_t rng = 7;

static uint32_t draw(uint32_t n)
{
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(rng >> 33) % n;
}

static const struct sl_str set_words[] = {
    { "the", 3 },      { "a", 1 },        { "be", 2 },
    { "the", 3 },      { "...", 3 },      { "constantinople", 14 },
    { "\xc3\xa9", 2 }, { "abcdefgh", 8 }, { "abcdefghi", 9 },
};
enum { N_SET = sizeof set_words / sizeof *set_words };

/* Whether a character of the word has all of with and none of without. */
static bool any_char(struct sl_str w, unsigned with, unsigned without)
{
    const uint8_t *p = (const uint8_t *)w.p, *end = p + w.n;
    while (p < end) {
        unsigned class = sl_char_class(sl_utf8_next(&p, end));
        if ((class & with) == with && !(class & without))
            return true;
    }
    return false;
}

static void walk_words(struct sl_str text, struct sl_text_stats *s)
{
    struct sl_text_iter it = sl_text_iter_of(text);
    bool seen[N_SET] = { false };
    for (struct sl_str w; sl_word_next(&it, &w);) {
        bool solid = any_char(w, 0, SL_CHAR_PUNCT | SL_CHAR_SYMBOL);
        s->n_words++;
        s->n_letter_words += any_char(w, SL_CHAR_LETTER, 0);
        s->n_solid_words += solid;
        s->n_solid_chars += solid ? sl_utf8_count(w.p, w.n) : 0;
        for (int i = 0; i < N_SET; i++)
            if (sl_str_eq(w, set_words[i]) && !seen[i]) {
                seen[i] = true;
                s->n_found += i != 3; /* it stands twice */
            }
    }
}

static void walk_lines(struct sl_str text, struct sl_text_stats *s)
{
    struct sl_text_iter it = sl_text_iter_of(text);
    for (struct sl_str l; sl_line_next(&it, &l);) {
        s->n_lines++;
        struct sl_str t = sl_blank_rstrip(sl_blank_lstrip(l));
        s->n_bullet_lines +=
            sl_str_starts(t, SL_STR("-")) || sl_str_starts(t, SL_STR("\xe2\x80\xa2"));
        s->n_ellipsis_lines +=
            sl_str_ends(t, SL_STR("...")) || sl_str_ends(t, SL_STR("\xe2\x80\xa6"));
    }
}

static void walk(struct sl_str text, struct sl_text_stats *s)
{
    memset(s, 0, sizeof *s);
    walk_words(text, s);
    walk_lines(text, s);
    for (size_t i = 0; i < text.n; i++) {
        s->n_hashes += text.p[i] == '#';
        if (text.n - i >= 3 && memcmp(text.p + i, "\xe2\x80\xa6", 3) == 0)
            s->n_ellipses++;
        if (text.n - i >= 3 && memcmp(text.p + i, "...", 3) == 0) {
            s->n_ellipses++;
            i += 2;
        }
    }
}

static size_t put(char *p, struct sl_str s)
{
    memcpy(p, s.p, s.n);
    return s.n;
}

/* Texts of a mood: the weight of each part differs from text to text. */
static size_t fill(char *p, size_t max)
{
    static const struct sl_str parts[] = {
        { " ", 1 },
        { "\n", 1 },
        { ".", 1 },
        { "...", 3 },
        { "#", 1 },
        { "-", 1 },
        { "\xe2\x80\xa2", 3 },
        { "\xe2\x80\xa6", 3 },
        { "\r", 1 },
        { "\xe2\x80\xa8", 3 },
        { "\xc2\x85", 2 },
        { "\xe3\x80\x80", 3 },
        { "x", 1 },
        { "\xe4\xb8\x80", 3 },
        { "\xe2\x82\xac", 3 },
        { "7", 1 },
    };
    enum { N_PARTS = sizeof parts / sizeof *parts };
    uint32_t usual = draw(N_PARTS), second = draw(N_PARTS), mood = draw(10);
    size_t n = 0;
    while (n + 20 < max) {
        uint32_t what = draw(20);
        if (what < mood)
            n += put(p + n, parts[draw(2) ? usual : second]);
        else if (what < 14)
            n += put(p + n, parts[draw(N_PARTS)]);
        else if (what < 17)
            n += put(p + n, set_words[draw(N_SET)]);
        else
            n += put(p + n, SL_STR(" "));
    }
    return n;
}

static void check(const char *p, size_t n)
{
    struct sl_text_stats want, got;
    struct sl_word_set set;
    struct sl_arena arena;
    char *copy = malloc(n + 1);
    sl_arena_init(&arena, 0);
    memcpy(copy, p, n);
    struct sl_str text = { copy, n };
    assert_int_equal(sl_word_set_make(&set, set_words, N_SET, &arena, NULL), SL_OK);
    assert_int_equal(set.n, N_SET - 1);
    walk(text, &want);
    memset(&got, 0xff, sizeof got);
    sl_text_stats_plain(text, &set, &got);
    assert_memory_equal(&got, &want, offsetof(struct sl_text_stats, n_found));
    assert_int_equal(got.n_found, want.n_found);
    memset(&got, 0xff, sizeof got);
    sl_text_stats(text, &set, &got);
    assert_memory_equal(&got, &want, offsetof(struct sl_text_stats, n_found));
    assert_int_equal(got.n_found, want.n_found);
    sl_text_stats(text, NULL, &got);
    assert_int_equal(got.n_found, 0);
    sl_arena_release(&arena);
    free(copy);
}

static void test_random(void **state)
{
    (void)state;
    static char text[MAX_BYTES + 20];
    check(text, 0);
    for (int i = 0; i < 4000; i++) {
        size_t n = fill(text, 20 + draw(i % 8 ? 300 : MAX_BYTES));
        check(text, n);
    }
}

/* Runs of dots and words of symbols of every length at every place. */
static void test_runs(void **state)
{
    (void)state;
    static char text[300];
    for (size_t at = 0; at < 70; at += 3)
        for (size_t n = 0; n < 140; n++) {
            memset(text, 'x', sizeof text);
            memset(text + at, '.', n);
            check(text, 250);
            text[at] = text[at + n + 1] = ' ';
            check(text, at + n + 2);
            check(text, 250);
        }
}

static void test_word_set(void **state)
{
    (void)state;
    struct sl_word_set set;
    struct sl_arena arena;
    struct sl_err err = SL_ERR_INIT;
    static struct sl_str many[SL_WORD_SET_MAX + 1];
    static char names[SL_WORD_SET_MAX + 1][24];
    for (int i = 0; i <= SL_WORD_SET_MAX; i++) {
        snprintf(names[i], sizeof names[i], i % 2 ? "longerword%d" : "%x", i);
        many[i] = sl_str_of(names[i]);
    }
    sl_arena_init(&arena, 0);
    assert_int_equal(sl_word_set_make(&set, many, SL_WORD_SET_MAX + 1, &arena, &err), SL_E_DATA);
    assert_int_equal(sl_word_set_make(&set, many, SL_WORD_SET_MAX, &arena, NULL), SL_OK);
    for (int i = 0; i < SL_WORD_SET_MAX; i++)
        assert_int_equal(sl_word_set_find(&set, many[i], many[i].n), i);
    assert_int_equal(sl_word_set_find(&set, many[SL_WORD_SET_MAX], many[SL_WORD_SET_MAX].n), -1);
    assert_int_equal(sl_word_set_make(&set, NULL, 0, &arena, NULL), SL_OK);
    assert_int_equal(sl_word_set_find(&set, SL_STR("a"), 1), -1);
    assert_false(sl_word_set_may_have(&set, SL_STR("a")));
    sl_err_reset(&err);
    assert_int_equal(sl_word_set_make(&set, &SL_STR("a b"), 1, &arena, &err), SL_E_DATA);
    assert_string_equal(err.msg, "'a b' is not one word");
    sl_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_word_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
