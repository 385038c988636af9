/* SPDX-License-Identifier: Apache-2.0 */
/* Heads, header values and chunks. Compressed bodies are made by reference
 * encoders in tests/compat/warc_test.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "base/buf.h"
#include "web/http.h"

static void is(struct sl_str got, const char *want)
{
    if (!sl_str_eq(got, sl_str_of(want)))
        fail_msg("got '%.*s', want '%s'", (int)got.n, got.p, want);
}

static void heads(void **state)
{
    (void)state;
    static const struct {
        const char *block, *version, *reason, *fields, *body;
        int status;
        bool is_http, cut;
    } cases[] = {
        { "HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", "1.1", "OK", "A: b\r\n", "body", 200, true,
          false },
        { "HTTP/1.0 404 Not Found\nA: b\n\nbody", "1.0", "Not Found", "A: b\n", "body", 404, true,
          false },
        { "HTTP/2 200\r\n\r\n", "2", "", "", "", 200, true, false },
        { "HTTP/2 200 \r\n\r\n\r\nx", "2", "", "", "\r\nx", 200, true, false },
        { "http/1.1  301  Moved\r\n\r\n", "1.1", "Moved", "", "", 301, true, false },
        { "HTTP/1.1\r\nA: b\r\n\r\nx", "1.1", "", "A: b\r\n", "x", 0, true, false },
        { "HTTP/1.1 2000 x\r\n\r\n", "1.1", "0 x", "", "", 0, true, false },
        { "HTTP/1.1 200 OK\r\nA: b", "1.1", "OK", "A: b", "", 200, true, true },
        { "HTTP/1.1 200 OK", "1.1", "OK", "", "", 200, true, true },
        { "HTTP/1.1 200 OK\r\nA: b\r\n<html>", "1.1", "OK", "A: b\r\n", "<html>", 200, true,
          false },
        { "<html>HTTP/1.1 200 OK", "", "", "", "<html>HTTP/1.1 200 OK", 0, false, false },
        { "HTTPS is good", "", "", "", "HTTPS is good", 0, false, false },
        { "HTTP/x", "", "", "", "HTTP/x", 0, false, false },
        { "", "", "", "", "", 0, false, false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_http http;
        sl_http_parse(sl_str_of(cases[i].block), &http);
        assert_int_equal(http.is_http, cases[i].is_http);
        assert_int_equal(http.status, cases[i].status);
        assert_int_equal(http.head_cut, cases[i].cut);
        if (http.is_http) {
            is(http.version, cases[i].version);
            is(http.reason, cases[i].reason);
        }
        is(http.fields, cases[i].fields);
        is(http.body, cases[i].body);
    }
}

static void headers(void **state)
{
    (void)state;
    struct sl_http http;
    struct sl_buf out;
    sl_http_parse(SL_STR("HTTP/1.1 200 OK\r\nX-Robots-Tag: noindex\r\njunk\r\n: none\r\n"
                         "x-robots-tag:  otherbot:\r\n  noai\r\nX-ROBOTS-TAG:\r\nEmpty:\r\n"
                         "tdm-reservation: 1\r\n\r\n"),
                  &http);
    is(sl_http_header(&http, SL_STR("X-robots-tag")), "noindex");
    is(sl_http_header(&http, SL_STR("TDM-Reservation")), "1");
    is(sl_http_header(&http, SL_STR("Empty")), "");
    is(sl_http_header(&http, SL_STR("none")), "");
    sl_buf_init(&out, 1024);
    assert_int_equal(sl_http_join(&http, SL_STR("X-Robots-Tag"), &out, NULL), SL_OK);
    is(sl_buf_str(&out), "noindex, otherbot:    noai");
    sl_buf_release(&out);
    struct sl_str rest = http.fields, name, value;
    int n = 0;
    while (sl_http_next(&rest, &name, &value))
        n++;
    assert_int_equal(n, 5);
}

static void content_types(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        { "text/html; charset=utf-8", "text/html", "utf-8" },
        { "text/html;charset=\"utf-8\"", "text/html", "utf-8" },
        { "text/html; charset='utf-8' ; x=y", "text/html", "utf-8" },
        { " text/html ;x=y; CHARSET = utf-8;z", "text/html", "utf-8" },
        { "text/html charset=utf-8", "text/html", "utf-8" },
        { "text/html, text/html; charset=a, b", "text/html", "a" },
        { "text/html; charset=", "text/html", "" },
        { "text/html; charset", "text/html", "" },
        { "text/html; xcharset; charset=\"", "text/html", "" },
        { "application/xhtml+xml", "application/xhtml+xml", "" },
        { ";charset=x", "", "x" },
        { "", "", "" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sl_str mime, charset;
        sl_http_content_type(sl_str_of(cases[i][0]), &mime, &charset);
        is(mime, cases[i][1]);
        is(charset, cases[i][2]);
    }
}

static void decode_is(struct sl_http_decoder *d, const char *header, const char *body,
                      const char *want, unsigned notes)
{
    struct sl_buf block;
    struct sl_http http;
    struct sl_http_body got;
    sl_buf_init(&block, 1 << 16);
    assert_int_equal(sl_buf_addf(&block, NULL, "HTTP/1.1 200 OK\r\n%s\r\n\r\n%s", header, body),
                     SL_OK);
    sl_http_parse(sl_buf_str(&block), &http);
    assert_int_equal(sl_http_decode(d, &http, &got, NULL), SL_OK);
    is(got.bytes, want);
    assert_int_equal(got.notes, notes);
    sl_buf_release(&block);
}

static void chunks(void **state)
{
    (void)state;
    static const char te[] = "Transfer-Encoding: chunked";
    const unsigned was = SL_HTTP_WAS_CHUNKED, cut = was | SL_HTTP_BODY_TRUNCATED;
    const unsigned lied = SL_HTTP_HEADER_LIED;
    struct sl_http_decoder *d = sl_http_decoder_new(0);
    assert_non_null(d);
    decode_is(d, te, "3\r\nabc\r\n0\r\n\r\n", "abc", was);
    decode_is(d, te, "3\nabc\n02;x=\"y\"\r\nde\r\n000\r\nT: x\r\n\r\n", "abcde", was);
    decode_is(d, te, "3\r\nabc\r\n", "abc", cut);
    decode_is(d, te, "3\r\nabc\r", "abc", cut);
    decode_is(d, te, "3\r\nabc", "abc", cut);
    decode_is(d, te, "5\r\nabc", "abc", cut);
    decode_is(d, te, "3\r\nabc\r\nxyz", "abc", cut);
    decode_is(d, te, "3\r\nabc\r\n2\r\ndefg", "abcde", cut);
    decode_is(d, te, "ffffffffffffffff\r\nabc", "abc", cut);
    decode_is(d, te, "11111111111111111\r\nabc", "11111111111111111\r\nabc", lied);
    decode_is(d, te, "3\r\nabcdef\r\n", "3\r\nabcdef\r\n", lied);
    decode_is(d, te, "<html>", "<html>", lied);
    decode_is(d, te, "0\r\nzero", "0\r\nzero", lied);
    decode_is(d, te, "0\r\n\r\n", "", was);
    decode_is(d, te, "", "", 0);
    decode_is(d, te, "\r\n3\r\nabc\r\n0\r\n\r\n", "abc", was | SL_HTTP_EXTRA_LINE);
    decode_is(d, "A: b", "3\r\nabc\r\n0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", 0);
    decode_is(d, "Content-Encoding: gzip, br,zstd , deflate", "<html>", "<html>", lied);
    decode_is(d, "Content-Encoding: exi", "<html>", "<html>", SL_HTTP_UNKNOWN_CODING);
    sl_http_decoder_free(d);
    d = sl_http_decoder_new(4);
    assert_non_null(d);
    decode_is(d, te, "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n", "abcd", was | SL_HTTP_OVER_LIMIT);
    sl_http_decoder_free(d);
    sl_http_decoder_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads),
        cmocka_unit_test(headers),
        cmocka_unit_test(content_types),
        cmocka_unit_test(chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
