/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "token/tokenizer.h"

static const char bytes_json[] =
    "{\"name\":\"bytes\",\"vocab_size\":258,\"max_id\":257,\"eos\":256,\"bos\":null,\"pad\":257,"
    "\"digest\":\"0e47664526fced3d7fcba51abd3ce228\"}";

static void bytes_are_widened(void **state)
{
    (void)state;
    struct sl_tokenizer *t;
    struct sl_buf ids;
    uint8_t text[300];
    void *worker;
    assert_int_equal(sl_tokenizer_open(&t, "bytes", NULL), SL_OK);
    assert_int_equal(sl_token_width(&t->info), 2);
    assert_int_equal(sl_tokenizer_worker_new(t, &worker, NULL), SL_OK);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(255 - i * 7);
    sl_buf_init(&ids, 1 << 20);
    size_t had = 0;
    for (size_t n = 0; n <= sizeof text; n++) { /* what stood in the buffer stays */
        struct sl_str s = { n ? (const char *)text : NULL, n };
        assert_int_equal(sl_tokenizer_encode(t, worker, s, &ids, NULL), SL_OK);
        assert_int_equal(ids.n, had + 2 * n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(ids.p[had + 2 * i], text[i]);
            assert_int_equal(ids.p[had + 2 * i + 1], 0);
        }
        had = ids.n;
    }
    sl_buf_release(&ids);
    sl_tokenizer_worker_free(t, worker);
    sl_tokenizer_free(t);
}

static void a_full_buffer_stays_as_it_was(void **state)
{
    (void)state;
    struct sl_tokenizer *t;
    struct sl_buf ids;
    assert_int_equal(sl_tokenizer_open(&t, "bytes", NULL), SL_OK);
    sl_buf_init(&ids, 10);
    assert_int_equal(sl_tokenizer_encode(t, NULL, SL_STR("abcde"), &ids, NULL), SL_OK);
    assert_int_equal(sl_tokenizer_encode(t, NULL, SL_STR("f"), &ids, NULL), SL_E_DATA);
    assert_int_equal(ids.n, 10);
    sl_buf_release(&ids);
    sl_tokenizer_free(t);
}

static void unknown_names_are_usage_errors(void **state)
{
    (void)state;
    struct sl_tokenizer *t;
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(sl_tokenizer_open(&t, "gpt9", &err), SL_E_USAGE);
    assert_string_equal(err.msg, "no tokenizer 'gpt9' (there is 'bytes')");
    sl_tokenizer_free(NULL);
}

static void info_goes_and_comes_back(void **state)
{
    (void)state;
    struct sl_tokenizer *t;
    struct sl_token_info back;
    struct sl_buf json;
    assert_int_equal(sl_tokenizer_open(&t, "bytes", NULL), SL_OK);
    sl_buf_init(&json, 4096);
    assert_int_equal(sl_token_info_dump(&t->info, &json, NULL), SL_OK);
    assert_string_equal(sl_buf_cstr(&json), bytes_json);
    assert_int_equal(sl_token_info_parse(&back, sl_buf_str(&json), NULL), SL_OK);
    assert_string_equal(back.name, "bytes");
    assert_int_equal(back.vocab_size, 258);
    assert_int_equal(back.max_id, 257);
    assert_int_equal(back.eos, 256);
    assert_int_equal(back.bos, SL_TOKEN_NONE);
    assert_int_equal(back.pad, 257);
    assert_memory_equal(back.digest.b, t->info.digest.b, 16);
    sl_buf_release(&json);
    sl_tokenizer_free(t);
}

/* The good JSON with one part replaced. */
static enum sl_status parse_with(const char *part, const char *by)
{
    char text[512];
    struct sl_token_info info;
    const char *at = strstr(bytes_json, part);
    assert_non_null(at);
    size_t before = (size_t)(at - bytes_json);
    memcpy(text, bytes_json, before);
    strcpy(text + before, by);
    strcat(text, at + strlen(part));
    return sl_token_info_parse(&info, sl_str_of(text), NULL);
}

static void bad_info_is_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "\"bytes\"", "\"\"" },
        { "\"bytes\"", "7" },
        { "bytes", "by\\u0000s" },
        { ":258", ":-1" },
        { ":258", ":4294967296" },
        { "\"max_id\":257,", "" },
        { ":256", ":258" },
        { ":256", ":\"x\"" },
        { "\"eos\":256,", "" },
        { "null", "1.5" },
        { "\"pad\":257", "\"q\":1" },
        { "0e47664526fced3d7fcba51abd3ce228", "12" },
        { "{", "" },
        { "}", "" },
        { "\"digest\"", "\"digests\"" },
    };
    struct sl_token_info info;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(parse_with(cases[i][0], cases[i][1]), SL_E_DATA);
    assert_int_equal(parse_with("bytes", "other"), SL_OK);
    for (size_t n = 0; n < sizeof bytes_json - 1; n++)
        assert_int_equal(sl_token_info_parse(&info, (struct sl_str){ bytes_json, n }, NULL),
                         SL_E_DATA);
    assert_int_equal(sl_token_info_parse(&info, SL_STR("[]"), NULL), SL_E_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_widened),
        cmocka_unit_test(a_full_buffer_stays_as_it_was),
        cmocka_unit_test(unknown_names_are_usage_errors),
        cmocka_unit_test(info_goes_and_comes_back),
        cmocka_unit_test(bad_info_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
