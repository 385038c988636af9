/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "token/byte_chars.h"
#include "token/hf_write.h"

static struct sl_bpe_trainer *trained(void)
{
    static const struct sl_str special = { "<\"\n>", 4 };
    const struct sl_bpe_conf conf = { 259, 0, &special, 1, (size_t)1 << 30 };
    struct sl_bpe_trainer *t;
    assert_int_equal(sl_bpe_trainer_new(&t, &conf, NULL), SL_OK);
    assert_int_equal(sl_bpe_trainer_add(t, SL_STR(" \"\\"), 3, NULL), SL_OK);
    assert_int_equal(sl_bpe_trainer_run(t, NULL), SL_OK);
    return t;
}

static void json_has_all_that_a_reader_looks_for(void **state)
{
    (void)state;
    struct sl_bpe_trainer *t = trained();
    struct sl_buf out;
    struct sl_json *j;
    sl_buf_init(&out, 1 << 20);
    for (int kind = 0; kind <= SL_N_SPLITS; kind++) {
        const struct sl_hf_split how = { (enum sl_split_kind)kind, SL_STR("a+") };
        sl_buf_reset(&out);
        assert_int_equal(sl_hf_write_bpe(&out, t, 1, &how, NULL), SL_OK);
        assert_int_equal(sl_json_parse(&j, sl_buf_str(&out), NULL), SL_OK);
        const struct sl_json *model = sl_json_get(j, "model"), *vocab = sl_json_get(model, "vocab");
        assert_int_equal(sl_json_count(vocab), 259);
        assert_int_equal(sl_json_int(sl_json_get(vocab, "<\"\n>")), 0);
        assert_int_equal(sl_json_int(sl_json_get(vocab, "\"\\")), 257);
        assert_int_equal(sl_json_int(sl_json_get(vocab, "\u0120\"\\")), 258);
        assert_int_equal(sl_json_count(sl_json_get(model, "merges")), 2);
        sl_json_free(j);
    }
    sl_buf_release(&out);
    sl_bpe_trainer_free(t);
}

/* The expression that is written for a scanner is read back as that scanner. */
static void patterns_are_known_ones(void **state)
{
    (void)state;
    struct sl_bpe_trainer *t = trained();
    struct sl_buf out;
    struct sl_json *j;
    sl_buf_init(&out, 1 << 20);
    for (int kind = SL_SPLIT_LLAMA3; kind < SL_N_SPLITS; kind++) {
        const struct sl_hf_split how = { .kind = (enum sl_split_kind)kind };
        struct sl_split_step steps[3] = { 0 };
        struct sl_split *split;
        sl_buf_reset(&out);
        assert_int_equal(sl_hf_write_bpe(&out, t, 1, &how, NULL), SL_OK);
        assert_int_equal(sl_json_parse(&j, sl_buf_str(&out), NULL), SL_OK);
        const struct sl_json *list = sl_json_get(sl_json_get(j, "pre_tokenizer"), "pretokenizers");
        size_t n = sl_json_count(list) - 1; /* the last is ByteLevel */
        for (size_t i = 0; i < n; i++)
            steps[i].pattern =
                sl_json_str(sl_json_get(sl_json_get(sl_json_at(list, i), "pattern"), "Regex"));
        assert_int_equal(sl_split_new_steps(&split, steps, n, NULL), SL_OK);
        assert_int_equal(sl_split_kind_of(split), kind);
        sl_split_free(split);
        sl_json_free(j);
    }
    sl_buf_release(&out);
    sl_bpe_trainer_free(t);
}

static void ranks_are_base64(void **state)
{
    (void)state;
    struct sl_bpe_trainer *t = trained();
    struct sl_buf out;
    const struct sl_hf_split gpt2 = { .kind = SL_SPLIT_GPT2 },
                             deep = { .kind = SL_SPLIT_DEEPSEEK3 };
    sl_buf_init(&out, 1 << 20);
    assert_int_equal(sl_tiktoken_write(&out, t, 1, NULL), SL_OK);
    const char *text = sl_buf_cstr(&out);
    assert_int_equal(strncmp(text, "IQ== 1\nIg== 2\n", 14), 0);
    assert_non_null(strstr(text, "\nIlw= 257\nICJc 258\n"));
    sl_buf_reset(&out);
    assert_int_equal(sl_tiktoken_write_info(&out, t, 1, &gpt2, NULL), SL_OK);
    struct sl_json *j;
    assert_int_equal(sl_json_parse(&j, sl_buf_str(&out), NULL), SL_OK);
    assert_int_equal(sl_json_count(sl_json_get(j, "special_tokens")), 1);
    sl_json_free(j);
    assert_int_equal(sl_tiktoken_write_info(&out, t, 1, &deep, NULL), SL_E_USAGE);
    sl_buf_release(&out);
    sl_bpe_trainer_free(t);
}

static void bytes_have_characters(void **state)
{
    (void)state;
    bool seen[256] = { false };
    for (unsigned b = 0; b < 256; b++) {
        uint32_t c = sl_byte_char((uint8_t)b);
        assert_int_equal(sl_byte_of_char(c), b);
        assert_true(c == b || (c >= 0x100 && c < 0x144));
        uint8_t k = sl_byte_in_order(b);
        assert_false(seen[k]);
        seen[k] = true;
        assert_true(b == 0 || c != sl_byte_char((uint8_t)(b - 1)));
        if (b)
            assert_true(sl_byte_char(sl_byte_in_order(b - 1)) < sl_byte_char(k));
    }
    assert_int_equal(sl_byte_char(' '), 0x120);
    assert_int_equal(sl_byte_char('\n'), 0x10a);
    assert_int_equal(sl_byte_char(0xad), 0x143);
    assert_int_equal(sl_byte_of_char(0x144), -1);
    assert_int_equal(sl_byte_of_char(' '), -1);
    assert_int_equal(sl_byte_of_char(0x10ffff), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_has_all_that_a_reader_looks_for),
        cmocka_unit_test(patterns_are_known_ones),
        cmocka_unit_test(ranks_are_base64),
        cmocka_unit_test(bytes_have_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
