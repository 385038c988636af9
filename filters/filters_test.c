/* SPDX-License-Identifier: Apache-2.0 */
/* Runs filters/NAME.test of every filter: groups of three lines, parameters, text,
 * verdict. Lines that are empty or begin with '#' between groups are passed over.
 *
 *     {min_words: 2}
 *     one \u2026 two
 *     keep gopher_n_words=2 gopher_mean_word_length=3 ...
 *
 * Parameters are YAML. A text has \n \t \r \\ \uXXXX \UXXXXXXXX. A verdict is keep
 * or the reason, then every value in the table's order, null where undefined. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "text/filter.h"

enum { LINE_MAX_BYTES = 1 << 16 };

struct test_file {
    FILE *f;
    const char *name;
    int line;
    char text[LINE_MAX_BYTES];
};

static bool read_line(struct test_file *t)
{
    if (!fgets(t->text, sizeof t->text, t->f))
        return false;
    t->line++;
    t->text[strcspn(t->text, "\n")] = 0;
    return true;
}

static size_t unescape(const char *p, char *out)
{
    size_t n = 0;
    while (*p) {
        int digits = p[1] == 'u' ? 4 : p[1] == 'U' ? 8 : 0;
        if (*p != '\\') {
            out[n++] = *p++;
        } else if (digits) {
            char hex[9] = { 0 };
            memcpy(hex, p + 2, (size_t)digits);
            n += sl_utf8_put((uint8_t *)out + n, (uint32_t)strtoul(hex, NULL, 16));
            p += 2 + digits;
        } else {
            out[n++] = p[1] == 'n' ? '\n' : p[1] == 't' ? '\t' : p[1] == 'r' ? '\r' : p[1];
            p += 2;
        }
    }
    return n;
}

/* The verdict as the test file writes it. */
static void verdict_of(const struct sl_filter_use *use, struct sl_str text, char *out, size_t max)
{
    double v[SL_FILTER_MAX_VALUES];
    sl_filter_measure(use, text, v);
    int rule = sl_filter_judge(use, v);
    size_t n =
        (size_t)snprintf(out, max, "%s", rule < 0 ? "keep" : use->filter->rules[rule].reason);
    for (int i = 0; use->filter->values[i].name; i++) {
        const char *name = use->filter->values[i].name;
        if (isnan(v[i]))
            n += (size_t)snprintf(out + n, max - n, " %s=null", name);
        else
            n += (size_t)snprintf(out + n, max - n, " %s=%.6g", name, v[i]);
    }
}

static int run_group(struct test_file *t, const struct sl_filter *f)
{
    static const char *const missing = "a group has three lines";
    char yaml[LINE_MAX_BYTES + 200], verdict[4096], where[300];
    snprintf(yaml, sizeof yaml, "{name: t, filters: {%s: %s}}", f->name, t->text);
    snprintf(where, sizeof where, "%s:%d", t->name, t->line);
    struct sl_profile *p;
    struct sl_err err = SL_ERR_INIT;
    if (sl_profile_read(&p, sl_str_of(yaml), where, sl_filters, &err) != SL_OK)
        fail_msg("%s", err.msg);
    if (!read_line(t))
        fail_msg("%s: %s", where, missing);
    char *text = malloc(strlen(t->text) + 1);
    size_t n = unescape(t->text, text);
    verdict_of(&p->uses[0], (struct sl_str){ text, n }, verdict, sizeof verdict);
    if (!read_line(t))
        fail_msg("%s: %s", where, missing);
    int bad = strcmp(t->text, verdict) != 0;
    if (bad)
        print_error("%s:%d: expected\n%s\ngot\n%s\n", t->name, t->line, t->text, verdict);
    free(text);
    sl_profile_free(p);
    return bad;
}

static void test_filters(void **state)
{
    (void)state;
    struct test_file *t = calloc(1, sizeof *t);
    int n = 0, n_bad = 0;
    for (int i = 0; sl_filters[i]; i++) {
        char path[300];
        snprintf(path, sizeof path, "filters/%s.test", sl_filters[i]->name);
        *t = (struct test_file){ .f = fopen(path, "r"), .name = path };
        if (!t->f)
            fail_msg("cannot open %s", path);
        int before = n;
        while (read_line(t))
            if (t->text[0] && t->text[0] != '#') {
                n_bad += run_group(t, sl_filters[i]);
                n++;
            }
        fclose(t->f);
        assert_true(n > before);
    }
    free(t);
    assert_int_equal(n_bad, 0);
}

/* What the build and the tables promise. */
static void test_tables(void **state)
{
    (void)state;
    for (int i = 0; sl_filters[i]; i++) {
        const struct sl_filter *f = sl_filters[i];
        int n = 0;
        while (f->values[n].name)
            n++;
        assert_true(n > 0 && n <= SL_FILTER_MAX_VALUES);
        assert_true(i == 0 || strcmp(sl_filters[i - 1]->name, f->name) < 0);
        for (const struct sl_filter_rule *r = f->rules; r->reason; r++)
            assert_true(r->value >= 0 && r->value < n && r->threshold < f->params_size);
    }
}

/* Every built-in profile is read, and comes back equal from what it prints. */
static void test_profiles(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    for (const struct sl_profile_text *t = sl_profile_texts; t->name; t++) {
        struct sl_profile *p, *again;
        struct sl_buf one, two;
        sl_buf_init(&one, 1 << 20);
        sl_buf_init(&two, 1 << 20);
        if (sl_profile_read(&p, sl_str_of(t->yaml), t->name, sl_filters, &err) != SL_OK)
            fail_msg("%s", err.msg);
        assert_string_equal(p->name, t->name);
        assert_int_equal(sl_profile_write(p, &one, &err), SL_OK);
        if (sl_profile_read(&again, sl_buf_str(&one), t->name, sl_filters, &err) != SL_OK)
            fail_msg("%s", err.msg);
        assert_int_equal(sl_profile_write(again, &two, &err), SL_OK);
        assert_true(sl_str_eq(sl_buf_str(&one), sl_buf_str(&two)));
        sl_buf_release(&one);
        sl_buf_release(&two);
        sl_profile_free(p);
        sl_profile_free(again);
    }
    assert_non_null(sl_profile_builtin(sl_profile_texts, "gopher-sluice"));
    assert_null(sl_profile_builtin(sl_profile_texts, "gopher"));
}

static void test_bad_profiles(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "name: x\n", "p:1:1: key 'filters' is missing" },
        { "filters: {gopher_quality: {}}\n", "p:1:1: key 'name' is missing" },
        { "name: x\nfilters: {}\n", "p: the profile has no filter" },
        { "name: x\nfilters:\n  gopher_quality:\n    min_word: 3\n",
          "p:4:5: unknown key 'min_word' (did you mean 'min_words'?)" },
        { "name: x\nfilters:\n  gofer_quality: {}\n",
          "p:3:3: unknown name 'gofer_quality' (did you mean 'gopher_quality'?)" },
        { "name: x\nfilters:\n  gopher_quality: {}\n  gopher_quality: {}\n",
          "p:4:3: key 'gopher_quality' stands here again (first in line 3)" },
        { "name: x\nfilters: {gopher_quality: {stop_words: [a, 'b c']}}\n",
          "p: gopher_quality: 'b c' is not one word" },
        { "name: x\nfilters: {gopher_quality: {stop_words: ['']}}\n",
          "p: gopher_quality: '' is not one word" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sl_profile *p;
        struct sl_err err = SL_ERR_INIT;
        assert_int_equal(sl_profile_read(&p, sl_str_of(cases[i][0]), "p", sl_filters, &err),
                         SL_E_DATA);
        assert_null(p);
        assert_string_equal(err.msg, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_bad_profiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
