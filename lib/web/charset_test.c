/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings: labels, decoding with errors, the decision for a page. */
#include "web/charset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/utf8.h"

static struct sl_charset_decoder *d;

static int set_up(void **state)
{
    (void)state;
    d = sl_charset_decoder_new();
    return d ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sl_charset_decoder_free(d);
    return 0;
}

#define LABEL(text, name) assert_string_equal(sl_charset_name(sl_charset_label(SL_STR(text))), name)

static void test_labels(void **state)
{
    (void)state;
    LABEL("utf-8", "utf-8");
    LABEL(" \tUTF8\n", "utf-8");
    LABEL("ISO-8859-1", "windows-1252");
    LABEL("ascii", "windows-1252");
    LABEL("gb2312", "gbk");
    LABEL("ks_c_5601-1987", "euc-kr");
    LABEL("x-x-big5", "big5");
    LABEL("iso-2022-kr", "replacement");
    LABEL("866", "ibm866");
    LABEL("x-user-defined", "x-user-defined");
    LABEL("x-x-big", "");
    LABEL("", "");
    LABEL("utf-7", "");
    LABEL("a label that is longer than any other label", "");
    assert_int_equal(sl_charset_of_content_type(SL_STR("text/html; Charset=\"EUC-JP\" ; x")),
                     SL_CHARSET_EUC_JP);
    assert_int_equal(sl_charset_of_content_type(SL_STR("text/html; charset")), SL_CHARSET_NONE);
    assert_int_equal(sl_charset_of_content_type(SL_STR("text/html; charset=\"utf-8")),
                     SL_CHARSET_NONE);
    assert_int_equal(sl_charset_of_content_type((struct sl_str){ NULL, 0 }), SL_CHARSET_NONE);
}

struct sample {
    enum sl_charset c;
    struct sl_str bytes;
    const char *want;
    unsigned n_replaced;
};

#define FFFD "\xEF\xBF\xBD"

static const struct sample samples[] = {
    { SL_CHARSET_UTF_8, { "a\xC3\xA9\xC3z\xE4\xB8", 7 }, "a\xC3\xA9" FFFD "z" FFFD, 2 },
    { SL_CHARSET_WINDOWS_1252,
      { "\x80\x81\xE9\xFF", 4 },
      "\xE2\x82\xAC\xC2\x81\xC3\xA9\xC3\xBF",
      0 },
    { SL_CHARSET_WINDOWS_1253, { "\xE1\xD2", 2 }, "\xCE\xB1" FFFD, 1 },
    { SL_CHARSET_WINDOWS_1255, { "\xCA", 1 }, "\xD6\xBA", 0 },
    { SL_CHARSET_KOI8_U, { "\xAE\xC1", 2 }, "\xD1\x9E\xD0\xB0", 0 },
    { SL_CHARSET_X_USER_DEFINED, { "a\x80\xFF", 3 }, "a\xEF\x9E\x80\xEF\x9F\xBF", 0 },
    { SL_CHARSET_REPLACEMENT, { "abc", 3 }, FFFD, 1 },
    { SL_CHARSET_UTF_16LE, { "a\0\x3D\xD8\x00\xDE", 6 }, "a\xF0\x9F\x98\x80", 0 },
    { SL_CHARSET_UTF_16BE, { "\0a\xD8\x3D\0b\xDC\0x", 9 }, "a" FFFD "b" FFFD FFFD, 3 },
    { SL_CHARSET_UTF_16LE, { "\x3D\xD8\x00", 3 }, FFFD, 1 },
    { SL_CHARSET_SHIFT_JIS,
      { "\x93\xFA\x96{\xB1\x5C~", 7 },
      "\xE6\x97\xA5\xE6\x9C\xAC\xEF\xBD\xB1\\~",
      0 },
    /* A bad trail byte that is ASCII is read again; others go with their lead. */
    { SL_CHARSET_SHIFT_JIS,
      { "\x93<p>\x93\xFF"
        "a\x93",
        8 },
      FFFD "<p>" FFFD "a" FFFD,
      3 },
    { SL_CHARSET_SHIFT_JIS, { "\x80\x87\x40\xFA\x40", 5 }, "\xC2\x80\xE2\x91\xA0\xE2\x85\xB0", 0 },
    { SL_CHARSET_EUC_KR,
      { "\xC7\xD1\xB1\xDB \x81\x41", 7 },
      "\xED\x95\x9C\xEA\xB8\x80 \xEA\xB0\x82",
      0 },
    { SL_CHARSET_EUC_KR, { "\xC7<\xC9\x5B\xFF", 5 }, FFFD "<" FFFD "[" FFFD, 3 },
    { SL_CHARSET_BIG5,
      { "\xA4\xA4\xA4\xE5\x88\x62", 6 },
      "\xE4\xB8\xAD\xE6\x96\x87\xC3\x8A\xCC\x84",
      0 },
    { SL_CHARSET_BIG5,
      { "\xA1\x45\xA2\xCC\xA1\x40", 6 },
      "\xE2\x80\xA7\xE5\x8D\x81\xE3\x80\x80",
      0 },
    { SL_CHARSET_GBK, { "\xA3\xA0\xA8\xBC", 4 }, "\xE3\x80\x80\xE1\xB8\xBF", 0 },
    { SL_CHARSET_BIG5, { "\xA4<b\xA4", 4 }, FFFD "<b" FFFD, 2 },
    { SL_CHARSET_GBK, { "\xD6\xD0\x80\xCE\xC4", 5 }, "\xE4\xB8\xAD\xE2\x82\xAC\xE6\x96\x87", 0 },
    { SL_CHARSET_GB18030,
      { "\x81\x30\x81\x30\x94\x39\xFC\x36", 8 },
      "\xC2\x80\xF0\x9F\x98\x80",
      0 },
    { SL_CHARSET_GB18030, { "\x81\x30<a\x81\x30\x81", 7 }, FFFD "0<a" FFFD, 2 },
    { SL_CHARSET_EUC_JP,
      { "\xC6\xFC\xCB\xDC\x8E\xB1\x8F\xB0\xA1", 9 },
      "\xE6\x97\xA5\xE6\x9C\xAC\xEF\xBD\xB1\xE4\xB8\x82",
      0 },
    { SL_CHARSET_EUC_JP, { "\xC6<\x8F\xB0<\x8E\x41\x8F", 8 }, FFFD "<" FFFD "<" FFFD "A" FFFD, 4 },
    { SL_CHARSET_ISO_2022_JP,
      { "a\x1B$BF|K\\\x1B(Bb\x1B(J\\~\x1B(I1", 21 },
      "a\xE6\x97\xA5\xE6\x9C\xAC"
      "b\xC2\xA5\xE2\x80\xBE\xEF\xBD\xB1",
      0 },
    { SL_CHARSET_ISO_2022_JP, { "\x1B$BF\x1B(B<\x1B$X\xFF", 12 }, FFFD "<" FFFD "$X" FFFD, 3 },
};

static void check_sample(const struct sample *s)
{
    struct sl_buf out;
    uint64_t n_replaced = 0;
    sl_buf_init(&out, 1 << 20);
    assert_int_equal(sl_charset_decode(d, s->c, s->bytes, &out, &n_replaced, NULL), SL_OK);
    if (!sl_str_eq(sl_buf_str(&out), sl_str_of(s->want)))
        fail_msg("%s: want '%s', got '%.*s'", sl_charset_name(s->c), s->want, (int)out.n, out.p);
    assert_int_equal(n_replaced, s->n_replaced);
    sl_buf_release(&out);
}

static void test_decode(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        check_sample(&samples[i]);
}

/* Every encoding makes valid UTF-8 of every pair of bytes, and says how much was replaced. */
static void test_pairs_valid(void **state)
{
    (void)state;
    struct sl_buf out;
    sl_buf_init(&out, 1 << 20);
    for (int c = SL_CHARSET_UTF_8; c < SL_CHARSET_N; c++) {
        for (unsigned i = 0; i < 65536; i += c >= SL_CHARSET_GBK ? 1 : 7) {
            char bytes[4] = { (char)(i >> 8), (char)i, 'z', 'z' };
            uint64_t n_replaced = 0;
            sl_buf_reset(&out);
            assert_int_equal(sl_charset_decode(d, (enum sl_charset)c, (struct sl_str){ bytes, 4 },
                                               &out, &n_replaced, NULL),
                             SL_OK);
            assert_true(sl_utf8_valid(out.p, out.n));
            bool utf16 = c == SL_CHARSET_UTF_16BE || c == SL_CHARSET_UTF_16LE;
            /* Nothing swallows the ASCII behind it, but for 0x1B of iso-2022-jp. */
            if (!utf16 && c != SL_CHARSET_REPLACEMENT && c != SL_CHARSET_ISO_2022_JP)
                assert_int_equal(out.p[out.n - 1], 'z');
        }
    }
    sl_buf_release(&out);
}

static struct sl_charset_page page_of(struct sl_str bytes, enum sl_charset http,
                                      struct sl_buf *room)
{
    struct sl_charset_page page;
    assert_int_equal(sl_charset_decode_page(d, bytes, http, room, &page, NULL), SL_OK);
    assert_true(sl_utf8_valid(page.text.p, page.text.n));
    return page;
}

static void check_page(struct sl_str bytes, enum sl_charset http, const char *charset,
                       const char *source)
{
    struct sl_buf room;
    sl_buf_init(&room, 1 << 22);
    struct sl_charset_page page = page_of(bytes, http, &room);
    assert_string_equal(sl_charset_name(page.charset), charset);
    assert_string_equal(sl_charset_source_name(page.source), source);
    sl_buf_release(&room);
}

static void test_decision(void **state)
{
    (void)state;
    check_page(SL_STR(""), SL_CHARSET_NONE, "utf-8", "utf8");
    check_page(SL_STR("plain"), SL_CHARSET_SHIFT_JIS, "utf-8", "utf8");
    check_page(SL_STR("\xEF\xBB\xBF\xFF"), SL_CHARSET_KOI8_R, "utf-8", "bom");
    check_page(SL_STR("\xFE\xFF\0a"), SL_CHARSET_NONE, "utf-16be", "bom");
    check_page(SL_STR("\xC3\xA9"), SL_CHARSET_WINDOWS_1252, "utf-8", "utf8");
    check_page(SL_STR("\xE9t\xE9"), SL_CHARSET_ISO_8859_2, "iso-8859-2", "http");
    check_page(SL_STR("<meta charset=koi8-r>\xC1"), SL_CHARSET_NONE, "koi8-r", "meta");
    check_page(SL_STR("<meta charset=koi8-r>\xC1"), SL_CHARSET_UTF_8, "koi8-r", "meta");
    check_page(SL_STR("<meta charset=utf-8>\xE9t\xE9"), SL_CHARSET_NONE, "windows-1252", "default");
    check_page(SL_STR("\xE9t\xE9"), SL_CHARSET_NONE, "windows-1252", "default");
    check_page(SL_STR("\xC3\xA9\xC3\xA9\xFF"), SL_CHARSET_UTF_8, "utf-8", "utf8_lossy");
    check_page(SL_STR("a\x1B$BF|\x1B(B"), SL_CHARSET_ISO_2022_JP, "iso-2022-jp", "http");
    check_page(SL_STR("a\0b\0"), SL_CHARSET_UTF_16LE, "utf-16le", "http");
    check_page(SL_STR("<\0?\0x\0m\0l\0"), SL_CHARSET_NONE, "utf-16le", "meta");
    /* A cut character at the end of a long page without a label. */
    char page[5000];
    memset(page, 'a', sizeof page);
    memcpy(page + 100, "\xC3\xA9", 2);
    page[sizeof page - 1] = '\xE4';
    check_page((struct sl_str){ page, sizeof page }, SL_CHARSET_NONE, "utf-8", "utf8_lossy");
    /* The same with letters enough to overrule a label. */
    check_page((struct sl_str){ page, sizeof page }, SL_CHARSET_GBK, "gbk", "http");
    for (size_t i = 0; i < 60; i++)
        memcpy(page + 100 + 2 * i, "\xC3\xA9", 2);
    check_page((struct sl_str){ page, sizeof page }, SL_CHARSET_GBK, "utf-8", "utf8_lossy");
    /* A meta element that only a parser finds. */
    memset(page, 'a', sizeof page - 1);
    memcpy(page + 2000, "<meta charset=koi8-r>", 21);
    check_page((struct sl_str){ page, sizeof page }, SL_CHARSET_NONE, "koi8-r", "meta");
}

static void test_limits(void **state)
{
    (void)state;
    struct sl_buf out;
    uint64_t n_replaced = 0;
    struct sl_err err = SL_ERR_INIT;
    sl_buf_init(&out, 8);
    assert_int_equal(sl_charset_decode(d, SL_CHARSET_WINDOWS_1252, SL_STR("\xE9\xE9\xE9\xE9\xE9"),
                                       &out, &n_replaced, &err),
                     SL_E_DATA);
    sl_err_reset(&err);
    assert_int_equal(sl_charset_decode(d, SL_CHARSET_NONE, SL_STR("a"), &out, &n_replaced, &err),
                     SL_E_BUG);
    sl_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),      cmocka_unit_test(test_decode),
        cmocka_unit_test(test_pairs_valid), cmocka_unit_test(test_decision),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
