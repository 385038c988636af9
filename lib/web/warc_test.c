/* SPDX-License-Identifier: Apache-2.0 */
/* Small inputs through windows of every size. Files of others, compressed forms
 * and damage of all kinds are in tests/compat/warc_test.py. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "web/warc_reader.h"

#define HEAD(type, id, length)                                                  \
    "WARC/1.0\r\nWARC-Type: " type "\r\nWARC-Record-ID: <urn:x:" id ">\r\n"     \
    "WARC-Target-URI: <http://a/" id ">\r\nWARC-Date: 2024-01-01T00:00:00Z\r\n" \
    "Content-Length: " length "\r\n\r\n"
#define ONE HEAD("response", "1", "5") "hello\r\n\r\n"
#define TWO HEAD("conversion", "2", "3") "abc\r\n\r\n"

struct feed {
    struct sl_str left;
    size_t step;
    bool fail; /* at the end */
};

static ssize_t feed_read(void *ctx, void *buf, size_t n)
{
    struct feed *f = ctx;
    n = n < f->step ? n : f->step;
    n = n < f->left.n ? n : f->left.n;
    if (n == 0 && f->fail) {
        errno = EIO;
        return -1;
    }
    if (n)
        memcpy(buf, f->left.p, n);
    f->left.p += n;
    f->left.n -= n;
    return (ssize_t)n;
}

struct open {
    struct feed feed;
    struct sl_source *source;
    struct sl_warc_reader *reader;
};

static void open_feed(struct open *o, struct sl_str bytes, size_t window)
{
    *o = (struct open){ .feed = { bytes, window ? window : bytes.n + 1, false } };
    struct sl_source_backend backend = { .read = feed_read, .ctx = &o->feed };
    assert_int_equal(sl_source_open_backend(&o->source, backend, "test", SL_SOURCE_PLAIN, NULL),
                     SL_OK);
    assert_int_equal(sl_warc_new(&o->reader, o->source, 0, NULL), SL_OK);
    if (window)
        sl_warc_set_window(o->reader, window, window / 2 + 1);
}

static void shut(struct open *o)
{
    sl_warc_free(o->reader);
    sl_source_free(o->source);
}

static void add_str(char *to, size_t max, struct sl_str s)
{
    size_t n = strlen(to);
    snprintf(to + n, max - n, "%.*s", (int)s.n, s.p ? s.p : "");
}

/* "type id block;" of each record, "!why@off+bytes;" of each loss, then the status. */
static void read_as_text(struct sl_str bytes, size_t window, char *to, size_t max)
{
    struct open o;
    struct sl_warc_record rec;
    enum sl_status st;
    char place[64];
    open_feed(&o, bytes, window);
    to[0] = 0;
    while ((st = sl_warc_next(o.reader, &rec, NULL)) == SL_OK) {
        if (rec.kind == SL_WARC_LOST) {
            add_str(to, max, SL_STR("!"));
            add_str(to, max, sl_str_of(sl_warc_why_name(rec.why)));
            snprintf(place, sizeof(place), "@%d+%d;", (int)rec.off, (int)rec.lost_bytes);
            add_str(to, max, sl_str_of(place));
            continue;
        }
        add_str(to, max, sl_str_of(sl_warc_type_name(rec.type)));
        add_str(to, max, SL_STR(" "));
        add_str(to, max, rec.id);
        add_str(to, max, SL_STR(" "));
        add_str(to, max, rec.block);
        add_str(to, max, SL_STR(";"));
    }
    if (st != SL_END)
        add_str(to, max, SL_STR("error"));
    assert_int_equal(sl_warc_next(o.reader, &rec, NULL), st); /* sticky */
    shut(&o);
}

static void check(struct sl_str bytes, const char *want)
{
    char got[1024];
    for (size_t window = 0; window < 300; window = window * 2 + 1) {
        read_as_text(bytes, window, got, sizeof(got));
        assert_string_equal(got, want);
    }
}

#define BOTH "response urn:x:1 hello;conversion urn:x:2 abc;"

static void plain_records(void **state)
{
    (void)state;
    check(SL_STR(ONE TWO), BOTH);
    check(SL_STR("\r\n\n" ONE "\n\n\n" TWO "\r\n"), BOTH);
    check(SL_STR(HEAD("response", "1", "5") "hello" TWO), BOTH);
    check(SL_STR("WARC/0.18\nwarc-type:response\nwarc-record-id: urn:x:1\n"
                 "content-length:5\n\nhello\n\n" TWO),
          BOTH);
    check(SL_STR(HEAD("response", "1", "0") "\r\n\r\n"), "response urn:x:1 ;");
    check(SL_STR("WARC/1.0\r\nContent-Length: 1\r\n\r\nx"), "other  x;");
}

static void plain_losses(void **state)
{
    (void)state;
    check(SL_STR(""), "error");
    check(SL_STR("nothing of the kind"), "error");
    check(SL_STR("filedesc://x 0 0 text/plain 5\n"), "error");
    check(SL_STR("noise\r\n" TWO), "!damaged@0+7;conversion urn:x:2 abc;");
    check(SL_STR(ONE "noise\r\n" TWO),
          "response urn:x:1 hello;!damaged@152+7;conversion urn:x:2 abc;");
    check(SL_STR(HEAD("response", "1", "50") "hello\r\n\r\n" TWO),
          "!length@0+153;conversion urn:x:2 abc;");
    check(SL_STR(HEAD("response", "1", "2") "hello\r\n\r\n" TWO),
          "!length@0+152;conversion urn:x:2 abc;");
    check(SL_STR(HEAD("response", "1", "x") "hello\r\n\r\n" TWO),
          "!length@0+152;conversion urn:x:2 abc;");
    check(SL_STR(HEAD("warcinfo", "1", "x") "hello\r\n\r\n" TWO),
          "warcinfo urn:x:1 hello;conversion urn:x:2 abc;");
    check(SL_STR(HEAD("response", "1", "99999999999999") "hello\r\n\r\n" TWO),
          "!length@0+165;conversion urn:x:2 abc;");
    check(SL_STR(ONE HEAD("conversion", "2", "99999999999999") "abc"),
          "response urn:x:1 hello;!cut@152+161;");
    check(SL_STR("\r\n\r\n"), "error");
    check(SL_STR(ONE "WARC/1.0\r\nWARC-Type: x\r\n"), "response urn:x:1 hello;!cut@152+24;");
    check(SL_STR(ONE HEAD("conversion", "2", "9") "abc"), "response urn:x:1 hello;!cut@152+148;");
}

static void head_fields(void **state)
{
    (void)state;
    static const char head[] =
        "WARC/1.1 \r\nWARC-Type: Response\r\nWARC-Target-URI: <http://a/ b>\r\n"
        "WARC-Record-ID: < urn:x:1 >\r\nX-Fold: one\r\n\ttwo\r\nno colon\r\n"
        "WARC-Truncated: length\r\nWARC-Truncated: time\r\nContent-Length: 0007\r\n\r\nrest";
    struct sl_warc_record rec = { 0 };
    struct sl_buf scratch;
    enum sl_warc_head_end end;
    size_t n;
    sl_buf_init(&scratch, SL_WARC_HEAD_MAX);
    assert_int_equal(sl_warc_head_parse(SL_STR(head), &rec, &scratch, &n, &end, NULL), SL_OK);
    assert_int_equal(end, SL_WARC_HEAD_OK);
    assert_int_equal(n, sizeof(head) - 5);
    assert_true(sl_str_eq(rec.version, SL_STR("1.1")));
    assert_int_equal(rec.type, SL_WARC_RESPONSE);
    assert_true(sl_str_eq(rec.uri, SL_STR("http://a/ b")));
    assert_true(sl_str_eq(rec.id, SL_STR("urn:x:1")));
    assert_true(sl_str_eq(rec.truncated, SL_STR("length")));
    assert_int_equal(rec.declared_bytes, 7);
    assert_true(rec.flags & SL_WARC_FOLDED);
    assert_true(sl_str_eq(sl_warc_header(&rec, SL_STR("x-fold")), SL_STR("one  \ttwo")));
    assert_int_equal(sl_warc_header(&rec, SL_STR("absent")).n, 0);
    /* Every shorter input is an unfinished head, never a bad one. */
    for (size_t cut = 0; cut < n; cut++) {
        struct sl_str s = { head, cut };
        assert_int_equal(sl_warc_head_parse(s, &rec, &scratch, &n, &end, NULL), SL_OK);
        assert_int_equal(end, SL_WARC_HEAD_MORE);
        n = sizeof(head) - 5;
    }
    sl_buf_release(&scratch);
}

static void version_lines(void **state)
{
    (void)state;
    static const char *const good[] = { "WARC/1.0\n", "WARC/1.0\r\n", "WARC/0.18 \r\n",
                                        "WARC/12.34\n" };
    static const char *const bad[] = { "WARC/1.0",   "WARC/1\n",     "WARC/.1\n",  "WARC/1.\n",
                                       "WARC/a.b\n", "WARC/1.0 x\n", "warc/1.0\n", "" };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(sl_warc_version_line(sl_str_of(good[i])), strlen(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sl_warc_version_line(sl_str_of(bad[i])), 0);
}

static void read_errors(void **state)
{
    (void)state;
    struct open o;
    struct sl_warc_record rec;
    struct sl_err err = SL_ERR_INIT;
    open_feed(&o, SL_STR(ONE), 16);
    o.feed.fail = true;
    assert_int_equal(sl_warc_next(o.reader, &rec, &err), SL_E_SYSTEM);
    assert_int_equal(err.sys_errno, EIO);
    sl_err_reset(&err);
    assert_int_equal(sl_warc_next(o.reader, &rec, &err), SL_E_SYSTEM);
    shut(&o);
    struct sl_warc_reader *r = NULL;
    assert_int_equal(sl_warc_new(&r, NULL, SIZE_MAX, NULL), SL_E_USAGE);
    assert_null(r);
    sl_warc_free(NULL);
}

static uint32_t crc32_of(struct sl_str s)
{
    uint32_t c = ~0U;
    for (size_t i = 0; i < s.n; i++) {
        c ^= (uint8_t)s.p[i];
        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0xedb88320U : c >> 1;
    }
    return ~c;
}

/* A gzip member of one stored block. */
static void add_member(struct sl_buf *to, struct sl_str s)
{
    uint32_t tail[2] = { crc32_of(s), (uint32_t)s.n };
    uint16_t n[2] = { (uint16_t)s.n, (uint16_t)~s.n };
    assert_int_equal(sl_buf_add(to, "\x1f\x8b\x08\0\0\0\0\0\0\xff\1", 11, NULL), SL_OK);
    assert_int_equal(sl_buf_add(to, n, 4, NULL), SL_OK);
    assert_int_equal(sl_buf_add_str(to, s, NULL), SL_OK);
    assert_int_equal(sl_buf_add(to, tail, 8, NULL), SL_OK);
}

static void gzip_members(void **state)
{
    (void)state;
    struct sl_buf b;
    sl_buf_init(&b, 1 << 16);
    add_member(&b, SL_STR(ONE));
    size_t first = b.n;
    add_member(&b, SL_STR(TWO));
    check(sl_buf_str(&b), BOTH);
    /* Any byte of the stored block or the trailer loses this record alone. */
    char want[128];
    snprintf(want, sizeof(want), "!damaged@0+%zu;conversion urn:x:2 abc;", first);
    for (size_t at = 15; at < first; at += 7) {
        b.p[at] ^= 0x41;
        check(sl_buf_str(&b), want);
        b.p[at] ^= 0x41;
    }
    sl_buf_reset(&b);
    add_member(&b, SL_STR(HEAD("response", "1", "5") "he"));
    add_member(&b, SL_STR("l"));
    add_member(&b, SL_STR("lo\r\n\r\n"));
    add_member(&b, SL_STR(TWO));
    check(sl_buf_str(&b), BOTH);
    sl_buf_reset(&b);
    add_member(&b, SL_STR(HEAD("response", "1", "999") "hello\r\n\r\n"));
    add_member(&b, SL_STR(TWO));
    check(sl_buf_str(&b), BOTH);
    sl_buf_reset(&b);
    add_member(&b, SL_STR("filedesc://x 0 0 text/plain 5\n"));
    check(sl_buf_str(&b), "error");
    sl_buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_records), cmocka_unit_test(plain_losses),
        cmocka_unit_test(head_fields),   cmocka_unit_test(version_lines),
        cmocka_unit_test(read_errors),   cmocka_unit_test(gzip_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
