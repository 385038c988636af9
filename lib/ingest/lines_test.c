/* SPDX-License-Identifier: Apache-2.0 */
/* Lines against a plain walk, by reads of every size, with limits; and what the
 * first bytes say an input is. */
#include "ingest/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingest/text_format.h"

/* Gives `step` bytes a read; fails behind the last where `broken`. */
struct feed {
    const char *p;
    size_t n, at, step;
    bool broken;
};

static ssize_t feed_read(void *ctx, void *buf, size_t n)
{
    struct feed *f = ctx;
    size_t left = f->n - f->at;
    n = n < f->step ? n : f->step;
    n = n < left ? n : left;
    if (!n && f->broken)
        return -1;
    memcpy(buf, f->p + f->at, n);
    f->at += n;
    return (ssize_t)n;
}

static struct sl_source *open_feed(struct feed *f)
{
    struct sl_source *source;
    struct sl_source_backend backend = { feed_read, NULL, f };
    assert_int_equal(sl_source_open_backend(&source, backend, "feed", SL_SOURCE_PLAIN, NULL),
                     SL_OK);
    return source;
}

/* All lines of the text, as a walk over it says. */
static void check(const char *text, size_t n, size_t step, size_t limit)
{
    struct feed f = { text, n, 0, step, false };
    struct sl_source *source = open_feed(&f);
    struct sl_lines lines;
    struct sl_line line;
    int64_t number = 0;
    sl_lines_init(&lines, source, limit);
    for (size_t from = 0; from < n;) {
        const char *lf = memchr(text + from, '\n', n - from);
        size_t end = lf ? (size_t)(lf - text) : n, next = end + 1;
        end -= end > from && text[end - 1] == '\r';
        assert_int_equal(sl_lines_next(&lines, &line, NULL), SL_OK);
        assert_int_equal(line.off, from);
        assert_int_equal(line.number, ++number);
        if (end - from > limit + 1) /* of one byte more the CR may be one */
            assert_true(line.cut);
        if (end - from <= limit)
            assert_false(line.cut);
        if (!line.cut)
            assert_int_equal(line.text.n, end - from);
        assert_true(line.text.n <= n - from);
        assert_memory_equal(line.text.p, text + from, line.text.n);
        from = next;
    }
    assert_int_equal(sl_lines_next(&lines, &line, NULL), SL_END);
    assert_int_equal(sl_lines_next(&lines, &line, NULL), SL_END);
    sl_source_free(source);
}

static void test_lines(void **state)
{
    static const char text[] = "one\ntwo\r\n\n\r\n\r\rthree\r\nfour, which is longer\n\nlast";
    (void)state;
    for (size_t n = 0; n < sizeof text; n++)
        for (size_t step = 1; step < 60; step += 7)
            for (size_t limit = 1; limit < 40; limit += 3)
                check(text, n, step, limit);
}

/* Lines longer than the window, one far over the limit. */
static void test_long(void **state)
{
    enum { N = 3 << 20 };
    char *text = malloc(N);
    (void)state;
    assert_non_null(text);
    memset(text, 'x', N);
    for (size_t at = 1000; at < N; at = at * 2 + 1)
        text[at] = '\n';
    check(text, N, 65536, N);
    check(text, N, 5000, 300000);
    check(text, N, N, 10);
    free(text);
}

static void test_broken(void **state)
{
    struct feed f = { "one\ntwo", 7, 0, 3, true };
    struct sl_source *source = open_feed(&f);
    struct sl_lines lines;
    struct sl_line line;
    (void)state;
    sl_lines_init(&lines, source, 100);
    assert_int_equal(sl_lines_next(&lines, &line, NULL), SL_OK);
    assert_true(sl_str_eq(line.text, SL_STR("one")));
    assert_int_equal(sl_lines_next(&lines, &line, NULL), SL_E_SYSTEM);
    assert_int_equal(sl_lines_next(&lines, &line, NULL), SL_E_SYSTEM);
    sl_source_free(source);
}

static void test_format(void **state)
{
    static const struct {
        struct sl_str first;
        enum sl_text_format format;
    } cases[] = {
        { { "", 0 }, SL_FORMAT_JSONL },
        { { " \r\n\t", 4 }, SL_FORMAT_JSONL },
        { { "\n {\"text\":1}", 11 }, SL_FORMAT_JSONL },
        { { "hello {", 7 }, SL_FORMAT_TEXT },
        { { "\xe4\xb8\xad", 3 }, SL_FORMAT_TEXT },
        { { "[1] A footnote", 14 }, SL_FORMAT_TEXT },
        { { "[ {\"a\":1}]", 10 }, SL_FORMAT_REFUSED },
        { { "[]", 2 }, SL_FORMAT_REFUSED },
        { { "PAR1....", 8 }, SL_FORMAT_REFUSED },
        { { "PAR", 3 }, SL_FORMAT_TEXT },
        { { "a\0b", 3 }, SL_FORMAT_REFUSED },
        { { "\xff\xff\xff\xff", 4 }, SL_FORMAT_REFUSED },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *says = NULL;
        assert_int_equal(sl_text_format(cases[i].first, &says), cases[i].format);
        if (cases[i].format == SL_FORMAT_REFUSED)
            assert_non_null(says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines), cmocka_unit_test(test_long),
                                        cmocka_unit_test(test_broken),
                                        cmocka_unit_test(test_format) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
