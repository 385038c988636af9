/* SPDX-License-Identifier: Apache-2.0 */
/* Tokenizers by file: what is honoured, and what is refused by which name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/num.h"
#include "token/tokenizer.h"

#define TOKEN(id, content, special)                                              \
    "{\"id\":" #id ",\"content\":\"" content                                     \
    "\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":" \
    "false,\"special\":" #special "}"
#define FILE_OF(normalizer, pre, model)                                           \
    "{\"version\":\"1.0\",\"added_tokens\":[" TOKEN(7, "<s>", true) "," TOKEN(    \
        8, "<x>", false) "],\"normalizer\":" normalizer ",\"pre_tokenizer\":" pre \
                         ",\"model\":" model "}"
#define MODEL "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"a b\"]}"

static enum sl_status open_text(struct sl_tokenizer **t, const char *json, bool special,
                                struct sl_err *err)
{
    struct sl_tokenizer_file file = { .name = "x/qwen3.tokenizer.json",
                                      .bytes = sl_str_of(json),
                                      .allow_special = special };
    return sl_tokenizer_open_file(t, &file, err);
}

static const char *encode(const struct sl_tokenizer *t, const char *text, char out[256])
{
    struct sl_buf ids;
    void *w = NULL;
    size_t used = 0;
    sl_buf_init(&ids, 1 << 20);
    assert_int_equal(sl_tokenizer_worker_new(t, &w, NULL), SL_OK);
    assert_int_equal(sl_tokenizer_encode(t, w, sl_str_of(text), &ids, NULL), SL_OK);
    out[0] = 0;
    for (size_t i = 0; i < ids.n; i += 2)
        used +=
            (size_t)snprintf(out + used, 256 - used, "%s%u", i ? " " : "", sl_load16(ids.p + i));
    sl_tokenizer_worker_free(t, w);
    sl_buf_release(&ids);
    return out;
}

static void assert_ids(const char *json, bool special, const char *text, const char *want)
{
    struct sl_tokenizer *t = NULL;
    struct sl_err err = SL_ERR_INIT;
    char out[256];
    if (open_text(&t, json, special, &err) != SL_OK)
        fail_msg("%s", err.msg);
    assert_string_equal(encode(t, text, out), want);
    sl_tokenizer_free(t);
}

static void added_tokens_get_the_next_ids(void **state)
{
    (void)state;
    static const char json[] = FILE_OF("null", "null", MODEL);
    struct sl_tokenizer *t = NULL;
    assert_int_equal(open_text(&t, json, false, NULL), SL_OK);
    assert_string_equal(t->info.name, "qwen3");
    assert_int_equal(t->info.vocab_size, 5);
    assert_int_equal(t->info.max_id, 4);
    assert_int_equal(t->info.bos, 3);
    sl_tokenizer_free(t);
    assert_ids(json, false, "ab<s>a<x>b", "2 0 4 1");
    assert_ids(json, true, "ab<s>a<x>b", "2 3 0 4 1");
    assert_ids(json, true, "<s", "");
    assert_ids(json, true, "", "");
}

static void normalizers_and_pre_tokenizers_are_carried_out(void **state)
{
    (void)state;
    assert_ids(FILE_OF("{\"type\":\"Replace\",\"pattern\":{\"String\":\"z\"},\"content\":\"a\"}",
                       "null", MODEL),
               false, "zb", "2");
    assert_ids(FILE_OF("{\"type\":\"Prepend\",\"prepend\":\"a\"}", "null", MODEL), false, "b", "2");
    assert_ids(FILE_OF("{\"type\":\"Sequence\",\"normalizers\":[]}",
                       "{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":"
                       "\"Isolated\",\"invert\":false}",
                       MODEL),
               false, "abb", "0 1 1");
    assert_ids(FILE_OF("null", "null",
                       "{\"type\":\"BPE\",\"ignore_merges\":true,\"vocab\":{\"a\":0,\"b\":1,"
                       "\"ba\":2},\"merges\":[]}"),
               false, "ba", "2");
    assert_ids(FILE_OF("null",
                       "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true}",
                       "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"\\u0120\":1,\"\\u0120a\":2},"
                       "\"merges\":[[\"\\u0120\",\"a\"]]}"),
               false, "a a", "2 2");
}

static void assert_refused(const char *json, const char *why)
{
    struct sl_tokenizer *t = NULL;
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(open_text(&t, json, false, &err), SL_E_DATA);
    assert_null(t);
    if (!strstr(err.msg, why))
        fail_msg("'%s' is not in '%s'", why, err.msg);
}

static void what_cannot_be_honoured_is_named(void **state)
{
    (void)state;
    assert_refused(FILE_OF("{\"type\":\"Lowercase\"}", "null", MODEL), "'Lowercase'");
    assert_refused(
        FILE_OF("{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKC\"}]}", "null", MODEL),
        "'NFKC'");
    assert_refused(FILE_OF("{}", "null", MODEL), "no 'type'");
    assert_refused(FILE_OF("null", "{\"type\":\"Punctuation\"}", MODEL), "'Punctuation'");
    assert_refused(FILE_OF("null", "{\"type\":\"ByteLevel\"}", MODEL), "add_prefix_space");
    assert_refused(FILE_OF("null", "null", "{\"type\":\"Unigram\"}"), "'Unigram'");
    assert_refused(FILE_OF("null", "null", "{\"type\":\"WordPiece\"}"), "'WordPiece'");
    assert_refused(FILE_OF("null", "null", "{\"vocab\":{\"a\":0}}"), "no 'merges'");
    assert_refused(FILE_OF("null", "null", "{\"merges\":[]}"), "no 'vocab'");
    assert_refused(FILE_OF("null", "null", "{\"vocab\":{\"a\":0},\"merges\":[\"a c\"]}"), "'c'");
    assert_refused(FILE_OF("null", "null", "{\"vocab\":{\"a\":0},\"merges\":[\"a\"]}"), "merge 1");
    assert_refused(FILE_OF("null", "null", "{\"vocab\":{\"a\":0,\"a\":1},\"merges\":[]}"),
                   "stands twice");
    assert_refused(FILE_OF("null", "null", "{\"vocab\":{\"a\":4294967296},\"merges\":[]}"),
                   "no id");
    assert_refused(FILE_OF("null", "null", "{\"dropout\":0.1,\"vocab\":{\"a\":0},\"merges\":[]}"),
                   "dropout");
    assert_refused("{\"version\":\"2.0\"}", "version");
    assert_refused("{\"added_tokens\":[]}", "no 'model'");
    assert_refused("no tokenizer", "neither");
    assert_refused("", "neither");
}

static void files_cut_anywhere_are_refused(void **state)
{
    (void)state;
    static const char json[] = FILE_OF("null", "null", MODEL);
    for (size_t n = 0; n < sizeof json - 1; n++) {
        struct sl_tokenizer *t = NULL;
        struct sl_tokenizer_file file = { .name = "x", .bytes = { json, n } };
        assert_int_equal(sl_tokenizer_open_file(&t, &file, NULL), SL_E_DATA);
    }
}

/* Ranks of the 256 bytes and of "ab" and "abc". */
static struct sl_str ranks(char *text, size_t room)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;
    for (unsigned i = 0; i < 256; i++)
        n += (size_t)snprintf(text + n, room - n, "%c%c== %u\n", digits[i >> 2],
                              digits[(i & 3) << 4], i);
    n += (size_t)snprintf(text + n, room - n, "YWI= 256\nYWJj 257\n");
    return (struct sl_str){ text, n };
}

static void ranks_need_a_pattern(void **state)
{
    (void)state;
    static char text[8192];
    char out[256];
    struct sl_tokenizer *t = NULL;
    struct sl_tokenizer_file file = { .name = "r.tiktoken", .bytes = ranks(text, sizeof text) };
    assert_int_equal(sl_tokenizer_open_file(&t, &file, NULL), SL_E_USAGE);
    file.pattern = "nothing";
    assert_int_equal(sl_tokenizer_open_file(&t, &file, NULL), SL_E_USAGE);
    file.pattern = "cl100k";
    assert_int_equal(sl_tokenizer_open_file(&t, &file, NULL), SL_OK);
    assert_string_equal(encode(t, "abc 1", out), "257 32 49");
    sl_tokenizer_free(t);
    file.pattern = NULL;
    file.beside = SL_STR("{\"pat_str\":\"a|b\",\"special_tokens\":{\"<|endoftext|>\":300}}");
    file.allow_special = true;
    assert_int_equal(sl_tokenizer_open_file(&t, &file, NULL), SL_OK);
    assert_int_equal(t->info.max_id, 300);
    assert_int_equal(t->info.eos, 300);
    assert_string_equal(encode(t, "a-b<|endoftext|>", out), "97 98 300"); /* what is between goes */
    sl_tokenizer_free(t);
    file.bytes.n -= 3; /* the last rank is 25: a second one */
    assert_int_equal(sl_tokenizer_open_file(&t, &file, NULL), SL_E_DATA);
    file.bytes.p += 7; /* a byte is missing */
    file.bytes.n -= 7 + 6;
    assert_int_equal(sl_tokenizer_open_file(&t, &file, NULL), SL_E_DATA);
}

static void tekken_shifts_its_ranks(void **state)
{
    (void)state;
    static char text[32768];
    char out[256];
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = (size_t)snprintf(text, sizeof text,
                                "{\"config\":{\"pattern\":\"[^a]|a+\",\"default_vocab_size\":267,"
                                "\"default_num_special_tokens\":10},\"vocab\":[");
    for (unsigned i = 0; i < 256; i++)
        n +=
            (size_t)snprintf(text + n, sizeof text - n, "{\"rank\":%u,\"token_bytes\":\"%c%c==\"},",
                             i, digits[i >> 2], digits[(i & 3) << 4]);
    snprintf(text + n, sizeof text - n,
             "{\"rank\":256,\"token_bytes\":\"YWE=\"},{\"rank\":257,\"token_bytes\":\"YWFh\"}]}");
    struct sl_tokenizer *t = NULL;
    assert_int_equal(open_text(&t, text, false, NULL), SL_OK);
    assert_int_equal(t->info.vocab_size, 267);
    assert_int_equal(t->info.eos, 2);
    assert_string_equal(encode(t, "aaab", out), "266 107 108"); /* rank 257 has no room */
    sl_tokenizer_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(added_tokens_get_the_next_ids),
        cmocka_unit_test(normalizers_and_pre_tokenizers_are_carried_out),
        cmocka_unit_test(what_cannot_be_honoured_is_named),
        cmocka_unit_test(files_cut_anywhere_are_refused),
        cmocka_unit_test(ranks_need_a_pattern),
        cmocka_unit_test(tekken_shifts_its_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
