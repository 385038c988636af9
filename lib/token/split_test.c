/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-tokenizers: pieces that are known, blocks against scanners, steps, what is refused.
 * tests/conformance/split_test.py holds them against the engines of others. */
#include "token/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "token/split_block.h"
#include "token/split_regex.h"
#include "token/split_scan.h"
#include "token/split_steps.h"

enum { LONG = 1 << 20, ROOM = 512 };

/* The pieces of a text joined by '|', removed ones in braces; most: pieces asked for at once. */
static void expect_of(const struct sl_split *s, const char *text, size_t most, const char *want)
{
    struct sl_split_worker *w;
    char got[ROOM * 4] = "";
    uint32_t ends[ROOM];
    uint64_t removed[ROOM / 64];
    size_t at = 0, n, begin = 0, out = 0;
    assert_int_equal(sl_split_worker_new(&w, s, NULL), SL_OK);
    do {
        assert_int_equal(sl_split_next(s, w, sl_str_of(text), &at, ends, removed, most, &n, NULL),
                         SL_OK);
        for (size_t i = 0; i < n; i++) {
            bool gone = removed[i / 64] >> (i % 64) & 1;
            out += (size_t)snprintf(got + out, sizeof got - out, gone ? "%s{%.*s}" : "%s%.*s",
                                    begin ? "|" : "", (int)(ends[i] - begin), text + begin);
            begin = ends[i];
        }
    } while (n);
    assert_string_equal(got, want);
    sl_split_worker_free(w);
}

static void expect(const char *kind, const char *text, const char *want)
{
    struct sl_split *s;
    assert_int_equal(sl_split_new(&s, sl_split_find(sl_str_of(kind)), NULL), SL_OK);
    expect_of(s, text, 1, want);
    expect_of(s, text, 3, want);
    expect_of(s, text, ROOM, want);
    sl_split_free(s);
}

static void test_kinds(void **state)
{
    (void)state;
    expect("none", "a b", "a b");
    expect("none", "", "");
    expect("gpt2", "", "");
    expect("gpt2", "I'll  don'T 12345 \n\n x?!", "I|'ll| | don|'|T| 12345| \n\n| x|?!");
    expect("gpt2", "a  ", "a|  ");
    expect("llama3", "I'LL  don'\xc5\xbfx 12345.\n\n  \n y",
           "I|'LL| | don|'\xc5\xbf|x| |123|45|.\n\n|  \n| y");
    expect("llama3", "a \n ", "a| \n| ");
    expect("cl100k", "a \n ", "a| \n ");
    expect("qwen2", "x 123\tz.y", "x| |1|2|3|\tz|.y");
    expect("qwen2", "e\xcc\x81z", "e|\xcc\x81z");
    expect("qwen35", "e\xcc\x81z", "e\xcc\x81z");
    expect("o200k", "HelloWorld don't's ABCdef ABC/\n/x",
           "Hello|World| don't|'s| ABCdef| ABC|/\n/|x");
    /* Chinese characters are both: what stands behind the last of them is cut off. */
    expect("o200k",
           "AB\xe4\xb8\xad"
           "CD",
           "AB\xe4\xb8\xad|CD");
    expect("o200k",
           "\xcc\x81"
           "AB",
           "\xcc\x81|AB");
    expect("tekken", "don't 12", "don|'t| |1|2");
    expect("deepseek3", "ab1234 \xe4\xb8\xad\xe3\x81\x82z  9\x01\x02x",
           "ab|123|4| |\xe4\xb8\xad\xe3\x81\x82|z|  |9|\x01|\x02x");
}

static void test_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SL_N_SPLITS; i++) {
        const char *name = sl_split_name((enum sl_split_kind)i);
        assert_int_equal(sl_split_find(sl_str_of(name)), i);
        assert_string_equal(sl_split_names()[i], name);
    }
    assert_null(sl_split_names()[SL_N_SPLITS]);
    assert_int_equal(sl_split_find(SL_STR("steps")), SL_N_SPLITS);
    assert_int_equal(sl_split_find(SL_STR("")), SL_N_SPLITS);
    sl_split_free(NULL);
    sl_split_worker_free(NULL);
}

static void test_classes(void **state)
{
    (void)state;
    static const uint32_t sets[] = { SL_CLASS_L, SL_CLASS_M,     SL_CLASS_N,       SL_CLASS_P,
                                     SL_CLASS_S, SL_CLASS_SPACE, SL_CLASS_NEWLINE, SL_CLASS_Z };
    static const unsigned counts[] = { 141028, 2501, 1911, 855, 8514, 25, 2, 19 };
    uint32_t all = SL_CLASS_L | SL_CLASS_M | SL_CLASS_N | SL_CLASS_P | SL_CLASS_S | SL_CLASS_Z;
    assert_int_equal(all & SL_CLASS_C, 0);
    assert_int_equal(all | SL_CLASS_C, UINT32_MAX);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        unsigned n = 0;
        for (uint32_t cp = 0; cp < 0x110000; cp++)
            n += (unsigned)sl_class_in(sl_class_byte(cp), sets[i]);
        assert_int_equal(n, counts[i]);
    }
}

/* A text that meets the rules often: few bytes, runs, now and then beyond ASCII. */
static void make_text(uint8_t *p, size_t n, uint32_t *state, bool ascii)
{
    static const char some[] = "aaabXYsStTdmlLvVrReE''''  \t\n\n\r//..,-1111\x01\x7f";
    uint32_t run = 0, c = 'a';
    for (size_t i = 0; i < n; i++) {
        *state = *state * 1664525 + 1013904223;
        if (run == 0) {
            c = (uint8_t)some[(*state >> 8) % (sizeof some - 1)];
            run = *state >> 28 < 3 ? 1 + (*state >> 16 & 7) : 1;
        }
        run--;
        p[i] = (uint8_t)c;
        if (!ascii && *state >> 25 == 5 && i + 1 < n) {
            p[i] = 0xc3;
            p[++i] = 0xa9;
            run = 0;
        }
    }
}

/* The borders that the scanner tells in the block at `at`, up to the highest of told. */
static uint64_t scanned(sl_scan_fn *scan, const uint8_t *text, size_t at, size_t n, uint64_t told)
{
    uint64_t borders = 0;
    for (size_t end = scan(text, at, n); end - at < 64 && told >> (end - at);
         end = scan(text, end, n)) {
        borders |= UINT64_C(1) << (end - at);
        if (end == n)
            break;
    }
    return borders;
}

static void test_blocks(void **state)
{
    (void)state;
    enum { BYTES = 300 };
    uint8_t text[BYTES];
    uint32_t seed = 7;
    unsigned told = 0;
    for (unsigned i = 0; i < 3000 * SL_N_SPLITS * SL_N_BLOCK_SETS; i++) {
        enum sl_split_kind kind = (enum sl_split_kind)(i % SL_N_SPLITS);
        sl_block_fn *block = sl_block_of(kind, (enum sl_block_set)(i / SL_N_SPLITS % 3));
        sl_scan_fn *scan = sl_split_scan(kind);
        make_text(text, BYTES, &seed, i % 2);
        for (size_t at = 0; block && at + SL_BLOCK_BYTES <= BYTES; at = scan(text, at, BYTES)) {
            uint64_t borders = block(text + at);
            assert_int_equal(borders, scanned(scan, text, at, BYTES, borders));
            told += (unsigned)__builtin_popcountll(borders);
        }
    }
    assert_true(told > 1000000);
    assert_null(sl_block_of(SL_SPLIT_NONE, SL_BLOCK_PLAIN));
    assert_null(sl_block_of(SL_N_SPLITS, SL_BLOCK_PLAIN));
}

/* A megabyte of one character, and of two that take turns, in linear time. */
static void test_linear(void **state)
{
    (void)state;
    static const char *const some[] = { "a",    "A",         " ",
                                        "\n",   "1",         ".",
                                        "'",    "\xcc\x81",  "\xe4\xb8\xad",
                                        "\x01", " \n",       "A\xe4\xb8\xad",
                                        "/\n",  "\xcc\x81\n" };
    uint32_t ends[ROOM];
    char *text = malloc(LONG);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        size_t part = strlen(some[i]), n, bytes = LONG / part * part;
        for (size_t at = 0; at < bytes; at += part)
            memcpy(text + at, some[i], part);
        for (unsigned kind = 0; kind < SL_N_SPLITS; kind++) {
            struct sl_split *s;
            struct sl_str whole = { text, bytes };
            size_t at = 0;
            assert_int_equal(sl_split_new(&s, (enum sl_split_kind)kind, NULL), SL_OK);
            do
                assert_int_equal(sl_split_next(s, NULL, whole, &at, ends, NULL, ROOM, &n, NULL),
                                 SL_OK);
            while (n);
            assert_int_equal(at, bytes);
            sl_split_free(s);
        }
    }
    free(text);
}

static struct sl_split *made(const struct sl_split_step *steps, size_t n)
{
    struct sl_err err = SL_ERR_INIT;
    struct sl_split *s = NULL;
    if (sl_split_new_steps(&s, steps, n, &err) != SL_OK)
        fail_msg("%s", err.msg);
    return s;
}

static void expect_step(struct sl_split_step step, const char *text, const char *want)
{
    struct sl_split *s = made(&step, 1);
    expect_of(s, text, 1, want);
    expect_of(s, text, 5, want);
    sl_split_free(s);
}

static void test_behaviours(void **state)
{
    (void)state;
    struct sl_split_step s = { .pattern = SL_STR("\\s") };
    expect_step(s, "a  b c ", "a| | |b| |c| ");
    expect_step(s, "", "");
    s.behaviour = SL_SPLIT_REMOVED;
    expect_step(s, "a  b c ", "a|{ }|{ }|b|{ }|c|{ }");
    s.invert = true;
    expect_step(s, "a  b", "{a}| | |{b}");
    s.invert = false;
    s.behaviour = SL_SPLIT_MERGED_WITH_PREVIOUS;
    expect_step(s, " a  b c", " |a | |b |c");
    s.behaviour = SL_SPLIT_MERGED_WITH_NEXT;
    expect_step(s, " a  b c ", " a| | b| c| ");
    s.behaviour = SL_SPLIT_CONTIGUOUS;
    expect_step(s, " a  b c ", " |a|  |b| |c| ");
    expect_step((struct sl_split_step){ .pattern = SL_STR("ab"), .literal = true }, "xababy",
                "x|ab|ab|y");
    expect_step((struct sl_split_step){ .pattern = SL_STR(""), .literal = true }, "xab", "xab");
}

static void test_steps(void **state)
{
    (void)state;
    const struct sl_split_step steps[] = {
        { .pattern = SL_STR(" "), .literal = true, .behaviour = SL_SPLIT_REMOVED },
        { .pattern = SL_STR("\\p{N}{1,3}") },
        { .pattern = SL_STR("^[ab]|b$") },
    };
    struct sl_split *s = made(steps, 3);
    assert_int_equal(sl_split_kind_of(s), SL_N_SPLITS);
    expect_of(s, "aab 1234b", 2, "a|a|b|{ }|123|4|b");
    sl_split_free(s);
    s = made(steps, 0);
    assert_int_equal(sl_split_kind_of(s), SL_SPLIT_NONE);
    sl_split_free(s);

    /* {1,3}+ is possessive to one engine, and a repeated repetition to the other. */
    struct sl_split_step n = { .pattern = SL_STR("\\p{N}{1,3}+"), .engine = SL_REGEX_RUST };
    expect_step(n, "1234567", "123|456|7");
    n.engine = SL_REGEX_ONIGURUMA;
    expect_step(n, "1234567", "1234567");
    struct sl_split_step end = { .pattern = SL_STR("a$"), .engine = SL_REGEX_RUST };
    expect_step(end, "a\na", "a\n|a");
    end.engine = SL_REGEX_ONIGURUMA;
    expect_step(end, "a\na", "a|\n|a");
}

/* A worker that goes on in the middle of a text that it has not cut. */
static void test_resumes(void **state)
{
    (void)state;
    const struct sl_split_step step = { .pattern = SL_STR("[abc]") };
    struct sl_split *s = made(&step, 1);
    struct sl_split_worker *w;
    uint32_t ends[4];
    size_t at = 2, n;
    assert_int_equal(sl_split_worker_new(&w, s, NULL), SL_OK);
    assert_int_equal(sl_split_next(s, w, SL_STR("abcabc"), &at, ends, NULL, 2, &n, NULL), SL_OK);
    assert_int_equal(n, 2);
    assert_int_equal(ends[0], 3);
    assert_int_equal(ends[1], 4);
    at = 0;
    assert_int_equal(sl_split_next(s, w, SL_STR("ccc"), &at, ends, NULL, 1, &n, NULL), SL_OK);
    assert_int_equal(ends[0], 1);
    at = 6;
    assert_int_equal(sl_split_next(s, w, SL_STR("abcabc"), &at, ends, NULL, 2, &n, NULL), SL_OK);
    assert_int_equal(n, 0);
    sl_split_worker_free(w);
    sl_split_free(s);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const patterns[] = { "",    "(",          "a)",          "[a",
                                            "a**", "\\p{Greek}", "(a)\\1",      "a*",
                                            "\\b", "(?<n>a)",    "[[:alpha:]]", "\xff" };
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct sl_split_step step = { .pattern = sl_str_of(patterns[i]) };
        struct sl_err err = SL_ERR_INIT;
        struct sl_split *s;
        assert_int_equal(sl_split_new_steps(&s, &step, 1, &err), SL_E_DATA);
        assert_null(s);
        assert_true(strstr(err.msg, "expression") != NULL);
    }
}

/* An expression that would take for ever is an error on the text where it does. */
static void test_time(void **state)
{
    (void)state;
    struct sl_split_step step = { .pattern = SL_STR("(?:a+)+b|\\s+$") };
    struct sl_split *s = made(&step, 1);
    struct sl_split_worker *w;
    struct sl_err err = SL_ERR_INIT;
    uint32_t ends[4];
    size_t at = 0, n;
    char *text = malloc(LONG);
    struct sl_str whole = { text, LONG };
    assert_non_null(text);
    assert_int_equal(sl_split_worker_new(&w, s, NULL), SL_OK);
    memset(text, ' ', LONG);
    text[LONG - 1] = '.';
    assert_int_equal(sl_split_next(s, w, whole, &at, ends, NULL, 4, &n, &err), SL_E_DATA);
    assert_true(strstr(err.msg, "too long") != NULL);
    memset(text, 'a', LONG);
    assert_int_equal(sl_split_next(s, w, whole, &at, ends, NULL, 4, &n, NULL), SL_E_DATA);
    assert_int_equal(sl_split_next(s, w, SL_STR("aab"), &at, ends, NULL, 4, &n, NULL), SL_OK);
    assert_int_equal(n, 1);
    free(text);
    sl_split_worker_free(w);
    sl_split_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),   cmocka_unit_test(test_names),
        cmocka_unit_test(test_classes), cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_linear),  cmocka_unit_test(test_behaviours),
        cmocka_unit_test(test_steps),   cmocka_unit_test(test_resumes),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
