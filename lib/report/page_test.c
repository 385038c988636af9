/* SPDX-License-Identifier: Apache-2.0 */
/* The page made of parts that no tool of the tests writes: stages of a plan,
 * scores with and without edges, many reasons, nothing at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/page.h"
#include "report/svg.h"

static struct sl_html html;

static enum sl_status no_law(const struct sl_json *lineage, struct sl_err *err)
{
    (void)lineage;
    (void)err;
    return SL_OK;
}

static const char *text_of(const struct sl_page *page)
{
    sl_html_release(&html);
    sl_html_init(&html, 1 << 24);
    assert_int_equal(sl_page_write(&html, page, NULL), SL_OK);
    const char *text = sl_buf_cstr(&html.out);
    assert_non_null(text);
    return text;
}

static const char *page_of(const char *lineage)
{
    struct sl_page_input in = { .name = "x" };
    struct sl_page page = { .title = "T", .inputs = &in, .n_inputs = 1, .law = no_law };
    assert_int_equal(sl_json_parse(&in.w.json, sl_str_of(lineage), NULL), SL_OK);
    const char *text = text_of(&page);
    sl_json_free(in.w.json);
    return text;
}

static void has(const char *page, const char *what)
{
    if (!strstr(page, what))
        fail_msg("the page has no '%s'", what);
}

static void has_not(const char *page, const char *what)
{
    if (strstr(page, what))
        fail_msg("the page has '%s'", what);
}

#define HEAD "[{\"tool\":\"sluice-x\",\"version\":\"1\",\"options\":{\"seed\":1234567},"

/* 64 bins of which only the third holds rows. */
static void score_lineage(char out[2048], const char *bins)
{
    int n = snprintf(out, 2048, HEAD "%s\"tally\":{\"hist\":{\"score\":[0,0,1234", bins);
    for (int i = 3; i < 64; i++)
        n += snprintf(out + n, 2048 - (size_t)n, ",0");
    snprintf(out + n, 2048 - (size_t)n, "]}}}]");
}

static void test_scores(void **state)
{
    char lineage[2048];
    (void)state;
    score_lineage(lineage, "\"bins\":{\"score\":[-32,32,2]},");
    const char *page = page_of(lineage);
    has(page, "<h3>x</h3>");
    has(page, "<b>score</b>");
    has(page, "<span style=\"left:50%\">0</span>");
    has(page, "<td class=n>-15</td><td class=n>-14.5</td><td class=n>1,234</td>");
    has(page, "seed 1234567");
    score_lineage(lineage, "");
    page = page_of(lineage);
    has(page, "number of the bin");
    has(page, "<td class=n>2</td><td class=n>3</td><td class=n>1,234</td>");
    static const char *const no_edges[] = {
        "[0,1,0]",      "[1,0,1]", "[0,1]", "[0,1e308,1e-300]", "[1,1.0000000000000002,3]",
        "[-1e300,1,1]", "0"
    };
    for (size_t i = 0; i < sizeof no_edges / sizeof *no_edges; i++) {
        char bins[96];
        snprintf(bins, sizeof bins, "\"bins\":{\"score\":%s},", no_edges[i]);
        score_lineage(lineage, bins);
        has(page_of(lineage), "number of the bin");
    }
}

static void test_reasons(void **state)
{
    char lineage[4096];
    (void)state;
    int n = snprintf(lineage, sizeof lineage,
                     HEAD "\"tally\":{\"in\":{\"rows\":1000},\"rejected\":{\"rows\":190},"
                          "\"reasons\":{\"never\":0");
    for (int i = 1; i < 20; i++)
        n += snprintf(lineage + n, sizeof lineage - (size_t)n, ",\"r%d\":%d", i, i);
    snprintf(lineage + n, sizeof lineage - (size_t)n, "}}}]");
    const char *page = page_of(lineage);
    has(page, "<ul class=why><li>r19 19 (1.9 %)</li><li>r18 18 (1.8 %)</li>");
    has(page, "<li>and 11 more</li>");
    has(page, "1 other reason met no document.");
}

/* Rows 0 to 999 with a score that rises, and three stages. */
static void test_order(void **state)
{
    struct sl_page page = { .title = "T", .law = no_law, .order_name = "s" };
    struct sl_curve c;
    struct sl_curve_row kept[100][10];
    struct sl_curve_bucket buckets[100];
    (void)state;
    sl_curve_init(&c, "my_score", 1);
    for (int i = 0; i < 100; i++) {
        buckets[i] = (struct sl_curve_bucket){ .rows = 10, .n = i == 50 ? 0 : 10, .kept = kept[i] };
        for (int k = 0; k < 10; k++)
            kept[i][k] = (struct sl_curve_row){ 0, i * 10 + k };
    }
    c.buckets = buckets;
    c.rows = 1000;
    c.width = 10;
    c.seen = true;
    c.n_stages = 3;
    c.stages[1] = (struct sl_curve_stage){ 500, 1 };
    c.stages[2] = (struct sl_curve_stage){ 510, 2 };
    page.order = &c;
    const char *text = text_of(&page);
    has(text, "my_score against position");
    has(text, "<path class=m d=\"M500 0V300\"/><path class=m d=\"M510 0V300\"/>");
    has(text, "stage 1");
    has_not(text, "stage 2"); /* its name would lie over the other's */
    has(text, "<td class=n>4.5</td>");
    struct sl_json *lineage;
    const char *plan = "[{\"order\":{\"stages\":[{\"name\":\"old\"},{\"name\":\"old\"}]}},"
                       "{\"order\":{\"stages\":[{\"name\":\"a<b\"},"
                       "{\"name\":\"123456789012345678901234567\xC3\xA4\xC3\xB6\"}]}},{}]";
    assert_int_equal(sl_json_parse(&lineage, sl_str_of(plan), NULL), SL_OK);
    page.order_lineage = lineage;
    text = text_of(&page);
    has(text, ">a&lt;b</span>"); /* the last plan's names, as text */
    has_not(text, ">old</span>");
    c.stages[0].stage = 1;
    has(text_of(&page), ">123456789012345678901234567\xE2\x80\xA6</span>");
    c.stages[0].stage = 7;
    has(text_of(&page), "stage 7");
    sl_json_free(lineage);
    page.order_lineage = NULL;
    c.many_stages = true;
    has(text_of(&page), "too often to be drawn");
    c.seen = false;
    has(text_of(&page), "no order is drawn");
    c.rows = 0;
    has(text_of(&page), "No rows.");
}

static void test_nothing(void **state)
{
    struct sl_page page = { .title = "<T>", .law = no_law };
    (void)state;
    has(text_of(&page), "<h1>&lt;T&gt;</h1>");
    has(page_of("[]"), "the lineage is empty");
}

/* Axes of any numbers: they end, and nothing that is no number is written. */
static void test_axes(void **state)
{
    static const double values[] = { 0, 1, -1, 1e-300, 1e300, -1e300, 3e-9, 1e15, 0.1 };
    const struct sl_chart c = { .title = "a", .x_unit = "x", .y_unit = "y" };
    int n = sizeof values / sizeof *values;
    (void)state;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) {
            struct sl_band_point p[2] = { { 0, values[i], values[i], values[i] },
                                          { 1, values[k], values[k], values[k] } };
            sl_html_release(&html);
            sl_html_init(&html, 1 << 20);
            sl_svg_band(&html, &c, p, 2, NULL, 0);
            const char *text = sl_buf_cstr(&html.out);
            assert_int_equal(html.err.status, SL_OK);
            has_not(text, "nan");
            has_not(text, "inf");
            assert_true(html.out.n < 4000);
        }
}

static int release(void **state)
{
    (void)state;
    sl_html_release(&html);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores), cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_order),  cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_axes),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
