/* SPDX-License-Identifier: Apache-2.0 */
/* Extraction: what text a page gives, its facts, and hostile pages. */
#include "web/extract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/utf8.h"

static struct sl_extractor *x;

static int set_up(void **state)
{
    (void)state;
    x = sl_extractor_new();
    return x ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sl_extractor_free(x);
    return 0;
}

static struct sl_extract_result run_n(struct sl_str body, enum sl_page_kind kind, const char *type)
{
    struct sl_extract_input in = { .body = body, .kind = kind, .content_type = sl_str_of(type) };
    struct sl_extract_result out;
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(sl_extract(x, &in, &out, &err), SL_OK);
    assert_true(sl_utf8_valid(out.text.p, out.text.n));
    assert_true(out.text.n == 0 || !memchr(out.text.p, 0, out.text.n));
    return out;
}

static struct sl_extract_result run(const char *html)
{
    return run_n(sl_str_of(html), SL_PAGE_HTML, NULL);
}

static void check_str(struct sl_str got, const char *want, const char *what)
{
    if (sl_str_eq(got, sl_str_of(want)))
        return;
    print_error("%s\n want '%s'\n got  '%.*s'\n", what, want, (int)got.n, got.p);
    fail();
}

struct pair {
    const char *html, *text;
};

static void check_pairs(const struct pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_str(run(pairs[i].html).text, pairs[i].text, pairs[i].html);
}
#define CHECK(pairs) check_pairs(pairs, sizeof pairs / sizeof *pairs)

static void test_paragraphs(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        { "", "" },
        { "   \n ", "" },
        { "a", "a" },
        { "<p>a<p>b", "a\n\nb" },
        { "<p>a</p>b", "a\n\nb" },
        { "<div>a<div>b</div>c</div>", "a\n\nb\n\nc" },
        { "a\n  b <b> c</b> d<i>e</i> ", "a b c de" },
        { "<p> a <br> b<br/>c <br><br> d</p>", "a\nb\nc\n\nd" },
        { "<br>a<br>", "a" },
        { "a<hr>b", "a\n\nb" },
        { "<h1>T</h1>t<h2>U</h2>", "T\n\nt\n\nU" },
        { "a&nbsp;&nbsp; b&shy;c&#8203;d\xEF\xBB\xBF"
          "e&zwj;f",
          "a bcde\xE2\x80\x8D"
          "f" },
        { "a&#1;&#127;b&#x85;c&#xFFFE;", "ab\xE2\x80\xA6"
                                         "c\xEF\xBF\xBE" },
        { "a&#x2028;b", "a b" },
        { "\xE4\xB8\xAD\n \xE6\x96\x87 \xE5\xAD\x97", "\xE4\xB8\xAD\xE6\x96\x87 \xE5\xAD\x97" },
        { "<pre>\n a\tb\n\n  c \n</pre>d", " a\tb\n\n  c\n\nd" },
        { "<pre>a<br>b<b> c </b></pre>", "a\nb c" },
        { "&lt;p&gt; &amp;amp; &notit; &euro;", "<p> &amp; \xC2\xACit; \xE2\x82\xAC" },
        { "a<!-- b -->c<![CDATA[d]]>e<?x?>f", "acef" },
        { "<a><button>x</button><button>y</button>", "x y" },
        { "<ruby>\xE6\xBC\xA2<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>", "\xE6\xBC\xA2" },
        { "<plaintext>a</plaintext>", "a</plaintext>" },
        { "0123456789abcde  0123456789abcdef  0123456789abcdefg ",
          "0123456789abcde 0123456789abcdef 0123456789abcdefg" },
    };
    CHECK(pairs);
}

static void test_lists_and_tables(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        { "x<ul><li>a<li>b</ul>y", "x\n\na\nb\n\ny" },
        { "<ul><li><p>a</p></li>\n<li><p>b</p></li></ul>", "a\nb" },
        { "<ul><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ul>", "a\nb\nc\nd" },
        { "<dl><dt>a<dd>b<dt>c<dd>d</dl>", "a\nb\nc\nd" },
        { "<ul><li><div>a</div><div>b</div><li>c</ul>", "a\nb\nc" },
        { "x<table><tr><td>a<td>b<tr><td>c<td>d</table>y", "x\n\na\tb\nc\td\n\ny" },
        { "<table><tr><th><p>a</p></th><td><div>b</div></td></tr></table>", "a\tb" },
        { "<table><tr><td></td><td>b</td><td> </td><td>d</td></tr></table>", "b\td" },
        { "<table><tr><td><p>a</p><p>b</p></td><td>c</td></tr><tr><td>d</td></tr></table>",
          "a\n\nb\n\nc\n\nd" },
        { "<table role=presentation><tr><td>a</td><td>b</td></tr></table>", "a\n\nb" },
        { "<table><caption>t</caption><thead><tr><th>a<th>b<tbody><tr><td>c<td>d</table>",
          "t\na\tb\nc\td" },
        { "x<ul><li hidden>a</li><li>b</li></ul>", "x\n\nb" },
        { "<table><tr><td>a<td><table><tr><td>b<td>c</table><td>d</table>", "a\n\nb\tc\n\nd" },
    };
    CHECK(pairs);
}

static void test_dropped(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        { "a<script>b</script>c", "ac" },
        { "a<script>x='<!--<script>';</script>y</script>z", "az" },
        { "a<style>b</style><iframe>c</iframe><template><p>d</p></template>e", "ae" },
        { "a<textarea>b</p></textarea><select><option>c</select><object>d</object>e", "ae" },
        { "a<svg><title>b</title><style>c<p></svg>d", "a\n\nd" },
        { "a<svg><style><b>c</b></style></svg>d", "acd" },
        { "<div hidden>a<div>b</div></div>cde", "cde" },
        { "<p aria-hidden=true>a<p>b<p aria-hidden=false>c", "b\n\nc" },
        { "<div hidden>more than half</div>less", "more than half\n\nless" },
        { "<div hidden>more than <a href=u>half</a></div>ten bytes.", "ten bytes." },
        { "<div hidden>a b</div>x<div hidden>a b</div>", "x" },
        { "<div hidden id=S:0>a</div>bcdef", "a\n\nbcdef" },
        { "<span hidden>more than half</span>a", "a" },
        { "<div style='color:red; DISPLAY : none'>a</div><span style=visibility:hidden>b</span>cd",
          "cd" },
        { "<body style=display:none>a", "a" },
        { "<noscript>a</noscript>", "a" },
        { "<head><title>t</title>x<p>y", "x\n\ny" },
        { "<head><noscript><img></noscript>a", "a" },
        { "<head><meta><link><p>a", "a" },
        { "<dialog>a</dialog><dialog open>b</dialog>", "b" },
        { "<input hidden>a<img hidden>b", "ab" },
        { "<b><div></b>a</div>b</b>c", "a\n\nbc" },
        { "<ul><li>a<li hidden>b<li>c</ul>", "a\nc" },
        { "<x-a hidden><x-b></x-c>q</x-b></x-a>c", "c" },
        { "<math><mi>x</mi><annotation>y</annotation></math>", "x" },
        { "<select>a<input>b", "b" },
    };
    CHECK(pairs);
}

static void test_foreign(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        /* In SVG a style element is markup; in the HTML inside desc it is raw text. */
        { "<svg><desc><style><a></style></desc></svg>b", "b" },
        { "<svg><desc><math><style><a>x</style></math></desc></svg>b", "b" },
        { "<math><mtext><![CDATA[a]]></mtext><mi><![CDATA[<b>]]></mi></math>", "a<b>" },
        { "<math><![CDATA[]]><![CDATA[]]></math>a", "a" },
        { "<svg><![CDATA[</svg>x]]></svg>y", "y" },
        { "<math/>a<svg/>b", "ab" },
    };
    CHECK(pairs);
}

static void test_facts(void **state)
{
    (void)state;
    struct sl_extract_result r =
        run("<!doctype html><html lang=' pt-BR '><head><title> A &amp;\n B </title>"
            "<title>second</title><meta name=robots content='noindex'>"
            "<META NAME=ROBOTS CONTENT=' noai '></head><p>x <a href=u>link</a> <a>no</a>");
    check_str(r.title, "A & B", "title");
    check_str(r.html_lang, "pt-BR", "lang");
    check_str(r.meta_robots, "noindex, noai", "robots");
    check_str(r.text, "x link no", "text");
    assert_int_equal(r.n_text_bytes, 9);
    assert_int_equal(r.n_link_bytes, 5);
    assert_int_equal(r.n_blocks, 1);
    assert_int_equal(r.blocks[0].tag, SL_TAG_P);
    assert_int_equal(r.charset, SL_CHARSET_UTF_8);
    assert_int_equal(r.charset_source, SL_CHARSET_BY_UTF8);

    r = run("<svg><title>no</title></svg><h1>h</h1><pre>p</pre><ul><li>l</ul><table><td>c");
    check_str(r.title, "", "no title");
    assert_int_equal(r.n_blocks, 4);
    assert_int_equal(r.blocks[0].flags, SL_BLOCK_KEEP | SL_BLOCK_HEADING);
    assert_int_equal(r.blocks[1].flags, SL_BLOCK_KEEP | SL_BLOCK_PRE);
    assert_int_equal(r.blocks[2].flags, SL_BLOCK_KEEP | SL_BLOCK_LIST);
    assert_int_equal(r.blocks[3].flags, SL_BLOCK_KEEP | SL_BLOCK_TABLE);
    check_str(run("<title>t<p>a").title, "t<p>a", "open title");
    check_str(run("<title>").title, "", "empty title");
}

static void test_charset(void **state)
{
    (void)state;
    struct sl_extract_result r = run("<meta charset=utf-8><p>Stra\xDF"
                                     "e M\xFCnchen");
    check_str(r.text,
              "Stra\xC3\x9F"
              "e M\xC3\xBCnchen",
              "a label that lies");
    assert_int_equal(r.charset_source, SL_CHARSET_BY_DEFAULT);
    r = run_n(SL_STR("<p>\xCF\xF0\xE8\xE2\xE5\xF2"), SL_PAGE_HTML, "text/html;charset=cp1251");
    check_str(r.text, "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82", "http");
    assert_int_equal(r.charset_source, SL_CHARSET_BY_HTTP);
    r = run_n(SL_STR("\xFF\xFE<\0p\0>\0a\0\xAC\x20"), SL_PAGE_HTML, NULL);
    check_str(r.text, "a\xE2\x82\xAC", "utf-16");
    r = run_n(SL_STR("a\0b\0<p\0>c"), SL_PAGE_HTML, NULL);
    check_str(r.text, "abc", "NULs");
}

static void test_plain(void **state)
{
    (void)state;
    struct sl_extract_result r = run_n(SL_STR("\n <p>a</p>\r\n\r\n b\t\x01"
                                              "c&amp;\r\r"),
                                       SL_PAGE_TEXT, "text/plain");
    check_str(r.text, " <p>a</p>\n\n b\tc&amp;", "plain");
    r = run_n(SL_STR(""), SL_PAGE_TEXT, "text/plain");
    assert_int_equal(r.text.n, 0);
}

static void test_kinds(void **state)
{
    (void)state;
    struct sl_str none = SL_STR("");
    assert_int_equal(sl_page_kind_of(SL_STR("Text/HTML; charset=x"), none), SL_PAGE_HTML);
    assert_int_equal(sl_page_kind_of(SL_STR("application/xhtml+xml"), none), SL_PAGE_HTML);
    assert_int_equal(sl_page_kind_of(SL_STR(" text/plain ;"), none), SL_PAGE_TEXT);
    assert_int_equal(sl_page_kind_of(SL_STR("image/png"), SL_STR("<html>")), SL_PAGE_OTHER);
    assert_int_equal(sl_page_kind_of(none, SL_STR("\xEF\xBB\xBF <!DOCTYPE")), SL_PAGE_HTML);
    assert_int_equal(sl_page_kind_of(none, SL_STR("<?xml v?>\n<HTML")), SL_PAGE_HTML);
    assert_int_equal(sl_page_kind_of(none, SL_STR("%PDF-1.4")), SL_PAGE_OTHER);
    assert_int_equal(sl_page_kind_of(none, none), SL_PAGE_OTHER);
}

/* A page cut anywhere gives a text, and never more blocks than before. */
static void test_cut(void **state)
{
    (void)state;
    static const char page[] = "<!doctype html><title>t&eacute;</title><ul><li><a href='x&y'>"
                               "\xC3\xA9</a></ul><script><!--<script></script>--></script>"
                               "<svg><![CDATA[x]]></svg><pre>\nq</pre><table><tr><td>1</table>";
    for (size_t n = 0; n <= sizeof page - 1; n++) {
        char *copy = malloc(n + 1); /* so that a read behind the end is seen */
        assert_non_null(copy);
        memcpy(copy, page, n);
        run_n((struct sl_str){ copy, n }, SL_PAGE_HTML, NULL);
        free(copy);
    }
}

static void test_flattened(void **state)
{
    (void)state;
    struct sl_buf page;
    sl_buf_init(&page, 1 << 20);
    for (int i = 0; i < 2000; i++)
        assert_int_equal(sl_buf_add(&page, "<div>", 5, NULL), SL_OK);
    assert_int_equal(sl_buf_add(&page, "a<script>b</script>c", 20, NULL), SL_OK);
    for (int i = 0; i < 2000; i++)
        assert_int_equal(sl_buf_add(&page, "</div>", 6, NULL), SL_OK);
    assert_int_equal(sl_buf_add(&page, "d", 1, NULL), SL_OK);
    check_str(run_n(sl_buf_str(&page), SL_PAGE_HTML, NULL).text, "ac\n\nd", "2000 deep");
    sl_buf_release(&page);
}

static void test_block_limit(void **state)
{
    (void)state;
    struct sl_buf page;
    size_t n = SL_EXTRACT_BLOCKS_MAX + 1000;
    sl_buf_init(&page, (size_t)8 << 20);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(sl_buf_add(&page, "<p>a", 4, NULL), SL_OK);
    struct sl_extract_result r = run_n(sl_buf_str(&page), SL_PAGE_HTML, NULL);
    assert_int_equal(r.n_blocks, SL_EXTRACT_BLOCKS_MAX);
    assert_int_equal(r.n_text_bytes, n + 1000); /* a line feed for each block too many */
    sl_buf_release(&page);
    r = run_n((struct sl_str){ NULL, 0 }, SL_PAGE_HTML, NULL);
    assert_int_equal(r.n_blocks, 0);
    r = run_n((struct sl_str){ NULL, 0 }, SL_PAGE_TEXT, NULL);
    assert_int_equal(r.text.n, 0);
}

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static double time_of(const char *head, const char *piece, size_t bytes)
{
    struct sl_buf page;
    size_t n = strlen(piece);
    sl_buf_init(&page, bytes + 4096);
    assert_int_equal(sl_buf_add(&page, head, strlen(head), NULL), SL_OK);
    while (page.n + n <= bytes)
        assert_int_equal(sl_buf_add(&page, piece, n, NULL), SL_OK);
    double start = now();
    run_n(sl_buf_str(&page), SL_PAGE_HTML, NULL);
    double took = now() - start;
    sl_buf_release(&page);
    return took;
}

/* Pages made to be slow: 4 MB of each, which a quadratic step would turn into
 * hours, within seconds even under the sanitizers. */
static void test_linear_time(void **state)
{
    (void)state;
    static const struct pair pages[] = {
        { "", "<a>" },
        { "", "<" },
        { "", "&" },
        { "", "&a" },
        { "", "&#x" },
        { "", "<!--" },
        { "<!--", "-" },
        { "<!--", "--!" },
        { "", "<![CDATA[" },
        { "<math>", "<![CDATA[]]>" },
        { "<script>", "</script" },
        { "<script><!--", "<script" },
        { "<title>", "&</titl" },
        { "<plaintext>", "</" },
        { "<b a='", "&amp;" },
        { "<b ", "a b c d e f g h i j " },
        { "", "<b><div></b>" },
        { "", "<p><table><td>" },
        { "", "<li><ul>" },
        { "", "</x></y></b></td>" },
        { "", "<svg><desc><math>" },
        { "", "<p>a" },
        { "", "a<br><br>" },
        { "", "\xFF" },
        { "", "\xE4\xB8" },
        { "", "<meta charset=x>\xFF" },
        { "", "<i style='display display display'>" },
        { "", "<select>" },
        { "", "<h1><x-y>" },
    };
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        double took = time_of(pages[i].html, pages[i].text, (size_t)4 << 20);
        if (took > 5)
            fail_msg("%s%s...: %.1f s for 4 MB", pages[i].html, pages[i].text, took);
    }
}

static double time_of_page(struct sl_buf *page)
{
    double start = now();
    run_n(sl_buf_str(page), SL_PAGE_HTML, NULL);
    sl_buf_release(page);
    return now() - start;
}

static void test_linear_time_in_tags(void **state)
{
    (void)state;
    struct sl_buf page;
    /* Attributes with names of their own. */
    sl_buf_init(&page, (size_t)8 << 20);
    assert_int_equal(sl_buf_add(&page, "<b ", 3, NULL), SL_OK);
    for (unsigned i = 0; page.n < (size_t)4 << 20; i++)
        assert_int_equal(sl_buf_addf(&page, NULL, "x%u%s", i, i % 300 ? " " : "><b "), SL_OK);
    assert_true(time_of_page(&page) < 5);
    /* A style with what could hide an element, and blanks behind it. */
    sl_buf_init(&page, (size_t)8 << 20);
    assert_int_equal(sl_buf_add(&page, "<b style='", 10, NULL), SL_OK);
    while (page.n < (size_t)2 << 20)
        assert_int_equal(sl_buf_add(&page, "display:", 8, NULL), SL_OK);
    while (page.n < (size_t)4 << 20)
        assert_int_equal(sl_buf_add(&page, " ", 1, NULL), SL_OK);
    assert_int_equal(sl_buf_add(&page, "'>", 2, NULL), SL_OK);
    assert_true(time_of_page(&page) < 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paragraphs),  cmocka_unit_test(test_lists_and_tables),
        cmocka_unit_test(test_dropped),     cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_facts),       cmocka_unit_test(test_charset),
        cmocka_unit_test(test_plain),       cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_cut),         cmocka_unit_test(test_flattened),
        cmocka_unit_test(test_linear_time), cmocka_unit_test(test_linear_time_in_tags),
        cmocka_unit_test(test_block_limit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
